"""Likelihoods, and losses that modify the logarithm of the true class's probability.

Notation here and in the other files: z logits, p = softmax(z), e the target distribution (one-hot or soft), y the true
class, C classes, σ the sigmoid. With soft targets, a formula for y is averaged over e. Each example has three
classes; the logit of the true class is 1, the others are 0.
"""

from typing import Annotated

from annotated_types import Ge, Le

from lossbench import ops
from lossbench.losses.catalogue._numerics import expectation, per_class, smooth, smooth_binary
from lossbench.losses.types import PerClass, Positive, Smoothing, Tensor


def categorical_crossentropy(y_true: Tensor, y_pred: Tensor, *, label_smoothing: Smoothing = 0.0) -> Tensor:
    """Negative log-likelihood of a softmax classifier: the standard loss, and the default baseline.

        -Σ_j e'_j log p_j,  e' = (1-ε) e + ε/C

    Link: softmax.
    Aliases: ce, nll, sparse_categorical_crossentropy.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        label_smoothing: ε, share of each label that is spread evenly over all classes.

    Returns:
        Loss per image in nats, `[batch]`, ≥ 0.

    Example:
        >>> round(float(categorical_crossentropy(ops.eye(3), ops.eye(3))[0]), 4)
        0.5514

    Source: keras.losses.CategoricalCrossentropy; torch.nn.CrossEntropyLoss.
    """
    return -expectation(smooth(y_true, label_smoothing), ops.log_softmax(y_pred))


def binary_crossentropy(
    y_true: Tensor, y_pred: Tensor, *, label_smoothing: Smoothing = 0.0, pos_weight: PerClass = 1.0
) -> Tensor:
    """Mean of C logistic losses, one-vs-rest.

        -mean_j [w_j e'_j log σ(z_j) + (1-e'_j) log σ(-z_j)],  e' = (1-ε) e + ε/2

    Link: sigmoid.
    Aliases: bce, soft_margin.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        label_smoothing: ε; moves each target towards 1/2.
        pos_weight: w, weight of the positive term; C-1 balances positives and negatives of one-vs-rest.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Raises:
        UsageError: If `pos_weight` is a list whose length is not C.

    Example:
        >>> round(float(binary_crossentropy(ops.eye(3), ops.eye(3))[0]), 4)
        0.5665

    Source: keras.losses.BinaryCrossentropy; torch.nn.BCEWithLogitsLoss.
    """
    target = smooth_binary(y_true, label_smoothing)
    positive = per_class("pos_weight", pos_weight, y_pred) * target * ops.log_sigmoid(y_pred)
    negative = (1 - target) * ops.log_sigmoid(-y_pred)
    return -ops.mean(positive + negative, axis=-1)


def kl_divergence(y_true: Tensor, y_pred: Tensor, *, label_smoothing: Smoothing = 0.0) -> Tensor:
    """Cross-entropy minus the entropy of the targets, so that its minimum is 0 with smoothed targets too.

        Σ_j e'_j (log e'_j - log p_j),  e' = (1-ε) e + ε/C,  0·log 0 = 0

    Its gradient equals that of cross-entropy; on one-hot targets the values are equal too.

    Link: softmax.
    Aliases: kld.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        label_smoothing: ε, share of each label that is spread evenly over all classes.

    Returns:
        Loss per image in nats, `[batch]`, ≥ 0.

    Example:
        >>> round(float(kl_divergence(ops.eye(3), ops.eye(3), label_smoothing=0.1)[0]), 4)
        0.327

    Source: keras.losses.KLDivergence.
    """
    target = smooth(y_true, label_smoothing)
    return expectation(target, ops.log(ops.maximum(target, 1e-37)) - ops.log_softmax(y_pred))


