"""A network, or whoever speaks in its place, answers with what should harm us. The post is out: that must be kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ConnectedAccount
from publishing.models import Publication, Status
from socialhub.platforms.base import Published
from tests.fakes import FakePlatform
from tests.publishing.conftest import account, make_due, network, run_due

__all__ = ["account", "make_due", "network"]

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "permalink",
    [
        "javascript:evil(1)",
        "JaVaScRiPt:evil(1)",
        " javascript:evil(1)",
        "data:text/html,<script>evil(1)</script>",
        "//evil.example/",
        "/somewhere/else/",
        "https://fake.example/" + "x" * 5000,
    ],
)
@pytest.mark.parametrize("told", ["at once", "later"])
def test_an_address_that_is_none_is_never_a_link_and_loses_no_post(
    network: FakePlatform,
    account: ConnectedAccount,
    make_due: Callable[..., Publication],
    signed_in: Client,
    monkeypatch: pytest.MonkeyPatch,
    permalink: str,
    told: str,
) -> None:
    answered = Published("1_1", permalink if told == "at once" else "", "request", timezone.now())
    monkeypatch.setattr(network, "commit", lambda *args: answered)
    monkeypatch.setattr(network, "permalink", lambda *args: permalink)
    publication = make_due(account, caption="Hello")
    run_due()
    publication.refresh_from_db()
    assert (publication.status, publication.permalink) == (Status.PUBLISHED, "")
    page = signed_in.get(publication.post.get_absolute_url()).content.decode()
    assert f'href="{permalink}' not in page
