"""Values of hyperparameters: plain data, as YAML has them, and the Python objects that a loss gets.

`convert` shapes plain data by an annotation: a list becomes a tuple for `tuple[float, ...]`, an integer a float for
`float`. Without an annotation, a list stays a list. `to_plain` is the way back.
"""

from __future__ import annotations

import json
import math
import re
from collections import abc
from copy import copy, deepcopy
from enum import Enum
from functools import lru_cache
from types import GenericAlias, MappingProxyType, NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from lossbench import ops, yaml_scalars

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LEVELS = 16
"""Levels of lists and mappings in a value, within the 20 of a YAML file."""

Scalar = (bool, int, float, str, type(None))
LISTS = (list, abc.Sequence, abc.MutableSequence, abc.Iterable, abc.Collection)
SETS = {set: set, abc.Set: set, abc.MutableSet: set, frozenset: frozenset}
MAPPINGS = (dict, abc.Mapping, abc.MutableMapping)


WHOLE_OR_NOT = Annotated[int | float, "a whole float becomes an integer"]
"""Annotation that fits an integer as the default."""


def to_plain(value: Any, levels: int = MAX_LEVELS) -> Any:
    """Return a Python value as plain data that YAML can express: scalars, lists, and mappings with scalar keys.

    Raises:
        ValueError: YAML cannot express it.
    """
    if isinstance(value, Enum):
        return to_plain(value.value, levels)
    if _is_of_numpy(value):
        return to_plain(value.tolist(), levels)
    if type(value) in Scalar and _is_readable(value):
        return value
    if levels and isinstance(value, list | tuple):
        return [to_plain(item, levels - 1) for item in value]
    if levels and isinstance(value, abc.Set):
        return sorted(
            (to_plain(item, levels - 1) for item in value), key=lambda item: (type(item).__name__, repr(item))
        )
    if levels and isinstance(value, abc.Mapping):
        return {to_plain(key, 0): to_plain(item, levels - 1) for key, item in value.items()}
    raise ValueError(f"YAML cannot express {type(value).__name__}")


def recorded(converted: Any, plain: Any) -> Any:
    """Return a converted value as plain data again, an array with the digits that were given, whatever its type.

    Raises:
        ValueError: YAML cannot express it.
    """
    if _is_of_numpy(converted):
        return to_plain(converted if converted.dtype.kind == "b" else _as_floats(plain))
    if isinstance(plain, list) and isinstance(converted, list | tuple):
        return list(map(recorded, converted, plain))
    if isinstance(plain, dict) and isinstance(converted, dict):
        keys = [to_plain(key, 0) for key in converted]
        return dict(zip(keys, map(recorded, converted.values(), plain.values()), strict=True))
    return to_plain(converted)


def _as_floats(numbers: Any) -> Any:
    return list(map(_as_floats, numbers)) if isinstance(numbers, list) else float(numbers)


def _is_of_numpy(value: object) -> bool:
    """Return whether a value is an array or a number of NumPy, which is not imported for the question."""
    return type(value).__module__ == "numpy" and hasattr(value, "tolist")


def _is_readable(value: object) -> bool:
    """Return whether YAML's number is read back: it is finite and not too long."""
    if isinstance(value, float):
        return math.isfinite(value)
    return type(value) is not int or len(str(value)) <= yaml_scalars.MAX_NUMBER_LENGTH


def same(a: Any, b: Any) -> bool:
    """Return whether plain data are equal, with equal types: 1, 1.0 and true differ."""
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(_typed(a), _typed(b), strict=True))
    return bool(a == b)


def _typed(mapping: dict[Any, Any]) -> list[list[Any]]:
    """Return the entries of a mapping in the order of their keys."""
    return [[key, mapping[key]] for key in sorted(mapping, key=lambda key: (type(key).__name__, repr(key)))]


