"""The ground of the JSON API: who calls, what they may do, and the shapes that all answers share. No routes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import inspect
import json
import re
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Annotated, Any, TypeVar
from uuid import UUID

import ninja
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import Model as Row
from django.db.models import Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from ninja.responses import Status
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StrictInt,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from redis.exceptions import RedisError

from accounts import api_keys
from accounts.language import known
from accounts.models import ApiKey, IdempotentAnswer, Membership, User, Workspace
from socialhub import guards
from socialhub.about import learn
from socialhub.http import HttpRequest
from socialhub.platforms import PLATFORMS

Scope = ApiKey.Scope
R = TypeVar("R", bound=Row)
LIMIT_DEFAULT, LIMIT_MOST = 50, 100
UNDER_WAY_SECONDS = 60  # so long nobody else tries what an Idempotency-Key stands for
SAFE = ("GET", "HEAD", "OPTIONS")


# --- Errors ---------------------------------------------------------------------------------------------------


class ApiError(Exception):
    """An answer that is no success. code: for programs, stable; message: for people; fields: {"scheduledAt": […]}."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        fields: Mapping[str, Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.fields = {name: list(messages) for name, messages in (fields or {}).items()}
        self.headers = dict(headers or {})


def invalid(fields: Mapping[str, Sequence[str]], message: str = "") -> ApiError:
    """422 for what was understood and cannot be taken as it is."""
    return ApiError(422, "invalid", message or _("Some fields cannot be taken as they are."), fields)


def refuse_unknown(request: HttpRequest, *models: type[BaseModel], also: Collection[str] = ()) -> None:
    """A condition whose name is mistyped would be none, and the list the whole one. Raises ApiError."""
    known = {field.alias or name for model in models for name, field in model.model_fields.items()} | set(also)
    if unknown := sorted(set(request.GET) - known):
        raise invalid({name: [_("There is no such field.")] for name in unknown})


# --- Shapes ---------------------------------------------------------------------------------------------------


