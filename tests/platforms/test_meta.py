from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
import time_machine

from socialhub.platforms.errors import (
    NotFoundError,
    OurBugError,
    OutcomeUnknownError,
    ReconnectError,
    RejectedError,
    TemporaryError,
)
from socialhub.platforms.http import counting
from socialhub.platforms.meta import (
    ALL_SCOPES,
    PAGE_FIELDS,
    SCOPES,
    InvalidSignedRequest,
    Meta,
    MetaConfig,
    Permissions,
    UserToken,
)
from tests.platforms.graph import (
    BASE,
    EDGES,
    NAMES,
    SECRET,
    TOKEN,
    addresses,
    declared,
    error,
    part,
    path_of,
    sent,
    top_fields,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def config(**fields):
    return MetaConfig(**{"app_id": "1234", "app_secret": SECRET, **fields})


# Addresses


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("https://graph.facebook.com", "https://graph.facebook.com/v26.0"),
        ("http://127.0.0.1:8010/graph/", "http://127.0.0.1:8010/graph/v26.0"),
        ("https://graph.facebook.com/v25.0", "https://graph.facebook.com/v25.0"),
    ],
)
def test_the_version_is_part_of_every_address(given, base):
    assert Meta(config(graph_url=given)).base == base


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("https://www.facebook.com", "https://www.facebook.com/v26.0/dialog/oauth"),
        ("https://www.facebook.com/v25.0", "https://www.facebook.com/v25.0/dialog/oauth"),
        ("http://127.0.0.1:8010/facebook", "http://127.0.0.1:8010/facebook/v26.0/dialog/oauth"),
        ("http://127.0.0.1:9/any/dialog/oauth", "http://127.0.0.1:9/any/dialog/oauth"),
    ],
)
def test_the_address_of_the_dialog(given, address):
    assert Meta(config(dialog_url=given)).dialog_address == address


def test_the_pinned_version_is_the_one_in_the_address():
    assert Meta(config(graph_url="https://graph.facebook.com/v25.0")).transport.version == "v25.0"


def test_another_version_is_logged(graph, meta, caplog):
    graph.get(f"{BASE}/me", json={"id": "1"}, headers={"facebook-api-version": "v22.0"})
    meta.me(TOKEN)
    assert "v22.0" in caplog.text


def test_secrets_are_not_shown():
    shown = f"{config()!r} {UserToken(TOKEN)!r}"
    assert SECRET not in shown
    assert TOKEN not in shown


# Dialog


def test_the_dialog_asks_for_scopes(meta):
    url = meta.dialog_url(redirect_uri="https://x.example/back/", state="random", code_challenge="abc")
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert query == {
        "client_id": "1234",
        "redirect_uri": "https://x.example/back/",
        "state": "random",
        "response_type": "code",
        "scope": ",".join(ALL_SCOPES),
        "code_challenge": "abc",
        "code_challenge_method": "S256",
    }
    assert set(SCOPES["facebook"]) | set(SCOPES["instagram"]) < set(ALL_SCOPES)


def test_a_login_configuration_replaces_the_scopes():
    asked = Meta(config(config_id="77")).dialog_parameters(redirect_uri="https://x", state="s", auth_type="rerequest")
    assert asked["config_id"] == "77"
    assert asked["auth_type"] == "rerequest"
    assert "scope" not in asked


# Tokens


@time_machine.travel(NOW, tick=False)
def test_a_code_becomes_a_token(graph, meta):
    graph.post(f"{BASE}/oauth/access_token", json={"access_token": TOKEN, "token_type": "bearer", "expires_in": 5400})
    found = meta.exchange_code("the-code", "https://x.example/back/", "verifier")
    assert found == UserToken(TOKEN, NOW + timedelta(seconds=5400))
    assert sent(graph.calls[0]) == {
        "client_id": "1234",
        "client_secret": SECRET,
        "redirect_uri": "https://x.example/back/",
        "code": "the-code",
        "code_verifier": "verifier",
    }
    assert "?" not in graph.calls[0].request.url


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize(("answer", "days"), [({"expires_in": 864000}, 10), ({}, 60)])
def test_a_token_becomes_a_long_lived_one(graph, meta, answer, days):
    graph.post(f"{BASE}/oauth/access_token", json={"access_token": "long" + TOKEN, **answer})
    found = meta.long_lived(TOKEN)
    assert found == UserToken("long" + TOKEN, NOW + timedelta(days=days))
    assert sent(graph.calls[0]) == {
        "grant_type": "fb_exchange_token",
        "client_id": "1234",
        "client_secret": SECRET,
        "fb_exchange_token": TOKEN,
    }
    assert "?" not in graph.calls[0].request.url


