"""`lossbench losses`: the list, a card, JSON, Markdown, and plugins."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from lossbench.cli.losses import losses
from lossbench.errors import UsageError
from lossbench.losses import expression, listing, registry
from lossbench.losses.presets import PRESETS

app = typer.Typer()
app.command()(losses)


@pytest.fixture(autouse=True)
def _only_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("COLUMNS", "80")
    yield
    registry.clear_plugins()


def output(*arguments: str) -> str:
    """What the command prints."""
    return CliRunner().invoke(app, arguments, catch_exceptions=False).stdout


def test_list_names_every_loss_in_80_columns() -> None:
    """The list fits a terminal and leaves no loss, alias or preset out."""
    text = output()
    assert all(name in text for name in registry.names())
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("name", [name for name in registry.names() if not isinstance(PRESETS.get(name), list)])
def test_card(name: str) -> None:
    """A card shows formula, hyperparameters with ranges, and YAML that is valid; only code is wider than 80."""
    text = output(name)
    signature = registry.find(name)
    assert words(signature.docstring.partition("Example:")[0]) in words(text)
    assert all(f"{h.name}: {words(h.expected)}" in words(text) for h in signature.hyperparameters.values())
    flow = text[text.index("  loss: ") :].partition("}")[0]
    assert expression.parse(read(flow + "}")["loss"])[0].name == signature.name
    assert [line for line in text.splitlines() if len(line) > 80 and ">>>" not in line and "..." not in line] == []


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("weighted_crossentropy", "class_counts: number of training images per class"),
        ("arcface", "head_scale: scale s of the cosine head"),
        ("elr", "memory: state per image"),
        ("seesaw", "seen: state of the run"),
    ],
)
def test_card_says_what_a_loss_needs(name: str, needs: str) -> None:
    """What the engine fills in is told, and the head that a loss needs is part of its YAML."""
    text = output(name)
    assert needs in words(text.partition("Inputs that the training loop provides:")[2])
    assert ("\n  model: {head: cosine}\n" in text) == (name == "arcface")
    assert "Inputs that" not in output("focal")


def read(text: str) -> Any:
    """What a configuration file that holds the text says."""
    from lossbench.config import yaml

    return yaml.parse(text, "card").plain()


def words(text: str) -> str:
    """The text, however it is broken into lines."""
    return " ".join(text.split())


@pytest.mark.parametrize("name", [name for name, value in PRESETS.items() if isinstance(value, list)])
def test_card_of_a_weighted_list(name: str) -> None:
    """A name for a list shows the list, which is valid YAML."""
    text = output(name)
    assert text.startswith(f"{name} is short for [")
    assert max(map(len, text.splitlines())) <= 80
    assert expression.parse(read("loss: " + text.partition(" is short for ")[2])["loss"]) == expression.parse(name)


def test_wider_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wide terminal is used, up to what can be read."""
    for columns, widest in (("60", 60), ("100", 100), ("300", 120)):
        monkeypatch.setenv("COLUMNS", columns)
        assert widest - 12 < max(map(len, output().splitlines())) <= widest


def test_card_of_a_preset_says_what_it_stands_for() -> None:
    """A preset is explained before its loss."""
    assert output("categorical_focal_crossentropy").startswith(
        "categorical_focal_crossentropy is short for {name: focal, alpha: 0.25}\n\nfocal\n"
    )


def test_json() -> None:
    """JSON carries the records, for one loss or for all."""
    everything = json.loads(output("--json"))
    assert [entry["name"] for entry in everything] == [*registry.signatures(), *PRESETS]
    one = json.loads(output("gce", "--json"))
    assert one in everything
    assert one["hyperparameters"] == [
        {
            "name": "q",
            "type": "a number",
            "range": "(0, 1]",
            "description": "Larger values are more robust and train more slowly.",
            "required": False,
            "default": 0.7,
        }
    ]


@cache
def everything() -> list[dict[str, Any]]:
    """The JSON of all losses."""
    return json.loads(output("--json"))  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", registry.names())
def test_every_name_that_a_configuration_accepts_is_in_the_json(name: str) -> None:
    """Canonical names, aliases and presets, alone and in the list; a preset says what it is short for."""
    one = json.loads(output(name, "--json"))
    assert name in (one["name"], *one["aliases"])
    assert one in everything()
    assert one["short_for"] == PRESETS.get(name)
    assert output(name, "--markdown").count("\n") == 3


def test_json_of_a_preset_has_its_values_as_defaults() -> None:
    """What a configuration with the bare name trains."""
    for name, preset in PRESETS.items():
        defaults = {h["name"]: h["default"] for h in json.loads(output(name, "--json"))["hyperparameters"]}
        if isinstance(preset, dict):
            assert {**defaults, **preset} == {**defaults, "name": preset["name"]}
        else:
            assert defaults == {}


