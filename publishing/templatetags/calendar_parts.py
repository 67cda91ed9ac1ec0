"""The signs of an entry of the calendar. It holds hundreds of them, so each is as light as it can be."""

from __future__ import annotations

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from publishing.calendar import Entry
from socialhub.templatetags.ui import STATUSES, icon, platform_label

register = template.Library()

ROOM = 3  # for networks, or for two and the number of the others


@register.simple_tag
def entry_signs(entry: Entry) -> SafeString:
    """Status and networks as small icons, and the words for them for those who hear the page."""
    networks = entry.platforms if len(entry.platforms) <= ROOM else entry.platforms[: ROOM - 1]
    others = len(entry.platforms) - len(networks)
    sprite, title = static("icons.svg"), entry_title(entry)
    return format_html(
        '<span aria-hidden="true" title="{}"><svg><use href="{}#{}"/></svg>{}{}</span>'
        '<span class="visually-hidden">{}: </span>',
        title,
        sprite,
        STATUSES[entry.status][1],
        format_html_join(
            "",
            '<svg data-platform="{}"><use href="{}#brand-{}"/></svg>',
            ((key, sprite, key.replace("_", "-")) for key in networks),
        ),
        f"+{others}" if others else "",
        title,
    )


@register.filter
def entry_title(entry: Entry) -> str:
    """ "Scheduled: Facebook, Instagram" """
    status = STATUSES[entry.status][0]
    if not entry.platforms:
        return _("%(status)s, no account chosen yet") % {"status": status}
    networks = ", ".join(platform_label(key) for key in entry.platforms)
    return _("%(status)s: %(networks)s") % {"status": status, "networks": networks}


@register.filter
def status_word(status: str) -> str:
    return str(STATUSES[status][0])


@register.simple_tag
def status_icon(status: str) -> SafeString:
    return icon(STATUSES[status][1])
