from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import requests
import time_machine

from socialhub.platforms.base import (
    Absent,
    Access,
    AccountReading,
    Content,
    Done,
    NotYet,
    PostFigures,
    PostType,
    Profile,
    Published,
    RemotePost,
    StepKind,
    Unknowable,
)
from socialhub.platforms.errors import (
    LimitedError,
    OurBugError,
    OutcomeUnknownError,
    PermissionMissingError,
    ReconnectError,
    RejectedError,
    TemporaryError,
)
from socialhub.platforms.linkedin import LinkedIn
from socialhub.platforms.linkedin_api import MEMBER_SCOPES, millis
from socialhub.platforms.linkedin_errors import NotReadyError, VersionError
from socialhub.platforms.linkedin_rules import WINDOWS
from tests.platforms.linkedin import BASE, PAGE, PERSON, TOKEN, body, enc, error, make_api, parts, query

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SINCE = NOW - timedelta(seconds=60)
DAY_START = datetime(2026, 11, 18, tzinfo=UTC)
DAY = timedelta(days=1)
LINK = "https://www.shop.example/camaro"
TEXT = Content(PostType.TEXT, "Restored (#camaro) & C#")
CARD = Content(PostType.LINK, "Look", link=LINK)
UPLOAD = "https://www.linkedin.com/dms-uploads/1"
URN = "urn:li:share:7123"
ADDRESS = f"https://www.linkedin.com/feed/update/{URN}/"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def linkedin():
    return LinkedIn(make_api())


@pytest.fixture
def plain():
    """An app with nothing but sharing for members."""
    return LinkedIn(make_api(scopes=MEMBER_SCOPES))


@pytest.fixture
def member():
    return Access(PERSON, TOKEN)


@pytest.fixture
def company():
    return Access(PAGE, TOKEN)


def uploaded(number):
    return {f"image:{n}": f"urn:li:image:D{n}" for n in range(1, number + 1)}


def takes_uploads(graph, image="urn:li:image:D1"):
    graph.post(
        f"{BASE}/images?action=initializeUpload",
        json={"value": {"uploadUrl": UPLOAD, "uploadUrlExpiresAt": 1, "image": image}},
    )
    graph.put(UPLOAD, status=201)


def status(graph, image, **answer):
    graph.get(f"{BASE}/images/{enc(image)}", json=answer)


def wait_step(linkedin, content):
    return linkedin.plan(content)[-2]


# Plan


@pytest.mark.parametrize("content", [TEXT, CARD])
def test_without_images_there_is_only_the_commit(linkedin, content):
    (step,) = linkedin.plan(content)
    assert (step.key, step.kind, step.calls) == ("post", StepKind.COMMIT, {"publish": 1})


@pytest.mark.parametrize("number", [1, 20])
def test_images_are_uploaded_awaited_and_then_one_post_is_made(linkedin, images, number):
    *uploads, wait, commit = linkedin.plan(images(number))
    assert [step.key for step in uploads] == [f"image:{n}" for n in range(1, number + 1)]
    assert {step.kind for step in uploads} == {StepKind.PREPARE}
    assert (wait.kind, dict(wait.calls)) == (StepKind.WAIT, {})
    assert commit.kind is StepKind.COMMIT
    assert all(step.calls == {"publish": 1} for step in (*uploads, commit))
    assert set(commit.calls) <= {window.group for window in WINDOWS}


# Images


def test_an_image_is_uploaded_for_its_author(linkedin, company, images, graph):
    takes_uploads(graph, "urn:li:image:D2")
    content = images(2)
    done = linkedin.perform(linkedin.plan(content)[1], company, content, uploaded(1))
    assert done == Done({"image:2": "urn:li:image:D2"})
    begin, put = graph.calls
    assert body(begin) == {"initializeUploadRequest": {"owner": PAGE}}
    assert put.request.body == b"JPEG bytes 2"


def test_an_uploaded_image_is_not_uploaded_again(linkedin, company, images):
    content = images(1)
    assert linkedin.perform(linkedin.plan(content)[0], company, content, uploaded(1)) == Done()


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (error(401, "EXPIRED_ACCESS_TOKEN", 65602), ReconnectError),
        (error(403, "ACCESS_DENIED", 100), PermissionMissingError),
        (error(429), LimitedError),
        (error(500), TemporaryError),
        (error(422, "INVALID_URN_ID"), RejectedError),
        (error(426, "NONEXISTENT_VERSION"), OurBugError),
    ],
)
def test_upload_errors(linkedin, company, images, graph, answer, wanted):
    graph.post(f"{BASE}/images", json=answer, status=answer["status"])
    content = images(1)
    with pytest.raises(wanted):
        linkedin.perform(linkedin.plan(content)[0], company, content, {})


def test_a_lost_upload_is_no_unknown_outcome(linkedin, company, images, graph):
    graph.post(f"{BASE}/images", json={"value": {"uploadUrl": UPLOAD, "image": "urn:li:image:D1"}})
    graph.put(UPLOAD, body=requests.ReadTimeout("slow"))
    content = images(1)
    with pytest.raises(TemporaryError):
        linkedin.perform(linkedin.plan(content)[0], company, content, {})


def test_images_that_are_ready(linkedin, company, images, graph):
    content = images(2)
    for image in uploaded(2).values():
        status(graph, image, status="AVAILABLE", downloadUrl="https://media.licdn.com/x")
    assert linkedin.perform(wait_step(linkedin, content), company, content, uploaded(2)) == Done()
    assert graph.calls[0].request.url == f"{BASE}/images/urn%3Ali%3Aimage%3AD1"


@pytest.mark.parametrize("state", ["PROCESSING", "WAITING_UPLOAD", "", None])
def test_images_that_need_time_get_more_and_more(linkedin, company, images, graph, state):
    content, handles = images(1), uploaded(1)
    status(graph, "urn:li:image:D1", status=state)
    seconds = []
    for _poll in range(7):
        answer = linkedin.perform(wait_step(linkedin, content), company, content, handles)
        assert isinstance(answer, NotYet)
        handles |= answer.handles
        seconds.append(answer.seconds)
    assert seconds == [2, 3, 5, 10, 30, 30, 30]


