"""The end of a workspace: shut at once, finished with care, gone without a trace, whoever dies meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import responses
import time_machine
from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import api_keys, connect, pauses
from accounts.models import ConnectedAccount, Credential, Grant, Membership, Notification, User, Workspace
from accounts.notify import tell
from analytics import cadence, sync, weekly, workspace_end, workspace_export
from analytics.models import InsightWindow, PlatformPost, PostDay, PostSnapshot, WorkspaceExport
from publishing import claims, intake
from publishing.compose import Intent
from publishing.intake import Wanted
from publishing.media import rendition
from publishing.models import Attempt, MediaFile, Post, Publication, PublicationEvent, QueueEntry, WebhookDelivery
from publishing.schedule import publish_now, schedule
from publishing.webhooks import ends
from socialhub.platforms.errors import TemporaryError
from socialhub.platforms.rules import IMAGE
from tests.accounts.conftest import member, sign_in
from tests.factories import make_account, make_post, workspace_of
from tests.fakes import FakePlatform
from tests.publishing.conftest import network as network
from tests.publishing.conftest import run_due
from tests.staff import press
from tests.test_isolation import OURS, Things, make_things

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture(autouse=True)
def _at_once(settings: Any) -> None:
    """But for those who look at the days before."""
    settings.WORKSPACE_GRACE_DAYS = 0


@pytest.fixture
def revoked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whose accesses were given back to Meta."""
    found: list[str] = []
    meta = connect.PROVIDERS["meta"]
    monkeypatch.setattr(type(meta), "revoke", lambda self, grant: found.append(grant.platform_user_id))
    return found


@pytest.fixture
def neighbour(stranger: User) -> Things:
    return make_things(workspace_of(stranger), stranger, "Yarrow")


@pytest.fixture
def before(neighbour: Things) -> dict[str, int]:
    return counts()


def counts() -> dict[str, int]:
    """How many rows there are of everything."""
    models = [model for app in OURS for model in apps.get_app_config(app).get_models()]
    people = (User, Workspace, Membership)  # each has a workspace of their own
    return {model._meta.label: model._base_manager.count() for model in models if model not in people}


def files() -> set[str]:
    top = Path(settings.MEDIA_ROOT)
    return {str(path.relative_to(top)) for path in top.rglob("*") if path.is_file()}


@pytest.fixture
def kept(neighbour: Things) -> set[str]:
    return files()


@pytest.fixture
def full(before: dict[str, int], kept: set[str], workspace: Workspace, owner: User) -> Things:
    """A workspace with something of everything, several of what is many."""
    things = make_things(workspace, owner)
    workspace_end.stop_what_waits(workspace)  # those of the stage; each test has its own
    account = ConnectedAccount.objects.get(pk=things.ids["account"])
    Credential.objects.filter(account=account).update(grant=things.ids["grant"])
    picture = MediaFile.objects.get(pk=things.ids["media"])
    rendition(picture, IMAGE["facebook"])
    publication = Publication.objects.get(pk=things.ids["failed"])
    for number in range(5):
        day = timezone.now() - timedelta(days=number)
        InsightWindow.objects.create(account=account, period="day", window_start=day, fetched_at=day)
        values = {"platform_post_id": things.ids["platform_post"], "fetched_at": day}
        PostSnapshot.objects.create(**values)
        PostDay.objects.create(**values, account=account, day=day)
        Attempt.objects.create(publication=publication, number=number, worker="w", started_at=day)
        make_post(workspace, account)
    workspace_export.ask(workspace, owner)
    workspace_export.run_due()
    return things


def end(workspace: Workspace, owner: User) -> None:
    workspace_end.begin(workspace, owner)
    workspace_end.run_due()


# --- Shut -----------------------------------------------------------------------------------------------------


def test_nobody_gets_in_from_then_on(full: Things, workspace: Workspace, owner: User, signed_in: Client) -> None:
    viewer = sign_in(member(workspace, "viewer"))
    key = api_keys.make(workspace, owner, "Robot", ["read"])[1]
    program = {"Authorization": f"Bearer {key}"}
    assert signed_in.get(reverse("publishing:post_list")).status_code == 200
    assert signed_in.get("/api/social/connected-accounts", headers=program).status_code == 200
    workspace_end.begin(workspace, owner)
    for client in (signed_in, viewer):
        assert client.get(reverse("publishing:post_list")).status_code == 403
        assert client.get(full.url("publishing:post_detail")).status_code == 403
        assert client.get(full.url("publishing:media_file")).status_code == 403
        switched = client.post(reverse("accounts:workspace_switch"), {"workspace": str(workspace.pk)})
        assert switched.status_code == 404
    assert Client().get("/api/social/connected-accounts", headers=program).status_code == 401


