"""Addresses as networks tell them."""

from __future__ import annotations

LONGEST = 2000


def address(url: str) -> str:
    """Half an address is none."""
    return url if len(url) <= LONGEST else ""
