from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from socialhub.platforms import errors
from socialhub.platforms.http import Reply
from socialhub.platforms.meta_errors import (
    BY_CODE,
    BY_NUMBER,
    CLASSES,
    DeadMetricError,
    Kind,
    NoDataError,
    NotReadyError,
    TooMuchDataError,
    WrongMetricError,
    error_of,
)
from tests.platforms.graph import SECRET, TOKEN, error

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

RETRY, LIMIT, RECONNECT = errors.TemporaryError, errors.LimitedError, errors.ReconnectError
PERMISSION, REJECT, ACCOUNT = errors.PermissionMissingError, errors.RejectedError, errors.AccountBlockedError
UNKNOWN, BUG, GONE = errors.OutcomeUnknownError, errors.OurBugError, errors.NotFoundError

# Meta's codes, sorted by what may be done next: code, subcode, class of a call that may be repeated, class of
# the publishing call where that is another one.
TABLE = [
    (-1, None, RETRY, UNKNOWN),
    (1, None, RETRY, UNKNOWN),
    (2, None, RETRY, UNKNOWN),
    (3, None, PERMISSION, None),
    (4, None, LIMIT, None),
    (17, None, LIMIT, None),
    (32, None, LIMIT, None),
    (341, None, LIMIT, None),
    (613, None, LIMIT, None),
    (613, 1996, LIMIT, None),
    (80000, None, LIMIT, None),
    (80001, None, LIMIT, None),
    (80002, None, LIMIT, None),
    (80006, None, LIMIT, None),
    (80014, None, LIMIT, None),
    (10, None, PERMISSION, None),
    (10, 2018278, REJECT, None),
    (10, 1893063, ACCOUNT, None),
    (20, 1772107, BUG, UNKNOWN),
    (100, None, REJECT, None),
    (100, 33, GONE, None),
    (100, 2018001, REJECT, None),
    (104, None, BUG, None),
    (102, None, RECONNECT, None),
    (190, None, RECONNECT, None),
    (190, 458, RECONNECT, None),
    (190, 459, RECONNECT, None),
    (190, 460, RECONNECT, None),
    (190, 463, RECONNECT, None),
    (190, 464, RECONNECT, None),
    (190, 467, RECONNECT, None),
    (190, 492, RECONNECT, None),
    (200, None, PERMISSION, None),
    (210, None, PERMISSION, None),
    (283, None, PERMISSION, None),
    (299, None, PERMISSION, None),
    (324, None, REJECT, None),
    (352, None, REJECT, None),
    (368, None, ACCOUNT, None),
    (368, 1390008, LIMIT, None),
    (368, 1404078, ACCOUNT, None),
    (368, 4854002, ACCOUNT, None),
    (368, 1404006, ACCOUNT, None),
    (368, 1404112, ACCOUNT, None),
    (368, 1346003, REJECT, None),
    (368, 1404102, REJECT, None),
    (368, 1404082, REJECT, UNKNOWN),
    (506, None, REJECT, UNKNOWN),
    (100, 1366051, REJECT, UNKNOWN),
    (1366051, None, REJECT, UNKNOWN),
    (382, None, REJECT, None),
    (389, None, RETRY, None),
    (551, None, REJECT, None),
    (1363047, None, RETRY, UNKNOWN),
    (1609010, None, RETRY, UNKNOWN),
    (1349125, None, REJECT, None),
    (324, 1366046, REJECT, None),
    (100, 1609005, RETRY, None),
    (100, 1609008, REJECT, None),
    (100, 2061006, REJECT, None),
    (100, 2069019, REJECT, None),
    (2500, None, BUG, None),
    (2635, None, BUG, None),
    (3001, 1504028, BUG, None),
    (6000, None, RETRY, None),
    (6001, None, RETRY, None),
    (10, 1545041, REJECT, None),
    (10, 2534022, REJECT, None),
    # Instagram publishing
    (-2, 2207003, RETRY, None),
    (-2, 2207020, RETRY, None),
    (-1, 2207001, RETRY, UNKNOWN),
    (-1, 2207032, RETRY, UNKNOWN),
    (-1, 2207053, RETRY, UNKNOWN),
    (1, 2207057, REJECT, None),
    (4, 2207051, ACCOUNT, UNKNOWN),
    (9, 2207042, LIMIT, None),
    (24, 2207006, RETRY, None),
    (24, 2207008, RETRY, UNKNOWN),
    (25, 2207050, ACCOUNT, None),
    (100, 2207023, BUG, None),
    (100, 2207028, REJECT, None),
    (100, 2207035, REJECT, None),
    (100, 2207036, REJECT, None),
    (100, 2207037, REJECT, None),
    (100, 2207040, REJECT, None),
    (352, 2207026, REJECT, None),
    (9004, 2207052, RETRY, None),
    (9007, 2207027, NotReadyError, None),
    (36000, 2207004, REJECT, None),
    (36001, 2207005, REJECT, None),
    (36003, 2207009, REJECT, None),
    (36004, 2207010, REJECT, None),
    (352, 2207076, RETRY, None),
    (352, 2207077, RETRY, None),
    (100, 2207081, REJECT, None),
    (-1, 2207082, RETRY, UNKNOWN),
    (-1, 2207085, RETRY, UNKNOWN),
    (100, 2207100, BUG, None),
    # A subcode that nobody knows: the main code decides.
    (190, 999, RECONNECT, None),
    (25, 2207999, ACCOUNT, None),
    (36003, 2207998, REJECT, None),
    (9, 2207997, LIMIT, None),
]


def answer(code, subcode=None, message="Something", status=400, headers=None, **more) -> Reply:
    return Reply(status, error(code, subcode, message, **more), headers or {})


