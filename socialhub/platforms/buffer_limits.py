"""Buffer's rate limits: what the headers of an answer say, and what the plans allow.

Source: Buffer API guide "API limits", read June to October 2026.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from socialhub.platforms.rule_types import Window

QUARTER_HOUR, DAY, MONTH = 900, 86_400, 2_592_000
WINDOW_SECONDS = (QUARTER_HOUR, DAY, MONTH)

SOURCE = "Buffer API guide, API limits, read June to October 2026"

# Groups: "publish" are calls that create a post, per connected account. "client" is every call, reads too, and belongs to
# the key or app client: all accounts behind it share it. The numbers are those of Buffer's Free plan, the smallest; the
# headers of each answer tell the real ones.
KEPT_FOR_PUBLISHING = 0.2  # the last part of each client window, that reads must leave alone
CLIENT_WINDOWS: tuple[Window, ...] = tuple(
    Window("client", limit, seconds, SOURCE, scope="client", kept=KEPT_FOR_PUBLISHING)
    for limit, seconds in ((100, QUARTER_HOUR), (250, DAY), (3_000, MONTH))
)
WINDOWS: tuple[Window, ...] = (Window("publish", 50, 60, "default of this product"), *CLIENT_WINDOWS)

_ITEM = re.compile(r'\s*("[^"]*"|[^,;"]*)((?:\s*;\s*[\w-]+\s*=\s*(?:"[^"]*"|[^,;"]*))*)\s*(?:,|$)')
_PARAMETER = re.compile(r';\s*([\w-]+)\s*=\s*("[^"]*"|[^,;"]*)')


@dataclass(frozen=True, slots=True)
class ClientWindow:
    """One window as Buffer sees it now. limit None: the header did not tell."""

    seconds: int
    remaining: int
    resets_in_seconds: float
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class BufferUsage:
    """The windows of one answer. client: a mark of the token that was used, not the token.

    blocked_until: the call was refused, and so are all of this client until then.
    """

    windows: tuple[ClientWindow, ...]
    client: str = ""
    blocked_until: datetime | None = None


def windows_of(headers: Mapping[str, str], now: datetime | None = None) -> tuple[ClientWindow, ...]:
    """The windows that an answer tells of, shortest first; nothing when it tells none.

    A header that came several times and one that was joined with commas read the same. The values and their policies
    are matched by their name and, where names differ, by their order; which window it is tells the policy's `w` alone.
    """
    policies = list(_items(headers.get("RateLimit-Policy", "")))
    values = list(_items(headers.get("RateLimit", "")))
    by_name = {name: policy for name, policy in policies if name}
    found = []
    for position, (name, value) in enumerate(values):
        in_order = policies[position][1] if len(policies) == len(values) else {}
        policy = by_name.get(name, in_order)
        seconds, remaining = _whole(policy.get("w")), _whole(value.get("r"))
        if seconds is not None and remaining is not None:
            found.append(ClientWindow(seconds, remaining, float(_whole(value.get("t")) or 0), _whole(policy.get("q"))))
    return tuple(sorted(found or _older(headers, now), key=lambda window: window.seconds))


def _items(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Name and parameters of each item of a structured list: "a";r=1;t=2, "b";r=3."""
    for match in _ITEM.finditer(header):
        name, parameters = match.groups()
        if name.strip() or parameters:
            yield (
                name.strip().strip('"'),
                {key: value.strip().strip('"') for key, value in _PARAMETER.findall(parameters)},
            )


def _older(headers: Mapping[str, str], now: datetime | None) -> list[ClientWindow]:
    """The X-RateLimit headers: one number, or one for each window, the shortest first."""
    limits, remaining, resets = (
        [_whole(part) for part in headers.get(f"X-RateLimit-{name}", "").split(",")]
        for name in ("Limit", "Remaining", "Reset")
    )
    found = []
    for seconds, limit, left, reset in zip(WINDOW_SECONDS, limits, remaining, resets, strict=False):
        if left is not None:
            found.append(ClientWindow(seconds, left, _seconds_until(reset, now), limit))
    return found


def _seconds_until(reset: int | None, now: datetime | None) -> float:
    """A reset given as seconds from now, or as a unix time."""
    if not reset:
        return 0
    return reset if reset <= MONTH else max(0.0, reset - (now or datetime.now(UTC)).timestamp())


def _whole(value: str | None) -> int | None:
    try:
        return int(float((value or "").strip()))
    except ValueError:
        return None
