"""The first page: what needs attention, how the accounts do, what went out and what comes next."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from socialhub.http import HttpRequest


def dashboard(request: HttpRequest) -> HttpResponse:
    return render(request, "analytics/dashboard.html")
