"""What a connect has come to, kept in the session until the accounts page has shown it once. Never holds a token."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import ConnectedAccount
from socialhub.platforms.errors import PlatformError, TemporaryError

SESSION_KEY = "connect_outcome"
RETURN_KEY = "connect_return"
# Where a connect may lead back to, by the word that its form sends; without one it is the accounts page.
RETURNS = {"welcome": "analytics:welcome_connect"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """connected: ids of exactly the accounts that were connected. platform: whose button was pressed.

    error: what happened, what it means, what to do; platform_message: the network's own words.
    """

    connected: tuple[str, ...] = ()
    platform: str = ""
    error: str = ""
    platform_message: str = ""


def remember_connected(request: HttpRequest, accounts: Iterable[ConnectedAccount]) -> None:
    request.session[SESSION_KEY] = asdict(Outcome(connected=tuple(str(account.pk) for account in accounts)))


def remember_error(request: HttpRequest, error: str, *, platform: str = "", platform_message: str = "") -> None:
    request.session[SESSION_KEY] = asdict(Outcome(platform=platform, error=error, platform_message=platform_message))


def remember_return(request: HttpRequest, word: str) -> None:
    request.session[RETURN_KEY] = word if word in RETURNS else ""


def return_address(request: HttpRequest) -> str:
    """The page on which the connect was begun."""
    return reverse(RETURNS.get(request.session.get(RETURN_KEY, ""), "accounts:social"))


def take(request: HttpRequest) -> Outcome:
    kept = request.session.pop(SESSION_KEY, None)
    if kept is None:
        return Outcome()
    return Outcome(**{**kept, "connected": tuple(kept["connected"])})


def sentence(error: PlatformError, network: str) -> str:
    """For a person who waits for a connect: unlike the work of the engine, nobody but them tries it again."""
    if isinstance(error, TemporaryError):
        return _(
            "%(network)s has trouble or cannot be reached right now, so nothing was connected. Try again in a minute."
        ) % {"network": network}
    return error.message
