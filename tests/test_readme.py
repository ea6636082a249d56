"""The README: short, its two commands first, its claims those of the code. Its blocks are tested with the guide's."""

import re

import yaml
from documents import ROOT, blocks

from lossbench.config import resolve
from lossbench.losses import registry

README = ROOT / "README.md"
TEXT = README.read_text()


def test_the_two_commands_are_in_blocks_of_their_own():
    """The first trains, the second tests; each is one line that needs nothing else."""
    first, second, *_ = (block.text for block in blocks(README, "sh"))
    assert first == (
        "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/lossbench train --config configs/focal.yaml\n"
    )
    assert second == "python3 -m venv .venv && .venv/bin/pip install '.[test]' && .venv/bin/pytest\n"


def test_the_readme_takes_three_minutes():
    """At most 160 lines."""
    assert len(TEXT.splitlines()) <= 160


def test_the_number_of_losses_is_right():
    """As many as the catalogue holds."""
    assert re.search(r"\*\*(\d+) losses behind", TEXT)[1] == str(len(registry.signatures()))


def test_the_configuration_in_the_readme_means_what_it_says():
    """It resolves, with each key as written."""
    (block,) = blocks(README, "yaml")
    experiment = resolve.from_mapping(yaml.safe_load(block.text))
    assert experiment.data.label_noise.rate == 0.4
    assert experiment.optimizer.schedule.name == "cosine"


def test_the_loss_in_the_readme_is_the_one_that_is_shipped():
    """Signature and body agree with `configs/my_losses.py`."""
    shipped = (ROOT / "configs" / "my_losses.py").read_text()
    loss = blocks(README, "python")[0].text
    assert re.search(r"^    return .*$", loss, re.MULTILINE)[0] in shipped
    assert "def tempered_crossentropy(" in shipped
