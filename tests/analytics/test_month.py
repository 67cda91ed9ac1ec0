"""A month of twenty accounts, hour by hour, over the day on which clocks change: what is stored is what happened.

The networks of this test know every event and when they report it: some of it hours late, some a day or two. Workers
stop for five hours, stop over a midnight, and one account is away for days.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from typing import Any, ClassVar

import pytest
import time_machine
from django.utils import timezone

from accounts.models import ConnectedAccount
from analytics.days import day_end, day_start, days_after
from analytics.ingest import posts as ingest_posts
from analytics.ingest.accounts import parts_of
from analytics.models import AccountSync, InsightWindow, PlatformPost, PostDay, PostSnapshot
from socialhub.platforms.base import Access, AccountReading, DayFigures, PostFigures, Profile, RemotePost
from tests.factories import make_account
from tests.fakes import FakePlatform

BEGIN = datetime(2026, 10, 18, 12, tzinfo=UTC)  # the clocks of Los Angeles go back on 1 November
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOURS = 30 * 24
HISTORY = 5
POSTING, POSTS = 5, 8  # so many accounts post, so often
NAMES = ("views", "likes")
PACIFIC = "America/Los_Angeles"

# Hours of the month in which nothing is read: five in the middle of a day, and some around a midnight of the network.
STOPPED = {*range(9 * 24 + 3, 9 * 24 + 8), *range(15 * 24 + 17, 15 * 24 + 22)}
AWAY = range(19 * 24, 22 * 24 + 7)  # one account, for days

pytestmark = pytest.mark.django_db


class World(FakePlatform):
    """A network with all its accounts: what happened in each minute, and when it says so."""

    zone: ClassVar[str] = PACIFIC

    def __init__(self, seed: int, *, today: bool, late: bool, settles: int = 3) -> None:
        super().__init__()
        self.day_zone = self.zone  # type: ignore[misc]
        self.tells_today = today  # type: ignore[misc]
        self.settles_after_days = settles  # type: ignore[misc]
        self.history_days = HISTORY  # type: ignore[misc]
        self.lists_figures = 25  # type: ignore[misc]
        self.late = late
        self.random = random.Random(seed)
        self.events: dict[tuple[str, str], list[tuple[datetime, datetime, int]]] = {}
        self.sums: dict[tuple[str, str, datetime], tuple[list[datetime], list[int]]] = {}
        self.levels: dict[str, list[int]] = {}

    def add_account(self, key: str) -> None:
        start = BEGIN - (HISTORY + 2) * DAY
        hours = HOURS + (HISTORY + 4) * 24
        for name in NAMES:
            events = []
            for hour in range(hours):
                at = start + hour * HOUR + timedelta(minutes=self.random.randrange(60))
                events.append((at, self._told_at(at), self.random.randrange(0, 40)))
            self.events[key, name] = events
            by_day: dict[datetime, list[tuple[datetime, int]]] = defaultdict(list)
            for at, told_at, number in events:
                by_day[day_start(at, self.zone)].append((told_at, number))
            for day, told in by_day.items():
                told.sort()
                self.sums[key, name, day] = ([at for at, _n in told], list(accumulate(n for _at, n in told)))
        self.levels[key] = list(accumulate((self.random.randrange(-3, 8) for _ in range(HOURS + 50)), initial=5000))
        for number in range(POSTS):
            posted_at = BEGIN + timedelta(hours=self.random.randrange(-100, 20 * 24), minutes=self.random.randrange(60))
            self.add(key, f"{key}-{number}", posted_at=posted_at)

    def _told_at(self, at: datetime) -> datetime:
        """Usually within the minute; a tenth some hours later, a tenth a day or two."""
        if not self.late:
            return at
        chance = self.random.random()
        if chance < 0.1:
            return at + timedelta(hours=self.random.randrange(1, 7))
        return at + timedelta(hours=self.random.randrange(20, 47)) if chance > 0.9 else at

    def told(self, key: str, name: str, day: datetime, at: datetime) -> int:
        """What the network says at that moment about its day."""
        moments, sums = self.sums[key, name, day]
        number = bisect_right(moments, at)
        return sums[number - 1] if number else 0

    def truth(self, key: str, name: str, start: datetime, end: datetime) -> int:
        return sum(number for at, _told, number in self.events[key, name] if start < at <= end)

    def level(self, key: str, at: datetime) -> int:
        return self.levels[key][int((at - BEGIN) / HOUR) + 5]

    def read_account(
        self, access: Access, *, days: Sequence[datetime] = (), skip: Collection[str] = ()
    ) -> AccountReading:
        now, key = timezone.now(), access.account_id
        today = day_start(now, self.zone)
        figures = [
            DayFigures(
                day,
                {name: self.told(key, name, day, now) for name in NAMES},
                {name: f"network_{name}" for name in NAMES},
                {"told": True},
                is_whole=day < today,
            )
            for day in days
            if day < today or self.tells_today
        ]
        return AccountReading(Profile("Name", followers_count=self.level(key, now)), days=tuple(figures))

    def likes_of(self, post: RemotePost) -> int:
        hours = (timezone.now() - post.posted_at) / HOUR
        return int(300 * hours / (hours + 20))

    def post_figures(
        self, access: Access, posts: Mapping[str, str], *, skip: Collection[str] = ()
    ) -> list[PostFigures]:
        return [
            PostFigures(post.platform_post_id, likes=self.likes_of(post), reach=10 * self.likes_of(post))
            for post in self.feed[access.account_id]
            if post.platform_post_id in posts
        ]

    def recent_posts(
        self, access: Access, *, since: datetime, limit: int = 25, figures: bool = False, skip: Collection[str] = ()
    ) -> list[RemotePost]:
        now = timezone.now()
        self._record("recent_posts", access)
        listed = [post for post in self._posts(access.account_id) if since <= post.posted_at <= now]
        told = {
            one.platform_post_id: one for one in self.post_figures(access, {p.platform_post_id: "" for p in listed})
        }
        return [
            RemotePost(p.platform_post_id, p.text, p.posted_at, p.permalink, figures=told[p.platform_post_id])
            for p in listed[:limit]
        ]


class UtcWorld(World):
    zone: ClassVar[str] = "UTC"


class Month:
    """The accounts with their networks, and the readings as they were made."""

    def __init__(self, workspace: Any) -> None:
        kinds = [
            *[("instagram", World(1, today=True, late=True))] * 4,
            ("instagram", World(2, today=True, late=False)),
            *[("facebook", World(3, today=False, late=True))] * 8,
            *[("linkedin", UtcWorld(4, today=False, late=True, settles=7))] * 7,
        ]
        self.networks: dict[Any, World] = {}
        self.accounts: list[ConnectedAccount] = []
        for number, (platform, network) in enumerate(kinds):
            account = make_account(workspace, platform=platform, platform_account_id=f"a{number}")
            network.add_account(account.platform_account_id)
            self.accounts.append(account)
            self.networks[account.pk] = network
        self.away = self.accounts[3]
        self.posting = self.accounts[:POSTING]
        self.readings: dict[Any, list[datetime]] = defaultdict(list)
        self.random = random.Random(99)

    def is_read(self, account: ConnectedAccount, hour: int) -> bool:
        """Hourly where the network tells hours; twice a day will do for the others."""
        if hour in STOPPED or (account is self.away and hour in AWAY):
            return False
        return self.networks[account.pk].tells_today or (hour + self.accounts.index(account)) % 12 == 0

    def run(self, clock: Any) -> None:
        for hour in range(HOURS):
            for number, account in enumerate(self.accounts):
                if not self.is_read(account, hour):
                    continue
                at = BEGIN + hour * HOUR + timedelta(minutes=2 * number + self.random.randrange(2))
                clock.move_to(at)
                self.read(account, full=hour % 3 == number % 3 or not self.networks[account.pk].tells_today)
                self.readings[account.pk].append(at)
            clock.move_to(BEGIN + hour * HOUR + timedelta(minutes=58))
            if hour not in STOPPED:
                self.read_posts()
        clock.move_to(BEGIN + HOURS * HOUR + timedelta(minutes=59))

    def read(self, account: ConnectedAccount, *, full: bool) -> None:
        """The posts twice a day: their cadence has tests of its own."""
        listed = account in self.posting and timezone.now().hour % 12 < 3
        account._state.fields_cache.pop("sync", None)
        network = self.networks[account.pk]
        access = Access(account.platform_account_id, "token")
        for part in parts_of(account, network, full=full):
            if listed or not part.key.startswith("post"):
                assert part.act(account, network, access) == ()

    def read_posts(self) -> None:
        due = defaultdict(list)
        for post in ingest_posts.claim_posts(500):
            due[post.account_id].append(post)
        for account in self.accounts:
            if posts := due.get(account.pk):
                access = Access(account.platform_account_id, "token")
                ingest_posts.read_figures(account, self.networks[account.pk], access, posts)


@pytest.fixture
def month(workspace):
    with time_machine.travel(BEGIN, tick=False) as clock:
        month = Month(workspace)
        month.run(clock)
        yield month


def rows() -> list[Any]:
    return [
        [{**row, "id": 0} for row in InsightWindow.objects.order_by("account_id", "period", "window_start").values()],
        list(PlatformPost.objects.order_by("pk").values()),
        list(PostSnapshot.objects.order_by("pk").values()),
        list(PostDay.objects.order_by("platform_post_id", "day").values()),
        list(AccountSync.objects.order_by("pk").values()),
    ]


def test_what_is_stored_of_a_month_is_what_happened(month):
    windows = defaultdict(list)
    for window in InsightWindow.objects.order_by("window_start"):
        windows[window.account_id, window.period].append(window)
    for account in month.accounts:
        hours, days = windows[account.pk, "hour"], windows[account.pk, "day"]
        network = month.networks[account.pk]
        check_hours(month, account, hours)
        check_days(month, account, days)
        if network.tells_today:
            check_sums(network, hours, days)
        if not network.late:
            check_each_hour(network, account, hours)
    check_posts()
    check_that_a_second_run_changes_nothing(month)


def check_hours(month, account, hours):
    """One window for each hour in which it was read, none for the others, and spans that leave no minute out."""
    expected = [BEGIN + hour * HOUR for hour in range(HOURS) if month.is_read(account, hour)]
    assert [window.window_start for window in hours] == expected
    assert [window.fetched_at for window in hours] == month.readings[account.pk]
    changes = [window.derived.get("followers", 0) for window in hours]
    assert sum(changes) == hours[-1].metrics["followers"] - hours[0].metrics["followers"]
    network = month.networks[account.pk]
    for earlier, later in pairwise(hours):
        minutes = (later.fetched_at - earlier.fetched_at) / timedelta(minutes=1)
        assert later.derived.get("level_minutes", later.derived["span_minutes"]) == minutes
    if network.tells_today:
        gaps = [one for before, one in pairwise(hours) if one.window_start - before.window_start > HOUR]
        assert len(gaps) == (3 if account is month.away else 2)
        assert all(max(gap.derived.get("level_minutes", 0), gap.derived["span_minutes"]) > 300 for gap in gaps)
        away = (AWAY[-1] - AWAY[0]) * 60 if account is month.away else 0
        covered = sum(window.derived["span_minutes"] for window in hours)
        since_midnight = (hours[-1].fetched_at - day_start(hours[0].fetched_at, network.zone)) / timedelta(minutes=1)
        # Of a stop over whole days no hour tells; all other minutes are in exactly one window.
        assert since_midnight - covered <= away
        assert covered <= since_midnight
        assert away or covered == since_midnight


def check_days(month, account, days):
    """Each day of the month and of the history, at its own midnight, with what happened on it."""
    network, key = month.networks[account.pk], account.platform_account_id
    last = day_start(month.readings[account.pk][-1], network.zone)
    first = days_after(day_start(BEGIN, network.zone), -max(HISTORY, network.settles_after_days), network.zone)
    starts = [window.window_start for window in days if window.window_start < last]
    expected = [first]
    while (following := day_end(expected[-1], network.zone)) < last:
        expected.append(following)
    assert starts == expected, "no day is missing, though one account was away for days"
    assert {end - start for start, end in pairwise(starts)} == (
        {DAY} if network.zone == "UTC" else {DAY, timedelta(hours=25)}
    )
    for window in days:
        end = day_end(window.window_start, network.zone)
        assert window.is_whole == (end <= window.fetched_at)
        if end < last - 3 * DAY:  # the network has told all of it, and it was read again since
            told = {
                name: network.truth(key, name, window.window_start - timedelta(seconds=1), end - timedelta(seconds=1))
                for name in NAMES
            }
            assert window.metrics == told


def check_sums(network, hours, days):
    """What the hours say and what belongs to none of them is the day."""
    for window in days:
        end = day_end(window.window_start, network.zone)
        inside = [hour for hour in hours if window.window_start <= hour.fetched_at < end]
        if not inside:
            assert window.derived == {}
            continue
        for name in NAMES:
            placed = sum(hour.derived.get(name, 0) for hour in inside)
            assert placed + window.derived.get("unplaced", {}).get(name, 0) == window.metrics[name]
    assert any(window.derived for window in days) == network.late, "only what comes late is left over"


def check_each_hour(network, account, hours):
    """Where nothing is late, each hour has exactly what happened in the minutes that it covers."""
    key = account.platform_account_id
    for window in hours:
        midnight = day_start(window.fetched_at, network.zone)
        end = window.fetched_at
        if "level_minutes" in window.derived and window.derived["level_minutes"] < window.derived["span_minutes"]:
            end = day_end(midnight, network.zone)
        start = end - timedelta(minutes=window.derived["span_minutes"])
        just = timedelta(seconds=1)
        for name in NAMES:
            of_day = network.truth(
                key,
                name,
                start if start > midnight else start - just,
                end if end < day_end(midnight, network.zone) else end - just,
            )
            assert window.derived[name] == of_day


def check_posts():
    """Each age once, with the first reading after it; what days have gained is what the post has.

    Posts that were made elsewhere are found hours later, so the first marks may be missing.
    """
    assert PlatformPost.objects.count() == POSTING * POSTS
    now = timezone.now()
    marks = (("24h", 24), ("3d", 72), ("7d", 168), ("28d", 672))
    for post in PlatformPost.objects.prefetch_related("snapshots", "days"):
        marked = {row.mark: row for row in post.snapshots.all() if row.mark}
        for mark, age in marks:
            reached = post.posted_at + age * HOUR
            if reached >= BEGIN and reached + 8 * HOUR < now:
                late = marked[mark].fetched_at - reached
                assert timedelta(0) <= late <= 7 * HOUR, (mark, late)
        days = sorted(post.days.all(), key=lambda day: day.day)
        before = days[0].likes - days[0].gained.get("likes", days[0].likes)
        assert before + sum(day.gained.get("likes", 0) for day in days) == days[-1].likes - (
            0 if "likes" in days[0].gained else days[0].likes
        )
        assert post.engagement_rate == pytest.approx(0.1, abs=0.001)


def check_that_a_second_run_changes_nothing(month):
    for account in month.accounts:
        month.read(account, full=True)
    before = rows()
    for account in month.accounts:
        month.read(account, full=True)
    assert rows() == before
