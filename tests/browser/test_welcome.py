"""The first run as somebody new meets it, on a phone; and many files that arrive at once."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from copy import deepcopy
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import responses
from django.contrib.sessions.models import Session
from django.core.cache import cache
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import ConnectedAccount, User, Workspace
from publishing.models import ImageSet
from tests.accounts.graph import Graph, page
from tests.browser.axe import check
from tests.browser.conftest import OpenPage
from tests.browser.test_library import file, order, shown
from tests.factories import make_account
from tests.publishing.pictures import encoded, gradient

pytestmark = pytest.mark.browser

MANY, BAD = 50, (7, 31)


class ConsentPage(BaseHTTPRequestHandler):
    """The dialog of a network: one link, back to where the app wants it."""

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        answer = urlencode({"code": "the-code", "state": asked["state"][0]})
        link = f'<a href="{escape(asked["redirect_uri"][0])}?{escape(answer)}">Continue as Ada</a>'
        text = f'<!DOCTYPE html><html lang="en"><title>Consent</title><link rel="icon" href="data:,">{link}'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def facebook(settings: Any, live_server: LiveServer) -> Iterator[Graph]:
    """A consent page, and behind it a Graph with one Page that an Instagram account is linked to."""
    cache.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), ConsentPage)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    settings.META_DIALOG_URL, settings.PUBLIC_BASE_URL = address, live_server.url
    settings.CONTENT_SECURITY_POLICY = deepcopy(settings.CONTENT_SECURITY_POLICY)
    settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"].append(address)
    try:
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            graph = Graph(mock)
            graph.pages = [page("101", "Classic Motors", "classicmotors")]
            yield graph
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def without_refusals(window: Page) -> None:
    """The browser notes each 422 in its console; those are what the test is about."""
    window.watch.complaints = [text for text in window.watch.complaints if "422" not in text]  # type: ignore[attr-defined]


def test_from_an_empty_workspace_to_the_composer(
    phone: Page, facebook: Graph, workspace: Workspace, owner: User
) -> None:
    picture = encoded(gradient(40, 40))
    phone.route("https://pictures.example/**", lambda route: route.fulfill(body=picture, content_type="image/jpeg"))
    phone.goto("/")
    expect(phone.get_by_role("heading", name="Where do you want to publish?")).to_be_visible()
    expect(phone.get_by_text("Step 1 of 3")).to_be_visible()
    check(phone)

    phone.get_by_role("button", name="Connect Facebook").click()
    phone.get_by_role("link", name="Continue as Ada").click()
    phone.get_by_role("button", name="Connect", exact=True).click()
    expect(phone.get_by_role("heading", name="2 accounts are connected")).to_be_visible()
    assert set(ConnectedAccount.objects.values_list("platform", flat=True)) == {"facebook", "instagram"}
    check(phone)

    phone.get_by_role("link", name="Go on").click()
    expect(phone.get_by_text("Step 2 of 3")).to_be_visible()
    check(phone)
    phone.get_by_role("button", name="Make the set").click()  # asks for the title before anything is sent
    expect(phone.get_by_label("Title")).to_be_focused()
    phone.get_by_label("Title").fill("Barn find")
    pictures = [file(f"{number}.jpg", side=91 + number) for number in range(4)]
    phone.get_by_label("Images and videos").set_input_files([*pictures, file("notes.jpg", b"just text")])
    phone.get_by_role("button", name="Make the set").click()
    expect(phone.get_by_text("“notes.jpg” was not added.")).to_be_visible()
    expect(phone.locator("[data-upload-status]")).to_have_text("4 added, 1 not added")
    without_refusals(phone)
    check(phone)
    assert order(ImageSet.objects.get()) == [f"{number}.jpg" for number in range(4)]

    phone.get_by_role("link", name="Go on with these").click()
    expect(phone.get_by_text("Step 3 of 3")).to_be_visible()
    check(phone)
    phone.get_by_role("link", name="Back").click()
    expect(phone.get_by_role("heading", name="Your first image set is there")).to_be_visible()
    check(phone)
    phone.get_by_role("link", name="Go on").click()
    phone.get_by_role("link", name="Write from this set").click()
    expect(phone).to_have_url(re.compile(r"/posts/new/\?set="))
    phone.goto("/")
    expect(phone.get_by_role("link", name="Write your first post")).to_be_visible()
    check(phone)


def test_the_tour_is_left_with_one_press(phone: Page, workspace: Workspace) -> None:
    phone.goto("/")
    phone.get_by_role("button", name="Skip this step").click()
    expect(phone.get_by_text("Step 2 of 3")).to_be_visible()
    phone.get_by_role("button", name="Skip the tour").click()
    expect(phone.get_by_role("heading", name="Dashboard")).to_be_visible()
    check(phone)
    phone.get_by_role("button", name="Show me around again").click()
    expect(phone.get_by_text("Step 1 of 3")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_step_stands_the_look_on_a_desktop(
    open_page: OpenPage, owner: User, workspace: Workspace, scheme: str
) -> None:
    make_account(workspace, name="Joe's Garage")
    window = open_page("desktop", scheme=scheme, user=owner)
    for step in ("connect", "images", "post"):
        window.goto(f"/welcome/{step}/")
        check(window)


# --- Many files at once


def test_fifty_pictures_arrive_in_their_order_and_the_bad_ones_are_named(desktop: Page, workspace: Workspace) -> None:
    image_set = ImageSet.objects.create(workspace=workspace, title="Fleet")
    desktop.goto(f"/library/sets/{image_set.pk}/")
    files = [
        file(f"{number:02}.jpg", b"no picture" if number in BAD else None, side=60 + number) for number in range(MANY)
    ]
    desktop.get_by_label("Add images").set_input_files(files)
    expect(desktop.locator(".upload-row").first).to_be_visible()
    desktop.get_by_label("Title").fill("Fleet 2026")  # the page stays usable
    desktop.get_by_role("button", name="Cancel 49.jpg").click()
    expect(desktop.locator("[data-upload-status]")).to_have_text("47 added, 2 not added", timeout=60_000)
    names = [f"{number:02}.jpg" for number in range(MANY - 1) if number not in BAD]
    assert shown(desktop) == names
    expect(desktop.locator(".upload-row")).to_have_count(2)  # what went well is below, as a picture
    for number in BAD:
        expect(desktop.get_by_text(f"“{number:02}.jpg” was not added.")).to_be_visible()
    expect(desktop.get_by_text("47 without alternative text")).to_be_visible()
    expect(desktop.get_by_label("Title")).to_have_value("Fleet 2026")
    without_refusals(desktop)
    check(desktop)
    desktop.reload()
    assert shown(desktop) == names


def test_what_did_not_arrive_is_sent_again_and_takes_its_place(desktop: Page, workspace: Workspace) -> None:
    image_set = ImageSet.objects.create(workspace=workspace, title="Fleet")
    desktop.goto(f"/library/sets/{image_set.pk}/")
    lost: list[str] = []

    def lose_once(route: Route) -> None:
        if b"lost.jpg" in (route.request.post_data_buffer or b"") and not lost:
            lost.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    desktop.route("**/upload/", lose_once)
    desktop.get_by_label("Add images").set_input_files([file("lost.jpg", side=71), file("kept.jpg", side=72)])
    expect(desktop.get_by_text("lost.jpg: It did not arrive.")).to_be_visible()
    desktop.get_by_role("button", name="Try again lost.jpg").click()
    expect(desktop.locator("#set-images-list > li")).to_have_count(2)
    expect(desktop.locator(".upload-row")).to_have_count(0)
    assert shown(desktop) == ["lost.jpg", "kept.jpg"]
    desktop.reload()
    assert shown(desktop) == ["lost.jpg", "kept.jpg"]


def test_all_that_did_not_arrive_is_sent_again_with_one_press(desktop: Page, workspace: Workspace) -> None:
    image_set = ImageSet.objects.create(workspace=workspace, title="Fleet")
    desktop.goto(f"/library/sets/{image_set.pk}/")
    names = [f"{number}.jpg" for number in range(3)]
    again = desktop.get_by_role("button", name="Try all again")
    desktop.route("**/upload/", lambda route: route.abort())
    desktop.get_by_label("Add images").set_input_files([file(name, side=71 + n) for n, name in enumerate(names)])
    expect(desktop.locator(".upload-row[data-refused]")).to_have_count(3)
    desktop.unroute("**/upload/")
    again.click()
    expect(desktop.locator("#set-images-list > li")).to_have_count(3)
    expect(desktop.locator(".upload-row")).to_have_count(0)
    expect(again).to_be_hidden()
    desktop.reload()
    assert shown(desktop) == names


def test_a_session_that_ends_during_an_upload_is_told_and_the_page_stays(desktop: Page, workspace: Workspace) -> None:
    image_set = ImageSet.objects.create(workspace=workspace, title="Fleet")
    desktop.goto(f"/library/sets/{image_set.pk}/")
    Session.objects.all().delete()
    cache.clear()
    desktop.get_by_label("Add images").set_input_files([file(f"{number}.jpg", side=71 + number) for number in range(5)])
    dialog = desktop.get_by_role("dialog", name="You are signed out")
    expect(dialog).to_be_visible()
    back = f"/account/login/?next=%2Flibrary%2Fsets%2F{image_set.pk}%2F"
    expect(dialog.get_by_role("link", name="Sign in again")).to_have_attribute("href", back)
    expect(desktop.get_by_text("because your session has ended")).to_have_count(5)
    expect(desktop.locator("[data-upload-status]")).to_have_text("0 added, 5 not added")


def test_a_set_that_is_deleted_meanwhile_is_told(desktop: Page, workspace: Workspace) -> None:
    image_set = ImageSet.objects.create(workspace=workspace, title="Fleet")
    desktop.goto(f"/library/sets/{image_set.pk}/")
    image_set.delete()
    desktop.get_by_label("Add images").set_input_files([file("late.jpg", side=71)])
    expect(desktop.get_by_text("late.jpg: This is not there any more.")).to_be_visible()
    expect(desktop.get_by_role("button", name="Try again late.jpg")).to_have_count(0)
    desktop.watch.complaints = [text for text in desktop.watch.complaints if "404" not in text]  # type: ignore[attr-defined]
