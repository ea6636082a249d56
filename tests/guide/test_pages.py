"""The README and the guide: every command runs, every block is valid, every table is the code's, every link works."""

import re
import subprocess
import sys
import tomllib

import pytest
import typer.main
import yaml
from documents import (
    ANSWER,
    FILES,
    GUIDE,
    LESSONS,
    PAGES,
    ROOT,
    TRANSLATIONS,
    blocks,
    exit_code,
    inline,
    links,
    shell_lines,
    source,
)
from documents import commands as commands_in
from generate_guide import TABLES, written

from lossbench import cli, guide
from lossbench.config.json_schema import json_schema

GENERATED = {"configuration", "losses"}
ALLOWED_CODES = {"--fail-if": {0, 3, 5}, "--against": {0, 3, 5}, "--strict": {0, 3, 6}}
WOULD_TRAIN = {"train", "sweep", "judge", "verify", "losses", "doctor", "export"}
NOT_TRAINED = re.compile(
    r"error: (runs/lesson-\S+: no (such folder|run that can be read)|main\.json: .* is missing.*)\n"
)
"""Where a lesson reads the runs that it would have trained; `test_lessons.py` trains them."""
ASKS_GIT = {"--version"}
OTHER_PROGRAMS = {".", "export", "lint-imports", "mypy", "ray", "ruff", "sphinx-build", "tensorboard"}

each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
each_page = pytest.mark.parametrize("file", PAGES, ids=lambda file: file.stem)


@each_file
def test_every_lossbench_command_runs(file, commands_of, run):
    """In a folder with the files and runs that the page speaks of; what would train is stopped when training starts."""
    for arguments, code in commands_of(file):
        done = run(file, arguments)
        allowed = next((codes for option, codes in ALLOWED_CODES.items() if option in arguments), {code})
        if done.beyond:
            assert arguments[0] in WOULD_TRAIN | ASKS_GIT, f"{arguments}: stopped at {done.beyond}"
        elif not (file in LESSONS and NOT_TRAINED.fullmatch(done.err)):
            assert done.code in allowed, f"{arguments}: exit {done.code}: {done.err}"


@pytest.fixture
def commands_of():
    """Return a function from a file to the arguments and exit codes of its lossbench commands, CI recipes included."""

    def find(file):
        lines = [line for block in blocks(file, "sh", "console") for line in shell_lines(block)]
        for block in blocks(file, "yaml"):
            if block.file.startswith("."):
                steps = re.sub(r"\$\{\{ .*? \}\}|\$CI_NODE_INDEX", "1", block.text).replace("$CI_NODE_TOTAL", "4")
                lines += _scripts(yaml.safe_load(steps))
        found = [(part, exit_code(line)) for line in lines if ANSWER not in line for part in commands_in(line)]
        return [
            (part[1:], code)
            for part, code in found
            if part[0].rpartition("/")[2] == "lossbench" and not is_completion(part)
        ]

    return find


def is_completion(part):
    """Whether a command changes the user's shell, which no test may."""
    return "--install-completion" in part


def _scripts(node):
    """Every text under `run` or `script` in a CI recipe."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from [value] if key in {"run", "script"} and isinstance(value, str) else _scripts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _scripts(value)


@pytest.fixture
def run(workplace, commands):
    """Run a page's commands one after another in one folder."""
    folder = None

    def command(file, arguments):
        nonlocal folder
        folder = folder or workplace(file)
        return commands(*arguments, cwd=folder)

    return command


@pytest.mark.parametrize("file", [FILES[0], GUIDE / "compare.md"], ids=lambda file: file.stem)
def test_a_comparison_is_shown_as_the_command_prints_it(file, workplace, commands):
    """Headings and legend line by line, numbers aside, from other runs."""
    block = next(each for each in blocks(file, "console") if "$ lossbench compare" in each.text)
    *_, command = shell_lines(block)
    ((_, *arguments),) = commands_in(command)
    done = commands(*("runs/first" if each == "runs" else each for each in arguments), cwd=workplace(file))
    printed = {masked(line) for line in done.out.splitlines()}
    _, *shown = block.text.partition("$ lossbench compare")[2].splitlines()
    legend = shown[shown.index("* best mean") :]
    assert [line for line in legend if masked(line) not in printed] == [], "write the new words into the page"
    headings = [line for line in shown if line.split()[:1] == ["loss"]]
    assert headings
    assert [line for line in headings if masked(line) not in printed] == []


