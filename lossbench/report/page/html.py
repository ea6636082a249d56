"""HTML as nested calls: any string that was not created here is text, and text is always escaped."""

from __future__ import annotations

import html
import struct
import zlib
from base64 import b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

VOID = {"meta", "img", "circle", "line", "rect", "polygon", "polyline"}
"""Elements that close themselves if they have no children."""


class Html(str):
    """Markup created by `element`; any other string is text."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: object) -> Html:
    """Return an element: `element("td", "1 < 2", class_="n")` is `<td class="n">1 &lt; 2</td>`.

    Attributes that are None or False are left out; `_` in a name becomes `-`, and is dropped at the end.
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(_value(value))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Html(f"<{name}{given}/>" if name in VOID and not children else f"<{name}{given}>{joined(children)}</{name}>")


def joined(children: Iterable[str]) -> Html:
    """Return children in sequence, each escaped unless it is markup."""
    return Html("".join(child if isinstance(child, Html) else html.escape(child) for child in children))


def image_url(pixels: NDArray[np.uint8]) -> str:
    """Return a greyscale image `[height, width]` as a `data:` URL of a PNG."""
    height, width = pixels.shape
    lines = b"".join(b"\0" + row.tobytes() for row in pixels)
    parts = ((b"IHDR", struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(lines, 9)))
    chunks = b"".join(_chunk(name, content) for name, content in (*parts, (b"IEND", b"")))
    return "data:image/png;base64," + b64encode(b"\x89PNG\r\n\x1a\n" + chunks).decode()


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _value(value: object) -> str:
    return "" if value is True else f"{value:.4g}" if isinstance(value, float) else str(value)