def test_an_image_that_is_ready_is_not_looked_at_again(linkedin, company, images, graph):
    content, handles = images(2), uploaded(2)
    status(graph, "urn:li:image:D1", status="AVAILABLE")
    status(graph, "urn:li:image:D2", status="PROCESSING")
    status(graph, "urn:li:image:D2", status="AVAILABLE")
    answer = linkedin.perform(wait_step(linkedin, content), company, content, handles)
    assert isinstance(answer, NotYet)
    assert linkedin.perform(wait_step(linkedin, content), company, content, handles | answer.handles) == Done()
    assert [call.request.url[-2:] for call in graph.calls] == ["D1", "D2", "D2"]


def test_an_image_that_is_not_everywhere_yet_needs_time(linkedin, company, images, graph):
    content = images(1)
    graph.get(f"{BASE}/images/{enc('urn:li:image:D1')}", json=error(404), status=404)
    assert isinstance(linkedin.perform(wait_step(linkedin, content), company, content, uploaded(1)), NotYet)


def test_images_that_take_too_long_are_uploaded_again(linkedin, company, images, graph):
    content = images(1)
    handles = uploaded(1) | {"ready:began": (NOW - timedelta(minutes=16)).isoformat(), "ready:polls": 30}
    status(graph, "urn:li:image:D1", status="PROCESSING")
    with pytest.raises(TemporaryError) as caught:
        linkedin.perform(wait_step(linkedin, content), company, content, handles)
    assert all(name.startswith(caught.value.forget) for name in [*handles, "ready"])


def test_with_a_token_that_may_not_read_images_get_three_seconds(plain, member, images, graph):
    content, handles = images(2), uploaded(2)
    graph.get(f"{BASE}/images/{enc('urn:li:image:D1')}", json=error(403, "ACCESS_DENIED", 100), status=403)
    step = wait_step(plain, content)
    answer = plain.perform(step, member, content, handles)
    assert answer == NotYet(3, {"ready:blind": True})
    assert plain.perform(step, member, content, handles | answer.handles) == Done()
    assert len(graph.calls) == 1


def test_a_failed_image_is_uploaded_once_more_and_then_refused(linkedin, company, images, graph):
    content, handles = images(2), uploaded(2)
    step = wait_step(linkedin, content)
    status(graph, "urn:li:image:D1", status="AVAILABLE")
    status(graph, "urn:li:image:D2", status="PROCESSING_FAILED")
    takes_uploads(graph, "urn:li:image:E2")
    answer = linkedin.perform(step, company, content, handles)
    assert answer.handles == {"image:2": "urn:li:image:E2", "again:image:2": "urn:li:image:D2"}
    assert graph.calls[-1].request.body == b"JPEG bytes 2"
    status(graph, "urn:li:image:E2", status="PROCESSING_FAILED")
    with pytest.raises(RejectedError) as caught:
        linkedin.perform(step, company, content, handles | answer.handles)
    assert "image 2" in caught.value.message
    assert all(name.startswith(caught.value.forget) for name in handles | answer.handles)


# Commit


def commit(linkedin, access, graph, content, handles=None, **answer):
    graph.post(f"{BASE}/posts", **({"status": 201, "headers": {"x-restli-id": URN}} | answer))
    return linkedin.commit(access, content, handles or {})


def test_a_text_is_posted(linkedin, member, graph):
    headers = {"x-restli-id": URN, "x-li-uuid": "AAY="}
    assert commit(linkedin, member, graph, TEXT, headers=headers) == Published(URN, ADDRESS, "AAY=")
    assert body(graph.calls[0]) == {
        "author": PERSON,
        "commentary": "Restored \\(#camaro\\) & C\\#",
        "visibility": "PUBLIC",
        "distribution": {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []},
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
    }


def test_a_link_becomes_a_card(linkedin, company, graph):
    commit(linkedin, company, graph, CARD)
    sent = body(graph.calls[0])
    assert sent["content"] == {"article": {"source": LINK, "title": "shop.example"}}
    assert (sent["author"], sent["commentary"]) == (PAGE, "Look")


def test_a_card_takes_an_image(linkedin, company, images, graph):
    commit(linkedin, company, graph, images(1, PostType.LINK, link=LINK), uploaded(1))
    sent = body(graph.calls[0])
    assert sent["content"] == {"article": {"source": LINK, "title": "shop.example", "thumbnail": "urn:li:image:D1"}}
    assert sent["commentary"] == "1969 Camaro"


def test_a_single_image(linkedin, company, images, graph):
    commit(linkedin, company, graph, images(1), uploaded(1))
    assert body(graph.calls[0])["content"] == {"media": {"id": "urn:li:image:D1", "altText": "View 1"}}


def test_several_images_in_their_order(linkedin, company, images, graph):
    content = images(3)
    content = replace(content, media=(content.media[0], replace(content.media[1], alt_text=""), content.media[2]))
    commit(linkedin, company, graph, content, uploaded(3))
    assert body(graph.calls[0])["content"] == {
        "multiImage": {
            "images": [
                {"id": "urn:li:image:D1", "altText": "View 1"},
                {"id": "urn:li:image:D2"},
                {"id": "urn:li:image:D3", "altText": "View 3"},
            ]
        }
    }


def test_beside_images_a_link_goes_into_the_text(linkedin, company, images, graph):
    commit(linkedin, company, graph, images(1, link="https://x.example/a_b"), uploaded(1))
    sent = body(graph.calls[0])
    assert sent["commentary"] == "1969 Camaro\n\nhttps://x.example/a\\_b"
    assert set(sent["content"]) == {"media"}


