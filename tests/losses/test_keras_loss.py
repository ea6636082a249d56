"""The class form: anyone's `model.compile`, saved and loaded by Keras in another process."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lossbench.losses
from lossbench.errors import UsageError
from lossbench.losses import binding, expression, registry
from lossbench.losses.keras_loss import CatalogueLoss, get

keras = pytest.importorskip("keras")
generator = np.random.default_rng(11)
LABELS = generator.integers(4, size=8)
TARGETS = np.eye(4, dtype="float32")[LABELS]
LOGITS = generator.standard_normal((8, 4)).astype("float32")
COUNTS = [1, 2, 3, 4]
CONTEXT: dict[str, Any] = {
    "class_counts": COUNTS,
    "transition_matrix": (0.6 * np.eye(4) + 0.1).tolist(),
    "head_scale": 5.0,
    "epoch": 3,
}
PER_IMAGE = ["elr", "truncated_gce"]
LISTS: list[Any] = [["ce", {"name": "rce", "weight": 10}], [{"name": "focal", "gamma": 3}, "weighted_crossentropy"]]
NAMES = [*(name for name in registry.names() if name not in PER_IMAGE), *LISTS]
every_name = pytest.mark.parametrize("name", NAMES, ids=str)


@every_name
def test_labels_may_be_integers_or_one_hot(name: Any) -> None:
    """Integer labels, as a vector or a column, and one-hot targets give the same loss."""
    loss = get(name, **CONTEXT)
    values = [float(loss(y_true, LOGITS)) for y_true in (TARGETS, LABELS, LABELS[:, None], LABELS.astype("uint8"))]
    assert values == [values[0]] * 4


@every_name
def test_value_is_the_function_forms(name: Any) -> None:
    """The mean over images of what the training step computes."""
    terms = expression.parse(name)
    loss = binding.bind(terms, **CONTEXT, uniform=np.zeros_like(LOGITS))
    before = {key: state.initialize(classes=4) for key, state in loss.states.items()}
    expected = np.mean(loss.step(TARGETS, LOGITS, before)[0])
    assert float(get(name, **CONTEXT)(TARGETS, LOGITS)) == pytest.approx(float(expected), rel=1e-6)


@every_name
def test_half_precision_is_computed_in_float32(name: Any) -> None:
    """The loss of float16 logits is a float32."""
    half = LOGITS.astype("float16")
    loss = get(name, **CONTEXT)
    assert np.asarray(loss(LABELS, half)).dtype == np.float32
    assert float(loss(LABELS, half)) == float(loss(LABELS, half.astype("float32")))


@every_name
def test_configuration_round_trip(name: Any) -> None:
    """`get_config` is plain and makes the same loss again."""
    loss = get(name, **CONTEXT, reduction="sum")
    config = json.loads(json.dumps(loss.get_config()))
    again = CatalogueLoss.from_config(config)
    assert again.get_config() == loss.get_config()
    assert float(again(LABELS, LOGITS)) == float(loss(LABELS, LOGITS))


@every_name
def test_probabilities_instead_of_logits(name: Any) -> None:
    """With from_logits=False the loss of probabilities is that of the logits behind them."""
    terms = expression.parse(name)
    link = expression.link(terms)
    probabilities = keras.ops.sigmoid(LOGITS) if link == "sigmoid" else keras.ops.softmax(LOGITS)
    logits = LOGITS if link == "sigmoid" else keras.ops.log_softmax(LOGITS)
    actual = get(name, from_logits=False, **CONTEXT)(TARGETS, probabilities)
    assert float(actual) == pytest.approx(float(get(name, **CONTEXT)(TARGETS, logits)), rel=1e-4)


@pytest.mark.parametrize("reduction", ["sum", "sum_over_batch_size", "mean", "none", None])
def test_reduction_is_keras_own(reduction: str | None) -> None:
    """The reductions are Keras', also with sample weights."""
    ours = get("ce", reduction=reduction)
    theirs = keras.losses.CategoricalCrossentropy(from_logits=True, reduction=reduction)
    weights = np.arange(8.0)
    np.testing.assert_allclose(ours(LABELS, LOGITS), theirs(TARGETS, LOGITS), rtol=1e-5)
    np.testing.assert_allclose(ours(LABELS, LOGITS, weights), theirs(TARGETS, LOGITS, weights), rtol=1e-5)


def test_package_exports_get() -> None:
    """`lossbench.losses.get` is the class form."""
    assert lossbench.losses.get is get


def test_name_is_the_loss() -> None:
    """Keras shows the loss's canonical name."""
    assert get("gce").name == "generalized_crossentropy"
    assert get(["ce", "rce"]).name == "categorical_crossentropy_reverse_crossentropy"


def test_mistakes_are_told() -> None:
    """Wrong hyperparameters, missing context and wrong shapes are sentences."""
    with pytest.raises(expression.InvalidLossError, match="did you mean 'gamma'"):
        get("focal", gama=2)
    with pytest.raises(UsageError, match="needs class_counts"):
        get("weighted_crossentropy")
    with pytest.raises(UsageError, match="put the hyperparameters into the entries"):
        get(["ce", "rce"], q=1)
    with pytest.raises(UsageError, match="let the model return logits"):
        get(["ce", "bce"], from_logits=False)
    with pytest.raises(UsageError, match=r"targets \[batch, 4\], got \(8, 3\)"):
        get("ce")(TARGETS[:, :3], LOGITS)
    with pytest.raises(UsageError, match=r"outputs as \[batch, classes\]"):
        get("ce")(LABELS, LOGITS[0])
    with pytest.raises(AttributeError, match="no_such_loss"):
        _ = lossbench.losses.no_such_loss


