"""The `data` section: data set, split, label noise and imbalance."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, Discriminator, Field, Tag

from lossbench.config.datasets import DATASETS, OWN_FILES
from lossbench.config.section import Count, Fraction, Index, Lax, Positive, Section, Seed


def _distinct(values: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(values)) < len(values):
        raise ValueError("a number is repeated; write each once")
    return values


def _printable(path: Path) -> Path:
    if not str(path).isprintable():
        raise ValueError("a path holds no control characters")
    return path


class MeanStd(Section):
    """Inputs become (x - mean) / std, with x in [0, 1]."""

    mean: float
    """Subtracted from pixels in [0, 1]."""
    std: Positive
    """Divisor of the difference."""


class LabelNoise(Section):
    """Random wrong labels; the true labels are kept for evaluation."""

    type: Literal["symmetric", "symmetric_exact", "asymmetric", "pair", "matrix"] = "symmetric"
    """Kind of noise."""
    rate: Fraction | None = None
    """Share of labels that are redrawn."""
    include_self: bool = False
    """Symmetric: a redrawn label may be the true one."""
    matrix: Annotated[tuple[Annotated[tuple[Fraction, ...], Lax], ...], Lax, Field(min_length=2)] | None = None
    """With type matrix: row i holds P(label j | true class i)."""
    seed: Seed | None = None
    """Seed of the noise; null: the seed of the run."""
    clean_validation: bool = False
    """Keep the validation labels clean."""


class Imbalance(Section):
    """Fewer training images in some classes; the test set is unchanged."""

    type: Literal["exponential", "step", "counts"]
    """Kind of imbalance."""
    ratio: Annotated[float, Field(ge=1)] | None = None
    """Largest class size divided by the smallest."""
    minority_classes: Annotated[tuple[Index, ...], Lax, Field(min_length=1), AfterValidator(_distinct)] | None = None
    """Step: the small classes; null: the second half."""
    counts: Annotated[tuple[Count, ...], Lax, Field(min_length=2)] | None = None
    """Training images per class."""


def _form(value: object) -> str:
    return "1" if isinstance(value, dict | BaseModel) else "0"


Normalize: TypeAlias = Annotated[
    Annotated[Literal["unit", "standard", "none"], Tag("0")] | Annotated[MeanStd, Tag("1")],
    Discriminator(_form),
]


if TYPE_CHECKING:
    DatasetName: TypeAlias = str
else:
    DatasetName = Literal[*DATASETS, OWN_FILES]


class Data(Section):
    """Data set, split, label noise and imbalance."""

    name: DatasetName = Field("mnist", description=f"{', '.join(DATASETS)}; {OWN_FILES}: your files.")
    path: Annotated[Path, Lax, AfterValidator(_printable)] | None = None
    """Folder of four IDX files, gzipped or raw; or an NPZ file."""
    classes: Annotated[tuple[Index, ...], Lax, Field(min_length=2), AfterValidator(_distinct)] | None = None
    """Only these classes, relabelled from 0 in this order, e.g. [3, 8]."""
    transpose: bool = False
    """Exchange rows and columns of the images, as EMNIST's files need."""
    train_size: Count | None = None
    """Size of a stratified training subset; null: all images."""
    validation_size: Index = 5000
    """Images taken from the training set; 0: none."""
    normalize: Normalize = "unit"
    """Inputs: unit [0, 1], standard, none, or {mean, std}."""
    label_noise: LabelNoise | None = None
    """Wrong labels, e.g. {type: symmetric, rate: 0.4}."""
    imbalance: Imbalance | None = None
    """Rare classes, e.g. {type: step, ratio: 100}."""
