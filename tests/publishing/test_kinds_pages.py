"""Videos, documents, stories and first comments on the pages: library, composer, previews, page of a post."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ConnectedAccount, Credential, User, Workspace
from publishing import checks
from publishing.models import (
    Attempt,
    FollowUp,
    ImageSet,
    ImageSetItem,
    MediaFile,
    Post,
    PostMedia,
    Publication,
    PublicationEvent,
)
from publishing.previews import Frame
from publishing.templatetags.media_files import clock_length, media_badge
from publishing.views.composer_previews import ratio_name
from socialhub.platforms.base import PostType
from socialhub.platforms.rule_types import IMAGES_AND_VIDEOS, VIDEO_ONLY, ImageRules, MediaCount
from socialhub.platforms.rules import RULES
from tests.factories import make_account, make_entry, make_media, make_post, make_user
from tests.publishing.films import film_upload, pdf, pdf_upload

HTMX = {"HX-Request": "true"}
NEW = reverse("publishing:post_new")


def make_film(workspace: Workspace, seconds: float = 12.2, **fields: Any) -> MediaFile:
    facts = {"seconds": seconds, "fps": 30.0, "codec": "h264", "audio_codec": "aac", "bit_rate": 800_000}
    shape = {"width": 1080, "height": 1920, "size_bytes": 2_000_000}
    return make_media(
        workspace,
        **{
            "kind": "video",
            "content_type": "video/mp4",
            "facts": facts,
            "original_name": "drive.mp4",
            **shape,
            **fields,
        },
    )


def make_paper(workspace: Workspace, pages: int = 3, **fields: Any) -> MediaFile:
    shape = {"width": 0, "height": 0, "facts": {"pages": pages}, "original_name": "brochure.pdf"}
    return make_media(workspace, **{"kind": "document", "content_type": "application/pdf", **shape, **fields})


def typed(*accounts: ConnectedAccount, media: tuple[MediaFile, ...] = (), **fields: Any) -> dict[str, Any]:
    return {
        "key": str(uuid.uuid4()),
        "action": "publish",
        "caption": "Hello",
        "when": "now",
        "accounts": [str(account.pk) for account in accounts],
        "media": [str(item.pk) for item in media],
        **fields,
    }


@pytest.fixture
def instagram(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> ConnectedAccount:
    """A network with every upright kind of post, whatever numbers the real one has this month."""
    rules = RULES["instagram"]
    upright = ImageRules(max_bytes=8_000_000, max_width=1080, min_width=320, min_ratio=9 / 16, max_ratio=9 / 16)
    monkeypatch.setitem(
        RULES,
        "instagram",
        replace(
            rules,
            post_types={
                PostType.SINGLE: MediaCount(1, 1),
                PostType.CAROUSEL: MediaCount(2, 10, IMAGES_AND_VIDEOS),
                PostType.REEL: MediaCount(1, 1, VIDEO_ONLY),
                PostType.STORY: MediaCount(1, 1, IMAGES_AND_VIDEOS),
            },
            images={PostType.STORY: upright},
            videos={},
            first_comment_limit=100,
            silent_types=(PostType.STORY,),
        ),
    )
    return make_account(workspace, platform="instagram", name="Garage", username="garage.ig")


@pytest.fixture
def linkedin(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace, platform="linkedin", name="Garage Inc.", username="garage-inc")


@pytest.fixture
def image_set(workspace: Workspace) -> ImageSet:
    return ImageSet.objects.create(workspace=workspace, title="1969 Camaro Restoration")


# What a thumbnail says


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00"), (0.3, "0:01"), (12.2, "0:12"), (59.6, "1:00"), (90, "1:30"), (3723, "1:02:03")],
)
def test_a_length_is_told_as_on_a_clock(seconds: float, shown: str) -> None:
    assert clock_length(seconds) == shown


def test_a_thumbnail_tells_what_it_stands_for(workspace: Workspace) -> None:
    assert media_badge(make_media(workspace)) == ""
    assert media_badge(None) == ""
    assert "0:12" in media_badge(make_film(workspace))
    assert "Video, 0:12" in media_badge(make_film(workspace))
    assert "PDF, 1 page<" in media_badge(make_paper(workspace, 1))
    assert "PDF · 24" in media_badge(make_paper(workspace, 24))


# The library


def test_a_set_takes_videos_and_plays_them(signed_in: Client, image_set: ImageSet) -> None:
    upload = reverse("publishing:set_upload", args=[image_set.pk])
    answer = signed_in.post(upload, {"images": [film_upload(seconds=1)]}, headers=HTMX)
    assert answer.status_code == 200
    media = image_set.media.get()
    assert media.kind == "video"
    page = signed_in.get(reverse("publishing:set_detail", args=[image_set.pk])).content.decode()
    file = reverse("publishing:media_file", args=[media.pk])
    assert f'src="{file}"' in page
    assert "<video controls" in page
    assert 'accept="image/jpeg' in page
    assert "video/quicktime" in page
    library = signed_in.get(reverse("publishing:library")).content.decode()
    assert "0:01" in library
    assert "1 video" in library
    played = signed_in.get(file, headers={"Range": "bytes=0-99"})
    assert (played.status_code, len(b"".join(played.streaming_content))) == (206, 100)


def test_a_set_takes_no_documents_and_keeps_none(signed_in: Client, image_set: ImageSet) -> None:
    upload = reverse("publishing:set_upload", args=[image_set.pk])
    answer = signed_in.post(upload, {"images": [pdf_upload()]}, headers=HTMX)
    assert answer.status_code == 422
    assert "“brochure.pdf” was not added. A set holds images and videos" in answer.content.decode()
    assert not MediaFile.objects.exists()


def test_the_browser_knows_what_is_too_large(signed_in: Client, image_set: ImageSet, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES, settings.UPLOAD_VIDEO_MAX_BYTES = 1024, 2048
    for address in (NEW, reverse("publishing:set_detail", args=[image_set.pk])):
        page = signed_in.get(address).content.decode()
        assert 'data-max-bytes="1024"' in page
        assert 'data-max-video-bytes="2048"' in page


def test_a_set_counts_images_and_videos_apart(signed_in: Client, workspace: Workspace, image_set: ImageSet) -> None:
    for position, media in enumerate([make_media(workspace), make_media(workspace), make_film(workspace)], start=1):
        ImageSetItem.objects.create(image_set=image_set, media=media, position=position)
    page = " ".join(signed_in.get(reverse("publishing:library")).content.decode().split())
    assert "2 images, 1 video" in page


# The composer: kinds


def types_offered(page: Any, account: ConnectedAccount) -> list[str]:
    row = next(row for row in page.context["rows"] if row.account.pk == account.pk)
    return [value for value, _name in row.types if value] or [row.type_name]


def test_the_types_follow_what_the_post_holds(
    signed_in: Client, workspace: Workspace, instagram: ConnectedAccount, linkedin: ConnectedAccount
) -> None:
    film, paper = make_film(workspace), make_paper(workspace)
    page = signed_in.post(NEW, typed(instagram, media=(film,), action="refresh"))
    assert types_offered(page, instagram) == ["reel", "story"]
    assert types_offered(page, linkedin) == ["Video"]
    page = signed_in.post(NEW, typed(linkedin, media=(paper,), action="refresh"))
    assert types_offered(page, linkedin) == ["Document"]
    page = signed_in.post(NEW, typed(instagram, media=(make_media(workspace),), action="refresh"))
    assert types_offered(page, instagram) == ["single", "story"]


def test_a_video_and_a_pdf_are_uploaded_in_the_composer(
    signed_in: Client, workspace: Workspace, linkedin: ConnectedAccount
) -> None:
    page = signed_in.post(NEW, {**typed(linkedin, action="upload"), "upload": [film_upload(seconds=1)]})
    film = MediaFile.objects.get()
    text = page.content.decode()
    assert page.status_code == 200
    assert f'name="media" value="{film.pk}"' in text
    assert "0:01" in text
    page = signed_in.post(NEW, {**typed(linkedin, action="upload"), "upload": [pdf_upload(pages=2)]})
    assert "PDF, 2 pages" in page.content.decode()
    assert "brochure.pdf" in page.content.decode()


def test_each_refused_file_is_named_and_the_others_stay(
    signed_in: Client, workspace: Workspace, linkedin: ConnectedAccount, settings: Any
) -> None:
    settings.UPLOAD_VIDEO_MAX_BYTES = len(pdf(1))
    files = [film_upload("long.mp4", seconds=1), pdf_upload(pages=1)]
    page = signed_in.post(NEW, {**typed(linkedin, action="upload"), "upload": files})
    assert page.status_code == 422
    assert "“long.mp4” is larger than 0 MB" in page.content.decode()
    assert [picture.kind for picture in page.context["form"].pictures] == ["document"]


def test_a_reel_is_saved_as_chosen(signed_in: Client, workspace: Workspace, instagram: ConnectedAccount) -> None:
    film = make_film(workspace)
    chosen = {f"type-{instagram.pk}": "story", "action": "draft"}
    signed_in.post(NEW, typed(instagram, media=(film,), **chosen))
    assert Post.objects.get().publications.get().post_type == "story"


# Previews


def preview_of(client: Client, *accounts: ConnectedAccount, **fields: Any) -> str:
    return client.post(reverse("publishing:post_check"), typed(*accounts, **fields)).content.decode()


def test_a_reel_is_previewed_upright_with_a_play_sign(
    signed_in: Client, workspace: Workspace, instagram: ConnectedAccount
) -> None:
    film = make_film(workspace)
    page = preview_of(signed_in, instagram, media=(film,))
    assert 'data-post-type="reel" data-upright' in page
    assert 'class="preview-play"' in page
    assert reverse("publishing:media_file", args=[film.pk]) in page
    assert "0:12" in page


def test_a_story_is_previewed_without_its_text(
    signed_in: Client, workspace: Workspace, instagram: ConnectedAccount
) -> None:
    page = preview_of(
        signed_in,
        instagram,
        media=(make_film(workspace),),
        caption="Only for the feed",
        **{f"type-{instagram.pk}": "story"},
    )
    assert 'data-post-type="story" data-upright' in page
    assert "Instagram shows no text with a story." in page
    assert "Only for the feed" not in page


def test_a_document_is_previewed_as_a_card(signed_in: Client, workspace: Workspace, linkedin: ConnectedAccount) -> None:
    page = preview_of(signed_in, linkedin, media=(make_paper(workspace, 24),))
    assert 'class="preview-document"' in page
    assert "PDF, 24 pages" in page
    assert "brochure.pdf" in page


# Crop or bars


def test_the_choice_to_crop_stands_only_where_a_shape_changes(
    signed_in: Client, workspace: Workspace, instagram: ConnectedAccount, linkedin: ConnectedAccount
) -> None:
    wide = make_media(workspace, width=3000, height=1000)
    page = signed_in.post(NEW, typed(instagram, linkedin, media=(wide,), action="refresh"))
    assert page.context["shapes"] == {wide.pk: "Instagram (Single image) 1.91:1"}
    page = signed_in.post(NEW, typed(linkedin, media=(wide,), action="refresh"))
    assert page.context["shapes"] == {}
    assert "data-unneeded" in page.content.decode()
    live = preview_of(signed_in, instagram, media=(wide,))
    assert f'data-reshaped="{wide.pk}"' in live


def test_of_a_carousel_the_images_take_the_shape_of_the_first(
    workspace: Workspace, instagram: ConnectedAccount
) -> None:
    square, wide, film = make_media(workspace, width=900, height=900), make_media(workspace), make_film(workspace)
    post = make_post(workspace, instagram, post_type=PostType.CAROUSEL)
    media = [PostMedia(post=post, media=item, position=n) for n, item in enumerate((square, wide, film), start=1)]
    found = checks.reshaped(post.publications.get(), media)
    assert {position: one.ratio for position, one in found.items()} == {2: 1.0}


def cropped(media: MediaFile, x: int = 100, y: int = 0) -> dict[str, str]:
    return {f"fit-{media.pk}": "crop", f"focus_x-{media.pk}": str(x), f"focus_y-{media.pk}": str(y)}


def test_crop_and_focus_are_saved_and_come_back(
    signed_in: Client, workspace: Workspace, instagram: ConnectedAccount
) -> None:
    wide = make_media(workspace, width=3000, height=1000)
    signed_in.post(NEW, typed(instagram, media=(wide,), action="draft", **cropped(wide)))
    post = Post.objects.get()
    wide.refresh_from_db()
    assert post.post_media.get().fit == PostMedia.Fit.CROP
    assert (wide.focus_x, wide.focus_y) == (1.0, 0.0)
    page = signed_in.get(reverse("publishing:post_edit", args=[post.pk]))
    row = page.context["picture_rows"][0]
    assert (row.fit, row.focus) == ("crop", (3000, 0))
    again = signed_in.get(NEW, {"from": str(post.pk)}).context["picture_rows"][0]
    assert again.fit == "crop"


def test_bars_leave_the_focus_of_the_file_alone(
    signed_in: Client, workspace: Workspace, instagram: ConnectedAccount
) -> None:
    wide = make_media(workspace, width=3000, height=1000)
    signed_in.post(NEW, typed(instagram, media=(wide,), action="draft", **{**cropped(wide), f"fit-{wide.pk}": "pad"}))
    wide.refresh_from_db()
    assert (wide.focus_x, wide.focus_y) == (0.5, 0.5)


@pytest.mark.parametrize("typed_focus", ["", "-3", "101", "left", "1e400", "NaN"])
def test_a_focus_that_is_none_is_refused_or_left(
    signed_in: Client, workspace: Workspace, instagram: ConnectedAccount, typed_focus: str
) -> None:
    wide = make_media(workspace, width=3000, height=1000)
    fields = {**cropped(wide), f"focus_x-{wide.pk}": typed_focus}
    page = signed_in.post(NEW, typed(instagram, media=(wide,), action="draft", **fields))
    assert page.status_code == (422 if typed_focus else 302)
    wide.refresh_from_db()
    assert wide.focus_x == 0.5


def test_what_is_cropped_is_not_warned_of_bars(
    signed_in: Client, workspace: Workspace, instagram: ConnectedAccount
) -> None:
    wide = make_media(workspace, width=3000, height=1000)
    assert "gets bars at its sides" in " ".join(preview_of(signed_in, instagram, media=(wide,)).split())
    assert "gets bars" not in preview_of(signed_in, instagram, media=(wide,), **cropped(wide))


@pytest.mark.parametrize(
    ("fit", "focus", "view_box"),
    [
        ("pad", (0.5, 0.5), "-500 0 2000 1000"),
        ("crop", (0.5, 0.5), "0 250 1000 500"),
        ("crop", (0.5, 0.0), "0 0 1000 500"),
        ("crop", (0.5, 0.6), "0 350 1000 500"),
        ("crop", (0.5, 1.0), "0 500 1000 500"),
    ],
)
def test_the_preview_shows_the_part_that_is_kept(
    workspace: Workspace, fit: str, focus: tuple[float, float], view_box: str
) -> None:
    media = make_media(workspace, width=1000, height=1000, focus_x=focus[0], focus_y=focus[1])
    assert Frame.of(checks.Reshaped(PostMedia(media=media, fit=fit), 2.0)).view_box == view_box


@pytest.mark.parametrize(("ratio", "name"), [(0.8, "4:5"), (9 / 16, "9:16"), (1.91, "1.91:1"), (1, "1:1")])
def test_a_shape_has_the_name_that_people_know(ratio: float, name: str) -> None:
    assert ratio_name(ratio) == name


# The first comment


def test_a_first_comment_is_saved_used_again_and_edited(
    signed_in: Client, workspace: Workspace, instagram: ConnectedAccount
) -> None:
    media = (make_media(workspace),)
    signed_in.post(NEW, typed(instagram, media=media, action="draft", first_comment=" Parts list:\r\n#v8 "))
    post = Post.objects.get()
    assert post.first_comment == "Parts list:\n#v8"
    assert signed_in.get(NEW, {"from": str(post.pk)}).context["form"]["first_comment"].value() == post.first_comment
    edit = reverse("publishing:post_edit", args=[post.pk])
    signed_in.post(edit, typed(instagram, media=media, action="draft", first_comment="Shorter"))
    post.refresh_from_db()
    assert post.first_comment == "Shorter"


def test_a_first_comment_that_is_too_long_is_refused(
    signed_in: Client, workspace: Workspace, instagram: ConnectedAccount
) -> None:
    media = (make_media(workspace),)
    page = signed_in.post(NEW, typed(instagram, media=media, first_comment="x" * 101))
    assert page.status_code == 422
    assert (
        "Instagram takes 100 characters in a comment; the first comment has 101. Shorten it by 1."
        in page.content.decode()
    )
    assert page.context["form"]["first_comment"].errors
    assert not Post.objects.exists()
    assert "100 of 100" in preview_of(signed_in, instagram, media=media, first_comment="x" * 100)


def test_networks_without_comments_say_so(signed_in: Client, workspace: Workspace, instagram: ConnectedAccount) -> None:
    mastodon = make_account(workspace, platform="mastodon")
    page = preview_of(signed_in, mastodon, first_comment="More below")
    assert "We cannot write comments there: the first comment is left out." in page
    story = {f"type-{instagram.pk}": "story", "first_comment": "More below"}
    page = preview_of(signed_in, instagram, media=(make_media(workspace),), **story)
    assert "A story on Instagram has no comments" in page


def test_the_field_stands_where_a_chosen_network_takes_a_comment(
    signed_in: Client, workspace: Workspace, instagram: ConnectedAccount
) -> None:
    mastodon = make_account(workspace, platform="mastodon")
    assert 'data-takes-comment="yes"' in preview_of(signed_in, instagram)
    assert 'data-takes-comment="no"' in preview_of(signed_in, mastodon)
    assert 'data-takes-comment="yes"' in preview_of(signed_in, mastodon, first_comment="Typed before")


def test_where_nothing_fits_the_type_is_the_nearest(workspace: Workspace, instagram: ConnectedAccount) -> None:
    """Of four items the network would take two, of a story only one: what has to change is said of the former."""
    kinds = ["image", "video", "image", "video"]
    assert checks.usual_type("linkedin", kinds, "") == PostType.MULTI_IMAGE
    assert checks.usual_type("instagram", kinds, "") == PostType.CAROUSEL
    assert checks.usual_type("instagram", ["document"], "") == PostType.SINGLE


# The page of a post


@pytest.fixture
def published(workspace: Workspace, instagram: ConnectedAccount) -> Publication:
    post = make_post(workspace, instagram, post_type="reel", first_comment="Parts list below")
    PostMedia.objects.create(post=post, media=make_film(workspace), position=1)
    now = timezone.now()
    Publication.objects.update(status="published", platform_post_id="17", permalink="https://ig.example/p/1")
    Publication.objects.update(published_at=now - timedelta(days=2))
    Post.objects.update(status="published")
    return post.publications.get()


def follow(publication: Publication, kind: str, outcome: str, **fields: Any) -> FollowUp:
    now = timezone.now()
    return FollowUp.objects.create(
        publication=publication, kind=kind, due_at=now, done_at=now if outcome else None, outcome=outcome, **fields
    )


def page_of(client: Client, publication: Publication) -> str:
    return " ".join(client.get(publication.post.get_absolute_url()).content.decode().split())


def test_the_page_of_a_post_plays_its_video_and_shows_its_comment(signed_in: Client, published: Publication) -> None:
    page = page_of(signed_in, published)
    assert '<video controls preload="metadata"' in page
    assert "Parts list below" in page


@pytest.mark.parametrize(
    ("kind", "outcome", "words"),
    [
        ("comment", "done", "First comment written"),
        ("comment", "failed", "First comment not written"),
        ("comment", "unknown", "First comment: it cannot be known whether it is there"),
        ("seen_soon", "done", "After five minutes: it is there"),
        ("seen_later", "gone", "After a day: it is not there any more"),
        ("seen_later", "different", "After a day: it is there, but not whole"),
        ("seen_later", "unknown", "After a day: it cannot be known whether it is there"),
        ("seen_soon", "failed", "After five minutes: it could not be looked at"),
    ],
)
def test_what_followed_stands_in_the_timeline(
    signed_in: Client, published: Publication, kind: str, outcome: str, words: str
) -> None:
    follow(published, kind, outcome, message="In the network's own words", seen={"media": 2})
    page = page_of(signed_in, published)
    timeline = page.partition('id="post_timeline"')[2]
    assert f"<strong>{words}</strong>" in timeline
    assert "In the network&#x27;s own words" in timeline
    assert "2 images and videos seen" in timeline


def test_what_is_still_to_come_is_not_in_the_timeline(signed_in: Client, published: Publication) -> None:
    follow(published, "seen_later", "")
    assert "After a day" not in page_of(signed_in, published)


def test_a_post_that_is_gone_says_so_on_its_card(signed_in: Client, published: Publication) -> None:
    assert "Live on Instagram" in page_of(signed_in, published)
    Publication.objects.update(removed_at=timezone.now() - timedelta(hours=3))
    page = page_of(signed_in, published)
    assert "It is not there any more, seen <time" in page
    assert "Live on Instagram" not in page


def test_a_comment_that_was_not_written_says_why_on_the_card(signed_in: Client, published: Publication) -> None:
    row = follow(published, "comment", "")
    assert "The first comment is written next." in page_of(signed_in, published)
    FollowUp.objects.filter(pk=row.pk).update(outcome="failed", done_at=timezone.now(), message="It holds a link.")
    page = page_of(signed_in, published)
    assert "its first comment was not written. It holds a link." in page


def test_the_page_asks_again_until_the_comment_is_written(signed_in: Client, published: Publication) -> None:
    row = follow(published, "comment", "")
    assert "hx-get" not in page_of(signed_in, published).partition('id="post_progress"')[2][:300]  # too long ago
    Publication.objects.update(published_at=timezone.now())
    assert "hx-get" in page_of(signed_in, published).partition('id="post_progress"')[2][:300]
    FollowUp.objects.filter(pk=row.pk).update(outcome="done", done_at=timezone.now())
    assert "hx-get" not in page_of(signed_in, published).partition('id="post_progress"')[2][:300]


# The report


def report_of(client: Client, post: Post) -> Any:
    answer = client.get(reverse("publishing:post_report", args=[post.pk]))
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == f'attachment; filename="post-{post.pk}.json"'
    return json.loads(answer.content)


def test_the_report_tells_everything_about_the_post(signed_in: Client, owner: User, published: Publication) -> None:
    now = timezone.now()
    PublicationEvent.objects.create(
        publication=published, from_status="draft", to_status="scheduled", at=now, actor=owner, reason="by hand"
    )
    Attempt.objects.create(
        publication=published,
        number=1,
        worker="w1",
        started_at=now,
        request_id="Abc",
        steps=[{"key": "commit", "ms": 12}],
    )
    make_entry(published)
    follow(published, "seen_soon", "done", seen={"media": 1})
    report = report_of(signed_in, published.post)
    part = report["publications"][0]
    assert report["post"]["first_comment"] == "Parts list below"
    assert report["media"][0]["kind"] == "video"
    assert part["events"][0]["reason"] == "by hand"
    assert part["events"][0]["by"] == "you"
    assert part["attempts"][0]["steps"] == [{"key": "commit", "ms": 12}]
    assert part["follow_ups"][0]["seen"] == {"media": 1}
    assert part["queue_entry"]["attempts"] == 0
    assert part["account"]["status"] == "connected"
    assert {window["endpoint"] for window in part["windows"]} >= {"publish"}


def test_the_report_holds_no_token_and_no_name_of_others(
    signed_in: Client, workspace: Workspace, published: Publication
) -> None:
    token, long_token = "no-known-shape-9f8e7d6c5b", f"EAA{'x' * 40}"
    Credential.objects.update(access_token=token)
    other = make_user(email="erika@example.com", first_name="Erika")
    PublicationEvent.objects.create(
        publication=published, from_status="draft", to_status="scheduled", at=timezone.now(), actor=other
    )
    Attempt.objects.create(
        publication=published,
        number=1,
        worker="w1",
        started_at=timezone.now(),
        platform_message=f"Invalid token {token}",
        steps=[{"key": "commit", "note": f"https://graph.example/1?access_token={long_token}", token: token}],
    )
    Publication.objects.update(
        handles={"upload_url": f"https://up.example/v/{long_token}?sig=secret", "odd": long_token}
    )
    ConnectedAccount.objects.update(connected_by=other, paused_by=other, pause_reason="Erika said so")
    text = json.dumps(report_of(signed_in, published.post), ensure_ascii=False)
    assert "Invalid token […]" in text
    assert "another member" in text
    assert [secret for secret in (token, long_token, "sig=secret", "Erika", "erika@") if secret in text] == []


def test_a_report_is_made_though_no_key_opens_the_token(
    signed_in: Client, published: Publication, settings: Any
) -> None:
    settings.FERNET_KEYS = ["another-key-with-more-than-32-characters"]
    assert report_of(signed_in, published.post)["post"]["id"] == str(published.post_id)


def test_the_dashboard_says_what_its_thumbnails_stand_for(
    signed_in: Client, workspace: Workspace, published: Publication, linkedin: ConnectedAccount
) -> None:
    later = make_post(workspace, linkedin, post_type="document")
    PostMedia.objects.create(post=later, media=make_paper(workspace, 24), position=1)
    at = timezone.now() + timedelta(days=1)
    Post.objects.filter(pk=later.pk).update(status="scheduled", scheduled_at=at)
    page = signed_in.get("/").content.decode()
    assert "0:12" in page
    assert "PDF · 24" in page


def test_the_headline_does_not_call_live_what_is_gone(signed_in: Client, published: Publication) -> None:
    assert "It is live." in page_of(signed_in, published)
    Publication.objects.update(removed_at=timezone.now())
    assert "It was published, and is not there any more." in page_of(signed_in, published)
