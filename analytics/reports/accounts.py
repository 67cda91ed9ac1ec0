"""What the pages of figures say of accounts: one account in full, and all of a workspace beside each other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import BooleanField, Count, ExpressionWrapper, F, FloatField, Max, Min, OuterRef, Q, Subquery, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, JSONObject
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import ConnectedAccount, Workspace
from analytics.days import day_start, days_after
from analytics.models import AudienceSnapshot, InsightWindow
from analytics.reports.charts import Chart, Line
from analytics.reports.periods import PERIODS, Period
from analytics.reports.series import COMPARABLE, OF_ACCOUNTS, Series, Sort, Told, load, sort_of
from analytics.reports.tables import Column, Kind, Table
from socialhub.platforms import LABELS, PLATFORMS
from socialhub.platforms.measures import MEASURES, Measure
from socialhub.platforms.metrics import CATALOGUE
from socialhub.platforms.metrics.types import NetworkMetric

FOLLOWERS = MEASURES["followers"]
ASIDE = ("following", "page_likes", "posts")  # levels that stand beside the name instead of on a card
LARGEST_PARTS = 8
LATE_BY = 0.25  # of a span: whose first reading is later has not been followed all that time
MOST_LINES = 6  # more cannot be told apart

HOW = {
    Sort.SUM: gettext_lazy("Of several days: their sum."),
    Sort.AVERAGE: gettext_lazy("Of several days: the average day. A sum would count the same person again and again."),
    Sort.LEVEL: gettext_lazy("Of several days: where it stands now, and how far it has come since their start."),
}


# --- One account ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Meaning:
    """One line of "What does this mean?". names: what the network itself calls it, and where that is written."""

    measure: Measure
    how: Any
    names: Sequence[NetworkMetric]
    why: str = ""  # why there is none


@dataclass(frozen=True, slots=True)
class Part:
    key: str
    word: Any
    count: int
    share: float  # of all that were told in this dimension

    @property
    def width(self) -> float:
        """Of 100."""
        return round(self.share * 100, 2)


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Followers, or those who acted, by one dimension. more: how many further parts there are."""

    key: str
    title: str
    parts: Sequence[Part]
    more: int
    taken_on: date
    is_region: bool = False


@dataclass(frozen=True, slots=True)
class AudienceFound:
    breakdowns: Sequence[Breakdown]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    text: str
    words: Sequence[Any]  # of the measures that it is about; none: it is about all


@dataclass(frozen=True)
class AccountPage:
    series: Series
    period: Period
    measure: Measure
    asked: str = ""  # the measure that the address names, to stay with it

    @property
    def account(self) -> ConnectedAccount:
        return self.series.account

    @cached_property
    def measures(self) -> list[Measure]:
        """Those that get a card: known ones, followers before all others."""
        return [measure for key, measure in self.series.known.items() if key not in ASIDE]

    @cached_property
    def cards(self) -> list[Told]:
        return [self.series.told(measure, self.period) for measure in self.measures]

    @property
    def shown(self) -> list[Told]:
        return [told for told in self.cards if told.value is not None]

    @property
    def remarks(self) -> list[Remark]:
        """What is to be known of the cards, each sentence once, with the measures that it is about."""
        about: dict[str, list[Any]] = {}
        for told in self.cards:
            for text in (told.why, *told.notes, told.why_not_compared):
                if text:
                    about.setdefault(text, []).append(told.measure.word)
        return [Remark(text, words if len(words) < len(self.cards) else []) for text, words in about.items()]

    @cached_property
    def spans(self) -> list[Told]:
        """The chosen measure over every span there is."""
        return [self.series.told(self.measure, period) for period in PERIODS]

    @cached_property
    def chart(self) -> Chart:
        return self.series.chart(self.measure, self.period)

    @cached_property
    def follower_chart(self) -> Chart | None:
        if self.measure is FOLLOWERS or FOLLOWERS.key not in self.series.known:
            return None
        return self.series.chart(FOLLOWERS, self.period)

    @cached_property
    def aside(self) -> list[tuple[Any, int]]:
        account = self.account
        levels = {"following": account.following_count, "page_likes": account.likes_count, "posts": account.posts_count}
        return [(MEASURES[key].word, value) for key, value in levels.items() if value is not None]

    @cached_property
    def missing(self) -> list[Meaning]:
        """What this network tells of accounts in principle, and of this one did not."""
        return [
            Meaning(MEASURES[key], "", self.series.names[key], self.series.why(MEASURES[key]))
            for key in MEASURES
            if key in self.series.names and key not in self.series.known
        ]

    @cached_property
    def dictionary(self) -> list[Meaning]:
        return [
            Meaning(measure, HOW[sort_of(measure)], self.series.names.get(key, ()))
            for key, measure in self.series.known.items()
        ]

    @property
    def not_told(self) -> list[Any]:
        """What people may look for, and this network has no figure of."""
        wanted = ("views", "reach", "engagements", "likes", "profile_views", "follows")
        return [MEASURES[key].word for key in wanted if key not in self.series.names and key not in self.series.known]

    @cached_property
    def audience(self) -> AudienceFound:
        return audience_of(self.account)


