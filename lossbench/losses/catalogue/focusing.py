"""Focal losses: images that are classified well count less."""

from typing import Annotated

from annotated_types import Ge, Le, Lt

from lossbench import ops
from lossbench.losses.catalogue._numerics import expectation, per_class, power, smooth, smooth_binary
from lossbench.losses.types import NonNegative, PerClass, Smoothing, Tensor


def focal(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    gamma: NonNegative = 2.0,
    alpha: PerClass = 1.0,
    label_smoothing: Smoothing = 0.0,
    stop_gradient: bool = False,
) -> Tensor:
    """Cross-entropy scaled by (1-p)^γ, which reduces the weight of images that are classified well.

        Σ_j e'_j α_j (1-p_j)^γ (-log p_j),  e' = (1-ε) e + ε/C

    γ = 0 with α = 1 is cross-entropy.

    Link: softmax.
    Aliases: sparse_categorical_focal.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        gamma: γ; larger values reduce the weight of easy images further.
        alpha: α; a number scales the loss, a list weights the classes.
        label_smoothing: ε, share of each label that is spread evenly over all classes.
        stop_gradient: Whether (1-p)^γ counts as a constant in the gradient, as in some published code.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Raises:
        UsageError: If `alpha` is a list whose length is not C.

    Example:
        >>> round(float(focal(ops.eye(3), ops.eye(3))[0]), 4)
        0.0991

    Source: Lin et al. (2017). Focal loss for dense object detection. arXiv:1708.02002;
    keras.losses.CategoricalFocalCrossentropy.
    """
    log_p = ops.log_softmax(y_pred)
    focus = power(-ops.expm1(log_p), gamma)
    focus = ops.stop_gradient(focus) if stop_gradient else focus
    return -expectation(smooth(y_true, label_smoothing), per_class("alpha", alpha, y_pred) * focus * log_p)


def binary_focal_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    gamma: NonNegative = 2.0,
    alpha: Annotated[float, Ge(0), Le(1)] = 0.25,
    apply_class_balancing: bool = False,
    label_smoothing: Smoothing = 0.0,
) -> Tensor:
    """Mean of C binary focal losses, one-vs-rest.

        mean_j α_t (1-p_t)^γ BCE_j,  p_t = e' σ(z) + (1-e') σ(-z),  e' = (1-ε) e + ε/2

    Link: sigmoid.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        gamma: γ; larger values reduce the weight of easy decisions further.
        alpha: α_t of the positive class in one-vs-rest; negatives get 1 - alpha.
        apply_class_balancing: Whether alpha is used; otherwise α_t = 1.
        label_smoothing: ε; moves each target towards 1/2.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(binary_focal_crossentropy(ops.eye(3), ops.eye(3))[0]), 4)
        0.1231

    Source: Lin et al. (2017). Focal loss for dense object detection. arXiv:1708.02002;
    keras.losses.BinaryFocalCrossentropy.
    """
    target = smooth_binary(y_true, label_smoothing)
    crossentropy = -target * ops.log_sigmoid(y_pred) - (1 - target) * ops.log_sigmoid(-y_pred)
    doubt = target * ops.sigmoid(-y_pred) + (1 - target) * ops.sigmoid(y_pred)
    balance = target * alpha + (1 - target) * (1 - alpha) if apply_class_balancing else 1.0
    return ops.mean(balance * power(doubt, gamma) * crossentropy, axis=-1)


def asymmetric(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    gamma_neg: NonNegative = 4.0,
    gamma_pos: NonNegative = 1.0,
    clip: Annotated[float, Ge(0), Lt(1)] = 0.05,
) -> Tensor:
    """One-vs-rest cross-entropies with the lowest weight on easy negatives, of which there are many.

        -mean_j [e_j (1-s_j)^γ₊ log s_j + (1-e_j) r_j^γ₋ log(1-r_j)],  s = σ(z),  r = max(s - clip, 0)

    With γ₊ = γ₋ and no clip it is `binary_focal_crossentropy`.

    Link: sigmoid.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        gamma_neg: γ₋, focusing exponent of the negatives.
        gamma_pos: γ₊, focusing exponent of the positives.
        clip: Probability below which a negative has no loss.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(asymmetric(ops.eye(3), ops.eye(3))[0]), 4)
        0.0444

    Source: Ridnik et al. (2021). Asymmetric loss for multi-label classification. arXiv:2009.14119.
    """
    positive = power(ops.sigmoid(-y_pred), gamma_pos) * ops.log_sigmoid(y_pred)
    excess = ops.relu(ops.sigmoid(y_pred) - clip)
    certain = ops.log(ops.minimum(ops.sigmoid(-y_pred) + clip, 1)) if clip else ops.log_sigmoid(-y_pred)
    return -ops.mean(y_true * positive + (1 - y_true) * power(excess, gamma_neg) * certain, axis=-1)


def asymmetric_single_label(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    gamma_neg: NonNegative = 4.0,
    gamma_pos: NonNegative = 0.0,
    label_smoothing: Smoothing = 0.1,
) -> Tensor:
    """Smoothed cross-entropy with different focusing exponents for the true class and the others.

        -Σ_j w_j e'_j log p_j,  w_y = (1-p_y)^γ₊,  w_j = p_j^γ₋ for j≠y,  e' = (1-ε) e + ε/C

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        gamma_neg: γ₋, focusing exponent of the wrong classes.
        gamma_pos: γ₊, focusing exponent of the true class.
        label_smoothing: ε, share of each label that is spread evenly over all classes.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(asymmetric_single_label(ops.eye(3), ops.eye(3))[0]), 4)
        0.5149

    Source: Ridnik et al. (2021). Asymmetric loss for multi-label classification. arXiv:2009.14119.
    """
    log_p, share = ops.log_softmax(y_pred), label_smoothing / y_pred.shape[-1]
    positive = (1 - label_smoothing + share) * power(-ops.expm1(log_p), gamma_pos)
    negative = share * ops.exp(gamma_neg * log_p)
    return -ops.sum((y_true * positive + (1 - y_true) * negative) * log_p, axis=-1)
