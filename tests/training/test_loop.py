"""The compiled loop against the same training written out in float64 NumPy, and its independence of chunks."""

from dataclasses import asdict

import numpy as np
import pytest

from lossbench.config import resolve
from lossbench.data import Dataset, Split
from lossbench.losses import binding
from lossbench.models import build
from lossbench.training.layers import layers
from lossbench.training.loop import Loop

RATE, BATCH, CLASSES = 0.1, 8, 3


def dataset(generator, images=40, wrong=10):
    labels = generator.integers(0, CLASSES, images).astype(np.uint8)
    seen = labels.copy()
    seen[:wrong] = (labels[:wrong] + 1) % CLASSES
    split = Split(generator.integers(0, 256, (images, 5, 4)).astype(np.uint8), seen, labels)
    counts = np.bincount(seen, minlength=CLASSES)
    return Dataset(split, None, split, CLASSES, 0.2, 0.5, counts, None, None, "random")


def loop_of(data, model="linear", loss="categorical_crossentropy", *, use_xla=True, **settings):
    settings = {"optimizer": {"name": "sgd", "learning_rate": RATE}, "model": model, "loss": loss} | settings
    experiment = resolve.from_mapping(settings | {"train": {"batch_size": BATCH} | settings.get("train", {})})
    precision = experiment.train.precision
    network = build(
        experiment.model,
        class_counts=data.class_counts,
        image_shape=(5, 4),
        seed=0,
        precision=precision,
        layer_classes=layers(),
    )
    return Loop(experiment, data, network, binding.bind(experiment.loss), use_xla=use_xla), network


def batches_of(data, steps, generator):
    return generator.integers(0, len(data.train.labels), (steps, BATCH)).astype(np.int32)


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def numpy_training(data, order, kernel, bias, l1=0.0, l2=0.0):
    """Softmax regression by gradient descent; returns the weights and what an epoch adds up."""
    sums = dict.fromkeys(("images", "loss", "regularization", "correct", "memorized", "recovered"), 0.0)
    inputs = (data.train.images.reshape(-1, 20) / 255 - data.mean) / data.std
    for batch in order:
        x, seen, true = inputs[batch], data.train.labels[batch], data.train.true_labels[batch]
        p = softmax(x @ kernel + bias)
        penalty = l1 * np.abs(kernel).sum() + l2 * (kernel**2).sum()
        predicted, wrong = p.argmax(axis=1), seen != true
        sums["images"] += len(batch)
        sums["loss"] += -np.log(p[np.arange(len(batch)), seen]).sum() + penalty * len(batch)
        sums["regularization"] += penalty * len(batch)
        sums["correct"] += (predicted == seen).sum()
        sums["memorized"] += (wrong & (predicted == seen)).sum()
        sums["recovered"] += (wrong & (predicted == true)).sum()
        error = (p - np.eye(CLASSES)[seen]) / len(batch)
        kernel = kernel - RATE * (x.T @ error + l1 * np.sign(kernel) + 2 * l2 * kernel)
        bias = bias - RATE * error.sum(axis=0)
    return kernel, bias, sums


