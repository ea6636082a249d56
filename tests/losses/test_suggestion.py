"""What an unknown loss is answered with: names that people know from other libraries and papers, and misspellings."""

from pathlib import Path

import pytest

from lossbench.errors import UsageError
from lossbench.losses import expression, registry
from lossbench.losses.other_names import ELSEWHERE, HYPERPARAMETERS, NOT_HERE
from lossbench.losses.presets import PRESETS
from lossbench.losses.suggestion import defining_file, key, typing_errors

SMOOTHED = "{name: categorical_crossentropy, label_smoothing: 0.1}"
JACCARD = "{name: tversky, alpha: 1, beta: 1}"
MEANT = {
    "categorical_crossentropy": "Categorical_Crossentropy tf.keras.losses.CategoricalCrossentropy softmax "
    "softmax_cross_entropy softmax_cross_entropy_with_integer_labels optax.softmax_cross_entropy LogLoss log_loss "
    "tf.nn.sparse_softmax_cross_entropy_with_logits CCE SoftTargetCrossEntropy softmax-xent negative_log_likelihood "
    "categorical-cross-entropy categorical_cross_entropy_loss categorical_crossentropi",
    "ce": "cross_entropy crossentropy CrossEntropy CrossEntropyLoss nn.CrossEntropyLoss "
    "torch.nn.functional.cross_entropy "
    "CELoss ce_loss CE xent cross-entropy crossentropyloss crossentropi",
    "nll": "NLLLoss nll_loss F.nll_loss NLL",
    "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy sparse_categorical_cross_entropy",
    SMOOTHED: "label_smoothing LabelSmoothing LabelSmoothingCrossEntropy LabelSmoothingLoss LSR",
    "bce": "BCELoss BCEWithLogitsLoss bce_with_logits",
    "binary_crossentropy": "binary_cross_entropy F.binary_cross_entropy_with_logits BinaryCrossentropy "
    "sigmoid_binary_cross_entropy sigmoid_cross_entropy_with_logits MultiLabelSoftMarginLoss logistic_loss",
    "soft_margin": "SoftMarginLoss soft_margin_loss",
    "binary_focal_crossentropy": "sigmoid_focal_loss sigmoid_focal_crossentropy SigmoidFocalCrossEntropy "
    "torchvision.ops.sigmoid_focal_loss BinaryFocalLoss binary_focal_loss_with_logits BinaryFocalCrossentropy",
    "focal": "FocalLoss focal_loss Focal focalloss kornia.losses.focal_loss focal-loss softmax_focal_loss focl fokal "
    "focal2 "
    "categorical_focal_loss FocalCE",
    "categorical_focal_crossentropy": "CategoricalFocalCrossentropy categorical_focal_cross_entropy",
    "sparse_categorical_focal": "SparseCategoricalFocalLoss",
    "kl_divergence": "KLDivLoss kl_div KLDivergence kullback_leibler_divergence kl",
    "kld": "KLD kld_loss",
    "poisson": "PoissonNLLLoss Poisson poisson_nll_loss log_poisson_loss",
    "poly1_crossentropy": "PolyLoss Poly1CrossEntropyLoss poly_loss_cross_entropy Poly1CE",
    "mse": "MSELoss mse_loss F.mse_loss",
    "mean_squared_error": "MeanSquaredError L2Loss l2_loss squared_error",
    "mae": "MAELoss mae_loss mea",
    "l1": "L1Loss l1_loss",
    "mean_absolute_error": "MeanAbsoluteError",
    "huber": "HuberLoss huber_loss huberloss",
    "smooth_l1": "SmoothL1Loss smooth_l1_loss",
    "log_cosh": "LogCosh log_cosh_loss logcosh",
    "cosine_similarity": "CosineSimilarity cosine_distance",
    "brier": "brier_score BrierScore",
    "hinge": "Hinge hinge_loss",
    "categorical_hinge": "CategoricalHinge multiclass_hinge_loss crammer_singer",
    "multi_margin": "MultiMarginLoss multi_margin_loss",
    "multiclass_perceptron": "perceptron_loss multiclass_perceptron_loss",
    "sparsemax": "sparse_max SparsemaxLoss",
    "arcface": "ArcFace ArcFaceLoss arc_face AAM-Softmax ArcMarginProduct AdditiveAngularMargin",
    "cosface": "CosFace CosFaceLoss AM-Softmax am_softmax AMSoftmax LMCL large_margin_cosine_loss",
    "sphereface": "SphereFace A-Softmax",
    "normalized_softmax": "NormFace NormalizedSoftmaxLoss",
    "asymmetric": "ASL AsymmetricLoss AsymmetricLossMultiLabel",
    "asymmetric_single_label": "AsymmetricLossSingleLabel ASLSingleLabel",
    "weighted_crossentropy": "WeightedCrossEntropyLoss weighted_cross_entropy WCE weighted",
    "class_balanced": "CBLoss ClassBalancedLoss",
    "ldam": "LDAMLoss ldam_loss LDAM LDAM-DRW",
    "logit_adjustment": "LogitAdjustedLoss LALoss logit_adjusted_cross_entropy LogitAdjust",
    "balanced_softmax": "BalancedSoftmax BalancedSoftmaxLoss balanced_softmax_loss BSCE",
    "seesaw": "SeesawLoss",
    "equalization": "EqualizationLoss EQL",
    "gce": "GCELoss gce_loss GCE gec",
    "generalized_crossentropy": "GeneralizedCrossEntropy generalised_crossentropy LqLoss Lq",
    "sce": "SCELoss sce_loss SCE",
    "symmetric_crossentropy": "symmetric SymmetricCrossEntropy symmetric_ce SL",
    "rce": "RCELoss",
    "nce": "NCELoss",
    "normalized_crossentropy": "NormalizedCrossEntropy normalised_crossentropy Normalized_CE",
    "nce_rce": "NCEandRCE NCE+RCE nce-rce APL",
    "nfl_mae": "NFLandMAE",
    "anl_ce": "ANL-CE ANL",
    "agce": "AGCELoss",
    "jensen_shannon": "JensenShannon jensen_shannon_divergence JSDiv GJS",
    "bi_tempered_logistic": "bi-tempered-logistic-loss BiTemperedLogisticLoss bitempered_loss",
    "bootstrap_soft": "SoftBootstrappingLoss",
    "bootstrap_hard": "HardBootstrappingLoss",
    "forward_correction": "ForwardLoss forward_loss",
    "elr": "ELRLoss elr_loss",
    "truncated_gce": "TruncatedLoss truncated_lq",
    "dice": "DiceLoss dice_loss Dice SoftDiceLoss",
    "tversky": "TverskyLoss tversky_loss",
    JACCARD: "JaccardLoss IoULoss",
}
CASES = [(typed, meant) for meant, names in MEANT.items() for typed in names.split()]


