"""GPUs as their driver lists them, without TensorFlow."""

import pytest

from lossbench.errors import DeviceError
from lossbench.training import runtime
from lossbench.training.gpus import Gpu, installed, parse_device


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """A `nvidia-smi` that prints a text."""

    def install(text, visible=None):
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{text}END\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        if visible is None:
            monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        else:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    return install


FIRST, SECOND = Gpu(81559, 81000), Gpu(24576, 100)


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, (FIRST, SECOND)),
        ("1", (SECOND,)),
        ("1,0", (SECOND, FIRST)),
        ("", ()),
        ("-1", ()),
        ("GPU-8f6d", (FIRST,)),
    ],
)
def test_the_gpus_are_those_that_this_process_may_see(driver, visible, expected):
    """In the order in which it sees them."""
    driver("81559, 81000\n24576, 100\n", visible)
    assert installed() == expected


@pytest.mark.parametrize("text", ["", "No devices were found\n", "1, 2, 3\n"])
def test_a_driver_that_lists_none_has_none(driver, text):
    """Whatever it prints instead."""
    driver(text)
    assert installed() == ()


def test_without_a_driver_there_is_none(monkeypatch, tmp_path):
    """No program of that name on the path."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert installed() == ()


@pytest.mark.parametrize(
    ("written", "device"),
    [
        *((text, "auto") for text in ("auto", "AUTO", " auto ")),
        *((text, "cpu") for text in ("cpu", "CPU", "cpu:0", "CPU:0")),
        *((text, "gpu") for text in ("gpu", "GPU", "cuda", "CUDA", "Cuda ")),
        *((text, "gpu:0") for text in ("gpu:0", "cuda:0", "GPU:0", "CUDA:0", "gpu:00")),
        ("cuda:12", "gpu:12"),
    ],
)
def test_a_device_has_several_spellings(written, device):
    """Those of TensorFlow and PyTorch, in either case."""
    assert parse_device(written) == device


@pytest.mark.parametrize("device", ["", "tpu", "mps", "cud", "gpus", "cpu:1", "auto:0", "gpu:", "gpu:-1", "gpu:٣", "0"])
def test_another_device_is_refused(device):
    """With what is expected instead."""
    with pytest.raises(DeviceError, match=r"^device: expected auto, cpu, gpu or gpu:N, got ") as caught:
        parse_device(device)
    assert repr(device) in str(caught.value)


@pytest.mark.parametrize("device", ["gpu", "cuda", "cuda:0", "GPU:3"])
def test_a_missing_gpu_is_the_same_error_by_every_name(device, monkeypatch):
    """Whether a run is about to start or is finished."""

    class Config:
        list_physical_devices = staticmethod(lambda _: [])

    monkeypatch.setattr(runtime, "tensorflow", lambda: type("TensorFlow", (), {"config": Config}))
    with pytest.raises(DeviceError, match=r"^device: TensorFlow found no GPU, not gpu"):
        runtime.check_device(device)
