"""LinkedIn's authorization page, and how codes become tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from .. import settings
from ..faults import AnswerLostError, strike, take
from ..state import Fault, State
from ..views.graph import hang_up
from ..views.oauth import is_registered
from ..world import start
from .rows import Code, Grant, Member, Token

DAY = 86_400
CODE_SECONDS = 30 * 60
ACCESS_SECONDS = 60 * DAY
REFRESH_SECONDS = 365 * DAY

MEMBER_SCOPES = {
    "openid": "Use your name and photo",
    "profile": "Use your name and photo",
    "email": "Use the primary e-mail address of your account",
    "w_member_social": "Create, modify and delete posts, comments and reactions on your behalf",
}
FULL_SCOPES = {
    **MEMBER_SCOPES,
    "w_organization_social": "Create, modify and delete posts on your organization's behalf",
    "r_organization_social": "Retrieve your organization's posts",
    "rw_organization_admin": "Manage your organization's page and retrieve reporting data",
    "r_organization_admin": "Retrieve your organization's page and its reporting data",
    "r_organization_followers": "Use your followers' data",
    "w_member_social_feed": "Create, modify and delete comments and reactions on your behalf",
    "w_organization_social_feed": "Create, modify and delete comments and reactions on your organization's behalf",
    "r_organization_social_feed": "Retrieve comments and reactions on your organization's posts",
    "r_member_postAnalytics": "Retrieve your posts and their reporting data",
    "r_member_profileAnalytics": "Retrieve your profile's reporting data",
    "r_basicprofile": "Use your basic profile",
    "r_1st_connections_size": "Use the number of your 1st-degree connections",
}


class BadRequestError(Exception):
    """The request is so wrong that the person is not sent back; the text says why."""


@dataclass(frozen=True)
class Request:
    """What an app asks a member for."""

    redirect_uri: str
    state: str
    scopes: list[str]

    def back(self, **answer: str) -> HttpResponse:
        parts = urlsplit(self.redirect_uri)
        query = "&".join(part for part in (parts.query, urlencode({**answer, "state": self.state})) if part)
        response = HttpResponse(status=302)
        response.headers["Location"] = parts._replace(query=query).geturl()
        return response


@csrf_exempt
@require_http_methods(["GET", "POST"])
def authorization(request: HttpRequest) -> HttpResponse:
    """GET shows who may answer, then what is asked; POST is the member's answer: all of it or nothing."""
    state = start()
    values = request.POST if request.method == "POST" else request.GET
    try:
        asked = read_request(values.dict())
    except BadRequestError as error:
        return render(request, "sandbox/linkedin/error.html", {"message": str(error)}, status=400)
    known = scopes_of_app(state)
    if bad := [scope for scope in asked.scopes if scope not in known]:
        text = f'Scope "{bad[0]}" is not authorized for your application'
        return asked.back(error="unauthorized_scope_error", error_description=text)
    member = next((one for one in state.linkedin_members.values() if one.key == values.get("person")), None)
    if "cancel" in values:
        reason = "user_cancelled_authorize" if member else "user_cancelled_login"
        return asked.back(error=reason, error_description="The user cancelled the request")
    if member is not None and (request.method == "POST" or is_settled(state, member, asked.scopes)):
        return allow(state, asked, member)
    query = [(name, value) for name, value in values.items() if name != "person"]
    context: dict[str, Any] = {
        "query": query,
        "address": urlencode(query),
        "redirect_host": urlsplit(asked.redirect_uri).netloc,
    }
    if member is None:
        members = list(state.linkedin_members.values())
        return render(request, "sandbox/linkedin/members.html", {**context, "members": members})
    meanings = dict.fromkeys(known[scope] for scope in asked.scopes)
    return render(request, "sandbox/linkedin/consent.html", {**context, "member": member, "meanings": meanings})


