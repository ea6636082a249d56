"""Files are replaced as a whole or not at all, and appended to by whole lines."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lossbench import files
from lossbench.errors import MachineError
from lossbench.runs import write

WRITERS = {
    "text": lambda path: files.write_text(path, "new"),
    "json": lambda path: write.summary(path, {"new": 1}),
    "arrays": lambda path: write.arrays(path, {"new": np.zeros(3)}),
    "table": lambda path: write.table(path, ["new"], [{"new": 1}]),
}


def disk_full(*_: Any, **__: Any) -> None:
    """Fail as a full disk does."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: Any, step: str
) -> None:
    """The old content stays, nothing lies beside it, and the error is one line with the path and the reason."""
    path = tmp_path / "file"
    path.write_text("old")
    monkeypatch.setattr(*((os, "fsync") if step == "fsync" else (Path, "replace")), disk_full)
    with pytest.raises(MachineError) as caught:
        writer(path)
    assert str(caught.value) == f"{path}: cannot be written: No space left on device"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    assert path.read_text() == "old"


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
def test_a_missing_folder_is_named(tmp_path: Path, writer: Any) -> None:
    """Writing where there is no folder is a fault of the machine, said in one line."""
    with pytest.raises(MachineError, match=r"absent/file: cannot be written: No such file or directory$"):
        writer(tmp_path / "absent" / "file")


def test_ctrl_c_while_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt between write and rename removes the temporary file and goes on."""

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        files.write_text(tmp_path / "file", "new")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_no_permission_is_named(tmp_path: Path) -> None:
    """A read-only folder is a fault of the machine, said in one line."""
    tmp_path.chmod(0o500)
    with pytest.raises(MachineError, match="Permission denied"):
        files.write_text(tmp_path / "file", "new")


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    """Making a folder below a file names the folder and the reason."""
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match=r"file/run: cannot be written: "):
        files.make_folder(tmp_path / "file" / "run")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    """So does a device such as `/dev/null`, which a file put in its place would destroy for everyone."""
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    files.write_text(tmp_path / "pipe", "text")
    assert os.read(reader, 10) == b"text"
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_text_is_appended_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed fsync takes the new text away again; what others wrote before it stays."""
    path = tmp_path / "log"
    files.append(path, "a\n")
    monkeypatch.setattr(os, "fsync", disk_full)
    with pytest.raises(MachineError, match=r"log: cannot be written: No space left on device$"):
        files.append(path, "b\n")
    files.append(path, "c \udc80\n", durable=False)
    assert path.read_bytes() == b"a\nc \\udc80\n"


def test_temporary_files_of_killed_processes_are_removed(tmp_path: Path) -> None:
    """Only hidden names that end in 16 hexadecimal digits are."""
    for name in (".run.json.0123456789abcdef", ".hidden", "run.json.0123456789abcdef", ".run.json.0123"):
        (tmp_path / name).write_text("")
    files.remove_temporary_files(tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        ".hidden",
        ".run.json.0123",
        "run.json.0123456789abcdef",
    ]
