"""The whole way of the figures over real HTTP: sandbox, the real clients, rows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from analytics import sync
from analytics.models import InsightWindow, PlatformPost, PostSnapshot
from analytics.reports import dashboard as reports
from publishing.models import Publication
from tests.analytics.rows import make_published
from tests.factories import make_account
from tests.sandbox_process import sandbox, sandbox_process

__all__ = ["sandbox", "sandbox_process"]

pytestmark = [pytest.mark.django_db, pytest.mark.processes]


@pytest.fixture
def granted(sandbox, settings):
    for name, value in sandbox.settings.items():
        setattr(settings, name, value)
    return sandbox.person(pages=1, instagram=True, followers=[5000]).page


@pytest.fixture
def fb(workspace, granted):
    return make_account(workspace, token=granted.access_token, platform_account_id=granted.id, name="")


@pytest.fixture
def gram(workspace, granted):
    return make_account(
        workspace,
        platform="instagram",
        token=granted.access_token,
        platform_account_id=granted.instagram_id,
        name="",
    )


def test_a_page_and_its_instagram_account_are_read(sandbox, granted, fb, gram):
    answer = sandbox.call("POST", f"{granted.id}/feed", granted.access_token, message="By hand").json()
    sandbox.advance(6 * 3600)
    for account in (fb, gram):
        assert sync.sync(account.pk)
        account.refresh_from_db()
        assert account.sync_error == ""
        assert account.followers_count > 0
        assert account.name
        assert InsightWindow.objects.get(account=account, period="hour").metrics["followers"] == account.followers_count
    assert InsightWindow.objects.filter(account=gram, period="day").exists()
    post = PlatformPost.objects.get(account=fb)
    assert (post.platform_post_id, post.text, post.publication) == (answer["id"], "By hand", None)
    assert post.permalink
    assert min(post.views, post.reach, post.likes) > 0
    assert PostSnapshot.objects.get().views == post.views


def test_figures_of_our_own_post_grow(sandbox, granted, fb, workspace):
    answer = sandbox.call("POST", f"{granted.id}/feed", granted.access_token, message="Ours").json()
    published = make_published(fb, at=timezone.now() - timedelta(seconds=5))
    Publication.objects.update(platform_post_id=answer["id"])
    sync.sync_due()
    early = PlatformPost.objects.get()
    assert early.publication.post == published
    assert early.views is not None
    sandbox.advance(3600)
    PlatformPost.objects.update(next_fetch_at=timezone.now())
    sync.sync_due()
    late = PlatformPost.objects.get()
    assert late.views > early.views
    (row,) = reports.recent_posts(workspace).rows
    assert row.networks[0].views == late.views
    assert reports.last_30_days(workspace).reach.value == late.reach


def test_a_post_deleted_there_is_gone_here(sandbox, granted, fb):
    answer = sandbox.call("POST", f"{granted.id}/feed", granted.access_token, message="Short life").json()
    sync.sync(fb.pk)
    sandbox.call("DELETE", answer["id"], granted.access_token)
    PlatformPost.objects.update(posted_at=timezone.now() - timedelta(hours=1), next_fetch_at=timezone.now())
    sync.sync(fb.pk, full=True)
    assert PlatformPost.objects.get().gone_at


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "token_revoked", "edge": "node"}, "revoked"),
        ({"kind": "rate_limited", "edge": "node", "minutes": 20}, "connected"),
        ({"kind": "error_before", "edge": "node", "count": None}, "connected"),
    ],
)
def test_faults_of_the_network_are_told_in_words(sandbox, fb, fault, status):
    sandbox.fault(**fault)
    sync.sync(fb.pk)
    fb.refresh_from_db()
    assert fb.sync_error
    assert fb.last_synced_at is None
    assert fb.status in (status, "expired" if status == "revoked" else status)
    sandbox.no_faults()
