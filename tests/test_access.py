"""Who may do what: every address of the pages and every operation of the API, as everybody, cell by cell.

The rows come from the addresses themselves (`tests.test_isolation.ADDRESSES`, which must name each) and from the
document of the API; what is expected follows from the role that each says it needs. A cell is "in", or how the door is
closed. Behind a closed door nothing may have changed, and nothing of the workspace may be seen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import api_keys
from accounts.models import ApiKey, Membership, Role, User, Workspace
from publishing.models import Publication
from socialhub.api import ROOT, document_text
from tests.accounts.conftest import member, sign_in
from tests.test_isolation import ADDRESSES, MARK, Things, _network, ask, everything, make_things, several

__all__ = ["_network"]

pytestmark = pytest.mark.django_db

IN, ENTRANCE, UNKNOWN, FORBIDDEN, NOT_FOUND = "in", "entrance", "401", "403", "404"
RANKS = {"viewer": 1, "editor": 2, "admin": 3, "owner": 3}
NEEDS = {"member": 1, "viewer": 1, "editor": 2, "manager": 3}


@dataclass
class World:
    """One workspace with one of everything, and everybody around it."""

    things: Things
    people: dict[str, User]

    def clients(self, *names: str) -> dict[str, Client]:
        return {who: sign_in(self.people[who]) if who in self.people else Client() for who in names}


@pytest.fixture
def world(workspace: Workspace, owner: User, stranger: User) -> World:
    cache.clear()
    staff = User.objects.create_superuser(email="staff@example.com", password="correct horse")
    former = member(workspace, Role.ADMIN)
    things = make_things(workspace, owner)
    people = {
        **{role.value: member(workspace, role) for role in (Role.VIEWER, Role.EDITOR, Role.ADMIN)},
        "owner": owner,
        "stranger": stranger,
        "staff": staff,
        "former": former,
    }
    former.memberships.all().delete()
    return World(things, people)


class Undo(Exception):
    """Leaves a transaction without a trace."""


def cell(before: dict[str, list[Any]], look: Any) -> tuple[str, bool, str]:
    """What the look came to, whether rows changed, and what was shown. Everything is undone afterwards."""
    cache.clear()
    found: tuple[str, bool, str] = ("", False, "")
    try:
        with transaction.atomic():
            response = look()
            came_to = outcome(response)
            # Who was let in may change things, and strangers their own.
            changed = came_to != IN and everything() != before
            found = (came_to, changed, response.content.decode(errors="replace"))
            raise Undo
    except Undo:
        return found


def outcome(response: Any) -> str:
    where = response.get("Location") or response.get("HX-Redirect", "")
    if where.startswith(reverse("account_login")):
        return ENTRANCE
    if response.status_code in (401, 403, 404):
        return str(response.status_code)
    assert response.status_code in (200, 201, 202, 204, 302, 304, 409, 422), (response.status_code, response.content)
    return IN


# --- The pages ------------------------------------------------------------------------------------------------

PEOPLE = ("anonymous", "stranger", "former", "staff", "viewer", "editor", "admin", "owner")
PAGES = [(name, method) for name, line in ADDRESSES.items() for method in line.methods.split()]
# What the role alone does not say: a consent is its person's, a key that and managers', an end of all is for owners.
ELSE = {
    ("accounts:select", "admin"): NOT_FOUND,
    ("accounts:api_key_revoke", "viewer"): NOT_FOUND,
    ("accounts:api_key_revoke", "editor"): NOT_FOUND,
    ("analytics:workspace_delete", "admin"): FORBIDDEN,
    ("analytics:workspace_bring_back", "admin"): FORBIDDEN,
}


def expected_of_page(name: str, who: str) -> str:
    line = ADDRESSES[name]
    if who == "anonymous":
        return ENTRANCE
    if name == "accounts:workspace_switch" and who in ("stranger", "former", "staff"):
        return NOT_FOUND
    if line.role == "staff":
        return IN if who == "staff" else NOT_FOUND
    if who in ("stranger", "former", "staff"):
        # With a workspace of their own they are in that one, without any they are told so.
        if line.owned:
            return NOT_FOUND if who == "stranger" else f"{FORBIDDEN} or {NOT_FOUND}"
        return IN if who == "stranger" else f"{IN} or {FORBIDDEN} or {NOT_FOUND}"
    return ELSE.get((name, who), IN if RANKS[who] >= NEEDS[line.role] else FORBIDDEN)


@pytest.mark.parametrize("rows", several(PAGES))
def test_each_page_opens_for_those_alone_whose_it_is(world: World, rows: list[tuple[str, str]]) -> None:
    things, clients = world.things, world.clients(*PEOPLE)
    before, wrong = everything(), {}
    for name, method in rows:
        data = {"workspace": str(things.workspace.pk)} if name == "accounts:workspace_switch" else things.data(name)
        for who, client in clients.items():
            found, changed, shown = cell(before, partial(ask, client, method, things.url(name), data))
            expected = expected_of_page(name, who)
            is_outside = who in ("anonymous", "stranger", "former", "staff")
            leaks = is_outside and MARK.lower() in shown.lower()
            if found not in expected or leaks or changed:
                wrong[name, method, who] = (found, f"expected {expected}", f"changed {changed}", f"leaks {leaks}")
    assert not wrong


# --- The API --------------------------------------------------------------------------------------------------


def operations() -> Iterator[tuple[str, str]]:
    for path, methods in json.loads(document_text())["paths"].items():
        for method in methods:
            yield method.upper(), path.removeprefix(ROOT)


OPERATIONS = sorted(operations())
# Bodies and queries that reach for things of the workspace: "@word" stands for an id.
SENT: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "disconnect"): {"accountId": "@account"},
    ("POST", "validate"): {"content": "Hello", "accountIds": ["@account"]},
    ("POST", "posts"): {"content": "Hello", "accountIds": ["@account"], "mediaIds": ["@media"]},
    ("PATCH", "posts/{post_id}"): {"content": "Changed"},
    ("POST", "posts/schedule"): {"postId": "@draft", "scheduledAt": "2027-05-01T09:00:00Z"},
    ("POST", "posts/publish"): {"postId": "@draft"},
    ("POST", "posts/{post_id}/publications/{publication_id}/decide"): {"answer": "give_up"},
    ("POST", "insights/sync"): {"accountId": "@account"},
    ("POST", "connected-accounts/{account_id}/pause"): {"reason": "Fire"},
    ("POST", "connect/{platform}"): {},
    ("POST", "webhooks"): {"url": "https://hooks.invalid/new"},
    ("PATCH", "webhooks/{webhook_id}"): {"description": "Changed"},
    ("POST", "webhooks/{webhook_id}/resume"): {"missed": "send"},
}
ASKED: dict[str, str] = {
    "analytics": "postId=@failed_post",
    "insights": "platform=facebook&period=day&days=2&accountId=@account",
    "rate-limits": "accountId=@account",
    "posts": "accountId=@account",
    "oauth/connect": "platform=facebook",
}
# Ids in the body or the query: whoever has none of them is told that they are none, in the words of that field.
BY_BODY = {("POST", "validate"), ("POST", "posts"), ("POST", "disconnect"), ("POST", "posts/schedule")} | {
    *(("POST", "posts/publish"), ("POST", "insights/sync"), ("GET", "analytics"), ("GET", "insights")),
    *(("GET", "rate-limits"), ("GET", "posts")),
}


def ids_of(things: Things, method: str, path: str) -> dict[str, str]:
    failed = Publication.objects.get(pk=things.ids["failed"])
    stuck = Publication.objects.get(pk=things.ids["stuck"])
    publication = stuck if path.endswith("decide") else failed
    of_post = publication.post_id if "publication_id" in path else things.ids["draft"]
    return {
        "post_id": str(things.ids["post"] if path.endswith("cancel") else of_post),
        "publication_id": str(publication.pk),
        "failed_post": str(failed.post_id),
        "account_id": str(things.ids["account"]),
        "media_id": str(things.ids["media"]),
        "webhook_id": str(things.ids["webhook"]),
        "delivery_id": str(things.ids["delivery"]),
        "platform": "facebook",
        **{word: str(pk) for word, pk in things.ids.items()},
    }


def call(client: Client, things: Things, method: str, path: str, key: str = "") -> Any:
    ids = ids_of(things, method, path)
    address = ROOT + re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], path)
    if method == "GET" and path in ASKED:
        address += "?" + re.sub(r"@(\w+)", lambda found: ids[found[1]], ASKED[path])
    body = json.dumps(SENT.get((method, path))) if (method, path) in SENT else ""
    body = re.sub(r"@(\w+)", lambda found: ids[found[1]], body)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    response = client.generic(method, address, body, content_type="application/json", headers=headers)
    if response.streaming:
        text = response.getvalue()
        response.streaming_content = iter(())
        response.__class__.content = property(lambda self: text)
    return response


def needed(method: str, path: str) -> tuple[str, str]:
    """The scope of a key, and the role of its person, as the document says."""
    details = json.loads(document_text())["paths"][ROOT + path][method.lower()]
    return details["security"][0]["apiKey"][0], details["x-role"]


CALLERS = [
    "anonymous",
    *(f"session {who}" for who in ("stranger", "former", "viewer", "editor", "admin", "owner")),
    *(f"key of {who}: read write publish" for who in ("stranger", "viewer", "editor", "admin", "owner")),
    *(f"key of owner: {scopes}" for scopes in ("read", "write", "publish", "read write")),
    *("revoked key", "expired key", "key of somebody who left", "key of somebody shut out", "made-up key"),
]
DEAD = (
    "revoked key",
    "expired key",
    "key of somebody who left",
    "key of somebody shut out",
    "made-up key",
    "anonymous",
)


def key_for(world: World, caller: str) -> str:
    things, people = world.things, world.people
    if caller.startswith("key of ") and ":" in caller:
        who, _colon, scopes = caller.removeprefix("key of ").partition(": ")
        of = people[who].memberships.get().workspace if who == "stranger" else things.workspace
        return api_keys.make(of, people[who], "Robot", scopes.split())[1]
    if caller == "made-up key":
        return "shk_" + "a" * 43
    person = member(things.workspace, Role.OWNER)
    key, text = api_keys.make(things.workspace, person, "Robot", list(ApiKey.Scope.values))
    if caller == "revoked key":
        api_keys.revoke(key, person)
    elif caller == "expired key":
        ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    elif caller == "key of somebody who left":
        Membership.objects.filter(user=person).delete()
    else:
        User.objects.filter(pk=person.pk).update(is_active=False)
    return text


def expected_of_call(method: str, path: str, caller: str) -> str:
    scope, role = needed(method, path)
    if caller in DEAD:
        return UNKNOWN
    kind, _of, rest = caller.partition(" ")
    who = rest.removeprefix("of ").partition(":")[0]
    if kind == "key" and scope not in rest.partition(": ")[2].split():
        return FORBIDDEN
    if who == "former":
        return FORBIDDEN
    if who == "stranger":
        if "{" in path.replace("{platform}", ""):
            return NOT_FOUND
        return f"{NOT_FOUND} or {IN}" if (method, path) in BY_BODY else IN
    return IN if RANKS[who] >= NEEDS[role] else FORBIDDEN


@pytest.mark.parametrize("rows", several(OPERATIONS))
def test_each_operation_answers_those_alone_whose_it_is(world: World, rows: list[tuple[str, str]]) -> None:
    clients = world.clients("anonymous", "stranger", "former", "viewer", "editor", "admin", "owner")
    keys = {caller: key_for(world, caller) for caller in CALLERS if "key" in caller}
    ApiKey.objects.update(last_used_at=timezone.now())  # it is noted every five minutes
    before, wrong = everything(), {}
    for method, path in rows:
        for caller in CALLERS:
            client = clients.get(caller.removeprefix("session "), clients["anonymous"])
            asked = partial(call, client, world.things, method, path, keys.get(caller, ""))
            found, changed, shown = cell(before, asked)
            expected = expected_of_call(method, path, caller)
            is_outside = caller in DEAD or "stranger" in caller or "former" in caller
            leaks = is_outside and MARK.lower() in shown.lower()
            if found not in expected or leaks or changed:
                wrong[method, path, caller] = (found, f"expected {expected}", f"changed {changed}", f"leaks {leaks}")
    assert not wrong


def test_a_session_alone_changes_nothing_through_the_api(world: World) -> None:
    """Any page of anybody can send a cookie along; what it cannot send is the token of our forms."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.people["owner"], backend="allauth.account.auth_backends.AuthenticationBackend")
    before = everything()
    for method, path in OPERATIONS:
        if method != "GET":
            response = call(client, world.things, method, path)
            assert response.status_code == 403, path
            assert response.json()["error"]["code"] == "csrf"
    assert everything() == before


def test_a_key_opens_no_page(world: World) -> None:
    text = key_for(world, "key of owner: read write publish")
    for name, line in ADDRESSES.items():
        method = line.methods.split()[0]
        response = ask(
            Client(), method, world.things.url(name), world.things.data(name), Authorization=f"Bearer {text}"
        )
        assert outcome(response) == ENTRANCE, name
