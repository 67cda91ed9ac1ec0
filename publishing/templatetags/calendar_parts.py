"""The signs of an entry of the calendar. It holds hundreds of them, so each is as light as it can be."""

from __future__ import annotations

from functools import lru_cache

from django import template
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from publishing.calendar import Entry
from socialhub.templatetags.ui import STATUSES, icon, platform_label

register = template.Library()

SEEN = 48  # characters of the words: no column shows more
FILES_SIGNS = {"waiting": "waiting", "missing": "failed"}  # the statuses whose icons are shown
ROOM = 3  # for networks, or for two and the number of the others


@register.simple_tag
def calendar_entry(entry: Entry, *, may_edit: bool = False) -> SafeString:
    """One post in a day or an hour. In Python, as a month holds over a hundred of them, and so is every character."""
    href = reverse("publishing:post_detail", args=[entry.pk])
    is_movable = may_edit and entry.is_movable
    return format_html(
        '<li class="calendar-entry" data-status="{}"{}{}><a href="{}"><time>{}</time>{}<b>{}</b></a>{}</li>',
        entry.status,
        format_html(' data-files="{}"', entry.files) if entry.files else "",
        mark_safe(' draggable="true"') if is_movable else "",
        href,
        clock_of(entry),
        entry_signs(entry.status, entry.files, entry.platforms, get_language()),
        entry.words[:SEEN] or _("Without text"),
        format_html(
            '<button form="calendar_move" formaction="{}reschedule/" aria-label="{}"></button>', href, _("Move…")
        )
        if is_movable
        else "",
    )


@register.filter
def clock_of(entry: Entry) -> str:
    """09:15; with the name of the time where the clocks show it twice."""
    return f"{entry.at:%H:%M} {entry.half}".rstrip()


@lru_cache(maxsize=2048)
def entry_signs(status: str, files: str, platforms: tuple[str, ...], language: str | None) -> SafeString:
    """Status and networks as small icons, and the words for them for those who hear the page.

    Kept, as a page shows the same few again and again; `language` is that of the words.
    """
    networks = platforms if len(platforms) <= ROOM else platforms[: ROOM - 1]
    others = len(platforms) - len(networks)
    sprite, title = static("icons.svg"), signs_in_words(status, files, platforms)
    return format_html(
        '<span aria-hidden="true" title="{}"><svg><use href="{}#{}"/></svg>{}{}</span>'
        '<span class="visually-hidden">{}: </span>',
        title,
        sprite,
        STATUSES[FILES_SIGNS.get(files, status)][1],
        format_html_join(
            "",
            '<svg data-platform="{}"><use href="{}#brand-{}"/></svg>',
            ((key, sprite, key.replace("_", "-")) for key in networks),
        ),
        f"+{others}" if others else "",
        title,
    )


def signs_in_words(status: str, files: str, platforms: tuple[str, ...]) -> str:
    """ "Scheduled: Facebook, Instagram" """
    word = {"waiting": _("Waits for files"), "missing": _("Files missing")}.get(files, STATUSES[status][0])
    if not platforms:
        return _("%(status)s, no account chosen yet") % {"status": word}
    return _("%(status)s: %(networks)s") % {"status": word, "networks": ", ".join(map(platform_label, platforms))}


@register.filter
def status_word(status: str) -> str:
    return str(STATUSES[status][0])


@register.simple_tag
def status_icon(status: str) -> SafeString:
    return icon(STATUSES[status][1])
