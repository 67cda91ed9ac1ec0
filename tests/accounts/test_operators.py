"""What Meta's answers tell beside the answer: the version that served, and how much of the limits is used."""

from __future__ import annotations

import json
import logging
from collections import OrderedDict
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
import responses
import time_machine
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from redis.exceptions import ConnectionError as CacheDown

from accounts import operators, usage
from accounts.clients import linkedin, meta
from accounts.models import Credential, Grant, OperatorNotice, User, Workspace
from accounts.operators import served_versions, settle_old, version_served
from accounts.tasks import look_at_versions, tidy
from socialhub.platforms.buffer import client_mark
from socialhub.platforms.errors import PlatformError
from socialhub.platforms.http import AccountUsage, Usage
from tests.factories import make_account

pytestmark = pytest.mark.django_db


def answer(**headers: str) -> None:
    """One call to Meta whose answer carries these headers."""
    address = f"{settings.META_GRAPH_URL}/{settings.META_GRAPH_VERSION}/me"
    with responses.RequestsMock() as mock:
        mock.get(address, json={"id": "1"}, headers={name.replace("_", "-"): text for name, text in headers.items()})
        meta().me("EAAtoken")


def test_another_version_is_one_warning_until_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            answer(facebook_api_version="v21.0")
    notice = OperatorNotice.objects.get()
    assert "v21.0" in notice.title
    assert settings.META_GRAPH_VERSION in notice.title
    assert len([record for record in caplog.records if "v21.0" in record.getMessage()]) == 1
    assert served_versions() == ["v21.0"]
    later = timezone.now() + timedelta(days=1)
    with time_machine.travel(later, tick=False):
        cache.clear()
        answer(facebook_api_version="v21.0")
        tidy()
    notice.refresh_from_db()
    assert (notice.last_seen_at, notice.resolved_at) == (later, None)
    with time_machine.travel(later + timedelta(days=3), tick=False):
        assert settle_old() == 1
    assert served_versions() == []


def test_the_version_that_is_set_is_no_news() -> None:
    answer(facebook_api_version=settings.META_GRAPH_VERSION)
    answer()
    assert not OperatorNotice.objects.exists()


def test_a_warning_never_breaks_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError

    with monkeypatch.context() as patched:
        patched.setattr(operators, "warn", fail)
        answer(facebook_api_version="v21.0")

    def down(*args: Any, **kwargs: Any) -> None:
        raise CacheDown

    for name in ("add", "set_many", "get"):
        monkeypatch.setattr(cache, name, down, raising=False)
    version_served("v22.0")
    usage.note(Usage(app_percent=99))
    assert usage.told_of(usage.APP) is None


def test_the_newest_use_of_a_limit_is_kept_for_each_account(workspace: Workspace) -> None:
    account = make_account(workspace, platform_account_id="101")
    other = make_account(workspace, platform_account_id="102")

    def used(percent: int, minutes: int = 0) -> str:
        entry = {"type": "pages", "call_count": percent, "estimated_time_to_regain_access": minutes}
        return json.dumps({"101": [entry]})

    answer(x_business_use_case_usage=used(79))
    assert usage.held_until(account) is None
    answer(x_business_use_case_usage=used(80))
    assert usage.held_until(account)
    assert usage.held_until(account, asked_for=True) is None, "a person who asks is answered"
    assert usage.held_until(other) is None
    answer(x_business_use_case_usage=used(95))
    assert usage.held_until(account, asked_for=True)
    answer(x_business_use_case_usage=used(12, minutes=5))
    assert usage.held_until(account, asked_for=True), "whatever the number, it says that it is used up"
    answer(x_business_use_case_usage=used(100, minutes=30))
    until = usage.held_until(account)
    assert until
    assert timedelta(minutes=29) < until - timezone.now() <= timedelta(minutes=30)
    with time_machine.travel(until + timedelta(seconds=1)):
        assert usage.held_until(account) is None
    answer(x_business_use_case_usage=used(20))
    assert usage.held_until(account) is None


