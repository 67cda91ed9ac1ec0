"""The tables that can be taken out as files, each read row by row.

A query runs when its rows are taken, which for CSV is after the view has answered: whatever depends on the language or
the zone of the reader is made before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F, Func, QuerySet, TextField
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import ConnectedAccount
from analytics.filters import FIGURES, NEWEST, Sort, sort_of
from analytics.models import AudienceSnapshot, InsightWindow, PlatformPost, PostDay, PostSnapshot
from analytics.reports.hours import BestHours
from analytics.reports.posts import FORMULA_NOTE
from analytics.reports.tables import Column, Kind, Table
from socialhub.platforms import LABELS, PLATFORMS
from socialhub.platforms.measures import MEASURES, Unit

ROWS = 2000  # of one fetch from the database
NEWEST_FIRST = sort_of(NEWEST)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows, and which of them. since: the first moment, None for everything."""

    accounts: QuerySet[ConnectedAccount]
    posts: QuerySet[PlatformPost]
    sort: Sort = NEWEST_FIRST
    since: datetime | None = None


# --- Columns --------------------------------------------------------------------------------------------------


def of_account() -> list[Column]:
    return [Column("network", _("Network")), Column("account", _("Account")), Column("handle", _("Handle"))]


def account_cells(platform: str, name: str, username: str) -> tuple[str, str, str]:
    return LABELS.get(platform, platform), name, username


ACCOUNT = ("account__platform", "account__name", "account__username")


def measured(key: str, *, prefix: str = "", word: str = "%(measure)s", note: str = "") -> Column:
    """The column of one of our measures, or of what changed in it."""
    measure = MEASURES.get(key)
    if measure is None:
        return Column(prefix + key, word % {"measure": key}, Kind.NUMBER, note)
    notes = [note or str(measure.meaning)]
    if measure.counts_people:
        notes.append(_("Each person counts once, so that figures of several days or posts cannot be added up."))
    if measure.unit is Unit.SECONDS:
        notes.append(_("In seconds."))
    kind = Kind.PERCENT if measure.unit is Unit.PERCENT else Kind.NUMBER
    return Column(prefix + key, word % {"measure": measure.word}, kind, " ".join(notes))


def further(key: str) -> Column:
    """The column of a figure that only some networks tell; one that we add up ourselves stands beside it."""
    if key not in FIGURES:
        return measured(key)
    return measured(key, prefix="network_", word=_("%(measure)s, as the network counts"))


def known_keys(rows: QuerySet[Any], field: str, *, but: tuple[str, ...] = ()) -> list[str]:
    """Keys that stand in a JSON field of these rows, in the order of our measures, others behind them. One query."""
    keys = set(
        rows.order_by()
        .annotate(key=Func(F(field), function="jsonb_object_keys", output_field=TextField()))
        .values_list("key", flat=True)
        .distinct()
    )
    order = {key: number for number, key in enumerate(MEASURES)}
    return sorted(keys.difference(but), key=lambda key: (order.get(key, len(order)), key))


def names_of(sources: Mapping[str, str]) -> str:
    """Which of the network's names gave which figure, as one text: where it changes, the measure has changed."""
    return "; ".join(f"{key}: {name}" for key, name in sorted(sources.items()))


def sources_column() -> Column:
    note = _("The network's own names. Where they change from one row to the next, something else was measured.")
    return Column("sources", _("Measured as"), Kind.TEXT, note)


def read_at_column() -> Column:
    return Column("read_at", _("Read at"), Kind.TIME, _("When we read the figures at the network."))


# --- Posts ----------------------------------------------------------------------------------------------------


def post_columns() -> list[Column]:
    return [
        *of_account(),
        Column("post_id", _("Id at the network")),
        Column("posted_at", _("Posted at"), Kind.TIME),
        Column("text", _("Text")),
    ]


POST = (*ACCOUNT, "platform_post_id", "posted_at", "text")


def posts(scope: Scope) -> Table:
    found = scope.posts
    extra = known_keys(found, "extra")
    words = {True: _("socialhub"), False: _("elsewhere")}
    columns = [
        *post_columns(),
        Column("link", _("Link"), Kind.LINK),
        Column("made", _("Made with"), Kind.TEXT, _("Whether it was published from here.")),
        Column("campaign", _("Campaign")),
        Column("type", _("Type"), Kind.TEXT, _("As the network names it.")),
        *(measured(key) for key in FIGURES),
        Column(
            "engagement_rate",
            _("Engagement rate"),
            Kind.PERCENT,
            FORMULA_NOTE,
        ),
        Column("rate_of", _("Rate of"), Kind.TEXT, _("What the engagements were divided by.")),
        *(further(key) for key in extra),
        read_at_column(),
        Column("withheld", _("Why figures are missing")),
        Column("gone_at", _("Gone since"), Kind.TIME, _("When it was no longer found at the network.")),
        sources_column(),
    ]
    fields = (
        *(*POST, "permalink", "publication_id", "publication__post__campaign", "product", "media_type"),
        *(*FIGURES, "engagement_rate", "rate_of", "extra", "fetched_at", "withheld", "gone_at", "sources"),
    )

    def rows() -> Iterator[tuple[Any, ...]]:
        ordered = scope.sort(found).values_list(*fields)
        for platform, name, username, key, at, text, link, ours, campaign, product, media, *rest in ordered.iterator(
            ROWS
        ):
            *figures, rate, rate_of, more, read_at, withheld, gone_at, sources = rest
            yield (
                *account_cells(platform, name, username),
                *(key, at, text, link, words[ours is not None], campaign, product or media),
                *figures,
                *(rate, rate_of, *(more.get(one) for one in extra), read_at, withheld, gone_at, names_of(sources)),
            )

    return Table("posts", _("Posts"), columns, rows(), _("The newest figures of each post, since it was made."))


