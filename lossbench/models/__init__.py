"""Models: a name in the configuration becomes a `keras.Model` that emits logits."""

from lossbench.models.architectures import build

__all__ = ["build"]
