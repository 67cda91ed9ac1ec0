"""Everything about one post in one file, for whoever helps when something went wrong. It holds no secret and no name."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Prefetch
from django.utils import timezone

from accounts.keys import reveal
from accounts.models import ConnectedAccount, Credential, User
from publishing import limits
from publishing.models import Attempt, FollowUp, Post, PostMedia, Publication, PublicationEvent, QueueEntry
from socialhub.platforms.errors import ReconnectError
from socialhub.redaction import redact

VERSION = 1  # of the shape of the report
# Names of columns, by row. What is not named here does not get out.
POST = (
    *("id", "status", "caption", "hashtags", "link", "first_comment", "campaign", "scheduled_at", "time_zone"),
    *("late_hours", "created_at", "updated_at"),
)
MEDIA = ("id", "kind", "content_type", "width", "height", "size_bytes", "facts", "focus_x", "focus_y", "created_at")
PUBLICATION = (
    *("id", "post_type", "caption_override", "choices", "status", "scheduled_at", "handles", "committing_at"),
    *("progress_label", "progress_done", "progress_total", "platform_post_id", "permalink", "published_at"),
    *("removed_at", "error_kind", "error_message", "platform_message", "created_at", "updated_at"),
)
ACCOUNT = (
    *("id", "platform", "platform_account_id", "account_type", "login_kind", "status", "status_reason"),
    *("platform_message", "remark", "granted_scopes", "missing_scopes", "token_expires_at", "data_access_expires_at"),
    *("paused_at", "paused_until", "connected_at", "disconnected_at", "last_verified_at", "last_synced_at"),
)
ENTRY = (
    *("priority", "not_before", "due_at", "attempts", "looks", "reserved", "losses", "held", "awaits_decision"),
    *("wait_reason", "lease_until", "worker"),
)
EVENT = ("at", "from_status", "to_status", "reason")
ATTEMPT = (
    *("number", "purpose", "worker", "started_at", "finished_at", "outcome", "message", "platform_message"),
    *("code", "subcode", "request_id", "steps"),
)
FOLLOW_UP = ("kind", "due_at", "attempts", "began_at", "done_at", "outcome", "message", "platform_id", "seen")
WINDOW = ("endpoint", "limit", "made", "remaining", "window_seconds", "resets_at", "told_at")


def report_of(post: Post, reader: User) -> dict[str, Any]:
    """As JSON can hold it. reader: who asks; other people appear as "another member"."""
    publications = list(
        Publication.objects.filter(post=post)
        .select_related("account__workspace", "queue_entry")
        .prefetch_related(
            Prefetch("attempts", Attempt.objects.order_by("started_at", "pk")),
            Prefetch("events", PublicationEvent.objects.order_by("at", "pk")),
            Prefetch("follow_ups", FollowUp.objects.order_by("due_at", "pk")),
        )
        .order_by("account__platform", "pk")
    )
    media = PostMedia.objects.filter(post=post).select_related("media").order_by("position")
    report = {
        "report": VERSION,
        "made_at": timezone.now(),
        "server": settings.PUBLIC_BASE_URL,
        "sandbox": settings.SANDBOX,
        "post": {**columns(post, POST), "author": who(post.author_id, reader)},
        "media": [
            {
                "position": item.position,
                "fit": item.fit,
                "has_alt_text": bool(item.alt_text),
                **columns(item.media, MEDIA),
            }
            for item in media
        ],
        "publications": [part_of(publication, reader) for publication in publications],
    }
    return told(report, secrets_of(publication.account_id for publication in publications))  # type: ignore[no-any-return]


def part_of(publication: Publication, reader: User) -> dict[str, Any]:
    entry: QueueEntry | None = getattr(publication, "queue_entry", None)
    account = publication.account
    return {
        **columns(publication, PUBLICATION),
        "account": {**columns(account, ACCOUNT), "workspace_paused_at": account.workspace.paused_at},
        "windows": windows_of(account),
        "queue_entry": columns(entry, ENTRY) if entry else None,
        "events": [{**columns(event, EVENT), "by": who(event.actor_id, reader)} for event in publication.events.all()],
        "attempts": [columns(attempt, ATTEMPT) for attempt in publication.attempts.all()],
        "follow_ups": [columns(follow_up, FOLLOW_UP) for follow_up in publication.follow_ups.all()],
    }


def columns(row: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def windows_of(account: ConnectedAccount) -> list[dict[str, Any]]:
    return [columns(state, WINDOW) for state in limits.remaining(account)]


def who(user_id: int | None, reader: User) -> str:
    if user_id is None:
        return "socialhub"
    return "you" if user_id == reader.pk else "another member"


def secrets_of(account_ids: Iterable[UUID]) -> list[str]:
    """The tokens of the accounts, so that they can be cut out wherever a network may have repeated them."""
    sealed = [
        secret
        for credential in Credential.objects.filter(account__in=set(account_ids)).select_related("grant")
        for secret in (
            credential.access_token,
            credential.grant and credential.grant.access_token,
            credential.grant and credential.grant.refresh_token,
        )
        if secret
    ]
    found = []
    for secret in sealed:
        try:
            found.append(reveal(secret))
        except ReconnectError:  # no key opens it, so that nobody can have written it down in clear
            continue
    return found


def told(value: Any, secrets: Collection[str]) -> Any:
    """The same, with every text redacted, and times and ids as text."""
    match value:
        case str():
            return redact(value, *secrets)
        case dict():
            return {told(str(key), secrets): told(one, secrets) for key, one in value.items()}
        case list() | tuple():
            return [told(one, secrets) for one in value]
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
    return value
