"""Entry point of `lossbench` and `python -m lossbench`, with the process settings that must precede all imports."""

from __future__ import annotations

import io
import signal
import sys
from typing import Any


class Pipe(io.FileIO):
    """Output stream that drops its text once its reader, e.g. `head`, has gone; the exit code does not change."""

    def write(self, content: Any) -> int:
        """Write the content, or drop it."""
        try:
            return super().write(content)
        except BrokenPipeError:
            return len(content)


def main() -> None:
    """Run a command. Ctrl-C ends it at once, by the signal, except where a run first writes its checkpoint."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.stdout, sys.stderr = _forgiving(sys.stdout), _forgiving(sys.stderr)
    from lossbench import cli

    cli.main()


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