def answer(name: str) -> str:
    """What follows `unknown loss NAME` up to the general advice."""
    with pytest.raises(UsageError) as caught:
        registry.find(name)
    return str(caught.value).removeprefix(f"unknown loss {name!r}").partition(" `lossbench losses`")[0]


def question(*meant: str) -> str:
    """The question for these names: an alias is followed by its loss."""
    quoted = []
    for name in meant:
        owner = name if name in PRESETS or name.startswith("{") else registry.find(name).name
        quoted.append(name if name.startswith("{") else repr(name) if owner == name else f"{name!r} ({owner})")
    return f"; did you mean {' or '.join(quoted)}?"


@pytest.mark.parametrize(("typed", "meant"), CASES, ids=str)
def test_a_name_from_elsewhere_is_answered_with_the_loss_that_it_is(typed: str, meant: str) -> None:
    """Keras, PyTorch, optax, TensorFlow Addons, torchvision, kornia, timm, papers, and misspellings."""
    assert answer(typed) == question(meant)


@pytest.mark.parametrize(
    "typed",
    [
        "CTCLoss",
        "ctc",
        "TripletMarginLoss",
        "triplet",
        "contrastive",
        "ContrastiveLoss",
        "InfoNCE",
        "NTXentLoss",
        "SupConLoss",
        "CosineEmbeddingLoss",
        "MarginRankingLoss",
        "HingeEmbeddingLoss",
        "GaussianNLLLoss",
        "quantile_loss",
        "PinballLoss",
        "SSIMLoss",
        "GIoULoss",
        "LovaszLoss",
        "FocalTverskyLoss",
        "CenterLoss",
        "KnowledgeDistillation",
        "RMSELoss",
    ],
)
def test_a_loss_for_another_task_is_answered_with_the_reason(typed: str) -> None:
    """No loss is suggested that does something else."""
    assert answer(typed).startswith(": it ")
    assert "did you mean" not in answer(typed)


