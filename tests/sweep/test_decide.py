"""Seeds are added until each loss is decided: an executor that makes up scores stands in for training."""

import contextlib
import functools
import json
import shutil
import threading

import numpy as np
import pytest
from made_up_sweeps import CE, FOCAL, GCE, LOOKS, MAE, Study, score, trained

from lossbench.config import resolve
from lossbench.config.decide import FEWEST_SEEDS, MOST_SEEDS, Decide, Spending, planned_looks
from lossbench.config.decide import LOOKS as DEFAULT_LOOKS
from lossbench.errors import ConfigError, InterruptedRunError, MachineError, UsageError
from lossbench.runs import decision_file, paths
from lossbench.statistics import FEWEST_SEEDS as FEWEST
from lossbench.statistics import SPENDING, Divergence, Plan
from lossbench.statistics import decide as decide_seeds
from lossbench.sweep import plan
from lossbench.sweep.scheduler import Rules
from lossbench.training import identify


def scores(**means):
    """Scores with other means by loss, or a text for how every run of a loss ends."""
    names = {"gce": GCE, "focal": FOCAL, "mae": MAE, "ce": CE}
    given = {names[short]: mean for short, mean in means.items()}

    def of(loss, seed):
        found = given.get(loss, 0.0)
        return found(seed) if callable(found) else found if isinstance(found, str) else score(loss, seed) + found

    return of


def test_a_decided_loss_is_dropped_and_the_baseline_goes_on(tmp_path):
    """The verdicts are those of the test on the scores; one trial at a time, so that none is trained ahead."""
    study = Study(tmp_path)
    executor, status = study.run(room=1)
    losses = (GCE, FOCAL, MAE)
    gains = [np.array([score(loss, seed) - score(CE, seed) for seed in range(12)]) for loss in losses]
    expected = decide_seeds(gains, Plan(tuple(LOOKS)))
    assert study.verdicts == {
        loss: ("undecided", 12) if each is None else tuple(each) for loss, each in zip(losses, expected, strict=True)
    }
    assert [study.verdicts[loss][0] for loss in losses] == ["better", "undecided", "worse"]
    used = {loss: list(range(seeds)) for loss, (_, seeds) in study.verdicts.items()}
    assert trained(executor) == {CE: list(range(12)), **used}
    assert status.is_complete
    assert status.counts["dropped"] == 48 - len(executor.jobs) > 0


def test_the_order_of_completion_does_not_matter(tmp_path):
    """Twenty orders, one to five workers, with a straggler: the same bytes."""
    found = set()
    for order in range(20):
        study = Study(tmp_path / str(order))
        study.run(order=order, room=1 + order % 5, slow={(CE, 5), (FOCAL, 9)})
        found.add(study.file.read_bytes())
    assert len(found) == 1


@pytest.mark.parametrize("after", [1, 7, 24, 30, 33])
def test_a_sweep_that_is_stopped_twice_continues_to_the_same_decision(tmp_path, after):
    """Before, at and after looks; nothing that has ended is trained again."""
    whole, stopped = Study(tmp_path / "whole"), Study(tmp_path / "stopped")
    whole.run()
    for stop in (after, 2):
        with pytest.raises(InterruptedRunError):
            stopped.run(after=stop, order=stop)
    executor, status = stopped.run(order=99)
    assert stopped.file.read_bytes() == whole.file.read_bytes()
    assert status.is_complete
    assert len(executor.jobs) <= 48
    again, _ = stopped.run()
    assert again.jobs == []


def test_a_sweep_that_ended_before_its_last_look_makes_it_without_training(tmp_path):
    """Killed after its last trial and before the look was written."""
    study = Study(tmp_path)
    study.run()
    whole = study.file.read_bytes()
    content = json.loads(whole)
    content["looks"][-1] |= {"scores": None, "verdicts": None}
    study.file.write_text(json.dumps(content))
    executor, _ = study.run()
    assert (executor.jobs, study.file.read_bytes()) == ([], whole)