def poisson(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Poisson negative log-likelihood, with the probabilities as rates.

        mean_j (p_j - e_j log p_j)

    The probabilities sum to 1, so it equals (1 + cross-entropy) / C: the learning rate is C times smaller.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.

    Returns:
        Loss per image, `[batch]`, ≥ 1/C.

    Example:
        >>> round(float(poisson(ops.eye(3), ops.eye(3))[0]), 4)
        0.5171

    Source: keras.losses.Poisson.
    """
    return ops.mean(ops.softmax(y_pred) - y_true * ops.log_softmax(y_pred), axis=-1)


def squentropy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Cross-entropy plus the mean squared logit of the wrong classes, which keeps these logits near 0.

        CE + 1/(C-1) Σ_{j≠y} z_j²

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`; not invariant to a shift.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(squentropy(ops.eye(3), ops.eye(3))[0]), 4)
        0.5514

    Source: Hui, Belkin & Wright (2023). Cut your losses with squentropy. arXiv:2302.03952.
    """
    wrong = ops.sum((1 - y_true) * ops.square(y_pred), axis=-1) / (y_pred.shape[-1] - 1)
    return categorical_crossentropy(y_true, y_pred) + wrong


def poly1_crossentropy(y_true: Tensor, y_pred: Tensor, *, epsilon: Annotated[float, Ge(-1)] = 1.0) -> Tensor:
    """Cross-entropy with an adjustable coefficient for the first term of its expansion in (1-p_y).

        CE + ε (1 - p_y)

    Most implementations use ε = 1, optax uses 2; ε = 0 is cross-entropy, ε = -1 removes the first term.

    Link: softmax.
    Aliases: poly1.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        epsilon: ε, added to the first coefficient of -log p = Σ_i (1-p)^i / i, which is 1.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(poly1_crossentropy(ops.eye(3), ops.eye(3))[0]), 4)
        0.9753

    Source: Leng et al. (2022). PolyLoss: a polynomial expansion perspective of classification loss functions.
    arXiv:2204.12511.
    """
    log_p = ops.log_softmax(y_pred)
    return -expectation(y_true, log_p + epsilon * ops.expm1(log_p))


def taylor_crossentropy(y_true: Tensor, y_pred: Tensor, *, order: Annotated[int, Ge(1), Le(100)] = 2) -> Tensor:
    """Expansion of cross-entropy in (1-p_y), truncated after a few terms: bounded, hence robust to wrong labels.

        Σ_{i=1..t} (1-p_y)^i / i

    One term is 1 - p_y; more terms approach cross-entropy.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        order: t, the number of terms.

    Returns:
        Loss per image, `[batch]`, between 0 and Σ_{i≤t} 1/i.

    Example:
        >>> round(float(taylor_crossentropy(ops.eye(3), ops.eye(3))[0]), 4)
        0.5137

    Source: Feng et al. (2020). Can cross entropy loss be robust to label noise? doi:10.24963/ijcai.2020/305.
    """
    doubt = -ops.expm1(ops.log_softmax(y_pred))
    return expectation(y_true, sum(ops.power(doubt, i) / i for i in range(1, order + 1)))


def alpha_loss(y_true: Tensor, y_pred: Tensor, *, alpha: Positive = 1.5) -> Tensor:
    """Family of losses from exponential (α = 1/2) through cross-entropy (α = 1) to 1 - p_y (α → ∞).

        α/(α-1) (1 - p_y^((α-1)/α)),  α = 1: -log p_y

    For α > 1 it is `generalized_crossentropy` with q = 1 - 1/α. For α < 1 it grows as a power of 1/p_y: in float32
    α = 1/2 overflows where p_y < 1e-38.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        alpha: α; larger values give less weight to images whose label the model finds unlikely.

    Returns:
        Loss per image, `[batch]`, ≥ 0, and ≤ α/(α-1) for α > 1.

    Example:
        >>> round(float(alpha_loss(ops.eye(3), ops.eye(3))[0]), 4)
        0.5037

    Source: Sypherd et al. (2019). A tunable loss function for robust classification. arXiv:1906.02314.
    """
    log_p, q = ops.log_softmax(y_pred), 1 - 1 / alpha
    return -expectation(y_true, ops.expm1(q * log_p) / q if q else log_p)


def ldr_kl(y_true: Tensor, y_pred: Tensor, *, temperature: Positive = 1.0, margin: float = 0.1) -> Tensor:
    """Worst-case margin violation over distributions on the classes, with a KL penalty towards the uniform one.

        Λ log mean_j exp((c 1[j≠y] + s_j - s_y) / Λ),  s = softplus(z) / max(mean_j softplus(z), 1e-12)

    Link: none.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Scores z, `[batch, classes]`; not invariant to a shift.
        temperature: Λ; towards 0 only the highest rival score counts, towards ∞ all count equally.
        margin: c, by how much s_y should exceed each other s_j.

    Returns:
        Loss per image, `[batch]`.

    Example:
        >>> round(float(ldr_kl(ops.eye(3), ops.eye(3))[0]), 4)
        -0.3521

    Source: Zhu, Ying & Yang (2023). Label distributionally robust losses for multi-class classification.
    arXiv:2112.14869.
    """
    positive = ops.softplus(y_pred)
    scores = positive / ops.maximum(ops.mean(positive, axis=-1, keepdims=True), 1e-12)
    rivals = margin * (1 - y_true) + scores - expectation(y_true, scores)[:, None]
    return temperature * (ops.logsumexp(rivals / temperature, axis=-1) - ops.log(float(y_pred.shape[-1])))
