"""The JAX loop alone: `jax_scan` without validation."""

import json
import sys

from jax_scan import main

if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]), validate=False)))
