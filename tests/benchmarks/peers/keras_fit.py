"""`fit`, as Keras' own MNIST examples call it."""

import json
import sys
import time

import keras
import numpy as np

STEPS_PER_EXECUTION = 1


def layers(model):
    """The layers of `mlp` or `cnn` after the input."""
    if model == "mlp":
        return [
            keras.layers.Flatten(),
            keras.layers.Dense(256, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10),
        ]
    return [
        keras.layers.Conv2D(32, 3, activation="relu"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Conv2D(64, 3, activation="relu"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(10),
    ]


class Clock(keras.callbacks.Callback):
    """Notes how long each epoch takes, its validation included."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, *_):
        """Start."""
        self.began = time.perf_counter()

    def on_epoch_end(self, *_):
        """Stop."""
        self.seconds.append(time.perf_counter() - self.began)


def main(data_file, model, epochs, batch_size, seed, steps_per_execution=STEPS_PER_EXECUTION):
    """Train, validate each epoch, test once."""
    keras.utils.set_random_seed(seed)
    data = np.load(data_file)
    images = {
        part: data[f"{part}_images"].astype("float32")[..., None] / 255 for part in ("train", "validation", "test")
    }
    labels = {part: data[f"{part}_labels"] for part in images}
    images = {part: (array - data["mean"]) / data["std"] for part, array in images.items()}
    network = keras.Sequential([keras.Input((28, 28, 1)), *layers(model)])
    network.compile(
        keras.optimizers.Adam(0.001),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=steps_per_execution,
    )
    clock = Clock()
    network.fit(
        images["train"],
        labels["train"],
        batch_size=batch_size,
        epochs=epochs,
        validation_data=(images["validation"], labels["validation"]),
        callbacks=[clock],
        verbose=0,
    )
    _, accuracy = network.evaluate(images["test"], labels["test"], verbose=0)
    return {"epochs": clock.seconds, "accuracy": accuracy, "version": f"Keras {keras.__version__}"}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]))))
