"""The `sweep.tune` section: each loss is tuned on validation images before losses are compared."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import Field

from lossbench.config.section import Section
from lossbench.config.seeds import Seeds
from lossbench.errors import Problem, did_you_mean, first_few
from lossbench.metrics import METRICS

VALIDATION_METRICS = tuple(f"val_{name}" for name in METRICS)
"""Metrics that may choose a setting: of validation images, and the same quantity for every loss."""


class Tune(Section):
    """Try settings of each loss on seeds of their own; then train the best one and the default."""

    trials: Annotated[int, Field(ge=2, le=10_000)] = 8
    """Settings to try per loss and condition; the default is one of them."""
    metric: str = VALIDATION_METRICS[0]
    """Validation metric that chooses, e.g. val_accuracy or val_nll."""
    seeds: Seeds = (1000, 1001)
    """Seeds of the tuning runs, none of them a seed of the comparison, e.g. 1000-1001."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Dotted keys with lists or ranges to search for every loss, e.g. {optimizer.learning_rate: [0.001, 0.01]}."""


def contradictions(tune: Tune, seeds: Sequence[int]) -> Iterator[Problem]:
    """Yield every contradiction between keys of the section, and with the seeds of the comparison."""
    here = ("sweep", "tune")
    if tune.metric not in VALIDATION_METRICS:
        yield Problem((*here, "metric"), _not_for_validation(tune.metric))
    if shared := sorted({*tune.seeds} & {*seeds}):
        yield Problem(
            (*here, "seeds"),
            f"expected seeds that the comparison does not have, got {first_few([*map(str, shared)])}; "
            "choose others, e.g. 1000-1001",
        )


def _not_for_validation(metric: str) -> str:
    """Return why a metric cannot choose a setting, and what to write instead."""
    name = metric.removeprefix("test_").removeprefix("test.last.")
    expected = f"expected one of {', '.join(VALIDATION_METRICS)}, got {metric!r}"
    if name in METRICS:
        return f"{expected}; the test set must not choose: write val_{name}"
    if metric in {"loss", "val_loss"}:
        return f"{expected}; the losses of two settings may be different quantities"
    return f"{expected}{did_you_mean(metric, VALIDATION_METRICS)}"
