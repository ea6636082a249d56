"""Loss maps of made-up runs: three noise rates, two sizes, four losses."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
from fabricate import row

from lossbench.analysis import names
from lossbench.analysis.comparison import compare
from lossbench.analysis.loss_map import loss_map
from lossbench.analysis.query import Answer, Query
from lossbench.cli.query import label_readings

CE, RATE, SIZE = "categorical_crossentropy", "data.label_noise.rate", "data.train_size"
GAINS = {CE: (0, 0, -3), "focal": (4, -2, -2), "generalized_crossentropy q=0.7": (0.05, 2, 2), "brier": (-4, -4, -4)}
"""Accuracy at each noise rate above 90 %, in percentage points: focal wins clean labels, the third loss noisy ones."""


def study(gains: Any = GAINS, seeds: int = 8, sizes: tuple[Any, ...] = (1000, None)) -> list[dict[str, Any]]:
    """Runs at three noise rates and two sizes."""
    random = np.random.default_rng(0)
    return [
        row(loss, seed, 0.9 + gain / 100 + random.normal(0, 0.0004), **{RATE: rate, SIZE: size})
        for loss, each in gains.items()
        for (rate, gain), size in itertools.product(zip((0.0, 0.2, 0.4), each, strict=True), sizes)
        for seed in range(seeds)
    ]


def answered(rows: list[dict[str, Any]], labels: tuple[str, ...] = (), **query: Any) -> Answer:
    """The answer to a map."""
    asked = Query(
        **{"map_keys": (RATE, SIZE), "metric_names": ("accuracy",), "labels": tuple(map(label_readings, labels))}
        | query
    )
    comparison = compare(rows, asked)
    comparison = replace(comparison, loss_map=loss_map(comparison))
    return Answer(comparison, names=names.choose(asked.labels, comparison))
