"""Files that somebody named by their address, and what becomes of their post when they are here.

The post is a draft meanwhile. Workers fetch its files under leases, each by itself, and whoever has fetched the last one
puts the post together: in one transaction, in which the row that asks for it goes. So whatever dies and whenever, it is
done once. Saving the post in the composer ends the waiting: what a person sees there is what counts.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from tempfile import TemporaryFile
from typing import IO, BinaryIO, cast
from urllib.parse import unquote, urlsplit
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.language import speaking_to
from accounts.models import Membership, Notification, User, Workspace
from accounts.notify import settle, tell
from accounts.wake import wake
from publishing import assemblies, compose, inspection, schedule
from publishing.checks import Finding, blocking, check, usual_type
from publishing.compose import Intent
from publishing.media import UploadRefused, display_name, refuse_heavy, store_upload
from publishing.models import MediaFetch, MediaFile, Post, PostAssembly, PostMedia, Status
from publishing.states import LostRace
from socialhub.crew import Crew
from socialhub.outside import Fetch, NotFetched, Why, fetch_to, judge
from socialhub.platforms import choices
from socialhub.platforms.base import PostType
from socialhub.platforms.errors import FilesError
from socialhub.platforms.rules import RULES

logger = logging.getLogger(__name__)

TASK = "publishing.tasks.fetch_media"
MOST_FILES = 40  # of one post; no network takes more
MOST_AT_ONCE = 2  # files of one workspace
MOST_WAITING = 1_000  # files of one workspace, so that a program gone wild fills neither the tables nor the disk
AGAIN_SECONDS = (10, 60, 300, 900)  # after the first try, the second, …: a server may be restarting
SECONDS = 900  # for one file, however large
LEASE = timedelta(seconds=90)
RENEW_SECONDS = 20
# A video is looked through by a process that may take as long as that, and then stored. The lease goes on meanwhile, but
# not for ever: what hangs is taken over.
INSPECTION_SECONDS = inspection.LONGEST_SECONDS + 120
KEPT = timedelta(days=30)


def how() -> Fetch:
    """From the internet and the origins that the settings allow."""
    most = settings.UPLOAD_VIDEO_MAX_BYTES
    return Fetch(most, SECONDS, origins=settings.OUTSIDE_ORIGINS, accept="*/*", quiet_seconds=15)


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
        if len(self.files) == 1:
            return _("Its file is being fetched from %(where)s.") % {"where": where}
        return ngettext(
            "%(missing)d of %(total)d files is being fetched from %(where)s.",
            "%(missing)d of %(total)d files are being fetched from %(where)s.",
            self.missing,
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
        if at:
            Post.objects.filter(pk=post.pk).update(scheduled_at=at)  # so that the calendar shows it, and can move it
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


def is_full(workspace: Workspace, more: int) -> bool:
    """Whether so many files wait already that the workspace should not ask for more: nobody needs them at that pace."""
    rows = MediaFetch.objects.filter(waiting(), post__workspace=workspace)[:MOST_WAITING]
    return rows.count() + more > MOST_WAITING


def intend(post: Post, *, intent: Intent, at: datetime | None = None, late_hours: int | None = None, by: User) -> bool:
    """Something else shall become of a post that still waits for its files. False when it does not wait."""
    with transaction.atomic():
        post = compose.locked(post)
        waits = PostAssembly.objects.filter(post=post, failed_at=None)
        if not waits.update(intent=intent, at=at, late_hours=late_hours, by=by):
            return False
        Post.objects.filter(pk=post.pk).update(scheduled_at=at)
    return True


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


# --- Fetching -------------------------------------------------------------------------------------------------


def fetch_next() -> bool:
    """Fetch one file that is due. Says whether there was one."""
    row = take()
    if row is None:
        return False
    with speaking_to(row.post.workspace):
        work_on(row)
    conclude(row.post_id)
    return True


def take() -> MediaFetch | None:
    """The file that waits longest and that nobody has in hand, with a lease on it.

    A few of one workspace at a time, so that slow servers that somebody has named hold up nobody else.
    """
    now = timezone.now()
    in_hand = (
        MediaFetch.objects.filter(
            post__workspace=OuterRef("post__workspace"), status=MediaFetch.Status.WAITING, lease_until__gt=now
        )
        .order_by()
        .values("post__workspace")
        .annotate(number=Count("pk"))
        .values("number")
    )
    with transaction.atomic():
        row = (
            MediaFetch.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(Q(lease_until=None) | Q(lease_until__lte=now), waiting(), not_before__lte=now)
            .annotate(in_hand=Coalesce(Subquery(in_hand), 0))
            .filter(in_hand__lt=MOST_AT_ONCE)
            .select_related("post__workspace", "post__assembly__by")
            .order_by("not_before")
            .first()
        )
        if row is not None:
            row.lease_until = now + LEASE
            row.attempts += 1  # also when nobody lives to tell how it went
            row.save(update_fields=["lease_until", "attempts"])
    return row


def waiting() -> Q:
    """Of posts that somebody still wants; without a lease or a time."""
    wanted = Q(post__assembly__isnull=False, post__assembly__failed_at=None, post__workspace__deleting_at=None)
    return Q(wanted, status=MediaFetch.Status.WAITING)


def work_on(row: MediaFetch) -> None:
    """One file, as far as it comes now. What is wrong with one stops no other: it raises only when the database is away."""
    if row.attempts > len(AGAIN_SECONDS) + 1:  # nobody who had it lived to tell
        put_off(row, row.message or _("The file could not be read. Save or export it again."))
        return
    try:
        media = fetched(row)
    except NotFetched as error:
        logger.info("file %s of post %s: %s", row.position, row.post_id, error)
        put_off(row, reason(error), for_good=not error.is_passing)
    except UploadRefused as error:
        put_off(row, error.message, for_good=not isinstance(error.__cause__, FilesError))
    except LostLease:
        logger.info("file %s of post %s is not ours any more", row.position, row.post_id)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("file %s of post %s met a fault of ours", row.position, row.post_id)
        put_off(row, _("Something went wrong on our side. Staff can find the details in the log."))
    else:
        mine(row).update(
            status=MediaFetch.Status.FETCHED, media=media, message="", lease_until=None, finished_at=timezone.now()
        )


def fetched(row: MediaFetch) -> MediaFile:
    """The file in the library. Raises NotFetched, UploadRefused, LostLease."""
    name = name_of(row.url)
    with TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR) as temporary:
        coming = Coming(temporary, row, name)
        done = fetch_to(row.url, how(), cast("BinaryIO", coming))
        if not done.size:
            raise UploadRefused(_("“%(name)s” is empty.") % {"name": name})
        renew(row, LEASE)
        upload = UploadedFile(temporary, name=name, content_type=done.content_type, size=done.size)
        with kept(row):
            return store_upload(row.post.workspace, row.post.assembly.by, upload, alt_text=row.alt_text)


class Coming:
    """A file while it comes: the lease goes on for as long as bytes do, and too large a picture ends early."""

    def __init__(self, file: IO[bytes], row: MediaFetch, name: str) -> None:
        self.file, self.row, self.name = file, row, name
        self.start = b""
        self.size = 0
        self.renewed = time.monotonic()

    def write(self, piece: bytes) -> int:
        if len(self.start) < inspection.START_BYTES:
            self.start += piece[: inspection.START_BYTES]
        self.size += len(piece)
        if len(self.start) >= inspection.START_BYTES:
            refuse_heavy(self.name, inspection.kind_of(self.start[: inspection.START_BYTES]), self.size)
        if time.monotonic() - self.renewed > RENEW_SECONDS:
            renew(self.row, LEASE)
            self.renewed = time.monotonic()
        return self.file.write(piece)


class LostLease(Exception):
    """Somebody else fetches the file, or nobody waits for it any more."""


def mine(row: MediaFetch) -> QuerySet[MediaFetch]:
    """The row while it is in our hands: whoever takes it after us counts an attempt more."""
    return MediaFetch.objects.filter(pk=row.pk, status=MediaFetch.Status.WAITING, attempts=row.attempts)


def renew(row: MediaFetch, lease: timedelta) -> None:
    if not mine(row).update(lease_until=timezone.now() + lease):
        raise LostLease(row.pk)


@contextmanager
def kept(row: MediaFetch) -> Iterator[None]:
    """The lease goes on for as long as this takes and its process lives: nobody waits for one that was killed over it."""
    is_over = threading.Event()
    pulse = threading.Thread(target=keep, args=(row, is_over), name="keep-lease", daemon=True)
    pulse.start()
    try:
        yield
    finally:
        is_over.set()
        pulse.join()


def keep(row: MediaFetch, is_over: threading.Event) -> None:
    deadline = time.monotonic() + INSPECTION_SECONDS
    try:
        while not is_over.wait(RENEW_SECONDS) and time.monotonic() < deadline:
            renew(row, LEASE)
    except LostLease:
        logger.info("file %s of post %s is looked into by somebody else, too", row.position, row.post_id)
    except (DatabaseError, InterfaceError):  # the file may still be done before the lease ends
        logger.warning("the lease on file %s of post %s could not be renewed", row.position, row.post_id, exc_info=True)
    finally:
        connection.close()


def put_off(row: MediaFetch, message: str, *, for_good: bool = False) -> None:
    now = timezone.now()
    if for_good or row.attempts > len(AGAIN_SECONDS):
        mine(row).update(status=MediaFetch.Status.FAILED, message=message, lease_until=None, finished_at=now)
    else:
        again = now + timedelta(seconds=AGAIN_SECONDS[row.attempts - 1])
        mine(row).update(message=message, lease_until=None, not_before=again)


def name_of(url: str) -> str:
    """What the file is called, going by its address."""
    return display_name(unquote(urlsplit(url).path).rstrip("/")) or host_of(url)


# --- Putting the post together --------------------------------------------------------------------------------


def conclude_all() -> None:
    """Posts whose last file came, and whoever brought it died before it was put in."""
    ready = PostAssembly.objects.filter(failed_at=None, post__workspace__deleting_at=None).exclude(
        Exists(MediaFetch.objects.filter(post=OuterRef("post"), status=MediaFetch.Status.WAITING))
    )
    for post_id in list(ready.values_list("post", flat=True)):
        conclude(post_id)


def conclude(post_id: UUID) -> None:
    """Put the post together if its files are all here or given up. Whoever comes second finds nothing to do."""
    post = Post.objects.select_related("workspace").filter(pk=post_id).first()
    if post is None or post.media_fetches.filter(status=MediaFetch.Status.WAITING).exists():
        return
    with speaking_to(post.workspace):
        try:
            with transaction.atomic():
                assemble(post)
        except (compose.NotEditable, LostRace) as error:
            logger.info("post %s is not put together: %s", post_id, error)  # the next round looks again
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("post %s could not be put together", post_id)
            give_up(post, _("Something went wrong on our side. Staff can find the details in the log."))


def assemble(post: Post) -> None:
    """In one transaction: the files into the post, and the post on its way; or the reason why it cannot go."""
    post = compose.locked(post)
    assembly = PostAssembly.objects.select_for_update().filter(post=post, failed_at=None).first()
    if assembly is None:
        return
    if post.publications.exclude(status=Status.DRAFT).exists():  # somebody has sent it without waiting
        assemblies.end(post)
        return
    attach(post)
    shape(post, assembly)
    if problem := why_not(post, assembly):
        give_up(post, problem)
        return
    intent, at, by, late_hours = Intent(assembly.intent), due_of(post, assembly), assembly.by, assembly.late_hours
    assemblies.end(post)
    if intent is not Intent.DRAFT and at:  # somebody may have given it a time meanwhile
        schedule.schedule(post, at, by=by, late_hours=late_hours)
    elif intent is Intent.NOW:
        schedule.publish_now(post, by=by)


def attach(post: Post) -> None:
    """Each file to its place, unless it is there already."""
    taken = set(post.post_media.values_list("position", flat=True))
    PostMedia.objects.bulk_create(
        PostMedia(post=post, media=row.media, position=row.position, alt_text=row.alt_text)
        for row in post.media_fetches.exclude(media=None).select_related("media").order_by("position")
        if row.position not in taken and row.media
    )


def shape(post: Post, assembly: PostAssembly) -> None:
    """The type of each publication, now that it is known what its files are, and the choices that this type asks for."""
    kinds = list(post.post_media.order_by("position").values_list("media__kind", flat=True))
    for publication in post.publications.select_related("account"):
        platform = publication.account.platform
        wanted = assembly.post_types.get(str(publication.account_id))
        post_type = PostType(wanted) if wanted else usual_type(platform, kinds, post.link)
        publication.post_type = post_type
        publication.choices = choices.kept(RULES[platform].choices, publication.choices, post_type)
        publication.save(update_fields=["post_type", "choices", "updated_at"])


def why_not(post: Post, assembly: PostAssembly) -> str:
    """What keeps the post from what was intended, in plain words; "" when nothing does."""
    rows = list(post.media_fetches.order_by("position"))
    missing = [row for row in rows if row.media_id is None]
    if missing:
        numbers = {"missing": len(missing), "total": len(rows)}
        first = _("Its file could not be fetched.")
        if len(rows) > 1:
            first = _("%(missing)d of %(total)d files could not be fetched.") % numbers
        return "\n".join([first, *(line_of(row) for row in missing)])
    if assembly.intent == Intent.DRAFT:
        return ""
    if not may_still(post.workspace, assembly.by):
        return _("%(person)s, for whom it was to go out, may no longer publish here.") % {"person": assembly.by}
    if findings := blocking(check(post)):
        return "\n".join([_("The files are here, but the post cannot go out as it is."), *words_of(findings)])
    due, hours = due_of(post, assembly), assembly.late_hours
    kept = timedelta(hours=settings.PUBLISH_LATE_HOURS if hours is None else hours)
    if due and timezone.now() - due > kept:
        return _("The files came too late for the time that was planned.")
    return ""


def line_of(row: MediaFetch) -> str:
    return _("File %(number)d (%(host)s): %(reason)s") % {
        "number": row.position,
        "host": host_of(row.url),
        "reason": row.message or _("It is no longer in the library."),
    }


def words_of(findings: Iterable[Finding]) -> list[str]:
    """Each sentence once, with the accounts that it stands against."""
    handles: dict[str, list[str]] = {}
    for finding in findings:
        handles.setdefault(str(finding.message), []).extend([finding.account.handle] if finding.account else [])
    return [f"{', '.join(names)}: {message}" if names else message for message, names in handles.items()]


def may_still(workspace: Workspace, by: User) -> bool:
    member = Membership.objects.filter(workspace=workspace, user=by, workspace__deleting_at=None).first()
    return by.is_active and member is not None and member.may_edit


def due_of(post: Post, assembly: PostAssembly) -> datetime | None:
    """The post's own time: it may have been moved in the calendar meanwhile."""
    return post.scheduled_at or assembly.at


