"""The frame around every page."""

from __future__ import annotations

from django.test import Client


def test_the_dashboard_stands_in_the_frame(signed_in: Client) -> None:
    page = signed_in.get("/").content.decode()
    assert '<main class="main" id="content"' in page
    assert 'aria-label="Main"' in page
    assert "Skip to content" in page
