"""LinkedIn's REST API for one app: OAuth, Rest.li addresses, versions, organizations, uploads, posts, comments, figures.

Source: LinkedIn developer documentation, version 202609, read November 2026; the form of addresses checked against
LinkedIn's own client, linkedin-api-client 0.3.0.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO
from urllib.parse import quote, unquote, urlencode, urlsplit

from django.utils.translation import gettext as _

from socialhub.platforms.base import Tokens
from socialhub.platforms.errors import (
    NotFoundError,
    OurBugError,
    PermissionMissingError,
    PlatformError,
    RejectedError,
    TemporaryError,
)
from socialhub.platforms.http import Reply, Transport
from socialhub.platforms.instants import from_unix
from socialhub.platforms.linkedin_errors import VersionError, error_of, oauth_error_of, request_id_of

logger = logging.getLogger(__name__)

MEMBER_SCOPES = ("openid", "profile", "email", "w_member_social")
FULL_SCOPES = (
    *MEMBER_SCOPES,
    "w_organization_social",
    "r_organization_social",
    "rw_organization_admin",
    "r_member_postAnalytics",
    "r_member_profileAnalytics",
    "w_member_social_feed",
    "w_organization_social_feed",
    "r_organization_social_feed",
)
# What the accounts of each kind need to be published to and, as far as LinkedIn lets anybody, read.
SCOPES: dict[str, tuple[str, ...]] = {
    "person": ("openid", "profile", "w_member_social"),
    "organization": ("w_organization_social", "r_organization_social", "rw_organization_admin"),
}

LIFE = timedelta(days=60)  # when LinkedIn does not say how long a token lives
LONGEST_QUERY = 4000  # characters; longer ones go into a body
COUNT = 100
MOST_PAGES = 50
MOST_DETAILED = 25  # organizations of one person that we read picture and followers of

POSTING_ROLES = frozenset(
    {"ADMINISTRATOR", "CONTENT_ADMIN", "CONTENT_ADMINISTRATOR", "DIRECT_SPONSORED_CONTENT_POSTER"}
)
UPLOADING_ROLES = frozenset({"ADMINISTRATOR", "DIRECT_SPONSORED_CONTENT_POSTER"})
READING_ROLES = frozenset({"ADMINISTRATOR"})

Value = str | int | bool | Sequence["Value"] | Mapping[str, "Value"]


@dataclass(frozen=True, slots=True)
class LinkedInConfig:
    """Where LinkedIn is and who we are there. The scopes are one fixed set: a person who is asked for another set
    later loses the tokens given before."""

    client_id: str
    client_secret: str = field(repr=False)
    oauth_url: str = "https://www.linkedin.com/oauth/v2"
    api_url: str = "https://api.linkedin.com"
    version: str = "202609"
    scopes: tuple[str, ...] = MEMBER_SCOPES
    connect_timeout: float = 5
    read_timeout: float = 30

    def __post_init__(self) -> None:
        if not re.fullmatch(r"20\d{2}(?:0[1-9]|1[0-2])", self.version):
            raise ValueError(f"LINKEDIN_API_VERSION must be a year and a month such as 202609, not {self.version!r}.")

    @property
    def has_organizations(self) -> bool:
        """Whether the app asks for what organizations need."""
        return set(SCOPES["organization"]) <= set(self.scopes)


@dataclass(frozen=True, slots=True)
class TokenState:
    """What LinkedIn says of a token. status: active, expired or revoked."""

    is_active: bool
    status: str = ""
    scopes: tuple[str, ...] = ()
    client_id: str = ""
    auth_type: str = ""
    created_at: datetime | None = None
    expires_at: datetime | None = None
    authorized_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """The person who gave the token. id is app-scoped: another app knows the same person by another one."""

    id: str
    name: str = ""
    picture: str = ""

    @property
    def urn(self) -> str:
        return f"urn:li:person:{self.id}"


@dataclass(frozen=True, slots=True)
class Organization:
    """A page at LinkedIn. `obstacle` filled: it cannot be connected, and why. followers None: not told."""

    urn: str
    name: str = ""
    vanity_name: str = ""
    picture: str = ""
    followers: int | None = None
    roles: tuple[str, ...] = ()
    obstacle: str = ""

    @property
    def id(self) -> str:
        return id_of(self.urn)

    @property
    def address(self) -> str:
        return f"https://www.linkedin.com/company/{quote(self.vanity_name or self.id, safe='')}"

    @property
    def may_upload(self) -> bool:
        """A content admin may post, but LinkedIn can refuse the images."""
        return bool(UPLOADING_ROLES & set(self.roles))

    @property
    def may_read_figures(self) -> bool:
        return bool(READING_ROLES & set(self.roles))


@dataclass(frozen=True, slots=True)
class Upload:
    """A place for one image or document."""

    url: str = field(repr=False)
    urn: str  # by which the post names it


@dataclass(frozen=True, slots=True)
class Created:
    """A post that LinkedIn took. urn "": it did not say which."""

    urn: str
    request_id: str = ""


def encode(value: Value) -> str:
    """A value in Rest.li 2.0 form: what stands inside is escaped completely, the marks of lists and records are not."""
    if isinstance(value, Mapping):
        return "(" + ",".join(f"{quote(name, safe='')}:{encode(value[name])}" for name in sorted(value)) + ")"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quote(value, safe="")
    if isinstance(value, int):
        return str(value)
    return "List(" + ",".join(map(encode, value)) + ")"


def query_of(parameters: Mapping[str, Value]) -> str:
    """The query string. An HTTP library would escape the marks too, so it never sees the parameters."""
    return "&".join(f"{quote(name, safe='')}={encode(value)}" for name, value in parameters.items())


def id_of(urn: str) -> str:
    """The last part of a URN: "42" of "urn:li:organization:42"."""
    return urn.rpartition(":")[2]


def kind_of(urn: str) -> str:
    """What a URN names: "organization" of "urn:li:organization:42"."""
    parts = urn.split(":")
    return parts[2] if len(parts) > 3 else ""


def is_organization(urn: str) -> bool:
    """A page and no person."""
    return kind_of(urn) != "person"


def millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def instant_of(value: object) -> datetime | None:
    """An instant given in milliseconds."""
    number = number_of(value)
    return from_unix(number / 1000) if number else None


def number_of(value: object) -> int | None:
    """A whole number, negative ones included; None where LinkedIn left it out."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


