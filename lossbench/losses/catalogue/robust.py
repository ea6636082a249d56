"""Variants of cross-entropy with less gradient, or less trust in the label, where label and model disagree."""

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

from lossbench import ops
from lossbench.losses.catalogue._numerics import expectation, power, smooth
from lossbench.losses.catalogue.bounded import generalized_crossentropy
from lossbench.losses.catalogue.focusing import focal
from lossbench.losses.catalogue.likelihood import categorical_crossentropy
from lossbench.losses.types import NonNegative, Positive, Smoothing, Tensor

BASES: Mapping[str, Callable[..., Tensor]] = {
    "ce": categorical_crossentropy,
    "focal": focal,
    "gce": generalized_crossentropy,
}
"""Base losses of `logit_clip`."""


def phuber_crossentropy(y_true: Tensor, y_pred: Tensor, *, tau: Annotated[float, Ge(1)] = 10.0) -> Tensor:
    """Cross-entropy with its slope in p_y limited to τ (partial Huberisation).

        -τ p_y + log τ + 1 if p_y ≤ 1/τ, else -log p_y

    τ → ∞ is cross-entropy, τ = 1 is 1 - p_y.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        tau: τ, largest slope.

    Returns:
        Loss per image, `[batch]`, between 0 and log τ + 1.

    Example:
        >>> round(float(phuber_crossentropy(ops.eye(3), ops.eye(3), tau=1.5)[0]), 4)
        0.5413

    Source: Menon et al. (2020). Can gradient clipping mitigate label noise? OpenReview:rklB76EKPr.
    """
    log_p = ops.log_softmax(y_pred)
    p, line = ops.exp(log_p), math.log(tau) + 1 - tau * ops.exp(log_p)
    return expectation(y_true, ops.where(p <= 1 / tau, line, -log_p))


def phuber_generalized_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    q: Annotated[float, Gt(0), Le(1)] = 0.7,
    tau: Annotated[float, Ge(1)] = 10.0,
) -> Tensor:
    """Generalized cross-entropy with its slope in p_y limited to τ.

        (1 - p_y^q) / q if p_y > k, else (1 - k^q) / q - τ (p_y - k),  k = τ^(1/(q-1))

    τ → ∞ is `generalized_crossentropy`, τ = 1 is 1 - p_y.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        q: Towards 0 it is `phuber_crossentropy`, 1 is 1 - p_y.
        tau: τ, largest slope.

    Returns:
        Loss per image, `[batch]`, between 0 and 1/q.

    Example:
        >>> round(float(phuber_generalized_crossentropy(ops.eye(3), ops.eye(3), tau=1.5)[0]), 4)
        0.4575

    Source: Menon et al. (2020). Can gradient clipping mitigate label noise? OpenReview:rklB76EKPr.
    """
    k = tau ** (1 / (q - 1)) if q < 1 else 0.0  # for q = 1 the slope is 1 everywhere
    log_p = ops.log_softmax(y_pred)
    p = ops.exp(log_p)
    return expectation(y_true, ops.where(p <= k, (1 - k**q) / q - tau * (p - k), -ops.expm1(q * log_p) / q))


def bi_tempered_logistic(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    t1: Annotated[float, Ge(0), Le(1)] = 0.8,
    t2: Annotated[float, Ge(1)] = 1.2,
    num_iters: Annotated[int, Ge(1), Le(100)] = 5,
    label_smoothing: Smoothing = 0.0,
) -> Tensor:
    """Cross-entropy with a bounded logarithm and a heavy-tailed softmax: robust to outliers and noise near boundaries.

        Σ_j [e'_j (log_t1 e'_j - log_t1 q_j) - (e'_j^(2-t1) - q_j^(2-t1)) / (2-t1)],  q_j = exp_t2(z_j - λ(z))
        log_t x = (x^(1-t) - 1) / (1-t),  exp_t its inverse,  λ such that Σ_j q_j = 1,  e' = (1-ε) e + ε/C

    t1 = t2 = 1 is cross-entropy. The authors smooth labels by (1 - ε C/(C-1)) e + ε/(C-1).

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        t1: Below 1 the loss is bounded.
        t2: Above 1 the softmax has heavy tails.
        num_iters: Number of iterations that compute λ.
        label_smoothing: ε, share of each label that is spread evenly over all classes.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(bi_tempered_logistic(ops.eye(3), ops.eye(3))[0]), 4)
        0.4459

    Source: Amid et al. (2019). Robust bi-tempered logistic loss based on Bregman divergences. arXiv:1906.03361.
    """
    target = smooth(y_true, label_smoothing)
    log_e, log_q = ops.log(ops.maximum(target, 1e-37)), _tempered_log_softmax(y_pred, t2, num_iters)
    likelihood = target * (_tempered(log_e, t1) - _tempered(log_q, t1))
    rest = (power(target, 2 - t1) - ops.exp((2 - t1) * log_q)) / (2 - t1)
    return ops.sum(likelihood - rest, axis=-1)


