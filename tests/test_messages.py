"""Every text for people is marked, and translated; nothing is translated at the wrong time or in the wrong shape."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from gettext import GNUTranslations
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import allauth
import pytest
from django.conf import settings
from django.template.base import Lexer, TokenType
from django.utils import translation
from django.utils.formats import date_format

from accounts.borrowed import FROM_ALLAUTH
from socialhub.formats.de.formats import WRITTEN

ROOT = Path(settings.BASE_DIR)
OTHERS = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def catalogue_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("catalogue", ROOT / "bin" / "catalogue.py")
    assert spec
    assert spec.loader
    module = sys.modules.setdefault("catalogue", importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module


catalogue = catalogue_module()
SOURCES = list(catalogue.sources())
# A page that shows designers every component, with made-up words in it.
FOR_DESIGNERS = ROOT / "templates" / "styleguide.html"
TEMPLATES = [path for path in SOURCES if path.suffix != ".py" and path != FOR_DESIGNERS]
MODULES = [path for path in SOURCES if path.suffix == ".py"]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# --- The catalogue --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", OTHERS)
def test_everything_that_is_marked_is_translated(language):
    faults = [
        fault
        for message in catalogue.keys_of(catalogue.updated(language)).values()
        for fault in catalogue.faults_of(message)
    ]
    assert not faults, f"{len(faults)} messages; run bin/messages, translate, run it again:\n" + "\n".join(faults[:20])


@pytest.mark.parametrize("language", OTHERS)
def test_the_files_are_what_the_sources_and_translations_make(language):
    catalog = catalogue.updated(language)
    path = catalogue.po_path(language)
    assert path.read_bytes() == catalogue.po_bytes(catalog), "run bin/messages"
    assert path.with_suffix(".mo").read_bytes() == catalogue.mo_bytes(catalog), "run bin/messages"


@pytest.mark.parametrize(
    ("text", "string"),
    [
        ("Hello %(name)s", ""),
        ("Hello %(name)s", "Hallo"),
        ("Hello %(name)s", "Hallo %(nam)s"),
        ("{done} files", "{fertig} Dateien"),
        (" or ", "oder"),
        ("Call it Book", 'Nenne es "Buch"'),
        (("%(count)d file", "%(count)d files"), ("%(count)d Datei", "")),
        (("%(count)d file", "%(count)d files"), ("%(count)d Datei", "Dateien")),
    ],
)
def test_a_fault_of_a_translation_is_found(text, string):
    catalog = catalogue.new_catalog("de")
    assert catalogue.faults_of(catalog.add(text, string=string))


@pytest.mark.parametrize(
    ("text", "string"),
    [
        ("Hello %(name)s", "Hallo %(name)s"),
        ("100 %", "100 %"),
        (("%(count)d file", "%(count)d files"), ("eine Datei", "%(count)d Dateien")),
    ],
)
def test_a_sound_translation_passes(text, string):
    catalog = catalogue.new_catalog("de")
    assert catalogue.faults_of(catalog.add(text, string=string)) == []


def test_texts_of_templates_and_modules_are_found():
    marked = catalogue.keys_of(catalogue.collect())
    assert (None, "Skip to content") in marked  # a template
    assert (None, "Your profile is saved.") in marked  # gettext
    assert (None, "Access expired") in marked  # gettext_lazy
    assert (None, "It is due.") in marked  # gettext_noop
    assert (None, "%(count)d minute") in marked  # ngettext
    assert ("short figure", "%(number)sk") in marked  # pgettext_lazy
    assert (None, "connected account") in marked  # the name of a model, as the administration shows it
    assert (None, "access token") in marked  # and of a field


def test_what_is_borrowed_from_allauth_is_still_said_there():
    path = Path(allauth.__file__).parent / "locale" / "de" / "LC_MESSAGES" / "django.mo"
    with path.open("rb") as file:
        theirs = GNUTranslations(file)
    assert [text for text in FROM_ALLAUTH if theirs.gettext(text) == text] == []


# --- What is not marked ---------------------------------------------------------------------------------------

SHOWN = {"title", "aria-label", "placeholder", "alt", "aria-description", "aria-roledescription", "label", "content"}
GAP = "\ue000"  # what a tag or a variable puts there
UNTRANSLATED = re.compile(
    r"\b(socialhub|Facebook|Instagram|LinkedIn|Pinterest|YouTube|TikTok|Threads|Mastodon|Bluesky|Buffer|Google|Meta|X"
    r"|UTC|HTTP|JPEG|PNG|WebP|GIF|HEIC|MP4|MOV|PDF|CSV|XLSX|MB|kB|API|OAuth|ID|SHA-256|px|ms)\b"
)
WORD = re.compile(r"[^\W\d_]{2,}")
LITERAL = re.compile(r"""(?<![\w(])("[^"]*"|'[^']*')""")
PROSE = re.compile(r"^[A-Z][a-z]+( |$|[.,:!?…])|(?<![\w-])[a-z]+ [a-z]+ [a-z]+(?![\w-])")  # a-key b-key: names
OPENING = ("blocktranslate", "blocktrans", "comment")
CLASS_BLOCKS = ("bodyclass", "coltype", "extra_tags")  # their text becomes an attribute
INSIDE_OF_A_TAG = ("_upload_texts.html", "button.html")  # these begin or end there