def post_days(scope: Scope) -> Table:
    found = PostDay.objects.filter(platform_post__in=scope.posts)
    gained = known_keys(found, "gained", but=("span_minutes",))
    columns = [
        *post_columns(),
        Column("day", _("Day (UTC)"), Kind.DAY),
        *(measured(key) for key in FIGURES),
        *gained_columns(gained),
        read_at_column(),
    ]
    fields = (*(f"platform_post__{name}" for name in POST), "day", *FIGURES, "gained", "fetched_at")

    def rows() -> Iterator[tuple[Any, ...]]:
        ordered = found.order_by("-platform_post__posted_at", "platform_post_id", "day").values_list(*fields)
        for platform, name, username, key, at, text, day, *figures, more, read_at in ordered.iterator(ROWS):
            yield (
                *account_cells(platform, name, username),
                *(key, at, text, day, *figures),
                *(more.get(one) for one in (*gained, "span_minutes")),
                read_at,
            )

    return Table(
        "post-days", _("Posts by day"), columns, rows(), _("Figures at the end of each day, since the post was made.")
    )


def gained_columns(keys: list[str]) -> list[Column]:
    note = _("What was added since the reading before; the column of minutes says how long that is.")
    return [
        *(measured(key, prefix="gained_", word=_("%(measure)s gained"), note=note) for key in keys),
        Column("gained_minutes", _("Minutes between the readings"), Kind.NUMBER),
    ]


def post_marks(scope: Scope) -> Table:
    """How posts stood at the same ages, to be laid beside each other."""
    return readings(
        "post-marks",
        _("Posts by age"),
        _("How posts stood 1 hour, 6 hours … 28 days after they were made."),
        PostSnapshot.objects.filter(platform_post__in=scope.posts).exclude(mark=""),
    )


def post_readings(scope: Scope) -> Table:
    return readings(
        "post-readings",
        _("Posts by reading"),
        _("Every reading that is kept; of older posts these are fewer."),
        PostSnapshot.objects.filter(platform_post__in=scope.posts),
    )


def readings(key: str, title: str, note: str, found: QuerySet[PostSnapshot]) -> Table:
    columns = [
        *post_columns(),
        Column("age", _("Age of the post"), Kind.TEXT, _("The figures are those of the first reading at or after it.")),
        *(measured(name) for name in FIGURES),
        read_at_column(),
    ]
    fields = (*(f"platform_post__{name}" for name in POST), "mark", *FIGURES, "fetched_at")

    def rows() -> Iterator[tuple[Any, ...]]:
        ordered = found.order_by("-platform_post__posted_at", "platform_post_id", "fetched_at").values_list(*fields)
        for platform, name, username, *rest in ordered.iterator(ROWS):
            yield (*account_cells(platform, name, username), *rest)

    return Table(key, title, columns, rows(), note)


# --- Accounts -------------------------------------------------------------------------------------------------


def windows(scope: Scope, period: InsightWindow.Period) -> QuerySet[InsightWindow]:
    found = InsightWindow.objects.filter(account__in=scope.accounts, period=period)
    return found if scope.since is None else found.filter(window_start__gte=scope.since)


def account_days(scope: Scope) -> Table:
    found = windows(scope, InsightWindow.Period.DAY)
    keys = known_keys(found, "metrics")
    columns = [
        *of_account(),
        Column("day", _("Day"), Kind.DAY, _("As the network counts its days.")),
        Column("day_zone", _("Zone of the day")),
        Column("is_whole", _("Is over"), Kind.TEXT, _("Of a day that is still going on, the figures grow.")),
        *(measured(key) for key in keys),
        read_at_column(),
        sources_column(),
    ]
    zones = {key: ZoneInfo(platform.day_zone) for key, platform in PLATFORMS.items()}
    fields = (*ACCOUNT, "window_start", "is_whole", "metrics", "fetched_at", "sources")

    def rows() -> Iterator[tuple[Any, ...]]:
        ordered = found.order_by("account__platform", "account__name", "account_id", "window_start").values_list(
            *fields
        )
        for platform, name, username, start, is_whole, metrics, read_at, sources in ordered.iterator(ROWS):
            zone = zones.get(platform, ZoneInfo("UTC"))
            yield (
                *account_cells(platform, name, username),
                *(start.astimezone(zone).date(), str(zone), is_whole),
                *(metrics.get(key) for key in keys),
                *(read_at, names_of(sources)),
            )

    return Table(
        "account-days",
        _("Accounts by day"),
        columns,
        rows(),
        _("What happened on each day. Empty: the network did not tell it."),
    )


