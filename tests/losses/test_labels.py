"""Integer labels of the class form: those outside the classes raise an error, and are NaN in compiled code."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lossbench.errors import UsageError
from lossbench.losses import registry
from lossbench.losses.keras_loss import get

keras = pytest.importorskip("keras")
CLASSES = 4
LOGITS = np.random.default_rng(5).standard_normal((3, CLASSES)).astype("float32")
CONTEXT: dict[str, Any] = {
    "class_counts": [1, 2, 3, 4],
    "transition_matrix": (0.6 * np.eye(4) + 0.1).tolist(),
    "head_scale": 5.0,
    "epoch": 3,
}
NAMES = [name for name in registry.names() if name not in ("elr", "truncated_gce")]
WRONG = {
    "classes": np.array([0, 4, 1]),
    "negative": np.array([0, -1, 1]),
    "wraps in int32": np.array([0, 2**32, 1]),
    "column": np.array([[0], [9], [1]]),
    "unsigned": np.array([0, 255, 1], "uint8"),
    "fraction": np.array([0, 2.5, 1]),
    "nan": np.array([0, np.nan, 1]),
    "infinite": np.array([0, np.inf, 1]),
}


@pytest.mark.parametrize("labels", WRONG.values(), ids=WRONG)
def test_a_label_outside_the_classes_is_raised(labels: Any) -> None:
    """The error names the label and the classes."""
    wrong = f"{float(labels.ravel()[1]):g}".replace("+", r"\+")
    with pytest.raises(UsageError, match=f"y_true: expected integer labels from 0 to 3, got {wrong}$"):
        get("ce")(labels, LOGITS)


@pytest.mark.parametrize(
    "targets", [[1], [0, 1], [[1]], [0, 1, 2, 3], np.eye(4)[:1], np.eye(4)], ids=lambda each: str(np.shape(each))
)
@pytest.mark.parametrize("name", ["ce", "dice", "multi_margin"])
def test_a_label_for_each_image_is_required(name: str, targets: Any) -> None:
    """One label for three images is not broadcast to all of them, nor is one row of targets."""
    with pytest.raises(UsageError, match=f"y_true: expected one label for each of 3 images, got {len(targets)}$"):
        get(name)(np.asarray(targets), LOGITS)


@pytest.mark.parametrize("name", NAMES)
def test_no_loss_takes_a_label_outside_the_classes(name: str) -> None:
    """Whatever the loss, with the reduction and without."""
    for reduction in ("sum_over_batch_size", None):
        with pytest.raises(UsageError, match="got -1"):
            get(name, reduction=reduction, **CONTEXT)(WRONG["negative"], LOGITS)


@pytest.mark.parametrize("labels", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("name", ["ce", "dice", "mean_squared_error", "categorical_hinge", "asymmetric"])
def test_in_compiled_code_the_loss_of_such_an_image_is_nan(name: str, labels: Any) -> None:
    """So is its gradient, and only its own, unless the loss couples the batch."""
    import tensorflow as tf

    loss = get(name, reduction=None)

    @tf.function
    def compiled(y_true: Any, y_pred: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            losses = loss(y_true, y_pred)
        return losses, tape.gradient(losses, y_pred)

    losses, slopes = (np.asarray(each) for each in compiled(tf.constant(labels), tf.constant(LOGITS)))
    if not losses.ndim:
        assert np.isnan(losses)
        return
    assert np.isnan(losses).tolist() == [False, True, False]
    assert np.isnan(slopes).any(axis=1).tolist() == [False, True, False]
    np.testing.assert_allclose(losses[[0, 2]], loss(np.array([0, 1]), LOGITS[[0, 2]]), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int64", "bool"])
def test_whole_numbers_of_every_type_are_labels(dtype: str) -> None:
    """They give the loss of the one-hot targets, eagerly and compiled."""
    import tensorflow as tf

    labels = np.array([1, 0, 1], dtype)
    loss = get("ce")
    expected = float(loss(np.eye(CLASSES, dtype="float32")[[1, 0, 1]], LOGITS))
    assert float(loss(labels, LOGITS)) == expected
    assert float(tf.function(loss)(labels, LOGITS)) == pytest.approx(expected, rel=1e-6)


def test_training_on_such_a_label_shows() -> None:
    """Keras' compiled training reports NaN, its eager training raises the error."""
    model = keras.Sequential([keras.Input((CLASSES,)), keras.layers.Dense(CLASSES)])
    model.compile("sgd", loss=get("ce"))
    assert np.isnan(model.fit(LOGITS, WRONG["negative"], verbose=0).history["loss"]).all()
    eager = keras.Sequential([keras.Input((CLASSES,)), keras.layers.Dense(CLASSES)])
    eager.compile("sgd", loss=get("ce"), run_eagerly=True)
    with pytest.raises(UsageError, match="got -1"):
        eager.fit(LOGITS, WRONG["negative"], verbose=0)


OTHER_BACKEND = """
import sys
sys.modules["tensorflow"] = None
import keras
import numpy as np
from lossbench.errors import UsageError
from lossbench.losses import get

logits = np.zeros((2, 3), "float32")
loss = get("ce", reduction=None)
assert np.allclose(keras.ops.convert_to_numpy(loss(np.array([0, 2]), logits)), np.log(3))
for wrong in (3, -1, 2.5, float("nan")):
    try:
        loss(np.array([0, wrong]), logits)
    except UsageError as error:
        assert "from 0 to 2" in str(error)
    else:
        raise AssertionError(wrong)
if keras.backend.backend() == "jax":
    import jax

    losses = jax.jit(lambda labels: loss(labels, logits))(np.array([0, 3]))
    assert np.isnan(losses).tolist() == [False, True]
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_every_backend_checks_labels(backend: str) -> None:
    """JAX and PyTorch raise the same error; compiled JAX returns NaN."""
    if not importlib.util.find_spec(backend):
        pytest.skip(f"{backend} is not installed")
    environment = {**os.environ, "KERAS_BACKEND": backend}
    subprocess.run([sys.executable, "-c", OTHER_BACKEND], cwd=Path(__file__).parents[2], env=environment, check=True)
