"""Problems of a configuration as lines: position, key, what was expected and what came."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lossbench.config.explain import dotted
from lossbench.config.lookalikes import lookalike
from lossbench.config.merge import SHORT_FORMS
from lossbench.config.yaml import Node, Position
from lossbench.losses.registry import signatures
from lossbench.losses.suggestion import defining_file

if TYPE_CHECKING:
    from lossbench.config.yaml import KeyPath
    from lossbench.errors import Problem


def lines(problems: list[Problem], node: Node) -> list[str]:
    """Return one line per problem, ordered by position: files first, then the command line."""
    ordered = sorted(problems, key=lambda problem: order(node.locate(problem.path)))
    return [_line(problem, node) for problem in ordered]


def order(position: Position | None) -> tuple[bool, str, int, int]:
    """Return the sorting key of a position: files first, by line and column, then the command line."""
    position = position or Position("")
    return not position.line, position.source, position.line, position.column


def _line(problem: Problem, node: Node) -> str:
    position = node.locate(problem.path)
    message = _lookalike(problem, node) or _in_a_file(problem.unknown_loss, position) or problem.message
    return line(replace(problem, message=message), position)


def line(problem: Problem, position: Position | None = None) -> str:
    """Return a problem on one line: position, key, what was expected and what came."""
    path = (
        problem.path[:-1] if problem.path and SHORT_FORMS.get(problem.path[:-1]) == problem.path[-1] else problem.path
    )
    return ": ".join(str(part) for part in (position, dotted(path), problem.message) if part)


def written_at(path: KeyPath, node: Node) -> Position | None:
    """Return the position of a key; of a default, which stands nowhere, only the file."""
    position, found = node.locate(path), node.at(path)
    is_default = found.value is not None and found.position is None
    return Position(position.source) if position and is_default else position


def _lookalike(problem: Problem, node: Node) -> str:
    """Return the message for a key or value with a character that only looks like the right one, e.g. `：`."""
    written = node.at(problem.path).value
    in_key = lookalike(str(problem.path[-1])) if problem.path else ""
    in_value = lookalike(written) if isinstance(written, str) else ""
    return in_key or (in_value and (in_value if problem.unknown_loss else f"{problem.message}; {in_value}"))


def _in_a_file(loss: str, position: Position | None) -> str:
    """Return the message for an unknown loss that a Python file beside the configuration, or here, seems to define."""
    folder = Path(position.source).parent if position and position.line else Path()
    found = defining_file(loss, [folder, Path()]) if loss else None
    if found is None or Path(os.path.realpath(found[0])) in (loss.plugin for loss in signatures().values()):
        return ""
    return f"unknown loss {loss!r}: {found[0]} defines {found[1]!r}; name that file in `plugins`"
