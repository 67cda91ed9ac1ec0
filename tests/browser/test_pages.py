"""Every page at two sizes and in both colour schemes: nothing serious for axe-core, no complaint of the browser, no sideways scroll."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from accounts import api_keys
from accounts.models import Notification, User, Workspace
from analytics.models import PlatformPost, PostDay, PostSnapshot, WorkspaceExport
from publishing import intake
from publishing.compose import Intent
from publishing.media import store_upload
from publishing.models import (
    CaptionTemplate,
    HashtagGroup,
    ImageSet,
    ImageSetItem,
    MediaFetch,
    Post,
    PostAssembly,
    PostMedia,
    WebhookDelivery,
    WebhookEndpoint,
)
from publishing.webhooks import ends
from tests.browser.conftest import OpenPage
from tests.factories import make_account, make_post
from tests.pages.test_dashboard import elsewhere, publish

pytestmark = pytest.mark.browser

# Colours that are still on their way to the other scheme are judged when they are there.
FADED = "Promise.allSettled(document.getAnimations().map((one) => one.finished)).then(() => true)"
SIZES = ["phone", "desktop"]
LONG_NAME = "Joe's Garage and Restoration Workshop of Greater Springfield"


def picture(colour: str) -> SimpleUploadedFile:
    file = BytesIO()
    Image.new("RGB", (640, 480), colour).save(file, "JPEG")
    return SimpleUploadedFile(f"{colour}.jpg", file.getvalue(), "image/jpeg")


def problems_of(open_page: OpenPage, size: str, addresses: list[str], user: User | None) -> list[str]:
    page = open_page(size, user=user)
    found = []
    for address in addresses:
        page.emulate_media(color_scheme="light")
        response = page.goto(address)
        if response is None or response.status != 200:
            found.append(f"{address}: answered {response and response.status}")
            continue
        found += [f"{address}: {problem}" for problem in page.watch.problems()]  # type: ignore[attr-defined]
        page.emulate_media(color_scheme="dark")
        page.evaluate(FADED)
        # The same elements in other colours.
        dark = page.watch.problems(["color-contrast", "link-in-text-block"])  # type: ignore[attr-defined]
        found += [f"{address} (dark): {problem}" for problem in dark]
    return found


def webhook_pages(workspace: Workspace, owner: User) -> list[str]:
    """A webhook that does not answer, and the pages around it."""
    address = "https://hooks.invalid/social/of/a/system/with/a/very/long/address/3f0c1f7e"
    endpoint = ends.add(workspace, url=address, description="", kinds=["post.published", "account.trouble"], by=owner)
    delivery = ends.send_test(endpoint, owner)
    tried = {"at": timezone.now().isoformat(), "status": 500, "ms": 120, "error": "HTTP 500"}
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        not_before=timezone.now() + timedelta(minutes=2),
        attempts=1,
        tries=[tried],
        error="HTTP 500",
        response_status=500,
        response_excerpt="<h1>Oh dear</h1> " * 20,
    )
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failing_since=timezone.now())
    paused = ends.add(workspace, url=address, description="Our CRM", kinds=[], by=owner)
    ends.give_up(paused, "It has taken no message for 3 days. Last: HTTP 500.")
    here = f"/settings/webhooks/{endpoint.pk}/"
    return [
        "/settings/webhooks/",
        here,
        f"/settings/webhooks/{paused.pk}/",
        f"/settings/webhooks/deliveries/{delivery.pk}/",
        f"{here}delete/",
    ]


def machine_pages(workspace: Workspace, owner: User) -> list[str]:
    """Keys, exports in each state, and posts whose files come from elsewhere, or do not come."""
    now = timezone.now()
    api_keys.make(workspace, owner, "A program with a long name for the figures of the board", ["read"], None)
    api_keys.make(workspace, owner, "Ended", ["read", "write", "publish"], now - timedelta(days=1))
    export = {"workspace": workspace, "requested_by": owner}
    WorkspaceExport.objects.create(
        **export, status="ready", size_bytes=123_456_789, finished_at=now, expires_at=now + timedelta(days=7)
    )
    WorkspaceExport.objects.create(**export, status="failed", message="The export could not be made. Make a new one.")
    WorkspaceExport.objects.create(**export, total=120, done=30, not_before=now + timedelta(days=1))
    account = make_account(workspace, name="Asks elsewhere")
    posts = [make_post(workspace, account, caption=text) for text in ("Files are on their way", "Files did not come")]
    wanted = [intake.Wanted(f"https://pictures.invalid/{number}.jpg") for number in range(3)]
    for post in posts:
        intake.expect(post, wanted, intent=Intent.SCHEDULE, at=now + timedelta(days=2), by=owner)
    MediaFetch.objects.update(not_before=now + timedelta(days=1))
    PostAssembly.objects.filter(post=posts[1]).update(
        failed_at=now, message="Its files could not be fetched.\nNothing was scheduled: the post is a draft."
    )
    return [
        "/settings/api/",
        "/settings/api/guide/",
        "/settings/workspace/data/",
        *(post.get_absolute_url() for post in posts),
        *(f"{post.get_absolute_url()}edit/" for post in posts),
    ]


@pytest.fixture
def furnished(owner: User, workspace: Workspace) -> list[str]:
    """A workspace in which every state is to be seen; returns the addresses of its pages."""
    owner.is_staff = True
    owner.save(update_fields=["is_staff"])
    now = timezone.now()
    facebook = make_account(workspace, name=LONG_NAME, followers_count=12_480, last_synced_at=now)
    instagram = make_account(workspace, platform="instagram", username="joes.garage.and.restoration", following_count=7)
    make_account(workspace, platform="instagram", status="expired", status_reason="Access ended on Tuesday.")
    make_account(workspace, paused_at=now, pause_reason="Holidays")

    image_set = ImageSet.objects.create(
        workspace=workspace, title="1969 Camaro", details=[["Vehicle", "1969 Chevrolet Camaro"]], hashtags=["camaro"]
    )
    pictures = [store_upload(workspace, owner, picture(colour)) for colour in ("red", "green", "blue")]
    for position, media in enumerate(pictures):
        ImageSetItem.objects.create(image_set=image_set, media=media, position=position)
    template = CaptionTemplate.objects.create(workspace=workspace, name="Sale", body="{title}: {Vehicle}")
    group = HashtagGroup.objects.create(workspace=workspace, name="Cars", hashtags=["camaro", "chevy"])

    draft = make_post(workspace, facebook, instagram, post_type="multi_image", image_set=image_set)
    for position, media in enumerate(pictures):
        PostMedia.objects.create(post=draft, media=media, position=position)
    published = make_post(workspace, facebook, instagram, campaign="Winter sale")
    publish(published, likes=1204, reach=98_765, engagements=1204, engagement_rate=0.0122, rate_of="reach")
    other = make_post(workspace, facebook, campaign="Open house")  # two campaigns are drawn beside each other
    publish(other, likes=3, reach=50, engagements=3, engagement_rate=0.06, rate_of="reach")
    figured = PlatformPost.objects.get(publication__post=published, account=facebook)
    for days in range(4):
        at, figures = now - timedelta(days=days), {"likes": 1204 - days, "reach": 98_765 - 9 * days}
        PostSnapshot.objects.create(platform_post=figured, fetched_at=at, **figures)
        PostDay.objects.create(
            platform_post=figured, account=facebook, day=at.date(), fetched_at=at, gained={"reach": 9}, **figures
        )
    at = now + timedelta(days=2)
    scheduled = make_post(workspace, facebook, status="scheduled", scheduled_at=at)
    scheduled.publications.update(status="scheduled", scheduled_at=at)
    failed = make_post(workspace, facebook, instagram, caption="A picture too wide " * 20, status="partly_failed")
    failed.publications.filter(account=facebook).update(status="failed", error_message="Picture 3 is too wide.")
    failed.publications.filter(account=instagram).update(status="checking")
    for number in range(12):
        elsewhere(facebook, number)
    Notification.objects.create(
        workspace=workspace, kind="reconnect", incident="one", title="Connect Camaro Club again"
    )
    posts: list[Post] = [draft, published, scheduled, failed]
    return [
        "/",
        "/welcome/connect/",
        "/welcome/images/",
        "/welcome/post/",
        "/settings/accounts/",
        "/settings/profile/",
        "/settings/workspace/",
        *webhook_pages(workspace, owner),
        *machine_pages(workspace, owner),
        "/analytics/",
        f"/analytics/accounts/{facebook.pk}/",
        "/analytics/posts/",
        f"/analytics/posts/{figured.pk}/",
        "/analytics/compare/",
        "/analytics/compare/?measure=followers",
        "/analytics/campaigns/",
        "/settings/reports/",
        "/notifications/",
        "/library/",
        f"/library/sets/{image_set.pk}/",
        "/library/sets/new/",
        "/library/templates/",
        f"/library/templates/{template.pk}/",
        "/library/hashtags/",
        f"/library/hashtags/{group.pk}/",
        "/posts/",
        "/calendar/",
        f"/posts/{scheduled.pk}/reschedule/",
        "/posts/new/",
        f"/posts/new/?set={image_set.pk}",
        f"/posts/{draft.pk}/edit/",
        *(post.get_absolute_url() for post in posts),
        "/account/sessions/",
        "/account/password/change/",
        "/account/email/",
        "/staff/style/",
        "/staff/status/",
    ]


@pytest.mark.parametrize("size", SIZES)
def test_pages_inside_are_sound(open_page: OpenPage, furnished: list[str], owner: User, size: str) -> None:
    if found := problems_of(open_page, size, furnished, owner):
        pytest.fail("\n".join(found), pytrace=False)


@pytest.mark.parametrize("size", SIZES)
def test_pages_of_a_newcomer_are_sound(open_page: OpenPage, owner: User, size: str) -> None:
    first_run = ["/", "/welcome/images/", "/welcome/post/", "/"]  # the first time it leads to the first step
    addresses = [*first_run, "/settings/accounts/", "/library/", "/posts/", "/posts/new/", "/notifications/"]
    if found := problems_of(open_page, size, addresses, owner):
        pytest.fail("\n".join(found), pytrace=False)


@pytest.mark.django_db
@pytest.mark.parametrize("size", SIZES)
def test_pages_outside_are_sound(open_page: OpenPage, size: str) -> None:
    addresses = ["/account/login/", "/account/signup/", "/account/password/reset/"]
    if found := problems_of(open_page, size, addresses, None):
        pytest.fail("\n".join(found), pytrace=False)
