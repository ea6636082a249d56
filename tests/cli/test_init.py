"""`lossbench init`: a commented configuration to start from; nothing of the user's is overwritten."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lossbench import cli
from lossbench.config.resolve import from_mapping, load


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    """Run the command line in this process and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["lossbench", "init", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return left.value.code


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_it_writes_a_file_that_is_right(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With the defaults, and the commands that use it."""
    assert run(monkeypatch) == 0
    assert capsys.readouterr().out == "experiment.yaml\n"
    assert load(Path("experiment.yaml")) == from_mapping({}, name="experiment")
    assert "#   lossbench train --config experiment.yaml" in Path("experiment.yaml").read_text(encoding="utf-8")


def test_it_does_not_overwrite(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Unless it is told to."""
    Path("mine.yaml").write_text("loss: focal", encoding="utf-8")
    assert run(monkeypatch, "mine.yaml") == 2
    assert capsys.readouterr().err == "error: mine.yaml exists; choose another name, or overwrite it with --force\n"
    assert Path("mine.yaml").read_text(encoding="utf-8") == "loss: focal"
    assert run(monkeypatch, "mine.yaml", "--force") == 0
    assert load(Path("mine.yaml")) == from_mapping({}, name="mine")
