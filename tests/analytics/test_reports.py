from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from accounts.models import ConnectedAccount
from analytics.models import InsightWindow
from analytics.reports import dashboard as reports
from publishing.models import Post, PostMedia, Publication, Status
from tests.analytics.rows import make_platform_post, make_published, make_window
from tests.factories import make_account, make_entry, make_media, make_post, workspace_of

NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def fb(workspace):
    return make_account(workspace, name="Page")


@pytest.fixture
def gram(workspace):
    return make_account(workspace, platform="instagram", name="Gram")


def ago(**span):
    return NOW - timedelta(**span)


def cards(workspace):
    return reports.account_cards(workspace, reports.growths(workspace))


# Account cards


def test_a_card_shows_the_totals_and_none_where_the_network_is_silent(workspace, fb):
    ConnectedAccount.objects.filter(pk=fb.pk).update(
        followers_count=1204, posts_count=0, last_synced_at=ago(minutes=5), sync_error="Figures are missing."
    )
    (card,) = cards(workspace)
    assert (card.followers, card.posts, card.following, card.likes) == (1204, 0, None, None)
    assert (card.last_synced_at, card.sync_error) == (ago(minutes=5), "Figures are missing.")
    assert card.growth_7 is None


def test_growth_is_the_difference_over_the_days_asked_for(workspace, fb):
    for days, followers in ((40, 10), (29, 100), (6.9, 150), (0, 180)):
        make_window(fb, ago(days=days), metrics={"followers": followers})
    (card,) = cards(workspace)
    assert (card.growth_7.change, card.growth_7.rate) == (30, pytest.approx(0.2))
    assert card.growth_7.is_whole is False  # 6.9 days: more than two hours are missing
    assert (card.growth_30.change, card.growth_30.span) == (80, timedelta(days=29))


def test_growth_says_how_much_it_really_covers(workspace, fb):
    make_window(fb, ago(hours=5), metrics={"followers": 100})
    make_window(fb, ago(hours=2), metrics={"followers": 90})
    growth = cards(workspace)[0].growth_30
    assert (growth.change, growth.span, growth.is_whole) == (-10, timedelta(hours=3), False)
    assert (growth.span_hours, growth.span_days) == (3, 0)


def test_a_week_of_hourly_readings_is_whole(workspace, fb):
    for hours in (169, 168, 167, 0):
        make_window(fb, ago(hours=hours), metrics={"followers": 300 - hours})
    growth = cards(workspace)[0].growth_7
    assert growth.span == timedelta(hours=168)
    assert growth.is_whole


def test_one_reading_is_no_growth(workspace, fb):
    make_window(fb, ago(hours=1), metrics={"followers": 100})
    make_window(fb, ago(minutes=1), metrics={"posts": 3})  # without followers
    make_window(fb, ago(days=1), metrics={"followers": 5}, period=InsightWindow.Period.DAY)
    assert cards(workspace)[0].growth_7 is None


def test_two_readings_close_to_each_other_are_no_growth(workspace, fb):
    make_window(fb, ago(minutes=61), metrics={"followers": 100}, fetched_at=ago(minutes=61))
    make_window(fb, ago(minutes=1), metrics={"followers": 101}, fetched_at=ago(minutes=40))
    assert cards(workspace)[0].growth_7 is None


def test_growth_from_nothing_has_no_rate(workspace, fb):
    make_window(fb, ago(hours=2), metrics={"followers": 0})
    make_window(fb, ago(hours=1), metrics={"followers": 4})
    growth = cards(workspace)[0].growth_7
    assert (growth.change, growth.rate) == (4, None)


def test_cards_leave_out_disconnected_and_foreign_accounts(workspace, fb, stranger):
    make_account(workspace, status=ConnectedAccount.Status.DISCONNECTED)
    make_account(workspace_of(stranger))
    expired = make_account(workspace, status=ConnectedAccount.Status.EXPIRED, name="Zebra")
    assert [card.account for card in cards(workspace)] == [fb, expired]


# The last 30 days


def test_the_month_counts_a_post_on_two_networks_once_and_its_figures_twice(workspace, fb, gram):
    post = make_published(fb, gram, at=ago(days=2))
    for publication, reach in zip(post.publications.order_by("account__name"), (200, 100), strict=True):
        make_platform_post(
            publication.account, publication=publication, posted_at=ago(days=2), reach=reach, likes=reach // 10
        )
    make_platform_post(fb, posted_at=ago(days=3), likes=5)
    month = reports.last_30_days(workspace)
    assert (month.posts, month.from_here) == (2, 1)
    assert month.reach == reports.Total(300, known=2, of=3)
    assert month.likes == reports.Total(35, known=3, of=3)
    assert (month.reach.is_complete, month.likes.is_complete) == (False, True)


