"""Optimisers: Keras' update rules, and around them clipping and weight decay as the configuration defines them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lossbench.config import schema

if TYPE_CHECKING:
    from collections.abc import Sequence

BIASES = frozenset({"bias", "gamma", "beta"})
"""Variables that `exclude_bias` leaves alone: biases, and batch normalisation's scale and shift."""


def rule(section: schema.Optimizer) -> Any:
    """The Keras optimiser of a configuration, without decay and clipping."""
    from keras import optimizers

    match section:
        case schema.Adam(beta_1=beta_1, beta_2=beta_2, epsilon=epsilon):
            return optimizers.Adam(beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
        case schema.Sgd(momentum=momentum, nesterov=nesterov):
            return optimizers.SGD(momentum=momentum, nesterov=nesterov)
        case schema.Rmsprop(rho=rho, momentum=momentum, epsilon=epsilon):
            return optimizers.RMSprop(rho=rho, momentum=momentum, epsilon=epsilon)
        case schema.Adagrad(initial_accumulator=start, epsilon=epsilon):
            return optimizers.Adagrad(initial_accumulator_value=start, epsilon=epsilon)


class Optimizer:
    """Updates variables in place; its state is in `variables`."""

    def __init__(self, section: schema.Optimizer, trainable: Sequence[Any]) -> None:
        self._section = section
        self._trainable = list(trainable)
        self._decays = [not (section.exclude_bias and variable.name in BIASES) for variable in trainable]
        self._rule = rule(section)
        self._rule.build(self._trainable)

    @property
    def variables(self) -> list[Any]:
        """Everything that a checkpoint needs: moments, the step counter, the learning rate."""
        return list(self._rule.variables)

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
        self._rule.learning_rate.assign(learning_rate)
        self._rule.apply(gradients, self._trainable)
