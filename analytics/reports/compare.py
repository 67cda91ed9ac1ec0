"""Accounts beside each other, and campaigns: what each came to in one span, in few queries however many they are.

A figure that was measured in two ways within the span is left out and says so. People are never added up: of reach there
is the average day, or the average post.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Avg, BigIntegerField, Count, Max, Min, Q, QuerySet, Sum, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Upper
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import ConnectedAccount, Workspace
from analytics.days import date_of, day_start, days_after
from analytics.models import InsightWindow, PlatformPost
from analytics.reports.accounts import Days, newest_day
from analytics.reports.charts import Break, Chart, Line
from analytics.reports.dashboard import Growth, Total, follower_reading, growth_between
from analytics.reports.periods import Period, Span
from analytics.reports.posts import SEEN_BY_FEW, average_note
from analytics.reports.tables import Column, Kind, Table
from socialhub.platforms import LABELS, PLATFORMS
from socialhub.platforms.measures import MEASURES, Unit
from socialhub.platforms.metrics import CATALOGUE, Subject

FLOWS = ("views", "reach", "engagements")  # what happens on a day
LINES = 6  # more in one chart cannot be told apart
LAST_HOUR = time(23)  # in UTC: the reading by which a day's followers are told
CAMPAIGNS = 200  # so many are listed


# --- Accounts -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DaySum:
    """What the days of a span come to. known, of: days. reason: why there is no value."""

    value: float | None
    known: int
    of: int
    reason: str = ""

    @property
    def is_complete(self) -> bool:
        return self.known >= self.of


@dataclass(frozen=True, slots=True)
class Compared:
    account: ConnectedAccount
    followers: int | None
    growth: Growth | None
    flows: Mapping[str, DaySum]  # of reach the average day
    posts: int
    rate: float | None  # the average of its posts
    rated: int

    @property
    def columns(self) -> list[DaySum]:
        return [self.flows[name] for name in FLOWS]


def compared(accounts: Sequence[ConnectedAccount], period: Period, span: Span) -> list[Compared]:
    """One row for each account, in their order. Three queries."""
    ids = [account.pk for account in accounts]
    readings = {
        one.pk: one
        for one in ConnectedAccount.objects.filter(pk__in=ids)
        .only("pk")
        .annotate(
            newest=follower_reading("-window_start", since=span.start),
            oldest=follower_reading("window_start", since=span.start),
            newest_day=newest_day(),
        )
    }
    days = {
        one.pk: Days.of(one, getattr(readings.get(one.pk), "newest_day", None), period, span.end) for one in accounts
    }
    flows = _flows(days)
    posts: dict[UUID, Any] = {
        one["account_id"]: one
        for one in PlatformPost.objects.filter(account__in=ids, posted_at__gte=span.start, posted_at__lt=span.end)
        .order_by()
        .values("account_id")
        .annotate(
            posts=Count("pk"),
            rate=Avg("engagement_rate", filter=~SEEN_BY_FEW),
            rated=Count("engagement_rate", filter=~SEEN_BY_FEW),
        )
    }
    found = []
    for account in accounts:
        reading: Any = readings.get(account.pk)
        made: Mapping[str, Any] = posts.get(account.pk, {"posts": 0, "rate": None, "rated": 0})
        found.append(
            Compared(
                account=account,
                followers=account.followers_count,
                growth=growth_between(reading.oldest, reading.newest, period.steps) if reading else None,
                flows={name: _sum_of(account, name, flows.get(account.pk, {}), period) for name in FLOWS},
                posts=made["posts"],
                rate=made["rate"],
                rated=made["rated"],
            )
        )
    return found


def reasons(rows: Sequence[Compared]) -> list[str]:
    """Why figures are missing, each reason once."""
    return list(
        dict.fromkeys(
            f"{MEASURES[name].word}: {one.reason}" for row in rows for name, one in row.flows.items() if one.reason
        )
    )


def _zone_of(account: ConnectedAccount) -> str:
    return str(PLATFORMS[account.platform].day_zone)


def _by_zone(accounts: Sequence[ConnectedAccount]) -> dict[str, list[UUID]]:
    found = defaultdict(list)
    for account in accounts:
        found[_zone_of(account)].append(account.pk)
    return found


def _days(accounts: Sequence[ConnectedAccount], period: Period, span: Span) -> QuerySet[InsightWindow]:
    """The whole days of each account's network that end the span."""
    wanted = Q()
    for zone, ids in _by_zone(accounts).items():
        today = day_start(span.end, zone)
        start = days_after(today, -period.steps, zone)
        wanted |= Q(account__in=ids, window_start__gte=start, window_start__lt=today)
    days = InsightWindow.objects.filter(period=InsightWindow.Period.DAY, is_whole=True)
    return days.filter(wanted) if wanted else days.none()


