"""The simulated login of Instagram: consent, three kinds of tokens, and the host that knows no Pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from tests.sandbox.refusals import accepted, refusal
from tests.sandbox_process import INSTAGRAM_APP_ID, INSTAGRAM_APP_SECRET, VERSION, Sandbox, start_sandbox

pytestmark = pytest.mark.processes

BACK = "http://127.0.0.1:9/back"
BASIC = "instagram_business_basic"
ALL = f"{BASIC},instagram_business_content_publish,instagram_business_manage_insights"
DAY = 86_400


def dialog(sandbox: Sandbox, **changes: str) -> str:
    values = {
        "client_id": INSTAGRAM_APP_ID,
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": ALL,
        "state": "s",
    }
    return f"{sandbox.url}/instagram/dialog/oauth/authorize?{urlencode({**values, **changes})}"


def code_of(back: str) -> str:
    return parse_qs(urlsplit(back).query)["code"][0]


def redeem(sandbox: Sandbox, code: str, **changes: str) -> requests.Response:
    form = {
        "client_id": INSTAGRAM_APP_ID,
        "client_secret": INSTAGRAM_APP_SECRET,
        "grant_type": "authorization_code",
        "redirect_uri": BACK,
        "code": code,
        **changes,
    }
    return sandbox.session.post(f"{sandbox.url}/instagram/api/oauth/access_token", data=form, timeout=10)


def exchange(sandbox: Sandbox, token: str, secret: str = INSTAGRAM_APP_SECRET) -> requests.Response:
    query = {"grant_type": "ig_exchange_token", "client_secret": secret, "access_token": token}
    return sandbox.session.get(f"{sandbox.url}/instagram/graph/access_token", params=query, timeout=10)


def refresh(sandbox: Sandbox, token: str) -> requests.Response:
    query = {"grant_type": "ig_refresh_token", "access_token": token}
    return sandbox.session.get(f"{sandbox.url}/instagram/graph/refresh_access_token", params=query, timeout=10)


def call(sandbox: Sandbox, method: str, path: str, token: str, **params: Any) -> requests.Response:
    address = f"{sandbox.url}/instagram/graph/{VERSION}/{path}"
    where = {"params": params} if method == "GET" else {"data": params}
    return sandbox.session.request(method, address, headers={"Authorization": f"Bearer {token}"}, timeout=10, **where)


# Consent


def test_the_whole_way(sandbox: Sandbox) -> None:
    back = sandbox.instagram_consent(dialog(sandbox))
    assert back.startswith(f"{BACK}?code=")
    assert back.endswith("#_")
    row = accepted(redeem(sandbox, code_of(back)))["data"][0]
    assert row["permissions"] == ALL
    long = accepted(exchange(sandbox, row["access_token"]))
    assert long["expires_in"] == 60 * DAY
    me = accepted(call(sandbox, "GET", "me", long["access_token"], fields="user_id,username,account_type"))
    assert (me["username"], me["account_type"]) == ("ines.ink", "MEDIA_CREATOR")
    assert me["user_id"] == sandbox.instagram().account_id
    assert me["id"] == str(row["user_id"]) != me["user_id"]


def test_every_account_can_be_chosen(sandbox: Sandbox) -> None:
    page = sandbox.session.get(dialog(sandbox), timeout=10).text
    for name in ("@ines.ink", "@petra.private", "@camarogarage"):
        assert name in page


def test_a_no(sandbox: Sandbox) -> None:
    query = parse_qs(urlsplit(sandbox.instagram_consent(dialog(sandbox), cancel=True)).query)
    assert (query["error"], query["error_reason"], query["state"]) == (["access_denied"], ["user_denied"], ["s"])


def test_the_basic_right_cannot_be_declined_and_others_can(sandbox: Sandbox) -> None:
    back = sandbox.instagram_consent(dialog(sandbox), declined=(BASIC, "instagram_business_manage_insights"))
    row = accepted(redeem(sandbox, code_of(back)))["data"][0]
    assert row["permissions"] == f"{BASIC},instagram_business_content_publish"


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "100000000000001"},
        {"redirect_uri": "https://evil.example/"},
        {"response_type": "token"},
        {"scope": "instagram_basic"},
        {"scope": "instagram_business_content_publish"},
    ],
)
def test_a_wrong_request_is_stopped(sandbox: Sandbox, changes: dict[str, str]) -> None:
    assert sandbox.session.get(dialog(sandbox, **changes), allow_redirects=False, timeout=10).status_code == 400


def test_a_code_is_good_once(sandbox: Sandbox) -> None:
    code = code_of(sandbox.instagram_consent(dialog(sandbox)))
    accepted(redeem(sandbox, code))
    again = redeem(sandbox, code)
    assert again.status_code == 400
    assert set(again.json()) == {"error_type", "code", "error_message"}
    assert "already used" in again.json()["error_message"]


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "1"},
        {"client_secret": "wrong"},
        {"grant_type": "ig_exchange_token"},
        {"redirect_uri": f"{BACK}/other"},
    ],
)
def test_a_wrong_exchange_uses_nothing_up(sandbox: Sandbox, changes: dict[str, str]) -> None:
    code = code_of(sandbox.instagram_consent(dialog(sandbox)))
    assert redeem(sandbox, code, **changes).status_code == 400
    accepted(redeem(sandbox, code))


def test_a_code_runs_out(sandbox: Sandbox) -> None:
    code = code_of(sandbox.instagram_consent(dialog(sandbox)))
    sandbox.advance(3601)
    assert redeem(sandbox, code).status_code == 400


# Tokens


def test_a_short_token_lives_for_an_hour(sandbox: Sandbox) -> None:
    code = code_of(sandbox.instagram_consent(dialog(sandbox)))
    token = accepted(redeem(sandbox, code))["data"][0]["access_token"]
    accepted(call(sandbox, "GET", "me", token))
    sandbox.advance(3601)
    assert refusal(call(sandbox, "GET", "me", token)) == (190, 463)
    assert refusal(exchange(sandbox, token)) == (190, 463)


def test_the_exchange_wants_the_secret_and_a_short_token(sandbox: Sandbox) -> None:
    token = sandbox.instagram().access_token
    assert refusal(exchange(sandbox, token)) == (100, None)
    short = sandbox.instagram(seconds=3600).access_token
    assert refusal(exchange(sandbox, short, secret="wrong")) == (1, None)
    accepted(exchange(sandbox, short))


def test_a_refresh_needs_a_day_and_gives_sixty(sandbox: Sandbox) -> None:
    token = sandbox.instagram().access_token
    assert refusal(refresh(sandbox, token)) == (100, None)
    sandbox.advance(DAY - 60)
    assert refusal(refresh(sandbox, token)) == (100, None)
    sandbox.advance(61)
    answer = accepted(refresh(sandbox, token))
    assert answer["expires_in"] == 60 * DAY
    assert answer["access_token"] != token
    assert refusal(refresh(sandbox, answer["access_token"])) == (100, None), "the new one is young again"


def test_an_expired_token_is_not_refreshed(sandbox: Sandbox) -> None:
    token = sandbox.instagram(age_seconds=60 * DAY).access_token
    assert refusal(refresh(sandbox, token)) == (190, 463)


def test_a_short_token_is_not_refreshed(sandbox: Sandbox) -> None:
    assert refusal(refresh(sandbox, sandbox.instagram(seconds=3600).access_token)) == (100, None)


def test_a_switch_ages_the_tokens(sandbox: Sandbox) -> None:
    token = sandbox.instagram().access_token
    assert sandbox.switch("instagram", "ines.ink", "age") == 1
    accepted(refresh(sandbox, token))
    with pytest.raises(requests.HTTPError):
        sandbox.switch("linkedin", "lena", "age")


def test_the_other_switches(sandbox: Sandbox) -> None:
    token = sandbox.instagram().access_token
    assert sandbox.switch("instagram", "ines.ink", "remove_permission", "instagram_business_manage_insights") == 1
    account = sandbox.instagram().account_id
    insights = {"metric": "reach", "period": "day"}
    assert refusal(call(sandbox, "GET", f"{account}/insights", token, **insights)) == (10, None)
    sandbox.switch("instagram", "ines.ink", "revoke")
    assert refusal(call(sandbox, "GET", "me", token)) == (190, 458)
    fresh = sandbox.instagram().access_token
    sandbox.switch("instagram", "ines.ink", "expire")
    assert refusal(call(sandbox, "GET", "me", fresh)) == (190, 463)


def test_a_refresh_whose_answer_is_lost_can_be_repeated(sandbox: Sandbox) -> None:
    token = sandbox.instagram(age_seconds=46 * DAY).access_token
    sandbox.switch("instagram", "ines.ink", "lose_refresh_answer")
    with pytest.raises(requests.ConnectionError):
        refresh(sandbox, token)
    accepted(refresh(sandbox, token))
    assert sandbox.calls()["GET instagram.refresh"] == 2


@pytest.mark.parametrize("edge", ["instagram.token", "instagram.exchange", "instagram.refresh"])
def test_faults_on_the_calls_about_tokens(sandbox: Sandbox, edge: str) -> None:
    token = sandbox.instagram(seconds=3600).access_token
    make = {"instagram.token": redeem, "instagram.exchange": exchange, "instagram.refresh": refresh}[edge]
    sandbox.fault("error_before", edge=edge)
    assert make(sandbox, token).status_code == 500


# The host


def test_the_tokens_of_one_host_are_no_good_at_the_other(sandbox: Sandbox) -> None:
    gina, linked = sandbox.person("gina"), sandbox.instagram("camarogarage")
    assert refusal(call(sandbox, "GET", "me", str(gina.page.access_token))) == (190, None)
    response = sandbox.session.get(
        f"{sandbox.graph_url}/{VERSION}/{linked.account_id}", params={"access_token": linked.access_token}, timeout=10
    )
    assert refusal(response) == (190, None)


def test_one_world_behind_both_hosts(sandbox: Sandbox, pictures: str) -> None:
    """The linked account has the same id and the same posts, whichever way one comes."""
    linked = sandbox.instagram("camarogarage")
    assert linked.account_id == sandbox.person("gina").page.instagram_id
    media = {"image_url": f"{pictures}/1080x1080.jpg", "caption": "By the other door"}
    container = accepted(call(sandbox, "POST", f"{linked.account_id}/media", linked.access_token, **media))["id"]
    assert refusal(
        call(sandbox, "POST", f"{linked.account_id}/media_publish", linked.access_token, creation_id=container)
    ) == (9007, 2207027)
    sandbox.advance(5)
    accepted(call(sandbox, "POST", f"{linked.account_id}/media_publish", linked.access_token, creation_id=container))
    assert [post["message"] for post in sandbox.feed(linked.account_id)] == ["By the other door"]
    answer = accepted(call(sandbox, "GET", f"{linked.account_id}/media", linked.access_token, fields="caption"))
    assert [row["caption"] for row in answer["data"]] == ["By the other door"]


def test_only_the_own_account(sandbox: Sandbox) -> None:
    ines, linked = sandbox.instagram(), sandbox.instagram("camarogarage")
    assert refusal(call(sandbox, "GET", linked.account_id, ines.access_token)) == (100, 33)
    page_id = sandbox.person("gina").page.id
    assert refusal(call(sandbox, "GET", page_id, linked.access_token)) == (100, 33)
    assert refusal(call(sandbox, "GET", "me/accounts", linked.access_token)) == (2500, None)


def test_publishing_needs_its_own_right(sandbox: Sandbox) -> None:
    ines = sandbox.instagram(scopes=[BASIC])
    response = call(
        sandbox, "POST", f"{ines.account_id}/media", ines.access_token, image_url="http://127.0.0.1:9/a.jpg"
    )
    assert refusal(response) == (10, None)
    assert "instagram_business_content_publish" in response.json()["error"]["message"]


def test_a_personal_account_cannot_be_published_to(sandbox: Sandbox) -> None:
    petra = sandbox.instagram("petra.private")
    assert accepted(call(sandbox, "GET", "me", petra.access_token, fields="account_type"))["account_type"] == "PERSONAL"
    assert refusal(call(sandbox, "GET", f"{petra.account_id}/media", petra.access_token)) == (10, None)
    sandbox.instagram_account("petra.private", "BUSINESS")
    accepted(call(sandbox, "GET", f"{petra.account_id}/media", petra.access_token))


def test_what_this_host_does_not_have(sandbox: Sandbox, pictures: str) -> None:
    ines = sandbox.instagram()
    media = {"image_url": f"{pictures}/1080x1080.jpg"}
    container = accepted(call(sandbox, "POST", f"{ines.account_id}/media", ines.access_token, **media))["id"]
    sandbox.advance(5)
    media_id = accepted(
        call(sandbox, "POST", f"{ines.account_id}/media_publish", ines.access_token, creation_id=container)
    )["id"]
    assert refusal(call(sandbox, "GET", media_id, ines.access_token, fields="saved_count"))[0] == 100
    assert refusal(call(sandbox, "GET", f"{media_id}/insights", ines.access_token, metric="total_views"))[0] == 100
    accepted(call(sandbox, "GET", f"{media_id}/insights", ines.access_token, metric="views,reach,saved"))
    assert refusal(call(sandbox, "DELETE", media_id, ines.access_token))[0] == 100
    parts = json.dumps([{"method": "GET", "relative_url": "me"}])
    assert refusal(call(sandbox, "POST", "", ines.access_token, batch=parts))[0] in (100, 2500)
    assert len(sandbox.feed(ines.account_id)) == 1


def test_the_other_host_knows_neither_its_fields_nor_its_accounts(sandbox: Sandbox) -> None:
    gina, ines = sandbox.person("gina"), sandbox.instagram()
    token = str(gina.page.access_token)
    assert refusal(sandbox.call("GET", str(gina.page.instagram_id), token, fields="account_type"))[0] == 100
    assert refusal(sandbox.call("GET", ines.account_id, token)) == (100, 33)


def test_the_pages_of_the_sandbox_show_it(sandbox: Sandbox) -> None:
    front = sandbox.session.get(sandbox.url, timeout=10).text
    assert "Instagram, without a Page" in front
    assert "@ines.ink" in front
    assert "nothing" in sandbox.session.get(f"{sandbox.url}/feeds/instagram/ines.ink/", timeout=10).text.lower()
    board = sandbox.session.get(f"{sandbox.url}/switchboard/", timeout=10).text
    assert "Instagram (without a Page)" in board
    assert "Make 46 days older" in board
    assert sandbox.session.get(f"{sandbox.url}/media/portraits/{sandbox.instagram().account_id}.png", timeout=10).ok


def test_a_file_of_an_earlier_version_gets_the_accounts_without_a_page(tmp_path: Path) -> None:
    first = start_sandbox(tmp_path)
    linked = first.instagram("camarogarage")
    first.stop()
    state = tmp_path / "sandbox.json"
    saved = json.loads(state.read_text())
    tables = saved["tables"]
    tables["instagrams"] = [one for one in tables["instagrams"] if one.pop("account_type") and one["page_id"]]
    del tables["instagram_codes"]
    state.write_text(json.dumps(saved))

    second = start_sandbox(tmp_path)
    ines = second.instagram()
    known = call(second, "GET", "me", linked.access_token, fields="account_type").json()
    second.stop()
    assert ines.username == "ines.ink"
    assert known["account_type"] == "BUSINESS"
