"""The figures themselves: they go by hour and weekday, add up, and count nobody twice."""

from __future__ import annotations

from dataclasses import astuple
from datetime import UTC, datetime
from statistics import mean
from time import perf_counter

import pytest

from socialhub.sandbox.figures import (
    FLOWS,
    Made,
    followers_at,
    post_figures,
    reported,
    settled,
    spans_between,
)
from socialhub.sandbox.rhythm import HOURS, rhythm_of
from socialhub.sandbox.state import Page

HOUR, DAY = 3_600, 86_400
START = datetime(2026, 9, 7, tzinfo=UTC).timestamp()  # a Monday
SHOP = Page("101", "Shop", "shop", "Bakery", 12_480, [])
PRODUCTS = ("FEED", "CAROUSEL", "VIDEO", "REELS", "STORY")
POSTS = [Made(f"post{number}", START - 5 * DAY + number * 17 * HOUR, PRODUCTS[number % 5]) for number in range(20)]


def hours(days: int, since: float = START) -> list[float]:
    return [since + number * HOUR for number in range(days * 24 + 1)]


def test_hours_add_up_to_their_day_and_days_to_their_month() -> None:
    of_hours = spans_between(SHOP, POSTS, hours(30))
    of_days = spans_between(SHOP, POSTS, hours(30)[::24])
    month = spans_between(SHOP, POSTS, [START, START + 30 * DAY])[0]

    for name in (*FLOWS, "gained", "lost"):
        assert sum(getattr(one, name) for one in of_days) == getattr(month, name)
        for day, told in enumerate(of_days):
            assert sum(getattr(one, name) for one in of_hours[day * 24 : day * 24 + 24]) == getattr(told, name)
    assert all(value >= 0 for span in of_hours for value in astuple(span))


def test_people_are_fewer_than_the_sum_of_their_days() -> None:
    of_days = spans_between(SHOP, POSTS, hours(30)[::24])
    month = spans_between(SHOP, POSTS, [START, START + 30 * DAY])[0]

    assert max(day.reach for day in of_days) < month.reach < sum(day.reach for day in of_days)
    assert all(day.engaged <= day.reach <= day.views for day in [*of_days, month])


def test_followers_are_those_of_before_and_who_came_and_went() -> None:
    span = spans_between(SHOP, (), [START, START + 9 * DAY])[0]

    assert followers_at(SHOP, START + 9 * DAY) - followers_at(SHOP, START) == span.gained - span.lost
    assert span.gained > span.lost > 0


def test_nights_are_quiet_and_evenings_are_not() -> None:
    views = [span.views for span in spans_between(SHOP, (), hours(28))]
    by_local_hour: dict[int, list[int]] = {hour: [] for hour in range(24)}
    for number, count in enumerate(views):
        by_local_hour[int(number + rhythm_of(SHOP.id).offset / HOUR) % 24].append(count)

    usual = {hour: mean(counts) for hour, counts in by_local_hour.items()}
    assert max(usual, key=lambda hour: usual[hour]) in (19, 20, 21)
    assert usual[20] > 5 * usual[3]
    assert len(set(by_local_hour[20])) > 10  # no two evenings are the same


def test_a_post_made_when_people_are_about_does_better() -> None:
    local = START - rhythm_of(SHOP.id).offset
    rates = {}
    for hour in (3, 19):
        told = [
            post_figures(SHOP, Made(f"{hour}-{n}", made), made + 28 * DAY)
            for n in range(40)
            if (made := local + n * DAY + hour * HOUR)
        ]
        rates[hour] = (mean(one.views for one in told), mean(one.interactions / one.reach for one in told))

    assert rates[19][0] > 1.2 * rates[3][0]
    assert rates[19][1] > 1.2 * rates[3][1]
    assert max(HOURS) in HOURS[19:21]


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_post_grows_for_weeks_and_a_story_for_a_day(product: str) -> None:
    ages = [HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY, 28 * DAY]
    views = [post_figures(SHOP, Made("a", START, product), START + age).views for age in ages]

    assert views == sorted(views)
    assert (views[2] == views[-1]) == (product == "STORY")
    assert product == "STORY" or 0.75 < views[2] / views[-1] < 1


def test_what_is_told_of_a_day_grows_for_two_days_and_then_stands() -> None:
    day = spans_between(SHOP, POSTS, [START, START + DAY])[0]

    told = [reported(SHOP, day, settled(age * HOUR, from_share=0.94, days=2)) for age in (0, 12, 36, 48, 500)]

    assert [one.views for one in told] == sorted(one.views for one in told)
    assert told[0].views < day.views
    assert told[0].gained == day.gained
    assert told[3] == told[4] == day


def test_accounts_differ() -> None:
    others = [Page(str(number), "Shop", "shop", "Bakery", 12_480, []) for number in range(5)]

    assert len({spans_between(one, (), [START, START + DAY])[0].views for one in others}) == 5


def test_a_thousand_accounts_are_read_within_seconds() -> None:
    began = perf_counter()
    for number in range(100):
        account = Page(f"cheap{number}", "Shop", "shop", "Bakery", 2_000 + number, [])
        posts = [Made(f"{number}-{post}", START - post * DAY) for post in range(20)]
        spans_between(account, posts, [START, START + DAY])

    assert perf_counter() - began < 1
