"""The `model` section: architectures with their layers, heads and initial weights.

To add an architecture, write a subclass of `Architecture` with its keys and its `layers`, and add it to `Model`.
"""

from abc import abstractmethod
from typing import Annotated, Literal, Protocol, TypeAlias, TypeVar

from pydantic import BeforeValidator, Discriminator, Field, Tag

from lossbench.config.section import BelowOne, Choice, Fraction, Increasing, Lax, Positive, Section, listed

Layer = TypeVar("Layer")
Layer_co = TypeVar("Layer_co", covariant=True)


class LayerFactory(Protocol[Layer_co]):
    """The layers that an architecture can have; `models.layers` makes them in Keras, `models.shapes` counts them."""

    def flatten(self) -> Layer_co:
        """Return a layer that turns images into vectors."""

    def relu(self) -> Layer_co:
        """Return a layer that computes max(0, x)."""

    def max_pool(self) -> Layer_co:
        """Return a layer that keeps the maximum of each 2×2 pixels."""

    def average_pool(self) -> Layer_co:
        """Return a layer that averages each 2×2 pixels."""

    def dense(self, units: int, activation: str | None = None) -> Layer_co:
        """Return a fully connected layer."""

    def convolution(self, filters: int, size: int, activation: str | None = None, padding: str = "valid") -> Layer_co:
        """Return a 2-D convolution of `size`×`size` with stride 1."""

    def batch_norm(self) -> Layer_co:
        """Return a batch normalisation layer."""

    def dropout(self, rate: float) -> Layer_co:
        """Return a dropout layer."""


class LinearHead(Choice):
    """A dense layer."""

    name: Literal["linear"] = "linear"


class CosineHead(Choice):
    """Unit weights and unit features: scale · cos θ."""

    name: Literal["cosine"] = "cosine"
    scale: Positive = 30.0
    """Factor of cos θ."""


class AdaptiveHead(Choice):
    """Adaptive softmax (Grave 2017): frequent classes in a short list, the others in clusters of fewer dimensions."""

    name: Literal["adaptive"] = "adaptive"
    cutoffs: Increasing
    """Ranks at which clusters begin: [4, 7] is the 4 most frequent classes, the next 3, and the rest."""


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
    """One initializer for convolutions, one for dense layers, one for biases."""

    convolution: Distribution | None = None
    """For convolutions; null: Keras' default."""
    dense: Distribution | None = None
    """For dense layers; null: Keras' default."""
    bias: Literal["zeros", "fan_in_uniform"] = "zeros"
    """Biases: zeros, or fan_in_uniform: U(±1/√inputs), PyTorch's default."""


def _by_layer(value: object) -> str:
    split = isinstance(value, ByLayer) or (isinstance(value, dict) and bool(ByLayer.model_fields.keys() & value.keys()))
    return "1" if split else "0"


def _with_bias(value: object) -> object:
    """Return `{name: …, bias: …}` as one initializer per kind of layer, and the default written out as null."""
    if value == {"bias": "zeros"}:
        return None
    if isinstance(value, dict) and {"name", "bias"} <= value.keys():
        kernels = {key: item for key, item in value.items() if key != "bias"}
        return {"convolution": kernels, "dense": kernels, "bias": value["bias"]}
    return value


Initializer: TypeAlias = Annotated[
    Annotated[Distribution, Tag("0")] | Annotated[ByLayer, Tag("1")], Discriminator(_by_layer)
]


class BatchNorm(Section):
    """Constants of batch normalisation."""

    momentum: Fraction = 0.9
    """Share of the moving mean and variance that is kept."""
    epsilon: Positive = 1e-5
    """Added to the variance."""


class Architecture(Choice):
    """Keys that all models have."""

    head: Head = Field(LinearHead(), description=f"The last layer: {listed(Head)}")
    initializer: Annotated[Initializer | None, BeforeValidator(_with_bias)] = None
    """Initial weights, e.g. he_normal; null: Keras' default."""
    batch_norm: BatchNorm = BatchNorm()
    """Constants of batch normalisation, if the model has it."""

    @abstractmethod
    def layers(self, make: LayerFactory[Layer]) -> list[Layer]:
        """List the layers from the images up to the head.

        Args:
            make: Makes each layer, in order.
        """


class Linear(Architecture):
    """Softmax regression: the head alone."""

    name: Literal["linear"] = "linear"

    def layers(self, make: LayerFactory[Layer]) -> list[Layer]:
        """List no layers but the one that flattens the images."""
        return [make.flatten()]


class Mlp(Architecture):
    """Dense layers with ReLU and dropout."""

    name: Literal["mlp"] = "mlp"
    hidden: Annotated[tuple[Annotated[int, Field(ge=1, le=65536)], ...], Lax, Field(min_length=1, max_length=64)] = (
        256,
    )
    """Units of each hidden layer."""
    dropout: BelowOne = 0.2
    """Share of units dropped while training."""
    features: Annotated[int, Field(ge=1, le=65536)] | None = None
    """Units of a linear layer before the head, e.g. 2; null: no layer."""

    def layers(self, make: LayerFactory[Layer]) -> list[Layer]:
        """List dense layers with ReLU, each followed by dropout, then the layer of features."""
        hidden = [layer for units in self.hidden for layer in (make.dense(units, "relu"), make.dropout(self.dropout))]
        features = [] if self.features is None else [make.dense(self.features)]
        return [make.flatten(), *hidden, *features]


class Cnn(Architecture):
    """Convolutions of 32 and 64 filters, max-pooling, dropout."""

    name: Literal["cnn"] = "cnn"
    dropout: BelowOne = 0.5
    """Share of units dropped while training."""

    def layers(self, make: LayerFactory[Layer]) -> list[Layer]:
        """List two 3×3 convolutions with ReLU, each followed by max-pooling, then dropout."""
        return [
            make.convolution(32, 3, "relu"),
            make.max_pool(),
            make.convolution(64, 3, "relu"),
            make.max_pool(),
            make.flatten(),
            make.dropout(self.dropout),
        ]


class CnnBn(Architecture):
    """Convolutions of 32 and 64 filters and a dense layer of 128, each with batch normalisation."""

    name: Literal["cnn_bn"] = "cnn_bn"

    def layers(self, make: LayerFactory[Layer]) -> list[Layer]:
        """List two padded 3×3 convolutions and a dense layer, all with batch normalisation and ReLU."""
        blocks = [
            layer
            for filters in (32, 64)
            for layer in (
                make.convolution(filters, 3, padding="same"),
                make.batch_norm(),
                make.relu(),
                make.max_pool(),
            )
        ]
        return [*blocks, make.flatten(), make.dense(128), make.batch_norm(), make.relu()]


class Lenet5(Architecture):
    """LeNet-5 with ReLU and average pooling.

    Source: LeCun et al. (1998). Gradient-based learning applied to document recognition. doi:10.1109/5.726791
    (there with tanh and an RBF output).
    """

    name: Literal["lenet5"] = "lenet5"

    def layers(self, make: LayerFactory[Layer]) -> list[Layer]:
        """List convolutions of 6 and 16 filters of 5×5, average-pooled, then dense layers of 120 and 84 units."""
        return [
            make.convolution(6, 5, "relu", padding="same"),
            make.average_pool(),
            make.convolution(16, 5, "relu"),
            make.average_pool(),
            make.flatten(),
            make.dense(120, "relu"),
            make.dense(84, "relu"),
        ]


Model: TypeAlias = Annotated[Linear | Mlp | Cnn | CnnBn | Lenet5, Field(discriminator="name")]
