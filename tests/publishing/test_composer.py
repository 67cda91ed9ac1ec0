"""The composer: what it starts with, what it refuses, what it saves."""

from __future__ import annotations

import io
import re
import threading
import uuid
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts.models import ConnectedAccount, Credential, Grant, Membership, Role, User, Workspace
from publishing import compose, limits, schedule
from publishing.compose import Composition, Intent, local_instants
from publishing.forms.composer_rows import picture_rows
from publishing.models import (
    CaptionTemplate,
    HashtagGroup,
    ImageSet,
    ImageSetItem,
    MediaFile,
    Post,
    PostMedia,
    Publication,
    QueueEntry,
    Status,
)
from publishing.schedule import LostRace
from publishing.views.composer_review import as_data
from tests.factories import make_account, make_media, make_post, workspace_of
from tests.publishing.test_posts import own_queries

NEW = reverse("publishing:post_new")
CHECK = reverse("publishing:post_check")
HTMX = {"HX-Request": "true"}
BERLIN = ZoneInfo("Europe/Berlin")


def typed(*accounts: ConnectedAccount, **fields: Any) -> dict[str, Any]:
    return {
        "key": str(uuid.uuid4()),
        "action": "publish",
        "caption": "Hello",
        "when": "now",
        "accounts": [str(account.pk) for account in accounts],
        **fields,
    }


def later(moment: datetime, zone: str = "UTC", **fields: Any) -> dict[str, Any]:
    return {
        "when": "later",
        "day": moment.strftime("%Y-%m-%d"),
        "clock": moment.strftime("%H:%M"),
        "time_zone": zone,
        **fields,
    }


def make_set(workspace: Workspace, number: int = 3) -> ImageSet:
    image_set = ImageSet.objects.create(
        workspace=workspace,
        title="1969 Camaro Restoration",
        details=[["Vehicle", "1969 Chevrolet Camaro"]],
        hashtags=["camaro", "restoration"],
    )
    for position in range(1, number + 1):
        ImageSetItem.objects.create(image_set=image_set, media=make_media(workspace), position=position)
    return image_set


def image_file(name: str = "car.jpg") -> SimpleUploadedFile:
    file = io.BytesIO()
    Image.new("RGB", (900, 600), "teal").save(file, "JPEG")
    return SimpleUploadedFile(name, file.getvalue(), content_type="image/jpeg")


@pytest.fixture
def facebook(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace, name="Garage Page", username="garage")


@pytest.fixture
def instagram(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace, platform="instagram", name="Garage", username="garage.ig")


# What it starts with


def test_an_empty_composer_has_the_usable_accounts_chosen(signed_in: Client, facebook: ConnectedAccount) -> None:
    response = signed_in.get(NEW)
    assert response.context["form"].chosen_ids == {facebook.pk}
    page = response.content.decode()
    assert "Publish to 1" in page
    assert "Connect account first" in page  # Instagram


def test_of_several_accounts_on_a_network_those_of_the_newest_post_are_chosen(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount, instagram: ConnectedAccount
) -> None:
    assert signed_in.get(NEW).context["form"].chosen_ids == {facebook.pk, instagram.pk}
    other = make_account(workspace, name="Another Page", username="another")
    assert signed_in.get(NEW).context["form"].chosen_ids == set()
    make_post(workspace, facebook, instagram)
    make_post(workspace, other)
    assert signed_in.get(NEW).context["form"].chosen_ids == {other.pk}


def test_hashtags_that_the_caption_holds_are_not_offered_twice(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount
) -> None:
    image_set = make_set(workspace)
    template = CaptionTemplate.objects.create(workspace=workspace, name="Standard", body="{title} #Camaro")
    assert signed_in.get(NEW, {"set": str(image_set.pk)}).context["form"]["hashtags"].value() == "#restoration"
    form = shaped(
        signed_in, typed(hashtags="#v8 #camaro", set=str(image_set.pk)), "template", template=str(template.pk)
    )
    assert form["caption"].value() == "1969 Camaro Restoration #Camaro"
    assert form["hashtags"].value() == "#v8"


def test_what_is_true_of_many_accounts_is_said_once(signed_in: Client, workspace: Workspace) -> None:
    accounts = [
        make_account(workspace, platform="instagram", name=f"Garage {number}", username=f"garage{number}")
        for number in range(6)
    ]
    response = signed_in.post("/posts/check/", typed(*accounts, caption=" ".join(f"#tag{n}" for n in range(9))))
    page = response.content.decode()
    assert page.count("this caption has 9") == 1
    assert "@garage0, @garage1, @garage2 and 3 more" in page
    assert page.count('<article class="card preview"') == 1
    assert "The same for 5 more accounts" in page


def test_a_preview_folds_a_long_text_as_the_network_does(
    signed_in: Client, facebook: ConnectedAccount, instagram: ConnectedAccount
) -> None:
    form = typed(facebook, instagram, caption="Long enough. " * 20)
    page = signed_in.post("/posts/check/", form).content.decode()
    assert '<strong class="truncate">Garage Page</strong>' in page
    assert '<details class="preview-text">' not in page
    page = signed_in.post("/posts/check/", {**form, "preview": str(instagram.pk)}).content.decode()
    assert '<strong class="truncate">garage.ig</strong>' in page
    assert page.count('<details class="preview-text">') == 1
    assert page.count('<article class="card preview"') == 1


