"""Every loss of the catalogue against an oracle of its own, and what all losses have in common.

An oracle is the formula for one image, in float64 NumPy: scores z, true class y, p = softmax(z), e = one-hot(y). Where
the hyperparameters smooth the labels, the oracle says so itself.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lossbench import ops
from lossbench.losses import registry

Array = NDArray[np.float64]
Oracle = Callable[[Array, int, Array, Array], float]

CLASSES = 5
COUNTS = np.array([50.0, 40.0, 30.0, 20.0, 10.0])
WEIGHTS = [0.5, 1.0, 2.0, 3.0, 0.1]

generator = np.random.default_rng(20240229)
LOGITS = 2 * generator.standard_normal((12, CLASSES))
LABELS = generator.integers(CLASSES, size=12)


def softmax(z: Array) -> Array:
    """The exponentials' shares."""
    return np.exp(z - z.max()) / np.exp(z - z.max()).sum()


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z))."""
    return 1 / (1 + np.exp(-z))


def smoothed(e: Array, epsilon: float, outcomes: int) -> Array:
    """Targets of which the share ε is spread over the outcomes."""
    return e * (1 - epsilon) + epsilon / outcomes


def bce(z: Array, t: Array, weight: Any = 1.0) -> Array:
    """Binary cross-entropy of each class."""
    return -weight * t * np.log(sigmoid(z)) - (1 - t) * np.log(1 - sigmoid(z))


def others(z: Array, y: int) -> Array:
    """The scores of the wrong classes."""
    return np.delete(z, y)


def lead(z: Array, y: int) -> float:
    """By how much the true class leads the mean of the others."""
    return z[y] - others(z, y).mean()


def sign(e: Array) -> Array:
    """+1 for the true class, -1 for the others."""
    return np.where(e == 1, 1.0, -1.0)


def sparsemax_support(z: Array) -> Array:
    """The projection on the simplex, by bisection on its threshold."""
    low, high = z.min() - 1, z.max()
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(z - middle, 0).sum() > 1 else (low, middle)
    return np.maximum(z - high, 0)


def sparsemax_loss(z: Array, y: int) -> float:
    """Martins & Astudillo 2016, equation 13: -z_y + Σ_{j in support} (z_j² - τ²)/2 + 1/2."""
    support = sparsemax_support(z) > 0
    tau = (z[support].sum() - 1) / support.sum()
    return float(-z[y] + (z[support] ** 2 - tau**2).sum() / 2 + 0.5)


def ldr_kl(z: Array, y: int, temperature: float, margin: float) -> float:
    """The mean of exponentials, written out."""
    positive = np.log1p(np.exp(z))
    s = positive / positive.mean()
    terms = [math.exp(((j != y) * margin + s[j] - s[y]) / temperature) for j in range(len(z))]
    return temperature * math.log(sum(terms) / len(z))


def binary_focal(z: Array, e: Array, gamma: float, alpha: float | None, epsilon: float) -> float:
    """Keras' definition."""
    t = smoothed(e, epsilon, 2)
    p_t = t * sigmoid(z) + (1 - t) * (1 - sigmoid(z))
    weight = 1.0 if alpha is None else t * alpha + (1 - t) * (1 - alpha)
    return float(np.mean(weight * (1 - p_t) ** gamma * bce(z, t)))


def log_clipped(e: Array, a: float) -> Array:
    """Log e with A for log 0."""
    return np.array([math.log(x) if x else a for x in e])


