"""One call of the Graph API: who asks for what, and the table of who answers it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.core.files.uploadedfile import UploadedFile

from .. import settings
from ..metrics import way_of
from ..state import Fault, Instagram, Page, Person, Role, State, Token
from . import names
from .errors import GraphError, bad_token, invalid, missing, no_permission, token_lost
from .fields import Field, parse_fields

OMIT = object()  # a field that exists and has no value: the network leaves it out


@dataclass
class Call:
    """A request, or one part of a batch."""

    state: State
    method: str
    version: str
    path: list[str]
    params: dict[str, str]
    base_url: str
    now: float
    files: Mapping[str, UploadedFile] = field(default_factory=dict)
    bearer: str = ""
    account_id: str = ""  # the Page or Instagram account it concerns; for usage, faults and the log
    account_kind: str = ""  # pages or instagram
    host: str = "facebook"  # or instagram: the host of Instagram's own login
    struck: list[Fault] = field(default_factory=list)
    _token: Token | None = None

    @property
    def is_instagram(self) -> bool:
        return self.host == "instagram"

    @property
    def edge(self) -> str:
        return self.path[1] if len(self.path) > 1 else "node"

    # Parameters

    def text(self, name: str) -> str:
        return self.params.get(name, "")

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.params.get(name)
        if value is None or value == "":
            return default
        if value.lower() in ("true", "1"):
            return True
        if value.lower() in ("false", "0"):
            return False
        raise invalid(f"Param {name} must be a boolean")

    def number(self, name: str) -> int | None:
        value = self.params.get(name)
        if value is None or value == "":
            return None
        try:
            return int(value)
        except ValueError:
            raise invalid(f"Param {name} must be an integer") from None

    def names(self, name: str) -> list[str]:
        """A list, as commas or as JSON."""
        value = self.text(name).strip()
        if not value.startswith("["):
            return [part.strip() for part in value.split(",") if part.strip()]
        found = self.json(name, list)
        return [str(part) for part in found]

    def json(self, name: str, kind: type) -> Any:
        try:
            found = json.loads(self.text(name))
        except ValueError:
            raise invalid(f"Param {name} must be valid JSON") from None
        if not isinstance(found, kind):
            raise invalid(f"Param {name} must be {'an array' if kind is list else 'an object'}")
        return found

    def instant(self, name: str) -> float | None:
        """A unix time or an ISO date."""
        value = self.text(name)
        if not value:
            return None
        if re.fullmatch(r"\d+(\.\d+)?", value):
            return float(value)
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise invalid(f"Param {name} must be a valid UNIX timestamp or date") from None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

    @property
    def fields(self) -> tuple[Field, ...]:
        return parse_fields(self.text("fields"))

    def allow_only(self, declared: str) -> None:
        """Refuse a parameter that the specification does not declare for this edge."""
        for name in self.params:
            if name not in names.PARAMETERS[declared] and name.split("[")[0] not in names.PARAMETERS[declared]:
                raise invalid(f"The parameter {name} is not declared for /{'/'.join(self.path)}")

    def inside(self, node_id: str, edge: Field) -> Call:
        """The call that an edge would get, which is expanded here: {ig}?fields=insights.metric(views).period(day)."""
        kept = {name: value for name, value in self.params.items() if name in ("access_token", "appsecret_proof")}
        params = {**kept, **edge.modifiers}
        if edge.inner:
            params["fields"] = edge.inner
        return replace(self, path=[node_id, edge.name], params=params)

    # Who asks

    @property
    def token(self) -> Token:
        """The token in use, checked, with its proof. Raises GraphError."""
        if self._token is None:
            self._token = self._checked_token()
        return self._token

    def _checked_token(self) -> Token:
        value = self.text("access_token") or self.bearer
        if not value:
            raise GraphError(2500, "An active access token must be used to query information about the current user.")
        token = self.state.tokens.get(value)
        # Each host knows its own tokens only.
        if token is None or (token.kind == "INSTAGRAM") != self.is_instagram:
            raise bad_token("Invalid OAuth access token - Cannot parse access token")
        if not self.is_instagram:
            check_proof(value, self.params.get("appsecret_proof"))
        if token.lost:
            raise token_lost(token.lost, settings.META_APP_ID)
        if token.expires_at and self.now >= token.expires_at:
            raise token_lost(463, settings.META_APP_ID)
        if token.kind == "PAGE":
            role = self.state.pages[token.page_id].role_of(token.person_id)
            if role is None or not role.tasks:
                raise token_lost(492, settings.META_APP_ID)
        return token

    @property
    def person(self) -> Person:
        """Who granted the token; for edges that need a user token."""
        if self.token.kind != "USER":
            raise invalid("Tried accessing a person's edge with a Page access token")
        return self.state.people[self.token.person_id]

    def need_scope(self, *scopes: str) -> None:
        for scope in scopes:
            if scope not in self.token.scopes:
                raise no_permission(scope)

    def may_see(self, page: Page) -> bool:
        if self.token.kind == "PAGE":
            return self.token.page_id == page.id
        return page.id in self.token.page_ids and page.role_of(self.token.person_id) is not None

    def role_on(self, page: Page) -> Role:
        """The person's role, or 100/33 for a Page that this token cannot see."""
        role = page.role_of(self.token.person_id)
        if role is None or not self.may_see(page):
            raise missing(page.id, self.method)
        return role

    def need_page(self, page: Page, *, scopes: Iterable[str] = (), tasks: Iterable[str] = ()) -> None:
        """A Page token with these rights. For writing, the person's role counts too."""
        self.concerns(page.id, "pages")
        role = self.role_on(page)
        if self.token.kind != "PAGE":
            raise GraphError(210, "(#210) A page access token is required to request this resource.")
        self.need_scope(*scopes)
        self._need_task(role, tasks)

    def need_page_to_publish(self, page: Page) -> None:
        """What publishing needs: a Page token, both scopes, and the right to create content."""
        self.concerns(page.id, "pages")
        role = self.role_on(page)
        if self.token.kind != "PAGE":
            raise GraphError(
                200,
                "(#200) Posts must be made as the Page itself: use a page access token. The token that was sent belongs "
                "to a person.",
            )
        if not {"pages_manage_posts", "pages_read_engagement"} <= set(self.token.scopes):
            raise GraphError(
                200,
                "(#200) If posting to a page, requires both pages_read_engagement and pages_manage_posts as an admin "
                "with sufficient administrative permission",
            )
        if not {"CREATE_CONTENT", "MANAGE"} & set(role.tasks):
            raise GraphError(200, "(#200) The person lacks the CREATE_CONTENT task on this Page")

    def need_instagram(self, account: Instagram, *scopes: str, tasks: Iterable[str] = ()) -> None:
        """Rights on an Instagram account come from the Page it is linked to, or from its own login."""
        self.concerns(account.id, "instagram")
        if self.is_instagram:
            self._need_own(account, scopes)
            return
        page = self.state.pages.get(account.page_id)
        if page is None:
            raise missing(account.id, self.method)
        role = page.role_of(self.token.person_id)
        if role is None or not self.may_see(page) or page.instagram_id != account.id:
            raise missing(account.id, self.method)
        self.need_scope("instagram_basic", *scopes)
        if role.reach != "direct" and not {"ads_management", "ads_read"} & set(self.token.scopes):
            raise GraphError(
                10,
                "(#10) Application does not have permission for this action: the role comes through a business "
                "portfolio, which also needs ads_management or ads_read.",
            )
        if self.now >= self.token.data_access_expires_at:
            raise GraphError(10, "(#10) The person's data access has expired; ask them to log in to the app again.")
        self._need_task(role, tasks)

    def _need_own(self, account: Instagram, scopes: Iterable[str]) -> None:
        """The same rights under the names that they have at Instagram's own login; Pages play no part there."""
        if self.token.instagram_id != account.id:
            raise missing(account.id, self.method)
        self.need_scope(
            *(
                scope.replace("instagram_", "instagram_business_", 1)
                for scope in ("instagram_basic", *scopes)
                if scope.startswith("instagram_")
            )
        )
        if account.account_type == "PERSONAL" and self.edge != "node":
            raise GraphError(10, "(#10) The Instagram account is not a professional account.")

    def _need_task(self, role: Role, tasks: Iterable[str]) -> None:
        wanted = set(tasks)
        if wanted and not wanted & set(role.tasks):
            code = 200 if self.method != "GET" else 10
            raise GraphError(code, f"(#{code}) The person lacks the task {' or '.join(sorted(wanted))} on this Page")

    def concerns(self, account_id: str, kind: str) -> None:
        self.account_id = account_id
        self.account_kind = kind


