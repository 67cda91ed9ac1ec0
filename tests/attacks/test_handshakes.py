"""Handshakes with networks, and signed messages, that are mixed up, replayed or forged."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from django.core import signing
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ConnectedAccount, Grant, OAuthTicket, User, Workspace
from analytics import weekly
from analytics.models import ReportSubscription
from publishing import media
from publishing.media import public_url, rendition, store_upload
from socialhub.platforms.rules import IMAGE
from tests.publishing.pictures import photo

pytestmark = pytest.mark.django_db

BUTTONS = {"facebook": "meta", "instagram_login": "instagram", "linkedin": "linkedin", "x": "buffer"}


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def silent() -> Iterator[responses.RequestsMock]:
    """Whoever calls a network here has been fooled."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def pressed(client: Client, button: str) -> str:
    location = client.post(reverse("accounts:connect", args=[button]))["Location"]
    return parse_qs(urlsplit(location).query)["state"][0]


# --- OAuth ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("begun", "ended"), list(itertools.permutations(BUTTONS, 2)))
def test_mix_up_an_answer_of_one_network_is_none_of_another(
    signed_in: Client, silent: responses.RequestsMock, begun: str, ended: str
) -> None:
    """Otherwise one network, or whoever poses as it, would be sent the code that another gave."""
    state = pressed(signed_in, begun)
    for _again in range(2):
        signed_in.get(reverse(f"{BUTTONS[ended]}_callback"), {"state": state, "code": "stolen"})
    assert not silent.calls
    assert not Grant.objects.exists()


@pytest.mark.parametrize("button", BUTTONS)
def test_a_code_of_the_attacker_is_not_exchanged_for_the_victim(
    signed_in: Client, signed_in_stranger: Client, silent: responses.RequestsMock, button: str
) -> None:
    """Whoever is lured to this address would publish to the attacker's accounts, or show them what they publish."""
    state = pressed(signed_in_stranger, button)
    callback = reverse(f"{BUTTONS[button]}_callback")
    for victim in (signed_in, Client()):
        victim.get(callback, {"state": state, "code": "of the attacker"})
        victim.get(callback, {"code": "of the attacker"})
        victim.get(callback, {"state": "", "code": "of the attacker"})
    assert not silent.calls
    assert not Grant.objects.exists()


@pytest.mark.parametrize("button", BUTTONS)
def test_a_state_is_neither_kept_nor_short(signed_in: Client, button: str) -> None:
    """A look into the database gives nobody a state that can be used, and no two are alike."""
    states = {pressed(signed_in, button) for _press in range(5)}
    assert len(states) == 5
    assert min(map(len, states)) >= 16
    kept = str(list(OAuthTicket.objects.values_list()))
    assert not [state for state in states if state in kept]


@pytest.mark.parametrize("button", BUTTONS)
def test_where_a_handshake_leads_back_to_is_ours_alone(signed_in: Client, button: str) -> None:
    address = reverse("accounts:connect", args=[button])
    typed = {"redirect_uri": "https://evil.example/", "next": "https://evil.example/", "scope": "everything"}
    location = signed_in.post(f"{address}?redirect_uri=https://evil.example/&next=//evil.example", typed)["Location"]
    told = parse_qs(urlsplit(location).query)
    assert told["redirect_uri"] == [f"http://testserver{reverse(f'{BUTTONS[button]}_callback')}"]
    assert "evil" not in location
    assert "everything" not in location


def test_a_consent_of_a_program_is_not_finished_by_looking(client: Client, workspace: Workspace, owner: User) -> None:
    """Whoever is lured to such an address connects nothing before they have read it and pressed a button."""
    for query in ({"state": "made-up", "code": "x"}, {}):
        response = client.get(reverse("accounts:consent"), query)
        assert response.status_code in (302, 400, 404, 405)
    assert not Grant.objects.exists()
    assert not ConnectedAccount.objects.exists()


# --- What we sign ---------------------------------------------------------------------------------------------


def test_what_is_signed_for_one_thing_is_nothing_for_another(client: Client, workspace: Workspace, owner: User) -> None:
    picture = rendition(store_upload(workspace, owner, photo(300, 200)), IMAGE["facebook"])
    subscription = ReportSubscription.objects.create(user=owner, workspace=workspace)
    leaving = weekly.token_of(subscription)
    signed, name = public_url(picture).split("/m/")[1].split("/")
    assert client.get(f"/m/{leaving}/{name}").status_code == 404
    assert client.post(reverse("analytics:reports_leave", args=[signed])).status_code == 404
    assert client.get(reverse("account_reset_password_from_key", args=["1", signed])).status_code in (200, 302, 404)
    assert ReportSubscription.objects.exists()


@pytest.mark.parametrize("key", ["", "other secret", "SECRET_KEY"])
def test_a_signature_with_another_key_opens_nothing(
    client: Client, workspace: Workspace, owner: User, key: str
) -> None:
    picture = rendition(store_upload(workspace, owner, photo(300, 200)), IMAGE["facebook"])
    name = media.public_name(picture)
    forged = signing.TimestampSigner(key=key or "x", salt=media.URL_SALT).sign_object(picture.pk)
    unsalted = signing.dumps(picture.pk)
    for signed in (forged, unsalted, str(picture.pk), f"{picture.pk}:1:x", "..", "%00", "a" * 5000):
        assert client.get(f"/m/{signed}/{name}").status_code == 404


def test_an_address_of_a_picture_cannot_be_widened(
    client: Client, workspace: Workspace, owner: User, settings: object
) -> None:
    """Neither another picture, nor the upload itself, nor for longer."""
    item = store_upload(workspace, owner, photo(300, 200))
    path = public_url(rendition(item, IMAGE["facebook"])).removeprefix("http://testserver")
    signed = path.split("/")[2]
    value, _stamp, signature = signed.rsplit(":", 2)
    later = signing.b62_encode(int(timezone.now().timestamp()) + 10**6)
    for made_up in (
        f"/m/{value}:{later}:{signature}/{path.rsplit('/', 1)[1]}",
        f"/m/{signed}/{item.pk}.jpg",
        f"/m/{signed}/..%2f..%2foriginals%2f{item.file.name}",
        f"/m/{signed}/",
        f"/media/{item.pk}/file",
        f"/{item.file.name}",
        f"/media/{item.file.name}",
        f"/static/../{item.file.name}",
    ):
        assert client.get(made_up).status_code in (302, 404), made_up
    opened = client.get(path)
    assert opened.status_code == 200
    opened.close()
