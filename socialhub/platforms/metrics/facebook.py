"""Facebook's names. Sources: Graph API v26.0, references of Page, post and video insights, and "Deprecated metrics".

Meta's reference still lists names that died; the changelogs and what the servers answer are right.
"""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext_lazy as _

from socialhub.platforms.metrics.types import NetworkMetric, Subject

NODE = "Graph API v26.0, Page and Post reference, read September to October 2026"
PAGE = "Graph API v26.0, Page insights, read September to October 2026"
POST = "Graph API v26.0, Post insights, read September to October 2026"
VIDEO = "Graph API v26.0, Video insights, read September to October 2026"
CHANGES = "Graph API changelog to v26.0 and Deprecated metrics, read September to October 2026"

ROLLING = ("day", "week", "days_28")
FROM = ("is_from_ads", "is_from_followers")
MILLISECONDS = "milliseconds"
VIEWS_MEANING = _("How often content of the Page was shown or played, also from ads. It replaced impressions.")
VIEWERS_MEANING = _("Different people who saw content of the Page, as Meta estimates. It replaced the older reach.")

ALIVE = (
    # Of the Page itself
    NetworkMetric("followers_count", Subject.TOTAL, NODE, "followers"),
    NetworkMetric("fan_count", Subject.TOTAL, NODE, "page_likes"),
    # Of a Page's day. One dead name fails its whole request, so names that Meta may drop together are one group.
    NetworkMetric(
        "page_media_view",
        Subject.ACCOUNT,
        PAGE,
        "views",
        VIEWS_MEANING,
        periods=ROLLING,
        breakdowns=FROM,
        group="views",
        replaces="page_impressions",
    ),
    NetworkMetric(
        "page_total_media_view_unique",
        Subject.ACCOUNT,
        PAGE,
        "reach",
        VIEWERS_MEANING,
        periods=ROLLING,
        group="views",
        replaces="page_impressions_unique",
    ),
    NetworkMetric(
        "page_post_engagements",
        Subject.ACCOUNT,
        PAGE,
        "engagements",
        _("Reactions, comments, shares and clicks on posts of the Page."),
        periods=ROLLING,
        group="views",
        replaces="page_engaged_users",
    ),
    NetworkMetric(
        "page_actions_post_reactions_total",
        Subject.ACCOUNT,
        PAGE,
        "likes",
        _("All reactions to posts of the Page on that day."),
        periods=ROLLING,
        group="views",
    ),
    NetworkMetric(
        "page_follows",
        Subject.ACCOUNT,
        PAGE,
        "followers",
        _("Followers of the Page at the end of that day."),
        periods=("day",),
        group="followers",
        replaces="page_fans",
    ),
    NetworkMetric(
        "page_daily_follows_unique",
        Subject.ACCOUNT,
        PAGE,
        "follows",
        periods=ROLLING,
        group="followers",
        replaces="page_fan_adds_unique",
    ),
    NetworkMetric(
        "page_daily_unfollows_unique",
        Subject.ACCOUNT,
        PAGE,
        "unfollows",
        periods=ROLLING,
        group="followers",
        replaces="page_fan_removes_unique",
    ),
    NetworkMetric("page_views_total", Subject.ACCOUNT, PAGE, "profile_views", periods=ROLLING, group="visits"),
    NetworkMetric(
        "page_total_actions",
        Subject.ACCOUNT,
        PAGE,
        "clicks",
        _("Clicks on the Page's contact details and its button."),
        periods=ROLLING,
        group="visits",
    ),
    NetworkMetric("page_video_views", Subject.ACCOUNT, PAGE, "video_views", periods=ROLLING, group="videos"),
    NetworkMetric(
        "page_video_view_time",
        Subject.ACCOUNT,
        PAGE,
        "watch_seconds",
        unit=MILLISECONDS,
        periods=ROLLING,
        group="videos",
    ),
    NetworkMetric("page_daily_follows", Subject.ACCOUNT, PAGE, periods=ROLLING, asked=False),
    NetworkMetric("page_fan_adds_by_paid_non_paid_unique", Subject.ACCOUNT, PAGE, periods=("day",), asked=False),
    NetworkMetric("page_lifetime_engaged_followers_unique", Subject.ACCOUNT, PAGE, periods=("day",), asked=False),
    # Of a post
    NetworkMetric("shares", Subject.POST, NODE, "shares", _("Shares of the post. Facebook leaves it out for none.")),
    NetworkMetric(
        "comments.summary",
        Subject.POST,
        NODE,
        "comments",
        _("Comments with their replies. Needs the right to read what people write on the Page."),
    ),
    NetworkMetric("reactions.summary", Subject.POST, NODE, "likes", _("Likes and all other reactions.")),
    NetworkMetric(
        "post_media_view",
        Subject.POST,
        POST,
        "views",
        _("How often the post was shown or played, also from ads. It replaced impressions."),
        breakdowns=FROM,
        group="post",
        replaces="post_impressions",
    ),
    NetworkMetric(
        "post_total_media_view_unique",
        Subject.POST,
        POST,
        "reach",
        _("Different people who saw the post, as Meta estimates. It replaced the older reach."),
        group="post",
        replaces="post_impressions_unique",
    ),
    NetworkMetric(
        "post_clicks",
        Subject.POST,
        POST,
        "clicks",
        _("Clicks anywhere on the post, also to make it larger."),
        group="post",
    ),
    NetworkMetric(
        "post_reactions_by_type_total",
        Subject.POST,
        POST,
        "likes",
        _("All reactions, read where the reactions themselves may not be counted."),
        group="post",
    ),
    NetworkMetric("post_clicks_by_type", Subject.POST, POST, asked=False),
    NetworkMetric("post_activity_by_action_type", Subject.POST, POST, asked=False),
    # Of a video
    NetworkMetric(
        "total_video_views",
        Subject.VIDEO,
        VIDEO,
        "video_views",
        _("How often the video was played for three seconds or longer."),
        products=("VIDEO",),
        group="video",
    ),
    NetworkMetric(
        "total_video_view_total_time",
        Subject.VIDEO,
        VIDEO,
        "watch_seconds",
        unit=MILLISECONDS,
        products=("VIDEO",),
        group="video",
    ),
    NetworkMetric(
        "total_video_avg_time_watched",
        Subject.VIDEO,
        VIDEO,
        "average_watch_seconds",
        unit=MILLISECONDS,
        products=("VIDEO",),
        group="video",
    ),
    NetworkMetric(
        "fb_reels_total_plays",
        Subject.VIDEO,
        VIDEO,
        "video_views",
        _("How often the reel was played, repeats included."),
        products=("REEL",),
        group="reel",
    ),
    NetworkMetric(
        "post_video_view_time",
        Subject.VIDEO,
        VIDEO,
        "watch_seconds",
        unit=MILLISECONDS,
        products=("REEL",),
        group="reel",
    ),
    NetworkMetric(
        "post_video_avg_time_watched",
        Subject.VIDEO,
        VIDEO,
        "average_watch_seconds",
        unit=MILLISECONDS,
        products=("REEL",),
        group="reel",
    ),
    NetworkMetric(
        "post_video_followers",
        Subject.VIDEO,
        VIDEO,
        "follows",
        _("People who began to follow the Page from the reel."),
        products=("REEL",),
        group="reel",
    ),
    NetworkMetric("total_video_15s_views", Subject.VIDEO, VIDEO, products=("VIDEO",), asked=False),
    NetworkMetric("total_video_complete_views", Subject.VIDEO, VIDEO, products=("VIDEO",), asked=False),
    NetworkMetric("total_video_reactions_by_type_total", Subject.VIDEO, VIDEO, products=("VIDEO",), asked=False),
    NetworkMetric("blue_reels_play_count", Subject.VIDEO, VIDEO, products=("REEL",), asked=False),
    NetworkMetric("fb_reels_replay_count", Subject.VIDEO, VIDEO, products=("REEL",), asked=False),
    NetworkMetric("post_video_social_actions", Subject.VIDEO, VIDEO, products=("REEL",), asked=False),
    NetworkMetric("post_video_likes_by_reaction_type", Subject.VIDEO, VIDEO, products=("REEL",), asked=False),
)