def account_page(account: ConnectedAccount, period: Period, measure_key: str) -> AccountPage:
    """measure_key: what is looked at closely; where the account has no such figure, the first that it has."""
    series = load(account)
    wanted = [measure_key, "views", "impressions", FOLLOWERS.key]
    if period.is_hourly and not measure_key:
        wanted = [key for key in wanted if key in MEASURES and not series.why_not_by_hour(MEASURES[key])]
    key = next((key for key in wanted if key in series.known and key not in ASIDE), "")
    key = key or next((key for key in series.known if key not in ASIDE), FOLLOWERS.key)
    return AccountPage(series, period, MEASURES[key], key if key == measure_key else "")


DIMENSIONS = {
    "age": gettext_lazy("age"),
    "gender": gettext_lazy("gender"),
    "country": gettext_lazy("country"),
    "city": gettext_lazy("city"),
    "seniority": gettext_lazy("seniority"),
    "function": gettext_lazy("job function"),
    "industry": gettext_lazy("industry"),
    "company_size": gettext_lazy("company size"),
}
PEOPLE = {
    AudienceSnapshot.Kind.FOLLOWERS: gettext_lazy("Followers by %(dimension)s"),
    AudienceSnapshot.Kind.ENGAGED: gettext_lazy("People engaged by %(dimension)s"),
}
GENDERS = {"F": gettext_lazy("Women"), "M": gettext_lazy("Men"), "U": gettext_lazy("Not known")}


def audience_of(account: ConnectedAccount) -> AudienceFound:
    """The newest breakdown of each dimension. One query."""
    platform = PLATFORMS[account.platform]
    if not platform.has_audience:
        return AudienceFound([], _("%(network)s does not tell who follows.") % {"network": platform.label})
    rows = (
        AudienceSnapshot.objects.filter(account=account)
        .defer("raw")
        .order_by("kind", "dimension", "-taken_on")
        .distinct("kind", "dimension")
    )
    told, withheld = [], ""
    for row in rows:
        if row.dimension and row.parts:
            told.append(row)
        withheld = withheld or row.withheld
    order = list(DIMENSIONS)
    told.sort(key=lambda row: (row.kind != "followers", order.index(row.dimension) if row.dimension in order else 99))
    breakdowns = [_breakdown(row) for row in told]
    if breakdowns:
        return AudienceFound(breakdowns)
    if withheld:
        return AudienceFound([], withheld)
    return AudienceFound(
        [],
        _("Not read yet. Who follows is read once a day; most networks tell it from 100 followers on.")
        if account.is_connected
        else _("Not read before the access was lost."),
    )


def _breakdown(row: AudienceSnapshot) -> Breakdown:
    total = sum(row.parts.values())
    parts = sorted(row.parts.items(), key=lambda part: part[0] if row.dimension == "age" else -part[1])
    words: dict[str, Any] = GENDERS if row.dimension == "gender" else {}
    dimension = str(DIMENSIONS.get(row.dimension, row.dimension))
    title = str(PEOPLE[AudienceSnapshot.Kind(row.kind)]) % {"dimension": dimension}
    shown = [
        Part(key, words.get(key, key), count, count / total if total else 0) for key, count in parts[:LARGEST_PARTS]
    ]
    more = max(len(parts) - LARGEST_PARTS, 0)
    return Breakdown(f"{row.kind}-{row.dimension}", title, shown, more, row.taken_on, row.dimension == "country")


