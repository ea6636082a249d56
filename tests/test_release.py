"""The commit that `--version` prints, the tested versions, and what a wheel and a source distribution contain."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from generate_constraints import dependencies, recorded
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from typer.testing import CliRunner

from lossbench import __version__, cli, release

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
GIT = shutil.which("git")
OURS = '[project]\nname = "lossbench"\n'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder in the place of the repository, without a recorded commit."""
    monkeypatch.setattr(release, "CHECKOUT", tmp_path)
    monkeypatch.setattr(release, "COMMIT", tmp_path / "commit.txt")
    return tmp_path


def git(folder, *arguments):
    """Run git as a user who has set nothing; return what it prints."""
    author = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run([GIT, *author, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def version():
    """What `lossbench --version` prints."""
    done = CliRunner().invoke(cli.app, ["--version"])
    assert done.exit_code == 0
    return done.stdout


def test_a_wheel_names_the_commit_that_was_built_without_asking_git(folder, monkeypatch):
    """Even inside a repository, which is another project's."""
    (folder / ".git").mkdir()
    (folder / "pyproject.toml").touch()
    (folder / "commit.txt").write_text("0123456789ab\n")
    monkeypatch.setattr(subprocess, "run", None)
    assert version() == f"lossbench {__version__} (0123456789ab)\n"


@pytest.mark.parametrize("present", [(), (".git",), ("pyproject.toml",)], ids=str)
def test_an_unknown_commit_is_left_out_without_asking_git(present, folder, monkeypatch):
    """A folder above an installed package is no checkout."""
    for name in present:
        (folder / name).touch()
    monkeypatch.setattr(subprocess, "run", None)
    assert version() == f"lossbench {__version__}\n"


def test_a_folder_that_git_does_not_know_has_no_commit(folder):
    """No error: the version is what was asked for."""
    (folder / ".git").mkdir()
    (folder / "pyproject.toml").write_text(OURS)
    assert version() == f"lossbench {__version__}\n"


def test_the_version_imports_nothing_heavy(commands, tmp_path):
    """Neither before it is printed nor before git is asked, where this is a checkout."""
    done = commands("--version", cwd=tmp_path)
    assert (done.code, done.beyond) == (0, "") or done.beyond == "subprocess.Popen"


@pytest.mark.skipif(GIT is None, reason="no git")
def test_a_checkout_names_its_commit_and_whether_files_differ(folder):
    """Of tracked files only; a tag changes nothing."""
    git(folder, "init", "--quiet")
    (folder / "pyproject.toml").write_text(OURS)
    git(folder, "add", "pyproject.toml")
    git(folder, "commit", "--quiet", "--message", "First")
    git(folder, "tag", "--annotate", "v1", "--message", "First")
    head = git(folder, "rev-parse", "HEAD")[:12]
    (folder / "new.txt").touch()
    assert version() == f"lossbench {__version__} ({head})\n"
    (folder / "pyproject.toml").write_text(f"{OURS}# changed")
    assert version() == f"lossbench {__version__} ({head}, modified)\n"


@pytest.mark.skipif(GIT is None, reason="no git")
def test_a_build_beside_untracked_files_is_modified(folder):
    """It contains those of the package and the examples that git does not ignore, and no others."""
    git(folder, "init", "--quiet")
    (folder / "pyproject.toml").write_text(OURS)
    (folder / ".gitignore").write_text("*.pyc\n")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "First")
    head = git(folder, "rev-parse", "HEAD")[:12]
    (folder / "lossbench").mkdir()
    for name in ("notes.txt", "lossbench/a.pyc"):
        (folder / name).touch()
    assert release.commit_of_build() == head
    (folder / "lossbench" / "new.py").touch()
    assert (release.commit(), release.commit_of_build()) == (head, f"{head}, modified")
    (folder / "pyproject.toml").write_text(f"{OURS}# changed")
    assert release.commit_of_build() == f"{head}, modified"


@pytest.fixture
def another(tmp_path_factory):
    """The repository of another project."""
    folder = tmp_path_factory.mktemp("another")
    git(folder, "init", "--quiet")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "Another project's")
    return folder


