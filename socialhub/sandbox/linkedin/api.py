"""The door of LinkedIn's API: version, token, limits and faults, then an endpoint, then the envelope."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from ..faults import AnswerLostError, strike, take
from ..state import Fault, State
from ..views import base_url
from ..views.graph import hang_up
from ..world import start
from . import comments, images, people, posts, statistics, videos
from .call import Call, Reply, find
from .errors import LinkedInError, denied, invalid, retired, throttled, token_refused
from .restli import parse_path, parse_query
from .rows import Asset, Token
from .versions import check_version

__all__ = [
    "comments",
    "images",
    "people",
    "posts",
    "statistics",
    "videos",
]  # imported for the endpoints that they register

PREFIX = "/linkedin/api/"
LONGEST_ADDRESS = 4_096
DAY = 86_400


@csrf_exempt
def api(request: HttpRequest, path: str) -> HttpResponse:
    """Any address below /linkedin/api/."""
    state = start()
    edge = f"linkedin.{path.removeprefix('rest/').removeprefix('v2/').split('/')[0]}"
    account, status, error = "", 0, None
    method = request.method or "GET"
    try:
        if state.latency_seconds:
            time.sleep(state.latency_seconds)
        call = call_of(request, state)
        account, method = account_of(call), call.method
        reply = answer(call, edge, account)
        status = reply.status
    except LinkedInError as refused:
        error, status = refused, refused.status
        reply = Reply(refused.status, refused.envelope())
    except AnswerLostError:
        return hang_up(request)
    finally:
        remember(state, method, edge, account, path, status, error)
    return as_response(reply)


def call_of(request: HttpRequest, state: State) -> Call:
    """Raises LinkedInError: 400 for an address or headers that are wrong, 426 for a dead version, 401 for a bad token."""
    address = str(request.META.get("RAW_URI") or request.get_full_path())
    raw_path, _, raw_query = address.partition("?")
    parts = parse_path(raw_path.removeprefix(PREFIX))
    method = request.method or "GET"
    content = request.body
    if len(raw_query) > LONGEST_ADDRESS:
        raise LinkedInError(414, "Request-URI Too Long", "URI_TOO_LONG")
    if method == "POST" and request.headers.get("X-HTTP-Method-Override") == "GET":
        method, raw_query, content = "GET", content.decode("utf-8", "replace"), b""
    if method == "POST" and "CONTENT_LENGTH" not in request.META:
        raise LinkedInError(411, "Length Required", "LENGTH_REQUIRED")
    now = state.now()
    versioned = parts[:1] == ["rest"]
    if versioned:
        check_version(request.headers.get("LinkedIn-Version", ""), now)
        if request.headers.get("X-Restli-Protocol-Version") != "2.0.0":
            raise LinkedInError(400, "The Rest.li protocol version must be 2.0.0", "ILLEGAL_ARGUMENT")
    token = token_of_part(request, state, parts) or token_of(request, state, now)
    query = parse_query(raw_query)
    path = parts[1:] if versioned or parts[:1] == ["v2"] else parts
    if parts[:1] == ["v2"] and path != ["userinfo"]:
        raise LinkedInError(404, f"No virtual resource found for {'/'.join(path)}", "RESOURCE_NOT_FOUND", service=0)
    rest_method = rest_method_of(method, path, query, request.headers.get("X-RestLi-Method", ""))
    body = body_of(request, content) if versioned and method == "POST" else {}
    return Call(state, method, rest_method, path, query, body, base_url(request), now, token, content)


def token_of_part(request: HttpRequest, state: State, parts: list[str]) -> Token | None:
    """The parts of a video go to addresses that open by themselves, and take no token. Raises LinkedInError 400."""
    video = videos.video_of(state, parts[1]) if parts[:1] == ["dms-uploads"] and len(parts) == 2 else None
    if video is None:
        return None
    if "Authorization" in request.headers:
        raise invalid("ILLEGAL_ARGUMENT", "Only one way to authorize is allowed: the address or a header")
    if request.content_type != "application/octet-stream":
        raise LinkedInError(415, f"Unsupported Media Type {request.content_type}", "UNSUPPORTED_MEDIA_TYPE")
    return Token("", "upload", video.member_id, [], 0, 0, 0)


def token_of(request: HttpRequest, state: State, now: float) -> Token:
    """Raises LinkedInError 401."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not value.strip():
        raise token_refused("empty")
    token = state.linkedin_tokens.get(value.strip())
    if token is None or token.kind != "access":
        raise token_refused("invalid")
    if token.revoked:
        raise token_refused("revoked")
    if now >= token.expires_at:
        raise token_refused("expired")
    return token


def rest_method_of(method: str, path: list[str], query: dict[str, Any], told: str) -> str:
    """What Rest.li calls it; a header that says otherwise is refused."""
    if method == "POST":
        found = "ACTION" if "action" in query else "PARTIAL_UPDATE" if len(path) == 2 else "CREATE"
    elif method == "GET":
        found = "FINDER" if "q" in query else "BATCH_GET" if "ids" in query else "GET"
    else:
        found = method
    needs_header = found == "PARTIAL_UPDATE"
    if (told or needs_header) and told.upper() != found:
        raise invalid("ILLEGAL_ARGUMENT", f"X-RestLi-Method {told or 'missing'!r} does not fit this request ({found})")
    return found


