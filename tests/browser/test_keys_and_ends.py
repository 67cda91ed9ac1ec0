"""What is there only once, or nearly gone: a new API key at its own page, a deleted workspace that comes back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from accounts.models import ApiKey, User, Workspace
from tests.browser.axe import check
from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("size", "scheme"), [("phone", "dark"), ("desktop", "light")])
def test_a_new_key_stands_at_its_own_page_until_it_is_loaded_again(
    open_page: OpenPage, owner: User, size: str, scheme: str
) -> None:
    page = open_page(size, scheme=scheme, user=owner)
    page.goto("/settings/api/")
    page.get_by_label("Name").fill("Robot")
    page.get_by_role("button", name="Make the key").click()
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Go on").click()
    expect(page).to_have_url(re.compile(r"/settings/api/$"))
    expect(page.locator("#api-key")).to_have_text(re.compile(r"shk_[\w-]{43}"))
    check(page)
    page.reload()
    expect(page.locator("#api-key")).to_have_count(0)
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(("size", "scheme"), [("phone", "light"), ("desktop", "dark")])
def test_a_deleted_workspace_is_brought_back(
    open_page: OpenPage, owner: User, workspace: Workspace, size: str, scheme: str
) -> None:
    page = open_page(size, scheme=scheme, user=owner)
    page.goto("/settings/workspace/data/")
    page.get_by_label("Name of the workspace").fill(workspace.name)
    page.get_by_role("button", name="Delete the workspace").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("is deleted")
    check(page)
    page.get_by_role("button", name="Bring it back").click()
    expect(page.get_by_role("heading", level=1, name=workspace.name)).to_be_visible()
    expect(page.get_by_role("button", name="Resume publishing")).to_be_visible()
    check(page)
