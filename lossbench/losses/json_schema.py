"""JSON Schema of the value of `loss:`, for editors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lossbench.losses.expression import WEIGHT
from lossbench.losses.presets import PRESETS
from lossbench.losses.registry import find, names, signatures
from lossbench.losses.signature import IN_FILE, INPUT_FORMS, REQUIRED
from lossbench.losses.values import schema_of

if TYPE_CHECKING:
    from lossbench.losses.signature import Hyperparameter, LossSignature


def json_schema() -> dict[str, Any]:
    """Return the schema: a name, a mapping with the hyperparameters of one loss, or a list of these."""
    one = [{"type": "string", "enum": list(names())}, *map(_mapping, signatures().values()), _weighted_lists()]
    return {
        "description": "A loss: its name, a mapping with 'name' and hyperparameters, or a weighted list of these.",
        "anyOf": [*one, {"type": "array", "minItems": 1, "items": {"anyOf": one}}],
    }


def _mapping(signature: LossSignature) -> dict[str, Any]:
    presets = [name for name, preset in PRESETS.items() if isinstance(preset, dict) and find(name) is signature]
    input_forms = {key: {"enum": list(INPUT_FORMS[key])} for key in signature.input_form_keys}
    hyperparameters = {name: _property(hyperparameter) for name, hyperparameter in signature.hyperparameters.items()}
    return {
        "type": "object",
        "description": signature.summary,
        "properties": {
            "name": {"enum": [signature.name, *signature.aliases, *presets]},
            signature.weight_key: _property(WEIGHT),
            **hyperparameters,
            **input_forms,
        },
        "required": ["name", *(h.name for h in signature.hyperparameters.values() if h.default is REQUIRED)],
        "additionalProperties": False,
    }


def _weighted_lists() -> dict[str, Any]:
    """Return the schema of presets for several losses, which take only a weight."""
    return {
        "type": "object",
        "description": "A named weighted list of losses.",
        "properties": {
            "name": {"enum": [name for name, preset in PRESETS.items() if isinstance(preset, list)]},
            "weight": _property(WEIGHT),
        },
        "required": ["name"],
        "additionalProperties": False,
    }


def _property(hyperparameter: Hyperparameter) -> dict[str, Any]:
    described = schema_of(hyperparameter.annotation) | {"description": hyperparameter.description}
    default = hyperparameter.plain_default
    return described if default is REQUIRED or default is IN_FILE else described | {"default": default}
