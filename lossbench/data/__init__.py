"""Arrays of the `data` section of an experiment: uint8 images, labels as seen, true labels.

dataset.py     prepare(experiment) -> Dataset; the SHA-256 of the data
reading.py     the labelled images of a section
summary.py     numbers of images, before one is drawn
sources.py     name -> folder of four files: MNIST in mnist/, others in the user's cache
download.py    downloads, checked against SHA-256
fileset.py     the files of a folder, checked to belong together
idx.py         the file format of MNIST
npz.py         the file format of Keras' mnist.npz
pixels.py      numbers of every type as bytes
formats.py     what a file is that is none of these
split.py       class subsets, stratified splits
imbalance.py   class imbalance
noise.py       label noise
"""

from lossbench.data.dataset import Dataset, prepare, sha256, test_images
from lossbench.data.reading import Split

__all__ = ["Dataset", "Split", "prepare", "sha256", "test_images"]
