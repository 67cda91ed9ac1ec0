"""Who is spoken to in which language: people by their choice or their browser, workspaces by theirs."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.language import language_of, speaking_to
from accounts.models import Membership, Notification, Role, User, Workspace
from accounts.notify import tell
from accounts.people import create_workspace
from accounts.tokens import lost
from socialhub.platforms.errors import ReconnectError
from tests.factories import make_account, make_user

PROFILE = "accounts:profile"


def german(client: Client, address: str = "accounts:profile") -> str:
    return client.get(reverse(address), headers={"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}).content.decode()


def test_pages_follow_the_browser(signed_in):
    assert '<html lang="de"' in german(signed_in)
    assert '<html lang="en"' in signed_in.get(reverse(PROFILE)).content.decode()


def test_signed_out_pages_follow_the_browser(db, client):
    response = client.get(reverse("account_login"), headers={"Accept-Language": "de"})
    assert '<html lang="de"' in response.content.decode()
    assert response["Content-Language"] == "de"
    assert "Accept-Language" in response["Vary"]


def test_an_unknown_language_is_english(db, client):
    response = client.get(reverse("account_login"), headers={"Accept-Language": "tlh"})
    assert '<html lang="en"' in response.content.decode()


def test_what_a_person_has_chosen_wins_over_the_browser(signed_in, owner):
    owner.language = "en"
    owner.save(update_fields=["language"])
    assert '<html lang="en"' in german(signed_in)


def test_a_language_that_was_taken_away_is_not_spoken(signed_in, owner):
    owner.language = "xx"
    owner.save(update_fields=["language"])
    assert '<html lang="de"' in german(signed_in)


def test_the_language_ends_with_the_request(signed_in):
    german(signed_in)
    assert translation.get_language() == "en"


def test_a_page_that_is_not_there_speaks_it_too(signed_in):
    response = signed_in.get("/no/such/page/", headers={"Accept-Language": "de"})
    assert response.status_code == 404
    assert '<html lang="de"' in response.content.decode()


def test_the_profile_keeps_the_choice_and_answers_in_it(signed_in, owner):
    answer = signed_in.post(
        reverse(PROFILE), {"name": "Ada", "time_zone": "UTC", "language": "de", "mailed_kinds": []}, follow=True
    )
    owner.refresh_from_db()
    assert owner.language == "de"
    assert '<html lang="de"' in answer.content.decode()
    with translation.override("de"):
        assert translation.gettext("Your profile is saved.") in answer.content.decode()


def test_the_profile_refuses_other_languages(signed_in, owner):
    response = signed_in.post(reverse(PROFILE), {"time_zone": "UTC", "language": "tlh"})
    assert response.status_code == 422
    owner.refresh_from_db()
    assert owner.language == ""


def test_the_workspace_keeps_its_language(signed_in, workspace):
    signed_in.post(reverse("accounts:workspace_rename"), {"name": "Garage", "language": "de"})
    workspace.refresh_from_db()
    assert (workspace.name, workspace.language) == ("Garage", "de")


@pytest.mark.parametrize(("chosen", "browser", "kept"), [("", "de", "de"), ("en", "de", "en"), ("", "en", "en")])
def test_a_new_workspace_takes_the_language_of_its_creator(db, chosen, browser, kept):
    user = User.objects.create_user("ada@example.com", language=chosen)
    with translation.override(browser):
        assert create_workspace(user).language == kept


def test_a_workspace_without_one_is_spoken_to_in_that_of_the_site(db):
    assert language_of(Workspace(language="")) == "en"
    assert language_of(Workspace(language="xx")) == "en"
    with speaking_to(Workspace(language="de")):
        assert translation.get_language() == "de"


def test_a_notification_is_kept_and_mailed_in_the_language_of_the_workspace(
    owner, workspace, django_capture_on_commit_callbacks
):
    workspace.language = "de"
    workspace.save(update_fields=["language"])
    account = make_account(workspace)
    with translation.override("en"), django_capture_on_commit_callbacks(execute=True):
        lost(account, ReconnectError("…"))
    with translation.override("de"):
        title = translation.gettext("Reconnect %(name)s") % {"name": account.name}
        home = translation.gettext("Workspace: %(name)s") % {"name": workspace.name}
    assert title != f"Reconnect {account.name}"
    assert Notification.objects.get().title == title
    assert title in mail.outbox[0].subject
    assert home in mail.outbox[0].body


def test_a_new_member_is_welcomed_in_their_own_language(
    signed_in, owner, workspace, django_capture_on_commit_callbacks
):
    friend = make_user()
    friend.language = "de"
    friend.save(update_fields=["language"])
    with django_capture_on_commit_callbacks(execute=True):
        signed_in.post(reverse("accounts:member_add"), {"email": friend.email, "role": Role.EDITOR})
    with translation.override("de"):
        subject = translation.gettext("You now belong to “%(workspace)s”") % {"workspace": workspace.name}
    assert Membership.objects.filter(workspace=workspace, user=friend).exists()
    assert subject in mail.outbox[0].subject
    assert not subject.startswith("You")


def test_a_password_is_reset_in_the_language_of_its_owner(db, client):
    user = make_user()
    user.language = "de"
    user.save(update_fields=["language"])
    client.post(reverse("account_reset_password"), {"email": user.email}, headers={"Accept-Language": "en"})
    with translation.override("de"):
        assert translation.gettext("Set a new password") in mail.outbox[0].subject


def test_telling_costs_no_statement_for_the_language(owner, workspace, django_assert_num_queries):
    tell(workspace, Notification.Kind.RECONNECT, "one", title="…")
    with django_assert_num_queries(1):
        tell(workspace, Notification.Kind.RECONNECT, "one", title="…")