def read_request(values: dict[str, str]) -> Request:
    """Raises BadRequestError: these mistakes the real page shows instead of sending anybody on."""
    if values.get("client_id") != settings.LINKEDIN_CLIENT_ID:
        raise BadRequestError("The passed in client_id is invalid.")
    redirect_uri = values.get("redirect_uri", "")
    if not is_registered(redirect_uri):
        raise BadRequestError(
            f"The redirect_uri does not match the registered value ({redirect_uri or 'it is missing'})."
        )
    if values.get("response_type") != "code":
        raise BadRequestError("The response_type must be code.")
    if not values.get("state"):
        raise BadRequestError("The state is missing: without it anybody could finish somebody else's sign-in.")
    scopes = values.get("scope", "").split()
    if not scopes:
        raise BadRequestError("The scope is missing.")
    return Request(redirect_uri, values["state"], list(dict.fromkeys(scopes)))


def scopes_of_app(state: State) -> dict[str, str]:
    return FULL_SCOPES if state.linkedin_apps["app"].mode == "full" else MEMBER_SCOPES


def is_settled(state: State, member: Member, scopes: list[str]) -> bool:
    """Whether the member has already said yes to exactly this, and it still counts: then no screen is shown."""
    return any(
        token.kind == "access" and token.usable_at(state.now()) and set(token.scopes) == set(scopes)
        for token in tokens_of(state, member.id)
    )


def tokens_of(state: State, member_id: str) -> list[Token]:
    return [token for token in list(state.linkedin_tokens.values()) if token.member_id == member_id]


def allow(state: State, asked: Request, member: Member) -> HttpResponse:
    with state.lock:
        consent(state, member, asked.scopes)
        code = state.add(
            Code(
                "AQ" + secrets.token_urlsafe(90),
                member.id,
                asked.redirect_uri,
                asked.scopes,
                state.now() + CODE_SECONDS,
            )
        )
    return asked.back(code=code.value)


def consent(state: State, member: Member, scopes: list[str]) -> Grant:
    """Write down what was allowed. Another set of scopes ends the tokens of the earlier one."""
    grant = state.linkedin_grants.get(member.id)
    if grant is None or set(grant.scopes) != set(scopes):
        for token in tokens_of(state, member.id):
            token.revoked = True
        grant = state.add(Grant(member.id, list(scopes), state.now()))
    return grant


# Tokens


class TokenError(Exception):
    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error


@csrf_exempt
@require_POST
def access_token(request: HttpRequest) -> HttpResponse:
    """A code or a refresh token becomes an access token."""
    state = start()
    values = request.POST.dict()
    with state.lock:
        state.calls["POST linkedin.token"] += 1
    struck = take(state, "POST", "linkedin.token", "")
    try:
        strike(struck, before=token_faults)
        check_client(values)
        with state.lock:
            match values.get("grant_type"):
                case "authorization_code":
                    body = token_for_code(state, values)
                case "refresh_token":
                    body = token_for_refresh(state, values)
                case _:
                    raise TokenError(400, "unsupported_grant_type", "The grant_type is not supported")
            state.changed()
        strike(struck, after=token_faults)
    except TokenError as error:
        return JsonResponse({"error": error.error, "error_description": str(error)}, status=error.status)
    except AnswerLostError:
        return hang_up(request)
    return JsonResponse(body, headers={"Cache-Control": "no-cache, no-store"})


def token_faults(fault: Fault) -> Exception | None:
    if fault.kind in ("error_before", "error_after"):
        return TokenError(500, "server_error", "Internal Server Error")
    if fault.kind == "rate_limited":
        return TokenError(429, "too_many_requests", "Resource level throttle limit is reached")
    if fault.kind == "token_revoked":
        return TokenError(400, "invalid_grant", "The provided authorization grant is revoked")
    return None


def check_client(values: dict[str, str]) -> None:
    """Raises TokenError."""
    secret = values.get("client_secret", "")
    if values.get("client_id") != settings.LINKEDIN_CLIENT_ID or not hmac.compare_digest(
        secret.encode(), settings.LINKEDIN_CLIENT_SECRET.encode()
    ):
        raise TokenError(401, "invalid_client", "Client authentication failed")


def token_for_code(state: State, values: dict[str, str]) -> dict[str, Any]:
    code = state.linkedin_codes.get(values.get("code", ""))
    if code is None or code.used or state.now() >= code.expires_at or code.redirect_uri != values.get("redirect_uri"):
        raise TokenError(
            400,
            "invalid_request",
            "Unable to retrieve access token: appid/redirect uri/code verifier does not match authorization code. Or "
            "authorization code expired. Or external member binding exists",
        )
    code.used = True
    return token_body(
        state, new_access(state, code.member_id, code.scopes), new_refresh(state, code.member_id, code.scopes)
    )


