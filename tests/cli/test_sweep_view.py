"""The live screen of a sweep."""

import sys

import pytest
from rich.console import Console

from lossbench.cli.sweep_view import ScreenView
from lossbench.config import resolve
from lossbench.sweep.executors.messages import TrialProgress
from lossbench.sweep.plan import PlannedTrial
from lossbench.sweep.status import SweepStatus
from lossbench.training import identify

RATE = "data.label_noise.rate"


@pytest.fixture
def status():
    """A sweep of two losses at two noise rates, of which three trials are completed and one runs."""
    planned = []
    for loss in ("ce", "gce"):
        for rate in (0.2, 0.4):
            for seed in (0, 1):
                config = {"loss": loss, "seed": seed, "data": {"label_noise": {"rate": rate}}}
                planned.append(
                    PlannedTrial(identify(resolve.from_mapping(config)), {"loss": loss, RATE: rate, "seed": seed})
                )
    status = SweepStatus(planned)
    status.accuracies = {0: 0.9012, 1: 0.9134, 4: 0.9478}
    for number in status.accuracies:
        status.set_status(number, "completed")
    status.running = {2: TrialProgress(2, 1.5, 5, 0.8765)}
    status.set_status(2, "running")
    return status


def shown(status, width, monkeypatch):
    """The lines of the screen at a width."""
    monkeypatch.setattr(sys, "stderr", sys.stdout)
    view = ScreenView(status)
    view.close()
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(view.screen())
    return [line.rstrip() for line in capture.get().splitlines()]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_number_is_cut_or_wrapped(status, width, monkeypatch):
    """Names end in an ellipsis where they have no room; epochs, accuracies and seeds stay complete on their line."""
    lines = shown(status, width, monkeypatch)
    assert max(map(len, lines)) <= width
    assert [line for line in lines if line.endswith("epoch 2/5  accuracy 0.8765")]
    assert [line for line in lines if line.startswith("generalized") and line.endswith("94.78 %         n 1")]
    assert [line for line in lines if line.startswith("categorical") and line.endswith("90.73 ± 0.86 %  n 2")]
    assert f"best so far by validation · {RATE}=0.2" in " ".join(lines)
