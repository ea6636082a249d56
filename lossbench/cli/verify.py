"""`lossbench verify`: whether a run gives its numbers again."""

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
        str | None, typer.Option(metavar="DEVICE", help="auto, cpu, gpu or gpu:N; left out: the recorded kind.")
    ] = None,
    tolerance: Annotated[
        float, typer.Option(min=0, help="The largest deviation that counts as the same; a share of numbers above 1.")
    ] = 0.001,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON, unrounded.")] = False,
) -> None:
    """Train a run again in a temporary folder and compare number by number; exit 3 if it gives others."""
    from lossbench.cli.progress import progress
    from lossbench.inspect import details, numbers, verification
    from lossbench.losses import plugin as plugin_losses
    from lossbench.report import output
    from lossbench.training import verify as training

    plugins = [plugin_losses.load(path) for path in plugin or []]
    recorded = details.only(run)
    trial = training.trial_of(recorded, plugins)
    kept = numbers.load(recorded)
    with (
        progress(quiet=quiet) as listener,
        training.trained_again(recorded, trial, device=device, plugins=plugins, progress=listener) as again,
    ):
        found = verification.verify(recorded, kept, again, tolerance=tolerance)
    console.drawn(output.verify(found, as_json=json))
    if found.outcome == "different":
        raise GateFailedError(f"{recorded.folder}: does not give its numbers again")
