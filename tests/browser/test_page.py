"""The report page in Chromium."""

import itertools

import pytest
from hostile import hostile

pytestmark = pytest.mark.slow
CE = "categorical_crossentropy"


@pytest.fixture
def opened(browser, lossbench, fabricate, tmp_path):
    """The page of three losses in two conditions, and what it complained of and asked for."""
    for rate in (0.0, 0.4):
        noise = {"data.label_noise": {"type": "symmetric", "rate": rate}} if rate else {}
        for place, loss in enumerate((CE, "focal", "dice")):
            for seed in (0, 1):
                fabricate(tmp_path / "runs", loss, seed, strength=2.0 + place - rate, images=200, config=noise)
    lossbench("report", "runs", check=0)
    page, told, asked = browser.new_page(), [], []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "report.html").as_uri())
    yield page, told, asked
    page.close()


def losses(page):
    """The losses of the first table, from the top, as they are shown."""
    return page.locator("table").first.locator("tbody tr:visible th").all_inner_texts()


def test_it_loads_in_silence_and_asks_for_nothing(opened):
    """No word in the console, no request but the file itself."""
    page, told, asked = opened
    assert (told, asked) == ([], [page.url])


INJECTIONS = (
    "<script>alert(1)</script>", "</script><script>alert(1)</script>", '"><img src=x onerror=alert(1)>',
    "<svg onload=alert(1)>", "<iframe src=http://localhost:9/>", "<a href=javascript:alert(1)>here</a>",
    "<style>@import url(http://localhost:9/)</style>", "<meta http-equiv=refresh content='0;http://localhost:9/'>",
)  # fmt: skip


