"""A lost power supply: when a run is said to be complete, all of it has been handed to the disk."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

import pytest
from disturb import STUDY, SWEEP, finish, needs_strace, study, sweep, train
from trace_calls import Call, calls, tracing

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = [pytest.mark.slow, needs_strace]

PASSING = ("/checkpoint", "/.locks", "/sweep.jsonl", "/.old-")
"""What is not a result: it may be lost with the power."""


class Disk:
    """What would be lost with the power: files whose content, and folders whose names, are not synced yet."""

    def __init__(self, root: str) -> None:
        self.root, self.unsynced = root, set[str]()

    def see(self, call: Call) -> None:
        """Follow one system call."""
        quoted = [self._absolute(each) for each in re.findall(r'"((?:[^"\\]|\\.)*)"', call.arguments)]
        opened = re.match(r"\d+<([^>]*)>", call.arguments)
        match call.name:
            case "write" | "pwrite64" | "ftruncate" if opened:
                self.unsynced.add(opened[1])
            case "fsync" | "fdatasync" if opened:
                self.unsynced.discard(opened[1])
            case "openat" if "O_CREAT" in call.arguments:
                self.unsynced.add(str(PurePath(quoted[0]).parent))
            case "mkdir":
                self.unsynced.add(str(PurePath(quoted[0]).parent))
            case "unlink":
                self.unsynced.discard(quoted[0])
            case "rename":
                old, new = quoted
                assert old not in self.unsynced, f"{old} takes its place before it is on the disk"
                self.unsynced.add(str(PurePath(new).parent))

    def results(self) -> set[str]:
        """Of what would be lost, that which is a result."""
        return {
            path for path in self.unsynced if path.startswith(self.root) and not any(map(path.__contains__, PASSING))
        }

    def _absolute(self, path: str) -> str:
        return path if path.startswith("/") else f"{self.root.removesuffix('/runs')}/{path}"


def lost(traced: Iterable[Call], folder: str, said: str) -> list[set[str]]:
    """What would be lost each time that the process says something that contains `said`."""
    disk, found = Disk(f"{folder}/runs"), []
    for call in traced:
        disk.see(call)
        if call.name == "write" and call.arguments.startswith("1<") and said in call.arguments:
            found.append(disk.results())
    return found


@pytest.mark.parametrize("more", ["", "log: {tensorboard: true}\n", "loss: {name: gce, q: 0.1}\n"])
def test_a_completed_run_is_on_the_disk(more, tmp_path):
    """Each file is synced before it takes its name, and each folder after, TensorBoard's and the weights' too."""
    folder = study(tmp_path / "study", STUDY.replace("threads: 1", "threads: 1, save_weights: true") + more)
    traced = calls(train(folder, before=tracing(tmp_path / "trace")), tmp_path / "trace")
    assert lost(traced, str(folder), "runs/study/") == [set()]


def test_a_run_trained_anew_is_on_the_disk_before_the_old_one_goes(tmp_path):
    """With `--rerun` too."""
    folder = study(tmp_path / "study", STUDY)
    finish(train(folder))
    traced = calls(train(folder, "--rerun", before=tracing(tmp_path / "trace")), tmp_path / "trace")
    assert lost(traced, str(folder), "runs/study/") == [set()]


def test_each_run_of_a_sweep_is_on_the_disk_when_it_is_told(tmp_path):
    """At each `completed` that the sweep prints, that run's folder has nothing left to be written."""
    folder = study(tmp_path / "study", SWEEP)
    process = sweep(folder, "--json", before=tracing(tmp_path / "trace"), PYTHONUNBUFFERED="1")
    traced = calls(process, tmp_path / "trace")
    told = [
        call for call in traced if call.arguments.startswith("1<") and r"\"event\": \"completed\"" in call.arguments
    ]
    assert len(told) == 4
    for call in told:
        run = re.search(r'\\"trial\\": \\"([^"\\]+)', call.arguments)
        disk = Disk(f"{folder}/runs")
        for each in traced[: traced.index(call)]:
            disk.see(each)
        assert run
        assert not [path for path in disk.results() if run[1] in path]
