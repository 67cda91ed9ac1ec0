"""Settings → Social accounts → Connect doctor: what each network needs, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.access import manager_required
from accounts.connect import CONNECTABLE
from accounts.doctor import Check, State, report
from accounts.models import Grant
from accounts.providers import PROVIDERS
from accounts.providers.base import Provider
from socialhub.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Section:
    """Our app at a provider, or what one person's consent there gives."""

    key: str
    title: str
    checks: list[Check]
    person: str = ""

    @property
    def troubles(self) -> int:
        return sum(check.state in (State.PROBLEM, State.WARNING) for check in self.checks)


def networks_of(provider: Provider) -> str:
    """The networks behind it, and its own name where it is none of them."""
    entries = [entry for entry in CONNECTABLE.values() if entry.provider == provider.key]
    names = ", ".join(entry.label if entry.is_through_buffer else entry.title for entry in entries)
    return names if any(entry.label == provider.label for entry in entries) else f"{provider.label}: {names}"


def app_sections(*, live: bool) -> list[Section]:
    return [
        Section(provider.key, networks_of(provider), provider.checks() if live else provider.app_checks())
        for provider in PROVIDERS.values()
    ]


def grant_sections(request: HttpRequest) -> list[Section]:
    grants = Grant.objects.filter(workspace=request.workspace).select_related("user").order_by("created_at")
    return [
        Section(
            str(grant.pk),
            PROVIDERS[grant.provider].label,
            PROVIDERS[grant.provider].checks(grant),
            grant.platform_user_name or grant.platform_user_id,
        )
        for grant in grants
        if grant.provider in PROVIDERS
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@manager_required
def doctor(request: HttpRequest) -> HttpResponse:
    """At first only what this server knows by itself; by POST the networks are asked, which takes a moment."""
    live = request.method == "POST"
    sections = app_sections(live=live) + (grant_sections(request) if live else [])
    lines = [f"socialhub connect doctor, {timezone.now():%Y-%m-%d %H:%M} UTC, {settings.PUBLIC_BASE_URL}"]
    for section in sections:
        lines += ["", *report(" · ".join(filter(None, [section.title, section.person])), section.checks)]
    return render(
        request,
        "accounts/doctor.html",
        {
            "sections": sections,
            "is_live": live,
            "grants": Grant.objects.filter(workspace=request.workspace).count(),
            "report": "\n".join(lines),
        },
    )
