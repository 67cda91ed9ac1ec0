from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import time_machine

from socialhub.platforms.base import Tokens
from socialhub.platforms.errors import (
    LimitedError,
    NotFoundError,
    OurBugError,
    OutcomeUnknownError,
    PermissionMissingError,
    ReconnectError,
    RejectedError,
    TemporaryError,
)
from socialhub.platforms.linkedin_api import (
    FULL_SCOPES,
    MEMBER_SCOPES,
    SCOPES,
    Created,
    LinkedInConfig,
    Member,
    Organization,
    Upload,
    encode,
    id_of,
    kind_of,
    query_of,
    scopes_of,
)
from socialhub.platforms.linkedin_errors import VersionError
from tests.platforms.linkedin import (
    BASE,
    OAUTH,
    PAGE,
    PERSON,
    SECRET,
    TOKEN,
    body,
    enc,
    error,
    form,
    make_api,
    parts,
    query,
    vectors,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
UPLOAD_URL = "https://www.linkedin.com/dms-uploads/sp/v2/D4D10AQ/uploaded-image/0?ca=vector&sig=abc"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "LinkedIn-Version": "202609", "X-Restli-Protocol-Version": "2.0.0"}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def api():
    return make_api()


def is_sent(call, headers):
    return {name: call.request.headers.get(name) for name in headers} == headers


# Addresses


@pytest.mark.parametrize(("value", "written"), vectors("addresses"))
def test_values_are_written_as_linkedins_own_client_writes_them(value, written):
    assert encode(value) == written


def test_a_query_keeps_the_marks_of_lists_and_escapes_what_is_inside():
    assert query_of({"q": "author", "ids": ["a(b", "c,d"]}) == "q=author&ids=List(a%28b,c%2Cd)"


def test_the_address_reaches_the_wire_as_it_was_built(api, graph):
    graph.get(f"{BASE}/posts/{enc(PAGE)}", json={})
    api.get(f"posts/{enc(PAGE)}", TOKEN, {"entity": {"share": "urn:li:share:7"}, "ids": ["urn:li:share:1"]})
    assert graph.calls[0].request.url == (
        f"{BASE}/posts/urn%3Ali%3Aorganization%3A42?entity=(share:urn%3Ali%3Ashare%3A7)&ids=List(urn%3Ali%3Ashare%3A1)"
    )


def test_parts_of_a_urn():
    assert (id_of(PERSON), kind_of(PERSON)) == ("aBc-1_x", "person")
    assert (kind_of("urn:li:ugcPost:1"), kind_of("1"), kind_of("")) == ("ugcPost", "", "")


# Calls


def test_reading_sends_the_version_and_no_body(api, graph):
    graph.get(f"{BASE}/x", json={"a": 1})
    assert api.get("x", TOKEN, {"q": "me"}, method="FINDER") == {"a": 1}
    assert is_sent(graph.calls[0], {**HEADERS, "X-RestLi-Method": "FINDER", "Content-Type": None})


def test_without_parameters_there_is_no_question_mark(api, graph):
    graph.get(f"{BASE}/x", json={})
    api.get("x", TOKEN)
    assert graph.calls[0].request.url == f"{BASE}/x"
    assert "X-RestLi-Method" not in graph.calls[0].request.headers


def test_writing_sends_json(api, graph):
    graph.post(f"{BASE}/x", status=201)
    api.post("x", TOKEN, {"text": "Grüße"})
    assert is_sent(graph.calls[0], {**HEADERS, "Content-Type": "application/json"})
    assert graph.calls[0].request.body == '{"text": "Grüße"}'.encode()


@pytest.mark.parametrize(("length", "tunnelled"), [(4000, False), (4001, True)])
def test_a_long_query_travels_in_a_body(api, graph, length, tunnelled):
    value = "v" * (length - 2)
    graph.add("POST" if tunnelled else "GET", f"{BASE}/x", json={"a": 1})
    assert api.get("x", TOKEN, {"k": value}, method="FINDER") == {"a": 1}
    call = graph.calls[0]
    if tunnelled:
        assert call.request.url == f"{BASE}/x"
        assert call.request.body == f"k={value}".encode()
        override = {"X-HTTP-Method-Override": "GET", "Content-Type": "application/x-www-form-urlencoded"}
        assert is_sent(call, {**HEADERS, **override, "X-RestLi-Method": "FINDER"})
    else:
        assert query(call) == f"k={value}"


