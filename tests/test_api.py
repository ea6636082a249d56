"""Training and comparing from Python: the commands' numbers, as objects."""

import csv
import inspect
import io
import json
import re
import subprocess
import sys

import numpy as np
import pytest
import yaml

import lossbench
from lossbench import errors
from lossbench.training import TrainResult


@pytest.fixture
def runs(tmp_path, fabricate):
    """Two losses of eight seeds, the second a little better."""
    for seed in range(8):
        fabricate(tmp_path, "categorical_crossentropy", seed, strength=1.0)
        fabricate(tmp_path, "focal", seed, strength=1.2)
    return tmp_path


def command(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "lossbench", *map(str, arguments)], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_comparison_shows_the_commands_table(runs):
    """Character for character, at 80 columns without colours."""
    assert f"{lossbench.compare(runs)!r}\n" == command("compare", runs, "--output", "/dev/stdout")


def test_groups_are_the_commands_csv(runs):
    """Every number unrounded."""
    rows = list(csv.DictReader(io.StringIO(command("compare", runs, "--format", "csv", "--metric", "nll,accuracy"))))
    groups = lossbench.compare([runs], metrics=["nll", "accuracy"]).groups
    assert groups["loss"].tolist() == [row["loss"] for row in rows]
    assert groups["nll_mean"].tolist() == [float(row["nll_mean"]) for row in rows]
    assert groups["verdict"].fillna("").tolist() == [row["verdict"] for row in rows]


def test_seeds_are_the_runs_own_values(runs):
    """A row a loss and seed, as load_runs has them; only the seeds asked for."""
    seeds = lossbench.compare(runs, seeds=range(3)).seeds.set_index(["loss", "seed"])["accuracy"].sort_index()
    found = lossbench.load_runs(runs).query("seed < 3").set_index(["loss", "seed"])["test.last.accuracy"].sort_index()
    assert seeds.to_dict() == found.to_dict()


def test_what_is_asked_reaches_the_comparison(runs):
    """Baseline by alias, condition, confidence, region of equivalence."""
    compared = lossbench.compare(
        runs, baseline="ce", where="seed < 4", confidence=0.9, rope="50pp", by=["loss"]
    ).comparison
    assert compared.baseline == "categorical_crossentropy"
    assert {group.n for group in compared.blocks[0].groups} == {4}
    assert compared.query.confidence == 0.9
    assert "equivalent" in lossbench.compare(runs, rope="50pp").groups["verdict"].tolist()


def test_a_notebook_gets_html_in_which_text_is_text(tmp_path, fabricate):
    """A loss whose label is markup does not become markup."""
    for seed in range(2):
        fabricate(tmp_path, "<script>alert(1)</script>", seed)
    html = lossbench.compare(tmp_path)._repr_html_()
    assert "&lt;script&gt;" in html
    assert set(re.findall(r"<(\w+)", html)) <= {
        "p",
        "strong",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "ul",
        "li",
    }


def test_rich_prints_the_table(runs):
    """What `print` of rich shows is the table, not the object's address."""
    from rich.console import Console

    console = Console(file=io.StringIO(), width=80)
    console.print(lossbench.compare(runs))
    assert "focal" in console.file.getvalue()


