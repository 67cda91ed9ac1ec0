"""The switch board: each fault, where it strikes, how often, and that nothing else is touched."""

from __future__ import annotations

import json
import time

import pytest
import requests

from tests.sandbox.conftest import image_bytes
from tests.sandbox.refusals import accepted, refusal
from tests.sandbox_process import GrantedPage, Sandbox


@pytest.fixture
def page(sandbox: Sandbox) -> GrantedPage:
    return sandbox.person("gina").page


def post(sandbox: Sandbox, page: GrantedPage, message: str = "x") -> requests.Response:
    return sandbox.call("POST", f"{page.id}/feed", page.access_token, message=message)


def messages(sandbox: Sandbox, page: GrantedPage) -> list[str]:
    return [entry["message"] for entry in sandbox.feed(page.id)]


def test_an_answer_lost_after_accepting_leaves_the_post(sandbox: Sandbox, page: GrantedPage) -> None:
    sandbox.fault("lost_answer", edge="feed")

    with pytest.raises(requests.ConnectionError):
        post(sandbox, page, "lost")
    accepted(post(sandbox, page, "told"))

    assert messages(sandbox, page) == ["lost", "told"]
    assert [entry["status"] for entry in sandbox.call_log()] == [0, 200]


def test_an_error_before_doing_anything_leaves_nothing(sandbox: Sandbox, page: GrantedPage) -> None:
    sandbox.fault("error_before", edge="feed")

    response = post(sandbox, page)

    assert response.status_code == 500
    assert refusal(response) == (2, None)
    assert messages(sandbox, page) == []


def test_an_error_after_doing_it_leaves_the_post(sandbox: Sandbox, page: GrantedPage) -> None:
    sandbox.fault("error_after", edge="feed")

    response = post(sandbox, page)

    assert response.status_code == 500
    assert refusal(response) == (1, None)
    assert messages(sandbox, page) == ["x"]


def test_rate_limited_tells_when_to_come_back(sandbox: Sandbox, page: GrantedPage) -> None:
    sandbox.fault("rate_limited", count=3, minutes=7)

    facebook = post(sandbox, page)
    instagram = sandbox.call("GET", page.instagram_id or "", page.access_token)
    app = sandbox.call("GET", "me/accounts", sandbox.person("gina").user_token)

    assert refusal(facebook) == (80001, None)
    usage = json.loads(facebook.headers["X-Business-Use-Case-Usage"])[page.id][0]
    assert (usage["call_count"], usage["estimated_time_to_regain_access"]) == (100, 7)
    assert refusal(instagram) == (80002, None)
    assert refusal(app) == (4, None)
    assert json.loads(app.headers["X-App-Usage"])["call_count"] == 100
    assert messages(sandbox, page) == []


def test_token_revoked_has_its_reason(sandbox: Sandbox, page: GrantedPage) -> None:
    sandbox.fault("token_revoked", account=page.id, subcode=459)

    assert refusal(post(sandbox, page)) == (190, 459)
    accepted(post(sandbox, page))


def test_slow_holds_the_call_back(sandbox: Sandbox, page: GrantedPage) -> None:
    sandbox.fault("slow", edge="feed", seconds=0.4)
    began = time.monotonic()

    accepted(post(sandbox, page))

    assert time.monotonic() - began >= 0.4


def test_a_rejected_image(sandbox: Sandbox, page: GrantedPage, pictures: str) -> None:
    sandbox.fault("rejected_image", count=2)
    accepted(post(sandbox, page))
    files = {"source": ("a.jpg", image_bytes(), "image/jpeg")}

    photo = sandbox.call("POST", f"{page.id}/photos", page.access_token, files=files)
    container = sandbox.call(
        "POST", f"{page.instagram_id}/media", page.access_token, image_url=f"{pictures}/320x320.jpg"
    )

    assert refusal(photo) == (324, None)
    assert refusal(container) == (36001, 2207005)


def test_a_duplicate_is_refused(sandbox: Sandbox, page: GrantedPage) -> None:
    accepted(post(sandbox, page))
    sandbox.fault("duplicate", edge="feed")

    assert refusal(post(sandbox, page)) == (506, None)
    assert messages(sandbox, page) == ["x"]


def test_a_fault_strikes_its_edge_its_account_and_as_often_as_said(sandbox: Sandbox, page: GrantedPage) -> None:
    other = sandbox.person("paul").page
    sandbox.fault("error_before", edge="POST feed", account=page.id, count=2)

    accepted(post(sandbox, other))
    accepted(sandbox.call("GET", f"{page.id}/feed", page.access_token))
    answers = [post(sandbox, page).status_code for _ in range(3)]

    assert answers == [500, 500, 200]


def test_a_fault_without_count_stays_until_switched_off(sandbox: Sandbox, page: GrantedPage) -> None:
    sandbox.fault("error_before", edge="feed", count=None)
    assert [post(sandbox, page).status_code for _ in range(3)] == [500] * 3

    sandbox.no_faults()

    accepted(post(sandbox, page))


def test_reading_is_spared_by_faults_of_writing(sandbox: Sandbox, page: GrantedPage) -> None:
    sandbox.fault("lost_answer")
    accepted(sandbox.call("GET", f"{page.id}/published_posts", page.access_token))

    with pytest.raises(requests.ConnectionError):
        post(sandbox, page)


def test_a_refused_call_does_not_use_up_a_fault(sandbox: Sandbox, page: GrantedPage) -> None:
    sandbox.fault("error_after", edge="feed")

    assert refusal(sandbox.call("POST", f"{page.id}/feed", "EAAwrong", message="x")) == (190, None)
    assert post(sandbox, page).status_code == 500


def test_tokens_can_fail_too(sandbox: Sandbox) -> None:
    sandbox.fault("error_before", edge="oauth")

    assert refusal(sandbox.call("POST", "oauth/access_token", code="x")) == (2, None)


def test_nonsense_is_refused(sandbox: Sandbox) -> None:
    response = requests.post(f"{sandbox.url}/control/faults", json={"kind": "earthquake"}, timeout=10)

    assert response.status_code == 400
    assert "lost_answer" in response.json()["error"]


# The page


def test_the_switch_board_switches_on_and_off(sandbox: Sandbox, page: GrantedPage) -> None:
    address = f"{sandbox.url}/switchboard/"
    form = {"kind": "error_before", "edge": "feed", "account": "all", "count": "0", "seconds": "1", "minutes": "1"}

    shown = requests.post(address, data=form, timeout=10)
    failed = post(sandbox, page).status_code
    off = requests.post(address, data={"off": "all"}, timeout=10)

    assert "500 before doing anything" in shown.text
    assert "until switched off" in shown.text
    assert failed == 500
    assert "The network works as it should" in off.text
    accepted(post(sandbox, page))


def test_the_switch_board_tells_what_is_wrong(sandbox: Sandbox) -> None:
    address = f"{sandbox.url}/switchboard/"

    assert requests.post(address, data={"kind": "slow", "seconds": "soon"}, timeout=10).status_code == 422
    assert requests.post(address, data={}, timeout=10).status_code == 422


def test_calls_are_counted_by_edge(sandbox: Sandbox, page: GrantedPage) -> None:
    post(sandbox, page)
    sandbox.call("GET", page.id, page.access_token)

    assert sandbox.calls() == {"POST feed": 1, "GET node": 1}
    log = sandbox.call_log()
    assert log[0]["account"] == page.id
    assert log[0]["params"] == {"message": "x"}
    assert (page.access_token or "-") not in json.dumps(log)
