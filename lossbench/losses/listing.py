"""Output of `lossbench losses`: list of all losses, card of one loss, Markdown table, and JSON."""

from __future__ import annotations

import re
import shutil
from dataclasses import fields, replace
from itertools import groupby
from json import dumps
from textwrap import TextWrapper, indent
from typing import TYPE_CHECKING, Any

from lossbench.losses.expression import link, parse
from lossbench.losses.labels import label
from lossbench.losses.plain_data import to_yaml
from lossbench.losses.presets import PRESETS
from lossbench.losses.registry import check_usable, find, names, signatures
from lossbench.losses.search import search
from lossbench.losses.signature import IN_FILE, REQUIRED, context_conditions, engine_parameters
from lossbench.losses.types import State
from lossbench.losses.values import FromFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lossbench.losses.signature import Hyperparameter, LossSignature

WIDEST = 120
PIPE = "&#124;"  # a vertical bar inside a table cell
NO_BREAK = "\u00a0"


def render(
    words: Sequence[str] = (), *, families: Sequence[str] = (), json: bool = False, markdown: bool = False
) -> str:
    """Return losses as text, JSON or a Markdown table: all, one that is named, or those that are searched for.

    Args:
        words: The name of one loss, or words to search for.
        families: Families to search in; all if empty.
        json: Whether to return JSON.
        markdown: Whether to return a Markdown table.

    Raises:
        UsageError: If there is no such loss or family.
    """
    if len(words) == 1 and not families and words[0] in names():
        (name,) = words
        one = record(name)
        return _json(as_json(one)) if json else table([one]) if markdown else card(name)
    if len(words) == 1:
        check_usable(words[0])
    found = search(words, families)
    if json:
        return _json([as_json(record(name)) for name in found])
    if markdown:
        return table([record(name) for name in found if words or families or name not in PRESETS])
    return listing(found)


def _json(value: object) -> str:
    return dumps(value, indent=2, ensure_ascii=False)


def record(name: str) -> LossSignature:
    """Return the record of a loss or preset; a preset of one loss is that loss with its name and other defaults.

    Raises:
        UsageError: If there is no such loss.
    """
    check_usable(name)
    preset = PRESETS.get(name)
    if preset is None:
        return find(name)
    terms = parse(name)
    first = find(terms[0].name)
    if isinstance(preset, dict):
        defaults = {
            key: replace(each, default=preset.get(key, each.default)) for key, each in first.hyperparameters.items()
        }
        return replace(first, name=name, aliases=(), hyperparameters=defaults)
    summary = f"Weighted sum: {label(terms)}."
    losses = [find(term.name) for term in terms]
    return replace(
        first,
        name=name,
        family="presets",
        hyperparameters={},
        context=tuple(dict.fromkeys(name for loss in losses for name in loss.context)),
        states=tuple(dict.fromkeys(name for loss in losses for name in loss.states)),
        docstring=summary,
        summary=summary,
        formula=label(terms),
        source="; ".join(dict.fromkeys(loss.source for loss in losses)),
        aliases=(),
        link=link(terms),
    )


def listing(found: Sequence[str]) -> str:
    """Return losses with their hyperparameters and summary, by family, and presets."""
    members = [signature for name, signature in signatures().items() if name in found]
    families = ["\n".join([family, *map(_entry, losses)]) for family, losses in groupby(members, lambda s: s.family)]
    presets = [_fill(f"{name}: {flow_yaml(value)}", 2, 8) for name, value in PRESETS.items() if name in found]
    return "\n\n".join([*families, *(["\n".join(["presets", *presets])] if presets else [])])


def _entry(signature: LossSignature) -> str:
    title = " ".join((signature.name, *(f"{h.name}={default_text(h)}" for h in signature.hyperparameters.values())))
    aliases = f" (also {', '.join(signature.aliases)})" if signature.aliases else ""
    about = f"{signature.summary}{aliases}".strip()
    return "\n".join([_fill(title, 2, 8), *([_fill(about, 6)] if about else [])])


def card(name: str) -> str:
    """Return the docstring of one loss, its YAML, the ranges of its hyperparameters and its context.

    Raises:
        UsageError: If there is no such loss.
    """
    check_usable(name)
    if isinstance(PRESETS.get(name), list):
        return _fill(f"{name} is short for {flow_yaml(PRESETS[name])}", 0, 2)
    signature = find(name)
    title = _fill(f"{name} is short for {flow_yaml(PRESETS[name])}", 0, 2) + "\n\n" if name in PRESETS else ""
    in_yaml = _fill(f"loss: {yaml_with_defaults(signature)}", 2, 4)
    ranges = [_fill(f"{h.name}: {_expected(h)}", 2, 4) for h in signature.hyperparameters.values()]
    documented = signature.docstring.strip() or "This loss has no docstring."
    about = indent(_wrapped(documented, width() - 2), "  ")
    head = ["  model: {head: cosine}"] if "head_scale" in signature.context else []
    card_ = [f"{title}{signature.name}\n\n{about}\n\nYAML with the defaults:\n", in_yaml, *head, *ranges]
    needs = [_fill(f"{name}: {words}", 2, 4) for name, words in engine_inputs(signature)]
    return "\n".join([*card_, *(["\nInputs that the training loop provides:\n", *needs] if needs else [])])


