"""Every loss of the catalogue against an oracle of its own, and what all losses have in common.

The oracles stand in `tests/oracles/`. The suite runs on whichever backend Keras runs on.
"""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from differentiate import compiled, value_and_gradient
from oracles import CASES
from oracles.case import CLASSES, COUNTS, WEIGHTS, Case, softmax

import lossbench.losses
from lossbench import ops
from lossbench.losses import binding, expression, labels, registry

generator = np.random.default_rng(20240229)
LOGITS = 2 * generator.standard_normal((12, CLASSES))
LABELS = generator.integers(CLASSES, size=12)

NAMES = tuple(registry.signatures())
FIRST = [next(case for case in CASES if case.name == name) for name in NAMES if name in {case.name for case in CASES}]
"""One case of every loss, for what does not depend on the hyperparameters."""


def label(case):
    return labels.label(expression.parse({"name": case.name, **case.hyperparameters}))


GROWS = ("alpha_loss", {"alpha": 0.5})
"""Grows as a power of 1/p_y, as its docstring says."""

every_case = pytest.mark.parametrize("case", CASES, ids=label)
every_loss = pytest.mark.parametrize("case", FIRST, ids=[case.name for case in FIRST])


def one_hot(labels, classes=CLASSES):
    """Targets as the losses want them."""
    return np.eye(classes, dtype="float32")[labels]


def bound(case, hyperparameters=None):
    """The loss as the training step calls it; what belongs to an image is repeated until the batch has enough of it."""
    case = Case(case, hyperparameters or {}, None) if isinstance(case, str) else case
    terms = expression.parse({"name": case.name, **case.hyperparameters})

    def loss(y_true, y_pred):
        images = y_true.shape[0]
        rows = {name: _rows(value, images) for name, value in case.context.items() if name == "uniform"}
        function = binding.bind(terms, **{"class_counts": COUNTS, **case.context, **rows})
        if not case.states:
            return function(y_true, y_pred)
        states = {
            key: ops.convert_to_tensor(_rows(state, images) if function.states[key].per_image else state, "float32")
            for key, state in case.states.items()
        }
        return function.step(y_true, y_pred, states)[0]

    return loss


def _rows(values, number):
    return np.resize(values, (number, *np.shape(values)[1:]))


def logits(case, values=LOGITS):
    """Logits as the case's head emits them: for a cosine head, s times cosines."""
    if scale := case.context.get("head_scale"):
        return scale * np.clip(np.asarray(values) / 5, -1, 1)
    return np.asarray(values)


def expected(case, z, held=None, targets=None):
    """The oracle of each image, or of the batch."""
    targets = np.eye(CLASSES)[LABELS] if targets is None else targets
    more = [z if held is None else held] if case.held else []
    if case.batch:
        return np.asarray(case.oracle(z, LABELS, softmax(z), targets, *more))
    rows = zip(z, LABELS, softmax(z), targets, *more, strict=True)
    return np.array([case.oracle(*row) for row in rows])


def slopes(case, z, step=1e-5):
    """The oracle's gradient by central differences; what the loss holds is not moved."""
    gradient = np.zeros_like(z)
    for index in np.ndindex(z.shape) if case.batch else [(slice(None), j) for j in range(CLASSES)]:
        up, down = z.copy(), z.copy()
        up[index] += step
        down[index] -= step
        change = expected(case, up, held=z) - expected(case, down, held=z)
        gradient[index] = (change.sum() if case.batch else change) / (2 * step)
    return gradient


def test_every_loss_has_an_oracle():
    """No loss is left out, and every oracle has its loss."""
    with_oracle = {case.name for case in CASES}
    missing = [f"{name} (tests/oracles/{registry.find(name).family}.py)" for name in NAMES if name not in with_oracle]
    assert not missing, f"add a Case with the formula in NumPy for {', '.join(missing)}"
    assert with_oracle <= set(NAMES), f"oracles without a loss: {', '.join(with_oracle - set(NAMES))}"


