"""The experiments of a sweep: which, in which order, and what is wrong with them."""

import itertools

import pytest

from lossbench.errors import ConfigError, DataError, UsageError
from lossbench.sweep.plan import check, load, phrase, trials
from lossbench.training import identify

TWICE = r"study.yaml:\d:\d+: the sweep has .* twice(: .* and|, each time with) .*; remove one"


@pytest.fixture
def plan(tmp_path):
    """The plan of a text, with overrides."""

    def run(text, *overrides, **options):
        path = tmp_path / "study.yaml"
        path.write_text(text)
        return load(path, overrides, **options)

    return run


def values(plan, *keys):
    """What each experiment has at dotted keys."""

    def at(experiment, key):
        for part in key.split("."):
            experiment = getattr(experiment, part)
        return experiment

    return [tuple(at(each.experiment, key) for key in keys) for each in plan]


def losses(plan):
    return [each.experiment.loss[0].name for each in plan]


def test_a_file_without_a_sweep_is_a_sweep_of_one(plan):
    """Its own seed, nothing else."""
    assert values(plan("seed: 7\n"), "seed", "name") == [(7, "study")]


@pytest.mark.parametrize("swept", ["cases: [{loss: ce}, {loss: focal}]", "parameters: {loss: [ce, focal]}"])
def test_a_loss_that_no_trial_has_is_refused(plan, swept):
    """It says where; a trial with the same loss takes over its hyperparameters."""
    unused = "generalized_crossentropy q=0.5, as each sets another loss; remove it, or add it to sweep.cases"
    with pytest.raises(ConfigError, match=rf"study.yaml:1:\d: loss: no trial has {unused}"):
        plan(f"loss: {{name: gce, q: 0.5}}\nsweep: {{{swept}}}")
    used = plan(f"loss: {{name: gce, q: 0.5}}\nsweep: {{{swept.replace('focal', 'gce')}}}")
    assert [each.experiment.loss[0].hyperparameters.get("q") for each in used] == [None, 0.5]
    with pytest.raises(ConfigError, match="loss: no trial has generalized_crossentropy"):
        load({"loss": "gce", "sweep": {"cases": [{"loss": "ce"}]}})


def test_a_loss_of_an_extended_file_may_be_replaced_in_all_trials(plan, tmp_path):
    """As any other key of it."""
    (tmp_path / "base.yaml").write_text("loss: focal\n")
    assert losses(plan("extends: base.yaml\nsweep: {cases: [{loss: ce}]}")) == ["categorical_crossentropy"]


def test_cases_parameters_and_seeds_are_crossed_seed_by_seed(plan):
    """Seeds outermost, then parameters, then cases: after each seed everything has been seen once more."""
    text = """
sweep:
  cases: [{loss: ce}, {loss: gce}]
  parameters: {train.epochs: [1, 2], optimizer.learning_rate: [0.1, 0.2]}
  seeds: [3, 5]
"""
    found = plan(text)
    expected = list(itertools.product([3, 5], [1, 2], [0.1, 0.2]))
    assert values(found, "seed", "train.epochs", "optimizer.learning_rate")[::2] == expected
    assert losses(found) == ["categorical_crossentropy", "generalized_crossentropy"] * 8
    assert all(each.experiment.sweep is None for each in found)


def test_a_case_may_be_a_whole_loss_with_what_belongs_to_it(plan):
    """Another loss replaces the whole, hyperparameters included; dotted and nested keys both work."""
    text = """
loss: {name: focal, gamma: 5}
sweep:
  cases:
    - {loss.gamma: 1}
    - {loss: {name: gce, q: 0.5}, model.head: cosine}
    - {loss: [{name: ce, weight: 1}, {name: mae, weight: 2}]}
    - {model: {name: mlp, hidden: [8]}}
"""
    experiments = [each.experiment for each in plan(text)]
    assert [dict(e.loss[0].hyperparameters).get("gamma") for e in experiments] == [
        1.0,
        None,
        None,
        5.0,
    ]
    assert [e.model.head.name for e in experiments] == ["linear", "cosine", "linear", "linear"]
    assert len(experiments[2].loss) == 2
    assert experiments[3].model.hidden == (8,)


