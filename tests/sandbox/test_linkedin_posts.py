"""The simulated LinkedIn: what it takes as a post, what it cuts, and the figures that come of it."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.sandbox.conftest import image_bytes
from tests.sandbox.test_linkedin import MEMBER_SCOPES, initialize, put, refused
from tests.sandbox_process import GrantedMember, Sandbox

pytestmark = pytest.mark.processes

LIND = "urn:li:organization:51000001"
FAIR = "urn:li:organization:51000002"


@pytest.fixture
def lena(sandbox: Sandbox) -> GrantedMember:
    return sandbox.member("lena")


def body_of(author: str, commentary: str = "Launched", **more: Any) -> dict[str, Any]:
    return {
        "author": author,
        "commentary": commentary,
        "visibility": "PUBLIC",
        "distribution": {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []},
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
        **more,
    }


def create(sandbox: Sandbox, member: GrantedMember, body: dict[str, Any]) -> requests.Response:
    return sandbox.linkedin_call("POST", "posts", member.access_token, json=body)


def created(response: requests.Response) -> str:
    assert (response.status_code, response.content) == (201, b""), response.text
    return response.headers["x-restli-id"]


def key(urn: str) -> str:
    return quote(urn, safe="")


def image(sandbox: Sandbox, member: GrantedMember, owner: str, content: bytes | None = None) -> str:
    value = initialize(sandbox, member, owner).json()["value"]
    assert put(value["uploadUrl"], member, content or image_bytes()).status_code == 201
    time.sleep(0.25)
    return value["image"]


def messages(sandbox: Sandbox, account: str) -> list[str]:
    return [post["message"] for post in sandbox.feed(account)]


def fields(response: requests.Response) -> list[tuple[str, str]]:
    rows = response.json()["errorDetails"]["inputErrors"]
    return [(row["code"], row["input"]["inputPath"]["fieldPath"]) for row in rows]


# Creating


def test_a_member_and_an_organization_post(sandbox: Sandbox, lena: GrantedMember) -> None:
    own = created(create(sandbox, lena, body_of(lena.urn, "Mine")))
    ours = created(create(sandbox, lena, body_of(LIND, "Ours")))

    assert own.startswith("urn:li:share:")
    assert (messages(sandbox, lena.urn), messages(sandbox, "51000001")) == (["Mine"], ["Ours"])
    assert own != ours


def test_images_become_one_post(sandbox: Sandbox, lena: GrantedMember) -> None:
    rows = [{"id": image(sandbox, lena, LIND), "altText": f"View {n}"} for n in range(3)]
    single = {"media": {"id": image(sandbox, lena, LIND), "altText": "Alone"}}

    many = created(create(sandbox, lena, body_of(LIND, "Three", content={"multiImage": {"images": rows}})))
    created(create(sandbox, lena, body_of(LIND, "One", content=single)))
    page = requests.get(f"{sandbox.url}/linkedin/company/lind-and-daughters/", timeout=10).text

    assert many.startswith("urn:li:ugcPost:")
    assert [post["media"] for post in sandbox.feed(LIND)] == [3, 1]
    assert all(text in page for text in ('alt="View 2"', 'alt="Alone"', "Three"))
    assert requests.get(f"{sandbox.url}/linkedin/feed/update/{many}/", timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("change", "answer", "field"),
    [
        ({"author": None}, (422, "UNPROCESSABLE_ENTITY"), "/author"),
        ({"author": "urn:li:page:1"}, (400, "INVALID_URN_TYPE"), "/author"),
        ({"commentary": None}, (422, "UNPROCESSABLE_ENTITY"), "/commentary"),
        ({"commentary": ""}, (400, "MISSING_FIELD"), "/commentary"),
        ({"commentary": "x" * 3_001}, (400, "FIELD_LENGTH_TOO_LONG"), "/commentary"),
        ({"visibility": "EVERYBODY"}, (422, "UNPROCESSABLE_ENTITY"), "/visibility"),
        ({"visibility": "CONNECTIONS"}, (400, "INVALID_VALUE_FOR_FIELD"), "/visibility"),
        ({"lifecycleState": "DRAFT"}, (400, "INVALID_VALUE_FOR_FIELD"), "/lifecycleState"),
        ({"distribution": {}}, (422, "UNPROCESSABLE_ENTITY"), "/distribution/feedDistribution"),
        ({"scheduledAt": 1}, (422, "UNPROCESSABLE_ENTITY"), "/scheduledAt"),
        ({"content": {"media": {}, "article": {}}}, (422, "UNPROCESSABLE_ENTITY"), "/content"),
        ({"content": {"media": {}}}, (422, "UNPROCESSABLE_ENTITY"), "/content/media/id"),
        ({"content": {"media": {"id": "urn:li:image:1"}}}, (400, "INVALID_URN_ID"), "/content/media/id"),
        ({"content": {"media": {"id": "urn:li:poll:1"}}}, (400, "INVALID_URN_TYPE"), "/content/media/id"),
        (
            {"content": {"multiImage": {"images": [{"id": "urn:li:image:1"}]}}},
            (422, "UNPROCESSABLE_ENTITY"),
            "/content/multiImage/images",
        ),
        (
            {"content": {"article": {"source": "https://a.example"}}},
            (422, "UNPROCESSABLE_ENTITY"),
            "/content/article/title",
        ),
        (
            {"content": {"poll": {"question": "?", "options": [{"text": "a"}]}}},
            (422, "UNPROCESSABLE_ENTITY"),
            "/content/poll/options",
        ),
    ],
)
def test_what_is_refused_names_the_field(
    sandbox: Sandbox, lena: GrantedMember, change: dict[str, Any], answer: tuple[int, str], field: str
) -> None:
    body = {name: value for name, value in {**body_of(LIND), **change}.items() if value is not None}

    response = create(sandbox, lena, body)

    assert refused(response) == answer
    assert fields(response) == [(answer[1], field)]
    assert messages(sandbox, LIND) == []


def test_an_image_must_be_there_and_be_the_authors(sandbox: Sandbox, lena: GrantedMember) -> None:
    waiting = initialize(sandbox, lena, LIND).json()["value"]["image"]
    broken = image(sandbox, lena, LIND, b"no image")
    mine = image(sandbox, lena, lena.urn)

    codes = [
        create(sandbox, lena, body_of(LIND, content={"media": {"id": urn}})).json()["code"]
        for urn in (waiting, broken, mine)
    ]

    assert codes == ["MEDIA_ASSET_WAITING_UPLOAD", "MEDIA_ASSET_PROCESSING_FAILED", "INVALID_VALUE_FOR_FIELD"]


def test_posting_needs_scope_and_role(sandbox: Sandbox) -> None:
    lena = sandbox.member("lena")
    assert refused(create(sandbox, lena, body_of(FAIR))) == (403, "ACCESS_DENIED")
    assert refused(create(sandbox, lena, body_of(sandbox.member("mika").urn))) == (403, "ACCESS_DENIED")
    sandbox.linkedin_role("lena", "51000002", "CONTENT_ADMIN")
    created(create(sandbox, lena, body_of(FAIR)))
    plain = sandbox.member("lena", scopes=MEMBER_SCOPES.split())
    assert refused(create(sandbox, plain, body_of(LIND))) == (403, "ACCESS_DENIED")
    created(create(sandbox, plain, body_of(plain.urn)))


def test_the_same_again_is_a_duplicate_for_ten_minutes(sandbox: Sandbox, lena: GrantedMember) -> None:
    urn = created(create(sandbox, lena, body_of(LIND)))

    again = create(sandbox, lena, body_of(LIND))

    assert refused(again) == (422, "DUPLICATE_POST")
    assert urn in again.json()["message"]
    created(create(sandbox, lena, body_of(LIND, "Something else")))
    created(create(sandbox, lena, body_of(lena.urn)))
    sandbox.advance(601)
    created(create(sandbox, lena, body_of(LIND)))
    assert len(messages(sandbox, LIND)) == 3


@pytest.mark.parametrize(
    ("commentary", "shown"),
    [
        (r"a\_b \(c\) \@d", "a_b (c) @d"),
        (r"50% #win & C\#", "50% #win & C#"),
        (r"x\\y\|z", "x\\y|z"),
        (r"\<3 \*you\* \~", "<3 *you* ~"),
        (r"{hashtag|\#|big\_news} today", "#big_news today"),
        (f"With @[Lind & Daughters]({LIND})", "With Lind & Daughters"),
        ("Price (from $5)", "Price "),
        ("Write to a@b.example", "Write to a"),
        ("C# and more", "C"),
        ("No #1", "No "),
        ("#snake_case", "#snake"),
        ("back\\slash", "back"),
    ],
)
def test_an_unescaped_character_cuts_the_text_and_nobody_says_so(
    sandbox: Sandbox, lena: GrantedMember, commentary: str, shown: str
) -> None:
    urn = created(create(sandbox, lena, body_of(LIND, commentary)))

    kept = sandbox.linkedin_call("GET", f"posts/{key(urn)}", lena.access_token).json()["commentary"]

    assert messages(sandbox, LIND) == [shown]
    assert commentary.startswith(kept)


def test_links_and_polls_are_shown(sandbox: Sandbox, lena: GrantedMember) -> None:
    article = {"source": "https://shop.example/boat", "title": "A boat (new)", "description": "Oak & larch"}
    poll = {"question": "Oak?", "options": [{"text": "Yes"}, {"text": "No"}], "settings": {"duration": "ONE_DAY"}}

    created(create(sandbox, lena, body_of(LIND, "Look", content={"article": article})))
    created(create(sandbox, lena, body_of(LIND, "Ask", content={"poll": poll})))
    page = requests.get(f"{sandbox.url}/linkedin/company/lind-and-daughters/", timeout=10).text

    assert sandbox.feed(LIND)[0]["link"] == "https://shop.example/boat"
    assert all(text in page for text in ("A boat (new)", "Oak &amp; larch", "Oak?", "<li>Yes</li>"))


# Reading, editing, deleting


def test_posts_of_an_organization_are_found_newest_first_in_pages(sandbox: Sandbox, lena: GrantedMember) -> None:
    for number in range(3):
        created(create(sandbox, lena, body_of(LIND, f"Post {number}")))
        sandbox.advance(60)
    path = f"posts?q=author&author={key(LIND)}&sortBy=CREATED"

    first = sandbox.linkedin_call("GET", f"{path}&count=2", lena.access_token).json()
    rest = sandbox.linkedin_call("GET", f"{path}&count=2&start=2", lena.access_token).json()

    assert [post["commentary"] for post in first["elements"] + rest["elements"]] == ["Post 2", "Post 1", "Post 0"]
    assert first["paging"]["total"] == 3
    assert first["elements"][0]["lifecycleState"] == "PUBLISHED"


def test_a_members_posts_cannot_be_read_back(sandbox: Sandbox, lena: GrantedMember) -> None:
    urn = created(create(sandbox, lena, body_of(lena.urn)))

    finder = sandbox.linkedin_call("GET", f"posts?q=author&author={key(lena.urn)}", lena.access_token)
    single = sandbox.linkedin_call("GET", f"posts/{key(urn)}", lena.access_token)

    assert (refused(finder), refused(single)) == ((403, "ACCESS_DENIED"), (403, "ACCESS_DENIED"))


def test_a_batch_tells_each_ones_fate(sandbox: Sandbox, lena: GrantedMember) -> None:
    urn = created(create(sandbox, lena, body_of(LIND)))
    ids = f"List({key(urn)},{key('urn:li:share:1')})"

    answer = sandbox.linkedin_call("GET", f"posts?ids={ids}", lena.access_token).json()

    assert answer["statuses"] == {urn: 200, "urn:li:share:1": 404}
    assert list(answer["results"]) == [urn]


def test_the_text_can_be_edited_and_nothing_else(sandbox: Sandbox, lena: GrantedMember) -> None:
    path = f"posts/{key(created(create(sandbox, lena, body_of(LIND))))}"
    partial = {"X-RestLi-Method": "PARTIAL_UPDATE"}

    def edit(change: dict[str, Any], headers: dict[str, str]) -> int:
        body = {"patch": {"$set": change}}
        return sandbox.linkedin_call("POST", path, lena.access_token, json=body, headers=headers).status_code

    assert edit({"commentary": "Afloat"}, partial) == 204
    assert edit({"commentary": "Again"}, {}) == 400
    assert edit({"content": {}}, partial) == 422
    assert messages(sandbox, LIND) == ["Afloat"]


def test_deleting_twice_is_fine(sandbox: Sandbox, lena: GrantedMember) -> None:
    path = f"posts/{key(created(create(sandbox, lena, body_of(LIND))))}"
    headers = {"X-RestLi-Method": "DELETE"}

    codes = [
        sandbox.linkedin_call("DELETE", path, lena.access_token, headers=headers).status_code for _attempt in range(2)
    ]

    assert codes == [204, 204]
    assert messages(sandbox, LIND) == []
    assert sandbox.linkedin_call("GET", path, lena.access_token).status_code == 404


# Faults


def test_an_answer_lost_after_accepting_leaves_the_post(sandbox: Sandbox, lena: GrantedMember) -> None:
    sandbox.fault("lost_answer", edge="linkedin.posts")

    with pytest.raises(requests.ConnectionError):
        create(sandbox, lena, body_of(LIND))

    assert messages(sandbox, LIND) == ["Launched"]
    assert sandbox.call_log()[-1]["status"] == 0


@pytest.mark.parametrize(("kind", "status", "left"), [("error_before", 503, 0), ("error_after", 500, 1)])
def test_a_server_error_before_or_after(
    sandbox: Sandbox, lena: GrantedMember, kind: str, status: int, left: int
) -> None:
    sandbox.fault(kind, edge="POST linkedin.posts")

    assert create(sandbox, lena, body_of(LIND)).status_code == status
    assert len(messages(sandbox, LIND)) == left


def test_a_post_may_come_back_without_its_id(sandbox: Sandbox, lena: GrantedMember) -> None:
    sandbox.fault("no_id", edge="linkedin.posts")

    response = create(sandbox, lena, body_of(LIND))

    assert response.status_code == 201
    assert "x-restli-id" not in response.headers
    assert messages(sandbox, LIND) == ["Launched"]


def test_a_duplicate_and_an_image_can_be_refused_by_hand(sandbox: Sandbox, lena: GrantedMember) -> None:
    sandbox.fault("duplicate", edge="linkedin.posts")
    assert refused(create(sandbox, lena, body_of(LIND))) == (422, "DUPLICATE_POST")
    sandbox.fault("rejected_image", edge="linkedin.posts")
    assert refused(create(sandbox, lena, body_of(LIND))) == (400, "MEDIA_ASSET_PROCESSING_FAILED")
    created(create(sandbox, lena, body_of(LIND)))


# Figures


def test_figures_of_posts_grow_and_a_post_without_any_is_absent(sandbox: Sandbox, lena: GrantedMember) -> None:
    share = created(create(sandbox, lena, body_of(LIND, "Old")))
    images = {"images": [{"id": image(sandbox, lena, LIND)} for _ in range(2)]}
    many = created(create(sandbox, lena, body_of(LIND, "Old, too", content={"multiImage": images})))
    path = f"organizationalEntityShareStatistics?q=organizationalEntity&organizationalEntity={key(LIND)}"
    path += f"&shares=List({key(share)},{key('urn:li:share:1')})&ugcPosts=List({key(many)})"

    def statistics() -> list[dict[str, Any]]:
        return sandbox.linkedin_call("GET", path, lena.access_token).json()["elements"]

    assert statistics() == []
    sandbox.advance(3_600)
    early = statistics()
    sandbox.advance(86_400)
    late = statistics()

    assert [row.get("share") or row.get("ugcPost") for row in late] == [share, many]
    names = {"impressionCount", "uniqueImpressionsCount", "clickCount", "likeCount", "commentCount", "shareCount"}
    assert set(late[0]["totalShareStatistics"]) == {*names, "engagement"}
    assert late[0]["totalShareStatistics"]["impressionCount"] > early[0]["totalShareStatistics"]["impressionCount"] > 0
    assert 0 < late[0]["totalShareStatistics"]["engagement"] < 1


def test_statistics_come_by_day_for_administrators(sandbox: Sandbox, lena: GrantedMember) -> None:
    day = 86_400_000
    end = int(time.time() * 1000) // day * day - 3 * day
    span = f"timeIntervals=(timeRange:(start:{end - 2 * day},end:{end}),timeGranularityType:DAY)"
    entity = f"q=organizationalEntity&organizationalEntity={key(LIND)}"

    def get(path: str) -> requests.Response:
        return sandbox.linkedin_call("GET", path, lena.access_token)

    shares = get(f"organizationalEntityShareStatistics?{entity}&{span}").json()["elements"]
    followers = get(f"organizationalEntityFollowerStatistics?{entity}&{span}").json()["elements"]
    pages = get(f"organizationPageStatistics?q=organization&organization={key(LIND)}&{span}").json()["elements"]
    both = get(f"organizationalEntityShareStatistics?{entity}&{span}&shares=List({key('urn:li:share:1')})")
    other = get(f"organizationPageStatistics?q=organization&organization={key(FAIR)}")

    assert [row["timeRange"]["start"] for row in shares] == [end - 2 * day, end - day]
    assert len(followers) == 2
    assert all(row["followerGains"]["organicFollowerGain"] >= 0 for row in followers)
    assert all(row["totalPageStatistics"]["views"]["allPageViews"]["pageViews"] > 0 for row in pages)
    assert both.status_code == 400
    assert refused(other) == (403, "ACCESS_DENIED")


def test_a_day_is_told_again_for_a_week_and_likes_are_taken_back(sandbox: Sandbox, lena: GrantedMember) -> None:
    day = 86_400
    end = int(time.time()) // day * day
    span = f"timeIntervals=(timeRange:(start:{(end - 30 * day) * 1000},end:{end * 1000}),timeGranularityType:DAY)"
    path = f"organizationalEntityShareStatistics?q=organizationalEntity&organizationalEntity={key(LIND)}&{span}"

    def read(after: int) -> list[dict[str, Any]]:
        sandbox.set_clock(end + after)
        rows = sandbox.linkedin_call("GET", path, lena.access_token).json()["elements"]
        return [row["totalShareStatistics"] for row in rows]

    first, later, settled, at_last = (read(after) for after in (60, 3 * day, 7 * day + 60, 9 * day))
    impressions = [rows[-1]["impressionCount"] for rows in (first, later, settled, at_last)]

    assert impressions == sorted(impressions)
    assert impressions[0] < impressions[2] == impressions[3]
    assert first[0] == at_last[0]
    # What a day adds may be less than nothing, where there is little of it.
    assert sum(row["likeCount"] for row in at_last) > 0
    quiet = path.replace(key(LIND), key("urn:li:organization:52000001")).replace(
        str((end - 30 * day) * 1000), str((end - 300 * day) * 1000)
    )
    rows = sandbox.linkedin_call("GET", quiet, sandbox.member("olga").access_token).json()["elements"]
    assert min(row["totalShareStatistics"]["likeCount"] for row in rows) < 0


def test_followers_are_told_by_facets(sandbox: Sandbox, lena: GrantedMember) -> None:
    path = f"organizationalEntityFollowerStatistics?q=organizationalEntity&organizationalEntity={key(LIND)}"

    answer = sandbox.linkedin_call("GET", path, lena.access_token).json()["elements"][0]

    facets = {name: rows for name, rows in answer.items() if name.startswith("followerCountsBy")}
    assert set(facets) == {
        *("followerCountsBySeniority", "followerCountsByFunction", "followerCountsByIndustry"),
        *("followerCountsByGeoCountry", "followerCountsByGeo", "followerCountsByStaffCountRange"),
    }
    for rows in facets.values():
        assert 4_000 < sum(row["followerCounts"]["organicFollowerCount"] for row in rows) < 10_000


def test_social_metadata_needs_its_scope(sandbox: Sandbox, lena: GrantedMember) -> None:
    urn = created(create(sandbox, lena, body_of(LIND)))
    sandbox.advance(86_400)
    path = f"socialMetadata/{key(urn)}"

    counts = sandbox.linkedin_call("GET", path, lena.access_token).json()
    narrow = sandbox.member("lena", scopes=["w_organization_social", "r_organization_social"])

    assert counts["reactionSummaries"]["LIKE"]["count"] > 0
    assert counts["commentsState"] == "OPEN"
    assert refused(sandbox.linkedin_call("GET", path, narrow.access_token)) == (403, "ACCESS_DENIED")


def test_a_members_figures_come_one_metric_at_a_time(sandbox: Sandbox, lena: GrantedMember) -> None:
    urn = created(create(sandbox, lena, body_of(lena.urn)))
    sandbox.advance(86_400)
    path = f"memberCreatorPostAnalytics?q=entity&entity=(share:{key(urn)})&aggregation=TOTAL&queryType="

    impressions = sandbox.linkedin_call("GET", f"{path}IMPRESSION", lena.access_token).json()["elements"]
    unknown = sandbox.linkedin_call("GET", f"{path}HUGS", lena.access_token)
    daily = path.replace("TOTAL", "DAILY")
    reached = sandbox.linkedin_call("GET", f"{daily}MEMBERS_REACHED", lena.access_token)
    per_day = sandbox.linkedin_call("GET", f"{daily}IMPRESSION", lena.access_token).json()["elements"]
    followers = sandbox.linkedin_call("GET", "memberFollowersCount?q=me", lena.access_token).json()["elements"]

    assert impressions[0]["metricType"] == "IMPRESSION"
    assert impressions[0]["count"] == sum(row["count"] for row in per_day) > 0
    assert (unknown.status_code, reached.status_code) == (400, 400)
    assert followers[0]["memberFollowersCount"] > 1_000
    plain = sandbox.member("lena", scopes=MEMBER_SCOPES.split())
    assert refused(sandbox.linkedin_call("GET", f"{path}IMPRESSION", plain.access_token)) == (403, "ACCESS_DENIED")
