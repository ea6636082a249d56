"""lossbench and other frameworks, measured in turn on this machine: `python tests/benchmarks/speed.py COMMAND`.

run        one model in each framework: a cold run from start to final file, a steady epoch, memory, accuracy
loop       the training loop alone, with one core and with two, and the `scan` of JAX
limit      training speed as a share of the rate of matrix products, with one worker and with two
sweep      30 runs in one sweep, and Keras scripts one after another
speedrun   configs/speedrun.yaml, and Keras' example of a convnet until 99 % of its test images are right
ci         configs/ci.yaml with one worker and with two
commands   start-up of the commands as a multiple of `import typer`
equal      test accuracy of two versions of lossbench: the 95 % interval of the difference

Each command prints one Markdown table, medians with quartiles, and above it the machine, the versions and the command
line; single measurements go to stderr. × is the time as a multiple of lossbench's time in the same round.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from against_peers import SWEEP_SEEDS, loop, run, speedrun, sweep
from contenders import ALL_IMAGES, BATCH, PEERS
from figures import machine, say
from lossbench_alone import EQUAL_SEEDS, ci, commands, equal, limit

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> None:
    """Read the command line and measure."""
    options = parser().parse_args()
    repeated = f", n = {options.rounds}" if "rounds" in options else ""
    say(f"{machine()}{repeated}, `python tests/benchmarks/speed.py {shlex.join(sys.argv[1:])}`\n")
    with tempfile.TemporaryDirectory(prefix="lossbench-speed-") as scratch:
        tempfile.tempdir = scratch
        options.measure(options)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    described = argparse.RawDescriptionHelpFormatter
    whole = argparse.ArgumentParser(prog="speed.py", description=__doc__, formatter_class=described)
    chosen = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)

    rounds = argument(
        "--rounds", type=at_least(1), default=5, metavar="N", help="measure everything N times (default 5)"
    )
    images = argument(
        "--images", type=at_least(1), default=ALL_IMAGES, metavar="N", help="training images (default 55,000)"
    )
    epochs = argument(
        "--epochs", type=at_least(2), default=5, metavar="N", help="epochs per run, at least 2 (default 5)"
    )
    model = argument("--model", choices=BATCH, default="mlp", help="default: mlp")
    size = (model, images, epochs)
    programs = [name for name in PEERS if name != "jax_loop"]
    only = argument("--only", nargs="*", choices=programs, default=programs, help="peers (default: all)")
    cores = argument("--cores", type=at_least(1), nargs="+", default=[1, 2], metavar="N", help="default: 1 2")
    workers = argument("--workers", type=at_least(1), nargs="+", default=[1, 2], metavar="N", help="default: 1 2")
    scripts = argument(
        "--scripts",
        type=int,
        default=SWEEP_SEEDS,
        metavar="N",
        help=f"Keras scripts to measure (default {SWEEP_SEEDS})",
    )
    seeds = argument(
        "--seeds", type=at_least(2), metavar="N", help="seeds per version (default 30 for mlp, 10 for cnn)"
    )
    recipe_seeds = argument(
        "--seeds", type=int, default=20, metavar="N", help="seeds of the mean (default 20; 0: none)"
    )
    before = argument("--before", required=True, metavar="PYTHON", help="interpreter with the other version")
    models = argument("--models", nargs="+", choices=EQUAL_SEEDS, default=list(EQUAL_SEEDS), help="default: mlp cnn")

    for measure, parents in {
        run: (*size, rounds, only),
        loop: (images, epochs, rounds, cores),
        limit: (*size, rounds, workers),
        sweep: (images, epochs, rounds, scripts),
        speedrun: (images, rounds, recipe_seeds),
        ci: (rounds, workers),
        commands: (rounds,),
        equal: (images, epochs, models, seeds, before),
    }.items():
        text = (measure.__doc__ or "").partition("\n")[0]
        own = chosen.add_parser(measure.__name__, parents=parents, help=text.replace("%", "%%"), description=text)
        own.set_defaults(measure=measure)
    return whole


def at_least(smallest: int) -> Callable[[str], int]:
    """Return a parser of whole numbers that are large enough."""

    def number(text: str) -> int:
        if (value := int(text)) < smallest:
            raise argparse.ArgumentTypeError(f"expected at least {smallest}, got {value}")
        return value

    return number


def argument(name: str, **how: Any) -> argparse.ArgumentParser:
    """Return a parser with one argument, for `parents`."""
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument(name, **how)
    return parent


if __name__ == "__main__":
    main()