class LinkedInApi:
    """LinkedIn for one app. Thread-safe; holds nothing of any account."""

    def __init__(
        self,
        config: LinkedInConfig,
        *,
        on_version: Callable[[bool], None] | None = None,
        transport: Transport | None = None,
    ) -> None:
        """on_version: told by every versioned call whether LinkedIn serves the version that is set. Must not raise."""
        self.config = config
        self.on_version = on_version
        self.transport = transport or Transport(
            connect_timeout=config.connect_timeout, read_timeout=config.read_timeout
        )
        self._rest = f"{config.api_url.rstrip('/')}/rest"
        self._oauth = config.oauth_url.rstrip("/")

    # Calls

    def get(
        self,
        path: str,
        token: str,
        parameters: Mapping[str, Value] | None = None,
        *,
        method: str = "",
        analytics: bool = False,
    ) -> dict[str, Any]:
        """Read `path` (parts already escaped). method: Rest.li's name of it, such as FINDER. Raises the classes of
        errors.py."""
        query = query_of(parameters or {})
        headers = self._headers(token, method)
        if len(query) > LONGEST_QUERY:
            headers |= {"X-HTTP-Method-Override": "GET", "Content-Type": "application/x-www-form-urlencoded"}
            reply = self.transport.request("POST", f"{self._rest}/{path}", data=query.encode(), headers=headers)
        else:
            reply = self.transport.request("GET", f"{self._rest}/{path}{'?' * bool(query)}{query}", headers=headers)
        if not reply.ok:
            raise self._noted(error_of(reply, reading=True, analytics=analytics, secrets=self._secrets(token)))
        self._tell_version(is_served=True)
        return _record(reply)

    def post(self, path: str, token: str, body: Mapping[str, Any], *, method: str = "", commit: bool = False) -> Reply:
        """Write to `path`. commit: it must not be made twice; anything but a clear answer is an unknown outcome."""
        reply = self.transport.request(
            "POST",
            f"{self._rest}/{path}",
            data=json.dumps(body, ensure_ascii=False).encode(),
            headers={**self._headers(token, method), "Content-Type": "application/json"},
            commit=commit,
        )
        if not reply.ok:
            raise self._noted(error_of(reply, commit=commit, secrets=self._secrets(token)))
        self._tell_version(is_served=True)
        return reply

    def _noted(self, error: PlatformError) -> PlatformError:
        if isinstance(error, VersionError):
            self._tell_version(is_served=False)
        return error

    def _tell_version(self, *, is_served: bool) -> None:
        if self.on_version:
            self.on_version(is_served)

    def try_version(self, token: str) -> None:
        """The cheapest versioned call. Raises VersionError when LinkedIn does not serve the version that is set."""
        parameters: dict[str, Value] = {"q": "roleAssignee", "state": "APPROVED", "start": 0, "count": 1}
        self.get("organizationAcls", token, parameters, method="FINDER")

    def finder(self, path: str, token: str, parameters: Mapping[str, Value]) -> list[dict[str, Any]]:
        """All entries of a list of figures, which comes whole unless LinkedIn says that there is more.

        What is not found there is not open to this app: PermissionMissingError.
        """
        found: list[dict[str, Any]] = []
        more: dict[str, Value] = {}
        for _page in range(MOST_PAGES):
            answer = self.get(path, token, {**parameters, **more}, method="FINDER", analytics=True)
            entries = elements_of(answer)
            found += entries
            paging = answer.get("paging")
            total = number_of(paging.get("total")) if isinstance(paging, dict) else None
            if not entries or total is None or len(found) >= total:
                break
            more = {"start": len(found), "count": COUNT}
        return found

    def paged(
        self, path: str, token: str, parameters: Mapping[str, Value], *, method: str = "FINDER", count: int = COUNT
    ) -> Iterator[dict[str, Any]]:
        """Entries of a list, page by page."""
        start = 0
        for _page in range(MOST_PAGES):
            answer = self.get(path, token, {**parameters, "start": start, "count": count}, method=method)
            entries = elements_of(answer)
            yield from entries
            paging = answer.get("paging")
            paging = paging if isinstance(paging, dict) else {}
            # LinkedIn may give smaller pages than we asked for, and leave entries out of them.
            size = min(number_of(paging.get("count")) or count, count)
            total = number_of(paging.get("total"))
            start += size
            if (len(entries) < size) if total is None else (start >= total):
                return
        logger.warning("stopped reading %s after %s pages", path, MOST_PAGES)

    def _headers(self, token: str, method: str) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {token}",
            "LinkedIn-Version": self.config.version,
            "X-Restli-Protocol-Version": "2.0.0",
        }
        return {**headers, "X-RestLi-Method": method} if method else headers

    def _secrets(self, *more: str) -> tuple[str, ...]:
        return (self.config.client_secret, *more)

    # OAuth

    @property
    def authorize_address(self) -> str:
        """Where the browser goes to consent, without parameters."""
        return f"{self._oauth}/authorization"

    def authorize_parameters(self, *, redirect_uri: str, state: str) -> dict[str, str]:
        return {
            "response_type": "code",
            "client_id": self.config.client_id,
            "redirect_uri": redirect_uri,
            "state": state,
            "scope": " ".join(self.config.scopes),
        }

    def authorize_url(self, *, redirect_uri: str, state: str) -> str:
        """The whole address."""
        fields = self.authorize_parameters(redirect_uri=redirect_uri, state=state)
        return f"{self.authorize_address}?{urlencode(fields, quote_via=quote)}"

    def exchange_code(self, code: str, redirect_uri: str) -> Tokens:
        """The code of the redirect for tokens. A code works once and for 30 minutes."""
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        return _tokens(self._ask("accessToken", fields, secret=code))

    def refresh(self, refresh_token: str) -> Tokens:
        """A new access token, where the app was given refresh tokens. Their own year is not prolonged by this.

        Raises ReconnectError when the refresh token no longer works.
        """
        fields = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        found = _tokens(self._ask("accessToken", fields, secret=refresh_token, refreshing=True))
        return found if found.refresh_token else replace(found, refresh_token=refresh_token)

    def introspect(self, token: str) -> TokenState:
        """What LinkedIn knows of a token. A bad token is an answer, not an error."""
        answer = self._ask("introspectToken", {"token": token}, secret=token)
        return TokenState(
            is_active=bool(answer.get("active")),
            status=str(answer.get("status") or ""),
            scopes=scopes_of(answer.get("scope")),
            client_id=str(answer.get("client_id") or ""),
            auth_type=str(answer.get("auth_type") or ""),
            created_at=_second(answer.get("created_at")),
            expires_at=_second(answer.get("expires_at")),
            authorized_at=_second(answer.get("authorized_at")),
        )

    def revoke(self, token: str) -> None:
        """Take our access away; a token that is already dead counts as revoked."""
        try:
            self._ask("revoke", {"token": token}, secret=token, empty=True)
        except RejectedError as error:
            logger.info("the token was already unknown to LinkedIn: %s", error.code)

    def _ask(
        self, path: str, fields: Mapping[str, str], *, secret: str, refreshing: bool = False, empty: bool = False
    ) -> dict[str, Any]:
        signed = {**fields, "client_id": self.config.client_id, "client_secret": self.config.client_secret}
        reply = self.transport.request("POST", f"{self._oauth}/{path}", data=signed)
        if not reply.ok:
            raise oauth_error_of(reply, refreshing=refreshing, secrets=self._secrets(secret))
        return {} if empty else _record(reply)

    # Who

    def userinfo(self, token: str) -> Member:
        """The person behind the token."""
        url = f"{self.config.api_url.rstrip('/')}/v2/userinfo"
        reply = self.transport.request("GET", url, headers={"Authorization": f"Bearer {token}"})
        if not reply.ok:
            raise error_of(reply, reading=True, secrets=self._secrets(token))
        answer = _record(reply)
        if not answer.get("sub"):
            raise unreadable(reply)
        given = f"{answer.get('given_name') or ''} {answer.get('family_name') or ''}".strip()
        return Member(str(answer["sub"]), str(answer.get("name") or given), str(answer.get("picture") or ""))

    def organizations(self, token: str) -> list[Organization]:
        """Every page the person has a role on, sorted by name; those they cannot post to with the reason.

        Raises PermissionMissingError when the app or the person did not allow to read them.
        """
        roles = self._roles(token)
        names = self._details(token, list(roles))
        found = [
            replace(_organization(urn, names.get(urn, {})), roles=held, obstacle=_obstacle(held))
            for urn, held in roles.items()
        ]
        found.sort(
            key=lambda organization: (bool(organization.obstacle), organization.name.casefold(), organization.urn)
        )
        return [
            self._with_extras(token, organization, names.get(organization.urn, {}))
            if number < MOST_DETAILED and not organization.obstacle
            else organization
            for number, organization in enumerate(found)
        ]

    def organization(self, token: str, urn: str) -> Organization:
        """One page with picture and followers."""
        answer = self.get(f"organizations/{quote(id_of(urn), safe='')}", token)
        return self._with_extras(token, _organization(urn, answer), answer)

    def followers(self, token: str, urn: str) -> int | None:
        """How many follow the page."""
        answer = self.get(f"networkSizes/{quote(urn, safe='')}", token, {"edgeType": "COMPANY_FOLLOWED_BY_MEMBER"})
        return number_of(answer.get("firstDegreeSize"))

    def _roles(self, token: str) -> dict[str, tuple[str, ...]]:
        """Approved roles of the person by page."""
        found: dict[str, tuple[str, ...]] = {}
        for entry in self.paged("organizationAcls", token, {"q": "roleAssignee", "state": "APPROVED"}):
            urn = str(entry.get("organization") or entry.get("organizationTarget") or "")
            if urn and entry.get("state", "APPROVED") == "APPROVED":
                found[urn] = (*found.get(urn, ()), str(entry.get("role") or ""))
        return found

    def _details(self, token: str, urns: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What LinkedIn tells of these pages; of many in one call where the app may do that."""
        if len(urns) > 1:
            try:
                return self._lookup(token, urns)
            except (PermissionMissingError, OurBugError, NotFoundError) as error:
                if isinstance(error, VersionError):
                    raise
                logger.info("pages are read one by one: %s", error.code)
        found = {}
        for urn in urns:
            try:
                found[urn] = self.get(f"organizations/{quote(id_of(urn), safe='')}", token)
            except (PermissionMissingError, NotFoundError) as error:
                logger.info("a page could not be read: %s", error.code)
        return found

    def _lookup(self, token: str, urns: Sequence[str]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for first in range(0, len(urns), COUNT):
            part = urns[first : first + COUNT]
            answer = self.get("organizationsLookup", token, {"ids": [id_of(urn) for urn in part]}, method="BATCH_GET")
            results = answer.get("results")
            results = results if isinstance(results, dict) else {}
            found |= {urn: results[id_of(urn)] for urn in part if isinstance(results.get(id_of(urn)), dict)}
        return found

    def _with_extras(self, token: str, organization: Organization, answer: Mapping[str, Any]) -> Organization:
        """With picture and followers, as far as they can be read: they are not worth failing for."""
        picture, followers = "", None
        try:
            followers = self.followers(token, organization.urn)
            if logo := _logo(answer):
                picture = self.image_address(token, logo)
        except (PermissionMissingError, NotFoundError, OurBugError, TemporaryError) as error:
            if isinstance(error, VersionError):
                raise
            logger.info("picture or followers of a page could not be read: %s", error.code or error.kind)
        return replace(organization, picture=picture, followers=followers)

    # Media

    def begin_upload(self, token: str, owner: str, kind: str = "image") -> Upload:
        """A place for an image or document of this author. An unused one costs nothing."""
        value = self.begin(token, f"{kind}s", {"owner": owner})
        if not value.get("uploadUrl") or not value.get(kind):
            raise unreadable()
        return Upload(str(value["uploadUrl"]), str(value[kind]))

    def begin(self, token: str, path: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """What LinkedIn prepares for an upload."""
        reply = self.post(f"{path}?action=initializeUpload", token, {"initializeUploadRequest": request})
        value = reply.json.get("value") if isinstance(reply.json, dict) else None
        if not isinstance(value, dict):
            raise unreadable(reply)
        return value

    def upload(self, token: str, place: Upload, content: bytes | BinaryIO, content_type: str) -> None:
        """Put the bytes there."""
        if not self._is_linkedin(place.url):
            raise OurBugError(
                _(
                    "LinkedIn named a place for the file that is not its own. Nothing was sent; an administrator must look."
                )
            )
        reply = self.transport.request(
            "PUT",
            place.url,
            data=content,
            headers={"Authorization": f"Bearer {token}", "Content-Type": content_type},
        )
        self.raise_for_upload(reply, token)

    def raise_for_upload(self, reply: Reply, token: str, *, forget: tuple[str, ...] = ()) -> None:
        """The error of an answer to bytes that were put somewhere, if it is one. forget: handles of a place that is gone."""
        if reply.status in (401, 403, 404, 410):
            # The same token was accepted a moment ago: it is the address that has run out.
            raise TemporaryError(
                _("LinkedIn's place for the file has expired. It is uploaded again by itself."),
                code=f"HTTP {reply.status}",
                request_id=request_id_of(reply),
                forget=forget,
            )
        if not reply.ok:
            raise error_of(reply, secrets=self._secrets(token))

    def _is_linkedin(self, url: str) -> bool:
        """Only there does a token go."""
        parts, api = urlsplit(url), urlsplit(self.config.api_url)
        if (parts.scheme, parts.netloc) == (api.scheme, api.netloc):
            return True
        host = parts.hostname or ""
        return parts.scheme == "https" and any(
            host == name or host.endswith(f".{name}") for name in ("linkedin.com", "licdn.com")
        )

    def media(self, token: str, urn: str, kind: str = "image") -> dict[str, Any]:
        """Status and download address of an image, video or document. A token that may only write gets
        PermissionMissingError."""
        return self.get(f"{kind}s/{quote(urn, safe='')}", token)

    def image_address(self, token: str, urn: str) -> str:
        """Where the image can be fetched for some time, "" where LinkedIn does not say."""
        return str(self.media(token, urn).get("downloadUrl") or "")

    # Posts

    def create_post(self, token: str, body: Mapping[str, Any]) -> Created:
        """Publish. Never to be repeated by itself."""
        reply = self.post("posts", token, body, commit=True)
        return Created(unquote(str(reply.headers.get("x-restli-id") or "")), request_id_of(reply))

    def posts_by(self, token: str, author: str, *, count: int = COUNT, start: int = 0) -> list[dict[str, Any]]:
        """One page of an organization's posts, newest first."""
        answer = self.get(
            "posts",
            token,
            {"q": "author", "author": author, "sortBy": "CREATED", "start": start, "count": count},
            method="FINDER",
        )
        return elements_of(answer)

    def read_post(self, token: str, urn: str) -> dict[str, Any]:
        """One post of an organization. NotFoundError: it is gone."""
        return self.get(f"posts/{quote(urn, safe='')}", token)

    # Comments

    def create_comment(self, token: str, actor: str, post: str, text: str) -> str:
        """Comment a post; returns the comment's id. Never to be repeated by itself."""
        path = f"socialActions/{quote(post, safe='')}/comments"
        body = {"actor": actor, "object": post, "message": {"text": text}}
        reply = self.post(path, token, body, commit=True)
        named = reply.json if isinstance(reply.json, dict) else {}
        return comment_id_of(named) or unquote(str(reply.headers.get("x-restli-id") or ""))

    def comments(self, token: str, post: str) -> Iterator[dict[str, Any]]:
        """The comments below a post of an organization."""
        return self.paged(f"socialActions/{quote(post, safe='')}/comments", token, {}, method="", count=50)


def elements_of(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    entries = answer.get("elements")
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def comment_id_of(comment: Mapping[str, Any]) -> str:
    """What names a comment for good; the bare number only where there is nothing else."""
    return str(comment.get("commentUrn") or comment.get("$URN") or comment.get("id") or "")


def scopes_of(text: object) -> tuple[str, ...]:
    """Scopes come separated by commas, although they are asked for with spaces."""
    return tuple(scope for scope in re.split(r"[,\s]+", str(text or "")) if scope)


def _tokens(answer: Mapping[str, Any]) -> Tokens:
    token = str(answer.get("access_token") or "")
    if not token:
        raise TemporaryError(_("LinkedIn gave no access although it said that it did. Try again."))
    now = datetime.now(UTC)
    life = number_of(answer.get("expires_in"))
    refresh_life = number_of(answer.get("refresh_token_expires_in"))
    return Tokens(
        access_token=token,
        expires_at=now + (timedelta(seconds=life) if life else LIFE),
        scopes=scopes_of(answer.get("scope")),
        refresh_token=str(answer.get("refresh_token") or "") or None,
        refresh_expires_at=now + timedelta(seconds=refresh_life) if refresh_life else None,
    )


def _second(value: object) -> datetime | None:
    return from_unix(number_of(value) or None)


def _record(reply: Reply) -> dict[str, Any]:
    if not isinstance(reply.json, dict):
        raise unreadable(reply)
    return reply.json


def unreadable(reply: Reply | None = None) -> PlatformError:
    return TemporaryError(
        _("LinkedIn answered with something that is not an answer. It is tried again by itself."),
        code=f"HTTP {reply.status}" if reply else "",
        request_id=request_id_of(reply) if reply else "",
    )


def _organization(urn: str, answer: Mapping[str, Any]) -> Organization:
    return Organization(urn, str(answer.get("localizedName") or ""), str(answer.get("vanityName") or ""))


def _logo(answer: Mapping[str, Any]) -> str:
    logo = answer.get("logoV2")
    return str(logo.get("original") or "") if isinstance(logo, dict) else ""


def _obstacle(roles: Sequence[str]) -> str:
    if POSTING_ROLES & set(roles):
        return ""
    return _(
        "Your role on this page does not let you post. Ask someone who administers the page at LinkedIn to make you an "
        "admin, then check again."
    )
