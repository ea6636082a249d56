"""What a file is that is not the expected one, told by its first bytes, and what to do with it."""

from __future__ import annotations

HEAD = 512
"""Bytes that `describe` looks at."""

CONVERT = (
    "convert it with numpy.savez('mnist.npz', x_train=…, y_train=…, x_test=…, y_test=…), images as uint8 "
    "[n, height, width], and name that file with data.path"
)
DOWNLOAD = "fetch the file again"

SIGNATURES = (
    (b"version https://git-lfs", "a Git LFS pointer", "type: git lfs pull"),
    (b"PK\x03\x04", "a ZIP archive", "unpack it"),
    (b"\x1f\x8b", "a gzipped file", "unpack it"),
    (b"BZh", "a bzip2 archive", "unpack it"),
    (b"\xfd7zXZ", "an xz archive", "unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it"),
    (b"\x93NUMPY", "a NumPy array", CONVERT),
    (b"PAR1", "a Parquet file", CONVERT),
    (b"\x89HDF\r\n", "an HDF5 file", CONVERT),
    (b"MATLAB 5.0", "a MATLAB file", CONVERT),
    (b"\x89PNG", "a PNG image", CONVERT),
    (b"\xff\xd8\xff", "a JPEG image", CONVERT),
    (b"GIF8", "a GIF image", CONVERT),
    (b"BM", "a bitmap image", CONVERT),
    *((bytes([0x80, version]), "a Python pickle, which lossbench never loads", CONVERT) for version in range(2, 6)),
)
"""First bytes, what they are the beginning of, and the remedy."""

ENDINGS = {
    ".csv": "CSV",
    ".parquet": "Parquet",
    ".png": "PNG images",
    ".jpg": "JPEG images",
    ".jpeg": "JPEG images",
    ".pkl": "pickles, which lossbench never loads",
    ".pickle": "pickles, which lossbench never loads",
    ".pt": "PyTorch tensors, which are pickles",
    ".mat": "MATLAB files",
    ".h5": "HDF5",
    ".npy": "NumPy arrays",
    ".zip": "a ZIP archive, to be unpacked",
    ".tar": "an archive, to be unpacked",
    ".arrow": "Arrow tables",
}
"""Endings of files that a folder may hold in the place of IDX files."""


def describe(head: bytes) -> str:
    """Return what a file is and what to do, e.g. `a web page; fetch the file again`.

    Args:
        head: Its first bytes, unpacked if it is gzipped.
    """
    if not head:
        return f"an empty file; {DOWNLOAD}"
    for signature, what, remedy in SIGNATURES:
        if head.startswith(signature):
            return f"{what}; {remedy}"
    if head.lstrip()[:1] == b"<":
        return f"a web page; the download failed, {DOWNLOAD}"
    if head[257:262] == b"ustar":
        return "a tar archive; unpack it"
    if _is_text(head):
        return f"{'CSV' if b',' in head.splitlines()[0] else 'text'}; {CONVERT}"
    return f"no format that lossbench knows, it begins with the bytes {head[:4].hex(' ')}; {DOWNLOAD}"


def _is_text(head: bytes) -> bool:
    return head.isascii() and all(character.isprintable() or character.isspace() for character in head.decode("ascii"))