def masked(line):
    """A line with every number as 0 and without differences of width."""
    return re.sub(r"\s+", " ", re.sub(r"[\d.]*\d", "0", line))


@each_file
def test_every_other_command_exists(file):
    """Scripts and test folders are files of this repository, extras are in `pyproject.toml`, the rest is known."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for block in blocks(file, "sh", "console"):
        for name, *arguments in (part for line in shell_lines(block) for part in commands_in(line)):
            program = name.rpartition("/")[2]
            if program in {"python", "pytest"}:
                paths = [each for each in arguments if "/" in each]
                assert [path for path in paths if not (ROOT / path).exists()] == []
            elif program == "pip":
                assert set(re.findall(r"\[(\w+)\]", " ".join(arguments))) <= set(extras)
            else:
                assert program in OTHER_PROGRAMS | {"lossbench", "python3"}, f"{program}: neither run nor known"


@each_file
def test_commands_in_the_text_can_be_parsed(file):
    """Command, options and values of inline code such as `lossbench show RUN`; the values are stand-ins."""
    group = typer.main.get_command(cli.app)
    for text in inline(file):
        if text.startswith("lossbench ") and "--install-completion" not in text:
            _, name, *arguments = next(iter(commands_in(text)))
            command = group.commands[name]
            if hasattr(command, "commands"):
                command = command.commands[arguments.pop(0)]
            command.make_context(name, arguments, resilient_parsing=True)
            known = {option for each in command.params for option in each.opts}
            assert [each for each in arguments if each.startswith("--") and each not in known] == []


@each_file
def test_options_in_the_text_exist(file):
    """Each `--option` is one of some command's."""
    group = typer.main.get_command(cli.app)
    leaves = [leaf for each in group.commands.values() for leaf in getattr(each, "commands", {"": each}).values()]
    known = {option for command in leaves for each in command.params for option in each.opts}
    named = {word for text in inline(file) for word in text.split() if word.startswith("--")}
    assert named - known - {"--install-completion", "--no-deps", "--markdown"} == set()


@each_file
def test_paths_in_the_text_exist(file):
    """Each `configs/…`, `lossbench/…` and `tests/…` is a file or folder of this repository."""
    named = [text for text in inline(file) if re.match(r"(configs|lossbench|tests)/[\w./-]*$", text)]
    assert [path for path in named if not (ROOT / path).exists()] == []
    tests = [text for text in inline(file) if re.fullmatch(r"test_\w+\.py", text)]
    assert [name for name in tests if not (ROOT / "tests" / "reliability" / name).exists()] == []


@each_file
def test_keys_in_the_text_exist(file):
    """Each dotted key, such as `data.label_noise.rate`, is a key of the configuration."""
    schema = json_schema()
    for text in inline(file):
        key = text.partition("=")[0]
        if not key.endswith((".txt", ".jsonl")) and re.fullmatch(
            r"(data|model|optimizer|regularization|train|log|sweep)(\.[a-z_0-9]+)+", key
        ):
            assert holds(schema, schema, key.split(".")), key


def holds(schema, node, path):
    """Whether a JSON Schema has a property at a path, in one of its alternatives."""
    if "$ref" in node:
        return holds(schema, schema["$defs"][node["$ref"].rpartition("/")[2]], path)
    alternatives = [each for word in ("anyOf", "oneOf") for each in node.get(word, ())]
    if any(holds(schema, each, path) for each in alternatives):
        return True
    return not path or (path[0] in node.get("properties", {}) and holds(schema, node["properties"][path[0]], path[1:]))


