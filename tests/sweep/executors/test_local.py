"""Local workers as real processes, with objectives that do what their script says instead of training."""

import os
import sys
import time

import pytest

from lossbench.config import resolve
from lossbench.sweep.executors.local import GPU_USED, DeviceSlot, LocalExecutor, device_slots
from lossbench.sweep.executors.messages import Fault, Job, TrialEnded, TrialLost, TrialStarted, WorkerSettings
from lossbench.training import identify
from lossbench.training.gpus import Gpu
from lossbench.training.runtime import cores

PROGRAM = """
import os, signal, sys, time
from lossbench.errors import DeviceError
from lossbench.sweep.executors.messages import TrialStarted, TrialEnded, TrialLost
from lossbench.sweep.executors.worker import serve

def begin(settings):
    if settings.device == "none":
        raise DeviceError("no such device")
    def do(job, send):
        number = job["number"]
        print("chatter of job", number, flush=True)
        send(TrialStarted(number))
        {body}
        return TrialEnded(number, "completed", str(os.getpid()), accuracy=0.5, seconds=float(job["threads"]))
    return do

serve(begin)
"""


@pytest.fixture(scope="module")
def trial():
    """Any trial."""
    return identify(resolve.from_mapping({"name": "study"}))


@pytest.fixture
def local(tmp_path):
    """Workers that run `body` for each job; ended after the test."""
    begun = []

    def begin(body="pass", workers=2, device="cpu"):
        program = tmp_path / "program.py"
        program.write_text(PROGRAM.replace("{body}", body))
        executor = LocalExecutor(
            WorkerSettings(str(tmp_path)), [DeviceSlot(device)] * workers, [sys.executable, "-P", str(program)]
        )
        begun.append(executor)
        return executor

    yield begin
    for executor in begun:
        executor.close()


def until_over(executor, number=1, seconds=60):
    """Messages until so many jobs are over."""
    heard, deadline = [], time.monotonic() + seconds
    while sum(isinstance(each, TrialEnded | TrialLost | Fault) for each in heard) < number:
        assert time.monotonic() < deadline, heard
        heard += executor.messages(0.2)
    return heard


def test_workers_live_long_and_print_without_disturbing(local, trial):
    """Six jobs, two processes, twelve messages; what an objective prints is no message."""
    executor = local()
    heard, waiting = [], [Job(number, trial) for number in range(6)]
    while len(heard) < 12:
        while waiting and executor.free():
            executor.submit(waiting.pop(0))
        heard += executor.messages(0.2)
    assert sorted(each.number for each in heard if isinstance(each, TrialStarted)) == list(range(6))
    ended = [each for each in heard if isinstance(each, TrialEnded)]
    assert sorted(each.number for each in ended) == list(range(6))
    assert len({each.reason for each in ended}) == 2


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "its worker was ended by signal 9; the system kills processes"),
        ("os._exit(7)", "its worker ended with exit code 7"),
        ("os.abort()", "its worker was ended by signal 6"),
        ("return TrialLost(number, 'out of memory')", "out of memory"),
        ("raise ValueError('unforeseen')", "its worker ended with exit code 1"),
    ],
)
@pytest.mark.slow
def test_a_worker_that_dies_loses_its_job_and_is_replaced(local, trial, body, reason):
    """The reason says how it went, and its last words are kept; the next job has a new worker."""
    executor = local(f"if job['attempt'] == 1: {body}", workers=1)
    executor.submit(Job(3, trial))
    lost = until_over(executor)[-1]
    assert isinstance(lost, TrialLost)
    assert (lost.number, lost.reason.startswith(reason)) == (3, True), lost
    assert "chatter of job 3" in lost.log
    assert ("unforeseen" in lost.log) == ("unforeseen" in body)
    executor.submit(Job(3, trial, attempt=2))
    assert until_over(executor)[-1].status == "completed"


def test_a_worker_is_ended_when_asked_to(local, trial):
    """It hangs; the reason given is the one that is told."""
    executor = local("time.sleep(600)", workers=1)
    executor.submit(Job(0, trial))
    heard = []
    while not heard:
        heard += executor.messages(0.2)
    executor.kill(0, "too late")
    assert until_over(executor)[-1] == TrialLost(0, "too late", "chatter of job 0\n")


