"""Oracles of the overlap losses: one number for a batch."""

from oracles.case import Array, Case


def tversky(p: Array, e: Array, alpha: float, beta: float) -> float:
    """Hits against hits, misses and false alarms, image by image."""
    hits = sum(float(a @ b) for a, b in zip(p, e, strict=True))
    misses = sum(float(b @ (1 - a)) for a, b in zip(p, e, strict=True))
    alarms = sum(float(a @ (1 - b)) for a, b in zip(p, e, strict=True))
    return 1 - hits / (hits + alpha * misses + beta * alarms)


CASES = [
    Case("dice", {}, lambda z, y, p, e: 1 - (p * e).sum() / len(z), batch=True, soft=True),
    Case("tversky", {}, lambda z, y, p, e: tversky(p, e, 0.5, 0.5), batch=True, soft=True),
    Case("tversky", {"alpha": 0.3, "beta": 2}, lambda z, y, p, e: tversky(p, e, 0.3, 2), batch=True, soft=True),
]