# --- All accounts ---------------------------------------------------------------------------------------------

OVERVIEW_PERIODS = tuple(period for period in PERIODS if not period.is_hourly)
# Shown of every account; where a network counts impressions instead of views, they are not put under one word.
COLUMNS = ("views", "impressions", "reach", "engagements")


@dataclass(frozen=True, slots=True)
class Cell:
    """One measure of one account over a span, as `Told` says it, out of sums of the database."""

    value: float | None
    before: float | None = None  # of as many days as are known of this span; None: not comparable
    why: str = ""
    known: int = 0
    of: int = 0

    @property
    def rate(self) -> float | None:
        return (self.value - self.before) / self.before if self.value is not None and self.before else None

    @property
    def is_partial(self) -> bool:
        return self.value is not None and self.known < self.of


@dataclass(frozen=True, slots=True)
class AccountRow:
    account: ConnectedAccount
    followers: int | None
    gained: int | None
    gained_since: datetime | None  # where the span was not read from its beginning
    cells: Sequence[tuple[Measure, Cell]]

    @property
    def tells(self) -> bool:
        return self.followers is not None or any(cell.value is not None for _measure, cell in self.cells)

    @property
    def why(self) -> str:
        return _why_none(self.account, FOLLOWERS)


@dataclass(frozen=True, slots=True)
class Summed:
    """Over the accounts that tell a measure. of: how many accounts there are."""

    measure: Measure
    value: float | None
    accounts: int
    of: int
    rate: float | None = None
    change: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    period: Period
    measure: Measure
    measures: Sequence[Measure]
    rows: Sequence[AccountRow]
    sums: Sequence[Summed]
    chart: Chart | None
    read_at: datetime | None


def overview(workspace: Workspace, period: Period, measure_key: str) -> Overview:
    """The accounts of a workspace over days. Three queries, however many there are and however old they are."""
    now = timezone.now()
    accounts = _listed(workspace, period, now)
    spans = {account.pk: Days.of(account, getattr(account, "newest_day", None), period, now) for account in accounts}
    found = _day_sums(accounts, spans)
    told = {key for halves in found.values() for key, days in halves.get(True, {}).items() if days.known}
    measures = [MEASURES[key] for key in COLUMNS if key in told]
    rows = [_row(account, measures, found.get(account.pk, {}), now - period.length, period) for account in accounts]
    chosen = next((measure for measure in measures if measure.key == measure_key), measures[0] if measures else None)
    return Overview(
        period=period,
        measure=chosen or MEASURES["views"],
        measures=measures,
        rows=rows,
        sums=[_followers_sum(rows), *(_sum(measure, rows) for measure in measures if sort_of(measure) is Sort.SUM)],
        chart=_overview_chart(rows, spans, chosen, period) if chosen else None,
        read_at=max((account.last_synced_at for account in accounts if account.last_synced_at), default=None),
    )


@dataclass(frozen=True, slots=True)
class Days:
    """The days of a span at one network, up to the newest that it has told, and as many before them."""

    zone: str
    before: datetime
    start: datetime
    end: datetime

    @classmethod
    def of(cls, account: ConnectedAccount, newest: datetime | None, period: Period, now: datetime) -> Days:
        """newest: the newest whole day that is known of the account."""
        platform = PLATFORMS[account.platform]
        today = day_start(now, platform.day_zone)
        earliest = days_after(today, -platform.settles_after_days, platform.day_zone)
        end = today
        if newest is not None and earliest <= (told := days_after(newest, 1, platform.day_zone)) < today:
            end = told
        start = days_after(end, -period.steps, platform.day_zone)
        return cls(platform.day_zone, days_after(start, -period.steps, platform.day_zone), start, end)


def newest_day() -> Subquery:
    """The newest whole day that is known of an account."""
    whole = InsightWindow.objects.filter(account=OuterRef("pk"), period=InsightWindow.Period.DAY, is_whole=True)
    return Subquery(whole.order_by("-window_start").values("window_start")[:1])