def test_a_used_up_app_holds_all_accounts_of_meta_and_no_others(workspace: Workspace) -> None:
    answer(x_app_usage=json.dumps({"call_count": 12, "total_time": 97, "total_cputime": 3}))
    assert usage.held_until(make_account(workspace))
    assert usage.held_until(make_account(workspace, platform="linkedin", login_kind="linkedin")) is None


def test_two_words_about_one_account_in_one_answer() -> None:
    """Pages and Instagram of one id: the one that is nearer to its end counts."""
    usage.note(Usage(accounts=(AccountUsage("101", "pages", 97), AccountUsage("101", "instagram", 3))))
    told = usage.told_of("101")
    assert told
    assert told.percent == 97


def test_changing_the_setting_ends_the_warning_about_the_old_one() -> None:
    answer(facebook_api_version="v21.0")
    with override_settings(META_GRAPH_VERSION="v25.0"):
        assert served_versions() == []


# LinkedIn

REFUSAL = {"status": 426, "code": "NONEXISTENT_VERSION", "message": "Requested version 202609 is not active"}
ACLS = f"{settings.LINKEDIN_API_URL}/rest/organizationAcls"


def ask_linkedin(status: int = 200, body: dict[str, Any] | None = None) -> None:
    with responses.RequestsMock() as mock:
        mock.get(ACLS, status=status, json={"elements": []} if body is None else body)
        with nullcontext() if status == 200 else pytest.raises(PlatformError):
            linkedin().try_version("token-of-lena")


def make_grant(workspace: Workspace, owner: User, **fields: Any) -> Grant:
    account = make_account(workspace, platform="linkedin", login_kind="linkedin", token=None)
    grant = Grant.objects.create(
        **{"workspace": workspace, "user": owner, "provider": "linkedin", "platform_user_id": str(account.pk)[:9]},
        **{"access_token": "token-of-lena", **fields},
    )
    Credential.objects.create(account=account, grant=grant)
    return grant


@pytest.fixture
def _configured(settings: Any) -> None:
    settings.LINKEDIN_CLIENT_ID = "li"
    cache.clear()


