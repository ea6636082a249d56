"""TensorBoard events with the tag names of Keras, and HParams.

A continued run rewrites the events of its finished epochs.
"""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from lossbench import files
from lossbench.metrics import METRICS
from lossbench.runs import paths, rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

TAGS = {name: f"epoch_{name}" for name in (*METRICS, "loss", "learning_rate")}


def is_installed() -> bool:
    """Return whether TensorBoard is installed; TensorFlow cannot write events without it."""
    return find_spec("tensorboard") is not None


class Events:
    """Writers of `tb/train` and `tb/validation` in a run folder; the configuration is written to `tb` itself."""

    def __init__(self, run: Path, config: Mapping[str, Any], history: Iterable[Mapping[str, Any]]) -> None:
        import tensorflow as tf
        from tensorboard.plugins.hparams import api as hparams

        self._summary, self._folder = tf.summary, run / paths.TENSORBOARD
        shutil.rmtree(self._folder, ignore_errors=True)
        self._writers = {
            part: tf.summary.create_file_writer(str(self._folder / part)) for part in ("train", "validation")
        }
        with tf.summary.create_file_writer(str(self._folder)).as_default():
            hyperparameters = {key: value for key, value in rows.flatten(config) if value is not None}
            hparams.hparams(hyperparameters, trial_id=run.name)
        for row in history:
            self.epoch(row)

    def epoch(self, row: Mapping[str, Any]) -> None:
        """Write the row of an epoch; the column `val_NAME` goes to the validation events as NAME."""
        for part, prefix in (("train", ""), ("validation", "val_")):
            with self._writers[part].as_default(step=row["epoch"]):
                for column, tag in TAGS.items():
                    if (value := row.get(prefix + column)) is not None:
                        self._summary.scalar(tag, value)
            self._writers[part].flush()

    def close(self) -> None:
        """Close the writers and sync their files to disk."""
        for writer in self._writers.values():
            writer.close()
        for path in (self._folder, *self._folder.rglob("*")):
            files.sync(path)
