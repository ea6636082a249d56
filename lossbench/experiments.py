"""Python API: `lossbench.train`, `lossbench.sweep` and `lossbench.load_model`."""

from __future__ import annotations

from functools import partial
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lossbench.errors import UsageError
from lossbench.runs.paths import TUNING_RUNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lossbench.losses.plugin import PluginLoaded
    from lossbench.sweep.decide import Decider
    from lossbench.sweep.executors.messages import Executor
    from lossbench.sweep.outcome import SweepResult
    from lossbench.sweep.scheduler import Rules
    from lossbench.sweep.status import SweepStatus
    from lossbench.training import TrainResult


def train(
    config: Mapping[str, Any] | Path | str,
    *,
    runs_dir: Path | str = "runs",
    device: str = "auto",
    rerun: bool = False,
    plugins: Iterable[Path | str] = (),
) -> TrainResult:
    """Train the classifier of a configuration; return a finished run as it is, and continue an interrupted one.

    Args:
        config: The keys of a YAML file, e.g. `{"loss": {"name": "gce", "q": 0.5}}`, or the path of one. In a mapping, a
            function, a Keras loss (class or instance) or a partial may stand in place of a loss's name. A run with such
            a loss in memory is never found done: every call trains it, and `verify` cannot.
        runs_dir: Folder for run folders.
        device: `auto`, `cpu`, `gpu` or `gpu:N`; `cuda` means `gpu`.
        rerun: Retrain even if the run is finished.
        plugins: Python files with your own losses.

    Returns:
        `run`, the run's folder; `summary`, its `run.json`; `status`, `completed` or `diverged`.

    Raises:
        LossbenchError: The errors of `lossbench train`, each with its exit code.

    Example:
        lossbench.train({"loss": "focal", "train": {"epochs": 1}}).summary["metrics"]["test.last.accuracy"]
    """
    from lossbench import training
    from lossbench.config import resolve
    from lossbench.training import checks

    source, loaded, _ = _load(config, plugins)
    read = resolve.load(source, check=checks.problems) if isinstance(source, Path) else resolve.from_mapping(source)
    trial = training.identify(read, loaded)
    return training.train(trial, runs_dir=Path(runs_dir), device=device, rerun=rerun, plugins=loaded)


def sweep(  # noqa: PLR0913 - one parameter per option of the command
    config: Mapping[str, Any] | Path | str,
    *,
    seeds: str | Iterable[int] | None = None,
    until_decided: bool = False,
    max_seeds: int | None = None,
    rope: str | float | None = None,
    metric: str | None = None,
    baseline: str | None = None,
    runs_dir: Path | str = "runs",
    device: str = "auto",
    jobs: int | None = None,
    plugins: Iterable[Path | str] = (),
    retry_failed: bool = False,
    retries: int = 1,
    trial_timeout: float | None = None,
    fail_fast: bool = False,
    max_consecutive_failures: int = 3,
    yes: bool = False,
) -> SweepResult:
    """Train all trials of a configuration, as `lossbench sweep` does; the same call continues an interrupted sweep.

    Args:
        config: The keys of a YAML file, with its `sweep` section, or the path of one. In a mapping, losses in memory
            may stand in place of names, as for `train`; then the trials are trained here, one after the other.
        seeds: Seeds that replace those of the configuration, e.g. `"0-9"` or `range(10)`.
        until_decided: Add seeds until each loss is decided, as `sweep.decide` of the configuration does too.
        max_seeds: Most seeds per loss; None: the configuration's, or 30.
        rope: Largest difference that is equivalent, e.g. `"0.1pp"`; None: the configuration's, or none.
        metric: Metric that decides; None: the configuration's, or accuracy.
        baseline: Baseline loss; None: the configuration's, or categorical_crossentropy.
        runs_dir: Folder for run folders.
        device: `auto`, `cpu`, `gpu` or `gpu:N`; `cuda` means `gpu`.
        jobs: Trials at a time; None: one per core, or on GPUs as many as fit. With a loss in memory, 1.
        plugins: Python files with your own losses.
        retry_failed: Retrain trials that failed in an earlier call.
        retries: Resume a trial at most this many times if its worker dies.
        trial_timeout: Stop a trial that takes longer than this many seconds; None: never.
        fail_fast: Stop at the first failed trial.
        max_consecutive_failures: Stop after this many failed trials in a row; 0: never.
        yes: Allow more than a million trials.

    Returns:
        `folder`, for `lossbench.compare`; `statuses`, the status of each run folder; `failures`, the reasons of the
        failed ones, which raise nothing.

    Raises:
        LossbenchError: The errors of `lossbench sweep`, each with its exit code, except that of failed trials.

    Example:
        lossbench.sweep({"sweep": {"cases": [{"loss": "ce"}, {"loss": "focal"}]}}, seeds=range(8))
    """
    from lossbench.sweep import decide, outcome, plan, tune
    from lossbench.sweep.scheduler import Rules
    from lossbench.sweep.status import read_status
    from lossbench.training import checks, identify

    _check_numbers(jobs=(jobs, 1), retries=(retries, 0), max_consecutive_failures=(max_consecutive_failures, 0))
    source, loaded, in_memory = _load(config, plugins)
    most = None if yes else plan.MAX_TRIALS
    keys = {"max_seeds": max_seeds, "rope": rope, "metric": metric, "baseline": baseline}
    swept = plan.load(
        source,
        seeds=_seeds(seeds),
        until_decided=until_decided,
        decide=keys,
        max_trials=most,
        check=checks.problems,
    )
    planned, _ = plan.trials(swept, lambda experiment: identify(experiment, loaded))
    runs, folder = Path(runs_dir), Path(runs_dir) / swept.name
    rules = Rules(retries, retry_failed, trial_timeout, fail_fast, max_consecutive_failures)
    train = partial(_train, device=device, plugins=loaded, in_memory=in_memory, jobs=jobs, rules=rules)
    stage = tune.prepare(swept, planned, lambda experiment: identify(experiment, loaded), folder)
    tuned = read_status(stage.trials if stage else (), folder)
    if stage and not stage.tuning.is_complete:
        stage.begin()
        train(tuned, folder, folder / TUNING_RUNS)
        if tuned.stop_reason:
            return outcome.outcome(tuned, folder, folder)
        stage = stage.concluded()
    status = read_status(stage.compared() if stage else planned, runs)
    train(status, runs, folder, lambda: decide.decider(swept, status, folder, retry_failed=retry_failed))
    return outcome.outcome(status, folder, runs, outcome.failures(tuned, folder))


