"""Search for losses by words and families: `lossbench losses noise`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lossbench.errors import UsageError, did_you_mean
from lossbench.losses.presets import PRESETS
from lossbench.losses.registry import find, signatures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PRESET_FAMILY = "presets"

SUBJECTS: dict[str, tuple[str, ...]] = {
    "noise": ("noise", "noisy", "wrong label"),
    "noisy": ("noise", "noisy", "wrong label"),
    "imbalance": ("imbalance", "rare class", "class frequenc", "class counts"),
    "imbalanced": ("imbalance", "rare class", "class frequenc", "class counts"),
    "long-tail": ("imbalance", "rare class", "class frequenc", "class counts"),
    "calibration": ("calibration", "confidence"),
    "segmentation": ("overlap",),
    "regression": ("distances",),
    "metric-learning": ("angular",),
}
"""Words of a subject, and what the texts of its losses contain; any other word is searched for as it is."""


def search(words: Sequence[str] = (), families: Sequence[str] = ()) -> list[str]:
    """Return the losses and presets that are in one of the families and contain all words, or else any of them.

    Name, aliases, family, summary and the description of the family are searched; a word may be part of another one.

    Args:
        words: Words, in upper or lower case; none selects every loss.
        families: Families, `presets` among them; none selects all.

    Raises:
        UsageError: If a family does not exist, or no loss is found.
    """
    known = all_families()
    for family in families:
        if family not in known:
            near = did_you_mean(family, known)
            raise UsageError(f"unknown family {family!r}{near or ';'} there are {', '.join(known)}", parameter="family")
    texts = {name: text for name, (family, text) in _texts().items() if not families or family in families}
    hits = {name: sum(_contains(text, word) for word in words) for name, text in texts.items()}
    found = [name for name, count in hits.items() if count == len(words)] or [name for name in hits if hits[name]]
    if not found and len(words) == 1 and not families:
        find(words[0])  # its error suggests what may be meant
    if not found:
        where = f" of {', '.join(families)}" if families else ""
        raise UsageError(f"no loss{where} has {' or '.join(map(repr, words))}; `lossbench losses` lists all")
    return found


def all_families() -> list[str]:
    """Return the families in the order of the listing, those of plugins and the presets among them."""
    return list(dict.fromkeys([*(signature.family for signature in signatures().values()), PRESET_FAMILY]))


def _contains(text: str, word: str) -> bool:
    return any(part in text for part in SUBJECTS.get(word.lower(), (word.lower(),)))


def _texts() -> dict[str, tuple[str, str]]:
    """Return family and searched text of every loss and preset."""
    texts = {
        name: (each.family, " ".join((name, *each.aliases, each.family, each.summary, _about(each.function))).lower())
        for name, each in signatures().items()
    }
    return texts | {name: (PRESET_FAMILY, _preset_text(name, texts)) for name in PRESETS}


def _preset_text(name: str, texts: Mapping[str, tuple[str, str]]) -> str:
    preset = PRESETS[name]
    terms = preset if isinstance(preset, list) else [preset]
    return " ".join([name, PRESET_FAMILY, *(texts[find(term["name"]).name][1] for term in terms)])


def _about(function: object) -> str:
    """Return the first paragraph of the file of a built-in loss."""
    module = str(getattr(function, "__module__", ""))
    built_in = module.startswith("lossbench.losses.catalogue.")
    return (sys.modules[module].__doc__ or "").partition("\n\n")[0] if built_in else ""
