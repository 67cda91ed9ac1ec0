"""Tokens, verification, reminders, keys and notifications."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from fernet_fields.hkdf import derive_fernet_key
from kombu.exceptions import OperationalError

from accounts import notify
from accounts.clients import meta, platform_for
from accounts.connect import disconnect
from accounts.expiry import end_of_grant, ends_before, ends_of, remind
from accounts.models import ConnectedAccount, Credential, Grant, Notification, OAuthTicket, Role, User, Workspace
from accounts.renew import RENEWALS, Renewal
from accounts.tasks import SPREAD_SECONDS, tidy, verify_accounts, verify_one_account
from accounts.tokens import access_for, lost, reconnected
from accounts.verify import accounts_to_verify, verify, verify_one
from socialhub.platforms.errors import ReconnectError, TemporaryError
from tests.accounts.conftest import member
from tests.accounts.graph import Graph, page, page_token, refusal
from tests.factories import make_account, make_user, workspace_of

pytestmark = pytest.mark.django_db

Capture = Any
OTHER_KEY = "another-key-of-more-than-thirty-two-characters"


def eagerly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages are worked off on the spot."""
    monkeypatch.setattr(verify_one_account, "apply_async", lambda args, countdown: verify_one_account.apply(args))


def damage(account: ConnectedAccount) -> None:
    """Seal the token with a key that nobody has."""
    sealed = Fernet(derive_fernet_key(OTHER_KEY)).encrypt(b"whatever")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_credential SET access_token = %s WHERE account_id = %s", [sealed, account.pk])


# Clients


def test_clients_are_built_once_and_follow_the_settings() -> None:
    assert meta() is meta()
    assert platform_for("facebook") is platform_for("facebook")
    assert platform_for("instagram").key == "instagram"
    with override_settings(META_GRAPH_URL="http://elsewhere.example"):
        assert meta().config.graph_url == "http://elsewhere.example"
    assert meta().config.graph_url != "http://elsewhere.example"
    with pytest.raises(KeyError):
        platform_for("myspace")


# Access


def test_access_is_the_accounts_id_and_token(workspace: Workspace, django_assert_num_queries: Any) -> None:
    made = make_account(workspace, platform_account_id="101", token="the-token")
    account = ConnectedAccount.objects.select_related("credential").get(pk=made.pk)
    with django_assert_num_queries(0):
        access = access_for(account)
    assert (access.account_id, access.token) == ("101", "the-token")
    assert "the-token" not in repr(access)


def test_no_access_without_credential_past_its_end_or_without_key(workspace: Workspace) -> None:
    without = make_account(workspace, token=None)
    expired = make_account(workspace)
    Credential.objects.filter(account=expired).update(expires_at=timezone.now())
    sealed = make_account(workspace)
    damage(sealed)
    for account in (without, expired, sealed):
        with pytest.raises(ReconnectError):
            access_for(ConnectedAccount.objects.get(pk=account.pk))


def test_one_lost_key_breaks_no_list(signed_in: Client, workspace: Workspace, owner: User) -> None:
    owner.is_staff = owner.is_superuser = True
    owner.save()
    damage(make_account(workspace, name="Sealed"))
    make_account(workspace, name="Fine")
    for address in (
        reverse("accounts:social"),
        reverse("admin:accounts_credential_changelist"),
        reverse("admin:accounts_connectedaccount_changelist"),
    ):
        text = signed_in.get(address).content.decode()
        assert "Sealed" in text
        assert "Fine" in text


def test_losing_access_marks_the_account_and_tells_once(
    workspace: Workspace, owner: User, django_capture_on_commit_callbacks: Capture
) -> None:
    member(workspace, Role.EDITOR)
    account = make_account(workspace, name="Garage")
    error = ReconnectError("The password was changed.", platform_message="Session invalid", code="190")
    with django_capture_on_commit_callbacks(execute=True):
        lost(account, error)
        lost(account, error)
        lost(ConnectedAccount.objects.get(pk=account.pk), ReconnectError("Taken away.", revoked=True))
    account.refresh_from_db()
    assert (account.status, account.status_reason) == ("revoked", "Taken away.")
    notification = Notification.objects.get()
    assert notification.title == "Reconnect Garage"
    assert notification.account == account
    assert [sent.to for sent in mail.outbox] == [[owner.email]]
    assert "http://testserver/settings/accounts/" in mail.outbox[0].body


