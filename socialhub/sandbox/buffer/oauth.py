"""Buffer's consent page, personal keys, and tokens that can be refreshed just once each."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from .. import settings
from ..faults import AnswerLostError, strike, take
from ..state import Fault, State
from ..views import base_url
from ..views.graph import hang_up
from ..views.oauth import is_registered
from ..world import start
from .rows import Account, Code, Grant, Token
from .world import object_id

CODE_SECONDS = 600
ACCESS_SECONDS = 3_600
REFRESH_SECONDS = 180 * 86_400
SCOPES = {
    "posts:read": "See your posts",
    "posts:write": "Create, change and delete posts",
    "ideas:read": "See your ideas",
    "ideas:write": "Create and change ideas",
    "account:read": "See your account, organizations and channels",
    "account:write": "Change your account",
    "insights:read": "See how your posts perform",
    "engagements:read": "See comments",
    "engagements:write": "Answer comments",
    "openid": "Know who you are",
    "offline_access": "Keep this access while you are away",
}


class BadRequestError(Exception):
    """The request is so wrong that the person is not sent back; the text says why."""


@dataclass(frozen=True)
class Request:
    """What an app asks the owner of an account for."""

    redirect_uri: str
    state: str
    scopes: list[str]
    challenge: str
    asks_again: bool

    def back(self, issuer: str, **answer: str) -> HttpResponse:
        if self.state:
            answer["state"] = self.state
        parts = urlsplit(self.redirect_uri)
        query = "&".join(part for part in (parts.query, urlencode({**answer, "iss": issuer})) if part)
        response = HttpResponse(status=302)
        response.headers["Location"] = parts._replace(query=query).geturl()
        return response


class OAuthError(Exception):
    """A refusal in the words of OAuth."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.status = status

    def response(self) -> JsonResponse:
        return JsonResponse({"error": self.error, "error_description": str(self)}, status=self.status)