class Model(BaseModel):
    """What is answered: written in snake_case here, in camelCase outside."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)


class Input(Model):
    """What is sent to us: camelCase only, and a field that is not known is refused instead of ignored."""

    model_config = ConfigDict(extra="forbid", validate_by_name=False, validate_by_alias=True)


MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})?")


def _moment(value: Any) -> Any:
    """Only what ISO 8601 calls a date with a time: numbers, which pydantic takes for seconds, are mistakes here."""
    if isinstance(value, str) and not MOMENT.fullmatch(value):
        raise ValueError(_("Write it as in 2026-11-21T09:30:00Z."))
    if isinstance(value, str | datetime):
        return value
    raise ValueError(_("Write it as in 2026-11-21T09:30:00Z."))


def zulu(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


MOMENT_SCHEMA = {"type": "string", "format": "date-time"}
# Out: always UTC with a Z. In: with any offset, or without one where a time zone stands beside it.
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    PlainSerializer(zulu, return_type=str),
    WithJsonSchema(MOMENT_SCHEMA),
]
Flag = StrictBool  # no "yes" and no 1


def _known_platform(key: str) -> str:
    if key not in PLATFORMS:
        raise ValueError(_("There is no such network. These are known: %(keys)s.") % {"keys": ", ".join(PLATFORMS)})
    return key


PlatformKey = Annotated[
    str, AfterValidator(_known_platform), WithJsonSchema({"type": "string", "enum": list(PLATFORMS)})
]
Count = StrictInt


class ErrorBody(Model):
    code: str = Field(description="Stable, for programs.")
    message: str = Field(description="Plain words: what happened and what to do.")
    fields: dict[str, list[str]] | None = Field(default=None, description="What is wrong, by field, in camelCase.")


class ErrorAnswer(Model):
    error: ErrorBody


def router(tag: str) -> ninja.Router:
    """Routes of one kind, answering in camelCase."""
    return ninja.Router(tags=[tag], by_alias=True)


# --- Who calls ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Caller:
    """A person, or a program that acts for one with a key."""

    user: User
    workspace: Workspace
    membership: Membership
    key: ApiKey | None = None

    @property
    def principal(self) -> str:
        return f"key:{self.key.pk}" if self.key else f"user:{self.user.pk}"

    def has(self, scope: Scope) -> bool:
        return self.key is None or scope in self.key.scopes


class ApiRequest(HttpRequest):
    """caller: put there by a Permit. submission_key: of the Idempotency-Key, where one was sent; begun: its row."""

    caller: Caller
    submission_key: UUID | None
    begun: IdempotentAnswer | None


def require(request: ApiRequest, scope: Scope) -> None:
    """For what an operation needs only sometimes. Raises ApiError."""
    if not request.caller.has(scope):
        raise ApiError(
            403,
            "scope",
            _("This needs an API key with the scope “%(scope)s”. Make one in the settings.") % {"scope": scope.value},
        )


class Permit:
    """What an operation asks of its caller: a scope of the key, and a role of the person in the workspace."""

    def __init__(self, scope: Scope, *, edits: bool = False, manages: bool = False) -> None:
        self.scope, self.edits, self.manages = scope, edits, manages

    def __call__(self, request: Any) -> Caller:
        caller = by_key(request) if "Authorization" in request.headers else by_session(request)
        request.caller, request.user, request.membership = caller, caller.user, caller.membership
        request.workspace, request.memberships = caller.workspace, [caller.membership]
        learn(workspace=caller.workspace.pk, user=caller.user.pk, key=caller.key.pk if caller.key else None)
        if code := known(caller.user.language):
            translation.activate(code)
        timezone.activate(caller.user.zone)
        count_call(caller)
        require(request, self.scope)
        if self.manages and not caller.membership.may_manage:
            raise ApiError(403, "role", _("Only owners and admins of this workspace may do this. Ask one of them."))
        if self.edits and not caller.membership.may_edit:
            raise ApiError(
                403,
                "role",
                _("You may look at this workspace, but not change it. Ask an owner or admin to make you an editor."),
            )
        return caller


reads = Permit(Scope.READ)
writes = Permit(Scope.WRITE, edits=True)
publishes = Permit(Scope.PUBLISH, edits=True)
manages = Permit(Scope.WRITE, manages=True)


def by_key(request: ApiRequest) -> Caller:
    """A header that is there decides, whatever session came along with it."""
    kind, _space, text = request.headers["Authorization"].partition(" ")
    key = api_keys.find(text.strip()) if kind.lower() == "bearer" else None
    membership = Membership.objects.filter(user=key.user_id, workspace=key.workspace_id).first() if key else None
    if key is None or membership is None:
        raise unknown(_("This API key is not known, has expired or was revoked. Make a new one in the settings."))
    membership.user, membership.workspace = key.user, key.workspace
    return Caller(key.user, key.workspace, membership, key)


def by_session(request: ApiRequest) -> Caller:
    """Whoever is signed in. What changes something needs the token of our forms too: a cookie is sent by any page."""
    if isinstance(request.user, AnonymousUser):
        raise unknown(_("Sign in, or send an API key: “Authorization: Bearer shk_…”."))
    if request.method not in SAFE and TokenCheck(lambda _request: HttpResponse()).refuses(request):
        raise ApiError(403, "csrf", _("With a session the header X-CSRFToken is needed. Programs use an API key."))
    membership = request.membership or None
    if membership is None or membership.workspace.deleting_at:
        raise ApiError(403, "no_workspace", _("You belong to no workspace. Ask somebody to add you to theirs."))
    return Caller(request.user, membership.workspace, membership)


class TokenCheck(CsrfViewMiddleware):
    """Django's own check of the token, without its page."""

    def refuses(self, request: HttpRequest) -> bool:
        request.csrf_processing_done = False  # type: ignore[attr-defined]
        self.process_request(request)
        return self.process_view(request, HttpResponse, (), {}) is not None

    def _reject(self, request: Any, reason: str) -> HttpResponse:
        return HttpResponse(status=403)


def unknown(message: str) -> ApiError:
    return ApiError(401, "unauthenticated", message, headers={"WWW-Authenticate": "Bearer"})