@pytest.mark.parametrize("answer", [{"body": "<html>"}, {"json": [1]}, {"body": ""}])
def test_what_is_no_answer_is_asked_for_again(api, graph, answer):
    graph.get(f"{BASE}/x", **answer)
    with pytest.raises(TemporaryError) as caught:
        api.get("x", TOKEN)
    assert caught.value.code == "HTTP 200"


@pytest.mark.parametrize(("commit", "wanted"), [(True, OutcomeUnknownError), (False, TemporaryError)])
def test_a_lost_answer(api, graph, commit, wanted):
    graph.post(f"{BASE}/x", body=requests.ReadTimeout("slow"))
    with pytest.raises(wanted):
        api.post("x", TOKEN, {}, commit=commit)
    assert len(graph.calls) == 1


def test_an_unreachable_network_is_not_an_unknown_outcome(api, graph):
    graph.post(f"{BASE}/posts", body=requests.ConnectTimeout("no"))
    with pytest.raises(TemporaryError):
        api.create_post(TOKEN, {})


def test_a_dead_version_is_the_operators_fault_everywhere(graph):
    api = make_api(version="202401")
    graph.get(f"{BASE}/organizationAcls", json=error(426, "NONEXISTENT_VERSION"), status=426)
    with pytest.raises(VersionError):
        api.organizations(TOKEN)
    assert graph.calls[0].request.headers["LinkedIn-Version"] == "202401"


def test_words_of_linkedin_carry_no_token(api, graph):
    graph.get(f"{BASE}/x", json=error(403, "", 100, f"token {TOKEN} secret {SECRET}"), status=403)
    with pytest.raises(PermissionMissingError) as caught:
        api.get("x", TOKEN)
    assert caught.value.platform_message == "token […] secret […]"


# Configuration


@pytest.mark.parametrize("version", ["", "2026-09", "202613", "20260901", "v202609", "202600"])
def test_a_version_is_a_year_and_a_month(version):
    with pytest.raises(ValueError, match="LINKEDIN_API_VERSION"):
        make_api(version=version)


def test_nothing_secret_is_shown():
    config = LinkedInConfig("77abc", SECRET)
    shown = [config, Tokens(TOKEN, NOW, f"{TOKEN}-refresh"), Upload(UPLOAD_URL, "urn:li:image:1")]
    assert not any(secret in repr(shown) for secret in (SECRET, TOKEN, "sig=abc"))


def test_the_two_modes_of_an_app():
    assert not LinkedInConfig("1", "s", scopes=MEMBER_SCOPES).has_organizations
    assert LinkedInConfig("1", "s", scopes=FULL_SCOPES).has_organizations
    assert LinkedInConfig("1", "s", scopes=SCOPES["organization"]).has_organizations
    assert {scope for scopes in SCOPES.values() for scope in scopes} <= set(FULL_SCOPES)
    assert "r_member_social" not in FULL_SCOPES


# OAuth


def test_the_way_to_consent(api):
    url = api.authorize_url(redirect_uri="https://hub.example/back/", state="s-1")
    assert url.startswith(f"{OAUTH}/authorization?")
    assert "scope=openid%20profile%20email%20w_member_social%20" in url
    assert parse_qs(urlsplit(url).query) == {
        "response_type": ["code"],
        "client_id": ["77abc"],
        "redirect_uri": ["https://hub.example/back/"],
        "state": ["s-1"],
        "scope": [" ".join(FULL_SCOPES)],
    }
    assert SECRET not in url


