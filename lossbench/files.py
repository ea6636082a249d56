"""Atomic, synced writes: after a crash a file holds its old content or its new content, never a part of either.

`write` and its short forms write to a hidden, uniquely named file next to the target, fsync it, rename it, and fsync
the folder. `append` adds all of a text or nothing. A failed system call becomes a one-line `MachineError`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from pathlib import Path
from typing import IO, TYPE_CHECKING

from lossbench.errors import MachineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{16}")
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def write(path: Path, writer: Callable[[IO[bytes]], object]) -> None:
    """Replace a file atomically; a device or a pipe is written to and stays in place.

    Args:
        path: The file; its folder must exist.
        writer: Writes the content to the open binary file that it is given.

    Raises:
        MachineError: The file cannot be written; the old one is unchanged.
    """
    if path.exists() and not path.is_file():
        with report_errors(path), path.open("wb") as file:
            writer(file)
        return
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    with report_errors(path):
        try:
            with temporary.open("xb") as file:
                writer(file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        sync(path.parent)


def check_picture(path: Path, parameter: str) -> None:
    """Check that a picture can be written to a file, before anything is drawn.

    Raises:
        UsageError: The file's name does not end in .png; the error names the parameter.
        MachineError: Its folder does not exist.
    """
    if path.suffix != ".png":
        raise UsageError(f"expected a file name that ends in .png, got {path}", parameter=parameter)
    check_target(path)


def check_target(path: Path) -> None:
    """Check that a file can be in its folder, before anything is computed for it.

    Raises:
        MachineError: The path is a folder, or its folder does not exist.
    """
    if path.is_dir() or not path.parent.is_dir():
        reason = os.strerror(errno.EISDIR if path.is_dir() else errno.ENOENT)
        raise MachineError(f"{path}: cannot be written: {reason}")


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file atomically by these bytes; see `write`."""
    write(path, lambda file: file.write(content))


def write_text(path: Path, text: str) -> None:
    r"""Replace a file atomically by this text as UTF-8; a lone surrogate becomes its escape `\udc80`."""
    write_bytes(path, text.encode(errors="backslashreplace"))


def append(path: Path, text: str, *, durable: bool = True) -> None:
    """Append a text with one system call, or nothing of it; several processes may append to one file.

    Args:
        path: The file, created if missing; neither a link nor a pipe.
        text: Encoded as UTF-8 like that of `write_text`.
        durable: Fsync the file.

    Raises:
        MachineError: The text cannot be appended.
    """
    content = text.encode(errors="backslashreplace")
    with report_errors(path), open(path, "ab", buffering=0, opener=open_regular) as file:
        written = file.write(content)
        with contextlib.ExitStack() as undo:
            undo.callback(file.truncate, file.tell() - written)
            if written != len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if durable:
                os.fsync(file.fileno())
            undo.pop_all()


def drop_partial_line(path: Path) -> None:
    """Cut off a last line without a line break, as a crash during an append of an older version may have left it."""
    with report_errors(path), open(path, "r+b", buffering=0, opener=open_regular) as file:
        file.truncate(file.read().rfind(b"\n") + 1)


def make_folder(path: Path) -> None:
    """Create a folder and its missing parents durably; an existing folder is left as it is.

    Raises:
        MachineError: It cannot be created.
    """
    with report_errors(path):
        missing = [each for each in (path, *path.parents) if not each.exists()]
        path.mkdir(parents=True, exist_ok=True)
        for each in missing:
            sync(each.parent)


def remove_temporary_files(folder: Path) -> None:
    """Remove the temporary files of killed processes; no other process may be writing to the folder.

    Raises:
        MachineError: A file cannot be removed.
    """
    with report_errors(folder):
        for each in folder.iterdir():
            if _TEMPORARY.fullmatch(each.name):
                each.unlink(missing_ok=True)


def exists(path: str | Path) -> bool:
    """Return whether a path exists; false for a text that no file system takes as a name."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def sync(path: Path) -> None:
    """Fsync a file, or a folder after files in it were created, renamed or removed.

    Raises:
        OSError: The disk does not accept the data.
    """
    if os.name == "nt":  # Windows cannot open a folder, and its renames are durable
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_regular(path: str, flags: int) -> int:
    """Open a regular file, never through a link and never a pipe; the `opener` of `open`.

    Raises:
        OSError: The path cannot be opened, or is a link, a pipe or a device.
    """
    try:
        descriptor = os.open(path, flags | _FLAGS, 0o666)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:
            raise _not_regular() from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_regular()
    return descriptor


@contextlib.contextmanager
def report_errors(path: Path) -> Iterator[None]:
    """Turn an `OSError` into a `MachineError` that names the path and the reason."""
    try:
        yield
    except OSError as error:
        raise MachineError(f"{path}: cannot be written: {error.strerror or error}") from error


def _not_regular() -> OSError:
    return OSError(errno.EINVAL, "is not a regular file")