def check_proof(token: str, proof: str | None) -> None:
    """HMAC-SHA256 of exactly this token with the app's secret."""
    if not proof:
        raise GraphError(
            100, "API calls from the server require an appsecret_proof argument", kind="GraphMethodException"
        )
    wanted = hmac.new(settings.META_APP_SECRET.encode(), token.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted, proof):
        raise GraphError(100, "Invalid appsecret_proof provided in the API argument", kind="GraphMethodException")


# The table of endpoints

Answer = Callable[[Call, Any], Any]


@dataclass(frozen=True)
class Endpoint:
    """What answers one edge.

    declared: its name in the specification, whose parameters are then the only ones allowed.
    locked: the whole call runs under the state's lock; others lock for themselves because they also wait for something.
    """

    answer: Answer
    declared: str
    locked: bool


ENDPOINTS: dict[tuple[type, str, str], Endpoint] = {}


def endpoint(
    kind: type, method: str, edge: str = "node", *, declared: str = "", locked: bool = True
) -> Callable[[Answer], Answer]:
    def register(answer: Answer) -> Answer:
        ENDPOINTS[kind, method, edge] = Endpoint(answer, declared, locked)
        return answer

    return register


# Reading fields

Resolver = Callable[[Call, Any, Field], Any]
RESOLVERS: dict[type, dict[str, Resolver]] = {}
SPEC_NAMES: dict[type, str] = {}


