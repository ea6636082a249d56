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


TRAIN_A_MODULE = """
import sys
sys.modules["tensorflow"] = None
import torch
import lossbench.losses

torch.manual_seed(0)
images, labels = torch.randn(512, 20), torch.arange(512) % 4
images[torch.arange(512), labels] += 3
model = torch.nn.Sequential(torch.nn.Linear(20, 32), torch.nn.ReLU(), torch.nn.Linear(32, 4))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
loss = lossbench.losses.get("generalized_crossentropy", q=0.5)
for _ in range(60):
    optimizer.zero_grad()
    loss(labels, model(images)).backward()
    optimizer.step()
assert (model(images).argmax(1) == labels).float().mean() > 0.95
"""


@pytest.mark.slow
def test_a_pytorch_module_trains() -> None:
    """The class form is a loss of PyTorch's own training loop."""
    if not importlib.util.find_spec("torch"):
        pytest.skip("torch is not installed")
    environment = {**os.environ, "KERAS_BACKEND": "torch"}
    subprocess.run([sys.executable, "-c", TRAIN_A_MODULE], cwd=Path(__file__).parents[2], env=environment, check=True)