def test_an_answer_about_an_old_token_takes_nothing_away(workspace: Workspace) -> None:
    account = make_account(workspace)
    old = ConnectedAccount.objects.select_related("credential").get(pk=account.pk)
    account.credential.access_token = "newer"
    account.credential.save()
    lost(old, ReconnectError("Run out."))
    account.refresh_from_db()
    assert account.is_connected
    assert not Notification.objects.exists()


def test_a_disconnected_account_cannot_be_lost_or_found(workspace: Workspace) -> None:
    account = make_account(workspace, status="disconnected")
    lost(account, ReconnectError("Run out."))
    reconnected(account)
    account.refresh_from_db()
    assert account.status == "disconnected"
    assert not Notification.objects.exists()


def test_after_reconnecting_the_same_trouble_is_a_new_incident(workspace: Workspace) -> None:
    account = make_account(workspace)
    lost(account, ReconnectError("Run out."))
    reconnected(account)
    account.refresh_from_db()
    assert (account.status, account.status_reason) == ("connected", "")
    assert Notification.objects.get().resolved_at
    lost(account, ReconnectError("Run out again."))
    assert Notification.objects.count() == 2


# Verification


def test_verifying_renews_profile_and_token_facts(workspace: Workspace, graph: Graph) -> None:
    account = make_account(workspace, platform_account_id="101", token=page_token("101"), name="Old name")
    graph.granted = ["pages_show_list", "pages_read_engagement", "pages_manage_posts"]
    graph.data_access_expires_at = int((timezone.now() + timedelta(days=80)).timestamp())
    verify(account)
    account.refresh_from_db()
    assert (account.name, account.followers_count, account.likes_count) == ("Classic Motors", 1204, 1200)
    assert account.missing_scopes == ["read_insights"]
    assert account.token_expires_at is None
    assert account.data_access_expires_at
    assert timezone.now() - account.last_verified_at < timedelta(minutes=1)


def test_a_token_that_the_network_refuses_is_lost(workspace: Workspace, graph: Graph) -> None:
    account = make_account(workspace, platform_account_id="101")
    graph.valid = False
    with pytest.raises(ReconnectError):
        verify(account)
    account.refresh_from_db()
    assert account.status == "expired"
    assert account.platform_message == "The session was invalidated."


@pytest.mark.parametrize("trouble", [(500, {}), refusal(4, message="Too many calls"), refusal(2)])
def test_blips_never_disconnect(workspace: Workspace, graph: Graph, trouble: tuple[int, dict[str, Any]]) -> None:
    account = make_account(workspace, platform_account_id="101")
    graph.fail["101"] = trouble
    assert not verify_one(account.pk)
    account.refresh_from_db()
    assert account.is_connected
    assert account.last_verified_at is None
    assert not Notification.objects.exists()


