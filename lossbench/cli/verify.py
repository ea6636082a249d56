"""`lossbench verify`: check that a run can be reproduced."""

from __future__ import annotations

from typing import Annotated

import typer

from lossbench.cli import console, options
from lossbench.errors import GateFailedError


def verify(
    run: options.Run,
    *,
    plugin: options.Plugins = None,
    device: Annotated[
        str | None,
        typer.Option(metavar="DEVICE", help="auto, cpu, gpu or gpu:N; cuda means gpu. (default: the recorded kind)"),
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option(
            metavar="SIZE", min=0, help="Largest deviation that counts as equal: absolute up to 1, relative above."
        ),
    ] = 0.001,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Hide the progress.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, unrounded.")] = False,
) -> None:
    """Retrain a run in a temporary folder and compare every number with the recorded one.

    The exit code is 3 if a number deviates by more than the tolerance. The run itself is not changed.
    """
    from lossbench.cli.progress import progress
    from lossbench.inspect import details, numbers, verification
    from lossbench.losses import plugin as plugin_losses
    from lossbench.report.run import views
    from lossbench.training import verify as training

    plugins = [plugin_losses.load(path) for path in plugin or []]
    recorded = details.read_run(run)
    trial = training.trial_of(recorded, plugins)
    kept = numbers.read_numbers(recorded)
    with (
        progress(quiet=quiet) as listener,
        training.trained_again(recorded, trial, device=device, plugins=plugins, progress=listener) as again,
    ):
        found = verification.verify(recorded, kept, again, tolerance=tolerance)
    console.rendered(views.view_text(found, as_json=json))
    if found.status == "different":
        raise GateFailedError(f"{recorded.folder}: retraining gave different numbers")
