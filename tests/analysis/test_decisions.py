"""A comparison of runs whose seeds were added by a recorded plan: its verdicts, or none."""

import csv
import io
import json
import shutil

import pytest
from made_up_sweeps import CE, FOCAL, GCE, MAE, Study, score

from lossbench.analysis.query import Query, answer
from lossbench.errors import InterruptedRunError, MachineError
from lossbench.report import formats, wording
from lossbench.report.next_step import next_step
from lossbench.runs import paths
from lossbench.sweep.scheduler import Rules


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A sweep that has ended: generalized_crossentropy is better, mean_absolute_error worse, focal undecided."""
    study = Study(tmp_path_factory.mktemp("runs"))
    study.run(room=1)
    return study


def compared(folder, **query):
    """The differences by loss."""
    found = answer(Query(paths=(folder,), **{"metric_names": ("accuracy",), **query}))
    groups = [group for block in found.comparison.blocks for group in block.groups]
    return found, {group.label: group.difference for group in groups if group.difference}


def test_verdicts_are_those_of_the_looks(study):
    """Each with its look, the differences of its seeds and no p; the family is that of the plan."""
    found, differences = compared(study.folder)
    assert {loss: (each.verdict, each.look) for loss, each in differences.items()} == study.verdicts
    for loss, each in differences.items():
        assert list(each.values) == list(range(each.look))
        assert each.values[3] == score(loss, 3) - score(CE, 3)
        assert (each.p, each.p_adjusted, each.adjustment, each.interval_method) == (
            None,
            None,
            "sequential",
            "repeated",
        )
    assert found.comparison.comparisons == 0


def test_intervals_of_decided_losses_exclude_no_difference(study):
    """The test of the interval is less strict than that of the family."""
    _, differences = compared(study.folder)
    assert differences[GCE].interval.low > 0
    assert differences[MAE].interval.high < 0
    narrow = compared(study.folder, confidence=0.8)[1][FOCAL].interval
    assert differences[FOCAL].interval.low < narrow.low < differences[FOCAL].mean < narrow.high


def test_later_seeds_change_no_verdict(study, tmp_path):
    """Runs that a usual sweep added to a decided loss are not used; the row says at which look the verdict was made."""
    whole, folder = Study(tmp_path), tmp_path / "study"
    whole.run(room=4, slow={(CE, seed) for seed in range(12)})
    more = Study(tmp_path, name="more", looks=[15])
    more.run()
    for run in more.folder.glob("mean_absolute_error-s1[0-4]-*"):
        shutil.copytree(run, folder / run.name, dirs_exist_ok=True)
    found, differences = compared(folder)
    assert {loss: (each.verdict, each.look) for loss, each in differences.items()} == study.verdicts
    assert "verdict, Δ and its interval at the look of" in formats.comparison_text(found, "table", to_stdout=False)


BARRED = {
    "metric": {"metric_names": ("nll", "accuracy")}, "baseline": {"baseline": GCE}, "epoch": {"at": "best"},
    "unpaired": {"unpaired": True}, "rope": {"rope": "1pp"}, "seeds": {"seeds": frozenset(range(5))},
}  # fmt: skip


@pytest.mark.parametrize("query", [each for each in BARRED if each not in {"metric", "epoch"}])
@pytest.mark.parametrize("name", ["table", "markdown", "latex", "json"])
def test_another_comparison_has_no_verdict_and_says_why(study, query, name):
    """No p and no verdict of any loss of the plan, in every format."""
    found, differences = compared(study.folder, **BARRED[query])
    assert differences
    assert {(each.verdict, each.p, each.p_adjusted, each.look) for each in differences.values()} == {(None,) * 4}
    text = " ".join(formats.comparison_text(found, name, to_stdout=False).split())
    assert "that plan does not apply here" in text
    assert "this compares by the plan" in next_step(found, ["compare", "runs"])
    assert next(wording.headlines(found.comparison)) == (
        "No verdict: seeds were added by a plan that does not apply to this comparison"
    )


def test_a_selection_of_losses_keeps_the_verdicts(study):
    """The family was that of the plan, so that leaving losses out makes no verdict wrong."""
    _, differences = compared(study.folder, where=f"loss == '{CE}' or loss == '{MAE}'")
    assert {loss: (each.verdict, each.look) for loss, each in differences.items()} == {MAE: study.verdicts[MAE]}


@pytest.mark.parametrize("change", ["removed", "retrained"])
def test_changed_runs_have_no_verdict(study, tmp_path, change):
    """A run of a look was removed, or has another score now: only its loss loses the verdict."""
    folder = tmp_path / "study"
    shutil.copytree(study.folder, folder)
    run = next(folder.glob("generalized_crossentropy-s2-*"))
    if change == "removed":
        shutil.rmtree(run)
    else:
        summary = json.loads((run / paths.RUN).read_text())
        summary["metrics"]["test.last.accuracy"] += 0.001
        (run / paths.RUN).write_text(json.dumps(summary))
    found, differences = compared(folder)
    assert {loss: each.verdict for loss, each in differences.items()} == {GCE: None, FOCAL: "undecided", MAE: "worse"}
    assert "its runs are not those of the decision" in formats.comparison_text(found, "json", to_stdout=False)


def test_a_sweep_that_has_not_ended_says_so(tmp_path):
    """Verdicts so far, and the next look."""
    study = Study(tmp_path)
    with pytest.raises(InterruptedRunError):
        study.run(after=34, room=1)
    found, differences = compared(study.folder)
    assert {each.look for each in differences.values()} == {8}
    assert "the next look is at 10 seeds; the sweep has not ended" in formats.comparison_text(
        found, "json", to_stdout=False
    )


def test_the_first_looks_have_no_interval(tmp_path):
    """With 30 seeds planned, six exclude nothing; the row says so and the table shows none."""
    study = Study(tmp_path, looks=[6, 30])
    with pytest.raises(InterruptedRunError):
        study.run(after=26, room=1)
    found, differences = compared(study.folder)
    assert {(each.verdict, each.look, each.interval) for each in differences.values()} == {("undecided", 6, None)}
    assert "6 seeds are too few for an interval" in formats.comparison_text(found, "markdown", to_stdout=False)


def test_a_damaged_decision_is_not_passed_over(study, tmp_path):
    """A comparison without the plan would be wrong and look right."""
    folder = tmp_path / "study"
    shutil.copytree(study.folder, folder)
    (folder / paths.DECISION).write_text("{")
    with pytest.raises(MachineError, match=r"decision\.json: not JSON"):
        compared(folder)


def test_a_verdict_that_its_scores_do_not_give_is_not_shown(study, tmp_path):
    """Written by hand: no table, as it would be wrong."""
    folder = tmp_path / "study"
    shutil.copytree(study.folder, folder)
    file = folder / paths.DECISION
    file.write_text(file.read_text().replace('"worse"', '"better"'))
    with pytest.raises(MachineError, match="its verdicts do not follow from its scores"):
        compared(folder)


def test_runs_of_another_sweep_are_compared_as_usual(study, tmp_path):
    """Beside the plan's folder: its own p, adjusted for its own comparisons."""
    shutil.copytree(study.folder, tmp_path / "study")
    other = Study(tmp_path, name="other", parameters={"train.epochs": [3]}, looks=[10])
    other.run()
    (other.file).unlink()
    found, _ = compared(tmp_path)
    blocks = {block.condition["train.epochs"]: block.groups for block in found.comparison.blocks}
    assert {each.difference.adjustment for each in blocks[3] if each.difference} == {"max-T"}
    assert {each.difference.adjustment for each in blocks[5] if each.difference} == {"sequential"}
    assert found.comparison.comparisons == 3


