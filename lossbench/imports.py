"""Faster imports: hidden packages, classes and modules that are imported at first use, and less work per module."""

from __future__ import annotations

import gc
import sys
import threading
import typing
from contextlib import contextmanager, nullcontext
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec

    Surroundings: TypeAlias = Callable[[], AbstractContextManager[None]]


@contextmanager
def hidden(names: Iterable[str]) -> Iterator[None]:
    """Hide installed packages that are not imported yet."""
    absent = [name for name in names if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]  # None makes Python raise ImportError
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


@contextmanager
def postponed(classes: Mapping[str, Iterable[str]]) -> Iterator[None]:
    """Postpone the import of modules from which only classes are imported until one of these is called.

    Args:
        classes: The names of the classes by their modules; imported modules stay as they are.
    """
    absent = {module: names for module, names in classes.items() if module not in sys.modules}
    for module, names in absent.items():
        sys.modules[module] = ModuleType(module)
        for name in names:
            setattr(sys.modules[module], name, _stand_in(module, name))
    try:
        yield
    finally:
        for module in absent:
            del sys.modules[module]


def _stand_in(module: str, name: str) -> type:
    def create(_: type, *arguments: Any, **keywords: Any) -> Any:
        return getattr(import_module(module), name)(*arguments, **keywords)

    return type(name, (), {"__new__": create})


@contextmanager
def uncollected() -> Iterator[None]:
    """Suspend the search for garbage, and exempt what was imported from later searches."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


@contextmanager
def shared_constraints() -> Iterator[None]:
    """Compile each name that constrains a type variable once, however many variables it constrains.

    Python 3.11 compiles it for each of them, 18,000 times in TensorFlow; later versions never do.
    """
    module: Any = typing
    check, shared = module._type_check, {}  # noqa: SLF001 - no public function is in between

    def check_once(argument: Any, message: str, *rest: Any, **keywords: Any) -> Any:
        if not (isinstance(argument, str) and message.startswith("TypeVar(")):
            return check(argument, message, *rest, **keywords)
        if argument not in shared:
            shared[argument] = check(argument, message, *rest, **keywords)
        return shared[argument]

    module._type_check = check_once  # noqa: SLF001 - likewise
    try:
        yield
    finally:
        module._type_check = check  # noqa: SLF001 - likewise


@contextmanager
def deferred(package: str, surroundings: Surroundings = nullcontext) -> Iterator[None]:
    """Defer the execution of a package's submodules until an attribute of theirs is first used.

    Only for submodules whose import changes nothing else, and that are imported as modules: `from package import
    module`, not `from package.module import name`.

    Args:
        package: The package.
        surroundings: The context in which a submodule is executed.
    """
    finder = _Finder(f"{package}.", surroundings)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder:
    """Finder of the submodules of a package."""

    def __init__(self, prefix: str, surroundings: Surroundings) -> None:
        self._prefix, self._surroundings = prefix, surroundings

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the module's usual specification, with a loader that defers its execution."""
        if not name.startswith(self._prefix) or self._has_namesake(name):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = cast("Loader", _Deferral(spec.loader, self._surroundings))
        return spec

    def _has_namesake(self, name: str) -> bool:
        """Return whether `top.name`, an attribute of the top package, is also a module, whose import replaces it.

        What imports that module, e.g. `tensorflow.distribute`, must then run before the attribute is assigned.
        """
        top = sys.modules[self._prefix.partition(".")[0]]
        return (Path(str(top.__file__)).parent / name.removeprefix(self._prefix).partition(".")[0]).is_dir()


class _Deferral:
    """Loader that leaves the execution of a module to its first use."""

    def __init__(self, loader: Loader, surroundings: Surroundings) -> None:
        self.loader, self.surroundings = loader, surroundings

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create the module as its own loader does."""
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Let the first use of the module execute it."""
        module.__class__ = _Unexecuted


class _Unexecuted(ModuleType):
    """A module that is executed when an attribute is asked for that it does not have yet."""

    def __getattr__(self, name: str) -> Any:
        with _executing:
            _execute(self)
        return ModuleType.__getattribute__(self, name)


def _execute(module: Any) -> None:
    """Execute a module, unless that has been done or is being done."""
    deferral = module.__loader__
    if isinstance(deferral, _Deferral):
        module.__loader__ = deferral.loader
        try:
            with deferral.surroundings():
                deferral.loader.exec_module(module)
        except BaseException:
            module.__loader__ = deferral
            raise
        module.__class__ = ModuleType


_executing = threading.RLock()
