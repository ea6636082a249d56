"""The house: what may be imported where, what must never be called, what is documented."""

import ast
import os
import re
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import lossbench

PACKAGE = Path(lossbench.__file__).parent


def parsed(folder):
    """The syntax tree of every Python file in a folder, by its path in the folder."""
    return {path.relative_to(folder): ast.parse(path.read_text()) for path in sorted(folder.rglob("*.py"))}


@pytest.fixture(scope="module")
def trees():
    """The syntax trees of the package."""
    return parsed(PACKAGE)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["constraints"],
        ["losses"],
        ["losses", "focal"],
        ["losses", "--json"],
        ["guide", "compare"],
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
def test_these_commands_import_neither_tensorflow_nor_keras(arguments, commands, fabricate, tmp_path):
    """They run to their end in a process that is stopped at such an import."""
    (tmp_path / "focal.yaml").write_text("loss: focal\n")
    run = fabricate(tmp_path / "runs")
    done = commands(*(run if each == "RUN" else each for each in arguments), cwd=tmp_path)
    assert (done.code, done.err, done.beyond) == (0, "", "")


def test_such_an_import_would_be_seen(commands, tmp_path):
    """Training imports them, so the test above can fail."""
    (tmp_path / "focal.yaml").write_text("loss: focal\n")
    assert commands("train", "--config", "focal.yaml", cwd=tmp_path).beyond in {"import keras", "import tensorflow"}


def test_without_tensorflow_training_says_so(new_process, tmp_path):
    """A module that cannot be imported stands for a package that is not installed; everything else runs."""
    (tmp_path / "tensorflow.py").write_text("raise ImportError('no TensorFlow here')\n")
    (tmp_path / "focal.yaml").write_text("loss: focal\n")
    search = f"{tmp_path}:{PACKAGE.parent}"
    assert new_process("validate", "focal.yaml", PYTHONPATH=search, check=0).stderr == ""
    assert "no TensorFlow here" in new_process("train", "--config", "focal.yaml", PYTHONPATH=search, check=1).stderr


