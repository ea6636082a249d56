"""Cross-entropy of logits shifted by the class frequencies, which balances the predictions of the trained model."""

from typing import Annotated

from lossbench import ops
from lossbench.losses.catalogue.likelihood import categorical_crossentropy
from lossbench.losses.types import ClassCounts, NonNegative, Tensor, UsedIf


def logit_adjustment(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    tau: NonNegative = 1.0,
    class_counts: Annotated[ClassCounts, UsedIf(lambda tau: tau > 0)] = None,
) -> Tensor:
    """Cross-entropy with the log class frequencies added to the logits, so that the model need not learn them.

        CE(z + τ log π),  π_j = n_j / Σ n

    `balanced_softmax` is its name for τ = 1.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        tau: τ; 0 is cross-entropy, 1 is optimal for balanced test data.
        class_counts: n, number of training images per class, `[classes]`, > 0; not used with τ = 0.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(logit_adjustment(ops.eye(3), ops.eye(3), class_counts=ops.array([1.0, 2.0, 3.0]))[0]), 4)
        1.0436

    Source: Menon et al. (2021). Long-tail learning via logit adjustment. arXiv:2007.07314; Ren et al. (2020).
    Balanced meta-softmax for long-tailed visual recognition. arXiv:2007.10740.
    """
    return categorical_crossentropy(y_true, y_pred + tau * _log_shares(class_counts) if tau else y_pred)


def vs(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    gamma: NonNegative = 0.3,
    tau: NonNegative = 1.0,
    class_counts: Annotated[ClassCounts, UsedIf(lambda gamma, tau: gamma > 0 or tau > 0)] = None,
) -> Tensor:
    """Vector scaling: logit adjustment that also divides the logits of rare classes while training.

        CE(z / Δ + τ log π),  Δ_j = (n_max / n_j)^γ,  π_j = n_j / Σ n

    γ = 0 is logit adjustment. It is not invariant to a shift of all logits.

    Link: softmax.
    Aliases: vector_scaling.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        gamma: γ, multiplicative part: larger margins for rare classes, effective late in training.
        tau: τ, additive part, effective early in training.
        class_counts: n, number of training images per class, `[classes]`, > 0; not used with γ = τ = 0.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(vs(ops.eye(3), ops.eye(3), class_counts=ops.array([1.0, 2.0, 3.0]))[0]), 4)
        1.2342

    Source: Kini et al. (2021). Label-imbalanced and group-sensitive classification under overparameterization.
    arXiv:2103.01550.
    """
    if gamma == tau == 0:
        return categorical_crossentropy(y_true, y_pred)
    scale = (ops.max(class_counts) / class_counts) ** gamma
    return categorical_crossentropy(y_true, y_pred / scale + tau * _log_shares(class_counts))


def _log_shares(class_counts: Tensor) -> Tensor:
    return ops.log(class_counts / ops.sum(class_counts))
