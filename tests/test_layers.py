"""Imports go one way: analytics → publishing → accounts → socialhub.platforms. The sandbox stands beside platforms."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("socialhub.platforms", "accounts", "publishing", "analytics")  # from the ground up
APPS = FLOORS[1:]
SANDBOX = "socialhub.sandbox"
# Of Django the ground floor may use what knows neither models nor settings.
DJANGO_FOR_PLATFORMS = ("django.utils",)
# And of the project what itself needs nothing of it.
BELOW_PLATFORMS = ("socialhub.redaction", "socialhub.time_zones")


def inside(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def imports(module: str, source: str, *, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """Line and full name of everything imported, wherever it stands: at the top, in functions, for type checks only."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                # A package counts as a level of its own: in it "." is itself, in a module its package.
                parts = module.split(".")
                parts = parts[: len(parts) - node.level + is_package]
                base = ".".join([*parts, *([base] if base else [])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def forbidden(module: str, imported: str) -> str:
    """Why the import goes against the floors, "" if it does not."""
    if inside(module, SANDBOX):
        return "the sandbox imports nothing above platforms" if inside(imported, *APPS) else ""
    if module in BELOW_PLATFORMS:
        return "it is below everything" if inside(imported, "socialhub", "django", *APPS) else ""
    floor = next((number for number, package in enumerate(FLOORS) if inside(module, package)), None)
    if floor is None:
        return ""  # the frame (settings, urls, middleware) joins all floors
    if inside(imported, *FLOORS[floor + 1 :]):
        return f"{FLOORS[floor]} imports nothing of the floors above"
    if inside(imported, SANDBOX):
        return "the product knows nothing of the sandbox"
    if floor == 0 and inside(imported, "django") and not inside(imported, *DJANGO_FOR_PLATFORMS):
        return "platforms know no models, no settings, no requests"
    if floor == 0 and inside(imported, "socialhub") and not inside(imported, "socialhub.platforms", *BELOW_PLATFORMS):
        return "platforms import nothing of the project around them"
    return ""


def module_of(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules() -> list[Path]:
    return sorted(path for top in ("socialhub", *APPS) for path in (ROOT / top).rglob("*.py"))


def test_imports_go_one_way():
    against = [
        f"{path.relative_to(ROOT)}:{line}: {imported}: {reason}"
        for path in modules()
        for line, imported in imports(
            module_of(path), path.read_text(encoding="utf-8"), is_package=path.stem == "__init__"
        )
        if (reason := forbidden(module_of(path), imported))
    ]
    assert not against, "\n".join(against)


def test_the_walk_sees_every_floor():
    seen = {module_of(path) for path in modules()}
    assert {"socialhub.platforms.facebook", "socialhub.platforms", "accounts.models", SANDBOX} <= seen
    assert all(any(inside(module, package) for module in seen) for package in FLOORS)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("socialhub.platforms.meta", "from accounts.models import User"),
        ("socialhub.platforms.meta", "from django.conf import settings"),
        ("socialhub.platforms.meta", "from django import conf"),
        ("socialhub.platforms.meta", "import django.db.models"),
        ("socialhub.platforms.meta", "from django.http import HttpRequest"),
        ("socialhub.platforms.meta", "from socialhub import settings"),
        ("socialhub.platforms.meta", "from .. import fields"),
        ("socialhub.platforms.meta", "from socialhub.sandbox import state"),
        ("socialhub.redaction", "from socialhub.platforms.http import Reply"),
        ("accounts.tokens", "def f():\n    from publishing.models import Post"),
        ("accounts.tokens", "if TYPE_CHECKING:\n    import analytics.models"),
        ("publishing.publish", "from analytics import ingest"),
        ("publishing.publish", "from socialhub.sandbox.state import State"),
        ("socialhub.sandbox.graph.posts", "from accounts.models import ConnectedAccount"),
        ("socialhub.sandbox.graph.posts", "import publishing"),
    ],
)
def test_what_goes_against_the_floors_is_seen(module, source):
    assert any(forbidden(module, imported) for _line, imported in imports(module, source))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("socialhub.platforms.meta", "from django.utils.translation import gettext"),
        ("socialhub.platforms.meta", "from .errors import PlatformError\nfrom . import base\nimport requests"),
        ("accounts.tokens", "from socialhub.platforms import PLATFORMS\nfrom django.db import models"),
        ("analytics.ingest", "from publishing.models import Post\nfrom accounts.models import User"),
        ("socialhub.sandbox.graph.posts", "from ..state import State\nfrom socialhub.platforms import rules"),
        ("socialhub.urls", "import accounts.urls, analytics.urls"),
    ],
)
def test_what_goes_with_the_floors_passes(module, source):
    assert not any(forbidden(module, imported) for _line, imported in imports(module, source))


@pytest.mark.parametrize(
    ("source", "is_package", "imported"),
    [
        ("from . import base", False, "socialhub.platforms.base"),
        ("from . import base", True, "socialhub.platforms.meta.base"),
        ("from .base import Step", False, "socialhub.platforms.base.Step"),
        ("from ..fields import SecretTextField", False, "socialhub.fields.SecretTextField"),
    ],
)
def test_relative_imports_are_resolved(source, is_package, imported):
    assert [name for _line, name in imports("socialhub.platforms.meta", source, is_package=is_package)] == [imported]
