"""Loss cards as Markdown: formula, figure, hyperparameters with ranges, source, and both forms in Python."""

from __future__ import annotations

import inspect
import re
from itertools import groupby
from typing import TYPE_CHECKING
from urllib.parse import quote

from lossbench.guide.languages import CHINESE
from lossbench.guide.site.words import WORDS
from lossbench.losses import listing, registry
from lossbench.losses.presets import PRESETS
from lossbench.losses.signature import engine_parameters
from lossbench.losses.types import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lossbench.losses.signature import LossSignature

ADDRESSES = {"arXiv": "https://arxiv.org/abs/", "doi": "https://doi.org/"}
"""Addresses of papers by the kind of their identifiers."""

FIGURE = """<figure>
<a href="{folder}/{name}.png"><img src="{folder}/{name}.png" alt="{name}" loading="lazy"></a>
<figcaption><small><code>lossbench losses {name} --plot {name}.png</code></small></figcaption>
</figure>"""

DRAWN_INSIDE = "uniform"
"""Context that the Keras class draws by itself."""

_NO_NOTE = re.compile(r" {4}|(Link|Aliases|Args|Returns|Raises|Example|Source):")


def pages(edition: str) -> dict[str, str]:
    """Return the index of the cards and one card per loss, by path."""
    losses = registry.built_in()
    return {"losses/index.md": _index(edition)} | {
        f"losses/{name}.md": card(signature, edition) for name, signature in losses.items()
    }


def _index(edition: str) -> str:
    """Return the page that leads to the cards: one table per family, and the presets."""
    words = WORDS[edition]
    parts = [f"# {words['losses']}\n\n{words['card']}"]
    for family, losses in groupby(registry.built_in().values(), lambda each: each.family):
        rows = [(f"[`{each.name}`]({each.name}.md)", escaped(each.summary)) for each in losses]
        parts.append(f"## {family}\n\n{_table((words['loss'], words['summary']), rows)}")
    presets = [(f"`{name}`", _code(listing.flow_yaml(value))) for name, value in PRESETS.items()]
    parts.append(f"## {words['presets']}\n\n{_table((words['preset'], words['short for']), presets)}")
    parts.append("\n".join(["```{toctree}", ":hidden:", "", *registry.built_in(), "```"]))
    return "\n\n".join(parts) + "\n"


def card(signature: LossSignature, edition: str) -> str:
    """Return the card of a loss."""
    words, name = WORDS[edition], signature.name
    facts = [
        (words["yaml"], _code(f"loss: {listing.yaml_with_defaults(signature)}")),
        (words["head"], "`model: {head: cosine}`" if "head_scale" in signature.context else ""),
        (words["family"], f"[{signature.family}](index.md#{signature.family})"),
        (words["aliases"], ", ".join(f"`{alias}`" for alias in signature.aliases)),
        (words["trains"], words[signature.link]),
        (words["source"], linked(signature.source)),
    ]
    parts = [
        f"# {name}",
        escaped(signature.summary),
        f"```text\n{signature.formula}\n```",
        *_notes(signature),
        FIGURE.format(name=name, folder="../../figures" if edition == CHINESE else "../figures"),
        _table(("", ""), [row for row in facts if row[1]]),
        *_section(words["hyperparameters"], [words[key] for key in ("name", "default", "range", "meaning")], [
            (f"`{each.name}`", f"`{listing.default_text(each)}`", escaped(each.expected), escaped(each.description))
            for each in signature.hyperparameters.values()
        ]),
        *_section(words["inputs"], [words["name"], words["meaning"]], [
            (f"`{each}`", escaped(meaning)) for each, meaning in listing.engine_inputs(signature)
        ]),
        *_python(signature, words),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _notes(signature: LossSignature) -> Iterator[str]:
    """Yield the paragraphs of the docstring that are neither summary, formula, section nor statement."""
    for paragraph in signature.docstring.split("\n\n")[1:]:
        if not _NO_NOTE.match(paragraph):
            yield escaped(paragraph)


def _python(signature: LossSignature, words: dict[str, str]) -> Iterator[str]:
    """Yield the function form, as an entry of the reference, and the class form."""
    parameters = ", ".join(_parameters(signature))
    yield f"## {words['function form']}"
    yield f"```{{py:function}} lossbench.losses.{signature.name}({parameters})\n{_returns(signature)}\n```"
    yield f"## {words['class form']}"
    inputs = engine_parameters(signature.function).values()
    per_image = any(isinstance(mark, State) and mark.per_image for mark in inputs)
    yield words["no class form"] if per_image else f"```python\n{class_form(signature)}\n```"


def class_form(signature: LossSignature) -> str:
    """Return the code that makes the Keras loss, with every default and the context that these defaults use."""
    defaults = {each.name: each.plain_default for each in signature.hyperparameters.values()}
    context = [name for name in signature.used_context(defaults) if name != DRAWN_INSIDE]
    settings = [f"{name}={value!r}" for name, value in defaults.items()]
    arguments = [f'"{signature.name}"', *(f"{name}={name}" for name in context), *settings]
    call = "".join(f"\n    {each}," for each in arguments) + "\n" if arguments[1:] else arguments[0]
    return f"from lossbench.losses import get\n\nloss = get({call})"


def _parameters(signature: LossSignature) -> Iterator[str]:
    """Yield the parameters of a loss without their annotations."""
    yield from ("y_true", "y_pred")
    parameters = inspect.signature(signature.function).parameters.values()
    others = [each for each in parameters if each.kind == each.KEYWORD_ONLY]
    if others:
        yield "*"
    yield from (each.name if each.default is each.empty else f"{each.name}={each.default!r}" for each in others)


def _returns(signature: LossSignature) -> str:
    found = re.search(r"^Returns:\n((?: {4}.+\n?)+)", signature.docstring, re.MULTILINE)
    return escaped(" ".join(found[1].split())) if found else ""


def _section(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if rows:
        yield f"## {title}\n\n{_table(header, rows)}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', listing.PIPE) for cell in line)} |" for line in lines)


def _code(text: str) -> str:
    return f"`{text.replace(listing.NO_BREAK, ' ')}`"


def escaped(text: str) -> str:
    """Return text of a docstring so that Markdown shows it as it is; code in backquotes stays code."""
    pieces = re.split(r"(`[^`]*`)", re.sub(r"\s+", " ", text))
    return "".join(each if each.startswith("`") else re.sub(r"([\\*_<>\[\]$])", r"\\\1", each) for each in pieces)


def linked(source: str) -> str:
    """Return a source as Markdown, with links to its papers."""
    pieces = re.split(r"\b((?:arXiv|doi):\S+?)(?=[.;]?(?:\s|$))", source)
    pieces[::2] = map(escaped, pieces[::2])
    for number in range(1, len(pieces), 2):
        kind, _, identifier = pieces[number].partition(":")
        pieces[number] = f"[{escaped(pieces[number])}]({ADDRESSES[kind]}{quote(identifier)})"
    return "".join(pieces)
