"""`fit` with a hundred steps in each call, and one thread where a thread costs more than it gives."""

import json
import sys

import tensorflow as tf
from keras_fit import main

if __name__ == "__main__":
    if sys.argv[2] == "mlp":
        tf.config.threading.set_intra_op_parallelism_threads(1)
    print(json.dumps(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]), steps_per_execution=100)))
