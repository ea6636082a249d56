"""`lossbench compare` as a process: what goes where, with which exit status, and without TensorFlow."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from lossbench.cli import main
from lossbench.report import formats
from lossbench.runs import paths

if TYPE_CHECKING:
    from pathlib import Path

CE = "categorical_crossentropy"
CODE = """
import sys
for name in ("tensorflow", "keras", "pandas", "scipy.stats", "matplotlib"):
    sys.modules[name] = None
import typer
from lossbench.cli.compare import compare
from lossbench.errors import LossbenchError
app = typer.Typer(add_completion=False)
app.command()(compare)
try:
    app(standalone_mode=False)
except LossbenchError as error:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(error.exit_code)
"""


@pytest.fixture
def compare(commands: Any, tmp_path: Path) -> Any:
    """Run the command in a process of its own, which must not import TensorFlow or Keras."""

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        done = commands("compare", *arguments, cwd=tmp_path, **{"COLUMNS": "", "NO_COLOR": ""} | environment)
        assert not done.beyond
        return subprocess.CompletedProcess(arguments, done.code, done.out, done.err)

    return run


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command in this process, which is faster."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["lossbench", "compare", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return subprocess.CompletedProcess(sys.argv, int(ended.value.code or 0), *capsys.readouterr())

    return run


def fill(fabricate: Any, place: Path, seeds: int, **accuracies: float) -> Path:
    """Runs of losses whose accuracy is as given, give or take the seed's own luck; equal seeds have equal luck."""
    for seed in range(seeds):
        for label, accuracy in accuracies.items():
            chance = random.Random(f"{label}{seed}").gauss(0, 2e-4)  # noqa: S311 - a test's
            value = accuracy + seed / 1000 + chance
            metrics = {f"test.last.{name}": value for name in ("accuracy", "nll", "brier", "ece")}
            fabricate(place, label, seed, metrics=metrics, images=20, epochs=1)
    return place


@pytest.fixture
def study(tmp_path: Path, fabricate: Any) -> Path:
    """Two losses, two seeds, one broken folder."""
    for seed in (0, 1):
        fabricate(tmp_path / "runs", "focal", seed)
        fabricate(tmp_path / "runs", CE, seed, strength=3.0)
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "run.json").write_text("{")
    return tmp_path / "runs"


@pytest.fixture
def worse(tmp_path: Path, fabricate: Any) -> Path:
    """Six seeds of cross-entropy, of an equal loss and of one that is two points worse."""
    return fill(fabricate, tmp_path / "worse", 6, **{CE: 0.95, "equal": 0.95, "worse": 0.93})


def test_table_to_stdout_faults_to_stderr(compare: Any, study: Path) -> None:
    """The table is all of stdout; a broken folder is named on stderr and costs nothing else."""
    result = compare(study)
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert lines[:2] == [
        "mnist · mlp · 5 epochs · seeds 0–1 · test accuracy, last epoch ·", "baseline categorical_crossentropy",
    ]  # fmt: skip
    assert [line.split()[0] for line in lines if line.startswith(("focal", CE))] == ["focal", CE] * 2
    assert "\x1b" not in result.stdout
    assert max(map(len, lines)) <= 80
    assert result.stderr.startswith(f"not counted: {study / 'broken'}: run.json: not JSON: ")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("form", ["table", "csv"])
def test_no_heavy_library_is_needed(study: Path, form: str) -> None:
    """The command runs where importing TensorFlow, Keras, pandas, `scipy.stats` or Matplotlib raises."""
    command = [sys.executable, "-W", "error", "-c", CODE, str(study), "--format", form]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "focal" in done.stdout


def test_width_and_colour_follow_the_environment(compare: Any, study: Path) -> None:
    """COLUMNS widens the table until all stands in one, FORCE_COLOR brings colour, NO_COLOR takes it away."""
    assert compare(study).stdout.count("─\n") == 2
    assert compare(study, COLUMNS="170").stdout.count("─\n") == 1
    assert "\x1b[1m" in compare(study, FORCE_COLOR="1").stdout
    assert "\x1b[36m" not in compare(study, FORCE_COLOR="1", NO_COLOR="1").stdout


def test_csv_is_clean(compare: Any, study: Path) -> None:
    """`--format csv` gives rows and nothing else on stdout."""
    rows = list(csv.DictReader(io.StringIO(compare(study, "--format", "csv", "--at", "best").stdout)))
    assert [(row["loss"], row["n"], row["at"]) for row in rows] == [("focal", "2", "best"), (CE, "2", "best")]


