"""Class form of the losses for `model.compile`: `lossbench.losses.get("focal", gamma=5)`.

Import this module before loading a saved model that was compiled with such a loss: that registers the class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras  # noqa: TID253  # the class derives from Keras; imported on first use

from lossbench import ops
from lossbench.errors import UsageError
from lossbench.losses.binding import bind
from lossbench.losses.expression import dump, parse, term_link
from lossbench.losses.registry import find, signatures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lossbench.losses.types import State, Tensor

EPSILON = 1e-7
"""Distance of probabilities from 0 and 1, as in Keras."""


def get(
    name: str | Sequence[Any] | Mapping[str, Any],
    *,
    reduction: str | None = "sum_over_batch_size",
    from_logits: bool = True,
    **hyperparameters: Any,
) -> CatalogueLoss:
    """Return a loss of the catalogue as a `keras.losses.Loss`.

    Args:
        name: Identifier, alias, preset, or a weighted list as in YAML: `["ce", {"name": "rce", "weight": 10}]`.
        reduction: Keras' reduction over a batch.
        from_logits: Whether the model returns logits; otherwise probabilities.
        **hyperparameters: Hyperparameters of the loss, and the context that it uses: `class_counts`,
            `transition_matrix`, `head_scale`, `epoch` (a number, or a `keras.Variable` that you update). Random numbers
            are drawn inside.

    Returns:
        The loss; it takes integer labels or one-hot targets. A label outside the classes raises a UsageError, and in
        compiled code makes the loss NaN.

    Raises:
        InvalidLossError: If name or hyperparameters are not valid.
        UsageError: If context that the loss uses is missing.

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
        raise UsageError(f"put the hyperparameters into the entries of the list {name!r}: {', '.join(hyperparameters)}")
    return CatalogueLoss(name, reduction, from_logits, **context)


