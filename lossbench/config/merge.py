"""Precedence of configurations: defaults < extends < file < command line.

Mappings merge key by key; lists, scalars, values of hyperparameters and ranges of a sweep replace. A choice (a loss, a
model, an optimiser, ...) with another name replaces the whole choice, because its keys belong to that name. The types
of label noise and of imbalance share their keys: another type keeps those that it takes. A bare string there means
`{name: ...}`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossbench.config.yaml import Node, is_hyperparameter

if TYPE_CHECKING:
    from lossbench.config import yaml

CHOICES: dict[yaml.KeyPath, str] = {
    ("loss",): "name",
    ("model",): "name",
    ("model", "head"): "name",
    ("model", "initializer"): "name",
    ("model", "initializer", "convolution"): "name",
    ("model", "initializer", "dense"): "name",
    ("optimizer",): "name",
    ("optimizer", "schedule"): "name",
    ("sweep", "method"): "name",
}
"""Paths where a name selects one of several mappings, and the key that holds the name."""

TYPES_OF_KEYS: dict[yaml.KeyPath, dict[str, tuple[str, ...]]] = {
    ("data", "label_noise"): {
        "rate": ("symmetric", "symmetric_exact", "asymmetric", "pair"),
        "include_self": ("symmetric",),
        "matrix": ("matrix",),
    },
    ("data", "imbalance"): {
        "ratio": ("exponential", "step"),
        "minority_classes": ("step",),
        "counts": ("counts",),
    },
}
"""Paths where a type is selected, and the types that take a key; the keys that are not listed hold for every type."""

RANGES: tuple[yaml.KeyPath, ...] = (("sweep", "parameters"), ("sweep", "tune", "parameters"))
"""Sections of which each value is a list or a range, such as `{uniform: [0, 1]}`."""

SHORT_FORMS: dict[yaml.KeyPath, str] = {**CHOICES, **dict.fromkeys(TYPES_OF_KEYS, "type"), ("data",): "name"}
"""Paths where a bare string means a mapping with this key; the keys of `data` are the same for every name."""


def expand(node: Node, folder: Path, path: yaml.KeyPath = ()) -> Node:
    """Return `node` with every short form written out and relative paths resolved against `folder`."""
    if isinstance(node.value, dict):
        entries = {key: expand(child, folder, (*path, key)) for key, child in node.value.items()}
        if path == ("data", "imbalance") and "counts" in entries:
            entries = {"type": Node("counts", node.position), **entries}
        return Node(entries, node.position)
    if isinstance(node.value, str) and path in SHORT_FORMS:
        return Node({SHORT_FORMS[path]: node}, node.position)
    if isinstance(node.value, str | Path) and path == ("data", "path"):
        return Node(str(join_path(folder.absolute(), str(node.value))), node.position)
    return node


def join_path(folder: Path, written: str) -> Path:
    """Return a path from a file in `folder` as seen from the working directory; `~` is the home folder."""
    return folder / os.path.expanduser(written)  # noqa: PTH111 - Path.expanduser raises for unknown users


def merge(under: Node, over: Node, path: yaml.KeyPath = ()) -> Node:
    """Merge two configurations whose short forms are written out.

    Args:
        under: The configuration with lower precedence.
        over: The configuration with higher precedence.
        path: Where both are in the configuration.
    """
    if not isinstance(under.value, dict) or not isinstance(over.value, dict) or is_hyperparameter(path):
        return over
    if _is_another(under, over, path) or path[:-1] in RANGES:
        return over
    entries = _kept(under, over, path)
    for key, child in over.value.items():
        entries[key] = merge(entries[key], child, (*path, key)) if key in entries else child
    return Node(entries, over.position)


def _kept(under: Node, over: Node, path: yaml.KeyPath) -> dict[Any, Node]:
    """Return the entries of `under` without those that another type in `over` does not take."""
    before, after = (each.value.get("type", Node(None)).value for each in (under, over))
    if path not in TYPES_OF_KEYS or after in (None, before):
        return dict(under.value)
    types = TYPES_OF_KEYS[path]
    return {key: child for key, child in under.value.items() if after in types.get(key, (after,))}


def _is_another(under: Node, over: Node, path: yaml.KeyPath) -> bool:
    """Return whether `over` selects another member of the choice at `path`."""
    if path not in CHOICES:
        return False
    before, after = _member(under, path), _member(over, path)
    return after is not None and before is not None and before != after


def _member(node: Node, path: yaml.KeyPath) -> object:
    if CHOICES[path] in node.value:
        return node.value[CHOICES[path]].value
    return "by layer" if {"convolution", "dense"} & node.value.keys() else None
