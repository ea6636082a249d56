"""Paragraphs below a table: image by image, how often two losses disagree, and on which digits."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from lossbench.metrics import METRICS
from lossbench.report import formatting, wording
from lossbench.report.formatting import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lossbench.analysis.images import Image, ImageComparison

MOST = 8
"""Images per direction."""


def image_lines(pairs: Sequence[ImageComparison], confidence: float, width: int) -> Iterator[str]:
    """Yield the lines of a paragraph for each pair of losses."""
    accuracy = METRICS["accuracy"]
    for pair in pairs:
        ours, theirs = clean(pair.label), clean(pair.reference)
        ends = formatting.signed_interval(accuracy, pair.interval)
        interval = f", {formatting.percent(confidence)} interval {ends}" * bool(pair.interval)
        seeds = formatting.count_of(len(pair.seeds), "seed")
        yield textwrap.fill(f"{wording.group_name(pair.label, pair.condition)} against {theirs}, image by image", width)
        facts = (
            f"{formatting.with_sign(accuracy, pair.mean)} pp{interval} over {seeds} × {pair.images} images",
            f"images per seed that only one gets right: {ours} {pair.alone[0]:.1f}, {theirs} {pair.alone[1]:.1f}",
        )
        yield from (textwrap.fill(fact, width, initial_indent="  ", subsequent_indent="    ") for fact in facts)
        for title, images in wording.disagreements(pair):
            yield f"  {title}: {formatting.count_of(len(images), 'image')}"
            if images:
                yield formatting.fill(_named_images(images, pair), width, ", ", indent="    ")
        yield ""


def _named_images(images: Sequence[Image], pair: ImageComparison) -> str:
    """Return the surest of the images: `#2462: 2 as 0 (7/8), and 3 more`."""
    some = [
        f"#{each.index}: {each.label} as {each.predicted} ({each.seeds}/{len(pair.seeds)})" for each in images[:MOST]
    ]
    return ", ".join([*some, *[f"and {len(images) - MOST} more"] * (len(images) > MOST)])
