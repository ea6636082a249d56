"""Loss expressions: the value of `loss:`, a name, a mapping with hyperparameters, or a weighted list of these."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lossbench.errors import Problem, UsageError, did_you_mean
from lossbench.losses.other_names import HYPERPARAMETERS
from lossbench.losses.presets import PRESETS
from lossbench.losses.registry import find, signatures
from lossbench.losses.signature import REQUIRED, Hyperparameter, LossSignature
from lossbench.losses.types import Positive
from lossbench.losses.wrong_form import right_form

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

INPUT_FORMS = {"labels": ("one_hot", "integer"), "outputs": ("logits", "probabilities")}
"""Keys by which a user's loss chooses the form of its inputs, with their values."""

WEIGHT = Hyperparameter("weight", Positive, 1.0, "a number", "> 0", "The loss's share of the sum.")
"""Key that every loss takes in addition to its hyperparameters."""

RESERVED = ("name", "weight", "reduction", "from_logits", *INPUT_FORMS)
"""Keys that cannot be hyperparameters, because the engine or the notation uses them."""


class InvalidLossError(UsageError):
    """Invalid value of `loss:`; the paths of `problems` start at that value."""

    def __init__(self, problems: list[Problem]) -> None:
        lines = [": ".join((*map(str, problem.path[:-1]), problem.message)) for problem in problems]
        super().__init__("\n".join(lines), mentions=("plugins",))
        self.problems = problems


@dataclass(frozen=True)
class LossTerm:
    """One loss of a weighted sum: canonical name, all hyperparameters, and the input forms of a user's loss."""

    name: str
    weight: float
    hyperparameters: Mapping[str, Any]
    labels: str | None = None
    outputs: str | None = None


def parse(value: object) -> tuple[LossTerm, ...]:
    """Parse the value of `loss:`.

    Returns:
        The terms of the weighted sum, with every hyperparameter in canonical form.

    Raises:
        InvalidLossError: If the value is not valid; carries every problem.
    """
    try:
        return _parse(value)
    except InvalidLossError:
        if form := right_form(value):
            message = f"expected the name of a loss, a mapping with 'name', or a list of these; write {form}"
            raise InvalidLossError([Problem((), message)]) from None
        raise


def _parse(value: object) -> tuple[LossTerm, ...]:
    if isinstance(value, str):
        return _parse_mapping({"name": value}, name_path=())
    if isinstance(value, Mapping):
        return _parse_mapping(value, name_path=("name",))
    if isinstance(value, list | tuple) and value:
        return _parse_list(value)
    message = f"expected the name of a loss, a mapping with 'name', or a list of these, got {reprlib.repr(value)}"
    raise InvalidLossError([Problem((), message)])


def _parse_list(entries: Sequence[object]) -> tuple[LossTerm, ...]:
    terms: list[LossTerm] = []
    problems: list[Problem] = []
    for index, entry in enumerate(entries):
        try:
            terms += _parse({"name": entry} if isinstance(entry, list | tuple) else entry)
        except InvalidLossError as error:
            problems += [replace(problem, path=(index, *problem.path)) for problem in error.problems]
    if problems := problems or _head_problems(terms):
        raise InvalidLossError(problems)
    return tuple(terms)


def _head_problems(terms: Sequence[LossTerm]) -> list[Problem]:
    """Return the problem of a sum that mixes losses for a cosine head with other losses."""
    angular = [term.name for term in terms if needs_head([term])]
    others = [term.name for term in terms if not needs_head([term])]
    if not angular or not others:
        return []
    reason = (
        f"these losses need different heads: {', '.join(angular)} the cosine head, {', '.join(others)} not; "
        "sum losses of one kind (normalized_softmax is cross-entropy for the cosine head)"
    )
    return [Problem((), reason)]


