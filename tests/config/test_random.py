"""No configuration, however broken, ends in anything but a `ConfigError`."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lossbench.config.dump import dump, to_yaml
from lossbench.config.resolve import from_mapping, load
from lossbench.config.yaml import parse
from lossbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ONE_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

WHOLE = {
    "loss": [{"name": "focal", "gamma": 2.0}, {"name": "gce", "weight": 3}],
    "data": {
        "label_noise": {"type": "matrix", "matrix": [[1, 0], [0, 1]]},
        "imbalance": {"counts": [1, 2]},
        "classes": [1, 2],
    },
    "model": {
        "name": "mlp",
        "hidden": [3, 4],
        "head": {"name": "cosine"},
        "initializer": {"dense": {"name": "he_normal"}},
    },
    "optimizer": {"name": "sgd", "schedule": {"name": "piecewise", "boundaries": [1, 2]}},
    "train": {"early_stopping": {"patience": 3}},
}
WORDS = [
    "name",
    "type",
    "mlp",
    "focal",
    "cosine",
    "sgd",
    "counts",
    "dense",
    "0",
    "loss",
    "unit",
    "null",
    "\x1b[31m",
    "",
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-2, 12),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(WORDS),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return every path into a nested value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(inner for key, child in items for inner in paths(child, (*path, key)))]


BASE = copy.deepcopy(dump(from_mapping(WHOLE)))
PATHS = [path for path in paths(BASE) if path]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a copy of `value` with `new` at `path`."""
    value = copy.copy(value)
    value[path[0]] = replaced(value[path[0]], path[1:], new) if path[1:] else new
    return value


def refusal(read: Callable[[], object]) -> str:
    """Return why `read` refuses, nothing if it does not."""
    try:
        read()
    except ConfigError as error:
        return str(error)
    return ""


@given(st.sampled_from(PATHS), VALUES)
@example(("loss",), {"focal": None, "mlp": "\x7f"})
@settings(max_examples=400, deadline=None)
def test_any_value_in_any_place_is_taken_or_refused(path: tuple[Any, ...], value: object) -> None:
    """One line a problem, none of it pydantic's."""
    lines = refusal(lambda: from_mapping(replaced(BASE, path, value))).splitlines()
    assert all(line.isprintable() for line in lines)
    assert not any("pydantic" in line for line in lines)


@given(VALUES)
@settings(max_examples=200, deadline=None)
def test_any_mapping_is_taken_or_refused(value: object) -> None:
    """Keys that nobody knows included."""
    assert "zzz: unknown key" in refusal(lambda: from_mapping({"train": value, "model": value, "zzz": value}))


@given(text=st.text(max_size=200))
@ONE_FOLDER
def test_any_text_is_taken_or_refused(text: str, tmp_path: Path) -> None:
    """As a file's content."""
    path = tmp_path / "file.yaml"
    path.write_text(text, encoding="utf-8", errors="replace", newline="")
    assert all(line.startswith(str(path)) for line in refusal(lambda: load(path)).splitlines())


@given(
    override=st.text(max_size=40)
    | st.builds("{}={}".format, st.sampled_from(["loss", "data.path", "seed", "model.head"]), st.text())
)
@ONE_FOLDER
def test_any_override_is_taken_or_refused(override: str, tmp_path: Path) -> None:
    """As an argument on the command line."""
    path = tmp_path / "file.yaml"
    path.write_text("{}", encoding="utf-8")
    assert all(line.startswith("command line: ") for line in refusal(lambda: load(path, [override])).splitlines())


@given(
    seed=st.integers(0, 2**32 - 1),
    rate=st.floats(0, 1),
    learning_rate=st.floats(1e-300, 1e300),
    hidden=st.lists(st.integers(1, 65536), min_size=1, max_size=4),
    gamma=st.floats(0, 1e9),
)
def test_what_is_written_reads_back_to_the_bit(
    seed: int, rate: float, learning_rate: float, hidden: list[int], gamma: float
) -> None:
    """Every number survives the way through YAML."""
    experiment = from_mapping(
        {
            "seed": seed,
            "loss": {"name": "focal", "gamma": gamma},
            "data": {"label_noise": {"rate": rate}},
            "model": {"hidden": hidden},
            "optimizer": {"learning_rate": learning_rate},
        }
    )
    assert from_mapping(parse(to_yaml(experiment), "f.yaml").plain()) == experiment
