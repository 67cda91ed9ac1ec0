"""The admin of all our apps: everything is there, opens with rows in it, stays cheap and shows no secret."""

from __future__ import annotations

import uuid

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiKey, Grant, IdempotentAnswer, Notification, OAuthTicket, OperatorNotice, User
from accounts.models.operation import DataDeletion, EncryptionKey
from analytics.models import (
    AccountSync,
    AudienceSnapshot,
    InsightWindow,
    PlatformPost,
    PostDay,
    PostSnapshot,
    RefusedMetric,
    ReportSubscription,
    WorkspaceExport,
)
from publishing import limits
from publishing.models import (
    Attempt,
    Autosave,
    CaptionTemplate,
    FollowUp,
    HashtagGroup,
    ImageSet,
    ImageSetItem,
    LimitOverride,
    MediaFetch,
    Post,
    PostAssembly,
    PostMedia,
    Publication,
    PublicationEvent,
    QueueEntry,
    RateLimitWindow,
    Rendition,
    WebhookDelivery,
    WebhookEndpoint,
)
from tests.factories import make_account, make_entry, make_media, make_post, make_user, numbers, workspace_of
from tests.staff import change, changelist

OURS = ("accounts", "publishing", "analytics")
SECRET = "secret-token-of-the-page"

pytestmark = pytest.mark.django_db


def models():
    return [model for app in OURS for model in apps.get_app_config(app).get_models()]


def is_shown(model):
    inlines = {inline.model for each in admin.site._registry.values() for inline in each.inlines}
    return model in admin.site._registry or model in inlines


admin.autodiscover()  # its pages are read in with the addresses, later than this
REGISTERED = [model for model in models() if model in admin.site._registry]


@pytest.fixture
def staff(db):
    return User.objects.create_superuser("staff@example.com", "correct horse")


