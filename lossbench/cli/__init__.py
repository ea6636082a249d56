"""The command line: one file per command, each of which parses its arguments, calls one function and prints.

Results go to stdout, everything else to stderr. A `LossbenchError` becomes one message and its exit code; only an
unexpected exception leaves a traceback.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lossbench import __version__, ops
from lossbench.cli import console, options
from lossbench.cli.group import Group
from lossbench.errors import LossbenchError

app = typer.Typer(
    cls=Group,
    help="Find out which loss function wins on MNIST, where, and how certain that is.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(*, is_set: bool) -> None:
    if is_set:
        from lossbench import release

        commit = release.commit()
        console.result(f"lossbench {__version__}{f' ({commit})' * bool(commit)}")
        raise typer.Exit


@app.callback()
def _lossbench(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=lambda is_set: _print_version(is_set=is_set),
            is_eager=True,
            help="Print the version and the commit, if it is known, and exit.",
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run a command; report an error as one message on stderr and an exit code."""
    ops.claim_process()
    try:
        app()
    except LossbenchError as error:
        _fail(options.message(error), error.exit_code)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}", 1)


def _fail(message: str, code: int) -> None:
    for line in message.splitlines():
        console.note(f"error: {line}")
    sys.exit(code)
