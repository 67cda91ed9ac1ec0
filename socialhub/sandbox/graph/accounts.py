"""The person's side: /me, permissions, Pages, business portfolios."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from .. import settings
from ..state import Business, Page, Person, Role, Token
from . import call as calls
from .call import OMIT, Call, endpoint, listing, render, resolver
from .errors import invalid, no_permission
from .fields import Field, parse_fields

calls.SPEC_NAMES.update({Person: "User", Business: "Business"})
PAGE_DEFAULT = "access_token,category,name,id,tasks"
# Every permission the app may ask for; email and public_profile are always there.
SCOPES = {
    "public_profile": "Your name and profile picture",
    "email": "Your e-mail address",
    "pages_show_list": "See the list of Pages you manage",
    "pages_read_engagement": "Read content posted on your Pages",
    "pages_read_user_content": "Read what people write on your Pages",
    "pages_manage_posts": "Create and manage content on your Pages",
    "pages_manage_engagement": "Answer and moderate comments on your Pages",
    "pages_manage_metadata": "Manage settings and webhooks of your Pages",
    "pages_messaging": "Manage conversations of your Pages",
    "read_insights": "See insights of your Pages and posts",
    "business_management": "Manage your business portfolios",
    "instagram_basic": "See profile and posts of your Instagram account",
    "instagram_content_publish": "Publish to your Instagram account",
    "instagram_manage_insights": "See insights of your Instagram account",
    "instagram_manage_comments": "Answer and moderate comments on Instagram",
    "instagram_manage_messages": "Manage messages of your Instagram account",
    "instagram_manage_contents": "Delete posts of your Instagram account",
    "instagram_manage_engagement": "Like posts and comments on Instagram",
    "ads_read": "Read your ads and their results",
    "ads_management": "Manage your ads",
    "publish_video": "Publish live video",
}


@endpoint(Person, "GET")
def read_person(call: Call, person: Person) -> Any:
    return render(call, person, call.fields, "id,name")


@resolver(Person, "id")
def person_id(call: Call, person: Person, field: Field) -> str:
    return person.id


@resolver(Person, "name")
def person_name(call: Call, person: Person, field: Field) -> str:
    return person.name


@resolver(Person, "first_name", "short_name")
def person_first_name(call: Call, person: Person, field: Field) -> str:
    return person.name.split()[0]


@resolver(Person, "last_name")
def person_last_name(call: Call, person: Person, field: Field) -> str:
    return person.name.split()[-1]


@resolver(Person, "email")
def person_email(call: Call, person: Person, field: Field) -> Any:
    return f"{person.key}@example.com" if "email" in call.token.scopes else OMIT


# Permissions


@endpoint(Person, "GET", "permissions")
def permissions(call: Call, person: Person) -> Any:
    grant = call.state.grants.get(person.id)
    granted = [{"permission": scope, "status": "granted"} for scope in (grant.scopes if grant else call.token.scopes)]
    declined = [{"permission": scope, "status": "declined"} for scope in (grant.declined if grant else [])]
    wanted = call.text("permission")
    status = call.text("status")
    rows = [
        row
        for row in granted + declined
        if (not wanted or row["permission"] == wanted) and (not status or row["status"] == status)
    ]
    return {"data": rows}


@endpoint(Person, "DELETE", "permissions", declared="User DELETE permissions")
def revoke(call: Call, person: Person) -> Any:
    """All permissions take the app away from the person and every token with it; one takes just that one."""
    _ = call.person
    scope = call.text("permission")
    if scope and scope not in SCOPES:
        raise invalid(f"Invalid permission {scope}")
    remove_grant(call.state, person.id, scope)
    return {"success": True}


def remove_grant(state: Any, person_id: str, scope: str = "") -> None:
    grant = state.grants.get(person_id)
    if grant is not None:
        if scope and scope in grant.scopes:
            grant.scopes.remove(scope)
            grant.declined.append(scope)
        elif not scope:
            del state.grants[person_id]
    for token in state.tokens.values():
        if token.person_id != person_id:
            continue
        if not scope:
            token.lost = token.lost or 458
        elif scope in token.scopes:
            token.scopes.remove(scope)
    state.changed()


# Pages


@endpoint(Person, "GET", "accounts")
def accounts(call: Call, person: Person) -> Any:
    """Pages with a role of their own. Those behind a business portfolio are silently left out, as in reality."""
    _ = call.person
    if "pages_show_list" not in call.token.scopes:
        return {"data": []}
    pages = [
        page
        for page_id in call.state.page_of_person[person.id]
        if (page := call.state.pages[page_id]).id in call.token.page_ids and reach_of(page, person.id) == "direct"
    ]
    return page_list(call, pages)


@endpoint(Person, "GET", "businesses")
def businesses(call: Call, person: Person) -> Any:
    if "business_management" not in call.token.scopes:
        raise no_permission("business_management")
    rows = [business for business in call.state.businesses.values() if business.person_id == person.id]
    return listing(call, rows, lambda business: render(call, business, call.fields, "id,name"))


@endpoint(Business, "GET")
def read_business(call: Call, business: Business) -> Any:
    return render(call, business, call.fields, "id,name")


@resolver(Business, "name")
def business_name(call: Call, business: Business, field: Field) -> str:
    return business.name


@resolver(Business, "id")
def business_id(call: Call, business: Business, field: Field) -> str:
    return business.id


@endpoint(Business, "GET", "owned_pages")
def owned_pages(call: Call, business: Business) -> Any:
    return portfolio_pages(call, business, "owned")


@endpoint(Business, "GET", "client_pages")
def client_pages(call: Call, business: Business) -> Any:
    return portfolio_pages(call, business, "client")


def portfolio_pages(call: Call, business: Business, reach: str) -> Any:
    if "business_management" not in call.token.scopes:
        raise no_permission("business_management")
    person = call.person
    pages = [
        page
        for page_id in call.state.page_of_person[person.id]
        if (page := call.state.pages[page_id]).business_id == business.id
        and page.id in call.token.page_ids
        and reach_of(page, person.id) == reach
    ]
    return page_list(call, pages)


def reach_of(page: Page, person_id: str) -> str:
    role = page.role_of(person_id)
    return role.reach if role else ""


def page_list(call: Call, pages: list[Page]) -> Any:
    asked = call.fields or parse_fields(PAGE_DEFAULT)

    def show(page: Page) -> dict[str, Any]:
        answer = render(call, page, [one for one in asked if one.name != "tasks"], "id")
        role = page.role_of(call.token.person_id)
        if role is not None and any(one.name == "tasks" for one in asked):
            answer["tasks"] = role.tasks
        return answer

    return listing(call, pages, show)


def page_token(call: Call, page: Page, role: Role) -> Token | None:
    """The Page's token for this person. Made from a long-lived user token it has no expiry of its own."""
    parent = call.token
    if parent.kind == "PAGE":
        return parent
    if not role.tasks or "pages_show_list" not in parent.scopes:
        return None
    return make_page_token(call.state, parent, page)


def make_page_token(state: Any, parent: Token, page: Page) -> Token:
    seed = hmac.new(settings.META_APP_SECRET.encode(), f"{parent.value}|{page.id}".encode(), hashlib.sha256).digest()
    value = "EAASpage" + base64.urlsafe_b64encode(seed).decode().replace("-", "A").replace("_", "B").rstrip("=")
    if (known := state.tokens.get(value)) is not None:
        return known
    return state.add(
        Token(
            value,
            "PAGE",
            parent.person_id,
            list(parent.scopes),
            [page.id],
            parent.issued_at,
            0 if is_long_lived(parent) else parent.expires_at,
            parent.data_access_expires_at,
            page_id=page.id,
        )
    )


def is_long_lived(token: Token) -> bool:
    return token.expires_at == 0 or token.expires_at - token.issued_at > 86_400
