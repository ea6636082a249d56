"""lossbench: which loss function wins on MNIST, where, and how certain that is.

The package has two halves, joined only by the run folder: one half trains and writes run folders, the other reads them.

    errors.py        exception hierarchy and exit codes
    files.py         atomic, synced writes
    extras.py        commands that install optional packages
    json_data.py     JSON that every reader accepts
    yaml_scalars.py  the scalar rules of YAML
    escapes.py       control sequences of terminals, which are removed from text
    metrics.py       accuracy, NLL, Brier, ECE: NumPy functions of log-probabilities and labels
    sizes.py         sizes of differences with their units: 0.1pp
    softmax.py       log-softmax and temperature scaling
    suite.py         the conditions and opponents of `lossbench judge`
    seeding.py       named random streams: one generator per seed and purpose
    environment.py   the user's settings of Keras and TensorFlow that change numbers
    imports.py       faster imports: hidden packages, modules executed at first use
    ops.py           keras.ops, imported on first use: what the losses are written in
    statistics/      intervals and tests, pure NumPy
    runs/            the run folder: the only code that knows its file names; grouping of runs

    config/          YAML -> Experiment -> Trial
    data/            Trial -> Dataset: uint8 images, training labels, true labels
    losses/          the catalogue: a loss is one function, everything else is derived from it
    models/          the model section -> keras.Model that returns logits; its sizes without Keras
    training/        the only training loop; optimisers, checkpoints, device, precision, threads
    sweep/           cases × parameters × seeds -> trials, on local workers or a Ray cluster

    analysis/        run folders -> groups over seeds -> differences -> verdicts -> gate
    inspect/         one run or two: details, differences, verification
    report/          results -> terminal, Markdown, LaTeX, CSV, JSON, JUnit, GitHub, plots, page

    release/         commit that was built, tested versions of the dependencies
    guide/           the manual in Markdown, shown by `lossbench guide`

    api.py           the public functions for Python users: compare
    experiments.py   the same: train, sweep, load_model
    cli/             one file per command: parse, call one function, print

From Python, `lossbench.train(config)`, `lossbench.sweep(config)` and `lossbench.compare(paths)` do what the commands
do, `lossbench.load_runs(paths)` gives run folders as a pandas frame, `lossbench.load_model(run)` the trained network.
"""

import sys

TYPE_CHECKING = False
"""True for type checkers; importing it from `typing` would be all that `import lossbench` costs."""

if TYPE_CHECKING:
    from lossbench.analysis.loading import load_runs
    from lossbench.api import compare
    from lossbench.experiments import load_model, sweep, train

__all__ = ["__version__", "compare", "load_model", "load_runs", "sweep", "train"]
__version__ = "0.2.0"


_MODULES = {
    "compare": "lossbench.api",
    "load_model": "lossbench.experiments",
    "load_runs": "lossbench.analysis.loading",
    "sweep": "lossbench.experiments",
    "train": "lossbench.experiments",
}


class _Package(type(sys)):  # type: ignore[misc]  # the type of modules
    """The package as a module in which `sweep` is the function, although a subpackage has this name too."""

    @property
    def sweep(self) -> object:
        """Return the function `sweep`."""
        return __getattr__("sweep")

    @sweep.setter
    def sweep(self, _: object) -> None:
        """Ignore the subpackage, which the import system assigns here once it is imported."""


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_MODULES[name]), name)
