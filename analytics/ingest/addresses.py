"""Addresses as networks tell them."""

from __future__ import annotations

LONGEST = 2000


def address(url: str) -> str:
    """Half an address is none, and neither is one that a browser would run instead of opening."""
    return url if len(url) <= LONGEST and url.startswith(("https://", "http://")) else ""
