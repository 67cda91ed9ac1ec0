"""The simulated LinkedIn: consent, tokens, versions, addresses, people, images, limits, faults, pages."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests

from tests.sandbox.conftest import image_bytes
from tests.sandbox_process import (
    LINKEDIN_CLIENT_ID,
    LINKEDIN_CLIENT_SECRET,
    GrantedMember,
    Sandbox,
    start_sandbox,
)

pytestmark = pytest.mark.processes

BACK = "http://127.0.0.1:9/back"
MEMBER_SCOPES = "openid profile email w_member_social"
FULL_SCOPES = f"{MEMBER_SCOPES} w_organization_social r_organization_social rw_organization_admin"
ACLS = "organizationAcls?q=roleAssignee&role=ADMINISTRATOR&state=APPROVED"


def query_of(address: str) -> dict[str, str]:
    return {name: found[0] for name, found in parse_qs(urlsplit(address).query).items()}


def code(sandbox: Sandbox, scope: str = MEMBER_SCOPES, person: str = "lena") -> str:
    return query_of(sandbox.linkedin_consent(sandbox.linkedin_address(scope), person))["code"]


def exchange(sandbox: Sandbox, **values: str) -> requests.Response:
    form = {
        "grant_type": "authorization_code",
        "client_id": LINKEDIN_CLIENT_ID,
        "client_secret": LINKEDIN_CLIENT_SECRET,
        "redirect_uri": BACK,
        **values,
    }
    return requests.post(f"{sandbox.url}/linkedin/oauth/accessToken", data=form, timeout=10)


def userinfo(sandbox: Sandbox, token: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{sandbox.url}/linkedin/api/v2/userinfo", headers=headers, timeout=10)


def introspect(sandbox: Sandbox, token: str, secret: str = LINKEDIN_CLIENT_SECRET) -> requests.Response:
    form = {"client_id": LINKEDIN_CLIENT_ID, "client_secret": secret, "token": token}
    return requests.post(f"{sandbox.url}/linkedin/oauth/introspectToken", data=form, timeout=10)


def refused(response: requests.Response) -> tuple[int, str]:
    """Status and code of an error envelope that has everything an envelope has."""
    body = response.json()
    assert body["status"] == response.status_code
    assert body["message"]
    assert {"x-li-uuid", "x-li-fabric", "x-li-request-id"} <= {name.lower() for name in response.headers}
    return response.status_code, body["code"]


@pytest.fixture
def lena(sandbox: Sandbox) -> GrantedMember:
    return sandbox.member("lena")


# Consent


def test_the_page_lets_one_choose_a_member_and_says_what_is_asked(sandbox: Sandbox) -> None:
    address = sandbox.linkedin_address(MEMBER_SCOPES)

    members = requests.get(address, timeout=10).text
    consent = requests.get(f"{address}&person=lena", timeout=10).text

    assert all(name in members for name in ("Lena Lind", "Mika Member", "Olga Office"))
    assert "Create, modify and delete posts" in consent
    assert 'type="checkbox"' not in consent  # all or nothing


def test_consent_sends_back_a_code_and_the_state(sandbox: Sandbox) -> None:
    back = sandbox.linkedin_consent(sandbox.linkedin_address(MEMBER_SCOPES, state="a b&c"))

    assert back.startswith(f"{BACK}?")
    assert query_of(back)["state"] == "a b&c"
    assert query_of(back)["code"]


def test_cancelling_says_where_it_was_cancelled(sandbox: Sandbox) -> None:
    address = sandbox.linkedin_address(MEMBER_SCOPES)
    login = requests.get(f"{address}&cancel=1", allow_redirects=False, timeout=10).headers["Location"]

    assert query_of(login)["error"] == "user_cancelled_login"
    assert query_of(sandbox.linkedin_consent(address, cancel=True))["error"] == "user_cancelled_authorize"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"client_id": "1"}, "client_id"),
        ({"redirect_uri": "https://evil.example/back"}, "redirect_uri"),
        ({"redirect_uri": f"{BACK}#part"}, "redirect_uri"),
        ({"response_type": "token"}, "response_type"),
        ({"state": ""}, "state"),
        ({"scope": " "}, "scope"),
    ],
)
def test_a_wrong_request_stops_at_the_page(sandbox: Sandbox, wrong: dict[str, str], told: str) -> None:
    address = sandbox.linkedin_address(**{"scope": MEMBER_SCOPES, **wrong})

    response = requests.get(address, allow_redirects=False, timeout=10)

    assert response.status_code == 400
    assert told in response.text


def test_an_app_gets_only_the_scopes_of_its_products(sandbox: Sandbox) -> None:
    sandbox.linkedin_app(mode="member")

    back = requests.get(sandbox.linkedin_address(FULL_SCOPES), allow_redirects=False, timeout=10).headers["Location"]
    closed = requests.get(sandbox.linkedin_address("r_member_social"), allow_redirects=False, timeout=10)

    assert query_of(back)["error"] == "unauthorized_scope_error"
    assert "w_organization_social" in query_of(back)["error_description"]
    assert query_of(closed.headers["Location"])["error"] == "unauthorized_scope_error"
    assert code(sandbox, MEMBER_SCOPES)


def test_who_has_said_yes_is_not_asked_again_but_for_other_scopes(sandbox: Sandbox) -> None:
    token = exchange(sandbox, code=code(sandbox)).json()["access_token"]
    same = requests.get(f"{sandbox.linkedin_address(MEMBER_SCOPES)}&person=lena", allow_redirects=False, timeout=10)
    other = requests.get(f"{sandbox.linkedin_address(FULL_SCOPES)}&person=lena", allow_redirects=False, timeout=10)

    assert (same.status_code, other.status_code) == (302, 200)
    assert userinfo(sandbox, token).status_code == 200
    code(sandbox, FULL_SCOPES)
    assert refused(userinfo(sandbox, token)) == (401, "REVOKED_ACCESS_TOKEN")


# Tokens


def test_a_code_becomes_a_token_of_sixty_days(sandbox: Sandbox) -> None:
    answer = exchange(sandbox, code=code(sandbox)).json()

    assert 5_183_990 <= answer["expires_in"] <= 5_184_000
    assert answer["scope"] == MEMBER_SCOPES.replace(" ", ",")
    assert len(answer["access_token"]) >= 1_000
    assert answer["id_token"].count(".") == 2
    assert "refresh_token" not in answer


def test_a_code_works_once_for_half_an_hour_and_for_its_address(sandbox: Sandbox) -> None:
    used, late, other = code(sandbox), code(sandbox), code(sandbox)

    assert exchange(sandbox, code=used).status_code == 200
    assert exchange(sandbox, code=used).json()["error"] == "invalid_request"
    assert exchange(sandbox, code=other, redirect_uri=f"{BACK}/x").json()["error"] == "invalid_request"
    sandbox.advance(30 * 60 + 1)
    assert exchange(sandbox, code=late).status_code == 400


def test_a_wrong_secret_is_no_client(sandbox: Sandbox) -> None:
    response = exchange(sandbox, code=code(sandbox), client_secret="wrong")

    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert introspect(sandbox, "x", "wrong").status_code == 401


def test_a_refresh_gives_a_new_token_and_no_longer_life(sandbox: Sandbox) -> None:
    sandbox.linkedin_app(refresh_tokens=True)
    first = exchange(sandbox, code=code(sandbox)).json()
    sandbox.advance(50 * 86_400)

    second = exchange(sandbox, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()

    year = 365 * 86_400
    assert year - 5 <= first["refresh_token_expires_in"] <= year
    assert second["access_token"] != first["access_token"]
    assert second["refresh_token"] == first["refresh_token"]
    assert year - 50 * 86_400 - 5 <= second["refresh_token_expires_in"] <= year - 50 * 86_400
    sandbox.advance(316 * 86_400)
    late = exchange(sandbox, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert (late.status_code, late.json()["error"]) == (400, "invalid_grant")


def test_introspection_tells_active_expired_and_revoked(sandbox: Sandbox) -> None:
    token = sandbox.member("lena", seconds=1_000).access_token
    revoked = sandbox.member("mika").access_token
    form = {"client_id": LINKEDIN_CLIENT_ID, "client_secret": LINKEDIN_CLIENT_SECRET, "token": revoked}

    live = introspect(sandbox, token).json()
    assert requests.post(f"{sandbox.url}/linkedin/oauth/revoke", data=form, timeout=10).status_code == 200
    sandbox.advance(1_001)

    assert (live["active"], live["status"]) == (True, "active")
    assert live["expires_at"] - live["created_at"] == 1_000
    assert introspect(sandbox, token).json()["status"] == "expired"
    assert introspect(sandbox, revoked).json()["status"] == "revoked"
    assert introspect(sandbox, "made up").json() == {"active": False}
    assert refused(userinfo(sandbox, token)) == (401, "EXPIRED_ACCESS_TOKEN")
    assert refused(userinfo(sandbox, revoked)) == (401, "REVOKED_ACCESS_TOKEN")
    assert refused(userinfo(sandbox, "made up")) == (401, "INVALID_ACCESS_TOKEN")


# Versions and addresses


@pytest.mark.parametrize(
    ("version", "status"),
    [("", 400), ("2026-09", 400), ("202511", 426), ("202512", 426), ("202412", 426), ("202610", 426), ("202608", 200)],
)
def test_versions_live_and_die(sandbox: Sandbox, lena: GrantedMember, version: str, status: int) -> None:
    response = sandbox.linkedin_call("GET", ACLS, lena.access_token, headers={"LinkedIn-Version": version})

    assert response.status_code == status
    if status == 426:
        assert refused(response) == (426, "NONEXISTENT_VERSION")
        assert version in response.json()["message"]


def test_our_version_dies_in_its_time(sandbox: Sandbox) -> None:
    sandbox.advance(330 * 86_400)
    token = sandbox.member("lena").access_token

    assert sandbox.linkedin_call("GET", ACLS, token).status_code == 426


def test_without_the_protocol_header_nothing_works(sandbox: Sandbox, lena: GrantedMember) -> None:
    response = sandbox.linkedin_call("GET", ACLS, lena.access_token, headers={"X-Restli-Protocol-Version": ""})

    assert refused(response) == (400, "ILLEGAL_ARGUMENT")


@pytest.mark.parametrize(
    "path",
    [
        "posts?q=author&author=urn:li:organization:51000001",
        "posts/urn:li:share:1",
        "organizationsLookup?ids=List%2851000001%29",
        "organizationsLookup?ids=51000001",
        "organizationsLookup?ids=List(51000001",
        "organizationalEntityShareStatistics?q=organizationalEntity"
        "&organizationalEntity=urn%3Ali%3Aorganization%3A51000001&shares=List(urn:li:share:1)",
    ],
)
def test_a_badly_encoded_address_is_refused(sandbox: Sandbox, lena: GrantedMember, path: str) -> None:
    assert refused(sandbox.linkedin_call("GET", path, lena.access_token)) == (400, "ILLEGAL_ARGUMENT")


def test_a_header_that_names_another_method_is_refused(sandbox: Sandbox, lena: GrantedMember) -> None:
    finder = {"X-RestLi-Method": "FINDER"}
    wrong = {"X-RestLi-Method": "BATCH_GET"}

    assert sandbox.linkedin_call("GET", ACLS, lena.access_token, headers=finder).status_code == 200
    assert sandbox.linkedin_call("GET", ACLS, lena.access_token, headers=wrong).status_code == 400


def test_a_long_query_goes_through_the_tunnel_only(sandbox: Sandbox, lena: GrantedMember) -> None:
    ids = ",".join(["51000001", *(str(90_000_000 + n) for n in range(600))])
    headers = {"X-HTTP-Method-Override": "GET", "Content-Type": "application/x-www-form-urlencoded"}

    direct = sandbox.linkedin_call("GET", f"organizationsLookup?ids=List({ids})", lena.access_token)
    tunnel = sandbox.linkedin_call(
        "POST", "organizationsLookup", lena.access_token, headers=headers, data=f"ids=List({ids})"
    )

    assert direct.status_code == 414
    assert tunnel.json()["results"]["51000001"]["localizedName"] == "Lind & Daughters"
    assert tunnel.json()["statuses"]["90000001"] == 404


# People and organizations


def test_userinfo_gives_what_the_scopes_allow(sandbox: Sandbox) -> None:
    whole = userinfo(sandbox, sandbox.member("lena", scopes=MEMBER_SCOPES.split()).access_token).json()
    bare = userinfo(sandbox, sandbox.member("mika", scopes=["openid"]).access_token).json()

    assert (whole["name"], whole["email"]) == ("Lena Lind", "lena@lind.example")
    assert requests.get(whole["picture"], timeout=10).headers["Content-Type"] == "image/png"
    assert set(bare) == {"sub"}
    assert userinfo(sandbox, sandbox.member("olga", scopes=["w_member_social"]).access_token).status_code == 403


def test_roles_come_by_filter(sandbox: Sandbox, lena: GrantedMember) -> None:
    everything = sandbox.linkedin_call("GET", "organizationAcls?q=roleAssignee", lena.access_token).json()
    administered = sandbox.linkedin_call("GET", ACLS, lena.access_token).json()
    nothing = sandbox.linkedin_call("GET", ACLS, sandbox.member("mika").access_token).json()

    assert {row["role"] for row in everything["elements"]} == {"ADMINISTRATOR", "ANALYST"}
    assert [row["organization"] for row in administered["elements"]] == ["urn:li:organization:51000001"]
    assert nothing["elements"] == []


def test_many_organizations_come_in_pages_under_both_names(sandbox: Sandbox) -> None:
    olga = sandbox.member("olga")

    pages = [sandbox.linkedin_call("GET", f"{ACLS}&start={start}&count=100", olga.access_token) for start in (0, 100)]
    rows = [row for page in pages for row in page.json()["elements"]]

    assert [len(page.json()["elements"]) for page in pages] == [100, 20]
    assert pages[0].json()["paging"]["total"] == 120
    assert len({row.get("organization") or row.get("organizationTarget") for row in rows}) == 120
    assert all(any(name in row for row in rows) for name in ("organization", "organizationTarget"))
    assert sandbox.linkedin_call("GET", f"{ACLS}&count=1000", olga.access_token).status_code == 400


def test_an_organization_and_its_logo_are_for_those_with_a_role(sandbox: Sandbox, lena: GrantedMember) -> None:
    own = sandbox.linkedin_call("GET", "organizations/51000001", lena.access_token).json()
    logo = sandbox.linkedin_call("GET", f"images/{quote(own['logoV2']['original'], safe='')}", lena.access_token).json()
    other = sandbox.linkedin_call("GET", "organizations/52000001", lena.access_token)
    by_name = sandbox.linkedin_call("GET", "organizations?q=vanityName&vanityName=nordic-boat-fair", lena.access_token)

    assert (own["localizedName"], own["vanityName"]) == ("Lind & Daughters", "lind-and-daughters")
    assert requests.get(logo["downloadUrl"], timeout=10).status_code == 200
    assert refused(other) == (403, "ACCESS_DENIED")
    assert by_name.json()["elements"][0]["id"] == 51_000_002
    assert refused(sandbox.linkedin_call("GET", "organizations/1", lena.access_token)) == (404, "NOT_FOUND")


def test_followers_have_one_spelling(sandbox: Sandbox, lena: GrantedMember) -> None:
    path = f"networkSizes/{quote('urn:li:organization:51000001', safe='')}?edgeType="

    size = sandbox.linkedin_call("GET", f"{path}COMPANY_FOLLOWED_BY_MEMBER", lena.access_token).json()

    assert size["firstDegreeSize"] > 6_000
    assert sandbox.linkedin_call("GET", f"{path}CompanyFollowedByMember", lena.access_token).status_code == 400


@pytest.mark.parametrize("path", [ACLS, "organizations/51000001", "networkSizes/urn%3Ali%3Aorganization%3A51000001"])
def test_a_member_only_token_sees_no_organizations(sandbox: Sandbox, path: str) -> None:
    token = sandbox.member("lena", scopes=MEMBER_SCOPES.split()).access_token

    response = sandbox.linkedin_call("GET", path, token)

    assert refused(response) == (403, "ACCESS_DENIED")
    assert response.json()["serviceErrorCode"] == 100


# Images


def initialize(sandbox: Sandbox, member: GrantedMember, owner: str) -> requests.Response:
    body = {"initializeUploadRequest": {"owner": owner}}
    return sandbox.linkedin_call("POST", "images?action=initializeUpload", member.access_token, json=body)


def put(address: str, member: GrantedMember, content: bytes) -> requests.Response:
    return requests.put(address, data=content, headers={"Authorization": f"Bearer {member.access_token}"}, timeout=10)


def status_of(sandbox: Sandbox, member: GrantedMember, urn: str) -> dict[str, Any]:
    return sandbox.linkedin_call("GET", f"images/{quote(urn, safe='')}", member.access_token).json()


def test_an_image_waits_is_processed_and_becomes_available(sandbox: Sandbox, lena: GrantedMember) -> None:
    value = initialize(sandbox, lena, lena.urn).json()["value"]
    seen = [status_of(sandbox, lena, value["image"])["status"]]
    assert put(value["uploadUrl"], lena, image_bytes()).status_code == 201
    seen.append(status_of(sandbox, lena, value["image"])["status"])
    time.sleep(0.3)
    facts = status_of(sandbox, lena, value["image"])

    assert [*seen, facts["status"]] == ["WAITING_UPLOAD", "PROCESSING", "AVAILABLE"]
    assert requests.get(facts["downloadUrl"], timeout=10).content == image_bytes()
    assert value["uploadUrlExpiresAt"] > time.time() * 1000


@pytest.mark.parametrize("content", [b"no image", image_bytes(kind="WEBP")], ids=["text", "webp"])
def test_what_is_no_image_fails_in_processing(sandbox: Sandbox, lena: GrantedMember, content: bytes) -> None:
    value = initialize(sandbox, lena, lena.urn).json()["value"]
    put(value["uploadUrl"], lena, content)
    time.sleep(0.3)

    assert status_of(sandbox, lena, value["image"])["status"] == "PROCESSING_FAILED"


def test_uploading_needs_the_token_the_time_and_the_right(sandbox: Sandbox, lena: GrantedMember) -> None:
    value = initialize(sandbox, lena, lena.urn).json()["value"]

    assert requests.put(value["uploadUrl"], data=b"x", timeout=10).status_code == 401
    assert refused(initialize(sandbox, lena, "urn:li:organization:51000002")) == (403, "ACCESS_DENIED")
    assert refused(initialize(sandbox, lena, sandbox.member("mika").urn)) == (403, "ACCESS_DENIED")
    assert initialize(sandbox, lena, "somebody").json()["code"] == "INVALID_URN_TYPE"
    sandbox.advance(3_601)
    assert refused(put(value["uploadUrl"], lena, image_bytes())) == (403, "EXPIRED_UPLOAD_URL")


def test_a_content_admin_may_post_but_not_upload(sandbox: Sandbox, lena: GrantedMember) -> None:
    sandbox.linkedin_role("lena", "51000001", "CONTENT_ADMIN")

    assert refused(initialize(sandbox, lena, "urn:li:organization:51000001")) == (403, "ACCESS_DENIED")


def test_a_member_only_token_uploads_but_may_not_look(sandbox: Sandbox) -> None:
    mika = sandbox.member("mika", scopes=MEMBER_SCOPES.split())
    value = initialize(sandbox, mika, mika.urn).json()["value"]

    assert put(value["uploadUrl"], mika, image_bytes()).status_code == 201
    response = sandbox.linkedin_call("GET", f"images/{quote(value['image'], safe='')}", mika.access_token)
    assert refused(response) == (403, "ACCESS_DENIED")


# Limits and faults


def test_a_member_has_so_many_calls_until_midnight(sandbox: Sandbox, lena: GrantedMember) -> None:
    sandbox.linkedin_app(member_limit=2)
    mika = sandbox.member("mika")

    answers = [sandbox.linkedin_call("GET", ACLS, lena.access_token) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "resource level throttle" in answers[2].json()["message"].lower()
    assert not [name for name in answers[2].headers if "rate" in name.lower() or name == "Retry-After"]
    assert sandbox.linkedin_call("GET", ACLS, mika.access_token).status_code == 200
    assert sandbox.linkedin_call("GET", "organizations/51000001", lena.access_token).status_code == 200
    sandbox.advance(86_400)
    assert sandbox.linkedin_call("GET", ACLS, lena.access_token).status_code == 200


def test_the_app_has_a_limit_of_its_own(sandbox: Sandbox, lena: GrantedMember) -> None:
    sandbox.linkedin_app(app_limit=1)
    mika = sandbox.member("mika")

    assert sandbox.linkedin_call("GET", ACLS, lena.access_token).status_code == 200
    assert sandbox.linkedin_call("GET", ACLS, mika.access_token).status_code == 429


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("token_revoked", (401, "REVOKED_ACCESS_TOKEN")),
        ("token_expired", (401, "EXPIRED_ACCESS_TOKEN")),
        ("permission_lost", (403, "ACCESS_DENIED")),
        ("version_retired", (426, "NONEXISTENT_VERSION")),
        ("rate_limited", (429, "TOO_MANY_REQUESTS")),
        ("error_before", (503, "SERVICE_UNAVAILABLE")),
    ],
)
def test_a_fault_strikes_its_edge_once(
    sandbox: Sandbox, lena: GrantedMember, kind: str, answer: tuple[int, str]
) -> None:
    sandbox.fault(kind, edge="linkedin.organizationAcls")

    assert sandbox.linkedin_call("GET", "organizations/51000001", lena.access_token).status_code == 200
    assert refused(sandbox.linkedin_call("GET", ACLS, lena.access_token)) == answer
    assert sandbox.linkedin_call("GET", ACLS, lena.access_token).status_code == 200


def test_a_fault_of_one_network_leaves_the_others_alone(sandbox: Sandbox, lena: GrantedMember) -> None:
    sandbox.fault("rate_limited", edge="linkedin", count=None)
    gina = sandbox.person("gina").page

    assert sandbox.call("GET", gina.id, gina.access_token).status_code == 200
    assert sandbox.linkedin_call("GET", ACLS, lena.access_token).status_code == 429


def test_a_fault_can_be_for_one_organization(sandbox: Sandbox, lena: GrantedMember) -> None:
    sandbox.fault("permission_lost", edge="linkedin", account="urn:li:organization:51000002", count=None)

    assert sandbox.linkedin_call("GET", "organizations/51000001", lena.access_token).status_code == 200
    assert sandbox.linkedin_call("GET", "organizations/51000002", lena.access_token).status_code == 403


def test_calls_are_counted_without_secrets(sandbox: Sandbox, lena: GrantedMember) -> None:
    sandbox.linkedin_call("GET", ACLS, lena.access_token)
    sandbox.linkedin_call("GET", "organizations/1", lena.access_token)

    log = sandbox.call_log()
    assert sandbox.calls()["GET linkedin.organizationAcls"] == 1
    assert [(row["edge"], row["status"]) for row in log] == [
        ("linkedin.organizationAcls", 200),
        ("linkedin.organizations", 404),
    ]
    assert lena.access_token not in str(log)


# Switches


def test_the_switches_of_a_connection(sandbox: Sandbox) -> None:
    sandbox.linkedin_app(refresh_tokens=True)
    lena = sandbox.member("lena")

    assert sandbox.switch("linkedin", "lena", "remove_permission", "rw_organization_admin") == 2
    assert userinfo(sandbox, lena.access_token).status_code == 200
    assert "rw_organization_admin" not in introspect(sandbox, lena.access_token).json()["scope"]
    assert sandbox.switch("linkedin", "lena", "expire") == 1
    assert refused(userinfo(sandbox, lena.access_token)) == (401, "EXPIRED_ACCESS_TOKEN")
    fresh = exchange(sandbox, grant_type="refresh_token", refresh_token=lena.refresh_token or "").json()
    assert userinfo(sandbox, fresh["access_token"]).status_code == 200
    sandbox.switch("linkedin", "lena", "revoke")
    assert refused(userinfo(sandbox, fresh["access_token"])) == (401, "REVOKED_ACCESS_TOKEN")


def test_a_lost_refresh_answer_has_happened(sandbox: Sandbox) -> None:
    sandbox.linkedin_app(refresh_tokens=True)
    lena = sandbox.member("lena")
    sandbox.switch("linkedin", "lena", "lose_refresh_answer")

    with pytest.raises(requests.ConnectionError):
        exchange(sandbox, grant_type="refresh_token", refresh_token=lena.refresh_token or "")
    assert exchange(sandbox, grant_type="refresh_token", refresh_token=lena.refresh_token or "").status_code == 200
    assert sandbox.calls()["POST linkedin.token"] == 2


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"network": "myspace"}, "network"),
        ({"network": "linkedin", "person": "nobody", "action": "expire"}, "nobody"),
        ({"network": "linkedin", "person": "lena", "action": "explode"}, "action"),
        ({"network": "linkedin", "person": "lena", "action": "remove_permission", "scope": "ads"}, "ads"),
    ],
)
def test_a_switch_that_does_not_exist_says_so(sandbox: Sandbox, values: dict[str, str], told: str) -> None:
    response = requests.post(f"{sandbox.url}/control/grants", json=values, timeout=10)

    assert response.status_code == 400
    assert told in response.json()["error"]


def test_meta_has_the_switches_too(sandbox: Sandbox) -> None:
    gina = sandbox.person("gina")
    call = {"method": "GET", "path": "me/accounts", "token": gina.user_token}

    assert len(sandbox.call(**call).json()["data"]) == 1
    assert sandbox.switch("meta", "gina", "remove_permission", "pages_show_list") >= 1
    assert sandbox.call(**call).json()["data"] == []
    sandbox.switch("meta", "gina", "expire")
    assert sandbox.call(**call).json()["error"]["error_subcode"] == 463
    sandbox.switch("meta", "gina", "revoke")
    assert sandbox.call(**call).json()["error"]["error_subcode"] == 458


# Pages


def page_of(sandbox: Sandbox, path: str) -> str:
    response = requests.get(f"{sandbox.url}{path}", timeout=10)
    assert response.status_code == 200
    assert "<script" not in response.text
    assert " style=" not in response.text
    return response.text


def test_the_pages_of_people_and_organizations(sandbox: Sandbox) -> None:
    front = page_of(sandbox, "/")
    styles = re.search(r'href="([^"]+linkedin[^"]*\.css)"', page_of(sandbox, "/linkedin/company/lind-and-daughters/"))

    assert "/linkedin/company/nordic-boat-fair/" in front
    assert "and 114 more organizations" in front
    assert "Nothing published yet" in page_of(sandbox, "/linkedin/company/51000001/")
    assert "Mika Member" in page_of(sandbox, "/linkedin/in/mIkA3vT8k1/")
    assert styles is not None
    assert requests.get(f"{sandbox.url}{styles[1]}", timeout=10).status_code == 200
    for path in ("/linkedin/in/nobody/", "/linkedin/company/nobody/", "/linkedin/feed/update/urn:li:share:1/"):
        assert requests.get(f"{sandbox.url}{path}", timeout=10).status_code == 404


def test_the_switch_board_has_the_switches(sandbox: Sandbox, lena: GrantedMember) -> None:
    board = page_of(sandbox, "/switchboard/")
    form = {"person": "linkedin lena", "action": "expire", "scope": "email"}

    assert all(label in board for label in ("Expire now", "Lose the refresh answer", "linkedin.posts", "Lena Lind"))
    assert requests.post(f"{sandbox.url}/switchboard/", data=form, timeout=10).status_code == 200
    assert refused(userinfo(sandbox, lena.access_token)) == (401, "EXPIRED_ACCESS_TOKEN")
    wrong = requests.post(f"{sandbox.url}/switchboard/", data={**form, "action": "explode"}, timeout=10)
    assert wrong.status_code == 422


def test_a_restart_keeps_tokens_and_posts_and_an_old_file_gains_the_networks(tmp_path: Any) -> None:
    first = start_sandbox(tmp_path)
    lena = first.member("lena")
    post_body = {
        "author": lena.urn,
        "commentary": "Kept",
        "visibility": "PUBLIC",
        "distribution": {"feedDistribution": "MAIN_FEED"},
        "lifecycleState": "PUBLISHED",
    }
    assert first.linkedin_call("POST", "posts", lena.access_token, json=post_body).status_code == 201
    first.stop()
    second = start_sandbox(tmp_path)
    kept = [post["message"] for post in second.feed(lena.urn)]
    status = userinfo(second, lena.access_token).status_code
    second.stop()
    state = tmp_path / "sandbox.json"
    state.write_text(re.sub(r'"linkedin_apps": \[.*?\]', '"linkedin_apps": []', state.read_text()))
    third = start_sandbox(tmp_path)
    again = userinfo(third, lena.access_token).status_code
    third.stop()

    assert (kept, status, again) == (["Kept"], 200, 200)
