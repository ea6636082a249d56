"""Record of a loss, read from the signature and docstring of its function."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from lossbench.losses.types import Context, State, UsedIf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from lossbench.losses.user_code import Execution

REQUIRED = inspect.Parameter.empty
"""Default of a hyperparameter without a default."""


@dataclass(frozen=True)
class Hyperparameter:
    """Keyword of a loss that YAML may set; `type` and `range` are its annotation in words."""

    name: str
    annotation: Any
    default: Any
    type: str
    range: str
    description: str

    @property
    def expected(self) -> str:
        """Description of valid values, for errors: `a number in (0, 1]`."""
        return f"{self.type}{' in' if self.range.startswith(('(', '[')) else ''} {self.range}".strip()


@dataclass(frozen=True, eq=False)
class LossSignature:
    """Everything known about one loss.

    Attributes:
        form: Whether `function` is the loss itself, a factory that returns the loss, or a class with the loss as its
            instance.
        labels: Form of the targets that the loss takes; the engine converts.
        outputs: Form of the predictions that the loss takes; the engine converts.
        context: Names of the parameters that the engine fills in from the data.
        execution: The execution of the plugin that defined `function`.
        states: Names of the parameters that hold state.
    """

    name: str
    function: Callable[..., Any]
    family: str
    hyperparameters: Mapping[str, Hyperparameter]
    context: tuple[str, ...]
    docstring: str
    summary: str
    formula: str
    link: str
    aliases: tuple[str, ...]
    source: str
    labels: str = "one_hot"
    outputs: str = "logits"
    form: Literal["function", "factory", "class"] = "function"
    plugin: Path | None = None
    execution: Execution | None = None
    states: tuple[str, ...] = ()

    def used_context(self, hyperparameters: Mapping[str, Any]) -> Mapping[str, Context]:
        """Return the marks of the context parameters that the loss uses with these hyperparameters."""
        conditions = context_conditions(self.function)
        return {
            name: mark
            for name, mark in engine_parameters(self.function).items()
            if isinstance(mark, Context)
            and (name not in conditions or conditions[name].condition(hyperparameters[conditions[name].hyperparameter]))
        }

    def has_default(self, parameter: str) -> bool:
        """Return whether a context parameter has a value to fall back on; None is no such value."""
        return inspect.signature(self.function).parameters[parameter].default not in (REQUIRED, None)


def engine_parameters(function: Callable[..., Any]) -> Mapping[str, Context | State]:
    """Return the parameters of a loss that the engine fills in, context and state, with their marks."""
    return _marked(function, Context | State)


def context_conditions(function: Callable[..., Any]) -> Mapping[str, UsedIf]:
    """Return the context parameters that only some values of a hyperparameter use."""
    return _marked(function, UsedIf)


@cache
def _marked(function: Callable[..., Any], kind: Any) -> Mapping[str, Any]:
    """Return the parameters whose annotation carries a mark of a kind, with that mark."""
    marks = {
        name: next((mark for mark in getattr(parameter.annotation, "__metadata__", ()) if isinstance(mark, kind)), None)
        for name, parameter in inspect.signature(function, eval_str=True).parameters.items()
    }
    return {name: mark for name, mark in marks.items() if mark}


def read_signature(
    function: Callable[..., Any], family: str, *, name: str | None = None, **fields: Any
) -> LossSignature:
    """Read the record of a loss.

    Args:
        function: Function, factory or class.
        family: Name of the file that defines it.
        name: Name of the loss, if not that of the function.
        **fields: Fields of the record that neither signature nor docstring contain; `not_hyperparameters` names
            parameters to ignore.
    """
    skipped = ("self", "y_true", "y_pred", *fields.pop("not_hyperparameters", ()))
    parameters = [
        parameter
        for parameter in inspect.signature(function, eval_str=True).parameters.values()
        if parameter.name not in skipped and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    docstring = inspect.cleandoc(function.__doc__ or "")
    arguments = _argument_descriptions(docstring)
    filled_in = engine_parameters(function)
    return LossSignature(
        name=name or function.__name__,
        function=function,
        family=family,
        hyperparameters={p.name: _hyperparameter(p, arguments) for p in parameters if p.name not in filled_in},
        context=tuple(name for name, mark in filled_in.items() if isinstance(mark, Context)),
        states=tuple(name for name, mark in filled_in.items() if isinstance(mark, State)),
        docstring=docstring,
        summary=" ".join(docstring.partition("\n\n")[0].split()),
        formula=_extract(r"\A[^\n]+\n(?:[^\n]+\n)*\n((?: {4}[^\n]+\n)+)", docstring),
        source=_extract(r"^Source: (.+?)\.?(?=\n\n|\Z)", docstring),
        aliases=tuple(alias for alias in _extract(r"^Aliases: (.+?)\.$", docstring).split(", ") if alias),
        **{"link": _extract(r"^Link: (softmax|sigmoid|none)\.$", docstring) or "none"} | fields,
    )


def _hyperparameter(parameter: inspect.Parameter, descriptions: Mapping[str, str]) -> Hyperparameter:
    name, annotation, default = parameter.name, parameter.annotation, parameter.default
    if annotation is REQUIRED:
        annotation = _type_of(default)
    kind, range_ = _type_and_range(annotation)
    return Hyperparameter(name, annotation, default, kind, range_, descriptions.get(name, ""))


def _type_of(default: object) -> Any:
    """Return the type of an unannotated hyperparameter: that of its default, and any number for an integer."""
    if type(default) is int:
        return int | float
    return type(default) if type(default) in (bool, float, str) else Any


_KINDS = {float: "a number", int: "a whole number", bool: "true or false", str: "text", type(None): "null"}


def _type_and_range(annotation: Any) -> tuple[str, str]:
    """Return type and range of an annotation in words: `("a number", "(0, 1]")`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_and_range(arguments[0])[0], _interval(arguments[1:])
    if origin is Literal:
        return "one of", ", ".join(map(str, arguments))
    if origin in (Union, UnionType):
        if set(arguments) == {int, float}:
            return "a number", ""
        (kind, range_), *others = map(_type_and_range, arguments)
        return kind, ", ".join(filter(None, (range_, *(f"or {other}" for other, _ in others))))
    if origin in (tuple, list):
        return "a list with one number per class", ""
    return _KINDS.get(annotation, "a value"), ""


