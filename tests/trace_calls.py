"""System calls of a process and its children, as strace tells them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

NAMES = (
    "openat",
    "write",
    "pwrite64",
    "ftruncate",
    "fsync",
    "fdatasync",
    "rename",
    "mkdir",
    "unlink",
    "unlinkat",
    "rmdir",
)
_CALL = re.compile(r"(?P<thread>\d+) +(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+)")


@dataclass(frozen=True)
class Call:
    """A system call that succeeded: its thread, its name, the how-many-th of its name in its thread, its arguments."""

    thread: int
    name: str
    ordinal: int
    arguments: str


def tracing(output: Path) -> tuple[str, ...]:
    """What comes before a command so that its calls are written to a file; paths stand beside file descriptors."""
    return (
        "strace",
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-y",
        "-s",
        "4096",
        "-o",
        str(output),
        "-e",
        f"trace={','.join(NAMES)}",
    )


def calls(process: subprocess.Popen[str], output: Path) -> list[Call]:
    """The calls of a traced process, in time, once it has ended."""
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    found, counted = [], Counter[tuple[str, str]]()
    for line in _whole(output.read_text(errors="replace").splitlines()):
        if match := _CALL.match(line):
            counted[match["thread"], match["name"]] += 1
            if int(match["result"]) >= 0:
                ordinal = counted[match["thread"], match["name"]]
                found.append(Call(int(match["thread"]), match["name"], ordinal, match["arguments"]))
    return found


def _whole(lines: list[str]) -> list[str]:
    """Lines in the order in which their calls ended; a call that another thread's interrupted is put together."""
    begun: dict[str, str] = {}
    whole = []
    for line in lines:
        thread = line.partition(" ")[0]
        if line.endswith("<unfinished ...>"):
            begun[thread] = line.removesuffix(" <unfinished ...>")
        elif "resumed>" in line:
            whole.append(begun.pop(thread, "") + line.partition("resumed>")[2])
        else:
            whole.append(line)
    return whole
