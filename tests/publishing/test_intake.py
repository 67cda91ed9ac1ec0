"""Files named by their address: fetched by workers, and the post sent on its way once, when all are here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import ConnectedAccount, Membership, Notification, User, Workspace
from publishing import assemblies, bulk, compose, intake, schedule
from publishing.compose import Composition, Intent, Picture, Target
from publishing.intake import AddressRefused, Wanted
from publishing.media import store_upload
from publishing.models import MediaFetch, MediaFile, Post, PostAssembly, PublicationEvent, QueueEntry
from socialhub.outside import Why
from socialhub.platforms.base import PostType
from tests.factories import make_account, make_post, make_user
from tests.publishing.films import film
from tests.publishing.pictures import encoded, gradient, photo
from tests.stage import wait_until
from tests.test_outside import Host
from tests.test_outside import host as host

pytestmark = pytest.mark.django_db

Status = MediaFetch.Status


@pytest.fixture
def pictures(host: Host, settings: Any) -> Host:
    """A server with three pictures, from which may be fetched."""
    settings.OUTSIDE_ORIGINS = [host.origin]
    for number in (1, 2, 3):
        host.file(f"/{number}.jpg", encoded(gradient(200 + number, 150)))
    return host


@pytest.fixture
def draft(workspace: Workspace, account: ConnectedAccount) -> Post:
    return make_post(workspace, account)


def wanted(host: Host, *paths: str) -> list[Wanted]:
    return [Wanted(f"{host.origin}{path}", f"Picture {path}") for path in paths]


def expect(post: Post, files: Sequence[Wanted], by: User, intent: Intent = Intent.NOW, **fields: Any) -> None:
    intake.expect(post, files, intent=intent, by=by, **fields)


def run_at(moment: datetime) -> None:
    with time_machine.travel(moment, tick=True):
        intake.run_due()


def later(seconds: float) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)


def broken(host: Host, path: str, status: int = 404) -> None:
    host.answers[path] = lambda handler: handler.send_error(status)


# --- All goes well --------------------------------------------------------------------------------------------


def test_the_files_come_and_the_post_goes_out(pictures: Host, draft: Post, owner: User) -> None:
    expect(draft, wanted(pictures, "/1.jpg", "/2.jpg"), owner)
    assert draft.publications.get().status == "draft"
    state = intake.state_of(draft)
    assert state
    assert (state.missing, state.is_waiting) == (2, True)
    assert state.sentence == "2 of 2 files are being fetched from 127.0.0.1."
    intake.run_due()
    draft.refresh_from_db()
    assert draft.status == "scheduled"
    assert QueueEntry.objects.get().priority == QueueEntry.Priority.NOW
    assert list(draft.post_media.values_list("position", "alt_text", "media__original_name")) == [
        (1, "Picture /1.jpg", "1.jpg"),
        (2, "Picture /2.jpg", "2.jpg"),
    ]
    assert draft.publications.get().post_type == PostType.MULTI_IMAGE
    assert PublicationEvent.objects.get().actor == owner
    assert intake.state_of(draft) is None
    assert not Notification.objects.exists()
    assert set(MediaFetch.objects.values_list("status", flat=True)) == {Status.FETCHED}


def test_a_video_is_one_by_what_it_holds(pictures: Host, draft: Post, owner: User) -> None:
    pictures.file("/picture.jpg?size=large", film(seconds=4))
    expect(draft, wanted(pictures, "/picture.jpg?size=large"), owner)
    intake.run_due()
    media = MediaFile.objects.get()
    assert (media.kind, media.original_name) == ("video", "picture.jpg")
    assert draft.publications.get().post_type == PostType.VIDEO


def test_it_is_scheduled_for_its_time(pictures: Host, draft: Post, owner: User) -> None:
    at = later(7200)
    expect(draft, wanted(pictures, "/1.jpg"), owner, Intent.SCHEDULE, at=at, late_hours=3)
    intake.run_due()
    draft.refresh_from_db()
    assert (draft.status, draft.scheduled_at, draft.late_hours) == ("scheduled", at, 3)
    assert QueueEntry.objects.get().due_at == at


def test_what_was_moved_in_the_calendar_meanwhile_goes_out_then(pictures: Host, draft: Post, owner: User) -> None:
    expect(draft, wanted(pictures, "/1.jpg"), owner, Intent.SCHEDULE, at=later(7200))
    moved = later(9000)
    schedule.reschedule(draft, moved, by=owner)
    intake.run_due()
    assert QueueEntry.objects.get().due_at == moved


def test_what_was_to_go_out_at_once_and_got_a_day_goes_out_then(pictures: Host, draft: Post, owner: User) -> None:
    expect(draft, wanted(pictures, "/1.jpg"), owner)
    moved = later(9000)
    schedule.reschedule(draft, moved, by=owner)
    intake.run_due()
    assert QueueEntry.objects.get().due_at == moved


def test_something_else_may_be_intended_meanwhile(pictures: Host, draft: Post, owner: User) -> None:
    expect(draft, wanted(pictures, "/1.jpg"), owner, Intent.DRAFT)
    at = later(7200)
    assert intake.intend(draft, intent=Intent.SCHEDULE, at=at, by=owner)
    intake.run_due()
    assert QueueEntry.objects.get().due_at == at
    assert not intake.intend(draft, intent=Intent.NOW, by=owner)


def test_a_draft_stays_one(pictures: Host, draft: Post, owner: User) -> None:
    expect(draft, wanted(pictures, "/1.jpg"), owner, Intent.DRAFT)
    intake.run_due()
    draft.refresh_from_db()
    assert (draft.status, draft.post_media.count()) == ("draft", 1)
    assert intake.state_of(draft) is None


def test_they_stand_behind_those_that_the_post_has(
    pictures: Host, workspace: Workspace, account: ConnectedAccount, owner: User
) -> None:
    first = store_upload(workspace, owner, photo(300, 200))
    post = compose.create(
        workspace, owner, Composition(pictures=[Picture(first)], targets=[Target(account, PostType.SINGLE)])
    )
    expect(post, wanted(pictures, "/2.jpg", "/2.jpg"), owner)
    intake.run_due()
    names = post.post_media.order_by("position").values_list("position", "media__original_name")
    assert list(names) == [(1, "photo.jpg"), (2, "2.jpg"), (3, "2.jpg")]
    assert MediaFile.objects.count() == 2  # the same file is kept once


def test_a_type_that_was_asked_for_holds_and_its_choices_stay(
    pictures: Host, workspace: Workspace, owner: User
) -> None:
    pictures.file("/film.mp4", film(seconds=4))
    account = make_account(workspace, platform="instagram")
    post = make_post(workspace, account)
    post.publications.update(choices={"share_to_feed": "no", "nonsense": "x"})
    expect(post, wanted(pictures, "/film.mp4"), owner, post_types={account.pk: PostType.STORY})
    intake.run_due()
    publication = post.publications.get()
    assert publication.post_type == PostType.STORY
    assert "nonsense" not in publication.choices


def test_asked_twice_for_the_same_post_it_is_done_once(pictures: Host, draft: Post, owner: User) -> None:
    """As a program does that got no answer; also when all is over since."""
    expect(draft, wanted(pictures, "/1.jpg"), owner)
    expect(draft, wanted(pictures, "/1.jpg"), owner)
    assert MediaFetch.objects.count() == 1
    intake.run_due()
    expect(draft, wanted(pictures, "/1.jpg"), owner)
    intake.run_due()
    assert PostAssembly.objects.count() == 0
    assert QueueEntry.objects.count() == 1
    assert pictures.asked == ["/1.jpg"]


def test_nothing_to_fetch_is_nothing_to_wait_for(draft: Post, owner: User) -> None:
    expect(draft, [], owner)
    assert intake.state_of(draft) is None


def test_a_worker_is_woken_when_it_is_saved(
    pictures: Host,
    draft: Post,
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    woken: list[str] = []
    monkeypatch.setattr(intake, "wake", woken.append)
    with django_capture_on_commit_callbacks(execute=True):
        expect(draft, wanted(pictures, "/1.jpg"), owner)
    assert woken == ["publishing.tasks.fetch_media"]


# --- What is refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://pictures.example/a.jpg", "begin with https://"),
        ("https://pictures.example:8443/a.jpg", "begin with https://"),
        ("https://127.0.0.1/a.jpg", "private network"),
        ("https://[::ffff:10.0.0.1]/a.jpg", "private network"),
        ("https://2130706433/a.jpg", "begin with https://"),
        ("file:///etc/passwd", "begin with https://"),
        ("javascript:alert(1)", "begin with https://"),
        (f"https://pictures.example/{'a' * 2000}", "2,000 characters"),
    ],
)
def test_an_address_that_is_never_called_is_refused_at_once(draft: Post, owner: User, url: str, words: str) -> None:
    with pytest.raises(AddressRefused, match=words) as refused:
        expect(draft, [Wanted("https://pictures.example/a.jpg"), Wanted(url)], owner)
    assert refused.value.number == 1
    assert not PostAssembly.objects.exists()


def test_too_many_are_refused(draft: Post, owner: User) -> None:
    with pytest.raises(AddressRefused, match="at most 40"):
        expect(draft, [Wanted(f"https://pictures.example/{number}") for number in range(41)], owner)


def test_what_cannot_be_had_is_told_once_and_the_rest_is_kept(
    pictures: Host, draft: Post, owner: User, django_capture_on_commit_callbacks: Any
) -> None:
    broken(pictures, "/gone.jpg?key=secret")
    expect(draft, wanted(pictures, "/1.jpg", "/gone.jpg?key=secret", "/3.jpg"), owner)
    with django_capture_on_commit_callbacks(execute=True):
        intake.run_due()
    draft.refresh_from_db()
    assert draft.status == "draft"
    assert list(draft.post_media.values_list("position", flat=True)) == [1, 3]
    state = intake.state_of(draft)
    assert state
    assert state.failed_at
    assert state.message == (
        "1 of 3 files could not be fetched.\n"
        "File 2 (127.0.0.1): The server did not give the file, but said HTTP 404. Check whether the address opens.\n"
        "Nothing was published: the post is a draft. Open it to change it, or have the files fetched again."
    )
    notification = Notification.objects.get()
    assert (notification.kind, notification.url) == ("media", draft.get_absolute_url())
    assert len(mail.outbox) == 1
    assert "secret" not in mail.outbox[0].body
    intake.run_due()
    assert pictures.asked.count("/1.jpg") == 1


def test_fetched_again_it_goes_on(pictures: Host, draft: Post, owner: User) -> None:
    broken(pictures, "/2.jpg")
    expect(draft, wanted(pictures, "/1.jpg", "/2.jpg", "/3.jpg"), owner)
    intake.run_due()
    pictures.file("/2.jpg", encoded(gradient(250, 150)))
    other = make_user()
    Membership.objects.create(workspace=draft.workspace, user=other, role="editor")
    assert intake.retry(draft, by=other)
    assert not Notification.objects.filter(resolved_at=None).exists()
    intake.run_due()
    draft.refresh_from_db()
    assert draft.status == "scheduled"
    assert list(draft.post_media.values_list("position", flat=True)) == [1, 2, 3]
    assert PublicationEvent.objects.get().actor == other
    assert pictures.asked.count("/1.jpg") == 1
    assert not intake.retry(draft, by=other)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "was not added"),
        (b"<html><body>Please sign in</body></html>", "was not added"),
        (b"", "is empty"),
        (b"\xff\xd8\xff\xe0" + b"\x00" * 500, "was not added"),
    ],
    ids=["svg", "page", "empty", "broken"],
)
def test_what_is_no_picture_is_refused_by_what_it_is(
    pictures: Host, draft: Post, owner: User, content: bytes, words: str
) -> None:
    pictures.file("/a.jpg", content)
    expect(draft, wanted(pictures, "/a.jpg"), owner)
    intake.run_due()
    row = MediaFetch.objects.get()
    assert (row.status, row.attempts) == (Status.FAILED, 1)
    assert words in row.message
    assert not MediaFile.objects.exists()


def test_too_large_a_picture_ends_before_it_is_all_here(
    pictures: Host, draft: Post, owner: User, settings: Any
) -> None:
    settings.UPLOAD_MAX_BYTES = 2 * 1024 * 1024
    sent = []

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b"\xff\xd8\xff\xe0")
        try:
            while len(sent) < 400:
                handler.wfile.write(b"x" * 100_000)
                sent.append(1)
        except OSError:
            return

    pictures.answers["/a.jpg"] = endless
    expect(draft, wanted(pictures, "/a.jpg"), owner)
    intake.run_due()
    assert "larger than 2 MB" in MediaFetch.objects.get().message
    assert len(sent) < 200


def test_a_server_that_is_restarting_is_asked_again_later(pictures: Host, draft: Post, owner: User) -> None:
    broken(pictures, "/1.jpg", 503)
    expect(draft, wanted(pictures, "/1.jpg"), owner)
    intake.run_due()
    intake.run_due()
    row = MediaFetch.objects.get()
    assert (row.status, row.attempts) == (Status.WAITING, 1)
    assert "HTTP 503" in row.message
    pictures.file("/1.jpg", encoded(gradient()))
    run_at(later(11))
    assert MediaFetch.objects.get().status == Status.FETCHED
    draft.refresh_from_db()
    assert draft.status == "scheduled"


def test_it_is_given_up_in_the_end(pictures: Host, draft: Post, owner: User) -> None:
    broken(pictures, "/1.jpg", 503)
    expect(draft, wanted(pictures, "/1.jpg"), owner)
    for hours in range(6):
        run_at(later(3600 * hours))
    assert len(pictures.asked) == 5
    assert MediaFetch.objects.get().status == Status.FAILED
    assert Notification.objects.count() == 1


# --- Before it is put together --------------------------------------------------------------------------------


def test_what_the_network_does_not_take_stays_a_draft(pictures: Host, workspace: Workspace, owner: User) -> None:
    post = make_post(workspace, make_account(workspace, platform="instagram"))
    expect(
        post,
        wanted(pictures, "/1.jpg"),
        owner,
        post_types={publication.account_id: PostType.CAROUSEL for publication in post.publications.all()},
    )
    intake.run_due()
    post.refresh_from_db()
    assert (post.status, post.post_media.count()) == ("draft", 1)
    assert "the post cannot go out as it is" in PostAssembly.objects.get().message


def left(membership: Membership) -> None:
    membership.delete()


def lowered(membership: Membership) -> None:
    Membership.objects.filter(pk=membership.pk).update(role="viewer")


def locked_out(membership: Membership) -> None:
    User.objects.filter(pk=membership.user_id).update(is_active=False)


@pytest.mark.parametrize("change", [left, lowered, locked_out])
def test_it_goes_out_for_nobody_who_may_not_publish_any_more(
    pictures: Host, draft: Post, change: Callable[[Membership], None]
) -> None:
    editor = make_user()
    membership = Membership.objects.create(workspace=draft.workspace, user=editor, role="editor")
    expect(draft, wanted(pictures, "/1.jpg"), editor)
    change(membership)
    intake.run_due()
    draft.refresh_from_db()
    assert draft.status == "draft"
    assert "may no longer publish here" in PostAssembly.objects.get().message


def test_what_comes_too_late_for_its_time_is_asked_about(pictures: Host, draft: Post, owner: User) -> None:
    expect(draft, wanted(pictures, "/1.jpg"), owner, Intent.SCHEDULE, at=later(60), late_hours=2)
    run_at(later(60 + 2 * 3600 + 5))
    draft.refresh_from_db()
    assert draft.status == "draft"
    assert "too late" in PostAssembly.objects.get().message


def test_a_little_late_it_goes_out_at_once(pictures: Host, draft: Post, owner: User) -> None:
    expect(draft, wanted(pictures, "/1.jpg"), owner, Intent.SCHEDULE, at=later(60), late_hours=2)
    run_at(later(3600))
    draft.refresh_from_db()
    assert draft.status == "scheduled"


def test_what_is_saved_in_the_composer_counts(
    pictures: Host, workspace: Workspace, account: ConnectedAccount, draft: Post, owner: User
) -> None:
    expect(draft, wanted(pictures, "/1.jpg"), owner)
    compose.update(draft, owner, Composition(caption="Without it", targets=[Target(account, PostType.TEXT)]))
    intake.run_due()
    draft.refresh_from_db()
    assert (draft.status, draft.post_media.count(), pictures.asked) == ("draft", 0, [])
    assert intake.state_of(draft) is None


def test_saved_while_a_file_comes_it_stays_as_it_was_saved(
    pictures: Host, workspace: Workspace, account: ConnectedAccount, draft: Post, owner: User
) -> None:
    expect(draft, wanted(pictures, "/1.jpg"), owner)
    row = intake.take()
    assert row
    compose.update(draft, owner, Composition(caption="Without it", targets=[Target(account, PostType.TEXT)]))
    intake.work_on(row)
    intake.conclude(draft.pk)
    draft.refresh_from_db()
    assert (draft.status, draft.post_media.count()) == ("draft", 0)


def test_a_draft_that_is_deleted_takes_it_along(pictures: Host, draft: Post, owner: User) -> None:
    broken(pictures, "/1.jpg")
    expect(draft, wanted(pictures, "/1.jpg"), owner)
    intake.run_due()
    assert bulk.delete_draft(draft, by=owner) is None
    assert not MediaFetch.objects.exists()
    assert not Notification.objects.filter(resolved_at=None).exists()


# --- Whatever dies --------------------------------------------------------------------------------------------


class Killed(BaseException):
    """What a worker cannot catch."""


def die(*args: object, **options: object) -> None:
    raise Killed


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (intake, "fetch_to"),
        (intake, "store_upload"),
        (intake, "mine"),
        (intake, "conclude"),
        (compose, "locked"),
        (intake, "attach"),
        (intake, "shape"),
        (intake, "why_not"),
        (assemblies, "end"),
        (schedule, "publish_now"),
    ],
)
def test_killed_anywhere_it_becomes_one_post(
    pictures: Host, draft: Post, owner: User, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    expect(draft, wanted(pictures, "/1.jpg", "/2.jpg"), owner)
    real, calls = getattr(module, name), []

    def once(*args: Any, **options: Any) -> Any:
        calls.append(1)
        return die() if len(calls) == 1 else real(*args, **options)

    monkeypatch.setattr(module, name, once)
    with pytest.raises(Killed):
        intake.run_due()
    assert QueueEntry.objects.count() == 0
    run_at(later(intake.LEASE.total_seconds() + 1))
    draft.refresh_from_db()
    assert draft.status == "scheduled"
    assert QueueEntry.objects.count() == 1
    assert draft.post_media.count() == 2
    assert PublicationEvent.objects.count() == 1


def test_a_file_that_kills_its_workers_is_given_up(
    pictures: Host, draft: Post, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect(draft, wanted(pictures, "/1.jpg"), owner)
    monkeypatch.setattr(intake, "store_upload", die)
    for hours in range(5):
        with pytest.raises(Killed):
            run_at(later(3600 * hours))
    run_at(later(3600 * 5))
    assert MediaFetch.objects.get().status == Status.FAILED
    assert Notification.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_lease_goes_on_while_a_file_is_looked_into(
    pictures: Host, draft: Post, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is short, because nobody waits for a worker that was killed; so it is renewed for one that lives."""
    expect(draft, wanted(pictures, "/1.jpg"), owner)
    monkeypatch.setattr(intake, "RENEW_SECONDS", 0.01)

    def lease() -> datetime:
        found = MediaFetch.objects.get().lease_until
        assert found is not None
        return found

    def slowly(*args: Any, **options: Any) -> MediaFile:
        first = lease()
        assert wait_until(lambda: lease() > first, 60, every=0.01)
        assert lease() <= timezone.now() + intake.LEASE
        MediaFetch.objects.update(attempts=5)  # somebody else has taken it over
        return store_upload(*args, **options)

    monkeypatch.setattr(intake, "store_upload", slowly)
    intake.run_due()
    assert MediaFetch.objects.get().status == Status.WAITING, "it is the other one's now"
    assert not [thread for thread in threading.enumerate() if thread.name == "keep-lease"]


