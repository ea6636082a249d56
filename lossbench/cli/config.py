"""`lossbench config`: print a configuration with every default filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lossbench.cli import completion, console, options


def config(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="YAML file.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY=VALUE", help="Override keys, e.g. loss.gamma=5.", autocompletion=completion.settings
        ),
    ] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of YAML.")] = False,
    plugin: options.Plugins = None,
) -> None:
    """Print a configuration with every default filled in; comments mark the values that differ from the defaults."""
    from json import dumps

    from lossbench.config.dump import dump, to_yaml
    from lossbench.config.resolve import load
    from lossbench.losses import plugin as plugins

    for path in plugin or []:
        plugins.load(path)
    experiment = load(file, overrides or [])
    text = dumps(dump(experiment), indent=2, ensure_ascii=False) + "\n" if json else to_yaml(experiment, mark=True)
    console.result(text, end="")
