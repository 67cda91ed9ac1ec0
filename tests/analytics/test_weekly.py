"""The weekly report: who gets it when, what it says, and how one leaves it."""

from __future__ import annotations

import io
import re
import smtplib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.urls import reverse
from PIL import Image

from accounts.models import ConnectedAccount, Membership, Role, User, Workspace
from analytics import images, weekly
from analytics.days import day_start, days_after
from analytics.models import ReportSubscription
from analytics.reports.charts import Break, Chart, Line
from analytics.reports.tables import Table
from analytics.tasks import send_reports
from socialhub.celery import app
from socialhub.platforms import PLATFORMS
from tests.accounts.conftest import member, sign_in
from tests.analytics.rows import make_platform_post, make_window
from tests.factories import make_account, make_user

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 11, 16, 7, 30, tzinfo=UTC)
REPORTED = date(2026, 11, 9)  # the week that is reported on that Monday
PAGE = "/settings/reports/"


def wants(user: User, workspace: Workspace, **fields: Any) -> ReportSubscription:
    return ReportSubscription.objects.create(user=user, workspace=workspace, **{"week": date(2026, 11, 2), **fields})


def make_days(account: ConnectedAccount, numbers: list[int | None], until: datetime = MONDAY) -> None:
    """Views of the days before the one that is going on, the newest last; None is a day that was not read."""
    zone = str(PLATFORMS[account.platform].day_zone)
    for back, views in enumerate(reversed(numbers), start=1):
        if views is not None:
            start = days_after(day_start(until, zone), -back, zone)
            make_window(account, start, window_start=start, period="day", metrics={"views": views}, fetched_at=until)


@pytest.fixture
def account(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace, name="Garage", last_synced_at=MONDAY)


@pytest.fixture
def subscription(owner: User, workspace: Workspace, account: ConnectedAccount) -> ReportSubscription:
    make_days(account, [10] * 7 + [20] * 6 + [90])
    make_window(account, MONDAY - timedelta(hours=1), metrics={"followers": 1204})
    return wants(owner, workspace)


@pytest.fixture
def at_once() -> Iterator[None]:
    """Tasks run where they are sent from."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


def html_of(mail: EmailMessage) -> str:
    assert isinstance(mail, EmailMultiAlternatives)
    return str(mail.alternatives[0][0])


# --- When, and to whom ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "now", "is_due"),
    [
        ("UTC", datetime(2026, 11, 16, 6, 59, tzinfo=UTC), False),
        ("UTC", datetime(2026, 11, 16, 7, 0, tzinfo=UTC), True),
        ("Asia/Tokyo", datetime(2026, 11, 15, 22, 0, tzinfo=UTC), True),  # 7:00 there
        ("Asia/Tokyo", datetime(2026, 11, 15, 21, 59, tzinfo=UTC), False),
        ("America/Los_Angeles", datetime(2026, 11, 16, 14, 59, tzinfo=UTC), False),
        ("America/Los_Angeles", datetime(2026, 11, 16, 15, 0, tzinfo=UTC), True),
        ("Pacific/Kiritimati", datetime(2026, 11, 15, 17, 0, tzinfo=UTC), True),  # fourteen hours ahead
        ("UTC", datetime(2026, 11, 19, 23, 0, tzinfo=UTC), True),  # the server stood still until Thursday
        ("UTC", datetime(2026, 11, 20, 0, 0, tzinfo=UTC), False),
    ],
)
def test_it_comes_on_monday_morning_by_the_readers_clock(
    owner: User, workspace: Workspace, zone: str, now: datetime, is_due: bool
) -> None:
    owner.time_zone = zone
    owner.save()
    subscription = wants(owner, workspace)
    assert weekly.due(now) == ([subscription.pk] if is_due else [])


def test_each_week_comes_once(subscription: ReportSubscription, mailoutbox: list[EmailMessage]) -> None:
    assert weekly.send(subscription.pk, MONDAY)
    assert not weekly.send(subscription.pk, MONDAY)
    assert not weekly.send(subscription.pk, MONDAY + timedelta(days=1))
    assert len(mailoutbox) == 1
    subscription.refresh_from_db()
    assert (subscription.week, subscription.sent_at, subscription.claimed_at) == (REPORTED, MONDAY, None)
    assert weekly.due(MONDAY + timedelta(days=6)) == []
    assert weekly.due(MONDAY + timedelta(days=7)) == [subscription.pk]


def test_two_workers_send_one_mail(
    subscription: ReportSubscription, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second comes while the first makes its mail, and again while it is being handed over."""
    make, deliver = weekly.mail_of, EmailBackend.send_messages
    others = []

    def made(*args: Any) -> Any:
        others.append(weekly.send(subscription.pk, MONDAY))
        return make(*args)

    def delivered(*args: Any) -> Any:
        others.append(weekly.send(subscription.pk, MONDAY + 2 * weekly.CLAIM))
        return deliver(*args)

    monkeypatch.setattr(weekly, "mail_of", made)
    monkeypatch.setattr(EmailBackend, "send_messages", delivered)
    assert weekly.send(subscription.pk, MONDAY)
    assert others == [False, False]
    assert len(mailoutbox) == 1


