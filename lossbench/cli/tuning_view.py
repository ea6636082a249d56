"""Tuning in sentences: its trials before they are trained, and its choices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.cli.forecast_view import duration_line
from lossbench.report.formatting import count_of
from lossbench.runs import paths

if TYPE_CHECKING:
    from pathlib import Path

    from lossbench.runs.tuning import Tuning
    from lossbench.sweep.duration import Duration
    from lossbench.sweep.status import SweepStatus


def stages(tuning: Tuning, status: SweepStatus, duration: Duration, compared: SweepStatus) -> str:
    """Return the stages of a dry run: the trials that tune, how long they take, and the trials that are compared."""
    more = "" if tuning.is_complete else f", and at most {len(compared.trials)} more with the best settings"
    first = f"stage 1, tuning: {status}, {budget(tuning)}\n{duration_line(duration)}"
    return f"{first}\nstage 2, comparison: {compared}{more}"


def budget(tuning: Tuning) -> str:
    """Return the budget of each loss: `8 settings per loss and condition, 2 seeds each`; and who has a smaller grid."""
    counts = {each.loss: len(each.settings) for each in tuning.losses}
    smaller = [f"{loss} {number}" for loss, number in counts.items() if number < tuning.trials]
    whole = f" (the whole grid of {', '.join(smaller)})" if smaller else ""
    seeds = count_of(len(tuning.seeds), "seed")
    return f"{count_of(tuning.trials, 'setting')} per loss and condition{whole}, {seeds} each"


def chosen(tuning: Tuning, folder: Path) -> str:
    """Return how many choices are another setting than the default, and where they are recorded."""
    others = sum(bool(each.choice) for each in tuning.losses)
    return (
        f"tuned by {tuning.metric}: {others} of {len(tuning.losses)} choices differ from the default; "
        f"{folder / paths.TUNING}"
    )


def next_part(folder: Path) -> str:
    """Return what to do once one part of the tuning trials is trained and others are not."""
    return (
        f"this part of the tuning is trained; the choices need all parts: once they are, copy each "
        f"{folder / paths.TUNING_RUNS} into one runs folder, and give the same command there"
    )
