"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from lossbench import metrics
from lossbench.cli import completion, console
from lossbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lossbench.errors import LossbenchError
    from lossbench.losses.expression import LossTerm

Config: TypeAlias = Annotated[
    Path | None, typer.Option("--config", "-c", metavar="FILE", help="YAML file; may also be the first argument.")
]
Plugins: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option("--plugin", metavar="FILE", help="Python file with your own losses; repeatable."),
]
RunsDir: TypeAlias = Annotated[Path, typer.Option("--runs-dir", metavar="FOLDER", help="Folder for run folders.")]
Device: TypeAlias = Annotated[str, typer.Option(metavar="DEVICE", help="auto, cpu, gpu or gpu:N; cuda means gpu.")]
Run: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="RUN", help="A run folder, or a folder that contains exactly one.", autocompletion=completion.runs
    ),
]
Runs: TypeAlias = Annotated[
    list[Path],
    typer.Argument(metavar="PATH", help="Run folders, or folders that contain them.", autocompletion=completion.runs),
]
SELECTION, STATISTICS, GATE, OUTPUT = "Selection", "Comparison", "Gate", "Output"

Where: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="CONDITION",
        rich_help_panel=SELECTION,
        help="Select runs, e.g. \"data.label_noise.rate==0.2 and status=='completed'\".",
    ),
]
Seeds: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="SEEDS", rich_help_panel=SELECTION, help="Select seeds, e.g. 0-9 or 0,1,5."),
]
Metric: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="METRICS",
        rich_help_panel=STATISTICS,
        help=f"Comma-separated metrics: {', '.join({**metrics.METRICS, **metrics.COSTS})}, recall.5, … "
        "The first carries the verdict.",
    ),
]
At: TypeAlias = Annotated[
    Literal["last", "best"],
    typer.Option(
        rich_help_panel=STATISTICS, help="Epoch whose weights are tested: the last, or the best by validation."
    ),
]
By: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="KEYS",
        rich_help_panel=STATISTICS,
        help="Group runs by these keys: loss, loss.name, or dotted keys. (default: loss)",
    ),
]
Baseline: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="LOSS", rich_help_panel=STATISTICS, help="Baseline loss. (default: categorical_crossentropy)"),
]
Confidence: TypeAlias = Annotated[
    float,
    typer.Option(
        "--ci",
        metavar="PERCENT",
        min=50,
        max=99.99,
        rich_help_panel=STATISTICS,
        help="Confidence of the intervals in percent.",
    ),
]
Rope: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        rich_help_panel=STATISTICS,
        help="Call losses equivalent if the interval of their difference lies within this size, e.g. 0.1pp.",
    ),
]
AllowDifferent: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEYS",
        rich_help_panel=STATISTICS,
        help="Compare losses although these keys differ, e.g. train.epochs or data; repeatable.",
    ),
]
Label: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        metavar="LOSS=NAME",
        rich_help_panel=OUTPUT,
        help="Show a loss under another name in tables, plots and pages, e.g. my_robust=Ours; repeatable.",
    ),
]
Pivot: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="KEY",
        rich_help_panel=OUTPUT,
        help="Make a table of losses and the values of this key, e.g. data.label_noise.rate.",
    ),
]
Map: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--map",
        metavar="KEYS",
        rich_help_panel=OUTPUT,
        help="Show which losses may be best at each value of one or two keys, e.g. "
        "data.label_noise.rate,data.train_size.",
    ),
]
Caption: TypeAlias = Annotated[
    str | None, typer.Option(metavar="TEXT", rich_help_panel=OUTPUT, help="Caption of the LaTeX table.")
]
LatexLabel: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="NAME", rich_help_panel=OUTPUT, help="Label of the LaTeX table, e.g. tab:noise."),
]
FailIf: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="THRESHOLD",
        rich_help_panel=GATE,
        help="Exit 3 if this holds: 'delta.accuracy < -0.2pp', 'accuracy < 0.97', 'diverged > 0'; repeatable.",
    ),
]
RequireLosses: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="LOSSES",
        rich_help_panel=GATE,
        help="Exit 3 unless each of these losses has a completed run in every condition; repeatable.",
    ),
]
RequireSeeds: TypeAlias = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=0,
        rich_help_panel=GATE,
        help="Exit 3 unless each loss has N completed seeds. (default with --against: the seeds in that file)",
    ),
]
Against: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=GATE,
        help="Compare each loss with itself in this baseline file; exit 3 if its losses or seeds are missing.",
    ),
]
Strict: TypeAlias = Annotated[
    bool, typer.Option("--strict", rich_help_panel=GATE, help="Exit 6 if a threshold is undecided.")
]

Tune: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="KEY",
        rich_help_panel=SELECTION,
        help="Compare each loss at its best value of this key, chosen by validation, e.g. optimizer.learning_rate.",
    ),
]
Across: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="KEYS", rich_help_panel=STATISTICS, help="Make an outermost block per value of these keys."),
]
Unpaired: TypeAlias = Annotated[
    bool,
    typer.Option("--unpaired", rich_help_panel=STATISTICS, help="Do not pair seeds: use Welch's test."),
]

METRICS = ",".join(metrics.DEFAULTS)
RUNS = Path("runs")
NAMES = {
    "metrics": "--metric",
    "thresholds": "--fail-if",
    "confidence": "--ci",
    "baseline_file": "--against",
    "plugins": "--plugin",
    "example": "--from",
    "labels": "--label",
}
"""Options that are not called `--` and the name of the Python parameter."""


def configuration(config: Path | None, arguments: list[str] | None) -> tuple[Path, list[str]]:
    """Return the configuration, named by the option or as an argument, and the arguments that are settings.

    Raises:
        UsageError: There is no configuration, or more than one.
    """
    files = [text for text in arguments or [] if completion.is_file(text)]
    found = [*([config] if config else []), *map(Path, files)]
    if not found:
        other = next((f"; {text!r} is neither a file nor key=value" for text in arguments or [] if "=" not in text), "")
        raise UsageError(f"no configuration: name a YAML file, e.g. train configs/focal.yaml{other}")
    if len(found) > 1:
        raise UsageError(f"{len(found)} configurations, {', '.join(map(str, found))}; name one")
    return found[0], [text for text in arguments or [] if text not in files]


def note_sums(losses: Iterable[Sequence[LossTerm]]) -> None:
    """Say that a list of losses is one loss, their sum, where no weight shows that this is meant."""
    from lossbench.losses.labels import is_plain_sum, label

    for terms in {label(each): each for each in losses if is_plain_sum(each)}.values():
        each = ",".join(term.name for term in terms)
        console.note(
            f"loss: a list is one loss, the sum {label(terms)}; to compare them: lossbench sweep … loss={each}"
        )


def message(error: LossbenchError) -> str:
    """Return an error's message with the command line's options in place of Python's parameters."""
    text = str(error)
    if error.parameter:
        text = _option(error.parameter) + text.removeprefix(error.parameter)
    for parameter in error.mentions:
        text = text.replace(f"`{parameter}`", _option(parameter))
    return text


def _option(parameter: str) -> str:
    return NAMES.get(parameter, f"--{parameter.replace('_', '-')}")
