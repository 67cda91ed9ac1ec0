"""What is kept of a connection saves a query, holds no clear token, and is never truer than the database."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache
from django.db import connection, transaction
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError

from accounts import connection_cache, renew
from accounts.connect import connect_candidates, disconnect
from accounts.connection_cache import BAR, key_of
from accounts.models import ConnectedAccount, Credential, Grant, User, Workspace
from accounts.providers.base import Candidate
from accounts.renew import Renewal
from accounts.rotate import rotate_all
from accounts.tokens import access_for, lost, reconnected, with_access
from accounts.withdrawal import withdraw
from socialhub.platforms.base import Access, Tokens
from socialhub.platforms.errors import ReconnectError
from socialhub.platforms.meta import SignedRequest
from tests.factories import make_account

pytestmark = pytest.mark.django_db(transaction=True)

NEW_KEY = "a-new-key-of-more-than-thirty-two-characters"


def fresh(account: ConnectedAccount) -> ConnectedAccount:
    return ConnectedAccount.objects.get(pk=account.pk)


def token_of(account: ConnectedAccount) -> str:
    return access_for(fresh(account)).token


def unbar(account: ConnectedAccount) -> None:
    """As it is a minute after the last change."""
    if cache.get(key_of(account.pk)) == BAR:
        cache.delete(key_of(account.pk))


@pytest.fixture
def kept(workspace: Workspace) -> ConnectedAccount:
    account = make_account(workspace, platform_account_id="101", token="token-1")
    unbar(account)
    assert token_of(account) == "token-1"
    assert cache.get(key_of(account.pk)) != BAR
    return account


@pytest.fixture
def grant(workspace: Workspace, owner: User, monkeypatch: pytest.MonkeyPatch) -> Grant:
    """Of a provider that renews in the last ten minutes."""

    def answer(token: str) -> Tokens:
        return Tokens("access-1", timezone.now() + timedelta(hours=1), "refresh-1")

    monkeypatch.setitem(renew.RENEWALS, "once", Renewal(answer, timedelta(minutes=10), single_use=True))
    return Grant.objects.create(
        workspace=workspace,
        user=owner,
        provider="once",
        platform_user_id="1",
        access_token="access-0",
        refresh_token="refresh-0",
        expires_at=timezone.now() + timedelta(hours=1),
    )


@pytest.fixture
def granted(workspace: Workspace, grant: Grant) -> ConnectedAccount:
    account = make_account(workspace, token=None)
    Credential.objects.create(account=account, grant=grant)
    unbar(account)
    assert token_of(account) == "access-0"
    return account


def test_what_is_kept_saves_the_query(
    kept: ConnectedAccount, granted: ConnectedAccount, django_assert_num_queries: Any
) -> None:
    for account, token in ((fresh(kept), "token-1"), (fresh(granted), "access-0")):
        with django_assert_num_queries(0):
            access = access_for(account)
            again = access_for(account)
        assert access == again == Access(account.platform_account_id, token)


def test_tokens_are_kept_sealed(kept: ConnectedAccount, granted: ConnectedAccount) -> None:
    for account, tokens in ((kept, [b"token-1"]), (granted, [b"access-0", b"refresh-0"])):
        stored = cache.get(key_of(account.pk))
        assert stored["credential"]["account_id"] == account.pk
        assert not [token for token in tokens if token in pickle.dumps(stored)]
    assert "refresh_token" not in cache.get(key_of(granted.pk))["grant"]


def test_the_rest_of_a_kept_grant_is_read_when_it_is_asked_for(granted: ConnectedAccount) -> None:
    account = fresh(granted)
    access_for(account)
    assert account.credential.grant.refresh_token.reveal() == "refresh-0"


@pytest.mark.parametrize(("minutes", "is_kept"), [(4, False), (6, True)])
def test_until_five_minutes_before_the_end(workspace: Workspace, minutes: int, is_kept: bool) -> None:
    account = make_account(workspace)
    Credential.objects.filter(account=account).update(expires_at=timezone.now() + timedelta(minutes=minutes))
    unbar(account)
    access_for(fresh(account))
    assert (cache.get(key_of(account.pk)) is not None) == is_kept


def test_no_longer_than_until_it_is_to_be_renewed(granted: ConnectedAccount, grant: Grant) -> None:
    Grant.objects.update(expires_at=timezone.now() + timedelta(minutes=9))
    cache.delete(key_of(granted.pk))
    assert token_of(granted) == "access-1"
    Grant.objects.update(refresh_token=None, expires_at=timezone.now() + timedelta(minutes=9))
    cache.delete(key_of(granted.pk))
    assert token_of(granted) == "access-1"
    assert cache.get(key_of(granted.pk)) is None


# Every change


def again(account: ConnectedAccount) -> None:
    candidate = Candidate(account.platform, account.platform_account_id, account.name, "page", token="token-2")
    connect_candidates(account.workspace, [candidate], grant=None, granted=[], by=None)


def withdrawn(account: ConnectedAccount) -> None:
    Credential.objects.filter(account=account).update(
        grant=Grant.objects.create(
            workspace=account.workspace,
            user=account.workspace.memberships.get().user,
            provider="meta",
            platform_user_id="7",
        )
    )
    withdraw("meta", SignedRequest(user_id="7", issued_at=timezone.now()))


CHANGES: dict[str, Callable[[ConnectedAccount], object]] = {
    "connect": again,
    "disconnect": disconnect,
    "lost": lambda account: lost(account, ReconnectError("No.")),
    "reconnected": reconnected,
    "withdraw": withdrawn,
    "credential saved": lambda account: account.credential.save(),
    "credentials deleted": lambda account: Credential.objects.filter(account=account).delete(),
    "account deleted": lambda account: fresh(account).delete(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_clears_what_it_touches(kept: ConnectedAccount, change: str) -> None:
    CHANGES[change](fresh(kept))
    assert cache.get(key_of(kept.pk)) == BAR


GRANT_CHANGES: dict[str, Callable[[Grant], object]] = {
    "renewed": renew.renew_now,
    "consented again": lambda grant: grant.save(),
    "deleted": lambda grant: grant.delete(),
    "its person deleted": lambda grant: grant.user.delete(),
}


@pytest.mark.parametrize("change", GRANT_CHANGES)
def test_every_change_of_a_grant_clears_its_accounts(granted: ConnectedAccount, grant: Grant, change: str) -> None:
    GRANT_CHANGES[change](Grant.objects.get(pk=grant.pk))
    assert cache.get(key_of(granted.pk)) == BAR


def test_rotation_clears_what_it_sealed_anew(
    kept: ConnectedAccount, granted: ConnectedAccount, settings: Any, fresh_fields: Any
) -> None:
    settings.FERNET_KEYS = [NEW_KEY, *settings.FERNET_KEYS]
    fresh_fields()
    rotate_all()
    assert [cache.get(key_of(account.pk)) for account in (kept, granted)] == [BAR, BAR]


# The database is the truth


def test_what_was_read_before_a_change_is_not_kept_after_it(kept: ConnectedAccount) -> None:
    slow, credential = fresh(kept), Credential.objects.select_related("grant").get(account=kept)
    again(fresh(kept))
    connection_cache.keep(slow, credential, [])
    assert token_of(kept) == "token-2"


def test_nobody_is_served_from_the_cache_once_a_change_is_committed(kept: ConnectedAccount) -> None:
    """A second connection asks at every moment: before the change, while it is not committed, and after."""
    seen: list[str] = []

    def ask(account: ConnectedAccount | None = None) -> None:
        def work() -> None:
            try:
                seen.append(access_for(account or fresh(kept)).token)
            except ReconnectError:
                seen.append("refused")
            finally:
                connection.close()

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    held = fresh(kept)  # somebody has the row in hand since before
    ask()
    with transaction.atomic():
        disconnect(fresh(kept))
        ask()
        unbar(kept)  # however long the transaction takes: it is kept once more
        ask()
        assert cache.get(key_of(kept.pk)) is not None
    ask()
    ask(held)
    assert seen == ["token-1", "token-1", "token-1", "refused", "refused"]


class Down(RedisCache):
    """Nobody answers."""

    def _fail(self, *args: Any, **kwargs: Any) -> Any:
        raise RedisConnectionError

    get = set = add = set_many = delete = _fail  # type: ignore[assignment]


@pytest.fixture
def down(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(connection_cache, "cache", Down("redis://127.0.0.1:1", {}))
    return monkeypatch


def test_without_the_cache_everything_works(workspace: Workspace, down: pytest.MonkeyPatch) -> None:
    account = make_account(workspace, token="token-1")
    assert token_of(account) == "token-1"
    again(account)
    assert token_of(account) == "token-2"
    disconnect(account)
    with pytest.raises(ReconnectError):
        token_of(account)


@pytest.mark.parametrize("change", ["disconnect", "lost", "withdraw"])
def test_a_cache_that_was_not_told_revives_nobody(
    kept: ConnectedAccount, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    with monkeypatch.context() as gone:
        gone.setattr(connection_cache, "cache", Down("redis://127.0.0.1:1", {}))
        CHANGES[change](fresh(kept))
    assert cache.get(key_of(kept.pk)) != BAR, "it still holds what it held"
    assert connection_cache.recall(fresh(kept)) is None


def test_a_cache_that_missed_a_new_connection_does_not_serve_the_old_token(
    kept: ConnectedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as gone:
        gone.setattr(connection_cache, "cache", Down("redis://127.0.0.1:1", {}))
        disconnect(fresh(kept))
        again(fresh(kept))
    assert token_of(kept) == "token-2"


def test_a_cache_that_missed_a_renewal_costs_one_call(
    granted: ConnectedAccount, grant: Grant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as gone:
        gone.setattr(connection_cache, "cache", Down("redis://127.0.0.1:1", {}))
        renew.renew_now(grant)
    used: list[str] = []

    def call(access: Access) -> datetime:
        used.append(access.token)
        if access.token == "access-0":
            raise ReconnectError("No.", code="401")
        return timezone.now()

    with_access(fresh(granted), call)
    assert used == ["access-0", "access-1"]
    assert fresh(granted).is_connected
    assert Grant.objects.get().refresh_token.reveal() == "refresh-1", "renewed once"


def test_a_cache_that_missed_a_rotation_is_passed_over(
    kept: ConnectedAccount, monkeypatch: pytest.MonkeyPatch, settings: Any, fresh_fields: Any
) -> None:
    old = settings.FERNET_KEYS
    settings.FERNET_KEYS = [NEW_KEY, *old]
    fresh_fields()
    with monkeypatch.context() as gone:
        gone.setattr(connection_cache, "cache", Down("redis://127.0.0.1:1", {}))
        rotate_all()
    settings.FERNET_KEYS = [NEW_KEY]
    fresh_fields()
    assert token_of(kept) == "token-1"


def test_damaged_entries_are_no_trouble(kept: ConnectedAccount) -> None:
    for nonsense in ("", 7, [], None, BAR):
        cache.set(key_of(kept.pk), nonsense)
        assert token_of(kept) == "token-1"
