"""The section `model`: an architecture, its last layer and its initial weights."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag

from lossbench.config.section import BelowOne, Choice, Fraction, Increasing, Lax, Positive, Section

PIXELS = 28 * 28
"""Of an image, unless the user's own have another size."""


class LinearHead(Choice):
    """A dense layer."""

    name: Literal["linear"] = "linear"


class CosineHead(Choice):
    """Unit weights and unit features: scale · cos θ."""

    name: Literal["cosine"] = "cosine"
    scale: Positive = 30.0
    """The factor before cos θ."""


class AdaptiveHead(Choice):
    """Adaptive softmax (Grave 2017): frequent classes in a short list, the others in clusters of fewer dimensions."""

    name: Literal["adaptive"] = "adaptive"
    cutoffs: Increasing
    """The ranks at which clusters begin: [4, 7] is the 4 classes of most training images, the next 3, and the rest."""


Head: TypeAlias = Annotated[LinearHead | CosineHead | AdaptiveHead, Field(discriminator="name")]


class Scaled(Choice):
    """An initializer whose scale follows from the layer's shape."""

    name: Literal[
        "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal", "orthogonal"
    ]


class TruncatedNormal(Choice):
    """A normal distribution, redrawn beyond a limit."""

    name: Literal["truncated_normal"] = "truncated_normal"
    stddev: Positive = 0.05
    """Standard deviation before truncation."""
    limit: Positive | None = None
    """Largest absolute value; null: two standard deviations."""


class RandomNormal(Choice):
    """A normal distribution."""

    name: Literal["random_normal"] = "random_normal"
    stddev: Positive = 0.05
    """Standard deviation."""


class RandomUniform(Choice):
    """A uniform distribution."""

    name: Literal["random_uniform"] = "random_uniform"
    limit: Positive = 0.05
    """Largest absolute value."""


Distribution: TypeAlias = Annotated[
    Scaled | TruncatedNormal | RandomNormal | RandomUniform, Field(discriminator="name")
]


class ByLayer(Section):
    """One initializer for convolutions, one for dense layers."""

    convolution: Distribution | None = None
    """Of convolutional layers; null: Keras' default."""
    dense: Distribution | None = None
    """Of dense layers; null: Keras' default."""


def _by_layer(value: object) -> str:
    split = isinstance(value, ByLayer) or (isinstance(value, dict) and bool({"convolution", "dense"} & value.keys()))
    return "1" if split else "0"


Initializer: TypeAlias = Annotated[
    Annotated[Distribution, Tag("0")] | Annotated[ByLayer, Tag("1")], Discriminator(_by_layer)
]


class BatchNorm(Section):
    """Batch normalisation's constants."""

    momentum: Fraction = 0.9
    """How much of the moving mean and variance is kept."""
    epsilon: Positive = 1e-5
    """Added to the variance."""


class Architecture(Choice):
    """What all models have."""

    head: Head = LinearHead()
    """The last layer: linear, cosine or adaptive."""
    initializer: Initializer | None = None
    """Initial weights, such as he_normal; null: Keras' default."""
    batch_norm: BatchNorm = BatchNorm()
    """Batch normalisation, where the model has it."""


class Linear(Architecture):
    """The head alone: logistic regression."""

    name: Literal["linear"] = "linear"


class Mlp(Architecture):
    """Dense layers with ReLU and dropout."""

    name: Literal["mlp"] = "mlp"
    hidden: Annotated[tuple[Annotated[int, Field(ge=1, le=65536)], ...], Lax, Field(min_length=1, max_length=64)] = (
        256,
    )
    """Units of each hidden layer."""
    dropout: BelowOne = 0.2
    """Share of units dropped while training."""


class Cnn(Architecture):
    """Convolutions of 32 and 64 filters, max-pooling, dropout."""

    name: Literal["cnn"] = "cnn"
    dropout: BelowOne = 0.5
    """Share of units dropped while training."""


class CnnBn(Architecture):
    """Convolutions of 32 and 64 filters and a dense layer of 128, each with batch normalisation."""

    name: Literal["cnn_bn"] = "cnn_bn"


class Lenet5(Architecture):
    """LeNet-5 with ReLU and average pooling."""

    name: Literal["lenet5"] = "lenet5"


Model: TypeAlias = Annotated[Linear | Mlp | Cnn | CnnBn | Lenet5, Field(discriminator="name")]
