"""Settings → API: keys of people, each shown once; and the same in the admin."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import api_keys
from accounts.models import ApiKey, Role, User, Workspace
from tests.accounts import hub
from tests.accounts.conftest import member, sign_in
from tests.factories import workspace_of
from tests.staff import change, changelist, press

pytestmark = pytest.mark.django_db

PAGE = reverse("accounts:api_keys")


def make(client: Client, **data: Any) -> Any:
    """With the password once more, where it is asked for; and what the page shows in the end."""
    response = client.post(PAGE, {"name": "Robot", "scopes": ["read", "write"], "days": "90", **data})
    if response.status_code == 302 and response["Location"] != PAGE:
        response = client.post(response["Location"], {"password": "correct horse"})
    return client.get(response["Location"]) if response.status_code == 302 else response


def revoke(client: Client, key: ApiKey) -> Any:
    return client.post(reverse("accounts:api_key_revoke", args=[key.pk]))


@pytest.fixture
def staff(signed_in: Client, owner: User) -> Client:
    owner.is_staff = owner.is_superuser = True
    owner.save()
    return signed_in


def test_a_new_key_is_shown_once_and_stored_as_a_digest(signed_in: Client, workspace: Workspace, owner: User) -> None:
    response = make(signed_in)
    text = response.context["text"]
    assert text in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    key = ApiKey.objects.get()
    assert api_keys.find(text) == key
    assert (key.workspace, key.user, key.name, key.scopes) == (workspace, owner, "Robot", ["read", "write"])
    assert timedelta(days=89) < key.expires_at - timezone.now() <= timedelta(days=90)  # type: ignore[operator]
    assert text not in signed_in.get(PAGE).content.decode()
    assert text not in hub.dump()


def test_what_a_key_may_do_is_said_in_german(signed_in: Client, workspace: Workspace, owner: User) -> None:
    api_keys.make(workspace, owner, "Robot", ["read", "write"], None)
    page = signed_in.get(PAGE, headers={"Accept-Language": "de"}).content.decode()
    assert "<span>Lesen, Schreiben</span>" in page


def test_an_open_browser_makes_no_key_without_the_password(signed_in: Client) -> None:
    asked = signed_in.post(PAGE, {"name": "Robot", "scopes": ["read"], "days": "30"})
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    assert not ApiKey.objects.exists()
    wrong = signed_in.post(asked["Location"], {"password": "not mine"})
    assert not ApiKey.objects.exists()
    assert wrong.status_code in (200, 422)
    right = signed_in.post(asked["Location"], {"password": "correct horse"})
    assert (right.status_code, right["Location"], ApiKey.objects.get().scopes) == (302, PAGE, ["read"])
    assert signed_in.head(PAGE).status_code == 200  # shows nobody anything
    shown = signed_in.get(PAGE)
    assert shown.context["text"] in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert shown.context["text"] not in hub.dump()
    assert "shk_" not in str(dict(signed_in.session))
    assert not signed_in.get(PAGE).context["text"]


@pytest.mark.parametrize("how", ["used by now", "another workspace", "revoked", "another person"])
def test_only_a_key_that_was_just_made_here_is_shown(
    signed_in: Client, workspace: Workspace, owner: User, stranger: User, how: str
) -> None:
    """Its text would be made anew, and the program that has the one before would be locked out."""
    key, text = api_keys.make(workspace, owner, "Robot", ["read"])
    changes: dict[str, dict[str, Any]] = {
        "used by now": {"created_at": timezone.now() - timedelta(minutes=11)},
        "another workspace": {"workspace": workspace_of(stranger)},
        "revoked": {"revoked_at": timezone.now()},
        "another person": {"user": stranger},
    }
    ApiKey.objects.update(**changes[how])
    session = signed_in.session
    session["new_api_key"] = str(key.pk)
    session.save()
    assert not signed_in.get(PAGE).context["text"]
    assert ApiKey.objects.get().digest == api_keys.digest_of(text)


def test_what_is_wrong_is_said_before_the_password_is_asked_for(signed_in: Client) -> None:
    response = signed_in.post(PAGE, {"name": "", "scopes": ["read"], "days": "30"})
    assert (response.status_code, response.request["PATH_INFO"]) == (422, PAGE)


def test_a_key_without_an_end(signed_in: Client) -> None:
    make(signed_in, days="0")
    assert ApiKey.objects.get().expires_at is None


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"name": "x" * 101}, {"scopes": []}, {"scopes": ["everything"]}, {"days": "12345"}]
)
def test_what_is_wrong_with_the_form_is_said(signed_in: Client, wrong: dict[str, Any]) -> None:
    response = make(signed_in, **wrong)
    assert response.status_code == 422
    assert next(iter(wrong)) in response.context["form"].errors
    assert not ApiKey.objects.exists()


def test_a_viewer_gets_keys_that_read(workspace: Workspace) -> None:
    viewer = sign_in(member(workspace, Role.VIEWER))
    assert make(viewer).status_code == 422
    assert make(viewer, scopes=["read"]).status_code == 200


def test_nobody_needs_more_than_some(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.views.api_keys.MOST", 2)
    assert [make(signed_in).status_code for _ in range(3)] == [200, 200, 422]
    revoke(signed_in, ApiKey.objects.all()[0])
    assert make(signed_in).status_code == 200


def test_managers_see_all_keys_and_others_their_own(workspace: Workspace, owner: User) -> None:
    editor = member(workspace, Role.EDITOR)
    api_keys.make(workspace, owner, "Key of the owner", ["read"])
    theirs, _text = api_keys.make(workspace, editor, "Key of the editor", ["read"])
    for_owner = sign_in(owner).get(PAGE).content.decode()
    assert "Key of the owner" in for_owner
    assert "Key of the editor" in for_owner
    assert editor.email in for_owner
    for_editor = sign_in(editor).get(PAGE).content.decode()
    assert "Key of the owner" not in for_editor
    assert "Key of the editor" in for_editor
    assert revoke(sign_in(member(workspace, Role.EDITOR)), theirs).status_code == 404
    assert revoke(sign_in(owner), theirs).status_code == 302
    theirs.refresh_from_db()
    assert theirs.revoked_by == owner


def test_a_revoked_key_opens_nothing_and_is_listed_as_such(signed_in: Client) -> None:
    text = make(signed_in).context["text"]
    revoke(signed_in, ApiKey.objects.get())
    assert api_keys.find(text) is None
    response = signed_in.get(PAGE)
    assert (response.context["live"], [row.ended for row in response.context["ended"]]) == (
        [],
        [f"Revoked by {ApiKey.objects.get().user}"],
    )


def test_keys_that_have_ended_otherwise_say_why(workspace: Workspace, owner: User) -> None:
    gone = member(workspace, Role.EDITOR)
    api_keys.make(workspace, gone, "Of somebody who left", ["read"])
    gone.memberships.all().delete()
    api_keys.make(workspace, owner, "Old", ["read"], timezone.now() - timedelta(days=1))
    response = sign_in(owner).get(PAGE)
    assert not response.context["live"]
    assert {row.ended for row in response.context["ended"]} == {"Expired", "Its person is not a member any more"}


# The admin


def test_staff_find_a_key_without_seeing_what_opens_with_it(staff: Client, workspace: Workspace, owner: User) -> None:
    key, text = api_keys.make(workspace, owner, "Robot", ["read"])
    for response in (staff.get(changelist(ApiKey), {"q": owner.email}), staff.get(change(key))):
        page = response.content.decode()
        assert "Robot" in page
        assert key.start in page
        assert text not in page
        assert key.digest not in page


def test_staff_revoke_a_key(staff: Client, workspace: Workspace, owner: User) -> None:
    key, text = api_keys.make(workspace, owner, "Robot", ["read"])
    old, _text = api_keys.make(workspace, owner, "Old one", ["read"])
    api_keys.revoke(old, owner)
    answer = press(staff, ApiKey, "revoke", key, old)
    assert "Revoke 1 key?" in answer.question
    assert "it is revoked already" in answer.question
    assert "1 key is revoked." in answer.report
    assert api_keys.find(text) is None


def test_nobody_makes_or_changes_keys_in_the_admin(staff: Client) -> None:
    assert ApiKey in admin.site._registry
    assert staff.get(reverse("admin:accounts_apikey_add")).status_code == 403