@keras.saving.register_keras_serializable("lossbench")
class CatalogueLoss(keras.losses.Loss):  # type: ignore[misc]  # Keras has no type hints
    """Loss of the catalogue, or weighted sum of several, for Keras; computed in float32.

    State of a run (the counts of `seesaw`) is updated by every call, also in validation, and is reset when the loss is
    loaded.

    Args:
        loss: Value of `loss:` as in YAML.
        reduction: Keras' reduction over a batch.
        from_logits: Whether the model returns logits; otherwise probabilities.
        name: Name that Keras shows; by default that of the loss.
        **context: Context that the loss uses, e.g. `class_counts`.
    """

    def __init__(
        self,
        loss: object,
        reduction: str | None = "sum_over_batch_size",
        from_logits: bool = True,  # noqa: FBT001, FBT002  # as in Keras' own losses
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
                "from_logits=False: these losses compute probabilities in different ways; let the model return logits"
            )

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the losses of a batch without reduction, and update the state."""
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        targets, valid = _targets(y_true, y_pred.shape)
        logits = y_pred if self.from_logits else self._logits(y_pred)
        if not self._states:
            self._states = {key: _variable(state, y_pred.shape[-1]) for key, state in self._loss.states.items()}
        before = {key: ops.convert_to_tensor(variable) for key, variable in self._states.items()}
        losses, after = self._loss.step(targets, logits, before, **self._call_context(logits))
        for key, variable in self._states.items():
            variable.assign(after[key])
        return losses if valid is None else losses * _one_or_nan(valid, losses)

    def _call_context(self, logits: Tensor) -> dict[str, Tensor]:
        """Return the context that changes during training."""
        variables = {key: ops.convert_to_tensor(self.context[key]) for key in self._loss.context & self.context.keys()}
        draws = {"uniform": keras.random.uniform(ops.shape(logits), seed=self._draws)} if self._draws else {}
        return variables | draws

    def _reject_unsupported(self) -> None:
        """Raise an error for losses that Keras cannot support."""
        if forgotten := [key for key, state in self._loss.states.items() if state.per_image]:
            name = self.terms[int(forgotten[0].split(".")[0])].name
            raise UsageError(
                f"loss {name!r} has state per image, and Keras does not pass the indices of the images: "
                "use `lossbench train`"
            )
        if missing := self._loss.context - self.context.keys() - {"uniform"}:
            raise UsageError(f"loss {self.name!r} needs {', '.join(missing)}: pass it by keyword")
        changing = sorted(self._loss.context | {key.partition(".")[2] for key in self._loss.states})
        if changing and keras.backend.backend() == "jax":
            raise UsageError(
                f"loss {self.name!r} changes while training ({', '.join(changing)}), but Keras on JAX does not update "
                "the variables of a loss: use Keras on TensorFlow or PyTorch"
            )

    def _logits(self, probabilities: Tensor) -> Tensor:
        """Return logits: log-odds for one-vs-rest, else log p, which equals them up to a shift."""
        p = ops.clip(probabilities, EPSILON, 1 - EPSILON if self._links == {"sigmoid"} else 1)
        return ops.log(p) - ops.log1p(-p) if self._links == {"sigmoid"} else ops.log(p)

    def get_config(self) -> dict[str, Any]:
        """Return plain values that restore the loss; a variable becomes its current value."""
        context = {key: _to_python(value) for key, value in self.context.items()}
        return {**super().get_config(), "loss": dump(self.terms), "from_logits": self.from_logits, **context}


def _targets(y_true: Tensor, shape: tuple[int | None, ...]) -> tuple[Tensor, Tensor | None]:
    """Return one-hot targets, and which labels are valid if they are integers and only known when compiled code runs.

    Args:
        y_true: Targets `[batch, classes]`, or integer labels `[batch]` or `[batch, 1]`.
        shape: Shape of the model's outputs.

    Raises:
        UsageError: If the shapes do not fit, or a label is not an integer from 0 to classes - 1.
    """
    if len(shape) != 2:  # noqa: PLR2004  # batch and classes
        raise UsageError(f"expected the model's outputs as [batch, classes], got shape {tuple(shape)}")
    images, classes = shape
    if len(y_true.shape) and None not in (given := y_true.shape[0], images) and given != images:
        raise UsageError(f"expected one label for each of {images} images, got {given}", parameter="y_true")
    if len(y_true.shape) == 2 and y_true.shape[-1] == classes:  # noqa: PLR2004  # batch and classes
        return y_true, None
    if len(y_true.shape) != 1 and y_true.shape[1:] != (1,):
        raise UsageError(
            f"expected labels [batch] or [batch, 1], or targets [batch, {classes}], got {tuple(y_true.shape)}"
        )
    labels = ops.cast(ops.reshape(y_true, (-1,)), "float32")  # int32 would wrap large labels
    valid = ops.logical_and(ops.logical_and(labels >= 0, labels < classes), labels == ops.floor(labels))
    one_hot = ops.one_hot(ops.cast(ops.where(valid, labels, 0.0), "int32"), classes)
    try:
        all_valid = bool(ops.all(valid))
    except TypeError:  # in compiled code, a tensor has no value yet
        return one_hot, valid
    if not all_valid:
        wrong = float(labels[ops.logical_not(valid)][0])
        reason = f"expected integer labels from 0 to {ops.shape(one_hot)[-1] - 1}, got {wrong:g}"
        raise UsageError(reason, parameter="y_true")
    return one_hot, None


def _one_or_nan(valid: Tensor, losses: Tensor) -> Tensor:
    """Return the factor of each loss, or of a scalar loss: NaN for labels that are not valid, else 1."""
    return ops.where(valid if len(losses.shape) else ops.all(valid), 1.0, float("nan"))


def _to_python(value: Any) -> Any:
    return ops.convert_to_numpy(value).tolist()


def _is_variable(value: Any) -> bool:
    return isinstance(value, keras.Variable)


def _variable(state: State, classes: int) -> Any:
    """Return a state of the run as a variable."""
    shape = tuple({"classes": classes}[axis] for axis in state.shape)
    return keras.Variable(keras.initializers.Constant(state.initial), shape, "float32", trainable=False)
