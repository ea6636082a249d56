"""Entry point of `lossbench` and `python -m lossbench`: settings that precede all imports, and a quick end.

Python takes a second to free what TensorFlow has made; `main` ends the process without that.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import signal
import sys
import threading
from typing import Any

WRITERS = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)
"""Types of files that hold text back; a user's loss may have left one open."""


class Pipe(io.FileIO):
    """Output stream that drops its text once its reader, e.g. `head`, has gone; the exit code does not change."""

    def write(self, content: Any) -> int:
        """Write the content, or drop it."""
        try:
            return super().write(content)
        except BrokenPipeError:
            return len(content)


def main() -> None:
    """Run a command and end the process."""
    code: Any = 0
    try:
        run()
    except SystemExit as end:
        code = end.code
    if isinstance(code, int) and _wind_up():
        os._exit(code)
    sys.exit(code)


def run() -> None:
    """Run a command. Ctrl-C ends it at once, by the signal, except where a run first writes its checkpoint."""
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"  # it would read the metadata of every installed package
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.stdout, sys.stderr = _forgiving(sys.stdout), _forgiving(sys.stderr)
    from lossbench import cli

    cli.main()


def _wind_up() -> bool:
    """Run the exit handlers and flush all files; return whether that is all that ending the process requires.

    A debugger or profiler reports after `main`, and Python waits for threads.
    """
    if sys.gettrace() or sys.getprofile() or any(not each.daemon for each in threading.enumerate()[1:]):
        return False
    atexit._run_exitfuncs()  # noqa: SLF001 - as multiprocessing does
    gc.unfreeze()  # else objects from before the import of TensorFlow are not listed
    files = [each for each in gc.get_objects() if type(each) in WRITERS and not each.closed]
    try:
        for each in (sys.stdout, sys.stderr, *files):
            if each is not None:
                each.flush()
    except (OSError, ValueError):  # Python reports it with its own exit code
        return False
    return True


def _forgiving(stream: Any) -> Any:
    if stream is None:  # it was closed before this process began
        return None
    pipe = Pipe(stream.fileno(), "wb", closefd=False)
    return io.TextIOWrapper(
        pipe if stream.write_through else io.BufferedWriter(pipe),  # as Python itself does with `python -u`
        stream.encoding,
        "backslashreplace",  # a path, or a console, that is not UTF-8
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


if __name__ == "__main__":
    main()
