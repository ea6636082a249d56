"""Execution of a user's Python file: what it imports from beside itself, what it prints, and its errors."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
import traceback
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING

from lossbench.errors import LossbenchError, PluginError
from lossbench.losses import process_settings, siblings
from lossbench.losses.advice import explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from types import ModuleType


class UserFile:
    """A user's file, with the modules beside it that it imports, as bytes that do not change any more.

    Args:
        path: The Python file.

    Raises:
        PluginError: If a file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.source = path, siblings.Source(path, siblings.read(path))
        self.finder = siblings.Finder(path.parent, siblings.imported_by(self.source))

    @property
    def paths(self) -> set[str]:
        """Paths of the file and of the files that it imports."""
        return {str(self.path), *(str(source.path) for source in self.finder.sources.values())}

    @property
    def imports(self) -> Mapping[str, str]:
        """SHA-256 of each imported file, by its path relative to the folder of the user's file."""
        return {
            source.path.relative_to(self.path.parent).as_posix(): hashlib.sha256(source.content).hexdigest()
            for _, source in sorted(self.finder.sources.items())
            if source.path.suffix == ".py"
        }

    @property
    def sha256(self) -> str:
        """SHA-256 of the file; if it imports files beside it, of the hashes of all of them."""
        own = hashlib.sha256(self.source.content).hexdigest()
        if not self.imports:
            return own
        return hashlib.sha256(json.dumps([own, self.imports], sort_keys=True).encode()).hexdigest()

    def is_unchanged(self) -> bool:
        """Return whether all files on the disk are as they were read."""
        sources = [self.source, *(each for each in self.finder.sources.values() if each.path.suffix == ".py")]
        return all(siblings.read(each.path) == each.content for each in sources)

    @property
    def content(self) -> bytes:
        """Bytes of the file and of all files that it imports."""
        return b"\n".join([self.source.content, *(source.content for source in self.finder.sources.values())])

    def execute(self) -> Execution:
        """Execute the file, with new copies of the modules beside it.

        Raises:
            PluginError: If the code raises.
        """
        execution = Execution(self)
        self.finder.is_complete = True
        return execution

    def lines(self, error: BaseException) -> list[str]:
        """Return the lines of the user's files in the traceback of an error, as `path:line`, the innermost last."""
        if isinstance(error, SyntaxError) and error.filename in self.paths:
            return [f"{error.filename}:{error.lineno}"]
        frames = traceback.extract_tb(error.__traceback__)
        return [f"{frame.filename}:{frame.lineno}" for frame in frames if frame.filename in self.paths]


class Execution:
    """One execution of a user's file: its module and the modules beside it, which no other execution shares."""

    def __init__(self, file: UserFile) -> None:
        name = f"lossbench_plugin_{hashlib.sha256(file.source.content).hexdigest()[:16]}"
        spec = siblings.specification(name, file.source)
        self.file, self.module = file, importlib.util.module_from_spec(spec)
        self._siblings: dict[str, ModuleType] = {}
        with self.active():
            siblings.Loader(file.source).exec_module(self.module)

    @property
    def modules(self) -> Mapping[str, ModuleType]:
        """The module of the file, under an empty name, and those beside it that have been imported so far."""
        return {"": self.module, **self._siblings}

    @contextmanager
    def active(self) -> Iterator[None]:
        """Run the user's code: it imports its own modules, prints to stderr, and its errors become a `PluginError`."""
        with report_user_errors(self.file), self.surroundings():
            yield

    @contextmanager
    def surroundings(self) -> Iterator[None]:
        """Let `print` write to stderr, `import` find the modules of this execution, and settings end with the block."""
        finder = self.file.finder
        hidden = _take(finder.sources)
        sys.modules |= {self.module.__name__: self.module, **self._siblings}
        sys.meta_path.insert(0, finder)
        try:
            with redirect_stdout(sys.stderr), process_settings.kept(self.file):
                yield
        finally:
            sys.meta_path.remove(finder)
            self._siblings |= _take(finder.sources)
            sys.modules |= hidden


def _take(names: Iterable[str]) -> dict[str, ModuleType]:
    return {name: sys.modules.pop(name) for name in list(names) if name in sys.modules}


@contextmanager
def report_user_errors(file: UserFile) -> Iterator[None]:
    """Run a user's code and report its errors.

    Args:
        file: The user's file.

    Raises:
        PluginError: If the code raises, e.g. `my_losses.py:7: NameError: name 'x' is not defined`.
    """
    try:
        yield
    except LossbenchError:
        raise
    except (Exception, SystemExit) as error:  # the user's code may raise anything, or exit
        location = (file.lines(error) or [str(file.path)])[-1]
        advice = siblings.advice(error, file.path.parent) if isinstance(error, ImportError) else ""
        raise PluginError(f"{location}: {explain(error)}{advice}") from error