def test_workers_do_not_wait_for_a_straggler(tmp_path):
    """While one trial of a look runs, others train seeds up to the next look, and none beyond."""
    study, seen = Study(tmp_path, losses=(CE, FOCAL)), []

    def on_event(event):
        if event["event"] == "completed" and not (study.folder / paths.DECISION).read_text().count("null,\n") > 9:
            seen.append(event["trial"])

    executor, status = study.run(room=2, slow={(CE, 0)}, on_event=on_event)
    order = [job.trial.experiment.seed for job in executor.jobs]
    assert order[:16] == sorted(order[:16])
    ended = [int(each.rpartition("-s")[2].split("-")[0]) for each in seen]
    assert ended.index(0, 1) == 15  # seed 0 of the baseline: after all seeds of two looks
    assert max(ended[:16]) == 7
    assert status.is_complete


def test_the_plan_is_written_before_the_first_trial_and_a_look_before_the_next(tmp_path):
    """What the file holds whenever a trial starts: the looks before it, with scores and verdicts, and its own."""
    study, checked = Study(tmp_path), []

    def on_event(event):
        if event["event"] != "started":
            return
        content = json.loads(study.file.read_text())
        seed = int(event["trial"].rpartition("-s")[2].split("-")[0])
        *made, pending = content["looks"]
        assert content["plan"]["looks"] == LOOKS
        assert all(look["scores"] and look["verdicts"] is not None for look in made)
        assert pending["scores"] is None
        assert seed < pending["seeds"]
        checked.append(seed)

    study.run(room=1, on_event=on_event)
    assert len(checked) > 24