def _listed(workspace: Workspace, period: Period, now: datetime) -> list[ConnectedAccount]:
    windows = InsightWindow.objects.filter(account=OuterRef("pk"))
    hours = windows.filter(period=InsightWindow.Period.HOUR, metrics__has_key="followers")
    reading = JSONObject(followers=F("metrics__followers"), at=F("fetched_at"))
    return list(
        ConnectedAccount.objects.of(workspace)
        .listed()
        .defer("offers")
        .annotate(
            newest_hour=Subquery(hours.order_by("-window_start").values(reading=reading)[:1]),
            first_hour=Subquery(
                hours.filter(window_start__gte=now - period.length).order_by("window_start").values(reading=reading)[:1]
            ),
            newest_day=newest_day(),
        )
    )


@dataclass(frozen=True, slots=True)
class Summand:
    """The days of one measure, in the span or before it: their sum, how many have a figure, by which names they were told."""

    value: float = 0
    known: int = 0
    names: frozenset[str] = frozenset()


NO_DAYS = Summand()
Halves = Mapping[bool, Mapping[str, Summand]]  # True: in the span, False: before it; by the measure's key


def _day_sums(accounts: Sequence[ConnectedAccount], spans: dict[UUID, Days]) -> Mapping[UUID, Halves]:
    """Of each account that has any. One row for the days of the span, one for those before, each read once."""
    if not accounts:
        return {}
    by_days: dict[Days, list[UUID]] = {}
    for pk, days in spans.items():
        by_days.setdefault(days, []).append(pk)
    which, inside = Q(), Q()
    for days, ids in by_days.items():
        which |= Q(account__in=ids, window_start__gte=days.before, window_start__lt=days.end)
        inside |= Q(account__in=ids, window_start__gte=days.start)
    aggregates: dict[str, Any] = {}
    for key in COLUMNS:
        value, source = Cast(KT(f"metrics__{key}"), FloatField()), KT(f"sources__{key}")
        aggregates |= {f"{key}_sum": Sum(value), f"{key}_known": Count(value)}
        # Which there are between the two does not matter, only whether it is one.
        aggregates |= {f"{key}_name": Min(source), f"{key}_other_name": Max(source)}
    rows: Any = (
        InsightWindow.objects.filter(which, period=InsightWindow.Period.DAY, is_whole=True)
        .order_by()
        .annotate(inside=ExpressionWrapper(inside, BooleanField()))
        .values("account", "inside")
        .annotate(**aggregates)
    )
    found: dict[UUID, dict[bool, dict[str, Summand]]] = {}
    for row in rows:
        found.setdefault(row["account"], {})[row["inside"]] = {
            key: Summand(
                row[f"{key}_sum"] or 0,
                row[f"{key}_known"],
                frozenset({row[f"{key}_name"], row[f"{key}_other_name"]} - {None}),
            )
            for key in COLUMNS
            if row[f"{key}_known"] or row[f"{key}_name"]
        }
    return found


def _row(account: Any, measures: Sequence[Measure], halves: Halves, start: datetime, period: Period) -> AccountRow:
    newest, first = account.newest_hour, account.first_hour
    is_change = newest and first and newest["at"] != first["at"]
    since = datetime.fromisoformat(first["at"]) if is_change else None
    return AccountRow(
        account=account,
        followers=account.followers_count,
        gained=newest["followers"] - first["followers"] if is_change else None,
        gained_since=since if since and since - start > LATE_BY * period.length else None,
        cells=[(measure, _cell(account, measure, halves, period)) for measure in measures],
    )


def _cell(account: ConnectedAccount, measure: Measure, halves: Halves, period: Period) -> Cell:
    span, earlier = (halves.get(inside, {}).get(measure.key, NO_DAYS) for inside in (True, False))
    if not span.known:
        return Cell(None, why=_why_none(account, measure))
    is_sum = sort_of(measure) is Sort.SUM
    value = span.value if is_sum else span.value / span.known
    if len(span.names) > 1:
        return Cell(
            None,
            why=_("Within these days the network began to count something else. The page of the account says when."),
        )
    before = None
    if min(span.known, earlier.known) >= COMPARABLE * period.steps and len(span.names | earlier.names) < 2:
        # By the average day, so that single missing ones do not look like a change.
        before = earlier.value / earlier.known * (span.known if is_sum else 1)
    return Cell(value, before, known=span.known, of=period.steps)


