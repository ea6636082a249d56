"""Learning rate schedules as one number per step, in NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import numpy as np

from lossbench.config.optimizer import Constant, Cosine, Exponential, Piecewise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lossbench.config.optimizer import Optimizer


def learning_rates(optimizer: Optimizer, *, epochs: int, steps_per_epoch: int) -> NDArray[np.float64]:
    """Return the learning rate of every step of a run.

    With time t and total length n in the unit of the schedule (`per: epoch` or `per: step`):

        constant     r
        cosine       end + (r - end) · (1 + cos(π (t - warmup)/(n - warmup)))/2, after r · (t + 1)/(warmup + 1)
        exponential  r · rate^(t/steps)
        piecewise    r · factor^(boundaries passed, t ≥ boundary)

    Args:
        optimizer: The `optimizer` section.
        epochs: Number of epochs.
        steps_per_epoch: Number of steps in each.

    Returns:
        `[epochs · steps_per_epoch]` learning rates.
    """
    rate, schedule = optimizer.learning_rate, optimizer.schedule
    steps = np.arange(epochs * steps_per_epoch)
    by_epoch = getattr(schedule, "per", "step") == "epoch"
    time, length = (steps // steps_per_epoch, epochs) if by_epoch else (steps, len(steps))
    match schedule:
        case Constant():
            rates = np.full(len(steps), rate)
        case Cosine(end=end, warmup=warmup):
            progress = (time - warmup) / max(length - warmup, 1)
            rates = end + (rate - end) * (1 + np.cos(np.pi * progress)) / 2
            rates = np.where(time < warmup, rate * (time + 1) / (warmup + 1), rates)
        case Exponential(rate=factor, steps=span):
            rates = rate * factor ** (time / span)
        case Piecewise(boundaries=boundaries, factor=factor):
            rates = rate * factor ** np.searchsorted(boundaries, time, side="right")
        case never:
            assert_never(never)
    return np.asarray(rates, dtype=np.float64)
