"""`lossbench sweep` with `sweep.tune`: both stages, their forecast, and an earlier call's choices."""

import json

import pytest
from tuned_sweeps import CASES, CE, GCE, RATES, TunedStudy

from lossbench.runs import paths

SECTION = {
    "cases": CASES, "seeds": "0-5",
    "tune": {"parameters": {"optimizer.learning_rate": RATES}, "trials": 6, "seeds": [100, 101]},
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """A folder with a study that has ended, and its file."""
    (tmp_path / "study.yaml").write_text(json.dumps({"sweep": SECTION}))
    TunedStudy(tmp_path / "runs").run()
    return tmp_path


@pytest.fixture
def sweep(commands, folder):
    """Run `lossbench sweep study.yaml` with options in the folder."""
    return lambda *options: commands("sweep", "study.yaml", *options, cwd=folder)


def test_a_sweep_that_has_ended_says_what_was_chosen_and_trains_nothing(sweep, folder):
    """The number of choices, the file, the command that compares."""
    before = (folder / "runs" / "study" / paths.TUNING).read_bytes()
    done = sweep()
    assert (done.code, done.out, done.beyond) == (0, "runs/study\n", "")
    assert "tuned by val_accuracy: 2 of 2 choices differ from the default; runs/study/tuning.json" in done.err
    assert "24 completed of 24 trials\nnext: lossbench compare runs/study" in done.err
    assert (folder / "runs" / "study" / paths.TUNING).read_bytes() == before
    assert sweep("--quiet").err == ""
    assert sweep("--json").out == ""


def test_the_dry_run_shows_both_stages_with_their_cost(sweep, folder):
    """Before the choices, the best settings count as further trials; nothing is written."""
    done = sweep("--dry-run", "--runs-dir", "other", "--device", "cpu")
    assert done.code == 0
    said = " ".join(done.err.split())
    assert f"stage 1, tuning: 20 new of 20 trials, 6 settings per loss and condition (the whole grid of {CE} 4)" in said
    assert "20 trials to train: about " in said
    assert "stage 2, comparison: 12 new of 12 trials, and at most 12 more with the best settings" in said
    assert "24 trials to train: about " in said
    assert done.out.count("tuning/") == 20
    assert not (folder / "other").exists()
    listed = json.loads(sweep("--dry-run", "--format", "json", "--device", "cpu").out)
    assert {each["status"] for part in ("tuning", "trials") for each in listed[part]} == {"completed"}
    assert {each["loss"] for each in listed["trials"]} == {CE, GCE, f"{CE} tuned", f"{GCE} tuned"}
    assert listed["forecast"]["comparisons"] == 3
    assert listed["forecast"]["tuning"]["trials"] == 0


@pytest.mark.parametrize(("options", "said"), [
    (["sweep.tune.trials=4"], "started with another plan: trials 6, now 4; continue with that plan, or start"),
    (["sweep.tune.trials=0"], "sweep.tune.trials: expected a whole number ≥ 2"),
    (["sweep.tune.metric=accuracy"], "the test set must not choose: write val_accuracy"),
    (["--seeds", "100-109"], "expected seeds that the comparison does not have, got 100, 101"),
    (["sweep.tune.seeds=3"], "expected seeds that the comparison does not have, got 3"),
    (["--until-decided", "--baseline", "focal"], "baseline: no case has the loss focal"),
])  # fmt: skip
def test_a_mistake_is_one_line_and_exit_2(sweep, options, said):
    """Before anything is trained."""
    done = sweep(*options)
    assert (done.code, done.out, done.beyond) == (2, "", "")
    assert said in done.err
    assert done.err.count("\n") == 1


def test_null_compares_the_defaults_alone(sweep):
    """Without tuning, and although cases have a space of their own."""
    done = sweep("sweep.tune=null")
    assert done.code == 0
    assert "12 completed of 12 trials" in done.err


def test_compare_and_report_show_both_settings(commands, folder):
    """Two rows per loss; the page has the curves."""
    done = commands("compare", "runs", "--metric", "accuracy", cwd=folder)
    assert done.code == 0
    assert "baseline categorical_crossentropy tuned" in " ".join(done.out.split())
    assert "loss.q 0." in done.out
    assert commands("report", "runs", "--metric", "accuracy", cwd=folder).code == 0
    page = next(folder.glob("*.html")).read_text()
    assert 'id="tuning"' in page
    assert '<a href="#tuning">tuning</a>' in page
    assert "validation accuracy (%) of generalized_crossentropy: the default" in page


@pytest.mark.slow
def test_plots_have_the_curves(commands, folder):
    """As PNG and SVG."""
    assert commands("compare", "runs", "--plots", "plots", cwd=folder).code == 0
    assert {each.name for each in (folder / "plots").glob("tuning*")} == {"tuning.png", "tuning.svg"}


@pytest.mark.slow
def test_both_stages_are_trained(lossbench, tmp_path):
    """Really: two losses, three settings each, then default and best setting."""
    (tmp_path / "study.yaml").write_text(
        "data: {train_size: 200, validation_size: 100}\nmodel: linear\ntrain: {epochs: 1, threads: 1}\n"
        "sweep:\n  tune: {trials: 3, seeds: 9, parameters: {optimizer.learning_rate: {log_uniform: [0.001, 0.1]}}}\n"
        "  cases: [{loss: ce}, {loss: gce}]\n  seeds: 0-1\n"
    )
    done = lossbench("sweep", "study.yaml", "--jobs", "1", check=0)
    assert "tuning: 6 new of 6 trials" in done.stderr
    assert len(list(tmp_path.glob("runs/study/tuning/*/run.json"))) == 6
    lossbench("compare", "runs/study", check=0)
