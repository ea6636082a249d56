"""Control sequences of terminals, which text from a file or a library may contain."""

from __future__ import annotations

import re

_SEQUENCE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|[\]PX^_].*?(\x1b\\|\x07|$)|.)", re.DOTALL)


def removed(text: str) -> str:
    r"""Return a text without control sequences.

    Example:
        >>> removed("\x1b[1mException\x1b[0m, \x1b]0;title\x07as Keras prints it")
        'Exception, as Keras prints it'
    """
    return _SEQUENCE.sub("", text)
