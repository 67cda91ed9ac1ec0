"""Meta's Graph API: what Facebook and Instagram share. Version, proof, envelope, paging, batch, OAuth, Pages.

Source: Graph API v26.0, read September to October 2026.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.utils.translation import gettext as _

from socialhub.platforms.errors import (
    LimitedError,
    NotFoundError,
    PlatformError,
    ReconnectError,
    RejectedError,
    TemporaryError,
)
from socialhub.platforms.http import Reply, Transport, Usage, count
from socialhub.platforms.instants import from_unix, plausible
from socialhub.platforms.meta_errors import TooMuchDataError, batch_part, error_of

logger = logging.getLogger(__name__)

BATCH_SIZE = 50
LONG_LIVED = timedelta(days=60)  # when Meta does not say how long a long-lived token lives

# What the accounts of each platform need to be published to and read.
SCOPES: dict[str, tuple[str, ...]] = {
    "facebook": ("pages_show_list", "pages_read_engagement", "pages_manage_posts", "read_insights"),
    "instagram": (
        "pages_show_list",
        "pages_read_engagement",
        "instagram_basic",
        "instagram_content_publish",
        "instagram_manage_insights",
    ),
}
# Asked for as well; without them something small is missing: Pages of a business portfolio, counts of reactions.
OPTIONAL_SCOPES = ("business_management", "pages_read_user_content")
ALL_SCOPES = tuple(dict.fromkeys([scope for scopes in SCOPES.values() for scope in scopes] + list(OPTIONAL_SCOPES)))

PAGE_FIELDS = (
    "id,name,access_token,tasks,category,username,picture{url},followers_count,"
    "instagram_business_account{id,username,name,profile_picture_url,followers_count}"
)
NODE_FIELDS = PAGE_FIELDS.replace("tasks,", "")  # the edges know the tasks, the Page itself does not
# Any of these on the Page lets a person publish; new Pages have twins with a prefix.
PUBLISH_TASKS = {"CREATE_CONTENT", "MANAGE", "FULL_CONTROL"}
TASK_PREFIX = "PROFILE_PLUS_"


@dataclass(frozen=True, slots=True)
class MetaConfig:
    """Where Meta is and who we are there. Addresses may be bare hosts; the version is added."""

    app_id: str
    app_secret: str = field(repr=False)
    dialog_url: str = "https://www.facebook.com"
    graph_url: str = "https://graph.facebook.com"
    rupload_url: str = "https://rupload.facebook.com"
    version: str = "v26.0"
    config_id: str = ""
    extra_scopes: tuple[str, ...] = ()  # asked for beside ALL_SCOPES, where the app at Meta has them
    connect_timeout: float = 5
    read_timeout: float = 30

    @property
    def asked_scopes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*ALL_SCOPES, *self.extra_scopes]))

    @property
    def graph_base(self) -> str:
        base = self.graph_url.rstrip("/")
        return base if re.search(r"/v\d+\.\d+$", urlsplit(base).path) else f"{base}/{self.version}"

    @property
    def dialog_address(self) -> str:
        base = self.dialog_url.rstrip("/")
        if base.endswith("/dialog/oauth"):
            return base
        versioned = base if re.search(r"/v\d+\.\d+$", urlsplit(base).path) else f"{base}/{self.version}"
        return f"{versioned}/dialog/oauth"


@dataclass(frozen=True, slots=True)
class UserToken:
    """A token of a person. expires_at None: Meta named no end."""

    token: str = field(repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Person:
    id: str  # app-scoped
    name: str = ""


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """debug_token's answer. expires_at None: never, or not told."""

    is_valid: bool
    type: str = ""
    app_id: str = ""
    user_id: str = ""
    profile_id: str = ""
    expires_at: datetime | None = None
    data_access_expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()
    granular: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # scope: ids it is limited to
    error_code: str = ""
    error_subcode: str = ""
    error_message: str = ""


