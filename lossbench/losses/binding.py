"""From validated terms to a function of targets and logits."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from lossbench import ops
from lossbench.errors import UsageError
from lossbench.losses.blame import blame
from lossbench.losses.catalogue import find

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import TypeAlias

    from lossbench.losses.spec import LossSpec
    from lossbench.losses.terms import LossTerm
    from lossbench.losses.types import Tensor

    Loss: TypeAlias = Callable[[Tensor, Tensor], Tensor]


def bind(terms: Sequence[LossTerm], **context: Any) -> Loss:
    """The weighted sum of the terms as one function.

    Args:
        terms: What `parse` returned.
        **context: What losses ask their surroundings for: `class_counts`, …; more than they ask for does no harm.

    Returns:
        A function of targets `[batch, classes]` and logits `[batch, classes]` that returns `[batch]`, or a scalar if
        every term couples the batch. It computes in float32.

    Raises:
        UsageError: If a loss asks for something that `context` lacks.
        PluginError: If a user's own loss fails, now or when the function is called.
    """
    parts = [(term.weight, bind_term(term, context)) for term in terms]

    def loss(y_true: Tensor, y_pred: Tensor) -> Tensor:
        y_true, y_pred = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        return sum(weight * part(y_true, y_pred) for weight, part in parts)

    return loss


def bind_term(term: LossTerm, context: Mapping[str, Any]) -> Loss:
    """One term with everything but targets and logits filled in, which it gets in the form that it wants."""
    spec = find(term.name)
    with _on_behalf_of(spec):
        function = _made(spec, term.hyperparameters, _asked(spec, context))
    integer = (term.labels or spec.labels) == "integer"
    probabilities = (term.outputs or spec.outputs) == "probabilities"
    squash = "sigmoid" if spec.link == "sigmoid" else "softmax"

    def loss(y_true: Tensor, y_pred: Tensor) -> Tensor:
        labels = ops.cast(ops.argmax(y_true, axis=-1), "int32") if integer else y_true
        outputs = getattr(ops, squash)(y_pred) if probabilities else y_pred
        with _on_behalf_of(spec):
            return function(labels, outputs)

    return loss


def _asked(spec: LossSpec, context: Mapping[str, Any]) -> dict[str, Tensor]:
    if missing := [name for name in spec.context if context.get(name) is None]:
        raise UsageError(f"loss {spec.name!r} needs {', '.join(missing)}: hand it over by keyword")
    return {name: ops.convert_to_tensor(context[name], dtype="float32") for name in spec.context}


def _made(spec: LossSpec, hyperparameters: Mapping[str, Any], context: Mapping[str, Tensor]) -> Loss:
    if spec.form == "function":
        return partial(spec.function, **hyperparameters, **context)
    made: Any = spec.function(**hyperparameters)
    if spec.form == "class":
        made.reduction = "none"  # the training step reduces, once
    return made  # type: ignore[no-any-return]  # what a user's factory returns is only known once it is called


def _on_behalf_of(spec: LossSpec) -> AbstractContextManager[None]:
    return blame(spec.plugin) if spec.plugin else nullcontext()
