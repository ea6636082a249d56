"""Descriptions of users' losses without a docstring, or with an unusual one, in every form."""

import json
from pathlib import Path

import pytest

from lossbench.losses import listing, plugin

HEAD = """
import functools

import keras
from keras import ops


def _ce(y_true, y_pred):
    return -ops.sum(y_true * ops.log_softmax(y_pred), axis=-1)

"""

FORMS = {
    "function": "def mine(y_true, y_pred, *, gamma=2.0):\n    {doc}\n    return gamma * _ce(y_true, y_pred)\n",
    "factory": "def mine(gamma=2.0):\n    {doc}\n"
    "    def loss(y_true, y_pred):\n        return gamma * _ce(y_true, y_pred)\n    return loss\n",
    "class": "class mine(keras.losses.Loss):\n    {doc}\n"
    "    def call(self, y_true, y_pred):\n        return _ce(y_true, y_pred)\n",
    "instance": "class _Mine(keras.losses.Loss):\n    {doc}\n"
    "    def call(self, y_true, y_pred):\n        return _ce(y_true, y_pred)\n\n\nmine = _Mine()\n",
    "partial": "def _with_gamma(y_true, y_pred, gamma):\n    {doc}\n    return gamma * _ce(y_true, y_pred)\n\n\n"
    "mine = functools.partial(_with_gamma, gamma=2.0)\n",
}

DOCSTRINGS = {
    "none": "pass",
    "empty": '""',
    "blank": '"  \\n\\n  "',
    "one line": '"One line without a full stop"',
    "several blank lines": '"First.\\n\\n\\n\\nSecond.\\n"',
    "markup": '"A [bold]loss[/bold] with [/nothing] and | bars.\\n\\n[link=x]y[/link]"',
    "not latin": '"交叉熵损失函数，用于分类。\\n\\n    -Σ e log p\\n\\nSource: 张三 (2020). 论文."',
    "long": "'word ' * 400",
    "one long word": '"' + 300 * "x" + '"',
}


@pytest.mark.parametrize("docstring", DOCSTRINGS.values(), ids=DOCSTRINGS)
@pytest.mark.parametrize("form", FORMS)
def test_every_docstring_is_shown(tmp_path: Path, form: str, docstring: str) -> None:
    """The card, the list, the table and the JSON name the loss, and say when it has no docstring."""
    path = tmp_path / "my_losses.py"
    path.write_text(HEAD + FORMS[form].format(doc=docstring), encoding="utf-8")
    plugin.load(path)
    card = listing.render(["mine"])
    assert "mine" in card
    undocumented = docstring in ("pass", '""', '"  \\n\\n  "', "'word ' * 400")
    assert ("has no docstring" in card) == undocumented
    assert "mine" in listing.render()
    assert "\n\n\n" not in listing.render()
    assert "mine" in listing.render(["mine"], markdown=True)
    assert "\n\n" not in listing.render(["mine"], markdown=True)
    described = json.loads(listing.render(["mine"], json=True))
    assert described["name"] == "mine"
    assert bool(described["summary"]) != undocumented
