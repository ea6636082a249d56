"""Check that a user's loss depends on nothing but what a checkpoint holds.

Two copies of the loss compute the same batch; one of them has computed another batch before, and its variables have
been reset since then. Python objects that change between calls, random numbers that depend on earlier ones, and
operations with state of their own are refused before training.
"""

from __future__ import annotations

import io
import time
from contextlib import contextmanager, redirect_stderr
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from lossbench.errors import PluginError
from lossbench.losses import python_state
from lossbench.losses.binding import bind
from lossbench.losses.in_memory import InMemoryExecution
from lossbench.losses.registry import find
from lossbench.losses.trial_call import try_call
from lossbench.losses.user_code import report_user_errors
from lossbench.training.differentiate import differentiate
from lossbench.training.user_loss import Variables, is_users, renew

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from lossbench.losses.expression import LossTerm

USE_STATE = "keep it in a tf.Variable, or declare it with `State`: lossbench guide own-loss"
USE_OWN_VARIABLE = "create it in the file of the loss, or declare it with `State`: lossbench guide own-loss"
USE_FILE = (
    "put the loss in a file, create the variable in a constructor or factory, or declare it with `State`: "
    "lossbench guide own-loss"
)
USE_UNIFORM = "draw by keras.random, or declare `uniform: Uniform`: lossbench guide own-loss"
CALLS, FEWEST_CALLS, SECONDS = 30, 8, 0.1
"""How often a loss computes the same batch, to find a counter that no snapshot shows; fewer calls if they are slow."""

STATEFUL = ("LookupTableInsert", "LookupTableRemove", "QueueEnqueue", "QueueDequeue", "IteratorGetNext", "Timestamp")
"""First letters of TensorFlow's operations with state that no variable holds."""


def try_loss(terms: Sequence[LossTerm], classes: int, context: Mapping[str, Any], seed: int) -> None:
    """Call a loss before training, and check a user's.

    Args:
        terms: Loss terms, as `parse` returns them.
        classes: Number of classes.
        context: Context of the losses, as for `bind`.
        seed: Seed of the trial.

    Raises:
        PluginError: If a user's loss fails, is unusable for training, or depends on state that cannot be saved.
        UsageError: If a hyperparameter does not fit the number of classes.
    """
    if not is_users(terms):
        return try_call(terms, classes, **context)
    with redirect_stderr(io.StringIO()):  # what the user's code prints follows once more when it is compiled
        renew(terms, seed)
        try_call(terms, classes, differentiate=differentiate, **context)
        check(terms, classes, context, seed)
    return None


def check(terms: Sequence[LossTerm], classes: int, context: Mapping[str, Any], seed: int) -> None:
    """Check that the numbers of a training do not depend on state that lossbench cannot save.

    Args:
        terms: Loss terms, as `parse` returns them.
        classes: Number of classes.
        context: Context of the losses, as for `bind`.
        seed: Seed of the trial.

    Raises:
        PluginError: If a loss keeps such state, or draws random numbers that cannot be drawn again.
    """
    first, second = _batch(classes, 1), _batch(classes, 2)
    with _eager_functions():
        used = _Copy(terms, context, seed)
        used.call(*first)
        used.variables.reset()
        before = used.snapshot()
        values = used.call(*second)
        used.refuse_changes(before)
        fresh = _Copy(terms, context, seed)  # only now, as it seeds what both draw from
        expected = fresh.call(*second)
        is_equal = values.tobytes() == expected.tobytes()
        is_repeatable = is_equal and fresh.repeats(*second)
    if problem := used.variables.find_problem():
        used.refuse(f"cannot be saved: {problem}")
    try:
        problem = fresh.find_operation_problem(classes)
    except PluginError:
        if is_repeatable:
            raise  # otherwise state in Python objects, refused below, may be what prevents compiling
    if problem:
        used.refuse(problem)
    if used.variables.start != fresh.variables.start:
        used.refuse(f"has variables that start with other values each time; {USE_UNIFORM}")
    if not is_repeatable:
        earlier = "some calls" if is_equal else "another batch"
        used.refuse(
            f"returns other numbers for the same batch after {earlier}. If it keeps state that is in no variable, "
            f"{used.use_state}. If it draws random numbers, {USE_UNIFORM}"
        )