def _parse_mapping(value: Mapping[Any, Any], name_path: tuple[str, ...]) -> tuple[LossTerm, ...]:
    given = dict(value)
    name = given.pop("name", None)
    if not isinstance(name, str):
        got = f", got {reprlib.repr(name)}" if "name" in value else ""
        path = name_path if "name" in value else ()
        raise InvalidLossError([Problem(path, f"expected 'name', the name of a loss{got}")])
    if name in PRESETS:
        return _parse_preset(name, given)
    try:
        signature = find(name)
    except UsageError as error:
        raise InvalidLossError([Problem(name_path, str(error), unknown_loss=name)]) from None
    input_forms = {key: given.pop(key) for key in INPUT_FORMS if key in given} if signature.plugin else {}
    problems = [*_input_form_problems(input_forms), *_key_problems(signature, given)]
    weight = _validate([WEIGHT], given, problems)
    hyperparameters = _validate(signature.hyperparameters.values(), given, problems)
    if problems:
        raise InvalidLossError(problems)
    return (LossTerm(signature.name, **weight, hyperparameters=hyperparameters, **input_forms),)


def _parse_preset(name: str, given: dict[str, Any]) -> tuple[LossTerm, ...]:
    preset = PRESETS[name]
    if isinstance(preset, dict):
        return _override_preset(name, preset, given)
    fixed = f"{name!r} stands for {preset}: write that list to change it"
    problems = [Problem((key,), fixed) for key in given if key != "weight"]
    weight = _validate([WEIGHT], given, problems)
    if problems:
        raise InvalidLossError(problems)
    return tuple(replace(term, weight=weight["weight"] * term.weight) for term in parse(preset))