def test_a_text_with_a_link_has_a_card(linkedin, company, graph):
    content = Content(PostType.TEXT, "Look", link=LINK)
    commit(linkedin, company, graph, content)
    assert set(body(graph.calls[0])["content"]) == {"article"}
    shown = {"article": {"source": LINK, "title": "shop.example"}}
    assert isinstance(look(linkedin, company, graph, content, post(text="Look", content=shown)), Published)


def test_a_post_without_an_id_is_published(linkedin, company, graph, caplog):
    answer = commit(linkedin, company, graph, TEXT, headers={"x-li-uuid": "AAY="})
    assert answer == Published("", "", "AAY=")
    assert "AAY=" in caplog.text
    assert linkedin.permalink(company, "") == ""


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (error(401, "REVOKED_ACCESS_TOKEN", 65601), ReconnectError),
        (error(403, "ACCESS_DENIED", 100, "Not enough permissions"), PermissionMissingError),
        (error(429), LimitedError),
        (error(400, "FIELD_LENGTH_TOO_LONG"), RejectedError),
        (error(422, "", None, "required"), RejectedError),
        (error(422, "", None, "x", "DUPLICATE_POST"), OutcomeUnknownError),
        (error(409), OutcomeUnknownError),
        (error(400, "MEDIA_ASSET_WAITING_UPLOAD"), NotReadyError),
        (error(400, "MEDIA_ASSET_PROCESSING_FAILED"), TemporaryError),
        (error(426, "NONEXISTENT_VERSION"), OurBugError),
        (error(500), OutcomeUnknownError),
        (error(503), OutcomeUnknownError),
        (error(504), OutcomeUnknownError),
    ],
)
def test_commit_errors(linkedin, company, graph, answer, wanted):
    with pytest.raises(wanted):
        commit(linkedin, company, graph, TEXT, json=answer, status=answer["status"])
    assert len(graph.calls) == 1


@pytest.mark.parametrize("failure", [requests.ReadTimeout("slow"), requests.ConnectionError("reset")])
def test_a_lost_answer_is_an_unknown_outcome(linkedin, company, graph, failure):
    with pytest.raises(OutcomeUnknownError):
        commit(linkedin, company, graph, TEXT, body=failure)
    assert len(graph.calls) == 1


# Looking


def post(urn=URN, text="Restored \\({hashtag|\\#|camaro}\\) & C\\#", at=NOW, content=None, **more):
    found = {"id": urn, "commentary": text, "createdAt": millis(at), "lifecycleState": "PUBLISHED", **more}
    return found | ({"content": content} if content else {})


def look(linkedin, access, graph, content, *posts, handles=None, claimed=()):
    graph.get(f"{BASE}/posts", json={"elements": list(posts), "paging": {"start": 0, "count": 100}})
    return linkedin.look(access, content, handles or {}, since=SINCE, claimed=claimed)


def test_a_post_of_a_page_is_found_by_its_words(linkedin, company, graph):
    other = post("urn:li:share:1", "Something else")
    answer = look(linkedin, company, graph, TEXT, other, post(publishedAt=millis(NOW)))
    assert answer == Published(URN, ADDRESS, published_at=NOW)
    assert parts(graph.calls[0]) == {"q=author", f"author={enc(PAGE)}", "sortBy=CREATED", "count=100", "start=0"}


def test_the_escaped_form_counts_as_the_same_text(linkedin, company, graph):
    assert isinstance(look(linkedin, company, graph, TEXT, post(text="Restored \\(#camaro\\)  & C\\#\n")), Published)


@pytest.mark.parametrize(
    "other",
    [
        post(text="Restored"),
        post(at=SINCE - timedelta(seconds=121)),
        post(lifecycleState="DRAFT"),
        post(lifecycleState="PUBLISH_FAILED"),
        post(content={"media": {"id": "urn:li:image:X"}}),
        post(content={"article": {"source": LINK}}),
        post(content={"poll": {}}),
    ],
)
def test_what_is_not_ours(linkedin, company, graph, other):
    assert isinstance(look(linkedin, company, graph, TEXT, other), Absent)


def test_a_little_before_our_call_is_still_ours(linkedin, company, graph):
    assert isinstance(look(linkedin, company, graph, TEXT, post(at=SINCE - timedelta(seconds=119))), Published)


def test_what_belongs_to_another_publication_is_not_ours(linkedin, company, graph):
    answer = look(linkedin, company, graph, TEXT, post(), post("urn:li:share:8"), claimed={URN})
    assert answer == Published(
        "urn:li:share:8", "https://www.linkedin.com/feed/update/urn:li:share:8/", published_at=NOW
    )


def test_two_alike_are_for_a_person(linkedin, company, graph):
    answer = look(linkedin, company, graph, TEXT, post(), post("urn:li:share:8"))
    assert isinstance(answer, Unknowable)
    assert URN in answer.evidence
    assert "urn:li:share:8" in answer.evidence


def test_images_tell_which_of_two_it_is(linkedin, company, images, graph):
    answer = look(
        linkedin,
        company,
        graph,
        images(1),
        post("urn:li:share:8", "1969 Camaro", content={"media": {"id": "urn:li:image:OTHER"}}),
        post(text="changed since", content={"media": {"id": "urn:li:image:D1"}}),
        handles=uploaded(1),
    )
    assert answer == Published(URN, ADDRESS, published_at=NOW)


def test_other_images_with_the_same_words_are_another_post(linkedin, company, images, graph):
    other = post(text="1969 Camaro", content={"media": {"id": "urn:li:image:OTHER"}})
    assert isinstance(look(linkedin, company, graph, images(1), other, handles=uploaded(1)), Absent)


def test_many_images_are_found(linkedin, company, images, graph):
    shown = {"multiImage": {"images": [{"id": "urn:li:image:D2"}, None, {"id": "urn:li:image:D1"}]}}
    answer = look(linkedin, company, graph, images(2), post(text="1969 Camaro", content=shown), handles=uploaded(2))
    assert isinstance(answer, Published)


