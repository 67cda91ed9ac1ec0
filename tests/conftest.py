"""The few standing people of the tests."""

from __future__ import annotations

import pytest
from django.test import Client, TransactionTestCase

from accounts.models import User, Workspace
from tests import emptied
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


def pytest_configure() -> None:
    TransactionTestCase._fixture_teardown = lambda case: emptied.empty()


ALONE = {"processes", "operation", "journey"}  # folders of tests that start whole installations
BROWSER = {"browser", "journey"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that measure the machine, or fill it, run apart from the others; see bin/test, which looks by folders."""
    for item in items:
        folder = item.path.parent.name
        if item.get_closest_marker("browser") and folder not in BROWSER:
            raise pytest.UsageError(f"{item.nodeid}: tests with a browser stand in {' or '.join(sorted(BROWSER))}")
        if item.get_closest_marker("processes") and folder in ALONE:
            item.add_marker("alone")
            if folder == "processes":  # one of them stops the database of all
                item.add_marker("serial")
