"""Inputs of the compiled functions of training."""

from __future__ import annotations

from typing import Any, NamedTuple


class Data(NamedTuple):
    """Inputs of the compiled functions that differ between the trials that share them.

    The input of the network is `image · scale + shift`. `seed` seeds the random numbers of the loss.
    """

    images: Any
    labels: Any
    true_labels: Any
    scale: Any
    shift: Any
    seed: Any


def normalised(images: Any, scale: Any, shift: Any) -> Any:
    """Return (image/255 - mean)/std with a last axis for the single channel."""
    import tensorflow as tf

    return (tf.cast(images, tf.float32) * scale + shift)[..., tf.newaxis]
