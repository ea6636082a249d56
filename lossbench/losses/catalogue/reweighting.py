"""Losses weighted by class frequency; the class counts come from the data, never from YAML."""

import math
from functools import partial
from typing import Annotated, Any, Literal, TypeAlias

from annotated_types import Ge, Le, Lt

from lossbench import ops
from lossbench.losses.catalogue._numerics import expectation, per_class
from lossbench.losses.catalogue.focusing import focal
from lossbench.losses.catalogue.likelihood import binary_crossentropy, categorical_crossentropy
from lossbench.losses.types import ClassCounts, Epoch, HeadScale, NonNegative, State, Tensor, Uniform, UsedIf, Weights

ClassWeight: TypeAlias = Literal["inverse_frequency", "complement_frequency", "none"] | Weights

MarginCounts: TypeAlias = Annotated[
    ClassCounts, UsedIf(lambda max_margin, drw_epoch: max_margin > 0 or drw_epoch is not None)
]
SomeRareCounts: TypeAlias = Annotated[
    ClassCounts, UsedIf(lambda threshold, probability: 0 < threshold < 1 and probability > 0)
]
SomeIgnored: TypeAlias = Annotated[
    Uniform, UsedIf(lambda threshold, probability: threshold > 0 and 0 < probability < 1)
]

FREQUENCY_RULES = ("inverse_frequency", "complement_frequency")
"""Rules that derive class weights from the class counts."""

SMALLEST_WEIGHT = 1e-30  # a batch of classes with weight 0 has loss 0, not 0 / 0
DRW_BETA = 0.9999  # β of the authors' code
MASKED_LOGIT = -1e9  # its exponential is 0 relative to any other logit


