"""Oracles of the losses that weigh classes."""

import math

from oracles.case import CLASSES, COUNTS, WEIGHTS, Case

CASES = [
    Case("weighted_crossentropy", {}, lambda z, y, p, e: -150 / (CLASSES * COUNTS[y]) * math.log(p[y])),
    Case(
        "weighted_crossentropy",
        {"class_weight": "complement_frequency"},
        lambda z, y, p, e: -(1 - COUNTS[y] / 150) * math.log(p[y]),
    ),
    Case("weighted_crossentropy", {"class_weight": "none"}, lambda z, y, p, e: -math.log(p[y])),
    Case("weighted_crossentropy", {"class_weight": WEIGHTS}, lambda z, y, p, e: -WEIGHTS[y] * math.log(p[y])),
]