def convert(annotation: Any, plain: Any) -> Any:
    """Return plain data as the Python object that an annotation describes.

    Numbers, text and booleans are not converted into each other, but an integer becomes a float for `float`.

    Raises:
        ValueError: The value is of another type or outside the range.
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    kind = origin or annotation
    if kind is Annotated:
        value = _checked(annotation, convert(arguments[0], plain))
        return int(value) if annotation == WHOLE_OR_NOT and value == int(value) else value
    if kind in (Union, UnionType):
        return _first(sorted(arguments, key=lambda member: (is_any(member), not _is_exact(member, plain))), plain)
    if is_any(kind):
        return deepcopy(plain)
    if choices := _choices(kind, arguments):
        return _chosen(choices, plain)
    if isinstance(plain, list | dict) or is_array(kind):
        return _container(annotation, plain)
    return _validated(annotation, plain)


def _container(annotation: Any, plain: Any) -> Any:
    kind, arguments = get_origin(annotation) or annotation, get_args(annotation)
    if is_array(kind):
        return _array(kind, arguments, plain)
    if isinstance(plain, list) and (kind is tuple or kind in SETS or kind in LISTS):
        return _sequence(kind, arguments, plain)
    if isinstance(plain, dict) and kind in MAPPINGS:
        key, item = arguments or (Any, Any)
        return {convert(key, name): convert(item, value) for name, value in plain.items()}
    return _validated(annotation, plain)


def _validated(annotation: Any, plain: Any) -> Any:
    try:
        adapter = _adapter(annotation)
    except TypeError as error:
        raise ValueError("YAML cannot express a value of this type") from error
    return adapter.validate_json(json.dumps(plain))


class FromFile:
    """Annotation of a hyperparameter that only the user's file can set."""


def is_any(kind: object) -> bool:
    """Return whether an annotation allows every value; a name that only type checkers know does."""
    return kind in (Any, object) or isinstance(kind, TypeVar) or getattr(kind, "_unknown_type", False) is True


def is_array(kind: object) -> bool:
    """Return whether an annotation is a NumPy array, or a tensor of any library."""
    return isinstance(kind, type) and (_is_numpy_array(kind) or kind.__name__.endswith(("Tensor", "Variable")))


def _is_numpy_array(kind: type) -> bool:
    return kind.__module__ == "numpy" and kind.__name__ == "ndarray"


def _first(members: list[Any], plain: Any) -> Any:
    for member in members:
        try:
            return convert(member, plain)
        except ValueError:
            continue
    raise ValueError("no member of the union fits")


def _is_exact(member: Any, plain: Any) -> bool:
    """Return whether a member of a union has the type of a value, so that it takes precedence."""
    while get_origin(member) is Annotated:
        member = get_args(member)[0]
    return (get_origin(member) or member) is type(plain)


def _choices(kind: Any, arguments: tuple[Any, ...]) -> dict[Any, Any]:
    """Return the members of a literal or an enumeration by the values that YAML has for them."""
    if kind is Literal:
        return {argument: argument for argument in arguments}
    return {member.value: member for member in kind} if isinstance(kind, type) and issubclass(kind, Enum) else {}


def _chosen(choices: dict[Any, Any], plain: Any) -> Any:
    for value, choice in choices.items():
        if same(value, plain):
            return choice
    raise ValueError(f"not one of {list(choices)}")


def _sequence(kind: Any, arguments: tuple[Any, ...], plain: list[Any]) -> Any:
    if kind is tuple and arguments and arguments[-1] is not Ellipsis:
        if len(arguments) != len(plain):
            raise ValueError(f"expected {len(arguments)} entries")
        return tuple(map(convert, arguments, plain))
    entry = arguments[0] if arguments else Any
    make = tuple if kind is tuple else SETS.get(kind, list)
    return make(convert(entry, value) for value in plain)


def _array(kind: type, arguments: tuple[Any, ...], plain: Any) -> Any:
    """Return numbers, nested in lists of equal lengths, as an array of the type that an annotation names, or a tensor.

    Without a name, an array has 64-bit floats and a tensor 32-bit floats.
    """
    import numpy as np

    dtype = dtype_of(arguments) or np.dtype(float if _is_numpy_array(kind) else np.float32)
    try:
        array = np.asarray(plain)
    except ValueError:  # lists of different lengths
        array = np.asarray(None)
    if array.dtype.kind not in ("b" if dtype.kind == "b" else "iuf") or dtype.kind not in "biufcO":
        raise ValueError("expected numbers in lists of equal lengths")
    with np.errstate(all="ignore"):
        cast = array.astype(dtype)
    if not (np.isfinite(cast).all() if dtype.kind in "fc" else (cast == array).all()):
        raise ValueError(f"{dtype} does not have these numbers")
    return cast if _is_numpy_array(kind) else ops.convert_to_tensor(cast)


