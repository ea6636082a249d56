"""Small trials on real MNIST, and the command line in processes of its own."""

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from children import Commands, without_syncing
from fabricate import fabricate as fabricate_run

from lossbench.config import resolve
from lossbench.data import fileset, prepare

ROOT = Path(__file__).parents[1]
without_syncing()


@pytest.fixture
def small():
    """A configuration that trains in about a second: 2,000 images, 2 epochs."""
    return {
        "name": "small",
        "loss": "categorical_crossentropy",
        "data": {"train_size": 2000, "validation_size": 500},
        "train": {"epochs": 2, "threads": 1},
    }


@pytest.fixture(scope="session")
def few_images(tmp_path_factory):
    """A `data` section of few images of MNIST, 200 of them for testing: for networks to which 10,000 take long."""
    folder = tmp_path_factory.mktemp("few_images")
    mnist = prepare(resolve.from_mapping({}))
    arrays = (mnist.train.images[:2000], mnist.train.labels[:2000], mnist.test.images[:200], mnist.test.labels[:200])
    for name, array in zip(fileset.FILES, arrays, strict=True):
        header = struct.pack(f">{1 + array.ndim}I", 0x800 + array.ndim, *array.shape)
        (folder / name).write_bytes(header + array.tobytes())
    return {"name": "idx", "path": str(folder), "train_size": 500, "validation_size": 100}


@pytest.fixture(scope="session")
def commands():
    """Run `lossbench ARGUMENTS` in a folder, but never TensorFlow: `commands(*arguments, cwd=folder)`."""
    server = Commands()
    yield server
    server.close()


@pytest.fixture(scope="session")
def trainings():
    """Run `lossbench ARGUMENTS` in a folder, training included: `trainings(*arguments, cwd=folder)`."""
    server = Commands(training=True)
    yield server
    server.close()


@pytest.fixture
def lossbench(tmp_path, request):
    """Run `lossbench ARGUMENTS` in an empty folder and return the finished process.

    The process is a fork of one that has imported TensorFlow already, which makes it three times as fast.
    `new_process` is for tests of the start itself: what is imported, from where, and what that prints.
    """

    def run(*arguments, cwd=tmp_path, check=None, **environment):
        server = request.getfixturevalue("trainings")
        home = {"HOME": os.environ["HOME"]} if "HOME" in os.environ else {}
        done = server(*arguments, cwd=cwd, **home, **environment)
        return _checked(subprocess.CompletedProcess(arguments, done.code, done.out, done.err), check)

    return run


@pytest.fixture
def new_process(tmp_path):
    """Run `python -m lossbench ARGUMENTS` in an empty folder and return the finished process."""

    def run(*arguments, cwd=tmp_path, check=None, **environment):
        command = [sys.executable, "-m", "lossbench", *map(str, arguments)]
        env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "NO_COLOR": "1", **environment}
        pipes = {"capture_output": True, "text": True, "timeout": 300}
        return _checked(subprocess.run(command, cwd=cwd, env=env, check=False, **pipes), check)

    return run


def _checked(done, code):
    assert code in {None, done.returncode}, done.stderr
    return done


@pytest.fixture(scope="session")
def fabricate():
    """Write a run folder as training writes it: `fabricate(runs_dir, label, seed, ...)`."""
    return fabricate_run
