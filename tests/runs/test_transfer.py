"""A run folder carried as bytes."""

import pytest

from lossbench.errors import LossbenchError
from lossbench.runs import transfer


def test_a_run_folder_arrives_as_it_was(fabricate, tmp_path):
    """Every file, folders in it too, and nothing beside it."""
    run = fabricate(tmp_path / "here")
    (run / "checkpoint").mkdir()
    (run / "checkpoint" / "state.npz").write_bytes(b"\0\1")
    (run / ".hidden").write_text("half written")
    files = transfer.read_files(run)
    there = tmp_path / "there" / "study" / run.name
    transfer.write_files(there, files)
    assert transfer.read_files(there) == files
    assert files["checkpoint/state.npz"] == b"\0\1"
    assert ".hidden" not in files
    assert [path.name for path in there.parent.iterdir()] == [run.name]


def test_it_replaces_what_is_there_as_a_whole(tmp_path):
    """A file that has gone meanwhile, such as a checkpoint, is gone."""
    run = tmp_path / "study" / "focal-s0-abc"
    transfer.write_files(run, {"run.json": b"1", "checkpoint/state.npz": b"2"})
    transfer.write_files(run, {"run.json": b"3"})
    assert transfer.read_files(run) == {"run.json": b"3"}


def test_a_folder_that_is_not_there_is_an_empty_parcel(tmp_path):
    """A trial that has not begun."""
    assert transfer.read_files(tmp_path / "nothing") == {}


@pytest.mark.parametrize("name", ["../run.json", "/etc/x", "a/../b", "", "a//b", "a\n", ".x", "a/b/c/d/e", "-x"])
def test_a_name_that_leads_elsewhere_is_refused_before_anything_is_written(tmp_path, name):
    """Whoever sent it."""
    run = tmp_path / "study" / "focal-s0-abc"
    with pytest.raises(LossbenchError, match="a copied file has the name"):
        transfer.write_files(run, {"run.json": b"1", name: b"2"})
    assert not run.exists()