def count_call(caller: Caller) -> None:
    """Each key and each person has so many calls in a stretch of time. While the cache is away nobody is held up."""
    allowed, seconds = settings.API_RATE
    now = timezone.now().timestamp()
    place = f"api-calls:{caller.principal}:{int(now // seconds)}"
    try:
        cache.add(place, 0, seconds + 5)
        made = cache.incr(place)
    except (RedisError, ValueError):  # ValueError: it ended in between
        return
    if made > allowed:
        raise too_many(allowed, seconds, max(1, round(seconds - now % seconds)))


def keep_pace(caller: Caller, action: str) -> None:
    """What is dear has the pace that it has on the pages, and the person one count for both. Raises ApiError."""
    if left := guards.wait_for(action, caller.user.pk):
        pace = guards.PACES[action]
        raise too_many(pace.times, pace.seconds, left)


def too_many(allowed: int, seconds: int, left: int) -> ApiError:
    return ApiError(
        429,
        "too_many_requests",
        _("Too many requests: %(allowed)d in %(period)d seconds are allowed. Go on in %(left)d seconds.")
        % {"allowed": allowed, "period": seconds, "left": left},
        headers={"Retry-After": str(left)},
    )


# --- Pages of lists -------------------------------------------------------------------------------------------


Limit = Annotated[int, Field(ge=1, le=LIMIT_MOST, description="How many at most.")]
CursorText = Annotated[str, Field(max_length=300, description="“nextCursor” of the page before.")]


def paged(
    rows: QuerySet[R],
    cursor: str,
    limit: int,
    *,
    by: str = "created_at",
    place: Callable[[R], datetime] | None = None,
) -> tuple[list[R], str | None]:
    """So many rows, the newest first, from where the page before ended; and the cursor of the next page, if there is one.

    by: the column, or alias, that they are sorted by; place: how to read it off a row when it is no attribute.
    """
    if cursor:
        moment, pk = read_cursor(cursor)
        # The first condition says nothing new, but an index can begin at it.
        rows = rows.filter(Q(**{f"{by}__lte": moment}), Q(**{f"{by}__lt": moment}) | Q(pk__lt=pk))
    found = list(rows.order_by(f"-{by}", "-pk")[: limit + 1])
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], write_cursor(place(last) if place else getattr(last, by), last.pk)


def write_cursor(moment: datetime, pk: UUID | int) -> str:
    text = json.dumps([moment.astimezone(UTC).isoformat(), str(pk)], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str) -> tuple[datetime, UUID | int]:
    try:
        written, pk = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
        moment = datetime.fromisoformat(written)
        if moment.tzinfo is None or not isinstance(pk, str) or len(pk) > 36:
            raise ValueError("no place in a list of ours")
        return moment.astimezone(UTC), UUID(pk) if len(pk) == 36 else int(pk) % 2**63
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error) as error:
        raise ApiError(400, "cursor", _("This page of the list is not there. Start again without a cursor.")) from error


# --- The same again -------------------------------------------------------------------------------------------


def idempotent(view: Callable[..., Any]) -> Callable[..., Any]:
    """A request with the Idempotency-Key of an earlier one does nothing and gets the answer of that.

    The deed and its answer are one transaction: whatever dies, a repeat finds either both or nothing done. Without it a
    late repeat of “it is not there” would answer a question that was asked about another attempt. What was refused is not kept: corrected, or at a better time, it may be tried again with the same key. For views
    that answer a Model, or a Status with one; not for those that answer with a secret, because it would be kept.
    """

    @wraps(view)
    def once(request: ApiRequest, *args: Any, **kwargs: Any) -> Any:
        key = request.headers.get("Idempotency-Key")
        request.submission_key = None
        if key is None:
            return view(request, *args, **kwargs)
        if not re.fullmatch(r"[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?", key):
            raise ApiError(400, "idempotency_key", _("An Idempotency-Key has 1 to 255 plain characters."))
        caller = request.caller
        deed = f"{caller.principal} {request.method} {request.path} {key}"
        request.submission_key = uuid.uuid5(caller.workspace.pk, deed)
        row = begin(caller, key, digest_of(request))
        if row.status is not None:
            return answer_again(request, row)
        request.begun = row
        with transaction.atomic():
            result = view(request, *args, **kwargs)
            status, body = (result.status_code, result.value) if isinstance(result, Status) else (200, result)
            if not held(row).update(status=status, body=body.model_dump(mode="json", by_alias=True)):
                raise under_way()  # it took so long that somebody else has it in hand
        request.begun = None
        return result

    once.is_idempotent = True  # type: ignore[attr-defined]
    once.__signature__ = inspect.signature(view, eval_str=True)  # type: ignore[attr-defined]  # names of its module
    return once


