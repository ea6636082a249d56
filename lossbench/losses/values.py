"""Values of hyperparameters: from plain data, as YAML has them, to the Python objects that a loss gets.

`convert` shapes plain data by an annotation: a list becomes a tuple for `tuple[float, ...]`, an integer a float for
`float`. Without an annotation, a list stays a list. `plain_data.to_plain` is the way back.
"""

from __future__ import annotations

import json
from collections import abc
from copy import deepcopy
from enum import Enum
from functools import lru_cache
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from lossbench import ops
from lossbench.losses.plain_data import same

LISTS = (list, abc.Sequence, abc.MutableSequence, abc.Iterable, abc.Collection)
SETS = {set: set, abc.Set: set, abc.MutableSet: set, frozenset: frozenset}
MAPPINGS = (dict, abc.Mapping, abc.MutableMapping)


WHOLE_OR_NOT = Annotated[int | float, "a whole float becomes an integer"]
"""Annotation that fits an integer as the default."""


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
    return isinstance(kind, type) and (is_numpy_array(kind) or kind.__name__.endswith(("Tensor", "Variable")))


def is_numpy_array(kind: type) -> bool:
    """Return whether a type is that of NumPy's arrays, which is not imported for the question."""
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

    dtype = dtype_of(arguments) or np.dtype(float if is_numpy_array(kind) else np.float32)
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
    return cast if is_numpy_array(kind) else ops.convert_to_tensor(cast)


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
