"""Record of a loss, read from the signature and docstring of its function."""

from __future__ import annotations

import inspect
import re
from collections import abc
from dataclasses import dataclass
from functools import cached_property, partial
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from lossbench.losses.default_types import like, type_of, with_entries_of
from lossbench.losses.plain_data import recorded, same, to_plain
from lossbench.losses.type_hints import resolved_signature
from lossbench.losses.type_words import type_and_range
from lossbench.losses.types import Context, State, UsedIf
from lossbench.losses.values import WHOLE_OR_NOT, FromFile, convert, is_any, is_array, is_known

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from lossbench.losses.user_code import Execution

REQUIRED = inspect.Parameter.empty
"""Default of a hyperparameter without a default."""

IN_FILE: Any = type("InFile", (), {"__repr__": lambda _: "set in the file"})()
"""Default that YAML cannot express, e.g. an array or a function; only the user's file has it."""

INPUT_FORMS = {"labels": ("one_hot", "integer"), "outputs": ("logits", "probabilities")}
"""Keys by which a user's loss chooses the form of its inputs, with their values."""

LONGEST_DEFAULT = 4000
"""Characters of the longest default that is recorded with a run."""


@dataclass(frozen=True)
class Hyperparameter:
    """Keyword of a loss that YAML may set.

    Attributes:
        annotation: Its annotation, or the type of its default if there is none that values can be converted by.
        default: The default as its author wrote it.
        type: The annotation in words.
        range: The range that the annotation allows, in words.
    """

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

    @cached_property
    def plain_default(self) -> Any:
        """The default as plain data; `REQUIRED` without one, `IN_FILE` if YAML cannot express it."""
        if self.default is REQUIRED or is_array(type(self.default)):
            return self.default if self.default is REQUIRED else IN_FILE
        try:
            plain = to_plain(self.default)
        except ValueError:
            return IN_FILE
        return canonical(self, plain) if len(str(plain)) <= LONGEST_DEFAULT else IN_FILE

    def python_value(self, plain: object) -> Any:
        """Return a value as the Python object that the loss gets."""
        return like(self.default, convert(self.annotation, plain))

    def is_default(self, plain: object) -> bool:
        """Return whether a value is that of the default, which the loss then gets as its author wrote it."""
        return self.plain_default is not IN_FILE and same(plain, self.plain_default)


def canonical(hyperparameter: Hyperparameter, value: object) -> Any:
    """Validate a value strictly by its annotation, and return it as plain data; an integer becomes a float for `float`.

    Raises:
        ValueError: If the value is of another type or outside the range.
    """
    plain = to_plain(value)
    converted = convert(hyperparameter.annotation, plain)
    try:
        return recorded(converted, plain)
    except ValueError:  # e.g. a date, which YAML has as text
        return plain


