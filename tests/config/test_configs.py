"""The configurations that ship are short, ask a question and are right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from lossbench.config import yaml
from lossbench.config.json_schema import json_schema
from lossbench.config.resolve import load
from lossbench.losses import plugin, registry

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIGS = Path(__file__).parents[2] / "configs"
FILES = sorted(CONFIGS.glob("*.yaml"))


@pytest.fixture(autouse=True)
def _my_losses() -> Iterator[None]:
    plugin.load(CONFIGS / "my_losses.py")
    yield
    registry.clear_plugins()


def test_they_are_there() -> None:
    """At least the ones that the README names."""
    names = {"focal", "cross_entropy", "weighted", "symmetric", "custom", "cnn"}
    assert names <= {path.stem for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shipped_configuration_is_right(path: Path) -> None:
    """It loads, and an editor finds nothing to underline."""
    assert load(path).name == path.stem
    jsonschema.validate(yaml.parse(path.read_text(encoding="utf-8"), str(path)).plain(), json_schema())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shipped_configuration_is_short_and_asks(path: Path) -> None:
    """At most 12 lines, the first of them its question."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 12
    assert lines[0].startswith("# ")
    assert "?" in lines[0]
