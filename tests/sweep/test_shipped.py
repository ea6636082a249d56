"""The sweeps that are shipped: what published protocols say, key by key."""

from collections import Counter
from pathlib import Path

import pytest

from lossbench.sweep.plan import load

CONFIGS = Path(__file__).parents[2] / "configs"
PAPERS = sorted((CONFIGS / "papers").glob("*.yaml"))
EXPERIMENTS = {"ma2020": 13 * 9 * 3, "zhou2021": 9 * 9 * 3, "ye2023": 8 * 9 * 3}


@pytest.mark.parametrize("path", PAPERS, ids=lambda path: path.stem)
def test_each_paper_has_the_common_protocol(path):
    """Model, initialiser, epochs, batch, optimiser, schedule, clipping, inputs, the whole training set, the noise."""
    experiments = [each.experiment for each in load(path)]
    assert len(experiments) == EXPERIMENTS[path.stem]
    for each in experiments:
        assert (each.model.name, each.train.epochs, each.train.batch_size) == ("cnn_bn", 50, 128)
        assert (each.model.initializer.convolution.name, each.model.initializer.dense.name) == (
            "he_uniform",
            "glorot_uniform",
        )
        assert (each.model.batch_norm.momentum, each.model.batch_norm.epsilon) == (0.9, 1e-5)
        optimizer = each.optimizer
        assert (optimizer.name, optimizer.learning_rate, optimizer.momentum) == ("sgd", 0.01, 0.9)
        assert (optimizer.clip_norm, optimizer.decoupled, optimizer.exclude_bias) == (5, False, False)
        assert (optimizer.schedule.name, optimizer.schedule.per) == ("cosine", "epoch")
        assert (each.data.normalize.mean, each.data.normalize.std) == (0.1307, 0.3081)
        assert (each.data.validation_size, each.data.train_size) == (0, None)
    noise = Counter((n.type, n.rate) if (n := each.data.label_noise) else None for each in experiments)
    symmetric = [("symmetric_exact", rate) for rate in (0.2, 0.4, 0.6, 0.8)]
    asymmetric = [("asymmetric", rate) for rate in (0.1, 0.2, 0.3, 0.4)]
    assert set(noise) == {None, *symmetric, *asymmetric}
    assert len(set(noise.values())) == 1


@pytest.mark.parametrize(
    ("paper", "nesterov", "end", "decay"),
    [("ma2020", True, 0.001, {0.01}), ("zhou2021", False, 0, {0.001}), ("ye2023", False, 0, {0.001, 0})],
)
def test_papers_differ_where_their_protocols_do(paper, nesterov, end, decay):
    """Nesterov, the cosine's end, the decay; only the ANL losses have L1 in its place."""
    experiments = [each.experiment for each in load(CONFIGS / "papers" / f"{paper}.yaml")]
    assert {each.optimizer.nesterov for each in experiments} == {nesterov}
    assert {each.optimizer.schedule.end for each in experiments} == {end}
    assert {each.optimizer.weight_decay for each in experiments} == decay
    for each in experiments:
        assert (each.regularization.l1 == 1e-6) == (each.optimizer.weight_decay == 0)


def test_pairs_have_the_weights_of_their_paper():
    """1 and 10 in Ma and Ye; in Zhou 1 and 100, of an MAE that is twice ours."""
    weights = {
        paper: {
            (each.loss[0].name, each.loss[1].name): (each.loss[0].weight, each.loss[1].weight)
            for each in [each.experiment for each in load(CONFIGS / "papers" / f"{paper}.yaml")]
            if len(each.loss) == 2
        }
        for paper in EXPERIMENTS
    }
    nce_mae = ("normalized_crossentropy", "mae_probability")
    nce_rce = ("normalized_crossentropy", "reverse_crossentropy")
    assert (weights["ma2020"][nce_mae], weights["ma2020"][nce_rce]) == ((1, 10), (1, 10))
    assert (weights["zhou2021"][nce_mae], weights["zhou2021"][nce_rce]) == ((1, 200), (1, 100))
    assert weights["ye2023"][nce_rce] == (1, 10)


def test_the_sweep_of_the_readme_is_ten_losses_in_three_conditions():
    """Ninety runs; the first line is its question."""
    assert len(load(CONFIGS / "sweep.yaml")) == 10 * 3 * 3
    assert (CONFIGS / "sweep.yaml").read_text().splitlines()[0].endswith("?")


@pytest.mark.slow
def test_a_papers_protocol_trains(lossbench):
    """Two of Ma's losses under their noise, on a subset for one epoch: completed, finite, noise as told."""
    settings = ("data.train_size=1000", "train.epochs=1", "sweep.cases=[{loss: ce}, {loss: nce_rce}]")
    noise = "data.label_noise={type: symmetric_exact, rate: 0.4},{type: asymmetric, rate: 0.4}"
    path = CONFIGS / "papers" / "ma2020.yaml"
    done = lossbench("sweep", "--config", path, noise, "--seeds", "0", *settings)
    assert "4 completed of 4 trials" in done.stderr
