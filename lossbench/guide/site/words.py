"""Words of generated pages in both languages."""

from __future__ import annotations

from lossbench.guide.languages import CHINESE, ENGLISH

_CHINESE = {
    "aliases": "别名",
    "card": "公式、图、超参数和来源，每个损失函数一页。",
    "class form": "Keras 中的类形式",
    "default": "默认值",
    "family": "族",
    "function form": "函数形式",
    "hyperparameters": "超参数",
    "head": "输出层",
    "inputs": "由训练循环提供的输入",
    "loss": "损失函数",
    "losses": "损失函数卡片",
    "meaning": "含义",
    "more": "更多",
    "name": "名称",
    "no class form": "没有类形式：该损失函数为每张图像保存状态，而 Keras 不传递图像的序号。请使用 `lossbench train`。",
    "none": "得分，不训练概率",
    "preset": "预设",
    "presets": "预设",
    "python": "Python API",
    "range": "取值范围",
    "reference": "参考",
    "short for": "等价于",
    "sigmoid": "一对多概率（sigmoid）",
    "softmax": "softmax 概率",
    "source": "来源",
    "summary": "概要",
    "trains": "训练的概率",
    "yaml": "YAML",
}
_ENGLISH = {key: key.capitalize() for key in _CHINESE} | {
    "card": "Formula, figure, hyperparameters and source, one page per loss.",
    "class form": "Class form for Keras",
    "inputs": "Inputs that the training loop provides",
    "losses": "Loss cards",
    "no class form": "None: the loss keeps state per image, and Keras does not pass the indices of the images. "
    "Use `lossbench train`.",
    "none": "Scores, no probabilities",
    "python": "Python API",
    "sigmoid": "One-vs-rest probabilities (sigmoid)",
    "softmax": "Softmax probabilities",
    "yaml": "YAML",
}
WORDS = {ENGLISH: _ENGLISH, CHINESE: _CHINESE}
"""Words by edition and key."""
