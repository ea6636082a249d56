"""A run trained anew takes the old one's place as a whole, whenever the process ends."""

import pytest

from lossbench.errors import MachineError
from lossbench.runs import replace


@pytest.fixture
def run(tmp_path):
    """A finished run, and beside it the new one."""
    run = tmp_path / "focal-s0-0123456789ab"
    for folder, content in ((run, "old"), (replace.rerun_folder(run), "new")):
        folder.mkdir()
        (folder / "run.json").write_text(content)
    return run


def names(run):
    return sorted(path.name for path in run.parent.iterdir())


def test_an_exchange_leaves_the_new_run_alone_in_its_place(run):
    """The old one is gone, and so is the hidden folder."""
    replace.promote(run)
    assert (run / "run.json").read_text() == "new"
    assert names(run) == [run.name]


def test_an_exchange_that_ended_after_its_first_step_is_finished(run):
    """The old run was moved aside, the new one not yet put in: settling does it, twice is no harm."""
    run.rename(run.with_name(f".old-{run.name}"))
    for _ in range(2):
        replace.recover(run)
        assert (run / "run.json").read_text() == "new"
        assert names(run) == [run.name]


def test_an_exchange_that_ended_after_its_second_step_is_tidied(run):
    """Both are in place; only the old one is still to be removed."""
    run.rename(run.with_name(f".old-{run.name}"))
    replace.rerun_folder(run).rename(run)
    replace.recover(run)
    assert (run / "run.json").read_text() == "new"
    assert names(run) == [run.name]


def test_an_old_run_without_a_new_one_goes_back_to_its_place(run):
    """The user has deleted the new one: what is left is the old, which must not bar the way."""
    run.rename(run.with_name(f".old-{run.name}"))
    (replace.rerun_folder(run) / "run.json").unlink()
    replace.rerun_folder(run).rmdir()
    replace.recover(run)
    assert (run / "run.json").read_text() == "old"
    assert names(run) == [run.name]


def test_settling_leaves_an_unfinished_rerun_alone(run):
    """It goes on from its checkpoint the next time."""
    replace.recover(run)
    assert names(run) == [replace.rerun_folder(run).name, run.name]
    assert (run / "run.json").read_text() == "old"


def test_a_place_without_a_run_is_taken(run):
    """Nothing was there before."""
    (run / "run.json").unlink()
    run.rmdir()
    replace.promote(run)
    assert (run / "run.json").read_text() == "new"


def test_an_exchange_that_cannot_be_made_is_a_machine_error(run):
    """The new run is missing; the message names the run."""
    (replace.rerun_folder(run) / "run.json").unlink()
    replace.rerun_folder(run).rmdir()
    with pytest.raises(MachineError, match=run.name):
        replace.promote(run)