def _tempered(log_x: Tensor, t: float) -> Tensor:
    """Return the tempered logarithm (x^(1-t) - 1) / (1-t) of x, given log x."""
    return log_x if t == 1 else ops.expm1((1 - t) * log_x) / (1 - t)


def _tempered_log_softmax(y_pred: Tensor, t: float, num_iters: int) -> Tensor:
    """Return log exp_t(z - λ(z)) by the paper's iteration, starting at the highest logit."""
    if t == 1:
        return ops.log_softmax(y_pred)
    below = scaled = ops.max(y_pred, axis=-1, keepdims=True) - y_pred
    for _ in range(num_iters):
        scaled = below * ops.exp((1 - t) * _log_partition(scaled, t))
    return -ops.log1p(ops.expm1((t - 1) * _log_partition(scaled, t)) + (t - 1) * below) / (t - 1)


def _log_partition(below: Tensor, t: float) -> Tensor:
    """Return log Σ_j exp_t(-x_j)."""
    return ops.logsumexp(-ops.log1p((t - 1) * below) / (t - 1), axis=-1, keepdims=True)


def bootstrap_soft(y_true: Tensor, y_pred: Tensor, *, beta: Annotated[float, Ge(0), Le(1)] = 0.95) -> Tensor:
    """Cross-entropy with targets mixed from the label and the model's own probabilities.

        -Σ_j (β e_j + (1-β) p_j) log p_j

    β = 1 is cross-entropy.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`; the gradient flows through both occurrences of p.
        beta: β, weight of the label.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(bootstrap_soft(ops.eye(3), ops.eye(3))[0]), 4)
        0.5726

    Source: Reed et al. (2015). Training deep neural networks on noisy labels with bootstrapping. arXiv:1412.6596.
    """
    log_p = ops.log_softmax(y_pred)
    return -expectation(beta * y_true + (1 - beta) * ops.exp(log_p), log_p)


def bootstrap_hard(y_true: Tensor, y_pred: Tensor, *, beta: Annotated[float, Ge(0), Le(1)] = 0.8) -> Tensor:
    """Cross-entropy with targets mixed from the label and the model's own decision.

        -Σ_j (β e_j + (1-β) 1[j = argmax p]) log p_j

    β = 1 is cross-entropy.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        beta: β, weight of the label.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(bootstrap_hard(ops.eye(3), ops.eye(3))[0]), 4)
        0.5514

    Source: Reed et al. (2015). Training deep neural networks on noisy labels with bootstrapping. arXiv:1412.6596.
    """
    return categorical_crossentropy(beta * y_true + (1 - beta) * _decision(y_pred), y_pred)


def _decision(y_pred: Tensor) -> Tensor:
    """Return the one-hot decision, a constant in the gradient."""
    return ops.one_hot(ops.argmax(y_pred, axis=-1), y_pred.shape[-1], dtype=y_pred.dtype)


def eps_softmax_ce(y_true: Tensor, y_pred: Tensor, *, m: NonNegative = 1e5) -> Tensor:
    """Cross-entropy of probabilities moved towards one-hot, with a small gradient for correct decisions.

        -log q_y,  q_j = (p_j + m 1[j = argmax p]) / (1 + m)

    m = 0 is cross-entropy.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        m: Amount added to the highest probability before normalising.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(eps_softmax_ce(ops.eye(3), ops.eye(3), m=1)[0]), 4)
        0.2382

    Source: Wang et al. (2024). ε-softmax: approximating one-hot vectors for mitigating label noise.
    arXiv:2508.02387.
    """
    log_p, decided = ops.log_softmax(y_pred), _decision(y_pred) > 0
    pushed = ops.log1p(ops.expm1(ops.where(decided, log_p, 0.0)) / (1 + m))  # finite where it is not used, too
    return -expectation(y_true, ops.where(decided, pushed, log_p - math.log1p(m)))


def logit_clip(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    tau: Positive = 1.0,
    p: Annotated[float, Ge(1)] = 2.0,
    base: Literal["ce", "focal", "gce"] = "ce",
) -> Tensor:
    """Base loss of logits whose norm is clipped at τ, which bounds the loss.

        base(e, z min(1, τ / norm_p(z))),  norm_p(z) = (Σ_j abs(z_j)^p)^(1/p)

    τ → ∞ is the base loss.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`; not invariant to a shift.
        tau: τ, largest norm.
        p: Order of the norm; 2 is Euclidean.
        base: Base loss: cross-entropy, `focal` or `generalized_crossentropy`, with their defaults.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(logit_clip(ops.eye(3), 5 * ops.eye(3))[0]), 4)
        0.5514

    Source: Wei et al. (2023). Mitigating memorization of noisy labels by clipping the model prediction.
    arXiv:2212.04055.
    """
    size = ops.abs(y_pred)
    unit = ops.stop_gradient(ops.maximum(ops.max(size, axis=-1, keepdims=True), tau))
    norm = unit * power(ops.sum(power(size / unit, p), axis=-1, keepdims=True), 1 / p)
    return BASES[base](y_true, y_pred * (tau / ops.maximum(norm, tau)))
