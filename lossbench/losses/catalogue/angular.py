"""Angular margin losses; they need `model.head: cosine`, whose logits are s · cos θ_j with the head's scale s."""

import math
from typing import Annotated

from annotated_types import Ge, Le, Lt

from lossbench import ops
from lossbench.losses.catalogue.likelihood import categorical_crossentropy
from lossbench.losses.types import HeadScale, NonNegative, Tensor, UsedIf

NEAR_ONE = 1 - 1e-6  # closer to 1, the sine and the gradient of the angle lose all digits in float32


def arcface(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    margin: Annotated[float, Ge(0), Lt(math.pi)] = 0.5,
    head_scale: HeadScale,
) -> Tensor:
    """Cross-entropy that adds a margin to the angle between an image and its class.

        CE(s cos(θ_y + m), s cos θ_j),  cos(θ + m) = cos θ cos m - sin θ sin m

    Beyond θ_y = π - m a smaller angle no longer lowers the loss. It is not invariant to a shift of all logits.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits s cos θ, `[batch, classes]`.
        margin: m, in radians.
        head_scale: s, the scale of the cosine head.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(arcface(ops.eye(3), 8 * ops.eye(3), head_scale=10.0)[0]), 4)
        0.0312

    Source: Deng et al. (2019). ArcFace: additive angular margin loss for deep face recognition. arXiv:1801.07698.
    """
    cosine = _cosines(y_pred, head_scale)
    sine = ops.sqrt(1 - cosine**2)
    return _replace_true_logit(y_true, y_pred, head_scale * (cosine * math.cos(margin) - sine * math.sin(margin)))


def cosface(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    margin: NonNegative = 0.35,
    head_scale: Annotated[HeadScale, UsedIf(lambda margin: margin > 0)] = None,
) -> Tensor:
    """Cross-entropy that subtracts a margin from the cosine between an image and its class.

        CE(s (cos θ_y - m), s cos θ_j)

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits s cos θ, `[batch, classes]`.
        margin: m.
        head_scale: s, the scale of the cosine head; not used with m = 0.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(cosface(ops.eye(3), 8 * ops.eye(3), head_scale=10.0)[0]), 4)
        0.022

    Source: Wang et al. (2018). CosFace: large margin cosine loss for deep face recognition. arXiv:1801.09414.
    """
    return _replace_true_logit(y_true, y_pred, y_pred - head_scale * margin if margin else y_pred)


def sphereface(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    margin: Annotated[int, Ge(1), Le(100)] = 4,
    head_scale: HeadScale,
) -> Tensor:
    """Cross-entropy that multiplies the angle between an image and its class by an integer margin.

        CE(s ψ(θ_y), s cos θ_j),  ψ(θ) = (-1)^k cos(mθ) - 2k,  k = floor(mθ / π)

    ψ extends cos(mθ) so that it decreases up to θ = π. Unlike in the paper, all features have the same norm. The loss
    is not invariant to a shift of all logits.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits s cos θ, `[batch, classes]`.
        margin: m, an integer.
        head_scale: s, the scale of the cosine head.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(sphereface(ops.eye(3), 8 * ops.eye(3), head_scale=10.0)[0]), 4)
        9.1253

    Source: Liu et al. (2017). SphereFace: deep hypersphere embedding for face recognition. arXiv:1704.08063.
    """
    angle = margin * ops.arccos(_cosines(y_pred, head_scale))
    k = ops.floor(ops.stop_gradient(angle) / math.pi)
    return _replace_true_logit(y_true, y_pred, head_scale * ((1 - 2 * ops.mod(k, 2)) * ops.cos(angle) - 2 * k))


def normalized_softmax(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    head_scale: Annotated[HeadScale, UsedIf(lambda: False)] = None,  # noqa: ARG001  # declares the cosine head
) -> Tensor:
    """Cross-entropy of scaled cosines, independent of the norms of features and class weights.

        CE(s cos θ)

    It is cross-entropy on the logits of a cosine head.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits s cos θ, `[batch, classes]`.
        head_scale: s, the scale of the cosine head; not used, as the logits contain it.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(normalized_softmax(ops.eye(3), 8 * ops.eye(3))[0]), 4)
        0.0007

    Source: Zhai & Wu (2019). Classification is a strong baseline for deep metric learning. arXiv:1811.12649.
    """
    return categorical_crossentropy(y_true, y_pred)


def _cosines(y_pred: Tensor, head_scale: Tensor) -> Tensor:
    return ops.clip(y_pred / head_scale, -NEAR_ONE, NEAR_ONE)


def _replace_true_logit(y_true: Tensor, y_pred: Tensor, with_margin: Tensor) -> Tensor:
    """Return cross-entropy with the logit of the true class replaced."""
    return categorical_crossentropy(y_true, y_pred + y_true * (with_margin - y_pred))