def _override_preset(name: str, preset: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[LossTerm, ...]:
    """Parse a preset of one loss with more hyperparameters, which must not contradict those of the preset."""
    signature = find(preset["name"])
    fixed = {key: signature.hyperparameters[key] for key in preset if key != "name" and key in given}
    problems = [
        Problem(
            (key,), f"{name!r} stands for {signature.name} with {key} {to_yaml(preset[key])}: write {signature.name!r}"
        )
        for key, hyperparameter in fixed.items()
        if _values_differ(hyperparameter, given[key], preset[key])
    ]
    if problems:
        raise InvalidLossError(problems)
    return parse({**preset, **given})


def _values_differ(hyperparameter: Hyperparameter, given: object, fixed: object) -> bool:
    try:
        return bool(canonical(hyperparameter, given) != canonical(hyperparameter, fixed))
    except ValueError:
        return False  # the validation of the hyperparameters reports it


def _input_form_problems(input_forms: Mapping[str, object]) -> Iterator[Problem]:
    for key, value in input_forms.items():
        if value not in INPUT_FORMS[key]:
            yield Problem((key,), f"expected one of {', '.join(INPUT_FORMS[key])}, got {reprlib.repr(value)}")


def _key_problems(signature: LossSignature, given: Mapping[Any, Any]) -> Iterator[Problem]:
    engine = {*RESERVED, *signature.states, *(name for other in signatures().values() for name in other.context)} - {
        "weight"
    }
    takes = (
        f"It takes {', '.join(signature.hyperparameters)}"
        if signature.hyperparameters
        else "It takes no hyperparameters"
    )
    for key in given:
        if key in engine:
            yield Problem((key,), f"{key!r} is not set in YAML: the engine fills it in")
        elif key not in (*signature.hyperparameters, "weight"):
            near = _meant(str(key), (*signature.hyperparameters, "weight")) or "."
            yield Problem((key,), f"unknown key {reprlib.repr(key)} in loss {signature.name!r}{near} {takes}")


def _meant(key: str, keys: Sequence[str]) -> str:
    """Return the suggestion for an unknown key: its name here if other libraries have it, else a similar key."""
    if key not in HYPERPARAMETERS:
        return did_you_mean(key, keys)
    renamed = next((here for here in HYPERPARAMETERS[key] if here in keys), None)
    return f"; did you mean {renamed!r}?" if renamed else ""


def _validate(
    hyperparameters: Iterable[Hyperparameter], given: Mapping[str, Any], problems: list[Problem]
) -> dict[str, Any]:
    """Return every hyperparameter, given or default, in canonical form; append the problems."""
    values = {}
    for hyperparameter in hyperparameters:
        name = hyperparameter.name
        value = given.get(name, hyperparameter.default)
        if value is REQUIRED:
            problems.append(Problem((), f"{name!r} is required: {hyperparameter.expected}"))
            continue
        try:
            values[name] = canonical(hyperparameter, value)
        except ValueError:
            problems.append(Problem((name,), f"expected {hyperparameter.expected}, got {reprlib.repr(value)}"))
    return values


def canonical(hyperparameter: Hyperparameter, value: object) -> Any:
    """Validate a value strictly by its annotation, and convert integers to floats and lists to tuples.

    Raises:
        ValueError: If the value is of another type or outside the range.
    """
    try:
        text = json.dumps(value, default=lambda array: array.tolist())
    except (AttributeError, TypeError) as error:
        raise ValueError(str(error)) from None
    return _tuples(type_adapter(hyperparameter).validate_json(text))


def type_adapter(hyperparameter: Hyperparameter) -> Any:
    """Return the pydantic validator of one hyperparameter: no conversion from text, no NaN, no infinity."""
    from pydantic import ConfigDict, TypeAdapter

    return TypeAdapter(hyperparameter.annotation, config=ConfigDict(strict=True, allow_inf_nan=False))


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value


def _lists(value: Any) -> Any:
    return list(map(_lists, value)) if isinstance(value, tuple) else value


def dump(terms: Sequence[LossTerm]) -> object:
    """Return the terms as a YAML value with all hyperparameters: `parse(dump(terms)) == terms`."""
    entries = [
        {"name": term.name}
        | ({"weight": term.weight} if len(terms) > 1 or term.weight != 1 else {})
        | {name: _lists(value) for name, value in term.hyperparameters.items()}
        | {key: getattr(term, key) for key in INPUT_FORMS if getattr(term, key) is not None}
        for term in terms
    ]
    return entries if len(entries) > 1 else entries[0]


def label_of(name: str) -> str:
    """Return the label of a loss that is named by an alias or a preset; any other text unchanged."""
    try:
        return label(parse(name))
    except InvalidLossError:
        return name


def label(terms: Sequence[LossTerm]) -> str:
    """Return the terms in one line, for tables: `focal gamma=5`, `1 focal + 10 reverse_crossentropy`."""
    if len(terms) == 1 and terms[0].weight == 1:
        return _term_label(terms[0])
    return " + ".join(f"{to_yaml(term.weight)} {_term_label(term)}" for term in terms)


def _term_label(term: LossTerm) -> str:
    hyperparameters = find(term.name).hyperparameters
    changed = {
        name: value
        for name, value in term.hyperparameters.items()
        if (default := hyperparameters[name].default) is REQUIRED or value != canonical(hyperparameters[name], default)
    }
    input_forms = {key: getattr(term, key) for key in INPUT_FORMS if getattr(term, key) is not None}
    return " ".join((term.name, *(f"{name}={to_yaml(value)}" for name, value in {**changed, **input_forms}.items())))


def to_yaml(value: Any) -> str:
    """Return a hyperparameter in YAML, with all digits: `2`, `true`, `[1, 2.5]`."""
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(to_yaml, value))}]"
    return value if isinstance(value, str) else json.dumps(value).removesuffix(".0")


def link(terms: Sequence[LossTerm]) -> str:
    """Return how probabilities follow from the logits: `softmax` if all terms agree, else the first other link."""
    return next((other for term in terms if (other := term_link(term)) != "softmax"), "softmax")


def term_link(term: LossTerm) -> str:
    """Return the link of one term, which a built-in loss with a base takes from it."""
    signature = find(term.name)
    return (
        find(term.hyperparameters["base"]).link
        if "base" in signature.hyperparameters and not signature.plugin
        else signature.link
    )


def needs_head(terms: Sequence[LossTerm]) -> str | None:
    """Return the head of the model that the terms need: `cosine`, or None for any."""
    return "cosine" if any("head_scale" in find(term.name).context for term in terms) else None
