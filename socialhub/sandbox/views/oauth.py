"""The consent dialog, and how codes become tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from .. import settings
from ..faults import strike_after, strike_before, take
from ..graph.accounts import SCOPES, is_long_lived
from ..graph.call import Call
from ..graph.dispatch import Reply, remember
from ..graph.errors import GraphError, invalid, token_lost
from ..graph.versions import served_version
from ..state import Code, Grant, Page, Person, State, Token
from ..world import start

HOUR, DAY = 3600, 86_400
CODE_SECONDS = 600
SHORT_SECONDS = 90 * 60
LONG_SECONDS = 60 * DAY
DATA_SECONDS = 90 * DAY
LOOPBACK = {"localhost", "127.0.0.1", "::1", "testserver"}
ALWAYS = ["public_profile"]
# What a configuration of Facebook Login for Business gives; the person takes all of it or nothing.
CONFIGURED = [
    "email",
    "pages_show_list",
    "pages_read_engagement",
    "pages_read_user_content",
    "pages_manage_posts",
    "read_insights",
    "business_management",
    "instagram_basic",
    "instagram_content_publish",
    "instagram_manage_insights",
]
DEAD_SCOPES = {"manage_pages", "publish_pages", "publish_actions", "read_page_mailboxes", "user_profile", "user_media"}


class BadRequestError(Exception):
    """The request is so wrong that the person is not sent back; the text says why."""


@dataclass(frozen=True)
class Request:
    """What an app asks a person for, checked."""

    redirect_uri: str
    state: str
    scopes: list[str]
    all_or_nothing: bool
    asks_again: bool
    challenge: str
    challenge_method: str

    def back(self, **answer: str) -> HttpResponseRedirect:
        parts = urlsplit(self.redirect_uri)
        if self.state:
            answer["state"] = self.state
        query = "&".join(part for part in (parts.query, urlencode(answer)) if part)
        response = HttpResponse(status=302)
        response.headers["Location"] = parts._replace(query=query).geturl() + "#_=_"
        return response  # type: ignore[return-value]


@csrf_exempt
def dialog(request: HttpRequest, version: str) -> HttpResponse:
    """GET shows who may answer, then what is asked; POST is the person's answer."""
    state = start()
    values = request.POST if request.method == "POST" else request.GET
    try:
        served_version(version, state.now(), f"{version}/dialog/oauth")
        asked = read_request(values.dict())
    except (BadRequestError, GraphError) as error:
        return render(request, "sandbox/dialog_error.html", {"message": str(error)}, status=400)
    person = next((one for one in state.people.values() if one.key == values.get("person")), None)
    if request.method == "POST":
        if "cancel" in request.POST or person is None:
            return asked.back(
                error="access_denied",
                error_code="200",
                error_description="Permissions error",
                error_reason="user_denied",
            )
        return grant(state, asked, person, request.POST.getlist("scopes"), request.POST.getlist("pages"))
    query = [(name, value) for name, value in request.GET.items() if name != "person"]
    context: dict[str, Any] = {"query": query, "address": urlencode(query), "redirect_host": host(asked.redirect_uri)}
    if person is None:
        return render(request, "sandbox/dialog_person.html", {**context, "people": list(state.people.values())})
    earlier = state.grants.get(person.id)
    declined = set(earlier.declined) if earlier and not asked.asks_again else set()
    pages = [state.pages[page_id] for page_id in state.page_of_person[person.id]]
    context.update(
        person=person,
        pages=pages,
        all_or_nothing=asked.all_or_nothing,
        scopes=[(scope, SCOPES[scope]) for scope in asked.scopes if scope not in declined],
        first_name=person.name.split()[0],
    )
    return render(request, "sandbox/dialog_consent.html", context)


def host(url: str) -> str:
    return urlsplit(url).netloc


