"""Connecting where scripts are switched off."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.journey.accounts_page import META, allow
from tests.journey.house import Arrive, House

pytestmark = [pytest.mark.browser, pytest.mark.processes]


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_facebook_is_connected_without_scripts(house: House, arrive: Arrive, size: str) -> None:
    house.sandbox.reset()
    house.sandbox.person(name=f"Nora {size}")
    nora = arrive(size, scripts=False)
    nora.accounts.press_connect("Facebook")
    allow(nora.page, META, f"Nora {size}")
    nora.choice.is_here()
    nora.choice.connect()
    for network in ("Facebook", "Instagram"):
        nora.accounts.has_state(network, "Connected")
    assert {network for network, _name in nora.rows()} == {"facebook", "instagram"}
    expect(nora.page.get_by_role("alert")).to_have_count(0)
