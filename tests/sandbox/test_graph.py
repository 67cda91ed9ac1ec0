"""What every call of the Graph API has in common: version, token, proof, parameters, headers, batch."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from tests.sandbox.refusals import accepted, refusal
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.processes


def test_the_answer_names_the_version_that_was_served(sandbox: Sandbox) -> None:
    token = sandbox.person("gina").user_token

    response = sandbox.call("GET", "me", token, fields="id,name")

    assert accepted(response) == {"id": "10220000000000001", "name": "Gina Garage"}
    assert response.headers["facebook-api-version"] == "v26.0"


@pytest.mark.parametrize("version", ["v18.0", "v20.0", "v27.0"])
def test_a_dead_or_future_version_is_silently_served_by_the_oldest_alive(sandbox: Sandbox, version: str) -> None:
    response = sandbox.call("GET", "me", sandbox.person("gina").user_token, version=version)

    accepted(response)
    assert response.headers["facebook-api-version"] == "v21.0"


def test_versions_die_with_time(sandbox: Sandbox) -> None:
    token = sandbox.person("gina").user_token
    sandbox.advance(59 * 86_400)
    sandbox.advance(10 * 86_400)

    response = sandbox.call("GET", "me", sandbox.person("gina").user_token, version="v21.0")

    assert response.headers["facebook-api-version"] == "v22.0"
    assert refusal(sandbox.call("GET", "me", token)) == (190, 463)


def test_an_absurd_version_is_an_unknown_path(sandbox: Sandbox) -> None:
    response = sandbox.call("GET", "me", sandbox.person("gina").user_token, version="v99.0")

    assert refusal(response) == (2500, None)
    assert "Unknown path components" in response.text


def test_a_call_without_a_token_is_refused(sandbox: Sandbox) -> None:
    assert refusal(sandbox.call("GET", "me")) == (2500, None)


def test_an_unknown_token_is_refused(sandbox: Sandbox) -> None:
    assert refusal(sandbox.call("GET", "me", "EAAwrong")) == (190, None)


@pytest.mark.parametrize("proof", [None, "", "0" * 64])
def test_a_missing_or_wrong_proof_is_refused(sandbox: Sandbox, proof: str | None) -> None:
    token = sandbox.person("gina").user_token

    response = sandbox.call("GET", "me", None, access_token=token, appsecret_proof=proof)

    assert refusal(response) == (100, None)
    assert "appsecret_proof" in response.text


def test_the_proof_of_another_token_is_refused(sandbox: Sandbox) -> None:
    gina = sandbox.person("gina")

    response = sandbox.call(
        "GET", "me", None, access_token=gina.user_token, appsecret_proof=sandbox.proof(gina.page.access_token or "")
    )

    assert refusal(response) == (100, None)


def test_the_token_may_come_in_a_header(sandbox: Sandbox) -> None:
    token = sandbox.person("gina").user_token

    response = requests.get(
        f"{sandbox.graph_url}/v26.0/me",
        params={"appsecret_proof": sandbox.proof(token)},
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )

    assert accepted(response)["name"] == "Gina Garage"


@pytest.mark.parametrize("gone", [{"ids": "1,2"}, {"date_format": "U"}, {"metadata": "1"}])
def test_removed_parameters_are_refused(sandbox: Sandbox, gone: dict[str, Any]) -> None:
    assert refusal(sandbox.call("GET", "me", sandbox.person("gina").user_token, **gone)) == (100, None)


def test_an_unknown_parameter_of_a_post_is_refused(sandbox: Sandbox) -> None:
    page = sandbox.person("gina").page

    response = sandbox.call("POST", f"{page.id}/feed", page.access_token, message="x", idempotency_key="1")

    assert refusal(response) == (100, None)
    assert sandbox.feed(page.id) == []


def test_an_unknown_field_is_refused(sandbox: Sandbox) -> None:
    page = sandbox.person("gina").page

    assert refusal(sandbox.call("GET", page.id, page.access_token, fields="id,likes_total")) == (100, None)
    assert refusal(sandbox.call("GET", page.id, page.access_token, fields="id,start_info")) == (100, None)
    assert refusal(sandbox.call("GET", page.id, page.access_token, fields="id,,name")) == (2500, None)


def test_an_object_of_somebody_else_looks_like_a_missing_one(sandbox: Sandbox) -> None:
    gina, paul = sandbox.person("gina"), sandbox.person("paul")

    theirs = sandbox.call("GET", paul.page.id, gina.page.access_token)
    missing = sandbox.call("GET", "999", gina.page.access_token)

    assert refusal(theirs) == refusal(missing) == (100, 33)


def test_an_unknown_edge_is_refused(sandbox: Sandbox) -> None:
    page = sandbox.person("gina").page

    assert refusal(sandbox.call("GET", f"{page.id}/nothing", page.access_token)) == (2500, None)
    assert refusal(sandbox.call("GET", f"{page.id}/feed/more", page.access_token)) == (2500, None)


def test_usage_of_the_app_grows_with_its_calls(sandbox: Sandbox) -> None:
    token = sandbox.person("gina").user_token
    first = json.loads(sandbox.call("GET", "me", token).headers["X-App-Usage"])["call_count"]

    parts = [{"method": "GET", "relative_url": "me"}] * 50
    for _ in range(8):
        sandbox.call("POST", "", token, batch=json.dumps(parts))
    last = json.loads(sandbox.call("GET", "me", token).headers["X-App-Usage"])["call_count"]

    assert first == 0
    assert last == 2  # 402 of 20,000


def test_usage_of_an_account_names_it_and_its_kind(sandbox: Sandbox) -> None:
    page = sandbox.person("gina").page

    facebook = sandbox.call("GET", page.id, page.access_token).headers["X-Business-Use-Case-Usage"]
    instagram = sandbox.call("GET", page.instagram_id or "", page.access_token).headers["X-Business-Use-Case-Usage"]

    assert json.loads(facebook)[page.id][0]["type"] == "pages"
    assert json.loads(instagram)[page.instagram_id][0]["type"] == "instagram"


def test_a_batch_answers_in_order_and_each_part_for_itself(sandbox: Sandbox) -> None:
    gina, paul = sandbox.person("gina"), sandbox.person("paul")
    other = f"{paul.page.id}?access_token={paul.page.access_token}"
    parts = [
        {"method": "GET", "relative_url": f"{gina.page.id}?fields=name"},
        {"method": "GET", "relative_url": "999"},
        {"method": "GET", "relative_url": f"{other}&appsecret_proof={sandbox.proof(paul.page.access_token or '')}"},
        {"method": "GET", "relative_url": other},
    ]

    answer = accepted(
        sandbox.call("POST", "", gina.page.access_token, batch=json.dumps(parts), include_headers="false")
    )

    assert [part["code"] for part in answer] == [200, 400, 200, 400]
    assert json.loads(answer[0]["body"])["name"] == "Camaro Garage"
    assert json.loads(answer[1]["body"])["error"]["code"] == 100
    assert "appsecret_proof" in answer[3]["body"]
    assert "headers" not in answer[0]


def test_a_batch_has_at_most_fifty_parts(sandbox: Sandbox) -> None:
    parts = [{"method": "GET", "relative_url": "me"}] * 51

    assert refusal(sandbox.call("POST", "", sandbox.person("gina").user_token, batch=json.dumps(parts))) == (100, None)


def test_lists_come_in_pages(sandbox: Sandbox) -> None:
    alex = sandbox.person("alex")
    found: list[str] = []
    answer = accepted(sandbox.call("GET", "me/accounts", alex.user_token, fields="id", limit=50))
    while True:
        found += [page["id"] for page in answer["data"]]
        if "next" not in answer["paging"]:
            break
        address = f"{answer['paging']['next']}&appsecret_proof={sandbox.proof(alex.user_token)}"
        answer = accepted(requests.get(address, timeout=10))

    assert len(found) == len(set(found)) == 118


def test_more_than_a_hundred_at_once_is_too_much_data(sandbox: Sandbox) -> None:
    assert refusal(sandbox.call("GET", "me/accounts", sandbox.person("alex").user_token, limit=200)) == (1, None)


def test_the_host_of_uploads_refuses_in_its_own_shape(sandbox: Sandbox) -> None:
    response = requests.post(f"{sandbox.url}/rupload/nowhere/v26.0/1", timeout=10)

    assert response.status_code == 404
    assert set(response.json()["debug_info"]) == {"retriable", "type", "message"}
