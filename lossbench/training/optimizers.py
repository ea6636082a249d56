"""Optimisers: TensorFlow's fused update rules with clipping and weight decay.

To add an optimiser, write its section in `config.optimizer` and its rule here: a function and a case of `_rule`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, assert_never

from lossbench.config.optimizer import Adagrad, Adam, Rmsprop, Sgd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lossbench.config import optimizer as sections

    Apply: TypeAlias = Callable[[Any, list[Any], Any], None]
    """Updates one variable: its handle, the handles of its slots, its gradient."""

BIASES = frozenset({"bias", "gamma", "beta"})
"""Variables that `exclude_bias` leaves alone: biases, and batch normalisation's scale and shift."""


class Rule(NamedTuple):
    """Update rule of one variable, in one pass over its memory.

    Attributes:
        prepare: From the number of the step, counted from 1, and the learning rate to the update.
        slots: How many numbers the rule keeps per weight.
        start: Their value before the first step.
    """

    prepare: Callable[[Any, Any], Apply]
    slots: int
    start: float = 0.0


class Optimizer:
    """An optimiser that updates variables in place; its state is in `variables`."""

    def __init__(self, section: sections.Optimizer, trainable: Sequence[Any]) -> None:
        import tensorflow as tf

        self._section = section
        self._trainable = [variable.value for variable in trainable]
        self._decays = [not (section.exclude_bias and variable.name in BIASES) for variable in trainable]
        self._rule = _rule(section)
        self._slots = [
            [tf.Variable(tf.fill(variable.shape, self._rule.start), trainable=False) for _ in range(self._rule.slots)]
            for variable in trainable
        ]
        self._steps = tf.Variable(0.0, trainable=False)

    @property
    def variables(self) -> list[Any]:
        """State for a checkpoint: the number of steps and the slots."""
        return [self._steps, *(slot for slots in self._slots for slot in slots)]

    def update(self, gradients: Sequence[Any], learning_rate: Any) -> None:
        """Take one step: clip by global norm, add coupled decay or shrink by decoupled decay, apply the rule.

        Args:
            gradients: One per trainable variable, in their order.
            learning_rate: Scalar tensor.
        """
        import tensorflow as tf

        decay = self._section.weight_decay
        if self._section.clip_norm is not None:
            gradients, _ = tf.clip_by_global_norm(gradients, self._section.clip_norm)
        if decay and not self._section.decoupled:
            gradients = [
                gradient + decay * variable if decays else gradient
                for gradient, variable, decays in zip(gradients, self._trainable, self._decays, strict=True)
            ]
        if decay and self._section.decoupled:
            for variable, decays in zip(self._trainable, self._decays, strict=True):
                if decays:
                    variable.assign(variable * (1 - learning_rate * decay))
        apply = self._rule.prepare(self._steps.assign_add(1.0), learning_rate)
        for variable, slots, gradient in zip(self._trainable, self._slots, gradients, strict=True):
            apply(variable.handle, [slot.handle for slot in slots], gradient)


def _rule(section: sections.Optimizer) -> Rule:
    match section:
        case Adam():
            return Rule(partial(_adam, section), slots=2)
        case Sgd(momentum=0.0):
            return Rule(_gradient_descent, slots=0)
        case Sgd():
            return Rule(partial(_momentum, section), slots=1)
        case Rmsprop():
            return Rule(partial(_rmsprop, section), slots=2)
        case Adagrad():
            return Rule(partial(_adagrad, section), slots=1, start=section.initial_accumulator)
        case never:
            assert_never(never)


def _adam(section: Adam, step: Any, learning_rate: Any) -> Apply:
    from tensorflow import raw_ops

    rates = {"lr": learning_rate, "beta1": section.beta_1, "beta2": section.beta_2, "epsilon": section.epsilon}
    powers = {"beta1_power": section.beta_1**step, "beta2_power": section.beta_2**step}
    return lambda variable, slots, gradient: raw_ops.ResourceApplyAdam(
        var=variable, m=slots[0], v=slots[1], grad=gradient, **rates, **powers
    )


def _gradient_descent(_: Any, learning_rate: Any) -> Apply:
    from tensorflow import raw_ops

    return lambda variable, _, gradient: raw_ops.ResourceApplyGradientDescent(
        var=variable, alpha=learning_rate, delta=gradient
    )


def _momentum(section: Sgd, _: Any, learning_rate: Any) -> Apply:
    from tensorflow import raw_ops

    rates = {"lr": learning_rate, "momentum": section.momentum, "use_nesterov": section.nesterov}
    return lambda variable, slots, gradient: raw_ops.ResourceApplyKerasMomentum(
        var=variable, accum=slots[0], grad=gradient, **rates
    )


def _rmsprop(section: Rmsprop, _: Any, learning_rate: Any) -> Apply:
    from tensorflow import raw_ops

    rates = {"lr": learning_rate, "rho": section.rho, "momentum": section.momentum, "epsilon": section.epsilon}
    return lambda variable, slots, gradient: raw_ops.ResourceApplyRMSProp(
        var=variable, ms=slots[0], mom=slots[1], grad=gradient, **rates
    )


def _adagrad(section: Adagrad, _: Any, learning_rate: Any) -> Apply:
    from tensorflow import raw_ops

    return lambda variable, slots, gradient: raw_ops.ResourceApplyAdagradV2(
        var=variable, accum=slots[0], lr=learning_rate, epsilon=section.epsilon, grad=gradient
    )
