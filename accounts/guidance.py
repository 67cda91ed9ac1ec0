"""Why a Facebook Page brought no Instagram account: the permissions and the role that linking one takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import connect
from accounts.lifetime import grant_of
from accounts.models import ConnectedAccount
from accounts.permissions import Permission, state_of, tasks_of
from accounts.providers import META
from accounts.providers.base import scopes_on
from socialhub.platforms.errors import PlatformError, ReconnectError
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
    def why_not_live(self) -> str:
        """A blip says nothing about the Page; what is known stands below."""
        if self.error is None:
            return ""
        if isinstance(self.error, ReconnectError):
            return self.error.message
        return _("Facebook does not answer at the moment. This is what it said before.")

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
    # Facebook lets people give a permission for some Pages only.
    granted = scopes_on(grant.granted_scopes, grant.granular_scopes, {page.platform_account_id})
    return _findings(page, granted, timezone.now(), is_live=True)


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
