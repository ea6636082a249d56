"""The catalogue against other people's numbers: Keras' own losses, values printed elsewhere, and limits."""

from typing import Any

import numpy as np
import pytest

from lossbench import ops
from lossbench.losses import binding, expression

generator = np.random.default_rng(7)
LOGITS = generator.standard_normal((64, 10)).astype("float32")
LABELS = generator.integers(10, size=64)
TARGETS = np.eye(10, dtype="float32")[LABELS]


def losses(value: Any, y_true: Any = TARGETS, y_pred: Any = LOGITS, **context: Any) -> Any:
    """The losses of a batch, the first that the loss sees."""
    images, classes = np.shape(y_pred)
    counts = {"class_counts": np.arange(1.0, classes + 1), "transition_matrix": np.eye(classes), "head_scale": 1.0}
    loss = binding.bind(
        expression.parse(value), **{**counts, "epoch": 0, "uniform": np.zeros(np.shape(y_pred)), **context}
    )
    states = {key: state.initialize(images=images, classes=classes) for key, state in loss.states.items()}
    return np.asarray(loss.step(np.asarray(y_true, "float32"), np.asarray(y_pred, "float32"), states)[0])


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


@pytest.mark.parametrize(
    ("name", "keywords"), [("dice", {}), ("tversky", {}), ("tversky", {"alpha": 0.3, "beta": 2.0})]
)
def test_keras_overlap(name: str, keywords: dict[str, float]) -> None:
    """Keras' own functions of a whole batch."""
    import keras

    theirs = getattr(keras.losses, name)(TARGETS, keras.ops.softmax(LOGITS), **keywords)
    assert float(losses({"name": name, **keywords})) == pytest.approx(float(theirs), rel=1e-5)


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


