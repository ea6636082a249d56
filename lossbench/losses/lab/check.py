"""Checks of one loss, of the catalogue or a user's: shape, limits, gradient, invariances, compilation, precision.

The checks do not know the formula. They compare the loss with itself: compiled with eager execution, integer with
one-hot labels, gradients with finite differences. For losses of the catalogue, the tests also have independent oracles.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from textwrap import shorten
from typing import TYPE_CHECKING

import keras  # noqa: TID253  # imported on first use
import numpy as np

from lossbench import escapes, ops
from lossbench.errors import PluginError, UsageError
from lossbench.losses.behaviour import PUSHED_DOWN, share_pushed_down
from lossbench.losses.expression import dump, link, parse
from lossbench.losses.keras_loss import get
from lossbench.losses.lab.finite_differences import frozen_stop_gradient, slopes
from lossbench.losses.lab.probe import Array, Probe, fit_to_classes, gradient, trainable, values
from lossbench.losses.registry import find
from lossbench.losses.trial_call import try_call

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from lossbench.losses.expression import LossTerm

IMAGES = 7
FEW_CLASSES, CLASSES = 5, 10
"""Numbers of classes: the second for a loss that fails with the first, e.g. as it takes the eight largest logits."""

STEP = 0.02
SLOPE_TOLERANCE = 2e-3
"""Tolerance of gradients, relative to the largest. Measured over the catalogue: finite differences agree to 8e-4."""


@dataclass(frozen=True)
class CheckResult:
    """Result of one check: passed, failed, or not applicable (None)."""

    name: str
    passed: bool | None
    words: str


@dataclass(frozen=True)
class Batch:
    """Probe and batch of labels and logits."""

    probe: Probe
    labels: NDArray[np.int64]
    logits: Array

    @property
    def targets(self) -> Array:
        """One-hot labels `[images, classes]`."""
        return np.eye(self.probe.classes, dtype=np.float32)[self.labels]

    @property
    def losses(self) -> Array:
        """Losses of the batch."""
        return values(self.probe, self.targets, self.logits)


def check(terms: Sequence[LossTerm]) -> list[CheckResult]:
    """Check a loss, or a weighted sum of several.

    Args:
        terms: Loss terms, as `parse` returns them.

    Returns:
        One result per check; a check that raises fails with the message of its error.
    """
    batch = _batch(terms, classes_of(terms))
    (first, shape), *others = CHECKS.items()
    usable = _run_check(first, shape, batch)
    if not usable.passed:
        words = f"skipped, as the check of the {first} failed"
        return [usable, *(CheckResult(name, passed=None, words=words) for name, _ in others)]
    return [usable, *(_run_check(name, function, batch) for name, function in others)]


def classes_of(terms: Sequence[LossTerm]) -> int:
    """Return the number of classes with which a loss is checked."""
    for classes in (FEW_CLASSES, CLASSES):
        with suppress(Exception):  # a user's loss may raise anything
            if _batch(terms, classes).losses.size:
                return classes
    return FEW_CLASSES


def _batch(terms: Sequence[LossTerm], classes: int) -> Batch:
    probe = Probe(fit_to_classes(terms, classes), classes, counts="falling")
    logits = np.random.default_rng(0).uniform(-0.9, 0.9, (IMAGES, classes)) * min(probe.max_logit, 3)
    return Batch(probe, np.arange(IMAGES) % classes, logits.astype(np.float32))


def _run_check(name: str, function: Callable[[Batch], tuple[bool | None, str]], batch: Batch) -> CheckResult:
    try:
        return CheckResult(name, *function(batch))
    except Exception as error:  # noqa: BLE001  # a user's loss may raise anything; the check reports it
        words = re.sub(KERAS_FRAME, "", " ".join(escapes.removed(str(error)).split())) or type(error).__name__
        return CheckResult(name, passed=False, words=shorten(words, LONGEST))


KERAS_FRAME = re.compile(r"Exception encountered when calling \S+ | Arguments received by .*")
"""Text that Keras adds to the message of an error."""

LONGEST = 400


def _shape(batch: Batch) -> tuple[bool, str]:
    """Check that the loss returns `[batch]` or a scalar in float32."""
    got = f"{batch.losses.dtype} {list(batch.losses.shape)}"
    passed = got in (f"float32 [{IMAGES}]", "float32 []")
    wanted = "" if passed else f": expected float32 [{IMAGES}], or [] for a scalar"
    return passed, f"{got} for {IMAGES} images{wanted}"


def _inputs(batch: Batch) -> tuple[bool | None, str]:
    """Try a user's loss on ordinary logits, as training does: its gradient reaches them and raises the true class."""
    if not any(find(term.name).plugin for term in batch.probe.terms):
        return None, "for losses of your own"
    try_call(batch.probe.terms, batch.probe.classes, **batch.probe.context)
    down = share_pushed_down(batch.targets, gradient(batch.probe.per_image, batch.targets, batch.logits))
    if down >= PUSHED_DOWN:
        return False, f"a gradient step lowers the true class of {down:.0%} of the images: is a sign wrong?"
    return True, "sound on ordinary logits"


