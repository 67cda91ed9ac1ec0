"""Rows of before figures had names, days and series of their own: the same numbers, said as they are said now.

Days of Facebook and Instagram stood at midnight in UTC and were the network's own day of that date. What LinkedIn and
some of Buffer's networks call impressions stood under views. Engagements, marks and days of posts follow from what was
read. Going back leaves the words as they are: whatever reads figures renews them within an hour.
"""

from typing import ClassVar

from django.db import migrations

RENAME = """
UPDATE analytics_insightwindow w
   SET {field} = (w.{field} - '{old}') || jsonb_build_object('{new}', w.{field} -> '{old}')
  FROM accounts_connectedaccount a
 WHERE a.id = w.account_id AND a.platform IN ({platforms}) AND w.period = '{period}' AND jsonb_exists(w.{field}, '{old}')
"""

# Where such a day was read since by its new place, that reading is the newer one.
DAYS_READ_SINCE = """
DELETE FROM analytics_insightwindow w
 USING accounts_connectedaccount a, analytics_insightwindow newer
 WHERE a.id = w.account_id AND a.platform IN ('facebook', 'instagram') AND w.period = 'day'
   AND (w.window_start AT TIME ZONE 'UTC')::time = '00:00'
   AND newer.account_id = w.account_id AND newer.period = 'day'
   AND newer.window_start = (w.window_start AT TIME ZONE 'UTC') AT TIME ZONE 'America/Los_Angeles'
"""
MOVE_DAYS = """
UPDATE analytics_insightwindow w
   SET window_start = (w.window_start AT TIME ZONE 'UTC') AT TIME ZONE 'America/Los_Angeles'
  FROM accounts_connectedaccount a
 WHERE a.id = w.account_id AND a.platform IN ('facebook', 'instagram') AND w.period = 'day'
   AND (w.window_start AT TIME ZONE 'UTC')::time = '00:00'
"""
MOVE_DAYS_BACK = """
UPDATE analytics_insightwindow w
   SET window_start = (w.window_start AT TIME ZONE 'America/Los_Angeles') AT TIME ZONE 'UTC'
  FROM accounts_connectedaccount a
 WHERE a.id = w.account_id AND a.platform IN ('facebook', 'instagram') AND w.period = 'day'
   AND (w.window_start AT TIME ZONE 'America/Los_Angeles')::time = '00:00'
"""
DAYS_THAT_WERE_GOING_ON = """
UPDATE analytics_insightwindow SET is_whole = FALSE
 WHERE period = 'day' AND is_whole AND fetched_at < window_start + INTERVAL '1 day'
"""