@pytest.mark.parametrize("use_xla", [False, True])
@pytest.mark.parametrize("penalties", [{}, {"l1": 0.01}, {"l2": 0.02}, {"l1": 0.01, "l2": 0.02}], ids=str)
def test_softmax_regression_is_numpys(penalties, use_xla):
    """Twenty steps: weights to 1e-5, and every sum of the epoch."""
    generator = np.random.default_rng(0)
    data = dataset(generator)
    order = batches_of(data, 20, generator)
    loop, network = loop_of(data, use_xla=use_xla, regularization=penalties)
    kernel, bias, sums = numpy_training(data, order, *(w.astype(float) for w in network.get_weights()), **penalties)
    loop.steps(order, np.full(20, RATE))
    np.testing.assert_allclose(network.get_weights()[0], kernel, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(network.get_weights()[1], bias, rtol=1e-4, atol=1e-5)
    for name, expected in sums.items():
        assert getattr(loop.sums, name) == pytest.approx(expected, rel=1e-5), name


def test_biases_are_penalised_only_if_asked():
    """With include_bias the penalty grows by l2 · Σ b²."""
    data = dataset(np.random.default_rng(0))
    penalties = []
    for include_bias in (False, True):
        loop, network = loop_of(data, regularization={"l2": 1.0, "include_bias": include_bias})
        network.layers[-1].bias.assign([1.0, 2.0, 3.0])
        logits = np.zeros((1, CLASSES), np.float32)
        penalties.append(loop.objective(logits, np.array([0])) - np.log(CLASSES))
    assert penalties[1] - penalties[0] == pytest.approx(14.0, rel=1e-5)


def test_logits_are_those_of_normalised_images_without_dropout():
    """(image/255 - mean)/std through the kernel; two calls agree though the model has dropout."""
    data = dataset(np.random.default_rng(0))
    loop, network = loop_of(data)
    kernel, bias = network.get_weights()
    expected = (data.test.images.reshape(-1, 20) / 255 - 0.2) / 0.5 @ kernel + bias
    np.testing.assert_allclose(loop.logits(data.test.images), expected, rtol=1e-4, atol=1e-5)
    loop, _ = loop_of(data, model={"name": "mlp", "dropout": 0.9})
    assert (loop.logits(data.test.images) == loop.logits(data.test.images)).all()


@pytest.mark.parametrize("use_xla", [False, True])
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_the_size_of_a_chunk_changes_no_bit(precision, use_xla):
    """Twelve batches at once, one by one, or by fives: equal weights, moments, dropout state and sums."""
    generator = np.random.default_rng(1)
    data = dataset(generator)
    order = batches_of(data, 12, generator)
    settings = {"optimizer": "adam", "train": {"precision": precision}, "use_xla": use_xla}
    loop, _ = loop_of(data, model={"name": "mlp"}, **settings)
    begin, states = [variable.numpy() for variable in loop.variables], []
    for chunk in (12, 1, 5):
        for variable, value in zip(loop.variables, begin, strict=True):
            variable.assign(value)
        for first in range(0, 12, chunk):
            loop.steps(order, np.full(12, 0.01), first, min(first + chunk, 12))
        states.append([variable.numpy() for variable in loop.variables])
    assert any((a != b).any() for a, b in zip(begin, states[0], strict=True))
    for other in states[1:]:
        assert all((a == b).all() for a, b in zip(states[0], other, strict=True))


def test_compiling_beforehand_changes_no_bit():
    """Not of the variables at the start, nor of those after some steps and a smaller batch."""
    generator = np.random.default_rng(5)
    data = dataset(generator)
    order = batches_of(data, 6, generator)
    plain, ahead = (loop_of(data, {"name": "mlp"}, optimizer="adam")[0] for _ in range(2))
    ahead.compile_all(6, rest=True)
    for _ in range(2):
        assert all((a.numpy() == b.numpy()).all() for a, b in zip(plain.variables, ahead.variables, strict=True))
        for loop in (plain, ahead):
            loop.steps(order, np.full(6, 0.01))
            loop.steps(order[:1, :3], np.full(1, 0.01))
    assert (plain.logits(data.test.images) == ahead.logits(data.test.images)).all()


@pytest.mark.parametrize("traced", ["_steps", "_logits"])
def test_an_error_of_compiling_beforehand_is_left_to_the_first_use(traced, monkeypatch):
    """Which raises it within the training, where it is written to the log of the run."""
    generator = np.random.default_rng(6)
    data = dataset(generator)
    order = batches_of(data, 6, generator)

    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(Loop, traced, broken)
    loop, _ = loop_of(data)
    loop.compile_all(6, rest=True)
    uses = {"_steps": lambda: loop.steps(order, np.full(6, 0.01)), "_logits": lambda: loop.logits(data.test.images)}
    with pytest.raises(ZeroDivisionError):
        uses[traced]()


def test_the_loop_leaves_off_at_the_step_that_is_not_finite():
    """With a rate that explodes, the images counted end at the diverging batch, whatever the chunk."""
    generator = np.random.default_rng(2)
    data = dataset(generator)
    order = batches_of(data, 60, generator)
    counted = []
    for chunk in (60, 7):
        loop, _ = loop_of(
            data, model={"name": "mlp", "dropout": 0.0}, loss="mean_squared_error", regularization={"l2": 10.0}
        )
        for first in range(0, 60, chunk):
            loop.steps(order[first : first + chunk], np.full(60, 1e9)[first : first + chunk])
        assert not np.isfinite(loop.sums.loss)
        counted.append(loop.sums.images)
    assert counted[0] == counted[1] < 60 * BATCH


def test_float16_skips_a_step_that_overflows_and_halves_its_scale():
    """A loss of weight 1e6 overflows at the scale of 2^15; the weights stay, the scale falls, later steps train."""
    generator = np.random.default_rng(3)
    data = dataset(generator)
    loop, network = loop_of(
        data,
        model="mlp",
        loss=[{"name": "categorical_crossentropy", "weight": 1e6}],
        train={"precision": "mixed_float16"},
    )
    before, scale = network.get_weights(), loop._scale.variables[0]  # noqa: SLF001 - the state is the thing tested
    loop.steps(batches_of(data, 1, generator), np.array([1e-8]))
    assert all((a == b).all() for a, b in zip(before, network.get_weights(), strict=True))
    assert float(scale) == 2.0**14
    loop.steps(batches_of(data, 30, generator), np.full(30, 1e-8))
    assert not (before[0] == network.get_weights()[0]).all()


@pytest.mark.parametrize("use_xla", [False, True])
@pytest.mark.parametrize("loss", ["categorical_crossentropy", "elr", "mdca"])
def test_the_smaller_batch_at_the_end_counts_its_own_images_only(loss, use_xla):
    """Five images in eight places: the sums and, without dropout, the weights of a loop whose batches have five."""
    generator = np.random.default_rng(4)
    data = dataset(generator)
    order = batches_of(data, 1, generator)[:, :5]
    model = {"name": "mlp", "hidden": [7], "dropout": 0.0}
    pairs = [loop_of(data, model, loss, use_xla=use_xla, train={"batch_size": size}) for size in (BATCH, 5)]
    for loop, _ in pairs:
        loop.steps(order, np.array([RATE]))
    (padded, network), (exact, twin) = pairs
    assert padded.sums.images == exact.sums.images == 5
    assert asdict(padded.sums) == pytest.approx(asdict(exact.sums), rel=1e-5)
    for one, other in zip(network.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_a_compiled_loop_continues_from_its_variables():
    """Five of twelve steps, then the other seven in a new loop with the variables of the first: the bits of twelve."""
    generator = np.random.default_rng(5)
    data = dataset(generator)
    order = batches_of(data, 12, generator)
    loops = [loop_of(data, model={"name": "mlp"}, optimizer="adam", loss="elr")[0] for _ in range(3)]
    whole, begun, continued = loops
    whole.steps(order, np.full(12, 0.01))
    begun.steps(order, np.full(12, 0.01), 0, 5)
    for variable, value in zip(continued.variables, begun.variables, strict=True):
        variable.assign(value.numpy())
    continued.steps(order, np.full(12, 0.01), 5, 12)
    for one, other in zip(whole.variables, continued.variables, strict=True):
        assert np.array_equal(one.numpy(), other.numpy())