def listed(*arguments: str) -> list[str]:
    """The names that a search lists."""
    return [entry["name"] for entry in json.loads(output(*arguments, "--json"))]


@pytest.mark.parametrize("family", [*registry.FAMILIES, "presets"])
def test_a_family_lists_its_losses(family: str) -> None:
    """And no other, as text and as JSON."""
    members = [name for name, each in registry.signatures().items() if each.family == family]
    assert listed("--family", family) == (members or list(PRESETS))
    assert output("--family", family).splitlines()[0] == family
    assert output("--family", family, "--markdown").count("\n") == 2 + len(members or PRESETS)


@pytest.mark.parametrize(
    ("words", "among", "not_among"),
    [
        (["noise"], ["gce", "sce", "forward_correction", "elr", "taylor_crossentropy", "nce_rce"], ["hinge"]),
        (["imbalance"], ["ldam", "seesaw", "logit_adjustment", "balanced_softmax"], ["focal", "huber"]),
        (["imbalance", "calibration"], ["ldam", "mdca"], ["hinge"]),
        (["NORMALIZED", "focal"], ["normalized_focal", "nfl_rce"], ["focal", "normalized_crossentropy"]),
        (["sce", "zorp"], ["symmetric_crossentropy"], ["focal"]),
        (["focal", "--family", "calibration"], ["dual_focal", "focal_flsd53"], ["focal", "mdca"]),
        (["bounded", "--family", "margins", "--family", "scores"], ["savage", "brier"], ["gce"]),
    ],
)
def test_words_search_names_summaries_families_and_subjects(
    words: list[str], among: list[str], not_among: list[str]
) -> None:
    """All words if some loss has them all, else any of them."""
    found = listed(*words)
    canonical = {name: name if name in PRESETS else registry.find(name).name for name in [*among, *not_among]}
    assert {canonical[name] for name in among} <= set(found)
    assert {canonical[name] for name in not_among} & set(found) == set()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["zorp"], "unknown loss 'zorp': `lossbench losses` lists them all"),
        (["cross_entropy"], r"did you mean 'ce' \(categorical_crossentropy\)"),
        (["zorp", "xyzzy"], "no loss has 'zorp' or 'xyzzy'"),
        (["noise", "--family", "focusing"], "no loss of focusing has 'noise'"),
        (["--family", "focus"], "family: unknown family 'focus'; did you mean 'focusing'"),
        (["focal", "--family", "focusing", "--check"], "need the name of one loss"),
    ],
)
def test_a_search_that_finds_nothing_says_what_there_is(arguments: list[str], message: str) -> None:
    """A word alone may be a misspelt name."""
    with pytest.raises(UsageError, match=message):
        output(*arguments)


def test_markdown() -> None:
    """Markdown is the README's table, of one loss if one is named."""
    assert output("--markdown").rstrip("\n") == listing.table()
    assert output("gce", "--markdown").count("\n") == 3


def test_plugin(tmp_path: Path) -> None:
    """A plugin's losses are listed under the file's name."""
    path = tmp_path / "my_losses.py"
    path.write_text('def mine(y_true, y_pred, *, needed):\n    """My own."""\n    return y_pred[:, 0]\n')
    assert "my_losses\n  mine needed=required\n      My own." in output("--plugin", str(path))
    assert json.loads(output("mine", "--json", "--plugin", str(path)))["plugin"] == str(path)


def test_unknown_loss() -> None:
    """An unknown name is answered with the nearest one."""
    with pytest.raises(UsageError, match="did you mean 'focal'"):
        output("focl")


def test_measure() -> None:
    """The card is followed by what was measured, with the hyperparameters that were given."""
    text = output("gce", "q=1", "--measure")
    assert text.startswith("generalized_crossentropy\n")
    assert "  symmetric  yes  Σ_c L(c) is 9\n" in text


def test_check_of_a_sound_loss() -> None:
    """A report, and exit code 0."""
    done = CliRunner().invoke(app, ["focal", "--check"])
    assert done.stdout.endswith("11 checks passed\n")
    assert done.exit_code == 0


def test_check_of_a_loss_of_ones_own(tmp_path: Path) -> None:
    """What is wrong with it stands in the report, and the exit code is 2."""
    path = tmp_path / "my_losses.py"
    path.write_text(
        "from lossbench import ops\n\n\ndef mine(y_true, y_pred):\n"
        "    return -ops.log(ops.sum(y_true * ops.softmax(y_pred), axis=-1))\n"
    )
    done = CliRunner().invoke(app, ["mine", "--check", "--plugin", str(path)])
    assert "\n  NO  extreme logits  at logits [" in done.stdout
    assert done.stdout.endswith("1 of 11 checks failed\n")
    assert done.exit_code == 2


