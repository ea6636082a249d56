"""Training: a `Trial` becomes a run folder.

train.py         train one trial: set up, claim, train, test, write
setup.py         data, device, model and loop, before anything is written
trainer.py       epochs, validation, checkpoints, signals
loop.py          the one compiled training loop
layers.py        Keras layers that are fast on a CPU; draws.py, the random numbers of dropout
network.py       the steps of a model, with groups of layers computed together
tiles.py         convolution and average pooling as products over tiles
pooled.py        max-pooling together with biases or batch norm
xla.py           compilation by XLA, and obstacles to it
record.py        the files of the run folder, written during training
verify.py        retrain a recorded run
saved_model.py   the trained network of a run folder
optimizers.py, schedules.py, loss_scale.py, epochs.py, checkpoint.py, runtime.py, signals.py, provenance.py
"""

from lossbench.training.record import fail
from lossbench.training.train import TrainResult, identify, run_folder, train

__all__ = ["TrainResult", "fail", "identify", "run_folder", "train"]