def test_mistakes_are_errors_of_the_family(runs, tmp_path):
    """As the commands say them."""
    with pytest.raises(errors.UsageError, match="accurcy"):
        lossbench.compare(runs, metrics=["accurcy"])
    with pytest.raises(errors.UsageError, match="nowhere"):
        lossbench.compare(tmp_path / "nowhere")
    with pytest.raises(errors.ConfigError, match=r"loss.gama"):
        lossbench.train({"loss": {"name": "focal", "gama": 1}})
    assert not list(tmp_path.glob("runs"))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"where": "seed = 1"}, "where: column 6: "),
        ({"where": "seed == 99"}, "where: 'seed == 99' matches none of 16 runs"),
        ({"baseline": "fokal"}, "baseline: no group 'fokal'; did you mean 'focal'?"),
        ({"rope": "1pq"}, "rope: expected a size"),
        ({"rope": 0.005}, "rope: '0.005': a difference in accuracy needs a unit: 0.005pp (or 0.005%)"),
        ({"rope": -0.1, "metrics": "nll"}, "rope: expected a size"),
        ({"seeds": "0-9"}, "seeds: expected whole numbers, e.g. range(10), got '0-9'"),
        ({"seeds": 0.5}, "seeds: expected whole numbers"),
        ({"seeds": [0, 1.5]}, "seeds: expected whole numbers"),
        ({"by": 3}, "by: expected names, e.g. ['loss'], got 3"),
        ({"across": [1]}, "across: expected names"),
        ({"metrics": 1}, "metrics: expected names"),
        ({"allow_different": "train.epoch"}, "allow_different: no run has the key 'train.epoch'; did you mean"),
        ({"rope": "nll=1"}, "rope: 'nll=1': the verdict is on accuracy; name nll first in `metrics`"),
    ],
    ids=str,
)
def test_mistakes_name_the_parameter(runs, query, message):
    """Not the command line's option: Python has no `--where`."""
    with pytest.raises(errors.LossbenchError) as caught:
        lossbench.compare(runs, **query)
    assert str(caught.value).startswith(message)
    assert caught.value.parameter == next(iter(query))


def test_reading_runs_writes_nothing_unless_told_to(runs):
    """The index is written where `write_index` says so."""
    lossbench.compare(runs)
    lossbench.load_runs(runs)
    assert not (runs / ".index.json").exists()
    lossbench.load_runs(runs, write_index=True)
    assert (runs / ".index.json").exists()


def test_training_from_a_mapping_and_from_a_file_is_one_trial(small, tmp_path):
    """The second finds what the first has trained; its accuracy is what load_runs tells."""
    trained = lossbench.train(small | {"train": {"epochs": 1}}, runs_dir=tmp_path)
    assert (trained.status, trained.was_done) == ("completed", False)
    (tmp_path / "small.yaml").write_text("data: {train_size: 2000, validation_size: 500}\ntrain: {epochs: 1}\n")
    again = lossbench.train(tmp_path / "small.yaml", runs_dir=tmp_path)
    assert (again.run, again.was_done) == (trained.run, True)
    (row,) = lossbench.load_runs(tmp_path).to_dict("records")
    assert row["test.last.accuracy"] == trained.summary["metrics"]["test.last.accuracy"]


def test_importing_lossbench_imports_nothing_heavy():
    """Not even pandas: what is not used costs nothing."""
    code = (
        "import sys, lossbench; print(sorted({'pandas', 'numpy', 'keras', 'tensorflow', 'rich'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


STUDY = {
    "name": "study",
    "data": {"train_size": 300, "validation_size": 100},
    "train": {"epochs": 1, "threads": 1},
    "sweep": {"cases": [{"loss": "ce"}, {"loss": "squentropy", "optimizer": {"name": "sgd", "learning_rate": 1e38}}]},
}


@pytest.mark.slow
def test_a_sweep_is_the_commands_sweep(tmp_path, commands):
    """The same folders, continued where they are; a diverged run is no error."""
    swept = lossbench.sweep(STUDY, seeds=range(2), runs_dir=tmp_path / "runs", jobs=1)
    assert list(swept.statuses.values()) == ["completed", "diverged"] * 2
    assert (swept.folder, swept.is_complete, swept.failures) == (tmp_path / "runs" / "study", False, {})
    assert repr(swept) == f"<SweepResult {swept.folder}: 2 completed, 2 diverged>"
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(STUDY))
    options = ("--seeds", "0-1", "--dry-run", "--device", "cpu")
    again = commands("sweep", "--config", "study.yaml", *options, cwd=tmp_path)
    assert re.findall(r"^(\w+) ", again.out, re.MULTILINE) == ["completed", "diverged"] * 2
    stamps = [(run / "run.json").stat().st_mtime_ns for run in swept.runs]
    assert lossbench.sweep(tmp_path / "study.yaml", seeds="0-1", runs_dir=tmp_path / "runs") == swept
    assert stamps == [(run / "run.json").stat().st_mtime_ns for run in swept.runs]
    assert lossbench.compare(swept.folder).groups["n"].tolist() == [2, 0]


