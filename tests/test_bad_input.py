"""What is wrong is said at its field, what was typed stays, nothing is half saved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from django.apps import apps
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ConnectedAccount, Workspace
from publishing.models import ImageSet, MediaFile, Post
from tests.accounts.graph import Graph
from tests.factories import make_account, make_media, make_post
from tests.publishing.pictures import photo, png_bomb, upload
from tests.publishing.test_composer import later, next_change, typed

pytestmark = pytest.mark.django_db

NEW = reverse("publishing:post_new")
SOCIAL = reverse("accounts:social")
CALLBACK = reverse("meta_callback")
VOID = {"input", "br", "img", "meta", "link", "hr", "source", "use"}


class Page(HTMLParser):
    """The elements of a page with their attributes and the text inside them."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.open: list[dict[str, Any]] = []
        self.elements: list[dict[str, Any]] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element: dict[str, Any] = {"tag": tag, "text": "", **{name: value or "" for name, value in attrs}}
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if any(element["tag"] == tag for element in self.open):
            while self.open.pop()["tag"] != tag:
                pass

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element["text"] += data

    def find(self, **wanted: str) -> dict[str, Any]:
        """The one element with these attributes."""
        found = [one for one in self.elements if all(one.get(name) == value for name, value in wanted.items())]
        assert len(found) == 1, (wanted, found)
        return found[0]

    def said_at(self, control: dict[str, Any]) -> str:
        """What an assistive program reads out for the control, besides its label."""
        return " ".join(self.find(id=name)["text"] for name in control.get("aria-describedby", "").split())


def counts() -> dict[str, int]:
    models = [model for app in ("accounts", "publishing") for model in apps.get_app_config(app).get_models()]
    return {model._meta.label: model._base_manager.count() for model in models}


def refused(client: Client, url: str, data: dict[str, Any]) -> Page:
    """Sent, refused with 422, and nothing was written."""
    before = counts()
    response = client.post(url, data)
    assert response.status_code == 422
    assert counts() == before
    return Page(response.content.decode())


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


@pytest.fixture
def account(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace, name="Garage")


# --- The composer ---------------------------------------------------------------------------------------------


def assert_kept(page: Page) -> None:
    assert page.find(name="caption", tag="textarea")["text"].strip() == "Kept words"
    assert page.find(name="campaign")["value"] == "Kept campaign"


def kept(*accounts: ConnectedAccount, **fields: Any) -> dict[str, Any]:
    return typed(*accounts, **{"caption": "Kept words", "campaign": "Kept campaign", **fields})


def test_no_account_chosen(signed_in: Client, account: ConnectedAccount) -> None:
    page = refused(signed_in, NEW, kept())
    box = next(one for one in page.elements if one["tag"] == "fieldset" and "composer-accounts" in one.get("class", ""))
    assert "Choose at least one account." in page.said_at(box)
    assert_kept(page)


@pytest.mark.parametrize(
    ("fields", "control", "sentence"),
    [
        (later(timezone.now() - timedelta(days=1)), "clock", "This time has passed"),
        ({"when": "later", "day": "", "clock": "09:00", "time_zone": "UTC"}, "day", "Choose a date."),
        ({"when": "later", "day": "31.02.2027", "clock": "09:00", "time_zone": "UTC"}, "day", "Enter a valid date."),
        ({"link": "no address"}, "link", "This is no complete web address."),
        ({"hashtags": "#a-b"}, "hashtags", "a-b"),
        ({"time_zone": "Mars/Olympus", "when": "later", "day": "2030-01-01", "clock": "09:00"}, "time_zone", "Mars"),
        ({"campaign": "x" * 101}, "campaign", "at most 100 characters"),
    ],
)
def test_a_field_says_what_is_wrong_with_it(
    signed_in: Client, account: ConnectedAccount, fields: dict[str, Any], control: str, sentence: str
) -> None:
    page = refused(signed_in, NEW, kept(account, **fields))
    element = page.find(name=control)
    assert element["aria-invalid"] == "true"
    assert sentence in page.said_at(element)
    assert page.find(name="caption", tag="textarea")["text"].strip() == "Kept words"
    if element["tag"] == "input" and control in fields:
        assert element["value"] == fields[control]
    assert "checked" in page.find(name="accounts", value=str(account.pk))


def test_a_time_that_does_not_exist(signed_in: Client, account: ConnectedAccount) -> None:
    moment = datetime.combine(next_change(to_summer=True), time(2, 30))
    page = refused(signed_in, NEW, kept(account, **later(moment, "Europe/Berlin")))
    clock = page.find(name="clock")
    assert "02:30 does not exist. Choose 03:00 or later." in page.said_at(clock)
    assert clock["value"] == "02:30"
    assert_kept(page)


def test_a_time_that_comes_twice_is_a_question(signed_in: Client, account: ConnectedAccount) -> None:
    moment = datetime.combine(next_change(to_summer=False), time(2, 30))
    page = refused(signed_in, NEW, kept(account, **later(moment, "Europe/Berlin")))
    assert [one["value"] for one in page.elements if one.get("name") == "fold"] == ["0", "1"]
    box = next(one for one in page.elements if one["tag"] == "fieldset" and "comes twice" in page.said_at(one))
    assert "The earlier" in box["text"]
    assert_kept(page)