def give_up(post: Post, problem: str) -> None:
    """The post stays a draft, with the files that came. Its people are told once."""
    message = "\n".join(
        [
            problem,
            _("Nothing was published: the post is a draft. Open it to change it, or have the files fetched again."),
        ]
    )
    PostAssembly.objects.filter(post=post, failed_at=None).update(failed_at=timezone.now(), message=message)
    tell(
        post.workspace,
        Notification.Kind.MEDIA,
        assemblies.incident_of(post.pk),
        title=_("A post waits for you: its files could not be had"),
        body=message,
        url=post.get_absolute_url(),
    )


def retry(post: Post, *, by: User) -> bool:
    """Fetch again what could not be had, for the person who asks. False when nothing was given up."""
    with transaction.atomic():
        post = compose.locked(post)
        again = PostAssembly.objects.filter(post=post).exclude(failed_at=None)
        if not again.update(failed_at=None, message="", by=by):
            return False
        post.media_fetches.filter(media=None).update(
            status=MediaFetch.Status.WAITING,
            message="",
            attempts=0,
            not_before=timezone.now(),
            lease_until=None,
            finished_at=None,
        )
        settle(post.workspace, assemblies.incident_of(post.pk))
        transaction.on_commit(partial(wake, TASK))
    return True


def tidy() -> int:
    """What was fetched a month ago needs no record; the addresses may open files of others. Returns how many."""
    old = MediaFetch.objects.filter(post__assembly=None, created_at__lt=timezone.now() - KEPT)
    return old.delete()[0]


# --- The threads ----------------------------------------------------------------------------------------------

_fetchers: Crew | None = None
_making = threading.Lock()


def fetchers() -> Crew:
    """Those of this process."""
    global _fetchers
    with _making:
        if _fetchers is None or _fetchers.number != settings.FETCH_THREADS:
            _fetchers = Crew(settings.FETCH_THREADS, fetch_next, name="fetch-files")
        return _fetchers


def run_due() -> None:
    """What has to be fetched now is begun; it goes on in threads of its own."""
    conclude_all()
    if number := MediaFetch.objects.filter(waiting(), not_before__lte=timezone.now()).count():
        fetchers().wake(number)
