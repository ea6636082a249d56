"""`lossbench report`: a comparison as one HTML page."""

from __future__ import annotations

import shlex
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lossbench.cli import console, gate, options
from lossbench.cli.query import build_query, map_keys, split
from lossbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from lossbench.analysis.query import Answer, Query


def report(  # noqa: PLR0913 - the options of the command
    paths: options.Runs,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", rich_help_panel=options.OUTPUT, help="HTML file to write.")
    ] = Path("report.html"),
    where: options.Where = None,
    seeds: options.Seeds = None,
    tune: options.Tune = None,
    metric: options.Metric = options.METRICS,
    at: options.At = "last",
    by: options.By = None,
    across: options.Across = None,
    map: options.Map = None,  # noqa: A002 - the option's name
    baseline: options.Baseline = None,
    confidence: options.Confidence = 95,
    rope: options.Rope = None,
    unpaired: options.Unpaired = False,
    allow_different: options.AllowDifferent = None,
    fail_if: options.FailIf = None,
    require_losses: options.RequireLosses = None,
    require_seeds: options.RequireSeeds = None,
    against: options.Against = None,
    strict: options.Strict = False,
    label: options.Label = None,
) -> None:
    """Write a comparison as one HTML file that needs no network: verdicts, charts, images and every run.

    The options mean the same as in `lossbench compare`, and so do the exit codes of the gate.
    """
    gate.check_strict(fail_if, strict=strict)
    query = build_query(
        paths,
        where=where,
        seeds=seeds,
        tune=tune,
        metric=metric,
        at=at,
        by=by,
        across=split(across),
        map_keys=map_keys(map),
        baseline=baseline,
        confidence=confidence,
        rope=rope,
        unpaired=unpaired,
        thresholds=tuple(fail_if or ()),
        require_losses=require_losses,
        require_seeds=require_seeds,
        baseline_file=against,
        allow_different=allow_different,
        label=label,
    )
    found = write_page(query, output)
    gate.report(found, strict=strict)


def write_page(query: Query, output: Path, *, note: Callable[[str], None] = console.result) -> Answer:
    """Write the page of a comparison, name the files that could not be read, and report the page's size by `note`."""
    from lossbench import files
    from lossbench.analysis.names import with_names
    from lossbench.analysis.page_data import read_page
    from lossbench.analysis.query import answer
    from lossbench.report import formatting, page

    found = with_names(answer(query))
    data = read_page(found, _test_images)
    text = page.page_text(data, f"lossbench {shlex.join(sys.argv[1:])}")
    files.write_text(output, text)
    for line in (*formatting.broken_lines(data.broken), *formatting.broken_lines(data.unread, "not drawn")):
        console.note(line)
    megabytes = len(text.encode(errors="replace")) / 1e6
    note(f"{output}: {formatting.count_of(len(data.runs), 'run')}, {megabytes:.2f} MB")
    return found


def _test_images(folder: Path) -> NDArray[Any]:
    """Return the test images of the run in a folder, if its data are available and unchanged."""
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
