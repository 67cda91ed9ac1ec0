"""What people type about webhooks: an address and what it hears of, and what they look for in the log."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from publishing.forms.posts import CursorField
from publishing.models import WebhookDelivery, WebhookEndpoint
from publishing.webhooks import ends
from publishing.webhooks.payloads import KINDS, TEST


def kind_choices() -> list[tuple[str, Any]]:
    """What it means, and the name that stands in the messages: whoever writes the receiver looks for it."""
    return [(kind, format_html("<span>{} <code>{}</code></span>", meaning, kind)) for kind, meaning in KINDS.items()]


class WebhookForm(forms.Form):
    url = forms.URLField(
        label=_("Address"),
        max_length=2000,
        assume_scheme="https",
        help_text=_("Where messages are sent by POST, such as https://example.com/hooks/socialhub."),
        widget=forms.URLInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    description = forms.CharField(
        label=_("Name"), required=False, max_length=100, help_text=_("For you, to tell one from another.")
    )
    kinds = forms.MultipleChoiceField(
        label=_("Tell it of"),
        required=False,
        choices=kind_choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: everything, also what is added later."),
        error_messages={"invalid_choice": _("There is no such kind of message. Choose some of the list.")},
    )

    def __init__(self, *args: Any, endpoint: WebhookEndpoint | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if endpoint:
            self.initial = {"url": endpoint.url, "description": endpoint.description, "kinds": endpoint.kinds}

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        if why := ends.why_not(url):
            raise ValidationError(why, code="address")
        return url


class DeliveriesFilter(forms.Form):
    """The log of one endpoint; what is wrong in the query is left out of it."""

    status = forms.ChoiceField(
        label=_("Status"), required=False, choices=[("", _("Any")), *WebhookDelivery.Status.choices]
    )
    kind = forms.ChoiceField(
        label=pgettext_lazy("of a webhook", "Message"),
        required=False,
        choices=[("", _("Any")), *((kind, kind) for kind in (*KINDS, TEST))],
    )
    after = CursorField(required=False, widget=forms.HiddenInput)

    def narrowed(self, deliveries: QuerySet[WebhookDelivery]) -> QuerySet[WebhookDelivery]:
        self.is_valid()
        wanted = self.cleaned_data
        for name in ("status", "kind"):
            if wanted.get(name):
                deliveries = deliveries.filter(**{name: wanted[name]})
        if wanted.get("after"):
            at, pk = wanted["after"]
            deliveries = deliveries.filter(Q(created_at__lt=at) | Q(created_at=at, pk__lt=pk))
        return deliveries.order_by("-created_at", "-pk")


class ResumeForm(forms.Form):
    missed = forms.ChoiceField(choices=[("send", ""), ("skip", "")])
