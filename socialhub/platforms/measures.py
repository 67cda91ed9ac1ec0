"""Our words for what networks count: one meaning each, so that figures of different networks can stand side by side.

How each network calls it, and whether it is the same thing there, is data of `metrics/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _


class Unit(StrEnum):
    COUNT = "count"
    PERCENT = "percent"
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class Measure:
    """What one figure means.

    is_level: it stands at a value (followers) instead of happening in a span (views). counts_people: each person once,
    so figures of several days, posts or accounts cannot be added up without counting people twice. is_average: neither
    sums nor differences of it mean anything.
    """

    key: str
    word: Any
    meaning: Any
    unit: Unit = Unit.COUNT
    is_level: bool = False
    counts_people: bool = False
    is_average: bool = False


_ALL = (
    Measure("followers", _("Followers"), _("People who follow the account at that moment."), is_level=True),
    Measure("following", _("Following"), _("Accounts that this account follows."), is_level=True),
    Measure("page_likes", _("Page likes"), _("People who like the Page itself."), is_level=True),
    Measure("posts", _("Posts"), _("Posts that stand on the account."), is_level=True),
    Measure("views", _("Views"), _("How often content was shown or played, also to the same person again.")),
    Measure(
        "impressions",
        _("Impressions"),
        _("How often content was on a screen. Networks that count views count something else."),
    ),
    Measure("reach", _("Reach"), _("Different people who saw it, as the network estimates."), counts_people=True),
    Measure(
        "engagements",
        _("Engagements"),
        _("Reactions, comments, shares, saves and other acts, as far as the network counts them."),
    ),
    Measure("engaged", _("People engaged"), _("Different people who did something with it."), counts_people=True),
    Measure("likes", _("Likes"), _("Likes and all other reactions.")),
    Measure("comments", _("Comments"), _("Comments, with replies where the network counts them.")),
    Measure("shares", _("Shares"), _("Shares, reposts and forwarded messages, as far as the network tells.")),
    Measure("saves", _("Saves"), _("How often it was saved for later.")),
    Measure("clicks", _("Clicks"), _("Clicks on content, links and buttons.")),
    Measure("profile_views", _("Profile views"), _("Visits of the account's own page.")),
    Measure("follows", _("New followers"), _("People who began to follow."), counts_people=False),
    Measure("unfollows", _("Lost followers"), _("People who stopped following.")),
    Measure("video_views", _("Video views"), _("How often videos were played.")),
    Measure(
        "watch_seconds", _("Time watched"), _("How long videos were watched, by everybody together."), Unit.SECONDS
    ),
    Measure(
        "average_watch_seconds",
        _("Average time watched"),
        _("How long a video was watched on average."),
        Unit.SECONDS,
        is_average=True,
    ),
)
MEASURES: dict[str, Measure] = {measure.key: measure for measure in _ALL}
