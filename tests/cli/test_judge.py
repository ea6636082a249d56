"""`lossbench judge`: which loss is meant, what is refused, and one small judgement from end to end."""

import json
import re

import pytest
from made_up_judgements import use_small_suite
from typer.testing import CliRunner

from lossbench import suite
from lossbench.cli import app, console
from lossbench.errors import PluginError, UnfinishedRunError, UsageError
from lossbench.losses import registry

TWO = """
from lossbench import ops


def first(y_true, y_pred, *, scale: float = 1.0):
    \"\"\"Cross-entropy.

    Link: softmax.
    \"\"\"
    return -scale * ops.sum(y_true * ops.log_softmax(y_pred), axis=-1)


def second(y_true, y_pred):
    \"\"\"Squared error.\"\"\"
    return ops.sum((y_true - ops.softmax(y_pred)) ** 2, axis=-1)
"""
BROKEN = """
from lossbench import ops


def broken(y_true, y_pred):
    \"\"\"Cross-entropy whose logarithm meets 0.\"\"\"
    return -ops.sum(y_true * ops.log(ops.softmax(y_pred)), axis=-1)
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with files of losses."""
    (tmp_path / "two.py").write_text(TWO)
    (tmp_path / "broken.py").write_text(BROKEN)
    (tmp_path / "none.py").write_text("x = 1\n")
    (tmp_path / "scaled.py").write_text(
        "def scaled(y_true, y_pred, scale):\n    return (scale * y_pred * y_true).sum(-1)\n"
    )
    return tmp_path


@pytest.mark.parametrize(("arguments", "said"), [
    (["two.py"], "two.py has 2 losses; choose one: first, second"),
    (["two.py", "--loss", "third"], "two.py has no loss 'third'; it has first, second"),
    (["two.py", "--loss", "../first"], "two.py has no loss '../first'"),
    (["two.py", "--loss", "focal"], "two.py has no loss 'focal'; it has first, second"),
    (["none.py"], "none.py: has no loss"),
    (["scaled.py"], "scaled: 'scale' is required"),
    (["absent.py"], "absent.py"),
    (["./absent"], "absent"),
    (["focall"], "unknown loss 'focall'; did you mean 'focal'?"),
    (["mine"], "For one of your own, name its file: lossbench judge my_loss.py"),
    (["two"], "unknown loss 'two'; for the loss of the file: lossbench judge two.py"),
    (["focal", "--loss", "focal"], "--loss: only a file has several losses"),
    (["focal", "gce"], "'gce': judge takes one loss"),
    (["gamma=2"], "name a loss or a Python file first"),
    (["focal", "gamma=-1"], "gamma: expected a number ≥ 0, got -1"),
    (["focal", "gama=1"], "did you mean 'gamma'?"),
    (["two.py", "--loss", "second", "scale=2"], "unknown key 'scale' in loss 'second'"),
    (["arcface"], "arcface needs model.head: cosine"),
    (["focal", "--device", "tpu"], "tpu"),
], ids=lambda each: " ".join(each) if isinstance(each, list) else "")  # fmt: skip
def test_a_mistake_is_one_line_and_exit_2(commands, folder, arguments, said):
    """Before anything is checked or trained, and nothing is written."""
    done = commands("judge", *arguments, "--quick", cwd=folder)
    assert (done.code, done.out, done.beyond) == (2, "", ""), done.err
    assert said in done.err
    assert done.err.count("\n") == 1
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(("page", "reason"), [
    ("absent/page.html", "No such file or directory"), (".", "Is a directory"), ("two.py/page.html", "No such file"),
])  # fmt: skip
def test_a_page_that_cannot_be_written_is_refused_before_anything_is_trained(commands, folder, page, reason):
    """A quarter of an hour later would be too late."""
    done = commands("judge", "focal", "--quick", "--report", page, cwd=folder)
    assert (done.code, done.out, done.beyond) == (1, "", "")
    assert f"{page}: cannot be written: {reason}" in done.err
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(
    "arguments", [["focal"], ["two.py", "--loss", "first", "scale=2"], ["categorical_crossentropy"]]
)
def test_a_loss_is_checked_before_anything_is_written(commands, folder, arguments):
    """The checks need TensorFlow, at which this process is stopped."""
    done = commands("judge", *arguments, "--quick", cwd=folder)
    assert "tensorflow" in done.beyond or "keras" in done.beyond
    assert not (folder / "runs").exists()


