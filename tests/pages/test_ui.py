"""The template tags of socialhub/templatetags/ui.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from accounts.models import ConnectedAccount
from publishing.models import Post, Status
from socialhub.templatetags import ui

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0"),
        (999, "999"),
        (1204, "1,204"),
        (9_999, "9,999"),
        (12_400, "12.4k"),
        (12_499, "12.4k"),
        (20_000, "20k"),
        (999_999, "999.9k"),
        (1_000_000, "1M"),
        (3_450_000_000, "3.4B"),
    ],
)
def test_a_figure_is_exact_while_it_is_short(number: int, shown: str) -> None:
    assert f">{shown}</span>" in ui.figure(number)


def test_a_short_figure_tells_the_whole_number_on_hover() -> None:
    assert 'title="12,499"' in ui.figure(12_499)


def test_a_missing_figure_is_a_dash_with_its_reason_and_never_zero() -> None:
    shown = ui.figure(None, "Instagram does not give this")
    assert "–" in shown
    assert "0" not in shown
    assert shown.count("Instagram does not give this") == 2  # on hover, and for those who hear the page
    assert "not available" in ui.figure(None)


@pytest.mark.parametrize(
    ("number", "shown", "direction"),
    [(12, "+12", "up"), (-3, "−3", "down"), (0, "±0", "flat"), (-25_000, "−25k", "down")],
)
def test_a_change_has_sign_and_direction(number: int, shown: str, direction: str) -> None:
    markup = ui.change(number)
    assert shown in markup
    assert f'data-direction="{direction}"' in markup


@pytest.mark.parametrize(
    ("offset", "shown"),
    [
        (timedelta(seconds=-10), "just now"),
        (timedelta(seconds=10), "in a moment"),
        (timedelta(minutes=-1), "1 minute ago"),
        (timedelta(minutes=5), "in 5 minutes"),
        (timedelta(minutes=59, seconds=50), "in 1 hour"),
        (timedelta(hours=-3), "3 hours ago"),
        (timedelta(hours=-13), "yesterday, 23:00"),
        (timedelta(hours=11, minutes=50), "today, 23:50"),
        (timedelta(days=1), "tomorrow, 12:00"),
        (timedelta(days=-3), "Tue, 12:00"),
        (timedelta(days=-30), "21 Oct"),
        (timedelta(days=60), "19 Jan 2027"),
    ],
)
def test_a_time_is_told_relative_to_now(offset: timedelta, shown: str) -> None:
    with time_machine.travel(NOW, tick=False):
        assert f">{shown}</time>" in ui.when(NOW + offset)


def test_a_time_carries_its_absolute_time_with_the_zone_of_the_person() -> None:
    with timezone.override(ZoneInfo("America/New_York")), time_machine.travel(NOW, tick=False):
        markup = ui.when(NOW + timedelta(hours=20))
    assert 'title="Sat 21 Nov 2026, 03:00 EST"' in markup
    assert 'datetime="2026-11-21T03:00:00-05:00"' in markup
    assert "tomorrow, 03:00" in markup


def test_no_time_is_a_dash() -> None:
    assert "–" in ui.when(None)


@pytest.mark.parametrize("status", [*Status.values, *Post.Summary.values, *ConnectedAccount.Status.values])
def test_every_state_has_a_word_and_an_icon(status: str) -> None:
    markup = ui.status_badge(status)
    assert status in ui.STATUSES
    assert "<svg" in markup
    assert str(ui.STATUSES[status][0]) in markup


def test_a_badge_takes_another_word_and_shows_a_strange_state_as_it_is() -> None:
    assert "Sending" in ui.status_badge("publishing", "Sending")
    assert "strange" in ui.status_badge("strange")


def test_an_avatar_keeps_initials_below_its_picture() -> None:
    markup = ui.avatar("https://example.com/a.jpg", "Joe's Garage")
    assert "JG" in markup
    assert 'src="https://example.com/a.jpg"' in markup
    assert 'referrerpolicy="no-referrer"' in markup
    assert "<img" not in ui.avatar("", "Joe")
    assert ">?<" in ui.avatar(None, "")


def test_what_people_type_is_escaped() -> None:
    assert "<script>" not in ui.avatar('"><script>', "<script>")
    assert "<script>" not in ui.status_badge("<script>")
    assert "<script>" not in ui.figure(None, "<script>")


def test_a_glyph_names_its_network_for_those_who_do_not_see_it() -> None:
    assert '<span class="visually-hidden">Facebook</span>' in ui.platform_glyph("facebook")
    assert ui.platform_label("instagram") == "Instagram"
    assert ui.platform_label("myspace") == "myspace"


def test_an_icon_is_decoration_unless_it_has_a_label() -> None:
    assert 'aria-hidden="true"' in ui.icon("check")
    assert 'role="img" aria-label="Done"' in ui.icon("check", "Done")
