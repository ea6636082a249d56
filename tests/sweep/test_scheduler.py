"""The scheduler against an executor that does what a script says: no process, no training."""

import json
import threading
from collections import Counter
from dataclasses import replace

import pytest

from lossbench.config import resolve
from lossbench.errors import DeviceError, InterruptedRunError, LossbenchError, MachineError
from lossbench.runs import lock, paths, read
from lossbench.sweep.executors.messages import Fault, TrialEnded, TrialLost, TrialProgress, TrialStarted, decode, encode
from lossbench.sweep.journal import EVENTS, Journal
from lossbench.sweep.plan import PlannedTrial
from lossbench.sweep.scheduler import Rules, run
from lossbench.sweep.status import STATUSES, read_status
from lossbench.training import identify
from lossbench.training.signals import StopRequest


@pytest.fixture
def planned():
    """Six trials."""
    trials = [identify(resolve.from_mapping({"name": "study", "seed": seed})) for seed in range(6)]
    return [PlannedTrial(trial, {}) for trial in trials]


class Scripted:
    """Answers each job with the messages that `script(job)` gives; two jobs at a time."""

    def __init__(self, script, room=2):
        self.script, self.room = script, room
        self.jobs, self.ready, self.killed, self.lost = [], [], [], []
        self.stopped = self.closed = False

    def free(self):
        """Room for another job."""
        return self.room - len(self.ready)

    def submit(self, job):
        """Take it."""
        self.jobs.append(job)
        self.ready.append(job)

    def messages(self, _timeout):
        """What was lost; what the script says of one job."""
        lost, self.lost = self.lost, []
        yield from lost
        if self.ready:
            yield from self.script(self.ready.pop(0))

    def kill(self, number, reason):
        """Lose the job."""
        self.killed.append((number, reason))
        self.lost.append(TrialLost(number, reason))

    def stop(self):
        """Take note."""
        self.stopped = True

    def close(self):
        """Take note."""
        self.closed = True


def well(job):
    """The usual course of a trial."""
    return [
        TrialStarted(job.number),
        TrialProgress(job.number, 0, 5),
        TrialProgress(job.number, 2.5, 5, 0.9),
        TrialEnded(job.number, "completed", accuracy=0.97, seconds=1.0, validation_accuracy=0.95),
    ]


@pytest.fixture
def sweep(planned, tmp_path):
    """Run all trials through a script; the executor, how it stood at the end, the events of the journal."""

    def go(script, *, stop=None, **rules):
        executor = Scripted(script)
        status = read_status(planned, tmp_path)
        journal = Journal(tmp_path / "study")
        error = None
        try:
            run(
                status,
                lambda: executor,
                runs_dir=tmp_path,
                journal=journal,
                stop=stop or StopRequest(),
                rules=Rules(**rules),
            )
        except LossbenchError as caught:
            error = caught
        entries = [json.loads(line) for line in (tmp_path / "study" / "sweep.jsonl").read_text().splitlines()]
        assert executor.closed
        assert {entry["event"] for entry in entries} <= set(EVENTS)
        assert set(status.counts) <= set(STATUSES)
        return executor, status, entries, error

    return go


def test_every_trial_is_handed_out_once_in_order(sweep, planned):
    """All are completed; the journal has a start and an end for each, in time, between those of the sweep."""
    executor, status, entries, error = sweep(well)
    assert error is None
    assert [job.number for job in executor.jobs] == list(range(6))
    assert status.is_complete
    assert Counter(entry["event"] for entry in entries) == {"sweep": 1, "started": 6, "completed": 6, "end": 1}
    assert [entry["time"] for entry in entries] == sorted(entry["time"] for entry in entries)
    assert entries[0]["trials"] == entries[0]["waiting"] == 6
    assert (entries[-1]["event"], entries[-1]["completed"]) == ("end", 6)
    assert {entry["trial"] for entry in entries if "trial" in entry} == {each.trial.folder for each in planned}


def test_the_best_so_far_are_ranked_by_validation(sweep, planned):
    """The test accuracy of a trial is in its event and decides nothing."""
    _, status, entries, _ = sweep(well)
    assert status.accuracies == dict.fromkeys(range(len(planned)), 0.95)
    assert {entry["accuracy"] for entry in entries if entry["event"] == "completed"} == {0.97}


