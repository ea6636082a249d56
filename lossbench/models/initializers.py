"""Seeded Keras initialisers for the distributions of a configuration."""

from __future__ import annotations

from typing import Any, assert_never

from lossbench.config import model


def initializer(distribution: model.Distribution, seed: int) -> Any:
    """Return the Keras initialiser that draws from a distribution with a seed."""
    import keras

    match distribution:
        case model.TruncatedNormal(stddev=stddev, limit=limit):
            return _truncated_normal(stddev, limit or 2 * stddev, seed)
        case model.RandomNormal(stddev=stddev):
            return keras.initializers.RandomNormal(0.0, stddev, seed)
        case model.RandomUniform(limit=limit):
            return keras.initializers.RandomUniform(-limit, limit, seed)
        case model.Scaled(name="orthogonal"):
            return keras.initializers.Orthogonal(seed=seed)
        case model.Scaled(name=name):
            return keras.initializers.get({"class_name": name, "config": {"seed": seed}})
        case never:
            assert_never(never)


def bias_initializer(kind: str, inputs: int, seed: int) -> Any:
    """Return the Keras initialiser of a layer's biases: zeros, or uniform within ±1/√inputs.

    The latter is what PyTorch's Linear and Conv2d do (`reset_parameters`), where the `inputs` of a convolution are
    the pixels of its filter times the channels.
    """
    import keras

    if kind == "zeros":
        return keras.initializers.Zeros()
    limit = inputs**-0.5
    return keras.initializers.RandomUniform(-limit, limit, seed)


def _truncated_normal(stddev: float, limit: float, seed: int) -> Any:
    """Return N(0, stddev²) truncated at ±limit; Keras' own initialiser always truncates at two deviations."""
    import keras

    class TruncatedNormal(keras.initializers.Initializer):  # type: ignore[misc] # Keras carries no types
        def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> Any:
            mass = keras.ops.erf(limit / stddev / 2**0.5)
            uniform = keras.random.uniform(shape, -1.0, 1.0, dtype=dtype, seed=seed)
            return stddev * 2**0.5 * keras.ops.erfinv(uniform * mass)

    return TruncatedNormal()
