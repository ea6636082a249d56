"""The real command line in forked children: output, exit code, changed files and cost of each command.

A server process imports everything that the commands import, once. For each request it forks a child, which runs
`lossbench ARGUMENTS`, so that a command takes milliseconds where a new Python process takes a second.

`Commands(training=True)` also imports TensorFlow before it forks, so that a child trains in a third of the time.
`Commands()` never imports it: it stops a child that is about to import TensorFlow, to start a process or to reach the
network, and `Done.beyond` names that action. A fuzzed command that would train therefore costs no training.
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

DEADLINE = {False: 60, True: 300}
"""Seconds until a child that hangs is killed, without and with training, on however busy a machine."""

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
    """A finished command.

    Attributes:
        code: Its exit code; negative: the signal that killed it.
        out: Its stdout, decoded as UTF-8; undecodable bytes become surrogates.
        err: Its stderr, decoded likewise.
        seconds: Processor time.
        mib: Peak memory, including the memory shared with the server.
        changed: Every path that it opened for writing, created, renamed or removed, except temporary ones; without
            training only.
        beyond: The action at which it was stopped; empty if it ended by itself.
    """

    code: int
    out: str
    err: str
    seconds: float
    mib: float
    changed: list[str]
    beyond: str


def without_syncing() -> None:
    """Let `os.fsync` return at once, in this process and its forks: a disk takes milliseconds for each.

    Tests of what a crash leaves behind start processes of their own.
    """
    os.fsync = os.fstat  # which refuses what is not open, as fsync does


class Commands:
    """A server to run commands with: `commands("compare", "runs", cwd=folder)`.

    Args:
        training: Whether the commands may train, start processes and reach the network; see the module's docstring.
    """

    def __init__(self, *, training: bool = False) -> None:
        path = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
        users = ("GITHUB_", "XDG_", "LC_", "LANG")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(users)}
        environment = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8:strict"}
        self._server = subprocess.Popen(
            [sys.executable, __file__, *(["training"] if training else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**kept, "COLUMNS": "80", "NO_COLOR": "1", **environment},
            text=True,
        )

    def __call__(self, *arguments: object, cwd: Path, **environment: str) -> Done:
        """Run `lossbench ARGUMENTS` in a folder, which is also its HOME unless `environment` sets another."""
        request = {"arguments": list(map(str, arguments)), "cwd": str(cwd), "environment": environment}
        print(json.dumps(request), file=self._server.stdin, flush=True)
        return Done(**json.loads(self._server.stdout.readline()))

    def close(self) -> None:
        """End the server."""
        self._server.stdin.close()
        self._server.stdout.close()
        self._server.wait()


class _Beyond:
    """Import hook that stops a child which imports TensorFlow and the like; looking for these modules is allowed."""

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
    """Audit hook that records changed paths and stops a child at the actions that it must not take."""

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
        """End the child before it takes an action."""
        self.end(0, what)

    def end(self, code: int, beyond: str = "") -> None:
        """Send the report to the server and end the child."""
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


def _child(request: dict[str, Any], temporary: str, files: tuple[int, int], pipe: int, *, training: bool) -> None:
    """Run `lossbench ARGUMENTS` and end this process."""
    import resource
    import signal
    import traceback

    signal.alarm(DEADLINE[training])
    if not training:
        resource.setrlimit(resource.RLIMIT_AS, (FUSE, FUSE))
    for descriptor, file in zip((0, 1, 2), (os.open(os.devnull, os.O_RDONLY), *files), strict=True):
        os.dup2(file, descriptor)
    os.chdir(request["cwd"])
    os.environ.update({"HOME": request["cwd"], "TMPDIR": temporary, **request["environment"]})
    tempfile.tempdir = None  # which was the server's
    sys.argv = ["lossbench", *request["arguments"]]
    report = _Audit.report = _Audit(pipe, temporary)
    if not training:
        sys.addaudithook(report)
    from lossbench.__main__ import run

    code: object = 0
    try:
        run()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
        code = 1
    report.end(code if isinstance(code, int) else int(code is not None))


def _run(request: dict[str, Any], *, training: bool) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory() as temporary,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            _child(request, temporary, (out.fileno(), err.fileno()), writing, training=training)
        os.close(writing)
        with open(reading, encoding="utf-8") as pipe:  # noqa: PTH123 - a descriptor
            report = pipe.read()
        _, status, used = os.wait4(pid, 0)
        out.seek(0)
        err.seek(0)
        return {
            "code": os.waitstatus_to_exitcode(status),
            "out": out.read().decode(errors="surrogateescape"),
            "err": err.read().decode(errors="surrogateescape"),
            "seconds": used.ru_utime + used.ru_stime,
            "mib": used.ru_maxrss / 1024,
            **(json.loads(report) if report else {"changed": [], "beyond": ""}),
        }


def _serve(*, training: bool) -> None:
    import contextlib
    import functools
    import gc
    import importlib
    import pkgutil

    import typer.main

    import lossbench

    without_syncing()
    if training:
        importlib.import_module("lossbench.training.runtime").tensorflow()
    else:
        sys.meta_path.insert(0, _Beyond())
    names = [module.name for module in pkgutil.walk_packages(lossbench.__path__, "lossbench.")]
    for name in (*names, *HEAVY):
        if not name.endswith("__main__"):
            with contextlib.suppress(ImportError):  # what is built on TensorFlow
                importlib.import_module(name)
    typer.main.get_command = functools.cache(typer.main.get_command)  # which takes longer than most commands
    dict(typer.main.get_command(lossbench.cli.app).commands)  # builds each
    lossbench.data.prepare(lossbench.config.resolve.from_mapping({}))  # each child finds these images in its memory
    gc.freeze()
    for line in sys.stdin:
        sys.stdout.write(f"{json.dumps(_run(json.loads(line), training=training))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve(training="training" in sys.argv)