def test_a_trial_that_tunes_records_no_test_accuracy(planned, tmp_path):
    """Its validation accuracy instead, as nobody may see the test set while settings are chosen."""
    status = read_status([replace(each, is_tuning=True) for each in planned], tmp_path)
    seen, journal = [], Journal(tmp_path / "study")
    run(
        status,
        lambda: Scripted(well),
        runs_dir=tmp_path,
        journal=journal,
        stop=StopRequest(),
        on_event=seen.append,
    )
    ended = [entry for entry in seen if entry["event"] == "completed"]
    assert [entry["validation_accuracy"] for entry in ended] == [0.95] * 6
    assert not any("accuracy" in entry for entry in ended)


def test_a_trial_without_validation_images_is_not_among_the_best_so_far(sweep):
    """Nothing takes the place of its validation accuracy."""
    _, status, _, _ = sweep(lambda job: [TrialEnded(job.number, "completed", accuracy=0.97, seconds=1.0)])
    assert status.is_complete
    assert (status.accuracies, status.leaders()) == ({}, [])


def test_a_lost_trial_is_handed_out_again_and_then_left_failed_in_its_folder(sweep, planned, tmp_path):
    """Once more by default, before the others; then its run folder says why, and its log what the worker said."""
    executor, status, entries, error = sweep(
        lambda job: (
            [TrialStarted(job.number), TrialLost(job.number, "gone", "last words")] if job.number == 1 else well(job)
        )
    )
    assert error is None
    assert [(job.number, job.attempt) for job in executor.jobs if job.number == 1] == [(1, 1), (1, 2)]
    assert [job.number for job in executor.jobs].index(1) < 3
    assert status.failures == {1: "gone, 2 times"}
    folder = tmp_path / "study" / planned[1].trial.folder
    assert read.read(folder).summary["reason"] == "gone, 2 times"
    assert "last words" in (folder / "log.txt").read_text()
    assert [entry["event"] for entry in entries if entry.get("trial") == folder.name] == ["retried", "failed"]


@pytest.mark.parametrize("retries", [0, 3])
def test_retries_says_how_often(sweep, retries):
    """0: never."""
    executor, status, _, _ = sweep(
        lambda job: [TrialLost(job.number, "gone")] if job.number == 0 else well(job), retries=retries
    )
    assert sum(job.number == 0 for job in executor.jobs) == retries + 1
    assert status.counts["failed"] == 1


def test_a_failed_trial_is_not_retried_unless_asked_for(sweep):
    """In the same call never: an error comes again; in the next call with retry_failed."""
    broken = lambda job: [TrialEnded(job.number, "failed", "no")] if job.number == 2 else well(job)  # noqa: E731
    executor, status, _, _ = sweep(broken)
    assert sum(job.number == 2 for job in executor.jobs) == 1
    assert status.counts == {"completed": 5, "failed": 1, "new": 0, "running": 0}


def test_what_is_there_already_is_not_done_again(sweep, planned, tmp_path):
    """A failed run is left, or tried again if that is asked for."""
    from lossbench.training import fail

    fail(tmp_path / "study" / planned[3].trial.folder, planned[3].trial, "some reason")
    status = read_status(planned, tmp_path)
    assert status.statuses == ["new", "new", "new", "failed", "new", "new"]
    assert status.failures == {3: "some reason"}
    executor, _, _, _ = sweep(well)
    assert 3 not in {job.number for job in executor.jobs}
    executor, status, _, _ = sweep(well, retry_failed=True)
    assert [job.number for job in executor.jobs] == [0, 1, 2, 3, 4, 5]
    assert status.failures == {}


def test_a_trial_of_another_identity_does_not_count_as_done(planned, tmp_path):
    """Its folder holds the first twelve digits only; `run.json` holds all."""
    from lossbench.training import fail

    folder = tmp_path / "study" / planned[0].trial.folder
    fail(folder, planned[0].trial, "x")
    summary = json.loads((folder / paths.RUN).read_text())
    summary["hashes"]["identity"] = "0" * 64
    (folder / paths.RUN).write_text(json.dumps(summary))
    assert read_status(planned, tmp_path).statuses[0] == "new"


