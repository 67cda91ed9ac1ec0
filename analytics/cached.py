"""The rows of the dashboard that cost most, kept for five minutes by workspace. The database stays the truth.

- What is kept are rows, the same for everybody in the workspace: never markup, so neither buttons of a role nor words in
  a language nor a time zone. What waits for a person, what comes next and the state of the accounts is always read anew.
- Everything kept carries the mark that its workspace had before the rows were read. Whatever changes them (a post that
  goes out, a reading of figures, a row that is saved or deleted) takes the mark away, before its transaction ends and
  after it; so nobody keeps what they have read before the change.
- While Redis does not answer the rows are read as ever. Where a mark could not be taken away for that, this process does
  it as soon as Redis answers again; until then nothing older than five minutes is shown.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache as once
from typing import Any
from uuid import UUID

import django
from django.core.cache import cache
from django.db import models, transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from redis.exceptions import RedisError

from accounts.models import ConnectedAccount, Workspace
from analytics.models import PlatformPost
from analytics.reports import dashboard as reports
from analytics.reports.dashboard import Growth, Growths, NetworkPost, RecentPage, RecentPost, Summary, Total
from publishing.models import MediaFile, Post, Publication
from publishing.states import went_out

logger = logging.getLogger(__name__)

SECONDS = 300
MARK_SECONDS = 86_400

_untold: set[UUID] = set()  # workspaces whose mark could not be taken away
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Rows:
    """growths: by account, over 7 and over 30 days."""

    growths: Growths
    summary: Summary
    recent: RecentPage


def rows_of(workspace: Workspace) -> Rows:
    """As they are kept, else as they stand. The first page of the recent posts is in them."""
    mark_key, rows_key = _mark_key(workspace.pk), f"dashboard:{workspace.pk}:{_shape()}"
    try:
        _tell_again()
        found = cache.get_many([mark_key, rows_key])
        mark = found.get(mark_key) or cache.get_or_set(mark_key, uuid.uuid4().hex, MARK_SECONDS)
    except RedisError:
        logger.debug("the cache does not answer; the dashboard is read from the database")
        return _read(workspace)
    kept = found.get(rows_key)
    if kept and kept[0] == mark:
        rows: Rows = kept[1]
        return rows
    rows = _read(workspace)
    try:
        cache.set(rows_key, (mark, rows), SECONDS)
    except RedisError:
        logger.debug("the cache does not answer; the rows of the dashboard are not kept")
    return rows


def _read(workspace: Workspace) -> Rows:
    return Rows(reports.growths(workspace), reports.last_30_days(workspace), reports.recent_posts(workspace))


def forget(workspaces: Iterable[UUID]) -> None:
    """Something of these has changed, or is about to."""
    ids = list(workspaces)
    _take_marks(ids)
    if transaction.get_connection().in_atomic_block:
        transaction.on_commit(lambda: _take_marks(ids))


def _take_marks(workspaces: Iterable[UUID]) -> None:
    with _lock:
        _untold.update(workspaces)
    try:
        _tell_again()
    except RedisError:
        logger.debug("the cache does not answer; what it keeps of dashboards is taken away later")


def _tell_again() -> None:
    if not _untold:
        return
    with _lock:
        ids = list(_untold)
    cache.delete_many([_mark_key(pk) for pk in ids])
    with _lock:
        _untold.difference_update(ids)


def _mark_key(workspace: UUID) -> str:
    return f"dashboard-mark:{workspace}"


@once
def _shape() -> str:
    """Rows that another version of the code has kept are not looked at."""
    kinds = (Rows, Growth, Summary, Total, RecentPage, RecentPost, NetworkPost)
    tables: tuple[type[models.Model], ...] = (ConnectedAccount, Post, Publication, PlatformPost, MediaFile)
    names = [
        django.get_version(),
        *(f"{kind.__qualname__}.{field.name}" for kind in kinds for field in fields(kind)),
        *(f"{table.__qualname__}.{field.attname}" for table in tables for field in table._meta.concrete_fields),
    ]
    return hashlib.sha256(" ".join(names).encode()).hexdigest()[:12]


# Statements that change rows without saving them say so themselves: publications that go out, and whoever reads figures.


@receiver(went_out)
def publications_went_out(workspaces: Iterable[UUID], **kwargs: Any) -> None:
    forget(workspaces)


@receiver([post_save, post_delete], sender=Post)
@receiver([post_save, post_delete], sender=ConnectedAccount)
def row_changed(instance: Post | ConnectedAccount, **kwargs: Any) -> None:
    forget([instance.workspace_id])


@receiver([post_save, post_delete], sender=Publication)
@receiver([post_save, post_delete], sender=PlatformPost)
def row_of_account_changed(instance: Publication | PlatformPost, origin: Any = None, **kwargs: Any) -> None:
    if getattr(origin, "model", type(origin)) in (ConnectedAccount, Workspace):
        return  # it goes with its account, which says so once
    forget([instance.account.workspace_id])
