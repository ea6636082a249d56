"""The classes of one run: confusion counts and scores side by side, and the pairs that are confused most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lossbench.report import formatting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from rich.text import Text

    from lossbench.inspect.details import RunDetails

HEADERS = ("images", "prec.", "recall", "F1 %")
MOST_CLASSES = 20
MOST_PAIRS = 6


def class_table(run: RunDetails, width: int) -> Text:
    """Return the scores on the test set at the last epoch; empty if there are none.

    The counts are left out if they do not fit the width; of many classes only the worst are shown.
    """
    from rich.text import Text

    scores, counts = run.per_class.get("last"), run.confusion.get("last")
    if not scores:
        return Text()
    labels = class_labels(run.run.config)
    shown = sorted(sorted(scores, key=lambda row: row["f1"])[:MOST_CLASSES], key=lambda row: row["class"])
    title, lines = "test set, last epoch", _scores(shown, labels)
    if counts is not None and len(counts) == len(scores) == len(shown):
        wide = _counts_and_scores(shown, counts, labels)
        if max(map(len, wide)) <= width:
            title, lines = f"{title}; rows: true class, columns: predicted class", wide
    title += f"; the {len(shown)} worst of {len(scores)} classes" * (len(shown) < len(scores))
    text = Text(f"{title}\n", style="bold")
    text.append("\n".join(lines), style="not bold")
    if counts is not None and (pairs := ", ".join(_most_confused(counts, labels))):
        text.append("\n" + formatting.fill(f"most often confused: {pairs}", width, ", "), style="not bold")
    return text


def class_labels(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the label in the data files of each class, where `data.classes` names them; the classes count from 0."""
    data = config.get("data")
    chosen = data.get("classes") if isinstance(data, dict) else None
    return {
        str(index): formatting.clean(str(label))
        for index, label in enumerate(chosen if isinstance(chosen, list) else [])
    }


def _scores(scores: Sequence[Mapping[str, Any]], labels: Mapping[str, str]) -> list[str]:
    return formatting.align([["class", *HEADERS], *([_name(row, labels), *_shares(row)] for row in scores)])


def _counts_and_scores(
    scores: Sequence[Mapping[str, Any]], counts: NDArray[Any], labels: Mapping[str, str]
) -> list[str]:
    """Return the counts, zeros as dots, then the scores of the row's class."""
    names = [_name(row, labels) for row in scores]
    cells = [[str(count) if count else "·" for count in row] for row in counts.tolist()]
    left = [["", *names], *([name, *row] for name, row in zip(names, cells, strict=True))]
    right = [HEADERS, *map(_shares, scores)]
    return [f"{a}  {b}" for a, b in zip(*(formatting.align(each, gap=" ") for each in (left, right)), strict=True)]


def _name(row: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    index = f"{row['class']:.0f}"
    return labels.get(index, index)


def _shares(row: Mapping[str, Any]) -> list[str]:
    return [f"{row['support']:.0f}", *(f"{100 * row[name]:.1f}" for name in ("precision", "recall", "f1"))]


def _most_confused(counts: NDArray[Any], labels: Mapping[str, str]) -> Iterator[str]:
    """Yield the largest counts off the diagonal: `4 as 9 (12)`."""
    wrong = [(-count, true, predicted) for (true, predicted), count in np.ndenumerate(counts) if true != predicted]
    for count, true, predicted in sorted(wrong)[:MOST_PAIRS]:
        if count:
            shown = (labels.get(str(each), str(each)) for each in (true, predicted))
            yield f"{' as '.join(shown)} ({-count})"
