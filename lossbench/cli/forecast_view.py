"""The forecast of a sweep in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report.formatting import count_of, with_unit
from lossbench.report.wording import group_name
from lossbench.statistics import CLEAR, FEWEST_SEEDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lossbench.metrics import Metric
    from lossbench.sweep.duration import Duration
    from lossbench.sweep.forecast import Detection, Forecast, Trainings

MOST_CONDITIONS = 6
"""Conditions that are shown; JSON has all."""

SECONDS, MINUTES = 90, 90
"""Up to this number, a duration is given in seconds or in minutes."""


def text(forecast: Forecast) -> str:
    """Return the forecast, one line per sentence."""
    return "\n".join(
        [
            duration_line(forecast.duration, is_most=bool(forecast.trainings)),
            *_trainings(forecast.trainings),
            *_detections(forecast),
        ]
    )


def duration_line(duration: Duration, *, is_most: bool = False) -> str:
    """Return how long trials take, and how that is known; `is_most` if some of them may not be needed."""
    if not duration.trials:
        return "nothing to train"
    trials, runs = count_of(duration.trials, "trial"), count_of(duration.runs, "earlier run")
    at_a_time = ", divided by the workers of the cluster"
    if duration.workers is not None:
        at_a_time = f", {min(duration.workers, duration.trials)} at a time"
    if not duration.measured:
        source = "estimated, as no earlier run has this model, data, epochs, batch size, device and threads"
    elif duration.measured < duration.trials:
        source = f"{duration.measured} of them measured in {runs}, the others estimated"
    else:
        source = f"measured in {runs}"
    most = "at most " if is_most else ""
    return f"{most}{trials} to train: about {_span(duration.seconds)}{at_a_time} ({source})"


def _trainings(trainings: Trainings | None) -> Iterator[str]:
    """Yield how many trainings a plan that adds seeds is expected to take."""
    if trainings is None:
        return
    none = "" if trainings.none is None else f", {trainings.none} if none differs"
    yield (
        f"trainings in all: {trainings.most} at most; expected {trainings.clear} if each loss differs from the "
        f"baseline by {CLEAR:g} standard deviations{none}"
    )


def _span(seconds: float) -> str:
    """Return a duration in words: `40 seconds`, `12 minutes`, `3.5 hours`."""
    if seconds < SECONDS:
        return count_of(max(1, round(seconds)), "second")
    if seconds < 60 * MINUTES:
        return count_of(round(seconds / 60), "minute")
    return f"{seconds / 3600:.1f} hours"


def _detections(forecast: Forecast) -> Iterator[str]:
    """Yield what the seeds would show in each condition, and what to give where the spread is not known."""
    detections = forecast.detections
    up_to = "up to " if forecast.trainings else ""
    known = [each for each in detections if each.difference is not None]
    few = [each for each in detections if each.seeds < FEWEST_SEEDS]
    if not detections:
        yield f"no loss has a seed in common with the baseline {forecast.baseline}, so there is nothing to compare"
    if known:
        yield from _differences(forecast, known)
    if few:
        yield f"{_seeds(few)} cannot show a difference, {FEWEST_SEEDS} can{_where(few, detections)}"
    if unknown := [each for each in detections if each.sd is None and each not in few]:
        yield (
            f"no earlier runs with this model, data and budget{_where(unknown, detections)}: add --sd, the standard "
            "deviation of differences between two losses over seeds, e.g. --sd 0.2pp, to see which difference "
            f"{up_to}{_seeds(unknown)} would show"
        )


def _differences(forecast: Forecast, known: Sequence[Detection]) -> Iterator[str]:
    """Yield the differences: one line if all conditions are alike, else one per condition."""
    metric = forecast.metric
    what = f"difference in {metric.title} from {forecast.baseline}"
    how = f"with 80 % probability, p adjusted for {count_of(forecast.comparisons, 'comparison')}"
    seeds = f"{'up to ' if forecast.trainings else ''}{_seeds(known)}"
    values = [f"{with_unit(metric, each.difference or 0)} ({_source(each, metric)})" for each in known]
    if len({(each.seeds, value) for each, value in zip(known, values, strict=True)}) == 1:
        yield f"{seeds} would show this {what} {how}{_where(known, forecast.detections)}: {values[0]}"
        return
    yield f"{seeds} would show this {what} {how}:"
    yield from (
        f"  {_condition(each)}: {value}" for each, value in list(zip(known, values, strict=True))[:MOST_CONDITIONS]
    )
    if (more := len(known) - MOST_CONDITIONS) > 0:
        yield f"  and {count_of(more, 'more condition')}, all of them in --format json"


def _seeds(detections: Sequence[Detection]) -> str:
    """Return the number of seeds: `8 seeds`, `6 to 8 seeds`."""
    numbers = [each.seeds for each in detections]
    low, high = min(numbers), max(numbers)
    return count_of(high, "seed") if low == high else f"{low} to {high} seeds"


def _where(some: Sequence[Detection], detections: Sequence[Detection]) -> str:
    """Return in how many conditions, if there are several: `, in 2 of 3 conditions`."""
    return f", in {len(some)} of {len(detections)} conditions" * (len(detections) > 1)


def _condition(detection: Detection) -> str:
    return group_name("", detection.condition).strip(" ()")


def _source(detection: Detection, metric: Metric) -> str:
    """Return the standard deviation of the differences, and where it comes from."""
    sd, spread = f"standard deviation {with_unit(metric, detection.sd or 0)}", detection.spread
    if spread is None:
        return f"{sd}, as given"
    if spread.of == "scores":
        return f"{sd}, √2 times that of the scores of {count_of(spread.n, 'earlier run')}"
    return f"{sd}, of {count_of(spread.n, 'pair')} of earlier runs"