class _Copy:
    """A loss from a new execution of its file, with its variables."""

    def __init__(self, terms: Sequence[LossTerm], context: Mapping[str, Any], seed: int) -> None:
        self.variables = Variables()
        with self.variables.recorded():
            renew(terms, seed)
            self._loss = bind(terms, **context)
        self.variables.keep()
        signatures = [find(term.name) for term in terms]
        self._executions = list(dict.fromkeys(each.execution for each in signatures if each.execution))
        self._names = [each.name for each in signatures if each.execution]

    def call(self, y_true: Any, y_pred: Any) -> NDArray[Any]:
        """Return the values for a batch."""
        with self.variables.recorded():
            return np.asarray(self._values(y_true, y_pred))

    def repeats(self, y_true: Any, y_pred: Any) -> bool:
        """Return whether many calls give the same values, each with the variables of the first."""
        values = set()
        start = time.thread_time()
        for number in range(CALLS):
            if number >= FEWEST_CALLS and time.thread_time() - start > SECONDS:
                break
            self.variables.reset()
            values.add(self.call(y_true, y_pred).tobytes())
        return len(values) == 1

    def snapshot(self) -> dict[str, str]:
        """Return the state of the Python objects."""
        return python_state.snapshot(self._executions, self._loss.functions)

    def refuse_changes(self, before: Mapping[str, str]) -> None:
        """Refuse a loss that has changed Python objects since the snapshot."""
        changed = python_state.differences(before, self.snapshot())
        if not changed:
            return
        name = changed[0].rstrip("'")
        if before.get(changed[0], "").startswith(python_state.GENERATORS):
            self.refuse(
                f"draws from {name!r}. Python code runs once, when the training step is compiled: every step "
                f"would get the same numbers; {USE_UNIFORM}"
            )
        self.refuse(
            f"changes {name!r} while it is called. Python code runs once, when the training step is compiled: "
            f"later steps would not change it; {self.use_state}"
        )

    def find_operation_problem(self, classes: int) -> str | None:
        """Return which operation has state in no variable, or which variable is another module's; None if none."""
        import tensorflow as tf

        def step(y_true: Any, y_pred: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(y_pred)
                values = self._values(y_true, y_pred)
            return tape.gradient(values, y_pred, unconnected_gradients="zero")

        batch = tf.TensorSpec([None, classes], tf.float32)
        function = tf.function(step, input_signature=[batch, batch], autograph=False)
        with self.variables.recorded(), report_user_errors(self._executions[0].file):
            graph = function.get_concrete_function().graph
        definition = graph.as_graph_def()
        nodes = [*definition.node, *(node for each in definition.library.function for node in each.node_def)]
        for node in nodes:
            if "seed2" in node.attr:
                reason = f"draws random numbers by TensorFlow's {node.op}, and no checkpoint can hold their position"
                return f"{reason}{self._line(graph, node.op)}; {USE_UNIFORM}"
            if node.op.startswith(STATEFUL):
                reason = f"uses TensorFlow's {node.op}, and no checkpoint can hold its state"
                return f"{reason}{self._line(graph, node.op)}; {self.use_state}"
        own = {id(variable) for variable in self.variables.list}
        foreign = next((variable.name for variable in graph.variables if id(variable) not in own), None)
        where = "from outside the loss" if self._is_in_memory else "of another module"
        advice = USE_FILE if self._is_in_memory else USE_OWN_VARIABLE
        return foreign and f"uses the variable {foreign!r} {where}, which trials would share; {advice}"

    @property
    def use_state(self) -> str:
        """Advice on state in Python objects."""
        return USE_FILE if self._is_in_memory else USE_STATE

    @property
    def _is_in_memory(self) -> bool:
        return any(isinstance(each, InMemoryExecution) for each in self._executions)

    def refuse(self, reason: str) -> NoReturn:
        """Raise an error about the loss."""
        paths = ", ".join(str(each.file.path) for each in self._executions)
        raise PluginError(f"{paths}: the loss {', '.join(map(repr, self._names))} {reason}")

    def _values(self, y_true: Any, y_pred: Any) -> Any:
        import tensorflow as tf

        images, classes = tf.shape(y_pred)[0], y_pred.shape[1]
        sizes = {"images": images, "classes": classes}
        states = {name: state.initialize(**sizes) for name, state in self._loss.states.items()}
        given = {"epoch": tf.constant(0.0), "uniform": tf.fill([images, classes], 0.5)}
        return self._loss.step(y_true, y_pred, states, **{name: given[name] for name in self._loss.context})[0]

    def _line(self, graph: Any, operation: str) -> str:
        """Return where the user's file creates an operation, as the end of a message; empty if it is not known."""
        files = {path for each in self._executions for path in each.file.paths}
        for each in graph.get_operations():
            lines = [frame.lineno for frame in each.traceback if frame.filename in files]
            if each.type == operation and lines:
                return f" (line {lines[-1]})"
        return ""


@contextmanager
def _eager_functions() -> Iterator[None]:
    """Run the Python code inside each `tf.function` in every call."""
    import tensorflow as tf

    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)  # noqa: FBT003  # TensorFlow's signature
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


def _batch(classes: int, number: int) -> tuple[Any, Any]:
    """Return one-hot labels and logits of a small batch; another number gives other labels and logits."""
    import tensorflow as tf

    images = classes + 1
    labels = (number + np.arange(images)) % classes
    logits = np.sin(number * np.arange(1.0, images * classes + 1).reshape(images, classes))
    return tf.one_hot(labels, classes), tf.constant(logits, tf.float32)
