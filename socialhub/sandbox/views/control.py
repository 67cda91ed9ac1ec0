"""The control API: what tests, benches and the switch board do to the sandbox."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from .. import grants as switches
from .. import metrics
from ..buffer import pages as buffer
from ..elsewhere import furnish_instagram, furnish_page
from ..faults import switch_on
from ..graph.accounts import SCOPES, make_page_token, remove_grant
from ..graph.errors import GraphError
from ..graph.videos import bring_out
from ..linkedin import pages as linkedin
from ..state import Grant, Media, Person, Post, State
from ..world import add_person, link_instagram, start
from .oauth import LONG_SECONDS, new_user_token


def body_of(request: HttpRequest) -> dict[str, Any]:
    if not request.body:
        return {}
    try:
        values = json.loads(request.body)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def problem(message: str, status: int = 400) -> JsonResponse:
    return JsonResponse({"error": message}, status=status)


@csrf_exempt
@require_http_methods(["POST"])
def reset(request: HttpRequest) -> JsonResponse:
    """Everything back to the first day."""
    start().reset()
    return JsonResponse({"success": True})


@csrf_exempt
@require_http_methods(["GET", "POST", "DELETE"])
def faults(request: HttpRequest) -> JsonResponse:
    """GET lists, POST switches one on {kind, edge, account, count, seconds, subcode, minutes}, DELETE switches all off."""
    state = start()
    if request.method == "POST":
        try:
            fault = switch_on(state, body_of(request))
        except GraphError as error:
            return problem(error.message)
        return JsonResponse(asdict(fault), status=201)
    if request.method == "DELETE":
        with state.lock:
            state.faults.clear()
            state.changed()
    return JsonResponse({"faults": [asdict(fault) for fault in state.faults.values()]})


@csrf_exempt
@require_http_methods(["GET", "POST", "DELETE"])
def withdrawn(request: HttpRequest) -> JsonResponse:
    """GET lists; POST {name, how: dead or withheld, account?: all} takes a metric away; DELETE {id?} gives it back, or all."""
    state = start()
    values = body_of(request)
    if request.method == "POST":
        taken = metrics.withdraw(
            state, str(values.get("name", "")), str(values.get("how", "")), str(values.get("account") or "all")
        )
        if taken is None:
            return problem("There must be a name, and how must be dead or withheld.")
        return JsonResponse(asdict(taken), status=201)
    if request.method == "DELETE":
        metrics.restore(state, str(values.get("id", "")))
    return JsonResponse({"withdrawn": [asdict(one) for one in state.withdrawn.values()]})


@require_http_methods(["GET"])
def feed(request: HttpRequest) -> JsonResponse:
    """?account=: the posts that people would see there, oldest first."""
    state = start()
    account_id = request.GET.get("account", "")
    with state.lock:
        if account_id in state.pages:
            bring_out(state)
            posts = [post_row(state, state.posts[post_id]) for post_id in state.posts_of[account_id]]
        elif account_id in state.instagrams:
            posts = [media_row(state.media[media_id]) for media_id in state.media_of[account_id]]
        else:
            rows = linkedin.feed_rows(state, account_id)
            if rows is None:
                rows = buffer.feed_rows(state, account_id)
            if rows is None:
                return problem(f"There is no account {account_id!r}.", 404)
            posts = rows
    return JsonResponse({"account": account_id, "posts": [post for post in posts if post["published"]]})


def post_row(state: State, post: Post) -> dict[str, Any]:
    return {
        "id": post.id,
        "kind": state.kind_of(post),
        "message": post.message,
        "link": post.link,
        "media": len(post.photo_ids) + bool(post.video_id),
        "comments": [comment.message for comment in state.comments_below(post.id)],
        "created": post.created_at,
        "published": post.is_published,
    }


def media_row(media: Media) -> dict[str, Any]:
    return {
        "id": media.id,
        "message": media.caption,
        "link": "",
        "media": len(media.children) or 1,
        "kind": media.product.lower() if media.product != "FEED" else "carousel" if media.children else "image",
        "comments": [comment["text"] for comment in media.comments],
        "created": media.created_at,
        "published": True,
    }


@require_http_methods(["GET"])
def calls(request: HttpRequest) -> JsonResponse:
    """How often each edge was called since the last reset, and the newest 500 calls."""
    state = start()
    with state.lock:
        return JsonResponse({"calls": dict(state.calls), "total": state.calls.total(), "log": list(state.log)})


@csrf_exempt
@require_http_methods(["POST"])
def clock(request: HttpRequest) -> JsonResponse:
    """{advance_seconds}: let time pass in the sandbox; {at}: a Unix time from which its clock goes on."""
    state = start()
    values = body_of(request)
    try:
        seconds = float(values.get("advance_seconds", 0))
        at = float(values["at"]) if "at" in values else None
    except (TypeError, ValueError):
        return problem("advance_seconds and at must be numbers.")
    with state.lock:
        state.clock_offset += seconds if at is None else at - state.now()
        state.changed()
    return JsonResponse({"now": state.now(), "offset": state.clock_offset})


@csrf_exempt
@require_http_methods(["POST"])
def latency(request: HttpRequest) -> JsonResponse:
    """{ms}: every call of the Graph API takes this much longer."""
    try:
        seconds = float(body_of(request).get("ms", 0)) / 1000
    except (TypeError, ValueError):
        return problem("ms must be a number.")
    start().latency_seconds = seconds
    return JsonResponse({"ms": seconds * 1000})


@csrf_exempt
@require_http_methods(["POST"])
def link(request: HttpRequest) -> JsonResponse:
    """{page_id, username?, followers?}: link an Instagram account to a Page."""
    state = start()
    values = body_of(request)
    page = state.pages.get(str(values.get("page_id")))
    if page is None:
        return problem("There is no such Page.", 404)
    with state.lock:
        if not page.instagram_id:
            followers = int(values.get("followers") or page.followers_count // 2)
            link_instagram(state, page, str(values.get("username") or page.username), followers=followers)
    return JsonResponse({"page_id": page.id, "instagram_id": page.instagram_id})


@csrf_exempt
@require_http_methods(["POST"])
def unlink(request: HttpRequest) -> JsonResponse:
    """{page_id}: take the Instagram account off a Page."""
    state = start()
    page = state.pages.get(str(body_of(request).get("page_id")))
    if page is None:
        return problem("There is no such Page.", 404)
    with state.lock:
        page.instagram_id = ""
        state.changed()
    return JsonResponse({"page_id": page.id, "instagram_id": ""})


@csrf_exempt
@require_http_methods(["POST"])
def people(request: HttpRequest) -> JsonResponse:
    """Tokens without the dialog, for a new person or a standing one.

    {name?, pages?: 1, instagram?: true, followers?: [n, …]} makes a person; {person: "gina"} takes one.
    {elsewhere?: 0}: so many posts on each of the Pages and Instagram accounts that socialhub did not make.
    {scopes?} default to all, {seconds?} to 60 days; with fewer seconds than a day the Page tokens die with the user's.
    """
    state = start()
    values = body_of(request)
    with state.lock:
        if key := values.get("person"):
            person = next((one for one in state.people.values() if one.key == key), None)
            if person is None:
                return problem(f"There is no person {key!r}.", 404)
        else:
            person = add_person(
                state,
                str(values.get("name") or "Test Person"),
                int(values.get("pages", 1)),
                instagram=bool(values.get("instagram", True)),
                followers=values.get("followers") or (),
            )
        if count := int(values.get("elsewhere") or 0):
            furnish_person(state, person, count)
        return JsonResponse(granted(state, person, values), status=201)


def furnish_person(state: State, person: Person, count: int) -> None:
    for page_id in state.page_of_person[person.id]:
        page = state.pages[page_id]
        furnish_page(state, page, count)
        if page.instagram_id:
            furnish_instagram(state, state.instagrams[page.instagram_id], count)
    state.changed()


def granted(state: State, person: Person, values: dict[str, Any]) -> dict[str, Any]:
    scopes = list(values.get("scopes") or SCOPES)
    page_ids = list(state.page_of_person[person.id])
    state.add(Grant(person.id, scopes, [], page_ids))
    token = new_user_token(state, person.id, scopes, page_ids, float(values.get("seconds") or LONG_SECONDS))
    pages = []
    for page_id in page_ids:
        page = state.pages[page_id]
        role = page.role_of(person.id)
        instagram = state.instagrams.get(page.instagram_id)
        pages.append(
            {
                "id": page.id,
                "name": page.name,
                "username": page.username,
                "access_token": make_page_token(state, token, page).value if role and role.tasks else None,
                "tasks": role.tasks if role else [],
                "instagram_id": page.instagram_id or None,
                "instagram_username": instagram.username if instagram else None,
            }
        )
    return {
        "person_id": person.id,
        "person": person.key,
        "name": person.name,
        "user_token": token.value,
        "expires_at": token.expires_at,
        "pages": pages,
    }


@csrf_exempt
@require_http_methods(["POST"])
def revoke(request: HttpRequest) -> JsonResponse:
    """{person, subcode?: 458}: the person takes the app away, changes the password (460) or is sent to a checkpoint (459)."""
    state = start()
    values = body_of(request)
    person = next((one for one in state.people.values() if one.key == values.get("person")), None)
    if person is None:
        return problem("There is no such person.", 404)
    with state.lock:
        subcode = int(values.get("subcode") or 458)
        if subcode == 458:
            remove_grant(state, person.id)
        for token in state.tokens.values():
            if token.person_id == person.id:
                token.lost = token.lost or subcode
        state.changed()
    return JsonResponse({"success": True})


@csrf_exempt
@require_http_methods(["POST"])
def grants(request: HttpRequest) -> JsonResponse:
    """{network, person, action, scope?}: expire, revoke, remove_permission or lose_refresh_answer, on any network."""
    values = {name: str(value) for name, value in body_of(request).items()}
    try:
        touched = switches.act(
            start(),
            values.get("network", ""),
            values.get("person", ""),
            values.get("action", ""),
            values.get("scope", ""),
        )
    except switches.Unknown as error:
        return problem(str(error))
    return JsonResponse({"tokens": touched})
