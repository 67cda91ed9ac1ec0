"""Error pages stand in our frame and tell what to do."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.views.defaults import permission_denied

from accounts.models import User


@pytest.mark.django_db
def test_an_unknown_address_shows_the_entrance_to_strangers() -> None:
    response = Client().get("/no/such/page/")
    assert response.status_code == 404
    assert 'class="entrance"' in response.content.decode()


def test_an_unknown_address_shows_the_frame_to_people_who_are_signed_in(signed_in: Client) -> None:
    response = signed_in.get("/no/such/page/")
    assert response.status_code == 404
    assert 'class="framed"' in response.content.decode()
    assert "There is nothing here" in response.content.decode()


def test_a_refusal_says_why(owner: User) -> None:
    request = RequestFactory().get("/")
    request.user, request.membership = owner, owner.memberships.get()
    page = permission_denied(request, PermissionDenied("Only owners may do this.")).content.decode()
    assert "Only owners may do this." in page
    request.user, request.membership = AnonymousUser(), None
    assert 'class="entrance"' in permission_denied(request, PermissionDenied()).content.decode()


@pytest.mark.parametrize("name", ["400.html", "403_csrf.html", "500.html"])
def test_the_last_resort_needs_no_request(name: str) -> None:
    page = render_to_string(name)
    assert "<h1>" in page
    assert "css/socialhub.css" in page


def test_too_many_tries_say_so() -> None:
    assert "Too many tries" in render_to_string("429.html")


@pytest.mark.django_db
def test_a_broken_form_token_gets_our_page() -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/account/login/", {"login": "a@example.com", "password": "x"})
    assert response.status_code == 403
    assert "Please send it again" in response.content.decode()
