"""A form that comes back says so with its status, and the focus is where something has to be mended."""

from __future__ import annotations

import re

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import User


class Sample(forms.Form):
    title = forms.CharField()
    place = forms.CharField()
    count = forms.IntegerField()

    def clean(self) -> None:
        if self.data.get("title") == "nonsense":
            raise ValidationError("These do not go together.")


def focused(form: forms.Form) -> list[str]:
    return re.findall(r'name="(\w+)"[^>]* autofocus', form.as_div())


def test_the_first_invalid_field_has_the_focus() -> None:
    assert focused(Sample({"title": "A", "place": "", "count": "many"})) == ["place"]


def test_a_form_that_nobody_has_sent_leaves_the_focus_alone() -> None:
    assert focused(Sample()) == []
    assert focused(Sample({"title": "A", "place": "B", "count": "1"})) == []


def test_what_is_wrong_with_the_whole_form_is_said_first() -> None:
    form = Sample({"title": "nonsense", "place": "", "count": "1"})
    assert focused(form) == []
    assert re.search(r'class="errorlist nonfield field-error"[^>]* role="alert" tabindex="-1" autofocus', form.as_div())


@pytest.mark.django_db
def test_a_wrong_password_is_refused_with_a_status_and_the_address_is_kept(client: Client, owner: User) -> None:
    answer = client.post("/account/login/", {"login": owner.email, "password": "wrong"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert f'value="{owner.email}"' in page
    assert re.search(r'nonfield[^>]* role="alert"', page)


@pytest.mark.django_db
def test_a_sign_up_without_an_address_comes_back_to_it(client: Client) -> None:
    answer = client.post("/account/signup/", {"email": "", "password1": "a long and honest one"})
    assert answer.status_code == 422
    assert re.search(r'name="email"[^>]* autofocus', answer.content.decode())


def test_a_right_one_goes_on(client: Client, owner: User) -> None:
    answer = client.post("/account/login/", {"login": owner.email, "password": "correct horse"})
    assert answer.status_code == 302