CASES: list[tuple[str, dict[str, Any], Oracle]] = [
    ("categorical_crossentropy", {}, lambda z, y, p, e: -math.log(p[y])),
    (
        "categorical_crossentropy",
        {"label_smoothing": 0.2},
        lambda z, y, p, e: -float(smoothed(e, 0.2, CLASSES) @ np.log(p)),
    ),
    ("binary_crossentropy", {}, lambda z, y, p, e: bce(z, e).mean()),
    (
        "binary_crossentropy",
        {"label_smoothing": 0.2, "pos_weight": 3},
        lambda z, y, p, e: bce(z, smoothed(e, 0.2, 2), 3).mean(),
    ),
    ("binary_crossentropy", {"pos_weight": WEIGHTS}, lambda z, y, p, e: bce(z, e, np.array(WEIGHTS)).mean()),
    ("kl_divergence", {}, lambda z, y, p, e: -math.log(p[y])),
    (
        "kl_divergence",
        {"label_smoothing": 0.2},
        lambda z, y, p, e: sum(t * math.log(t / q) for t, q in zip(smoothed(e, 0.2, CLASSES), p, strict=True)),
    ),
    ("poisson", {}, lambda z, y, p, e: (1 - math.log(p[y])) / CLASSES),
    ("squentropy", {}, lambda z, y, p, e: -math.log(p[y]) + (others(z, y) ** 2).mean()),
    ("poly1_crossentropy", {}, lambda z, y, p, e: -math.log(p[y]) + (1 - p[y])),
    ("poly1_crossentropy", {"epsilon": -0.5}, lambda z, y, p, e: -math.log(p[y]) - 0.5 * (1 - p[y])),
    ("taylor_crossentropy", {}, lambda z, y, p, e: (1 - p[y]) + (1 - p[y]) ** 2 / 2),
    ("taylor_crossentropy", {"order": 6}, lambda z, y, p, e: sum((1 - p[y]) ** i / i for i in range(1, 7))),
    ("alpha_loss", {}, lambda z, y, p, e: 3 * (1 - p[y] ** (1 / 3))),
    ("alpha_loss", {"alpha": 1}, lambda z, y, p, e: -math.log(p[y])),
    ("alpha_loss", {"alpha": 0.5}, lambda z, y, p, e: 1 / p[y] - 1),
    ("ldr_kl", {}, lambda z, y, p, e: ldr_kl(z, y, 1, 0.1)),
    ("ldr_kl", {"temperature": 0.3, "margin": 2}, lambda z, y, p, e: ldr_kl(z, y, 0.3, 2)),
    ("mean_squared_error", {}, lambda z, y, p, e: ((p - e) ** 2).mean()),
    ("mean_absolute_error", {}, lambda z, y, p, e: 2 * (1 - p[y]) / CLASSES),
    ("mean_absolute_percentage_error", {}, lambda z, y, p, e: 100 * (1 - p[y]) * (1 + 1e7) / CLASSES),
    ("mean_squared_logarithmic_error", {}, lambda z, y, p, e: (np.log((1 + p) / (1 + e)) ** 2).mean()),
    ("huber", {}, lambda z, y, p, e: ((p - e) ** 2 / 2).mean()),
    (
        "huber",
        {"delta": 0.2},
        lambda z, y, p, e: np.mean([d * d / 2 if d <= 0.2 else 0.2 * (d - 0.1) for d in abs(p - e)]),
    ),
    (
        "smooth_l1",
        {"beta": 0.2},
        lambda z, y, p, e: np.mean([d * d / 0.4 if d < 0.2 else d - 0.1 for d in abs(p - e)]),
    ),
    ("log_cosh", {}, lambda z, y, p, e: np.log(np.cosh(p - e)).mean()),
    ("cosine_similarity", {}, lambda z, y, p, e: -p[y] / math.hypot(*p)),
    ("brier", {}, lambda z, y, p, e: 1 - 2 * p[y] + p @ p),
    ("spherical", {}, lambda z, y, p, e: 1 - p[y] / math.hypot(*p)),
    ("rescaled_square", {}, lambda z, y, p, e: ((z - e) ** 2).mean()),
    (
        "rescaled_square",
        {"k": 3, "M": 4},
        lambda z, y, p, e: (3 * (z[y] - 4) ** 2 + (others(z, y) ** 2).sum()) / CLASSES,
    ),
    ("sparsemax", {}, lambda z, y, p, e: sparsemax_loss(z, y)),
    ("hinge", {}, lambda z, y, p, e: np.maximum(0, 1 - sign(e) * z).mean()),
    ("hinge", {"margin": 0.3}, lambda z, y, p, e: np.maximum(0, 0.3 - sign(e) * z).mean()),
    ("squared_hinge", {}, lambda z, y, p, e: (np.maximum(0, 1 - sign(e) * z) ** 2).mean()),
    ("categorical_hinge", {}, lambda z, y, p, e: max(0, 1 + others(z, y).max() - z[y])),
    ("categorical_hinge", {"margin": 3}, lambda z, y, p, e: max(0, 3 + others(z, y).max() - z[y])),
    ("multi_margin", {}, lambda z, y, p, e: np.maximum(0, 1 - z[y] + others(z, y)).sum() / CLASSES),
    (
        "multi_margin",
        {"p": 2, "margin": 0.5},
        lambda z, y, p, e: (np.maximum(0, 0.5 - z[y] + others(z, y)) ** 2).sum() / CLASSES,
    ),
    ("multiclass_perceptron", {}, lambda z, y, p, e: z.max() - z[y]),
    ("sigmoid_loss", {}, lambda z, y, p, e: 1 / (1 + math.exp(lead(z, y)))),
    ("savage", {}, lambda z, y, p, e: (1 + math.exp(2 * lead(z, y))) ** -2),
    ("ramp", {}, lambda z, y, p, e: min(1, max(0, (1 - lead(z, y)) / 2))),
    ("unhinged", {}, lambda z, y, p, e: 1 - lead(z, y)),
    ("focal", {}, lambda z, y, p, e: -((1 - p[y]) ** 2) * math.log(p[y])),
    ("focal", {"gamma": 0.5, "alpha": 0.25}, lambda z, y, p, e: -0.25 * (1 - p[y]) ** 0.5 * math.log(p[y])),
    (
        "focal",
        {"alpha": WEIGHTS, "label_smoothing": 0.2},
        lambda z, y, p, e: -float(smoothed(e, 0.2, CLASSES) @ (np.array(WEIGHTS) * (1 - p) ** 2 * np.log(p))),
    ),
    ("binary_focal_crossentropy", {}, lambda z, y, p, e: binary_focal(z, e, 2, None, 0)),
    (
        "binary_focal_crossentropy",
        {"gamma": 0.5, "apply_class_balancing": True, "label_smoothing": 0.2},
        lambda z, y, p, e: binary_focal(z, e, 0.5, 0.25, 0.2),
    ),
    ("weighted_crossentropy", {}, lambda z, y, p, e: -150 / (CLASSES * COUNTS[y]) * math.log(p[y])),
    (
        "weighted_crossentropy",
        {"class_weight": "complement_frequency"},
        lambda z, y, p, e: -(1 - COUNTS[y] / 150) * math.log(p[y]),
    ),
    ("weighted_crossentropy", {"class_weight": "none"}, lambda z, y, p, e: -math.log(p[y])),
    ("weighted_crossentropy", {"class_weight": WEIGHTS}, lambda z, y, p, e: -WEIGHTS[y] * math.log(p[y])),
    ("mae_probability", {}, lambda z, y, p, e: 1 - p[y]),
    ("generalized_crossentropy", {}, lambda z, y, p, e: (1 - p[y] ** 0.7) / 0.7),
    ("generalized_crossentropy", {"q": 0.05}, lambda z, y, p, e: (1 - p[y] ** 0.05) / 0.05),
    ("reverse_crossentropy", {}, lambda z, y, p, e: -math.log(1e-4) * (1 - p[y])),
    ("reverse_crossentropy", {"log_zero": -4}, lambda z, y, p, e: -float(p @ log_clipped(e, -4))),
    ("symmetric_crossentropy", {}, lambda z, y, p, e: -0.1 * math.log(p[y]) - math.log(1e-4) * (1 - p[y])),
    (
        "symmetric_crossentropy",
        {"alpha": 6, "beta": 0.1, "log_zero": -4},
        lambda z, y, p, e: -6 * math.log(p[y]) + 0.4 * (1 - p[y]),
    ),
]
NAMES = tuple(registry.specs())
CASE_IDS = [registry.label(registry.parse({"name": name, **hyperparameters})) for name, hyperparameters, _ in CASES]
cases = pytest.mark.parametrize(("name", "hyperparameters", "oracle"), CASES, ids=CASE_IDS)
catalogue = pytest.mark.parametrize("name", NAMES)


