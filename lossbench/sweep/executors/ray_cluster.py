"""Import of Ray, and connection to a cluster: a new one or one that is running."""

from __future__ import annotations

import logging
import os
import socket
import threading
from pathlib import Path
from typing import Any

from lossbench.errors import MachineError, UsageError
from lossbench.extras import install_command
from lossbench.ops import muted_stderr
from lossbench.training.runtime import cores

ANSWER_SECONDS = 20.0
"""Time limit for a cluster's answer."""


def ray() -> Any:
    """Import Ray, with usage statistics off, and with the user's token for clusters that require one.

    Raises:
        UsageError: Ray is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")  # of a cluster started here; local workers have the same
    if (Path.home() / ".ray" / "auth_token").exists() or os.environ.keys() & {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"}:
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    try:
        import ray
        import ray.util.scheduling_strategies
    except ImportError:
        raise UsageError(f"ray needs the package Ray: {install_command('ray')}", parameter="executor") from None
    return ray


def connect(ray: Any, address: str | None, jobs: int | None) -> None:
    """Start a cluster on this machine, or join a running one. If none answers, a daemon thread may keep waiting.

    Args:
        ray: The package.
        address: `auto` or `host:port`; None: start a cluster.
        jobs: CPUs of a cluster that is started; None: all cores.

    Raises:
        UsageError: The address is invalid.
        MachineError: No cluster answers.
    """
    quiet: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address is None:
        with muted_stderr():
            ray.init(address="local", num_cpus=jobs or cores(), include_dashboard=False, **quiet)
        return
    remedy = "start one by `ray start --head`, or give the address that it printed"
    if address != "auto":
        _check_port(address, remedy)
    failures: list[Exception] = []

    def join() -> None:
        try:
            ray.init(address=address, **quiet)
        except Exception as error:  # noqa: BLE001 - Ray has many; each means that there is no cluster to work with
            failures.append(error)

    joining = threading.Thread(target=join, daemon=True)
    with muted_stderr():
        joining.start()
        joining.join(ANSWER_SECONDS - 2)
    if joining.is_alive():
        raise _unreachable(f"{address}: no Ray cluster answers within {ANSWER_SECONDS:g} seconds; {remedy}")
    if failures:
        raise _unreachable(f"{address}: {first_sentence(failures[0])}; {remedy}")


def _unreachable(message: str) -> MachineError:
    return MachineError(message, parameter="ray_address")


def _check_port(address: str, remedy: str) -> None:
    """Raise an error at once if nothing listens at an address."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise UsageError(f"expected auto or HOST:PORT, e.g. 10.0.0.1:6379, got {address}", parameter="ray_address")
    try:
        socket.create_connection((host, int(port)), timeout=ANSWER_SECONDS / 2).close()
    except (OSError, OverflowError) as error:
        raise _unreachable(f"{address}: {getattr(error, 'strerror', None) or error}; {remedy}") from None


def first_sentence(error: Exception) -> str:
    """Return the first sentence of an error; Ray's messages fill pages."""
    return str(error).strip().partition("\n")[0].partition(". ")[0].rstrip(".") or type(error).__name__
