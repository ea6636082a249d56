"""The help of every command at 80 columns."""

import re
from itertools import pairwise

import pytest
from typer.testing import CliRunner

from lossbench import cli
from lossbench.cli.group import COMMANDS


@pytest.mark.parametrize("command", ["", *COMMANDS, "export mlflow"])
def test_the_help_names_values_and_breaks_no_sentence(command):
    """A flag has no type, the value of any other option a word, each option its whole name; text fills its lines."""
    done = CliRunner().invoke(cli.app, [*command.split(), "--help"], env={"COLUMNS": "80"}, terminal_width=80)
    assert done.exit_code == 0
    assert re.findall(r"<(?:bool|str|int|float|path|list)\b.*", done.stdout) == []
    assert re.findall(r"--[\w-]*….*|\[\[.*", done.stdout) == []
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert [line for line in lines if len(line) > 80] == []
    for line, following in pairwise(lines):
        if line.startswith(" ") and following.startswith(" ") and not line.startswith(" Usage"):
            assert len(f"{line} {following.split()[0]}") > 79
