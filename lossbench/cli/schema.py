"""`lossbench schema`: print the JSON Schema with which an editor completes and checks configurations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lossbench.cli import console


def schema(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file instead of stdout.")
    ] = None,
) -> None:
    """Print the JSON Schema of configurations, for editors.

    The YAML extension of VS Code reads the schema named in the first line of a configuration:
    `# yaml-language-server: $schema=lossbench.schema.json`.
    """
    from json import dumps

    from lossbench.config.json_schema import json_schema

    text = dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        console.result(text, end="")
    else:
        from lossbench import files

        files.write_text(output, text)
        console.result(output)
