"""The guide to the JSON API: every step as lines to copy, with the address of this installation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from publishing.webhooks.payloads import KINDS
from socialhub.api import ROOT, document_text
from socialhub.api_examples import PYTHON, REFUSALS, STEPS, WEBHOOK, filled
from socialhub.http import HttpRequest

METHODS = ("get", "post", "patch", "put", "delete")
# The parts of the document, which itself is English, as the guide calls them.
PARTS = {
    "Accounts": _("Accounts"),
    "Figures": _("Figures"),
    "Limits": _("Limits"),
    "Media": _("Media"),
    "Posts": _("Posts"),
    "Webhooks": _("Webhooks"),
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of the list of everything. needs: the scope of the key; role: the least of its person."""

    method: str
    path: str
    words: str
    needs: str
    role: str


@cache
def operations() -> Mapping[str, list[Operation]]:
    """All of them by their part, out of the document that programs read."""
    found: dict[str, list[Operation]] = {}
    for path, methods in json.loads(document_text())["paths"].items():
        for method in METHODS:
            if told := methods.get(method):
                found.setdefault(told["tags"][0], []).append(operation_of(method, path, told))
    return found


def operation_of(method: str, path: str, told: Mapping[str, Any]) -> Operation:
    words, _rest, _more = str(told.get("description") or told.get("summary", "")).partition("\n\n")
    scopes: list[str] = next((one["apiKey"] for one in told.get("security", []) if "apiKey" in one), [])
    return Operation(
        method.upper(), path.removeprefix(ROOT), " ".join(words.split()), ", ".join(scopes), str(told.get("x-role", ""))
    )


@require_safe
def api_guide(request: HttpRequest) -> HttpResponse:
    context = {
        "base": settings.PUBLIC_BASE_URL + ROOT,
        "openapi": settings.PUBLIC_BASE_URL + reverse("api:openapi"),
        "steps": [(step, filled(step.code)) for step in STEPS],
        "python": filled(PYTHON),
        "webhook": filled(WEBHOOK),
        "kinds": KINDS,
        "refusals": REFUSALS,
        "operations": [(PARTS[part], found) for part, found in operations().items()],
        "rate": settings.API_RATE,
        "largest_mb": settings.UPLOAD_MAX_BYTES // 1024**2,
        "largest_video_mb": settings.UPLOAD_VIDEO_MAX_BYTES // 1024**2,
    }
    return render(request, "api/guide.html", context)
