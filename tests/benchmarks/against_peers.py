"""Benchmarks that compare lossbench with other frameworks, in turn; `speed.py` is their command line."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from contenders import (
    ALL_IMAGES,
    FOLDER,
    PEERS,
    Run,
    Size,
    command,
    config,
    lossbench,
    peer,
    python,
    runs,
    script,
    write_data,
)
from figures import (
    ROOT,
    ProcessFailedError,
    mean_and_deviation,
    mean_and_interval,
    measured,
    on_cores,
    progress,
    quartiles,
    ratios,
    say,
    table,
)

if TYPE_CHECKING:
    import argparse

ENVIRONMENTS = Path.home() / ".cache" / "lossbench-peers"
SWEEP_SEEDS = 30


def run(options: argparse.Namespace) -> None:
    """Compare one model in each framework: cold run, steady epoch, memory, accuracy."""
    size = Size(options.model, options.images, options.epochs)
    data = write_data(size.images)
    interpreters = _interpreters(options.only, size.model)
    done: dict[str, list[Run]] = {name: [] for name in ("lossbench", *interpreters)}
    for seed in range(options.rounds):
        for name in list(done):
            try:
                new = lossbench(size, seed) if name == "lossbench" else peer(name, interpreters[name], data, size, seed)
            except ProcessFailedError as error:
                if name == "lossbench":
                    raise
                say(f"{name} is left out: {error}\n")
                del done[name]
            else:
                done[name].append(new)
                progress(f"{seed} {name}: {new}")
    rows = [
        [
            f"{name}, {all_runs[0].version}",
            *times(all_runs, done["lossbench"], "wall"),
            *times(all_runs, done["lossbench"], "steady"),
            f"{np.median([each.memory for each in all_runs]):.0f}",
            mean_and_deviation([each.accuracy for each in all_runs]),
        ]
        for name, all_runs in done.items()
    ]
    table(["program", "whole run, s", "×", "steady epoch, s", "×", "MiB", "test accuracy"], rows)


def _interpreters(peers: list[str], model: str) -> dict[str, str]:
    """Return the interpreters of the peers that can train a model here; print why the others cannot."""
    found = {}
    for name in peers:
        if model not in PEERS[name].models:
            say(f"{name} is left out: its script has no {model}\n")
        elif (interpreter := python(name, ENVIRONMENTS)) is None:
            say(f"{name} is left out: {PEERS[name].package} cannot be installed here\n")
        else:
            found[name] = interpreter
    return found


def times(theirs: list[Run], ours: list[Run], which: str) -> list[str]:
    """Return seconds of the runs, and the ratio to lossbench's."""
    seconds, references = ([getattr(each, which) for each in them] for them in (theirs, ours))
    return [quartiles(seconds), quartiles(ratios(seconds, references))]


def loop(options: argparse.Namespace) -> None:
    """Compare the training loop of the MLP alone, without validation, with the `scan` of JAX."""
    if (most := max(options.cores)) > len(os.sched_getaffinity(0)):
        sys.exit(f"--cores {most}: this process may use {len(os.sched_getaffinity(0))}")
    size = Size("mlp", options.images, options.epochs)
    data, jax = write_data(size.images), python("jax_loop", ENVIRONMENTS)
    if jax is None:
        sys.exit(f"{PEERS['jax_loop'].package} cannot be installed here")
    done: dict[tuple[int, str], list[Run]] = {}
    for seed in range(options.rounds):
        for cores in options.cores:
            with on_cores(cores):
                numbers = [str(each) for each in (size.epochs, size.batch, seed, cores)]
                ours = script(FOLDER / "loop_alone.py", sys.executable, str(size.images), size.model, *numbers)
                both = {"lossbench": ours, "JAX": peer("jax_loop", jax, data, size, seed)}
            for name, new in both.items():
                done.setdefault((cores, name), []).append(new)
                progress(f"{seed} {name}, {cores} cores: {new}")
    rows = [
        [theirs[0].version, str(cores), *times(theirs, done[cores, "lossbench"], "steady")]
        for (cores, _), theirs in done.items()
    ]
    table(["loop", "cores", "steady epoch, s", "×"], rows)