def test_a_code_that_was_used_already(graph, meta):
    words = "This authorization code has been used."
    graph.post(f"{BASE}/oauth/access_token", json=error(100, 36009, words), status=400)
    with pytest.raises(RejectedError) as caught:
        meta.exchange_code("the-code", "https://x.example/")
    assert "Start again" in caught.value.message
    assert caught.value.platform_message == words


def test_a_wrong_app_secret(graph, meta):
    graph.post(f"{BASE}/oauth/access_token", json=error(1, None, "Error validating client secret."), status=400)
    with pytest.raises(OurBugError):
        meta.exchange_code("the-code", "https://x.example/")


def test_a_token_answer_without_a_token(graph, meta):
    graph.post(f"{BASE}/oauth/access_token", json={"token_type": "bearer"})
    with pytest.raises(TemporaryError):
        meta.exchange_code("the-code", "https://x.example/")


def test_me_and_permissions(graph, meta):
    graph.get(f"{BASE}/me", json={"id": "55", "name": "Ann"})
    graph.get(
        f"{BASE}/me/permissions",
        json={
            "data": [
                {"permission": "pages_show_list", "status": "granted"},
                {"permission": "read_insights", "status": "declined"},
                {"permission": "instagram_basic", "status": "expired"},
            ]
        },
    )
    person = meta.me(TOKEN)
    assert (person.id, person.name) == ("55", "Ann")
    assert meta.permissions(TOKEN) == Permissions(("pages_show_list",), ("read_insights",), ("instagram_basic",))


def test_a_token_is_inspected(graph, meta):
    graph.get(
        f"{BASE}/debug_token",
        json={
            "data": {
                "app_id": "1234",
                "type": "USER",
                "is_valid": True,
                "expires_at": 0,
                "data_access_expires_at": 1800000000,
                "scopes": ["pages_show_list"],
                "granular_scopes": [{"scope": "pages_show_list", "target_ids": ["900"]}, {"scope": "read_insights"}],
                "user_id": "55",
            }
        },
    )
    info = meta.debug_token(TOKEN)
    assert info.is_valid
    assert info.expires_at is None
    assert info.data_access_expires_at == datetime.fromtimestamp(1800000000, UTC)
    assert info.granular == {"pages_show_list": ("900",), "read_insights": ()}
    request = graph.calls[0].request
    assert request.headers["Authorization"] == f"Bearer 1234|{SECRET}"
    assert sent(graph.calls[0])["input_token"] == TOKEN


def test_a_dead_token_is_an_answer_too(graph, meta):
    dead = {"is_valid": False, "error": {"code": 190, "subcode": 463, "message": "Session has expired"}, "scopes": []}
    graph.get(f"{BASE}/debug_token", json={"data": dead})
    info = meta.debug_token(TOKEN)
    assert (info.is_valid, info.error_code, info.error_subcode) == (False, "190", "463")


def test_revoking(graph, meta):
    graph.delete(f"{BASE}/me/permissions", json={"success": True})
    meta.revoke(TOKEN)
    assert set(sent(graph.calls[0])) <= declared("User", "DELETE", "permissions")


def test_deleting_what_is_gone_is_no_error(graph, meta):
    graph.delete(f"{BASE}/123", json=error(100, 33), status=400)
    meta.delete("123", TOKEN)


# Every call


