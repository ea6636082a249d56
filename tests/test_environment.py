"""Settings of Keras and TensorFlow in the user's environment: which are ignored, and that no number depends on them."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from lossbench import environment

CHANGES_NUMBERS = {
    "KERAS_BACKEND": "jax",
    "KERAS_HOME": "/old/project",
    "KERAS_MAX_EPOCHS": "1",
    "KERAS_NNX_ENABLED": "1",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_SET_ONEDNN_FPMATH_MODE": "BF16",
    "TF_USE_LEGACY_KERAS": "1",
    "TF_DETERMINISTIC_OPS": "1",
    "TF_ENABLE_AUTO_MIXED_PRECISION": "1",
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_CUDNN_USE_AUTOTUNE": "0",
    "XLA_FLAGS": "--xla_cpu_enable_fast_math=true",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
    "DNNL_MAX_CPU_ISA": "SSE41",
    "NVIDIA_TF32_OVERRIDE": "0",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
}
HARMLESS = {
    "TF_CLI_CONFIG_FILE": "terraform.rc",
    "CUDA_VISIBLE_DEVICES": "0",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "TF_GPU_ALLOCATOR": "cuda_malloc_async",
    "OMP_NUM_THREADS": "1",
    "PATH": "/bin",
    "XLA_FLAGS": "--xla_gpu_cuda_data_dir=/opt/cuda --xla_dump_to=/tmp/dump",
}
OLD_PROJECT = {"floatx": "float64", "epsilon": 1e-3, "backend": "jax", "image_data_format": "channels_first"}


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return an empty environment in the place of the process's own."""
    values: dict[str, str] = {}
    monkeypatch.setattr(environment, "os", SimpleNamespace(environ=values))
    monkeypatch.setattr(environment, "ignored", {})
    return values


@pytest.mark.parametrize(("name", "value"), CHANGES_NUMBERS.items())
def test_a_variable_that_changes_numbers_is_removed_and_remembered(
    variables: dict[str, str], name: str, value: str
) -> None:
    """`doctor` names it."""
    variables[name] = value
    assert environment.active() == {name: value}
    environment.ignore_user_settings()
    assert (variables, environment.ignored) == ({}, {name: value})


@pytest.mark.parametrize(("name", "value"), HARMLESS.items())
def test_a_variable_that_changes_no_number_is_kept(variables: dict[str, str], name: str, value: str) -> None:
    """Devices, memory, messages and paths are the user's."""
    variables[name] = value
    environment.ignore_user_settings()
    assert (variables, environment.ignored, environment.active()) == ({name: value}, {}, {})


def test_paths_of_xla_are_kept_without_the_flags_beside_them(variables: dict[str, str]) -> None:
    """XLA finds CUDA by one of its flags."""
    variables["XLA_FLAGS"] = "--xla_cpu_enable_fast_math=true --xla_gpu_cuda_data_dir=/opt/cuda"
    environment.ignore_user_settings()
    assert variables == {"XLA_FLAGS": "--xla_gpu_cuda_data_dir=/opt/cuda"}
    assert environment.ignored["XLA_FLAGS"].startswith("--xla_cpu_enable_fast_math")


def test_what_has_taken_effect_already_stays_and_is_recorded(variables: dict[str, str]) -> None:
    """NumPy and the C library choose their instructions before lossbench runs."""
    variables["NPY_DISABLE_CPU_FEATURES"] = "AVX2"
    environment.ignore_user_settings()
    assert environment.active() == {"NPY_DISABLE_CPU_FEATURES": "AVX2"}
    assert environment.ignored == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, ""),
        ("{}", ""),
        ('{"floatx": "float32", "epsilon": 1e-07, "backend": "tensorflow"}', ""),
        ('{"floatx": "float16"}', 'floatx "float16"'),
        ('{"epsilon": 1}', "epsilon 1"),
        (json.dumps(OLD_PROJECT), 'backend "jax", floatx "float64", epsilon 0.001, image_data_format "channels_first"'),
        ("{", "is not a JSON object"),
        ("[]", "is not a JSON object"),
        ("[" * 60_000, "is not a JSON object"),
    ],
)
def test_the_file_of_keras_is_described(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, words: str
) -> None:
    """Only what differs from lossbench's own settings is named."""
    monkeypatch.setattr(environment, "ignored", {"KERAS_HOME": str(tmp_path)})
    if text is not None:
        (tmp_path / "keras.json").write_text(text, encoding="utf-8")
    assert environment.keras_file() == (tmp_path / "keras.json", words)


