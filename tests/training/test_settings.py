"""A program that imports lossbench: its settings of Keras and TensorFlow change no number, and are as before after."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import lossbench
from lossbench.training import settings

OTHERS = {
    "floatx": "float64",
    "epsilon": 1e-3,
    "image_data_format": "channels_first",
    "dtype_policy": "mixed_bfloat16",
    "eager_functions": True,
    "jit": "autoclustering",
    "auto_mixed_precision": True,
    "tensor_float_32": False,
}


def _current():
    values = settings.current()
    return values | {"dtype_policy": values["dtype_policy"].name}


@pytest.fixture
def _cleanup():
    yield
    settings.change(settings.LOSSBENCH)


def test_every_setting_has_another_value_here():
    """A setting that is added later needs one."""
    assert OTHERS.keys() == settings.LOSSBENCH.keys()


@pytest.mark.slow
@pytest.mark.usefixtures("_cleanup")
def test_a_programs_settings_change_no_number_and_are_kept(small, tmp_path):
    """Weights are equal bit for bit, with all of its settings different."""
    small |= {"model": {"name": "cnn_bn"}, "loss": "categorical_focal_crossentropy"}
    small["data"], small["train"] = {"train_size": 100}, {"epochs": 1, "threads": 1, "save_weights": True}
    plain = lossbench.train(small, runs_dir=tmp_path / "plain")
    settings.change(OTHERS)
    assert _current() == OTHERS
    other = lossbench.train(small, runs_dir=tmp_path / "other")
    assert _current() == OTHERS
    before, after = (np.load(each.run / "weights.npz") for each in (plain, other))
    for name in before.files:
        np.testing.assert_array_equal(before[name], after[name])


@pytest.mark.usefixtures("_cleanup")
def test_settings_are_kept_when_training_is_refused(small, tmp_path):
    """An error restores them too."""
    keras.config.set_floatx("float64")
    small["train"]["precision"] = "mixed_float16"
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("a GPU computes in float16")
    with pytest.raises(lossbench.errors.DeviceError):
        lossbench.train(small, runs_dir=tmp_path)
    assert keras.config.floatx() == "float64"