def yaml_with_defaults(signature: LossSignature) -> str:
    """Return a loss as YAML writes it, with every default."""
    defaults = {h.name: default_text(h) for h in signature.hyperparameters.values() if h.plain_default is not IN_FILE}
    entries = (f"{key}:{NO_BREAK}{text}" for key, text in {"name": signature.name, **defaults}.items())
    return f"{{{', '.join(entries)}}}"


def _expected(hyperparameter: Hyperparameter) -> str:
    if hyperparameter.plain_default is not IN_FILE:
        return hyperparameter.expected
    if isinstance(hyperparameter.annotation, FromFile):
        return f"{IN_FILE}, as YAML cannot express it"
    return f"{hyperparameter.expected}; the default is {IN_FILE}"


def engine_inputs(signature: LossSignature) -> Iterator[tuple[str, str]]:
    """Yield the parameters that the engine fills in, with their meaning."""
    for name, mark in engine_parameters(signature.function).items():
        if isinstance(mark, State):
            yield name, f"state {'per image' if mark.per_image else 'of the run'}"
        else:
            condition = context_conditions(signature.function).get(name)
            deciding = " and ".join(condition.hyperparameters) if condition else ""
            yield name, mark.description + (f"; depends on {deciding}" if deciding else "")


def width() -> int:
    """Return the width of the terminal, at most WIDEST; 80 without a terminal."""
    return min(shutil.get_terminal_size().columns, WIDEST)


def _fill(text: str, first: int, rest: int | None = None, columns: int | None = None) -> str:
    """Break a paragraph at spaces only, with an indentation of the first and of all other lines."""
    wrapper = TextWrapper(columns or width(), break_long_words=False, break_on_hyphens=False)
    wrapper.initial_indent, wrapper.subsequent_indent = " " * first, " " * (first if rest is None else rest)
    return wrapper.fill(text).replace(NO_BREAK, " ")


def _wrapped(docstring: str, columns: int) -> str:
    """Break the long lines of a docstring, except for code."""
    return "\n\n".join(
        paragraph
        if ">>>" in paragraph or max(map(len, paragraph.splitlines()), default=0) <= columns
        else "\n".join(_fill_entry(entry, columns) for entry in re.split(ENTRY, re.sub(CLAUSE, r"\n    ", paragraph)))
        for paragraph in docstring.split("\n\n")
    )


ENTRY = re.compile(r"\n(?=Link: |Aliases: |Source: |(?: {2}| {4})\S|\s*[-*] )")
"""Start of a statement, an entry of a section, a formula or an item, which begins on a new line."""

CLAUSE = re.compile(r"(?<=,) {2}(?=\S)")
"""Gap between two parts of a formula."""


def _fill_entry(entry: str, columns: int) -> str:
    first = len(entry) - len(entry.lstrip())
    return _fill(" ".join(entry.split()), first, first + 4 if first else 0, columns)


def table(selected: Iterable[LossSignature] | None = None) -> str:
    """Return a Markdown table of the selected losses, or of all."""
    header = "| identifier (aliases) | hyperparameters | formula | source |\n| --- | --- | --- | --- |"
    return "\n".join([header, *map(_row, selected or signatures().values())])


def _row(signature: LossSignature) -> str:
    aliases = f" ({', '.join(f'`{alias}`' for alias in signature.aliases)})" if signature.aliases else ""
    hyperparameters = "; ".join(
        f"{h.name} = {default_text(h)} {h.range if h.range[:1] in '([' else f'({h.range})'}".strip()
        for h in signature.hyperparameters.values()
    )
    cells = (f"`{signature.name}`{aliases}", hyperparameters or "–", signature.formula, signature.source)
    return f"| {' | '.join(cell.replace('|', PIPE) for cell in cells)} |"


def as_json(signature: LossSignature) -> dict[str, Any]:
    """Return the record of a loss as plain values."""
    internal = ("function", "execution", "hyperparameters")
    plain = {f.name: getattr(signature, f.name) for f in fields(signature) if f.name not in internal}
    hyperparameters = [
        {
            "name": h.name,
            "type": h.type,
            "range": h.range,
            "description": h.description,
            "required": h.default is REQUIRED,
        }
        | ({} if h.plain_default in (REQUIRED, IN_FILE) else {"default": h.plain_default})
        | ({"default_in_file": True} if h.plain_default is IN_FILE else {})
        for h in signature.hyperparameters.values()
    ]
    return plain | {
        "plugin": signature.plugin and str(signature.plugin),
        "hyperparameters": hyperparameters,
        "short_for": PRESETS.get(signature.name),
    }


def default_text(hyperparameter: Hyperparameter) -> str:
    """Return the default as text, with six digits."""
    default = hyperparameter.plain_default
    if default is REQUIRED or default is IN_FILE:
        return "required" if default is REQUIRED else str(IN_FILE)
    return f"{default:g}" if isinstance(default, float) else to_yaml(default)


def flow_yaml(value: Any) -> str:
    """Return YAML on one line, in which line breaks do not separate a key from its value."""
    if isinstance(value, list):
        return f"[{', '.join(map(flow_yaml, value))}]"
    return f"{{{', '.join(f'{key}:{NO_BREAK}{to_yaml(entry)}' for key, entry in value.items())}}}"
