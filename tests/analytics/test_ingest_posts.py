"""Posts and how they grow: listings that tell figures, marks, days, breaks, what vanishes, and two workers at once."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connections

from accounts.models import ConnectedAccount
from analytics.ingest import posts as ingest
from analytics.ingest.growth import AGES, mark_of, next_fetch
from analytics.models import PlatformPost, PostDay, PostSnapshot, RefusedMetric
from publishing.models import Publication
from socialhub.platforms.base import Access, PostFigures
from socialhub.platforms.errors import PermissionMissingError, TemporaryError
from tests.analytics.rows import make_platform_post, make_published
from tests.factories import make_account
from tests.fakes import FakePlatform

NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ACCESS = Access("1001", "token")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def account(workspace):
    return make_account(workspace, platform_account_id="1001")


@pytest.fixture
def network():
    return FakePlatform()


class Lister(FakePlatform):
    lists_figures = 25


def tell(network, key, **figures):
    network.figures[key] = PostFigures(key, **figures)


def read_one(account, network, post):
    ingest.read_figures(account, network, ACCESS, [PlatformPost.objects.get(pk=post.pk)])
    return PlatformPost.objects.get(pk=post.pk)


def snapshots(post):
    return list(PostSnapshot.objects.filter(platform_post=post).order_by("fetched_at"))


# --- What figures become --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("figures", "engagements", "rate", "of"),
    [
        ({"likes": 6, "comments": 2, "shares": 1, "saves": 1, "reach": 200, "views": 400}, 10, 0.05, "reach"),
        ({"likes": 6, "views": 60, "impressions": 600}, 6, 0.1, "views"),
        ({"comments": 6, "impressions": 600}, 6, 0.01, "impressions"),
        ({"likes": 0, "reach": 200}, 0, 0.0, "reach"),
        ({"likes": 3, "reach": 0, "views": 30}, 3, 0.1, "views"),
        ({"likes": 3, "reach": 0}, 3, None, ""),
        ({"likes": 3}, 3, None, ""),
        ({"reach": 200, "clicks": 9}, None, None, ""),
    ],
)
def test_engagements_and_their_rate_rest_on_what_is_known(account, network, figures, engagements, rate, of):
    post = make_platform_post(account)
    tell(network, post.platform_post_id, **figures)
    post = read_one(account, network, post)
    assert (post.engagements, post.engagement_rate, post.rate_of) == (engagements, rate, of)


def test_what_else_is_told_is_kept_with_its_names_and_reasons(account, network, clock):
    post = make_platform_post(account)
    tell(
        network,
        post.platform_post_id,
        views=4,
        extra={"follows": 1},
        sources={"views": "views"},
        raw={"views": 4},
        withheld="Fewer than five people have seen it.",
    )
    post = read_one(account, network, post)
    assert (post.extra, post.sources, post.raw) == ({"follows": 1}, {"views": "views"}, {"views": 4})
    assert post.withheld == "Fewer than five people have seen it."
    clock.move_to(NOW + HOUR)
    tell(network, post.platform_post_id, views=9, raw={"views": 9})
    post = read_one(account, network, post)
    assert (post.extra, post.raw, post.withheld) == ({"follows": 1}, {"views": 9}, "")


def test_a_count_below_zero_is_none(account, network):
    post = make_platform_post(account, likes=4)
    tell(network, post.platform_post_id, likes=-1, comments=2)
    post = read_one(account, network, post)
    assert (post.likes, post.comments) == (4, 2)
    assert snapshots(post)[0].likes is None


def test_figures_may_fall(account, network, clock):
    post = make_platform_post(account, posted_at=NOW - 2 * DAY)
    for number, likes in enumerate((9, 5)):
        clock.move_to(NOW + number * DAY)
        tell(network, post.platform_post_id, likes=likes)
        post = read_one(account, network, post)
    assert post.likes == 5
    assert PostDay.objects.latest("day").gained["likes"] == -4


def test_another_metric_behind_a_figure_begins_a_new_series(account, network, clock):
    post = make_platform_post(account, posted_at=NOW - 2 * DAY)
    for number, (views, source) in enumerate(((900, "impressions"), (90, "views"), (95, "views"))):
        clock.move_to(NOW + number * DAY)
        tell(network, post.platform_post_id, views=views, likes=number, sources={"views": source, "likes": "likes"})
        post = read_one(account, network, post)
    assert post.series == 1
    assert [row.series for row in snapshots(post)] == [0, 1, 1]
    days = PostDay.objects.order_by("day")
    assert [day.series for day in days] == [0, 1, 1]
    assert [day.gained for day in days] == [
        {},
        {},
        {"views": 5, "likes": 1, "engagements": 1, "span_minutes": 1440},
    ]


def test_a_source_that_is_told_for_the_first_time_is_no_break(account, network):
    post = make_platform_post(account, views=5)
    tell(network, post.platform_post_id, views=6, sources={"views": "views"})
    assert read_one(account, network, post).series == 0


# --- Marks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "mark"),
    [
        (timedelta(minutes=59), ""),
        (timedelta(hours=1), "1h"),
        (timedelta(hours=5, minutes=59), "1h"),
        (timedelta(hours=6), "6h"),
        (timedelta(hours=24), "24h"),
        (timedelta(days=3), "3d"),
        (timedelta(days=27), "7d"),
        (timedelta(days=28, minutes=2), "28d"),
        (timedelta(days=36), ""),
    ],
)
def test_a_reading_stands_for_the_last_age_that_was_reached(age, mark):
    assert mark_of(age) == mark


def test_a_post_gets_each_mark_once_by_its_own_cadence(account, network, clock):
    post = make_platform_post(account, posted_at=NOW, next_fetch_at=NOW)
    at = NOW
    reads = 0
    while at is not None:
        clock.move_to(at + timedelta(seconds=20))
        reads += 1
        tell(network, post.platform_post_id, likes=reads)
        post = read_one(account, network, post)
        at = post.next_fetch_at
    assert reads == len(AGES) + 1
    marked = {row.mark: row.fetched_at - NOW for row in snapshots(post) if row.mark}
    slack = timedelta(seconds=20)
    assert marked == {
        "1h": HOUR + slack,
        "6h": 6 * HOUR + slack,
        "24h": DAY + slack,
        "3d": 3 * DAY + slack,
        "7d": 7 * DAY + slack,
        "28d": 28 * DAY + slack,
    }


def test_a_mark_that_was_missed_is_not_made_up(account, network, clock):
    post = make_platform_post(account, posted_at=NOW)
    for age in (HOUR, 30 * HOUR):
        clock.move_to(NOW + age)
        tell(network, post.platform_post_id, likes=3)
        read_one(account, network, post)
    assert [row.mark for row in snapshots(post)] == ["1h", "24h"]


# --- Days -----------------------------------------------------------------------------------------------------


def test_a_day_holds_its_last_state_and_what_it_gained(account, network, clock):
    post = make_platform_post(account, posted_at=NOW)
    readings = [
        (HOUR, {"likes": 5, "views": 50}),
        (5 * HOUR, {"likes": 8}),
        (6 * HOUR, {"likes": 9, "views": 90}),
        (30 * HOUR, {"likes": 20, "views": 110}),
        (3 * DAY, {"likes": 21}),
    ]
    for age, figures in readings:
        clock.move_to(NOW + age)
        tell(network, post.platform_post_id, **figures)
        read_one(account, network, post)
    days = PostDay.objects.order_by("day")
    assert [(day.day, day.likes, day.views, day.engagements) for day in days] == [
        (date(2026, 11, 20), 8, 50, 8),
        (date(2026, 11, 21), 9, 90, 9),
        (date(2026, 11, 22), 20, 110, 20),
        (date(2026, 11, 23), 21, None, 21),
    ]
    assert [day.gained for day in days] == [
        {"likes": 8, "views": 50, "engagements": 8, "span_minutes": 300},
        {"likes": 1, "views": 40, "engagements": 1, "span_minutes": 60},
        {"likes": 11, "views": 20, "engagements": 11, "span_minutes": 1440},
        {"likes": 1, "engagements": 1, "span_minutes": 2520},
    ]
    assert {day.account_id for day in days} == {account.pk}


def test_what_an_older_post_had_before_it_was_found_is_gained_on_no_day(account, network):
    post = make_platform_post(account, posted_at=NOW - 9 * DAY)
    tell(network, post.platform_post_id, likes=900)
    read_one(account, network, post)
    assert PostDay.objects.get().gained == {}


def test_the_same_reading_twice_changes_no_row(account, network):
    post = make_platform_post(account, posted_at=NOW - DAY)
    tell(network, post.platform_post_id, likes=9, sources={"likes": "like_count"}, raw={"n": 9})
    read_one(account, network, post)
    before = [list(model.objects.order_by("pk").values()) for model in (PlatformPost, PostSnapshot)]
    days = list(PostDay.objects.values())
    read_one(account, network, post)
    assert [list(model.objects.order_by("pk").values()) for model in (PlatformPost, PostSnapshot)] == before
    assert list(PostDay.objects.values()) == days


# --- Listings -------------------------------------------------------------------------------------------------


def test_a_listing_takes_posts_in_with_their_figures(account):
    network = Lister()
    for number in range(3):
        found = network.add(
            "1001",
            f"p{number}",
            posted_at=NOW - number * DAY,
            product="REELS",
            media_urls=("https://cdn.example/1.mp4", "x" * 3000),
        )
        tell(network, found.platform_post_id, likes=number)
    ingest.read_newest(account, network, ACCESS)
    posts = list(PlatformPost.objects.order_by("platform_post_id"))
    assert [(post.likes, post.product, post.media_urls) for post in posts] == [
        (number, "REELS", ["https://cdn.example/1.mp4"]) for number in range(3)
    ]
    assert all(post.fetched_at == NOW for post in posts)
    assert [call.name for call in network.calls] == ["recent_posts"]
    assert PostSnapshot.objects.count() == PostDay.objects.count() == 3


def test_a_listing_makes_snapshots_only_at_the_ages_of_posts(account, clock):
    network = Lister()
    network.add("1001", "p", posted_at=NOW - 10 * DAY)
    for number in range(9):
        clock.move_to(NOW + number * 3 * HOUR)
        tell(network, "p", likes=number)
        ingest.read_newest(account, network, ACCESS)
    post = PlatformPost.objects.get()
    assert post.likes == 8, "the newest figure is always there"
    assert [row.fetched_at - NOW for row in snapshots(post)] == [timedelta(0), DAY]
    assert PostDay.objects.count() == 2


def test_older_posts_wait_for_the_next_listing(account):
    assert next_fetch(NOW - 2 * HOUR, NOW, listed_every=10_800) == NOW + 4 * HOUR, (
        "their first day is read to the minute"
    )
    assert next_fetch(NOW - 20 * HOUR, NOW, listed_every=10_800) == NOW + 4 * HOUR
    assert next_fetch(NOW - 26 * HOUR, NOW, listed_every=10_800) == NOW + 4 * HOUR + 3 * HOUR + timedelta(minutes=15)
    assert next_fetch(NOW - 71 * HOUR, NOW, listed_every=10_800) == NOW + HOUR, "at a mark it is read by itself"


def test_a_post_whose_figures_the_listing_lacks_is_read_by_itself(account):
    network = Lister()
    network.add("1001", "a", product="STORY")
    network.add("1001", "b")
    tell(network, "b", likes=1)
    ingest.read_newest(account, network, ACCESS)
    tell(network, "a", likes=7)
    ingest.read_due(account, network, ACCESS)
    assert network.called("post_figures")[0].arguments["posts"] == {"a": "STORY"}
    assert dict(PlatformPost.objects.values_list("platform_post_id", "likes")) == {"a": 7, "b": 1}


@pytest.mark.parametrize(("number", "calls"), [(1, ["post_figures"]), (25, ["recent_posts"])])
def test_one_listing_reads_what_is_due_unless_that_is_one_post(account, number, calls):
    network = Lister()
    for index in range(number):
        network.add("1001", f"p{index}", posted_at=NOW - 10 * HOUR)
        tell(network, f"p{index}", likes=index)
        make_platform_post(account, platform_post_id=f"p{index}", posted_at=NOW - 10 * HOUR, next_fetch_at=NOW)
    ingest.read_figures(account, network, ACCESS, ingest.claim_posts(100))
    assert [call.name for call in network.calls] == calls
    assert PlatformPost.objects.filter(likes=None).count() == 0


def test_one_old_post_behind_many_newer_ones_is_read_alone(account):
    network = Lister()
    for _ in range(60):
        make_platform_post(account, posted_at=NOW - HOUR)
    make_platform_post(account, platform_post_id="old", posted_at=NOW - 9 * DAY, next_fetch_at=NOW)
    tell(network, "old", likes=1)
    ingest.read_due(account, network, ACCESS)
    assert [call.name for call in network.calls] == ["post_figures"]


def test_a_listing_that_lacks_a_due_post_asks_for_it_before_it_is_gone(account):
    network = Lister()
    for key in "ab":
        make_platform_post(account, platform_post_id=key, posted_at=NOW - 10 * HOUR, next_fetch_at=NOW, likes=3)
    network.add("1001", "b", posted_at=NOW - 10 * HOUR)
    tell(network, "b", likes=4)
    ingest.read_figures(account, network, ACCESS, ingest.claim_posts(100))
    assert [call.name for call in network.calls] == ["recent_posts", "post_figures"]
    post = PlatformPost.objects.get(platform_post_id="a")
    assert (post.gone_at, post.next_fetch_at, post.likes) == (NOW, None, 3)


def test_a_post_that_vanished_and_came_back_goes_on(account, clock):
    network = Lister()
    network.add("1001", "p", posted_at=NOW - 10 * HOUR)
    tell(network, "p", likes=4)
    make_platform_post(account, platform_post_id="p", posted_at=NOW - 10 * HOUR, gone_at=NOW - HOUR, likes=3)
    ingest.read_newest(account, network, ACCESS)
    post = PlatformPost.objects.get()
    assert (post.gone_at, post.likes, post.next_fetch_at) == (None, 4, NOW + 14 * HOUR)


def test_the_first_reading_takes_in_more(account, network):
    ingest.read_newest(account, network, ACCESS, is_first=True)
    ingest.read_newest(account, network, ACCESS)
    assert [call.arguments["limit"] for call in network.calls] == [100, 25]


def test_whoever_asks_gets_what_was_not_read_a_moment_ago(account, network, clock):
    post = make_platform_post(account, posted_at=NOW - 2 * DAY, next_fetch_at=NOW + HOUR)
    tell(network, post.platform_post_id, likes=4)
    ingest.read_due(account, network, ACCESS)
    assert network.calls == []
    for minutes, calls in ((0, 1), (1, 1), (5, 2)):
        clock.move_to(NOW + timedelta(minutes=minutes))
        ingest.read_due(account, network, ACCESS, asked=True)
        assert len(network.calls) == calls
    assert len(snapshots(post)) == 1, "nothing has changed"


def test_refused_names_of_posts_are_noted_and_left_out(account, network):
    post = make_platform_post(account)
    tell(network, post.platform_post_id, likes=4, refused=("post_impressions",))
    read_one(account, network, post)
    read_one(account, network, post)
    assert network.calls[1].arguments["skip"] == {"post_impressions"}
    assert RefusedMetric.objects.get().subject == "post"


def test_trouble_puts_the_claimed_posts_off(account, network):
    post = make_platform_post(account, next_fetch_at=NOW)
    network.will("post_figures", TemporaryError("No answer."))
    with pytest.raises(TemporaryError):
        ingest.read_due(account, network, ACCESS)
    post.refresh_from_db()
    assert post.next_fetch_at == NOW + timedelta(minutes=15)


def test_a_publication_that_was_deleted_leaves_its_post(account, network):
    post = make_published(account)
    found = make_platform_post(account, publication=post.publications.get())
    tell(network, found.platform_post_id, likes=4)

    def delete(call):
        Publication.objects.all().delete()

    network.during("post_figures", delete)
    found = read_one(account, network, found)
    assert (found.publication, found.likes) == (None, 4)


def test_a_post_that_was_deleted_while_it_was_read_is_no_trouble(account, network):
    post = make_platform_post(account)
    tell(network, post.platform_post_id, likes=4)
    network.during("post_figures", lambda call: PlatformPost.objects.all().delete())
    ingest.read_figures(account, network, ACCESS, [post])
    assert not PostSnapshot.objects.exists()


# --- Workers --------------------------------------------------------------------------------------------------


def test_an_older_reading_does_not_replace_a_newer_one(account, network, clock):
    post = make_platform_post(account, posted_at=NOW - 2 * DAY)

    def another_worker(call):
        clock.move_to(NOW + timedelta(minutes=1))
        tell(network, post.platform_post_id, likes=10)
        read_one(account, network, post)
        tell(network, post.platform_post_id, likes=9)

    network.during("post_figures", another_worker)
    read = read_one(account, network, post)
    assert (read.likes, read.fetched_at) == (10, NOW + timedelta(minutes=1))
    assert PostDay.objects.get().likes == 10
    assert [row.likes for row in snapshots(post)] == [10]


@pytest.mark.django_db(transaction=True)
def test_workers_that_read_the_same_posts_leave_one_mark_and_one_day_each(account, clock):
    network = Lister()
    for number in range(20):
        network.add("1001", f"p{number}", posted_at=NOW - 2 * HOUR)
        tell(network, f"p{number}", likes=number)
    barrier, failures = threading.Barrier(6), []

    def work(number):
        try:
            barrier.wait()
            mine = ConnectedAccount.objects.get(pk=account.pk)
            if number % 2:
                ingest.read_newest(mine, network, ACCESS)
            else:
                ingest.read_due(mine, network, ACCESS, asked=True)
        except Exception as error:  # noqa: BLE001  every failure of a thread must reach the test
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert PlatformPost.objects.count() == PostDay.objects.count() == 20
    assert PostSnapshot.objects.filter(mark="1h").count() == 20
    assert set(PlatformPost.objects.values_list("likes", flat=True)) == set(range(20))


# --- Cost -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [2, 40])
def test_statements_do_not_grow_with_the_posts(account, number, django_assert_num_queries):
    network = Lister()
    for index in range(number):
        network.add("1001", f"p{index}", posted_at=NOW - index * HOUR)
        tell(network, f"p{index}", likes=index)
    ingest.read_newest(account, network, ACCESS, is_first=True)
    # Adopting, names to skip, transaction (2), lock, marks, days, posts, days, tying (2)
    with django_assert_num_queries(11):
        ingest.read_newest(account, network, ACCESS, is_first=True)


# --- What is not believed, and what fails alone ---------------------------------------------------------------


def test_silence_is_no_fall_to_zero(account, network):
    post = make_platform_post(account, posted_at=NOW - 3 * DAY)
    tell(network, post.platform_post_id, likes=40, impressions=900, sources={"likes": "likeCount"})
    read_one(account, network, post)
    tell(network, post.platform_post_id, likes=0, impressions=0, comments=0)
    found = read_one(account, network, post)
    assert (found.likes, found.impressions, found.comments) == (40, 900, 0)
    tell(network, post.platform_post_id, likes=0, sources={"likes": "likeCount"})
    assert read_one(account, network, post).likes == 0, "this was told"


def test_a_post_that_cannot_be_read_keeps_no_other_from_it(account, network):
    broken, sound = (make_platform_post(account, posted_at=NOW - 3 * DAY, platform_post_id=f"1001_{n}") for n in (7, 8))
    tell(network, sound.platform_post_id, likes=3)
    tell(network, broken.platform_post_id, trouble=TemporaryError("Not now."))
    ingest.read_figures(account, network, ACCESS, [broken, sound])
    broken.refresh_from_db()
    sound.refresh_from_db()
    assert (sound.likes, sound.fetched_at) == (3, NOW)
    assert (broken.likes, broken.fetched_at, broken.gone_at) == (None, None, None)
    assert broken.next_fetch_at == next_fetch(broken.posted_at, NOW, 3600)
    assert not PostSnapshot.objects.filter(platform_post=broken).exists()


def test_a_reading_without_a_part_has_no_sum(account, network, clock):
    post = make_platform_post(account, posted_at=NOW - 3 * DAY)
    tell(network, post.platform_post_id, likes=40, comments=5, shares=2)
    read_one(account, network, post)
    clock.move_to(NOW + DAY)
    tell(network, post.platform_post_id, likes=None, comments=6, shares=2)
    found = read_one(account, network, post)
    assert (found.likes, found.engagements) == (40, 48), "the newest that is known of each"
    assert [snapshot.engagements for snapshot in snapshots(post)] == [47, None]
    newest = PostDay.objects.filter(platform_post=post).latest("day")
    assert (newest.engagements, newest.gained.get("engagements")) == (None, None)
    assert newest.gained["comments"] == 1


def test_posts_that_vanish_all_at_once_are_looked_for_in_the_list(account, network):
    class Closed(FakePlatform):
        def recent_posts(self, *ask, **more):
            raise PermissionMissingError("We may not see this Page any more.")

    posts = [make_platform_post(account, posted_at=NOW - 3 * DAY, platform_post_id=f"1001_{n}") for n in (7, 8)]
    with pytest.raises(PermissionMissingError):
        ingest.read_figures(account, Closed(), ACCESS, posts)
    assert not PlatformPost.objects.exclude(gone_at=None).exists()
    ingest.read_figures(account, network, ACCESS, posts)
    assert not PlatformPost.objects.filter(gone_at=None).exists(), "the list is told, and they are not in it"
