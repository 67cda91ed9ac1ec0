"""What the simulated Buffer keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class App:
    """How the app client is set up, and what the plan allows it."""

    id: str = "app"
    metrics_over_oauth: bool = False  # the documentation says: with a personal key only
    quotas: dict[str, int] = field(default_factory=dict)  # window in seconds: calls; else those of the plan


@dataclass
class Account:
    id: str
    key: str
    name: str
    about: str
    email: str
    timezone: str = "Europe/London"
    created_at: float = 0.0


@dataclass
class Organization:
    id: str
    account_id: str
    name: str
    plan: str = "team"  # free, essentials, team


@dataclass
class Channel:
    id: str
    organization_id: str
    service: str
    service_id: str
    type: str
    name: str
    display_name: str
    followers_count: int
    created_at: float
    is_disconnected: bool = False
    is_locked: bool = False
    is_queue_paused: bool = False
    boards: list[dict[str, str]] = field(default_factory=list)
    server_url: str = ""
    subscription_type: str = ""
    max_characters: int = 0  # of a Mastodon server
    daily_limit: int | None = None


@dataclass
class Grant:
    """One consent of one account; a refresh token used twice ends it."""

    id: str
    account_id: str
    scopes: list[str]
    revoked: bool = False


@dataclass
class Token:
    """An access token, a refresh token, or a personal key (which has neither scopes nor a grant)."""

    value: str
    kind: str  # access, refresh, key
    account_id: str
    issued_at: float
    expires_at: float  # 0: never
    scopes: list[str] = field(default_factory=list)
    grant_id: str = ""
    name: str = ""
    used: bool = False
    revoked: bool = False

    def usable_at(self, now: float) -> bool:
        return not self.revoked and not (self.expires_at and now >= self.expires_at)


@dataclass
class Code:
    value: str
    account_id: str
    redirect_uri: str
    scopes: list[str]
    challenge: str
    expires_at: float
    used: bool = False
    grant_id: str = ""


@dataclass
class Post:
    id: str
    channel_id: str
    organization_id: str
    account_id: str
    text: str
    status: str
    mode: str
    scheduling: str
    created_at: float
    updated_at: float
    begins_at: float | None  # when it is handed to the network
    due_at: float | None = None
    sent_at: float | None = None
    assets: list[dict[str, Any]] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    link: str = ""  # what people can open once it is sent
    has_link: bool = True
    error: str = ""
    fails_with: str = ""  # what the network will say
    tag_ids: list[str] = field(default_factory=list)