def closed_ends(hyperparameter):
    """The ends that the range in words includes: `[0, 1)`, `≥ 0`."""
    text = hyperparameter.range.partition(", or ")[0]
    interval = re.fullmatch(r"([(\[])(\S+), (\S+?)([)\]])", text)
    if interval:
        lower, first, last, upper = interval.groups()
        return [float(end) for end, sign in ((first, lower), (last, upper)) if sign in "[]"]
    bound = re.fullmatch(r"[≥≤] (\S+)", text)
    return [float(bound[1])] if bound else []


ENDS = [
    (name, hyperparameter, end)
    for name in NAMES
    for hyperparameter in registry.find(name).hyperparameters.values()
    for end in closed_ends(hyperparameter)
]


@pytest.mark.parametrize(("name", "hyperparameter", "end"), ENDS, ids=[f"{n}-{h.name}={e:g}" for n, h, e in ENDS])
def test_every_closed_end_has_an_oracle(name, hyperparameter, end):
    """A value that the range includes is computed like any other; one iteration alone only approximates the formula."""
    tested = [
        case.hyperparameters.get(hyperparameter.name, hyperparameter.default) for case in CASES if case.name == name
    ]
    assert end in tested or (name, hyperparameter.name, end) == ("bi_tempered_logistic", "num_iters", 1), (
        f"add a Case with {hyperparameter.name} = {end:g} to tests/oracles/values_at_ends.py"
    )


PUBLISHED_ENDS = [
    *({"name": "poly1_crossentropy", "epsilon": value} for value in (-1, -1.0)),
    {"name": "smooth_l1", "beta": 0},
    {"name": "phuber_crossentropy", "tau": 1},
    {"name": "phuber_generalized_crossentropy", "q": 1},
    {"name": "focal", "alpha": [0, 1]},
    {"name": "weighted_crossentropy", "class_weight": [0, 1]},
]


@pytest.mark.parametrize("loss", PUBLISHED_ENDS, ids=str)
def test_ends_that_the_source_uses_are_accepted(loss):
    """PolyLoss draws ε = -1; PyTorch's smooth L1 is L1 at β = 0, and its class weights may be 0."""
    (term,) = expression.parse(loss)
    assert {key: term.hyperparameters[key] for key in loss if key != "name"}


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("poly1", "epsilon", -1.01),
        ("smooth_l1", "beta", -0.1),
        ("phuber_crossentropy", "tau", 0.99),
        ("focal", "alpha", [0, 0]),
        ("focal", "alpha", [1, -1]),
        ("weighted_crossentropy", "class_weight", [0.0, 0.0]),
    ],
)
def test_beyond_the_end_is_refused(name, key, value):
    """And a list of zeros, which has no gradient."""
    with pytest.raises(expression.InvalidLossError):
        expression.parse({"name": name, key: value})


def test_a_batch_of_classes_without_weight_has_no_loss():
    """Divided by the sum of weights, which is 0, the loss is 0 and not NaN, and so is its gradient."""
    loss = bound("weighted_crossentropy", {"class_weight": [0, 0, 0, 0, 1], "normalize": "weights"})
    losses, gradient = value_and_gradient(loss, one_hot([0, 1]), LOGITS[:2])
    np.testing.assert_array_equal(losses, 0)
    np.testing.assert_array_equal(gradient, 0)


@every_case
def test_value(case):
    """The value is the oracle's, for each image."""
    actual = bound(case)(one_hot(LABELS), logits(case).astype("float32"))
    np.testing.assert_allclose(actual, expected(case, logits(case)), rtol=3e-5, atol=1e-6)


CANCELS = ("elr", {"beta": 0})
"""Takes 1 - Σ p² of a probability near 1, of which float32 keeps four digits."""
FAR = [
    case
    for case in CASES
    if "head_scale" not in case.context and (case.name, case.hyperparameters) not in (GROWS, CANCELS)
]


