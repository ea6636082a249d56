"""The catalogue for reading: a list, a card for one loss, the README's table, and JSON."""

from __future__ import annotations

from dataclasses import fields
from itertools import groupby
from json import dumps
from textwrap import fill, indent
from typing import TYPE_CHECKING, Any

from lossbench.losses.catalogue import find, specs
from lossbench.losses.presets import PRESETS
from lossbench.losses.spec import REQUIRED
from lossbench.losses.terms import in_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lossbench.losses.spec import Hyperparameter, LossSpec

WIDTH = 80
PIPE = "&#124;"  # a bar that does not end a table's cell


def render(name: str | None = None, *, json: bool = False, markdown: bool = False) -> str:
    """All losses, or the one of that name, in the form asked for.

    Raises:
        UsageError: If there is no such loss.
    """
    selected = [find(name)] if name and (json or markdown) else list(specs().values())
    if json:
        return dumps(as_json(selected[0]) if name else list(map(as_json, selected)), indent=2, ensure_ascii=False)
    if markdown:
        return table(selected)
    return card(name) if name else listing()


def listing() -> str:
    """Every loss with its hyperparameters and its summary, by family."""
    families = [
        "\n".join([family, *map(_entry, members)]) for family, members in groupby(specs().values(), lambda s: s.family)
    ]
    presets = "\n".join(["presets", *(f"  {name}: {_flow(value)}" for name, value in PRESETS.items())])
    return "\n\n".join([*families, presets])


def _entry(spec: LossSpec) -> str:
    title = " ".join((spec.name, *(f"{h.name}={_default(h)}" for h in spec.hyperparameters.values())))
    aliases = f" (also {', '.join(spec.aliases)})" if spec.aliases else ""
    return "\n".join(
        [
            fill(title, WIDTH, initial_indent="  ", subsequent_indent=" " * 8, break_long_words=False),
            fill(f"{spec.summary}{aliases}", WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6),
        ]
    )


def card(name: str) -> str:
    """One loss: its docstring, and what YAML may say about it.

    Raises:
        UsageError: If there is no such loss.
    """
    if isinstance(PRESETS.get(name), list):
        return f"{name} stands for {_flow(PRESETS[name])}"
    spec = find(name)
    title = f"{name} stands for {_flow(PRESETS[name])}\n\n{spec.name}" if name in PRESETS else spec.name
    defaults = {h.name: _default(h) for h in spec.hyperparameters.values()}
    ranges = "".join(f"\n{h.name}: {h.expected}" for h in spec.hyperparameters.values())
    in_yaml_ = f"loss: {_flow({'name': spec.name, **defaults})}{ranges}"
    return f"{title}\n\n{indent(spec.docstring, '  ')}\n\nIn YAML, with the defaults:\n\n{indent(in_yaml_, '  ')}"


def table(selected: Iterable[LossSpec] | None = None) -> str:
    """The README's table in Markdown, of every loss unless some are selected."""
    header = "| identifier (aliases) | hyperparameters | formula | source |\n| --- | --- | --- | --- |"
    return "\n".join([header, *map(_row, selected or specs().values())])


def _row(spec: LossSpec) -> str:
    aliases = f" ({', '.join(f'`{alias}`' for alias in spec.aliases)})" if spec.aliases else ""
    hyperparameters = "; ".join(
        f"{h.name} = {_default(h)} {h.range if h.range[:1] in '([' else f'({h.range})'}".strip()
        for h in spec.hyperparameters.values()
    )
    cells = (f"`{spec.name}`{aliases}", hyperparameters or "–", spec.formula, spec.source)
    return f"| {' | '.join(cell.replace('|', PIPE) for cell in cells)} |"


def as_json(spec: LossSpec) -> dict[str, Any]:
    """The record of a loss in plain values."""
    plain = {f.name: getattr(spec, f.name) for f in fields(spec) if f.name not in ("function", "hyperparameters")}
    hyperparameters = [
        {
            "name": h.name,
            "type": h.type,
            "range": h.range,
            "description": h.description,
            "required": h.default is REQUIRED,
        }
        | ({} if h.default is REQUIRED else {"default": h.default})
        for h in spec.hyperparameters.values()
    ]
    return plain | {"plugin": spec.plugin and str(spec.plugin), "hyperparameters": hyperparameters}


def _default(hyperparameter: Hyperparameter) -> str:
    """The default in short: six digits are enough to read."""
    default = hyperparameter.default
    if default is REQUIRED:
        return "required"
    return f"{default:g}" if isinstance(default, float) else in_yaml(default)


def _flow(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return f"{{{', '.join(f'{key}: {in_yaml(entry)}' for key, entry in value.items())}}}"
