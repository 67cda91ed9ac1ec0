"""The calendar as a person uses it: by mouse, by keyboard alone, and with a thumb."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import User, Workspace
from publishing import schedule
from publishing.models import Post
from tests.browser.axe import check
from tests.browser.conftest import OpenPage
from tests.browser.test_pages import problems_of
from tests.factories import make_account, make_post

pytestmark = pytest.mark.browser

YEAR = timezone.now().year + 1
DAY = date(YEAR, 6, 16)
BESIDE = DAY + timedelta(days=1 if DAY.isoweekday() in range(1, 6) else -1)  # in the same week, whichever begins it
MONTH = f"/calendar/?view=month&on={YEAR}-06-01"
WEEK = f"/calendar/?view=week&on={DAY}"


def waiting(workspace: Workspace, at: datetime, caption: str = "Camaro in the snow") -> Post:
    post = make_post(workspace, make_account(workspace), caption=caption)
    schedule.schedule(post, at, by=None)
    return post


@pytest.fixture
def post(workspace: Workspace) -> Post:
    return waiting(workspace, datetime(YEAR, 6, 16, 9, 15, tzinfo=UTC))


def entry(page: Page, post: Post) -> Locator:
    return page.locator(".calendar-entry", has=page.locator(f'a[href="{post.get_absolute_url()}"]'))


def cell(page: Page, day: date) -> Locator:
    return page.locator(f'.calendar-cell[data-drop="{day}"]')


def time_of(post: Post) -> datetime | None:
    post.refresh_from_db()
    return post.scheduled_at


@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_every_view_is_sound_empty_and_full(open_page: OpenPage, owner: User, workspace: Workspace, size: str) -> None:
    found = problems_of(open_page, size, ["/calendar/"], owner)
    now = timezone.now()
    account = make_account(workspace)
    for number, status in enumerate(Post.Summary.values * 4):
        at = now + timedelta(hours=4 * (number - 16))
        make_post(workspace, account, status=status, scheduled_at=at, caption="Long " * 30)
    found += problems_of(open_page, size, [f"/calendar/?view={view}" for view in ("month", "week", "day")], owner)
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_a_post_is_dragged_to_another_day_and_back(desktop: Page, post: Post) -> None:
    desktop.goto(MONTH)
    entry(desktop, post).drag_to(cell(desktop, DAY + timedelta(days=2)))
    expect(cell(desktop, DAY + timedelta(days=2)).locator(".calendar-entry")).to_contain_text("09:15")
    expect(cell(desktop, DAY).locator(".calendar-entry")).to_have_count(0)
    assert time_of(post) == datetime(YEAR, 6, 18, 9, 15, tzinfo=UTC)
    expect(entry(desktop, post).get_by_role("link")).to_be_focused()
    toast = desktop.get_by_role("status").filter(has_text="18 Jun, 09:15")
    check(desktop)
    toast.get_by_role("button", name="Undo").click()
    expect(cell(desktop, DAY).locator(".calendar-entry")).to_contain_text("09:15")
    assert time_of(post) == datetime(YEAR, 6, 16, 9, 15, tzinfo=UTC)
    assert "view=month" in desktop.url


def test_in_the_week_a_drop_sets_the_hour(desktop: Page, post: Post) -> None:
    desktop.goto(WEEK)
    beside = desktop.locator(f'.calendar-slot[data-drop="{BESIDE}"][data-hour="9"]')
    entry(desktop, post).drag_to(beside)
    expect(beside.locator(".calendar-entry")).to_contain_text("09:15")  # the same hour: the minutes stay
    later = desktop.locator(f'.calendar-slot[data-drop="{BESIDE}"][data-hour="14"]')
    entry(desktop, post).drag_to(later)
    expect(later.locator(".calendar-entry")).to_contain_text("14:00")
    assert time_of(post) == datetime(YEAR, 6, BESIDE.day, 14, 0, tzinfo=UTC)


def test_what_has_begun_meanwhile_stays_where_it_is(desktop: Page, post: Post) -> None:
    desktop.goto(MONTH)
    Post.objects.filter(pk=post.pk).update(status="publishing")
    entry(desktop, post).drag_to(cell(desktop, DAY + timedelta(days=2)))
    expect(desktop.get_by_role("status")).to_contain_text("on its way")
    expect(cell(desktop, DAY).locator(".calendar-entry")).to_contain_text("09:15")
    expect(cell(desktop, DAY).locator(".calendar-entry")).not_to_have_attribute("aria-busy", "true")
    assert time_of(post) == datetime(YEAR, 6, 16, 9, 15, tzinfo=UTC)


def test_what_is_out_cannot_be_grabbed(desktop: Page, workspace: Workspace) -> None:
    now = timezone.now()
    out = make_post(workspace, status="published", scheduled_at=now - timedelta(minutes=1))
    desktop.goto("/calendar/")
    expect(entry(desktop, out)).not_to_have_attribute("draggable", "true")
    expect(entry(desktop, out).get_by_role("button")).to_have_count(0)


def test_a_post_is_moved_with_the_keyboard_alone(desktop: Page, post: Post) -> None:
    desktop.goto(MONTH)
    entry(desktop, post).get_by_role("link").focus()
    desktop.keyboard.press("Tab")
    expect(entry(desktop, post).get_by_role("button", name="Move…")).to_be_focused()
    desktop.keyboard.press("Enter")
    dialog = desktop.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_label("Time", exact=True)).to_have_value("09:15")
    check(desktop)

    # A time that is over: the sentence stands at the field, and nothing has moved.
    dialog.get_by_label("Date").fill(str(timezone.now().date()))
    dialog.get_by_label("Time", exact=True).fill("00:00")
    desktop.keyboard.press("Enter")
    expect(dialog.get_by_label("Time", exact=True)).to_be_focused()
    expect(dialog).to_contain_text("A post cannot be moved into the past")
    desktop.watch.complaints.clear()  # type: ignore[attr-defined]
    check(desktop)

    dialog.get_by_label("Date").fill(f"{YEAR}-06-24")
    dialog.get_by_label("Time", exact=True).fill("10:30")
    desktop.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(entry(desktop, post).get_by_role("link")).to_be_focused()
    assert time_of(post) == datetime(YEAR, 6, 24, 10, 30, tzinfo=UTC)

    # Escape leaves everything as it is, and leads back to where one was.
    desktop.keyboard.press("Tab")
    desktop.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    desktop.keyboard.press("Escape")
    expect(entry(desktop, post).get_by_role("button", name="Move…")).to_be_focused()


def test_ways_through_time_keep_the_page(desktop: Page, post: Post) -> None:
    desktop.goto(MONTH)
    desktop.evaluate("window.stayed = true")
    desktop.get_by_role("link", name="The next month").click()
    expect(desktop.get_by_role("heading", level=1)).to_contain_text(f"July {YEAR}")
    expect(desktop.get_by_role("link", name="The next month")).to_be_focused()
    assert desktop.title().startswith(f"July {YEAR}")
    desktop.get_by_role("link", name="Week", exact=True).click()
    expect(desktop.locator(".calendar-week")).to_be_visible()
    assert desktop.evaluate("window.stayed")
    desktop.go_back()
    expect(desktop.locator(".calendar-week")).to_have_count(0)
    expect(desktop.get_by_role("heading", level=1)).to_contain_text(f"July {YEAR}")
    desktop.wait_for_load_state()
    desktop.go_back()
    expect(desktop.get_by_role("heading", level=1)).to_contain_text(f"June {YEAR}")
    expect(desktop.locator(".rail")).to_have_count(1)
    expect(entry(desktop, post)).to_be_visible()


def test_an_empty_day_leads_to_the_composer(desktop: Page, workspace: Workspace) -> None:
    desktop.goto(MONTH)
    place = cell(desktop, DAY)
    place.hover()
    place.get_by_role("link", name="Write a post for").click()
    assert desktop.url.endswith(f"/posts/new/?day={DAY}&time=09:00")


def test_a_thumb_chooses_a_day_and_moves_a_post(phone: Page, workspace: Workspace, post: Post) -> None:
    phone.goto(MONTH)
    expect(entry(phone, post)).to_be_hidden()
    phone.get_by_role("link", name="16 June, 1 post").click()
    row = phone.locator(".calendar-row")
    expect(row).to_contain_text("Camaro in the snow")
    check(phone)
    row.get_by_role("button", name="Move…").click()
    phone.get_by_role("dialog").get_by_role("button", name="A day later").click()
    expect(phone.get_by_role("status")).to_contain_text("17 Jun, 09:15")
    expect(row).to_have_count(0)
    phone.get_by_role("link", name="17 June, 1 post").click()
    expect(row).to_contain_text("Camaro in the snow")
    assert time_of(post) == datetime(YEAR, 6, 17, 9, 15, tzinfo=UTC)


class Finger:
    """One finger on the screen. It rests where it was put until it is moved."""

    def __init__(self, page: Page) -> None:
        self.channel = page.context.new_cdp_session(page)

    def _send(self, kind: str, *points: tuple[float, float]) -> None:
        self.channel.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]}
        )

    def down(self, on: Locator) -> tuple[float, float]:
        on.scroll_into_view_if_needed()
        point = middle(on)
        self._send("touchStart", point)
        return point

    def move(self, x: float, y: float) -> None:
        self._send("touchMove", (x, y))

    def up(self) -> None:
        self._send("touchEnd")


def middle(place: Locator) -> tuple[float, float]:
    box = place.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_finger_drags_what_it_has_held(phone: Page, post: Post) -> None:
    phone.goto(f"/calendar/?view=month&on={DAY}")
    finger = Finger(phone)
    finger.down(phone.locator(".calendar-row time"))
    expect(phone.locator(".calendar-ghost")).to_be_visible()
    there = cell(phone, DAY + timedelta(days=2))
    finger.move(*middle(there))
    expect(there).to_have_attribute("data-over", "")
    finger.up()
    expect(phone.get_by_role("status")).to_contain_text("18 Jun, 09:15")
    expect(phone.locator(".calendar-ghost, [data-dragging]")).to_have_count(0)
    assert time_of(post) == datetime(YEAR, 6, 18, 9, 15, tzinfo=UTC)


def test_in_the_list_of_a_week_a_day_takes_what_is_dragged(phone: Page, post: Post) -> None:
    phone.goto(WEEK)
    phone.locator(f'[data-day="{BESIDE}"]').scroll_into_view_if_needed()
    finger = Finger(phone)
    finger.down(entry(phone, post).get_by_role("link"))
    expect(phone.locator(".calendar-ghost")).to_be_visible()
    there = phone.locator(f'[data-day="{BESIDE}"]')
    finger.move(*middle(there))
    expect(there).to_have_attribute("data-over", "")
    finger.up()
    expect(there.locator(".calendar-entry")).to_contain_text("09:15")
    assert time_of(post) == datetime(YEAR, 6, BESIDE.day, 9, 15, tzinfo=UTC)


def test_a_finger_that_moves_at_once_scrolls(phone: Page, post: Post) -> None:
    phone.clock.install()
    phone.goto(f"/calendar/?view=month&on={DAY}")
    phone.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
    finger = Finger(phone)
    x, y = finger.down(phone.locator(".calendar-row time"))
    finger.move(x, y - 40)
    phone.clock.run_for(2_000)
    expect(phone.locator(".calendar-ghost")).to_have_count(0)
    finger.up()
    finger.down(phone.locator(".calendar-row").get_by_role("button", name="Move…"))  # pressed long, it is a button
    phone.clock.run_for(2_000)
    expect(phone.locator(".calendar-ghost")).to_have_count(0)
    assert time_of(post) == datetime(YEAR, 6, 16, 9, 15, tzinfo=UTC)


def test_without_scripts_a_post_moves_and_moves_back(open_page: OpenPage, owner: User, post: Post) -> None:
    page = open_page("desktop", user=owner, java_script_enabled=False)
    page.goto(MONTH)
    entry(page, post).hover()
    entry(page, post).get_by_role("button", name="Move…").click()
    page.get_by_label("Date").fill(f"{YEAR}-06-20")
    page.get_by_role("button", name="Move", exact=True).click()
    assert page.url.endswith(MONTH)
    assert time_of(post) == datetime(YEAR, 6, 20, 9, 15, tzinfo=UTC)
    page.get_by_role("button", name="Undo").click()
    assert time_of(post) == datetime(YEAR, 6, 16, 9, 15, tzinfo=UTC)
