"""JSON that every reader accepts, and the canonical form of plain values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


def to_json(value: object, *, indent: int | None = 2, ensure_ascii: bool = False) -> str:
    """Return a value as JSON text that ends with a line break; `finite` converts NaN and NumPy values.

    Args:
        value: Plain data, NumPy arrays and numbers, and paths, at any depth.
        indent: Blanks per level; None puts everything on one line.
        ensure_ascii: Write other characters as escapes.

    Raises:
        TypeError: JSON has no form for a value.
    """
    return json.dumps(finite(value), indent=indent, ensure_ascii=ensure_ascii, allow_nan=False) + "\n"


def finite(value: Any) -> Any:
    """Return plain data with NaN and infinities as None, NumPy values as numbers and lists, and paths as text."""
    match value:
        case np.ndarray() | np.generic():
            return finite(value.tolist())
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {str(key): finite(item) for key, item in value.items()}
        case list() | tuple():
            return [finite(item) for item in value]
        case Path():
            return str(value)
    return value


def canonical(value: Any) -> Any:
    """Return plain data with whole floats as integers, so that 2 and 2.0 are one setting.

    Example:
        >>> canonical({"gamma": [2.0, 0.5]})
        {'gamma': [2, 0.5]}
    """
    match value:
        case dict():
            return {str(key): canonical(item) for key, item in value.items()}
        case list() | tuple():
            return [canonical(item) for item in value]
        case float() if value.is_integer():
            return int(value)
    return value
