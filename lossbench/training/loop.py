"""The training loop: a function that trains on a sequence of batches, compiled by XLA where that is faster.

Images stay on the device as bytes; the function gathers and normalises each batch. Results do not depend on the number
of batches per call: sums and dropout's random state are kept in variables. The loop ends at a step whose loss is not
finite.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from lossbench.seeding import integer
from lossbench.training import draws, network, xla
from lossbench.training.epochs import Sums
from lossbench.training.inputs import Data, normalised
from lossbench.training.layers import on_gpu
from lossbench.training.loss_scale import loss_scale
from lossbench.training.optimizers import BIASES, Optimizer

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from lossbench.config.schema import Experiment
    from lossbench.data import Dataset
    from lossbench.losses.binding import BoundLoss


LOSS = [field.name for field in fields(Sums)].index("loss")


class Loop:
    """A model with its optimiser, its loss and its training images; all state is in `variables`.

    Args:
        experiment: The configuration.
        dataset: Training images and normalisation.
        model: A Keras model.
        loss: The loss with its context.
        use_xla: Whether XLA compiles the loop; otherwise TensorFlow executes one operation after the other.
        loss_variables: Variables that a user's loss creates, also those that it will create when it is compiled.
    """

    def __init__(
        self,
        experiment: Experiment,
        dataset: Dataset,
        model: Any,
        loss: BoundLoss,
        *,
        use_xla: bool = False,
        loss_variables: list[Any] | None = None,
    ) -> None:
        import keras
        import tensorflow as tf

        self._loss_variables = [] if loss_variables is None else loss_variables
        self.model, self._loss = model, loss
        self._classes, self._regularization = dataset.classes, experiment.regularization
        self._optimizer = Optimizer(experiment.optimizer, model.trainable_variables)
        self._scale = loss_scale(experiment.train.precision)
        self._data = Data(
            tf.constant(dataset.train.images),
            tf.constant(dataset.train.labels.astype(np.int32)),
            tf.constant(dataset.train.true_labels.astype(np.int32)),
            scale=tf.constant(1 / (255 * dataset.std), tf.float32),
            shift=tf.constant(-dataset.mean / dataset.std, tf.float32),
            seed=tf.constant(integer(experiment.seed, "draws for the loss")),
        )
        self._sums = tf.Variable(tf.zeros([len(fields(Sums))], tf.float64), trainable=False)
        self._epoch = tf.Variable(0.0, dtype=tf.float32, trainable=False)
        self._draws = tf.Variable(0, dtype=tf.int32, trainable=False)
        sizes = {"images": len(dataset.train.labels), "classes": dataset.classes}
        self._states = {
            name: tf.Variable(state.initialize(**sizes), trainable=False) for name, state in loss.states.items()
        }
        any_number = [tf.TensorSpec([None, *array.shape[1:]][: array.ndim], array.dtype) for array in self._data]
        batches = [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.float32)]
        signature = [Data(*any_number), *batches, tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.int32)]
        self._traced_steps = tf.function(self._steps, input_signature=signature, autograph=False)
        self._compiled_steps = tf.function(
            lambda *given: self._traced_steps.get_concrete_function()(*given),  # noqa: PLW0108  # traced on first use
            input_signature=signature,
            autograph=False,
            jit_compile=True,
        )
        self._batch_size = experiment.train.batch_size if use_xla else None
        is_normalised = any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers)
        self._rows = 0 if is_normalised else experiment.train.batch_size
        self._rows_evaluated = network.rows_evaluated(model, experiment.train.batch_size)
        images = [signature[0].images, signature[0].scale, signature[0].shift]
        self._compiled_logits = tf.function(self._logits, input_signature=images, autograph=False)

    @property
    def variables(self) -> list[Any]:
        """State of the model, optimiser, loss scale and loss, number of the epoch and sums, in a fixed order."""
        of_the_loss = (*self._states.values(), *self._loss_variables, self._epoch, self._draws)
        return [*self.model.variables, *self._optimizer.variables, *self._scale.variables, *of_the_loss, self._sums]

    def trace(self) -> None:
        """Trace the training step, unless it is; not while XLA compiles, which would trace it in another form."""
        self._traced_steps.get_concrete_function()

    def compile(self, steps: int) -> None:
        """Compile the training step for epochs of `steps` complete batches."""
        self.steps(np.zeros((steps, self._batch_size or 1), np.int32), np.zeros(steps), 0, 0)

    def compile_all(self, steps: int, *, rest: bool) -> None:
        """Let XLA compile the step for `steps` complete batches; meanwhile prepare the evaluation, and a smaller batch.

        An error is left to the first use, which raises it again.
        """
        with suppress(Exception), ThreadPoolExecutor(1) as compiler:
            self.trace()
            compiler.submit(self.compile, steps)
            self._compiled_logits.get_concrete_function()
            if rest:
                self._traced_steps(self._data, np.zeros((1, 1), np.int32), np.zeros(1, np.float32), 0, 0)

    def find_obstacle(self, steps: int) -> str | None:
        """Return why XLA cannot compile the training step so that it does the same; None if it can."""
        return xla.find_obstacle(self._traced_steps.get_concrete_function().graph, lambda: self.compile(steps))

    def take_over(self, other: Loop) -> None:
        """Take over data and state of another loop, whose compiled functions would be equal to these."""
        self._data, self._batch_size = other._data, other._batch_size
        for variable, fresh in zip(self.variables, other.variables, strict=True):
            variable.assign(fresh)

    def release(self) -> None:
        """Forget the images: the next trial with this graph brings its own."""
        del self._data

    @property
    def sums(self) -> Sums:
        """Sums of the current epoch."""
        return Sums(*self._sums.numpy().tolist())

    def begin_epoch(self, epoch: int) -> None:
        """Reset the sums and set the number of the epoch, from 0, that a loss may use."""
        self._sums.assign([0.0] * self._sums.shape[0])
        self._epoch.assign(epoch)

    def steps(
        self, order: NDArray[np.int32], learning_rates: NDArray[np.float64], begin: int = 0, end: int | None = None
    ) -> None:
        """Train on some of the batches of an epoch; the smaller batch at its end is not worth compiling.

        Args:
            order: `[steps, batch]`, indices of images.
            learning_rates: `[steps]`.
            begin: First step.
            end: Step after the last one; None: all.
        """
        end = len(order) if end is None else end
        self.trace()
        run = self._compiled_steps if order.shape[1] == self._batch_size else self._traced_steps
        with self._loss.surroundings():
            run(self._data, order, learning_rates.astype(np.float32), begin, end)

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return logits `[images, classes]` in float32, without dropout."""
        rows, data = self._rows_evaluated, self._data
        size = network.MOST_EVALUATED // rows * rows
        calls = np.split(images, range(size, len(images), size))
        filled = (np.pad(each, [(0, -len(each) % rows), (0, 0), (0, 0)]) for each in calls)
        return np.concatenate([self._compiled_logits(each, data.scale, data.shift) for each in filled])[: len(images)]

    def objective(self, logits: NDArray[np.float32], labels: NDArray[Any]) -> float | None:
        """Return the mean loss plus the regularisation; None for a loss with a state per training image.

        The call changes no variable: a user's loss gets back those that it has updated.

        Args:
            logits: `[images, classes]`.
            labels: `[images]`, integers.
        """
        import tensorflow as tf

        if any(state.per_image for state in self._loss.states.values()):
            return None
        one_hot = tf.one_hot(labels.astype(np.int32), self._classes)
        context = self._changing_context(len(labels), self._data.seed, draw=0)
        before = [variable.numpy() for variable in self._loss_variables]
        values, _ = self._loss.step(one_hot, tf.constant(logits), dict(self._states), **context)
        for variable, value in zip(self._loss_variables, before, strict=True):
            variable.assign(value)
        return float(tf.reduce_mean(values) + self._penalty())

    def _steps(self, data: Data, order: Any, learning_rates: Any, begin: Any, end: Any) -> None:
        import tensorflow as tf

        def continues(step: Any) -> Any:
            return (step < end) & tf.math.is_finite(self._sums[LOSS])

        def body(step: Any) -> Any:
            self._step(data, order[step], learning_rates[step])
            return step + 1

        tf.while_loop(continues, body, [begin])

    def _step(self, data: Data, batch: Any, learning_rate: Any) -> None:
        import tensorflow as tf

        labels, true_labels = tf.gather(data.labels, batch), tf.gather(data.true_labels, batch)
        images = normalised(tf.gather(data.images, self._filled(batch)), data.scale, data.shift)
        with tf.GradientTape() as tape:
            logits = self._forward(images, training=True)[: tf.size(batch)]
            loss = tf.reduce_mean(self._values(batch, data.seed, tf.one_hot(labels, self._classes), logits))
            penalty = self._penalty()
            objective = self._scale.scale(loss + penalty)
        gradients = tape.gradient(objective, self.model.trainable_variables, unconnected_gradients="zero")
        self._scale.apply(gradients, lambda ready: self._optimizer.update(ready, learning_rate))
        self._count(loss + penalty, penalty, logits, labels, true_labels)

    def _filled(self, batch: Any) -> Any:
        """Return the images of a batch, filled up to the complete size by its first: they do not reach the loss.

        Matrix products of one size add up in the same order, whatever the number of threads. Batch normalisation is
        over the batch, which then stays as it is.
        """
        import tensorflow as tf

        missing = tf.maximum(0, self._rows - tf.size(batch))
        return tf.concat([batch, tf.repeat(batch[:1], missing)], 0)

    def _forward(self, images: Any, *, training: bool) -> Any:
        """Return logits in float32 of normalised images."""
        import tensorflow as tf

        features = images
        for step in network.steps(self.model, gpu=on_gpu()):
            features = step(features, training=training)
        return tf.cast(features, tf.float32)

    def _values(self, batch: Any, seed: Any, targets: Any, logits: Any) -> Any:
        """Return the loss of each image, and update the state of the loss."""
        import tensorflow as tf

        per_image = {name for name, state in self._loss.states.items() if state.per_image}
        states = {name: tf.gather(kept, batch) if name in per_image else kept for name, kept in self._states.items()}
        context = self._changing_context(tf.size(batch), seed, draw=self._draws.assign_add(1))
        values, remembered = self._loss.step(targets, logits, states, **context)
        for name, state in remembered.items():
            if name in per_image:
                self._states[name].scatter_update(tf.IndexedSlices(tf.stop_gradient(state), batch))
            else:
                self._states[name].assign(tf.stop_gradient(state))
        return values

    def _changing_context(self, images: Any, seed: Any, *, draw: Any) -> dict[str, Any]:
        """Return the context of the loss that changes during training: epoch, uniform random numbers."""
        import tensorflow as tf

        available: dict[str, Callable[[], Any]] = {
            "epoch": lambda: tf.identity(self._epoch),
            "uniform": lambda: draws.uniform(seed, draw, [images, self._classes]),
        }
        return {name: available[name]() for name in self._loss.context}

    def _count(self, objective: Any, penalty: Any, logits: Any, labels: Any, true_labels: Any) -> None:
        import tensorflow as tf

        predicted = tf.argmax(logits, axis=-1, output_type=tf.int32)
        wrong = labels != true_labels
        right, truly_right = predicted == labels, predicted == true_labels
        shares = tf.stack([right, truly_right, wrong, wrong & right, wrong & truly_right])
        images = tf.cast(tf.size(labels), tf.float64)
        means = tf.cast(tf.stack([objective, penalty]), tf.float64) * images
        self._sums.assign_add(tf.concat([[images], means, tf.math.count_nonzero(shares, 1, dtype=tf.float64)], 0))

    def _logits(self, images: Any, scale: Any, shift: Any) -> Any:
        """Return the logits of images whose number is a multiple of the rows evaluated at once."""
        import tensorflow as tf

        batches = tf.reshape(images, [-1, self._rows_evaluated, *images.shape[1:]])

        def evaluate(batch: Any) -> Any:
            return self._forward(normalised(batch, scale, shift), training=False)

        logits = tf.map_fn(evaluate, batches, fn_output_signature=tf.float32, parallel_iterations=1)
        return tf.reshape(logits, [-1, self._classes])

    def _penalty(self) -> Any:
        """Return l1 · Σ|w| + l2 · Σw² over kernels, and over biases if configured."""
        import tensorflow as tf

        l1, l2, biases = self._regularization.l1, self._regularization.l2, self._regularization.include_bias
        covered = [each for each in self.model.trainable_variables if biases or each.name not in BIASES]
        terms = [l1 * tf.reduce_sum(tf.abs(each)) for each in covered if l1]
        terms += [l2 * tf.reduce_sum(tf.square(each)) for each in covered if l2]
        return tf.add_n(terms) if terms else tf.constant(0.0)
