"""The types that a loss function's signature is written with.

A hyperparameter is a keyword-only parameter: `q: Annotated[float, Gt(0), Le(1)] = 0.7`. A parameter of a context type
is not a hyperparameter: the engine fills it in from the data, and YAML cannot set it. Nor is a state: what a loss
remembers from one batch to the next comes in as a parameter and goes out beside the losses, so that it stays pure:

    def remembering(y_true, y_pred, *, memory: Annotated[Tensor, State(("images", "classes"), 0.0)]):
        memory = 0.9 * memory + 0.1 * ops.softmax(y_pred)
        return losses, {"memory": memory}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from annotated_types import Ge, Gt, Lt, MinLen

from lossbench import ops

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Tensor: TypeAlias = Any
"""A tensor of any Keras backend; an alias, so that signatures resolve where no backend is installed."""

Positive: TypeAlias = Annotated[float, Gt(0)]
NonNegative: TypeAlias = Annotated[float, Ge(0)]
Smoothing: TypeAlias = Annotated[float, Ge(0), Lt(1)]
"""The share of a label that is spread evenly: over all classes, or over the two outcomes of one-vs-rest."""

PerClass: TypeAlias = Positive | Annotated[tuple[Positive, ...], MinLen(2)]
"""One number for all classes, or one for each."""

ROW_SUM_TOLERANCE = 1e-5
LARGEST_CONDITION = 1e6
"""Of a matrix that is inverted in float32."""


@dataclass(frozen=True)
class Context:
    """Marks a parameter that the engine fills in.

    Args:
        description: What it is.
        shape: Its axes by name: `batch`, `classes`.
        changes: Whether it changes while training; only then may it come with each call.
        find_problem: Says what is wrong with a value, or nothing; asked once, when the loss is bound.
    """

    description: str
    shape: tuple[str, ...] = ()
    changes: bool = False
    find_problem: Callable[[NDArray[Any]], str | None] = lambda _: None


@dataclass(frozen=True)
class UsedIf:
    """Marks a context parameter that only some values of a hyperparameter use; with the others it is None.

    Args:
        hyperparameter: Name of the hyperparameter.
        condition: Whether the loss uses the context with this value of it.
    """

    hyperparameter: str
    condition: Callable[[Any], bool]


@dataclass(frozen=True)
class State:
    """Marks a parameter that holds what a loss remembers: for each image, or for the run.

    Args:
        shape: Its axes by name: `images`, `classes`. Where `images` comes first, the loss gets the batch's rows.
        initial: What every entry holds before the first step.
    """

    shape: tuple[str, ...]
    initial: float

    @property
    def per_image(self) -> bool:
        """Whether each image has a row of its own."""
        return self.shape[:1] == ("images",)

    def initialize(self, **sizes: int) -> Tensor:
        """The state before the first step, `images` and `classes` given by keyword."""
        return ops.full([sizes[axis] for axis in self.shape], self.initial, dtype="float32")


def _class_counts_problem(counts: NDArray[Any]) -> str | None:
    empty = [str(index) for index, count in enumerate(counts) if not count > 0]
    if empty:
        return f"no training image carries the label {', '.join(empty)}; keep some of every class, or take another loss"
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
        return "this matrix is singular and has no inverse; take forward_correction, or less noise"
    return None


ClassCounts: TypeAlias = Annotated[
    Tensor, Context("training images of each class, labels as seen", ("classes",), find_problem=_class_counts_problem)
]
"""`[classes]` float32: how many training images carry each label."""

TransitionMatrix: TypeAlias = Annotated[
    Tensor, Context("the label noise, P(label j | true class i)", ("classes", "classes"), find_problem=_row_problem)
]
"""`[classes, classes]` float32: row i says how often an image of class i carries each label."""

InvertibleTransitionMatrix: TypeAlias = Annotated[
    Tensor, Context("the label noise, P(label j | true class i)", ("classes", "classes"), find_problem=_inverse_problem)
]
"""The same, where the loss needs the inverse."""

HeadScale: TypeAlias = Annotated[Tensor, Context("the factor s of a cosine head, whose logits are s · cos θ")]
"""Scalar float32; asking for it says that the loss needs `model.head: cosine`."""

Epoch: TypeAlias = Annotated[Tensor, Context("the epoch, from 0", changes=True)]
"""Scalar float32."""

Uniform: TypeAlias = Annotated[
    Tensor, Context("a draw from [0, 1) for each image and class", ("batch", "classes"), changes=True)
]
"""`[batch, classes]` float32: randomness comes as numbers already drawn, so that the loss stays pure."""
