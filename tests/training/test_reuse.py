"""Trials of one process share what is compiled, and nothing else."""

import pytest
from run_tables import tables

from lossbench.config import resolve
from lossbench.losses import registry
from lossbench.losses.binding import BoundLoss
from lossbench.training import identify, setup, train

BEFORE = {"seed": 7, "data": {"label_noise": {"type": "symmetric", "rate": 0.4}}, "optimizer": {"learning_rate": 0.01}}
VARIANTS = {
    "mlp": {"model": "mlp"},
    "batch norm": {"model": "cnn_bn"},
    "remembers images": {"loss": "elr"},
    "draws numbers": {"loss": "equalization"},
    "momentum": {"optimizer": {"name": "sgd", "momentum": 0.9}},
}


def trial(small, *settings):
    """A trial of the small configuration, in which later settings replace earlier ones section by section."""
    config = dict(small)
    for more in settings:
        for key, value in more.items():
            before = config.get(key)
            config[key] = before | value if isinstance(before, dict) and isinstance(value, dict) else value
    return identify(resolve.from_mapping(config, name="small"))


@pytest.fixture
def compilations(monkeypatch):
    """The losses whose training step is traced from now on, in a process that has compiled nothing yet."""
    import tensorflow as tf

    setup.compiled.cache_clear()
    traced, step = [], BoundLoss.step

    def watched(self, y_true, y_pred, states, **context):
        if tf.is_symbolic_tensor(y_pred):
            traced.append(self)
        return step(self, y_true, y_pred, states, **context)

    monkeypatch.setattr(BoundLoss, "step", watched)
    return traced


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.slow
def test_a_trial_after_another_has_the_bytes_of_a_trial_alone(small, few_images, tmp_path, compilations, variant):
    """Another seed, learning rate and label noise before it leave no trace; the step is traced once for both.

    Only a loss that weighs the classes by their images, which noise moves, is traced for each.
    """
    small["data"] = few_images
    train(trial(small, variant), runs_dir=tmp_path / "alone")
    setup.compiled.cache_clear()
    compilations.clear()
    train(trial(small, variant, BEFORE), runs_dir=tmp_path / "before")
    train(trial(small, variant), runs_dir=tmp_path / "after")
    assert len(compilations) == (2 if variant == VARIANTS["draws numbers"] else 1)
    assert tables(tmp_path / "after" / "small") == tables(tmp_path / "alone" / "small")


BUILT_IN = [
    {"loss": {"name": "focal", "gamma": 2.0}},
    {"loss": {"name": "focal", "gamma": 3.0}},
    {"loss": {"name": "focal", "gamma": 2.0}, "optimizer": {"weight_decay": 0.1}},
    {"loss": {"name": "focal", "gamma": 2.0}, "regularization": {"l2": 0.1}},
    {"loss": {"name": "focal", "gamma": 2.0}, "model": {"name": "mlp", "dropout": 0.5}},
]


def test_each_graph_is_compiled_once(small, few_images, tmp_path, compilations):
    """One for each hyperparameter of loss, optimiser, regularisation and model; another seed needs none of its own."""
    small["data"] = few_images
    for number, settings in enumerate(BUILT_IN, 1):
        train(trial(small, settings), runs_dir=tmp_path)
        train(trial(small, settings, {"seed": 1}), runs_dir=tmp_path)
        assert len(compilations) == number, settings


def test_sizes_share_a_graph_unless_the_loss_remembers_every_image(small, tmp_path, compilations):
    """Cross-entropy is traced once for two numbers of images, ELR for each."""
    for number, loss in enumerate(("categorical_crossentropy", "elr"), 1):
        for size in (300, 200):
            train(trial(small, {"loss": loss}, {"data": {"train_size": size}}), runs_dir=tmp_path / "shared")
        assert len(compilations) == 2 * number - 1
        setup.compiled.cache_clear()
        train(trial(small, {"loss": loss}, {"data": {"train_size": 200}}), runs_dir=tmp_path / "alone")
        compilations.pop()
    alone = tables(tmp_path / "alone" / "small")
    assert {name: tables(tmp_path / "shared" / "small")[name] for name in alone} == alone


def test_trials_of_many_losses_in_turn_are_compiled_once_each(small, few_images, compilations):
    """Twelve losses, seed by seed, as a sweep trains them."""
    small["data"], losses = few_images, [{"name": "focal", "gamma": float(gamma)} for gamma in range(12)]
    for seed in (0, 1):
        for loss in losses:
            set_up = setup.set_up(trial(small, {"loss": loss, "seed": seed}), device="cpu", threads=None)
            set_up.loop.trace()
            set_up.loop.release()
    assert len(compilations) == len(losses)


def test_a_trial_leaves_no_images_in_the_loop_that_others_reuse(small, few_images, tmp_path, monkeypatch):
    """The images of MNIST take 43 MiB."""
    small["data"], kept = few_images, []
    monkeypatch.setattr(setup, "_reuse_compiled", lambda loop, _: (kept.append(loop), (loop, True))[1])
    train(trial(small), runs_dir=tmp_path)
    assert not any(hasattr(loop, "_data") for loop in kept)


def test_a_loss_that_asks_for_the_class_counts_is_compiled_for_those_of_the_trial(small, tmp_path, compilations):
    """Two degrees of imbalance are two graphs."""
    loss = {"loss": "logit_adjustment"}
    for ratio in (10, 100):
        train(trial(small, loss, {"data": {"imbalance": {"type": "step", "ratio": ratio}}}), runs_dir=tmp_path)
    assert len(compilations) == 2


PLUGIN = '''
"""A loss that counts its own calls."""
import keras

class Counting(keras.losses.Loss):
    """The more it is called, the more it weighs."""

    def __init__(self):
        super().__init__(name="counting")
        self.calls = keras.Variable(1.0, trainable=False)

    def call(self, y_true, y_pred):
        """Cross entropy times the number of calls."""
        self.calls.assign_add(1.0)
        return self.calls * keras.losses.categorical_crossentropy(y_true, y_pred, from_logits=True)
'''


def test_a_users_loss_keeps_its_own_state_within_one_trial(small, tmp_path, compilations, users):
    """What a class form counts begins anew with each trial, so it is never shared."""
    (name,) = users.names
    assert registry.find(name).form == "class"
    for runs_dir in (tmp_path / "one", tmp_path / "two"):
        config = resolve.from_mapping(small | {"loss": name}, name="small")
        train(identify(config, [users]), runs_dir=runs_dir, plugins=[users])
    assert len(set(map(id, compilations))) == len(compilations) == 4  # a trial call and the training step of each
    assert tables(tmp_path / "one" / "small") == tables(tmp_path / "two" / "small")
