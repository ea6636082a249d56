"""User losses: a Python file whose public functions and Keras losses join the catalogue.

A loss has one of three forms:

1. a function `(y_true, y_pred, *, hyperparameters)` that returns `[batch]` or a scalar;
2. a function of hyperparameters only that returns such a function, defined inside it;
3. a subclass of `keras.losses.Loss` whose constructor arguments are the hyperparameters.

Targets are one-hot and outputs are logits, unless the function or class has the attributes `labels = "integer"` or
`outputs = "probabilities"`, or YAML sets them. A line `Link: softmax.` in the docstring states that the loss trains
softmax probabilities; without it, and unless the loss gets probabilities, its NLL is not ranked.
"""

from __future__ import annotations

import dataclasses
import inspect
import os
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

from lossbench import ops
from lossbench.errors import PluginError
from lossbench.losses import registry
from lossbench.losses.expression import INPUT_FORMS, RESERVED, canonical, type_adapter
from lossbench.losses.signature import REQUIRED, LossSignature, read_signature
from lossbench.losses.user_code import UserFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lossbench.losses.expression import LossTerm
    from lossbench.losses.user_code import Execution

LOSS_PARAMETERS = ("y_true", "y_pred")
"""First parameters of a loss, which distinguish it from other functions."""


@dataclass(frozen=True)
class PluginLoaded:
    """Loaded plugin: its file, the hash of its bytes, and the canonical names of its losses.

    Attributes:
        imports: SHA-256 of each file beside it that it imports; `sha256` covers them too.
    """

    path: Path
    sha256: str
    names: tuple[str, ...]
    imports: Mapping[str, str] = field(default_factory=dict)


def load(path: Path) -> PluginLoaded:
    """Execute a file and add its losses to the catalogue; loading unchanged files again has no effect.

    Args:
        path: A Python file.

    Returns:
        The file, its hash and the names of its losses.

    Raises:
        PluginError: If the file cannot be read or executed, has no loss, or has one whose name is taken.
    """
    path = Path(os.path.realpath(path))  # Path.resolve raises for circular links
    executions = (each.execution for each in registry.signatures().values() if each.plugin == path)
    file = next((each.file for each in executions if each), None)
    if file is None or not file.is_unchanged():
        file = _read_file(path)
        registry.replace(path, _signatures(file))
    names = (signature.name for signature in registry.signatures().values() if signature.plugin == path)
    return PluginLoaded(path, file.sha256, tuple(names), file.imports)


def execute_again(terms: Sequence[LossTerm]) -> None:
    """Execute the files of the users' losses among the terms again, so that `bind` finds losses that never ran.

    Raises:
        PluginError: If the code raises.
    """
    executions = (registry.find(term.name).execution for term in terms)
    for file in {each.file.path: each.file for each in executions if each}.values():
        registry.replace(file.path, _signatures(file))


def _read_file(path: Path) -> UserFile:
    file = UserFile(path)
    if path.suffix != ".py":
        raise PluginError(f"{path}: not a Python file; its name should end in .py")
    if b"keras" in file.content or b"tensorflow" in file.content:
        with suppress(ImportError):  # the import in the file will fail, and report its line
            ops.quiet_keras()
    return file


def _signatures(file: UserFile) -> list[LossSignature]:
    """Execute a file and return the signatures of its losses.

    Raises:
        PluginError: If there is none, or one cannot be used.
    """
    execution = file.execute()
    found = [dataclasses.replace(each, execution=execution) for each in _losses(execution)]
    if not found:
        raise PluginError(
            f"{file.path}: has no loss: expected a public function (y_true, y_pred, *, hyperparameters), a function "
            "that defines and returns one, or a subclass of keras.losses.Loss"
        )
    for signature in found:
        _check_hyperparameters(signature)
    return found


def _losses(execution: Execution) -> Iterator[LossSignature]:
    module = execution.module
    for name, thing in vars(module).items():
        if name.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
            continue
        if form := _form(thing):
            with execution.active():
                yield _read_plugin_signature(name, thing, form, execution.file.path)


def _form(thing: Any) -> str | None:
    """Return which of the three forms of a loss an object has, if any."""
    if inspect.isclass(thing):
        keras = sys.modules.get("keras")  # a file with a Keras loss has imported Keras
        return "class" if keras and issubclass(thing, keras.losses.Loss) else None
    function = inspect.unwrap(thing) if callable(thing) else None
    if not inspect.isfunction(function):
        return None
    if tuple(inspect.signature(function).parameters)[:2] == LOSS_PARAMETERS:
        return "function"
    inner = [constant for constant in function.__code__.co_consts if isinstance(constant, CodeType)]
    return "factory" if any(code.co_varnames[:2] == LOSS_PARAMETERS for code in inner) else None


def _read_plugin_signature(name: str, thing: Callable[..., Any], form: str, path: Path) -> LossSignature:
    input_forms = {key: getattr(thing, key) for key in INPUT_FORMS if isinstance(getattr(thing, key, None), str)}
    for key, value in input_forms.items():
        if value not in INPUT_FORMS[key]:
            raise PluginError(f"{path}: {name}.{key} should be one of {', '.join(INPUT_FORMS[key])}, not {value!r}")
    constructor = ("name", "reduction", "dtype") if form == "class" else ()
    signature = read_signature(
        thing, path.stem, name=name, form=form, plugin=path, not_hyperparameters=constructor, **input_forms
    )
    engine = {*RESERVED, *(name for other in registry.signatures().values() for name in other.context)}
    if taken := [key for key in signature.hyperparameters if key in engine]:
        raise PluginError(
            f"{path}: the loss {name!r} has a parameter {taken[0]!r}, a name that the engine uses: rename it"
        )
    return signature


def _check_hyperparameters(signature: LossSignature) -> None:
    """Check that each annotation can validate values, and that each default is valid."""
    for hyperparameter in signature.hyperparameters.values():
        name, default = hyperparameter.name, hyperparameter.default
        try:
            type_adapter(hyperparameter)
            if default is not REQUIRED:
                canonical(hyperparameter, default)
        except Exception as error:  # pydantic has several families of errors for this
            raise PluginError(
                f"{signature.plugin}: the loss {signature.name!r}: the default of {name!r}, {default!r}, does not "
                f"match its annotation: expected {hyperparameter.expected}"
            ) from error
