"""Why a Facebook Page brought no Instagram account: the permissions and the role that linking one takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from accounts import connect
from accounts.lifetime import grant_of
from accounts.models import ConnectedAccount
from accounts.permissions import Permission, state_of, tasks_of
from accounts.providers import META
from socialhub.platforms.errors import PlatformError
from socialhub.platforms.meta import PUBLISH_TASKS, TASK_PREFIX


@dataclass(frozen=True, slots=True)
class Findings:
    """read_at: when Facebook told this. error: it was asked just now, and did not answer."""

    page: ConnectedAccount
    scopes: tuple[Permission, ...]
    tasks: tuple[str, ...]
    may_publish: bool
    read_at: datetime | None
    is_live: bool = False
    error: PlatformError | None = None

    @property
    def is_permission_missing(self) -> bool:
        return any(scope.state != "granted" for scope in self.scopes)


def known_of(page: ConnectedAccount, error: PlatformError | None = None) -> Findings:
    """What is stored. Costs no query with `select_related("credential__grant")`."""
    return _findings(page, page.granted_scopes, page.last_verified_at, error=error)


def ask_for(page: ConnectedAccount) -> Findings:
    """What Facebook says now, which is kept; what is stored where it does not answer."""
    grant = grant_of(page)
    if grant is None:
        return known_of(page)
    try:
        META.refresh_scopes(grant)
    except PlatformError as error:
        return known_of(page, error)
    return _findings(page, grant.granted_scopes, timezone.now(), is_live=True)


def _findings(
    page: ConnectedAccount,
    granted: list[str],
    read_at: datetime | None,
    *,
    is_live: bool = False,
    error: PlatformError | None = None,
) -> Findings:
    held, grant, purposes = set(granted), grant_of(page), META.purposes()
    scopes = tuple(
        Permission(
            name,
            "granted" if name in held else state_of(name, grant),
            purposes.get(name, ""),
            is_needed=True,
        )
        for name in connect.CONNECTABLE["instagram"].scopes
    )
    tasks = {task.removeprefix(TASK_PREFIX) for task in page.tasks}
    return Findings(
        page,
        scopes,
        tuple(tasks_of(page)),
        bool(tasks & PUBLISH_TASKS),
        read_at,
        is_live,
        error,
    )
