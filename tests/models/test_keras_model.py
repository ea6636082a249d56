"""The architectures: sizes by hand, weights by seed, initialisers by their distribution."""

import numpy as np
import pytest

from lossbench.config import resolve
from lossbench.config.model import Distribution, Model
from lossbench.config.section import names
from lossbench.models import build

PARAMETERS = {
    "linear": 784 * 10 + 10,
    "mlp": 784 * 256 + 256 + 256 * 10 + 10,
    "cnn": 320 + 18_496 + 5 * 5 * 64 * 10 + 10,
    "cnn_bn": 320 + 128 + 18_496 + 256 + 7 * 7 * 64 * 128 + 128 + 512 + 1290,
    "lenet5": 156 + 2416 + 400 * 120 + 120 + 120 * 84 + 84 + 850,
}


def model(section, *, class_counts=(1,) * 10, image_shape=(28, 28), seed=0, precision="float32"):
    experiment, counts = resolve.from_mapping({"model": section}), np.array(class_counts)
    return build(experiment.model, class_counts=counts, image_shape=image_shape, seed=seed, precision=precision)


@pytest.mark.parametrize(("name", "count"), PARAMETERS.items())
def test_every_architecture_has_the_parameters_that_its_layers_add_up_to(name, count):
    """LeNet-5's 61,706 is the textbook number; the others are sums of (inputs + 1) · outputs."""
    assert model(name).count_params() == count


@pytest.mark.parametrize("name", names(Model))
def test_every_architecture_has_its_parameters_counted_by_hand(name):
    """A new one needs an entry, so that its layers are what its author meant."""
    assert name in PARAMETERS, f"PARAMETERS has no count for {name}: add up its layers by hand"


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize("head", ["linear", "cosine", {"name": "adaptive", "cutoffs": [1]}])
def test_logits_are_float32_and_one_a_class(name, head):
    """Any classes, any image size, any head."""
    network = model({"name": name, "head": head}, class_counts=[5, 7, 6], image_shape=(20, 24))
    logits = network(np.zeros((2, 20, 24, 1), np.float32))
    assert (logits.shape, logits.dtype) == ((2, 3), "float32")


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_keeps_weights_and_logits_in_float32(precision):
    """Only the products in between are short."""
    short = model("cnn_bn", precision=precision)
    assert {weight.dtype for weight in short.weights} == {"float32"}
    assert short(np.zeros((2, 28, 28, 1), np.float32)).dtype == "float32"
    assert short.layers[1].compute_dtype == precision.removeprefix("mixed_")


def test_a_seed_fixes_every_weight_and_another_changes_them():
    """The pairing of runs rests on it."""
    first, again, other = (model("cnn_bn", seed=seed).get_weights() for seed in (3, 3, 4))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert not (first[0] == other[0]).all()


def test_layers_of_one_shape_do_not_share_their_weights():
    """Every layer draws from a stream of its own."""
    _, second, third = (
        layer.kernel.numpy()
        for layer in model({"name": "mlp", "hidden": [784, 784, 784]}).layers
        if layer.name.startswith("dense") and layer.units == 784
    )
    assert not (second == third).all()


@pytest.mark.parametrize(
    ("initializer", "deviation", "largest"),
    [
        (None, np.sqrt(2 / (784 + 512)), np.sqrt(6 / (784 + 512))),
        ("he_normal", np.sqrt(2 / 784), None),
        ("he_uniform", np.sqrt(2 / 784), np.sqrt(6 / 784)),
        ({"name": "random_normal", "stddev": 0.3}, 0.3, None),
        ({"name": "random_uniform", "limit": 0.3}, 0.3 / np.sqrt(3), 0.3),
        ({"name": "truncated_normal", "stddev": 0.1, "limit": 0.1}, 0.0539560, 0.1),
        ({"name": "truncated_normal", "stddev": 0.1}, 0.0879626, 0.2),
        ({"dense": "he_uniform"}, np.sqrt(2 / 784), np.sqrt(6 / 784)),
        ({"convolution": "he_uniform"}, np.sqrt(2 / (784 + 512)), np.sqrt(6 / (784 + 512))),
    ],
)
def test_initialisers_have_their_deviation_and_their_limit(initializer, deviation, largest):
    """The truncated deviations are √(1 - 2cφ(c)/(2Φ(c)-1)) of the untruncated one, at c = 1 and c = 2."""
    kernel = model({"name": "mlp", "hidden": [512], "initializer": initializer}).layers[2].kernel.numpy()
    assert kernel.std() == pytest.approx(deviation, rel=0.01)
    assert abs(kernel.mean()) < 0.002
    if largest is not None:
        assert 0.99 * largest < np.abs(kernel).max() <= largest * 1.000001


def test_batch_norm_takes_the_configured_constants():
    """Momentum and epsilon are keys, as papers differ in them."""
    layers = model({"name": "cnn_bn", "batch_norm": {"momentum": 0.5, "epsilon": 0.25}}).layers
    constants = {(layer.momentum, layer.epsilon) for layer in layers if layer.name.startswith("batch")}
    assert constants == {(0.5, 0.25)}


@pytest.mark.parametrize("name", names(Distribution))
def test_every_initialiser_draws_weights(name):
    """Each name of the table is one that Keras or lossbench knows; no two weights are the same."""
    kernel = model({"name": "linear", "initializer": name}).layers[2].kernel.numpy()
    assert np.isfinite(kernel).all()
    assert len(np.unique(kernel)) > 7800
