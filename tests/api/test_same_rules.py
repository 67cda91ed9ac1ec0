"""What a person types and what a program sends is judged alike, and becomes the same rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.api.base import zulu
from accounts.models import ConnectedAccount, Workspace
from publishing.models import Post
from tests.api.programs import Program
from tests.factories import make_account, make_media
from tests.publishing.test_composer import later, typed

pytestmark = pytest.mark.django_db

TOMORROW = (timezone.now() + timedelta(days=1)).replace(second=0, microsecond=0)
NOW: dict[str, Any] = {"publishNow": True}
DRAFT = {"action": "draft"}

# name: what is typed, what is sent; @word stands for the id of an account or a file
SAME: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "text now": ({}, NOW),
    "text later": (later(TOMORROW), {"scheduledAt": zulu(TOMORROW)}),
    "text later elsewhere": (
        later(TOMORROW, "Asia/Tokyo"),
        {"scheduledAt": TOMORROW.strftime("%Y-%m-%dT%H:%M"), "timezone": "Asia/Tokyo"},
    ),
    "draft": (DRAFT, {}),
    "draft of nothing": ({**DRAFT, "caption": ""}, {"content": ""}),
    "nothing": ({"caption": ""}, {**NOW, "content": ""}),
    "too long": ({"caption": "x" * 70_000}, {**NOW, "content": "x" * 70_000}),
    "long for one": (
        {"caption": "x" * 2_500, "accounts": ["@facebook", "@instagram"], "media": ["@picture"]},
        {**NOW, "content": "x" * 2_500, "accountIds": ["@facebook", "@instagram"], "mediaIds": ["@picture"]},
    ),
    "text of its own": (
        {"accounts": ["@facebook", "@linkedin"], "caption-@linkedin": "Dear all"},
        {**NOW, "accountIds": ["@facebook", "@linkedin"], "captions": {"linkedin": "Dear all"}},
    ),
    "no picture for Instagram": ({"accounts": ["@instagram"]}, {**NOW, "accountIds": ["@instagram"]}),
    "one picture": (
        {"accounts": ["@facebook", "@instagram"], "media": ["@picture"], "alt-@picture": "A car"},
        {**NOW, "accountIds": ["@facebook", "@instagram"], "media": [{"id": "@picture", "altText": "A car"}]},
    ),
    "two pictures": (
        {"accounts": ["@facebook", "@instagram"], "media": ["@other", "@picture"]},
        {**NOW, "accountIds": ["@facebook", "@instagram"], "mediaIds": ["@other", "@picture"]},
    ),
    "a story": (
        {"accounts": ["@instagram"], "media": ["@picture"], "type-@instagram": "story"},
        {**NOW, "accountIds": ["@instagram"], "mediaIds": ["@picture"], "postTypes": {"instagram": "story"}},
    ),
    "hashtags": ({"hashtags": "#one two, THREE"}, {**NOW, "hashtags": ["#one", "two", "THREE"]}),
    "a hashtag that is none": ({"hashtags": "not-one"}, {**NOW, "hashtags": ["not-one"]}),
    "a link": ({"link": "https://example.com/a"}, {**NOW, "link": "https://example.com/a"}),
    "no link": ({"link": "no link"}, {**NOW, "link": "no link"}),
    "first comment": (
        {"first_comment": " Look here \r\n", "campaign": "Spring"},
        {**NOW, "firstComment": " Look here \r\n", "campaign": "Spring"},
    ),
    "lost account": ({"accounts": ["@lost"]}, {**NOW, "accountIds": ["@lost"]}),
    "nobody": ({"accounts": []}, {**NOW, "accountIds": []}),
    "too late": (later(TOMORROW - timedelta(days=3)), {"scheduledAt": zulu(TOMORROW - timedelta(days=3))}),
    "too far": (later(TOMORROW + timedelta(days=900)), {"scheduledAt": zulu(TOMORROW + timedelta(days=900))}),
    "no zone": ({"time_zone": "Mars/Olympus"}, {**NOW, "timezone": "Mars/Olympus"}),
    "a board that is missing": (
        {"accounts": ["@pinterest"], "media": ["@picture"]},
        {**NOW, "accountIds": ["@pinterest"], "mediaIds": ["@picture"]},
    ),
    "a board": (
        {"accounts": ["@pinterest"], "media": ["@picture"], "choice-@pinterest-board_service_id": "b1"},
        {
            **NOW,
            "accountIds": ["@pinterest"],
            "mediaIds": ["@picture"],
            "choices": {"pinterest": {"board_service_id": "b1"}},
        },
    ),
}


@pytest.fixture
def ids(workspace: Workspace) -> dict[str, str]:
    accounts = {
        "facebook": make_account(workspace),
        "instagram": make_account(workspace, platform="instagram", account_type="professional"),
        "linkedin": make_account(workspace, platform="linkedin", account_type="member"),
        "lost": make_account(workspace, platform="x", status=ConnectedAccount.Status.REVOKED),
        "pinterest": make_account(workspace, platform="pinterest", offers={"boards": [{"id": "b1", "name": "Cars"}]}),
    }
    files = {"picture": make_media(workspace), "other": make_media(workspace)}
    return {f"@{name}": str(row.pk) for name, row in {**accounts, **files}.items()}


def filled(value: Any, ids: dict[str, str]) -> Any:
    match value:
        case dict():
            return {filled(key, ids): filled(inner, ids) for key, inner in value.items()}
        case list():
            return [filled(inner, ids) for inner in value]
        case str():
            for name, pk in ids.items():
                value = value.replace(name, pk)
    return value


def rows_of(post: Post | None) -> dict[str, Any] | None:
    """Everything of a post that somebody has decided."""
    if post is None:
        return None
    names = ("caption", "hashtags", "link", "first_comment", "campaign", "status", "time_zone", "late_hours")
    later = post.scheduled_at and post.scheduled_at > timezone.now() and post.scheduled_at
    parts = ("account", "post_type", "caption_override", "choices", "status")
    return {
        **{name: getattr(post, name) for name in names},
        "scheduled_at": later or bool(post.scheduled_at),
        "publications": sorted(post.publications.values_list(*parts), key=str),
        "media": list(post.post_media.order_by("position").values_list("media", "alt_text", "fit")),
    }


@pytest.mark.parametrize("name", SAME)
def test_a_page_and_a_program_agree(signed_in: Client, program: Program, ids: dict[str, str], name: str) -> None:
    form, body = (filled(one, ids) for one in SAME[name])
    asked = {"content": "Hello", "accountIds": [ids["@facebook"]], **body}
    page = signed_in.post(reverse("publishing:post_new"), {**typed(), "accounts": [ids["@facebook"]], **form})
    by_person = Post.objects.first()
    Post.objects.update(submission_key=None, author=None)
    answer = program("POST", "posts", asked)
    by_program = Post.objects.exclude(author=None).first()
    assert (page.status_code, answer.status_code) in ((302, 201), (422, 422)), answer.content
    assert rows_of(by_program) == rows_of(by_person)
