"""Sentences and numbers of the tables."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossbench.analysis.summary import Block, Comparison, Estimate, Group
from lossbench.metrics import METRICS, REPORTED, SCALED
from lossbench.report import words

if TYPE_CHECKING:
    from collections.abc import Mapping

HOSTILE = {
    "\x1b[31mred\x1b[0m": "red",
    "\x1b]0;title\x07text": "text",
    "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\": "link",
    "a\nb\rc\td\x00e\x7f": "abcde",
    "\u202eback\u200b": "back",
    "\x9b31mC1": "31mC1",
    "\x1b": "",
    "[bold]markup stays[/bold]": "[bold]markup stays[/bold]",
    "γ = 2 ± é": "γ = 2 ± é",
}


@pytest.mark.parametrize(("text", "expected"), HOSTILE.items(), ids=repr)
def test_escapes_are_stripped(text: str, expected: str) -> None:
    """Terminal escapes, control characters and invisible ones do not reach a terminal."""
    assert expected == words.clean(text)


@given(st.text())
def test_clean_text_is_printable(text: str) -> None:
    """Whatever comes in, what goes out is printable, and clean already."""
    once = words.clean(text)
    assert once.isprintable()
    assert once == words.clean(once)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0], "0"), ([0, 1, 2, 3], "0–3"), ([3, 1, 2, 7], "1–3, 7"), ([5, 5, 1], "1, 5"), ([], ""), ([-1, 0], "-1–0")],
)
def test_seeds(values: list[int], expected: str) -> None:
    """Runs of seeds are joined."""
    assert expected == words.seeds(values)


@pytest.mark.parametrize(
    ("metric", "estimate", "expected"),
    [
        ("accuracy", Estimate(0.97854, 0.00123), "97.85 ± 0.12"),
        ("nll", Estimate(0.071239, 0.0012), "0.0712 ± 0.0012"),
        ("nll", Estimate(0.071239, None), "0.0712 ± -"),
        ("ece", Estimate(None, None), "-"),
    ],
)
def test_estimates(metric: str, estimate: Estimate, expected: str) -> None:
    """Accuracy in per cent, the others with four digits, what is missing a dash."""
    assert expected == words.estimate(metric, estimate)


def group(loss: str = "focal", seeds: tuple[int, ...] = (0, 1), **others: Any) -> Group:
    """A group with made-up numbers."""
    numbers = dict.fromkeys(METRICS, Estimate(0.5, 0.1)) | dict.fromkeys(SCALED, Estimate(None, None))
    return Group(**({"loss": loss, "link": "softmax", "seeds": seeds, "diverged": 0, "failed": 0, "unfinished": 0,
                     "metrics": MappingProxyType(numbers)} | others))  # fmt: skip


def comparison(*blocks: Block, **others: Any) -> Comparison:
    """A comparison with a usual setting."""
    setting = {"data.name": "mnist", "model.name": "mlp", "train.epochs": 5}
    return Comparison(**({"at": "last", "setting": setting, "varying": (), "blocks": blocks, "duplicates": (),
                          "ambiguous": (), "versions": ("0.1.0",)} | others))  # fmt: skip


def test_title() -> None:
    """The title says what all runs share."""
    assert words.title(comparison(Block({}, (group(),)))) == "mnist · mlp · 5 epochs · seeds 0–1 · test set, last epoch"
    noisy = {"data.name": "mnist", "data.label_noise.type": "pair", "data.label_noise.rate": 0.2, "train.epochs": 1}
    actual = words.title(comparison(Block({}, (group(seeds=(3,)),)), setting=noisy, at="best"))
    assert actual == "mnist · label noise pair 0.2 · 1 epoch · seed 3 · test set, best epoch"


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([{}], [""]),
        (
            [{"data.label_noise.type": None, "data.label_noise.rate": None, "data.label_noise.include_self": None},
             {"data.label_noise.type": "pair", "data.label_noise.rate": 0.2, "data.label_noise.include_self": False}],
            ["data.label_noise none", "data.label_noise pair · data.label_noise.rate 0.2"],
        ),
        ([{"data.train_size": None}, {"data.train_size": 1000}], ["data.train_size none", "data.train_size 1000"]),
        ([{"optimizer.nesterov": False}, {"optimizer.nesterov": True}],
         ["optimizer.nesterov false", "optimizer.nesterov true"]),
        ([{"model.name": "linear", "model.hidden": None}, {"model.name": "mlp", "model.hidden": "[256]"}],
         ["model linear", "model mlp · model.hidden [256]"]),
    ],
)  # fmt: skip
def test_conditions(conditions: list[dict[str, Any]], expected: list[str]) -> None:
    """A block's title tells what applies to it and is not simply switched off."""
    everything = comparison(*(Block(condition, (group(),)) for condition in conditions))
    assert expected == [words.condition(everything, block) for block in everything.blocks]


def test_legend_and_notes() -> None:
    """Marks are explained where they occur; different seeds, copies, double meanings and versions are said."""
    plain = comparison(Block({}, (group(),)))
    assert (words.legend(plain), words.notes(plain)) == ([], [])
    groups = (
        group(best=frozenset({"nll"})), group("ce", diverged=1), group("hinge", seeds=(0,), link="none"),
    )  # fmt: skip
    full = comparison(Block({}, groups), duplicates=(("a", "b"),), ambiguous=("mine\n",), versions=("0.1.0", "0.2.0"))
    assert [*words.legend(full), *words.notes(full)] == [
        "* best mean, losses with diverged runs aside",
        "† the loss trains no softmax probabilities, so this is never marked best",
        "means over other seeds than 0–1: hinge over 0",
        "mine stands for different settings, told apart by a suffix",
        "counted once: a is the same trial as b",
        "runs of several versions of lossbench: 0.1.0, 0.2.0",
    ]


@pytest.mark.parametrize(
    ("link", "scaled", "expected"),
    [("softmax", 0.4, METRICS), ("none", 0.4, REPORTED), ("sigmoid", 0.4, REPORTED), ("none", None, METRICS)],
)
def test_scaled_metrics_are_shown_beside_a_loss_without_softmax(
    link: str, scaled: float | None, expected: Mapping[str, Any]
) -> None:
    """Where there are any; they carry no dagger, and a line says what they are."""
    numbers = {**group().metrics, **dict.fromkeys(SCALED, Estimate(scaled, None))}
    block = Block({}, (group(), group("other", link=link, metrics=numbers)))
    assert list(expected) == words.shown(comparison(block))
    explained = any(line.startswith("scaled: ") for line in words.legend(comparison(block)))
    assert explained == (expected is REPORTED)
    assert {words.mark(block.groups[1], name) for name in SCALED} == {""}


def test_lines_break_behind_separators_only() -> None:
    """A key stays with its value."""
    text = "model mlp · hidden [256] · batch_norm (momentum 0.9)"
    assert words.filled(text, 28, " · ", indent="  ").splitlines() == [
        "  model mlp · hidden [256] ·",
        "  batch_norm (momentum 0.9)",
    ]
