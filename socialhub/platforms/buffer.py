"""Buffer's API: one GraphQL address, OAuth with PKCE, and the channels behind it.

Source: developers.buffer.com (guides, reference, changelog), read June to October 2026.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from socialhub.platforms.base import Tokens
from socialhub.platforms.buffer_documents import DOCUMENTS
from socialhub.platforms.buffer_errors import (
    Answer,
    channel_disconnected,
    channel_locked,
    exchange_lost,
    grant_error,
    payload_error,
    refresh_lost,
    result_of,
    unclear,
)
from socialhub.platforms.buffer_limits import BufferUsage, windows_of
from socialhub.platforms.errors import (
    LimitedError,
    NotFoundError,
    OurBugError,
    OutcomeUnknownError,
    PermissionMissingError,
    PlatformError,
    TemporaryError,
)
from socialhub.platforms.http import Reply, Transport
from socialhub.platforms.instants import plausible

logger = logging.getLogger(__name__)

# Needed to publish and to show channels, and to stay connected for longer than an hour.
SCOPES = ("posts:read", "posts:write", "account:read", "offline_access")
# Asked for as well: whether metrics are given to app clients at all, Buffer's pages disagree.
OPTIONAL_SCOPES = ("insights:read",)

PAGE_SIZE = 50
PAGE_LIMIT = 20
SWEEP_PAGES = 4
FOLLOWED = timedelta(hours=1)  # so young are posts that are followed together; older ones are asked for alone
LOOK_BACK = timedelta(minutes=2)  # Buffer's clock is not ours
FINAL = ("sent", "error")
NEVER = datetime.min.replace(tzinfo=UTC)
ACCESS_LIFE = timedelta(seconds=3600)  # when Buffer does not say how long an access token lives

# Buffer's service -> our platform key. What is missing here is kept, but cannot be published to.
PLATFORM_KEYS: dict[str, str] = {
    "twitter": "x",
    "threads": "threads",
    "bluesky": "bluesky",
    "mastodon": "mastodon",
    "pinterest": "pinterest",
    "tiktok": "tiktok",
    "youtube": "youtube",
    "googlebusiness": "google_business",
}
SERVICES = {key: service for service, key in PLATFORM_KEYS.items()}
CONNECTED_DIRECTLY = ("facebook", "instagram", "linkedin")


@dataclass(frozen=True, slots=True)
class BufferConfig:
    """Where Buffer is and who we are there. Without client_id only personal keys work."""

    client_id: str = ""
    client_secret: str = field(default="", repr=False)  # empty for a public client
    api_url: str = "https://api.buffer.com"
    auth_url: str = "https://auth.buffer.com"
    scopes: tuple[str, ...] = (*SCOPES, *OPTIONAL_SCOPES)
    connect_timeout: float = 5
    read_timeout: float = 30
    write_timeout: float = 60
    auto_resend: bool = False  # send again by ourselves what Buffer's list does not show after minutes
    sweep_seconds: float = 60  # how long one list of posts answers for all that are followed


@dataclass(frozen=True, slots=True)
class Organization:
    """None: Buffer did not tell."""

    id: str
    name: str = ""
    channel_count: int | None = None
    channel_limit: int | None = None
    scheduled_post_limit: int | None = None


@dataclass(frozen=True, slots=True)
class BufferAccount:
    id: str
    name: str = ""
    email: str = ""
    timezone: str = ""
    organizations: tuple[Organization, ...] = ()


@dataclass(frozen=True, slots=True)
class Board:
    """A Pinterest board. service_id is what a post must name, not the id that Buffer gives it."""

    service_id: str
    name: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class ChannelFound:
    """A channel as Buffer shows it. platform: our key, the service's own name where we know none."""

    id: str
    organization_id: str
    service: str
    platform: str
    supported: bool
    name: str = ""
    display_name: str = ""
    handle: str = ""
    avatar: str = ""
    external_link: str = ""
    timezone: str = ""
    type: str = ""
    service_id: str = ""
    is_disconnected: bool = False
    is_locked: bool = False
    is_queue_paused: bool = False
    boards: tuple[Board, ...] = ()
    server_url: str = ""
    subscription_type: str = ""
    max_characters: int | None = None  # what a Mastodon server takes

    @property
    def obstacle(self) -> str:
        """Why nothing can be published there now and what to do, "" if nothing stands in the way."""
        if not self.supported:
            return _unsupported(self.service)
        if self.is_disconnected:
            return channel_disconnected().message
        if self.is_locked:
            return channel_locked().message
        return ""

    @property
    def notices(self) -> tuple[str, ...]:
        """A plain sentence for each thing that the owner should know, with what to do."""
        paused = _(
            "The queue of this channel is paused in Buffer: posts that wait there stay there. What is published from here "
            "goes out at once and is not held back. Resume the queue in Buffer to let the others go."
        )
        sentences = [self.obstacle, paused if self.is_queue_paused else ""]
        return tuple(sentence for sentence in sentences if sentence)


