"""Small pieces of markup that every page shares: icons, badges, figures, times, avatars, links of the frame."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from functools import lru_cache
from typing import Any

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.forms.boundfield import BoundField
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from socialhub.platforms import LABELS

register = template.Library()

# Word, icon and tone (which sets the colour) of everything that has a state.
STATUSES = {
    "draft": (gettext_lazy("Draft"), "pencil", "neutral"),
    "scheduled": (gettext_lazy("Scheduled"), "clock", "info"),
    "queued": (gettext_lazy("Queued"), "hourglass", "info"),
    "publishing": (gettext_lazy("Publishing"), "send", "info"),
    "checking": (gettext_lazy("Checking"), "zoom-question", "warning"),
    "published": (gettext_lazy("Published"), "check", "success"),
    "failed": (gettext_lazy("Failed"), "alert-triangle", "danger"),
    "partly_published": (gettext_lazy("Partly published"), "progress", "info"),
    "partly_failed": (gettext_lazy("Partly failed"), "alert-triangle", "danger"),
    "connected": (gettext_lazy("Connected"), "check", "success"),
    "connecting": (gettext_lazy("Connecting…"), "refresh", "info"),
    "expired": (gettext_lazy("Access expired"), "clock", "danger"),
    "revoked": (gettext_lazy("Access withdrawn"), "unlink", "danger"),
    "error": (gettext_lazy("Error"), "alert-triangle", "danger"),
    "disconnected": (gettext_lazy("Not connected"), "unlink", "neutral"),
    "paused": (gettext_lazy("Paused"), "player-pause", "warning"),
    "waiting": (gettext_lazy("Waiting"), "hourglass", "info"),
    "ready": (gettext_lazy("Ready"), "check", "success"),
    "delivered": (gettext_lazy("Delivered"), "check", "success"),
}

# What a browser may have chosen (views_frame.theme), and the colour of the paper for the bars that it draws itself.
THEMES = ("light", "dark")
THEME_COOKIE = "theme"
PAPER = {"light": "#f8f6f3", "dark": "#161412"}

UNITS = (
    (Decimal(10**9), pgettext_lazy("short figure", "%(number)sB")),
    (Decimal(10**6), pgettext_lazy("short figure", "%(number)sM")),
    (Decimal(10**3), pgettext_lazy("short figure", "%(number)sk")),
)
EXACT_BELOW = 10_000


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of static/icons.svg. Decorative, unless a label says what it means."""
    return (
        format_html('<svg class="icon" role="img" aria-label="{}">{}</svg>', label, drawn(name))
        if label
        else decor(name)
    )


@lru_cache(maxsize=500)
def decor(name: str) -> SafeString:
    return format_html('<svg class="icon" aria-hidden="true">{}</svg>', drawn(name))


@lru_cache(maxsize=500)
def drawn(name: str) -> SafeString:
    """Pages have hundreds of icons, of few kinds; so each is put together once."""
    return format_html('<use href="{}"/>', f"{static('icons.svg')}#{name}")


@receiver(setting_changed)
def draw_anew(setting: str, **_kwargs: Any) -> None:
    """Tests serve the icons from elsewhere."""
    if setting in ("STATIC_URL", "STORAGES"):
        decor.cache_clear()
        drawn.cache_clear()


@register.filter
def bare(field: BoundField) -> BoundField:
    """A field without its placeholder, where that only says the label again."""
    field.field.widget.attrs.pop("placeholder", None)
    return field


@register.filter
def helped(field: BoundField, text: str) -> BoundField:
    """A field with a help text of ours instead of the one that its library brings."""
    field.help_text = text
    return field


@register.simple_tag
def platform_glyph(key: str) -> SafeString:
    """The small coloured sign of a network, with its name for those who do not see it."""
    label = platform_label(key)
    return format_html(
        '<span class="platform-glyph" data-platform="{}" title="{}">{}<span class="visually-hidden">{}</span></span>',
        key,
        label,
        icon(f"brand-{key.replace('_', '-')}"),
        label,
    )


@register.simple_tag
def platform_keys() -> list[str]:
    """All networks that there are signs for."""
    return list(LABELS)


@register.filter
def one_line(text: str) -> str:
    """The lines of a text in a row, for places that have no room for its line breaks."""
    return " · ".join(line.strip() for line in text.splitlines() if line.strip())


@register.filter
def said(text: str) -> str:
    """What a worker has written. What it writes into rows of many workspaces at once is kept in English, and a message."""
    return _(text) if text else ""


@register.filter
def platform_label(key: str) -> str:
    return LABELS.get(key, key)


@register.simple_tag
def status_badge(status: str, label: str = "") -> SafeString:
    """Where a post, a publication or an account stands: word, icon and colour."""
    word, name, tone = STATUSES.get(status, (status, "circle", "neutral"))
    return format_html(
        '<span class="badge" data-status="{}" data-tone="{}">{}{}</span>', status, tone, icon(name), label or word
    )


@register.simple_tag
def when(moment: datetime | None) -> SafeString:
    """How long ago or how soon; the exact time with its zone on hover and in the markup."""
    if moment is None:
        return missing(_("no time known"))
    local = timezone.localtime(moment)
    exact = f"{date_format(local, 'D j M Y, H:i')} {local.tzname()}"
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), exact, relative(local))


