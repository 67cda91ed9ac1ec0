from __future__ import annotations

import itertools

import pytest

from publishing.models import Post, Publication, Status
from publishing.states import TRANSITIONS, IllegalMove, LostRace, move, move_along, refresh_posts
from tests.factories import make_account, make_post

pytestmark = pytest.mark.django_db


def test_the_table_names_every_status():
    assert set(TRANSITIONS) == set(Status)


def test_every_status_can_be_reached_from_draft():
    reached, frontier = set(), {Status.DRAFT}
    while frontier:
        reached |= frontier
        frontier = set().union(*(TRANSITIONS[status] for status in frontier)) - reached
    assert reached == set(Status)


@pytest.mark.parametrize(
    ("came_from", "to"),
    [(a, b) for a, b in itertools.product(Status, Status) if b not in TRANSITIONS[a]],
)
def test_an_illegal_move_raises_and_changes_nothing(workspace, account, came_from, to):
    publication = make_post(workspace, account).publications.get()
    Publication.objects.update(status=came_from)
    publication.refresh_from_db()
    with pytest.raises(IllegalMove):
        move(publication, to)
    publication.refresh_from_db()
    assert publication.status == came_from
    assert not publication.events.exists()


def test_a_move_notes_who_when_and_why(workspace, account, owner):
    publication = make_post(workspace, account).publications.get()
    move(publication, Status.SCHEDULED, actor=owner, reason="because")
    event = publication.events.get()
    assert (event.from_status, event.to_status, event.actor, event.reason) == ("draft", "scheduled", owner, "because")


def test_the_slower_of_two_loses_the_race(workspace, account):
    publication = make_post(workspace, account).publications.get()
    same = Publication.objects.get(pk=publication.pk)
    move(publication, Status.SCHEDULED)
    with pytest.raises(LostRace):
        move(same, Status.SCHEDULED)
    assert publication.events.count() == 1


def test_moving_along_a_path_notes_each_step_and_skips_those_elsewhere(workspace):
    accounts = [make_account(workspace) for _ in range(3)]
    publications = list(make_post(workspace, *accounts).publications.all())
    Publication.objects.filter(pk=publications[0].pk).update(status=Status.SCHEDULED)
    Publication.objects.filter(pk=publications[1].pk).update(status=Status.QUEUED)
    moved = move_along(
        [publication.pk for publication in publications],
        [Status.SCHEDULED, Status.QUEUED, Status.PUBLISHING],
        reasons=["due", "begun"],
    )
    assert set(moved) == {publications[0].pk, publications[1].pk}
    assert [event.to_status for event in publications[0].events.all()] == ["queued", "publishing"]
    assert [event.to_status for event in publications[1].events.all()] == ["publishing"]
    assert not publications[2].events.exists()


@pytest.mark.parametrize(
    ("statuses", "summary"),
    [
        (["draft", "draft"], "draft"),
        (["scheduled", "scheduled"], "scheduled"),
        (["scheduled", "draft"], "scheduled"),
        (["queued"], "publishing"),
        (["queued", "published"], "publishing"),
        (["publishing", "failed"], "publishing"),
        (["checking", "published"], "checking"),
        (["checking", "failed"], "checking"),
        (["published", "published"], "published"),
        (["published", "failed"], "partly_failed"),
        (["scheduled", "failed"], "partly_failed"),
        (["published", "draft"], "partly_published"),
        (["published", "scheduled"], "partly_published"),
        (["failed", "failed"], "failed"),
    ],
)
def test_a_post_is_called_after_its_publications(workspace, statuses, summary):
    post = make_post(workspace, *(make_account(workspace) for _ in statuses))
    for publication, status in zip(post.publications.all(), statuses, strict=True):
        Publication.objects.filter(pk=publication.pk).update(status=status)
    refresh_posts([post.pk])
    assert Post.objects.get().status == summary
