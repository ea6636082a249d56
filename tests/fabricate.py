"""Run folders as training writes them, from made-up predictions: a fixture that several areas use."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from lossbench import files, metrics, softmax
from lossbench.runs import paths, write

if TYPE_CHECKING:
    from pathlib import Path

CONFIG: dict[str, Any] = {
    "name": "study",
    "seed": 0,
    "loss": {"name": "focal", "gamma": 2.0, "alpha": 1.0},
    "data": {
        "name": "mnist",
        "path": None,
        "classes": None,
        "train_size": None,
        "validation_size": 5000,
        "normalize": "unit",
        "label_noise": None,
        "imbalance": None,
    },
    "model": {"name": "mlp", "hidden": [256], "dropout": 0.2, "head": {"name": "linear"}, "initializer": None},
    "optimizer": {"name": "adam", "learning_rate": 0.001, "schedule": {"name": "constant"}, "weight_decay": 0.0},
    "regularization": {"l1": 0.0, "l2": 0.0, "include_bias": False},
    "train": {"epochs": 5, "batch_size": 64, "precision": "float32", "early_stopping": None, "threads": None},
    "log": {"tensorboard": False},
}


def predictions(seed: int, strength: float, images: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Log-probabilities of a classifier that is the better the stronger it is, and the labels."""
    labels = np.random.default_rng(seed).integers(0, classes, images)
    logits = (
        np.random.default_rng([seed, int(strength * 1000)]).normal(size=(images, classes))
        + strength * np.eye(classes)[labels]
    )
    return softmax.log_softmax(logits), labels


def scaled(
    tested: dict[str, tuple[np.ndarray, np.ndarray]], log_probabilities: np.ndarray, labels: np.ndarray
) -> dict[str, float]:
    """The metrics at the temperature of these validation images."""
    temperature = softmax.temperature(log_probabilities, labels)
    measured = {f"val.{at}.temperature": temperature for at in tested}
    for at, predicted in tested.items():
        values = metrics.evaluate(softmax.log_softmax(predicted[0] / temperature), predicted[1], metrics.SCALED)
        measured |= {f"test.{at}.{name}": value for name, value in values.items()}
    return measured


