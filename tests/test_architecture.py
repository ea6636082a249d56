"""The house: what may be imported where, what must never be called, what is documented."""

import ast
import re
import sys
from pathlib import Path

import pytest

import lossbench

PACKAGE = Path(lossbench.__file__).parent
TREES = {path.relative_to(PACKAGE): ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}
TESTS = {path: ast.parse(path.read_text()) for path in sorted(Path(__file__).parent.rglob("*.py"))}

BLOCKER = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"tensorflow", "keras", "torch", "jax"}:
            raise ImportError(f"{name} must not be imported here")

sys.meta_path.insert(0, Blocked())
"""


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory):
    """A run folder written by the writers themselves, for the commands that only read."""
    from lossbench.config import resolve
    from lossbench.training import identify, train

    runs = tmp_path_factory.mktemp("runs")
    config = {"data": {"train_size": 500, "validation_size": 100}, "train": {"epochs": 1, "threads": 1}}
    return train(identify(resolve.from_mapping(config)), runs_dir=runs).run


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["losses"],
        ["losses", "focal"],
        ["losses", "--json"],
        ["init", "fresh.yaml"],
        ["validate", "focal.yaml"],
        ["config", "focal.yaml", "loss.gamma=3"],
        ["schema"],
        ["show", "RUN"],
        ["diff", "RUN", "RUN"],
        ["diff", "RUN", "RUN", "--json"],
        ["compare", "RUN"],
        ["compare", "RUN", "--format", "csv"],
        ["report", "RUN", "-o", "page.html"],
    ],
    ids=" ".join,
)
def test_these_commands_run_where_importing_tensorflow_or_keras_raises(arguments, lossbench, tmp_path, finished_run):
    """A blocker first on the import path stands for a Python without them."""
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / "sitecustomize.py").write_text(BLOCKER)
    (tmp_path / "focal.yaml").write_text("loss: focal\n")
    search = f"{tmp_path / 'blocked'}:{PACKAGE.parent}"
    arguments = [str(finished_run) if each == "RUN" else each for each in arguments]
    done = lossbench(*arguments, PYTHONPATH=search)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_blocker_blocks(lossbench, tmp_path):
    """Otherwise the test above could not fail: training does import TensorFlow."""
    (tmp_path / "sitecustomize.py").write_text(BLOCKER)
    (tmp_path / "focal.yaml").write_text("loss: focal\n")
    done = lossbench("train", "--config", "focal.yaml", PYTHONPATH=f"{tmp_path}:{PACKAGE.parent}")
    assert done.returncode == 1
    assert "must not be imported here" in done.stderr


def calls(tree):
    """Every name that a module calls, such as `eval` or `yaml.load`."""
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


@pytest.mark.parametrize("path", TREES, ids=str)
def test_nothing_that_a_file_says_is_executed(path):
    """No pickle, eval, exec, yaml.load, load_model, and every np.load refuses objects."""
    forbidden = {"eval", "exec", "compile", "yaml.load", "yaml.unsafe_load", "pickle.load", "pickle.loads"}
    assert not calls(TREES[path]) & forbidden
    assert not any(call.endswith(("load_model", "load_weights")) for call in calls(TREES[path]))
    imported = {alias.name for node in ast.walk(TREES[path]) if isinstance(node, ast.Import) for alias in node.names}
    assert not imported & {"pickle", "shelve", "marshal", "dill", "cloudpickle"}
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "np.load":
            assert "allow_pickle=False" in ast.unparse(node)


@pytest.mark.parametrize("path", TREES, ids=str)
def test_every_module_says_what_it_is(path):
    """With a docstring of at least one sentence."""
    assert (ast.get_docstring(TREES[path]) or "").rstrip()


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_every_test_says_what_it_shows(path):
    """Its docstring is a sentence."""
    tests = [n for n in ast.walk(TESTS[path]) if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")]
    assert [test.name for test in tests if not ast.get_docstring(test)] == []


def test_the_map_in_the_docstring_names_every_room():
    """Each file and folder of the package, and none that is not there."""
    named = set(re.findall(r"^    (\w+(?:\.py|/)) ", lossbench.__doc__, re.MULTILINE))
    rooms = {f"{path.name}/" for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    files = {path.name for path in PACKAGE.glob("*.py") if not path.name.startswith("__")}
    assert named == rooms | files


def test_importing_the_package_costs_nothing():
    """No heavy library comes with `import lossbench`."""
    import subprocess

    code = "import sys; before = set(sys.modules); import lossbench; print(*(set(sys.modules) - before))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    assert {name.partition(".")[0] for name in loaded.stdout.split()} == {"lossbench"}
