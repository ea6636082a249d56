"""Run folders come back as they were written, and whatever else lies there is one sentence, never a crash."""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import pickle
import random
import struct
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossbench import metrics
from lossbench.errors import UsageError
from lossbench.runs import paths, plain_yaml, read, write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def run(tmp_path: Path, fabricate: Any) -> Path:
    """One complete run."""
    return fabricate(tmp_path / "runs", "focal gamma=5", 3)


def test_a_run_comes_back(run: Path) -> None:
    """Status, seed, label, configuration and metrics are those of the files."""
    actual = read.read(run)
    assert (actual.status, actual.seed, actual.loss) == ("completed", 3, "focal gamma=5")
    assert actual.config["optimizer"] == {
        "name": "adam", "learning_rate": 0.001, "schedule": {"name": "constant"}, "weight_decay": 0.0,
    }  # fmt: skip
    assert actual.summary["device"] == {"kind": "cpu", "name": "CPU"}
    temperatures = {"val.last.temperature", "val.best.temperature"}
    measured = {f"test.{at}.{name}" for at in ("last", "best") for name in metrics.REPORTED}
    assert set(actual.metrics) == measured | temperatures


def test_tables_and_predictions_agree(run: Path) -> None:
    """Accuracy is the same from `run.json`, `predictions.npz`, `confusion.csv` and `per_class.csv`."""
    expected = read.read(run).metrics["test.best.accuracy"]
    arrays, counts = read.predictions(run), read.confusion(run)["best"]
    rows = [row for row in read.per_class(run) if row["at"] == "best"]
    assert expected == np.mean(arrays["best.predicted"] == arrays["labels"])
    assert expected == counts.trace() / counts.sum()
    assert expected == pytest.approx(sum(row["recall"] * row["support"] for row in rows) / 500)
    assert [row["class"] for row in rows] == list(range(10))


def test_history_comes_back(run: Path) -> None:
    """Empty cells are None, nan is NaN, and a line that is being written is left out."""
    write.append_epoch(run / "metrics.csv", {"epoch": 5, "accuracy": math.nan})
    with (run / "metrics.csv").open("a") as file:
        file.write("6,0.9")
    rows = read.history(run)
    assert [row["epoch"] for row in rows] == [0, 1, 2, 3, 4, 5]
    assert math.isnan(rows[5]["accuracy"] or 0)
    assert rows[5]["loss"] is None
    assert set(rows[0]) == set(paths.METRICS_COLUMNS)


def test_find(tmp_path: Path, fabricate: Any) -> None:
    """Run folders at any depth, each once, sorted; hidden ones and links below are not entered."""
    first, second = (fabricate(tmp_path / "runs", "focal", seed) for seed in (0, 1))
    hidden = tmp_path / "runs" / ".old" / "x"
    write.summary(hidden.mkdir(parents=True) or hidden / "run.json", {})
    (tmp_path / "runs" / "loop").symlink_to(tmp_path / "runs")
    (first / "checkpoint").mkdir()
    (first / "checkpoint" / "run.json").write_text("{}")
    (lost := tmp_path / "runs" / "lost").mkdir()
    (lost / "metrics.csv").write_text("")
    expected = sorted([first, second, lost])
    assert expected == read.find([tmp_path / "runs", first, tmp_path / "runs" / "study"])
    (tmp_path / "link").symlink_to(tmp_path / "runs")
    assert len(read.find([tmp_path / "link"])) == 3


def test_places_that_are_no_folders(tmp_path: Path) -> None:
    """A place that is missing, a file, or a link that bites its tail is said to be so."""
    (tmp_path / "file").write_text("")
    (tmp_path / "tail").symlink_to(tmp_path / "tail")
    for name, message in {"absent": "no such folder", "file": "expected a folder", "tail": "no such folder"}.items():
        with pytest.raises(UsageError, match=message):
            read.find([tmp_path / name])


JSON_FAULTS = {
    "missing": (None, "run.json is missing"),
    "empty": (b"", "run.json: not JSON"),
    "truncated": (b'{"schema_version": 1, "sta', "run.json: not JSON"),
    "random": (random.Random(0).randbytes(1000), "run.json: not UTF-8"),  # noqa: S311 - test data
    "a list": (b"[]", "run.json: schema_version: expected"),
    "NaN": (b'{"schema_version": NaN}', "NaN is no JSON number"),
    "deep": (b"[" * 100_000, "run.json: not JSON"),
    "newer": (
        b'{"schema_version": 2}',
        "a newer lossbench: expected schema_version 1 at most, got 2; update",
    ),
    "truth": (b'{"schema_version": true}', "got True"),
    "huge number": (b'{"schema_version": ' + b"9" * 5000 + b"}", "run.json: not JSON"),
    "huge file": (b" " * (5 << 20), "run.json: expected at most 4096 KiB"),
}


