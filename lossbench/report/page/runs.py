"""Section of single runs: configuration, environment, log, and the commands that train the run again."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from lossbench.report.formatting import clean
from lossbench.report.page.html import Html, element
from lossbench.report.wording import setting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossbench.analysis.page_data import RunFiles

ENVIRONMENT = (
    "argv", "versions", "device", "threads", "precision", "lossbench_commit", "git", "environment", "hashes",
    "parameters", "seconds", "started",
)  # fmt: skip
"""The keys of `run.json` that are shown."""


def runs_section(runs: Sequence[RunFiles], varying: Sequence[str]) -> Html:
    """Return a line per run, which opens; `varying` are the keys in which their conditions differ."""
    return element(
        "section",
        element("h2", f"Runs ({len(runs)})", id="runs"),
        element("div", *(_run(run, varying) for run in runs), data_filter="Filter runs"),
    )


def _run(run: RunFiles, varying: Sequence[str]) -> Html:
    row = run.row
    folder = str(row["folder"])
    reason = f" · {clean(row['reason'])}" if row.get("reason") else ""
    condition = "".join(f" · {setting(key, row[key])}" for key in varying if row.get(key) is not None)
    environment = {name: run.summary[name] for name in ENVIRONMENT if name in run.summary}
    again = f"lossbench verify {shlex.quote(folder)}\nlossbench train --config {shlex.quote(f'{folder}/config.yaml')}"
    return element(
        "details",
        element("summary", f"{clean(row['loss'])} · seed {row['seed']}{condition} · {row['status']}{reason}"),
        element("p", clean(folder), class_="faint"),
        *_text("configuration", run.config),
        *_text("environment", json.dumps(environment, indent=1, ensure_ascii=False) if environment else ""),
        *_text("log", run.log or "(empty)"),
        *_text("to train it again", again),
        class_="run",
    )


def _text(name: str, text: str) -> list[Html]:
    """Return a text of several lines with its name; nothing if it is empty."""
    lines = "\n".join(map(clean, text.split("\n"))).strip("\n")
    return [element("p", name), element("pre", lines)] if lines else []
