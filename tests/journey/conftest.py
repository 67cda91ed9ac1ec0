"""One installation for all journeys, started by `bin/run` as a new user would start it, and windows to look at it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import browser_type_launch_args  # noqa: F401  a fixture
from tests.checkout import Checkout, fresh_checkout
from tests.journey.house import arrive, db, house  # noqa: F401  fixtures
from tests.journey.windows import open_window
from tests.sandbox_process import Sandbox, free_port

PASSWORD = "a long and honest one"
EMAILS = [f"{name}@example.com" for name in ("phoebe", "early", "faith", "partner")]
# Signing up is a journey of its own; the others begin after it.
SIGN_UP = """
from allauth.account.models import EmailAddress
from accounts.models import User
from accounts.people import create_workspace
from socialhub.demo import make_demo
for email in {emails}:
    user = User.objects.create_user(email, {password!r})
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    workspace = create_workspace(user)
    if email == {emails}[0]:
        make_demo(workspace, user)
"""


@dataclass(frozen=True)
class Person:
    """Somebody with a workspace of their own, who has connected nothing yet."""

    email: str
    password: str = PASSWORD


@dataclass(frozen=True)
class Installation:
    url: str
    checkout: Checkout
    sandbox: Sandbox
    admin: Person
    phoebe: Person  # has the demo, as the admin has
    early: Person
    faith: Person
    partner: Person


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    if sys.platform != "linux":
        pytest.skip("the processes are found in /proc")
    with fresh_checkout() as checkout:
        port = free_port()
        words = checkout.start(port)
        address, login, password, sandbox = (
            found[1]
            for pattern in (r"seconds: +(\S+)/", r"Sign in as +(\S+)", r"Password +(\S+)", r"fault switches: +(\S+)/")
            if (found := re.search(pattern, words))
        )
        made = checkout.command("manage.py", "shell", "-c", SIGN_UP.format(emails=EMAILS, password=PASSWORD))
        assert made.returncode == 0, made.stderr
        assert checkout.process
        simulated = Sandbox(sandbox, checkout.process, checkout.log)
        yield Installation(address, checkout, simulated, Person(login, password), *map(Person, EMAILS))
        simulated.session.close()


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, installation: Installation) -> Iterator[OpenPage]:
    """open_page("phone"): the first page of a browser in which nobody is signed in."""
    windows = []

    def open_one(size: str = "desktop") -> Page:
        window = open_window(browser, installation.url, size)
        windows.append(window)
        return window.__enter__().new_page()

    yield open_one
    for window in windows:
        window.__exit__(None, None, None)
