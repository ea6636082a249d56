"""Benchmarks of lossbench without other frameworks; `speed.py` is their command line."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from contenders import FOLDER, Size, command, config, runs
from figures import (
    ROOT,
    ProcessFailedError,
    difference_and_interval,
    mean_and_deviation,
    measured,
    progress,
    quartiles,
    ratios,
    say,
    table,
)

if TYPE_CHECKING:
    import argparse

EQUAL_SEEDS = {"mlp": 30, "cnn": 10}


def limit(options: argparse.Namespace) -> None:
    """Compare training speed with the rate at which the machine multiplies matrices."""
    size, rows = Size(options.model, options.images, options.epochs), []
    needed = 2 * products(size.model) * size.images
    for workers in options.workers:
        rates, epochs, shares = [], [], []
        for _ in range(options.rounds):
            rates.append(sum(side_by_side([[sys.executable, str(FOLDER / "product_rate.py")]] * workers)))
            folder = config(size, f"sweep: {{seeds: 0-{workers - 1}}}\n", "threads: 1, ")
            command(folder, "sweep", "--config", "run.yaml", "--quiet", "--jobs", str(workers))
            steady = [each.steady for each in runs(folder)]
            epochs += steady
            shares.append(100 * sum(needed / each for each in steady) / rates[-1])
            progress(f"{workers}: {rates[-1] / 1e9:.1f} GF/s, epochs {steady}, share {shares[-1]:.1f} %")
        numbers = [quartiles([rate / 1e9 for rate in rates]), quartiles(epochs), quartiles(shares)]
        rows.append([size.model, str(workers), *numbers])
    table(["model", "workers", "products, GF/s", "steady epoch, s", "share, %"], rows)


def products(model: str) -> int:
    """Return the multiplications of one image in training.

    Each kernel is used three times: forward, for the gradient of the weights, and for that of the features; but the
    first layer needs no gradient of its features.
    """
    from lossbench.config import resolve
    from lossbench.models.shapes import layer_shapes, multiplications

    section = resolve.from_mapping({"model": model}).model
    first = next(layer.multiplications for layer in layer_shapes(section, (28, 28)) if layer.kernel)
    return 3 * multiplications(section, image_shape=(28, 28), classes=10) - first


def side_by_side(started: list[list[str]]) -> list[float]:
    """Return the numbers that processes print which run at the same time."""
    running = [subprocess.Popen(each, stdout=subprocess.PIPE, text=True) for each in started]
    return [float(process.communicate()[0]) for process in running]


def ci(options: argparse.Namespace) -> None:
    """Measure configs/ci.yaml with one worker and with two."""
    seconds: dict[int, list[float]] = {workers: [] for workers in options.workers}
    for _ in range(options.rounds):
        for workers, taken in seconds.items():
            arguments = ["sweep", str(ROOT / "configs" / "ci.yaml"), "--quiet", "--jobs", str(workers)]
            taken.append(command(Path(tempfile.mkdtemp()), *arguments)[0])
            progress(f"{workers} workers: {taken[-1]:.1f} s")
    table(["workers", "configs/ci.yaml, s"], [[str(workers), quartiles(taken)] for workers, taken in seconds.items()])


def commands(options: argparse.Namespace) -> None:
    """Measure how long commands take to start, as a multiple of `import typer`."""
    started = {
        "python -c 'import typer'": [sys.executable, "-c", "import typer"],
        **{f"lossbench {name}": [sys.executable, "-m", "lossbench", name] for name in ("--help", "losses")},
        "lossbench validate": [sys.executable, "-m", "lossbench", "validate", str(ROOT / "configs" / "focal.yaml")],
    }
    seconds: dict[str, list[float]] = {name: [] for name in started}
    for _ in range(options.rounds):
        for name, arguments in started.items():
            seconds[name].append(measured(arguments, ROOT)[0])
    first = next(iter(seconds.values()))
    table(
        ["command", "s", "×"],
        [[name, quartiles(taken), quartiles(ratios(taken, first))] for name, taken in seconds.items()],
    )


def equal(options: argparse.Namespace) -> None:
    """Compare the test accuracy of two versions of lossbench: the 95 % interval of the difference."""
    _refuse_this_version(options.before)
    rows = []
    for model in options.models:
        size, last = Size(model, options.images, options.epochs), (options.seeds or EQUAL_SEEDS[model]) - 1
        done = []
        for interpreter in (options.before, None):
            folder = config(size, f"sweep: {{seeds: 0-{last}}}\n")
            command(folder, "sweep", "--config", "run.yaml", "--quiet", interpreter=interpreter)
            done.append(runs(folder))
            progress(f"{model}, {done[-1][0].version}: {[each.accuracy for each in done[-1]]}")
        before, after = ([each.accuracy for each in version] for version in done)
        versions = " → ".join(each[0].version for each in done)
        accuracies = [mean_and_deviation(before), mean_and_deviation(after)]
        rows.append([model, versions, str(len(after)), *accuracies, difference_and_interval(before, after)])
    table(["model", "versions", "seeds", "before", "after", "difference [95 %]"], rows)
    say("\nWelch's interval, unpaired: with a seed, the versions share initial weights and order of batches only.")


def _refuse_this_version(interpreter: str) -> None:
    """End the benchmark if another interpreter imports no lossbench, or the one that is being measured."""
    folder = Path(tempfile.mkdtemp())
    code = [interpreter, "-c", "import lossbench; print(lossbench.__file__)"]
    try:
        with (folder / "printed").open("w") as file:
            measured(code, folder, stdout=file, package=None)
    except (OSError, ProcessFailedError) as error:
        sys.exit(f"--before {interpreter}: it cannot import lossbench: {error}")
    if Path((folder / "printed").read_text().strip()).resolve().is_relative_to(ROOT):
        sys.exit(
            f"--before {interpreter}: it imports this lossbench, {ROOT}; give one with the other version installed"
        )
