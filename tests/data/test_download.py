"""Downloads of a small data set of the test's own, from a server of the test's own."""

from __future__ import annotations

import errno
import functools
import gzip
import hashlib
import http.server
import os
import socket
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lossbench import data
from lossbench.config import datasets
from lossbench.config.datasets import DATASETS, Source
from lossbench.data import download, fileset, sources
from lossbench.errors import DataError, MachineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAMES = tuple(f"{name}.gz" for name in fileset.FILES)
FIRST = NAMES[0]


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, in silence, and remembers what was asked for."""

    def do_GET(self) -> None:
        """Remember the path, then serve it."""
        self.server.requests.append(self.path)  # type: ignore[attr-defined]  # set by the fixture
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Site:
    """A folder that is served, and what was asked of it."""

    def __init__(self, files: dict[str, bytes], folder: Path, server: http.server.ThreadingHTTPServer) -> None:
        self.files = files
        self.folder = folder
        self.requests: list[str] = []
        server.requests = self.requests  # type: ignore[attr-defined]  # read by the handler
        self.url = f"http://127.0.0.1:{server.server_address[1]}/"
        self.source = source(files, self.url)


def source(files: dict[str, bytes], url: str) -> Source:
    """Return an entry of the table for files at an address."""
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return Source("Toy", 3, checksums, "CC0", "Nobody 2026", base_url=url)


@pytest.fixture
def files(small: list[np.ndarray[Any, Any]], idx_bytes: Callable[[np.ndarray[Any, Any]], bytes]) -> dict[str, bytes]:
    """Return four small gzipped IDX files by name."""
    return {name: gzip.compress(idx_bytes(array)) for name, array in zip(NAMES, small, strict=True)}


@pytest.fixture
def site(files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Serve the four files."""
    monkeypatch.setenv("no_proxy", "*")
    folder = tmp_path / "site"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Site(files, folder, server)
        server.shutdown()
        thread.join()


def advice(url: str, folder: Path) -> str:
    """Return what every failure advises."""
    return f"download {', '.join(NAMES)} from {url} into {folder}, or name a folder that holds them with data.path"


def test_four_files_are_fetched_once(site: Site, tmp_path: Path) -> None:
    """The folder holds the four files and nothing else; a second call asks for nothing."""
    cache = tmp_path / "a" / "cache"
    assert download.download(site.source, cache) == cache
    assert download.download(site.source, cache) == cache
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == site.files
    assert site.requests == [f"/{name}" for name in NAMES]


def test_a_damaged_file_is_fetched_again(site: Site, tmp_path: Path) -> None:
    """What is in the cache is checked, not believed."""
    download.download(site.source, tmp_path / "cache")
    (tmp_path / "cache" / FIRST).write_bytes(b"half")
    download.download(site.source, tmp_path / "cache")
    assert (tmp_path / "cache" / FIRST).read_bytes() == site.files[FIRST]
    assert site.requests == [f"/{name}" for name in (*NAMES, FIRST)]


def test_a_wrong_checksum_is_refused_and_nothing_is_kept(site: Site, tmp_path: Path) -> None:
    """A file that is not the known one never reaches the cache."""
    (site.folder / FIRST).write_bytes(b"something else")
    with pytest.raises(DataError) as caught:
        download.download(site.source, tmp_path / "cache")
    assert str(caught.value) == (
        f"{site.url}{FIRST}: expected SHA-256 {site.source.checksums[FIRST]}, "
        f"got {hashlib.sha256(b'something else').hexdigest()}; {advice(site.url, tmp_path / 'cache')}"
    )
    assert not (tmp_path / "cache").exists()