# The day from which no version answers them. Of the last ones Meta said "mid June", and gone they were by 29 July.
ENDED: dict[date, dict[Subject, tuple[str, ...]]] = {
    date(2024, 3, 14): {
        Subject.ACCOUNT: ("page_engaged_users", "page_consumptions", "page_content_activity", "page_negative_feedback"),
        Subject.AUDIENCE: ("page_fans_gender_age", "page_follows_city", "page_follows_country"),
        Subject.POST: ("post_engaged_users", "post_negative_feedback"),
    },
    date(2025, 11, 15): {
        Subject.ACCOUNT: (
            "page_impressions",
            "page_impressions_paid",
            "page_impressions_viral",
            "page_impressions_nonviral",
            "page_fans",
            "page_fan_adds",
            "page_fan_adds_unique",
            "page_fan_removes",
            "page_fan_removes_unique",
        ),
        Subject.AUDIENCE: ("page_fans_locale", "page_fans_city", "page_fans_country"),
        Subject.POST: ("post_impressions", "post_impressions_paid", "post_impressions_fan", "post_impressions_organic"),
    },
    date(2026, 7, 29): {
        Subject.ACCOUNT: ("page_impressions_unique", "page_posts_impressions", "page_video_views_unique"),
        Subject.POST: (
            "post_impressions_unique",
            "post_impressions_paid_unique",
            "post_impressions_fan_unique",
            "post_impressions_organic_unique",
            "post_video_views_unique",
        ),
        Subject.VIDEO: ("total_video_impressions", "total_video_views_unique"),
    },
}
MEASURED = {
    "page_impressions": "impressions",
    "page_impressions_unique": "reach",
    "page_fans": "page_likes",
    "page_engaged_users": "engaged",
    "page_fan_adds_unique": "follows",
    "page_fan_removes_unique": "unfollows",
    "post_impressions": "impressions",
    "post_impressions_unique": "reach",
    "post_engaged_users": "engaged",
}

METRICS: tuple[NetworkMetric, ...] = (
    *ALIVE,
    *(
        NetworkMetric(name, subject, CHANGES, MEASURED.get(name, ""), until=day)
        for day, subjects in ENDED.items()
        for subject, names in subjects.items()
        for name in names
    ),
)
