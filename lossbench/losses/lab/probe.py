"""A loss tried on numbers: values and gradients on whichever backend Keras runs, as NumPy arrays.

What the loss asks its surroundings for is filled in by stand-ins: equal or falling class counts, a transition matrix
with one wrong label in five, a cosine head of scale 30, the first epoch, and states as they begin.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import keras  # noqa: TID253  # nothing imports this module unless a loss is to be tried
import numpy as np
from numpy.typing import NDArray

from lossbench import ops
from lossbench.losses.binding import bind
from lossbench.losses.registry import find

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lossbench.losses.expression import LossTerm
    from lossbench.losses.types import Tensor

Array: TypeAlias = NDArray[np.floating[Any]]

HEAD_SCALE = 30.0
FLIPPED = 0.2
EXTREME = 1e4


@dataclass(frozen=True)
class Probe:
    """A loss of so many classes, with its surroundings filled in."""

    terms: Sequence[LossTerm]
    classes: int
    counts: Literal["equal", "falling"] = "equal"

    @property
    def needs_cosines(self) -> bool:
        """Whether the loss reads cosines times a scale, not just any logits."""
        return "head_scale" in self.context_names

    @property
    def context_names(self) -> frozenset[str]:
        """What the loss asks its surroundings for."""
        return frozenset(name for term in self.terms for name in find(term.name).context)

    @property
    def max_logit(self) -> float:
        """How large a logit can be."""
        return HEAD_SCALE if self.needs_cosines else EXTREME

    @property
    def transition_matrix(self) -> Array:
        """`[classes, classes]`: a label stays with 1 - FLIPPED, and is else any other."""
        stays = (1 - FLIPPED) * np.eye(self.classes)
        return np.asarray(stays + FLIPPED * (1 - np.eye(self.classes)) / (self.classes - 1), np.float32)

    @property
    def context(self) -> dict[str, Any]:
        """What can be told before there is a batch."""
        falling = self.counts == "falling"
        return {
            "class_counts": 100.0 * (np.arange(self.classes, 0, -1) if falling else np.ones(self.classes)),
            "transition_matrix": self.transition_matrix,
            "head_scale": HEAD_SCALE,
            "epoch": 0.0,
        }

    @cached_property
    def bound_loss(self) -> Any:
        """The loss as the training step has it."""
        return bind(self.terms, **self.context)

    def __call__(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """The losses of a batch at its beginning: `[batch]`, or a scalar."""
        images = int(y_pred.shape[0])
        states = {
            key: each.initialize(images=images, classes=self.classes) for key, each in self.bound_loss.states.items()
        }
        draws = np.random.default_rng(0).random((1, self.classes), dtype=np.float32)
        context = {"uniform": np.tile(draws, (images, 1))} if "uniform" in self.bound_loss.context else {}
        return self.bound_loss.step(y_true, y_pred, states, **context)[0]

    @cached_property
    def couples_batch(self) -> bool:
        """Whether an image's loss depends on the rest of its batch; a scalar does."""
        y_true, y_pred = np.eye(self.classes, dtype=np.float32), np.diag(np.arange(self.classes)).astype(np.float32)
        whole, alone = np.asarray(self(y_true, y_pred)), np.asarray(self(y_true[:1], y_pred[:1]))
        return whole.ndim == 0 or not np.allclose(whole[:1], alone, rtol=1e-4, atol=1e-6)

    def per_image(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """The losses `[batch]` of images each of which is a batch of its own."""
        if not self.couples_batch:
            return self(y_true, y_pred)
        return ops.vectorized_map(
            lambda image: ops.mean(self(image[0][None], image[1][None])),
            (ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)),
        )


def fit_to_classes(terms: Sequence[LossTerm], classes: int) -> tuple[LossTerm, ...]:
    """The terms with every list of one number a class cut or repeated to so many classes."""

    def fitted(value: Any) -> Any:
        return tuple(islice(cycle(value), classes)) if isinstance(value, tuple) else value

    return tuple(
        replace(term, hyperparameters={name: fitted(value) for name, value in term.hyperparameters.items()})
        for term in terms
    )


def values(loss: Callable[[Tensor, Tensor], Tensor], y_true: Array, y_pred: Array) -> Array:
    """What a loss returns, as an array."""
    return np.asarray(ops.convert_to_numpy(loss(*_float32(y_true, y_pred))))


def gradient(loss: Callable[[Tensor, Tensor], Tensor], y_true: Array, y_pred: Array) -> Array:
    """The slope of the summed loss in each logit.

    Keras has no gradient of its own on every backend, but its training step has one: what is added to the logits begins
    at 0, and one step of gradient descent at rate 1 leaves minus the gradient there, exactly.
    """
    model = trainable(loss, y_pred, eagerly=True)
    model.train_on_batch(_float32(y_true, y_pred))
    return np.asarray(ops.convert_to_numpy(-model.added))


def trainable(loss: Callable[[Tensor, Tensor], Tensor], y_pred: Array, *, eagerly: bool = False) -> keras.Model:
    """The loss as a Keras model of targets and logits such as `y_pred`; not eagerly, it computes as training does."""
    model = _Added(loss, y_pred.shape)
    model.compile(keras.optimizers.SGD(1.0), run_eagerly=eagerly, jit_compile=False)
    return model


def _float32(*arrays: Array) -> tuple[Array, ...]:
    return tuple(np.asarray(array, np.float32) for array in arrays)


class _Added(keras.Model):  # type: ignore[misc]  # Keras has no type hints
    """The losses of logits to which something is added that can be trained."""

    def __init__(self, loss: Callable[[Tensor, Tensor], Tensor], shape: tuple[int, ...]) -> None:
        super().__init__(name="probe")
        self._of_batch = loss
        self.added = self.add_weight(shape=shape, initializer="zeros")

    def call(self, inputs: tuple[Tensor, Tensor]) -> Tensor:
        """The losses, `[batch]`; their sum is what training lowers."""
        y_true, y_pred = inputs
        losses = self._of_batch(y_true, y_pred + self.added)
        self.add_loss(ops.sum(losses))
        return ops.broadcast_to(losses, (y_pred.shape[0],))
