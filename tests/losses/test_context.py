"""What losses ask their surroundings for, and what they remember."""

from ast import literal_eval
from itertools import pairwise, product
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import numpy as np
import pytest

from lossbench import ops
from lossbench.errors import PluginError, UsageError
from lossbench.losses import binding, expression, plugin, registry, trial_call
from lossbench.losses.signature import engine_parameters
from lossbench.losses.types import Context, Epoch, State, Tensor

CLASSES = 4
IMAGES = 6
generator = np.random.default_rng(41)
LOGITS = generator.standard_normal((IMAGES, CLASSES)).astype("float32")
TARGETS = np.eye(CLASSES, dtype="float32")[generator.integers(CLASSES, size=IMAGES)]
COUNTS = [4.0, 3.0, 2.0, 1.0]
NOISE = (0.6 * np.eye(CLASSES) + 0.1).tolist()
SINGULAR = np.full((CLASSES, CLASSES), 1 / CLASSES).tolist()


def bound(value: Any, **context: Any) -> Any:
    """The loss as the training step gets it."""
    return binding.bind(expression.parse(value), **context)


def began(loss: Any) -> dict[str, Any]:
    """The states before the first step, of these images."""
    return {key: state.initialize(images=IMAGES, classes=CLASSES) for key, state in loss.states.items()}


@pytest.mark.parametrize("name", registry.signatures())
def test_specification_names_what_the_marks_say(name: str) -> None:
    """Context and states are the marked parameters, and no hyperparameters."""
    signature = registry.find(name)
    found = engine_parameters(signature.function)
    assert {*signature.context, *signature.states} == set(found)
    assert not set(found) & set(signature.hyperparameters)
    assert set(signature.context) == {key for key, mark in found.items() if isinstance(mark, Context)}


@pytest.mark.parametrize(
    ("name", "context", "awaited", "states"),
    [
        ("ce", {}, set(), {}),
        ("seesaw", {}, set(), {"0.seen": ("classes",)}),
        ("elr", {}, set(), {"0.memory": ("images", "classes")}),
        ("truncated_gce", {}, {"epoch"}, {"0.kept": ("images",)}),
        ("sparse_regularization", {}, {"epoch"}, {}),
        ("sparse_regularization", {"epoch": 3}, set(), {}),
        ("equalization", {"class_counts": COUNTS}, {"uniform"}, {}),
        ("ldam", {"class_counts": COUNTS}, set(), {}),
        ({"name": "ldam", "drw_epoch": 3}, {"class_counts": COUNTS, "head_scale": 30}, {"epoch"}, {}),
        ({"name": "weighted_crossentropy", "class_weight": COUNTS}, {}, set(), {}),
        (["ce", "elr", "seesaw"], {}, set(), {"1.memory": ("images", "classes"), "2.seen": ("classes",)}),
    ],
    ids=str,
)
def test_a_loss_says_what_it_waits_for(name: Any, context: Any, awaited: Any, states: Any) -> None:
    """What was not given and changes is left to the calls; states are named by term and parameter."""
    loss = bound(name, **context)
    assert loss.context == awaited
    assert {key: state.shape for key, state in loss.states.items()} == states


RARE = np.array([90.0, 5.0, 3.0, 2.0], "float32")
VALUES: dict[str, list[Any]] = {
    "class_counts": [RARE, RARE[::-1].copy()],
    "transition_matrix": [np.float32(NOISE), np.eye(CLASSES, dtype="float32")],
    "head_scale": [np.float32(5), np.float32(0.5)],
    "epoch": [np.float32(epoch) for epoch in (0, 1, 40)],
    "uniform": [np.zeros_like(LOGITS), np.ones_like(LOGITS)],
}
"""Values of each context parameter."""


