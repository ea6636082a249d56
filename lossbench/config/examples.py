"""Example configurations: the folder `configs/` of the repository, which a wheel carries as `lossbench/examples/`."""

from __future__ import annotations

from pathlib import Path

from lossbench.errors import UsageError, did_you_mean

PACKAGE = Path(__file__).parents[1]
FOLDERS = (PACKAGE / "examples", PACKAGE.parent / "configs")
"""Where the examples are: in an installed wheel, in a checkout."""


def names() -> dict[str, Path]:
    """Return the examples by name, e.g. `ci` and `papers/ma2020`."""
    folder = next((each for each in FOLDERS if each.is_dir()), None)
    files = sorted(folder.rglob("*.yaml")) if folder else []
    return {file.relative_to(folder).with_suffix("").as_posix(): file for file in files} if folder else {}


def read(name: str) -> str:
    """Return the text of an example.

    Raises:
        UsageError: There is no example of that name.
    """
    known = names()
    if name not in known:
        near = did_you_mean(name, known)
        raise UsageError(f"no example {name!r}{near}; choose {', '.join(known)}", parameter="example")
    return known[name].read_text(encoding="utf-8")