@pytest.mark.parametrize("form", formats.FORMATS)
def test_output_to_a_file(compare: Any, study: Path, tmp_path: Path, form: str) -> None:
    """`-o` writes what would have been printed, and leaves stdout empty."""
    result = compare(study, "-f", form, "-o", tmp_path / "out")
    assert (result.returncode, result.stdout) == (0, "")
    assert compare(study, "-f", form).stdout == (tmp_path / "out").read_text(encoding="utf-8")


def test_exit_statuses(compare: Any, study: Path, tmp_path: Path, fabricate: Any) -> None:
    """2 for what is not there or cannot be asked for, 5 where nothing matched, 1 where nothing can be written."""
    (tmp_path / "empty").mkdir()
    absent, nothing = compare(tmp_path / "absent"), compare(tmp_path / "empty")
    assert (absent.returncode, absent.stderr) == (2, f"error: {tmp_path / 'absent'}: no such folder\n")
    assert (nothing.returncode, nothing.stderr) == (5, f"error: {tmp_path / 'empty'}: no run that can be read\n")
    assert compare(study, "-o", tmp_path / "no" / "file").returncode == 1
    fabricate(study, "hinge", 0, validation=False)
    assert compare(study, "--at", "best").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--metric", ","], 2, "--metric: expected at least one, got none"),
        (["--metric", "val_loss"], 2, "rank nothing"),
        (["--metric", "accuracy,acuracy"], 2, "did you mean 'accuracy'"),
        (["--baseline", "fokal"], 2, "did you mean 'focal'"),
        (["--baseline", "focal", "--against", "x.json"], 2, "choose one"),
        (["--against", "."], 2, ". is a folder of runs; write a baseline file with: lossbench compare . --save-base"),
        (["--pivot", "--metric", "accuracy"], 2, "--pivot needs a value, e.g. --pivot data.label_noise.rate; got the"),
        (["--where", "--json"], 2, "--where needs a value"),
        (["--metric", "--pivot=loss"], 2, "option --pivot=loss"),
        (["--seeds", "-o", "x.csv"], 2, "--seeds needs a value, e.g. --seeds 0-9; got the option -o"),
        (["-f", "--by", "loss"], 2, "-f needs a value; got the option --by"),
        (["--against", "x.json"], 2, "x.json is missing; expected a baseline file"),
        (["--by", "nothing"], 2, "nothing: no run has this key"),
        (["--where", "seed = 1"], 2, "column 6"),
        (["--where", "seed == 7"], 5, "matches none of 4 runs"),
        (["--strict"], 2, "--strict: needs a threshold; add --fail-if"),
        (["--strict", "--require-seeds", "2"], 2, "--strict: needs a threshold; add --fail-if"),
        (["--rope", "0.5"], 2, "--rope: '0.5': a difference in accuracy needs a unit: 0.5pp (or 0.5%)"),
        (["--fail-if", "delta.accuracy < -0.5"], 2, "--fail-if: 'delta.accuracy < -0.5': a difference in accuracy"),
        (["--allow-different", "epochs"], 2, "--allow-different: no run has the key 'epochs'"),
        (["--allow-different", "train.epoch"], 2, "--allow-different: no run has the key 'train.epoch'; did you mean"),
        (["--seeds", "5-9"], 5, "--seeds: match none of 4 runs"),
        (["--seeds", "x"], 2, "--seeds: expected seeds such as 0-9"),
        (["--rope", "nll=1"], 2, "--rope: 'nll=1': the verdict is on accuracy; name nll first in --metric"),
        (["--where", "loss == 'focal'", "--fail-if", "delta.nll > 1"], 2, "choose one with --baseline or --against"),
        (["--rope", "1pq"], 2, "--rope: expected a size"),
        (["--sort", "val_loss"], 2, "rank nothing"),
        (["--tune", "optimizer.lr"], 2, "--tune: no run has the key 'optimizer.lr'"),
        (["--list", "--format", "latex"], 2, "--format: expected table, csv, json or jsonl"),
        (["--fail-if", "accuracy"], 2, "expected a threshold such as"),
        (["--baseline", "focal", "--fail-if", "delta.accuracy < -1pp", "--where", "loss == 'focal'"], 5, "no pair"),
        (["--where", "loss == 'focal'", "--fail-if", "delta.accuracy < -1pp"], 2, "there is no baseline"),
    ],
)
def test_mistakes_are_one_line_each(study: Path, here: Any, arguments: list[str], code: int, said: str) -> None:
    """With its exit status, and nothing on stdout."""
    result = here(study, *arguments)
    assert (result.returncode, result.stdout) == (code, "")
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert said in line


