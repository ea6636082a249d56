"""Files that a sweep records beside its run folders: JSON, read strictly; every fault is one sentence."""

from __future__ import annotations

import json
import reprlib
from typing import TYPE_CHECKING, Any, TypeVar

from lossbench import files
from lossbench.errors import MachineError, UsageError
from lossbench.json_data import to_json
from lossbench.runs import links, read
from lossbench.runs.decision import ENDED_WITHOUT_SCORE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BYTES = 16 << 20

Content = TypeVar("Content")


class DamageError(Exception):
    """A value that is missing or invalid; the message says which."""


def save(path: Path, content: dict[str, Any]) -> None:
    """Write a file beside run folders, atomically.

    Raises:
        UsageError: The file is a link, a pipe or a device.
        MachineError: It cannot be written.
    """
    links.refuse([path.parent, path])
    files.make_folder(path.parent)
    files.write_text(path, to_json(content))


def load(path: Path, version: int, parse: Callable[[Any], Content], remedy: str) -> Content | None:
    """Return the content of a file; None if there is no such file.

    Args:
        path: The file.
        version: The newest version that can be read.
        parse: Returns the content of JSON data, or raises a `DamageError`.
        remedy: What to do with a damaged file other than to restore it from a copy.

    Raises:
        MachineError: The file cannot be read, or is damaged.
        UsageError: It was written by a newer version.
    """
    if not files.exists(path) and not path.is_symlink():
        return None
    try:
        content = json.loads(read.text(path, BYTES), parse_constant=_refuse)
        found = content.get("version") if isinstance(content, dict) else None
        if type(found) is int and found > version:
            raise UsageError(
                f"{path}: written by a newer lossbench: expected version {version} at most, got "
                f"{reprlib.repr(found)}; update lossbench to read it"
            )
        return parse(content)
    except (read.BrokenRunError, DamageError) as error:
        raise _damaged(path, str(error).removeprefix(f"{path.name}: "), remedy) from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"not JSON: {error}", remedy) from error


def _damaged(path: Path, reason: str, remedy: str) -> MachineError:
    return MachineError(f"{path}: {reason}; restore the file from a copy, or {remedy}")


def expect(holds: object, where: str, expected: object, got: object) -> None:
    """Raise a `DamageError` unless a condition holds."""
    if not holds:
        raise DamageError(f"{where}: expected {expected}, got {reprlib.repr(got)}")


def is_text(value: object) -> bool:
    """Return whether a value is text that is not empty."""
    return isinstance(value, str) and bool(value)


def are_counts(value: object) -> bool:
    """Return whether a value is a list of whole numbers ≥ 0, at least one."""
    return isinstance(value, list) and bool(value) and all(type(each) is int and each >= 0 for each in value)


def is_score(value: object) -> bool:
    """Return whether a value is a number, or how a run ended without one."""
    return value in ENDED_WITHOUT_SCORE if isinstance(value, str) else read.is_number(value)


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON number")
