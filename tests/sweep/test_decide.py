"""Seeds are added until each loss is decided: an executor that makes up scores stands in for training."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

from lossbench.config.identity import Trial
from lossbench.errors import ConfigError, InterruptedRunError, LossbenchError, MachineError, UsageError
from lossbench.losses.expression import label
from lossbench.runs import decision_file, lock, paths
from lossbench.statistics import Plan, decide as decide_seeds
from lossbench.sweep import decide, plan, verdicts
from lossbench.sweep.executors.messages import TrialEnded, TrialProgress, TrialStarted
from lossbench.sweep.journal import Journal
from lossbench.sweep.scheduler import Rules, run
from lossbench.sweep.status import read_status
from lossbench.training import identify, run_folder
from lossbench.training.signals import StopRequest

CE, GCE, FOCAL, MAE = "categorical_crossentropy", "generalized_crossentropy", "focal", "mean_absolute_error"
MEANS = {CE: 0.90, GCE: 0.93, FOCAL: 0.9001, MAE: 0.80}
LOOKS = [6, 8, 10, 12]


def score(loss: str, seed: int) -> float:
    """The accuracy of a loss: its mean, the luck of the seed and a scatter of its own."""
    luck, own = np.random.default_rng([seed, 7]), np.random.default_rng([seed, *loss.encode()])
    return float(MEANS[loss] + luck.normal(0, 0.02) + own.normal(0, 0.003))


class Made:
    """An executor that writes run folders with made-up scores, a few trials at a time in any order."""

    def __init__(self, runs_dir, scores=score, *, room=2, order=0, stop=None, after=None, slow=()):
        self.runs_dir, self.scores, self.room, self.random = runs_dir, scores, room, random.Random(order)
        self.stop_request, self.after, self.slow = stop, after, set(slow)
        self.jobs, self.ready = [], []

    def free(self):
        return self.room - len(self.ready)

    def submit(self, job):
        self.jobs.append(job)
        self.ready.append(job)

    def messages(self, _timeout):
        if self.stop_request and len(self.jobs) >= self.after:
            self.stop_request.signum = 15
            return
        others = [job for job in self.ready if self.key(job) not in self.slow]
        if not self.ready or (not others and len(self.ready) < self.room and self.random.random() < 0.9):
            return
        job = self.random.choice(others or self.ready)
        self.ready.remove(job)
        yield from self.train(job)

    def key(self, job):
        return label(job.trial.experiment.loss), job.trial.experiment.seed

    def train(self, job):
        folder, found = run_folder(job.trial, self.runs_dir), self.scores(*self.key(job))
        yield TrialStarted(job.number)
        yield TrialProgress(job.number, 0.5, 1, 0.5)
        status = found if isinstance(found, str) else "completed"
        write(folder, job.trial, status, {} if isinstance(found, str) else {"test.last.accuracy": found})
        yield TrialEnded(job.number, status, "no" if status == "failed" else None, accuracy=0.5)

    def kill(self, number, reason):
        raise NotImplementedError

    def stop(self):
        for job in self.ready:
            self.jobs.remove(job)

    def close(self):
        pass


def write(folder: Path, trial: Trial, status: str, metrics: dict) -> None:
    """Write the part of `run.json` that a sweep reads."""
    folder.mkdir(parents=True, exist_ok=True)
    summary = {
        "schema_version": 1, "status": status, "seed": trial.experiment.seed, "reason": "no",
        "loss": label(trial.experiment.loss), "hashes": {"identity": trial.identity}, "metrics": metrics,
    }  # fmt: skip
    (folder / paths.RUN).write_text(json.dumps(summary))


class Study:
    """A sweep of some losses in a folder."""

    def __init__(self, runs_dir, *, losses=(CE, GCE, FOCAL, MAE), name="study", seeds=None, parameters=None, **keys):
        self.runs_dir, self.folder = runs_dir, runs_dir / name
        section = {"cases": [{"loss": loss} for loss in losses], "decide": {"looks": LOOKS, **keys}}
        section |= {"parameters": parameters} if parameters else {}
        self.plan = plan.load({"name": name, "sweep": section}, seeds=seeds)
        self.planned = plan.trials(self.plan, identify)[0]

    def run(self, scores=score, *, retry_failed=False, events=None, **options):
        """Train; return the executor and the status."""
        status = read_status(self.planned, self.runs_dir)
        decider = decide.decider(self.plan, status, self.folder, retry_failed=retry_failed)
        stop = StopRequest()
        if "after" in options:
            options["stop"] = stop
        executor = Made(self.runs_dir, scores, **options)
        run(
            status,
            lambda: executor,
            runs_dir=self.runs_dir,
            journal=Journal(self.folder),
            stop=stop,
            rules=Rules(retry_failed=retry_failed),
            on_event=(events if events is not None else []).append,
            decider=decider,
        )
        return executor, status

    @property
    def file(self):
        return self.folder / paths.DECISION

    @property
    def verdicts(self):
        """Verdict and seeds by loss."""
        return {row.loss: (row.verdict, row.seeds) for row in verdicts.verdict_rows(decision_file.load(self.folder))}


def trained(executor):
    """The seeds that each loss was trained with."""
    found = {}
    for job in executor.jobs:
        found.setdefault(label(job.trial.experiment.loss), []).append(job.trial.experiment.seed)
    return {loss: sorted(seeds) for loss, seeds in found.items()}


def test_a_decided_loss_is_dropped_and_the_baseline_goes_on(tmp_path):
    """Verdicts are those of the test on the scores; a loss stops at its look, or one look ahead."""
    study = Study(tmp_path)
    executor, status = study.run(room=1)
    losses = (GCE, FOCAL, MAE)
    gains = [np.array([score(loss, seed) - score(CE, seed) for seed in range(12)]) for loss in losses]
    expected = decide_seeds(gains, Plan(tuple(LOOKS)))
    assert study.verdicts == {
        loss: ("undecided", 12) if each is None else tuple(each) for loss, each in zip(losses, expected, strict=True)
    }
    assert [study.verdicts[loss][0] for loss in losses] == ["better", "undecided", "worse"]
    used = {loss: list(range(seeds)) for loss, (_, seeds) in study.verdicts.items()}
    assert trained(executor) == {CE: list(range(12)), **used}
    assert status.is_complete
    assert status.counts["dropped"] == 48 - len(executor.jobs) > 0
