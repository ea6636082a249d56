"""lossbench: which loss function wins on MNIST, where, and how sure that is.

The house has two halves that never import each other; the run folder is their only contract.

    errors.py    every error, and the exit status that each one means
    metrics.py   accuracy, NLL, Brier, ECE: NumPy functions of log-probabilities and labels
    ops.py       keras.ops on first use: what the losses are written in
    cli/         one file a command: parse, call one function, print
    notebook.py  the same from Python: train, compare
    config/      text -> Experiment -> Trial
    data/        Trial -> Dataset: uint8 images, labels as seen, labels as true
    losses/      the catalogue: a loss is one function, everything else is derived from it
    models/      architectures and heads: names -> keras.Model that emits logits
    training/    the only training loop; optimisers, checkpoints, device, precision, threads
    sweep/       cases × parameters × seeds -> many trials, on local workers or a Ray cluster
    runs/        the run folder: the only place that knows its file names
    analysis/    run folders -> rows -> groups over seeds -> differences -> verdicts -> gate
    report/      verdicts -> terminal, Markdown, LaTeX, CSV, JSON, JUnit, GitHub, plots, page

    YAML -> config -> Trial -> data -> Dataset -> models + losses -> training -> runs -> folder -> analysis -> report

From Python, `lossbench.train(config)` and `lossbench.compare(paths)` do what the commands do, and
`lossbench.load_runs(paths)` gives run folders as a pandas frame, for analyses of your own.
"""

TYPE_CHECKING = False
"""True for type checkers; importing it from `typing` would be all that `import lossbench` costs."""

if TYPE_CHECKING:
    from lossbench.analysis.frame import load_runs
    from lossbench.notebook import compare, train

__all__ = ["__version__", "compare", "load_runs", "train"]
__version__ = "0.1.0"


_MODULES = {"compare": "lossbench.notebook", "load_runs": "lossbench.analysis.frame", "train": "lossbench.notebook"}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_MODULES[name]), name)
