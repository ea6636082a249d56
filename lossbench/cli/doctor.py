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

    from lossbench.training import doctor as examine

    findings = examine.examine(runs_dir)
    if json:
        console.result(json_module.dumps({each.what: each.found for each in findings}, indent=2))
    else:
        width = max(len(each.what) for each in findings)
        for each in findings:
            console.result(f"{'ok' if each.good else 'NO':2}  {each.what:{width}}  {each.found}")
    if not all(each.good for each in findings):
        raise typer.Exit(1)