def log_odds(probabilities: Any) -> Any:
    """The logits behind one-vs-rest probabilities."""
    return np.log(probabilities) - np.log1p(-np.asarray(probabilities))


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
        # Keras' page on categorical_focal_crossentropy
        (
            "categorical_focal_crossentropy",
            [[0, 1, 0], [0, 0, 1]],
            np.log([[0.05, 0.9, 0.05], [0.1, 0.85, 0.05]]),
            [2.63401289e-04, 6.75912094e-01],
        ),
        # TensorFlow Addons' page on SigmoidFocalCrossEntropy
        (
            {"name": "binary_focal_crossentropy", "apply_class_balancing": True},
            [[1], [1], [0]],
            log_odds([[0.97], [0.91], [0.03]]),
            [6.8532745e-06, 1.9097870e-04, 2.0559824e-05],
        ),
        # the authors' tests of the bi-tempered loss
        (
            {"name": "bi_tempered_logistic", "t1": 0.5, "t2": 1.5},
            [[0.2, 0.3, 0.5], [0.6, 0.3, 0.1], [0.2, 0.8, 0.0]],
            [[-0.5, 0.1, 2.0], [0.1, 1.5, -5.0], [4.0, -3.0, -6.0]],
            [0.02301914, 0.18972909, 0.93874922],
        ),
        # Reed et al. 2015, the hard bootstrap written out at p = (0.8, 0.2), where the label is the rarer class
        (
            {"name": "bootstrap_hard", "beta": 0.8},
            [[0, 1]],
            np.log([[0.8, 0.2]]),
            [-0.8 * np.log(0.2) - 0.2 * np.log(0.8)],
        ),
        # Ye et al. 2023: a normalized negative loss lies between 0, at p_y = 1, and 1, at p_y = 0
        ("nnce", [[1, 0], [0, 1]], [[1e4, 0], [1e4, 0]], [0, 1]),
        # Zhou et al. 2021: the bounds of the three losses, at p_y = 0
        ({"name": "agce", "a": 1, "q": 2}, [[1, 0]], [[0, 1e4]], [(2**2 - 1) / 2]),
        ({"name": "aul", "a": 3, "q": 0.1}, [[1, 0]], [[0, 1e4]], [(3**0.1 - 2**0.1) / 0.1]),
        ({"name": "ael", "a": 3.5}, [[1, 0]], [[0, 1e4]], [1]),
        # Menon et al. 2020: where the gradient is clipped the loss is at most log τ + 1
        ("phuber_crossentropy", [[1, 0]], [[0, 1e4]], [np.log(10) + 1]),
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
    ({"name": "alpha_loss", "alpha": 1}, "ce", 1),
    ({"name": "alpha_loss", "alpha": 2}, {"name": "gce", "q": 0.5}, 1),
    ({"name": "alpha_loss", "alpha": 5}, {"name": "gce", "q": 0.8}, 1),
    ({"name": "taylor_crossentropy", "order": 1}, "mae_probability", 1),
    ({"name": "sce", "alpha": 1, "beta": 0}, "ce", 1),
    ({"name": "sce", "alpha": 0, "beta": 1}, "rce", 1),
    ({"name": "rce", "log_zero": -1}, "linear", 1),
    ({"name": "mae"}, "linear", TWO_OVER_C),
    ({"name": "mse"}, "brier", 1 / 10),
    ({"name": "huber", "delta": 1}, "mse", 0.5),
    ({"name": "smooth_l1", "beta": 1}, "huber", 1),
    ({"name": "categorical_hinge", "margin": 0}, "multiclass_perceptron", 1),
    ({"name": "weighted_crossentropy", "class_weight": "none"}, "ce", 1),
    ("kld", "ce", 1),
    ("nll", "sparse_categorical_crossentropy", 1),
    ("weighted_binary_crossentropy", {"name": "bce", "pos_weight": 9}, 1),
    ({"name": "ce", "label_smoothing": 0}, "ce", 1),
    ({"name": "asymmetric", "gamma_pos": 2, "gamma_neg": 2, "clip": 0}, "binary_focal_crossentropy", 1),
    ({"name": "asymmetric", "gamma_pos": 0, "gamma_neg": 0, "clip": 0}, "bce", 1),
    (
        {"name": "asymmetric_single_label", "gamma_pos": 0, "gamma_neg": 0, "label_smoothing": 0.2},
        {"name": "ce", "label_smoothing": 0.2},
        1,
    ),
    ({"name": "asymmetric_single_label", "gamma_pos": 3, "label_smoothing": 0}, {"name": "focal", "gamma": 3}, 1),
    ({"name": "nfl", "gamma": 0}, "nce", 1),
    ({"name": "ngce", "q": 1}, "linear", 1 / 9),
    ({"name": "nnfl", "gamma": 0}, "nnce", 1),
    ({"name": "agce", "q": 1}, "linear", 1),
    ({"name": "aul", "q": 1}, "linear", 1),
    ({"name": "amse", "a": 1}, "mse", 1),
    ({"name": "phuber_crossentropy", "tau": 1e9}, "ce", 1),
    ({"name": "phuber_generalized_crossentropy", "q": 0.5, "tau": 1e9}, {"name": "gce", "q": 0.5}, 1),
    ({"name": "bi_tempered_logistic", "t1": 1, "t2": 1}, "ce", 1),
    ({"name": "bi_tempered_logistic", "t1": 0, "t2": 1}, "brier", 0.5),
    ({"name": "bootstrap_soft", "beta": 1}, "ce", 1),
    ({"name": "bootstrap_hard", "beta": 1}, "ce", 1),
    ({"name": "eps_softmax_ce", "m": 0}, "ce", 1),
    ({"name": "logit_clip", "tau": 1e6}, "ce", 1),
    ({"name": "logit_clip", "tau": 1e6, "base": "focal", "p": 1}, "focal", 1),
    ({"name": "logit_clip", "tau": 1e6, "base": "gce", "p": 7}, "gce", 1),
    ({"name": "confidence_penalty", "beta": 0}, "ce", 1),
    ({"name": "mbls", "alpha": 0}, "ce", 1),
    ({"name": "mbls", "margin": 1000}, "ce", 1),
    ({"name": "dual_focal", "gamma": 0}, "ce", 1),
    ({"name": "mdca", "beta": 0}, "ce", 1),
    ({"name": "mdca", "beta": 0, "base": "focal"}, "focal", 1),
    ({"name": "class_balanced", "beta": 0}, "ce", 1),
    ({"name": "class_balanced", "beta": 0, "base": "bce"}, "bce", 1),
    ({"name": "class_balanced", "beta": 0, "base": "focal", "gamma": 3}, {"name": "focal", "gamma": 3}, 1),
    ({"name": "logit_adjustment", "tau": 0}, "ce", 1),
    ({"name": "vs", "gamma": 0, "tau": 0}, "ce", 1),
    ({"name": "vs", "gamma": 0, "tau": 1}, "balanced_softmax", 1),
    ({"name": "equalization", "probability": 0}, "ce", 1),
    ({"name": "seesaw", "p": 0, "q": 0}, "ce", 1),
    ("forward_correction", "ce", 1),
    ("backward_correction", "ce", 1),
    ({"name": "elr", "regularization_weight": 0}, "ce", 1),
    ("truncated_gce", "gce", 1),  # no image is judged before start_epoch
    ({"name": "sparse_regularization", "tau": 1, "regularization_weight": 0}, "ce", 1),
    ("nce_rce", [{"name": "nce"}, {"name": "rce", "weight": 10}], 1),
    ("anl_fl", ["nfl", "nnfl"], 1),
    ("balanced_softmax", {"name": "logit_adjustment", "tau": 1}, 1),
]
APPROACHED: list[tuple[Any, Any, float]] = [
    ({"name": "gce", "q": 1e-4}, "ce", 3e-3),
    ({"name": "alpha_loss", "alpha": 1.0001}, "ce", 3e-3),
    ({"name": "ngce", "q": 1e-4}, "nce", 2e-3),
    ({"name": "phuber_generalized_crossentropy", "q": 1e-4, "tau": 3}, {"name": "phuber_crossentropy", "tau": 3}, 3e-3),
    ({"name": "bi_tempered_logistic", "t1": 0.9999, "t2": 1.0001}, "ce", 3e-3),
    ({"name": "jensen_shannon", "pi1": 1e-3}, "ce", 3e-2),
    ({"name": "jensen_shannon", "pi1": 1 - 1e-6}, "linear", 0.2),
]