@pytest.mark.parametrize("case", FAR, ids=label)
def test_value_far_from_zero(case):
    """Where probabilities are too small for float32, but not for the oracle's float64, the values still agree."""
    z = (12 * LOGITS).astype("float32")
    np.testing.assert_allclose(
        bound(case)(one_hot(LABELS), z), expected(case, z.astype("float64")), rtol=5e-5, atol=2e-6
    )


@every_case
def test_gradient(case):
    """The automatic gradient is the oracle's by finite differences."""
    _, gradient = value_and_gradient(bound(case), one_hot(LABELS), logits(case))
    differences = slopes(case, logits(case))
    scale = np.abs(differences).max()
    np.testing.assert_allclose(gradient / scale, differences / scale, rtol=1e-4, atol=1e-5)


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
        [-100, 0, 0, 0, 0],
    ]
)


@pytest.mark.parametrize(
    "case",
    [
        *(case for case in CASES if (case.name, case.hyperparameters) != GROWS),
        Case("focal", {"gamma": 0.01}, None),
        Case("focal", {"gamma": 50}, None),
        Case("binary_focal_crossentropy", {"gamma": 0.01}, None),
        Case("generalized_crossentropy", {"q": 1e-3}, None),
        Case("alpha_loss", {"alpha": 100}, None),
        Case("ldr_kl", {"temperature": 1e-3}, None),
        Case("reverse_crossentropy", {"log_zero": -1e3}, None),
        Case("normalized_focal", {"gamma": 0.01}, None),
        Case("normalized_generalized_crossentropy", {"q": 1e-3}, None),
        Case("normalized_negative_focal", {"gamma": 50}, None),
        Case("agce", {"a": 1e-30, "q": 0.1}, None),
        Case("aul", {"a": 1 + 1e-12, "q": 0.1}, None),
        Case("ael", {"a": 0.01}, None),
        Case("jensen_shannon", {"pi1": 1e-4}, None),
        Case("jensen_shannon", {"pi1": 0.9999}, None),
        Case("phuber_generalized_crossentropy", {"q": 0.999, "tau": 1e6}, None),
        Case("bi_tempered_logistic", {}, None),
        Case("bi_tempered_logistic", {"t1": 0.2, "t2": 10}, None),
        Case("bi_tempered_logistic", {"t2": 1.0001}, None),
        Case("asymmetric", {"gamma_neg": 0.01, "gamma_pos": 0.01, "clip": 1e-9}, None),
        Case("asymmetric_single_label", {"gamma_neg": 0.01, "gamma_pos": 0.01}, None),
        Case("dual_focal", {"gamma": 0.01}, None),
        Case("logit_clip", {"p": 60}, None),
        Case("logit_clip", {"p": 1, "tau": 1e-6}, None),
    ],
    ids=label,
)
def test_finite_at_extreme_and_equal_logits(case):
    """Value and gradient stay finite at logits of ±1e4 and at equal ones, whichever class is true."""
    labels = np.arange(CLASSES).repeat(len(EXTREMES))
    losses, gradient = value_and_gradient(bound(case), one_hot(labels), np.tile(logits(case, EXTREMES), (CLASSES, 1)))
    assert np.isfinite(losses).all()
    assert np.isfinite(gradient).all()


@every_loss
def test_at_equal_logits_the_true_class_is_pushed_up(case):
    """At equal logits the gradient raises the true class's logit, never the others'; perceptrons included."""
    _, gradient = value_and_gradient(bound(case), one_hot([0]), np.zeros((1, CLASSES)))
    assert gradient[0, 0] < 0
    assert (gradient[0, 1:] >= 0).all()


