"""What is kept of the dashboard: for whom, until when, and what takes it away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisDown

from accounts.models import ConnectedAccount, Membership, Role, User, Workspace
from analytics import cached, sync
from analytics.ingest.accounts import Part
from analytics.models import PlatformPost
from publishing.models import Post, Status
from publishing.states import move
from tests.analytics.rows import make_platform_post, make_published
from tests.factories import make_account, make_post, make_user, workspace_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_left_over() -> Iterator[None]:
    cached._untold.clear()
    yield
    cached._untold.clear()


@pytest.fixture
def account(workspace: Workspace) -> ConnectedAccount:
    account = make_account(workspace, name="Garage", username="garage")
    make_published(account, caption="Already out")
    return account


def page(client: Client, **headers: str) -> str:
    response = client.get("/", headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def tables(client: Client) -> str:
    with CaptureQueriesContext(connection) as queries:
        page(client)
    return " ".join(query["sql"] for query in queries.captured_queries)


def test_the_second_look_asks_for_less(signed_in: Client, account: ConnectedAccount) -> None:
    assert "analytics_insightwindow" in tables(signed_in)
    again = tables(signed_in)
    assert "analytics_insightwindow" not in again
    assert "analytics_platformpost" not in again
    assert "accounts_connectedaccount" in again, "accounts are read anew, with what has become of them"
    assert "Already out" in page(signed_in)


def test_it_is_kept_for_five_minutes(signed_in: Client, workspace: Workspace, account: ConnectedAccount) -> None:
    page(signed_in)
    (key,) = cache._cache.get_client(None).keys("*dashboard:*")  # type: ignore[attr-defined]
    assert 290 < cache._cache.get_client(None).ttl(key) <= 300  # type: ignore[attr-defined]


# What takes it away


def test_a_post_that_goes_out_stands_there_at_once(
    signed_in: Client, workspace: Workspace, account: ConnectedAccount
) -> None:
    publication = make_post(workspace, account, caption="Just now").publications.get()
    page(signed_in)
    for status in (Status.SCHEDULED, Status.QUEUED, Status.PUBLISHING, Status.PUBLISHED):
        assert "Just now" not in page(signed_in)
        published = {"published_at": timezone.now()} if status == Status.PUBLISHED else {}
        move(publication, status, **published)
    assert "Just now" in page(signed_in)


def test_a_reading_shows_at_once(signed_in: Client, account: ConnectedAccount, monkeypatch: Any) -> None:
    def act(*_args: object) -> tuple[()]:
        rows = [PlatformPost(account=account, platform_post_id="1", text="Seen there", posted_at=timezone.now())]
        PlatformPost.objects.bulk_create(rows)
        return ()

    monkeypatch.setattr(sync, "parts_of", lambda *args, **how: [Part("figures", "Figures", act)])
    page(signed_in)
    sync.sync(account.pk)
    assert "Seen there" in page(signed_in)


def test_figures_of_posts_alone_show_at_once(signed_in: Client, account: ConnectedAccount, monkeypatch: Any) -> None:
    post = make_platform_post(account, text="Counted", next_fetch_at=timezone.now(), likes=1)
    page(signed_in)

    def read(_account: object, posts: list[PlatformPost]) -> None:
        PlatformPost.objects.filter(pk=post.pk).update(likes=4711, fetched_at=timezone.now(), next_fetch_at=None)

    monkeypatch.setattr(sync, "sync_posts", read)
    sync.sync_due()
    assert "4.7k" in page(signed_in) or "4,711" in page(signed_in)


def test_an_edit_shows_at_once(signed_in: Client, workspace: Workspace, account: ConnectedAccount) -> None:
    page(signed_in)
    post = Post.objects.get(caption="Already out")
    post.caption = "Put differently"
    post.save()
    assert "Put differently" in page(signed_in)
    post.delete()
    assert "Put differently" not in page(signed_in)


def test_what_became_of_an_account_shows_whoever_wrote_it(signed_in: Client, account: ConnectedAccount) -> None:
    page(signed_in)
    ConnectedAccount.objects.filter(pk=account.pk).update(paused_at=timezone.now(), followers_count=98)
    shown = page(signed_in)
    assert "Paused" in shown
    assert ">98<" in shown


@pytest.mark.django_db(transaction=True)
def test_nobody_keeps_what_was_read_before_the_change(account_of_others: ConnectedAccount, monkeypatch: Any) -> None:
    """Somebody else reads while the change is on its way: after it was told of, and before it can be seen."""
    workspace, post = account_of_others.workspace, Post.objects.get(caption="Theirs")
    old = cached._read(workspace)
    with transaction.atomic():
        post.caption = "Changed"
        post.save()
        with monkeypatch.context() as patch:
            patch.setattr(cached, "_read", lambda workspace: old)
            assert cached.rows_of(workspace).recent.rows[0].text == "Theirs"
        assert cached.rows_of(workspace).recent.rows[0].text == "Theirs", "it is kept"
    assert cached.rows_of(workspace).recent.rows[0].text == "Changed"


@pytest.fixture
def account_of_others(transactional_db: None) -> ConnectedAccount:
    account = make_account(workspace_of(make_user()))
    make_published(account, caption="Theirs")
    return account


def test_who_reads_meanwhile_keeps_nothing_that_is_over(
    workspace: Workspace, account: ConnectedAccount, monkeypatch: Any
) -> None:
    """A change between the reading of the rows and their keeping: they are kept under a mark that is gone."""
    read = cached._read

    def slowly(of: Workspace) -> cached.Rows:
        rows = read(of)
        Post.objects.get(caption="Already out").save()
        return rows

    monkeypatch.setattr(cached, "_read", slowly)
    cached.rows_of(workspace)
    monkeypatch.setattr(cached, "_read", read)
    with CaptureQueriesContext(connection) as queries:
        cached.rows_of(workspace)
    assert queries.captured_queries


# For whom


def test_another_workspace_has_its_own(
    signed_in: Client, signed_in_stranger: Client, stranger: User, account: ConnectedAccount
) -> None:
    make_published(make_account(workspace_of(stranger)), caption="Of strangers")
    for _ in range(2):
        ours, theirs = page(signed_in), page(signed_in_stranger)
        assert ("Already out" in ours, "Of strangers" in ours) == (True, False)
        assert ("Already out" in theirs, "Of strangers" in theirs) == (False, True)


def test_a_change_leaves_what_others_keep(
    signed_in: Client, workspace: Workspace, stranger: User, account: ConnectedAccount
) -> None:
    page(signed_in)
    make_published(make_account(workspace_of(stranger)), caption="Of strangers")
    assert "analytics_insightwindow" not in tables(signed_in)


@pytest.mark.parametrize("first", [Role.OWNER, Role.VIEWER])
def test_nobody_sees_the_buttons_of_another_role(
    signed_in: Client, client: Client, workspace: Workspace, account: ConnectedAccount, first: str
) -> None:
    viewer = make_user()
    viewer.memberships.all().delete()
    Membership.objects.create(workspace=workspace, user=viewer, role=Role.VIEWER)
    client.force_login(viewer, backend="allauth.account.auth_backends.AuthenticationBackend")
    people = {Role.OWNER: signed_in, Role.VIEWER: client}
    for role in (first, *(role for role in people if role != first)):
        shown = page(people[role])
        assert "Already out" in shown
        assert ("New post" in shown) == (role == Role.OWNER)


def test_everybody_reads_it_in_their_own_language_and_zone(
    signed_in: Client, client: Client, workspace: Workspace, account: ConnectedAccount
) -> None:
    german = make_user(language="de", time_zone="Asia/Tokyo")
    german.memberships.all().delete()
    Membership.objects.create(workspace=workspace, user=german, role=Role.EDITOR)
    client.force_login(german, backend="allauth.account.auth_backends.AuthenticationBackend")
    english = page(signed_in)
    shown = page(client)
    assert ("Recent posts" in english, "Recent posts" in shown) == (True, False)
    assert 'lang="de"' in shown
    assert ("+09:00" in english, "+09:00" in shown) == (False, True)


def test_older_posts_are_always_read(signed_in: Client, workspace: Workspace, account: ConnectedAccount) -> None:
    for number in range(15):
        make_platform_post(account, text=f"Older {number}", posted_at=timezone.now() - timedelta(days=number + 1))
    first = cached.rows_of(workspace).recent
    shown = signed_in.get("/", {"before": first.next}).content.decode()
    assert "Older 12" in shown
    assert "Already out" not in shown
    assert "Already out" in page(signed_in)


# When Redis is away


def refuse(*args: object, **kwargs: object) -> None:
    raise RedisDown("Connection refused")


def test_without_redis_the_page_costs_time_and_nothing_else(
    signed_in: Client, workspace: Workspace, account: ConnectedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("get", "get_many", "get_or_set", "set", "set_many", "add", "delete", "delete_many"):
        monkeypatch.setattr(cache, name, refuse)
    assert "Already out" in page(signed_in)
    make_published(account, caption="While it was away")
    Post.objects.get(caption="While it was away").save()
    assert "While it was away" in page(signed_in)


def test_a_change_while_it_was_away_is_told_when_it_is_back(
    workspace: Workspace, account: ConnectedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached.rows_of(workspace)
    with monkeypatch.context() as patch:
        for name in ("get_many", "delete_many"):
            patch.setattr(cache, name, refuse)
        post = Post.objects.get(caption="Already out")
        post.caption = "Changed meanwhile"
        post.save()
        assert cached.rows_of(workspace).recent.rows[0].text == "Changed meanwhile"
    assert cached.rows_of(workspace).recent.rows[0].text == "Changed meanwhile"


def test_publishing_is_not_stopped_by_it(
    workspace: Workspace, account: ConnectedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*args: object, **kwargs: object) -> None:
        raise RuntimeError("boom")

    publication = make_post(workspace, account).publications.get()
    for status in (Status.SCHEDULED, Status.QUEUED, Status.PUBLISHING):
        move(publication, status)
    monkeypatch.setattr(cached, "forget", explode)
    move(publication, Status.PUBLISHED, published_at=timezone.now())
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED


def test_rows_of_another_version_are_not_looked_at(
    workspace: Workspace, account: ConnectedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached.rows_of(workspace)
    monkeypatch.setattr(cached, "_shape", lambda: "another")
    with CaptureQueriesContext(connection) as queries:
        cached.rows_of(workspace)
    assert queries.captured_queries


def test_an_account_is_deleted_with_all_its_posts_without_a_statement_for_each(
    signed_in: Client, account: ConnectedAccount
) -> None:
    numbers = []
    for posts in (3, 20):
        leaving = make_account(account.workspace)
        for _number in range(posts):
            make_platform_post(leaving)
        page(signed_in)
        with CaptureQueriesContext(connection) as queries:
            ConnectedAccount.objects.get(pk=leaving.pk).delete()
        numbers.append(len(queries))
        assert "analytics_platformpost" in tables(signed_in), "what was kept is taken away once"
    assert numbers[0] == numbers[1]


# The pages of analytics


def overview_tables(client: Client, address: str) -> str:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return " ".join(query["sql"] for query in queries.captured_queries)


def test_figures_of_accounts_are_kept_and_cleared_likewise(signed_in: Client, account: ConnectedAccount) -> None:
    assert "analytics_insightwindow" in overview_tables(signed_in, "/analytics/")
    assert "analytics_insightwindow" not in overview_tables(signed_in, "/analytics/")
    assert "analytics_insightwindow" in overview_tables(signed_in, "/analytics/?period=90d")
    cached.forget([account.workspace_id])
    assert "analytics_insightwindow" in overview_tables(signed_in, "/analytics/")


def test_kept_figures_are_in_the_language_of_their_reader(
    signed_in: Client, owner: User, account: ConnectedAccount
) -> None:
    english = signed_in.get(f"/analytics/accounts/{account.pk}/").content.decode()
    User.objects.filter(pk=owner.pk).update(language="de")
    german = signed_in.get(f"/analytics/accounts/{account.pk}/").content.decode()
    assert "Good hours show from" in english
    assert "Good hours show from" not in german


def test_made_up_measures_fill_no_cache(signed_in: Client, account: ConnectedAccount) -> None:
    overview_tables(signed_in, "/analytics/")
    assert "analytics_insightwindow" not in overview_tables(signed_in, "/analytics/?measure=" + "x" * 500)


def test_a_list_is_added_up_once_however_it_is_sorted(signed_in: Client, account: ConnectedAccount) -> None:
    make_platform_post(account, views=40)
    addresses = ("/analytics/posts/", "/analytics/posts/?sort=-views", "/analytics/posts/?kind=text&sort=views")
    assert ["SUM(" in overview_tables(signed_in, address) for address in addresses] == [True, False, True]
    make_platform_post(account, views=2)
    assert signed_in.get(addresses[1]).context["sums"].views.value == 42
    for _time in range(2):
        assert "SUM(" in overview_tables(signed_in, "/analytics/posts/?campaign=Spring")
