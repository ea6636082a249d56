"""What the documentation site adds to the guide: loss cards, links, search; and the built site, if there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from documents import GUIDE, ROOT, blocks

from lossbench.errors import LossbenchError
from lossbench.guide import glossary
from lossbench.guide.languages import CHINESE, ENGLISH, LANGUAGES
from lossbench.losses import registry

cards, search, sources, words = (
    pytest.importorskip(f"lossbench.guide.site.{name}", reason="a wheel has no site: install lossbench with `-e`")
    for name in ("cards", "search", "sources", "words")
)

LOSSES = registry.built_in()
SITE = ROOT / "build" / "site"

pytestmark = pytest.mark.slow

each_edition = pytest.mark.parametrize("edition", ["en", "zh"])
built = pytest.mark.skipif(not (SITE / "index.html").exists(), reason="extending.md has the commands that build it")


@pytest.mark.parametrize("name", LOSSES)
def test_a_card_has_all_that_the_docstring_says(name):
    """Formula, notes and source word by word, each hyperparameter with its range, and the figure."""
    plain = re.sub(r"\[((?:doi|arXiv):.*?)\]\(https:[^ ]*\)", r"\1", cards.card(LOSSES[name], "en"))
    plain = " ".join(re.sub(r"\\([\\*_<>\[\]$])", r"\1", plain).replace("&#124;", "|").split())
    docstring = LOSSES[name].function.__doc__
    summary, formula, *others = re.split(r"\n\s*\n", docstring)
    notes = [each for each in others if not re.match(r"\s*(Link|Aliases|Args|Returns|Raises|Example):", each)]
    for text in (summary, formula, *notes):
        told = " ".join(text.split()).removeprefix("Source: ")
        assert told in plain or told.removesuffix(".") in plain
    for each in LOSSES[name].hyperparameters.values():
        assert f"| `{each.name}` |" in plain
        assert f"| {each.expected} | {each.description} |" in plain
    assert f'src="../figures/{name}.png"' in plain
    assert f"| Family | [{LOSSES[name].family}](index.md#{LOSSES[name].family}) |" in plain


@pytest.mark.parametrize("name", LOSSES)
def test_the_class_form_of_a_card_is_a_loss_of_keras(name):
    """It is made with every default; where there is none, Keras cannot have one."""
    import keras
    import numpy as np

    from lossbench.losses import get

    context = {"class_counts": [9, 5, 1], "transition_matrix": np.eye(3), "head_scale": 10.0, "epoch": 0}
    names = {"get": get, **context}
    if words.WORDS["en"]["no class form"] in cards.card(LOSSES[name], "en"):
        with pytest.raises(LossbenchError, match="state per image"):
            get(name)
    else:
        exec(cards.class_form(LOSSES[name]), names)  # noqa: S102 - code of a page
        assert isinstance(names["loss"], keras.losses.Loss)


@each_edition
def test_the_sidebar_has_every_page_once_in_the_order_of_the_index(edition):
    """And nothing else: a page that the index does not list comes at the end."""
    pages = {path.removesuffix(".md") for path in sources.paths(edition)}
    folder = GUIDE / "zh" if edition == "zh" else GUIDE
    index = (folder / "index.md").read_text()
    lines = sources.navigation(index, pages, edition).splitlines()
    listed = [line for line in lines if line and not line.startswith(("```", ":"))]
    assert sorted(listed) == sorted({*pages, "losses/index", "api"} - {"index"})
    named = [name for name in re.findall(r"\]\(([\w/-]+)\.md\)", index) if name in pages]
    assert listed[: len(named)] == list(dict.fromkeys(named))


def test_every_entry_of_the_glossary_has_an_anchor():
    """Under its term, with its words unchanged."""
    page = sources.page("glossary.md", "en")
    entries = dict(re.findall(r"^```\{glossary\}\n(.+)\n((?:  .*\n|\n)+)```$", page, re.MULTILINE))
    assert list(entries) == [entry.term for entry in glossary.entries()]
    assert [entry.term for entry in glossary.entries() if entry.text not in " ".join(entries[entry.term].split())] == []


@pytest.mark.parametrize(
    ("path", "link", "edition", "expected"),
    [
        ("compare.md", "[ci](ci.md)", "en", "[ci](ci.md)"),
        ("compare.md", "[x](zh/lessons/a.md)", "en", '<a href="zh/lessons/a.html">x</a>'),
        ("lessons/a.md", "[ci](../ci.md#gate)", "en", "[ci](../ci.md#gate)"),
        ("quickstart.md", "[ci](../ci.md#gate)", "zh", '<a href="../ci.html#gate">ci</a>'),
        ("lessons/a.md", "[ci](../../ci.md)", "zh", '<a href="../../ci.html">ci</a>'),
        ("lessons/a.md", "[q](../quickstart.md)", "zh", "[q](../quickstart.md)"),
        ("ci.md", "[x](https://x.org/a.md)", "en", "[x](https://x.org/a.md)"),
        ("ci.md", "\n```sh\n[x](../a.md)\n```\n", "zh", "\n```sh\n[x](../a.md)\n```\n"),
    ],
)
def test_a_link_to_the_other_edition_is_html(path, link, edition, expected):
    """The editions are two sites, one in a folder of the other; code is left as it is."""
    assert sources.for_site(path, link, edition) == expected


@pytest.mark.parametrize(
    ("page", "edition", "href"),
    [("api", "en", "zh/api.html"), ("losses/focal", "en", "../zh/losses/focal.html"), ("speed", "zh", "../speed.html"),
     ("losses/focal", "zh", "../../losses/focal.html"), ("no-such-page", "en", "zh/index.html")],
)  # fmt: skip
def test_a_page_links_to_the_other_edition(page, edition, href):
    """To the same page if it is there, else to the start page."""
    assert f'href="{href}"' in sources.edition_link(page, edition)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("焦点损失", {"焦", "点", "损", "失", "焦点", "点损", "损失"}),
        ("交叉熵（ECE）", {"交", "叉", "熵", "交叉", "叉熵", "ECE"}),
        ("学习率 0.1", {"学", "习", "率", "学习", "习率", "0", "1"}),
    ],
)
def test_chinese_is_found_by_characters_and_pairs(text, found):
    """Other words by themselves."""
    assert set(search.words(text)) == found


QUERIES = {
    "焦点损失": ["焦点", "点损", "损失"],
    "熵": ["熵"],
    "ECE 校准": ["ECE", "校准"],
    "label_noise, γ": ["label_noise", "γ"],
}
NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="no JavaScript outside a browser here")
@pytest.mark.parametrize("query", QUERIES)
def test_the_browser_looks_up_words_that_are_indexed(query):
    """Pairs of Chinese characters, all of which the index has."""
    script = f"{search.SPLIT_QUERY}\nconsole.log(splitQuery({query!r}).join('\\n'))"
    done = subprocess.run([NODE, "-e", script], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:-1] == QUERIES[query]
    assert set(QUERIES[query]) <= set(search.words(query))


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("Say.\n\n    a = b\n    c\n\nMore.", "Say.\n\n::\n\n    a = b\n    c\n\nMore."),
        ("Say.\n\nArgs:\n    a: What.\n\n        Deeper.\n", "Say.\n\nArgs:\n    a: What.\n\n        Deeper."),
        ("Say.\n\nExample:\n    f(1)", "Say.\n\nExample::\n\n    f(1)"),
    ],
)
def test_code_in_docstrings_stays_code(docstring, expected):
    """It is indented; so are the entries of a section, which are no code."""
    assert sources.with_literal_blocks(docstring.splitlines()) == expected.splitlines()


def test_a_source_links_to_its_papers():
    """By DOI or arXiv's number; what could end a link is escaped."""
    told = cards.linked("A (1950). On <b>. doi:10.1/5(78<1:V>2.0.CO;2; B. arXiv:1708.02002; keras.losses.C")
    assert told == (
        r"A (1950). On \<b\>. [doi:10.1/5(78\<1:V\>2.0.CO;2](https://doi.org/10.1/5%2878%3C1%3AV%3E2.0.CO%3B2); B. "
        "[arXiv:1708.02002](https://arxiv.org/abs/1708.02002); keras.losses.C"
    )