def _train(
    status: SweepStatus,
    runs: Path,
    folder: Path,
    decider: Callable[[], Decider | None] = lambda: None,
    *,
    device: str,
    plugins: list[PluginLoaded],
    in_memory: bool,
    jobs: int | None,
    rules: Rules,
) -> None:
    """Train the trials of one stage of a sweep.

    Args:
        status: The trials.
        runs: Runs folder, which contains `folder`.
        folder: Folder of the run folders.
        decider: Returns what chooses the next trial.
        device: Device of the workers.
        plugins: Files with the user's own losses, and losses in memory.
        in_memory: Whether there are losses in memory.
        jobs: Trials at a time.
        rules: Handling of lost workers and failed trials.
    """
    from lossbench.sweep import own_losses
    from lossbench.sweep.executors import in_process
    from lossbench.sweep.executors.choice import choose
    from lossbench.sweep.executors.messages import WorkerSettings
    from lossbench.sweep.journal import Journal
    from lossbench.sweep.scheduler import run
    from lossbench.training.signals import stop_request

    settings = WorkerSettings(str(runs), device, plugins=[str(each.path) for each in plugins])
    start_executor: Callable[[], Executor]
    if in_memory:
        start_executor = in_process.prepare(settings, plugins, status, jobs=jobs, trial_timeout=rules.timeout)
    chooser = decider()
    if not in_memory:
        finished = status.finished == len(status.trials)
        start_executor = choose(None, settings, status.trials, folder=folder, finished=finished, jobs=jobs)
    own_losses.check(status, settings, rules, in_memory=in_memory)
    with stop_request() as stop:
        run(status, start_executor, runs_dir=runs, journal=Journal(folder), stop=stop, rules=rules, decider=chooser)


def load_model(run: TrainResult | Path | str, *, at: Literal["last", "best"] = "last") -> Any:
    """Return the trained network of a run as a Keras model.

    Args:
        run: What `lossbench.train` returned, a run folder, or a folder that contains exactly one; the run must have
            been trained with `train.save_weights: true`.
        at: Epoch of the weights: the last, or the best by validation.

    Returns:
        A `keras.Model` of images `[batch, height, width]` with pixels from 0 to 255, which returns logits
        `[batch, classes]`; normalisation is its first layer.

    Raises:
        UsageError: The run has no such weights, or they do not fit its configuration.
        NothingMatchedError: The folder contains no run.

    Example:
        probabilities = keras.ops.softmax(lossbench.load_model("runs").predict(images))
    """
    from lossbench.inspect.details import read_run
    from lossbench.training import saved_model

    folder = run if isinstance(run, str | Path) else run.run
    return saved_model.load(read_run(Path(folder)), at)


def _load(
    config: Mapping[str, Any] | Path | str, plugins: Iterable[Path | str]
) -> tuple[Path | Mapping[str, Any], list[PluginLoaded], bool]:
    """Load the users' losses.

    Returns:
        The path of the configuration, or its keys with names of losses only; the plugins, those for losses in memory
        among them; whether there are such losses.
    """
    from lossbench.losses import in_memory, plugin

    loaded = [plugin.load(Path(path)) for path in plugins]
    if isinstance(config, str | Path):
        return Path(config), loaded, False
    named, found = in_memory.register_losses(config)
    return named, [*loaded, *found], bool(found)


def _seeds(seeds: str | Iterable[int] | None) -> str | list[int] | None:
    """Return seeds as text or as a list of Python integers."""
    if seeds is None or isinstance(seeds, str):
        return seeds
    listed = [*seeds] if hasattr(seeds, "__iter__") else [None]
    if not listed or any(isinstance(seed, bool) or not isinstance(seed, Integral) for seed in listed):
        raise UsageError(f"expected e.g. '0-9', range(10) or [0, 1], got {seeds!r}", parameter="seeds")
    return [int(seed) for seed in listed if seed is not None]


def _check_numbers(**numbers: tuple[int | None, int]) -> None:
    """Check that each number, if there is one, is whole and not below its smallest value."""
    for name, (number, smallest) in numbers.items():
        if number is not None and (type(number) is not int or number < smallest):
            raise UsageError(f"expected a whole number ≥ {smallest}, got {number!r}", parameter=name)
