"""The index of many runs is a cache: it never changes an answer, whatever happens to it."""

from __future__ import annotations

import json
import os
import random
from typing import TYPE_CHECKING, Any

import pytest

from lossbench.runs import index, paths, rows

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def study(tmp_path: Path, fabricate: Any) -> Path:
    """Two losses, two seeds, one folder that cannot be read."""
    for seed in (0, 1):
        for loss in ("focal", "brier"):
            fabricate(tmp_path, loss, seed, images=20)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    return tmp_path


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were read from their files."""
    folders: list[Path] = []
    original = rows.read_row
    monkeypatch.setattr(rows, "read_row", lambda folder: folders.append(folder) or original(folder))
    return folders


def test_the_second_time_only_broken_folders_are_read(study: Path, read: list[Path]) -> None:
    """A warm index gives the same rows in the same order, and reads no file but those that cannot be read."""
    cold = index.load([study], write_index=True)
    assert len(read) == 5
    read.clear()
    assert index.load([study], write_index=True) == cold
    assert read == [study / "broken"]
    assert [each.folder for each in cold[1]] == [study / "broken"]


@pytest.mark.parametrize("name", ["run.json", "config.yaml"])
def test_a_changed_run_is_read_anew(study: Path, read: list[Path], name: str) -> None:
    """A file of the same size, replaced, is seen; so are a run that came and one that went."""
    (_, changed, *_), _ = index.load([study], write_index=True)
    read.clear()
    path = study / os.path.relpath(str(changed["folder"]), study) / name
    old, new = ("0.", "1.") if name == "run.json" else ("dropout: 0.2", "dropout: 0.3")
    path.with_name("new").write_text(path.read_text().replace(old, new))
    path.with_name("new").replace(path)
    after, _ = index.load([study], write_index=True)
    assert path.parent in read
    assert after[1] != changed


def test_runs_that_come_and_go(study: Path, fabricate: Any) -> None:
    """The index follows the folders."""
    assert len(index.load([study], write_index=True)[0]) == 4
    new = fabricate(study, "gce", 0, images=20)
    assert len(index.load([study], write_index=True)[0]) == 5
    (new / "run.json").unlink()
    (new / "metrics.csv").unlink()
    assert len(index.load([study], write_index=True)[0]) == 4


def test_a_config_is_kept_once(study: Path) -> None:
    """Runs that differ in seed and loss alone share a configuration in the index."""
    index.load([study], write_index=True)
    kept = json.loads((study / paths.INDEX).read_text())
    assert (len(kept["configs"]), len(kept["runs"])) == (1, 4)


DAMAGE = {
    "empty": lambda text: "",
    "truncated": lambda text: text[: len(text) // 2],
    "another format": lambda text: text.replace('"format": 2', '"format": 0'),
    "a list": lambda text: "[]",
    "deep": lambda text: "[" * 100_000,
    "no configuration of that number": lambda text: text.replace('"configs": [', '"configs": [], "old": ['),
    "an unknown status": lambda text: text.replace('"status": "completed"', '"status": "splendid"'),
    "a text for a metric": lambda text: text.replace('"test.last.nll": 0', '"test.last.nll": "x", "test.last.x": 0'),
    "an infinite metric": lambda text: text.replace('"test.last.nll": 0.', '"test.last.nll": 1e999, "test.last.x": 0.'),
    "a huge metric": lambda text: text.replace('"test.last.nll": 0.', f'"test.last.nll": {10**400}, "test.last.x": 0.'),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_index_is_rebuilt(study: Path, damage: Any) -> None:
    """Whatever stands in it, the rows are those of the folders, and the index is whole again."""
    rows_before, broken = index.load([study], write_index=True)
    whole = (study / paths.INDEX).read_text()
    assert damage(whole) != whole
    (study / paths.INDEX).write_text(damage(whole))
    assert index.load([study], write_index=True) == (rows_before, broken)
    assert json.loads((study / paths.INDEX).read_text()) == json.loads(whole)


def test_a_pipe_for_an_index_is_left_alone(study: Path) -> None:
    """It is neither waited for nor replaced."""
    expected = index.load([study], write_index=True)
    (study / paths.INDEX).unlink()
    os.mkfifo(study / paths.INDEX)
    assert index.load([study], write_index=True) == expected
    assert (study / paths.INDEX).is_fifo()


def test_an_index_that_is_too_large_is_not_read(study: Path) -> None:
    """Ten gigabytes of nothing cost no memory, and make place for an index."""
    import tracemalloc

    expected = index.load([study], write_index=True)
    os.truncate(study / paths.INDEX, 10 << 30)
    tracemalloc.start()
    try:
        assert index.load([study], write_index=True) == expected
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()
    assert (study / paths.INDEX).stat().st_size < 1 << 20


def test_random_bytes_for_an_index(study: Path) -> None:
    """Flipped bytes never crash a reading."""
    expected = index.load([study], write_index=True)[0]
    whole = (study / paths.INDEX).read_bytes()
    chance = random.Random(0)  # noqa: S311 - a test's
    for _ in range(50):
        flipped = bytearray(whole)
        for _ in range(20):
            flipped[chance.randrange(len(whole))] = chance.randrange(256)
        (study / paths.INDEX).write_bytes(flipped)
        assert len(index.load([study], write_index=True)[0]) == len(expected)


def test_a_folder_that_cannot_be_written(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows come all the same, and nothing is said."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("lossbench.files.os.fsync", refuse)
    assert len(index.load([study], write_index=True)[0]) == 4
    assert not (study / paths.INDEX).exists()
    assert not list(study.glob(".*"))


def test_places_that_overlap(study: Path, fabricate: Any) -> None:
    """A run is found once, however many places lead to it; a run folder itself gets no index."""
    folder = fabricate(study, "focal", 0, images=20)
    found, _ = index.load([folder, study, study / "study"], write_index=True)
    assert len(found) == 4
    assert not (folder / paths.INDEX).exists()
    assert found[0]["folder"] == str(folder) or str(folder) in {row["folder"] for row in found}