class Shown(HTMLParser):
    """Texts between elements, and in the attributes that people see or hear."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in ("script", "style", "code")
        is_read = tag != "meta" or ("name", "description") in attrs
        for name, value in attrs:
            if is_read and (name in SHOWN or name.startswith("data-text")):
                self.see(value or "")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style", "code")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.see(data)

    def see(self, text: str) -> None:
        if WORD.search(UNTRANSLATED.sub("", text)):
            self.found.append(" ".join(text.replace(GAP, "…").split()))


def unmarked(source: str) -> list[str]:
    """What of a template is in English whoever reads it."""
    kept, until, literals = [], "", []
    for token in Lexer(source).tokenize():
        words = token.contents.split()
        if until:
            until = "" if token.token_type == TokenType.BLOCK and words[:1] == [until] else until
            continue
        if token.token_type == TokenType.TEXT:
            kept.append(token.contents)
            continue
        kept.append("" if token.token_type == TokenType.COMMENT else GAP)
        if token.token_type == TokenType.BLOCK and words[0] in OPENING:
            until = f"end{words[0]}"
        elif token.token_type == TokenType.BLOCK and words[0] == "block" and words[1] in CLASS_BLOCKS:
            until = "endblock"
        elif token.token_type in (TokenType.BLOCK, TokenType.VAR) and words[0] not in ("translate", "trans"):
            literals += [text[1:-1] for text in LITERAL.findall(token.contents) if PROSE.search(text[1:-1])]
    parser = Shown()
    parser.feed("".join(kept))
    parser.close()
    return parser.found + literals


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_marks_every_text(path):
    source = path.read_text(encoding="utf-8")
    assert unmarked(f"<div {source}>" if path.name in INSIDE_OF_A_TAG else source) == []


@pytest.mark.parametrize(
    "markup",
    [
        "<p>Nothing here</p>",
        "<p>{{ count }} posts</p>",
        '<button aria-label="Close">×</button>',
        '<img alt="A picture">',
        '<input placeholder="Search {{ what }}">',
        '<div data-text-done="Ready">',
        '{% nav_link "publishing:library" "books" "Library" %}',
        '{{ name|default:"Without text" }}',
        "{% blocktranslate %}Marked{% endblocktranslate %} and not",
    ],
)
def test_a_text_that_is_not_marked_is_found(markup):
    assert unmarked(markup)


@pytest.mark.parametrize(
    "markup",
    [
        '<p title="{% translate "Marked" %}">{% translate "Marked, too" %} · {{ count }}</p>',
        "{# A remark #}{% comment %}Another one{% endcomment %}",
        '{% blocktranslate %}Marked <em title="as well">here</em>{% endblocktranslate %}',
        '{{ name|default:_("Without text") }} {{ at|date:"D j M Y, H:i" }}',
        "<h1>socialhub</h1><code>manage.py migrate</code>",
    ],
)
def test_what_is_marked_passes(markup):
    assert unmarked(markup) == []


SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))
COMMENT = re.compile(r"/\*.*?\*/|(?<![:\"'`])//[^\n]*", re.S)
SENTENCE = re.compile(r"([\"'`])(?:(?!\1).)*?[A-Z][a-z]+ [a-z]+(?:(?!\1).)*\1")


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_scripts_hold_no_words(path):
    """They take them from data attributes, which are translated."""
    assert [match[0] for match in SENTENCE.finditer(COMMENT.sub("", path.read_text()))] == []


# --- When it is translated ------------------------------------------------------------------------------------

EAGER = {"gettext", "ngettext", "pgettext", "npgettext"}


def eager_names(tree: ast.Module) -> set[str]:
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if alias.name in EAGER
    }


def run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """What runs while the module is read: everything but the bodies of functions."""
    yield node
    for field, value in ast.iter_fields(node):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and field == "body":
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from run_at_import(child)


def translated_at_import(source: str) -> list[int]:
    tree = ast.parse(source)
    names = eager_names(tree)
    return [
        node.lineno
        for node in run_at_import(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
    ]


def formatted_before(source: str) -> list[int]:
    """f-strings and results handed to gettext: no message has such an id."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and (node.func.id == "_" or node.func.id in catalogue.KEYWORDS)
        and node.args
        and isinstance(node.args[0], ast.JoinedStr | ast.BinOp)
    ]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_translates_for_whoever_reads_and_not_when_it_is_loaded(path):
    source = path.read_text(encoding="utf-8")
    assert translated_at_import(source) == []
    assert formatted_before(source) == []


