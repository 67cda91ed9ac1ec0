"""The figures of publications, for the page of a post, which itself knows nothing of analytics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django import template
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from analytics.filters import WORDS
from analytics.models import PlatformPost
from analytics.reports.posts import Listed, figure_of
from analytics.templatetags.charts import amount
from publishing.models import Publication, Status

register = template.Library()

# Name, icon and word, in the order in which people look at them.
SHOWN = (
    ("views", "eye", gettext_lazy("Views")),
    ("reach", "users", gettext_lazy("Reach")),
    ("likes", "heart", gettext_lazy("Likes")),
    ("comments", "message-circle", gettext_lazy("Comments")),
    ("shares", "share", gettext_lazy("Shares")),
    ("saves", "bookmark", gettext_lazy("Saves")),
    ("clicks", "click", gettext_lazy("Clicks")),
)


@dataclass(frozen=True, slots=True)
class Known:
    """What a network has told of a post: icon, word and number of each figure, when it was asked, and the page of all."""

    figures: list[tuple[str, Any, int]]
    fetched_at: datetime | None
    address: str


@register.simple_tag
def figures_of(publications: Iterable[Publication]) -> dict[UUID, Known]:
    """By the publication's id, those that were found on their network. One query for all, none before anything is out."""
    out = [one.pk for one in publications if one.status == Status.PUBLISHED]
    if not out:
        return {}
    found = {}
    for row in PlatformPost.objects.filter(publication__in=out).defer("raw", "extra", "sources"):
        figures = [(icon, word, getattr(row, name)) for name, icon, word in SHOWN if getattr(row, name) is not None]
        if row.publication_id:
            address = reverse("analytics:post", args=[row.pk])
            found[row.publication_id] = Known(figures, row.fetched_at, address)
    return found


@register.filter
def of(known: dict[UUID, Known], publication: Publication) -> Known | None:
    return known.get(publication.pk)


@register.simple_tag
def figure_cells(row: Listed, names: Iterable[str]) -> SafeString:
    """The counts of a post as cells of a table; in one go, for there are hundreds on a page."""
    return format_html_join(
        "",
        '<td role="cell" data-number><span class="cell-word" aria-hidden="true">{}</span>{}</td>',
        ((one.word, amount(one.value, "count", one.reason)) for one in (figure_of(row.post, name) for name in names)),
    )


@register.simple_tag
def figure_heads(names: Iterable[str]) -> SafeString:
    """The headings above such cells, where nothing is sorted."""
    head = '<th scope="col" role="columnheader" data-number>{}</th>'
    return format_html_join("", head, ((WORDS[name],) for name in names))
