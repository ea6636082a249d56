"""`lossbench config`: the complete configuration, what differs from the defaults marked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from lossbench import cli
from lossbench.config.resolve import load


@pytest.fixture
def printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run `lossbench config focal.yaml` with further arguments and return what it prints."""
    monkeypatch.chdir(tmp_path)
    Path("focal.yaml").write_text("loss: focal\ntrain: {epochs: 2}\n", encoding="utf-8")

    def run(*arguments: str, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["lossbench", "config", "focal.yaml", *arguments])
        with pytest.raises(SystemExit) as left:
            cli.main()
        assert left.value.code == code
        out, err = capsys.readouterr()
        return err if code else out

    return run


def test_it_prints_yaml_that_means_the_same(printed: Any) -> None:
    """What is printed can be trained."""
    Path("resolved.yaml").write_text(printed("seed=3"), encoding="utf-8")
    assert load(Path("resolved.yaml")) == load(Path("focal.yaml"), ["seed=3"])


def test_it_marks_what_differs(printed: Any) -> None:
    """A comment says the default."""
    marked = [" ".join(line.split()) for line in printed("loss.gamma=5").splitlines() if "#" in line]
    assert marked == [
        "name: focal # default: categorical_crossentropy",
        "gamma: 5.0 # default: 2.0",
        "epochs: 2 # default: 5",
    ]


def test_it_prints_json(printed: Any) -> None:
    """For programs."""
    config = json.loads(printed("--json"))
    assert config["loss"] == {"name": "focal", "gamma": 2, "alpha": 1, "label_smoothing": 0, "stop_gradient": False}
    assert config["train"]["epochs"] == 2


def test_a_mistake_is_said(printed: Any) -> None:
    """With exit code 2."""
    expected = (
        "error: command line: 'loss.gama=1': loss.gama: unknown key 'gama' in loss 'focal'; did you mean 'gamma'?"
    )
    assert printed("loss.gama=1", code=2).startswith(expected)
