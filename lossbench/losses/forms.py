"""Losses in a user's file: which of its names are losses, in which form, with which parameters.

A loss is a function `(y_true, y_pred, *, hyperparameters)`, a function of hyperparameters that returns such a function,
a subclass of `keras.losses.Loss`, or a variable: an instance of such a class, a `functools.partial`, a lambda, a bound
method, or a callable object. What is only imported is none.
"""

from __future__ import annotations

import ast
import inspect
import sys
from functools import partial
from types import CodeType
from typing import TYPE_CHECKING, Any

from lossbench.errors import PluginError
from lossbench.losses import call_order, registry
from lossbench.losses.signature import INPUT_FORMS, REQUIRED, LossSignature, engine_parameters, read_signature
from lossbench.losses.types import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lossbench.losses.user_code import Execution

LOSS_PARAMETERS = ("y_true", "y_pred")
"""First parameters of a loss, which distinguish it from other functions."""

KERAS_PARAMETERS = ("name", "reduction", "dtype")
"""Parameters of Keras' own constructor; YAML does not set them."""


def read_losses(execution: Execution) -> Iterator[tuple[str, LossSignature | PluginError]]:
    """Yield the losses of a user's file by name, each as its record or as the reason why it cannot be used."""
    module, file = execution.module, execution.file
    assigned = _assigned_names(file.source.content)
    for name, thing in vars(module).items():
        if name.startswith("_") or not (name in assigned or getattr(thing, "__module__", None) == module.__name__):
            continue
        try:
            with execution.active():
                read: LossSignature | PluginError | None = read_loss(name, thing, file.path)
        except PluginError as error:
            read = error
        if read:
            # A helper with the name of a loss of lossbench is in nobody's way.
            helper = isinstance(read, PluginError) and name in registry.names() and not _form(thing)
            yield f"{file.path.stem}.{name}" if helper else name, read


def read_loss(name: str, thing: Any, path: Path) -> LossSignature | None:
    """Return the record of an object under a name; None if it is no loss.

    Args:
        name: The name of the loss.
        thing: Function, class, instance or partial.
        path: What errors name as the place where it is defined.

    Raises:
        PluginError: If it is a loss that cannot be used.
    """
    if advice := call_order.advice(name, thing, path):
        raise PluginError(advice)
    form = _form(thing)
    return _read(name, thing, form, path) if form else None