@every_loss
def test_classes_have_no_order(case):
    """Renaming the classes changes nothing."""
    order = np.array([3, 0, 4, 1, 2])
    context = {"class_counts": COUNTS, **case.context}
    for name, value in context.items():
        for axis in range(np.ndim(value)):
            context[name] = np.take(context[name], order, axis) if np.shape(value)[axis] == CLASSES else context[name]
    states = {
        key: state[..., order] if np.ndim(state) > 1 or len(state) == CLASSES else state
        for key, state in case.states.items()
    }
    renamed = replace(case, context=context, states=states)
    z = logits(case).astype("float32")
    after = bound(renamed)(one_hot(LABELS)[:, order], z[:, order])
    np.testing.assert_allclose(after, bound(case)(one_hot(LABELS), z), rtol=1e-5, atol=1e-6)


@every_loss
def test_images_have_no_order(case):
    """The losses of a shuffled batch are the shuffled losses; what belongs to an image moves with it."""
    order = np.arange(len(LABELS))[::-1]
    context = {name: value[order] if name == "uniform" else value for name, value in case.context.items()}
    states = {key: state[order] if len(state) == len(LABELS) else state for key, state in case.states.items()}
    z = logits(case).astype("float32")
    before = np.asarray(bound(case)(one_hot(LABELS), z))
    after = bound(replace(case, context=context, states=states))(one_hot(LABELS)[order], z[order])
    np.testing.assert_allclose(after, before[order] if before.ndim else before, rtol=1e-5, atol=1e-6)


@every_loss
def test_shift_of_all_logits(case):
    """A shift of all logits changes nothing, unless the link is the sigmoid or the docstring says that it does."""
    signature = registry.find(case.name)
    varies = signature.link == "sigmoid" or "not invariant to a shift" in signature.docstring
    z = logits(case).astype("float32")
    before, after = bound(case)(one_hot(LABELS), z), bound(case)(one_hot(LABELS), z + 3)
    assert varies != np.allclose(after, before, rtol=1e-4, atol=1e-5)


