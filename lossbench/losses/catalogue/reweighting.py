"""Losses that weigh classes by how often they occur; the class counts come from the data, never from YAML."""

import math
from functools import partial
from typing import Annotated, Any, Literal, TypeAlias

from annotated_types import Ge, Le, Lt, MinLen

from lossbench import ops
from lossbench.losses.catalogue._numerics import expectation, per_class
from lossbench.losses.catalogue.focusing import focal
from lossbench.losses.catalogue.likelihood import binary_crossentropy, categorical_crossentropy
from lossbench.losses.types import ClassCounts, Epoch, HeadScale, NonNegative, Positive, State, Tensor, Uniform, UsedIf

ClassWeight: TypeAlias = (
    Literal["inverse_frequency", "complement_frequency", "none"] | Annotated[tuple[Positive, ...], MinLen(2)]
)

COUNTED = ("inverse_frequency", "complement_frequency")
"""The class weights that follow from the class counts."""

DRW_BETA = 0.9999  # the authors' code
MASKED_LOGIT = -1e9  # a logit whose exponential is 0 beside any other


def weighted_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    class_weight: ClassWeight = "inverse_frequency",
    normalize: Literal["count", "weights"] = "count",
    class_counts: Annotated[ClassCounts, UsedIf("class_weight", COUNTED.__contains__)] = None,
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
            return ops.ones((y_pred.shape[-1],))
        case weights:
            return per_class("class_weight", weights, y_pred)


def class_balanced(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    beta: Annotated[float, Ge(0), Lt(1)] = 0.999,
    base: Literal["ce", "focal", "bce"] = "ce",
    gamma: NonNegative = 2.0,
    class_counts: ClassCounts,
) -> Tensor:
    """A loss weighted by the effective number of images of each class: the more there are, the less the next one adds.

        w_y · base,  w_j ∝ (1-β) / (1 - β^n_j),  scaled to sum C

    β = 0 is the base, β → 1 weighs by inverse frequency. The link is that of the base.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        beta: β, how much images of a class are taken to overlap.
        base: The loss that is weighted: cross-entropy, focal, or C one-vs-rest cross-entropies.
        gamma: The γ of a focal base.
        class_counts: n, the training images of each class, `[classes]`.

    Returns:
        The loss of each image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(class_balanced(ops.eye(3), ops.eye(3), class_counts=ops.array([1.0, 2.0, 3.0]))[0]), 4)
        0.9021

    Source: Cui et al. 2019, Class-balanced loss based on effective number of samples.
    """
    bases: dict[str, Any] = {
        "ce": categorical_crossentropy,
        "focal": partial(focal, gamma=gamma),
        "bce": binary_crossentropy,
    }
    return expectation(y_true, _effective_weights(class_counts, beta)) * bases[base](y_true, y_pred)


def ldam(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    max_margin: NonNegative = 0.5,
    drw_epoch: Annotated[int, Ge(0)] | None = None,
    class_counts: ClassCounts,
    head_scale: HeadScale = 1.0,
    epoch: Annotated[Epoch, UsedIf("drw_epoch", lambda epoch: epoch is not None)] = None,
) -> Tensor:
    """Cross-entropy with a larger margin for rarer classes.

        CE(s (cos θ - m_y e)),  m_j ∝ n_j^(-1/4),  the largest is max_margin

    From drw_epoch on times the weights of `class_balanced` with β = 0.9999 (deferred re-weighting).

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits s cos θ, `[batch, classes]`.
        max_margin: The margin of the rarest class, as a cosine.
        drw_epoch: The first epoch, from 0, with class weights; null for none.
        class_counts: n, the training images of each class, `[classes]`.
        head_scale: s, the scale of the cosine head; 1 takes the logits as they are.
        epoch: The epoch, from 0; used with drw_epoch only.

    Returns:
        The loss of each image, `[batch]`, ≥ 0.

    Example:
        >>> counts = ops.array([1.0, 2.0, 3.0])
        >>> round(float(ldam(ops.eye(3), 8 * ops.eye(3), class_counts=counts, head_scale=10.0)[0]), 4)
        0.0949

    Source: Cao et al. 2019, Learning imbalanced datasets with label-distribution-aware margin loss.
    """
    rarity = class_counts**-0.25
    losses = categorical_crossentropy(y_true, y_pred - head_scale * max_margin * rarity / ops.max(rarity) * y_true)
    if drw_epoch is None:
        return losses
    weights = expectation(y_true, _effective_weights(class_counts, DRW_BETA))
    return ops.where(epoch >= drw_epoch, weights, 1.0) * losses


