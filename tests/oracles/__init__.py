"""Oracles: every loss of the catalogue in float64 NumPy, one file a family.

Adding a family is adding a file that holds `CASES`.
"""

import importlib
import pkgutil

from oracles.case import Case

CASES: list[Case] = [
    case
    for module in sorted(module.name for module in pkgutil.iter_modules(__path__))
    for case in getattr(importlib.import_module(f"{__name__}.{module}"), "CASES", [])
]