def dtype_of(arguments: tuple[Any, ...]) -> Any:
    """Return the type of entries that the annotation of an array names, e.g. `NDArray[np.float32]`, or None."""
    import numpy as np

    for argument in arguments:
        (scalar,) = get_args(argument) if get_origin(argument) is np.dtype else (Any,)
        scalars = get_args(scalar) or (scalar,)
        if all(isinstance(each, type) and not is_any(each) for each in scalars):
            return np.result_type(*(np.dtype(_ABSTRACT.get(each.__name__, each)) for each in scalars))
    return None


_ABSTRACT = {
    "generic": "float64",
    "number": "float64",
    "inexact": "float64",
    "floating": "float64",
    "complexfloating": "complex128",
    "integer": "int64",
    "signedinteger": "int64",
    "unsignedinteger": "uint64",
}
"""Types of entries for those of NumPy that name a family of types."""


def _checked(annotation: Any, value: Any) -> Any:
    """Check the constraints of an annotation: ranges and lengths."""
    try:
        adapter = _adapter(annotation)
    except TypeError:  # of an array, for which pydantic has no constraints
        return value
    return adapter.validate_python(value)


def is_known(annotation: Any) -> bool:
    """Return whether plain data can be converted by an annotation."""
    if get_origin(annotation) in (Union, UnionType, Annotated):
        return all(map(is_known, get_args(annotation)[: None if get_origin(annotation) is not Annotated else 1]))
    kind = get_origin(annotation) or annotation
    if is_array(kind):
        return True
    if is_any(kind) or isinstance(kind, FromFile) or kind in (Literal, tuple, *SETS, *LISTS, *MAPPINGS):
        return all(is_known(each) for each in get_args(annotation) if kind is not Literal and each is not Ellipsis)
    try:
        _adapter(annotation)
    except TypeError:
        return False
    return True


def _adapter(annotation: Any) -> Any:
    """Return pydantic's validator of an annotation: no conversion from text, no NaN, no infinity.

    Raises:
        TypeError: There is none.
    """
    try:
        return _cached_adapter(annotation)
    except TypeError:  # the annotation cannot be hashed
        return _new_adapter(annotation)


def _new_adapter(annotation: Any) -> Any:
    from pydantic import ConfigDict, TypeAdapter
    from pydantic.errors import PydanticUserError

    for config in (ConfigDict(strict=True, allow_inf_nan=False), None):  # a dataclass has a configuration of its own
        try:
            return TypeAdapter(annotation, config=config)
        except (PydanticUserError, NameError, AttributeError) as error:
            reason = str(error)
    raise TypeError(reason)


_cached_adapter = lru_cache(maxsize=512)(_new_adapter)


def schema_of(annotation: Any) -> dict[str, Any]:
    """Return the JSON Schema of the plain data that `convert` takes, as far as pydantic knows it."""
    from pydantic.errors import PydanticUserError

    try:
        schema: dict[str, Any] = _adapter(annotation).json_schema()
    except (TypeError, PydanticUserError):
        return {}
    return {} if "$defs" in schema else schema


def type_of(default: object) -> Any:
    """Return the annotation that fits a default: its type, any number for an integer, else whatever YAML can express.

    A list, tuple, set or mapping of floats takes integers as floats; each also accepts any other value.
    """
    if _is_of_numpy(default) and not is_array(type(default)):
        return type_of(default.tolist())  # type: ignore[attr-defined]  # a number of NumPy
    if type(default) in TYPES:
        return TYPES[type(default)]
    if isinstance(default, list | tuple | abc.Set | abc.Mapping):
        return _type_of_container(default)
    if is_array(type(default)):
        return _type_of_array(default)
    return type(default) if isinstance(default, Enum) else FromFile()