def test_the_gate(here: Any, worse: Path) -> None:
    """3 for a loss that is worse for certain, said in a sentence; 0 for the equal one alone; the table comes first."""
    threshold = "delta.accuracy < -0.2pp"
    failed = here(worse, "--fail-if", threshold)
    assert failed.returncode == 3
    assert failed.stdout == here(worse).stdout
    assert "gate: 1 failed, 1 passed" in failed.stderr
    assert "error: worse: accuracy −1.98 pp (95 % interval [−2.01, −1.95]) " in failed.stderr
    assert " against categorical_crossentropy over 6 seeds, wholly beyond the threshold" in failed.stderr
    passed = here(worse, "--fail-if", threshold, "--where", "loss != 'worse'", "--strict")
    assert (passed.returncode, passed.stderr) == (0, "gate: 1 passed\n")


def test_the_gate_with_too_few_seeds(here: Any, worse: Path) -> None:
    """A warning and 0; with --strict the same as an error and 6; a certain failure comes before it."""
    arguments = [worse, "--seeds", "0,1", "--fail-if", "delta.accuracy < -0.2pp"]
    warned, strict = here(*arguments), here(*arguments, "--strict")
    assert (warned.returncode, strict.returncode) == (0, 6)
    assert warned.stderr.count("warning: ") == strict.stderr.count("undecided, ") == 2
    assert "over 2 seeds, fewer than the 3 needed" in warned.stderr
    both = here(*arguments, "--strict", "--fail-if", "accuracy < 0.99", "--seeds", "0-5")
    assert both.returncode == 3


@pytest.mark.parametrize(("seeds", "threshold", "is_said"), [
    ("0-2", "delta.accuracy < -0.2pp", True), ("0-4", "accuracy < 0.99", True), ("0-5", "accuracy < 0.99", False),
    ("0,1", "accuracy < 0.99", False), ("0-2", "accuracy < 0.5", True), ("0-2", "failed > 0", False),
])  # fmt: skip
def test_the_gate_says_why_it_decides_without_a_verdict(
    here: Any, worse: Path, seeds: str, threshold: str, *, is_said: bool
) -> None:
    """Once, and only where the table has no verdict for lack of seeds and a threshold fails or passes."""
    said = here(worse, "--seeds", seeds, "--fail-if", threshold, "--ci", "90").stderr
    line = "the gate uses the 90 % interval, from 3 seeds on; a verdict needs p, from 6 seeds on\n"
    assert said.count(line) == is_said


def test_a_written_baseline_is_named(here: Any, worse: Path, tmp_path: Path) -> None:
    """The file and its number of runs, on stderr."""
    written = here(worse, "--save-baseline", tmp_path / "main.json", "--seeds", "0-2")
    assert written.stderr == f"baseline: {tmp_path / 'main.json'} (9 runs)\n"


def test_a_stored_baseline(here: Any, worse: Path, tmp_path: Path, fabricate: Any) -> None:
    """Stored from one folder, held against another by label and seed; each loss is its own reference."""
    file = tmp_path / "main.json"
    assert here(worse, "--save-baseline", file).returncode == 0
    same = here(worse, "--against", file, "--fail-if", "delta.accuracy < -0.2pp", "--strict")
    assert same.returncode == 0
    assert same.stdout.count(" identical\n") == 3
    later = fill(fabricate, tmp_path / "later", 6, **{CE: 0.95, "equal": 0.94, "worse": 0.93})
    failed = here(later, "--against", file, "--fail-if", "delta.accuracy < -0.2pp")
    assert failed.returncode == 3
    assert failed.stderr.count("error: ") == 1
    assert "error: equal: accuracy −1.00 pp" in failed.stderr
    assert "against main.json over 6 seeds" in failed.stderr
    other = fill(fabricate, tmp_path / "other", 3, new=0.9)
    assert here(other, "--against", file, "--fail-if", "delta.accuracy < -0.2pp").returncode == 5


def test_a_failed_gate_stores_nothing(here: Any, worse: Path, tmp_path: Path) -> None:
    """What is worse does not become the next baseline."""
    here(worse, "--fail-if", "delta.accuracy < -0.2pp", "--save-baseline", tmp_path / "main.json")
    assert not (tmp_path / "main.json").exists()


