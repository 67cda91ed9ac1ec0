"""What the rate limits leave to a post that is being written, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import ConnectedAccount
from publishing import checks, forecast, ledger
from publishing.forecast import Effect, Planned
from publishing.forms.composer import ComposerForm
from publishing.limits import WindowState
from publishing.models import PostMedia, Publication
from publishing.views.moments import clock
from publishing.views.said_once import some_of
from socialhub.platforms import LABELS
from socialhub.platforms.base import PostType
from socialhub.platforms.rules import RULES


@dataclass(frozen=True, slots=True)
class LimitLine:
    """What a network's limit leaves. `until`: the post waits for it until then; None: there is room."""

    account: ConnectedAccount
    text: str
    until: datetime | None


def limit_lines(
    publications: Iterable[Publication], media: Sequence[PostMedia], form: ComposerForm, *, at: datetime | None
) -> list[LimitLine]:
    """What the limits leave to each account, and what would wait for them with this post; without what cannot go out."""
    due = at or timezone.now()
    planned = [
        Planned(publication.account, due, calls)
        for publication in publications
        if (calls := calls_of(publication, media))
    ]
    own = {one.pk for one in form.post.publications.all()} if form.post else set[UUID]()
    if not planned:
        return []
    accounts = [one.account for one in planned]
    books = ledger.books_for(accounts)
    states = ledger.states_of(accounts, books)
    effects = forecast.effects(planned, without=own, books=books)
    lines = [
        limit_line(one, states[one.account.pk], effects.get(one.account.pk, Effect()), zone=form.user.time_zone)
        for one in planned
    ]
    return [line for line in lines if line]


def calls_of(publication: Publication, media: Sequence[PostMedia]) -> Mapping[str, int]:
    """The calls by group, none where the post type does not take what the post holds."""
    takes = RULES[publication.account.platform].post_types.get(PostType(publication.post_type))
    if takes is None or checks.misfit(takes, [item.media.kind for item in media]) != (0, 0):
        return {}
    return forecast.calls_of(publication, media)


def limit_line(planned: Planned, windows: Iterable[WindowState], effect: Effect, *, zone: str) -> LimitLine | None:
    """The window with the least room, in words, what this post takes of it, and what waits because of it."""
    calls = planned.calls
    states = [state for state in windows if calls.get(state.endpoint)]
    if not states:
        return None
    tightest = min(
        states,
        key=lambda state: (
            calls[state.endpoint] <= state.remaining,
            state.remaining / state.limit if state.limit else 0,
        ),
    )
    until = clock(effect.until, zone) if effect.until else ""
    return LimitLine(
        planned.account, limit_text(tightest, calls[tightest.endpoint], until, effect.others), effect.until
    )


def limit_text(state: WindowState, needed: int, until: str, others: int) -> str:
    spans = {
        60: _("%(left)d of %(limit)d calls left this minute."),
        900: _("%(left)d of %(limit)d calls left in these 15 minutes."),
        3600: _("%(left)d of %(limit)d calls left this hour."),
        86400: _("%(left)d of %(limit)d calls left today."),
        2592000: _("%(left)d of %(limit)d calls left in these 30 days."),
    }
    text = spans.get(state.window_seconds, _("%(left)d of %(limit)d calls left."))
    parts = [
        text % {"left": state.remaining, "limit": state.limit},
        ngettext("This post takes %(count)d.", "This post takes %(count)d.", needed) % {"count": needed},
    ]
    if state.sharing:
        parts.insert(1, _("They are %(shared)s.") % {"shared": state.sharing})
    if until:
        parts.append(_("It waits for the rest by itself, until %(time)s.") % {"time": until})
    if others:
        parts.append(
            ngettext(
                "Because of it, %(count)d other post would wait for the limit.",
                "Because of it, %(count)d other posts would wait for the limit.",
                others,
            )
            % {"count": others}
        )
    return " ".join(parts)


def waits(lines: Sequence[LimitLine], zone: str) -> list[str]:
    """Which networks keep the post waiting and until when, a sentence for each moment."""
    platforms = [line.account.platform for line in lines]
    groups: dict[str, list[str]] = {}
    for line in lines:
        if line.until:
            label = str(LABELS[line.account.platform])
            alone = platforms.count(line.account.platform) == 1
            groups.setdefault(clock(line.until, zone), []).append(label if alone else f"{label} {line.account.handle}")
    return [
        ngettext("%(names)s waits until %(time)s.", "%(names)s wait until %(time)s.", len(names))
        % {"names": some_of(names), "time": time}
        for time, names in groups.items()
    ]