def test_a_loss_with_diverged_runs_is_judged_by_one_rule(tmp_path):
    """At the look as in a usual comparison of the same runs: never better."""
    study = Study(tmp_path, losses=(CE, GCE), looks=[8])
    study.run(lambda loss, seed: "diverged" if (loss, seed) == (GCE, 2) else score(loss, seed))
    by_plan = compared(study.folder)[1][GCE]
    study.file.unlink()
    usual = compared(study.folder)[1][GCE]
    assert (by_plan.verdict, by_plan.values, by_plan.won, by_plan.contested) == (
        "undecided", usual.values, usual.won, usual.contested,
    )  # fmt: skip
    assert usual.verdict == "undecided"
    assert usual.p_adjusted <= 0.05


def test_a_failed_run_is_a_missing_pair(tmp_path):
    """Also after it was trained again: the look is what it was."""
    study = Study(tmp_path)
    study.run(lambda loss, seed: "failed" if (loss, seed) == (GCE, 2) else score(loss, seed), rules=Rules())
    before = compared(study.folder)[1][GCE]
    study.run(retry_failed=True)
    after = compared(study.folder)[1][GCE]
    assert before.verdict == after.verdict == "better"
    assert before.values == after.values
    assert 2 not in after.values


def test_every_format_names_plan_look_and_interval(study):
    """Tables, Markdown, LaTeX, the page; CSV and JSON with fields."""
    found, _ = compared(study.folder)
    for name in ("table", "markdown", "latex"):
        text = " ".join(formats.comparison_text(found, name, to_stdout=False).replace("\\", "").split())
        assert "repeated interval, valid at every look" in text
        assert "planned for 3 comparisons with looks at 6, 8, 10, 12 seeds" in text
    rows = {
        row["loss"]: row for row in csv.DictReader(io.StringIO(formats.comparison_text(found, "csv", to_stdout=False)))
    }
    assert (rows[GCE]["look"], rows[GCE]["delta_interval"]) == (str(study.verdicts[GCE][1]), "repeated")
    (plan,) = json.loads(formats.comparison_text(found, "json", to_stdout=False))["plans"]
    assert (plan["metric"], plan["looks"], plan["reasons"], plan["next_look"]) == ("accuracy", [6, 8, 10, 12], [], None)
    pivoted, _ = compared(study.folder, pivot="train.epochs")
    assert "planned for 3 comparisons" in " ".join(formats.comparison_text(pivoted, "table", to_stdout=False).split())


def test_a_table_of_80_columns_holds_the_look(study):
    """No line is longer."""
    text = formats.comparison_text(compared(study.folder)[0], "table", to_stdout=False)
    assert max(map(len, text.splitlines())) <= 80
    assert "look" in text