@pytest.mark.parametrize("name", [*PER_IMAGE, ["ce", "elr"]], ids=str)
def test_what_is_remembered_of_each_image_is_refused(name: Any) -> None:
    """Keras does not tell a loss which image is which."""
    with pytest.raises(UsageError, match=r"has state per image, .*: use `lossbench train`"):
        get(name, **CONTEXT)


def test_missing_epoch_is_named() -> None:
    """A loss that changes with the epoch asks for it."""
    with pytest.raises(UsageError, match="loss 'sparse_regularization' needs epoch: pass it by keyword"):
        get("sparse_regularization")
    with pytest.raises(UsageError, match="this matrix is singular"):
        get("backward_correction", transition_matrix=[[0.5, 0.5], [0.5, 0.5]])


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own, on NumPy 2
def test_epoch_may_be_a_variable() -> None:
    """The loss follows a variable that the user advances, compiled too, and is saved with the number that it holds."""
    import tensorflow as tf

    epoch = keras.Variable(0.0, trainable=False)
    loss = get("sparse_regularization", epoch=epoch)
    compiled = tf.function(loss)
    for number in (0.0, 7.0):
        epoch.assign(number)
        expected = float(get("sparse_regularization", epoch=number)(TARGETS, LOGITS))
        assert float(loss(TARGETS, LOGITS)) == pytest.approx(expected, rel=1e-6)
        assert float(compiled(TARGETS, LOGITS)) == pytest.approx(expected, rel=1e-6)
    assert loss.get_config()["epoch"] == 7.0
    assert CatalogueLoss.from_config(loss.get_config()).get_config() == loss.get_config()


def test_draws_differ_from_call_to_call_and_follow_the_seed() -> None:
    """Every call draws anew; Keras' seed decides what."""
    rare = {"probability": 0.5, "class_counts": [100, 2, 2, 2]}

    def calls() -> list[float]:
        keras.utils.set_random_seed(1)
        loss = get("equalization", **rare)
        return [float(loss(TARGETS, LOGITS)) for _ in range(4)]

    assert len(set(calls())) > 1
    assert calls() == calls()


def test_what_is_remembered_of_the_run_is_kept_while_keras_trains() -> None:
    """After three epochs `seesaw` has counted every label three times: its next loss is that of the step with these."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])
    loss = get("seesaw")
    model.compile(optimizer="sgd", loss=loss)
    model.fit(LOGITS, LABELS, epochs=3, batch_size=4, verbose=0)
    by_hand = binding.bind(expression.parse("seesaw"))
    expected, _ = by_hand.step(TARGETS, LOGITS, {"0.seen": 3 * TARGETS.sum(axis=0)})
    fresh, _ = by_hand.step(TARGETS, LOGITS, {"0.seen": np.zeros(4)})
    actual = float(loss(TARGETS, LOGITS))
    assert actual == pytest.approx(float(np.mean(expected)), rel=1e-5)
    assert float(loss(TARGETS[::-1], LOGITS)) != pytest.approx(float(np.mean(fresh)), rel=1e-5)


@pytest.mark.parametrize(
    ("name", "what"), [("seesaw", "seen"), ("equalization", "uniform"), ("sparse_regularization", "epoch")]
)
def test_variables_are_refused_on_jax(name: str, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras on JAX would hold them fixed without a word."""
    context = {**CONTEXT, "epoch": keras.Variable(0.0, trainable=False)}
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(UsageError, match=rf"loss '{name}' changes while training \({what}\)"):
        get(name, **context)
    assert get("sparse_regularization", epoch=3).get_config()["epoch"] == 3


OTHER_PROCESS = """
import json, sys
import keras
import numpy as np
import lossbench.losses.keras_loss

folder = sys.argv[1]
data = np.load(f"{folder}/data.npz")
with open(f"{folder}/losses.json") as file:
    losses = [keras.saving.deserialize_keras_object(entry) for entry in json.load(file)]
model = keras.saving.load_model(f"{folder}/model.keras")
print(json.dumps({
    "losses": [float(loss(data["labels"], data["logits"])) for loss in losses],
    "evaluated": model.evaluate(data["logits"], data["labels"], verbose=0),
    "config": model.loss.get_config(),
}))
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own, on NumPy 2
def test_saved_and_loaded_in_another_process(tmp_path: Path) -> None:
    """Keras saves a compiled model and every loss, and a fresh process loads them with the same numbers."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])
    model.compile(optimizer="sgd", loss=get(LISTS[1], **CONTEXT))
    history = model.fit(LOGITS, LABELS, epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]
    model.save(tmp_path / "model.keras")
    losses = [get(name, **CONTEXT) for name in NAMES]
    serialized = [keras.saving.serialize_keras_object(loss) for loss in losses]
    assert {entry["registered_name"] for entry in serialized} == {"lossbench>CatalogueLoss"}
    (tmp_path / "losses.json").write_text(json.dumps(serialized))
    np.savez(tmp_path / "data.npz", labels=LABELS, logits=LOGITS)
    command = [sys.executable, "-c", OTHER_PROCESS, str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    there = json.loads(done.stdout.splitlines()[-1])
    assert there["losses"] == pytest.approx([float(loss(LABELS, LOGITS)) for loss in losses], rel=1e-6)
    assert there["evaluated"] == pytest.approx(model.evaluate(LOGITS, LABELS, verbose=0), rel=1e-6)
    assert there["config"] == model.loss.get_config()
