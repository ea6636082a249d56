"""Settings written as options, keys in the wrong place, files without `--config`, and sums that are not meant."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lossbench.cli import app
from lossbench.config import resolve
from lossbench.config.explain import find_key
from lossbench.config.other_keys import ELSEWHERE, OPTIONS
from lossbench.config.schema import Experiment
from lossbench.errors import ConfigError, UsageError


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A command in a folder with two configurations."""
    monkeypatch.chdir(tmp_path)
    Path("focal.yaml").write_text("loss: focal\n")
    Path("sum.yaml").write_text("loss: [ce, focal]\n")

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, arguments)

    return invoke


KEYS = {
    "lr": "optimizer.learning_rate",
    "learning_rate": "optimizer.learning_rate",
    "epochs": "train.epochs",
    "num_epochs": "train.epochs",
    "batch": "train.batch_size",
    "batch_size": "train.batch_size",
    "seeds": "sweep.seeds",
    "noise": "data.label_noise",
    "layers": "model.hidden",
    "units": "model.hidden",
    "hidden": "model.hidden",
    "momentum": "optimizer.momentum",
    "weight_decay": "optimizer.weight_decay",
    "wd": "optimizer.weight_decay",
    "dataset": "data.name",
    "gamma": "loss.gamma",
    "alpha": "loss.alpha",
    "smoothing": "loss.label_smoothing",
    "label_smoothing": "loss.label_smoothing",
    "dropout": "model.dropout",
    "patience": "train.early_stopping.patience",
    "criterion": "loss",
    "optimiser": "optimizer",
    "scheduler": "optimizer.schedule",
    "gradient_clipping": "optimizer.clip_norm",
    "outputs": "loss.outputs",
    "labels": "loss.labels",
}


@pytest.mark.parametrize(("key", "here"), KEYS.items())
@pytest.mark.parametrize("text", ["{}: 3\n", "train: {{{}: 3}}\n"])
@pytest.mark.usefixtures("run")
def test_a_misplaced_key_is_answered_with_its_place(key: str, here: str, text: str) -> None:
    """At the top level and in a section to which it does not belong; as an override too."""
    Path("a.yaml").write_text(text.format(key))
    if here == f"train.{key}" and text.startswith("train"):
        return
    for arguments in (["a.yaml"], ["focal.yaml", f"{key}=3"]):
        with pytest.raises(ConfigError, match=rf": unknown key here; did you mean '{here}'\?$"):
            resolve.load(Path(arguments[0]), arguments[1:])


def test_the_table_of_other_keys_names_keys_that_exist() -> None:
    """Each once, and none that a section has itself."""
    names = [name for names in ELSEWHERE.values() for name in names.split(", ")]
    assert sorted(names) == sorted(set(names) - set(Experiment.model_fields))
    for here in ELSEWHERE:
        section, _, key = here.rpartition(".")
        assert (
            find_key(key) == here
            if section in ("optimizer", "train")
            else section.split(".")[0] in ("", *Experiment.model_fields)
        )


@pytest.mark.parametrize("key", [key for key in KEYS if not KEYS[key].startswith("loss")])
def test_a_key_of_another_section_in_a_loss_is_answered_with_its_place(key: str) -> None:
    """Beside the hyperparameters that the loss has."""
    with pytest.raises(ConfigError, match=f"unknown key '{key}' in loss 'focal'.*did you mean '{KEYS[key]}'"):
        resolve.from_mapping({"loss": {"name": "focal", key: 3}})


@pytest.mark.parametrize("key", OPTIONS)
def test_a_key_that_is_an_option_is_answered_with_the_option(key: str, run) -> None:
    """A configuration says what is trained, the command line where."""
    Path("a.yaml").write_text(f"{key}: x\n")
    done = run("validate", "a.yaml")
    assert "unknown key; the option `" in str(done.exception)


def test_a_dotted_key_in_a_file_is_answered_with_its_nested_form() -> None:
    """Dots are for the command line and for sweeps."""
    with pytest.raises(ConfigError, match=r"'loss.gamma': unknown key; .*here write loss: \{gamma: …\}"):
        resolve.from_mapping({"loss": "focal", "loss.gamma": 3})