def _number(name: str) -> Cast:
    return Cast(KeyTextTransform(name, "metrics"), BigIntegerField())


def _source(name: str) -> KeyTextTransform:
    return KeyTextTransform(name, "sources", output_field=TextField())


def _flows(spans: Mapping[UUID, Days]) -> dict[UUID, dict[str, Any]]:
    """Up to the newest day that each network has told, so that one which is late is not short of days."""
    by_days: dict[Days, list[UUID]] = defaultdict(list)
    for pk, days in spans.items():
        by_days[days].append(pk)
    wanted = Q()
    for days, ids in by_days.items():
        wanted |= Q(account__in=ids, window_start__gte=days.start, window_start__lt=days.end)
    if not wanted:
        return {}
    told: dict[str, Any] = {}
    for name in FLOWS:
        many = Avg if MEASURES[name].counts_people else Sum
        told[name] = many(_number(name))
        told[f"{name}_known"] = Count(_number(name))
        told[f"{name}_ways"] = Count(_source(name), distinct=True)
    whole = InsightWindow.objects.filter(wanted, period=InsightWindow.Period.DAY, is_whole=True)
    rows: Iterable[Any] = whole.order_by().values("account_id").annotate(**told)
    return {row["account_id"]: row for row in rows}


def _sum_of(account: ConnectedAccount, name: str, told: Mapping[str, Any], period: Period) -> DaySum:
    value, known = told.get(name), told.get(f"{name}_known", 0)
    if told.get(f"{name}_ways", 0) > 1:
        return DaySum(None, known, period.steps, _("The network has changed what it counts within this span"))
    if value is None:
        return DaySum(None, 0, period.steps, _why_not(account, name))
    return DaySum(float(value), known, period.steps)


def _why_not(account: ConnectedAccount, name: str) -> str:
    label = LABELS.get(account.platform, account.platform)
    if account.needs_reconnect:
        return _("%(network)s no longer lets us in. Connect the account again.") % {"network": label}
    today = timezone.now().date()
    if not any(
        metric.measure == name and metric.subject is Subject.ACCOUNT and metric.asked and metric.lives(today)
        for metric in CATALOGUE.get(account.platform, ())
    ):
        return _("%(network)s does not tell this figure of accounts by day") % {"network": label}
    if account.last_synced_at is None:
        return _("Not read yet; the first figures come within a minute")
    return _("%(network)s did not give this figure in this span") % {"network": label}


def chart_of(accounts: Sequence[ConnectedAccount], name: str, period: Period, span: Span) -> Chart:
    """The days of several accounts as lines, those with most first. One query."""
    values, ways = _levels(accounts, period, span) if name == "followers" else _by_day(accounts, name, period, span)
    told = [account for account in accounts if account.pk in values]
    told.sort(key=lambda account: -sum(values[account.pk].values()))
    drawn, measure = told[:LINES], MEASURES[name]
    end = span.end.astimezone(UTC).date()
    days = [end - timedelta(days=back) for back in range(period.steps, 0, -1)]
    title = _("%(figure)s by day") % {"figure": measure.word}
    columns = [Column("day", _("Day"), Kind.DAY), *(Column(str(one.pk), _label(one), Kind.NUMBER) for one in drawn)]
    rows = [(day, *(values[one.pk].get(day) for one in drawn)) for day in days]
    notes = []
    if len(told) > LINES:
        notes.append(_("The %(drawn)d with most are drawn. Tick others to see them.") % {"drawn": LINES})
    if silent := [_label(one) for one in accounts if one.pk not in values]:
        notes.append(_("Without this figure: %(accounts)s") % {"accounts": ", ".join(silent)})
    notes.append(
        _("Each day is one of the account’s network: Meta’s begin at midnight in California, others at midnight UTC.")
    )
    return Chart(
        key="compared",
        title=title,
        times=[datetime.combine(day, time.min, tzinfo=UTC) for day in days],
        lines=[Line(str(one.pk), _label(one), [values[one.pk].get(day) for day in days]) for one in drawn],
        table=Table("compared", title, columns, rows, measure.meaning),
        breaks=[
            Break(
                datetime.combine(day, time.min, tzinfo=UTC),
                _("From here on the network of %(account)s counts something else under the same word.")
                % {"account": _label(one)},
            )
            for one in drawn
            for day in ways.get(one.pk, ())
        ],
        notes=notes,
        reason="" if told else _("None of these accounts has this figure in this span."),
    )


