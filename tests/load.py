"""Many posts at once, for `bin/bench` and the tests of load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Max, Min
from django.utils import timezone

from accounts.models import ConnectedAccount, Credential, Workspace
from publishing.models import Attempt, Post, Publication, QueueEntry, Status
from publishing.schedule import publish_now
from socialhub.platforms.base import PostType
from tests.factories import make_post, make_user, workspace_of
from tests.sandbox_process import Sandbox
from tests.stage import Stage, wait_until


@dataclass
class Load:
    """Posts that wait for `release()`, and what became of them."""

    expected: dict[str, int]  # posts by the account's id at the network
    released_at: datetime | None = None

    def release(self, ahead_seconds: float = 0) -> None:
        """They are due from now on, or from a moment that is known beforehand."""
        self.released_at = timezone.now() + timedelta(seconds=ahead_seconds)
        QueueEntry.objects.update(not_before=self.released_at, due_at=self.released_at)

    def lateness(self) -> list[float]:
        """Seconds from the release to the beginning of each first attempt, the shortest first."""
        assert self.released_at
        began = Attempt.objects.filter(number=1).values("publication").annotate(first=Min("started_at"))
        return sorted((row["first"] - self.released_at).total_seconds() for row in began)

    def per_second(self) -> float:
        last = Publication.objects.aggregate(last=Max("updated_at"))["last"]
        assert self.released_at
        return sum(self.expected.values()) / (last - self.released_at).total_seconds()

    def duplicates(self, found: Mapping[str, int]) -> int:
        return sum(max(found[key] - number, 0) for key, number in self.expected.items())

    def lost(self, found: Mapping[str, int]) -> int:
        return sum(max(number - found[key], 0) for key, number in self.expected.items())


def sandbox_accounts(sandbox: Sandbox, workspace: Workspace, number: int) -> list[ConnectedAccount]:
    """Connected Pages of a person who exists only for this."""
    accounts = []
    for page in sandbox.person(pages=number).pages:
        account = ConnectedAccount.objects.create(
            workspace=workspace, platform="facebook", platform_account_id=page.id, name=page.name
        )
        Credential.objects.create(account=account, access_token=page.access_token)
        accounts.append(account)
    return accounts


def plain_accounts(workspace: Workspace, number: int) -> list[ConnectedAccount]:
    """Pages that no network knows."""
    accounts = []
    for page in range(number):
        account = ConnectedAccount.objects.create(
            workspace=workspace, platform="facebook", platform_account_id=str(100_000 + page), name=f"Page {page}"
        )
        Credential.objects.create(account=account, access_token=f"token-{page}")
        accounts.append(account)
    return accounts


def due_posts(sandbox: Sandbox | None, number: int, accounts: int) -> tuple[list[ConnectedAccount], Load]:
    """Text posts, spread over the accounts, scheduled far ahead until they are released. sandbox None: a stub."""
    workspace = workspace_of(make_user())
    connected = sandbox_accounts(sandbox, workspace, accounts) if sandbox else plain_accounts(workspace, accounts)
    far = timezone.now() + timedelta(days=1)
    posts = [
        Post(workspace=workspace, caption=f"Post {n} of the bench", status=Status.SCHEDULED, scheduled_at=far)
        for n in range(number)
    ]
    Post.objects.bulk_create(posts)
    publications = [
        Publication(
            post=post,
            account=connected[n % accounts],
            post_type=PostType.TEXT,
            status=Status.SCHEDULED,
            scheduled_at=far,
        )
        for n, post in enumerate(posts)
    ]
    Publication.objects.bulk_create(publications)
    QueueEntry.objects.bulk_create(
        QueueEntry(publication=publication, account=publication.account, not_before=far, due_at=far)
        for publication in publications
    )
    expected: dict[str, int] = {}
    for publication in publications:
        key = publication.account.platform_account_id
        expected[key] = expected.get(key, 0) + 1
    return connected, Load(expected)


def spread(since: datetime, seconds: float) -> None:
    """What waits becomes due one after the other, evenly over so many seconds."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH turn AS (
                SELECT publication_id, %s + (row_number() OVER (ORDER BY publication_id) * %s / count(*) OVER ())
                                            * interval '1 second' AS at
                FROM publishing_queueentry
            ), moved AS (
                UPDATE publishing_queueentry q SET not_before = turn.at, due_at = turn.at
                FROM turn WHERE turn.publication_id = q.publication_id
            )
            UPDATE publishing_publication p SET scheduled_at = turn.at FROM turn WHERE turn.publication_id = p.id
            """,
            [since, seconds],
        )


def release_one_by_one(stage: Stage, number: int) -> list[float]:
    """Publish single posts at rest, as the page's button does; seconds from the click to the begin, shortest first."""
    account = ConnectedAccount.objects.first()
    assert account
    late = []
    for _ in range(number):
        post = make_post(account.workspace, account)
        clicked = timezone.now()
        publish_now(post, by=None)
        assert wait_until(stage.settled, 30, every=0.02)
        began = Attempt.objects.filter(publication__post=post).earliest("started_at").started_at
        late.append((began - clicked).total_seconds())
    return sorted(late)


def feed_counts(sandbox: Sandbox, accounts: list[ConnectedAccount]) -> dict[str, int]:
    return {account.platform_account_id: len(sandbox.feed(account.platform_account_id)) for account in accounts}


def fill_queue(rows: int, accounts: int) -> None:
    """A queue of that many entries, a thousandth of them due, made inside the database."""
    workspace = workspace_of(make_user())
    connected = ConnectedAccount.objects.bulk_create(
        ConnectedAccount(workspace=workspace, platform="facebook", platform_account_id=str(n), name=f"Page {n}")
        for n in range(accounts)
    )
    post = Post.objects.create(workspace=workspace, caption="Queue", status=Status.SCHEDULED)
    ids = [account.pk for account in connected]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE publishing_publication DROP CONSTRAINT publication_once_per_account")
        cursor.execute(
            """
            INSERT INTO publishing_publication
                (id, post_id, account_id, post_type, caption_override, choices, status, handles, progress_label, progress_done,
                 progress_total, platform_post_id, permalink, error_kind, error_message, platform_message,
                 created_at, updated_at)
            SELECT gen_random_uuid(), %(post)s, (%(ids)s::uuid[])[1 + n %% %(accounts)s], 'text', '', '{}', 'scheduled', '{}',
                   '', 0, 0, '', '', '', '', '', now(), now()
            FROM generate_series(1, %(rows)s) n
            """,
            {"post": post.pk, "ids": ids, "accounts": accounts, "rows": rows},
        )
        cursor.execute(
            """
            INSERT INTO publishing_queueentry
                (publication_id, account_id, priority, not_before, due_at, attempts, looks, reserved, losses, held,
                 awaits_decision, trouble_ahead, wait_reason, worker, created_at)
            SELECT id, account_id, 0, at, at, 0, 0, '[]', 0, false, false, false, '', '', now()
            FROM (SELECT id, account_id,
                         now() + ((row_number() OVER (ORDER BY id) - 1) / %s::float - 0.001) * interval '1000 hours' AS at
                  FROM publishing_publication) p
            """,
            [rows],
        )