def calls(tree):
    """Every name that a module calls, such as `eval` or `yaml.load`."""
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def imports(tree):
    """Every module that a module imports, in whatever way."""
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return plain | {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def breaches(tree):
    """What in a module could execute what a file says."""
    executing = {"eval", "exec", "compile", "__import__", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "np.load"}
    modules = {"pickle", "shelve", "marshal", "dill", "cloudpickle", "joblib", "runpy", "code", "ctypes", "imp"}
    shells = {f"os.{name}" for name in dir(os) if name.startswith(("exec", "spawn", "system", "popen", "startfile"))}
    found = calls(tree) & (executing | shells | {f"subprocess.get{name}" for name in ("output", "statusoutput")})
    found |= {call for call in calls(tree) if call.endswith(("load_model", "load_weights", "expandvars"))}
    found |= {name for name in imports(tree) if name.partition(".")[0] in modules}
    keywords = [each for node in ast.walk(tree) if isinstance(node, ast.Call) for each in node.keywords]
    return found | {
        ast.unparse(each)
        for each in keywords
        if each.arg in {"allow_pickle", "shell"}
        and not (isinstance(each.value, ast.Constant) and each.value.value is False)
    }


def test_nothing_that_a_file_says_is_executed(trees):
    """No pickle, eval, exec, yaml.load, load_model, shell; arrays are read in one place, which refuses objects."""
    assert {str(path): found for path, tree in trees.items() if (found := breaches(tree))} == {}


@pytest.mark.parametrize(
    "code",
    [
        "eval('1')", "from pickle import loads", "import marshal", "import dill.source", "os.system('ls')",
        "np.load(f, allow_pickle=True)", "read_array(f, allow_pickle=maybe)", "subprocess.run('ls', shell=True)",
        "os.execv('ls', [])", "model.load_weights(f)", "keras.models.load_model(f)", "yaml.load(f)",
        "os.path.expandvars(name)", "__import__(name)",
    ],
)  # fmt: skip
def test_what_could_execute_a_file_is_seen(code):
    """Else the test above could not fail."""
    assert breaches(ast.parse(code))


IMPORTERS = {
    ("__init__.py", "import_module(_MODULES[name])"),
    ("cli/group.py", "import_module(f'lossbench.cli.{name}')"),
    ("imports.py", "import_module(module)"),
    ("imports.py", "deferral.loader.exec_module(module)"),
    ("losses/registry.py", "importlib.import_module(f'lossbench.losses.catalogue.{family}')"),
    ("losses/user_code.py", "siblings.Loader(file.source).exec_module(self.module)"),
}
"""Modules that are imported by a name that is made: tables of lossbench's own, what an import statement of a library
names, and the file that the user has named."""


def test_modules_are_imported_by_name_in_these_places_only(trees):
    """Tables of lossbench's own, deferred imports of TensorFlow, and `--plugin`."""
    found = {
        (path.as_posix(), ast.unparse(node))
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith(("import_module", "exec_module", "spec_from_file_location", "run_path"))
    }
    assert found == IMPORTERS


def test_the_network_is_asked_in_one_place_only(trees):
    """For data sets whose addresses and checksums are constants; a Ray cluster is one that the user names."""
    network = {"urllib.request", "http.client", "socket", "requests", "ftplib", "httpx"}
    asking = {path.as_posix() for path, tree in trees.items() if imports(tree) & network}
    assert asking == {"data/download.py", "sweep/executors/ray_cluster.py"}


def imports_at(tree, modules, *, in_functions):
    """The modules of lossbench that a module imports when it is imported, and when its functions run."""
    found, nodes = set(), [*tree.body]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            nodes += node.orelse
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            found |= {name if name in modules else node.module for name in names}
        elif in_functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            nodes += ast.iter_child_nodes(node)
    return found & modules


def cycle(graph):
    """The modules on some cycle of imports, or nothing."""
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return error.args[1]
    return []


@pytest.mark.parametrize("in_functions", [False, True], ids=["at import", "in functions too"])
def test_no_module_imports_itself_through_others(trees, in_functions):
    """Neither when it is imported nor when its functions run; imports for type checkers do not count."""
    names = {path: ".".join(("lossbench", *path.with_suffix("").parts)).removesuffix(".__init__") for path in trees}
    modules = set(names.values())
    graph = {names[path]: imports_at(tree, modules, in_functions=in_functions) for path, tree in trees.items()}
    assert sum(map(len, graph.values())) > 300
    assert cycle(graph) == []


def test_a_cycle_of_imports_is_found():
    """Otherwise the test above could not fail."""
    code = "from lossbench import b\ndef f():\n    from lossbench.c import d\nif TYPE_CHECKING:\n    import lossbench.e"
    modules = {"lossbench.b", "lossbench.c", "lossbench.e"}
    assert imports_at(ast.parse(code), modules, in_functions=False) == {"lossbench.b"}
    assert imports_at(ast.parse(code), modules, in_functions=True) == {"lossbench.b", "lossbench.c"}
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}})


COMMAND_LINE = re.compile(r"\b(lossbench|ray) [a-z][^`\n]*")
"""A whole command to copy, which may appear anywhere."""

ARGUMENT = re.compile(r"--[\w=.,-]+")
"""One argument of another program."""


def options_in_strings(tree):
    """Every string, docstrings left out, that speaks of an option such as `--where`."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None
    }
    strings = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]
    return {
        text
        for text in strings
        if re.search(r"(?<![\w-])--[a-z]", COMMAND_LINE.sub("", text)) and not ARGUMENT.fullmatch(text)
    }


def test_only_the_command_line_speaks_of_options(trees):
    """A library error names the parameter, `where: ...`; the command line prints the option, `--where: ...`."""
    library = {path: tree for path, tree in trees.items() if path.parts[0] != "cli"}
    assert {str(path): found for path, tree in library.items() if (found := options_in_strings(tree))} == {}


def test_an_option_in_a_message_is_found():
    """Otherwise the test above could not fail."""
    assert options_in_strings(ast.parse("raise UsageError(f'--where {text}: wrong')")) == {"--where "}
    assert options_in_strings(ast.parse("raise UsageError('choose another --runs-dir')"))


def test_commands_print_in_one_place_only(trees):
    """`cli/console.py` lets no control sequence through; what rich draws by itself is given plain text."""
    printing = {"print", "typer.echo", "typer.secho", "click.echo", "sys.stdout.write", "sys.stderr.write"}
    found = {path.as_posix() for path, tree in trees.items() if calls(tree) & printing}
    assert found == {"cli/console.py"}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if (
                path.parts[0] == "cli"
                and isinstance(node, ast.Call)
                and ast.unparse(node.func).endswith("console.print")
            ):
                assert ast.unparse(node.args[0]).startswith("console.plain(")


def test_every_test_says_what_it_shows():
    """Its docstring is a sentence."""
    silent = {
        f"{path}::{node.name}"
        for path, tree in parsed(Path(__file__).parent).items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    }
    assert silent == set()


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
