"""The forecast of a sweep: what its seeds would show, from which earlier runs, and how long it takes."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats

from lossbench.cli import forecast_view
from lossbench.config import resolve
from lossbench.metrics import find
from lossbench.runs import paths
from lossbench.statistics import Family, Plan, decide, expectation
from lossbench.sweep import duration, earlier_runs
from lossbench.sweep.comparisons import planned_row
from lossbench.sweep.cost import cost
from lossbench.sweep.duration import START_SECONDS
from lossbench.sweep.forecast import Forecast, forecast
from lossbench.sweep.listing import render
from lossbench.sweep.plan import PlannedTrial
from lossbench.sweep.status import SweepStatus
from lossbench.training import identify, run_folder
from lossbench.training.runtime import processor

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ACCURACY = find("accuracy")
CE = "categorical_crossentropy"


def planned(losses: Iterable[str] = ("ce", "focal", "gce"), seeds: Iterable[int] = range(8), **config: Any) -> Any:
    """Trials of these losses and seeds under one configuration."""
    return [
        PlannedTrial(identify(resolve.from_mapping({"loss": loss, "seed": seed, **config})), {"loss": loss})
        for seed in seeds
        for loss in losses
    ]


def noisy(rate: float) -> dict[str, Any]:
    return {"data": {"label_noise": {"rate": rate}}}


def ran(trials: Any, scores: Any, **facts: Any) -> list[dict[str, Any]]:
    """A completed run of each trial, with these accuracies."""
    return [
        {
            **planned_row(each.trial),
            "seed": each.trial.experiment.seed,
            "status": "completed",
            "folder": "runs/x",
            "device": processor(),
            "threads": 1,
            "seconds": 10.0,
            "test.last.accuracy": float(score),
            **facts,
        }
        for each, score in zip(trials, np.ravel(scores), strict=True)
    ]


@pytest.fixture
def look_ahead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Forecast with these earlier runs, on the CPU."""

    def call(trials: Any, earlier: Any = (), **options: Any) -> Forecast:
        monkeypatch.setattr(earlier_runs, "load", lambda _: list(earlier))
        chosen = {"runs_dir": tmp_path, "device": "cpu", "workers": 2, "metric": ACCURACY, **options}
        return forecast(trials, trials, **chosen)

    return call


def shown(sd: float, seeds: int, comparisons: int) -> float:
    """The difference that is found with probability 0.8, by SciPy's quantiles, at the level that sign flips attain."""
    level = math.floor(0.05 * 2 ** (seeds - 1)) / 2 ** (seeds - 1)
    return float(stats.t.ppf([1 - level / (2 * comparisons), 0.8], seeds - 1).sum() * sd / math.sqrt(seeds))


def test_the_difference_follows_from_the_median_spread_of_paired_differences(look_ahead: Any) -> None:
    """Three seeds of each loss so far; their luck cancels, and a loss that failed to learn does not count for much."""
    losses = ("ce", "focal", "gce", "mae")
    random = np.random.default_rng(0)
    scores = random.normal(0.9, 0.1, (3, 1)) + random.normal(0, [0.001, 0.002, 0.003, 0.2], (3, 4))
    trials = planned(losses)
    (found,) = look_ahead(trials, ran(trials[:12], scores)).detections
    sd = np.median((scores[:, 1:] - scores[:, :1]).std(axis=0, ddof=1))
    assert found.sd == pytest.approx(sd)
    assert (found.seeds, found.spread.of, found.spread.n) == (8, "differences", 9)
    assert found.difference == pytest.approx(shown(sd, 8, 3))


def test_without_pairs_the_spread_of_scores_counts_twice(look_ahead: Any) -> None:
    """Runs of other seeds have no differences; the variance of a difference is that of two scores."""
    trials, others = planned(("ce", "focal")), planned(("gce",), range(20, 25))
    scores = np.random.default_rng(1).normal(0.9, 0.01, 5)
    (found,) = look_ahead(trials, ran(others, scores)).detections
    assert found.sd == pytest.approx(2**0.5 * scores.std(ddof=1))
    assert (found.spread.of, found.spread.n) == ("scores", 5)


def test_planned_losses_come_before_others(look_ahead: Any) -> None:
    """The spread of a loss that is not planned counts only if no planned one has runs."""
    trials = planned(("ce", "focal"))
    runs = ran(planned(("ce", "focal", "mae"), range(3)), [[0.9, 0.91, 0.3], [0.9, 0.92, 0.6], [0.9, 0.93, 0.1]])
    (found,) = look_ahead(trials, runs).detections
    assert found.sd == pytest.approx(0.01)
    (found,) = look_ahead(trials, [run for run in runs if run["loss"] != "focal"]).detections
    assert found.sd == pytest.approx(np.std([0.3, 0.6, 0.1], ddof=1))