def resolver(kind: type, *field_names: str) -> Callable[[Resolver], Resolver]:
    """Says how these fields of a kind of object are read."""

    def register(resolve: Resolver) -> Resolver:
        for name in field_names:
            RESOLVERS.setdefault(kind, {})[name] = resolve
        return resolve

    return register


def render(call: Call, node: Any, asked: Sequence[Field], default: str = "id") -> dict[str, Any]:
    """The object with the fields that were asked for; `id` is always there. An unknown field fails the call."""
    kind = type(node)
    answer: dict[str, Any] = {}
    for one in asked or parse_fields(default):
        foreign = names.FACEBOOK_LOGIN_ONLY if call.is_instagram else names.INSTAGRAM_LOGIN_ONLY
        way = way_of(call.state, one.name, call.account_id)
        if one.name in foreign or way == "dead":
            raise invalid(f"Tried accessing nonexisting field ({one.name}) on node type ({SPEC_NAMES[kind]})")
        if way == "withheld":
            continue
        resolve = RESOLVERS[kind].get(one.name)
        if resolve is not None:
            value = resolve(call, node, one)
            if value is not OMIT:
                answer[one.alias] = value
        elif one.name not in names.FIELDS[SPEC_NAMES[kind]]:
            raise invalid(f"Tried accessing nonexisting field ({one.name}) on node type ({SPEC_NAMES[kind]})")
    if isinstance(node, Instagram) and call.is_instagram:
        answer["id"] = node.scoped_id
    answer.setdefault("id", node.id)
    return answer


def limited(call: Call | None, asked: str | None, *, default: int = 25, most: int = 100) -> int:
    if not asked:
        return default
    try:
        number = int(asked)
    except ValueError:
        raise invalid("Param limit must be a valid integer") from None
    if number < 0:
        raise invalid("Param limit must not be negative")
    if number > most:
        raise GraphError(1, "Please reduce the amount of data you're asking for, then retry your request", status=500)
    return number


def listing(call: Call, rows: Sequence[Any], show: Callable[[Any], Any]) -> dict[str, Any]:
    """One page of an edge, with cursors, and `next` while there is more."""
    limit = limited(call, call.params.get("limit"))
    start = 0
    if after := call.text("after"):
        try:
            last_seen = base64.urlsafe_b64decode(after.encode()).decode()
        except ValueError:
            raise invalid("Invalid cursor") from None
        start = next((number + 1 for number, row in enumerate(rows) if row.id == last_seen), len(rows))
    shown = rows[start : start + limit]
    answer: dict[str, Any] = {"data": [show(row) for row in shown]}
    if shown:
        cursors = {"before": cursor_of(shown[0]), "after": cursor_of(shown[-1])}
        answer["paging"] = {"cursors": cursors}
        if start + limit < len(rows) and limit:
            answer["paging"]["next"] = next_page(call, cursors["after"])
    return answer


def cursor_of(row: Any) -> str:
    return base64.urlsafe_b64encode(row.id.encode()).decode()


def next_page(call: Call, after: str) -> str:
    """The address of the next page; like the real one it carries the token, so nobody should write it down."""
    params = {**call.params, "access_token": call.token.value, "after": after}
    params.pop("appsecret_proof", None)
    graph = "instagram/graph" if call.is_instagram else "graph"
    return f"{call.base_url}/{graph}/{call.version}/{'/'.join(call.path)}?{urlencode(params)}"


def timestamp(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
