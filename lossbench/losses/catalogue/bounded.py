"""Bounded losses, which limit the effect of a wrong label."""

import math
from typing import Annotated, TypeAlias

from annotated_types import Gt, Le, Lt

from lossbench import ops
from lossbench.losses.catalogue._numerics import expectation, power
from lossbench.losses.catalogue.likelihood import categorical_crossentropy
from lossbench.losses.types import NonNegative, Positive, Tensor

LogZero: TypeAlias = Annotated[float, Lt(0)]
LOG_ZERO = math.log(1e-4)  # the authors' code clips probabilities at 1e-4


def mae_probability(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Probability of all wrong classes: symmetric, hence robust to wrong labels, but slow to train.

        1 - p_y

    Papers call it MAE, some with a factor of 2; Keras' mean absolute error is 2/C times this loss.

    Link: softmax.
    Aliases: linear.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.

    Returns:
        Loss per image, `[batch]`, in [0, 1].

    Example:
        >>> round(float(mae_probability(ops.eye(3), ops.eye(3))[0]), 4)
        0.4239

    Source: Ghosh, Kumar & Sastry (2017). Robust loss functions under label noise for deep neural networks.
    arXiv:1712.09482.
    """
    return expectation(y_true, 1 - ops.softmax(y_pred))


def generalized_crossentropy(y_true: Tensor, y_pred: Tensor, *, q: Annotated[float, Gt(0), Le(1)] = 0.7) -> Tensor:
    """Bounded losses between cross-entropy (q → 0) and 1 - p_y (q = 1), robust to wrong labels.

        (1 - p_y^q) / q

    Link: softmax.
    Aliases: gce.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        q: Larger values are more robust and train more slowly.

    Returns:
        Loss per image, `[batch]`, in [0, 1/q].

    Example:
        >>> round(float(generalized_crossentropy(ops.eye(3), ops.eye(3))[0]), 4)
        0.4575

    Source: Zhang & Sabuncu (2018). Generalized cross entropy loss for training deep neural networks with noisy
    labels. arXiv:1805.07836.
    """
    return -expectation(y_true, ops.expm1(q * ops.log_softmax(y_pred))) / q


def reverse_crossentropy(y_true: Tensor, y_pred: Tensor, *, log_zero: LogZero = LOG_ZERO) -> Tensor:
    """Cross-entropy with targets and probabilities swapped, and log 0 replaced by a constant.

        -Σ_j p_j max(log e_j, A);  on one-hot targets -A (1 - p_y)

    Link: softmax.
    Aliases: rce.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        log_zero: A, the value of log 0. The authors' code clips at 1e-4, so A = log(1e-4); the paper uses -4.

    Returns:
        Loss per image, `[batch]`, in [0, -A].

    Example:
        >>> round(float(reverse_crossentropy(ops.eye(3), ops.eye(3))[0]), 4)
        3.9041

    Source: Wang et al. (2019). Symmetric cross entropy for robust learning with noisy labels. arXiv:1908.06112.
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
    """Sum of cross-entropy, for fast training, and reverse cross-entropy, for robustness to wrong labels.

        α CE + β RCE

    Link: softmax.
    Aliases: sce.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        alpha: α, weight of cross-entropy; the paper uses 0.01 on MNIST.
        beta: β, weight of reverse cross-entropy.
        log_zero: A, the value of log 0 in reverse cross-entropy.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(symmetric_crossentropy(ops.eye(3), ops.eye(3))[0]), 4)
        3.9593

    Source: Wang et al. (2019). Symmetric cross entropy for robust learning with noisy labels. arXiv:1908.06112.
    """
    reverse = reverse_crossentropy(y_true, y_pred, log_zero=log_zero)
    return alpha * categorical_crossentropy(y_true, y_pred) + beta * reverse


def agce(y_true: Tensor, y_pred: Tensor, *, a: Positive = 1.0, q: Positive = 2.0) -> Tensor:
    """Asymmetric generalized cross-entropy: robust as long as true labels outnumber each kind of wrong label.

        ((a+1)^q - (a+p_y)^q) / q

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        a: Larger values are closer to linear; the paper uses 4 on MNIST.
        q: Above 1 the slope in p_y grows with p_y, below 1 it falls; 1 is 1 - p_y. The paper uses 0.2 on MNIST.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(agce(ops.eye(3), ops.eye(3))[0]), 4)
        0.7579

    Source: Zhou et al. (2021). Asymmetric loss functions for learning with noisy labels. arXiv:2106.03110.
    """
    return expectation(y_true, (a + 1) ** q - power(a + ops.softmax(y_pred), q)) / q


def aul(y_true: Tensor, y_pred: Tensor, *, a: Annotated[float, Gt(1)] = 1.5, q: Positive = 0.9) -> Tensor:
    """Asymmetric unhinged loss: robust as long as true labels outnumber each kind of wrong label.

        ((a-p_y)^q - (a-1)^q) / q

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        a: Larger values are closer to linear; the paper uses 3 on MNIST.
        q: Below 1 the slope in p_y grows with p_y, above 1 it falls; 1 is 1 - p_y. The paper uses 0.1 on MNIST.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(aul(ops.eye(3), ops.eye(3))[0]), 4)
        0.4393

    Source: Zhou et al. (2021). Asymmetric loss functions for learning with noisy labels. arXiv:2106.03110.
    """
    return expectation(y_true, power(a - ops.softmax(y_pred), q) - (a - 1) ** q) / q


def ael(y_true: Tensor, y_pred: Tensor, *, a: Positive = 2.5) -> Tensor:
    """Asymmetric exponential loss: robust as long as true labels outnumber each kind of wrong label.

        exp(-p_y / a)

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        a: Larger values are closer to linear; the paper uses 3.5 on MNIST.

    Returns:
        Loss per image, `[batch]`, between exp(-1/a) and 1.

    Example:
        >>> round(float(ael(ops.eye(3), ops.eye(3))[0]), 4)
        0.7942

    Source: Zhou et al. (2021). Asymmetric loss functions for learning with noisy labels. arXiv:2106.03110.
    """
    return expectation(y_true, ops.exp(-ops.softmax(y_pred) / a))


def amse(y_true: Tensor, y_pred: Tensor, *, a: Positive = 30.0) -> Tensor:
    """Asymmetric mean squared error: squared distance to a target above 1, nearly linear in p.

        mean_j (p_j - a e_j)²

    a = 1 is `mean_squared_error`.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        a: Target of the true class.

    Returns:
        Loss per image, `[batch]`, ≥ (a-1)²/C for a ≥ 1.

    Example:
        >>> round(float(amse(ops.eye(3), ops.eye(3))[0]), 4)
        288.6183

    Source: Wang et al. (2025). Joint asymmetric loss for learning with noisy labels. arXiv:2507.17692.
    """
    return ops.mean(ops.square(ops.softmax(y_pred) - a * y_true), axis=-1)


def jensen_shannon(y_true: Tensor, y_pred: Tensor, *, pi1: Annotated[float, Gt(0), Lt(1)] = 0.5) -> Tensor:
    """Jensen-Shannon divergence of targets and probabilities, between cross-entropy (π₁ → 0) and 1 - p_y (π₁ → 1).

        [π₁ KL(e, m) + (1-π₁) KL(p, m)] / (-(1-π₁) log(1-π₁)),  m = π₁ e + (1-π₁) p

    Link: softmax.
    Aliases: js.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        pi1: π₁, weight of the targets in the mixture m.

    Returns:
        Loss per image, `[batch]`, ≥ 0, and bounded.

    Example:
        >>> round(float(jensen_shannon(ops.eye(3), ops.eye(3))[0]), 4)
        0.5071

    Source: Englesson & Azizpour (2021). Generalized Jensen-Shannon divergence loss for learning with noisy labels.
    arXiv:2105.04522.
    """
    log_p = ops.log_softmax(y_pred)
    log_m = _log(pi1 * y_true + (1 - pi1) * ops.exp(log_p))
    to_targets = expectation(y_true, _log(y_true) - log_m)
    to_predictions = expectation(ops.exp(log_p), log_p - log_m)
    return (pi1 * to_targets + (1 - pi1) * to_predictions) / (-(1 - pi1) * math.log1p(-pi1))


def _log(value: Tensor) -> Tensor:
    """Return log x, finite at 0, so that x log x is 0 there."""
    return ops.log(ops.maximum(value, 1e-37))
