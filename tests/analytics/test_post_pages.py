"""The pages of posts, of one post, of accounts compared and of campaigns, as people see them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.models import PlatformPost, PostDay, PostSnapshot
from analytics.reports import posts
from analytics.reports.post import figures_of
from tests.analytics.rows import make_platform_post, make_published
from tests.factories import make_account, workspace_of

NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)

pytestmark = pytest.mark.django_db
PAGES = ["/analytics/posts/", "/analytics/compare/", "/analytics/campaigns/"]


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def fb(workspace):
    return make_account(workspace, name="Page", last_synced_at=NOW)


@pytest.fixture
def gram(workspace):
    return make_account(workspace, platform="instagram", name="Gram", last_synced_at=NOW)


def ago(**span):
    return NOW - timedelta(**span)


def page(client, address, **headers):
    response = client.get(address, headers=headers)
    assert response.status_code == 200, response.content.decode()[:2000]
    return response.content.decode()


def address(post):
    return f"/analytics/posts/{post.pk}/"


def told(post):
    return figures_of(posts.as_listed(posts.shown(PlatformPost.objects.all()).get(pk=post.pk)))


def read(post, at, *, mark="", series=0, **figures):
    return PostSnapshot.objects.create(platform_post=post, fetched_at=at, mark=mark, series=series, **figures)


def end_day(post, day, *, gained=None, series=0, **figures):
    return PostDay.objects.create(
        platform_post=post,
        account=post.account,
        day=day,
        fetched_at=datetime(day.year, day.month, day.day, 23, 40, tzinfo=UTC),
        gained=gained or {},
        series=series,
        **figures,
    )


def queries(client, where):
    client.get(where)
    with CaptureQueriesContext(connection) as captured:
        client.get(where)
        return len(captured)


# All pages


@pytest.mark.parametrize("where", PAGES)
def test_a_newcomer_learns_what_will_stand_here(signed_in, where):
    assert 'class="empty"' in page(signed_in, where)


@pytest.mark.parametrize("where", PAGES)
def test_what_is_not_understood_is_said(signed_in, fb, where):
    response = signed_in.get(where, {"period": "2d"})
    assert response.status_code == 422
    assert "error" in response.content.decode()


@pytest.mark.parametrize("where", PAGES)
def test_pages_cost_as_many_queries_with_more_posts_and_accounts(signed_in, workspace, fb, gram, where):
    def some():
        account = make_account(workspace)
        for _ in range(4):
            post = make_published(account, gram, campaign=f"Sale {uuid4()}", at=ago(days=1))
            for one in post.publications.all():
                make_platform_post(one.account, publication=one, views=4, fetched_at=NOW)

    some()
    few = queries(signed_in, where)
    some()
    some()
    assert queries(signed_in, where) == few
    assert few <= 10


# The list


def test_the_list_shows_what_is_known_and_why_something_is_not(signed_in, fb):
    make_platform_post(
        fb, text="Spring sale", likes=1204, engagements=1204, engagement_rate=0.034, rate_of="reach", fetched_at=NOW
    )
    make_platform_post(fb, text="Fresh")
    found = page(signed_in, "/analytics/posts/")
    assert "Spring sale" in found
    assert "1,204" in found
    assert "3.4 %" in found
    assert "of reach" in found
    assert "Not read yet; the first figures follow within minutes" in found
    assert "Impressions</a>" not in found  # nobody tells them here
    assert found.count('role="rowheader"') == 2


def test_headings_turn_the_order_round(signed_in, fb):
    make_platform_post(fb, views=4)
    found = page(signed_in, "/analytics/posts/?sort=-views&period=90d")
    assert 'aria-sort="descending"' in found
    assert 'href="?period=90d&amp;sort=views"' in found
    assert 'aria-sort="ascending"' in page(signed_in, "/analytics/posts/?sort=views")


def test_more_posts_come_as_rows_alone_and_as_a_page_without_scripts(signed_in, fb):
    for number in range(25):
        make_platform_post(fb, text=f"Number {number:02d}", posted_at=ago(hours=number + 1), views=number)
    first = page(signed_in, "/analytics/posts/?sort=-views")
    assert first.count('role="rowheader"') == 20
    onward = re.search(r'href="(\?[^"]*after=[^"]+)"', first)
    assert onward
    where = "/analytics/posts/" + onward[1].replace("&amp;", "&")
    rows = page(signed_in, where, HX_Request="true")
    assert rows.count('role="rowheader"') == 5
    assert "<html" not in rows
    assert "Load more" not in rows
    whole = page(signed_in, where)
    assert whole.count('role="rowheader"') == 5
    assert "<html" in whole
    assert first.count('<td role="cell"') - 1 == 4 * rows.count('<td role="cell"')  # the same columns


def test_conditions_can_be_taken_away(signed_in, fb):
    make_platform_post(fb)
    found = page(signed_in, f"/analytics/posts/?account={fb.pk}&kind=reel&period=90d")
    assert "No post fits" in found
    assert f'href="?period=90d&amp;account={fb.pk}"' in found


def test_a_place_that_is_none_is_refused_with_words(signed_in, fb):
    response = signed_in.get("/analytics/posts/?after=x")
    assert response.status_code == 422
    assert "Start again from the top" in response.content.decode()


# One post


def test_a_post_of_another_workspace_is_not_there(signed_in, stranger):
    post = make_platform_post(make_account(workspace_of(stranger)))
    assert signed_in.get(address(post)).status_code == 404


def test_the_rate_is_told_with_its_numbers(signed_in, fb):
    post = make_platform_post(
        fb,
        likes=30,
        comments=5,
        shares=2,
        engagements=37,
        reach=1000,
        engagement_rate=0.037,
        rate_of="reach",
        fetched_at=NOW,
        extra={"follows": 3, "unheard_of": 9},
    )
    found = page(signed_in, address(post))
    assert "Likes 30 + Comments 5 + Shares 2 = 37 engagements, divided by 1,000 (Reach)" in found
    assert "3.7 %" in found
    assert "New followers" in found
    assert "unheard_of" not in found


def test_the_networks_own_sum_is_told_from_ours(signed_in, gram):
    post = make_platform_post(gram, posted_at=ago(days=2), fetched_at=NOW, engagements=4, extra={"engagements": 9})
    text = page(signed_in, address(post))
    assert text.count("<dt>Engagements</dt>") == 1
    assert ">Engagements, as Instagram counts</dt>" in text


def test_what_the_network_withholds_is_said_in_its_place(signed_in, gram):
    post = make_platform_post(gram, fetched_at=NOW, withheld="Fewer than five people have seen the story.")
    assert "Fewer than five people have seen the story." in page(signed_in, address(post))


def test_untold_figures_have_their_reason(fb):
    post = make_platform_post(fb, likes=1, fetched_at=NOW)
    found = told(post)
    assert [one.name for one in found.figures] == ["likes"]
    assert all(one.reason for one in found.untold)
    assert {one.name for one in found.untold} >= {"views", "reach", "engagements"}


def test_a_post_that_is_gone_and_a_story_that_is_over_say_so(signed_in, fb, gram):
    gone = make_platform_post(fb, posted_at=ago(days=3), gone_at=ago(days=1), fetched_at=ago(days=2))
    over = make_platform_post(gram, product="STORY", posted_at=ago(days=3), gone_at=ago(days=2), fetched_at=ago(days=2))
    assert "no longer on the network" in page(signed_in, address(gone))
    assert "This story is over" in page(signed_in, address(over))


def test_marks_show_what_was_read_and_what_was_not(fb):
    post = make_platform_post(fb, posted_at=ago(days=2), views=90, fetched_at=NOW)
    read(post, ago(days=2) + timedelta(hours=1), mark="1h", views=10, likes=1)
    read(post, ago(hours=20), mark="24h", views=80, likes=4)
    marks = told(post).marks
    assert [(str(mark.word), mark.values, mark.reason) for mark in marks[:4]] == [
        ("1 hour", [10, 1], ""),
        ("6 hours", [], "not read at that age"),
        ("24 hours", [80, 4], ""),
        ("3 days", [], "not that old yet"),
    ]


def test_gains_are_counted_back_from_the_newest_reading(fb):
    post = make_platform_post(fb, posted_at=ago(days=20), fetched_at=NOW)
    for days, views in ((14, 100), (7, 300), (1, 450), (0, 500)):
        read(post, ago(days=days), views=views, likes=None)
    day, week = told(post).gains
    assert (day.period.key, week.period.key) == ("24h", "7d")
    assert (day.figures[0].value, day.figures[0].before) == (50, None)  # nothing was read two days ago
    assert (week.figures[0].value, week.figures[0].before, week.figures[0].change) == (200, 200, 0)


def test_spans_of_other_lengths_are_not_compared(fb):
    post = make_platform_post(fb, posted_at=ago(days=6), fetched_at=NOW)
    for hours, views in ((48, 0), (20, 280), (0, 480)):  # ten an hour, all the time
        read(post, ago(hours=hours), views=views)
    (day,) = told(post).gains
    assert (day.figures[0].value, day.figures[0].before, day.figures[0].change) == (200, None, None)


def test_gains_are_not_told_over_a_change_of_measure_or_without_readings(fb):
    post = make_platform_post(fb, posted_at=ago(days=40), fetched_at=NOW)
    read(post, ago(days=7), views=300)
    read(post, NOW, views=500, series=1)
    day, week, month = told(post).gains
    assert day.reason == "There is no reading from the beginning of this span"
    assert "changed what it counts" in week.reason
    assert month.reason == day.reason


def test_a_reading_of_long_ago_tells_nothing_of_the_last_day(fb):
    post = make_platform_post(fb, posted_at=ago(days=40))
    read(post, ago(days=3), views=300)
    read(post, ago(days=2), views=310)
    assert "Not read often enough" in told(post).gains[0].reason


def test_young_posts_grow_by_readings_and_older_ones_by_days(fb):
    young = make_platform_post(fb, posted_at=ago(hours=8))
    for hours in (7, 2):
        read(young, ago(hours=hours), views=100 - hours)
    (chart,) = told(young).charts
    assert (chart.is_hourly, list(chart.lines[0].values)) == (True, [93, 98])

    old = make_platform_post(fb, posted_at=ago(days=9))
    first = NOW.date() - timedelta(days=4)
    end_day(old, first, views=10)
    end_day(old, first + timedelta(days=1), views=25, gained={"views": 15, "span_minutes": 1440})
    end_day(old, first + timedelta(days=4), views=70, gained={"views": 45, "span_minutes": 3 * 1440})
    seen, gained = told(old).charts
    assert (seen.is_hourly, list(seen.lines[0].values)) == (False, [10, 25, None, None, 70])
    # What belongs to three days is no day's.
    assert list(gained.lines[0].values) == [None, 15, None, None, None]
    assert len(gained.notes) == 1
    assert [len(row) for row in seen.table.rows] == [len(seen.table.columns)] * 5


def test_a_chart_is_broken_where_something_else_is_counted(fb):
    post = make_platform_post(fb, posted_at=ago(days=9))
    first = NOW.date() - timedelta(days=4)
    for number, series in enumerate((0, 0, 1, 1)):
        end_day(post, first + timedelta(days=number), views=number, series=series)
    (seen,) = told(post).charts
    assert [one.at.date() for one in seen.breaks] == [first + timedelta(days=2)]


def test_the_same_post_stands_beside_itself_on_every_network(signed_in, fb, gram):
    made = make_published(fb, gram, caption="Both", at=ago(days=2))
    out = [
        make_platform_post(one.account, publication=one, likes=number, fetched_at=NOW)
        for number, one in enumerate(made.publications.order_by("account__platform"), 3)
    ]
    found = told(out[0])
    assert [row.post for row in found.others] == out
    assert found.other_names == ["likes"]
    whole = page(signed_in, address(out[0]))
    assert "The same post on every network" in whole
    assert made.get_absolute_url() in whole
    alone = make_platform_post(fb)
    assert told(alone).others == []


def test_a_rate_is_laid_beside_what_the_account_usually_gets(fb):
    def rated(rate, **fields):
        return make_platform_post(
            fb, reach=900, engagements=9, engagement_rate=rate, rate_of="reach", posted_at=ago(days=3), **fields
        )

    for _ in range(4):
        rated(0.02)
    assert told(rated(0.05)).usual is None  # of four an average says nothing
    usual = told(rated(0.05)).usual
    assert (usual.posts, usual.rate, usual.times) == (5, pytest.approx(0.026), pytest.approx(0.05 / 0.026))


def test_the_page_of_a_post_costs_as_much_with_a_month_of_readings(signed_in, fb):
    bare, full = make_platform_post(fb, fetched_at=NOW), make_platform_post(fb, posted_at=ago(days=27), fetched_at=NOW)
    for day in range(27):
        read(full, ago(days=day, minutes=5), views=1000 - day, likes=3)
        end_day(full, NOW.date() - timedelta(days=day), views=1000 - day, gained={"views": 1, "span_minutes": 1440})
    few = queries(signed_in, address(bare))
    assert queries(signed_in, address(full)) == few
    assert few <= 10


def test_a_text_is_a_text_wherever_it_comes_from(signed_in, fb):
    post = make_platform_post(fb, text="<script>alert(1)</script>", permalink="https://n.example/1", fetched_at=NOW)
    for where in ("/analytics/posts/", address(post)):
        assert "<script>alert" not in page(signed_in, where)


# How people come here


def test_the_page_of_a_post_and_the_dashboard_lead_to_its_figures(signed_in, fb):
    made = make_published(fb, at=ago(hours=2))
    post = make_platform_post(fb, publication=made.publications.get(), likes=4, fetched_at=NOW)
    assert address(post) in page(signed_in, made.get_absolute_url())
    assert address(post) in page(signed_in, "/")


# Comparisons


def test_accounts_are_compared_in_a_table_and_a_chart(signed_in, fb, gram):
    make_platform_post(fb, posted_at=ago(days=1), engagement_rate=0.05)
    found = page(signed_in, "/analytics/compare/")
    assert found.count('role="rowheader"') == 2
    assert "None of these accounts has this figure in this span." in found
    assert "5.0 %" in found
    assert "Facebook did not give this figure in this span" in found
    one = page(signed_in, f"/analytics/compare/?account={gram.pk}&measure=followers")
    assert one.count('role="rowheader"') == 1


def test_a_foreign_account_cannot_be_compared(signed_in, fb, stranger):
    foreign = make_account(workspace_of(stranger))
    assert signed_in.get(f"/analytics/compare/?account={foreign.pk}").status_code == 422


def test_campaigns_lead_to_their_posts(signed_in, fb):
    made = make_published(fb, campaign="Summer & Sun", at=ago(days=2))
    make_platform_post(fb, publication=made.publications.get(), posted_at=ago(days=2), views=12_400)
    found = page(signed_in, "/analytics/campaigns/")
    assert "Summer &amp; Sun" in found
    assert "?period=90d&amp;campaign=Summer%20%26%20Sun&amp;sort=-engagement_rate" in found
    assert "12.4k" in found