def test_a_code_becomes_a_token(api, graph):
    graph.post(
        f"{OAUTH}/accessToken",
        json={"access_token": TOKEN, "expires_in": 5183999, "scope": "email,openid,profile,w_member_social"},
    )
    found = api.exchange_code("c0de", "https://hub.example/back/")
    assert found == Tokens(
        TOKEN, NOW + timedelta(seconds=5183999), scopes=("email", "openid", "profile", "w_member_social")
    )
    assert (found.refresh_token, found.refresh_expires_at) == (None, None)
    assert form(graph.calls[0]) == {
        "grant_type": "authorization_code",
        "code": "c0de",
        "redirect_uri": "https://hub.example/back/",
        "client_id": "77abc",
        "client_secret": SECRET,
    }
    assert "LinkedIn-Version" not in graph.calls[0].request.headers
    assert graph.calls[0].request.url == f"{OAUTH}/accessToken"


def test_an_app_with_refresh_tokens_gets_one(api, graph):
    graph.post(
        f"{OAUTH}/accessToken",
        json={
            "access_token": TOKEN,
            "expires_in": 5184000,
            "refresh_token": "AQWrefresh",
            "refresh_token_expires_in": 31536059,
            "scope": "openid profile",
        },
    )
    found = api.exchange_code("c", "https://hub.example/")
    assert found.refresh_token == "AQWrefresh"
    assert found.refresh_expires_at == NOW + timedelta(seconds=31536059)
    assert found.scopes == ("openid", "profile")


def test_a_token_without_an_end_gets_sixty_days(api, graph):
    graph.post(f"{OAUTH}/accessToken", json={"access_token": TOKEN})
    assert api.exchange_code("c", "https://hub.example/").expires_at == NOW + timedelta(days=60)


def test_an_answer_without_a_token_is_no_token(api, graph):
    graph.post(f"{OAUTH}/accessToken", json={"expires_in": 5})
    with pytest.raises(TemporaryError):
        api.exchange_code("c", "https://hub.example/")


def test_refreshing_keeps_the_refresh_token(api, graph):
    graph.post(f"{OAUTH}/accessToken", json={"access_token": "AQXnew", "expires_in": 10})
    found = api.refresh("AQWrefresh")
    assert (found.access_token, found.refresh_token) == ("AQXnew", "AQWrefresh")
    assert found.refresh_expires_at is None
    assert form(graph.calls[0]) == {
        "grant_type": "refresh_token",
        "refresh_token": "AQWrefresh",
        "client_id": "77abc",
        "client_secret": SECRET,
    }


def test_a_refresh_may_bring_a_new_one(api, graph):
    graph.post(
        f"{OAUTH}/accessToken",
        json={"access_token": "AQXnew", "refresh_token": "AQWother", "refresh_token_expires_in": 60},
    )
    found = api.refresh("AQWrefresh")
    assert (found.refresh_token, found.refresh_expires_at) == ("AQWother", NOW + timedelta(seconds=60))


@pytest.mark.parametrize(
    ("status", "name", "on_code", "on_refresh"),
    [
        (400, "invalid_grant", RejectedError, ReconnectError),
        (400, "invalid_request", RejectedError, ReconnectError),
        (401, "invalid_client", OurBugError, OurBugError),
        (429, "", LimitedError, LimitedError),
        (503, "", TemporaryError, TemporaryError),
    ],
)
def test_refused_tokens(api, graph, status, name, on_code, on_refresh):
    graph.post(f"{OAUTH}/accessToken", json={"error": name}, status=status)
    with pytest.raises(on_code):
        api.exchange_code("c", "https://hub.example/")
    with pytest.raises(on_refresh):
        api.refresh("AQWrefresh")


def test_introspection(api, graph):
    graph.post(
        f"{OAUTH}/introspectToken",
        json={
            "active": True,
            "client_id": "77abc",
            "status": "active",
            "scope": "openid,profile,w_member_social",
            "created_at": 1795176000,
            "authorized_at": 1795176001,
            "expires_at": 1800360000,
            "auth_type": "3L",
        },
    )
    state = api.introspect(TOKEN)
    assert (state.is_active, state.status, state.client_id, state.auth_type) == (True, "active", "77abc", "3L")
    assert state.scopes == ("openid", "profile", "w_member_social")
    assert state.expires_at == datetime.fromtimestamp(1800360000, UTC)
    assert state.authorized_at - state.created_at == timedelta(seconds=1)
    assert form(graph.calls[0]) == {"token": TOKEN, "client_id": "77abc", "client_secret": SECRET}