def test_a_text_that_is_translated_too_soon_is_found():
    begin = "from django.utils.translation import gettext as _\n"
    assert translated_at_import(begin + "NAMES = {1: _('One')}")
    assert translated_at_import(begin + "class A:\n    label = _('One')")
    assert not translated_at_import(begin + "def f():\n    return _('One')\nNAMES = [lambda: _('Two')]")
    assert formatted_before("_(f'Hello {name}')")
    assert formatted_before("_('Hello ' + name)")


# --- Dates ----------------------------------------------------------------------------------------------------

ASKED_IN_TEMPLATES = re.compile(r"\|date:_?\(?[\"']([^\"']+)[\"']")
ASKED_IN_MODULES = re.compile(r"date_format\([^\n]*?[\"']([^\"'\n]*[jlDFM][^\"'\n]*)[\"']\s*\)")
SAME_EVERYWHERE = {
    "c",
    "Y-m-d",
    "H:i",
    "H:i:s",
    "D",
    "l",
    "M",
    "F",
    "Y",
    "F Y",
    "W",
    "U",
    "D, H:i",
    "N",
    "Y-m-d H:i:s",
    "H:i:s e",
}


def test_every_way_to_write_a_date_is_known_in_german():
    asked = {
        written
        for path in SOURCES
        for pattern in (ASKED_IN_TEMPLATES, ASKED_IN_MODULES)
        for written in pattern.findall(path.read_text(encoding="utf-8"))
    }
    assert "j F Y" in asked
    named = {written for written in asked if written.isupper()}  # DATETIME_FORMAT: Django knows it
    assert asked - named - SAME_EVERYWHERE - set(WRITTEN) == set()


@pytest.mark.parametrize(
    ("language", "written", "expected"),
    [
        ("en", "D j M Y, H:i", "Sat 21 Nov 2026, 14:05"),
        ("de", "D j M Y, H:i", "Sa, 21. Nov 2026, 14:05"),
        ("de", "l, j F Y, H:i", "Samstag, 21. November 2026, 14:05"),
        ("de", "DATETIME_FORMAT", "21. November 2026, 14:05"),
    ],
)
def test_a_date_is_written_as_its_readers_write_it(language, written, expected):
    with translation.override(language):
        assert date_format(datetime(2026, 11, 21, 14, 5, tzinfo=UTC), written) == expected
