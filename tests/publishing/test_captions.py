from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from publishing.captions import Filled, fill, hashtags, placeholders
from publishing.forms.fields import HashtagsField
from publishing.models import ImageSet


def camaro(**fields: Any) -> ImageSet:
    return ImageSet(
        **{
            "title": "1969 Camaro Restoration",
            "details": [["Vehicle", "1969 Chevrolet Camaro"], ["Current value", "$68,500"], ["Engine", ""]],
            "hashtags": ["camaro", "classiccars"],
            **fields,
        }
    )


def test_placeholders_are_filled_whatever_their_case():
    filled = fill("{TITLE}: {vehicle}, now {current VALUE}.\n\n{Hashtags}", camaro())
    assert filled == Filled("1969 Camaro Restoration: 1969 Chevrolet Camaro, now $68,500.\n\n#camaro #classiccars")


def test_details_are_listed_without_the_empty_ones():
    assert fill("{details}", camaro()).text == "Vehicle: 1969 Chevrolet Camaro\nCurrent value: $68,500"


def test_an_unknown_placeholder_stays_visible_and_is_reported_once():
    filled = fill("{Colour} and {Colour}", camaro())
    assert filled.text == "{Colour} and {Colour}"
    assert filled.unknown == ("Colour",)


def test_a_value_that_is_missing_is_reported():
    filled = fill("Engine: {Engine}", camaro())
    assert filled.text == "Engine:"
    assert filled.missing == ("Engine",)
    assert fill("{hashtags}", camaro(hashtags=[])).missing == ("hashtags",)


def test_without_a_set_everything_stays_as_written():
    assert fill("{title}", None) == Filled("{title}", unknown=("title",))


@pytest.mark.parametrize(
    "hostile", ["{title.__class__}", "{title!r}", "{title:>1000000000}", "{0}", "{title[0]}", "{{title}}"]
)
def test_format_language_means_nothing(hostile: str):
    assert "__main__" not in fill(hostile, camaro()).text
    assert fill(hostile, camaro()).text in (hostile, "{1969 Camaro Restoration}")


def test_a_value_that_looks_like_a_placeholder_is_not_filled_again():
    assert fill("{Vehicle}", camaro(details=[["Vehicle", "{title}"]])).text == "{title}"


def test_a_detail_cannot_take_the_place_of_the_title():
    assert fill("{title}", camaro(details=[["Title", "another"]])).text == "1969 Camaro Restoration"
    assert placeholders(camaro(details=[["Title", "another"]])) == ["{title}", "{details}", "{hashtags}"]


def test_hashtags_are_typed_freely():
    assert list(hashtags("#One, two;THREE\n#one #four#five  ＃six")) == ["One", "two", "THREE", "four", "five", "six"]


def test_the_field_returns_a_list_and_shows_it_as_one_writes_it():
    field = HashtagsField(required=False)
    assert field.clean("#Camaro classic_cars 日本") == ["Camaro", "classic_cars", "日本"]
    assert field.clean("") == []
    assert field.prepare_value(["a", "b"]) == "#a #b"
    assert not field.has_changed(["a", "b"], "a, b")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("#rock&roll good", "“rock&roll” cannot be a hashtag."),
        ("a.b c-d", "These cannot be hashtags: “a.b”, “c-d”."),
        ("x" * 101, "cannot be a hashtag"),
        (" ".join(f"tag{number}" for number in range(61)), "These are 61 hashtags; keep at most 60."),
        ("#", "Write at least one hashtag."),
    ],
)
def test_what_no_network_reads_as_a_hashtag_is_named(typed: str, sentence: str):
    with pytest.raises(ValidationError) as refusal:
        HashtagsField().clean(typed)
    assert sentence in refusal.value.messages[0]
