"""A user's loss in a trial: executed again for each trial, seeded, and with the variables that it creates.

Every trial executes the user's file again, so that no trial sees what another one left behind. TensorFlow's and Keras'
variables that the code creates are part of the state of training, which checkpoints hold.
"""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from lossbench import seeding
from lossbench.losses.plugin import execute_again
from lossbench.losses.registry import find

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from lossbench.losses.expression import LossTerm


class Variables:
    """Variables that a user's code creates, in the order of their creation."""

    def __init__(self) -> None:
        self.list: list[Any] = []
        self._initial: list[NDArray[Any] | None] = []

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Record the variables that are created inside."""
        import tensorflow as tf

        def create(next_creator: Any, **arguments: Any) -> Any:
            variable = next_creator(**arguments)
            self.list.append(variable)
            self._initial.append(variable.numpy() if tf.executing_eagerly() else None)
            return variable

        with tf.variable_creator_scope(create):
            yield

    def keep(self) -> None:
        """Make the current values those that `reset` restores; for a later variable it is its first value."""
        self._initial = [variable.numpy() for variable in self.list]

    def reset(self) -> None:
        """Restore the values from before the first call of the loss."""
        for variable, value in zip(self.list, self._initial, strict=True):
            variable.assign(value)

    @property
    def start(self) -> list[tuple[Any, ...]]:
        """Shape, type and value of each variable before the first call."""
        return [(value.shape, str(value.dtype), value.tobytes()) for value in self._initial if value is not None]

    def find_problem(self) -> str | None:
        """Return why a checkpoint cannot hold a variable; None if it can hold all."""
        for each in self.list:
            if not each.shape.is_fully_defined() or not (
                each.dtype.is_floating or each.dtype.is_integer or each.dtype.is_bool
            ):
                return f"the variable {each.name!r} is {each.dtype.name} {each.shape}, not numbers of a fixed shape"
        return None


def is_users(terms: Sequence[LossTerm]) -> bool:
    """Return whether one of the terms is defined in a user's file."""
    return any(find(term.name).execution for term in terms)


def renew(terms: Sequence[LossTerm], seed: int) -> None:
    """Seed everything that draws random numbers, and execute the users' files again.

    Args:
        terms: Loss terms, as `parse` returns them.
        seed: Seed of the trial.

    Raises:
        PluginError: If the code raises.
    """
    import keras
    import tensorflow as tf

    start = seeding.integer(seed, "random numbers of the user's code")
    keras.utils.set_random_seed(start)  # of Python, NumPy, TensorFlow and Keras
    tf.random.set_global_generator(tf.random.Generator.from_seed(start))
    execute_again(terms)


@contextmanager
def isolated() -> Iterator[None]:
    """Leave the global random generators of Python and NumPy as they were."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002  # those that a user's code may use
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002  # likewise