@pytest.mark.parametrize(("code", "subcode", "repeatable", "publishing"), TABLE)
def test_each_code_has_its_class(code, subcode, repeatable, publishing):
    for commit, wanted in ((False, repeatable), (True, publishing or repeatable)):
        found = error_of(answer(code, subcode), commit=commit)
        assert type(found) is wanted
        assert (found.code, found.subcode) == (str(code), "" if subcode is None else str(subcode))
        assert found.request_id == "A1b2C3d4"
        assert found.message
        assert found.message != found.platform_message


def test_every_kind_has_a_class_and_every_text_is_a_sentence():
    assert set(CLASSES) == set(Kind)
    for meaning in [*BY_CODE.values(), *BY_NUMBER.values()]:
        assert meaning.text.endswith(".")


@pytest.mark.parametrize("status", [400, 403, 429, 500, 503])
def test_the_code_decides_and_not_the_status(status):
    assert type(error_of(answer(80002, status=status), commit=True)) is LIMIT
    assert type(error_of(answer(190, 463, status=status), commit=True)) is RECONNECT


def test_is_transient_is_only_a_hint():
    assert type(error_of(answer(190, is_transient=True))) is RECONNECT
    assert type(error_of(answer(2, is_transient=False))) is RETRY


@pytest.mark.parametrize(
    "reply",
    [
        Reply(502, None),
        Reply(200, None),
        Reply(404, None),
        Reply(302, None),
        Reply(503, {}),
        Reply(200, [1]),
        Reply(500, "x"),
    ],
)
def test_what_is_no_answer_leaves_a_publishing_call_open(reply):
    assert type(error_of(reply)) is RETRY
    assert type(error_of(reply, commit=True)) is UNKNOWN


@pytest.mark.parametrize(("status", "wanted"), [(400, REJECT), (500, UNKNOWN), (503, UNKNOWN)])
def test_a_code_that_nobody_knows(status, wanted):
    assert type(error_of(answer(987654, status=status), commit=True)) is wanted


@pytest.mark.parametrize(("code", "wanted"), [(None, REJECT), ("a", REJECT), ("190", RECONNECT)])
def test_odd_codes(code, wanted):
    assert type(error_of(answer(code))) is wanted


@pytest.mark.parametrize(
    ("code", "message", "wanted"),
    [
        (100, "(#100) The value must be a valid insights metric", DeadMetricError),
        (100, "(#100) metric[0] must be one of the following values: reach, views", DeadMetricError),
        (100, "The Media Insights API does not support the saved metric for this media product type", WrongMetricError),
        (100, "(#100) The metric follows is not available for this account", WrongMetricError),
        (10, "(#10) Not enough viewers for the media to show insights", NoDataError),
        (1, "Please reduce the amount of data you're asking for, then retry your request", TooMuchDataError),
        (100, "Invalid appsecret_proof provided in the API argument", BUG),
        (1, "Error validating client secret.", BUG),
    ],
)
def test_where_only_the_words_tell(code, message, wanted):
    assert type(error_of(answer(code, message=message), reading=True)) is wanted


def test_a_wrong_parameter_is_the_posts_fault_when_writing_and_ours_when_reading():
    assert type(error_of(answer(100))) is REJECT
    assert type(error_of(answer(100), reading=True)) is BUG


@pytest.mark.parametrize(("subcode", "revoked"), [(458, True), (467, True), (492, True), (460, False), (463, False)])
def test_taken_away_or_run_out(subcode, revoked):
    assert error_of(answer(190, subcode)).revoked is revoked


# Until when


def usage(minutes, account="900"):
    return {
        "x-business-use-case-usage": f'{{"{account}": [{{"type": "pages", "call_count": 100, "total_time": 1, '
        f'"total_cputime": 1, "estimated_time_to_regain_access": {minutes}}}]}}'
    }


@pytest.mark.parametrize(
    ("code", "subcode", "headers", "wait"),
    [
        (80001, None, usage(12), timedelta(minutes=12)),
        (80001, None, usage(0), timedelta(hours=1)),
        (80001, None, {}, timedelta(hours=1)),
        (80002, None, usage(30, account="other"), timedelta(minutes=30)),
        (368, 1390008, {}, timedelta(hours=3)),
    ],
)
def test_a_limit_names_its_time(code, subcode, headers, wait):
    found = error_of(answer(code, subcode, headers=headers), account_id="900", now=NOW)
    assert found.until == NOW + wait


# What is shown


def test_the_words_for_people_win_over_those_for_programmers():
    found = error_of(answer(100, message="(#100) Bad", error_user_msg="Your photo is too dark.", error_user_title="x"))
    assert found.platform_message == "Your photo is too dark."
    assert error_of(answer(100, message="(#100) Bad")).platform_message == "(#100) Bad"


def test_no_secret_in_the_platforms_words():
    words = f"Malformed {TOKEN} at https://media.example/m/signature/image.jpg?sig=1 with {SECRET}"
    found = error_of(answer(190, message=words), secrets=(SECRET, TOKEN))
    shown = f"{found} {found.platform_message} {vars(found)}"
    assert TOKEN not in shown
    assert SECRET not in shown
    assert "signature" not in shown
    assert "https://media.example/…" in found.platform_message


@pytest.mark.parametrize(
    ("code", "subcode", "forgotten"),
    [
        (-2, 2207003, True),
        (-2, 2207020, True),
        (-1, 2207053, True),
        (9004, 2207052, True),
        (9007, 2207027, False),
        (9, 2207042, False),
        (2, None, False),
    ],
)
def test_used_up_containers_are_forgotten(code, subcode, forgotten):
    assert error_of(answer(code, subcode), stale=("container",)).forget == (("container",) if forgotten else ())
