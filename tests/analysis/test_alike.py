"""Losses that did not see the same data, train the same model or have the same budget get no verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fabricate import row

from lossbench.analysis import gate, loading
from lossbench.analysis.comparison import compare
from lossbench.analysis.filter import filter_groups
from lossbench.analysis.images import compare_images
from lossbench.analysis.query import Query
from lossbench.analysis.result import Baseline, Comparison, Group
from lossbench.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

CE = "categorical_crossentropy"
BASE = [0.90, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.97]
BETTER = [value + 0.02 for value in BASE]


def runs(loss: str, accuracies: list[float], **others: Any) -> list[dict[str, Any]]:
    return [row(loss, seed, accuracy, **others) for seed, accuracy in enumerate(accuracies)]


def group(comparison: Comparison, label: str = "focal", block: int = 0) -> Group:
    return {each.label: each for each in comparison.blocks[block].groups}[label]


UNLIKE = [
    ("data.sha256", "a" * 64, "b" * 64), ("data.name", "mnist", "fashion_mnist"), ("data.classes", None, "[3, 8]"),
    ("data.train_size", 500, 1000), ("data.train_size", None, 1000), ("data.validation_size", 5000, 0),
    ("data.normalize", "unit", "standard"), ("data.label_noise.rate", 0.2, 0.4), ("data.label_noise.rate", None, 0.4),
    ("data.label_noise.seed", 1, 2), ("data.imbalance.ratio", 10.0, 100.0),
    ("data.label_noise.include_self", None, True),
    ("model.name", "mlp", "cnn"), ("model.hidden", "[256]", "[512]"), ("model.dropout", 0.2, 0.5),
    ("model.initializer.name", None, "he_normal"), ("model.batch_norm.momentum", 0.9, 0.99),
    ("model.head.name", "linear", "cosine"), ("optimizer.name", "adam", "sgd"),
    ("train.epochs", 1, 2), ("train.batch_size", 64, 128), ("train.drop_remainder", False, True),
    ("train.precision", "float32", "mixed_bfloat16"), ("train.early_stopping.patience", None, 3),
    ("train.deterministic", False, True), ("train.of_a_later_version", 1, 2),
]  # fmt: skip


@pytest.mark.parametrize(("key", "theirs", "ours"), UNLIKE)
def test_no_verdict(key: str, theirs: Any, ours: Any) -> None:
    """A key of data, model or budget that differs leaves no verdict, no p, no comparison and no best mean."""
    column = key.replace(".", "__")
    rows = runs(CE, BASE, **{column: theirs}) + runs("focal", BETTER, **{column: ours})
    comparison = compare(rows, Query())
    found = group(comparison)
    assert found.unlike == ((key, theirs, ours),)
    assert (found.difference, found.best, comparison.comparisons, comparison.unlike) == (None, frozenset(), 0, (key,))
    assert [each.label for each in comparison.blocks[0].groups] == [CE, "focal"], "what is not alike ranks last"


@pytest.mark.parametrize(("key", "theirs", "ours"), UNLIKE)
@pytest.mark.parametrize("section", [False, True])
def test_a_key_that_is_allowed(key: str, theirs: Any, ours: Any, *, section: bool) -> None:
    """The key or a section above it, named by the user, brings the verdict back; the footnote stays."""
    column = key.replace(".", "__")
    rows = runs(CE, BASE, **{column: theirs}) + runs("focal", BETTER, **{column: ours})
    comparison = compare(rows, Query(allow_different=(key.partition(".")[0] if section else key,)))
    found = group(comparison)
    assert found.difference
    assert (found.difference.verdict, found.unlike, comparison.unlike) == ("better", (), ())
    assert "accuracy" in found.best
    assert [each.key for each in comparison.hidden] == [key]


@pytest.mark.parametrize(
    ("key", "theirs", "ours"),
    [
        ("optimizer.learning_rate", 0.1, 0.01), ("optimizer.schedule.name", "constant", "cosine"),
        ("optimizer.schedule.end", None, 0.1), ("optimizer.weight_decay", 0.0, 0.1), ("optimizer.momentum", 0.0, 0.9),
        ("optimizer.clip_norm", None, 5.0), ("regularization.l1", 0.0, 0.1), ("loss.gamma", None, 2.0),
        ("train.drop_remainder", None, False), ("data.label_noise.clean_validation", None, False),
    ],
)  # fmt: skip
def test_what_may_differ(key: str, theirs: Any, ours: Any) -> None:
    """Learning rate, schedule and other settings that suit a loss, and keys that are off or not there yet."""
    column = key.replace(".", "__")
    comparison = compare(runs(CE, BASE, **{column: theirs}) + runs("focal", BETTER, **{column: ours}), Query())
    assert group(comparison).unlike == ()
    assert group(comparison).difference


@pytest.mark.parametrize(
    ("loss", "others", "expected"),
    [
        ("arcface", {}, ()),
        ("focal", {}, (("model.head.name", "linear", "cosine"),)),
        ("mine", {"plugin": "f" * 64}, ()),
    ],
)
def test_a_head_that_the_loss_needs(loss: str, others: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """An angular loss or a user's own may have the cosine head; any other loss may not."""
    rows = runs(CE, BASE, model__head__name="linear") + runs(loss, BETTER, model__head__name="cosine", **others)
    comparison = compare(rows, Query())
    assert group(comparison, loss).unlike == expected
    assert [each.key for each in comparison.hidden] == ["model.head.name"]


