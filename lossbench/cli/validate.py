"""`lossbench validate`: check configurations and report every error at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lossbench.cli import console, options
from lossbench.errors import ConfigError, UsageError


def validate(
    arguments: Annotated[
        list[str],
        typer.Argument(metavar="FILE|KEY=VALUE", help="YAML files, then overrides that apply to each of them."),
    ],
    plugin: options.Plugins = None,
) -> None:
    """Check configurations and report every error at once, with file, line and column."""
    from lossbench.losses import plugin as plugins
    from lossbench.sweep import plan

    for path in plugin or []:
        plugins.load(path)
    overrides = [text for text in arguments if "=" in text and not Path(text).exists()]
    files = [text for text in arguments if text not in overrides]
    if not files:
        raise UsageError("no file to validate; name one, e.g. configs/focal.yaml")
    wrong: list[ConfigError] = []
    for file in files:
        try:
            swept = plan.load(Path(file), overrides)
            plan.check_distinct(swept)
        except ConfigError as error:
            wrong.append(error)
        else:
            console.result(f"{file}: ok")
            options.note_sums(each.experiment.loss for each in swept.combinations)
    if wrong:
        raise ConfigError([str(error) for error in wrong], [problem for error in wrong for problem in error.problems])
