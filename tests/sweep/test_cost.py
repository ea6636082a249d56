"""What trials are expected to cost, and the shards that this makes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossbench.config import resolve
from lossbench.sweep.cost import cost, shard
from lossbench.sweep.plan import PlannedTrial
from lossbench.training import identify


def experiment(**keys):
    return resolve.from_mapping(keys)


def test_more_work_costs_more():
    """Epochs, images, a larger model; fewer images by imbalance."""
    base = cost(experiment())
    assert cost(experiment(train={"epochs": 10})) > 1.5 * base
    assert cost(experiment(data={"train_size": 5000})) < base
    assert cost(experiment(model="cnn")) > 5 * base
    assert cost(experiment(data={"imbalance": {"type": "step", "ratio": 100}})) < base
    assert cost(experiment(data={"imbalance": {"counts": [100] * 10}})) < base
    assert cost(experiment(data={"classes": [3, 8]})) < base


@pytest.fixture(scope="module")
def planned():
    """Twelve trials of very different cost."""
    trials = [
        identify(experiment(seed=seed, model=model, train={"epochs": epochs}))
        for seed in range(2)
        for model in ("linear", "mlp", "cnn")
        for epochs in (1, 7)
    ]
    return [PlannedTrial(trial, {}) for trial in trials]


@given(st.data())
def test_shards_are_a_partition(planned, data):
    """Every trial in exactly one shard, in the order of the plan, for any number of shards, and always the same."""
    of = data.draw(st.integers(1, 15))
    shards = [shard(planned, number, of) for number in range(1, of + 1)]
    places = {each.trial.folder: place for place, each in enumerate(planned)}
    assert sorted(places[each.trial.folder] for part in shards for each in part) == list(range(len(planned)))
    for number, part in enumerate(shards, 1):
        assert [places[each.trial.folder] for each in part] == sorted(places[each.trial.folder] for each in part)
        assert shard(planned, number, of) == part


def test_shards_are_balanced_by_cost_not_by_number(planned):
    """No shard costs more than the average and the dearest trial; four dear trials go to four shards."""
    costs = {each.trial.folder: cost(each.trial.experiment) for each in planned}
    sums = [sum(costs[each.trial.folder] for each in shard(planned, number, 4)) for number in range(1, 5)]
    assert max(sums) <= sum(sums) / 4 + max(costs.values())
    numbers = [sum(each.trial.experiment.model.name == "cnn" for each in shard(planned, n, 2)) for n in (1, 2)]
    assert numbers == [2, 2]
    sizes = {len(shard(planned, number, 4)) for number in range(1, 5)}
    assert len(sizes) > 1
