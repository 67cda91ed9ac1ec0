"""E-mail addresses and the password of somebody who is signed in."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from accounts.models import User

PAGE = "/account/email/"


@pytest.fixture
def proven(signed_in: Client) -> Client:
    """Somebody who has just said their password."""
    signed_in.post("/account/reauthenticate/", {"password": "correct horse"})
    return signed_in


@pytest.fixture
def second(owner: User) -> EmailAddress:
    EmailAddress.objects.update_or_create(user=owner, email=owner.email, defaults={"verified": True, "primary": True})
    return EmailAddress.objects.create(user=owner, email="second@example.com", verified=True)


def test_each_address_says_where_it_stands(signed_in: Client, owner: User, second: EmailAddress) -> None:
    EmailAddress.objects.create(user=owner, email="third@example.com")
    page = signed_in.get(PAGE).content.decode()
    rows = dict(re.findall(r'list-row-title" title="([^"]+)">(.*?)</li>', page, re.S))
    assert "Main address" in rows[owner.email]
    assert "<details" not in rows[owner.email]
    assert "Make it the main address" in rows["second@example.com"]
    assert "Not confirmed yet" in rows["third@example.com"]
    assert "Make it the main address" not in rows["third@example.com"]


@pytest.mark.parametrize(("action", "left"), [("action_primary", True), ("action_remove", False)])
def test_what_the_menu_of_an_address_does(proven: Client, second: EmailAddress, action: str, left: bool) -> None:
    proven.post(PAGE, {"email": second.email, action: ""})
    found = EmailAddress.objects.filter(pk=second.pk).first()
    assert bool(found) is left
    assert not found or found.primary


def test_a_new_address_is_asked_to_confirm(proven: Client, second: EmailAddress) -> None:
    answer = proven.post(PAGE, {"email": "fresh@example.com", "action_add": ""})
    assert answer.status_code == 302
    assert mail.outbox[-1].to == ["fresh@example.com"]


def test_nonsense_comes_back_with_what_was_typed(proven: Client, second: EmailAddress) -> None:
    answer = proven.post(PAGE, {"email": "not an address", "action_add": ""})
    assert answer.status_code == 422
    assert 'value="not an address"' in answer.content.decode()


def test_a_password_is_changed(signed_in: Client, owner: User) -> None:
    new = "another long and honest one"
    page = signed_in.get("/account/password/change/").content.decode()
    assert "At least 8 characters" in page
    typed = {"oldpassword": "correct horse", "password1": new, "password2": new}
    assert signed_in.post("/account/password/change/", typed).status_code == 302
    owner.refresh_from_db()
    assert owner.check_password(new)


def test_a_link_that_was_used_leads_to_a_new_one(client: Client, db: None) -> None:
    page = client.get("/account/password/reset/key/1-set-password/").content.decode()
    assert "This link does not work any more" in page
    assert 'href="/account/password/reset/"' in page
