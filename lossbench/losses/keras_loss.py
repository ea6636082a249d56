"""The catalogue for anyone's `model.compile`: `lossbench.losses.get("focal", gamma=5)`.

To load a saved model that was compiled with such a loss, import this module first: that registers the class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras  # noqa: TID253  # the class is Keras' own form; nothing imports this module unless it is context_names for

from lossbench import ops
from lossbench.errors import UsageError
from lossbench.losses.binding import bind
from lossbench.losses.expression import dump, parse, term_link
from lossbench.losses.registry import find, signatures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lossbench.losses.types import State, Tensor

EPSILON = 1e-7
"""Keras' own bound for probabilities, in 0 and in 1."""


def get(
    name: str | Sequence[Any] | Mapping[str, Any],
    *,
    reduction: str | None = "sum_over_batch_size",
    from_logits: bool = True,
    **hyperparameters: Any,
) -> CatalogueLoss:
    """A loss of the catalogue as a `keras.losses.Loss`.

    Args:
        name: Identifier, alias, preset, or a weighted list as in YAML: `["ce", {"name": "rce", "weight": 10}]`.
        reduction: How Keras reduces the losses of a batch.
        from_logits: Whether the model emits logits; if not, probabilities.
        **hyperparameters: The loss's own, and what it asks its surroundings for: `class_counts`, `transition_matrix`,
            `head_scale`, `epoch` (a number, or a `keras.Variable` that you advance). Draws are made inside.

    Returns:
        The loss; it takes integer labels or one-hot targets.

    Raises:
        InvalidLossError: If name or hyperparameters are not valid.
        UsageError: If something that the loss asks for is missing.

    Example:
        >>> loss = get("focal", gamma=5)
        >>> round(float(loss(ops.arange(3), ops.eye(3))), 4)
        0.0075
    """
    known = {context for signature in signatures().values() for context in signature.context}
    context = {key: hyperparameters.pop(key) for key in sorted(known & set(hyperparameters))}
    if isinstance(name, str):
        return CatalogueLoss({"name": name, **hyperparameters}, reduction, from_logits, **context)
    if hyperparameters:
        raise UsageError(
            f"hyperparameters stand in the entries of {name!r}, not beside it: {', '.join(hyperparameters)}"
        )
    return CatalogueLoss(name, reduction, from_logits, **context)


