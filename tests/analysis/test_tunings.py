"""A comparison of runs that a sweep has tuned: default and best setting are two rows of one loss."""

import csv
import io
import json
import math

import pytest
from tuned_sweeps import CE, GCE, TunedStudy, score

from lossbench.analysis import baseline_file
from lossbench.analysis.query import Query, answer, select_runs
from lossbench.analysis.tuning_curves import tuning_figures
from lossbench.errors import MachineError
from lossbench.report import formats
from lossbench.report.plots import tuning
from lossbench.runs import paths, tuning_file

NOISE = {"parameters": {"data.label_noise": [None, {"rate": 0.4}]}}


def scores(experiment):
    """With noise, the default of categorical_crossentropy is best; without, another learning rate."""
    if experiment.data.label_noise and experiment.loss[0].name == CE:
        return 0.9 if experiment.optimizer.learning_rate == 0.001 else 0.7
    return score(experiment)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A sweep that has ended."""
    study = TunedStudy(tmp_path_factory.mktemp("runs"), sweep=NOISE)
    study.run(scores)
    return study


def compared(study, **query):
    """The answer, and its groups by label in each block."""
    found = answer(Query(paths=(study.folder,), **{"metric_names": ("accuracy",), **query}))
    return found, [{group.label: group for group in block.groups} for block in found.comparison.blocks]


def test_default_and_best_setting_are_two_rows_in_every_condition(study):
    """Tuned keys make no condition; both rows have all seeds, also where the default is the best setting."""
    found, blocks = compared(study)
    assert found.comparison.varying == tuple(key for key in found.comparison.varying if "label_noise" in key)
    assert [set(each) for each in blocks] == [{CE, GCE, f"{CE} tuned", f"{GCE} tuned"}] * 2
    assert {group.n for each in blocks for group in each.values()} == {6}
    assert found.comparison.baseline == f"{CE} tuned"
    assert blocks[1][CE].difference.verdict == "identical"
    assert blocks[1][CE].folders == blocks[1][f"{CE} tuned"].folders


def test_the_rows_have_the_scores_of_their_settings(study):
    """Those of the trials that were trained with the chosen values."""
    _, (clean, _) = compared(study)
    tuned = next(each for each in tuning_file.load(study.folder).losses if each.loss == GCE)
    values = clean[f"{GCE} tuned"].metrics["accuracy"].values
    for each in study.stage().compared():
        if each.trial.identity == tuned.chosen.identity:
            assert values[each.trial.experiment.seed] == scores(each.trial.experiment)


def test_tuning_runs_are_compared_only_if_their_folder_is_named(study):
    """A search from the runs folder leaves them out."""
    for place in (study.folder, study.runs_dir):
        rows, _ = select_runs(Query(paths=(place,)))
        assert {row["seed"] for row in rows} == set(range(6))
    rows, _ = select_runs(Query(paths=(study.folder / paths.TUNING_RUNS,)))
    assert {row["seed"] for row in rows} == {100, 101}


def test_a_folder_called_tuning_is_searched_unless_it_holds_tuning_runs(tmp_path):
    """A study may have any name."""
    TunedStudy(tmp_path, name="tuning").run()
    assert {row["seed"] for row in select_runs(Query(paths=(tmp_path,)))[0]} == set(range(6))


@pytest.mark.parametrize("baseline", [CE, GCE, f"{GCE} tuned"])
def test_any_row_can_be_the_baseline(study, baseline):
    """Its own contrast is none, and every other row has one in every condition."""
    _, blocks = compared(study, baseline=baseline)
    for each in blocks:
        assert [label for label, group in each.items() if group.difference is None] == [baseline]


def test_the_table_shows_values_budget_and_edges(study):
    """Chosen values below each row; the budget, the smaller grid and how often the choice is at the edge as notes."""
    text = " ".join(formats.comparison_text(compared(study)[0], "markdown", to_stdout=False).replace("\\", "").split())
    assert f"{GCE} tuned: optimizer.learning_rate " in text
    assert f"{CE} tuned: optimizer.learning_rate 0.003" in text
    assert f"{CE} tuned: the default was chosen: these are its runs" in text
    assert "6 settings per loss and condition, the default among them; the best mean of val_accuracy over seeds" in text
    assert f"whole grid tried, smaller than the budget: {CE} 4 settings" in text
    edges = sum(bool(each.edges) for each in tuning_file.load(study.folder).losses)
    assert edges
    assert f"(edge) in {edges} of 4 choices" in text


def test_programs_get_values_and_scores(study):
    """CSV has a column with the chosen values, JSON the whole tuning; other comparisons have neither."""
    found, _ = compared(study)
    records = list(csv.DictReader(io.StringIO(formats.comparison_text(found, "csv", to_stdout=False))))
    tuned = {each["loss"]: each["tuned"] for each in records[:4]}
    assert tuned[GCE] == tuned[CE] == ""
    assert "optimizer.learning_rate" in tuned[f"{GCE} tuned"]
    content = json.loads(formats.comparison_text(found, "json", to_stdout=False))
    (recorded,) = content["tunings"]
    (row,) = [each for each in content["groups"][:4] if each["loss"] == f"{CE} tuned"]
    assert row["tuned"] in [each["settings"][each["choice"]]["values"] for each in recorded["losses"]]
    assert recorded["trials"] == 6


@pytest.mark.parametrize("form", [each for each in formats.FORMATS if each != "github"])
def test_every_format_shows_a_tuned_comparison(study, form):
    """Each names the row of the best setting; annotations for GitHub have results of the gate alone."""
    assert "tuned" in formats.comparison_text(compared(study, pivot=None)[0], form, to_stdout=False)


def test_a_baseline_file_is_compared_by_row(study, tmp_path):
    """Each row with itself, although runs in a file have left their folder."""
    file = tmp_path / "main.json"
    baseline_file.save(file, compared(study)[0].rows)
    _, blocks = compared(study, baseline_file=file)
    for each in blocks:
        assert {group.difference.verdict for group in each.values()} == {"identical"}


def test_tuning_over_existing_runs_stays(study):
    """`tune` chooses by its own rule, and knows no recorded choice."""
    found, _ = compared(study, tune="optimizer.learning_rate")
    assert found.comparison.tunings == ()
    assert found.comparison.tuned


def test_a_tuning_that_has_not_ended_has_no_rows(tmp_path):
    """Runs are shown as they are."""
    study = TunedStudy(tmp_path)
    study.run()
    recorded = json.loads(study.file.read_text())
    for each in recorded["losses"]:
        each["choice"] = None
        for setting in each["settings"]:
            setting["scores"] = []
    study.file.write_text(json.dumps(recorded))
    found, _ = compared(study)
    assert not any("tuned" in group.label for block in found.comparison.blocks for group in block.groups)


def test_a_damaged_file_is_one_sentence(tmp_path):
    """Of `compare` too."""
    study = TunedStudy(tmp_path)
    study.run()
    study.file.write_text("{")
    with pytest.raises(MachineError, match=r"tuning\.json: not JSON"):
        compared(study)


def test_the_curves_end_at_the_choice_and_the_default_is_among_them(study):
    """The best of all settings is the chosen one; the best of one setting is the mean of all."""
    found, _ = compared(study)
    figures = list(tuning_figures(found.comparison))
    losses = tuning_file.load(study.folder).losses
    assert len(figures) == 2
    for content in figures:
        for curve in content.curves:
            (tuned,) = [each for each in losses if (each.loss, each.condition) == (curve.label, content.condition)]
            means = [each.mean for each in tuned.settings]
            assert curve.expected[-1] == pytest.approx(tuned.chosen.mean)
            assert curve.expected[0] == pytest.approx(sum(means) / len(means))
            assert curve.means[0] == tuned.settings[0].mean
        figure = tuning.plot_tuning(content, (), found.comparison.baseline)
        axes = figure.subfigs[1].axes
        assert [axis.get_title().replace("\n", "") for axis in axes] == [each.label for each in content.curves]
        assert all(len(axis.lines) == 3 for axis in axes)


def test_a_curve_begins_where_every_subset_has_a_score(tmp_path):
    """One of four settings diverged: one setting may have no score, the best of two is known."""
    study = TunedStudy(tmp_path)
    study.run(lambda each: "diverged" if each.optimizer.learning_rate == 0.01 else score(each))
    (content,) = tuning_figures(compared(study)[0].comparison)
    (curve,) = [each for each in content.curves if each.label == CE]
    assert [math.isnan(each) for each in curve.expected] == [True, False, False, False]