@pytest.mark.parametrize(
    "typed", ["xyzzy", "asdf", "a", "b", "x", "cee", "loss", "Loss", "", ".", "ümlaut", "resnet", "sgd"]
)
def test_nothing_near_is_no_suggestion(typed: str) -> None:
    """Better none than a wrong one."""
    assert answer(typed) == ":"


def test_several_losses_may_be_meant() -> None:
    """A word that begins several names is answered with the first three."""
    assert answer("normalized").count("normalized_") == 3
    assert answer("norm").endswith(" or 'normalized_focal'?")


def test_every_name_elsewhere_means_one_loss_that_exists() -> None:
    """And none is a name that `loss:` accepts: that would never be asked for."""
    rows = [(name, here) for here, names in {**ELSEWHERE, **NOT_HERE}.items() for name in names.split(", ")]
    keys = [key(name) for name, _ in rows]
    assert sorted(keys) == sorted(set(keys))
    assert {key(name) for name in registry.names()} & set(keys) == set()
    for here in ELSEWHERE:
        expression.parse(_value(here))


def test_every_hyperparameter_elsewhere_is_one_here() -> None:
    """A renamed hyperparameter exists in some loss, and its name elsewhere in none of those losses."""
    known = {name for loss in registry.signatures().values() for name in loss.hyperparameters} | {"weight"}
    assert {here for heres in HYPERPARAMETERS.values() for here in heres} <= known


@pytest.mark.parametrize(
    ("loss", "given", "meant"),
    [
        ("focal", "smoothing", "label_smoothing"),
        ("cosface", "m", "margin"),
        ("ldam", "m", "max_margin"),
        ("sce", "A", "log_zero"),
        ("elr", "lambda", "regularization_weight"),
        ("weighted_crossentropy", "class_weights", "class_weight"),
        ("focal", "class_weights", "alpha"),
        ("jensen_shannon", "pi", "pi1"),
        ("poly1", "eps", "epsilon"),
    ],
)
def test_a_hyperparameter_from_elsewhere_is_answered_with_its_name_here(loss: str, given: str, meant: str) -> None:
    """Its letters may have nothing in common."""
    with pytest.raises(expression.InvalidLossError, match=f"unknown key '{given}' in loss .*did you mean '{meant}'"):
        expression.parse({"name": loss, given: 1})


def test_a_file_that_defines_an_unknown_loss_is_found_without_running_it(tmp_path: Path) -> None:
    """Functions, classes and variables count, in any spelling; the text of the file is read, nothing more."""
    file = tmp_path / "mine.py"
    file.write_text("raise SystemExit\ndef my_loss(y_true, y_pred):\n    inner = 1\nclass MyFocal: pass\nsmooth = 3\n")
    for typed, defined in (("my_loss", "my_loss"), ("my_focal", "MyFocal"), ("smooth", "smooth")):
        assert defining_file(typed, [tmp_path]) == (file, defined)
    assert defining_file("inner", [tmp_path]) is None
    assert defining_file("my_loss", [tmp_path / "missing"]) is None


@pytest.mark.parametrize(
    ("a", "b", "errors"),
    [
        ("focal", "focal", 0),
        ("focl", "focal", 1),
        ("focla", "focal", 1),
        ("", "ce", 2),
        ("dice", "elr", 4),
        ("ab", "", 2),
    ],
)
def test_typing_errors(a: str, b: str, errors: int) -> None:
    """Letters missing, added, replaced and exchanged; both ways the same."""
    assert typing_errors(a, b) == typing_errors(b, a) == errors


