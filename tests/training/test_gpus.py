"""GPUs as their driver lists them, without TensorFlow."""

import pytest

from lossbench.training.gpus import Gpu, installed


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