def test_whoever_comes_back_late_changes_nothing(
    pictures: Host, draft: Post, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease ran out, another one has fetched the file, and the post is on its way."""
    expect(draft, wanted(pictures, "/1.jpg"), owner)
    slow = intake.take()
    run_at(later(200))
    assert QueueEntry.objects.count() == 1
    assert slow
    intake.work_on(slow)
    intake.conclude(draft.pk)
    assert QueueEntry.objects.count() == 1
    assert MediaFetch.objects.get().attempts == 2


def test_a_fault_of_ours_stops_no_other(
    pictures: Host, workspace: Workspace, account: ConnectedAccount, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make_post(workspace, account), make_post(workspace, account)
    for post in (first, second):
        expect(post, wanted(pictures, "/1.jpg"), owner)
    real = intake.shape

    def shape(post: Post, assembly: PostAssembly) -> None:
        if post.pk == first.pk:
            raise ZeroDivisionError
        real(post, assembly)

    monkeypatch.setattr(intake, "shape", shape)
    intake.run_due()
    assert QueueEntry.objects.get().publication.post == second
    assert "Something went wrong on our side" in PostAssembly.objects.get(post=first).message


def test_slow_servers_of_one_workspace_hold_up_no_other(
    pictures: Host, workspace: Workspace, account: ConnectedAccount, owner: User, stranger: User
) -> None:
    expect(make_post(workspace, account), wanted(pictures, *["/1.jpg"] * 10), owner)
    other = stranger.workspaces.get()
    expect(make_post(other, make_account(other)), wanted(pictures, "/2.jpg"), stranger)
    taken = [intake.take() for _number in range(4)]
    assert [row.post.workspace_id if row else None for row in taken] == [workspace.pk, workspace.pk, other.pk, None]


@pytest.mark.django_db(transaction=True)
def test_two_workers_put_it_together_once(pictures: Host, draft: Post, owner: User) -> None:
    expect(draft, wanted(pictures, "/1.jpg", "/2.jpg", "/3.jpg"), owner)
    together = threading.Barrier(3)

    def work() -> None:
        together.wait()
        try:
            for _number in range(5):
                intake.run_due()
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    intake.run_due()
    assert QueueEntry.objects.count() == 1
    assert draft.post_media.count() == 3
    assert sorted(pictures.asked) == ["/1.jpg", "/2.jpg", "/3.jpg"]


# --- Shown ----------------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(pictures: Host, draft: Post, owner: User) -> Iterator[Post]:
    broken(pictures, "/2.jpg", 503)
    expect(draft, wanted(pictures, "/1.jpg", "/2.jpg", "/3.jpg"), owner)
    intake.run_due()
    return draft


def test_the_page_of_the_post_says_what_is_missing(waiting: Post, signed_in: Client) -> None:
    page = signed_in.get(waiting.get_absolute_url()).content.decode()
    assert "1 of 3 files is being fetched from 127.0.0.1." in page
    assert "It is published as soon as all its files are here." in page
    assert "said HTTP 503" in page
    assert "hx-get" in page.split('id="post_progress"')[1][:200]
    schedule.reschedule(waiting, later(9000), by=None)
    assert "It is scheduled as soon as" in signed_in.get(waiting.get_absolute_url()).content.decode()
    editing = signed_in.get(reverse("publishing:post_edit", args=[waiting.pk])).content.decode()
    assert "1 of 3 files is being fetched" in editing
    assert "What you save here is what counts" in editing


def test_the_page_is_read_anew_when_they_are_here(pictures: Host, waiting: Post, signed_in: Client) -> None:
    address = reverse("publishing:post_progress", args=[waiting.pk]) + "?n=3&files=1"
    assert "HX-Refresh" not in signed_in.get(address).headers
    pictures.file("/2.jpg", encoded(gradient()))
    run_at(later(11))
    assert signed_in.get(address).headers["HX-Refresh"] == "true"


def test_they_are_fetched_again_from_the_page(
    pictures: Host, draft: Post, owner: User, signed_in: Client, signed_in_stranger: Client
) -> None:
    broken(pictures, "/1.jpg")
    expect(draft, wanted(pictures, "/1.jpg"), owner)
    intake.run_due()
    assert "Fetch again" in signed_in.get(draft.get_absolute_url()).content.decode()
    address = reverse("publishing:post_fetch", args=[draft.pk])
    assert signed_in_stranger.post(address).status_code == 404
    assert PostAssembly.objects.get().failed_at
    page = signed_in.post(address, follow=True).content.decode()
    assert "The files are being fetched again." in page
    assert PostAssembly.objects.get().failed_at is None
    assert "nothing to fetch" in signed_in.post(address, follow=True).content.decode()


def test_many_posts_are_asked_about_in_two_statements(
    pictures: Host,
    workspace: Workspace,
    account: ConnectedAccount,
    owner: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    posts = [make_post(workspace, account) for _number in range(6)]
    for post in posts[1:]:
        expect(post, wanted(pictures, "/1.jpg", "/2.jpg"), owner)
    with django_assert_num_queries(2):
        states = intake.states_of(posts)
    assert set(states) == {post.pk for post in posts[1:]}


@pytest.mark.parametrize("why", Why)
def test_every_reason_has_words(why: Why) -> None:
    assert intake.reason(intake.NotFetched("x", why, status=404)).endswith(".")


def test_what_was_fetched_a_month_ago_is_forgotten(pictures: Host, draft: Post, waiting: Post, owner: User) -> None:
    with time_machine.travel(later(40 * 86400)):
        assert intake.tidy() == 0  # it still waits
    pictures.file("/2.jpg", encoded(gradient()))
    run_at(later(11))
    assert intake.tidy() == 0
    with time_machine.travel(later(40 * 86400)):
        assert intake.tidy() == 3
