"""The front of the losses: all that the configuration, the training step and the command line need of them."""

from lossbench.losses.binding import bind
from lossbench.losses.catalogue import clear_plugins, find, names, register, specs
from lossbench.losses.json_schema import json_schema
from lossbench.losses.listing import table
from lossbench.losses.spec import Hyperparameter, LossSpec
from lossbench.losses.terms import InvalidLossError, LossTerm, dump, label, link, needs_head, parse

__all__ = [
    "Hyperparameter",
    "InvalidLossError",
    "LossSpec",
    "LossTerm",
    "bind",
    "clear_plugins",
    "dump",
    "find",
    "json_schema",
    "label",
    "link",
    "names",
    "needs_head",
    "parse",
    "register",
    "specs",
    "table",
]
