"""Who gets in where: every address of the project as nobody and as a stranger; all others are in `test_access`.

A new address belongs into `ADDRESSES` (or `PUBLIC`), or the first test fails.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.apps import apps
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.db.models import F
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts import api_keys
from accounts.models import Grant, Notification, Role, User, Workspace
from analytics.models import PlatformPost, WorkspaceExport
from publishing.media import public_url, rendition, store_upload
from publishing.models import (
    CaptionTemplate,
    HashtagGroup,
    ImageSet,
    ImageSetItem,
    Post,
    PostMedia,
    Publication,
    Status,
)
from publishing.schedule import publish_now
from publishing.webhooks import ends
from socialhub.platforms.rules import IMAGE
from tests.accounts.conftest import member, sign_in
from tests.accounts.graph import Graph
from tests.factories import make_account, make_entry, make_post, workspace_of
from tests.publishing.pictures import photo

pytestmark = pytest.mark.django_db

OURS = ("accounts", "publishing", "analytics")
MARK = "Zanzibar"  # stands in every text of the workspace that strangers must not see


# --- The addresses --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Address:
    """role: the least that may use it. owned: its ids belong to a workspace, so that strangers get 404.

    methods: those it answers to; data: what a browser would post.
    """

    role: str  # member, editor, manager, staff
    methods: str = "GET"
    ids: tuple[str, ...] = ()
    data: dict[str, str] = field(default_factory=dict)

    @property
    def owned(self) -> bool:
        return any(word not in ("facebook", "posts", "csv") for word in self.ids)


def look(*ids: str) -> Address:
    return Address("member", "GET", ids)


def act(least: str, *ids: str, **data: str) -> Address:
    return Address(least, "POST", ids, data)


def page(least: str, *ids: str, **data: str) -> Address:
    return Address(least, "GET POST", ids, data)


CALLBACKS = {"meta_callback", "instagram_callback", "linkedin_callback", "buffer_callback"}
PUBLIC = {"healthz", "readyz", "metrics", "manifest", "publishing:media_public", *CALLBACKS} | {
    "accounts:consent",  # whoever comes back from a network to which a program has sent them; the ticket says for whom
    "accounts:meta_deauthorize",  # the signature says who speaks
    "accounts:meta_data_deletion",
    "accounts:instagram_deauthorize",
    "accounts:instagram_data_deletion",
    "accounts:data_deletion_status",
    "analytics:reports_leave",  # so does the signature of the link in a mail
}

ADDRESSES: dict[str, Address] = {
    "style": Address("staff"),
    "status": Address("staff"),
    "theme": act("member", theme="dark"),
    "accounts:social": look(),
    "accounts:connect": act("manager", "facebook"),
    "accounts:buffer_key": page("manager", key="too short"),
    "accounts:select": page("manager", "grant", page="101"),
    "accounts:guidance": Address("manager", "GET", ("account",)),
    "accounts:recheck": act("manager", "account"),
    "accounts:account": look("account"),
    "accounts:guidance_live": Address("manager", "GET", ("account",)),
    "accounts:make_default": act("manager", "account"),
    "accounts:remove_default": act("manager", "account"),
    "accounts:refresh": act("manager", "account"),
    "accounts:disconnect": page("manager", "account"),
    "accounts:pause": page("manager", "account"),
    "accounts:resume": act("manager", "account"),
    "accounts:verify": act("manager", "account"),
    "accounts:doctor": page("manager"),
    "accounts:picture": look("account"),
    "accounts:profile": page("member"),
    "accounts:workspace": look(),
    "accounts:workspace_rename": act("manager", name="Renamed"),
    "accounts:workspace_pause": page("manager", reason="Fire in the shop"),
    "accounts:workspace_resume": act("manager"),
    "accounts:workspace_new": act("member"),
    "accounts:workspace_switch": act("member", workspace="workspace"),
    "accounts:member_add": act("manager", email="new@example.com", role="editor"),
    "accounts:member_role": act("manager", "member", role="viewer"),
    "accounts:member_remove": act("manager", "member"),
    "accounts:api_keys": page("member", name="Robot", scopes="read", days="30"),
    "accounts:api_key_revoke": act("member", "api_key"),
    "api_guide": look(),
    "accounts:notifications": look(),
    "accounts:notifications_read": act("member"),
    "publishing:library": look(),
    "publishing:set_new": page("editor", title="New set"),
    "publishing:set_detail": look("set"),
    "publishing:set_edit": act("editor", "set", title="Changed"),
    "publishing:set_delete": page("editor", "set"),
    "publishing:set_upload": act("editor", "set"),
    "publishing:set_order": act("editor", "set"),
    "publishing:image_move": act("editor", "set", "media", by="1"),
    "publishing:image_remove": act("editor", "set", "media"),
    "publishing:image_alt": act("editor", "set", "media", alt_text="Changed"),
    "publishing:template_list": look(),
    "publishing:template_new": page("editor", name="New", body="{title}"),
    "publishing:template_preview": act("editor", body="{title}"),
    "publishing:template_edit": page("editor", "template", name="Changed", body="{title}"),
    "publishing:template_delete": page("editor", "template"),
    "publishing:hashtag_list": look(),
    "publishing:hashtag_new": page("editor", name="New", hashtags="#v8"),
    "publishing:hashtag_edit": page("editor", "group", name="Changed", hashtags="#v8"),
    "publishing:hashtag_delete": page("editor", "group"),
    "publishing:media_thumbnail": look("media"),
    "publishing:media_file": look("media"),
    "publishing:post_list": look(),
    "publishing:calendar": look(),
    "publishing:post_reschedule": page("editor", "post", step="1"),
    "publishing:limits": look(),
    "publishing:post_new": page("editor", action="draft", caption="Hello"),
    "publishing:post_check": act("editor", caption="Hello"),
    "publishing:autosave": act("editor", caption="Hello"),
    "publishing:autosave_drop": act("editor", caption="Hello"),
    "publishing:post_detail": look("post"),
    "publishing:post_edit": page("editor", "draft", action="draft", caption="Changed"),
    "publishing:post_bulk": act("editor", act="cancel"),
    "publishing:post_cancel": act("editor", "post"),
    "publishing:post_fetch": act("editor", "draft"),
    "publishing:post_report": Address("editor", "GET", ("post",)),
    "publishing:post_progress": look("post"),
    "publishing:publication_retry": act("editor", "failed"),
    "publishing:publication_decide": act("editor", "stuck", answer="give_up"),
    "publishing:webhooks": page("manager", url="https://hooks.invalid/new"),
    "publishing:webhook": page("manager", "webhook", url="https://hooks.invalid/changed"),
    "publishing:webhook_roll": act("manager", "webhook"),
    "publishing:webhook_test": act("manager", "webhook"),
    "publishing:webhook_pause": act("manager", "webhook"),
    "publishing:webhook_resume": act("manager", "webhook", missed="send"),
    "publishing:webhook_delete": page("manager", "webhook"),
    "publishing:webhook_delivery": Address("manager", "GET", ("delivery",)),
    "publishing:webhook_replay": act("manager", "delivery"),
    "analytics:dashboard": look(),
    "analytics:welcome": Address("editor"),
    "analytics:welcome_connect": Address("editor"),
    "analytics:welcome_images": page("editor", title="New set"),
    "analytics:welcome_example": act("editor"),
    "analytics:welcome_post": Address("editor"),
    "analytics:welcome_skip": act("editor", step="all"),
    "analytics:welcome_again": act("editor"),
    "analytics:overview": look(),
    "analytics:account": look("account"),
    "analytics:post_list": look(),
    "analytics:post": look("platform_post"),
    "analytics:compare_accounts": look(),
    "analytics:campaigns": look(),
    "analytics:account_sync": act("editor", "account"),
    "analytics:account_sync_progress": look("account"),
    "analytics:export": look("posts", "csv"),
    "analytics:reports": page("member", wanted="on"),
    "analytics:workspace_data": Address("manager", "GET"),
    "analytics:workspace_export_new": act("manager"),
    "analytics:workspace_export_file": Address("manager", "GET", ("export",)),
    "analytics:workspace_export_remove": act("manager", "export"),
    "analytics:workspace_delete": act("manager", confirm="Another name"),
    "analytics:workspace_deleted": look("workspace"),
    "analytics:workspace_bring_back": act("manager", "workspace"),
}

# What allauth leaves open: entering, the two halves of a reset and of a confirmation, and pages that only tell.
ENTRANCE = {
    "account_login",
    "account_logout",
    "account_inactive",
    "account_signup",
    "account_email_verification_sent",
    "account_reset_password",
    "account_confirm_login_code",
    "account_reset_password_from_key_done",
    "account_reset_password_from_key",
    "account_reset_password_done",
    "mfa_authenticate",
    "socialaccount_login_cancelled",
    "socialaccount_signup",
}
ALLAUTH = ("account_", "mfa_", "socialaccount_", "usersessions_")
ALLAUTH_REDIRECTS = "account/social/"  # its old addresses, without a name


def walk(
    patterns: list[URLPattern | URLResolver] | None = None, route: str = "", namespace: str = ""
) -> Iterator[tuple[str, str]]:
    """Name and route of everything that can be asked for."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        here = route + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield namespace + (pattern.name or ""), here
        else:
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from walk(pattern.url_patterns, here, inner)