@pytest.mark.parametrize(
    ("source", "wanted"),
    [(LINK, Published), (f"{LINK}/", Published), ("https://other.example/", Absent), (None, Published)],
)
def test_a_card_is_found_by_its_link(linkedin, company, graph, source, wanted):
    shown = {"article": {"source": source, "title": "shop.example"}}
    assert isinstance(look(linkedin, company, graph, CARD, post(text="Look", content=shown)), wanted)


def test_nothing_there_says_how_much_was_read(linkedin, company, graph):
    answer = look(linkedin, company, graph, TEXT, post("urn:li:share:1", "x"), post("urn:li:share:2", at=SINCE - DAY))
    assert answer == Absent("1 posts since 2026-11-20 11:57:00 UTC read on the page; this one is not among them.")


def test_more_than_we_can_read_is_not_absent(linkedin, company, graph):
    posts = [post(f"urn:li:share:{number}", "x") for number in range(100)]
    assert isinstance(look(linkedin, company, graph, TEXT, *posts), Unknowable)
    posts[-1] = post("urn:li:share:99", "x", at=SINCE - DAY)
    graph.reset()
    assert isinstance(look(linkedin, company, graph, TEXT, *posts), Absent)


def test_without_the_right_to_read_a_person_must_look(linkedin, company, graph):
    graph.get(f"{BASE}/posts", json=error(403, "ACCESS_DENIED", 100, "Not enough permissions"), status=403)
    answer = linkedin.look(company, TEXT, {}, since=SINCE, claimed=())
    assert isinstance(answer, Unknowable)
    assert "Not enough permissions" in answer.evidence


@pytest.mark.parametrize(("status", "wanted"), [(401, ReconnectError), (429, LimitedError), (500, TemporaryError)])
def test_a_look_that_fails_is_no_look(linkedin, company, graph, status, wanted):
    graph.get(f"{BASE}/posts", json=error(status), status=status)
    with pytest.raises(wanted):
        linkedin.look(company, TEXT, {}, since=SINCE, claimed=())


def test_the_posts_of_a_member_cannot_be_read(linkedin, member, graph):
    answer = linkedin.look(member, TEXT, {}, since=SINCE, claimed=())
    assert isinstance(answer, Unknowable)
    assert "2026-11-20 11:57:00 UTC" in answer.evidence
    assert not graph.calls


def test_three_looks_within_ten_minutes_decide():
    looks = [LinkedIn.first_look_seconds + number * LinkedIn.look_every_seconds for number in range(3)]
    assert 30 <= looks[0] <= 60
    assert looks[1] < LinkedIn.absent_after_seconds <= looks[2] <= 600


# Profile


def test_the_profile_of_a_member(linkedin, member, graph):
    graph.get("https://api.linkedin.com/v2/userinfo", json={"sub": "aBc-1_x", "name": "Ada", "picture": "https://p"})
    graph.get(f"{BASE}/memberFollowersCount", json={"elements": [{"memberFollowersCount": 12}]})
    assert linkedin.profile(member) == Profile("Ada", picture_url="https://p", followers_count=12)
    assert query(graph.calls[1]) == "q=me"


def test_an_app_without_the_scope_does_not_ask_for_followers(plain, member, graph):
    graph.get("https://api.linkedin.com/v2/userinfo", json={"sub": "aBc-1_x", "name": "Ada"})
    assert plain.profile(member) == Profile("Ada", followers_count=None)


@pytest.mark.parametrize("status", [403, 404])
def test_followers_that_are_not_told_are_unknown(linkedin, member, graph, status):
    graph.get("https://api.linkedin.com/v2/userinfo", json={"sub": "aBc-1_x", "name": "Ada"})
    graph.get(f"{BASE}/memberFollowersCount", json=error(status), status=status)
    assert linkedin.profile(member).followers_count is None


def test_the_profile_of_a_page(linkedin, company, graph):
    logo = "urn:li:digitalmediaAsset:C4D"
    graph.get(
        f"{BASE}/organizations/42",
        json={"id": 42, "localizedName": "Barn", "vanityName": "barn-finds", "logoV2": {"original": logo}},
    )
    graph.get(f"{BASE}/networkSizes/{enc(PAGE)}", json={"firstDegreeSize": 0})
    graph.get(f"{BASE}/images/{enc(logo)}", json={"downloadUrl": "https://media.licdn.com/l"})
    assert linkedin.profile(company) == Profile("Barn", "barn-finds", "https://media.licdn.com/l", followers_count=0)


def test_a_lost_role_is_told(linkedin, company, graph):
    graph.get(f"{BASE}/organizations/42", json=error(403, "ACCESS_DENIED", 100), status=403)
    with pytest.raises(PermissionMissingError):
        linkedin.profile(company)


# Figures of an account


def read_day(linkedin, access, *days, skip=()):
    return linkedin.read_account(access, days=days or (DAY_START,), skip=skip)


def followers_of(graph, number=1200):
    graph.get(f"{BASE}/networkSizes/{enc(PAGE)}", json={"firstDegreeSize": number})


def page_figures(graph, *, shares=None, views=None, followers=None, day=DAY_START):
    span = {"timeRange": {"start": millis(day), "end": millis(day + DAY)}}
    other = {"timeRange": {"start": millis(day - DAY), "end": millis(day)}}
    for name, part, answer in (
        ("organizationalEntityShareStatistics", "totalShareStatistics", shares),
        ("organizationPageStatistics", "totalPageStatistics", views),
        ("organizationalEntityFollowerStatistics", "followerGains", followers),
    ):
        if isinstance(answer, int):
            graph.get(f"{BASE}/{name}", json=error(answer), status=answer)
        elif answer is not None:
            wrong = {part: {"impressionCount": 999}}
            graph.get(f"{BASE}/{name}", json={"elements": [{part: answer} | span, wrong | other]})


STATISTICS = {
    "impressionCount": 100,
    "uniqueImpressionsCount": 60,
    "clickCount": 5,
    "likeCount": -2,
    "commentCount": 1,
    "shareCount": 0,
    "engagement": 0.04,
}


