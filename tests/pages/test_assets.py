"""One stylesheet out of many: all parts, in order, in development and after collectstatic."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import override_settings

from socialhub.assets import IMPORT, JOINED, join, parts

CSS = Path(settings.BASE_DIR) / "static" / "css"
LISTING = CSS / "socialhub.css"


def test_every_component_is_in_the_one_stylesheet() -> None:
    assert {path.name for path in parts(LISTING)} == {path.name for path in CSS.glob("*.css")} - {LISTING.name}


def test_the_layers_are_ordered_before_anything_else() -> None:
    assert parts(LISTING)[0].name == "tokens.css"


def test_the_joined_file_holds_the_text_of_each_part_and_no_import() -> None:
    text = join(LISTING)
    assert not IMPORT.search(text)
    assert "@import" not in text
    places = [text.index(path.read_text().rstrip()) for path in parts(LISTING)]
    assert places == sorted(places)


def test_what_is_found_follows_the_parts(tmp_path: Path) -> None:
    (tmp_path / "css").mkdir()
    (tmp_path / JOINED).write_text('@import url("one.css");\n@import url("two.css");\n')
    (tmp_path / "css" / "one.css").write_text("a { color: red }\n")
    (tmp_path / "css" / "two.css").write_text("b { color: red }\n")
    with override_settings(STATICFILES_DIRS=[tmp_path], BASE_DIR=tmp_path):
        finders.get_finder.cache_clear()
        try:
            found = finders.find(JOINED)
            assert isinstance(found, str)
            assert Path(found).read_text() == "a { color: red }\nb { color: red }\n"
            written = Path(found).stat().st_mtime_ns
            assert finders.find(JOINED) == found
            assert Path(found).stat().st_mtime_ns == written
            (tmp_path / "css" / "two.css").write_text("b { color: blue }\n")
            assert Path(str(finders.find(JOINED))).read_text() == "a { color: red }\nb { color: blue }\n"
        finally:
            finders.get_finder.cache_clear()


def test_collectstatic_takes_the_joined_file_and_names_it_after_its_content(tmp_path: Path) -> None:
    storage = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    storages = {**settings.STORAGES, "staticfiles": {"BACKEND": storage}}
    with override_settings(STATIC_ROOT=tmp_path, STORAGES=storages):
        call_command("collectstatic", interactive=False, verbosity=0)
    (hashed,) = tmp_path.glob("css/socialhub.*.css")
    assert hashed.read_text() == join(LISTING)
