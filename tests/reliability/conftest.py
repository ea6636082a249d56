"""The command line in forked children, and a folder for each case."""

from __future__ import annotations

import itertools
import shutil

import pytest
from children import Commands


@pytest.fixture(scope="session")
def commands():
    """Run `lossbench ARGUMENTS` in a folder: `commands(*arguments, cwd=folder)`."""
    server = Commands()
    yield server
    server.close()


@pytest.fixture
def fresh(tmp_path):
    """Return a function that makes an empty folder, and takes away the one it made before."""
    numbers = itertools.count()

    def make():
        shutil.rmtree(tmp_path / str(next(numbers) - 1), ignore_errors=True)
        folder = tmp_path / str(next(numbers) - 1)
        folder.mkdir()
        return folder

    return make