def test_what_nobody_knows_is_none_and_what_is_nought_is_nought(workspace, fb):
    empty = reports.last_30_days(workspace)
    assert (empty.posts, empty.reach.value, empty.likes.value) == (0, None, None)
    make_platform_post(fb, likes=0)
    month = reports.last_30_days(workspace)
    assert (month.likes, month.reach) == (reports.Total(0, 1, 1), reports.Total(None, 0, 1))


def test_the_month_counts_a_post_before_its_first_figures(workspace, fb):
    make_published(fb, at=ago(seconds=3))
    month = reports.last_30_days(workspace)
    assert (month.posts, month.from_here, month.reach.of, month.reach.value) == (1, 1, 1, None)


def test_the_month_leaves_out_old_gone_and_foreign_posts(workspace, fb, stranger):
    make_platform_post(fb, posted_at=ago(days=31), likes=1)
    make_platform_post(fb, gone_at=ago(days=1), likes=1)
    make_published(fb, at=ago(days=31))
    make_platform_post(make_account(workspace_of(stranger)), likes=1)
    assert reports.last_30_days(workspace).posts == 0
    assert reports.last_30_days(workspace).likes.value is None


# Recent posts


def test_a_post_on_two_networks_is_one_row(workspace, fb, gram):
    post = make_published(fb, gram, at=ago(hours=2), caption="Both")
    media = make_media(workspace)
    PostMedia.objects.create(post=post, media=make_media(workspace), position=2)
    PostMedia.objects.create(post=post, media=media, position=1)
    on_gram = post.publications.get(account=gram)
    Publication.objects.filter(pk=on_gram.pk).update(published_at=ago(hours=1))
    make_platform_post(gram, publication=on_gram, likes=7, views=0, fetched_at=ago(minutes=1))
    (row,) = reports.recent_posts(workspace).rows
    assert (row.post, row.text, row.posted_at) == (post, "Both", ago(hours=1))
    assert row.thumbnail_url == f"/media/{media.pk}/thumbnail.jpg"
    first, second = row.networks
    assert (first.account, first.likes, first.views, first.reach) == (gram, 7, 0, None)
    assert first.permalink == f"https://network.example/{on_gram.pk}"
    assert (second.account, second.likes, second.fetched_at) == (fb, None, None)


def test_a_post_found_on_the_network_has_its_own_picture_and_link(workspace, fb):
    found = make_platform_post(fb, thumbnail_url="https://cdn.example/1.jpg", permalink="https://n.example/1")
    (row,) = reports.recent_posts(workspace).rows
    assert (row.post, row.key, row.thumbnail_url) == (None, found.pk, "https://cdn.example/1.jpg")
    assert (row.networks[0].permalink, row.networks[0].platform_post) == ("https://n.example/1", found)


def test_a_post_without_images_has_no_thumbnail(workspace, fb):
    make_published(fb)
    assert reports.recent_posts(workspace).rows[0].thumbnail_url == ""


def walk(workspace, limit):
    before, pages = "", []
    while True:
        found = reports.recent_posts(workspace, before=before, limit=limit)
        pages.append([row.key for row in found.rows])
        if not found.next:
            return pages
        before = found.next


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_pages_join_without_gap_or_repetition(workspace, fb, gram, limit):
    expected = []
    for hours in range(1, 8):
        post = make_published(fb, gram, at=ago(hours=2 * hours))
        expected.append(post.pk)
        # the second network came much later or earlier, so that the two lie on different pages
        Publication.objects.filter(post=post, account=fb).update(published_at=ago(hours=2 * hours + 5))
        expected.append(make_platform_post(fb, posted_at=ago(hours=2 * hours + 1)).pk)
    pages = walk(workspace, limit)
    assert [key for part in pages for key in part] == expected
    assert all(len(part) == limit for part in pages[:-1])


def test_posts_of_the_same_instant_are_all_shown(workspace, fb, gram):
    keys = {make_published(fb, gram, at=ago(hours=1)).pk for _ in range(3)}
    keys |= {make_platform_post(fb, posted_at=ago(hours=1)).pk for _ in range(3)}
    pages = walk(workspace, 2)
    assert {key for part in pages for key in part} == keys
    assert [len(part) for part in pages] == [2, 2, 2]


