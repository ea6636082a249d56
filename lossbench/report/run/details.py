"""One run on one screen: configuration, metrics, curves, scores per class; and as JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lossbench.metrics import DEFAULTS, REPORTED, SCALED
from lossbench.report import formatting
from lossbench.report.run import classes, settings
from lossbench.report.run.sparkline import sparkline
from lossbench.report.screen import Screen
from lossbench.runs import paths, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.text import Text

    from lossbench.inspect.details import RunDetails

LABEL, CELL = 14, 12
"""Columns for the name of a line, and for a metric."""

CURVES = ("val_accuracy", "accuracy", "val_loss", "loss")
STYLES = {"completed": "green", "running": "cyan", "interrupted": "yellow", "diverged": "red", "failed": "red"}


def run_screen(run: RunDetails) -> Screen:
    """Return a run as a screen."""
    return Screen(lambda width: run_text(run, width))


def run_document(run: RunDetails) -> dict[str, Any]:
    """Return `run.json`, then folder, configuration, history, scores and counts."""
    return {
        **run.run.summary,
        "folder": str(run.run.folder),
        "config": run.run.config,
        "history": run.history,
        "per_class": run.per_class,
        "confusion": {at: counts.tolist() for at, counts in run.confusion.items()},
        "faults": run.faults,
    }


def run_text(details: RunDetails, width: int) -> Text:
    """Return a run at a width, with an empty line between its parts."""
    from rich.text import Text

    facts = "\n".join(_fact(name, text, width) for name, text in _facts(details).items())
    parts = [
        _head(details),
        Text(facts),
        Text("\n".join(_metric_lines(details, width))),
        Text("\n".join(_curves(details))),
        classes.class_table(details, width),
        Text("\n".join(formatting.clean(fault) for fault in details.faults), style="yellow"),
    ]
    return Text("\n\n").join(part for part in parts if part)


def _head(details: RunDetails) -> Text:
    from rich.text import Text

    run = details.run
    head = Text.assemble(
        (formatting.clean(run.loss), "bold"), f" · seed {run.seed} · ", (run.status, STYLES[run.status]), "\n"
    )
    head.append(formatting.clean(run.folder), style="dim")
    if reason := run.summary.get("reason"):
        head.append(f"\n{formatting.clean(reason)}", style=STYLES[run.status])
    return head


def _fact(name: str, text: str, width: int) -> str:
    return formatting.fill(text, width, " · ", indent=" " * LABEL, first=name.ljust(LABEL))


def _facts(details: RunDetails) -> dict[str, str]:
    """Return the settings by section, and the machine with its threads and the seconds of the run."""
    summary = details.run.summary
    seconds = _mapping(summary.get("seconds"))
    machine = [
        _mapping(summary.get("device")).get("name"),
        _count(summary.get("threads"), "thread"),
        _count(summary.get("parameters"), "parameter"),
        f"{seconds['total']:.1f} s" if read.is_number(seconds.get("total")) else None,
        f"lossbench {_mapping(summary.get('versions')).get('lossbench', 'unknown')}",
    ]
    best = _best_epoch(details)
    return (
        settings.settings_by_section(details.run.config)
        | {"machine": " · ".join(formatting.clean(part) for part in machine if part)}
        | ({"best": best} if best else {})
    )


def _metric_lines(details: RunDetails, width: int) -> Iterator[str]:
    """Yield the metrics of `run.json`, a line per set of images and epoch; as many metrics side by side as fit."""
    count = max(1, (width - LABEL) // CELL)
    for first in range(0, len(DEFAULTS), count):
        yield from [""] * bool(first)
        yield from _lines_of(details, DEFAULTS[first : first + count])


def _lines_of(details: RunDetails, names: Sequence[str]) -> Iterator[str]:
    metrics = details.run.metrics
    places = [(part, at) for part in ("test", "val") for at in ("last", "best") if f"{part}.{at}.accuracy" in metrics]
    if places:
        yield " " * LABEL + "".join(f"{formatting.metric_title(REPORTED[name]):>{CELL}}" for name in names)
    for part, at in places:
        values = (formatting.value(REPORTED[name], metrics.get(f"{part}.{at}.{name}")) for name in names)
        yield f"{part} {at}".ljust(LABEL) + "".join(f"{value:>{CELL}}" for value in values)
        if part == "test" and metrics.get(f"val.{at}.temperature") is not None:
            yield from _scaled_metric_line(metrics, at, names)


def _scaled_metric_line(metrics: Mapping[str, float | None], at: str, names: Sequence[str]) -> Iterator[str]:
    """Yield the metrics at the temperature of the validation images, below their unscaled values."""
    values = {
        metric.scaled_from: formatting.value(metric, metrics.get(f"test.{at}.{name}"))
        for name, metric in SCALED.items()
    }
    if any(name in values for name in names):
        cells = "".join(f"{values.get(name, ''):>{CELL}}" for name in names)
        yield f"  at T {metrics[f'val.{at}.temperature']:.3g}".ljust(LABEL) + cells


def _best_epoch(details: RunDetails) -> str | None:
    """Return the best epoch counted from 1, as the progress of training counts, and its row in the file, from 0."""
    best, epochs = (details.run.summary.get(name) for name in ("best_epoch", "epochs"))
    if type(best) is not int or type(epochs) is not int:
        return None
    return f"epoch {best + 1}/{epochs} · epoch {best} in {paths.METRICS}"


def _curves(details: RunDetails) -> Iterator[str]:
    """Yield a sparkline per curve, with its first and last value."""
    for name in CURVES:
        values = [row[name] for row in details.history if row.get(name) is not None]
        if numbers := [value for value in values if value is not None]:
            ends = " → ".join(_end(name, value) for value in (numbers[0], numbers[-1])[: len(numbers)])
            yield f"{name.ljust(LABEL)}{sparkline(numbers)}  {ends}"


def _end(name: str, value: float) -> str:
    in_percent = formatting.in_percent(name.removeprefix("val_")) and math.isfinite(value)
    return f"{100 * value:.2f} %" if in_percent else f"{value:.4g}"


def _count(value: object, what: str) -> str | None:
    return f"{value:,} {what}{'s' * (value != 1)}" if type(value) is int else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
