"""Distances between probabilities and targets: regression losses."""

from lossbench import ops
from lossbench.losses.catalogue._numerics import expectation
from lossbench.losses.types import NonNegative, Positive, Tensor


def mean_squared_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Squared error of the probabilities, averaged over classes.

        mean_j (p_j - e_j)²

    It equals `brier` / C. Its gradient vanishes where the model is confident and wrong.

    Link: softmax.
    Aliases: mse.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.

    Returns:
        Loss per image, `[batch]`, in [0, 2/C].

    Example:
        >>> round(float(mean_squared_error(ops.eye(3), ops.eye(3))[0]), 4)
        0.0898

    Source: keras.losses.MeanSquaredError.
    """
    return ops.mean(ops.square(ops.softmax(y_pred) - y_true), axis=-1)


def mean_absolute_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Absolute error of the probabilities, averaged over classes.

        mean_j |p_j - e_j|

    On one-hot targets it is 2/C times `mae_probability`, which is what papers on label noise call MAE.

    Link: softmax.
    Aliases: mae, l1.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.

    Returns:
        Loss per image, `[batch]`, in [0, 2/C].

    Example:
        >>> round(float(mean_absolute_error(ops.eye(3), ops.eye(3))[0]), 4)
        0.2826

    Source: keras.losses.MeanAbsoluteError.
    """
    return ops.mean(ops.abs(ops.softmax(y_pred) - y_true), axis=-1)


def mean_absolute_percentage_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Absolute error relative to the target, in percent; degenerate for classification.

        100 mean_j |e_j - p_j| / max(|e_j|, 1e-7)

    On one-hot targets a wrong class counts 1e7 times as much as the true one, so the loss is 1e9/C times
    `mae_probability`. With SGD the steps are too long by that factor and accuracy stays at chance level; Adam is
    invariant to the scale of a loss and trains as with `mae_probability`.

    Link: softmax.
    Aliases: mape.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.

    Returns:
        Loss per image in percent, `[batch]`, ≥ 0.

    Example:
        >>> f"{float(mean_absolute_percentage_error(ops.eye(3), ops.eye(3))[0]):.3g}"
        '1.41e+08'

    Source: keras.losses.MeanAbsolutePercentageError.
    """
    return 100 * ops.mean(ops.abs(y_true - ops.softmax(y_pred)) / ops.maximum(ops.abs(y_true), 1e-7), axis=-1)


def mean_squared_logarithmic_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Squared error of log(1 + p), averaged over classes.

        mean_j (log(1+e_j) - log(1+p_j))²

    Link: softmax.
    Aliases: msle.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.

    Returns:
        Loss per image, `[batch]`, in [0, 2 (log 2)²/C].

    Example:
        >>> round(float(mean_squared_logarithmic_error(ops.eye(3), ops.eye(3))[0]), 4)
        0.0435

    Source: keras.losses.MeanSquaredLogarithmicError.
    """
    return ops.mean(ops.square(ops.log1p(y_true) - ops.log1p(ops.softmax(y_pred))), axis=-1)


def huber(y_true: Tensor, y_pred: Tensor, *, delta: Positive = 1.0) -> Tensor:
    """Squared error for small differences, absolute error for large ones.

        mean_j [d_j²/2 if d_j ≤ δ, else δ (d_j - δ/2)],  d = |p - e|

    Since d ≤ 1, every δ ≥ 1 gives `mean_squared_error` / 2.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        delta: δ, difference at which the loss becomes linear.

    Returns:
        Loss per image, `[batch]`, in [0, 1/C].

    Example:
        >>> round(float(huber(ops.eye(3), ops.eye(3), delta=0.1)[0]), 4)
        0.0233

    Source: Huber (1964). Robust estimation of a location parameter. doi:10.1214/aoms/1177703732;
    keras.losses.Huber.
    """
    difference = ops.abs(ops.softmax(y_pred) - y_true)
    line = delta * (difference - delta / 2)
    return ops.mean(ops.where(difference <= delta, ops.square(difference) / 2, line), axis=-1)


def smooth_l1(y_true: Tensor, y_pred: Tensor, *, beta: NonNegative = 1.0) -> Tensor:
    """Absolute error, quadratic below β: `huber` / β.

        mean_j [d_j²/(2β) if d_j < β, else d_j - β/2],  d = |p - e|

    β = 0 is `mean_absolute_error`.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        beta: β, difference at which the loss becomes linear.

    Returns:
        Loss per image, `[batch]`, in [0, 2/C].

    Example:
        >>> round(float(smooth_l1(ops.eye(3), ops.eye(3), beta=0.1)[0]), 4)
        0.2326

    Source: Girshick (2015). Fast R-CNN. arXiv:1504.08083; torch.nn.SmoothL1Loss.
    """
    return huber(y_true, y_pred, delta=beta) / beta if beta else mean_absolute_error(y_true, y_pred)


def log_cosh(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Smooth loss between squared error (small differences) and absolute error (large differences).

        mean_j log cosh(p_j - e_j)

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.

    Returns:
        Loss per image, `[batch]`, in [0, 2 log(cosh 1)/C].

    Example:
        >>> round(float(log_cosh(ops.eye(3), ops.eye(3))[0]), 4)
        0.044

    Source: keras.losses.LogCosh.
    """
    # cosh² = 1 + sinh²; differences lie in [-1, 1], and near 0 this form keeps their digits.
    return ops.mean(ops.log1p(ops.square(ops.sinh(ops.softmax(y_pred) - y_true))) / 2, axis=-1)


def cosine_similarity(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Negative cosine of the angle between targets and probabilities; the best value is -1.

        -Σ_j e_j p_j / (‖e‖ ‖p‖)

    On one-hot targets it is `spherical` - 1.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.

    Returns:
        Loss per image, `[batch]`, in [-1, 0].

    Example:
        >>> round(float(cosine_similarity(ops.eye(3), ops.eye(3))[0]), 4)
        -0.8871

    Source: keras.losses.CosineSimilarity.
    """
    p = ops.softmax(y_pred)
    return -expectation(y_true, p) / (ops.norm(y_true, axis=-1) * ops.norm(p, axis=-1))