def test_the_daily_check_looks_at_all_and_survives_each(
    workspace: Workspace, graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = make_account(workspace, platform_account_id="100", token=None)
    fine = make_account(workspace, platform_account_id="101", status="expired", status_reason="Was out")
    gone = make_account(workspace, platform_account_id="102", status="disconnected")
    eagerly(monkeypatch)
    verify_accounts()
    for account in (broken, fine, gone):
        account.refresh_from_db()
    assert broken.status == "expired"
    assert (fine.status, fine.status_reason) == ("connected", "")
    assert gone.last_verified_at is None
    # What is left of a lost access is nothing that a look could mend; what was seen today is not looked at again.
    assert accounts_to_verify() == []
    ConnectedAccount.objects.update(last_verified_at=timezone.now() - timedelta(days=1))
    assert accounts_to_verify() == [fine.pk]


def test_the_daily_check_is_spread_and_gives_each_account_a_message_of_its_own(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = [make_account(workspace) for _ in range(3)]
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(
        verify_one_account, "apply_async", lambda args, countdown: sent.append((args[0], countdown)) or None
    )
    verify_accounts()
    assert {account_id for account_id, _delay in sent} == {str(account.pk) for account in accounts}
    assert [delay for _account_id, delay in sent] == [0, 1, 2]
    many = [account.pk for account in accounts] * 2000
    monkeypatch.setattr("accounts.verify.accounts_to_verify", lambda: many)
    sent.clear()
    verify_accounts()
    assert max(delay for _account_id, delay in sent) <= SPREAD_SECONDS


def test_an_account_that_was_connected_while_its_access_was_missed_is_left_alone(workspace: Workspace) -> None:
    account = make_account(workspace, token=None)
    with pytest.raises(ReconnectError) as missing:
        access_for(account)
    Credential.objects.create(account_id=account.pk, access_token="EAAnew")
    lost(account, missing.value)
    account.refresh_from_db()
    assert account.is_connected
    assert not Notification.objects.exists()


def test_people_are_reminded_though_the_broker_does_not_answer(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_account(workspace, token_expires_at=timezone.now() + timedelta(days=6))

    def down(*args: Any, **kwargs: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(verify_one_account, "apply_async", down)
    with pytest.raises(OperationalError):
        verify_accounts()
    assert Notification.objects.get().kind == Notification.Kind.EXPIRY


def test_an_unforeseen_fault_of_one_account_does_not_stop_the_others(
    workspace: Workspace, graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph.pages = [page("100", "One"), page("101", "Two")]
    first, second = sorted(
        (make_account(workspace, platform_account_id=number) for number in ("100", "101")), key=lambda row: row.pk
    )
    real = verify

    def sometimes(account: ConnectedAccount) -> None:
        if account.pk == first.pk:
            raise ZeroDivisionError
        real(account)

    monkeypatch.setattr("accounts.verify.verify", sometimes)
    eagerly(monkeypatch)
    verify_accounts()
    second.refresh_from_db()
    assert second.last_verified_at


def test_reminders_come_at_14_7_and_2_days_once_each(workspace: Workspace) -> None:
    ends = timezone.now() + timedelta(days=13)
    account = make_account(workspace, token_expires_at=ends)
    make_account(workspace, data_access_expires_at=ends)  # Facebook's permissions outlive this date
    now = timezone.now()
    for day, rows in ((0, 1), (1, 1), (5, 1), (6, 2), (9, 2), (11, 3), (12, 3)):
        with time_machine.travel(now + timedelta(days=day, minutes=5), tick=False):
            remind()
            assert Notification.objects.count() == rows, day
            # One open row for the account and its cause, however often it was told.
            assert Notification.objects.get(resolved_at=None).incident == f"expiry:{account.pk}:token"


def test_instagram_is_reminded_of_its_data_access(workspace: Workspace) -> None:
    make_account(workspace, platform="instagram", data_access_expires_at=timezone.now() + timedelta(days=3))
    remind()
    notification = Notification.objects.get()
    assert notification.kind == Notification.Kind.EXPIRY
    assert notification.title.startswith("The consent for")


def test_a_reminder_is_over_when_the_end_has_moved_or_the_account_is_not_in_use(workspace: Workspace) -> None:
    near = timezone.now() + timedelta(days=5)
    moved, left = make_account(workspace, token_expires_at=near), make_account(workspace, token_expires_at=near)
    assert remind() == 2
    ConnectedAccount.objects.filter(pk=moved.pk).update(token_expires_at=timezone.now() + timedelta(days=60))
    disconnect(left)
    assert remind() == 0
    assert not Notification.objects.filter(resolved_at=None).exists()


def test_what_was_told_of_limits_and_figures_ends_with_the_account(workspace: Workspace) -> None:
    account = make_account(workspace)
    for kind in (Notification.Kind.QUOTA, Notification.Kind.INSIGHTS, Notification.Kind.MISSED):
        notify.tell(workspace, kind, f"{kind}:1", title="Something", account=account)
    disconnect(account)
    assert [row.kind for row in Notification.objects.filter(resolved_at=None)] == ["missed"]


def test_the_end_of_a_grant_counts_for_accounts_that_live_on_it(
    workspace: Workspace, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is renewed by itself has no end; without renewal, or after a lost answer, it has."""
    soon = timezone.now() + timedelta(days=3)
    grant = Grant.objects.create(
        workspace=workspace, user=owner, provider="elsewhere", platform_user_id="7", access_token="a", expires_at=soon
    )
    account = make_account(workspace, token=None)
    Credential.objects.create(account=account, grant=grant, access_token=None)
    account = ConnectedAccount.objects.get(pk=account.pk)
    assert ends_of(account) == {"token": soon}
    assert ends_before(account, soon + timedelta(days=1))
    assert not ends_before(account, soon - timedelta(days=1))
    renewal = Renewal(renew=lambda token: pytest.fail("nothing is renewed here"), ahead=timedelta(0), single_use=True)
    monkeypatch.setitem(RENEWALS, "elsewhere", renewal)
    assert end_of_grant(grant) == soon
    grant.refresh_token = "r"
    assert end_of_grant(grant) is None
    grant.refresh_expires_at = soon + timedelta(days=300)
    assert end_of_grant(grant) == soon + timedelta(days=300)
    grant.refresh_spent_at = timezone.now() - timedelta(hours=1)
    assert end_of_grant(grant) == soon


# Notifications


def test_one_row_and_one_mail_per_incident(workspace: Workspace, django_capture_on_commit_callbacks: Capture) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        first = notify.tell(workspace, "missed", "x", title="Line\nbreak")
        again = notify.tell(workspace, "missed", "x", title="Other words")
    assert first == again
    assert len(mail.outbox) == 1
    assert mail.outbox[0].subject == "[socialhub] Line break"
    notify.settle(workspace, "x")
    assert notify.tell(workspace, "missed", "x", title="Back") != first


def test_each_person_chooses_what_comes_by_mail(
    signed_in: Client, workspace: Workspace, owner: User, django_capture_on_commit_callbacks: Capture
) -> None:
    other = member(workspace, Role.ADMIN)
    address = reverse("accounts:profile")
    kinds = [kind for kind in Notification.Kind.values if kind != "quota"]
    assert signed_in.get(address).content.decode().count("checked") == len(Notification.Kind.values)
    data = {"name": "Ada", "time_zone": "UTC", "mailed_kinds": kinds}
    assert signed_in.post(address, data).status_code == 302
    owner.refresh_from_db()
    assert owner.unmailed_kinds == ["quota"]
    with django_capture_on_commit_callbacks(execute=True):
        notify.tell(workspace, Notification.Kind.QUOTA, "quota:1", title="Wait")
    assert [sent.to for sent in mail.outbox] == [[other.email]]
    with django_capture_on_commit_callbacks(execute=True):
        notify.tell(workspace, Notification.Kind.MISSED, "post:1", title="Missed")
    assert len(mail.outbox) == 3
    # On the page everything stands, whatever is mailed.
    assert "Wait" in signed_in.get(reverse("accounts:notifications")).content.decode()
    assert signed_in.post(address, {**data, "mailed_kinds": "nonsense"}).status_code == 422


def test_a_dead_mail_server_is_no_failure_and_is_tried_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Capture
) -> None:
    def refuse(*args: Any) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        with django_capture_on_commit_callbacks(execute=True):
            notification = notify.tell(workspace, "missed", "x", title="Missed")
    notification.refresh_from_db()
    assert notification.emailed_at is None
    tidy()
    tidy()
    assert len(mail.outbox) == 1
    notification.refresh_from_db()
    assert notification.emailed_at


def test_nothing_is_mailed_for_what_was_rolled_back(workspace: Workspace) -> None:
    notify.tell(workspace, "missed", "x", title="Missed")  # its transaction never commits in this test
    assert mail.outbox == []


def test_the_notifications_page(signed_in: Client, viewer: Client, workspace: Workspace, stranger: User) -> None:
    mine = notify.tell(workspace, "missed", "a", title="A post was missed", url="/posts/")
    theirs = notify.tell(workspace_of(stranger), "missed", "b", title="Not mine")
    text = signed_in.get(reverse("accounts:notifications")).content.decode()
    assert "A post was missed" in text
    assert "Not mine" not in text
    assert "1 unread" in text

    read = reverse("accounts:notifications_read")
    assert signed_in.post(read, {"notification": theirs.pk}).status_code == 404
    assert signed_in.post(read, {"notification": "nonsense"}).status_code == 302
    mine.refresh_from_db()
    assert mine.read_at is None
    viewer.post(read, {"notification": mine.pk})
    mine.refresh_from_db()
    assert mine.read_at
    notify.tell(workspace, "missed", "c", title="Another")
    signed_in.post(read)
    theirs.refresh_from_db()
    assert theirs.read_at is None
    assert not Notification.objects.filter(workspace=workspace, read_at=None).exists()


def test_older_notifications_are_a_page_further(signed_in: Client, workspace: Workspace) -> None:
    for number in range(31):
        notify.tell(workspace, "missed", f"n{number}", title=f"Number {number:02}")
    first = signed_in.get(reverse("accounts:notifications"))
    assert "Number 00" not in first.content.decode()
    older = signed_in.get(reverse("accounts:notifications"), {"before": first.context["more_before"].isoformat()})
    assert "Number 00" in older.content.decode()
    assert "Number 01" not in older.content.decode()
    assert signed_in.get(reverse("accounts:notifications"), {"before": "nonsense"}).status_code == 200


# The acts on one account


ACTS = ["recheck", "disconnect", "pause", "resume", "verify", "refresh", "make_default", "remove_default"]
ASKED_FIRST = ("disconnect", "pause")


@pytest.mark.parametrize("act", ACTS)
def test_acts_are_for_managers_of_the_workspace(
    viewer: Client, editor: Client, signed_in_stranger: Client, signed_in: Client, workspace: Workspace, act: str
) -> None:
    account = make_account(workspace)
    address = reverse(f"accounts:{act}", args=[account.pk])
    assert viewer.post(address).status_code == 403
    assert editor.post(address).status_code == 403
    assert signed_in_stranger.post(address).status_code == 404
    assert viewer.get(address).status_code in (403, 405)
    assert signed_in.get(address).status_code == (200 if act in ASKED_FIRST else 405)
    account.refresh_from_db()
    assert account.is_connected
    assert not account.is_paused


def test_viewers_see_the_accounts_without_the_buttons(viewer: Client, editor: Client, workspace: Workspace) -> None:
    make_account(workspace, name="Garage")
    text = viewer.get(reverse("accounts:social")).content.decode()
    assert "Garage" in text
    assert "data-network-connect" not in text
    assert "Disconnect" not in text
    assert "data-network-connect" not in editor.get(reverse("accounts:social")).content.decode()
    assert viewer.post(reverse("accounts:connect", args=["facebook"])).status_code == 403


def test_pausing_and_resuming(signed_in: Client, workspace: Workspace) -> None:
    account = make_account(workspace)
    signed_in.post(reverse("accounts:pause", args=[account.pk]), {"reason": "Holiday"})
    account.refresh_from_db()
    assert account.is_paused
    assert "Holiday" in signed_in.get(reverse("accounts:social")).content.decode()
    signed_in.post(reverse("accounts:resume", args=[account.pk]))
    account.refresh_from_db()
    assert not account.is_paused
    assert account.pause_reason == ""


def test_a_reason_that_is_too_long_is_kept_in_the_form(signed_in: Client, workspace: Workspace) -> None:
    account = make_account(workspace)
    response = signed_in.post(reverse("accounts:pause", args=[account.pk]), {"reason": "x" * 201})
    assert response.status_code == 422
    assert "x" * 201 in response.content.decode()
    account.refresh_from_db()
    assert not account.is_paused


def test_checking_access_by_hand(signed_in: Client, workspace: Workspace, graph: Graph) -> None:
    account = make_account(workspace, platform_account_id="101")
    address = reverse("accounts:verify", args=[account.pk])
    assert "access and profile were checked" in signed_in.post(address, follow=True).content.decode()
    graph.valid = False
    text = signed_in.post(address, follow=True).content.decode()
    assert "Access expired" in text
    assert "The session was invalidated." in text


def test_the_page_tells_every_state(signed_in: Client, workspace: Workspace) -> None:
    text = signed_in.get(reverse("accounts:social")).content.decode()
    assert text.count("Not connected") >= 2
    assert "Connecting…" in text
    assert 'data-variant="primary"' in text
    make_account(workspace, status="error", status_reason="The Page is gone.", platform_message="(#100) Missing")
    text = signed_in.get(reverse("accounts:social")).content.decode()
    assert "The Page is gone." in text
    assert "(#100) Missing" in text
    make_account(workspace, platform="instagram", status="disconnected", name="Taken off")
    assert "Taken off" not in signed_in.get(reverse("accounts:social")).content.decode()


# Keys


def test_rotating_the_keys(settings: Any, workspace: Workspace, owner: User, fresh_fields: Any) -> None:
    old = settings.FERNET_KEYS
    accounts = [make_account(workspace, token=f"token-{number}") for number in range(5)]
    unreadable = make_account(workspace)
    damage(unreadable)
    grant = Grant.objects.create(
        workspace=workspace, user=owner, provider="meta", platform_user_id="1", access_token="user-token"
    )
    totp = TOTP.activate(owner, "JBSWY3DPEHPK3PXP")
    stored_at = accounts[0].credential.updated_at

    settings.FERNET_KEYS = ["a-new-key-of-more-than-thirty-two-characters", *old]
    fresh_fields()
    out = StringIO()
    call_command("rotate_token_keys", batch_size=2, stdout=out)
    assert "7 secrets are sealed with an older key." in out.getvalue()
    assert "7 secrets sealed with the first key." in out.getvalue()
    assert "0 remain: the older keys can be removed" in out.getvalue()
    assert "1 could not be opened" in out.getvalue()

    settings.FERNET_KEYS = settings.FERNET_KEYS[:1]
    fresh_fields()
    for number, account in enumerate(accounts):
        assert access_for(ConnectedAccount.objects.get(pk=account.pk)).token == f"token-{number}"
    grant.refresh_from_db()
    assert grant.access_token.reveal() == "user-token"
    totp.instance.refresh_from_db()
    assert TOTP(totp.instance).instance.data["secret"] != "JBSWY3DPEHPK3PXP"
    from_key = Fernet(derive_fernet_key(settings.FERNET_KEYS[0]))
    assert from_key.decrypt(totp.instance.data["secret"].encode()) == b"JBSWY3DPEHPK3PXP"
    assert Credential.objects.get(account=accounts[0]).updated_at == stored_at


# Commands and tidying


def test_connecting_by_a_page_token(workspace: Workspace, graph: Graph) -> None:
    out = StringIO()
    call_command("connect_token", page_token=page_token("101"), stdout=out)
    facebook, instagram = ConnectedAccount.objects.order_by("platform")
    assert (facebook.platform_account_id, instagram.parent, facebook.workspace) == ("101", facebook, workspace)
    assert facebook.credential.access_token.reveal() == page_token("101")
    assert facebook.credential.grant is None
    assert page_token("101") not in out.getvalue()


def test_a_token_of_another_kind_is_refused(workspace: Workspace, graph: Graph) -> None:
    graph.valid = False
    with pytest.raises(CommandError, match="no valid Page token"):
        call_command("connect_token", page_token=page_token("101"))
    assert not ConnectedAccount.objects.exists()


def test_with_several_workspaces_one_must_be_named(workspace: Workspace, graph: Graph) -> None:
    other = workspace_of(make_user())
    with pytest.raises(CommandError, match=str(other.pk)):
        call_command("connect_token", page_token=page_token("101"))
    call_command("connect_token", workspace=other.pk, page_token=page_token("101"), stdout=StringIO())
    assert set(ConnectedAccount.objects.values_list("workspace", flat=True)) == {other.pk}


def test_tidying_keeps_what_is_in_use(workspace: Workspace, owner: User, graph: Graph) -> None:
    long_ago = timezone.now() - timedelta(days=100)
    used = make_account(workspace)
    grants = [
        Grant.objects.create(workspace=workspace, user=owner, provider="meta", platform_user_id=n, access_token="t" * 9)
        for n in ("1", "2", "3")
    ]
    Credential.objects.filter(account=used).update(grant=grants[0])
    Grant.objects.filter(pk__in=[grants[0].pk, grants[1].pk]).update(updated_at=long_ago)
    ticket = OAuthTicket.objects.create(
        digest="d", user=owner, workspace=workspace, provider="meta", product="facebook"
    )
    OAuthTicket.objects.create(
        digest="e", user=owner, workspace=workspace, provider="meta", product="facebook", expires_at=long_ago
    )
    opened = notify.tell(workspace, "missed", "open", title="Open")
    settled = notify.tell(workspace, "missed", "over", title="Over")
    notify.settle(workspace, "over")
    Notification.objects.update(created_at=long_ago)
    tidy()
    assert set(Grant.objects.all()) == {grants[0], grants[2]}
    assert graph.paths("DELETE") == ["me/permissions"]
    assert list(OAuthTicket.objects.all()) == [ticket]
    assert list(Notification.objects.all()) == [opened]
    assert settled


def test_errors_of_a_check_are_told_to_the_caller(workspace: Workspace, graph: Graph) -> None:
    graph.fail["101"] = 500, {}
    with pytest.raises(TemporaryError):
        verify(make_account(workspace, platform_account_id="101"))