@dataclass(frozen=True, slots=True)
class Permissions:
    """lapsed: once granted, taken back by Meta because the app did not use them for 90 days."""

    granted: tuple[str, ...] = ()
    declined: tuple[str, ...] = ()
    lapsed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InstagramFound:
    """The professional account linked to a Page."""

    id: str
    username: str = ""
    name: str = ""
    picture: str = ""
    followers: int | None = None


@dataclass(frozen=True, slots=True)
class PageFound:
    """A Page the person can reach. token None, or `obstacle` filled: it cannot be connected."""

    id: str
    name: str = ""
    username: str = ""
    category: str = ""
    picture: str = ""
    followers: int | None = None
    tasks: tuple[str, ...] = ()
    token: str | None = field(default=None, repr=False)
    instagram: InstagramFound | None = None
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A verified message of Meta about one of our users (app-scoped id)."""

    user_id: str
    issued_at: datetime | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)


class UnendingError(TemporaryError):
    """A list has more pages than we are ready to read."""


class InvalidSignedRequest(ValueError):
    """The signature is missing or wrong: not from Meta."""


class GraphConfig(Protocol):
    """What every such host is told."""

    @property
    def graph_base(self) -> str: ...
    @property
    def app_secret(self) -> str: ...
    @property
    def connect_timeout(self) -> float: ...
    @property
    def read_timeout(self) -> float: ...


class Graph:
    """A host that speaks the Graph API, for one app: version, envelope, paging. Thread-safe; holds nothing of an account.

    base: its address with the version. secret: of the app, kept out of the words of errors.
    """

    def __init__(
        self,
        config: GraphConfig,
        *,
        on_usage: Callable[[Usage], None] | None = None,
        on_version: Callable[[str], None] | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.base = config.graph_base
        self.secret = config.app_secret
        self.transport = transport or Transport(
            connect_timeout=config.connect_timeout,
            read_timeout=config.read_timeout,
            version=self.base.rsplit("/", 1)[1],
            on_usage=on_usage,
            on_version=on_version,
        )

    def signature(self, token: str) -> dict[str, str]:
        """What goes with every call, to show that whoever uses the token is the app."""
        return {}

    def signed_request(self, value: str) -> SignedRequest:
        """Verify what the network tells us by itself (deauthorize, data deletion), signed with the secret of the app.

        Raises InvalidSignedRequest.
        """
        signature, dot, payload = value.partition(".")
        expected = hmac.new(self.secret.encode(), payload.encode(), hashlib.sha256).digest()
        try:
            if not dot or not hmac.compare_digest(_unbase64(signature), expected):
                raise InvalidSignedRequest
            content = json.loads(_unbase64(payload))
        except (binascii.Error, ValueError) as error:
            raise InvalidSignedRequest from error
        if not isinstance(content, dict) or str(content.get("algorithm", "")).upper() != "HMAC-SHA256":
            raise InvalidSignedRequest
        return SignedRequest(str(content.get("user_id") or ""), _instant(content.get("issued_at")), content)

    def get(
        self, path: str, token: str, params: Mapping[str, str] | None = None, *, account_id: str = ""
    ) -> dict[str, Any]:
        """Read `path`, an object or the list of an edge. Raises the classes of errors.py."""
        found: dict[str, Any] = self._call("GET", path, token, params or {}, account_id=account_id).json
        return found

    def post(
        self,
        path: str,
        token: str,
        data: Mapping[str, str],
        *,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        commit: bool = False,
        account_id: str = "",
        stale: tuple[str, ...] = (),
    ) -> Reply:
        """Write to `path`. commit: it must not be made twice; anything but a clear answer is an unknown outcome."""
        return self._call("POST", path, token, data, files=files, commit=commit, account_id=account_id, stale=stale)

    def delete(self, path: str, token: str, params: Mapping[str, str] | None = None) -> None:
        """Delete `path`; what is gone already counts as deleted."""
        try:
            self._call("DELETE", path, token, params or {})
        except NotFoundError:
            logger.debug("already gone: %s", path)

    def _call(
        self,
        method: str,
        path: str,
        token: str,
        fields: Mapping[str, str],
        *,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        commit: bool = False,
        account_id: str = "",
        stale: tuple[str, ...] = (),
    ) -> Reply:
        signed = {**fields, **self.signature(token)}
        in_body = method == "POST"
        reply = self.transport.request(
            method,
            f"{self.base}/{path}",
            params=None if in_body else signed,
            data=signed if in_body else None,
            files=files,
            headers={"Authorization": f"Bearer {token}"},
            commit=commit,
        )
        if (
            not reply.ok
            or not isinstance(reply.json, dict | list)
            or (method == "GET" and not isinstance(reply.json, dict))
            or (isinstance(reply.json, dict) and "error" in reply.json)
        ):
            raise self.refusal(
                reply,
                commit=commit,
                reading=method == "GET",
                account_id=account_id,
                stale=stale,
                secrets=(token, self.secret),
            )
        return reply

    def refusal(self, reply: Reply, **details: Any) -> PlatformError:
        """The error that an answer stands for; details as for `error_of`."""
        return error_of(reply, **details)

    def paged(
        self,
        path: str,
        token: str,
        params: Mapping[str, str],
        *,
        page_limit: int = 20,
        whole: bool = False,
        account_id: str = "",
    ) -> Iterator[dict[str, Any]]:
        """Entries of a list, page by page. An empty page is not the end; a missing `next` is.

        whole: raise UnendingError instead of stopping when there is more behind `page_limit` pages.
        The address in `next` carries the token, so only its cursor (or time) parameters are used.
        """
        fields = dict(params)
        for _page in range(page_limit):
            answer = self._page(path, token, fields, account_id)
            yield from entries_of(answer)
            onward = _onward(answer.get("paging"))
            if not onward:
                return
            fields |= onward
        if whole:
            raise UnendingError(_("There is more to read than we can read at once."))
        logger.debug("stopped reading %s after %s pages", path, page_limit)

    def _page(self, path: str, token: str, fields: dict[str, str], account_id: str) -> dict[str, Any]:
        """One page; asks for half as many entries each time Meta finds it too much."""
        while True:
            try:
                answer = self.get(path, token, fields, account_id=account_id)
            except TooMuchDataError:
                limit = int(fields.get("limit", "25")) // 2
                if limit < 1:
                    raise
                fields["limit"] = str(limit)
            else:
                return answer

    def batch(
        self, token: str, addresses: Sequence[str], *, account_id: str = ""
    ) -> list[dict[str, Any] | PlatformError]:
        """Read many relative addresses; an answer or an error for each, in order. Here one after the other.

        A limit or a lost access stands for all that would have come after it: calls made while limited prolong it.
        """
        found: list[dict[str, Any] | PlatformError] = []
        for address in addresses:
            last = found[-1] if found else None
            ended = isinstance(last, LimitedError | ReconnectError)
            found.append(last if last and ended else self._alone(address, token, account_id))
        return found

    def _alone(self, address: str, token: str, account_id: str) -> dict[str, Any] | PlatformError:
        try:
            answer = self.get(address, token, account_id=account_id)
        except PlatformError as error:
            return error
        return answer if isinstance(answer, dict) else {}


class Meta(Graph):
    """graph.facebook.com for one app."""

    def __init__(
        self,
        config: MetaConfig,
        *,
        on_usage: Callable[[Usage], None] | None = None,
        on_version: Callable[[str], None] | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.config = config
        super().__init__(config, on_usage=on_usage, on_version=on_version or _warn_of_version, transport=transport)

    def proof(self, token: str) -> str:
        """appsecret_proof: shows that whoever uses the token also has the app secret."""
        return hmac.new(self.secret.encode(), token.encode(), hashlib.sha256).hexdigest()

    def signature(self, token: str) -> dict[str, str]:
        return {"appsecret_proof": self.proof(token)}

    def batch(
        self, token: str, addresses: Sequence[str], *, account_id: str = ""
    ) -> list[dict[str, Any] | PlatformError]:
        """As above, in as few round trips as possible."""
        found: list[dict[str, Any] | PlatformError] = []
        for start in range(0, len(addresses), BATCH_SIZE):
            part = addresses[start : start + BATCH_SIZE]
            data = {
                "batch": json.dumps([{"method": "GET", "relative_url": address} for address in part]),
                "include_headers": "false",
            }
            count(len(part) - 1)  # Meta counts every part, and the envelope not at all
            answer = self.post("", token, data, account_id=account_id).json
            entries = answer if isinstance(answer, list) else []
            entries += [None] * (len(part) - len(entries))
            for address, entry in zip(part, entries, strict=False):
                found.append(self._of_batch(address, batch_part(entry), token, account_id))
        return found

    def _of_batch(
        self, address: str, entry: Reply | None, token: str, account_id: str
    ) -> dict[str, Any] | PlatformError:
        """One answer of a batch. What timed out there is asked once more, alone."""
        if entry is None:
            return self._alone(address, token, account_id)
        if entry.ok and isinstance(entry.json, dict) and "error" not in entry.json:
            return entry.json
        return error_of(entry, reading=True, account_id=account_id, secrets=(token, self.secret))

    # OAuth

    @property
    def dialog_address(self) -> str:
        """Where the browser goes to consent, without parameters."""
        return self.config.dialog_address

    @property
    def token_address(self) -> str:
        return f"{self.base}/oauth/access_token"

    def dialog_parameters(
        self,
        *,
        redirect_uri: str,
        state: str,
        scopes: Iterable[str] = ALL_SCOPES,
        auth_type: str = "",
        code_challenge: str = "",
    ) -> dict[str, str]:
        """auth_type: "rerequest" asks again for what was declined, "reauthorize" renews lapsed data access."""
        fields = {
            "client_id": self.config.app_id,
            "redirect_uri": redirect_uri,
            "state": state,
            "response_type": "code",
        }
        fields |= self.dialog_scope(scopes)
        if auth_type:
            fields["auth_type"] = auth_type
        if code_challenge:
            fields |= {"code_challenge": code_challenge, "code_challenge_method": "S256"}
        return fields

    def dialog_scope(self, scopes: Iterable[str] = ALL_SCOPES) -> dict[str, str]:
        """What is asked for: a configuration of Facebook Login for Business where there is one, else scopes."""
        if self.config.config_id:
            return {"config_id": self.config.config_id, "override_default_response_type": "true"}
        return {"scope": ",".join(scopes)}

    def dialog_url(self, **parameters: Any) -> str:
        """The whole address; parameters as for `dialog_parameters`."""
        return f"{self.dialog_address}?{urlencode(self.dialog_parameters(**parameters))}"

    def exchange_code(self, code: str, redirect_uri: str, code_verifier: str | None = None) -> UserToken:
        """The code of the redirect for a token. A code works once and for minutes."""
        fields = {"redirect_uri": redirect_uri, "code": code}
        if code_verifier:
            fields["code_verifier"] = code_verifier
        return self._token(fields, default=None)

    def long_lived(self, token: str) -> UserToken:
        """A token of about 60 days for one that is still valid."""
        return self._token({"grant_type": "fb_exchange_token", "fb_exchange_token": token}, default=LONG_LIVED)

    def _token(self, fields: Mapping[str, str], default: timedelta | None) -> UserToken:
        signed = {**fields, "client_id": self.config.app_id, "client_secret": self.config.app_secret}
        # By POST: the secret, the code and the token stay out of addresses.
        reply = self.transport.request("POST", self.token_address, data=signed)
        answer = reply.json
        if not reply.ok or not isinstance(answer, dict) or not answer.get("access_token"):
            error = error_of(reply, secrets=(self.config.app_secret, *fields.values()))
            if isinstance(error, RejectedError) or error.code == "100":
                raise RejectedError(
                    _("Facebook did not accept this sign-in: it is too old or was already used. Start again."),
                    platform_message=error.platform_message,
                    code=error.code,
                    subcode=error.subcode,
                    request_id=error.request_id,
                )
            raise error
        seconds = _int(answer.get("expires_in"))
        lifetime = timedelta(seconds=seconds) if seconds else default
        return UserToken(str(answer["access_token"]), datetime.now(UTC) + lifetime if lifetime else None)

    def me(self, token: str) -> Person:
        answer = self.get("me", token, {"fields": "id,name"})
        return Person(str(answer.get("id", "")), str(answer.get("name") or ""))

    def permissions(self, token: str) -> Permissions:
        """What became of each permission that the person was ever asked for."""
        found: dict[str, list[str]] = {}
        for entry in self.paged("me/permissions", token, {}):
            found.setdefault(str(entry.get("status")), []).append(str(entry.get("permission", "")))
        granted, lapsed = found.pop("granted", []), found.pop("expired", [])
        return Permissions(tuple(granted), tuple(name for names in found.values() for name in names), tuple(lapsed))

    def debug_token(self, token: str) -> TokenInfo:
        """What Meta knows of a token. A bad token is an answer (is_valid False), not an error."""
        # Meta documents the inspected token as a query parameter only; the transport logs no addresses.
        answer = self.get("debug_token", f"{self.config.app_id}|{self.config.app_secret}", {"input_token": token})
        data = answer.get("data") or {}
        error = data.get("error") or {}
        return TokenInfo(
            is_valid=bool(data.get("is_valid")),
            type=str(data.get("type") or ""),
            app_id=str(data.get("app_id") or ""),
            user_id=str(data.get("user_id") or ""),
            profile_id=str(data.get("profile_id") or ""),
            expires_at=_instant(data.get("expires_at")),
            data_access_expires_at=_instant(data.get("data_access_expires_at")),
            scopes=tuple(map(str, data.get("scopes") or ())),
            granular={
                str(entry.get("scope")): tuple(map(str, entry.get("target_ids") or ()))
                for entry in data.get("granular_scopes") or ()
            },
            error_code=str(error.get("code") or ""),
            error_subcode=str(error.get("subcode") or ""),
            error_message=str(error.get("message") or ""),
        )

    def revoke(self, token: str) -> None:
        """Take our app's permissions of this person away."""
        self.delete("me/permissions", token)

    # Pages

    def pages(self, token: str) -> list[PageFound]:
        """Every Page the person can reach, with the linked Instagram account, sorted by name.

        `/me/accounts` silently omits Pages that are reached through a business portfolio only, hence the other ways.
        Their failure hides nothing that the first way finds.
        """
        found: dict[str, PageFound] = {}
        _merge(found, self.paged("me/accounts", token, {"fields": PAGE_FIELDS, "limit": "100"}))
        for entries in (self._portfolio_pages(token), self._granted_pages(token, found)):
            try:
                _merge(found, entries)
            except PlatformError as error:
                logger.info("further Pages could not be read: %s/%s", error.code or error.kind, error.subcode)
        return sorted(found.values(), key=lambda page: (page.name.casefold(), page.id))

    def _portfolio_pages(self, token: str) -> Iterator[dict[str, Any]]:
        for business in list(self.paged("me/businesses", token, {"fields": "id,name", "limit": "100"})):
            for edge in ("owned_pages", "client_pages"):
                try:
                    yield from self.paged(
                        f"{business.get('id')}/{edge}", token, {"fields": PAGE_FIELDS, "limit": "100"}
                    )
                except PlatformError as error:
                    logger.info("%s of a business could not be read: %s", edge, error.code or error.kind)

    def _granted_pages(self, token: str, found: Mapping[str, PageFound]) -> Iterator[dict[str, Any]]:
        granular = self.debug_token(token).granular
        wanted = dict.fromkeys(
            page_id for scope, ids in granular.items() if scope.startswith("pages_") for page_id in ids
        )
        for page_id in wanted:
            if page_id in found and found[page_id].token:
                continue
            try:
                yield self.get(page_id, token, {"fields": NODE_FIELDS})
            except PlatformError as error:
                logger.info("a Page that was allowed could not be read: %s", error.code or error.kind)


