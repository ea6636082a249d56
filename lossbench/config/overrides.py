"""Settings of a command line, `key.sub=value`: each key is set once, and a section before the keys in it."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from lossbench.config.merge import SHORT_FORMS
from lossbench.config.sweep import values_of
from lossbench.config.yaml import show
from lossbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lossbench.config.yaml import KeyPath, Node

NO_AXIS = ("name", "seed", "sweep", "extends")
"""Sections and keys that no axis of a command line can set."""


def key_of(override: str) -> str:
    """Return the dotted key that an override sets, in its short form.

    Example:
        >>> key_of("loss.name=focal"), key_of("train.epochs = 3")
        ('loss', 'train.epochs')
    """
    path = path_of(override)
    return ".".join(path[:-1] if SHORT_FORMS.get(path[:-1]) == path[-1] else path)


def path_of(override: str) -> tuple[str, ...]:
    """Return the key that an override sets, as it is written, in parts."""
    return tuple(override.partition("=")[0].strip().split("."))


def holds(over: Node, merged: Node, other_keys: Sequence[KeyPath], path: KeyPath = ()) -> bool:
    """Return whether a configuration has everything that an override sets, except under other keys.

    Args:
        over: The override as a mapping.
        merged: The configuration that it was merged into.
        other_keys: The keys of other overrides.
        path: Where both are in the configuration.
    """
    if isinstance(over.value, dict) and isinstance(merged.value, dict):
        return all(
            (*path, key) in other_keys
            or (key in merged.value and holds(child, merged.value[key], other_keys, (*path, key)))
            for key, child in over.value.items()
        )
    return bool(over.plain() == merged.plain())


def depth(key: str) -> int:
    """Return the number of parts of a key; a section is set before the keys in it, which it would replace."""
    return key.count(".")


def is_within(key: str, section: str) -> bool:
    """Return whether a key is a section, or in it.

    Example:
        >>> is_within("optimizer.learning_rate", "optimizer"), is_within("optimizer", "optimizer.learning_rate")
        (True, False)
    """
    return f"{key}.".startswith(f"{section}.")


def check_once(overrides: Sequence[str]) -> None:
    """Check that the overrides of one command line set different keys.

    Raises:
        ConfigError: Two of them set the same key, one line per key; or the shell split one at a space.
    """
    by_key: dict[str, list[str]] = {}
    check_whole(overrides)
    for text in overrides:
        if "=" in text:
            by_key.setdefault(key_of(text), []).append(text)
    if lines := [_twice(key, texts) for key, texts in by_key.items() if len(texts) > 1]:
        raise ConfigError(lines)


def check_whole(arguments: Sequence[str]) -> None:
    """Check that no argument goes on in the next one.

    Raises:
        ConfigError: The shell split a value at a space.

    Example:
        >>> check_whole(["loss={name: gce, q: 0.5}", "train.epochs=3"])
    """
    for start, text in enumerate(arguments):
        longer = [" ".join(arguments[start : end + 1]) for end in range(start + 1, len(arguments))]
        whole = next((each for each in longer if not _is_open(each)), "") if _is_open(text) else ""
        if text.endswith(",") and longer and "=" not in arguments[start + 1]:
            whole = whole or longer[0]
        if whole and "=" in text:
            reason = f"the shell split a value at a space; quote it: {quote(whole)}"
            raise ConfigError([f"command line: {show(text)}: {reason}"])


def _is_open(text: str) -> bool:
    """Return whether a bracket in a value is not closed."""
    return any(text.count(start) > text.count(end) for start, end in ("{}", "[]"))


def _twice(key: str, texts: Iterable[str]) -> str:
    values = dict.fromkeys(value.strip() for text in texts for value in values_of(text) or [text.partition("=")[2]])
    is_axis = len(values) > 1 and key.partition(".")[0] not in NO_AXIS
    remedy = f"in a sweep, several values are one axis: {key}={','.join(values)}" if is_axis else "remove one"
    return f"command line: {key} is set twice: {' and '.join(texts)}; {remedy}"
