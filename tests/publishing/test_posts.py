"""The list of posts and the page of one."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership, Role, User, Workspace
from publishing import schedule
from publishing.models import Post, PostAssembly, PostMedia, Publication, Status
from tests.factories import make_account, make_media, make_post, workspace_of

LIST = reverse("publishing:post_list")
HTMX = {"HX-Request": "true"}


def put(publication: Publication, status: Status, **fields: Any) -> None:
    """Into a state that only the engine could bring about."""
    Publication.objects.filter(pk=publication.pk).update(status=status, **fields)
    Post.objects.filter(pk=publication.post_id).update(status=status)


def many(workspace: Workspace, number: int) -> list[Post]:
    accounts = [make_account(workspace), make_account(workspace, platform="instagram")]
    posts = []
    for _index in range(number):
        post = make_post(workspace, *accounts)
        for position in range(1, 4):
            PostMedia.objects.create(post=post, media=make_media(workspace), position=position)
        posts.append(post)
    return posts


def test_the_list_shows_own_posts_and_no_others(signed_in: Client, workspace: Workspace, stranger: User) -> None:
    make_post(workspace, make_account(workspace, username="camaro"), caption="Mine")
    make_post(workspace_of(stranger), caption="Theirs")
    page = signed_in.get(LIST).content.decode()
    assert "Mine" in page
    assert "@camaro" in page
    assert "Theirs" not in page


def test_a_draft_that_has_not_got_its_files_says_so(signed_in: Client, workspace: Workspace, owner: User) -> None:
    make_post(workspace, caption="Just a draft")
    post = make_post(workspace, caption="With files")
    page = signed_in.get(LIST).content.decode()
    assert "Waits for files" not in page
    assert "Files missing" not in page
    assembly = PostAssembly.objects.create(post=post, intent="now", by=owner)
    assert signed_in.get(LIST).content.decode().count("Waits for files") == 1
    assembly.failed_at = timezone.now()
    assembly.save()
    page = signed_in.get(LIST).content.decode()
    assert page.count("Files missing") == 1
    assert "Waits for files" not in page


def test_what_stays_a_draft_without_its_files_needs_attention(
    signed_in: Client, workspace: Workspace, owner: User
) -> None:
    make_post(workspace, caption="Just a draft")
    post, failed = make_post(workspace, caption="With files"), make_post(workspace, caption="Failed", status="failed")
    PostAssembly.objects.create(post=post, intent="now", by=owner, failed_at=timezone.now())
    response = signed_in.get(LIST, {"status": "attention"})
    assert response.context["posts"] == [failed, post]
    assert response.context["counts"] == {"draft": "2", "attention": "2"}


def test_a_draft_with_a_plan_says_when(signed_in: Client, workspace: Workspace) -> None:
    make_post(workspace, scheduled_at=timezone.now() + timedelta(hours=3))
    page = " ".join(signed_in.get(LIST).content.decode().split())
    assert re.search("Planned for <time[^>]*>in 3 hours</time>", page)


def test_an_empty_list_teaches_the_next_step(signed_in: Client) -> None:
    page = signed_in.get(LIST).content.decode()
    assert "No posts yet" in page
    assert reverse("publishing:post_new") in page


def test_a_viewer_is_not_offered_to_write(signed_in: Client, owner: User) -> None:
    Membership.objects.filter(user=owner).update(role=Role.VIEWER)
    assert "Write the first post" not in signed_in.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "camaro"}, ["A Camaro"]),
        ({"status": "scheduled"}, ["On its way"]),
        ({"platform": "instagram"}, ["A Camaro"]),
        ({"campaign": "SPRING"}, ["On its way"]),
        ({"q": "spri way"}, ["On its way"]),
        ({"status": "draft", "q": "cama"}, ["A Camaro"]),
        ({"q": "nothing like it"}, []),
    ],
)
def test_filters(signed_in: Client, workspace: Workspace, query: dict[str, str], found: list[str]) -> None:
    make_post(workspace, make_account(workspace, platform="instagram"), caption="A Camaro")
    make_post(workspace, make_account(workspace), caption="On its way", campaign="spring", status="scheduled")
    response = signed_in.get(LIST, query)
    assert [post.caption for post in response.context["posts"]] == found


def test_filter_by_account(signed_in: Client, workspace: Workspace) -> None:
    one, other = make_account(workspace), make_account(workspace)
    wanted = make_post(workspace, one)
    make_post(workspace, other)
    assert signed_in.get(LIST, {"account": str(one.pk)}).context["posts"] == [wanted]


@pytest.mark.parametrize(
    "query",
    [
        {"status": "lost"},
        {"account": "nonsense"},
        {"after": "nonsense"},
        {"after": "2026-01-01_x"},
        {"since": "yesterday"},
        {"since": "2026-02-02", "until": "2026-02-01"},
        {"order": "random"},
        {"q": "x" * 201},
    ],
)
def test_a_bad_filter_is_said_and_finds_nothing(signed_in: Client, workspace: Workspace, query: dict[str, str]) -> None:
    make_post(workspace)
    response = signed_in.get(LIST, query)
    assert response.status_code == 422
    assert not response.context["posts"]
    assert response.context["form"].errors
    assert "UUID" not in str(response.context["form"].errors)


def test_the_first_error_has_the_focus_and_is_not_folded_away(signed_in: Client, workspace: Workspace) -> None:
    make_post(workspace)
    page = signed_in.get(LIST, {"since": "2026-02-02", "until": "2026-02-01"}).content.decode()
    assert "This day is before the first." in page
    assert page.count("autofocus") == 1
    assert '<details class="post-filter-more" open>' in page
    assert 'value="2026-02-02"' in page


def test_tabs_hold_what_belongs_together(signed_in: Client, workspace: Workspace) -> None:
    for status in Post.Summary.values:
        make_post(workspace, caption=status, status=status)
    expected = {
        "draft": {"draft"},
        "scheduled": {"scheduled", "publishing"},
        "published": {"published", "partly_published"},
        "attention": {"failed", "partly_failed", "checking"},
        "failed": {"failed"},
    }
    for tab, statuses in expected.items():
        response = signed_in.get(LIST, {"status": tab})
        assert {post.status for post in response.context["posts"]} == statuses
    assert response.context["counts"] == {"draft": "1", "scheduled": "2", "attention": "3"}


def test_a_tab_counts_no_further_than_it_shows(signed_in: Client, workspace: Workspace, stranger: User) -> None:
    Post.objects.bulk_create(Post(workspace=workspace, caption="x", status="failed") for _number in range(120))
    Post.objects.bulk_create(Post(workspace=workspace_of(stranger), caption="x") for _number in range(3))
    assert signed_in.get(LIST).context["counts"] == {"attention": "99+"}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"status": "attention"}, "Nothing needs you"),
        ({"status": "scheduled"}, "Nothing waits for its time"),
        ({"status": "published"}, "Nothing is published yet"),
        ({"status": "attention", "q": "camaro"}, "No post matches"),
        ({"status": "failed"}, "No post matches"),
    ],
)
def test_an_empty_tab_says_what_would_stand_there(
    signed_in: Client, workspace: Workspace, query: dict[str, str], words: str
) -> None:
    make_post(workspace)
    assert words in signed_in.get(LIST, query).content.decode()


def test_a_tab_keeps_the_other_conditions(signed_in: Client, workspace: Workspace) -> None:
    make_post(workspace, campaign="Spring")
    form = signed_in.get(LIST, {"campaign": "Spring", "status": "draft", "after": ""}).context["form"]
    assert form.tabs[2][2] == "?status=scheduled&campaign=Spring"
    assert form.tabs[0][2] == "?campaign=Spring"
    assert [(one.value, one.without) for one in form.conditions] == [("Spring", "?status=draft")]


def test_days_are_those_of_the_reader(signed_in: Client, owner: User, workspace: Workspace) -> None:
    owner.time_zone = "America/New_York"
    owner.save()
    at = datetime(2027, 3, 2, 4, 30, tzinfo=UTC)  # still the first of March there
    post = make_post(workspace, scheduled_at=at, status="scheduled")
    for since, until, found in (("2027-03-01", "2027-03-01", [post]), ("2027-03-02", "", []), ("", "2027-02-28", [])):
        assert signed_in.get(LIST, {"since": since, "until": until}).context["posts"] == found


def test_what_waits_is_listed_as_it_goes_out(signed_in: Client, workspace: Workspace) -> None:
    now = timezone.now()
    posts = [make_post(workspace, status="scheduled", scheduled_at=now + timedelta(days=day)) for day in (3, 1, 2)]
    soonest = [posts[1], posts[2], posts[0]]
    assert signed_in.get(LIST, {"status": "scheduled"}).context["posts"] == soonest
    assert signed_in.get(LIST, {"order": "late"}).context["posts"] == soonest[::-1]
    assert signed_in.get(LIST, {"status": "scheduled", "order": "newest"}).context["posts"] == posts[::-1]


@pytest.mark.parametrize("order", ["soon", "late"])
def test_load_more_by_time_goes_through_all_posts_once(signed_in: Client, workspace: Workspace, order: str) -> None:
    now = timezone.now()
    posts = [
        make_post(workspace, scheduled_at=None if number % 3 == 0 else now + timedelta(hours=number // 2))
        for number in range(50)
    ]
    seen: list[Post] = []
    query = f"order={order}"
    while query:
        response = signed_in.get(f"{LIST}?{query}", headers=HTMX)
        seen += response.context["posts"]
        query = response.context["next_query"]
    assert len(seen) == len(posts)
    assert {post.pk for post in seen} == {post.pk for post in posts}
    times = [post.scheduled_at or post.created_at for post in seen]
    assert times == sorted(times, reverse=order == "late")


def test_many_posts_of_an_account_are_found_another_way(
    signed_in: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publishing.forms.posts.FEW", 2)
    account = make_account(workspace, platform="instagram")
    posts = [make_post(workspace, account) for _number in range(4)]
    make_post(workspace, make_account(workspace))
    assert signed_in.get(LIST, {"platform": "instagram"}).context["posts"] == posts[::-1]


def test_typing_gets_the_found_part_alone(signed_in: Client, workspace: Workspace) -> None:
    make_post(workspace, caption="A Camaro")
    response = signed_in.get(
        LIST, {"q": "cam", "status": "", "campaign": ""}, headers={**HTMX, "HX-Target": "posts_found"}
    )
    assert response["HX-Push-Url"] == f"{LIST}?q=cam"
    page = response.content.decode()
    assert page.strip().startswith('<div class="posts-found"')
    assert "A Camaro" in page
    assert 'name="q"' not in page


def test_an_account_of_a_stranger_is_no_filter(signed_in: Client, stranger: User, workspace: Workspace) -> None:
    make_post(workspace)
    account = make_account(workspace_of(stranger), name="Secret Page")
    response = signed_in.get(LIST, {"account": str(account.pk)})
    assert response.status_code == 422
    assert "Secret Page" not in response.content.decode()


def test_load_more_goes_through_all_posts_once(signed_in: Client, workspace: Workspace) -> None:
    posts = many(workspace, 45)
    seen: list[Post] = []
    query = ""
    while True:
        response = signed_in.get(f"{LIST}?{query}", headers=HTMX)
        assert "<html" not in response.content.decode()
        seen += response.context["posts"]
        query = response.context["next_query"]
        if not query:
            break
    assert [post.pk for post in seen] == [post.pk for post in reversed(posts)]


def test_load_more_tells_posts_of_the_same_instant_apart(signed_in: Client, workspace: Workspace) -> None:
    posts = many(workspace, 25)
    Post.objects.update(created_at=timezone.now())
    first = signed_in.get(LIST)
    second = signed_in.get(f"{LIST}?{first.context['next_query']}")
    assert {post.pk for post in (*first.context["posts"], *second.context["posts"])} == {post.pk for post in posts}


def own_queries(client: Client, address: str) -> int:
    """How many queries the page costs, without what the list of sessions costs on every page."""
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    statements = [query["sql"] for query in captured.captured_queries]
    return sum("SAVEPOINT" not in sql and "usersessions" not in sql for sql in statements)


def test_the_number_of_queries_does_not_grow(signed_in: Client, workspace: Workspace) -> None:
    many(workspace, 3)
    few = own_queries(signed_in, LIST)
    many(workspace, 17)
    assert own_queries(signed_in, LIST) == few <= 12


# One post


def test_the_page_of_a_post(signed_in: Client, workspace: Workspace) -> None:
    post = make_post(workspace, make_account(workspace, name="Garage"), caption="A long <b>story</b>")
    page = signed_in.get(post.get_absolute_url()).content.decode()
    assert "Garage" in page
    assert "A long &lt;b&gt;story&lt;/b&gt;" in page
    assert reverse("publishing:post_edit", args=[post.pk]) in page


def test_a_viewer_sees_the_page_without_its_buttons(signed_in: Client, owner: User, workspace: Workspace) -> None:
    post = make_post(workspace, make_account(workspace))
    Membership.objects.filter(user=owner).update(role=Role.VIEWER)
    page = signed_in.get(post.get_absolute_url()).content.decode()
    assert reverse("publishing:post_edit", args=[post.pk]) not in page
    assert f"delete:{post.pk}" not in page


def test_the_page_costs_the_same_for_two_accounts_and_for_six(signed_in: Client, workspace: Workspace) -> None:
    two = make_post(workspace, *(make_account(workspace) for _index in range(2)))
    six = make_post(workspace, *(make_account(workspace) for _index in range(6)))
    costs = own_queries(signed_in, two.get_absolute_url())
    assert own_queries(signed_in, six.get_absolute_url()) == costs <= 12


@pytest.mark.parametrize("name", ["post_detail", "post_progress", "post_edit"])
def test_a_stranger_finds_nothing(signed_in_stranger: Client, workspace: Workspace, name: str) -> None:
    post = make_post(workspace)
    assert signed_in_stranger.get(reverse(f"publishing:{name}", args=[post.pk])).status_code == 404


@pytest.mark.parametrize("name", ["post_cancel", "post_edit"])
def test_a_stranger_changes_nothing(signed_in_stranger: Client, workspace: Workspace, name: str) -> None:
    post = make_post(workspace)
    assert signed_in_stranger.post(reverse(f"publishing:{name}", args=[post.pk])).status_code == 404
    assert Post.objects.filter(pk=post.pk).exists()


@pytest.mark.parametrize("name", ["post_cancel", "post_edit"])
def test_a_viewer_changes_nothing(signed_in: Client, owner: User, workspace: Workspace, name: str) -> None:
    post = make_post(workspace)
    Membership.objects.filter(user=owner).update(role=Role.VIEWER)
    assert signed_in.post(reverse(f"publishing:{name}", args=[post.pk])).status_code == 403


def test_cancel_makes_it_a_draft_again(signed_in: Client, owner: User, workspace: Workspace) -> None:
    post = make_post(workspace, make_account(workspace))
    schedule.schedule(post, timezone.now() + timedelta(hours=1), by=owner)
    response = signed_in.post(reverse("publishing:post_cancel", args=[post.pk]), follow=True)
    post.refresh_from_db()
    assert post.status == "draft"
    assert "Cancelled." in response.content.decode()


def test_cancel_too_late_says_so(signed_in: Client, workspace: Workspace) -> None:
    post = make_post(workspace, make_account(workspace))
    put(post.publications.get(), Status.PUBLISHING)
    response = signed_in.post(reverse("publishing:post_cancel", args=[post.pk]), follow=True)
    assert "too late to cancel" in response.content.decode()
    assert post.publications.get().status == Status.PUBLISHING


def test_a_draft_can_be_deleted(signed_in: Client, workspace: Workspace) -> None:
    post = make_post(workspace, make_account(workspace))
    delete = {"one": f"delete:{post.pk}", "back": "yes"}
    assert delete["one"] in signed_in.get(post.get_absolute_url()).content.decode()
    question = signed_in.post(reverse("publishing:post_bulk"), delete).content.decode()
    assert "Delete 1 draft?" in question
    assert Post.objects.filter(pk=post.pk).exists()
    assert signed_in.post(reverse("publishing:post_bulk"), {**delete, "step": "do"}).url == LIST
    assert not Post.objects.filter(pk=post.pk).exists()


def test_what_went_out_keeps_its_record(signed_in: Client, workspace: Workspace) -> None:
    post = make_post(workspace, make_account(workspace))
    put(post.publications.get(), Status.PUBLISHED, published_at=timezone.now(), platform_post_id="1")
    signed_in.post(reverse("publishing:post_bulk"), {"one": f"delete:{post.pk}", "step": "do"})
    assert Post.objects.filter(pk=post.pk).exists()


def test_the_page_of_a_post_shows_what_goes_out(signed_in: Client, workspace: Workspace) -> None:
    post = make_post(
        workspace,
        make_account(workspace),
        caption="\n  The engine is back\n\nOrange as ever. #Camaro!",
        hashtags=["camaro", "v8"],
    )
    page = signed_in.get(post.get_absolute_url()).content.decode()
    assert '<h1 class="clamp-2">The engine is back</h1>' in page
    assert "<title>The engine is back · socialhub</title>" in page
    assert "Orange as ever. #Camaro!\n\n#v8</p>" in page
    assert "#camaro" not in page


@pytest.mark.parametrize("query", [{"until": "9999-12-31"}, {"since": "9999-12-31"}, {"since": "0001-01-01"}])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
def test_the_first_and_the_last_of_all_days(
    signed_in: Client, owner: User, workspace: Workspace, query: dict[str, str], zone: str
) -> None:
    owner.time_zone = zone
    owner.save()
    make_post(workspace, caption="Mine")
    assert ("Mine" in signed_in.get(LIST, query).content.decode()) is (query != {"since": "9999-12-31"})


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-01-01T00:00:00"])
@pytest.mark.parametrize("order", ["newest", "late", "soon"])
def test_a_place_that_nothing_can_be_at_is_refused(signed_in: Client, workspace: Workspace, order: str, moment: str):
    answer = signed_in.get(LIST, {"after": f"{moment}_{workspace.pk}", "order": order})
    assert answer.status_code == 422