def _finite_at_extremes(batch: Batch) -> tuple[bool, str]:
    """Check value and gradient at the largest logits, for each true class."""
    ahead = np.eye(batch.probe.classes)
    patterns = [2 * ahead - 1, 1 - 2 * ahead, ahead, -ahead, ahead - np.roll(ahead, 1, axis=0)]
    return _finite(batch.probe, batch.probe.max_logit * np.concatenate(patterns))


def _finite_at_equal_logits(batch: Batch) -> tuple[bool, str]:
    """Check value and gradient at equal logits: 0 and the largest."""
    return _finite(batch.probe, batch.probe.max_logit * np.outer([-1, 0, 1], np.ones(batch.probe.classes)))


def _finite(probe: Probe, logits: NDArray[np.float64]) -> tuple[bool, str]:
    y_true, y_pred = np.tile(np.eye(probe.classes), (len(logits), 1)), np.repeat(logits, probe.classes, axis=0)
    losses, steep = values(probe.per_image, y_true, y_pred), gradient(probe.per_image, y_true, y_pred)
    passed = bool(np.isfinite(losses).all() and np.isfinite(steep).all())
    if passed:
        return True, f"losses {losses.min():.3g} to {losses.max():.3g}, slopes up to {np.abs(steep).max():.3g}"
    row = int(np.argmin(np.isfinite(losses) & np.isfinite(steep).all(axis=1)))
    at = f"logits {y_pred[row].tolist()} with class {y_true[row].argmax()} true"
    return False, f"at {at} the loss is {losses[row]}, the gradient {steep[row].tolist()}"


def _gradient(batch: Batch) -> tuple[bool, str]:
    """Compare automatic gradients with five-point differences, except at kinks, where two step sizes disagree."""
    automatic = gradient(batch.probe, batch.targets, batch.logits)
    with frozen_stop_gradient(batch.probe, batch.targets, batch.logits):
        wide, narrow = (slopes(batch.probe, batch.targets, batch.logits, step) for step in (STEP, STEP / 2))
    scale = max(float(np.abs(narrow).max()), float(np.abs(automatic).max()), 1e-6)
    smooth = np.abs(wide - narrow) < SLOPE_TOLERANCE / 2 * scale
    if smooth.mean() < 1 / 2:
        return False, f"the loss has a kink or a jump at {(~smooth).sum()} of {smooth.size} points"
    wrong = np.where(smooth, np.abs(automatic - narrow), 0) / scale
    worst = np.unravel_index(wrong.argmax(), wrong.shape)
    if wrong[worst] < SLOPE_TOLERANCE:
        return True, f"{smooth.sum()} gradients agree with finite differences to {wrong[worst]:.1e} of the largest"
    return False, (
        f"∂L/∂z is {automatic[worst]:.6g}, by finite differences {narrow[worst]:.6g}; put factors that "
        "should be constants into ops.stop_gradient"
    )


def _batch_order(batch: Batch) -> tuple[bool, str]:
    """Check that the loss of an image does not depend on its position in the batch."""
    order = np.random.default_rng(1).permutation(IMAGES)
    moved = values(batch.probe, batch.targets[order], batch.logits[order])
    return _same(moved, batch.losses[order] if batch.losses.ndim else batch.losses, "images in another order")


def _shift(batch: Batch) -> tuple[bool | None, str]:
    """Check that a loss that trains softmax is invariant to a shift of all logits, as softmax is."""
    if link(batch.probe.terms) != "softmax":
        return None, f"the link is {link(batch.probe.terms)}"
    if batch.probe.needs_cosines or any(
        "not invariant to a shift" in find(t.name).docstring for t in batch.probe.terms
    ):
        return (
            None,
            "cosines cannot be shifted" if batch.probe.needs_cosines else "not invariant, according to its docstring",
        )
    return _same(values(batch.probe, batch.targets, batch.logits + 3), batch.losses, "all logits plus 3", 1e-3)


