"""Experiments as plain mappings and as YAML that YAML 1.1 and 1.2 readers parse alike."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import yaml

from lossbench import yaml_scalars
from lossbench.config.schema import Experiment
from lossbench.config.section import Section
from lossbench.losses import expression, registry
from lossbench.losses.signature import IN_FILE, REQUIRED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lossbench.config.yaml import KeyPath

COMMENT_COLUMN = 32


def dump(experiment: Experiment) -> dict[str, Any]:
    """Return the complete experiment as a plain mapping; `from_mapping` of it is the same experiment."""
    plain = experiment.model_dump(mode="json", exclude={"loss"})
    return {key: expression.dump(experiment.loss) if key == "loss" else plain[key] for key in Experiment.model_fields}


def changes(experiment: Experiment) -> dict[str, Any]:
    """Return only the keys that differ from the defaults; `from_mapping` of them is the same experiment."""
    plain = experiment.model_dump(mode="json", exclude={"loss"}, exclude_defaults=True)
    if experiment.loss != Experiment().loss:
        plain["loss"] = expression.dump(experiment.loss)
    return {key: plain[key] for key in Experiment.model_fields if key in plain}


def to_yaml(experiment: Experiment, *, changed_only: bool = False, mark: bool = False) -> str:
    """Return the experiment as YAML from which it can be trained again.

    Args:
        experiment: The experiment.
        changed_only: Leave out keys that have their default.
        mark: Add the default as a comment to every key that differs from it.
    """
    comments = dict(_marks(experiment)) if mark else {}
    return text(changes(experiment) if changed_only else dump(experiment), comments.get)


def text(mapping: dict[str, Any], comment: Callable[[KeyPath], str | None]) -> str:
    """Return a mapping as block YAML, one line per value, followed by the comment for its path if there is one."""
    return "".join(f"{line}\n" for line in _lines(mapping, comment)) or "{}\n"


def scalar(value: Any) -> str:
    """Return a value as YAML on one line."""
    return _remembered(value) if isinstance(value, str | int | None) else _written(value)


def _written(value: Any) -> str:
    style: dict[str, Any] = {"default_flow_style": True, "sort_keys": False, "allow_unicode": True, "width": math.inf}
    written: str = yaml.dump(value, Dumper=_Dumper, **style)
    return written.removesuffix("\n").removesuffix("\n...")


_remembered = functools.lru_cache(maxsize=4096, typed=True)(_written)
"""Keys and most values recur, and PyYAML is slow; floats are not remembered, as 0.0 equals -0.0."""


class _Dumper(yaml.SafeDumper):
    """Quotes whatever YAML 1.1 or 1.2 would not read as text."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


for _type in yaml_scalars.TYPES:
    _Dumper.add_implicit_resolver(_type.tag, _type.pattern, None)


def _lines(mapping: dict[str, Any], comment: Callable[[KeyPath], str | None], path: KeyPath = ()) -> Iterator[str]:
    indent = "  " * len(path)
    for key, value in mapping.items():
        here = (*path, key)
        nested = isinstance(value, dict) and value
        listed = isinstance(value, list) and any(isinstance(item, dict) for item in value)
        line = f"{indent}{scalar(key)}:" + ("" if nested or listed else f" {scalar(value)}")
        note = comment(here)
        yield f"{line:<{COMMENT_COLUMN - 1}} # {note}" if note else line
        if nested:
            yield from _lines(value, comment, here)
        if listed:
            yield from (f"{indent}  - {scalar(item)}" for item in value)


def _marks(experiment: Experiment) -> Iterator[tuple[KeyPath, str]]:
    yield from _section_marks(experiment, Experiment(), ())
    usual = Experiment().loss[0].name
    if len(experiment.loss) > 1:
        yield ("loss",), f"default: {usual}"
        return
    term = experiment.loss[0]
    if term.name != usual:
        yield ("loss", "name"), f"default: {usual}"
    for key, parameter in registry.find(term.name).hyperparameters.items():
        default = parameter.plain_default
        if (
            default is not REQUIRED
            and key in term.hyperparameters
            and not parameter.is_default(term.hyperparameters[key])
        ):
            yield ("loss", key), f"default: {default if default is IN_FILE else scalar(default)}"


def _section_marks(section: Section, usual: Section | None, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Yield a path and a comment for every key that differs from its default or names another choice."""
    plain = section.model_dump(mode="json", exclude={"loss"})
    for key, field in type(section).model_fields.items():
        value, default, here = getattr(section, key), field.get_default(call_default_factory=True), (*path, key)
        if key == "name":  # the experiment's own follows from its file
            default = getattr(usual, "name", value) if path else value
        if isinstance(value, Section):
            if default is None:
                yield here, "default: null"
            yield from _section_marks(value, default, here)
        elif key in plain and value != default and not field.is_required():
            yield here, f"default: {scalar(default)}"
