"""A sweep that nobody disturbs, and its system calls; the command line in forked children, a folder for each case."""

from __future__ import annotations

import itertools
import shutil
import time

import pytest
from disturb import STUDY, finish, study, sweep, train
from run_tables import tables
from trace_calls import calls, tracing


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The tables of the study's sweep, and the seconds that it takes."""
    folder = study(tmp_path_factory.mktemp("undisturbed"))
    began = time.perf_counter()
    finish(sweep(folder))
    return tables(folder / "runs" / "study"), time.perf_counter() - began


@pytest.fixture(scope="session")
def traced(tmp_path_factory):
    """The system calls of a training of the study's first trial that touch its run folder."""
    place = tmp_path_factory.mktemp("traced")
    process = train(study(place / "study", STUDY), before=tracing(place / "trace"))
    return [call for call in calls(process, place / "trace") if "runs" in call.arguments]


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
