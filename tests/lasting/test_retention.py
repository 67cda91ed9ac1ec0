"""What grows has an end: every table is named in docs/data.md, and what is over goes."""

from __future__ import annotations

import os
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import tidy
from accounts.models import IdempotentAnswer, OperatorNotice, User, Workspace
from analytics.days import day_end, day_start, days_after
from analytics.ingest import retention
from analytics.models import InsightWindow
from analytics.reports import series
from publishing import renditions
from publishing.media import media_items, store_upload
from publishing.models import PostMedia, Publication, Rendition, Status
from publishing.tasks import tidy as tidy_publishing
from socialhub import stray_files
from socialhub.platforms import PLATFORMS
from socialhub.platforms.base import PostType
from tests.analytics.rows import make_window
from tests.factories import make_account, make_post
from tests.kinds import FILES

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parent.parent.parent
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def test_every_table_is_named_with_how_long_it_is_kept() -> None:
    named = set(re.findall(r"`([a-z_]+)`", (ROOT / "docs/data.md").read_text()))
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    assert tables - named == set()


def test_what_is_over_goes_and_what_is_not_stays(workspace: Workspace, owner: User, signed_in: Client) -> None:
    def answer(key: str) -> None:
        IdempotentAnswer.objects.create(
            workspace=workspace, principal="key:x", key=key, digest="d", lease_until=timezone.now(), status=200, body={}
        )

    now = timezone.now()
    with time_machine.travel(now - timedelta(hours=25), tick=False):
        answer("old")
    answer("new")
    signed_in.get("/posts/")
    UserSession.objects.update(last_seen_at=now - 2 * DAY)
    UserSession.objects.create(
        user=owner, ip="192.0.2.1", session_key="gone", user_agent="x", last_seen_at=now - 2 * DAY
    )
    OperatorNotice.objects.create(
        key="old", title="x", body="x", last_seen_at=now - 400 * DAY, resolved_at=now - 400 * DAY
    )
    OperatorNotice.objects.create(key="open", title="x", body="x", last_seen_at=now - 400 * DAY)
    LogEntry.objects.create(user=owner, action_flag=1, action_time=now - 731 * DAY)
    LogEntry.objects.create(user=owner, action_flag=1, action_time=now)
    gone = tidy.tidy_all()
    assert [gone[name] for name in ("answers", "machines", "notices", "staff_log")] == [1, 1, 1, 1]
    assert IdempotentAnswer.objects.get().key == "new"
    assert UserSession.objects.get().session_key == Session.objects.get().session_key
    assert OperatorNotice.objects.get(resolved_at=None).key == "open"
    assert LogEntry.objects.count() == 1


def test_an_answer_that_somebody_still_waits_for_stays(workspace: Workspace) -> None:
    with time_machine.travel(timezone.now() - 2 * DAY, tick=False):
        IdempotentAnswer.objects.create(
            workspace=workspace, principal="p", key="k", digest="d", lease_until=timezone.now() + 3 * DAY
        )
    assert tidy.tidy_all()["answers"] == 0


def test_single_hours_of_long_ago_go_where_the_day_tells_it(workspace: Workspace, settings: Any) -> None:
    account = make_account(workspace, platform="linkedin")
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    told, untold, lately = midnight - 402 * DAY, midnight - 405 * DAY, midnight - 35 * DAY
    for day in (told, untold, lately):
        for hour in range(24):
            make_window(account, day + timedelta(hours=hour), metrics={"followers": 5})
    for day in (told, lately):
        make_window(account, day, period="day")
    assert retention.tidy()["hours"] == 23
    hours = InsightWindow.objects.filter(period="hour", window_start__gte=told, window_start__lt=told + DAY)
    assert [row.window_start.hour for row in hours] == [23], "it tells how many followers there were"
    assert InsightWindow.objects.filter(period="hour").count() == 24 + 24 + 1

    settings.INSIGHTS_HOUR_DAYS = 30
    assert retention.tidy()["hours"] == 23, "of the one lately"


@pytest.mark.parametrize("on", [date(2025, 7, 1), date(2025, 3, 9), date(2025, 11, 2)], ids=["summer", "short", "long"])
def test_how_many_followers_there_were_stays_as_it_was_told(workspace: Workspace, on: date, settings: Any) -> None:
    """At the end of the network's own day, wherever that lies, and by the last hour that was read of it."""
    settings.INSIGHTS_HOUR_DAYS = 35
    zone = str(PLATFORMS["facebook"].day_zone)
    start = day_start(datetime(on.year, on.month, on.day, 12, tzinfo=ZoneInfo(zone)), zone)
    account = make_account(workspace, platform="facebook")
    for number in range(3):
        day = days_after(start, number, zone)
        make_window(account, day, period="day")
        hours = [*range(round((day_end(day, zone) - day) / HOUR))][: -2 if number == 1 else None]  # two were not read
        for hour in hours:
            make_window(account, day + hour * HOUR, metrics={"followers": 100 * number + hour})
    now = days_after(start, 100, zone)
    before = series.load(account, now=now).closing
    assert len(before) == 3
    assert retention.tidy(now)["hours"] > 60
    assert series.load(account, now=now).closing == before


