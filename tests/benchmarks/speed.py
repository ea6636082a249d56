"""lossbench against its peers, side by side: `python tests/benchmarks/speed.py run|sweep|speedrun|commands|limit`.

run        the same model, data, batch size and epochs in each framework, in turn: whole runs, steady epochs, memory
sweep      30 runs by one sweep, against Keras scripts one after another
speedrun   configs/speedrun.yaml, against Keras' example of a convnet until 99 % of its test images are right
commands   start-up of the commands, as a multiple of `import typer`
limit      the part of this machine's matrix-product rate that training reaches, with one worker and with two

A peer is a script in `peers/`; its framework comes into an environment of its own, made when it is first needed.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from figures import ROOT, machine, mean_and_deviation, mean_and_interval, measured, quartiles, ratios, say

sys.path.insert(0, str(ROOT))

PEERS = {"keras_fit": None, "keras_tuned": None, "pytorch": "torch==2.13.0", "jax_scan": "jax"}
"""The scripts, and what is installed for each; those of Keras run where lossbench does."""

BATCH = {"mlp": 64, "cnn": 128}


@dataclass(frozen=True)
class Run:
    """One run of one contender: seconds from start to end of its process, and of each epoch; MiB at most; accuracy."""

    wall: float
    epochs: list[float]
    memory: float
    accuracy: float
    version: str

    @property
    def steady(self) -> float:
        """Seconds of an epoch once everything is compiled."""
        return statistics.median(self.epochs[1:])


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("what", choices=("run", "sweep", "speedrun", "commands", "limit"))
    parser.add_argument("--model", choices=BATCH, default="mlp")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--images", type=int, default=55_000, help="training images")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=list(PEERS), help="peers")
    parser.add_argument("--environments", type=Path, default=Path.home() / ".cache" / "lossbench-peers")
    options = parser.parse_args()
    say(f"{machine()}, n = {options.rounds}, `python tests/benchmarks/speed.py {' '.join(sys.argv[1:])}`\n")
    {"run": run, "sweep": sweep, "speedrun": speedrun, "commands": commands, "limit": limit}[options.what](options)


def run(options: argparse.Namespace) -> None:
    """Print a table of all contenders, and how many times as long as lossbench each takes."""
    data = write_data(options.images)
    contenders = {"lossbench": None, **{peer: python(peer, options.environments) for peer in options.only}}
    for absent in [name for name, command in contenders.items() if name in PEERS and command is None]:
        say(f"{absent}: {PEERS[absent]} cannot be installed here\n")
        del contenders[absent]
    runs: dict[str, list[Run]] = {name: [] for name in contenders}
    for seed in range(options.rounds):
        for name, command in contenders.items():
            runs[name].append(lossbench(options, seed) if command is None else peer(name, command, data, options, seed))
            say(f"{seed} {name}: {runs[name][-1]}", file=sys.stderr)
    say("| | whole run, s | × | steady epoch, s | × | MiB | test accuracy |\n| --- " + "| --- " * 6 + "|")
    ours = runs["lossbench"]
    for name, theirs in runs.items():
        cells = []
        for what in ("wall", "steady"):
            values = [getattr(each, what) for each in theirs]
            cells += [quartiles(values), quartiles(ratios(values, [getattr(each, what) for each in ours]))]
        memory = statistics.median(each.memory for each in theirs)
        say(
            f"| {name}, {theirs[0].version} | {' | '.join(cells)} | {memory:.0f} | "
            f"{mean_and_deviation([each.accuracy for each in theirs])} |"
        )


def sweep(options: argparse.Namespace) -> None:
    """Print the time of 30 runs by one sweep, as often as there are rounds, and of 30 Keras scripts between them."""
    data = write_data(options.images)
    keras = python("keras_fit", options.environments)
    sweeps, scripts, ours = [], [], []
    for scripts_of_round in np.array_split(np.arange(30), options.rounds):
        folder = config(options, "sweep: {seeds: 0-29}\n")
        sweeps.append(command(folder, "sweep", "--config", "run.yaml", "--quiet")[0])
        say(f"sweep {sweeps[-1]:.1f} s", file=sys.stderr)
        ours = [outcome(path, 0.0, 0.0).accuracy for path in folder.glob("runs/run/*/run.json")]
        scripts += [peer("keras_fit", keras, data, options, int(seed)) for seed in scripts_of_round]
        say(f"scripts {[round(each.wall, 1) for each in scripts[-len(scripts_of_round) :]]} s", file=sys.stderr)
    theirs = sum(each.wall for each in scripts)
    say(f"sweeps of 30 runs, s: {quartiles(sweeps)}; 30 Keras scripts one after another: {theirs:.0f} s")
    say(f"ratio: {quartiles([theirs / each for each in sweeps])}")
    for name, accuracies in (("lossbench", ours), ("Keras", [each.accuracy for each in scripts])):
        say(f"test accuracy of {name}: {mean_and_interval(accuracies)}")


def speedrun(options: argparse.Namespace) -> None:
    """Print the seconds of the recipe and of Keras' example, in turn, and the recipe's accuracy over 20 seeds."""
    data = write_data(options.images)
    recipe = ROOT / "configs" / "speedrun.yaml"
    ours, theirs = [], []
    for seed in range(options.rounds):
        folder = Path(tempfile.mkdtemp(prefix="lossbench-"))
        ours.append(command(folder, "train", "--config", str(recipe), "--seed", str(seed), "--quiet")[0])
        script = str(Path(__file__).parent / "peers" / "keras_convnet.py")
        with (folder / "keras.json").open("w") as file:
            measured([sys.executable, script, str(data), str(time.time()), str(seed)], folder, stdout=file)
        keras = json.loads((folder / "keras.json").read_text())
        theirs.append(keras["reached"] or math.inf)  # never
        say(f"{seed}: {ours[-1]:.1f} s; Keras {keras}", file=sys.stderr)
    say(f"lossbench train --config configs/speedrun.yaml: {quartiles(ours)} s")
    say(f"Keras' example until 99 %: {quartiles(theirs)} s, ratio {quartiles(ratios(theirs, ours))}")
    folder = Path(tempfile.mkdtemp(prefix="lossbench-"))
    command(folder, "sweep", "--config", str(recipe), "--seeds", "0-19", "--quiet")
    accuracies = [outcome(path, 0.0, 0.0).accuracy for path in folder.glob("runs/*/*/run.json")]
    say(f"test accuracy of the recipe: {mean_and_interval(accuracies)}")


def commands(options: argparse.Namespace) -> None:
    """Print how long commands take to start."""
    started = {
        "import typer": [sys.executable, "-c", "import typer"],
        **{f"lossbench {name}": [sys.executable, "-m", "lossbench", name] for name in ("--help", "losses")},
        "lossbench validate": [sys.executable, "-m", "lossbench", "validate", str(ROOT / "configs" / "focal.yaml")],
    }
    seconds: dict[str, list[float]] = {name: [] for name in started}
    for _ in range(3 * options.rounds):
        for name, arguments in started.items():
            began = time.perf_counter()
            subprocess.run(arguments, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - began)
    for name, taken in seconds.items():
        say(f"| {name} | {quartiles(taken)} | {quartiles(ratios(taken, seconds['import typer']))} |")


def limit(options: argparse.Namespace) -> None:
    """Print the rate of matrix products, and the part of it that one and two runs side by side reach."""
    needed = 2 * products(options.model) * options.images
    for workers in (1, 2):
        shares = []
        for _ in range(options.rounds):
            rate = sum(side_by_side([[sys.executable, str(Path(__file__).with_name("product_rate.py"))]] * workers))
            epochs = [run.steady for run in side_by_side_runs(options, workers)]
            shares.append(sum(needed / each for each in epochs) / rate)
            say(f"{workers}: {rate / 1e9:.1f} GF/s, epochs {epochs}", file=sys.stderr)
        share = quartiles([100 * share for share in shares])
        say(f"{options.model}, {workers} at a time: {share} % of the rate of products")


def products(model: str) -> int:
    """Multiplications of an image in training: forward, for the weights, and for the features but the first layer's."""
    from lossbench.config import resolve
    from lossbench.models.shapes import multiplications

    first = {"mlp": 784 * 256, "cnn": 26 * 26 * 32 * 9}[model]
    return 3 * multiplications(resolve.from_mapping({"model": model}).model, image_shape=(28, 28), classes=10) - first


