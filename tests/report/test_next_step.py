"""The last words of `compare` on a terminal."""

import shlex
import sys
from pathlib import Path

import pytest

from lossbench import cli
from lossbench.analysis.query import Query, answer
from lossbench.cli.query import label_readings
from lossbench.report.next_step import next_step

CE = "categorical_crossentropy"
SWEEP = ["/opt/bin/lossbench", "sweep", "--config", "study.yaml", "--seeds", "0", "--quiet", "loss=ce,focal"]


@pytest.fixture
def study(tmp_path, fabricate, monkeypatch):
    """Write runs of losses with an accuracy for each seed, None for a diverged run; return what is said of them."""
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").write_text("loss: focal\ndata: {train_size: 300}\ntrain: {epochs: 1}\n")

    def say(losses, argv=SWEEP, config=None, plugins=None, **query):
        for label, accuracies in losses.items():
            for seed, accuracy in enumerate(accuracies):
                metrics = {f"test.last.{name}": accuracy for name in ("accuracy", "nll", "brier", "ece")}
                status = "completed" if isinstance(accuracy, float) else accuracy or "diverged"
                fabricate(
                    Path("runs"), label, seed, status=status, images=20, epochs=1, argv=argv, plugins=plugins or [],
                    config=(config or {}).get(label), metrics=metrics if status == "completed" else {},
                )  # fmt: skip
        return next_step(answer(Query(paths=(Path("runs"),), **query)), ["compare", "runs"])

    return say


def spread(mean, count=8):
    """Accuracies around a mean; each loss has the same luck."""
    return [mean + seed / 1000 + (seed % 3) * mean / 1e4 for seed in range(count)]


CASES = {
    "one loss": ({"focal": spread(0.9)}, {}, "There is only one loss here; this lists others to train:", "losses"),
    "no baseline": (
        {"focal": spread(0.9), "gce": spread(0.9)}, {},
        "Without a baseline there is no verdict; choose one:", "compare runs --baseline focal",
    ),
    "better": (
        {CE: spread(0.9), "focal": spread(0.95)}, {},
        f"focal is better than {CE}; this draws it:", "report runs",
    ),
    "better, named": (
        {CE: spread(0.9), "focal": spread(0.95), "gce": spread(0.96)}, {"labels": (label_readings("ce=CE"),)},
        "gce and 1 more are better than CE; this draws it:", "report runs",
    ),
    "diverged": (
        {CE: spread(0.9), "focal": [*spread(0.9, 3), None]}, {},
        "1 run diverged; this shows one of them:", "show runs/study/focal-s3-",
    ),
    "failed": (
        {CE: spread(0.9), "focal": [*spread(0.9, 3), "failed", "failed"]}, {},
        "2 runs failed; this trains what is missing:",
        "sweep --config study.yaml --seeds 0 loss=ce,focal --retry-failed",
    ),
    "one seed": (
        {CE: [0.9], "focal": [0.91]}, {},
        "1 seed cannot decide a comparison, 6 can; add seeds:", "sweep --config study.yaml loss=ce,focal --seeds 0-5",
    ),
    "undecided": (
        {CE: spread(0.9), "focal": [value + (-1) ** seed * 0.004 + 0.003 for seed, value in enumerate(spread(0.9))]},
        {},
        "Nothing is decided yet; about ", "sweep --config study.yaml loss=ce,focal --seeds 0-",
    ),
    "tiny": (
        {CE: spread(0.9), "focal": [value + (-1) ** seed * 0.02 + 1e-5 for seed, value in enumerate(spread(0.9))]}, {},
        "The differences are too small for these seeds; name the size that matters to you",
        "compare runs --rope 0.1pp",
    ),
    "equivalent": (
        {CE: spread(0.9), "focal": spread(0.9)}, {"rope": "1pp"},
        f"No loss is shown to be better than {CE} (1 equivalent). To see every seed:", "report runs --rope 1pp",
    ),
    "worse": (
        {CE: spread(0.9), "focal": spread(0.8)}, {"at": "last", "metric_names": ("accuracy",)},
        f"No loss is shown to be better than {CE} (1 worse). To see every seed:", "report runs --metric accuracy",
    ),
    "not alike": (
        {CE: spread(0.9), "focal": spread(0.8)}, {"config": {"focal": {"train.epochs": 9}}},
        "Not only the losses differ, so there is no verdict; train them alike, or accept train.epochs:",
        "compare runs --allow-different train.epochs",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_one_sentence_and_a_command_that_works(case, study, monkeypatch, capsys):
    """Each case has its sentence; the command runs, or plans its trials, without an error."""
    losses, query, sentence, expected = CASES[case]
    said, command = study(losses, **query).split("\n  ")
    assert said.startswith(sentence)
    assert command.startswith(f"lossbench {expected}")
    dry = ["--dry-run"] if expected.startswith("sweep") else []
    monkeypatch.setattr(sys, "argv", [*shlex.split(command), *dry])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code in {0, None}, capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["lossbench", "sweep", "-c", "study.yaml", "--seeds=0-1", "--shard", "1/2", "loss=ce,focal"],
         "lossbench sweep -c study.yaml loss=ce,focal --seeds 0-5"),
        (["lossbench", "sweep", "study.yaml", "--plugin", "own.py", "--runs-dir", "here"],
         "lossbench sweep study.yaml --plugin own.py --runs-dir here --seeds 0-5"),
        (["lossbench", "sweep", "--plugin=own.py", "study.yaml"],
         "lossbench sweep --plugin=own.py study.yaml --seeds 0-5"),
        (["lossbench", "train", "--config=study.yaml", "--seed=3"],
         "lossbench sweep --config=study.yaml --seeds 0-5"),
        (["lossbench", "sweep", "study.yaml", "--plugin", "gone.py"], "lossbench sweep --config runs/study/"),
        (["lossbench", "sweep", "gone.yaml", "--plugin", "own.py"], "lossbench sweep --config runs/study/"),
        (["lossbench", "sweep", "--plugin", "own.py"], "lossbench sweep --config runs/study/"),
        (["lossbench", "train", "--config", "study.yaml", "seed=3", "train.epochs=2", "--rerun"],
         "lossbench sweep --config study.yaml train.epochs=2 --seeds 0-5"),
        (["lossbench", "train", "--seed", "0", "--config", "study.yaml"],
         "lossbench sweep --config study.yaml --seeds 0-5"),
        (["lossbench", "train", "--config", "gone.yaml"], "lossbench sweep --config runs/study/"),
        (["notebook.py"], "lossbench sweep --config runs/study/"),
        ([], "lossbench sweep --config runs/study/"),
        (["lossbench", "sweep", "--config", "study.yaml", "\x1b[2J"], "lossbench sweep --config runs/study/"),
        ("text", "lossbench sweep --config runs/study/"),
    ],
)  # fmt: skip
def test_more_seeds_are_trained_by_the_command_of_the_runs(argv, expected, study):
    """Without its own seeds and flags; by the run's own configuration where the command or its file is not here."""
    Path("own.py").touch()
    _, command, *_ = study({CE: [0.9], "focal": [0.91]}, argv=argv).split("\n  ")
    assert command.startswith(expected)
    assert command.endswith("--seeds 0-5")


