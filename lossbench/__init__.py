"""lossbench: which loss function wins on MNIST, where, and how sure that is.

The house has two halves that never import each other; the run folder is their only contract.

    errors.py    every error, and the exit status that each one means
    metrics.py   accuracy, NLL, Brier, ECE: NumPy functions of log-probabilities and labels
    ops.py       keras.ops on first use: what the losses are written in
    cli/         one file a command: parse, call one function, print
    config/      text -> Experiment -> Trial
    data/        Trial -> Dataset: uint8 images, labels as seen, labels as true
    losses/      the catalogue: a loss is one function, everything else is derived from it
    models/      architectures and heads: names -> keras.Model that emits logits
    training/    the only training loop; optimisers, checkpoints, device, precision, threads
    sweep/       cases × parameters × seeds -> many trials, one after the other
    runs/        the run folder: the only place that knows its file names
    analysis/    run folders -> frame -> groups over seeds
    report/      groups -> terminal, Markdown, CSV, JSON

    YAML -> config -> Trial -> data -> Dataset -> models + losses -> training -> runs -> folder -> analysis -> report
"""

__version__ = "0.1.0"
