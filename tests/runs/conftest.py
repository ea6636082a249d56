"""Made-up run folders."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

FABRICATE = runpy.run_path(str(Path(__file__).parents[1] / "fabricate.py"))["fabricate"]


@pytest.fixture(scope="session")
def fabricate() -> Any:
    """Write a run folder as training writes it: `fabricate(runs_dir, label, seed, ...)`."""
    return FABRICATE
