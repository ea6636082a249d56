"""Measuring and printing: time and memory of a process, medians with quartiles, means with intervals, tables."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[2]

INSTRUCTIONS = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_bf16": "AVX-512-BF16",
    "amx_bf16": "AMX",
    "asimd": "NEON",
}
"""Instruction sets that decide how fast products are, by their flags in /proc/cpuinfo."""


class ProcessFailedError(SystemExit):
    """A measured process failed; uncaught, it ends the benchmark with its message."""


def measured(
    arguments: list[str], folder: Path, stdout: Any = subprocess.DEVNULL, package: Path | None = ROOT
) -> tuple[float, float]:
    """Run a process.

    Args:
        arguments: Its command line.
        folder: Its working directory.
        stdout: Where its output goes.
        package: Folder whose lossbench it imports; None: the one that is installed for its interpreter.

    Returns:
        Seconds, and the largest resident memory in MiB.

    Raises:
        ProcessFailedError: The process failed; the message ends with its error.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"TF_CPP_MIN_LOG_LEVEL": "3"} | ({"PYTHONPATH": str(package)} if package else {})
    with tempfile.TemporaryFile("w+") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(arguments, cwd=folder, env=environment, stdout=stdout, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        if status:
            errors.seek(0)
            code = os.waitstatus_to_exitcode(status)
            raise ProcessFailedError(f"`{' '.join(arguments)}` ended with {code}: {_last_error(errors.read())}")
    return seconds, usage.ru_maxrss / 1024


def _last_error(text: str) -> str:
    """Return the last line that names an exception, or else the last line."""
    lines = [line for line in text.splitlines() if line.strip()] or ["no message"]
    named = [line for line in lines if re.match(r"[\w.]+: ", line)]
    return (named or lines)[-1]


@contextmanager
def on_cores(count: int) -> Iterator[None]:
    """Restrict this process, and the processes that it starts inside, to `count` cores."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def machine() -> str:
    """Return the processor with its instruction sets, and the versions of Python, TensorFlow and lossbench."""
    import lossbench
    from lossbench.training.runtime import cores, processor

    software = f"Python {sys.version.split()[0]}, TensorFlow {version('tensorflow')}, lossbench {lossbench.__version__}"
    return f"{cores()} cores of {processor()} ({_processor_details()}), {software}"


def _processor_details() -> str:
    """Return family, model and instruction sets: cloud machines often hide the name of the processor."""
    facts: dict[str, str] = {}
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
        facts = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    flags = f"{facts.get('flags', '')} {facts.get('Features', '')}".split()
    numbers = [
        f"{name} {facts[key]}" for name, key in {"family": "cpu family", "model": "model"}.items() if key in facts
    ]
    return ", ".join([*numbers, *(name for flag, name in INSTRUCTIONS.items() if flag in flags)])


def ratios(values: Sequence[float], references: Sequence[float]) -> list[float]:
    """Divide each value by the reference of the same round."""
    return [value / reference for value, reference in zip(values, references, strict=True)]


def quartiles(values: Sequence[float]) -> str:
    """Return the median, with the first and third quartile in brackets if there are several values."""
    method = "linear" if np.isfinite(values).all() else "nearest"  # a program that never arrives takes forever
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75], method=method)
    digits = 1 if middle >= 10 else 2
    if len(values) == 1:
        return f"{middle:.{digits}f}"
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def mean_and_deviation(values: Sequence[float]) -> str:
    """Return mean ± standard deviation in percent."""
    spread = f" ± {100 * statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{100 * statistics.mean(values):.2f}{spread} %"


def mean_and_interval(values: Sequence[float]) -> str:
    """Return the mean with its 95 % interval in percent, and the number of values."""
    if len(values) < 2:
        return f"{100 * np.mean(values):.3f} %, n = {len(values)}"
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    return f"{100 * np.mean(values):.3f} [{100 * low:.3f}, {100 * high:.3f}] %, n = {len(values)}"


def difference_and_interval(before: Sequence[float], after: Sequence[float]) -> str:
    """Return the difference of two means in percentage points, with the 95 % interval of Welch's unpaired t-test."""
    low, high = stats.ttest_ind(after, before, equal_var=False).confidence_interval(0.95)
    return f"{100 * (np.mean(after) - np.mean(before)):+.3f} [{100 * low:+.3f}, {100 * high:+.3f}] pp"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table."""
    for row in (header, ["---"] * len(header), *rows):
        say(f"| {' | '.join(row)} |")


def progress(line: str) -> None:
    """Print a single measurement to stderr, which is not part of the table."""
    say(line, file=sys.stderr)


def say(line: str, file: Any = None) -> None:
    """Print a line at once."""
    print(line, file=file, flush=True)