IMPRESSIONS_OF_SNAPSHOTS = """
UPDATE analytics_postsnapshot s SET impressions = s.views, views = NULL
  FROM analytics_platformpost p JOIN accounts_connectedaccount a ON a.id = p.account_id
 WHERE p.id = s.platform_post_id AND s.impressions IS NULL
   AND (a.platform = 'linkedin' OR (jsonb_exists(p.raw, 'impressions') AND NOT jsonb_exists(p.raw, 'views')))
"""
IMPRESSIONS_OF_POSTS = """
UPDATE analytics_platformpost p SET impressions = p.views, views = NULL
  FROM accounts_connectedaccount a
 WHERE a.id = p.account_id AND p.impressions IS NULL
   AND (a.platform = 'linkedin' OR (jsonb_exists(p.raw, 'impressions') AND NOT jsonb_exists(p.raw, 'views')))
"""
ENGAGEMENTS = """
UPDATE {table}
   SET engagements = COALESCE(likes, 0) + COALESCE(comments, 0) + COALESCE(shares, 0) + COALESCE(saves, 0)
 WHERE COALESCE(likes, comments, shares, saves) IS NOT NULL
"""
RATES = """
UPDATE analytics_platformpost
   SET engagement_rate = engagements::float / COALESCE(NULLIF(reach, 0), NULLIF(views, 0), NULLIF(impressions, 0)),
       rate_of = CASE WHEN reach > 0 THEN 'reach' WHEN views > 0 THEN 'views' ELSE 'impressions' END
 WHERE engagements IS NOT NULL AND COALESCE(NULLIF(reach, 0), NULLIF(views, 0), NULLIF(impressions, 0)) IS NOT NULL
"""
MARKS = """
UPDATE analytics_postsnapshot s SET mark = found.mark
  FROM (
    SELECT DISTINCT ON (s.platform_post_id, m.mark) s.id, m.mark
      FROM analytics_postsnapshot s
      JOIN analytics_platformpost p ON p.id = s.platform_post_id
      JOIN (VALUES ('1h', INTERVAL '1 hour', INTERVAL '6 hours'), ('6h', INTERVAL '6 hours', INTERVAL '24 hours'),
                   ('24h', INTERVAL '24 hours', INTERVAL '3 days'), ('3d', INTERVAL '3 days', INTERVAL '7 days'),
                   ('7d', INTERVAL '7 days', INTERVAL '28 days'), ('28d', INTERVAL '28 days', INTERVAL '35 days')
           ) AS m (mark, least, most)
        ON s.fetched_at >= p.posted_at + m.least AND s.fetched_at < p.posted_at + m.most
     ORDER BY s.platform_post_id, m.mark, s.fetched_at
  ) AS found
 WHERE s.id = found.id
"""
# A day is what its last reading said; what it gained is the difference to the day before that is known.
DAYS_OF_POSTS = """
WITH days AS (
    SELECT DISTINCT ON (s.platform_post_id, (s.fetched_at AT TIME ZONE 'UTC')::date)
           s.*, (s.fetched_at AT TIME ZONE 'UTC')::date AS day, p.account_id
      FROM analytics_postsnapshot s JOIN analytics_platformpost p ON p.id = s.platform_post_id
     ORDER BY s.platform_post_id, (s.fetched_at AT TIME ZONE 'UTC')::date, s.fetched_at DESC
), gained AS (
    SELECT d.*, LAG(d.fetched_at) OVER w AS before_at, JSONB_STRIP_NULLS(JSONB_BUILD_OBJECT(
               'likes', d.likes - LAG(d.likes) OVER w, 'comments', d.comments - LAG(d.comments) OVER w,
               'shares', d.shares - LAG(d.shares) OVER w, 'saves', d.saves - LAG(d.saves) OVER w,
               'views', d.views - LAG(d.views) OVER w, 'impressions', d.impressions - LAG(d.impressions) OVER w,
               'reach', d.reach - LAG(d.reach) OVER w, 'clicks', d.clicks - LAG(d.clicks) OVER w,
               'engagements', d.engagements - LAG(d.engagements) OVER w)) AS gained
      FROM days d WINDOW w AS (PARTITION BY d.platform_post_id ORDER BY d.day)
)
INSERT INTO analytics_postday (platform_post_id, account_id, day, fetched_at, gained, series,
                               likes, comments, shares, saves, views, impressions, reach, clicks, engagements)
SELECT platform_post_id, account_id, day, fetched_at,
       CASE WHEN gained = '{}' THEN gained ELSE gained || JSONB_BUILD_OBJECT(
           'span_minutes', ROUND(EXTRACT(EPOCH FROM fetched_at - before_at) / 60)::int) END,
       series, likes, comments, shares, saves, views, impressions, reach, clicks, engagements
  FROM gained
    ON CONFLICT (platform_post_id, day) DO NOTHING
"""


def rename(platforms: str, period: str, field: str, old: str, new: str) -> migrations.RunSQL:
    forwards = RENAME.format(platforms=platforms, period=period, field=field, old=old, new=new)
    backwards = RENAME.format(platforms=platforms, period=period, field=field, old=new, new=old)
    return migrations.RunSQL(forwards, backwards)


def forwards(sql: str) -> migrations.RunSQL:
    return migrations.RunSQL(sql, migrations.RunSQL.noop)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("analytics", "0007_platform_post_figures")]

    operations: ClassVar = [
        rename("'facebook'", "hour", "metrics", "likes", "page_likes"),
        rename("'facebook'", "hour", "derived", "likes", "page_likes"),
        rename("'instagram'", "day", "metrics", "accounts_engaged", "engaged"),
        rename("'linkedin'", "day", "metrics", "views", "impressions"),
        forwards(DAYS_READ_SINCE),
        migrations.RunSQL(MOVE_DAYS, MOVE_DAYS_BACK),
        forwards(DAYS_THAT_WERE_GOING_ON),
        forwards(IMPRESSIONS_OF_SNAPSHOTS),
        forwards(IMPRESSIONS_OF_POSTS),
        forwards(ENGAGEMENTS.format(table="analytics_postsnapshot")),
        forwards(ENGAGEMENTS.format(table="analytics_platformpost")),
        forwards(RATES),
        forwards(MARKS),
        forwards(DAYS_OF_POSTS),
    ]
