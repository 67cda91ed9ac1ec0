"""A person at the browser who connects networks of a running sandbox."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import ConnectedAccount, Credential, Grant
from tests.sandbox_process import Sandbox

SOCIAL = reverse("accounts:social")
HERE = "http://127.0.0.1:9"  # where the sandbox sends browsers back to


def use(settings: Any, sandbox: Sandbox) -> Sandbox:
    """The product talks to this sandbox."""
    for name, value in {**sandbox.settings, "PUBLIC_BASE_URL": HERE}.items():
        setattr(settings, name, value)
    return sandbox


def press(client: Client, platform: str) -> str:
    """Press Connect; the address of the consent page."""
    response = client.post(reverse("accounts:connect", args=[platform]))
    assert response.status_code == 302, response.content
    return str(response["Location"])


def come_back(client: Client, address: str) -> str:
    """The browser follows the network's answer; where it ends up."""
    parts = urlsplit(address)
    assert f"{parts.scheme}://{parts.netloc}" == HERE
    response = client.get(f"{parts.path}?{parts.query}")
    assert response.status_code == 302, response.content
    return str(response["Location"])


def choose(client: Client, address: str, *keys: str) -> list[ConnectedAccount]:
    response = client.post(address, {"account": keys})
    assert response.status_code == 302, response.content
    return list(ConnectedAccount.objects.listed().order_by("platform", "name"))


def told(client: Client) -> str:
    """The sentence that waits on the accounts page."""
    (entry,) = (entry for entry in client.get(SOCIAL).context["entries"] if entry.error)
    return str(entry.error.error)


def tokens() -> list[str]:
    """Every secret that is kept, in clear."""
    rows = [
        *Grant.objects.values_list("access_token", "refresh_token"),
        *Credential.objects.values_list("access_token"),
    ]
    return [secret.reveal() for row in rows for secret in row if secret is not None]


def dump() -> str:
    """All rows of all tables and what the sessions hold."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        rows = []
        for table in tables:
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" t')  # noqa: S608  our own tables
            rows += [row for (row,) in cursor.fetchall()]
    return "\n".join([*rows, *(str(session.get_decoded()) for session in Session.objects.all())])
