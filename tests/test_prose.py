"""Plain technical English: phrases that a reader outside the project has to read twice stay out of the package."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest
from typer.main import get_command

from lossbench.cli import app

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lossbench"

INSTEAD = {
    r"\bso many\b": "'at most N'",
    r"\banew\b": "'again', or 'retrain'",
    r"\bheld against\b": "'compared with'",
    r"\b(is|are|was|were|be) told\b": "'reported', 'logged' or 'passed'",
    r"\bhears? of\b": "'receives'",
    r"\bstands? (behind|beside|for itself)\b": "the relation itself",
    r"\ban? (row|line|dot|event|case|panel|chart|figure) an? \w+": "'one … per …'",
    r"\bpart(s)? (first|unseen)\b": "'differ'",
    r"\bmade new\b": "'created'",
}
"""Phrase: what to write in its place."""


def prose(path):
    """The comments, docstrings and other texts of a module, or a whole Markdown page."""
    text = path.read_text()
    if path.suffix != ".py":
        return text
    kinds = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return "\n".join(" ".join(token.string.split()) for token in tokens if token.type in kinds)


FILES = [
    path
    for pattern in ("lossbench/**/*.py", "lossbench/**/*.md", "configs/**/*.py", "configs/**/*.yaml", "*.md")
    for path in sorted(ROOT.glob(pattern))
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_phrases_that_need_a_second_reading_are_absent(path):
    """Each comes with what to write in its place."""
    text = prose(path)
    found = {
        match.group(): f"write {instead}"
        for phrase, instead in INSTEAD.items()
        for match in re.finditer(phrase, text, re.IGNORECASE)
    }
    assert found == {}


def test_the_phrases_are_found():
    """Else the test above could not fail."""
    text = "So many losses are told anew, held against a row an epoch that stands beside what parts first."
    assert sum(bool(re.search(phrase, text, re.IGNORECASE)) for phrase in INSTEAD) == 7


def commands(command, name="lossbench"):
    """A command and those below it, by their full names."""
    yield name, command
    for below, child in getattr(command, "commands", {}).items():
        yield from commands(child, f"{name} {below}")


COMMANDS = list(commands(get_command(app)))


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_every_command_and_option_has_help_that_is_a_sentence(name, command):
    """It begins with a capital or a value, and ends with a full stop or the default in brackets."""
    helps = {name: command.help, **{"/".join(each.opts): getattr(each, "help", None) for each in command.params}}
    wrong = {
        where: text
        for where, text in helps.items()
        if not text or not text.strip().split("\n\n")[0].endswith((".", ".)", ")")) or re.match(r"(Such as|So )", text)
    }
    assert {
        where: text for where, text in wrong.items() if where not in {"--install-completion", "--show-completion"}
    } == {}


def is_imperative(sentence):
    """Whether a sentence begins like an instruction: not with an article, a pronoun, a gerund or a third person."""
    first = re.split(r"[ ,.:;]", sentence.strip(), maxsplit=1)[0]
    return bool(re.fullmatch(r"[A-Z][a-z]+|[A-Z]+", first)) and not re.fullmatch(
        r"(A|An|The|What|Which|Who|Where|How|Whether|Each|Every|All|This|It|Its|From|Of|By|Once|Many|Runs|Losses)",
        first,
    )


def public():
    """Every public function that has a docstring, and its file."""
    return [
        (path, node)
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and not {ast.unparse(each).rpartition(".")[2] for each in node.decorator_list}
        & {"property", "cached_property", "overload"}
        and "losses/catalogue" not in path.as_posix()
        and ast.get_docstring(node)
    ]


def test_docstrings_of_functions_begin_with_a_verb():
    """Return, Write, Parse, Compute: what the function does, not what it is."""
    wrong = [
        f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}: {ast.get_docstring(node).splitlines()[0]}"
        for path, node in public()
        if not is_imperative(ast.get_docstring(node))
    ]
    assert wrong == []


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_sources_have_one_format(path):
    """Authors, year in brackets, title; or a name in the documentation of a framework."""
    sources = re.findall(r"^ *Source: (.+(?:\n *\S.*)*)", path.read_text(), re.MULTILINE)
    wrong = [
        each for each in sources if not re.match(r"[^\d]+ \(\d{4}\)\. \S|(keras|torch|optax)\.", " ".join(each.split()))
    ]
    assert wrong == [], "write `Source: Authors (year). Title. doi:id.`, or arXiv:id"
