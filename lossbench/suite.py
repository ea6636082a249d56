"""The suite of `lossbench judge`: conditions, their opponents, and how much is trained.

Another suite gives other verdicts. A change of anything in this file therefore needs another `SUITE`, whose runs go to
other folders; results of two suites are never mixed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SUITE = "judge-2"
"""Name and version of the suite."""

REFERENCE = "categorical_crossentropy"
"""Opponent in every condition."""

SHARED: Mapping[str, Any] = MappingProxyType({"data": {"validation_size": 1000}, "model": "mlp"})
"""Settings of all runs, apart from the defaults."""

SMALL = 1000
"""Training images of the condition with few images."""


@dataclass(frozen=True)
class Condition:
    """A condition in which losses are compared.

    Attributes:
        name: Its name in results.
        opponents: The best losses of the atlas in this condition, the best first, as values of `loss`.
        settings: Its settings, by dotted key.
    """

    name: str
    opponents: Sequence[Any]
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Budget:
    """How much is trained.

    Attributes:
        images: Training images; None: all.
        epochs: Epochs.
        small_epochs: Epochs in the condition with few images.
        looks: Numbers of seeds at which to decide; the last is the largest.
        rope: Largest difference in accuracy that is equivalent.
        time: The longest time that it takes on two cores, in words.
    """

    images: int | None
    epochs: int
    small_epochs: int
    looks: tuple[int, ...]
    rope: str
    time: str


SMOOTHED = {"name": "categorical_crossentropy", "label_smoothing": 0.1}

SYMMETRIC = {"name": "symmetric_crossentropy", "alpha": 0.01}

CONDITIONS = (
    Condition("clean", (SMOOTHED, "poly1_crossentropy", "bootstrap_hard", "multi_margin", "focal")),
    Condition(
        "40 % symmetric noise",
        ("elr", "generalized_crossentropy", SYMMETRIC, "jensen_shannon", "taylor_crossentropy"),
        {"data.label_noise": {"type": "symmetric", "rate": 0.4}},
    ),
    Condition(
        "30 % asymmetric noise",
        ("forward_correction", "elr", SYMMETRIC, "generalized_crossentropy", "nce_rce"),
        {"data.label_noise": {"type": "asymmetric", "rate": 0.3}},
    ),
    Condition(
        "step imbalance 100",
        ("logit_adjustment", "weighted_crossentropy", "multi_margin", "focal", "poly1_crossentropy"),
        {"data.imbalance": {"type": "step", "ratio": 100}},
    ),
    Condition(
        "1,000 images",
        ("squentropy", SMOOTHED, "multi_margin", "brier", "poly1_crossentropy"),
        {"data.train_size": SMALL},
    ),
)
"""Conditions in the order of results, each with the five losses of the atlas with the best mean test accuracy.

Losses that are the same function as cross-entropy in a condition were left out. Source: `configs/atlas.yaml`, 10,000
images, or 2,000 for few images, six seeds; asymmetric noise likewise, in a sweep of its own.
"""

BUDGETS: Mapping[str, Budget] = MappingProxyType(
    {
        "quick": Budget(10_000, 2, 10, looks=(6, 8, 10), rope="0.5pp", time="3 minutes"),
        "full": Budget(None, 3, 30, looks=(6, 8, 10, 12), rope="0.3pp", time="15 minutes"),
    }
)
"""Budgets by name."""


def settings(condition: Condition, budget: Budget) -> dict[str, Any]:
    """Return the settings of a condition with a budget, by dotted key; every condition sets the same keys.

    Example:
        >>> settings(CONDITIONS[-1], BUDGETS["quick"])["train.epochs"]
        10
    """
    keys = {key: None for each in CONDITIONS for key in each.settings}
    few = "data.train_size" in condition.settings
    amount = {"data.train_size": budget.images, "train.epochs": budget.small_epochs if few else budget.epochs}
    return {**keys, **amount, **condition.settings}


def condition_of(found: Mapping[str, Any], budget: Budget) -> Condition | None:
    """Return the condition that has the given settings; None if there is no such condition.

    Args:
        found: The settings that differ between conditions, as the suite or as runs have them; None does not apply.
            Keys that no condition sets do not count.
        budget: How much is trained.

    Example:
        >>> condition_of({"data.train_size": 1000, "train.epochs": 10}, BUDGETS["quick"]).name
        '1,000 images'
    """
    expected = [_flat(settings(each, budget)) for each in CONDITIONS]
    keys = sorted({key for each in expected for key in each})
    given = _flat(found)
    absent = {key: None for name in found for key in keys if f"{key}.".startswith(f"{name}.") and key not in given}
    given = {key: value for key, value in {**given, **absent}.items() if key in keys}
    matching = zip(CONDITIONS, expected, strict=True)
    return next((each for each, its in matching if all(its.get(key) == value for key, value in given.items())), None)


def _flat(nested: Mapping[str, Any]) -> dict[str, Any]:
    """Return one key per number or text, without those that are None."""
    return {
        f"{key}.{name}" if name else key: value
        for key, given in nested.items()
        for name, value in (given.items() if isinstance(given, dict) else [("", given)])
        if value is not None
    }


def full_name(budget: str) -> str:
    """Return the name of the suite with a budget: `judge-2-quick`."""
    return f"{SUITE}-{budget}"