@pytest.fixture
def operator(staff):
    client = Client()
    client.force_login(staff, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def fill(rows):
    """So many rows of every model, each hanging on accounts, posts and people of their own."""
    now = timezone.now()
    for number in range(rows):
        user = make_user()
        workspace = workspace_of(user)
        grant = Grant.objects.create(
            workspace=workspace, user=user, provider="meta", platform_user_id=str(number), access_token=SECRET
        )
        account = make_account(workspace, token=SECRET, connected_by=user)
        account.credential.grant = grant
        account.credential.save()
        OAuthTicket.objects.create(digest=f"{next(numbers):064x}", user=user, workspace=workspace, provider="meta")
        Notification.objects.create(workspace=workspace, account=account, kind="reconnect", incident="x", title="Hi")
        OperatorNotice.objects.create(key=f"version:{next(numbers)}", title="Another version answers", body="v21.0")
        EncryptionKey.objects.create(fingerprint=f"{next(numbers):064x}")
        DataDeletion.objects.create(provider="meta", digest=f"{next(numbers):064x}")
        media = make_media(workspace, uploaded_by=user)
        Rendition.objects.create(
            media=media, spec="facebook-1", file="r/1.jpg", content_type="image/jpeg", width=1, height=1, size_bytes=1
        )
        image_set = ImageSet.objects.create(workspace=workspace, title="Camaro", created_by=user)
        ImageSetItem.objects.create(image_set=image_set, media=media, position=1)
        CaptionTemplate.objects.create(workspace=workspace, name="Sale", body="{title}")
        HashtagGroup.objects.create(workspace=workspace, name="Cars", hashtags=["classic"])
        others = [make_account(workspace, token=SECRET) for _ in range(rows)]
        post = make_post(workspace, account, *others, author=user, image_set=image_set)
        PostMedia.objects.create(post=post, media=media, position=1)
        publication = post.publications.get(account=account)
        make_entry(publication)
        for again in range(rows):
            Attempt.objects.create(
                publication=publication, number=again, worker="w", started_at=now, finished_at=now, outcome="temporary"
            )
            PublicationEvent.objects.create(
                publication=publication, from_status="draft", to_status="scheduled", at=now, actor=user
            )
        limits.reserve(account.pk, "facebook", {"publish": 1})
        FollowUp.objects.create(publication=publication, kind=FollowUp.Kind.SEEN_SOON, due_at=timezone.now())
        LimitOverride.objects.create(account=account, endpoint="publish", window_seconds=3600, call_limit=10)
        AccountSync.objects.create(account=account)
        Autosave.objects.create(workspace=workspace, user=user, post=post, key=uuid.uuid4(), typed={"caption": ["…"]})
        InsightWindow.objects.create(account=account, period="hour", window_start=now, fetched_at=now)
        platform_post = PlatformPost.objects.create(
            account=account, platform_post_id=f"1_{number}", posted_at=now, publication=publication, likes=3
        )
        PostSnapshot.objects.create(platform_post=platform_post, fetched_at=now, likes=3)
        PostDay.objects.create(
            platform_post=platform_post, account=account, day=now.date(), fetched_at=now, gained={"likes": 3}
        )
        AudienceSnapshot.objects.create(
            account=account, kind="followers", dimension="age", taken_on=now.date(), parts={"18-24": 3}
        )
        RefusedMetric.objects.create(
            platform="facebook",
            subject="account",
            name=f"page_fans_{next(numbers)}",
            account=account,
            first_refused_at=now,
            last_refused_at=now,
            retry_at=now,
        )
        ReportSubscription.objects.create(user=user, workspace=workspace)
        ApiKey.objects.create(
            workspace=workspace, user=user, name="Robot", start="shk_", digest=f"{next(numbers):064x}"
        )
        IdempotentAnswer.objects.create(workspace=workspace, principal=f"user:{user.pk}", key="1", lease_until=now)
        PostAssembly.objects.create(post=post, intent="now", by=user)
        MediaFetch.objects.create(post=post, position=2, url="https://example.com/camaro.jpg", not_before=now)
        WorkspaceExport.objects.create(workspace=workspace, requested_by=user)
        webhook = WebhookEndpoint.objects.create(
            workspace=workspace, url="https://example.com/hook", secret=SECRET, previous_secret=SECRET, seen_until=now
        )
        for again in range(rows):
            WebhookDelivery.objects.create(
                endpoint=webhook, source=str(again), kind="post.published", payload={"id": "1"}, not_before=now
            )


def queries(client, address):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        response = client.get(address)
    assert response.status_code == 200, address
    assert SECRET not in response.content.decode(), address
    return len(captured)


def test_staff_sets_the_limit_of_one_account_for_a_window_that_it_has(operator):
    account = make_account(workspace_of(make_user()))
    fields = {"account": account.pk, "endpoint": "publish", "window_seconds": 60, "call_limit": 10, "reason": "New"}
    add = reverse("admin:publishing_limitoverride_add")
    response = operator.post(add, fields)
    assert response.status_code == 200
    assert "publish (3600 s, 200)" in response.content.decode(), "the window is named that there is"
    assert operator.post(add, {**fields, "window_seconds": 3600}).status_code == 302
    assert {state.endpoint: state.limit for state in limits.remaining(account)} == {"publish": 10, "reels": 30}


def test_books_name_whom_they_belong_to(operator):
    grant = Grant.objects.create(
        workspace=workspace_of(make_user()), user=make_user(), provider="buffer", platform_user_id="1", access_token="k"
    )
    limits.reserve_read(f"grant:{grant.pk}", "buffer")
    page = operator.get(changelist(RateLimitWindow), {"q": str(grant.pk)})
    assert len(page.context["cl"].result_list) == 3
    assert reverse("admin:accounts_grant_change", args=[grant.pk]) in page.content.decode()


@pytest.mark.parametrize("model", models(), ids=lambda model: model._meta.label)
def test_every_model_is_in_the_admin(model):
    assert is_shown(model)


def fullest(model):
    """The newest row: it was made with the most rows hanging on it."""
    rows = model.objects.filter(queue_entry__isnull=False) if model is Publication else model.objects.all()
    names = {field.name for field in model._meta.fields}
    newest = next((name for name in ("created_at", "connected_at", "updated_at") if name in names), "pk")
    return rows.order_by(f"-{newest}").first()


def test_pages_open_with_rows_at_a_cost_that_does_not_grow(operator):
    def cost():
        found = {}
        for model in REGISTERED:
            assert model.objects.exists(), f"fill() makes no {model._meta.label}"
            found[model._meta.label, "list"] = queries(operator, changelist(model))
            found[model._meta.label, "change"] = queries(operator, change(fullest(model)))
        return found

    fill(1)
    cost()  # content types, permissions and the like are remembered from here on
    few = cost()
    fill(5)
    many = cost()
    grown = {page: (few[page], many[page]) for page in few if many[page] > few[page]}
    assert grown == {}
    assert max(many.values()) <= 20


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_search_takes_ids_and_words(operator, model):
    fill(1)
    if not admin.site._registry[model].search_fields:
        pytest.fail("no search")
    row = model.objects.order_by("pk").first()
    for words in ("camaro", "@page", str(row.pk), "1_0", '"', "%", "00000000-0000-0000-0000-000000000000"):
        response = operator.get(changelist(model), {"q": words})
        assert response.status_code == 200, (model, words)


@pytest.mark.parametrize("model", [Publication, Post, QueueEntry, PlatformPost, AccountSync])
def test_an_id_finds_its_row_and_no_other(operator, model):
    fill(2)
    row = model.objects.order_by("pk").first()
    found = operator.get(changelist(model), {"q": str(row.pk)}).context["cl"].result_list
    assert [each.pk for each in found] == [row.pk]


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_every_filter_works(operator, model):
    fill(1)
    page = operator.get(changelist(model)).context["cl"]
    for spec in page.filter_specs:
        for choice in spec.choices(page):
            response = operator.get(changelist(model) + choice["query_string"])
            assert response.status_code == 200, choice
            assert "e=1" not in response.request["QUERY_STRING"]


@pytest.mark.parametrize(
    "model",
    [Attempt, PublicationEvent, Publication, QueueEntry, InsightWindow, PostSnapshot, PlatformPost, RateLimitWindow],
)
def test_books_cannot_be_written(operator, model):
    fill(1)
    row = model.objects.order_by("pk").first()
    add = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
    assert operator.get(add).status_code == 403
    assert operator.post(change(row), {}).status_code == 403


def test_the_attempts_of_one_publication_are_one_click_away(operator):
    fill(2)
    attempt = Attempt.objects.order_by("pk").first()
    address = f"{changelist(Attempt)}?publication__id__exact={attempt.publication_id}"
    assert address in operator.get(changelist(Publication)).content.decode()
    found = operator.get(address)
    assert {row.publication_id for row in found.context["cl"].result_list} == {attempt.publication_id}


def test_steps_are_readable(operator):
    fill(1)
    step = {"key": "photo:1", "label": "Uploading <1>", "at": "12:00", "ms": 321, "outcome": "done", "request_id": "r1"}
    Attempt.objects.update(steps=[step])
    page = operator.get(change(Attempt.objects.get())).content.decode()
    assert "Uploading &lt;1&gt;" in page
    assert "321" in page


def test_the_admin_is_for_staff(signed_in):
    assert signed_in.get(changelist(Publication)).status_code in (302, 403)
