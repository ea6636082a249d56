"""Trial of a user's loss: its compiled gradient on ordinary logits, and in other forms of its inputs."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from lossbench import ops
from lossbench.errors import PluginError, UsageError
from lossbench.losses import registry
from lossbench.losses.advice import explain
from lossbench.losses.behaviour import PUSHED_DOWN, fault_of_logits, is_sound, observe
from lossbench.losses.binding import bind_term
from lossbench.losses.result_check import check_result, definition
from lossbench.losses.signature import INPUT_FORMS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lossbench.losses.behaviour import Array, Behaviour, Gradient
    from lossbench.losses.binding import BoundTerm
    from lossbench.losses.expression import LossTerm
    from lossbench.losses.signature import LossSignature
    from lossbench.losses.types import Tensor

    Differentiate: TypeAlias = Callable[[Callable[[Tensor, Tensor], Tensor], int], Gradient]
    """Function of a loss and the number of classes that returns the gradient of the loss."""

EPOCHS = (0.0, 1.0, 100.0)
"""Epochs at which a loss that depends on the epoch is differentiated, until it has a gradient."""


@dataclass(frozen=True)
class Trial:
    """Trial of a user's loss: its behaviour in the form of inputs that it gets, and in other forms."""

    term: LossTerm
    classes: int
    context: Mapping[str, Any]
    differentiate: Differentiate

    @property
    def signature(self) -> LossSignature:
        """Record of the loss."""
        return registry.find(self.term.name)

    @property
    def forms(self) -> dict[str, str]:
        """Forms of the inputs that the loss gets, by key."""
        return {key: getattr(self.term, key) or getattr(self.signature, key) for key in INPUT_FORMS}

    def check(self) -> Behaviour:
        """Return the behaviour of the loss.

        Raises:
            PluginError: If the loss fails, or needs its inputs in another form.
        """
        try:
            check_result(self.term, self.classes, self.context)
            own = self.observe()
        except PluginError:
            self._suggest(self._working_form())
            raise
        self.compare_outputs(own)
        if own.pushed_down >= PUSHED_DOWN:
            self._suggest(self._working_form())
        return own

    def observe(self) -> Behaviour:
        """Observe the behaviour of the compiled loss.

        Raises:
            PluginError: If it cannot be compiled or run.
        """
        bound = bind_term(self.term, self.context)
        for epoch in EPOCHS:
            behaviour = observe(self._gradient(_of_batch(bound, self.classes, epoch)), self.classes)
            if behaviour.has_gradient or "epoch" not in bound.call_context:
                break
        return behaviour

    def _gradient(self, loss: Callable[[Tensor, Tensor], Tensor]) -> Gradient:
        """Return the gradient of the loss, which reports errors as those of the user's file."""
        gradient = self.differentiate(loss, self.classes)

        def reporting(y_true: Array, y_pred: Array) -> tuple[Array, Array]:
            try:
                return gradient(y_true, y_pred)
            except PluginError as error:
                if re.search(r"\bNone(Type)?\b", str(error)):
                    advice = "y_pred.shape[0] is None in the compiled training step: use ops.shape(y_pred)[0]"
                    raise PluginError(f"{error}; {advice}") from error
                raise
            except Exception as error:  # raised while the compiled function runs, outside the user's code
                raise self.error(explain(error)) from error

        return reporting

    def error(self, words: str) -> PluginError:
        """Return an error about the loss, with the line of its definition."""
        return PluginError(f"{definition(self.signature)}: the loss {self.term.name!r}: {words}")

    def is_switched_off(self) -> bool:
        """Return whether a hyperparameter is 0, which may leave nothing of one term of a sum."""
        return any(type(value) in (int, float) and value == 0 for value in self.term.hyperparameters.values())

    def advice_on_gradient(self) -> str:
        """Return why there may be no gradient, and what to do."""
        if self.is_switched_off():
            return " with these hyperparameters"
        return (
            ": argmax, round, comparisons, casts to integers, stop_gradient and NumPy functions have none; write the "
            "loss as a smooth function of y_pred"
        )

    def compare_outputs(self, own: Behaviour) -> None:
        """Compare the loss of logits with that of probabilities.

        Raises:
            PluginError: If it is wrong for logits but right for probabilities.
        """
        settled = "outputs" not in self._undeclared() or self.forms["outputs"] == "probabilities"
        if settled or "head_scale" in self.signature.context or not fault_of_logits(own):
            return
        of_probabilities = self._with(outputs="probabilities")
        try:
            fault = fault_of_logits(own, of_probabilities.observe())
        except UsageError:
            return
        if fault:
            raise self.error(
                f"on logits it {fault}, on probabilities it is sound: set {self._setting('outputs', 'probabilities')} "
                f"(or {self._setting('outputs', 'logits')} if it is meant so)"
            )

    def _setting(self, key: str, value: str) -> str:
        """Return how to choose the form of an input: in YAML, unless a parameter of the loss has this name."""
        has_parameter = key in self.signature.hyperparameters
        return f'`{self.term.name}.{key} = "{value}"` in the file' if has_parameter else f"`{key}: {value}`"

    def _undeclared(self) -> list[str]:
        """Return the keys of the input forms that neither the configuration nor the user's file sets."""
        return [
            key
            for key in INPUT_FORMS
            if getattr(self.term, key) is None and not isinstance(getattr(self.signature.function, key, None), str)
        ]

    def _with(self, **forms: Any) -> Trial:
        return replace(self, term=replace(self.term, **forms))

    def _working_form(self) -> dict[str, str]:
        """Return the keys to set for which the loss works with integer labels; none if it does not."""
        if "labels" not in self._undeclared() or self.forms["labels"] == "integer":
            return {}
        integer = {"labels": "integer"}
        for form in [integer, {**integer, "outputs": "probabilities"}][: 1 + ("outputs" in self._undeclared())]:
            other = self._with(**form)
            try:
                check_result(other.term, self.classes, self.context)
                behaviour = other.observe()
                other.compare_outputs(behaviour)
            except UsageError:
                continue
            if is_sound(behaviour):
                return form
        return {}

    def _suggest(self, form: Mapping[str, str]) -> None:
        if form:
            keys = " and ".join(self._setting(key, value) for key, value in form.items())
            inputs = "integer labels" + (" and probabilities" if "outputs" in form else "")
            raise self.error(f"it works with {inputs}, not with one-hot targets: set {keys}") from None


def _of_batch(bound: BoundTerm, classes: int, epoch: float) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a term as a function of targets and logits, with initial states and stand-ins for changing context."""

    def loss(y_true: Tensor, y_pred: Tensor) -> Tensor:
        y_true, y_pred = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        sizes = {"images": ops.shape(y_pred)[0], "classes": classes}
        states = {name: state.initialize(**sizes) for name, state in bound.states.items()}
        changing = {"epoch": ops.convert_to_tensor(epoch), "uniform": _stand_in_draws(y_pred)}
        return bound(y_true, y_pred, states, {name: changing[name] for name in bound.call_context})[0]

    return loss


def _stand_in_draws(y_pred: Tensor) -> Tensor:
    """Return numbers in [0, 1] of the shape of the logits that vary like random ones."""
    return ops.stop_gradient(ops.abs(ops.sin(1e3 * y_pred)))
