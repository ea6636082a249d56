"""Run identities: a digest of everything that can change a number.

The digest leaves out the name of a run, its output, and the number of threads. It also leaves out the seed, which is
part of the folder name. A key that a later version adds is left out while it has its default, so that folders keep
their names.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lossbench.config.dump import dump
from lossbench.json_data import canonical
from lossbench.losses import expression, labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lossbench.config.schema import Experiment

ADDED: dict[str, Any] = {"model.initializer.bias": "zeros", "data.transpose": False, "model.features": None}
"""Keys that were added after the first runs, with the defaults at which the digest leaves them out."""

CALLING = 2
"""Version of how a user's loss gets its values, state and random numbers; other numbers need another version."""

DIGITS = 12
SLUG_LENGTH = 60


@dataclass(frozen=True)
class Trial:
    """A run to train: an experiment with the digests of its data and its plugin losses.

    Attributes:
        experiment: The validated configuration.
        identity: SHA-256 of everything that can change a number except the seed, 64 digits.
        folder: `<loss>-s<seed>-<first 12 digits>`, the run folder's name.
        data_sha256: SHA-256 of the data.
        plugin_sha256: SHA-256 of the plugin losses that this trial uses; None: it uses none.
    """

    experiment: Experiment
    identity: str
    folder: str
    data_sha256: str
    plugin_sha256: str | None


def trial(experiment: Experiment, *, data_sha256: str, plugins: Mapping[str, str] | None = None) -> Trial:
    """Return the trial of an experiment.

    Args:
        experiment: The validated configuration.
        data_sha256: SHA-256 of the data it names.
        plugins: SHA-256 of the file that each plugin loss comes from; only those that this experiment uses count.
    """
    used = sorted({(plugins or {})[term.name] for term in experiment.loss if term.name in (plugins or {})})
    plugin_sha256 = used[0] if len(used) == 1 else _digest(used) if used else None
    calling = {"calling": CALLING} if plugin_sha256 else {}
    identity = _digest({"config": _relevant(experiment), "data": data_sha256, "plugin": plugin_sha256, **calling})
    folder = f"{slug(labels.label(experiment.loss))}-s{experiment.seed}-{identity[:DIGITS]}"
    return Trial(experiment, identity, folder, data_sha256, plugin_sha256)


def slug(label: str) -> str:
    """Return a label as part of a folder name: lower-case letters, digits, `_`, `.` and `-`, at most 60.

    Example:
        >>> slug("1 normalized_crossentropy + 10 reverse_crossentropy")
        '1-normalized_crossentropy-10-reverse_crossentropy'
    """
    return re.sub(r"[^a-z0-9_.]+", "-", label.lower())[:SLUG_LENGTH].strip("-.") or "loss"


def _relevant(experiment: Experiment) -> dict[str, Any]:
    config = dump(experiment) | {"loss": expression.identity(experiment.loss)}
    for key in ("name", "seed", "log", "sweep"):
        del config[key]
    del config["data"]["path"]
    del config["train"]["threads"]
    del config["train"]["save_weights"]
    for path, default in ADDED.items():
        _leave_out(config, path.split("."), default)
    return config


def _leave_out(config: dict[str, Any], path: list[str], default: Any) -> None:
    """Delete the key at a path if it has its default."""
    *sections, key = path
    for section in sections:
        config = config.get(section) or {}
    if key in config and config[key] == default:
        del config[key]


def _digest(value: Any) -> str:
    text = json.dumps(canonical(value), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
