"""The fake must answer as the contract says, else the tests that use it prove nothing."""

from __future__ import annotations

import inspect
from datetime import timedelta

import pytest
from django.utils import timezone

from socialhub.platforms.base import (
    Absent,
    Access,
    Content,
    MediaItem,
    NotYet,
    Platform,
    PostFigures,
    PostType,
    Published,
    StepKind,
)
from socialhub.platforms.errors import OutcomeUnknownError, TemporaryError
from tests.fakes import LOST, NORMAL, FakeInstagram, FakePlatform

ACCESS = Access("1001", "token")
TEXT = Content(PostType.TEXT, "Hello")


def carousel() -> Content:
    items = tuple(MediaItem(n, f"https://x.test/{n}.jpg", "image/jpeg", 10, 10, 100) for n in (1, 2))
    return Content(PostType.CAROUSEL, "Two", media=items)


@pytest.mark.parametrize("fake", [FakePlatform, FakeInstagram])
def test_it_has_the_signatures_of_the_contract(fake):
    for name, method in inspect.getmembers(Platform, inspect.isfunction):
        assert inspect.signature(getattr(fake, name)) == inspect.signature(method), name


def test_the_plan_ends_with_its_only_commit():
    for content in (TEXT, carousel()):
        kinds = [step.kind for step in FakePlatform().plan(content)]
        assert kinds.count(StepKind.COMMIT) == 1
        assert kinds[-1] is StepKind.COMMIT


def test_a_lost_answer_leaves_a_post_that_a_look_finds():
    fake = FakePlatform()
    fake.will("commit", LOST)
    since = timezone.now()
    with pytest.raises(OutcomeUnknownError):
        fake.commit(ACCESS, TEXT, {})
    found = fake.look(ACCESS, TEXT, {}, since=since, claimed=())
    assert isinstance(found, Published)
    assert isinstance(fake.look(ACCESS, TEXT, {}, since=since, claimed={found.platform_post_id}), Absent)
    assert isinstance(fake.look(ACCESS, TEXT, {}, since=since + timedelta(hours=1), claimed=()), Absent)


def test_outcomes_come_in_order_and_then_all_is_well():
    fake = FakePlatform()
    fake.will("perform:photo:1", TemporaryError("later"), NotYet(5), NORMAL)
    step = fake.plan(carousel())[0]
    with pytest.raises(TemporaryError):
        fake.perform(step, ACCESS, carousel(), {})
    assert fake.perform(step, ACCESS, carousel(), {}) == NotYet(5)
    assert fake.perform(step, ACCESS, carousel(), {}).handles.keys() == {"photo:1"}
    assert len(fake.called("perform:photo:1")) == len(fake.called("perform")) == 3


def test_a_hook_runs_inside_the_call():
    fake = FakePlatform()
    seen = []
    fake.during("commit", lambda call: seen.append((call.name, len(fake.feed["1001"]))))
    fake.commit(ACCESS, TEXT, {})
    fake.commit(ACCESS, TEXT, {})
    assert seen == [("commit", 0)]
    assert len(fake.feed["1001"]) == 2


def test_a_post_that_is_gone_is_absent_from_the_figures():
    fake = FakePlatform()
    post = fake.add("1001", text="Hello")
    other = fake.add("1001")
    fake.figures[post.platform_post_id] = PostFigures(post.platform_post_id, likes=3)
    ids = [post.platform_post_id, other.platform_post_id]
    assert [row.likes for row in fake.post_figures(ACCESS, dict.fromkeys(ids, ""))] == [3, None]
    fake.remove("1001", post.platform_post_id)
    assert [row.platform_post_id for row in fake.post_figures(ACCESS, dict.fromkeys(ids, ""))] == [
        other.platform_post_id
    ]
