"""The guide to the JSON API: every step as lines to copy, with the address of this installation."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from socialhub.http import HttpRequest


@require_safe
def api_guide(request: HttpRequest) -> HttpResponse:
    return render(request, "api/guide.html", {"base": settings.PUBLIC_BASE_URL})
