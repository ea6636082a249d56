"""What is measured of losses of which it is known."""

import math

import numpy as np
import pytest

from lossbench.losses import expression
from lossbench.losses.lab import properties


def measured(loss):
    """The properties of what `loss:` says."""
    return properties.measure(expression.parse(loss))


RCE = -9 * math.log(1e-4)

KNOWN = [
    ("ce", 0, math.inf, None, True, math.sqrt(2)),
    ("bce", 0, math.inf, None, True, math.sqrt(10) / 10),
    ("brier", 0, 2, None, True, None),
    ("spherical", 0, 1, None, True, None),
    ("mae_probability", 0, 1, 9, False, math.sqrt(2) / 4),
    ("rce", 0, RCE / 9, RCE, False, RCE / 9 * math.sqrt(2) / 4),
    ({"name": "gce", "q": 0.5}, 0, 2, None, False, None),
    ("unhinged", -math.inf, math.inf, 10, False, math.sqrt(1 + 1 / 9)),
    ("categorical_hinge", 0, math.inf, None, False, math.sqrt(2)),
    ("rescaled_square", 0, math.inf, None, False, math.inf),
    ("hinge", 0, math.inf, None, False, math.sqrt(10) / 10),
    ([{"name": "rce", "weight": 2}, "mae_probability"], 0, 2 * RCE / 9 + 1, 2 * RCE + 9, False, None),
]


@pytest.mark.parametrize(("loss", "smallest", "largest", "total", "proper", "steepest"), KNOWN, ids=str)
def test_known_properties(loss, smallest, largest, total, proper, steepest):
    """Bounds, the sum over classes, propriety and the largest gradient are those that can be derived by hand."""
    found = measured(loss)
    assert (found.smallest, found.largest) == (pytest.approx(smallest, abs=1e-3), pytest.approx(largest, rel=1e-3))
    assert found.bounded == math.isfinite(largest - smallest)
    assert found.symmetric == (total is not None)
    assert total is None or found.sums == (pytest.approx(total, rel=1e-3), pytest.approx(total, rel=1e-3))
    assert found.proper == proper
    assert steepest is None or found.steepest == pytest.approx(steepest, rel=2e-3)


def test_minimiser_of_a_robust_loss():
    """The minimiser of GCE's expected loss is η^(1/(1-q)), normalised."""
    for true, found in measured({"name": "gce", "q": 0.5}).minimisers:
        expected = np.square(true) / np.square(true).sum()
        np.testing.assert_allclose(found, expected, atol=0.005)


def test_minimiser_through_label_noise():
    """Where labels are noisy by a transition matrix, corrected losses are least at the clean class probabilities."""
    assert measured("forward_correction").proper
    assert measured("backward_correction").proper


@pytest.mark.parametrize("loss", ["dice", "mdca"])
@pytest.mark.slow
def test_a_loss_of_the_whole_batch_is_measured(loss):
    """A scalar loss is measured image by image, and its expected loss on one batch of images."""
    found = measured(loss)
    assert found.smallest == pytest.approx(0, abs=1e-3)
    assert found.symmetric == (loss == "dice")
    assert found.proper == (loss == "mdca")


def test_cosines_bound_a_loss():
    """With a cosine head logits end at the scale, and so does the loss."""
    found = measured("normalized_softmax")
    assert found.largest == pytest.approx(60 + math.log(9), rel=1e-3)
    assert found.bounded


def test_lists_fit_the_classes():
    """A list of weights for any number of classes is measured on ten."""
    assert measured({"name": "focal", "gamma": 0, "alpha": [1, 1, 1, 1]}).proper


def test_description_fits_the_line():
    """It says yes or no to each property, in 80 columns."""
    for loss in ("ce", "gce", "unhinged", "weighted_crossentropy"):
        terms = expression.parse(loss)
        lines = properties.report(terms, properties.measure(terms)).splitlines()
        assert max(map(len, lines)) <= 80
        assert [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "] == [
            "bounded",
            "symmetric",
            "proper",
            "gradient",
        ]


def test_json_has_no_infinity():
    """JSON knows none, so it says null."""
    import json

    plain = properties.as_json(measured("unhinged"))
    assert plain["smallest"] is plain["largest"] is None
    assert json.loads(json.dumps(plain, allow_nan=False))["sums"] == pytest.approx([10, 10])
