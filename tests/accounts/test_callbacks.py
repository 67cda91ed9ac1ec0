"""What Meta tells by itself: the app was taken away, or data shall be deleted."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from accounts import operators
from accounts.models import ConnectedAccount, Credential, DataDeletion, Grant, Notification, User, Workspace
from accounts.notify import tell
from accounts.operators import callback_seen_at
from tests.factories import make_account, make_user, workspace_of
from tests.publishing.pictures import photo

pytestmark = pytest.mark.django_db

PERSON = "9001"
BOTH = ("accounts:meta_deauthorize", "accounts:meta_data_deletion")
BOTH_OF_INSTAGRAM = ("accounts:instagram_deauthorize", "accounts:instagram_data_deletion")


def encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def signed(
    user_id: str = PERSON, *, secret: str | None = None, at: datetime | None = None, **changes: Any
) -> dict[str, str]:
    """A form as Meta posts it."""
    content = {
        "algorithm": "HMAC-SHA256",
        "issued_at": int((at or timezone.now()).timestamp()),
        "user_id": user_id,
        **changes,
    }
    payload = encode(json.dumps({name: value for name, value in content.items() if value is not None}).encode())
    key = settings.META_APP_SECRET if secret is None else secret
    signature = hmac.new(key.encode(), payload.encode(), hashlib.sha256).digest()
    return {"signed_request": f"{encode(signature)}.{payload}"}


def granted(workspace: Workspace, user: User, person: str = PERSON, accounts: int = 2) -> Grant:
    grant = Grant.objects.create(
        workspace=workspace,
        user=user,
        provider="meta",
        platform_user_id=person,
        platform_user_name="Ada Lovelace",
        access_token="EAAuser",
    )
    for _ in range(accounts):
        account = make_account(workspace, token=None)
        Credential.objects.create(account=account, grant=grant, access_token="EAApage")
    return grant


@pytest.fixture
def machine() -> Client:
    """Nobody is signed in, and nothing has a form's secret."""
    return Client(enforce_csrf_checks=True)


def test_whoever_takes_the_app_away_takes_every_token_with_it(
    machine: Client, workspace: Workspace, owner: User
) -> None:
    granted(workspace, owner)
    elsewhere = make_user()
    granted(workspace_of(elsewhere), elsewhere)
    other = granted(workspace, owner, person="9002", accounts=1)
    for _ in range(2):  # Meta may tell it again
        response = machine.post(reverse("accounts:meta_deauthorize"), signed())
        assert (response.status_code, response.json()) == (200, {"success": True})
    assert Grant.objects.get() == other
    assert Credential.objects.count() == 1
    withdrawn = ConnectedAccount.objects.filter(status="revoked")
    assert withdrawn.count() == 4
    assert Notification.objects.filter(kind="reconnect", resolved_at=None).count() == 4
    assert "withdrawn" in withdrawn[0].status_reason
    assert ConnectedAccount.objects.get(status="connected").credential.grant == other


def test_deletion_is_done_and_has_a_page_that_says_so(machine: Client, workspace: Workspace, owner: User) -> None:
    granted(workspace, owner)
    request = signed()
    first = machine.post(reverse("accounts:meta_data_deletion"), request)
    answer = first.json()
    assert first.status_code == 200
    assert set(answer) == {"url", "confirmation_code"}
    assert answer["url"].startswith(settings.PUBLIC_BASE_URL)
    assert machine.post(reverse("accounts:meta_data_deletion"), request).json() == answer
    deletion = DataDeletion.objects.get()
    assert (deletion.grants, deletion.accounts) == (1, 2)
    assert not Grant.objects.exists()
    assert not Credential.objects.exists()
    page = machine.get(answer["url"].removeprefix(settings.PUBLIC_BASE_URL))
    assert page.status_code == 200
    assert answer["confirmation_code"] in page.content.decode()
    # The trail does not say who it was.
    assert not [value for value in DataDeletion.objects.values_list().get() if PERSON in str(value)]
    assert machine.get(reverse("accounts:data_deletion_status", args=["nobody"])).status_code == 404


