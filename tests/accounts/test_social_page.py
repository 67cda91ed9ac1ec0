"""Settings → Social accounts as its people see it: cards, rows, search, states, and what each act says."""

from __future__ import annotations

import threading
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import connect, defaults, renew
from accounts.expiry import incident_of
from accounts.models import ConnectedAccount, Credential, Grant, Notification, User, Workspace
from accounts.notify import tell
from accounts.operators import linkedin_version_told
from accounts.outcome import Outcome
from accounts.overview import FULL_CARDS, ROWS, Wanted, cards_of, overview, waiting_for
from accounts.providers import PROVIDERS
from publishing.models import Publication
from socialhub.platforms.base import Tokens
from socialhub.platforms.errors import OutcomeUnknownError, PlatformError, ReconnectError, TemporaryError
from tests.accounts.conftest import sign_in
from tests.accounts.graph import Graph, page, refusal
from tests.factories import make_account, make_entry, make_post, make_user, workspace_of

pytestmark = pytest.mark.django_db

SOCIAL = reverse("accounts:social")
HTMX = {"HX-Request": "true"}


class Parts(HTMLParser):
    """Ids of the elements that carry an attribute."""

    def __init__(self, markup: str, attribute: str) -> None:
        super().__init__()
        self.attribute = attribute
        self.ids: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if self.attribute in named:
            self.ids.append(named.get("id") or "")