def test_token_in_the_header_and_a_proof_for_it(graph, meta):
    graph.get(f"{BASE}/900", json={"id": "900"})
    graph.post(f"{BASE}/900/feed", json={"id": "900_1"})
    meta.get("900", TOKEN, {"fields": "id"})
    meta.post("900/feed", TOKEN, {"message": "Hello"})
    proof = hmac.new(SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()
    for call in graph.calls:
        assert call.request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert sent(call)["appsecret_proof"] == proof
        assert TOKEN not in call.request.url
        assert TOKEN not in (call.request.body or "")
    assert "?" not in graph.calls[1].request.url


def test_each_token_has_a_proof_of_its_own(meta):
    assert meta.proof(TOKEN) != meta.proof("EAAother")


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ({"json": error(190, 463), "status": 400}, ReconnectError),
        ({"json": error(1), "status": 500}, OutcomeUnknownError),
        ({"body": "<html>Sorry</html>", "status": 502}, OutcomeUnknownError),
        ({"body": "", "status": 200}, OutcomeUnknownError),
        ({"json": {"error": {"code": 190}}, "status": 200}, ReconnectError),
    ],
)
def test_answers_to_a_call_that_publishes(graph, meta, answer, wanted):
    graph.post(f"{BASE}/900/feed", **answer)
    with pytest.raises(wanted):
        meta.post("900/feed", TOKEN, {}, commit=True)


def test_no_token_in_logs_and_errors(graph, meta, caplog):
    graph.get(f"{BASE}/900", json=error(190, None, f"Malformed access token {TOKEN}"), status=400)
    with caplog.at_level(logging.DEBUG), pytest.raises(ReconnectError) as caught:
        meta.get("900", TOKEN)
    assert TOKEN not in caplog.text + str(caught.value) + repr(vars(caught.value))


# Paging


def test_pages_are_followed_by_cursor_until_there_is_no_next(graph, meta):
    onward = {"cursors": {"after": "AFTER1"}, "next": f"{BASE}/900/x?access_token={TOKEN}&after=AFTER1"}
    graph.get(f"{BASE}/900/x", json={"data": [{"id": "1"}], "paging": onward})
    graph.get(f"{BASE}/900/x", json={"data": [], "paging": {**onward, "cursors": {"after": "AFTER2"}}})
    graph.get(f"{BASE}/900/x", json={"data": [{"id": "2"}], "paging": {"cursors": {"after": "AFTER3"}}})
    assert [entry["id"] for entry in meta.paged("900/x", TOKEN, {"limit": "1"})] == ["1", "2"]
    assert [sent(call).get("after") for call in graph.calls] == [None, "AFTER1", "AFTER2"]
    assert all(TOKEN not in call.request.url for call in graph.calls)


def test_pages_by_time_are_followed_too(graph, meta):
    onward = {"next": f"https://elsewhere.example/x?access_token={TOKEN}&until=170&__paging_token=enc&limit=1"}
    graph.get(f"{BASE}/900/x", json={"data": [{"id": "1"}], "paging": onward})
    graph.get(f"{BASE}/900/x", json={"data": [{"id": "2"}]})
    assert [entry["id"] for entry in meta.paged("900/x", TOKEN, {"since": "100"})] == ["1", "2"]
    asked = sent(graph.calls[1])
    assert (asked["until"], asked["__paging_token"], asked["since"]) == ("170", "enc", "100")
    assert urlsplit(graph.calls[1].request.url).netloc == "graph.facebook.com"


def test_paging_ends_at_its_limit(graph, meta):
    onward = {"cursors": {"after": "A"}, "next": "https://graph.facebook.com/x"}
    graph.get(f"{BASE}/900/x", json={"data": [{"id": "1"}], "paging": onward})
    assert len(list(meta.paged("900/x", TOKEN, {}, page_limit=3))) == 3


def test_too_much_data_is_asked_for_in_halves(graph, meta):
    words = "Please reduce the amount of data you're asking for, then retry your request"
    graph.get(f"{BASE}/900/x", json=error(1, None, words), status=500)
    graph.get(f"{BASE}/900/x", json={"data": [{"id": "1"}]})
    assert len(list(meta.paged("900/x", TOKEN, {"limit": "100"}))) == 1
    assert [sent(call)["limit"] for call in graph.calls] == ["100", "50"]


def test_too_much_data_even_for_one(graph, meta):
    graph.get(f"{BASE}/900/x", json=error(1, None, "Please reduce the amount of data"), status=500)
    with pytest.raises(TemporaryError):
        list(meta.paged("900/x", TOKEN, {"limit": "2"}))
    assert len(graph.calls) == 2


# Batch


def test_a_batch_answers_in_order_with_errors_in_their_places(graph, meta):
    graph.post(f"{BASE}/", json=[part({"id": "1"}), part(error(100, 33), 400), {"code": 200, "body": "no json"}])
    found = meta.batch(TOKEN, ["1?fields=id", "2?fields=id", "3"])
    assert found[0] == {"id": "1"}
    assert [type(entry) for entry in found[1:]] == [NotFoundError, TemporaryError]
    assert json.loads(sent(graph.calls[0])["batch"])[1] == {"method": "GET", "relative_url": "2?fields=id"}
    assert sent(graph.calls[0])["include_headers"] == "false"