def corners(annotation: Any) -> list[Any]:
    """The values of a hyperparameter at which a loss may stop using something: literals, alternatives, ends."""
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    if get_origin(annotation) in (Union, UnionType):
        return [corner for each in get_args(annotation) for corner in corners(each)]
    if annotation is NoneType:
        return [None]
    kind, *marks = get_args(annotation) if get_origin(annotation) is Annotated else [annotation]
    if get_origin(kind) is tuple:
        return [COUNTS]
    ends = [getattr(mark, end) for mark in marks for end in ("ge", "le") if hasattr(mark, end)]
    return [*ends, 1] if kind is int else ends


def branches(name: str) -> list[dict[str, Any]]:
    """A loss with every combination of its defaults and the corners of its hyperparameters."""
    given = registry.find(name).hyperparameters
    values = [list(dict.fromkeys(map(repr, [h.default, *corners(h.annotation)]))) for h in given.values()]
    found = [{h.name: v for h, v in zip(given.values(), chosen, strict=True)} for chosen in product(*values)]
    return [{"name": name, **{key: literal_eval(value) for key, value in each.items()}} for each in found]


WITH_CONTEXT = [name for name, signature in registry.signatures().items() if signature.context]
BRANCHES = [branch for name in WITH_CONTEXT for branch in branches(name)]


def called(branch: Any, **context: Any) -> list[Any]:
    """The losses of the function itself, and its states, which the engine has not prepared."""
    (term,) = expression.parse(branch)
    marks = engine_parameters(registry.find(term.name).function).items()
    sizes = {"images": IMAGES, "classes": CLASSES}
    states = {name: mark.initialize(**sizes) for name, mark in marks if isinstance(mark, State)}
    result = registry.find(term.name).function(TARGETS, LOGITS, **term.hyperparameters, **context, **states)
    losses, after = result if states else (result, {})
    return [np.asarray(each) for each in (losses, *after.values())]


@pytest.mark.parametrize("branch", BRANCHES, ids=str)
def test_a_loss_uses_the_context_that_it_says_it_uses(branch: Any) -> None:
    """NaN in place of an unused context changes nothing; another value of a used one changes the loss or its state."""
    (term,) = expression.parse(branch)
    signature = registry.find(term.name)
    used = signature.used_context(term.hyperparameters)
    usual = {name: VALUES[name][0] for name in signature.context}
    nothing = {name: np.full_like(VALUES[name][0], np.nan) for name in signature.context if name not in used}
    expected = called(branch, **usual)
    assert all(np.isfinite(each).all() for each in expected)
    for got, wanted in zip(called(branch, **usual | nothing), expected, strict=True):
        np.testing.assert_array_equal(got, wanted)
    for name in used:
        surroundings = product(*(VALUES[other] for other in used if other != name))
        assert any(
            any(
                not np.array_equal(*pair)
                for pair in zip(called(branch, **first), called(branch, **second), strict=True)
            )
            for each in surroundings
            for around in [usual | dict(zip((other for other in used if other != name), each, strict=True))]
            for first, second in pairwise(around | {name: value} for value in VALUES[name])
        ), name


@pytest.mark.parametrize("branch", BRANCHES, ids=str)
def test_context_is_required_where_it_is_used(branch: Any) -> None:
    """Only then, by `get` and by training; the numbers are those of the function."""
    (term,) = expression.parse(branch)
    used = registry.find(term.name).used_context(term.hyperparameters)
    given = {name: VALUES[name][0] for name in used}
    loss = bound(branch, **given)
    usual = {name: VALUES[name][0] for name in registry.find(term.name).context}
    np.testing.assert_allclose(loss.step(TARGETS, LOGITS, began(loss))[0], called(branch, **usual)[0], rtol=1e-6)
    for name, mark in used.items():
        if mark.changes:
            assert bound(branch, **{key: value for key, value in given.items() if key != name}).context == {name}
        elif not registry.find(term.name).has_default(name):
            with pytest.raises(UsageError, match=f"needs {name}: pass it by keyword"):
                bound(branch, **{key: value for key, value in given.items() if key != name})


