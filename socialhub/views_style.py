"""The page that shows every component in every state, for those who build pages."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.forms.boundfield import BoundField
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from socialhub.http import HttpRequest
from socialhub.platforms import LABELS
from socialhub.templatetags.ui import STATUSES, THEMES

SECTIONS = {
    "tokens": "Tokens",
    "icons": "Icons",
    "buttons": "Buttons",
    "states": "States, networks, figures, times",
    "alerts": "Alerts and toasts",
    "form": "Fields",
    "choices": "Chips, segments, counters",
    "progress": "Progress and steps",
    "lists": "Lists, tables, tabs, menus",
    "stats": "Figures",
    "charts": "Charts",
    "media": "Media",
    "calendar": "Calendar",
    "empty": "Nothing there, and too much",
}
SWATCHES = {
    "Grounds": ("paper", "surface", "surface-sunk", "surface-raised", "hover", "scrim"),
    "Lines": ("line", "line-strong", "line-control"),
    "Words": ("ink", "ink-soft", "ink-faint"),
    "Accent": ("accent", "accent-hover", "accent-ink", "accent-text", "accent-soft"),
    "Meanings": (
        *("success", "success-soft", "warning", "warning-soft"),
        *("danger", "danger-soft", "danger-fill", "danger-ink", "info", "info-soft"),
    ),
    "Charts": ("chart-1", "chart-2", "chart-3", "chart-4", "chart-5", "chart-6"),
    "On pictures": ("on-media", "media-shade", "media-ground"),
}
SIZES = {
    "Space": ("space-1", "space-2", "space-3", "space-4", "space-5", "space-6", "space-8", "space-10", "space-12"),
    "Radius": ("radius-s", "radius-m", "radius-l", "radius-full"),
    "Shadow": ("shadow-s", "shadow-m", "shadow-l"),
    "Type": ("text-xs", "text-s", "text-m", "text-l", "text-xl", "text-2xl", "text-3xl"),
}
CHART_WORDS = ("Camaro Club", "Joe's Garage", "Restoration", "Parts", "Coast Road")
LONG = "1969 Camaro Restoration, from the barn find to the coast road in eight pictures of the engine bay and more"


class SampleForm(forms.Form):
    bound_field_class = BoundField  # the page does not begin at its invalid sample

    title = forms.CharField(help_text="Shown above the pictures.")
    when = forms.DateTimeField(widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    role = forms.ChoiceField(choices=[("editor", "Editor"), ("viewer", "Viewer")])
    late = forms.ChoiceField(choices=[("yes", "Publish late"), ("no", "Ask me")], widget=forms.RadioSelect)
    text = forms.CharField(widget=forms.Textarea, required=False)
    secret = forms.CharField(widget=forms.PasswordInput, required=False)
    picture = forms.FileField(required=False)
    agreed = forms.BooleanField(help_text="Once is enough.", label="I have looked at it")


class DisabledForm(forms.Form):
    title = forms.CharField(disabled=True, initial="Cannot be changed now")
    role = forms.ChoiceField(choices=[("editor", "Editor")], disabled=True)
    agreed = forms.BooleanField(disabled=True, label="I have looked at it")


@dataclass(frozen=True)
class Entry:
    """What the calendar shows of a post."""

    at: datetime
    status: str
    words: str
    platforms: tuple[str, ...] = ("facebook", "instagram")
    files: str = ""
    pk: UUID = field(default=UUID(int=0))
    is_movable: bool = False
    half: str = ""


@dataclass(frozen=True)
class Look:
    """The page once, in one scheme; both may stand beside each other, so ids begin with its name."""

    theme: str

    @property
    def form(self) -> SampleForm:
        return SampleForm(auto_id=f"{self.theme}_%s")

    @property
    def disabled_form(self) -> DisabledForm:
        return DisabledForm(auto_id=f"{self.theme}_disabled_%s")

    @property
    def invalid_form(self) -> SampleForm:
        prefix = f"{self.theme}_" if self.theme else ""
        return SampleForm({"title": "", "agreed": ""}, auto_id=f"{prefix}invalid_%s")


@cache
def icon_names() -> list[str]:
    sprite = Path(settings.BASE_DIR) / "static" / "icons.svg"
    return re.findall(r'<symbol id="([^"]+)"', sprite.read_text())


def entries(now: datetime) -> list[Entry]:
    hour = now.replace(minute=30)
    states = ("published", "scheduled", "draft", "publishing", "checking", "failed", "partly_failed")
    return [
        Entry(hour + timedelta(hours=number), status, LONG[number * 5 :], tuple(LABELS)[number : 2 * number])
        for number, status in enumerate(states)
    ] + [Entry(hour, "draft", LONG, files=files) for files in ("waiting", "missing")]


def sample_chart() -> str:
    """A week as `analytics/_chart.html` would lay it down: bars, five lines, a day without figures, a break."""
    days = range(14, 21)
    curves = [[number * 90 + (day * (number + 3)) % 70 for day in days] for number in range(1, 6)]
    bars: list[int | None] = [310, 420, 0, None, 380, 505, 290]
    lines = [{"word": "Views", "values": bars, "bars": True}]
    lines += [{"word": word, "values": values} for word, values in zip(CHART_WORDS, curves, strict=True)]
    lines += [{"word": "The 7 days before", "values": [250, 300, 340, 310, 290, 400, 410], "before": True}]
    return json.dumps(
        {
            "times": [day * 86_400 for day in days],
            "axis": [f"{day} Nov" for day in days],
            "whole": [f"{day} November" for day in days],
            "lines": [{"unit": "count", "bars": False, "before": False, "level": False, **line} for line in lines],
            "breaks": [3],
        }
    )


@require_safe
def style(request: HttpRequest) -> HttpResponse:
    if not request.user.is_staff:
        raise Http404
    for level in ("success", "warning", "error"):
        if level == request.GET.get("toast"):
            getattr(messages, level)(request, "The post is scheduled for tomorrow, 09:00.")
    now = timezone.localtime()
    scheme = request.GET.get("scheme", "")
    shown = THEMES if scheme == "both" else (scheme if scheme in THEMES else "",)
    context = {
        "sections": SECTIONS,
        "scheme": scheme if scheme in (*THEMES, "both") else "",
        "looks": [Look(theme) for theme in shown],
        "swatches": SWATCHES,
        "sizes": SIZES,
        "icons": icon_names(),
        "platforms": LABELS,
        "statuses": STATUSES,
        "moments": [now + timedelta(seconds=seconds) for seconds in (-5, -400, -9_000, -100_000, 500, 40_000, 10**7)],
        "numbers": [0, 7, 1204, 9_999, 12_499, 3_000_000, None],
        "entries": entries(now),
        "many": range(1, 13),
        "chart": sample_chart(),
        "chart_words": CHART_WORDS,
        "long": LONG,
    }
    return render(request, "styleguide.html", context)
