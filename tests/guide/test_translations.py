"""Translated pages: the same code, numbers, headings and links as the English ones, in Chinese typography."""

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from documents import GUIDE, ROOT, TRANSLATIONS, blocks, inline, links, source, text_of
from generate_guide import written
from rich.cells import cell_len

from lossbench import guide
from lossbench.errors import UsageError
from lossbench.guide import glossary, languages, terminal
from lossbench.guide.line_breaks import CLOSING, OPENING

README = ROOT / "README.md"
CHINESE = GUIDE / "zh"
HAN = "[\u3400-\u9fff]"
WIDE = "[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]"
NUMBER = r"(?<!\w)\d+(?:[.,]\d+)*"

each_translation = pytest.mark.parametrize(
    "file", TRANSLATIONS, ids=lambda file: file.relative_to(GUIDE).with_suffix("").as_posix()
)
each_page = pytest.mark.parametrize(
    "file",
    [file for file in TRANSLATIONS if file.stem != guide.INDEX],
    ids=lambda file: file.relative_to(GUIDE).with_suffix("").as_posix(),
)


def original(file):
    """The English file that a translation translates; of any other file, the file."""
    if not file.is_relative_to(CHINESE):
        return file
    return README if file == CHINESE / README.name else GUIDE / file.relative_to(CHINESE)


def translation(file):
    """The Chinese version of an English file, if there is one; else the file."""
    relative = Path(README.name) if file == README else file.relative_to(GUIDE)
    return CHINESE / relative if (CHINESE / relative).exists() else file


def sections(file):
    """Code and numbers outside code blocks, per heading."""
    return list(map(contents, re.split(r"^#+ ", re.sub(r"<!--.*?-->", "", text_of(file)), flags=re.MULTILINE)))


def contents(text):
    """Inline code, and numbers outside it."""
    code = re.findall(r"`([^`\n]+)`", text)
    words = re.sub(r"`[^`\n]+`|\]\([^)]*\)", " ", text)
    return Counter(code), Counter(re.findall(NUMBER, words))


def test_languages_are_the_folders_of_translated_pages():
    """One folder per language other than English, one language per folder."""
    folders = {file.parent.name for file in GUIDE.glob(f"*/{guide.INDEX}.md")}
    assert folders == set(languages.LANGUAGES) - {languages.ENGLISH}


@each_translation
def test_a_translated_page_exists_in_english(file):
    """Under the same name."""
    assert original(file).exists()


@each_page
def test_code_blocks_are_those_of_the_english_page(file):
    """Character by character and in order, comments and output included."""
    assert [f"{block.language}\n{block.text}" for block in blocks(file)] == [
        f"{block.language}\n{block.text}" for block in blocks(original(file))
    ]


@each_page
def test_headings_are_those_of_the_english_page(file):
    """One for one, level by level."""
    assert [len(level) for level in re.findall(r"^(#+) ", text_of(file), re.MULTILINE)] == [
        len(level) for level in re.findall(r"^(#+) ", text_of(original(file)), re.MULTILINE)
    ]


@each_page
def test_tables_have_the_same_cells_code_and_numbers(file):
    """Row by row."""

    def rows(text):
        found = re.findall(r"^\|.*", text, re.MULTILINE)
        return [(row.replace(r"\|", "").count("|"), *contents(row)) for row in found]

    assert rows(text_of(file)) == rows(text_of(original(file)))


@each_page
def test_code_and_numbers_of_the_english_page_are_in_the_same_section(file):
    """Additional code is a term that lossbench prints, such as `undecided` after its translation."""
    for chinese, english in zip(sections(file), sections(original(file)), strict=True):
        missing = [each for some, others in zip(english, chinese, strict=True) for each in some if each not in others]
        assert missing == [], f"{file.name} lacks {missing}, which a section of {original(file)} has"
    for code in set(inline(file)) - set(inline(original(file))):
        assert glossary.find(code), f"`{code}` is not in {original(file)}"


def linked(file, target):
    """The file that a link in a file leads to."""
    path, _, _ = target.partition("#")
    return (file.parent / path).resolve() if path else file


def targets(file):
    """How often a page links to each file, by its English version, and to each address."""
    return Counter(
        [
            *(original(linked(file, target)) for _, target in links(file)),
            *re.findall(r"\]\((https?:[^)]+)\)", text_of(file)),
        ]
    )


@each_page
def test_links_lead_where_those_of_the_english_page_lead(file):
    """To the same pages, lessons and addresses."""
    assert targets(file) == targets(original(file))


