"""Rules that hold for every template of ours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

from socialhub.platforms import LABELS
from socialhub.templatetags import ui

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html")) + sorted((ROOT / "socialhub").rglob("templates/**/*.html"))
ICONS = set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static" / "icons.svg").read_text()))

# What the content security policy blocks, or what htmx can only do with eval. A blocked event filter is the worst:
# htmx ignores it and sends the request all the same.
FORBIDDEN = {
    "style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.I),
    "style element": re.compile(r"<style\b", re.I),
    "script with a body": re.compile(r"<script\b(?![^>]*\bsrc=)", re.I),
    "hx-on": re.compile(r"\b(?:data-)?hx-on\b", re.I),
    "js: value": re.compile(r"=\s*[\"'](?:js|javascript):", re.I),
    "event attribute": re.compile(r"<[^>]*\son[a-z]+\s*=", re.I),
    "event filter": re.compile(r"\bhx-trigger\s*=\s*(?:\"[^\"]*\[|'[^']*\[)", re.I),
}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_holds_nothing_that_the_policy_blocks(path: Path) -> None:
    source = path.read_text()
    # A mail brings its own styles, and no policy; elements for them are enough.
    allowed = {"style element"} if path.parent.name == "mail" else set()
    assert [name for name, pattern in FORBIDDEN.items() if pattern.search(source) and name not in allowed] == []


@pytest.mark.parametrize(
    "markup",
    [
        '<p style="color: red">',
        "<style>p { color: red }</style>",
        "<script>alert(1)</script>",
        "<script nonce='x'>alert(1)</script>",
        '<a hx-on:click="x">',
        '<a href="javascript:x">',
        "<a hx-vals='js:{a: 1}'>",
        '<button onclick="x">',
        '<p hx-trigger="click[ctrlKey] from:body">',
    ],
)
def test_the_rules_find_what_they_forbid(markup: str) -> None:
    assert any(pattern.search(markup) for pattern in FORBIDDEN.values())


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_names_only_icons_that_exist(path: Path) -> None:
    named = set(re.findall(r"{%\s*icon\s+[\"']([^\"']+)[\"']", path.read_text()))
    assert named - ICONS == set()


def test_the_tags_name_only_icons_that_exist() -> None:
    named = {name for _, name, _ in ui.STATUSES.values()} | {f"brand-{key.replace('_', '-')}" for key in LABELS}
    assert named - ICONS == set()


@pytest.mark.parametrize(
    "path",
    [path for path in TEMPLATES if path.is_relative_to(ROOT / "templates")],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_template_compiles(path: Path) -> None:
    get_template(str(path.relative_to(ROOT / "templates")))
