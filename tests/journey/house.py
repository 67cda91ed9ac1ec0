"""A web process, a worker and the simulated networks on the database of the tests, so that a test can age a row.

There is no beat: what goes out after a reconnect was woken by the reconnect itself. Each module has a
house of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Browser, Page
from pytest_django import DjangoDbBlocker

from accounts.models import ConnectedAccount, Grant, User, Workspace
from tests.browser.conftest import sign_in
from tests.factories import make_user, workspace_of
from tests.journey.accounts_page import AccountsPage, ChoicePage
from tests.journey.windows import open_window
from tests.sandbox_process import Sandbox
from tests.stage import Stage


@dataclass(frozen=True)
class House:
    stage: Stage
    mail: Path

    @property
    def sandbox(self) -> Sandbox:
        return self.stage.sandbox

    def mails(self, to: User, subject: str) -> int:
        letters = [letter for file in self.mail.iterdir() for letter in file.read_text().split("-" * 79)]
        wanted = f"To: {to.email}\n", f"Subject: [socialhub] {subject}\n"
        return sum(all(line in letter for line in wanted) for letter in letters)


@pytest.fixture(scope="module")
def db(browser: Browser, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Rows stay until the last test, as the processes of the house are at work on them all the time.

    After the browser, whose event loop gives this thread another connection.
    """
    with django_db_blocker.unblock():
        yield
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture(scope="module")
def house(db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    (folder / "mail").mkdir()
    stage = Stage(
        folder, EMAIL_URL=f"filemail:///{folder}/mail", HTTP_READ_TIMEOUT_SECONDS="10", PUBLISH_LEASE_SECONDS="30"
    )
    try:
        stage.start_worker()
        stage.start_web()
        yield House(stage, folder / "mail")
    finally:
        stage.stop()


@dataclass
class Somebody:
    """A person with a workspace of their own, signed in in a browser of their own."""

    user: User
    page: Page

    @property
    def workspace(self) -> Workspace:
        return workspace_of(self.user)

    @property
    def accounts(self) -> AccountsPage:
        return AccountsPage(self.page)

    @property
    def choice(self) -> ChoicePage:
        return ChoicePage(self.page)

    def rows(self) -> dict[tuple[str, str], ConnectedAccount]:
        found = ConnectedAccount.objects.of(self.workspace)
        return {(account.platform, account.name): account for account in found}

    def has_nothing(self) -> bool:
        grants = Grant.objects.filter(workspace=self.workspace)
        return not grants.exists() and not ConnectedAccount.objects.of(self.workspace).exists()


Arrive = Callable[..., Somebody]


@pytest.fixture
def arrive(browser: Browser, house: House) -> Iterator[Arrive]:
    """arrive("phone"): somebody new, on the page of the accounts."""
    with ExitStack() as windows:

        def arrive(size: str = "desktop", address: str = house.stage.web_url, *, scripts: bool = True) -> Somebody:
            window = windows.enter_context(open_window(browser, address, size, scripts=scripts))
            user = make_user()
            sign_in(window, user, address)
            somebody = Somebody(user, window.new_page())
            somebody.accounts.open()
            return somebody

        yield arrive
