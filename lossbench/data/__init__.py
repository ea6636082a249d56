"""An experiment's data section turned into arrays: uint8 images, labels as seen, labels as true.

dataset.py     prepare(experiment) -> Dataset, and the SHA-256 of the data
sources.py     name -> folder of four files: MNIST in mnist/, others in the user's cache
download.py    the only code that asks the network
idx.py         the files' format
split.py       class subsets, stratified splits
imbalance.py   fewer images of some classes
noise.py       wrong labels
"""

from lossbench.data.dataset import Dataset, Split, prepare, sha256, test_images

__all__ = ["Dataset", "Split", "prepare", "sha256", "test_images"]
