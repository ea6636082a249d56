"""The lessons: what they ask for works in an empty folder, and their exercises tell a solution from none.

A lesson is followed from top to bottom:

- A `yaml` or `python` block whose first line is a comment with a file name, e.g. `# study.yaml: which loss?`, is
  written to that file. A later block of that name replaces it.
- The lines of a `sh` block, and those after `$` in a `console` block, run in a shell. Each ends with exit code 0, or
  with that of a comment at its end: `# exit 2`.
- A `python` block without a file name runs as a program. Blocks of other languages are shown only.

`## Exercises` has two parts, `### 1. …` and `### 2. …`: files to start from, if any, then one `sh` block with one
command, the check. `## Solutions` has the same two parts. The check fails before the solution's blocks are followed
and ends with 0 after them. A check may contain ANSWER instead of a value that the reader chooses; the last command of
the solution is then the check with a value.
"""

import os
import re
import resource
import subprocess
import sys

import pytest
from documents import ANSWER, LESSONS, blocks_of, exit_code, shell_lines

SECONDS = 60
"""Computing time of a lesson on two cores."""

CORES = 2
DEADLINE = 600
SHELL = 'lossbench() { "$PYTHON" -P -m lossbench "$@"; }; python() { "$PYTHON" "$@"; }\n'
"""Programs under test, whatever `PATH` holds."""

HEADINGS = ("Exercises", "Solutions")

each_lesson = pytest.mark.parametrize("file", LESSONS, ids=lambda file: file.stem)


def parts(file):
    """The body of a lesson, and its exercises and its solutions by number."""
    body, *others = re.split(rf"^## (?:{'|'.join(HEADINGS)})\n", file.read_text(), flags=re.MULTILINE)
    return body, *(dict(numbered(each)) for each in others)


def numbered(text):
    """The parts of a section below headings such as `### 1. Title`."""
    _, *found = re.split(r"^### (\d)\. .+\n", text, flags=re.MULTILINE)
    return zip(found[::2], found[1::2], strict=True)


def lines(text):
    """The commands in a part of a lesson."""
    return [line for block in blocks_of(text, "sh", "console") for line in shell_lines(block)]


def follow(text, folder):
    """Write the files and run the commands of a part of a lesson; each ends with the exit code that it should."""
    for block in blocks_of(text):
        if block.file and block.language in {"yaml", "python"}:
            (folder / block.file).write_text(block.text)
        elif block.language == "python":
            done = run([sys.executable, "-c", block.text], folder)
            assert done.returncode == 0, f"{block.text}\n{done.stderr}"
        elif block.language in {"sh", "console"}:
            for line in shell_lines(block):
                done = shell(line, folder)
                assert done.returncode == exit_code(line), f"{line}\n{done.stdout}\n{done.stderr}"


def processor_seconds():
    """The computing time of every process that this one has started and that has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def shell(line, folder):
    """Run a line of shell with this Python and its lossbench."""
    return run(["bash", "-c", SHELL + line], folder)


def run(command, folder):
    environment = {**os.environ, "PYTHON": sys.executable, "HOME": str(folder), "COLUMNS": "80", "NO_COLOR": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=DEADLINE, check=False
    )


@each_lesson
def test_a_lesson_ends_with_two_exercises_and_their_solutions(file):
    """Each with one command that checks it; a solution has every value that the reader chooses."""
    _, exercises, solutions = parts(file)
    assert list(exercises) == list(solutions) == ["1", "2"]
    for number, exercise in exercises.items():
        (check,) = lines(exercise)
        if ANSWER in check:
            assert re.fullmatch(re.escape(check).replace(ANSWER, r"\S+"), lines(solutions[number])[-1])


@pytest.mark.slow
@each_lesson
def test_a_lesson_can_be_followed_word_by_word(file, tmp_path):
    """In an empty folder, in time; each check of an exercise fails before the solution and passes after it."""
    body, exercises, solutions = parts(file)
    before = processor_seconds()
    follow(body, tmp_path)
    assert processor_seconds() - before <= CORES * SECONDS
    for number, exercise in exercises.items():
        (check,) = lines(exercise)
        for block in blocks_of(exercise, "yaml", "python"):
            (tmp_path / block.file).write_text(block.text)
        assert shell(check, tmp_path).returncode != 0, f"passes unsolved: {check}"
        follow(solutions[number], tmp_path)
        if ANSWER not in check:
            follow(f"```sh\n{check}\n```\n", tmp_path)
