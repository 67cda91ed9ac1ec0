"""The list of sessions stays true without a write per request."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User


def test_a_session_is_noted_at_once_and_then_left_alone(signed_in: Client, owner: User) -> None:
    signed_in.get("/")
    noted = UserSession.objects.get(user=owner)
    with CaptureQueriesContext(connection) as queries:
        signed_in.get("/")
    assert not [query for query in queries.captured_queries if "usersession" in query["sql"]]
    cache.delete(f"session-seen:{noted.session_key}")
    signed_in.get("/")
    assert UserSession.objects.get(user=owner).last_seen_at > noted.last_seen_at