def test_a_person_we_know_nothing_of_gets_the_same_answer(machine: Client) -> None:
    assert machine.post(reverse("accounts:meta_deauthorize"), signed("404")).status_code == 200
    answer = machine.post(reverse("accounts:meta_data_deletion"), signed("404")).json()
    page = machine.get(answer["url"].removeprefix(settings.PUBLIC_BASE_URL))
    assert "Nothing of yours was stored" in page.content.decode()


REFUSED: dict[str, Any] = {
    "nothing": lambda: {},
    "no signature": lambda: {"signed_request": signed()["signed_request"].partition(".")[2]},
    "no payload": lambda: {"signed_request": signed()["signed_request"].partition(".")[0] + "."},
    "rubbish": lambda: {"signed_request": "ä.ö"},
    "much rubbish": lambda: {"signed_request": "a" * 5000 + "." + "b" * 5000},
    "of another app": lambda: signed(secret="the-secret-of-another-app"),
    "signed with nothing": lambda: signed(secret=""),
    "changed afterwards": lambda: {
        "signed_request": signed("9002")["signed_request"].partition(".")[0]
        + "."
        + signed(PERSON)["signed_request"].partition(".")[2]
    },
    "another algorithm": lambda: signed(algorithm="none"),
    "too old": lambda: signed(at=timezone.now() - timedelta(days=2)),
    "of tomorrow": lambda: signed(at=timezone.now() + timedelta(days=1)),
    "without a date": lambda: signed(issued_at=None),
    "without a person": lambda: signed(""),
}


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize("address", BOTH)
def test_what_is_not_from_meta_changes_nothing(
    machine: Client, workspace: Workspace, owner: User, address: str, what: str
) -> None:
    granted(workspace, owner)
    response = machine.post(reverse(address), REFUSED[what]())
    assert response.status_code == 400
    assert Grant.objects.exists()
    assert Credential.objects.count() == 2
    assert not ConnectedAccount.objects.exclude(status="connected").exists()
    assert not DataDeletion.objects.exists()


def test_an_older_message_does_not_undo_a_newer_consent(machine: Client, workspace: Workspace, owner: User) -> None:
    granted(workspace, owner)
    response = machine.post(reverse("accounts:meta_deauthorize"), signed(at=timezone.now() - timedelta(hours=2)))
    assert response.status_code == 200
    assert Credential.objects.count() == 2


@pytest.mark.parametrize("address", BOTH)
def test_without_an_app_nobody_can_sign(machine: Client, workspace: Workspace, owner: User, address: str) -> None:
    granted(workspace, owner)
    with override_settings(META_APP_SECRET=""):
        assert machine.post(reverse(address), signed(secret="")).status_code == 404
    assert Grant.objects.exists()


@pytest.mark.parametrize("address", BOTH)
def test_guessing_is_limited_but_meta_gets_through(
    machine: Client, workspace: Workspace, owner: User, address: str
) -> None:
    granted(workspace, owner)
    answers = [machine.post(reverse(address), signed(secret="guess")).status_code for _ in range(32)]
    assert answers[:30] == [400] * 30
    assert answers[-1] == 429
    assert machine.post(reverse(address), signed()).status_code == 200
    assert not Grant.objects.exists()


@pytest.mark.parametrize("address", BOTH)
def test_only_by_post(machine: Client, address: str) -> None:
    assert machine.get(reverse(address)).status_code == 405


@pytest.mark.parametrize(
    ("address", "name"),
    [("accounts:meta_deauthorize", operators.DEAUTHORIZE), ("accounts:meta_data_deletion", operators.DATA_DELETION)],
)
def test_when_meta_called_is_remembered_and_who_else_called_is_not(machine: Client, address: str, name: str) -> None:
    machine.post(reverse(address), {"signed_request": "guessed.guess"})
    assert callback_seen_at("meta", name) is None
    machine.post(reverse(address), signed())
    seen = callback_seen_at("meta", name)
    assert seen
    assert timezone.now() - seen < timedelta(minutes=1)
    assert callback_seen_at("instagram_login", name) is None


