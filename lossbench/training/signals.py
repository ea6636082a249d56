"""Signals as a wish to stop: the run finishes its batches, writes a checkpoint, and then ends."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

STOPPING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
SHOW_CURSOR = b"\x1b[?25h"


class StopRequest:
    """Which signal has asked the run to stop, if any."""

    signum: int | None = None


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Collect SIGINT, SIGTERM and SIGHUP while inside; a second one ends the process as it would have at once."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def receive(signum: int, _: FrameType | None) -> None:
        request.signum = signum
        if os.isatty(2):  # a second signal may end the process while a display hides the cursor
            os.write(2, SHOW_CURSOR)
        for each in STOPPING:
            signal.signal(each, before[each])

    before = {each: signal.signal(each, receive) for each in STOPPING}
    try:
        yield request
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
