"""`lossbench report` as a process: one file, nothing from outside in it, nothing from run folders executed."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from lossbench import softmax
from lossbench.config.datasets import DATASETS
from lossbench.data import fileset, sources
from lossbench.runs import paths, write

CE = "categorical_crossentropy"
HOSTILE = "<img src=x onerror=alert(1)></script><script>alert(2)</script>\"' onload=alert(3)"


class Elements(HTMLParser):
    """Every element of a page with its attributes, and its text."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Keep it."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        """Keep it."""
        self.text += data


@pytest.fixture
def runs(fabricate, tmp_path):
    """Two losses over six seeds; the second is far better."""
    for seed in range(6):
        fabricate(tmp_path / "runs", CE, seed, strength=1.0, images=300)
        fabricate(tmp_path / "runs", "focal", seed, strength=4.0, images=300)
    return tmp_path / "runs"


def test_the_headline_and_the_table_are_those_of_compare(lossbench, runs, tmp_path):
    """The difference, its interval and the mean stand in both, to the last digit."""
    done = lossbench("report", runs, "-o", "out.html", check=0)
    assert re.fullmatch(r"out.html: 12 runs, 0\.\d\d MB\n", done.stdout)
    markdown = lossbench("compare", runs, "--format", "markdown", check=0).stdout
    page = Elements((tmp_path / "out.html").read_text())
    row = next(line for line in markdown.splitlines() if line.startswith("| focal"))
    delta, interval = re.search(r"([+−][\d.]+) \| \\\[(.*?)\\\]", row).groups()
    heading = re.search(r"focal is better than \w+: .*?seeds", page.text)[0]
    assert heading == (f"focal is better than {CE}: {delta} pp in accuracy, 95 % interval [{interval}], 6 seeds")


def test_each_row_carries_itself_as_csv(lossbench, fabricate, tmp_path):
    """Head and rows are those of `compare --format csv`, unrounded, condition by condition; a formula is text."""
    for rate in (0.0, 0.4):
        noise = {"data.label_noise": {"type": "symmetric", "rate": rate}} if rate else {}
        for loss in (CE, "focal", '=1+1 "quoted", with a comma'):
            for seed in (0, 1):
                fabricate(tmp_path / "runs", loss, seed, images=100, config=noise)
    lossbench("report", "runs", "-o", "out.html", check=0)
    elements = Elements((tmp_path / "out.html").read_text()).elements
    found = [(tag, given["data-csv"]) for tag, given in elements if "data-csv" in given]
    head, *rows = lossbench("compare", "runs", "--format", "csv", check=0).stdout.splitlines()
    assert found == [
        ("table", head),
        *(("tr", row) for row in rows[:3]),
        ("table", head),
        *(("tr", row) for row in rows[3:]),
    ]
    assert "'=1+1" in rows[0] + rows[1] + rows[2]


def test_each_condition_begins_with_its_forest_plot(lossbench, runs, tmp_path):
    """Before the table; the verdict and the remarks stand in rows, and no sentence repeats them."""
    lossbench("report", runs, "-o", "out.html", check=0)
    text = (tmp_path / "out.html").read_text()
    assert 0 < text.index('class="rows"') < text.index("<table")
    assert text.count("focal is better than") == 2  # the title of the window and the headline


def test_nothing_is_fetched(lossbench, runs, tmp_path):
    """No address but data: and places in the page; the policy allows nothing else."""
    lossbench("report", runs, "-o", "out.html", check=0)
    elements = Elements((tmp_path / "out.html").read_text()).elements
    assert not {tag for tag, _ in elements} & {"link", "iframe", "object", "embed", "base", "form"}
    addresses = [value for _, given in elements for name, value in given.items() if name in {"src", "href"}]
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in addresses)
    policy = next(given["content"] for _, given in elements if given.get("http-equiv"))
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_hostile_run_folders_inject_nothing(lossbench, fabricate, tmp_path):
    """HTML in a loss's label, a log, a configuration, a reason and versions stays text."""
    for seed in (0, 1):
        fabricate(tmp_path / "runs", CE, seed, images=100)
        folder = fabricate(
            tmp_path / "runs", HOSTILE, seed, images=100, config={"model.name": HOSTILE}, versions={HOSTILE: HOSTILE}
        )
        write.append_log(folder / paths.LOG, HOSTILE)
        fabricate(tmp_path / "runs", "focal", seed, status="diverged", reason=HOSTILE)
    lossbench("report", tmp_path / "runs", "-o", "out.html", check=0)
    page = Elements((tmp_path / "out.html").read_text())
    assert HOSTILE in page.text
    assert [tag for tag, _ in page.elements if tag == "script"] == ["script"]
    assert not [given for tag, given in page.elements if tag == "img" and given.get("src") == "x"]
    assert not [name for _, given in page.elements for name in given if name.startswith("on")]


