"""Fashion-MNIST, downloaded once to the user's cache: each file checked, then put in its place whole."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path

from lossbench.errors import DataError, MachineError

BASE_URL = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"

CHECKSUMS = {
    "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}
"""SHA-256 of each file."""

SHA256 = "14410854cf7a289477dcfc7df3f8ec24741e281cdcc425ede0d9a748ca630214"
"""`idx.Arrays.sha256` of the four: known beforehand, so that a run's identity needs no download."""

LARGEST = 2**25
"""Bytes; the largest of the four files has 26,421,880."""

TIMEOUT = 30
"""Seconds without an answer."""


def cache_folder() -> Path:
    """Return where the files are kept: `$XDG_CACHE_HOME/lossbench/fashion_mnist`, or below `~/.cache`."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (cache if cache.is_absolute() else Path.home() / ".cache") / "lossbench" / "fashion_mnist"


def fashion_mnist(folder: Path, base_url: str = BASE_URL) -> Path:
    """Make sure that a folder holds the four files of Fashion-MNIST; what is there and right is not fetched again.

    Args:
        folder: Where they belong; made if missing.
        base_url: Where they come from; ends with a slash.

    Returns:
        The folder.

    Raises:
        DataError: There is no network, or what came has another SHA-256.
        MachineError: The folder cannot be written.
    """
    for name, checksum in CHECKSUMS.items():
        path = folder / name
        if not _is_right(path, checksum):
            _place(_fetch(base_url + name, checksum, folder), path)
    return folder


def _is_right(path: Path, checksum: str) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == checksum
    except OSError:
        return False


def _fetch(url: str, checksum: str, folder: Path) -> bytes:
    advice = (
        f"download {', '.join(CHECKSUMS)} from {url.rpartition('/')[0]}/ into {folder}, "
        "or name a folder that holds them with data.path"
    )
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response:  # noqa: S310  # an https constant, or a test's
            content: bytes = response.read(LARGEST)
    except urllib.error.HTTPError as error:
        with error:  # the answer is still open
            raise DataError(f"{url}: cannot be downloaded: {error.code} {error.reason}; {advice}") from None
    except (OSError, http.client.HTTPException) as error:
        raise DataError(f"{url}: cannot be downloaded: {getattr(error, 'reason', error)}; {advice}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != checksum:
        raise DataError(f"{url}: expected SHA-256 {checksum}, got {found}; {advice}")
    return content


def _place(content: bytes, path: Path) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with beside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise MachineError(f"{path}: cannot be written: {error.strerror}") from None
