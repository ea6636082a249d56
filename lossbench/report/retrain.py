"""Commands that train runs again: as they were called, or from the configuration in their folder."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossbench.runs import paths, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

DROPPED = frozenset({"--seeds", "--seed", "seed", "--shard"})
"""Options with a value that choose seeds or a part of the trials; `seed=0` is an override."""

NAME_FILES = frozenset({"--config", "-c", "--plugin"})
"""Options whose value is a file; a configuration may also be an argument."""

FLAGS = frozenset({"--rerun", "--quiet", "-q", "--json", "--dry-run", "--retry-failed"})
"""Options without a value that belong to one call and not to the experiment."""


def joined(commands: Iterable[Sequence[str]]) -> list[list[str]]:
    """Return arguments without repetitions; those that differ only in `loss=` become one list of losses."""
    losses: dict[tuple[str, ...], dict[str, None]] = {}
    for arguments in commands:
        place = tuple("loss=" if each.startswith("loss=") else each for each in arguments)
        values = [each.removeprefix("loss=") for each in arguments if each.startswith("loss=")]
        losses.setdefault(place, {}).update(dict.fromkeys(values))
    return [
        [f"loss={','.join(values)}" if each == "loss=" else each for each in place] for place, values in losses.items()
    ]


def experiment(folder: Path, without: frozenset[str] = DROPPED | FLAGS) -> list[str]:
    """Return the command that trained a run, without some options; empty if a file that it names is not here."""
    argv = _summary(folder).get("argv")
    if not isinstance(argv, list) or not all(isinstance(each, str) and each.isprintable() for each in argv):
        return []
    command, arguments = argv[1:2], _without(argv[2:], without)
    named = list(_files(arguments))
    has_configuration = any(not each.endswith(".py") for each in named)
    if (
        command not in (["train"], ["sweep"])
        or not has_configuration
        or not all(Path(each).is_file() for each in named)
    ):
        return []
    return [*command, *arguments]


def _summary(folder: Path) -> dict[str, Any]:
    try:
        return read.read_summary(folder)
    except read.BrokenRunError:
        return {}


def _files(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the configuration and the plugins that arguments name."""
    for before, each in pairwise(["", *arguments]):
        option, equals, value = each.partition("=")
        if before in NAME_FILES or (not equals and Path(each).suffix in {".yaml", ".yml"}):
            yield each
        elif equals and option in NAME_FILES:
            yield value


def _without(arguments: Iterable[str], options: frozenset[str]) -> list[str]:
    """Return arguments without some options and their values."""
    kept, skips = [], False
    for each in arguments:
        name, equals, _ = each.partition("=")
        if not skips and name not in options:
            kept.append(each)
        skips = not skips and name in options & DROPPED and not equals
    return kept


def from_folder(folder: Path) -> list[str]:
    """Return the arguments that train the configuration of a run again; empty if a file of its losses is not here."""
    runs_dir = folder.parent.parent
    used = _summary(folder).get("plugins") or []
    files = (
        [each.get("path", "") if isinstance(each, dict) else "" for each in used] if isinstance(used, list) else [""]
    )
    if not all(isinstance(each, str) and each.isprintable() and Path(each).is_file() for each in files):
        return []
    plugins = [part for each in files for part in ("--plugin", each)]
    others = ["--runs-dir", str(runs_dir)] if str(runs_dir) != "runs" else []
    return ["--config", str(folder / paths.CONFIG), *plugins, *others]