GROWING = ("publishing_attempt", "publishing_publicationevent", "publishing_publication", "publishing_postmedia")
GROWING += ("analytics_postday", "analytics_postsnapshot")
NEEDLESS = """
    SELECT one.indexrelid::regclass::text
    FROM pg_index one JOIN pg_index other ON other.indrelid = one.indrelid AND other.indexrelid <> one.indexrelid
    WHERE one.indrelid::regclass::text = ANY(%s) AND NOT one.indisunique
      AND one.indpred IS NULL AND other.indpred IS NULL AND one.indexprs IS NULL
      AND other.indkey::text LIKE one.indkey::text || ' %%'
"""


def test_what_grows_fastest_keeps_no_index_that_another_begins_with() -> None:
    """Each costs a write with each row, and room in the memory of the database, for nothing."""
    with connection.cursor() as cursor:
        cursor.execute(NEEDLESS, [list(GROWING)])
        assert cursor.fetchall() == []


# --- Files ----------------------------------------------------------------------------------------------------


@pytest.fixture
def publication(workspace: Workspace, owner: User) -> Publication:
    """With a picture that was drawn for it."""
    media = store_upload(workspace, owner, FILES["dark"].upload())
    post = make_post(workspace, make_account(workspace), post_type=PostType.SINGLE)
    PostMedia.objects.create(post=post, media=media, position=1)
    made = post.publications.select_related("account", "post").get()
    media_items(made)
    return made


@pytest.mark.parametrize(
    ("status", "published", "age", "gone"),
    [
        (Status.PUBLISHED, 31 * DAY, 31 * DAY, True),
        (Status.PUBLISHED, 31 * DAY, 29 * DAY, False),
        (Status.PUBLISHED, 1 * DAY, 31 * DAY, False),
        *((status, None, 31 * DAY, False) for status in Status if status is not Status.PUBLISHED),
    ],
)
def test_pictures_for_networks_go_when_nobody_fetches_them_any_more(
    publication: Publication, status: Status, published: timedelta | None, age: timedelta, gone: bool
) -> None:
    now = timezone.now()
    Publication.objects.update(status=status, published_at=published and now - published)
    Rendition.objects.update(created_at=now - age)
    file = Rendition.objects.get().file.name
    assert renditions.tidy() == int(gone)
    assert default_storage.exists(file) is not gone


def test_a_picture_that_went_is_drawn_anew(publication: Publication) -> None:
    Publication.objects.update(status=Status.PUBLISHED)
    Rendition.objects.update(created_at=timezone.now() - 31 * DAY)
    tidy_publishing()
    assert not Rendition.objects.exists()
    (item,) = media_items(publication)
    assert item.read()


def stray(name: str) -> str:
    return default_storage.save(name, ContentFile(b"x"))


def aged(name: str, age: timedelta) -> None:
    then = (timezone.now() - age).timestamp()
    os.utime(default_storage.path(name), (then, then))


def test_files_that_no_row_names_go_after_some_days(publication: Publication) -> None:
    ours = [publication.post.media.get().file.name, Rendition.objects.get().file.name]
    old, young = stray("originals/someone/old.jpg"), stray("renditions/young.jpg")
    elsewhere = stray("else/old.jpg")
    for name in (old, elsewhere, *ours):
        aged(name, 3 * DAY)
    stray_files.remove(2 * DAY)
    assert [default_storage.exists(name) for name in (old, young, elsewhere, *ours)] == [False, True, True, True, True]


def test_where_most_files_are_strays_none_goes_and_staff_is_told(
    publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that was put back to its beginning must not take all pictures with it."""
    monkeypatch.setattr(stray_files, "FEW", 5)
    names = [stray(f"originals/many/{number}.jpg") for number in range(8)]
    for name in names:
        aged(name, 3 * DAY)
    monkeypatch.setattr(stray_files, "walk", lambda: iter([*names, publication.post.media.get().file.name]))
    assert stray_files.remove(2 * DAY) == 0
    assert all(default_storage.exists(name) for name in names)
    assert OperatorNotice.objects.get(key=stray_files.KEY, resolved_at=None)
    for name in names[1:]:
        default_storage.delete(name)
    monkeypatch.setattr(stray_files, "walk", lambda: iter(names[:1]))
    assert stray_files.remove(2 * DAY) == 1
    assert not OperatorNotice.objects.filter(resolved_at=None).exists()
