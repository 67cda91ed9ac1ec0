"""The dashboard: what it shows, what it leaves out, what it costs."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import ConnectedAccount, Membership, Role, User, Workspace
from analytics.models import PlatformPost
from publishing.models import Autosave, ImageSet, Post, PostAssembly, Publication
from tests.factories import make_account, make_post, make_user

MOST_QUERIES = 14


def publish(post: Post, **figures: Any) -> list[Publication]:
    """Every publication of a post is out, with these figures."""
    found = list(post.publications.select_related("account"))
    now = timezone.now()
    for publication in found:
        publication.status = "published"
        publication.published_at = now - timedelta(hours=1)
        publication.platform_post_id = str(publication.pk)
        publication.permalink = f"https://example.com/{publication.pk}"
        publication.save()
        PlatformPost.objects.create(
            account=publication.account,
            publication=publication,
            platform_post_id=publication.platform_post_id,
            permalink=publication.permalink,
            posted_at=publication.published_at,
            fetched_at=now,
            **figures,
        )
    Post.objects.filter(pk=post.pk).update(status="published")
    return found


def elsewhere(account: ConnectedAccount, number: int) -> PlatformPost:
    return PlatformPost.objects.create(
        account=account,
        platform_post_id=f"elsewhere-{number}",
        text=f"From the phone {number}",
        posted_at=timezone.now() - timedelta(days=1, minutes=number),
    )


def kept(user: User, workspace: Workspace, caption: str, **fields: Any) -> Autosave:
    return Autosave.objects.create(
        workspace=workspace, user=user, key=uuid.uuid4(), typed={"caption": [caption]}, **fields
    )


def owner_of(workspace: Workspace) -> User:
    return workspace.memberships.get(role=Role.OWNER).user


def page(client: Client, address: str = "/", **headers: str) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def test_a_newcomer_is_told_to_connect_an_account(signed_in: Client) -> None:
    assert signed_in.get("/").headers["Location"] == "/welcome/"  # once; who comes back is not led away again
    shown = page(signed_in)
    assert "Three steps to your first post" in shown
    assert 'href="/welcome/connect/">' in shown
    assert "Last 30 days" not in shown


def test_with_an_account_the_next_step_is_an_image_set_then_a_post(signed_in: Client, workspace: Workspace) -> None:
    make_account(workspace)
    assert "Make an image set</a>" in page(signed_in)
    ImageSet.objects.create(workspace=workspace, title="Camaro")
    assert "Write your first post</a>" in page(signed_in)


def test_the_steps_leave_when_all_are_done_or_skipped(signed_in: Client, workspace: Workspace) -> None:
    make_post(workspace, make_account(workspace))
    assert "Make an image set</a>" in page(signed_in)
    workspace.skipped_steps = ["images"]
    workspace.save()
    assert "Three steps" not in page(signed_in)


def test_the_reminder_hides_nothing_that_is_there(signed_in: Client, workspace: Workspace) -> None:
    elsewhere(make_account(workspace), 1)
    shown = page(signed_in)
    assert "Three steps" in shown
    assert "From the phone 1<" in shown
    assert "Last 30 days" in shown


def test_an_editor_is_not_sent_to_a_page_that_refuses_him(client: Client, workspace: Workspace) -> None:
    editor = make_user()
    editor.memberships.all().delete()
    Membership.objects.create(workspace=workspace, user=editor, role=Role.EDITOR)
    client.force_login(editor, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.get("/")
    assert "Only owners and admins can connect accounts" in page(client)


def test_a_viewer_sees_no_button_that_writes(client: Client, workspace: Workspace) -> None:
    viewer = make_user()
    viewer.memberships.all().delete()
    Membership.objects.create(workspace=workspace, user=viewer, role=Role.VIEWER)
    make_account(workspace)
    make_post(workspace, make_account(workspace, status="expired")).publications.update(status="checking")
    client.force_login(viewer, backend="allauth.account.auth_backends.AuthenticationBackend")
    shown = page(client)
    assert re.findall(r'data-size="small"[^>]*>(\w+)<span', shown) == ["Look", "Look"]
    assert "New post" not in shown
    assert "Make an image set</a>" not in shown
    assert "Write a post for later" not in shown


def test_what_went_wrong_stands_on_top(signed_in: Client, workspace: Workspace) -> None:
    account = make_account(workspace, name="Joe's Garage")
    make_account(workspace, name="Camaro Club", status="expired", status_reason="Access ended on Tuesday.")
    failed = make_post(workspace, account, caption="A picture too wide")
    failed.publications.update(status="failed", error_message="Picture 3 is too wide.")
    unknown = make_post(workspace, account, caption="Nobody knows")
    unknown.publications.update(status="checking")
    shown = page(signed_in)
    attention = shown[shown.index("Needs your attention") : shown.index("Last 30 days")]
    assert "Access ended on Tuesday." in attention
    assert "Picture 3 is too wide." in attention
    assert f'href="{failed.get_absolute_url()}"' in attention
    assert f'href="{unknown.get_absolute_url()}"' in attention
    assert "until then it is not sent again" in attention


def test_a_post_whose_files_could_not_be_had_waits_for_a_person(signed_in: Client, workspace: Workspace) -> None:
    post = make_post(workspace, make_account(workspace), caption="Pictures from elsewhere")
    PostAssembly.objects.create(
        post=post, intent="now", by=owner_of(workspace), failed_at=timezone.now(), message="File 1 is gone.\nLook."
    )
    shown = page(signed_in)
    attention = shown[shown.index("Needs your attention") : shown.index("Last 30 days")]
    assert "File 1 is gone. · Look." in attention
    assert f'href="{post.get_absolute_url()}"' in attention


def test_a_post_that_failed_twice_is_one_thing_to_look_after(signed_in: Client, workspace: Workspace) -> None:
    accounts = [make_account(workspace, platform=key) for key in ("facebook", "instagram")]
    for number in range(5):
        make_post(workspace, *accounts, caption=f"Bad {number}").publications.update(status="failed")
    shown = page(signed_in)
    attention = shown[shown.index("Needs your attention") : shown.index("Last 30 days")]
    assert attention.count('class="button list-row-end"') == 5
    assert attention.count("and 1 more account") == 5
    folded = attention[attention.index("<details") :]
    assert "2 more" in folded
    assert folded.count('class="button list-row-end"') == 2
    assert 'href="/posts/?status=attention"' in folded


def test_what_somebody_was_writing_is_offered_again(signed_in: Client, workspace: Workspace, owner: User) -> None:
    make_account(workspace)
    post = make_post(workspace, caption="Saved before")
    for number in range(3):
        new = kept(owner, workspace, f"\n  Begun {number}\nand more")
    changed = kept(owner, workspace, "Changed words", post=post)
    shown = page(signed_in)
    drafts = shown[shown.index('<section class="drafts"') :].partition("</section>")[0]
    assert f'href="/posts/{post.pk}/edit/?draft={changed.key}"' in drafts
    assert f'href="/posts/new/?draft={new.key}"' in drafts
    assert "Begun 2" in drafts
    assert "Begun 1" not in drafts  # the newest two
    assert signed_in.get(f"/posts/new/?draft={new.key}").status_code == 200


def test_nobody_else_is_offered_what_somebody_was_writing(client: Client, owner: User, workspace: Workspace) -> None:
    make_account(workspace)
    kept(owner, workspace, "Mine alone")
    editor = make_user()
    editor.memberships.all().delete()
    Membership.objects.create(workspace=workspace, user=editor, role=Role.EDITOR)
    client.force_login(editor, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert "Mine alone" not in page(client)


def test_nothing_wrong_shows_no_box(signed_in: Client, workspace: Workspace) -> None:
    make_account(workspace)
    assert "Needs your attention" not in page(signed_in)


def test_figures_and_links_of_a_published_post(signed_in: Client, workspace: Workspace) -> None:
    facebook = make_account(workspace, username="garage", followers_count=12_480)
    post = make_post(workspace, facebook, caption="The engine bay is done")
    publication = publish(post, likes=1204, reach=98_765, comments=0)[0]
    shown = page(signed_in)
    assert "The engine bay is done" in shown
    assert ">12.4k</span>" in shown
    assert shown.count(">1,204</span>") == 2  # the post, and the sum of the last 30 days
    assert ">98.7k</span>" in shown
    assert f'href="{publication.permalink}"' in shown
    assert "View on Facebook" in shown


@pytest.mark.parametrize(
    ("post_type", "hours", "words"),
    [
        ("story", 24.5, "Over: stories end after 24 hours"),
        ("story", 5, "No longer on the network"),
        ("single", 24.5, "No longer on the network"),
    ],
)
def test_a_story_that_has_ended_was_not_taken_away(
    signed_in: Client, workspace: Workspace, post_type: str, hours: float, words: str
) -> None:
    (publication,) = publish(make_post(workspace, make_account(workspace), post_type=post_type))
    gone_at = publication.published_at + timedelta(hours=hours) if publication.published_at else None
    PlatformPost.objects.update(gone_at=gone_at)
    assert words in page(signed_in)


def test_a_missing_figure_is_a_dash_with_its_reason(signed_in: Client, workspace: Workspace) -> None:
    account = make_account(workspace, followers_count=10, last_synced_at=timezone.now())
    publish(make_post(workspace, account), likes=3)
    shown = page(signed_in)
    assert 'title="Facebook did not give this figure at the last reading"' in shown  # likes
    assert 'title="Facebook does not give this figure for this post"' in shown  # views
    assert 'title="No post of these days has a reach figure yet"' in shown


@pytest.mark.parametrize(
    ("platform", "names"),
    [
        ("facebook", ["Followers", "Likes"]),
        ("instagram", ["Followers", "Following"]),
        ("linkedin", ["Followers"]),
        ("bluesky", []),
    ],
)
def test_a_figure_that_a_network_never_gives_has_no_place(
    signed_in: Client, workspace: Workspace, platform: str, names: list[str]
) -> None:
    make_account(workspace, platform=platform, last_synced_at=timezone.now())
    shown = page(signed_in)
    card = shown[shown.index("account-card") :].partition("</article>")[0]
    assert re.findall(r"<dt>(\w+)</dt>", card) == names
    assert ("1 account without figures" in shown) is (not names)


def test_the_lines_of_a_caption_stand_in_a_row(signed_in: Client, workspace: Workspace) -> None:
    publish(make_post(workspace, make_account(workspace), caption="First\n\n second\r\nthird"))
    assert "First · second · third" in page(signed_in)


def test_an_account_that_was_never_read_says_so(signed_in: Client, workspace: Workspace) -> None:
    make_account(workspace)
    assert "First figures come within a minute" in page(signed_in)


def test_an_account_that_cannot_be_read_promises_nothing(signed_in: Client, workspace: Workspace) -> None:
    make_account(workspace, status="expired")
    assert "First figures come" not in page(signed_in)
    assert "Not read yet" in page(signed_in)


def test_a_published_post_without_figures_is_not_read_yet(signed_in: Client, workspace: Workspace) -> None:
    account = make_account(workspace)
    assert "No posts in these days" not in page(signed_in)  # a newcomer has other things to do
    make_post(workspace, account)
    assert page(signed_in).count("No posts in these days") == 2
    post = make_post(workspace, account, status="published")
    post.publications.update(status="published", published_at=timezone.now())
    shown = page(signed_in)
    assert "No posts in these days" not in shown
    assert len(re.findall(r"<dd class=\"meta\">\s*Not read yet\s*</dd>", shown)) == 2


def test_many_accounts_do_not_push_the_posts_away(signed_in: Client, workspace: Workspace) -> None:
    for number in range(8):
        make_account(workspace, name=f"Garage {number}")
    shown = page(signed_in)
    assert "2 more accounts" in shown
    folded = shown[shown.index('<details class="more-accounts"') :]
    assert [f"Garage {number}</a></h3>" in folded for number in range(8)] == [False] * 6 + [True] * 2


def test_accounts_of_networks_without_figures_stand_together(signed_in: Client, workspace: Workspace) -> None:
    make_account(workspace, name="Telling", followers_count=7, last_synced_at=timezone.now())
    for number in range(9):
        make_account(workspace, platform="bluesky", name=f"Silent {number}")
    shown = page(signed_in)
    assert "9 accounts without figures" in shown
    silent = shown[shown.index('<details class="more-accounts"') :].partition("</details>")[0]
    assert silent.count("</a></h3>") == 9
    assert "Telling" not in silent


def test_what_should_be_out_already_is_due(signed_in: Client, workspace: Workspace) -> None:
    at = timezone.now() - timedelta(minutes=3)
    post = make_post(workspace, make_account(workspace), status="scheduled", scheduled_at=at)
    post.publications.update(status="scheduled", scheduled_at=at)
    assert "Due now" in page(signed_in)


def test_what_comes_next_is_shown_with_its_networks(signed_in: Client, workspace: Workspace) -> None:
    at = timezone.now() + timedelta(hours=5)
    post = make_post(workspace, make_account(workspace), caption="Winter prices", status="scheduled", scheduled_at=at)
    post.publications.update(status="scheduled", scheduled_at=at)
    shown = page(signed_in)
    upcoming = shown[shown.index("Scheduled next") : shown.index("Recent posts")]
    assert "Winter prices" in upcoming
    assert "in 5 hours" in upcoming
    assert 'data-platform="facebook"' in upcoming


def test_from_what_comes_next_a_link_leads_to_the_calendar(signed_in: Client, workspace: Workspace) -> None:
    at = timezone.now() + timedelta(hours=5)
    make_post(workspace, make_account(workspace), status="scheduled", scheduled_at=at)
    shown = page(signed_in)
    assert '<a href="/calendar/">Calendar</a>' in shown[shown.index("Scheduled next") :]


def test_load_more_goes_on_where_the_page_ended(signed_in: Client, workspace: Workspace) -> None:
    account = make_account(workspace)
    for number in range(25):
        elsewhere(account, number)
    seen: list[int] = []
    shown = page(signed_in)
    while True:
        seen += [number for number in range(25) if f"From the phone {number}<" in shown]
        if "Load more" not in shown:
            break
        address = "/" + shown.split('hx-get="')[1].split('"')[0]
        shown = page(signed_in, address, **{"HX-Request": "true"})
        assert "<html" not in shown
    assert sorted(seen) == list(range(25))


def test_load_more_works_without_scripts(signed_in: Client, workspace: Workspace) -> None:
    account = make_account(workspace)
    for number in range(15):
        elsewhere(account, number)
    address = "/" + page(signed_in).split('href="?before=')[1].split('"')[0]
    shown = page(signed_in, address.replace("/", "/?before=", 1))
    assert "<html" in shown
    assert "From the phone 14<" in shown


@pytest.mark.parametrize("before", ["nonsense", "%00", "20261301T000000000000." + "0" * 32, "x" * 5000])
def test_a_strange_place_starts_from_the_top(signed_in: Client, workspace: Workspace, before: str) -> None:
    elsewhere(make_account(workspace), 1)
    assert "From the phone 1<" in page(signed_in, f"/?before={before}")


def test_a_stranger_sees_nothing_of_it(signed_in_stranger: Client, workspace: Workspace) -> None:
    account = make_account(workspace, name="Secret Garage", status="expired")
    elsewhere(account, 1)
    publish(make_post(workspace, account, caption="Secret post"))
    kept(owner_of(workspace), workspace, "Secret draft")
    signed_in_stranger.get("/")
    shown = page(signed_in_stranger)
    assert "Secret" not in shown
    assert "From the phone" not in shown


@pytest.mark.django_db
def test_people_who_are_not_signed_in_are_sent_to_the_entrance() -> None:
    response = Client().get("/")
    assert response.status_code == 302
    assert response["Location"].startswith("/account/login/")


def test_the_page_costs_the_same_however_many_posts_there_are(signed_in: Client, workspace: Workspace) -> None:
    facebook, instagram = make_account(workspace), make_account(workspace, platform="instagram")
    counts = []
    for amount in (2, 20):
        for number in range(amount):
            publish(make_post(workspace, facebook, instagram), likes=number)
        page(signed_in)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page(signed_in)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[1] <= MOST_QUERIES
