"""Trial call of a loss, which finds errors before training starts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lossbench import ops
from lossbench.errors import PluginError
from lossbench.losses import registry
from lossbench.losses.binding import bind_term

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossbench.losses.expression import LossTerm


def try_call(terms: Sequence[LossTerm], classes: int, **context: Any) -> None:
    """Call each term once on a small batch, to find errors before training starts.

    Args:
        terms: Loss terms, as `parse` returns them.
        classes: Number of classes.
        **context: Context of the losses, as for `bind`.

    Raises:
        PluginError: If a user's loss fails or does not return floats of shape `[batch]` or a scalar.
        UsageError: If a hyperparameter does not fit the number of classes.
    """
    batch = classes + 1  # distinguishes [batch] from [classes]
    y_true = ops.one_hot(ops.arange(batch) % classes, classes)
    y_pred = ops.sin(ops.reshape(ops.arange(batch * classes, dtype="float32"), (batch, classes)))
    sizes = {"batch": batch, "images": batch, "classes": classes}
    for term in terms:
        signature = registry.find(term.name)
        loss = bind_term(term, context)
        states = {name: state.initialize(**sizes) for name, state in loss.states.items()}
        call_context = {
            name: ops.zeros([sizes[axis] for axis in mark.shape]) for name, mark in loss.call_context.items()
        }
        values, after = loss(y_true, y_pred, states, call_context)
        returned = f"{ops.dtype(values)} {tuple(values.shape)}" if ops.is_tensor(values) else type(values).__name__
        if not re.fullmatch(rf"b?float\d+ \(({batch},)?\)", returned):
            raise PluginError(
                f"{signature.plugin or signature.name}: the loss {signature.name!r} should return one float "
                f"per image, or a scalar; for {batch} images of {classes} classes it returned {returned}, "
                f"not float32 ({batch},)"
            )
        for name, state in states.items():
            if tuple(after[name].shape) != tuple(state.shape):
                raise PluginError(
                    f"{signature.plugin or signature.name}: the loss {signature.name!r} should return {name!r} with "
                    f"its shape {tuple(state.shape)}, not {tuple(after[name].shape)}"
                )
