"""Names that stand for a loss with other hyperparameters than its defaults, or for a weighted list, as in YAML."""

from __future__ import annotations

from typing import Any

PRESETS: dict[str, dict[str, Any] | list[dict[str, Any]]] = {
    # Ten classes: against each "this class" stand nine "another", so 9 balances the two sides of one-vs-rest.
    "weighted_binary_crossentropy": {"name": "binary_crossentropy", "pos_weight": 9.0},
    "categorical_focal_crossentropy": {"name": "focal", "alpha": 0.25},  # Keras' default alpha
    "categorical_generalized_crossentropy": {"name": "generalized_crossentropy", "q": 0.5},  # Keras' default q
}
