"""Image by image: how often two losses disagree, how sure the difference is, and which digits they disagree on."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from lossbench.analysis.measure import measure
from lossbench.report import formatting
from lossbench.report.formatting import clean
from lossbench.report.wording import named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lossbench.analysis.images import Image, ImageComparison

MOST = 8


def lines(pairs: Sequence[ImageComparison], confidence: float, width: int) -> Iterator[str]:
    """A paragraph for each pair of losses."""
    accuracy = measure("accuracy")
    for pair in pairs:
        ours, theirs = clean(pair.label), clean(pair.reference)
        seeds = formatting.counted(len(pair.seeds), "seed")
        interval = f"{formatting.percent(confidence)} interval {formatting.signed_interval(accuracy, pair.interval)}"
        yield textwrap.fill(f"{named(pair.label, pair.condition)} against {theirs}, image by image", width)
        measured = f"{formatting.signed(accuracy, pair.mean)} pp, {interval} over {seeds} × {pair.images} images"
        alone = f"images a seed that one alone gets right: {ours} {pair.alone[0]:.1f}, {theirs} {pair.alone[1]:.1f}"
        yield from (
            textwrap.fill(line, width, initial_indent="  ", subsequent_indent="    ") for line in (measured, alone)
        )
        yield from _images(f"right in most seeds where {theirs} is wrong", pair.gained, pair, width)
        yield from _images(f"wrong in most seeds where {theirs} is right", pair.lost, pair, width)
        yield ""


def _images(what: str, images: Sequence[Image], pair: ImageComparison, width: int) -> Iterator[str]:
    """The number of them, and the surest: `#2462: 2 as 0 (7/8)`."""
    yield f"  {what}: {formatting.counted(len(images), 'image')}"
    if images:
        some = [
            f"#{each.index}: {each.label} as {each.predicted} ({each.seeds}/{len(pair.seeds)})"
            for each in images[:MOST]
        ]
        more = [f"and {len(images) - MOST} more"] * (len(images) > MOST)
        yield formatting.filled(", ".join([*some, *more]), width, ", ", indent="    ")