def test_totals_cost_one_call(linkedin, company, graph):
    followers_of(graph)
    assert linkedin.read_account(company) == AccountReading(Profile(followers_count=1200), {"followers": 1200})
    assert len(graph.calls) == 1


def test_the_figures_of_a_day(linkedin, company, graph):
    followers_of(graph)
    page_figures(
        graph,
        shares=STATISTICS,
        views={"views": {"allPageViews": {"pageViews": 11, "uniquePageViews": 9}}},
        followers={"organicFollowerGain": -3, "paidFollowerGain": 1},
    )
    reading = read_day(linkedin, company)
    (day,) = reading.days
    assert day.start == DAY_START
    assert day.is_whole
    assert day.metrics == {
        "impressions": 100,
        "reach": 60,
        "clicks": 5,
        "likes": -2,
        "comments": 1,
        "shares": 0,
        "engagements": 4,
        "profile_views": 11,
        "follows": -2,
    }
    assert day.sources["impressions"] == "impressionCount"
    assert day.sources["follows"] == "organicFollowerGain+paidFollowerGain"
    assert day.sources["engagements"] == "clickCount+likeCount+commentCount+shareCount"
    assert day.sources.keys() == day.metrics.keys()
    assert day.raw["organizationalEntityShareStatistics"] == STATISTICS
    assert reading.totals == {"followers": 1200}
    assert reading.troubles == reading.refused == ()
    interval = f"(timeGranularityType:DAY,timeRange:(end:{millis(DAY_START + DAY)},start:{millis(DAY_START)}))"
    assert [parts(call) for call in graph.calls[1:]] == [
        {"q=organizationalEntity", f"organizationalEntity={enc(PAGE)}", f"timeIntervals={interval}"},
        {"q=organization", f"organization={enc(PAGE)}", f"timeIntervals={interval}"},
        {"q=organizationalEntity", f"organizationalEntity={enc(PAGE)}", f"timeIntervals={interval}"},
    ]
    assert all(call.request.headers["X-RestLi-Method"] == "FINDER" for call in graph.calls[1:])


def test_all_days_cost_one_call_of_each_kind(linkedin, company, graph):
    followers_of(graph)
    days = [DAY_START - number * DAY for number in range(180)]
    entries = [
        {
            "timeRange": {"start": millis(day), "end": millis(day + DAY)},
            "totalShareStatistics": {"impressionCount": number},
            "totalPageStatistics": {},
            "followerGains": {"organicFollowerGain": -number, "paidFollowerGain": 0},
        }
        for number, day in enumerate(days)
        if number != 7
    ]
    for kind in ("ShareStatistics", "FollowerStatistics"):
        graph.get(f"{BASE}/organizationalEntity{kind}", json={"elements": entries})
    graph.get(f"{BASE}/organizationPageStatistics", json={"elements": []})
    reading = read_day(linkedin, company, *days)
    assert len(graph.calls) == 4
    assert [day.start for day in reading.days] == sorted(day for number, day in enumerate(days) if number != 7)
    assert reading.days[0].metrics == {"impressions": 179, "follows": -179}
    span = f"timeRange:(end:{millis(DAY_START + DAY)},start:{millis(days[-1])})"
    assert all(span in query(call) for call in graph.calls[1:])


def test_followers_of_the_last_two_days_are_not_asked_for(linkedin, company, graph):
    yesterday = datetime(2026, 11, 19, tzinfo=UTC)
    followers_of(graph)
    page_figures(graph, shares=STATISTICS, views={}, followers={"organicFollowerGain": 2}, day=yesterday)
    reading = read_day(linkedin, company, DAY_START, yesterday)
    day = reading.days[-1]
    assert (day.start, day.metrics["impressions"]) == (yesterday, 100)
    assert f"end:{millis(yesterday)}" in query(graph.calls[-1]), "of followers only the day before"


def test_a_number_that_is_missing_is_not_zero(linkedin, company, graph):
    followers_of(graph)
    page_figures(graph, shares={"impressionCount": 3}, views=403, followers=404)
    reading = read_day(linkedin, company)
    assert [day.metrics for day in reading.days] == [{"impressions": 3}]
    assert [type(trouble) for trouble in reading.troubles] == [PermissionMissingError] * 2
    assert reading.refused == ()


def test_a_day_that_linkedin_does_not_know(linkedin, company, graph):
    followers_of(graph, 0)
    for name in ("organizationalEntityShareStatistics", "organizationPageStatistics"):
        graph.get(f"{BASE}/{name}", json={"elements": []})
    graph.get(f"{BASE}/organizationalEntityFollowerStatistics", json={})
    assert read_day(linkedin, company) == AccountReading(Profile(followers_count=0), {"followers": 0})


def test_a_day_that_is_not_over_is_not_asked_for(linkedin, company, graph):
    followers_of(graph)
    assert read_day(linkedin, company, datetime(2026, 11, 20, tzinfo=UTC)).days == ()
    assert len(graph.calls) == 1


def test_a_day_is_asked_for_from_its_end_on(linkedin, company, graph, clock):
    clock.move_to(DAY_START + DAY)
    followers_of(graph)
    page_figures(graph, shares=STATISTICS, views={})
    assert read_day(linkedin, company).days[0].metrics["impressions"] == 100


def test_a_page_whose_figures_are_closed_keeps_its_followers(linkedin, company, graph):
    followers_of(graph)
    page_figures(graph, shares=403, views=403, followers=403)
    reading = read_day(linkedin, company)
    assert reading.totals == {"followers": 1200}
    assert {type(trouble) for trouble in reading.troubles} == {PermissionMissingError}


def test_a_page_of_which_nothing_can_be_read_says_so(linkedin, company, graph):
    graph.get(f"{BASE}/networkSizes/{enc(PAGE)}", json=error(403, "ACCESS_DENIED", 100), status=403)
    page_figures(graph, shares=403, views=403, followers=403)
    with pytest.raises(PermissionMissingError):
        read_day(linkedin, company)


