"""The search of the built documentation site in Chromium."""

from urllib.parse import quote

import pytest
from documents import ROOT

SITE = ROOT / "build" / "site"

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("edition", "query", "found"),
    [
        ("en", "focal", "losses/focal.html"),
        ("en", "Brier score", "glossary.html"),
        ("en", "lossbench.sweep", "api.html"),
        ("zh", "focal", "losses/focal.html"),
        ("zh", "校准", "glossary.html"),
        ("zh", "标签噪声", "glossary.html"),
    ],
)
def test_a_word_is_found(edition, query, found, browser):
    """Chinese words too, which have no spaces between them."""
    page_file = (SITE / "zh" if edition == "zh" else SITE) / "search.html"
    if not page_file.exists():
        pytest.skip("extending.md has the commands that build the site")
    page = browser.new_page()
    page.goto(f"{page_file.as_uri()}?q={quote(query)}")
    results = page.locator("#search-results li a")
    results.first.wait_for()
    assert any(found in link for link in results.evaluate_all("links => links.map(each => each.href)"))
    page.close()
