"""Nothing that a file names is executed, imported, fetched or expanded; only plugins named by the user are code."""

import json
import shutil
import socket
from pathlib import Path

import pytest
import yaml

from lossbench.config import resolve
from lossbench.errors import PluginError, UsageError
from lossbench.runs import read
from lossbench.training import identify
from lossbench.training.verify import trial_of

KEPT = Path(__file__).parents[1] / "runs" / "kept" / "0.1.0"
NO_LOSS, NO_FILE, NO_FOLDER = "unknown loss", "no file ", "no such folder"


@pytest.fixture
def canary(tmp_path, monkeypatch):
    """A file that comes into being if a Python file, a module or a command is run; HOME has all that could be meant."""
    canary = tmp_path / "canary"
    home = tmp_path / "home"
    shutil.copytree(KEPT / "data", home / "data")
    (home / "base.yaml").write_text("loss: focal\n")
    evil = f"open({str(canary)!r}, 'w').close()\ndef evil(y_true, y_pred):\n    return y_pred[:, 0]\n"
    (tmp_path / "evil.py").write_text(evil)
    (tmp_path / "evil.yaml").write_text("loss: focal\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: canary.touch())
    monkeypatch.setattr(socket.socket, "connect", lambda *_: canary.touch())
    return canary


REFUSED = {
    "a tag that calls": ('loss: !!python/object/apply:os.system ["touch canary"]', "tag"),
    "a tag that names": ("loss: !!python/name:evil.evil", "tag"),
    "a tag that imports": ("model: !!python/module:evil", "tag"),
    "a tag of its own": ("loss: !evil x", "tag"),
    "an alias bomb": ("a: &a [x, x]\nb: &b [*a, *a]\nloss: [*b, *b]", "anchor|alias"),
    "a module": ("loss: evil", NO_LOSS),
    "a function in a module": ("loss: evil.evil", NO_LOSS),
    "a function after a colon": ("loss: 'evil:evil'", NO_LOSS),
    "a Python file": ("loss: {name: ./evil.py}", NO_LOSS),
    "a plugin key": ("plugin: evil.py", "plugin: unknown key"),
    "a plugin in the loss": ("loss: {name: focal, plugin: evil.py}", "plugin"),
    "a command": ("loss: '$(touch canary)'", NO_LOSS),
    "a template": ("loss: '{{7*7}}'", NO_LOSS),
    "a parent folder in a loss": ("loss: ../../../etc/passwd", NO_LOSS),
    "a model's module": ("model: evil.Model", "model"),
    "an optimizer's module": ("optimizer: evil", "optimizer"),
    "a name that leads up": ("name: ../../outside", "name: "),
    "a name from the root": ("name: /etc", "name: "),
    "a name with a variable": ("name: $HOME", "name: "),
    "a name that is a home": ("name: '~'", "name: "),
    "a hidden name": ("name: .ssh", "name: "),
    "an address to build on": ("extends: http://localhost:9/base.yaml", NO_FILE),
    "a file address to build on": ("extends: file:///etc/passwd", NO_FILE),
    "a variable to build on": ("extends: $HOME/base.yaml", NO_FILE),
    "a variable in braces to build on": ("extends: ${HOME}/base.yaml", NO_FILE),
    "a Python file to build on": ("extends: evil.py", "expected|not"),
    "data behind a variable": ("data: {name: idx, path: $HOME/data}", NO_FOLDER),
    "data behind a variable in braces": ("data: {name: idx, path: '${HOME}/data'}", NO_FOLDER),
    "data behind an address": ("data: {name: idx, path: 'http://localhost:9/data'}", NO_FOLDER),
    "data behind a file address": (f"data: {{name: idx, path: 'file://{KEPT}/data'}}", NO_FOLDER),
    "data of another name": ("data: {name: 'http://localhost:9'}", "data"),
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_configuration_is_text(text, reason, canary, tmp_path):
    """Modules, files, variables, addresses and tags are refused, or taken literally and then not found."""
    (tmp_path / "study.yaml").write_text(f"{text}\n")
    with pytest.raises(UsageError, match=reason):
        identify(resolve.load(Path("study.yaml")))
    assert not canary.exists()


@pytest.mark.usefixtures("canary")
def test_a_tilde_is_the_home_and_the_only_thing_that_is_expanded(tmp_path):
    """In the two places that name a file; as in a shell."""
    (tmp_path / "study.yaml").write_text("extends: ~/base.yaml\ndata: {name: idx, path: ~/data}\n")
    experiment = resolve.load(Path("study.yaml"))
    assert experiment.loss[0].name == "focal"
    assert experiment.data.path == tmp_path / "home" / "data"


@pytest.mark.parametrize("setting", ["loss=!!python/name:evil.evil", "loss=evil", "name=../x", "data.path=$HOME/data"])
def test_a_setting_on_the_command_line_is_text_too(setting, canary):
    """It goes the same way."""
    with pytest.raises(UsageError):
        identify(resolve.load(Path("evil.yaml"), [setting, "data.name=idx"]))
    assert not canary.exists()


def test_the_fixture_can_sing(canary, tmp_path):
    """Naming the file with `--plugin` runs it; else no test here could fail."""
    from lossbench.losses import plugin

    plugin.load(tmp_path / "evil.py")
    assert canary.exists()


@pytest.fixture
def run(canary, tmp_path):
    """A run that names a plugin everywhere it can, and data in the home."""
    run = shutil.copytree(KEPT / "runs" / "kept" / "focal-s0-c8ffce926b67", tmp_path / "runs" / "focal")
    summary = json.loads((run / "run.json").read_text())
    evil = str(tmp_path / "evil.py")
    told = {"plugins": [{"path": evil, "sha256": "0" * 64}], "plugin": evil, "argv": ["lossbench", "--plugin", evil]}
    hashes = summary["hashes"] | {"plugin": "0" * 64}
    (run / "run.json").write_text(json.dumps(summary | told | {"hashes": hashes}))
    config = yaml.safe_load((run / "config.yaml").read_text())
    config |= {"loss": {"name": "evil", "plugin": evil}}
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    assert not canary.exists()
    return run


@pytest.mark.parametrize(
    ("code", "command"),
    [
        (2, ["verify", "runs"]),
        (0, ["show", "runs"]),
        (0, ["compare", "runs"]),
        (0, ["diff", "runs", "runs"]),
        (0, ["report", "runs", "-o", "page.html"]),
        (2, ["train", "--config", "runs/focal/config.yaml"]),
        (2, ["validate", "runs/focal/config.yaml"]),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else None,
)
@pytest.mark.usefixtures("run")
def test_no_command_imports_what_a_run_names(code, command, canary, lossbench):
    """`verify` says that it wants the file named by hand."""
    done = lossbench(*command, check=code)
    assert not canary.exists()
    if command[0] == "verify":
        assert "name that file in --plugin" in done.stderr


def test_another_file_of_that_name_does_not_pass_for_the_plugin(run, tmp_path):
    """Its SHA-256 must be the recorded one."""
    from lossbench.losses.plugin import PluginLoaded

    with pytest.raises(PluginError, match="has changed since"):
        trial_of(read.read(run), [PluginLoaded(tmp_path / "evil.py", "1" * 64, ("evil",))])


def test_a_data_folder_may_hold_links(tmp_path):
    """It is the user's own choice, and is only read: the data are what the links lead to."""
    (tmp_path / "data").mkdir()
    for path in (KEPT / "data").iterdir():
        (tmp_path / "data" / path.name).symlink_to(path)
    of = [resolve.from_mapping({"data": {"name": "idx", "path": str(each / "data")}}) for each in (tmp_path, KEPT)]
    assert len({identify(each).identity for each in of}) == 1
