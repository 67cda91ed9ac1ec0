"""What LinkedIn counts: of organizations by day and by post, of members one metric at a time.

`group` is the address that tells it. Of an organization the names of one address come together in one answer; of a
member each name is a call of its own, so only what a page of figures needs is asked for.

How often we read follows from the limits that LinkedIn names for the development tier of Community Management: 100 calls
per member and 500 per app in a day (UTC). Whether each address has a hundred of its own or all share them, LinkedIn's
pages disagree, so both must do, with 20 left for publishing. `CALLS` lists what an account costs in a day (a test adds
it up):

- An organization with one new post a day costs 23 calls: a member with three stays below 80 even if all addresses share
  one limit, and since none of its addresses is asked more than 9 times, with eight where each has its own.
- The member's own profile with one post a week costs 29 where the app may read its posts; two organizations fit beside
  it. Each reading of a member's post costs five calls, so who posts more often meets the books of the limit first, and
  is read less often.

More often than every three hours would not tell more: figures of days come once a day, and every three hours a post has
a reading between its marks at 1, 6 and 24 hours.
Source: LinkedIn "Increasing access" and "Rate limits", read November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext_lazy as _

from socialhub.platforms.metrics.types import NetworkMetric, Subject

SHARES = "organizationalEntityShareStatistics"
PAGES = "organizationPageStatistics"
FOLLOWERS = "organizationalEntityFollowerStatistics"
SIZES = "networkSizes"
MEMBER_POSTS = "memberCreatorPostAnalytics"
MEMBER_FOLLOWERS = "memberFollowersCount"

_SHARE = "LinkedIn organization share statistics, version 202609, read November 2026"
_PAGE = "LinkedIn organization page statistics, version 202609, read November 2026"
_FOLLOWER = "LinkedIn organization follower statistics, version 202609, read November 2026"
_LOOKUP = "LinkedIn organization lookup (networkSizes), version 202609, read November 2026"
_POST = "LinkedIn member post statistics, version 202609, read November 2026"
_MEMBER = "LinkedIn member follower statistics, version 202609, read November 2026"

# The month in which LinkedIn began to serve a name: versions 202506 and 202604.
_POSTS_SINCE, _MORE_SINCE = date(2025, 6, 1), date(2026, 4, 1)

_COUNTED = (
    ("impressionCount", "impressions", _("How often posts were on a member's screen for a moment, ads left out.")),
    ("uniqueImpressionsCount", "reach", _("Different members who had a post on their screen, ads left out.")),
    ("clickCount", "clicks", _("Clicks on the content, the page's name and its logo.")),
    ("likeCount", "likes", _("Reactions of all kinds. Taken back ones count against it, so a day can be negative.")),
    ("commentCount", "comments", _("Comments. Deleted ones count against it, so a day can be negative.")),
    ("shareCount", "shares", _("Reposts. By day, LinkedIn leaves out those that add no words of their own.")),
)
_FACETS = (
    ("followerCountsBySeniority", "seniority"),
    ("followerCountsByFunction", "function"),
    ("followerCountsByIndustry", "industry"),
    ("followerCountsByStaffCountRange", "company_size"),
    ("followerCountsByGeoCountry", "country"),
)
_OF_MEMBERS = (
    ("IMPRESSION", "impressions", _("How often the member's posts were on a screen.")),
    ("MEMBERS_REACHED", "reach", _("Different members who had it on their screen. LinkedIn does not tell it by day.")),
    ("REACTION", "likes", _("Reactions of all kinds.")),
    ("COMMENT", "comments", _("Comments.")),
    ("RESHARE", "shares", _("Reposts.")),
)
_NOT_ASKED = (
    ("POST_SEND", "", _("How often it was sent on in a message.")),
    ("POST_SAVE", "saves", _("How often it was saved.")),
    ("LINK_CLICKS", "clicks", _("Clicks on links in the post.")),
    ("PREMIUM_CTA_CLICKS", "", _("Clicks on the button of a Premium member.")),
    ("FOLLOWER_GAINED_FROM_CONTENT", "follows", _("Followers who came by the post.")),
    ("PROFILE_VIEW_FROM_CONTENT", "profile_views", _("Visits of the profile that came by the post.")),
)
NOT_DAILY = ("MEMBERS_REACHED",)

METRICS: tuple[NetworkMetric, ...] = (
    *(
        NetworkMetric(name, subject, _SHARE, measure, meaning, periods=periods, group=SHARES)
        for subject, periods in ((Subject.ACCOUNT, ("day",)), (Subject.POST, ("lifetime",)))
        for name, measure, meaning in _COUNTED
    ),
    # Of sums, the name is what their parts are called. They are asked for under those names only.
    NetworkMetric(
        "clickCount+likeCount+commentCount+shareCount",
        Subject.ACCOUNT,
        _SHARE,
        "engagements",
        _("Of an organization: clicks, reactions, comments and reposts, as LinkedIn adds them up for its own rate."),
        periods=("day",),
    ),
    NetworkMetric(
        "REACTION+COMMENT+RESHARE",
        Subject.ACCOUNT,
        _POST,
        "engagements",
        _("Of a member: reactions, comments and reposts."),
        periods=("day",),
        since=_POSTS_SINCE,
    ),
    NetworkMetric(
        "engagement", Subject.POST, _SHARE, "", _("Clicks and acts for each impression."), "percent", group=SHARES
    ),
    NetworkMetric(
        "totalShareStatistics",
        Subject.TOTAL,
        _SHARE,
        "",
        _("The same numbers of all posts together. They cover the last 12 months only, so they can go down."),
        group=SHARES,
        asked=False,
    ),
    NetworkMetric(
        "pageViews",
        Subject.ACCOUNT,
        _PAGE,
        "profile_views",
        _("Views of the page at LinkedIn."),
        periods=("day",),
        group=PAGES,
    ),
    NetworkMetric(
        "uniquePageViews",
        Subject.ACCOUNT,
        _PAGE,
        "",
        _("Different members who viewed the page."),
        periods=("day",),
        group=PAGES,
    ),
    *(
        NetworkMetric(name, Subject.ACCOUNT, _FOLLOWER, "follows", meaning, periods=("day",), group=FOLLOWERS)
        for name, meaning in (
            ("organicFollowerGain", _("Followers gained without ads; fewer of them make it negative. Two days late.")),
            ("paidFollowerGain", _("Followers gained by ads. Two days late.")),
        )
    ),
    *(
        NetworkMetric(name, Subject.AUDIENCE, _FOLLOWER, "followers", breakdowns=(dimension,), group=FOLLOWERS)
        for name, dimension in _FACETS
    ),
    NetworkMetric(
        "firstDegreeSize", Subject.TOTAL, _LOOKUP, "followers", _("Members who follow the page."), group=SIZES
    ),
    *(
        NetworkMetric(
            name,
            Subject.POST,
            _POST,
            measure,
            meaning,
            group=MEMBER_POSTS,
            since=_POSTS_SINCE,
        )
        for name, measure, meaning in _OF_MEMBERS
    ),
    *(
        NetworkMetric(
            name, Subject.ACCOUNT, _POST, measure, meaning, periods=("day",), group=MEMBER_POSTS, since=_POSTS_SINCE
        )
        for name, measure, meaning in _OF_MEMBERS
        if name not in NOT_DAILY
    ),
    *(
        NetworkMetric(name, Subject.POST, _POST, measure, meaning, group=MEMBER_POSTS, since=_MORE_SINCE, asked=False)
        for name, measure, meaning in _NOT_ASKED
    ),
    *(
        NetworkMetric(name, Subject.VIDEO, _POST, measure, meaning, unit, group=MEMBER_POSTS, asked=False)
        for name, measure, unit, meaning in (
            ("VIDEO_PLAY", "video_views", "count", _("How often the video was played.")),
            ("VIDEO_VIEWER", "", "count", _("Different members who played it.")),
            ("VIDEO_WATCH_TIME", "watch_seconds", "milliseconds", _("How long it was watched.")),
        )
    ),
    NetworkMetric(
        "memberFollowersCount",
        Subject.TOTAL,
        _MEMBER,
        "followers",
        _("Who follows the member."),
        group=MEMBER_FOLLOWERS,
        since=_POSTS_SINCE,
    ),
    NetworkMetric(
        "memberFollowersCount",
        Subject.ACCOUNT,
        _MEMBER,
        "",
        _("The same by day; whether those gained or all of them, LinkedIn's pages do not say."),
        periods=("day",),
        group=MEMBER_FOLLOWERS,
        since=_POSTS_SINCE,
        asked=False,
    ),
)

NEWEST_POSTS = 2  # of a member whose figures are read at once


@dataclass(frozen=True, slots=True)
class Calls:
    """What an account costs at one address.

    each: with every reading. full: with every reading of everything. posts: in a day, for single posts, with one post a
    day (an organization) or a week (a member). daily: when the access is looked after.
    """

    address: str
    each: int = 0
    full: int = 0
    posts: int = 0
    daily: int = 0


CALLS: dict[str, tuple[Calls, ...]] = {
    "organization": (
        Calls(SIZES, each=1, daily=1),
        Calls(SHARES, full=2, posts=6),  # its days, and its newest hundred posts; each new one alone at its marks
        Calls("posts", full=1),
        Calls(PAGES, full=1),
        Calls(FOLLOWERS, full=2),  # gains by day; who they are
        Calls("organizations", daily=1),
        Calls("images", daily=1),
    ),
    "person": (
        Calls(MEMBER_FOLLOWERS, each=1, daily=1),
        Calls(MEMBER_POSTS, full=4, posts=15),  # its days; about twenty readings of five calls in four weeks
        Calls("userinfo", daily=1),
    ),
}
READINGS_A_DAY = 8
FULL_READINGS_A_DAY = 1
MEMBER_LIMIT, KEPT_FOR_PUBLISHING = 100, 20
LIMITS_SOURCE = "LinkedIn “Increasing access” and “Rate limits” (development tier), read November 2026"
