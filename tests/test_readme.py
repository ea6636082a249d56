"""What the README says is so."""

import re
from pathlib import Path

import yaml

from lossbench.analysis import baseline_file
from lossbench.config import resolve
from lossbench.config import yaml as yaml_
from lossbench.data import idx
from lossbench.losses import listing, registry
from lossbench.runs import read
from lossbench.sweep import plan

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_the_table_of_losses_is_the_generated_one():
    """`lossbench losses --markdown` between the marks, unchanged."""
    table = re.search(r"^<!-- made by .*? -->\n(.*?)^<!-- end", README, re.MULTILINE | re.DOTALL)[1]
    assert table.strip() == listing.table().strip()


def test_the_number_of_losses_is_right():
    """As many as the catalogue holds."""
    assert re.search(r"\*\*(\d+) losses behind", README)[1] == str(len(registry.signatures()))


def test_the_configuration_in_the_readme_is_valid():
    """It resolves, with each key as written."""
    text, *_ = blocks("yaml")
    experiment = resolve.from_mapping(yaml.safe_load(text))
    assert experiment.data.label_noise.rate == 0.4
    assert experiment.optimizer.schedule.name == "cosine"


def test_the_sweep_in_the_readme_is_valid(tmp_path):
    """Three cases × three learning rates × two noise rates × ten seeds."""
    (tmp_path / "study.yaml").write_text(blocks("yaml")[1])
    assert len(plan.load(tmp_path / "study.yaml")) == 3 * 3 * 2 * 10


def test_the_ci_recipes_of_the_readme_run_what_there_is(lossbench):
    """They are YAML; each command and option in them exists, and each file."""
    for text in blocks("yaml")[2:]:
        assert yaml.safe_load(text)
        for command, rest in re.findall(r"lossbench (sweep|compare)(.*)", text):
            shown = lossbench(command, "--help", check=0, COLUMNS="200").stdout
            assert [option for option in re.findall(r"--[a-z-]+", rest) if option not in shown] == []
        assert (ROOT / "configs" / "ci.yaml").exists() or "configs/ci.yaml" not in text


def test_the_loss_in_the_readme_is_the_one_that_is_shipped():
    """Name, hyperparameter and body agree with `configs/my_losses.py`."""
    shipped = (ROOT / "configs" / "my_losses.py").read_text()
    body = re.search(r"^    return .*$", blocks("python")[0], re.MULTILINE)[0]
    assert body in shipped
    assert "def tempered_crossentropy(" in shipped


def test_every_command_in_the_readme_exists(lossbench):
    """Each `lossbench WORD` in a code block or in the text is a command."""
    in_blocks = re.findall(r"^(?:.* && |.*/)?lossbench ([a-z]+)", "".join(blocks("sh")), re.MULTILINE)
    commands = {*in_blocks, *re.findall(r"`lossbench ([a-z]+)", README)}
    assert {"train", "compare", "doctor", "schema"} <= commands
    shown = lossbench("--help", check=0).stdout
    assert [command for command in sorted(commands) if not re.search(rf"^│ {command} ", shown, re.MULTILINE)] == []


def test_the_sizes_of_what_is_trusted_are_those_of_the_code():
    """Each limit stands once in the code; the README repeats it."""
    told = " ".join(README.partition("## What is trusted")[2].split())
    assert yaml_.MAX_BYTES == read.CONFIG_BYTES
    assert read.ARRAYS_BYTES == baseline_file.MOST_BYTES
    assert (
        f"{read.CONFIG_BYTES >> 10} KiB a configuration, {read.RUN_BYTES >> 20} MiB `run.json`, "
        f"{read.TABLE_BYTES >> 20} MiB a table, {read.ARRAYS_BYTES >> 20} MiB `predictions.npz` and a baseline, "
        f"{idx.LARGEST >> 30} GiB a data file"
    ) in told


def test_the_two_commands_stand_in_blocks_of_their_own():
    """The first trains, the second tests; each is one line that needs nothing else."""
    first, second, *_ = blocks("sh")
    assert first.startswith("python3 -m venv .venv && ")
    assert first.strip().endswith(".venv/bin/lossbench train --config configs/focal.yaml")
    assert second.startswith("python3 -m venv .venv && ")
    assert second.strip().endswith(".venv/bin/pytest")