@pytest.mark.parametrize(("content", "reason"), JSON_FAULTS.values(), ids=JSON_FAULTS)
def test_a_broken_summary(run: Path, content: bytes | None, reason: str) -> None:
    """Whatever is wrong with `run.json`, the reason is one line that names it."""
    (run / "run.json").unlink()
    if content is not None:
        (run / "run.json").write_bytes(content)
    with pytest.raises(read.BrokenRunError) as caught:
        read.read(run)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("status", "great"), ("status", ["completed"]), ("seed", 1.5), ("seed", True), ("loss", ""), ("loss", None),
        ("metrics", []), ("metrics", {"test.last.accuracy": "0.9"}), ("metrics", {"test.last.accuracy": 10**400}),
        ("hashes", None), ("hashes", {"identity": 1}),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named(run: Path, key: str, value: object) -> None:
    """A key of `run.json` with a value that cannot be is named, with what came."""
    summary = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(summary | {key: value}))
    with pytest.raises(read.BrokenRunError, match=rf"run\.json: {key}: expected .*, got "):
        read.read(run)


def test_a_fifo_does_not_hang(run: Path) -> None:
    """What is no regular file is not opened."""
    for name in ("config.yaml", "metrics.csv", "predictions.npz"):
        (run / name).unlink()
        os.mkfifo(run / name)
    for reader in (read.read, read.history, read.predictions):
        with pytest.raises(read.BrokenRunError, match="is not a regular file"):
            reader(run)


YAML_FAULTS = {
    "alias": "a: &x [1]\nb: *x",
    "bomb": "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]",
    "tag": "a: !!python/object/apply:os.system [echo]",
    "deep": "a: " + "[" * 30 + "]" * 30,
    "very deep": "a: " + "[" * 60_000,
    "list": "- a",
    "empty": "",
    "two": "a: 1\n---\nb: 2",
    "number keys": "a: {1: 2}",
    "control": "a: \x07",
    "unclosed": "a: [1",
    "mapping as key": "{a: 1}: 2",
}


@pytest.mark.parametrize("text", YAML_FAULTS.values(), ids=YAML_FAULTS)
def test_a_broken_configuration(run: Path, text: str) -> None:
    """Whatever is wrong with `config.yaml`, the reason is one line that names it."""
    (run / "config.yaml").write_text(text)
    with pytest.raises(read.BrokenRunError, match=r"^config\.yaml: ") as caught:
        read.read(run)
    assert "\n" not in str(caught.value)


def test_yaml_is_that_of_version_1_2() -> None:
    """`1e-3` is a number, `no` and dates are text, `010` is ten."""
    text = (
        "a: 1e-3\nb: no\nc: 2031-05-06\nd: 010\ne: ~\nf: true\ng: '5'\nh: .inf\ni: -.5\nj: 0x10\nk: {<<: 1}\nl: 1_000"
    )
    assert plain_yaml.parse(text) == {
        "a": 0.001, "b": "no", "c": "2031-05-06", "d": 10, "e": None, "f": True, "g": "5", "h": math.inf, "i": -0.5,
        "j": 16, "k": {"<<": 1}, "l": "1_000",
    }  # fmt: skip


CSV_FAULTS = {
    "no header": "",
    "missing column": "at,true\nlast,0\n",
    "short row": "at,true,predicted,count\nlast,0\n",
    "text": "at,true,predicted,count\nlast,0,0,many\n",
    "no square": "at,true,predicted,count\nlast,0,0,1\nlast,0,1,1\n",
    "far out": "at,true,predicted,count\nlast,9999999999,0,1\n",
    "negative": "at,true,predicted,count\n" + "".join(f"last,{i},{j},1\n" for i in (0, -1) for j in (0, -1)) * 2,
    "huge count": f"at,true,predicted,count\nlast,0,0,{10**30}\n",
    "huge cell": f"at,true,predicted,count\nlast,0,0,{'1' * 200_000}\n",
    "NUL": "at,true,predicted,count\nlast,0,\0,1\n",
    "quote": 'at,true,predicted,count\n"last,0,0,1\n',
}


@pytest.mark.parametrize("text", CSV_FAULTS.values(), ids=CSV_FAULTS)
def test_a_broken_table(run: Path, text: str) -> None:
    """Whatever is wrong with `confusion.csv`, the reason is one line that names it."""
    (run / "confusion.csv").write_text(text)
    with pytest.raises(read.BrokenRunError, match=r"^confusion\.csv: ") as caught:
        read.confusion(run)
    assert "\n" not in str(caught.value)


def test_a_huge_table_is_not_read(run: Path) -> None:
    """A table of more than 64 MiB is refused before it fills the memory."""
    with (run / "metrics.csv").open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(read.BrokenRunError, match=r"metrics\.csv: expected at most 65536 KiB"):
        read.history(run)


