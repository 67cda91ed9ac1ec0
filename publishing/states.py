"""The states of a publication as data, and the only function that writes them.

Rows are always locked in this order: queue entry, publication, post. Whoever needs several takes them in that order,
so that no two ever wait for each other.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.dispatch import Signal
from django.utils import timezone

from accounts.models import User
from publishing.models import Publication, PublicationEvent, Status
from publishing.statements import assignments

TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.DRAFT: frozenset({Status.SCHEDULED}),
    Status.SCHEDULED: frozenset({Status.DRAFT, Status.QUEUED}),
    Status.QUEUED: frozenset({Status.DRAFT, Status.SCHEDULED, Status.PUBLISHING, Status.FAILED}),
    Status.PUBLISHING: frozenset({Status.PUBLISHED, Status.FAILED, Status.CHECKING, Status.SCHEDULED}),
    Status.CHECKING: frozenset({Status.PUBLISHED, Status.SCHEDULED, Status.FAILED}),
    Status.FAILED: frozenset({Status.SCHEDULED, Status.DRAFT}),
    Status.PUBLISHED: frozenset(),
}

# Past these a worker has the publication in its hands, or its outcome is not known.
BEGUN = frozenset({Status.QUEUED, Status.PUBLISHING, Status.CHECKING})
GIVEN_UP = "given_up"  # error_kind of what nobody wants to find out any more: it may be out or not
# An announcement outlasts the answer: a new try of what was given up, and taken back, looked for nothing yet.
MAYBE_OUT = Q(error_kind=GIVEN_UP) | Q(committing_at__isnull=False)


# Sent inside the transaction in which publications go out: `workspaces`, the ids of theirs. For the floors above.
went_out = Signal()


class IllegalMove(Exception):
    """The state machine knows no such step."""


class LostRace(Exception):
    """Somebody else (a worker, another person) moved it first. Nothing was changed."""


MOVE = """
    WITH moved AS (UPDATE publishing_publication SET {values} WHERE id = %s AND status = %s RETURNING id)
    INSERT INTO publishing_publicationevent (publication_id, from_status, to_status, at, actor_id, reason)
    SELECT id, %s, %s, %s, %s, %s FROM moved
"""


def move(publication: Publication, to: Status, *, actor: User | None = None, reason: str = "", **fields: Any) -> None:
    """Change the status, and the given fields with it, and note the event. Raises IllegalMove, LostRace.

    The object carries the new values afterwards.
    """
    came_from = Status(publication.status)
    if to not in TRANSITIONS[came_from]:
        raise IllegalMove(f"{came_from} → {to}")
    now = timezone.now()
    values, prepared = assignments(Publication, {"status": to, "updated_at": now, **fields})
    with transaction.atomic(savepoint=False):
        with connection.cursor() as cursor:
            cursor.execute(
                MOVE.format(values=values),
                [*prepared, publication.pk, came_from, came_from, to, now, actor.pk if actor else None, reason[:500]],
            )
            moved = cursor.rowcount
        if moved:
            tell_of(to, refresh_posts([publication.post_id]))
    if not moved:
        raise LostRace(f"{publication.pk} is no longer {came_from}")
    for name, value in {"status": to, **fields}.items():
        setattr(publication, name, value)


def move_along(
    pks: Collection[UUID],
    path: Sequence[Status],
    *,
    reasons: Sequence[str],
    actor: User | None = None,
    **fields: Any,
) -> list[UUID]:
    """Move many to the end of a path, each from where it stands on it; returns which were moved.

    Every step is an event; `reasons` has one for each step. Publications that stand elsewhere are left alone. This is
    `move` for lists, in a handful of statements whatever their length.
    """
    for came_from, to in itertools.pairwise(path):
        if to not in TRANSITIONS[came_from]:
            raise IllegalMove(f"{came_from} → {to}")
    now = timezone.now()
    with transaction.atomic(savepoint=False):
        rows = list(
            Publication.objects.select_for_update()
            .filter(pk__in=pks, status__in=path[:-1])
            .order_by("pk")
            .values_list("pk", "post_id", "status")
        )
        moved = [pk for pk, _post, _status in rows]
        Publication.objects.filter(pk__in=moved).update(status=path[-1], updated_at=now, **fields)
        PublicationEvent.objects.bulk_create(
            PublicationEvent(
                publication_id=pk,
                from_status=path[step],
                to_status=path[step + 1],
                at=now,
                actor=actor,
                reason=reasons[step][:500],
            )
            for pk, _post, status in rows
            for step in range(path.index(Status(status)), len(path) - 1)
        )
        tell_of(path[-1], refresh_posts({post for _pk, post, _status in rows}))
    return moved


def may_be_out(publication: Publication) -> bool:
    """MAYBE_OUT, of a row that was read already."""
    return publication.error_kind == GIVEN_UP or publication.committing_at is not None


def tell_of(status: Status, workspaces: Collection[UUID]) -> None:
    """Whoever hears of it breaks nothing: what is out must be written down."""
    if status == Status.PUBLISHED and workspaces:
        went_out.send_robust(Publication, workspaces=workspaces)


# What a post is called whose publications stand differently. The first line that fits wins.
SUMMARY_SQL = """
    SELECT post_id, CASE
        WHEN bool_or(status IN ('queued', 'publishing')) THEN 'publishing'
        WHEN count(DISTINCT status) = 1 THEN min(status)
        WHEN bool_or(status = 'checking') THEN 'checking'
        WHEN bool_or(status = 'failed') THEN 'partly_failed'
        WHEN bool_or(status = 'published') THEN 'partly_published'
        WHEN bool_or(status = 'scheduled') THEN 'scheduled'
        ELSE 'draft' END AS summary
    FROM publishing_publication WHERE post_id = ANY(%s) GROUP BY post_id
"""


REFRESH = f"""
    SELECT workspace_id FROM publishing_post WHERE id = ANY(%s) ORDER BY id FOR UPDATE;
    UPDATE publishing_post SET status = s.summary FROM ({SUMMARY_SQL}) s
    WHERE publishing_post.id = s.post_id AND publishing_post.status <> s.summary
"""  # noqa: S608  constants


def refresh_posts(posts: Iterable[UUID]) -> set[UUID]:
    """Derive the status of posts from their publications. Returns the ids of their workspaces.

    The rows are locked first and read by a statement of their own, which sees what the last holder of the lock wrote;
    both travel together.
    """
    ids = sorted(posts)
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(
            REFRESH,
            [ids, ids],
        )
        return {row[0] for row in cursor.fetchall()}