def account_hours(scope: Scope) -> Table:
    found = windows(scope, InsightWindow.Period.HOUR)
    levels = known_keys(found, "metrics")
    changed = known_keys(found, "derived", but=("span_minutes",))
    note = _("The difference to the reading before; the column of minutes says how long that is.")
    columns = [
        *of_account(),
        Column("hour", _("Hour"), Kind.TIME, _("When the hour begins.")),
        Column("hour_utc", _("Hour (UTC)"), Kind.TEXT, _("The same in UTC, which has each hour once.")),
        *(measured(key) for key in levels),
        *(
            measured(key, prefix="change_", word=_("%(measure)s, change"), note=note)
            if key in levels
            else measured(key, prefix="gained_", word=_("%(measure)s gained"), note=note)
            for key in changed
        ),
        Column("minutes", _("Minutes between the readings"), Kind.NUMBER),
        read_at_column(),
        sources_column(),
    ]
    fields = (*ACCOUNT, "window_start", "metrics", "derived", "fetched_at", "sources")

    def rows() -> Iterator[tuple[Any, ...]]:
        ordered = found.order_by("account__platform", "account__name", "account_id", "window_start").values_list(
            *fields
        )
        for platform, name, username, start, metrics, derived, read_at, sources in ordered.iterator(ROWS):
            yield (
                *account_cells(platform, name, username),
                *(start, f"{start:%Y-%m-%d %H:%M}"),
                *(metrics.get(key) for key in levels),
                *(derived.get(key) for key in (*changed, "span_minutes")),
                *(read_at, names_of(sources)),
            )

    return Table(
        "account-hours", _("Accounts by hour"), columns, rows(), _("Hours that nothing was read in have no row.")
    )


def audience(scope: Scope) -> Table:
    found = AudienceSnapshot.objects.filter(account__in=scope.accounts)
    if scope.since is not None:
        found = found.filter(taken_on__gte=scope.since.date())
    kinds = {AudienceSnapshot.Kind.FOLLOWERS: _("Followers"), AudienceSnapshot.Kind.ENGAGED: _("People engaged")}
    columns = [
        *of_account(),
        Column("taken_on", _("Told on"), Kind.DAY),
        Column("kind", _("Who")),
        Column("dimension", pgettext("parts of an audience", "By")),
        Column("part", _("Group")),
        Column(
            "people",
            _("People"),
            Kind.NUMBER,
            _("Networks tell the largest groups only, and leave out who tells nothing."),
        ),
    ]
    fields = (*ACCOUNT, "taken_on", "kind", "dimension", "parts")

    def rows() -> Iterator[tuple[Any, ...]]:
        ordered = found.order_by(
            "account__platform", "account__name", "account_id", "-taken_on", "kind", "dimension"
        ).values_list(*fields)
        for platform, name, username, taken_on, kind, dimension, parts in ordered.iterator(ROWS):
            cells = (*account_cells(platform, name, username), taken_on, kinds.get(kind, kind), dimension)
            for part, people in sorted(parts.items(), key=lambda one: -one[1]):
                yield (*cells, part, people)

    return Table("audience", _("Audience"), columns, rows())


def hours_table(found: BestHours) -> Table:
    """The map of hours, one row for each that has posts."""
    columns = [
        Column("weekday", _("Weekday")),
        Column("hour", _("Hour"), Kind.NUMBER, _("From this hour to the next, by the clock of the reader.")),
        Column("posts", _("Posts"), Kind.NUMBER, _("On so many the next figure rests.")),
        Column(
            "times_usual",
            _("Times the usual rate"),
            Kind.NUMBER,
            _("The engagement rate of these posts, divided by what is usual for their account. 1 is as usual."),
        ),
    ]
    rows = [(row.word, cell.hour, cell.posts, cell.times) for row in found.rows for cell in row.cells if cell.posts]
    return Table("hours", _("Hours of posting"), columns, rows, found.reason)


POSTS: dict[str, Callable[[Scope], Table]] = {
    "posts": posts,
    "post-days": post_days,
    "post-marks": post_marks,
    "post-readings": post_readings,
}
ACCOUNTS: dict[str, Callable[[Scope], Table]] = {
    "account-days": account_days,
    "account-hours": account_hours,
    "audience": audience,
}
