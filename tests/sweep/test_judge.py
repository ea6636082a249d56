"""The plan of a judgement: conditions, opponents, and the folder of its runs."""

import hashlib

import pytest
from made_up_judgements import use_small_suite

from lossbench import suite
from lossbench.config.schema import valid_name
from lossbench.errors import UsageError
from lossbench.json_data import to_json
from lossbench.losses import plugin, registry
from lossbench.losses.expression import parse
from lossbench.losses.labels import label
from lossbench.runs.grouping import DEFAULT_BASELINE
from lossbench.sweep import judge
from lossbench.sweep.comparisons import planned_decision
from lossbench.training import checks

SUITES = {"judge-1": "902488b95892", "judge-2": "fa446fc0a412"}
"""Digest of each version of the suite."""


def planned(loss, budget="quick"):
    """The decision of a judgement, and its plan."""
    swept, trials = judge.plan_judgement(parse(loss), budget)
    return planned_decision(swept.decide, swept.seeds, trials), swept


def test_a_suite_with_other_content_has_another_name():
    """Change SUITE with anything in the suite, and add the new digest here; results of two suites are never mixed."""
    content = [suite.SHARED, [vars(each) for each in suite.CONDITIONS], {k: vars(v) for k, v in suite.BUDGETS.items()}]
    digest = hashlib.sha256(to_json([dict(content[0]), *content[1:]]).encode()).hexdigest()[:12]
    assert SUITES.get(suite.SUITE) == digest


def test_the_reference_is_the_default_baseline():
    """The one with which `compare` compares unless it is given another one."""
    assert suite.REFERENCE == DEFAULT_BASELINE


@pytest.mark.parametrize("condition", suite.CONDITIONS, ids=lambda each: each.name)
@pytest.mark.parametrize("budget", suite.BUDGETS.values(), ids=list(suite.BUDGETS))
def test_a_condition_sets_the_same_keys_as_the_others(condition, budget):
    """So no condition inherits from another one; and it differs from each of the others."""
    mine = suite.settings(condition, budget)
    for other in suite.CONDITIONS:
        theirs = suite.settings(other, budget)
        assert mine.keys() == theirs.keys()
        assert (mine == theirs) == (other is condition)


@pytest.mark.parametrize("budget", suite.BUDGETS.values(), ids=list(suite.BUDGETS))
@pytest.mark.parametrize("condition", suite.CONDITIONS, ids=lambda each: each.name)
def test_a_condition_is_known_by_the_settings_that_differ(condition, budget):
    """As the suite writes them, and as a decision has them: one key per number, None where it does not apply."""
    mine = suite.settings(condition, budget)
    assert suite.condition_of(mine, budget) is condition
    nested = {
        f"{key}.{name}"
        for each in suite.CONDITIONS
        for key, value in each.settings.items()
        for name in (value if isinstance(value, dict) else ())
    }
    numbers = {key: value for key, value in mine.items() if not any(each.startswith(f"{key}.") for each in nested)}
    flat = dict.fromkeys(nested) | numbers
    for key in nested:
        section, _, name = key.rpartition(".")
        flat[key] = (mine[section] or {}).get(name)
    assert suite.condition_of({**flat, "data.label_noise.include_self": False}, budget) is condition
    del flat["train.epochs"]
    assert suite.condition_of(flat, budget) is condition


@pytest.mark.parametrize("condition", suite.CONDITIONS, ids=lambda each: each.name)
def test_opponents_are_five_losses_besides_cross_entropy(condition):
    """Each can be trained in its condition; none is there twice."""
    labels = [label(parse(each)) for each in condition.opponents]
    assert len(set(labels) - {suite.REFERENCE}) == 5
    assert sorted(set(labels)) == sorted(labels)


@pytest.mark.parametrize("loss", ["hinge", "focal", "ce", {"name": "focal", "gamma": 7}, "nce_rce", "brier"], ids=str)
@pytest.mark.parametrize("budget", suite.BUDGETS)
def test_the_judged_loss_is_the_baseline_and_no_opponent_of_itself(loss, budget):
    """In every condition it meets cross-entropy and five losses, without itself; all are one family."""
    decision, swept = planned(loss, budget)
    name = label(parse(loss))
    assert decision.baseline == name
    assert name not in {each.loss for each in decision.comparisons}
    expected = [
        label(parse(each))
        for condition in suite.CONDITIONS
        for each in (suite.REFERENCE, *condition.opponents)
        if label(parse(each)) != name
    ]
    assert sorted(each.loss for each in decision.comparisons) == sorted(expected)
    assert decision.plan.looks == suite.BUDGETS[budget].looks
    assert decision.plan.rope
    assert swept.name.startswith(f"judge-2-{budget}-")
    assert valid_name(swept.name) == swept.name


def test_the_folder_depends_on_file_hyperparameters_and_budget(tmp_path, monkeypatch):
    """So an edited loss has a new result beside the old one."""
    code = "def mine(y_true, y_pred, *, scale=1.0):\n    return scale * ((y_true - y_pred) ** 2).sum(-1)\n"
    use_small_suite(monkeypatch)
    found = set()
    try:
        for text in (code, code + "\n# edited\n"):
            (tmp_path / "mine.py").write_text(text)
            loaded = [plugin.load(tmp_path / "mine.py")]
            for scale, budget in ((1.0, "quick"), (2.0, "quick"), (1.0, "full")):
                terms = parse({"name": "mine", "scale": scale})
                found.add(judge.plan_judgement(terms, budget, loaded)[0].name)
    finally:
        registry.clear_plugins()
    assert len(found) == 2 * 3


@pytest.mark.parametrize("loss", ["arcface", "ldam"])
def test_a_loss_that_needs_another_head_is_refused(loss):
    """Its opponents have a linear head, so the losses would not be the only difference."""
    with pytest.raises(UsageError, match=f"{loss} needs model.head: cosine"):
        judge.plan_judgement(parse(loss), "quick")


@pytest.mark.slow
def test_a_loss_that_fails_its_checks_is_refused(tmp_path):
    """The check that failed is named, with the numbers: the logarithm meets 0."""
    (tmp_path / "wrong.py").write_text(
        "from lossbench import ops\n"
        "def wrong(y_true, y_pred):\n"
        "    return -ops.sum(y_true * ops.log(ops.softmax(y_pred)), axis=-1)\n"
    )
    try:
        plugin.load(tmp_path / "wrong.py")
        with pytest.raises(UsageError, match="wrong: check 'extreme logits' failed: at logits"):
            judge.check_loss(parse("wrong"), [])
    finally:
        registry.clear_plugins()


@pytest.mark.slow
def test_a_loss_that_passes_is_tried_as_training_does(monkeypatch):
    """The checks of `losses --check` call it on a batch; training's own checks refuse more."""
    seen = []
    monkeypatch.setattr(checks, "call_own_losses", seen.extend)
    _, trials = judge.plan_judgement(parse("focal"), "quick")
    judge.check_loss(parse("focal"), trials[:3])
    assert [each.loss for each in seen] == [each.trial.experiment.loss for each in trials[:3]]
