"""The network of a run folder, rebuilt from `config.yaml` and `weights.npz`."""

import shutil

import numpy as np
import pytest

import lossbench
from lossbench import errors, softmax
from lossbench.config import resolve
from lossbench.data import prepare

MODELS = [
    {"name": "mlp", "head": "cosine"},
    *(
        pytest.param(model, marks=pytest.mark.slow)
        for model in (
            "linear",
            "mlp",
            "cnn",
            {"name": "cnn_bn", "head": "cosine"},
            "lenet5",
            {"name": "mlp", "hidden": [300, 100], "head": {"name": "adaptive", "cutoffs": [3, 6]}},
        )
    ),
]


def trained(folder, config, **more):
    return lossbench.train({"train": {"epochs": 2, "save_weights": True}, **config, **more}, runs_dir=folder)


@pytest.mark.parametrize("model", MODELS, ids=str)
@pytest.mark.parametrize("normalize", ["unit", pytest.param("standard", marks=pytest.mark.slow)])
def test_predictions_are_those_of_the_run(model, normalize, few_images, tmp_path):
    """Of the last epoch and of the best one, from pixels as they are stored, with Keras' own layers."""
    config = {"model": model, "data": {**few_images, "normalize": normalize}}
    run = trained(tmp_path, config)
    images = prepare(resolve.from_mapping(config)).test.images
    recorded = np.load(run.run / "predictions.npz")
    for at in ("last", "best"):
        logits = lossbench.load_model(run, at=at).predict(images, verbose=0)
        logs = softmax.log_softmax(np.asarray(logits, np.float64))
        np.testing.assert_allclose(logs, recorded[f"{at}.log_probabilities"], rtol=2e-3, atol=2e-3)


@pytest.fixture(scope="module")
def run(few_images, tmp_path_factory):
    """A run of softmax regression with weights."""
    return trained(tmp_path_factory.mktemp("run"), {"model": "linear", "data": few_images})


@pytest.fixture
def folder(run, tmp_path):
    """A copy of that run."""
    return shutil.copytree(run.run, tmp_path / "run")


def test_a_run_is_named_by_its_folder_or_one_above(run):
    """Or by what `train` returned; images may have an axis of channels."""
    pixels = np.zeros((3, 28, 28), np.uint8)
    expected = lossbench.load_model(run)(pixels)
    for named in (run.run, str(run.run), run.run.parent, run.run.parent.parent):
        np.testing.assert_array_equal(lossbench.load_model(named)(pixels[..., None]), expected)


def test_a_loss_that_is_not_there_does_not_matter(folder):
    """The network of a loss of one's own needs no plugin."""
    text = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(text.replace("name: categorical_crossentropy", "name: no_such_loss"))
    assert lossbench.load_model(folder).output_shape == (None, 10)


def test_missing_weights_are_named_with_the_key_that_keeps_them(folder):
    """And a best epoch that there is none of."""
    import zipfile

    with zipfile.ZipFile(folder / "weights.npz") as whole, zipfile.ZipFile(folder / "last.npz", "w") as last:
        for name in whole.namelist():
            if name.startswith("last/"):
                last.writestr(name, whole.read(name))
    (folder / "last.npz").replace(folder / "weights.npz")
    with pytest.raises(errors.UsageError, match=r"no weights of the best epoch; only runs with validation images"):
        lossbench.load_model(folder, at="best")
    with pytest.raises(errors.UsageError, match=r"^at: expected last or best, got 'first'"):
        lossbench.load_model(folder, at="first")
    (folder / "weights.npz").unlink()
    with pytest.raises(errors.UsageError, match=r"has no weights\.npz: .*without `train\.save_weights: true`"):
        lossbench.load_model(folder)


def test_weights_that_do_not_fit_are_refused(folder):
    """With the first layer that differs; a damaged file is one sentence too."""
    text = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(text.replace("model:\n  name: linear", "model:\n  name: mlp\n  hidden: [4]"))
    with pytest.raises(errors.UsageError, match=r"does not fit config\.yaml: dense_1/bias: expected the shape \[4\]"):
        lossbench.load_model(folder)
    (folder / "weights.npz").write_bytes(b"PK")
    with pytest.raises(errors.UsageError, match=r"weights\.npz: "):
        lossbench.load_model(folder)


def test_a_folder_without_a_run_is_no_model(tmp_path):
    """As `lossbench show` says it."""
    with pytest.raises(errors.NothingMatchedError, match="no run in this folder"):
        lossbench.load_model(tmp_path)