@pytest.mark.parametrize(
    ("options", "parameter"),
    [
        ({"seeds": 3}, "seeds"),
        ({"seeds": [0, "1"]}, "seeds"),
        ({"seeds": [True]}, "seeds"),
        ({"seeds": []}, "seeds"),
        ({"jobs": 0}, "jobs"),
        ({"jobs": 1.5}, "jobs"),
        ({"retries": -1}, "retries"),
        ({"max_consecutive_failures": "3"}, "max_consecutive_failures"),
        ({"device": "tpu"}, "device"),
    ],
    ids=str,
)
def test_mistakes_in_a_sweep_name_the_parameter(options, parameter, tmp_path):
    """And nothing is written."""
    with pytest.raises(errors.UsageError) as caught:
        lossbench.sweep(STUDY, runs_dir=tmp_path / "runs", **options)
    assert caught.value.parameter == parameter
    assert list(tmp_path.iterdir()) == []


def test_mistakes_in_the_configuration_of_a_sweep_name_the_key(tmp_path):
    """In a mapping as in a file; seeds out of range too."""
    for seeds in ("a-b", [-1]):
        with pytest.raises(errors.ConfigError, match=r"^sweep\.seeds"):
            lossbench.sweep(STUDY, seeds=seeds, runs_dir=tmp_path)
    with pytest.raises(errors.ConfigError, match=r"did you mean 'gamma'"):
        lossbench.sweep({"sweep": {"cases": [{"loss": {"name": "focal", "gama": 1}}]}}, runs_dir=tmp_path)
    with pytest.raises(errors.UsageError, match=r"2,000,000 trials.*confirm with `yes`"):
        lossbench.sweep(STUDY, seeds="0-999999", runs_dir=tmp_path)


def test_a_result_is_shown_on_one_line(tmp_path, fabricate):
    """Not the whole of `run.json`."""
    run = fabricate(tmp_path, "focal", 3)
    summary = json.loads((run / "run.json").read_text())
    accuracy = f"{100 * summary['metrics']['test.last.accuracy']:.2f} %"
    shown = repr(TrainResult(run, summary))
    assert shown == f"<TrainResult focal, seed 3: completed, test accuracy {accuracy}, {run}>"
    diverged = TrainResult(run, summary | {"status": "diverged", "metrics": {}})
    assert repr(diverged) == f"<TrainResult focal, seed 3: diverged, {run}>"


@pytest.mark.parametrize("name", sorted(set(lossbench.__all__) - {"__version__"}))
def test_every_public_function_has_types_and_a_complete_docstring(name):
    """Each parameter is described under Args; help says what is returned and raised."""
    function = getattr(lossbench, name)
    parameters = inspect.signature(function).parameters
    assert set(function.__annotations__) == {*parameters, "return"}
    for word in ("Returns:", "Raises:", *(f"{parameter}: " for parameter in parameters)):
        assert word in function.__doc__, f"{name}: {word}"


def test_sweep_is_the_function_whatever_is_imported():
    """A subpackage has the same name."""
    from lossbench.sweep import plan

    assert plan.__name__ == "lossbench.sweep.plan"
    assert lossbench.sweep.__name__ == "sweep"
    assert inspect.isfunction(lossbench.sweep)


