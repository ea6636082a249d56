"""Models: the `model` section of a configuration as a `keras.Model` that returns logits.

keras_model.py    build(section) -> keras.Model
layers.py         Keras layers with seeds, names and precision
heads.py          the last layer
initializers.py   initial weights
shapes.py         shapes and multiplications, without Keras
"""

from lossbench.models.keras_model import build

__all__ = ["build"]
