"""Proper scoring rules, squared error of the logits, and sparsemax."""

from lossbench import ops
from lossbench.losses.catalogue._numerics import expectation
from lossbench.losses.types import Positive, Tensor


def brier(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Squared distance between probabilities and targets: a bounded proper scoring rule.

        Σ_j (p_j - e_j)²

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.

    Returns:
        Loss per image, `[batch]`, in [0, 2].

    Example:
        >>> round(float(brier(ops.eye(3), ops.eye(3))[0]), 4)
        0.2695

    Source: Brier (1950). Verification of forecasts expressed in terms of probability.
    doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.
    """
    return ops.sum(ops.square(ops.softmax(y_pred) - y_true), axis=-1)


def spherical(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """One minus the true class's probability over the norm of all probabilities: a bounded proper scoring rule.

        1 - p_y / ‖p‖

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.

    Returns:
        Loss per image, `[batch]`, in [0, 1].

    Example:
        >>> round(float(spherical(ops.eye(3), ops.eye(3))[0]), 4)
        0.1129

    Source: Gneiting & Raftery (2007). Strictly proper scoring rules, prediction, and estimation.
    doi:10.1198/016214506000001437.
    """
    p = ops.softmax(y_pred)
    return 1 - expectation(y_true, p) / ops.norm(p, axis=-1)


def rescaled_square(y_true: Tensor, y_pred: Tensor, *, k: Positive = 1.0, M: Positive = 1.0) -> Tensor:  # noqa: N803 (the paper's M)
    """Squared error of the logits, with a weight and a target value for the true class.

        mean_j [k (z_y - M)² for the true class, z_j² for the others]

    Link: none.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`; not invariant to a shift.
        k: Weight of the true class.
        M: Target of the true class.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(rescaled_square(ops.eye(3), ops.eye(3), k=3, M=2)[0]), 4)
        1.0

    Source: Hui & Belkin (2021). Evaluation of neural architectures trained with square loss vs cross-entropy in
    classification tasks. arXiv:2006.07322.
    """
    return ops.mean(y_true * k * ops.square(y_pred - M) + (1 - y_true) * ops.square(y_pred), axis=-1)


def sparsemax(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Fenchel–Young loss of sparsemax: 0 as soon as z_y exceeds every other score by 1.

        <z, s - e> - (‖s‖² - ‖e‖²) / 2,  s = sparsemax(z), the point of the simplex nearest to z

    Link: none.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Scores z, `[batch, classes]`.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(sparsemax(ops.eye(3), ops.eye(3) / 2)[0]), 4)
        0.0833

    Source: Martins & Astudillo (2016). From softmax to sparsemax. arXiv:1602.02068.
    """
    scores = y_pred - ops.max(
        y_pred, axis=-1, keepdims=True
    )  # sparsemax is invariant to a shift; small values keep more digits
    projection = ops.stop_gradient(_nearest_probabilities(scores))  # s maximises the expression, so its gradient is 0
    quadratic = ops.sum(ops.square(projection) - ops.square(y_true), axis=-1) / 2
    return expectation(projection - y_true, scores) - quadratic


def _nearest_probabilities(scores: Tensor) -> Tensor:
    """Return the point of the simplex nearest to the scores: max(0, z_j - τ), τ = max_k (z_(1) + … + z_(k) - 1) / k."""
    # keras.ops.sparsemax sums the wrong terms where more than one score stays above τ (keras-team/keras#23425).
    descending = ops.flip(ops.sort(scores, axis=-1), axis=-1)
    thresholds = (ops.cumsum(descending, axis=-1) - 1) / ops.arange(1, scores.shape[-1] + 1, dtype=scores.dtype)
    return ops.relu(scores - ops.max(thresholds, axis=-1, keepdims=True))
