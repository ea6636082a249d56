"""Documentation site: what it adds to the pages of the guide, as an extension of Sphinx.

    sources.py  pages of an edition, as Sphinx reads them: navigation, anchors, links between the editions
    cards.py    one page per loss, from its record
    words.py    headings of generated pages in both languages
    figures.py  one figure per loss, as `lossbench losses NAME --plot` draws it
    search.py   Chinese search

The English edition is built in a folder, the Chinese one in its subfolder `zh`, as the pages lie in the guide. Nothing
is written beside the pages: what Sphinx reads lies in its build folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lossbench import ops
from lossbench.guide.languages import CHINESE, ENGLISH
from lossbench.guide.site import figures, search, sources


def setup(app: Any) -> None:
    """Prepare the pages of an edition and let Sphinx read them in place of the guide's folder."""
    edition = _edition(app)
    ops.claim_process()
    ops.quiet_keras()  # which autodoc imports
    output = Path(app.outdir)
    figures.draw((output.parent if edition == CHINESE else output) / "figures")
    app.srcdir = app.doctreedir / "sources"
    sources.write(app.srcdir, edition)
    search.add(app)
    app.connect("autodoc-process-docstring", _as_rst, priority=400)  # before napoleon's
    app.connect("html-page-context", _link_editions)


def _edition(app: Any) -> str:
    return CHINESE if app.config.language.startswith(CHINESE) else ENGLISH


def _as_rst(_app: Any, _what: str, _name: str, _object: object, _options: Any, lines: list[str]) -> None:
    """Mark code and drawings in a docstring as literal blocks."""
    lines[:] = sources.with_literal_blocks(lines)


def _link_editions(app: Any, page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """Begin a page with a link to the other edition."""
    if context.get("body"):
        edition = _edition(app)
        context["body"] = sources.edition_link(page, edition) + context["body"]
