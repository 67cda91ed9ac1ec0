"""What the tests of the engine share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import ConnectedAccount, Workspace
from publishing import job, publish
from publishing.claims import claim_due
from publishing.models import Publication
from publishing.schedule import publish_now
from tests.factories import make_account, make_post
from tests.fakes import FakeInstagram, FakePlatform


@pytest.fixture
def account(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> FakePlatform:
    """The network that all accounts of the test are on."""
    fake, fake_instagram = FakePlatform(), FakeInstagram()
    fake_instagram.feed = fake.feed
    fakes = {"facebook": fake, "instagram": fake_instagram}
    monkeypatch.setattr(job, "client_of", lambda account: fakes[account.platform])
    return fake


@pytest.fixture
def make_due(workspace: Workspace) -> Callable[..., Publication]:
    """A publication of its own post that is due now."""

    def make(account: ConnectedAccount, **fields: object) -> Publication:
        post = make_post(workspace, account, **fields)
        publish_now(post, by=None)
        return post.publications.get()

    return make


def run_due(limit: int = 50) -> int:
    """What a worker does with everything that is due now; returns how many publications it took."""
    taken = claim_due(limit)
    for claim in taken:
        publish.run(claim)
    return len(taken)
