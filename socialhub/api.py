"""The JSON API at /api/social/: its parts put together, one shape for all errors, and the document that describes it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.urls import URLPattern, path, re_path
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views import defaults
from django.views.decorators.http import require_safe
from ninja import NinjaAPI, Router
from ninja.errors import ConfigError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.parser import Parser

from accounts.api.base import ApiError, ErrorAnswer, ErrorBody, Permit, forget
from accounts.api.routes import routes as accounts_routes
from accounts.middleware import NoWorkspace
from analytics.api.routes import routes as analytics_routes
from publishing.api.limits import routes as limits_routes
from publishing.api.media import media
from publishing.api.posts import posts
from publishing.api.webhooks import webhooks
from publishing.states import IllegalMove, LostRace

logger = logging.getLogger(__name__)

ROOT = "/api/social/"
WITH_BODY = ("POST", "PUT", "PATCH")
MOST_PROBLEMS = 100  # so many of one request are told: nobody reads more, and the answer stays small
DEEPEST = 20  # so many lists and objects within each other; what we take has five
# Statuses that every operation may answer with, and those that only some may.
ALWAYS = (400, 401, 403, 404, 405, 422, 429)
WRITING = (409, 413, 415)


# --- What comes in --------------------------------------------------------------------------------------------


class JsonParser(Parser):
    """JSON and nothing else, without what no column can hold."""

    def parse_body(self, request: HttpRequest) -> Any:
        if request.content_type != "application/json":
            raise plain(415)
        body = json.loads(request.body, parse_constant=refuse_constant)
        refuse_unstorable(body)
        return body

    def parse_querydict(self, data: Any, list_fields: list[str], request: HttpRequest) -> dict[str, Any]:
        found = super().parse_querydict(data, list_fields, request)
        refuse_unstorable(found)
        return found


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def refuse_unstorable(value: Any, depth: int = 0) -> None:
    """Raises ApiError for NULs and halves of characters in texts, and for what is nested without end."""
    if depth > DEEPEST:
        raise ApiError(400, "malformed", _("This is nested too deeply."))
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise ApiError(400, "malformed", _("A text holds characters that cannot be stored."))
    elif isinstance(value, dict):
        for key, inner in value.items():
            refuse_unstorable(key, depth + 1)
            refuse_unstorable(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            refuse_unstorable(inner, depth + 1)


# --- What goes out --------------------------------------------------------------------------------------------


def refused(error: ApiError) -> HttpResponse:
    body = ErrorBody(code=error.code, message=error.message, fields=error.fields or None)
    response = JsonResponse({"error": body.model_dump(exclude_none=True)}, status=error.status)
    for name, value in error.headers.items():
        response[name] = value
    return response


def plain(status: int) -> ApiError:
    """What a status means, where nothing more is known."""
    code, message = {
        400: ("malformed", _("The request could not be read: its body is no JSON, or an address or header is broken.")),
        403: ("forbidden", _("You may not do this.")),
        404: ("not_found", _("There is nothing at this address, or it belongs to somebody else.")),
        405: ("method_not_allowed", _("This address does not answer to that method.")),
        413: ("too_large", _("The request is too large.")),
        415: ("unsupported_media_type", _("Send the body as JSON, with “Content-Type: application/json”.")),
    }.get(status, ("error", HTTPStatus(status).phrase))
    return ApiError(status, code, message)


def sentence_of(error: Mapping[str, Any]) -> str:
    """What is wrong with one field, in the language of the person; in English for what hardly anybody meets."""
    bounds = {name: value for name, value in error.get("ctx", {}).items() if isinstance(value, int | float | str)}
    sentences: dict[str, str] = {
        "missing": _("This is missing."),
        "extra_forbidden": _("There is no such field."),
        "string_type": _("This must be a text."),
        "bool_type": _("This must be true or false."),
        "int_type": _("This must be a whole number."),
        "int_parsing": _("This must be a whole number."),
        "list_type": _("This must be a list."),
        "dict_type": _("This must be an object."),
        "model_type": _("This must be an object."),
        "model_attributes_type": _("This must be an object."),
        "uuid_parsing": _("This is no id of ours."),
        "uuid_type": _("This is no id of ours."),
        "string_too_long": _("At most %(max_length)s characters."),
        "string_too_short": _("At least %(min_length)s characters."),
        "too_long": _("At most %(max_length)s of these."),
        "greater_than_equal": _("At least %(ge)s."),
        "less_than_equal": _("At most %(le)s."),
        "datetime_from_date_parsing": _("Write it as in 2026-11-21T09:30:00Z."),
        "datetime_parsing": _("Write it as in 2026-11-21T09:30:00Z."),
        "enum": _("One of these: %(expected)s."),
        "literal_error": _("One of these: %(expected)s."),
    }
    known = sentences.get(error["type"])
    return known % bounds if known else error["msg"].removeprefix("Value error, ")


def invalid_fields(errors: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """What is wrong, by the field as it was sent: "scheduledAt", "media.0.id"."""
    found: dict[str, list[str]] = {}
    for error in errors[:MOST_PROBLEMS]:
        source, *place = error["loc"]
        if source == "body":
            place = place[1:]  # the name of a parameter of ours
        name = ".".join(str(part) for part in place) or str(source)
        found.setdefault(name, []).append(sentence_of(error))
    return found


class SocialApi(NinjaAPI):
    def on_exception(self, request: HttpRequest, exc: Any) -> HttpResponse:
        if isinstance(exc, HttpError) and isinstance(exc.__cause__, ApiError):
            exc = exc.__cause__  # found while a body was being read
        if (error := as_error(exc)) is None:
            raise exc
        forget(request)
        return refused(error)

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: Any = None) -> OpenAPISchema:
        return Document(self, path_prefix or self.get_root_path(path_params or {}))


def as_error(exc: Exception) -> ApiError | None:
    """None for what nobody has foreseen: that is a fault of ours."""
    match exc:
        case ApiError():
            return exc
        case ValidationError():
            return ApiError(422, "invalid", _("Some fields cannot be taken as they are."), invalid_fields(exc.errors))
        case HttpError():
            return plain(exc.status_code)
        case Http404():
            return plain(404)
        case NoWorkspace():
            return ApiError(403, "no_workspace", _("You belong to no workspace. Ask somebody to add you to theirs."))
        case PermissionDenied():
            return ApiError(403, "forbidden", str(exc) or plain(403).message)
        case LostRace() | IllegalMove():
            return ApiError(
                409, "lost_race", _("It has changed meanwhile, so this is no longer possible. Read it again.")
            )
        case RequestDataTooBig():
            return plain(413)
        case SuspiciousOperation() | UnreadablePostError() | MultiPartParserError():
            return plain(400)
    return None


def api_view(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Around each operation: who may come in is its own affair, and nothing of it is kept by anybody on the way."""

    @wraps(view)
    def api_operation(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with timezone.override(None), translation.override(translation.get_language()):
            response = answer(view, request, *args, **kwargs)
            if response.status_code == 405:
                allowed = {*response["Allow"].split(", ")}
                response = refused(plain(405))
                response["Allow"] = ", ".join(sorted(allowed | ({"HEAD"} if "GET" in allowed else set())))
            response["Content-Language"] = translation.get_language() or ""
        patch_vary_headers(response, ["Authorization", "Cookie"])
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    api_operation.__name__ = "api_operation"
    api_operation.csrf_exempt = True  # type: ignore[attr-defined]  # a Permit asks for the token where a session is used
    api_operation.login_required = False  # type: ignore[attr-defined]  # a Permit answers 401
    return api_operation


def answer(view: Callable[..., HttpResponseBase], request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """HEAD is GET without the body, which the server leaves out; ninja knows only the methods that it was told."""
    if request.method != "HEAD":
        return view(request, *args, **kwargs)
    request.method = "GET"
    try:
        return view(request, *args, **kwargs)
    finally:
        request.method = "HEAD"


def not_found(request: HttpRequest, rest: str = "") -> HttpResponse:
    return refused(plain(404))


# --- The document ---------------------------------------------------------------------------------------------


class Document(OpenAPISchema):
    """What ninja knows, and besides: how to say who one is, and every answer that is an error."""

    def __init__(self, api: NinjaAPI, path_prefix: str) -> None:
        super().__init__(api, path_prefix)
        schemas = self["components"]["schemas"]
        schemas.update(ErrorAnswer.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization"))
        schemas["ErrorBody"] = schemas.pop("$defs")["ErrorBody"]
        schemas["ErrorAnswer"] = {name: schemas.pop(name) for name in ("properties", "required", "title", "type")}
        self["components"]["securitySchemes"] = {
            "apiKey": {"type": "http", "scheme": "bearer", "description": "“Authorization: Bearer shk_…”"},
            "session": {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME},
        }
        self["components"]["responses"] = {
            f"Error{status}": {
                "description": HTTPStatus(status).phrase,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}},
            }
            for status in (*ALWAYS, *WRITING, 412)
        }

    def add_schema_definitions(self, definitions: dict[str, Any]) -> None:
        """Raises ConfigError when two shapes go by one name: the document would tell only of one."""
        for name, schema in definitions.items():
            if self.schemas.setdefault(name, schema) != schema:
                raise ConfigError(f"Two shapes of the API are called {name}.")

    def operation_details(self, operation: Operation) -> dict[str, Any]:
        details: dict[str, Any] = super().operation_details(operation)
        statuses = set(ALWAYS)
        if set(operation.methods) & {*WITH_BODY, "DELETE"}:
            statuses.update(WRITING)
        names = {one["name"] for one in details["parameters"]}
        if getattr(operation.view_func, "is_idempotent", False):
            details["parameters"].append(
                {
                    "in": "header",
                    "name": "Idempotency-Key",
                    "required": False,
                    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[!-~]+$"},
                    "description": "The same key again does nothing and gets the first answer, for 24 hours.",
                }
            )
        if "If-Match" in names:
            statuses.add(412)
        for status in sorted(statuses):
            details["responses"].setdefault(status, {"$ref": f"#/components/responses/Error{status}"})
        for permit in operation.auth_callbacks:
            if isinstance(permit, Permit):
                details["security"] = [{"apiKey": [permit.scope.value]}, {"session": []}]
                details["x-role"] = "manager" if permit.manages else "editor" if permit.edits else "viewer"
        return details


def assemble(*routers: Router) -> SocialApi:
    api = SocialApi(
        title="socialhub",
        version="1",
        description="Everything that the pages do, for programs. Times are ISO 8601 in UTC, ids are UUIDs.",
        servers=[{"url": settings.PUBLIC_BASE_URL}],
        openapi_url=None,
        docs_url=None,
        urls_namespace="api",
        parser=JsonParser(),
    )
    for router in routers:
        api.add_router("", router)
    return api


api = assemble(
    # one line for each part: from accounts.api, publishing.api, analytics.api
    accounts_routes,
    posts,
    media,
    limits_routes,
    analytics_routes,
    webhooks,
)


@cache
def document_text() -> str:
    """It is the same as long as the process lives."""
    return json.dumps(api.get_openapi_schema(path_prefix=ROOT), ensure_ascii=False, default=str)


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """The document that describes the API, for everybody: it holds nothing of anybody."""
    response = HttpResponse(document_text(), content_type="application/json; charset=utf-8")
    response["Cache-Control"] = "public, max-age=300"
    return response


def addresses(api: SocialApi = api) -> tuple[list[URLPattern], str, str]:
    patterns, app_name, namespace = api.urls
    operations = [one for one in patterns if isinstance(one, URLPattern) and one.name != "api-root"]
    for pattern in operations:
        pattern.callback = api_view(pattern.callback)
    others = [
        path("openapi.json", api_view(openapi), name="openapi"),
        path("", api_view(not_found), name="api-root"),
        # In JSON, unlike the pages, and with a line break in it, too.
        re_path(r"^(?P<rest>(?s:.*))\Z", api_view(not_found), name="elsewhere"),
    ]
    return [*operations, *others], app_name, namespace


# --- Errors before and beyond the operations ------------------------------------------------------------------


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(ROOT):
        return refused(as_error(exception) or plain(400))
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if request.path.startswith(ROOT):
        return refused(
            ApiError(500, "internal", _("This is a fault of ours. It has been noted; try again in a few minutes."))
        )
    return defaults.server_error(request)
