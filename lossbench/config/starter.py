"""The starter configuration: every key with its default and its help text, generated from the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lossbench.config.dump import dump, text
from lossbench.config.schema import Experiment

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from lossbench.config.yaml import KeyPath

HEADER = """\
# An experiment. Every key is optional; the values below are the defaults.
#   lossbench validate {file}
#   lossbench train --config {file}
# `lossbench losses` lists the losses, `lossbench losses focal` shows the hyperparameters of one.
"""


def starter(file: str = "experiment.yaml") -> str:
    """Return the commented configuration that `lossbench init` writes to `file`."""
    mapping = {key: _short(value) for key, value in dump(Experiment()).items() if key != "name"}
    return HEADER.format(file=file) + text(mapping | {"loss": Experiment().loss[0].name}, _description)


def _short(value: Any) -> Any:
    """Return `value` with `{name: x}` written as `x`."""
    if not isinstance(value, dict):
        return value
    return value["name"] if set(value) == {"name"} else {key: _short(item) for key, item in value.items()}


def _description(path: KeyPath) -> str | None:
    section: Any = Experiment()
    for key in path[:-1]:
        section = getattr(section, str(key))
    fields: dict[str, FieldInfo] = type(section).model_fields
    return fields[str(path[-1])].description
