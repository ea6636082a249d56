"""`lossbench diff` as a process: tables at 80 columns, JSON, exit statuses."""

import json


def test_only_what_differs_is_printed(lossbench, fabricate, tmp_path):
    """Both folders, then a table for each part; accuracy in per cent and points, no colour in a pipe."""
    a = fabricate(tmp_path / "a", "focal", 0)
    digests = {"identity": "b", "data": "e" * 64}
    b = fabricate(tmp_path / "b", "brier", 0, strength=4.0, threads=2, hashes=digests)
    done = lossbench("diff", tmp_path / "a", b, check=0)
    lines = done.stdout.splitlines()
    assert done.stderr == ""
    assert lines[:2] == [f"A  {a}", f"B  {b}"]
    assert max(map(len, lines[2:])) <= 80
    assert "\x1b" not in done.stdout
    rows = {line.split()[0]: line.split()[1:] for line in lines[2:] if line}
    assert rows["loss.name"] == ["focal", "brier"]
    assert rows["threads"] == ["1", "2"]
    assert rows["sha256.data"] == ["d" * 12, "e" * 12]
    before, after = (json.loads((run / "run.json").read_text())["metrics"]["test.last.accuracy"] for run in (a, b))
    change = f"{100 * (after - before):+#.2g}".rstrip(".")
    assert rows["test.last.accuracy"] == ["%", f"{100 * before:.2f}", f"{100 * after:.2f}", change]
    assert "seed" not in rows


def test_a_run_and_itself(lossbench, fabricate, tmp_path):
    """One sentence instead of tables."""
    run = fabricate(tmp_path)
    assert lossbench("diff", run, run, check=0).stdout.splitlines()[2:] == [
        "",
        "no difference: configuration, environment and metrics are the same",
    ]


def test_json_is_unrounded(lossbench, fabricate, tmp_path):
    """A mapping for each part; the change of a metric is B - A."""
    a, b = fabricate(tmp_path / "a", "focal", 0), fabricate(tmp_path / "b", "focal", 1, config={"data.path": "x"})
    value = json.loads(lossbench("diff", a, b, "--json", check=0).stdout)
    assert value["configuration"] == {"seed": {"a": 0, "b": 1}, "data.path": {"a": None, "b": "x"}}
    nll = value["metrics"]["test.last.nll"]
    assert nll["change"] == nll["b"] - nll["a"]


def test_what_a_file_says_moves_no_cursor(lossbench, fabricate, tmp_path):
    """Terminal escapes in a value and in a key are left out."""
    a = fabricate(tmp_path / "a", config={"model.\x1b[2Jname": "\x1b[31mred\x07"}, device={"name": "\x1b]0;t\x07x"})
    done = lossbench("diff", a, fabricate(tmp_path / "b"), check=0)
    assert "red" in done.stdout
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout


def test_exit_statuses(lossbench, fabricate, tmp_path):
    """5 where there is no run, 2 where there are several or one cannot be read; a line each."""
    run = fabricate(tmp_path / "a")
    (tmp_path / "empty").mkdir()
    (fabricate(tmp_path / "broken") / "run.json").write_text("{")
    fabricate(tmp_path / "two", seed=0)
    fabricate(tmp_path / "two", seed=1)
    for name, code in (("empty", 5), ("broken", 2), ("two", 2), ("absent", 2)):
        done = lossbench("diff", run, tmp_path / name, check=code)
        assert (done.stdout, name in done.stderr) == ("", True)
        assert all(line.startswith("error: ") for line in done.stderr.splitlines())