@pytest.mark.parametrize(
    "branch",
    [
        {"name": "logit_adjustment", "tau": 0},
        {"name": "vs", "gamma": 0, "tau": 0},
        {"name": "class_balanced", "beta": 0},
        {"name": "equalization", "threshold": 0},
        {"name": "equalization", "probability": 0},
        {"name": "ldam", "max_margin": 0},
        {"name": "cosface", "margin": 0},
        {"name": "normalized_softmax"},
        {"name": "sparse_regularization", "rho": 1},
        {"name": "sparse_regularization", "regularization_weight": 0},
        {"name": "truncated_gce", "start_epoch": 0, "every": 1},
        {"name": "weighted_crossentropy", "class_weight": COUNTS},
        {"name": "weighted_crossentropy", "class_weight": "none"},
    ],
    ids=str,
)
def test_these_need_no_context_at_all(branch: Any) -> None:
    """The data is then not asked for anything: not its counts, not the epoch."""
    loss = bound(branch)
    assert loss.context == set()
    assert np.isfinite(np.asarray(loss.step(TARGETS, LOGITS, began(loss))[0])).all()


@pytest.mark.parametrize(
    ("name", "context", "reason"),
    [
        ("weighted_crossentropy", {}, "loss 'weighted_crossentropy' needs class_counts: pass it by keyword"),
        ("ldam", {"epoch": 0}, "loss 'ldam' needs class_counts: pass it by keyword"),
        ("forward_correction", {"class_counts": COUNTS}, "needs transition_matrix"),
        (
            "logit_adjustment",
            {"class_counts": [3, 0, 2, 0]},
            "loss 'logit_adjustment': class_counts: no training image carries the label 1, 3",
        ),
        (
            "logit_adjustment",
            {"class_counts": 3},
            r"class_counts: expected \[classes\], got the shape \[\]",
        ),
        ("arcface", {"head_scale": [1, 2]}, r"head_scale: expected a number, got the shape \[2\]"),
        ("forward_correction", {"transition_matrix": [1, 0]}, r"expected \[classes, classes\], got the shape \[2\]"),
        (
            "forward_correction",
            {"transition_matrix": [[0.5, 0.4], [0, 1]]},
            r"transition_matrix: row 0: expected probabilities that sum to 1, got \[0.5, 0.4\]",
        ),
        (
            "backward_correction",
            {"transition_matrix": [[1, 0], [-0.5, 1.5]]},
            r"row 1: expected probabilities that sum to 1, got \[-0.5, 1.5\]",
        ),
        ("forward_correction", {"transition_matrix": [[1, 0], [0, float("nan")]]}, "row 1: expected probabilities"),
        ("backward_correction", {"transition_matrix": SINGULAR}, "this matrix is singular and has no inverse"),
    ],
)
def test_unusable_context_is_refused_at_once(name: str, context: Any, reason: str) -> None:
    """What is missing or cannot be used is said before training begins."""
    with pytest.raises(UsageError, match=reason):
        bound(name, **context)


@pytest.mark.parametrize(
    ("name", "context", "reason"),
    [
        (
            "logit_adjustment",
            {"class_counts": COUNTS[1:]},
            "'logit_adjustment': class_counts: expected 4 numbers, got 3",
        ),
        (
            "backward_correction",
            {"transition_matrix": [[1, 0], [0, 1]]},
            "transition_matrix: expected 4 × 4 numbers, got 2 × 2",
        ),
        (
            "forward_correction",
            {"transition_matrix": [[0.5, 0.5]] * 4},
            "transition_matrix: expected 4 × 4 numbers, got 4 × 2",
        ),
    ],
)
def test_context_of_another_number_of_classes_is_refused(name: str, context: Any, reason: str) -> None:
    """The number of classes is known when the logits come."""
    with pytest.raises(UsageError, match=reason):
        bound(name, **context)(TARGETS, LOGITS)


def test_forward_correction_takes_a_singular_matrix() -> None:
    """Only the backward correction needs an inverse."""
    losses = bound("forward_correction", transition_matrix=SINGULAR)(TARGETS, LOGITS)
    np.testing.assert_allclose(losses, np.log(CLASSES), rtol=1e-5)