def test_whoever_has_another_workspace_is_there_then(
    full: Things, workspace: Workspace, owner: User, neighbour: Things, signed_in: Client
) -> None:
    Membership.objects.create(workspace=neighbour.workspace, user=owner, role="editor")
    workspace_end.begin(workspace, owner)
    page = signed_in.get(reverse("publishing:post_list")).content.decode()
    assert "Yarrow" in page
    assert "Zanzibar" not in page


def test_whoever_has_none_may_begin_anew(full: Things, workspace: Workspace, owner: User, signed_in: Client) -> None:
    workspace_end.begin(workspace, owner)
    signed_in.post(reverse("accounts:workspace_new"))
    assert signed_in.get(reverse("publishing:post_list")).status_code == 200


def test_nothing_that_waits_goes_out(workspace: Workspace, owner: User, network: FakePlatform) -> None:
    due, later = make_post(workspace, make_account(workspace)), make_post(workspace, make_account(workspace))
    publish_now(due, by=owner)
    schedule(later, timezone.now() + timedelta(hours=1), by=owner)
    workspace_end.begin(workspace, owner)
    run_due()
    assert not network.feed
    workspace_end.run_due()
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        run_due()
    assert not network.feed
    assert not Workspace.objects.filter(pk=workspace.pk).exists()


