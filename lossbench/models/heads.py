"""The last layer: features to logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lossbench.config.model import Head
    from lossbench.models.layers import Layers


def head(make: Layers, section: Head, classes: int) -> Any:
    """The layer that a configuration's `model.head` names; it computes in float32 under every precision."""
    if section.name == "linear":
        return make.dense(classes, dtype="float32")
    return _cosine(make, section.scale, classes)


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

    return Cosine(dtype="float32")
