"""The section `data`: which images, and in which condition."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, Discriminator, Field, Tag

from lossbench.config.datasets import DATASETS, OWN_FILES
from lossbench.config.section import Count, Fraction, Index, Lax, Positive, Section, Seed


def _distinct(values: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(values)) < len(values):
        raise ValueError("the same number stands twice; write each once")
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
    """What the difference is divided by."""


class LabelNoise(Section):
    """Wrong training labels, made by rule and by seed; the true ones are kept aside."""

    type: Literal["symmetric", "symmetric_exact", "asymmetric", "pair", "matrix"] = "symmetric"
    """How labels go wrong."""
    rate: Fraction | None = None
    """Share of labels that are redrawn."""
    include_self: bool = False
    """Symmetric: a redrawn label may be the true one."""
    matrix: Annotated[tuple[Annotated[tuple[Fraction, ...], Lax], ...], Lax, Field(min_length=2)] | None = None
    """With type matrix: row i holds P(label j | true class i)."""
    seed: Seed | None = None
    """Seed of the noise alone; null: the run's."""
    clean_validation: bool = False
    """Leave the validation labels as they are."""


class Imbalance(Section):
    """Fewer training images of some classes; the test set stays whole."""

    type: Literal["exponential", "step", "counts"]
    """How class sizes fall."""
    ratio: Annotated[float, Field(ge=1)] | None = None
    """Largest class size over smallest."""
    minority_classes: Annotated[tuple[Index, ...], Lax, Field(min_length=1), AfterValidator(_distinct)] | None = None
    """Step: the small classes; null: the second half."""
    counts: Annotated[tuple[Count, ...], Lax, Field(min_length=2)] | None = None
    """Training images of each class."""


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
    """Which images, and in which condition."""

    name: DatasetName = Field("mnist", description=f"{', '.join(DATASETS)}; {OWN_FILES}: your files.")
    path: Annotated[Path, Lax, AfterValidator(_printable)] | None = None
    """A folder of four IDX files, gzipped or raw."""
    classes: Annotated[tuple[Index, ...], Lax, Field(min_length=2), AfterValidator(_distinct)] | None = None
    """Only these classes, relabelled from 0, such as [3, 8]."""
    train_size: Count | None = None
    """A stratified subset of the training images."""
    validation_size: Index = 5000
    """Images taken from the training set; 0: none."""
    normalize: Normalize = "unit"
    """Inputs: unit [0, 1], standard, none, or {mean, std}."""
    label_noise: LabelNoise | None = None
    """Wrong labels, such as {type: symmetric, rate: 0.4}."""
    imbalance: Imbalance | None = None
    """Rare classes, such as {type: step, ratio: 100}."""
