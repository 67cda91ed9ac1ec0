"""The switch board: each fault, where it strikes, how often, and that nothing else is touched."""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.sandbox.conftest import image_bytes
from tests.sandbox.refusals import accepted, refusal
from tests.sandbox_process import GrantedPage, Sandbox

pytestmark = pytest.mark.processes


@pytest.fixture
def gina(sandbox: Sandbox) -> GrantedPage:
    return sandbox.person("gina").page


def post(sandbox: Sandbox, page: GrantedPage, message: str = "x") -> requests.Response:
    return sandbox.call("POST", f"{page.id}/feed", page.access_token, message=message)


def messages(sandbox: Sandbox, page: GrantedPage) -> list[str]:
    return [entry["message"] for entry in sandbox.feed(page.id)]


def test_an_answer_lost_after_accepting_leaves_the_post(sandbox: Sandbox, gina: GrantedPage) -> None:
    sandbox.fault("lost_answer", edge="feed")

    with pytest.raises(requests.ConnectionError):
        post(sandbox, gina, "lost")
    accepted(post(sandbox, gina, "told"))

    assert messages(sandbox, gina) == ["lost", "told"]
    assert [entry["status"] for entry in sandbox.call_log()] == [0, 200]


def test_an_error_before_doing_anything_leaves_nothing(sandbox: Sandbox, gina: GrantedPage) -> None:
    sandbox.fault("error_before", edge="feed")

    response = post(sandbox, gina)

    assert response.status_code == 500
    assert refusal(response) == (2, None)
    assert messages(sandbox, gina) == []


def test_an_error_after_doing_it_leaves_the_post(sandbox: Sandbox, gina: GrantedPage) -> None:
    sandbox.fault("error_after", edge="feed")

    response = post(sandbox, gina)

    assert response.status_code == 500
    assert refusal(response) == (1, None)
    assert messages(sandbox, gina) == ["x"]


def test_rate_limited_tells_when_to_come_back(sandbox: Sandbox, gina: GrantedPage) -> None:
    sandbox.fault("rate_limited", count=3, minutes=7)

    facebook = post(sandbox, gina)
    instagram = sandbox.call("GET", gina.instagram_id or "", gina.access_token)
    app = sandbox.call("GET", "me/accounts", sandbox.person("gina").user_token)

    assert refusal(facebook) == (80001, None)
    usage = json.loads(facebook.headers["X-Business-Use-Case-Usage"])[gina.id][0]
    assert (usage["call_count"], usage["estimated_time_to_regain_access"]) == (100, 7)
    assert refusal(instagram) == (80002, None)
    assert refusal(app) == (4, None)
    assert json.loads(app.headers["X-App-Usage"])["call_count"] == 100
    assert messages(sandbox, gina) == []


def test_token_revoked_has_its_reason(sandbox: Sandbox, gina: GrantedPage) -> None:
    sandbox.fault("token_revoked", account=gina.id, subcode=459)

    assert refusal(post(sandbox, gina)) == (190, 459)
    accepted(post(sandbox, gina))


def test_slow_holds_the_call_back(sandbox: Sandbox, gina: GrantedPage) -> None:
    sandbox.fault("slow", edge="feed", seconds=0.4)
    began = time.monotonic()

    accepted(post(sandbox, gina))

    assert time.monotonic() - began >= 0.4


def test_a_rejected_image(sandbox: Sandbox, gina: GrantedPage, pictures: str) -> None:
    sandbox.fault("rejected_image", count=2)
    accepted(post(sandbox, gina))
    files = {"source": ("a.jpg", image_bytes(), "image/jpeg")}

    photo = sandbox.call("POST", f"{gina.id}/photos", gina.access_token, files=files)
    container = sandbox.call(
        "POST", f"{gina.instagram_id}/media", gina.access_token, image_url=f"{pictures}/320x320.jpg"
    )

    assert refusal(photo) == (324, None)
    assert refusal(container) == (36001, 2207005)


def test_a_duplicate_is_refused(sandbox: Sandbox, gina: GrantedPage) -> None:
    accepted(post(sandbox, gina))
    sandbox.fault("duplicate", edge="feed")

    assert refusal(post(sandbox, gina)) == (506, None)
    assert messages(sandbox, gina) == ["x"]


