"""The signs of an entry of the calendar. It holds hundreds of them, so each is as light as it can be."""

from __future__ import annotations

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from publishing.calendar import Entry
from socialhub.templatetags.ui import STATUSES, icon, platform_label

register = template.Library()

SHOWN = 3  # networks, before the rest is counted


@register.simple_tag
def entry_signs(entry: Entry) -> SafeString:
    """Status and networks as small icons; the words for them come from `entry_title`."""
    networks = entry.platforms
    marks = format_html_join(
        "",
        '<span class="calendar-network" data-platform="{}">{}</span>',
        ((key, icon(f"brand-{key.replace('_', '-')}")) for key in networks[:SHOWN]),
    )
    rest = format_html("+{}", len(networks) - SHOWN) if len(networks) > SHOWN else ""
    return format_html("{}{}{}", icon(STATUSES[entry.status][1]), marks, rest)


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
