"""p of every contrast of a comparison, adjusted for their number: paired ones by max-T, others by Holm's method."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from lossbench import statistics

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence
    from typing import TypeVar

    from lossbench.analysis.result import Contrast
    from lossbench.statistics.intervals import Floats

    Key = TypeVar("Key", bound=Hashable)


def with_adjusted_p(contrasts: Mapping[Key, Contrast]) -> dict[Key, Contrast]:
    """Return the contrasts with p, adjusted p and the method of adjustment.

    A family with paired and unpaired contrasts is two families; each adjusted p is then doubled (Bonferroni), so that
    the probability of any false verdict is still at most 0.05.
    """
    paired = {key: each for key, each in contrasts.items() if each.paired}
    unpaired = {key: each for key, each in contrasts.items() if not each.paired and each.p is not None}
    families = 2 if paired and unpaired else 1
    tested = {**contrasts, **_by_max_t(paired), **_by_holm(unpaired)}
    return {
        key: each if each.p_adjusted is None else replace(each, p_adjusted=min(1.0, families * each.p_adjusted))
        for key, each in tested.items()
    }


def _by_max_t(contrasts: Mapping[Key, Contrast]) -> dict[Key, Contrast]:
    if not contrasts:
        return {}
    test = statistics.max_t(_matrix(list(contrasts.values())))
    return {
        key: replace(each, p=float(p), p_adjusted=float(adjusted), adjustment="max-T")
        for (key, each), p, adjusted in zip(contrasts.items(), test.p, test.adjusted, strict=True)
    }


def _by_holm(contrasts: Mapping[Key, Contrast]) -> dict[Key, Contrast]:
    adjusted = statistics.holm([each.p for each in contrasts.values() if each.p is not None])
    return {
        key: replace(each, p_adjusted=p, adjustment="Holm")
        for (key, each), p in zip(contrasts.items(), adjusted, strict=True)
    }


def _matrix(contrasts: Sequence[Contrast]) -> Floats:
    """Return the differences as `[seeds, contrasts]`, NaN where a contrast lacks a seed."""
    seeds = sorted({seed for each in contrasts for seed in each.values})
    return np.array([[each.values.get(seed, np.nan) for each in contrasts] for seed in seeds])