def _type_of_array(default: Any) -> Any:
    """Return the annotation that fits an array or a tensor: entries of its type, and floats too for integers."""
    import numpy as np

    kind = type(default)
    try:
        dtype = default.dtype if _is_numpy_array(kind) else np.dtype(ops.dtype(default))
    except (AttributeError, TypeError, ValueError):  # of a type that NumPy does not have
        return kind
    if dtype.kind not in "biufc" or dtype == (float if _is_numpy_array(kind) else np.float32):
        return kind
    same_entries = GenericAlias(kind, (Any, GenericAlias(np.dtype, (dtype.type,))))
    return Union[same_entries, kind] if dtype.kind in "iu" else same_entries  # noqa: UP007  # `|` takes only types


def with_entries_of(default: Any, annotation: Any) -> Any:
    """Return an annotation whose arrays have the entries of a default that is an array, where it names none."""
    kind, arguments = get_origin(annotation) or annotation, get_args(annotation)
    if kind in (Union, UnionType):
        return Union[tuple(with_entries_of(default, member) for member in arguments)]  # noqa: UP007  # `|` takes only types
    fits = is_array(kind) and isinstance(default, kind) and dtype_of(arguments) is None
    return type_of(default) if fits else annotation


def like(default: Any, value: Any) -> Any:
    """Return a container as one of the type of a default: a `defaultdict` with its factory, a named tuple, a set."""
    if isinstance(default, abc.MutableMapping) and isinstance(value, dict) and type(default) is not dict:
        made = copy(default)
        made.clear()
        made.update(value)
        return made
    if isinstance(default, MappingProxyType) and isinstance(value, dict):
        return MappingProxyType(value)
    if isinstance(default, frozenset) and isinstance(value, set):
        return frozenset(value)
    if isinstance(default, tuple) and hasattr(default, "_fields") and type(value) is tuple:
        return type(default)(*value) if len(value) == len(default) else value
    return value


TYPES = {bool: bool, int: WHOLE_OR_NOT, float: float, str: str, NoneType: Any, type: Any}
"""Annotations that fit defaults of these types; `type` is that of no default."""


def _type_of_container(default: Any) -> Any:
    entries = [type_of(entry) for entry in (default.values() if isinstance(default, abc.Mapping) else default)]
    if any(isinstance(entry, FromFile) for entry in entries):
        return FromFile()
    entry: Any = entries[0] if entries and all(each == entries[0] for each in entries) else Any
    if isinstance(default, abc.Mapping):
        return Union[dict[Any, entry], Any]  # noqa: UP007  # `|` takes only types
    kind = tuple[entry, ...] if isinstance(default, tuple) else list[entry] if isinstance(default, list) else set[entry]
    return Union[kind, Any]  # noqa: UP007  # `|` takes only types


def to_flow(value: Any, number: Callable[[Any], str] = json.dumps) -> str:
    """Return plain data as YAML on one line, with all digits.

    Example:
        >>> to_flow({0: 5.0, "mode": ["a b", "1", None]})
        "{0: 5.0, mode: [a b, '1', null]}"
    """
    if isinstance(value, list | tuple):
        return f"[{', '.join(to_flow(item, number) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{to_flow(key)}: {to_flow(item, number)}' for key, item in value.items())}}}"
    if not isinstance(value, str):
        return number(value)
    if re.search(r"[\[\]{},:#'\"\\]|^\s|\s$|^$|[^ -~]", value):
        return json.dumps(value, ensure_ascii=False)
    return value if isinstance(yaml_scalars.parse(value), str) else f"'{value}'"


def whole_floats_as_integers(value: Any) -> Any:
    """Return plain data with 2 for 2.0."""
    if isinstance(value, list):
        return list(map(whole_floats_as_integers, value))
    if isinstance(value, dict):
        return {key: whole_floats_as_integers(item) for key, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def has_typed_keys(value: Any) -> bool:
    """Return whether plain data have a mapping with keys that are not text, which JSON would make text."""
    if isinstance(value, dict):
        return any(not isinstance(key, str) or has_typed_keys(item) for key, item in value.items())
    return isinstance(value, list) and any(map(has_typed_keys, value))