def test_a_worker_that_dies_before_sending_is_followed_by_another(
    subscription: ReportSubscription, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(weekly, "mail_of", dies)
        with pytest.raises(KeyboardInterrupt):
            weekly.send(subscription.pk, MONDAY)
    assert not weekly.send(subscription.pk, MONDAY + timedelta(minutes=59))
    assert weekly.send(subscription.pk, MONDAY + timedelta(minutes=61))
    assert len(mailoutbox) == 1


def dies(*_args: Any) -> Any:
    raise KeyboardInterrupt


def test_trouble_with_the_mail_server_is_tried_again(
    subscription: ReportSubscription, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(EmailBackend, "send_messages", refusing(smtplib.SMTPServerDisconnected("gone")))
        assert not weekly.send(subscription.pk, MONDAY)
    subscription.refresh_from_db()
    assert (subscription.failure, subscription.week, subscription.sent_at) == ("gone", date(2026, 11, 2), None)
    assert weekly.send(subscription.pk, MONDAY + timedelta(hours=1))
    subscription.refresh_from_db()
    assert (subscription.failure, subscription.week) == ("", REPORTED)
    assert len(mailoutbox) == 1


def test_an_address_that_is_refused_is_not_tried_every_hour(
    subscription: ReportSubscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = smtplib.SMTPRecipientsRefused({subscription.user.email: (550, b"unknown")})
    monkeypatch.setattr(EmailBackend, "send_messages", refusing(refused))
    assert not weekly.send(subscription.pk, MONDAY)
    assert weekly.due(MONDAY + timedelta(hours=2)) == []
    subscription.refresh_from_db()
    assert "unknown" in subscription.failure


def refusing(error: OSError) -> Any:
    def send_messages(*_args: Any) -> None:
        raise error

    return send_messages


@pytest.mark.parametrize("why", ["left", "inactive", "no accounts"])
def test_only_members_get_it(
    subscription: ReportSubscription, mailoutbox: list[EmailMessage], why: str, account: ConnectedAccount
) -> None:
    if why == "left":
        Membership.objects.filter(user=subscription.user).delete()
    elif why == "inactive":
        User.objects.filter(pk=subscription.user_id).update(is_active=False)
    else:
        account.delete()
    assert not weekly.send(subscription.pk, MONDAY)
    assert mailoutbox == []


@time_machine.travel(MONDAY, tick=False)
def test_the_job_sends_to_everybody_who_is_due(
    workspace: Workspace,
    subscription: ReportSubscription,
    mailoutbox: list[EmailMessage],
    at_once: None,
) -> None:
    wants(member(workspace, Role.VIEWER), workspace)
    wants(member(workspace, Role.EDITOR), workspace, week=REPORTED)
    send_reports()
    assert len(mailoutbox) == 2


# --- What it says -----------------------------------------------------------------------------------------------


def test_it_tells_what_the_week_came_to(subscription: ReportSubscription, mailoutbox: list[EmailMessage]) -> None:
    best = make_platform_post(
        subscription.workspace.accounts.get(),
        text="The best <b>one</b>",
        posted_at=MONDAY - timedelta(days=3),
        views=200,
        engagements=10,
        engagement_rate=0.05,
        rate_of="views",
        permalink="https://network.example/1",
    )
    assert weekly.send(subscription.pk, MONDAY)
    (mail,) = mailoutbox
    assert mail.subject == f"[socialhub] Weekly report of {subscription.workspace.name}, 16 November 2026"
    assert mail.to == [subscription.user.email]
    for text in (str(mail.body), html_of(mail)):
        assert "Garage" in text
        assert "1,204" in text
        assert "210" in text  # 6 × 20 + 90
        assert "+200.0 % against the 7 days before" in text
        assert "1 post was made" in text
        assert f"/analytics/posts/{best.pk}/" in text
    assert "The best <b>one</b>" in mail.body
    assert "https://network.example/1" in html_of(mail)
    assert "The best &lt;b&gt;one&lt;/b&gt;" in html_of(mail)


def test_the_charts_come_along_as_images_with_words(
    subscription: ReportSubscription, mailoutbox: list[EmailMessage]
) -> None:
    assert weekly.send(subscription.pk, MONDAY)
    message = mailoutbox[0].message()
    assert message.get_content_type() == "multipart/related"
    (image,) = [part for part in message.walk() if part.get_content_type() == "image/png"]
    page = html_of(mailoutbox[0])
    (source,) = re.findall(r'<img src="cid:([^"]+)"', page)
    assert image["Content-ID"] == f"<{source}>"
    assert image["Content-Disposition"].startswith("inline")
    (alt,) = re.findall(r' alt="([^"]+)"', page)
    assert alt.startswith("Views by day: ")
    assert alt.endswith("14 Nov 90")  # in Los Angeles it is Sunday still
    assert alt in mailoutbox[0].body
    with Image.open(io.BytesIO(image.get_payload(decode=True))) as drawn:
        assert drawn.size == (images.WIDTH * 2, images.HEIGHT * 2)


def test_what_is_missing_says_why_and_is_no_zero(
    owner: User, workspace: Workspace, account: ConnectedAccount, mailoutbox: list[EmailMessage]
) -> None:
    make_days(account, [5, None, 7])
    make_account(workspace, name="Lost", platform="instagram", status="expired", last_synced_at=MONDAY)
    assert weekly.send(wants(owner, workspace).pk, MONDAY)
    body = str(mailoutbox[0].body)
    assert "13 Nov no figure" in body
    assert "Not compared" in body
    assert "Reconnect it" in body


def test_it_speaks_the_language_of_the_reader(subscription: ReportSubscription, mailoutbox: list[EmailMessage]) -> None:
    subscription.user.language = "de"
    subscription.user.save()
    assert weekly.send(subscription.pk, MONDAY)
    assert "16. November 2026" in mailoutbox[0].subject
    assert '<html lang="de">' in html_of(mailoutbox[0])


def test_nothing_of_other_workspaces_stands_in_it(
    subscription: ReportSubscription, mailoutbox: list[EmailMessage]
) -> None:
    other = make_account(make_user().workspaces.get(), name="Foreign")
    make_platform_post(other, text="Foreign", engagement_rate=0.9, views=100, posted_at=MONDAY - timedelta(days=3))
    assert weekly.send(subscription.pk, MONDAY)
    assert "Foreign" not in str(mailoutbox[0].message())


# --- Asking for it, and leaving it ------------------------------------------------------------------------------


@time_machine.travel(datetime(2026, 11, 18, 12, tzinfo=UTC), tick=False)
def test_people_ask_for_it_and_leave_it(signed_in: Client, owner: User, workspace: Workspace) -> None:
    assert "Next" not in signed_in.get(PAGE).content.decode()
    page = signed_in.post(PAGE, {"wanted": "on"}, follow=True).content.decode()
    assert "every Monday" in page
    assert "23 November 2026" in page
    assert weekly.due(datetime(2026, 11, 18, 12, tzinfo=UTC)) == []
    assert len(weekly.due(datetime(2026, 11, 23, 8, tzinfo=UTC))) == 1
    signed_in.post(PAGE, {"wanted": "on"})
    assert ReportSubscription.objects.filter(user=owner, workspace=workspace).count() == 1
    signed_in.post(PAGE, {})
    assert not ReportSubscription.objects.exists()


def test_a_mail_that_failed_is_told_on_the_page(signed_in: Client, owner: User, workspace: Workspace) -> None:
    wants(owner, workspace, failure="550 unknown")
    assert "could not be delivered" in signed_in.get(PAGE).content.decode()


def test_one_click_in_the_mail_program_ends_it(
    subscription: ReportSubscription, mailoutbox: list[EmailMessage]
) -> None:
    """RFC 8058: by POST, without a cookie, without a token against forged forms."""
    assert weekly.send(subscription.pk, MONDAY)
    headers = mailoutbox[0].extra_headers
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    (path,) = re.findall(r"<https?://[^/]+(/[^>]+)>", headers["List-Unsubscribe"])
    assert path in mailoutbox[0].body
    client = Client(enforce_csrf_checks=True)
    assert "No more weekly reports?" in client.get(path).content.decode()
    assert ReportSubscription.objects.exists()  # a program that looks at links ends nothing
    assert "no more reports" in client.post(path, {"List-Unsubscribe": "One-Click"}).content.decode()
    assert not ReportSubscription.objects.exists()
    assert client.post(path).status_code == client.get(path).status_code == 200


def test_a_link_ends_only_the_report_it_came_with(subscription: ReportSubscription, stranger: User) -> None:
    other = wants(stranger, subscription.workspace)
    Client().post(reverse("analytics:reports_leave", args=[weekly.token_of(subscription)]))
    assert list(ReportSubscription.objects.all()) == [other]


@pytest.mark.parametrize("token", ["x", "W10:1a:b", "\u00fc", "a:b:c:d"])
def test_a_made_up_link_ends_nothing(subscription: ReportSubscription, token: str) -> None:
    response = Client().post(reverse("analytics:reports_leave", args=[token]))
    assert response.status_code == 404
    assert "not one of ours" in response.content.decode()
    assert ReportSubscription.objects.exists()


def test_each_person_decides_for_themselves(signed_in: Client, workspace: Workspace, owner: User) -> None:
    other = member(workspace, Role.VIEWER)
    sign_in(other).post(PAGE, {"wanted": "on"})
    assert ReportSubscription.objects.get().user == other
    signed_in.post(PAGE, {})
    assert ReportSubscription.objects.count() == 1


# --- Images -----------------------------------------------------------------------------------------------------

DAYS = [datetime(2026, 3, 9, tzinfo=ZoneInfo("America/Los_Angeles")) + timedelta(days=days) for days in range(7)]
TEAL = (13, 104, 112)


def drawn(*lines: Line, breaks: tuple[Break, ...] = ()) -> Image.Image:
    chart = Chart("views", "Views", DAYS, lines, Table("views", "Views", (), ()), breaks=breaks)
    return Image.open(io.BytesIO(images.png_of(chart))).convert("RGB")


def columns_of(image: Image.Image, colour: tuple[int, int, int]) -> list[int]:
    """How many pixels of about this colour stand above each of the seven days, and between them."""
    left, right = images.LEFT * 2, (images.WIDTH - images.RIGHT) * 2
    width = (right - left) / 14
    counts = [0] * 14
    for x in range(left, right):
        for y in range(images.HEIGHT * 2):
            pixel = image.getpixel((x, y))
            if all(abs(one - other) < 24 for one, other in zip(pixel, colour, strict=True)):  # type: ignore[arg-type]
                counts[min(13, int((x - left + width / 2) // width) % 14)] += 1
    return counts


def test_bars_stand_for_their_days_and_gaps_stay_gaps() -> None:
    counts = columns_of(drawn(Line("views", "Views", [10, None, 20, 0, 40, -5, 10], is_bars=True)), TEAL)
    bars = counts[1::2]
    assert bars[1] == 0  # not read
    assert bars[4] > bars[2] > bars[0] > 0
    assert bars[5] > 0  # below nothing


def test_a_line_is_not_drawn_across_gaps_and_breaks() -> None:
    line = Line("followers", "Followers", [5, 6, None, 7, 8, 9, 9])
    whole = columns_of(drawn(line), TEAL)
    assert whole[4] == whole[6] == 0  # to the day that is not known, and from it
    assert whole[2] > 0
    assert whole[8] > 0
    broken = columns_of(drawn(line, breaks=(Break(DAYS[4], "Something else"),)), TEAL)
    assert broken[8] < 0.5 * whole[8]
    assert broken[10] > 0.8 * whole[10]


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ([3, 4, 5], 2, 5),
        ([0, 0], 0, 2),
        ([1200, 1240], 1190, 1240),
        ([None, None], 0, 2),
        ([7], 6, 8),
    ],
)
def test_levels_show_how_they_move(values: list[int | None], low: int, high: int) -> None:
    scale = images.scale_of([Line("followers", "Followers", values)])
    known = [value for value in values if value is not None]
    assert all(scale.low <= value <= scale.high for value in known)
    assert scale.low >= 0
    assert len(scale.ticks) <= 8
    assert (scale.low <= low, scale.high >= high) == (True, True)


@pytest.mark.parametrize(
    ("value", "unit", "word"),
    [
        (0, "count", "0"),
        (1500, "count", "1,500"),
        (15000, "count", "15k"),
        (1_250_000, "count", "1.25M"),
        (0.034, "percent", "3.4%"),
        (5400, "seconds", "1.5h"),
    ],
)
def test_numbers_beside_an_axis_are_narrow(value: float, unit: str, word: str) -> None:
    assert images.short(value, unit) == word
