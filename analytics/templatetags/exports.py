"""Where the figures of a page can be had as files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

register = template.Library()

PLACES = ("after", "page")  # say where in a list somebody is; a file has all of it
WORDS = {
    "posts": _("Posts"),
    "post-days": _("By day"),
    "post-marks": _("By age of the post"),
    "account-days": _("By day"),
    "account-hours": _("By hour"),
    "audience": _("Audience"),
    "post-readings": _("All readings"),
    "hours": _("Hours of posting"),
    "compare": _("Accounts"),
    "compare-days": _("By day"),
    "campaigns": _("Campaigns"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    word: Any
    csv: str
    xlsx: str


@register.simple_tag(takes_context=True)
def export_choices(context: dict[str, Any], tables: str, of_account: Any = None, of_post: Any = None) -> list[Choice]:
    """The files of these tables (keys with commas between), narrowed as the page is. of_account, of_post: whose it is."""
    query = context["request"].GET.copy()
    for name in PLACES:
        query.pop(name, None)
    for name, row in (("account", of_account), ("post", of_post)):
        if row:
            query[name] = str(row.pk)
    asked = f"?{query.urlencode()}" if query else ""
    return [
        Choice(WORDS[key], *(reverse("analytics:export", args=[key, ending]) + asked for ending in ("csv", "xlsx")))
        for key in tables.split(",")
    ]
