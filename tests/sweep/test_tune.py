"""Each loss is tuned before losses are compared: an executor that makes up scores stands in for training."""

import json
import shutil
import threading

import pytest
from tuned_sweeps import CASES, CE, GCE, RATES, TunedStudy, score

from lossbench import experiments, files
from lossbench.config.tune import VALIDATION_METRICS
from lossbench.errors import ConfigError, InterruptedRunError, MachineError, UsageError
from lossbench.metrics import METRICS
from lossbench.runs import decision_file, paths, tuning_file
from lossbench.runs.tuning import Setting, best, is_at_edge
from lossbench.sweep import plan
from lossbench.sweep.cost import shard
from lossbench.sweep.scheduler import Rules


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The file of a tuning that has ended."""
    study = TunedStudy(tmp_path_factory.mktemp("runs"))
    study.run()
    return study.file.read_text()


def test_the_best_setting_and_the_default_are_compared(tmp_path):
    """By validation on the tuning seeds; the comparison trains both with its own seeds."""
    study = TunedStudy(tmp_path)
    status = study.run()
    assert study.choices[CE] == {"optimizer.learning_rate": 0.003}
    chosen = study.choices[GCE]
    tried = next(each for each in tuning_file.load(study.folder).losses if each.loss == GCE)
    assert max(tried.settings, key=lambda each: each.mean).values == chosen
    assert {each.loss for each in status.trials} == {CE, GCE, f"{CE} tuned", f"{GCE} tuned"}
    assert {each.trial.experiment.seed for each in status.trials} == set(range(6))
    first = [job.trial.experiment for job in study.jobs if job.trial.experiment.name == paths.TUNING_RUNS]
    assert {each.seed for each in first} == {100, 101}
    assert status.is_complete


def test_every_loss_has_the_same_number_of_settings_or_its_whole_grid(tmp_path):
    """Six of 4 × 4 settings for one, the four learning rates of the other; the default is the first of each."""
    study = TunedStudy(tmp_path)
    tuning = study.stage().tuning
    assert {each.loss: len(each.settings) for each in tuning.losses} == {CE: 4, GCE: 6}
    assert all(each.settings[0].values == {} for each in tuning.losses)
    (grid,) = [each for each in tuning.losses if each.loss == CE]
    assert [each.values["optimizer.learning_rate"] for each in grid.settings[1:]] == [
        rate for rate in RATES if rate != 0.001
    ]


def test_a_default_that_is_best_is_trained_once(tmp_path):
    """It has both labels, and its runs count for both."""
    study = TunedStudy(tmp_path)
    status = study.run(lambda experiment: 0.9 if experiment.optimizer.learning_rate == 0.001 else 0.8)
    assert study.choices[CE] == {}
    trials = [each for each in status.trials if each.trial.experiment.loss[0].name == CE]
    assert len(trials) == 6
    assert all(each.is_compared and len(each.tuned_from) == 1 for each in trials)


@pytest.mark.parametrize("after", [1, 5, 19, 21])
def test_a_sweep_that_is_stopped_twice_continues_to_the_same_file(tmp_path, after):
    """Before and after the choice; nothing that has ended is trained again."""
    whole, stopped = TunedStudy(tmp_path / "whole"), TunedStudy(tmp_path / "stopped")
    whole.run()
    for stop in (after, 3):
        with pytest.raises(InterruptedRunError):
            stopped.run(after=stop, order=stop)
    status = stopped.run(order=99, room=3)
    assert stopped.file.read_bytes() == whole.file.read_bytes()
    assert status.is_complete
    folders = [job.trial.folder for job in stopped.jobs]
    assert len(folders) == len(set(folders)) <= len(whole.jobs)
    again = TunedStudy(tmp_path / "stopped")
    again.run()
    assert again.jobs == []


def test_the_settings_are_written_before_the_first_trial(tmp_path):
    """Without scores and choices."""
    study = TunedStudy(tmp_path)
    with pytest.raises(InterruptedRunError):
        study.run(after=1)
    content = json.loads(study.file.read_text())
    assert {each["choice"] for each in content["losses"]} == {None}
    assert not any(one["scores"] for each in content["losses"] for one in each["settings"])


def test_two_sweeps_on_one_folder_make_one_choice(tmp_path):
    """Both run at once; the file is that of one sweep."""
    one, two, alone = TunedStudy(tmp_path / "shared"), TunedStudy(tmp_path / "shared"), TunedStudy(tmp_path / "alone")
    alone.run()
    threads = [threading.Thread(target=each.run, kwargs={"order": order}) for order, each in enumerate((one, two))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert one.file.read_bytes() == alone.file.read_bytes()


def test_shards_tune_their_parts_and_the_choice_waits_for_all(tmp_path):
    """Each part of three in a folder of its own; joined, every part makes the same choice and trains its share."""
    whole, parts = TunedStudy(tmp_path / "whole"), [TunedStudy(tmp_path / str(number)) for number in range(3)]
    whole.run()
    for number, each in enumerate(parts, 1):
        assert each.run(share=lambda trials, number=number: shard(trials, number, 3)) is None
        shutil.copytree(each.folder / paths.TUNING_RUNS, tmp_path / "joined", dirs_exist_ok=True)
    trained = set()
    for number, each in enumerate(parts, 1):
        shutil.copytree(tmp_path / "joined", each.folder / paths.TUNING_RUNS, dirs_exist_ok=True)
        status = each.run(share=lambda trials, number=number: shard(trials, number, 3))
        assert each.file.read_bytes() == whole.file.read_bytes()
        trained |= {planned.trial.folder for planned in status.trials}
    assert trained == {job.trial.folder for job in whole.jobs if job.trial.experiment.name == "study"}


def test_a_decision_follows_on_default_and_best_setting(tmp_path):
    """Both are compared with the best setting of the baseline; ties of a loss with itself are identical."""
    study = TunedStudy(tmp_path, seeds=None, sweep={"decide": {"looks": [6, 8]}})
    status = study.run()
    decision = decision_file.load(study.folder)
    assert decision.baseline == f"{CE} tuned"
    assert [each.loss for each in decision.comparisons] == [CE, GCE, f"{GCE} tuned"]
    assert status.is_complete
    assert {verdict for verdict, _ in decision.verdicts.values()} <= {"better", "worse", "undecided", "identical"}


@pytest.mark.parametrize("loss", ["ce", "ce tuned", "gce tuned"])
def test_a_decision_takes_either_setting_as_its_baseline(tmp_path, loss):
    """By the name that `compare` shows, or by the alias."""
    study = TunedStudy(tmp_path, seeds=None, sweep={"decide": {"looks": [6], "baseline": loss}})
    study.run()
    name = loss.replace("gce", GCE) if "gce" in loss else loss.replace("ce", CE)
    assert decision_file.load(study.folder).baseline == name


def test_the_result_in_python_has_the_failures_of_the_tuning(tmp_path, monkeypatch):
    """In the call that tunes and in every later one; the runs of the comparison are complete all the same."""
    study = TunedStudy(tmp_path)

    def scores(experiment):
        return "failed" if experiment.optimizer.learning_rate == 0.01 else score(experiment)

    def train(status, runs, _folder, decider=lambda: None, **_):
        study.train(status, runs, scores, decider=decider(), rules=Rules(max_consecutive_failures=0))

    monkeypatch.setattr(experiments, "_train", train)
    tune = {"parameters": {"optimizer.learning_rate": RATES}, "trials": 6, "seeds": [100, 101]}
    keys = {"name": "study", "sweep": {"cases": CASES, "tune": tune}}
    for _ in range(2):
        result = experiments.sweep(keys, seeds="0-5", runs_dir=tmp_path)
        assert {run.parent for run in result.failures} == {tmp_path / "study" / paths.TUNING_RUNS}
        assert set(result.failures.values()) == {"no"}
        assert result.is_complete


def test_conditions_are_tuned_on_their_own(tmp_path):
    """With and without noise, each loss has a choice."""
    study = TunedStudy(tmp_path, sweep={"parameters": {"data.label_noise": [None, {"rate": 0.4}]}})

    def scores(experiment):
        best_rate = 0.01 if experiment.data.label_noise else 0.0003
        return 0.9 - abs(experiment.optimizer.learning_rate - best_rate)

    study.run(scores)
    found = tuning_file.load(study.folder)
    assert len(found.losses) == 4
    for each in found.losses:
        rate = 0.01 if each.condition["data.label_noise.rate"] else 0.0003
        tried = {one.values.get("optimizer.learning_rate", 0.001) for one in each.settings}
        assert each.chosen.values.get("optimizer.learning_rate", 0.001) == min(tried, key=lambda one: abs(one - rate))


@pytest.mark.parametrize("ended", ["diverged", "failed"])
def test_a_setting_without_every_score_is_never_chosen_before_another(tmp_path, ended):
    """However good its other seed was; with none left the default is chosen."""
    study = TunedStudy(tmp_path / "one")
    rules = Rules(max_consecutive_failures=0)

    def fragile(experiment):
        lost = experiment.optimizer.learning_rate == 0.003 and experiment.seed == 101
        return ended if lost else score(experiment)

    study.run(fragile, rules=rules)
    assert study.choices[CE] != {"optimizer.learning_rate": 0.003}
    none = TunedStudy(tmp_path / "none")
    none.run(lambda experiment: ended if experiment.name == paths.TUNING_RUNS else 0.9, rules=rules)
    assert none.choices == {CE: {}, GCE: {}}


@pytest.mark.parametrize(("scores", "metric", "expected"), [
    ([[0.9, 0.9], [0.9, 0.9]], "accuracy", 0), ([[0.9, 0.8], [0.8, 0.9]], "accuracy", 0),
    ([[0.8, 0.8], [0.9, 0.9], [0.9, 0.9]], "accuracy", 1), ([[0.5, 0.5], [0.4, 0.4]], "nll", 1),
    ([[0.8, 0.8], [0.9, "diverged"]], "accuracy", 0), ([["diverged", "failed"], [0.1, "diverged"]], "accuracy", 1),
])  # fmt: skip
def test_the_best_mean_wins_and_ties_go_to_the_default(scores, metric, expected):
    """Of equal means the first; a lower NLL is better."""
    assert (
        best([Setting(str(number), {}, tuple(each)) for number, each in enumerate(scores)], METRICS[metric]) == expected
    )


@pytest.mark.parametrize(("change", "said"), [
    ({"trials": 4}, "trials 6, now 4"), ({"metric": "val_nll"}, "metric val_accuracy, now val_nll"),
    ({"tuning_seeds": [100, 102]}, "seeds 100,101, now 100,102"), ({"cases": CASES[:1]}, f"now without {GCE}"),
    ({"cases": [*CASES, {"loss": "focal"}]}, "now with focal"),
    ({"parameters": {"optimizer.learning_rate": [0.001, 0.1]}}, f"another space of {CE}, {GCE}"),
])  # fmt: skip
def test_another_plan_of_a_started_tuning_is_refused(tmp_path, recorded, change, said):
    """With what differs and what to do; nothing is trained or changed."""
    study = TunedStudy(tmp_path, **change)
    files.make_folder(study.folder)
    study.file.write_text(recorded)
    with pytest.raises(UsageError, match=r"started with another plan: .*continue with that plan, or start") as error:
        study.run()
    assert said in str(error.value)
    assert (study.jobs, study.file.read_text()) == ([], recorded)


DAMAGES = {
    "cut": lambda text: text[: len(text) // 2], "empty": lambda _: "", "list": lambda _: "[]",
    "metric": lambda text: text.replace('"val_accuracy"', '"hope"'), "choice": lambda text:
    text.replace('"choice": 2', '"choice": 1'), "no choice": lambda text: text.replace('"choice": 2', '"choice": null'),
    "score": lambda text: text.replace("0.8", '"0.8"', 1), "nan": lambda text: text.replace("0.8", "NaN,0.8", 1),
    "missing": lambda text: text.replace('"settings"', '"tried"'), "space": lambda text:
    text.replace('"space": {', '"space": {"loss.q": 3,', 1), "version": lambda text: text.replace("1", "0", 1),
    "null": lambda _: "null", "deep": lambda _: "[" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_tuning_is_one_sentence_and_nothing_is_lost(tmp_path, recorded, damage):
    """The file is left as it is, and the message names it and what to do."""
    study = TunedStudy(tmp_path)
    files.make_folder(study.folder)
    text = DAMAGES[damage](recorded)
    study.file.write_text(text)
    with pytest.raises(MachineError, match=r"tuning\.json: .*restore the file from a copy") as error:
        study.run()
    assert "\n" not in str(error.value)
    assert study.file.read_text() == text


def test_a_tuning_is_read_as_it_was_written(tmp_path):
    """Before and after its choices."""
    study = TunedStudy(tmp_path)
    study.stage().begin()
    for _ in range(2):
        text = study.file.read_text()
        tuning_file.save(study.folder, tuning_file.load(study.folder))
        assert study.file.read_text() == text
        study.run()


@pytest.mark.parametrize(("sweep", "said"), [
    ({"tune": {"trials": 0, "parameters": {"loss.q": [1]}}}, "sweep.tune.trials: expected a whole number ≥ 2"),
    ({"tune": {}}, "sweep.tune: expected parameters, or cases with tune, got none; add e.g. parameters:"),
    ({"tune": {"metric": "accuracy"}}, "the test set must not choose: write val_accuracy"),
    ({"tune": {"metric": "val_loss"}}, "the losses of two settings may be different quantities"),
    ({"tune": {"seeds": "5-9"}, "seeds": "0-5"}, "seeds: expected seeds that the comparison does not have, got 5"),
    ({"tune": {"seeds": [29]}, "decide": {}}, "seeds: expected seeds that the comparison does not have, got 29"),
    ({"tune": {"seeds": [0]}}, "seeds: expected seeds that the comparison does not have, got 0"),
    ({"cases": [{"loss": "gce", "tune": {"loss.q": [0.5]}}]}, "tune: needs sweep.tune; add it"),
    ({"tune": {}, "cases": [{"loss": "ce", "tune": {"loss.q": [0.5]}}]}, "loss.q: unknown key"),
    ({"tune": {"parameters": {"optimizer.momentumm": [0.5]}}}, "optimizer.momentumm: unknown key"),
    ({"tune": {"parameters": {"data.train_size": [100]}}}, "sweep.tune: data.train_size: the loss itself, data,"),
    ({"tune": {"parameters": {"loss": ["ce", "gce"]}}}, "sweep.tune: loss: the loss itself, data,"),
    ({"tune": {"parameters": {"seed": [1, 2]}}}, "sweep.tune: seed: the loss itself, data,"),
    ({"tune": {"parameters": {"train.epochs": [1, 2]}}, "parameters": {"train.epochs": [1, 2]}},
     "sweep.tune: train.epochs: sweep.parameters has train.epochs too"),
    ({"tune": {"parameters": {"train.epochs": 3}}}, "sweep.tune.parameters: train.epochs: expected a list of values"),
    ({"tune": {"parameters": {"train.epochs": {"uniform": [2, 1]}}}}, "sweep.tune: train.epochs: expected a list"),
    ({"tune": {"parameters": {"optimizer.learning_rate": [-1]}}}, "learning_rate: expected a number > 0, got -1"),
    ({"tune": {"parameters": {"optimizer.learning_rate": {"log_uniform": [0, 1]}}}}, "got {log_uniform: [0, 1]}"),
    ({"tune": {"parameters": {"optimizer.learning_rate": {"uniform": [0.1, 1], "log_uniform": [0.1, 1]}}}},
     "got {uniform: [0.1, 1], log_uniform: [0.1, 1]}"),
    ({"tune": {}, "cases": [{"loss": "gce", "tune": 3}]}, "sweep.cases: tune: expected a mapping of keys to lists or"),
    ({"tune": {}, "cases": [{"loss": "gce", "tune": ["loss.q"]}]}, "sweep.cases: tune: expected a mapping"),
])  # fmt: skip
def test_a_mistake_in_the_section_has_its_sentence(sweep, said):
    """Exit 2, with the key, what was expected and what came."""
    with pytest.raises(ConfigError) as error:
        plan.load({"sweep": sweep})
    assert said in str(error.value)
    assert error.value.exit_code == 2


@pytest.mark.parametrize(("key", "is_advised"), [("loss.gamma", True), ("optimizer.lr", False)])
def test_a_key_of_another_loss_belongs_to_its_case(key, is_advised):
    """A key that no case can have gets no such advice."""
    sweep = {"cases": [{"loss": "ce"}, {"loss": "focal"}], "tune": {"parameters": {key: [0.1, 1]}}}
    with pytest.raises(ConfigError, match="unknown key") as error:
        plan.load({"sweep": sweep})
    assert ("tune it in the cases that have it" in str(error.value)) == is_advised


def test_tuning_needs_validation_images():
    """Wherever they are switched off."""
    sweep = {"cases": [{"loss": "ce"}, {"loss": "gce", "data.validation_size": 0}], "seeds": "0-1"}
    with pytest.raises(ConfigError, match=r"sweep\.tune needs validation images, but data\.validation_size is 0"):
        plan.load({"sweep": {**sweep, "tune": {"parameters": {"optimizer.learning_rate": [0.01]}}}})


def test_null_switches_tuning_off():
    """Also where cases have a space of their own."""
    swept = plan.load({"sweep": {"cases": CASES, "tune": None, "seeds": "0-1"}})
    assert swept.tune is None
    assert not any(each.others for each in swept.combinations)


def test_every_validation_metric_can_choose():
    """Those of the metric table, each with its name in `metrics.csv`."""
    for name in VALIDATION_METRICS:
        tune = {"metric": name, "parameters": {"optimizer.learning_rate": [0.01]}}
        assert plan.load({"sweep": {"tune": tune}}).tune.metric == name


@pytest.mark.parametrize(("value", "space", "expected"), [
    (0.3, [0.3, 0.5], True), (0.5, [0.3, 0.5, 0.9], False), (0, [0, 1], False), (1, [0, 1], True), (3, [3], False),
    (0.0003, {"log_uniform": [0.0003, 0.03]}, True), (0.01, {"log_uniform": [0.0003, 0.03]}, False),
    (0.02, {"log_uniform": [0.0003, 0.03]}, True), (0.2, {"uniform": [0, 5]}, False), (4.6, {"uniform": [0, 5]}, True),
    (-0.9, {"uniform": [-1, 5]}, True), (1, {"int_uniform": [1, 9]}, True), ("a", ["a", "b"], False), (1, None, False),
])  # fmt: skip
def test_an_edge_is_an_end_of_a_list_or_the_outer_tenth_of_a_range(value, space, expected):
    """On the scale of the range; nothing lies below 0, so that 0 is no edge."""
    assert is_at_edge(value, space) is expected


def test_the_section_changes_no_identity():
    """Runs keep their folders, whatever tunes them."""
    plain, tuned = (
        plan.load({"sweep": {"seeds": "0-1", **more}})
        for more in ({}, {"tune": {"parameters": {"optimizer.learning_rate": [0.01]}}})
    )
    assert [each.experiment for each in plain.combinations] == [each.experiment for each in tuned.combinations]