@pytest.fixture
def judge(folder, monkeypatch):
    """Run `lossbench judge` in this process, by a suite of three conditions and few images."""
    use_small_suite(monkeypatch)
    monkeypatch.setattr(suite, "BUDGETS", {"quick": suite.Budget(600, 2, 2, (6,), "50pp", "a minute")})
    monkeypatch.setattr(suite, "SHARED", {"data": {"validation_size": 100}, "model": "linear"})
    monkeypatch.setattr(console, "width", lambda: 80)
    monkeypatch.chdir(folder)
    yield lambda *arguments: CliRunner().invoke(app, ["judge", *arguments, "--quick"])
    registry.clear_plugins()


@pytest.mark.slow
def test_a_judgement_from_end_to_end(judge, folder):
    """A screen, a page, then the same result as JSON without training again."""
    done = judge("two.py", "--loss", "first", "--report", "page.html")
    assert done.exception is None, done.stderr
    assert done.stderr.startswith("first passed its checks: at most 72 trials, a minute on two cores")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert done.stdout.startswith("first, judged by judge-2-quick\ntest accuracy after the last epoch, 6 seeds\n")
    assert re.search(r"cost: an epoch takes \d\.\d\d times as long as with cross-entropy", done.stdout)
    assert "first" in (folder / "page.html").read_text()
    (runs,) = (folder / "runs").iterdir()
    before = {file: file.stat().st_mtime_ns for file in runs.rglob("run.json")}
    assert len(before) == 6 * 4 * 3
    found = json.loads(judge("two.py", "--loss", "first", "--json").stdout)
    assert {file: file.stat().st_mtime_ns for file in runs.rglob("run.json")} == before
    copied = {each["name"]: each["opponents"][0] for each in found["conditions"]}
    assert {each["loss"] for each in copied.values()} == {"categorical_crossentropy"}
    assert {each["verdict"] for each in copied.values()} <= {"identical", "equivalent"}


@pytest.mark.slow
def test_a_loss_that_fails_its_checks_is_not_trained(judge, folder):
    """Exit 2, with the names of the checks."""
    done = judge("broken.py")
    assert isinstance(done.exception, UsageError)
    assert "broken: check 'extreme logits' failed" in str(done.exception)
    assert not (folder / "runs").exists()


@pytest.mark.slow
def test_a_loss_that_training_would_refuse_is_not_trained(judge, folder):
    """A counter in Python passes the checks of `losses --check`."""
    (folder / "counts.py").write_text(
        "from lossbench import ops\n"
        "calls = [0]\n"
        "def counts(y_true, y_pred):\n"
        "    calls[0] += 1\n"
        "    return -ops.sum(y_true * ops.log_softmax(y_pred), axis=-1)\n"
    )
    assert isinstance(judge("counts.py").exception, PluginError)
    assert not (folder / "runs").exists()


@pytest.mark.slow
def test_a_loss_that_diverges_is_shown_and_ends_with_exit_4(judge, folder):
    """Its losses are finite, and their sum over a batch of 64 is not; the screen says where, and none is better."""
    (folder / "huge.py").write_text(
        "from lossbench import ops\n"
        "def huge(y_true, y_pred):\n"
        "    return 2e37 * (1 - ops.sum(y_true * ops.softmax(y_pred), axis=-1))\n"
    )
    done = judge("huge.py")
    assert isinstance(done.exception, UnfinishedRunError)
    assert "diverged in 6 of 6 seeds" in done.stdout
    assert "better" not in done.stdout.partition("huge: against")[0]