def test_no_more_than_the_largest_file_is_read(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endless answer ends at the bound, with a checksum that is not the known one."""
    monkeypatch.setattr(download, "LARGEST", 4)
    with pytest.raises(DataError, match=f"got {hashlib.sha256(site.files[FIRST][:4]).hexdigest()}; download"):
        download.download(site.source, tmp_path / "cache")


def test_a_file_that_the_server_lacks_is_named(site: Site, tmp_path: Path) -> None:
    """The server's own reason is said."""
    (site.folder / FIRST).unlink()
    with pytest.raises(DataError) as caught:
        download.download(site.source, tmp_path / "cache")
    assert str(caught.value) == (
        f"{site.url}{FIRST}: cannot be downloaded: 404 File not found; {advice(site.url, tmp_path / 'cache')}"
    )


def test_without_network_it_says_what_to_do(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody answers, the files, their place and `data.path` are named."""
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
        with pytest.raises(DataError) as caught:
            download.download(source(files, url), tmp_path / "cache")
    refused = f"[Errno {errno.ECONNREFUSED}] {os.strerror(errno.ECONNREFUSED)}"
    assert caught.value.exit_code == 2
    assert str(caught.value) == (f"{url}{FIRST}: cannot be downloaded: {refused}; {advice(url, tmp_path / 'cache')}")


def test_a_server_that_is_silent_is_given_up(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that never answers ends after the time limit."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(download, "TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(DataError, match=f"{FIRST}: cannot be downloaded: timed out; download"):
            download.download(source(files, url), tmp_path / "cache")


def test_a_cache_that_cannot_be_written_is_a_fault_of_the_machine(site: Site, tmp_path: Path) -> None:
    """A file in the place of the folder is said in one line, exit status 1."""
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(MachineError) as caught:
        download.download(site.source, tmp_path / "cache")
    assert caught.value.exit_code == 1
    assert str(caught.value) == f"{tmp_path / 'cache'}: cannot be written: File exists"


def test_a_full_disk_leaves_no_half_file(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written whole is removed."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "cache").mkdir()
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(MachineError) as caught:
        download.download(site.source, tmp_path / "cache")
    assert str(caught.value) == f"{tmp_path / 'cache' / FIRST}: cannot be written: No space left on device"
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(
    ("cache", "expected"),
    [("/somewhere/cache", "/somewhere/cache"), ("", "/home/someone/.cache"), ("relative", "/home/someone/.cache")],
)
def test_the_cache_is_where_xdg_says(monkeypatch: pytest.MonkeyPatch, cache: str, expected: str) -> None:
    """`XDG_CACHE_HOME` counts if it is absolute, as its specification says."""
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("XDG_CACHE_HOME", cache)
    assert sources.cache_folder("toy") == Path(expected) / "lossbench" / "toy"


@pytest.mark.parametrize("name", [name for name, entry in DATASETS.items() if entry.base_url and entry.sha256])
def test_the_checksums_are_those_of_the_files(name: str, request: pytest.FixtureRequest) -> None:
    """Intact files need no network, and the SHA-256 and sizes of the table are theirs."""
    folder, entry = request.getfixturevalue(name), DATASETS[name]
    assert download.download(replace(entry, base_url="http://127.0.0.1:1/"), folder) == folder
    read = fileset.read_folder(folder)
    assert read.sha256 == entry.sha256
    assert (read.classes, len(read.train_labels), len(read.test_labels)) == (
        entry.classes,
        entry.train_images,
        entry.test_images,
    )


@pytest.fixture
def toy(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Let the name `fashion_mnist` stand for the small data set, as a new entry whose SHA-256 nobody knows yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets, "DATASETS", {"fashion_mnist": site.source})
    for module in (sources, data.dataset):
        monkeypatch.setattr(module, "DATASETS", {"fashion_mnist": site.source})
    yield site
    forget()


def forget() -> None:
    """Empty the caches of a process, in which a name has one meaning."""
    data.reading._read.cache_clear()  # noqa: SLF001 - caches have no public name
    data.dataset._prepared.cache_clear()  # noqa: SLF001 - likewise


def test_an_entry_is_all_that_a_data_set_needs(
    toy: Site, experiment: Callable[..., Any], small: list[np.ndarray[Any, Any]]
) -> None:
    """Named, it is downloaded, decoded, and identified by the SHA-256 of its raw files, as a folder would be."""
    made = data.prepare(experiment(name="fashion_mnist", validation_size=0))
    np.testing.assert_array_equal(small[0], made.train.images)
    np.testing.assert_array_equal(small[3], made.test.labels)
    by_name, by_path = experiment(name="fashion_mnist"), experiment(name="idx", path=str(toy.folder))
    assert data.sha256(by_name.data) == data.sha256(by_path.data)
    raw = b"".join(gzip.decompress(content) for content in toy.files.values())
    assert data.sha256(by_name.data) == hashlib.sha256(raw).hexdigest()
    assert toy.requests == [f"/{name}" for name in NAMES]


def test_transposed_images_are_turned_upright(
    toy: Site, experiment: Callable[..., Any], small: list[np.ndarray[Any, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows become columns in both parts; the SHA-256 stays that of the files."""
    upright = data.sha256(experiment(name="fashion_mnist").data)
    forget()
    monkeypatch.setattr(data.reading, "DATASETS", {"fashion_mnist": replace(toy.source, transposed=True)})
    made = data.prepare(experiment(name="fashion_mnist", validation_size=1))
    np.testing.assert_array_equal(small[2].transpose(0, 2, 1), made.test.images)
    assert made.image_shape == (3, 2)
    assert data.sha256(experiment(name="fashion_mnist").data) == upright


def test_reading_test_images_downloads_nothing(toy: Site, experiment: Callable[..., Any]) -> None:
    """A report shows images only if they are here."""
    section = experiment(name="fashion_mnist").data
    with pytest.raises(DataError, match="no such folder"):
        data.sha256(section, fetch=False)
    with pytest.raises(DataError, match="no such folder"):
        data.test_images(section)
    assert toy.requests == []


def test_half_a_file_is_refused(files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that ends too early leaves nothing behind, and says what to do."""

    class Half(Handler):
        def do_GET(self) -> None:
            content = files[FIRST]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])

    monkeypatch.setenv("no_proxy", "*")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Half) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        with pytest.raises(DataError) as caught:
            download.download(source(files, url), tmp_path / "cache")
        server.shutdown()
        thread.join()
    found = hashlib.sha256(files[FIRST][: len(files[FIRST]) // 2]).hexdigest()
    assert f"got {found}; {advice(url, tmp_path / 'cache')}" in str(caught.value)
    assert not (tmp_path / "cache").exists()
