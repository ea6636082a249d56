"""A judgement as one screen, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lossbench import suite
from lossbench.json_data import to_json
from lossbench.metrics import DEFAULTS, METRICS
from lossbench.report import formatting
from lossbench.report.comparison.columns import NO_SOFTMAX
from lossbench.report.formatting import clean, count_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lossbench.analysis.judgement import ConditionResult, Judgement, Opponent, Side

ACCURACY, *CALIBRATION = (METRICS[name] for name in DEFAULTS)
NAME_WIDTH, WIDTH = 32, 80
VERDICTS = ("better", "equivalent", "identical", "worse", "undecided")


def judgement_text(judgement: Judgement) -> str:
    """Return a judgement as a screen of 80 columns: verdicts, calibration, cost, and a summary at its end."""
    lines = [*_head(judgement), *_verdicts(judgement), "", *_calibration(judgement), "", *_notes(judgement), ""]
    return "\n".join([*lines, formatting.fill(summary(judgement), WIDTH, " ")])


def _head(judgement: Judgement) -> Iterator[str]:
    seeds = [each.seeds for result in judgement.results for each in _sides(result)]
    least, most = min(seeds), max(seeds)
    numbers = f"{most}" if least == most else f"{least} to {most}"
    yield from formatting.wrap_label(f"{clean(judgement.loss)}, judged by {suite.full_name(judgement.budget)}", WIDTH)
    yield f"test accuracy after the last epoch, {numbers} seeds"
    yield ""


def _sides(result: ConditionResult) -> list[Side]:
    return [result.judged, *(each.side for each in result.opponents)]


def _verdicts(judgement: Judgement) -> Iterator[str]:
    yield f"{'':{NAME_WIDTH}} {'n':>2} {'acc. %':>6} {'Δ pp':>6}  95 % interval   verdict"
    yield "─" * WIDTH
    for result in judgement.results:
        yield result.condition.name
        yield _judged(result.judged)
        shown = [("", result.reference), ("best: ", result.best)]
        yield from (_row(prefix, each) for prefix, each in shown if each)


def _judged(side: Side) -> str:
    lost = f"  diverged in {side.diverged} of {count_of(side.seeds, 'seed')}" if side.diverged else ""
    return _cells("", side, lost)


def _row(prefix: str, opponent: Opponent) -> str:
    size = "-" if opponent.difference is None else formatting.with_sign(ACCURACY, opponent.difference)
    ends = formatting.signed_interval(ACCURACY, opponent.interval)
    return _cells(prefix, opponent.side, f" {size:>6} {ends:>16} {opponent.verdict}")


def _cells(prefix: str, side: Side, rest: str) -> str:
    """Return the row of a loss; a long name goes on in the next lines."""
    first, *others = formatting.wrap_label(f"{prefix}{clean(side.loss)}", NAME_WIDTH - 2)
    accuracy = formatting.value(ACCURACY, side.metrics.get(ACCURACY.name))
    line = f"  {formatting.pad(first, NAME_WIDTH - 2)} {side.seeds:>2} {accuracy:>6}{rest}"
    return "\n".join([line, *(f"  {each}" for each in others)])


def _calibration(judgement: Judgement) -> Iterator[str]:
    """Yield NLL, Brier score and ECE of the judged loss and of cross-entropy."""
    heads = "".join(f"{formatting.metric_head(metric):>17}" for metric in CALIBRATION)
    yield f"{'calibration':24}{heads}"
    ours = f"this{NO_SOFTMAX if _is_unranked(judgement) else ''}"
    yield f"{'':24}" + f"{ours:>9}{'CE':>8}" * len(CALIBRATION)
    for result in judgement.results:
        reference = result.reference.side if result.reference else None
        cells = "".join(f"{_value(result.judged, each):>9}{_value(reference, each):>8}" for each in CALIBRATION)
        yield f"{result.condition.name:24}{cells}"


def _value(side: Side | None, metric: Any) -> str:
    return formatting.number(side.metrics.get(metric.name) if side else None, in_percent=False)


def _is_unranked(judgement: Judgement) -> bool:
    """Return whether NLL, Brier score and ECE judge probabilities that the loss does not train."""
    return any(each.judged.link != "softmax" for each in judgement.results)


def _notes(judgement: Judgement) -> Iterator[str]:
    if judgement.cost is not None:
        yield f"cost: an epoch takes {judgement.cost:.2f} times as long as with cross-entropy"
    yield from map(_diverged_opponent, _diverged_opponents(judgement))
    yield "n: seeds; Δ: this loss minus the opponent, its interval valid at every look"
    yield "best: the strongest of the other opponents"
    yield "in at most 5 % of judgements is any verdict false"
    if _is_unranked(judgement):
        yield f"{NO_SOFTMAX} the loss trains no softmax probabilities, or does not declare them"


def _diverged_opponents(judgement: Judgement) -> list[tuple[str, Side]]:
    return [
        (result.condition.name, each.side)
        for result in judgement.results
        for each in result.opponents
        if each.side.diverged
    ]


def _diverged_opponent(found: tuple[str, Side]) -> str:
    condition, side = found
    return f"{clean(side.loss)} diverged in {side.diverged} of {count_of(side.seeds, 'seed')}: {condition}"


def summary(judgement: Judgement) -> str:
    """Return the judgement in one sentence."""
    against = {
        "cross-entropy": [each.reference.verdict for each in judgement.results if each.reference],
        "the best other opponent": [each.best.verdict for each in judgement.results],
    }
    parts = [f"against {name}, it is {_counted(verdicts)}" for name, verdicts in against.items() if verdicts]
    lost = ", ".join(each.condition.name for each in judgement.results if each.judged.diverged)
    return f"{clean(judgement.loss)}: {'; '.join(parts)}{f'; it diverged with: {lost}' if lost else ''}."


def _counted(verdicts: list[str]) -> str:
    """Return the number of conditions per verdict: `better in 2 of 5 conditions and undecided in 3`."""
    counts = [(verdict, verdicts.count(verdict)) for verdict in VERDICTS if verdict in verdicts]
    if not counts:
        return "nowhere better, as all its runs diverged"
    (first, count), *others = counts
    parts = [f"{first} in {count} of {count_of(len(verdicts), 'condition')}", *(f"{name} in {n}" for name, n in others)]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def judgement_json(judgement: Judgement) -> str:
    """Return a judgement as one JSON document."""
    return to_json(
        {
            "suite": suite.SUITE,
            "budget": judgement.budget,
            "loss": judgement.loss,
            "folder": judgement.folder,
            "metric": ACCURACY.name,
            "cost": judgement.cost,
            "conditions": [_condition(each, suite.BUDGETS[judgement.budget]) for each in judgement.results],
            "summary": summary(judgement),
        }
    )


def _condition(result: ConditionResult, budget: suite.Budget) -> dict[str, Any]:
    return {
        "name": result.condition.name,
        "settings": suite.settings(result.condition, budget),
        **_side_json(result.judged),
        "best_opponent": result.best.side.loss,
        "opponents": [
            {
                **_side_json(each.side),
                "verdict": each.verdict,
                "delta": each.difference,
                "delta_interval": list(each.interval) if each.interval else None,
            }
            for each in result.opponents
        ],
    }


def _side_json(side: Side) -> dict[str, Any]:
    return {"loss": side.loss, "seeds": side.seeds, "diverged": side.diverged, "link": side.link, **side.metrics}