def test_at_most_two_commands_are_shown(study):
    """Losses that were trained one by one need one each."""
    said = study({name: [0.9 + number / 99] for number, name in enumerate((CE, "focal", "gce", "sce", "mae"))}, argv=[])
    assert said.count("\n  lossbench sweep") == 2
    assert said.endswith("\nand likewise for 3 more")


def test_commands_that_differ_only_in_the_loss_are_one_sweep(study):
    """Runs of `train`, one per loss, become a list of losses; another setting is another command."""
    for number, (loss, name) in enumerate({CE: "ce", "focal": "{name: focal, gamma: 3}", "gce": "gce"}.items()):
        setting = ["train.epochs=2"] * (loss == "gce")
        said = study({loss: [0.9 - number / 99]}, argv=["lossbench", "train", "study.yaml", f"loss={name}", *setting])
    assert said.splitlines()[1:] == [
        "  lossbench sweep study.yaml 'loss=ce,{name: focal, gamma: 3}' --seeds 0-5",
        "  lossbench sweep study.yaml loss=gce train.epochs=2 --seeds 0-5",
    ]


@pytest.mark.parametrize("argv", [[], ["notebook.py"], ["lossbench", "train", "gone.yaml", "--plugin", "gone.py"]])
def test_runs_of_own_losses_are_retrained_with_their_plugin(argv, study, tmp_path):
    """The file that a run records is named, where the command of the run cannot be used."""
    own = tmp_path / "my losses.py"
    own.touch()
    said = study({CE: [0.9], "my_robust": [0.91]}, argv=argv, plugins=[{"path": str(own), "sha256": "0"}])
    for line in said.splitlines()[1:]:
        assert shlex.split(line)[4:6] == ["--plugin", str(own)]


@pytest.mark.parametrize("plugin", [{"path": "gone.py"}, {"in_memory": "my_robust"}, {"path": 3}, "text"])
def test_no_command_where_a_loss_cannot_be_trained_from_a_file(plugin, study):
    """A loss of a notebook, or of a file that is gone, has no command that works."""
    said = study({CE: [0.9], "my_robust": [0.91]}, argv=["notebook.py"], plugins=[plugin])
    assert said == "1 seed cannot decide a comparison, 6 can; add seeds."


def test_verdicts_over_several_conditions_are_counted(study):
    """The sentence claims no more than the verdicts, and says over how many conditions they are."""
    worse = {CE: spread(0.9), "focal": spread(0.8)}
    study(worse)
    said = study(worse, config={loss: {"data.train_size": 99} for loss in worse}, metric_names=("accuracy",))
    assert said.startswith(f"No loss is shown to be better than {CE} (2 conditions: 2 worse). To see every seed:\n")


@pytest.mark.parametrize("width", [40, 60, 80])
def test_the_sentence_fits_the_terminal(width, study, monkeypatch, capsys):
    """The sentence breaks between words; a command stays on one line, to be copied."""
    study({CE: spread(0.9), "focal": spread(0.8)})
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys, "argv", ["lossbench", "compare", "runs"])
    with pytest.raises(SystemExit):
        cli.main()
    *sentence, command = capsys.readouterr().err.strip().splitlines()
    assert " ".join(sentence) == f"No loss is shown to be better than {CE} (1 worse). To see every seed:"
    assert max(map(len, sentence)) <= width
    assert command == "  lossbench report runs"


@pytest.mark.parametrize("arguments", [(), ("--format", "csv"), ("--list",), ("--output", "out.txt")])
@pytest.mark.parametrize("terminal", [True, False])
def test_only_a_table_on_a_terminal_ends_with_advice(arguments, terminal, study, monkeypatch, capsys):
    """Nothing in a pipe, a file or another format."""
    study({CE: [0.9], "focal": [0.91]})
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(sys, "argv", ["lossbench", "compare", "runs", *arguments])
    with pytest.raises(SystemExit):
        cli.main()
    assert ("add seeds" in capsys.readouterr().err) == (terminal and not arguments)
