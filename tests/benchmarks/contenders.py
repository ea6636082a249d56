"""The programs that `speed.py` compares: lossbench, and the scripts in `peers/` that train the same models.

A peer runs in the current interpreter if its framework is installed there, else in an environment of its own, which is
created when it is first needed.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from figures import ROOT, measured

sys.path.insert(0, str(ROOT))

BATCH = {"mlp": 64, "cnn": 128, "cnn_bn": 128, "lenet5": 32}
"""The models and their batch sizes."""

ALL_IMAGES = 55_000
FOLDER = Path(__file__).parent


class Peer(NamedTuple):
    """What a peer's script needs: a module, how pip installs it, and the models that the script has."""

    module: str
    package: str
    models: tuple[str, ...] = tuple(BATCH)


PEERS = {
    "keras_fit": Peer("keras", "keras"),
    "keras_tuned": Peer("keras", "keras"),
    "keras_jit": Peer("keras", "keras"),
    "pytorch": Peer("torch", "torch==2.13.0"),
    "pytorch_compile": Peer("torch", "torch==2.13.0"),
    "jax_scan": Peer("jax", "jax==0.10.2", ("mlp", "cnn")),
    "jax_loop": Peer("jax", "jax==0.10.2", ("mlp", "cnn")),
}


@dataclass(frozen=True)
class Size:
    """The model, number of training images and number of epochs that all contenders train."""

    model: str = "mlp"
    images: int = ALL_IMAGES
    epochs: int = 5

    @property
    def batch(self) -> int:
        """Images per batch."""
        return BATCH[self.model]


@dataclass(frozen=True)
class Run:
    """One run of one contender.

    Attributes:
        wall: Seconds from the start to the end of its process.
        epochs: Seconds of each epoch.
        memory: Largest resident memory in MiB.
        accuracy: Test accuracy in [0, 1].
        version: Name and version of the framework.
    """

    wall: float
    epochs: list[float]
    memory: float
    accuracy: float
    version: str

    @property
    def steady(self) -> float:
        """Seconds of an epoch after the first, which compiles: the median of the run."""
        return statistics.median(self.epochs[1:])


def lossbench(size: Size, seed: int) -> Run:
    """Run `lossbench train` once."""
    folder = config(size, f"seed: {seed}\n")
    wall, memory = command(folder, "train", "--config", "run.yaml", "--quiet")
    (run,) = runs(folder, wall, memory)
    return run


def command(folder: Path, *arguments: str, interpreter: str | None = None) -> tuple[float, float]:
    """Run a command of lossbench in a folder; return seconds and MiB.

    Args:
        folder: The working directory.
        arguments: The command and its arguments.
        interpreter: A Python with another lossbench; None: this Python and this lossbench.
    """
    started = [interpreter or sys.executable, "-m", "lossbench", *arguments]
    return measured(started, folder, package=None if interpreter else ROOT)


def config(size: Size, more: str = "", train: str = "") -> Path:
    """Return a new folder with a `run.yaml`, to which `more` is added, and to its section `train`, `train`."""
    folder = Path(tempfile.mkdtemp(prefix="run-"))
    fewer = f"data: {{train_size: {size.images}}}\n" if size.images < ALL_IMAGES else ""
    training = f"{train}epochs: {size.epochs}, batch_size: {size.batch}"
    (folder / "run.yaml").write_text(f"model: {size.model}\ntrain: {{{training}}}\n{fewer}{more}")
    return folder


def runs(folder: Path, wall: float = 0.0, memory: float = 0.0) -> list[Run]:
    """Read the finished runs of lossbench in a folder."""
    import pandas as pd

    found = []
    for path in sorted(folder.glob("runs/*/*/run.json")):
        summary = json.loads(path.read_text())
        epochs = pd.read_csv(path.with_name("metrics.csv"))["seconds"].tolist()
        found.append(
            Run(wall, epochs, memory, summary["metrics"]["test.last.accuracy"], summary["versions"]["lossbench"])
        )
    return found


def peer(name: str, interpreter: str, data: Path, size: Size, seed: int) -> Run:
    """Run a peer's script."""
    numbers = [str(each) for each in (size.epochs, size.batch, seed)]
    return script(FOLDER / "peers" / f"{name}.py", interpreter, str(data), size.model, *numbers)


def script(path: Path, interpreter: str, *arguments: str) -> Run:
    """Run a script that prints the epochs, accuracy and version of a run as JSON."""
    folder = Path(tempfile.mkdtemp(prefix="script-"))
    printed = folder / "printed.json"
    with printed.open("w") as file:
        wall, memory = measured([interpreter, str(path), *arguments], folder, stdout=file)
    return Run(wall, memory=memory, **json.loads(printed.read_text()))


def python(name: str, environments: Path) -> str | None:
    """Return the interpreter of a peer, created if necessary; None if its framework cannot be installed."""
    if find_spec(PEERS[name].module):
        return sys.executable
    package = PEERS[name].package
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
    """Write images and labels of lossbench's own split for the peers."""
    from lossbench.config import resolve
    from lossbench.data import prepare

    dataset = prepare(resolve.from_mapping({"data": {"train_size": images} if images < ALL_IMAGES else {}}))
    arrays: dict[str, Any] = {"mean": dataset.mean, "std": dataset.std}
    for part in ("train", "validation", "test"):
        split = getattr(dataset, part)
        arrays |= {f"{part}_images": split.images, f"{part}_labels": split.labels}
    path = Path(tempfile.mkdtemp(prefix="data-")) / "data.npz"
    np.savez(path, **arrays)
    return path
