"""What `bin/screenshots` does once its environment exists."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bootstrap import ROOT, give_up
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, ViewportSize, sync_playwright

from tests.journey.accounts_page import LINKEDIN, META, AccountsPage, ChoicePage, Consent, allow

FOLDER = ROOT / "var" / "screenshots"
SIZES: dict[str, ViewportSize] = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 900}}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
CHROMIUM = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
# A demonstration: errors are shown as they are to people, not to developers.
DEMO_ENV = "DEBUG=0\nSANDBOX=1\nSANDBOX_FORCE=1\nEMAIL_URL=dummymail://\n"
# While nothing is connected yet.
FIRST = {
    "welcome-connect": "/welcome/connect/",
    "welcome-images": "/welcome/images/",
    "welcome-post": "/welcome/post/",
    "dashboard-empty": "/",
}
OUTSIDE = {
    "sign-in": "/account/login/",
    "sign-up": "/account/signup/",
    "reset": "/account/password/reset/",
    "reset-sent": "/account/password/reset/done/",
    "not-found-outside": "/m/no-such-file/x.jpg",
}
INSIDE = {
    "dashboard": "/",
    "calendar-month": "/calendar/?view=month",
    "calendar-week": "/calendar/?view=week",
    "calendar-day": "/calendar/?view=day",
    "posts": "/posts/",
    "posts-none": "/posts/?q=nothing+is+called+like+this",
    "composer": "/posts/new/",
    "analytics": "/analytics/",
    "analytics-90d": "/analytics/?period=90d",
    "analytics-posts": "/analytics/posts/",
    "analytics-compare": "/analytics/compare/",
    "analytics-campaigns": "/analytics/campaigns/",
    "reports": "/settings/reports/",
    "library": "/library/",
    "set-new": "/library/sets/new/",
    "templates": "/library/templates/",
    "template-new": "/library/templates/new/",
    "hashtags": "/library/hashtags/",
    "hashtag-new": "/library/hashtags/new/",
    "accounts": "/settings/accounts/",
    "doctor": "/settings/accounts/doctor/",
    "buffer-key": "/settings/accounts/buffer-key/",
    "limits": "/limits/",
    "profile": "/settings/profile/",
    "workspace": "/settings/workspace/",
    "workspace-pause": "/settings/workspace/pause/",
    "workspace-data": "/settings/workspace/data/",
    "api": "/settings/api/",
    "api-guide": "/settings/api/guide/",
    "webhooks": "/settings/webhooks/",
    "notifications": "/notifications/",
    "email": "/account/email/",
    "password": "/account/password/change/",
    "two-factor": "/account/2fa/",
    "sessions": "/account/sessions/",
    "not-found": "/no/such/page/",
    "style": "/staff/style/",
    "status": "/staff/status/",
    "admin": "/admin/",
    "admin-publications": "/admin/publishing/publication/",
}
MOVING = "post-publishing"  # comes first: it will have moved on soon
# Pages of one thing: the first link on a list that looks like one.
FIRST_OF = {
    "post": ("/posts/", "a[href^='/posts/'][href*='-']:not([href*='?'])"),
    "analytics-post": ("/analytics/posts/?period=90d", "a[href^='/analytics/posts/'][href*='-']:not([href*='?'])"),
    "set": ("/library/", "a[href^='/library/sets/'][href*='-']"),
    "template": ("/library/templates/", "a[href^='/library/templates/'][href*='-']"),
    "account": ("/", "a[href^='/settings/accounts/'][href*='-']"),
    "hashtag": ("/library/hashtags/", "a[href^='/library/hashtags/'][href*='-']"),
    "webhook": ("/settings/webhooks/", "a[href^='/settings/webhooks/'][href*='-']"),
}


@dataclass(frozen=True)
class Installation:
    """One that runs. pages: what is worth a picture there besides the pages that every installation has."""

    address: str
    email: str
    password: str
    pages: dict[str, str] = field(default_factory=dict)


def sign_in(page: Page, installation: Installation) -> None:
    page.goto("/account/login/")
    page.fill("[name=login]", installation.email)
    page.fill("[name=password]", installation.password)
    with page.expect_navigation():
        page.press("[name=password]", "Enter")
    if "/account/login" in page.url:
        give_up("The sign-in was refused: check --email and --password.")


# --- A demo of our own ------------------------------------------------------------------------------------------


@contextmanager
def demo(browser: Browser, options: argparse.Namespace) -> Iterator[Installation]:
    """A copy of the project, started as a new user would, with accounts connected and posts in several states."""
    folder = tempfile.mkdtemp(prefix="screenshots")
    Path(folder).chmod(0o755)  # the embedded database runs as another user when we are root
    os.environ["SOCIALHUB_TEST_FOLDER"] = folder
    from tests.checkout import fresh_checkout
    from tests.sandbox_process import free_port

    try:
        with fresh_checkout() as checkout:
            (checkout.folder / ".env").write_text(DEMO_ENV)
            words = checkout.start(free_port())
            address, email, password = (
                found[1]
                for pattern in (r"seconds: +(\S+)/", r"Sign in as +(\S+)", r"Password +(\S+)")
                if (found := re.search(pattern, words))
            )
            installation = Installation(address, email, password)
            for complaint in take_first(browser, installation, options):
                print(complaint, file=sys.stderr)
            connect_accounts(browser, installation)
            made = checkout.command("manage.py", "shell", "-c", "from tests.scene import make; make()")
            if made.returncode:
                give_up(f"The posts of the demo could not be made.\n{made.stderr}")
            yield Installation(address, email, password, json.loads(made.stdout.splitlines()[-1]))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def connect_accounts(browser: Browser, installation: Installation) -> None:
    context = browser.new_context(base_url=installation.address, viewport=SIZES["desktop"])
    page = context.new_page()
    sign_in(page, installation)
    for network, title, person in ((META, "Facebook", "Gina Garage"), (LINKEDIN, "LinkedIn", "Lena Lind")):
        connect(page, network, title, person)
    context.close()


def connect(page: Page, network: Consent, title: str, person: str) -> None:
    accounts = AccountsPage(page)
    accounts.open()
    accounts.press_connect(title)
    allow(page, network, person)
    ChoicePage(page).connect()


# --- The pictures -----------------------------------------------------------------------------------------------


def found_on_lists(page: Page) -> dict[str, str]:
    found = {}
    for name, (address, selector) in FIRST_OF.items():
        page.goto(address)
        links = page.locator(f"main {selector}")
        if links.count() and (target := links.first.get_attribute("href")):
            found[name] = target
    return found


def take(browser: Browser, installation: Installation, options: argparse.Namespace) -> list[str]:
    """Make the pictures of all pages; returns what could not be seen."""
    opened = browser.new_context(base_url=installation.address)
    page = opened.new_page()
    sign_in(page, installation)
    inside = {**INSIDE, **found_on_lists(page), **installation.pages}
    state = opened.storage_state()
    opened.close()
    moving = {name: inside.pop(name) for name in [MOVING] if name in inside}
    complaints = [
        *series(browser, installation, moving, state, options),
        *series(browser, installation, OUTSIDE, None, options),
        *series(browser, installation, inside, state, options),
    ]
    return sorted(set(complaints))


def take_first(browser: Browser, installation: Installation, options: argparse.Namespace) -> list[str]:
    """What only somebody sees who has connected nothing yet."""
    opened = browser.new_context(base_url=installation.address)
    sign_in(opened.new_page(), installation)
    state = opened.storage_state()
    opened.close()
    return series(browser, installation, FIRST, state, options)


def series(
    browser: Browser,
    installation: Installation,
    pages: dict[str, str],
    state: StorageState | None,
    options: argparse.Namespace,
) -> list[str]:
    """Each of the pages in both sizes and schemes."""
    complaints = []
    wanted = {name: address for name, address in pages.items() if not options.only or name in options.only}
    for size in SIZES if wanted else ():
        for scheme in SCHEMES:
            context = window(browser, installation, size, scheme, state)
            for name, address in wanted.items():
                page = context.new_page()
                answer = page.goto(address)
                if answer is None or answer.status != (404 if "not-found" in name else 200):
                    complaints.append(f"{name}: {address} answered {answer and answer.status}")
                if name != MOVING:  # which asks again and again
                    page.wait_for_load_state("networkidle")
                if not options.fold:
                    grow(page)
                page.screenshot(path=FOLDER / f"{name}-{size}-{scheme}.png")
                page.close()
            context.close()
    return complaints


def grow(page: Page) -> None:
    """Make the window as high as the page, so that bars that stay in sight lie at its end and cover nothing."""
    height = page.evaluate("document.documentElement.scrollHeight")
    if page.viewport_size and height > page.viewport_size["height"]:
        page.set_viewport_size({"width": page.viewport_size["width"], "height": height})


def window(
    browser: Browser,
    installation: Installation,
    size: str,
    scheme: Literal["light", "dark"],
    state: StorageState | None,
) -> BrowserContext:
    return browser.new_context(
        base_url=installation.address,
        viewport=SIZES[size],
        color_scheme=scheme,
        has_touch=size == "phone",
        reduced_motion="reduce",
        storage_state=state,
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/screenshots",
        description="Pictures of every page, phone and desktop, light and dark, into var/screenshots. Without an "
        "address it starts a demo of its own, with accounts and posts in several states, and ends it afterwards.",
    )
    parser.add_argument("address", nargs="?", help="where one runs, such as http://127.0.0.1:8000")
    parser.add_argument("--email")
    parser.add_argument("--password")
    parser.add_argument("--only", nargs="*", metavar="PAGE", help="names of pages")
    parser.add_argument("--fold", action="store_true", help="only what fits on the screen")
    given = parser.parse_args()
    if given.address and not (given.email and given.password):
        parser.error("an address needs --email and --password")
    return given


def main() -> int:
    options = arguments()
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        give_up("There is no Chromium: apt-get install chromium, or set CHROMIUM=/path/to/it.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM)
        if options.address:
            running = Installation(options.address.rstrip("/"), options.email, options.password)
            complaints = take(browser, running, options)
        else:
            with demo(browser, options) as installation:
                complaints = take(browser, installation, options)
        browser.close()
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER}")
    return 1 if complaints else 0
