"""The section `optimizer`: a method, its learning rate over time, and what pulls at the weights."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from lossbench.config.section import BelowOne, Choice, Count, Increasing, Index, NonNegative, Positive, listed


class Constant(Choice):
    """The learning rate as it is."""

    name: Literal["constant"] = "constant"


class Cosine(Choice):
    """Half a cosine from the learning rate down to `end`."""

    name: Literal["cosine"] = "cosine"
    end: NonNegative = 0.0
    """The last learning rate, absolute."""
    warmup: Index = 0
    """Epochs or steps of linear rise from 0."""
    per: Literal["epoch", "step"] = "epoch"
    """How often the rate changes."""


class Exponential(Choice):
    """Multiplied by `rate` every `steps`, continuously."""

    name: Literal["exponential"] = "exponential"
    rate: Annotated[float, Field(gt=0, le=1)] = 0.1
    """The factor."""
    steps: Count = 10000
    """After how many steps or epochs the factor is reached."""
    per: Literal["epoch", "step"] = "step"
    """The unit of `steps`."""


class Piecewise(Choice):
    """Multiplied by `factor` at each boundary."""

    name: Literal["piecewise"] = "piecewise"
    boundaries: Increasing
    """Epochs or steps at which the rate falls, such as [30, 45]."""
    factor: Annotated[float, Field(gt=0, le=1)] = 0.1
    """What the rate is multiplied by."""
    per: Literal["epoch", "step"] = "epoch"
    """The unit of `boundaries`."""


Schedule: TypeAlias = Annotated[Constant | Cosine | Exponential | Piecewise, Field(discriminator="name")]


class Descent(Choice):
    """What all optimisers have."""

    learning_rate: Positive = 0.001
    """The step size."""
    schedule: Schedule = Field(Constant(), description=listed(Schedule))
    weight_decay: NonNegative = 0.0
    """Pulls the weights towards 0."""
    decoupled: bool = True
    """true: as AdamW; false: coupled L2, added after clipping."""
    exclude_bias: bool = True
    """No decay on biases and batch-norm's γ and β."""
    clip_norm: Positive | None = None
    """Largest global norm of the gradient."""


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
    """Share of the last step that is kept."""
    nesterov: bool = False
    """Nesterov's momentum."""


class Rmsprop(Descent):
    """RMSprop (Hinton 2012)."""

    name: Literal["rmsprop"] = "rmsprop"
    rho: BelowOne = 0.9
    """Decay of the mean of squared gradients."""
    momentum: BelowOne = 0.0
    """Share of the last step that is kept."""
    epsilon: Positive = 1e-7
    """Added to the denominator."""


class Adagrad(Descent):
    """Adagrad (Duchi 2011)."""

    name: Literal["adagrad"] = "adagrad"
    initial_accumulator: NonNegative = 0.1
    """Where the sum of squared gradients starts."""
    epsilon: Positive = 1e-7
    """Added to the denominator."""


Optimizer: TypeAlias = Annotated[Adam | Sgd | Rmsprop | Adagrad, Field(discriminator="name")]
