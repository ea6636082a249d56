"""Sections of an experiment: keys with type, range and default; the docstring below a key is its help text.

Attribute names are the YAML keys. The records are frozen and strict: `5.0` is no whole number, `1` is no boolean.
"""

import re
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, get_args

from pydantic import AfterValidator, Field, InstanceOf

from lossbench.config.data import Data
from lossbench.config.model import Mlp, Model
from lossbench.config.optimizer import Adam, Optimizer
from lossbench.config.section import Count, NonNegative, Section, Seed, listed
from lossbench.config.sweep import Sweep
from lossbench.config.yaml import show
from lossbench.losses.expression import LossTerm, default_terms
from lossbench.metrics import BEST_EPOCH, VALIDATION_COLUMNS

if TYPE_CHECKING:
    MonitoredColumn: TypeAlias = str  # mypy takes literals only where they are written out
else:
    MonitoredColumn = Literal[VALIDATION_COLUMNS]

VALID_NAME = r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"
RESERVED_ON_WINDOWS = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def valid_name(name: str) -> str:
    """Return `name` if every file system accepts it as the name of a folder.

    Raises:
        ValueError: It is not such a name; the message says why.
    """
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
    """Regularize biases too."""


class EarlyStopping(Section):
    """Stop when the validation measure no longer improves."""

    monitor: MonitoredColumn = f"val_{BEST_EPOCH[0]}"
    """Column of metrics.csv to watch."""
    patience: Count = 3
    """Epochs without improvement before stopping."""


Precision: TypeAlias = Literal["float32", "mixed_bfloat16", "mixed_float16"]


class Train(Section):
    """Length, batches, precision and threads of the training."""

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 5
    """Passes over the training images."""
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)] = 64
    """Images per step."""
    drop_remainder: bool = False
    """Leave out the last, smaller batch of an epoch."""
    precision: Precision = Field("float32", description=f"{', '.join(get_args(Precision))}.")
    early_stopping: EarlyStopping | None = None
    """Stop early, e.g. {monitor: val_accuracy, patience: 3}."""
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    """CPU threads; null: chosen for the model."""
    deterministic: bool = False
    """Use deterministic kernels on a GPU; on a CPU they always are."""
    save_weights: bool = False
    """Keep the trained weights in the run folder."""


class Log(Section):
    """Optional output."""

    tensorboard: bool = False
    """Write TensorBoard events to the run folder."""


class Experiment(Section):
    """One run: a loss, the data, the model and how it is trained."""

    name: Annotated[str, AfterValidator(valid_name)] = "experiment"
    """Runs are written to runs/<name>/; default: the file's stem."""
    seed: Seed = 0
    """Same seed: same split, initial weights and batches."""
    loss: Annotated[tuple[InstanceOf[LossTerm], ...], Field(min_length=1)] = Field(default_factory=default_terms)
    """A name, {name, hyperparameters}, or a weighted list of these."""
    data: Data = Data()
    """Data set, split, label noise, imbalance."""
    model: Model = Field(Mlp(), description=listed(Model))
    optimizer: Optimizer = Field(Adam(), description=listed(Optimizer))
    regularization: Regularization = Regularization()
    """Penalty on the weights, with its own column in metrics.csv."""
    train: Train = Train()
    """Length, batches, precision and threads of the training."""
    log: Log = Log()
    """Optional output."""
    sweep: Sweep | None = None
    """Runs, e.g. {cases: [{loss: ce}, {loss: gce}], seeds: 0-9}."""