def test_what_a_call_lacks_is_named() -> None:
    """Context and states that change have to come with every call."""
    with pytest.raises(UsageError, match="this loss needs epoch with every call"):
        bound("sparse_regularization")(TARGETS, LOGITS)
    with pytest.raises(UsageError, match=r"this loss needs 0\.memory with every call"):
        bound("elr")(TARGETS, LOGITS)
    with pytest.raises(UsageError, match=r"this loss needs epoch, 1\.kept with every call"):
        bound(["ce", "truncated_gce"]).step(TARGETS, LOGITS, {})


def test_context_with_a_call_is_that_of_bind() -> None:
    """The epoch may come once or with each call; what nobody asked for does no harm."""
    once = bound("sparse_regularization", epoch=7, class_counts=COUNTS)(TARGETS, LOGITS)
    each = bound("sparse_regularization")(TARGETS, LOGITS, epoch=7, uniform=LOGITS)
    np.testing.assert_array_equal(once, each)
    assert not np.allclose(once, bound("sparse_regularization", epoch=0)(TARGETS, LOGITS))


def test_step_of_a_loss_without_state() -> None:
    """`step` works for every loss; without state it is the call."""
    losses, after = bound("gce").step(TARGETS, LOGITS, {})
    np.testing.assert_array_equal(losses, bound("gce")(TARGETS, LOGITS))
    assert after == {}


def test_a_sum_keeps_the_states_of_its_terms_apart() -> None:
    """Two terms of the same loss remember for themselves."""
    both = bound([{"name": "elr", "beta": 0.9}, {"name": "elr", "beta": 0.1, "weight": 2}])
    losses, after = both.step(TARGETS, LOGITS, began(both))
    alone = []
    for key, beta, weight in (("0.memory", 0.9, 1), ("1.memory", 0.1, 2)):
        one = bound({"name": "elr", "beta": beta})
        values, state = one.step(TARGETS, LOGITS, began(one))
        np.testing.assert_array_equal(after[key], state["0.memory"])
        alone.append(weight * np.asarray(values))
    np.testing.assert_allclose(losses, sum(alone), rtol=1e-6)


def test_elr_remembers_a_moving_average() -> None:
    """After k steps on the same logits the memory is 1 - β^k of the prediction."""
    loss = bound("elr")
    states = began(loss)
    for _ in range(3):
        _, states = loss.step(TARGETS, LOGITS, states)
    prediction = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(states["0.memory"], (1 - 0.7**3) * prediction, rtol=1e-4)


def test_seesaw_counts_the_labels_that_it_has_seen() -> None:
    """Each step adds the batch's labels; soft labels count in parts."""
    loss = bound("seesaw")
    _, once = loss.step(TARGETS, LOGITS, began(loss))
    _, twice = loss.step(0.5 * TARGETS, LOGITS, once)
    np.testing.assert_allclose(once["0.seen"], TARGETS.sum(axis=0))
    np.testing.assert_allclose(twice["0.seen"], 1.5 * TARGETS.sum(axis=0))


@pytest.mark.parametrize(
    ("epoch", "judges"), [(0, "no"), (39, "no"), (40, "yes"), (41, "no"), (49, "no"), (50, "yes"), (60, "yes")]
)
def test_truncated_gce_judges_in_its_epochs(epoch: int, judges: str) -> None:
    """From the fortieth epoch on, every tenth, an image is kept if its label is believed; else as before."""
    loss = bound("truncated_gce")
    before = np.array([0, 1] * 3, dtype="float32")
    losses, after = loss.step(TARGETS, LOGITS, {"0.kept": before}, epoch=epoch)
    p = (TARGETS * np.exp(LOGITS)).sum(axis=-1) / np.exp(LOGITS).sum(axis=-1)
    believed = (p > 0.5).astype("float32")
    assert not np.array_equal(believed, before)
    np.testing.assert_array_equal(after["0.kept"], believed if judges == "yes" else before)
    kept = np.where(np.asarray(after["0.kept"]) == 1, p, 0.5)
    np.testing.assert_allclose(losses, (1 - kept**0.7) / 0.7, rtol=1e-4)


