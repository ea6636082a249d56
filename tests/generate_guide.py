"""The tables of the guide and the README, written from the code; run this file to write them again."""

from __future__ import annotations

import json
import os
import re
from functools import partial
from typing import TYPE_CHECKING, Any

import typer.main
from documents import FILES, GUIDE, ROOT, TRANSLATIONS, source

from lossbench import cli, errors, guide, metrics, suite
from lossbench.analysis import baseline_file
from lossbench.config import explain
from lossbench.config.datasets import DATASETS, OWN_FILES
from lossbench.config.json_schema import json_schema
from lossbench.config.schema import Experiment
from lossbench.data import idx
from lossbench.guide import languages
from lossbench.losses import listing
from lossbench.losses.expression import parse
from lossbench.losses.labels import label
from lossbench.report import formats
from lossbench.runs import read, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

BLOCK = re.compile(r"(?<=^<!-- generated: )([a-z-]+)( -->\n)(.*?)(?=<!-- end -->)", re.MULTILINE | re.DOTALL)

SCHEMA = Experiment.model_json_schema()
SIGNALS = (1, 2, 15)
KINDS = {
    "loss": "a name, a mapping, or a list of mappings",
    "extends": "a path, or a list of paths",
    "seeds": "text, a whole number, or a list of whole numbers",
}
"""The keys that also take a form which the schema of the records does not have."""