@pytest.mark.usefixtures("_configured")
def test_a_refused_version_is_one_notice_that_the_next_good_answer_closes(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            ask_linkedin(426, REFUSAL)
    notice = OperatorNotice.objects.get()
    assert settings.LINKEDIN_API_VERSION in notice.title
    assert "LINKEDIN_API_VERSION" in notice.body
    assert [record.levelname for record in caplog.records if "does not serve" in record.getMessage()] == ["WARNING"]
    assert list(operators.stopped()) == ["linkedin"]
    ask_linkedin(403, {"status": 403, "message": "Not enough permissions"})
    assert operators.stopped(), "a refusal for another reason proves nothing"
    ask_linkedin()
    assert not operators.stopped()
    ask_linkedin(426, REFUSAL)
    assert operators.stopped(), "at once, although it was said a moment ago that all is well"


@pytest.mark.usefixtures("_configured")
def test_a_refusal_is_about_the_version_that_is_set(settings: Any) -> None:
    ask_linkedin(426, REFUSAL)
    settings.LINKEDIN_API_VERSION = "202608"
    assert not operators.stopped()
    operators.look_at_linkedin_version()
    assert not operators.open_notices()


@pytest.mark.usefixtures("_configured")
def test_what_linkedin_tells_never_breaks_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError

    with monkeypatch.context() as patched:
        patched.setattr(operators, "warn", fail)
        ask_linkedin(426, REFUSAL)
    ask_linkedin(426, REFUSAL)
    assert operators.stopped(), "what could not be written then is written now"

    def down(*args: Any, **kwargs: Any) -> None:
        raise CacheDown

    for name in ("add", "delete"):
        monkeypatch.setattr(cache, name, down, raising=False)
    ask_linkedin()
    ask_linkedin(426, REFUSAL)


@pytest.mark.usefixtures("_configured")
@pytest.mark.parametrize(("pinned", "is_old"), [("202601", True), ("202602", False), ("202512", True)])
def test_a_version_of_ten_months_is_an_operators_matter(settings: Any, pinned: str, is_old: bool) -> None:
    settings.LINKEDIN_API_VERSION = pinned
    with time_machine.travel("2026-11-20T12:00Z", tick=False):
        operators.look_at_linkedin_version()
    assert [notice.key for notice in operators.open_notices()] == [operators.linkedin_old_key(pinned)] * is_old
    settings.LINKEDIN_CLIENT_ID = ""
    with time_machine.travel("2026-11-20T12:00Z", tick=False):
        operators.look_at_linkedin_version()
    assert not operators.open_notices(), "nobody uses it here"


@pytest.mark.usefixtures("_configured")
def test_linkedin_is_asked_once_a_week_and_at_every_look_while_it_refuses(workspace: Workspace, owner: User) -> None:
    make_grant(workspace, owner)
    make_grant(workspace, owner, expires_at=timezone.now() - timedelta(days=1))
    with responses.RequestsMock() as mock:
        for _ in range(3):
            mock.get(ACLS, status=426, json=REFUSAL)
            look_at_versions()
        assert [call.request.headers["Authorization"] for call in mock.calls] == ["Bearer token-of-lena"] * 3
        assert "count=1" in str(mock.calls[0].request.url)
    assert operators.stopped()
    with responses.RequestsMock() as mock:
        mock.get(ACLS, json={"elements": []})
        look_at_versions()
        look_at_versions()  # asks nothing: all is well, and the week is not over
        assert len(mock.calls) == 1
    assert not operators.stopped()


@pytest.mark.usefixtures("_configured")
def test_an_app_for_members_only_is_not_stopped_for_good(workspace: Workspace, owner: User) -> None:
    make_grant(workspace, owner)
    ask_linkedin(426, REFUSAL)
    with responses.RequestsMock() as mock:
        mock.get(ACLS, status=403, json={"status": 403, "message": "Not enough permissions"})
        look_at_versions()
    assert not operators.stopped()


@pytest.mark.usefixtures("_configured")
def test_a_dead_access_makes_room_for_the_next(workspace: Workspace, owner: User) -> None:
    for _ in range(2):
        make_grant(workspace, owner)
    with responses.RequestsMock() as mock:
        mock.get(ACLS, status=401, json={"status": 401, "serviceErrorCode": 65601, "message": "revoked"})
        mock.get(ACLS, status=426, json=REFUSAL)
        look_at_versions()
    assert operators.stopped()


def test_whose_token_it_is_is_known_by_its_mark_and_asks_nobody(workspace: Workspace, owner: User) -> None:
    grant = Grant.objects.create(
        workspace=workspace, user=owner, provider="buffer", platform_user_id="1", access_token="a-key-of-buffer"
    )
    kept = Grant.objects.only("id", "provider", "expires_at").get()  # as the cache brings it
    with CaptureQueriesContext(connection) as queries:
        usage.remember("a-key-of-buffer", kept)
        client = usage.client_behind(client_mark("a-key-of-buffer"))
    assert not queries.captured_queries
    assert client == usage.Client(f"grant:{grant.pk}", "buffer")
    assert usage.client_behind(client_mark("another-key")) is None
    assert "a-key-of-buffer" not in repr(usage._clients)


def test_old_marks_make_room(workspace: Workspace, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "CLIENTS_KEPT", 2)
    monkeypatch.setattr(usage, "_clients", OrderedDict())
    grant = Grant(workspace=workspace, user=owner, provider="buffer", platform_user_id="1")
    for token in ("first", "second", "first", "third"):
        usage.remember(token, grant)
    assert usage.client_behind(client_mark("second")) is None
    assert usage.client_behind(client_mark("first"))