@pytest.mark.parametrize(("special", "general", "factor"), LIMITS, ids=str)
def test_limits(special: Any, general: Any, factor: float) -> None:
    """Where one loss is a special case of another, or a multiple of it, the numbers agree."""
    np.testing.assert_allclose(losses(special), factor * losses(general), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize(("special", "general", "rtol"), APPROACHED, ids=str)
def test_approached_limits(special: Any, general: Any, rtol: float) -> None:
    """Near the end of a range the loss is near the one that it becomes there."""
    np.testing.assert_allclose(losses(special), losses(general), rtol=rtol, atol=rtol / 10)


def test_taylor_series_approaches_crossentropy() -> None:
    """With 100 terms the rest is below (1-p)^101 / p."""
    kept = np.exp(-losses("ce")) > 0.1
    series = losses({"name": "taylor_crossentropy", "order": 100})
    np.testing.assert_allclose(series[kept], losses("ce")[kept], rtol=1e-4)


COSINES = np.tanh(LOGITS)


@pytest.mark.parametrize(
    "value", [{"name": "arcface", "margin": 0}, {"name": "cosface", "margin": 0}, {"name": "sphereface", "margin": 1}]
)
def test_angular_losses_without_a_margin(value: Any) -> None:
    """They are the normalised softmax, which is cross-entropy of s cos θ."""
    scaled = 16 * COSINES
    actual = losses(value, y_pred=scaled, head_scale=16.0)
    np.testing.assert_allclose(
        actual, losses("normalized_softmax", y_pred=scaled, head_scale=16.0), rtol=2e-4, atol=1e-5
    )
    np.testing.assert_allclose(actual, losses("ce", y_pred=scaled), rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("value", ["forward_correction", "backward_correction"])
def test_corrections_are_right_in_expectation(value: str) -> None:
    """Patrini et al. 2017, theorem 1: averaged over the noise, backward correction is the loss of the true label.

    Forward correction has, by theorem 2, its minimum where p is the truth.
    """
    matrix = 0.3 * np.eye(10) + 0.07
    given = np.stack(
        [losses(value, np.eye(10)[np.full(64, label)], transition_matrix=matrix) for label in range(10)], -1
    )
    averaged = (matrix[LABELS] * given).sum(axis=-1)
    if value == "backward_correction":
        np.testing.assert_allclose(averaged, losses("ce"), rtol=1e-3, atol=1e-4)
    else:
        best = losses(value, np.eye(10), 1e3 * np.eye(10), transition_matrix=matrix)
        np.testing.assert_allclose(best, -np.log(0.37), rtol=1e-5)


def test_spherical_is_cosine_similarity_plus_one() -> None:
    """On one-hot targets the spherical score is 1 - cos(e, p)."""
    np.testing.assert_allclose(losses("spherical"), 1 + losses("cosine_similarity"), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "constant"),
    [
        ("mae_probability", 9),
        ("reverse_crossentropy", -9 * np.log(1e-4)),
        ("normalized_crossentropy", 1),
        ("normalized_focal", 1),
        ("normalized_generalized_crossentropy", 1),
        ("normalized_negative_crossentropy", 9),
        ("normalized_negative_focal", 9),
        ("unhinged", 10),
        ("nce_rce", 1 - 90 * np.log(1e-4)),
        ("anl_ce", 10),
    ],
)
def test_symmetric_losses(name: str, constant: float) -> None:
    """Ghosh 2017, Ma 2020, Ye 2023: summed over all labels, a symmetric loss is a constant."""
    every_label = [losses(name, np.eye(10)[np.full(64, label)]) for label in range(10)]
    np.testing.assert_allclose(np.sum(every_label, axis=0), constant, rtol=1e-5)


@pytest.mark.parametrize("name", ["agce", "aul", "ael"])
def test_asymmetric_losses(name: str) -> None:
    """Zhou et al. 2021: if the true label has most of the weight, sure predictions of it cost least."""
    rates = np.array([0.5, 0.3, 0.2])
    corners = np.eye(3)
    costs = [rates @ losses(name, np.eye(3), np.tile(1e3 * corner, (3, 1))) for corner in corners]
    between = [rates @ losses(name, np.eye(3), np.tile(row[:3], (3, 1))) for row in LOGITS]
    assert min(costs) == costs[0] < min(between)


def test_partial_huberisation_joins_smoothly() -> None:
    """Menon et al. 2020: at the joint value and slope agree on both sides."""
    for name, joint in (("phuber_crossentropy", 0.1), ("phuber_generalized_crossentropy", 10 ** (1 / (0.7 - 1)))):
        p = joint + np.array([-2e-4, -1e-4, 1e-4, 2e-4]) * joint / 0.1
        values = losses(name, np.eye(2)[[0] * 4], log_odds(p)[:, None] * [1, 0])
        left, across, right = np.diff(values) / np.diff(p)
        assert left == pytest.approx(-10, rel=2e-2)
        assert (across, right) == pytest.approx((-10, -10), rel=5e-2)


def test_bi_tempered_softmax_sums_to_one() -> None:
    """With 5 steps the normaliser of t₂ = 1.2 is found; with few more that of t₂ = 4."""
    from lossbench.losses.catalogue.robust import _tempered_log_softmax

    for t2, steps in ((1.2, 5), (4.0, 100)):
        total = ops.sum(ops.exp(_tempered_log_softmax(ops.convert_to_tensor(LOGITS), t2, steps)), axis=-1)
        np.testing.assert_allclose(total, 1, rtol=1e-3)
