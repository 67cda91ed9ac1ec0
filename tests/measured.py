"""Figures of years, made inside the database: for `bin/bench pages` and the tests that count queries."""

from __future__ import annotations

from django.db import connection

from accounts.models import Workspace
from analytics.models import InsightWindow, PlatformPost, PostDay, PostSnapshot

MARKS = {"1h": 1, "6h": 6, "24h": 24, "3d": 72, "7d": 168, "28d": 672}  # hours

# What a figure is at an age: it grows quickly at first, as those of real posts do.
GROWN = "(1 - exp(-({hours}) / 30.0))"
FIGURES = """
    (p.likes * {grown})::bigint, (p.comments * {grown})::bigint, (p.shares * {grown})::bigint,
    (p.saves * {grown})::bigint, (p.views * {grown})::bigint, (p.reach * {grown})::bigint,
    (p.clicks * {grown})::bigint, (p.engagements * {grown})::bigint
"""
NAMES = "likes, comments, shares, saves, views, reach, clicks, engagements"

POSTS = """
    UPDATE analytics_platformpost p SET
        shares = p.likes / 9, saves = p.likes / 6, clicks = p.likes * 2, views = coalesce(p.reach, p.likes * 15) * 4 / 3,
        engagements = p.likes + p.comments + p.likes / 9 + p.likes / 6,
        engagement_rate = (p.likes + p.comments + p.likes / 9 + p.likes / 6)::float
                          / coalesce(nullif(p.reach, 0), nullif(p.likes * 20, 0), 1),
        rate_of = CASE WHEN p.reach IS NULL THEN 'views' ELSE 'reach' END,
        product = CASE abs(hashtext(p.id::text)) %% 4 WHEN 0 THEN 'REELS' ELSE 'FEED' END,
        media_type = CASE abs(hashtext(p.id::text)) %% 4 WHEN 0 THEN 'REELS' WHEN 1 THEN 'CAROUSEL_ALBUM' ELSE 'IMAGE' END
    FROM accounts_connectedaccount a WHERE a.id = p.account_id AND a.workspace_id = %(workspace)s
"""

HOURS = """
    INSERT INTO analytics_insightwindow
        (account_id, period, window_start, metrics, so_far, derived, sources, raw, is_whole, fetched_at)
    SELECT a.id, 'hour', h.at,
           jsonb_build_object('followers', 9000 - h.back / 9, 'following', 210, 'posts', 900),
           jsonb_build_object('views', 40 * (1 + extract(hour FROM h.at)::int), 'likes', extract(hour FROM h.at)::int),
           jsonb_build_object('followers', (h.back %% 9 = 0)::int, 'views', 30 + h.back %% 23, 'likes', h.back %% 7,
                              'span_minutes', 60),
           '{"views": "views", "likes": "likes"}', '{}', true, h.at + interval '7 minutes'
    FROM accounts_connectedaccount a,
         LATERAL (SELECT date_trunc('hour', now()) - n * interval '1 hour' AS at, n AS back
                  FROM generate_series(0, %(days)s * 24 - 1) n) h
    WHERE a.workspace_id = %(workspace)s
    ON CONFLICT (account_id, period, window_start) DO UPDATE
        SET metrics = excluded.metrics, so_far = excluded.so_far, derived = excluded.derived, sources = excluded.sources
"""

DAYS = """
    INSERT INTO analytics_insightwindow
        (account_id, period, window_start, metrics, so_far, derived, sources, raw, is_whole, fetched_at)
    SELECT a.id, 'day', d.at,
           jsonb_build_object('views', 700 + d.back %% 90, 'reach', 400 + d.back %% 60, 'engagements', 60 + d.back %% 20,
                              'likes', 40 + d.back %% 15, 'comments', d.back %% 9, 'shares', d.back %% 5,
                              'follows', 3 + d.back %% 4, 'unfollows', d.back %% 2, 'profile_views', 20 + d.back %% 11),
           '{}', '{}', '{"views": "views", "reach": "reach"}', '{}', d.back > 0, d.at + interval '30 hours'
    FROM accounts_connectedaccount a,
         LATERAL (SELECT (date_trunc('day', now() AT TIME ZONE zone.name) - n * interval '1 day') AT TIME ZONE zone.name AS at,
                         n AS back
                  FROM generate_series(0, %(days)s * 2 - 1) n,
                       (SELECT CASE WHEN a.platform IN ('facebook', 'instagram') THEN 'America/Los_Angeles'
                                    ELSE 'UTC' END AS name) zone) d
    WHERE a.workspace_id = %(workspace)s AND a.platform IN ('facebook', 'instagram', 'linkedin')
    ON CONFLICT (account_id, period, window_start) DO NOTHING
"""

