"""Counts as networks tell them."""

from __future__ import annotations

LARGEST = 2**63 - 1


def count(number: int | float | None) -> int | None:
    """Less than none at all is no count, and stays unknown like one that no database could keep."""
    return round(number) if number is not None and 0 <= number <= LARGEST else None