def side_by_side(started: list[list[str]]) -> list[float]:
    """What processes that run at the same time print."""
    running = [subprocess.Popen(each, stdout=subprocess.PIPE, text=True) for each in started]
    return [float(process.communicate()[0]) for process in running]


def side_by_side_runs(options: argparse.Namespace, workers: int) -> list[Run]:
    """Runs of one thread each at the same time; the epochs that all of them were training count."""
    folder = config(options, f"sweep: {{seeds: 0-{workers - 1}}}\n", "threads: 1, ")
    command(folder, "sweep", "--config", "run.yaml", "--quiet", "--jobs", str(workers))
    return [outcome(path, 0.0, 0.0) for path in folder.glob("runs/run/*/run.json")]


def lossbench(options: argparse.Namespace, seed: int) -> Run:
    """One `lossbench train`."""
    folder = config(options, f"seed: {seed}\n")
    wall, memory = command(folder, "train", "--config", "run.yaml", "--quiet")
    (path,) = folder.glob("runs/run/*/run.json")
    return outcome(path, wall, memory)


def outcome(path: Path, wall: float, memory: float) -> Run:
    """A finished run of lossbench."""
    import pandas as pd

    summary = json.loads(path.read_text())
    epochs = pd.read_csv(path.with_name("metrics.csv"))["seconds"].tolist()
    return Run(wall, epochs, memory, summary["metrics"]["test.last.accuracy"], version("lossbench"))


