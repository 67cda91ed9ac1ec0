"""How much a browser has to fetch before the pages look and work as they should."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
LINK = re.compile(r"{%\s*static\s+[\"']([^\"']+\.(?:css|js))[\"']\s*%}")
SCRIPT = re.compile(r"<script\b[^>]*>")
BUDGET_BYTES = 150 * 1024


def linked() -> set[str]:
    return {name for path in TEMPLATES for name in LINK.findall(path.read_text())}


def packed(name: str) -> int:
    found = finders.find(name)
    assert isinstance(found, str), f"{name} is linked and not there"
    return len(gzip.compress(Path(found).read_bytes(), 9, mtime=0))


def test_all_styles_and_scripts_of_all_pages_stay_within_the_budget() -> None:
    sizes = {name: packed(name) for name in linked()}
    assert "css/socialhub.css" in sizes
    assert any(name.startswith("vendor/") for name in sizes)
    heaviest = sorted(sizes.items(), key=lambda item: -item[1])
    assert sum(sizes.values()) <= BUDGET_BYTES, heaviest


def test_nothing_is_kept_that_no_page_links() -> None:
    folders = [ROOT / "static" / "js", ROOT / "static" / "css" / "pages", ROOT / "static" / "vendor"]
    there = {
        str(path.relative_to(ROOT / "static"))
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix in (".js", ".css")
    }
    assert there - linked() == set()


def test_no_script_holds_up_the_first_paint() -> None:
    found = [tag for path in TEMPLATES for tag in SCRIPT.findall(path.read_text()) if "src=" in tag]
    assert found
    assert [tag for tag in found if " defer" not in tag] == []
