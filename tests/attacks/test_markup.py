"""What one person types, or a network says, is text on every page of every other: it never becomes markup or script."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts import notify
from accounts.models import ConnectedAccount, Notification, Role, User, Workspace
from publishing.models import MediaFile, Post, Publication
from tests.accounts.conftest import member, sign_in
from tests.test_isolation import ADDRESSES, Things, ask, make_things

pytestmark = pytest.mark.django_db

# Out of an attribute, out of an element, out of a script or a style, and into a template of ours.
EVIL = "\"'>--></script></style></textarea><img/src=x onerror=evil(1)>{{7919*7907}}{% evil %}${evil}"
TOOLS = {"onerror", "onload", "onclick", "onmouseover", "onfocus", "style", "srcdoc"}


class Elements(HTMLParser):
    """Every element that a browser would make, with its attributes."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


def assert_harmless(markup: str) -> None:
    assert "<img/src=x" not in markup
    assert "62615533" not in markup  # 7919 * 7907: nothing that was typed is a template
    for tag, attributes in Elements(markup).found:
        assert not TOOLS & set(attributes), (tag, attributes)
        for name in ("href", "src", "action", "formaction", "hx-get", "hx-post", "poster"):
            address = re.sub(r"[\s\x00-\x1f]", "", attributes.get(name, "")).lower()
            assert not address.startswith(("javascript:", "data:text", "vbscript:")), (tag, address)
        if tag == "script":
            assert "src" in attributes or attributes.get("type") in ("application/json", "text/plain"), attributes


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


@pytest.fixture
def things(workspace: Workspace, owner: User) -> Things:
    made = make_things(workspace, owner, EVIL[:90])
    owner.first_name = EVIL[:100]
    owner.save()
    ConnectedAccount.objects.update(name=EVIL, username=EVIL[:90], picture_url="javascript:evil(1)", remark=EVIL)
    Post.objects.update(campaign=EVIL[:100], first_comment=EVIL, hashtags=[EVIL[:50]])
    Publication.objects.update(platform_message=EVIL, error_message=EVIL, caption_override=EVIL)
    MediaFile.objects.update(original_name=EVIL[:200], alt_text=EVIL)
    Notification.objects.update(title=EVIL[:200], body=EVIL)
    return made


@pytest.mark.parametrize("name", [name for name, line in ADDRESSES.items() if "GET" in line.methods])
def test_what_was_typed_stays_text_on_every_page(signed_in: Client, things: Things, name: str) -> None:
    for headers in ({}, {"HX-Request": "true"}):
        response = ask(signed_in, "GET", things.url(name), {}, **headers)
        if response["Content-Type"].startswith("text/html"):
            assert_harmless(response.content.decode())
        else:
            assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", [name for name, line in ADDRESSES.items() if "POST" in line.methods])
def test_what_is_typed_now_stays_text_when_it_comes_back(signed_in: Client, things: Things, name: str) -> None:
    """Forms show what they refuse."""
    typed = dict.fromkeys((*things.data(name), "name", "title", "caption", "campaign", "q", "reason", "body"), EVIL)
    typed |= {
        "email": EVIL,
        "link": "javascript:evil(1)",
        "time_zone": EVIL,
        "hashtags": EVIL,
        "next": EVIL,
        "key": EVIL,
    }
    for headers in ({}, {"HX-Request": "true"}):
        response = ask(signed_in, "POST", things.url(name), typed, **headers)
        assert response.status_code < 500
        if response["Content-Type"].startswith("text/html"):
            assert_harmless(response.content.decode())
    assert_harmless(signed_in.get(reverse("accounts:notifications")).content.decode())  # messages wait for a page


@pytest.mark.parametrize("name", [name for name, line in ADDRESSES.items() if "GET" in line.methods])
def test_what_stands_in_an_address_stays_text(signed_in: Client, things: Things, name: str) -> None:
    query = dict.fromkeys(
        (
            "q",
            "next",
            "set",
            "from",
            "account",
            "campaign",
            "status",
            "period",
            "month",
            "view",
            "sort",
            "after",
            "back",
        ),
        EVIL,
    )
    response = ask(signed_in, "GET", f"{things.url(name)}?{urlencode(query)}", {})
    assert response.status_code < 500
    if response["Content-Type"].startswith("text/html"):
        assert_harmless(response.content.decode())


@pytest.mark.parametrize("word", ["login", "signup", "reset_password"])
def test_what_strangers_type_stays_text(client: Client, word: str) -> None:
    address = reverse(f"account_{word}")
    assert_harmless(client.get(address, {"next": EVIL, "email": EVIL}).content.decode())
    typed = {"login": EVIL, "email": EVIL, "password": EVIL, "password1": EVIL, "password2": EVIL, "next": EVIL}
    assert_harmless(client.post(address, typed).content.decode())
    assert_harmless(client.get(f"/{EVIL}").content.decode())


# --- Mails ----------------------------------------------------------------------------------------------------

LINES = "Garage\r\nBcc: victim@example.com\r\n\r\nbody"


@pytest.mark.django_db(transaction=True)
def test_no_name_adds_a_header_to_a_mail(workspace: Workspace, owner: User) -> None:
    workspace.name = LINES
    workspace.save()
    owner.first_name = LINES
    owner.save()
    client = sign_in(member(workspace, Role.ADMIN))
    client.post(reverse("accounts:member_add"), {"email": "new@example.com", "role": "viewer"})
    notify.tell(workspace, Notification.Kind.QUOTA, "x", title=LINES, body=LINES)
    assert len(mail.outbox) >= 2
    for message in mail.outbox:
        sent = message.message()
        assert "Bcc" not in sent
        assert "\n" not in message.subject
        assert "victim@example.com" not in [*message.to, *message.cc, *message.bcc]


@pytest.mark.parametrize("email", ["a@example.com\r\nBcc: b@example.com", "a@example.com,b@example.com", "a@b\n.com"])
def test_no_address_becomes_two(client: Client, signed_in: Client, email: str) -> None:
    for sent in (
        client.post(reverse("account_reset_password"), {"email": email}),
        signed_in.post(reverse("accounts:member_add"), {"email": email, "role": "viewer"}),
    ):
        assert sent.status_code == 422
    assert not mail.outbox