def test_each_pair_is_judged_by_itself() -> None:
    """One loss with another budget does not take the verdict from the others, nor takes part in their adjustment."""
    rows = (
        runs(CE, BASE, train__epochs=1) + runs("focal", BETTER, train__epochs=1) + runs("gce", BETTER, train__epochs=2)
    )
    comparison = compare(rows, Query())
    assert group(comparison, "gce").unlike == (("train.epochs", 1, 2),)
    assert comparison.comparisons == 1
    found = group(comparison).difference
    assert found
    assert (found.verdict, found.p, found.p_adjusted) == ("better", 2 / 256, 2 / 256)
    assert "accuracy" in group(comparison).best


def test_conditions_pair_as_before() -> None:
    """A key that varies inside a loss makes conditions, and losses pair where both have them."""
    rows = [each for rate in (0.0, 0.4) for each in runs(CE, BASE, data__label_noise__rate=rate)]
    comparison = compare(rows + runs("focal", BETTER, data__label_noise__rate=0.4), Query())
    assert [block.condition for block in comparison.blocks] == [
        {"data.label_noise.rate": 0.0}, {"data.label_noise.rate": 0.4},
    ]  # fmt: skip
    assert group(comparison, block=1).difference
    epochs = [each for number in (1, 2) for each in runs("focal", BETTER, train__epochs=number)]
    comparison = compare(runs(CE, BASE, train__epochs=1) + epochs, Query())
    assert [bool(group(comparison, block=number).difference) for number in (0, 1)] == [True, False]
    assert comparison.unlike == ()


def test_without_a_baseline_unlike_losses_are_not_ranked() -> None:
    """No best mean where budgets differ; with equal budgets there is one."""
    for epochs, best in ((2, False), (1, True)):
        rows = runs("gce", BASE, train__epochs=1) + runs("focal", BETTER, train__epochs=epochs)
        comparison = compare(rows, Query())
        assert ("accuracy" in group(comparison).best) is best
        assert comparison.unlike == (() if best else ("train.epochs",))


def test_against_a_stored_baseline() -> None:
    """A loss is compared with itself only if its budget is still the same; other losses' budgets do not matter."""
    stored = Baseline("main.json", runs("focal", BASE, train__epochs=1) + runs("gce", BASE, train__epochs=2))
    now = runs("focal", BETTER, train__epochs=2) + runs("gce", BETTER, train__epochs=2)
    comparison = compare(now, Query(), stored)
    assert group(comparison).unlike == (("train.epochs", 1, 2),)
    assert group(comparison, "gce").difference
    both = compare(now, Query(allow_different=("train",)), stored)
    assert group(both).difference


