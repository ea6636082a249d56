"""Values and gradients of a loss as NumPy arrays, on the backend of Keras.

A probe fills in the context of the loss: equal or decreasing class counts, a transition matrix with 20 % wrong labels,
a cosine head of scale 30, epoch 0, and initial states.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import keras  # noqa: TID253  # imported on first use
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
"""Share of wrong labels."""

EXTREME = 1e4
"""Largest logit without a cosine head; exp overflows float32 at 89, so that naive formulas fail."""


@dataclass(frozen=True)
class Probe:
    """Bound loss for a given number of classes, with stand-in context."""

    terms: Sequence[LossTerm]
    classes: int
    counts: Literal["equal", "falling"] = "equal"

    @property
    def needs_cosines(self) -> bool:
        """Whether the logits must be scaled cosines."""
        return "head_scale" in self.context_names

    @property
    def context_names(self) -> frozenset[str]:
        """Names of the context parameters of the loss."""
        return frozenset(name for term in self.terms for name in find(term.name).context)

    @property
    def max_logit(self) -> float:
        """Largest absolute logit."""
        return HEAD_SCALE if self.needs_cosines else EXTREME

    @property
    def transition_matrix(self) -> Array:
        """`[classes, classes]`: symmetric label noise with the share FLIPPED."""
        stays = (1 - FLIPPED) * np.eye(self.classes)
        return np.asarray(stays + FLIPPED * (1 - np.eye(self.classes)) / (self.classes - 1), np.float32)

    @property
    def context(self) -> dict[str, Any]:
        """Context that does not depend on the batch."""
        falling = self.counts == "falling"
        return {
            "class_counts": 100.0 * (np.arange(self.classes, 0, -1) if falling else np.ones(self.classes)),
            "transition_matrix": self.transition_matrix,
            "head_scale": HEAD_SCALE,
            "epoch": 0.0,
        }

    @cached_property
    def bound_loss(self) -> Any:
        """The loss as in the training step."""
        return bind(self.terms, **self.context)

    def __call__(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the losses of a batch with initial states: `[batch]`, or a scalar."""
        images = int(y_pred.shape[0])
        states = {
            key: each.initialize(images=images, classes=self.classes) for key, each in self.bound_loss.states.items()
        }
        draws = np.random.default_rng(0).random((1, self.classes), dtype=np.float32)
        context = {"uniform": np.tile(draws, (images, 1))} if "uniform" in self.bound_loss.context else {}
        return self.bound_loss.step(y_true, y_pred, states, **context)[0]

    @cached_property
    def couples_batch(self) -> bool:
        """Whether the loss of an image depends on the rest of its batch, as a scalar loss does."""
        y_true, y_pred = np.eye(self.classes, dtype=np.float32), np.diag(np.arange(self.classes)).astype(np.float32)
        batch_losses, single_loss = np.asarray(self(y_true, y_pred)), np.asarray(self(y_true[:1], y_pred[:1]))
        return batch_losses.ndim == 0 or not np.allclose(batch_losses[:1], single_loss, rtol=1e-4, atol=1e-6)

    def per_image(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the losses `[batch]` of images, each as a batch of one image."""
        if not self.couples_batch:
            return self(y_true, y_pred)
        return ops.vectorized_map(
            lambda image: ops.mean(self(image[0][None], image[1][None])),
            (ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)),
        )


def fit_to_classes(terms: Sequence[LossTerm], classes: int) -> tuple[LossTerm, ...]:
    """Return the terms with every list of one number per class cut or repeated to the number of classes."""

    def fitted(value: Any) -> Any:
        per_class = isinstance(value, list) and value and all(isinstance(entry, int | float) for entry in value)
        return list(islice(cycle(value), classes)) if per_class else value

    return tuple(
        replace(term, hyperparameters={name: fitted(value) for name, value in term.hyperparameters.items()})
        for term in terms
    )


def stand_ins(terms: Sequence[LossTerm], classes: int) -> list[str]:
    """Return the context that a probe gives to a loss, in words."""
    words = {
        "class_counts": "equal class counts",
        "transition_matrix": f"{FLIPPED:.0%} symmetric label noise",
        "head_scale": f"cosines times {HEAD_SCALE:g}",
        "epoch": "epoch 0",
    }
    return [text for name, text in words.items() if name in Probe(terms, classes).context_names]


def values(loss: Callable[[Tensor, Tensor], Tensor], y_true: Array, y_pred: Array) -> Array:
    """Return the value of a loss as an array."""
    return np.asarray(ops.convert_to_numpy(loss(*_float32(y_true, y_pred))))


def gradient(loss: Callable[[Tensor, Tensor], Tensor], y_true: Array, y_pred: Array) -> Array:
    """Return the gradient of the summed loss with respect to the logits.

    Keras has no gradient function for all backends, but a training step: a weight that is added to the logits starts at
    0, and one step of gradient descent at rate 1 sets it to exactly minus the gradient.
    """
    model = trainable(loss, y_pred, eagerly=True)
    model.train_on_batch(_float32(y_true, y_pred))
    return np.asarray(ops.convert_to_numpy(-model.added))


def trainable(
    loss: Callable[[Tensor, Tensor], Tensor], y_pred: Array, *, eagerly: bool = False, use_xla: bool = False
) -> keras.Model:
    """Return the loss as a Keras model of targets and logits; unless eager, it is compiled."""
    model = _Added(loss, y_pred.shape)
    model.compile(keras.optimizers.SGD(1.0), run_eagerly=eagerly, jit_compile=use_xla)
    return model


def _float32(*arrays: Array) -> tuple[Array, ...]:
    return tuple(np.asarray(array, np.float32) for array in arrays)


class _Added(keras.Model):  # type: ignore[misc]  # Keras has no type hints
    """Model that returns the losses of logits plus a trainable weight."""

    def __init__(self, loss: Callable[[Tensor, Tensor], Tensor], shape: tuple[int, ...]) -> None:
        super().__init__(name="probe")
        self._of_batch = loss
        self.added = self.add_weight(shape=shape, initializer="zeros")

    def call(self, inputs: tuple[Tensor, Tensor]) -> Tensor:
        """Compute the losses, `[batch]`, and add their sum to the objective."""
        y_true, y_pred = inputs
        losses = self._of_batch(y_true, y_pred + self.added)
        self.add_loss(ops.sum(losses))
        return ops.broadcast_to(losses, (y_pred.shape[0],))
