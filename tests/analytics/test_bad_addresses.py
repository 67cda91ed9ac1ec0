"""Addresses of the figures that nobody would type, and texts of posts that want to be more than texts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ConnectedAccount, User, Workspace
from analytics import weekly
from analytics.models import PlatformPost, ReportSubscription
from analytics.views.exports import TABLES
from tests.analytics.figures import make_month
from tests.analytics.rows import make_platform_post
from tests.factories import make_account, make_post

pytestmark = pytest.mark.django_db

PARAMETERS = ("period", "measure", "account", "platform", "kind", "campaign", "made", "sort", "after", "post", "page")
RUBBISH = ("\x00", "x" * 5000, "\ud7ff\uffff", "1e999", "<script>alert(1)</script>", "account__workspace", str(uuid4()))
PLACES = (
    *("_", "none_", f"none_{uuid4()}", f"_{uuid4()}", f"nan_{uuid4()}", f"inf_{uuid4()}", f"1e308_{uuid4()}"),
    *(
        f"99999999999999999999999_{uuid4()}",
        f"-1_{uuid4()}",
        f"{'9' * 80}_{uuid4()}",
        f"0x10_{uuid4()}",
        f"1.5_{uuid4()}",
    ),
    *(f"0001-01-01T00:00:00+14:00_{uuid4()}", f"9999-12-31T23:59:59-14:00_{uuid4()}", f"2026-11-21_{uuid4()}"),
    *(f"2026-W47-6T00:00Z_{uuid4()}", "2026-11-21T00:00:00+00:00_{0}", "2026-11-21T00:00:00+00:00_urn:uuid:x"),
)
SORTS = ("", "-views", "engagement_rate")


@pytest.fixture
def account(workspace: Workspace) -> ConnectedAccount:
    account = make_account(workspace, last_synced_at=timezone.now())
    make_month(account)
    return account


@pytest.fixture
def post(account: ConnectedAccount) -> PlatformPost:
    return make_platform_post(account, posted_at=timezone.now() - timedelta(days=2), views=100, likes=3)


def addresses(account: ConnectedAccount, post: PlatformPost) -> list[str]:
    pages = [reverse(f"analytics:{name}") for name in ("overview", "post_list", "compare_accounts", "campaigns")]
    pages += [reverse("analytics:account", args=[account.pk]), reverse("analytics:post", args=[post.pk])]
    pages += [reverse("analytics:account_sync_progress", args=[account.pk])]
    return pages + [reverse("analytics:export", args=[table, "csv"]) for table in TABLES]


def answered(client: Client, url: str, query: dict[str, Any], **headers: Any) -> bytes:
    response = client.get(url, query, headers=headers)
    assert response.status_code in (200, 404, 422), (url, query)
    return b"".join(response.streaming_content) if response.streaming else response.content


@pytest.mark.parametrize("value", RUBBISH, ids=range(len(RUBBISH)))
def test_rubbish_in_all_parameters_is_no_fault_of_ours(
    signed_in: Client, account: ConnectedAccount, post: PlatformPost, value: str
) -> None:
    for url in addresses(account, post):
        assert b"<script>alert(1)" not in answered(signed_in, url, {name: ["30d", value] for name in PARAMETERS})


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_nor_is_it_in_one_of_them(
    signed_in: Client, account: ConnectedAccount, post: PlatformPost, parameter: str
) -> None:
    for url in addresses(account, post):
        assert b"<script>alert(1)" not in answered(signed_in, url, {parameter: "\x00<script>alert(1)</script>"})


@pytest.mark.parametrize("sort", SORTS)
def test_a_place_in_the_list_that_is_none(
    signed_in: Client, account: ConnectedAccount, post: PlatformPost, sort: str
) -> None:
    for after in PLACES:
        answered(signed_in, reverse("analytics:post_list"), {"sort": sort, "after": after}, **{"HX-Request": "true"})


# --- Texts that want to be more -----------------------------------------------------------------------------------

EVIL = """'"><img src=x onerror=alert(1)></script>{{ 7|add:7 }}"""


@pytest.fixture
def evil_post(workspace: Workspace) -> PlatformPost:
    workspace.name = f"{EVIL}\r\nBcc: x@example.com"
    workspace.save()
    account = make_account(workspace, name=EVIL, username=EVIL, last_synced_at=timezone.now())
    make_month(account)
    post = make_post(workspace, account, caption=EVIL, campaign=EVIL[:60])
    made = make_platform_post(
        account,
        publication=post.publications.get(),
        text=EVIL,
        media_type=EVIL[:30],
        withheld=EVIL,
        permalink='https://example.com/"><img src=x onerror=alert(1)>',
        posted_at=timezone.now() - timedelta(days=2),
        fetched_at=timezone.now(),
        reach=400,
        engagements=40,
        engagement_rate=0.1,
        rate_of="reach",
    )
    make_platform_post(account, text=EVIL, posted_at=timezone.now() - timedelta(days=3), views=1)
    return made


def test_texts_stay_texts_on_every_page(signed_in: Client, evil_post: PlatformPost) -> None:
    for url in addresses(evil_post.account, evil_post):
        if not url.endswith(".csv"):
            text = answered(signed_in, url, {}).decode()
            assert "<img src=x" not in text, url
            assert "onerror=alert(1)&gt;" in text or "progress" in url, url


def test_texts_stay_texts_in_the_mail(owner: User, workspace: Workspace, evil_post: PlatformPost) -> None:
    subscription = ReportSubscription.objects.create(user=owner, workspace=workspace)
    mail = weekly.mail_of(subscription, timezone.now())
    assert mail is not None
    html = str(mail.alternatives[0][0])
    assert "<img src=x" not in html
    assert html.count("onerror=alert(1)&gt;") >= 3
    message = mail.message()
    assert "\n" not in mail.subject
    assert message["Bcc"] is None
