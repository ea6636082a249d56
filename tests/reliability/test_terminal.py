"""No text from a file reaches the terminal as a control sequence, neither of a result nor of an error."""

import sys

import pytest
from hostile import hostile

from lossbench.cli import console
from lossbench.report import formats

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b2J\x1b[31m\u202e\r\b\x00\x7f"
NAME = "\x1b]0;owned\x07\x1b[2J\x9b2J\u202eharmless"


def controls(text):
    """What in a text is neither a line end nor printable."""
    return {character for character in text if not character.isprintable()} - {"\n"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two hostile runs below a folder with a hostile name, and one in it that cannot be read."""
    runs = tmp_path_factory.mktemp("hostile") / NAME
    for seed in (0, 1):
        hostile(runs, ESCAPES.replace("\x00", ""), seed, label=f"{NAME}{seed}")
    (runs / "study" / f"t{NAME}").mkdir()
    (runs / "study" / f"t{NAME}" / "run.json").write_text(f'{{"schema_version": 1, "status": "{NAME[-3:]}\\u009b"}}')
    return runs


LISTING = [each.name for each in formats.FORMATS.values() if each.writers().runs]
GATE = ("--baseline", f"{NAME}0", "--fail-if", "accuracy < 1", "--strict")
COMMANDS = [
    *((6, ["compare", "RUNS", "--format", form, *GATE]) for form in formats.FORMATS),
    *((0, ["compare", "RUNS", "--list", "--format", form]) for form in LISTING),
    (0, ["compare", "RUNS", "--images", "--baseline", f"{NAME}0"]),
    (0, ["compare", "RUNS", "--across", ESCAPES.replace("\x00", "")]),
    (0, ["show", "RUN"]),
    (0, ["show", "RUN", "--json"]),
    (0, ["diff", "RUN", "OTHER"]),
    (0, ["diff", "RUN", "OTHER", "--json"]),
    (0, ["report", "RUNS", "-o", f"{NAME}/page.html"]),
    (2, ["compare", "RUNS", "--against", "RUN"]),
    (2, ["verify", "RUN"]),
    (2, ["show", "RUNS"]),
]


@pytest.mark.parametrize(("code", "command"), COMMANDS, ids=lambda each: ascii(each)[:60])
def test_what_reads_run_folders_prints_text_only(code, command, runs, lossbench, tmp_path):
    """Results and errors hold no control character, though every file of the runs holds many."""
    (tmp_path / NAME).mkdir()
    one, other, _ = sorted((runs / "study").iterdir())
    names = {"RUNS": runs, "RUN": one, "OTHER": other}
    done = lossbench(*(names.get(each, each) for each in command), check=code)
    assert done.stdout + done.stderr
    assert controls(done.stdout + done.stderr) == set()


@pytest.mark.parametrize("command", ["compare", "show"])
def test_the_reason_of_a_diverged_run_is_text(command, fabricate, lossbench, tmp_path):
    """So are its name and its device."""
    run = fabricate(tmp_path / "runs", NAME, status="diverged", reason=NAME, device={"kind": "cpu", "name": NAME})
    done = lossbench(command, run if command == "show" else tmp_path / "runs", check=0)
    assert "harmless" in done.stdout
    assert controls(done.stdout + done.stderr) == set()


@pytest.mark.parametrize(
    "command",
    [
        ["validate", f"{NAME}.yaml"],
        ["config", f"{NAME}.yaml"],
        ["train", "--config", f"{NAME}.yaml"],
        ["sweep", "--config", f"{NAME}.yaml"],
        ["train", "--config", "valid.yaml", "--plugin", NAME],
        ["train", "--config", "valid.yaml", f"data.path={NAME}"],
        ["losses", NAME],
        ["show", NAME],
        ["compare", NAME],
        ["init", f"{NAME}.yaml"],
        ["schema", "--output", f"{NAME}/x.json"],
        [NAME],
    ],
    ids=lambda command: ascii(" ".join(command))[:40],
)
def test_an_error_that_quotes_a_name_is_text(command, lossbench, tmp_path):
    """Whoever unpacks an archive may have such a file and complete its name with Tab."""
    (tmp_path / "valid.yaml").write_text("loss: focal\n")
    (tmp_path / f"{NAME}.yaml").write_text(f'loss: "\\e[2J"\n"\\u009b{NAME[-8:]}": 1\nmodel: "\\u202e"\n')
    done = lossbench(*command)
    assert done.returncode != 0
    assert done.stderr
    assert controls(done.stdout + done.stderr) <= {"\t"}


def test_an_option_that_there_is_not_is_quoted_without_escapes(lossbench):
    """Typer prints this itself."""
    done = lossbench("show", f"--{NAME}", check=2)
    assert "harmless" in done.stderr
    assert controls(done.stderr) <= {"\u202e"}


def test_colours_are_all_that_a_drawing_may_have(capfd):
    """What rich draws keeps its colours; a cursor, a title and a bell are shown as what they are."""
    console.rendered("\x1b[1;32mgood\x1b[0m \x1b[2J\x1b]0;owned\x07\x9b2J\x1b[3Ctext\nline\n")
    assert capfd.readouterr().out == "\x1b[1;32mgood\x1b[0m \\x1b[2J\\x1b]0;owned\\x07\\x9b2J\\x1b[3Ctext\nline\n"


@pytest.mark.parametrize("say_", [console.result, console.note])
def test_lines_and_tabs_stay(say_, capfd):
    """Everything else that is not printable is shown by its escape, lone surrogates of file names too."""
    say_("one\ttwo\n\x1b[31mthree\udc80\x1b[0m \u202e4")
    out, err = capfd.readouterr()
    assert out + err == "one\ttwo\n\\x1b[31mthree\\udc80\\x1b[0m \\u202e4\n"


def test_a_stream_can_be_named(capsys):
    """For the time in which another library holds the usual ones."""
    console.result("a", to=sys.stderr)
    console.note("b", to=sys.stdout)
    assert capsys.readouterr() == ("b\n", "a\n")


def test_a_path_that_is_not_utf_8_can_be_printed(new_process):
    """As an escape, where the output cannot hold its bytes."""
    done = new_process("init", "\udc80.yaml", PYTHONIOENCODING="utf-8:strict", check=0)
    assert done.stdout == "\\udc80.yaml\n"
