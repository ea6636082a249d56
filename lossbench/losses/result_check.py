"""Check of what a loss returns for a small batch."""

from __future__ import annotations

import inspect
import linecache
import re
from typing import TYPE_CHECKING, Any

from lossbench import ops
from lossbench.errors import PluginError
from lossbench.losses import registry
from lossbench.losses.binding import bind_term

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lossbench.losses.binding import BoundTerm
    from lossbench.losses.expression import LossTerm
    from lossbench.losses.signature import LossSignature


def check_result(term: LossTerm, classes: int, context: Mapping[str, Any]) -> None:
    """Call a term eagerly and check the dtype and shape of the losses and of the states.

    Raises:
        PluginError: If a user's loss fails, or returns something else.
        UsageError: If a hyperparameter does not fit the number of classes.
    """
    batch = classes + 1  # distinguishes [batch] from [classes]
    y_true = ops.one_hot(ops.arange(batch) % classes, classes)
    y_pred = ops.sin(ops.reshape(ops.arange(batch * classes, dtype="float32"), (batch, classes)))
    sizes = {"batch": batch, "images": batch, "classes": classes}
    signature = registry.find(term.name)
    loss = bind_term(term, context)
    _check_constructed(loss)
    states = {name: state.initialize(**sizes) for name, state in loss.states.items()}
    call_context = {name: ops.zeros([sizes[axis] for axis in mark.shape]) for name, mark in loss.call_context.items()}
    values, after = loss(y_true, y_pred, states, call_context)
    returned = f"{ops.dtype(values)} {tuple(values.shape)}" if ops.is_tensor(values) else type(values).__name__
    if not re.fullmatch(rf"b?float\d+ \(({batch},)?\)", returned):
        raise PluginError(
            f"{definition(signature)}: the loss {signature.name!r} should return one float per image, or a scalar; for "
            f"{batch} images of {classes} classes it returned {returned}, not float32 ({batch},)"
            + _advice_on_result(returned, batch, classes)
        )
    for name, state in states.items():
        if tuple(after[name].shape) != tuple(state.shape):
            raise PluginError(
                f"{definition(signature)}: the loss {signature.name!r} should return {name!r} with "
                f"its shape {tuple(state.shape)}, not {tuple(after[name].shape)}"
            )


def _check_constructed(loss: BoundTerm) -> None:
    """Raise an error for a class of Keras whose constructor does not call that of Keras."""
    signature = loss.signature
    if signature.form == "class" and not hasattr(loss.function, "name"):
        raise PluginError(
            f"{definition(signature)}: the loss {signature.name!r}: its constructor should begin with "
            "super().__init__(**kwargs)"
        )


def _advice_on_result(returned: str, batch: int, classes: int) -> str:
    advice = {
        rf".* \({batch}, {classes}\)": "reduce over the last axis, e.g. ops.sum(losses, axis=-1)",
        rf".* \({classes},\)": "it reduces over the images; reduce over the last axis, e.g. ops.sum(losses, axis=-1)",
        rf".* \({batch}, 1\)": "remove keepdims=True, or the last axis with ops.squeeze(losses, axis=-1)",
        r"tuple|list|dict": "return the losses alone",
        r"NoneType": "is there a `return` on every path?",
        r"ndarray": "NumPy functions have no gradient: use ops instead, e.g. ops.log for np.log",
        r"(int|uint|bool).*": "whole numbers have no gradient",
    }
    return next((f": {words}" for pattern, words in advice.items() if re.fullmatch(pattern, returned)), "")


def definition(signature: LossSignature) -> str:
    """Return file and line of the definition of a user's loss; the name of any other loss."""
    if not signature.plugin:
        return signature.name
    try:
        line = inspect.getsourcelines(inspect.unwrap(signature.function))[1]
    except (OSError, TypeError):  # a variable, e.g. an instance of a class
        lines = enumerate(linecache.getlines(str(signature.plugin)), start=1)
        line = next((number for number, text in lines if re.match(rf"{signature.name}\s*[:=]", text)), 1)
    return f"{signature.plugin}:{line}"