def forget(request: Any) -> None:
    """The request was refused, so that nothing has happened: its Idempotency-Key may be used again."""
    if row := getattr(request, "begun", None):
        held(row).delete()


def held(row: IdempotentAnswer) -> QuerySet[IdempotentAnswer]:
    """The row while it is ours: whoever takes it over gives it another lease."""
    return IdempotentAnswer.objects.filter(pk=row.pk, status=None, lease_until=row.lease_until)


def digest_of(request: ApiRequest) -> str:
    said = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    said.update(request.body)
    return said.hexdigest()


def begin(caller: Caller, key: str, digest: str) -> IdempotentAnswer:
    """The row that stands for this request: new and ours, or with the answer of the first. Raises ApiError."""
    now = timezone.now()
    place = {"workspace": caller.workspace, "principal": caller.principal, "key": key}
    until = now + timedelta(seconds=UNDER_WAY_SECONDS)
    try:
        row, created = IdempotentAnswer.objects.get_or_create(
            **place, defaults={"digest": digest, "lease_until": until}
        )
    except (IntegrityError, IdempotentAnswer.DoesNotExist) as error:  # it came and went between two looks
        raise under_way() from error
    if row.digest != digest:
        raise ApiError(
            422,
            "idempotency_key_reused",
            _("This Idempotency-Key belongs to another request. Use a new key for each thing to do."),
        )
    if created or row.status is not None:
        return row
    # Whoever had it may have died. One of those who come then takes it over.
    taken = IdempotentAnswer.objects.filter(pk=row.pk, status=None, lease_until=row.lease_until, lease_until__lte=now)
    if not taken.update(lease_until=until):
        raise under_way()
    row.lease_until = until
    return row


def under_way() -> ApiError:
    return ApiError(
        409,
        "under_way",
        _("The first request with this Idempotency-Key is still under way. Ask again in a few seconds."),
        headers={"Retry-After": "2"},
    )


def answer_again(request: ApiRequest, row: IdempotentAnswer) -> HttpResponse:
    response = HttpResponse(json.dumps(row.body), status=row.status, content_type="application/json; charset=utf-8")
    response["Idempotent-Replayed"] = "true"
    if request.method == "PATCH":  # whoever changes it once more names the state that this change has left
        response["ETag"] = tag_of(row.body)
    return response


# --- Which state of something is meant ------------------------------------------------------------------------


def etag_of(body: Model) -> str:
    """Of everything that is told about it: two answers with the same tag are the same."""
    return tag_of(body.model_dump(mode="json", by_alias=True))


def tag_of(told: Any) -> str:
    """The order of keys says nothing: the database keeps none."""
    text = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def tagged(request: ApiRequest, response: HttpResponse, body: Model) -> Model | HttpResponseBase:
    """The body with its ETag, or 304 where the caller has just this already."""
    response["ETag"] = tag = etag_of(body)
    asked = request.headers.get("If-None-Match", "")
    if request.method in SAFE and asked and names(asked, tag, weak=True):
        same = HttpResponse(status=304)
        same["ETag"] = tag
        return same
    return body


def check_match(request: ApiRequest, body: Callable[[], Model]) -> None:
    """Nobody writes over what they have not seen: If-Match, where it is sent, must name the state as it is now."""
    asked = request.headers.get("If-Match", "")
    if asked and not names(asked, etag_of(body())):
        raise ApiError(
            412,
            "precondition_failed",
            _("It has been changed meanwhile. Read it again, then change it with its new ETag."),
        )


def names(header: str, tag: str, *, weak: bool = False) -> bool:
    listed = [one.strip() for one in header.split(",")]
    return "*" in listed or tag in listed or (weak and f"W/{tag}" in listed)
