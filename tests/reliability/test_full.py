"""A disk that is full, a folder that cannot be written: one line, exit 1, and nothing that was there is lost."""

import os
import shutil
import subprocess
from contextlib import contextmanager

import pytest
from disturb import (
    STUDY,
    compare,
    complete,
    failing,
    finish,
    needs_strace,
    no_half_row,
    spread,
    study,
    sweep,
    train,
    train_on,
    tries,
)

FIRST = "categorical_crossentropy-s0-"
SIZES = [16, 32, 64, 96, 128, 192, 256, 384, 512, 1024, 2048, 4096]
"""KiB of small disks: each is full at another file; on the last ones a run fits, and a sweep of four does not."""


@contextmanager
def disk(folder, kib):
    """A file system of so many KiB at a folder; without the right to mount one, the test is skipped."""
    folder.mkdir()
    mount = shutil.which("mount")
    made = mount and subprocess.run([mount, "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", folder], check=False)
    if not made or made.returncode:
        pytest.skip("a file system cannot be mounted here")
    try:
        yield lambda more: subprocess.run([mount, "-o", f"remount,size={more}k", folder], check=True)
    finally:
        subprocess.run([shutil.which("umount"), folder], check=True)


def one_line(said):
    """See that what was said is one line that says that there is no space, and where."""
    assert len(said.splitlines()) == 1, said
    assert said.startswith("error: ")
    assert "No space left on device" in said
    assert "runs/" in said


@pytest.mark.slow
@pytest.mark.parametrize("kib", SIZES[::4] if len(tries(4)) <= 4 else SIZES[:-2])
def test_a_run_on_a_full_disk_is_one_line_and_continues_once_there_is_space(kib, undisturbed, commands, tmp_path):
    """Whatever file it was that no longer fitted."""
    expected = {name: table for name, table in undisturbed[0].items() if FIRST in name}
    with disk(tmp_path / "disk", 4096) as grow:
        folder = study(tmp_path / "disk" / "study", STUDY)
        (used,) = {sum(path.stat().st_size > 0 for path in folder.rglob("*") if path.is_file())}
        grow(kib + 4 * used + 4)
        one_line(finish(train(folder), code=1))
        no_half_row(folder)
        compare(commands, folder)
        grow(16384)
        finish(train(folder))
        complete(folder, expected)


@pytest.mark.slow
@pytest.mark.parametrize("kib", [1024, 2048] if len(tries(2)) <= 2 else SIZES[4:-1])
def test_a_sweep_on_a_full_disk_keeps_its_finished_runs(kib, undisturbed, commands, tmp_path):
    """They are what they were; the same command ends with the tables of an undisturbed sweep."""
    with disk(tmp_path / "disk", kib) as grow:
        folder = study(tmp_path / "disk" / "study")
        one_line(finish(sweep(folder), code=1))
        no_half_row(folder)
        compare(commands, folder)
        done = [path.parent for path in folder.glob("runs/study/*/run.json") if '"completed"' in path.read_text()]
        kept = {run: (run / "run.json").read_bytes() for run in done}
        grow(65536)
        finish(sweep(folder))
        assert kept == {run: (run / "run.json").read_bytes() for run in done}
        complete(folder, undisturbed[0])


@pytest.mark.slow
@needs_strace
@pytest.mark.parametrize(
    ("call", "error"), [("write", "ENOSPC"), ("fsync", "EIO"), ("rename", "EACCES"), ("mkdir", "EROFS")]
)
def test_a_system_call_that_fails_is_one_line_and_the_run_continues(
    call, error, traced, undisturbed, commands, tmp_path
):
    """Each call that touches the run folder fails, in turn; by default two of each kind, spread over the run."""
    expected = {name: table for name, table in undisturbed[0].items() if FIRST in name}
    ordinals = spread([each.ordinal for each in traced if each.name == call], 2)
    folders = [study(tmp_path / str(ordinal), STUDY) for ordinal in ordinals]
    for ordinal, folder in zip(ordinals, folders, strict=True):
        said = finish(train(folder, before=failing(call, ordinal, f"error={error}")), code=1)
        assert len(said.splitlines()) == 1, said
        assert said.startswith("error: runs")
        no_half_row(folder)
        compare(commands, folder)
    train_on(folders)
    for folder in folders:
        complete(folder, expected)


@pytest.mark.parametrize("where", [pytest.param("runs", marks=pytest.mark.slow), "runs/study", "runs/study/.locks"])
@pytest.mark.slow
def test_a_file_where_a_folder_should_be_is_one_line(where, lossbench, tmp_path):
    """It names the file and leaves it as it is."""
    (tmp_path / "study.yaml").write_text(STUDY)
    file = tmp_path / where
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("mine")
    for command in ("train", "sweep"):
        done = lossbench(command, "--config", "study.yaml", "--quiet")
        assert done.returncode == 1, done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert where in done.stderr
        assert file.read_text() == "mine"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("where", ["runs", "runs/study"])
def test_a_folder_without_permission_is_one_line(where, lossbench, tmp_path):
    """It names the folder."""
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / where).mkdir(parents=True)
    (tmp_path / where).chmod(0o500)
    done = lossbench("train", "--config", "study.yaml", "--quiet")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert where in done.stderr


def test_a_name_that_is_too_long_for_the_file_system_is_one_line(lossbench, tmp_path):
    """A path that no file system takes."""
    (tmp_path / "study.yaml").write_text(STUDY)
    done = lossbench("train", "--config", "study.yaml", "--quiet", "--runs-dir", "r" * 300)
    assert done.returncode == 1
    assert "File name too long" in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_a_report_that_does_not_fit_leaves_the_old_one(fabricate, lossbench, tmp_path):
    """`compare --output` and `report -o` on a full disk: one line, exit 1, the old file as it was."""
    fabricate(tmp_path / "runs", "focal")
    with disk(tmp_path / "disk", 8):
        old = tmp_path / "disk" / "old"
        old.write_text("old")
        for command in (["compare", "runs", "--format", "json", "--output", old], ["report", "runs", "-o", old]):
            (tmp_path / "disk" / "filler").write_bytes(bytes(4096))
            done = lossbench(*command)
            assert done.returncode == 1, done.stderr
            assert "No space left on device" in done.stderr
            assert "Traceback" not in done.stderr
            assert old.read_text() == "old"
