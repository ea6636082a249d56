"""`lossbench show` as a process, where importing TensorFlow, Keras and pandas raises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

CODE = """
import sys
for name in ("tensorflow", "keras", "scipy", "matplotlib", "pandas"):
    sys.modules[name] = None
import typer
from lossbench.cli.show import show
from lossbench.errors import LossbenchError
app = typer.Typer(add_completion=False)
app.command()(show)
try:
    app(standalone_mode=False)
except LossbenchError as error:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(error.exit_code)
"""


def show(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command where importing a heavy library raises."""
    command = [sys.executable, "-W", "error", "-c", CODE, *map(str, arguments)]
    usual = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "FORCE_COLOR", "NO_COLOR"}}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=usual | environment, encoding="utf-8"
    )


def test_one_screen(tmp_path: Path, fabricate: Any) -> None:
    """A run is printed in 80 columns, without colour in a pipe, with it if asked."""
    folder = fabricate(tmp_path, "focal gamma=5", 0)
    result = show(folder)
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "focal gamma=5 · seed 0 · completed"
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in result.stdout
    assert "\x1b[32mcompleted" in show(folder, FORCE_COLOR="1").stdout


def test_json(tmp_path: Path, fabricate: Any) -> None:
    """`--json` prints an object that a program can read."""
    value = json.loads(show(fabricate(tmp_path, "focal", 7), "--json").stdout)
    assert (value["seed"], len(value["history"])) == (7, 5)


def test_exit_statuses(tmp_path: Path, fabricate: Any) -> None:
    """5 where there is no run, 2 where there are several or it is broken; one line each."""
    assert show(tmp_path).returncode == 5
    folder = fabricate(tmp_path, "focal", 0)
    fabricate(tmp_path, "focal", 1)
    assert show(tmp_path).returncode == 2
    (folder / "run.json").write_text("{")
    result = show(folder)
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert result.stderr.startswith(f"error: {folder}: run.json: not JSON")


def test_classes_have_the_labels_of_their_files(tmp_path: Path, fabricate: Any) -> None:
    """Where `data.classes` chose them: the classes 0, 1 and 2 of the run are 7, 1 and 26 in the files."""
    run = fabricate(tmp_path / "runs", config={"data.classes": [7, 1, 26]}, classes=3)
    lines = show(run).stdout.splitlines()
    table = lines[next(number for number, line in enumerate(lines) if line.startswith("test set")) + 1 :]
    assert table[0].split()[:3] == ["7", "1", "26"]
    assert [line.split()[0] for line in table[1:4]] == ["7", "1", "26"]
    assert set(table[4].split(":")[1].replace(",", " ").split()) & {"7", "26"}
    assert not {"0", "2"} & {word for word in table[4].split() if not word.startswith("(")}


def test_features_that_are_not_there(lossbench: Any, fabricate: Any, tmp_path: Path) -> None:
    """Exit 2 with what to train; a file that is no PNG and `--json` are refused before a run is read."""
    run = fabricate(tmp_path / "runs", "focal", 0)
    done = lossbench("show", run, "--features", "plane.png", check=2)
    assert done.stderr.startswith(f"error: {run}: has 256 units in its penultimate layer")
    done = lossbench("show", run, "--features", "plane.svg", check=2)
    assert done.stderr == "error: --features: expected a file name that ends in .png, got plane.svg\n"
    done = lossbench("show", run, "--features", "plane.png", "--json", check=2)
    assert done.stderr == "error: --json: a picture has none; leave out --features\n"
    assert not list(tmp_path.glob("plane.*"))