def test_a_page_of_hostile_runs_runs_nothing_and_asks_for_nothing(browser, lossbench, tmp_path):
    """No dialog, no word, no request, no element but the page's own; not while it is filtered and sorted either."""
    for number, text in enumerate(INJECTIONS):
        hostile(tmp_path / "runs" / str(number), text, label=text)
    lossbench("report", "runs", check=0)
    page, told, asked = browser.new_page(), [], []
    page.on("console", lambda message: told.append(message.text))
    page.on("dialog", lambda dialog: (told.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "report.html").as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    page.get_by_label("Filter losses").first.fill(INJECTIONS[0])
    page.get_by_label("Filter runs").fill(INJECTIONS[2])
    page.locator("table").first.locator("thead th button").first.click()
    page.wait_for_timeout(500)
    assert (told, asked) == ([], [page.url])
    assert page.locator("script").count() == 1
    assert page.locator("iframe, svg[onload], img[onerror], a[href^=javascript], meta[content*=localhost]").count() == 0
    assert INJECTIONS[0] in page.locator("table").first.inner_text()
    page.close()


@pytest.mark.parametrize("width", [400, 800, 1280])
def test_nothing_is_wider_than_the_window(opened, width):
    """Not at any of three widths, with every run opened."""
    page, _, _ = opened
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_table_sorts_by_keyboard_and_says_how(opened):
    """By name, then by number in both directions; `aria-sort` follows."""
    page, _, _ = opened
    head = page.locator("table").first.locator("thead th")
    head.nth(0).locator("button").focus()
    page.keyboard.press("Enter")
    assert losses(page) == [CE, "dice", "focal"]
    head.nth(2).locator("button").click()
    assert losses(page) == [CE, "focal", "dice"]
    assert head.nth(2).get_attribute("aria-sort") == "ascending"
    assert head.nth(0).get_attribute("aria-sort") is None
    head.nth(2).locator("button").click()
    assert losses(page) == ["dice", "focal", CE]


WITHOUT_CLIPBOARD = 'Object.defineProperty(navigator, "clipboard", {value: undefined})'


def csv_of(page):
    """The lines of CSV of the first table, as the page holds them."""
    table = page.locator("table").first
    return [
        table.get_attribute("data-csv"),
        *table.locator("tbody tr").evaluate_all("all => all.map(each => each.dataset.csv)"),
    ]


@pytest.mark.parametrize("has_clipboard", [True, False])
def test_a_table_is_copied_by_keyboard(opened, has_clipboard):
    """All rows as CSV, whether the browser lets the page write to the clipboard or only copy a selection."""
    page, told, _ = opened
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    read = page.evaluate_handle("() => { const all = navigator.clipboard; return () => all.readText(); }")
    if not has_clipboard:
        page.evaluate(WITHOUT_CLIPBOARD)
    button = page.get_by_role("button", name="Copy as CSV").first
    button.focus()
    page.keyboard.press("Enter")
    page.get_by_text("3 rows copied").wait_for()
    assert page.evaluate("read => read()", read).splitlines() == csv_of(page)
    assert page.evaluate("document.activeElement.textContent") == "Copy as CSV"
    assert page.locator("textarea").count() == 0
    assert told == []


def test_what_cannot_be_copied_is_shown_selected(opened):
    """The rows that the filter shows, in the order that they have now, for the reader's own keys."""
    page, _, _ = opened
    page.evaluate(WITHOUT_CLIPBOARD)
    page.evaluate("document.execCommand = () => false")
    page.locator("table").first.locator("thead th button").first.click()
    page.get_by_label("Filter losses").first.fill("c")
    page.get_by_role("button", name="Copy as CSV").first.click()
    page.get_by_text("copy the selected text").wait_for()
    area = page.locator("textarea")
    head, first, second, third = csv_of(page)
    assert [each.split(",")[0] for each in (first, second, third)] == [CE, "dice", "focal"]
    assert area.input_value().splitlines() == [head, first, second, third]
    page.get_by_label("Filter losses").first.fill("foc")
    page.get_by_role("button", name="Copy as CSV").first.click()
    assert page.locator("textarea").input_value().splitlines() == [head, third]
    assert page.evaluate("[document.activeElement.selectionStart, document.activeElement.selectionEnd]") == [
        0,
        len(f"{head}\n{third}\n"),
    ]


@pytest.mark.parametrize("width", [400, 800, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_forest_plot_has_the_width_and_legible_words(opened, width, scheme):
    """From edge to edge of the page; nothing lies on anything else, and every word is at least 11 pixels high."""
    page, _, _ = opened
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    box = page.locator(".rows").first.bounding_box()
    page_box = page.locator("main").bounding_box()
    assert box["width"] == pytest.approx(page_box["width"])
    rows = page.locator(".rows").first.locator(".row:not(.ends)")
    assert rows.count() == 3
    for row in rows.all():
        cells = [row.locator(name).bounding_box() for name in (".label", ".plot", ".said")]
        assert all(cell["width"] > 40 for cell in cells)
        for one, other in itertools.combinations(cells, 2):
            across = min(one["x"] + one["width"], other["x"] + other["width"]) - max(one["x"], other["x"])
            down = min(one["y"] + one["height"], other["y"] + other["height"]) - max(one["y"], other["y"])
            assert min(across, down) < 1
    sizes = page.locator(".rows").first.evaluate(
        "all => [...all.querySelectorAll('div, text')].map(each => parseFloat(getComputedStyle(each).fontSize))"
    )
    assert min(sizes) >= 11


def test_a_table_and_the_runs_filter(opened):
    """What does not hold the word is hidden, and how many are shown is told."""
    page, _, _ = opened
    page.get_by_label("Filter losses").first.fill("foc")
    assert losses(page) == ["focal"]
    page.get_by_label("Filter runs").fill("dice seed 1")
    assert page.locator("details.run:visible").count() == 2
    assert page.locator("[data-filter='Filter runs'] output").inner_text() == "2 of 12 shown"


def test_curves_switch_between_metrics(opened):
    """One row of charts is shown, the one chosen."""
    page, _, _ = opened
    switch = page.locator("[data-switch=Metric]").first
    assert switch.locator(".charts:visible").count() == 1
    switch.locator("select").select_option(label="validation NLL (nats)")
    assert switch.locator(".charts:visible").get_attribute("data-option") == "validation NLL (nats)"


def test_every_chart_has_a_name(opened):
    """For those who listen."""
    page, _, _ = opened
    names = page.locator("svg").evaluate_all("all => all.map(each => each.getAttribute('aria-label'))")
    assert len(names) > 50
    assert all(names)


def test_dark_is_dark(opened):
    """Text and paper change places with the system's scheme."""
    page, _, _ = opened
    colour = "getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="light")
    assert page.evaluate(colour) == "rgb(255, 255, 255)"
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(colour) == "rgb(21, 23, 26)"