def test_from_an_image_set(signed_in: Client, workspace: Workspace, facebook: ConnectedAccount) -> None:
    image_set = make_set(workspace)
    CaptionTemplate.objects.create(workspace=workspace, name="Standard", body="{title}: {Vehicle}")
    response = signed_in.get(NEW, {"set": str(image_set.pk)})
    form = response.context["form"]
    assert form["caption"].value() == "1969 Camaro Restoration: 1969 Chevrolet Camaro"
    assert form["hashtags"].value() == "#camaro #restoration"
    assert [picture.pk for picture in form.pictures] == list(image_set.items.values_list("media_id", flat=True))
    assert "Several images" in response.content.decode()


@pytest.mark.parametrize("query", ["set", "from"])
@pytest.mark.parametrize("value", ["nonsense", "7f0c3f6e-3d0e-4c8b-9a55-0d8f2b6f1a11"])
def test_an_unknown_start_is_not_found(signed_in: Client, query: str, value: str) -> None:
    assert signed_in.get(NEW, {query: value}).status_code == 404


def test_the_start_of_a_stranger_is_not_found(
    signed_in_stranger: Client, workspace: Workspace, facebook: ConnectedAccount
) -> None:
    assert signed_in_stranger.get(NEW, {"set": str(make_set(workspace).pk)}).status_code == 404
    assert signed_in_stranger.get(NEW, {"from": str(make_post(workspace, facebook).pk)}).status_code == 404


def test_an_old_post_as_a_start(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount, instagram: ConnectedAccount
) -> None:
    post = make_post(workspace, facebook, instagram, caption="Once more", campaign="spring")
    PostMedia.objects.create(post=post, media=make_media(workspace), position=1, alt_text="A car")
    Publication.objects.filter(account=instagram).update(caption_override="Short")
    form = signed_in.get(NEW, {"from": str(post.pk), "account": str(instagram.pk)}).context["form"]
    assert form["caption"].value() == "Once more"
    assert form.chosen_ids == {instagram.pk}
    assert form[f"caption-{instagram.pk}"].value() == "Short"
    assert picture_rows(form)[0].alt_field.value() == "A car"


def test_viewers_may_not_compose(signed_in: Client, owner: User) -> None:
    Membership.objects.filter(user=owner).update(role=Role.VIEWER)
    assert signed_in.get(NEW).status_code == 403
    assert signed_in.post(NEW, typed()).status_code == 403
    assert signed_in.post(CHECK, typed()).status_code == 403


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"status": "expired"}, "lost access"),
        ({"status": "revoked"}, "lost access"),
        ({"token_expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "has expired"),
    ],
)
def test_an_account_that_cannot_publish_is_shown_with_the_reason(
    signed_in: Client, workspace: Workspace, fields: dict[str, Any], reason: str
) -> None:
    make_account(workspace, **fields)
    response = signed_in.get(NEW)
    assert response.context["form"].chosen_ids == frozenset()
    assert reason in response.content.decode()


def test_a_paused_account_may_be_chosen_with_a_warning(signed_in: Client, workspace: Workspace) -> None:
    account = make_account(workspace, paused_at=timezone.now())
    response = signed_in.post(NEW, typed(account))
    assert response.status_code == 302
    assert "is paused" in signed_in.get(NEW).content.decode()


# What it saves


def test_publish_now(
    signed_in: Client, owner: User, workspace: Workspace, facebook: ConnectedAccount, instagram: ConnectedAccount
) -> None:
    one, two = make_media(workspace), make_media(workspace)
    response = signed_in.post(
        NEW,
        {
            **typed(facebook, instagram, hashtags="#camaro, v8", campaign="spring"),
            "media": [str(two.pk), str(one.pk)],
            f"alt-{two.pk}": "The engine",
            f"caption-{instagram.pk}": "Short",
        },
    )
    post = Post.objects.get()
    assert response.url == post.get_absolute_url()
    assert (post.workspace, post.author, post.campaign) == (workspace, owner, "spring")
    assert post.hashtags == ["camaro", "v8"]
    assert list(post.post_media.values_list("media", "position", "alt_text")) == [
        (two.pk, 1, "The engine"),
        (one.pk, 2, ""),
    ]
    types = dict(post.publications.values_list("account__platform", "post_type"))
    assert types == {"facebook": "multi_image", "instagram": "carousel"}
    assert post.publications.get(account=instagram).caption_override == "Short"
    assert set(post.publications.values_list("status", flat=True)) == {Status.SCHEDULED}
    assert set(QueueEntry.objects.values_list("priority", flat=True)) == {QueueEntry.Priority.NOW}


