"""Nothing is written, and nothing read, through a link in a runs folder; the runs folder itself may be one."""

import os

import pytest

from lossbench import files
from lossbench.config import resolve
from lossbench.errors import MachineError, UsageError
from lossbench.runs import lock, read, replace, write
from lossbench.sweep.journal import Journal
from lossbench.training import identify, run_folder, train

CONFIG = {"name": "study", "loss": "focal", "data": {"train_size": 200, "validation_size": 50}, "train": {"epochs": 1}}


@pytest.fixture
def outside(tmp_path):
    """A folder with a file, both somebody else's."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious").write_text("untouched\n")
    return tmp_path / "outside"


@pytest.fixture
def run(tmp_path):
    """Where a run goes; its folder is not there yet."""
    return tmp_path / "runs" / "study" / "focal-s0-0123456789ab"


def untouched(outside):
    return {path.name: path.read_text() for path in outside.iterdir()} == {"precious": "untouched\n"}


FOLDERS = {
    "the run's name": lambda run: run.parent,
    "the run": lambda run: run,
    "the locks": lambda run: lock.lock_file(run).parent,
    "the checkpoint": lambda run: run / "checkpoint",
    "TensorBoard's events": lambda run: run / "tb" / "train",
    "the new run": replace.rerun_folder,
    "the old run": lambda run: run.with_name(f".old-{run.name}"),
}
FILES = {
    "the lock": lock.lock_file,
    **{name: lambda run, name=name: run / name for name in ("log.txt", "metrics.csv", "run.json", "config.yaml")},
    "the state": lambda run: run / "checkpoint" / "state.npz",
    "a file of the new run": lambda run: replace.rerun_folder(run) / "log.txt",
}
LINKS = {**{name: (where, ".") for name, where in FOLDERS.items()}, **{n: (w, "precious") for n, w in FILES.items()}}


@pytest.mark.parametrize(("where", "target"), LINKS.values(), ids=LINKS)
def test_a_run_with_a_link_in_it_is_not_claimed(run, outside, where, target):
    """One sentence names the link and says what to do; what it leads to stays as it was."""
    link = where(run)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside / target)
    with pytest.raises(UsageError, match=r"expected a file or a folder, got a link; .* remove it") as caught:
        lock.claim(run).__enter__()
    assert str(caught.value).startswith(f"{link}: ")
    assert untouched(outside)


@pytest.mark.parametrize("where", FILES.values(), ids=FILES)
def test_a_pipe_in_a_run_is_not_waited_for(run, where):
    """Opening one for writing would wait for a reader for ever."""
    where(run).parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(where(run))
    with pytest.raises(UsageError, match="got a pipe or a device"):
        lock.claim(run).__enter__()


def test_a_link_that_leads_nowhere_is_a_link(run, tmp_path):
    """Writing through it would make a file where it points to."""
    run.mkdir(parents=True)
    (run / "log.txt").symlink_to(tmp_path / "new")
    with pytest.raises(UsageError, match="got a link"):
        lock.claim(run).__enter__()
    assert not (tmp_path / "new").exists()


def test_a_relative_runs_folder_is_looked_through_too(run, outside, tmp_path, monkeypatch):
    """As `runs` is, where nothing else is said."""
    (run / "checkpoint").mkdir(parents=True)
    (run / "checkpoint" / "state.npz").symlink_to(outside / "precious")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"state\.npz: expected a file or a folder, got a link"):
        lock.claim(run.relative_to(tmp_path)).__enter__()


def test_the_runs_folder_itself_may_be_a_link(run, tmp_path):
    """Such as to a larger disk."""
    (tmp_path / "disk").mkdir()
    run.parents[1].symlink_to(tmp_path / "disk")
    with lock.claim(run):
        files.write_text(run.parent / "a", "")
    assert {path.name for path in (tmp_path / "disk" / "study").iterdir()} == {".locks", "a"}


def test_training_stops_at_a_link_and_writes_nothing(tmp_path, outside):
    """The claim comes before the first file; nothing is made beside the link either."""
    trial = identify(resolve.from_mapping(CONFIG))
    run = run_folder(trial, tmp_path / "runs")
    run.parent.mkdir(parents=True)
    run.symlink_to(outside)
    with pytest.raises(UsageError, match="got a link"):
        train(trial, runs_dir=tmp_path / "runs")
    assert untouched(outside)
    assert [path.name for path in run.parent.iterdir()] == [run.name]


@pytest.mark.parametrize("append", [write.append_log, lambda path, _: write.append_epoch(path, {"epoch": 0})])
def test_appending_follows_no_link(append, tmp_path, outside):
    """One that is put there after the claim stops the writing too."""
    (tmp_path / "log.txt").symlink_to(outside / "precious")
    with pytest.raises(MachineError, match="is not a regular file"):
        append(tmp_path / "log.txt", "a line")
    assert untouched(outside)


@pytest.mark.parametrize("is_pipe", [True, False], ids=["a pipe", "a folder"])
def test_the_opener_takes_files_only(is_pipe, tmp_path):
    """A pipe does not keep it waiting, in neither direction."""
    path = tmp_path / "there"
    os.mkfifo(path) if is_pipe else path.mkdir()
    for flags in (os.O_RDONLY, os.O_WRONLY):
        with pytest.raises(OSError, match=r"is not a regular file|Is a directory"):
            files.open_regular(str(path), flags)


def test_a_journal_is_kept_through_no_link(tmp_path, outside):
    """Neither through the sweep's folder nor through the file; not even one that comes while it is kept."""
    (tmp_path / "folder").symlink_to(outside)
    (tmp_path / "sweep").mkdir()
    journal = Journal(tmp_path / "sweep")
    (tmp_path / "sweep" / "sweep.jsonl").symlink_to(outside / "precious")
    for folder in ("folder", "sweep"):
        with pytest.raises(UsageError, match="got a link"):
            Journal(tmp_path / folder)
    with pytest.raises(MachineError, match="is not a regular file"):
        journal.add({"event": "end"})
    assert untouched(outside)


@pytest.mark.parametrize("name", ["run.json", "config.yaml", "metrics.csv", "predictions.npz", "confusion.csv"])
def test_no_file_is_read_through_a_link(name, fabricate, tmp_path):
    """Else a folder from elsewhere would bring what is private into a report."""
    run = fabricate(tmp_path / "runs")
    (run / name).rename(tmp_path / "elsewhere")
    (run / name).symlink_to(tmp_path / "elsewhere")
    readers = {"metrics.csv": read.history, "predictions.npz": read.predictions, "confusion.csv": read.confusion}
    with pytest.raises(read.BrokenRunError, match=f"{name}: is not a regular file"):
        readers.get(name, read.read)(run)


def test_a_report_shows_no_file_that_a_log_links_to(fabricate, lossbench, tmp_path, outside):
    """The run is shown without it."""
    run = fabricate(tmp_path / "runs")
    (run / "log.txt").symlink_to(outside / "precious")
    lossbench("report", "runs", "-o", "page.html", check=0)
    page = (tmp_path / "page.html").read_text()
    assert "untouched" not in page
    assert "log.txt: is not a regular file" in page


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/full")], ids=["a pipe", "a device"])
def test_an_index_that_is_no_file_is_left_alone(make, fabricate, lossbench, tmp_path):
    """Comparing neither waits for it nor writes to it."""
    fabricate(tmp_path / "runs")
    make(tmp_path / "runs" / ".index.json")
    assert lossbench("compare", "runs", check=0).stderr == ""
    assert not (tmp_path / "runs" / ".index.json").is_file()
