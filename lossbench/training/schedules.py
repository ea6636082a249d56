"""Learning rates: a schedule of the configuration as one number a step, in NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lossbench.config import schema

if TYPE_CHECKING:
    from numpy.typing import NDArray


def learning_rates(optimizer: schema.Optimizer, *, epochs: int, steps_per_epoch: int) -> NDArray[np.float64]:
    """The learning rate of every step of a run, `[epochs · steps_per_epoch]`.

    With time t and total length n counted in the schedule's own unit (`per: epoch` or `per: step`):

        constant     r
        cosine       end + (r - end) · (1 + cos(π (t - warmup)/(n - warmup)))/2, after r · (t + 1)/(warmup + 1)
        exponential  r · rate^(t/steps)
        piecewise    r · factor^(boundaries passed, t ≥ boundary)
    """
    rate, schedule = optimizer.learning_rate, optimizer.schedule
    steps = np.arange(epochs * steps_per_epoch)
    by_epoch = getattr(schedule, "per", "step") == "epoch"
    time, length = (steps // steps_per_epoch, epochs) if by_epoch else (steps, len(steps))
    match schedule:
        case schema.Constant():
            rates = np.full(len(steps), rate)
        case schema.Cosine(end=end, warmup=warmup):
            progress = (time - warmup) / max(length - warmup, 1)
            rates = end + (rate - end) * (1 + np.cos(np.pi * progress)) / 2
            rates = np.where(time < warmup, rate * (time + 1) / (warmup + 1), rates)
        case schema.Exponential(rate=factor, steps=span):
            rates = rate * factor ** (time / span)
        case schema.Piecewise(boundaries=boundaries, factor=factor):
            rates = rate * factor ** np.searchsorted(boundaries, time, side="right")
    return np.asarray(rates, dtype=np.float64)
