"""Data of a report page: a comparison, the files of its runs, and its images."""

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
    from lossbench.analysis.gate_result import GateResult
    from lossbench.analysis.images import ImageComparison
    from lossbench.analysis.query import Answer
    from lossbench.analysis.result import Block, Comparison, Group
    from lossbench.runs.index import BrokenRun
    from lossbench.runs.rows import RunRow

Look: TypeAlias = "Callable[[Path], NDArray[np.uint8]]"
"""Returns the test images `[n, height, width]` of the run in a folder, or raises a `LossbenchError`."""


@dataclass(frozen=True)
class DigitData:
    """A loss compared with the baseline image by image.

    Attributes:
        label: The loss.
        pair: The images that one gets right and the other wrong; None where predictions are missing.
        test: The test images; None where they are not available.
        missing: Why one of these is None; empty if none is.
    """

    label: str
    pair: ImageComparison | None = None
    test: NDArray[np.uint8] | None = None
    missing: str = ""


@dataclass(frozen=True)
class RunFiles:
    """Contents of one run folder.

    Attributes:
        row: The run as a row.
        config: Text of `config.yaml`.
        summary: `run.json`; empty if it cannot be read.
        log: The end of `log.txt`; empty if there is none.
    """

    row: RunRow
    config: str
    summary: Mapping[str, Any]
    log: str


@dataclass(frozen=True)
class PageData:
    """Data of a report page.

    Attributes:
        comparison: The comparison.
        figures: Data of the plots, per block.
        digits: Each loss compared with the baseline image by image, per block; empty without a baseline.
        runs: Every run selected, completed or not.
        broken: The folders that could not be read, whose runs are not counted.
        unread: The files of counted runs that could not be read, which are not drawn.
        gate_results: The results of the gate.
    """

    comparison: Comparison
    figures: Sequence[FigureData]
    digits: Sequence[Sequence[DigitData]]
    runs: Sequence[RunFiles]
    broken: Sequence[BrokenRun]
    unread: Sequence[BrokenRun]
    gate_results: Sequence[GateResult] = ()


def read_page(answer: Answer, look: Look) -> PageData:
    """Read the files of a comparison's runs; unreadable files are left out and listed in `unread`."""
    comparison = answer.comparison
    found, unread = read_figures(comparison)
    return PageData(
        comparison=comparison,
        figures=found,
        digits=[list(_digits(comparison, block, look)) for block in comparison.blocks],
        runs=[_run_files(row) for row in answer.rows],
        broken=answer.broken,
        unread=unread,
        gate_results=answer.gate_results,
    )


def _digits(comparison: Comparison, block: Block, look: Look) -> Iterator[DigitData]:
    if comparison.baseline is None or comparison.baseline_is_file:
        return
    for group in block.groups:
        alone = replace(comparison, blocks=(replace(block, groups=(group,)),))
        try:
            for pair in images.compare_images(alone):
                yield _with_images(group, pair, look)
        except LossbenchError as error:
            yield DigitData(group.label, missing=str(error).removeprefix("images: "))


def _with_images(group: Group, pair: ImageComparison, look: Look) -> DigitData:
    """Return a comparison with its test images, if they are available."""
    try:
        test = look(Path(group.folders[pair.seeds[0]][0]))
    except LossbenchError as error:
        return DigitData(group.label, pair, missing=str(error))
    if len(test) != pair.images:
        return DigitData(group.label, pair, missing=f"expected {pair.images} test images, got {len(test)}")
    return DigitData(group.label, pair, test)


def _run_files(row: RunRow) -> RunFiles:
    folder = Path(str(row["folder"]))
    try:
        config = read.text(folder / paths.CONFIG, read.CONFIG_BYTES)
        return RunFiles(row, config, read.read_summary(folder), read.log(folder))
    except read.BrokenRunError as error:
        return RunFiles(row, "", {}, str(error))
