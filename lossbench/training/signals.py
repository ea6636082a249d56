"""Signals that stop a run: it finishes its current batches, writes a checkpoint and ends."""

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
    """Number of the signal that requested the stop; None until there is one."""

    signum: int | None = None


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Record SIGINT, SIGTERM or SIGHUP in the request yielded; a second signal has its usual effect at once.

    Outside the main thread, where Python handles no signals, the request stays empty.
    """
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
