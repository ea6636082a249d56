"""A folder in which every command of the guide finds its files."""

from __future__ import annotations

import itertools
import json
import shutil

import numpy as np
import pytest
from documents import ROOT, blocks

from lossbench.config import identity, resolve
from lossbench.config.datasets import DATASETS
from lossbench.runs import paths, write
from lossbench.softmax import log_softmax


@pytest.fixture(scope="session")
def example_runs(tmp_path_factory, fabricate):
    """Run folders like those that the examples train: losses, seeds, label noise, learning rates."""
    runs = tmp_path_factory.mktemp("examples") / "runs"
    small = {"images": 200, "epochs": 2}
    losses = {"categorical_crossentropy": 5.0, "focal": 5.1, "generalized_crossentropy": 5.2}
    for seed in range(6):
        for loss, strength in losses.items():
            for rate in (0.2, 0.4):
                config = {"data.label_noise": {"type": "symmetric", "rate": rate}}
                fabricate(runs / "first", loss, seed, strength=strength - 5 * rate, config=config, **small)
    for loss in losses:
        for learning_rate in (0.001, 0.01):
            config = {"data.label_noise": {"type": "symmetric", "rate": 0.2}, "optimizer.learning_rate": learning_rate}
            fabricate(runs / "second", loss, config=config, **small)
    for name in ("focal", "study/A", "study/B", "cross_entropy/A", "sweep/A", "tuned/A", "ci/A", "ci/B", "plane/A"):
        (runs / name).parent.mkdir(exist_ok=True)
        loss = "categorical_crossentropy" if name == "ci/B" else "focal"
        shutil.move(fabricate(runs / "third", loss, seed=len(name), **small), runs / name)
    trained = identity.trial(resolve.load(runs / "focal" / paths.CONFIG), data_sha256=DATASETS["mnist"].sha256)
    change(runs / "focal", "hashes", {"identity": trained.identity, "data": trained.data_sha256})
    plane = {"features": np.random.default_rng(0).normal(size=(200, 2)), "box": np.array([-9, 9, -9, 9])}
    write.arrays(runs / "plane" / "A" / paths.FEATURES, plane | {"regions": np.zeros((4, 4), np.uint8)})
    labels = np.random.default_rng(0).integers(0, 10, 200)
    for number, run in enumerate(sorted(runs.rglob(paths.RUN))):
        change(run.parent, "metrics", {"val.last.accuracy": 0.9, "val.best.accuracy": 0.9})
        scores = np.random.default_rng(number).normal(size=(200, 10)) + 3 * np.eye(10)[labels]
        write.predictions(run.parent / paths.PREDICTIONS, labels, dict.fromkeys(("last", "best"), log_softmax(scores)))
    return runs


def change(run, section, values):
    """Set entries of a section of `run.json`."""
    file = run / paths.RUN
    summary = json.loads(file.read_text())
    summary[section] |= values
    file.write_text(json.dumps(summary))


@pytest.fixture(scope="session")
def example_map(tmp_path_factory, fabricate):
    """Run folders of three losses at two noise rates and two sizes, with classes of equal size."""
    runs = tmp_path_factory.mktemp("examples") / "atlas"
    for loss, strength in (("categorical_crossentropy", 5.0), ("focal", 5.1), ("generalized_crossentropy", 5.2)):
        for rate, size, seed in itertools.product((0.2, 0.4), (2000, 10000), (0, 1)):
            imbalance = {"type": "step", "ratio": 1}
            noise = {"type": "symmetric", "rate": rate}
            config = {"data.label_noise": noise, "data.imbalance": imbalance, "data.train_size": size}
            fabricate(runs, loss, seed, strength=strength - 5 * rate, config=config, images=200, epochs=1)
    return runs


@pytest.fixture
def workplace(tmp_path, example_runs, example_map):
    """Return a function that fills an empty folder with the example runs, the configurations and a page's files."""

    def fill(file):
        shutil.copytree(ROOT / "configs", tmp_path / "configs")
        shutil.copytree(example_runs, tmp_path / "runs")
        shutil.copytree(example_runs, tmp_path / "someone-elses-runs")
        if "runs/atlas" in file.read_text():
            shutil.copytree(example_map, tmp_path / "runs" / "atlas")
        (tmp_path / "someone-elses.yaml").write_text("loss: focal\n")
        for block in blocks(file, "yaml", "python"):
            if block.file and not block.file.startswith("."):
                (tmp_path / block.file).write_text(block.text)
        return tmp_path

    return fill
