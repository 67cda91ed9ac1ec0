"""What the composer costs with many accounts, posts and images."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ConnectedAccount, Workspace
from publishing.models import CaptionTemplate, HashtagGroup
from socialhub.platforms import PLATFORMS
from tests.factories import make_account, make_media, make_post
from tests.publishing.test_composer import CHECK, NEW, make_set, typed
from tests.publishing.test_posts import own_queries

NETWORKS = ("facebook", "instagram", "linkedin")
MOST_QUERIES = 15
MOST_BYTES = 150_000


def accounts_of(workspace: Workspace, number: int) -> list[ConnectedAccount]:
    return [
        make_account(workspace, platform=NETWORKS[n % 3], name=f"Garage {n}", username=f"garage{n}")
        for n in range(number)
    ]


def test_queries_do_not_grow_with_accounts_posts_or_media(signed_in: Client, workspace: Workspace) -> None:
    make_post(workspace, *accounts_of(workspace, 4))
    few = own_queries(signed_in, NEW)
    everybody = [*ConnectedAccount.objects.all(), *accounts_of(workspace, 26)]
    for _number in range(30):
        make_media(workspace)
    for _number in range(10):
        make_post(workspace, *everybody)
    assert len(signed_in.get(NEW).context["form"].chosen_ids) == 30
    assert own_queries(signed_in, NEW) == few <= MOST_QUERIES


def test_the_check_costs_the_same_for_any_number_of_accounts(
    signed_in: Client, workspace: Workspace, django_assert_max_num_queries: object
) -> None:
    data = typed(*accounts_of(workspace, 30))
    with django_assert_max_num_queries(MOST_QUERIES):  # type: ignore[operator]
        assert signed_in.post(CHECK, data).status_code == 200


def test_editing_costs_the_same_for_any_number_of_accounts(signed_in: Client, workspace: Workspace) -> None:
    one = make_post(workspace, *accounts_of(workspace, 1))
    few = own_queries(signed_in, reverse("publishing:post_edit", args=[one.pk]))
    many = make_post(workspace, *accounts_of(workspace, 30))
    assert own_queries(signed_in, reverse("publishing:post_edit", args=[many.pk])) == few <= MOST_QUERIES


@pytest.mark.parametrize(("number", "most"), [(30, MOST_BYTES), (200, 4 * MOST_BYTES)])
def test_the_page_stays_light(signed_in: Client, workspace: Workspace, number: int, most: int) -> None:
    make_post(workspace, *accounts_of(workspace, number))
    for _number in range(30):
        make_media(workspace)
    page = signed_in.get(NEW)
    assert len(page.context["form"].chosen_ids) == number
    assert len(page.content) <= most


def test_it_stays_light_with_all_networks_and_full_menus(signed_in: Client, workspace: Workspace) -> None:
    accounts = [make_account(workspace, platform=list(PLATFORMS)[n % len(PLATFORMS)], name=f"G {n}") for n in range(30)]
    for number in range(20):
        make_media(workspace)
        CaptionTemplate.objects.create(workspace=workspace, name=f"Template {number}", body="{title} " * 40)
        HashtagGroup.objects.create(workspace=workspace, name=f"Group {number}", hashtags=["camaro", "garage"] * 6)
    post = make_post(workspace, *accounts)
    for address in (NEW, reverse("publishing:post_edit", args=[post.pk])):
        assert len(signed_in.get(address).content) <= MOST_BYTES
        assert own_queries(signed_in, address) <= MOST_QUERIES


def test_a_set_with_images_stays_near_it(signed_in: Client, workspace: Workspace) -> None:
    accounts_of(workspace, 10)
    assert len(signed_in.get(NEW, {"set": str(make_set(workspace, 5).pk)}).content) <= MOST_BYTES
