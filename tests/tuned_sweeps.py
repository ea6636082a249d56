"""Sweeps that tune, with an executor that makes up scores in place of training."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from made_up_sweeps import MadeUp, write

from lossbench.runs import paths, tuning_file
from lossbench.sweep import decide, plan, tune
from lossbench.sweep.executors.messages import TrialEnded, TrialProgress, TrialStarted
from lossbench.sweep.journal import Journal
from lossbench.sweep.scheduler import Rules, run
from lossbench.sweep.status import read_status
from lossbench.training import identify, run_folder
from lossbench.training.signals import StopRequest

if TYPE_CHECKING:
    from pathlib import Path

CE, GCE = "categorical_crossentropy", "generalized_crossentropy"
RATES = [0.0003, 0.001, 0.003, 0.01]
CASES = [{"loss": "ce"}, {"loss": "gce", "tune": {"loss.q": [0.3, 0.5, 0.7, 0.9]}}]
BEST = {CE: 0.003, GCE: 0.01}
"""The learning rates at which the losses are best; generalized_crossentropy with q = 0.3."""


def score(experiment) -> float | str:
    """The accuracy of a trial: the closer to the best setting the better, with the luck of its seed."""
    name, rate = experiment.loss[0].name, experiment.optimizer.learning_rate
    own = 0.02 * experiment.loss[0].hyperparameters.get("q", 0)
    luck = np.random.default_rng([experiment.seed, *name.encode()]).normal(0, 0.002)
    return float(0.9 - 0.02 * abs(math.log10(rate / BEST[name])) - own + luck)


class Tuned(MadeUp):
    """The executor, with one score for validation and test."""

    def train(self, job):
        """The messages of a trial; a score that is a text is how the trial ends."""
        found = self.scores(job.trial.experiment)
        yield TrialStarted(job.number)
        yield TrialProgress(job.number, 0.5, 1, 0.5)
        status = found if isinstance(found, str) else "completed"
        metrics = {} if isinstance(found, str) else {f"{part}.last.accuracy": found for part in ("val", "test")}
        write(run_folder(job.trial, self.runs_dir), job.trial, status, metrics)
        yield TrialEnded(job.number, status, "no" if status == "failed" else None, accuracy=0.5)


class TunedStudy:
    """A sweep that tunes, in a folder."""

    def __init__(
        self, runs_dir, *, cases=CASES, name="study", seeds="0-5", tuning_seeds=(100, 101), sweep=None, **tune
    ):
        self.runs_dir, self.folder = runs_dir, runs_dir / name
        section = {"parameters": {"optimizer.learning_rate": RATES}, "trials": 6, **tune}
        section["seeds"] = list(tuning_seeds)
        keys = {"name": name, "sweep": {"cases": cases, "tune": section, **(sweep or {})}}
        self.plan = plan.load(keys, seeds=seeds)
        self.jobs = []

    def stage(self):
        """The first stage, as a call of `sweep` begins."""
        return tune.prepare(self.plan, plan.trials(self.plan, identify)[0], identify, self.folder)

    def run(self, scores=score, *, share=lambda trials: trials, **options):
        """Train both stages; return the trials that were compared, or None if the choice needs other parts."""
        stage = self.stage()
        if not stage.tuning.is_complete:
            stage.begin()
            self.train(read_status(share(stage.trials), self.folder), self.folder, scores, **options)
            if stage.unfinished():
                return None
            stage = stage.concluded()
        status = read_status(share(stage.compared()), self.runs_dir)
        decider = decide.decider(self.plan, status, self.folder, retry_failed=False)
        self.train(status, self.runs_dir, scores, decider=decider, **options)
        return status

    def train(self, status, runs_dir, scores, *, decider=None, rules=None, **options):
        """Train one stage."""
        stop = StopRequest()
        executor = Tuned(runs_dir, scores, **options, **({"stop": stop} if "after" in options else {}))
        try:
            run(
                status,
                lambda: executor,
                runs_dir=runs_dir,
                journal=Journal(runs_dir / (status.trials[0].trial.experiment.name if status.trials else "none")),
                stop=stop,
                rules=rules or Rules(),
                decider=decider,
            )
        finally:
            self.jobs += executor.jobs

    @property
    def file(self) -> Path:
        """`tuning.json`."""
        return self.folder / paths.TUNING

    @property
    def choices(self):
        """The chosen values by loss."""
        return {each.loss: dict(each.chosen.values) for each in tuning_file.load(self.folder).losses}
