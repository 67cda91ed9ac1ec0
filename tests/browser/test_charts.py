"""Charts as people use them: by mouse, by keys, on paper, in the other scheme, without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from accounts.models import ConnectedAccount, User, Workspace
from tests.analytics.figures import make_month
from tests.browser.conftest import OpenPage
from tests.factories import make_account

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

# The colour that most of a canvas has, apart from what is transparent.
MOST_COLOUR = """canvas => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const found = {};
    for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3] > 250) {
            const colour = [data[at], data[at + 1], data[at + 2]].join();
            found[colour] = (found[colour] || 0) + 1;
        }
    }
    return Object.entries(found).sort((one, other) => other[1] - one[1])[0][0];
}"""


@pytest.fixture
def account(workspace: Workspace) -> ConnectedAccount:
    account = make_account(workspace, platform="instagram")
    make_month(account)
    return account


@pytest.fixture
def address(account: ConnectedAccount) -> str:
    return f"/analytics/accounts/{account.pk}/?period=7d&measure=views"


def at_the_chart(page: Page, address: str) -> Page:
    page.goto(address)
    expect(page.locator(".chart-plot canvas").first).to_be_visible()
    return page


def test_keys_read_the_chart_aloud(open_page: OpenPage, owner: User, address: str) -> None:
    page = at_the_chart(open_page(user=owner), address)
    plot, figure = page.locator(".chart-plot").first, page.locator("figure.chart").first
    rows = figure.locator("tbody tr")
    plot.focus()
    page.keyboard.press("End")
    last = plot.get_attribute("aria-valuetext") or ""
    assert rows.last.locator("th").text_content() in last
    assert f"Views {rows.last.locator('td').first.text_content()}" in last
    expect(figure.locator("[data-chart-value]").first).to_have_text(rows.last.locator("td").first.text_content() or "")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert (rows.nth(1).locator("th").text_content() or "") in (plot.get_attribute("aria-valuetext") or "")
    page.keyboard.press("Escape")
    expect(figure.locator("[data-chart-when]")).to_contain_text(" to ")
    assert page.watch.problems() == []  # type: ignore[attr-defined]


def test_a_pointer_reads_it_too(open_page: OpenPage, owner: User, address: str) -> None:
    page = at_the_chart(open_page(user=owner), address)
    page.locator(".chart-plot .u-over").first.hover()
    expect(page.locator("[data-chart-value]").first).not_to_be_empty()


def test_its_colours_follow_the_scheme(open_page: OpenPage, owner: User, address: str) -> None:
    page = at_the_chart(open_page(user=owner), address)
    canvas = page.locator(".chart-plot canvas").first
    light = canvas.evaluate(MOST_COLOUR)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_timeout(200)
    assert canvas.evaluate(MOST_COLOUR) != light
    page.evaluate("delete document.documentElement.dataset.theme")
    page.emulate_media(color_scheme="light")
    page.wait_for_timeout(200)
    assert canvas.evaluate(MOST_COLOUR) == light


def test_it_takes_the_room_that_there_is(open_page: OpenPage, owner: User, address: str) -> None:
    page = at_the_chart(open_page(user=owner), address)
    canvas = page.locator(".chart-plot canvas").first
    wide = (canvas.bounding_box() or {})["width"]
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.querySelector('.chart-plot canvas').clientWidth < 390")
    assert (canvas.bounding_box() or {})["width"] < wide
    page.set_viewport_size({"width": 1280, "height": 900})
    page.wait_for_function(f"document.querySelector('.chart-plot canvas').clientWidth >= {wide - 1}")


def test_paper_is_light_and_narrow(open_page: OpenPage, owner: User, address: str) -> None:
    page = at_the_chart(open_page(scheme="light", user=owner), address)
    canvas = page.locator(".chart-plot canvas").first
    light = canvas.evaluate(MOST_COLOUR)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(200)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.wait_for_timeout(200)
    assert canvas.evaluate(MOST_COLOUR) == light
    assert (canvas.bounding_box() or {})["width"] <= 640
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.wait_for_timeout(200)
    assert canvas.evaluate(MOST_COLOUR) != light


def test_without_scripts_the_table_is_there(open_page: OpenPage, owner: User, address: str) -> None:
    page = open_page(user=owner, java_script_enabled=False)
    page.goto(address)
    figure = page.locator("figure.chart").first
    expect(figure.get_by_text("The table below holds the same figures")).to_be_visible()
    expect(figure.locator(".chart-plot")).to_be_hidden()
    figure.locator("summary").click()
    expect(figure.locator("table")).to_be_visible()


@pytest.mark.parametrize("size", ["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_accounts_are_sound(
    open_page: OpenPage, owner: User, workspace: Workspace, account: ConnectedAccount, size: str, scheme: str
) -> None:
    make_account(workspace, name="New")
    page = open_page(size, user=owner, scheme=scheme)
    for query in ("/analytics/", f"/analytics/accounts/{account.pk}/?period=24h", f"/analytics/accounts/{account.pk}/"):
        at_the_chart(page, query)
        page.locator("summary:visible").evaluate_all(
            "all => all.forEach(one => { one.parentElement.open = !one.closest('.menu') })"
        )
        assert page.watch.problems() == [], query  # type: ignore[attr-defined]
