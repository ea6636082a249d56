"""The training loop of lossbench alone: seconds per epoch without validation, as JSON like a peer's.

    python tests/benchmarks/loop_alone.py IMAGES MODEL EPOCHS BATCH SEED THREADS

Data and model are ready before the clock starts. As in the JAX loop, the last, smaller batch is left out.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

ALL_IMAGES, RATE = 55_000, 0.001


def main(images: int, model: str, epochs: int, batch: int, seed: int, threads: int) -> dict[str, Any]:
    """Train, and test once."""
    import lossbench
    from lossbench.config import resolve
    from lossbench.training import identify
    from lossbench.training.setup import set_up

    data = {"train_size": images} if images < ALL_IMAGES else {}
    train = {"batch_size": batch, "epochs": epochs}
    trial = identify(resolve.from_mapping({"model": model, "data": data, "train": train, "seed": seed}))
    setup = set_up(trial, device="cpu", threads=threads)
    generator = np.random.default_rng(seed)
    seconds = [
        _epoch(setup.loop, number, generator, len(setup.dataset.train.labels), batch) for number in range(epochs)
    ]
    test = setup.dataset.test
    accuracy = float((setup.loop.logits(test.images).argmax(1) == test.labels).mean())
    return {"epochs": seconds, "accuracy": accuracy, "version": f"lossbench {lossbench.__version__}"}


def _epoch(loop: Any, number: int, generator: np.random.Generator, images: int, batch: int) -> float:
    """Train one epoch; return seconds."""
    began = time.perf_counter()
    steps = images // batch
    order = generator.permutation(images)[: steps * batch].reshape(steps, batch).astype(np.int32)
    loop.begin_epoch(number)
    loop.steps(order, np.full(steps, RATE))
    assert loop.sums.images == steps * batch  # read only once the epoch is done
    return time.perf_counter() - began


if __name__ == "__main__":
    images, model, *numbers = sys.argv[1:]
    print(json.dumps(main(int(images), model, *map(int, numbers))))
