from __future__ import annotations

import pytest

from socialhub.platforms.base import Access
from socialhub.platforms.errors import OurBugError, TemporaryError
from socialhub.platforms.meta_errors import DeadMetricError, WrongMetricError
from socialhub.platforms.meta_insights import Ask, Insights, number_of, value_of

ACCESS = Access("900", "token")


class Network:
    """Answers batches: refuses a group that holds a dead name, one that this object lacks, or a forbidden pair."""

    def __init__(self, *dead, wrong=(), pairs=(), broken=(), odd=()):
        self.dead, self.wrong, self.broken, self.odd = set(dead), set(wrong), set(broken), set(odd)
        self.pairs = [set(pair) for pair in pairs]
        self.asked: list[list[str]] = []

    def batch(self, token, parts, *, account_id):
        self.asked.append([part.split("metric=")[1].split("&")[0] for part in parts])
        return [self.answer(set(names.split(","))) for names in self.asked[-1]]

    def answer(self, names):
        if names & self.broken:
            return TemporaryError("Down")
        if names & self.dead or any(pair <= names for pair in self.pairs):
            return DeadMetricError("Dead")
        if names & self.wrong:
            return WrongMetricError("Not of this one")
        if names & self.odd:
            return OurBugError("Invalid parameter")
        return {"data": [{"name": name, "values": [{"value": 1}]} for name in sorted(names)]}


def test_groups_go_in_one_round_trip():
    network = Network()
    first, second = Insights(network).read(ACCESS, [Ask("1", ("a", "b"), {"period": "day"}), Ask("1", ("c",))])
    assert network.asked == [["a,b", "c"]]
    assert (set(first.entries), set(second.entries), first.dead) == ({"a", "b"}, {"c"}, ())


def test_a_dead_name_is_found_and_left_out():
    network = Network("b")
    first, second = Insights(network).read(ACCESS, [Ask("1", ("a", "b", "c")), Ask("1", ("d",))])
    assert network.asked == [["a,b,c", "d"], ["a", "b", "c"]]
    assert (set(first.entries), first.dead) == ({"a", "c"}, ("b",))
    assert set(second.entries) == {"d"}


def test_dead_names_in_several_groups():
    told = Insights(Network("b", "d")).read(ACCESS, [Ask("1", ("a", "b")), Ask("1", ("c", "d")), Ask("1", ("e",))])
    assert [(set(answer.entries), answer.dead) for answer in told] == [({"a"}, ("b",)), ({"c"}, ("d",)), ({"e"}, ())]


def test_the_culprit_of_one_post_is_not_searched_again_for_the_others():
    network = Network("b")
    told = Insights(network).read(ACCESS, [Ask(str(number), ("a", "b")) for number in range(25)])
    assert [len(parts) for parts in network.asked] == [25, 2, 24]
    assert all((set(answer.entries), answer.dead) == ({"a"}, ("b",)) for answer in told)


def test_a_group_of_dead_names_is_empty():
    (told,) = Insights(Network("a")).read(ACCESS, [Ask("1", ("a",))])
    assert (told.entries, told.dead, told.error) == ({}, ("a",), None)


@pytest.mark.parametrize("names", [("a", "b"), ("a", "b", "c")])
def test_names_that_do_not_go_together_are_read_alone_and_none_is_dead(names):
    network = Network(pairs=[("a", "b")])
    told = Insights(network).read(ACCESS, [Ask(str(number), names) for number in range(10)])
    assert [(set(answer.entries), answer.dead) for answer in told] == [(set(names), ())] * 10
    assert sum(map(len, network.asked)) == 10 + 10 * len(names)


def test_a_name_that_only_this_object_lacks_is_not_dead():
    (told,) = Insights(Network(wrong=("b",))).read(ACCESS, [Ask("1", ("a", "b"))])
    assert (set(told.entries), told.dead, told.error) == ({"a"}, (), None)


def test_what_is_refused_of_one_day_in_other_words_is_asked_of_the_next():
    class Old(Network):
        def batch(self, token, parts, *, account_id):
            answers = super().batch(token, parts, account_id=account_id)
            return [
                OurBugError("Too far back") if "since=1" in part else answer
                for part, answer in zip(parts, answers, strict=True)
            ]

    days = [Ask("1", ("a", "b"), {"since": since}) for since in ("1", "2")]
    first, second = Insights(Old()).read(ACCESS, days)
    assert (first.entries, first.dead, first.lacking, type(first.error)) == ({}, (), (), OurBugError)
    assert (set(second.entries), second.error) == ({"a", "b"}, None)


def test_what_is_refused_in_other_words_is_read_as_far_as_it_goes():
    odd = Network(odd=("b", "c"))
    first, second = Insights(odd).read(ACCESS, [Ask("1", ("a", "b")), Ask("1", ("c",))])
    assert odd.asked == [["a,b", "c"], ["a", "b"]]
    assert (set(first.entries), first.dead, type(first.error)) == ({"a"}, (), OurBugError)
    assert (second.entries, second.dead, type(second.error)) == ({}, (), OurBugError)


def test_names_that_were_refused_lately_are_not_asked_for():
    network = Network("b", "c")
    (told,) = Insights(network).read(ACCESS, [Ask("1", ("a", "b", "c"))], skip={"b"})
    assert network.asked == [["a,c"], ["a", "c"]]
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
