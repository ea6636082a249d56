"""What is said of a name that a plugin defines, but not as a loss that can be used."""

from pathlib import Path

import pytest

from lossbench.config.resolve import load
from lossbench.errors import ConfigError
from lossbench.losses import plugin

OTHER_PARAMETERS = [
    ("def {name}(y_pred, y_true):\n    return y_pred\n", "swapped"),
    ("def {name}(labels, logits):\n    return logits\n", "custom_loss"),
    ("{name} = lambda y_pred, y_true: y_pred\n", "sw"),
]
NO_LOSSES = [
    ("class {name}:\n    pass\n", "Mine"),
    ("{name} = 3\n", "number"),
]
TAKEN = [
    ("def {name}(y_true, y_pred):\n    return y_pred\n", "focal"),
    ("def {name}(y_true, y_pred):\n    return y_pred\n", "mse"),
    ("from functools import partial\ndef _f(y_true, y_pred, *, a=1): ...\n{name} = partial(_f, a=2)\n", "gce"),
]


@pytest.mark.parametrize(
    ("source", "name", "reason"),
    [(*each, "but lossbench calls a loss as (y_true, y_pred, ...)") for each in OTHER_PARAMETERS]
    + [(*each, "is not a loss: expected") for each in NO_LOSSES]
    + [(*each, "is already defined by lossbench: choose another name") for each in TAKEN],
)
@pytest.mark.parametrize("folder", ["plugins", "."])
def test_a_plugin_that_defines_no_such_loss_gives_its_reason(
    source: str, name: str, reason: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is loaded already, so no advice names it, or another file that has the same name in it."""
    (tmp_path / folder).mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path)
    file = Path(folder, "mine.py")
    file.write_text(source.format(name=name) + "def good(y_true, y_pred):\n    return y_pred[:, 0]\n")
    (tmp_path / "other.py").write_text(f"def {name}(y_true, y_pred):\n    return y_pred[:, 0]\n")
    (tmp_path / "a.yaml").write_text("loss: ce\n")
    plugin.load(file)
    with pytest.raises(ConfigError) as caught:
        load(Path("a.yaml"), [f"loss={name}"])
    message = str(caught.value)
    assert str(tmp_path / file) in message
    assert reason in message
    assert "`plugins`" not in message
