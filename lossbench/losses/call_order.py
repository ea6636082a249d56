"""Functions of a user's file that look like losses but are not called as losses are: for error messages only."""

from __future__ import annotations

import inspect
import re
from functools import partial
from types import CodeType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

WORDS = {
    "prediction": r"y?preds?|predicted|predictions?|y?hat|logits?|outputs?|inputs?|scores?|prob(s|ability|abilities)?",
    "target": r"y|y?true|truth|targets?|labels?|gt|actuals?|onehot",
}
"""Words in names of parameters, in other libraries too, by what they stand for."""

PAIR = set(WORDS)

CALL = "lossbench calls a loss as (y_true, y_pred, ...), the targets first"


def advice(name: str, thing: Any, path: Path) -> str:
    """Return how lossbench calls losses if an object takes targets and predictions in another way; empty otherwise.

    Args:
        name: The name of the object.
        thing: Function, class or instance.
        path: The file that defines it.
    """
    found = _function(thing)
    if found is None:
        return ""
    code, skipped = found
    first, second = (*code.co_varnames[skipped : min(skipped + 2, code.co_argcount)], "", "")[:2]
    kinds = _kind(first), _kind(second)
    if kinds == ("prediction", "target"):
        todo = "exchange the two and write y_true, y_pred"
    elif kinds == ("target", "prediction") and not skipped and (first, second) != ("y_true", "y_pred"):
        todo = "rename these parameters"
    else:
        return ""
    line = f":{_line(code)}" if path.suffix == ".py" else ""
    return f"{path}{line}: {name} takes ({first}, {second}), but {CALL}: {todo}"


def _function(thing: Any) -> tuple[CodeType, int] | None:
    """Return the code that would compute the loss, and how many parameters come before the two; None if none would."""
    if isinstance(thing, partial):
        return None if thing.args else _function(thing.func)
    kind = thing if inspect.isclass(thing) else type(thing)
    for method in ("call", "__call__"):
        defined = next((vars(base)[method] for base in kind.__mro__ if method in vars(base)), None)
        if inspect.isfunction(defined) and not defined.__module__.startswith(("keras.", "tensorflow.")):
            return defined.__code__, 1
    code = getattr(inspect.unwrap(thing), "__code__", None) if callable(thing) else None
    if code is None:
        return None
    inner = [each for each in code.co_consts if isinstance(each, CodeType) and _kinds(each) == PAIR]
    inner.sort(key=lambda each: each.co_varnames[:2] != ("y_true", "y_pred"))
    return (inner[0], 0) if inner and _kinds(code) != PAIR else (code, int(inspect.ismethod(thing)))


def _kinds(code: CodeType) -> set[str]:
    return {_kind(name) for name in code.co_varnames[: min(2, code.co_argcount)]}


def _kind(name: str) -> str:
    """Return what the name of a parameter stands for: `prediction`, `target`, or nothing."""
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z]+", name)]
    return next((kind for kind, known in WORDS.items() if any(re.fullmatch(known, word) for word in words)), "")


def _line(code: CodeType) -> int:
    """Return the line of the `def`, below the decorators."""
    try:
        lines, start = inspect.getsourcelines(code)
    except (OSError, TypeError):
        return code.co_firstlineno
    return next((start + at for at, text in enumerate(lines) if text.lstrip().startswith(("def ", "async "))), start)
