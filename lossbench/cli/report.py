"""`lossbench report`: a comparison as a page to look at and to send."""

from __future__ import annotations

import shlex
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lossbench.cli import console, options, selection
from lossbench.errors import DataError
from lossbench.metrics import DEFAULTS

if TYPE_CHECKING:
    from numpy.typing import NDArray


def report(  # noqa: PLR0913 - the options of the command
    paths: options.Runs,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The page.")] = Path("report.html"),
    where: options.Where = None,
    seeds: options.Seeds = None,
    metric: Annotated[
        str, typer.Option(metavar="METRICS", help="With commas; the first carries the verdict.")
    ] = ",".join(DEFAULTS),
    at: Annotated[Literal["last", "best"], typer.Option(help="Which epoch's weights were tested.")] = "last",
    by: Annotated[str, typer.Option(metavar="KEYS", help="What makes a group.")] = "loss",
    baseline: Annotated[
        str | None,
        typer.Option(metavar="LOSS", help="What the others are held against. (default: categorical_crossentropy)"),
    ] = None,
    ci: Annotated[float, typer.Option(min=50, max=99.99, help="Confidence of the intervals, in %.")] = 95,
    rope: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Differences up to this count as none, such as 0.1pp.")
    ] = None,
) -> None:
    """Write a comparison as one HTML file: verdicts, charts, images and every run; it needs no network.

    The options mean what they mean to `compare`, and so do the verdicts.
    """
    from lossbench import files
    from lossbench.analysis.page_data import read_page
    from lossbench.report import formatting, page

    comparison, rows, broken = selection.compared(
        paths,
        metrics=selection.keys(metric),
        where=where,
        seeds=selection.seeds(seeds) if seeds else None,
        at=at,
        by=selection.keys(by),
        baseline=baseline,
        confidence=ci / 100,
        rope=rope,
    )
    data = read_page(comparison, rows, broken, _test_images)
    text = page.page_text(data, f"lossbench {shlex.join(sys.argv[1:])}")
    files.write_text(output, text)
    for line in (*formatting.broken(data.broken), *formatting.unread(data.unread)):
        console.note(line)
    megabytes = len(text.encode(errors="replace")) / 1e6
    console.result(f"{output}: {formatting.counted(len(rows), 'run')}, {megabytes:.2f} MB")


def _test_images(folder: Path) -> NDArray[Any]:
    """The test images of the run in a folder, if its data are here and still the same."""
    from lossbench.config import resolve
    from lossbench.runs import read

    run = read.read(folder)
    section = resolve.from_mapping({"data": run.config["data"]}).data
    return _checked(section, str(run.summary["hashes"].get("data")))


@cache
def _checked(section: Any, digest: str) -> NDArray[Any]:
    from lossbench import data

    if data.sha256(section, fetch=False) != digest:
        raise DataError("the data that these runs were tested on are not here")
    return data.test_images(section)
