"""Names of settings in other tools, and the dotted keys that they have here; for suggestions only."""

from __future__ import annotations

ELSEWHERE: dict[str, str] = {
    "optimizer.learning_rate": "lr, learn_rate, step_size, eta, base_lr, init_lr",
    "optimizer.weight_decay": "wd, decay",
    "optimizer.clip_norm": "clipnorm, global_clipnorm, grad_clip, gradient_clip, gradient_clipping, max_grad_norm",
    "optimizer.schedule": "scheduler, lr_schedule, lr_scheduler, learning_rate_schedule",
    "optimizer": "optimiser, optim, opt",
    "train.epochs": "epoch, num_epochs, n_epochs, nb_epoch, max_epochs, nepochs",
    "train.batch_size": "batch, bs, batchsize, minibatch, mini_batch_size, train_batch_size",
    "train.precision": "dtype, amp, mixed_precision, fp16, bf16, floatx",
    "train.threads": "num_threads, n_threads, cpus",
    "train.early_stopping": "early_stop, earlystopping",
    "train.save_weights": "save_model, checkpoint, save_checkpoint",
    "sweep.seeds": "seeds, n_seeds, num_seeds",
    "seed": "random_seed, random_state, rng, seed_value",
    "data.name": "dataset, data_set, dataset_name",
    "data.path": "data_dir, data_path, data_folder, root, dataset_path",
    "data.label_noise": "noise, noisy_labels, noise_type, noise_mode",
    "data.label_noise.rate": "noise_rate, noise_level, noise_ratio, corruption_rate, label_noise_rate",
    "data.imbalance.ratio": "imbalance_ratio, imb_factor, imbalance_factor",
    "data.train_size": "n_train, num_train, subset, limit, max_samples, num_samples",
    "data.validation_size": "val_size, validation_split, val_split, valid_size, dev_size",
    "model": "model_name, net, network, arch, architecture, backbone, encoder",
    "model.hidden": "layers, hidden_layers, units, hidden_units, hidden_size, hidden_sizes, width, hidden_dim, neurons",
    "model.dropout": "dropout_rate, drop_rate, p_dropout",
    "model.features": "embedding, embedding_dim, embedding_size, feature_dim, bottleneck",
    "model.batch_norm": "batchnorm, bn, batch_normalization",
    "model.initializer": "init, initialiser, initialization, weight_init, kernel_initializer",
    "loss": "loss_fn, loss_function, criterion, objective, loss_name, losses",
    "loss.label_smoothing": "smoothing",
    "log.tensorboard": "tensorboard, tb",
    "regularization": "regularisation, regularizer",
    "regularization.l2": "l2_penalty, l2_reg",
    "name": "experiment, experiment_name, run_name, exp_name",
}
"""Names elsewhere by the dotted key here. A name that several keys have here is not in the table."""

OPTIONS: dict[str, str] = {
    "device": "device",
    "gpu": "device",
    "cuda": "device",
    "plugin": "plugins",
    "plugins": "plugins",
    "runs_dir": "runs_dir",
    "output_dir": "runs_dir",
    "jobs": "jobs",
    "workers": "jobs",
    "num_workers": "jobs",
}
"""Names that people write into a configuration, and the Python parameter of the option that they are here."""


def key_here(name: str) -> str:
    """Return the dotted key of a setting that other tools call `name`; empty if it is not in the table.

    Example:
        >>> key_here("lr"), key_here("num-epochs"), key_here("zorp")
        ('optimizer.learning_rate', 'train.epochs', '')
    """
    wanted = name.lower().replace("-", "_")
    return next((here for here, names in ELSEWHERE.items() if wanted in names.split(", ")), "")
