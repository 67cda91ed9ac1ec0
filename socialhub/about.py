"""What a line of the log is about: the request, the task, the attempt and the workspace that it was written for.

Kept beside the call and not handed through it, so that a line of a library tells it, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Any

from celery import Task
from celery.signals import before_task_publish, task_postrun, task_prerun

Ids = dict[str, str]

HEADER = "socialhub_request"  # of a message to a worker: the request that it came from

_ids: ContextVar[Ids | None] = ContextVar("about", default=None)


def ids() -> Mapping[str, str]:
    """The ids that are known here, by name, the widest first: request, task, attempt, workspace."""
    return _ids.get() or {}


def enter(**more: object) -> Token[Ids | None]:
    """From here until `leave`: these ids besides those that are known. Empty ones are left out."""
    return _ids.set({**ids(), **{name: str(value) for name, value in more.items() if value}})


def leave(token: Token[Ids | None]) -> None:
    _ids.reset(token)


@contextmanager
def about(**more: object) -> Iterator[None]:
    token = enter(**more)
    try:
        yield
    finally:
        leave(token)


def learn(**more: object) -> None:
    """What has become known midway, for the rest of the innermost `about`. Outside of every one it is forgotten."""
    if (known := _ids.get()) is not None:
        known.update({name: str(value) for name, value in more.items() if value})


# --- Across the broker ------------------------------------------------------------------------------------------


@before_task_publish.connect
def send_along(headers: dict[str, Any] | None = None, **_kwargs: Any) -> None:
    if headers is not None and (request := ids().get("request")):
        headers[HEADER] = request


@task_prerun.connect
def begin_task(task_id: str, task: Task, **_kwargs: Any) -> None:
    task.request.about = enter(request=task.request.get(HEADER), task=task_id)


@task_postrun.connect
def end_task(task: Task, **_kwargs: Any) -> None:
    if token := task.request.get("about"):
        leave(token)