def test_a_caption_too_long_is_marked_at_the_caption(signed_in: Client, workspace: Workspace) -> None:
    instagram = make_account(workspace, platform="instagram", username="garage.ig")
    media = make_media(workspace)
    data = {**kept(instagram, caption="x" * 2201), "media": [str(media.pk)]}
    page = refused(signed_in, NEW, data)
    caption = page.find(name="caption", tag="textarea")
    assert caption["text"].strip() == "x" * 2201
    assert "2,200" in page.find(id="composer_review")["text"]
    assert "2,201 of 2,200 characters" in page.said_at(caption)
    assert "too long" in page.said_at(caption)
    assert any("data-over" in one for one in page.elements)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"%PDF-1.7 no picture", "“bad.jpg” was not added."),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "“bad.jpg” was not added."),
        (b"", "bad.jpg"),
        (png_bomb(12_000), "“bad.jpg” was not added."),
    ],
)
def test_a_file_that_is_no_picture(signed_in: Client, account: ConnectedAccount, content: bytes, sentence: str) -> None:
    page = refused(signed_in, NEW, {**kept(account), "upload": [upload(content, "bad.jpg")]})
    field = next(one for one in page.elements if one.get("name") == "upload")
    assert sentence in page.said_at(field)
    assert_kept(page)


def test_a_good_image_beside_a_bad_one_stays_in_the_form(signed_in: Client, account: ConnectedAccount) -> None:
    response = signed_in.post(NEW, {**kept(account), "upload": [photo(600, 600), upload(b"no picture", "bad.jpg")]})
    assert response.status_code == 422
    assert not Post.objects.exists()
    page = Page(response.content.decode())
    assert page.find(name="media")["value"] == str(MediaFile.objects.get().pk)
    assert_kept(page)


def test_an_account_disconnected_meanwhile(signed_in: Client, account: ConnectedAccount) -> None:
    ConnectedAccount.objects.update(status="disconnected")
    page = refused(signed_in, NEW, kept(account))
    box = page.find(name="accounts", value=str(account.pk))
    assert "no longer connected" in page.said_at(box)
    assert_kept(page)


def test_an_old_post_that_is_refused_stays_as_it_was(signed_in: Client, account: ConnectedAccount) -> None:
    post = make_post(account.workspace, account, caption="As it was")
    refused(
        signed_in,
        reverse("publishing:post_edit", args=[post.pk]),
        kept(account, **later(timezone.now() - timedelta(days=1))),
    )
    post.refresh_from_db()
    assert (post.caption, post.campaign, post.status) == ("As it was", "", "draft")


def test_begun_meanwhile(signed_in: Client, account: ConnectedAccount) -> None:
    """A worker has taken the post while its form was open: the person is told, and sent to look."""
    post = make_post(account.workspace, account, caption="On its way")
    post.publications.update(status="publishing")
    response = signed_in.post(reverse("publishing:post_edit", args=[post.pk]), kept(account), follow=True)
    assert response.redirect_chain == [(post.get_absolute_url(), 302)]
    assert "can no longer be changed" in response.content.decode()
    post.refresh_from_db()
    assert post.caption == "On its way"


# --- The library ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"%PDF-1.7 no picture", png_bomb(12_000), b"GIF89a" + bytes(20)])
def test_a_bad_file_for_a_set_is_named_at_the_field(signed_in: Client, workspace: Workspace, content: bytes) -> None:
    image_set = ImageSet.objects.create(workspace=workspace, title="Cars")
    url = reverse("publishing:set_upload", args=[image_set.pk])
    page = refused(signed_in, url, {"images": [upload(content, "bad.jpg")]})
    assert "“bad.jpg”" in page.said_at(page.find(name="images"))


@pytest.mark.parametrize(
    ("name", "data", "control", "stays"),
    [
        ("publishing:set_new", {"title": ""}, "title", {}),
        ("publishing:set_new", {"title": "x" * 500}, "title", {"title": "x" * 500}),
        ("publishing:template_new", {"name": "Kept", "body": ""}, "body", {"name": "Kept"}),
        (
            "publishing:hashtag_new",
            {"name": "Kept", "hashtags": "#a-b"},
            "hashtags",
            {"name": "Kept", "hashtags": "#a-b"},
        ),
        ("accounts:profile", {"name": "Kept", "time_zone": "Mars/Olympus"}, "time_zone", {"name": "Kept"}),
        ("accounts:workspace_rename", {"name": ""}, "name", {}),
        ("accounts:member_add", {"email": "nobody", "role": "editor"}, "email", {"email": "nobody"}),
        ("accounts:member_add", {"email": "a@example.com", "role": "king"}, "role", {"email": "a@example.com"}),
        ("publishing:set_new", {"title": "with\x00nothing"}, "title", {}),
    ],
)
def test_other_forms_say_it_at_the_field(
    signed_in: Client, name: str, data: dict[str, str], control: str, stays: dict[str, str]
) -> None:
    page = refused(signed_in, reverse(name), data)
    element = next(one for one in page.elements if one.get("name") == control and "aria-invalid" in one)
    assert page.said_at(element).strip()
    for field, value in stays.items():
        shown = next(one for one in page.elements if one.get("name") == field)
        assert value in (shown.get("value"), shown["text"].strip())