@pytest.mark.parametrize(
    ("status", "wanted"),
    [(429, LimitedError), (500, TemporaryError), (400, OurBugError), (404, PermissionMissingError)],
)
def test_one_kind_that_fails_leaves_the_others(linkedin, company, graph, status, wanted):
    followers_of(graph)
    page_figures(graph, shares=status, views={"views": {"allPageViews": {"pageViews": 4}}}, followers={})
    reading = read_day(linkedin, company)
    assert [day.metrics for day in reading.days] == [{"profile_views": 4}]
    assert [type(trouble) for trouble in reading.troubles] == [wanted]
    assert reading.refused == (), "an address is no name that could have died"


@pytest.mark.parametrize(("status", "wanted"), [(401, ReconnectError), (426, VersionError)])
def test_what_every_call_would_meet_ends_the_reading(linkedin, company, graph, status, wanted):
    followers_of(graph)
    page_figures(graph, shares=status)
    with pytest.raises(wanted):
        read_day(linkedin, company)
    assert len(graph.calls) == 2


def creator(count, metric="IMPRESSION", day=DAY_START):
    date = {"day": day.day, "month": day.month, "year": day.year}
    return {"count": count, "metricType": metric, "dateRange": {"start": date}}


def member_followers(graph, number=300):
    graph.get(f"{BASE}/memberFollowersCount", json={"elements": [{"memberFollowersCount": number}]})


@pytest.mark.parametrize("wrapped", [False, True])
def test_the_figures_of_a_member(linkedin, member, graph, wrapped):
    member_followers(graph)
    for number, metric in enumerate(("IMPRESSION", "REACTION", "COMMENT", "RESHARE"), start=10):
        name = {"com.linkedin.MemberCreatorPostAnalyticsMetricTypeV1": metric} if wrapped else metric
        elements = [
            creator(number, name),
            creator(-1, name, DAY_START - DAY),
            creator(98, name, DAY_START - 2 * DAY),
            creator(99, "OTHER"),
        ]
        graph.get(f"{BASE}/memberCreatorPostAnalytics", json={"elements": elements})
    reading = read_day(linkedin, member, DAY_START, DAY_START - DAY)
    before, day = reading.days
    assert before.metrics == {"impressions": -1, "likes": -1, "comments": -1, "shares": -1, "engagements": -3}
    assert day.metrics == {"impressions": 10, "likes": 11, "comments": 12, "shares": 13, "engagements": 36}
    assert day.sources["likes"] == "REACTION"
    assert day.raw["IMPRESSION"] == 10
    assert reading.totals == {"followers": 300}
    assert parts(graph.calls[1]) == {
        "q=me",
        "queryType=IMPRESSION",
        "aggregation=DAILY",
        "dateRange=(end:(day:19,month:11,year:2026),start:(day:17,month:11,year:2026))",
    }
    assert len(graph.calls) == 5


@pytest.mark.parametrize("status", [403, 404])
def test_a_member_whose_figures_are_closed_has_none(linkedin, member, graph, status):
    member_followers(graph)
    graph.get(f"{BASE}/memberCreatorPostAnalytics", json=error(status), status=status)
    reading = read_day(linkedin, member)
    assert (reading.days, reading.totals) == ((), {"followers": 300})
    assert [type(trouble) for trouble in reading.troubles] == [PermissionMissingError]
    assert len(graph.calls) == 2


def test_a_name_that_linkedin_no_longer_knows_is_left_out(linkedin, member, graph):
    member_followers(graph)
    graph.get(f"{BASE}/memberCreatorPostAnalytics", json={"elements": [creator(1)]})
    graph.get(f"{BASE}/memberCreatorPostAnalytics", json=error(400, "ILLEGAL_ARGUMENT"), status=400)
    graph.get(f"{BASE}/memberCreatorPostAnalytics", json={"elements": [creator(3, "COMMENT")]})
    reading = read_day(linkedin, member, skip={"RESHARE"})
    assert reading.days[0].metrics == {"impressions": 1, "comments": 3}, "no sum of some of the parts"
    assert reading.refused == ("REACTION",)
    assert reading.troubles == ()
    assert "RESHARE" not in "".join(map(query, graph.calls))


def test_an_app_without_the_scopes_reads_who_it_is(plain, member, graph):
    graph.get("https://api.linkedin.com/v2/userinfo", json={"sub": "aBc-1_x", "name": "Ada"})
    assert read_day(plain, member) == AccountReading(Profile("Ada"))
    (found,) = plain.post_figures(member, {URN: ""})
    assert found == PostFigures(URN, withheld=found.withheld)
    assert "not available with this app" in found.withheld
    assert len(graph.calls) == 1


# Audience


def test_who_follows_a_page(linkedin, company, graph):
    def part(name, urn, number):
        return {name: urn, "followerCounts": {"organicFollowerCount": number, "paidFollowerCount": 0}}

    row = {
        "organizationalEntity": PAGE,
        "followerCountsBySeniority": [
            part("seniority", "urn:li:seniority:4", 40),
            part("seniority", "urn:li:seniority:99", 2),
            part("seniority", "urn:li:seniority:98", 3),
        ],
        "followerCountsByGeoCountry": [
            part("geo", "urn:li:geo:103644278", 30),
            {"geo": "urn:li:geo:101282230"},
            "nonsense",
        ],
        "followerCountsByStaffCountRange": [part("staffCountRange", "SIZE_2_TO_10", 9)],
        "followerCountsByFunction": [],
    }
    graph.get(f"{BASE}/organizationalEntityFollowerStatistics", json={"elements": [row]})
    reading = linkedin.audience(company, skip=("followerCountsByStaffCountRange",))
    assert {audience.dimension: audience.parts for audience in reading.parts} == {
        "seniority": {"Senior": 40, "Other": 5},
        "country": {"US": 30},
    }
    assert {audience.kind for audience in reading.parts} == {"followers"}
    assert reading.withheld == ""
    assert parts(graph.calls[0]) == {"q=organizationalEntity", f"organizationalEntity={enc(PAGE)}"}