@pytest.mark.parametrize(
    ("query", "changes"),
    [
        (Query(by=("train.epochs",), baseline="1"), {"train.epochs": 2}),
        (Query(by=("model.name",), baseline="mlp"), {"model.name": "cnn", "model.dropout": 0.5}),
        (Query(by=("data.name",), baseline="mnist"), {"data.name": "fashion_mnist", "data.sha256": "b" * 64}),
        (
            Query(by=("data.label_noise.rate",), baseline="none"),
            {"data.label_noise.rate": 0.2, "data.label_noise.type": "symmetric"},
        ),
    ],
)
def test_the_keys_that_make_groups_may_differ(query: Query, changes: dict[str, Any]) -> None:
    """Grouped by a key, its values are what is compared, with the keys that follow from it; nothing else may differ."""
    usual = {"train.epochs": 1, "model.name": "mlp", "model.dropout": 0.2, "data.name": "mnist", "train.batch_size": 64}
    rows = [each | usual for each in runs("focal", BASE)]
    others = [each | usual | changes for each in runs("focal", BETTER, identity="other")]
    (label,) = {str(others[0].get(key)) for key in query.by or ()}
    assert group(compare([*rows, *others], query), label).difference
    others = [each | {"train.batch_size": 128} for each in others]
    if query.by != ("loss",):
        assert group(compare([*rows, *others], query), label).unlike == (("train.batch_size", 64, 128),)


def test_what_was_tuned_may_differ() -> None:
    """A tuned key defines neither a condition nor an unfair comparison."""
    rows = runs(CE, BASE, train__epochs=1) + runs("focal", BETTER, train__epochs=2)
    assert group(compare(rows, Query(tune="train.epochs"))).difference


def test_a_key_that_no_run_has_cannot_be_allowed() -> None:
    """A mistyped key allows nothing, so it is an error; sections and keys below a null are keys."""
    rows = runs(CE, BASE, data__label_noise=None, train__epochs=1)
    with pytest.raises(UsageError, match=r"allow_different: no run has the key 'train.epoch'; did you mean 'train.epo"):
        compare(rows, Query(allow_different=("train.epoch",)))
    for name in ("train", "train.epochs", "data.label_noise.rate"):
        compare(rows, Query(allow_different=(name,)))


def test_order_and_selection_of_what_is_shown() -> None:
    """What is not alike stays last in every order by a metric and is nothing that changed."""
    rows = runs(CE, BASE, train__epochs=1) + runs("focal", BETTER, train__epochs=2) + runs("a", BASE, train__epochs=1)
    comparison = compare(rows, Query())
    shown = filter_groups(comparison, sort="accuracy").blocks[0].groups
    assert [each.label for each in shown] == ["a", CE, "focal"]
    assert [each.label for each in filter_groups(comparison, top=1).blocks[0].groups] == ["a", CE]
    assert "focal" not in [each.label for each in filter_groups(comparison, only_changed=True).blocks[0].groups]


def test_images_of_unlike_losses_are_not_compared(tmp_path: Path, fabricate: Any) -> None:
    """No image-by-image difference of losses with other budgets."""
    fabricate(tmp_path, CE, 0)
    fabricate(tmp_path, "focal", 0, config={"train.epochs": 9})
    fabricate(tmp_path, "gce", 0, strength=4.0)
    comparison = compare(loading.rows([tmp_path])[0], Query())
    assert [each.label for each in compare_images(comparison)] == ["gce"]


def test_a_gate_on_an_unfair_difference_fails() -> None:
    """A difference that may not be judged is missing evidence, never a pass; a mean is judged as ever."""
    rows = runs(CE, BASE, train__epochs=1) + runs("focal", BETTER, train__epochs=2)
    results = gate.judge(compare(rows, Query(thresholds=("delta.accuracy < -1pp", "accuracy < 0.5"))))
    assert [(each.label, each.outcome) for each in results] == [
        ("focal", "missing"), (CE, "passed"), ("focal", "passed"),
    ]  # fmt: skip
    assert results[0].unlike == (("train.epochs", 1, 2),)
