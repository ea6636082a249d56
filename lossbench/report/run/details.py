"""One run on one screen: what it was, how good it became, how it got there, what it confuses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lossbench.metrics import DEFAULTS, SCALED
from lossbench.report import formatting, phrases
from lossbench.report.run import classes
from lossbench.report.run.sparkline import sparkline
from lossbench.runs import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.text import Text

    from lossbench.inspect.details import RunDetails

LABEL = 14
CURVES = ("val_accuracy", "accuracy", "val_loss", "loss")
STYLES = {"completed": "green", "running": "cyan", "interrupted": "yellow", "diverged": "red", "failed": "red"}


def render(sheet: RunDetails, width: int) -> Text:
    """The whole screen, an empty line between its parts."""
    from rich.text import Text

    facts = "\n".join(_line(name, text, width) for name, text in _facts(sheet).items())
    parts = [
        _head(sheet),
        Text(facts),
        Text("\n".join(_measured(sheet))),
        Text("\n".join(_curves(sheet))),
        classes.render(sheet, width),
        Text("\n".join(formatting.clean(fault) for fault in sheet.faults), style="yellow"),
    ]
    return Text("\n\n").join(part for part in parts if part)


def _head(sheet: RunDetails) -> Text:
    from rich.text import Text

    run = sheet.run
    head = Text.assemble(
        (formatting.clean(run.loss), "bold"), f" · seed {run.seed} · ", (run.status, STYLES[run.status]), "\n"
    )
    head.append(formatting.clean(run.folder), style="dim")
    if reason := run.summary.get("reason"):
        head.append(f"\n{formatting.clean(reason)}", style=STYLES[run.status])
    return head


def _line(name: str, text: str, width: int) -> str:
    return formatting.filled(text, width, " · ", indent=" " * LABEL, first=name.ljust(LABEL))


def _facts(sheet: RunDetails) -> dict[str, str]:
    """What was trained, on what, and for how long."""
    summary = sheet.run.summary
    seconds = _mapping(summary.get("seconds"))
    machine = [
        _mapping(summary.get("device")).get("name"),
        _counted(summary.get("threads"), "thread"),
        _counted(summary.get("parameters"), "parameter"),
        f"{seconds['total']:.1f} s" if read.is_number(seconds.get("total")) else None,
        f"lossbench {_mapping(summary.get('versions')).get('lossbench', 'unknown')}",
    ]
    return phrases.sections(sheet.run.config) | {
        "machine": " · ".join(formatting.clean(part) for part in machine if part)
    }


def _measured(sheet: RunDetails) -> Iterator[str]:
    """The metrics of `run.json`, a line for each set of images and each of last and best."""
    metrics, best = sheet.run.metrics, _best_epoch(sheet)
    places = [(part, at) for part in ("test", "val") for at in ("last", "best") if f"{part}.{at}.accuracy" in metrics]
    if places:
        yield " " * LABEL + "".join(f"{formatting.header(name):>12}" for name in DEFAULTS)
    for part, at in places:
        values = (formatting.number(name, metrics.get(f"{part}.{at}.{name}")) for name in DEFAULTS)
        yield f"{part} {at}".ljust(LABEL) + "".join(f"{value:>12}" for value in values) + best * (at == "best")
        if part == "test" and metrics.get(f"val.{at}.temperature") is not None:
            yield from _scaled(metrics, at)


def _scaled(metrics: Mapping[str, float | None], at: str) -> Iterator[str]:
    """Below what they stand for, the metrics at the temperature of the validation images."""
    values = {
        metric.scaled_from: formatting.number(name, metrics.get(f"test.{at}.{name}")) for name, metric in SCALED.items()
    }
    cells = (values.get(name, "") for name in DEFAULTS)
    yield f"  at T {metrics[f'val.{at}.temperature']:.3g}".ljust(LABEL) + "".join(f"{value:>12}" for value in cells)


def _best_epoch(sheet: RunDetails) -> str:
    """Counted from 1, as training counts aloud; the files count from 0."""
    best, epochs = (sheet.run.summary.get(name) for name in ("best_epoch", "epochs"))
    return f"   epoch {best + 1}/{epochs}" if type(best) is int and type(epochs) is int else ""


def _curves(sheet: RunDetails) -> Iterator[str]:
    """A sparkline of each curve, its first and its last value."""
    for name in CURVES:
        values = [row[name] for row in sheet.history if row.get(name) is not None]
        if numbers := [value for value in values if value is not None]:
            ends = " → ".join(_end(name, value) for value in (numbers[0], numbers[-1])[: len(numbers)])
            yield f"{name.ljust(LABEL)}{sparkline(numbers)}  {ends}"


def _end(name: str, value: float) -> str:
    in_percent = formatting.in_percent(name.removeprefix("val_")) and math.isfinite(value)
    return f"{100 * value:.2f} %" if in_percent else f"{value:.4g}"


def _counted(value: object, what: str) -> str | None:
    return f"{value:,} {what}{'s' * (value != 1)}" if type(value) is int else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
