"""The `optimizer` section: an update rule, a learning rate schedule, weight decay and clipping.

To add an optimiser, write a subclass of `Descent`, add it to `Optimizer`, and write its rule in `training.optimizers`.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from lossbench.config.section import BelowOne, Choice, Count, Increasing, Index, NonNegative, Positive, listed


class Constant(Choice):
    """Constant learning rate."""

    name: Literal["constant"] = "constant"


class Cosine(Choice):
    """Half a cosine from the learning rate down to `end`."""

    name: Literal["cosine"] = "cosine"
    end: NonNegative = 0.0
    """Final learning rate."""
    warmup: Index = 0
    """Epochs or steps of linear warm-up from 0."""
    per: Literal["epoch", "step"] = "epoch"
    """How often the rate changes."""


class Exponential(Choice):
    """Multiplied by `rate` every `steps`, continuously."""

    name: Literal["exponential"] = "exponential"
    rate: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Decay factor."""
    steps: Count = 10000
    """Steps or epochs per decay by that factor."""
    per: Literal["epoch", "step"] = "step"
    """Unit of `steps`."""


class Piecewise(Choice):
    """Multiplied by `factor` at each boundary."""

    name: Literal["piecewise"] = "piecewise"
    boundaries: Increasing
    """Epochs or steps at which the rate falls, e.g. [30, 45]."""
    factor: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Factor at each boundary."""
    per: Literal["epoch", "step"] = "epoch"
    """Unit of `boundaries`."""


Schedule: TypeAlias = Annotated[Constant | Cosine | Exponential | Piecewise, Field(discriminator="name")]


class Descent(Choice):
    """Keys that all optimisers have."""

    learning_rate: Positive = 0.001
    """Step size."""
    schedule: Schedule = Field(Constant(), description=listed(Schedule))
    weight_decay: NonNegative = 0.0
    """Factor of the weight decay."""
    decoupled: bool = True
    """true: as in AdamW; false: L2, added after clipping."""
    exclude_bias: bool = True
    """Do not decay biases and batch norm's γ and β."""
    clip_norm: Positive | None = None
    """Clip the gradient to this global norm."""


class Adam(Descent):
    """Adam (Kingma & Ba 2015)."""

    name: Literal["adam"] = "adam"
    beta_1: BelowOne = 0.9
    """Decay of the mean of gradients."""
    beta_2: BelowOne = 0.999
    """Decay of the mean of squared gradients."""
    epsilon: Positive = 1e-7
    """Added to the denominator."""


class Sgd(Descent):
    """Stochastic gradient descent."""

    name: Literal["sgd"] = "sgd"
    momentum: BelowOne = 0.0
    """Share of the previous step that is kept."""
    nesterov: bool = False
    """Use Nesterov's momentum."""


class Rmsprop(Descent):
    """RMSprop (Hinton 2012)."""

    name: Literal["rmsprop"] = "rmsprop"
    rho: BelowOne = 0.9
    """Decay of the mean of squared gradients."""
    momentum: BelowOne = 0.0
    """Share of the previous step that is kept."""
    epsilon: Positive = 1e-7
    """Added to the denominator."""


class Adagrad(Descent):
    """Adagrad (Duchi 2011)."""

    name: Literal["adagrad"] = "adagrad"
    initial_accumulator: NonNegative = 0.1
    """Initial sum of squared gradients."""
    epsilon: Positive = 1e-7
    """Added to the denominator."""


Optimizer: TypeAlias = Annotated[Adam | Sgd | Rmsprop | Adagrad, Field(discriminator="name")]
