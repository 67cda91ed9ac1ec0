"""Figures that grow believably: the same seed and time give the same number in every process, and none ever falls."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, sin
from typing import Protocol

from .state import Instagram, Media, Page, Post, State
from .world import EPOCH, generator

DAY = 86_400.0


@dataclass(frozen=True)
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


def post_figures(seed: str, followers: int, age: float) -> PostFigures:
    """A handful within the first minute, most of it within a day, then hardly anything more."""
    numbers = generator("post", seed)
    age = max(age, 0.0)
    audience = followers * numbers.uniform(0.08, 0.35) + 20
    rate = numbers.uniform(0.03, 0.09)
    grown = 1 - exp(-age / (numbers.uniform(4, 12) * 3600))
    first = 1 - exp(-age / 25)
    later = 1 - exp(-age / 90)
    views = int(16 * first + audience * 1.35 * grown)
    likes = int(4.2 * first + audience * rate * grown)
    return PostFigures(
        views=views,
        reach=int(views * numbers.uniform(0.72, 0.88)),
        likes=likes,
        loves=int(likes * numbers.uniform(0.05, 0.2)),
        comments=int(1.6 * later + audience * rate * 0.08 * grown),
        shares=int(audience * rate * 0.05 * grown),
        saves=int(1.2 * later + audience * rate * 0.11 * grown),
        clicks=int(2.1 * first + audience * rate * 0.6 * grown),
        follows=int(audience * 0.002 * grown),
        visits=int(audience * 0.018 * grown),
    )


def figures_of(state: State, post: Post | Media, now: float) -> PostFigures:
    owner = state.pages[post.page_id] if isinstance(post, Post) else state.instagrams[post.instagram_id]
    return post_figures(post.id, owner.followers_count, now - post.created_at)


class Followed(Protocol):
    """Whoever has followers, on whatever network."""

    followers_count: int


def followers_at(account: Followed, moment: float) -> int:
    days = max(moment - EPOCH, 0.0) / DAY
    return int(account.followers_count * (1 + 0.0007 * days + 0.0015 * sin(days / 9)))


@dataclass(frozen=True)
class SpanFigures:
    """What happened on an account between two moments."""

    views: int
    reach: int
    likes: int
    comments: int
    shares: int
    saves: int
    clicks: int
    visits: int
    gained: int
    lost: int

    @property
    def interactions(self) -> int:
        return self.likes + self.comments + self.shares + self.saves


def span_figures(state: State, account: Page | Instagram, since: float, until: float) -> SpanFigures:
    """The everyday life of an account, and what its posts of the sandbox add."""
    views = 0.0
    moment = since
    while moment < until:
        day_number = int(moment // DAY)
        end = min((day_number + 1) * DAY, until)
        numbers = generator("day", account.id, day_number)
        views += account.followers_count * numbers.uniform(0.03, 0.11) * (end - moment) / DAY
        moment = end
    likes = views * 0.045
    added = {"views": 0, "reach": 0, "likes": 0, "comments": 0, "shares": 0, "saves": 0, "clicks": 0}
    for post in newest(state, account, 50):
        if post.created_at >= until:
            continue
        after = post_figures(post.id, account.followers_count, until - post.created_at)
        before = post_figures(post.id, account.followers_count, since - post.created_at)
        for name in added:
            added[name] += getattr(after, name) - getattr(before, name)
    change = followers_at(account, until) - followers_at(account, since)
    lost = int(account.followers_count * 0.0004 * (until - since) / DAY)
    return SpanFigures(
        views=int(views) + added["views"],
        reach=int(views * 0.71) + added["reach"],
        likes=int(likes) + added["likes"],
        comments=int(likes * 0.06) + added["comments"],
        shares=int(likes * 0.04) + added["shares"],
        saves=int(likes * 0.09) + added["saves"],
        clicks=int(likes * 0.5) + added["clicks"],
        visits=int(views * 0.08),
        gained=max(change, 0) + lost,
        lost=lost + max(-change, 0),
    )


def newest(state: State, account: Page | Instagram, count: int) -> list[Post] | list[Media]:
    if isinstance(account, Page):
        return [state.posts[post_id] for post_id in state.posts_of[account.id][-count:]]
    return [state.media[media_id] for media_id in state.media_of[account.id][-count:]]
