"""Calls per 15 minutes, day and month: counted per client, told in the headers of each answer."""

from __future__ import annotations

from bisect import bisect_right

from ..state import State
from .rows import Token
from .world import organizations_of

WINDOWS = {900: "15m", 86_400: "24h", 2_592_000: "30d"}
PLANS = {
    "free": {900: 100, 86_400: 250, 2_592_000: 3_000},
    "essentials": {900: 100, 86_400: 250, 2_592_000: 7_500},
    "team": {900: 100, 86_400: 500, 2_592_000: 15_000},
}
OAUTH_CLIENT = "oauth-client"


def client_of(token: Token) -> str:
    """Whose budget a call uses up: that of a personal key, or that of the app, shared by all who use it."""
    return token.value if token.kind == "key" else OAUTH_CLIENT


def quotas_of(state: State, token: Token) -> dict[int, int]:
    plan = "team"
    if token.kind == "key":
        plan = organizations_of(state, token.account_id)[0].plan
    quotas = dict(PLANS[plan])
    quotas.update({int(window): quota for window, quota in state.buffer_apps["app"].quotas.items()})
    return quotas


class Quota:
    """What a client has left at one moment."""

    def __init__(self, state: State, token: Token) -> None:
        self.now = state.now()
        self.calls = state.buffer_calls[client_of(token)]
        self.client = client_of(token)[-8:]
        self.quotas = quotas_of(state, token)

    def made(self, window: int) -> int:
        return len(self.calls) - bisect_right(self.calls, self.now - window)

    def resets_in(self, window: int) -> int:
        """Seconds until the oldest call leaves the window."""
        position = bisect_right(self.calls, self.now - window)
        return int(self.calls[position] + window - self.now) + 1 if position < len(self.calls) else window

    def exhausted(self) -> int | None:
        """The window that allows no further call."""
        return next((window for window, quota in self.quotas.items() if self.made(window) >= quota), None)

    def use(self) -> None:
        self.calls.append(self.now)

    def headers(self) -> dict[str, str]:
        left, policy = [], []
        for window, quota in self.quotas.items():
            name = WINDOWS[window]
            left.append(f'"{name}";r={max(quota - self.made(window), 0)};t={self.resets_in(window)}')
            policy.append(f'"{name}";q={quota};w={window};pk=:{self.client}:')
        return {"RateLimit": ", ".join(left), "RateLimit-Policy": ", ".join(policy)}
