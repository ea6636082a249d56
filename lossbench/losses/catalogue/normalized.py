"""Losses normalised by their sum over all classes: bounded and robust to wrong labels, but slow to train.

The presets `nce_rce`, `anl_ce`, … add two of them up to a loss that is robust and trains quickly.
"""

import math
from typing import Annotated, TypeAlias

from annotated_types import Gt, Le

from lossbench import ops
from lossbench.losses.catalogue._numerics import expectation, power
from lossbench.losses.types import NonNegative, Tensor

MinProb: TypeAlias = Annotated[float, Gt(0), Le(0.01)]


def normalized_crossentropy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Cross-entropy of the true class divided by the sum over all classes.

        log p_y / Σ_j log p_j

    Link: softmax.
    Aliases: nce.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.

    Returns:
        Loss per image, `[batch]`, in [0, 1].

    Example:
        >>> round(float(normalized_crossentropy(ops.eye(3), ops.eye(3))[0]), 4)
        0.1509

    Source: Ma et al. (2020). Normalized loss functions for deep learning with noisy labels. arXiv:2006.13554.
    """
    log_p = ops.log_softmax(y_pred)
    return expectation(y_true, log_p) / ops.sum(log_p, axis=-1)


def normalized_focal(
    y_true: Tensor, y_pred: Tensor, *, gamma: NonNegative = 0.5, stop_gradient: bool = False
) -> Tensor:
    """Focal loss of the true class divided by the sum over all classes.

        f_y / Σ_j f_j,  f_j = -(1-p_j)^γ log p_j

    γ = 0 is `normalized_crossentropy`.

    Link: softmax.
    Aliases: nfl.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        gamma: γ; larger values reduce the weight of easy images further.
        stop_gradient: Whether (1-p)^γ counts as a constant in the gradient, as in the published code.

    Returns:
        Loss per image, `[batch]`, in [0, 1].

    Example:
        >>> round(float(normalized_focal(ops.eye(3), ops.eye(3))[0]), 4)
        0.1153

    Source: Ma et al. (2020). Normalized loss functions for deep learning with noisy labels. arXiv:2006.13554.
    """
    losses = _focal(ops.log_softmax(y_pred), gamma, stop_gradient=stop_gradient)
    return expectation(y_true, losses) / ops.sum(losses, axis=-1)


def normalized_generalized_crossentropy(
    y_true: Tensor, y_pred: Tensor, *, q: Annotated[float, Gt(0), Le(1)] = 0.7
) -> Tensor:
    """Generalized cross-entropy of the true class divided by the sum over all classes.

        (1 - p_y^q) / (C - Σ_j p_j^q)

    Link: softmax.
    Aliases: ngce.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        q: Towards 0 it is `normalized_crossentropy`, 1 is (1 - p_y) / (C - 1); the paper uses 0.1 on MNIST.

    Returns:
        Loss per image, `[batch]`, in [0, 1/(C-1)].

    Example:
        >>> round(float(normalized_generalized_crossentropy(ops.eye(3), ops.eye(3))[0]), 4)
        0.1947

    Source: Ma et al. (2020). Normalized loss functions for deep learning with noisy labels. arXiv:2006.13554.
    """
    losses = -ops.expm1(q * ops.log_softmax(y_pred))
    return expectation(y_true, losses) / ops.sum(losses, axis=-1)


def normalized_negative_crossentropy(y_true: Tensor, y_pred: Tensor, *, min_prob: MinProb = 1e-7) -> Tensor:
    """One minus the normalised log-likelihood of the true class, measured from a floor.

        1 - (A + l_y) / Σ_j (A + l_j),  l_j = max(log p_j, -A),  A = -log min_prob

    Unlike 1 - p_y it has a gradient where p_y is small too.

    Link: softmax.
    Aliases: nnce.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        min_prob: Lower bound of the probabilities; smaller ones have no gradient.

    Returns:
        Loss per image, `[batch]`, in [0, 1].

    Example:
        >>> round(float(normalized_negative_crossentropy(ops.eye(3), ops.eye(3))[0]), 4)
        0.6518

    Source: Ye et al. (2023). Active negative loss functions for learning with noisy labels. NeurIPS 36:6917-6940.
    """
    height = ops.maximum(ops.log_softmax(y_pred) - math.log(min_prob), 0)
    return 1 - expectation(y_true, height) / ops.sum(height, axis=-1)


def normalized_negative_focal(
    y_true: Tensor, y_pred: Tensor, *, gamma: NonNegative = 0.5, min_prob: MinProb = 1e-7
) -> Tensor:
    """One minus the normalised negative focal loss of the true class, measured from a floor.

        1 - (A + l_y) / Σ_j (A + l_j),  l_j = (1-q_j)^γ log q_j,  q_j = max(p_j, min_prob),  A = -log min_prob

    γ = 0 is `normalized_negative_crossentropy`.

    Link: softmax.
    Aliases: nnfl.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        gamma: γ; larger values reduce the weight of easy images further.
        min_prob: Lower bound of the probabilities; smaller ones have no gradient.

    Returns:
        Loss per image, `[batch]`, in [0, 1].

    Example:
        >>> round(float(normalized_negative_focal(ops.eye(3), ops.eye(3))[0]), 4)
        0.6517

    Source: Ye et al. (2023). Active negative loss functions for learning with noisy labels. NeurIPS 36:6917-6940.
    """
    ceiling = -math.log(min_prob)
    height = ceiling - _focal(ops.maximum(ops.log_softmax(y_pred), -ceiling), gamma)
    return 1 - expectation(y_true, height) / ops.sum(height, axis=-1)


def _focal(log_p: Tensor, gamma: float, *, stop_gradient: bool = False) -> Tensor:
    """Return the focal loss of each class, as if it were the true one."""
    focus = power(-ops.expm1(log_p), gamma)
    return -(ops.stop_gradient(focus) if stop_gradient else focus) * log_p