@pytest.mark.parametrize("answer", [{"elements": []}, {"elements": [{"followerCountsBySeniority": []}]}, 403])
def test_an_audience_that_is_not_told_says_why(linkedin, company, graph, answer):
    told = {"json": error(403), "status": 403} if answer == 403 else {"json": answer}
    graph.get(f"{BASE}/organizationalEntityFollowerStatistics", **told)
    reading = linkedin.audience(company)
    assert reading.parts == ()
    assert reading.withheld


def test_the_audience_of_a_member_is_not_asked_for(linkedin, member, graph):
    assert linkedin.audience(member).withheld
    assert not graph.calls


# Figures of posts


def test_the_figures_of_posts(linkedin, company, graph):
    graph.get(
        f"{BASE}/organizationalEntityShareStatistics",
        json={
            "elements": [
                {"ugcPost": "urn:li:ugcPost:2", "totalShareStatistics": {"likeCount": 1}},
                {"share": URN, "totalShareStatistics": STATISTICS},
                {"organizationalEntity": PAGE},
            ]
        },
    )
    first, second = linkedin.post_figures(company, {URN: "", "urn:li:ugcPost:2": ""})
    assert first == PostFigures(
        URN,
        likes=None,  # fewer than none is not a number of likes
        comments=1,
        shares=0,
        impressions=100,
        reach=60,
        clicks=5,
        sources={
            "impressions": "impressionCount",
            "reach": "uniqueImpressionsCount",
            "clicks": "clickCount",
            "comments": "commentCount",
            "shares": "shareCount",
        },
        raw=STATISTICS,
    )
    assert second == PostFigures("urn:li:ugcPost:2", likes=1, sources={"likes": "likeCount"}, raw={"likeCount": 1})
    assert parts(graph.calls[0]) == {
        "q=organizationalEntity",
        f"organizationalEntity={enc(PAGE)}",
        f"shares=List({enc(URN)})",
        "ugcPosts=List(urn%3Ali%3AugcPost%3A2)",
    }


def test_a_post_that_linkedin_leaves_out_has_zeros_unless_it_is_gone(linkedin, company, graph):
    graph.get(f"{BASE}/organizationalEntityShareStatistics", json={"elements": []})
    graph.get(f"{BASE}/posts/{enc(URN)}", json={"id": URN})
    graph.get(f"{BASE}/posts/urn%3Ali%3Ashare%3A8", json=error(404), status=404)
    graph.get(f"{BASE}/posts/urn%3Ali%3Ashare%3A9", json=error(403), status=403)
    quiet, unread = linkedin.post_figures(company, [URN, "urn:li:share:8", "urn:li:share:9"])
    assert (quiet.likes, quiet.comments, quiet.shares, quiet.impressions, quiet.reach, quiet.clicks) == (0,) * 6
    assert quiet.sources == {}, "nobody has told these numbers"
    assert quiet.raw == {}
    assert unread.platform_post_id == "urn:li:share:9"
    assert unread.likes is unread.impressions is None, "it may be gone as well"
    assert unread.withheld
    assert quiet.saves is quiet.views is None


def test_many_posts_are_asked_for_in_bodies(linkedin, company, graph):
    urns = [f"urn:li:ugcPost:{7_000_000_000_000_000_000 + number}" for number in range(150)]
    for part in (urns[:100], urns[100:]):
        elements = [{"ugcPost": urn, "totalShareStatistics": {"likeCount": 1}} for urn in part]
        graph.add(
            "POST" if len(part) == 100 else "GET",
            f"{BASE}/organizationalEntityShareStatistics",
            json={"elements": elements},
        )
    assert [found.platform_post_id for found in linkedin.post_figures(company, urns)] == urns
    assert graph.calls[0].request.headers["X-HTTP-Method-Override"] == "GET"


@pytest.mark.parametrize(("status", "wanted"), [(403, PermissionMissingError), (429, LimitedError)])
def test_figures_that_are_refused_are_not_zero(linkedin, company, graph, status, wanted):
    graph.get(f"{BASE}/organizationalEntityShareStatistics", json=error(status), status=status)
    with pytest.raises(wanted):
        linkedin.post_figures(company, [URN])


def test_the_figures_of_a_members_posts(linkedin, member, graph):
    for number, metric in enumerate(("IMPRESSION", "MEMBERS_REACHED", "REACTION", "COMMENT", "RESHARE"), start=10):
        elements = [{"count": -1 if metric == "RESHARE" else number, "metricType": metric}] * (metric != "COMMENT")
        graph.get(f"{BASE}/memberCreatorPostAnalytics", json={"elements": elements})
    (found,) = linkedin.post_figures(member, ["urn:li:ugcPost:2"])
    assert (found.impressions, found.reach, found.likes, found.comments, found.shares) == (10, 11, 12, None, None)
    assert found.raw == {"IMPRESSION": 10, "MEMBERS_REACHED": 11, "REACTION": 12, "RESHARE": -1}
    assert found.sources == {"impressions": "IMPRESSION", "reach": "MEMBERS_REACHED", "likes": "REACTION"}
    assert found.withheld == ""
    assert parts(graph.calls[0]) == {
        "q=entity",
        "entity=(ugc:urn%3Ali%3AugcPost%3A2)",
        "queryType=IMPRESSION",
        "aggregation=TOTAL",
    }


def test_names_that_are_all_refused_are_not_what_is_wrong(linkedin, member, graph):
    member_followers(graph)
    graph.get(f"{BASE}/memberCreatorPostAnalytics", json=error(400, "ILLEGAL_ARGUMENT"), status=400)
    reading = read_day(linkedin, member)
    assert reading.refused == ()
    assert [type(trouble) for trouble in reading.troubles] == [OurBugError]
    with pytest.raises(OurBugError):
        linkedin.post_figures(member, {URN: ""})


