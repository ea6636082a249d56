"""Registry of losses: every public function of the files in FAMILIES, and the losses of plugins."""

from __future__ import annotations

import importlib
import inspect
from functools import cache
from typing import TYPE_CHECKING

from lossbench.errors import PluginError, UsageError
from lossbench.losses.presets import PRESETS
from lossbench.losses.signature import LossSignature, read_signature
from lossbench.losses.suggestion import defined_name, suggest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FAMILIES = (
    "likelihood",
    "distances",
    "scores",
    "margins",
    "angular",
    "focusing",
    "reweighting",
    "logit_shift",
    "bounded",
    "normalized",
    "robust",
    "correction",
    "stateful",
    "calibration",
    "overlap",
)
"""Files of the catalogue, in the order of the listing."""

FORMS = (
    "expected a public function (y_true, y_pred, *, hyperparameters), a function that defines and returns one, a "
    "subclass of keras.losses.Loss, or an instance of one"
)
"""The forms of a user's loss, as errors state them."""

_plugins: dict[str, LossSignature] = {}
_unusable: dict[str, tuple[Path, str]] = {}


@cache
def built_in() -> Mapping[str, LossSignature]:
    """Return the losses of the catalogue by canonical name."""
    return {
        name: read_signature(function, family)
        for family in FAMILIES
        for name, function in vars(importlib.import_module(f"lossbench.losses.catalogue.{family}")).items()
        if inspect.isfunction(function) and not name.startswith("_") and function.__module__.endswith(f".{family}")
    }


def signatures() -> Mapping[str, LossSignature]:
    """Return all losses by canonical name: those of the catalogue in its order, then those of plugins."""
    return {**built_in(), **_plugins}


def names() -> tuple[str, ...]:
    """Return all names that `loss:` accepts: canonical names, aliases, presets."""
    return (*signatures(), *_aliases(), *PRESETS)


def find(name: str) -> LossSignature:
    """Return a loss by name, alias, or preset of one loss.

    Raises:
        UsageError: If there is no such loss, with the nearest name.
        PluginError: If a plugin defines the name, but not as a loss.
    """
    preset = PRESETS.get(name)
    if isinstance(preset, list):
        raise UsageError(f"{name!r} stands for a weighted list of losses: {preset}")
    canonical = preset["name"] if preset else name
    signature = signatures().get(_aliases().get(canonical, canonical))
    if signature is None:
        _check_plugins_define_no(name)
        near = suggest(name, {**{each: each for each in (*signatures(), *PRESETS)}, **_aliases()}) or ":"
        raise UsageError(
            f"unknown loss {name!r}{near} `lossbench losses` lists them all; for one of your own, name its file in "
            "`plugins`",
            mentions=("plugins",),
        )
    return signature


def replace(path: Path, found: Mapping[str, LossSignature | PluginError]) -> None:
    """Add the losses of a plugin, in place of those that its file defined before.

    Args:
        path: The file.
        found: Its losses by name, each as its record or as the reason why it cannot be used.
    """
    for name in [name for name, signature in _plugins.items() if signature.plugin == path]:
        del _plugins[name]
    for name in [name for name, (plugin, _) in _unusable.items() if plugin == path]:
        del _unusable[name]
    for name, read in found.items():
        try:
            if isinstance(read, PluginError):
                raise read
            register(read)
        except PluginError as error:
            _unusable[name] = path, str(error)


def check_usable(name: str) -> None:
    """Check a name that a user has written.

    Raises:
        PluginError: If a plugin has a loss of this name that cannot be used, with the reason.
    """
    if name in _unusable:
        raise PluginError(_unusable[name][1])


def _check_plugins_define_no(name: str) -> None:
    for path in dict.fromkeys(each.plugin for each in _plugins.values() if each.plugin):
        defined = defined_name(path, name)
        check_usable(defined)
        if defined and defined not in names():
            raise PluginError(f"{path}: {defined!r} is not a loss: {FORMS}")


def unusable(plugin: Path) -> tuple[str, ...]:
    """Return the reasons why losses of a plugin cannot be used."""
    return tuple(reason for path, reason in _unusable.values() if path == plugin)


def register(signature: LossSignature) -> None:
    """Add a loss of a plugin.

    Raises:
        PluginError: If its name or an alias is taken.
    """
    for name in (signature.name, *signature.aliases):
        if name in names():
            defined = (each.plugin for each in _plugins.values() if name in (each.name, *each.aliases))
            owner = next(defined, "lossbench")
            raise PluginError(
                f"{signature.plugin}: the loss {name!r} is already defined by {owner}: choose another name"
            )
    _plugins[signature.name] = signature


def clear_plugins() -> None:
    """Remove the losses of all plugins."""
    _plugins.clear()
    _unusable.clear()


def _aliases() -> Mapping[str, str]:
    return {alias: signature.name for signature in signatures().values() for alias in signature.aliases}