def test_what_timed_out_in_a_batch_is_asked_once_more(graph, meta):
    graph.post(f"{BASE}/", json=[None, part({"id": "2"}), None])
    graph.get(f"{BASE}/1", json={"id": "1"})
    graph.get(f"{BASE}/3", json=error(2), status=500)
    first, second, third = meta.batch(TOKEN, ["1?fields=id", "2?fields=id", "3?fields=id"])
    assert (first, second) == ({"id": "1"}, {"id": "2"})
    assert isinstance(third, TemporaryError)
    assert sent(graph.calls[1])["fields"] == "id"
    assert sent(graph.calls[1])["appsecret_proof"] == meta.proof(TOKEN)


def test_a_long_batch_goes_in_parts_of_fifty(graph, meta):
    graph.add_callback(
        responses.POST,
        f"{BASE}/",
        callback=lambda request: (
            200,
            {},
            json.dumps(
                [part({"id": entry["relative_url"]}) for entry in json.loads(parse_qs(request.body)["batch"][0])]
            ),
        ),
    )
    wanted = [str(number) for number in range(120)]
    with counting() as calls:
        assert [entry["id"] for entry in meta.batch(TOKEN, wanted)] == wanted
    assert calls.number == len(wanted), "Meta counts every part"
    assert [len(addresses(call)) for call in graph.calls] == [50, 50, 20]


def test_an_empty_batch_calls_nobody(graph, meta):
    assert meta.batch(TOKEN, []) == []


# Pages


def page_entry(page_id, name="Garage", **more):
    return {
        "id": page_id,
        "name": name,
        "access_token": f"EAApage{page_id}tokentokentoken",
        "tasks": ["ANALYZE", "CREATE_CONTENT"],
        "category": "Cars",
        "picture": {"data": {"url": "https://cdn.example/p.jpg"}},
        "followers_count": 1204,
        **more,
    }


@pytest.fixture
def no_portfolio(graph):
    graph.get(f"{BASE}/me/businesses", json=error(200, None, "Requires business_management"), status=403)
    graph.get(f"{BASE}/debug_token", json=error(1), status=500)


def test_pages_with_and_without_instagram(graph, meta, no_portfolio):
    linked = {
        "id": "17800",
        "username": "garage",
        "name": "Garage IG",
        "profile_picture_url": "https://cdn.example/i.jpg",
        "followers_count": 99,
    }
    onward = {"cursors": {"after": "A"}, "next": "https://graph.facebook.com/x"}
    graph.get(
        f"{BASE}/me/accounts",
        json={"data": [page_entry("900", instagram_business_account=linked, username="garage")], "paging": onward},
    )
    graph.get(f"{BASE}/me/accounts", json={"data": [page_entry("901", "A Barn")]})
    barn, garage = meta.pages(TOKEN)
    assert (barn.id, barn.instagram, barn.obstacle) == ("901", None, "")
    assert (garage.id, garage.username, garage.followers, garage.category) == ("900", "garage", 1204, "Cars")
    assert garage.picture == "https://cdn.example/p.jpg"
    assert garage.token == "EAApage900tokentokentoken"
    assert garage.token not in repr(garage)
    assert (garage.instagram.id, garage.instagram.username, garage.instagram.followers) == ("17800", "garage", 99)
    accounts = next(call for call in graph.calls if path_of(call) == "me/accounts")
    assert sent(accounts)["limit"] == "100"
    assert set(sent(accounts)) <= declared("User", "GET", "accounts")


def test_the_fields_of_a_page_are_declared():
    assert top_fields(PAGE_FIELDS) <= set(NAMES["fields"]["Page"]) | EDGES["Page"]
    inner = PAGE_FIELDS.split("instagram_business_account{")[1].rstrip("}")
    assert top_fields(inner) <= set(NAMES["fields"]["IGUser"])


