"""What the same sweep gives when nobody disturbs it."""

import time

import pytest
from disturb import finish, study, sweep
from run_tables import tables


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The tables of the study's sweep, and the seconds that it takes."""
    folder = study(tmp_path_factory.mktemp("undisturbed"))
    began = time.perf_counter()
    finish(sweep(folder))
    return tables(folder / "runs" / "study"), time.perf_counter() - began
