"""Finding posts by their words."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.models import User, Workspace
from publishing.models import Post
from publishing.search import matching
from tests.factories import make_post, workspace_of


def found(workspace: Workspace, typed: str) -> list[Post]:
    return list(matching(Post.objects.of(workspace), workspace.pk, typed))


@pytest.fixture
def camaro(workspace: Workspace) -> Post:
    make_post(workspace, caption="Something else")
    return make_post(
        workspace,
        caption="🔥1969 Camaro “Restoration” — it’s done!\nSee https://garage.example/shop, Ärger inklusive.",
        campaign="Spring_sale",
        hashtags=["ClassicCars", "größe"],
    )


@pytest.mark.parametrize(
    "typed",
    [
        "camaro restoration",
        "cama rest",
        "REST cama",
        "1969",
        "“restor",
        "it's",
        "garage.example/shop",
        "shop",
        "#classiccars",
        "spring sale",
        "spring_sale",
        "ärger",
        "größ",
        "🔥 camaro",
        "camaro!",
        "camaro & (restoration)",
    ],
)
def test_the_beginnings_of_words_are_enough(workspace: Workspace, camaro: Post, typed: str) -> None:
    assert found(workspace, typed) == [camaro]


@pytest.mark.parametrize("typed", ["amaro", "camaro mustang", "!!!", "🔥", "'", "\\", "camaro:*:* nowhere", "a' | 'b"])
def test_what_is_not_there_is_not_found(workspace: Workspace, camaro: Post, typed: str) -> None:
    assert found(workspace, typed) == []


@pytest.mark.parametrize(
    "typed", ["'", "\x01", '"', "\\", ":*", "a:*b", "<->", "a <-> b", "!a", "(", "é' ||", "x" * 200, "%s"]
)
def test_nothing_that_is_typed_breaks_it(workspace: Workspace, typed: str) -> None:
    assert found(workspace, typed) == []


def test_the_workspace_is_no_word_that_can_be_asked_for(workspace: Workspace, camaro: Post) -> None:
    assert found(workspace, f"in:{workspace.pk}") == []


def test_words_of_others_are_not_found(workspace: Workspace, stranger: User) -> None:
    make_post(workspace_of(stranger), caption="Camaro")
    assert found(workspace, "camaro") == []
    assert matching(Post.objects.all(), workspace.pk, "camaro").count() == 0


def test_a_change_is_found_at_once(workspace: Workspace, camaro: Post) -> None:
    camaro.caption = "Mustang"
    camaro.save()
    assert found(workspace, "camaro") == []
    assert found(workspace, "mustang spring") == [camaro]


def test_the_index_answers(workspace: Workspace) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # a table of a few rows is read whole, however it is asked
        cursor.execute("SET LOCAL enable_indexscan = off")
    assert "post_words" in matching(Post.objects.all(), workspace.pk, "cama rest").explain()


@pytest.mark.parametrize("typed", ["\x01", "\x7f", "\x1b \x02"])
def test_what_the_database_takes_for_no_word_finds_nothing(workspace: Workspace, camaro: Post, typed: str) -> None:
    assert found(workspace, typed) == []
