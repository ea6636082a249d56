"""Every key of an experiment, with its type, range and default; the docstring below a key is its description.

Attribute names are the YAML keys. The records are frozen and strict: `5.0` is no whole number, `1` is no boolean.
"""

import re
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, get_args

from pydantic import AfterValidator, Field, InstanceOf

from lossbench.config.data import Data, Imbalance, LabelNoise, MeanStd, Normalize
from lossbench.config.model import (
    AdaptiveHead,
    Architecture,
    BatchNorm,
    ByLayer,
    Cnn,
    CnnBn,
    CosineHead,
    Distribution,
    Head,
    Initializer,
    Lenet5,
    Linear,
    LinearHead,
    Mlp,
    Model,
    RandomNormal,
    RandomUniform,
    Scaled,
    TruncatedNormal,
)
from lossbench.config.optimizer import (
    Adagrad,
    Adam,
    Constant,
    Cosine,
    Descent,
    Exponential,
    Optimizer,
    Piecewise,
    Rmsprop,
    Schedule,
    Sgd,
)
from lossbench.config.section import Choice, Count, NonNegative, Section, Seed, listed
from lossbench.config.sweep import Sweep
from lossbench.config.yaml import show
from lossbench.losses.expression import LossTerm, parse
from lossbench.metrics import BEST_EPOCH, VALIDATION_COLUMNS

__all__ = [
    "VALID_NAME",
    "Adagrad",
    "Adam",
    "AdaptiveHead",
    "Architecture",
    "BatchNorm",
    "ByLayer",
    "Choice",
    "Cnn",
    "CnnBn",
    "Constant",
    "Cosine",
    "CosineHead",
    "Data",
    "Descent",
    "Distribution",
    "EarlyStopping",
    "Experiment",
    "Exponential",
    "Head",
    "Imbalance",
    "Initializer",
    "LabelNoise",
    "Lenet5",
    "Linear",
    "LinearHead",
    "Log",
    "MeanStd",
    "Mlp",
    "Model",
    "Normalize",
    "Optimizer",
    "Piecewise",
    "RandomNormal",
    "RandomUniform",
    "Regularization",
    "Rmsprop",
    "Scaled",
    "Schedule",
    "Section",
    "Sgd",
    "Train",
    "TruncatedNormal",
    "valid_name",
]

if TYPE_CHECKING:
    MonitoredColumn: TypeAlias = str  # mypy takes literals only where they are written out
else:
    MonitoredColumn = Literal[VALIDATION_COLUMNS]

VALID_NAME = r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"
RESERVED_ON_WINDOWS = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def valid_name(name: str) -> str:
    """Return `name` if every file system takes it as a folder's name; raise ValueError with the reason otherwise."""
    if not re.fullmatch(VALID_NAME, name) or "\n" in name:
        raise ValueError(f"expected 1 to 64 letters, digits, '.', '_' or '-', not starting with '.', got {show(name)}")
    if RESERVED_ON_WINDOWS.fullmatch(name):
        raise ValueError(f"{show(name)} is reserved on Windows; choose another name")
    return name


class Regularization(Section):
    """Added to the objective: l1 · Σ|w| + l2 · Σw²."""

    l1: NonNegative = 0.0
    """Factor of the sum of absolute weights."""
    l2: NonNegative = 0.0
    """Factor of the sum of squared weights."""
    include_bias: bool = False
    """Biases too."""


class EarlyStopping(Section):
    """Stop when the validation measure no longer improves."""

    monitor: MonitoredColumn = f"val_{BEST_EPOCH[0]}"
    """The column of metrics.csv to watch."""
    patience: Count = 3
    """Epochs without improvement before stopping."""


Precision: TypeAlias = Literal["float32", "mixed_bfloat16", "mixed_float16"]


class Train(Section):
    """How long, and in which way."""

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 5
    """Passes over the training images."""
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)] = 64
    """Images a step."""
    drop_remainder: bool = False
    """Leave out the last, smaller batch of an epoch."""
    precision: Precision = Field("float32", description=f"{', '.join(get_args(Precision))}.")
    early_stopping: EarlyStopping | None = None
    """Such as {monitor: val_accuracy, patience: 3}."""
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    """CPU threads; null: chosen for the model, and recorded."""
    deterministic: bool = False
    """Deterministic kernels on a GPU; the CPU is so anyway."""
    save_weights: bool = False
    """Keep the trained weights in the run folder."""


class Log(Section):
    """What else is written."""

    tensorboard: bool = False
    """TensorBoard events, in the run folder."""


class Experiment(Section):
    """One run: a loss, the data, the model and how it is trained."""

    name: Annotated[str, AfterValidator(valid_name)] = "experiment"
    """Groups runs under runs/<name>/; the file's stem if left out."""
    seed: Seed = 0
    """Same seed: same split, initial weights and batches."""
    loss: Annotated[tuple[InstanceOf[LossTerm], ...], Field(min_length=1)] = Field(
        default_factory=lambda: parse("categorical_crossentropy")
    )
    """A name, {name, hyperparameters}, or a weighted list of these."""
    data: Data = Data()
    """Which images, and in which condition."""
    model: Model = Field(Mlp(), description=listed(Model))
    optimizer: Optimizer = Field(Adam(), description=listed(Optimizer))
    regularization: Regularization = Regularization()
    """Added to the objective, in a column of its own."""
    train: Train = Train()
    """How long, and in which way."""
    log: Log = Log()
    """What else is written."""
    sweep: Sweep | None = None
    """Such as {cases: [{loss: ce}, {loss: gce}], seeds: 0-9}."""
