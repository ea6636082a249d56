"""Characters that look like those of YAML, and what to write instead: `：` for `:`."""

from __future__ import annotations

import unicodedata

FULL_WIDTH = 0xFEE0
"""Distance of a full-width character, U+FF01 to U+FF5E, from the ASCII character that it looks like."""

LOOKALIKES: dict[str, tuple[str, str]] = {
    **dict.fromkeys("“”„‟«»", ("curly quote", '"')),
    **dict.fromkeys("‘’‚‛", ("curly quote", "'")),
    **dict.fromkeys("−‐‑‒–—", ("typographic dash", "-")),
    **dict.fromkeys("\u00a0\u2007\u202f", ("non-breaking space", " ")),
    **dict.fromkeys("\u2002\u2003\u2009\u200a\u3000", ("wide or thin space", " ")),
    **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff", ("invisible character", "")),
    "、": ("ideographic comma", ","),
    "。": ("ideographic full stop", "."),
    "【": ("wide bracket", "["),
    "】": ("wide bracket", "]"),
}
"""Characters that word processors and input methods write for one of YAML's: what they are, and the right one."""


def lookalike(text: str) -> str:
    """Return what to write instead of the first character that looks like one of YAML's; empty if there is none.

    Example:
        >>> lookalike("loss：focal")
        "a full-width colon '：' (U+FF1A): write ':'"
    """
    found = next((each for each in text if each in LOOKALIKES or "！" <= each <= "～"), None)
    if found is None:
        return ""
    name, right = LOOKALIKES.get(found, ("", chr(ord(found) - FULL_WIDTH if found >= "！" else 0)))
    name = name or unicodedata.name(found).lower().replace("fullwidth", "full-width")
    remedy = f"write {right!r}" if right.strip() else "write a space" if right else "remove it"
    shown, article = f" {found!r}" if found.isprintable() else "", "an" if name[0] in "aeiou" else "a"
    return f"{article} {name}{shown} (U+{ord(found):04X}): {remedy}"
