"""Run folders in which anything may have happened to any file: looked at or refused in a line, by every command.

`LOSSBENCH_FUZZ=10000 pytest tests/reliability/test_fuzz_runs.py` tries 10,000 of each.
"""

from __future__ import annotations

import copy
import itertools
import json
import os
import random
import re
import shutil
import socket
from typing import TYPE_CHECKING, Any

import pytest
from fabricate import fabricate
from fuzzing import CASES, changed, fuzzed, survives
from hypothesis import given
from hypothesis import strategies as st

import lossbench
from lossbench import files, training
from lossbench.config import resolve
from lossbench.config.dump import to_yaml
from lossbench.errors import LossbenchError
from lossbench.report import formats
from lossbench.runs import paths, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FILES = (paths.RUN, paths.CONFIG, paths.METRICS, paths.PER_CLASS, paths.CONFUSION, paths.PREDICTIONS, paths.LOG)
AROUND = (f"../../{paths.INDEX}", f"../{paths.JOURNAL}")
COMMANDS = [
    ("compare", "runs"),
    ("compare", "runs", "--metric", "recall.3,f1.0,nll", "--at", "best", "--baseline", "focal"),
    ("compare", "runs", "--images"),
    ("compare", "runs", "--list"),
    ("compare", "runs", "--tune", "optimizer.learning_rate", "--by", "loss.name"),
    ("compare", "runs", "--fail-if", "delta.accuracy < -1pp", "--save-baseline", "baseline.json", "-f", "github"),
    *[("compare", "runs", "--format", name) for name in formats.FORMATS],
    ("show", "RUN"),
    ("show", "RUN", "--json"),
    ("diff", "RUN", "OTHER"),
    ("diff", "OTHER", "RUN", "--json"),
    ("report", "runs"),
    ("verify", "RUN"),
    ("export", "mlflow", "runs"),
    ("train", "-c", "file.yaml"),
    ("train", "-c", "file.yaml", "--json"),
    ("sweep", "-c", "file.yaml", "--dry-run", "-f", "json"),
    ("sweep", "-c", "file.yaml"),
]
"""What reads run folders; the last ones find the first run trained already."""

CODES = {"train": {0, 1, 2, 4}, "sweep": {0, 1, 2, 4}}
"""1: the folder may hold a finished run, so nothing is trained over it."""

