"""Which posts a list of figures holds, in which order; the best and the worst of them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.http import QueryDict

from analytics.filters import FIGURES, PostFilter, Sort, sort_of, span_of
from analytics.models import PlatformPost
from analytics.reports import posts as reports
from analytics.reports.kinds import KINDS, kind_of
from publishing.models import Post
from tests.analytics.rows import make_platform_post, make_published
from tests.factories import make_account, workspace_of

NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def fb(workspace):
    return make_account(workspace, name="Page")


@pytest.fixture
def gram(workspace):
    return make_account(workspace, platform="instagram", name="Gram")


def ago(**span):
    return NOW - timedelta(**span)


def asked(workspace, query=""):
    form = PostFilter(QueryDict(query), workspace=workspace)
    assert form.is_valid(), form.errors
    return form


def found(workspace, query=""):
    return [row.post for row in reports.page_of(asked(workspace, query), 50).rows]


def rated(account, rate, **fields):
    reach = fields.pop("reach", 1000)
    return make_platform_post(
        account,
        **{
            "reach": reach,
            "engagements": round((reach or 0) * rate),
            "engagement_rate": rate,
            "rate_of": "reach",
            "posted_at": ago(days=3),
            **fields,
        },
    )


# Which posts


def test_usually_the_list_holds_30_days_the_newest_first(workspace, fb, gram, stranger):
    older = make_platform_post(fb, posted_at=ago(days=29))
    newer = make_platform_post(gram, posted_at=ago(days=1))
    make_platform_post(fb, posted_at=ago(days=31))
    make_platform_post(make_account(workspace_of(stranger)), posted_at=ago(days=1))
    assert found(workspace) == [newer, older]


def test_all_time_is_all_time(workspace, fb):
    old = make_platform_post(fb, posted_at=ago(days=4000))
    assert found(workspace, "period=365d") == []
    assert found(workspace, "period=all") == [old]


def test_posts_are_found_by_network_account_and_where_they_were_made(workspace, fb, gram):
    ours = make_platform_post(fb, publication=make_published(fb).publications.get())
    other = make_platform_post(gram)
    assert found(workspace, "platform=instagram") == [other]
    assert found(workspace, f"account={fb.pk}") == [ours]
    assert found(workspace, f"account={fb.pk}&platform=instagram") == []
    assert found(workspace, "made=here") == [ours]
    assert found(workspace, "made=elsewhere") == [other]


def test_a_campaign_is_found_however_it_is_written(workspace, fb, gram):
    post = make_published(fb, gram, campaign="Summer Sale")
    out = [make_platform_post(one.account, publication=one) for one in post.publications.all()]
    make_platform_post(fb, publication=make_published(fb, campaign="Summer").publications.get())
    assert set(found(workspace, "campaign=summer+sale")) == set(out)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("reel", {"product": "REELS", "media_type": "VIDEO"}),
        ("story", {"product": "STORY", "media_type": "IMAGE"}),
        ("image", {"product": "FEED", "media_type": "IMAGE"}),
        ("image", {"media_type": "photo"}),
        ("images", {"product": "FEED", "media_type": "CAROUSEL_ALBUM"}),
        ("images", {"media_type": "album"}),
        ("images", {"media_type": "multiImage"}),
        ("reel", {"product": "REEL", "media_type": "video"}),
        ("video", {"product": "VIDEO", "media_type": "video"}),
        ("video", {"media_type": "video"}),
        ("link", {"media_type": "share"}),
        ("text", {"media_type": "text"}),
    ],
)
def test_kinds_are_ours_whatever_the_networks_call_them(workspace, fb, kind, fields):
    post = make_platform_post(fb, **fields)
    assert kind_of(post) is KINDS[kind]
    assert {key: found(workspace, f"kind={key}") for key in KINDS} == {
        key: [post] if key == kind else [] for key in KINDS
    }


def test_a_post_of_ours_has_its_kind_before_the_network_tells_it(workspace, fb):
    made = make_published(fb, post_type="carousel").publications.get()
    post = make_platform_post(fb, publication=made)
    assert kind_of(post) is KINDS["images"]
    assert found(workspace, "kind=images") == [post]
    assert found(workspace, "kind=text") == []


@pytest.mark.parametrize(
    "query",
    [
        "period=2d",
        "sort=raw",
        "sort=--views",
        "kind=film",
        "account=1",
        "platform=myspace",
        "made=x",
        "after=x",
        "after=2026-11-20T18:30:00_8c5b7e5e-6a9d-4b43-9b43-0d6f8f6d7a10",
        "sort=views&after=nan_8c5b7e5e-6a9d-4b43-9b43-0d6f8f6d7a10",
        "sort=engagement_rate&after=nan_8c5b7e5e-6a9d-4b43-9b43-0d6f8f6d7a10",
        "sort=views&after=99999999999999999999_8c5b7e5e-6a9d-4b43-9b43-0d6f8f6d7a10",
        "sort=views&after=1_x",
    ],
)
def test_what_no_list_is_is_refused(workspace, fb, query):
    assert not PostFilter(QueryDict(query), workspace=workspace).is_valid()


def test_an_account_of_another_workspace_is_no_choice(workspace, stranger):
    foreign = make_account(workspace_of(stranger))
    assert not PostFilter(QueryDict(f"account={foreign.pk}"), workspace=workspace).is_valid()


# In which order


def test_without_the_figure_posts_come_last_either_way(workspace, fb):
    unknown = make_platform_post(fb, views=None)
    nought, many = make_platform_post(fb, views=0), make_platform_post(fb, views=900)
    assert found(workspace, "sort=-views") == [many, nought, unknown]
    assert found(workspace, "sort=views") == [nought, many, unknown]


@pytest.mark.parametrize("name", ["posted_at", "views", "engagement_rate"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_pages_join_without_gap_or_repetition(workspace, fb, name, sign):
    chance = random.Random(4)
    for _ in range(23):
        make_platform_post(
            fb,
            posted_at=ago(hours=chance.randint(1, 6)),
            views=chance.choice([None, 1, 2, 3]),
            engagement_rate=chance.choice([None, 0.1, 1 / 3, 2 / 7]),
        )
    whole = found(workspace, f"sort={sign}{name}")
    assert len(whole) == 23
    pages, after = [], ""
    for _ in range(10):
        form = asked(workspace, f"sort={sign}{name}&after={after.replace('+', '%2B')}")
        page = reports.page_of(form, 5)
        pages += [row.post for row in page.rows]
        if not page.next:
            break
        after = page.next
    assert pages == whole


def test_a_place_in_the_list_is_written_and_read(workspace, fb):
    post = make_platform_post(fb, engagement_rate=0.1 + 0.2, views=None)
    for sort, value in ((Sort("engagement_rate", True), 0.1 + 0.2), (Sort("views", False), None)):
        assert sort.read(sort.place_of(post)) == (value, post.pk)
        assert sort_of(sort.key) == sort


def test_a_page_costs_two_queries_however_many_there_are(workspace, fb, gram, django_assert_num_queries):
    for number in range(6):
        post = make_published(fb, gram)
        for one in post.publications.all():
            make_platform_post(one.account, publication=one, views=number)
    form = asked(workspace, "sort=-views")
    with django_assert_num_queries(2):
        page = reports.page_of(form, 10)
        assert [(row.text, row.kind, row.thumbnail_url, row.post.account.handle) for row in page.rows]
    with django_assert_num_queries(1):
        reports.sums_of(form.narrowed())


# What it comes to


def test_sums_say_of_how_many_they_are(workspace, fb):
    rated(fb, 0.1, views=10)
    rated(fb, 0.3, views=None, likes=0)
    make_platform_post(fb)
    sums = reports.sums_of(asked(workspace).narrowed())
    assert (sums.posts, sums.rate, sums.rated) == (3, pytest.approx(0.2), 2)
    assert (sums.views.value, sums.views.known, sums.views.of) == (10, 1, 3)
    assert sums.told == ("views", "reach", "likes", "engagements")


def test_one_like_of_three_readers_lifts_no_average(workspace, fb):
    rated(fb, 0.1)
    rated(fb, 1 / 3, reach=3, views=40)
    sums = reports.sums_of(asked(workspace).narrowed())
    assert (sums.posts, sums.rate, sums.rated) == (2, pytest.approx(0.1), 1)


def test_sums_of_nothing_are_unknown(workspace, fb):
    make_platform_post(fb)
    sums = reports.sums_of(asked(workspace).narrowed())
    assert (sums.views.value, sums.engagements.value, sums.rate, sums.told) == (None, None, None, ())


# Why a figure is missing


def test_each_missing_figure_has_its_reason(workspace, fb, gram):
    assert "Not read yet" in reports.figure_of(make_platform_post(fb), "views").reason
    withheld = make_platform_post(gram, fetched_at=NOW, withheld="Fewer than five people have seen it.")
    assert reports.figure_of(withheld, "views").reason == "Fewer than five people have seen it."
    silent = make_platform_post(make_account(workspace, platform="x"), fetched_at=NOW)
    assert "neither likes nor" in reports.figure_of(silent, "engagements").reason
    assert "no rate without likes" in reports.figure_of(silent, "engagement_rate").reason
    counted = make_platform_post(fb, fetched_at=NOW, likes=3, engagements=3)
    assert "without reach, views" in reports.figure_of(counted, "engagement_rate").reason
    assert reports.figure_of(counted, "likes") == reports.Figure("likes", reports.WORDS["likes"], 3)


def test_a_lost_access_is_the_reason_of_what_was_never_read(workspace):
    lost = make_account(workspace, status="expired")
    assert "Connect the account again" in reports.figure_of(make_platform_post(lost), "likes").reason


def test_what_the_network_has_no_name_for_is_not_expected(workspace, gram):
    post = make_platform_post(gram, fetched_at=NOW, product="FEED")
    told = {name for name in FIGURES if reports.tells("instagram", "FEED", name)}
    assert {"likes", "comments", "reach"} <= told
    untold = next(name for name in FIGURES if name not in told and name != "engagements")
    assert "does not tell" in reports.figure_of(post, untold).reason
    assert "did not give" in reports.figure_of(post, "likes").reason


# The best and the worst


def test_the_best_and_the_worst_are_ordered_and_none_is_both(workspace, fb):
    posts = [rated(fb, rate) for rate in (0.05, 0.01, 0.09, 0.03)]
    told = reports.best_and_worst(workspace, limit=3)
    assert [row.post for row in told.best] == [posts[2], posts[0], posts[3]]
    assert [row.post for row in told.worst] == [posts[1]]
    assert (told.rated, told.reason) == (4, "")


def test_few_posts_have_a_best_and_no_worst(workspace, fb):
    rated(fb, 0.05)
    told = reports.best_and_worst(workspace)
    assert (len(told.best), told.worst) == (1, [])


def test_what_cannot_be_compared_is_left_out(workspace, fb, gram, stranger):
    rated(fb, 0.5, posted_at=ago(hours=5))
    rated(fb, 0.5, reach=19)
    rated(fb, 0.5, gone_at=ago(hours=1))
    rated(fb, 0.5, product="STORY")
    rated(fb, 0.5, publication=make_published(fb, post_type="story").publications.get())
    rated(fb, 0.5, posted_at=ago(days=31))
    rated(make_account(workspace_of(stranger)), 0.5)
    make_platform_post(fb, posted_at=ago(days=3))
    told = reports.best_and_worst(workspace)
    assert (told.best, told.rated) == ([], 0)
    assert "no post in this span" in told.reason
    kept = rated(gram, 0.2)
    assert [row.post for row in reports.best_and_worst(workspace).best] == [kept]
    assert reports.best_and_worst(workspace, fb).best == []


def test_the_best_cost_three_queries_at_any_number(workspace, fb, django_assert_num_queries):
    for number in range(12):
        rated(fb, number / 100)
    with django_assert_num_queries(3):
        reports.best_and_worst(workspace)


def test_publications_are_read_only_where_the_network_says_nothing_of_a_post(workspace, fb):
    span = span_of(None)
    rated(fb, 0.2, media_type="IMAGE", publication=make_published(fb).publications.get())
    plan = reports.rated_posts([fb], span).explain(analyze=True)
    assert "never executed" in plan[plan.index("on publishing_publication") :].splitlines()[0], plan
    rated(fb, 0.2, publication=make_published(fb, post_type="story").publications.get())
    assert "never executed" not in reports.rated_posts([fb], span).explain(analyze=True)


def test_a_deleted_post_leaves_its_figures(workspace, fb):
    made = make_published(fb)
    post = make_platform_post(fb, publication=made.publications.get(), text="Kept")
    Post.objects.filter(pk=made.pk).delete()
    assert PlatformPost.objects.get(pk=post.pk).publication is None
    assert [row.text for row in reports.page_of(asked(workspace), 5).rows] == ["Kept"]
