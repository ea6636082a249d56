"""Loss expressions: the value of `loss:`, a name, a mapping with hyperparameters, or a weighted list of these."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lossbench.errors import PluginError, Problem, UsageError, did_you_mean
from lossbench.losses.other_names import HYPERPARAMETERS
from lossbench.losses.plain_data import has_typed_keys, same, to_flow, to_yaml, whole_floats_as_integers
from lossbench.losses.presets import PRESETS
from lossbench.losses.registry import check_usable, find, signatures
from lossbench.losses.signature import (
    IN_FILE,
    INPUT_FORMS,
    REQUIRED,
    Hyperparameter,
    LossSignature,
    canonical,
)
from lossbench.losses.types import Positive
from lossbench.losses.values import FromFile
from lossbench.losses.wrong_form import right_form

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

WEIGHT = Hyperparameter("weight", Positive, 1.0, "a number", "> 0", "The loss's share of the sum.")
"""Key that every loss takes in addition to its hyperparameters."""

RESERVED = ("name", "weight", "reduction", "from_logits", *INPUT_FORMS)
"""Keys that are no hyperparameters of lossbench's own losses, because the engine or the notation uses them."""

DEFAULT_LOSS = "categorical_crossentropy"


class InvalidLossError(UsageError):
    """Invalid value of `loss:`; the paths of `problems` start at that value."""

    def __init__(self, problems: list[Problem]) -> None:
        lines = [": ".join((*map(str, problem.path[:-1]), problem.message)) for problem in problems]
        super().__init__("\n".join(lines), mentions=("plugins",))
        self.problems = problems


@dataclass(frozen=True)
class LossTerm:
    """One loss of a weighted sum.

    Attributes:
        name: Canonical name.
        weight: Factor.
        hyperparameters: All hyperparameters as plain data, but for defaults that YAML cannot express.
        labels: Form of the targets that YAML sets for a user's loss.
        outputs: Form of the predictions that YAML sets for a user's loss.
    """

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
    try:
        check_usable(name)
        signature = None if name in PRESETS else find(name)
    except UsageError as error:
        unknown = "" if isinstance(error, PluginError) else name
        raise InvalidLossError([Problem(name_path, str(error), unknown_loss=unknown)]) from None
    if signature is None:
        return _parse_preset(name, given)
    input_forms = {key: given.pop(key) for key in signature.input_form_keys if key in given}
    problems = [*_input_form_problems(input_forms), *_key_problems(signature, given)]
    weight = _validate([replace(WEIGHT, name=signature.weight_key)], given, problems)
    hyperparameters = _validate(signature.hyperparameters.values(), given, problems)
    if problems:
        raise InvalidLossError(problems)
    return (LossTerm(signature.name, weight[signature.weight_key], hyperparameters, **input_forms),)


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
    engine = {*RESERVED, *signature.states, *(name for other in signatures().values() for name in other.context)}
    keys = (*signature.hyperparameters, signature.weight_key)
    takes = (
        f"It takes {', '.join(signature.hyperparameters)}"
        if signature.hyperparameters
        else "It takes no hyperparameters"
    )
    for key in given:
        if key in keys:
            continue
        if key == "from_logits" and signature.plugin:
            yield Problem(
                (key,), f"{key!r} is not set in YAML: the engine fills it in by the outputs; {_outputs(signature)}"
            )
        elif key in engine:
            yield Problem((key,), f"{key!r} is not set in YAML: the engine fills it in")
        else:
            near = _meant(str(key), keys) or "."
            yield Problem((key,), f"unknown key {reprlib.repr(key)} in loss {signature.name!r}{near} {takes}")


def _meant(key: str, keys: Sequence[str]) -> str:
    """Return the suggestion for an unknown key: its name here if other libraries have it, else a similar key."""
    if key not in HYPERPARAMETERS:
        return did_you_mean(key, keys)
    renamed = next((here for here in HYPERPARAMETERS[key] if here in keys), None)
    return f"; did you mean {renamed!r}?" if renamed else ""


def _outputs(signature: LossSignature) -> str:
    """Return how a user sets the form of the predictions that a loss takes."""
    if "outputs" in signature.input_form_keys:
        return "write outputs: logits, or outputs: probabilities"
    return f"set {signature.name}.outputs in the file to 'logits' or 'probabilities'"


