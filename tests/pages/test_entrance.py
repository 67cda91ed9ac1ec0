"""The pages and mails for people who are not signed in."""

from __future__ import annotations

import re

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.test.utils import override_settings

from accounts.models import User

pytestmark = pytest.mark.django_db

SIGN_UP = "/account/signup/"


def test_signing_up_sends_a_code_in_plain_words(client: Client, mailoutbox: list[EmailMessage]) -> None:
    typed = {"email": "new@example.com", "password1": "long-and-odd-7", "password2": "long-and-odd-7"}
    page = client.post(SIGN_UP, typed, follow=True).content.decode()
    assert "Enter the code from your mail" in page
    assert "<strong>new@example.com</strong>" in page
    mail = mailoutbox[0]
    code = re.search(r"^[A-Z0-9-]{6,}$", str(mail.body), re.MULTILINE)
    assert code
    assert mail.subject == f"[socialhub] {code[0]} is your code"
    assert "It works for 15 minutes." in mail.body
    assert mail.from_email == "socialhub <noreply@localhost>"
    assert "&" not in mail.body


def test_a_forgotten_password_brings_a_link(client: Client, owner: User, mailoutbox: list[EmailMessage]) -> None:
    response = client.post("/account/password/reset/", {"email": owner.email}, follow=True)
    assert "Look into your mail" in response.content.decode()
    mail = mailoutbox[0]
    assert mail.subject == "[socialhub] Set a new password"
    link = re.search(r"https?://\S+/account/password/reset/key/\S+", str(mail.body))
    assert link
    assert client.get(link[0], follow=True).status_code == 200


def test_a_wrong_password_is_told_and_what_was_typed_stays(client: Client) -> None:
    page = client.post("/account/login/", {"login": "me@example.com", "password": "wrong"}).content.decode()
    assert 'value="me@example.com"' in page
    assert "not correct" in page


def test_signing_in_leads_where_one_wanted_to_go(client: Client) -> None:
    page = client.get("/account/login/", {"next": "/posts/"}).content.decode()
    assert '<input type="hidden" name="next" value="/posts/">' in page


@override_settings(ACCOUNT_SIGNUP_OPEN=False)
def test_where_signing_up_is_closed_it_says_whom_to_ask(client: Client) -> None:
    assert "Ask somebody who works here" in client.get(SIGN_UP).content.decode()


@pytest.mark.parametrize("address", ["/account/login/", SIGN_UP, "/account/password/reset/"])
def test_no_placeholder_repeats_a_label(client: Client, address: str) -> None:
    assert "placeholder" not in client.get(address).content.decode()