def read_request(values: dict[str, str]) -> Request:
    """Raises BadRequestError: these mistakes the real dialog shows to the developer instead of sending anybody on."""
    if values.get("client_id") != settings.META_APP_ID:
        raise BadRequestError("Invalid App ID: The provided app ID does not look like a valid app ID.")
    redirect_uri = values.get("redirect_uri", "")
    if not is_registered(redirect_uri):
        raise BadRequestError(
            "URL blocked: This redirect failed because the redirect URI is not allowed in the app's Client OAuth "
            f"settings ({redirect_uri or 'it is missing'})."
        )
    if values.get("response_type", "code") != "code":
        raise BadRequestError("Only response_type=code is allowed for this app.")
    scopes = [scope for scope in values.get("scope", "").replace(" ", ",").split(",") if scope]
    bad = [scope for scope in scopes if scope in DEAD_SCOPES or scope not in SCOPES]
    if bad:
        raise BadRequestError(f"Invalid Scopes: {', '.join(bad)}. This message is only shown to developers.")
    config_id = values.get("config_id", "")
    if config_id and not config_id.isdigit():
        raise BadRequestError(f"Invalid config_id: {config_id}")
    method = values.get("code_challenge_method", "")
    if values.get("code_challenge") and method not in ("S256", "plain", ""):
        raise BadRequestError("Invalid code_challenge_method: use S256.")
    if (auth_type := values.get("auth_type", "")) not in ("", "rerequest", "reauthorize", "reauthenticate"):
        raise BadRequestError(f"Invalid auth_type: {auth_type}")
    return Request(
        redirect_uri=redirect_uri,
        state=values.get("state", ""),
        scopes=CONFIGURED if config_id else [scope for scope in dict.fromkeys(scopes) if scope not in ALWAYS],
        all_or_nothing=bool(config_id),
        asks_again=auth_type == "rerequest",
        challenge=values.get("code_challenge", ""),
        challenge_method=method or "plain",
    )


def is_registered(redirect_uri: str) -> bool:
    parts = urlsplit(redirect_uri)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment:
        return False
    origin = f"{parts.scheme}://{parts.netloc}"
    return (
        parts.hostname in LOOPBACK
        or parts.hostname.endswith(".localhost")
        or origin in settings.SANDBOX_REDIRECT_ORIGINS
    )


def grant(state: State, asked: Request, person: Person, scopes: list[str], page_ids: list[str]) -> HttpResponse:
    """Write down what the person allowed and send them back with a code."""
    allowed = list(asked.scopes) if asked.all_or_nothing else [scope for scope in asked.scopes if scope in scopes]
    with state.lock:
        own = state.page_of_person[person.id]
        page_ids = [page_id for page_id in page_ids if page_id in own]
        earlier = state.grants.get(person.id)
        declined = {scope for scope in asked.scopes if scope not in allowed}
        if earlier is not None:
            # What was allowed before and is not asked for now stays allowed.
            allowed = [*allowed, *(scope for scope in earlier.scopes if scope not in allowed and scope not in declined)]
            declined |= set(earlier.declined) - set(allowed)
        scopes_now = list(dict.fromkeys([*ALWAYS, *allowed]))
        state.add(Grant(person.id, scopes_now, sorted(declined), page_ids))
        code = state.add(
            Code(
                "AQ" + secrets.token_urlsafe(48),
                person.id,
                asked.redirect_uri,
                scopes_now,
                page_ids,
                state.now() + CODE_SECONDS,
                asked.challenge,
                asked.challenge_method,
            )
        )
    return asked.back(code=code.value)


# Tokens


def exchange_token(call: Call) -> Reply:
    """GET or POST oauth/access_token: a code or a short-lived token becomes a token."""
    struck = take(call.state, call.method, "oauth", "")
    strike_before(call, struck)
    if call.method not in ("GET", "POST"):
        raise GraphError(100, "Unsupported request.", kind="GraphMethodException")
    if call.text("client_id") != settings.META_APP_ID:
        raise GraphError(101, "Error validating application. Cannot get application info due to a system error.")
    if not hmac.compare_digest(call.text("client_secret").encode(), settings.META_APP_SECRET.encode()):
        raise GraphError(1, "Error validating client secret.", status=400)
    with call.state.lock:
        grant_type = call.text("grant_type") or "authorization_code"
        if grant_type == "client_credentials":
            body = {"access_token": f"{settings.META_APP_ID}|{settings.META_APP_SECRET}", "token_type": "bearer"}
        elif grant_type == "fb_exchange_token":
            body = token_body(call, long_token(call))
        elif grant_type == "authorization_code":
            body = token_body(call, token_for_code(call))
        else:
            raise invalid(f"Unknown grant_type {grant_type}")
    strike_after(struck)
    reply = Reply(200, body, {"facebook-api-version": call.version})
    remember(call, reply, lost=False)
    return reply