def equalization(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    threshold: Annotated[float, Ge(0), Le(1)] = 0.05,
    probability: Annotated[float, Ge(0), Le(1)] = 0.9,
    class_counts: ClassCounts,
    uniform: Uniform,
) -> Tensor:
    """Cross-entropy that spares rare classes most of the images of others, which would only push them down.

        -log(exp z_y / Σ_j w_j exp z_j),  w_j = 0 with the probability if n_j / Σ n < threshold and j ≠ y, else 1

    probability = 0 is cross-entropy.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        threshold: The share of the training images below which a class is rare.
        probability: How often a rare class is left out of an image of another class.
        class_counts: n, the training images of each class, `[classes]`.
        uniform: Draws from [0, 1), `[batch, classes]`; below the probability means left out.

    Returns:
        The loss of each image, `[batch]`, ≥ 0.

    Example:
        >>> context = {"class_counts": ops.array([90.0, 6.0, 4.0]), "uniform": ops.zeros((3, 3))}
        >>> round(float(equalization(ops.eye(3), ops.eye(3), **context)[0]), 4)
        0.3133

    Source: Tan et al. 2020, Equalization loss for long-tailed object recognition.
    """
    rare = class_counts / ops.sum(class_counts) < threshold
    left_out = rare & (uniform < probability) & (y_true == 0)
    return categorical_crossentropy(y_true, ops.where(left_out, MASKED_LOGIT, y_pred))


def seesaw(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    p: NonNegative = 0.8,
    q: NonNegative = 2.0,
    seen: Annotated[Tensor, State(("classes",), 0.0)],
) -> tuple[Tensor, dict[str, Tensor]]:
    """Cross-entropy in which a class rarer than the true one is pushed down less, unless it is predicted.

        -log(exp z_y / (exp z_y + Σ_{j≠y} M_yj C_yj exp z_j)),
        M_ij = min(1, n_j / n_i)^p,  C_ij = max(1, p_j / p_i)^q

    The counts n are those of the images seen so far, at least 1. C is taken for a constant. p = q = 0 is cross-entropy.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        p: How much rare classes are spared.
        q: How much of that is taken back where the rare class is predicted.
        seen: n, the images of each class seen while training, `[classes]`.

    Returns:
        The loss of each image, `[batch]`, ≥ 0, and the new counts.

    Example:
        >>> losses, state = seesaw(ops.eye(3), ops.eye(3), seen=ops.array([5.0, 2.0, 1.0]))
        >>> round(float(losses[0]), 4), float(state["seen"][0])
        (0.3105, 6.0)

    Source: Wang et al. 2021, Seesaw loss for long-tailed instance segmentation.
    """
    seen = seen + ops.sum(y_true, axis=0)
    mitigation = p * ops.minimum(_log_ratios(ops.log(ops.maximum(seen, 1.0))), 0)
    compensation = q * ops.maximum(_log_ratios(ops.stop_gradient(ops.log_softmax(y_pred))), 0)
    log_sums = ops.logsumexp(ops.expand_dims(y_pred, -2) + mitigation + compensation, axis=-1)
    return expectation(y_true, log_sums - y_pred), {"seen": seen}


def _effective_weights(class_counts: Tensor, beta: float) -> Tensor:
    """1 / (1 - β^n_j), scaled to sum C; the logarithm is taken in float64, because β is close to 1."""
    weights = -1 / ops.expm1(class_counts * (math.log(beta) if beta else -math.inf))
    return weights / ops.mean(weights)


def _log_ratios(logs: Tensor) -> Tensor:
    """Log of x_j / x_i, `[..., i, j]`."""
    return ops.expand_dims(logs, -2) - ops.expand_dims(logs, -1)
