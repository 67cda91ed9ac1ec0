"""The connect doctor: everything that a connection needs, looked at one by one, with what to do where it fails."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    FACT = "fact"  # to know or to copy, neither good nor bad


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor. copy: a text to paste elsewhere; details: a list below it. Nothing in it is secret: it ends
    up in reports."""

    label: str
    state: State
    text: str = ""
    copy: str = ""
    details: tuple[str, ...] = ()


def is_reachable(address: str) -> bool:
    """Whether others could reach it, by its looks: neither this computer nor a private network."""
    host = (urlsplit(address).hostname or "").lower()
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal", ".test")) or not host:
        return False
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host


def public_address() -> Check:
    """Networks send people, and fetch images, from where we say that we are."""
    address = settings.PUBLIC_BASE_URL
    label = _("Address of this site")
    if settings.SANDBOX:
        return Check(label, State.OK, _("The simulated networks reach it."), address)
    if not is_reachable(address):
        return Check(
            label,
            State.PROBLEM,
            _(
                "Only this computer or network can reach it: networks can fetch no images from it and send no "
                "messages to it. Set PUBLIC_BASE_URL to an https address on the internet, such as a tunnel's."
            ),
            address,
        )
    if not address.startswith("https://"):
        return Check(
            label, State.PROBLEM, _("Networks accept https only. Set PUBLIC_BASE_URL to an https address."), address
        )
    return Check(label, State.OK, _("It looks reachable from the internet."), address)


def end_check(label: str, end: object, warn_days: int, advice: str) -> Check | None:
    """A date at which something ends; None where it has no end."""
    if end is None:
        return None
    left = (end - timezone.now()).days  # type: ignore[operator]
    text = date_format(timezone.localtime(end), "j F Y")  # type: ignore[arg-type]
    if left < 0:
        return Check(label, State.PROBLEM, f"{text}. {_('That is over.')} {advice}")
    if left <= warn_days:
        return Check(label, State.WARNING, f"{text}. {advice}")
    return Check(label, State.OK, text)


def scope_check(label: str, scopes: Iterable[str], state: State, advice: str = "") -> Check | None:
    names = ", ".join(sorted(scopes))
    return Check(label, state, f"{names}. {advice}".strip() if advice else names) if names else None


def report(title: str, checks: Iterable[Check]) -> list[str]:
    """The lines of the plain-text report."""
    lines = [f"== {title} =="]
    for check in checks:
        lines.append(
            f"[{check.state.value}] {check.label}: {' | '.join(filter(None, [check.text, check.copy]))}".rstrip()
        )
        lines += [f"    - {detail}" for detail in check.details]
    return lines
