"""What the shell proposes when Tab is pressed: loss names, keys of the configuration, run folders.

Installed by `lossbench --install-completion`. Nothing heavy is imported, and nothing that is wrong in a file is said.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from lossbench.errors import LossbenchError


def losses(incomplete: str) -> Iterator[str]:
    """All that `loss:` may say: canonical names, aliases, presets."""
    from lossbench.losses import registry

    return (name for name in registry.names() if name.startswith(incomplete))


def settings(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """The keys of the configuration that `--config` names, each with its `=`; of the defaults where there is none."""
    from lossbench.config import resolve
    from lossbench.config.dump import dump

    file = ctx.params.get("config") or ctx.params.get("file")
    try:
        experiment = resolve.load(Path(file)) if file else resolve.from_mapping({})
    except LossbenchError:
        experiment = resolve.from_mapping({})
    return (f"{key}=" for key in _keys(dump(experiment)) if key.startswith(incomplete))


def runs(incomplete: str) -> Iterator[str]:
    """Run folders, and with a stroke behind them the folders that may hold some."""
    from lossbench.runs import paths

    for folder in sorted(Path().glob(f"{glob.escape(incomplete)}*/")):
        if not folder.name.startswith("."):
            yield str(folder) if (folder / paths.RUN).exists() else f"{folder}/"


def _keys(value: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, below in value.items():
        yield f"{prefix}{key}"
        if isinstance(below, dict):
            yield from _keys(below, f"{prefix}{key}.")
