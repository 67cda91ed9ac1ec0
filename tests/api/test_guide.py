"""The guide to the API tells of what there is: no more, and no less. That its lines work is seen in test_whole_path."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from socialhub.api import ROOT, document_text
from socialhub.api_examples import PYTHON, REFUSALS, STEPS
from socialhub.views_api import operations

pytestmark = pytest.mark.django_db

SOURCES = ("accounts/api", "publishing/api", "analytics/api", "socialhub/api.py", "publishing/webhooks/ends.py")
RAISED = (
    re.compile(r'ApiError\(\s*(\d{3}),\s*"([a-z_]+)"'),
    re.compile(r'(\d{3}): \("([a-z_]+)", _\('),
    re.compile(r'()code = "([a-z_]+)"'),  # of networks: always 409
    re.compile(r'raise Refused\((?:(?!raise)[\s\S])*?()"([a-z_]+)",?\s*\)\n'),  # of webhooks, as well
)


def raised() -> set[tuple[int, str]]:
    found = set()
    for source in SOURCES:
        place = Path(settings.BASE_DIR) / source
        for path in place.rglob("*.py") if place.is_dir() else [place]:
            for pattern in RAISED:
                found |= {(int(status or 409), code) for status, code in pattern.findall(path.read_text())}
    return found


def test_every_code_of_a_refusal_stands_in_the_guide(signed_in: Client) -> None:
    told = {(refusal.status, code) for refusal in REFUSALS for code in refusal.codes}
    assert len(told) > 20
    assert raised() == told
    page = signed_in.get(reverse("api_guide")).content.decode()
    for _status, code in told:
        assert f"<code>{code}</code>" in page


def test_every_operation_of_the_document_stands_in_the_guide(signed_in: Client) -> None:
    page = signed_in.get(reverse("api_guide")).content.decode()
    paths: dict[str, Any] = json.loads(document_text())["paths"]
    wanted = {(method.upper(), path.removeprefix(ROOT)) for path, methods in paths.items() for method in methods}
    listed = [one for found in operations().values() for one in found]
    assert {(one.method, one.path) for one in listed} == wanted
    for one in listed:
        assert f"<code>{one.method} {one.path}</code>" in page
        assert one.words, one.path
        assert one.needs, one.path


def test_every_address_in_the_examples_is_one_of_the_document() -> None:
    patterns = [
        re.compile(re.sub(r"\\{[^}]*\\}", r"[^/?\"]+", re.escape(path.removeprefix(ROOT))) + "$")
        for path in json.loads(document_text())["paths"]
    ]
    used = re.findall(r"\$HUB/([^\"?\s]+)", "".join(step.code for step in STEPS))
    used += re.findall(r'hub\(\s*"[A-Z]+",\s*f?"([^"?]+)"', PYTHON)
    assert len(used) > 15
    for address in used:
        assert any(pattern.match(re.sub(r"\$ID|\{[^}]*\}+", "x", address)) for pattern in patterns), address


def test_the_guide_speaks_of_this_installation(signed_in: Client, settings: Any) -> None:
    settings.PUBLIC_BASE_URL = "https://posts.example.org"
    page = signed_in.get(reverse("api_guide")).content.decode()
    assert "HUB=https://posts.example.org/api/social" in page
    assert "hub.example.com" not in page
    assert "2030-05-01" not in page
