"""Presets: names for a loss with other hyperparameters than its defaults, or for a weighted list, as in YAML."""

from __future__ import annotations

from typing import Any


def _pair(active: str, passive: str, weight: float) -> list[dict[str, Any]]:
    """Return the sum of a loss that trains quickly and a robust loss with a weight."""
    return [{"name": active, "weight": 1.0}, {"name": passive, "weight": weight}]


PRESETS: dict[str, dict[str, Any] | list[dict[str, Any]]] = {
    # With ten classes there are nine negatives per positive, so a weight of 9 balances one-vs-rest.
    "weighted_binary_crossentropy": {"name": "binary_crossentropy", "pos_weight": 9.0},
    "categorical_focal_crossentropy": {"name": "focal", "alpha": 0.25},  # Keras' default alpha
    "categorical_generalized_crossentropy": {"name": "generalized_crossentropy", "q": 0.5},  # Keras' default q
    "balanced_softmax": {"name": "logit_adjustment", "tau": 1.0},  # Ren et al. 2020
    # Ma et al. 2020
    "nce_rce": _pair("normalized_crossentropy", "reverse_crossentropy", 10.0),
    "nce_mae": _pair("normalized_crossentropy", "mae_probability", 10.0),
    "nfl_rce": _pair("normalized_focal", "reverse_crossentropy", 10.0),
    "nfl_mae": _pair("normalized_focal", "mae_probability", 10.0),
    "ngce_rce": _pair("normalized_generalized_crossentropy", "reverse_crossentropy", 10.0),
    "ngce_mae": _pair("normalized_generalized_crossentropy", "mae_probability", 10.0),
    # Zhou et al. 2021
    "nce_agce": _pair("normalized_crossentropy", "agce", 4.0),
    "nce_aul": _pair("normalized_crossentropy", "aul", 4.0),
    "nce_ael": _pair("normalized_crossentropy", "ael", 4.0),
    # Ye et al. 2023
    "anl_ce": _pair("normalized_crossentropy", "normalized_negative_crossentropy", 1.0),
    "anl_fl": _pair("normalized_focal", "normalized_negative_focal", 1.0),
}