@dataclass(frozen=True, slots=True)
class DailyLimit:
    """What the network lets a channel post on one day. limit None: there is none."""

    channel_id: str
    limit: int | None
    scheduled: int
    sent: int
    is_at_limit: bool


@dataclass(frozen=True, slots=True)
class PostAsset:
    type: str
    source: str = ""
    thumbnail: str = ""


@dataclass(frozen=True, slots=True)
class BufferPost:
    """A post as Buffer keeps it."""

    id: str
    status: str
    via: str = ""
    channel_id: str = ""
    text: str = ""
    created_at: datetime | None = None
    due_at: datetime | None = None
    sent_at: datetime | None = None
    external_link: str = ""
    error_message: str = ""
    assets: tuple[PostAsset, ...] = ()
    tag_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metrics:
    """A post's metrics by Buffer's type; None: Buffer has none yet."""

    post_id: str
    values: Mapping[str, float] | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    updated_at: datetime | None = None


@dataclass(slots=True)
class Sweep:
    """The latest reading of a list of an organization's posts, for everybody who wants to know of one of them."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    client: str = ""
    began_at: datetime = NEVER  # what was made later need not be in it
    read_at: float = 0.0
    posts: Mapping[str, BufferPost] = field(default_factory=dict)
    watched: dict[str, datetime] = field(default_factory=dict)  # posts that are followed: before when each was made

    def fresh_for(self, client: str, seconds: float) -> float:
        """How long it still answers; 0: it must be read anew."""
        return max(0.0, self.read_at + seconds - time.monotonic()) if self.client == client else 0.0


@dataclass(frozen=True, slots=True)
class Later:
    """The next reading of the list, so many seconds from now, will tell."""

    seconds: float


def code_challenge(code_verifier: str) -> str:
    """The S256 challenge of PKCE (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()


def client_mark(token: str) -> str:
    """Tells tokens apart without holding them."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]


class BufferApi:
    """Buffer for one app client or for personal keys. Thread-safe; keeps of accounts only which organization they are in.

    All calls raise the classes of errors.py, and of buffer_errors.py their finer ones. on_usage: told the windows of
    every answer that names some. before_read: asked, with the mark of the token, before each call that is not counted
    yet; raises LimitedError to hold it back.
    """

    def __init__(
        self,
        config: BufferConfig,
        *,
        on_usage: Callable[[BufferUsage], None] | None = None,
        before_read: Callable[[str], None] | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.config = config
        self.on_usage = on_usage
        self.before_read = before_read
        connect = config.connect_timeout
        self._reads = transport or Transport(connect_timeout=connect, read_timeout=config.read_timeout)
        self._writes = transport or Transport(connect_timeout=connect, read_timeout=config.write_timeout)
        self._organizations: dict[str, str] = {}  # of each channel; a channel never changes its organization
        self._sweeps: dict[str, Sweep] = {}  # of each organization: what is on its way
        self._sent: dict[str, Sweep] = {}  # and what went out

    # Calls

    def call(
        self,
        operation: str,
        root: str,
        token: str,
        variables: Mapping[str, Any] | None = None,
        *,
        commit: bool = False,
        counted: bool = False,
        whole: bool = False,
    ) -> Any:
        """Run one of our documents; what its root field holds, or (whole) all fields, of which the root's is there.

        commit: it must not be made twice. counted: it is a step of a plan, so its place within the limits is reserved.
        """
        if self.before_read and not counted:
            self.before_read(client_mark(token))
        body = {"query": DOCUMENTS[operation], "operationName": operation, "variables": dict(variables or {})}
        transport = self._writes if operation in ("CreatePost", "EditPost", "DeletePost", "CreateIdea") else self._reads
        reply = transport.request(
            "POST",
            self.config.api_url,
            data=json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
                "Accept": "application/json",
            },
            commit=commit,
        )
        try:
            result = result_of(reply, Answer(root, commit, (token, self.config.client_secret), whole))
        except LimitedError as error:
            self._tell(reply, token, error.until)
            raise
        except PlatformError:
            self._tell(reply, token)
            raise
        self._tell(reply, token)
        return result

    def _tell(self, reply: Reply, token: str, blocked_until: datetime | None = None) -> None:
        if self.on_usage and ((windows := windows_of(reply.headers)) or blocked_until):
            self.on_usage(BufferUsage(windows, client_mark(token), blocked_until))

    # OAuth

    @property
    def authorize_address(self) -> str:
        """Where the browser goes to consent, without parameters."""
        return f"{self.config.auth_url.rstrip('/')}/auth"

    def authorize_parameters(
        self, *, redirect_uri: str, state: str, code_challenge: str, scopes: Iterable[str] | None = None
    ) -> dict[str, str]:
        return {
            "response_type": "code",
            "client_id": self.config.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self.config.scopes if scopes is None else scopes),
            "state": state,
            "code_challenge": code_challenge,
            "code_challenge_method": "S256",
            "prompt": "consent",  # without it a second consent may bring no refresh token
        }

    def authorize_url(self, **parameters: Any) -> str:
        """The whole address; parameters as for `authorize_parameters`."""
        return f"{self.authorize_address}?{urlencode(self.authorize_parameters(**parameters))}"

    def exchange_code(self, code: str, redirect_uri: str, code_verifier: str) -> Tokens:
        """The code of the redirect for tokens. A code works once."""
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": code_verifier,
        }
        try:
            return self._grant(fields, refreshing=False)
        except OutcomeUnknownError as error:
            lost = exchange_lost(code=error.code)
        raise lost

    def refresh(self, refresh_token: str) -> Tokens:
        """New tokens for a refresh token, which is used up by this whatever comes back.

        Store that it was sent before calling, under a lock: Buffer ends the whole grant when one comes twice.
        Raises ReconnectError when the grant is dead, RefreshLostError when nobody knows whether the token is used up,
        TemporaryError only when nothing was sent.
        """
        try:
            return self._grant({"grant_type": "refresh_token", "refresh_token": refresh_token}, refreshing=True)
        except OutcomeUnknownError as error:
            lost = refresh_lost(code=error.code)
        raise lost

    def _grant(self, fields: Mapping[str, str], *, refreshing: bool) -> Tokens:
        identified = self._identified(fields)
        # commit: the transport must tell a lost answer from a call that never left.
        reply = self._reads.request("POST", f"{self.config.auth_url.rstrip('/')}/token", data=identified, commit=True)
        answer = reply.json if isinstance(reply.json, dict) else {}
        if not reply.ok or not answer.get("access_token"):
            raise grant_error(reply, refreshing=refreshing, secrets=tuple(identified.values()))
        seconds = answer.get("expires_in")
        life = timedelta(seconds=seconds) if isinstance(seconds, int | float) and seconds > 0 else ACCESS_LIFE
        return Tokens(
            access_token=str(answer["access_token"]),
            expires_at=datetime.now(UTC) + life,
            refresh_token=str(answer.get("refresh_token") or "") or None,
            scopes=tuple(str(answer.get("scope") or "").split()),
        )

    def revoke(self, token: str) -> None:
        """Take a token, and with a refresh token the whole grant, away. A token that is gone already is no error."""
        fields = self._identified({"token": token})
        reply = self._reads.request("POST", f"{self.config.auth_url.rstrip('/')}/token/revocation", data=fields)
        if not reply.ok:
            error = grant_error(reply, refreshing=False, secrets=tuple(fields.values()))
            if error.code not in ("invalid_grant", "invalid_token"):
                raise error

    def _identified(self, fields: Mapping[str, str]) -> dict[str, str]:
        """The fields with who we are; a public client has no secret and must not send one."""
        secret = {"client_secret": self.config.client_secret} if self.config.client_secret else {}
        return {**fields, "client_id": self.config.client_id, **secret}

    # Account and channels

    def account(self, token: str) -> BufferAccount:
        """Who the token acts for, with all organizations."""
        answer = _dict(self.call("Account", "account", token))
        return BufferAccount(
            id=_text(answer, "id"),
            name=_text(answer, "name"),
            email=_text(answer, "email"),
            timezone=_text(answer, "timezone"),
            organizations=tuple(_organization(entry) for entry in _dicts(answer.get("organizations"))),
        )

    def channels(self, token: str, organization_id: str) -> list[ChannelFound]:
        """All channels of an organization, also those that cannot be published to, sorted by name."""
        answer = self.call("Channels", "channels", token, {"organizationId": organization_id})
        found = [channel_of(entry) for entry in _dicts(answer)]
        self._organizations.update({channel.id: channel.organization_id for channel in found})
        return sorted(found, key=lambda channel: ((channel.display_name or channel.name).casefold(), channel.id))

    def channel(self, token: str, channel_id: str, *, counted: bool = False) -> ChannelFound:
        """One channel. NotFoundError: it was removed in Buffer. counted: as for `call`."""
        found = channel_of(_dict(self.call("Channel", "channel", token, {"id": channel_id}, counted=counted)))
        self._organizations[found.id] = found.organization_id
        return found

    def channel_today(
        self, token: str, channel_id: str, *, counted: bool = False
    ) -> tuple[ChannelFound, DailyLimit | None]:
        """One channel, and what its network lets it post today, with one call. None: Buffer did not tell.

        That a day's limit cannot be read stops nothing: Buffer refuses what is too much.
        """
        asked = {"id": channel_id, "limits": {"channelIds": [channel_id]}}
        try:
            answer = _dict(self.call("ChannelToday", "channel", token, asked, counted=counted, whole=True))
        except (PermissionMissingError, OurBugError, TemporaryError) as error:
            if isinstance(error, TemporaryError) and error.code != "UNEXPECTED":
                raise
            return self.channel(token, channel_id, counted=counted), None
        found = channel_of(_dict(answer.get("channel")))
        self._organizations[found.id] = found.organization_id
        return found, _daily_limits(answer.get("dailyPostingLimits")).get(channel_id)

    def organization_of(self, token: str, channel_id: str) -> str:
        """The organization that a channel belongs to; asked once in the life of this process."""
        return self._organizations.get(channel_id) or self.channel(token, channel_id).organization_id

    def services(self, token: str) -> list[str]:
        """All services that Buffer's schema names now. What PLATFORM_KEYS does not know is worth an operator's look."""
        answer = _dict(self.call("ServiceValues", "__type", token))
        return [_text(entry, "name") for entry in _dicts(answer.get("enumValues"))]

    def daily_limits(self, token: str, channel_ids: Sequence[str], day: date | None = None) -> dict[str, DailyLimit]:
        """What channels of one organization may still post on a day (today), by channel."""
        asked: dict[str, Any] = {"channelIds": list(channel_ids)}
        if day:
            asked["date"] = f"{day.isoformat()}T00:00:00Z"
        return _daily_limits(self.call("DailyLimits", "dailyPostingLimits", token, {"input": asked}))

    # Posts

    def create_post(self, token: str, post: Mapping[str, Any]) -> BufferPost:
        """Hand one post over. OutcomeUnknownError whenever Buffer may have taken it."""
        answer = Answer("createPost", True, (token, self.config.client_secret))
        payload = self.call("CreatePost", "createPost", token, {"input": post}, commit=True, counted=True)
        if not isinstance(payload, dict):
            raise unclear(answer, _("Buffer's answer could not be read."))
        made = payload.get("post")
        if payload.get("__typename") == "PostActionSuccess" or isinstance(made, dict):
            if isinstance(made, dict) and made.get("id"):
                return post_of(made)
            raise unclear(answer, _("Buffer took the post but gave no id for it."))
        raise payload_error(payload, answer)

    def delete_post(self, token: str, post_id: str) -> None:
        """Delete a post in Buffer; gone already is fine. What is out at the network stays there."""
        try:
            payload = _dict(self.call("DeletePost", "deletePost", token, {"id": post_id}))
        except NotFoundError:
            return
        if payload.get("__typename") != "DeletePostSuccess":
            logger.info("Buffer did not delete a post: %s", payload.get("__typename"))

    def post(self, token: str, post_id: str) -> BufferPost:
        """One post. NotFoundError: Buffer has it no more."""
        return post_of(_dict(self.call("Post", "post", token, {"id": post_id})))

    def followed(self, token: str, organization_id: str, post_id: str, since: datetime) -> BufferPost | Later:
        """A post on its way, at most `sweep_seconds` old. NotFoundError: Buffer has it no more.

        since: just before it was made. Whoever asks first reads the organization's newest posts, back to the oldest that is
        followed; the others find theirs in that, so that one call in `sweep_seconds` is enough for all. Later: it was
        made after the list was read, which therefore tells nothing of it.
        """
        sweep, client = self._sweeps.setdefault(organization_id, Sweep()), client_mark(token)
        with sweep.turn:
            sweep.watched[post_id] = since
            rest = sweep.fresh_for(client, self.config.sweep_seconds)
            if not rest:
                self._read(sweep, token, organization_id)
            found = sweep.posts.get(post_id)
            if not found and rest and since >= sweep.began_at:
                return Later(rest)
            if not found or found.status in FINAL:
                sweep.watched.pop(post_id, None)
        return found or self.post(token, post_id)

    def _read(self, sweep: Sweep, token: str, organization_id: str) -> None:
        """The newest posts, page by page until all that are followed were seen."""
        began_at = datetime.now(UTC)
        sweep.watched = {one: since for one, since in sweep.watched.items() if began_at - since < FOLLOWED}
        since = min(sweep.watched.values(), default=began_at - FOLLOWED)
        missing, posts = set(sweep.watched), {}
        for post in self.posts(token, organization_id, created_since=since - LOOK_BACK, page_limit=SWEEP_PAGES):
            posts[post.id] = post
            missing.discard(post.id)
            if not missing and len(posts) % PAGE_SIZE == 0:
                break
        sweep.client, sweep.began_at, sweep.read_at, sweep.posts = client_mark(token), began_at, time.monotonic(), posts

    def sent(self, token: str, organization_id: str, post_id: str) -> BufferPost:
        """A post that went out, at most `sweep_seconds` old. NotFoundError: Buffer has it no more.

        One page of the organization's newest answers for all of them; what is older is asked for alone.
        """
        sweep, client = self._sent.setdefault(organization_id, Sweep()), client_mark(token)
        with sweep.turn:
            if not sweep.fresh_for(client, self.config.sweep_seconds):
                posts = self.posts(token, organization_id, statuses=("sent",), page_limit=1)
                sweep.posts = {post.id: post for post in posts}
                sweep.client, sweep.read_at = client, time.monotonic()
            found = sweep.posts.get(post_id)
        return found or self.post(token, post_id)

    def posts(
        self,
        token: str,
        organization_id: str,
        *,
        channel_ids: Sequence[str] = (),
        statuses: Collection[str] = (),
        created_since: datetime | None = None,
        created_until: datetime | None = None,
        newest_first: bool = True,
        page_size: int = PAGE_SIZE,
        page_limit: int = PAGE_LIMIT,
        whole: bool = False,
    ) -> Iterator[BufferPost]:
        """Posts of an organization, page by page. whole: raise UnendingError when more is left behind page_limit pages."""
        asked = _posts_input(organization_id, channel_ids, statuses, created_since, created_until, newest_first)
        for node in self._paged("Posts", token, asked, page_size, page_limit, whole=whole):
            yield post_of(node)

    def posts_with_metrics(
        self,
        token: str,
        organization_id: str,
        channel_ids: Sequence[str],
        *,
        created_since: datetime | None = None,
        page_limit: int = PAGE_LIMIT,
    ) -> Iterator[tuple[BufferPost, Metrics]]:
        """What was sent with its metrics, newest first. PermissionMissingError: this connection may not read metrics."""
        asked = _posts_input(organization_id, channel_ids, ("sent",), created_since, None, newest_first=True)
        for node in self._paged("PostsWithMetrics", token, asked, PAGE_SIZE, page_limit):
            yield post_of(node), metrics_of(node)

    def post_metrics(self, token: str, post_id: str) -> Metrics:
        return metrics_of(_dict(self.call("PostMetrics", "post", token, {"id": post_id})))

    def _paged(
        self, operation: str, token: str, asked: Mapping[str, Any], size: int, limit: int, *, whole: bool = False
    ) -> Iterator[dict[str, Any]]:
        after: str | None = None
        for _page in range(limit):
            answer = _dict(self.call(operation, "posts", token, {"input": asked, "first": size, "after": after}))
            for edge in _dicts(answer.get("edges")):
                node = edge.get("node")
                if isinstance(node, dict):
                    yield node
            info = _dict(answer.get("pageInfo"))
            cursor = _text(info, "endCursor")
            if not info.get("hasNextPage") or not cursor or cursor == after:
                return
            after = cursor
        if whole:
            raise UnendingError(_("There is more to read than we can read at once."))


class UnendingError(TemporaryError):
    """A list has more pages than we are ready to read."""


def _unsupported(service: str) -> str:
    if service in CONNECTED_DIRECTLY:
        return _("This network is connected directly, not through Buffer. Connect it by its own button.")
    return _("Buffer calls this network “%(service)s”. Publishing to it is not supported yet.") % {"service": service}


def channel_of(entry: Mapping[str, Any]) -> ChannelFound:
    """A channel out of Buffer's answer; a service that we do not know is kept."""
    service = _text(entry, "service")
    metadata = _dict(entry.get("metadata"))
    name = _text(entry, "name")
    return ChannelFound(
        id=_text(entry, "id"),
        organization_id=_text(entry, "organizationId"),
        service=service,
        platform=PLATFORM_KEYS.get(service, service.lower()),
        supported=service in PLATFORM_KEYS,
        name=name,
        display_name=_text(entry, "displayName"),
        handle="" if " " in name else name.lstrip("@"),  # a place or a channel has a name only
        avatar=_text(entry, "avatar"),
        external_link=_text(entry, "externalLink"),
        timezone=_text(entry, "timezone"),
        type=_text(entry, "type"),
        service_id=_text(entry, "serviceId"),
        is_disconnected=bool(entry.get("isDisconnected")),
        is_locked=bool(entry.get("isLocked")),
        is_queue_paused=bool(entry.get("isQueuePaused")),
        boards=tuple(
            Board(_text(board, "serviceId"), _text(board, "name"), _text(board, "url"))
            for board in _dicts(metadata.get("boards"))
        ),
        server_url=_text(metadata, "serverUrl"),
        subscription_type=_text(metadata, "subscriptionType"),
        max_characters=_whole(metadata, "maxCharacters"),
    )


def post_of(entry: Mapping[str, Any]) -> BufferPost:
    return BufferPost(
        id=_text(entry, "id"),
        status=_text(entry, "status"),
        via=_text(entry, "via"),
        channel_id=_text(entry, "channelId"),
        text=_text(entry, "text"),
        created_at=instant_of(entry.get("createdAt")),
        due_at=instant_of(entry.get("dueAt")),
        sent_at=instant_of(entry.get("sentAt")),
        external_link=_text(entry, "externalLink"),
        error_message=_text(_dict(entry.get("error")), "message"),
        assets=tuple(
            PostAsset(_text(asset, "type"), _text(asset, "source"), _text(asset, "thumbnail"))
            for asset in _dicts(entry.get("assets"))
        ),
        tag_ids=tuple(_text(tag, "id") for tag in _dicts(entry.get("tags"))),
    )


def metrics_of(entry: Mapping[str, Any]) -> Metrics:
    listed = entry.get("metrics")
    metrics = [
        (_text(metric, "type"), metric["value"], _text(metric, "unit"))
        for metric in _dicts(listed)
        if isinstance(metric.get("value"), int | float) and not isinstance(metric["value"], bool)
    ]
    return Metrics(
        post_id=_text(entry, "id"),
        values={name: float(value) for name, value, _unit in metrics} if isinstance(listed, list) else None,
        units={name: unit for name, _value, unit in metrics},
        updated_at=instant_of(entry.get("metricsUpdatedAt")),
    )


def instant_of(text: object) -> datetime | None:
    """An instant in ISO 8601; None when it is none."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return plausible(found) if found.tzinfo else None


def stamp(moment: datetime) -> str:
    """An instant as Buffer takes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _posts_input(
    organization_id: str,
    channel_ids: Sequence[str],
    statuses: Collection[str],
    created_since: datetime | None,
    created_until: datetime | None,
    newest_first: bool,
) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    if channel_ids:
        chosen["channelIds"] = list(channel_ids)
    if statuses:
        chosen["status"] = list(statuses)
    span = {
        name: stamp(moment) for name, moment in (("start", created_since), ("end", created_until)) if moment is not None
    }
    if span:
        chosen["createdAt"] = span
    order = {"field": "createdAt", "direction": "desc" if newest_first else "asc"}
    return {"organizationId": organization_id, "filter": chosen, "sort": [order]}


def _daily_limits(entries: object) -> dict[str, DailyLimit]:
    limits = [
        DailyLimit(
            channel_id=_text(entry, "channelId"),
            limit=_whole(entry, "limit"),
            scheduled=_whole(entry, "scheduled") or 0,
            sent=_whole(entry, "sent") or 0,
            is_at_limit=bool(entry.get("isAtLimit")),
        )
        for entry in _dicts(entries)
    ]
    return {limit.channel_id: limit for limit in limits}


def _organization(entry: Mapping[str, Any]) -> Organization:
    limits = _dict(entry.get("limits"))
    return Organization(
        id=_text(entry, "id"),
        name=_text(entry, "name"),
        channel_count=_whole(entry, "channelCount"),
        channel_limit=_whole(limits, "channels"),
        scheduled_post_limit=_whole(limits, "scheduledPosts"),
    )


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    return "" if value is None else str(value)


def _whole(entry: Mapping[str, Any], name: str) -> int | None:
    value = entry.get(name)
    return int(value) if isinstance(value, int | float) else None


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
