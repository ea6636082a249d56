"""`lossbench compare --plots` as a process."""

import pytest


@pytest.fixture
def runs(fabricate, tmp_path):
    """Two losses, two seeds."""
    for seed in (0, 1):
        fabricate(tmp_path / "runs", "categorical_crossentropy", seed, images=100)
        fabricate(tmp_path / "runs", "focal", seed, strength=3.0, images=100)
    return tmp_path / "runs"


@pytest.mark.slow
def test_the_table_is_the_same_and_the_files_are_counted(new_process, lossbench, runs, tmp_path):
    """Stdout as without plots; stderr one line; PNG and SVG side by side."""
    plain = lossbench("compare", runs, "--metric", "accuracy", check=0)
    done = new_process(
        "compare", runs, "--metric", "accuracy", "--plots", "out/of/here", check=0, PYTHONWARNINGS="error"
    )
    assert done.stdout == plain.stdout
    files = sorted(path.name for path in (tmp_path / "out" / "of" / "here").iterdir())
    assert done.stderr == f"plots: {len(files)} files in out/of/here\n"
    assert [name for name in files if name.endswith(".png")] == [
        "confusion-difference.png",
        "confusion.png",
        "curves-accuracy.png",
        "curves-val_accuracy.png",
        "curves-val_nll.png",
        "forest.png",
        "reliability.png",
        "seeds-accuracy.png",
    ]


def test_what_could_not_be_read_is_named(lossbench, runs, tmp_path):
    """The rest is drawn."""
    broken = min((runs / "study").iterdir())
    (broken / "predictions.npz").write_bytes(b"")
    done = lossbench("compare", runs, "--metric", "accuracy", "--plots", "out", check=0)
    assert done.stderr.startswith(f"not drawn: {broken}: predictions.npz: ")
    assert (tmp_path / "out" / "reliability.png").exists()


def test_a_folder_that_is_a_file_is_one_line(lossbench, runs, tmp_path):
    """Exit 1 with its name, no traceback."""
    (tmp_path / "out").write_text("")
    done = lossbench("compare", runs, "--metric", "accuracy", "--plots", "out", check=1)
    assert done.stderr == "error: out: cannot be written: File exists\n"


def test_single_runs_are_not_drawn(lossbench, runs, tmp_path):
    """`--list` with `--plots` is refused, not half done."""
    done = lossbench("compare", runs, "--list", "--plots", "out", check=2)
    assert done.stderr == "error: --plots: a list of single runs has none; leave out --list\n"
    assert not (tmp_path / "out").exists()
