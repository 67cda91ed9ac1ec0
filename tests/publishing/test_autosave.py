"""What somebody types is kept beside the post, and comes back; saving or throwing away ends it."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ConnectedAccount, Membership, Role, User, Workspace
from publishing import autosave, compose, schedule
from publishing.claims import claim_due
from publishing.models import Autosave, Post, PostMedia, Status
from publishing.tasks import tidy
from tests.factories import make_account, make_media, make_post, workspace_of
from tests.publishing.test_composer import HTMX, NEW, edit_url, later, typed

KEEP = reverse("publishing:autosave")
DROP = reverse("publishing:autosave_drop")


@pytest.fixture
def facebook(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace, name="Garage Page", username="garage")


def fields_of(*accounts: ConnectedAccount, **fields: Any) -> dict[str, Any]:
    """As the script sends it: everything but the button."""
    data = typed(*accounts, **fields)
    del data["action"]
    return data


def begun(client: Client, data: dict[str, Any], post: Post | None = None) -> str:
    """Typed, and kept; returns the address that brings it back."""
    response = client.post(f"{KEEP}?post={post.pk}" if post else KEEP, data)
    assert response.status_code == 200
    return str(response.json()["address"])


# Kept, and back


def test_what_is_typed_comes_back_as_it_was(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount
) -> None:
    one, two = make_media(workspace), make_media(workspace)
    data = {
        **fields_of(facebook, caption="Half a sente", hashtags="#v8", link="not a li", when="later", clock="25:"),
        "media": [str(two.pk), str(one.pk)],
        f"alt-{two.pk}": "The engine",
        f"caption-{facebook.pk}": "For the Page",
        "csrfmiddlewaretoken": "x",
    }
    response = signed_in.post(KEEP, data)
    answer = response.json()
    assert answer["text"].startswith("Saved as you type, ")
    assert answer["address"] == f"{NEW}?draft={data['key']}"
    assert not Post.objects.exists()
    page = signed_in.get(answer["address"])
    form = page.context["form"]
    assert [form[name].value() for name in ("caption", "hashtags", "link", "when", "clock")] == [
        "Half a sente",
        "#v8",
        "not a li",
        "later",
        "25:",
    ]
    assert str(form["key"].value()) == data["key"]
    assert [picture.pk for picture in form.pictures] == [two.pk, one.pk]
    assert form[f"alt-{two.pk}"].value() == "The engine"
    assert form[f"caption-{facebook.pk}"].value() == "For the Page"
    assert form.chosen_ids == {facebook.pk}
    assert "Saved as you type, " in page.content.decode()
    kept = Autosave.objects.get()
    assert kept.media_ids == [two.pk, one.pk]
    assert not {"csrfmiddlewaretoken", "action"} & set(kept.typed)


def test_an_account_taken_out_and_an_alt_text_emptied_stay_so(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount
) -> None:
    media = make_media(workspace, alt_text="A car")
    data = {**fields_of(), "media": [str(media.pk)], f"alt-{media.pk}": ""}
    form = signed_in.get(begun(signed_in, data)).context["form"]
    assert form.chosen_ids == frozenset()
    assert form[f"alt-{media.pk}"].value() == ""


def test_the_last_one_to_write_wins(signed_in: Client) -> None:
    data = fields_of(caption="One tab")
    begun(signed_in, data)
    begun(signed_in, {**data, "caption": "Another tab"})
    assert Autosave.objects.get().typed["caption"] == ["Another tab"]


def test_a_new_post_is_offered_and_not_overwritten(signed_in: Client, facebook: ConnectedAccount) -> None:
    address = begun(signed_in, fields_of(facebook, caption="\nThe first line\nThe second"))
    page = signed_in.get(NEW)
    assert page.context["form"]["caption"].value() is None
    text = page.content.decode()
    assert "You were writing a post" in text
    assert "The first line" in text
    assert "The second" not in text
    assert address in text
    assert "You were writing a post" not in signed_in.get(address).content.decode()


def test_changes_of_a_post_are_offered_on_its_page_only(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount
) -> None:
    post = make_post(workspace, facebook, caption="As saved")
    address = begun(signed_in, fields_of(facebook, caption="Changed"), post)
    assert address.startswith(edit_url(post))
    page = signed_in.get(edit_url(post))
    assert page.context["form"]["caption"].value() == "As saved"
    assert "that are not saved" in page.content.decode()
    assert "changed after that" not in page.content.decode()
    assert "You were writing" not in signed_in.get(NEW).content.decode()
    assert signed_in.get(address).context["form"]["caption"].value() == "Changed"
    post.save()
    assert "The post itself was changed after that." in signed_in.get(edit_url(post)).content.decode()
    key = Autosave.objects.get().key
    assert signed_in.get(f"{NEW}?draft={key}").url == address


def test_a_scheduled_post_goes_out_as_it_was_saved(
    signed_in: Client, owner: User, workspace: Workspace, facebook: ConnectedAccount
) -> None:
    post = make_post(workspace, facebook, caption="As saved")
    schedule.schedule(post, timezone.now() + timedelta(days=1), by=owner)
    before = Post.objects.values().get()
    begun(signed_in, fields_of(facebook, caption="Changed"), post)
    assert Post.objects.values().get() == before


def test_a_reload_before_the_first_word_was_kept_is_a_fresh_form_of_the_same_key(signed_in: Client) -> None:
    key = str(uuid.uuid4())
    form = signed_in.get(NEW, {"draft": key}).context["form"]
    assert str(form["key"].value()) == key
    assert signed_in.get(NEW, {"draft": "nonsense"}).status_code == 200


# The end of it


@pytest.mark.parametrize("action", ["draft", "publish", "now", "schedule"])
def test_saving_ends_it(signed_in: Client, facebook: ConnectedAccount, action: str) -> None:
    data = fields_of(facebook)
    if action == "schedule":
        data |= later(timezone.now() + timedelta(days=2))
    begun(signed_in, data)
    assert signed_in.post(NEW, {**data, "action": "publish" if action == "schedule" else action}).status_code == 302
    assert not Autosave.objects.exists()


def test_saving_a_post_ends_everything_that_was_typed_for_it(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount
) -> None:
    post = make_post(workspace, facebook)
    for caption in ("One tab", "Another tab"):
        begun(signed_in, fields_of(facebook, caption=caption), post)
    begun(signed_in, fields_of(caption="A new post"))
    assert signed_in.post(edit_url(post), typed(facebook, caption="Saved")).status_code == 302
    assert [kept.typed["caption"] for kept in Autosave.objects.all()] == [["A new post"]]


def test_what_cannot_be_saved_is_not_dropped(signed_in: Client, facebook: ConnectedAccount) -> None:
    data = fields_of(facebook, link="not a link")
    begun(signed_in, data)
    assert signed_in.post(NEW, {**data, "action": "publish"}).status_code == 422
    assert Autosave.objects.exists()


def test_it_is_dropped_with_the_post_or_not_at_all(
    owner: User, workspace: Workspace, facebook: ConnectedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = uuid.uuid4()
    autosave.keep(workspace, owner, key, {"caption": ["Hello"]})

    def fail(*args: Any, **kwargs: Any) -> None:
        raise schedule.LostRace

    monkeypatch.setattr(schedule, "publish_now", fail)
    with pytest.raises(schedule.LostRace):
        compose.create(workspace, owner, compose.Composition(caption="Hello", key=key, intent=compose.Intent.NOW))
    assert Autosave.objects.exists()


def test_a_message_that_comes_after_the_saving_brings_nothing_back(
    signed_in: Client, facebook: ConnectedAccount
) -> None:
    data = fields_of(facebook)
    signed_in.post(NEW, {**data, "action": "draft"})
    assert signed_in.post(KEEP, data).json() == {"text": "", "address": ""}
    assert not Autosave.objects.exists()
    # And who goes back in the browser comes to the post, not to an empty form that would be the old one.
    assert signed_in.get(NEW, {"draft": data["key"]}).url == Post.objects.get().get_absolute_url()


def test_an_edit_that_was_saved_begins_with_a_new_key(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount
) -> None:
    """The same key again would be taken for the same edit sent twice."""
    post = make_post(workspace, facebook)
    data = fields_of(facebook, caption="Once")
    address = begun(signed_in, data, post)
    signed_in.post(edit_url(post), {**data, "action": "draft"})
    form = signed_in.get(address).context["form"]
    assert str(form["key"].value()) != data["key"]
    assert form["caption"].value() == "Once"


def test_deleting_the_post_ends_it(signed_in: Client, workspace: Workspace, facebook: ConnectedAccount) -> None:
    post = make_post(workspace, facebook)
    begun(signed_in, fields_of(facebook), post)
    signed_in.post(reverse("publishing:post_bulk"), {"one": f"delete:{post.pk}", "step": "do"})
    assert not Post.objects.exists()
    assert not Autosave.objects.exists()


def test_what_another_has_typed_for_a_post_outlives_it(
    signed_in: Client, client: Client, workspace: Workspace, stranger: User, facebook: ConnectedAccount
) -> None:
    Membership.objects.create(workspace=workspace, user=stranger, role=Role.EDITOR)
    comes_back(client, stranger)
    session = client.session
    session["workspace"] = str(workspace.pk)
    session.save()
    post = make_post(workspace, facebook)
    begun(client, fields_of(facebook, caption="An hour of work"), post)
    signed_in.post(reverse("publishing:post_bulk"), {"one": f"delete:{post.pk}", "step": "do"})
    assert not Post.objects.exists()
    assert "An hour of work" in client.get(NEW).content.decode()


def test_thrown_away(signed_in: Client, workspace: Workspace, facebook: ConnectedAccount) -> None:
    post = make_post(workspace, facebook)
    for owner_post, target in ((None, NEW), (post, edit_url(post))):
        data = fields_of(facebook)
        begun(signed_in, data, owner_post)
        assert signed_in.post(DROP, {"key": data["key"]}).url == target
        assert not Autosave.objects.exists()
    data = fields_of(facebook)
    begun(signed_in, data)
    response = signed_in.post(DROP, {"key": data["key"]}, headers=HTMX)
    assert (response.status_code, response.content) == (200, b"")
    assert signed_in.post(DROP, {"key": data["key"]}).url == NEW  # a second press
    assert signed_in.post(DROP, {"key": "nonsense"}).url == NEW


def test_what_was_typed_for_a_post_that_went_out_is_offered_for_a_new_one(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount
) -> None:
    post = make_post(workspace, facebook)
    address = begun(signed_in, fields_of(facebook, caption="Too late"), post)
    post.publications.update(status=Status.PUBLISHED)
    page = signed_in.get(address, follow=True).content.decode()
    assert "What you had changed is not lost" in page
    assert "Too late" in signed_in.get(NEW).content.decode()


# Bounds


def test_nothing_worth_keeping_is_not_kept(signed_in: Client, facebook: ConnectedAccount) -> None:
    data = fields_of(facebook, caption=" ")
    assert signed_in.post(KEEP, data).json() == {"text": "", "address": ""}
    begun(signed_in, {**data, "caption": "Something"})
    signed_in.post(KEEP, data)
    assert not Autosave.objects.exists()


def test_too_much_is_said_so(signed_in: Client) -> None:
    response = signed_in.post(KEEP, fields_of(caption="x" * 210_000))
    assert response.status_code == 413
    assert "Save the post" in response.json()["text"]
    assert not Autosave.objects.exists()


@pytest.mark.parametrize("key", ["", "nonsense"])
def test_a_form_without_its_key_is_refused(signed_in: Client, key: str) -> None:
    response = signed_in.post(KEEP, fields_of(key=key))
    assert response.status_code == 422
    assert response.json()["text"]


def test_a_zero_byte_is_no_trouble(signed_in: Client) -> None:
    begun(signed_in, fields_of(caption="a\x00b"))
    assert Autosave.objects.get().typed["caption"] == ["ab"]


def test_one_person_has_twenty_at_most(signed_in: Client) -> None:
    for number in range(22):
        begun(signed_in, fields_of(caption=f"Text {number}"))
    left = {kept.typed["caption"][0] for kept in Autosave.objects.all()}
    assert left == {f"Text {number}" for number in range(2, 22)}


def test_what_nobody_goes_on_with_is_tidied_away(signed_in: Client) -> None:
    begun(signed_in, fields_of(caption="Old"))
    Autosave.objects.update(updated_at=timezone.now() - timedelta(days=31))
    begun(signed_in, fields_of(caption="New"))
    tidy()
    assert Autosave.objects.get().typed["caption"] == ["New"]


# Other people


def test_a_stranger_finds_nothing(
    signed_in: Client, signed_in_stranger: Client, workspace: Workspace, facebook: ConnectedAccount
) -> None:
    data = fields_of(facebook, caption="Secret")
    begun(signed_in, data)
    post = make_post(workspace, facebook)
    page = signed_in_stranger.get(NEW, {"draft": data["key"]})
    assert "Secret" not in page.content.decode()
    assert str(page.context["form"]["key"].value()) != data["key"]  # as if it were not there
    signed_in_stranger.post(DROP, {"key": data["key"]})
    assert signed_in_stranger.post(f"{KEEP}?post={post.pk}", fields_of()).status_code == 404
    assert Autosave.objects.get().typed["caption"] == ["Secret"]


def test_nobody_is_in_the_way_of_what_another_typed(
    signed_in: Client, signed_in_stranger: Client, owner: User, stranger: User
) -> None:
    """In one window: the session of the first ends before anything is kept, the second signs in, the first comes back."""
    data = fields_of(caption="Theirs")
    begun(signed_in_stranger, data)
    assert begun(signed_in, {**data, "caption": "Mine"})
    signed_in_stranger.post(DROP, {"key": data["key"]})
    assert signed_in.get(NEW, {"draft": data["key"]}).context["form"]["caption"].value() == "Mine"
    assert [kept.user for kept in Autosave.objects.all()] == [owner]


def test_colleagues_do_not_see_each_others(signed_in: Client, signed_in_stranger: Client, stranger: User) -> None:
    data = fields_of(caption="Secret")
    begun(signed_in, data)
    Membership.objects.create(workspace=Autosave.objects.get().workspace, user=stranger, role=Role.EDITOR)
    session = signed_in_stranger.session
    session["workspace"] = str(Autosave.objects.get().workspace_id)
    session.save()
    assert "Secret" not in signed_in_stranger.get(NEW).content.decode()
    assert "Secret" not in signed_in_stranger.get(NEW, {"draft": data["key"]}).content.decode()


def test_it_stays_in_its_workspace(signed_in: Client, owner: User, stranger: User) -> None:
    data = fields_of(caption="Secret")
    begun(signed_in, data)
    Membership.objects.create(workspace=workspace_of(stranger), user=owner, role=Role.EDITOR)
    session = signed_in.session
    session["workspace"] = str(workspace_of(stranger).pk)
    session.save()
    assert "Secret" not in signed_in.get(NEW).content.decode()
    assert "Secret" not in signed_in.get(NEW, {"draft": data["key"]}).content.decode()
    signed_in.post(DROP, {"key": data["key"]})
    assert signed_in.post(KEEP, data).status_code == 404
    assert Autosave.objects.get().typed["caption"] == ["Secret"]


def test_foreign_media_are_not_kept(signed_in: Client, stranger: User) -> None:
    media = make_media(workspace_of(stranger))
    begun(signed_in, {**fields_of(), "media": [str(media.pk)]})
    assert Autosave.objects.get().media_ids == []


def test_viewers_keep_nothing(signed_in: Client, owner: User) -> None:
    Membership.objects.filter(user=owner).update(role=Role.VIEWER)
    assert signed_in.post(KEEP, fields_of()).status_code == 403


def test_a_post_can_still_use_media_that_were_kept(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount
) -> None:
    media = make_media(workspace)
    data = {**fields_of(facebook), "media": [str(media.pk)]}
    begun(signed_in, data)
    signed_in.post(NEW, {**data, "action": "draft"})
    assert PostMedia.objects.get().media == media


# Too late, or twice


def test_changes_that_come_when_the_post_is_on_its_way_are_not_lost_without_scripts(
    signed_in: Client, workspace: Workspace, owner: User, facebook: ConnectedAccount
) -> None:
    post = make_post(workspace, facebook)
    schedule.publish_now(post, by=owner)
    assert claim_due(1)
    response = signed_in.post(edit_url(post), typed(facebook, caption="An hour of work"), follow=True)
    page = response.content.decode()
    assert "can no longer be changed" in page
    assert "What you had changed is not lost" in page
    assert "An hour of work" in signed_in.get(NEW).content.decode()


def test_an_edit_that_is_sent_twice_is_one_edit(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount
) -> None:
    """The second comes when a worker has begun because of the first: there is nothing to complain about."""
    post = make_post(workspace, facebook)
    data = typed(facebook, caption="Now")
    signed_in.post(edit_url(post), data)
    assert claim_due(1)
    response = signed_in.post(edit_url(post), data, follow=True)
    assert response.redirect_chain == [(post.get_absolute_url(), 302)]
    assert not list(response.context["messages"])
    assert not Autosave.objects.exists()
    # Unless somebody has gone on in the form, as the next page did not come.
    page = signed_in.post(edit_url(post), {**data, "caption": "Second thoughts"}, follow=True).content.decode()
    assert "What you had changed is not lost" in page
    assert "Second thoughts" in signed_in.get(NEW).content.decode()


def test_a_form_makes_one_post_also_when_that_was_changed_in_between(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount
) -> None:
    """Who goes back in the browser to the page on which it was written, and sends that once more."""
    first = typed(facebook, **later(timezone.now() + timedelta(days=2)))
    signed_in.post(NEW, first)
    post = Post.objects.get()
    signed_in.post(edit_url(post), typed(facebook, caption="Better", action="draft"))
    assert signed_in.post(KEEP, first).json()["address"] == ""
    again = signed_in.post(NEW, first)
    assert "This form was saved as a post before" in again.content.decode()
    post.refresh_from_db()
    assert (Post.objects.count(), post.caption) == (1, "Better")


def test_what_stands_differently_in_another_tab_is_not_lost(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount
) -> None:
    media = make_media(workspace)
    data = typed(facebook, caption="Hello", media=[str(media.pk)], **later(timezone.now() + timedelta(days=2)))
    made = signed_in.post(NEW, data).url
    assert signed_in.post(NEW, data).url == made  # the same twice
    for other in ({"caption": "An hour of work"}, {"media": []}, {"clock": "23:59"}, {f"caption-{facebook.pk}": "Own"}):
        response = signed_in.post(NEW, {**data, **other})
        assert response.status_code == 422
        assert "it becomes a second post" in response.content.decode()
    again = {**data, "caption": "An hour of work", "key": response.context["form"]["key"].value()}
    assert again["key"] != data["key"]
    assert signed_in.post(NEW, again).status_code == 302
    assert set(Post.objects.values_list("caption", flat=True)) == {"Hello", "An hour of work"}


@pytest.mark.parametrize("is_edit", [False, True])
def test_what_came_while_the_post_was_saved_never_shows_as_unsaved(
    signed_in: Client, workspace: Workspace, owner: User, facebook: ConnectedAccount, *, is_edit: bool
) -> None:
    data = typed(facebook, **later(timezone.now() + timedelta(days=2)))
    post = make_post(workspace, facebook) if is_edit else None
    signed_in.post(edit_url(post) if post else NEW, data)
    saved = Post.objects.get()
    # Asked before the other was through, and written after it.
    Autosave.objects.create(workspace=workspace, user=owner, key=data["key"], post=post, typed={"caption": ["Hello"]})
    assert not autosave.of(workspace, owner).exists()
    if is_edit:
        schedule.cancel(saved, by=owner)
    else:
        signed_in.post(edit_url(saved), typed(facebook, action="draft"))
    schedule.publish_now(saved, by=owner)
    assert claim_due(1)
    signed_in.get(edit_url(saved))  # offers for a new post what was not saved
    assert not autosave.of(workspace, owner).exists()


# --- A session that ended, where no script keeps anything -------------------------------------------------------


def sent_by_nobody(browser: Client, page: Client, address: str, data: dict[str, Any]) -> None:
    """The form of `page` is sent by a browser whose session is over."""
    form = page.get(address)
    owner = re.findall(r'name="owner" value="([^"]+)"', form.content.decode())[0]
    response = browser.post(address, {**data, "owner": owner}, headers={"Referer": f"http://testserver{address}"})
    assert response["Location"].endswith(f"?next={address}")


def comes_back(browser: Client, user: User) -> None:
    browser.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")


def test_what_was_sent_too_late_stands_there_again(
    client: Client, signed_in: Client, owner: User, facebook: ConnectedAccount
) -> None:
    data = fields_of(facebook, caption="Written for an hour")
    sent_by_nobody(client, signed_in, NEW, data)
    assert not Post.objects.exists()
    comes_back(client, owner)
    response = client.get(NEW, follow=True)
    assert response.request["QUERY_STRING"] == f"draft={data['key']}"
    assert response.context["form"]["caption"].value() == "Written for an hour"
    assert "What you wrote stands here again" in response.content.decode()
    assert "caption" not in client.get(NEW).context["form"].initial  # once


def test_a_change_that_was_sent_too_late_comes_back_to_its_post_and_workspace(
    client: Client, signed_in: Client, owner: User, stranger: User
) -> None:
    second = workspace_of(stranger)
    Membership.objects.create(workspace=second, user=owner, role=Role.EDITOR)
    session = signed_in.session
    session["workspace"] = str(second.pk)
    session.save()
    account = make_account(second)
    post = make_post(second, account, caption="Before")
    address = reverse("publishing:post_edit", args=[post.pk])
    sent_by_nobody(client, signed_in, address, fields_of(account, caption="After"))
    comes_back(client, owner)
    response = client.get(address, follow=True)
    assert (response.context["form"].post, response.context["form"]["caption"].value()) == (post, "After")
    post.refresh_from_db()
    assert post.caption == "Before"


def test_what_was_sent_too_late_comes_back_in_no_other_workspace(
    client: Client, signed_in: Client, owner: User, stranger: User, facebook: ConnectedAccount
) -> None:
    second = workspace_of(stranger)
    Membership.objects.create(workspace=second, user=owner, role=Role.EDITOR)
    sent_by_nobody(client, signed_in, NEW, fields_of(facebook, caption="For the first only"))
    comes_back(client, owner)
    first = client.session["workspace"]
    for where, is_there in ((str(second.pk), False), (first, True)):
        session = client.session
        session["workspace"] = where
        session.save()
        assert ("For the first only" in client.get(NEW, follow=True).content.decode()) is is_there


def test_nobody_else_is_given_what_was_sent_too_late(
    client: Client, signed_in: Client, stranger: User, facebook: ConnectedAccount
) -> None:
    sent_by_nobody(client, signed_in, NEW, fields_of(facebook, caption="Secret"))
    comes_back(client, stranger)
    assert "Secret" not in client.get(NEW, follow=True).content.decode()
    assert not Autosave.objects.exists()


def test_a_form_that_comes_back_unchanged_is_the_same(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the script would keep a form in which nobody has changed anything."""
    data = fields_of(action="refresh")
    owners = []
    for moment in ("1wLqaA", "1wLqaB"):
        monkeypatch.setattr(signing.TimestampSigner, "timestamp", lambda _signer, moment=moment: moment)
        owners.append(signed_in.post(NEW, data, headers=HTMX).context["form_owner"])
    assert owners[0] == owners[1]


def test_what_comes_from_no_form_of_ours_is_not_kept(client: Client, owner: User) -> None:
    client.post(NEW, fields_of(caption="Made up", owner="made:up"))
    comes_back(client, owner)
    assert "Made up" not in client.get(NEW, follow=True).content.decode()
    assert not Autosave.objects.exists()
