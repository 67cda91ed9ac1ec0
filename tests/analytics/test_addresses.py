"""Addresses that networks tell are shown as links."""

from __future__ import annotations

import pytest

from socialhub.platforms.text import LONGEST_ADDRESS as LONGEST
from socialhub.platforms.text import address


def test_an_address_that_opens_a_page_is_one():
    assert address("https://network.example/p/1") == "https://network.example/p/1"


ADDRESSES = {
    "script": "javascript:alert(1)",
    "data": "data:text/html,x",
    "without a scheme": "//network.example",
    "too long": "https://network.example/" + "a" * LONGEST,
    "nothing": "",
}


@pytest.mark.parametrize("told", ADDRESSES.values(), ids=ADDRESSES)
def test_anything_else_is_none(told: str):
    assert address(told) == ""
