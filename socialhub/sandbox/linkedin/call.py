"""One call of LinkedIn's API: who asks for what, and the table of who answers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..state import State
from .errors import LinkedInError, denied, invalid
from .rows import Member, Organization, Token

POSTING_ROLES = {"ADMINISTRATOR", "CONTENT_ADMIN", "CONTENT_ADMINISTRATOR", "DIRECT_SPONSORED_CONTENT_POSTER"}
MEDIA_ROLES = {"ADMINISTRATOR", "DIRECT_SPONSORED_CONTENT_POSTER"}
READING_SCOPES = ("rw_organization_admin", "r_organization_admin", "r_organization_social")


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    state: State
    method: str
    rest_method: str  # GET, FINDER, BATCH_GET, CREATE, ACTION, PARTIAL_UPDATE, DELETE
    path: list[str]
    query: dict[str, Any]
    body: dict[str, Any]
    base_url: str
    now: float
    token: Token
    content: bytes = b""

    @property
    def member(self) -> Member:
        return self.state.linkedin_members[self.token.member_id]

    @property
    def what(self) -> str:
        """How a refusal names the call."""
        name = self.path[0] if self.path else ""
        return f"{name}.{self.rest_method}"

    # Rights

    def has(self, *scopes: str) -> bool:
        return any(scope in self.token.scopes for scope in scopes)

    def need(self, *scopes: str) -> None:
        """One of these scopes."""
        if not self.has(*scopes):
            raise denied(self.what)

    def role_on(self, organization: Organization) -> str:
        return organization.role_of(self.token.member_id)

    def need_role(self, organization: Organization, roles: set[str]) -> None:
        if self.role_on(organization) not in roles:
            raise denied(self.what)

    def may_write_as(self, author: str, roles: set[str]) -> None:
        """The right to act as this member or organization. Raises LinkedInError."""
        if author.startswith("urn:li:organization:"):
            organization = self.organization(author)
            self.need("w_organization_social")
            self.need_role(organization, roles)
        elif author.startswith("urn:li:person:"):
            self.need("w_member_social")
            if author != self.member.urn:
                raise denied(self.what)
        else:
            raise invalid("INVALID_URN_TYPE", f"{author!r} is neither a person nor an organization", "/author")

    # Parameters

    def text(self, name: str) -> str:
        value = self.query.get(name, "")
        if not isinstance(value, str):
            raise invalid("ILLEGAL_ARGUMENT", f"Parameter '{name}' is invalid")
        return value

    def number(self, name: str, default: int) -> int:
        value = self.text(name)
        if value and not value.isdigit():
            raise invalid("ILLEGAL_ARGUMENT", f"Parameter '{name}' must be a number")
        return int(value) if value else default

    def names(self, name: str) -> list[str] | None:
        value = self.query.get(name)
        if value is not None and not isinstance(value, list):
            raise invalid("ILLEGAL_ARGUMENT", f"Parameter '{name}' must be List(…)")
        return value

    def organization(self, urn: str) -> Organization:
        """Raises LinkedInError for anything that is no organization."""
        prefix = "urn:li:organization:"
        if not urn.startswith(prefix):
            raise invalid("INVALID_URN_TYPE", f"{urn!r} is not the URN of an organization")
        found = self.state.linkedin_organizations.get(urn.removeprefix(prefix))
        if found is None:
            raise invalid("INVALID_URN_ID", f"There is no organization {urn}")
        return found

    def page(self, rows: list[Any], most: int = 100) -> tuple[list[Any], dict[str, Any]]:
        """The part of a list that start and count name, and the paging beside it."""
        start, count = self.number("start", 0), self.number("count", 10)
        if not 0 < count <= most:
            raise invalid("ILLEGAL_ARGUMENT", f"Parameter 'count' must be between 1 and {most}")
        return rows[start : start + count], {"start": start, "count": count, "total": len(rows), "links": []}


Answer = Callable[[Call], Reply]
# HTTP method and path; * is a key.
ENDPOINTS: dict[tuple[str, str], Answer] = {}


def answers(method: str, path: str) -> Callable[[Answer], Answer]:
    def register(answer: Answer) -> Answer:
        ENDPOINTS[method, path] = answer
        return answer

    return register


def find(method: str, path: list[str]) -> Answer:
    """Who answers this address. Raises LinkedInError."""
    shape = "/".join(part if position % 2 == 0 else "*" for position, part in enumerate(path))
    if found := ENDPOINTS.get((method, shape)):
        return found
    if any(known == shape for _, known in ENDPOINTS):
        raise LinkedInError(405, f"Method {method} is not supported for this resource", "METHOD_NOT_ALLOWED")
    raise LinkedInError(404, f"No virtual resource found for {'/'.join(path)}", "RESOURCE_NOT_FOUND", service=0)
