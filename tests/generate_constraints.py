"""Write the installed versions of all dependencies, direct and transitive, into `lossbench/release/constraints.txt`.

Run it in an environment in which all tests have passed, e.g. the one that `.ci/run` made.
"""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lossbench import release

if TYPE_CHECKING:
    from collections.abc import Callable

PYTHONS = ("3.11", "3.12", "3.13")
HEADER = """\
# Tested versions of everything that lossbench needs, on Linux with Python 3.11, 3.12 and 3.13:
#   pip install lossbench -c "$(lossbench constraints)"
# Written by `python tests/generate_constraints.py`.
"""


def dependencies(descend: Callable[[str], bool] = lambda _: True) -> dict[str, str]:
    """Return the name and installed version of each package that lossbench needs on any of the Pythons.

    Args:
        descend: Whether the dependencies of a package count too.
    """
    found: dict[str, str] = {}
    names = ["lossbench"]
    while names:
        name = names.pop()
        if name != "lossbench":
            found[name] = metadata.version(name)
        for requirement in map(Requirement, metadata.requires(name) or ()):
            needed = canonicalize_name(requirement.name)
            if needed not in found and _applies(requirement) and (name == "lossbench" or descend(name)):
                names.append(needed)
    return dict(sorted(found.items()))


def _applies(requirement: Requirement) -> bool:
    """Return whether a requirement applies to one of the Pythons, without extras."""
    environments = ({"python_version": each, "python_full_version": f"{each}.0", "extra": ""} for each in PYTHONS)
    return requirement.marker is None or any(map(requirement.marker.evaluate, environments))


def recorded() -> dict[str, str]:
    """Return the versions in the file, by name."""
    lines = release.CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


if __name__ == "__main__":
    lines = (f"{name}=={version}\n" for name, version in dependencies().items())
    release.CONSTRAINTS.write_text(HEADER + "".join(lines), encoding="utf-8")