def test_a_dead_token_is_an_answer(api, graph):
    graph.post(f"{OAUTH}/introspectToken", json={"active": False, "status": "revoked"})
    state = api.introspect(TOKEN)
    assert (state.is_active, state.status, state.scopes, state.expires_at) == (False, "revoked", (), None)


def test_a_wrong_secret_is_the_operators_fault(api, graph):
    graph.post(f"{OAUTH}/introspectToken", json={"error": "invalid_client"}, status=401)
    with pytest.raises(OurBugError):
        api.introspect(TOKEN)


def test_revoking(api, graph):
    graph.post(f"{OAUTH}/revoke", status=200)
    api.revoke(TOKEN)
    assert form(graph.calls[0]) == {"token": TOKEN, "client_id": "77abc", "client_secret": SECRET}


def test_what_is_dead_already_counts_as_revoked(api, graph):
    graph.post(f"{OAUTH}/revoke", json={"error": "invalid_request"}, status=400)
    api.revoke(TOKEN)


@pytest.mark.parametrize(("status", "wanted"), [(401, OurBugError), (404, OurBugError), (503, TemporaryError)])
def test_a_failed_revocation_is_told(api, graph, status, wanted):
    graph.post(f"{OAUTH}/revoke", status=status)
    with pytest.raises(wanted):
        api.revoke(TOKEN)


@pytest.mark.parametrize("text", ["a,b", "a b", "a, b", ",a,,b "])
def test_scopes_in_every_spelling(text):
    assert scopes_of(text) == ("a", "b")


# Who


def test_the_member(api, graph):
    graph.get(
        "https://api.linkedin.com/v2/userinfo",
        json={"sub": "aBc-1_x", "name": "Ada Lovelace", "picture": "https://media.licdn.com/a", "email": "a@b.example"},
    )
    found = api.userinfo(TOKEN)
    assert found == Member("aBc-1_x", "Ada Lovelace", "https://media.licdn.com/a")
    assert found.urn == PERSON
    headers = graph.calls[0].request.headers
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert "LinkedIn-Version" not in headers


def test_a_member_without_a_whole_name_or_picture(api, graph):
    graph.get("https://api.linkedin.com/v2/userinfo", json={"sub": "1", "given_name": "Ada", "family_name": "L"})
    assert api.userinfo(TOKEN) == Member("1", "Ada L")


def test_a_member_without_an_id_is_no_member(api, graph):
    graph.get("https://api.linkedin.com/v2/userinfo", json={"name": "Ada"})
    with pytest.raises(TemporaryError):
        api.userinfo(TOKEN)


def test_a_member_with_a_dead_token(api, graph):
    graph.get("https://api.linkedin.com/v2/userinfo", json=error(401, "REVOKED_ACCESS_TOKEN", 65601), status=401)
    with pytest.raises(ReconnectError) as caught:
        api.userinfo(TOKEN)
    assert caught.value.revoked


def acl(number, role="ADMINISTRATOR", state="APPROVED", field="organization"):
    return {field: f"urn:li:organization:{number}", "role": role, "state": state, "roleAssignee": PERSON}


def acls(graph, *pages, count=100, total=None):
    """Pages of organizationAcls; the last one is given again and again."""
    for number, entries in enumerate(pages):
        paging = {"start": number * count, "count": count}
        if total is not None:
            paging["total"] = total
        graph.get(f"{BASE}/organizationAcls", json={"elements": entries, "paging": paging})


def details(graph, number, name, logo=None, followers=None):
    answer = {"id": number, "localizedName": name, "vanityName": name.lower()}
    if logo:
        answer["logoV2"] = {"original": logo}
        graph.get(f"{BASE}/images/{enc(logo)}", json={"downloadUrl": f"https://media.licdn.com/{number}"})
    if followers is not None:
        graph.get(f"{BASE}/networkSizes/{enc(f'urn:li:organization:{number}')}", json={"firstDegreeSize": followers})
    return answer


