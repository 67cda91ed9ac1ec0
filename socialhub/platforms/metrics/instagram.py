"""Instagram's names. Sources: Instagram Platform v26.0, references of user and media insights, changelog."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext_lazy as _

from socialhub.platforms.metrics.types import NetworkMetric, Subject

NODE = "Instagram Platform v26.0, User and Media reference, read September to October 2026"
USER = "Instagram Platform v26.0, User insights, read September to October 2026"
MEDIA = "Instagram Platform v26.0, Media insights, read September to October 2026"
CHANGES = "Instagram Platform changelog to 22 June 2026"

DAY = ("day",)
PRODUCT = ("media_product_type",)
MILLISECONDS = "milliseconds"
AUDIENCE = ("age", "city", "country", "gender")
# The groups whose names are valid for all that stands in the list of an account's media.
LISTED = "listed"

ALIVE = (
    # Of the account itself
    NetworkMetric("followers_count", Subject.TOTAL, NODE, "followers"),
    NetworkMetric("follows_count", Subject.TOTAL, NODE, "following"),
    NetworkMetric("media_count", Subject.TOTAL, NODE, "posts"),
    # Of an account's day. Asked for one day at a time: only reach comes as a series.
    NetworkMetric(
        "views",
        Subject.ACCOUNT,
        USER,
        "views",
        _("How often reels, posts, stories and lives were played or shown. It replaced impressions."),
        periods=DAY,
        breakdowns=("media_product_type", "follow_type"),
        group="seen",
        replaces="impressions",
    ),
    NetworkMetric(
        "reach",
        Subject.ACCOUNT,
        USER,
        "reach",
        periods=DAY,
        breakdowns=("media_product_type", "follow_type"),
        group="seen",
    ),
    NetworkMetric("accounts_engaged", Subject.ACCOUNT, USER, "engaged", periods=DAY, group="seen"),
    NetworkMetric(
        "total_interactions",
        Subject.ACCOUNT,
        USER,
        "engagements",
        _("Likes, comments, saves, shares and replies, those taken back subtracted."),
        periods=DAY,
        breakdowns=PRODUCT,
        group="seen",
    ),
    NetworkMetric("likes", Subject.ACCOUNT, USER, "likes", periods=DAY, breakdowns=PRODUCT, group="acts"),
    NetworkMetric("comments", Subject.ACCOUNT, USER, "comments", periods=DAY, breakdowns=PRODUCT, group="acts"),
    NetworkMetric("saves", Subject.ACCOUNT, USER, "saves", periods=DAY, breakdowns=PRODUCT, group="acts"),
    NetworkMetric("shares", Subject.ACCOUNT, USER, "shares", periods=DAY, breakdowns=PRODUCT, group="acts"),
    NetworkMetric(
        "profile_links_taps",
        Subject.ACCOUNT,
        USER,
        "clicks",
        _("Taps on the buttons of the profile: address, call, e-mail, message."),
        periods=DAY,
        breakdowns=("contact_button_type",),
        group="acts",
        replaces="email_contacts",
    ),
    NetworkMetric("profile_views", Subject.ACCOUNT, USER, "profile_views", periods=DAY, group="visits"),
    NetworkMetric(
        "follows_and_unfollows",
        Subject.ACCOUNT,
        USER,
        "follows",
        _("Gained and lost followers, told apart by follow_type. Instagram tells it from 100 followers on."),
        periods=DAY,
        breakdowns=("follow_type",),
        group="follows",
    ),
    NetworkMetric("replies", Subject.ACCOUNT, USER, periods=DAY, asked=False),
    NetworkMetric("reposts", Subject.ACCOUNT, USER, periods=DAY, asked=False),
    NetworkMetric("website_clicks", Subject.ACCOUNT, USER, periods=DAY, asked=False),
    NetworkMetric("follower_count", Subject.ACCOUNT, USER, "follows", periods=DAY, asked=False),
    NetworkMetric("online_followers", Subject.ACCOUNT, USER, asked=False),
    # Who follows, and who acts
    NetworkMetric(
        "follower_demographics",
        Subject.AUDIENCE,
        USER,
        meaning=_("Followers by age, city, country and gender; the 45 largest parts, from 100 followers on."),
        breakdowns=AUDIENCE,
        group="followers",
        replaces="audience_city",
    ),
    NetworkMetric(
        "engaged_audience_demographics",
        Subject.AUDIENCE,
        USER,
        meaning=_("People who did something with content in the last 30 days, from 100 of them on."),
        breakdowns=AUDIENCE,
        group="engaged",
    ),
    NetworkMetric("reached_audience_demographics", Subject.AUDIENCE, USER, breakdowns=AUDIENCE, asked=False),
    # Of media. The numbers of likes and comments come with the media itself.
    NetworkMetric("like_count", Subject.POST, NODE, "likes", _("Likes. Missing where the owner hides them.")),
    NetworkMetric("comments_count", Subject.POST, NODE, "comments"),
    NetworkMetric(
        "views",
        Subject.POST,
        MEDIA,
        "views",
        _("How often it was played or shown, also again to the same person. It replaced impressions and plays."),
        group=LISTED,
        replaces="impressions",
    ),
    NetworkMetric("reach", Subject.POST, MEDIA, "reach", group=LISTED),
    NetworkMetric("shares", Subject.POST, MEDIA, "shares", group=LISTED),
    NetworkMetric(
        "total_interactions",
        Subject.POST,
        MEDIA,
        "engagements",
        _("What Instagram itself counts as interactions, those taken back subtracted."),
        group=LISTED,
    ),
    NetworkMetric("saved", Subject.POST, MEDIA, "saves", products=("FEED", "REELS"), group=LISTED),
    NetworkMetric("follows", Subject.POST, MEDIA, "follows", products=("FEED", "STORY"), group="visits"),
    NetworkMetric("profile_visits", Subject.POST, MEDIA, "profile_views", products=("FEED", "STORY"), group="visits"),
    NetworkMetric(
        "ig_reels_avg_watch_time",
        Subject.POST,
        MEDIA,
        "average_watch_seconds",
        unit=MILLISECONDS,
        products=("REELS",),
        group="reels",
    ),
    NetworkMetric(
        "ig_reels_video_view_total_time",
        Subject.POST,
        MEDIA,
        "watch_seconds",
        unit=MILLISECONDS,
        products=("REELS",),
        group="reels",
    ),
    NetworkMetric(
        "replies",
        Subject.POST,
        MEDIA,
        meaning=_("Replies to a story. Always 0 for accounts in Europe and Japan."),
        products=("STORY",),
        group="story",
    ),
    NetworkMetric(
        "navigation",
        Subject.POST,
        MEDIA,
        meaning=_("Taps and swipes within a story and out of it."),
        breakdowns=("story_navigation_action_type",),
        products=("STORY",),
        group="story",
    ),
    NetworkMetric("likes", Subject.POST, MEDIA, products=("FEED", "REELS"), asked=False),
    NetworkMetric("comments", Subject.POST, MEDIA, products=("FEED", "REELS"), asked=False),
    NetworkMetric("reposts", Subject.POST, MEDIA, asked=False),
    NetworkMetric("profile_activity", Subject.POST, MEDIA, products=("FEED", "STORY"), asked=False),
    NetworkMetric("reels_skip_rate", Subject.POST, MEDIA, unit="percent", products=("REELS",), asked=False),
    NetworkMetric("facebook_views", Subject.POST, MEDIA, asked=False),
    NetworkMetric("crossposted_views", Subject.POST, MEDIA, products=("REELS",), asked=False),
    NetworkMetric("total_views", Subject.POST, MEDIA, asked=False),
    NetworkMetric("link_clicks", Subject.POST, MEDIA, products=("STORY",), since=date(2026, 6, 22), asked=False),
)

# From when on they were surely gone. Where Meta named no day it is the one on which we read that they were.
ENDED = (
    ("impressions", Subject.ACCOUNT, "impressions", date(2025, 4, 21)),
    ("email_contacts", Subject.ACCOUNT, "clicks", date(2025, 6, 30)),
    ("phone_call_clicks", Subject.ACCOUNT, "clicks", date(2025, 6, 30)),
    ("text_message_clicks", Subject.ACCOUNT, "clicks", date(2025, 6, 30)),
    ("get_directions_clicks", Subject.ACCOUNT, "clicks", date(2025, 6, 30)),
    ("audience_city", Subject.AUDIENCE, "", date(2026, 10, 31)),
    ("audience_country", Subject.AUDIENCE, "", date(2026, 10, 31)),
    ("audience_gender_age", Subject.AUDIENCE, "", date(2026, 10, 31)),
    ("audience_locale", Subject.AUDIENCE, "", date(2026, 10, 31)),
    ("impressions", Subject.POST, "impressions", date(2025, 4, 21)),
    ("plays", Subject.POST, "video_views", date(2026, 10, 31)),
    ("clips_replays_count", Subject.POST, "", date(2026, 10, 31)),
    ("ig_reels_aggregated_all_plays_count", Subject.POST, "video_views", date(2026, 10, 31)),
    ("video_views", Subject.POST, "video_views", date(2026, 10, 31)),
    ("engagement", Subject.POST, "engagements", date(2026, 10, 31)),
    ("exits", Subject.POST, "", date(2026, 10, 31)),
    ("taps_forward", Subject.POST, "", date(2026, 10, 31)),
    ("taps_back", Subject.POST, "", date(2026, 10, 31)),
)

METRICS: tuple[NetworkMetric, ...] = (
    *ALIVE,
    *(NetworkMetric(name, subject, CHANGES, measure, until=day) for name, subject, measure, day in ENDED),
)