@pytest.mark.parametrize("command", ["train", "sweep", "validate", "config"])
@pytest.mark.parametrize(
    ("written", "setting"),
    [
        (["--epochs", "5"], "train.epochs=5"),
        (["--epochs=5"], "train.epochs=5"),
        (["--lr", "0.1"], "optimizer.learning_rate=0.1"),
        (["-lr", "0.1"], "optimizer.learning_rate=0.1"),
        (["--gamma", "5"], "loss.gamma=5"),
        (["--loss", "focal"], "loss=focal"),
        (["--batch-size", "32"], "train.batch_size=32"),
        (["--train.epochs", "5"], "train.epochs=5"),
        (["--momentum"], "optimizer.momentum=…"),
    ],
)
def test_an_option_that_is_a_setting_is_answered_with_the_setting(
    command: str, written: list[str], setting: str, run
) -> None:
    """In every command that takes overrides; the exit code is that of a usage error."""
    done = run(command, "focal.yaml", *written)
    assert isinstance(done.exception, UsageError)
    assert str(done.exception) == f"{command}: no option {written[0].partition('=')[0]}; write {setting}"


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["train", "focal.yaml", "--seeds", "0-2"], "several are a sweep: sweep --seeds 0-2"),
        (["sweep", "focal.yaml", "--seed", "3"], "write --seeds 3"),
        (["validate", "--config", "focal.yaml"], "write the file alone: validate focal.yaml"),
        (["config", "-c", "focal.yaml"], "write the file alone: config focal.yaml"),
        (["losses", "focal", "--gamma", "5"], "write gamma=5"),
        (["train"], "no configuration: name a YAML file"),
        (["sweep", "train.epochs=3"], "no configuration: name a YAML file"),
        (["train", "focal"], "'focal' is neither a file nor key=value"),
        (["train", "focal.yaml", "--config", "sum.yaml"], "2 configurations, sum.yaml, focal.yaml; name one"),
        (["sweep", "focal.yaml", "sum.yaml"], "2 configurations, focal.yaml, sum.yaml; name one"),
        (["train", "missing.yaml"], "no file 'missing.yaml'"),
    ],
)
def test_another_habit_is_answered_with_how_it_is_done_here(arguments: list[str], advice: str, run) -> None:
    """One sentence, exit code 2."""
    done = run(*arguments)
    assert isinstance(done.exception, UsageError)
    assert advice in str(done.exception)


def test_an_option_that_nothing_resembles_keeps_the_parsers_message(run) -> None:
    """Exit code 2 as well."""
    done = run("train", "focal.yaml", "--zorp")
    assert (done.exit_code, "No such option: --zorp" in done.output) == (2, True)


def test_a_file_needs_no_option(run) -> None:
    """Anywhere among the settings."""
    by_option = run("sweep", "--config", "focal.yaml", "loss.gamma=1,2", "--dry-run")
    assert by_option.exit_code == 0
    for arguments in (["focal.yaml", "loss.gamma=1,2"], ["loss.gamma=1,2", "focal.yaml"]):
        assert run("sweep", *arguments, "--dry-run").stdout == by_option.stdout


@pytest.mark.parametrize(
    ("loss", "is_said"),
    [
        ("[ce, focal]", True),
        ("[{name: ce}, {name: focal, gamma: 3}]", True),
        ("[{name: ce, weight: 0.5}, {name: focal, weight: 0.5}]", False),
        ("nce_rce", False),
        ("anl_ce", False),
        ("[ce]", False),
        ("focal", False),
    ],
)
def test_a_list_of_losses_says_that_it_is_their_sum(loss: str, is_said: bool, run) -> None:  # noqa: FBT001 - a table's column
    """Once, where no weight shows that it is meant, by what trains it and by what checks it."""
    Path("a.yaml").write_text(f"loss: {loss}\nsweep: {{seeds: 0-2}}\n")
    for arguments in (["validate", "a.yaml"], ["sweep", "a.yaml", "--dry-run"]):
        assert run(*arguments).stderr.count("a list is one loss, the sum ") == is_said
    assert "the sum" not in run("sweep", "a.yaml", "--dry-run", "--quiet").stderr
