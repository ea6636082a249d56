"""`lossbench losses`: the catalogue, or one loss."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lossbench.cli import completion, console, options
from lossbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossbench.losses.expression import LossTerm

Name = Annotated[
    str | None,
    typer.Argument(help="Show this loss only: identifier, alias or preset.", autocompletion=completion.losses),
]
Settings = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY=VALUE", help="Hyperparameters for --measure, --plot, --check."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print the README's table.")]
Measure = Annotated[bool, typer.Option("--measure", help="Measure: bounded, symmetric, proper, largest gradient.")]
Plot = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE.png", help="Draw loss and gradient against the margin.")
]
Check = Annotated[bool, typer.Option("--check", help="Prove the loss sound, one of your own too; exit 2 if it is not.")]


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
    """List the losses, or show one: formula, hyperparameters, ranges, source; measured, drawn, checked."""
    from lossbench.losses import listing

    tried = measure or plot or check
    if settings and not tried:
        raise UsageError(f"{settings[0]}: hyperparameters go with --measure, --plot or --check")
    if tried and (markdown or not name):
        raise UsageError("--measure, --plot and --check are about one loss: lossbench losses NAME --check")
    if tried:
        _start_keras()
    if plugin:
        from lossbench.losses.plugin import load

        for path in plugin:
            load(path)
    if not tried:
        console.result(listing.render(name, json=json, markdown=markdown))
        return
    terms = _terms(str(name), settings or [])
    report, text, sound = _tried(terms, measure=measure, plot=plot, check=check)
    if json:
        from json import dumps

        console.result(dumps(report, indent=2, ensure_ascii=False))
    else:
        console.result("\n\n".join([listing.card(str(name)), text] if measure else [text]))
    if not sound:
        raise typer.Exit(UsageError.exit_code)


def _start_keras() -> None:
    """Import Keras with TensorFlow's chatter off, unless Keras is to run on another backend."""
    import os

    if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
        from lossbench.training.runtime import tensorflow

        tensorflow()


def _terms(name: str, settings: Sequence[str]) -> tuple[LossTerm, ...]:
    """The loss of that name with `key=value` on top."""
    from lossbench.config import yaml
    from lossbench.losses.expression import InvalidLossError, parse

    hyperparameters = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise UsageError(f"{setting!r}: expected KEY=VALUE, such as gamma=5")
        position = yaml.Position(f"command line: {setting!r}")
        hyperparameters[key] = yaml.parse_value(value, position).plain()
    try:
        return parse({"name": name, **hyperparameters})
    except InvalidLossError as error:
        raise UsageError("\n".join(": ".join((*map(str, p.path), p.message)) for p in error.problems)) from None


def _tried(
    terms: Sequence[LossTerm], *, measure: bool, plot: Path | None, check: bool
) -> tuple[dict[str, Any], str, bool]:
    """What was asked for, as plain values and as text, and whether every check passed."""
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
