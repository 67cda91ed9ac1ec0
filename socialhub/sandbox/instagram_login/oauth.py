"""Instagram's consent page, and how codes become tokens: of an hour, of sixty days, and of sixty days more."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from .. import settings
from ..faults import AnswerLostError, strike, take
from ..graph.errors import GraphError, token_lost
from ..state import Fault, Instagram, InstagramCode, State, Token
from ..views.graph import hang_up
from ..views.oauth import is_registered
from ..world import start
from .world import can_sign_in, find

HOUR, DAY = 3600, 86_400
CODE_SECONDS = HOUR
LONG_SECONDS = 60 * DAY
SHOWN = 12
BASIC = "instagram_business_basic"
SCOPES = {
    BASIC: "See your profile and your posts",
    "instagram_business_content_publish": "Publish posts for you",
    "instagram_business_manage_insights": "See the insights of your account and posts",
    "instagram_business_manage_comments": "Answer and moderate comments",
    "instagram_business_manage_messages": "Read and answer your messages",
}


class BadRequestError(Exception):
    """The request is so wrong that the person is not sent back; the text says why."""


@dataclass(frozen=True)
class Request:
    """What an app asks a person for."""

    redirect_uri: str
    state: str
    scopes: list[str]

    def back(self, **answer: str) -> HttpResponse:
        parts = urlsplit(self.redirect_uri)
        if self.state:
            answer["state"] = self.state
        query = "&".join(part for part in (parts.query, urlencode(answer)) if part)
        response = HttpResponse(status=302)
        response.headers["Location"] = parts._replace(query=query).geturl() + "#_"
        return response


@csrf_exempt
@require_http_methods(["GET", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    """GET shows which account may answer, then what is asked; POST is the person's answer."""
    state = start()
    values = request.POST if request.method == "POST" else request.GET
    try:
        asked = read_request(values.dict())
    except BadRequestError as error:
        return render(request, "sandbox/dialog_error.html", {"message": str(error)}, status=400)
    account = find(state, values.get("person", ""))
    if request.method == "POST":
        if "cancel" in request.POST or account is None:
            return asked.back(
                error="access_denied", error_reason="user_denied", error_description="The user denied your request."
            )
        ticked = request.POST.getlist("scopes")
        return allow(state, asked, account, [scope for scope in asked.scopes if scope in (BASIC, *ticked)])
    query = [(name, value) for name, value in values.items() if name != "person"]
    context: dict[str, Any] = {
        "query": query,
        "address": urlencode(query),
        "redirect_host": urlsplit(asked.redirect_uri).netloc,
    }
    if account is None:
        accounts = can_sign_in(state)[:SHOWN]
        return render(request, "sandbox/instagram_login/accounts.html", {**context, "accounts": accounts})
    scopes = [(scope, SCOPES[scope], scope == BASIC) for scope in asked.scopes]
    return render(request, "sandbox/instagram_login/consent.html", {**context, "account": account, "scopes": scopes})


def read_request(values: dict[str, str]) -> Request:
    """Raises BadRequestError: these mistakes the real page shows instead of sending anybody on."""
    if values.get("client_id") != settings.INSTAGRAM_APP_ID:
        raise BadRequestError("Invalid platform app: this is not the Instagram app id.")
    redirect_uri = values.get("redirect_uri", "")
    if not is_registered(redirect_uri):
        raise BadRequestError(f"Invalid redirect_uri ({redirect_uri or 'it is missing'}).")
    if values.get("response_type") != "code":
        raise BadRequestError("Invalid response_type: it must be code.")
    scopes = [scope for scope in values.get("scope", "").replace(" ", ",").split(",") if scope]
    if bad := [scope for scope in scopes if scope not in SCOPES]:
        raise BadRequestError(f"Invalid scope: {', '.join(bad)}.")
    if BASIC not in scopes:
        raise BadRequestError(f"Invalid scope: {BASIC} is required.")
    return Request(redirect_uri, values.get("state", ""), list(dict.fromkeys(scopes)))


def allow(state: State, asked: Request, account: Instagram, scopes: list[str]) -> HttpResponse:
    with state.lock:
        code = state.add(
            InstagramCode(
                "AQ" + secrets.token_urlsafe(60), account.id, asked.redirect_uri, scopes, state.now() + CODE_SECONDS
            )
        )
    return asked.back(code=code.value)


# The host that takes codes


