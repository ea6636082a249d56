"""`lossbench sweep --until-decided`: options, exit codes, and the decision of an earlier call."""

import json
import re

import pytest
from made_up_sweeps import CE, FOCAL, GCE, LOOKS, MAE, Study

from lossbench.runs import paths

SECTION = {"cases": [{"loss": loss} for loss in (CE, GCE, FOCAL, MAE)], "decide": {"looks": LOOKS}}


@pytest.fixture
def folder(tmp_path):
    """A folder with a study that has ended, and its file."""
    (tmp_path / "study.yaml").write_text(json.dumps({"sweep": SECTION}))
    Study(tmp_path / "runs").run(room=1)
    return tmp_path


@pytest.fixture
def sweep(commands, folder):
    """Run `lossbench sweep study.yaml` with options in the folder."""
    return lambda *options: commands("sweep", "study.yaml", *options, cwd=folder)


def test_a_decision_that_has_ended_is_shown_again_and_nothing_is_trained(sweep, folder):
    """Verdict and seeds per loss, the totals, the command that compares; exit 0, although one loss is undecided."""
    before = (folder / "runs" / "study" / paths.DECISION).read_bytes()
    done = sweep()
    assert (done.code, done.out, done.beyond) == (0, "runs/study\n", "")
    lines = done.err.splitlines()
    assert [line.split() for line in lines[1:4]] == [
        [GCE, "better", "8"],
        [FOCAL, "undecided", "12"],
        [MAE, "worse", "8"],
    ]
    assert lines[5:] == [
        "2 of 3 decided by accuracy; 40 of 48 trainings used",
        f"baseline {CE}",
        "",
        "40 completed, 8 dropped of 48 trials",
        "next: lossbench compare runs/study",
    ]
    assert (folder / "runs" / "study" / paths.DECISION).read_bytes() == before
    assert sweep("--quiet").err == ""
    assert sweep("--json").out == ""


def test_the_dry_run_lists_what_is_dropped_and_writes_nothing(sweep, folder):
    """As a table and as JSON; a sweep that has not begun has no decision yet."""
    listed = json.loads(sweep("--dry-run", "--format", "json", "--device", "cpu").out)
    assert sum(each["status"] == "dropped" for each in listed["trials"]) == 8
    lines = [re.split(r"\s{2,}", line) for line in sweep("--dry-run", "--device", "cpu").out.splitlines()]
    assert [line[0] for line in lines] == ["12 completed", "8 completed, 4 dropped"] * 2
    assert [len(list((folder / "runs" / "study").glob(line[1]))) for line in lines] == [12, 8, 12, 8]
    done = sweep("--dry-run", "--runs-dir", "other", "--device", "cpu")
    assert done.code == 0
    assert "looks at 6, 8, 10, 12 seeds" in done.err
    assert not (folder / "other").exists()


@pytest.mark.parametrize(("options", "said"), [
    (["--rope", "1pp"], "started with another plan: rope none, now 0.01; continue with that plan, or"),
    (["--seeds", "0-7"], "looks.3: expected looks up to 8"), (["--rope", "1"], "needs a unit: 1pp"),
    (["--max-seeds", "5"], "expected a whole number ≥ 6"), (["--shard", "1/2"], "--shard: a decision needs the scores"),
    (["--dry-run", "--sd", "nll=0.1"], "--sd: 'nll=0.1': the verdicts are on accuracy; give its"),
    (["--metric", "hope"], "metric 'hope': expected one of accuracy"),
    (["--baseline", "poly1"], "baseline: no case has the loss poly1_crossentropy"),
    (["sweep.decide.alpha=0.6"], "alpha: expected a number > 0 and ≤ 0.5, got 0.6"),
    (["sweep.decide=null", "--rope", "1pp"], "--rope: only a sweep that adds seeds until it is decided has it"),
])  # fmt: skip
def test_a_mistake_is_one_line_and_exit_2(sweep, options, said):
    """Nothing is trained, and the message names the option or the key."""
    done = sweep(*options)
    assert (done.code, done.out, done.beyond) == (2, "", "")
    assert said in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(("change", "code"), [(lambda text: text[:99], 1), (lambda text: text.replace("2", "3", 1), 2)])
def test_a_file_that_cannot_be_read_is_one_line(sweep, commands, folder, change, code):
    """Exit 1 if it is damaged, 2 if it is of a newer version, of `sweep` and of `compare`."""
    file = folder / "runs" / "study" / paths.DECISION
    file.write_text(change(file.read_text()))
    for done in (sweep(), commands("compare", "runs", cwd=folder)):
        assert (done.code, done.out) == (code, "")
        assert "runs/study/decision.json: " in done.err
        assert done.err.count("\n") == 1


def test_compare_shows_the_verdicts_and_advises_by_the_plan(commands, folder):
    """The look of each verdict; another metric has no verdict."""
    done = commands("compare", "runs", "--metric", "accuracy", cwd=folder)
    assert done.code == 0
    assert "look" in done.out
    rows = {line.split()[0]: line.split() for line in done.out.splitlines() if line.split()}
    assert (rows[GCE][-1], rows[MAE][-1], rows[FOCAL][-1]) == ("better", "worse", "undecided")
    page = commands("report", "runs", "--metric", "accuracy", cwd=folder)
    assert page.code == 0
    assert "repeated interval, valid at every look" in next(folder.glob("*.html")).read_text()


def test_options_without_a_decision_need_one(commands, tmp_path):
    """`--until-decided` is it, also for a file without a sweep section."""
    (tmp_path / "study.yaml").write_text("name: study\n")
    arguments = [
        "sweep",
        "study.yaml",
        "loss=ce,gce",
        "--rope",
        "1pp",
        "--max-seeds",
        "12",
        "--dry-run",
        "--device",
        "cpu",
    ]
    assert commands(*arguments, cwd=tmp_path).code == 2
    done = commands(*arguments, "--until-decided", cwd=tmp_path)
    assert done.code == 0
    assert "24 new of 24 trials" in done.err
