"""Judgements with made-up scores in place of training, by a suite of three conditions and two opponents each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from made_up_sweeps import MadeUp, write

from lossbench import suite
from lossbench.losses.expression import parse
from lossbench.losses.labels import label
from lossbench.sweep import decide, judge
from lossbench.sweep.executors.messages import TrialEnded, TrialProgress, TrialStarted
from lossbench.sweep.journal import Journal
from lossbench.sweep.scheduler import Rules, run
from lossbench.sweep.status import read_status
from lossbench.training import run_folder
from lossbench.training.signals import StopRequest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

CLEAN, NOISE, FEW = "clean", "noise", "few"
CONDITIONS = (
    suite.Condition(CLEAN, ("focal", "brier")),
    suite.Condition(NOISE, ("gce", "brier"), {"data.label_noise": {"type": "symmetric", "rate": 0.4}}),
    suite.Condition(FEW, ("focal", "poly1"), {"data.train_size": suite.SMALL}),
)
METRICS = {"nll": 0.2, "brier": 0.1, "ece": 0.02}


def use_small_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge by three conditions with two opponents besides cross-entropy."""
    monkeypatch.setattr(suite, "CONDITIONS", CONDITIONS)


def score(loss: str, seed: int) -> float:
    """The luck of the seed, which all losses share, and a scatter of the loss."""
    luck, own = np.random.default_rng([seed, 7]), np.random.default_rng([seed, *loss.encode()])
    return float(0.9 + luck.normal(0, 0.02) + own.normal(0, 0.001))


class Judge(MadeUp):
    """An executor whose scores depend on loss, condition and seed."""

    def train(self, job: Any) -> Any:
        """The messages of a trial; a score that is a text is how the trial ends."""
        experiment = job.trial.experiment
        where = FEW if experiment.data.train_size == suite.SMALL else NOISE if experiment.data.label_noise else CLEAN
        found = self.scores(label(experiment.loss), where, experiment.seed)
        yield TrialStarted(job.number)
        yield TrialProgress(job.number, 0.5, 1, 0.5)
        status = found if isinstance(found, str) else "completed"
        metrics = {} if isinstance(found, str) else {"accuracy": found, **METRICS}
        write(
            run_folder(job.trial, self.runs_dir),
            job.trial,
            status,
            {f"test.last.{name}": value for name, value in metrics.items()},
        )
        yield TrialEnded(job.number, status, "no" if status == "failed" else None, accuracy=0.5)


def judged(runs_dir: Path, loss: Any, scores: Callable[[str, str, int], float | str], **options: Any) -> Path:
    """Judge a loss with made-up scores, and return the folder of its runs."""
    swept, planned = judge.plan_judgement(parse(loss), "quick")
    status = read_status(planned, runs_dir)
    stop = StopRequest()
    if "after" in options:
        options |= {"stop": stop}
    run(
        status,
        lambda: Judge(runs_dir, scores, **options),
        runs_dir=runs_dir,
        journal=Journal(runs_dir / swept.name),
        stop=stop,
        rules=Rules(),
        decider=decide.decider(swept, status, runs_dir / swept.name, retry_failed=True),
    )
    return runs_dir / swept.name
