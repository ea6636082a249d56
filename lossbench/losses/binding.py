"""Binding: validated terms and context become a function of targets and logits."""

from __future__ import annotations

import inspect
from contextlib import ExitStack, contextmanager, nullcontext
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from lossbench import ops
from lossbench.errors import UsageError
from lossbench.losses.registry import find
from lossbench.losses.signature import engine_parameters
from lossbench.losses.types import Context, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from lossbench.losses.expression import LossTerm
    from lossbench.losses.signature import LossSignature
    from lossbench.losses.types import Tensor


def bind(terms: Sequence[LossTerm], **context: Any) -> BoundLoss:
    """Bind the weighted sum of the terms to its context.

    Args:
        terms: Loss terms, as `parse` returns them.
        **context: Context of the losses, e.g. `class_counts`; unused entries are ignored. Context that changes during
            training, `epoch` and `uniform`, may be passed with each call instead.

    Returns:
        A function of targets `[batch, classes]` and logits `[batch, classes]` that returns `[batch]`, or a scalar if
        every term couples the batch. It computes in float32.

    Raises:
        UsageError: If `context` lacks something that a loss uses, or holds a value that it cannot use.
        PluginError: If a user's loss fails, now or when the function is called.
    """
    return BoundLoss([bind_term(term, context) for term in terms])