def weighted_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    class_weight: ClassWeight = "inverse_frequency",
    normalize: Literal["count", "weights"] = "count",
    class_counts: Annotated[ClassCounts, UsedIf(lambda class_weight: class_weight in FREQUENCY_RULES)] = None,
) -> Tensor:
    """Cross-entropy with a weight per class, which makes up for rare classes.

        w_y CE,  inverse_frequency: w_j = N / (C n_j),  complement_frequency: w_j = 1 - n_j / N

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        class_weight: Rule that derives the weights from the class counts, `none` for 1, or a list of weights.
        normalize: Divisor of the sum over a batch: the number of images (Keras) or the sum of their weights (PyTorch).
        class_counts: n, number of training images per class, `[classes]`, > 0; used by the two rules only.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Raises:
        UsageError: If `class_weight` is a list whose length is not C.

    Example:
        >>> round(float(weighted_crossentropy(ops.eye(3), ops.eye(3), class_counts=ops.array([1.0, 2.0, 3.0]))[0]), 4)
        1.1029

    Source: King & Zeng (2001). Logistic regression in rare events data. doi:10.1093/oxfordjournals.pan.a004868;
    torch.nn.CrossEntropyLoss.
    """
    weights = _class_weights(class_weight, class_counts, y_pred)
    losses = -expectation(y_true, weights * ops.log_softmax(y_pred))
    if normalize == "count":
        return losses
    return losses / ops.maximum(ops.mean(expectation(y_true, weights)), SMALLEST_WEIGHT)


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
    class_counts: Annotated[ClassCounts, UsedIf(lambda beta: beta > 0)] = None,
) -> Tensor:
    """Base loss weighted by the inverse of the effective number of images per class.

        w_y · base,  w_j ∝ (1-β) / (1 - β^n_j),  scaled to sum C

    β = 0 is the base loss, β → 1 gives weights by inverse frequency. The link is that of the base.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        beta: β, assumed overlap between the images of a class.
        base: Weighted loss: cross-entropy, focal, or one-vs-rest cross-entropies.
        gamma: γ of a focal base.
        class_counts: n, number of training images per class, `[classes]`, > 0; not used with β = 0.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(class_balanced(ops.eye(3), ops.eye(3), class_counts=ops.array([1.0, 2.0, 3.0]))[0]), 4)
        0.9021

    Source: Cui et al. (2019). Class-balanced loss based on effective number of samples. arXiv:1901.05555.
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
    class_counts: MarginCounts = None,
    head_scale: Annotated[HeadScale, UsedIf(lambda max_margin: max_margin > 0)] = 1.0,
    epoch: Annotated[Epoch, UsedIf(lambda drw_epoch: drw_epoch not in {None, 0})] = None,
) -> Tensor:
    """Cross-entropy with a larger margin for rarer classes.

        CE(s (cos θ - m_y e)),  m_j ∝ n_j^(-1/4),  the largest is max_margin

    From drw_epoch on, multiplied by the weights of `class_balanced` with β = 0.9999 (deferred re-weighting).

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits s cos θ, `[batch, classes]`.
        max_margin: Margin of the rarest class, as a cosine.
        drw_epoch: First epoch, from 0, with class weights; null for none.
        class_counts: n, number of training images per class, `[classes]`, > 0; not used without margin and weights.
        head_scale: s, the scale of the cosine head; 1 takes the logits as they are.
        epoch: The epoch, from 0; used with drw_epoch > 0 only.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> counts = ops.array([1.0, 2.0, 3.0])
        >>> round(float(ldam(ops.eye(3), 8 * ops.eye(3), class_counts=counts, head_scale=10.0)[0]), 4)
        0.0949

    Source: Cao et al. (2019). Learning imbalanced datasets with label-distribution-aware margin loss.
    arXiv:1906.07413.
    """
    margins = _margins(class_counts, head_scale * max_margin) * y_true if max_margin else 0.0
    losses = categorical_crossentropy(y_true, y_pred - margins)
    if drw_epoch is None:
        return losses
    weights = expectation(y_true, _effective_weights(class_counts, DRW_BETA))
    return (ops.where(epoch >= drw_epoch, weights, 1.0) if drw_epoch else weights) * losses


def equalization(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    threshold: Annotated[float, Ge(0), Le(1)] = 0.05,
    probability: Annotated[float, Ge(0), Le(1)] = 0.9,
    class_counts: SomeRareCounts = None,
    uniform: SomeIgnored = None,
) -> Tensor:
    """Cross-entropy that randomly ignores rare classes on images of other classes, which would only lower their logits.

        -log(exp z_y / Σ_j w_j exp z_j),  w_j = 0 with the probability if n_j / Σ n < threshold and j ≠ y, else 1

    threshold = 0 and probability = 0 are cross-entropy.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        threshold: Share of the training images below which a class is rare.
        probability: Probability that a rare class is ignored on an image of another class.
        class_counts: n, number of training images per class, `[classes]`, > 0; not used if all or no classes are rare.
        uniform: Random numbers in [0, 1), `[batch, classes]`; below the probability, a rare class is ignored.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> context = {"class_counts": ops.array([90.0, 6.0, 4.0]), "uniform": ops.zeros((3, 3))}
        >>> round(float(equalization(ops.eye(3), ops.eye(3), **context)[0]), 4)
        0.3133

    Source: Tan et al. (2020). Equalization loss for long-tailed object recognition. arXiv:2003.05176.
    """
    if not threshold or not probability:
        return categorical_crossentropy(y_true, y_pred)
    rare = class_counts / ops.sum(class_counts) < threshold if threshold < 1 else True
    ignored = uniform < probability if probability < 1 else True
    left_out = (y_true == 0) & rare & ignored
    return categorical_crossentropy(y_true, ops.where(left_out, MASKED_LOGIT, y_pred))


def seesaw(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    p: NonNegative = 0.8,
    q: NonNegative = 2.0,
    seen: Annotated[Tensor, State(("classes",), 0.0)],
) -> tuple[Tensor, dict[str, Tensor]]:
    """Cross-entropy with smaller gradients for classes rarer than the true one, unless they are predicted.

        -log(exp z_y / (exp z_y + Σ_{j≠y} M_yj C_yj exp z_j)),
        M_ij = min(1, n_j / n_i)^p,  C_ij = max(1, p_j / p_i)^q

    The counts n are those of the images seen so far, at least 1. C counts as a constant in the gradient. p = q = 0 is
    cross-entropy.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        p: Mitigation exponent; larger values reduce the gradients of rare classes further.
        q: Compensation exponent; larger values restore more of them where the rare class is predicted.
        seen: n, number of images per class seen while training, `[classes]`.

    Returns:
        Loss per image, `[batch]`, ≥ 0, and the new counts.

    Example:
        >>> losses, state = seesaw(ops.eye(3), ops.eye(3), seen=ops.array([5.0, 2.0, 1.0]))
        >>> round(float(losses[0]), 4), float(state["seen"][0])
        (0.3105, 6.0)

    Source: Wang et al. (2021). Seesaw loss for long-tailed instance segmentation. arXiv:2008.10032.
    """
    seen = seen + ops.sum(y_true, axis=0)
    mitigation = p * ops.minimum(_log_ratios(ops.log(ops.maximum(seen, 1.0))), 0)
    compensation = q * ops.maximum(_log_ratios(ops.stop_gradient(ops.log_softmax(y_pred))), 0)
    log_sums = ops.logsumexp(ops.expand_dims(y_pred, -2) + mitigation + compensation, axis=-1)
    return expectation(y_true, log_sums - y_pred), {"seen": seen}


def _effective_weights(class_counts: Tensor, beta: float) -> Tensor:
    """Return 1 / (1 - β^n_j), scaled to sum C; log β is computed in float64 because β is close to 1."""
    if not beta:
        return ops.ones((1,))
    weights = -1 / ops.expm1(class_counts * math.log(beta))
    return weights / ops.mean(weights)


def _margins(class_counts: Tensor, largest: Tensor) -> Tensor:
    """Return margins proportional to n_j^(-1/4)."""
    rarity = class_counts**-0.25
    return largest * rarity / ops.max(rarity)


def _log_ratios(logs: Tensor) -> Tensor:
    """Return log(x_j / x_i), `[..., i, j]`."""
    return ops.expand_dims(logs, -2) - ops.expand_dims(logs, -1)
