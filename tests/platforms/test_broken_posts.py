"""One post that Meta cannot read among others that it can."""

from __future__ import annotations

import pytest

from socialhub.platforms.errors import TemporaryError
from tests.platforms.graph import BASE, error, part

BROKEN = error(2, message="An unexpected error has occurred. Please retry your request later.")


def answer(graph, *parts):
    graph.post(f"{BASE}/", json=list(parts))


@pytest.fixture(params=["facebook", "instagram"])
def network(request):
    return request.getfixturevalue(request.param)


def posts_of(network):
    return {"900_1": "FEED", "900_2": "FEED"}


def test_it_is_told_apart(network, page, graph):
    answer(
        graph, part(BROKEN, 500), part({"id": "900_2", "like_count": 3, "reactions": {"summary": {"total_count": 3}}})
    )
    answer(graph, part(BROKEN, 500))
    broken, sound = network.post_figures(page, posts_of(network))
    assert isinstance(broken.trouble, TemporaryError)
    assert (broken.platform_post_id, broken.likes) == ("900_1", None)
    assert (sound.platform_post_id, sound.likes, sound.trouble) == ("900_2", 3, None)


def test_when_all_fail_it_is_about_the_network(network, page, graph):
    answer(graph, part(BROKEN, 500), part(BROKEN, 500))
    answer(graph, part(BROKEN, 500), part(BROKEN, 500))
    with pytest.raises(TemporaryError):
        network.post_figures(page, posts_of(network))


def test_an_object_that_does_not_say_which_it_is_has_no_figures(network, page, graph):
    answer(graph, part({}), part({"id": "900_2"}))
    answer(graph, part({}))
    empty, _sound = network.post_figures(page, posts_of(network))
    assert isinstance(empty.trouble, TemporaryError)
    assert empty.shares is None
