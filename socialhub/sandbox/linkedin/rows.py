"""What the simulated LinkedIn keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class App:
    """How the app is set up in the developer portal."""

    id: str = "app"
    mode: str = "full"  # or member: only the self-serve products
    refresh_tokens: bool = False
    member_limit: int = 150  # calls of one member to one endpoint and UTC day
    app_limit: int = 100_000


@dataclass
class Member:
    id: str  # the sub of this app
    key: str
    name: str
    about: str
    email: str
    followers_count: int = 0
    created_at: float = 0.0

    @property
    def urn(self) -> str:
        return f"urn:li:person:{self.id}"


@dataclass
class Organization:
    id: str
    name: str
    vanity_name: str
    followers_count: int
    roles: dict[str, list[str]]  # member: role, state
    about: str = ""
    created_at: float = 0.0

    @property
    def urn(self) -> str:
        return f"urn:li:organization:{self.id}"

    def role_of(self, member_id: str) -> str:
        """The approved role of a member, or ""."""
        role, state = self.roles.get(member_id, ("", ""))
        return role if state == "APPROVED" else ""


@dataclass
class Grant:
    """What a member allowed the app."""

    member_id: str
    scopes: list[str]
    first_at: float


@dataclass
class Token:
    value: str
    kind: str  # access, refresh
    member_id: str
    scopes: list[str]
    issued_at: float
    expires_at: float
    authorized_at: float
    revoked: bool = False

    def usable_at(self, now: float) -> bool:
        return not self.revoked and now < self.expires_at


@dataclass
class Code:
    value: str
    member_id: str
    redirect_uri: str
    scopes: list[str]
    expires_at: float
    used: bool = False


@dataclass
class Asset:
    """What is uploaded before a post names it."""

    id: str  # the URN
    owner: str
    upload_key: str
    upload_expires_at: float
    file: str = ""
    width: int = 0
    height: int = 0
    ready_at: float = 0.0
    failed: bool = False
    reason: str = ""  # why it failed
    doomed: bool = False  # it will fail, because a test wants that

    def status_at(self, now: float) -> str:
        if not self.ready_at:
            return "WAITING_UPLOAD"
        if now < self.ready_at:
            return "PROCESSING"
        return "PROCESSING_FAILED" if self.failed or self.doomed else "AVAILABLE"


@dataclass
class Image(Asset):
    pass


@dataclass
class Document(Asset):
    pages: int = 0
    poster: str = ""  # the first page


@dataclass
class Video(Asset):
    member_id: str = ""
    size_bytes: int = 0
    token: str = ""
    etags: dict[str, str] = field(default_factory=dict)  # by the first byte of the part
    poster: str = ""
    seconds: float = 0.0


@dataclass
class Comment:
    id: str  # the URN
    post: str
    actor: str
    text: str
    created_at: float


@dataclass
class Post:
    id: str  # the URN
    author: str
    commentary: str  # as it was kept: what follows an unescaped character is gone
    text: str  # as people see it
    sent: str  # as it came, for telling a duplicate
    visibility: str
    distribution: dict[str, Any]
    created_at: float
    changed_at: float
    content: dict[str, Any] = field(default_factory=dict)
    reshare: dict[str, Any] = field(default_factory=dict)
    is_reshare_disabled: bool = False
