"""Losses robust to wrong labels that change while training: with per-image state, or with the epoch."""

from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt

from lossbench import ops
from lossbench.losses.catalogue._numerics import expectation
from lossbench.losses.catalogue.bounded import generalized_crossentropy
from lossbench.losses.catalogue.likelihood import categorical_crossentropy
from lossbench.losses.types import Epoch, NonNegative, Positive, State, Tensor, UsedIf


def elr(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    beta: Annotated[float, Ge(0), Lt(1)] = 0.7,
    regularization_weight: NonNegative = 3.0,
    memory: Annotated[Tensor, State(("images", "classes"), 0.0)],
) -> tuple[Tensor, dict[str, Tensor]]:
    """Early-learning regularisation: keeps predictions near their moving average before wrong labels are memorised.

        CE + λ log(1 - <t, p>),  t ← β t + (1-β) p / Σ p,  p clipped to [1e-4, 1 - 1e-4]

    t is stored per image and updated before the loss is computed; the gradient does not flow through it.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        beta: β, decay of the moving average.
        regularization_weight: λ; 0 is cross-entropy.
        memory: t, moving average of the predictions for these images, `[batch, classes]`.

    Returns:
        Loss per image, `[batch]`, and the new memory.

    Example:
        >>> losses, state = elr(ops.eye(3), ops.eye(3), memory=ops.zeros((3, 3)))
        >>> round(float(losses[0]), 4), round(float(state["memory"][0, 0]), 4)
        (0.1456, 0.1728)

    Source: Liu et al. (2020). Early-learning regularization prevents memorization of noisy labels.
    arXiv:2007.00151.
    """
    p = ops.clip(ops.softmax(y_pred), 1e-4, 1 - 1e-4)
    prediction = ops.stop_gradient(p / ops.sum(p, axis=-1, keepdims=True))
    memory = beta * memory + (1 - beta) * prediction
    agreement = expectation(memory, p)
    return categorical_crossentropy(y_true, y_pred) + regularization_weight * ops.log1p(-agreement), {"memory": memory}


def truncated_gce(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    q: Annotated[float, Gt(0), Le(1)] = 0.7,
    k: Annotated[float, Gt(0), Lt(1)] = 0.5,
    start_epoch: Annotated[int, Ge(0)] = 40,
    every: Annotated[int, Ge(1)] = 10,
    epoch: Annotated[Epoch, UsedIf(lambda start_epoch, every: start_epoch > 0 or every > 1)] = None,
    kept: Annotated[Tensor, State(("images",), 1.0)],
) -> tuple[Tensor, dict[str, Tensor]]:
    """Generalized cross-entropy that drops images whose label stays unlikely.

        L_q(p_y) if kept, else L_q(k),  L_q(p) = (1 - p^q) / q

    All images are kept at first. In the epochs start_epoch, start_epoch + every, … each image is kept if p_y > k when
    its batch is trained. The paper decides for all images at once between two epochs.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        q: Larger values are more robust and train more slowly.
        k: Label probability above which an image is kept.
        start_epoch: First epoch, from 0, in which images are dropped.
        every: Number of epochs between decisions.
        epoch: The epoch, from 0; not used if every epoch decides.
        kept: 1 for images that are kept, 0 for the others, `[batch]`.

    Returns:
        Loss per image, `[batch]`, in [0, 1/q], and which images are kept.

    Example:
        >>> losses, state = truncated_gce(ops.eye(3), -ops.eye(3), epoch=40.0, kept=ops.ones(3))
        >>> round(float(losses[0]), 4), float(state["kept"][0])
        (0.5492, 0.0)

    Source: Zhang & Sabuncu (2018). Generalized cross entropy loss for training deep neural networks with noisy
    labels. arXiv:1805.07836.
    """
    likely = ops.cast(expectation(y_true, ops.softmax(y_pred)) > k, "float32")
    if start_epoch == 0 and every == 1:
        kept = likely
    else:
        kept = ops.where((epoch >= start_epoch) & (ops.mod(epoch - start_epoch, every) == 0), likely, kept)
    return kept * generalized_crossentropy(y_true, y_pred, q=q) + (1 - kept) * (1 - k**q) / q, {"kept": kept}


def sparse_regularization(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    tau: Positive = 0.1,
    p: Annotated[float, Gt(0), Le(1)] = 0.1,
    regularization_weight: NonNegative = 4.0,
    rho: Annotated[float, Ge(1)] = 2.0,
    every: Annotated[int, Ge(1)] = 5,
    epoch: Annotated[Epoch, UsedIf(lambda rho, regularization_weight: rho > 1 and regularization_weight > 0)] = None,
) -> Tensor:
    """Cross-entropy of sharpened outputs with a growing sparsity penalty, robust to wrong labels.

        CE(z/τ) + λ Σ_j softmax(z/τ)_j^p,  λ = regularization_weight · ρ^floor(epoch / every)

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        tau: τ, temperature; smaller values sharpen the outputs.
        p: Exponent of the norm; towards 0 it counts the classes.
        regularization_weight: λ in the first epochs; 0 with τ = 1 is cross-entropy.
        rho: ρ, growth factor of λ.
        every: Number of epochs between increases of λ.
        epoch: The epoch, from 0; not used with λ = 0 or ρ = 1.

    Returns:
        Loss per image, `[batch]`, ≥ λ.

    Example:
        >>> round(float(sparse_regularization(ops.eye(3), ops.eye(3), epoch=0.0)[0]), 4)
        6.9431

    Source: Zhou et al. (2021). Learning with noisy labels via sparse regularization. arXiv:2108.00192.
    """
    log_p = ops.log_softmax(y_pred / tau)
    losses = -expectation(y_true, log_p)
    if not regularization_weight:
        return losses
    growth = rho ** ops.floor(epoch / every) if rho > 1 else 1.0
    return losses + regularization_weight * growth * ops.sum(ops.exp(p * log_p), axis=-1)
