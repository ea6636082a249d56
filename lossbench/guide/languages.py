"""The languages of the manual: English, and those whose code is the name of a folder of translated pages."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from lossbench.errors import UsageError

ENGLISH = "en"
CHINESE = "zh"


@dataclass(frozen=True)
class Language:
    """What `lossbench guide` and the site say in a language.

    Attributes:
        name: The name that its readers use.
        start: The line that describes the index.
        lessons: The title of the list of lessons.
        advice: The sentence after the list of pages.
        english_only: The mark of a page that is not translated, in the list.
        untranslated: The sentence before such a page.
    """

    name: str
    start: str
    lessons: str
    advice: str
    english_only: str = ""
    untranslated: str = ""


LANGUAGES = {
    ENGLISH: Language(
        name="English",
        start="Start here: what the guide covers.",
        lessons="Lessons:",
        advice="`lossbench guide PAGE` shows one page, `lossbench guide lesson-1` one lesson.",
    ),
    CHINESE: Language(
        name="中文",
        start="从这里开始：手册有哪些内容。",
        lessons="课程：",
        advice="`lossbench guide PAGE` 显示其中一页，`lossbench guide lesson-1` 显示第一课。",
        english_only="（英文）",
        untranslated="这一页尚无中文版，以下是英文版。",
    ),
}
"""Languages by the code with which a locale begins."""


def chosen(name: str | None = None) -> str:
    """Return the code of a language, by default the user's; English if the manual does not have the latter.

    Args:
        name: The language, also with a region or script: zh, zh_CN, zh-Hans.

    Raises:
        UsageError: The manual does not have the language.
    """
    if name is None:
        return next((code for code in map(_language, _preferred()) if code in LANGUAGES), ENGLISH)
    if _language(name) not in LANGUAGES:
        raise UsageError(f"no language {name!r}; choose {' or '.join(LANGUAGES)}", parameter="lang")
    return _language(name)


def _preferred() -> list[str]:
    """Return the user's languages, best first: LANGUAGE, except in the locale C, or the locale."""
    locale = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "C")
    listed = os.environ.get("LANGUAGE", "") if _language(locale) not in {"c", "posix"} else ""
    return listed.split(":") if listed else [locale]


def _language(name: str) -> str:
    """Return the language of a locale or language tag, without region, script and encoding.

    Example:
        >>> _language("zh_CN.UTF-8"), _language("ZH-Hans"), _language("zhuang")
        ('zh', 'zh', 'zhuang')
    """
    return re.split("[-_.@]", name)[0].lower()