@pytest.mark.slow
def test_stopping_takes_no_longer_than_five_seconds(local, trial):
    """Even a worker that heeds no signal is gone, and its job is lost; a machine in trouble is given fifteen."""
    executor = local(
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); send(TrialStarted(number)); time.sleep(600)", workers=1
    )
    executor.submit(Job(0, trial))
    heard = []
    while len(heard) < 2:
        heard += executor.messages(0.2)
    began = time.monotonic()
    executor.stop()
    assert time.monotonic() - began < 15
    assert isinstance(until_over(executor)[-1], TrialLost)


def test_a_job_with_other_threads_gets_another_worker(local, trial):
    """TensorFlow's threads are fixed for a process: with one worker allowed, it is replaced."""
    executor = local("pass", workers=1)
    pids = []
    for threads in (1, 1, 2, 1):
        executor.submit(Job(0, trial, threads=threads))
        ended = until_over(executor)[-1]
        pids.append(ended.reason)
        assert ended.seconds == threads
    assert len(set(pids)) == 3
    assert pids[0] == pids[1]


def test_what_no_worker_can_do_is_a_fault(local, trial):
    """A device that is not there."""
    executor = local(device="none", workers=1)
    executor.submit(Job(0, trial))
    assert until_over(executor)[-1] == Fault("no such device", 2)


@pytest.mark.slow
def test_workers_end_with_the_process_that_started_them(tmp_path):
    """After kill -9 of the sweep: its worker is gone though it heeds no signal."""
    import subprocess

    child = tmp_path / "child.py"
    child.write_text(PROGRAM.replace("{body}", "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"))
    parent = tmp_path / "parent.py"
    parent.write_text(
        "import sys\n"
        "from lossbench.config import resolve\n"
        "from lossbench.sweep.executors.local import LocalExecutor, DeviceSlot\n"
        "from lossbench.sweep.executors.messages import Job, WorkerSettings\n"
        "from lossbench.training import identify\n"
        f"local = LocalExecutor(WorkerSettings('.'), [DeviceSlot('cpu')], [sys.executable, '-P', {str(child)!r}])\n"
        "local.submit(Job(0, identify(resolve.from_mapping({}))))\n"
        "list(local.messages(60))\n"
        "print(local._workers[0].process.pid, flush=True)\n"
        "list(local.messages(600))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen([sys.executable, parent], stdout=subprocess.PIPE, text=True, env=environment) as sweep:
        worker = int(sweep.stdout.readline())
        sweep.kill()
        sweep.wait()
    deadline = time.monotonic() + 15
    while os.path.exists(f"/proc/{worker}/fd/0"):  # noqa: PTH110 - a zombie has none
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_on_the_cpu_there_are_as_many_places_as_cores():
    """Fewer if a worker takes more threads; as many as the user says if he says so; never none."""
    assert device_slots((), None, 1, "auto") == [DeviceSlot("auto")] * cores()
    assert len(device_slots((), None, cores(), "cpu")) == 1
    assert len(device_slots((), None, 64, "cpu")) == 1
    assert len(device_slots((), 7, 1, "cpu")) == 7


def test_gpus_are_shared_evenly_and_never_beyond_their_free_memory():
    """Workers spread over the GPUs; the shares of one GPU's memory add up to what is free of it, at most."""
    gpus = (Gpu(80000, 80000), Gpu(80000, 40000))
    found = device_slots(gpus, 6, 1, "auto")
    assert [each.device for each in found] == ["gpu:0", "gpu:1"] * 3
    for at, gpu in enumerate(gpus):
        used = sum(each.memory_share for each in found if each.device == f"gpu:{at}") * gpu.total_mib
        assert used == pytest.approx(GPU_USED * gpu.free_mib)
    assert len(device_slots((Gpu(3000, 3000),), None, 1, "gpu")) == 1
    assert {each.device for each in device_slots((Gpu(8000, 8000),), 2, 1, "gpu:1")} == {"gpu:1"}
