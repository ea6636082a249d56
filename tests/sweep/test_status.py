"""How a sweep stands."""

import pytest

from lossbench.config import resolve
from lossbench.sweep.executors.messages import Progressed
from lossbench.sweep.plan import Planned
from lossbench.sweep.status import Leader, Standing
from lossbench.training import identify


def plan(*settings):
    """A planned trial for each mapping of dotted keys."""
    planned = []
    for each in settings:
        config = {"loss": each.get("loss", "ce"), "seed": each.get("seed", 0)}
        if head := each.get("model.head"):
            config["model"] = {"head": head}
        if rate := each.get("data.label_noise.rate"):
            config["data"] = {"label_noise": {"rate": rate}}
        planned.append(Planned(identify(resolve.from_mapping(config)), each))
    return planned


def test_leaders_are_ranked_within_each_condition_and_never_pooled():
    """The noise rate makes conditions; n, mean and deviation are over seeds; what is not completed does not count."""
    cells = [{"loss": loss, "data.label_noise.rate": rate} for rate in (0.2, 0.4) for loss in ("ce", "gce")]
    standing = Standing(plan(*({**cell, "seed": seed} for seed in (0, 1) for cell in cells)))
    standing.accuracies = {0: 0.9, 1: 0.8, 2: 0.5, 4: 0.8}
    first, second = "data.label_noise.rate=0.2", "data.label_noise.rate=0.4"
    ce, gce = "categorical_crossentropy", "generalized_crossentropy"
    assert standing.leaders() == [
        Leader(first, ce, 2, pytest.approx(0.85), pytest.approx(0.1 / 2**0.5)),
        Leader(first, gce, 1, 0.8, None),
        Leader(second, ce, 1, 0.5, None),
    ]


def test_what_belongs_to_a_loss_makes_no_condition():
    """A head that one case sets for its loss."""
    standing = Standing(plan({"loss": "ce"}, {"loss": "arcface", "model.head": "cosine"}))
    standing.accuracies = {0: 0.9, 1: 0.95}
    assert [(each.condition, each.loss) for each in standing.leaders()] == [
        ("", "arcface"),
        ("", "categorical_crossentropy"),
    ]


def test_the_time_left_is_the_cost_left_at_the_speed_so_far():
    """Two equal trials of four done in ten seconds leave ten; one half done counts half; nothing done says nothing."""
    standing = Standing(plan(*({"seed": seed} for seed in range(4))))
    assert standing.seconds_left(10) is None
    for number in (0, 1):
        standing.move(number, "completed")
        standing.trained += standing.costs[number]
    assert standing.seconds_left(10) == pytest.approx(10)
    standing.running[2] = Progressed(2, 2.5, 5)
    assert standing.seconds_left(10) == pytest.approx(6)
    standing.move(3, "failed")
    assert standing.seconds_left(10) == pytest.approx(2)


def test_counts_follow_the_statuses():
    """Each trial is counted once."""
    standing = Standing(plan(*({"seed": seed} for seed in range(3))))
    standing.move(0, "running")
    standing.move(0, "completed")
    standing.move(1, "failed")
    assert (+standing.counts) == {"completed": 1, "failed": 1, "new": 1}
    assert (standing.finished, standing.is_whole) == (2, False)
