"""Losses for calibration: the confidence of a prediction should equal its probability of being right."""

from typing import Literal

from lossbench import ops
from lossbench.losses.catalogue._numerics import expectation, power
from lossbench.losses.catalogue.focusing import focal
from lossbench.losses.catalogue.likelihood import categorical_crossentropy
from lossbench.losses.types import NonNegative, Tensor

UNLIKELY = 0.2
"""Probability of the true class below which `focal_flsd53` uses γ = 5."""


def confidence_penalty(y_true: Tensor, y_pred: Tensor, *, beta: NonNegative = 0.1) -> Tensor:
    """Cross-entropy minus a multiple of the predictions' entropy, which penalises confidence.

        CE - β H(p),  H(p) = -Σ_j p_j log p_j

    β = 0 is cross-entropy.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        beta: β, weight of the entropy.

    Returns:
        Loss per image, `[batch]`.

    Example:
        >>> round(float(confidence_penalty(ops.eye(3), ops.eye(3))[0]), 4)
        0.4539

    Source: Pereyra et al. (2017). Regularizing neural networks by penalizing confident output distributions.
    arXiv:1701.06548.
    """
    log_p = ops.log_softmax(y_pred)
    return ops.sum((beta * ops.exp(log_p) - y_true) * log_p, axis=-1)


def mbls(y_true: Tensor, y_pred: Tensor, *, margin: NonNegative = 10.0, alpha: NonNegative = 0.1) -> Tensor:
    """Margin-based label smoothing: cross-entropy plus a penalty on logits far below the highest.

        CE + α mean_j max(0, max_k z_k - z_j - margin)

    α = 0 is cross-entropy.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        margin: Distance to the highest logit without penalty.
        alpha: α, weight of the penalty.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(mbls(ops.eye(3), ops.eye(3), margin=0)[0]), 4)
        0.6181

    Source: Liu et al. (2022). The devil is in the margin: margin-based label smoothing for network calibration.
    arXiv:2111.15430.
    """
    behind = ops.max(y_pred, axis=-1, keepdims=True) - y_pred
    return categorical_crossentropy(y_true, y_pred) + alpha * ops.mean(ops.relu(behind - margin), axis=-1)


def focal_flsd53(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Focal loss with sample-dependent γ: 5 where the true class is unlikely, else 3.

        -(1-p_y)^γ log p_y,  γ = 5 if p_y < 0.2, else 3

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.

    Returns:
        Loss per image, `[batch]`, ≥ 0; discontinuous at p_y = 0.2.

    Example:
        >>> round(float(focal_flsd53(ops.eye(3), ops.eye(3))[0]), 4)
        0.042

    Source: Mukhoti et al. (2020). Calibrating deep neural networks using focal loss. arXiv:2002.09437.
    """
    log_p = ops.log_softmax(y_pred)
    doubt = -ops.expm1(log_p)
    return -expectation(y_true, ops.where(doubt > 1 - UNLIKELY, doubt**5, doubt**3) * log_p)


def dual_focal(y_true: Tensor, y_pred: Tensor, *, gamma: NonNegative = 5.0) -> Tensor:
    """Focal loss of the gap to the next less likely class, against both over- and underconfidence.

        -(1 - p_y + p_j)^γ log p_y,  j the most likely of the classes less likely than y

    γ = 0 is cross-entropy.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        gamma: γ; larger values reduce the weight of images with a large gap further.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(dual_focal(ops.eye(3), ops.eye(3))[0]), 4)
        0.0573

    Source: Tao, Dong & Xu (2023). Dual focal loss for calibration. arXiv:2305.13665.
    """
    log_p = ops.log_softmax(y_pred)
    p = ops.exp(log_p)
    below = ops.max(ops.where(p[:, None, :] < p[:, :, None], p[:, None, :], 0.0), axis=-1)
    return -expectation(y_true, power(1 - p + below, gamma) * log_p)


def mdca(y_true: Tensor, y_pred: Tensor, *, beta: NonNegative = 1.0, base: Literal["ce", "focal"] = "ce") -> Tensor:
    """Base loss plus the difference between mean confidence and frequency of each class in the batch.

        base + β mean_j abs(mean_i p_ij - mean_i e_ij),  i over the images of the batch

    β = 0 is the base loss. The second term is computed per batch and added to each image.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        beta: β, weight of the difference between confidence and frequency.
        base: Base loss: cross-entropy or `focal`, with its defaults.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(mdca(ops.eye(3)[:1], ops.eye(3)[:1])[0]), 4)
        0.834

    Source: Hebbalaguppe et al. (2022). A stitch in time saves nine: a train-time regularizing loss for improved
    neural network calibration. arXiv:2203.13834.
    """
    losses = {"ce": categorical_crossentropy, "focal": focal}[base](y_true, y_pred)
    gap = ops.mean(ops.softmax(y_pred), axis=0) - ops.mean(y_true, axis=0)
    return losses + beta * ops.mean(ops.abs(gap))