@each_file
def test_every_configuration_is_valid(file, workplace, commands):
    """`lossbench validate` accepts each named YAML block; a recipe of a CI system is YAML."""
    found = blocks(file, "yaml")
    assert [block.text for block in found if not block.file] == [], "name the file in the first line: # study.yaml: …"
    folder = workplace(file)
    for block in found:
        assert yaml.safe_load(block.text)
        if not block.file.startswith("."):
            done = commands("validate", block.file, cwd=folder)
            assert done.code == 0, done.err


@each_file
def test_loss_expressions_in_the_text_are_valid(file, tmp_path, commands):
    """Inline mappings such as `data: {name: idx, path: FOLDER}` are configurations."""
    (tmp_path / "FOLDER").mkdir()
    for text in inline(file):
        if re.match(r"(loss|data|model|train|log|optimizer): \S", text):
            (tmp_path / "inline.yaml").write_text(text + "\n")
            done = commands("validate", "inline.yaml", cwd=tmp_path)
            assert done.code == 0 or "train-images" in done.err, f"{text}: {done.err}"


PREPARED = """
import keras
model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10)])
images = keras.ops.zeros((2, 28, 28))
"""


def test_every_python_block_runs(tmp_path, example_runs):
    """All but those of the lessons in one process, with a model and the example runs; the PyTorch loop is compiled."""
    (tmp_path / "runs").symlink_to(example_runs)
    script = PREPARED
    for file in FILES:
        for block in blocks(file, "python"):
            compile(block.text, str(file), "exec")
            script += "" if "KERAS_BACKEND" in block.text or file in LESSONS else f"\n{block.text}"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "completed" in done.stdout
    assert "did you mean 'gamma'?" in done.stdout


@each_file
def test_generated_tables_are_those_of_the_code(file):
    """`python tests/generate_guide.py` writes them again."""
    text = file.read_text()
    assert written(text) == text, f"{file.name} is out of date: run `python tests/generate_guide.py`"


def test_every_generated_table_is_on_a_page():
    """A table that no page shows would be out of sight."""
    text = "".join(file.read_text() for file in (*FILES, *TRANSLATIONS))
    assert set(re.findall(r"<!-- generated: ([a-z-]+) -->", text)) == set(TABLES)


@each_file
def test_every_link_leads_to_a_file(file):
    """And to a heading, where it has an anchor; the text of a link to a page is a name that `lossbench guide` takes."""
    for text, target in links(file):
        path, _, anchor = target.partition("#")
        linked = file.parent / path
        assert linked.exists(), target
        if path and linked.suffix == ".md" and file in PAGES and text != "a loss of your own":
            assert guide.path(text.replace(" ", "-")).stem == linked.stem
        if anchor:
            headings = re.findall(r"^#+ (.*)", linked.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_in_the_index():
    """`lossbench guide` lists each file."""
    listed = {**guide.pages(), **guide.lessons()}
    assert {source(name) for name in listed} == set(PAGES)
    assert [line for line in listed.values() if not line.endswith(".")] == []


def test_every_page_is_linked_from_another():
    """Besides the index."""
    linked = {target for file in PAGES if file.stem != guide.INDEX for _, target in links(file) if target}
    unlinked = {file.name for file in PAGES} - {target.partition("#")[0].rpartition("/")[2] for target in linked}
    assert unlinked <= {"index.md", "quickstart.md"}


@each_page
def test_pages_are_short(file):
    """At most 200 lines, lessons with their output 260, generated tables more; at most 120 columns, except tables."""
    lines = file.read_text().splitlines()
    assert len(lines) <= (260 if file in LESSONS else 200) or file.stem in {*GENERATED, "glossary"}
    assert [line for line in lines if len(line) > 120 and not line.startswith("|")] == []


@each_page
def test_a_page_starts_with_a_command_that_works(file):
    """After the title and a paragraph at most."""
    title, *_ = file.read_text().splitlines()
    assert title.startswith("# ")
    if file.stem != guide.INDEX:
        before, *_ = re.split(r"^```(?:sh|python)$", file.read_text(), maxsplit=1, flags=re.MULTILINE)
        assert len(before.splitlines()) <= 6


@each_page
def test_code_fits_into_80_columns(file):
    """So that a terminal of this width breaks no line."""
    assert [line for block in blocks(file) for line in block.text.splitlines() if len(line) > 80] == []