def is_allauth(name: str, route: str) -> bool:
    return name.startswith(ALLAUTH) or (not name and route.startswith(ALLAUTH_REDIRECTS))


def test_every_address_has_its_line() -> None:
    """Of the pages; the operations of the API are walked in test_access."""
    found = {
        name or route
        for name, route in walk()
        if not is_allauth(name, route) and not name.startswith(("admin:", "api:")) and not route.startswith("admin/")
    }
    assert found == PUBLIC | set(ADDRESSES)


# --- A workspace full of things, and people around it ---------------------------------------------------------


@dataclass
class Things:
    """One row of each kind in one workspace; `ids` by the words of `ADDRESSES`."""

    workspace: Workspace
    ids: dict[str, Any]

    def url(self, name: str) -> str:
        return reverse(name, args=[self.ids[word] for word in ADDRESSES[name].ids])

    def data(self, name: str) -> dict[str, str]:
        """Answers to the form of a stuck publication carry its id before their names."""
        data = ADDRESSES[name].data
        if name == "publishing:publication_decide":
            return {f"{self.ids['stuck']}-{key}": value for key, value in data.items()}
        return {**data, "key": str(uuid.uuid4())} if "caption" in data else data


def make_things(workspace: Workspace, owner: User, mark: str = MARK) -> Things:
    workspace.name = f"{mark} Garage"
    workspace.save()
    account = make_account(workspace, name=f"{mark} Page", username=f"{mark.lower()}page")
    account.picture.save("picture.jpg", photo(60, 60))
    grant = Grant.objects.create(
        workspace=workspace, user=owner, provider="meta", platform_user_id="9001", access_token="EAAtokenofaperson"
    )
    media = store_upload(workspace, owner, photo(300, 200, name=f"{mark}.jpg"))
    image_set = ImageSet.objects.create(workspace=workspace, title=f"{mark} set", created_by=owner)
    ImageSetItem.objects.create(image_set=image_set, media=media, position=1)
    template = CaptionTemplate.objects.create(workspace=workspace, name=f"{mark} template", body=f"{mark} {{title}}")
    group = HashtagGroup.objects.create(workspace=workspace, name=f"{mark} group", hashtags=[mark.lower()])
    draft = make_post(workspace, account, caption=f"{mark} draft", campaign=mark)
    PostMedia.objects.create(post=draft, media=media, position=1)
    post = make_post(workspace, account, caption=f"{mark} scheduled")
    publish_now(post, by=owner)
    failed = make_post(workspace, account, caption=f"{mark} failed").publications.get()
    Publication.objects.filter(pk=failed.pk).update(status=Status.FAILED, error_message=f"{mark} refused")
    stuck = make_post(workspace, account, caption=f"{mark} stuck").publications.get()
    Publication.objects.filter(pk=stuck.pk).update(status=Status.CHECKING, committing_at=timezone.now())
    make_entry(stuck, held=True, awaits_decision=True)
    notification = Notification.objects.create(
        workspace=workspace, account=account, kind="missed", incident="x", title=f"{mark} missed"
    )
    other = member(workspace, Role.VIEWER)
    platform_post = PlatformPost.objects.create(
        account=account, platform_post_id=f"1_{account.pk}", text=f"{mark} found", posted_at=timezone.now()
    )
    webhook = ends.add(workspace, url="https://hooks.invalid/x", description=f"{mark} hook", kinds=(), by=owner)
    delivery = ends.send_test(webhook, owner)
    now = timezone.now()
    export = WorkspaceExport.objects.create(
        workspace=workspace, status="ready", finished_at=now, expires_at=now + timedelta(days=1)
    )
    export.file.save("export.zip", ContentFile(mark.encode()))
    ids = {
        "workspace": workspace.pk,
        "webhook": webhook.pk,
        "delivery": delivery.pk,
        "export": export.pk,
        **{word: word for word in ("facebook", "posts", "csv")},
        "account": account.pk,
        "grant": grant.pk,
        "media": media.pk,
        "set": image_set.pk,
        "template": template.pk,
        "group": group.pk,
        "draft": draft.pk,
        "post": post.pk,
        "failed": failed.pk,
        "stuck": stuck.pk,
        "platform_post": platform_post.pk,
        "notification": notification.pk,
        "api_key": api_keys.make(workspace, owner, f"{mark} robot", ["read"])[0].pk,
        "member": workspace.memberships.get(user=other).pk,
    }
    return Things(workspace, ids)


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def _network() -> Iterator[None]:
    """Meta answers, so that owners get through; nobody else may get that far."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        Graph(mock)
        yield


@pytest.fixture
def things(workspace: Workspace, owner: User) -> Things:
    return make_things(workspace, owner)


@pytest.fixture
def viewer(workspace: Workspace) -> Client:
    return sign_in(member(workspace, Role.VIEWER))


@pytest.fixture
def editor(workspace: Workspace) -> Client:
    return sign_in(member(workspace, Role.EDITOR))


def everything() -> dict[str, list[Any]]:
    """All rows of our own tables, to see whether anything has changed."""
    models = [model for app in OURS for model in apps.get_app_config(app).get_models(include_auto_created=True)]
    return {model._meta.label: sorted(map(str, model._base_manager.values_list())) for model in models}


def ask(client: Client, method: str, url: str, data: dict[str, Any], **headers: str) -> Any:
    response = client.post(url, data, headers=headers) if method == "POST" else client.get(url, headers=headers)
    if response.streaming:  # a file: read to its end, so that it is closed
        return HttpResponse(response.getvalue(), status=response.status_code, headers=dict(response.items()))
    return response


def names(*roles: str, method: str = "") -> list[str]:
    return [name for name, line in ADDRESSES.items() if line.role in roles and method in line.methods]


OWNED = [name for name, line in ADDRESSES.items() if line.owned]


def several(rows: Iterable[str | tuple[str, str]]) -> list[Any]:
    """Rows in groups, for looks that leave everything as it was: one world serves many."""
    found = list(rows)
    groups = [found[first : first + 12] for first in range(0, len(found), 12)]
    return [pytest.param(group, id=f"{words(group[0])} to {words(group[-1])}") for group in groups]


def words(row: str | tuple[str, str]) -> str:
    return row if isinstance(row, str) else " ".join(row)


ASKED = [(method, headers) for method in ("GET", "POST") for headers in ({}, {"HX-Request": "true"})]


@pytest.mark.parametrize("names", several(ADDRESSES))
def test_people_who_are_not_signed_in_are_sent_to_the_entrance(
    client: Client, things: Things, names: list[str]
) -> None:
    before = everything()
    for name in names:
        for method, headers in ASKED:
            response = ask(client, method, things.url(name), things.data(name), **headers)
            where = response.get("Location") or response.get("HX-Redirect", "")
            assert where.startswith(reverse("account_login")), (name, method, response.status_code)
            assert MARK not in response.content.decode(), name
        assert everything() == before, name


@pytest.mark.parametrize("names", several(OWNED))
def test_a_stranger_finds_nothing_and_changes_nothing(
    signed_in_stranger: Client, things: Things, names: list[str]
) -> None:
    before = everything()
    for name in names:
        for method, headers in ASKED:
            response = ask(signed_in_stranger, method, things.url(name), things.data(name), **headers)
            expected = 404 if method in ADDRESSES[name].methods else 405
            assert response.status_code == expected, (name, method)
            assert MARK not in response.content.decode(), name
        assert everything() == before, name


@pytest.mark.parametrize("names", several(names("member", "editor", "manager", method="GET")))
def test_a_stranger_reads_nothing_of_another_workspace(
    signed_in_stranger: Client, things: Things, names: list[str]
) -> None:
    for name in names:
        for headers in ({}, {"HX-Request": "true"}):
            text = ask(signed_in_stranger, "GET", things.url(name), {}, **headers).content.decode(errors="replace")
            assert MARK.lower() not in text.lower(), name


@pytest.mark.parametrize("names", several(name for name, line in ADDRESSES.items() if line.methods == "POST"))
def test_nothing_is_changed_by_following_a_link(signed_in: Client, things: Things, names: list[str]) -> None:
    before = everything()
    for name in names:
        assert signed_in.get(things.url(name)).status_code == 405, name
        assert everything() == before, name


def test_people_without_staff_rights_see_no_style_page(signed_in: Client) -> None:
    assert signed_in.get(reverse("style")).status_code == 404


def test_a_former_member_is_a_stranger_at_once(workspace: Workspace, things: Things) -> None:
    person = member(workspace, Role.ADMIN)
    client = sign_in(person)
    assert client.get(things.url("publishing:post_detail")).status_code == 200
    person.memberships.all().delete()
    for name in OWNED:
        method = ADDRESSES[name].methods.split()[0]
        assert ask(client, method, things.url(name), things.data(name)).status_code in (403, 404), name


# --- allauth's pages and the admin ----------------------------------------------------------------------------


def test_of_the_pages_of_allauth_only_the_entrance_is_open(client: Client) -> None:
    seen = set()
    for name, route in walk():
        if not is_allauth(name, route):
            continue
        seen.add(name)
        if name in ENTRANCE:
            continue
        response = client.get(reverse(name) if name else f"/{route}")
        assert response.status_code == 302, name
        assert response["Location"].startswith(reverse("account_login")), name
    assert seen >= ENTRANCE


def admin_addresses() -> list[str]:
    """Every address of the admin, with an id that nobody has where one is asked for."""
    found = []
    for name, route in walk():
        if name.startswith("admin:") or route.startswith("admin/"):
            filled = route.replace("<path:object_id>", "1").replace("<int:content_type_id>", "1")
            filled = filled.replace("<path:object_id>", "1").replace("<id>", "1").replace("<app_label>", "accounts")
            if "<" not in filled and "(?P" not in filled and name not in ("admin:login", "admin:logout"):
                found.append(f"/{filled}")
    return found


@pytest.mark.parametrize("who", ["client", "signed_in"])
def test_the_admin_is_for_staff(request: pytest.FixtureRequest, who: str, things: Things) -> None:
    client = request.getfixturevalue(who)
    addresses = admin_addresses()
    assert len(addresses) > 50
    before = everything()
    for address in addresses:
        for method in ("GET", "POST"):
            response = ask(client, method, address, {"action": "delete_selected", "_selected_action": "1"})
            assert response.status_code in (302, 403, 404), address
            assert response.get("Location", "/").startswith("/"), address
            assert "/login/" in response.get("Location", "/login/"), address
            assert MARK not in response.content.decode()
    assert everything() == before


# --- Ids of another workspace inside a request ----------------------------------------------------------------


@dataclass
class Both:
    """The stranger with a workspace of the same kind, and what he must not reach."""

    client: Client
    own: Things
    foreign: Things


@pytest.fixture
def both(signed_in_stranger: Client, stranger: User, things: Things) -> Both:
    return Both(signed_in_stranger, make_things(workspace_of(stranger), stranger, "Ordinary"), things)


def composed(both: Both, **fields: Any) -> dict[str, Any]:
    return {
        "key": str(uuid.uuid4()),
        "action": "draft",
        "caption": "Mine",
        "accounts": [str(both.own.ids["account"])],
        **fields,
    }


SMUGGLED: dict[str, tuple[str, dict[str, str]]] = {
    # what: address and fields; @word stands for the id of the foreign workspace
    "account of a new post": ("publishing:post_new", {"accounts": "@account", "action": "publish"}),
    "account of a draft": ("publishing:post_new", {"accounts": "@account"}),
    "account of a changed post": ("publishing:post_edit", {"accounts": "@account"}),
    "image of a new post": ("publishing:post_new", {"media": "@media"}),
    "image of a changed post": ("publishing:post_edit", {"media": "@media"}),
    "image set of a new post": ("publishing:post_new", {"set": "@set"}),
    "image set of a changed post": ("publishing:post_edit", {"set": "@set"}),
    "template in the composer": ("publishing:post_new", {"template": "@template", "action": "template"}),
    "group in the composer": ("publishing:post_new", {"group": "@group", "action": "group"}),
    "image from the library": ("publishing:post_new", {"add": "@media", "action": "add"}),
    "image that is moved": ("publishing:post_new", {"media": "@media", "action": "refresh"}),
    "account to check": ("publishing:post_check", {"accounts": "@account"}),
    "image to check": ("publishing:post_check", {"media": "@media"}),
    "set of a template's preview": ("publishing:template_preview", {"set": "@set"}),
    "set of a template's page": ("publishing:template_new", {"set": "@set", "preview": ""}),
    "order of a set": ("publishing:set_order", {"image": "@media"}),
    "notification that is read": ("accounts:notifications_read", {"notification": "@notification"}),
}


@pytest.mark.parametrize("what", SMUGGLED)
def test_a_foreign_id_in_the_body_reaches_nothing(both: Both, what: str) -> None:
    name, smuggled = SMUGGLED[what]
    ids = {f"@{word}": str(pk) for word, pk in both.foreign.ids.items()}
    fields = {key: ids.get(word, word) for key, word in smuggled.items()}
    data = {**composed(both), "body": "{title}", **fields}
    before = rows_of(both.foreign.workspace)
    for headers in ({}, {"HX-Request": "true"}):
        response = ask(both.client, "POST", both.own.url(name), data, **headers)
        assert response.status_code < 500
        assert MARK.lower() not in response.content.decode().lower()
    assert rows_of(both.foreign.workspace) == before
    assert_workspaces_are_apart()


@pytest.mark.parametrize(
    ("name", "word", "fields"),
    [
        ("publishing:image_move", "media", {"by": "1"}),
        ("publishing:image_remove", "media", {}),
        ("publishing:image_alt", "media", {"alt_text": "Smuggled"}),
    ],
)
def test_a_foreign_image_in_an_own_set_reaches_nothing(
    both: Both, name: str, word: str, fields: dict[str, str]
) -> None:
    before = rows_of(both.foreign.workspace)
    url = reverse(name, args=[both.own.ids["set"], both.foreign.ids[word]])
    response = both.client.post(url, fields)
    assert response.status_code in (302, 404)
    assert rows_of(both.foreign.workspace) == before


@pytest.mark.parametrize(
    ("name", "query", "statuses"),
    [
        ("publishing:post_new", {"set": "set"}, (404,)),
        ("publishing:post_new", {"from": "post"}, (404,)),
        ("publishing:post_new", {"from": "draft", "account": "account"}, (404,)),
        ("publishing:post_list", {"account": "account"}, (422,)),
        ("publishing:library", {"last": "set", "before": "2030-01-01T00:00:00Z"}, (200,)),
    ],
)
def test_a_foreign_id_in_the_query_reaches_nothing(
    both: Both, name: str, query: dict[str, str], statuses: tuple[int, ...]
) -> None:
    values = {key: str(both.foreign.ids.get(word, word)) for key, word in query.items()}
    response = both.client.get(reverse(name), values)
    assert response.status_code in statuses
    assert MARK.lower() not in response.content.decode().lower()


def test_a_foreign_post_is_not_checked(both: Both) -> None:
    url = reverse("publishing:post_check") + f"?post={both.foreign.ids['post']}"
    assert both.client.post(url, composed(both)).status_code == 404


def test_nobody_switches_into_a_foreign_workspace(both: Both) -> None:
    url = reverse("accounts:workspace_switch")
    assert both.client.post(url, {"workspace": str(both.foreign.workspace.pk)}).status_code == 404
    assert MARK not in both.client.get(reverse("analytics:dashboard")).content.decode()


def test_a_foreign_post_cannot_be_claimed_as_found(both: Both) -> None:
    """The id of a platform post belongs to one account; that of another workspace's account is no hint either."""
    foreign = Publication.objects.get(pk=both.foreign.ids["failed"])
    Publication.objects.filter(pk=foreign.pk).update(status=Status.PUBLISHED, platform_post_id="1_2")
    prefix = both.own.ids["stuck"]
    before = rows_of(both.foreign.workspace)
    both.client.post(
        both.own.url("publishing:publication_decide"), {f"{prefix}-answer": "there", f"{prefix}-found": "1_2"}
    )
    assert rows_of(both.foreign.workspace) == before