def text_of(client: Client, address: str = SOCIAL, **query: str) -> str:
    response = client.get(address, query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def act(client: Client, name: str, account: ConnectedAccount, **data: str) -> str:
    """Press the button; returns what the page says afterwards."""
    response = client.post(reverse(f"accounts:{name}", args=[account.pk]), data, follow=True)
    return " ".join(response.content.decode().split())


def make_grant(workspace: Workspace, owner: User, **fields: Any) -> Grant:
    return Grant.objects.create(
        **{
            "workspace": workspace,
            "user": owner,
            "provider": "meta",
            "platform_user_id": str(Grant.objects.count()),
            "access_token": "EAAuser",
            **fields,
        }
    )


def of_grant(grant: Grant, **fields: Any) -> ConnectedAccount:
    """An account that lives from the token of the grant itself."""
    account = make_account(grant.workspace, token=None, login_kind=grant.provider, **fields)
    Credential.objects.create(account=account, grant=grant)
    return account


def wait(account: ConnectedAccount, number: int = 1, **entry: Any) -> None:
    for _ in range(number):
        post = make_post(account.workspace, account, status="scheduled")
        Publication.objects.filter(post=post).update(status="scheduled", scheduled_at=timezone.now())
        make_entry(post.publications.get(), **entry)


# The card


def test_a_card_tells_what_there_is_to_know(signed_in: Client, workspace: Workspace, owner: User) -> None:
    now = timezone.now()
    account = make_account(
        workspace,
        name="Classic Motors",
        username="classicmotors",
        followers_count=12_480,
        last_verified_at=now - timedelta(hours=3),
        last_synced_at=now - timedelta(minutes=20),
        granted_scopes=["pages_show_list", "pages_read_engagement", "pages_manage_posts"],
        missing_scopes=["read_insights"],
        connected_by=owner,
        is_default=True,
    )
    text = text_of(signed_in)
    for words in (
        "@classicmotors · Page",
        "12.4k",
        "3 hours ago",
        "20 minutes ago",
        "Permissions: 1 missing",
        "publish to your Pages",
        "Does not run out: Facebook sets no end to the access to a Page.",
        f"by {owner}",
        "Default",
        "None scheduled",
    ):
        assert words in text, words
    assert text_of(signed_in, reverse("accounts:account", args=[account.pk])).count("@classicmotors · Page") == 1


def test_what_the_network_remarks_stands_on_the_card_with_what_to_do(signed_in: Client, workspace: Workspace) -> None:
    make_account(workspace, platform="x", login_kind="buffer", account_type="channel", remark="The queue is paused.")
    text = text_of(signed_in)
    assert "The queue is paused." in text
    assert "Open Buffer" in text


@pytest.mark.parametrize(
    ("account", "entry", "words"),
    [
        ({"paused_at": timezone.now()}, {"held": True}, "2 posts wait until you resume"),
        ({"paused_at": timezone.now()}, {}, "2 posts wait until you resume"),  # the sweep has not been there yet
        ({"status": "expired"}, {"held": True}, "2 posts wait until it is connected again"),
        (
            {},
            {"not_before": timezone.now() + timedelta(hours=2), "wait_reason": "25 of 25"},
            "2 posts wait for a limit",
        ),
        ({}, {"not_before": timezone.now() + timedelta(days=2)}, "2 scheduled"),
        (
            {"status": "expired"},
            {"held": True, "awaits_decision": True, "not_before": timezone.now() + timedelta(1)},
            "2 s",
        ),
    ],
)
def test_what_waits_for_an_account_is_counted_and_leads_to_the_posts(
    signed_in: Client, workspace: Workspace, account: dict[str, Any], entry: dict[str, Any], words: str
) -> None:
    blocked = make_account(workspace, **account)
    wait(blocked, 2, **entry)
    wait(make_account(workspace))  # of another account
    text = text_of(signed_in)
    address = f"{reverse('publishing:post_list')}?account={blocked.pk}&amp;status=scheduled"
    assert f'<a href="{address}">{words}' in text
    listed = signed_in.get(address.replace("&amp;", "&"))
    assert len(listed.context["posts"]) == 2


def test_a_post_that_is_out_elsewhere_is_found_by_the_link_too(signed_in: Client, workspace: Workspace) -> None:
    account = make_account(workspace, status="expired")
    wait(account, held=True)
    account.publications.get().post.__class__.objects.update(status="partly_published")
    address = f"{reverse('publishing:post_list')}?account={account.pk}"
    assert f'<a href="{address}">1 post waits' in text_of(signed_in)
    assert len(signed_in.get(address).context["posts"]) == 1


def test_waiting_counts_nothing_that_has_begun_or_is_over(workspace: Workspace) -> None:
    account = make_account(workspace)
    for status in ("draft", "publishing", "checking", "published", "failed"):
        Publication.objects.filter(post=make_post(workspace, account)).update(status=status)
    assert waiting_for(workspace) == {}


def test_a_pause_says_why_since_when_and_by_whom(signed_in: Client, workspace: Workspace, owner: User) -> None:
    account = make_account(workspace)
    act(signed_in, "pause", account, reason="Show season is over")
    account.refresh_from_db()
    assert account.paused_by == owner
    text = text_of(signed_in)
    assert "Show season is over" in text
    assert f"Paused by {owner}, <time" in text
    act(signed_in, "resume", account)
    account.refresh_from_db()
    assert (account.paused_at, account.paused_by, account.pause_reason) == (None, None, "")


def test_pausing_is_asked_in_a_dialog_and_on_a_page(signed_in: Client, workspace: Workspace) -> None:
    account = make_account(workspace, name="Classic Motors")
    wait(account, 3, not_before=timezone.now() + timedelta(days=1))
    address = reverse("accounts:pause", args=[account.pk])
    for headers, whole in (({}, True), (HTMX, False)):
        text = signed_in.get(address, headers=headers).content.decode()
        assert "Pause publishing to Classic Motors (Facebook)?" in text
        assert "3 scheduled posts wait until you resume." in text
        assert 'name="reason"' in text
        assert ("<html" in text) is whole


def test_acts_lead_back_to_where_the_button_was(signed_in: Client, workspace: Workspace) -> None:
    account = make_account(workspace)
    address = reverse("accounts:resume", args=[account.pk])
    own = reverse("accounts:account", args=[account.pk])
    for referer, wanted in (
        (f"http://testserver{SOCIAL}?q=classic", f"{SOCIAL}?q=classic"),
        (f"http://testserver{own}", own),
        (f"http://testserver{reverse('accounts:profile')}", SOCIAL),
        (f"https://evil.example{SOCIAL}", SOCIAL),
        ("http://testserver/no/such/page/", SOCIAL),
        ("http://testserver//evil.example/", SOCIAL),
        ("", SOCIAL),
    ):
        assert signed_in.post(address, headers={"referer": referer})["Location"] == wanted, referer


# Refresh token


def linkedin_grant(workspace: Workspace, owner: User, **fields: Any) -> Grant:
    end = timezone.now() + timedelta(days=40)
    return make_grant(workspace, owner, **{"provider": "linkedin", "expires_at": end, **fields})


def test_only_what_a_network_renews_has_the_button(signed_in: Client, workspace: Workspace, owner: User) -> None:
    renewable = of_grant(
        linkedin_grant(workspace, owner, refresh_token="r", refresh_expires_at=timezone.now() + timedelta(days=300)),
        platform="linkedin",
        account_type="person",
    )
    grant = linkedin_grant(workspace, owner)
    of_grant(grant, platform="linkedin", account_type="person", token_expires_at=grant.expires_at)
    of_grant(make_grant(workspace, owner, provider="buffer"), platform="x", account_type="channel")
    make_account(workspace)  # a Page
    text = text_of(signed_in)
    assert text.count("Refresh token") == 1
    assert reverse("accounts:refresh", args=[renewable.pk]) in text
    assert "It is renewed by itself before that." in text
    assert "There is nothing to refresh it with: press Reconnect before that." in text
    assert "a personal key holds until its owner deletes it" in text


@pytest.mark.parametrize("left", ["spent", "over", "none"])
def test_what_cannot_be_renewed_any_more_has_no_button(
    signed_in: Client, workspace: Workspace, owner: User, left: str
) -> None:
    now = timezone.now()
    fields: dict[str, Any] = {
        "spent": {"refresh_token": "r", "refresh_spent_at": now},
        "over": {"refresh_token": "r", "refresh_expires_at": now - timedelta(days=1)},
        "none": {},
    }[left]
    of_grant(linkedin_grant(workspace, owner, **fields), platform="linkedin", account_type="person")
    assert "Refresh token" not in text_of(signed_in)


def test_a_list_loads_no_token(
    signed_in: Client, workspace: Workspace, owner: User, django_assert_max_num_queries: Any
) -> None:
    of_grant(linkedin_grant(workspace, owner, refresh_token="r"), platform="linkedin", account_type="person")
    with django_assert_max_num_queries(2) as seen:
        (card,) = cards_of(workspace)
        assert card.lifetime.can_refresh
    sql = " ".join(query["sql"] for query in seen.captured_queries)
    assert '"access_token"' not in sql
    assert sql.count('"refresh_token"') == sql.count('"refresh_token" IS NOT NULL') == 1


def test_a_page_has_nothing_to_refresh_and_says_why(
    signed_in: Client, workspace: Workspace, owner: User, graph: Graph
) -> None:
    account = make_account(workspace, token=None)
    Credential.objects.create(account=account, grant=make_grant(workspace, owner), access_token="EAApage")
    assert "Does not run out: Facebook sets no end to the access to a Page." in act(signed_in, "refresh", account)
    assert graph.calls == []


def test_without_a_refresh_token_the_day_to_reconnect_is_told(
    signed_in: Client, workspace: Workspace, owner: User
) -> None:
    grant = linkedin_grant(workspace, owner, expires_at=timezone.now() + timedelta(days=40, minutes=1))
    account = of_grant(grant, platform="linkedin", account_type="person", token_expires_at=grant.expires_at)
    told = act(signed_in, "refresh", account)
    assert f"Press Reconnect by {grant.expires_at:%-d %B %Y}." in told


def test_an_account_without_credential_has_nothing_to_refresh(signed_in: Client, workspace: Workspace) -> None:
    assert "Nothing to refresh" in act(signed_in, "refresh", make_account(workspace, token=None))


@pytest.fixture
def renewing(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What LinkedIn answers to the next refreshes."""
    answers: list[Any] = []

    def answer(_refresh_token: str) -> Tokens:
        said = answers.pop(0)
        if isinstance(said, Exception):
            raise said
        return said

    monkeypatch.setitem(renew.RENEWALS, "linkedin", renew.Renewal(answer, timedelta(days=15)))
    return answers


@pytest.fixture
def renewable(workspace: Workspace, owner: User) -> ConnectedAccount:
    end = timezone.now() + timedelta(days=200)
    grant = linkedin_grant(workspace, owner, refresh_token="r", refresh_expires_at=end)
    return of_grant(
        grant, platform="linkedin", account_type="person", token_expires_at=timezone.now() + timedelta(days=3)
    )


def test_a_refresh_says_until_when_and_settles_what_was_told(
    signed_in: Client, workspace: Workspace, renewable: ConnectedAccount, renewing: list[Any]
) -> None:
    incident = incident_of(renewable, "token")
    tell(workspace, Notification.Kind.EXPIRY, incident, title="Ends soon", account=renewable)
    end = timezone.now() + timedelta(days=60)
    renewing.append(Tokens("new", end))
    assert f"is renewed until {end:%-d %B %Y, %H:%M}." in act(signed_in, "refresh", renewable)
    renewable.refresh_from_db()
    grant = Grant.objects.get()
    assert grant.access_token.reveal() == "new"
    assert renewable.token_expires_at == grant.refresh_expires_at
    assert not Notification.objects.filter(incident=incident, resolved_at=None).exists()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ReconnectError("It was taken back."), "cannot be renewed any more. It was taken back. Press Reconnect"),
        (TemporaryError("LinkedIn is down."), "LinkedIn is down. The access that we hold stays in use"),
        (OutcomeUnknownError("Lost."), "The answer of the network was lost."),
    ],
)
def test_a_refresh_that_fails_says_what_it_means_and_disconnects_nobody(
    signed_in: Client, renewable: ConnectedAccount, renewing: list[Any], error: PlatformError, words: str
) -> None:
    renewing.append(error)
    assert words in act(signed_in, "refresh", renewable)
    renewable.refresh_from_db()
    assert renewable.is_connected
    assert Grant.objects.get().access_token is not None


def test_a_refresh_that_is_refused_after_the_end_asks_to_reconnect(
    signed_in: Client, renewable: ConnectedAccount, renewing: list[Any]
) -> None:
    Grant.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    renewing.append(ReconnectError("It was taken back."))
    act(signed_in, "refresh", renewable)
    renewable.refresh_from_db()
    assert renewable.needs_reconnect


@pytest.mark.parametrize(
    ("since", "words"),
    [
        ("issued_at", "so fresh that the network does not renew it yet"),
        ("renewing_since", "is being renewed right now"),
    ],
)
def test_a_refresh_that_has_to_wait_says_so(
    signed_in: Client,
    renewable: ConnectedAccount,
    monkeypatch: pytest.MonkeyPatch,
    since: str,
    words: str,
) -> None:
    young = renew.Renewal(lambda token: pytest.fail("asked"), timedelta(days=15), youngest=timedelta(hours=24))
    monkeypatch.setitem(renew.RENEWALS, "linkedin", young)
    Grant.objects.update(**{since: timezone.now()})
    assert words in act(signed_in, "refresh", renewable)


# Default account


def test_one_account_of_a_platform_is_the_default(signed_in: Client, workspace: Workspace) -> None:
    first, second, other = make_account(workspace), make_account(workspace), make_account(workspace, platform="x")
    for account in (first, other, second):
        act(signed_in, "make_default", account)
    assert set(ConnectedAccount.objects.filter(is_default=True)) == {second, other}
    act(signed_in, "remove_default", second)
    assert set(ConnectedAccount.objects.filter(is_default=True)) == {other}


def test_disconnecting_takes_the_default_away(signed_in: Client, workspace: Workspace) -> None:
    account = make_account(workspace, is_default=True)
    act(signed_in, "disconnect", account)
    account.refresh_from_db()
    assert not account.is_default
    assert "is not connected, so it cannot be the default" in act(signed_in, "make_default", account)
    account.refresh_from_db()
    assert not account.is_default


@pytest.mark.django_db(transaction=True)
def test_two_people_choose_a_default_at_once() -> None:
    workspace = workspace_of(make_user())
    accounts = [make_account(workspace) for _ in range(6)]
    barrier, errors = threading.Barrier(6), []

    def choose(account: ConnectedAccount) -> None:
        barrier.wait()
        try:
            defaults.make_default(account)
        except Exception as error:  # noqa: BLE001  whatever it is, it must not happen
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=choose, args=[account]) for account in accounts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert ConnectedAccount.objects.filter(is_default=True).count() == 1


# Disconnecting


def test_what_disconnecting_means_is_said_first(signed_in: Client, workspace: Workspace, owner: User) -> None:
    grant = make_grant(workspace, owner)
    account, other = of_grant(grant, name="Classic Motors"), of_grant(grant)
    wait(account, 2, not_before=timezone.now() + timedelta(days=1))
    address = reverse("accounts:disconnect", args=[account.pk])
    for headers, whole in (({}, True), (HTMX, False)):
        text = signed_in.get(address, headers=headers).content.decode()
        assert "Disconnect Classic Motors (Facebook)?" in text
        assert "2 scheduled posts will not go out on it." in text
        assert "stays, because other accounts here live from it" in text
        assert ("<html" in text) is whole
    account.refresh_from_db()
    assert account.is_connected

    act(signed_in, "disconnect", other)
    assert "given back to Facebook as well" in text_of(signed_in, address)


def test_a_consent_that_another_workspace_lives_from_stays(
    signed_in: Client, workspace: Workspace, owner: User, stranger: User
) -> None:
    account = of_grant(make_grant(workspace, owner, platform_user_id="9001"))
    of_grant(make_grant(workspace_of(stranger), stranger, platform_user_id="9001"))
    text = text_of(signed_in, reverse("accounts:disconnect", args=[account.pk]))
    assert "another workspace lives from it" in text


def test_a_key_stays_its_owners(signed_in: Client, workspace: Workspace, owner: User) -> None:
    account = of_grant(make_grant(workspace, owner, provider="buffer"), platform="x", account_type="channel")
    text = text_of(signed_in, reverse("accounts:disconnect", args=[account.pk]))
    assert "The key itself stays valid at Buffer" in text


# Reconnecting


def test_reconnect_goes_the_way_the_account_was_connected(signed_in: Client, workspace: Workspace, owner: User) -> None:
    make_account(workspace, status="expired")
    assert reverse("accounts:connect", args=["facebook"]) in text_of(signed_in)
    key = of_grant(
        make_grant(workspace, owner, provider="buffer"), platform="x", account_type="channel", status="revoked"
    )
    form = f"{reverse('accounts:buffer_key')}?account={key.pk}"
    assert f'href="{form}"' in text_of(signed_in)
    asked = signed_in.get(form, headers=HTMX).content.decode()
    assert f"Reconnect {key.name}" in asked
    assert f'name="account" value="{key.pk}"' in asked
    assert "<html" not in asked


def test_by_key_is_the_only_way_back_where_there_is_no_app(
    signed_in: Client, workspace: Workspace, settings: Any
) -> None:
    account = make_account(
        workspace, token=None, platform="x", login_kind="buffer", account_type="channel", status="expired"
    )
    settings.BUFFER_CLIENT_ID = "app"
    assert f"buffer-key/?account={account.pk}" not in text_of(signed_in)
    settings.BUFFER_CLIENT_ID = ""
    assert f"buffer-key/?account={account.pk}" in text_of(signed_in)


def test_the_account_of_another_workspace_is_not_named_in_the_key_form(signed_in: Client, stranger: User) -> None:
    foreign = make_account(workspace_of(stranger), name="Zanzibar")
    assert "Zanzibar" not in text_of(signed_in, reverse("accounts:buffer_key"), account=str(foreign.pk))
    assert signed_in.get(reverse("accounts:buffer_key"), {"account": "nonsense"}).status_code == 200


def test_reconnecting_ticks_what_is_connected_already_and_brings_back_the_same_row(
    signed_in: Client, workspace: Workspace, graph: Graph
) -> None:
    graph.pages = [page("101", "Classic Motors"), page("102", "Garage Nord")]
    account = make_account(workspace, platform_account_id="101", status="expired")
    wait(account, held=True)

    def ticked(**data: str) -> tuple[str, list[bool]]:
        response = signed_in.post(reverse("accounts:connect", args=["facebook"]), data)
        state = response["Location"].partition("state=")[2].partition("&")[0]
        back = signed_in.get("/account/meta/login/callback/", {"state": state, "code": "x"})
        return back["Location"], [row["is_ticked"] for row in signed_in.get(back["Location"]).context["rows"]]

    assert ticked()[1] == [True, True]
    address, boxes = ticked(account=str(account.pk))
    assert boxes == [True, False]
    signed_in.post(address, {"account": ["facebook:101"]})
    assert ConnectedAccount.objects.get().pk == account.pk
    account.refresh_from_db()
    assert account.is_connected
    assert account.publications.get().status == "scheduled"


# Nothing is set up


@pytest.mark.parametrize("key", connect.CONNECTABLE)
def test_without_any_app_every_button_says_what_is_missing(
    signed_in: Client, workspace: Workspace, settings: Any, key: str
) -> None:
    settings.SANDBOX = False
    for name in ("META_APP_ID", "INSTAGRAM_APP_ID", "LINKEDIN_CLIENT_ID", "BUFFER_CLIENT_ID"):
        assert hasattr(settings, name)
        setattr(settings, name, "")
    provider = PROVIDERS[connect.CONNECTABLE[key].provider]
    assert not provider.is_configured()
    response = signed_in.post(reverse("accounts:connect", args=[key]), follow=True)
    assert response.redirect_chain == [(SOCIAL, 302)]
    (entry,) = (entry for entry in response.context["entries"] if entry.error)
    assert (entry.key, entry.state) == (key, "error")
    text = response.content.decode()
    assert provider.redirect_uri() in entry.error.error
    assert f'<code class="redirect-uri" id="redirect-uri-of-{key}">{provider.redirect_uri()}</code>' in text
    assert f'data-copy-from="redirect-uri-of-{key}"' in text
    assert not Grant.objects.exists()
    assert text_of(signed_in).count('role="alert"') == 0  # told once; what is missing stands above all the time


# States and the shine


def test_each_network_has_its_own_state(signed_in: Client, workspace: Workspace) -> None:
    make_account(workspace)
    make_account(workspace, platform="instagram", status="expired")
    states = {entry.key: entry.state for entry in signed_in.get(SOCIAL).context["entries"]}
    assert (states["facebook"], states["instagram"], states["linkedin"]) == ("connected", "error", "disconnected")
    assert set(states) == set(connect.CONNECTABLE)


def test_an_account_stands_under_the_login_it_was_connected_with(workspace: Workspace) -> None:
    make_account(workspace, platform="instagram")
    make_account(workspace, platform="instagram", login_kind="instagram_login")
    seen = overview(workspace, Outcome(), Wanted())
    assert {entry.key: len(entry.cards) for entry in seen.entries if entry.cards} == {
        "instagram": 1,
        "instagram_login": 1,
    }


def test_exactly_what_was_connected_shines(signed_in: Client, workspace: Workspace, graph: Graph) -> None:
    make_account(workspace, name="Older Page")
    make_account(workspace, platform="x", login_kind="buffer", account_type="channel")
    graph.pages = [page("101", "One", "one"), page("102", "Two"), page("103", "Three")]
    state = signed_in.post(reverse("accounts:connect", args=["facebook"]))["Location"].partition("state=")[2]
    address = signed_in.get("/account/meta/login/callback/", {"state": state.partition("&")[0], "code": "x"})[
        "Location"
    ]
    signed_in.post(address, {"account": ["facebook:101", "facebook:102"]})
    shining = Parts(signed_in.get(SOCIAL).content.decode(), "data-shine").ids
    connected = ConnectedAccount.objects.filter(platform_account_id__in=["101", "102", "17101"])
    assert sorted(shining) == sorted(f"account-{account.pk}" for account in connected)
    assert len(shining) == 3
    assert Parts(signed_in.get(SOCIAL).content.decode(), "data-shine").ids == []


def test_what_was_connected_just_now_shines_among_many_and_is_not_cut_off(workspace: Workspace) -> None:
    accounts = [make_account(workspace, name=f"Page {number:03}") for number in range(40)]
    fresh = [str(account.pk) for account in accounts[20:35]]
    (entry, *_others) = overview(workspace, Outcome(connected=tuple(fresh)), Wanted()).entries
    assert {str(card.account.pk) for card in entry.cards if card.is_new} == set(fresh)
    assert entry.more == 25


# Many accounts


@pytest.fixture
def agency(workspace: Workspace, owner: User) -> Workspace:
    """A hundred and twenty accounts of three networks."""
    grant = make_grant(workspace, owner)
    for number in range(60):
        account = make_account(workspace, token=None, name=f"Shop {number:02}", username=f"shop{number:02}")
        Credential.objects.create(account=account, grant=grant, access_token="EAApage")
        make_account(workspace, platform="instagram", name=f"Shop {number:02}", username=f"shop.{number:02}")
    ConnectedAccount.objects.filter(name__in=["Shop 41", "Shop 52"], platform="facebook").update(
        status="expired", status_reason="The access has run out."
    )
    ConnectedAccount.objects.filter(name="Shop 17", platform="instagram").update(
        paused_at=timezone.now(), pause_reason="Client on hold"
    )
    return workspace


def test_many_accounts_are_rows_with_trouble_first(signed_in: Client, agency: Workspace) -> None:
    text = text_of(signed_in)
    assert text.count('class="account-row"') == 2 * ROWS
    assert "60 accounts · 2 need attention" in text
    assert text.index("Shop 41</h3>") < text.index("Shop 52</h3>") < text.index("Shop 00</h3>")
    assert text.count("The access has run out.") == 2
    assert "Show all 60 of Facebook" in text
    assert text_of(signed_in, platform="facebook").count('class="account-row"') == 60


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "shop 1"}, 20),
        ({"q": "SHOP.17"}, 1),
        ({"q": "@shop17"}, 1),
        ({"q": "shop 1", "platform": "instagram"}, 10),
        ({"state": "attention"}, 2),
        ({"state": "paused"}, 1),
        ({"state": "connected", "platform": "facebook"}, 58),
        ({"q": "  "}, 2 * ROWS),
        ({"q": "nobody"}, 0),
        ({"platform": "myspace", "state": "sleepy"}, 2 * ROWS),  # passed over
        ({"q": "x" * 101}, 2 * ROWS),
        ({"q": "\x00"}, 2 * ROWS),
    ],
)
def test_accounts_are_found_by_name_handle_network_and_state(
    signed_in: Client, agency: Workspace, query: dict[str, str], found: int
) -> None:
    for headers in ({}, HTMX):
        response = signed_in.get(SOCIAL, query, headers=headers)
        text = response.content.decode()
        assert text.count('class="account-row"') == found
        assert ("No account matches" in text) is (found == 0)
        assert ("<html" in text) is not headers


def test_a_row_unfolds_to_the_whole_card(signed_in: Client, agency: Workspace) -> None:
    account = ConnectedAccount.objects.filter(platform="instagram", name="Shop 17").get()
    card = signed_in.get(reverse("accounts:account", args=[account.pk]), headers=HTMX).content.decode()
    assert "Client on hold" in card
    assert "Disconnect" in card
    assert "<html" not in card
    assert card.count("<article") == 1
    assert 'type="hidden" name="next"' in card


def test_a_disconnected_account_has_no_card(signed_in: Client, workspace: Workspace) -> None:
    account = make_account(workspace, status="disconnected")
    assert signed_in.get(reverse("accounts:account", args=[account.pk])).status_code == 404


def test_few_accounts_stand_there_with_everything(signed_in: Client, workspace: Workspace) -> None:
    for _ in range(FULL_CARDS):
        make_account(workspace)
    text = text_of(signed_in)
    assert text.count("<article") == FULL_CARDS
    assert 'role="search"' not in text
    make_account(workspace)
    assert text_of(signed_in).count("<article") == 0
    assert 'role="search"' in text_of(signed_in)


def test_five_hundred_accounts_cost_no_more_queries(
    signed_in: Client, workspace: Workspace, owner: User, django_assert_max_num_queries: Any
) -> None:
    grant = make_grant(workspace, owner)
    accounts = ConnectedAccount.objects.bulk_create(
        ConnectedAccount(
            workspace=workspace,
            platform="facebook",
            platform_account_id=str(number),
            name=f"Page {number}",
            connected_by=owner,
            token_expires_at=timezone.now() + timedelta(days=5),
        )
        for number in range(500)
    )
    Credential.objects.bulk_create(Credential(account=account, grant=grant, access_token="t") for account in accounts)
    text_of(signed_in)
    for query in ({}, {"platform": "facebook"}, {"state": "attention"}):
        with django_assert_max_num_queries(12):
            response = signed_in.get(SOCIAL, query)
    assert response.content.decode().count('class="account-row"') == 500


def test_viewers_find_accounts_and_no_buttons(viewer: Client, agency: Workspace) -> None:
    text = text_of(viewer, q="shop 41")
    assert "Shop 41" in text
    account = ConnectedAccount.objects.filter(name="Shop 41").first()
    card = text_of(viewer, reverse("accounts:account", args=[account.pk]))
    for markup in (text, card):
        assert "Reconnect</button>" not in markup
        assert "data-network-connect" not in markup
        assert "Disconnect" not in markup


# The guidance asks Facebook while it is open


@pytest.fixture
def lonely(workspace: Workspace, owner: User) -> ConnectedAccount:
    """A Page without an Instagram account."""
    account = make_account(
        workspace,
        token=None,
        platform_account_id="101",
        granted_scopes=["pages_show_list"],
        tasks=["CREATE_CONTENT", "ANALYZE"],
        last_verified_at=timezone.now() - timedelta(days=2),
    )
    Credential.objects.create(account=account, grant=make_grant(workspace, owner), access_token="EAApage")
    return account


def test_the_dialog_opens_with_what_is_known_and_asks_nobody(
    signed_in: Client, lonely: ConnectedAccount, graph: Graph
) -> None:
    address = reverse("accounts:guidance", args=[lonely.pk])
    live = reverse("accounts:guidance_live", args=[lonely.pk])
    for headers in ({}, HTMX):
        text = signed_in.get(address, headers=headers).content.decode()
        assert f'hx-get="{live}" hx-trigger="load"' in text
        assert "publish to Instagram" in text  # what a permission is for
        assert text.count('data-state="missing"') == 4
        assert "may publish" in text
    assert graph.calls == []


def test_the_live_part_says_what_facebook_says_now(signed_in: Client, lonely: ConnectedAccount, graph: Graph) -> None:
    graph.granted = ["pages_show_list", "pages_read_engagement", "instagram_basic", "instagram_manage_insights"]
    graph.declined = ["instagram_content_publish"]
    text = signed_in.get(reverse("accounts:guidance_live", args=[lonely.pk]), headers=HTMX).content.decode()
    assert "Facebook said this just now." in text
    assert text.count('data-state="granted"') == 5  # four permissions and the role
    assert "declined" in text
    assert "Reconnect and allow" in text
    assert "hx-trigger" not in text
    assert set(graph.paths()) == {"me/permissions", "debug_token"}
    assert lonely.credential.grant.__class__.objects.get().declined_scopes == ["instagram_content_publish"]


def test_a_silent_facebook_leaves_what_is_known(signed_in: Client, lonely: ConnectedAccount, graph: Graph) -> None:
    graph.fail["me/permissions"] = 500, {}
    response = signed_in.get(reverse("accounts:guidance_live", args=[lonely.pk]), headers=HTMX)
    text = response.content.decode()
    assert response.status_code == 200
    assert "Facebook does not answer at the moment." in text
    assert text.count('data-state="missing"') == 4
    graph.fail["me/permissions"] = refusal(190, 463, "Session has expired")
    text = signed_in.get(reverse("accounts:guidance_live", args=[lonely.pk]), headers=HTMX).content.decode()
    assert "Facebook does not answer" not in text


def test_a_page_connected_by_a_bare_token_has_nobody_to_ask(
    signed_in: Client, workspace: Workspace, graph: Graph
) -> None:
    account = make_account(workspace)
    assert signed_in.get(reverse("accounts:guidance_live", args=[account.pk]), headers=HTMX).status_code == 200
    assert graph.calls == []


def test_strangers_ask_nothing(lonely: ConnectedAccount, stranger: User, viewer: Client, graph: Graph) -> None:
    address = reverse("accounts:guidance_live", args=[lonely.pk])
    assert sign_in(stranger).get(address, headers=HTMX).status_code == 404
    assert viewer.get(address, headers=HTMX).status_code == 403
    assert graph.calls == []


def test_a_stop_that_only_the_operator_can_end_is_said_where_its_accounts_stand(
    signed_in: Client, workspace: Workspace
) -> None:
    make_account(workspace, platform="linkedin", login_kind="linkedin", name="Lena")
    make_account(workspace, name="Classic Motors")
    assert "does not serve the version" not in text_of(signed_in)
    linkedin_version_told(is_served=False)
    stopped = [entry.key for entry in signed_in.get(SOCIAL).context["entries"] if entry.stopped]
    assert stopped == ["linkedin"]
    assert text_of(signed_in).count("LinkedIn does not serve the version") == 1
    linkedin_version_told(is_served=True)
    assert "does not serve the version" not in text_of(signed_in)


def test_nobody_without_accounts_there_hears_of_it(signed_in: Client, workspace: Workspace) -> None:
    make_account(workspace, name="Classic Motors")
    linkedin_version_told(is_served=False)
    assert "does not serve the version" not in text_of(signed_in)
