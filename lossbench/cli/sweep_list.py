"""`lossbench sweep --dry-run`: the trials with their status, and the forecast."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lossbench.cli import console, forecast_view, tuning_view
from lossbench.config.decide import baseline_label
from lossbench.sweep import decide, forecast, listing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lossbench.cli.sweep_stages import Stages
    from lossbench.metrics import Metric
    from lossbench.sweep.listing import Form
    from lossbench.sweep.plan import Plan, PlannedTrial
    from lossbench.sweep.status import SweepStatus
    from lossbench.sweep.tune import TuningStage


def print_trials(
    stages: Stages,
    swept: Plan,
    planned: Sequence[PlannedTrial],
    stage: TuningStage | None,
    runs_dir: Path,
    metric_and_sd: tuple[Metric, float | None],
    form: Form,
) -> None:
    """Print the trials with their status, and the forecast."""
    folder, retry_failed = runs_dir / swept.name, stages.rules.retry_failed
    compared = stage.compared() if stage else planned
    status = stages.status(compared, runs_dir)
    decide.decider(swept, status, folder, retry_failed=retry_failed)
    tuned = stages.status(stage.trials, folder) if stage else None
    start_executor = stages.start(status, runs_dir, folder, finished=False)
    metric, sd = metric_and_sd
    unfinished = [status.trials[each] for each in status.unfinished(retry_failed=retry_failed)]
    is_local = stages.executor != "ray" and stages.options["ray_address"] is None
    workers = start_executor().free() if is_local else None
    with console.status("reading earlier runs", quiet=stages.quiet):
        found = forecast.forecast(
            unfinished * (2 if stage and not stage.tuning.is_complete else 1),
            compared,
            runs_dir=runs_dir,
            device=stages.device,
            workers=workers,
            metric=metric,
            sd=sd,
            baseline=baseline_label(swept.decide) if swept.decide else None,
            plan=status.decision.plan if status.decision else None,
        )
        if tuned:
            first = [tuned.trials[each] for each in tuned.unfinished(retry_failed=retry_failed)]
            duration = forecast.tuning_duration(first, runs_dir=runs_dir, device=stages.device, workers=workers)
            found = replace(found, tuning=duration)
    console.result(listing.render(status, found, form, tuned), end="")
    head = str(status)
    if stage and tuned and found.tuning:
        head = tuning_view.stages(stage.tuning, tuned, found.tuning, status)
    console.sentences(f"{head}\n{_most(status)}{forecast_view.text(found)}")


def _most(status: SweepStatus) -> str:
    """Return a line that says where the seeds of a decision may end; empty for any other sweep."""
    if status.decision is None:
        return ""
    looks = ", ".join(map(str, status.decision.plan.looks))
    return f"seeds are added until everything is decided, with looks at {looks} seeds\n"