def _value(text: str) -> object:
    from lossbench.config import yaml

    return yaml.parse(text, "here").plain()


WRONG_FORMS = [
    ("{ce: 0.5, gce: 0.5}", "[{name: ce, weight: 0.5}, {name: gce, weight: 0.5}]"),
    ("{cross_entropy: 0.5, gce: 1}", "[{name: ce, weight: 0.5}, {name: gce, weight: 1}]"),
    ("{focal: {gamma: 3}}", "{name: focal, gamma: 3}"),
    ("{focal: null, gamma: 3}", "{name: focal, gamma: 3}"),
    ("{nce_rce: {weight: 2}}", "{name: nce_rce, weight: 2}"),
    ("[{ce: 0.5}, {gce: 0.5}]", "[{name: ce, weight: 0.5}, {name: gce, weight: 0.5}]"),
    ("[ce, {focal: {gamma: 3, alpha: [1, 2]}}]", "[ce, {name: focal, gamma: 3, alpha: [1, 2]}]"),
    ("[[ce, 0.5], [gce, 0.5]]", "[{name: ce, weight: 0.5}, {name: gce, weight: 0.5}]"),
    ("[0.5 ce, 0.5*gce]", "[{name: ce, weight: 0.5}, {name: gce, weight: 0.5}]"),
    ("{ce: {weight: 0.5}, gce: {q: 0.3}}", "[{name: ce, weight: 0.5}, {name: gce, q: 0.3}]"),
    ("{name: ce, gce: 0.5}", "[{name: ce}, {name: gce, weight: 0.5}]"),
    ("{name: ce, focal: {gamma: 3}}", "{name: focal, gamma: 3}"),
    ("{name: ce, focal: {gamma: 3}, ce: 1}", "[{name: focal, gamma: 3}, {name: ce, weight: 1}]"),
    ("{type: focal, gamma: 3}", "{name: focal, gamma: 3}"),
    ("{class_name: FocalLoss, gamma: 3}", "{name: focal, gamma: 3}"),
    ("{name: focal, params: {gamma: 3}}", "{name: focal, gamma: 3}"),
    ("{name: focal, alpha: 0.5, kwargs: {gamma: 3}}", "{name: focal, alpha: 0.5, gamma: 3}"),
    (
        "{class_name: CategoricalFocalCrossentropy, config: {gamma: 3}}",
        "{name: categorical_focal_crossentropy, gamma: 3}",
    ),
    ("[{name: ce, args: {label_smoothing: 0.1}}, gce]", "[{name: ce, label_smoothing: 0.1}, gce]"),
    ("ce + gce", "[{name: ce}, {name: gce}]"),
    ("0.5 ce + 0.5 gce", "[{name: ce, weight: 0.5}, {name: gce, weight: 0.5}]"),
    ("ce, gce", "[{name: ce}, {name: gce}]"),
    ("focal gamma=5", "{name: focal, gamma: 5}"),
    ("focal(gamma=5)", "{name: focal, gamma: 5}"),
    ('"focal(gamma=5, alpha=0.5)"', "{name: focal, gamma: 5, alpha: 0.5}"),
]


@pytest.mark.parametrize(("written", "right"), WRONG_FORMS)
def test_another_form_is_answered_with_the_right_one(written: str, right: str) -> None:
    """Built from what was written; and the right form is right."""
    from lossbench.config import resolve

    with pytest.raises(UsageError) as caught:
        resolve.from_mapping({"loss": _value(written)})
    assert str(caught.value).endswith(f"or a list of these; write {right}")
    expression.parse(_value(right))


@pytest.mark.parametrize(
    "value",
    [
        {"name": "focal", "gama": 1},
        {"name": "focl"},
        ["ce", "focl"],
        {"gamma": 3},
        [3],
        {},
        {"name": "gce", "alpha": 0.1},
        {"params": {"gamma": 3}},
    ],
)
def test_a_mistake_in_the_right_form_keeps_its_message(value: object) -> None:
    """Nothing to rewrite."""
    with pytest.raises(expression.InvalidLossError) as caught:
        expression.parse(value)
    assert "; write " not in str(caught.value)