def body_of(request: HttpRequest, content: bytes) -> dict[str, Any]:
    if not content:
        return {}
    if request.content_type != "application/json":
        raise LinkedInError(415, f"Unsupported Media Type {request.content_type}", "UNSUPPORTED_MEDIA_TYPE")
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise invalid("ILLEGAL_ARGUMENT", "Cannot parse the request body")
    return body


def account_of(call: Call) -> str:
    """The person or organization that a call concerns, for faults and the log: the last part of its URN."""
    upload, finish = call.body.get("initializeUploadRequest"), call.body.get("finalizeUploadRequest")
    video = call.state.linkedin_videos.get(str(finish.get("video"))) if isinstance(finish, dict) else None
    if call.path[:1] == ["dms-uploads"] and len(call.path) == 2:
        video = videos.video_of(call.state, call.path[1])
    candidates = [
        call.body.get("author"),
        call.body.get("actor"),
        upload.get("owner") if isinstance(upload, dict) else None,
        video.owner if video else None,
        *(call.query.get(name) for name in ("author", "organizationalEntity", "organization")),
    ]
    if len(call.path) > 1 and (post := call.state.linkedin_posts.get(call.path[1])):
        candidates.append(post.author)
    elif len(call.path) > 1 and (asset := asset_of(call.state, call.path[1])):
        candidates.append(asset.owner)
    elif len(call.path) > 1 and call.path[0] in ("networkSizes", "organizations"):
        candidates.append(call.path[1])
    named = next((one for one in candidates if isinstance(one, str) and one), call.token.member_id)
    return named.rsplit(":", 1)[-1]


def asset_of(state: State, urn: str) -> Asset | None:
    return state.linkedin_images.get(urn) or state.linkedin_videos.get(urn) or state.linkedin_documents.get(urn)


def doom(state: State, reply: Reply) -> None:
    """What this call has made room for will fail in processing."""
    value = reply.body.get("value", {}) if isinstance(reply.body, dict) else {}
    for name in ("image", "video", "document"):
        if asset := asset_of(state, str(value.get(name))):
            asset.doomed = True


def answer(call: Call, edge: str, account: str) -> Reply:
    found = find(call.method, call.path)
    with call.state.lock:
        count(call, edge)
    struck = take(call.state, call.method, edge, account)
    strike(struck, before=refusals)
    with call.state.lock:
        reply = found(call)
        call.state.changed()
    for fault in struck:
        if fault.kind == "no_id":
            reply = Reply(reply.status, reply.body)
        elif fault.kind == "processing_failed":
            doom(call.state, reply)
    strike(struck, after=refusals)
    return reply


def count(call: Call, edge: str) -> None:
    """The daily limits of an endpoint, of one member and of the app; they start anew at 00:00 UTC. Raises LinkedInError."""
    app = call.state.linkedin_apps["app"]
    day = call.now // DAY
    name = f"{edge} {call.rest_method}"
    for level, key, limit in [
        ("MEMBER", f"{name} {call.token.member_id}", app.member_limit),
        ("APPLICATION", name, app.app_limit),
    ]:
        began, made = call.state.usage.get(key, (day, 0))
        made = made if began == day else 0
        if made >= limit:
            raise throttled(f"{level} DAY")
        call.state.usage[key] = (day, made + 1)


def refusals(fault: Fault) -> Exception | None:
    """What a fault looks like here."""
    errors = {
        "token_revoked": token_refused("revoked"),
        "token_expired": token_refused("expired"),
        "rate_limited": throttled("MEMBER DAY"),
        "permission_lost": denied("partnerApiPostsExternal.CREATE"),
        "version_retired": retired("202609"),
        "error_before": LinkedInError(503, "Service Unavailable", "SERVICE_UNAVAILABLE"),
        "error_after": LinkedInError(500, "Internal Server Error", "INTERNAL_SERVER_ERROR", service=0),
        "rejected_image": invalid(
            "MEDIA_ASSET_PROCESSING_FAILED", "The media asset could not be processed", "/content/media/id"
        ),
        "duplicate": posts.duplicate(f"urn:li:share:{7_390_000_000_000_000_000 + secrets.randbelow(10**15)}"),
    }
    return errors.get(fault.kind)


def remember(
    state: State, method: str, edge: str, account: str, path: str, status: int, error: LinkedInError | None
) -> None:
    """Keep count for tests that ask which calls were made. Status 0: no answer."""
    with state.lock:
        state.calls[f"{method} {edge}"] += 1
        state.log.append(
            {
                "at": state.now(),
                "method": method,
                "path": f"linkedin/{path}",
                "edge": edge,
                "account": account,
                "status": status,
                "code": error.code if error else None,
                "subcode": error.service if error else None,
                "params": {},
            }
        )


def as_response(reply: Reply) -> HttpResponse:
    content = b"" if reply.body is None else json.dumps(reply.body).encode()
    response = HttpResponse(content, status=reply.status, content_type="application/json", headers=reply.headers)
    response.headers["x-li-uuid"] = secrets.token_urlsafe(16)
    response.headers["x-li-fabric"] = "prod-sandbox"
    response.headers["x-li-request-id"] = str(uuid4())
    response.headers["x-restli-protocol-version"] = "2.0.0"
    response.headers["Content-Length"] = str(len(content))
    return response
