"""`lossbench guide`: the manual in the terminal."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lossbench.cli import completion, console


def guide(
    page: Annotated[
        str | None,
        typer.Argument(
            metavar="PAGE",
            help="The page or lesson to show, or the beginning of its name.",
            autocompletion=completion.guide_pages,
        ),
    ] = None,
    *,
    lang: Annotated[
        str | None,
        typer.Option(
            "--lang",
            metavar="LANGUAGE",
            help="Language of the manual: en or zh. (default: that of LANGUAGE or the locale)",
            autocompletion=completion.guide_languages,
        ),
    ] = None,
) -> None:
    """List the pages of the manual and the lessons of the course, or show one."""
    from lossbench import guide as manual
    from lossbench.guide import languages

    code = languages.chosen(lang)
    words = languages.LANGUAGES[code]
    if page is None:
        console.result(f"{_listed(manual.pages(code))}\n\n{words.lessons}\n{_listed(manual.lessons(code))}")
        console.note(f"\n{words.advice}")
        return
    file = manual.path(page, code)
    if not manual.is_translated(file, code):
        console.note(f"{words.untranslated}\n")
    text = file.read_text(encoding="utf-8")
    if console.is_terminal(sys.stdout):
        from lossbench.guide import terminal

        console.rendered(terminal.render(text))
    else:
        console.result(text, end="")


def _listed(pages: dict[str, str]) -> str:
    width = max(map(len, pages)) + 2
    return "\n".join(f"{name:<{width}}{line}" for name, line in pages.items())
