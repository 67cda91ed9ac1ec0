"""Making the folder of a workspace: asked for on a page, made by one worker under a lease, kept for a week.

A worker that dies leaves the row behind; another one begins anew. The file is made aside and stored when it is whole.
"""

from __future__ import annotations

import logging
import threading
import time
import zipfile
from contextlib import suppress
from datetime import timedelta
from functools import partial
from tempfile import TemporaryFile
from uuid import UUID

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.mail import send_mail
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.language import language_of, speaking_to_person
from accounts.models import User, Workspace
from accounts.wake import wake
from analytics.models import WorkspaceExport
from analytics.models.exports import export_path
from analytics.workspace_folder import Folder, parts_of
from socialhub.crew import Crew

logger = logging.getLogger(__name__)

Status = WorkspaceExport.Status
TASK = "analytics.tasks.make_exports"
KEPT = timedelta(days=7)
LEASE = timedelta(minutes=2)
STORING = timedelta(minutes=30)  # of the whole file, elsewhere perhaps
RENEW_SECONDS = 10.0
MOST_TRIES = 3
AGAIN = timedelta(minutes=5)


class LostLease(Exception):
    """Somebody else makes it now, or nobody wants it any more."""


def ask(workspace: Workspace, by: User) -> WorkspaceExport:
    """Have an export made; the one that is being made already serves everybody."""
    try:
        with transaction.atomic():
            export = WorkspaceExport.objects.create(workspace=workspace, requested_by=by)
            transaction.on_commit(partial(wake, TASK))
    except IntegrityError:
        return WorkspaceExport.objects.filter(workspace=workspace).latest("created_at")
    return export


def make_next() -> bool:
    """Make the export that waits longest. Says whether there was one."""
    export = take()
    if export is None:
        return False
    try:
        make(export)
    except LostLease:
        logger.info("export %s is not ours any more", export.pk)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("export %s could not be made", export.pk)
        put_off(export)
    return True


def take() -> WorkspaceExport | None:
    now = timezone.now()
    with transaction.atomic():
        export = (
            WorkspaceExport.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(Q(lease_until=None) | Q(lease_until__lte=now), status=Status.WAITING, not_before__lte=now)
            .filter(workspace__deleting_at=None)
            .select_related("workspace", "requested_by")
            .order_by("not_before")
            .first()
        )
        if export is not None:
            export.lease_until = now + LEASE
            export.attempts += 1
            export.save(update_fields=["lease_until", "attempts"])
    if export is not None and export.attempts > MOST_TRIES:  # nobody who had it lived to tell
        give_up(export)
        return None
    return export


def mine(export: WorkspaceExport) -> QuerySet[WorkspaceExport]:
    """The row while it is in our hands: whoever takes it after us counts an attempt more. In a workspace that is being
    deleted meanwhile it is in nobody's, and nobody is told that they may fetch it."""
    rows = WorkspaceExport.objects.filter(pk=export.pk, status=Status.WAITING, attempts=export.attempts)
    return rows.filter(workspace__deleting_at=None)


class Progress:
    """Renews the lease while there is something to tell, a few times a minute. Raises LostLease."""

    def __init__(self, export: WorkspaceExport) -> None:
        self.export = export
        self.done = 0
        self.told = 0.0

    def __call__(self, parts: int) -> None:
        self.done += parts
        if time.monotonic() - self.told >= RENEW_SECONDS:
            self.tell(LEASE)

    def tell(self, lease: timedelta, **fields: object) -> None:
        if not mine(self.export).update(done=self.done, lease_until=timezone.now() + lease, **fields):
            raise LostLease(self.export.pk)
        self.told = time.monotonic()


def make(export: WorkspaceExport) -> None:
    """Raises LostLease, and whatever a disk may answer."""
    workspace, person = export.workspace, export.requested_by
    progress = Progress(export)
    progress.tell(LEASE, total=parts_of(workspace))
    zone = person.zone if person else timezone.get_default_timezone()
    with speaking_to_person(person or User(), language_of(workspace)), TemporaryFile() as temporary:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as target:
            Folder(workspace, zone, get_language() or "en", target, progress).write()
        size = temporary.tell()
        temporary.seek(0)
        progress.tell(STORING)
        store(export, File(temporary), size)
        if person and person.is_active:
            send_word(export, person)


def store(export: WorkspaceExport, content: File[bytes], size: int) -> None:
    """The whole file in its place; what an earlier try has left there goes."""
    forget_tries(export)
    export.file.save("export.zip", content, save=False)
    now = timezone.now()
    stored = mine(export).update(
        status=Status.READY,
        file=export.file.name,
        size_bytes=size,
        lease_until=None,
        finished_at=now,
        expires_at=now + KEPT,
        message="",
    )
    if not stored:
        default_storage.delete(str(export.file.name))
        raise LostLease(export.pk)


def forget_tries(export: WorkspaceExport) -> None:
    """In a bucket each has another name, that begins alike."""
    folder = export_path(export, "").rpartition("/")[0]
    with suppress(FileNotFoundError):
        for name in default_storage.listdir(folder)[1]:
            if name.startswith(str(export.pk)):
                default_storage.delete(f"{folder}/{name}")


def put_off(export: WorkspaceExport) -> None:
    if export.attempts >= MOST_TRIES:
        give_up(export)
    else:
        mine(export).update(lease_until=None, not_before=timezone.now() + AGAIN)


def give_up(export: WorkspaceExport) -> None:
    with speaking_to_person(export.requested_by or User(), language_of(export.workspace)):
        message = _("It could not be made. Try again later; if it stays so, tell whoever runs this site.")
    mine(export).update(status=Status.FAILED, message=message, lease_until=None, finished_at=timezone.now())


def send_word(export: WorkspaceExport, person: User) -> None:
    text = _(
        "The workspace “%(name)s” is ready as a folder. Owners and admins can download it until it is removed after "
        "%(days)d days:"
    ) % {"name": export.workspace.name, "days": KEPT.days}
    subject = _("Your export is ready")
    address = settings.PUBLIC_BASE_URL + reverse("analytics:workspace_data")
    try:
        send_mail(f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}{subject}", f"{text}\n\n{address}", None, [person.email])
    except OSError:  # it stands on the page as well
        logger.warning("nobody could be told of export %s", export.pk, exc_info=True)


def remove(export: WorkspaceExport) -> None:
    """The file, and the row after it."""
    if export.file:
        default_storage.delete(str(export.file.name))
    export.delete()


def tidy() -> int:
    """Those that are kept no longer; returns how many."""
    now = timezone.now()
    over = Q(status=Status.READY, expires_at__lte=now) | Q(status=Status.FAILED, created_at__lte=now - KEPT)
    gone = list(WorkspaceExport.objects.filter(over))
    for export in gone:
        remove(export)
    return len(gone)


def readable(workspace: Workspace, export_id: UUID) -> WorkspaceExport | None:
    """One that can be downloaded now."""
    found = WorkspaceExport.objects.filter(workspace=workspace, pk=export_id, status=Status.READY)
    return found.filter(expires_at__gt=timezone.now()).first()


_makers: Crew | None = None
_making = threading.Lock()


def makers() -> Crew:
    """The one thread of this process that makes exports: none is in a hurry."""
    global _makers
    with _making:
        number = min(1, settings.READ_THREADS)
        if _makers is None or _makers.number != number:
            _makers = Crew(number, make_next, name="make-exports")
        return _makers


def run_due() -> None:
    if WorkspaceExport.objects.filter(status=Status.WAITING, not_before__lte=timezone.now()).exists():
        makers().wake(1)
