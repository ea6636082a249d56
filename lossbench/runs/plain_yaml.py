"""A fast reader of `config.yaml` as plain data: the part of YAML 1.2 that any version of lossbench has written."""

from __future__ import annotations

from typing import Any, ClassVar

import yaml

from lossbench import yaml_scalars

LEVELS = 20

_Fast: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Fast):  # type: ignore[misc]  # PyYAML's C or Python loader, as installed
    """PyYAML's safe loader with YAML 1.2's scalars: `1e-3` is a number, `no` is text."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


def _register(scalar: yaml_scalars.ScalarType) -> None:
    _Loader.add_implicit_resolver(scalar.tag, scalar.pattern, None)
    _Loader.add_constructor(scalar.tag, lambda _, node: scalar.construct(node.value))


for _scalar in yaml_scalars.TYPES:
    _register(_scalar)


def parse(text: str) -> dict[str, Any]:
    """Return the mapping in a text.

    Raises:
        ValueError: The text is not YAML, not a mapping with text keys (those in `loss` may be other scalars), nested
            deeper than 20 levels, or has an alias or a tag.
    """
    try:
        _check(text)
        loader = _Loader(text)
        try:
            value = loader.get_single_data()
        finally:
            loader.dispose()
    except (yaml.YAMLError, RecursionError, OverflowError) as error:
        raise ValueError(f"not YAML: {getattr(error, 'problem', None) or type(error).__name__}") from error
    if not isinstance(value, dict) or not _keys_are_text({**value, "loss": None}):
        raise ValueError("expected a mapping with text keys")
    return value


def _check(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > LEVELS:
            raise ValueError(f"nested deeper than {LEVELS} levels")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ValueError("an alias is not allowed")
        if getattr(event, "tag", None):
            raise ValueError("a tag is not allowed")


def _keys_are_text(value: object) -> bool:
    match value:
        case dict():
            return all(isinstance(key, str) and _keys_are_text(item) for key, item in value.items())
        case list():
            return all(map(_keys_are_text, value))
        case _:
            return True
