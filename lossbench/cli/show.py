"""`lossbench show`: show one run on one screen, or the plane of its two features as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lossbench import files
from lossbench.cli import console, options
from lossbench.errors import UsageError


def show(
    run: options.Run,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, unrounded.")] = False,
    features: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.png",
            help="Draw the test images and the decision regions of a penultimate layer with two units instead.",
        ),
    ] = None,
) -> None:
    """Show one run: configuration, metrics, learning curves, scores per class, confusion matrix."""
    from lossbench.inspect import details

    if features is None:
        from lossbench.report.run import views

        console.rendered(views.view_text(details.read_details(run), as_json=as_json))
        return
    if as_json:
        raise UsageError("a picture has none; leave out `features`", parameter="json", mentions=("features",))
    files.check_picture(features, parameter="features")
    from lossbench.inspect.feature_plane import read_feature_plane
    from lossbench.report.run.feature_plot import save_feature_plot

    save_feature_plot(read_feature_plane(details.read_run(run)), features)
    console.result(str(features))