# --- The app of Instagram's own login -------------------------------------------------------------------------

SCOPED, NUMBER = "2700900", "17841400900"  # the person's number that only the app knows, and the account's


def by_instagram(user_id: str = SCOPED, **changes: Any) -> dict[str, str]:
    return signed(user_id, **{"secret": settings.INSTAGRAM_APP_SECRET, **changes})


@pytest.fixture
def ines(workspace: Workspace, owner: User) -> ConnectedAccount:
    grant = Grant.objects.create(
        workspace=workspace,
        user=owner,
        provider="instagram_login",
        platform_user_id=SCOPED,
        platform_user_name="ines.ink",
        access_token="IGAAtoken",
    )
    account = make_account(
        workspace,
        platform="instagram",
        login_kind="instagram_login",
        platform_account_id=NUMBER,
        account_type="professional",
        name="Ines Ink",
        username="ines.ink",
        followers_count=5310,
        token=None,
    )
    account.picture.save("picture.jpg", photo(60, 60))
    Credential.objects.create(account=account, grant=grant)
    return account


@pytest.mark.parametrize("number", [SCOPED, NUMBER])
def test_instagram_takes_the_app_away_by_either_of_its_numbers(
    machine: Client, workspace: Workspace, owner: User, ines: ConnectedAccount, number: str
) -> None:
    through_a_page = granted(workspace, owner, person=number, accounts=1)
    response = machine.post(reverse("accounts:instagram_deauthorize"), by_instagram(number))
    assert (response.status_code, response.json()) == (200, {"success": True})
    assert Grant.objects.get() == through_a_page, "the same number at the other app is somebody else"
    ines.refresh_from_db()
    assert ines.status == "revoked"
    assert "withdrawn at Instagram" in ines.status_reason
    assert ines.username == "ines.ink", "that is for their data only"
    assert not Credential.objects.filter(account=ines).exists()


def test_who_has_their_data_deleted_at_instagram_is_not_described_here_any_more(
    machine: Client, ines: ConnectedAccount
) -> None:
    tell(ines.workspace, "expiry", "x", title="The access to Ines Ink ends", account=ines)
    answer = machine.post(reverse("accounts:instagram_data_deletion"), by_instagram()).json()
    ines.refresh_from_db()
    assert (ines.name, ines.username, ines.followers_count, ines.picture.name) == ("Instagram", "", None, "")
    assert (ines.status, ines.platform_account_id) == ("revoked", NUMBER)
    assert [row.title for row in Notification.objects.all()] == ["Reconnect Instagram"]
    told = " ".join(str(value) for row in ConnectedAccount.objects.values() for value in row.values())
    assert "ines" not in told.lower()
    page = machine.get(answer["url"].removeprefix(settings.PUBLIC_BASE_URL)).content.decode()
    assert "your id at Instagram" in page
    assert "followers are deleted" in page


@pytest.mark.parametrize("address", BOTH_OF_INSTAGRAM)
def test_each_app_is_believed_about_its_own_people_only(
    machine: Client, workspace: Workspace, owner: User, ines: ConnectedAccount, address: str
) -> None:
    granted(workspace, owner, person=SCOPED)
    assert machine.post(reverse(address), signed(SCOPED)).status_code == 400
    for other in BOTH:
        assert machine.post(reverse(other), by_instagram()).status_code == 400
    assert Credential.objects.count() == 3
    with override_settings(INSTAGRAM_APP_SECRET=""):
        assert machine.post(reverse(address), by_instagram(secret="")).status_code == 404
    assert machine.get(reverse(address)).status_code == 405
    old = by_instagram(at=timezone.now() - timedelta(hours=2))
    assert machine.post(reverse(address), old).status_code == 200
    assert Credential.objects.count() == 3, "an older message does not undo a newer consent"
