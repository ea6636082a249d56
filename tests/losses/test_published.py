"""The catalogue against other people's numbers: Keras' own losses, values printed elsewhere, and limits."""

from typing import Any

import numpy as np
import pytest

from lossbench.losses import registry

generator = np.random.default_rng(7)
LOGITS = generator.standard_normal((64, 10)).astype("float32")
LABELS = generator.integers(10, size=64)
TARGETS = np.eye(10, dtype="float32")[LABELS]


def losses(value: Any, y_true: Any = TARGETS, y_pred: Any = LOGITS) -> Any:
    """The losses of a batch."""
    loss = registry.bind(registry.parse(value), class_counts=np.arange(1.0, y_pred.shape[-1] + 1))
    return np.asarray(loss(np.asarray(y_true, "float32"), np.asarray(y_pred, "float32")))


SOFTMAX, SIGMOID, NONE = "softmax", "sigmoid", "none"
KERAS: list[tuple[str, dict[str, Any], str, str, dict[str, Any]]] = [
    ("ce", {"label_smoothing": 0.1}, "categorical_crossentropy", SOFTMAX, {"label_smoothing": 0.1}),
    ("bce", {"label_smoothing": 0.1}, "binary_crossentropy", SIGMOID, {"label_smoothing": 0.1}),
    ("kld", {}, "kl_divergence", SOFTMAX, {}),
    ("poisson", {}, "poisson", SOFTMAX, {}),
    ("mse", {}, "mean_squared_error", SOFTMAX, {}),
    ("mae", {}, "mean_absolute_error", SOFTMAX, {}),
    ("mape", {}, "mean_absolute_percentage_error", SOFTMAX, {}),
    ("msle", {}, "mean_squared_logarithmic_error", SOFTMAX, {}),
    ("huber", {"delta": 0.1}, "huber", SOFTMAX, {"delta": 0.1}),
    ("log_cosh", {}, "log_cosh", SOFTMAX, {}),
    ("hinge", {}, "hinge", NONE, {}),
    ("squared_hinge", {}, "squared_hinge", NONE, {}),
    ("categorical_focal_crossentropy", {}, "categorical_focal_crossentropy", SOFTMAX, {}),
    (
        "focal",
        {"gamma": 3, "alpha": 0.5, "label_smoothing": 0.1},
        "categorical_focal_crossentropy",
        SOFTMAX,
        {"gamma": 3, "alpha": 0.5, "label_smoothing": 0.1},
    ),
    ("binary_focal_crossentropy", {}, "binary_focal_crossentropy", SIGMOID, {}),
    (
        "binary_focal_crossentropy",
        {"apply_class_balancing": True, "label_smoothing": 0.1},
        "binary_focal_crossentropy",
        SIGMOID,
        {"apply_class_balancing": True, "label_smoothing": 0.1},
    ),
]


@pytest.mark.parametrize(("name", "ours", "function", "link", "theirs"), KERAS)
def test_keras_own_losses(name: str, ours: dict[str, Any], function: str, link: str, theirs: dict[str, Any]) -> None:
    """On probabilities, Keras' own function of the same name returns the same."""
    import keras

    outputs = LOGITS if link == NONE else getattr(keras.ops, link)(LOGITS)
    actual = getattr(keras.losses, function)(TARGETS, outputs, **theirs)
    np.testing.assert_allclose(losses({"name": name, **ours}), actual, rtol=2e-4, atol=1e-5)


def test_keras_cosine_similarity() -> None:
    """Keras' class negates what its function of this name returns."""
    import keras

    theirs = keras.losses.CosineSimilarity(reduction="none")(TARGETS, keras.ops.softmax(LOGITS))
    np.testing.assert_allclose(losses("cosine_similarity"), theirs, rtol=1e-5)


def test_keras_generalized_crossentropy() -> None:
    """Keras takes integer labels here, and q = 0.5 by default."""
    import keras

    theirs = keras.losses.CategoricalGeneralizedCrossEntropy(reduction="none")(LABELS, keras.ops.softmax(LOGITS))
    np.testing.assert_allclose(losses("categorical_generalized_crossentropy"), theirs, rtol=1e-5)


def test_keras_categorical_hinge_where_a_rival_is_positive() -> None:
    """Keras' categorical hinge agrees as long as some wrong score is positive, and differs where none is."""
    import keras

    theirs = keras.losses.categorical_hinge(TARGETS, LOGITS)
    positive = (LOGITS - 10 * TARGETS).max(axis=-1) > 0
    np.testing.assert_allclose(losses("categorical_hinge")[positive], np.asarray(theirs)[positive], rtol=1e-5)
    below = [[0.5, -3.0, -2.0]]
    assert losses("categorical_hinge", [[1, 0, 0]], np.array(below)) == pytest.approx([0])
    assert np.asarray(keras.losses.categorical_hinge([[1.0, 0, 0]], below)) == pytest.approx([0.5])


POLY_LOGITS = np.array([[0.14, 1.456, 2.356, -0.124, -2.47]])
POLY_TARGETS = np.array([[0.1, 0.15, 0.2, 0.25, 0.3]])


@pytest.mark.parametrize(
    ("epsilon", "printed"), [(2, 4.5317), (1, 3.7153), (0, 2.8990), (-0.5, 2.4908), (5.45, 7.3480)]
)
def test_poly1_as_in_optax(epsilon: float, printed: float) -> None:
    """The values of optax' tests, computed there with the paper's own code."""
    actual = losses({"name": "poly1", "epsilon": epsilon}, POLY_TARGETS, POLY_LOGITS)
    assert actual == pytest.approx([printed], abs=1e-4)


