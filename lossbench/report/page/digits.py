"""Section of test images that one loss gets right and the other wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report import formatting, wording
from lossbench.report.formatting import clean
from lossbench.report.page.html import Html, element, image_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossbench.analysis.images import Image, ImageComparison
    from lossbench.analysis.page_data import DigitData

MOST = 12
"""Images per direction."""


def digits_section(found: Sequence[DigitData]) -> Html:
    """Return the images of each loss, one loss at a time; nothing without a baseline."""
    if not found:
        return Html()
    options = [element("div", *_loss_images(each), data_option=clean(each.label)) for each in found]
    return element("section", element("h3", "Images"), element("div", *options, data_switch="Loss"))


def _loss_images(found: DigitData) -> list[Html]:
    parts = [element("p", f"Images not shown: {clean(found.missing)}", class_="faint")] * bool(found.missing)
    for title, images in wording.disagreements(found.pair) if found.pair else ():
        first = f", the first {MOST}" * (len(images) > MOST)
        count = formatting.count_of(len(images), "image")
        parts.append(element("p", f"{clean(found.label)} {title}: {count}{first}"))
        items = [_image(found, found.pair, image) for image in images[:MOST] if found.pair]
        parts.append(element("ul", *items, class_="digits"))
    return parts


def _image(found: DigitData, pair: ImageComparison, image: Image) -> Html:
    seeds = f"{image.seeds}/{len(pair.seeds)} seeds"
    caption = f"#{image.index}: {image.label} taken for {image.predicted}, {seeds}"
    if found.test is None:
        return element("li", caption)
    return element("li", element("img", src=image_url(found.test[image.index]), alt="", width=56, height=56), caption)
