"""The results of the checks of one loss as text."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

import keras  # noqa: TID253  # imported on first use

from lossbench.losses.lab.check import IMAGES, classes_of
from lossbench.losses.lab.probe import HEAD_SCALE, Probe
from lossbench.losses.labels import label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossbench.losses.expression import LossTerm
    from lossbench.losses.lab.check import CheckResult


def report(terms: Sequence[LossTerm], findings: Sequence[CheckResult], width: int) -> str:
    """Return the results as text with a verdict."""
    marks = {True: "ok", False: "NO", None: "-"}
    lines = [
        fill(
            f"  {marks[each.passed]:4}{each.name:16}{each.words}",
            width,
            subsequent_indent=" " * 22,
            break_long_words=False,
            drop_whitespace=True,
        )
        for each in findings
    ]
    passed, failed = (sum(each.passed is wanted for each in findings) for wanted in (True, False))
    verdict = f"{failed} of {passed + failed} checks failed" if failed else f"{passed} checks passed"
    classes = classes_of(terms)
    scale = f", cosines times {HEAD_SCALE:g}" if Probe(terms, classes).needs_cosines else ""
    title = f"{label(terms)}: {IMAGES} images, {classes} classes{scale}, Keras on {keras.backend.backend()}"
    return "\n".join([fill(title, width, subsequent_indent="  "), "", *lines, "", verdict])
