"""Sweeps that add seeds until they are decided, with an executor that makes up scores in place of training."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from lossbench import files
from lossbench.config.dump import to_yaml
from lossbench.losses.labels import label
from lossbench.runs import decision_file, paths
from lossbench.sweep import decide, plan, verdicts
from lossbench.sweep.executors.messages import TrialEnded, TrialProgress, TrialStarted
from lossbench.sweep.journal import Journal
from lossbench.sweep.scheduler import Rules, run
from lossbench.sweep.status import read_status
from lossbench.training import identify, run_folder
from lossbench.training.signals import StopRequest

if TYPE_CHECKING:
    from pathlib import Path

    from lossbench.config.identity import Trial

CE, GCE, FOCAL, MAE = "categorical_crossentropy", "generalized_crossentropy", "focal", "mean_absolute_error"
MEANS = {CE: 0.90, GCE: 0.93, FOCAL: 0.9001, MAE: 0.80}
LOOKS = [6, 8, 10, 12]


def score(loss: str, seed: int) -> float | str:
    """The accuracy of a loss: its mean, the luck of the seed and a scatter of its own."""
    luck, own = np.random.default_rng([seed, 7]), np.random.default_rng([seed, *loss.encode()])
    return float(MEANS[loss] + luck.normal(0, 0.02) + own.normal(0, 0.003))


class MadeUp:
    """An executor that writes run folders with made-up scores, a few trials at a time in any order.

    Trials in `slow` end only when no other trial is left; after `after` trials a signal arrives.
    """

    def __init__(self, runs_dir, scores=score, *, room=2, order=0, stop=None, after=None, slow=()):
        self.runs_dir, self.scores, self.room, self.random = runs_dir, scores, room, np.random.default_rng(order)
        self.stop_request, self.after, self.slow = stop, after, set(slow)
        self.jobs, self.ready, self.patience = [], [], 0

    def free(self):
        """Room for another job."""
        return self.room - len(self.ready)

    def idle(self):
        """None is queued."""
        return self.free()

    def submit(self, job):
        """Take it."""
        self.jobs.append(job)
        self.ready.append(job)

    def messages(self, _timeout):
        """Train one of the jobs."""
        if self.stop_request and len(self.jobs) >= self.after:
            self.stop_request.signum = 15
            return
        others = [job for job in self.ready if self.key(job) not in self.slow]
        self.patience = 0 if others else self.patience + 1
        if not self.ready or (not others and self.patience < 3):
            return
        choices = others or self.ready
        job = choices[self.random.integers(len(choices))]
        self.ready.remove(job)
        yield from self.train(job)

    def key(self, job):
        """Loss and seed."""
        return label(job.trial.experiment.loss), job.trial.experiment.seed

    def train(self, job):
        """The messages of a trial; a score that is a text is how the trial ends."""
        folder, found = run_folder(job.trial, self.runs_dir), self.scores(*self.key(job))
        yield TrialStarted(job.number)
        yield TrialProgress(job.number, 0.5, 1, 0.5)
        status = found if isinstance(found, str) else "completed"
        write(folder, job.trial, status, {} if isinstance(found, str) else {"test.last.accuracy": found})
        yield TrialEnded(job.number, status, "no" if status == "failed" else None, accuracy=0.5)

    def kill(self, number, reason):
        """Nothing is ever late."""

    def stop(self):
        """Forget what has not ended."""
        self.jobs = [job for job in self.jobs if job not in self.ready]

    def close(self):
        """Nothing to close."""


def write(folder: Path, trial: Trial, status: str, metrics: dict[str, Any]) -> None:
    """Write the files that a sweep and a comparison read, atomically as training does: another sweep may read them."""
    folder.mkdir(parents=True, exist_ok=True)
    summary = {
        "schema_version": 1, "status": status, "seed": trial.experiment.seed, "reason": "no", "link": "softmax",
        "loss": label(trial.experiment.loss), "metrics": metrics, "name": trial.experiment.name,
        "hashes": {"identity": trial.identity, "data": trial.data_sha256, "plugin": None},
    }  # fmt: skip
    files.write_text(folder / paths.CONFIG, to_yaml(trial.experiment))
    files.write_text(folder / paths.RUN, json.dumps(summary))


class Study:
    """A sweep of some losses in a folder."""

    def __init__(self, runs_dir, *, losses=(CE, GCE, FOCAL, MAE), name="study", seeds=None, parameters=None, **keys):
        self.runs_dir, self.folder = runs_dir, runs_dir / name
        section = {"cases": [{"loss": loss} for loss in losses], "decide": {"looks": LOOKS, **keys}}
        section |= {"parameters": parameters} if parameters else {}
        self.plan = plan.load({"name": name, "sweep": section}, seeds=seeds)
        self.planned = plan.trials(self.plan, identify)[0]

    def status(self, *, retry_failed=False):
        """The status of the trials and the decider, as a call of `sweep` begins."""
        status = read_status(self.planned, self.runs_dir)
        return status, decide.decider(self.plan, status, self.folder, retry_failed=retry_failed)

    def run(self, scores=score, *, retry_failed=False, on_event=lambda _: None, rules=None, **options):
        """Train; return the executor and the status."""
        status, decider = self.status(retry_failed=retry_failed)
        stop = StopRequest()
        executor = MadeUp(self.runs_dir, scores, **options, **({"stop": stop} if "after" in options else {}))
        run(
            status,
            lambda: executor,
            runs_dir=self.runs_dir,
            journal=Journal(self.folder),
            stop=stop,
            rules=rules or Rules(retry_failed=retry_failed),
            on_event=on_event,
            decider=decider,
        )
        return executor, status

    @property
    def file(self) -> Path:
        """`decision.json`."""
        return self.folder / paths.DECISION

    @property
    def verdicts(self) -> dict[str, tuple[str, int]]:
        """Verdict and seeds by loss."""
        rows = verdicts.verdict_rows(decision_file.load(self.folder))
        return {row.loss: (row.verdict, row.seeds) for row in rows}


def trained(executor: MadeUp) -> dict[str, list[int]]:
    """The seeds that each loss was trained with."""
    found: dict[str, list[int]] = {}
    for job in executor.jobs:
        found.setdefault(label(job.trial.experiment.loss), []).append(job.trial.experiment.seed)
    return {loss: sorted(seeds) for loss, seeds in found.items()}