FILE = "loss: ce\nname: study\ntrain: {threads: 1}\n"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two losses over two seeds; the first run could be verified."""
    place = tmp_path_factory.mktemp("folder") / "runs"
    for seed, label in itertools.product((0, 1), ("categorical_crossentropy", "focal")):
        run = fabricate(place, label, seed, images=60)
        write.append_log(run / paths.LOG, "epoch 1\nepoch 2")
    files.write_text(place / "file.yaml", FILE)
    experiment = resolve.load(place / "file.yaml")
    trial = training.identify(experiment)
    run = min((place / "study").iterdir()).rename(training.run_folder(trial, place))
    files.write_text(run / paths.CONFIG, to_yaml(experiment))
    summary = json.loads((run / paths.RUN).read_text())
    summary["hashes"] |= {"identity": trial.identity, "data": trial.data_sha256}
    write.summary(run / paths.RUN, summary)
    files.write_text(place / "study" / paths.JOURNAL, '{"event": "finished", "trial": 1}\n')
    lossbench.load_runs(place, write_index=True)
    return place


@pytest.fixture
def case(runs: Path, fresh: Callable[[], Path]) -> Callable[[], Path]:
    """Return a function that makes a folder with a copy of the runs; the first run is the one to damage."""

    def make() -> Path:
        folder = fresh()
        shutil.copytree(runs, folder / "runs", copy_function=shutil.copy2)
        (folder / "runs" / "file.yaml").rename(folder / "file.yaml")
        return folder

    return make


def some(turn: int, step: int = 20) -> list[tuple[str, ...]]:
    """All commands; in the short form one in `step`, others each turn."""
    return COMMANDS if CASES else COMMANDS[turn % step :: step]


def damaged(folder: Path) -> Path:
    """The run whose files are damaged."""
    return min(path for path in (folder / "runs" / "study").iterdir() if path.is_dir())


def looked_at(commands: Any, folder: Path, chosen: list[tuple[str, ...]]) -> None:
    """Every command ends as documented, and `load_runs` with a frame or an error of the family."""
    run, other = sorted(path for path in (folder / "runs" / "study").iterdir() if path.is_dir())[:2]
    for command in chosen:
        arguments = [{"RUN": run, "OTHER": other}.get(word, word) for word in command]
        done = commands(*arguments, cwd=folder)
        asked = [path for path in done.changed if re.search(r"/\.?(report\.html|baseline\.json|\.index\.json)", path)]
        trained = [folder / "runs" / "study", folder / "runs"] if command[0] in CODES else []
        survives(
            done,
            CODES.get(command[0], {0, 2, 5} | ({3} if "--fail-if" in command else set())),
            arguments=arguments,
            may_change=[*asked, *trained],
        )
    for epochs in (False, True):
        assert "loss" in loaded(folder / "runs", epochs=epochs)


def loaded(place: Path, *, epochs: bool) -> Any:
    """The columns of the frame of all runs; why there is none, where the damaged file hides all of them."""
    try:
        return lossbench.load_runs(place, epochs=epochs).columns
    except LossbenchError as error:
        return f"lossbench said {error}"


def kinds() -> dict[str, Callable[[Path], object]]:
    """What else may stand where a file is expected."""
    return {
        "nothing": lambda path: None,
        "empty": lambda path: path.touch(),
        "folder": lambda path: path.mkdir(),
        "pipe": os.mkfifo,
        "socket": bound,
        "link to itself": lambda path: path.symlink_to(path.name),
        "link to nothing": lambda path: path.symlink_to("nowhere"),
        "endless": lambda path: path.symlink_to("/dev/zero"),
        "terminal": lambda path: path.symlink_to("/dev/tty"),
        "unreadable": lambda path: path.write_text("") or path.chmod(0),
        "deep": lambda path: path.write_text("[" * 100_000),
        "deep mappings": lambda path: path.write_text('{"a":' * 100_000),
        "wide": lambda path: path.write_text("a," * 1_000_000),
        "long lines": lambda path: path.write_text('"' + "a" * 5_000_000),
        "zeros": lambda path: path.write_bytes(bytes(1_000_000)),
        "noise": lambda path: path.write_bytes(random.Random(0).randbytes(100_000)),  # noqa: S311 - nothing secret
        "escapes": lambda path: path.write_text("\x1b[2J\x1b]0;a\x07\n" * 100),
        "sparse": sparse,
    }


def bound(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(path.parent)  # an address has 107 characters at most
        server.bind(path.name)


def sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 10 << 30)


KINDS = kinds()


@pytest.mark.parametrize("step", [20, pytest.param(6, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", [*FILES, *AROUND])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.slow
def test_a_file_that_is_something_else(name, kind, step, commands, case, monkeypatch):
    """Folders, pipes, sockets, links, devices, and files of no content or far too much."""
    folder = case()
    path = damaged(folder) / name
    path.unlink()
    monkeypatch.chdir(folder)
    KINDS[kind](path)
    monkeypatch.chdir(folder)
    looked_at(commands, folder, some([*KINDS].index(kind) + [*FILES, *AROUND].index(name), step))


SPLICES = [
    b"\x00", b"\xff", b"\x1b[2J", b"\n", b"\r", b"\t", b" ", b",", b'"', b"'", b"[]", b"{}", b"[" * 30, b"- ", b": ",
    b"#", b"-1", b"1e999", b"nan", b"inf", b"9" * 400, b"1_000", b"0x10", "\u0663".encode(), b"null", b"true",
    b"\\ud800", b"&a ", b"*a", b"!!int ",
]  # fmt: skip


@fuzzed(20, 100)
@given(name=st.sampled_from([*FILES, *AROUND]), seed=st.integers(0, 2**40))
def test_a_file_with_a_few_changes(name, seed, commands, case):
    """Bytes, lines and words, cut off, spliced in, or in another order."""
    folder, draw = case(), random.Random(seed)  # noqa: S311 - nothing secret
    path = damaged(folder) / name
    content = path.read_bytes()
    for _ in range(draw.randint(1, 4)):
        content = changed(content, draw, SPLICES)
    path.write_bytes(content)
    looked_at(commands, folder, draw.sample(COMMANDS, 3))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every path into a nested value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield (*path, key)
        yield from places(child, (*path, key))


ODD = [
    None, True, 0, -1, 1.5, 10**30, 10**400, 1e308, -1e308, 5e-324, float("nan"), float("inf"), 2**63, -(2**63),
    "", "focal", "0.5", "nan", "\x1b[2J\x9b", "\ud800", "a\nb\tc", "<b>&amp;|`_^$\\", "x" * 5000, "=1+1", "2031-05-06",
    "/etc/passwd", "../../..", [], {}, [[[]]], {"": ""}, [1, "a", None], {"a": {"b": {}}}, [None] * 1000,
    {"name": 1}, [{"name": []}],
]  # fmt: skip


@fuzzed(25, 150)
@given(data=st.data(), file=st.sampled_from([paths.RUN, paths.RUN, paths.CONFIG, f"../../{paths.INDEX}"]))
def test_a_value_that_is_another(data, file, commands, case):
    """Every value of run.json, config.yaml and the index replaced by one of another type or size, or left out."""
    folder = case()
    path = damaged(folder) / file
    value = resolve.yaml.parse(path.read_text(), "").plain() if path.suffix == ".yaml" else json.loads(path.read_text())
    for _ in range(data.draw(st.integers(1, 3))):
        *parents, last = data.draw(st.sampled_from(list(places(value))))
        place = value
        for key in parents:
            place = place[key]
        if data.draw(st.integers(0, 9)):
            place[last] = copy.deepcopy(data.draw(st.sampled_from(ODD)))
        else:
            del place[last]
    path.write_text(json.dumps(value))
    looked_at(commands, folder, data.draw(st.lists(st.sampled_from(COMMANDS), min_size=3, max_size=3, unique=True)))


TRUNCATED = [0, 1, 2, 10, 0.25, 0.5, 0.75, -2, -1]


@pytest.mark.parametrize("name", [*FILES, *AROUND])
@pytest.mark.slow
def test_a_file_that_ends_too_early(name, commands, case):
    """At its first bytes, in its middle, before its last ones."""
    for turn, cut in enumerate(TRUNCATED):
        folder = case()
        path = damaged(folder) / name
        content = path.read_bytes()
        path.write_bytes(content[: int(cut * len(content)) if isinstance(cut, float) else cut])
        looked_at(commands, folder, some(turn))


@pytest.mark.parametrize("missing", ["versions", "seconds", "reason", "device", "metrics"])
def test_a_finished_run_that_tells_less_is_found_all_the_same(missing, commands, case):
    """Nothing is trained over it; only without metrics it is no run that can be read."""
    folder = case()
    path = damaged(folder) / paths.RUN
    summary = json.loads(path.read_text())
    path.write_text(json.dumps({name: value for name, value in summary.items() if name != missing}))
    done = commands("train", "-c", "file.yaml", cwd=folder)
    survives(done, {1 if missing == "metrics" else 0})
    assert ("already done" in done.err) == (missing != "metrics")
