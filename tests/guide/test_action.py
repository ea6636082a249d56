"""The composite action and the CI recipes: YAML whose commands, options and files exist."""

import re

import pytest
import typer
import yaml
from documents import GUIDE, ROOT, blocks

from lossbench import cli

ACTION = ROOT / ".github" / "actions" / "lossbench" / "action.yml"
RECIPES = [block for block in blocks(GUIDE / "ci.md", "yaml") if block.file.startswith(".git")]


def commands(value):
    """The shell commands of a recipe, wherever they are in it."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key in {"run", "script", "before_script"}:
                yield from each if isinstance(each, list) else [each]
            else:
                yield from commands(each)
    elif isinstance(value, list):
        for each in value:
            yield from commands(each)


@pytest.mark.parametrize(
    "text", [ACTION.read_text(), *(block.text for block in RECIPES)], ids=["action", *(b.file for b in RECIPES)]
)
def test_commands_of_a_recipe_exist_with_their_options(text):
    """As the command line defines them."""
    known = typer.main.get_command(cli.app).commands
    found = [line for line in commands(yaml.safe_load(text)) if line.startswith("lossbench ")]
    assert found
    for line in found:
        name, *_ = line.split()[1:]
        options = {option for each in known[name].params for option in each.opts}
        assert set(re.findall(r"(?<!\w)--[a-z-]+", line)) <= options


def test_the_recipe_uses_the_action_with_its_inputs():
    """All that are required, and none that it lacks; every shard ends, and what there is is compared."""
    action = yaml.safe_load(ACTION.read_text())
    recipe = yaml.safe_load(next(block.text for block in RECIPES if "github" in block.file))
    (step,) = [each for each in recipe["jobs"]["sweep"]["steps"] if each.get("uses", "").startswith("./")]
    assert (ROOT / step["uses"] / "action.yml") == ACTION
    required = {name for name, each in action["inputs"].items() if each.get("required")}
    assert required <= set(step["with"]) <= set(action["inputs"])
    assert recipe["jobs"]["sweep"]["strategy"]["fail-fast"] is False
    assert recipe["jobs"]["compare"]["if"] == "always()"