SNAPSHOTS = f"""
    INSERT INTO analytics_postsnapshot (platform_post_id, fetched_at, mark, series, {NAMES})
    SELECT p.id, p.posted_at + m.hours * interval '1 hour', m.mark, 0, {FIGURES.format(grown=GROWN.format(hours="m.hours"))}
    FROM analytics_platformpost p JOIN accounts_connectedaccount a ON a.id = p.account_id,
         unnest(%(marks)s::text[], %(hours)s::int[]) AS m(mark, hours)
    WHERE a.workspace_id = %(workspace)s AND p.posted_at + m.hours * interval '1 hour' < now()
    ON CONFLICT DO NOTHING
"""  # noqa: S608  constants

POST_DAYS = f"""
    INSERT INTO analytics_postday (platform_post_id, account_id, day, fetched_at, gained, series, {NAMES})
    SELECT p.id, p.account_id, (p.posted_at AT TIME ZONE 'UTC')::date + n, p.posted_at + n * interval '1 day',
           jsonb_build_object('views', 20, 'likes', 2, 'span_minutes', 1440), 0,
           {FIGURES.format(grown=GROWN.format(hours="n * 24 + 12"))}
    FROM analytics_platformpost p JOIN accounts_connectedaccount a ON a.id = p.account_id,
         generate_series(0, %(per_post)s - 1) n
    WHERE a.workspace_id = %(workspace)s AND p.posted_at + n * interval '1 day' < now()
    ON CONFLICT DO NOTHING
"""  # noqa: S608

AUDIENCE = """
    INSERT INTO analytics_audiencesnapshot (account_id, kind, dimension, taken_on, parts, raw, withheld)
    SELECT a.id, 'followers', d.dimension, current_date - n, d.parts::jsonb, '{}', ''
    FROM accounts_connectedaccount a, generate_series(0, 8) n,
         (VALUES ('age', '{"18-24": 900, "25-34": 2400, "35-44": 1900, "45-54": 800}'),
                 ('gender', '{"F": 2900, "M": 3400, "U": 300}'),
                 ('country', '{"US": 3100, "DE": 1900, "GB": 800, "AT": 300}')) AS d(dimension, parts)
    WHERE a.workspace_id = %(workspace)s AND a.platform = 'instagram'
    ON CONFLICT DO NOTHING
"""


def fill_figures(workspace: Workspace, rows: int, *, days: int = 365) -> int:
    """Hours of a year, days of two, and as many readings of the posts as make about `rows`. Returns how many it became."""
    values = {"workspace": workspace.pk, "days": days, "marks": list(MARKS), "hours": list(MARKS.values())}
    with connection.cursor() as cursor:
        for statement in (POSTS, HOURS, DAYS, SNAPSHOTS, AUDIENCE):
            cursor.execute(statement, values)
        posts = max(PlatformPost.objects.filter(account__workspace=workspace).count(), 1)
        missing = max(rows - _rows(workspace), 0)
        cursor.execute(POST_DAYS, {**values, "per_post": -(-missing // posts)})
    return _rows(workspace)


def _rows(workspace: Workspace) -> int:
    return (
        InsightWindow.objects.filter(account__workspace=workspace).count()
        + PostSnapshot.objects.filter(platform_post__account__workspace=workspace).count()
        + PostDay.objects.filter(account__workspace=workspace).count()
    )
