"""The moving part of the page of a post, and the answers that a person gives there."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ConnectedAccount, Membership, Role, User, Workspace
from publishing.job import STEPS_DONE
from publishing.models import Attempt, Post, PostMedia, Publication, PublicationEvent, QueueEntry, Status
from tests.factories import make_account, make_entry, make_media, make_post

HTMX = {"HX-Request": "true"}


@pytest.fixture
def account(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace, platform="instagram", name="Garage", username="garage")


def publication_in(status: Status, account: ConnectedAccount, *, images: int = 3, **fields: Any) -> Publication:
    """A carousel that stands as if the engine had left it there."""
    post = make_post(account.workspace, account, post_type="carousel", status=status)
    for position in range(1, images + 1):
        PostMedia.objects.create(post=post, media=make_media(account.workspace), position=position)
    Publication.objects.filter(post=post).update(status=status, **fields)
    return Publication.objects.select_related("post").get(post=post)


def progress(client: Client, publication: Publication, **query: Any) -> Any:
    address = reverse("publishing:post_progress", args=[publication.post_id])
    response = client.get(address, query, headers=HTMX)
    assert response.status_code == 200
    assert "<html" not in response.content.decode()
    return response


def states(response: Any) -> list[tuple[str, str]]:
    return [(step.label, step.state) for step in response.context["cards"][0].steps]


def url(name: str, publication: Publication) -> str:
    return reverse(f"publishing:publication_{name}", args=[publication.pk])


# What it shows


def test_steps_are_ticked_as_far_as_it_went(signed_in: Client, account: ConnectedAccount) -> None:
    publication = publication_in(
        Status.PUBLISHING,
        account,
        handles={STEPS_DONE: ["item:1", "item:2"]},
        progress_label="Handing over image 3 of 3",
        progress_done=2,
        progress_total=7,
    )
    make_entry(publication, lease_until=timezone.now() + timedelta(minutes=1))
    response = progress(signed_in, publication)
    first, *others = states(response)
    assert first == ("Handing over image 3 of 3", "current")
    assert {state for _label, state in others} == {"waiting"}
    page = response.content.decode()
    assert "2/7" in page
    assert 'value="2"' in page


def test_the_next_kind_of_step_is_the_current_one(signed_in: Client, account: ConnectedAccount) -> None:
    handles = {STEPS_DONE: ["item:1", "item:2", "item:3"]}
    publication = publication_in(Status.PUBLISHING, account, handles=handles)
    assert [state for _label, state in states(progress(signed_in, publication))][:3] == ["done", "current", "waiting"]


def test_a_guess_at_the_rest(signed_in: Client, account: ConnectedAccount) -> None:
    publication = publication_in(Status.PUBLISHING, account, progress_done=2, progress_total=7)
    Attempt.objects.create(
        publication=publication,
        number=1,
        worker="w",
        started_at=timezone.now(),
        steps=[{"key": key, "label": key, "ms": 2000, "outcome": "done"} for key in ("item:1", "item:2")],
    )
    assert "about 10 seconds left" in progress(signed_in, publication).content.decode()


@pytest.mark.parametrize(("seconds", "clock"), [(90, "%H:%M:%S"), (12 * 60, "%H:%M")])
def test_it_says_what_it_waits_for(signed_in: Client, account: ConnectedAccount, seconds: int, clock: str) -> None:
    publication = publication_in(Status.SCHEDULED, account)
    until = timezone.now() + timedelta(seconds=seconds)
    make_entry(publication, not_before=until, wait_reason="The limit is used up.")
    page = progress(signed_in, publication).content.decode()
    assert f"Waiting until {until:{clock}}: The limit is used up." in page


def test_an_account_that_is_gone_is_said(signed_in: Client, account: ConnectedAccount) -> None:
    publication = publication_in(Status.SCHEDULED, account)
    make_entry(publication, held=True, wait_reason="Waits until the account is connected again.")
    response = progress(signed_in, publication)
    assert "Waits until the account is connected again." in response.content.decode()
    assert response.context["delay"] == 30


def test_a_published_one_has_its_link_and_rests(signed_in: Client, account: ConnectedAccount) -> None:
    publication = publication_in(
        Status.PUBLISHED, account, published_at=timezone.now(), permalink="https://example.org/p/1"
    )
    response = progress(signed_in, publication)
    page = response.content.decode()
    assert "View on Instagram" in page
    assert 'href="https://example.org/p/1"' in page
    assert "hx-trigger" not in page.split("post_timeline")[0]


def test_the_address_that_comes_in_a_call_of_its_own_is_waited_for(
    signed_in: Client, account: ConnectedAccount
) -> None:
    publication = publication_in(Status.PUBLISHED, account, published_at=timezone.now())
    response = progress(signed_in, publication)
    assert "Asking for its address" in response.content.decode()
    assert response.context["delay"] == 1

    Publication.objects.update(published_at=timezone.now() - timedelta(minutes=1))
    response = progress(signed_in, publication)
    assert "has not told the address" in response.content.decode()
    assert response.context["delay"] is None


def test_a_failed_one_says_why_in_both_voices(signed_in: Client, account: ConnectedAccount) -> None:
    publication = publication_in(
        Status.FAILED, account, error_message="The image was refused.", platform_message="Error <36003>"
    )
    page = progress(signed_in, publication).content.decode()
    assert "The image was refused." in page
    assert "Instagram says: “Error &lt;36003&gt;”" in page
    assert url("retry", publication) in page


def test_checking_explains_itself(signed_in: Client, account: ConnectedAccount) -> None:
    publication = publication_in(Status.CHECKING, account)
    make_entry(publication, not_before=timezone.now() + timedelta(seconds=30), looks=1)
    page = progress(signed_in, publication).content.decode()
    assert "answer got lost" in page
    assert "1 look so far." in page
    assert "It is there" not in page


def test_a_decision_is_asked_for(signed_in: Client, account: ConnectedAccount) -> None:
    publication = publication_in(Status.CHECKING, account)
    make_entry(publication, held=True, awaits_decision=True, wait_reason="Two posts look alike.")
    response = progress(signed_in, publication)
    page = response.content.decode()
    assert "Two posts look alike." in page
    for answer in ("It is there", "It is not there: publish again", "Give up"):
        assert answer in page
    assert response.context["delay"] is None


def test_what_has_happened_comes_along_only_for_those_who_look_at_it(
    signed_in: Client, owner: User, account: ConnectedAccount
) -> None:
    post = make_post(account.workspace, account)
    look = reverse("publishing:post_progress", args=[post.pk])
    assert "post_timeline" not in signed_in.get(look).content.decode()
    assert "Nothing yet" in signed_in.get(f"{look}?timeline=latest").content.decode()
    publication = post.publications.get()
    PublicationEvent.objects.bulk_create(
        PublicationEvent(publication=publication, from_status="draft", to_status="scheduled", at=timezone.now())
        for _number in range(70)
    )
    shown = signed_in.get(post.get_absolute_url())
    assert len(shown.context["timeline"]) == 60
    assert "Show all 70 entries" in shown.content.decode()
    whole = signed_in.get(f"{post.get_absolute_url()}?timeline=all")
    assert len(whole.context["timeline"]) == 70
    assert "Show all" not in whole.content.decode()


def test_a_draft_that_may_be_out_says_so(signed_in: Client, account: ConnectedAccount) -> None:
    post = make_post(account.workspace, account)
    said = "It may be on Instagram already"
    assert said not in signed_in.get(post.get_absolute_url()).content.decode()
    post.publications.update(error_kind="given_up")
    assert said in signed_in.get(post.get_absolute_url()).content.decode()


def test_what_happened_in_one_instant_keeps_its_order(
    signed_in: Client, owner: User, account: ConnectedAccount
) -> None:
    post = make_post(account.workspace, account)
    now = timezone.now()
    for number, (before, after) in enumerate(
        [("draft", "scheduled"), ("scheduled", "queued"), ("queued", "publishing")]
    ):
        PublicationEvent.objects.create(
            publication=post.publications.get(), from_status=before, to_status=after, at=now, reason=f"step {number}"
        )
    page = signed_in.get(post.get_absolute_url()).content.decode()
    assert page.index("step 2") < page.index("step 1") < page.index("step 0")


def test_the_timeline_tells_every_change_and_try(signed_in: Client, owner: User, account: ConnectedAccount) -> None:
    publication = publication_in(Status.FAILED, account)
    now = timezone.now()
    PublicationEvent.objects.create(
        publication=publication, from_status="draft", to_status="scheduled", at=now, actor=owner, reason="By hand."
    )
    Attempt.objects.create(
        publication=publication,
        number=1,
        worker="w",
        started_at=now,
        outcome="rejected",
        message="No.",
        request_id="trace-1",
        steps=[{"key": "item:1", "label": "Image 1", "ms": 12, "outcome": "done", "request_id": "trace-0"}],
    )
    page = signed_in.get(publication.post.get_absolute_url()).content.decode()
    for words in ("Scheduled", "refused", "By hand.", str(owner), "Try 1", "trace-1", "trace-0", "12 ms"):
        assert words in page


# How often it asks


@pytest.mark.parametrize(("number", "delay"), [(0, 1), (59, 1), (60, 2), (120, 5), (240, 15), (99999, 15)])
def test_it_asks_less_often_the_longer_it_takes(
    signed_in: Client, account: ConnectedAccount, number: int, delay: int
) -> None:
    publication = publication_in(Status.PUBLISHING, account)
    make_entry(publication, lease_until=timezone.now() + timedelta(minutes=1))
    response = progress(signed_in, publication, n=number)
    assert response.context["delay"] == delay
    assert f"?n={number + 1}" in response.content.decode()


@pytest.mark.parametrize("number", ["-1", "x", "9" * 400, "²"])
def test_a_count_that_is_none_is_ignored(signed_in: Client, account: ConnectedAccount, number: str) -> None:
    publication = publication_in(Status.PUBLISHING, account)
    make_entry(publication, lease_until=timezone.now())
    assert progress(signed_in, publication, n=number).context["number"] == 1


@pytest.mark.parametrize(("minutes", "least", "most"), [(2, 115, 121), (60 * 24, 300, 300)])
def test_it_sleeps_until_something_is_due(
    signed_in: Client, account: ConnectedAccount, minutes: int, least: int, most: int
) -> None:
    publication = publication_in(Status.SCHEDULED, account)
    make_entry(publication, not_before=timezone.now() + timedelta(minutes=minutes))
    assert least <= progress(signed_in, publication).context["delay"] <= most


@pytest.mark.parametrize("status", [Status.DRAFT, Status.PUBLISHED, Status.FAILED])
def test_it_rests_when_all_is_settled(signed_in: Client, account: ConnectedAccount, status: Status) -> None:
    publication = publication_in(status, account)
    assert progress(signed_in, publication).context["delay"] is None


# Retry


def test_retry_sends_just_that_one_again(signed_in: Client, account: ConnectedAccount) -> None:
    publication = publication_in(Status.FAILED, account, error_message="No.")
    other = Publication.objects.create(
        post=publication.post, account=make_account(account.workspace), post_type="multi_image", status=Status.FAILED
    )
    response = signed_in.post(url("retry", publication))
    assert response.url == publication.post.get_absolute_url()
    publication.refresh_from_db()
    other.refresh_from_db()
    assert (publication.status, other.status) == (Status.SCHEDULED, Status.FAILED)
    assert list(QueueEntry.objects.values_list("publication", flat=True)) == [publication.pk]


def test_retry_answers_htmx_with_the_moving_part(signed_in: Client, account: ConnectedAccount) -> None:
    publication = publication_in(Status.FAILED, account)
    response = signed_in.post(url("retry", publication), headers=HTMX)
    assert response.status_code == 200
    assert 'id="post_progress"' in response.content.decode()
    assert response.context["delay"] == 1


def test_retry_pressed_twice_makes_one_entry(signed_in: Client, account: ConnectedAccount) -> None:
    publication = publication_in(Status.FAILED, account)
    signed_in.post(url("retry", publication))
    response = signed_in.post(url("retry", publication), follow=True)
    assert "not failed any more" in response.content.decode()
    assert QueueEntry.objects.count() == 1


# Decide


@pytest.fixture
def stuck(account: ConnectedAccount) -> Publication:
    publication = publication_in(Status.CHECKING, account, committing_at=timezone.now())
    make_entry(publication, held=True, awaits_decision=True)
    return publication


def answered(client: Client, publication: Publication, answer: str, found: str = "") -> Any:
    prefix = publication.pk
    return client.post(url("decide", publication), {f"{prefix}-answer": answer, f"{prefix}-found": found})


def test_it_is_there(signed_in: Client, stuck: Publication) -> None:
    assert answered(signed_in, stuck, "there", "https://www.instagram.com/p/abc/").status_code == 302
    stuck.refresh_from_db()
    assert (stuck.status, stuck.platform_post_id) == (Status.PUBLISHED, "https://www.instagram.com/p/abc/")


def test_there_needs_an_address(signed_in: Client, stuck: Publication) -> None:
    response = answered(signed_in, stuck, "there")
    assert response.status_code == 422
    assert "Paste the address or the id of the post." in response.content.decode()
    stuck.refresh_from_db()
    assert stuck.status == Status.CHECKING


def test_there_but_of_another_publication(signed_in: Client, account: ConnectedAccount, stuck: Publication) -> None:
    publication_in(Status.PUBLISHED, account, platform_post_id="77")
    response = answered(signed_in, stuck, "there", "77")
    assert response.status_code == 422
    page = response.content.decode()
    assert "belongs to another publication" in page
    assert 'value="77"' in page


def test_it_is_not_there(signed_in: Client, stuck: Publication) -> None:
    answered(signed_in, stuck, "absent")
    stuck.refresh_from_db()
    assert stuck.status == Status.SCHEDULED


def test_give_up(signed_in: Client, stuck: Publication) -> None:
    answered(signed_in, stuck, "give_up")
    stuck.refresh_from_db()
    assert stuck.status == Status.FAILED


def test_an_answer_nobody_offered(signed_in: Client, stuck: Publication) -> None:
    assert answered(signed_in, stuck, "maybe").status_code == 422


def test_settled_meanwhile(signed_in: Client, stuck: Publication) -> None:
    Publication.objects.filter(pk=stuck.pk).update(status=Status.PUBLISHED)
    response = answered(signed_in, stuck, "absent")
    assert response.status_code == 302
    assert not Publication.objects.filter(status=Status.SCHEDULED).exists()


# Others


@pytest.mark.parametrize("name", ["retry", "decide"])
def test_a_stranger_finds_nothing(signed_in_stranger: Client, stuck: Publication, name: str) -> None:
    assert signed_in_stranger.post(url(name, stuck)).status_code == 404
    assert signed_in_stranger.post(reverse(f"publishing:publication_{name}", args=[uuid.uuid4()])).status_code == 404


@pytest.mark.parametrize("name", ["retry", "decide"])
def test_a_viewer_may_not(signed_in: Client, owner: User, stuck: Publication, name: str) -> None:
    Membership.objects.filter(user=owner).update(role=Role.VIEWER)
    assert signed_in.post(url(name, stuck)).status_code == 403


def test_a_viewer_may_watch_without_buttons(signed_in: Client, owner: User, stuck: Publication) -> None:
    Membership.objects.filter(user=owner).update(role=Role.VIEWER)
    page = progress(signed_in, stuck).content.decode()
    assert "It is not there: publish again" not in page
    assert Post.objects.get().get_absolute_url() not in page
