"""Databases of their own beside that of the tests, and commands that are run on them as on a server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.db import connection
from psycopg import sql

from tests.stage import ROOT, database_url

FERNET_KEYS = "tests-only-key-with-more-than-32-characters"


@dataclass
class Place:
    """A database and a folder for files."""

    name: str
    url: str
    media: Path

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Meanwhile the models of this process read and write here."""
        own = connection.settings_dict["NAME"]
        connection.close()
        connection.settings_dict["NAME"] = self.name
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = own

    def environment(self, **more: str) -> dict[str, str]:
        return {
            **os.environ,
            "ENV_FILE": "",
            "DJANGO_SETTINGS_MODULE": "socialhub.settings",
            "DATABASE_URL": self.url,
            "MEDIA_ROOT": str(self.media),
            "SECRET_KEY": "another-secret-key-that-is-long-enough-for-the-tests",
            "FERNET_KEYS": FERNET_KEYS,
            "DEBUG": "1",
            "SANDBOX": "1",
            "EMAIL_URL": "dummymail://",
            **more,
        }

    def manage(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment(**more),
            capture_output=True,
            text=True,
            check=False,
        )


def server_url() -> str:
    """Of the server of the tests, on a database that is always there."""
    url = database_url()
    return url.replace(f"/{connection.settings_dict['NAME']}", "/postgres", 1)


def execute(statement: sql.Composed) -> None:
    with psycopg.connect(server_url(), autocommit=True) as server:
        server.execute(statement)


@contextmanager
def place(name: str, folder: Path, *, as_here: bool = False) -> Iterator[Place]:
    """An empty database, or one with what the tests have committed so far, and a folder that is not there yet."""
    ours = connection.settings_dict["NAME"]
    name = f"{ours}_{name}"
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    execute(drop)
    if as_here:
        connection.close()  # nobody may be in a database that is copied
    template = sql.Identifier(ours if as_here else "template1")
    execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), template))
    try:
        yield Place(
            name,
            database_url().replace(f"/{connection.settings_dict['NAME']}", f"/{name}", 1),
            folder / f"media-{name}",
        )
    finally:
        execute(drop)