def test_only_the_newest_posts_of_a_member_are_read_and_none_is_called_gone(linkedin, member, graph):
    graph.get(f"{BASE}/memberCreatorPostAnalytics", json={"elements": [{"count": 1}]})
    urns = [f"urn:li:share:{number}" for number in range(95, 103)]
    found = linkedin.post_figures(member, urns)
    assert [figures.platform_post_id for figures in found] == urns
    assert [figures.impressions for figures in found] == [None] * 6 + [1, 1]
    assert [bool(figures.withheld) for figures in found] == [True] * 6 + [False] * 2
    assert len(graph.calls) == 10
    assert "entity=(share:urn%3Ali%3Ashare%3A102)" in parts(graph.calls[0])


def test_a_metric_of_posts_that_linkedin_no_longer_knows(linkedin, member, graph):
    graph.get(f"{BASE}/memberCreatorPostAnalytics", json=error(400, "ILLEGAL_ARGUMENT"), status=400)
    for number in range(3):
        graph.get(f"{BASE}/memberCreatorPostAnalytics", json={"elements": [{"count": number}]})
    (found,) = linkedin.post_figures(member, {URN: ""}, skip={"RESHARE"})
    assert (found.impressions, found.reach, found.likes, found.comments, found.shares) == (None, 0, 1, 2, None)
    assert found.refused == ("IMPRESSION",)


def test_a_members_posts_whose_figures_are_closed(linkedin, member, graph):
    graph.get(f"{BASE}/memberCreatorPostAnalytics", json=error(404), status=404)
    first, second = linkedin.post_figures(member, {URN: "", "urn:li:share:8": ""})
    assert first == PostFigures(URN, withheld=first.withheld)
    assert "not available with this app" in first.withheld == second.withheld
    assert len(graph.calls) == 1, "each call would be refused"


# Posts of an account


def test_recent_posts_of_a_page(linkedin, company, graph):
    entries = [
        post("urn:li:ugcPost:9", "a\\_b", NOW - DAY, {"multiImage": {"images": []}}),
        post("urn:li:share:8", "old", NOW - 9 * DAY),
        post("urn:li:share:7", "", NOW, {"media": {"id": "urn:li:video:1"}}, publishedAt=millis(NOW)),
        {"id": "urn:li:share:6", "commentary": "without a time"},
    ]
    graph.get(f"{BASE}/posts", json={"elements": entries})
    assert linkedin.recent_posts(company, since=NOW - DAY) == [
        RemotePost("urn:li:share:7", "", NOW, "https://www.linkedin.com/feed/update/urn:li:share:7/", "video"),
        RemotePost(
            "urn:li:ugcPost:9", "a_b", NOW - DAY, "https://www.linkedin.com/feed/update/urn:li:ugcPost:9/", "multiImage"
        ),
    ]
    assert "count=25" in parts(graph.calls[0])


def test_recent_posts_go_on_until_they_are_old(linkedin, company, graph):
    graph.get(f"{BASE}/posts", json={"elements": [post(f"urn:li:share:{n}", at=NOW) for n in range(100)]})
    graph.get(f"{BASE}/posts", json={"elements": [post(f"urn:li:share:{n}", at=NOW - 9 * DAY) for n in range(100)]})
    assert len(linkedin.recent_posts(company, since=NOW - DAY, limit=300)) == 100
    assert [sorted(parts(call))[-1] for call in graph.calls] == ["start=0", "start=100"]


def test_the_limit_of_recent_posts(linkedin, company, graph):
    graph.get(f"{BASE}/posts", json={"elements": [post(f"urn:li:share:{n}", at=NOW) for n in range(5)]})
    assert len(linkedin.recent_posts(company, since=NOW - DAY, limit=5)) == 5


def test_posts_are_listed_with_their_figures(linkedin, company, graph):
    graph.get(f"{BASE}/posts", json={"elements": [post(f"urn:li:share:{n}", at=NOW) for n in (1, 2)]})
    told = {"share": "urn:li:share:1", "totalShareStatistics": {"likeCount": 5, "impressionCount": 70}}
    graph.get(f"{BASE}/organizationalEntityShareStatistics", json={"elements": [told]})
    first, second = linkedin.recent_posts(company, since=NOW - DAY, figures=True)
    assert (first.figures.likes, first.figures.impressions) == (5, 70)
    assert (second.figures.likes, second.figures.impressions) == (0, 0), "it is there, and nothing has happened to it"
    assert len(graph.calls) == 2


@pytest.mark.parametrize("status", [403, 429, 503])
def test_posts_are_listed_without_figures_where_these_are_refused(linkedin, company, graph, status):
    graph.get(f"{BASE}/posts", json={"elements": [post("urn:li:share:1", at=NOW)]})
    graph.get(f"{BASE}/organizationalEntityShareStatistics", json=error(status), status=status)
    (found,) = linkedin.recent_posts(company, since=NOW - DAY, figures=True)
    if status == 403:
        assert found.figures == PostFigures("urn:li:share:1", withheld=found.figures.withheld)
        assert found.figures.withheld
    else:
        assert found.figures is None, "it is asked for again"


def test_a_page_without_posts_has_no_figures_to_ask_for(linkedin, company, graph):
    graph.get(f"{BASE}/posts", json={"elements": []})
    assert linkedin.recent_posts(company, since=NOW - DAY, figures=True) == []
    assert len(graph.calls) == 1


def test_a_member_has_no_posts_that_can_be_read(linkedin, member, graph):
    assert linkedin.recent_posts(member, since=NOW - DAY) == []
    assert not graph.calls


def test_nothing_shows_the_token(linkedin, company, graph):
    graph.get(f"{BASE}/posts", json=error(500, "", None, f"Bearer {TOKEN}"), status=500)
    with pytest.raises(TemporaryError) as caught:
        linkedin.look(company, TEXT, {}, since=SINCE, claimed=())
    assert TOKEN not in f"{caught.value.platform_message}{caught.value!r}{company!r}"
