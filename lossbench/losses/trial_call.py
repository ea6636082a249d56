"""Trial calls of a loss, which find errors before training starts.

Every loss is called once. A user's loss is also compiled and differentiated as in training: see `trial`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lossbench import ops
from lossbench.losses import registry
from lossbench.losses.result_check import check_result
from lossbench.losses.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lossbench.losses.behaviour import Gradient
    from lossbench.losses.expression import LossTerm
    from lossbench.losses.trial import Differentiate
    from lossbench.losses.types import Tensor


def try_call(
    terms: Sequence[LossTerm], classes: int, *, differentiate: Differentiate | None = None, **context: Any
) -> None:
    """Call each term on a small batch, and each user's loss on ordinary logits, before training starts.

    Args:
        terms: Loss terms, as `parse` returns them.
        classes: Number of classes.
        differentiate: Compiles and differentiates a loss as training does; None: eagerly, on any Keras backend.
        **context: Context of the losses, as for `bind`.

    Raises:
        PluginError: If a user's loss fails, does not return floats of shape `[batch]` or a scalar, has no gradient, or
            needs its inputs in another form.
        UsageError: If a hyperparameter does not fit the number of classes.
    """
    flat = []
    for term in terms:
        if registry.find(term.name).plugin:
            trial = Trial(term, classes, context, differentiate or _eagerly)
            if not trial.check().has_gradient:
                flat.append(trial)
        else:
            check_result(term, classes, context)
    for trial in flat:
        if len(flat) == len(terms) or not trial.is_switched_off():
            raise trial.error("no gradient reaches the logits" + trial.advice_on_gradient())


def _eagerly(loss: Callable[[Tensor, Tensor], Tensor], classes: int) -> Gradient:  # noqa: ARG001 - the interface's
    from lossbench.losses.lab.probe import gradient, values

    def connected(y_true: Tensor, y_pred: Tensor) -> Tensor:  # Keras raises an error where there is no gradient at all
        return loss(y_true, y_pred) + 0 * ops.sum(y_pred)

    return lambda y_true, y_pred: (values(loss, y_true, y_pred), gradient(connected, y_true, y_pred))
