"""What an oracle is, and what several oracles share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]

CLASSES = 5
COUNTS = np.array([50.0, 40.0, 30.0, 20.0, 10.0])
WEIGHTS = [0.5, 1.0, 2.0, 3.0, 0.1]


@dataclass(frozen=True)
class Case:
    """A loss with hyperparameters, and its value by another way.

    Args:
        name: Identifier of the loss.
        hyperparameters: What differs from its defaults.
        oracle: The formula in float64 NumPy, of one image: scores z `[classes]`, true class y, p = softmax(z),
            e = one-hot(y). Where the hyperparameters smooth the labels, the oracle says so itself.
        context: What the loss asks its surroundings for, such as `class_counts`. With a `head_scale` s the suite hands
            over s times cosines in the place of logits.
        batch: The oracle is of the whole batch, z `[n, classes]`, y `[n]`, p, e, and returns `[n]` or a scalar.
        held: The loss takes a part of itself for a constant; the oracle's fifth argument is z as it is there, which the
            finite differences do not move.
        soft: The oracle reads e and not y, and holds for soft targets too.
        states: For a loss with state, what it remembers of each image, keyed as `BoundLoss.states`.
    """

    name: str
    hyperparameters: Mapping[str, Any]
    oracle: Callable[..., Any]
    context: Mapping[str, Any] = field(default_factory=dict)
    batch: bool = False
    held: bool = False
    soft: bool = False
    states: Mapping[str, Array] = field(default_factory=dict)


def softmax(z: Array) -> Array:
    """The exponentials' shares, along the last axis."""
    exponentials = np.exp(z - z.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def log_softmax(z: Array) -> Array:
    """The logarithm of the shares, along the last axis."""
    return z - z.max(axis=-1, keepdims=True) - np.log(np.exp(z - z.max(axis=-1, keepdims=True)).sum(-1, keepdims=True))


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z))."""
    return 1 / (1 + np.exp(-z))


def smoothed(e: Array, epsilon: float, outcomes: int) -> Array:
    """Targets of which the share ε is spread over the outcomes."""
    return e * (1 - epsilon) + epsilon / outcomes


def others(z: Array, y: int) -> Array:
    """The scores of the wrong classes."""
    return np.delete(z, y)
