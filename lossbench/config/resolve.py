"""Configuration files and overrides, resolved to an `Experiment` or to a list of all errors."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import ValidationError

from lossbench.config import examples, yaml
from lossbench.config.dump import dump
from lossbench.config.explain import explain, find_key
from lossbench.config.lookalikes import lookalike
from lossbench.config.merge import expand, join_path, merge
from lossbench.config.overrides import check_once, depth, holds, key_of, path_of
from lossbench.config.problem_lines import line, lines, order, written_at
from lossbench.config.rules import contradictions
from lossbench.config.schema import Experiment, valid_name
from lossbench.config.sweep import values_of
from lossbench.config.yaml import Node, Position, show
from lossbench.errors import ConfigError, Problem, did_you_mean
from lossbench.losses.expression import InvalidLossError, LossTerm, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


Layers: TypeAlias = dict[str, Node]
"""Mappings by file, from lowest to highest precedence."""

Check: TypeAlias = "Callable[[Experiment], list[Problem]]"
"""Further problems of an experiment that is valid on its own, e.g. `training.checks.problems`."""


def no_problems(_: Experiment) -> list[Problem]:
    """Return no problems."""
    return []


def load(path: Path, overrides: Sequence[str] = (), *, check: Check = no_problems) -> Experiment:
    """Return the experiment of a YAML file.

    Args:
        path: The file; the files that it `extends` are read too.
        overrides: `key.sub=value`, each key once, in any order.
        check: Returns further problems of a valid experiment.

    Returns:
        The validated experiment, complete.

    Raises:
        ConfigError: Every problem, one line each: `file:line:column: key: expected ..., got ...`.
    """
    try:
        return build(*read(path, overrides), check=check)
    except ConfigError as error:
        commas = tuple(f"{_command_line(text)}: " for text in overrides if values_of(text))
        advice = "; a comma makes an axis, and only `lossbench sweep` trains axes"
        lines = [f"{line}{advice * line.startswith(commas)}" for line in str(error).splitlines()]
        raise ConfigError(lines, error.problems) from None


def read(path: Path, overrides: Sequence[str] = ()) -> tuple[Node, str]:
    """Return the merged mapping of a YAML file with short forms written out, and the experiment name of the file."""
    check_once(overrides)
    merged = reduce(merge, _read(Path(path), None, (), {}).values(), _defaults())
    return _merge_overrides(merged, overrides), name_from(Path(path))


def set_key(node: Node, key: str, value: Node, folder: Path) -> Node:
    """Return `node` with a value merged at a dotted key; relative paths in it are resolved against `folder`."""
    _refuse_parts(key.split("."), value.position)
    for part in reversed(key.split(".")):
        value = Node({part: value}, value.position)
    return merge(node, expand(value, folder))


def from_mapping(mapping: Mapping[str, Any], *, name: str = "experiment") -> Experiment:
    """Return the experiment of a Python mapping; keys and short forms are those of a YAML file.

    Example:
        >>> from_mapping({"model": "linear", "train": {"epochs": 2}}).train.epochs
        2
    """
    return build(*read_mapping(mapping, name=name))


def read_mapping(mapping: Mapping[str, Any], *, name: str = "experiment") -> tuple[Node, str]:
    """Return a Python mapping merged with the defaults, and the experiment name, as `read` does for a file."""
    return merge(_defaults(), expand(yaml.node(dict(mapping)), Path())), name


def name_from(path: Path) -> str:
    """Return a valid experiment name derived from the stem of a file.

    Example:
        >>> name_from(Path("configs/my loss.yaml"))
        'my-loss'
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).strip(".-")[:64] or "experiment"
    try:
        return valid_name(name)
    except ValueError:
        return f"run-{name}"[:64]


def _defaults() -> Node:
    return yaml.node({key: value for key, value in dump(Experiment()).items() if key != "name"})


def _read(path: Path, named_at: Position | None, chain: tuple[str, ...], known: dict[str, Layers]) -> Layers:
    """Read a file and all files that it extends, each once, from lowest to highest precedence.

    Args:
        path: The file.
        named_at: Position of the `extends` that names it; None: it was named on the command line.
        chain: The files that lead here, to detect cycles.
        known: The files read so far.
    """
    if "\0" in str(path):
        raise _error(named_at, f"extends: no file {show(str(path))}")
    here = os.path.realpath(path)
    if here in chain:
        raise _error(named_at, f"extends: a circle; {show(str(path))} leads back to itself")
    if here not in known:
        node, layers = _mapping(path, named_at), dict[str, Node]()
        for parent in _parents(node):
            below = _read(join_path(path.parent, parent.value), parent.position, (*chain, here), known)
            layers = {file: layer for file, layer in layers.items() if file not in below} | below
        own = {key: child for key, child in node.value.items() if key != "extends"}
        known[here] = layers | {here: expand(Node(own, node.position), path.parent)}
    return known[here]


def _mapping(path: Path, named_at: Position | None) -> Node:
    """Return the mapping that a file holds."""
    node = yaml.parse(yaml.decode(_bytes(path, named_at), str(path)), str(path))
    if isinstance(node.value, dict):
        return node
    if node.value is None:
        raise ConfigError([f"{path}: empty; `lossbench init` writes a file to start from"])
    hint = lookalike(node.value) if isinstance(node.value, str) else ""
    expected = f"expected keys with values, e.g. 'loss: focal' (with the space), got {show(node.plain())}"
    raise _error(node.position, f"{expected}{hint and f'; {hint}'}")


