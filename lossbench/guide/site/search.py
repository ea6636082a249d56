"""Chinese search: text without spaces is indexed by single characters and by pairs, and queries are split into pairs.

A word list, such as jieba's, does not know 焦点损失 or 对数几率, and the browser, which has no word list, would look up
the whole query as one word.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

SPLIT_QUERY = r"""
var splitQuery = (query) =>
  (query.match(/[\u4e00-\u9fff]+|(?:(?![\u4e00-\u9fff])[\p{L}\p{N}_])+/gu) || []).flatMap((run) =>
    /^[\u4e00-\u9fff]{2}/.test(run) ? [...run].slice(1).map((character, before) => run[before] + character) : [run]
  );
"""
"""The words of a query, in the browser's language: pairs of Chinese characters, and all other words."""


def words(text: str) -> list[str]:
    """Return the words under which a text is found: Chinese characters, their pairs, and all other words."""
    runs = re.findall(r"[\u4e00-\u9fff]+", text)
    pairs = [first + second for run in runs for first, second in pairwise(run)]
    return [*"".join(runs), *pairs, *re.findall(r"[^\W\u4e00-\u9fff]+", text)]


def add(app: Any) -> None:
    """Add the Chinese search to Sphinx, in place of its own."""
    from sphinx.search import SearchLanguage
    from sphinx.search.zh import SearchChinese

    class Search(SearchChinese):  # type: ignore[misc]  # where Sphinx is not installed, the class has no type
        """Search by characters and pairs; English words are stemmed as by the class above it."""

        language_name = "English"  # that of the stemmer, by which the browser calls it
        js_splitter_code = SPLIT_QUERY
        word_filter = SearchLanguage.word_filter

        def split(self, input: str) -> list[str]:  # noqa: A002 - Sphinx's name
            """Return the words of a text."""
            found = words(input)
            self.latin_terms.update(word for word in found if word.isascii())
            return found

    app.add_search_language(Search)
