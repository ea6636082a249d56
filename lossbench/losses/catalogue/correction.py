"""Losses corrected by the transition matrix of the label noise, T_ij = P(label j | true class i)."""

from lossbench import ops
from lossbench.losses.catalogue._numerics import expectation
from lossbench.losses.types import InvertibleTransitionMatrix, Tensor, TransitionMatrix

LOG_OF_ZERO = -1e9  # replaces log 0; below any log-probability of float32 logits


def forward_correction(y_true: Tensor, y_pred: Tensor, *, transition_matrix: TransitionMatrix) -> Tensor:
    """Cross-entropy of the label distribution that follows from the predictions and the label noise.

        -log Σ_i p_i T_iy

    T = I is cross-entropy.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        transition_matrix: T, rows sum to 1, `[classes, classes]`.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> noise = 0.7 * ops.eye(3) + 0.1
        >>> round(float(forward_correction(ops.eye(3), ops.eye(3), transition_matrix=noise)[0]), 4)
        0.6866

    Source: Patrini et al. (2017). Making deep neural networks robust to label noise: a loss correction approach.
    arXiv:1609.03683.
    """
    log_t = ops.where(transition_matrix > 0, ops.log(transition_matrix), LOG_OF_ZERO)
    log_p = ops.expand_dims(ops.log_softmax(y_pred), -1)
    return -expectation(y_true, ops.logsumexp(log_p + log_t, axis=1))


def backward_correction(y_true: Tensor, y_pred: Tensor, *, transition_matrix: InvertibleTransitionMatrix) -> Tensor:
    """Unbiased estimate of the cross-entropy of the true class from the noisy label.

        -(e T⁻¹) · log p

    T = I is cross-entropy.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        transition_matrix: T, rows sum to 1, invertible, `[classes, classes]`.

    Returns:
        Loss per image, `[batch]`; it may be negative, and is unbounded below.

    Example:
        >>> noise = 0.7 * ops.eye(3) + 0.1
        >>> round(float(backward_correction(ops.eye(3), ops.eye(3), transition_matrix=noise)[0]), 4)
        0.2657

    Source: Patrini et al. (2017). Making deep neural networks robust to label noise: a loss correction approach.
    arXiv:1609.03683.
    """
    return -expectation(ops.matmul(y_true, ops.inv(transition_matrix)), ops.log_softmax(y_pred))
