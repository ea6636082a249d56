"""User losses: a Python file whose public functions and Keras losses join the catalogue.

A loss has one of four forms:

1. a function `(y_true, y_pred, *, hyperparameters)` that returns `[batch]` or a scalar;
2. a function of hyperparameters only that returns such a function, defined inside it;
3. a subclass of `keras.losses.Loss` whose constructor arguments are the hyperparameters;
4. a variable that holds an instance of such a class, or a `functools.partial` of one of the others.

Targets are one-hot and outputs are logits, unless the function or class has the attributes `labels = "integer"` or
`outputs = "probabilities"`, or YAML sets them. A line `Link: softmax.` in the docstring states that the loss trains
softmax probabilities; without it, and unless the loss gets probabilities, its NLL is not ranked.
"""

from __future__ import annotations

import dataclasses
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossbench import ops
from lossbench.errors import PluginError
from lossbench.losses import registry
from lossbench.losses.forms import read_losses
from lossbench.losses.user_code import Execution, UserFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lossbench.losses.expression import LossTerm
    from lossbench.losses.signature import LossSignature


@dataclass(frozen=True)
class PluginLoaded:
    """Loaded plugin: its file, the hash of its bytes, and the canonical names of its losses.

    Attributes:
        imports: SHA-256 of each file beside it that it imports; `sha256` covers them too.
        unusable: The reasons why other losses in it cannot be used.
        in_memory: The loss itself, if it is in no file but in a running program; None otherwise.
    """

    path: Path
    sha256: str
    names: tuple[str, ...]
    imports: Mapping[str, str] = field(default_factory=dict)
    unusable: tuple[str, ...] = ()
    in_memory: Any = None


def load(path: Path) -> PluginLoaded:
    """Execute a file and add its losses to the catalogue; loading unchanged files again has no effect.

    Args:
        path: A Python file.

    Returns:
        The file, its hash and the names of its losses.

    Raises:
        PluginError: If the file cannot be read or executed, or has no loss that can be used. Why one of several losses
            cannot be used is raised when it is named.
    """
    path = Path(os.path.realpath(path))  # Path.resolve raises for circular links
    executions = (each.execution for each in registry.signatures().values() if each.plugin == path)
    file = next((each.file for each in executions if each), None)
    if file is None or not file.is_unchanged():
        file = _read_file(path)
        registry.replace(path, _read_losses(file))
    names = tuple(signature.name for signature in registry.signatures().values() if signature.plugin == path)
    if not names:
        raise PluginError("\n".join(registry.unusable(path)) or f"{path}: has no loss: {registry.FORMS}")
    return PluginLoaded(path, file.sha256, names, file.imports, registry.unusable(path))


def execute_again(terms: Sequence[LossTerm]) -> None:
    """Execute the files of the users' losses among the terms again, so that `bind` finds losses that never ran.

    Raises:
        PluginError: If the code raises.
    """
    executions = (registry.find(term.name).execution for term in terms)
    for file in {each.file.path: each.file for each in executions if isinstance(each, Execution)}.values():
        registry.replace(file.path, _read_losses(file))


def _read_file(path: Path) -> UserFile:
    file = UserFile(path)
    if path.suffix != ".py":
        raise PluginError(f"{path}: not a Python file; its name should end in .py")
    if b"keras" in file.content or b"tensorflow" in file.content:
        with suppress(ImportError):  # the import in the file will fail, and report its line
            ops.quiet_keras()
    return file


def _read_losses(file: UserFile) -> dict[str, LossSignature | PluginError]:
    """Execute a file and return its losses by name, each as its record or as the reason why it cannot be used."""
    execution = file.execute()
    return {
        name: read if isinstance(read, PluginError) else dataclasses.replace(read, execution=execution)
        for name, read in read_losses(execution)
    }
