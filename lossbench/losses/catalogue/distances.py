"""Distances between probabilities and targets: regression losses."""

from lossbench import ops
from lossbench.losses.catalogue._numerics import expectation
from lossbench.losses.types import Positive, Tensor


def mean_squared_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The squared error of the probabilities, averaged over classes.

        mean_j (p_j - e_j)²

    It is `brier` / C, and its gradient fades where the model is surely wrong.

    Link: softmax.
    Aliases: mse.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.

    Returns:
        The loss of each image, `[batch]`, in [0, 2/C].

    Example:
        >>> round(float(mean_squared_error(ops.eye(3), ops.eye(3))[0]), 4)
        0.0898

    Source: Keras.
    """
    return ops.mean(ops.square(ops.softmax(y_pred) - y_true), axis=-1)


def mean_absolute_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The absolute error of the probabilities, averaged over classes.

        mean_j |p_j - e_j|

    On one-hot targets it is 2/C times `mae_probability`, which is what papers on label noise call MAE.

    Link: softmax.
    Aliases: mae, l1.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.

    Returns:
        The loss of each image, `[batch]`, in [0, 2/C].

    Example:
        >>> round(float(mean_absolute_error(ops.eye(3), ops.eye(3))[0]), 4)
        0.2826

    Source: Keras.
    """
    return ops.mean(ops.abs(ops.softmax(y_pred) - y_true), axis=-1)


def mean_absolute_percentage_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The absolute error relative to the target, in percent: degenerate for classification.

        100 mean_j |e_j - p_j| / max(|e_j|, 1e-7)

    On one-hot targets a wrong class weighs 1e7 times the true one, and the wrong ones' sum is 1 - p_y: the loss is
    `mae_probability` times 1e9/C. With SGD expect chance level, as each step is that much too long; Adam, which takes
    no notice of a loss's scale, sees `mae_probability`.

    Link: softmax.
    Aliases: mape.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.

    Returns:
        The loss of each image in percent, `[batch]`, ≥ 0.

    Example:
        >>> f"{float(mean_absolute_percentage_error(ops.eye(3), ops.eye(3))[0]):.3g}"
        '1.41e+08'

    Source: Keras.
    """
    return 100 * ops.mean(ops.abs(y_true - ops.softmax(y_pred)) / ops.maximum(ops.abs(y_true), 1e-7), axis=-1)


def mean_squared_logarithmic_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The squared error of log(1 + p), averaged over classes.

        mean_j (log(1+e_j) - log(1+p_j))²

    Link: softmax.
    Aliases: msle.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.

    Returns:
        The loss of each image, `[batch]`, in [0, 2 (log 2)²/C].

    Example:
        >>> round(float(mean_squared_logarithmic_error(ops.eye(3), ops.eye(3))[0]), 4)
        0.0435

    Source: Keras.
    """
    return ops.mean(ops.square(ops.log1p(y_true) - ops.log1p(ops.softmax(y_pred))), axis=-1)


def huber(y_true: Tensor, y_pred: Tensor, *, delta: Positive = 1.0) -> Tensor:
    """Squared error for small differences, absolute error for large ones.

        mean_j [d_j²/2 if d_j ≤ δ, else δ (d_j - δ/2)],  d = |p - e|

    As d ≤ 1, every δ ≥ 1 is `mean_squared_error` / 2.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        delta: δ, the difference at which the parabola becomes a line.

    Returns:
        The loss of each image, `[batch]`, in [0, 1/C].

    Example:
        >>> round(float(huber(ops.eye(3), ops.eye(3), delta=0.1)[0]), 4)
        0.0233

    Source: Huber 1964; Keras.
    """
    difference = ops.abs(ops.softmax(y_pred) - y_true)
    line = delta * (difference - delta / 2)
    return ops.mean(ops.where(difference <= delta, ops.square(difference) / 2, line), axis=-1)


def smooth_l1(y_true: Tensor, y_pred: Tensor, *, beta: Positive = 1.0) -> Tensor:
    """Absolute error with its kink rounded off: `huber` / β.

        mean_j [d_j²/(2β) if d_j < β, else d_j - β/2],  d = |p - e|

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        beta: β, the difference at which the parabola becomes a line of slope 1.

    Returns:
        The loss of each image, `[batch]`, in [0, 2/C].

    Example:
        >>> round(float(smooth_l1(ops.eye(3), ops.eye(3), beta=0.1)[0]), 4)
        0.2326

    Source: Girshick 2015, Fast R-CNN; PyTorch.
    """
    return huber(y_true, y_pred, delta=beta) / beta


def log_cosh(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Squared error for small differences, nearly absolute error for large ones, and smooth.

        mean_j log cosh(p_j - e_j)

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.

    Returns:
        The loss of each image, `[batch]`, in [0, 2 log(cosh 1)/C].

    Example:
        >>> round(float(log_cosh(ops.eye(3), ops.eye(3))[0]), 4)
        0.044

    Source: Keras.
    """
    # cosh² = 1 + sinh²; differences lie in [-1, 1], and near 0 this form keeps their digits.
    return ops.mean(ops.log1p(ops.square(ops.sinh(ops.softmax(y_pred) - y_true))) / 2, axis=-1)


def cosine_similarity(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The cosine of the angle between targets and probabilities, negated: -1 is best.

        -Σ_j e_j p_j / (‖e‖ ‖p‖)

    On one-hot targets it is `spherical` - 1.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.

    Returns:
        The loss of each image, `[batch]`, in [-1, 0].

    Example:
        >>> round(float(cosine_similarity(ops.eye(3), ops.eye(3))[0]), 4)
        -0.8871

    Source: Keras.
    """
    p = ops.softmax(y_pred)
    return -expectation(y_true, p) / (ops.norm(y_true, axis=-1) * ops.norm(p, axis=-1))
