"""Meta's names as data: against Meta's own lists, against what is known to be dead, and against our own words."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

import pytest

from socialhub.platforms.measures import MEASURES
from socialhub.platforms.meta_insights import asked
from socialhub.platforms.metrics import CATALOGUE, facebook, instagram, living
from socialhub.platforms.metrics.types import Subject
from tests.platforms.graph import NAMES

TODAY = datetime(2026, 11, 21, tzinfo=UTC)
META = [*facebook.METRICS, *instagram.METRICS]


@pytest.mark.parametrize("metrics", [facebook.METRICS, instagram.METRICS])
def test_a_name_stands_once_for_each_subject(metrics):
    lives = Counter((metric.subject, metric.name) for metric in metrics if metric.lives(TODAY.date()))
    assert [name for name, number in lives.items() if number > 1] == []


@pytest.mark.parametrize("metric", META, ids=lambda metric: f"{metric.subject}-{metric.name}")
def test_each_name_has_a_source_and_words_that_exist(metric):
    assert metric.source
    assert not metric.measure or metric.measure in MEASURES
    known = {other.name for other in (facebook.METRICS if metric in facebook.METRICS else instagram.METRICS)}
    assert not metric.replaces or metric.replaces in known, "what it replaced is told, too"
    if metric.until:
        assert metric.until <= TODAY.date()


def test_nothing_that_died_is_asked_for():
    for subject in Subject:
        for metrics in (facebook.METRICS, instagram.METRICS):
            dead = {metric.name for metric in metrics if metric.until and metric.subject is subject}
            assert not dead & {metric.name for metric in asked(metrics, subject, TODAY)}
    assert "page_impressions" not in {metric.name for metric in living("facebook", Subject.ACCOUNT, TODAY.date())}
    assert "page_impressions" in {metric.name for metric in living("facebook", Subject.ACCOUNT, date(2025, 11, 14))}


def test_what_replaces_a_name_never_counts_on_as_the_same_series():
    replaced = {metric.replaces: metric for metric in CATALOGUE["facebook"] if metric.replaces}
    old = {metric.name: metric for metric in CATALOGUE["facebook"] if metric.until}
    assert old["page_impressions"].measure == "impressions"
    assert replaced["page_impressions"].measure == "views"


def test_instagrams_names_are_those_that_meta_declares():
    enums = NAMES["enums"]
    of_account = {m.name for subject in (Subject.ACCOUNT, Subject.AUDIENCE) for m in _alive(subject) if m.group}
    assert of_account <= set(enums["shadowiguserinsights_metric_enum_param"])
    of_media = {metric.name for metric in _alive(Subject.POST) if metric.group}
    assert of_media <= set(enums["shadowigmediainsights_metric_enum_param"])
    breakdowns = {name for metric in _alive(Subject.ACCOUNT) for name in metric.breakdowns}
    assert breakdowns <= set(enums["shadowiguserinsights_breakdown_enum_param"])


def _alive(subject):
    return [metric for metric in instagram.METRICS if metric.subject is subject and metric.lives(TODAY.date())]


@pytest.mark.parametrize(
    ("product", "names"),
    [
        ("FEED", "views reach shares total_interactions saved follows profile_visits"),
        ("REELS", "views reach shares total_interactions saved ig_reels_avg_watch_time ig_reels_video_view_total_time"),
        ("STORY", "views reach shares total_interactions follows profile_visits replies navigation"),
    ],
)
def test_what_each_kind_of_media_is_asked(product, names):
    assert [metric.name for metric in asked(instagram.METRICS, Subject.POST, TODAY, product=product)] == names.split()
