"""How time and memory grow: `python tests/benchmarks/scale.py images|losses|runs`.

images   one epoch of the MLP on 10,000 to 1,000,000 training images, read from IDX files that are made here
losses   a sweep of 1 to all losses, an epoch on 2,000 images each, by one worker
runs     `compare` over 100 to 10,000 run folders, cold and with its index
"""

from __future__ import annotations

import json
import shutil
import struct
import sys
import tempfile
from pathlib import Path

import numpy as np
from figures import machine, measured, say
from many_runs import fill

IMAGES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
LOSSES = (1, 4, 16, 64)
RUNS = (100, 1_000, 10_000)
VALIDATION = 5_000


def main() -> None:
    """Measure what the command line says."""
    what = sys.argv[1] if len(sys.argv) > 1 else ""
    if what not in CURVES:
        sys.exit(__doc__)
    say(f"{machine()}, n = 1 each, `python tests/benchmarks/scale.py {what}`\n")
    CURVES[what]()


def images() -> None:
    """Print seconds and memory of a run for each number of training images."""
    say(
        "| training images | whole run, s | training, s | µs per image | MiB | of which images, MiB |\n"
        + "| --- " * 6
        + "|"
    )
    for count in IMAGES:
        folder = Path(tempfile.mkdtemp(prefix="lossbench-"))
        write_images(folder / "data", count)
        text = f"data: {{name: idx, path: data, validation_size: {VALIDATION}}}\ntrain: {{epochs: 1, threads: 1}}\n"
        (folder / "run.yaml").write_text(text)
        wall, memory = lossbench(folder, "train", "--config", "run.yaml", "--quiet")
        (path,) = folder.glob("runs/run/*/run.json")
        training = json.loads(path.read_text())["seconds"]["train"]
        size = (count + VALIDATION + 10_000) * 784 / 2**20
        say(f"| {count:,} | {wall:.1f} | {training:.1f} | {1e6 * training / count:.0f} | {memory:.0f} | {size:.0f} |")
        shutil.rmtree(folder)


def losses() -> None:
    """Print seconds and memory of a sweep for each number of losses."""
    from lossbench.losses import registry

    names = [name for name in sorted(registry.signatures()) if suits_the_usual_model(name)]
    say("| losses | sweep, s | s a loss | MiB |\n| --- | --- | --- | --- |")
    for count in (*LOSSES, len(names)):
        folder = Path(tempfile.mkdtemp(prefix="lossbench-"))
        chosen = [names[number] for number in np.linspace(0, len(names) - 1, count).astype(int)]
        small = "data: {train_size: 2000, validation_size: 500}\ntrain: {epochs: 1}\n"
        cases = ", ".join(f"{{loss: {name}}}" for name in chosen)
        (folder / "run.yaml").write_text(f"{small}sweep: {{cases: [{cases}]}}\n")
        wall, memory = lossbench(folder, "sweep", "--config", "run.yaml", "--quiet", "--jobs", "1")
        say(f"| {count} | {wall:.1f} | {wall / count:.2f} | {memory:.0f} |")
        shutil.rmtree(folder)


def suits_the_usual_model(name: str) -> bool:
    """Whether a loss needs no other head than the linear one."""
    from lossbench.config import resolve
    from lossbench.errors import ConfigError

    try:
        resolve.from_mapping({"loss": name})
    except ConfigError:
        return False
    return True


def runs() -> None:
    """Print seconds and memory of `compare` for each number of run folders, without an index and with one."""
    say("| runs | cold, s | MiB | again, s | MiB |\n| --- | --- | --- | --- | --- |")
    for count in RUNS:
        folder = Path(tempfile.mkdtemp(prefix="lossbench-"))
        fill(folder / "runs", count)
        cold, again = (lossbench(folder, "compare", "runs") for _ in range(2))
        say(f"| {count:,} | {cold[0]:.2f} | {cold[1]:.0f} | {again[0]:.2f} | {again[1]:.0f} |")
        shutil.rmtree(folder)


def write_images(folder: Path, count: int) -> None:
    """Four IDX files: MNIST's own images, drawn as often as it takes, and its test set."""
    from lossbench.config import resolve
    from lossbench.data import prepare

    folder.mkdir()
    mnist = prepare(resolve.from_mapping({"data": {"validation_size": 0}}))
    chosen = np.random.default_rng(0).integers(0, len(mnist.train.labels), count + VALIDATION)
    parts = {
        "train": (mnist.train.images.reshape(-1, 28, 28)[chosen], mnist.train.labels[chosen]),
        "t10k": (mnist.test.images.reshape(-1, 28, 28), mnist.test.labels),
    }
    for name, (pixels, labels) in parts.items():
        header = struct.pack(">IIII", 0x0803, *pixels.shape)
        (folder / f"{name}-images-idx3-ubyte").write_bytes(header + pixels.astype(np.uint8).tobytes())
        header = struct.pack(">II", 0x0801, len(labels))
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(header + labels.astype(np.uint8).tobytes())


def lossbench(folder: Path, *arguments: str) -> tuple[float, float]:
    """Run lossbench in a folder; seconds, and MiB at most of it or a worker of its."""
    return measured([sys.executable, "-m", "lossbench", *arguments], folder)


CURVES = {"images": images, "losses": losses, "runs": runs}


if __name__ == "__main__":
    main()
