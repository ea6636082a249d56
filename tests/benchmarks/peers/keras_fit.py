"""`fit`, as Keras' own MNIST examples call it."""

import json
import sys
import time

import keras
import numpy as np


def layers(model):
    """Return the layers of a model after the input."""
    return {"mlp": mlp, "cnn": cnn, "cnn_bn": cnn_bn, "lenet5": lenet5}[model]()


def mlp():
    """Return a hidden layer of 256 units with dropout."""
    return [
        keras.layers.Flatten(),
        keras.layers.Dense(256, activation="relu"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(10),
    ]


def cnn():
    """Return two convolutions with max-pooling, and dropout."""
    return [
        keras.layers.Conv2D(32, 3, activation="relu"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Conv2D(64, 3, activation="relu"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(10),
    ]


def cnn_bn():
    """Return two convolutions and a dense layer of 128 units, each with batch normalisation."""

    def normalised(layer):
        return [layer, keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5), keras.layers.ReLU()]

    return [
        *normalised(keras.layers.Conv2D(32, 3, padding="same")),
        keras.layers.MaxPooling2D(2),
        *normalised(keras.layers.Conv2D(64, 3, padding="same")),
        keras.layers.MaxPooling2D(2),
        keras.layers.Flatten(),
        *normalised(keras.layers.Dense(128)),
        keras.layers.Dense(10),
    ]


def lenet5():
    """Return LeNet-5 with ReLU and average pooling."""
    return [
        keras.layers.Conv2D(6, 5, padding="same", activation="relu"),
        keras.layers.AveragePooling2D(2),
        keras.layers.Conv2D(16, 5, activation="relu"),
        keras.layers.AveragePooling2D(2),
        keras.layers.Flatten(),
        keras.layers.Dense(120, activation="relu"),
        keras.layers.Dense(84, activation="relu"),
        keras.layers.Dense(10),
    ]


class Clock(keras.callbacks.Callback):
    """Seconds of each epoch, its validation included."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, *_):
        """Start."""
        self.began = time.perf_counter()

    def on_epoch_end(self, *_):
        """Stop."""
        self.seconds.append(time.perf_counter() - self.began)


def main(data_file, model, epochs, batch_size, seed, **compile_options):
    """Train, validate each epoch, test once; `compile_options` are arguments of `Model.compile`."""
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
        **compile_options,
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
