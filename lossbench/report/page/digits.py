"""The test images that one loss gets right and the other wrong, as images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report import formatting
from lossbench.report.formatting import clean
from lossbench.report.page.html import Html, element, picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossbench.analysis.images import Image
    from lossbench.analysis.page_data import DigitData

MOST = 12


def section(found: Sequence[DigitData]) -> Html:
    """A choice between the losses; nothing without a baseline."""
    if not found:
        return Html()
    options = [element("div", *_parts(each), data_option=clean(each.label)) for each in found]
    return element("section", element("h3", "Images"), element("div", *options, data_switch="Loss"))


def _parts(found: DigitData) -> list[Html]:
    missing = [element("p", f"Images not shown: {clean(found.missing)}", class_="faint")] * bool(found.missing)
    if found.pair is None:
        return missing
    ours, theirs = clean(found.pair.label), clean(found.pair.reference)
    sides = (
        (f"{ours} right in most seeds where {theirs} is wrong", found.pair.gained),
        (f"{ours} wrong in most seeds where {theirs} is right", found.pair.lost),
    )
    return missing + [part for words_, images in sides for part in _side(found, words_, images)]


def _side(found: DigitData, told: str, images: Sequence[Image]) -> list[Html]:
    first = f", the first {MOST}" * (len(images) > MOST)
    head = element("p", f"{told}: {formatting.counted(len(images), 'image')}{first}")
    return [head, element("ul", *(_image(found, image) for image in images[:MOST]), class_="digits")]


def _image(found: DigitData, image: Image) -> Html:
    seeds = f"{image.seeds}/{len(found.pair.seeds)} seeds" if found.pair else ""
    told = f"#{image.index}: {image.label} taken for {image.predicted}, {seeds}"
    if found.test is None:
        return element("li", told)
    return element("li", element("img", src=picture(found.test[image.index]), alt="", width=56, height=56), told)