def test_a_page_with_its_details(api, graph):
    acls(graph, [acl(42)], total=1)
    graph.get(f"{BASE}/organizations/42", json=details(graph, 42, "Barn", "urn:li:image:C4D", 1204))
    assert api.organizations(TOKEN) == [
        Organization(PAGE, "Barn", "barn", "https://media.licdn.com/42", 1204, ("ADMINISTRATOR",))
    ]
    first = graph.calls[0]
    assert parts(first) == {"q=roleAssignee", "state=APPROVED", "start=0", "count=100"}
    assert is_sent(first, {**HEADERS, "X-RestLi-Method": "FINDER"})
    (sizes,) = [call for call in graph.calls if "networkSizes" in call.request.url]
    assert sizes.request.url == (
        f"{BASE}/networkSizes/urn%3Ali%3Aorganization%3A42?edgeType=COMPANY_FOLLOWED_BY_MEMBER"
    )


def test_all_pages_of_the_list_are_read_and_roles_put_together(api, graph):
    acls(
        graph,
        [acl(1, "ANALYST"), acl(2, field="organizationTarget")],
        [acl(1, "CONTENT_ADMINISTRATOR"), acl(3, "RECRUITING_POSTER")],
        [acl(4, state="REQUESTED")],
        count=2,
        total=5,
    )
    graph.get(
        f"{BASE}/organizationsLookup",
        json={
            "results": {
                "1": details(graph, 1, "Zebra", followers=5),
                "2": details(graph, 2, "Ant", followers=0),
                "3": {"localizedName": "Closed"},
            },
            "statuses": {},
            "errors": {},
        },
    )
    ant, zebra, closed = api.organizations(TOKEN)
    assert (ant.urn, ant.name, ant.followers, ant.obstacle) == ("urn:li:organization:2", "Ant", 0, "")
    assert (zebra.name, zebra.roles) == ("Zebra", ("ANALYST", "CONTENT_ADMINISTRATOR"))
    assert (zebra.may_upload, zebra.may_read_figures, ant.may_upload, ant.may_read_figures) == (
        False,
        False,
        True,
        True,
    )
    assert (closed.name, closed.followers) == ("Closed", None)
    assert "role" in closed.obstacle
    starts = [
        part
        for call in graph.calls
        for part in parts(call)
        if "organizationAcls" in call.request.url and "start" in part
    ]
    assert starts == ["start=0", "start=2", "start=4"]
    (lookup,) = [call for call in graph.calls if "organizationsLookup" in call.request.url]
    assert query(lookup) == "ids=List(1,2,3)"
    assert lookup.request.headers["X-RestLi-Method"] == "BATCH_GET"


@pytest.mark.parametrize(
    ("role", "posts", "uploads"),
    [
        ("ADMINISTRATOR", True, True),
        ("CONTENT_ADMIN", True, False),
        ("CONTENT_ADMINISTRATOR", True, False),
        ("DIRECT_SPONSORED_CONTENT_POSTER", True, True),
        ("ANALYST", False, False),
        ("RECRUITING_POSTER", False, False),
        ("LEAD_GEN_FORMS_MANAGER", False, False),
    ],
)
def test_what_a_role_may(api, graph, role, posts, uploads):
    acls(graph, [acl(42, role)], total=1)
    graph.get(f"{BASE}/organizations/42", json=details(graph, 42, "Barn", followers=1 if posts else None))
    (found,) = api.organizations(TOKEN)
    assert (not found.obstacle, found.may_upload) == (posts, uploads)


def test_a_list_without_a_total_ends_with_a_short_page(api, graph):
    acls(graph, [acl(number, "ANALYST") for number in range(100)], [acl(500, "ANALYST")])
    graph.get(f"{BASE}/organizationsLookup", json={"results": {}})
    assert len(api.organizations(TOKEN)) == 101
    lookups = [call for call in graph.calls if "organizationsLookup" in call.request.url]
    assert [query(call).count(",") + 1 for call in lookups] == [100, 1]


def test_nobody_without_pages(api, graph):
    acls(graph, [], total=0)
    assert api.organizations(TOKEN) == []


