"""Losses that weigh classes by how often they occur; the class counts come from the data, never from YAML."""

from typing import Annotated, Literal, TypeAlias

from annotated_types import MinLen

from lossbench import ops
from lossbench.losses._numerics import expectation, per_class
from lossbench.losses.types import ClassCounts, Positive, Tensor

ClassWeight: TypeAlias = (
    Literal["inverse_frequency", "complement_frequency", "none"] | Annotated[tuple[Positive, ...], MinLen(2)]
)


def weighted_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    class_weight: ClassWeight = "inverse_frequency",
    normalize: Literal["count", "weights"] = "count",
    class_counts: ClassCounts,
) -> Tensor:
    """Cross-entropy in which each class has a weight, so that rare classes are not drowned out.

        w_y CE,  inverse_frequency: w_j = N / (C n_j),  complement_frequency: w_j = 1 - n_j / N

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        class_weight: How the weights follow from the class counts, `none` for 1, or the weights themselves.
        normalize: What the sum over a batch is divided by: the count of its images (Keras), or their weights (PyTorch).
        class_counts: n, the training images of each class, `[classes]`.

    Returns:
        The loss of each image, `[batch]`, ≥ 0.

    Raises:
        UsageError: If `class_weight` is a list of another length than C.

    Example:
        >>> round(float(weighted_crossentropy(ops.eye(3), ops.eye(3), class_counts=ops.array([1.0, 2.0, 3.0]))[0]), 4)
        1.1029

    Source: King & Zeng 2001, Logistic regression in rare events data; Keras and PyTorch.
    """
    weights = _class_weights(class_weight, class_counts, y_pred)
    losses = -expectation(y_true, weights * ops.log_softmax(y_pred))
    return losses / ops.mean(expectation(y_true, weights)) if normalize == "weights" else losses


def _class_weights(class_weight: ClassWeight, class_counts: Tensor, y_pred: Tensor) -> Tensor:
    match class_weight:
        case "inverse_frequency":
            return ops.mean(class_counts) / class_counts
        case "complement_frequency":
            return 1 - class_counts / ops.sum(class_counts)
        case "none":
            return ops.ones_like(class_counts)
        case weights:
            return per_class("class_weight", weights, y_pred)