@pytest.mark.parametrize(
    ("value", "y_true", "y_pred", "printed"),
    [
        # optax' tests of softmax cross-entropy
        ("ce", [[0, 1, 0], [1, 0, 0]], [[10, 1, -2], [1, 4, 0.2]], [9.00013, 3.0696733]),
        # PyTorch's page on MultiMarginLoss
        ("multi_margin", [[0, 0, 0, 1]], [[0.1, 0.2, 0.4, 0.8]], [0.325]),
        # Martins & Astudillo 2016, section 3.2: with two classes the loss is a Huber function of the difference t
        ("sparsemax", [[1, 0]], [[0.5, 0]], [(0.5 - 1) ** 2 / 4]),
        ("sparsemax", [[1, 0]], [[-3, 0]], [3]),
        ("sparsemax", [[1, 0]], [[1.5, 0]], [0]),
        # Zhang & Sabuncu 2018: the bound at p_y = 0 is 1/q, at p_y = 1/C it is (1 - C^-q)/q
        ({"name": "gce", "q": 0.7}, [[1, 0]], [[0, 1e4]], [1 / 0.7]),
        ({"name": "gce", "q": 0.7}, [[1, 0, 0, 0]], [[0, 0, 0, 0]], [(1 - 4**-0.7) / 0.7]),
        # Lin et al. 2017, section 3.2: with γ = 2, p = 0.9 costs 100 times less than cross-entropy
        ("focal", [[1, 0]], [[np.log(9), 0]], [-np.log(0.9) / 100]),
    ],
)
def test_printed_values(value: Any, y_true: Any, y_pred: Any, printed: list[float]) -> None:
    """Values that papers and documentation print."""
    assert losses(value, np.array(y_true), np.array(y_pred)) == pytest.approx(printed, rel=1e-4, abs=1e-6)


TWO_OVER_C = 2 / 10
LIMITS: list[tuple[Any, Any, float]] = [
    ({"name": "focal", "gamma": 0}, "ce", 1),
    ({"name": "binary_focal_crossentropy", "gamma": 0}, "bce", 1),
    ({"name": "poly1", "epsilon": 0}, "ce", 1),
    ({"name": "gce", "q": 1}, "mae_probability", 1),
    ({"name": "gce", "q": 1e-4}, "ce", 1),
    ({"name": "alpha_loss", "alpha": 1}, "ce", 1),
    ({"name": "alpha_loss", "alpha": 1.0001}, "ce", 1),
    ({"name": "alpha_loss", "alpha": 2}, {"name": "gce", "q": 0.5}, 1),
    ({"name": "alpha_loss", "alpha": 5}, {"name": "gce", "q": 0.8}, 1),
    ({"name": "taylor_crossentropy", "order": 1}, "mae_probability", 1),
    ({"name": "taylor_crossentropy", "order": 100}, "ce", 1),
    ({"name": "sce", "alpha": 1, "beta": 0}, "ce", 1),
    ({"name": "sce", "alpha": 0, "beta": 1}, "rce", 1),
    ({"name": "rce", "log_zero": -1}, "linear", 1),
    ({"name": "mae"}, "linear", TWO_OVER_C),
    ({"name": "mse"}, "brier", 1 / 10),
    ({"name": "huber", "delta": 1}, "mse", 0.5),
    ({"name": "smooth_l1", "beta": 1}, "huber", 1),
    ({"name": "categorical_hinge", "margin": 0}, "multiclass_perceptron", 1),
    ({"name": "weighted_crossentropy", "class_weight": "none"}, "ce", 1),
    ({"name": "rescaled_square"}, {"name": "rescaled_square", "k": 1, "M": 1}, 1),
    ("kld", "ce", 1),
    ("nll", "sparse_categorical_crossentropy", 1),
    ("weighted_binary_crossentropy", {"name": "bce", "pos_weight": 9}, 1),
]


@pytest.mark.parametrize(("special", "general", "factor"), LIMITS)
def test_limits(special: Any, general: Any, factor: float) -> None:
    """Where one loss is a special case of another, or a multiple of it, the numbers agree."""
    rare_tail = 3e-3 if special in ({"name": "gce", "q": 1e-4}, {"name": "alpha_loss", "alpha": 1.0001}) else 2e-5
    if special == {"name": "taylor_crossentropy", "order": 100}:  # the rest of the series at p_y is below (1-p)^101/p
        kept = np.exp(-losses("ce")) > 0.1
        np.testing.assert_allclose(losses(special)[kept], losses(general)[kept], rtol=1e-4)
    else:
        np.testing.assert_allclose(losses(special), factor * losses(general), rtol=rare_tail, atol=1e-6)


def test_spherical_is_cosine_similarity_plus_one() -> None:
    """On one-hot targets the spherical score is 1 - cos(e, p)."""
    np.testing.assert_allclose(losses("spherical"), 1 + losses("cosine_similarity"), rtol=1e-4, atol=1e-6)


def test_mae_is_symmetric() -> None:
    """Ghosh et al. 2017: summed over all labels, a symmetric loss is a constant; here C - 1."""
    every_label = [losses("mae_probability", np.eye(10)[np.full(64, label)]) for label in range(10)]
    np.testing.assert_allclose(np.sum(every_label, axis=0), 9, rtol=1e-5)