def _assigned_names(source: bytes) -> set[str]:
    """Return the names that a file binds by assignment, rather than by import or definition."""
    return {
        node.id
        for statement in ast.parse(source).body
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def _form(thing: Any) -> str | None:
    """Return which form of a loss an object has, if any."""
    if isinstance(thing, partial):
        return _form_of_partial(thing)
    if inspect.isclass(thing):
        return "class" if _is_keras_loss(thing) else "factory" if _is_callable_class(thing) else None
    if _is_keras_loss(type(thing)):
        return "instance"
    if not callable(thing):
        return None
    if _begins_as_loss(thing):
        return "function"
    code = getattr(inspect.unwrap(thing), "__code__", None)
    inner = [constant for constant in getattr(code, "co_consts", ()) if isinstance(constant, CodeType)]
    return "factory" if any(each.co_varnames[:2] == LOSS_PARAMETERS for each in inner) else None


def _form_of_partial(thing: partial[Any]) -> str | None:
    """Return the form of a partial; `partial(loss, gamma=3)` is a function, one of a class still a class."""
    form = _form(thing.func)
    return form if form != "function" or _begins_as_loss(thing) else None


def _is_keras_loss(kind: type) -> bool:
    keras: Any = sys.modules.get("keras")  # a file with a Keras loss has imported Keras
    return keras is not None and issubclass(kind, keras.losses.Loss) and kind is not keras.losses.Loss


def _is_callable_class(kind: type) -> bool:
    call = vars(kind).get("__call__") if not kind.__module__.startswith("keras.") else None
    return inspect.isfunction(call) and tuple(inspect.signature(call).parameters)[1:3] == LOSS_PARAMETERS


def _begins_as_loss(thing: Callable[..., Any]) -> bool:
    try:
        return tuple(inspect.signature(thing).parameters)[:2] == LOSS_PARAMETERS
    except (TypeError, ValueError):  # a built-in function without a signature
        return False


def _read(name: str, thing: Any, form: str, path: Path) -> LossSignature:
    _refuse_other_functions(name, thing, path)
    parameters = {} if form == "instance" else inspect.signature(thing).parameters
    keras_own = KERAS_PARAMETERS if form == "class" else ("name",)
    signature = read_signature(
        thing,
        path.stem,
        name=name,
        form=form,
        plugin=path,
        filled_in=tuple(
            key
            for key, parameter in parameters.items()
            if key == "from_logits" or (key in keras_own and parameter.default is REQUIRED)
        ),
        not_hyperparameters=("from_logits", *keras_own),
        **_fixed_input_forms(thing) | _input_forms(name, thing, path),
    )
    contexts = {context for other in registry.signatures().values() for context in other.context}
    if taken := [key for key in signature.hyperparameters if key in contexts]:
        raise PluginError(
            f"{path}: the loss {name!r} has a parameter {taken[0]!r}, a name that the engine uses: annotate it with "
            "its type of lossbench.losses.types, or rename it"
        )
    _check_hyperparameters(signature)
    _check_context(signature)
    return signature


def _refuse_other_functions(name: str, thing: Any, path: Path) -> None:
    """Raise an error for functions that do not return a loss when they are called."""
    function = inspect.unwrap(thing.func if isinstance(thing, partial) else thing)
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise PluginError(f"{path}: {name} is an async function, and a loss returns its values at once: write def")
    if inspect.isgeneratorfunction(function):
        raise PluginError(f"{path}: {name} yields, and a loss returns its values at once: write return")
    if inspect.isroutine(function):
        only_positional = [
            key
            for key, parameter in inspect.signature(function).parameters.items()
            if parameter.kind is parameter.POSITIONAL_ONLY and key not in LOSS_PARAMETERS
        ]
        if only_positional:
            raise PluginError(f"{path}: {name} takes {only_positional[0]!r} by position only: move the '/' before it")


def _input_forms(name: str, thing: Any, path: Path) -> dict[str, str]:
    """Return the forms of the inputs that the file sets as attributes."""
    set_by_file = {key: getattr(thing, key) for key in INPUT_FORMS if isinstance(getattr(thing, key, None), str)}
    for key, value in set_by_file.items():
        if value not in INPUT_FORMS[key]:
            raise PluginError(f"{path}: {name}.{key} should be one of {', '.join(INPUT_FORMS[key])}, not {value!r}")
    return set_by_file


def _fixed_input_forms(thing: Any) -> dict[str, str]:
    """Return the forms of the inputs that follow from how an instance or a partial was made."""
    made_with = thing.keywords if isinstance(thing, partial) else _config(thing)
    forms = {}
    if isinstance(made_with.get("from_logits"), bool):
        forms["outputs"] = "logits" if made_with["from_logits"] else "probabilities"
    kind = (
        thing.func
        if isinstance(thing, partial)
        else thing
        if callable(thing) and hasattr(thing, "__name__")
        else type(thing)
    )
    if kind.__module__.startswith("keras.") and kind.__name__.lower().startswith("sparse"):
        forms["labels"] = "integer"
    return forms


def _config(thing: Any) -> dict[str, Any]:
    """Return how a Keras loss was made: its `get_config`, and its attribute `from_logits`."""
    if inspect.isclass(thing) or not _is_keras_loss(type(thing)):
        return {}
    made_with = {"from_logits": thing.from_logits} if hasattr(thing, "from_logits") else {}
    try:
        return {**made_with, **thing.get_config()}
    except Exception:  # noqa: BLE001  # a user's class need not have one
        return made_with


def _check_hyperparameters(signature: LossSignature) -> None:
    """Check that each default matches its annotation."""
    for hyperparameter in signature.hyperparameters.values():
        try:
            hyperparameter.plain_default  # noqa: B018  # computing it validates it
        except ValueError as error:
            raise PluginError(
                f"{signature.plugin}: the loss {signature.name!r}: the default of {hyperparameter.name!r}, "
                f"{hyperparameter.default!r}, does not match its annotation: expected {hyperparameter.expected}"
            ) from error


def _check_context(signature: LossSignature) -> None:
    """Check that each parameter of a context type has the name that the engine fills in."""
    marks = {
        name: mark for each in registry.built_in().values() for name, mark in engine_parameters(each.function).items()
    }
    for name, mark in engine_parameters(signature.function).items():
        if isinstance(mark, Context) and name not in marks:
            expected = next((known for known, other in marks.items() if other == mark), "no context of lossbench")
            raise PluginError(
                f"{signature.plugin}: the loss {signature.name!r}: its parameter {name!r} has the type of "
                f"{expected!r}: name it so"
            )
