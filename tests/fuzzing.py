"""How hard commands are tried, and what every one of them owes whatever it is given.

The tests in `reliability/` are short and draw the same each time. `LOSSBENCH_FUZZ=10000 pytest tests/reliability` draws
so many cases of each kind, others each time; a failure prints the case.
"""

from __future__ import annotations

import inspect
import os
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Sequence

    from children import Done

CASES = int(os.environ.get("LOSSBENCH_FUZZ", "0"))
"""Cases of each kind to draw; 0 for the number that each test states."""

SECONDS = 2
MIB = 300


def fuzzed(few: int, many: int | None = None) -> Callable[[Any], Any]:
    """Return a decorator that lets a test draw `few` cases, and in a slow variant of it `many`, the same ones first."""
    slow = [] if many is None else [pytest.param(many, marks=pytest.mark.slow)]

    def decorate(test: Any) -> Any:
        @pytest.mark.parametrize("cases", [few, *slow])
        def run(cases: int, **fixtures: Any) -> None:
            _settings(CASES or cases)(test)(**fixtures)

        run.__name__, run.__doc__ = test.__name__, test.__doc__
        signature = inspect.signature(test)
        first = inspect.Parameter("cases", inspect.Parameter.KEYWORD_ONLY)
        run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), first])
        return run

    return decorate


def _settings(examples: int) -> settings:
    """Return hypothesis' settings: without `LOSSBENCH_FUZZ` the same cases each time."""
    return settings(
        max_examples=examples,
        derandomize=not CASES,
        database=None,
        deadline=None,
        phases=[Phase.generate],  # cases are small as they are
        suppress_health_check=list(HealthCheck),
    )


def survives(
    done: Done,
    codes: Iterable[int],
    *,
    arguments: Iterable[object] = (),
    may_change: Iterable[str | Path] = (),
    seconds: float = SECONDS,
) -> None:
    """A command ended as documented: its exit code, messages without escapes or traceback, no excess, no stray file.

    Args:
        done: The command.
        codes: The exit codes that are right here; a command that was stopped as it began to train has done well.
        arguments: What it was called with, which it may print as it is.
        may_change: Files, and folders with all that is in them, that it may write.
        seconds: Of processor time that it may take.
    """
    told = f"{done.code} {done.beyond}\n{done.err[:200]} … {done.err[-2000:]}"
    assert done.beyond or done.code in codes, told
    assert "Traceback" not in done.err, told
    assert not controls(done.err), told
    assert controls(done.out) <= controls("".join(map(str, arguments))), done.out[-4000:]
    if done.code and not done.err.startswith("Usage: "):
        assert any(line.startswith("error: ") for line in done.err.splitlines()), told
    assert done.seconds < seconds, (done.seconds, told)
    assert done.mib < MIB, (done.mib, told)
    allowed = [Path(os.devnull), *map(Path, may_change)]
    stray = [path for path in map(Path, done.changed) if not any(path.is_relative_to(each) for each in allowed)]
    assert not stray, (stray, told)


def changed(content: bytes, draw: random.Random, splices: Sequence[bytes]) -> bytes:
    """A file with one change: a byte, a stretch, its end, a line, the order of lines or words, something spliced in."""
    place, length = draw.randrange(len(content) + 1), draw.randint(1, 9)
    head, tail = content[:place], content[place:]
    lines, words = content.splitlines(keepends=True) or [b""], content.split(b" ")
    line = draw.randrange(len(lines))
    above, below = lines[:line], lines[line:]
    return draw.choice(
        [
            head + bytes([draw.randrange(256)]) + tail[1:],
            head + tail[length:],
            head,
            b"".join([*above, *below[1:]]),
            b"".join([*above, below[0], *below]),
            b"".join(draw.sample(lines, len(lines))),
            b" ".join(draw.sample(words, len(words))),
            head + draw.choice(splices) + tail,
            b"".join([*above, draw.choice(splices), *below]),
            content.replace(b" ", b"\t", draw.randint(1, 3)),
        ]
    )


def controls(text: str) -> set[str]:
    """The characters of a text that a terminal may obey, or that are none."""
    return {character for character in text if unicodedata.category(character) in {"Cc", "Cs"}} - set("\n\t")
