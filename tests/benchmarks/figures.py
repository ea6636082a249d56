"""How figures are taken and written: a process's time and memory, medians with quartiles, means with intervals."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

ROOT = Path(__file__).parents[2]


def measured(arguments: list[str], folder: Path, stdout: Any = subprocess.DEVNULL) -> tuple[float, float]:
    """Run a process; seconds, and MiB at most."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    began = time.perf_counter()
    process = subprocess.Popen(arguments, cwd=folder, env=environment, stdout=stdout, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(arguments)}: ended with {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def machine() -> str:
    """What the figures were measured on."""
    from lossbench.training.runtime import cores, processor

    return f"{cores()} cores of {processor()}, Python {sys.version.split()[0]}, TensorFlow {version('tensorflow')}"


def ratios(values: list[float], references: list[float]) -> list[float]:
    """Round by round, how many times as large."""
    return [value / reference for value, reference in zip(values, references, strict=True)]


def quartiles(values: list[float]) -> str:
    """Median, and between which values the middle half lies."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    digits = 1 if middle >= 10 else 2
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def mean_and_deviation(values: list[float]) -> str:
    """In percent."""
    spread = f" ± {100 * statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{100 * statistics.mean(values):.2f}{spread} %"


def mean_and_interval(values: list[float]) -> str:
    """In percent, with the 95 % interval of the mean, and how many they are."""
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    return f"{100 * np.mean(values):.3f} [{100 * low:.3f}, {100 * high:.3f}] %, n = {len(values)}"


def say(line: str, file: Any = None) -> None:
    """Print a line at once."""
    print(line, file=file, flush=True)