@dataclass(frozen=True, eq=False)
class LossSignature:
    """Everything known about one loss.

    Attributes:
        form: Whether `function` is the loss itself, a factory that returns the loss, a class with the loss as its
            instance, or such an instance.
        labels: Form of the targets that the loss takes; the engine converts.
        outputs: Form of the predictions that the loss takes; the engine converts.
        context: Names of the parameters that the engine fills in from the data.
        execution: The execution of the plugin that defined `function`.
        states: Names of the parameters that hold state.
        filled_in: Names of the other parameters that the engine fills in: `from_logits` by `outputs`, and what Keras'
            own constructor takes.
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
    form: Literal["function", "factory", "class", "instance"] = "function"
    plugin: Path | None = None
    execution: Execution | None = None
    states: tuple[str, ...] = ()
    filled_in: tuple[str, ...] = ()

    @property
    def weight_key(self) -> str:
        """The key of its factor in a weighted list: `weight`, or `term_weight` if it has a parameter of that name."""
        key = "weight"
        while key in self.hyperparameters:
            key = f"term_{key}"
        return key

    @property
    def input_form_keys(self) -> tuple[str, ...]:
        """The keys by which YAML sets the form of its inputs, unless they are parameters of its own."""
        return tuple(key for key in INPUT_FORMS if self.plugin and key not in self.hyperparameters)

    def used_context(self, hyperparameters: Mapping[str, Any]) -> Mapping[str, Context]:
        """Return the marks of the context parameters that the loss uses with these hyperparameters."""
        conditions = context_conditions(self.function)
        return {
            name: mark
            for name, mark in engine_parameters(self.function).items()
            if isinstance(mark, Context) and (name not in conditions or conditions[name].holds(hyperparameters))
        }

    def has_default(self, parameter: str) -> bool:
        """Return whether a context parameter has a value to fall back on; None is no such value."""
        default = inspect.signature(self.function).parameters[parameter].default
        return default is not REQUIRED and default is not None


def engine_parameters(function: Callable[..., Any]) -> Mapping[str, Context | State]:
    """Return the parameters of a loss that the engine fills in, context and state, with their marks."""
    return _marked(function, Context | State)


def context_conditions(function: Callable[..., Any]) -> Mapping[str, UsedIf]:
    """Return the context parameters that only some hyperparameters use."""
    return _marked(function, UsedIf)


def _marked(function: Callable[..., Any], kind: Any) -> Mapping[str, Any]:
    """Return the parameters whose annotation carries a mark of a kind, with that mark."""
    marks = {
        name: next((mark for mark in _metadata(parameter.annotation) if isinstance(mark, kind)), None)
        for name, parameter in resolved_signature(function).parameters.items()
    }
    return {name: mark for name, mark in marks.items() if mark}


def _metadata(annotation: Any) -> Iterable[Any]:
    """Return the marks of an annotation, those of `ClassCounts | None` too."""
    if get_origin(annotation) in (Union, UnionType):
        return [mark for member in get_args(annotation) for mark in _metadata(member)]
    return getattr(annotation, "__metadata__", ())


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
        for parameter in resolved_signature(function).parameters.values()
        if fields.get("form") != "instance"
        and parameter.name not in skipped
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    docstring = inspect.cleandoc(_documented(function).__doc__ or "")
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
    name, default = parameter.name, parameter.default
    annotation = _usable_annotation(parameter.annotation, default)
    kind, range_ = type_and_range(annotation)
    return Hyperparameter(name, annotation, default, kind, range_, descriptions.get(name, ""))


def _documented(function: Any) -> Any:
    """Return the function behind a `functools.partial`, whose own docstring is that of `partial`."""
    return _documented(function.func) if isinstance(function, partial) else function


def _usable_annotation(annotation: Any, default: Any) -> Any:
    """Return an annotation that values can be converted by: the given one, which takes None if that is the default.

    Without an annotation, and with one that says nothing or that pydantic does not know, it is the default's type.
    """
    inner = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    if annotation is REQUIRED or is_any(inner) or not is_known(annotation):
        return type_of(default)
    if (get_origin(annotation) or annotation) is abc.Callable:
        return FromFile()
    if default is None:
        return annotation if NoneType in get_args(annotation) else Union[annotation, None]  # noqa: UP007  # `|` takes only types
    if annotation is int and isinstance(default, float):
        return WHOLE_OR_NOT
    if isinstance(default, list | tuple | abc.Set | abc.Mapping) and not _accepts(annotation, default):
        return Union[annotation, type_of(default)]  # noqa: UP007  # `|` takes only types
    return with_entries_of(default, annotation) if is_array(type(default)) else annotation


def _accepts(annotation: Any, default: Any) -> bool:
    try:
        convert(annotation, to_plain(default))
    except ValueError:
        return False
    return True


def _extract(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE | re.DOTALL)
    return " ".join(match[1].split()) if match else ""


def _argument_descriptions(docstring: str) -> Mapping[str, str]:
    """Return the descriptions in the section `Args`."""
    section = re.search(r"^Args:\n((?:(?: {2,}.*)?\n?)*)", docstring, re.MULTILINE)
    entries = re.findall(r"^ {2,4}(\w+)(?: \(.*?\))?: (.*(?:\n {5,}.*)*)", section[1] if section else "", re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}
