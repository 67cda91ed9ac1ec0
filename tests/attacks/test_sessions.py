"""Taking over somebody's session or account: by planting, keeping, guessing, or finding a browser open."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import reverse

from accounts.models import User
from tests.accounts.test_people import code_of
from tests.factories import make_user

pytestmark = pytest.mark.django_db

LOGIN, HOME = reverse("account_login"), reverse("accounts:social")
SECRET = "JBSWY3DPEHPK3PXP"
NEW = "another long and honest one"


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


def confirmed(user: User) -> User:
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def enter(client: Client, user: User, password: str = "correct horse") -> str:
    """Sign in by the form; the key of the session."""
    client.post(LOGIN, {"login": user.email, "password": password})
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def is_inside(client: Client) -> bool:
    return client.get(HOME).status_code == 200


def with_cookie(key: str) -> Client:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    return client


# --- A planted session ----------------------------------------------------------------------------------------


def test_a_planted_session_is_not_the_one_that_is_signed_in(owner: User) -> None:
    confirmed(owner)
    attacker = Client()
    session = attacker.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    victim = with_cookie(planted)
    assert enter(victim, owner) != planted
    assert is_inside(victim)
    assert not is_inside(with_cookie(planted))
    assert not Session.objects.filter(session_key=planted).exists()


def test_a_made_up_key_is_never_taken(owner: User) -> None:
    confirmed(owner)
    victim = with_cookie("a" * 32)
    assert enter(victim, owner) != "a" * 32


def test_signing_in_over_somebody_elses_session_takes_nothing_along(owner: User, stranger: User) -> None:
    confirmed(owner), confirmed(stranger)
    client = Client()
    first = enter(client, owner)
    session = client.session
    session["reconnecting"] = "of the first"
    session.save()
    client.post(reverse("account_logout"))
    assert enter(client, stranger) != first
    assert "reconnecting" not in client.session


# --- A kept session -------------------------------------------------------------------------------------------


def test_a_copied_cookie_ends_with_the_session(owner: User) -> None:
    confirmed(owner)
    client = Client()
    copy = with_cookie(enter(client, owner))
    assert is_inside(copy)
    client.post(reverse("account_logout"))
    assert not is_inside(copy)


def test_a_new_password_ends_all_other_sessions(owner: User) -> None:
    confirmed(owner)
    mine, thief = Client(), Client()
    enter(mine, owner), enter(thief, owner)
    assert is_inside(thief)
    typed = {"oldpassword": "correct horse", "password1": NEW, "password2": NEW}
    assert mine.post(reverse("account_change_password"), typed).status_code == 302
    assert not is_inside(thief)
    assert is_inside(mine)


def test_a_reset_password_ends_all_sessions(owner: User) -> None:
    confirmed(owner)
    thief = Client()
    enter(thief, owner)
    client = Client()
    client.post(reverse("account_reset_password"), {"email": owner.email})
    link = next(word for word in str(mail.outbox[-1].body).split() if "/reset/key/" in word)
    form = client.get(link.removeprefix("http://testserver"), follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": NEW, "password2": NEW})
    assert not is_inside(thief)
    assert "Invalid" not in client.get(HOME).content.decode()
    again = Client().get(link.removeprefix("http://testserver"), follow=True)
    assert "does not work any more" in again.content.decode()


def test_somebody_who_was_shut_out_is_out_at_once(owner: User) -> None:
    confirmed(owner)
    client = Client()
    enter(client, owner)
    assert is_inside(client)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert not is_inside(client)
    enter(client, owner)
    assert not is_inside(client)


# --- An open browser ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("account_email", {"email": "evil@example.com", "action_add": ""}),
        ("account_email", {"email": "second@example.com", "action_primary": ""}),
        ("account_email", {"email": "second@example.com", "action_remove": ""}),
        ("mfa_deactivate_totp", {}),
        ("mfa_generate_recovery_codes", {}),
    ],
)
def test_whoever_finds_a_browser_open_cannot_take_the_account_away(
    signed_in: Client, owner: User, name: str, data: dict[str, str]
) -> None:
    confirmed(owner)
    EmailAddress.objects.create(user=owner, email="second@example.com", verified=True)
    TOTP.activate(owner, SECRET)
    before = list(EmailAddress.objects.order_by("pk").values())
    response = signed_in.post(reverse(name), data)
    assert response["Location"].startswith((reverse("account_reauthenticate"), reverse("mfa_reauthenticate")))
    assert list(EmailAddress.objects.order_by("pk").values()) == before
    assert owner.authenticator_set.filter(type="totp").exists()


def test_the_person_hears_of_a_new_password(owner: User) -> None:
    confirmed(owner)
    client = Client()
    enter(client, owner)
    client.post(
        reverse("account_change_password"), {"oldpassword": "correct horse", "password1": NEW, "password2": NEW}
    )
    assert "password has been changed" in str(mail.outbox[-1].body)
    assert mail.outbox[-1].to == [owner.email]
    assert NEW not in str(mail.outbox[-1].message())


# --- Guessing -------------------------------------------------------------------------------------------------


def test_codes_of_the_second_factor_cannot_be_tried_without_end(owner: User) -> None:
    confirmed(owner)
    TOTP.activate(owner, SECRET)
    client = Client()
    enter(client, owner)
    for number in range(12):
        client.post(reverse("mfa_authenticate"), {"code": f"{number:06}"})
    client.post(reverse("mfa_authenticate"), {"code": code_of(SECRET)})
    assert not is_inside(client)


def test_a_code_is_good_once(owner: User) -> None:
    confirmed(owner)
    TOTP.activate(owner, SECRET)
    code = code_of(SECRET)
    for client, gets_in in ((Client(), True), (Client(), False)):
        enter(client, owner)
        client.post(reverse("mfa_authenticate"), {"code": code})
        assert is_inside(client) is gets_in


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP", "Forwarded", "True-Client-IP"])
def test_a_made_up_address_does_not_buy_more_tries(owner: User, header: str) -> None:
    """Nobody stands before us here, so that whatever says where a request comes from is the request itself."""
    confirmed(owner)
    statuses = []
    for number in range(31):
        made_up = f"for=10.0.0.{number}" if header == "Forwarded" else f"10.0.0.{number}"
        typed = {"login": f"somebody{number}@example.com", "password": "wrong"}
        statuses.append(Client().post(LOGIN, typed, headers={header: made_up}).status_code)
    assert statuses[0] == 422
    assert statuses[-1] == 429


@override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=1)
def test_behind_a_proxy_only_what_the_proxy_says_counts() -> None:
    statuses = [
        Client()
        .post(
            LOGIN,
            {"login": f"somebody{number}@example.com", "password": "wrong"},
            headers={"X-Forwarded-For": f"10.0.0.{number}, 203.0.113.7"},
        )
        .status_code
        for number in range(31)
    ]
    assert statuses[-1] == 429


def test_who_waits_is_told_how_long() -> None:
    for number in range(31):
        response = Client().post(LOGIN, {"login": f"a{number}@example.com", "password": "wrong"})
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("account_signup", {"email": "n{}@example.com", "password1": NEW, "password2": NEW}),
        ("account_reset_password", {"email": "n{}@example.com"}),
    ],
)
def test_no_endless_mails_to_others(name: str, data: dict[str, str]) -> None:
    statuses = [
        Client().post(reverse(name), {key: value.format(number) for key, value in data.items()}).status_code
        for number in range(25)
    ]
    assert statuses[-1] == 429
    assert len(mail.outbox) <= 20


# --- Cookies --------------------------------------------------------------------------------------------------


@override_settings(
    SESSION_COOKIE_NAME="__Host-session",
    CSRF_COOKIE_NAME="__Host-csrf",
    SESSION_COOKIE_SECURE=True,
    CSRF_COOKIE_SECURE=True,
)
def test_a_neighbour_host_cannot_plant_our_cookies(owner: User) -> None:
    """A name with __Host- is only taken with these attributes, so they are what must hold (settings with HTTPS)."""
    confirmed(owner)
    client = Client()
    client.get(LOGIN, secure=True)
    client.post(LOGIN, {"login": owner.email, "password": "correct horse"}, secure=True)
    for name in ("__Host-session", "__Host-csrf"):
        cookie = client.cookies[name]
        assert (cookie["secure"], cookie["path"], cookie["domain"], cookie["httponly"]) == (True, "/", "", True)
    assert client.get(HOME, secure=True).status_code == 200


def test_a_stranger_gets_no_session_for_looking(client: Client) -> None:
    """Otherwise a million looks at the entrance were a million rows."""
    for address in (LOGIN, reverse("account_signup"), "/nowhere/", HOME):
        client.get(address)
    assert not Session.objects.exists()


def test_people_who_sign_up_with_an_address_that_is_not_theirs_get_nowhere(db: None) -> None:
    """Waiting in an account under somebody's address, until that person is invited, opens nothing."""
    attacker = Client()
    attacker.post(reverse("account_signup"), {"email": "victim@example.com", "password1": NEW, "password2": NEW})
    owner = make_user()
    manager = Client()
    manager.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    manager.post(reverse("accounts:member_add"), {"email": "victim@example.com", "role": "admin"})
    assert owner.memberships.get().workspace.memberships.count() == 2
    assert not is_inside(attacker)
    other = Client()
    other.post(LOGIN, {"login": "victim@example.com", "password": NEW})
    assert not is_inside(other)