@pytest.mark.parametrize(
    ("entry", "connectable"),
    [
        ({"tasks": ["CREATE_CONTENT"]}, True),
        ({"tasks": ["MANAGE"]}, True),
        ({"tasks": ["PROFILE_PLUS_CREATE_CONTENT", "PROFILE_PLUS_ANALYZE"]}, True),
        ({"tasks": ["PROFILE_PLUS_FULL_CONTROL"]}, True),
        ({"tasks": ["ANALYZE", "MODERATE"]}, False),
        ({"tasks": []}, False),
        ({"access_token": None}, False),
    ],
)
def test_who_may_not_publish_is_told_why(graph, meta, no_portfolio, entry, connectable):
    graph.get(f"{BASE}/me/accounts", json={"data": [page_entry("900", **entry)]})
    (page,) = meta.pages(TOKEN)
    assert bool(page.obstacle) is not connectable


def test_a_page_that_does_not_tell_its_tasks_may_be_tried(graph, meta, no_portfolio):
    entry = page_entry("900")
    del entry["tasks"]
    graph.get(f"{BASE}/me/accounts", json={"data": [entry]})
    assert meta.pages(TOKEN)[0].obstacle == ""


def test_pages_of_business_portfolios_are_found(graph, meta):
    graph.get(f"{BASE}/me/accounts", json={"data": [page_entry("900", access_token=None)]})
    graph.get(f"{BASE}/me/businesses", json={"data": [{"id": "70"}, {"id": "71"}]})
    graph.get(f"{BASE}/70/owned_pages", json={"data": [page_entry("900"), page_entry("902", "Owned")]})
    graph.get(f"{BASE}/70/client_pages", json=error(100), status=400)
    graph.get(f"{BASE}/71/owned_pages", json={"data": []})
    graph.get(
        f"{BASE}/71/client_pages",
        json={"data": [page_entry("903", "Client"), page_entry("902", "No", access_token=None)]},
    )
    granted = [
        {"scope": "pages_show_list", "target_ids": ["900", "904"]},
        {"scope": "pages_manage_posts", "target_ids": ["904", "905"]},
        {"scope": "instagram_basic", "target_ids": ["17800"]},
    ]
    graph.get(f"{BASE}/debug_token", json={"data": {"is_valid": True, "granular_scopes": granted}})
    graph.get(f"{BASE}/904", json=page_entry("904", "Granted"))
    graph.get(f"{BASE}/905", json=error(100, 33), status=400)
    pages = {page.id: page for page in meta.pages(TOKEN)}
    assert set(pages) == {"900", "902", "903", "904"}
    assert all(page.token for page in pages.values())  # the copy with a token wins
    assert pages["902"].name == "Owned"
    for call in graph.calls:
        if path_of(call).endswith(("owned_pages", "client_pages")):
            assert set(sent(call)) <= declared("Business", "GET", path_of(call).split("/")[1])
        if path_of(call).endswith("/904"):
            assert "tasks" not in sent(call)["fields"], "a field of the edges, which the Page node refuses"


def test_no_pages_at_all_is_no_error(graph, meta, no_portfolio):
    graph.get(f"{BASE}/me/accounts", json={"data": []})
    assert meta.pages(TOKEN) == []


def test_a_lost_token_is_an_error_of_the_first_way(graph, meta):
    graph.get(f"{BASE}/me/accounts", json=error(190, 463), status=400)
    with pytest.raises(ReconnectError):
        meta.pages(TOKEN)


# signed_request


def signed(payload, secret=SECRET):
    body = base64.urlsafe_b64encode(json.dumps(payload).encode()).rstrip(b"=").decode()
    digest = hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() + "." + body


GOOD = {"algorithm": "HMAC-SHA256", "issued_at": 1800000000, "user_id": "55"}


def test_a_signed_request_of_meta(meta):
    found = meta.signed_request(signed(GOOD))
    assert found.user_id == "55"
    assert found.issued_at == datetime.fromtimestamp(1800000000, UTC)


@pytest.mark.parametrize(
    "value",
    [
        "",
        ".",
        "nonsense",
        "a.b.c",
        "ä.ö",
        signed(GOOD, "another-secret"),
        signed(GOOD)[:-2] + "xx",
        "." + signed(GOOD).split(".")[1],
        signed({**GOOD, "algorithm": "none"}),
        signed(["not", "an", "object"]),
    ],
)
def test_a_signed_request_of_somebody_else(meta, value):
    with pytest.raises(InvalidSignedRequest):
        meta.signed_request(value)
