"""Meta as these tests see it, and people with every role."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import responses
from django.core.cache import cache
from django.test import Client

from accounts.models import Membership, Role, User, Workspace
from accounts.rotate import secret_columns
from tests.accounts.graph import Graph
from tests.factories import make_user

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()  # rate limits of sign-in and sign-up live there


@pytest.fixture
def graph() -> Iterator[Graph]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Graph(mock)


def sign_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def member(workspace: Workspace, role: Role) -> User:
    """A person of another workspace who also belongs to this one, and has chosen it."""
    user = make_user()
    user.memberships.all().delete()
    Membership.objects.create(workspace=workspace, user=user, role=role)
    return user


@pytest.fixture
def viewer(workspace: Workspace) -> Client:
    return sign_in(member(workspace, Role.VIEWER))


@pytest.fixture
def editor(workspace: Workspace) -> Client:
    return sign_in(member(workspace, Role.EDITOR))


@pytest.fixture
def admin_member(workspace: Workspace) -> Client:
    return sign_in(member(workspace, Role.ADMIN))


@pytest.fixture
def fresh_fields() -> Any:
    """Fields keep their keys once read; forget them before and after a test that changes the setting."""

    def forget() -> None:
        for model, name in secret_columns():
            field = model._meta.get_field(name)
            for kept in ("keys", "fernet_keys", "fernet"):
                field.__dict__.pop(kept, None)

    forget()
    yield forget
    forget()
