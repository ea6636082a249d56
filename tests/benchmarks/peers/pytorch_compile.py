"""The PyTorch loop with a module that `torch.compile` compiles; it needs a C++ compiler."""

import json
import sys

from pytorch import main

if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]), compiled=True)))
