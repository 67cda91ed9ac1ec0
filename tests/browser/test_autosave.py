"""No word is lost: not by a reload, not by an ended session, not without a connection."""

from __future__ import annotations

import pytest
from django.conf import settings
from playwright.sync_api import Dialog, Page, Route, expect

from accounts.models import User, Workspace
from publishing.media import store_upload
from publishing.models import Autosave, Post
from tests.browser.axe import check
from tests.browser.conftest import OpenPage, sign_in
from tests.factories import make_account, make_post
from tests.publishing.pictures import photo
from tests.stage import wait_until

pytestmark = pytest.mark.browser

STATUS = "[data-autosave-status]"


def kept_here(page: Page) -> list[str]:
    return [name for name in page.evaluate("Object.keys(sessionStorage)") if name.startswith("socialhub:")]


@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_a_reload_brings_back_what_was_typed(open_page: OpenPage, owner: User, workspace: Workspace, size: str) -> None:
    make_account(workspace)
    media = store_upload(workspace, owner, photo())
    page = open_page(size, user=owner)
    page.goto("/posts/new/")
    page.get_by_label("Caption", exact=True).fill("Half a sentence")
    expect(page.locator(STATUS)).to_contain_text("Saved as you type, ")
    expect(page).to_have_url(f"/posts/new/?draft={Autosave.objects.get().key}")
    page.locator(".composer-library summary").click()
    page.locator(f"input[name=add][value='{media.pk}']").check()
    page.get_by_role("button", name="Add what is chosen").click()
    expect(page.locator(".composer-picture")).to_have_count(1)
    page.get_by_role("button", name="Add alt text").click()
    page.locator("[name^='alt-']").fill("The engine")
    with page.expect_response("**/posts/autosave/"):
        page.keyboard.press("Escape")
    page.reload()
    expect(page.get_by_label("Caption", exact=True)).to_have_value("Half a sentence")
    expect(page.locator("[name^='alt-']")).to_have_value("The engine")
    expect(page.locator("#composer_offered")).to_have_count(0)
    # A new post does not overwrite it, and offers it.
    page.goto("/posts/new/")
    expect(page.get_by_label("Caption", exact=True)).to_have_value("")
    expect(page.locator("#composer_offered")).to_contain_text("Half a sentence")
    check(page)
    page.get_by_role("link", name="Continue").click()
    expect(page.get_by_label("Caption", exact=True)).to_have_value("Half a sentence")
    page.get_by_role("button", name="Publish to 1").click()
    page.wait_for_url("**/posts/*-*/")
    assert Post.objects.get().caption == "Half a sentence"
    assert not Autosave.objects.exists()
    assert kept_here(page) == []
    page.go_back()
    page.wait_for_url("**/posts/*-*/")


def test_leaving_before_the_pause_is_over_keeps_it_too(desktop: Page, workspace: Workspace) -> None:
    post = make_post(workspace, make_account(workspace), caption="As saved")
    asked: list[Dialog] = []
    desktop.on("dialog", lambda dialog: (asked.append(dialog), dialog.accept()))
    desktop.goto(f"/posts/{post.pk}/edit/")
    desktop.get_by_label("Caption", exact=True).fill("Changed")
    desktop.goto("/posts/")
    assert wait_until(Autosave.objects.exists, 5), (
        "it was sent while the page was left, and may take longer than the next"
    )
    desktop.goto(f"/posts/{post.pk}/edit/")
    expect(desktop.get_by_label("Caption", exact=True)).to_have_value("As saved")
    expect(desktop.locator("#composer_offered")).to_contain_text("that are not saved")
    desktop.get_by_role("button", name="Throw them away").click()
    expect(desktop.locator("#composer_offered")).to_have_count(0)
    assert not Autosave.objects.exists()
    assert asked == []


def test_looking_only_keeps_nothing(desktop: Page, workspace: Workspace) -> None:
    make_account(workspace)
    asked: list[str] = []
    desktop.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    desktop.goto("/posts/new/")
    desktop.wait_for_timeout(1800)
    desktop.goto("/posts/")
    assert asked == []


