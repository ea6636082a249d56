"""Suggestion for an unknown loss: the same name in another spelling or another library, or a misspelt name."""

from __future__ import annotations

import re
from contextlib import suppress
from difflib import SequenceMatcher
from functools import cache
from typing import TYPE_CHECKING

from lossbench.errors import LONGEST_WORD
from lossbench.losses.other_names import ELSEWHERE, NOT_HERE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

MOST = 3
"""Largest number of suggestions."""

SHORT = 3
"""Length of a word that is too short to guess what it begins or misspells."""

MOST_FILES, MOST_CHARACTERS = 100, 1 << 20
"""Limits of the search for the file of a user's loss."""

_EMPTY_WORDS = ("loss", "losses", "criterion", "objective", "fn", "func", "function", "and", "with", "from", "logits")
_SHORT_WORDS = {"ce": "crossentropy", "bce": "binarycrossentropy", "gce": "generalizedcrossentropy"}
_DEFINITION = re.compile(r"^(?:def |class |(?=\w+ *[:=]))(\w+)", re.MULTILINE)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def key(name: str) -> str:
    """Return what is left of a loss's name without its spelling; equal keys mean the same loss.

    A module before the name, capitals, separators and words such as `loss` or `with_logits` do not count; `ce` and
    `xent` are cross-entropy.

    Example:
        >>> key("torch.nn.CrossEntropyLoss"), key("softmax-xent"), key("BCEWithLogitsLoss")
        ('crossentropy', 'softmaxcrossentropy', 'binarycrossentropy')
    """
    spaced = re.sub(r"(?<=[A-Z])and(?=[A-Z])", "_", re.split(r"\.(?=.)", name)[-1])
    words = [word.lower() for word in _WORD.findall(spaced)]
    joined = "".join(_SHORT_WORDS.get(word, word) for word in words if word not in _EMPTY_WORDS)
    joined = re.sub(r"is(?=ed|ation)", "iz", re.sub(r"xent(ropy)?", "crossentropy", joined))
    return re.sub(r"(?<=.)(loss|criterion)$", "", joined)


def suggest(name: str, known: Mapping[str, str]) -> str:
    """Return what an unknown name may mean, or why there is no such loss; empty if nothing is near.

    Args:
        name: A name that is not known.
        known: Canonical name by each name that `loss:` accepts, base losses first.

    Returns:
        The continuation of a sentence: `; did you mean 'focal'?`, or a colon and the reason.
    """
    if len(name) > LONGEST_WORD:
        return ""
    wanted = key(name)
    if same := same_name(name, known):
        return _question([same], known)
    if wanted in _elsewhere():
        return _question([_elsewhere()[wanted]], known)
    if wanted in _not_here():
        return f": {_not_here()[wanted]};"
    return _question(_with_word(name, known) or _misspelt(wanted, known) or _beginning(wanted, known), known)


def same_name(name: str, known: Iterable[str]) -> str:
    """Return the known name that has the same key, the one most like it in spelling; empty if there is none."""
    same = [each for each in known if key(each) == key(name)]
    return max(same, key=lambda each: SequenceMatcher(None, each, name.lower()).ratio(), default="")


def _question(found: Iterable[str], known: Mapping[str, str]) -> str:
    *others, last = [_quoted(name, known) for name in found] or [""]
    return f"; did you mean {', '.join(others)}{' or ' * bool(others)}{last}?" if last else ""


def _quoted(name: str, known: Mapping[str, str]) -> str:
    """Return a name in quotes, an alias with its canonical name, and a mapping as it is."""
    if name not in known:
        return name
    return repr(name) if known[name] == name else f"{name!r} ({known[name]})"


def _with_word(name: str, known: Mapping[str, str]) -> list[str]:
    """Return the losses whose name begins with the words of the unknown one, else those that contain them."""
    words = "_".join(word for word in map(str.lower, _WORD.findall(name)) if word not in _EMPTY_WORDS)
    canonical = [each for each, owner in known.items() if words and each == owner]
    first = [each for each in canonical if each.startswith(f"{words}_")]
    return (first or [each for each in canonical if f"_{words}_" in f"_{each}_"])[:MOST]


def _misspelt(wanted: str, known: Mapping[str, str]) -> list[str]:
    """Return the loss whose key differs by the fewest typing errors, if they are few."""
    near = [
        (errors, order, name)
        for order, (each, name) in enumerate(_all_keys(known).items())
        if (errors := typing_errors(wanted, each)) <= _errors_allowed(wanted, each)
    ]
    return [min(near)[2]] if near else []


def _beginning(wanted: str, known: Mapping[str, str]) -> list[str]:
    """Return the losses whose key begins with at least four given letters."""
    found = [name for each, name in _all_keys(known).items() if len(wanted) > SHORT and each.startswith(wanted)]
    return list(dict.fromkeys(found))[:MOST]


def _all_keys(known: Mapping[str, str]) -> dict[str, str]:
    """Return what to suggest by key: the names of this catalogue, then those of other libraries."""
    keys: dict[str, str] = {}
    for each, name in (
        *((key(name), name) for name in known),
        *((name, name) for name in known),
        *_elsewhere().items(),
    ):
        keys.setdefault(each, name)
    return keys


def _errors_allowed(wanted: str, each: str) -> int:
    """Return how many typing errors a suggestion may have; in a short word, only two letters exchanged."""
    if min(len(wanted), len(each)) <= SHORT:
        return int(sorted(wanted) == sorted(each))
    has_its_letters = sorted(wanted) == sorted(each)
    return 1 + (len(wanted) > 5 or has_its_letters) + (len(wanted) > 10)  # noqa: PLR2004 - the longer, the more


def typing_errors(a: str, b: str) -> int:
    """Count the letters to insert, delete, replace or exchange with a neighbour that turn one word into another.

    Example:
        >>> typing_errors("focla", "focal"), typing_errors("focl", "focal"), typing_errors("dice", "elr")
        (1, 1, 4)
    """
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        older, before = before, row
        row = [i]
        for j, other in enumerate(b, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != other)))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                row[-1] = min(row[-1], older[j - 2] + 1)
    return row[-1]


def defining_file(name: str, folders: Iterable[Path]) -> tuple[Path, str] | None:
    """Return the first Python file in the folders that seems to define a loss, and the name that it has there.

    The files are searched as text; nothing in them runs.
    """
    for path in dict.fromkeys(path for folder in folders for path in sorted(folder.glob("*.py"))[:MOST_FILES]):
        if defined := defined_name(path, name):
            return path, defined
    return None


def defined_name(path: Path, name: str) -> str:
    """Return the name under which a Python file, searched as text, seems to define a loss; empty if it has none."""
    defined: list[str] = []
    with suppress(OSError), path.open(encoding="utf-8", errors="replace") as file:
        defined = _DEFINITION.findall(file.read(MOST_CHARACTERS))
    same = [each for each in defined if key(each) == key(name)]
    return name if name in same else next(iter(same), "")


@cache
def _elsewhere() -> Mapping[str, str]:
    return _by_key(ELSEWHERE)


@cache
def _not_here() -> Mapping[str, str]:
    return _by_key(NOT_HERE)


def _by_key(table: Mapping[str, str]) -> Mapping[str, str]:
    return {key(name): value for value, names in table.items() for name in names.split(", ")}
