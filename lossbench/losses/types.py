"""The types that a loss function's signature is written with.

A hyperparameter is a keyword-only parameter: `q: Annotated[float, Gt(0), Le(1)] = 0.7`. A parameter of a context type
is not a hyperparameter: the engine fills it in from the data, and YAML cannot set it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from annotated_types import Ge, Gt, Lt, MinLen

Tensor: TypeAlias = Any
"""A tensor of any Keras backend; an alias, so that signatures resolve where no backend is installed."""

Positive: TypeAlias = Annotated[float, Gt(0)]
NonNegative: TypeAlias = Annotated[float, Ge(0)]
Smoothing: TypeAlias = Annotated[float, Ge(0), Lt(1)]
"""The share of a label that is spread evenly: over all classes, or over the two outcomes of one-vs-rest."""

PerClass: TypeAlias = Positive | Annotated[tuple[Positive, ...], MinLen(2)]
"""One number for all classes, or one for each."""


@dataclass(frozen=True)
class Context:
    """Marks a parameter that the engine fills in."""

    description: str


ClassCounts: TypeAlias = Annotated[Tensor, Context("training images of each class, labels as seen")]
"""`[classes]` float32: how many training images carry each label."""
