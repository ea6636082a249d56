"""Names of losses and hyperparameters in other libraries and in papers, and what each is here; for suggestions only.

Keras, PyTorch, optax, TensorFlow Addons, torchvision, kornia, timm, segmentation-models, and the code of papers. Names
are compared by `suggestion.key`, so that `FooBarLoss`, `foo_bar` and `nn.functional.foo_bar_loss` are written once.
"""

ELSEWHERE: dict[str, str] = {
    "categorical_crossentropy": (
        "softmax, softmax_cross_entropy, sparse_softmax_cross_entropy, log, xe, negative_log_likelihood, "
        "multinomial_logistic, cce, scce, categorical, sparse_categorical, SoftTargetCrossEntropy, "
        "softmax_cross_entropy_with_integer_labels, SoftCrossEntropy, standard, default, maximum_likelihood, "
        "entropy"
    ),
    "{name: categorical_crossentropy, label_smoothing: 0.1}": (
        "label_smoothing, LabelSmoothingCrossEntropy, lsr, lsce, smooth_cross_entropy, smoothed_cross_entropy, "
        "cross_entropy_label_smoothing, LabelSmooth, ls, smoothing"
    ),
    "binary_crossentropy": (
        "sigmoid_cross_entropy, sigmoid_binary_cross_entropy, MultiLabelSoftMargin, logistic, ova, one_vs_rest, "
        "one_vs_all, SoftBCE, multilabel_cross_entropy, binary, ovr"
    ),
    "weighted_binary_crossentropy": "weighted_sigmoid_cross_entropy, balanced_bce",
    "kl_divergence": "KLDiv, kullback_leibler_divergence, kl, relative_entropy, kullback_leibler",
    "poisson": "poisson_nll, log_poisson",
    "poly1_crossentropy": "poly, poly_cross_entropy",
    "taylor_crossentropy": "taylor, taylor_softmax",
    "squentropy": "squared_entropy",
    "mean_squared_error": "l2, squared_error, mean_square, quadratic, euclidean, least_squares, squared_l2, sse",
    "mean_absolute_error": "absolute_error, mean_absolute, l1_error",
    "smooth_l1": "smooth_mae, smooth_absolute_error",
    "cosine_similarity": "cosine_distance, cosine, cosine_proximity, cos, cos_sim",
    "brier": "brier_score, quadratic_score",
    "spherical": "spherical_score",
    "sparsemax": "fenchel_young, sparse_softmax_margin",
    "categorical_hinge": "multiclass_hinge, crammer_singer, svm, multiclass_svm",
    "squared_hinge": "l2_svm, hinge_squared",
    "hinge": "binary_hinge, max_margin",
    "multi_margin": "MultiLabelMargin, weston_watkins",
    "multiclass_perceptron": "perceptron",
    "ramp": "truncated_hinge, clipped_hinge",
    "arcface": "additive_angular_margin, arc_margin, aam, aam_softmax, ArcMarginProduct, arc, arc_softmax",
    "cosface": "am_softmax, lmcl, large_margin_cosine, additive_margin_softmax, AddMarginProduct, additive_margin",
    "sphereface": "a_softmax, angular_softmax, SphereProduct, sphere, l_softmax",
    "normalized_softmax": "normface, norm_softmax, cosine_softmax, cosine_cross_entropy",
    "focal": "softmax_focal, multiclass_focal, categorical_focal, focal_cross_entropy, focal_softmax, retina_net, fl",
    "binary_focal_crossentropy": "sigmoid_focal, sigmoid_focal_cross_entropy, binary_focal, focal_bce, bce_focal",
    "asymmetric": "asl, asymmetric_multi_label, asymmetric_bce",
    "asymmetric_single_label": "asl_single_label",
    "weighted_crossentropy": (
        "wce, class_weighted_cross_entropy, balanced_cross_entropy, class_weight, class_weights, "
        "weighted_categorical_cross_entropy, inverse_frequency, weighted_softmax_cross_entropy, weighted_nll, "
        "weighted"
    ),
    "class_balanced": "cb, effective_number, class_balanced_cross_entropy, cbce",
    "{name: class_balanced, base: focal}": "cb_focal, class_balanced_focal",
    "ldam": "ldam_drw, label_distribution_aware_margin",
    "equalization": "eql, seql, softmax_equalization",
    "logit_adjustment": "logit_adjust, logit_adjusted, la, logit_adjusted_cross_entropy, prior_correction",
    "balanced_softmax": "balanced_meta_softmax, bsce, balsoftmax, balms, balanced",
    "mae_probability": "probability_mae, expected_error, one_minus_probability, unhinged_softmax",
    "generalized_crossentropy": "lq, gce_q, generalized, box_cox",
    "reverse_crossentropy": "reverse_kl",
    "symmetric_crossentropy": "sl, symmetric_learning, symmetric_cross_entropy_learning",
    "agce": "asymmetric_generalized_cross_entropy",
    "aul": "asymmetric_unhinged",
    "ael": "asymmetric_exponential, asymmetric_exp",
    "amse": "asymmetric_mean_squared_error, asymmetric_mse",
    "jensen_shannon": "js_div, jsd, jensen_shannon_divergence, gjs, generalized_jensen_shannon",
    "nce_rce": "apl, active_passive",
    "anl_ce": "anl, active_negative",
    "phuber_crossentropy": "phuber, partially_huberized_cross_entropy",
    "bi_tempered_logistic": "bi_tempered, tempered, bi_tempered_softmax",
    "bootstrap_soft": "soft_bootstrap, soft_bootstrapping, bootstrap, bootstrapping",
    "bootstrap_hard": "hard_bootstrap, hard_bootstrapping",
    "eps_softmax_ce": "epsilon_softmax, eps_softmax, epsilon_softmax_cross_entropy",
    "logit_clip": "logit_clipping, clipped_logit",
    "forward_correction": "forward, f_correction, loss_correction, transition_matrix",
    "backward_correction": "backward, b_correction",
    "elr": "early_learning, early_learning_regularization",
    "truncated_gce": "truncated, truncated_lq, truncated_crossentropy",
    "sparse_regularization": "sr, sparse_regularized",
    "confidence_penalty": "entropy_penalty, entropy_regularization, negative_entropy, max_entropy, maximum_entropy",
    "mbls": "margin_based_label_smoothing, margin_label_smoothing",
    "focal_flsd53": "flsd, flsd_53, sample_dependent_focal, focal_53, adaptive_focal",
    "mdca": "multiclass_difference_in_confidence_and_accuracy",
    "dice": "soft_dice, sorensen_dice, dice_coefficient, dice_score, generalized_dice, multiclass_dice, f1",
    "{name: tversky, alpha: 1, beta: 1}": "jaccard, iou, soft_iou, soft_jaccard, jaccard_index",
}
"""Names elsewhere by the value of `loss:` that means the same."""