def test_two_sweeps_on_one_folder_share_the_decision(tmp_path):
    """Both run at once, and whichever makes a look first, the file is that of one sweep."""
    one, two, alone = Study(tmp_path / "shared"), Study(tmp_path / "shared"), Study(tmp_path / "alone")
    alone.run()
    threads = [threading.Thread(target=each.run, kwargs={"order": order}) for order, each in enumerate((one, two))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert one.file.read_bytes() == alone.file.read_bytes()


def test_a_sweep_takes_over_the_looks_of_another(tmp_path):
    """It began before the other one and ends after it."""
    slow, fast = Study(tmp_path), Study(tmp_path)
    status, decider = slow.status()
    decider.begin()
    fast.run()
    whole = slow.file.read_bytes()
    for number, each in enumerate(status.trials):
        if each.trial.experiment.seed < 6:
            decider.next_trial(lambda _: None, ahead=False)
            status.set_status(number, "completed")
    decider.next_trial(lambda _: None, ahead=False)
    assert len(decider.decision.made) == len(decision_file.load(slow.folder).made) > 1
    assert slow.file.read_bytes() == whole


@pytest.mark.parametrize(("gce", "expected"), [
    (lambda seed: "diverged" if seed == 3 else score(GCE, seed), "undecided"),
    (lambda seed: "failed" if seed == 3 else score(GCE, seed), "better"),
    ("diverged", "undecided"),
    ("failed", "undecided"),
    (lambda seed: score(CE, seed), "identical"),
])  # fmt: skip
def test_runs_without_a_result_count_as_compare_counts_them(tmp_path, gce, expected):
    """A diverged run bars `better`, a failed one is missing; a loss without any result stops at the first look."""
    study = Study(tmp_path)
    executor, _ = study.run(scores(gce=gce), rules=Rules(max_consecutive_failures=0), room=1)
    verdict, seeds = study.verdicts[GCE]
    assert verdict == expected
    assert (seeds == 6) == (isinstance(gce, str) or expected == "identical")
    assert len(trained(executor)[GCE]) == seeds


def test_a_sweep_that_stops_at_failures_makes_no_look(tmp_path):
    """Three failures in a row stop it; with retry_failed these trials count as if they had never failed."""
    study, whole = Study(tmp_path / "study"), Study(tmp_path / "whole")
    whole.run()
    _, status = study.run(lambda loss, seed: "failed" if seed == 5 else score(loss, seed), room=1)
    assert status.stop_reason
    assert decision_file.load(study.folder).made == ()
    study.run(retry_failed=True)
    assert study.file.read_bytes() == whole.file.read_bytes()


def test_a_rope_ends_equal_losses(tmp_path):
    """Focal differs by 0.01 pp; within 1 pp it is equivalent, and then everything is decided."""
    study = Study(tmp_path, rope="1pp")
    _, status = study.run()
    assert study.verdicts[FOCAL][0] == "equivalent"
    assert status.decision.pending is None
    assert all(verdict != "undecided" for verdict, _ in study.verdicts.values())


def test_conditions_are_one_family_and_each_has_its_baseline(tmp_path):
    """With noise rates 0 and 0.4: six comparisons; a baseline ends with the last open loss of its condition."""
    study = Study(tmp_path, losses=(CE, GCE, MAE), parameters={"data.label_noise": [None, {"rate": 0.4}]})
    executor, status = study.run(scores(), room=1)
    decision = status.decision
    assert len(decision.comparisons) == 4
    assert len({each.baseline for each in decision.comparisons}) == 2
    for each in {each.baseline for each in decision.comparisons}:
        last = max(decision.seeds_of(index) for index, one in enumerate(decision.comparisons) if one.baseline == each)
        assert sum(job.trial.identity == each for job in executor.jobs) == last


@pytest.mark.parametrize(("change", "said"), [
    ({"rope": "1pp"}, "rope none, now 0.01"), ({"looks": [6, 12]}, "looks 6,8,10,12, now 6,12"),
    ({"alpha": 0.1}, "alpha 0.05, now 0.1"), ({"spending": "pocock"}, "spending obrien_fleming, now pocock"),
    ({"metric": "nll"}, "metric accuracy, now nll"), ({"baseline": "gce"}, f"baseline {CE}, now {GCE}"),
    ({"seeds": "5-16"}, "seeds 0-11, now 5-16"), ({"losses": (CE, GCE)}, f"now without {FOCAL}, {MAE}"),
    ({"losses": (CE, GCE, FOCAL, MAE, "poly1_crossentropy")}, "now with poly1_crossentropy"),
    ({"losses": (CE, MAE, FOCAL, GCE)}, "the cases in another order"),
    ({"losses": (CE, GCE, FOCAL, MAE), "parameters": {"train.epochs": [3]}},
     f"other settings, data or plugin file of {FOCAL}, {GCE}, {MAE}"),
    ({"losses": (CE, GCE, {"name": "focal", "gamma": 2.5}, MAE)}, f"now without {FOCAL}; now with focal gamma=2.5"),
])  # fmt: skip
def test_another_plan_of_a_started_decision_is_refused(tmp_path, change, said):
    """With what differs and what to do; nothing is trained or changed."""
    Study(tmp_path).run()
    before = (tmp_path / "study" / paths.DECISION).read_bytes()
    with pytest.raises(UsageError, match=r"started with another plan: .*continue with that plan, or start") as error:
        Study(tmp_path, **change).run()
    assert said in str(error.value)
    assert (tmp_path / "study" / paths.DECISION).read_bytes() == before


DAMAGES = {
    "cut": lambda text: text[: len(text) // 2], "empty": lambda _: "", "list": lambda _: "[]", "nan": lambda text:
    text.replace("0.05", "NaN"), "alpha": lambda text: text.replace("0.05", "0.7"), "spending": lambda text:
    text.replace("obrien_fleming", "hope"), "metric": lambda text: text.replace('"accuracy"', '"hope"'), "looks":
    lambda text: text.replace('"seeds": 8', '"seeds": 9'), "verdict": lambda text: text.replace('"better"', '"best"'),
    "other verdict": lambda text: text.replace('"better"', '"worse"'), "missing": lambda text:
    text.replace('"comparisons"', '"contrasts"'), "version": lambda text: text.replace('"version": 2', '"version": 0'),
    "scores": lambda text: text.replace("0.9", '"0.9"', 1), "null": lambda _: "null", "deep": lambda _: "[" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_decision_is_one_sentence_and_nothing_is_lost(tmp_path, damage):
    """The file is left as it is, no trial starts, and the message names it and what to do."""
    study = Study(tmp_path)
    with pytest.raises(InterruptedRunError):
        study.run(after=40)
    text = DAMAGES[damage](study.file.read_text())
    study.file.write_text(text)
    with pytest.raises(MachineError, match=r"decision\.json: .*restore the file from a copy") as error:
        study.run()
    assert "\n" not in str(error.value)
    assert study.file.read_text() == text


def fields(value, path=()):
    """The paths of all values in JSON data; of a list, those of its first two."""
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, each in pairs:
        yield from fields(each, (*path, key))


@pytest.mark.slow
def test_any_value_in_any_field_is_refused_or_means_the_same(tmp_path):
    """One sentence, whatever type stands where; text of the user's may be any."""
    study = Study(tmp_path)
    with pytest.raises(InterruptedRunError):
        study.run(after=34)
    text = study.file.read_text()
    found = decision_file.load(study.folder)
    free = {"baseline", "loss", "identity", "condition", "version", "scores"}
    for path in list(fields(json.loads(text)))[1:]:
        for value in (None, True, -1, 7, 1.5, 1e308, "", "x", [], [1], {}, {"a": 1}):
            content = json.loads(text)
            place = functools.reduce(lambda inner, key: inner[key], path[:-1], content)
            place[path[-1]] = value
            study.file.write_text(json.dumps(content))
            try:
                said, loaded = "", decision_file.load(study.folder)
            except (MachineError, UsageError) as error:
                said, loaded = str(error), found
            assert "\n" not in said
            assert loaded == found or free & set(path) or "seeds" in path[:2], (path, value)


def test_control_characters_in_a_decision_are_written_as_escapes(tmp_path):
    """They do not reach the terminal."""
    study = Study(tmp_path)
    study.run()
    study.file.write_text(study.file.read_text().replace(f'"baseline": "{CE}"', '"baseline": "a\\u001b[31m\\n"', 1))
    with pytest.raises(UsageError, match=r"baseline \"a\\e\[31m\\n\", now"):
        study.run()


def test_a_decision_of_a_newer_version_is_refused(tmp_path):
    """With both versions; it is a wrong use of this version, not a fault of the machine."""
    study = Study(tmp_path)
    study.run()
    study.file.write_text(study.file.read_text().replace('"version": 2', '"version": 3'))
    with pytest.raises(UsageError, match=r"newer lossbench: expected version 2 at most, got 3; update lossbench"):
        study.run()


def earlier(study):
    """The decision as the version before recorded it."""
    study.file.write_text(study.file.read_text().replace('"version": 2', '"version": 1'))
    return study.file.read_bytes()


def test_a_decision_of_version_1_is_continued(tmp_path):
    """Without a rope its test is the same; the file remains of version 1, as another sweep may share it."""
    study, whole = Study(tmp_path / "study"), Study(tmp_path / "whole")
    with pytest.raises(InterruptedRunError):
        study.run(after=34, room=1)
    earlier(study)
    study.run(room=1)
    whole.run(room=1)
    assert study.file.read_bytes() == earlier(whole)


def test_a_decision_of_version_1_with_a_rope_is_not_continued(tmp_path):
    """Its test was another one: what to do, nothing lost; without its file the same runs decide."""
    study = Study(tmp_path, rope="0.4pp")
    with pytest.raises(InterruptedRunError):
        study.run(after=34, room=1)
    before = earlier(study)
    with pytest.raises(UsageError, match=r"wrong more often than alpha.*move the file elsewhere and repeat"):
        study.run()
    assert study.file.read_bytes() == before
    study.file.rename(tmp_path / "moved.json")
    executor, _ = study.run()
    assert 0 < len(executor.jobs) < 20


def test_a_decision_of_version_1_that_has_ended_is_shown(tmp_path):
    """Also if today's test would have decided otherwise; nothing is trained."""
    study = Study(tmp_path, rope="0.4pp")
    study.run()
    content = json.loads(study.file.read_text())
    content["looks"][-1]["verdicts"] = dict.fromkeys(content["looks"][-1]["verdicts"], "equivalent") or {"1": "worse"}
    study.file.write_text(json.dumps(content))
    before = earlier(study)
    executor, _ = study.run()
    assert (executor.jobs, study.file.read_bytes()) == ([], before)


def test_a_decision_is_read_as_it_was_written(tmp_path):
    """With diverged and failed runs, while it runs and after its end."""
    study = Study(tmp_path)
    with pytest.raises(InterruptedRunError):
        study.run(scores(gce="diverged", mae=lambda seed: "failed" if seed == 1 else 0.5), after=30)
    for _ in range(2):
        text, found = study.file.read_text(), decision_file.load(study.folder)
        decision_file.save(study.folder, found)
        assert study.file.read_text() == text
        study.run(scores(gce="diverged"))


def test_a_link_in_place_of_the_decision_is_not_followed(tmp_path):
    """Neither read nor written."""
    study, other = Study(tmp_path), tmp_path / "elsewhere.json"
    study.folder.mkdir()
    study.file.symlink_to(other)
    with pytest.raises((UsageError, MachineError)):
        study.run()
    assert not other.exists()


def test_a_removed_run_is_trained_again_and_changes_no_look(tmp_path):
    """The scores of the looks are in the file."""
    study = Study(tmp_path)
    study.run()
    before = study.file.read_bytes()
    removed = next(study.folder.glob("focal-s2-*"))
    shutil.rmtree(removed)
    executor, _ = study.run()
    assert [job.trial.folder for job in executor.jobs] == [removed.name]
    assert study.file.read_bytes() == before


@pytest.mark.parametrize(("section", "seeds", "said"), [
    ({"looks": [8, 6]}, None, "looks: expected increasing numbers"),
    ({"looks": [6, 40], "max_seeds": 30}, None, "looks.1: expected looks up to 30"),
    ({"looks": [4, 8]}, None, "looks.0: expected looks from 6 seeds on"),
    ({"looks": [6, 20]}, "0-9", "looks.1: expected looks up to 10"),
    ({"max_seeds": 5}, None, "max_seeds: expected a whole number ≥ 6"),
    ({}, "0-3", "expected 6 to 200 seeds for a decision, got 4"),
    ({"max_seeds": 30}, "0-9", "max_seeds: expected the number of sweep.seeds, 10, got 30"),
    *(({"alpha": alpha}, None, "alpha: expected a number > 0 and ≤ 0.5") for alpha in (0, -1, 0.51)),
    ({"spending": "hope"}, None, "spending: expected one of obrien_fleming, pocock, linear"),
    ({"rope": 0.1}, None, "rope: '0.1': a difference in accuracy needs a unit"),
    ({"rope": "0.1pp", "metric": "nll"}, None, "rope: '0.1pp': nll is not a share of images"),
    ({"rope": "0pp"}, None, "rope: expected a size above 0"),
    ({"metric": "hope"}, None, "metric: metric 'hope': expected one of accuracy"),
    ({"metric": "val_loss"}, None, "metric: metric 'val_loss'"),
    ({"metric": "train_seconds"}, None, "metric: train_seconds depends on what else the machine does"),
])  # fmt: skip
def test_a_mistake_in_the_plan_has_its_sentence(section, seeds, said):
    """Exit 2, with the key, what was expected and what came."""
    with pytest.raises(ConfigError) as error:
        plan.load({"sweep": {"decide": section}}, seeds=seeds)
    assert said in str(error.value)
    assert str(error.value).count("\n") == 0


@pytest.mark.parametrize(("keys", "said"), [
    ({"baseline": "poly1"}, "baseline: no case has the loss"),
    ({"losses": (GCE, MAE)}, f"baseline: no case has the loss {CE}"),
    ({"losses": (CE,)}, f"expected a loss besides the baseline {CE}"),
])  # fmt: skip
def test_a_missing_baseline_or_loss_has_its_sentence(tmp_path, keys, said):
    """Before anything is trained."""
    with pytest.raises(ConfigError) as error:
        Study(tmp_path, **keys).run()
    assert said in str(error.value)
    assert not tmp_path.joinpath("study").exists()


def test_losses_that_are_not_alike_are_refused(tmp_path):
    """As compare gives no verdict on them."""
    cases = [{"loss": "ce"}, {"loss": "gce", "train.epochs": 9}]
    swept = plan.load({"name": "study", "sweep": {"cases": cases, "decide": {}}})
    study = Study(tmp_path)
    study.plan, study.planned = swept, plan.trials(swept, identify)[0]
    with pytest.raises(ConfigError, match=r"not alike, so there is no verdict: train\.epochs 5 / 9"):
        study.status()


def test_options_belong_to_sweeps_that_add_seeds():
    """A size without a decision is a mistake; with one, in the file or by until_decided, it is a key of it."""
    with pytest.raises(UsageError, match="rope: only a sweep that adds seeds"):
        plan.load({}, decide={"rope": "1pp"})
    assert plan.load({}, until_decided=True, decide={"rope": "1pp"}).decide == Decide(rope="1pp")
    assert plan.load({"sweep": {"decide": {"alpha": 0.1}}}, decide={"rope": "1pp", "metric": None}).decide == Decide(
        alpha=0.1, rope="1pp"
    )
    assert plan.load({}).decide is None


@pytest.mark.parametrize(("section", "seeds", "looks"), [
    ({}, None, (6, 8, 10, 12, 15, 20, 25, 30)), ({"max_seeds": 18}, None, (6, 8, 10, 12, 15, 18)),
    ({"max_seeds": 45}, None, (6, 8, 10, 12, 15, 20, 25, 30, 40, 45)), ({"looks": [7, 9]}, None, (7, 9)),
    ({"looks": [7, 9], "max_seeds": 11}, None, (7, 9, 11)), ({}, (3, 4, 5, 6, 7, 8, 9), (6, 7)),
])  # fmt: skip
def test_looks_end_with_the_largest_number_of_seeds(section, seeds, looks):
    """The seeds of the sweep, else max_seeds, else the last look, else 30."""
    assert planned_looks(Decide(**section), seeds) == looks
    swept = plan.load({"sweep": {"decide": section}}, seeds=list(seeds) if seeds else None)
    assert swept.seeds == (seeds or tuple(range(looks[-1])))


def test_the_plan_has_the_defaults_of_the_statistics():
    """Looks, level, spending functions, and the fewest seeds that can decide."""
    assert planned_looks(Decide(), None) == Plan().looks == DEFAULT_LOOKS[: len(Plan().looks)]
    assert (Decide().alpha, Decide().spending, Decide().rope) == (Plan().alpha, Plan().spending, Plan().rope)
    assert list(SPENDING) == list(Spending.__args__)
    assert (FEWEST_SEEDS, MOST_SEEDS) == (FEWEST, decision_file.MOST_SEEDS)


def test_the_section_is_no_part_of_a_trial():
    """Runs keep their identities, whatever decides about their number."""
    plain, decided = (plan.load({"sweep": {"seeds": "0-5", **more}}) for more in ({}, {"decide": {}}))
    assert plain.combinations == decided.combinations
    assert resolve.from_mapping({"sweep": {"decide": {}}}).sweep.decide == Decide()


@pytest.mark.slow
@pytest.mark.parametrize("number", range(100))
def test_any_study_ends_as_the_test_of_all_its_scores(tmp_path, number):
    """Random means, plans, failures, orders, workers and interruptions; the oracle has all scores at once."""
    random = np.random.default_rng(number)
    losses = [GCE, FOCAL, MAE][: random.integers(1, 4)]
    ends = {
        (str(random.choice([CE, *losses])), int(random.integers(12))): str(random.choice(["diverged", "failed"]))
        for _ in range(2)
    }
    means = dict(zip([CE, *losses], random.choice([0.0, 0.0, 0.003, 0.01], len(losses) + 1), strict=True))
    table = {
        (loss, seed): ends.get((loss, seed), 0.9 + means[loss] + random.normal(0, 0.003))
        for loss in [CE, *losses]
        for seed in range(12)
    }
    rope = [None, "0.4pp"][random.integers(2)]
    spending = str(random.choice(list(SPENDING)))
    study = Study(tmp_path, losses=(CE, *losses), spending=spending, alpha=0.2, **({"rope": rope} if rope else {}))
    rules = Rules(max_consecutive_failures=0)
    for after in random.integers(1, 30, 2):
        with contextlib.suppress(InterruptedRunError):
            study.run(lambda *key: table[key], order=number, room=1 + number % 4, after=int(after), rules=rules)
    study.run(lambda *key: table[key], order=number + 1, room=1 + number % 3, rules=rules)

    def gain(loss, seed):
        pair = table[loss, seed], table[CE, seed]
        return np.nan if any(isinstance(each, str) for each in pair) else pair[0] - pair[1]

    first = {
        loss: min([seed for seed in range(12) if table[loss, seed] == "diverged"], default=np.inf) for loss in means
    }
    expected = decide_seeds(
        [np.array([gain(loss, seed) for seed in range(12)]) for loss in losses],
        Plan(tuple(LOOKS), 0.2, spending, rope and 0.004),
        [Divergence(first[loss], first[CE]) for loss in losses],
    )
    assert study.verdicts == {
        loss: ("undecided", 12) if each is None else tuple(each) for loss, each in zip(losses, expected, strict=True)
    }
