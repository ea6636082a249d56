"""Annotations of a loss, each resolved on its own: a name that only type checkers know is no error."""

from __future__ import annotations

import ast
import builtins
import inspect
import re
import sys
import typing
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class _Unknown:
    """Stand-in for a name that does not exist at run time, and for whatever is made of it."""

    _unknown_type = True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        from lossbench.losses import types

        return _known_names().get(name, self) if name in (*vars(types), *FORMS) else self

    def __getitem__(self, _: object) -> _Unknown:
        return self

    def __call__(self, *_: object, **__: object) -> _Unknown:
        return self

    def __or__(self, _: object) -> _Unknown:
        return self

    __ror__ = __or__


UNKNOWN = _Unknown()

FORMS = ("Any", "Annotated", "Literal", "Optional", "Union")
"""Names of `typing` that an annotation reaches through a module, as in `t.Optional[float]`."""


def resolved_signature(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a loss with resolved annotations; one that cannot be resolved is left out.

    `x: tf.Tensor` is resolved where `tf` is imported for type checkers only: as an unknown type.
    """
    raw = inspect.signature(function)
    names = _names_of(function)
    return raw.replace(
        parameters=[each.replace(annotation=_resolve(each.annotation, names)) for each in raw.parameters.values()],
        return_annotation=inspect.Signature.empty,
    )


def _resolve(annotation: Any, names: Mapping[str, Any]) -> Any:
    if annotation is inspect.Parameter.empty:
        return annotation
    holder = SimpleNamespace(__annotations__={"value": annotation})
    for make_names in (dict, partial(_with_stand_ins, annotation)):
        try:
            return typing.get_type_hints(holder, make_names(names), include_extras=True)["value"]
        except Exception:  # noqa: BLE001, S112  # evaluating the annotations of a user's file may raise anything
            continue
    return inspect.Parameter.empty


def _with_stand_ins(annotation: object, names: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names of a module, and for the other names in an annotation what they may stand for."""
    known = {**_known_names(), **_renamed_imports(names), **_numpy_imports(names), **names}
    words = re.findall(r"[A-Za-z_]\w*", annotation if isinstance(annotation, str) else repr(annotation))
    missing = [word for word in words if word not in known and not hasattr(builtins, word)]
    return {**known, **dict.fromkeys(missing, UNKNOWN)}


def _known_names() -> dict[str, Any]:
    """Return the names that annotations of losses are made of: those of `typing`, `annotated_types` and lossbench."""
    import annotated_types

    from lossbench.losses import types

    return {
        name: value
        for module in (typing, annotated_types, types)
        for name, value in vars(module).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }


def _renamed_imports(names: Mapping[str, Any]) -> dict[str, Any]:
    """Return the known names that a file imports under another name, e.g. inside `if TYPE_CHECKING:`."""
    known = _known_names()
    return {
        alias.asname: known[alias.name]
        for node in ast.walk(_tree(names))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname and alias.name in known
    }


def _numpy_imports(names: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a file imports of NumPy, e.g. `npt` inside `if TYPE_CHECKING:`."""
    nodes = [node for node in ast.walk(_tree(names)) if isinstance(node, ast.Import | ast.ImportFrom)]
    if "numpy" not in " ".join(map(ast.dump, nodes)):  # it takes time to import
        return {}
    import numpy as np
    import numpy.typing as npt

    modules = {"numpy": np, "numpy.typing": npt}
    imported: dict[str, Any] = {}
    for node in nodes:
        for alias in node.names:
            if isinstance(node, ast.ImportFrom):
                value = getattr(modules.get(node.module or ""), alias.name, UNKNOWN)
            else:
                value = modules.get(alias.name if alias.asname else alias.name.partition(".")[0], UNKNOWN)
            if value is not UNKNOWN:
                imported[alias.asname or alias.name.partition(".")[0]] = value
    return imported


def _tree(names: Mapping[str, Any]) -> ast.Module:
    """Return the syntax tree of the file with these names, empty if there is none."""
    module = sys.modules.get(str(names.get("__name__")))
    try:
        return ast.parse(inspect.getsource(module)) if module else ast.Module([], [])
    except (OSError, SyntaxError):
        return ast.Module([], [])


def _names_of(function: Callable[..., Any]) -> Mapping[str, Any]:
    """Return the module-level names of the file that defines a function, class or callable object."""
    while isinstance(function, partial):
        function = function.func
    if inspect.isclass(function):
        function = function.__init__
    unwrapped: Any = inspect.unwrap(function)
    if not hasattr(unwrapped, "__globals__"):
        unwrapped = inspect.unwrap(vars(type(unwrapped)).get("__call__", unwrapped))
    return getattr(unwrapped, "__globals__", {})
