"""Settings → Social accounts as a person meets it, and the consent pages of the simulated networks on the way.

What a label or a heading is called stands here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

# Where each card that is highlighted stands: [heading of its network, name of the account].
SHINING = """
cards => cards.map(card => [card.closest("section").querySelector("h2").textContent.trim(),
                            card.querySelector("h3").textContent.trim()])
"""


@dataclass(frozen=True)
class Consent:
    """The consent pages of one simulated network. who: heading of the page that asks who connects."""

    who: str
    allow: str


META = Consent("Who are you?", "Continue as")
INSTAGRAM = Consent("Log in to Instagram", "Allow")
LINKEDIN = Consent("Sign in", "Allow")
BUFFER = Consent("Log in to Buffer", "Authorize")


class AccountsPage:
    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self) -> None:
        self.page.goto("/settings/accounts/")
        self.is_here()

    def is_here(self) -> None:
        expect(self.page.get_by_role("heading", name="Social accounts", level=1)).to_be_visible()

    # What stands on it

    def network(self, title: str) -> Locator:
        """The entry of a network: "Facebook", "X (via Buffer)"."""
        return self.page.get_by_role("region", name=title, exact=True)

    def has_state(self, title: str, state: str) -> None:
        """state: Connected, Not connected or Error."""
        expect(self.network(title).get_by_role("status").first).to_contain_text(state, use_inner_text=True)

    def card(self, name: str, title: str) -> Locator:
        """Everything about one account; with many accounts it is folded up to a row first."""
        self.page.wait_for_load_state()
        card = self.network(title).get_by_role("article", name=name, exact=True)
        if not card.count():
            heading = self.page.get_by_role("heading", name=name, exact=True)
            self.network(title).locator("summary", has=heading).click()
        return card

    def shining(self) -> list[tuple[str, str]]:
        """Network and name of each account that is highlighted."""
        return sorted(map(tuple, self.page.locator("[data-shine]").evaluate_all(SHINING)))

    def not_connected_behind_buffer(self) -> list[str]:
        """The networks that wait in the one place for those that nobody has connected."""
        place = self.network("More networks through Buffer")
        buttons = place.get_by_role("button", name=re.compile("^Connect .*via Buffer"))
        return sorted(" ".join(words.split()).removeprefix("Connect ") for words in buttons.all_inner_texts())

    def alert(self) -> Locator:
        return self.page.get_by_role("alert")

    # What can be done

    def connect_buttons(self) -> Locator:
        """One per network, whatever is connected."""
        return self.page.get_by_role("button", name=re.compile("^Connect "))

    def press_connect(self, title: str) -> None:
        place = self.network("More networks through Buffer" if title.endswith("(via Buffer)") else title)
        place.get_by_role("button", name=re.compile(f"^Connect {re.escape(title)}$")).click()

    def press_connect_more(self, title: str) -> None:
        self.network(title).get_by_role("button", name="Connect more").click()

    def press_reconnect(self, name: str, title: str) -> None:
        self.card(name, title).get_by_role("button", name="Reconnect", exact=True).click()

    def disconnect(self, name: str, title: str) -> None:
        card = self.card(name, title)
        expect(card).to_be_visible()
        more = card.locator("summary", has_text=f"for {name}")
        if more.is_visible():  # on a phone
            more.click()
        card.get_by_role("link", name="Disconnect", exact=True).click()
        dialog = self.page.get_by_role("dialog", name=f"Disconnect {name}")
        expect(dialog).to_contain_text("The stored access is deleted.")
        dialog.get_by_role("button", name="Disconnect").click()
        expect(self.page.get_by_text(f"{name} is disconnected.")).to_be_visible()

    def close_guidance(self) -> None:
        """It opens by itself where a Page brought no Instagram account."""
        dialog = self.page.get_by_role("dialog", name="Link an Instagram account")
        expect(dialog).to_be_visible()
        dialog.get_by_role("button", name="Close").click()
        expect(dialog).to_be_hidden()

    def key_field(self) -> Locator:
        field = self.page.get_by_label("Personal key")
        if not field.is_visible():
            self.page.get_by_text("Use a personal key instead").click()
        return field

    def paste_key(self, key: str) -> None:
        self.key_field().fill(key)
        self.page.get_by_role("button", name="Check and connect").click()


class ChoicePage:
    """Choose what to connect."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def is_here(self) -> None:
        expect(self.page.get_by_role("heading", name="Choose what to connect")).to_be_visible()

    def rows(self) -> list[str]:
        return self.page.get_by_role("group", name="Accounts").locator("label").all_inner_texts()

    def box(self, words: str) -> Locator:
        """The only row with these words."""
        return self.page.get_by_role("group", name="Accounts").locator("label", has_text=words).get_by_role("checkbox")

    def choose_only(self, names: Iterable[str]) -> None:
        wanted = list(names)
        for row in self.page.get_by_role("group", name="Accounts").locator("label").all():
            box = row.get_by_role("checkbox")
            if box.is_enabled():
                box.set_checked(any(name in row.inner_text() for name in wanted))

    def connect(self) -> None:
        self.page.get_by_role("button", name="Connect", exact=True).click()
        AccountsPage(self.page).is_here()


def who_page(page: Page, network: Consent, person: str) -> None:
    expect(page.get_by_role("heading", name=network.who)).to_be_visible()
    page.get_by_role("link", name=person).click()


def allow(page: Page, network: Consent, person: str) -> None:
    """From the page that asks who connects to where the network sends that person afterwards."""
    who_page(page, network, person)
    page.get_by_role("button", name=network.allow).click()


def deny(page: Page, network: Consent, person: str) -> None:
    who_page(page, network, person)
    expect(page.get_by_role("button", name=network.allow)).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
