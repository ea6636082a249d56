"""What made the kept run folders: `python tests/runs/kept/make.py FOLDER`, with the lossbench that is to be kept.

The data are every 8th of the first images of MNIST at a sixteenth of their size: 480 training and 120 test images.
"""

import gzip
import os
import struct
import sys
from pathlib import Path

import numpy as np

from lossbench import cli
from lossbench.data import sources
from lossbench.data.fileset import read_folder
from lossbench.errors import LossbenchError

IMAGES = {"train": 480, "t10k": 120}
TRIALS = {
    "completed": ["loss=focal", "optimizer.learning_rate=0.01"],
    "diverged": ["loss=mse", "optimizer={name: sgd, learning_rate: 1e+30}", "model={name: mlp, hidden: [4]}"],
}
CONFIG = """\
name: kept
data: {name: idx, path: data, validation_size: 60, label_noise: {type: symmetric, rate: 0.2}}
model: linear
train: {epochs: 3, batch_size: 32, threads: 1, save_weights: true}
"""


def idx(array: np.ndarray) -> bytes:
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes(), mtime=0)


def smaller(images: np.ndarray) -> np.ndarray:
    return images.reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4)).round()


def main(folder: Path) -> None:
    """Write the data, then train both trials."""
    (folder / "data").mkdir(parents=True)
    mnist = read_folder(sources.folder("mnist"))
    parts = {
        "train": (mnist.train_images, mnist.train_labels, 480),
        "t10k": (mnist.test_images, mnist.test_labels, 120),
    }
    for name, (images, labels, count) in parts.items():
        of = slice(0, 8 * count, 8)
        (folder / "data" / f"{name}-images-idx3-ubyte.gz").write_bytes(idx(smaller(images[of])))
        (folder / "data" / f"{name}-labels-idx1-ubyte.gz").write_bytes(idx(labels[of]))
    os.chdir(folder)
    Path("kept.yaml").write_text(CONFIG)
    for settings in TRIALS.values():
        sys.argv = ["lossbench", "train", "--config", "kept.yaml", *settings]
        try:
            cli.app(standalone_mode=False)
        except LossbenchError as error:
            sys.stderr.write(f"{error}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
