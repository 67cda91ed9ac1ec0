"""The few standing people of the tests."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User, Workspace
from tests.factories import make_user, workspace_of


@pytest.fixture
def owner(db: None) -> User:
    return make_user()


@pytest.fixture
def stranger(db: None) -> User:
    return make_user()


@pytest.fixture
def workspace(owner: User) -> Workspace:
    return workspace_of(owner)


@pytest.fixture
def signed_in(owner: User) -> Client:
    client = Client()
    client.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def signed_in_stranger(stranger: User) -> Client:
    client = Client()
    client.force_login(stranger, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client