def with_real_test_set(folder, fixed):
    """Let a run predict every real test image rightly but for the first ten, of which it gets `fixed` right."""
    labels = fileset.read_folder(sources.folder("mnist")).test_labels
    predicted = labels.copy()
    wrong = [place for place in range(10) if place not in fixed]
    predicted[wrong] = (labels[wrong] + 1) % 10
    logs = softmax.log_softmax(8.0 * np.eye(10)[predicted])
    write.predictions(folder / paths.PREDICTIONS, labels, {"last": logs, "best": logs})


def test_the_images_that_one_loss_fixes_are_those_of_the_test_set(lossbench, fabricate, tmp_path):
    """The pixels in the page are the real digit's, read back by another decoder."""
    import base64
    import io

    from matplotlib.image import imread

    hashes = {"data": DATASETS["mnist"].sha256, "plugin": None}
    for seed in (0, 1):
        for loss, fixed in ((CE, [7]), ("focal", [3])):
            folder = fabricate(tmp_path / "runs", loss, seed, hashes={"identity": loss, **hashes})
            with_real_test_set(folder, fixed)
    lossbench("report", tmp_path / "runs", "-o", "out.html", check=0)
    page = Elements((tmp_path / "out.html").read_text())
    images = [given["src"] for tag, given in page.elements if tag == "img"]
    shown = [imread(io.BytesIO(base64.b64decode(src.partition(",")[2])), format="png") for src in images]
    mnist = fileset.read_folder(sources.folder("mnist"))
    assert np.array_equal(np.round(255 * np.stack(shown)), mnist.test_images[[3, 7]])
    assert f"#3: {fileset.read_folder(sources.folder('mnist')).test_labels[3]} taken for" in page.text


def test_images_that_are_not_at_hand_are_named_as_such(lossbench, runs, tmp_path):
    """The data of these runs have another digest: the page says so, and lists the images by number."""
    lossbench("report", runs, "-o", "out.html", check=0)
    text = Elements((tmp_path / "out.html").read_text()).text
    assert "Images not shown: " in text


def test_what_could_not_be_read_is_named_on_the_page_and_on_stderr(lossbench, runs, tmp_path):
    """The rest is drawn, and the run still counts."""
    broken = min((runs / "study").iterdir())
    (broken / paths.METRICS).write_text("epoch\nsoon\n")
    done = lossbench("report", runs, "-o", "out.html", check=0)
    assert done.stderr == f"not drawn: {broken}: metrics.csv: expected a number, got 'soon'\n"
    assert done.stderr.strip() in Elements((tmp_path / "out.html").read_text()).text


def test_a_page_that_cannot_be_written_is_one_line(lossbench, runs):
    """Its name and the reason, exit 1, no traceback."""
    done = lossbench("report", runs, "-o", "no/such/folder/out.html", check=1)
    assert done.stderr.startswith("error: no/such/folder/out.html: ")
    assert len(done.stderr.splitlines()) == 1


def test_no_run_is_exit_5(lossbench, tmp_path):
    """And no page."""
    (tmp_path / "empty").mkdir()
    lossbench("report", "empty", check=5)
    assert not (tmp_path / "report.html").exists()


@pytest.mark.usefixtures("runs")
def test_the_page_takes_the_options_of_compare(tmp_path, monkeypatch):
    """Every option that selects, compares or judges, with one declaration for both commands."""
    import inspect

    from typer.testing import CliRunner

    from lossbench.cli import app
    from lossbench.cli.compare import compare
    from lossbench.cli.report import report

    parameters = [inspect.signature(command).parameters for command in (compare, report)]
    shown_only = {"pivot", "sort", "top", "only_changed", "images", "list_runs", "plots", "format", "json", "output"}
    shown_only |= {"caption", "latex_label", "save_baseline"}
    assert set(parameters[0]) - set(parameters[1]) == shown_only - {"output"}
    for name in set(parameters[0]) & set(parameters[1]) - {"output"}:
        assert parameters[0][name].annotation == parameters[1][name].annotation
    monkeypatch.chdir(tmp_path)
    gate = ["--fail-if", "delta.accuracy < 99pp", "--unpaired", "--across", "data.name", "--require-seeds", "6"]
    done = CliRunner().invoke(app, ["report", "runs", "-o", "page.html", *gate])
    assert getattr(done.exception, "exit_code", 0) == 3
    text = Elements((tmp_path / "page.html").read_text()).text
    assert "Gate" in text
    assert "failed: focal" in text
