"""All that a report page shows beside a comparison: what its runs kept, image by image, and each run's own words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from lossbench.analysis import images
from lossbench.analysis.figure_data import read_figures
from lossbench.errors import LossbenchError
from lossbench.runs import paths, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lossbench.analysis.figure_data import FigureData
    from lossbench.analysis.images import ImageComparison
    from lossbench.analysis.query import Answer
    from lossbench.analysis.result import Block, Comparison, Group
    from lossbench.runs.index import BrokenRun
    from lossbench.runs.rows import RunRow

Look: TypeAlias = "Callable[[Path], NDArray[np.uint8]]"
"""Gives the test images `[n, height, width]` of the run in a folder, or raises a `LossbenchError`."""


@dataclass(frozen=True)
class DigitData:
    """A loss against the baseline, image by image.

    Attributes:
        label: The loss.
        pair: The images that one gets right and the other wrong; None where predictions are missing.
        test: The test images; None where they are not at hand.
        missing: Why one of these is None; empty if none is.
    """

    label: str
    pair: ImageComparison | None = None
    test: NDArray[np.uint8] | None = None
    missing: str = ""


@dataclass(frozen=True)
class RunFiles:
    """What one run says of itself.

    Attributes:
        row: The run in short.
        config: `config.yaml`, as it is written.
        summary: `run.json`; empty where it cannot be read.
        log: The end of `log.txt`; empty where there is none.
    """

    row: RunRow
    config: str
    summary: Mapping[str, Any]
    log: str


@dataclass(frozen=True)
class PageData:
    """What a page shows.

    Attributes:
        comparison: What was compared.
        figures: For each of its blocks, what the runs kept.
        digits: For each of its blocks, each loss against the baseline; empty without a baseline.
        runs: Every run selected, completed or not.
        broken: The folders that could not be read, whose runs are not counted.
        unread: The files of counted runs that could not be read, which are not drawn.
    """

    comparison: Comparison
    figures: Sequence[FigureData]
    digits: Sequence[Sequence[DigitData]]
    runs: Sequence[RunFiles]
    broken: Sequence[BrokenRun]
    unread: Sequence[BrokenRun]


def read_page(answer: Answer, look: Look) -> PageData:
    """Read what the runs of a comparison kept; a file that cannot be read is left out and named."""
    comparison = answer.comparison
    found, unread = read_figures(comparison)
    return PageData(
        comparison=comparison,
        figures=found,
        digits=[list(_digits(comparison, block, look)) for block in comparison.blocks],
        runs=[_told(row) for row in answer.rows],
        broken=answer.broken,
        unread=unread,
    )


def _digits(comparison: Comparison, block: Block, look: Look) -> Iterator[DigitData]:
    if comparison.baseline is None or comparison.baseline_is_file:
        return
    for group in block.groups:
        alone = replace(comparison, blocks=(replace(block, groups=(group,)),))
        try:
            for pair in images.compare_images(alone):
                yield _seen(group, pair, look)
        except LossbenchError as error:
            yield DigitData(group.label, missing=str(error).removeprefix("images: "))


def _seen(group: Group, pair: ImageComparison, look: Look) -> DigitData:
    """A pair with its test images, if they are at hand."""
    try:
        test = look(Path(group.folders[pair.seeds[0]][0]))
    except LossbenchError as error:
        return DigitData(group.label, pair, missing=str(error))
    if len(test) != pair.images:
        return DigitData(group.label, pair, missing=f"expected {pair.images} test images, got {len(test)}")
    return DigitData(group.label, pair, test)


def _told(row: RunRow) -> RunFiles:
    folder = Path(str(row["folder"]))
    try:
        config = read.text(folder / paths.CONFIG, read.CONFIG_BYTES)
        return RunFiles(row, config, read.read_summary(folder), read.log(folder))
    except read.BrokenRunError as error:
        return RunFiles(row, "", {}, str(error))
