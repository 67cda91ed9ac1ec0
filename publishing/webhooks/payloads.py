"""What a message says: ids, where things stand, the address of a post, and plain words. Never a secret.

Names are those of the JSON API. What is not known is null. Words are in the language of the workspace.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import ConnectedAccount, Notification
from publishing.models import Post, Publication, PublicationEvent, Status
from socialhub.redaction import redact

TEST = "test"

# Every kind of message, with its meaning for people who choose.
KINDS: dict[str, Any] = {
    "publication.scheduled": gettext_lazy("A publication waits for its time, for the first time or again"),
    "publication.queued": gettext_lazy("A publication has its turn"),
    "publication.publishing": gettext_lazy("A worker has begun with a publication"),
    "publication.published": gettext_lazy("A publication is out"),
    "publication.failed": gettext_lazy("A publication has failed"),
    "publication.checking": gettext_lazy("A publication may be out: the network’s answer was lost, so we look"),
    "publication.draft": gettext_lazy("A publication was taken back and is a draft again"),
    "post.published": gettext_lazy("A post is out on all its accounts"),
    "account.connected": gettext_lazy("An account was connected"),
    "account.disconnected": gettext_lazy("An account was disconnected"),
    "account.trouble": gettext_lazy("An account needs somebody: access ended or ending, a limit, no figures"),
    "account.recovered": gettext_lazy("An account’s trouble is over"),
}

MEANINGS = {
    Status.DRAFT: gettext_lazy("It was taken back and is a draft again."),
    Status.SCHEDULED: gettext_lazy("It waits for its time."),
    Status.QUEUED: gettext_lazy("Its turn has come."),
    Status.PUBLISHING: gettext_lazy("A worker has begun to publish it."),
    Status.CHECKING: gettext_lazy("The network’s answer was lost. We look whether the post is there."),
    Status.PUBLISHED: gettext_lazy("It is out."),
    Status.FAILED: gettext_lazy("It has failed."),
}


def instant(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


def envelope(message_id: object, kind: str, at: datetime, data: dict[str, Any]) -> dict[str, Any]:
    return {"id": str(message_id), "type": kind, "timestamp": instant(at), "data": data}


def of_event(event: PublicationEvent) -> dict[str, Any]:
    """One change of status of a publication. Load it with its post and account."""
    publication = event.publication
    has_failed = event.to_status == publication.status == Status.FAILED
    return {
        **_of_post(publication.post),
        **_of_publication(publication),
        "status": event.to_status,
        "previousStatus": event.from_status,
        "message": _(event.reason) if event.reason else str(MEANINGS[Status(event.to_status)]),
        "errorKind": (has_failed and publication.error_kind) or None,
        "platformMessage": (has_failed and redact(publication.platform_message)) or None,
    }


def of_post(post: Post, publications: Iterable[Publication]) -> dict[str, Any]:
    """A post that is out everywhere."""
    return {
        **_of_post(post),
        "status": post.status,
        "message": _("The post is out on all its accounts."),
        "publications": [_of_publication(publication) | {"status": publication.status} for publication in publications],
    }


def of_account(account: ConnectedAccount, message: str) -> dict[str, Any]:
    return {
        "workspaceId": str(account.workspace_id),
        **_of_account(account),
        "status": account.status,
        "message": message,
        "url": settings.PUBLIC_BASE_URL + "/settings/accounts/",
    }


def of_trouble(notification: Notification, account: ConnectedAccount, *, is_over: bool) -> dict[str, Any]:
    """trouble: a kind of notification. message: what people read of it."""
    return {
        **of_account(account, " ".join(filter(None, (notification.title + ".", notification.body)))),
        "url": settings.PUBLIC_BASE_URL + (notification.url or "/notifications/"),
        "trouble": notification.kind,
        "since": instant(notification.created_at),
        "resolvedAt": instant(notification.resolved_at) if is_over else None,
    }


def of_test(workspace_id: object, by: str) -> dict[str, Any]:
    return {
        "workspaceId": str(workspace_id),
        "message": _("This is a test that %(who)s has sent. Nothing has happened.") % {"who": by},
    }


def _of_post(post: Post) -> dict[str, Any]:
    return {
        "workspaceId": str(post.workspace_id),
        "postId": str(post.pk),
        "campaign": post.campaign or None,
        "url": settings.PUBLIC_BASE_URL + post.get_absolute_url(),
    }


def _of_publication(publication: Publication) -> dict[str, Any]:
    return {
        "publicationId": str(publication.pk),
        **_of_account(publication.account),
        "postType": publication.post_type,
        "scheduledAt": instant(publication.scheduled_at),
        "publishedAt": instant(publication.published_at),
        "permalink": publication.permalink or None,
        "platformPostId": publication.platform_post_id or None,
    }


def _of_account(account: ConnectedAccount) -> dict[str, Any]:
    return {
        "platform": account.platform,
        "accountId": str(account.pk),
        "accountName": account.name,
        "username": account.username,
    }