def config(options: argparse.Namespace, more: str, train: str = "") -> Path:
    """A new folder with a `run.yaml`."""
    folder = Path(tempfile.mkdtemp(prefix="lossbench-"))
    size = f"data: {{train_size: {options.images}}}\n" if options.images < 55_000 else ""
    text = f"model: {options.model}\ntrain: {{{train}epochs: {options.epochs}, batch_size: {BATCH[options.model]}}}\n"
    (folder / "run.yaml").write_text(text + size + more)
    return folder


def command(folder: Path, *arguments: str) -> tuple[float, float]:
    """Run lossbench in a folder; seconds, and MiB at most."""
    return measured([sys.executable, "-m", "lossbench", *arguments], folder)


def peer(name: str, interpreter: str, data: Path, options: argparse.Namespace, seed: int) -> Run:
    """Run a peer's script."""
    numbers = [str(each) for each in (options.epochs, BATCH[options.model], seed)]
    script = Path(__file__).parent / "peers" / f"{name}.py"
    written = data.with_name(f"{name}.json")
    with written.open("w") as file:
        arguments = [interpreter, str(script), str(data), options.model, *numbers]
        wall, memory = measured(arguments, data.parent, stdout=file)
    return Run(wall, memory=memory, **json.loads(written.read_text()))


def python(name: str, environments: Path) -> str | None:
    """The interpreter of a peer's environment, made if it is not there; None if it cannot be made."""
    if (package := PEERS[name]) is None:
        return sys.executable
    environment = environments / package.partition("=")[0]
    interpreter = environment / "bin" / "python"
    if not interpreter.exists():
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        install = [interpreter, "-m", "pip", "install", "--quiet", package, "numpy"]
        if subprocess.run(install, check=False).returncode:
            shutil.rmtree(environment)
            return None
    return str(interpreter)


def write_data(images: int) -> Path:
    """The images and labels of lossbench's own split, for the peers."""
    from lossbench.config import resolve
    from lossbench.data import prepare

    size = {"train_size": images} if images < 55_000 else {}
    dataset = prepare(resolve.from_mapping({"data": size}))
    arrays: dict[str, Any] = {"mean": dataset.mean, "std": dataset.std}
    for part in ("train", "validation", "test"):
        split = getattr(dataset, part)
        arrays |= {f"{part}_images": split.images, f"{part}_labels": split.labels}
    path = Path(tempfile.mkdtemp(prefix="lossbench-")) / "data.npz"
    np.savez(path, **arrays)
    return path


if __name__ == "__main__":
    main()