class CodeError(Exception):
    """A refusal in the form of api.instagram.com."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@csrf_exempt
@require_http_methods(["POST"])
def access_token(request: HttpRequest) -> HttpResponse:
    """A code becomes a token of an hour. The answer stands in a list, as it sometimes does."""
    state = start()
    values = request.POST.dict()

    def answer() -> dict[str, Any]:
        code = redeemed(state, values)
        token = new_token(state, code.instagram_id, code.scopes, HOUR)
        user_id = int(state.instagrams[code.instagram_id].scoped_id)
        row = {"access_token": token.value, "user_id": user_id, "permissions": ",".join(code.scopes)}
        return {"data": [row]}

    def failed(status: int, message: str) -> Exception:
        return CodeError(message, status)

    try:
        return as_json(struck(state, "POST", "instagram.token", answer, failed))
    except CodeError as error:
        body = {"error_type": "OAuthException", "code": error.status, "error_message": str(error)}
        return as_json(body, error.status)
    except AnswerLostError:
        return hang_up(request)


def redeemed(state: State, values: dict[str, str]) -> InstagramCode:
    """Raises CodeError."""
    if values.get("client_id") != settings.INSTAGRAM_APP_ID:
        raise CodeError("Invalid platform app")
    if not is_secret(values.get("client_secret", "")):
        raise CodeError("Error validating client secret.")
    if values.get("grant_type") != "authorization_code":
        raise CodeError("Invalid grant_type")
    code = state.instagram_codes.get(values.get("code", ""))
    if code is None or code.used:
        raise CodeError("Matching code was not found or was already used")
    if state.now() >= code.expires_at:
        raise CodeError("This authorization code has expired")
    if code.redirect_uri != values.get("redirect_uri"):
        raise CodeError(
            "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in "
            "the OAuth dialog request"
        )
    code.used = True
    return code


def is_secret(value: str) -> bool:
    return hmac.compare_digest(value.encode(), settings.INSTAGRAM_APP_SECRET.encode())


def new_token(state: State, instagram_id: str, scopes: list[str], seconds: float, *, age: float = 0) -> Token:
    now = state.now()
    return state.add(
        Token(
            value="IGAA" + secrets.token_hex(60),
            kind="INSTAGRAM",
            person_id="",
            scopes=list(scopes),
            page_ids=[],
            issued_at=now - age,
            expires_at=now + seconds - age,
            data_access_expires_at=0,
            instagram_id=instagram_id,
        )
    )


def tokens_of(state: State, instagram_id: str) -> list[Token]:
    return [one for one in list(state.tokens.values()) if one.kind == "INSTAGRAM" and one.instagram_id == instagram_id]


# The host of the Graph API, where tokens are renewed


@csrf_exempt
@require_http_methods(["GET"])
def exchange(request: HttpRequest) -> HttpResponse:
    """A token of an hour becomes one of sixty days."""
    state = start()

    def answer() -> dict[str, Any]:
        if request.GET.get("grant_type") != "ig_exchange_token":
            raise refused("Unsupported grant_type")
        if not is_secret(request.GET.get("client_secret", "")):
            raise GraphError(1, "Error validating client secret.", status=400, kind="IGApiException")
        token = usable(state, request)
        if is_long(token):
            raise refused("The access token is a long-lived one already")
        return token_body(state, new_token(state, token.instagram_id, token.scopes, LONG_SECONDS))

    return about_tokens(request, state, "instagram.exchange", answer)


@csrf_exempt
@require_http_methods(["GET"])
def refresh(request: HttpRequest) -> HttpResponse:
    """Sixty more days, for a token of sixty days that is at least one old and has not run out."""
    state = start()

    def answer() -> dict[str, Any]:
        if request.GET.get("grant_type") != "ig_refresh_token":
            raise refused("Unsupported grant_type")
        token = usable(state, request)
        if not is_long(token):
            raise refused("Only long-lived access tokens can be refreshed")
        if state.now() - token.issued_at < DAY:
            raise refused("The access token is less than 24 hours old and cannot be refreshed yet")
        return token_body(state, new_token(state, token.instagram_id, token.scopes, LONG_SECONDS))

    return about_tokens(request, state, "instagram.refresh", answer)


def about_tokens(request: HttpRequest, state: State, edge: str, answer: Callable[[], dict[str, Any]]) -> HttpResponse:
    def failed(status: int, message: str) -> Exception:
        return GraphError(2 if status >= 500 else 4, message, status=status, transient=True)

    try:
        return as_json(struck(state, "GET", edge, answer, failed))
    except GraphError as error:
        return as_json(error.envelope(), error.status)
    except AnswerLostError:
        return hang_up(request)


def usable(state: State, request: HttpRequest) -> Token:
    """Raises GraphError 190."""
    token = state.tokens.get(request.GET.get("access_token", ""))
    if token is None or token.kind != "INSTAGRAM":
        raise GraphError(190, "Invalid OAuth access token - Cannot parse access token")
    if token.lost or state.now() >= token.expires_at:
        raise token_lost(token.lost or 463, settings.INSTAGRAM_APP_ID)
    return token


def is_long(token: Token) -> bool:
    return token.expires_at - token.issued_at > DAY


def refused(message: str) -> GraphError:
    return GraphError(100, message, kind="IGApiException")


def token_body(state: State, token: Token) -> dict[str, Any]:
    return {"access_token": token.value, "token_type": "bearer", "expires_in": round(token.expires_at - state.now())}


# Both


def struck(
    state: State,
    method: str,
    edge: str,
    answer: Callable[[], dict[str, Any]],
    failed: Callable[[int, str], Exception],
) -> dict[str, Any]:
    """Carry a call out, with the faults of the switch board before and after it."""

    def fault(one: Fault) -> Exception | None:
        if one.kind in ("error_before", "error_after"):
            return failed(500, "An unexpected error has occurred. Please retry your request later.")
        if one.kind == "rate_limited":
            return failed(400, "Application request limit reached")
        if one.kind == "token_revoked" and method == "GET":
            return token_lost(one.subcode, settings.INSTAGRAM_APP_ID)
        return None

    with state.lock:
        state.calls[f"{method} {edge}"] += 1
    faults = take(state, method, edge, "")
    strike(faults, before=fault)
    with state.lock:
        body = answer()
        state.changed()
    strike(faults, after=fault)
    return body


def as_json(body: dict[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(
        json.dumps(body), status=status, content_type="application/json", headers={"Cache-Control": "no-store"}
    )