SEVERAL_IMAGES = "it compares several images with each other; a loss here sees the logits of each image alone"
SEQUENCES = "it is for sequences; here an image has one label"
PICTURES = "it is for images or boxes as outputs; here an image has one label"
NUMBERS = "it is for numbers as targets; here they are classes"
TWO_NETWORKS = "it trains two networks against, or from, each other; here there is one"

NOT_HERE: dict[str, str] = {
    SEVERAL_IMAGES: (
        "triplet, triplet_margin, triplet_semi_hard, triplet_hard, contrastive, supcon, info_nce, ntxent, npairs, "
        "supervised_contrastive, cosine_embedding, hinge_embedding, margin_ranking, ranking, multi_similarity, "
        "circle, center, lifted_struct, pairwise_hinge, pairwise_logistic, list_mle, bpr, proxy_nca, sim_clr, "
        "clip, triplet_margin_with_distance"
    ),
    SEQUENCES: "ctc, crf, sequence, connectionist_temporal_classification, rnnt, transducer",
    PICTURES: (
        "ssim, ms_ssim, psnr, lpips, perceptual, total_variation, tv, giou, diou, ciou, lovasz, lovasz_softmax, "
        "hausdorff, boundary, chamfer, style, vgg, focal_tversky, bounding_box"
    ),
    NUMBERS: (
        "gaussian_nll, quantile, pinball, rmse, root_mean_squared_error, pseudo_huber, charbonnier, welsch, "
        "cauchy, geman_mcclure, tweedie, gamma_nll, negative_binomial"
    ),
    TWO_NETWORKS: (
        "distillation, knowledge_distillation, kd, gan, adversarial, wasserstein, wgan, co_teaching, divide_mix, "
        "mentor_net, dino, byol"
    ),
}
"""Names elsewhere of losses that do not exist here, by the reason."""

HYPERPARAMETERS: dict[str, tuple[str, ...]] = {
    "smoothing": ("label_smoothing",),
    "smooth": ("label_smoothing",),
    "label_smooth": ("label_smoothing",),
    "eps": ("epsilon", "label_smoothing"),
    "m": ("margin", "max_margin"),
    "max_m": ("max_margin",),
    "focusing": ("gamma",),
    "focusing_parameter": ("gamma",),
    "class_weights": ("class_weight", "alpha"),
    "class_weight": ("alpha",),
    "weights": ("class_weight", "weight"),
    "factor": ("weight",),
    "coef": ("weight",),
    "coefficient": ("weight",),
    "A": ("log_zero",),
    "a": ("alpha",),
    "b": ("beta",),
    "g": ("gamma",),
    "pi": ("pi1",),
    "lambda": ("regularization_weight", "beta"),
    "lam": ("regularization_weight", "beta"),
    "temp": ("temperature", "tau"),
    "t": ("temperature", "tau"),
    "clip_margin": ("clip",),
    "loss_type": ("base",),
    "reweight_epoch": ("drw_epoch",),
}
"""Names of hyperparameters elsewhere, with those that may be meant here; the first that a loss has is suggested."""
