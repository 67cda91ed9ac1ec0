"""Figures that cost most, of the dashboard and of analytics, kept for five minutes by workspace. The database is the truth.

- What is kept are rows, the same for everybody in the workspace: never markup, so no buttons of a role. Where words or
  hours are among them, each language and time zone has its own. What waits for a person, what comes next and the state
  of the accounts is always read anew on the dashboard.
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
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, is_dataclass
from functools import cache as once
from typing import Any, TypeVar
from uuid import UUID

import django
from django.core.cache import cache
from django.db import models, transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import get_language
from redis.exceptions import RedisError

from accounts.models import ConnectedAccount, Workspace
from analytics.models import PlatformPost
from analytics.reports import accounts, charts, dashboard, hours, periods, posts, series, tables
from analytics.reports.dashboard import Growths, RecentPage, Summary
from publishing.models import MediaFile, Post, Publication
from publishing.states import went_out

logger = logging.getLogger(__name__)

Made = TypeVar("Made")

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
    return _kept(workspace, f"dashboard:{workspace.pk}:{_shape()}", lambda: _read(workspace))


def figures(workspace: Workspace, name: str, make: Callable[[], Made]) -> Made:
    """What `make` reads, kept in the same way, for the language and the time zone of whoever asks.

    name: which figures they are, with everything that they depend on.
    """
    whose = f"{name} {get_language()} {timezone.get_current_timezone_name()}"
    digest = hashlib.sha256(whose.encode()).hexdigest()[:24]
    return _kept(workspace, f"figures:{workspace.pk}:{_shape()}:{digest}", make)


def _kept(workspace: Workspace, rows_key: str, make: Callable[[], Made]) -> Made:
    mark_key = _mark_key(workspace.pk)
    try:
        _tell_again()
        found = cache.get_many([mark_key, rows_key])
        mark = found.get(mark_key) or cache.get_or_set(mark_key, uuid.uuid4().hex, MARK_SECONDS)
    except RedisError:
        logger.debug("the cache does not answer; figures are read from the database")
        return make()
    kept = found.get(rows_key)
    if kept and kept[0] == mark:
        rows: Made = kept[1]
        return rows
    rows = make()
    try:
        cache.set(rows_key, (mark, rows), SECONDS)
    except RedisError:
        logger.debug("the cache does not answer; figures are not kept")
    return rows


def _read(workspace: Workspace) -> Rows:
    return Rows(dashboard.growths(workspace), dashboard.last_30_days(workspace), dashboard.recent_posts(workspace))


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
    kinds: list[Any] = [
        kind
        for module in (dashboard, accounts, charts, hours, periods, posts, series, tables)
        for kind in vars(module).values()
        if isinstance(kind, type) and is_dataclass(kind)
    ]
    rows: tuple[type[models.Model], ...] = (ConnectedAccount, Post, Publication, PlatformPost, MediaFile)
    names = [
        django.get_version(),
        *(f"{kind.__qualname__}.{field.name}" for kind in (Rows, *kinds) for field in fields(kind)),
        *(f"{table.__qualname__}.{field.attname}" for table in rows for field in table._meta.concrete_fields),
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