def test_an_image_left_out_has_no_slope() -> None:
    """An image that is not kept moves nothing."""
    from differentiate import value_and_gradient

    kept = np.array([0, 1] * 3, dtype="float32")
    loss = bound("truncated_gce", epoch=0)
    _, gradient = value_and_gradient(lambda y, z: loss.step(y, z, {"0.kept": kept})[0], TARGETS, LOGITS)
    assert (gradient[kept == 0] == 0).all()
    assert (gradient[kept == 1] != 0).all()


def test_seesaw_equals_crossentropy_before_it_has_a_reason() -> None:
    """With equally many images of each class and the true class most likely, nothing is moved."""
    loss = bound("seesaw")
    targets = np.eye(CLASSES, dtype="float32")
    logits = LOGITS[:CLASSES] / 10 + 3 * targets
    np.testing.assert_allclose(loss.step(targets, logits, began(loss))[0], bound("ce")(targets, logits), rtol=1e-5)


def test_equalization_leaves_out_as_often_as_it_says() -> None:
    """A rare class gets no slope from the share `probability` of the images of others, and all of it from its own."""
    from differentiate import value_and_gradient

    draws = np.random.default_rng(0).random((4000, CLASSES)).astype("float32")
    loss = bound({"name": "equalization", "probability": 0.7}, class_counts=[90, 5, 3, 97], uniform=draws)
    targets = np.eye(CLASSES, dtype="float32")[np.arange(4000) % CLASSES]
    _, gradient = value_and_gradient(loss, targets, np.zeros((4000, CLASSES)))
    left_out = (gradient == 0) & (targets == 0)
    np.testing.assert_allclose(left_out.sum(axis=0) / 3000, [0, 0.7, 0.7, 0], atol=0.03)
    assert (gradient[targets == 1] < 0).all()


@pytest.mark.parametrize(
    ("value", "head"),
    [
        ("ce", None),
        ("weighted_crossentropy", None),
        ("arcface", "cosine"),
        ("ldam", "cosine"),
        (["cosface", "normalized_softmax"], "cosine"),
    ],
    ids=str,
)
def test_head_that_a_loss_needs(value: Any, head: str | None) -> None:
    """Whatever asks for the head's scale needs the cosine head."""
    assert expression.needs_head(expression.parse(value)) == head


def test_losses_of_different_heads_are_not_summed() -> None:
    """A sum of angular and other losses names both kinds."""
    with pytest.raises(expression.InvalidLossError, match="arcface the cosine head, brier, focal not"):
        expression.parse(["arcface", "brier", "focal"])


@pytest.mark.parametrize(
    ("value", "link"),
    [
        ("class_balanced", "softmax"),
        ({"name": "class_balanced", "base": "focal"}, "softmax"),
        ({"name": "class_balanced", "base": "bce"}, "sigmoid"),
        (["ce", {"name": "class_balanced", "base": "bce"}], "sigmoid"),
    ],
    ids=str,
)
def test_link_is_that_of_the_base(value: Any, link: str) -> None:
    """A loss of losses reads the logits as its base does."""
    assert expression.link(expression.parse(value)) == link


def test_presets_are_not_contradicted() -> None:
    """What a preset sets may be repeated, not changed."""
    (term,) = expression.parse({"name": "balanced_softmax", "tau": 1, "weight": 2})
    assert (term.name, term.hyperparameters["tau"], term.weight) == ("logit_adjustment", 1.0, 2.0)
    with pytest.raises(expression.InvalidLossError, match="'balanced_softmax' stands for logit_adjustment with tau 1"):
        expression.parse({"name": "balanced_softmax", "tau": 0.5})
    with pytest.raises(expression.InvalidLossError, match="expected a number ≥ 0, got 'x'"):
        expression.parse({"name": "balanced_softmax", "tau": "x"})


