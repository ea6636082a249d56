"""Configurations of a grammar and mutated files: accepted, and printed as one that means the same, or refused in lines.

`LOSSBENCH_FUZZ=10000 pytest tests/reliability/test_fuzz_configs.py` tries 10,000 of each.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from fuzzing import changed, fuzzed, survives
from hypothesis import given
from hypothesis import strategies as st

from lossbench.config.json_schema import json_schema

if TYPE_CHECKING:
    from collections.abc import Callable

SHIPPED = {path.name: path.read_bytes() for path in sorted((Path(__file__).parents[2] / "configs").rglob("*.yaml"))}
SCHEMA = json_schema()
ODD = st.one_of(
    st.sampled_from(
        [None, True, -1, 0, 10**30, 1e308, float("nan"), float("inf"), "", "0-9999999", "../..", "\x1b[2J"]
    ),
    st.sampled_from([[], {}, [[]], {"name": {}}, {"": None}, [None] * 300, "x" * 9000, "١", "\udc80", "1_000", "0x10"]),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
)
"""What stands where something else is expected."""


@st.composite
def configurations(draw: Callable[..., Any]) -> Any:
    """Mappings of the schema, one in twenty parts of which is odd."""
    return _object(draw, SCHEMA)


def _value(draw: Callable[..., Any], schema: dict[str, Any]) -> Any:
    if not draw(st.integers(0, 19)):
        return draw(ODD)
    if "$ref" in schema:
        return _value(draw, SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return _value(draw, draw(st.sampled_from(schema["anyOf"])))
    if "const" in schema or "enum" in schema:
        return draw(st.sampled_from(schema.get("enum") or [schema["const"]]))
    kind = schema.get("type", "odd")
    return TYPES[kind if isinstance(kind, str) else kind[0]](draw, schema)


def _integer(draw: Callable[..., Any], schema: dict[str, Any]) -> int:
    low = schema.get("minimum", 0)
    return draw(st.integers(low, min(schema.get("maximum", low + 20), low + 20)))


def _number(draw: Callable[..., Any], schema: dict[str, Any]) -> float:
    low = schema.get("minimum", 0.0)
    return draw(st.floats(low, max(low, schema.get("maximum", 1.0))))


def _array(draw: Callable[..., Any], schema: dict[str, Any]) -> list[Any]:
    return [_value(draw, schema.get("items", {})) for _ in range(draw(st.integers(schema.get("minItems", 0), 3)))]


def _object(draw: Callable[..., Any], schema: dict[str, Any]) -> dict[str, Any]:
    known, needed = schema.get("properties", {}), schema.get("required", [])
    if not known:
        return draw(st.dictionaries(st.sampled_from(["loss.gamma", "seed", "data", "model", "zzz"]), ODD, max_size=2))
    names = draw(st.lists(st.sampled_from(sorted(known)), max_size=4, unique=True))
    return {name: _value(draw, known[name]) for name in dict.fromkeys([*needed, *names])}


TYPES = {
    "object": _object,
    "array": _array,
    "integer": _integer,
    "number": _number,
    "boolean": lambda draw, _: draw(st.booleans()),
    "null": lambda *_: None,
    "string": lambda draw, _: draw(st.text("ab-_.0", min_size=1, max_size=6)),
    "odd": lambda draw, _: draw(ODD),
}


SPLICES = [
    b"!!python/object/apply:os.system ['touch pwned']", b"&a [*a, *a]", b"{<<: {seed: 1}}", b"*a", b"? [a]\n",
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1b[2J", b"\t", b"\r", b"\n\n", "\u202e\u2028\x85".encode(), b'"\\ud800"',
    b"[" * 50, b"{a: " * 50, b"9" * 65, b"9" * 64, b"0x" + b"f" * 62, b"1e999", b".nan", b"-.inf", b"~",
    b"'", b": ", b"- ", b"#", b"---\n", b"...\n", b"%YAML 9.9\n", b"|\n x\n",
    b"extends: ..\n", b"extends: file.yaml\n", b"sweep: {seeds: 0-9999999}\n", b"data: {path: /dev/zero}\n",
]  # fmt: skip
"""What is put anywhere in a file."""


def mutated(content: bytes, seed: int) -> bytes:
    """A file with one to four changes: bytes, lines, words, splices."""
    draw = random.Random(seed)  # noqa: S311 - nothing secret
    for _ in range(draw.randint(1, 4)):
        content = changed(content, draw, SPLICES)
    return content


def tried(commands: Any, folder: Path, content: bytes) -> None:
    """Give a file to the commands that read one."""
    file = folder / "file.yaml"
    file.write_bytes(content)
    checked = commands("validate", "file.yaml", cwd=folder)
    survives(checked, {0, 2})
    shown = commands("config", "file.yaml", cwd=folder)
    survives(shown, {0, 2})
    if shown.code == 0:
        (folder / "again.yaml").write_text(shown.out, encoding="utf-8")
        again = commands("config", "again.yaml", cwd=folder)
        survives(again, {0})
        assert plain(again.out) == plain(shown.out)
    if checked.code:
        trained = commands("train", "-c", "file.yaml", cwd=folder)
        assert trained.code == 2 or trained.beyond, trained
        survives(trained, {2}, may_change=[folder / "runs"])
    else:
        survives(commands("sweep", "-c", "file.yaml", "--dry-run", "-f", "csv", cwd=folder), {0, 2})
    assert not (folder / "pwned").exists()


def plain(text: str) -> Any:
    """A printed configuration without its comments."""
    return yaml.safe_load(text)


@fuzzed(15, 60)
@given(config=configurations())
@pytest.mark.slow
def test_a_configuration_of_the_grammar_is_taken_or_refused(config, commands, fresh):
    """What is taken is printed in full, and that means the same; what is refused names the file in every line."""
    tried(commands, fresh(), yaml.safe_dump(config, allow_unicode=True).encode(errors="surrogatepass"))


@fuzzed(15, 60)
@given(name=st.sampled_from(sorted(SHIPPED)), seed=st.integers(0, 2**40))
def test_a_shipped_configuration_with_a_few_changes_is_taken_or_refused(name, seed, commands, fresh):
    """Bytes, lines and words changed; aliases, tags, controls, depth and numbers spliced in."""
    tried(commands, fresh(), mutated(SHIPPED[name], seed))


@pytest.mark.parametrize("content", SPLICES)
@pytest.mark.slow
def test_a_splice_alone_is_refused(content, commands, tmp_path):
    """As the whole file, and as the value of a key."""
    tried(commands, tmp_path, content)
    tried(commands, tmp_path, b"loss: " + content)