def test_both_languages_have_every_word():
    """Chinese ones without full stops and brackets of half width."""
    assert words.WORDS.keys() == LANGUAGES.keys()
    assert words.WORDS[ENGLISH].keys() == words.WORDS[CHINESE].keys()
    assert [each for each in words.WORDS[CHINESE].values() if re.search(r"[(),:;]", each)] == []


def test_ci_builds_the_site_by_the_documented_commands():
    """Both editions, with warnings as errors."""
    text = (GUIDE / "extending.md").read_text()
    commands = re.findall(r"^sphinx-build .*$", text, re.MULTILINE)
    assert len(commands) == 2
    ci = (ROOT / ".ci" / "run").read_text()
    assert [each for each in commands if each not in ci or " -W " not in each] == []


class Links(HTMLParser):
    """The files and anchors to which a page links, and its own anchors."""

    def __init__(self, text):
        super().__init__()
        self.targets, self.anchors = [], {""}
        self.feed(text)

    def handle_starttag(self, _, attrs):
        """Keep what a tag refers to."""
        given = dict(attrs)
        self.anchors.add(given.get("id"))
        self.targets += [given[key] for key in ("href", "src") if given.get(key)]


@built
def test_every_link_of_the_built_site_leads_somewhere():
    """Also those between the editions, and those to figures; anchors too."""
    pages = {path: Links(path.read_text()) for path in SITE.rglob("*.html")}
    lost = set()
    for path, page in pages.items():
        for target in page.targets:
            file, _, anchor = unquote(target).partition("#")
            there = (path.parent / file.partition("?")[0]).resolve() if file else path
            if not re.match(r"\w+:", target) and not (
                there.exists() and (there not in pages or anchor in pages[there].anchors)
            ):
                lost.add(f"{path.relative_to(SITE)}: {target}")
    assert len(pages) > 100
    assert lost == set()


@built
def test_the_built_site_has_a_card_with_a_figure_per_loss():
    """In each edition."""
    for name in LOSSES:
        assert (SITE / "figures" / f"{name}.png").stat().st_size > 10_000
        for edition in ("", "zh"):
            assert f"<h1>{name}" in (SITE / edition / "losses" / f"{name}.html").read_text()


def test_pages_are_markdown_that_a_terminal_shows_too():
    """No syntax that only the site understands."""
    files = sorted(GUIDE.rglob("*.md"))
    special = re.compile(r"^(```\{|:::|\(\w[\w-]*\)=$|%)|(?<!\w)\{[a-z-]+\}`[^`\n]+`", re.MULTILINE)
    assert [file.name for file in files if special.search(file.read_text())] == []
    assert {block.language for file in files for block in blocks(file)} <= {"sh", "console", "python", "yaml", "text"}