def relative(moment: datetime) -> str:
    """ "in 5 minutes", "yesterday, 14:05", and the plain date from a week on."""
    now = timezone.localtime(timezone.now(), moment.tzinfo)
    seconds = (moment - now).total_seconds()
    if abs(seconds) < 45:
        return _("just now") if seconds <= 0 else _("in a moment")
    minutes = round(abs(seconds) / 60)
    if minutes < 60:
        near = ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    elif (hours := round(minutes / 60)) < 12:
        near = ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
    else:
        return calendar_day(moment, now)
    return _("in %(time)s") % {"time": near} if seconds > 0 else _("%(time)s ago") % {"time": near}


def calendar_day(moment: datetime, now: datetime) -> str:
    days = (moment.date() - now.date()).days
    clock = date_format(moment, "H:i")
    named = {-1: _("yesterday, %(clock)s"), 0: _("today, %(clock)s"), 1: _("tomorrow, %(clock)s")}
    if days in named:
        return named[days] % {"clock": clock}
    if abs(days) < 7:
        return date_format(moment, "D, H:i")
    return date_format(moment, "j M" if moment.year == now.year else "j M Y")


def missing(reason: str) -> SafeString:
    return format_html(
        '<span class="missing" title="{}"><span aria-hidden="true">–</span>'
        '<span class="visually-hidden">{}</span></span>',
        reason,
        reason,
    )


def shorten(number: int) -> str:
    """12.4k, 3M: cut, not rounded up, so that a threshold is never claimed before it is reached."""
    for size, words in UNITS:
        if abs(number) >= size:
            short = (Decimal(number) / size).quantize(Decimal("0.1"), ROUND_DOWN).normalize()
            return words % {"number": number_format(f"{short:f}")}
    return str(number)


@register.simple_tag
def figure(number: int | None, reason: str = "") -> SafeString:
    """1,204 or 12.4k with the whole number on hover; an en dash with the reason when a network gave none."""
    if number is None:
        return missing(reason or _("not available"))
    whole = intcomma(number)
    if abs(number) < EXACT_BELOW:
        return format_html('<span class="figure">{}</span>', whole)
    return format_html('<span class="figure" title="{}">{}</span>', whole, shorten(number))


@register.simple_tag
def change(number: int | None, reason: str = "") -> SafeString:
    """A growth figure: +12 up, −3 down, with sign, arrow and colour."""
    if number is None:
        return missing(reason or _("not available"))
    direction = "up" if number > 0 else "down" if number < 0 else "flat"
    arrow = {"up": icon("trending-up"), "down": icon("trending-down"), "flat": mark_safe("")}[direction]
    sign = {"up": "+", "down": "−", "flat": "±"}[direction]
    amount = abs(number)
    shown = intcomma(amount) if amount < EXACT_BELOW else shorten(amount)
    return format_html('<span class="change" data-direction="{}">{}{}{}</span>', direction, arrow, sign, shown)


@register.simple_tag
def avatar(url: str | None, name: str, size: str = "") -> SafeString:
    """A round picture over the initials, which stay when there is no picture or it does not load."""
    initials = "".join(word[0] for word in name.replace("@", " ").split()[:2]).upper() or "?"
    picture = (
        format_html(
            '<img src="{}" alt="" width="40" height="40" loading="lazy" referrerpolicy="no-referrer" '
            "data-remove-on-error>",
            url,
        )
        if url
        else mark_safe("")
    )
    return format_html(
        '<span class="avatar"{}><span aria-hidden="true">{}</span>{}</span>',
        format_html(' data-size="{}"', size) if size else "",
        initials,
        picture,
    )


@register.simple_tag(takes_context=True)
def theme(context: dict[str, Any]) -> str:
    """ "light" or "dark" where this browser has chosen one; empty means as the system has it."""
    request = context.get("request")
    chosen = request.COOKIES.get(THEME_COOKIE, "") if request else ""
    return chosen if chosen in THEMES else ""


@register.simple_tag
def theme_colours(theme: str) -> SafeString:
    """The colour of the browser's own bars: one, or one for each scheme when the system decides."""
    if theme:
        return format_html('<meta name="theme-color" content="{}">', PAPER[theme])
    return format_html_join(
        "\n",
        '<meta name="theme-color" content="{}" media="(prefers-color-scheme: {})">',
        ((colour, scheme) for scheme, colour in PAPER.items()),
    )


def is_at(context: dict[str, Any], href: str) -> bool:
    """Does the page of this request lie at an address, or below it?"""
    path = context["request"].path
    return path == href or (href != "/" and path.startswith(href))


@register.inclusion_tag("components/_nav_link.html", takes_context=True)
def nav_link(context: dict[str, Any], view: str, icon_name: str, label: str) -> dict[str, Any]:
    """A link of the rail and the bottom bar, marked when the page lies below it."""
    href = reverse(view)
    return {"href": href, "icon_name": icon_name, "label": label, "is_current": is_at(context, href)}


@register.inclusion_tag("components/_menu_link.html", takes_context=True)
def menu_link(context: dict[str, Any], view: str, icon_name: str, label: str) -> dict[str, Any]:
    """A link of a menu, marked when the page lies below it."""
    href = reverse(view)
    return {"href": href, "icon_name": icon_name, "label": label, "is_current": is_at(context, href)}