def test_schedule_in_a_named_zone(signed_in: Client, facebook: ConnectedAccount) -> None:
    moment = (timezone.now() + timedelta(days=3)).astimezone(BERLIN).replace(second=0, microsecond=0)
    signed_in.post(NEW, {**typed(facebook), **later(moment, "Europe/Berlin")})
    post = Post.objects.get()
    assert post.scheduled_at == moment
    assert post.time_zone == "Europe/Berlin"
    assert QueueEntry.objects.get().not_before == moment


def test_a_draft_needs_no_account(signed_in: Client) -> None:
    assert signed_in.post(NEW, typed(action="draft")).status_code == 302
    assert Post.objects.get().status == "draft"
    assert not QueueEntry.objects.exists()


def test_a_draft_may_be_too_long_and_keeps_its_time(signed_in: Client, instagram: ConnectedAccount) -> None:
    moment = (timezone.now() + timedelta(days=3)).replace(second=0, microsecond=0)
    fields = typed(instagram, action="draft", caption="x" * 3000)
    assert signed_in.post(NEW, {**fields, **later(moment)}).status_code == 302
    post = Post.objects.get()
    assert (post.status, post.scheduled_at) == ("draft", moment)
    form = signed_in.get(reverse("publishing:post_edit", args=[post.pk])).context["form"]
    assert form["day"].value() == moment.date()


def test_an_empty_draft_is_not_saved(signed_in: Client) -> None:
    response = signed_in.post(NEW, typed(action="draft", caption=""))
    assert response.status_code == 422
    assert "nothing to save" in response.content.decode()
    assert not Post.objects.exists()


@pytest.mark.parametrize(
    ("link", "chosen", "saved"),
    [("", "", "text"), ("https://example.org", "", "link"), ("https://example.org", "text", "text")],
)
def test_the_post_type_without_images(
    signed_in: Client, facebook: ConnectedAccount, link: str, chosen: str, saved: str
) -> None:
    signed_in.post(NEW, {**typed(facebook, link=link), f"type-{facebook.pk}": chosen})
    assert Publication.objects.get().post_type == saved


def test_a_type_that_no_longer_fits_gives_way(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount
) -> None:
    media = make_media(workspace)
    signed_in.post(NEW, {**typed(facebook), "media": [str(media.pk)], f"type-{facebook.pk}": "text"})
    assert Publication.objects.get().post_type == "single"


def test_line_ends_count_once(signed_in: Client, facebook: ConnectedAccount) -> None:
    signed_in.post(NEW, typed(facebook, caption="One\r\nTwo"))
    assert Post.objects.get().caption == "One\nTwo"


# Sent twice


def test_the_same_form_twice_makes_one_post(signed_in: Client, facebook: ConnectedAccount) -> None:
    fields = typed(facebook)
    first, second = signed_in.post(NEW, fields), signed_in.post(NEW, fields)
    assert first.url == second.url
    assert Post.objects.count() == QueueEntry.objects.count() == 1


def test_the_key_of_another_workspace_is_free(
    signed_in: Client, signed_in_stranger: Client, stranger: User, facebook: ConnectedAccount
) -> None:
    fields = typed(facebook)
    signed_in.post(NEW, fields)
    other = make_account(workspace_of(stranger))
    signed_in_stranger.post(NEW, {**fields, "accounts": [str(other.pk)]})
    assert Post.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_same_form_twice_at_the_same_moment(owner: User, workspace: Workspace) -> None:
    make_account(workspace)
    composition = Composition(caption="Hello", key=uuid.uuid4(), intent=Intent.DRAFT)
    made: list[Post] = []
    barrier = threading.Barrier(4)

    def submit() -> None:
        try:
            barrier.wait()
            made.append(compose.create(workspace, owner, composition))
        finally:
            connection.close()

    threads = [threading.Thread(target=submit) for _index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Post.objects.count() == 1
    assert {post.pk for post in made} == {Post.objects.get().pk}
    assert len(made) == 4


# What it refuses


def refused(client: Client, fields: dict[str, Any], sentence: str) -> Any:
    before = Post.objects.count()
    response = client.post(NEW, fields)
    assert response.status_code == 422
    page = response.content.decode()
    assert sentence in page
    assert fields["caption"] in page
    assert Post.objects.count() == before
    return response


def test_no_account_chosen(signed_in: Client) -> None:
    refused(signed_in, typed(), "Choose at least one account.")


def test_all_violations_of_all_accounts_are_listed(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount, instagram: ConnectedAccount
) -> None:
    media = [make_media(workspace) for _index in range(11)]
    fields = {**typed(facebook, instagram, caption="x" * 2300), "media": [str(item.pk) for item in media]}
    response = refused(signed_in, fields, "Instagram takes 2,200 characters")
    found = {(finding.account, finding.code) for finding in response.context["findings"]}
    assert {
        (facebook, "media_too_many"),
        (instagram, "media_too_many"),
        (instagram, "caption_too_long"),
    } <= found
    assert [str(pk) for pk in response.context["form"].media_ids] == fields["media"]


def test_instagram_without_an_image(signed_in: Client, instagram: ConnectedAccount) -> None:
    refused(signed_in, typed(instagram), "needs an image")


def test_a_time_in_the_past(signed_in: Client, facebook: ConnectedAccount) -> None:
    moment = timezone.now() - timedelta(minutes=5)
    refused(signed_in, {**typed(facebook), **later(moment)}, "This time has passed")


def test_a_time_too_far_ahead(signed_in: Client, facebook: ConnectedAccount) -> None:
    refused(signed_in, {**typed(facebook), **later(datetime(9999, 12, 31, tzinfo=UTC))}, "within the next two years")


def test_later_needs_date_and_time(signed_in: Client, facebook: ConnectedAccount) -> None:
    response = refused(signed_in, typed(facebook, when="later"), "Choose a date.")
    assert "Choose a time." in response.content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("day", "31.02.2027"),
        ("clock", "25:00"),
        ("time_zone", "Mars/Olympus"),
        ("link", "not a link"),
        ("hashtags", "#a-b"),
        ("campaign", "x" * 101),
    ],
)
def test_a_field_that_cannot_be_read_says_so(
    signed_in: Client, facebook: ConnectedAccount, field: str, value: str
) -> None:
    moment = timezone.now() + timedelta(days=1)
    response = signed_in.post(NEW, {**typed(facebook), **later(moment), field: value})
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert not Post.objects.exists()


