from __future__ import annotations

import pytest

from socialhub.platforms.base import Access
from socialhub.platforms.errors import TemporaryError
from socialhub.platforms.meta_errors import DeadMetricError
from socialhub.platforms.meta_insights import Ask, Insights, number_of, value_of

ACCESS = Access("900", "token")


class Network:
    """Answers batches: refuses a group that holds a dead name, or one of the forbidden pairs."""

    def __init__(self, *dead, pairs=(), broken=()):
        self.dead, self.pairs, self.broken = set(dead), [set(pair) for pair in pairs], set(broken)
        self.asked: list[list[str]] = []

    def batch(self, token, parts, *, account_id):
        self.asked.append([part.split("metric=")[1].split("&")[0] for part in parts])
        return [self.answer(set(names.split(","))) for names in self.asked[-1]]

    def answer(self, names):
        if names & self.broken:
            return TemporaryError("Down")
        if names & self.dead or any(pair <= names for pair in self.pairs):
            return DeadMetricError("Dead")
        return {"data": [{"name": name, "values": [{"value": 1}]} for name in sorted(names)]}


def test_groups_go_in_one_round_trip():
    network = Network()
    first, second = Insights(network).read(ACCESS, [Ask("1", ("a", "b"), {"period": "day"}), Ask("1", ("c",))])
    assert network.asked == [["a,b", "c"]]
    assert (set(first.entries), set(second.entries), first.dead) == ({"a", "b"}, {"c"}, ())


def test_a_dead_name_is_found_and_left_out():
    network = Network("b")
    first, second = Insights(network).read(ACCESS, [Ask("1", ("a", "b", "c")), Ask("1", ("d",))])
    assert network.asked == [["a,b,c", "d"], ["a", "b", "c"], ["a,c"]]
    assert (set(first.entries), first.dead) == ({"a", "c"}, ("b",))
    assert set(second.entries) == {"d"}


def test_dead_names_in_several_groups():
    told = Insights(Network("b", "d")).read(ACCESS, [Ask("1", ("a", "b")), Ask("1", ("c", "d")), Ask("1", ("e",))])
    assert [(set(answer.entries), answer.dead) for answer in told] == [({"a"}, ("b",)), ({"c"}, ("d",)), ({"e"}, ())]


def test_the_culprit_of_one_post_is_not_searched_again_for_the_others():
    network = Network("b")
    told = Insights(network).read(ACCESS, [Ask(str(number), ("a", "b")) for number in range(25)])
    assert len(network.asked) == 3
    assert all(set(answer.entries) == {"a"} for answer in told)


def test_a_group_of_dead_names_is_empty():
    (told,) = Insights(Network("a")).read(ACCESS, [Ask("1", ("a",))])
    assert (told.entries, told.dead, told.error) == ({}, ("a",), None)


def test_names_that_do_not_go_together_are_left_out():
    (told,) = Insights(Network(pairs=[("a", "b")])).read(ACCESS, [Ask("1", ("a", "b"))])
    assert (told.entries, told.dead) == ({}, ("a", "b"))


def test_names_that_were_refused_lately_are_not_asked_for():
    network = Network("b", "c")
    (told,) = Insights(network).read(ACCESS, [Ask("1", ("a", "b", "c"))], skip={"b"})
    assert network.asked == [["a,c"], ["a", "c"], ["a"]]
    assert (set(told.entries), told.dead) == ({"a"}, ("c",)), "what is left out is not told as refused again"


def test_another_failure_stays_with_its_group():
    first, second = Insights(Network(broken=("a",))).read(ACCESS, [Ask("1", ("a",)), Ask("1", ("b",))])
    assert isinstance(first.error, TemporaryError)
    assert set(second.entries) == {"b"}


@pytest.mark.parametrize(
    ("entry", "value", "number"),
    [
        (None, None, None),
        ({}, None, None),
        ({"values": []}, None, None),
        ({"values": [{"value": 1}, {"value": 0}]}, 0, 0),
        ({"total_value": {"value": 300}}, 300, 300),
        ({"total_value": {"breakdowns": []}}, None, None),
        ({"values": [{"value": {"like": 2, "love": 1}}]}, {"like": 2, "love": 1}, 3),
        ({"values": [{"value": {}}]}, {}, None),
        ({"values": [{"value": "many"}]}, "many", None),
    ],
)
def test_values(entry, value, number):
    assert (value_of(entry), number_of(value_of(entry))) == (value, number)
