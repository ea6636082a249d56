"""A PyTorch loop over tensors in memory."""

import json
import sys
import time

import numpy as np
import torch
from torch import nn


def network(model):
    """Return a model with Keras' initial weights: Glorot uniform, biases 0."""
    layers = {"mlp": mlp, "cnn": cnn, "cnn_bn": cnn_bn, "lenet5": lenet5}[model]()
    for layer in layers:
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


def mlp():
    """Return a hidden layer of 256 units with dropout."""
    return [nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Dropout(0.2), nn.Linear(256, 10)]


def cnn():
    """Return two convolutions with max-pooling, and dropout."""
    return [
        *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Dropout(0.5), nn.Linear(1600, 10)),
    ]


def cnn_bn():
    """Return two convolutions and a dense layer of 128 units, each with batch normalisation."""
    return [
        *(nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(3136, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 10)),
    ]


def lenet5():
    """Return LeNet-5 with ReLU and average pooling."""
    return [
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    ]


def accuracy(module, images, labels):
    """Return the share of images whose largest logit is their label's."""
    module.eval()
    with torch.inference_mode():
        predicted = torch.cat([module(batch).argmax(1) for batch in images.split(1000)])
    return (predicted == labels).float().mean().item()


def main(data_file, model, epochs, batch_size, seed, *, compiled=False):
    """Train, validate each epoch, test once."""
    torch.manual_seed(seed)
    data = np.load(data_file)
    images, labels = {}, {}
    for part in ("train", "validation", "test"):
        pixels = torch.from_numpy(data[f"{part}_images"].astype("float32"))[:, None] / 255
        images[part] = (pixels - float(data["mean"])) / float(data["std"])
        labels[part] = torch.from_numpy(data[f"{part}_labels"].astype("int64"))
    module = network(model)
    optimizer, loss = torch.optim.Adam(module.parameters(), 0.001), nn.CrossEntropyLoss()
    if compiled:
        module = torch.compile(module, dynamic=False)
    seconds = []
    for _ in range(epochs):
        began = time.perf_counter()
        module.train()
        for batch in torch.randperm(len(labels["train"])).split(batch_size):
            optimizer.zero_grad()
            loss(module(images["train"][batch]), labels["train"][batch]).backward()
            optimizer.step()
        accuracy(module, images["validation"], labels["validation"])
        seconds.append(time.perf_counter() - began)
    tested = accuracy(module, images["test"], labels["test"])
    return {"epochs": seconds, "accuracy": tested, "version": f"PyTorch {torch.__version__}"}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]))))
