"""Model heads: the last layer, from features to logits."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, assert_never

import numpy as np

from lossbench.config.model import AdaptiveHead, CosineHead, LinearHead

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lossbench.config.model import Head
    from lossbench.models.layers import Layers

REDUCTION = 4
"""The i-th cluster of an adaptive head projects the features onto 1/4^i of their dimensions."""


def head(make: Layers, section: Head, class_counts: NDArray[np.integer[Any]]) -> Any:
    """Return the layer of a `model.head` section; it computes in float32 at every precision.

    Args:
        make: The layer factory of the model.
        section: The `model.head` section.
        class_counts: `[classes]` training images per class.
    """
    match section:
        case LinearHead():
            return make.dense(len(class_counts), dtype="float32")
        case CosineHead(scale=scale):
            return _cosine(make, scale, len(class_counts))
        case AdaptiveHead(cutoffs=cutoffs):
            return _adaptive(make, cutoffs, class_counts)
        case never:
            assert_never(never)


def adaptive_kernels(
    features: int, cutoffs: Sequence[int], classes: int
) -> tuple[tuple[int, int], list[tuple[tuple[int, int], tuple[int, int]]]]:
    """Return the kernel shapes of an adaptive head: the root's, then per cluster the projection's and the logits'.

    Example:
        >>> adaptive_kernels(64, [4, 7], 10)
        ((64, 6), [((64, 16), (16, 3)), ((64, 4), (4, 3))])
    """
    sizes = [end - begin for begin, end in pairwise((*cutoffs, classes))]
    widths = [max(1, features // REDUCTION**number) for number in range(1, len(sizes) + 1)]
    clusters = [((features, width), (width, size)) for width, size in zip(widths, sizes, strict=True)]
    return (features, cutoffs[0] + len(sizes)), clusters


def _cosine(make: Layers, scale: float, classes: int) -> Any:
    """Return logits scale · cos θ_j, where θ_j is the angle between the features and the weights of class j."""
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
    """Return log-probabilities: log p(j) in the short list, log p(cluster) + log p(j | cluster) elsewhere.

    Their exponentials sum to 1, so a softmax loss that takes them as logits computes the same probabilities. The
    classes are ranked by their training images; there are no biases.

    Source: Grave et al. (2017). Efficient softmax approximation for GPUs. arXiv:1609.04309.
    """
    import keras

    short = cutoffs[0]
    ranks = np.argsort(np.argsort(-class_counts, kind="stable"))

    class Adaptive(keras.layers.Layer):  # type: ignore[misc] # Keras carries no types
        def build(self, shape: tuple[int, ...]) -> None:
            root, clusters = adaptive_kernels(shape[-1], cutoffs, len(class_counts))
            self.root = self._kernel("root", root)
            self.clusters = [
                (self._kernel(f"projection_{number}", down), self._kernel(f"cluster_{number}", logits))
                for number, (down, logits) in enumerate(clusters, start=1)
            ]

        def _kernel(self, name: str, shape: tuple[int, int]) -> Any:
            return self.add_weight(shape=shape, initializer=make.initializer("dense"), name=name)

        def call(self, features: Any) -> Any:
            root = keras.ops.log_softmax(features @ self.root)
            inside = [keras.ops.log_softmax(features @ down @ kernel) for down, kernel in self.clusters]
            parts = [root[:, short + at, None] + logs for at, logs in enumerate(inside)]
            return keras.ops.take(keras.ops.concatenate([root[:, :short], *parts], axis=-1), ranks, axis=-1)

    return Adaptive(name="head", dtype="float32")
