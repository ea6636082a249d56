"""`lossbench losses`: the catalogue, or one loss."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Name = Annotated[str | None, typer.Argument(help="Show this loss only: identifier, alias or preset.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print the README's table.")]
Plugin = Annotated[list[Path] | None, typer.Option("--plugin", help="A Python file with losses of your own.")]


def losses(name: Name = None, *, json: Json = False, markdown: Markdown = False, plugin: Plugin = None) -> None:
    """List the losses, or show one: formula, hyperparameters, ranges, source."""
    from lossbench.losses import listing

    if plugin:
        from lossbench.losses.plugin import load

        for path in plugin:
            load(path)
    typer.echo(listing.render(name, json=json, markdown=markdown))
