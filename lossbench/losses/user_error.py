"""Errors in a user's Python file, reported with the line of that file."""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lossbench.errors import LossbenchError, PluginError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def report_user_errors(path: Path) -> Iterator[None]:
    """Run a user's code and report its errors.

    Args:
        path: The user's file.

    Raises:
        PluginError: If the code raises, e.g. `my_losses.py:7: NameError: name 'x' is not defined`.
    """
    try:
        yield
    except LossbenchError:
        raise
    except (Exception, SystemExit) as error:  # the user's code may raise anything, or exit
        location = ":".join(map(str, (path, *_lines(error, path)[-1:])))
        words = error.msg if isinstance(error, SyntaxError) else str(error)
        raise PluginError(f"{location}: {type(error).__name__}: {' '.join(words.split())}") from error


def _lines(error: BaseException, path: Path) -> list[int | None]:
    """Return the lines of the file in the traceback, the innermost last."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return [error.lineno]
    return [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