def _label(account: ConnectedAccount) -> str:
    return f"{LABELS.get(account.platform, account.platform)} {account.handle}"


def _by_day(accounts: Sequence[ConnectedAccount], name: str, period: Period, span: Span) -> tuple[Any, Any]:
    """By account and day the figure; by account the days on which another of the network's names began to tell it."""
    zones = {account.pk: _zone_of(account) for account in accounts}
    rows = (
        _days(accounts, period, span)
        .filter(metrics__has_key=name)
        .order_by("account_id", "window_start")
        .values_list("account_id", "window_start", _number(name), _source(name))
    )
    values: dict[UUID, dict[Any, int]] = defaultdict(dict)
    ways: dict[UUID, list[Any]] = defaultdict(list)
    last: dict[UUID, Any] = {}
    for pk, start, value, source in rows:
        day = date_of(start, zones[pk])
        values[pk][day] = value
        if source and last.setdefault(pk, source) != source:
            ways[pk].append(day)
            last[pk] = source
    return values, ways


def _levels(accounts: Sequence[ConnectedAccount], period: Period, span: Span) -> tuple[Any, Any]:
    """Followers as read in the last hour of each day in UTC."""
    today = span.end.astimezone(UTC).date()
    hours = [
        datetime.combine(today - timedelta(days=back), LAST_HOUR, tzinfo=UTC) for back in range(period.steps, 0, -1)
    ]
    rows = InsightWindow.objects.filter(
        account__in=accounts, period=InsightWindow.Period.HOUR, window_start__in=hours, metrics__has_key="followers"
    ).values_list("account_id", "window_start", _number("followers"))
    values: dict[UUID, dict[Any, int]] = defaultdict(dict)
    for pk, start, value in rows:
        values[pk][start.date()] = value
    return values, {}


def accounts_table(rows: Sequence[Compared]) -> Table:
    columns = (
        Column("network", _("Network")),
        Column("account", _("Account")),
        Column("followers", MEASURES["followers"].word, Kind.NUMBER, MEASURES["followers"].meaning),
        Column("followers_change", _("Followers, change"), Kind.NUMBER),
        Column("views", MEASURES["views"].word, Kind.NUMBER, MEASURES["views"].meaning),
        Column("views_days", _("Days with views"), Kind.NUMBER),
        Column("reach", _("Reach of the average day"), Kind.NUMBER, _("People are not added up over days.")),
        Column("reach_days", _("Days with reach"), Kind.NUMBER),
        Column("engagements", MEASURES["engagements"].word, Kind.NUMBER, MEASURES["engagements"].meaning),
        Column("engagements_days", _("Days with engagements"), Kind.NUMBER),
        Column("posts", _("Posts"), Kind.NUMBER),
        Column("engagement_rate", _("Engagement rate of the average post"), Kind.PERCENT, average_note()),
    )
    cells = (
        (
            LABELS.get(row.account.platform, row.account.platform),
            row.account.handle,
            row.followers,
            row.growth.change if row.growth else None,
            *(cell for one in row.columns for cell in (one.value, one.known)),
            row.posts,
            row.rate,
        )
        for row in rows
    )
    return Table("compare", _("Accounts compared"), columns, cells)


# --- Campaigns ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Campaign:
    """posts: written once; placed: on how many networks they stand, of which the figures are."""

    name: str
    posts: int
    placed: int
    accounts: int
    first: datetime
    last: datetime
    views: Total
    reach: float | None  # of the average post: people are not added up
    engagements: Total
    rate: float | None
    rated: int


SORTED_BY: dict[str, Any] = {
    "name": lambda one: one.name.casefold(),
    "posts": lambda one: one.posts,
    "last": lambda one: one.last,
    "views": lambda one: one.views.value,
    "reach": lambda one: one.reach,
    "engagements": lambda one: one.engagements.value,
    "engagement_rate": lambda one: one.rate,
}


