"""Oracles at the closed ends of the hyperparameters' ranges, where a formula often becomes that of another loss."""

import math

import numpy as np

from oracles.angular import HEAD, psi, with_margin
from oracles.calibration import crossentropy, dual
from oracles.case import CLASSES, Case, log_softmax, others, smoothed
from oracles.focusing import asymmetric, binary_focal, one_side
from oracles.likelihood import bce
from oracles.logit_shift import shifted
from oracles.normalized import share
from oracles.overlap import tversky
from oracles.reweighting import LDAM, UNIFORM, effective, equalization, ldam
from oracles.robust import bi_tempered, clipped, decision
from oracles.stateful import KEPT, MEMORY, believed, elr, softmax, sparse, truncated

ce = lambda z, y, p, e: -math.log(p[y])  # noqa: E731
doubt = lambda z, y, p, e: 1 - p[y]  # noqa: E731
BALANCED = {"apply_class_balancing": True}
DRAWS = {"uniform": UNIFORM}

CASES = [
    Case("poly1_crossentropy", {"epsilon": -1}, lambda z, y, p, e: -math.log(p[y]) - (1 - p[y])),
    Case("taylor_crossentropy", {"order": 1}, doubt),
    Case("taylor_crossentropy", {"order": 100}, lambda z, y, p, e: sum((1 - p[y]) ** i / i for i in range(1, 101))),
    Case("smooth_l1", {"beta": 0}, lambda z, y, p, e: np.abs(p - e).mean(), soft=True),
    Case("hinge", {"margin": 0}, lambda z, y, p, e: np.maximum(0, -(2 * e - 1) * z).mean(), soft=True),
    Case("squared_hinge", {"margin": 0}, lambda z, y, p, e: (np.maximum(0, -(2 * e - 1) * z) ** 2).mean(), soft=True),
    Case("categorical_hinge", {"margin": 0}, lambda z, y, p, e: z.max() - z[y]),
    Case("multi_margin", {"margin": 0}, lambda z, y, p, e: np.maximum(0, others(z, y) - z[y]).sum() / CLASSES),
    Case("arcface", {"margin": 0}, ce, HEAD),
    Case("sphereface", {"margin": 100}, lambda z, y, p, e: with_margin(z, y, lambda theta: psi(theta, 100)), HEAD),
    Case("focal", {"gamma": 0}, ce),
    Case("focal", {"alpha": [0, 1, 0, 2, 3]}, lambda z, y, p, e: -[0, 1, 0, 2, 3][y] * (1 - p[y]) ** 2 * np.log(p[y])),
    Case(
        "binary_crossentropy",
        {"pos_weight": [0, 1, 2, 3, 0]},
        lambda z, y, p, e: bce(z, e, np.array([0, 1, 2, 3, 0])).mean(),
    ),
    Case("binary_focal_crossentropy", {"gamma": 0}, lambda z, y, p, e: bce(z, e).mean(), soft=True),
    Case(
        "binary_focal_crossentropy",
        {"alpha": 0, **BALANCED},
        lambda z, y, p, e: binary_focal(z, e, 2, 0, 0),
        soft=True,
    ),
    Case(
        "binary_focal_crossentropy",
        {"alpha": 1, **BALANCED},
        lambda z, y, p, e: binary_focal(z, e, 2, 1, 0),
        soft=True,
    ),
    Case("asymmetric", {"gamma_neg": 0, "gamma_pos": 0}, lambda z, y, p, e: asymmetric(z, e, (0, 0), 0.05)),
    Case(
        "asymmetric_single_label",
        {"gamma_neg": 0},
        lambda z, y, p, e: -float(smoothed(e, 0.1, CLASSES) @ np.log(p)),
    ),
    Case("asymmetric_single_label", {"label_smoothing": 0}, lambda z, y, p, e: -float(one_side(e, 1, 0) @ np.log(p))),
    Case(
        "weighted_crossentropy",
        {"class_weight": [1, 0, 3, 0, 2]},
        lambda z, y, p, e: -[1, 0, 3, 0, 2][y] * math.log(p[y]),
    ),
    Case("class_balanced", {"base": "focal", "gamma": 0}, lambda z, y, p, e: -effective(0.999)[y] * math.log(p[y])),
    Case("ldam", {"max_margin": 0}, ce, {**LDAM, "head_scale": 1.0}),
    Case("ldam", {"drw_epoch": 0}, lambda z, y, p, e: effective(0.9999)[y] * ldam(z, y, 0.5), LDAM),
    Case("equalization", {"threshold": 0}, ce, DRAWS),
    Case(
        "equalization",
        {"threshold": 1},
        lambda z, y, p, e: equalization(z, y, UNIFORM, 1, 0.9),
        DRAWS,
        batch=True,
    ),
    Case(
        "equalization",
        {"threshold": 0.25, "probability": 1},
        lambda z, y, p, e: equalization(z, y, UNIFORM, 0.25, 1),
        DRAWS,
        batch=True,
    ),
    Case("vs", {"tau": 0}, lambda z, y, p, e: shifted(z, y, 0.3, 0)),
    Case("generalized_crossentropy", {"q": 1}, doubt),
    Case("symmetric_crossentropy", {"alpha": 0}, lambda z, y, p, e: -math.log(1e-4) * (1 - p[y])),
    Case("symmetric_crossentropy", {"beta": 0}, lambda z, y, p, e: -0.1 * math.log(p[y])),
    Case("normalized_focal", {"gamma": 0}, lambda z, y, p, e: share(np.log(p), y)),
    Case("normalized_generalized_crossentropy", {"q": 1}, lambda z, y, p, e: (1 - p[y]) / (CLASSES - 1)),
    Case("normalized_negative_focal", {"gamma": 0}, lambda z, y, p, e: 1 - share(np.log(np.maximum(p / 1e-7, 1)), y)),
    Case("phuber_crossentropy", {"tau": 1}, doubt),
    Case("phuber_generalized_crossentropy", {"tau": 1}, doubt),
    Case("phuber_generalized_crossentropy", {"q": 1}, doubt),
    Case("phuber_generalized_crossentropy", {"q": 1, "tau": 1}, doubt),
    Case("bi_tempered_logistic", {"t2": 1}, lambda z, y, p, e: bi_tempered(z, e, 0.8, 1), soft=True),
    Case("bi_tempered_logistic", {"t1": 1, "t2": 1}, ce),
    Case("bootstrap_soft", {"beta": 0}, lambda z, y, p, e: -p @ np.log(p)),
    Case("bootstrap_soft", {"beta": 1}, ce),
    Case("bootstrap_hard", {"beta": 0}, lambda z, y, p, e: -decision(p) @ np.log(p)),
    Case("bootstrap_hard", {"beta": 1}, ce),
    Case("eps_softmax_ce", {"m": 0}, ce),
    Case("logit_clip", {"p": 1}, lambda z, y, p, e: -e @ log_softmax(clipped(z, 1, 1)), soft=True),
    Case(
        "elr",
        {"beta": 0},
        lambda z, y, p, e, held: elr(p, y, held, MEMORY, 0, 3),
        batch=True,
        held=True,
        states={"0.memory": MEMORY},
    ),
    Case("elr", {"regularization_weight": 0}, ce, states={"0.memory": MEMORY}),
    Case(
        "truncated_gce",
        {"q": 1, "k": 0.1, "start_epoch": 0, "every": 1},
        lambda z, y, p, e, held: truncated(p, y, believed(softmax(held), y, 0.1), 1, 0.1),
        {"epoch": 3},
        batch=True,
        held=True,
        states={"0.kept": KEPT},
    ),
    Case("sparse_regularization", {"p": 1}, lambda z, y, p, e: sparse(z, y, 0.1, 1, 4), {"epoch": 4}),
    Case("sparse_regularization", {"rho": 1}, lambda z, y, p, e: sparse(z, y, 0.1, 0.1, 4), {"epoch": 40}),
    Case("sparse_regularization", {"tau": 1, "regularization_weight": 0}, ce, {"epoch": 12}),
    Case("confidence_penalty", {"beta": 0}, ce),
    Case("mbls", {"alpha": 0}, ce),
    Case("mbls", {"margin": 0}, lambda z, y, p, e: -math.log(p[y]) + sum(max(z) - x for x in z) / 50),
    Case("dual_focal", {"gamma": 0}, lambda z, y, p, e: dual(p, y, 0)),
    Case("mdca", {"beta": 0}, lambda z, y, p, e: crossentropy(z, e), batch=True, soft=True),
    Case("tversky", {"alpha": 0}, lambda z, y, p, e: tversky(p, e, 0, 0.5), batch=True, soft=True),
    Case("tversky", {"beta": 0}, lambda z, y, p, e: tversky(p, e, 0.5, 0), batch=True, soft=True),
]
