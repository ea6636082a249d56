"""`lossbench compare --map`, `report --map` and `lossbench.compare(map=…)` from run folders."""

from __future__ import annotations

import itertools
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

import lossbench
from lossbench.cli import main

if TYPE_CHECKING:
    from pathlib import Path

CE, RATE, SIZE = "categorical_crossentropy", "data.label_noise.rate", "data.train_size"
BOTH = f"{RATE},{SIZE}"


@pytest.fixture
def here(fabricate: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command over two losses at two noise rates and two sizes; return exit code, stdout and stderr."""
    for loss, rate, size, seed in itertools.product((CE, "focal"), (0.2, 0.4), (100, None), (0, 1)):
        config = {"data.label_noise": {"type": "symmetric", "rate": rate}, "data.train_size": size}
        strength = 3 - rate + (loss == "focal") / 5
        fabricate(tmp_path / "runs", loss, seed, strength=strength, config=config, images=200, epochs=1)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["lossbench", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return (ended.value.code or 0, *capsys.readouterr())

    return run


def test_a_map_is_shown_drawn_and_reported(here: Any, tmp_path: Path) -> None:
    """The table on stdout, the plot beside it, and the section of the page."""
    code, out, err = here("compare", "runs", "--map", BOTH, "--plots", "figures")
    assert code == 0
    assert f"map of {RATE} × {SIZE}" in " ".join(out.split())
    assert "below 6 seeds no loss can be left out" in out
    assert "plots: 2 files in figures" in err
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == ["map-accuracy.png", "map-accuracy.svg"]
    assert here("report", "runs", "--map", RATE, "--where", f"{SIZE}==100")[0] == 0
    page = (tmp_path / "report.html").read_text()
    assert '<a href="#map">map</a>' in page
    assert page.count('<table class="map"') == 1


def test_the_gate_judges_as_without_a_map(here: Any) -> None:
    """Evidence that is missing is exit 3, and the document has its results."""
    code, out, _ = here("compare", "runs", "--map", BOTH, "--json", "--require-seeds", "3")
    assert code == 3
    assert {each["outcome"] for each in json.loads(out)["gate"]} == {"missing"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--map", "data.train_siz"], "--map: no run has the key 'data.train_siz'; did you mean 'data.train_size'?"),
        (["--map", RATE], f"--map: {SIZE} varies within a cell (100, none), and a cell is one condition; select one, "),
        (["--map", RATE], f'e.g. --where "{SIZE}==100", or add it to the keys of the map'),
        (["--map", "model.name"], f"--map: model.name is mlp in all of these runs; these vary: {RATE}, {SIZE}"),
        (["--map", f"{BOTH},model.name"], "--map: expected one or two keys, got 3"),
        (
            ["--map", "seed"],
            "--map: seed is no setting, so it makes no conditions; choose a key such as data.label_noi",
        ),
        (["--map", ","], "--map: expected one or two keys, e.g. data.label_noise.rate, got ','"),
        (
            ["--map", BOTH, "--where", f"loss=='{CE}'"],
            f"--map: a map needs two losses or more; these runs have only {CE}",
        ),
        (["--map", BOTH, "--pivot", RATE], "choose --map, or else --pivot, --images or --unpaired"),
        (["--map", BOTH, "--images"], "choose --map, or else --pivot, --images or --unpaired"),
        (["--map", BOTH, "--unpaired"], "choose --map, or else --pivot, --images or --unpaired"),
        (["--map", BOTH, "--list"], "--map: a list of single runs has none; leave out --list"),
        (["--map", BOTH, "--sort", "nll"], "--sort: a map has none"),
        (["--map", BOTH, "--top", "1"], "--top: a map has none"),
        (["--map", BOTH, "--only-changed"], "--only-changed: a map has none"),
        (["--map", BOTH, "--rope", "1pp"], "--rope: a map has none"),
        (
            ["--map", BOTH, "--format", "junit"],
            "expected table, markdown, csv, json, jsonl or latex for a map, got junit",
        ),
    ],
)
def test_mistakes_are_one_line_and_exit_2(here: Any, arguments: list[str], message: str) -> None:
    """They name the option, what was expected, and what to do."""
    code, out, err = here("compare", "runs", *arguments)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())


@pytest.mark.usefixtures("here")
def test_python_has_the_same_map() -> None:
    """As text, as a frame with a row per cell and loss, and as HTML; without a map the frame is empty."""
    found = lossbench.compare("runs", map=[RATE, SIZE])
    assert f"map of {RATE} × {SIZE}" in " ".join(found.text().split())
    assert len(found.cells) == 8
    assert found.cells.groupby([RATE, SIZE], dropna=False)["may_be_best"].sum().tolist() == [2] * 4
    assert 'class="map"' in found._repr_html_()
    assert lossbench.compare("runs").cells.empty
