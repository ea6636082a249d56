"""`lossbench losses`: list the losses; show, measure or check one; plot one or several."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lossbench import files
from lossbench.cli import completion, console, options
from lossbench.errors import ConfigError, UsageError
from lossbench.losses.lab.plot_file import Over, check_count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lossbench.losses.expression import LossTerm

Arguments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAME|WORD|KEY=VALUE",
        help="A loss, or words to search for. With --measure, --plot and --check, hyperparameters follow the loss; "
        "--plot takes several values, gamma=0,2,5, and several losses.",
        autocompletion=completion.losses,
    ),
]
Family = Annotated[
    list[str] | None,
    typer.Option(
        "--family",
        metavar="FAMILY",
        help="List only this family, e.g. focusing; repeatable.",
        autocompletion=completion.families,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")]
Measure = Annotated[
    bool,
    typer.Option(
        "--measure", help="Measure whether the loss is bounded, symmetric and proper, and its largest gradient."
    ),
]
Plot = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE.png", help="Plot value and gradient of one loss or of several.")
]
PlotOver = Annotated[
    Over | None,
    typer.Option(
        "--over",
        help="Draw --plot only over the probability of the true class, the margin, or the simplex of three "
        "probabilities. (default: all)",
    ),
]
Check = Annotated[
    bool, typer.Option("--check", help="Test values, gradients and limits of the loss; exit with 2 if a check fails.")
]


def losses(
    arguments: Arguments = None,
    *,
    family: Family = None,
    json: Json = False,
    markdown: Markdown = False,
    plugin: options.Plugins = None,
    measure: Measure = False,
    plot: Plot = None,
    over: PlotOver = None,
    check: Check = False,
) -> None:
    """List all losses or those of a family or subject, or show one: formula, hyperparameters, ranges, source.

    A loss can also be measured, checked and plotted. Several words list the losses that contain all of them, or else
    any: `lossbench losses noise`.
    """
    from lossbench.losses import listing

    given, families = arguments or [], family or []
    tried = bool(measure or plot or check)
    _check_arguments(given, tried=tried, lists=bool(families or markdown))
    if over and not plot:
        raise UsageError("--over: only a plot has an axis; add --plot FILE.png")
    if plot:
        files.check_picture(plot, parameter="plot")
    _load(plugin or [], tried=tried)
    if not tried:
        console.result(listing.render(given, families=families, json=json, markdown=markdown))
        return
    chosen = _losses(given)
    if len(chosen) > 1 and (measure or check):
        raise UsageError(f"--measure and --check take one loss, got {', '.join(chosen)}; --plot takes several")
    check_count(len(chosen), over or "all")
    _start_keras()
    with console.status("loading Keras, examining the loss"):
        report, text, sound = _examine(chosen, measure=measure, plot=plot, over=over or "all", check=check)
    if json:
        from json import dumps

        console.result(dumps(report, indent=2, ensure_ascii=False))
    else:
        console.result("\n\n".join([listing.card(given[0]), text] if measure else [text]))
    if not sound:
        raise typer.Exit(UsageError.exit_code)


def _load(plugins: Sequence[Path], *, tried: bool) -> None:
    """Load plugins; those whose losses are tried need Keras with its messages off."""
    from lossbench.losses.plugin import load

    if plugins and tried:
        _start_keras()
    for path in plugins:
        for reason in load(path).unusable:
            console.note(f"note: not listed: {reason}")


def _check_arguments(arguments: Sequence[str], *, tried: bool, lists: bool) -> None:
    """Refuse hyperparameters without an option that uses them, and such an option without the name of a loss."""
    settings = [text for text in arguments if "=" in text]
    if settings and not tried:
        raise UsageError(f"{settings[0]}: hyperparameters need --measure, --plot or --check")
    if tried and (lists or not arguments):
        raise UsageError("--measure, --plot and --check need the name of one loss: lossbench losses NAME --check")


def _start_keras() -> None:
    """Import Keras with TensorFlow's messages off; without TensorFlow, it runs on another backend."""
    from importlib.util import find_spec

    if find_spec("tensorflow"):
        from lossbench.training.runtime import tensorflow

        tensorflow()


def _losses(words: Sequence[str]) -> dict[str, tuple[LossTerm, ...]]:
    """Return the losses by the words that choose them: names, each followed by settings with one or more values.

    Example:
        >>> list(_losses(["ce", "focal", "gamma=0,5"]))
        ['ce', 'focal gamma=0', 'focal gamma=5']
    """
    from lossbench.config.sweep import values_of

    entries: list[tuple[str, list[str]]] = []
    for word in words:
        if "=" not in word:
            entries.append((word, []))
        elif entries:
            entries[-1][1].append(word)
        else:
            raise UsageError(f"{word!r}: name a loss first, e.g. focal {word}")
    chosen: dict[str, tuple[LossTerm, ...]] = {}
    for name, settings in entries:
        keys = [setting.partition("=")[0] for setting in settings]
        if len(set(keys)) < len(keys):
            raise UsageError(f"{name}: a hyperparameter is set twice: {' '.join(settings)}; write e.g. gamma=0,2,5")
        values = [values_of(setting) or [setting.partition("=")[2]] for setting in settings]
        for each in product(*values):
            pairs = [f"{key}={value.strip()}" for key, value in zip(keys, each, strict=True)]
            chosen[" ".join([name, *pairs])] = terms_of(name, pairs)
    return chosen


def terms_of(name: str, settings: Sequence[str]) -> tuple[LossTerm, ...]:
    """Parse the loss of a name with hyperparameters as `key=value`.

    Raises:
        ConfigError: There is no such loss, or it does not take them.
    """
    from lossbench.config import yaml
    from lossbench.losses.expression import InvalidLossError, parse

    hyperparameters = {}
    for setting in settings:
        key, _, value = setting.partition("=")
        position = yaml.Position(f"command line: {setting!r}")
        hyperparameters[key] = yaml.parse_value(value, position, ("loss", key)).plain()
    try:
        return parse({"name": name, **hyperparameters})
    except InvalidLossError as error:
        lines = [": ".join((*map(str, problem.path or (name,)), problem.message)) for problem in error.problems]
        raise ConfigError(lines, error.problems) from None


def _examine(
    chosen: Mapping[str, Sequence[LossTerm]], *, measure: bool, plot: Path | None, over: Over, check: bool
) -> tuple[dict[str, Any], str, bool]:
    """Return the requested results as plain values and as text, and whether all checks passed."""
    from dataclasses import asdict

    from lossbench.losses import listing
    from lossbench.losses.expression import dump

    terms, *others = chosen.values()
    report: dict[str, Any] = {"losses": list(map(dump, chosen.values()))} if others else {"loss": dump(terms)}
    texts, sound = [], True
    if measure:
        from lossbench.losses.lab import properties

        measured = properties.measure(terms)
        report["measured"] = properties.as_json(measured)
        texts.append(properties.report(terms, measured))
    if check:
        from lossbench.losses.lab import check as checks
        from lossbench.losses.lab.check_report import report as check_report

        findings = checks.check(terms)
        report["checks"] = [asdict(each) for each in findings]
        texts.append(check_report(terms, findings, listing.width()))
        sound = all(each.passed is not False for each in findings)
    if plot:
        from lossbench.losses.lab.plot import save

        save(chosen, plot, over=over)
        report["plot"] = str(plot)
        texts.append(str(plot))
    return report, "\n\n".join(texts), sound
