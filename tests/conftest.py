"""Small trials on real MNIST, and the command line as a real process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fabricate import fabricate as fabricate_run

ROOT = Path(__file__).parents[1]


@pytest.fixture
def small():
    """A configuration that trains in about a second: 2,000 images, 2 epochs."""
    return {
        "name": "small",
        "loss": "categorical_crossentropy",
        "data": {"train_size": 2000, "validation_size": 500},
        "train": {"epochs": 2, "threads": 1},
    }


@pytest.fixture
def lossbench(tmp_path):
    """Run `lossbench ARGUMENTS` in an empty folder and return the finished process."""

    def run(*arguments, cwd=tmp_path, check=None, **environment):
        command = [sys.executable, "-m", "lossbench", *map(str, arguments)]
        env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "NO_COLOR": "1", **environment}
        done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=300, check=False)
        if check is not None:
            assert done.returncode == check, done.stderr
        return done

    return run


@pytest.fixture(scope="session")
def fabricate():
    """Write a run folder as training writes it: `fabricate(runs_dir, label, seed, ...)`."""
    return fabricate_run
