"""“My post of 14:00 on @joes did not go out”: from the account to the attempt, as an operator clicks."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from django.utils.translation import gettext, override

from accounts.models import ConnectedAccount, Notification, User, Workspace
from accounts.notify import tell
from analytics.models import PlatformPost
from publishing.models import Attempt, Post, Publication, PublicationEvent, QueueEntry, RateLimitWindow, Status
from publishing.settle import incident_of
from publishing.states import move
from tests.factories import make_account, make_entry, make_post, make_user
from tests.staff import ask, change, changelist, press

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser("staff@example.com", "correct horse")


def signed_in_as(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def operator(staff: User) -> Client:
    return signed_in_as(staff)


def links(page: str) -> list[str]:
    """Without the filters that a list hands on, so that its rows lead back to it."""
    found = [unescape(address) for address in re.findall(r'href="([^"#]+)"', page)]
    return [re.sub(r"\?_changelist_filters=.*", "", address) for address in found]


def put(publication: Publication, status: str, **fields: Any) -> Publication:
    Publication.objects.filter(pk=publication.pk).update(status=status, **fields)
    Post.objects.filter(pk=publication.post_id).update(status=status)
    publication.refresh_from_db()
    return publication


@pytest.fixture
def joes(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace, name="Joe's Garage", username="joes")


@pytest.fixture
def failed(workspace: Workspace, joes: ConnectedAccount) -> Publication:
    """It was tried once, and Meta refused the picture."""
    now = timezone.now()
    publication = make_post(workspace, joes, caption="Our 1969 Camaro").publications.get()
    move(publication, Status.SCHEDULED, reason="Scheduled for 14:00.", scheduled_at=now)
    for status in (Status.QUEUED, Status.PUBLISHING):
        move(publication, status, reason="It is due.")
    move(
        publication,
        Status.FAILED,
        reason="The picture was refused.",
        error_kind="rejected",
        error_message="The picture was refused.",
        platform_message="(#324) Missing or invalid image file",
    )
    step = {"key": "photo:1", "label": "Uploading <1>", "at": "12:00", "ms": 321, "outcome": "rejected"}
    Attempt.objects.create(
        publication=publication,
        number=1,
        worker="web:1:1",
        started_at=now,
        finished_at=now,
        outcome="rejected",
        message="The picture was refused.",
        platform_message="(#324) Missing or invalid image file",
        code="324",
        request_id="AbCdEfTrace",
        steps=[{**step, "request_id": "StepTrace"}],
    )
    tell(
        workspace,
        Notification.Kind.PUBLISH_FAILED,
        incident_of(publication),
        title="Publishing to @joes failed",
        account=joes,
    )
    return publication


@pytest.mark.parametrize("words", ["@joes", "Joe's", "e-mail", "workspace", "id", "id at the network"])
def test_an_account_is_found_by_whatever_is_in_the_mail(
    operator: Client, owner: User, workspace: Workspace, joes: ConnectedAccount, words: str
) -> None:
    make_account(make_user().memberships.get().workspace)
    asked = {
        "e-mail": owner.email,
        "workspace": workspace.name,
        "id": str(joes.pk),
        "id at the network": joes.platform_account_id,
    }.get(words, words)
    found = operator.get(changelist(ConnectedAccount), {"q": asked}).context["cl"].result_list
    assert [row.pk for row in found] == [joes.pk]


def test_from_the_account_to_the_attempt_in_three_clicks(
    operator: Client, joes: ConnectedAccount, failed: Publication
) -> None:
    make_post(joes.workspace, joes)  # a draft, which is none of the failures
    # The list has the count, and the way to the account.
    found = operator.get(changelist(ConnectedAccount), {"q": "@joes"}).content.decode()
    assert change(joes) in found
    # First click: the account says how many have failed.
    account = operator.get(change(joes)).content.decode()
    assert "1 failed" in account
    (failures,) = {address for address in links(account) if "status__exact=failed" in address}
    # Second click: exactly those.
    listed = operator.get(failures)
    assert [row.pk for row in listed.context["cl"].result_list] == [failed.pk]
    assert change(failed) in links(listed.content.decode())
    # Third click: what was tried, step by step.
    page = operator.get(change(failed)).content.decode()
    for word in ("Uploading &lt;1&gt;", "321", "StepTrace", "AbCdEfTrace", "324", "Missing or invalid image file"):
        assert word in page, word
    assert "Scheduled for 14:00." in page, "the timeline"
    assert "Publishing to @joes failed" in page, "what its people were told"


def test_the_account_names_its_newest_trouble_itself(
    operator: Client, joes: ConnectedAccount, failed: Publication
) -> None:
    page = operator.get(change(joes)).content.decode()
    assert change(failed) in links(page)
    assert "refused by the network" in page


def test_every_page_leads_on(operator: Client, joes: ConnectedAccount, failed: Publication) -> None:
    put(failed, Status.CHECKING)
    entry = make_entry(failed, held=True, awaits_decision=True)
    post = PlatformPost.objects.create(
        account=joes, platform_post_id="1_2", posted_at=timezone.now(), publication=failed
    )
    ways = {
        change(joes): [change(joes.workspace), change(failed), change(Notification.objects.get())],
        change(joes.workspace): [change(joes)],
        change(failed.post): [change(failed), change(joes.workspace)],
        change(failed): [
            *(change(joes), change(failed.post), change(entry), change(post), change(joes.workspace)),
            change(Attempt.objects.get()),
        ],
        change(entry): [change(failed), change(joes)],
        change(Attempt.objects.get()): [change(failed), change(joes)],
        change(post): [change(failed)],
    }
    for page, targets in ways.items():
        found = links(operator.get(page).content.decode())
        for target in targets:
            assert target in found, (page, target)


def test_many_looks_do_not_hide_what_was_tried(operator: Client, failed: Publication) -> None:
    now = timezone.now()
    Attempt.objects.bulk_create(
        Attempt(
            publication=failed,
            number=1,
            purpose=Attempt.Purpose.CHECK,
            worker="w",
            started_at=now + timedelta(seconds=number),
            outcome="absent",
        )
        for number in range(40)
    )
    page = operator.get(change(failed)).content.decode()
    assert "StepTrace" in page
    assert page.count("Look whether it is there</strong>") == 5
    assert f"{changelist(Attempt)}?publication__id__exact={failed.pk}" in links(page)


def test_the_limits_of_the_account_stand_on_its_page(operator: Client, joes: ConnectedAccount) -> None:
    now = timezone.now()
    RateLimitWindow.objects.create(
        subject=f"account:{joes.pk}",
        account=joes,
        endpoint="publish",
        window_seconds=3600,
        window_start=now,
        calls_made=17,
        call_limit=200,
        resets_at=now + HOUR,
    )
    assert "17 / 200" in operator.get(change(joes)).content.decode()


def test_the_product_s_own_words_for_states(operator: Client, failed: Publication) -> None:
    page = operator.get(changelist(Publication)).content.decode()
    assert 'class="badge" data-status="failed"' in page
    assert "<time " in page


# --- Levers ---------------------------------------------------------------------------------------------------


@pytest.fixture
def publications(workspace: Workspace) -> list[Publication]:
    return [make_post(workspace, make_account(workspace)).publications.get() for _ in range(3)]


def test_nothing_is_done_before_the_question_is_answered(operator: Client, failed: Publication) -> None:
    response = ask(operator, Publication, "retry", failed)
    page = response.content.decode()
    assert "Try 1 publication again?" in page
    assert "Our 1969 Camaro" in page
    failed.refresh_from_db()
    assert failed.status == Status.FAILED
    assert not LogEntry.objects.exists()


def test_retry_tries_again_what_failed_and_says_what_it_left_out(
    operator: Client, staff: User, publications: list[Publication]
) -> None:
    failed, published, _draft = publications
    put(failed, Status.FAILED)
    put(published, Status.PUBLISHED)
    answer = press(operator, Publication, "retry", *publications)
    assert "Try 1 publication again?" in answer.question
    assert "1: it is published already" in answer.question
    assert "1: it is a draft" in answer.question
    failed.refresh_from_db()
    assert failed.status == Status.SCHEDULED
    assert failed.queue_entry
    assert failed.events.get().actor == staff
    assert "1 publication is tried again." in answer.report
    assert "2 skipped:" in answer.report
    assert f'it is published already (<a href="{change(published)}">' in answer.report
    published.refresh_from_db()
    assert published.status == Status.PUBLISHED
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.change_message) == (staff, str(failed.pk), "Retry")
    assert entry.object_repr == f"{failed.post} · {failed.account.handle}"
    assert "Retry" in operator.get(change(failed).replace("/change/", "/history/")).content.decode()


def test_whoever_was_faster_wins(operator: Client, failed: Publication) -> None:
    ask(operator, Publication, "retry", failed)
    put(failed, Status.PUBLISHED)  # meanwhile
    report = ask(operator, Publication, "retry", failed, confirmed="yes").content.decode()
    assert "1 skipped: it is published already" in report
    assert not LogEntry.objects.exists()


def test_the_way_back_keeps_the_filters(operator: Client, failed: Publication) -> None:
    filtered = f"{changelist(Publication)}?status__exact=failed"
    chosen = {"action": "retry", "_selected_action": str(failed.pk)}
    assert f'name="next" value="{filtered}"' in operator.post(filtered, chosen).content.decode()
    asked = operator.post(changelist(Publication), {**chosen, "next": filtered, "confirmed": "yes"})
    assert (asked.status_code, asked["Location"]) == (302, filtered)
    away = operator.post(changelist(Publication), {**chosen, "next": "https://evil.example/", "confirmed": "yes"})
    assert away["Location"] == changelist(Publication)


def test_more_than_can_be_looked_over_is_refused(
    operator: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, publications: list[Publication]
) -> None:
    monkeypatch.setattr("publishing.admin.levers.Retry.most", 2)
    page = ask(operator, Publication, "retry", *publications).content.decode()
    assert "Choose at most 2 rows at once." in page


def test_the_question_costs_the_same_for_many(
    operator: Client, workspace: Workspace, django_assert_num_queries: Any
) -> None:
    def rows(number: int) -> list[Publication]:
        return [put(make_post(workspace, make_account(workspace)).publications.get(), "failed") for _ in range(number)]

    few, many = rows(2), rows(20)
    ask(operator, Publication, "retry", *few)
    with django_assert_num_queries(5):
        ask(operator, Publication, "retry", *few)
    with django_assert_num_queries(5):
        ask(operator, Publication, "retry", *many)


def test_retry_from_the_post(operator: Client, publications: list[Publication]) -> None:
    put(publications[0], Status.FAILED)
    answer = press(operator, Post, "retry_failed", *(publication.post for publication in publications))
    publications[0].refresh_from_db()
    assert publications[0].status == Status.SCHEDULED
    assert "1 publication is tried again." in answer.report
    assert "2 skipped: nothing of it has failed" in answer.report


def test_cancel_makes_drafts_and_says_what_it_left_out(
    operator: Client, staff: User, publications: list[Publication]
) -> None:
    scheduled, failed, _draft = publications
    put(scheduled, Status.SCHEDULED)
    make_entry(scheduled)
    put(failed, Status.FAILED)
    answer = press(operator, Post, "cancel", scheduled.post, failed.post)
    scheduled.refresh_from_db()
    assert scheduled.status == Status.DRAFT
    assert scheduled.events.get().actor == staff
    assert not QueueEntry.objects.exists()
    assert "1 post is a draft again." in answer.report
    assert "1 skipped: it has failed" in answer.report


def test_due_now_leaves_workers_held_entries_and_the_author_s_time_alone(
    operator: Client, workspace: Workspace, publications: list[Publication]
) -> None:
    later = timezone.now() + HOUR
    waiting, held, leased = (make_entry(publication, not_before=later) for publication in publications)
    planned = make_entry(make_post(workspace, make_account(workspace)).publications.get(), not_before=later)
    Publication.objects.update(scheduled_at=timezone.now() - HOUR)
    Publication.objects.filter(pk=planned.pk).update(scheduled_at=later)
    QueueEntry.objects.filter(pk=held.pk).update(held=True)
    QueueEntry.objects.filter(pk=leased.pk).update(lease_until=later)
    answer = press(operator, QueueEntry, "due_now", waiting, held, leased, planned)
    waiting.refresh_from_db()
    assert waiting.not_before <= timezone.now()
    assert QueueEntry.objects.filter(not_before=later).count() == 3
    assert "1 entry is due now." in answer.report
    for reason in ("a worker has it in its hands", "it waits for its account", "its author wants it at a later time"):
        assert reason in answer.report


def in_question(publication: Publication) -> QueueEntry:
    put(publication, Status.CHECKING, committing_at=timezone.now())
    return make_entry(publication, held=True, awaits_decision=True, wait_reason="Two look alike.")


def test_look_again(operator: Client, publications: list[Publication]) -> None:
    in_question(publications[0])
    answer = press(operator, Publication, "look_again", *publications[:2])
    assert not QueueEntry.objects.get().held
    assert "1 publication is looked for." in answer.report
    assert "1 skipped: it is not in question whether it is there" in answer.report


def test_a_decision_is_settled_with_what_the_operator_has_seen(
    operator: Client, staff: User, publications: list[Publication]
) -> None:
    publication = publications[0]
    in_question(publication)
    refused = ask(operator, Publication, "settle", publication, confirmed="yes", answer="there", found="")
    assert refused.status_code == 422
    assert "Paste the address or the id of the post." in refused.content.decode()
    answer = press(operator, Publication, "settle", publication, answer="there", found="123_456")
    assert "Open the account at the network and look." in answer.question
    publication.refresh_from_db()
    assert (publication.status, publication.platform_post_id) == (Status.PUBLISHED, "123_456")
    assert publication.events.get().actor == staff
    assert "there · 123_456" in LogEntry.objects.get().change_message


def test_decisions_are_made_one_at_a_time(operator: Client, publications: list[Publication]) -> None:
    for publication in publications:
        in_question(publication)
    page = ask(operator, Publication, "settle", *publications).content.decode()
    assert "Choose 1 row: this is done to one at a time." in page


def test_the_page_of_a_row_offers_what_fits_it(operator: Client, failed: Publication) -> None:
    page = operator.get(change(failed)).content.decode()
    assert 'name="action" value="retry"' in page
    assert 'value="settle"' not in page
    put(failed, Status.PUBLISHED)
    assert 'name="action"' not in operator.get(change(failed)).content.decode()


def test_read_now_makes_posts_due(operator: Client, joes: ConnectedAccount) -> None:
    there, gone = (
        PlatformPost.objects.create(account=joes, platform_post_id=str(number), posted_at=timezone.now())
        for number in range(2)
    )
    PlatformPost.objects.filter(pk=gone.pk).update(gone_at=timezone.now())
    answer = press(operator, PlatformPost, "read_now", there, gone)
    there.refresh_from_db()
    assert there.next_fetch_at
    assert there.next_fetch_at <= timezone.now()
    assert "1 skipped: it is gone at the network" in answer.report


def test_who_may_only_look_has_no_levers(failed: Publication) -> None:
    viewer = make_user(is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_publication"))
    client = signed_in_as(viewer)
    page = client.get(change(failed))
    assert page.status_code == 200
    assert 'name="action"' not in page.content.decode()
    for confirmed in ({}, {"confirmed": "yes"}):
        ask(client, Publication, "retry", failed, **confirmed)
    failed.refresh_from_db()
    assert failed.status == Status.FAILED
    assert not LogEntry.objects.exists()


def test_an_address_alone_does_nothing(operator: Client, failed: Publication) -> None:
    operator.get(changelist(Publication), {"action": "retry", "_selected_action": str(failed.pk), "confirmed": "yes"})
    failed.refresh_from_db()
    assert failed.status == Status.FAILED


def test_history_cannot_be_deleted(operator: Client, failed: Publication) -> None:
    rows = [failed, failed.post, failed.account, Attempt.objects.get(), PublicationEvent.objects.first()]
    for row in [*rows, failed.post.workspace]:
        assert row
        delete = change(row).replace("/change/", "/delete/")
        assert operator.post(delete, {"post": "yes"}).status_code == 403, row
    assert Publication.objects.filter(pk=failed.pk).exists()


def test_what_the_engine_has_written_is_read_in_the_language_of_the_reader(
    operator: Client, failed: Publication
) -> None:
    event = failed.events.order_by("pk").last()
    PublicationEvent.objects.filter(pk=event.pk).update(reason="The worker stopped in the middle of it.")
    Attempt.objects.filter(publication=failed).update(message="The worker stopped in the middle of it.")
    with override("de"):
        said = gettext("The worker stopped in the middle of it.")
    assert said != "The worker stopped in the middle of it."
    attempt = Attempt.objects.filter(publication=failed).get()
    for address in (change(failed), change(event), change(attempt), changelist(PublicationEvent)):
        page = unescape(operator.get(address, headers={"Accept-Language": "de"}).content.decode())
        assert said in page, address
        assert "The worker stopped in the middle of it." not in page, address
