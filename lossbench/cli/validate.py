"""`lossbench validate`: check configurations and report every error at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lossbench.cli import console, options
from lossbench.errors import ConfigError, UsageError
from lossbench.files import exists


def validate(
    arguments: Annotated[
        list[str],
        typer.Argument(metavar="FILE|KEY=VALUE", help="YAML files, then overrides that apply to each of them."),
    ],
    plugin: options.Plugins = None,
) -> None:
    """Check configurations and report every error at once, with file, line and column.

    It refuses what `train` and `sweep` refuse before training, data folders included. Data sets that are not downloaded
    yet stay where they are. Losses of your own are called once on a small batch, if TensorFlow is installed.
    """
    from lossbench.config.overrides import check_whole
    from lossbench.losses import plugin as plugins
    from lossbench.sweep import plan
    from lossbench.training import checks

    check_whole(arguments)
    for path in plugin or []:
        plugins.load(path)
    overrides = [text for text in arguments if "=" in text and not exists(text)]
    files = [text for text in arguments if text not in overrides]
    if not files:
        raise UsageError("no file to validate; name one, e.g. configs/focal.yaml")
    wrong: list[UsageError] = []
    for file in files:
        try:
            swept = plan.load(Path(file), overrides, check=checks.problems)
            plan.check(swept)
            experiments = [setting.experiment for each in swept.combinations for setting in each.all_settings]
            checks.call_own_losses(experiments)
        except UsageError as error:
            wrong.append(error)
        else:
            console.result("; ".join([f"{file}: ok", *checks.not_checked(experiments)]))
            options.note_sums(each.loss for each in experiments)
    if wrong:
        problems = [problem for error in wrong if isinstance(error, ConfigError) for problem in error.problems]
        raise ConfigError([str(error) for error in wrong], problems)
