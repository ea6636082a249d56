"""The download of Fashion-MNIST from a server of the test's own."""

from __future__ import annotations

import errno
import functools
import hashlib
import http.server
import os
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lossbench.data import download, idx
from lossbench.errors import DataError, MachineError

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = {name: f"the content of {name}".encode() for name in download.CHECKSUMS}
FIRST = next(iter(FILES))


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

    def __init__(self, folder: Path, server: http.server.ThreadingHTTPServer) -> None:
        self.folder = folder
        self.requests: list[str] = []
        server.requests = self.requests  # type: ignore[attr-defined]  # read by the handler
        self.url = f"http://127.0.0.1:{server.server_address[1]}/"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Serve four small files whose checksums are the expected ones."""
    monkeypatch.setenv("no_proxy", "*")
    folder = tmp_path / "site"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
        monkeypatch.setitem(download.CHECKSUMS, name, hashlib.sha256(content).hexdigest())
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Site(folder, server)
        server.shutdown()
        thread.join()


def advice(url: str, folder: Path) -> str:
    """Return what every failure advises."""
    return f"download {', '.join(FILES)} from {url} into {folder}, or name a folder that holds them with data.path"


def test_four_files_are_fetched_once(site: Site, tmp_path: Path) -> None:
    """The folder holds the four files and nothing else; a second call asks for nothing."""
    cache = tmp_path / "a" / "cache"
    assert download.fashion_mnist(cache, site.url) == cache
    assert download.fashion_mnist(cache, site.url) == cache
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == FILES
    assert site.requests == [f"/{name}" for name in FILES]


def test_a_damaged_file_is_fetched_again(site: Site, tmp_path: Path) -> None:
    """What is in the cache is checked, not believed."""
    download.fashion_mnist(tmp_path / "cache", site.url)
    (tmp_path / "cache" / FIRST).write_bytes(b"half")
    download.fashion_mnist(tmp_path / "cache", site.url)
    assert (tmp_path / "cache" / FIRST).read_bytes() == FILES[FIRST]
    assert site.requests == [f"/{name}" for name in (*FILES, FIRST)]


def test_a_wrong_checksum_is_refused_and_nothing_is_kept(site: Site, tmp_path: Path) -> None:
    """A file that is not the known one never reaches the cache."""
    (site.folder / FIRST).write_bytes(b"something else")
    with pytest.raises(DataError) as caught:
        download.fashion_mnist(tmp_path / "cache", site.url)
    assert str(caught.value) == (
        f"{site.url}{FIRST}: expected SHA-256 {download.CHECKSUMS[FIRST]}, "
        f"got {hashlib.sha256(b'something else').hexdigest()}; {advice(site.url, tmp_path / 'cache')}"
    )
    assert not (tmp_path / "cache").exists()


def test_no_more_than_the_largest_file_is_read(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endless answer ends at the bound, with a checksum that is not the known one."""
    monkeypatch.setattr(download, "LARGEST", 4)
    with pytest.raises(DataError, match=f"got {hashlib.sha256(FILES[FIRST][:4]).hexdigest()}; download"):
        download.fashion_mnist(tmp_path / "cache", site.url)


def test_a_file_that_the_server_lacks_is_named(site: Site, tmp_path: Path) -> None:
    """The server's own reason is said."""
    (site.folder / FIRST).unlink()
    with pytest.raises(DataError) as caught:
        download.fashion_mnist(tmp_path / "cache", site.url)
    assert str(caught.value) == (
        f"{site.url}{FIRST}: cannot be downloaded: 404 File not found; {advice(site.url, tmp_path / 'cache')}"
    )


def test_without_network_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody answers, the files, their place and `data.path` are named."""
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
        with pytest.raises(DataError) as caught:
            download.fashion_mnist(tmp_path / "cache", url)
    refused = f"[Errno {errno.ECONNREFUSED}] {os.strerror(errno.ECONNREFUSED)}"
    assert caught.value.exit_code == 2
    assert str(caught.value) == (f"{url}{FIRST}: cannot be downloaded: {refused}; {advice(url, tmp_path / 'cache')}")


def test_a_server_that_is_silent_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that never answers ends after the time limit."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(download, "TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(DataError, match=f"{FIRST}: cannot be downloaded: timed out; download"):
            download.fashion_mnist(tmp_path / "cache", url)


def test_a_cache_that_cannot_be_written_is_a_fault_of_the_machine(site: Site, tmp_path: Path) -> None:
    """A file in the place of the folder is said in one line, exit status 1."""
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(MachineError) as caught:
        download.fashion_mnist(tmp_path / "cache", site.url)
    assert caught.value.exit_code == 1
    assert str(caught.value) == f"{tmp_path / 'cache' / FIRST}: cannot be written: File exists"


def test_a_full_disk_leaves_no_half_file(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written whole is removed."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(MachineError) as caught:
        download.fashion_mnist(tmp_path / "cache", site.url)
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
    assert download.cache_folder() == Path(expected) / "lossbench" / "fashion_mnist"


def test_the_checksums_are_those_of_the_files(fashion_mnist: Path) -> None:
    """A cache that holds Fashion-MNIST needs no network, and the SHA-256 known beforehand is its own."""
    assert download.fashion_mnist(fashion_mnist, "http://127.0.0.1:1/") == fashion_mnist
    assert idx.read_folder(fashion_mnist).sha256 == download.SHA256


def test_the_source_is_encrypted() -> None:
    """The files are asked for over https."""
    assert download.BASE_URL.startswith("https://")
