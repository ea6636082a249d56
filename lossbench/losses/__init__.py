"""Catalogue of losses: `from lossbench.losses import focal`, or `lossbench.losses.get("focal", gamma=5)` for Keras.

A loss is one function in one file. The YAML schema, `lossbench losses`, the JSON Schema, the table of losses and the
Keras class all follow from its signature and docstring.

    catalogue/     formulas, one file per idea: the only folder that a loss author opens
    types.py       types for the signature of a loss
    signature.py   signature and docstring of a function -> LossSignature
    registry.py    loss names -> LossSignature; FAMILIES lists the files of the catalogue
    suggestion.py  what an unknown name may mean; other_names.py lists the names in other libraries
    presets.py     names for losses with other defaults and for weighted lists
    expression.py  value of `loss:` -> validated LossTerm records; labels.py shows them in one line
    binding.py     terms and context -> function of targets and logits
    plugin.py      user losses from Python files
    user_code.py   execution of such a file; siblings.py finds the modules beside it
    trial_call.py  trial calls before training; trial.py tries a user's loss, behaviour.py judges it
    in_memory.py   user losses of a running program; code_digest.py tells them apart
    keras_loss.py  class form for Keras
    search.py      losses by words and families
    listing.py     list, card, Markdown table and JSON
    json_schema.py JSON Schema of `loss:`
    lab/           tools behind `losses --measure`, `--check` and `--plot`
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Return a loss function by its canonical name, or `get`, which returns the class form."""
    if name == "get":
        from lossbench.losses.keras_loss import get

        return get
    from lossbench.losses.registry import built_in

    if name in built_in():
        return built_in()[name].function
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the names of all losses, and `get`."""
    from lossbench.losses.registry import built_in

    return [*built_in(), "get"]