@pytest.mark.parametrize(
    ("written", "expected"), [("0-3", (0, 1, 2, 3)), ("'0-1, 7'", (0, 1, 7)), ("[4, 2]", (4, 2)), ("9", (9,))]
)
def test_seeds_are_a_range_or_a_list(plan, written, expected):
    """In the file, and from the command line over the file's."""
    assert [seed for (seed,) in values(plan(f"sweep: {{seeds: {written}}}\n"), "seed")] == list(expected)
    if not written.startswith("["):
        assert [seed for (seed,) in values(plan("sweep: {seeds: 5}\n", seeds=written.strip("'")), "seed")] == list(
            expected
        )


def test_a_comma_outside_brackets_makes_an_axis_on_the_command_line(plan):
    """Lists and mappings keep their commas; an axis replaces the file's of the same key."""
    text = "sweep: {parameters: {train.epochs: [1, 2, 3]}}\n"
    found = plan(text, "train.epochs=4,5", "model.hidden=[8, 9],[7]", "loss={name: gce, q: 0.5}")
    assert values(found, "train.epochs", "model.hidden") == [(4, (8, 9)), (4, (7,)), (5, (8, 9)), (5, (7,))]
    assert losses(found) == ["generalized_crossentropy"] * 4


def test_random_draws_are_by_seed_and_inside_their_ranges(plan):
    """Log-uniform has its median at the geometric mean; the same seed draws the same, another other values."""
    text = """
sweep:
  method: {name: random, count: 400, seed: SEED}
  parameters:
    optimizer.learning_rate: {log_uniform: [1e-4, 1e-2]}
    model.dropout: {uniform: [0.1, 0.5]}
    train.batch_size: {int_uniform: [16, 18]}
    train.epochs: [1, 2]
"""
    keys = ("optimizer.learning_rate", "model.dropout", "train.batch_size", "train.epochs")
    first = values(plan(text.replace("SEED", "1")), *keys)
    rates, dropouts, batches, epochs = (sorted(column) for column in zip(*first, strict=True))
    assert 1e-4 <= rates[0] <= rates[-1] <= 1e-2
    assert rates[200] == pytest.approx(1e-3, rel=0.4)
    assert 0.1 <= dropouts[0] <= dropouts[-1] <= 0.5
    assert (set(batches), set(epochs)) == ({16, 17, 18}, {1, 2})
    assert values(plan(text.replace("SEED", "1")), *keys) == first
    assert values(plan(text.replace("SEED", "2")), *keys) != first


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sweep: {seedz: 1}", "sweep.seedz: unknown key; did you mean 'seeds'?"),
        ("sweep: {seeds: 9-0}", "sweep.seeds: expected ranges from low to high"),
        ("sweep: {seeds: many}", "sweep.seeds: expected seeds such as 0-9"),
        ("sweep: {parameters: {train.epochs: 3}}", "study.yaml:1:22: sweep.parameters: train.epochs: expected a list"),
        ("sweep: {parameters: {model.dropout: {uniform: [0, 1]}}}", "a grid needs a list of values"),
        (
            "sweep: {method: {name: random, count: 2}, parameters: {model.dropout: {uniform: [1, 0]}}}",
            "model.dropout: expected a list of values, or one of uniform",
        ),
        (
            "sweep: {method: {name: random, count: 2}, parameters: {seed: {uniform: [0, 1], int_uniform: [0, 1]}}}",
            "got {uniform: [0, 1], int_uniform: [0, 1]}",
        ),
        ("sweep: {cases: [{loss: ce}, {loss: focla}]}", "study.yaml:1:30: loss: unknown loss 'focla'"),
        ("sweep: {parameters: {train.epochs: [1, 0, many]}}", "train.epochs: expected a whole number ≥ 1"),
        ("sweep: {parameters: {train.epochs: []}}", "train.epochs: expected a list of values, or one of"),
        ("sweep: {seeds: []}", "sweep.seeds: expected a list of whole numbers"),
        ("sweep: {cases: []}", "sweep.cases: expected a list of mappings"),
        ("sweep: {parameters: {optimizer.lerning_rate: [1]}}", "unknown key; did you mean 'learning_rate'?"),
        ("sweep: {parameters: {sweep.seeds: [1]}}", "sweep.seeds: a trial has none"),
        ("sweep: {cases: [{seed: 1}], seeds: 0-3}", "seed: sweep.seeds sets it already"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(plan, text, message):
    """Before anything is trained, in the whole plan at once."""
    with pytest.raises(ConfigError) as caught:
        plan(text + "\n")
    assert message in str(caught.value)


def test_every_problem_of_every_experiment_is_said_once(plan):
    """Two wrong cases under ten seeds are two lines."""
    text = "sweep: {cases: [{loss: focla}, {model: mpl}], seeds: 0-9}\n"
    with pytest.raises(ConfigError) as caught:
        plan(text)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(("rates", "places"), [("0.1, 0.2", "1 other place"), ("0.1, 0.2, 0.3", "2 other places")])
def test_a_problem_that_all_values_of_an_axis_have_is_said_once(plan, rates, places):
    """At the first of them, with the number of the others; another problem has a line of its own."""
    noise = "data: {label_noise: {type: matrix, matrix: [[0.5, 0.5], [0.5, 0.5]]}}"
    with pytest.raises(ConfigError) as caught:
        plan(f"{noise}\nsweep: {{parameters: {{data.label_noise.rate: [{rates}], train.epochs: [0, 1]}}}}\n")
    first, second = str(caught.value).splitlines()
    assert {first.partition("; ")[2], second.partition("; ")[2]} == {f"remove the rate (the same in {places})", ""}


def test_a_plan_of_more_than_a_million_trials_is_said_before_it_is_made(plan):
    """With its number and the way out; asked for, it is planned without being held in memory."""
    text = "sweep: {cases: [{loss: ce}, {loss: gce}], seeds: 0-999999}\n"
    with pytest.raises(UsageError, match="2,000,000 trials, more than 1,000,000; to train them all"):
        plan(text)
    found = plan(text, max_trials=None)
    assert len(found) == 2_000_000
    assert next(iter(found)).experiment.seed == 0


@pytest.mark.parametrize(
    "text",
    [
        "sweep: {cases: [{loss: ce}, {loss: categorical_crossentropy}]}",
        "sweep: {cases: [{loss: focal}, {loss: {name: focal, gamma: 2.0}}], seeds: 0-9}",
        "sweep: {cases: [{loss: focal}, {loss: focal}]}",
        "sweep: {cases: [{}, {loss: ce}]}",
        "sweep: {parameters: {train.epochs: [1, 1]}}",
        "sweep: {parameters: {seed: [1, 1]}}",
        "loss: focal\nsweep: {parameters: {loss.gamma: [1, 1.0]}}",
        "sweep: {parameters: {loss: [ce, {name: nll}]}}",
        "sweep: {parameters: {train.threads: [1, 2]}}",
    ],
)
@pytest.mark.parametrize("check", [lambda plan: trials(plan, identify), check])
def test_two_trials_that_are_the_same_are_refused(plan, text, check):
    """Whatever they are called, and however their numbers are written; one line, with both, without data too."""
    with pytest.raises(
        ConfigError, match=r"study.yaml:\d:\d+: the sweep has .* twice(: .* and|, each time with) .*; "
    ) as caught:
        check(plan(text + "\n"))
    assert len(str(caught.value).splitlines()) == 1


def test_two_cases_that_change_nothing_are_told_in_a_sentence(plan):
    """There is no setting to name."""
    with pytest.raises(ConfigError) as caught:
        trials(plan("sweep: {cases: [{}, {}]}\n"), identify)
    what = "categorical_crossentropy-s0 twice, each time with the configuration as it is; remove one"
    assert str(caught.value) == f"study: the sweep has {what}"


@pytest.mark.parametrize("seeds", ["[3, 3]", "0-2,1", "[0, 1, 0]"])
def test_a_seed_that_occurs_twice_is_refused_where_it_stands(plan, seeds):
    """In every command that reads the file."""
    with pytest.raises(ConfigError, match=r"study.yaml:1:9: sweep.seeds: expected each seed once, got \d twice"):
        plan(f"sweep: {{seeds: {seeds if seeds[0] == '[' else repr(seeds)}}}\n")


def test_an_error_in_an_axis_says_that_a_comma_made_it(plan):
    """Settings in place of a value, and a folder whose name holds a comma."""
    with pytest.raises(ConfigError, match=r"'optimizer=sgd,lr=3': the comma made an axis of 2 values; ") as caught:
        plan("train: {epochs: 1}\n", "optimizer=sgd,lr=3", "train.epochs=1,2")
    assert "train.epochs" not in str(caught.value)
    axis = plan("data: {name: idx, path: x}\n", "data.path=/tmp/a,b")
    with pytest.raises(DataError, match=r"a value that contains a comma is quoted: data.path='\"/tmp/a,b\"'"):
        trials(axis, identify)


@pytest.mark.parametrize(("override", "remedy"), [
    ("sweep.decide.looks=6,8", "'sweep.decide.looks=[6,8]'"), ("sweep.seeds=0-3,5", "'sweep.seeds=\"0-3,5\"'"),
])  # fmt: skip
def test_a_key_of_the_sweep_is_no_axis(plan, override, remedy):
    """The error shows the value as it is written in one piece, and so it works."""
    with pytest.raises(ConfigError, match="the comma makes an axis, but no trial has") as caught:
        plan("sweep: {decide: {max_seeds: 8}, cases: [{loss: ce}, {loss: gce}]}\n", override)
    assert str(caught.value).endswith(f"write {remedy}")
    if "looks" in remedy:
        assert plan("sweep: {decide: {max_seeds: 8}}\n", remedy.strip("'")).decide.looks == (6, 8)
    else:
        assert plan("sweep: {seeds: [7]}\n", remedy.strip("'")).seeds == (0, 1, 2, 3, 5)


@pytest.mark.parametrize("given", ["{uniform: [0.1, 0.2]}", "[0.15]"])
def test_a_range_on_the_command_line_replaces_that_of_the_file(plan, given):
    """Two distributions of one key would contradict each other."""
    text = """
sweep:
  method: {name: random, count: 5}
  parameters: {optimizer.learning_rate: {log_uniform: [1, 2]}, train.epochs: [1]}
"""
    found = plan(text, f"sweep.parameters={{optimizer.learning_rate: {given}}}")
    assert all(
        0.1 <= rate <= 0.2 and epochs == 1 for rate, epochs in values(found, "optimizer.learning_rate", "train.epochs")
    )


WHOLE_VALUES = [
    ["loss=ce,mine"],
    ["loss=ce,{name: gce, q: x}"],
    ["loss=ce,'faocl'"],
    ["loss=ce,gce", "loss.q=0.5"],
    ["loss.label_smoothing=0,x"],
    ["loss.label_smoothing=0,1e9,-.5"],
    ["optimizer=sgd,adm"],
]


@pytest.mark.parametrize("overrides", WHOLE_VALUES)
def test_an_error_in_an_axis_that_is_meant_says_nothing_of_commas(plan, overrides):
    """Names, numbers and mappings are values of an axis: quoting them would not help."""
    with pytest.raises(ConfigError) as caught:
        plan("train: {epochs: 1}\n", *overrides)
    assert "the comma" not in str(caught.value)


def test_a_random_plan_trains_a_repeated_draw_once_and_counts_it(plan):
    """Thirty draws from four combinations."""
    text = """
sweep:
  method: {name: random, count: 30}
  parameters: {train.epochs: [1, 2], train.batch_size: [32, 64]}
"""
    planned, repeated = trials(plan(text), identify)
    assert (len(planned), repeated) == (4, 26)
    assert len({each.trial.folder for each in planned}) == 4


def test_settings_are_told_apart_in_a_phrase(plan):
    """What the sweep has set, and nothing else; the trial has the seed."""
    planned, _ = trials(plan("sweep: {cases: [{loss: {name: gce, q: 0.5}, train.epochs: 3}], seeds: 7}\n"), identify)
    assert phrase(planned[0].settings) == "loss={name: gce, q: 0.5} · train.epochs=3"
    assert planned[0].trial.experiment.seed == 7
