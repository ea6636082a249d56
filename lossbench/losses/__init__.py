"""The catalogue of losses: `from lossbench.losses import focal`, or `lossbench.losses.get("focal", gamma=5)` for Keras.

A loss is one function in one file. Its signature and docstring are the only source of the YAML schema, the command
line's listing, the JSON Schema, the README's table and the Keras class.

    catalogue/     the formulas, one file per idea: the only folder that a loss author opens
    types.py       the types that a loss signature is written with
    signature.py   signature and docstring -> LossSignature
    registry.py    loss names -> LossSignature; FAMILIES lists the files of the catalogue
    expression.py  the value of `loss:` -> validated LossTerm records
    binding.py     terms -> a function of targets and logits
    plugin.py      user losses, from Python files
    keras_loss.py  the class form
    listing.py     the catalogue as a list, a card, a table, JSON
    lab/           the tools behind `losses --measure`, `--check` and `--plot`
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """A loss by its canonical name, as a function; `get`, the class form."""
    if name == "get":
        from lossbench.losses.keras_loss import get

        return get
    from lossbench.losses.registry import built_in

    if name in built_in():
        return built_in()[name].function
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The names of all losses, and `get`."""
    from lossbench.losses.registry import built_in

    return [*built_in(), "get"]
