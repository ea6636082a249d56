"""Building blocks of a configuration: strict frozen records, ranges of numbers, and choices by name."""

from itertools import pairwise
from typing import Annotated, Any, TypeAlias, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    Strict,
    model_serializer,
)


def _increasing(values: tuple[int, ...]) -> tuple[int, ...]:
    if any(later <= earlier for earlier, later in pairwise(values)):
        raise ValueError("expected increasing numbers; sort them, each once")
    return values


Positive: TypeAlias = Annotated[float, Field(gt=0)]
NonNegative: TypeAlias = Annotated[float, Field(ge=0)]
Fraction: TypeAlias = Annotated[float, Field(ge=0, le=1)]
BelowOne: TypeAlias = Annotated[float, Field(ge=0, lt=1)]
Count: TypeAlias = Annotated[int, Field(ge=1)]
Index: TypeAlias = Annotated[int, Field(ge=0)]
Seed: TypeAlias = Annotated[int, Field(ge=0, lt=2**32)]
Lax = Strict(strict=False)  # a YAML list may become a tuple; what is in it stays strict
Increasing: TypeAlias = Annotated[tuple[Count, ...], Lax, Field(min_length=1), AfterValidator(_increasing)]


class Section(BaseModel):
    """A mapping of known keys."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        allow_inf_nan=False,
        validate_default=True,
        use_attribute_docstrings=True,
    )


class Choice(Section):
    """A mapping whose `name` decides which keys it has; dumps always include the name."""

    name: str

    @model_serializer(mode="wrap")
    def _named(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {"name": self.name, **handler(self)}


def members(choice: Any) -> tuple[type[Choice], ...]:
    """Return the sections of a discriminated union such as `model.Model`."""
    return get_args(get_args(choice)[0])


def names(choice: Any) -> list[str]:
    """Return the names that a discriminated union's sections have."""
    return [name for section in members(choice) for name in get_args(section.model_fields["name"].annotation)]


def listed(choice: Any) -> str:
    """Return the names of a discriminated union's sections as text, e.g. "adam, sgd or rmsprop."."""
    *first, last = names(choice)
    return f"{', '.join(first)} or {last}."