def test_github(compare: Any, worse: Path, tmp_path: Path) -> None:
    """Annotations on stdout, the Markdown page appended to the job's summary; without one, on stdout."""
    arguments = [worse, "--format", "github", "--fail-if", "delta.accuracy < -0.2pp"]
    (tmp_path / "summary.md").write_text("before\n")
    result = compare(*arguments, GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"))
    assert result.returncode == 3
    assert result.stdout.startswith("::error title=lossbench compare::worse: accuracy −1.98")
    assert len(result.stdout.splitlines()) == 1
    summary = (tmp_path / "summary.md").read_text()
    assert summary.startswith("before\n**mnist · mlp")
    assert "- failed: worse" in summary
    assert compare(*arguments).stdout == result.stdout + summary.removeprefix("before\n")


def test_a_loss_may_be_named_by_its_alias(compare: Any, study: Path) -> None:
    """`--baseline ce` means cross-entropy."""
    done = compare(study, "--baseline", "ce", "--format", "json")
    assert json.loads(done.stdout)["baseline"] == CE


def test_options_that_choose(here: Any, worse: Path) -> None:
    """Where, seeds, metric, sort, top, only changed, confidence, rope and list reach the table."""
    value = json.loads(here(worse, "-f", "json", "--ci", "90", "--metric", "nll,accuracy", "--seeds", "0-3").stdout)
    assert (value["confidence"], value["metric"]) == (0.9, "nll")
    assert {tuple(group["seeds"]) for group in value["groups"]} == {(0, 1, 2, 3)}
    verdicts = {
        group["loss"]: group["verdict"]
        for group in json.loads(here(worse, "-f", "json", "--rope", "5pp").stdout)["groups"]
    }
    assert verdicts == {CE: None, "equal": "equivalent", "worse": "equivalent"}
    top = here(worse, "--top", "1", "--sort", "accuracy").stdout
    assert "1 more not shown" in top
    assert "\nworse " not in top
    listed = list(csv.DictReader(io.StringIO(here(worse, "--list", "-f", "csv", "--seeds", "3").stdout)))
    assert {(row["loss"], row["seed"]) for row in listed} == {(CE, "3"), ("equal", "3"), ("worse", "3")}
    assert "recall of 5" in here(worse, "--metric", "accuracy,recall.5").stdout


def test_two_hundred_copies(compare: Any, tmp_path: Path, fabricate: Any) -> None:
    """Many runs are read from `run.json` and `config.yaml` alone: copies are counted once."""
    folder = fabricate(tmp_path / "runs", "focal", 0, images=20)
    for number in range(200):
        (copy := tmp_path / "runs" / str(number)).mkdir()
        for name in ("run.json", "config.yaml"):
            (copy / name).write_bytes((folder / name).read_bytes())
    result = compare(tmp_path / "runs", "--format", "csv")
    assert [row["n"] for row in csv.DictReader(io.StringIO(result.stdout))] == ["1"]


DAMAGES = {
    "truncated": lambda content: content[: len(content) // 2],
    "emptied": lambda content: b"",
    "random": lambda content: random.Random(0).randbytes(len(content)),  # noqa: S311 - a test's
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("name", [paths.RUN, paths.CONFIG, paths.METRICS, paths.PER_CLASS, paths.CONFUSION,
                                  paths.PREDICTIONS, paths.INDEX])  # fmt: skip
def test_a_damaged_file_never_breaks_the_table(
    tmp_path: Path, fabricate: Any, here: Any, name: str, damage: Any
) -> None:
    """The table stands; a run that cannot be read is named with the reason; a file that the table needs not is not."""
    runs = fill(fabricate, tmp_path / "runs", 3, **{CE: 0.95, "focal": 0.96})
    folder = fabricate(runs, "damaged", 0, images=20)
    here(runs)
    path = runs / name if name == paths.INDEX else folder / name
    path.write_bytes(damage(path.read_bytes()))
    result = here(runs, "--metric", "accuracy,recall.5")
    assert result.returncode == 0
    assert result.stdout.count("±") >= 2
    if name in {paths.RUN, paths.CONFIG}:
        assert result.stderr.startswith(f"not counted: {folder}: {name}: ")
        assert "\ndamaged" not in result.stdout
    else:
        assert result.stderr == ""
        assert "\ndamaged" in result.stdout


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_predictions_are_named(tmp_path: Path, fabricate: Any, here: Any, damage: Any) -> None:
    """With `--images` they are needed."""
    runs = fill(fabricate, tmp_path / "runs", 1, **{CE: 0.95, "focal": 0.96})
    (path,) = runs.glob("study/focal-*/predictions.npz")
    path.write_bytes(damage(path.read_bytes()))
    result = here(runs, "--images")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: --images: {path.parent}: predictions.npz: ")


def test_missing_evidence(here: Any, worse: Path, tmp_path: Path, fabricate: Any) -> None:
    """3 and a sentence for a loss that is gone, seeds that are missing and runs that failed, in every form."""
    file = tmp_path / "main.json"
    assert here(worse, "--save-baseline", file).returncode == 0
    gone = here(worse, "--against", file, "--where", "loss != 'worse'")
    assert gone.returncode == 0, "the selection holds for both sides"
    fewer = fill(fabricate, tmp_path / "fewer", 4, **{CE: 0.95, "equal": 0.95})
    found = here(fewer, "--against", file, "--fail-if", "delta.accuracy < -5pp", "--save-baseline", tmp_path / "x.json")
    assert found.returncode == 3
    assert found.stderr.splitlines() == [
        "gate: 3 without evidence, 2 passed",
        "the gate uses the 95 % interval, from 3 seeds on; a verdict needs p, from 6 seeds on",
        "error: worse: missing evidence, no run: the runs of main.json are required",
        *(
            f"error: {loss}: missing evidence, 4 of 6 seeds completed; without seeds 4–5: "
            "the seeds of main.json are required"
            for loss in ("equal", CE)
        ),
    ]
    assert not (tmp_path / "x.json").exists()
    required = here(fewer, "--require-losses", "ce, equal,worse", "--require-seeds", "4")
    assert required.stderr.splitlines() == [
        "gate: 1 without evidence, 4 passed", "error: worse: missing evidence, no run: worse is required",
    ]  # fmt: skip
    empty = here(fewer, "--require-losses", "")  # as from a variable that is not set
    assert (empty.returncode, empty.stderr) == (
        2,
        "error: --require-losses: expected names of losses, e.g. ce,gce; got nothing\n",
    )
    fabricate(fewer, "equal", 9, status="failed")
    lost = here(fewer, "--fail-if", "accuracy < 0.01", "--fail-if", "failed > 0")
    assert lost.returncode == 3
    assert "error: equal: 1 run failed, which fails every threshold: accuracy < 0.01" in lost.stderr
    assert "error: equal: 1 run failed: failed > 0" in lost.stderr


def test_unlike_losses(here: Any, tmp_path: Path, fabricate: Any) -> None:
    """No verdict in any form, and a difference that fails the gate, unless the keys are named."""
    for seed in range(8):
        for label, epochs, accuracy in ((CE, 1, 0.8), ("focal", 2, 0.9)):
            metrics = {f"test.last.{name}": accuracy + seed / 1000 for name in ("accuracy", "nll", "brier", "ece")}
            config = {"train.epochs": epochs, "data.train_size": 500 * epochs}
            fabricate(tmp_path / "runs", label, seed, metrics=metrics, images=20, epochs=1, config=config)
    unlike = "data.train_size 500 / 1000, train.epochs 1 / 2"
    threshold = ["--fail-if", "delta.accuracy < -1pp"]
    for form in set(formats.FORMATS):
        result = here(tmp_path / "runs", "-f", form, *threshold)
        text = result.stdout.replace("\\_", "_")
        assert result.returncode == 3
        assert not re.search("focal is better|8/8 better|better than|>better<", text)
        if form in {"json", "jsonl"}:
            record = json.loads(text)["groups"][1] if form == "json" else json.loads(text.splitlines()[1])
            assert (record["verdict"], record["p"], record["delta_mean"]) == ("not alike", None, None)
            assert record["unlike"] == {"data.train_size": [500, 1000], "train.epochs": [1, 2]}
        else:
            assert unlike in text
            assert "not alike" in text
    assert f"focal: missing evidence, not alike (baseline / loss): {unlike}: delta.accuracy < -1pp" in result.stderr
    allowed = here(tmp_path / "runs", *threshold, "--allow-different", "train,data.train_size")
    assert allowed.returncode == 0
    assert "8/8 better" in allowed.stdout


def test_json_is_short_for_its_format(here: Any, study: Path) -> None:
    """As in the other commands; another format beside it is a mistake."""
    assert here(study, "--json").stdout == here(study, "--format", "json").stdout
    assert here(study, "--list", "--json").stdout == here(study, "--list", "--format", "json").stdout
    done = here(study, "--json", "--format", "csv")
    assert (done.returncode, "leave one out" in done.stderr) == (2, True)


@pytest.mark.parametrize("order", ["foo", "losses", "N", "lossy"])
def test_an_unknown_order_names_every_order(here: Any, study: Path, order: str) -> None:
    """Not only the metrics."""
    done = here(study, "--sort", order)
    assert done.returncode == 2
    assert "--sort: expected one of loss, n, p, accuracy, " in done.stderr