def test_a_file_of_keras_that_cannot_be_read_is_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of that name is enough."""
    monkeypatch.setattr(environment, "ignored", {"KERAS_HOME": str(tmp_path)})
    (tmp_path / "keras.json").mkdir()
    assert environment.keras_file()[1] == "cannot be read: Is a directory"


def _old_project(folder: Path) -> Path:
    (folder / ".keras").mkdir(parents=True)
    (folder / ".keras" / "keras.json").write_text(json.dumps(OLD_PROJECT), encoding="utf-8")
    return folder


@pytest.mark.slow
def test_doctor_names_what_is_ignored(new_process, tmp_path):
    """The file with its values, and the variable with its own."""
    done = new_process("doctor", check=0, HOME=str(_old_project(tmp_path / "home")), TF_ENABLE_ONEDNN_OPTS="0")
    lines = {line[4:].split()[0]: line for line in done.stdout.splitlines()}
    assert lines["keras.json"].endswith(
        'backend "jax", floatx "float64", epsilon 0.001, image_data_format "channels_first"; ignored, lossbench uses '
        "backend tensorflow, floatx float32, epsilon 1e-07, image_data_format channels_last"
    )
    assert lines["TF_ENABLE_ONEDNN_OPTS"].endswith("0; ignored, it could change numbers")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Train two small networks in a new process and return the SHA-256 of their weights, and `run.json`."""
    import subprocess
    import sys

    def train(variables):
        folder = tmp_path_factory.mktemp("environment")
        (folder / "small.yaml").write_text(
            "loss: categorical_focal_crossentropy\ndata: {train_size: 200, validation_size: 100}\n"
            "train: {epochs: 1, batch_size: 50, threads: 1, save_weights: true}\n",
            encoding="utf-8",
        )
        command = [
            sys.executable,
            "-m",
            "lossbench",
            "sweep",
            "--config",
            "small.yaml",
            "model=mlp,cnn_bn",
            "--jobs",
            "1",
        ]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **variables}
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        paths = sorted((folder / "runs").rglob("weights.npz"))
        assert len(paths) == 2
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]

    return train


@pytest.fixture(scope="module")
def undisturbed(weights, tmp_path_factory):
    """Return the weights trained in an empty home."""
    return weights({"HOME": str(tmp_path_factory.mktemp("home"))})


ENVIRONMENTS = {
    **{f"{key}={value}": {key: value} for key, value in CHANGES_NUMBERS.items()},
    "XLA_FLAGS of no version": {"XLA_FLAGS": "--xla_no_such_flag=1"},
    "KERAS_MAX_EPOCHS=many": {"KERAS_MAX_EPOCHS": "many"},
    "OMP_NUM_THREADS=1": {"OMP_NUM_THREADS": "1"},
    "keras.json of an older project": OLD_PROJECT,
    "keras.json with channels_first": {"image_data_format": "channels_first"},
    "keras.json that Keras refuses": {"floatx": "bfloat16"},
    "keras.json with a whole epsilon": {"epsilon": 1},
    "keras.json that is a list": [],
}


@pytest.mark.slow
@pytest.mark.parametrize("case", ENVIRONMENTS)
def test_weights_are_the_same_in_every_environment(case, weights, undisturbed, tmp_path):
    """Bit for bit, by a worker of a sweep, of networks with and without convolutions and batch normalisation."""
    variables = ENVIRONMENTS[case]
    if case.startswith("keras.json"):
        (tmp_path / ".keras").mkdir()
        (tmp_path / ".keras" / "keras.json").write_text(json.dumps(variables), encoding="utf-8")
        variables = {"HOME": str(tmp_path)}
    assert weights(variables) == undisturbed
