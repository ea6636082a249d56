"""`lossbench show`: show one run on one screen."""

from __future__ import annotations

from typing import Annotated

import typer

from lossbench.cli import console, options


def show(
    run: options.Run,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, unrounded.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Show one run: configuration, metrics, learning curves, scores per class, confusion matrix."""
    from lossbench.inspect import details
    from lossbench.report.run import views

    console.rendered(views.view_text(details.read_details(run), as_json=as_json))
