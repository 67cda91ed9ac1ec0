"""What the log of a webhook says in words: kinds of messages, and why one was not taken."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from publishing.webhooks.payloads import KINDS, TEST

register = template.Library()


@register.filter
def kind_words(kind: str) -> str:
    """As it is called where somebody chooses; the kind itself where an older version knew one that is gone."""
    return _("A test") if kind == TEST else str(KINDS.get(kind, kind))
