"""The real command line in forked children, dozens a second: what each printed, did to files, and cost.

A server process imports all that the commands import, once, but never what trains. For each request it forks a child,
which is `lossbench ARGUMENTS` from then on. A child that is about to import TensorFlow, to start a process or to reach
the network is stopped there: `Done.beyond` says at what. So a command that would train costs no training.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEADLINE = 60
"""Seconds until a child that hangs is killed, on however busy a machine."""

FUSE = 4 << 30
"""Bytes of address space: what runs away ends before the machine does."""

IMPORTS = {"tensorflow", "keras", "ray", "mlflow", "torch", "jax"}
EVENTS = {
    "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "os.startfile",
    "socket.connect", "socket.getaddrinfo", "pickle.find_class", "webbrowser.open",
}  # fmt: skip
CHANGES = {
    "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown",
    "os.utime", "os.setxattr", "sqlite3.connect",
}  # fmt: skip
HEAVY = ("pandas", "scipy.stats", "scipy.optimize", "rich.console", "rich.table", "matplotlib.figure")
"""What commands import while they run, imported beforehand."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass(frozen=True)
class Done:
    """A command that has ended.

    Attributes:
        code: Its exit code; negative: the signal that killed it.
        out: What it printed, as UTF-8, bytes that are none as surrogates.
        err: The same of stderr.
        seconds: Of processor time.
        mib: The most memory that it held, what it shares with the server included.
        changed: Every path that it opened to write, made, renamed or removed, but for temporary ones.
        beyond: What it was about to do when it was stopped; empty if it ended by itself.
    """

    code: int
    out: str
    err: str
    seconds: float
    mib: float
    changed: list[str]
    beyond: str


class Commands:
    """A server to run commands with: `commands("compare", "runs", cwd=folder)`."""

    def __init__(self) -> None:
        path = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "XDG_"))}
        environment = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8:strict"}
        self._server = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**kept, "COLUMNS": "80", "NO_COLOR": "1", **environment},
            text=True,
        )

    def __call__(self, *arguments: object, cwd: Path, **environment: str) -> Done:
        """Run `lossbench ARGUMENTS` in a folder, which is its home."""
        request = {"arguments": list(map(str, arguments)), "cwd": str(cwd), "environment": environment}
        print(json.dumps(request), file=self._server.stdin, flush=True)
        return Done(**json.loads(self._server.stdout.readline()))

    def close(self) -> None:
        """End the server."""
        self._server.stdin.close()
        self._server.stdout.close()
        self._server.wait()


class _Beyond:
    """Finds the modules that a child must not import, and stops it when it does; looking for them is allowed."""

    def find_spec(self, name: str, *_: object) -> Any:
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, self) if name.partition(".")[0] in IMPORTS else None

    def create_module(self, spec: Any) -> None:
        if _Audit.report is None:
            raise ImportError(f"{spec.name} is not for the server")
        _Audit.report.stop(f"import {spec.name.partition('.')[0]}")

    def exec_module(self, module: Any) -> None:
        """Never reached."""


class _Audit:
    """Hears of everything that Python code does to the outside, and keeps what matters here."""

    report: _Audit | None = None

    def __init__(self, pipe: int, temporary: str) -> None:
        self._pipe, self._temporary = pipe, temporary
        self._changed: dict[str, None] = {}

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in EVENTS:
            self.stop(event)
        elif event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING:
            self._keep(arguments[0])
        elif event in CHANGES:
            for path in arguments[: 2 if event in {"os.rename", "os.link", "os.symlink"} else 1]:
                self._keep(path)

    def stop(self, what: str) -> None:
        """End here."""
        self.end(0, what)

    def end(self, code: int, beyond: str = "") -> None:
        """Say what was done, and end."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                code = code or 120  # as Python does
        with open(self._pipe, "w", encoding="utf-8") as pipe:  # noqa: PTH123 - a descriptor
            json.dump({"changed": list(self._changed), "beyond": beyond}, pipe)
        os._exit(code)

    def _keep(self, path: object) -> None:
        if isinstance(path, str | bytes | os.PathLike):
            absolute = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - not resolved
            if not absolute.startswith(self._temporary):
                self._changed[absolute] = None


def _child(request: dict[str, Any], temporary: str, files: tuple[int, int], pipe: int) -> None:
    """Be `lossbench ARGUMENTS`; never returns."""
    import resource
    import signal
    import traceback

    signal.alarm(DEADLINE)
    resource.setrlimit(resource.RLIMIT_AS, (FUSE, FUSE))
    for descriptor, file in zip((0, 1, 2), (os.open(os.devnull, os.O_RDONLY), *files), strict=True):
        os.dup2(file, descriptor)
    os.chdir(request["cwd"])
    os.environ.update({"HOME": request["cwd"], "TMPDIR": temporary, **request["environment"]})
    tempfile.tempdir = None  # which was the server's
    sys.argv = ["lossbench", *request["arguments"]]
    report = _Audit.report = _Audit(pipe, temporary)
    sys.addaudithook(report)
    from lossbench.__main__ import main

    code: object = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
        code = 1
    report.end(code if isinstance(code, int) else int(code is not None))


def _run(request: dict[str, Any]) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory() as temporary,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            _child(request, temporary, (out.fileno(), err.fileno()), writing)
        os.close(writing)
        with open(reading, encoding="utf-8") as pipe:  # noqa: PTH123 - a descriptor
            told = pipe.read()
        _, status, used = os.wait4(pid, 0)
        out.seek(0)
        err.seek(0)
        return {
            "code": os.waitstatus_to_exitcode(status),
            "out": out.read().decode(errors="surrogateescape"),
            "err": err.read().decode(errors="surrogateescape"),
            "seconds": used.ru_utime + used.ru_stime,
            "mib": used.ru_maxrss / 1024,
            **(json.loads(told) if told else {"changed": [], "beyond": ""}),
        }


def _serve() -> None:
    import contextlib
    import functools
    import gc
    import importlib
    import pkgutil

    import typer.main

    import lossbench

    sys.meta_path.insert(0, _Beyond())
    names = [module.name for module in pkgutil.walk_packages(lossbench.__path__, "lossbench.")]
    for name in (*names, *HEAVY):
        if not name.endswith("__main__"):
            with contextlib.suppress(ImportError):  # what is built on TensorFlow
                importlib.import_module(name)
    typer.main.get_command = functools.cache(typer.main.get_command)  # which takes longer than most commands
    typer.main.get_command(lossbench.cli.app)
    lossbench.config.resolve.from_mapping({})
    gc.freeze()
    for line in sys.stdin:
        sys.stdout.write(f"{json.dumps(_run(json.loads(line)))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
