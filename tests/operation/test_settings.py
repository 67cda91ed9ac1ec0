"""The environment: what is missing or wrong stops the start and names itself; what is read is documented."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.urls import reverse

ROOT = Path(__file__).resolve().parents[2]
VALID = {
    "ENV_FILE": "",
    "SECRET_KEY": "x" * 50,
    "FERNET_KEYS": "y" * 40,
    "DATABASE_URL": "postgresql://hub:secret@localhost/hub",
    "REDIS_URL": "redis://localhost",
    "PUBLIC_BASE_URL": "https://hub.example.com",
}


def start(**variables: str | None) -> tuple[int, str]:
    """Read the settings in a fresh process, with these variables changed or (None) missing."""
    env = {"PATH": os.environ["PATH"], **VALID, **variables}
    answer = subprocess.run(
        [sys.executable, "-c", "import django, socialhub.settings as s; print(s.META_GRAPH_URL, s.DEBUG)"],
        cwd=ROOT,
        env={name: value for name, value in env.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.returncode, answer.stdout + answer.stderr.strip().rsplit("\n", 1)[-1]


def test_valid_settings_start_with_the_real_networks_and_without_debug() -> None:
    assert start() == (0, "https://graph.facebook.com False\n")


@pytest.mark.parametrize("name", ["SECRET_KEY", "FERNET_KEYS", "DATABASE_URL", "REDIS_URL", "PUBLIC_BASE_URL"])
def test_a_missing_variable_stops_the_start_and_names_itself(name: str) -> None:
    code, words = start(**{name: None})
    assert code != 0
    assert name in words


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FERNET_KEYS", "short"),
        ("FERNET_KEYS", f"{'y' * 40},short"),
        ("DATABASE_URL", "sqlite:///x.db"),
        ("REDIS_URL", "http://localhost"),
        ("PUBLIC_BASE_URL", "hub.example.com"),
        ("OUTSIDE_ORIGINS", "https://files.internal,hooks.internal"),
        ("OUTSIDE_ORIGINS", "http:///hooks"),
        ("META_GRAPH_VERSION", "26"),
        ("META_GRAPH_URL", "graph.facebook.com"),
        ("LINKEDIN_API_VERSION", "2026-09"),
        ("LINKEDIN_API_VERSION", "202613"),
        ("LINKEDIN_OAUTH_URL", "www.linkedin.com/oauth/v2"),
        ("BUFFER_API_URL", "api.buffer.com"),
        ("SANDBOX", "1"),
    ],
)
def test_a_wrong_value_stops_the_start_and_names_itself(name: str, value: str) -> None:
    code, words = start(**{name: value})
    assert code != 0
    assert name in words


def test_the_sandbox_can_be_forced_on_a_public_demonstration() -> None:
    code, words = start(SANDBOX="1", SANDBOX_FORCE="1")
    assert (code, words) == (0, "http://127.0.0.1:8010/graph False\n")


def test_every_variable_is_in_the_example_and_every_line_of_the_example_is_read() -> None:
    source = (ROOT / "socialhub" / "settings.py").read_text()
    read = set(re.findall(r'(?:env\.[a-z_]+|url_setting|rate)\(\s*"([A-Z_]+)"', source))
    shown = set(re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read == shown


@pytest.mark.parametrize("provider", ["meta", "linkedin", "buffer"])
def test_the_readme_names_the_redirect_addresses_that_are_used(provider: str) -> None:
    address = f"https://hub.example.com{reverse(f'{provider}_callback')}"
    assert f"`{address}`" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize(("query", "asked"), [("", "CERT_REQUIRED"), ("?ssl_cert_reqs=none", "CERT_NONE")])
def test_a_redis_behind_tls_shows_its_certificate_unless_the_address_says_otherwise(query: str, asked: str) -> None:
    """To cache and broker alike: left to themselves, the one asks for it and the other does not."""
    answer = subprocess.run(
        [sys.executable, "-c", LOOK_AT_TLS],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **VALID, "REDIS_URL": f"rediss://:secret@redis.example.com:6379{query}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.stdout == f"{asked} {asked}\n", answer.stderr


LOOK_AT_TLS = """
import ssl
from kombu import Connection
from redis import ConnectionPool
import socialhub.settings as s
broker = ssl.VerifyMode(Connection(s.CELERY_BROKER_URL).ssl["ssl_cert_reqs"])
cache = ConnectionPool.from_url(s.CACHES["default"]["LOCATION"]).make_connection().cert_reqs
print(broker.name, ssl.VerifyMode(cache).name)
"""