@each_translation
def test_links_lead_to_translations(file):
    """Where there are any, and to headings that exist; only the README leads to its English version."""
    for _, target in links(file):
        page = linked(file, target)
        assert page.exists(), target
        is_translated = translation(original(page)) == page or (file.name, page) == (README.name, README)
        assert is_translated, f"{target}: link to the translation"
        _, _, anchor = target.partition("#")
        headings = re.findall(r"^#+ (.*)", text_of(page), re.MULTILINE)
        assert not anchor or anchor in {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


def test_the_index_lists_the_translated_pages_in_the_order_of_the_english_one():
    """Each with a line; pages that are not translated may be listed too."""
    chinese, english = (
        [(folder / target).resolve() for _, target in links(folder / f"{guide.INDEX}.md")]
        for folder in (CHINESE, GUIDE)
    )
    listed = [original(file) for file in chinese]
    assert listed == [file for file in english if file in listed]
    assert {file for file in TRANSLATIONS if file.name not in {README.name, f"{guide.INDEX}.md"}} <= set(chinese)


@each_translation
def test_generated_tables_are_those_of_the_code(file):
    """`python tests/generate_guide.py` writes them again."""
    assert written(file.read_text()) == file.read_text()


@each_translation
def test_a_paragraph_is_one_line(file):
    """Chinese text has no blanks, and Markdown makes one of each end of a line."""
    text = text_of(file)
    broken = re.findall(rf"^.*{WIDE}\n(?![-|#>]|\d+\.){WIDE}.*", text, re.MULTILINE)
    assert broken == [], "write the paragraph or list item in one line"


@each_translation
def test_punctuation_is_full_width_and_latin_words_are_set_off_by_blanks(file):
    """Code, numbers and Latin words have a blank beside a Chinese character, but not beside punctuation."""
    text = re.sub(r"\[([^]\n]+)\]\([^)\s]+\)", r"\1", re.sub(r"<!--.*?-->", "", text_of(file)))
    text = re.sub(r"`[^`\n]+`", "code", text.replace("**", ""))
    wrong = {
        "half-width punctuation": rf"{HAN} ?[,.:;?!()]|[,;?!] ?{HAN}|[()]{HAN}",
        "no blank between Chinese and Latin": rf"{HAN}[A-Za-z0-9]|[A-Za-z0-9%]{HAN}",
        "a blank beside full-width punctuation": r"[，。：；、？！（）“”] +[^|\n -]|[^|\n-] +[，。：；、？！（）]",
        "a blank between Chinese characters": rf"{HAN} +{HAN}",
    }
    found = {
        fault: re.findall(rf".{{0,12}}(?:{pattern}).{{0,12}}", text)
        for fault, pattern in wrong.items()
        if re.search(pattern, text)
    }
    assert found == {}


@each_translation
@pytest.mark.parametrize("columns", [40, 80])
def test_a_translated_page_fits_the_terminal_and_loses_no_character(file, columns, monkeypatch):
    """In display columns, of which a Chinese character fills two; lines begin and end with the right punctuation."""
    monkeypatch.setenv("COLUMNS", str(columns))
    text = file.read_text()
    plain = re.sub(r"\x1b\[[0-9;]*m", "", terminal.render(text))
    assert [line for line in plain.splitlines() if cell_len(line) > columns] == []
    source = re.sub(r"^\|[^|]*(?=.*\n\| ---)", "", text, flags=re.MULTILINE)
    lost = Counter(re.findall(WIDE, re.sub(r"<!--.*?-->", "", source))) - Counter(re.findall(WIDE, plain))
    assert lost == {}
    code = "".join([*(block.text for block in blocks(file)), *inline(file)])
    assert plain.count("**") == code.count("**"), "bold text ends before punctuation or a blank: **焦点**（focal）"
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    assert [line for line in lines if line[0] in CLOSING & set("，。：；、？！）")] == []
    assert [line for line in lines if line[-1] in OPENING & set("（“")] == []


def test_the_chinese_glossary_has_the_terms_of_the_english_one():
    """In the same order under as many subjects; `lossbench explain` prints the English ones."""
    text = (CHINESE / f"{glossary.PAGE}.md").read_text()
    chinese = re.findall(r"^\*\*([^*]+)\*\*（[^）\n]+）：\S", text, re.MULTILINE)
    english = [entry.term for entry in glossary.entries()]
    missing, unknown = (
        [term for term in some if term not in others] for some, others in ((english, chinese), (chinese, english))
    )
    assert missing == [], f"explain {', '.join(missing)} in zh/{glossary.PAGE}.md as well: **term**（名称）：…"
    assert unknown == [], f"zh/{glossary.PAGE}.md explains {', '.join(unknown)}, which {glossary.PAGE}.md does not"
    assert chinese == english, "write the entries in the order of the English page"


LOCALES = [
    ({}, "en"),
    ({"LANG": "zh_CN.UTF-8"}, "zh"),
    ({"LC_MESSAGES": "zh_TW.UTF-8", "LANG": "en_GB.UTF-8"}, "zh"),
    ({"LC_ALL": "zh_CN.GB18030", "LC_MESSAGES": "C", "LANG": "C"}, "zh"),
    ({"LC_ALL": "C.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
    ({"LC_ALL": "", "LANG": "zh"}, "zh"),
    ({"LC_MESSAGES": "de_DE.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
    ({"LANGUAGE": "zh"}, "en"),
    ({"LANGUAGE": "zh", "LANG": "C.UTF-8"}, "en"),
    ({"LANGUAGE": "zh", "LC_ALL": "POSIX"}, "en"),
    ({"LANGUAGE": "zh_TW", "LANG": "de_DE.UTF-8"}, "zh"),
    ({"LANGUAGE": "fr:zh:en", "LANG": "fr_FR"}, "zh"),
    ({"LANGUAGE": "en_GB:zh", "LANG": "zh_CN"}, "en"),
    ({"LANGUAGE": "fr", "LANG": "zh_CN"}, "en"),
    ({"LANGUAGE": "", "LANG": "zh_CN@pinyin"}, "zh"),
    ({"LANG": "zhuang"}, "en"),
]


@pytest.mark.parametrize(("environment", "code"), LOCALES)
def test_the_locale_chooses_the_language(environment, code, commands, tmp_path):
    """LANGUAGE, except in the locale C; else the first of LC_ALL, LC_MESSAGES and LANG that is set; or `--lang`."""
    done = commands("guide", "quickstart", cwd=tmp_path, **environment)
    assert (done.code, done.out, done.err) == (0, guide.path("quickstart", code).read_text(), "")
    for named in languages.LANGUAGES:
        done = commands("guide", "--lang", named, "quickstart", cwd=tmp_path, **environment)
        assert (done.code, done.out, done.err) == (0, guide.path("quickstart", named).read_text(), "")


@pytest.mark.parametrize("name", ["zh", "ZH", "zh_CN", "zh-Hans", "zh-hant-TW", "zh_CN.UTF-8"])
def test_a_language_is_known_by_every_tag_of_it(name):
    """In any case, with region, script or encoding."""
    assert languages.chosen(name) == "zh"


@pytest.mark.parametrize("name", ["zhuang", "z", "", "C", "zh CN"])
def test_a_name_of_another_language_is_none_of_ours(name):
    """Also if it begins like one."""
    with pytest.raises(UsageError, match="choose en or zh"):
        languages.chosen(name)


def test_an_unknown_language_is_a_usage_error(commands, tmp_path):
    """One message with the languages that there are; a locale of that language is none."""
    done = commands("guide", "--lang", "fr", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert done.err.strip() == "error: --lang: no language 'fr'; choose en or zh"
    assert commands("guide", cwd=tmp_path, LANG="fr_FR.UTF-8").out == commands("guide", cwd=tmp_path).out


def test_the_help_names_every_language(commands, tmp_path):
    """And completion proposes them."""
    shown = " ".join(commands("guide", "--help", cwd=tmp_path).out.replace("│", " ").split())
    assert f"Language of the manual: {' or '.join(languages.LANGUAGES)}." in shown


def untranslated():
    """A page that is only in English."""
    return next(name for name in guide.pages() if guide.path(name, "zh") == guide.path(name))


def test_a_page_without_translation_is_shown_in_english_and_says_so(commands, tmp_path):
    """In one line on stderr, so that a pipe gets the page alone; a beginning of its name does the same."""
    name = untranslated()
    done = commands("guide", name, "--lang", "zh", cwd=tmp_path)
    assert (done.code, done.out) == (0, guide.path(name).read_text())
    assert done.err.strip() == languages.LANGUAGES["zh"].untranslated
    assert commands("guide", "quick", "--lang", "zh", cwd=tmp_path).out == guide.path("quickstart", "zh").read_text()


def test_the_list_is_in_chinese_and_marks_what_is_not(commands, tmp_path):
    """Every page and lesson, with the line of the Chinese index where it has one."""
    done = commands("guide", "--lang", "zh", cwd=tmp_path)
    assert done.code == 0
    assert [line for line in done.out.splitlines() if cell_len(line) > 80] == []
    listed = dict(line.split(maxsplit=1) for line in done.out.splitlines() if " " in line)
    assert list(listed) == [*guide.pages(), *guide.lessons()]
    for name, line in listed.items():
        is_chinese = source(name, "zh").is_relative_to(CHINESE)
        assert line.endswith("（英文）") != is_chinese
        assert re.search(HAN, line.removesuffix("（英文）")) or not is_chinese


def test_translations_are_part_of_the_wheel():
    """It holds the whole package, but for the README, which no command shows."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert build["packages"] == ["lossbench"]
    assert {"include", "only-include"} & set(build) == set()
    excluded = [path for path in build["exclude"] if CHINESE.name in path.split("/") or path.endswith(".md")]
    assert excluded == ["/lossbench/guide/zh/README.md"]