def token_body(call: Call, token: Token) -> dict[str, Any]:
    return {"access_token": token.value, "token_type": "bearer", "expires_in": int(token.expires_at - call.now)}


def token_for_code(call: Call) -> Token:
    code = call.state.codes.get(call.text("code"))
    if code is None:
        raise invalid("Invalid verification code format.", subcode=36008)
    if code.used:
        raise GraphError(100, "This authorization code has been used.", subcode=36009)
    if call.now >= code.expires_at:
        raise GraphError(100, "This authorization code has expired.", subcode=36007)
    if code.redirect_uri != call.text("redirect_uri"):
        raise GraphError(
            100,
            "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in "
            "the OAuth dialog request",
            subcode=36008,
        )
    check_verifier(code, call.text("code_verifier"))
    code.used = True
    return new_user_token(call.state, code.person_id, code.scopes, code.page_ids, SHORT_SECONDS)


def check_verifier(code: Code, verifier: str) -> None:
    if not code.challenge:
        return
    proof = verifier
    if code.challenge_method == "S256":
        proof = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if not verifier or not hmac.compare_digest(proof.encode(), code.challenge.encode()):
        raise GraphError(100, "Invalid code_verifier: it does not match the code_challenge.", subcode=36010)


def new_user_token(
    state: State, person_id: str, scopes: list[str], page_ids: list[str], seconds: float, value: str = ""
) -> Token:
    now = state.now()
    return state.add(
        Token(
            value or "EAASuser" + secrets.token_hex(60),
            "USER",
            person_id,
            list(scopes),
            list(page_ids),
            now,
            now + seconds,
            now + DATA_SECONDS,
        )
    )


def long_token(call: Call) -> Token:
    """An expired token cannot be exchanged; a long-lived one comes back as it is."""
    token = call.state.tokens.get(call.text("fb_exchange_token"))
    if token is None or token.kind != "USER":
        raise GraphError(190, "Invalid OAuth access token - Cannot parse access token")
    if token.lost:
        raise token_lost(token.lost, settings.META_APP_ID)
    if call.now >= token.expires_at:
        raise token_lost(463, settings.META_APP_ID)
    if is_long_lived(token):
        return token
    return new_user_token(call.state, token.person_id, token.scopes, token.page_ids, LONG_SECONDS)


def debug_token(call: Call) -> Reply:
    """What is known of a token; only for who has the app's own token."""
    strike_before(call, take(call.state, call.method, "debug_token", ""))
    if (call.text("access_token") or call.bearer) != f"{settings.META_APP_ID}|{settings.META_APP_SECRET}":
        raise GraphError(190, "Invalid OAuth access token signature.")
    token = call.state.tokens.get(call.text("input_token"))
    if token is None:
        error = {"code": 190, "message": "Invalid OAuth access token - Cannot parse access token"}
        data: dict[str, Any] = {"error": error, "is_valid": False, "scopes": []}
    else:
        data = token_facts(call, token)
    reply = Reply(200, {"data": data}, {"facebook-api-version": call.version})
    remember(call, reply, lost=False)
    return reply


def token_facts(call: Call, token: Token) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "app_id": settings.META_APP_ID,
        "type": token.kind,
        "application": "socialhub",
        "data_access_expires_at": int(token.data_access_expires_at),
        "expires_at": int(token.expires_at),
        "is_valid": token.usable_at(call.now),
        "issued_at": int(token.issued_at),
        "scopes": token.scopes,
        "granular_scopes": granular(call.state, token),
        "user_id": token.person_id,
    }
    if token.kind == "PAGE":
        facts["profile_id"] = token.page_id
    if not facts["is_valid"]:
        error = token_lost(token.lost or 463, settings.META_APP_ID)
        facts["error"] = {"code": error.code, "message": error.message, "subcode": error.subcode}
    return facts


def granular(state: State, token: Token) -> list[dict[str, Any]]:
    """Which Pages and Instagram accounts each permission counts for."""
    pages: list[Page] = [state.pages[page_id] for page_id in token.page_ids]
    rows: list[dict[str, Any]] = []
    for scope in token.scopes:
        if scope.startswith("instagram_"):
            rows.append({"scope": scope, "target_ids": [page.instagram_id for page in pages if page.instagram_id]})
        elif scope.startswith("pages_") or scope == "read_insights":
            rows.append({"scope": scope, "target_ids": [page.id for page in pages]})
        else:
            rows.append({"scope": scope})
    return rows