@pytest.mark.parametrize(
    ("config", "sd"),
    [
        ({}, pytest.approx(0.01)),
        ({"optimizer": {"learning_rate": 0.1}}, pytest.approx(0.01)),
        ({"train": {"epochs": 7}}, None),
        ({"model": "cnn"}, None),
        (noisy(0.4), None),
        ({"data": {"train_size": 1000}}, None),
    ],
    ids=str,
)
def test_only_runs_with_the_same_data_model_and_budget_count(config: dict[str, Any], sd: Any, look_ahead: Any) -> None:
    """What `compare` would call not alike says nothing about the spread."""
    earlier = ran(planned(("ce", "gce"), range(3), **config), [0.9, 0.91, 0.9, 0.92, 0.9, 0.93])
    (found,) = look_ahead(planned(), earlier).detections
    assert found.sd == sd


def test_each_condition_has_its_own_spread(look_ahead: Any) -> None:
    """Comparisons are counted over all conditions, as `compare` does."""
    low, high = planned(**noisy(0.2)), planned(**noisy(0.4))
    runs = ran(low[:9], [[0.9, 0.91, 0.91], [0.9, 0.92, 0.92], [0.9, 0.93, 0.93]])
    runs += ran(high[:9], [[0.7, 0.7, 0.7], [0.7, 0.8, 0.8], [0.7, 0.9, 0.9]])
    found = look_ahead(low + high, runs)
    assert found.comparisons == 4
    assert [each.condition for each in found.detections] == [{"data.label_noise.rate": rate} for rate in (0.2, 0.4)]
    differences = [shown(sd, 8, 4) for sd in (0.01, 0.1)]
    assert [each.difference for each in found.detections] == pytest.approx(differences)


def test_a_given_spread_wins(look_ahead: Any) -> None:
    """In the unit of its metric, whatever earlier runs say."""
    trials = planned()
    (found,) = look_ahead(trials, ran(trials, np.random.default_rng(0).normal(0.9, 0.1, 24)), sd=0.002).detections
    assert (found.sd, found.spread) == (0.002, None)
    assert found.difference == pytest.approx(shown(0.002, 8, 2))


def test_too_few_seeds_show_nothing(look_ahead: Any) -> None:
    """Below six; and a sweep without the baseline, or with other seeds of it, compares nothing."""
    assert look_ahead(planned(seeds=range(5)), sd=0.01).detections[0].difference is None
    assert look_ahead(planned(("focal", "gce")), sd=0.01).detections == ()
    assert look_ahead(planned(("ce",)) + planned(("gce",), range(10, 18)), sd=0.01).detections == ()
    assert look_ahead(planned(("focal", "gce")), sd=0.01, baseline="focal").comparisons == 1


def test_runs_without_spread_say_nothing(look_ahead: Any) -> None:
    """Equal scores, or one seed."""
    trials = planned(("ce", "focal"))
    assert look_ahead(trials, ran(trials, [0.9] * 16)).detections[0].sd is None
    assert look_ahead(trials, ran(trials[:2], [0.9, 0.8])).detections[0].sd is None


def seconds_of(trials: Any, earlier: Any, **options: Any) -> duration.Duration:
    return duration.duration(trials, earlier, **{"device": "cpu", "workers": 1, **options})


def test_time_is_measured_if_earlier_runs_are_like_the_trials() -> None:
    """The median of their seconds, divided by the workers."""
    trials = planned()
    earlier = [run | {"seconds": seconds} for run, seconds in zip(ran(trials, [0.9] * 24), range(24), strict=True)]
    found = seconds_of(trials, earlier, workers=2)
    assert found.seconds == pytest.approx(START_SECONDS + 24 * 11.5 / 2)
    assert (found.trials, found.measured, found.runs) == (24, 24, 24)
    assert seconds_of([], earlier).seconds == 0


@pytest.mark.parametrize("facts", [{"threads": 4}, {"device": "another"}, {"seconds": None}], ids=str)
def test_runs_elsewhere_do_not_measure_this_machine(facts: dict[str, Any]) -> None:
    """With other threads or another processor; then the cost model says how long it takes."""
    trials = planned()
    found = seconds_of(trials, ran(trials, [0.9] * 24, **facts))
    assert (found.measured, found.runs) == (0, 0)
    assert found.seconds == pytest.approx(START_SECONDS + sum(cost(each.trial.experiment) for each in trials))


def test_what_was_not_measured_is_scaled_by_what_was() -> None:
    """A machine that takes three times the cost of the small model takes three times that of the large one."""
    small, large = planned(), planned(model="cnn")
    each = cost(small[0].trial.experiment)
    found = seconds_of(small + large, ran(small, [0.9] * 24, seconds=3 * each))
    assert found.seconds == pytest.approx(START_SECONDS + 3 * 24 * (each + cost(large[0].trial.experiment)))
    assert (found.trials, found.measured) == (48, 24)