def _integer_labels(batch: Batch) -> tuple[bool | None, str]:
    """Check that the Keras loss gives the same value for integer labels and one-hot targets."""
    if reason := _no_keras_loss(batch.probe):
        return None, reason
    integer = np.asarray(ops.convert_to_numpy(_keras_loss(batch.probe)(batch.labels, batch.logits)))
    one_hot = values(_keras_loss(batch.probe), batch.targets, batch.logits)
    return _same(integer, one_hot, "labels [batch] and one-hot targets")


def _compiled(batch: Batch) -> tuple[bool, str]:
    """Compare compiled with eager execution."""
    model = trainable(batch.probe, batch.logits)
    losses = np.asarray(model.predict_on_batch((batch.targets, batch.logits)))
    return _same(losses, np.broadcast_to(batch.losses, IMAGES), "compiled and eager")


def _by_xla(batch: Batch) -> tuple[bool | None, str]:
    """Tell whether XLA compiles value and gradient of the loss, which long training runs need to be fast."""
    if keras.backend.backend() != "tensorflow":
        return None, "for TensorFlow"
    model = trainable(batch.probe, batch.logits, use_xla=True)
    inputs = (batch.targets, batch.logits)
    try:
        model.train_on_batch(inputs)
        model.added.assign(np.zeros_like(batch.logits))
        losses = np.asarray(model.predict_on_batch(inputs))
    except Exception:  # noqa: BLE001  # TensorFlow's errors differ, and a user's loss may raise anything
        return None, "XLA cannot compile the loss: it trains without, which is slower"
    return _same(losses, np.broadcast_to(batch.losses, IMAGES), "compiled by XLA and eager")


def _half_precision(batch: Batch) -> tuple[bool, str]:
    """Check that half-precision logits are converted to float32 first."""
    half = batch.logits.astype(np.float16)
    returned = batch.probe(batch.targets, half)
    if keras.backend.standardize_dtype(returned.dtype) != "float32":
        return False, f"float16 logits give a loss in {returned.dtype}, not float32"
    expected = values(batch.probe, batch.targets, half.astype(np.float32))
    return _same(np.asarray(ops.convert_to_numpy(returned)), expected, "float16 logits and the same in float32")


def _round_trip(batch: Batch) -> tuple[bool, str]:
    """Check that dumping and parsing, as YAML and as a saved Keras loss, restores the loss."""
    terms = batch.probe.terms
    if parse(json.loads(json.dumps(dump(terms)))) != tuple(terms):
        return False, f"{dump(terms)} is read as another loss"
    if reason := _no_keras_loss(batch.probe):
        return True, f"as YAML; {reason}"
    before = _keras_loss(batch.probe)
    after = type(before).from_config(json.loads(json.dumps(before.get_config())))
    again, once = (values(each, batch.targets, batch.logits) for each in (after, before))
    return _same(again, once, "as YAML, and by get_config and from_config")


def _no_keras_loss(probe: Probe) -> str:
    """Return why there is no Keras loss to compare with, or an empty string."""
    if "uniform" in probe.context_names:
        return "the Keras loss uses random numbers"
    try:
        _keras_loss(probe)
    except PluginError:
        raise
    except UsageError as error:
        return str(error)
    return ""


def _keras_loss(probe: Probe) -> keras.losses.Loss:
    context = {name: value for name, value in probe.context.items() if name in probe.context_names}
    return get([dump([term]) for term in probe.terms], reduction=None, **context)


def _same(actual: Array, expected: Array, what: str, tolerance: float = 1e-4) -> tuple[bool, str]:
    """Compare two results within a tolerance relative to the largest value."""
    if actual.shape != expected.shape:
        return False, f"{what}: shapes {actual.shape} and {expected.shape}"
    scale = max(float(np.abs(expected).max()), 1e-6)
    difference = np.abs(actual - expected) / scale
    worst = np.unravel_index(difference.argmax(), difference.shape)
    if difference[worst] <= tolerance:
        return True, f"{what}: equal" + (f" to {difference[worst]:.1e}" if difference[worst] else "")
    return False, f"{what}: {actual[worst]:.7g} and {expected[worst]:.7g}"


CHECKS: dict[str, Callable[[Batch], tuple[bool | None, str]]] = {
    "shape": _shape,
    "inputs": _inputs,
    "extreme logits": _finite_at_extremes,
    "equal logits": _finite_at_equal_logits,
    "gradient": _gradient,
    "batch order": _batch_order,
    "shift": _shift,
    "integer labels": _integer_labels,
    "compiled": _compiled,
    "XLA": _by_xla,
    "float16": _half_precision,
    "round trip": _round_trip,
}
