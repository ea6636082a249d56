"""The catalogue of losses: `from lossbench.losses import focal`, or `lossbench.losses.get("focal", gamma=5)` for Keras.

A loss is one function in one file. Its signature and docstring are the only source of the YAML schema, the command
line's listing, the JSON Schema, the README's table and the Keras class.

    types.py      what a signature is written with
    spec.py       signature and docstring -> LossSpec
    catalogue.py  which losses there are; FAMILIES names the files that hold them
    terms.py      what `loss:` says -> validated LossTerm records
    binding.py    terms -> a function of targets and logits
    registry.py   the front: the names above in one place
    plugin.py     the user's own losses
    listing.py    the catalogue for reading: list, card, README's table, JSON
    keras_loss.py the class form; needs Keras, as do the following
    probe.py      a loss tried on numbers: values and gradients on any backend
    properties.py what is measured: bounded, symmetric, proper, how steep
    check.py      the proof suite on any one loss, as a report; differences.py, its slopes
    plot.py       the loss and its slope against the margin, as a picture
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """A loss by its canonical name, as a function; `get`, the class form."""
    if name == "get":
        from lossbench.losses.keras_loss import get

        return get
    from lossbench.losses.catalogue import built_in

    if name in built_in():
        return built_in()[name].function
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The names of all losses, and `get`."""
    from lossbench.losses.catalogue import built_in

    return [*built_in(), "get"]