def test_no_file_is_fetched_for_it(workspace: Workspace, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    post = make_post(workspace, make_account(workspace))
    intake.expect(post, [Wanted("https://pictures.example/a.jpg")], intent=Intent.NOW, by=owner)
    workspace_end.begin(workspace, owner)
    monkeypatch.setattr(intake, "fetch_to", lambda *args: pytest.fail("it is fetched"))
    intake.run_due()
    workspace_end.run_due()
    assert not Workspace.objects.filter(pk=workspace.pk).exists()


def test_what_is_being_published_is_finished_first(workspace: Workspace, owner: User, network: FakePlatform) -> None:
    """A worker has it in hand: nothing is taken away beneath it."""
    account = make_account(workspace)
    publish_now(make_post(workspace, account), by=owner)
    (claim,) = claims.claim_due(5)
    end(workspace, owner)
    assert Publication.objects.get().status == "publishing"
    assert Credential.objects.filter(account=account).exists()
    Publication.objects.update(status="published", platform_post_id="1_1")
    claims.finish(claim)
    workspace_end.run_due()
    assert not Workspace.objects.filter(pk=workspace.pk).exists()


def test_a_worker_that_died_with_a_post_is_not_waited_for(
    workspace: Workspace, owner: User, network: FakePlatform
) -> None:
    publish_now(make_post(workspace, make_account(workspace)), by=owner)
    claims.claim_due(5)
    end(workspace, owner)
    with time_machine.travel(timezone.now() + timedelta(seconds=settings.PUBLISH_LEASE_SECONDS + 1), tick=True):
        workspace_end.run_due()
    assert not Workspace.objects.filter(pk=workspace.pk).exists()


# --- Gone -----------------------------------------------------------------------------------------------------


def test_no_row_and_no_file_is_left(
    full: Things, before: dict[str, int], kept: set[str], workspace: Workspace, owner: User, revoked: list[str]
) -> None:
    stray = default_storage.save(f"originals/{workspace.pk}/stray.jpg", ContentFile(b"x"))
    assert files() > kept
    end(workspace, owner)
    assert counts() == before
    assert files() == kept
    assert not default_storage.exists(stray)
    assert not (Path(settings.MEDIA_ROOT) / "originals" / str(workspace.pk)).exists()
    assert revoked == ["9001"]
    assert not Workspace.objects.filter(pk=workspace.pk).exists()
    assert User.objects.filter(pk=owner.pk).exists()


@pytest.mark.parametrize("number", range(len(workspace_end.STEPS)))
def test_killed_at_any_step_it_goes_on(
    full: Things,
    kept: set[str],
    workspace: Workspace,
    owner: User,
    revoked: list[str],
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    monkeypatch.setattr(workspace_end, "BATCH", 2)
    workspace_end.begin(workspace, owner)
    real, calls = workspace_end.STEPS[number], []

    def step(workspace: Workspace) -> bool:
        calls.append(1)
        worked = real(workspace)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return worked

    monkeypatch.setattr(
        workspace_end, "STEPS", [*workspace_end.STEPS[:number], step, *workspace_end.STEPS[number + 1 :]]
    )
    with pytest.raises(KeyboardInterrupt):
        workspace_end.run_due()
    assert Workspace.objects.filter(pk=workspace.pk).exists()
    workspace_end.run_due()
    assert not Workspace.objects.filter(pk=workspace.pk).exists()
    assert files() == kept


def test_a_network_that_does_not_answer_holds_up_nothing(
    full: Things, workspace: Workspace, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(self: object, grant: Grant) -> None:
        raise TemporaryError("no answer")

    monkeypatch.setattr(type(connect.PROVIDERS["meta"]), "revoke", away)
    end(workspace, owner)
    assert not Workspace.objects.filter(pk=workspace.pk).exists()


def test_an_access_that_another_workspace_lives_from_stays(
    full: Things, neighbour: Things, workspace: Workspace, owner: User, revoked: list[str]
) -> None:
    """Giving it back would take the app away from the person altogether."""
    Credential.objects.filter(account=neighbour.ids["account"]).update(grant=neighbour.ids["grant"])
    end(workspace, owner)
    assert revoked == []
    assert Grant.objects.get().pk == neighbour.ids["grant"]


def test_a_disk_that_is_away_is_waited_for(
    full: Things, kept: set[str], workspace: Workspace, owner: User, revoked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(name: str) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(default_storage, "delete", away)
        end(workspace, owner)
    assert MediaFile.objects.filter(workspace=workspace).exists()
    workspace_end.run_due()
    assert not Workspace.objects.filter(pk=workspace.pk).exists()
    assert files() == kept


def test_an_export_that_is_being_made_ends(workspace: Workspace, owner: User) -> None:
    workspace_export.ask(workspace, owner)
    workspace_end.begin(workspace, owner)
    assert workspace_export.take() is None
    workspace_end.run_due()
    assert not WorkspaceExport.objects.exists()


def test_it_does_not_take_the_whole_minute(
    full: Things, workspace: Workspace, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace_end, "RUN_SECONDS", 0.0)
    end(workspace, owner)
    assert Post.objects.filter(workspace=workspace).exists()


def test_many_rows_go_in_few_statements(
    workspace: Workspace, owner: User, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    account = make_account(workspace)
    start = timezone.now()
    InsightWindow.objects.bulk_create(
        InsightWindow(account=account, period="hour", window_start=start - timedelta(hours=number), fetched_at=start)
        for number in range(3000)
    )
    posts = Post.objects.bulk_create(Post(workspace=workspace, caption="x") for _number in range(600))
    publications = Publication.objects.bulk_create(
        Publication(post=post, account=account, post_type="text") for post in posts
    )
    PublicationEvent.objects.bulk_create(
        PublicationEvent(publication=one, from_status="draft", to_status="scheduled", at=start)
        for one in publications
        for _number in range(3)
    )
    workspace_end.begin(workspace, owner)
    with django_assert_max_num_queries(150):
        workspace_end.run_due()
    assert not Workspace.objects.filter(pk=workspace.pk).exists()


# --- The page -------------------------------------------------------------------------------------------------


def test_its_owner_deletes_it_by_its_name(
    workspace: Workspace, owner: User, signed_in: Client, django_capture_on_commit_callbacks: Any
) -> None:
    admin = member(workspace, "admin")
    member(workspace, "editor")
    workspace.name = "Barn  Finds"
    workspace.save()
    address = reverse("analytics:workspace_delete")
    for typed in ("", "barn finds", "Barn"):
        answer = signed_in.post(address, {"confirm": typed})
        assert answer.status_code == 422
        assert Workspace.objects.get(pk=workspace.pk).deleting_at is None
    assert "This is not the name of the workspace." in answer.content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        answer = signed_in.post(address, {"confirm": " Barn Finds "})
    assert answer.status_code == 302
    workspace.refresh_from_db()
    assert workspace.deleting_at
    assert workspace.paused_at
    assert {tuple(message.to) for message in mail.outbox} == {(owner.email,), (admin.email,)}
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.object_repr) == (owner, str(workspace.pk), str(workspace.pk))


@pytest.mark.parametrize("role", ["viewer", "editor", "admin"])
def test_nobody_else_deletes_it(workspace: Workspace, role: str) -> None:
    client = sign_in(member(workspace, role))
    assert client.post(reverse("analytics:workspace_delete"), {"confirm": workspace.name}).status_code == 403
    assert Workspace.objects.get(pk=workspace.pk).deleting_at is None


def test_pressed_twice_it_begins_once(workspace: Workspace, owner: User) -> None:
    workspace_end.begin(workspace, owner)
    workspace_end.begin(workspace, owner)
    assert LogEntry.objects.count() == 1


def test_nothing_else_hangs_in_the_air(full: Things, workspace: Workspace, owner: User, revoked: list[str]) -> None:
    end(workspace, owner)
    assert not QueueEntry.objects.filter(publication__post__workspace=workspace.pk).exists()
    assert not WebhookDelivery.objects.filter(endpoint__workspace=workspace.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_what_hangs_on_each_other_goes_too(
    workspace: Workspace, owner: User, revoked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the database sees it, which looks at each commit: replays of deliveries, accounts below a Page."""
    monkeypatch.setattr(workspace_end, "BATCH", 1)
    things = make_things(workspace, owner)
    QueueEntry.objects.all().delete()
    delivery = WebhookDelivery.objects.get()
    ends.replay(delivery)
    make_account(workspace, parent=ConnectedAccount.objects.get(pk=things.ids["account"]))
    end(workspace, owner)
    assert not Workspace.objects.filter(pk=workspace.pk).exists()


# --- The days before ------------------------------------------------------------------------------------------


@pytest.fixture
def week(settings: Any) -> None:
    settings.WORKSPACE_GRACE_DAYS = 7


def later(**span: float) -> Any:
    return time_machine.travel(timezone.now() + timedelta(**span), tick=False)


def asleep(workspace: Workspace) -> str:
    return reverse("analytics:workspace_deleted", args=[workspace.pk])


def bring_back(client: Client, workspace: Workspace) -> Any:
    return client.post(reverse("analytics:workspace_bring_back", args=[workspace.pk]))


def test_an_owner_brings_it_back_as_it_was(
    week: None,
    full: Things,
    workspace: Workspace,
    owner: User,
    signed_in: Client,
    django_capture_on_commit_callbacks: Any,
) -> None:
    admin = member(workspace, "admin")
    key = {"Authorization": f"Bearer {api_keys.make(workspace, owner, 'Robot', ['read'])[1]}"}
    rows, stored = counts(), files()
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        answer = signed_in.post(reverse("analytics:workspace_delete"), {"confirm": workspace.name})
    assert answer["Location"] == asleep(workspace)
    assert {tuple(message.to) for message in mail.outbox} == {(owner.email,), (admin.email,)}
    assert all(asleep(workspace) in str(message.body) for message in mail.outbox)
    with later(days=6, hours=23):
        workspace_end.run_due()
        for address in (reverse("publishing:post_list"), full.url("publishing:post_detail")):
            assert signed_in.get(address).status_code == 403
        assert asleep(workspace) in signed_in.get(reverse("analytics:dashboard")).content.decode()
        assert "Bring it back" in signed_in.get(asleep(workspace)).content.decode()
        assert Client().get("/api/social/connected-accounts", headers=key).status_code == 401
        mail.outbox.clear()
        with django_capture_on_commit_callbacks(execute=True):
            assert bring_back(signed_in, workspace)["Location"] == reverse("accounts:workspace")
        assert {tuple(message.to) for message in mail.outbox} == {(owner.email,), (admin.email,)}
        assert signed_in.get(full.url("publishing:post_detail")).status_code == 200
        assert "The workspace was to be deleted." in signed_in.get(reverse("accounts:workspace")).content.decode()
        assert Client().get("/api/social/connected-accounts", headers=key).status_code == 200
        assert (counts(), files()) == (rows, stored)
    with later(days=30):
        workspace_end.run_due()
    assert Workspace.objects.filter(pk=workspace.pk).exists()


def test_when_the_days_are_over_it_goes(
    week: None, full: Things, workspace: Workspace, owner: User, signed_in: Client, revoked: list[str]
) -> None:
    workspace_end.begin(workspace, owner)
    with later(days=7, seconds=1):
        assert signed_in.get(asleep(workspace)).status_code == 404
        assert bring_back(signed_in, workspace).status_code == 404
        assert not workspace_end.bring_back(workspace, owner)
        workspace_end.run_due()
    assert not Workspace.objects.filter(pk=workspace.pk).exists()


def test_nothing_goes_out_meanwhile_and_nothing_by_surprise_afterwards(
    week: None, workspace: Workspace, owner: User, network: FakePlatform
) -> None:
    post = make_post(workspace, make_account(workspace))
    schedule(post, timezone.now() + timedelta(hours=1), by=owner, late_hours=24)
    workspace_end.begin(workspace, owner)
    pauses.resume(workspace)  # as staff may, in the admin
    pauses.pause(workspace, by=None, until=timezone.now() + timedelta(minutes=30))
    with later(hours=2):
        assert not pauses.lift_ended()
        run_due()
        workspace_end.run_due()
        assert not network.feed
        assert workspace_end.bring_back(workspace, owner)
    with later(hours=3):
        claims.sweep()
        run_due()
        assert not network.feed
        pauses.resume(Workspace.objects.get(pk=workspace.pk))
        claims.sweep()
        run_due()
        assert len(network.feed) == 1


def test_nobody_is_written_to_meanwhile_and_no_figures_are_read(
    week: None, workspace: Workspace, owner: User, django_capture_on_commit_callbacks: Any
) -> None:
    account = make_account(workspace)
    now = timezone.now()
    cadence.enlist()
    weekly.subscribe(owner, workspace)
    PlatformPost.objects.create(account=account, platform_post_id="1", posted_at=now, next_fetch_at=now)
    in_a_month = now + timedelta(days=30)
    assert list(cadence.due(in_a_month))
    assert list(PlatformPost.objects.due(in_a_month))
    assert list(weekly.waiting(in_a_month))
    workspace_end.begin(workspace, owner)
    assert not list(cadence.due(in_a_month))
    assert not sync.read_next(), "it is taken by a statement of its own"
    assert not sync.sync(account.pk), "by a message that was already on its way"
    assert not sync.sync_due()
    assert not list(weekly.waiting(in_a_month))
    with django_capture_on_commit_callbacks(execute=True):
        tell(workspace, Notification.Kind.RECONNECT, "reconnect:1", title="Connect again", account=account)
    assert not mail.outbox


def test_an_export_that_is_being_made_is_made_when_it_is_back(week: None, workspace: Workspace, owner: User) -> None:
    workspace_export.ask(workspace, owner)
    export = workspace_export.take()
    assert export
    workspace_end.begin(workspace, owner)
    mail.outbox.clear()
    with pytest.raises(workspace_export.LostLease):
        workspace_export.make(export)
    assert not mail.outbox, "nobody could fetch it"
    assert workspace_end.bring_back(workspace, owner)
    with later(hours=1):
        assert workspace_export.make_next()
    assert WorkspaceExport.objects.get().status == WorkspaceExport.Status.READY
    assert [message.to for message in mail.outbox] == [[owner.email]]


@pytest.mark.parametrize("role", ["viewer", "editor", "admin"])
def test_only_owners_bring_it_back(week: None, workspace: Workspace, owner: User, stranger: User, role: str) -> None:
    workspace_end.begin(workspace, owner)
    client = sign_in(member(workspace, role))
    page = client.get(asleep(workspace)).content.decode()
    assert "Bring it back" not in page
    assert owner.email in page
    assert bring_back(client, workspace).status_code == 403
    for act in (sign_in(stranger).get(asleep(workspace)), bring_back(sign_in(stranger), workspace)):
        assert act.status_code == 404
    assert Workspace.objects.get(pk=workspace.pk).deleting_at


def test_brought_back_at_the_last_moment_or_not_at_all(
    week: None, workspace: Workspace, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is first wins: a worker that has begun to take it apart, or the owner."""
    workspace_end.begin(workspace, owner)
    with later(days=8):
        monkeypatch.setattr(workspace_end, "go_on", lambda *args: None)  # as if it had died at once
        workspace_end.run_due()
    assert not workspace_end.bring_back(workspace, owner), "even by a clock that is late"


def test_staff_are_told_that_it_is_being_deleted(week: None, workspace: Workspace, owner: User, stranger: User) -> None:
    workspace_end.begin(workspace, owner)
    stranger.is_staff = stranger.is_superuser = True
    stranger.save()
    answer = press(sign_in(stranger), Workspace, "resume", workspace)
    assert "it is being deleted" in answer.question + answer.report
    assert Workspace.objects.get(pk=workspace.pk).paused_at