@pytest.mark.parametrize("name", ["elr", "truncated_gce", "seesaw", "equalization", "ldam", "sparse_regularization"])
def test_compiled_step_is_eager(name: str) -> None:
    """Inside the compiled step, where epoch, draws and states are tensors, the numbers are the same."""
    tf = pytest.importorskip("tensorflow")
    loss = bound(name, class_counts=COUNTS, head_scale=5)
    changing = {"epoch": np.float32(40), "uniform": np.zeros((IMAGES, CLASSES), "float32")}
    surroundings = {key: changing[key] for key in loss.context}

    @tf.function(autograph=False)
    def step(y_true: Any, y_pred: Any, states: Any, context: Any) -> Any:
        return loss.step(y_true, y_pred, states, **context)

    compiled, after = step(TARGETS, LOGITS, began(loss), {key: tf.constant(v) for key, v in surroundings.items()})
    eager, expected = loss.step(TARGETS, LOGITS, began(loss), **surroundings)
    np.testing.assert_allclose(compiled, eager, rtol=1e-5, atol=1e-6)
    assert after.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(after[key], value, rtol=1e-5, atol=1e-6)
        assert value.shape == began(loss)[key].shape


REMEMBERING = """
from typing import Annotated
from lossbench import ops
from lossbench.losses.types import Epoch, State, Tensor, Uniform

def mine(y_true, y_pred, *, decay=0.5, epoch: Epoch, uniform: Uniform, memory: Annotated[Tensor, State({shape}, 1.0)]):
    losses = -ops.sum(y_true * ops.log_softmax(y_pred), axis=-1) + epoch + ops.sum(uniform, axis=-1)
    return {result}
"""
PER_IMAGE = '("images",)'


def load(tmp_path: Any, result: str, shape: str = PER_IMAGE) -> None:
    """A user's loss that remembers something."""
    path = tmp_path / "mine.py"
    path.write_text(REMEMBERING.format(result=result, shape=shape), encoding="utf-8")
    plugin.load(path)


def test_a_users_loss_may_remember_and_ask(tmp_path: Any) -> None:
    """A plugin's loss has context and state as the catalogue's have."""
    load(tmp_path, 'memory * losses, {"memory": decay * memory}')
    trial_call.try_call(expression.parse("mine"), CLASSES)
    loss = bound("mine")
    assert loss.context == {"epoch", "uniform"}
    losses, after = loss.step(TARGETS, LOGITS, began(loss), epoch=2, uniform=np.zeros_like(LOGITS))
    np.testing.assert_allclose(losses, np.asarray(bound("ce")(TARGETS, LOGITS)) + 2, rtol=1e-5)
    np.testing.assert_array_equal(after["0.memory"], [0.5] * IMAGES)


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ("losses", r"mine\.py: "),
        ('losses, {"memori": memory}', r"KeyError: 'memory'"),
        (
            'losses, {"memory": ops.sum(memory)}',
            r"should return 'memory' with its shape \(5,\), not \(\)",
        ),
    ],
)
def test_what_a_users_loss_fails_to_return_is_said(tmp_path: Any, result: str, reason: str) -> None:
    """The check before training finds a state that does not come back."""
    load(tmp_path, result)
    with pytest.raises(PluginError, match=reason):
        trial_call.try_call(expression.parse("mine"), CLASSES)


def test_a_state_begins_with_its_initial_value() -> None:
    """A state has the sizes that its axes name."""
    state = State(("images", "classes"), 0.5)
    np.testing.assert_array_equal(state.initialize(images=2, classes=3), np.full((2, 3), 0.5))
    assert state.per_image
    assert not State(("classes",), 0).per_image


def test_marked_parameters_are_found_beside_plain_ones() -> None:
    """Only marked parameters are the engine's."""

    def loss(y_true: Tensor, y_pred: Tensor, *, q: float, epoch: Epoch, kept: Annotated[Tensor, State((), 0)]) -> Any:
        return ops.sum(y_true * y_pred, axis=-1) * q * epoch * kept

    assert list(engine_parameters(loss)) == ["epoch", "kept"]
