"""The languages of the manual: English, and those whose code is the name of a folder of translated pages."""

from __future__ import annotations

import os
from dataclasses import dataclass

from lossbench.errors import UsageError

ENGLISH = "en"


@dataclass(frozen=True)
class Language:
    """What `lossbench guide` says in a language.

    Attributes:
        start: The line that describes the index.
        lessons: The title of the list of lessons.
        advice: The sentence after the list of pages.
        english_only: The mark of a page that is not translated, in the list.
        untranslated: The sentence before such a page.
    """

    start: str
    lessons: str
    advice: str
    english_only: str = ""
    untranslated: str = ""


LANGUAGES = {
    ENGLISH: Language(
        start="Start here: what the guide covers.",
        lessons="Lessons:",
        advice="`lossbench guide PAGE` shows one page, `lossbench guide lesson-1` one lesson.",
    ),
    "zh": Language(
        start="从这里开始：手册有哪些内容。",
        lessons="课程：",
        advice="`lossbench guide PAGE` 显示其中一页，`lossbench guide lesson-1` 显示第一课。",
        english_only="（英文）",
        untranslated="这一页尚无中文版，以下是英文版。",
    ),
}
"""Languages by the code with which a locale begins."""


def chosen(code: str | None = None) -> str:
    """Return the code of a language, by default that of the locale; English if the manual does not have the latter.

    Raises:
        UsageError: The manual does not have the language `code`.
    """
    if code is None:
        locale = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
        return next((each for each in LANGUAGES if locale.startswith(each)), ENGLISH)
    if code not in LANGUAGES:
        raise UsageError(f"no language {code!r}; choose {' or '.join(LANGUAGES)}", parameter="lang")
    return code
