"""A comparison in a sentence."""

from fabricate import row

from lossbench.analysis.comparison import compare
from lossbench.analysis.query import Query
from lossbench.report import wording

CE = "categorical_crossentropy"


def told(accuracies, **query):
    """The headlines of losses with these accuracies by seed."""
    rows = [row(loss, seed, value) for loss, values in accuracies.items() for seed, value in enumerate(values)]
    return list(wording.headlines(compare(rows, Query(**query))))


def test_the_best_loss_that_is_shown_to_be_better_is_named():
    """By how much, how sure, over how many seeds; the others are counted."""
    accuracies = {
        CE: [0.90 + seed / 1000 for seed in range(8)],
        "focal": [0.92 + seed / 1000 for seed in range(8)],
        "dice": [0.91 + seed / 1000 for seed in range(8)],
    }
    assert told(accuracies) == [
        f"focal is better than {CE}: +2.00 pp in accuracy, 95 % interval [+2.00, +2.00], 8 seeds; so is 1 more"
    ]


def test_a_loss_that_leads_by_chance_does_not_win():
    """Two seeds decide nothing, and a worse loss is counted as such."""
    assert told({CE: [0.90, 0.91], "focal": [0.93, 0.95]}) == [f"No loss is shown to be better than {CE} (1 undecided)"]
    worse = {CE: [0.90 + seed / 1000 for seed in range(8)], "focal": [0.80 + seed / 1000 for seed in range(8)]}
    assert told(worse) == [f"No loss is shown to be better than {CE} (1 worse)"]


def test_without_a_baseline_nothing_wins():
    """Nor does the only loss."""
    assert told({"focal": [0.9, 0.91]}) == ["No losses are compared, so none can be called better"]


def test_a_condition_is_said_as_one_speaks_of_it():
    """Noise and imbalance in words, whatever else differs by its key; what is no number stays a setting."""
    settings = {
        "data__imbalance__type": ["step", None, None, None],
        "data__imbalance__ratio": [100.0, None, None, None],
        "data__label_noise__type": [None, "symmetric", "pair", "pair"],
        "data__label_noise__rate": [None, 0.4, "most", None],
        "model__name": ["mlp", "mlp", "mlp", "cnn"],
    }
    rows = [row(**{key: values[number] for key, values in settings.items()}) for number in range(4)]
    found = {each.partition(": ")[0] for each in wording.headlines(compare(rows, Query()))}
    assert found == {
        "With clean labels, step imbalance of 100, model mlp",
        "With 40 % symmetric noise, balanced classes, model mlp",
        "With pair noise, balanced classes, data.label_noise.rate most, model mlp",
        "With pair noise, balanced classes, model cnn",
    }


def test_a_rate_alone_is_one_of_noise():
    """Where all runs have the same kind of noise, which is said once for all of them."""
    rows = [row(data__label_noise__type="symmetric", data__label_noise__rate=rate) for rate in (0.2, 0.4)]
    found = [each.partition(": ")[0] for each in wording.headlines(compare(rows, Query()))]
    assert found == ["With 20 % label noise", "With 40 % label noise"]


def test_an_unfair_comparison_is_no_headline():
    """Losses with other budgets are named with the keys, or counted where others have a verdict."""
    values = {CE: (0.90, 1), "focal": (0.95, 2), "dice": (0.91, 1)}
    rows = [
        row(loss, seed, accuracy + seed / 1000, train__epochs=epochs)
        for loss, (accuracy, epochs) in values.items()
        for seed in range(8)
    ]
    unfair = [each for each in rows if each["loss"] != "dice"]
    sentence = f"{CE} and focal are not alike: train.epochs 1 / 2"
    assert list(wording.headlines(compare(unfair, Query()))) == [f"No verdict: {sentence}"]
    (both,) = wording.headlines(compare(rows, Query()))
    assert both.startswith(f"dice is better than {CE}: +1.00 pp")
    assert both.endswith("8 seeds; 1 not alike, without a verdict")
    comparison = compare(rows, Query())
    (group,) = [each for each in comparison.blocks[0].groups if each.label == "focal"]
    assert wording.verdict_sentence(comparison, group) == f"no verdict: {sentence}"
