"""A program with a key for everything, and its look at what comes back."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from accounts.models import User, Workspace
from tests.api.programs import Program, program_of


@pytest.fixture
def program(workspace: Workspace, owner: User) -> Program:
    return program_of(workspace, owner)


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()