def campaigns(workspace: Workspace, accounts: Collection[UUID], span: Span, sort: str) -> list[Campaign]:
    """What was posted in the span, by campaign; written in capitals or not, it is the same one. One query."""
    rows = (
        PlatformPost.objects.filter(
            account__in=accounts,
            posted_at__gte=span.start,
            posted_at__lt=span.end,
            publication__post__workspace=workspace,
            publication__post__campaign__gt="",
        )
        .order_by()
        .values(key=Upper("publication__post__campaign"))
        .annotate(
            name=Min("publication__post__campaign"),
            written=Count("publication__post", distinct=True),
            placed=Count("pk"),
            on=Count("account", distinct=True),
            first=Min("posted_at"),
            newest=Max("posted_at"),
            all_views=Sum("views"),
            views_known=Count("views"),
            average_reach=Avg("reach"),
            all_engagements=Sum("engagements"),
            engagements_known=Count("engagements"),
            rate=Avg("engagement_rate", filter=~SEEN_BY_FEW),
            rated=Count("engagement_rate", filter=~SEEN_BY_FEW),
        )
    )
    found = [
        Campaign(
            name=row["name"],
            posts=row["written"],
            placed=row["placed"],
            accounts=row["on"],
            first=row["first"],
            last=row["newest"],
            views=Total(row["all_views"], row["views_known"], row["placed"]),
            reach=row["average_reach"],
            engagements=Total(row["all_engagements"], row["engagements_known"], row["placed"]),
            rate=row["rate"],
            rated=row["rated"],
        )
        for row in rows
    ]
    return in_order(found, sort)


def in_order(found: list[Campaign], sort: str) -> list[Campaign]:
    """Those without the figure come last, whichever way."""
    value_of = SORTED_BY[sort.removeprefix("-")]
    known = [one for one in found if value_of(one) is not None]
    known.sort(key=lambda one: one.name.casefold())
    known.sort(key=value_of, reverse=sort.startswith("-"))
    return [*known, *(one for one in found if value_of(one) is None)]


@dataclass(frozen=True, slots=True)
class Bar:
    name: str
    value: float
    width: float  # percent of the longest


@dataclass(frozen=True, slots=True)
class Bars:
    """The campaigns that did best in one figure, longest first."""

    measure: str
    bars: list[Bar]
    more: int  # that have the figure, too

    @property
    def unit(self) -> Unit:
        return Unit.PERCENT if self.measure == "engagement_rate" else Unit.COUNT


BARS = 8


def bars_of(found: Sequence[Campaign], sort: str) -> Bars | None:
    """The figure that the campaigns are sorted by, drawn; None where fewer than two have it, or none has more than 0."""
    measure = sort.removeprefix("-")
    if measure in ("name", "last"):
        measure = "engagement_rate"
    values = [(one.name, value) for one in found if (value := SORTED_BY[measure](one)) is not None]
    values.sort(key=lambda pair: (-pair[1], pair[0].casefold()))
    if len(values) < 2 or values[0][1] <= 0:
        return None
    most = values[0][1]
    bars = [Bar(name, value, round(100 * value / most, 1)) for name, value in values[:BARS]]
    return Bars(measure, bars, len(values) - len(bars))


def campaigns_table(rows: Sequence[Campaign]) -> Table:
    columns = (
        Column("campaign", _("Campaign")),
        Column("posts", _("Posts"), Kind.NUMBER, _("What was written once counts once.")),
        Column("placed", _("On networks"), Kind.NUMBER, _("The same, counted on every network that it stands on.")),
        Column("accounts", _("Accounts"), Kind.NUMBER),
        Column("first", _("First post"), Kind.TIME),
        Column("last", _("Last post"), Kind.TIME),
        Column("views", MEASURES["views"].word, Kind.NUMBER, MEASURES["views"].meaning),
        Column("reach", _("Reach per post"), Kind.NUMBER, _("People are not added up over posts.")),
        Column("engagements", MEASURES["engagements"].word, Kind.NUMBER, MEASURES["engagements"].meaning),
        Column("engagement_rate", _("Engagement rate of the average post"), Kind.PERCENT, average_note()),
    )
    cells = (
        (
            *(row.name, row.posts, row.placed, row.accounts, row.first, row.last),
            *(row.views.value, row.reach, row.engagements.value, row.rate),
        )
        for row in rows
    )
    return Table("campaigns", _("Campaigns compared"), columns, cells)
