"""`lossbench compare` as a process: what goes where, with which exit status, and without TensorFlow."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

CODE = """
import sys
for name in ("tensorflow", "keras", "scipy", "matplotlib"):
    sys.modules[name] = None
import typer
from lossbench.cli.compare import compare
from lossbench.errors import LossbenchError
app = typer.Typer(add_completion=False)
app.command()(compare)
try:
    app(standalone_mode=False)
except LossbenchError as error:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(error.exit_code)
"""


def compare(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command where importing TensorFlow, Keras, SciPy or Matplotlib raises."""
    command = [sys.executable, "-W", "error", "-c", CODE, *map(str, arguments)]
    usual = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "FORCE_COLOR", "NO_COLOR"}}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=usual | environment, encoding="utf-8"
    )


@pytest.fixture
def study(tmp_path: Path, fabricate: Any) -> Path:
    """Two losses, two seeds, one broken folder."""
    for seed in (0, 1):
        fabricate(tmp_path / "runs", "focal", seed)
        fabricate(tmp_path / "runs", "categorical_crossentropy", seed, strength=3.0)
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "run.json").write_text("{")
    return tmp_path / "runs"


def test_table_to_stdout_faults_to_stderr(study: Path) -> None:
    """The table is all of stdout; a broken folder is named on stderr and costs nothing else."""
    result = compare(study)
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "mnist · mlp · 5 epochs · seeds 0–1 · test set, last epoch"
    assert [line.split()[0] for line in lines[4:6]] == ["focal", "categorical_crossentropy"]
    assert "\x1b" not in result.stdout
    assert max(map(len, lines)) <= 80
    assert result.stderr.startswith(f"not counted: {study / 'broken'}: run.json: not JSON: ")
    assert len(result.stderr.splitlines()) == 1


def test_width_and_colour_follow_the_environment(study: Path) -> None:
    """COLUMNS widens the table to every ±, FORCE_COLOR brings colour, NO_COLOR takes it away."""
    assert compare(study).stdout.count("±") == 2
    assert compare(study, COLUMNS="140").stdout.count("±") == 8
    assert "\x1b[1m" in compare(study, FORCE_COLOR="1").stdout
    assert "\x1b[36m" not in compare(study, FORCE_COLOR="1", NO_COLOR="1").stdout


def test_csv_is_clean(study: Path) -> None:
    """`--format csv` gives rows and nothing else on stdout."""
    rows = list(csv.DictReader(io.StringIO(compare(study, "--format", "csv", "--at", "best").stdout)))
    assert [(row["loss"], row["n"], row["at"]) for row in rows] == [
        ("focal", "2", "best"),
        ("categorical_crossentropy", "2", "best"),
    ]


@pytest.mark.parametrize("form", ["table", "csv", "json", "markdown"])
def test_output_to_a_file(study: Path, tmp_path: Path, form: str) -> None:
    """`-o` writes what would have been printed, and leaves stdout empty."""
    result = compare(study, "-f", form, "-o", tmp_path / "out")
    assert (result.returncode, result.stdout) == (0, "")
    assert compare(study, "-f", form).stdout == (tmp_path / "out").read_text(encoding="utf-8")


def test_exit_statuses(study: Path, tmp_path: Path, fabricate: Any) -> None:
    """2 for what is not there or cannot be asked for, 5 where nothing matched, 1 where nothing can be written."""
    (tmp_path / "empty").mkdir()
    absent, nothing = compare(tmp_path / "absent"), compare(tmp_path / "empty")
    assert (absent.returncode, absent.stderr) == (2, f"error: {tmp_path / 'absent'}: no such folder\n")
    assert (nothing.returncode, nothing.stderr) == (5, f"error: {tmp_path / 'empty'}: no run that can be read\n")
    assert compare(study, "-o", tmp_path / "no" / "file").returncode == 1
    fabricate(study, "hinge", 0, validation=False)
    assert compare(study, "--at", "best").returncode == 2


def test_two_hundred_copies(tmp_path: Path, fabricate: Any) -> None:
    """Many runs are read from `run.json` and `config.yaml` alone: copies are counted once."""
    folder = fabricate(tmp_path / "runs", "focal", 0, images=20)
    for number in range(200):
        (copy := tmp_path / "runs" / str(number)).mkdir()
        for name in ("run.json", "config.yaml"):
            (copy / name).write_bytes((folder / name).read_bytes())
    result = compare(tmp_path / "runs", "--format", "csv")
    assert [row["n"] for row in csv.DictReader(io.StringIO(result.stdout))] == ["1"]
