"""The consent dialog, tokens, and what a person has to give."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.sandbox.refusals import accepted, refusal
from tests.sandbox_process import APP_ID, APP_SECRET, Sandbox

pytestmark = pytest.mark.processes

SCOPES = "pages_show_list,pages_read_engagement,pages_manage_posts,instagram_basic"
BACK = "http://127.0.0.1:9/back"


def exchange(sandbox: Sandbox, code: str, method: str = "POST", **more: str) -> requests.Response:
    values = {"client_id": APP_ID, "client_secret": APP_SECRET, "redirect_uri": BACK, "code": code, **more}
    return sandbox.call(method, "oauth/access_token", **values)


def user_token(sandbox: Sandbox, person: str = "gina", **more: Any) -> str:
    code = sandbox.code(person, scope=SCOPES, **more)
    return accepted(exchange(sandbox, code))["access_token"]


def long_lived(sandbox: Sandbox, token: str) -> requests.Response:
    return sandbox.call(
        "GET",
        "oauth/access_token",
        grant_type="fb_exchange_token",
        client_id=APP_ID,
        client_secret=APP_SECRET,
        fb_exchange_token=token,
    )


def debug(sandbox: Sandbox, token: str) -> dict:
    response = sandbox.call("GET", "debug_token", input_token=token, access_token=f"{APP_ID}|{APP_SECRET}")
    return accepted(response)["data"]


def offered(screen: str, scope: str) -> str:
    """The state of the check box of a permission, "" if it is not asked for."""
    box = re.search(rf'value="{scope}"([^>]*)>', screen)
    return " ".join(box[1].split()) if box else ""


# The dialog


def test_the_dialog_lets_one_choose_a_person_and_shows_what_is_asked(sandbox: Sandbox) -> None:
    address = sandbox.dialog_address(scope=SCOPES)

    people = requests.get(address, timeout=10).text
    screen = requests.get(f"{address}&person=gina", timeout=10).text

    assert all(name in people for name in ("Gina Garage", "Paul Partly", "Alex Agency"))
    assert "Continue as Gina" in screen
    assert "Camaro Garage" in screen
    assert offered(screen, "pages_manage_posts") == "checked"


def test_consent_sends_back_a_code_and_the_state(sandbox: Sandbox) -> None:
    back = urlsplit(sandbox.consent(sandbox.dialog_address(scope=SCOPES, state="xyz")))

    query = parse_qs(back.query)
    assert f"{back.scheme}://{back.netloc}{back.path}" == BACK
    assert query["state"] == ["xyz"]
    assert query["code"]


def test_cancelling_sends_back_a_refusal(sandbox: Sandbox) -> None:
    back = sandbox.consent(sandbox.dialog_address(scope=SCOPES, state="xyz"), cancel=True)

    query = parse_qs(urlsplit(back).query)
    assert query["error"] == ["access_denied"]
    assert query["error_reason"] == ["user_denied"]
    assert query["state"] == ["xyz"]
    assert "code" not in query


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"client_id": "1"}, "Invalid App ID"),
        ({"redirect_uri": "https://evil.example/back"}, "URL blocked"),
        ({"redirect_uri": ""}, "URL blocked"),
        ({"response_type": "token"}, "response_type"),
        ({"scope": "manage_pages"}, "Invalid Scopes: manage_pages"),
        ({"scope": "pages_show_list,made_up"}, "Invalid Scopes: made_up"),
        ({"config_id": "abc"}, "Invalid config_id"),
        ({"auth_type": "please"}, "Invalid auth_type"),
    ],
)
def test_a_wrong_request_stops_at_the_dialog(sandbox: Sandbox, wrong: dict[str, str], told: str) -> None:
    address = sandbox.dialog_address(**{"scope": SCOPES, **wrong})

    response = requests.get(address, allow_redirects=False, timeout=10)

    assert response.status_code == 400
    assert told in response.text


def test_an_absurd_version_stops_at_the_dialog(sandbox: Sandbox) -> None:
    address = sandbox.dialog_address(scope=SCOPES).replace("/v26.0/", "/v99.0/")

    assert requests.get(address, timeout=10).status_code == 400


def test_a_configuration_is_given_whole_or_not_at_all(sandbox: Sandbox) -> None:
    address = sandbox.dialog_address(config_id="123456")
    screen = requests.get(f"{address}&person=gina", timeout=10).text

    code = parse_qs(urlsplit(sandbox.consent(address)).query)["code"][0]
    token = accepted(exchange(sandbox, code))["access_token"]

    assert offered(screen, "pages_manage_posts") == "checked disabled"
    assert {"pages_manage_posts", "instagram_content_publish"} <= set(debug(sandbox, token)["scopes"])


# Codes


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_code_becomes_a_short_lived_token(sandbox: Sandbox, method: str) -> None:
    answer = accepted(exchange(sandbox, sandbox.code(scope=SCOPES), method))

    assert answer["token_type"] == "bearer"
    assert 3600 <= answer["expires_in"] <= 7200


def test_a_code_works_once(sandbox: Sandbox) -> None:
    code = sandbox.code(scope=SCOPES)
    accepted(exchange(sandbox, code))

    assert refusal(exchange(sandbox, code)) == (100, 36009)


def test_a_code_dies_after_ten_minutes(sandbox: Sandbox) -> None:
    code = sandbox.code(scope=SCOPES)
    sandbox.advance(601)

    assert refusal(exchange(sandbox, code)) == (100, 36007)


def test_the_redirect_address_must_be_the_same_again(sandbox: Sandbox) -> None:
    assert refusal(exchange(sandbox, sandbox.code(scope=SCOPES), redirect_uri=BACK + "/")) == (100, 36008)


def test_the_secret_must_be_right(sandbox: Sandbox) -> None:
    assert refusal(exchange(sandbox, sandbox.code(scope=SCOPES), client_secret="guess")) == (1, None)
    assert refusal(exchange(sandbox, sandbox.code(scope=SCOPES), client_id="2")) == (101, None)


def test_a_code_with_a_challenge_needs_its_verifier(sandbox: Sandbox) -> None:
    verifier = "v" * 50
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    address = sandbox.dialog_address(scope=SCOPES, code_challenge=challenge, code_challenge_method="S256")
    code = parse_qs(urlsplit(sandbox.consent(address)).query)["code"][0]

    assert refusal(exchange(sandbox, code)) == (100, 36010)
    assert refusal(exchange(sandbox, code, code_verifier="x" * 50)) == (100, 36010)
    accepted(exchange(sandbox, code, code_verifier=verifier))


# Tokens


def test_a_short_token_becomes_one_of_sixty_days(sandbox: Sandbox) -> None:
    answer = accepted(long_lived(sandbox, user_token(sandbox)))

    assert 59 * 86_400 < answer["expires_in"] <= 60 * 86_400


def test_an_expired_token_cannot_be_exchanged(sandbox: Sandbox) -> None:
    token = user_token(sandbox)
    sandbox.advance(2 * 3600)

    assert refusal(long_lived(sandbox, token)) == (190, 463)
    assert refusal(sandbox.call("GET", "me", token)) == (190, 463)


def page_token(sandbox: Sandbox, token: str) -> str:
    answer = accepted(sandbox.call("GET", "me/accounts", token, fields="id,access_token"))
    return answer["data"][0]["access_token"]


def test_the_page_token_of_a_short_lived_token_dies_with_it(sandbox: Sandbox) -> None:
    short = user_token(sandbox)
    long = accepted(long_lived(sandbox, short))["access_token"]
    dying, lasting = page_token(sandbox, short), page_token(sandbox, long)
    sandbox.advance(2 * 3600)

    assert refusal(sandbox.call("GET", "me", dying)) == (190, 463)
    assert accepted(sandbox.call("GET", "me", lasting))["name"] == "Camaro Garage"
    assert debug(sandbox, lasting)["expires_at"] == 0


def test_debug_token_tells_scopes_targets_and_ends(sandbox: Sandbox) -> None:
    facts = debug(sandbox, user_token(sandbox))

    assert facts["app_id"] == APP_ID
    assert facts["type"] == "USER"
    assert facts["is_valid"] is True
    assert set(SCOPES.split(",")) <= set(facts["scopes"])
    targets = {entry["scope"]: entry.get("target_ids") for entry in facts["granular_scopes"]}
    assert targets["pages_show_list"] == ["101000000000001"]
    assert targets["instagram_basic"] == ["17841400000000001"]


def test_debug_token_says_why_a_token_is_dead(sandbox: Sandbox) -> None:
    token = user_token(sandbox)
    sandbox.revoke("gina", 460)

    facts = debug(sandbox, token)

    assert facts["is_valid"] is False
    assert facts["error"]["subcode"] == 460
    assert debug(sandbox, "EAAnonsense")["is_valid"] is False


def test_only_the_app_may_ask_about_tokens(sandbox: Sandbox) -> None:
    token = user_token(sandbox)

    assert refusal(sandbox.call("GET", "debug_token", token, input_token=token)) == (190, None)


# Permissions


def test_declined_permissions_are_told(sandbox: Sandbox) -> None:
    token = user_token(sandbox, declined=("instagram_basic",))

    rows = accepted(sandbox.call("GET", "me/permissions", token))["data"]

    status = {row["permission"]: row["status"] for row in rows}
    assert status["instagram_basic"] == "declined"
    assert status["pages_show_list"] == "granted"


def test_what_was_declined_is_only_asked_again_on_rerequest(sandbox: Sandbox) -> None:
    user_token(sandbox, declined=("instagram_basic",))
    address = f"{sandbox.dialog_address(scope=SCOPES)}&person=gina"

    assert offered(requests.get(address, timeout=10).text, "instagram_basic") == ""
    assert offered(requests.get(f"{address}&auth_type=rerequest", timeout=10).text, "instagram_basic") == "checked"


def test_taking_all_permissions_away_kills_every_token(sandbox: Sandbox) -> None:
    token = user_token(sandbox)
    page = page_token(sandbox, token)

    accepted(sandbox.call("DELETE", "me/permissions", token))

    assert refusal(sandbox.call("GET", "me", token)) == (190, 458)
    assert refusal(sandbox.call("GET", "me", page)) == (190, 458)


def test_one_permission_can_be_taken_away(sandbox: Sandbox) -> None:
    token = user_token(sandbox)

    accepted(sandbox.call("DELETE", "me/permissions", token, permission="pages_manage_posts"))

    assert "pages_manage_posts" not in debug(sandbox, token)["scopes"]
    assert "pages_show_list" in debug(sandbox, token)["scopes"]


@pytest.mark.parametrize("subcode", [458, 459, 460])
def test_a_person_can_take_the_access_away(sandbox: Sandbox, subcode: int) -> None:
    gina = sandbox.person("gina")
    sandbox.revoke("gina", subcode)

    assert refusal(sandbox.call("GET", "me", gina.page.access_token)) == (190, subcode)


# Pages


def test_only_chosen_pages_are_listed(sandbox: Sandbox) -> None:
    token = user_token(sandbox, "alex", pages=["103000000000003", "103000000000005"])

    pages = accepted(sandbox.call("GET", "me/accounts", token))["data"]

    assert [page["id"] for page in pages] == ["103000000000003", "103000000000005"]
    assert refusal(sandbox.call("GET", "103000000000004", token)) == (100, 33)


def test_without_the_list_permission_there_are_no_pages(sandbox: Sandbox) -> None:
    token = user_token(sandbox, declined=("pages_show_list",))

    assert accepted(sandbox.call("GET", "me/accounts", token))["data"] == []


def test_pages_behind_a_portfolio_are_found_through_it_alone(sandbox: Sandbox) -> None:
    token = sandbox.person("alex").user_token
    direct = {page["id"] for page in pages_of(sandbox, token, "me/accounts")}
    business = accepted(sandbox.call("GET", "me/businesses", token))["data"][0]["id"]

    owned = {page["id"] for page in pages_of(sandbox, token, f"{business}/owned_pages")}
    client = {page["id"] for page in pages_of(sandbox, token, f"{business}/client_pages")}

    assert (len(direct), len(owned), len(client)) == (118, 8, 4)
    assert not direct & (owned | client)


def test_portfolios_need_their_permission(sandbox: Sandbox) -> None:
    token = sandbox.person("alex", scopes=["pages_show_list"]).user_token

    assert refusal(sandbox.call("GET", "me/businesses", token)) == (10, None)


def pages_of(sandbox: Sandbox, token: str, path: str) -> list[dict]:
    pages: list[dict] = []
    after: str | None = None
    while True:
        answer = accepted(sandbox.call("GET", path, token, fields="id,name,access_token,tasks", limit=100, after=after))
        pages += answer["data"]
        if "next" not in answer.get("paging", {}):
            return pages
        after = answer["paging"]["cursors"]["after"]


def test_a_page_without_a_role_has_no_token_and_an_analyst_has_few_tasks(sandbox: Sandbox) -> None:
    pages = {page["id"]: page for page in pages_of(sandbox, sandbox.person("alex").user_token, "me/accounts")}

    assert "access_token" not in pages["103000000000007"]
    assert pages["103000000000008"]["tasks"] == ["ANALYZE"]


def test_the_linked_instagram_account_shows_only_with_its_permission(sandbox: Sandbox) -> None:
    fields = "id,instagram_business_account{id,username,name,profile_picture_url,followers_count}"

    seen = accepted(sandbox.call("GET", "me/accounts", user_token(sandbox), fields=fields))["data"][0]
    hidden = sandbox.person("gina", scopes=["pages_show_list"]).user_token

    assert seen["instagram_business_account"]["username"] == "camarogarage"
    assert set(seen["instagram_business_account"]) == {
        "id",
        "username",
        "name",
        "profile_picture_url",
        "followers_count",
    }
    assert (
        "instagram_business_account"
        not in accepted(sandbox.call("GET", "me/accounts", hidden, fields=fields))["data"][0]
    )


def test_an_instagram_account_can_be_linked_later(sandbox: Sandbox) -> None:
    paul = sandbox.person("paul")
    fields: dict[str, Any] = {"fields": "instagram_business_account{username}"}
    before = accepted(sandbox.call("GET", paul.page.id, paul.page.access_token, **fields))

    requests.post(f"{sandbox.url}/pages/{paul.page.id}/link-instagram/", timeout=10).raise_for_status()

    after = accepted(sandbox.call("GET", paul.page.id, paul.page.access_token, **fields))
    assert "instagram_business_account" not in before
    assert after["instagram_business_account"]["username"] == "paulspottery"