class BoundLoss:
    """Weighted sum of losses with bound hyperparameters and context.

    Attributes:
        context: Names of the context that each call has to pass by keyword: `epoch`, `uniform`, or none.
        states: Marks of the states, by term and parameter: `0.memory`.
    """

    def __init__(self, terms: Sequence[BoundTerm]) -> None:
        self._terms = {f"{index}.": term for index, term in enumerate(terms)}
        self.context = frozenset(name for term in terms for name in term.call_context)
        self.states = {key + name: state for key, term in self._terms.items() for name, state in term.states.items()}

    @property
    def functions(self) -> dict[str, Callable[..., Any]]:
        """The function or instance of each term that a user's file defines."""
        number = len(self._terms) > 1
        return {
            f"{key * number}{term.signature.name}": term.function
            for key, term in self._terms.items()
            if term.signature.execution
        }

    @contextmanager
    def surroundings(self) -> Iterator[None]:
        """Keep the modules of the users' files importable and what they print out of stdout, in compiled code too."""
        with ExitStack() as stack:
            for term in self._terms.values():
                if term.signature.execution:
                    stack.enter_context(term.signature.execution.surroundings())
            yield

    def __call__(self, y_true: Tensor, y_pred: Tensor, **context: Tensor) -> Tensor:
        """Compute the losses of a batch.

        Raises:
            UsageError: If something of `context` is missing, or the loss has state and needs `step`.
        """
        return self.step(y_true, y_pred, {}, **context)[0]

    def step(
        self, y_true: Tensor, y_pred: Tensor, states: Mapping[str, Tensor], **context: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the losses of a batch and the states after it.

        Args:
            y_true: Targets `[batch, classes]`.
            y_pred: Logits `[batch, classes]`.
            states: States before the batch, by the keys of `self.states`; of a per-image state the rows of the batch.
            **context: Values for the names in `self.context`.

        Returns:
            The losses, `[batch]` or a scalar, and the new states, in the same form.

        Raises:
            UsageError: If something of `states` or `context` is missing.
        """
        if missing := [*self.context - context.keys(), *(key for key in self.states if key not in states)]:
            raise UsageError(f"this loss needs {', '.join(missing)} with every call")
        y_true, y_pred = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        losses: list[Tensor] = []
        after: dict[str, Tensor] = {}
        for key, term in self._terms.items():
            before = {name: states[key + name] for name in term.states}
            values, remembered = term(y_true, y_pred, before, context)
            losses.append(term.term.weight * values)
            after |= {key + name: value for name, value in remembered.items()}
        return sum(losses), after


@dataclass(frozen=True, eq=False)
class BoundTerm:
    """One loss with bound hyperparameters and context, which gets labels and outputs in the form that it takes.

    Attributes:
        call_context: Context that each call has to pass.
        context_shapes: Shapes of the bound context, to compare with the number of classes.
    """

    signature: LossSignature
    term: LossTerm
    function: Callable[..., Any]
    call_context: Mapping[str, Context]
    states: Mapping[str, State]
    context_shapes: Mapping[str, tuple[int, ...]]

    def __call__(
        self, y_true: Tensor, y_pred: Tensor, states: Mapping[str, Tensor], context: Mapping[str, Any]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the losses of a batch, without the weight of the term, and the new states."""
        self._check_shapes(y_pred.shape[-1])
        if (self.term.labels or self.signature.labels) == "integer":
            y_true = ops.cast(ops.argmax(y_true, axis=-1), "int32")
        if not takes_logits(self.term):
            y_pred = ops.sigmoid(y_pred) if self.signature.link == "sigmoid" else ops.softmax(y_pred)
        filled_in = {name: ops.cast(context[name], "float32") for name in self.call_context}
        with _users_code(self.signature):
            returned = self.function(y_true, y_pred, **filled_in, **states)
            losses, after = returned if self.states else (returned, dict[str, Any]())
            return _in_float32(losses), {name: after[name] for name in self.states}

    def _check_shapes(self, classes: int) -> None:
        for name, shape in self.context_shapes.items():
            if any(size != classes for size in shape):
                got, expected = (" × ".join(map(str, sizes)) for sizes in (shape, [classes] * len(shape)))
                raise UsageError(f"loss {self.signature.name!r}: {name}: expected {expected} numbers, got {got}")


def _in_float32(losses: Any) -> Any:
    """Return the losses in float32 if they are floats of another precision."""
    is_float = ops.is_tensor(losses) and "float" in ops.dtype(losses)
    return ops.cast(losses, "float32") if is_float else losses


def bind_term(term: LossTerm, context: Mapping[str, Any]) -> BoundTerm:
    """Bind one term to its hyperparameters and context.

    Raises:
        UsageError: If `context` lacks something that the loss uses, or holds a value that it cannot use.
        PluginError: If a user's loss fails.
    """
    signature = find(term.name)
    used = signature.used_context(term.hyperparameters)
    given = {name: mark for name, mark in used.items() if context.get(name) is not None}
    absent = {name: mark for name, mark in used.items() if name not in given and not signature.has_default(name)}
    if missing := [name for name, mark in absent.items() if not mark.changes]:
        raise UsageError(f"loss {signature.name!r} needs {', '.join(missing)}: pass it by keyword")
    filled_in = {name: _context_tensor(signature, name, mark, context[name]) for name, mark in given.items()}
    with _users_code(signature):
        function = _build_function(signature, {**_arguments(signature, term), **filled_in})
    return BoundTerm(
        signature=signature,
        term=term,
        function=function,
        call_context=absent,
        states={name: mark for name, mark in engine_parameters(signature.function).items() if isinstance(mark, State)},
        context_shapes={name: tuple(filled_in[name].shape) for name, mark in given.items() if not mark.changes},
    )


def _context_tensor(signature: LossSignature, name: str, mark: Context, value: Any) -> Tensor:
    if not mark.changes:
        array = ops.convert_to_numpy(value)
        if array.ndim != len(mark.shape):
            expected = f"[{', '.join(mark.shape)}]" if mark.shape else "a number"
            raise UsageError(f"loss {signature.name!r}: {name}: expected {expected}, got the shape {list(array.shape)}")
        if reason := mark.find_problem(array):
            raise UsageError(f"loss {signature.name!r}: {name}: {reason}")
    return ops.convert_to_tensor(value, dtype="float32")


def _arguments(signature: LossSignature, term: LossTerm) -> dict[str, Any]:
    """Return the hyperparameters as Python objects, and what else the engine fills in.

    A default of a user's loss is not passed, so that the loss has it as its author wrote it; of one that the loss could
    change, e.g. a list, it gets a copy.
    """
    arguments = {
        name: signature.hyperparameters[name].python_value(value)
        for name, value in term.hyperparameters.items()
        if not signature.plugin or not signature.hyperparameters[name].is_default(value)
    }
    written = inspect.signature(signature.function).parameters if signature.plugin else {}
    copies = {
        name: deepcopy(written[name].default)
        for name in signature.hyperparameters
        if name in written and name not in arguments and _is_mutable(written[name].default)
    }
    return {**arguments, **copies, **_filled_in(signature, term)}


def _is_mutable(default: object) -> bool:
    return isinstance(default, list | dict | set) or type(default).__module__ == "numpy"


def _filled_in(signature: LossSignature, term: LossTerm) -> dict[str, Any]:
    """Return the arguments that follow from `outputs`, and those that Keras' constructor requires."""
    values = {
        "from_logits": takes_logits(term),
        "name": signature.name,
        "reduction": "sum_over_batch_size",
        "dtype": "float32",
    }
    return {name: values[name] for name in signature.filled_in}


def takes_logits(term: LossTerm) -> bool:
    """Return whether the loss of a term gets logits; otherwise it gets probabilities."""
    return (term.outputs or find(term.name).outputs) == "logits"


def _build_function(signature: LossSignature, parameters: Mapping[str, Any]) -> Callable[..., Any]:
    if signature.form == "function":
        return partial(signature.function, **parameters)
    made: Any = _copy(signature.function) if signature.form == "instance" else signature.function(**parameters)
    if signature.form in ("class", "instance"):
        made.reduction = "none"  # the training step reduces, once
    return made  # type: ignore[no-any-return]  # the return type of a user's factory is unknown


def _copy(instance: Any) -> Any:
    """Return a Keras loss with the same attributes; Keras' own copy would call the constructor again."""
    made = object.__new__(type(instance))
    vars(made).update(vars(instance))
    return made


def _users_code(signature: LossSignature) -> AbstractContextManager[None]:
    return signature.execution.active() if signature.execution else nullcontext()
