"""Posts by a program: the same rules as on the pages, the same rows."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.api.base import zulu
from accounts.models import ConnectedAccount, IdempotentAnswer, User, Workspace
from publishing import compose, intake
from publishing.models import (
    ImageSet,
    ImageSetItem,
    MediaFetch,
    Post,
    PostAssembly,
    PostMedia,
    Publication,
    QueueEntry,
    Status,
)
from publishing.schedule import publish_now
from tests.api.programs import Program, error_of, fields_of, program_of
from tests.factories import make_account, make_entry, make_media, make_post, workspace_of
from tests.publishing.test_composer import next_change

pytestmark = pytest.mark.django_db

NOBODY = "5f3c2f1e-8d0b-4a57-9c1d-0a6e4b7d2c10"  # an id that nothing has


def soon(**step: int) -> datetime:
    return (timezone.now() + timedelta(**(step or {"hours": 2}))).replace(microsecond=0)


@pytest.fixture
def account(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace, name="Garage")


@pytest.fixture
def instagram(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace, platform="instagram", account_type="professional")


def made(response: Any) -> dict[str, Any]:
    assert response.status_code == 201, response.content
    body: dict[str, Any] = response.json()
    return body


# --- Making ---------------------------------------------------------------------------------------------------


def test_a_draft_holds_what_was_sent(program: Program, workspace: Workspace, owner: User) -> None:
    facebook, linkedin = make_account(workspace), make_account(workspace, platform="linkedin", account_type="member")
    first, second = make_media(workspace), make_media(workspace)
    body = made(
        program(
            "POST",
            "posts",
            {
                "content": "Hello\r\nworld",
                "accountIds": [str(facebook.pk), str(linkedin.pk)],
                "media": [
                    {"id": str(second.pk), "altText": "A car", "fit": "crop", "focus": {"x": 0.2, "y": 1}},
                    {"id": str(first.pk)},
                ],
                "hashtags": ["#one", "two"],
                "captions": {"linkedin": "Dear colleagues"},
                "firstComment": "First!",
                "campaign": "Spring",
                "timezone": "Europe/Berlin",
            },
        )
    )
    post = Post.objects.get()
    assert body["id"] == str(post.pk)
    assert (body["status"], body["content"], body["hashtags"]) == ("draft", "Hello\nworld", ["one", "two"])
    assert (post.author, post.campaign, post.first_comment) == (owner, "Spring", "First!")
    assert (post.time_zone, post.scheduled_at) == ("Europe/Berlin", None)
    assert {one["platform"]: one["caption"] for one in body["publications"]} == {
        "facebook": None,
        "linkedin": "Dear colleagues",
    }
    assert [(one["id"], one["altText"], one["fit"]) for one in body["media"]] == [
        (str(second.pk), "A car", "crop"),
        (str(first.pk), "", "pad"),
    ]
    second.refresh_from_db()
    assert (second.focus_x, second.focus_y) == (0.2, 1)
    assert {one["postType"] for one in body["publications"]} == {"multi_image"}
    assert body["isEditable"]


def test_a_time_schedules(program: Program, account: ConnectedAccount) -> None:
    at = soon()
    body = made(
        program(
            "POST", "posts", {"content": "Hi", "accountIds": [str(account.pk)], "scheduledAt": zulu(at), "lateHours": 2}
        )
    )
    assert (body["status"], body["scheduledAt"], body["lateHours"]) == ("scheduled", zulu(at), 2)
    (publication,) = body["publications"]
    assert (publication["status"], publication["nextTryAt"]) == ("scheduled", zulu(at))


def test_publish_now_sends(program: Program, account: ConnectedAccount) -> None:
    body = made(program("POST", "posts", {"content": "Hi", "platforms": ["facebook"], "publishNow": True}))
    assert body["status"] == "scheduled"
    assert Publication.objects.get().queue_entry.priority == 10
    assert body["publications"][0]["accountId"] == str(account.pk)


def test_a_local_time_is_that_of_its_zone(program: Program, account: ConnectedAccount) -> None:
    day = (timezone.now() + timedelta(days=2)).date()
    body = made(
        program(
            "POST",
            "posts",
            {
                "content": "Hi",
                "accountIds": [str(account.pk)],
                "scheduledAt": f"{day}T09:30:15",
                "timezone": "Asia/Tokyo",
            },
        )
    )
    assert body["scheduledAt"] == f"{day}T00:30:15.000Z"


def test_a_local_time_that_comes_twice_or_never_is_refused(program: Program, account: ConnectedAccount) -> None:
    zone = "Europe/Berlin"
    wanted = {"content": "Hi", "accountIds": [str(account.pk)], "timezone": zone}
    for gap in (True, False):
        day = next_change(to_summer=gap)
        local = f"{day}T02:30:00"
        told = fields_of(program("POST", "posts", {**wanted, "scheduledAt": local}))
        assert told.keys() == {"scheduledAt"}
        assert ("offset" in told["scheduledAt"][-1]) is not gap  # a person is asked which; a program says it at once
    body = made(program("POST", "posts", {**wanted, "scheduledAt": f"{day}T02:30:00+01:00"}))
    assert body["scheduledAt"] == f"{day}T01:30:00.000Z"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"content": ""}, "content"),
        ({"accountIds": []}, "accountIds"),
        ({"accountIds": [NOBODY]}, "accountIds"),
        ({"accountIds": ["x"]}, "accountIds.0"),
        ({"platforms": ["myspace"]}, "platforms.0"),
        ({"platforms": ["x"]}, "platforms"),
        ({"platforms": ["linkedin"]}, "platforms"),
        ({"scheduledAt": "2020-01-01T00:00:00Z"}, "scheduledAt"),
        ({"scheduledAt": "9999-12-31T23:59:59-12:00"}, "scheduledAt"),
        ({"scheduledAt": "0001-01-01T00:00:00+12:00"}, "scheduledAt"),
        ({"scheduledAt": "tomorrow"}, "scheduledAt"),
        ({"scheduledAt": 1_900_000_000}, "scheduledAt"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"publishNow": "yes"}, "publishNow"),
        ({"publishNow": True}, "publishNow"),
        ({"link": "no link"}, "link"),
        ({"hashtags": ["not-one"]}, "hashtags"),
        ({"content": "x" * 70_000}, "content"),
        ({"captions": {"instagram": "x"}}, "captions.instagram"),
        ({"captions": {NOBODY: "x"}}, f"captions.{NOBODY}"),
        ({"postTypes": {"facebook": "carousel"}}, "postTypes.@account"),
        ({"postTypes": {"facebook": "poem"}}, "postTypes.facebook"),
        ({"choices": {"facebook": {"board": "x"}}}, "choices.@account.board"),
        ({"mediaIds": [NOBODY]}, "media"),
        ({"mediaIds": ["@media", "@media"]}, "media"),
        ({"media": [{}]}, "media.0"),
        ({"media": [], "mediaIds": []}, "media"),
        ({"media": [{"url": "https://example.com/a.jpg"}, {"id": "@media"}]}, "media.1"),
        ({"mediaUrls": ["http://169.254.169.254/latest"]}, "mediaUrls.0"),
        ({"mediaUrls": ["https://example.com/a.jpg", "https://127.0.0.1/a.jpg"]}, "mediaUrls.1"),
        ({"imageSetId": NOBODY}, "imageSetId"),
        ({"lateHours": 0}, "lateHours"),
        ({"firstComment": "x" * 2_001}, "firstComment"),
        ({"status": "published"}, "status"),
        ({"author": 1}, "author"),
    ],
)
def test_what_cannot_be_taken_is_named_and_saves_nothing(
    program: Program, workspace: Workspace, account: ConnectedAccount, wrong: dict[str, Any], field: str
) -> None:
    for _number in range(2):
        make_account(workspace, platform="linkedin", account_type="member")
    media = make_media(workspace)
    fill = {"@media": str(media.pk)}
    if "mediaIds" in wrong:
        wrong = {
            "mediaIds": [fill.get(one, one) for one in wrong["mediaIds"]],
            **({"media": []} if "media" in wrong else {}),
        }
    if "media" in wrong:
        wrong = {**wrong, "media": [{k: fill.get(v, v) for k, v in one.items()} for one in wrong["media"]]}
    wanted = {"content": "Hi", "accountIds": [str(account.pk)], "scheduledAt": zulu(soon())}
    if "platforms" in wrong:
        wanted.pop("accountIds")
    fields = fields_of(program("POST", "posts", {**wanted, **wrong}))
    assert field.replace("@account", str(account.pk)) in fields, fields
    assert all(message.strip() for messages in fields.values() for message in messages)
    assert not Post.objects.exists()


def test_a_draft_may_be_unfinished(program: Program) -> None:
    assert made(program("POST", "posts", {"content": "An idea"}))["publications"] == []


def test_nothing_makes_no_post(program: Program) -> None:
    assert fields_of(program("POST", "posts", {})).keys() == {"content"}


def test_the_rules_of_the_networks_hold(program: Program, instagram: ConnectedAccount) -> None:
    wanted = {"content": "Hi", "accountIds": [str(instagram.pk)]}
    fields = fields_of(program("POST", "posts", {**wanted, "publishNow": True}))
    assert "media" in fields
    assert made(program("POST", "posts", wanted))["status"] == "draft"


def test_a_lost_account_is_named(program: Program, account: ConnectedAccount) -> None:
    ConnectedAccount.objects.update(status=ConnectedAccount.Status.REVOKED)
    fields = fields_of(program("POST", "posts", {"content": "x", "accountIds": [str(account.pk)], "publishNow": True}))
    assert "Reconnect" in fields["accountIds"][0]


def test_of_several_accounts_the_default_one_is_meant(program: Program, workspace: Workspace) -> None:
    make_account(workspace)
    default = make_account(workspace, is_default=True)
    body = made(program("POST", "posts", {"content": "x", "platforms": ["facebook"]}))
    assert [one["accountId"] for one in body["publications"]] == [str(default.pk)]


def test_a_set_brings_its_images_and_hashtags(
    program: Program, workspace: Workspace, account: ConnectedAccount
) -> None:
    image_set = ImageSet.objects.create(workspace=workspace, title="Camaro", hashtags=["classic"])
    pictures = [make_media(workspace) for _number in range(3)]
    for position, picture in enumerate(pictures, start=1):
        ImageSetItem.objects.create(image_set=image_set, media=picture, position=position)
    body = made(program("POST", "posts", {"content": "x", "imageSetId": str(image_set.pk), "platforms": ["facebook"]}))
    assert [one["id"] for one in body["media"]] == [str(picture.pk) for picture in pictures]
    assert (body["hashtags"], body["imageSetId"]) == (["classic"], str(image_set.pk))
    (listed,) = program("GET", "image-sets").json()["imageSets"]
    assert listed["mediaIds"] == [str(picture.pk) for picture in pictures]


def test_choices_of_a_network_are_kept(program: Program, workspace: Workspace) -> None:
    pinterest = make_account(
        workspace,
        platform="pinterest",
        account_type="channel",
        login_kind="buffer",
        offers={"boards": [{"id": "b1", "name": "Cars"}]},
    )
    media = make_media(workspace)
    wanted = {"content": "x", "mediaIds": [str(media.pk)], "accountIds": [str(pinterest.pk)], "publishNow": True}
    assert any(one.startswith(f"choices.{pinterest.pk}.") for one in fields_of(program("POST", "posts", wanted)))
    body = made(program("POST", "posts", {**wanted, "choices": {"pinterest": {"board_service_id": "b1"}}}))
    assert body["publications"][0]["choices"]["board_service_id"] == "b1"


def test_the_same_request_makes_one_post(program: Program, account: ConnectedAccount) -> None:
    wanted = {"content": "x", "accountIds": [str(account.pk)], "publishNow": True}
    first, again = (program("POST", "posts", wanted, Idempotency_Key="order-1") for _time in range(2))
    assert first.json() == again.json()
    assert Post.objects.count() == 1


def test_a_death_before_the_answer_makes_no_second_post(
    program: Program, account: ConnectedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = {"content": "x", "accountIds": [str(account.pk)], "publishNow": True}

    class Killed(BaseException):
        pass

    def die(*_args: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("publishing.api.posts.told", die)
        with pytest.raises(Killed):
            program("POST", "posts", wanted, Idempotency_Key="order-1")
    assert not Post.objects.exists()  # the post and its answer are one transaction
    error_of(program("POST", "posts", wanted, Idempotency_Key="order-1"), 409)
    IdempotentAnswer.objects.update(lease_until=timezone.now())
    body = made(program("POST", "posts", wanted, Idempotency_Key="order-1"))
    assert body["id"] == str(Post.objects.get().pk)
    IdempotentAnswer.objects.all().delete()
    other = program("POST", "posts", {**wanted, "content": "y"}, Idempotency_Key="order-1")
    assert error_of(other, 422)["code"] == "idempotency_key_reused"


def test_a_repeat_after_a_death_does_what_was_asked_then_and_once(
    program: Program, workspace: Workspace, account: ConnectedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were the decision kept without its answer, the repeat would decide on whatever is in question by then."""
    post = make_post(workspace, account)
    publication = post.publications.get()
    Publication.objects.update(status=Status.CHECKING, committing_at=timezone.now())
    make_entry(publication, awaits_decision=True)
    address = f"posts/{post.pk}/publications/{publication.pk}/decide"

    class Killed(BaseException):
        pass

    def die(*_args: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("publishing.api.posts.told", die)
        with pytest.raises(Killed):
            program("POST", address, {"answer": "absent"}, Idempotency_Key="decision-1")
    publication.refresh_from_db()
    assert publication.status == Status.CHECKING
    IdempotentAnswer.objects.update(lease_until=timezone.now())
    first, again = (program("POST", address, {"answer": "absent"}, Idempotency_Key="decision-1") for _time in range(2))
    assert first.status_code == 200
    assert again["Idempotent-Replayed"] == "true"


def test_a_change_that_went_through_is_told_again_also_when_it_is_out(
    program: Program, workspace: Workspace, account: ConnectedAccount
) -> None:
    post = make_post(workspace, account)
    wanted = {"content": "Two", "publishNow": True}
    program("PATCH", f"posts/{post.pk}", wanted, Idempotency_Key="change-1")
    Publication.objects.update(status=Status.PUBLISHED)
    IdempotentAnswer.objects.update(status=None, body=None, lease_until=timezone.now())
    body = program("PATCH", f"posts/{post.pk}", wanted, Idempotency_Key="change-1").json()
    assert (body["content"], body["publications"][0]["status"]) == ("Two", "published")


def test_a_key_without_publish_makes_drafts_only(workspace: Workspace, owner: User, account: ConnectedAccount) -> None:
    program = program_of(workspace, owner, "read", "write")
    wanted = {"content": "x", "accountIds": [str(account.pk)]}
    body = made(program("POST", "posts", wanted))
    for more in ({"publishNow": True}, {"scheduledAt": zulu(soon())}):
        assert error_of(program("POST", "posts", {**wanted, **more}), 403)["code"] == "scope"
        assert error_of(program("PATCH", f"posts/{body['id']}", more), 403)["code"] == "scope"
    assert error_of(program("POST", "posts/publish", {"postId": body["id"]}), 403)
    publish_now(Post.objects.get(), by=owner)
    assert error_of(program("PATCH", f"posts/{body['id']}", {"content": "y"}), 403)["code"] == "scope"
    assert program("PATCH", f"posts/{body['id']}", {"scheduledAt": None}).json()["status"] == "draft"


# --- Files by address -----------------------------------------------------------------------------------------


def test_files_by_address_are_fetched_first(
    program: Program, workspace: Workspace, instagram: ConnectedAccount
) -> None:
    here, at = make_media(workspace), soon()
    body = made(
        program(
            "POST",
            "posts",
            {
                "content": "x",
                "accountIds": [str(instagram.pk)],
                "media": [{"id": str(here.pk)}, {"url": "https://example.com/a.jpg?token=secret", "altText": "A car"}],
                "postTypes": {"instagram": "carousel"},
                "scheduledAt": zulu(at),
            },
        )
    )
    assert body["status"] == "draft"
    assert (body["fetching"]["intent"], body["fetching"]["failedAt"]) == ("schedule", None)
    (file,) = body["fetching"]["files"]
    assert (file["host"], file["status"], file["position"]) == ("example.com", "waiting", 2)
    assert "secret" not in str(body)
    assembly = PostAssembly.objects.get()
    assert (assembly.intent, assembly.at, assembly.post_types) == ("schedule", at, {str(instagram.pk): "carousel"})
    assert MediaFetch.objects.get().alt_text == "A car"


def test_what_holds_without_the_files_is_judged_at_once(program: Program, instagram: ConnectedAccount) -> None:
    wanted = {"accountIds": [str(instagram.pk)], "mediaUrls": ["https://example.com/a.jpg"], "publishNow": True}
    assert "content" in fields_of(program("POST", "posts", {**wanted, "content": "x" * 3_000}))
    past = {**wanted, "publishNow": False, "scheduledAt": "2020-01-01T00:00:00Z"}
    assert "scheduledAt" in fields_of(program("POST", "posts", past))
    assert "accountIds" in fields_of(program("POST", "posts", {**wanted, "accountIds": []}))
    assert made(program("POST", "posts", wanted))["fetching"]["intent"] == "now"


def test_a_post_that_waits_for_files_gets_another_time(program: Program, account: ConnectedAccount) -> None:
    wanted = {"accountIds": [str(account.pk)], "mediaUrls": ["https://example.com/a.jpg"], "publishNow": True}
    post = made(program("POST", "posts", wanted))
    at = zulu(soon())
    body = program("POST", "posts/schedule", {"postId": post["id"], "scheduledAt": at}).json()
    assert (body["status"], body["scheduledAt"], body["fetching"]["intent"]) == ("draft", at, "schedule")
    assert error_of(program("PATCH", f"posts/{post['id']}", {"content": "x"}), 409)["code"] == "files_coming"
    body = program("POST", "posts/publish", {"postId": post["id"]}).json()
    assert body["fetching"]["intent"] == "now"
    assert program("DELETE", f"posts/{post['id']}").status_code == 204
    assert not MediaFetch.objects.exists()


def test_without_its_files_it_goes_out_for_nobody(program: Program, account: ConnectedAccount) -> None:
    wanted = {"accountIds": [str(account.pk)], "mediaUrls": ["https://example.com/a.jpg"], "content": "Look"}
    post = made(program("POST", "posts", wanted))
    PostAssembly.objects.update(failed_at=timezone.now(), message="Its file could not be fetched.")
    for address, more in (("posts/publish", {}), ("posts/schedule", {"scheduledAt": zulu(soon())})):
        error = error_of(program("POST", address, {"postId": post["id"], **more}), 409)
        assert (error["code"], error["message"]) == ("files_missing", "Its file could not be fetched.")
    error = error_of(program("PATCH", f"posts/{post['id']}", {"campaign": "Spring"}), 409)
    assert error["code"] == "files_missing"
    assert "mediaUrls" in error["message"]
    assert program("PATCH", f"posts/{post['id']}", {"content": "Without", "mediaIds": []}).status_code == 200
    assert program("POST", "posts/publish", {"postId": post["id"]}).json()["status"] == "scheduled"


def test_a_program_gone_wild_does_not_ask_for_files_without_end(
    program: Program, account: ConnectedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_WAITING", 3)
    wanted = {"accountIds": [str(account.pk)], "mediaUrls": ["https://example.com/a.jpg", "https://example.com/b.jpg"]}
    made(program("POST", "posts", wanted))
    response = program("POST", "posts", wanted, Idempotency_Key="more")
    assert error_of(response, 409)["code"] == "too_many_files"
    assert response["Retry-After"]
    assert Post.objects.count() == 1
    MediaFetch.objects.update(status=MediaFetch.Status.FETCHED)
    made(program("POST", "posts", wanted, Idempotency_Key="more"))


def test_other_files_take_the_place_of_those_that_came(program: Program, workspace: Workspace) -> None:
    make_account(workspace)
    wanted = {"platforms": ["facebook"], "mediaUrls": ["https://example.com/a.jpg"]}
    post = made(program("POST", "posts", wanted))
    PostAssembly.objects.update(failed_at=timezone.now())
    other = {"mediaUrls": ["https://example.org/b.jpg", "https://example.org/c.jpg"]}
    for _time in range(2):
        body = program("PATCH", f"posts/{post['id']}", other, Idempotency_Key="again").json()
        assert [file["host"] for file in body["fetching"]["files"]] == ["example.org"] * 2
        IdempotentAnswer.objects.all().delete()
        PostAssembly.objects.update(failed_at=timezone.now())
    assert MediaFetch.objects.count() == 2


# --- Reading --------------------------------------------------------------------------------------------------


def test_a_post_of_somebody_else_is_not_there(program: Program, stranger: User) -> None:
    post = make_post(workspace_of(stranger), make_account(workspace_of(stranger)))
    publication = post.publications.get()
    pk = str(post.pk)
    for method, address, body in [
        ("GET", f"posts/{pk}", None),
        ("PATCH", f"posts/{pk}", {"content": "x"}),
        ("DELETE", f"posts/{pk}", None),
        ("POST", f"posts/{pk}/cancel", None),
        ("POST", "posts/schedule", {"postId": pk, "scheduledAt": zulu(soon())}),
        ("POST", "posts/publish", {"postId": pk}),
        ("POST", f"posts/{pk}/publications/{publication.pk}/retry", None),
        ("POST", f"posts/{pk}/publications/{publication.pk}/decide", {"answer": "absent"}),
    ]:
        error_of(program(method, address, body), 404)
    assert program("GET", "posts").json() == {"posts": [], "nextCursor": None}
    post.refresh_from_db()
    assert post.status == "draft"


def test_a_post_is_not_sent_twice_to_whoever_has_it(program: Program, workspace: Workspace) -> None:
    post = make_post(workspace)
    tag = program("GET", f"posts/{post.pk}")["ETag"]
    assert program("GET", f"posts/{post.pk}", If_None_Match=tag).status_code == 304
    Post.objects.update(campaign="New")
    assert program("GET", f"posts/{post.pk}", If_None_Match=tag).status_code == 200


def test_a_failure_is_told(program: Program, workspace: Workspace, account: ConnectedAccount) -> None:
    post = make_post(workspace, account)
    Publication.objects.update(
        status=Status.FAILED, error_kind="rejected", error_message="Too small.", platform_message="(#100)"
    )
    (publication,) = program("GET", f"posts/{post.pk}").json()["publications"]
    assert publication["error"] == {"kind": "rejected", "message": "Too small.", "platformMessage": "(#100)"}


def ids(response: Any) -> set[str]:
    assert response.status_code == 200, response.content
    return {one["id"] for one in response.json()["posts"]}


def test_posts_are_found_as_on_the_page(program: Program, workspace: Workspace) -> None:
    facebook, linkedin = make_account(workspace), make_account(workspace, platform="linkedin", account_type="member")
    one = make_post(workspace, facebook, caption="Red wheels", campaign="Spring")
    two = make_post(workspace, linkedin, caption="Blue doors", scheduled_at=soon(days=3))
    Post.objects.filter(pk=two.pk).update(status=Post.Summary.SCHEDULED)
    first, second = {str(one.pk)}, {str(two.pk)}
    assert ids(program("GET", "posts")) == first | second
    assert ids(program("GET", "posts?status=scheduled")) == second
    assert ids(program("GET", "posts?platform=facebook")) == first
    assert ids(program("GET", f"posts?accountId={linkedin.pk}")) == second
    assert ids(program("GET", "posts?campaign=spring")) == first
    assert ids(program("GET", "posts?q=whe")) == first
    border = zulu(soon(days=1))
    assert ids(program("GET", f"posts?from={border}")) == second
    assert ids(program("GET", f"posts?to={border}")) == first
    assert [post["id"] for post in program("GET", "posts?order=due").json()["posts"]] == [str(two.pk), str(one.pk)]
    for wrong in (
        "stauts=draft",
        "status=lost",
        "platform=myspace",
        f"accountId={NOBODY}",
        "from=yesterday",
        "from=2026-01-01T00:00",
    ):
        assert fields_of(program("GET", f"posts?{wrong}")).keys() == {wrong.partition("=")[0]}


@pytest.mark.parametrize("order", ["created", "due"])
def test_pages_of_posts_hold_each_once(program: Program, workspace: Workspace, order: str) -> None:
    at = soon()
    wanted = {str(make_post(workspace, scheduled_at=at if number % 2 else None).pk) for number in range(7)}
    seen: list[str] = []
    cursor = ""
    for _page in range(4):
        body = program("GET", f"posts?limit=2&order={order}&cursor={cursor}").json()
        seen += [post["id"] for post in body["posts"]]
        cursor = body["nextCursor"] or ""
    assert not cursor
    assert len(seen) == 7
    assert set(seen) == wanted


def test_a_list_costs_the_same_however_long(program: Program, workspace: Workspace) -> None:
    accounts = [make_account(workspace) for _number in range(3)]
    media = make_media(workspace)

    def fill(number: int) -> None:
        for _number in range(number):
            post = make_post(workspace, *accounts, scheduled_at=soon())
            PostMedia.objects.create(post=post, media=media, position=1)
            Publication.objects.filter(post=post).update(status=Status.SCHEDULED)
            for publication in post.publications.all():
                make_entry(publication)
        waiting = make_post(workspace)
        PostAssembly.objects.create(post=waiting, intent="now", by=workspace.members.get())
        MediaFetch.objects.create(post=waiting, position=1, url="https://example.com/a", not_before=soon())

    counted = []
    program("GET", "posts")  # notes that the key is used
    for number in (2, 48):
        fill(number)
        with CaptureQueriesContext(connection) as queries:
            response = program("GET", "posts?limit=50&platform=facebook&q=Hello")
        assert response.json()["posts"]
        counted.append(len(queries))
    assert counted[0] == counted[1]
    assert counted[1] <= 10


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_makes_the_post(program: Program, account: ConnectedAccount) -> None:
    start, answers = Barrier(5), []
    wanted = {"content": "x", "accountIds": [str(account.pk)], "publishNow": True}

    def ask() -> None:
        start.wait()
        try:
            answers.append(program("POST", "posts", wanted, Idempotency_Key="order-1").status_code)
        finally:
            connection.close()

    together(ask, 5)
    assert Post.objects.count() == 1
    assert set(answers) <= {201, 409}
    assert 201 in answers


@pytest.mark.django_db(transaction=True)
def test_of_two_who_saw_the_same_state_one_changes_it(program: Program, workspace: Workspace) -> None:
    post = make_post(workspace)
    tag = program("GET", f"posts/{post.pk}")["ETag"]
    start, answers = Barrier(2), []

    def change() -> None:
        start.wait()
        try:
            answers.append(
                program("PATCH", f"posts/{post.pk}", {"content": str(uuid.uuid4())}, If_Match=tag).status_code
            )
        finally:
            connection.close()

    together(change, 2)
    assert sorted(answers) == [200, 412]


def together(act: Callable[[], None], number: int) -> None:
    threads = [Thread(target=act) for _number in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# --- Changing -------------------------------------------------------------------------------------------------


def test_what_is_not_sent_stays(program: Program, workspace: Workspace, account: ConnectedAccount) -> None:
    first, second = make_media(workspace), make_media(workspace)
    post = made(
        program(
            "POST",
            "posts",
            {
                "content": "One",
                "accountIds": [str(account.pk)],
                "media": [{"id": str(first.pk), "altText": "First"}, {"id": str(second.pk), "altText": "Second"}],
                "captions": {str(account.pk): "Own"},
                "hashtags": ["a", "b"],
                "scheduledAt": zulu(soon()),
                "lateHours": 3,
            },
        )
    )
    response = program("PATCH", f"posts/{post['id']}", {"content": "Two", "mediaIds": [str(second.pk), str(first.pk)]})
    body = response.json()
    assert response["ETag"]
    changed = {"content", "media", "updatedAt", "publications"}
    assert {name: value for name, value in body.items() if name not in changed} == {
        name: value for name, value in post.items() if name not in changed
    }
    assert [one["altText"] for one in body["media"]] == ["Second", "First"]
    assert (body["content"], body["publications"][0]["caption"]) == ("Two", "Own")
    assert body["publications"][0]["id"] == post["publications"][0]["id"]
    body = program("PATCH", f"posts/{post['id']}", {"captions": {}, "hashtags": [], "mediaIds": []}).json()
    assert (body["publications"][0]["caption"], body["hashtags"], body["media"]) == (None, [], [])
    assert body["publications"][0]["postType"] == "text"


def test_what_waits_beside_a_failure_still_waits(program: Program, workspace: Workspace) -> None:
    post = make_post(workspace, make_account(workspace), make_account(workspace, platform="linkedin"))
    at = soon()
    program("POST", "posts/schedule", {"postId": str(post.pk), "scheduledAt": zulu(at)})
    failed = post.publications.first()
    QueueEntry.objects.filter(publication=failed).delete()
    Publication.objects.filter(pk=failed.pk).update(status=Status.FAILED, error_kind="rejected")
    Post.objects.update(status=Post.Summary.PARTLY_FAILED)
    body = program("PATCH", f"posts/{post.pk}", {"campaign": "Spring"}).json()
    assert (body["status"], body["scheduledAt"]) == ("scheduled", zulu(at))
    assert QueueEntry.objects.filter(not_before=at).count() == 2


def test_a_time_is_changed_and_taken_away(program: Program, account: ConnectedAccount) -> None:
    post = made(program("POST", "posts", {"content": "One", "accountIds": [str(account.pk)]}))
    at = zulu(soon())
    body = program("PATCH", f"posts/{post['id']}", {"scheduledAt": at}).json()
    assert (body["status"], body["scheduledAt"]) == ("scheduled", at)
    body = program("PATCH", f"posts/{post['id']}", {"scheduledAt": None}).json()
    assert (body["status"], body["scheduledAt"]) == ("draft", None)
    assert program("PATCH", f"posts/{post['id']}", {"publishNow": True}).json()["status"] == "scheduled"


def test_a_state_that_is_over_is_not_written_over(program: Program, workspace: Workspace) -> None:
    post = make_post(workspace)
    tag = program("GET", f"posts/{post.pk}")["ETag"]
    changed = program("PATCH", f"posts/{post.pk}", {"content": "One"}, If_Match=tag)
    assert changed.status_code == 200
    error_of(program("PATCH", f"posts/{post.pk}", {"content": "Two"}, If_Match=tag), 412)
    error_of(program("DELETE", f"posts/{post.pk}", If_Match=tag), 412)
    post.refresh_from_db()
    assert post.caption == "One"
    assert program("DELETE", f"posts/{post.pk}", If_Match=changed["ETag"]).status_code == 204


@pytest.mark.parametrize("status", [Status.QUEUED, Status.PUBLISHING, Status.CHECKING, Status.PUBLISHED])
def test_what_is_on_its_way_stays(
    program: Program, workspace: Workspace, account: ConnectedAccount, status: Status
) -> None:
    post = make_post(workspace, account)
    Publication.objects.update(status=status)
    error_of(program("PATCH", f"posts/{post.pk}", {"content": "x"}), 409)
    error_of(program("DELETE", f"posts/{post.pk}"), 409)
    error_of(program("POST", f"posts/{post.pk}/cancel"), 409)
    error_of(program("POST", "posts/publish", {"postId": str(post.pk)}), 409)
    at = zulu(soon())
    error_of(program("POST", "posts/schedule", {"postId": str(post.pk), "scheduledAt": at}), 409)
    assert Publication.objects.get().status == status


def test_a_draft_that_may_be_out_is_not_deleted_by_the_way(
    program: Program, workspace: Workspace, account: ConnectedAccount
) -> None:
    post = make_post(workspace, account)
    Publication.objects.update(committing_at=timezone.now())
    assert error_of(program("DELETE", f"posts/{post.pk}"), 409)["code"] == "may_be_out"
    assert program("DELETE", f"posts/{post.pk}?maybeOut=true").status_code == 204


def test_what_waits_is_cancelled_by_deleting(program: Program, workspace: Workspace, account: ConnectedAccount) -> None:
    post = made(program("POST", "posts", {"content": "x", "platforms": ["facebook"], "scheduledAt": zulu(soon())}))
    assert program("POST", f"posts/{post['id']}/cancel").json()["status"] == "draft"
    program("POST", "posts/schedule", {"postId": post["id"], "scheduledAt": zulu(soon())})
    assert program("DELETE", f"posts/{post['id']}").content == b""
    assert not Post.objects.exists()
    error_of(program("DELETE", f"posts/{post['id']}"), 404)


# --- On its way -----------------------------------------------------------------------------------------------


def test_a_draft_is_scheduled_moved_and_sent(program: Program, workspace: Workspace, account: ConnectedAccount) -> None:
    post = make_post(workspace, account, late_hours=9)
    first, second = soon(hours=3), soon(hours=5)
    for at in (first, second):
        body = program("POST", "posts/schedule", {"postId": str(post.pk), "scheduledAt": zulu(at)}).json()
        assert (body["status"], body["scheduledAt"], body["lateHours"]) == ("scheduled", zulu(at), 9)
    body = program("POST", "posts/publish", {"postId": str(post.pk)}).json()
    assert datetime.fromisoformat(body["scheduledAt"]) <= datetime.now(UTC)
    assert Publication.objects.get().queue_entry.not_before <= timezone.now()


@pytest.mark.parametrize("act", ["schedule", "publish"])
def test_what_the_composer_would_not_send_is_refused(
    program: Program, workspace: Workspace, instagram: ConnectedAccount, act: str
) -> None:
    post = make_post(workspace, instagram, post_type="single")
    body = {"postId": str(post.pk), **({"scheduledAt": zulu(soon())} if act == "schedule" else {})}
    assert "media" in fields_of(program("POST", f"posts/{act}", body))
    bare = make_post(workspace)
    assert "accountIds" in fields_of(program("POST", f"posts/{act}", {**body, "postId": str(bare.pk)}))
    post.refresh_from_db()
    assert (post.status, post.scheduled_at) == ("draft", None)


def test_a_time_in_the_past_is_refused(program: Program, workspace: Workspace, account: ConnectedAccount) -> None:
    post = make_post(workspace, account)
    for at in ("2020-01-01T00:00:00Z", zulu(soon(days=900)), "0001-01-01T00:00:00+14:00"):
        assert "scheduledAt" in fields_of(
            program("POST", "posts/schedule", {"postId": str(post.pk), "scheduledAt": at})
        )


def test_a_failed_one_is_tried_again(program: Program, workspace: Workspace, account: ConnectedAccount) -> None:
    post = make_post(workspace, account)
    publication = post.publications.get()
    address = f"posts/{post.pk}/publications/{publication.pk}"
    error_of(program("POST", f"{address}/retry"), 409)
    Publication.objects.update(status=Status.FAILED, error_kind="rejected")
    assert program("POST", f"{address}/retry").json()["publications"][0]["status"] == "scheduled"


def test_what_nobody_can_tell_is_decided(program: Program, workspace: Workspace, account: ConnectedAccount) -> None:
    post = make_post(workspace, account)
    publication = post.publications.get()
    address = f"posts/{post.pk}/publications/{publication.pk}/decide"
    error_of(program("POST", address, {"answer": "give_up"}), 409)
    Publication.objects.update(status=Status.CHECKING, committing_at=timezone.now())
    make_entry(publication, awaits_decision=True)
    assert program("GET", f"posts/{post.pk}").json()["publications"][0]["awaitsDecision"]
    assert fields_of(program("POST", address, {"answer": "maybe"})).keys() == {"answer"}
    assert fields_of(program("POST", address, {"answer": "there"})).keys() == {"platformPostId"}
    body = program("POST", address, {"answer": "there", "platformPostId": "123_456"}).json()
    assert (body["status"], body["publications"][0]["platformPostId"]) == ("published", "123_456")


# --- Dry run --------------------------------------------------------------------------------------------------


def test_a_dry_run_tells_everything_and_saves_nothing(
    program: Program, workspace: Workspace, account: ConnectedAccount, instagram: ConnectedAccount
) -> None:
    body = program("POST", "validate", {"content": "x" * 3_000, "platforms": ["facebook", "instagram"]}).json()
    assert not body["valid"]
    assert {(one["code"], one["accountId"]) for one in body["findings"]} >= {
        ("caption_too_long", str(instagram.pk)),
        ("media_missing", str(instagram.pk)),
    }
    assert body["postTypes"][str(account.pk)] == "text"
    assert [one["accountId"] for one in body["rateLimits"]] == [str(account.pk)]
    assert "content" in body["fields"]
    body = program("POST", "validate", {"content": "x", "accountIds": [str(account.pk)], "scheduledAt": zulu(soon())})
    assert (body.json()["valid"], body.json()["fields"]) == (True, {})
    assert program("POST", "validate", {}).json()["valid"] is False
    assert not Post.objects.exists()


def test_a_post_by_a_program_is_that_of_the_pages(
    program: Program, signed_in: Any, workspace: Workspace, account: ConnectedAccount
) -> None:
    post = made(program("POST", "posts", {"content": "By a robot", "platforms": ["facebook"], "publishNow": True}))
    page = signed_in.get(reverse("publishing:post_detail", args=[post["id"]]))
    assert "By a robot" in page.content.decode()
    assert compose.is_editable(Publication.objects.all())


def test_a_repeated_change_tells_the_state_that_it_left(program: Program, workspace: Workspace) -> None:
    """Else whoever lost the first answer could not say which state the next change is meant for."""
    post = make_post(workspace, make_account(workspace))
    address = f"posts/{post.pk}"
    first, again = (program("PATCH", address, {"content": "New"}, Idempotency_Key="one") for _ in range(2))
    assert again["Idempotent-Replayed"] == "true"
    assert again["ETag"] == first["ETag"] == program("GET", address)["ETag"]
    assert program("PATCH", address, {"content": "Newer"}, If_Match=again["ETag"]).status_code == 200
    assert program("PATCH", address, {"content": "Older"}, If_Match=again["ETag"]).status_code == 412