@pytest.mark.parametrize("before", ["x", "20261399T000000000000." + "0" * 32, "../etc", "0", "\x00"])
def test_a_bad_cursor_starts_from_the_top(workspace, fb, before):
    make_published(fb)
    assert len(reports.recent_posts(workspace, before=before).rows) == 1


def test_recent_posts_are_those_of_the_workspace_that_are_out(workspace, fb, stranger):
    other = make_account(workspace_of(stranger))
    make_published(other)
    make_platform_post(other)
    make_post(workspace, fb)
    assert reports.recent_posts(workspace).rows == []


# What comes next


def schedule(post, at):
    Post.objects.filter(pk=post.pk).update(status=Post.Summary.SCHEDULED, scheduled_at=at)
    post.publications.update(status=Status.SCHEDULED, scheduled_at=at)
    return post


def test_the_soonest_posts_come_first_with_their_accounts(workspace, fb, gram, stranger):
    later = schedule(make_post(workspace, fb), NOW + timedelta(days=2))
    sooner = schedule(make_post(workspace, fb, gram), NOW + timedelta(days=1))
    schedule(make_post(workspace, fb), NOW + timedelta(days=3))
    schedule(make_post(workspace_of(stranger), make_account(workspace_of(stranger))), NOW + timedelta(hours=1))
    make_post(workspace, fb)
    found = reports.scheduled_next(workspace, limit=2)
    assert [row.post for row in found] == [sooner, later]
    assert [publication.account for publication in found[0].publications] == [fb, gram]
    assert found[0].scheduled_at == NOW + timedelta(days=1)


def test_what_keeps_a_post_waiting_is_told(workspace, fb, gram):
    post = schedule(make_post(workspace, fb, gram), NOW + timedelta(days=1))
    for publication in post.publications.all():
        make_entry(publication, wait_reason="The account is paused.", held=True)
    assert reports.scheduled_next(workspace)[0].waits == ["The account is paused."]


# Attention


def put(workspace, account, status):
    post = make_post(workspace, account)
    post.publications.update(status=status)
    return post.publications.get()


def test_attention_lists_what_waits_for_a_person(workspace, fb, stranger):
    failed = put(workspace, fb, Status.FAILED)
    undecided = put(workspace, fb, Status.CHECKING)
    held = put(workspace, fb, Status.CHECKING)
    make_entry(held, held=True, awaits_decision=True)
    make_entry(put(workspace, fb, Status.CHECKING), held=True)  # paused, and the engine still looks by itself
    put(workspace, fb, Status.SCHEDULED)
    put(workspace_of(stranger), make_account(workspace_of(stranger)), Status.FAILED)
    expired = make_account(workspace, status=ConnectedAccount.Status.EXPIRED)
    found = reports.attention(workspace)
    assert found.failed == [failed]
    assert set(found.undecided) == {undecided, held}
    assert found.reconnect == [expired]
    assert len(found) == 4


def test_old_failures_do_not_nag_but_old_questions_do(workspace, fb):
    for status in (Status.FAILED, Status.CHECKING):
        publication = put(workspace, fb, status)
        Publication.objects.filter(pk=publication.pk).update(updated_at=ago(days=15))
    found = reports.attention(workspace)
    assert (len(found.failed), len(found.undecided)) == (0, 1)


def test_nothing_to_do_is_falsy(workspace, fb):
    assert not reports.attention(workspace)


# Cost


def test_all_reports_together_cost_ten_queries_however_many_rows(workspace, fb, gram, django_assert_max_num_queries):
    for number in range(12):
        post = make_published(fb, gram, at=ago(hours=number))
        make_platform_post(fb, publication=post.publications.get(account=fb))
        make_platform_post(gram)
        schedule(make_post(workspace, fb, gram), NOW + timedelta(hours=number))
        put(workspace, fb, Status.FAILED)
    make_account(workspace, status=ConnectedAccount.Status.EXPIRED)
    with django_assert_max_num_queries(10):
        cards(workspace)
        reports.last_30_days(workspace)
        rows = reports.recent_posts(workspace).rows
        for row in rows:
            assert [part.account.name for part in row.networks]
            assert row.post is None or row.post.get_absolute_url
        for upcoming in reports.scheduled_next(workspace):
            assert [part.account.name for part in upcoming.publications]
            assert upcoming.waits == []
        assert [(part.account.name, part.post.caption) for part in reports.attention(workspace).failed]