def with_keys(config: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy of a configuration with dotted keys set."""
    changed: dict[str, Any] = json.loads(json.dumps(config))
    for key, value in changes.items():
        *parents, last = key.split(".")
        place = changed
        for parent in parents:
            place = place[parent]
        place[last] = value
    return changed


def write_run(  # noqa: PLR0913 - a test names what it needs
    runs_dir: Path,
    label: str = "focal",
    seed: int = 0,
    *,
    status: str = "completed",
    strength: float = 5.0,
    config: dict[str, Any] | None = None,
    validation: bool = True,
    images: int = 500,
    classes: int = 10,
    epochs: int = 5,
    **summary: Any,
) -> Path:
    """Write one run folder and return it; `config` sets dotted keys, further arguments set keys of `run.json`."""
    settings = with_keys(CONFIG, {"seed": seed, "loss": {"name": label}, **(config or {})})
    identity = hashlib.sha256(json.dumps([label, settings | {"seed": None}]).encode()).hexdigest()
    slug = "".join(character if character.isalnum() else "_" for character in label)[:40]
    folder = paths.run_folder(runs_dir, "study", f"{slug}-s{seed}-{identity[:12]}")
    files.make_folder(folder)
    files.write_text(folder / paths.CONFIG, yaml.safe_dump(settings, sort_keys=False))
    for epoch in range(epochs if status == "completed" else 2):
        accuracy = 0.97 - 0.3 / (epoch + 1) ** 2
        row = {"epoch": epoch, "accuracy": accuracy, "loss": 0.5 / (epoch + 1), "learning_rate": 0.001, "seconds": 1.1}
        write.append_epoch(
            folder / paths.METRICS, row | ({"val_accuracy": accuracy, "val_nll": 0.1} if validation else {})
        )
    ats = ("last", "best") if validation else ("last",)
    measured: dict[str, float] = {}
    if status == "completed":
        tested = {at: predictions(seed, strength + (at == "best") / 100, images, classes) for at in ats}
        measured = {f"test.{at}.{name}": value for at in ats for name, value in metrics.evaluate(*tested[at]).items()}
        if validation:
            measured |= scaled(tested, *predictions(seed + 1000, strength, images, classes))
        counts = {at: metrics.confusion(logs.argmax(axis=1), labels, classes) for at, (logs, labels) in tested.items()}
        write.confusion(folder / paths.CONFUSION, counts)
        write.per_class(folder / paths.PER_CLASS, {at: metrics.per_class(table) for at, table in counts.items()})
        write.predictions(folder / paths.PREDICTIONS, tested["last"][1], {at: logs for at, (logs, _) in tested.items()})
    write.summary(
        folder / paths.RUN,
        {
            "schema_version": 1,
            "name": "study",
            "status": status,
            "reason": None if status == "completed" else "the loss became NaN in epoch 3",
            "seed": seed,
            "loss": label,
            "link": "softmax",
            "started": "2031-05-06T07:08:09+00:00",
            "finished": "2031-05-06T07:08:20+00:00",
            "argv": ["lossbench", "train"],
            "versions": {
                "lossbench": "0.1.0",
                "python": "3.11.9",
                "tensorflow": "2.21.0",
                "keras": "3.14",
                "numpy": "2",
            },
            "device": {"kind": "cpu", "name": "CPU"},
            "threads": 1,
            "precision": "float32",
            "lossbench_commit": "fedcba987654",
            "git": {"commit": "0123456789abcdef", "dirty": False},
            "hashes": {"identity": identity, "data": "d" * 64, "plugin": None},
            "plugin": None,
            "parameters": 203530,
            "class_counts": [5500] * classes,
            "transition_matrix": None,
            "seconds": {"startup": 3.4, "data": 0.3, "train": 6.1, "total": 11.0},
            "epochs": epochs,
            "best_epoch": 3 if validation else None,
            "metrics": measured,
        }
        | summary,
    )
    return folder


_WRITTEN: dict[str, tuple[Path, dict[str, bytes]]] = {}
"""By arguments: the path of a run folder below the folder of the runs, and its files."""


def fabricate(runs_dir: Path, label: str = "focal", seed: int = 0, **options: Any) -> Path:
    """Write one run folder as `write_run` does and return it; with arguments seen before, write the same files."""
    key = json.dumps([label, seed, options], default=lambda value: value.tolist())
    below, contents = _WRITTEN.get(key, (None, {}))
    if below is None or (runs_dir / below).exists():
        folder = write_run(runs_dir, label, seed, **options)
        if below is None:
            contents = {file.name: file.read_bytes() for file in folder.iterdir()}
            _WRITTEN[key] = folder.relative_to(runs_dir), contents
        return folder
    folder = runs_dir / below
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def row(loss: str = "focal", seed: int = 0, accuracy: float | None = 0.9, **others: Any) -> dict[str, Any]:
    """A run as a hand-written row; dots of further keys are written as `__`."""
    usual = {
        "folder": f"{loss}-{seed}-{accuracy}", "status": "completed" if accuracy is not None else "diverged",
        "seed": seed, "loss": loss, "loss.name": loss.split(maxsplit=1)[0],
        "link": "softmax", "identity": f"{loss}{others}",
        "settings": loss, "lossbench": "0.1.0", "model.name": "mlp", "data.name": "mnist", "train.epochs": 5,
        "test.last.nll": 0.1, "test.last.brier": 0.1, "test.last.ece": 0.1,
    }  # fmt: skip
    given = {key.replace("__", "."): value for key, value in others.items()}
    return usual | {"test.last.accuracy": accuracy} | given
