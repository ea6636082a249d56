"""Likeness of runs: the keys that must agree before the difference of two losses gets a verdict.

A comparison is fair if the losses see the same data, train the same model and have the same budget. What a loss needs
of its own, such as a learning rate or a head, may differ; a footnote names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lossbench.runs.rows import RunRow, Scalar

Likeness: TypeAlias = Literal["alike", "noted", "head", "ignored"]
"""`alike`: must agree. `noted`: may differ, with a footnote. `head`: may differ where a loss needs a head of its own.
`ignored`: no number depends on the key, or it identifies the run."""

LIKENESS: dict[str, Likeness] = {
    **dict.fromkeys(
        (
            "data.sha256", "data.name", "data.classes", "data.transpose", "data.train_size", "data.validation_size",
            "data.normalize", "data.label_noise", "data.imbalance",
            "model.name", "model.hidden", "model.dropout", "model.features", "model.initializer", "model.batch_norm",
            "optimizer.name",
            "train.epochs", "train.batch_size", "train.drop_remainder", "train.precision", "train.early_stopping",
            "train.deterministic",
        ),
        "alike",
    ),
    **dict.fromkeys(
        (
            "loss",
            "optimizer.learning_rate", "optimizer.schedule", "optimizer.weight_decay", "optimizer.decoupled",
            "optimizer.exclude_bias", "optimizer.clip_norm", "optimizer.beta_1", "optimizer.beta_2",
            "optimizer.epsilon", "optimizer.momentum", "optimizer.nesterov", "optimizer.rho",
            "optimizer.initial_accumulator",
            "regularization.l1", "regularization.l2", "regularization.include_bias",
        ),
        "noted",
    ),
    "model.head": "head",
    **dict.fromkeys(
        ("name", "seed", "extends", "sweep", "log", "data.path", "train.threads", "train.save_weights"), "ignored"
    ),
}  # fmt: skip
"""The likeness of every key of a configuration; an entry holds for the keys below it too."""

LATER: dict[str, Scalar] = {"data.transpose": False, "model.initializer.bias": "zeros", "model.features": None}
"""Keys that were added after the first runs, with the value that runs without them have."""

IGNORED = tuple(key for key, likeness in LIKENESS.items() if likeness == "ignored")
SECTIONS = frozenset(key.partition(".")[0] for key in LIKENESS)
STRICT_SECTIONS = ("data", "model", "train")
"""Sections in which a key without an entry, e.g. of a later version, must agree."""

HEAD_LOSSES = frozenset({"arcface", "cosface", "ldam", "normalized_softmax", "sphereface"})
"""Built-in losses that need `model.head: cosine`."""


class UnlikeKey(NamedTuple):
    """A key that should agree between a loss and its baseline, with the values of both."""

    key: str
    reference: Scalar
    value: Scalar


def likeness(key: str) -> Likeness:
    """Return the likeness of a dotted key: of its own entry, or of the closest entry above it."""
    parts = key.split(".")
    for length in range(len(parts), 0, -1):
        if found := LIKENESS.get(".".join(parts[:length])):
            return found
    return "alike" if parts[0] in STRICT_SECTIONS else "noted"


def unlike_keys(
    keys: Iterable[str], reference: RunRow, row: RunRow, allowed: Iterable[str] = ()
) -> tuple[UnlikeKey, ...]:
    """Return the keys that must agree between two runs and do not.

    Args:
        keys: The keys to judge.
        reference: A run of the baseline.
        row: A run of the loss.
        allowed: Keys that may differ, with the keys below them.
    """
    allowed = tuple(allowed)
    return tuple(
        UnlikeKey(key, value(reference, key), value(row, key))
        for key in keys
        if not any(is_under(key, each) for each in allowed) and _must_agree(key, reference, row)
        if _level(value(reference, key)) != _level(value(row, key))
    )


def with_dependents(keys: Iterable[str]) -> Iterator[str]:
    """Yield keys and what follows from them: other keys of a model from `model.name`, the digest from `data.name`."""
    for key in keys:
        yield key
        section, _, last = key.rpartition(".")
        if key == "data.name":
            yield "data.sha256"
        elif last in {"name", "type"}:
            yield section


def with_siblings(keys: Iterable[str]) -> Iterator[str]:
    """Yield keys and the nested sections that hold them: one without noise has neither a rate nor a kind of noise."""
    for key in keys:
        section = key.rpartition(".")[0]
        yield section if "." in section else key


def value(row: RunRow, key: str) -> Scalar:
    """Return the value of a key in a run; a key that was added later has its default in earlier runs."""
    return row.get(key, LATER.get(key))


def is_under(key: str, parent: str) -> bool:
    """Return whether a key is `parent` or below it."""
    return key == parent or key.startswith(f"{parent}.")


def _must_agree(key: str, reference: RunRow, row: RunRow) -> bool:
    kind = likeness(key)
    return kind == "alike" or (kind == "head" and not (_needs_head(reference) or _needs_head(row)))


def _needs_head(row: RunRow) -> bool:
    """Return whether a run's loss needs its cosine head; a loss of a plugin may need it."""
    names = set(str(row.get("loss.name")).split(" + "))
    return row.get("model.head.name") == "cosine" and bool(names & HEAD_LOSSES or row.get("plugin"))


def _level(value: Scalar) -> Scalar:
    """Return a value with false as None, as a section that is absent is switched off."""
    return None if value is False else value