@every_loss
def test_compiled_is_eager(case):
    """Compiled, the numbers are the same."""
    loss = bound(case)
    if (function := compiled(loss)) is None:
        pytest.skip("this backend compiles only where there is a C++ compiler")
    arguments = ops.convert_to_tensor(one_hot(LABELS)), ops.convert_to_tensor(logits(case).astype("float32"))
    np.testing.assert_allclose(function(*arguments), loss(*arguments), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
@every_loss
def test_half_precision_logits_are_computed_in_float32(case, precision):
    """The loss of 16-bit logits is that of the same numbers in float32."""
    half = ops.cast(ops.convert_to_tensor(logits(case).astype("float32")), precision)
    actual = np.asarray(bound(case)(one_hot(LABELS), half))
    assert actual.dtype == np.float32
    np.testing.assert_array_equal(actual, bound(case)(one_hot(LABELS), ops.cast(half, "float32")))


@every_loss
def test_soft_targets_give_a_finite_loss(case):
    """Targets may be distributions."""
    losses, gradient = value_and_gradient(bound(case), 0.7 * one_hot(LABELS) + 0.06, logits(case))
    assert np.isfinite(losses).all()
    assert np.isfinite(gradient).all()


SOFT_CASES = [case for case in CASES if case.soft]


@pytest.mark.parametrize("case", SOFT_CASES, ids=label)
def test_soft_targets(case):
    """Where the formula is one of e, it is kept on soft targets."""
    targets = generator.dirichlet(np.ones(CLASSES), size=len(LABELS))
    actual = bound(case)(targets.astype("float32"), logits(case).astype("float32"))
    np.testing.assert_allclose(actual, expected(case, logits(case), targets=targets), rtol=2e-4, atol=2e-6)


MIXED = {
    *("ldr_kl", "categorical_hinge", "multi_margin", "sigmoid_loss", "savage", "ramp"),
    *("arcface", "cosface", "sphereface", "ldam", "class_balanced", "equalization", "seesaw"),
}
"""What these say of the true class, a margin or a weight, is mixed over soft targets before the loss is taken."""
AVERAGED = [case for case in FIRST if case.name not in {soft.name for soft in SOFT_CASES} | MIXED]


@pytest.mark.parametrize("case", AVERAGED, ids=[case.name for case in AVERAGED])
def test_soft_targets_average_over_classes(case):
    """What a formula says of the true class is averaged over soft targets."""
    targets = generator.dirichlet(np.ones(CLASSES), size=len(LABELS)).astype("float32")
    z = logits(case).astype("float32")
    each = [bound(case)(one_hot(np.full(len(LABELS), true)), z) for true in range(CLASSES)]
    average = (targets * np.stack(each, axis=-1)).sum(axis=-1)
    np.testing.assert_allclose(bound(case)(targets, z), average, rtol=1e-4, atol=1e-5)


def test_normalizing_by_weights_is_pytorchs_mean():
    """The mean over images is the weighted sum over the sum of weights."""
    losses = bound("weighted_crossentropy", {"normalize": "weights", "class_weight": WEIGHTS})
    weights = np.array(WEIGHTS)[LABELS]
    crossentropy = np.array([-math.log(softmax(z)[y]) for z, y in zip(LOGITS, LABELS, strict=True)])
    mean = float(ops.mean(losses(one_hot(LABELS), LOGITS.astype("float32"))))
    assert mean == pytest.approx((weights * crossentropy).sum() / weights.sum(), rel=1e-5)


@pytest.mark.parametrize(
    ("name", "key"),
    [("focal", "alpha"), ("binary_crossentropy", "pos_weight"), ("weighted_crossentropy", "class_weight")],
)
def test_list_of_another_length_is_refused(name, key):
    """A list has one number for each class."""
    from lossbench.errors import UsageError

    with pytest.raises(UsageError, match=f"{key}: expected one number or 5, one per class, got a list of 3"):
        bound(name, {key: [1, 2, 3]})(one_hot(LABELS), LOGITS.astype("float32"))


def test_weighted_list_is_the_weighted_sum():
    """A list of losses adds them up with their weights."""
    both = binding.bind(expression.parse(["ce", {"name": "rce", "weight": 10}]))
    y_true, y_pred = one_hot(LABELS), LOGITS.astype("float32")
    by_hand = bound("ce")(y_true, y_pred) + 10 * bound("rce")(y_true, y_pred)
    np.testing.assert_allclose(both(y_true, y_pred), by_hand, rtol=1e-6)


def test_missing_context_is_named():
    """A loss that needs class counts says so when there are none."""
    from lossbench.errors import UsageError

    with pytest.raises(UsageError, match="'weighted_crossentropy' needs class_counts"):
        binding.bind(expression.parse("weighted_crossentropy"))


def test_operations_are_keras_own():
    """`lossbench.ops` hands out `keras.ops`, and answers Python's questions about modules itself."""
    import keras

    assert ops.logsumexp is keras.ops.logsumexp
    assert not hasattr(ops, "__wrapped__")
    assert not hasattr(ops, "no_such_operation")


STILL = [case for case in FIRST if not case.states and not {"uniform", "epoch"} & set(case.context)]
"""The losses that do not change while training: Keras on JAX takes no others."""


@pytest.mark.parametrize("case", STILL, ids=[case.name for case in STILL])
def test_class_form_is_the_mean_and_takes_integer_labels(case):
    """`lossbench.losses.get` on this backend, with labels as integers and one-hot."""
    loss = lossbench.losses.get(case.name, **{"class_counts": COUNTS, **case.context}, **case.hyperparameters)
    z = logits(case).astype("float32")
    mean = float(ops.mean(bound(case)(one_hot(LABELS), z)))
    assert float(loss(LABELS, z)) == pytest.approx(mean, rel=1e-6, abs=1e-7)
    assert float(loss(one_hot(LABELS), z)) == pytest.approx(mean, rel=1e-6, abs=1e-7)