def test_a_fault_strikes_its_edge_its_account_and_as_often_as_said(sandbox: Sandbox, gina: GrantedPage) -> None:
    other = sandbox.person("paul").page
    sandbox.fault("error_before", edge="POST feed", account=gina.id, count=2)

    accepted(post(sandbox, other))
    accepted(sandbox.call("GET", f"{gina.id}/feed", gina.access_token))
    answers = [post(sandbox, gina).status_code for _ in range(3)]

    assert answers == [500, 500, 200]


def test_a_fault_without_count_stays_until_switched_off(sandbox: Sandbox, gina: GrantedPage) -> None:
    sandbox.fault("error_before", edge="feed", count=None)
    assert [post(sandbox, gina).status_code for _ in range(3)] == [500] * 3

    sandbox.no_faults()

    accepted(post(sandbox, gina))


def test_reading_is_spared_by_faults_of_writing(sandbox: Sandbox, gina: GrantedPage) -> None:
    sandbox.fault("lost_answer")
    accepted(sandbox.call("GET", f"{gina.id}/published_posts", gina.access_token))

    with pytest.raises(requests.ConnectionError):
        post(sandbox, gina)


def test_a_refused_call_does_not_use_up_a_fault(sandbox: Sandbox, gina: GrantedPage) -> None:
    sandbox.fault("error_after", edge="feed")

    assert refusal(sandbox.call("POST", f"{gina.id}/feed", "EAAwrong", message="x")) == (190, None)
    assert post(sandbox, gina).status_code == 500


def test_tokens_can_fail_too(sandbox: Sandbox) -> None:
    sandbox.fault("error_before", edge="oauth")

    assert refusal(sandbox.call("POST", "oauth/access_token", code="x")) == (2, None)


def test_nonsense_is_refused(sandbox: Sandbox) -> None:
    response = requests.post(f"{sandbox.url}/control/faults", json={"kind": "earthquake"}, timeout=10)

    assert response.status_code == 400
    assert "lost_answer" in response.json()["error"]


# The page


def test_the_switch_board_switches_on_and_off(sandbox: Sandbox, gina: GrantedPage) -> None:
    address = f"{sandbox.url}/switchboard/"
    form = {"kind": "error_before", "edge": "feed", "account": "all", "count": "0", "seconds": "1", "minutes": "1"}

    shown = requests.post(address, data=form, timeout=10)
    failed = post(sandbox, gina).status_code
    off = requests.post(address, data={"off": "all"}, timeout=10)

    assert "500 before doing anything" in shown.text
    assert "until switched off" in shown.text
    assert failed == 500
    assert "The network works as it should" in off.text
    accepted(post(sandbox, gina))


def test_the_switch_board_tells_what_is_wrong(sandbox: Sandbox) -> None:
    address = f"{sandbox.url}/switchboard/"

    assert requests.post(address, data={"kind": "slow", "seconds": "soon"}, timeout=10).status_code == 422
    assert requests.post(address, data={}, timeout=10).status_code == 422


def test_calls_are_counted_by_edge(sandbox: Sandbox, gina: GrantedPage) -> None:
    post(sandbox, gina)
    sandbox.call("GET", gina.id, gina.access_token)

    assert sandbox.calls() == {"POST feed": 1, "GET node": 1}
    log = sandbox.call_log()
    assert log[0]["account"] == gina.id
    assert log[0]["params"] == {"message": "x"}
    assert (gina.access_token or "-") not in json.dumps(log)


def test_many_calls_at_once_lose_nothing(sandbox: Sandbox) -> None:
    pages = sandbox.person(pages=8).pages
    sandbox.fault("error_after", edge="feed", count=20)

    def publish(number: int) -> int:
        page = pages[number % 8]
        values = {"message": str(number), "access_token": page.access_token}
        values["appsecret_proof"] = sandbox.proof(page.access_token or "")
        return requests.post(f"{sandbox.graph_url}/v26.0/{page.id}/feed", data=values, timeout=30).status_code

    with ThreadPoolExecutor(24) as pool:
        answers = Counter(pool.map(publish, range(400)))

    assert answers == {200: 380, 500: 20}
    found = [entry["message"] for page in pages for entry in sandbox.feed(page.id)]
    assert sorted(found, key=int) == [str(number) for number in range(400)]
