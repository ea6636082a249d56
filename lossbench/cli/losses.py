"""`lossbench losses`: list the losses, or show, measure, check or plot one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lossbench.cli import completion, console, options
from lossbench.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossbench.losses.expression import LossTerm

Name = Annotated[
    str | None,
    typer.Argument(help="Identifier, alias or preset of a loss.", autocompletion=completion.losses),
]
Settings = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY=VALUE", help="Hyperparameters for --measure, --plot and --check."),
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
    Path | None, typer.Option("--plot", metavar="FILE.png", help="Plot loss and gradient against the margin.")
]
Check = Annotated[
    bool, typer.Option("--check", help="Test values, gradients and limits of the loss; exit with 2 if a check fails.")
]


def losses(
    name: Name = None,
    settings: Settings = None,
    *,
    json: Json = False,
    markdown: Markdown = False,
    plugin: options.Plugins = None,
    measure: Measure = False,
    plot: Plot = None,
    check: Check = False,
) -> None:
    """List all losses, or show formula, hyperparameters, ranges and source of one; measure, check or plot it."""
    from lossbench.losses import listing

    tried = measure or plot or check
    if settings and not tried:
        raise UsageError(f"{settings[0]}: hyperparameters need --measure, --plot or --check")
    if tried and (markdown or not name):
        raise UsageError("--measure, --plot and --check need the name of one loss: lossbench losses NAME --check")
    if tried:
        _start_keras()
    if plugin:
        from lossbench.losses.plugin import load

        for path in plugin:
            for reason in load(path).unusable:
                console.note(f"note: not listed: {reason}")
    if not tried:
        console.result(listing.render(name, json=json, markdown=markdown))
        return
    terms = _terms(str(name), settings or [])
    report, text, sound = _examine(terms, measure=measure, plot=plot, check=check)
    if json:
        from json import dumps

        console.result(dumps(report, indent=2, ensure_ascii=False))
    else:
        console.result("\n\n".join([listing.card(str(name)), text] if measure else [text]))
    if not sound:
        raise typer.Exit(UsageError.exit_code)


def _start_keras() -> None:
    """Import Keras with TensorFlow's messages off; without TensorFlow, it runs on another backend."""
    from importlib.util import find_spec

    if find_spec("tensorflow"):
        from lossbench.training.runtime import tensorflow

        tensorflow()


def _terms(name: str, settings: Sequence[str]) -> tuple[LossTerm, ...]:
    """Parse the loss with the given hyperparameters."""
    from lossbench.config import yaml
    from lossbench.losses.expression import InvalidLossError, parse

    hyperparameters = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise UsageError(f"{setting!r}: expected KEY=VALUE, e.g. gamma=5")
        position = yaml.Position(f"command line: {setting!r}")
        hyperparameters[key] = yaml.parse_value(value, position, ("loss", key)).plain()
    try:
        return parse({"name": name, **hyperparameters})
    except InvalidLossError as error:
        lines = [": ".join((*map(str, problem.path), problem.message)) for problem in error.problems]
        raise ConfigError(lines, error.problems) from None


def _examine(
    terms: Sequence[LossTerm], *, measure: bool, plot: Path | None, check: bool
) -> tuple[dict[str, Any], str, bool]:
    """Return the requested results as plain values and as text, and whether all checks passed."""
    from dataclasses import asdict

    from lossbench.losses import listing
    from lossbench.losses.expression import dump

    report: dict[str, Any] = {"loss": dump(terms)}
    texts, sound = [], True
    if measure:
        from lossbench.losses.lab import properties

        measured = properties.measure(terms)
        report["measured"] = properties.as_json(measured)
        texts.append(properties.report(terms, measured))
    if check:
        from lossbench.losses.lab import check as checks

        findings = checks.check(terms)
        report["checks"] = [asdict(each) for each in findings]
        texts.append(checks.report(terms, findings, listing.width()))
        sound = all(each.passed is not False for each in findings)
    if plot:
        from lossbench.losses.lab.plot import save

        save(terms, plot)
        report["plot"] = str(plot)
        texts.append(str(plot))
    return report, "\n\n".join(texts), sound