@csrf_exempt
@require_http_methods(["GET", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    """GET shows who may answer, then what is asked; POST is the answer."""
    state = start()
    values = request.POST if request.method == "POST" else request.GET
    issuer = f"{base_url(request)}/buffer/auth"
    try:
        asked = read_request(values.dict())
        check_request(values.dict(), asked)
    except BadRequestError as error:
        return render(request, "sandbox/buffer/error.html", {"message": str(error)}, status=400)
    except OAuthError as error:
        return asked.back(issuer, error=error.error, error_description=str(error))
    account = next((one for one in state.buffer_accounts.values() if one.key == values.get("person")), None)
    if "cancel" in values:
        return asked.back(issuer, error="access_denied", error_description="End-User aborted interaction")
    if account is not None and (
        request.method == "POST" or (not asked.asks_again and live_grant(state, account, asked))
    ):
        return allow(state, asked, account, issuer, first=request.method == "POST")
    query = [(name, value) for name, value in values.items() if name != "person"]
    context: dict[str, Any] = {
        "query": query,
        "address": urlencode(query),
        "redirect_host": urlsplit(asked.redirect_uri).netloc,
    }
    if account is None:
        return render(
            request, "sandbox/buffer/accounts.html", {**context, "accounts": list(state.buffer_accounts.values())}
        )
    meanings = [(scope, SCOPES[scope]) for scope in asked.scopes]
    return render(request, "sandbox/buffer/consent.html", {**context, "account": account, "meanings": meanings})


def read_request(values: dict[str, str]) -> Request:
    """Raises BadRequestError: without a known client and address there is nobody to send the answer to."""
    if values.get("client_id") != settings.BUFFER_CLIENT_ID:
        raise BadRequestError("invalid_client: client is invalid")
    redirect_uri = values.get("redirect_uri", "")
    if not is_registered(redirect_uri):
        raise BadRequestError(
            "invalid_redirect_uri: redirect_uri did not match any of the client's registered redirect_uris"
        )
    return Request(
        redirect_uri,
        values.get("state", ""),
        list(dict.fromkeys(values.get("scope", "").split())),
        values.get("code_challenge", ""),
        "consent" in values.get("prompt", "").split(),
    )


def check_request(values: dict[str, str], asked: Request) -> None:
    """Raises OAuthError: these mistakes are told to the app."""
    if values.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response_type must be code")
    if not asked.challenge or values.get("code_challenge_method") != "S256":
        raise OAuthError("invalid_request", "Authorization Server policy requires PKCE with S256 to be used")
    if bad := [scope for scope in asked.scopes if scope not in SCOPES]:
        raise OAuthError("invalid_scope", f"requested scope is not allowed: {bad[0]}")
    if not asked.scopes:
        raise OAuthError("invalid_scope", "a scope is needed")


def live_grant(state: State, account: Account, asked: Request) -> Grant | None:
    return next(
        (
            grant
            for grant in list(state.buffer_grants.values())
            if grant.account_id == account.id and not grant.revoked and set(grant.scopes) == set(asked.scopes)
        ),
        None,
    )


def allow(state: State, asked: Request, account: Account, issuer: str, *, first: bool) -> HttpResponse:
    """Write down what was allowed. An app that did not ask anew gets no new refresh token."""
    with state.lock:
        grant = None if first else live_grant(state, account, asked)
        scopes = list(asked.scopes)
        if grant is not None:
            scopes = [scope for scope in scopes if scope != "offline_access"]
        else:
            grant = new_grant(state, account, asked.scopes)
        code = state.add(
            Code(
                secrets.token_urlsafe(32),
                account.id,
                asked.redirect_uri,
                scopes,
                asked.challenge,
                state.now() + CODE_SECONDS,
                grant_id=grant.id,
            )
        )
    return asked.back(issuer, code=code.value)


def new_grant(state: State, account: Account, scopes: list[str]) -> Grant:
    return state.add(Grant(object_id(0x6000_0000_0000 + state.new_number()), account.id, list(scopes)))


def revoke_grant(state: State, grant_id: str) -> None:
    """Everything that has come of one consent is over."""
    if grant := state.buffer_grants.get(grant_id):
        grant.revoked = True
    for token in state.buffer_tokens.values():
        if token.grant_id == grant_id:
            token.revoked = True
    state.changed()


# Tokens


@csrf_exempt
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """A code or a refresh token becomes an access token and, with offline_access, the next refresh token."""
    state = start()
    values = request.POST.dict()
    with state.lock:
        state.calls["POST buffer.token"] += 1
    struck = take(state, "POST", "buffer.token", "")
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
                    raise OAuthError("unsupported_grant_type", "unsupported grant_type requested")
        strike(struck, after=token_faults)
    except OAuthError as error:
        return error.response()
    except AnswerLostError:
        return hang_up(request)
    return JsonResponse(body, headers={"Cache-Control": "no-store"})


def token_faults(fault: Fault) -> Exception | None:
    if fault.kind in ("error_before", "error_after"):
        return OAuthError("server_error", "oops! something went wrong", 500)
    if fault.kind == "rate_limited":
        return OAuthError("temporarily_unavailable", "Too many requests", 429)
    if fault.kind in ("token_revoked", "token_expired"):
        return OAuthError("invalid_grant", "grant request is invalid")
    return None


def check_client(values: dict[str, str]) -> None:
    """A confidential client sends its secret in the form, and only there. Raises OAuthError."""
    right = hmac.compare_digest(values.get("client_secret", "").encode(), settings.BUFFER_CLIENT_SECRET.encode())
    if values.get("client_id") != settings.BUFFER_CLIENT_ID or not right:
        raise OAuthError("invalid_client", "client authentication failed", 401)


def token_for_code(state: State, values: dict[str, str]) -> dict[str, Any]:
    code = state.buffer_codes.get(values.get("code", ""))
    if code is None:
        raise OAuthError("invalid_grant", "grant request is invalid")
    if code.used:
        revoke_grant(state, code.grant_id)
        raise OAuthError("invalid_grant", "grant request is invalid")
    if state.now() >= code.expires_at or code.redirect_uri != values.get("redirect_uri"):
        raise OAuthError("invalid_grant", "grant request is invalid")
    proof = base64.urlsafe_b64encode(hashlib.sha256(values.get("code_verifier", "").encode()).digest()).rstrip(b"=")
    if not hmac.compare_digest(proof, code.challenge.encode()):
        raise OAuthError("invalid_grant", "grant request is invalid")
    code.used = True
    return new_tokens(state, state.buffer_grants[code.grant_id], code.scopes)


def token_for_refresh(state: State, values: dict[str, str]) -> dict[str, Any]:
    """Each refresh token works once. Whoever brings a used one may be a thief: everything of that consent ends."""
    refresh = state.buffer_tokens.get(values.get("refresh_token", ""))
    if refresh is None or refresh.kind != "refresh":
        raise OAuthError("invalid_grant", "grant request is invalid")
    if refresh.used:
        revoke_grant(state, refresh.grant_id)
        raise OAuthError("invalid_grant", "grant request is invalid")
    if not refresh.usable_at(state.now()):
        raise OAuthError("invalid_grant", "grant request is invalid")
    refresh.used = True
    return new_tokens(state, state.buffer_grants[refresh.grant_id], refresh.scopes)


def new_tokens(state: State, grant: Grant, scopes: list[str], seconds: float = ACCESS_SECONDS) -> dict[str, Any]:
    now = state.now()
    access = state.add(
        Token(secrets.token_urlsafe(32), "access", grant.account_id, now, now + seconds, list(scopes), grant.id)
    )
    body = {
        "access_token": access.value,
        "expires_in": int(seconds),
        "scope": " ".join(scopes),
        "token_type": "Bearer",
    }
    if "offline_access" in scopes:
        refresh = state.add(
            Token(
                secrets.token_urlsafe(32),
                "refresh",
                grant.account_id,
                now,
                now + REFRESH_SECONDS,
                list(scopes),
                grant.id,
            )
        )
        body["refresh_token"] = refresh.value
    return body


@csrf_exempt
@require_POST
def revocation(request: HttpRequest) -> HttpResponse:
    """A refresh token takes its whole grant with it; an unknown token is no error."""
    state = start()
    with state.lock:
        state.calls["POST buffer.revocation"] += 1
    try:
        check_client(request.POST.dict())
    except OAuthError as error:
        return error.response()
    with state.lock:
        found = state.buffer_tokens.get(request.POST.get("token", ""))
        if found is not None and found.kind == "refresh":
            revoke_grant(state, found.grant_id)
        elif found is not None and found.kind == "access":
            found.revoked = True
            state.changed()
    return HttpResponse(status=200)


@csrf_exempt
@require_POST
def introspection(request: HttpRequest) -> JsonResponse:
    state = start()
    try:
        check_client(request.POST.dict())
    except OAuthError as error:
        return error.response()
    found = state.buffer_tokens.get(request.POST.get("token", ""))
    if found is None or found.kind == "key" or found.used or not found.usable_at(state.now()):
        return JsonResponse({"active": False})
    return JsonResponse(
        {
            "active": True,
            "client_id": settings.BUFFER_CLIENT_ID,
            "exp": int(found.expires_at),
            "iat": int(found.issued_at),
            "scope": " ".join(found.scopes),
            "sub": found.account_id,
        }
    )


@require_GET
def discovery(request: HttpRequest) -> JsonResponse:
    issuer = f"{base_url(request)}/buffer/auth"
    return JsonResponse(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/auth",
            "token_endpoint": f"{issuer}/token",
            "revocation_endpoint": f"{issuer}/token/revocation",
            "introspection_endpoint": f"{issuer}/token/introspection",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "none"],
        }
    )


