"""The last layer: features to logits."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lossbench.config.model import Head
    from lossbench.models.layers import Layers

REDUCTION = 4
"""The i-th cluster of an adaptive head sees its features through 1/4^i of their dimensions."""


def head(make: Layers, section: Head, class_counts: NDArray[np.integer[Any]]) -> Any:
    """The layer that a configuration's `model.head` names; it computes in float32 under every precision."""
    match section.name:
        case "linear":
            return make.dense(len(class_counts), dtype="float32")
        case "cosine":
            return _cosine(make, section.scale, len(class_counts))
        case "adaptive":
            return _adaptive(make, section.cutoffs, class_counts)


def _cosine(make: Layers, scale: float, classes: int) -> Any:
    """Logits scale · cos θ_j, θ_j the angle between the features and the weights of class j."""
    import keras

    class Cosine(keras.layers.Layer):  # type: ignore[misc] # Keras carries no types
        def build(self, shape: tuple[int, ...]) -> None:
            self.kernel = self.add_weight(
                shape=(shape[-1], classes), initializer=make.initializer("dense"), name="kernel"
            )

        def call(self, features: Any) -> Any:
            directions = keras.ops.normalize(self.kernel, axis=0)
            return scale * keras.ops.matmul(keras.ops.normalize(features, axis=-1), directions)

    return Cosine(name="head", dtype="float32")


def _adaptive(make: Layers, cutoffs: Sequence[int], class_counts: NDArray[np.integer[Any]]) -> Any:
    """Log-probabilities: log p(j) in the short list, log p(cluster) + log p(j | cluster) elsewhere.

    As their exponentials sum to 1, a softmax loss takes them for logits and finds these same probabilities. The classes
    are ranked by their training images; there are no biases.

    Source: Grave et al., "Efficient softmax approximation for GPUs", 2017.
    """
    import keras

    short, sizes = cutoffs[0], [end - begin for begin, end in pairwise((*cutoffs, len(class_counts)))]
    ranks = np.argsort(np.argsort(-class_counts, kind="stable"))

    class Adaptive(keras.layers.Layer):  # type: ignore[misc] # Keras carries no types
        def build(self, shape: tuple[int, ...]) -> None:
            features = shape[-1]
            widths = [max(1, features // REDUCTION**number) for number in range(1, len(sizes) + 1)]
            self.root = self._kernel("root", features, short + len(sizes))
            self.clusters = [
                (self._kernel(f"projection_{number}", features, width), self._kernel(f"cluster_{number}", width, size))
                for number, (width, size) in enumerate(zip(widths, sizes, strict=True), start=1)
            ]

        def _kernel(self, name: str, inputs: int, outputs: int) -> Any:
            return self.add_weight(shape=(inputs, outputs), initializer=make.initializer("dense"), name=name)

        def call(self, features: Any) -> Any:
            root = keras.ops.log_softmax(features @ self.root)
            inside = [keras.ops.log_softmax(features @ down @ kernel) for down, kernel in self.clusters]
            parts = [root[:, short + at, None] + logs for at, logs in enumerate(inside)]
            return keras.ops.take(keras.ops.concatenate([root[:, :short], *parts], axis=-1), ranks, axis=-1)

    return Adaptive(name="head", dtype="float32")
