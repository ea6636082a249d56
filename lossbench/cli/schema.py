"""`lossbench schema`: the JSON Schema that lets an editor complete and check a configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lossbench.cli import console


def schema(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
) -> None:
    """Print the JSON Schema of a configuration, for editors.

    With the YAML extension of VS Code, the first line of a configuration names it:
    `# yaml-language-server: $schema=lossbench.schema.json`.
    """
    from json import dumps

    from lossbench.config.json_schema import json_schema

    text = dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        console.result(text, end="")
    else:
        from lossbench.runs import write

        write.text(output, text)
        console.result(output)
