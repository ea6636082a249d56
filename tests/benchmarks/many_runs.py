"""How long `lossbench compare` takes over 1,000 and 10,000 run folders, as a multiple of `python -c "import pandas"`.

    python tests/benchmarks/many_runs.py

Ten losses under ten conditions over as many seeds as it takes; every folder has its own `run.json`, `config.yaml` and
`metrics.csv`. Whole processes, the best of five; cold is the first call, which writes the index.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

REPEATS = 5
LOSSES, CONDITIONS = 10, 10


def seconds(*command: str, repeats: int = REPEATS) -> float:
    """The fastest of several whole processes."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
        times.append(time.perf_counter() - start)
    return min(times)


def fill(place: Path, count: int) -> None:
    """So many run folders, each different from the others."""
    from fabricate import fabricate, with_keys

    template = fabricate(place.parent / "template", "focal", 0, images=200, epochs=5)
    summary = json.loads((template / "run.json").read_text())
    config = yaml.safe_load((template / "config.yaml").read_text())
    history = (template / "metrics.csv").read_bytes()
    for number in range(count):
        loss, rest = number % LOSSES, number // LOSSES
        condition, seed = rest % CONDITIONS, rest // CONDITIONS
        _name, label = ("focal", f"focal gamma={loss}") if loss else ("categorical_crossentropy",) * 2
        noise = {"type": "symmetric", "rate": condition / 20, "include_self": False}
        settings = {
            "loss": {"name": label.split(maxsplit=1)[0], "gamma": float(loss)},
            "data.label_noise": noise,
            "seed": seed,
        }
        metrics = {name: value + number % 97 / 1e4 for name, value in summary["metrics"].items()}
        hashes = summary["hashes"] | {"identity": f"{loss}-{condition}"}
        folder = place / f"noise-{condition}" / f"loss-{loss}-s{seed}"
        folder.mkdir(parents=True)
        own = {"loss": label, "seed": seed, "metrics": metrics, "hashes": hashes}
        (folder / "run.json").write_text(json.dumps(summary | own, indent=2))
        (folder / "config.yaml").write_text(yaml.safe_dump(with_keys(config, settings), sort_keys=False))
        (folder / "metrics.csv").write_bytes(history)


def main() -> None:
    """Print a line for each number of folders."""
    pandas = seconds("-c", "import pandas")
    print(f"import pandas: {pandas:.2f} s")
    for count in (1_000, 10_000):
        with tempfile.TemporaryDirectory() as scratch:
            fill(place := Path(scratch) / "runs", count)
            command = ("-m", "lossbench", "compare", str(place))
            cold, warm = seconds(*command, repeats=1), seconds(*command)
        print(
            f"{count:6,} folders: cold {cold:.2f} s ({cold / pandas:.1f} ×), warm {warm:.2f} s ({warm / pandas:.1f} ×)"
        )


if __name__ == "__main__":
    main()
