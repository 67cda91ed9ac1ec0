"""The page that shows every component in every state, for those who build pages."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from socialhub.http import HttpRequest
from socialhub.platforms import LABELS
from socialhub.templatetags.ui import STATUSES


class SampleForm(forms.Form):
    title = forms.CharField(help_text="Shown above the pictures.")
    when = forms.DateTimeField(widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    role = forms.ChoiceField(choices=[("editor", "Editor"), ("viewer", "Viewer")])
    late = forms.ChoiceField(choices=[("yes", "Publish late"), ("no", "Ask me")], widget=forms.RadioSelect)
    text = forms.CharField(widget=forms.Textarea, required=False)
    picture = forms.FileField(required=False)
    agreed = forms.BooleanField(help_text="Once is enough.", label="I have looked at it")


@require_safe
def style(request: HttpRequest) -> HttpResponse:
    if not request.user.is_staff:
        raise Http404
    for level in ("success", "warning", "error"):
        if level == request.GET.get("toast"):
            getattr(messages, level)(request, "The post is scheduled for tomorrow, 09:00.")
    now = timezone.now()
    context = {
        "platforms": LABELS,
        "statuses": STATUSES,
        "form": SampleForm(),
        "invalid_form": SampleForm({"title": "", "agreed": ""}, auto_id="invalid_%s"),
        "moments": [now + timedelta(seconds=seconds) for seconds in (-5, -400, -9_000, -100_000, 500, 40_000, 10**7)],
        "numbers": [0, 7, 1204, 9_999, 12_499, 3_000_000, None],
    }
    return render(request, "styleguide.html", context)
