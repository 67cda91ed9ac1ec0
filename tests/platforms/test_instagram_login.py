"""Instagram's own login: what is sent to which host, and what the answers come to. Replies as documented, October 2026."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses
import time_machine

from socialhub.platforms.base import Access, Done, PostType, Published
from socialhub.platforms.errors import (
    LimitedError,
    OurBugError,
    OutcomeUnknownError,
    PermissionMissingError,
    PlatformError,
    ReconnectError,
    RejectedError,
    TemporaryError,
)
from socialhub.platforms.instagram import Instagram
from socialhub.platforms.instagram_login import SCOPES, InstagramApi, InstagramConfig
from socialhub.redaction import redact
from tests.platforms.graph import error, path_of, sent

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOST = "https://graph.instagram.com"
BASE = f"{HOST}/v26.0"
CODE_ADDRESS = "https://api.instagram.com/oauth/access_token"
BACK = "https://hub.example.com/account/instagram/login/callback/"
TOKEN = "IGAAlonglivedtoken0123456789abcdef"
SHORT = "IGAAshortlivedtoken0123456789abcde"
SECRET = "instagram-secret-of-the-tests"


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def api() -> InstagramApi:
    return InstagramApi(InstagramConfig(app_id="4321", app_secret=SECRET))


@pytest.fixture
def instagram(api: InstagramApi) -> Instagram:
    return Instagram(api)


@pytest.fixture
def ig() -> Access:
    return Access("17841400900", TOKEN)


# The code


@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize("permissions", [",".join(SCOPES), list(SCOPES)])
def test_a_code_becomes_a_token_of_an_hour(
    api: InstagramApi, graph: responses.RequestsMock, wrapped: bool, permissions: Any
) -> None:
    row = {"access_token": SHORT, "user_id": 2700900, "permissions": permissions}
    graph.post(CODE_ADDRESS, json={"data": [row]} if wrapped else row)
    tokens = api.exchange_code("AQcode#_", BACK)
    assert (tokens.access_token, tokens.scopes) == (SHORT, SCOPES)
    assert tokens.expires_at == NOW + timedelta(hours=1)
    assert sent(graph.calls[0]) == {
        "client_id": "4321",
        "client_secret": SECRET,
        "grant_type": "authorization_code",
        "redirect_uri": BACK,
        "code": "AQcode",
    }
    assert "?" not in graph.calls[0].request.url, "code and secret stay out of the address"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (
            400,
            {"error_type": "OAuthException", "code": 400, "error_message": "Matching code was not found"},
            RejectedError,
        ),
        (400, error(190, 463, "expired"), ReconnectError),
        (500, {"error_type": "OAuthException", "code": 500, "error_message": "Try later"}, TemporaryError),
        (502, None, TemporaryError),
        (200, {}, TemporaryError),
    ],
)
def test_a_refused_code(
    api: InstagramApi, graph: responses.RequestsMock, status: int, body: Any, kind: type[PlatformError]
) -> None:
    graph.post(CODE_ADDRESS, status=status, **({"body": "<html>"} if body is None else {"json": body}))
    with pytest.raises(kind) as caught:
        api.exchange_code("AQsecretcode", BACK)
    assert type(caught.value) is kind
    assert "AQsecretcode" not in caught.value.platform_message


def test_instagrams_words_about_a_code_are_kept_without_it(api: InstagramApi, graph: responses.RequestsMock) -> None:
    body = {"error_type": "OAuthException", "code": 400, "error_message": f"AQsecretcode with {SECRET} was used"}
    graph.post(CODE_ADDRESS, status=400, json=body)
    with pytest.raises(RejectedError) as caught:
        api.exchange_code("AQsecretcode", BACK)
    assert caught.value.platform_message == "[…] with […] was used"
    assert caught.value.code == "400"


# Long-lived tokens


@pytest.mark.parametrize("seconds", [5_183_944, None])
def test_a_token_of_sixty_days(api: InstagramApi, graph: responses.RequestsMock, seconds: int | None) -> None:
    answer = {"access_token": TOKEN, "token_type": "bearer", **({"expires_in": seconds} if seconds else {})}
    graph.get(f"{HOST}/access_token", json=answer)
    tokens = api.long_lived(SHORT)
    assert tokens.access_token == TOKEN
    assert tokens.expires_at == NOW + (timedelta(seconds=seconds) if seconds else timedelta(days=60))
    assert tokens.refresh_token is None
    assert sent(graph.calls[0]) == {"grant_type": "ig_exchange_token", "client_secret": SECRET, "access_token": SHORT}


def test_a_renewed_token(api: InstagramApi, graph: responses.RequestsMock) -> None:
    answer = {"access_token": TOKEN + "x", "token_type": "bearer", "expires_in": 5_184_000}
    graph.get(f"{HOST}/refresh_access_token", json=answer)
    tokens = api.refresh(TOKEN)
    assert (tokens.access_token, tokens.expires_at) == (TOKEN + "x", NOW + timedelta(days=60))
    assert sent(graph.calls[0]) == {"grant_type": "ig_refresh_token", "access_token": TOKEN}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error(190, 463, "Session has expired"), ReconnectError),
        (400, error(100, None, "less than 24 hours old"), OurBugError),
        (400, error(4, None, "limit"), LimitedError),
        (500, error(2, None, "trouble"), TemporaryError),
        (200, {"token_type": "bearer"}, TemporaryError),
    ],
)
def test_a_refused_renewal(
    api: InstagramApi, graph: responses.RequestsMock, status: int, body: Any, kind: type[PlatformError]
) -> None:
    graph.get(f"{HOST}/refresh_access_token", status=status, json=body)
    with pytest.raises(PlatformError) as caught:
        api.refresh(TOKEN)
    assert type(caught.value) is kind


def test_no_token_in_a_log_or_an_error_though_it_stands_in_the_address(
    api: InstagramApi, graph: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    address = f"{HOST}/refresh_access_token?grant_type=ig_refresh_token&access_token={TOKEN}"
    graph.get(f"{HOST}/refresh_access_token", status=400, json=error(190, 463, f"{TOKEN} at {address}"))
    with pytest.raises(ReconnectError) as caught:
        api.refresh(TOKEN)
    with pytest.raises(TemporaryError) as lost:
        api.long_lived(SHORT)  # nobody answers there
    told = caught.value.platform_message + repr(caught.value) + repr(lost.value) + str(lost.value.__context__)
    assert TOKEN not in told + caplog.text
    assert SHORT not in told + caplog.text
    assert TOKEN not in redact(f"GET {address}")
    assert TOKEN not in redact(f"access_token={TOKEN}")
    assert SECRET not in redact(f"client_secret={SECRET}")
    assert TOKEN not in redact(f"the token {TOKEN}")
    assert TOKEN not in repr(api.config) + repr(Access("1", TOKEN))
    assert SECRET not in repr(api.config)


# Who it is


@pytest.mark.parametrize("wrapped", [True, False])
def test_the_account_of_a_token(api: InstagramApi, graph: responses.RequestsMock, wrapped: bool) -> None:
    row = {
        "user_id": "17841400900",
        "id": "2700900",
        "username": "ines.ink",
        "account_type": "MEDIA_CREATOR",
        "name": "Ines Ink",
        "profile_picture_url": "https://pictures.example/ines.jpg",
        "followers_count": 5310,
    }
    graph.get(f"{BASE}/me", json={"data": [row]} if wrapped else row)
    user = api.me(TOKEN)
    assert (user.id, user.scoped_id, user.username, user.followers) == ("17841400900", "2700900", "ines.ink", 5310)
    assert user.is_professional
    request = graph.calls[0].request
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in request.url
    assert set(sent(graph.calls[0])) == {"fields"}, "no proof: Instagram asks for none there"


def test_a_personal_account(api: InstagramApi, graph: responses.RequestsMock) -> None:
    graph.get(f"{BASE}/me", json={"user_id": "1", "id": "2", "username": "petra", "account_type": "PERSONAL"})
    assert not api.me(TOKEN).is_professional


def test_without_the_id_there_is_no_account(api: InstagramApi, graph: responses.RequestsMock) -> None:
    graph.get(f"{BASE}/me", json={"id": "2", "username": "ines"})
    with pytest.raises(TemporaryError):
        api.me(TOKEN)


def test_a_version_other_than_ours_is_told(graph: responses.RequestsMock) -> None:
    served: list[str] = []
    api = InstagramApi(InstagramConfig("4321", SECRET), on_version=served.append)
    graph.get(f"{BASE}/me", json={"user_id": "1"}, headers={"facebook-api-version": "v21.0"})
    api.me(TOKEN)
    assert served == ["v21.0"]


# The same platform on the other host


def test_a_single_image_goes_to_instagrams_host(
    instagram: Instagram, graph: responses.RequestsMock, ig: Access, images: Any
) -> None:
    content = images(1)
    graph.post(f"{BASE}/17841400900/media", json={"id": "c1"})
    graph.get(f"{BASE}/c1", json={"id": "c1", "status_code": "FINISHED"})
    graph.post(f"{BASE}/17841400900/media_publish", json={"id": "m1"})
    handles: dict[str, Any] = {}
    for step in instagram.plan(content)[:-1]:
        done = instagram.perform(step, ig, content, handles)
        assert isinstance(done, Done)
        handles |= done.handles
    published = instagram.commit(ig, content, handles)
    assert isinstance(published, Published)
    assert published.platform_post_id == "m1"
    assert [path_of(call).split("/", 3)[-1] for call in graph.calls]
    assert not [call for call in graph.calls if "appsecret_proof" in sent(call)]
    assert all(call.request.headers["Authorization"] == f"Bearer {TOKEN}" for call in graph.calls)


def test_a_lost_answer_is_as_unknown_there(
    instagram: Instagram, graph: responses.RequestsMock, ig: Access, images: Any
) -> None:
    graph.post(f"{BASE}/17841400900/media_publish", status=500, json=error(2))
    with pytest.raises(OutcomeUnknownError):
        instagram.commit(ig, images(1, PostType.SINGLE), {"container": "c1"})


def test_figures_are_read_one_call_after_the_other(
    instagram: Instagram, graph: responses.RequestsMock, ig: Access
) -> None:
    """Batches belong to the other host."""
    insights = {"data": [{"name": "reach", "values": [{"value": 40}]}, {"name": "saved", "values": [{"value": 2}]}]}
    graph.get(f"{BASE}/m1", json={"id": "m1", "like_count": 4, "comments_count": 1, "insights": insights})
    graph.get(f"{BASE}/m2", status=400, json=error(100, 33))
    (figures,) = instagram.post_figures(ig, {"m1": "FEED", "m2": "REELS"})
    assert (figures.likes, figures.comments, figures.reach, figures.saves, figures.views) == (4, 1, 40, 2, None)
    assert all(call.request.method == "GET" for call in graph.calls)


def test_a_limit_ends_the_reading_at_once(instagram: Instagram, graph: responses.RequestsMock, ig: Access) -> None:
    graph.get(f"{BASE}/m1", status=400, json=error(4))
    with pytest.raises(LimitedError):
        instagram.post_figures(ig, dict.fromkeys(["m1", "m2", "m3"], "FEED"))
    assert len(graph.calls) == 1


def test_a_missing_permission_is_asked_for_at_instagram(
    instagram: Instagram, graph: responses.RequestsMock, ig: Access, images: Any
) -> None:
    content = images(1)
    graph.post(f"{BASE}/17841400900/media", status=403, json=error(10, None, "needs the permission"))
    with pytest.raises(PermissionMissingError) as caught:
        instagram.perform(instagram.plan(content)[0], ig, content, {})
    assert "Page" not in caught.value.message
    assert str(caught.value) == caught.value.message
    assert caught.value.platform_message == "needs the permission"
