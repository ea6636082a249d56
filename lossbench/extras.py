"""Commands that install optional packages, for the way in which lossbench itself was installed."""

from __future__ import annotations

import json
import re
import shlex
from importlib import metadata
from pathlib import Path


def install_command(extra: str) -> str:
    """Return the command that installs an extra of lossbench, e.g. `pip install -e '/home/me/lossbench[ray]'`.

    From a checkout it installs the extra of that folder; otherwise, as lossbench is on no package index, the packages
    of the extra.
    """
    try:
        distribution = metadata.distribution("lossbench")
        source = json.loads(distribution.read_text("direct_url.json") or "{}")
        requirements = distribution.requires or []
    except (metadata.PackageNotFoundError, ValueError):
        return f"pip install 'lossbench[{extra}]'"
    folder = _folder(source)
    if folder is not None:
        editable = "-e " if source["dir_info"].get("editable") else ""
        return f"pip install {editable}{shlex.quote(f'{folder}[{extra}]')}"
    marked = re.compile(rf"^(.+?)\s*;.*\bextra == ['\"]{re.escape(extra)}['\"]")
    packages = [found[1].strip() for each in requirements if (found := marked.match(each))]
    return " ".join(["pip install", *map(shlex.quote, packages)])


def _folder(source: dict[str, object]) -> Path | None:
    """Return the folder that lossbench was installed from, if there was one and it is still there."""
    if "dir_info" not in source:
        return None
    escaped = re.compile("(?:%[0-9A-Fa-f]{2})+")  # UTF-8, as `Path.as_uri` writes it
    path = escaped.sub(lambda found: bytes.fromhex(found[0].replace("%", "")).decode(), str(source.get("url")))
    folder = Path(re.sub("^file://(?:/(?=[A-Za-z]:))?", "", path))
    return folder if (folder / "pyproject.toml").is_file() else None
