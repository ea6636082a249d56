"""Advice on options: one that a command does not have, as settings are written `key=value`; one without its value."""

from __future__ import annotations

import re
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup

from lossbench import imports
from lossbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

UNUSED_CLASSES = {"rich.markdown": ("Markdown",), "rich.traceback": ("Traceback",)}
"""What Typer imports to show help, and does not use for it; the import takes as long as that of Typer."""

WITH_SETTINGS = ("train", "sweep", "validate", "config")


@contextmanager
def light_rich() -> Iterator[None]:
    """Let Typer import only the parts of Rich that it uses to show help."""
    with imports.postponed(UNUSED_CLASSES), imports.hidden(["attr"]):
        yield


def tidy(command: Any, ctx: Any) -> None:
    """Prepare a command for its help: no type beside a flag or an argument, no line breaks inside paragraphs."""
    command.help = re.sub(r"(?<=\S)\n(?=\S)", " ", command.help or "")
    for each in command.get_params(ctx):
        if each.param_type_name == "argument" or each.is_flag:
            each.display_type_rich = lambda ctx: None  # noqa: ARG005 - Typer's name


class CommandGroup(TyperGroup):
    """A command with commands of its own."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        tidy(self, ctx)
        with light_rich():
            super().format_help(ctx, formatter)


class Command(TyperCommand):
    """A command that says how to write what was given as an unknown option."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        tidy(self, ctx)
        with light_rich():
            super().format_help(ctx, formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments.

        Raises:
            UsageError: An option is unknown, and it is known what is meant, or an option has another as its value.
        """
        given = tuple(args)
        self._check_values(ctx, given)
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            option = getattr(error, "option_name", None)
            if option and (advice := _advice(str(self.name), option, given)):
                raise UsageError(advice) from None
            raise

    def _check_values(self, ctx: Any, arguments: Sequence[str]) -> None:
        """Refuse an option as the value of another, which the parser would accept."""
        options = {name: each for each in self.get_params(ctx) for name in each.opts if name.startswith("-")}
        before_dashes = arguments[: arguments.index("--")] if "--" in arguments else arguments
        for name, following in pairwise(before_dashes):
            option = options.get(name)
            if option and not getattr(option, "is_flag", False) and following.partition("=")[0] in options:
                example = re.search(r"e\.g\. ([^ ]+?)[.,;]*(?: |$)", str(getattr(option, "help", "")))
                for_example = f", e.g. {name} {example[1]}" if example else ""
                raise UsageError(f"{name} needs a value{for_example}; got the option {following}")


def _advice(command: str, option: str, arguments: Sequence[str]) -> str:
    """Return the message for an unknown option; empty if nothing better is known than the parser's own."""
    written, value = _written(option, arguments)
    name = written.lstrip("-")
    if command == "train" and name == "seeds":
        return f"train: no option --seeds; a run has one seed: --seed N, several are a sweep: sweep --seeds {value}"
    if command == "sweep" and name == "seed":
        return f"sweep: no option --seed; write --seeds {value}"
    if command in ("validate", "config") and name in ("c", "config"):
        return f"{command}: no option {written}; write the file alone: {command} {value}"
    if command in WITH_SETTINGS and (key := _key(name)):
        return f"{command}: no option {written}; write {key}={value}"
    if command == "losses" and (key := _hyperparameter(name)):
        return f"losses: no option {written}; write {key}={value}"
    return ""


def _written(option: str, arguments: Sequence[str]) -> tuple[str, str]:
    """Return an option as it was written, with its value or dots; the parser cuts `-lr` to `-l`."""
    index = next((number for number, each in enumerate(arguments) if each.startswith(option)), len(arguments) - 1)
    written, equals, value = arguments[index].partition("=")
    following = arguments[index + 1 : index + 2]
    if not equals and following and not following[0].startswith("--"):
        value = following[0]
    return written, value or "…"


def _key(name: str) -> str:
    from lossbench.config.explain import find_key
    from lossbench.config.schema import Experiment

    key = name.replace("-", "_")
    return key if key.partition(".")[0] in Experiment.model_fields else find_key(key)


def _hyperparameter(name: str) -> str:
    key = _key(name)
    return key.removeprefix("loss.") if key.startswith("loss.") else ""
