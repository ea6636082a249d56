"""`lossbench verify` as a process: what it prints, and with which exit status it ends."""

import json
import re
import shutil

import pytest

SMALL = "loss: focal\ndata: {train_size: 500, validation_size: 200}\ntrain: {epochs: 2}\n"


def digest(folder):
    """Every byte of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_bit_equal_within_tolerance_and_different(lossbench, tmp_path):
    """0, 0 and 3; a changed digit is named with file, epoch, column and both values; the folder stays as it is."""
    (tmp_path / "small.yaml").write_text(SMALL)
    run = tmp_path / lossbench("train", "--config", "small.yaml", "--quiet", check=0).stdout.strip()
    before = digest(run)
    equal = lossbench("verify", run)
    assert (equal.returncode, digest(run)) == (0, before)
    verdict = equal.stdout.splitlines()[1]
    assert re.fullmatch(r"bit-equal: training it again gave all [\d,]+ numbers as recorded", verdict)

    table = (run / "metrics.csv").read_text().splitlines()
    last = table[2].split(",")
    was, near, far = last[3], f"{float(last[3]) + 1e-5:.9g}", f"{float(last[3]) + 0.1:.9g}"
    for value, code, word in ((near, 0, "largest deviation: "), (far, 3, "first beyond 0.001: ")):
        table[2] = ",".join([*last[:3], value, *last[4:]])
        broken = shutil.copytree(run, tmp_path / f"broken{code}")
        (broken / "metrics.csv").write_text("\n".join(table) + "\n")
        done = lossbench("verify", broken, "--quiet", check=code)
        assert f"{word}metrics.csv, epoch 1, val_accuracy\n  recorded {value}, now {was}\n" in done.stdout
        assert "versions, device, threads and commits are as recorded" in done.stdout
        assert max(map(len, done.stdout.splitlines()[1:])) <= 80
        assert done.stderr == ("" if code == 0 else f"error: {broken}: retraining gave different numbers\n")


@pytest.mark.slow
def test_a_version_that_differs_is_named_and_json_is_for_programs(lossbench, tmp_path):
    """An older NumPy in run.json; `--json` prints an object whatever the outcome."""
    (tmp_path / "small.yaml").write_text(SMALL)
    run = tmp_path / lossbench("train", "--config", "small.yaml", "--quiet", check=0).stdout.strip()
    summary = json.loads((run / "run.json").read_text())
    now, summary["versions"]["numpy"] = summary["versions"]["numpy"], "1.0\x1b[31m"
    summary["metrics"]["test.last.nll"] += 1
    (run / "run.json").write_text(json.dumps(summary))
    done = lossbench("verify", run, check=3)
    assert f"versions.numpy: recorded 1.0, now {now}" in done.stdout
    value = json.loads(lossbench("verify", run, "--json", check=3).stdout)
    assert (value["outcome"], value["different"], value["first"]["file"]) == ("different", 1, "run.json")
    assert value["environment"] == {"versions.numpy": {"recorded": "1.0\x1b[31m", "again": now}}


def test_what_cannot_be_verified_is_one_line(lossbench, fabricate, tmp_path):
    """Nothing is trained: not completed, not this configuration, no run, a tolerance below 0."""
    diverged = fabricate(tmp_path / "a", status="diverged")
    done = lossbench("verify", diverged, check=2)
    assert done.stderr == f"error: {diverged}: expected a completed run, got one that is diverged\n"
    done = lossbench("verify", fabricate(tmp_path / "b"), check=2)
    assert re.fullmatch(
        r"error: .*: the data have changed since it was trained: expected SHA-256 'd{12}', .*\n", done.stderr
    )
    (tmp_path / "empty").mkdir()
    assert lossbench("verify", "empty").returncode == 5
    assert lossbench("verify", diverged, "--tolerance", "-1").returncode == 2