@pytest.mark.parametrize(
    ("one", "listed"),
    [
        ({"seeds": 0}, {"seeds": [0]}),
        ({"seeds": np.int64(1)}, {"seeds": [1]}),
        ({"by": "loss"}, {"by": ["loss"]}),
        ({"metrics": "nll"}, {"metrics": ["nll"]}),
        ({"across": "model.name"}, {"across": ["model.name"]}),
        ({"allow_different": "train"}, {"allow_different": ("train",)}),
        ({"metrics": "nll", "rope": 0.01}, {"metrics": ["nll"], "rope": "0.01"}),
        ({"metrics": "nll", "rope": 1}, {"metrics": ["nll"], "rope": "1"}),
    ],
    ids=str,
)
def test_one_name_or_number_needs_no_list(runs, one, listed):
    """A text is one name, not its letters, and a number one seed; a rope may be a number where it needs no unit."""
    assert lossbench.compare(runs, **one).text("json") == lossbench.compare(runs, **listed).text("json")


def small_loss(y_true, y_pred, *, scale: float = 1.0):
    """Cross-entropy with a factor."""
    from lossbench import ops

    return -scale * ops.sum(y_true * ops.log_softmax(y_pred), axis=-1)


SMALL = {key: STUDY[key] for key in ("name", "data", "train")}


@pytest.fixture
def _no_plugins():
    from lossbench.losses import registry

    yield
    registry.clear_plugins()


@pytest.mark.usefixtures("_no_plugins")
def test_a_function_in_memory_is_trained_by_every_call(tmp_path):
    """It computes what it says, is marked in run.json, and cannot be verified."""
    from lossbench.inspect.details import read_run
    from lossbench.training.verify import trial_of

    named = lossbench.train({**SMALL, "loss": "ce"}, runs_dir=tmp_path)
    config = {**SMALL, "loss": small_loss}
    first = lossbench.train(config, runs_dir=tmp_path)
    again = lossbench.train(config, runs_dir=tmp_path)
    assert (first.run, first.was_done, again.was_done) == (again.run, False, False)
    assert first.summary["metrics"] == again.summary["metrics"] == named.summary["metrics"]
    (recorded,) = first.summary["plugins"]
    assert (recorded["in_memory"], first.summary["loss"]) == ("small_loss", "small_loss")
    with pytest.raises(errors.PluginError, match=r"'small_loss', a loss in the memory of a program.*into a file"):
        trial_of(read_run(first.run))
    summed = lossbench.train({**SMALL, "loss": [{"name": small_loss, "scale": 0.5}, "ce"]}, runs_dir=tmp_path)
    assert summed.summary["loss"] == "1 small_loss scale=0.5 + 1 categorical_crossentropy"


@pytest.mark.usefixtures("_no_plugins")
def test_a_sweep_with_a_function_in_memory_runs_here(tmp_path):
    """Trial by trial; what has a name is found done, the function is trained again; workers are refused."""
    config = SMALL | {"sweep": {"parameters": {"loss": ["ce", small_loss]}}}
    swept = lossbench.sweep(config, runs_dir=tmp_path)
    assert swept.is_complete
    stamps = [(run / "run.json").stat().st_mtime_ns for run in swept.runs]
    assert lossbench.sweep(config, runs_dir=tmp_path, jobs=1) == swept
    after = [(run / "run.json").stat().st_mtime_ns for run in swept.runs]
    assert [old == new for old, new in zip(stamps, after, strict=True)] == [True, False]
    for options in ({"jobs": 2}, {"trial_timeout": 1.0}, {"device": "tpu"}):
        with pytest.raises(errors.UsageError) as caught:
            lossbench.sweep(config, runs_dir=tmp_path, **options)
        assert caught.value.parameter in options


@pytest.mark.usefixtures("_no_plugins")
def test_training_works_in_a_thread_with_a_running_event_loop(tmp_path):
    """As in the kernel of a notebook: no signal handlers outside the main thread, and those there are restored."""
    import asyncio
    import signal

    before = signal.getsignal(signal.SIGINT)

    async def cell():
        in_thread = await asyncio.to_thread(lossbench.train, {**SMALL, "loss": small_loss}, runs_dir=tmp_path)
        return in_thread, lossbench.train({**SMALL, "loss": small_loss, "seed": 1}, runs_dir=tmp_path)

    assert [each.status for each in asyncio.run(cell())] == ["completed"] * 2
    assert signal.getsignal(signal.SIGINT) is before