def test_plot(tmp_path: Path) -> None:
    """The picture's path is the answer."""
    path = tmp_path / "gce.png"
    assert output("gce", "--plot", str(path)) == f"{path}\n"
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["focal", "gamma=0,2,5"], ["focal gamma=0", "focal gamma=2", "focal gamma=5"]),
        (["ce", "focal", "gce"], ["ce", "focal", "gce"]),
        (["ce", "focal", "gamma=1,5", "gce"], ["ce", "focal gamma=1", "focal gamma=5", "gce"]),
        (["sce", "alpha=0,1", "beta=1,2"], [f"sce alpha={a} beta={b}" for a in (0, 1) for b in (1, 2)]),
        (["focal", "alpha=[1,2,3]", "anl_ce"], ["focal alpha=[1,2,3]", "anl_ce"]),
    ],
    ids=" ".join,
)
def test_a_plot_of_several_losses_has_a_curve_of_each(arguments, expected, tmp_path, monkeypatch) -> None:
    """By the words that chose it, which are its names in the legend."""
    from lossbench.losses.lab import plot

    drawn = []
    build = plot.build_figure
    monkeypatch.setattr(plot, "build_figure", lambda *given: drawn.append(build(*given)) or drawn[0])
    path = tmp_path / "several.png"
    for over in ("margin", "p_y"):
        drawn.clear()
        report = json.loads(output(*arguments, "--plot", str(path), "--over", over, "--json"))
        assert len(report["losses"]) == len(expected)
        (above, below) = drawn[0].axes
        names = [line.get_text() for line in above.get_legend().get_texts()]
        assert [name for name in names if name != "cross-entropy"] == expected
        assert ("cross-entropy" in names) != ("ce" in names)
        assert ("p_y" in below.get_ylabel()) == (over == "p_y")


@pytest.mark.parametrize(
    "arguments",
    [
        ["focal", "gama=1"],
        ["focal", "gamma=0,x"],
        ["focl"],
        ["ce", "no_such_loss"],
        ["ce", "--plot", "a.pdf"],
        ["ce", "--plot", "nowhere/a.png"],
        ["ce", "--over", "p"],
        ["focal", "gamma=0,1,2,3,4,5,6", "--over", "simplex"],
    ],
    ids=" ".join,
)
def test_a_mistake_in_the_arguments_of_a_plot_is_found_without_tensorflow(arguments, commands, tmp_path) -> None:
    """`commands` stops a command that is about to import TensorFlow; here the mistake is the answer before that."""
    done = commands("losses", "--plot", "a.png", *arguments, cwd=tmp_path)
    assert done.code in {1, 2}
    assert (done.beyond, bool(done.err)) == ("", True)
    assert not list(tmp_path.iterdir())


def test_everything_as_json(tmp_path: Path) -> None:
    """One JSON object holds what was asked for."""
    path = tmp_path / "brier.png"
    report = json.loads(output("brier", "--measure", "--check", "--plot", str(path), "--json"))
    assert report["loss"] == {"name": "brier"}
    assert report["measured"]["proper"]
    assert report["measured"]["largest"] == pytest.approx(2)
    assert {each["name"]: each["passed"] for each in report["checks"] if not each["passed"]} == {"inputs": None}
    assert report["plot"] == str(path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--measure"], "need the name of one loss: lossbench losses NAME"),
        (["ce", "--check", "--markdown"], "need the name of one loss: lossbench losses NAME"),
        (["focal", "gamma=5"], "gamma=5: hyperparameters need --measure, --plot or --check"),
        (["focal", "gamma", "--check"], "unknown loss 'gamma'"),
        (["gamma=5", "focal", "--check"], "'gamma=5': name a loss first, e.g. focal gamma=5"),
        (["focal", "gamma=1", "gamma=2", "--plot", "a.png"], "focal: a hyperparameter is set twice: gamma=1 gamma=2"),
        (["focal", "gamma=0,-1", "--plot", "a.png"], "gamma: expected a number ≥ 0, got -1"),
        (["focal", "gamma=0,1", "--check"], "--measure and --check take one loss, got focal gamma=0, focal gamma=1"),
        (["ce", "gce", "--measure"], "--measure and --check take one loss, got ce, gce; --plot takes several"),
        (["ce", "--over", "p_y", "--check"], "--over: only a plot has an axis; add --plot FILE.png"),
        (["focal", "gamma=-1", "--check"], "gamma: expected a number ≥ 0, got -1"),
        (["focal", "gama=1", "--check"], "unknown key 'gama' in loss 'focal'; did you mean 'gamma'?"),
        (["nce_rce", "weights=1", "--check"], "'nce_rce' stands for"),
        (["ce", "--plot", "ce.pdf"], "plot: expected a file name that ends in .png, got ce.pdf"),
    ],
    ids=" ".join,
)
def test_misuse(arguments: list[str], message: str) -> None:
    """Each is answered with what to write instead."""
    import re

    with pytest.raises(UsageError, match=re.escape(message)):
        output(*arguments)