def _validate(
    hyperparameters: Iterable[Hyperparameter], given: Mapping[str, Any], problems: list[Problem]
) -> dict[str, Any]:
    """Return every hyperparameter, given or default, as plain data; append the problems."""
    values = {}
    for hyperparameter in hyperparameters:
        name = hyperparameter.name
        value = given.get(name, hyperparameter.plain_default)
        if value is REQUIRED:
            required = f"{name!r} is required: {hyperparameter.expected}"
            problems.append(Problem((), required + _factor_hint(hyperparameter)))
        elif value is not IN_FILE:
            try:
                values[name] = canonical(hyperparameter, value)
            except ValueError:
                if isinstance(hyperparameter.annotation, FromFile):
                    problems.append(Problem((name,), f"{IN_FILE}, as YAML cannot express it; change it there"))
                    continue
                got = f"expected {hyperparameter.expected}, got {reprlib.repr(value)}"
                problems.append(Problem((name,), got + _factor_hint(hyperparameter)))
    return values


def _factor_hint(hyperparameter: Hyperparameter) -> str:
    """Return what a value of a parameter called `weight` may have been meant for."""
    if hyperparameter.name != "weight" or hyperparameter.description == WEIGHT.description:
        return ""
    return "; this is a parameter of the loss, whose factor in a sum is 'term_weight'"


def default_terms() -> tuple[LossTerm, ...]:
    """Return the terms of the loss that a configuration without `loss:` trains."""
    signature = find(DEFAULT_LOSS)
    return (LossTerm(DEFAULT_LOSS, 1.0, {h.name: h.plain_default for h in signature.hyperparameters.values()}),)


def dump(terms: Sequence[LossTerm]) -> object:
    """Return the terms as a YAML value with all hyperparameters: `parse(dump(terms)) == terms`."""
    entries = [_entry(term, term.hyperparameters, weighted=len(terms) > 1 or term.weight != 1) for term in terms]
    return entries if len(entries) > 1 else entries[0]


def identity(terms: Sequence[LossTerm]) -> object:
    """Return the terms as JSON that is equal for equal losses.

    It is the value of `dump`, but for hyperparameters of which JSON would lose the types: these are text, in YAML.
    """
    entries = [
        _entry(
            term,
            {
                name: {"yaml": to_flow(value)} if has_typed_keys(value) or is_2_not_2_0(term, name) else value
                for name, value in term.hyperparameters.items()
            },
            weighted=len(terms) > 1 or term.weight != 1,
        )
        for term in terms
    ]
    return entries if len(entries) > 1 else entries[0]


def _entry(term: LossTerm, hyperparameters: Mapping[str, Any], *, weighted: bool) -> dict[str, Any]:
    weight = {find(term.name).weight_key: term.weight} if weighted else {}
    input_forms = {key: getattr(term, key) for key in INPUT_FORMS if getattr(term, key) is not None}
    return {"name": term.name, **weight, **hyperparameters, **input_forms}


def is_2_not_2_0(term: LossTerm, name: str) -> bool:
    """Return whether a value holds a whole float that a user's loss tells from the integer, as it takes both."""
    signature, value = find(term.name), term.hyperparameters[name]
    hyperparameter, whole = signature.hyperparameters[name], whole_floats_as_integers(value)
    if not signature.plugin or hyperparameter.is_default(value) or same(whole, value):
        return False
    return not same(canonical(hyperparameter, whole), value)


def link(terms: Sequence[LossTerm]) -> str:
    """Return how probabilities follow from the logits: `softmax` if all terms agree, else the first other link."""
    return next((other for term in terms if (other := term_link(term)) != "softmax"), "softmax")


def term_link(term: LossTerm) -> str:
    """Return the link of one term: a built-in loss has that of its base, one that gets probabilities has softmax."""
    signature = find(term.name)
    if "base" in signature.hyperparameters and not signature.plugin:
        return find(term.hyperparameters["base"]).link
    gets_probabilities = (term.outputs or signature.outputs) == "probabilities"
    return "softmax" if gets_probabilities and signature.link == "none" else signature.link


def needs_head(terms: Sequence[LossTerm]) -> str | None:
    """Return the head of the model that the terms need: `cosine`, or None for any."""
    return "cosine" if any("head_scale" in find(term.name).context for term in terms) else None