# Personal keys


def new_key(state: State, account: Account, name: str, seconds: float = 0) -> Token:
    now = state.now()
    value = f"1/{secrets.token_hex(32)}"
    return state.add(Token(value, "key", account.id, now, now + seconds if seconds else 0.0, name=name))


@csrf_exempt
@require_http_methods(["GET", "POST"])
def keys(request: HttpRequest) -> HttpResponse:
    """Each account's keys. A new one is shown once, here and now."""
    state = start()
    made = ""
    with state.lock:
        account = next((one for one in state.buffer_accounts.values() if one.key == request.POST.get("person")), None)
        if account is not None and "make" in request.POST:
            made = new_key(state, account, request.POST.get("name", "").strip() or "socialhub").value
        elif account is not None and (removed := dict(keys_of(state, account)).get(request.POST.get("remove", ""))):
            removed.revoked = True
            state.changed()
        elif request.method == "POST":
            return HttpResponse(status=422)
        rows = [(one, keys_of(state, one)) for one in state.buffer_accounts.values()]
    context = {"rows": rows, "made": made, "account": account}
    response = render(request, "sandbox/buffer/keys.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


def keys_of(state: State, account: Account) -> list[tuple[str, Token]]:
    """The live ones, each under a name that tells nothing of it."""
    own = [one for one in state.buffer_tokens.values() if one.account_id == account.id and one.kind == "key"]
    return [(str(number), one) for number, one in enumerate(own) if one.usable_at(state.now())]
