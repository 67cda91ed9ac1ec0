"""Edges inside of `fields`: with modifiers, nested lists and names of one's own for the answers."""

from __future__ import annotations

import time

import pytest

from socialhub.sandbox.graph.errors import GraphError
from socialhub.sandbox.graph.fields import parse_fields
from tests.sandbox.refusals import accepted, refusal
from tests.sandbox_process import GrantedPage, Sandbox

pytestmark = pytest.mark.processes

DAY = 86_400


@pytest.fixture
def gina(sandbox: Sandbox) -> GrantedPage:
    return sandbox.person("gina").page


def test_an_account_tells_profile_and_two_spans_in_one_call(sandbox: Sandbox, gina: GrantedPage) -> None:
    now = int(time.time())
    asked = "insights.metric(views,likes).period(day).metric_type(total_value)"
    fields = (
        f"followers_count,{asked}.since({now - DAY}).until({now}).as(today),"
        f"{asked}.since({now - 2 * DAY}).until({now - DAY}).as(yesterday)"
    )

    answer = accepted(sandbox.call("GET", str(gina.instagram_id), gina.access_token, fields=fields))

    assert answer["followers_count"] > 0
    assert [row["name"] for row in answer["today"]["data"]] == ["views", "likes"]
    assert answer["today"]["data"][0]["total_value"] != answer["yesterday"]["data"][0]["total_value"]
    assert "insights" not in answer


def test_an_expanded_edge_tells_what_the_edge_itself_tells(sandbox: Sandbox, gina: GrantedPage) -> None:
    until = int(time.time()) // DAY * DAY - DAY
    params = {"metric": "page_media_view,page_follows", "period": "day", "since": until - 5 * DAY, "until": until}
    modifiers = "".join(f".{name}({value})" for name, value in params.items())

    edge = accepted(sandbox.call("GET", f"{gina.id}/insights", gina.access_token, **params))
    node = accepted(sandbox.call("GET", gina.id, gina.access_token, fields=f"name,insights{modifiers}.as(days)"))

    assert node["days"]["data"] == edge["data"]


def test_posts_and_media_are_told_with_their_account(sandbox: Sandbox, gina: GrantedPage) -> None:
    for number in range(3):
        accepted(sandbox.call("POST", f"{gina.id}/feed", gina.access_token, message=f"post {number}"))
    fields = "published_posts.limit(2).as(newest){message,insights.metric(post_media_view).as(figures)}"

    page = accepted(sandbox.call("GET", gina.id, gina.access_token, fields=fields))
    account = accepted(sandbox.call("GET", str(gina.instagram_id), gina.access_token, fields="media.limit(1){id}"))

    rows = page["newest"]["data"]
    assert [row["message"] for row in rows] == ["post 2", "post 1"]
    assert rows[0]["figures"]["data"][0]["name"] == "post_media_view"
    assert "fields=message" in page["newest"]["paging"]["next"]
    assert set(account["media"]) >= {"data"}


def test_one_wrong_metric_in_an_expansion_fails_the_call(sandbox: Sandbox, gina: GrantedPage) -> None:
    for metric, period in (("impressions", "day"), ("views", "week")):
        fields = f"id,insights.metric({metric}).period({period}).metric_type(total_value)"
        assert refusal(sandbox.call("GET", str(gina.instagram_id), gina.access_token, fields=fields)) == (100, None)


def test_an_alias_is_a_name() -> None:
    assert parse_fields("a.as(b),c.limit(1){d}")[0].alias == "b"
    assert parse_fields("c.limit(1){d,e{f}}")[0].inner == "d,e{f}"
    with pytest.raises(GraphError, match="Syntax"):
        parse_fields("a.as(b c)")
