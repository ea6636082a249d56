"""`fit` with `jit_compile=True`: XLA compiles the training step."""

import json
import sys

from keras_fit import main

if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]), jit_compile=True)))
