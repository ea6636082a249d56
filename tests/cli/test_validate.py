"""`lossbench validate`: one line a file that is right, one line a mistake, exit code 2."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lossbench import cli
from lossbench.losses import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    Path("good.yaml").write_text("loss: focal", encoding="utf-8")
    Path("bad.yaml").write_text("loss: {name: focal, gama: 5}\ntrain:\n  epochs: many\n", encoding="utf-8")
    yield
    registry.clear_plugins()


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    """Run the command line in this process and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["lossbench", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return left.value.code


def test_files_that_are_right_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """On stdout, one a line, exit code 0."""
    assert run(monkeypatch, "validate", "good.yaml", str(CONFIGS / "cnn.yaml")) == 0
    assert capsys.readouterr() == (f"good.yaml: ok\n{CONFIGS / 'cnn.yaml'}: ok\n", "")


def test_every_mistake_of_every_file_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, and the files that are right on stdout all the same."""
    assert run(monkeypatch, "validate", "bad.yaml", "good.yaml", "missing.yaml", "seed=3") == 2
    out, err = capsys.readouterr()
    assert out == "good.yaml: ok\n"
    takes = "It takes gamma, alpha, label_smoothing, stop_gradient"
    assert err.splitlines() == [
        f"error: bad.yaml:1:21: loss.gama: unknown key 'gama' in loss 'focal'; did you mean 'gamma'? {takes}",
        "error: bad.yaml:3:3: train.epochs: expected a whole number ≥ 1 and ≤ 1000000, got 'many'",
        "error: no file 'missing.yaml'",
    ]


def test_overrides_count(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong in the file can be put right on the command line."""
    assert run(monkeypatch, "validate", "bad.yaml", "loss=ce", "train.epochs=3") == 0
    assert capsys.readouterr().out == "bad.yaml: ok\n"


def test_overrides_alone_are_no_file(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The message says what to name."""
    assert run(monkeypatch, "validate", "seed=3") == 2
    assert capsys.readouterr().err == "error: no file to validate; name one, e.g. configs/focal.yaml\n"


def test_a_loss_of_ones_own_needs_its_plugin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without it the loss is unknown, with it the file is right."""
    custom = str(CONFIGS / "custom.yaml")
    assert run(monkeypatch, "validate", custom) == 2
    assert "unknown loss 'tempered_crossentropy'" in capsys.readouterr().err
    assert run(monkeypatch, "validate", custom, "--plugin", str(CONFIGS / "my_losses.py")) == 0
    assert capsys.readouterr().out == f"{custom}: ok\n"


def test_what_training_would_refuse_is_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the position, and in the words of `train` and of `sweep`."""
    Path("wrong.yaml").write_text("loss: ce\ndata:\n  train_size: 50\ntrain:\n  batch_size: 64\n", encoding="utf-8")
    said = "error: wrong.yaml:5:3: train.batch_size: expected at most the 50 training images, got 64\n"
    for command in (
        ["validate", "wrong.yaml"],
        ["train", "--config", "wrong.yaml"],
        ["sweep", "--config", "wrong.yaml"],
    ):
        assert run(monkeypatch, *command) == 2
        assert capsys.readouterr() == ("", said)
    assert not Path("runs").exists()


def test_what_is_not_checked_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Beside the file that is right otherwise."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert run(monkeypatch, "validate", "good.yaml", "data=kmnist", "train.precision=mixed_float16") == 0
    assert capsys.readouterr().out == "good.yaml: ok; mixed_float16 needs a GPU; kmnist will be downloaded\n"


COMMANDS = [
    ["validate", str(CONFIGS / "focal.yaml")],
    ["config", str(CONFIGS / "focal.yaml"), "loss.gamma=5"],
    ["schema"],
    ["init"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_the_command_imports_neither_tensorflow_nor_keras(command: list[str], commands: Any, tmp_path: Path) -> None:
    """A laptop without them can still write and check configurations."""
    done = commands(*command, cwd=tmp_path)
    assert (done.code, done.err, done.beyond) == (0, "", "")
    assert done.out