def next_change(to_summer: bool) -> date:
    """The next day on which the clocks in Berlin change: last Sunday of March or October."""
    month = 3 if to_summer else 10
    for year in (timezone.now().year, timezone.now().year + 1):
        last = date(year, month, 31)
        day = last - timedelta(days=(last.weekday() + 1) % 7)
        if day > timezone.now().date() + timedelta(days=1):
            return day
    raise AssertionError


def test_a_time_that_does_not_exist(signed_in: Client, facebook: ConnectedAccount) -> None:
    day = next_change(to_summer=True)
    fields = {**typed(facebook), **later(datetime.combine(day, time(2, 30)), "Europe/Berlin")}
    refused(signed_in, fields, "02:30 does not exist. Choose 03:00 or later.")


def test_a_time_that_comes_twice_asks_which(signed_in: Client, facebook: ConnectedAccount) -> None:
    day = next_change(to_summer=False)
    fields = {**typed(facebook), **later(datetime.combine(day, time(2, 30)), "Europe/Berlin")}
    response = refused(signed_in, fields, "02:30 comes twice. Which one?")
    assert "The earlier" in response.content.decode()
    signed_in.post(NEW, {**fields, "fold": "1"})
    assert Post.objects.get().scheduled_at == datetime.combine(day, time(1, 30), tzinfo=UTC)
    fields["key"] = str(uuid.uuid4())
    signed_in.post(NEW, {**fields, "fold": "0"})
    assert Post.objects.latest("created_at").scheduled_at == datetime.combine(day, time(0, 30), tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "clock", "number"),
    [
        ("Europe/Berlin", date(2026, 3, 29), time(1, 59), 1),
        ("Europe/Berlin", date(2026, 3, 29), time(2, 0), 0),
        ("Europe/Berlin", date(2026, 3, 29), time(2, 59), 0),
        ("Europe/Berlin", date(2026, 3, 29), time(3, 0), 1),
        ("Europe/Berlin", date(2026, 10, 25), time(2, 0), 2),
        ("Europe/Berlin", date(2026, 10, 25), time(3, 0), 1),
        ("Australia/Lord_Howe", date(2026, 4, 5), time(1, 45), 2),  # by half an hour only
        ("Pacific/Apia", date(2011, 12, 30), time(12, 0), 0),  # a day that was left out
        ("UTC", date(2026, 3, 29), time(2, 30), 1),
    ],
)
def test_local_instants(zone: str, day: date, clock: time, number: int) -> None:
    assert len(local_instants(day, clock, ZoneInfo(zone))) == number


def test_an_account_disconnected_meanwhile(signed_in: Client, facebook: ConnectedAccount) -> None:
    ConnectedAccount.objects.update(status="disconnected")
    refused(signed_in, typed(facebook), "is no longer connected")


def test_an_account_expired_meanwhile(signed_in: Client, facebook: ConnectedAccount) -> None:
    ConnectedAccount.objects.update(status="expired")
    refused(signed_in, typed(facebook), "lost access")


def test_an_account_of_a_stranger_leaks_nothing(signed_in: Client, stranger: User) -> None:
    account = make_account(workspace_of(stranger), name="Secret Page")
    response = refused(signed_in, typed(account), "is not connected here")
    assert "Secret Page" not in response.content.decode()


@pytest.mark.parametrize("value", ["nonsense", "7f0c3f6e-3d0e-4c8b-9a55-0d8f2b6f1a11"])
def test_an_account_nobody_knows(signed_in: Client, value: str) -> None:
    refused(signed_in, typed(accounts=[value]), "is not connected here")


def test_an_image_of_a_stranger_leaks_nothing(signed_in: Client, stranger: User, facebook: ConnectedAccount) -> None:
    media = make_media(workspace_of(stranger), original_name="secret.jpg")
    response = refused(signed_in, {**typed(facebook), "media": [str(media.pk)]}, "no longer in your library")
    assert "secret.jpg" not in response.content.decode()