def test_a_gpu_is_measured_by_runs_on_a_gpu(fabricate: Any, tmp_path: Path) -> None:
    """`run.json` says what the device of a run is."""
    trials = planned()
    kinds = {"cpu": fabricate(tmp_path, device={"kind": "cpu", "name": "a"}),
             "gpu": fabricate(tmp_path, seed=1, device={"kind": "gpu", "name": "b"})}  # fmt: skip
    for kind, folder in kinds.items():
        earlier = ran(trials, [0.9] * 24, folder=str(folder), device=kind)
        assert seconds_of(trials, earlier, device="gpu").measured == (24 if kind == "gpu" else 0)


def test_earlier_runs_are_read_from_the_folder(fabricate: Any, tmp_path: Path) -> None:
    """Completed runs only; a folder that does not exist has none, a damaged run is left out."""
    assert earlier_runs.load(tmp_path / "runs") == []
    fabricate(tmp_path / "runs", "focal", 0)
    fabricate(tmp_path / "runs", "focal", 1, status="diverged")
    (fabricate(tmp_path / "runs", "focal", 2) / paths.RUN).write_text("{")
    assert [row["seed"] for row in earlier_runs.load(tmp_path / "runs")] == [0]


def test_a_row_is_described_as_it_will_be_read(fabricate: Any, tmp_path: Path) -> None:
    """The keys on which groups and speed depend are those of the run folder that training writes."""
    from lossbench.config.dump import dump
    from lossbench.runs import rows

    trial = planned(("focal",), (0,), **noisy(0.2))[0].trial
    run = fabricate(tmp_path, "focal", config=None)
    (run / paths.CONFIG).write_text(json.dumps(dump(trial.experiment)))
    config, _, _ = rows.read_row(run)
    described = planned_row(trial)
    assert {key: described[key] for key in config} == config
    assert described["loss"] == "focal"
    assert run_folder(trial, tmp_path).name.startswith("focal-s0-")


SENTENCES = {
    "measured": ({"earlier": 24}, "24 trials to train: about 2 minutes, 2 at a time (measured in 24 earlier runs)"),
    "estimated": ({}, "(estimated, as no earlier run has this model, data, epochs, batch size, device and threads)"),
    "cluster": ({"workers": None}, ", divided by the workers of the cluster (estimated"),
    "given": (
        {"sd": 0.002},
        "with 80 % probability, p adjusted for 2 comparisons: 0.27 pp (standard deviation 0.20 pp, as given)",
    ),
    "nll": ({"sd": 0.002, "metric": find("nll")}, "difference in NLL from categorical_crossentropy"),
    "unknown": (
        {},
        "no earlier runs with this model, data and budget: add --sd, the standard deviation of differences",
    ),
    "few": ({"sd": 0.002, "seeds": 5}, "5 seeds cannot show a difference, 6 can"),
    "no baseline": (
        {"losses": ("gce", "mae")},
        "no loss has a seed in common with the baseline categorical_crossentropy, so there is nothing to compare",
    ),
    "two conditions": ({"sd": 0.002, "rates": 2}, "adjusted for 4 comparisons, in 2 of 2 conditions: 0.30 pp"),
    "pairs": ({"earlier": 24}, "pp, of 16 pairs of earlier runs)"),
}


@pytest.mark.parametrize(("circumstances", "sentence"), SENTENCES.values(), ids=SENTENCES)
def test_sentences(circumstances: dict[str, Any], sentence: str, look_ahead: Any) -> None:
    """Each says what is expected, from what, and what to give where something is missing."""
    options = dict(circumstances)
    chosen = {key: options.pop(key) for key in ("losses", "seeds") if key in options}
    chosen |= {"seeds": range(chosen["seeds"])} if "seeds" in chosen else {}
    trials = [each for rate in range(options.pop("rates", 1)) for each in planned(**chosen, **noisy(rate / 10 + 0.1))]
    scores = np.random.default_rng(0).normal(0.9, 0.01, options.pop("earlier", 0))
    text = forecast_view.text(look_ahead(trials, ran(trials[: len(scores)], scores), **options))
    assert sentence in text