def _bytes(path: Path, named_at: Position | None) -> bytes:
    """Return the content of a file, at most one byte more than the largest allowed configuration."""
    prefix = "extends: " if named_at else ""
    try:
        with path.open("rb") as file:
            return file.read(yaml.MAX_BYTES + 1)
    except FileNotFoundError:
        near = [str(path.with_name(name)) for name in _siblings(path)]
        hint = did_you_mean(str(path), near) or _example_hint(path)
        raise _error(named_at, f"{prefix}no file {show(str(path))}{hint}") from None
    except IsADirectoryError:
        raise _error(named_at, f"{prefix}{show(str(path))} is a folder; name a YAML file in it") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise _error(named_at, f"{prefix}{show(str(path))} cannot be read: {reason}") from None


def _example_hint(path: Path) -> str:
    """Return how to write the example that a missing file is named after; empty if there is none."""
    name = path.with_suffix("").name
    return f"; `lossbench init --from {name}` writes an example of that name" if name in examples.names() else ""


def _siblings(path: Path) -> list[str]:
    try:
        return sorted(file.name for file in path.parent.iterdir() if file.suffix in (".yaml", ".yml"))
    except OSError:
        return []


def _parents(node: Node) -> list[Node]:
    """Return the files that `extends` names, with their positions."""
    extends = node.value.get("extends", Node(None))
    parents = extends.value if isinstance(extends.value, list) else [extends]
    parents = [parent for parent in parents if parent.value is not None]
    for parent in parents:
        if not isinstance(parent.value, str):
            raise _error(parent.position, f"extends: expected a file or a list of files, got {show(parent.plain())}")
    return parents


def _merge_overrides(merged: Node, overrides: Sequence[str]) -> Node:
    """Return a configuration with overrides merged, of which none may replace what another sets under another key."""
    done: dict[str, Node] = {}
    for text in sorted(overrides, key=lambda text: depth(key_of(text))):
        over = _override(text, merged)
        merged = merge(merged, over)
        for earlier, node in done.items():
            others = [path_of(each) for each in (*done, text) if each != earlier]
            if not holds(node, merged, others):
                raise _error(_command_line(earlier), f"{show(text)} replaces it; remove one")
        done[text] = over
    return merged


def _override(text: str, under: Node) -> Node:
    """Return `key.sub=value` as a mapping to merge over `under`."""
    position = _command_line(text)
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise _error(position, "expected key=value, e.g. train.epochs=3")
    path = list(path_of(text))
    if path[0] == "extends":
        raise _error(position, "extends belongs in a file; on the command line set single keys")
    _refuse_lists(path, under, position)
    _refuse_parts(path, position)
    node = yaml.parse_value(value, position, tuple(path))
    for part in reversed(path):
        node = Node({part: node}, position)
    return expand(node, Path())


def _command_line(override: str) -> Position:
    return Position(f"command line: {show(override)}")


def _refuse_parts(path: Sequence[str], position: Position | None) -> None:
    """Refuse a key inside the value of a hyperparameter, which is one value."""
    if yaml.is_hyperparameter(tuple(path[:-1])):
        whole = ".".join(path[:2])
        raise _error(position, f"{whole} is one value and can only be replaced completely: {whole}='{{...}}'")


def _refuse_lists(path: list[str], under: Node, position: Position) -> None:
    for level, part in enumerate(path):
        if isinstance(under.value, list):
            whole = ".".join(path[:level])
            raise _error(position, f"{whole} is a list and can only be replaced completely: {whole}='[...]'")
        under = dict(under.children()).get(part, Node(None))


def build(node: Node, name: str, *, check: Check = no_problems) -> Experiment:
    """Return the experiment of a merged mapping.

    Args:
        node: The mapping.
        name: The name of an experiment that has none.
        check: Returns further problems of a valid experiment.

    Raises:
        ConfigError: Every problem, one line each.
    """
    value = node.plain()
    if value.get("name") is None:
        value["name"] = name
    terms, problems = _terms(value["loss"])
    try:
        experiment = Experiment.model_validate(value | {"loss": terms})
    except ValidationError as error:
        problems += explain(error)
    else:
        problems += contradictions(experiment)
    if problems:
        raise ConfigError(lines(problems, node), problems)
    if found := check(experiment):
        found = sorted(found, key=lambda problem: order(written_at(problem.path, node)))
        raise ConfigError([line(problem, written_at(problem.path, node)) for problem in found], found)
    return experiment


def _terms(loss: Any) -> tuple[tuple[LossTerm, ...], list[Problem]]:
    """Return the terms of the loss; if they are invalid, those of the default loss and the problems."""
    try:
        return parse(loss), []
    except InvalidLossError as error:
        return Experiment().loss, [_in_loss(problem) for problem in error.problems]


def _in_loss(problem: Problem) -> Problem:
    """Return a problem of the loss with its whole path, and for a key of another section where that belongs."""
    where = find_key(str(problem.path[-1])) if problem.path and " It takes" in problem.message else ""
    message = problem.message
    if where and not where.startswith("loss."):
        message = re.sub(r"(; did you mean '\w+'\?|\.) It takes", f"; did you mean {where!r}? It takes", message)
    return replace(problem, path=("loss", *problem.path), message=message)


def _error(position: Position | None, message: str) -> ConfigError:
    return ConfigError([f"{position}: {message}" if position else message])
