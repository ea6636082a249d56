"""`lossbench losses`: the list, a card, JSON, Markdown, and plugins."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from lossbench.cli.losses import losses
from lossbench.errors import UsageError
from lossbench.losses import registry

app = typer.Typer()
app.command()(losses)


@pytest.fixture(autouse=True)
def _only_the_catalogue() -> object:
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


@pytest.mark.parametrize("name", registry.names())
def test_card(name: str) -> None:
    """A card shows formula, hyperparameters with ranges, and a line of YAML that is valid."""
    import yaml

    text = output(name)
    spec = registry.find(name)
    assert spec.docstring.splitlines()[0] in text
    assert all(f"{h.name}: {h.expected}" in text for h in spec.hyperparameters.values())
    (line,) = [line for line in text.splitlines() if line.startswith("  loss: ")]
    assert registry.parse(yaml.safe_load(line)["loss"])[0].name == spec.name


def test_card_of_a_preset_says_what_it_stands_for() -> None:
    """A preset is explained before its loss."""
    assert output("categorical_focal_crossentropy").startswith(
        "categorical_focal_crossentropy stands for {name: focal, alpha: 0.25}\n\nfocal\n"
    )


def test_json() -> None:
    """JSON carries the records, for one loss or for all."""
    everything = json.loads(output("--json"))
    assert [entry["name"] for entry in everything] == list(registry.specs())
    one = json.loads(output("gce", "--json"))
    assert one in everything
    assert one["hyperparameters"] == [
        {
            "name": "q",
            "type": "a number",
            "range": "(0, 1]",
            "description": "The larger, the more robust and the slower to train.",
            "required": False,
            "default": 0.7,
        }
    ]


def test_markdown() -> None:
    """Markdown is the README's table, of one loss if one is named."""
    assert output("--markdown").rstrip("\n") == registry.table()
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