@pytest.mark.parametrize("status", [403, 400, 404])
def test_where_a_batch_is_refused_pages_are_read_one_by_one(api, graph, status):
    acls(graph, [acl(1), acl(2)], total=2)
    graph.get(f"{BASE}/organizationsLookup", json=error(status), status=status)
    graph.get(f"{BASE}/organizations/1", json=details(graph, 1, "One", followers=1))
    graph.get(f"{BASE}/organizations/2", json=error(403, "ACCESS_DENIED", 100), status=403)
    graph.get(f"{BASE}/networkSizes/{enc('urn:li:organization:2')}", json={})
    unnamed, one = api.organizations(TOKEN)
    assert (one.name, one.followers) == ("One", 1)
    assert (unnamed.urn, unnamed.name, unnamed.followers) == ("urn:li:organization:2", "", None)


def test_a_dead_version_is_not_taken_for_a_refused_batch(api, graph):
    acls(graph, [acl(1), acl(2)], total=2)
    graph.get(f"{BASE}/organizationsLookup", json=error(426, "NONEXISTENT_VERSION"), status=426)
    with pytest.raises(VersionError):
        api.organizations(TOKEN)


@pytest.mark.parametrize("status", [403, 404, 400, 503])
def test_a_page_without_picture_and_followers_is_a_page_all_the_same(api, graph, status):
    acls(graph, [acl(42)], total=1)
    graph.get(f"{BASE}/organizations/42", json={"localizedName": "Barn", "logoV2": {"original": "urn:li:image:C"}})
    graph.get(f"{BASE}/networkSizes/{enc(PAGE)}", json={"firstDegreeSize": 7})
    graph.get(f"{BASE}/images/{enc('urn:li:image:C')}", json=error(status), status=status)
    (found,) = api.organizations(TOKEN)
    assert (found.name, found.picture, found.followers) == ("Barn", "", 7)


def test_an_app_without_pages_says_so(api, graph):
    graph.get(f"{BASE}/organizationAcls", json=error(403, "ACCESS_DENIED", 100), status=403)
    with pytest.raises(PermissionMissingError):
        api.organizations(TOKEN)


def test_the_address_of_a_page():
    assert Organization(PAGE, vanity_name="barn-finds").address == "https://www.linkedin.com/company/barn-finds"
    assert Organization(PAGE).address == "https://www.linkedin.com/company/42"


# Images


def test_an_image_is_announced_and_put(api, graph):
    graph.post(
        f"{BASE}/images?action=initializeUpload",
        json={"value": {"uploadUrl": UPLOAD_URL, "uploadUrlExpiresAt": 1, "image": "urn:li:image:D4"}},
    )
    graph.put(UPLOAD_URL, status=201)
    place = api.begin_upload(TOKEN, PAGE)
    assert place == Upload(UPLOAD_URL, "urn:li:image:D4")
    api.upload(TOKEN, place, b"JPEG", "image/jpeg")
    begin, put = graph.calls
    assert query(begin) == "action=initializeUpload"
    assert body(begin) == {"initializeUploadRequest": {"owner": PAGE}}
    assert (put.request.body, put.request.url) == (b"JPEG", UPLOAD_URL)
    assert is_sent(put, {"Authorization": f"Bearer {TOKEN}", "Content-Type": "image/jpeg", "LinkedIn-Version": None})


@pytest.mark.parametrize("answer", [{}, {"value": {"image": "urn:li:image:1"}}, {"value": {"uploadUrl": "https://x"}}])
def test_half_an_announcement_is_none(api, graph, answer):
    graph.post(f"{BASE}/images", json=answer)
    with pytest.raises(TemporaryError):
        api.begin_upload(TOKEN, PAGE)


@pytest.mark.parametrize(
    ("status", "wanted"),
    [(401, TemporaryError), (403, TemporaryError), (404, TemporaryError), (429, LimitedError), (500, TemporaryError)],
)
def test_a_refused_upload_never_costs_the_connection(api, graph, status, wanted):
    graph.put(UPLOAD_URL, status=status)
    with pytest.raises(wanted):
        api.upload(TOKEN, Upload(UPLOAD_URL, "urn:li:image:1"), b"x", "image/jpeg")


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/dms-uploads",
        "https://linkedin.com.evil.example/",
        "https://evillinkedin.com/",
        "http://www.linkedin.com/",
        "https://www.linkedin.com@evil.example/",
    ],
)
def test_the_token_goes_to_nobody_else(api, graph, url):
    with pytest.raises(OurBugError):
        api.upload(TOKEN, Upload(url, "urn:li:image:1"), b"x", "image/jpeg")
    assert not graph.calls