def test_a_table_of_many_small_rows_is_not_read(run: Path) -> None:
    """What would take a hundred times its own length of memory is refused."""
    (run / "metrics.csv").write_text("epoch\n" + "1\n" * 2_000_001)
    with pytest.raises(read.BrokenRunError, match=r"metrics\.csv: expected at most 2,000,000 cells"):
        read.history(run)


def npz(packing: int = zipfile.ZIP_STORED, **members: bytes) -> bytes:
    """A zip archive of the given members."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", packing) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return archive.getvalue()


def listed(content: bytes, times: int) -> bytes:
    """An archive whose list names its one member so many times: all of them are the same bytes."""
    begin, end = content.index(b"PK\1\2"), content.index(b"PK\5\6")
    entry = content[begin:end]
    size = struct.pack("<2H2L", *[min(times, 0xFFFF)] * 2, len(entry) * times, begin)
    return content[:begin] + entry * times + content[end : end + 8] + size + b"\0\0"


def npy(array: np.ndarray[Any, Any], *, allow_pickle: bool = False) -> bytes:
    """An array as a `.npy` file."""
    content = io.BytesIO()
    np.save(content, array, allow_pickle=allow_pickle)
    return content.getvalue()


class Explosive:
    """Raises when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Tell pickle to call `exec`."""
        return (exec, ("raise SystemExit('unpickled')",))


def objects_of_the_right_length() -> bytes:
    """An object array whose pickle is exactly as long as its header promises."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|O", "fortran_order": False, "shape": (20,)})
    return header.getvalue() + pickle.dumps(Explosive()).ljust(160, b".")


ARRAY_FAULTS = {
    "text": b"not a zip",
    "truncated": npz(labels=npy(np.arange(1000)))[:-40],
    "objects": npz(labels=npy(np.array([Explosive()], dtype=object), allow_pickle=True)),
    "objects as long as they say": npz(labels=objects_of_the_right_length()),
    "a pickle": npz(labels=pickle.dumps(Explosive())),
    "long header": npz(labels=npy(np.zeros(3)).replace(b"(3,)", b"(9999999999,)")),
    "short member": npz(labels=npy(np.zeros(3))[:-8]),
    "a bomb": npz(zipfile.ZIP_DEFLATED, labels=npy(np.zeros(1 << 20))),
    "the same bytes often": listed(npz(labels=npy(np.zeros(1000))), 100),
    "texts": npz(labels=npy(np.array(["a"]))),
    "nothing, often": npz(labels=npy(np.zeros(1 << 20, "V0"))),
    "records": npz(labels=npy(np.zeros(3, "i4,f4"))),
    "no header": npz(labels=b""),
    "negative": npz(labels=npy(np.zeros(3)).replace(b"(3,)", b"(-3,)")),
}


@pytest.mark.parametrize("content", ARRAY_FAULTS.values(), ids=ARRAY_FAULTS)
def test_broken_predictions(run: Path, content: bytes) -> None:
    """Nothing is unpickled, nothing is believed: the reason is one line that names the file."""
    (run / "predictions.npz").write_bytes(content)
    with pytest.raises(read.BrokenRunError, match=r"^predictions\.npz: ") as caught:
        read.predictions(run)
    assert "\n" not in str(caught.value)


REFUSED = {
    "a packed array": (npz(zipfile.ZIP_LZMA, labels=npy(np.arange(3))), "expected arrays that are not packed"),
    "a million arrays": (listed(npz(labels=b""), 1_000_000), "the list of its arrays is too long"),
}


@pytest.mark.parametrize(("content", "reason"), REFUSED.values(), ids=REFUSED)
def test_predictions_that_would_grow_as_they_are_read(run: Path, content: bytes, reason: str) -> None:
    """Packed arrays, and a list of arrays that is longer than any, are not even begun with."""
    (run / "predictions.npz").write_bytes(content)
    with pytest.raises(read.BrokenRunError, match=f"predictions.npz: {reason}"):
        read.predictions(run)


def test_huge_predictions_are_not_read(run: Path) -> None:
    """A file of more than 256 MiB is refused before it fills the memory."""
    with (run / "predictions.npz").open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(read.BrokenRunError, match=r"predictions\.npz: expected at most 256 MiB"):
        read.predictions(run)


@given(st.binary(max_size=300), st.sampled_from(["run.json", "config.yaml", "metrics.csv", "predictions.npz"]))
def test_random_bytes_never_crash(tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str) -> None:
    """Any bytes in any file give a result or a `BrokenRunError`."""
    folder = tmp_path_factory.mktemp("run")
    (folder / name).write_bytes(content)
    for reader in (read.read, read.history, read.predictions):
        with contextlib.suppress(read.BrokenRunError):
            reader(folder)