def table(header: str, rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table; `header` holds its titles, divided by bars."""
    titles = header.split("|")
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', '&#124;').strip() for cell in line)} |" for line in lines)


def commands() -> str:
    """Return every command with the first sentence of its help."""
    group = typer.main.get_command(cli.app)
    rows = [
        (f"`lossbench {name}{' mlflow' if name == 'export' else ''}`", _sentence(command.help))
        for name, command in group.commands.items()
    ]
    return table("command|purpose", rows)


def exit_codes() -> str:
    """Return every exit code with the meaning of the errors that have it."""
    meanings = {0: ["Everything worked."]}
    for error in errors.LossbenchError.__subclasses__():
        if error is not errors.InterruptedRunError:
            meanings.setdefault(error.exit_code, []).append(_sentence(error.__doc__))
    stopped = ", ".join(str(128 + number) for number in SIGNALS)
    rows = [(code, " ".join(sentences)) for code, sentences in sorted(meanings.items())]
    return table("exit code|meaning", [*rows, (stopped, "A signal stopped the run; the same command continues it.")])


def metric_names() -> str:
    """Return every metric of a trained model."""
    rows = [
        (f"`{name}`", _noun(each.function.__doc__), f"{each.unit}, {each.direction} is better")
        for name, each in {**metrics.METRICS, **metrics.COSTS}.items()
    ]
    scaled = [
        (f"`{name}`", f"`{each.scaled_from}` after temperature scaling on the validation images.",
         f"{each.unit}, {each.direction} is better")
        for name, each in metrics.SCALED.items()
    ]  # fmt: skip
    classes = [
        (f"`{name}.5`", f"{each.title.capitalize()} of class 5; likewise for every class.", "0 to 1, higher is better")
        for name, each in metrics.CLASS_METRICS.items()
    ]
    return table("metric|definition|unit", [*rows, *scaled, *classes])


def data_sets() -> str:
    """Return every data set known by name, and the name for the user's own files."""
    rows = [
        (f"`{name}`", each.title, "part of the package" if each.base_url is None else "downloaded on first use",
         f"{each.train_images:,} + {each.test_images:,}", each.classes, each.licence, each.citation)
        for name, each in DATASETS.items()
    ]  # fmt: skip
    own = (f"`{OWN_FILES}`", "your own", "IDX files or an NPZ file at `data.path`", *"––––")
    return table("`data.name`|title|files|training + test images|classes|licence|source", [*rows, own])


def models() -> str:
    """Return every model with what it is made of."""
    return _choices("model")


def optimizers() -> str:
    """Return every optimiser."""
    return _choices("optimizer")


def _choices(key: str) -> str:
    members = [_definition(member) for member in SCHEMA["properties"][key]["oneOf"]]
    return table(f"`{key}`|description", [(f"`{_name(each)}`", _sentence(each["description"])) for each in members])


def output_formats() -> str:
    """Return every output format of a comparison."""
    return table("`--format`|purpose", [(f"`{each.name}`", f"{each.purpose}.") for each in formats.FORMATS.values()])


def sizes() -> str:
    """Return the largest file of each kind that is read."""
    rows = [
        ("a configuration", f"{read.CONFIG_BYTES >> 10} KiB"),
        ("`run.json`", f"{read.RUN_BYTES >> 20} MiB"),
        ("`decision.json`, `tuning.json`", f"{recorded.BYTES >> 20} MiB"),
        ("a CSV table of a run", f"{read.TABLE_BYTES >> 20} MiB"),
        ("`predictions.npz`", f"{read.ARRAYS_BYTES >> 20} MiB"),
        ("a stored baseline", f"{baseline_file.MOST_BYTES >> 20} MiB"),
        ("a data file", f"{idx.LARGEST >> 30} GiB"),
    ]
    return table("file|largest size", rows)


def judge_conditions() -> str:
    """Return the conditions of the suite of `lossbench judge` with their opponents."""
    rows = [(each.name, ", ".join(f"`{label(parse(loss))}`" for loss in each.opponents)) for each in suite.CONDITIONS]
    return table("condition|opponents besides `categorical_crossentropy`", rows)


def judge_budgets() -> str:
    """Return how much `lossbench judge` trains."""
    rows = [
        (name, f"{each.images:,}" if each.images else "all", each.epochs, each.small_epochs, each.looks[-1],
         ", ".join(map(str, each.looks)), each.rope, each.time)
        for name, each in suite.BUDGETS.items()
    ]  # fmt: skip
    columns = "budget|images|epochs|epochs with few images|most seeds|looks|equivalent within|ends within"
    return table(columns, rows)


def losses() -> str:
    """Return every loss, as `lossbench losses --markdown` does."""
    return listing.table()


def pages(readme: Path = ROOT, code: str = languages.ENGLISH) -> str:
    """Return the pages of the guide as links from the README in a folder, then the lessons."""
    shown = [name for name in guide.pages() if name != guide.INDEX]
    half = (len(shown) + 1) // 2
    lines = (shown[:half], shown[half:], guide.lessons())
    links = ([f"[{name}]({os.path.relpath(source(name, code), readme)})" for name in line] for line in lines)
    return " ·\n".join(map(" · ".join, links))


def configuration() -> str:
    """Return every key: one table per mapping, with type, range, default and description."""
    seen: list[str] = []
    top = {"extends": json_schema()["properties"]["extends"], **SCHEMA["properties"]}
    sections = [("the top level", {**SCHEMA, "properties": top}), *_sections(SCHEMA, "")]
    for title, schema in sections:
        rows = [
            (f"`{key}`", _kind(key, value), _default(schema, key, value), _description(value))
            for key, value in schema["properties"].items()
            if not (key == "name" and ("const" in value or title.count(":")))
        ]
        if rows:
            seen.append(f"### {title}\n\n{table('key|type and range|default|description', rows)}")
    return "\n\n".join(seen)


def _sections(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, value in schema["properties"].items():
        here = f"{path}{key}"
        members = _members(value)
        common = set.intersection(*(set(each["properties"]) for each in members)) - {"name"} if members[1:] else set()
        if common:
            shared = {name: members[0]["properties"][name] for name in members[0]["properties"] if name in common}
            yield f"`{here}`: every {'optimiser' if key == 'optimizer' else key}", {"properties": shared}
        for member in members:
            own = {name: each for name, each in member["properties"].items() if name not in common}
            named = f": {_name(member)}" if members[1:] and _name(member) else ""
            yield f"`{here}`{named}", {**member, "properties": own}
        if members:
            yield from _sections(members[0], f"{here}.")


def _members(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the mappings that a key takes."""
    schema = _definition(schema)
    alternatives = schema.get("oneOf") or schema.get("anyOf")
    if alternatives:
        return [member for each in alternatives for member in _members(each)]
    return [schema] if "properties" in schema else []


def _definition(schema: dict[str, Any]) -> dict[str, Any]:
    return SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _name(schema: dict[str, Any]) -> str:
    name = schema["properties"].get("name", {})
    return name.get("const") or ", ".join(name.get("enum", ()))


def _kind(key: str, schema: dict[str, Any]) -> str:
    return KINDS.get(key) or explain._describe(schema)  # noqa: SLF001 - the words of the error messages


def _description(schema: dict[str, Any]) -> str:
    return _sentence(schema.get("description") or _definition(schema)["description"]).replace("<", "&lt;")


def _default(section: dict[str, Any], key: str, schema: dict[str, Any]) -> str:
    if key in section.get("required", ()):
        return "required"
    if key == "loss":
        return f"`{Experiment().loss[0].name}`"
    value = schema.get("default", {} if schema.get("type") == "object" else None)
    if isinstance(value, dict):
        return f"`{value['name']}`" if "name" in value else "–"
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"


def _noun(text: str | None) -> str:
    phrase = re.sub(r"^Return (the )?", "", _sentence(text))
    return phrase[0].upper() + phrase[1:]


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split())


TABLES = {
    "commands": commands,
    "exit-codes": exit_codes,
    "metrics": metric_names,
    "data-sets": data_sets,
    "models": models,
    "optimizers": optimizers,
    "formats": output_formats,
    "sizes": sizes,
    "judge-conditions": judge_conditions,
    "judge-budgets": judge_budgets,
    "losses": losses,
    "pages": pages,
    **{
        f"pages-{code}": partial(pages, GUIDE / code, code) for code in languages.LANGUAGES if code != languages.ENGLISH
    },
    "configuration": configuration,
}


def written(text: str) -> str:
    """Return a page with every generated table as the code has it now."""
    return BLOCK.sub(lambda found: f"{found[1]}{found[2]}{TABLES[found[1]]()}\n", text)


if __name__ == "__main__":
    for file in (*FILES, *TRANSLATIONS):
        file.write_text(written(file.read_text()))
