"""What was read before figures had names, days and series of their own says the same afterwards."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from importlib import import_module

import pytest
from django.db import connection

from analytics.models import InsightWindow, PlatformPost, PostDay, PostSnapshot
from tests.analytics.rows import make_platform_post, make_window
from tests.factories import make_account

NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

pytestmark = pytest.mark.django_db


def migrate(*, backwards=False):
    operations = import_module("analytics.migrations.0008_old_rows").Migration.operations
    with connection.cursor() as cursor:
        for operation in reversed(operations) if backwards else operations:
            if sql := operation.reverse_sql if backwards else operation.sql:
                cursor.execute(sql)


def old_day(account, day, *, read_after=3 * DAY, **metrics):
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return make_window(account, start, period="day", metrics=metrics, fetched_at=start + read_after)


def test_the_likes_of_a_page_are_called_page_likes(workspace):
    page = make_window(make_account(workspace), NOW, metrics={"likes": 9, "followers": 1}, derived={"likes": 1})
    gram = make_window(make_account(workspace, platform="instagram"), NOW, metrics={"likes": 9})
    migrate()
    page.refresh_from_db()
    gram.refresh_from_db()
    assert (page.metrics, page.derived) == ({"page_likes": 9, "followers": 1}, {"page_likes": 1})
    assert gram.metrics == {"likes": 9}
    migrate(backwards=True)
    page.refresh_from_db()
    assert (page.metrics, page.derived) == ({"likes": 9, "followers": 1}, {"likes": 1})


def test_days_of_meta_move_to_the_midnight_of_their_own_date(workspace):
    page = make_account(workspace)
    # The clocks of Los Angeles went back on 1 November: its midnight is at 7 before, and at 8 after.
    rows = [old_day(page, date(2026, 11, day)) for day in (1, 2)] + [old_day(page, date(2026, 7, 4))]
    linkedin = old_day(make_account(workspace, platform="linkedin"), date(2026, 11, 2), views=9, profile_views=2)
    gram = old_day(make_account(workspace, platform="instagram"), date(2026, 11, 2), accounts_engaged=4)
    migrate()
    for row in (*rows, linkedin, gram):
        row.refresh_from_db()
    assert [row.window_start for row in (*rows, gram)] == [
        datetime(2026, 11, 1, 7, tzinfo=UTC),
        datetime(2026, 11, 2, 8, tzinfo=UTC),
        datetime(2026, 7, 4, 7, tzinfo=UTC),
        datetime(2026, 11, 2, 8, tzinfo=UTC),
    ]
    assert linkedin.window_start == datetime(2026, 11, 2, tzinfo=UTC)
    assert (linkedin.metrics, gram.metrics) == ({"impressions": 9, "profile_views": 2}, {"engaged": 4})
    migrate()
    rows[1].refresh_from_db()
    assert rows[1].window_start == datetime(2026, 11, 2, 8, tzinfo=UTC)
    migrate(backwards=True)
    rows[0].refresh_from_db()
    assert rows[0].window_start == datetime(2026, 11, 1, tzinfo=UTC)


def test_a_day_that_was_read_since_stays(workspace):
    page = make_account(workspace)
    old_day(page, date(2026, 11, 2), views=1)
    new = make_window(page, datetime(2026, 11, 2, 8, tzinfo=UTC), period="day", metrics={"views": 2}, fetched_at=NOW)
    migrate()
    assert InsightWindow.objects.get() == new


def test_a_day_that_was_going_on_is_not_whole(workspace):
    page = make_account(workspace)
    old_day(page, date(2026, 11, 19), read_after=30 * HOUR)
    old_day(page, date(2026, 11, 20), read_after=18 * HOUR)
    migrate()
    assert list(InsightWindow.objects.order_by("window_start").values_list("is_whole", flat=True)) == [False, False]
    old_day(page, date(2026, 11, 18), read_after=40 * HOUR)
    migrate()
    assert InsightWindow.objects.filter(is_whole=True).count() == 1


def test_impressions_leave_the_column_of_views(workspace):
    linkedin = make_platform_post(make_account(workspace, platform="linkedin"), views=90)
    PostSnapshot.objects.create(platform_post=linkedin, fetched_at=NOW, views=80)
    buffered = make_platform_post(make_account(workspace, platform="x"), views=90, raw={"impressions": 90})
    viewed = make_platform_post(make_account(workspace, platform="tiktok"), views=7, raw={"views": 7})
    page = make_platform_post(make_account(workspace), views=5, raw={"post_media_view": 5})
    migrate()
    posts = [PlatformPost.objects.get(pk=post.pk) for post in (linkedin, buffered, viewed, page)]
    assert [(post.views, post.impressions) for post in posts] == [(None, 90), (None, 90), (7, None), (5, None)]
    assert PostSnapshot.objects.values_list("views", "impressions").get() == (None, 80)


def test_engagements_rates_marks_and_days_follow_from_what_was_read(workspace):
    posted_at = NOW - 9 * DAY
    post = make_platform_post(
        make_account(workspace), posted_at=posted_at, likes=4, comments=1, reach=0, views=100, clicks=3
    )
    for age, likes in ((HOUR, 1), (2 * HOUR, 2), (25 * HOUR, 3), (29 * HOUR, 4), (8 * DAY, None)):
        PostSnapshot.objects.create(platform_post=post, fetched_at=posted_at + age, likes=likes, views=10)
    nothing = make_platform_post(post.account, clicks=3)
    migrate()
    post.refresh_from_db()
    nothing.refresh_from_db()
    assert (post.engagements, post.engagement_rate, post.rate_of) == (5, 0.05, "views")
    assert (nothing.engagements, nothing.engagement_rate, nothing.rate_of) == (None, None, "")
    marks = PostSnapshot.objects.order_by("fetched_at").values_list("mark", "engagements")
    assert list(marks) == [("1h", 1), ("", 2), ("24h", 3), ("", 4), ("7d", None)]
    days = PostDay.objects.order_by("day")
    assert [(day.day, day.likes, day.gained) for day in days] == [
        (date(2026, 11, 11), 2, {}),
        (date(2026, 11, 12), 4, {"likes": 2, "views": 0, "engagements": 2, "span_minutes": 1620}),
        (date(2026, 11, 19), None, {"views": 0, "span_minutes": 9780}),
    ]
    migrate()
    assert PostDay.objects.count() == 3
