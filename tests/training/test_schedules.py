"""Learning rates against Keras' own schedules and against values worked out by hand."""

import numpy as np
import pytest

from lossbench.config import resolve
from lossbench.training.schedules import learning_rates


def rates(schedule, epochs=4, steps_per_epoch=5, learning_rate=0.1):
    optimizer = {"name": "sgd", "learning_rate": learning_rate, "schedule": schedule}
    experiment = resolve.from_mapping({"optimizer": optimizer})
    return learning_rates(experiment.optimizer, epochs=epochs, steps_per_epoch=steps_per_epoch)


def test_constant_is_one_rate_for_every_step():
    """Nothing changes."""
    assert rates("constant").tolist() == [0.1] * 20


def test_cosine_by_step_is_keras_cosine_decay():
    """Keras' CosineDecay with alpha = end / rate gives the same rate at every step."""
    from keras.optimizers.schedules import CosineDecay

    expected = CosineDecay(0.1, decay_steps=20, alpha=0.2)
    actual = rates({"name": "cosine", "end": 0.02, "per": "step"})
    np.testing.assert_allclose(actual, [float(expected(step)) for step in range(20)], rtol=1e-6)


def test_cosine_by_epoch_changes_once_an_epoch():
    """Epoch e of 4 has (1 + cos(π e/4))/2 of the rate."""
    expected = np.repeat(0.1 * (1 + np.cos(np.pi * np.arange(4) / 4)) / 2, 5)
    np.testing.assert_allclose(rates({"name": "cosine"}), expected, rtol=1e-6)


def test_warmup_rises_linearly_to_the_full_rate():
    """Two epochs of warm-up take a third and two thirds; the cosine then starts at the whole rate."""
    actual = rates({"name": "cosine", "warmup": 2}, steps_per_epoch=1)
    np.testing.assert_allclose(actual, [0.1 / 3, 0.2 / 3, 0.1, 0.05], rtol=1e-6)


def test_exponential_is_keras_exponential_decay():
    """Keras' ExponentialDecay without staircase."""
    from keras.optimizers.schedules import ExponentialDecay

    expected = ExponentialDecay(0.1, decay_steps=7, decay_rate=0.5)
    actual = rates({"name": "exponential", "rate": 0.5, "steps": 7})
    np.testing.assert_allclose(actual, [float(expected(step)) for step in range(20)], rtol=1e-6)


def test_piecewise_falls_at_the_boundary_itself():
    """With boundaries [1, 3], epoch 0 has the whole rate, 1 and 2 a tenth, 3 a hundredth."""
    actual = rates({"name": "piecewise", "boundaries": [1, 3]}, steps_per_epoch=1)
    np.testing.assert_allclose(actual, [0.1, 0.01, 0.01, 0.001], rtol=1e-6)


@pytest.mark.parametrize("name", ["cosine", "constant", {"name": "exponential", "per": "epoch"}])
def test_a_longer_epoch_changes_nothing_by_epoch(name):
    """What is counted in epochs has the same rate in each step of one."""
    actual = rates(name, steps_per_epoch=3).reshape(4, 3)
    assert (actual == actual[:, :1]).all()
