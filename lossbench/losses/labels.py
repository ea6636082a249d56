"""Labels: losses in one line, for tables and the names of run folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.losses.expression import InvalidLossError, is_2_not_2_0, parse
from lossbench.losses.plain_data import to_flow, to_yaml
from lossbench.losses.presets import PRESETS
from lossbench.losses.registry import find
from lossbench.losses.signature import INPUT_FORMS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossbench.losses.expression import LossTerm


def label_of(name: str) -> str:
    """Return the label of a loss that is named by an alias or a preset; any other text unchanged."""
    try:
        return label(parse(name))
    except InvalidLossError:
        return name


def label(terms: Sequence[LossTerm]) -> str:
    """Return the terms in one line, for tables: `focal gamma=5`, `1 focal + 10 reverse_crossentropy`."""
    if len(terms) == 1 and terms[0].weight == 1:
        return _term_label(terms[0])
    return " + ".join(f"{to_yaml(term.weight)} {_term_label(term)}" for term in terms)


def _term_label(term: LossTerm) -> str:
    hyperparameters = find(term.name).hyperparameters
    changed = {
        name: value for name, value in term.hyperparameters.items() if not hyperparameters[name].is_default(value)
    }
    words = [
        f"{name}={to_flow(value) if is_2_not_2_0(term, name) else to_yaml(value)}" for name, value in changed.items()
    ]
    forms = [f"{key}={getattr(term, key)}" for key in INPUT_FORMS if getattr(term, key) is not None]
    return " ".join((term.name, *words, *forms))


def is_plain_sum(terms: Sequence[LossTerm]) -> bool:
    """Return whether the terms are several losses with weight 1 that no preset stands for."""
    presets = (parse(preset) for preset in PRESETS.values() if isinstance(preset, list))
    return len(terms) > 1 and all(term.weight == 1 for term in terms) and tuple(terms) not in presets
