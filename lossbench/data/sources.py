"""The files of the data sets known by name: in the package, or downloaded once to the user's cache."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from lossbench.config.datasets import DATASETS
from lossbench.data.download import download
from lossbench.errors import MachineError

if TYPE_CHECKING:
    from lossbench.config.datasets import Source

PACKAGE = Path(__file__).parent
"""Holds the folder `<name>/` of each embedded data set."""


def cache_folder(name: str) -> Path:
    """Return where a downloaded data set is kept: `$XDG_CACHE_HOME/lossbench/<name>`, or below `~/.cache`."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (cache if cache.is_absolute() else Path.home() / ".cache") / "lossbench" / name


def folder(name: str, *, fetch: bool = True) -> Path:
    """Return the folder that holds the four files of a data set.

    Args:
        name: A name of `DATASETS`.
        fetch: Download the files that are missing or damaged; False: return the folder as it is.

    Raises:
        DataError: A file cannot be downloaded, or its SHA-256 is not the published one.
        MachineError: An embedded file is damaged, or the cache cannot be written.
    """
    source = DATASETS[name]
    if source.base_url is None:
        return _verified(PACKAGE / name, source)
    return download(source, cache_folder(name)) if fetch else cache_folder(name)


def is_present(name: str) -> bool:
    """Return whether a data set is embedded, or all files of it are in the user's cache."""
    source = DATASETS[name]
    return source.base_url is None or all((cache_folder(name) / file).is_file() for file in source.checksums)


def _verified(embedded: Path, source: Source) -> Path:
    advice = "the installation is damaged, reinstall lossbench"
    for name, checksum in source.checksums.items():
        try:
            found = hashlib.sha256((embedded / name).read_bytes()).hexdigest()
        except OSError as error:
            raise MachineError(f"{embedded / name}: cannot be read: {error.strerror}; {advice}") from None
        if found != checksum:
            raise MachineError(f"{embedded / name}: expected SHA-256 {checksum}, got {found}; {advice}")
    return embedded


def description(name: str) -> str:
    """Return where a data set comes from, e.g. `mnist (embedded)`."""
    return f"{name} ({'embedded' if DATASETS[name].base_url is None else cache_folder(name)})"
