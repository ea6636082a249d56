"""Every name that the catalogue promises, written out."""

import pytest

from lossbench.losses import expression, labels, registry

LOSSES = {
    # likelihoods, regression losses, scoring rules
    "categorical_crossentropy": ("ce", "sparse_categorical_crossentropy", "nll"),
    "binary_crossentropy": ("bce", "soft_margin"),
    "kl_divergence": ("kld",),
    "poisson": (),
    "mean_squared_error": ("mse",),
    "mean_absolute_error": ("mae", "l1"),
    "mean_absolute_percentage_error": ("mape",),
    "mean_squared_logarithmic_error": ("msle",),
    "huber": (),
    "smooth_l1": (),
    "log_cosh": (),
    "cosine_similarity": (),
    "brier": (),
    "spherical": (),
    "squentropy": (),
    "rescaled_square": (),
    "poly1_crossentropy": ("poly1",),
    "taylor_crossentropy": (),
    "alpha_loss": (),
    "ldr_kl": (),
    "sparsemax": (),
    "sigmoid_loss": (),
    "savage": (),
    "ramp": (),
    "unhinged": (),
    # margins
    "hinge": (),
    "squared_hinge": (),
    "categorical_hinge": (),
    "multi_margin": (),
    "multiclass_perceptron": (),
    "arcface": (),
    "cosface": (),
    "sphereface": (),
    "normalized_softmax": (),
    # the focal family and class imbalance
    "focal": ("sparse_categorical_focal",),
    "binary_focal_crossentropy": (),
    "weighted_crossentropy": (),
    "class_balanced": (),
    "ldam": (),
    "logit_adjustment": ("balanced_softmax",),
    "vs": ("vector_scaling",),
    "equalization": (),
    "seesaw": (),
    "asymmetric": (),
    "asymmetric_single_label": (),
    "dice": (),
    "tversky": (),
    # label noise
    "mae_probability": ("linear",),
    "generalized_crossentropy": ("gce",),
    "truncated_gce": (),
    "reverse_crossentropy": ("rce",),
    "symmetric_crossentropy": ("sce",),
    "normalized_crossentropy": ("nce",),
    "normalized_focal": ("nfl",),
    "normalized_generalized_crossentropy": ("ngce",),
    "agce": (),
    "aul": (),
    "ael": (),
    "normalized_negative_crossentropy": ("nnce",),
    "normalized_negative_focal": ("nnfl",),
    "phuber_crossentropy": (),
    "phuber_generalized_crossentropy": (),
    "bi_tempered_logistic": (),
    "bootstrap_soft": (),
    "bootstrap_hard": (),
    "forward_correction": (),
    "backward_correction": (),
    "jensen_shannon": ("js",),
    "elr": (),
    "logit_clip": (),
    "sparse_regularization": (),
    "eps_softmax_ce": (),
    "amse": (),
    # calibration
    "confidence_penalty": (),
    "mbls": (),
    "focal_flsd53": (),
    "dual_focal": (),
    "mdca": (),
}

PRESETS = {
    "weighted_binary_crossentropy": "binary_crossentropy pos_weight=9",
    "categorical_focal_crossentropy": "focal alpha=0.25",
    "categorical_generalized_crossentropy": "generalized_crossentropy q=0.5",
    "nce_rce": "1 normalized_crossentropy + 10 reverse_crossentropy",
    "nce_mae": "1 normalized_crossentropy + 10 mae_probability",
    "nfl_rce": "1 normalized_focal + 10 reverse_crossentropy",
    "nfl_mae": "1 normalized_focal + 10 mae_probability",
    "ngce_rce": "1 normalized_generalized_crossentropy + 10 reverse_crossentropy",
    "ngce_mae": "1 normalized_generalized_crossentropy + 10 mae_probability",
    "nce_agce": "1 normalized_crossentropy + 4 agce",
    "nce_aul": "1 normalized_crossentropy + 4 aul",
    "nce_ael": "1 normalized_crossentropy + 4 ael",
    "anl_ce": "1 normalized_crossentropy + 1 normalized_negative_crossentropy",
    "anl_fl": "1 normalized_focal + 1 normalized_negative_focal",
}


def test_the_catalogue_holds_what_it_promises():
    """Not one loss more or less."""
    new = sorted(registry.signatures().keys() - LOSSES)
    assert not new, f"add {', '.join(new)} with its aliases to LOSSES in tests/losses/test_names.py"
    assert set(registry.signatures()) == set(LOSSES)


@pytest.mark.parametrize(("name", "alias"), [(name, alias) for name, aliases in LOSSES.items() for alias in aliases])
def test_aliases(name, alias):
    """An alias is its loss with the same defaults."""
    assert expression.parse(alias) == expression.parse(name)


@pytest.mark.parametrize(("name", "label"), PRESETS.items())
def test_presets(name, label):
    """A preset is its loss with other values, or its list."""
    assert labels.label(expression.parse(name)) == label


def test_there_are_no_other_names():
    """Every name that `loss:` accepts is in LOSSES or PRESETS."""
    names = {*LOSSES, *PRESETS, *(alias for aliases in LOSSES.values() for alias in aliases)}
    new = sorted(set(registry.names()) - names)
    assert not new, f"add {', '.join(new)} to LOSSES or PRESETS in tests/losses/test_names.py"
    assert set(registry.names()) == names
