"""Retraining of a recorded run, with the same configuration, data, losses and threads, in a temporary folder."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from lossbench.config import resolve
from lossbench.errors import (
    ConfigError,
    DataError,
    InterruptedRunError,
    LossbenchError,
    PluginError,
    UnfinishedRunError,
    UsageError,
)
from lossbench.runs import paths, read
from lossbench.training.train import identify, train

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lossbench.config.identity import Trial
    from lossbench.config.schema import Experiment
    from lossbench.losses.plugin import PluginLoaded
    from lossbench.training.progress import Progress


def trial_of(run: read.Run, plugins: Sequence[PluginLoaded] = ()) -> Trial:
    """Return the trial of a completed run: its configuration, with the recorded number of threads.

    Args:
        run: The recorded run.
        plugins: Loaded files with the user's own losses.

    Raises:
        UsageError: The run is not completed, or its `config.yaml` does not belong to its `run.json`.
        PluginError: A plugin that it was trained with is not among those given, or has changed.
        DataError: Its data are missing or have changed.
    """
    if run.status != "completed":
        raise UsageError(f"{run.folder}: expected a completed run, got one that is {run.status}")
    _check_plugins(run, plugins)
    trial = identify(_experiment(run), plugins)
    recorded = run.summary["hashes"]
    if trial.data_sha256 != recorded.get("data"):
        raise DataError(
            f"{run.folder}: the data have changed since it was trained: "
            f"expected SHA-256 {_short(recorded.get('data'))}, got {_short(trial.data_sha256)}"
        )
    if trial.identity != recorded["identity"]:
        raise UsageError(
            f"{run.folder / paths.CONFIG}: does not belong to {paths.RUN}: "
            f"expected identity {_short(recorded['identity'])}, got {_short(trial.identity)}"
        )
    return trial


@contextmanager
def trained_again(
    run: read.Run,
    trial: Trial,
    *,
    device: str | None = None,
    plugins: Sequence[PluginLoaded] = (),
    progress: Progress | None = None,
) -> Iterator[read.Run]:
    """Retrain a run in a temporary folder, which is removed afterwards; the run itself is not changed.

    Args:
        run: The recorded run.
        trial: Its trial, from `trial_of`.
        device: `auto`, `cpu`, `gpu` or `gpu:N`; None: the CPU if the run used it, otherwise `auto`.
        plugins: Loaded files with the user's own losses.
        progress: Receives the progress of the run.

    Yields:
        The new run.

    Raises:
        InterruptedRunError: A signal stopped the run; nothing is kept.
        LossbenchError: The run cannot be trained on this machine.
    """
    chosen = device or ("cpu" if _mapping(run.summary.get("device")).get("kind") == "cpu" else "auto")
    with TemporaryDirectory(prefix="lossbench-verify-") as folder:
        try:
            result = train(trial, runs_dir=Path(folder), device=chosen, plugins=plugins, progress=progress)
        except InterruptedRunError as error:
            raise InterruptedRunError(f"stopped; {run.folder} is not verified", error.signal) from error
        except UnfinishedRunError as error:
            cause = error.__cause__
            raise LossbenchError(f"{run.folder}: cannot be trained: {type(cause).__name__}: {cause}") from error
        yield read.read(result.run)


def _experiment(run: read.Run) -> Experiment:
    """Return the recorded configuration with the recorded number of threads, without weights and TensorBoard."""
    settings = _mapping(run.config.get("train")) | {"threads": run.summary.get("threads"), "save_weights": False}
    try:
        return resolve.from_mapping({**run.config, "train": settings, "log": {}})
    except ConfigError as error:
        lines = [f"{run.folder / paths.CONFIG}: {line}" for line in str(error).splitlines()]
        raise ConfigError(lines, error.problems) from error


def _check_plugins(run: read.Run, plugins: Sequence[PluginLoaded]) -> None:
    recorded = run.summary.get("plugins")
    for each in map(_mapping, recorded if isinstance(recorded, list) else []):
        if each.get("in_memory"):
            raise PluginError(
                f"{run.folder}: was trained with {str(each['in_memory'])!r}, a loss in the memory of a program, which "
                "no file holds, so it cannot be retrained; put the loss into a file, and train and verify it from there"
            )
        path, digest = Path(str(each.get("path"))), each.get("sha256")
        if digest in {plugin.sha256 for plugin in plugins}:
            continue
        for plugin in plugins:
            if plugin.path.name == path.name:
                raise PluginError(
                    f"{plugin.path}: {_changed_imports(each, plugin)}has changed since {run.folder} was trained: "
                    f"expected SHA-256 {_short(digest)}, got {_short(plugin.sha256)}"
                )
        raise PluginError(
            f"{run.folder}: was trained with a loss of {str(path)!r}; name that file in `plugins`",
            mentions=("plugins",),
        )


def _changed_imports(recorded: dict[str, Any], plugin: PluginLoaded) -> str:
    """Return which files beside a plugin have changed, as the subject of a sentence; empty if it is only the plugin."""
    before, now = _mapping(recorded.get("imports")), dict(plugin.imports)
    changed = sorted(str(name) for name in before | now if before.get(name) != now.get(name))
    return f"{', '.join(changed)}, which it imports, " if changed else ""


def _short(digest: object) -> str:
    """Return the first 12 characters of a digest, quoted; a damaged file may hold any value."""
    return repr(str(digest)[:12])


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
