"""docs/webhooks.md says what is sent."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import Workspace
from publishing.models import PublicationEvent
from publishing.webhooks import deliver, payloads
from tests.factories import make_account, make_post

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")


def test_every_kind_is_described() -> None:
    described = {
        name for row in re.findall(r"^\| (`.*?) \|", TEXT, re.MULTILINE) for name in re.findall(r"`(.*?)`", row)
    }
    assert described == {*payloads.KINDS, payloads.TEST}


@pytest.mark.django_db
def test_the_message_shown_has_the_fields_of_real_ones(workspace: Workspace) -> None:
    shown = json.loads(re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)[0])
    publication = make_post(workspace, make_account(workspace)).publications.get()
    event = PublicationEvent(
        publication=publication, from_status="publishing", to_status="published", at=timezone.now()
    )
    real = payloads.envelope("1", "publication.published", event.at, payloads.of_event(event))
    assert set(real) == set(shown)
    assert set(real["data"]) == set(shown["data"])


def test_the_waits_are_those_of_the_code() -> None:
    assert "after 5\n  and 30 seconds, 2, 10 and 30 minutes, 1, 2 and 4 hours" in TEXT
    assert deliver.DELAYS == (5, 30, 120, 600, 1800, 3600, 7200, 14_400)
