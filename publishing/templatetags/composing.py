"""What the composer's templates ask: which preview is shown, how a text is coloured, how full a caption is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django import template
from django.template import RequestContext
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from publishing import captions, differences
from publishing.captions import Filled
from publishing.checks import Finding
from publishing.differences import Difference
from publishing.forms.composer import ComposerForm
from publishing.forms.composer_rows import AccountRow
from publishing.models import CaptionTemplate, ImageSet
from publishing.previews import Preview
from publishing.views.said_once import Shared
from socialhub.platforms.looks import Look, pieces

register = template.Library()

TIGHT = 0.8  # from this share of the limit on, a counter asks for attention
ROOMY = 0.5  # up to this share nobody needs the number
MANY_COUNTERS = 4  # so many always have their numbers


@register.simple_tag(takes_context=True)
def shown_look(context: RequestContext, looks: Sequence[Shared]) -> Shared | None:
    """The group of accounts whose preview is looked at: the one that was chosen while it is there, else the first."""
    wanted = context["request"].POST.get("preview", "")
    for group in looks:
        if any(str(account.pk) == wanted for account in group.accounts):
            return group
    return looks[0] if looks else None


@register.simple_tag
def marked(text: str, look: Look) -> SafeString:
    """The text as the network colours it: links, hashtags and mentions, as far as it does."""
    return format_html_join(
        "",
        "{}",
        (
            (format_html('<span class="preview-mark">{}</span>', part) if kind else part,)
            for part, kind in pieces(text, look)
        ),
    )


@register.filter
def usable_first(rows: Iterable[AccountRow]) -> list[AccountRow]:
    """The accounts that can be chosen, then the others."""
    return sorted(rows, key=lambda row: not (row.usable or row.chosen))


@register.filter
def tightest_first(counters: Iterable[Preview]) -> list[Preview]:
    return sorted(counters, key=lambda one: -one.length / max(one.limit, 1))


@register.filter
def with_numbers(counters: Sequence[Preview]) -> list[Preview]:
    """Those whose number matters, the tightest first; where there are few, all of them."""
    ordered = tightest_first(counters)
    return ordered if len(ordered) <= MANY_COUNTERS else [one for one in ordered if one.length > one.limit * ROOMY]


@register.filter
def without_numbers(counters: Sequence[Preview]) -> list[Preview]:
    """The networks that have room in plenty."""
    shown = with_numbers(counters)
    return [one for one in counters if one not in shown]


@register.filter
def percent_used(counter: Preview) -> int:
    return min(100, round(100 * counter.length / max(counter.limit, 1)))


@register.filter
def is_tight(counter: Preview) -> bool:
    return counter.limit * TIGHT <= counter.length <= counter.limit


@register.simple_tag
def difference(own: str | None, caption: str | None) -> Difference | None:
    return differences.difference(normal(caption), normal(own))


def normal(text: object) -> str:
    """As the form cleans it: browsers send CRLF."""
    return str(text or "").replace("\r\n", "\n")


@register.simple_tag
def filled(chosen: CaptionTemplate, image_set: ImageSet | None) -> Filled:
    return captions.fill(chosen.body, image_set)


@register.filter
def field_id(finding: Finding, form: ComposerForm) -> str:
    """The id of the control at which a finding can be put right."""
    account = finding.account.pk if finding.account else ""
    match finding.field:
        case "caption":
            return f"id_caption-{account}" if account and form[f"caption-{account}"].value() else "id_caption"
        case "alt_text" | "media" if finding.media:
            return f"edit_{finding.media.pk}"
        case "alt_text" | "media":
            return "composer_upload"
        case "accounts":
            return f"account_{account}"
        case "post_type":
            return f"id_type-{account}"
        case "link" | "first_comment":
            return f"id_{finding.field}"
    return f"id_choice-{account}-{finding.field}"
