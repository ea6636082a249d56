"""Shell completion of loss names, configuration keys and run folders.

`lossbench --install-completion` installs it. Completion imports nothing heavy and ignores errors in files.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from lossbench import files
from lossbench.errors import LossbenchError, UsageError


def losses(incomplete: str) -> Iterator[str]:
    """Complete a loss: canonical names, aliases, presets."""
    from lossbench.losses import registry

    return (name for name in registry.names() if name.startswith(incomplete))


def families(incomplete: str) -> Iterator[str]:
    """Complete a family of losses."""
    from lossbench.losses import search

    return (family for family in search.all_families() if family.startswith(incomplete))


def settings(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """Complete a YAML file, or a key of the configuration that was named, or of the defaults, followed by `=`."""
    from lossbench.config import resolve
    from lossbench.config.dump import dump

    yield from map(str, sorted(Path().glob(f"{glob.escape(incomplete)}*.y*ml")))
    named = next((text for text in ctx.params.get("overrides") or () if is_file(text)), None)
    file = ctx.params.get("config") or ctx.params.get("file") or named
    try:
        experiment = resolve.load(Path(file)) if file else resolve.from_mapping({})
    except LossbenchError:
        experiment = resolve.from_mapping({})
    yield from (f"{key}=" for key in _keys(dump(experiment)) if key.startswith(incomplete))


def runs(incomplete: str) -> Iterator[str]:
    """Complete a run folder, or a folder that may contain run folders, followed by `/`."""
    from lossbench.runs import paths

    for folder in sorted(Path().glob(f"{glob.escape(incomplete)}*/")):
        if not folder.name.startswith("."):
            yield str(folder) if (folder / paths.RUN).exists() else f"{folder}/"


def examples(incomplete: str) -> Iterator[str]:
    """Complete an example configuration."""
    from lossbench.config import examples as shipped

    return (name for name in shipped.names() if name.startswith(incomplete))


def guide_pages(ctx: typer.Context, incomplete: str) -> Iterator[tuple[str, str]]:
    """Complete a page or lesson of the guide, with its description in the language of `--lang` or the locale."""
    from lossbench import guide
    from lossbench.guide import languages

    try:
        code = languages.chosen(ctx.params.get("lang"))
    except UsageError:
        code = languages.chosen()
    pages = {**guide.pages(code), **guide.lessons(code)}
    return (page for page in pages.items() if page[0].startswith(incomplete.lower()))


def guide_languages(incomplete: str) -> Iterator[str]:
    """Complete a language of the guide."""
    from lossbench.guide import languages

    return (code for code in languages.LANGUAGES if code.startswith(incomplete))


def terms(incomplete: str) -> Iterator[tuple[str, str]]:
    """Complete a term of the glossary, with its subject."""
    from lossbench.guide import glossary

    return ((each.term, each.subject) for each in glossary.entries() if each.term.startswith(incomplete))


def is_file(text: str) -> bool:
    """Return whether an argument is a file and not `key=value`."""
    return (files.exists(text) and Path(text).is_file()) or ("=" not in text and Path(text).suffix in (".yaml", ".yml"))


def _keys(value: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, child in value.items():
        yield f"{prefix}{key}"
        if isinstance(child, dict):
            yield from _keys(child, f"{prefix}{key}.")
