"""Optimisers: TensorFlow's fused update rules, and around them clipping and weight decay as configured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lossbench.config import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BIASES = frozenset({"bias", "gamma", "beta"})
"""Variables that `exclude_bias` leaves alone: biases, and batch normalisation's scale and shift."""


class Optimizer:
    """Updates variables in place; its state is in `variables`."""

    def __init__(self, section: schema.Optimizer, trainable: Sequence[Any]) -> None:
        import tensorflow as tf

        self._section = section
        self._trainable = [variable.value for variable in trainable]
        self._decays = [not (section.exclude_bias and variable.name in BIASES) for variable in trainable]
        begin = getattr(section, "initial_accumulator", 0.0)
        self._slots = [
            [tf.Variable(tf.fill(variable.shape, begin), trainable=False) for _ in range(_slots(section))]
            for variable in trainable
        ]
        self._steps = tf.Variable(0.0, trainable=False)

    @property
    def variables(self) -> list[Any]:
        """Everything that a checkpoint needs: the moments and the number of steps."""
        return [self._steps, *(slot for slots in self._slots for slot in slots)]

    def update(self, gradients: Sequence[Any], learning_rate: Any) -> None:
        """One step: clip by global norm, add coupled decay or shrink by decoupled decay, apply the rule."""
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
        apply = self._rule(self._steps.assign_add(1.0), learning_rate)
        for variable, slots, gradient in zip(self._trainable, self._slots, gradients, strict=True):
            apply(variable.handle, [slot.handle for slot in slots], gradient)

    def _rule(self, step: Any, learning_rate: Any) -> Callable[[Any, list[Any], Any], None]:
        """The update of one variable, in one pass over its memory; `step` counts from 1."""
        from tensorflow import raw_ops as fused

        match self._section:
            case schema.Adam(beta_1=beta_1, beta_2=beta_2, epsilon=epsilon):
                rates = {"lr": learning_rate, "beta1": beta_1, "beta2": beta_2, "epsilon": epsilon}
                powers = {"beta1_power": beta_1**step, "beta2_power": beta_2**step}
                return lambda variable, slots, gradient: fused.ResourceApplyAdam(
                    var=variable, m=slots[0], v=slots[1], grad=gradient, **rates, **powers
                )
            case schema.Sgd(momentum=0.0):
                return lambda variable, _, gradient: fused.ResourceApplyGradientDescent(
                    var=variable, alpha=learning_rate, delta=gradient
                )
            case schema.Sgd(momentum=momentum, nesterov=nesterov):
                return lambda variable, slots, gradient: fused.ResourceApplyKerasMomentum(
                    var=variable,
                    accum=slots[0],
                    lr=learning_rate,
                    grad=gradient,
                    momentum=momentum,
                    use_nesterov=nesterov,
                )
            case schema.Rmsprop(rho=rho, momentum=momentum, epsilon=epsilon):
                return lambda variable, slots, gradient: fused.ResourceApplyRMSProp(
                    var=variable,
                    ms=slots[0],
                    mom=slots[1],
                    lr=learning_rate,
                    rho=rho,
                    momentum=momentum,
                    epsilon=epsilon,
                    grad=gradient,
                )
            case schema.Adagrad(epsilon=epsilon):
                return lambda variable, slots, gradient: fused.ResourceApplyAdagradV2(
                    var=variable, accum=slots[0], lr=learning_rate, epsilon=epsilon, grad=gradient
                )


def _slots(section: schema.Optimizer) -> int:
    """How many numbers the rule keeps of each weight."""
    match section:
        case schema.Adam() | schema.Rmsprop():
            return 2
        case schema.Sgd(momentum=0.0):
            return 0
        case _:
            return 1
