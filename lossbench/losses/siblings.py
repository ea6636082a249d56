"""Modules beside a user's file: they are found without being executed, and imported from the bytes that were hashed.

A module or package beside the file is one that Python would not find elsewhere: a module of the standard library or of
an installed package is never replaced by a file of its name.
"""

from __future__ import annotations

import ast
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import TYPE_CHECKING

from lossbench.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class Source:
    """Source of a module: its path and its bytes; a package without `__init__.py` has none."""

    path: Path
    content: bytes
    is_package: bool = False


def read(path: Path) -> bytes:
    """Return the bytes of a Python file.

    Raises:
        PluginError: If it cannot be read, or is larger than 1 MiB.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PluginError(f"{path}: cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise PluginError(f"{path}: expected a Python file of at most {MAX_BYTES >> 20} MiB")
    return content


def imported_by(source: Source) -> dict[str, Source]:
    """Return the modules beside a file that its import statements name, and those that these import in turn.

    Statements inside functions count too, so that the result is known before anything is executed.
    """
    folder, found = source.path.parent, dict[str, Source]()
    waiting = [("", source)]
    while waiting:
        name, each = waiting.pop()
        package = name if each.is_package else name.rpartition(".")[0]
        for imported in _imported_names(each.content, package):
            if imported not in found and (sibling := find(folder, imported)):
                found[imported] = sibling
                waiting.append((imported, sibling))
    return found


def find(folder: Path, name: str) -> Source | None:
    """Return the source of a module in a folder; None if there is none, or if Python finds it elsewhere."""
    path = folder.joinpath(*name.split("."))
    top = path if "." not in name else folder / name.partition(".")[0]
    if not (top.is_dir() or top.with_suffix(".py").is_file()) or _is_elsewhere(top):
        return None
    if (path / "__init__.py").is_file():
        return Source(path / "__init__.py", read(path / "__init__.py"), is_package=True)
    if (file := path.with_name(f"{path.name}.py")).is_file():
        return Source(file, read(file))
    return Source(path, b"", is_package=True) if path.is_dir() else None


def _is_elsewhere(top: Path) -> bool:
    """Return whether the name of a file or folder belongs to another module that Python can import."""
    if top.name in sys.stdlib_module_names:
        return True
    others = [each for each in sys.meta_path if not isinstance(each, Finder)]
    spec = next(filter(None, (each.find_spec(top.name, None) for each in others)), None)
    if spec is None:
        return False
    places = [spec.origin, *(spec.submodule_search_locations or ())]
    here = {top, top.with_suffix(".py"), top / "__init__.py"}
    return not any(Path(place).resolve() in here for place in places if place)


def _imported_names(content: bytes, package: str) -> Iterator[str]:
    """Yield all names that the import statements of a source may stand for, parents before children."""
    tree: ast.AST = ast.Module([], [])
    with suppress(SyntaxError, ValueError):  # executing the file reports it, with its line
        tree = ast.parse(content)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (base := _absolute(node, package)):
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[: end + 1]) for end in range(len(parts)))


def _absolute(statement: ast.ImportFrom, package: str) -> str:
    """Return the absolute name of the module of a `from` statement; empty if it leaves its package."""
    if not statement.level:
        return statement.module or ""
    parents = package.split(".")[: len(package.split(".")) - statement.level + 1]
    return ".".join([*parents, statement.module] if statement.module else parents) if all(parents) else ""


class Finder(MetaPathFinder):
    """Finder of the modules beside a file.

    Args:
        folder: The folder of the file.
        sources: The modules known so far. Those that only a computed name imports are added while the file is executed.
    """

    def __init__(self, folder: Path, sources: dict[str, Source]) -> None:
        self._folder, self.sources, self.is_complete = folder, sources, False

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002  # Python's signature
        """Return the specification of a module beside the file; None for any other module.

        Raises:
            ImportError: If the module is not among those that were hashed, or is missing in a package beside the file.
        """
        source = self.sources.get(name) or self._discover(name)
        if source is None:
            if name.partition(".")[0] in self.sources:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            return None
        return specification(name, source)

    def _discover(self, name: str) -> Source | None:
        parent = name.rpartition(".")[0]
        source = find(self._folder, name) if not parent or parent in self.sources else None
        if source is None:
            return None
        if self.is_complete:
            raise ImportError(f"{source.path} is imported by a computed name; write `import {name}`", name=name)
        self.sources[name] = source
        return source


def specification(name: str, source: Source) -> ModuleSpec:
    """Return the specification of a module that is executed from its source, never from `__pycache__`."""
    spec = ModuleSpec(name, Loader(source), origin=str(source.path), is_package=source.is_package)
    spec.has_location = True
    if source.is_package:
        folder = source.path.parent if source.path.name == "__init__.py" else source.path
        spec.submodule_search_locations = [str(folder)]
    return spec


class Loader(SourceLoader):
    """Loader of a source that has been read already; without a time stamp, Python neither reads nor writes a cache."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def get_filename(self, fullname: str) -> str:  # noqa: ARG002  # Python's signature
        """Return the path of the file."""
        return str(self._source.path)

    def get_data(self, path: str | bytes) -> bytes:
        """Return the bytes of the file."""
        name = Path(path if isinstance(path, str) else path.decode())
        return self._source.content if name == self._source.path else name.read_bytes()


def advice(error: ImportError, folder: Path) -> str:
    """Return what to do about a failed import in a user's file; empty if the error says enough."""
    if "relative import" in str(error):
        return ": import a file beside this one without dots, e.g. `from helper import smooth`"
    top = (error.name or "").partition(".")[0]
    if not ((folder / top).is_dir() or (folder / f"{top}.py").is_file()):
        return f": install it, or put {top}.py beside the file" if isinstance(error, ModuleNotFoundError) else ""
    if find(folder, top):
        return ""
    return f": the module {top!r} that Python finds is not the one beside the file, which needs another name"
