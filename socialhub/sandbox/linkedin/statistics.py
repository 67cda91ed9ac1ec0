"""Figures of posts, organizations and members."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ..figures import (
    FLOWS,
    Made,
    PostFigures,
    SpanFigures,
    character_of,
    followers_at,
    gone,
    post_figures,
    reported,
    settled,
    spans_between,
    totals_at,
    with_people,
)
from ..metrics import living, way_of
from ..rhythm import rhythm_of
from ..seeds import generator
from .call import READING_SCOPES, Call, Reply, answers
from .errors import denied, invalid, missing
from .rows import Organization, Post

DAY = 86_400
LATEST_DAYS = 2  # of follower gains: they end two days before today
LONGEST_DAYS = 366
SETTLES_DAYS, AT_FIRST = 7, 0.96  # numbers are told again, a little higher, for a week
TAKEN_BACK, AT_ONCE = 0.05, 4  # of the likes: what a day adds may be less than nothing
TOTALS = {
    "impressionCount": "views",
    "uniqueImpressionsCount": "reach",
    "clickCount": "clicks",
    "likeCount": "likes",
    "commentCount": "comments",
    "shareCount": "shares",
}
MEMBER_METRICS = {
    "IMPRESSION": "views",
    "MEMBERS_REACHED": "reach",
    "RESHARE": "shares",
    "REACTION": "likes",
    "COMMENT": "comments",
    "POST_SEND": "saves",
    "POST_SAVE": "saves",
    "LINK_CLICKS": "clicks",
    "PREMIUM_CTA_CLICKS": "visits",
    "FOLLOWER_GAINED_FROM_CONTENT": "follows",
    "PROFILE_VIEW_FROM_CONTENT": "visits",
}


def administered(call: Call, parameter: str) -> Organization:
    """The organization asked about; only its administrators may. Raises LinkedInError."""
    call.need(*READING_SCOPES)
    organization = call.organization(call.text(parameter))
    call.need_role(organization, {"ADMINISTRATOR"})
    return organization


def figures_of(call: Call, post: Post, at: float) -> PostFigures:
    owner_id = post.author.rsplit(":", 1)[1]
    owner = call.state.linkedin_organizations.get(owner_id) or call.state.linkedin_members[owner_id]
    return post_figures(owner, Made(post.id, post.created_at), at)


def totals(call: Call, owner_id: str, figures: PostFigures | SpanFigures) -> dict[str, Any]:
    numbers: dict[str, Any] = {name: getattr(figures, what) for name, what in TOTALS.items()}
    acts = sum(numbers[name] for name in ("clickCount", "likeCount", "commentCount", "shareCount"))
    numbers["engagement"] = acts / figures.views if figures.views else 0.0
    told = living(call.state, numbers, owner_id)
    return {name: number for name, number in numbers.items() if name in told}


def made_by(call: Call, organization: Organization) -> list[Made]:
    posts = (call.state.linkedin_posts[urn] for urn in call.state.linkedin_posts_of[organization.urn])
    return [Made(post.id, post.created_at) for post in posts] + gone(call.state, organization.urn)


@answers("GET", "organizationalEntityShareStatistics")
def share_statistics(call: Call) -> Reply:
    check_finder(call, "organizationalEntity")
    organization = administered(call, "organizationalEntity")
    asked = {"share": call.names("shares"), "ugcPost": call.names("ugcPosts")}
    spans = intervals(call)
    if spans and any(urns is not None for urns in asked.values()):
        raise invalid("ILLEGAL_ARGUMENT", "Lists of posts and timeIntervals cannot be combined")
    if spans:
        elements = [share_span(call, organization, since, until) for since, until in spans if since < call.now]
        return Reply(body=listed(elements))
    if all(urns is None for urns in asked.values()):
        flows = dict(zip(FLOWS, totals_at(organization, made_by(call, organization), call.now), strict=True))
        flows["likes"] -= taken_back(organization, call.now)
        lifetime = totals(call, organization.id, with_people(organization, SpanFigures(**flows)))
        return Reply(body=listed([{"organizationalEntity": organization.urn, "totalShareStatistics": lifetime}]))
    elements = []
    for kind, urns in asked.items():
        for urn in urns or []:
            if not urn.startswith(f"urn:li:{kind}:"):
                raise invalid("INVALID_URN_TYPE", f"{urn} is no {kind}", f"/{kind}s")
            post = call.state.linkedin_posts.get(urn)
            figures_now = figures_of(call, post, call.now) if post and post.author == organization.urn else None
            # A post that nobody has done anything with is not in the answer.
            if figures_now and figures_now.views:
                row = {
                    kind: urn,
                    "organizationalEntity": organization.urn,
                    "totalShareStatistics": totals(call, organization.id, figures_now),
                }
                elements.append(row)
    return Reply(body=listed(elements))


def share_span(call: Call, organization: Organization, since: float, until: float) -> dict[str, Any]:
    seen = min(until, call.now)
    span = spans_between(organization, made_by(call, organization), [since, seen])[0]
    span = reported(organization, span, settled(call.now - until, from_share=AT_FIRST, days=SETTLES_DAYS))
    span = replace(span, likes=span.likes - taken_back(organization, seen) + taken_back(organization, since))
    return {
        "organizationalEntity": organization.urn,
        "timeRange": time_range(since, until),
        "totalShareStatistics": totals(call, organization.id, span),
    }


def taken_back(organization: Organization, moment: float) -> int:
    """Likes that are gone again by then: with each account that is closed a few of them at once."""
    character = character_of(organization.id)
    per_day = organization.followers_count * character.views * character.likes
    return int(per_day * TAKEN_BACK * max(moment - organization.created_at, 0.0) / DAY / AT_ONCE) * AT_ONCE


@answers("GET", "organizationPageStatistics")
def page_statistics(call: Call) -> Reply:
    check_finder(call, "organization")
    organization = administered(call, "organization")
    spans = intervals(call) or [(organization.created_at, call.now)]
    elements = []
    for since, until in spans:
        views = page_views(organization, min(until, call.now)) - page_views(organization, since)
        counts = {"pageViews": views, "uniquePageViews": int(views * 0.7)}
        row: dict[str, Any] = {
            "organization": organization.urn,
            "totalPageStatistics": {"views": {"allPageViews": counts}, "clicks": {}},
        }
        if "timeIntervals" in call.query:
            row["timeRange"] = time_range(since, until)
        elements.append(row)
    return Reply(body=listed(elements))


def page_views(organization: Organization, moment: float) -> int:
    return int(organization.followers_count * 0.006 * max(rhythm_of(organization.id).days(moment), 0.0))


# Facet of the followers: its name in a row, and the numbers that its URNs end in, the most usual ones first.
FACETS = {
    "followerCountsBySeniority": ("seniority", (4, 3, 5, 6, 8)),
    "followerCountsByFunction": ("function", (15, 25, 8, 13, 4, 18)),
    "followerCountsByIndustry": ("industry", (4, 96, 43, 80, 47)),
    "followerCountsByGeoCountry": ("geo", (103644278, 101282230, 101165590, 105015875, 103883259)),
    "followerCountsByGeo": ("geo", (90000070, 90009712, 90009496)),
}
STAFF_RANGES = ("SIZE_1", "SIZE_2_TO_10", "SIZE_11_TO_50", "SIZE_51_TO_200", "SIZE_201_TO_500")


def facets_of(call: Call, organization: Organization) -> dict[str, Any]:
    people = followers_at(organization, call.now)
    answer: dict[str, Any] = {}
    for facet, (name, numbers) in FACETS.items():
        counts = divided(people, organization.id, facet, len(numbers))
        keys = [f"urn:li:{name}:{number}" for number in numbers]
        answer[facet] = [facet_row(name, key, count) for key, count in zip(keys, counts, strict=True) if count]
    counts = divided(people, organization.id, "staff", len(STAFF_RANGES))
    rows = [facet_row("staffCountRange", key, count) for key, count in zip(STAFF_RANGES, counts, strict=True) if count]
    answer["followerCountsByStaffCountRange"] = rows
    told = living(call.state, answer, organization.id)
    return {facet: rows for facet, rows in answer.items() if facet in told}


def divided(people: int, owner_id: str, facet: str, parts: int) -> list[int]:
    """Falling shares that leave some of the people out: of them the network does not know it."""
    numbers = generator("facet", owner_id, facet)
    shares = [numbers.uniform(0.8, 1.2) / (position + 1.5) for position in range(parts)]
    return [int(people * 0.92 * share / sum(shares)) for share in shares]


def facet_row(name: str, key: str, count: int) -> dict[str, Any]:
    return {name: key, "followerCounts": {"organicFollowerCount": count, "paidFollowerCount": 0}}


@answers("GET", "organizationalEntityFollowerStatistics")
def follower_statistics(call: Call) -> Reply:
    check_finder(call, "organizationalEntity")
    organization = administered(call, "organizationalEntity")
    spans = intervals(call)
    if not spans:
        return Reply(body=listed([{"organizationalEntity": organization.urn, **facets_of(call, organization)}]))
    elements = []
    latest = call.now - LATEST_DAYS * DAY
    for since, until in spans:
        if until > latest:
            continue
        gain = followers_at(organization, until) - followers_at(organization, since)
        gains = {"organicFollowerGain": gain, "paidFollowerGain": 0}
        elements.append(
            {"organizationalEntity": organization.urn, "timeRange": time_range(since, until), "followerGains": gains}
        )
    return Reply(body=listed(elements))


@answers("GET", "socialMetadata/*")
def social_metadata(call: Call) -> Reply:
    post = call.state.linkedin_posts.get(call.path[1])
    if post is None:
        raise missing(call.path[1])
    return Reply(body=metadata(call, post))


@answers("GET", "socialMetadata")
def social_metadata_batch(call: Call) -> Reply:
    ids = call.names("ids")
    if not ids:
        raise invalid("MISSING_FIELD", "Parameter 'ids' is required")
    found = {urn: call.state.linkedin_posts[urn] for urn in ids if urn in call.state.linkedin_posts}
    absent = {urn: missing(urn).envelope() for urn in ids if urn not in found}
    return Reply(body={"results": {urn: metadata(call, post) for urn, post in found.items()}, "errors": absent})


def metadata(call: Call, post: Post) -> dict[str, Any]:
    if not post.author.startswith("urn:li:organization:"):
        raise denied(call.what)
    call.need("r_organization_social_feed")
    if not call.role_on(call.organization(post.author)):
        raise denied(call.what)
    figures = figures_of(call, post, call.now)
    summaries = {"LIKE": {"reactionType": "LIKE", "count": figures.likes}}
    summaries["PRAISE"] = {"reactionType": "PRAISE", "count": figures.loves}
    return {
        "entity": post.id,
        "reactionSummaries": {name: summary for name, summary in summaries.items() if summary["count"]},
        "commentSummary": {"count": figures.comments, "topLevelCount": figures.comments},
        "commentsState": "OPEN",
    }


# Members


@answers("GET", "memberCreatorPostAnalytics")
def member_posts(call: Call) -> Reply:
    """One metric per call, of one post or of all."""
    call.need("r_member_postAnalytics")
    metric = call.text("queryType")
    way = way_of(call.state, metric, call.member.id)
    if metric not in MEMBER_METRICS or way == "dead":
        raise invalid("ILLEGAL_ARGUMENT", f"Parameter 'queryType' is invalid: {metric}")
    if way == "withheld":
        return Reply(body=listed([]))
    aggregation = call.text("aggregation") or "TOTAL"
    if aggregation not in ("TOTAL", "DAILY") or (aggregation == "DAILY" and metric == "MEMBERS_REACHED"):
        raise invalid("ILLEGAL_ARGUMENT", f"Parameter 'aggregation' is invalid: {aggregation}")
    posts = asked_posts(call)
    name = MEMBER_METRICS[metric]

    def count(at: float) -> int:
        return sum(getattr(figures_of(call, post, at), name) for post in posts if post.created_at < at)

    frame: dict[str, Any] = {"metricType": metric}
    if call.text("q") == "entity":
        frame["targetEntity"] = call.query["entity"]
    days = day_range(call)
    if aggregation == "TOTAL":
        since, until = (midnight(days[0]), midnight(days[1])) if days else (0.0, call.now)
        return Reply(body=listed([{**frame, "count": count(min(until, call.now)) - count(since)}]))
    first, last = days or (today(call) - timedelta(days=6), today(call) + timedelta(days=1))
    elements = []
    while first < last:
        following = first + timedelta(days=1)
        gained = count(min(midnight(following), call.now)) - count(midnight(first))
        elements.append({**frame, "count": gained, "dateRange": {"start": date_row(first), "end": date_row(following)}})
        first = following
    return Reply(body=listed(elements))


def asked_posts(call: Call) -> list[Post]:
    """Those of this member; nobody else's."""
    own = [call.state.linkedin_posts[urn] for urn in call.state.linkedin_posts_of[call.member.urn]]
    if call.text("q") == "me":
        return own
    entity = call.query.get("entity")
    if call.text("q") != "entity" or not isinstance(entity, dict) or len(entity) != 1:
        raise invalid("ILLEGAL_ARGUMENT", "Parameter 'q' must be me, or entity with entity=(share:…) or (ugc:…)")
    kind, urn = next(iter(entity.items()))
    if kind not in ("share", "ugc") or not str(urn).startswith(
        "urn:li:share:" if kind == "share" else "urn:li:ugcPost:"
    ):
        raise invalid("INVALID_URN_TYPE", f"{urn} is no {kind}")
    found = [post for post in own if post.id == urn]
    if not found:
        raise missing(str(urn))
    return found