def test_conditions_that_differ_get_a_line_each(look_ahead: Any) -> None:
    """Six of them, then how many more; without earlier runs, how many there are."""
    trials = [each for rate in range(1, 9) for each in planned(("ce", "gce"), **noisy(rate / 10))]
    runs = ran(trials, np.random.default_rng(0).normal(0.9, 0.01, len(trials)))
    lines = forecast_view.text(look_ahead(trials, runs)).splitlines()
    assert lines[1].endswith("p adjusted for 8 comparisons:")
    assert lines[2].startswith("  data.label_noise.rate 0.1: ")
    assert lines[-1] == "  and 2 more conditions, all of them in --format json"
    some = forecast_view.text(look_ahead(trials, runs[:32])).splitlines()
    assert some[-1].startswith("no earlier runs with this model, data and budget, in 6 of 8 conditions: add --sd")


PLAN = Plan((6, 8, 10, 12))


@pytest.mark.parametrize(("plan", "losses"), [(PLAN, 2), (PLAN, 8), (Plan((6, 8, 10, 12), spending="pocock"), 2)])
def test_a_plan_decides_the_difference_of_the_forecast(plan: Plan, losses: int) -> None:
    """Of 300 simulated studies, 80 %, less or more three standard errors; its test steps down, which finds more."""
    (size,) = expectation(plan, [Family(losses, None)]).detectable
    random = np.random.default_rng(0)
    scores = random.normal(0, 0.5**0.5, (300, 12, losses + 1))
    differences = scores[..., 1:] - scores[..., :1]
    differences[..., 0] += size
    found = [decide(list(each.T), plan)[0] for each in differences]
    assert 0.73 <= np.mean([each is not None and each.verdict == "better" for each in found]) <= 0.88


@pytest.mark.parametrize("rope", [None, 2.0])
def test_a_plan_takes_the_trainings_of_the_forecast(rope: float | None) -> None:
    """The mean of 100 simulated studies, to 5 %."""
    plan = Plan((6, 8, 10, 12), rope=rope and 2.0 * rope)
    found = expectation(plan, [Family(4, 2.0), Family(1, 2.0)])
    random = np.random.default_rng(0)
    for shift, expected in ((0.0, found.none), (6.0, found.clear)):
        used = []
        for _ in range(100):
            scores = random.normal(0, 2.0**0.5, (12, 7))
            differences = [*(scores[:, 1:5] - scores[:, :1]).T, scores[:, 6] - scores[:, 5]]
            decisions = decide([each + shift for each in differences], plan)
            seeds = [each.seeds if each else 12 for each in decisions]
            used.append(sum(seeds) + max(seeds[:4]) + seeds[4])
        assert np.mean(used) == pytest.approx(expected, rel=0.05)


def test_the_forecast_of_a_plan_is_not_that_of_a_fixed_number_of_seeds(look_ahead: Any) -> None:
    """A slightly larger difference; the trainings expected, and none of them known without a spread and with a rope."""
    trials = planned(seeds=range(12))
    found = look_ahead(trials, sd=0.01, plan=PLAN)
    assert shown(0.01, 12, 2) < found.detections[0].difference < 1.3 * shown(0.01, 12, 2)
    text = forecast_view.text(found)
    assert text.startswith("at most 36 trials to train: about")
    assert "trainings in all: 36 at most; expected 24 if each loss differs from the baseline by 3 standard" in text
    assert "36 if none differs" in text
    assert "\nup to 12 seeds would show this difference" in text
    listed = json.loads(render(SweepStatus(trials), found, "json"))["forecast"]
    assert listed["trainings"] == {"most": 36, "clear": 24, "none": 36}
    with_rope = look_ahead(trials, plan=replace(PLAN, rope=0.01))
    assert with_rope.trainings.none is None
    assert "if none differs" not in forecast_view.text(with_rope)
    assert look_ahead(trials, sd=0.01, plan=replace(PLAN, rope=0.02)).trainings.none < 36


def test_a_plan_without_comparisons_has_no_forecast(look_ahead: Any) -> None:
    """No loss shares seeds with the baseline."""
    assert look_ahead(planned(("focal", "gce")), sd=0.01, plan=PLAN).trainings is None


def test_json_has_the_forecast(look_ahead: Any) -> None:
    """Unrounded, with what it comes from."""
    trials = planned(("ce", "gce"))
    found = look_ahead(trials, ran(trials, np.random.default_rng(0).normal(0.9, 0.01, 16)))
    listed = json.loads(render(SweepStatus(trials), found, "json"))
    assert len(listed["trials"]) == 16
    (detection,) = listed["forecast"]["detections"]
    assert detection["spread"] == {"sd": detection["sd"], "of": "differences", "n": 8}
    assert detection["difference"] == found.detections[0].difference
    assert listed["forecast"] | {"detections": 0} == {
        "duration": {"trials": 16, "seconds": START_SECONDS + 80, "workers": 2, "measured": 16, "runs": 16},
        "metric": "accuracy",
        "baseline": CE,
        "comparisons": 1,
        "power": 0.8,
        "detections": 0,
    }