@keras.saving.register_keras_serializable("lossbench")
class CatalogueLoss(keras.losses.Loss):  # type: ignore[misc]  # Keras has no type hints
    """A loss of the catalogue, or a weighted sum of several, as Keras wants it: computed in float32.

    What it remembers of the run (`seesaw`'s counts) is updated by every call, those of validation too, and begins anew
    when the loss is loaded.

    Args:
        loss: What `loss:` may say in YAML.
        reduction: How Keras reduces the losses of a batch.
        from_logits: Whether the model emits logits; if not, probabilities.
        name: The name that Keras shows; that of the loss if none is given.
        **context: What the loss asks its surroundings for, such as `class_counts`.
    """

    def __init__(
        self,
        loss: object,
        reduction: str | None = "sum_over_batch_size",
        from_logits: bool = True,  # noqa: FBT001, FBT002  # Keras' name and place for it
        name: str | None = None,
        **context: Any,
    ) -> None:
        self.terms = parse(loss)
        super().__init__(name or "_".join(term.name for term in self.terms), reduction, dtype="float32")
        context_names = {key for term in self.terms for key in find(term.name).context}
        self.context = {key: value for key, value in context.items() if key in context_names}
        self.from_logits = from_logits
        constant = {key: _to_python(value) for key, value in self.context.items() if not _is_variable(value)}
        self._loss = bind(self.terms, **constant)
        self._reject_unsupported()
        self._draws = keras.random.SeedGenerator() if "uniform" in self._loss.context else None
        self._states: dict[str, Any] = {}
        self._links = {term_link(term) for term in self.terms}
        if not from_logits and "sigmoid" in self._links and len(self._links) > 1:
            raise UsageError(
                "from_logits=False: these losses read probabilities in different ways; let the model emit logits"
            )

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """The losses of a batch, not yet reduced; what the loss remembers of the run is brought up to date."""
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        targets = _targets(y_true, y_pred.shape)
        logits = y_pred if self.from_logits else self._logits(y_pred)
        if not self._states:
            self._states = {key: _variable(state, y_pred.shape[-1]) for key, state in self._loss.states.items()}
        before = {key: ops.convert_to_tensor(variable) for key, variable in self._states.items()}
        losses, after = self._loss.step(targets, logits, before, **self._call_context(logits))
        for key, variable in self._states.items():
            variable.assign(after[key])
        return losses

    def _call_context(self, logits: Tensor) -> dict[str, Tensor]:
        """What changes while training."""
        variables = {key: ops.convert_to_tensor(self.context[key]) for key in self._loss.context & self.context.keys()}
        draws = {"uniform": keras.random.uniform(ops.shape(logits), seed=self._draws)} if self._draws else {}
        return variables | draws

    def _reject_unsupported(self) -> None:
        """Refuse what a Keras loss cannot do, before it does something else."""
        if forgotten := [key for key, state in self._loss.states.items() if state.per_image]:
            name = self.terms[int(forgotten[0].split(".")[0])].name
            raise UsageError(
                f"loss {name!r} remembers something of each image, and Keras does not tell a loss which image is "
                "which: use `lossbench train`"
            )
        if missing := self._loss.context - self.context.keys() - {"uniform"}:
            raise UsageError(f"loss {self.name!r} needs {', '.join(missing)}: pass it by keyword")
        changing = sorted(self._loss.context | {key.partition(".")[2] for key in self._loss.states})
        if changing and keras.backend.backend() == "jax":
            raise UsageError(
                f"loss {self.name!r} changes while training ({', '.join(changing)}), and Keras on JAX holds every "
                "variable of a loss fixed: use Keras on TensorFlow or PyTorch"
            )

    def _logits(self, probabilities: Tensor) -> Tensor:
        """Log-odds for one-vs-rest, else log p, which is logits up to a shift."""
        p = ops.clip(probabilities, EPSILON, 1 - EPSILON if self._links == {"sigmoid"} else 1)
        return ops.log(p) - ops.log1p(-p) if self._links == {"sigmoid"} else ops.log(p)

    def get_config(self) -> dict[str, Any]:
        """Plain values from which the same loss is made again; a variable as the number that it holds."""
        context = {key: _to_python(value) for key, value in self.context.items()}
        return {**super().get_config(), "loss": dump(self.terms), "from_logits": self.from_logits, **context}


def _targets(y_true: Tensor, shape: tuple[int | None, ...]) -> Tensor:
    """One-hot targets, from targets `[batch, classes]` or integer labels `[batch]` or `[batch, 1]`."""
    if len(shape) != 2:  # noqa: PLR2004  # batch and classes
        raise UsageError(f"expected the model's outputs as [batch, classes], got shape {tuple(shape)}")
    classes = shape[-1]
    if len(y_true.shape) == 2 and y_true.shape[-1] == classes:  # noqa: PLR2004  # batch and classes
        return y_true
    if len(y_true.shape) == 1 or y_true.shape[1:] == (1,):
        return ops.one_hot(ops.cast(ops.reshape(y_true, (-1,)), "int32"), classes)
    raise UsageError(f"expected labels [batch] or [batch, 1], or targets [batch, {classes}], got {tuple(y_true.shape)}")


def _to_python(value: Any) -> Any:
    return ops.convert_to_numpy(value).tolist()


def _is_variable(value: Any) -> bool:
    return isinstance(value, keras.Variable)


def _variable(state: State, classes: int) -> Any:
    """What is remembered of the run, as a variable."""
    shape = tuple({"classes": classes}[axis] for axis in state.shape)
    return keras.Variable(keras.initializers.Constant(state.initial), shape, "float32", trainable=False)