def _warn_of_version(served: str) -> None:
    logger.warning("Meta answered with version %s instead of the one in META_GRAPH_VERSION; check the setting", served)


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _int(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None


def _instant(value: object) -> datetime | None:
    """A unix time; 0 means never and becomes None."""
    seconds = _int(value)
    return from_unix(seconds) if seconds else None


def number_in(entry: Mapping[str, Any], name: str) -> int | None:
    """A whole number of an answer; None where Meta left it out."""
    return _int(entry.get(name))


def id_in(answer: object) -> str:
    """The id of what was created, "" where there is none."""
    return str(answer.get("id") or "") if isinstance(answer, dict) else ""


def instant_of(text: object) -> datetime | None:
    """An instant in Meta's form, "2026-11-20T09:30:00+0000"; None when it is none."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return plausible(found) if found.tzinfo else None


def entries_of(edge: object) -> list[dict[str, Any]]:
    """What stands in a list, or in the field of an object that is one."""
    data = edge.get("data") if isinstance(edge, dict) else None
    return [entry for entry in data if isinstance(entry, dict)] if isinstance(data, list) else []


def _onward(paging: object) -> dict[str, str]:
    """The parameters of the next page, out of `paging`; nothing at the end."""
    if not isinstance(paging, dict) or not paging.get("next"):
        return {}
    cursors = paging.get("cursors")
    if isinstance(cursors, dict) and cursors.get("after"):
        return {"after": str(cursors["after"])}
    query = dict(parse_qsl(urlsplit(str(paging["next"])).query))
    return {name: query[name] for name in ("after", "until", "since", "__paging_token", "offset") if name in query}


def _merge(found: dict[str, PageFound], entries: Iterable[dict[str, Any]]) -> None:
    """Add Pages; of two copies the one with a token wins."""
    for entry in entries:
        page = page_of(entry)
        if page.id and (page.id not in found or (page.token and not found[page.id].token)):
            found[page.id] = page


def page_of(entry: Mapping[str, Any]) -> PageFound:
    """A Page as Meta describes it, and what stands in the way of connecting it."""
    tasks = entry.get("tasks")
    page = PageFound(
        id=str(entry.get("id") or ""),
        name=str(entry.get("name") or ""),
        username=str(entry.get("username") or ""),
        category=str(entry.get("category") or ""),
        picture=picture_of(entry),
        followers=_int(entry.get("followers_count")),
        tasks=tuple(map(str, tasks or ())),
        token=str(entry["access_token"]) if entry.get("access_token") else None,
        instagram=_instagram_of(entry.get("instagram_business_account")),
    )
    return replace(page, obstacle=_obstacle(page, tasks_known=tasks is not None))


def _obstacle(page: PageFound, *, tasks_known: bool) -> str:
    may = {task.removeprefix(TASK_PREFIX) for task in page.tasks}
    if tasks_known and not may & PUBLISH_TASKS:
        return _(
            "Your role on this Page does not let you publish. Ask someone who manages the Page for the right to create "
            "content, then check again."
        )
    if not page.token:
        return _(
            "Facebook gave us no access to this Page. Connect again and tick this Page, or ask someone who manages it "
            "for a role with full control."
        )
    return ""


def _instagram_of(entry: object) -> InstagramFound | None:
    if not isinstance(entry, dict) or not entry.get("id"):
        return None
    return InstagramFound(
        id=str(entry["id"]),
        username=str(entry.get("username") or ""),
        name=str(entry.get("name") or ""),
        picture=str(entry.get("profile_picture_url") or ""),
        followers=_int(entry.get("followers_count")),
    )


def picture_of(entry: Mapping[str, Any]) -> str:
    """The address in picture{url}, which stands in an envelope of its own."""
    picture = entry.get("picture")
    data = picture.get("data", picture) if isinstance(picture, dict) else {}
    return str(data.get("url") or "") if isinstance(data, dict) else ""
