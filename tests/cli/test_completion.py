"""What Tab proposes, asked as each shell asks for it; Keras and TensorFlow cannot be imported meanwhile."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHELLS = {
    "bash": lambda words: {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)},
    "zsh": lambda words: {"_TYPER_COMPLETE_ARGS": " ".join(words)},
    "fish": lambda words: {"_TYPER_COMPLETE_ARGS": " ".join(words), "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
}


@pytest.fixture(params=SHELLS)
def proposed(request, commands, tmp_path):
    """A function from words to what a shell is told about the last of them; in a folder with a config and two runs."""
    (tmp_path / "noisy.yaml").write_text("loss: {name: sce, alpha: 0.2}\n")
    (tmp_path / "broken.yaml").write_text("loss: [\n")
    for run in ("runs/noisy/sce-s0-1", "runs/noisy/sce-s1-1", "runs/noisy/.locks"):
        (tmp_path / run).mkdir(parents=True)
        (tmp_path / run / "run.json").touch()

    def ask(*words):
        asked = {"_LOSSBENCH_COMPLETE": f"complete_{request.param}", **SHELLS[request.param](["lossbench", *words])}
        done = commands(cwd=tmp_path, **asked)
        assert (done.err, done.beyond) == ("", "")
        return done.out

    return ask


def test_losses_are_proposed_by_name_and_alias(proposed):
    """Those that begin so, and no other."""
    told = proposed("losses", "gener")
    assert "generalized_crossentropy" in told
    assert "focal" not in told
    assert "gce" in proposed("losses", "gc")


def test_keys_are_those_of_the_configuration(proposed):
    """The loss's own hyperparameters among them; the defaults' where the file is wrong or not yet named."""
    assert "loss.alpha=" in proposed("train", "--config", "noisy.yaml", "loss.a")
    assert "loss.alpha=" in proposed("sweep", "--config", "noisy.yaml", "loss.a")
    assert "train.epochs=" in proposed("train", "--config", "broken.yaml", "train.e")
    assert "train.epochs=" in proposed("train", "train.e")


@pytest.mark.parametrize("command", ["compare", "show", "diff", "verify", "report"])
def test_run_folders_are_proposed_a_step_at_a_time(proposed, command):
    """A folder of runs with a stroke, then the runs; hidden folders are not."""
    assert "runs/" in proposed(command, "ru")
    told = proposed(command, "runs/noisy/")
    assert ("runs/noisy/sce-s0-1" in told, "runs/noisy/sce-s1-1" in told, ".locks" in told) == (True, True, False)


def test_commands_are_proposed(proposed):
    """Typer's own."""
    assert "compare" in proposed("comp")


def test_bash_takes_the_script_and_completes():
    """`lossbench --show-completion bash`, sourced by a real bash."""
    if (bash := shutil.which("bash")) is None:
        pytest.skip("no bash")
    lossbench = Path(sys.executable).with_name("lossbench")
    script = (
        f'export PATH="{lossbench.parent}:$PATH"; eval "$(_LOSSBENCH_COMPLETE=source_bash lossbench)"; '
        "COMP_WORDS=(lossbench losses generalized_c); COMP_CWORD=2; _lossbench_completion lossbench; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([bash, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["generalized_crossentropy"]


def test_pages_of_the_guide_are_proposed(proposed):
    """Those that begin so, and no other."""
    told = proposed("guide", "co")
    assert "compare" in told
    assert "configuration" in told
    assert "sweeps" not in told


def test_languages_of_the_guide_are_proposed(proposed):
    """Pages are then described in the language that was named; an unknown one changes nothing."""
    assert "zh" in proposed("guide", "--lang", "z")
    told = proposed("guide", "--lang", "zh", "quick")
    assert "quickstart" in told
    assert "Install" not in told
    assert "quickstart" in proposed("guide", "--lang", "fr", "quick")
