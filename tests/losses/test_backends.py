"""The same suite with Keras on JAX and on PyTorch, in processes that have no TensorFlow."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = None
import pytest
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
"""
SUITE = ("test_catalogue.py", "test_published.py")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_the_suite_holds_on_every_backend(backend):
    """Values, gradients, limits and published values are those of TensorFlow, within the same tolerances."""
    if not importlib.util.find_spec(backend):
        pytest.skip(f"{backend} is not installed")
    here = Path(__file__).parent
    command = [sys.executable, "-c", WITHOUT_TENSORFLOW, *(str(here / name) for name in SUITE)]
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run(
        command, cwd=here.parents[1], env=environment, capture_output=True, text=True, timeout=1800, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