def _interval(constraints: Iterable[Any]) -> str:
    """Return the bounds of an annotation in words, those inside pydantic's `Field` too: `> 0`, `≥ 0`, `(0, 1]`."""
    marks = [mark for constraint in constraints for mark in getattr(constraint, "metadata", [constraint])]
    bound = {sign: getattr(mark, sign) for mark in marks for sign in ("gt", "ge", "lt", "le") if hasattr(mark, sign)}
    lower = next(((text, bound[sign]) for sign, text in (("gt", "("), ("ge", "[")) if sign in bound), None)
    upper = next(((bound[sign], text) for sign, text in (("lt", ")"), ("le", "]")) if sign in bound), None)
    if lower and upper:
        return f"{lower[0]}{lower[1]:g}, {upper[0]:g}{upper[1]}"
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    return " ".join(f"{signs[sign]} {value:g}" for sign, value in bound.items())


def _extract(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE | re.DOTALL)
    return " ".join(match[1].split()) if match else ""


def _argument_descriptions(docstring: str) -> Mapping[str, str]:
    """Return the descriptions in the section `Args`."""
    section = re.search(r"^Args:\n((?:(?: {2,}.*)?\n?)*)", docstring, re.MULTILINE)
    entries = re.findall(r"^ {2,4}(\w+)(?: \(.*?\))?: (.*(?:\n {5,}.*)*)", section[1] if section else "", re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}
