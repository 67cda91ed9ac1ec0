"""Figures that grow believably: the same seed and time give the same number in every process, and no total ever falls.

Everything is a difference of running totals, so what the hours of a day tell adds up to what the day tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from math import exp, inf
from typing import NamedTuple, Protocol

from .rhythm import DAY, HOUR, Rhythm, rhythm_of
from .seeds import EPOCH, generator
from .state import PRODUCTS, Instagram, Media, Page, Post, State

ALIVE_SECONDS = 45 * DAY  # then nothing happens to a post any more
STORY_SECONDS = DAY


class Followed(Protocol):
    """Whoever has followers, on whatever network."""

    id: str
    followers_count: int


class Made(NamedTuple):
    """A post, as far as its figures depend on it."""

    id: str
    created_at: float
    product: str = "FEED"  # or CAROUSEL, VIDEO, REELS, STORY
    gone_at: float = inf


@dataclass(frozen=True, slots=True)
class PostFigures:
    """What has come together for one post by one moment."""

    views: int
    reach: int
    likes: int
    loves: int
    comments: int
    shares: int
    saves: int
    clicks: int
    follows: int
    visits: int

    @property
    def interactions(self) -> int:
        return self.likes + self.loves + self.comments + self.shares + self.saves


@dataclass(frozen=True, slots=True)
class Fate:
    """What a post will come to."""

    rhythm: Rhythm
    begins: float  # days of its account's rhythm
    ends_at: float
    audience: float
    handful: float  # share of those who look at once
    rate: float
    slow: float
    reach: float
    loves: float
    shares: float
    saves: float


# Product: how many see it, act on it, hand it on, and save it, beside a plain post.
EFFECTS = {
    "FEED": (1.0, 1.0, 1.0, 1.0),
    "CAROUSEL": (1.1, 1.15, 1.2, 2.2),
    "VIDEO": (1.3, 0.9, 1.4, 0.8),
    "REELS": (2.1, 0.85, 2.6, 1.5),
    "STORY": (0.45, 0.5, 0.6, 0.0),
}


@lru_cache(maxsize=65_536)
def fate_of(owner_id: str, followers: int, post: Made) -> Fate:
    """A post made while people are about is seen by more of them, and a larger share of those does something."""
    numbers = generator("post", post.id)
    rhythm = rhythm_of(owner_id)
    awake = min(rhythm.awake(post.created_at), 2.0)
    seen, acted, handed, saved = EFFECTS[post.product]
    handful = min(followers / 100, 1.0)
    return Fate(
        rhythm,
        rhythm.days(post.created_at),
        min(post.created_at + (STORY_SECONDS if post.product == "STORY" else ALIVE_SECONDS), post.gone_at),
        (followers * numbers.uniform(0.08, 0.35) * (0.6 + 0.4 * awake) + 20 * handful) * seen,
        handful,
        numbers.uniform(0.03, 0.09) * (0.65 + 0.35 * awake) * acted,
        numbers.uniform(4, 12) * HOUR / DAY,
        numbers.uniform(0.72, 0.88),
        numbers.uniform(0.05, 0.2),
        0.05 * handed,
        0.11 * saved,
    )


def post_figures(owner: Followed, post: Made, at: float) -> PostFigures:
    """A handful within the first minute, most of it within a day, a little for weeks."""
    fate = fate_of(owner.id, owner.followers_count, post)
    at = min(at, fate.ends_at)
    age = max(at - post.created_at, 0.0)
    days = max(fate.rhythm.days(at) - fate.begins, 0.0) if age else 0.0
    grown = 0.9 * (1 - exp(-days / fate.slow)) + 0.1 * (1 - exp(-days / 6))
    first = (1 - exp(-age / 25)) * fate.handful
    later = (1 - exp(-age / 90)) * fate.handful
    acts = fate.audience * fate.rate * grown
    views = int(16 * first + fate.audience * 1.35 * grown)
    likes = int(4.2 * first + acts)
    return PostFigures(
        views=views,
        reach=int(views * fate.reach),
        likes=likes,
        loves=int(likes * fate.loves),
        comments=int(1.6 * later + acts * 0.08),
        shares=int(acts * fate.shares),
        saves=int((1.2 * later + acts) * fate.saves),
        clicks=int(2.1 * first + acts * 0.6),
        follows=int(fate.audience * 0.002 * grown),
        visits=int(fate.audience * 0.018 * grown),
    )


def made(state: State, post: Post | Media) -> Made:
    if isinstance(post, Media):
        return Made(post.id, post.created_at, "CAROUSEL" if post.children else post.product)
    return Made(post.id, post.created_at, PRODUCTS[state.kind_of(post)])


def gone(state: State, owner_id: str) -> list[Made]:
    """What was deleted: until then people saw it."""
    return [Made(one.id, one.created_at, one.product, one.gone_at) for one in state.gone_of[owner_id]]


def figures_of(state: State, post: Post | Media, now: float) -> PostFigures:
    owner = state.pages[post.page_id] if isinstance(post, Post) else state.instagrams[post.instagram_id]
    return post_figures(owner, made(state, post), now)


# Accounts


def joined(account: Followed, moment: float) -> int:
    return int(account.followers_count * 0.0011 * max(rhythm_of(account.id).days(moment), 0.0))


def left(account: Followed, moment: float) -> int:
    return int(account.followers_count * 0.0004 * max(moment - EPOCH, 0.0) / DAY)


def followers_at(account: Followed, moment: float) -> int:
    return account.followers_count + joined(account, moment) - left(account, moment)


@dataclass(frozen=True, slots=True)
class SpanFigures:
    """What happened on an account between two moments. reach, engaged: people, each once."""

    views: int = 0
    reach: int = 0
    engaged: int = 0
    likes: int = 0
    comments: int = 0
    shares: int = 0
    saves: int = 0
    clicks: int = 0
    visits: int = 0
    gained: int = 0
    lost: int = 0

    @property
    def interactions(self) -> int:
        return self.likes + self.comments + self.shares + self.saves


FLOWS = ("views", "likes", "comments", "shares", "saves", "clicks", "visits")


@dataclass(frozen=True, slots=True)
class Character:
    """How lively an account is: its views per follower and day, and acts per view."""

    views: float
    likes: float
    comments: float
    shares: float
    saves: float
    clicks: float
    visits: float


@lru_cache(maxsize=16_384)
def character_of(account_id: str) -> Character:
    numbers = generator("character", account_id)
    likes = numbers.uniform(0.035, 0.06)
    return Character(
        numbers.uniform(0.045, 0.085),
        likes,
        likes * numbers.uniform(0.04, 0.09),
        likes * numbers.uniform(0.03, 0.06),
        likes * numbers.uniform(0.06, 0.12),
        likes * numbers.uniform(0.35, 0.6),
        numbers.uniform(0.05, 0.1),
    )


def totals_at(account: Followed, posts: Iterable[Made], moment: float) -> tuple[int, ...]:
    """What has come together by then of FLOWS: the everyday life of the account, and what these posts add."""
    character = character_of(account.id)
    views = account.followers_count * character.views * max(rhythm_of(account.id).days(moment), 0.0)
    sums = [int(views)]
    sums += [int(views * getattr(character, name)) for name in FLOWS[1:]]
    for post in posts:
        if post.created_at < moment:
            told = post_figures(account, post, moment)
            sums[0] += told.views
            sums[1] += told.likes + told.loves
            sums[2] += told.comments
            sums[3] += told.shares
            sums[4] += told.saves
            sums[5] += told.clicks
            sums[6] += told.visits
    return tuple(sums)


def spans_between(account: Followed, posts: Sequence[Made], moments: Sequence[float]) -> list[SpanFigures]:
    """What happened from each of the moments to the next."""
    totals = [totals_at(account, posts, moment) for moment in moments]
    people = [(joined(account, moment), left(account, moment)) for moment in moments]
    spans = []
    for number in range(len(moments) - 1):
        flows = [after - before for after, before in zip(totals[number + 1], totals[number], strict=True)]
        (joined_before, left_before), (joined_after, left_after) = people[number], people[number + 1]
        span = SpanFigures(
            **dict(zip(FLOWS, flows, strict=True)),
            gained=joined_after - joined_before,
            lost=left_after - left_before,
        )
        spans.append(with_people(account, span))
    return spans


def with_people(account: Followed, span: SpanFigures) -> SpanFigures:
    """Nobody is counted twice: the more views, the more of them are of people who have been there before."""
    flows = {one.name: getattr(span, one.name) for one in fields(span)}
    crowd = account.followers_count * 2.5 + 40
    reach = int(crowd * (1 - exp(-0.8 * span.views / crowd)))
    engaged = int(reach * (1 - exp(-0.9 * span.interactions / reach))) if reach else 0
    return SpanFigures(**{**flows, "reach": reach, "engaged": engaged})


def reported(account: Followed, span: SpanFigures, share: float) -> SpanFigures:
    """As much of it as a network tells while it is still counting. People who came and went are known at once."""
    if share >= 1:
        return span
    flows = {name: int(getattr(span, name) * share) for name in FLOWS}
    return with_people(account, SpanFigures(**flows, gained=span.gained, lost=span.lost))


def settled(age: float, *, from_share: float, days: float) -> float:
    """Which share of what happened is told `age` seconds after the end of a span."""
    return from_share + (1 - from_share) * min(max(age, 0.0) / (days * DAY), 1.0)


def alive(state: State, account: Page | Instagram, since: float, until: float) -> list[Made]:
    """The posts of an account that something may have happened to between these moments."""
    ids = state.posts_of[account.id] if isinstance(account, Page) else state.media_of[account.id]
    table: dict[str, Post] | dict[str, Media] = state.posts if isinstance(account, Page) else state.media
    found = []
    for post_id in reversed(ids):
        post = table[post_id]
        # They lie in the order in which they came, which is nearly that of their dates.
        if post.created_at < since - ALIVE_SECONDS - DAY:
            break
        if since - ALIVE_SECONDS < post.created_at < until:
            found.append(made(state, post))
    return found + [one for one in gone(state, account.id) if since - ALIVE_SECONDS < one.created_at < until]


def span_figures(state: State, account: Page | Instagram, since: float, until: float) -> SpanFigures:
    """Everything that happened on an account between two moments, whatever its network has told of it so far."""
    return spans_between(account, alive(state, account, since, until), [since, until])[0]
