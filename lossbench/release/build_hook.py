"""Hook of the build: records the commit in wheels and source distributions, for `lossbench --version`.

Only Hatchling imports it. A wheel that is built from a source distribution has the commit that was recorded there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RecordCommit(BuildHookInterface):  # type: ignore[misc]  # Hatchling is there only while building
    """Hook that adds a file with the commit."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the file, unless it is there, the commit is not known, or the build is for an editable installation."""
        sys.path.insert(0, self.root)
        from lossbench import release

        commit = "" if version == "editable" or release.COMMIT.is_file() else release.commit_of_build()
        if commit:
            self._folder = TemporaryDirectory()
            file = Path(self._folder.name) / release.COMMIT.name
            file.write_text(f"{commit}\n", encoding="utf-8")
            build_data["force_include"][str(file)] = release.COMMIT.relative_to(self.root).as_posix()

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the file."""
        del version, build_data, artifact_path
        if hasattr(self, "_folder"):
            self._folder.cleanup()
