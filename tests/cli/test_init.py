"""`lossbench init`: a commented configuration to start from; nothing of the user's is overwritten."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

import lossbench
from lossbench import cli
from lossbench.cli import completion
from lossbench.config import examples
from lossbench.config.resolve import from_mapping, load

ROOT = Path(__file__).parents[2]


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


def test_a_missing_folder_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """As whoever has installed a wheel has no folder `configs`."""
    assert run(monkeypatch, "configs/focal.yaml", "--from", "focal") == 0
    assert Path("configs/focal.yaml").is_file()


def test_it_does_not_overwrite(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Unless it is told to."""
    Path("mine.yaml").write_text("loss: focal", encoding="utf-8")
    assert run(monkeypatch, "mine.yaml") == 2
    assert capsys.readouterr().err == "error: mine.yaml exists; choose another name, or overwrite it with --force\n"
    assert Path("mine.yaml").read_text(encoding="utf-8") == "loss: focal"
    assert run(monkeypatch, "mine.yaml", "--force") == 0
    assert load(Path("mine.yaml")) == from_mapping({}, name="mine")


EXAMPLES = sorted(
    file.relative_to(ROOT / "configs").with_suffix("").as_posix() for file in (ROOT / "configs").rglob("*.yaml")
)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_the_file_in_configs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte for byte, under its own name."""
    assert run(monkeypatch, "--from", name) == 0
    written = Path(f"{name.rpartition('/')[2]}.yaml")
    assert written.read_bytes() == (ROOT / "configs" / f"{name}.yaml").read_bytes()
    assert run(monkeypatch, "--from", name) == 2
    assert run(monkeypatch, "other.yaml", "--from", name) == 0


def test_an_unknown_example_lists_those_there_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written."""
    assert run(monkeypatch, "--from", "cii") == 2
    error = capsys.readouterr().err
    assert error.startswith("error: --from: no example 'cii'")
    assert all(name in error for name in EXAMPLES)
    assert not list(Path().iterdir())


def test_the_examples_are_part_of_the_wheel() -> None:
    """Where `lossbench init --from` looks for them."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert build["force-include"] == {"configs": "lossbench/examples"}
    assert examples.FOLDERS[0] == Path(lossbench.__file__).parent / "examples"
    assert list(completion.examples("papers/")) == [name for name in EXAMPLES if name.startswith("papers/")]