def one_hot(labels: Any, classes: int = CLASSES) -> NDArray[np.float32]:
    """Targets as the losses want them."""
    return np.eye(classes, dtype="float32")[labels]


def bound(name: str, hyperparameters: dict[str, Any] | None = None, counts: Any = COUNTS) -> Any:
    """The loss as the training step calls it."""
    return registry.bind(registry.parse({"name": name, **(hyperparameters or {})}), class_counts=counts)


def value_and_gradient(loss: Any, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
    """The losses of a batch and the slope of their sum, from TensorFlow."""
    import tensorflow as tf

    logits = tf.constant(y_pred, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        losses = loss(tf.constant(y_true, tf.float32), logits)
    return losses.numpy(), tape.gradient(losses, logits).numpy()


def expected(oracle: Oracle, logits: Array) -> Array:
    """The oracle of each image."""
    return np.array([oracle(z, y, softmax(z), np.eye(CLASSES)[y]) for z, y in zip(logits, LABELS, strict=True)])


def slopes(oracle: Oracle, step: float = 1e-5) -> Array:
    """The oracle's gradient by central differences."""
    columns = [
        (expected(oracle, LOGITS + shift) - expected(oracle, LOGITS - shift)) / (2 * step)
        for shift in step * np.eye(CLASSES)
    ]
    return np.stack(columns, axis=-1)


def test_every_loss_has_an_oracle() -> None:
    """The table above leaves no loss out."""
    assert set(NAMES) == {name for name, _, _ in CASES}


@cases
def test_value(name: str, hyperparameters: dict[str, Any], oracle: Oracle) -> None:
    """The value is the oracle's, for each image."""
    actual = bound(name, hyperparameters)(one_hot(LABELS), LOGITS.astype("float32"))
    np.testing.assert_allclose(actual, expected(oracle, LOGITS), rtol=2e-4, atol=2e-6)


@cases
def test_gradient(name: str, hyperparameters: dict[str, Any], oracle: Oracle) -> None:
    """The automatic gradient is the oracle's by finite differences."""
    _, gradient = value_and_gradient(bound(name, hyperparameters), one_hot(LABELS), LOGITS)
    scale = np.abs(slopes(oracle)).max()
    np.testing.assert_allclose(gradient / scale, slopes(oracle) / scale, rtol=1e-3, atol=1e-5)


EXTREMES = np.array(
    [
        [1e4, -1e4, -1e4, -1e4, -1e4],
        [-1e4, 1e4, 1e4, 1e4, 1e4],
        [-1e4, 1e4, 0, 0, 0],
        [1e4, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
        [1e4, 1e4, 1e4, 1e4, 1e4],
        [-1e4, -1e4, -1e4, -1e4, -1e4],
        [20, -20, -20, -20, -20],
        [100, 0, 0, 0, 0],
    ]
)


@pytest.mark.parametrize(
    ("name", "hyperparameters"),
    [
        *((name, hyperparameters) for name, hyperparameters, _ in CASES if hyperparameters != {"alpha": 0.5}),
        ("focal", {"gamma": 0.01}),
        ("focal", {"gamma": 50}),
        ("binary_focal_crossentropy", {"gamma": 0.01}),
        ("generalized_crossentropy", {"q": 1e-3}),
        ("alpha_loss", {"alpha": 100}),
        ("ldr_kl", {"temperature": 1e-3}),
        ("reverse_crossentropy", {"log_zero": -1e3}),
    ],
)
def test_finite_at_extreme_and_equal_logits(name: str, hyperparameters: dict[str, Any]) -> None:
    """Value and gradient stay finite at logits of ±1e4 and at equal ones, whichever class is true.

    Left out is `alpha_loss` with α < 1, which grows as a power of 1/p, as its docstring says.
    """
    for label in range(CLASSES):
        losses, gradient = value_and_gradient(bound(name, hyperparameters), one_hot([label] * len(EXTREMES)), EXTREMES)
        assert np.isfinite(losses).all()
        assert np.isfinite(gradient).all()


@catalogue
def test_at_equal_logits_the_true_class_is_pushed_up(name: str) -> None:
    """At equal logits the gradient raises the true class's logit, never the others'; perceptrons included."""
    _, gradient = value_and_gradient(bound(name), one_hot([0]), np.zeros((1, CLASSES)))
    assert gradient[0, 0] < 0
    assert (gradient[0, 1:] >= 0).all()


@catalogue
def test_classes_have_no_order(name: str) -> None:
    """Renaming the classes changes nothing."""
    order = np.array([3, 0, 4, 1, 2])
    before = bound(name)(one_hot(LABELS), LOGITS.astype("float32"))
    after = bound(name, counts=COUNTS[order])(one_hot(LABELS)[:, order], LOGITS.astype("float32")[:, order])
    np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-6)


@catalogue
def test_shift_of_all_logits(name: str) -> None:
    """A shift of all logits changes nothing, unless the link is the sigmoid or the docstring says that it does."""
    spec = registry.find(name)
    varies = spec.link == "sigmoid" or "not invariant to a shift" in spec.docstring
    before = bound(name)(one_hot(LABELS), LOGITS.astype("float32"))
    after = bound(name)(one_hot(LABELS), LOGITS.astype("float32") + 3)
    assert varies != np.allclose(after, before, rtol=1e-4, atol=1e-5)


@catalogue
def test_compiled_is_eager(name: str) -> None:
    """Inside `tf.function` the numbers are the same."""
    import tensorflow as tf

    loss = bound(name)
    arguments = tf.constant(one_hot(LABELS)), tf.constant(LOGITS, tf.float32)
    compiled = tf.function(loss, autograph=False)(*arguments)
    np.testing.assert_allclose(compiled, loss(*arguments), rtol=1e-5, atol=1e-6)


@catalogue
def test_half_precision_logits_are_computed_in_float32(name: str) -> None:
    """The loss of float16 logits is that of the same numbers in float32."""
    half = LOGITS.astype("float16")
    actual = np.asarray(bound(name)(one_hot(LABELS), half))
    assert actual.dtype == np.float32
    np.testing.assert_array_equal(actual, bound(name)(one_hot(LABELS), half.astype("float32")))


@catalogue
def test_soft_targets_give_a_finite_loss(name: str) -> None:
    """Targets may be distributions."""
    losses, gradient = value_and_gradient(bound(name), 0.7 * one_hot(LABELS) + 0.06, LOGITS)
    assert np.isfinite(losses).all()
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize(
    "name",
    ["focal", "generalized_crossentropy", "poly1_crossentropy", "taylor_crossentropy", "alpha_loss", "mae_probability"],
)
def test_soft_targets_average_over_classes(name: str) -> None:
    """What a formula says of the true class is averaged over soft targets."""
    logits = LOGITS.astype("float32")[:1]
    soft = np.array([[0.5, 0.2, 0.1, 0.1, 0.1]], dtype="float32")
    each = [float(bound(name)(one_hot([label]), logits)[0]) for label in range(CLASSES)]
    np.testing.assert_allclose(float(bound(name)(soft, logits)[0]), soft[0] @ each, rtol=1e-5)


def test_stop_gradient_keeps_the_value_and_drops_a_slope() -> None:
    """With the factor held constant, focal's slope is (1-p)^γ (p - e)."""
    loss = bound("focal", {"stop_gradient": True})
    losses, gradient = value_and_gradient(loss, one_hot(LABELS), LOGITS)
    p = np.array([softmax(z) for z in LOGITS])
    factor = (1 - p[np.arange(len(LABELS)), LABELS]) ** 2
    np.testing.assert_array_equal(losses, bound("focal")(one_hot(LABELS), LOGITS))
    np.testing.assert_allclose(gradient, factor[:, None] * (p - one_hot(LABELS)), rtol=1e-3, atol=1e-6)


def test_normalizing_by_weights_is_pytorchs_mean() -> None:
    """The mean over images is the weighted sum over the sum of weights."""
    losses = bound("weighted_crossentropy", {"normalize": "weights", "class_weight": WEIGHTS})
    weights = np.array(WEIGHTS)[LABELS]
    crossentropy = np.array([-math.log(softmax(z)[y]) for z, y in zip(LOGITS, LABELS, strict=True)])
    mean = float(np.mean(losses(one_hot(LABELS), LOGITS.astype("float32"))))
    assert mean == pytest.approx((weights * crossentropy).sum() / weights.sum(), rel=1e-5)


@pytest.mark.parametrize(
    ("name", "key"),
    [("focal", "alpha"), ("binary_crossentropy", "pos_weight"), ("weighted_crossentropy", "class_weight")],
)
def test_list_of_another_length_is_refused(name: str, key: str) -> None:
    """A list has one number for each class."""
    from lossbench.errors import UsageError

    with pytest.raises(UsageError, match=f"{key}: expected one number or 5, one for each class, got a list of 3"):
        bound(name, {key: [1, 2, 3]})(one_hot(LABELS), LOGITS.astype("float32"))


def test_weighted_list_is_the_weighted_sum() -> None:
    """A list of losses adds them up with their weights."""
    both = registry.bind(registry.parse(["ce", {"name": "rce", "weight": 10}]))
    y_true, y_pred = one_hot(LABELS), LOGITS.astype("float32")
    by_hand = bound("ce")(y_true, y_pred) + 10 * bound("rce")(y_true, y_pred)
    np.testing.assert_allclose(both(y_true, y_pred), by_hand, rtol=1e-6)


def test_missing_context_is_named() -> None:
    """A loss that needs class counts says so when there are none."""
    from lossbench.errors import UsageError

    with pytest.raises(UsageError, match="'weighted_crossentropy' needs class_counts"):
        registry.bind(registry.parse("weighted_crossentropy"))


def test_operations_are_keras_own() -> None:
    """`lossbench.ops` hands out `keras.ops`, and answers Python's questions about modules itself."""
    import keras

    assert ops.logsumexp is keras.ops.logsumexp
    assert not hasattr(ops, "__wrapped__")
    assert not hasattr(ops, "no_such_operation")