def test_a_session_that_ended_loses_nothing_on_submit(
    desktop: Page, workspace: Workspace, owner: User, live_server: object
) -> None:
    make_account(workspace)
    desktop.goto("/posts/new/")
    address = desktop.url.removesuffix("/posts/new/")
    desktop.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    desktop.get_by_label("Caption", exact=True).fill("Written for an hour")
    desktop.get_by_role("button", name="Publish to 1").click()
    dialog = desktop.get_by_role("dialog", name="You are signed out")
    expect(dialog).to_contain_text("What you wrote is kept in this window")
    expect(desktop.locator(STATUS)).to_contain_text("Not saved: you are signed out.")
    assert len(kept_here(desktop)) == 1
    assert not Post.objects.exists()
    sign_in(desktop.context, owner, address)
    # The page of the sign-in would lead on to where `next` says; who is signed in already is led there at once.
    desktop.once("dialog", lambda asked: asked.accept())
    desktop.get_by_role("link", name="Sign in again").click()
    expect(desktop).to_have_url(f"{address}/posts/new/?draft={desktop.locator('[name=key]').first.input_value()}")
    expect(desktop.get_by_label("Caption", exact=True)).to_have_value("Written for an hour")
    assert kept_here(desktop) == []
    desktop.get_by_role("button", name="Publish to 1").click()
    desktop.wait_for_url("**/posts/*-*/")
    assert Post.objects.get().caption == "Written for an hour"


def test_without_a_connection_it_stays_in_the_window_and_is_sent_later(desktop: Page, workspace: Workspace) -> None:
    make_account(workspace)
    desktop.goto("/posts/new/")
    desktop.get_by_label("Caption", exact=True).fill("Before the tunnel")
    expect(desktop.locator(STATUS)).to_contain_text("Saved as you type, ")
    desktop.context.set_offline(True)
    desktop.get_by_label("Caption", exact=True).fill("In the tunnel")
    expect(desktop.locator(STATUS)).to_contain_text("Not saved: no connection.")
    desktop.get_by_role("button", name="Publish to 1").click()
    expect(desktop.locator(".toast").first).to_be_visible()
    expect(desktop.get_by_label("Caption", exact=True)).to_have_value("In the tunnel")
    assert Autosave.objects.get().typed["caption"] == ["Before the tunnel"]
    desktop.context.set_offline(False)
    expect(desktop.locator(STATUS)).to_contain_text("Saved as you type, ")
    assert Autosave.objects.get().typed["caption"] == ["In the tunnel"]
    assert kept_here(desktop) == []
    desktop.get_by_role("button", name="Publish to 1").click()
    desktop.wait_for_url("**/posts/*-*/")
    assert Post.objects.get().caption == "In the tunnel"


def test_signing_out_keeps_the_sentence_and_leaves_nothing_in_the_window(desktop: Page, workspace: Workspace) -> None:
    make_account(workspace)
    desktop.goto("/posts/new/")
    desktop.evaluate("sessionStorage.setItem('socialhub:composer:left', '{}')")
    desktop.get_by_label("Caption", exact=True).fill("In the middle of")
    desktop.locator(".rail-foot details summary").click()
    desktop.get_by_role("button", name="Sign out").click()
    desktop.wait_for_url("**/account/login/**")
    assert Autosave.objects.get().typed["caption"] == ["In the middle of"]
    assert kept_here(desktop) == []


def test_after_a_stop_one_goes_on_writing_and_sends_it_again(desktop: Page, workspace: Workspace) -> None:
    make_account(workspace)
    desktop.goto("/posts/new/")
    caption = desktop.get_by_label("Caption", exact=True)
    caption.fill("Sent")
    stopped: list[str] = []

    def stop(route: Route) -> None:
        stopped.append(route.request.method)
        route.abort("aborted")  # the browser stays on the page, as after its button to stop

    desktop.route("**/posts/new/?draft=*", stop)
    with desktop.expect_event("requestfailed"):
        desktop.get_by_role("button", name="Publish to 1").click(no_wait_after=True)
    assert stopped == ["POST"]
    desktop.unroute("**/posts/new/?draft=*")
    with desktop.expect_response("**/autosave/**"):
        caption.press_sequentially(" and more")
    desktop.get_by_role("button", name="Publish to 1").click()
    desktop.wait_for_url("**/posts/*-*/")
    assert Post.objects.get().caption == "Sent and more"


def test_what_is_typed_for_a_post_that_is_gone_is_said_and_kept(desktop: Page, workspace: Workspace) -> None:
    post = make_post(workspace, make_account(workspace))
    desktop.goto(f"/posts/{post.pk}/edit/")
    Post.objects.all().delete()
    desktop.get_by_label("Caption", exact=True).fill("Still mine")
    expect(desktop.locator(STATUS)).to_contain_text("Not saved: this post is not here any more.")
    expect(desktop.locator(".toast")).to_have_count(0)
    desktop.get_by_role("button", name="Save draft").click()
    expect(desktop.get_by_role("alert")).to_contain_text("publish or save it, and it becomes a new post")
    desktop.get_by_role("button", name="Save draft").click()
    desktop.wait_for_url("**/posts/*-*/")
    assert Post.objects.get().caption == "Still mine"
    assert kept_here(desktop) == []