@pytest.mark.parametrize(
    ("name", "extra"),
    [
        ("accounts:profile", {"is_staff": "1", "is_superuser": "1", "email": "other@example.com", "name": "Me"}),
        ("accounts:workspace_rename", {"id": "workspace", "workspace": "workspace"}),
        ("publishing:set_edit", {"workspace": "workspace", "created_by": "1", "id": "set"}),
        ("publishing:template_edit", {"workspace": "workspace", "id": "template"}),
        ("publishing:hashtag_edit", {"workspace": "workspace", "id": "group"}),
        ("publishing:image_alt", {"workspace": "workspace", "id": "media", "file": "originals/other.jpg"}),
        ("publishing:post_edit", {"workspace": "workspace", "id": "post", "author": "1", "status": "published"}),
        ("accounts:member_role", {"workspace": "workspace", "user": "1"}),
    ],
)
def test_fields_that_no_form_offers_are_ignored(both: Both, stranger: User, name: str, extra: dict[str, str]) -> None:
    ids = {**both.foreign.ids, "workspace": both.foreign.workspace.pk}
    smuggled = {key: str(ids.get(value, value)) for key, value in extra.items()}
    before = rows_of(both.foreign.workspace)
    kept = {label: len(rows) for label, rows in rows_of(both.own.workspace).items()}
    data = {**composed(both, media=str(both.own.ids["media"])), **both.own.data(name), "time_zone": "UTC", **smuggled}
    assert both.client.post(both.own.url(name), data).status_code == 302
    assert rows_of(both.foreign.workspace) == before
    assert {label: len(rows) for label, rows in rows_of(both.own.workspace).items()} == kept
    person = User.objects.get(pk=stranger.pk)
    assert (person.is_staff, person.is_superuser, person.email) == (False, False, stranger.email)
    assert Post.objects.get(pk=both.own.ids["draft"]).status == "draft"
    assert_workspaces_are_apart()


