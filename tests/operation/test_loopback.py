"""One name for a developer's machine, because cookies belong to one name."""

from __future__ import annotations

import pytest
from django.test import Client


@pytest.fixture
def at_home(settings) -> Client:
    settings.PUBLIC_BASE_URL = "http://127.0.0.1:8000"
    return Client()


def test_another_name_of_this_machine_is_brought_home(at_home: Client) -> None:
    answer = at_home.get("/account/login/?x=1", headers={"host": "localhost:8000"})
    assert (answer.status_code, answer["Location"]) == (302, "http://127.0.0.1:8000/account/login/?x=1")


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "hub.example.com", "localhost:9000"])
def test_the_name_itself_and_foreign_names_are_left_alone(at_home: Client, host: str) -> None:
    assert at_home.get("/healthz", headers={"host": host}).status_code == 200


def test_what_is_sent_is_not_redirected(at_home: Client) -> None:
    assert at_home.post("/healthz", headers={"host": "localhost:8000"}).status_code == 200


def test_a_real_site_is_not_touched(settings) -> None:
    settings.PUBLIC_BASE_URL = "https://hub.example.com"
    assert Client().get("/healthz", headers={"host": "localhost"}).status_code == 200
