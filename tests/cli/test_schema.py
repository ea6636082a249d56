"""`lossbench schema`: the JSON Schema, printed or written."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from lossbench import cli
from lossbench.config.json_schema import json_schema

if TYPE_CHECKING:
    from pathlib import Path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    """Run the command line in this process and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["lossbench", "schema", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return left.value.code


def test_it_prints_the_schema(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing else, so that it can be redirected."""
    assert run(monkeypatch) == 0
    assert json.loads(capsys.readouterr().out) == json_schema()


def test_it_writes_the_schema(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """And says where."""
    path = tmp_path / "schema.json"
    assert run(monkeypatch, "-o", str(path)) == 0
    assert json.loads(path.read_text(encoding="utf-8")) == json_schema()
    assert capsys.readouterr().out == f"{path}\n"


def test_a_folder_that_is_not_there_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """In one line, exit code 1, and nothing is left behind."""
    assert run(monkeypatch, "-o", str(tmp_path / "none" / "schema.json")) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
