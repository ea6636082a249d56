"""`lossbench doctor`: describe this machine for a bug report."""

from __future__ import annotations

from typing import Annotated

import typer

from lossbench.cli import console, options


def doctor(
    *,
    runs_dir: options.RunsDir = options.RUNS,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check versions, devices, data and disk space; exit 1 if training would fail."""
    import json as json_module

    from lossbench.training import doctor as checks

    with console.status("loading TensorFlow, checking devices and data", quiet=json):
        results = checks.examine(runs_dir)
    if json:
        console.result(json_module.dumps({each.subject: each.text for each in results}, indent=2))
    else:
        width = max(len(each.subject) for each in results)
        for each in results:
            console.result(f"{'ok' if each.is_good else 'NO':2}  {each.subject:{width}}  {each.text}")
    if not all(each.is_good for each in results):
        raise typer.Exit(1)
