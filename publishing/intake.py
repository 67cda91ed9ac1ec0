"""Files that somebody named by their address, and what becomes of their post when they are here.

The post is a draft meanwhile. Workers fetch its files under leases, each by itself, and whoever has fetched the last one
puts the post together: in one transaction, in which the row that asks for it goes. So whatever dies and whenever, it is
done once. Saving the post in the composer ends the waiting: what a person sees there is what counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.wake import wake
from publishing.compose import Intent
from publishing.models import MediaFetch, Post, PostAssembly
from socialhub.outside import Fetch, NotFetched, Why, judge
from socialhub.platforms.base import PostType

TASK = "publishing.tasks.fetch_media"
MOST_FILES = 40  # of one post; no network takes more


class AddressRefused(Exception):
    """An address from which nothing is ever fetched. The message says why; `number` counts the files from 0."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number
        self.message = message


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to fetch for a post, after those that it has."""

    url: str
    alt_text: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """One file of a post. status: of MediaFetch.Status. message: what is wrong, in plain words."""

    position: int
    host: str
    status: str
    message: str = ""
    media_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class State:
    """Where the files of a post stand that waits for them. failed_at: when it was given up; the message says why."""

    intent: Intent
    at: datetime | None
    files: tuple[File, ...]
    failed_at: datetime | None
    message: str

    @property
    def is_waiting(self) -> bool:
        return self.failed_at is None

    @property
    def missing(self) -> int:
        return sum(file.status != MediaFetch.Status.FETCHED for file in self.files)

    @property
    def hosts(self) -> list[str]:
        return list(dict.fromkeys(file.host for file in self.files))

    @property
    def sentence(self) -> str:
        """What is going on, for the page of the post."""
        if self.failed_at:
            return self.message
        hosts = self.hosts
        where = hosts[0] if len(hosts) == 1 else _("%(number)d servers") % {"number": len(hosts)}
        return ngettext(
            "%(missing)d of %(total)d file is being fetched from %(where)s.",
            "%(missing)d of %(total)d files are being fetched from %(where)s.",
            len(self.files),
        ) % {"missing": self.missing, "total": len(self.files), "where": where}


# --- Asking for them ------------------------------------------------------------------------------------------


def refuse(files: Sequence[Wanted]) -> None:
    """Look at the addresses without calling any. Raises AddressRefused for the first that is never called."""
    for number, wanted in enumerate(files):
        if number >= MOST_FILES:
            raise AddressRefused(number, _("A post takes at most %(most)d files.") % {"most": MOST_FILES})
        if len(wanted.url) > 2000:
            raise AddressRefused(number, _("The address is longer than 2,000 characters."))
        try:
            judge(wanted.url, how())
        except NotFetched as error:
            raise AddressRefused(number, reason(error)) from error


def expect(
    post: Post,
    files: Sequence[Wanted],
    *,
    intent: Intent,
    at: datetime | None = None,
    late_hours: int | None = None,
    post_types: Mapping[UUID, PostType] | None = None,
    by: User,
) -> None:
    """Have the files fetched for a draft, and then do with it what was intended. Raises AddressRefused.

    Call it in the transaction that creates the post. Asked for the same post again, it changes nothing. Types that were
    asked for are given by account; those of the other publications follow from the files. The choices of publications
    may be all that somebody made: in the end those stay that their type asks for.
    """
    refuse(files)
    with transaction.atomic():
        Post.objects.select_for_update().get(pk=post.pk)
        if not files or post.media_fetches.exists():
            return
        PostAssembly.objects.create(
            post=post,
            intent=intent,
            at=at,
            late_hours=late_hours,
            post_types={str(account): str(post_type) for account, post_type in (post_types or {}).items()},
            by=by,
        )
        now = timezone.now()
        MediaFetch.objects.bulk_create(
            MediaFetch(post=post, position=position, url=wanted.url, alt_text=wanted.alt_text[:1000], not_before=now)
            for position, wanted in enumerate(files, start=post.post_media.count() + 1)
        )
        transaction.on_commit(partial(wake, TASK))


def intend(post: Post, *, intent: Intent, at: datetime | None = None, late_hours: int | None = None, by: User) -> bool:
    """Something else shall become of a post that still waits for its files. False when it does not wait."""
    return bool(
        PostAssembly.objects.filter(post=post, failed_at=None).update(
            intent=intent, at=at, late_hours=late_hours, by=by
        )
    )


def how() -> Fetch:
    """From the internet and the origins that the settings allow."""
    return Fetch(settings.UPLOAD_VIDEO_MAX_BYTES, 600, origins=settings.OUTSIDE_ORIGINS, accept="*/*", quiet_seconds=15)


# --- Telling of them ------------------------------------------------------------------------------------------


def state_of(post: Post) -> State | None:
    """Where its files stand; None for a post that waits for none."""
    return states_of([post]).get(post.pk)


def states_of(posts: Iterable[Post]) -> dict[UUID, State]:
    """Of those that wait for files, or could not have them; two statements whatever their number."""
    assemblies = PostAssembly.objects.filter(post__in=[post.pk for post in posts]).in_bulk()
    if not assemblies:
        return {}
    files: dict[UUID, list[File]] = {pk: [] for pk in assemblies}
    for row in MediaFetch.objects.filter(post__in=assemblies).order_by("position"):
        files[row.post_id].append(File(row.position, host_of(row.url), row.status, row.message, row.media_id))
    return {
        pk: State(Intent(row.intent), row.at, tuple(files[pk]), row.failed_at, row.message)
        for pk, row in assemblies.items()
    }


def host_of(url: str) -> str:
    """All of an address that is shown: what follows may open the file to anybody."""
    return urlsplit(url).hostname or ""


def reason(error: NotFetched) -> str:
    """Why nothing came from an address, in plain words."""
    return {
        Why.ADDRESS: _(
            "Files are fetched from public addresses that begin with https:// and name no port. Use such an address, or "
            "upload the file."
        ),
        Why.PRIVATE: _(
            "The address leads into a private network, from which nothing is fetched. Use a public address, or upload the file."
        ),
        Why.UNKNOWN: _("There is no server of that name. Check how the address is written."),
        Why.UNREACHABLE: _("The server did not answer, or broke off. Check whether the address opens, and try again."),
        Why.CERTIFICATE: _("The server's certificate is not valid. Ask whoever runs it, or upload the file."),
        Why.SLOW: _("The server takes too long. Use another address, or upload the file."),
        Why.LARGE: _("The file is larger than %(most)d MB. Make it smaller.")
        % {"most": settings.UPLOAD_VIDEO_MAX_BYTES // 1024 // 1024},
        Why.STATUS: _("The server did not give the file, but said HTTP %(status)d. Check whether the address opens.")
        % {"status": error.status},
        Why.REDIRECTS: _("The address leads on too often. Use the one that it ends at."),
    }[error.why]
