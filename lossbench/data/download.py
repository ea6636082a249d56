"""Downloads of data sets: each file is checked against its SHA-256, then written at once."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from lossbench import files
from lossbench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from lossbench.config.datasets import Source

LARGEST = 2**25
"""Bytes of a file; Fashion-MNIST's largest has 26,421,880."""

TIMEOUT = 30
"""Seconds to wait for the server."""


def download(source: Source, folder: Path) -> Path:
    """Make sure that a folder holds the four files of a data set; intact files are not downloaded again.

    Args:
        source: The data set; its `base_url` is not None.
        folder: Where the files are kept; created if it is missing.

    Returns:
        The folder.

    Raises:
        DataError: The server cannot be reached, or a downloaded file has another SHA-256.
        MachineError: The folder cannot be written.
    """
    advice = (
        f"download {', '.join(source.checksums)} from {source.base_url} into {folder}, "
        "or name a folder that holds them with data.path"
    )
    for name, checksum in source.checksums.items():
        if not _is_intact(folder / name, checksum):
            content = _fetch(f"{source.base_url}{name}", checksum, advice)
            files.make_folder(folder)
            files.write_bytes(folder / name, content)
    return folder


def _is_intact(path: Path, checksum: str) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == checksum
    except OSError:
        return False


def _fetch(url: str, checksum: str, advice: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response:  # noqa: S310  # https, of a constant table
            content: bytes = response.read(LARGEST)
    except urllib.error.HTTPError as error:
        with error:  # the response is still open
            raise DataError(f"{url}: cannot be downloaded: {error.code} {error.reason}; {advice}") from None
    except (OSError, http.client.HTTPException) as error:
        raise DataError(f"{url}: cannot be downloaded: {getattr(error, 'reason', error)}; {advice}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != checksum:
        raise DataError(f"{url}: expected SHA-256 {checksum}, got {found}; {advice}")
    return content