def sweep(options: argparse.Namespace) -> None:
    """Compare 30 runs of the MLP in one sweep with Keras scripts one after another."""
    if not options.rounds <= options.scripts <= SWEEP_SEEDS:
        sys.exit(
            f"--scripts {options.scripts}: expected a number from {options.rounds}, one per round, to {SWEEP_SEEDS}"
        )
    size = Size("mlp", options.images, options.epochs)
    data, keras = write_data(size.images), python("keras_fit", ENVIRONMENTS) or sys.executable
    sweeps, scripts, ratio, ours = [], [], [], []
    for seeds in np.array_split(np.arange(options.scripts), options.rounds):
        folder = config(size, f"sweep: {{seeds: 0-{SWEEP_SEEDS - 1}}}\n")
        sweeps.append(command(folder, "sweep", "--config", "run.yaml", "--quiet")[0])
        progress(f"sweep {sweeps[-1]:.1f} s")
        ours = [each.accuracy for each in runs(folder)]
        new = [peer("keras_fit", keras, data, size, int(seed)) for seed in seeds]
        progress(f"scripts {[round(each.wall, 1) for each in new]} s")
        scripts += new
        ratio.append(SWEEP_SEEDS * np.mean([each.wall for each in new]) / sweeps[-1])
    theirs = f"{SWEEP_SEEDS * np.mean([each.wall for each in scripts]):.0f}"
    if len(scripts) < SWEEP_SEEDS:
        theirs += f" ({len(scripts)} scripts measured, mean × {SWEEP_SEEDS})"
    accuracies = [each.accuracy for each in scripts]
    rows = [
        [
            f"one sweep of {SWEEP_SEEDS} runs",
            quartiles(sweeps),
            quartiles([1.0] * len(sweeps)),
            mean_and_interval(ours),
        ],
        [f"{SWEEP_SEEDS} Keras scripts", theirs, quartiles(ratio), mean_and_interval(accuracies)],
    ]
    table(["program", "s", "×", "test accuracy"], rows)


def speedrun(options: argparse.Namespace) -> None:
    """Compare configs/speedrun.yaml with Keras' example of a convnet until 99 % of its test images are right."""
    data = write_data(options.images)
    recipe = [str(ROOT / "configs" / "speedrun.yaml")]
    recipe += [f"data.train_size={options.images}"] if options.images < ALL_IMAGES else []
    ours, theirs = [], []
    for seed in range(options.rounds):
        folder = Path(tempfile.mkdtemp())
        ours.append(command(folder, "train", *recipe, "--seed", str(seed), "--quiet")[0])
        with (folder / "keras.json").open("w") as file:
            script = str(FOLDER / "peers" / "keras_convnet.py")
            measured([sys.executable, script, str(data), str(time.time()), str(seed)], folder, stdout=file)
        keras = json.loads((folder / "keras.json").read_text())
        theirs.append(keras["reached"] or float("inf"))
        progress(f"{seed}: {ours[-1]:.1f} s; Keras {keras}")
    reached = "not measured"
    if options.seeds:
        folder = Path(tempfile.mkdtemp())
        command(folder, "sweep", *recipe, "--seeds", f"0-{options.seeds - 1}", "--quiet")
        reached = mean_and_interval([each.accuracy for each in runs(folder)])
    rows = [
        ["lossbench train --config configs/speedrun.yaml", quartiles(ours), quartiles(ratios(ours, ours)), reached],
        ["Keras' convnet until 99 %", quartiles(theirs), quartiles(ratios(theirs, ours)), "at least 99 % by its rule"],
    ]
    table(["program", "s", "×", "test accuracy"], rows)
