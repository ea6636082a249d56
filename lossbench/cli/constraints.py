"""`lossbench constraints`: the file with the tested versions of all dependencies."""

from __future__ import annotations

from lossbench.cli import console


def constraints() -> None:
    """Print the path of a file with the tested versions of all dependencies, for `pip install -c`."""
    from lossbench import release

    console.result(release.CONSTRAINTS)
