"""Dynamic loss scaling, which keeps small gradients alive in float16.

The objective is multiplied by a scale and its gradients are divided by it. If the gradients of a step overflow, the
step is skipped and the scale is halved. After `PATIENCE` steps without overflow the scale is doubled.

Source: Micikevicius et al. (2018). Mixed precision training. arXiv:1710.03740.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lossbench.config.schema import Precision

PATIENCE = 2000


def loss_scale(precision: Precision) -> NoScale | DynamicScale:
    """Return the loss scaling that a precision needs."""
    match precision:
        case "float32" | "mixed_bfloat16":
            return NoScale()
        case "mixed_float16":
            return DynamicScale()
        case never:
            assert_never(never)


class NoScale:
    """No scaling: float32 and bfloat16 have enough range."""

    variables: tuple[Any, ...] = ()

    def scale(self, objective: Any) -> Any:
        """Return the objective itself."""
        return objective

    def apply(self, gradients: Sequence[Any], update: Callable[[Sequence[Any]], None]) -> None:
        """Update with the gradients as they are."""
        update(gradients)


class DynamicScale:
    """Dynamic scale, kept in variables of the training loop; `start` is its first value."""

    def __init__(self, start: float = 2.0**15) -> None:
        import tensorflow as tf

        self._factor = tf.Variable(start, dtype=tf.float32, trainable=False)
        self._steps = tf.Variable(0, dtype=tf.int32, trainable=False)
        self.variables = (self._factor, self._steps)

    def scale(self, objective: Any) -> Any:
        """Return the objective times the scale."""
        return objective * self._factor

    def apply(self, gradients: Sequence[Any], update: Callable[[Sequence[Any]], None]) -> None:
        """Update with the unscaled gradients if all are finite, and adapt the scale."""
        import tensorflow as tf

        unscaled = [gradient / self._factor for gradient in gradients]
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(gradient)) for gradient in unscaled])
        self._steps.assign(tf.where(finite, self._steps + 1, 0))
        grows = self._steps >= PATIENCE
        self._factor.assign(tf.where(finite, tf.where(grows, self._factor * 2, self._factor), self._factor / 2))
        self._steps.assign(tf.where(grows, 0, self._steps))
        tf.cond(finite, lambda: _updated(update, unscaled), lambda: False)


def _updated(update: Callable[[Sequence[Any]], None], gradients: Sequence[Any]) -> bool:
    update(gradients)
    return True