@pytest.mark.skipif(GIT is None, reason="no git")
@pytest.mark.parametrize("name", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"])
def test_the_repository_that_git_is_working_on_is_not_ours(name, folder, another, monkeypatch):
    """A hook of another project sets these variables for all that it starts."""
    git(folder, "init", "--quiet")
    (folder / "pyproject.toml").write_text(OURS)
    git(folder, "add", "pyproject.toml")
    git(folder, "commit", "--quiet", "--message", "First")
    head = git(folder, "rev-parse", "HEAD")[:12]
    monkeypatch.setenv(name, str(another / ".git" / "index" if name == "GIT_INDEX_FILE" else another / ".git"))
    assert version() == f"lossbench {__version__} ({head})\n"


@pytest.mark.skipif(GIT is None, reason="no git")
def test_a_repository_around_a_copy_of_lossbench_is_not_ours(another, monkeypatch):
    """Whether the copy lies in its root or in a folder that only looks like a repository."""
    (another / "pyproject.toml").write_text('[project]\nname = "another"\n')
    inner = another / "inner"
    (inner / ".git").mkdir(parents=True)
    (inner / "pyproject.toml").write_text(OURS)
    monkeypatch.setattr(release, "COMMIT", another / "commit.txt")
    for checkout in (another, inner):
        monkeypatch.setattr(release, "CHECKOUT", checkout)
        assert version() == f"lossbench {__version__}\n"


def test_the_constraints_are_a_file_of_the_package():
    """The command prints its path and nothing else."""
    done = CliRunner().invoke(cli.app, ["constraints"])
    assert (done.exit_code, done.stdout) == (0, f"{release.CONSTRAINTS}\n")
    assert release.CONSTRAINTS.is_file()


def test_every_dependency_has_a_tested_version():
    """Direct ones, and those of every package whose tested version is installed; a later one may need others."""
    tested = recorded()
    needed = dependencies(descend=lambda name: dependencies_are_known(name, tested))
    assert {canonicalize_name(Requirement(each).name) for each in PROJECT["dependencies"]} <= set(tested)
    assert set(needed) - set(tested) == set(), "run `python tests/generate_constraints.py` after all tests"


def dependencies_are_known(name, tested):
    """Whether the installed version of a package is the tested one."""
    from importlib.metadata import version

    return version(name) == tested.get(name)


@pytest.mark.parametrize("text", PROJECT["dependencies"], ids=lambda text: Requirement(text).name)
def test_a_tested_version_is_one_that_lossbench_accepts(text):
    """The range in `pyproject.toml` contains it."""
    requirement = Requirement(text)
    assert requirement.specifier.contains(recorded()[canonicalize_name(requirement.name)])


def build(source, output, *, target):
    """Build a target without an environment of its own; return the only file of the output."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(output)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (built,) = output.iterdir()
    return built


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """A wheel, a source distribution, and the wheel made from it; built from a commit of the files that are here."""
    pytest.importorskip("hatchling", reason="pip install '.[dev]'")
    if GIT is None:
        pytest.skip("no git")
    folder = tmp_path_factory.mktemp("release")
    source = folder / "source"
    for name in ("lossbench", "configs"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, source)
    git(source, "init", "--quiet")
    git(source, "add", "--all")
    git(source, "commit", "--quiet", "--message", "All")
    wheel, sdist = (build(source, folder / target, target=target) for target in ("wheel", "sdist"))
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    again = build(unpacked, folder / "again", target="wheel")
    return {"source": source, "wheel": zipfile.ZipFile(wheel), "again": zipfile.ZipFile(again), "unpacked": unpacked}


@pytest.mark.slow
def test_the_wheel_of_the_source_distribution_is_the_wheel(distributions):
    """Each file has the same name and content; RECORD has the same lines."""
    wheel, again = (
        {name: sorted(archive.read(name).splitlines()) for name in archive.namelist()}
        for archive in (distributions["wheel"], distributions["again"])
    )
    assert again.keys() == wheel.keys()
    assert [name for name in wheel if again[name] != wheel[name]] == []


@pytest.mark.slow
def test_the_wheel_has_every_file_of_the_package_that_is_used_at_run_time(distributions):
    """And the examples, the licences and nothing of the tests."""
    source, names = distributions["source"], set(distributions["wheel"].namelist())
    files = [path for path in (source / "lossbench").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    package = {path.relative_to(source).as_posix() for path in files}
    builders = {name for name in package if name.startswith(("lossbench/guide/site/", "lossbench/guide/conf.py"))}
    examples = {f"lossbench/examples/{path.name}" for path in (source / "configs").glob("*.yaml")}
    others = {"lossbench/release/build_hook.py", "lossbench/guide/zh/README.md"}
    wanted = package - builders - others | examples | {"lossbench/release/commit.txt"}
    assert wanted - names == set()
    others = {name for name in names - wanted if ".dist-info/" not in name and "/examples/" not in name}
    assert others == set()
    assert {name.rpartition("/")[2] for name in names if "/licenses/" in name} == {"LICENSE", "NOTICE"}


@pytest.mark.slow
def test_wheel_and_source_distribution_have_the_commit(distributions):
    """That of the repository that they were built from."""
    head = git(distributions["source"], "rev-parse", "HEAD")[:12]
    assert distributions["wheel"].read("lossbench/release/commit.txt").decode() == f"{head}\n"
    assert (distributions["unpacked"] / "lossbench/release/commit.txt").read_text() == f"{head}\n"