def test_a_sandbox_takes_uploads_at_its_own_address(graph):
    api = make_api(api_url="http://127.0.0.1:8100/linkedin/api/")
    graph.put("http://127.0.0.1:8100/linkedin/api/upload/1", status=201)
    api.upload(TOKEN, Upload("http://127.0.0.1:8100/linkedin/api/upload/1", "i"), b"x", "image/jpeg")


# Posts


@pytest.mark.parametrize("urn", ["urn:li:share:7", "urn:li:ugcPost:7"])
def test_the_id_of_a_post_stands_in_a_header(api, graph, urn):
    graph.post(f"{BASE}/posts", status=201, headers={"x-restli-id": urn, "x-li-uuid": "AAY="})
    assert api.create_post(TOKEN, {"author": PAGE}) == Created(urn, "AAY=")
    assert body(graph.calls[0]) == {"author": PAGE}


def test_a_post_without_an_id_was_created_all_the_same(api, graph):
    graph.post(f"{BASE}/posts", status=201)
    assert api.create_post(TOKEN, {}) == Created("")


def test_posts_of_a_page(api, graph):
    graph.get(f"{BASE}/posts", json={"elements": [{"id": "urn:li:share:1"}, None], "paging": {}})
    assert api.posts_by(TOKEN, PAGE) == [{"id": "urn:li:share:1"}]
    assert parts(graph.calls[0]) == {"q=author", f"author={enc(PAGE)}", "sortBy=CREATED", "count=100", "start=0"}
    assert graph.calls[0].request.headers["X-RestLi-Method"] == "FINDER"


def test_a_deleted_post(api, graph):
    graph.get(f"{BASE}/posts/urn%3Ali%3Ashare%3A1", json=error(404), status=404)
    with pytest.raises(NotFoundError):
        api.read_post(TOKEN, "urn:li:share:1")


def test_figures_come_whole_even_when_linkedin_pages_them(api, graph):
    for number in (1, 2, 3):
        graph.get(f"{BASE}/x", json={"elements": [{"n": number}], "paging": {"count": 1, "total": 3}})
    assert api.finder("x", TOKEN, {"q": "me"}) == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert [query(call) for call in graph.calls] == ["q=me", "q=me&start=1&count=100", "q=me&start=2&count=100"]


# Log


def test_nothing_secret_is_logged(api, graph, caplog):
    caplog.set_level(logging.DEBUG)
    graph.post(f"{OAUTH}/accessToken", json={"access_token": TOKEN, "refresh_token": "AQWrefresh"})
    graph.post(f"{OAUTH}/revoke", json={"error": "invalid_request", "error_description": TOKEN}, status=400)
    acls(graph, [acl(1), acl(2)], total=2)
    graph.get(f"{BASE}/organizationsLookup", json=error(403, "", 100, TOKEN), status=403)
    for number in (1, 2):
        graph.get(f"{BASE}/organizations/{number}", json=error(404, "", None, TOKEN), status=404)
        graph.get(
            f"{BASE}/networkSizes/{enc(f'urn:li:organization:{number}')}", json=error(500, "", None, TOKEN), status=500
        )
    api.exchange_code("the-c0de", "https://hub.example/")
    api.revoke(TOKEN)
    api.organizations(TOKEN)
    assert caplog.records
    assert not any(secret in caplog.text for secret in (TOKEN, SECRET, "AQWrefresh", "the-c0de"))


def test_requests_are_not_followed_elsewhere(api, graph):
    graph.get(f"{BASE}/x", status=302, headers={"Location": "https://evil.example/"})
    with pytest.raises(TemporaryError):
        api.get("x", TOKEN)
    assert len(graph.calls) == 1