def token_for_refresh(state: State, values: dict[str, str]) -> dict[str, Any]:
    """A refresh gives a new access token; the refresh token stays the same and grows no older."""
    refresh = state.linkedin_tokens.get(values.get("refresh_token", ""))
    if refresh is None or refresh.kind != "refresh":
        raise TokenError(400, "invalid_grant", "The provided refresh token is invalid")
    if not refresh.usable_at(state.now()):
        raise TokenError(400, "invalid_grant", "The provided refresh token is revoked or expired")
    return token_body(state, new_access(state, refresh.member_id, refresh.scopes, refresh.authorized_at), refresh)


def new_access(
    state: State, member_id: str, scopes: list[str], authorized_at: float = 0, seconds: float = ACCESS_SECONDS
) -> Token:
    now = state.now()
    value = "AQX" + secrets.token_urlsafe(750)
    return state.add(Token(value, "access", member_id, list(scopes), now, now + seconds, authorized_at or now))


def new_refresh(state: State, member_id: str, scopes: list[str]) -> Token | None:
    """Only for apps that the network has allowed it; a year from the first consent on."""
    if not state.linkedin_apps["app"].refresh_tokens:
        return None
    now = state.now()
    ends = state.linkedin_grants[member_id].first_at + REFRESH_SECONDS
    return state.add(Token("AQW" + secrets.token_urlsafe(400), "refresh", member_id, list(scopes), now, ends, now))


def token_body(state: State, access: Token, refresh: Token | None) -> dict[str, Any]:
    now = state.now()
    body: dict[str, Any] = {
        "access_token": access.value,
        "expires_in": int(access.expires_at - now),
        "scope": ",".join(access.scopes),
        "token_type": "Bearer",
    }
    if refresh is not None:
        body["refresh_token"] = refresh.value
        body["refresh_token_expires_in"] = int(refresh.expires_at - now)
    if "openid" in access.scopes:
        body["id_token"] = id_token(state, access)
    return body


def id_token(state: State, access: Token) -> str:
    claims = {
        "iss": "https://www.linkedin.com/oauth",
        "aud": settings.LINKEDIN_CLIENT_ID,
        "sub": access.member_id,
        "name": state.linkedin_members[access.member_id].name,
        "iat": int(access.issued_at),
        "exp": int(access.issued_at) + 3600,
    }
    text = f"{encoded(json.dumps({'alg': 'HS256', 'typ': 'JWT'}).encode())}.{encoded(json.dumps(claims).encode())}"
    proof = hmac.new(settings.LINKEDIN_CLIENT_SECRET.encode(), text.encode(), hashlib.sha256).digest()
    return f"{text}.{encoded(proof)}"


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@csrf_exempt
@require_POST
def introspect(request: HttpRequest) -> JsonResponse:
    state = start()
    try:
        check_client(request.POST.dict())
    except TokenError as error:
        return JsonResponse({"error": error.error, "error_description": str(error)}, status=error.status)
    token = state.linkedin_tokens.get(request.POST.get("token", ""))
    if token is None:
        return JsonResponse({"active": False})
    active = token.usable_at(state.now())
    status = "active" if active else "revoked" if token.revoked else "expired"
    return JsonResponse(
        {
            "active": active,
            "status": status,
            "scope": ",".join(token.scopes),
            "client_id": settings.LINKEDIN_CLIENT_ID,
            "auth_type": "3L",
            "created_at": int(token.issued_at),
            "expires_at": int(token.expires_at),
            "authorized_at": int(token.authorized_at),
        }
    )


@csrf_exempt
@require_POST
def revoke(request: HttpRequest) -> HttpResponse:
    """One token, of either kind; an unknown one is no error."""
    state = start()
    with state.lock:
        state.calls["POST linkedin.revoke"] += 1
    try:
        check_client(request.POST.dict())
    except TokenError as error:
        return JsonResponse({"error": error.error, "error_description": str(error)}, status=error.status)
    with state.lock:
        token = state.linkedin_tokens.get(request.POST.get("token", ""))
        if token is not None:
            token.revoked = True
            state.changed()
    return HttpResponse(status=200)
