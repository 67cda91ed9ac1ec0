"""The admin as a whole: its front page tells what is wrong, and every page opens for whoever may look, and no other."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from celery import current_app
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve, reverse
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask, PeriodicTasks

from accounts.models import ConnectedAccount, Notification, OperatorNotice, User, Workspace
from publishing.models import FollowUp, Post, Publication, QueueEntry, RateLimitWindow, Status
from socialhub.admin_books import ERROR_KINDS, CappedPaginator, kinds_of_errors
from socialhub.models import Heartbeat
from socialhub.schedule import JOBS, PREFIX, sync
from tests.factories import make_account, make_entry, make_post, make_user
from tests.publishing.test_admin import SECRET, fill
from tests.staff import ask, change, changelist, press

pytestmark = pytest.mark.django_db

FRONT = "/admin/"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()
    sync()


def signed_in_as(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def operator(db: None) -> Client:
    return signed_in_as(User.objects.create_superuser("staff@example.com", "correct horse"))


@pytest.fixture
def viewer(db: None) -> Client:
    """Staff who may look at everything and change nothing."""
    user = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return signed_in_as(user)


def front(client: Client) -> Any:
    response = client.get(FRONT)
    assert response.status_code == 200
    return response


def titles(response: Any) -> list[str]:
    return [incident.title for incident in response.context["incidents"]]


def failed(workspace: Workspace, number: int = 1, **fields: Any) -> list[Publication]:
    account = make_account(workspace, platform=fields.pop("platform", "facebook"))
    made = [make_post(workspace, account).publications.get() for _ in range(number)]
    fields = {"status": Status.FAILED, "error_kind": "rejected", **fields}
    Publication.objects.filter(pk__in=[one.pk for one in made]).update(**fields)
    return made


def test_all_is_well(operator: Client) -> None:
    Heartbeat.beat()
    response = front(operator)
    assert titles(response) == []
    assert "Nothing that you can see here needs anybody." in response.content.decode()


def test_silence_comes_first(operator: Client) -> None:
    assert titles(front(operator)) == ["Scheduler or workers are silent"]


def test_failures_of_a_day_by_network_and_kind_lead_to_their_rows(operator: Client, workspace: Workspace) -> None:
    Heartbeat.beat()
    failed(workspace, 3)
    failed(workspace, 2, platform="instagram", error_kind="temporary")
    failed(workspace, 4, updated_at=timezone.now() - timedelta(days=2))
    (incident,) = front(operator).context["incidents"]
    assert incident.title == "5 publications failed in the last 24 hours"
    assert [(part.text, part.number) for part in incident.parts] == [
        ("Facebook: refused by the network", 3),
        ("Instagram: passing trouble", 2),
    ]
    for part in incident.parts:
        assert operator.get(part.address).context["cl"].result_count == part.number
    assert operator.get(incident.address).context["cl"].result_count == 5


def test_everything_else_that_is_wrong_leads_to_its_rows(operator: Client, workspace: Workspace) -> None:
    Heartbeat.beat()
    now = timezone.now()
    accounts = [make_account(workspace) for _ in range(5)]
    rows = [make_post(workspace, account).publications.get() for account in accounts]
    make_entry(rows[0], held=True, awaits_decision=True)
    make_entry(rows[1], held=True, wait_reason="Publishing to this account is paused.")
    make_entry(rows[2], not_before=now - HOUR)
    make_entry(rows[3], lease_until=now - HOUR, worker="w")
    make_account(workspace, status="revoked")
    make_account(workspace, status="disconnected")
    RateLimitWindow.objects.create(
        subject="account:x",
        account=accounts[0],
        endpoint="",
        window_seconds=0,
        window_start=now,
        call_limit=0,
        resets_at=now + HOUR,
    )
    FollowUp.objects.create(publication=rows[4], kind=FollowUp.Kind.COMMENT, due_at=now - HOUR)
    OperatorNotice.objects.create(key="x", title="Meta answers with version v21.0", body="Set another.")
    told = Notification.objects.create(workspace=workspace, kind="missed", incident="x", title="Missed")
    Notification.objects.filter(pk=told.pk).update(created_at=now - HOUR)
    response = front(operator)
    assert sorted(titles(response)) == [
        "1 account is held off by its network",
        "1 account lost its access",
        "1 entry is due and waits for a worker",
        "1 entry is in the hands of a dead worker",
        "1 entry waits for its account",
        "1 look after publishing is late",
        "1 notification could not be e-mailed",
        "1 publication waits for a decision",
        "Meta answers with version v21.0",
    ]
    for incident in response.context["incidents"]:
        for address in [incident.address, *(part.address for part in incident.parts)]:
            listed = operator.get(address)
            assert listed.status_code == 200, address
            assert listed.context["cl"].result_count == 1, address
    tones = [incident.tone for incident in response.context["incidents"]]
    assert tones == sorted(tones), "what needs somebody stands above the rest"


def test_the_front_page_costs_the_same_whatever_is_wrong(operator: Client, workspace: Workspace) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            front(operator)
        return len(captured)

    for number in (2, 20):
        failed(workspace, number)
        make_entry(failed(workspace)[0], held=True, awaits_decision=True)
        make_account(workspace, status="expired")
        if number == 2:
            cost()
            few = cost()
    assert cost() == few
    assert few <= 30


def test_nobody_is_told_of_what_they_may_not_see(workspace: Workspace) -> None:
    failed(workspace)
    user = make_user(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_imageset"))
    response = front(signed_in_as(user))
    assert titles(response) == []
    assert response.context["engine"] == []
    assert response.context["jobs"] == []


def test_the_last_run_of_each_job_is_shown(operator: Client) -> None:
    PeriodicTask.objects.filter(name=f"{PREFIX}verify accounts").update(
        last_run_at=timezone.now() - timedelta(minutes=5)
    )
    page = front(operator).content.decode()
    assert "verify accounts" in page
    assert "5 minutes ago" in page


def test_a_job_can_be_slowed_and_stopped_but_not_deleted_or_made_into_another(operator: Client) -> None:
    job = PeriodicTask.objects.get(name=f"{PREFIX}verify accounts")
    page = operator.get(change(job))
    assert page.status_code == 200
    assert "<script id=" not in page.content.decode().replace('<script id="django-admin', "")
    slower = CrontabSchedule.objects.create(hour="4", minute="0")
    told = {"crontab": slower.pk, "enabled": "on", "name": "mine", "task": "publishing.tasks.publish_due"}
    assert operator.post(change(job), told).status_code == 302
    job.refresh_from_db()
    assert (job.crontab, job.name, job.task) == (slower, f"{PREFIX}verify accounts", "accounts.tasks.verify_accounts")
    listed = changelist(PeriodicTask)
    operator.post(listed, {"action": "delete_selected", "_selected_action": str(job.pk), "post": "yes"})
    delete = reverse("admin:django_celery_beat_periodictask_delete", args=[job.pk])
    assert operator.post(delete, {"post": "yes"}).status_code == 403
    assert PeriodicTask.objects.filter(pk=job.pk).exists()


def test_stopping_a_job_asks_first_and_beat_is_told(operator: Client) -> None:
    job = PeriodicTask.objects.get(name=f"{PREFIX}verify accounts")
    stopped = PeriodicTask.objects.get(name=f"{PREFIX}heartbeat")
    PeriodicTask.objects.filter(pk=stopped.pk).update(enabled=False)
    before = PeriodicTasks.last_change()
    ask(operator, PeriodicTask, "stop_jobs", job)
    job.refresh_from_db()
    assert job.enabled
    answer = press(operator, PeriodicTask, "stop_jobs", job, stopped)
    assert "Stop 1 job?" in answer.question
    assert "posts go out late or not at all" in answer.question
    assert "1 job is stopped." in answer.report
    assert "it is stopped already" in answer.report
    job.refresh_from_db()
    assert not job.enabled
    assert PeriodicTasks.last_change() > before
    press(operator, PeriodicTask, "start_jobs", job)
    job.refresh_from_db()
    assert job.enabled


def test_a_job_is_run_by_hand(operator: Client) -> None:
    job = PeriodicTask.objects.get(name=f"{PREFIX}heartbeat")
    app = current_app._get_current_object()
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue(app.conf.task_default_queue)
        queue.clear()
        answer = press(operator, PeriodicTask, "run_now", job)
        message = queue.get(timeout=5)
        queue.clear()
        queue.close()
    assert "1 job was handed to the workers." in answer.report
    assert message.headers["task"] == "socialhub.tasks.heartbeat"


def test_jobs_are_named_in_the_language_of_the_reader(operator: Client) -> None:
    german = {"HTTP_ACCEPT_LANGUAGE": "de"}
    for page in (operator.get(FRONT, **german), operator.get(changelist(PeriodicTask), **german)):
        told = unescape(page.content.decode())
        assert "fällige Veröffentlichungen übergeben" in told
        assert "alle 30 Sekunden" in told
        assert "täglich um 02:00 UTC" in told
        assert "hand over due" not in told
    meaning = next(job.description for job in JOBS if job.name == "heartbeat")
    assert meaning not in told


def test_every_kind_of_row_is_named_in_the_language_of_the_reader(operator: Client) -> None:
    told = unescape(operator.get(FRONT, HTTP_ACCEPT_LANGUAGE="de").content.decode())
    for name in ("Queue entries", "Post assemblies", "Media fetches", "Webhook deliveries", "User sessions", "MFA"):
        assert name not in told
    assert "Einträge der Warteschlange" in told


def pages() -> list[str]:
    found = [reverse("admin:index")]  # which reads in all the pages
    for model in admin.site._registry:
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found += [reverse(f"{base}_changelist"), reverse(f"{base}_add")]
        for row in model._default_manager.all()[:1]:
            found += [reverse(f"{base}_{page}", args=[row.pk]) for page in ("change", "history", "delete")]
    return found


@pytest.mark.parametrize("who", ["operator", "viewer"])
def test_every_page_opens_or_says_no_and_shows_no_token(request: pytest.FixtureRequest, who: str) -> None:
    fill(1)
    client = request.getfixturevalue(who)
    answers = {}
    for address in pages():
        response = client.get(address)
        assert response.status_code in (200, 403), address
        assert SECRET not in response.content.decode(), address
        for link in re.findall(r'href="(/[^"?#]*)', response.content.decode()):
            assert link.startswith(("/static/", "/m/")) or resolve(link), f"{address} leads to {link}"
        assert "changelist" not in address or response.status_code == 200
        answers[address] = response.status_code
    assert len(answers) > 100
    if who == "viewer":
        added = [address for address, status in answers.items() if address.endswith("/add/") and status == 200]
        assert not added
        assert all(status == 200 for address, status in answers.items() if address.endswith(("/change/", "/history/")))


def test_what_opens_the_door_is_shown_to_nobody(operator: Client) -> None:
    user = make_user()
    factor = Authenticator.objects.create(user=user, type="totp", data={"secret": SECRET})
    session = UserSession.objects.create(user=user, session_key=SECRET[:30], ip="127.0.0.1", user_agent="Firefox")
    for row in (factor, session, user):
        for address in (change(row), changelist(type(row)), f"{changelist(type(row))}?q={user.email}"):
            page = operator.get(address)
            assert page.status_code == 200, address
            assert SECRET[:30] not in page.content.decode(), address
            assert user.password not in page.content.decode(), address
    assert operator.post(change(factor), {"data": "{}"}).status_code == 403
    operator.post(change(factor).replace("/change/", "/delete/"), {"post": "yes"})
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("address", ["publishing/publication/?status__exact=%00", "sessions/session/a%00b/change/"])
def test_no_nul_comes_to_the_database(operator: Client, address: str) -> None:
    assert operator.get(f"{FRONT}{address}").status_code in (400, 404)


def test_who_may_only_look_changes_nothing(viewer: Client) -> None:
    fill(1)
    for address in pages():
        if address.endswith(("/add/", "/change/", "/delete/")):
            assert viewer.post(address, {"post": "yes"}).status_code == 403, address


def test_every_kind_of_error_has_words() -> None:
    assert kinds_of_errors() <= set(ERROR_KINDS)


def test_lists_count_to_their_cap_and_no_further(operator: Client, workspace: Workspace) -> None:
    paginator = CappedPaginator(Publication.objects.order_by("pk"), 2)
    paginator.most = 3
    failed(workspace, 3)
    assert (paginator.count, paginator.is_capped) == (3, False)
    failed(workspace, 2)
    paginator = CappedPaginator(Publication.objects.order_by("pk"), 2)
    paginator.most = 3
    with CaptureQueriesContext(connection) as captured:
        assert (paginator.count, paginator.is_capped, paginator.num_pages) == (3, True, 2)
    assert len(captured) == 1
    assert "LIMIT 4" in captured[0]["sql"]
    assert not isinstance(paginator.object_list, list)
    assert isinstance(paginator.object_list, QuerySet)


def test_a_list_that_is_cut_says_so(operator: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    failed(workspace, 3)
    assert "more than" not in operator.get(changelist(Publication)).content.decode()
    monkeypatch.setattr(CappedPaginator, "most", 2)
    assert "more than 2 publications" in " ".join(operator.get(changelist(Publication)).content.decode().split())


def test_the_search_of_the_front_page_finds_the_account(operator: Client, workspace: Workspace) -> None:
    account = make_account(workspace, username="joes")
    page = front(operator).content.decode()
    assert f'action="{changelist(ConnectedAccount)}"' in page
    assert [row.pk for row in operator.get(changelist(ConnectedAccount), {"q": "@joes"}).context["cl"].result_list] == [
        account.pk
    ]
    assert "socialhub" in unescape(page)
    assert QueueEntry.objects.count() == 0


@pytest.mark.parametrize("model", [ConnectedAccount, Workspace, Publication, QueueEntry, Post, Notification])
def test_a_list_of_fifty_costs_what_a_list_of_five_costs(operator: Client, workspace: Workspace, model: Any) -> None:
    def add(number: int) -> int:
        for _ in range(number):
            own = make_user().memberships.get().workspace
            account = make_account(own, connected_by=None)
            publication = make_post(own, account, author=own.memberships.get().user).publications.get()
            Publication.objects.filter(pk=publication.pk).update(status=Status.FAILED)
            make_entry(publication)
            Notification.objects.create(workspace=own, account=account, kind="missed", incident="x", title="Missed")
        with CaptureQueriesContext(connection) as captured:
            response = operator.get(changelist(model))
        assert len(response.context["cl"].result_list) >= number
        return len(captured)

    add(1)  # content types and permissions are remembered from here on
    few, many = add(4), add(45)
    assert few == many
    assert many <= 9
