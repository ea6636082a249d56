"""Types for the signature of a loss function.

A hyperparameter is a keyword-only parameter: `q: Annotated[float, Gt(0), Le(1)] = 0.7`. A parameter of a context type
is filled in by the engine from the data and cannot be set in YAML. State that a loss keeps from one batch to the next
is a parameter too, and is returned next to the losses, so that the function stays pure:

    def remembering(y_true, y_pred, *, memory: Annotated[Tensor, State(("images", "classes"), 0.0)]):
        memory = 0.9 * memory + 0.1 * ops.softmax(y_pred)
        return losses, {"memory": memory}
"""

from __future__ import annotations

from dataclasses import dataclass
from inspect import signature
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from annotated_types import Ge, Gt, Lt, MinLen, Predicate

from lossbench import ops

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

Tensor: TypeAlias = Any
"""A tensor of any Keras backend; an alias, so that signatures resolve where no backend is installed."""

Positive: TypeAlias = Annotated[float, Gt(0)]
NonNegative: TypeAlias = Annotated[float, Ge(0)]
Smoothing: TypeAlias = Annotated[float, Ge(0), Lt(1)]
"""Share of a label that is spread evenly over all classes, or over the two outcomes of one-vs-rest."""

Weights: TypeAlias = Annotated[tuple[NonNegative, ...], MinLen(2), Predicate(any)]
"""One number per class, not all 0; a class with 0 has no loss."""

PerClass: TypeAlias = Positive | Weights
"""One number for all classes, or one per class."""

ROW_SUM_TOLERANCE = 1e-5
LARGEST_CONDITION = 1e6
"""Largest condition number of a matrix that is inverted in float32, which has 7 digits."""


@dataclass(frozen=True)
class Context:
    """Mark of a parameter that the engine fills in.

    Args:
        description: Meaning of the value, for users.
        shape: Names of its axes: `batch`, `classes`.
        changes: Whether it changes during training; only then may it be passed with each call.
        find_problem: Returns the reason why a value cannot be used, or None; called when the loss is bound.
    """

    description: str
    shape: tuple[str, ...] = ()
    changes: bool = False
    find_problem: Callable[[NDArray[Any]], str | None] = lambda _: None


@dataclass(frozen=True)
class UsedIf:
    """Mark of a context parameter that only some hyperparameters use; with the others it keeps its default.

    Args:
        condition: Whether the loss uses the context: a function of the hyperparameters that its parameters name.
    """

    condition: Callable[..., bool]

    @property
    def hyperparameters(self) -> tuple[str, ...]:
        """Names of the hyperparameters that decide."""
        return tuple(signature(self.condition).parameters)

    def holds(self, hyperparameters: Mapping[str, Any]) -> bool:
        """Return whether the loss uses the context with these hyperparameters."""
        return self.condition(*(hyperparameters[name] for name in self.hyperparameters))


@dataclass(frozen=True)
class State:
    """Mark of a parameter that holds state of a loss, per image or per run.

    Args:
        shape: Names of its axes: `images`, `classes`. If `images` is first, the loss gets the rows of the batch.
        initial: Value of every entry before the first step.
    """

    shape: tuple[str, ...]
    initial: float

    @property
    def per_image(self) -> bool:
        """Whether there is one row per image."""
        return self.shape[:1] == ("images",)

    def initialize(self, **sizes: int) -> Tensor:
        """Return the state before the first step, for the sizes of the axes `images` and `classes`."""
        return ops.full([sizes[axis] for axis in self.shape], self.initial, dtype="float32")


def _class_counts_problem(counts: NDArray[Any]) -> str | None:
    empty = [str(index) for index, count in enumerate(counts) if not count > 0]
    if empty:
        return (
            f"no training image carries the label {', '.join(empty)}; keep some of every class, or choose another loss"
        )
    return None


def _row_problem(matrix: NDArray[Any]) -> str | None:
    for index, row in enumerate(matrix):
        if not (row >= 0).all() or not abs(row.sum() - 1) <= ROW_SUM_TOLERANCE:
            return f"row {index}: expected probabilities that sum to 1, got {row.tolist()}"
    return None


def _inverse_problem(matrix: NDArray[Any]) -> str | None:
    from numpy import linalg

    if reason := _row_problem(matrix):
        return reason
    if linalg.cond(matrix) > LARGEST_CONDITION:
        return "this matrix is singular and has no inverse; use forward_correction, or less noise"
    return None


ClassCounts: TypeAlias = Annotated[
    Tensor,
    Context("number of training images per class, after label noise", ("classes",), find_problem=_class_counts_problem),
]
"""`[classes]` float32: number of training images per label."""

TransitionMatrix: TypeAlias = Annotated[
    Tensor, Context("label noise, P(label j | true class i)", ("classes", "classes"), find_problem=_row_problem)
]
"""`[classes, classes]` float32: row i holds the probabilities of the labels of class i."""

InvertibleTransitionMatrix: TypeAlias = Annotated[
    Tensor, Context("label noise, P(label j | true class i)", ("classes", "classes"), find_problem=_inverse_problem)
]
"""The same, for losses that need the inverse."""

HeadScale: TypeAlias = Annotated[Tensor, Context("scale s of the cosine head, whose logits are s · cos θ")]
"""Scalar float32; a loss with this parameter needs `model.head: cosine`."""

Epoch: TypeAlias = Annotated[Tensor, Context("epoch, from 0", changes=True)]
"""Scalar float32."""

Uniform: TypeAlias = Annotated[
    Tensor, Context("random number in [0, 1) per image and class", ("batch", "classes"), changes=True)
]
"""`[batch, classes]` float32: random numbers are passed in, so that the loss stays pure."""