def test_a_taken_trial_comes_last_and_is_waited_for(sweep):
    """Another process trains it: it is asked for again behind all others, and then with patience."""

    def script(job):
        if job.number == 0 and not job.wait:
            return [TrialEnded(0, "taken")]
        return [TrialEnded(0, "completed", accuracy=0.9, was_done=True)] if job.number == 0 else well(job)

    executor, status, entries, _ = sweep(script)
    assert [(job.number, job.wait) for job in executor.jobs][-1] == (0, True)
    assert status.is_complete
    assert [entry.get("elsewhere") for entry in entries if entry["event"] == "completed"].count(True) == 1


def test_fail_fast_stops_at_the_first_failure(sweep):
    """What runs is asked to stop, nothing else is begun, and the reason is there."""
    executor, status, _, error = sweep(lambda job: [TrialEnded(job.number, "failed", "bad")], fail_fast=True)
    assert error is None
    assert (executor.stopped, status.counts["failed"] <= 2) == (True, True)
    assert "failed: bad" in status.stop_reason


@pytest.mark.parametrize(("most", "failed"), [(3, 3), (0, 6)])
def test_too_many_failures_in_a_row_stop_the_sweep(sweep, most, failed):
    """Three by default, with the last reason; 0 never stops it; a success in between starts the count anew."""
    _, status, _, _ = sweep(lambda job: [TrialEnded(job.number, "failed", "bad")], max_consecutive_failures=most)
    assert status.counts["failed"] >= failed
    assert bool(status.stop_reason) == bool(most)
    assert "bad" in (status.stop_reason or "bad")


def test_failures_that_do_not_follow_each_other_do_not_stop_it(sweep):
    """Every second trial fails: all are tried."""
    _, status, _, _ = sweep(lambda job: [TrialEnded(job.number, "failed", "bad")] if job.number % 2 else well(job))
    assert (status.counts["failed"], status.stop_reason) == (3, None)


def test_a_trial_that_is_late_is_ended(sweep):
    """Its worker is killed with the reason; it is then lost like any other."""

    def script(job):
        return [TrialStarted(job.number)] if job.number == 0 else well(job)

    executor, status, _, _ = sweep(script, timeout=0.05, retries=0)
    assert executor.killed == [(0, "it ran longer than 0.05 s")]
    assert (status.counts["completed"], status.counts["failed"]) == (5, 1)


@pytest.mark.parametrize(("code", "kind"), [(1, MachineError), (2, DeviceError)])
def test_a_fault_stops_everything(sweep, code, kind):
    """A full disk, a missing device: the message once, whatever the number of trials."""
    executor, _, _, error = sweep(lambda _: [Fault("no space", code)])
    assert type(error) is kind
    assert (str(error), len(executor.jobs)) == ("no space", 2)


def test_a_signal_interrupts_and_says_so(sweep):
    """What runs is asked to stop and counted as interrupted."""
    stop = StopRequest()

    def script(job):
        stop.signum = 15
        return [
            TrialStarted(job.number),
            TrialProgress(job.number, 0, 5),
            TrialEnded(job.number, "interrupted", "stopped"),
        ]

    executor, status, _, error = sweep(script, stop=stop)
    assert isinstance(error, InterruptedRunError)
    assert (error.exit_code, executor.stopped) == (143, True)
    assert status.counts["completed"] == 0


def test_a_failed_record_waits_for_nobody(sweep, planned, tmp_path):
    """The worker of a trial is lost for good while another sweep has taken it: that one's result is waited for."""
    run_folder = tmp_path / "study" / planned[0].trial.folder
    held, release = threading.Event(), threading.Event()

    def other():
        with lock.claim(run_folder):
            held.set()
            release.wait(20)

    def script(job):
        if job.number == 0 and not job.wait:
            threading.Thread(target=other).start()
            held.wait(20)
            return [TrialLost(0, "gone")]
        release.set()
        return well(job)

    _, status, _, _ = sweep(script, retries=0)
    assert status.is_complete


@pytest.mark.parametrize(
    "message",
    [
        TrialStarted(3),
        TrialProgress(1, 2.5, 5, 0.9),
        TrialEnded(2, "failed", "why\n", None, 1.5),
        TrialLost(0, "gone", "ü"),
        Fault("no", 2),
    ],
    ids=lambda message: type(message).__name__,
)
def test_a_message_is_one_line_and_comes_back_as_it_was(message):
    """Whatever it holds."""
    line = encode(message)
    assert "\n" not in line
    assert decode(line) == message