@answers("GET", "memberFollowersCount")
def member_followers(call: Call) -> Reply:
    call.need("r_member_profileAnalytics")
    if call.text("q") == "me":
        return Reply(body=listed([{"memberFollowersCount": followers_at(call.member, call.now)}]))
    days = day_range(call)
    if call.text("q") != "dateRange" or days is None:
        raise invalid("ILLEGAL_ARGUMENT", "Parameter 'q' must be me, or dateRange with dateRange=(start:…,end:…)")
    elements = []
    first, last = days
    while first < last:
        following = first + timedelta(days=1)
        gained = followers_at(call.member, midnight(following)) - followers_at(call.member, midnight(first))
        frame = {"start": date_row(first), "end": date_row(following)}
        elements.append({"memberFollowersCount": gained, "dateRange": frame})
        first = following
    return Reply(body=listed(elements))


# Times


def listed(elements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"elements": elements, "paging": {"start": 0, "count": len(elements), "links": []}}


def check_finder(call: Call, name: str) -> None:
    if call.text("q") != name:
        raise invalid("ILLEGAL_ARGUMENT", f"Parameter 'q' must be {name}")


def time_range(since: float, until: float) -> dict[str, int]:
    return {"start": int(since * 1000), "end": int(until * 1000)}


def intervals(call: Call) -> list[tuple[float, float]]:
    """The buckets that timeIntervals asks for, in seconds; empty without it. Raises LinkedInError."""
    asked = call.query.get("timeIntervals")
    if asked is None:
        return []
    wrong = invalid("ILLEGAL_ARGUMENT", "Parameter 'timeIntervals' is invalid")
    if not isinstance(asked, dict) or not isinstance(asked.get("timeRange"), dict):
        raise wrong
    if asked.get("timeGranularityType") not in ("DAY", "MONTH"):
        raise wrong
    try:
        since, until = int(asked["timeRange"]["start"]) / 1000, int(asked["timeRange"]["end"]) / 1000
    except (KeyError, ValueError, TypeError):
        raise wrong from None
    if since >= until or until - since > LONGEST_DAYS * DAY or since < call.now - LONGEST_DAYS * DAY:
        raise wrong
    if asked["timeGranularityType"] == "DAY":
        first = since // DAY * DAY
        return [(first + n * DAY, first + (n + 1) * DAY) for n in range(int((until - first + DAY - 1) // DAY))]
    spans = []
    month = datetime.fromtimestamp(since, UTC).date().replace(day=1)
    while midnight(month) < until:
        following = (month + timedelta(days=32)).replace(day=1)
        spans.append((midnight(month), midnight(following)))
        month = following
    return spans


def day_range(call: Call) -> tuple[date, date] | None:
    asked = call.query.get("dateRange")
    if asked is None:
        return None
    try:
        first, last = (date(*(int(asked[end][part]) for part in ("year", "month", "day"))) for end in ("start", "end"))
    except (KeyError, ValueError, TypeError):
        raise invalid("ILLEGAL_ARGUMENT", "Parameter 'dateRange' is invalid") from None
    if not first < last <= first + timedelta(days=LONGEST_DAYS):
        raise invalid("ILLEGAL_ARGUMENT", "Parameter 'dateRange' is invalid")
    return first, last


def today(call: Call) -> date:
    return datetime.fromtimestamp(call.now, UTC).date()


def midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def date_row(day: date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "day": day.day}