def _why_none(account: ConnectedAccount, measure: Measure) -> str:
    network = LABELS[account.platform]
    asked = any(
        metric.measure == measure.key and metric.subject in OF_ACCOUNTS and metric.asked
        for metric in CATALOGUE[account.platform]
    )
    if not asked:
        return _("%(network)s has no such figure of accounts.") % {"network": network}
    if account.needs_reconnect:
        return _("The access to this account was lost, so nothing new is read. Reconnect it, and reading goes on.")
    if account.last_synced_at is None:
        return _("Not read yet. The first figures come within a minute of connecting.")
    return _("%(network)s has told nothing for these days.") % {"network": network}


def _followers_sum(rows: Sequence[AccountRow]) -> Summed:
    known = [row.followers for row in rows if row.followers is not None]
    gained = [row.gained for row in rows if row.gained is not None]
    is_whole = not any(row.gained_since for row in rows)
    return Summed(
        FOLLOWERS,
        sum(known) if known else None,
        len(known),
        len(rows),
        change=sum(gained) if gained and is_whole else None,
        note=_("Who follows several accounts counts once for each.") if len(known) > 1 else "",
    )


def _sum(measure: Measure, rows: Sequence[AccountRow]) -> Summed:
    cells = [cell for row in rows for one, cell in row.cells if one is measure]
    known = [cell for cell in cells if cell.value is not None]
    value = sum(cell.value or 0 for cell in known)
    compared = all(cell.before is not None for cell in known)
    before = sum(cell.before or 0 for cell in known)
    return Summed(
        measure,
        value if known else None,
        len(known),
        len(rows),
        rate=(value - before) / before if compared and before > 0 else None,
        note="" if compared else _("Not compared: of some accounts too few days before are known."),
    )


def _overview_chart(
    rows: Sequence[AccountRow], spans: dict[UUID, Days], measure: Measure, period: Period
) -> Chart | None:
    """A line for each of the accounts with the most, by the date that each network gives its day."""
    telling = [
        (cell.value, row.account)
        for row in rows
        for one, cell in row.cells
        if one is measure and cell.value is not None
    ]
    if not telling:
        return None
    shown = [account for _value, account in sorted(telling, key=lambda one: -one[0])[:MOST_LINES]]
    values = _by_date(shown, spans, measure.key)
    # Days of different networks begin at different hours; they stand under their date, in the middle of Greenwich's.
    days = sorted({day for found in values.values() for day in found})
    first = min(days[0], days[-1])
    dates = [date.fromordinal(at) for at in range(first.toordinal(), days[-1].toordinal() + 1)]
    lines = [
        Line(
            str(account.pk),
            f"{LABELS[account.platform]} {account.handle}",
            [values[account.pk].get(day) for day in dates],
            unit=measure.unit,
        )
        for account in shown
    ]
    title = _("%(measure)s by day") % {"measure": measure.word}
    columns = [Column("day", _("Day"), Kind.DAY), *(Column(line.key, line.word, Kind.NUMBER) for line in lines)]
    table = Table(
        "accounts-days", title, columns, [[day, *(line.values[at] for line in lines)] for at, day in enumerate(dates)]
    )
    notes = [_("Each day is that of the network, so days of different networks begin at different hours.")]
    if len({spans[account.pk].zone for account in shown}) < 2:
        notes = []
    if (more := len(telling) - len(shown)) > 0:
        notes.append(
            _("The %(shown)d accounts with the most; the table below has the other %(more)d too.")
            % {"shown": len(shown), "more": more}
        )
    return Chart(
        "overview",
        title,
        [datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("UTC")) for day in dates],
        lines,
        table,
        notes=notes,
    )


def _by_date(
    accounts: Collection[ConnectedAccount], spans: dict[UUID, Days], key: str
) -> dict[UUID, dict[date, float]]:
    which = Q()
    for account in accounts:
        days = spans[account.pk]
        which |= Q(account=account, window_start__gte=days.start, window_start__lt=days.end)
    found: dict[UUID, dict[date, float]] = {account.pk: {} for account in accounts}
    rows = (
        InsightWindow.objects.filter(which, period=InsightWindow.Period.DAY, is_whole=True)
        .annotate(value=Cast(KT(f"metrics__{key}"), FloatField()))
        .values_list("account", "window_start", "value")
    )
    for pk, at, value in rows:
        if value is not None:
            found[pk][at.astimezone(ZoneInfo(spans[pk].zone)).date()] = int(value) if value == int(value) else value
    return found
