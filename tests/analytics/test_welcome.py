"""The first run: who is led through it, what each step really does, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from django.test import Client
from django.urls import reverse

from accounts.models import Membership, Role, User, Workspace
from analytics.first_run import STEPS, first_run, skip
from publishing.models import ImageSet, Post
from socialhub.demo import TITLE
from tests.accounts.graph import Graph, page
from tests.factories import make_account, make_post, make_user
from tests.publishing.pictures import photo, upload

DASHBOARD = reverse("analytics:dashboard")
WELCOME = reverse("analytics:welcome")
CONNECT, IMAGES, POST = (reverse(f"analytics:welcome_{step}") for step in STEPS)
SKIP = reverse("analytics:welcome_skip")
SOCIAL = reverse("accounts:social")


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def leads_to(client: Client, address: str) -> str:
    """Where a redirect goes; "" for a page."""
    response = client.get(address)
    return response.headers.get("Location", "")


def sign_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def member_of(workspace: Workspace, role: Role) -> Client:
    user = make_user()
    user.memberships.all().delete()
    Membership.objects.create(workspace=workspace, user=user, role=role)
    return sign_in(user)


@pytest.fixture
def graph() -> Iterator[Graph]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Graph(mock)


# --- Who is led here


def test_a_new_workspace_is_led_here_once_a_session(signed_in: Client):
    assert leads_to(signed_in, DASHBOARD) == WELCOME
    assert leads_to(signed_in, WELCOME) == CONNECT
    assert "Three steps to your first post" in text(signed_in, DASHBOARD)


def test_each_new_workspace_is_led_here(signed_in: Client, owner: User):
    second = Workspace.objects.create(name="Second")
    Membership.objects.create(workspace=second, user=owner, role=Role.OWNER)
    assert leads_to(signed_in, DASHBOARD) == WELCOME
    signed_in.post(reverse("accounts:workspace_switch"), {"workspace": str(second.pk)})
    assert leads_to(signed_in, DASHBOARD) == WELCOME
    assert leads_to(signed_in, DASHBOARD) == ""


@pytest.mark.parametrize("thing", ["account", "set", "post", "skipped"])
def test_who_has_anything_or_skipped_anything_is_left_alone(signed_in: Client, workspace: Workspace, thing: str):
    if thing == "account":
        make_account(workspace)
    elif thing == "set":
        ImageSet.objects.create(workspace=workspace, title="Camaro")
    elif thing == "post":
        make_post(workspace)
    else:
        skip(workspace, "connect")
    assert leads_to(signed_in, DASHBOARD) == ""


def test_a_viewer_is_not_led_and_not_let_in(workspace: Workspace):
    viewer = member_of(workspace, Role.VIEWER)
    assert leads_to(viewer, DASHBOARD) == ""
    for address in (WELCOME, CONNECT, IMAGES, POST):
        assert viewer.get(address).status_code == 403
    assert viewer.post(SKIP, {"step": "all"}).status_code == 403
    assert first_run(workspace).is_untouched


def test_a_fragment_of_the_dashboard_stays_one(signed_in: Client):
    assert signed_in.get(DASHBOARD, headers={"HX-Request": "true"}).status_code == 200


def test_the_state_is_read_from_what_is_there(workspace: Workspace):
    assert [step.is_open for step in first_run(workspace).steps] == [True, True, True]
    account = make_account(workspace)
    assert first_run(workspace).step("connect").is_done
    account.status = "disconnected"
    account.save()
    assert not first_run(workspace).step("connect").is_done
    ImageSet.objects.create(workspace=workspace, title="Camaro")
    make_post(workspace)
    run = first_run(workspace)
    assert [step.is_done for step in run.steps] == [False, True, True]
    assert run.current == run.step("connect")


def test_another_workspace_does_not_count(workspace: Workspace, stranger: User):
    other = stranger.memberships.get().workspace
    make_account(other)
    ImageSet.objects.create(workspace=other, title="Theirs")
    make_post(other)
    assert first_run(workspace).is_untouched


# --- Skipping


def test_each_step_can_be_skipped_and_the_last_one_ends_it(signed_in: Client, workspace: Workspace):
    for step, after in zip(STEPS, (IMAGES, POST, DASHBOARD), strict=True):
        response = signed_in.post(SKIP, {"step": step})
        assert response.headers["Location"] == after
    workspace.refresh_from_db()
    assert workspace.skipped_steps == list(STEPS)
    assert leads_to(signed_in, WELCOME) == DASHBOARD
    shown = text(signed_in, DASHBOARD)
    assert "Three steps" not in shown
    assert "Show me around again" in shown


def test_the_whole_tour_can_be_skipped_and_begun_again(signed_in: Client, workspace: Workspace):
    assert signed_in.post(SKIP, {"step": "all"}).headers["Location"] == DASHBOARD
    assert first_run(workspace).current is None
    response = signed_in.post(reverse("analytics:welcome_again"))
    assert response.headers["Location"] == WELCOME
    assert leads_to(signed_in, WELCOME) == CONNECT


def test_skipping_needs_a_press(signed_in: Client, workspace: Workspace):
    assert signed_in.get(SKIP).status_code == 405
    signed_in.post(SKIP, {"step": "nonsense"})
    assert first_run(workspace).is_untouched


def test_a_skipped_step_that_was_done_after_all_is_done(workspace: Workspace):
    skip(workspace, "images")
    ImageSet.objects.create(workspace=workspace, title="Camaro")
    step = first_run(workspace).step("images")
    assert (step.is_done, step.is_skipped) == (True, False)


# --- Step 1


def test_the_networks_stand_there_with_their_real_buttons(signed_in: Client):
    shown = text(signed_in, CONNECT)
    assert "Step 1 of 3" in shown
    for key in ("facebook", "instagram", "linkedin", "x", "bluesky"):
        assert f'action="{reverse("accounts:connect", args=[key])}"' in shown
    assert shown.count('name="next" value="welcome"') == 13  # one per network, and the key of Buffer
    assert "Go on" not in shown


def test_an_editor_may_prepare_but_not_connect(workspace: Workspace):
    shown = text(member_of(workspace, Role.EDITOR), CONNECT)
    assert "Only owners and admins can connect accounts" in shown
    assert "data-network-connect" not in shown
    assert "Skip this step" in shown


def test_connected_accounts_are_named_and_lead_on(signed_in: Client, workspace: Workspace):
    make_account(workspace, name="Joe's Garage")
    shown = text(signed_in, CONNECT)
    assert "Joe&#x27;s Garage" in shown
    assert f'href="{IMAGES}">Go on' in shown
    assert "Skip this step" not in shown


def consent(client: Client, graph: Graph, word: str) -> str:
    """From the button, with this word for the way back, to the address of the choice."""
    graph.pages = [page("101", "Classic Motors", "classicmotors"), page("102", "Garage Nord")]
    there = client.post(reverse("accounts:connect", args=["facebook"]), {"next": word}).headers["Location"]
    state = parse_qs(urlsplit(there).query)["state"][0]
    return client.get(reverse("meta_callback"), {"code": "c", "state": state}).headers["Location"]


WAYS_BACK = [("welcome", CONNECT), ("", SOCIAL), ("https://evil.example/", SOCIAL)]


@pytest.mark.parametrize(("word", "back"), WAYS_BACK)
def test_a_connect_comes_back_to_where_it_began(signed_in: Client, graph: Graph, word: str, back: str):
    choice = consent(signed_in, graph, word)
    assert f'href="{back}"' in text(signed_in, choice)  # Cancel
    assert signed_in.post(choice, {"account": ["facebook:102"]}).headers["Location"] == back
    shown = text(signed_in, back)
    assert "Garage Nord" in shown
    assert "data-shine" in shown
    assert "data-shine" not in text(signed_in, back)
    if back == CONNECT:
        assert "“Garage Nord” is connected, but no Instagram account came with it" in shown


@pytest.mark.parametrize(("word", "back"), WAYS_BACK)
def test_a_connect_that_failed_comes_back_too(signed_in: Client, word: str, back: str):
    signed_in.post(reverse("accounts:connect", args=["facebook"]), {"next": word})
    answer = signed_in.get(reverse("meta_callback"), {"error": "access_denied", "state": "unknown"})
    assert answer.headers["Location"] == back
    assert "This attempt to connect is not valid any more" in text(signed_in, back)


def test_what_is_not_set_up_is_said_on_this_page(signed_in: Client, settings: Any):
    settings.META_APP_ID = settings.META_APP_SECRET = ""
    answer = signed_in.post(reverse("accounts:connect", args=["facebook"]), {"next": "welcome"})
    assert answer.headers["Location"] == CONNECT
    shown = text(signed_in, CONNECT)
    assert 'role="alert"' in shown
    assert "META_APP_ID" in shown


# --- Step 2


def test_a_set_is_made_with_its_pictures(signed_in: Client, workspace: Workspace, owner: User):
    files = [photo(300 + number, 200, name=f"{number}.jpg") for number in range(3)]
    answer = signed_in.post(IMAGES, {"title": "Barn find", "images": files})
    assert answer.headers["Location"] == POST
    image_set = ImageSet.objects.get()
    assert (image_set.title, image_set.workspace, image_set.created_by) == ("Barn find", workspace, owner)
    names = [item.media.original_name for item in image_set.items.select_related("media")]
    assert names == ["0.jpg", "1.jpg", "2.jpg"]
    assert f"{reverse('publishing:post_new')}?set={image_set.pk}" in text(signed_in, POST)


def test_good_pictures_stay_and_the_bad_one_is_named(signed_in: Client):
    files = [photo(name="good.jpg"), upload(b"no picture", "bad.jpg")]
    answer = signed_in.post(IMAGES, {"title": "Barn find", "images": files}, follow=True)
    assert answer.redirect_chain == [(POST, 302)]
    assert "“bad.jpg” was not added." in answer.content.decode()
    assert ImageSet.objects.get().items.count() == 1


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"title": "Kept words"}, "Choose at least one image or video."),
        ({"title": "Kept words", "images": [upload(b"no picture", "bad.jpg")]}, "“bad.jpg” was not added."),
        ({"title": " ", "images": [photo()]}, "Give the set a title."),
    ],
)
def test_without_title_or_picture_no_set_is_made(signed_in: Client, data: dict[str, Any], sentence: str):
    for file in data.get("images", ()):
        file.seek(0)
    answer = signed_in.post(IMAGES, data)
    assert answer.status_code == 422
    shown = answer.content.decode()
    assert sentence in shown
    assert f'value="{data["title"]}"' in shown or data["title"] == " "
    assert not ImageSet.objects.exists()


def test_the_script_makes_the_set_first_and_learns_where_files_go(signed_in: Client):
    answer = signed_in.post(IMAGES, {"title": "Barn find"}, headers={"HX-Request": "true"})
    image_set = ImageSet.objects.get()
    assert answer.json() == {
        "upload": reverse("publishing:set_upload", args=[image_set.pk]),
        "order": reverse("publishing:set_order", args=[image_set.pk]),
        "next": POST,
    }


def test_a_set_that_is_there_makes_the_step_done(signed_in: Client, workspace: Workspace):
    ImageSet.objects.create(workspace=workspace, title="Camaro")
    shown = text(signed_in, IMAGES)
    assert "Your first image set is there" in shown
    assert f'href="{POST}">Go on' in shown
    assert "first-set" not in shown


def test_the_example_is_put_into_the_library(signed_in: Client, workspace: Workspace):
    answer = signed_in.post(reverse("analytics:welcome_example"))
    assert answer.headers["Location"] == POST
    assert ImageSet.objects.get(workspace=workspace).title == TITLE
    assert TITLE in text(signed_in, POST)


# --- Step 3


def test_the_last_step_opens_the_composer_with_or_without_a_set(signed_in: Client, workspace: Workspace):
    new = reverse("publishing:post_new")
    shown = text(signed_in, POST)
    assert f'href="{new}"' in shown
    assert "kept as a draft" in shown
    make_account(workspace)
    image_set = ImageSet.objects.create(workspace=workspace, title="Camaro")
    shown = text(signed_in, POST)
    assert f'href="{new}?set={image_set.pk}"' in shown
    assert "kept as a draft" not in shown


def test_with_a_post_the_tour_is_over(signed_in: Client, workspace: Workspace):
    make_account(workspace)
    ImageSet.objects.create(workspace=workspace, title="Camaro")
    assert leads_to(signed_in, WELCOME) == POST
    Post.objects.create(workspace=workspace, caption="Hello")
    assert leads_to(signed_in, WELCOME) == DASHBOARD
    assert "Three steps" not in text(signed_in, DASHBOARD)