# --- Connecting -----------------------------------------------------------------------------------------------


@pytest.fixture
def network() -> Iterator[Graph]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Graph(mock)


def pressed(client: Client, platform: str = "facebook") -> str:
    """The state that the dialog was given."""
    location = client.post(reverse("accounts:connect", args=[platform]))["Location"]
    return parse_qs(urlsplit(location).query)["state"][0]


@pytest.mark.parametrize("platform", ["facebook", "instagram"])
def test_consent_denied_is_said_at_the_network_whose_button_was_pressed(
    signed_in: Client, network: Graph, platform: str
) -> None:
    before = counts()
    state = pressed(signed_in, platform)
    signed_in.get(CALLBACK, {"state": state, "error": "access_denied", "error_description": "<script>"})
    after = counts()
    assert {label for label in after if after[label] != before[label]} == {"accounts.OAuthTicket"}
    entries = signed_in.get(SOCIAL).context["entries"]
    assert {entry.connectable.platform for entry in entries if entry.error} == {platform}
    assert not network.calls


def test_a_replayed_state_changes_nothing_and_says_so(signed_in: Client, network: Graph) -> None:
    state = pressed(signed_in)
    assert "/select/" in signed_in.get(CALLBACK, {"state": state, "code": "one"})["Location"]
    before, calls = counts(), len(network.calls)
    assert signed_in.get(CALLBACK, {"state": state, "code": "two"})["Location"] == SOCIAL
    assert counts() == before
    assert len(network.calls) == calls
    assert "not valid any more" in signed_in.get(SOCIAL).content.decode()


@pytest.mark.parametrize(
    "query", [{}, {"code": "x"}, {"state": "\x00", "code": "x"}, {"state": "ü" * 5000, "code": "x"}, {"error": "\x00"}]
)
def test_a_made_up_return_is_no_fault_of_ours(signed_in: Client, network: Graph, query: dict[str, str]) -> None:
    before = counts()
    assert signed_in.get(CALLBACK, query)["Location"] == SOCIAL
    assert counts() == before
    assert not network.calls


# --- What nobody types ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("publishing:post_list", {"q": "\x00"}),
        ("publishing:post_list", {"after": "2030-01-01T00:00:00+00:00_x"}),
        ("publishing:post_list", {"after": "0001-01-01T00:00:00+14:00_00000000-0000-0000-0000-000000000000"}),
        ("publishing:library", {"before": "9999-12-31T23:59:59-14:00", "last": "00000000-0000-0000-0000-000000000000"}),
        ("analytics:dashboard", {"before": "\x00"}),
        ("analytics:dashboard", {"before": "9999-12-31T23:59:59-14:00_1"}),
        ("accounts:notifications", {"before": "0001-01-01T00:00:00+14:00"}),
        ("accounts:notifications", {"before": "\x00"}),
        ("publishing:post_new", {"set": "\x00"}),
        ("publishing:post_new", {"from": "x" * 5000}),
    ],
)
def test_a_mistyped_address_is_no_fault_of_ours(
    signed_in: Client, workspace: Workspace, name: str, query: dict[str, str]
) -> None:
    make_account(workspace)  # or the first page would lead to the first steps
    assert signed_in.get(reverse(name), query).status_code in (200, 404, 422)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("publishing:template_preview", {"body": "\x00{title}", "set": "\x00"}),
        ("publishing:post_check", {"caption": "\x00", "media": "\x00", "accounts": "\x00", "time_zone": "\x00"}),
        ("publishing:post_new", {"action": "template:\x00", "template": "\x00", "set": "\x00", "key": "\x00"}),
        (
            "publishing:post_new",
            {"action": "publish", "day": "9999-12-31", "clock": "23:59", "when": "later", "time_zone": "../etc"},
        ),
        ("accounts:notifications_read", {"notification": "\x00"}),
        ("accounts:profile", {"name": "\x00", "time_zone": "\x00"}),
        ("accounts:member_add", {"email": "\x00@example.com", "role": "\x00"}),
    ],
)
def test_strange_bytes_are_no_fault_of_ours(signed_in: Client, name: str, data: dict[str, str]) -> None:
    assert signed_in.post(reverse(name), data).status_code in (200, 302, 422)


def test_a_paused_reason_too_long_is_refused(signed_in: Client, account: ConnectedAccount) -> None:
    page = refused(signed_in, reverse("accounts:pause", args=[account.pk]), {"reason": "x" * 201})
    assert "at most 200 characters" in page.said_at(page.find(name="reason"))
    account.refresh_from_db()
    assert account.paused_at is None
    assert timezone.now() - account.connected_at < timedelta(minutes=5)
