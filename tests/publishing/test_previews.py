"""The previews of the composer: one at a time, near to what the network shows, and harmless."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Workspace
from publishing.models import ImageSet, ImageSetItem, MediaFile
from socialhub.platforms import PLATFORMS
from tests.factories import make_account, make_media
from tests.publishing.test_composer import typed

CHECK = reverse("publishing:post_check")
CHOICES = {"pinterest": {"board_service_id": "1"}}


def drawn(client: Client, workspace: Workspace, key: str, *media: MediaFile, **fields: Any) -> str:
    """The fragment with the preview for a new account of this network."""
    account = make_account(workspace, platform=key, name="Garage", username="garage.one")
    post_type = fields.pop("post_type", "")
    data = {**typed(account, **fields), f"type-{account.pk}": post_type, "media": [str(item.pk) for item in media]}
    response = client.post(CHECK, data)
    assert response.status_code == 200
    return response.content.decode()


def arrangement(page: str) -> tuple[str, int]:
    """How the images stand together, and how many of them are drawn."""
    found = re.search(r'data-several="(\w+)"', page)
    return found[1] if found else "", page.count('class="preview-item"')


@pytest.mark.parametrize("key", sorted(PLATFORMS))
def test_every_network_is_drawn_with_name_and_text(signed_in: Client, workspace: Workspace, key: str) -> None:
    page = drawn(signed_in, workspace, key, make_media(workspace), caption="Ready to roll")
    article = page[page.index("<article") : page.index("</article>")]
    assert "Ready to roll" in article
    assert "Garage" in article or "garage.one" in article
    assert "thumbnail.jpg" in article


@pytest.mark.parametrize("key", sorted(PLATFORMS))
def test_what_is_typed_stays_text(signed_in: Client, workspace: Workspace, key: str) -> None:
    caption = "<script>alert(1)</script> #<b>bold</b> @me<img src=x> https://x.example/<i> " * 9
    page = drawn(signed_in, workspace, key, make_media(workspace), caption=caption)
    for tag in ("<script", "<b>", "<img src=x", "<i>"):
        assert tag not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("key", "number", "expected"),
    [
        ("facebook", 1, ("", 1)),
        ("facebook", 3, ("collage", 3)),
        ("facebook", 8, ("collage", 5)),
        ("linkedin", 6, ("collage", 5)),
        ("instagram", 8, ("slides", 8)),
        ("x", 4, ("grid", 4)),
        ("bluesky", 2, ("grid", 2)),
        ("threads", 5, ("row", 5)),
        ("tiktok", 3, ("slides", 3)),
        ("pinterest", 2, ("", 1)),
    ],
)
def test_images_stand_together_as_on_the_network(
    signed_in: Client, workspace: Workspace, key: str, number: int, expected: tuple[str, int]
) -> None:
    page = drawn(signed_in, workspace, key, *(make_media(workspace) for _number in range(number)))
    assert arrangement(page) == expected


def test_a_collage_says_how_many_more_there_are(signed_in: Client, workspace: Workspace) -> None:
    page = drawn(signed_in, workspace, "facebook", *(make_media(workspace) for _number in range(8)))
    assert '<span class="preview-more" aria-hidden="true">+3</span>' in page


def test_slides_have_a_dot_each(signed_in: Client, workspace: Workspace) -> None:
    page = drawn(signed_in, workspace, "instagram", *(make_media(workspace) for _number in range(3)))
    assert '<div class="preview-dots" aria-hidden="true"><span data-on></span><span></span><span></span></div>' in page


def test_a_long_text_is_cut_where_the_network_cuts(signed_in: Client, workspace: Workspace) -> None:
    caption = "One\nTwo\nThree\nFour"
    page = drawn(signed_in, workspace, "linkedin", caption=caption)
    assert '<span class="preview-fold pre-line">One\nTwo\nThree</span>' in page
    assert '<span class="preview-rest pre-line">\nFour</span>' in page
    assert "preview-rest" not in drawn(signed_in, workspace, "facebook", caption=caption)


def test_a_link_is_a_card_and_where_it_belongs_in_the_text(signed_in: Client, workspace: Workspace) -> None:
    link = {"link": "https://www.example.com/camaro", "caption": "Look"}
    facebook = drawn(signed_in, workspace, "facebook", **link)
    assert '<span class="preview-link-host truncate">example.com</span>' in facebook
    assert '<span class="preview-mark">https://' not in facebook
    x = drawn(signed_in, workspace, "x", **link)
    assert '<span class="preview-mark">https://www.example.com/camaro</span>' in x


def test_hashtags_and_mentions_are_coloured_where_the_network_does(signed_in: Client, workspace: Workspace) -> None:
    caption = "Hi @crew #v8"
    assert '<span class="preview-mark">@crew</span>' in drawn(signed_in, workspace, "threads", caption=caption)
    linkedin = drawn(signed_in, workspace, "linkedin", caption=caption)
    assert '<span class="preview-mark">#v8</span>' in linkedin
    assert '<span class="preview-mark">@crew</span>' not in linkedin


def test_an_upright_video_on_youtube_is_a_short(signed_in: Client, workspace: Workspace) -> None:
    facts = {"kind": "video", "content_type": "video/mp4", "facts": {"seconds": 12, "fps": 30, "codec": "h264"}}
    upright = make_media(workspace, width=1080, height=1920, **facts)
    wide = make_media(workspace, width=1920, height=1080, **facts)
    assert 'data-layout="stage"' in drawn(signed_in, workspace, "youtube", upright)
    assert 'data-layout="watch"' in drawn(signed_in, workspace, "youtube", wide)


def test_one_preview_is_drawn_however_many_accounts_there_are(signed_in: Client, workspace: Workspace) -> None:
    keys = sorted(PLATFORMS)
    accounts = [make_account(workspace, platform=keys[number % len(keys)]) for number in range(30)]
    media = [str(make_media(workspace).pk) for _number in range(8)]
    own = {f"caption-{account.pk}": f"Only for {account.name} #{number}" for number, account in enumerate(accounts)}
    form = {**typed(*accounts, caption="For all " * 40), "media": media, **own}
    answer = signed_in.post(CHECK, {**form, "preview": str(accounts[7].pk)})
    page = answer.content.decode()
    assert page.count("<article") == 1
    assert f"Only for {accounts[7].name}" in page[page.index("<article") : page.index("</article>")]
    assert page.count('name="preview"') == 30
    assert len(answer.content) < 120_000
    shared = signed_in.post(CHECK, {**typed(*accounts, caption="For all " * 40), "media": media})
    assert len(shared.content) < 60_000


def test_the_first_preview_is_shown_when_the_chosen_account_is_gone(signed_in: Client, workspace: Workspace) -> None:
    first = make_account(workspace, platform="facebook", name="First")
    second = make_account(workspace, platform="instagram", name="Second")
    for wanted in (str(second.pk), "nonsense", ""):
        page = signed_in.post(CHECK, {**typed(first), "preview": wanted}).content.decode()
        assert 'data-platform="facebook"' in page[page.index("<article") :]


def test_the_chosen_preview_is_kept_when_the_form_comes_back(signed_in: Client, workspace: Workspace) -> None:
    accounts = [make_account(workspace, platform="facebook"), make_account(workspace, platform="instagram")]
    form = {**typed(*accounts, action="refresh"), "preview": str(accounts[1].pk)}
    page = signed_in.post(reverse("publishing:post_new"), form).content.decode()
    assert 'data-platform="instagram"' in page[page.index("<article") :]


def test_images_are_named_where_they_have_no_alternative_text(signed_in: Client, workspace: Workspace) -> None:
    image_set = ImageSet.objects.create(workspace=workspace, title="Camaro")
    told, silent = make_media(workspace, alt_text="A car"), make_media(workspace)
    for position, media in enumerate((told, silent)):
        ImageSetItem.objects.create(image_set=image_set, media=media, position=position)
    page = signed_in.get(reverse("publishing:post_new"), {"set": str(image_set.pk)}).content.decode()
    assert f'id="edit_{told.pk}" data-alt-mark="yes"' in page
    assert f'id="edit_{silent.pk}" data-alt-mark="no"' in page
