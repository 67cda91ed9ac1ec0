"""The pages of two-factor sign-in: each in our frame and our words, with what a person does there."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.accounts.test_people import code_of

SECRET = "JBSWY3DPEHPK3PXP"
THEIRS = ("Two-Factor Authentication", "Confirm Access", "Authenticator App", "Recovery Codes", "Are you sure?")


@pytest.fixture
def confirmed(signed_in: Client, owner: User) -> Client:
    """Has just given the password once more."""
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    signed_in.post(reverse("account_reauthenticate"), {"password": "correct horse"})
    return signed_in


def page(client: Client, name: str, frame: str = "settings-page") -> str:
    response = client.get(reverse(name))
    assert response.status_code == 200
    text = response.content.decode()
    assert frame in text
    assert text.count("<h1") == 1
    assert not [words for words in THEIRS if words in text]
    assert "style=" not in text
    assert not re.search(r"<script(?! src=)", text)
    return text


def test_without_a_second_factor(confirmed: Client) -> None:
    text = page(confirmed, "mfa_index")
    assert "Turn on" in text
    assert "Recovery codes" not in text


@pytest.mark.django_db(transaction=True)  # what it says comes after the commit
def test_setting_up_shows_picture_and_key(confirmed: Client) -> None:
    response = confirmed.get(reverse("mfa_activate_totp"))
    secret = response.context["form"].secret
    text = response.content.decode()
    assert "settings-page" in text
    assert 'src="data:image/svg+xml;base64,' in text
    assert "data:" in response["Content-Security-Policy"].partition("img-src")[2].partition(";")[0]
    assert f'value="{secret}"' in text
    answer = confirmed.post(reverse("mfa_activate_totp"), {"code": "000000"})
    assert "Incorrect code." in answer.content.decode()
    answer = confirmed.post(reverse("mfa_activate_totp"), {"code": code_of(answer.context["form"].secret)}, follow=True)
    text = answer.content.decode()
    assert "Two-factor sign-in is on." in text
    assert text.count("<code>") == 10


@pytest.fixture
def protected(confirmed: Client, owner: User) -> Client:
    TOTP.activate(owner, SECRET)
    RecoveryCodes.activate(owner)
    return confirmed


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mfa_index", "10 of 10 left"),
        ("mfa_view_recovery_codes", "10 of 10 left"),
        ("mfa_generate_recovery_codes", "The 10 codes that you have left stop working at once."),
        ("mfa_deactivate_totp", "From then on your password alone signs you in."),
    ],
)
def test_with_a_second_factor(protected: Client, name: str, words: str) -> None:
    assert words in page(protected, name)


def test_used_up_codes_are_said(protected: Client, owner: User) -> None:
    codes = RecoveryCodes(Authenticator.objects.get(user=owner, type=Authenticator.Type.RECOVERY_CODES))
    for code in codes.get_unused_codes():
        codes.validate_code(code)
    assert "None left" in page(protected, "mfa_index")
    assert "You get ten codes." in page(protected, "mfa_generate_recovery_codes")
    assert "There is none to show." in page(protected, "mfa_view_recovery_codes")


@pytest.mark.django_db(transaction=True)  # what it says comes after the commit
def test_new_codes_and_turning_off(protected: Client, owner: User) -> None:
    answer = protected.post(reverse("mfa_generate_recovery_codes"), follow=True)
    assert "You have new recovery codes." in answer.content.decode()
    answer = protected.post(reverse("mfa_deactivate_totp"), follow=True)
    assert "Two-factor sign-in is off." in answer.content.decode()
    assert not Authenticator.objects.filter(user=owner).exists()  # the recovery codes, too, as the page says


def test_it_is_asked_who_changes_the_sign_in(signed_in: Client, owner: User) -> None:
    response = signed_in.get(reverse("mfa_activate_totp"))
    assert response["Location"].startswith(reverse("account_reauthenticate"))
    assert "Is it you?" in page(signed_in, "account_reauthenticate", "entrance-card")
    TOTP.activate(owner, SECRET)
    text = page(signed_in, "mfa_reauthenticate", "entrance-card")
    assert "or one of your recovery codes" in text
    assert reverse("account_reauthenticate") in text


def test_signing_in_with_a_second_factor(client: Client, owner: User) -> None:
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    TOTP.activate(owner, SECRET)
    client.post(reverse("account_login"), {"login": owner.email, "password": "correct horse"})
    assert "Use another e-mail address" in page(client, "mfa_authenticate", "entrance-card")
    client.post(reverse("account_logout"), {"next": reverse("account_login")})
    assert client.get(reverse("mfa_authenticate")).status_code == 302
