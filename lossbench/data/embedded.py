"""MNIST as it comes with the package: the four original files in `mnist/`, never downloaded."""

from __future__ import annotations

import hashlib
from pathlib import Path

from lossbench.data import idx
from lossbench.errors import MachineError

FOLDER = Path(__file__).parent / "mnist"

CHECKSUMS = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
"""SHA-256 of each file, in the order of `idx.FILES`."""

SHA256 = "b2d8f5bf39174ee5ffeefa97e42d673c35432b411bb5d1f74fbbeddae7f1690a"
"""What `load().sha256` is: known beforehand, so that a run's identity needs no reading."""


def load(folder: Path = FOLDER) -> idx.Arrays:
    """Read MNIST: 60,000 training and 10,000 test images of 28 × 28, ten classes.

    Args:
        folder: Where the four files are.

    Returns:
        The four arrays.

    Raises:
        MachineError: A file is missing or its SHA-256 is not the known one.
    """
    paths = [folder / name for name in CHECKSUMS]
    return idx.assemble([idx.decode(_verified(path), path) for path in paths], paths)


def _verified(path: Path) -> bytes:
    advice = "the installation is damaged, reinstall lossbench"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MachineError(f"{path}: cannot be read: {error.strerror}; {advice}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != CHECKSUMS[path.name]:
        raise MachineError(f"{path}: expected SHA-256 {CHECKSUMS[path.name]}, got {found}; {advice}")
    return content
