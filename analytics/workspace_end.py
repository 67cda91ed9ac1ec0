"""The end of a workspace: nobody gets in and nothing goes out from the moment its owner says so.

For some days an owner can bring it back as it was. Then a worker takes it apart, piece by piece.

Each piece is small and can be done twice, so that it goes on wherever a worker died. What has begun to be published is
finished first; the rest never begins. Accesses are given back to the networks, as far as these answer. Files go before
the rows that name them: no file is left that nothing names.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

from django.conf import settings
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.storage import default_storage
from django.core.mail import send_mail
from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts import connect, pauses
from accounts.language import language_of, speaking_to, speaking_to_person
from accounts.models import ConnectedAccount, Credential, Grant, IdempotentAnswer, Notification, Role, User, Workspace
from accounts.wake import wake
from analytics.models import (
    AudienceSnapshot,
    InsightWindow,
    PlatformPost,
    PostDay,
    PostSnapshot,
    WorkspaceExport,
)
from publishing.models import (
    Attempt,
    Autosave,
    FollowUp,
    ImageSet,
    MediaFile,
    Post,
    Publication,
    PublicationEvent,
    QueueEntry,
    Rendition,
    WebhookDelivery,
)

logger = logging.getLogger(__name__)

TASK = "analytics.tasks.end_workspaces"
BATCH = 500
RUN_SECONDS = 45.0  # the task comes every minute
FOLDERS = ("originals", "thumbnails", "accounts", "exports")  # of files, each with one folder for each workspace


def begin(workspace: Workspace, by: User) -> None:
    """Shut everybody out and stop what waits. It is taken apart when the days are over in which an owner can bring it back."""
    now = timezone.now()
    days = settings.WORKSPACE_GRACE_DAYS
    due_at = now + timedelta(days=days) if days else None
    with transaction.atomic():
        with speaking_to(workspace):
            # The engine asks for that before it announces anything; whoever brings it back reads the reason.
            pauses.pause(workspace, by=by, reason=_("The workspace was to be deleted."))
        if not Workspace.objects.filter(pk=workspace.pk, deleting_at=None).update(
            deleting_at=now, deletion_due_at=due_at
        ):
            return
        note(workspace, by, DELETION, "The owner had the workspace deleted.")
        if due_at is None:
            transaction.on_commit(partial(wake, TASK))
        transaction.on_commit(partial(send_word, workspace, managers_of(workspace), by, due_at))
    workspace.deleting_at, workspace.deletion_due_at = now, due_at
    logger.warning("workspace %s is deleted by user %s; taken apart from %s", workspace.pk, by.pk, due_at or now)


def bring_back(workspace: Workspace, by: User) -> bool:
    """As it was, but that publishing stays stopped until somebody has looked at it. False: it is too late, or was done."""
    with transaction.atomic():
        closing = Workspace.objects.filter(
            pk=workspace.pk, deleting_at__isnull=False, deletion_due_at__gt=timezone.now()
        )
        if not closing.update(deleting_at=None, deletion_due_at=None):
            return False
        note(workspace, by, CHANGE, "The owner brought the workspace back.")
        transaction.on_commit(partial(send_good_word, workspace, managers_of(workspace), by))
    logger.warning("workspace %s is brought back by user %s", workspace.pk, by.pk)
    return True


def note(workspace: Workspace, by: User, flag: int, message: str) -> None:
    LogEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(Workspace),
        object_id=str(workspace.pk),
        object_repr=str(workspace.pk),  # its name goes with it
        action_flag=flag,
        change_message=message,
    )


def managers_of(workspace: Workspace) -> list[User]:
    """Owners and admins: whoever did not want it should know at once."""
    return list(
        User.objects.filter(
            is_active=True, memberships__workspace=workspace, memberships__role__in=[Role.OWNER, Role.ADMIN]
        )
    )


def send_word(workspace: Workspace, people: Iterable[User], by: User, due_at: datetime | None) -> None:
    names = {"person": by, "name": workspace.name}
    for person in people:
        with speaking_to_person(person, language_of(workspace)):
            subject = _("A workspace was deleted")
            if due_at is None:
                text = _(
                    "%(person)s has deleted the workspace “%(name)s” with all its posts, files, accounts and figures. What "
                    "was published stays at the networks. This cannot be undone."
                )
            else:
                names["end"] = date_format(timezone.localtime(due_at, person.zone), "j F Y, H:i")
                text = _(
                    "%(person)s has deleted the workspace “%(name)s”. Nobody gets in any more, and nothing of it goes out. "
                    "Until %(end)s an owner can bring it back; then all its posts, files, accounts and figures are gone "
                    "for good. What was published stays at the networks."
                )
                text = (
                    f"{text}\n\n{settings.PUBLIC_BASE_URL}{reverse('analytics:workspace_deleted', args=[workspace.pk])}"
                )
            mail_to(person, workspace, subject, text % names)


def send_good_word(workspace: Workspace, people: Iterable[User], by: User) -> None:
    for person in people:
        with speaking_to_person(person, language_of(workspace)):
            subject = _("A workspace is back")
            text = _(
                "%(person)s has brought back the workspace “%(name)s”: everything is there as it was. Publishing stays "
                "stopped until somebody resumes it, so that you can look first at what was planned meanwhile."
            ) % {"person": by, "name": workspace.name}
            mail_to(person, workspace, subject, f"{text}\n\n{settings.PUBLIC_BASE_URL}{reverse('accounts:workspace')}")


def mail_to(person: User, workspace: Workspace, subject: str, text: str) -> None:
    try:
        send_mail(f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}{subject}", text, None, [person.email])
    except OSError:
        logger.warning("user %s could not be told what became of workspace %s", person.pk, workspace.pk)


def run_due() -> None:
    """Go on with all whose time has come, for about `RUN_SECONDS`."""
    deadline = time.monotonic() + RUN_SECONDS
    due = Q(deletion_due_at=None) | Q(deletion_due_at__lte=timezone.now())
    for workspace in Workspace.objects.exclude(deleting_at=None).filter(due).order_by("deleting_at"):
        # From here on nobody brings it back, and nobody has at the last moment.
        if not Workspace.objects.exclude(deleting_at=None).filter(due, pk=workspace.pk).update(deletion_due_at=None):
            continue
        try:
            go_on(workspace, deadline)
        except OSError:  # the disk or the bucket is away; the next minute goes on
            logger.exception("workspace %s: its files cannot be deleted at the moment", workspace.pk)
        except IntegrityError:
            logger.info("workspace %s: something was written to it meanwhile", workspace.pk, exc_info=True)
        if time.monotonic() >= deadline:
            return


def go_on(workspace: Workspace, deadline: float) -> None:
    """As far as it goes: until it is all gone, the time is over, or something is just being published."""
    stop_what_waits(workspace)
    if QueueEntry.objects.filter(publication__post__workspace=workspace).exists():
        return
    for step in STEPS:
        while step(workspace):
            if time.monotonic() >= deadline:
                return
    remove_folders(workspace)
    counted, _by_model = Workspace.objects.filter(pk=workspace.pk).delete()
    logger.warning("workspace %s is deleted; the last %s rows went with it", workspace.pk, counted)


def stop_what_waits(workspace: Workspace) -> None:
    """What no worker has in hand. What one has stays until it is settled, or its lease has run out."""
    with transaction.atomic():
        free = Q(lease_until=None) | Q(lease_until__lt=timezone.now())
        entries = QueueEntry.objects.filter(free, publication__post__workspace=workspace)
        held = list(
            entries.select_for_update(of=("self",), skip_locked=True).order_by("pk").values_list("pk", flat=True)
        )
        QueueEntry.objects.filter(pk__in=held).delete()


def give_back(workspace: Workspace) -> bool:
    """One access to the network it came from. Where it does not answer, the access is forgotten all the same."""
    if credential := Credential.objects.filter(account__workspace=workspace).select_related("account").first():
        connect.disconnect(credential.account)
        Credential.objects.filter(pk=credential.pk).delete()
        return True
    if grant := Grant.objects.filter(workspace=workspace).first():
        connect.drop_unused(grant)
        Grant.objects.filter(pk=grant.pk).delete()
        return True
    return False


def batches(*makers: Callable[[Workspace], QuerySet[Any]], alone: bool = False) -> list[Callable[[Workspace], bool]]:
    return [partial(drop, make, alone) for make in makers]


def drop(make: Callable[[Workspace], QuerySet[Any]], alone: bool, workspace: Workspace) -> bool:
    """Some of these rows, with what hangs on them; says whether there were any.

    alone: nothing hangs on them any more, and there are so many that nobody is told of each. Where something does all
    the same, it was written meanwhile: the database refuses, and the next minute goes on.
    """
    rows = make(workspace)
    some = list(rows.order_by().values_list("pk", flat=True)[:BATCH])
    if some and alone:
        with connection.cursor() as cursor:
            table, key = (connection.ops.quote_name(name) for name in (rows.model._meta.db_table, "id"))
            cursor.execute(f"DELETE FROM {table} WHERE {key} = ANY(%s)", [some])  # noqa: S608  names of ours
    elif some:
        rows.model._default_manager.filter(pk__in=some).delete()
    return bool(some)


def drop_media(workspace: Workspace) -> bool:
    """Posts and image sets are gone by now."""
    some = list(MediaFile.objects.filter(workspace=workspace).order_by("pk")[:BATCH])
    made = Rendition.objects.filter(media__in=some)
    forget(str(one.file.name) for one in made)
    forget(str(name) for one in some for name in (one.file.name, one.thumbnail.name))
    for one in some:
        forget_folder(f"renditions/{one.pk}")
    MediaFile.objects.filter(pk__in=[one.pk for one in some]).delete()
    return bool(some)


def drop_exports(workspace: Workspace) -> bool:
    some = list(WorkspaceExport.objects.filter(workspace=workspace)[:BATCH])
    forget(str(one.file.name) for one in some)
    WorkspaceExport.objects.filter(pk__in=[one.pk for one in some]).delete()
    return bool(some)


def drop_accounts(workspace: Workspace) -> bool:
    some = list(ConnectedAccount.objects.filter(workspace=workspace)[:BATCH])
    forget(str(one.picture.name) for one in some)
    ConnectedAccount.objects.filter(pk__in=[one.pk for one in some]).delete()
    return bool(some)


def forget(names: Iterable[str]) -> None:
    for name in names:
        if name and name != "None":
            with suppress(FileNotFoundError):
                default_storage.delete(name)


def remove_folders(workspace: Workspace) -> None:
    """What no row names: left by whoever died between a file and its row."""
    for folder in FOLDERS:
        name = f"{folder}/{workspace.pk}"
        forget(f"{name}/{file}" for file in files_in(name))
        forget_folder(name)


def files_in(folder: str) -> Iterator[str]:
    with suppress(FileNotFoundError, NotADirectoryError):
        yield from islice(default_storage.listdir(folder)[1], None)


def forget_folder(name: str) -> None:
    """An empty one; where there are only names, as in a bucket, there is nothing to forget."""
    with suppress(OSError):
        default_storage.delete(name)


# In this order: nothing may hang on what goes. Large tables by themselves, so that no statement takes long.
STEPS: list[Callable[[Workspace], bool]] = [
    give_back,
    *batches(
        lambda workspace: PostSnapshot.objects.filter(platform_post__account__workspace=workspace),
        lambda workspace: PostDay.objects.filter(account__workspace=workspace),
        lambda workspace: PlatformPost.objects.filter(account__workspace=workspace),
        lambda workspace: InsightWindow.objects.filter(account__workspace=workspace),
        lambda workspace: AudienceSnapshot.objects.filter(account__workspace=workspace),
        lambda workspace: Attempt.objects.filter(publication__post__workspace=workspace),
        lambda workspace: PublicationEvent.objects.filter(publication__post__workspace=workspace),
        lambda workspace: FollowUp.objects.filter(publication__post__workspace=workspace),
        lambda workspace: Publication.objects.filter(post__workspace=workspace),
        alone=True,
    ),
    *batches(
        lambda workspace: WebhookDelivery.objects.filter(endpoint__workspace=workspace),
        lambda workspace: Autosave.objects.filter(workspace=workspace),
        lambda workspace: Post.objects.filter(workspace=workspace),
        lambda workspace: ImageSet.objects.filter(workspace=workspace),
        lambda workspace: Notification.objects.filter(workspace=workspace),
        lambda workspace: IdempotentAnswer.objects.filter(workspace=workspace),
    ),
    drop_media,
    drop_exports,
    drop_accounts,
]