def test_an_image_set_of_a_stranger_is_not_tied_to_the_post(
    signed_in: Client, stranger: User, facebook: ConnectedAccount
) -> None:
    image_set = make_set(workspace_of(stranger))
    signed_in.post(NEW, {**typed(facebook), "set": str(image_set.pk)})
    assert Post.objects.get().image_set is None


def test_nothing_is_saved_when_sending_fails(
    owner: User, workspace: Workspace, facebook: ConnectedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise LostRace

    monkeypatch.setattr(schedule, "publish_now", fail)
    composition = Composition(caption="Hello", intent=Intent.NOW)
    with pytest.raises(LostRace):
        compose.create(workspace, owner, composition)
    assert not Post.objects.exists()


# Buttons that only change the form


def shaped(client: Client, fields: dict[str, Any], action: str, **more: Any) -> Any:
    response = client.post(NEW, {**fields, **more, "action": action}, headers=HTMX)
    assert response.status_code == 200
    assert response.content.decode().lstrip().startswith("<form")
    assert not Post.objects.exists()
    return response.context["form"]


def test_images_are_moved_and_taken_out(signed_in: Client, workspace: Workspace, facebook: ConnectedAccount) -> None:
    one, two, three = (str(make_media(workspace).pk) for _index in range(3))
    fields = {**typed(facebook, caption="Kept"), "media": [one, two, three]}

    def order(action: str) -> list[str]:
        form = shaped(signed_in, fields, action)
        assert form["caption"].value() == "Kept"
        assert form.chosen_ids == {facebook.pk}
        return [str(picture.pk) for picture in form.pictures]

    assert order(f"up:{two}") == [two, one, three]
    assert order(f"down:{two}") == [one, three, two]
    assert order(f"up:{one}") == [one, two, three]
    assert order(f"down:{three}") == [one, two, three]
    assert order(f"remove:{two}") == [one, three]
    assert order("remove:nonsense") == [one, two, three]
    assert order("refresh") == [one, two, three]


def test_images_are_added_from_the_library(signed_in: Client, workspace: Workspace, stranger: User) -> None:
    mine, theirs = make_media(workspace), make_media(workspace_of(stranger))
    assert shaped(signed_in, typed(), "add", add=[str(mine.pk)]).pictures == [mine]
    assert shaped(signed_in, typed(), "add", add=[str(theirs.pk)]).pictures == []


def test_a_template_fills_the_caption(signed_in: Client, workspace: Workspace) -> None:
    template = CaptionTemplate.objects.create(workspace=workspace, name="Standard", body="{title}!")
    fields = typed(set=str(make_set(workspace).pk))
    form = shaped(signed_in, fields, "template", template=str(template.pk))
    assert form["caption"].value() == "1969 Camaro Restoration!"


@pytest.mark.parametrize("action", ["template", "group", "add"])
def test_what_was_deleted_while_a_menu_was_open_is_said(signed_in: Client, action: str) -> None:
    gone = str(uuid.uuid4())
    data = {**typed(caption="Typed", hashtags="#v8"), "action": "add" if action == "add" else f"{action}:{gone}"}
    response = signed_in.post(NEW, {**data, "add": gone})
    assert (
        "not there any more." in response.content.decode()
        or "not in the library any more." in response.content.decode()
    )
    assert (response.context["form"]["caption"].value(), response.context["form"]["hashtags"].value()) == (
        "Typed",
        "#v8",
    )


def test_a_hashtag_group_is_added(signed_in: Client, workspace: Workspace) -> None:
    group = HashtagGroup.objects.create(workspace=workspace, name="Cars", hashtags=["v8", "chevy"])
    form = shaped(signed_in, typed(hashtags="#mine"), "group", group=str(group.pk))
    assert form["hashtags"].value() == "#mine #v8 #chevy"


def test_upload_puts_the_image_into_the_post(signed_in: Client, workspace: Workspace) -> None:
    form = shaped(signed_in, typed(), "upload", upload=[image_file("one.jpg")])
    assert [picture.original_name for picture in form.pictures] == ["one.jpg"]
    assert MediaFile.objects.get().workspace == workspace


def test_a_refused_upload_says_why_and_keeps_the_rest(signed_in: Client) -> None:
    files = [image_file("good.jpg"), SimpleUploadedFile("bad.jpg", b"<html>", content_type="image/jpeg")]
    response = signed_in.post(NEW, {**typed(caption="Kept"), "action": "upload", "upload": files})
    assert response.status_code == 422
    page = response.content.decode()
    assert "“bad.jpg” was not added." in page
    assert "Kept" in page
    assert [picture.original_name for picture in response.context["form"].pictures] == ["good.jpg"]


def test_files_still_in_the_field_go_out_with_the_post(signed_in: Client, facebook: ConnectedAccount) -> None:
    assert signed_in.post(NEW, {**typed(facebook), "upload": [image_file()]}).status_code == 302
    assert Post.objects.get().post_media.count() == 1


# The live checks


def test_the_check_answers_with_a_fragment_and_saves_nothing(
    signed_in: Client, facebook: ConnectedAccount, instagram: ConnectedAccount
) -> None:
    response = signed_in.post(CHECK, typed(facebook, instagram, caption="y" * 2201), headers=HTMX)
    page = response.content.decode()
    assert response.status_code == 200
    assert "<html" not in page
    assert "Shorten it by 1." in page
    assert "2,201 of 2,200" in page
    assert "Publish to 2" in page
    assert "200 of 200 calls left this hour" in page
    assert not Post.objects.exists()


def test_a_full_limit_makes_it_wait_not_ready(
    signed_in: Client, facebook: ConnectedAccount, instagram: ConnectedAccount, settings: Any
) -> None:
    """Who may publish is told for which account it waits and until when; the button stays."""
    settings.RATE_LIMITS = {"facebook": {"publish": 1}}
    fields = typed(facebook)
    assert "Ready to go." in signed_in.post(CHECK, fields).content.decode()
    limits.reserve(facebook.pk, "facebook", {"publish": 1})
    until = limits.room_at(facebook, {"publish": 1})
    assert until
    page = signed_in.post(CHECK, fields).content.decode()
    assert "Ready" not in page
    assert "Waits for a limit" in page
    assert re.search(r"It goes out by itself. Facebook waits until (\w+ \d+ \w+, )?\d\d:\d\d\.", page)
    assert "0 of 1 calls left this hour. This post takes 1. It waits for the rest by itself, until " in page
    assert f"{until:%H:%M}." in page
    assert signed_in.post(NEW, fields).status_code == 302


def test_what_a_post_for_later_does_to_those_behind_it_is_told(
    signed_in: Client, facebook: ConnectedAccount, workspace: Workspace, settings: Any
) -> None:
    settings.RATE_LIMITS = {"facebook": {"publish": 1}}
    at = timezone.now() + timedelta(days=2)
    behind = make_post(workspace, facebook)
    schedule.schedule(behind, at + timedelta(minutes=10), by=None)
    page = signed_in.post(CHECK, {**typed(facebook), **later(at)}).content.decode()
    assert "Because of it, 1 other post would wait for the limit." in page
    page = signed_in.post(CHECK, {**typed(facebook), **later(at + timedelta(minutes=20))}).content.decode()
    assert "Because of it" not in page
    assert re.search(r"Facebook waits until \w+ \d+ \w+, \d\d:\d\d\.", page)


def test_a_limit_that_channels_share_is_shown_as_theirs(signed_in: Client, workspace: Workspace, owner: User) -> None:
    grant = Grant.objects.create(
        workspace=workspace, user=owner, provider="buffer", platform_user_id="1", access_token="k"
    )
    channels = [make_account(workspace, platform=key, login_kind="buffer", token=None) for key in ("x", "threads")]
    for channel in channels:
        Credential.objects.create(account=channel, grant=grant)
    limits.reserve(channels[0].pk, "x", {"client": 60}, client=f"grant:{grant.pk}")
    page = signed_in.post(CHECK, typed(channels[1])).content.decode()
    assert "40 of 100 calls left in these 15 minutes. They are shared by 2 channels of this connection." in page
    assert "This post takes 2." in page


def test_a_post_for_later_does_not_wait_for_a_limit_that_is_free_by_then(
    signed_in: Client, facebook: ConnectedAccount, settings: Any
) -> None:
    settings.RATE_LIMITS = {"facebook": {"publish": 1}}
    limits.reserve(facebook.pk, "facebook", {"publish": 1})
    tomorrow = timezone.now() + timedelta(days=1)
    page = signed_in.post(CHECK, {**typed(facebook), **later(tomorrow)}).content.decode()
    assert "Ready to go." in page
    assert "It waits" not in page


def test_a_repeated_text_is_said_once_for_all_accounts(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount, instagram: ConnectedAccount
) -> None:
    make_post(workspace, facebook, instagram, caption="Again").publications.update(
        status=Status.PUBLISHED, published_at=timezone.now()
    )
    page = signed_in.post(CHECK, typed(facebook, instagram, caption="Again")).content.decode()
    assert page.count("The same text went out here within the last 24 hours.") == 1
    assert f"Facebook · {facebook.handle}; Instagram · @garage.ig" in page


def test_the_check_lists_what_stands_at_the_fields_too(signed_in: Client, facebook: ConnectedAccount) -> None:
    day = next_change(to_summer=True)
    fields = {**typed(facebook), **later(datetime.combine(day, time(2, 30)), "Europe/Berlin")}
    page = signed_in.post(CHECK, fields).content.decode()
    assert "02:30 does not exist" in page
    assert "1 thing to change" in page
    assert "Ready" not in page


def test_the_composer_costs_the_same_for_one_image_and_for_ten(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount, instagram: ConnectedAccount
) -> None:
    one = own_queries(signed_in, f"{NEW}?set={make_set(workspace, 1).pk}")
    assert own_queries(signed_in, f"{NEW}?set={make_set(workspace, 10).pk}") == one <= 16


def test_the_check_shows_the_readers_own_time(signed_in: Client, facebook: ConnectedAccount) -> None:
    moment = (timezone.now() + timedelta(days=2)).replace(hour=12, minute=0)
    local = moment.astimezone(ZoneInfo("America/New_York"))
    page = signed_in.post(CHECK, {**typed(facebook), **later(local, "America/New_York")}).content.decode()
    assert "Schedule for 1" in page
    assert "12:00" in page
    assert "For you (UTC)" in page


def test_the_check_of_a_strangers_post_is_not_found(signed_in: Client, stranger: User) -> None:
    post = make_post(workspace_of(stranger))
    assert signed_in.post(f"{CHECK}?post={post.pk}", typed()).status_code == 404


def test_check_takes_no_get(signed_in: Client) -> None:
    assert signed_in.get(CHECK).status_code == 405


# Editing


def edit_url(post: Post) -> str:
    return reverse("publishing:post_edit", args=[post.pk])


def test_a_scheduled_post_is_edited(
    signed_in: Client, owner: User, workspace: Workspace, facebook: ConnectedAccount, instagram: ConnectedAccount
) -> None:
    post = make_post(workspace, facebook)
    PostMedia.objects.create(post=post, media=make_media(workspace), position=1)
    at = (timezone.now() + timedelta(days=1)).replace(second=0, microsecond=0)
    schedule.schedule(post, at, by=owner)
    form = signed_in.get(edit_url(post)).context["form"]
    assert form["day"].value() == at.date()
    media = make_media(workspace)
    moment = at + timedelta(hours=2)
    signed_in.post(edit_url(post), {**typed(instagram, caption="New"), **later(moment), "media": [str(media.pk)]})
    post.refresh_from_db()
    assert (post.caption, post.status, post.scheduled_at) == ("New", "scheduled", moment)
    assert list(post.publications.values_list("account", flat=True)) == [instagram.pk]
    assert list(post.post_media.values_list("media", flat=True)) == [media.pk]
    assert list(QueueEntry.objects.values_list("account", "not_before")) == [(instagram.pk, moment)]


def test_an_edit_sent_twice_schedules_once(signed_in: Client, workspace: Workspace, facebook: ConnectedAccount) -> None:
    post = make_post(workspace, facebook)
    fields = typed(facebook, caption="New")
    for _index in range(2):
        assert signed_in.post(edit_url(post), fields).url == post.get_absolute_url()
    assert QueueEntry.objects.count() == 1


def test_a_failed_post_is_edited_and_forgets_what_was_prepared(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount
) -> None:
    post = make_post(workspace, facebook)
    post.publications.update(status=Status.FAILED, handles={"photo:1": "9"}, error_message="No.")
    Post.objects.update(status="failed")
    signed_in.post(edit_url(post), typed(facebook, caption="Better"))
    publication = post.publications.get()
    assert (publication.status, publication.handles, publication.error_message) == (Status.SCHEDULED, {}, "")


@pytest.mark.parametrize("status", [Status.PUBLISHED, Status.PUBLISHING, Status.CHECKING])
def test_what_has_begun_is_not_edited(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount, status: Status
) -> None:
    post = make_post(workspace, facebook, caption="Old")
    post.publications.update(status=status)
    Post.objects.update(status=status)
    response = signed_in.post(edit_url(post), typed(facebook, caption="New"), follow=True)
    assert "can no longer be changed" in response.content.decode()
    assert Post.objects.get().caption == "Old"


def test_a_worker_that_begins_meanwhile_wins(
    signed_in: Client, owner: User, workspace: Workspace, facebook: ConnectedAccount
) -> None:
    post = make_post(workspace, facebook, caption="Old")
    schedule.publish_now(post, by=owner)
    QueueEntry.objects.update(lease_until=timezone.now() + timedelta(minutes=1), worker="w")
    response = signed_in.post(edit_url(post), typed(facebook, caption="New"))
    assert response.status_code == 422
    assert "Publishing has begun meanwhile" in response.content.decode()
    post.refresh_from_db()
    assert post.caption == "Old"
    assert post.publications.get().status == Status.SCHEDULED


def test_an_empty_composer_blames_nobody(signed_in: Client, facebook: ConnectedAccount) -> None:
    page = signed_in.get(NEW).content.decode()
    assert "things to change" not in page
    assert "A text post needs a text" not in page
    assert "Write a caption or add an image or a video." in page
    response = signed_in.post(NEW, typed(facebook, caption=""))
    assert response.status_code == 422
    assert "A text post needs a text" in response.content.decode()
    assert not Post.objects.exists()


def test_a_time_that_has_passed_is_not_offered_again(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount
) -> None:
    post = make_post(workspace, facebook, scheduled_at=timezone.now() - timedelta(hours=1))
    assert signed_in.get(edit_url(post)).context["form"]["when"].value() == "now"


def test_who_edits_what_may_be_out_is_told_so(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount
) -> None:
    post = make_post(workspace, facebook)
    post.publications.update(status=Status.FAILED, error_kind="given_up")
    edit = reverse("publishing:post_edit", args=[post.pk])
    assert "It is not known whether an earlier try of this post is out here." in signed_in.get(edit).content.decode()
    checked = signed_in.post(f"{CHECK}?post={post.pk}", typed(facebook)).content.decode()
    assert "It is not known whether an earlier try" in checked
    without = signed_in.post(f"{CHECK}?post={post.pk}", {**typed(facebook), "accounts": []}).content.decode()
    assert "Once it is saved without this account, nobody finds out any more" in without
    assert "It is not known" not in signed_in.post(CHECK, typed(facebook)).content.decode()


# Somebody else was here meanwhile


def opened(client: Client, post: Post, **changes: Any) -> dict[str, Any]:
    """What the form of the post sends that was just opened."""
    form = client.get(edit_url(post)).context["form"]
    return {**as_data(form).dict(), "accounts": [str(pk) for pk in form.chosen_ids], "action": "draft", **changes}


@pytest.mark.parametrize("change", ["edit", "calendar"])
def test_what_another_has_changed_meanwhile_is_not_overwritten_unasked(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount, owner: User, change: str
) -> None:
    post = make_post(workspace, facebook, caption="First")
    schedule.schedule(post, timezone.now() + timedelta(days=1), by=owner)
    mine = opened(signed_in, post, caption="Mine")
    if change == "edit":
        assert signed_in.post(edit_url(post), opened(signed_in, post, caption="Theirs")).status_code == 302
    else:
        schedule.reschedule(post, timezone.now() + timedelta(days=2), by=owner)
    before = Post.objects.get()
    response = signed_in.post(edit_url(post), mine)
    assert response.status_code == 422
    page = response.content.decode()
    assert "This post was changed since you opened it here" in page
    assert {"edit": "in: Caption.", "calendar": "in: Caption, When."}[change] in page
    assert response.context["form"]["caption"].value() == "Mine"
    assert Post.objects.get().caption == before.caption
    assert Post.objects.get().scheduled_at == before.scheduled_at
    again = {**mine, "based_on": response.context["form"]["based_on"].value()}
    assert signed_in.post(edit_url(post), again).status_code == 302
    assert Post.objects.get().caption == "Mine"


def test_what_workers_do_is_no_change(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount, owner: User
) -> None:
    post = make_post(workspace, facebook, caption="First")
    schedule.schedule(post, timezone.now() + timedelta(days=1), by=owner)
    mine = opened(signed_in, post, caption="Mine")
    Publication.objects.update(status=Status.FAILED, handles={"container": "1"}, error_message="No.")
    QueueEntry.objects.all().delete()
    assert signed_in.post(edit_url(post), mine).status_code == 302
    assert Post.objects.get().caption == "Mine"


@pytest.mark.parametrize("change", [{"caption": "Second thoughts"}, {"action": "publish"}], ids=["text", "button"])
def test_what_is_sent_again_with_something_else_is_not_swallowed(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount, change: dict[str, str]
) -> None:
    """The page after the first press did not come; somebody has gone on meanwhile."""
    post = make_post(workspace, facebook, caption="First")
    mine = opened(signed_in, post, caption="Mine")
    for _press in range(2):
        assert signed_in.post(edit_url(post), mine).status_code == 302
    response = signed_in.post(edit_url(post), {**mine, **change})
    assert response.status_code == 422
    assert "Yours is not saved yet." in response.content.decode()
    form = response.context["form"]
    new = {name: str(form[name].value()) for name in ("key", "based_on")}
    assert signed_in.post(edit_url(post), {**mine, **change, **new}).status_code == 302
    post.refresh_from_db()
    assert (post.caption, post.status) == (
        change.get("caption", "Mine"),
        "scheduled" if change.get("action") == "publish" else "draft",
    )


def test_what_was_typed_for_a_post_that_is_gone_becomes_a_new_one(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount
) -> None:
    post = make_post(workspace, facebook, caption="First")
    mine = opened(signed_in, post, caption="Mine")
    Post.objects.all().delete()
    response = signed_in.post(edit_url(post), mine)
    assert response.status_code == 404
    assert "is not here any more" in response.content.decode()
    assert response.context["action_url"] == reverse("publishing:post_new")
    new = {**mine, "key": str(response.context["form"]["key"].value()), "based_on": ""}
    assert signed_in.post(response.context["action_url"], new).status_code == 302
    assert Post.objects.get().caption == "Mine"


def test_a_post_of_another_workspace_of_theirs_is_not_said_to_be_gone(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount, owner: User, stranger: User
) -> None:
    post = make_post(workspace, facebook, caption="First")
    mine = opened(signed_in, post, caption="Mine")
    second = workspace_of(stranger)
    Membership.objects.create(workspace=second, user=owner, role=Role.EDITOR)
    for where, status in ((second, 404), (workspace, 200)):
        session = signed_in.session
        session["workspace"] = str(where.pk)
        session.save()
        if status == 404:
            response = signed_in.post(edit_url(post), mine)
            page = response.content.decode()
            assert f"the post is in your workspace “{workspace}”" in page
            assert "The post that you were changing is not here" not in page
            assert str(response.context["form"]["key"].value()) != mine["key"]
        else:
            response = signed_in.get(f"{edit_url(post)}?draft={mine['key']}")
        assert (response.status_code, response.context["form"]["caption"].value()) == (status, "Mine")
    assert Post.objects.get().caption == "First"
