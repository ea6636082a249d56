"""Losses that are bounded, wholly or in part: a wrong label can only do so much harm."""

import math
from typing import Annotated, TypeAlias

from annotated_types import Gt, Le, Lt

from lossbench import ops
from lossbench.losses._numerics import expectation
from lossbench.losses.likelihood import categorical_crossentropy
from lossbench.losses.types import NonNegative, Tensor

LogZero: TypeAlias = Annotated[float, Lt(0)]
LOG_ZERO = math.log(1e-4)  # the authors' code clips probabilities at 1e-4


def mae_probability(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The probability of being wrong: symmetric, hence robust to wrong labels, but slow to train.

        1 - p_y

    Papers call it MAE, some with a factor of 2; Keras' mean absolute error is 2/C of it.

    Link: softmax.
    Aliases: linear.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.

    Returns:
        The loss of each image, `[batch]`, in [0, 1].

    Example:
        >>> round(float(mae_probability(ops.eye(3), ops.eye(3))[0]), 4)
        0.4239

    Source: Ghosh, Kumar & Sastry 2017, Robust loss functions under label noise for deep neural networks.
    """
    return expectation(y_true, 1 - ops.softmax(y_pred))


def generalized_crossentropy(y_true: Tensor, y_pred: Tensor, *, q: Annotated[float, Gt(0), Le(1)] = 0.7) -> Tensor:
    """Bounded by 1/q, hence robust to wrong labels; q → 0 is cross-entropy, q = 1 is 1 - p_y.

        (1 - p_y^q) / q

    Link: softmax.
    Aliases: gce.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        q: The larger, the more robust and the slower to train.

    Returns:
        The loss of each image, `[batch]`, in [0, 1/q].

    Example:
        >>> round(float(generalized_crossentropy(ops.eye(3), ops.eye(3))[0]), 4)
        0.4575

    Source: Zhang & Sabuncu 2018, Generalized cross entropy loss for training deep neural networks with noisy labels.
    """
    return -expectation(y_true, ops.expm1(q * ops.log_softmax(y_pred))) / q


def reverse_crossentropy(y_true: Tensor, y_pred: Tensor, *, log_zero: LogZero = LOG_ZERO) -> Tensor:
    """Cross-entropy with targets and probabilities exchanged, and log 0 replaced by a number.

        -Σ_j p_j max(log e_j, A);  on one-hot targets -A (1 - p_y)

    Link: softmax.
    Aliases: rce.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        log_zero: A, which stands for log 0. The authors' code clips at 1e-4, so A = log(1e-4); the paper says -4.

    Returns:
        The loss of each image, `[batch]`, in [0, -A].

    Example:
        >>> round(float(reverse_crossentropy(ops.eye(3), ops.eye(3))[0]), 4)
        3.9041

    Source: Wang et al. 2019, Symmetric cross entropy for robust learning with noisy labels.
    """
    return -expectation(ops.softmax(y_pred), ops.maximum(ops.log(y_true), log_zero))


def symmetric_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    alpha: NonNegative = 0.1,
    beta: NonNegative = 1.0,
    log_zero: LogZero = LOG_ZERO,
) -> Tensor:
    """A little cross-entropy to train quickly, and reverse cross-entropy to resist wrong labels.

        α CE + β RCE

    Link: softmax.
    Aliases: sce.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        alpha: α, the weight of cross-entropy; the paper takes 0.01 on MNIST.
        beta: β, the weight of reverse cross-entropy.
        log_zero: A, which stands for log 0 in reverse cross-entropy.

    Returns:
        The loss of each image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(symmetric_crossentropy(ops.eye(3), ops.eye(3))[0]), 4)
        3.9593

    Source: Wang et al. 2019, Symmetric cross entropy for robust learning with noisy labels.
    """
    reverse = reverse_crossentropy(y_true, y_pred, log_zero=log_zero)
    return alpha * categorical_crossentropy(y_true, y_pred) + beta * reverse