def rows_of(workspace: Workspace) -> dict[str, list[str]]:
    """Every row that hangs on the workspace directly, or through its posts, sets and accounts."""
    paths = {"workspace", "post__workspace", "image_set__workspace", "publication__post__workspace"}
    found: dict[str, list[str]] = {}
    for app in OURS:
        for model in apps.get_app_config(app).get_models():
            fields = {one.name for one in model._meta.get_fields()}
            for path in paths:
                if path.partition("__")[0] in fields:
                    rows = model._base_manager.filter(**{path: workspace.pk})
                    found[f"{model._meta.label} by {path}"] = sorted(map(str, rows.values_list()))
    return found


def assert_workspaces_are_apart() -> None:
    """No row ties things of two workspaces together."""
    assert not PostMedia.objects.exclude(post__workspace=F("media__workspace")).exists()
    assert not Publication.objects.exclude(post__workspace=F("account__workspace")).exists()
    assert not ImageSetItem.objects.exclude(image_set__workspace=F("media__workspace")).exists()
    assert not Post.objects.exclude(image_set=None).exclude(workspace=F("image_set__workspace")).exists()


# --- Signed addresses -----------------------------------------------------------------------------------------


def test_a_signed_address_opens_its_own_picture_only(client: Client, both: Both) -> None:
    own = PostMedia.objects.get(post=both.own.ids["draft"]).media
    foreign = PostMedia.objects.get(post=both.foreign.ids["draft"]).media
    mine, theirs = (rendition(one, IMAGE["facebook"]) for one in (own, foreign))
    path = public_url(mine).removeprefix("http://testserver")
    assert ask(client, "GET", path, {}).status_code == 200
    signed, name = path.split("/")[2:]
    for forged in (
        f"/m/{signed}/{public_url(theirs).rsplit('/', 1)[1]}",
        f"/m/{signed[:-2]}xx/{name}",
        f"/m/{theirs.pk}/{name}",
    ):
        assert client.get(forged).status_code == 404, forged
