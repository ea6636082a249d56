"""Every argument and option of every command with values that nobody means.

`LOSSBENCH_FUZZ=1000 pytest tests/reliability/test_fuzz_options.py` gives each every value, and 1,000 drawn ones to any.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main
from fabricate import fabricate
from fuzzing import CASES, fuzzed, survives
from hypothesis import given
from hypothesis import strategies as st

from lossbench.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLS = {
    "train": ["-c", "file.yaml"],
    "sweep": ["-c", "file.yaml", "--dry-run"],
    "compare": ["runs"],
    "report": ["runs"],
    "show": ["runs/study/RUN"],
    "diff": ["runs/study/RUN", "runs/study/RUN"],
    "verify": ["runs/study/RUN"],
    "losses": ["focal"],
    "judge": ["arcface"],
    "init": [],
    "validate": ["file.yaml"],
    "config": ["file.yaml"],
    "schema": [],
    "doctor": [],
    "export mlflow": ["runs"],
    "guide": ["quickstart"],
    "explain": ["ECE"],
}
"""A command with which to call each, before the hostile value is put in; no judgement of arcface starts to train."""

WRITTEN = {"--output", "--save-baseline", "--plots", "--plot", "--report", "file", "--runs-dir", "--tracking-uri"}
"""What names a file or folder to write."""

GATE = {"--fail-if", "--require-losses", "--require-seeds"}
"""What the gate may fail by."""

VALUES = [
    "", " ", "x" * 300, "x" * 100_000, "\x1b[2J\x07", "a\nb", "\udc80", "\u202e", "..", "../../x", ".", "runs",
    "file.yaml", "/proc/self/x", "/dev/null", "/dev/full", "/dev/zero", "/dev/null/x", "loop", "locked",
    "sqlite:////dev/full",
    "-1", "0", "-0", "1e999", "1e-400", "nan", "inf", "0x10", "\u0663", "1_000", "9" * 400, "1/0", "2/1", "true",
    "None", "0-9999999", "0-999999," * 9, "--", "-", "=", "a=b", "loss=", "loss.gamma=,", "seed=1e999", "extends=x",
    "data.path=/dev/zero", "{}", "[", "'", '"', "\\", "*", "(" * 1000, "not " * 1000, "1<" * 1000, "accuracy," * 1000,
    "a.b.c.d", "__class__", "loss", "accuracy", "recall." + "9" * 20, "test.last.accuracy", "seed", "folder", "data",
    "train.epochs", "=1+1", "'; DROP TABLE runs; --", "%s%n{0}", "$(touch pwned)", "`touch pwned`", "<script>",
]  # fmt: skip


def parameters(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every command with each of its arguments and options that take a value."""
    for name, below in getattr(command, "commands", {}).items():
        yield from parameters(below, (*path, name))
    if not hasattr(command, "commands"):
        for parameter in command.params:
            if not getattr(parameter, "is_flag", False):
                yield " ".join(path), parameter.opts[0]


ALL = list(parameters(typer.main.get_command(app)))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs and a configuration."""
    place = tmp_path_factory.mktemp("options")
    for seed, label in itertools.product(range(3), ("categorical_crossentropy", "focal")):
        fabricate(place / "runs", label, seed, images=40)
    min((place / "runs" / "study").iterdir()).rename(place / "runs" / "study" / "RUN")
    (place / "file.yaml").write_text("loss: focal\n")
    (place / "loop").symlink_to("loop")
    (place / "locked").mkdir(mode=0)
    return place


def call(command: str, parameter: str, value: str) -> list[str]:
    """The command's arguments with a value for one of them."""
    words, usual = command.split(), CALLS[command]
    if parameter.startswith("-"):
        kept = usual[2:] if parameter == "--config" else usual
        return [*words, *kept, f"{parameter}={value}"]
    if parameter in {"overrides", "settings"}:
        return [*words, *usual, value]
    return [*words, value, *usual[1:]]


def tried(commands: Any, folder: Path, command: str, parameter: str, value: str) -> None:
    """One call in a folder of its own."""
    arguments = call(command, parameter, value)
    done = commands(*arguments, cwd=folder)
    path = value.removeprefix("sqlite:///") if parameter == "--tracking-uri" else value
    named = Path(os.path.normpath(folder / path)) if parameter in WRITTEN else None
    usual = [path for path in done.changed if re.search(r"\.index\.json|/\.?report\.html", path)]
    asked = [path for path in done.changed if named and (str(named.parent) in path or str(named).startswith(path))]
    codes = {0, 2, 5} | ({1} if parameter in WRITTEN else {3} if parameter in GATE else set())
    survives(done, codes, arguments=arguments, may_change=[*usual, *asked], seconds=30 if parameter == "--plots" else 2)
    assert not (folder / "pwned").exists()


@pytest.fixture
def work(template: Path, tmp_path: Path) -> Path:
    """A copy of the template, deep enough for `../..`."""
    return shutil.copytree(template, tmp_path / "a" / "b" / "c", symlinks=True)


@pytest.mark.parametrize("step", [72, pytest.param(9, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("command", "parameter"), ALL, ids=map(" ".join, ALL))
def test_every_option_takes_or_refuses_every_value(command, parameter, step, commands, work):
    """By default every 36th of the values, others for each option."""
    turn = ALL.index((command, parameter))
    for value in VALUES if CASES else VALUES[turn % step :: step]:
        tried(commands, work, command, parameter, value)


@fuzzed(30)
@given(which=st.sampled_from(ALL), value=st.text(st.characters(exclude_characters="\0/"), max_size=30))
def test_any_option_takes_or_refuses_any_text(which, value, commands, work):
    """Without strokes, so that what is written stays in the folder."""
    tried(commands, work, *which, value)
