from __future__ import annotations

from dataclasses import replace

import pytest

from socialhub.platforms import choices, rules
from socialhub.platforms.base import Content, MediaItem, PostType, VideoFacts
from socialhub.platforms.buffer_rules import (
    IMAGE,
    RULES,
    WINDOWS,
    caption_limit,
    check,
    sent_text,
    text_length,
)
from socialhub.platforms.choices import kept
from socialhub.platforms.rule_types import ChoiceKind
from tests.platforms import buffer_wire as wire

LINK = "https://shop.example/camaro"


def codes(violations):
    return [violation.code for violation in violations]


def text(words: str, link: str = "") -> Content:
    return Content(PostType.LINK if link else PostType.TEXT, words, link=link)


@pytest.mark.parametrize(
    ("key", "limit"),
    [
        ("x", 280),
        ("threads", 500),
        ("bluesky", 300),
        ("mastodon", 500),
        ("pinterest", 500),
        ("tiktok", 4000),
        ("google_business", 1500),
    ],
)
def test_the_longest_text_fits_and_one_more_does_not(key, limit, images):
    content = images(1)
    chosen = {"board_service_id": "777"}
    fits, over = (
        wire.chosen(Content(content.post_type, "a" * length, media=content.media), chosen)
        for length in (limit, limit + 1)
    )
    assert codes(rules.check(key, fits)) == []
    (violation,) = rules.check(key, over)
    assert (violation.code, violation.field, violation.level) == ("caption_too_long", "caption", "error")
    assert "Shorten it by 1." in violation.message
    assert RULES[key].caption_limit == caption_limit(key) == limit


@pytest.mark.parametrize(
    ("key", "words", "length"),
    [
        ("x", "日本", 4),
        ("threads", "😀", 2),
        ("bluesky", "👨‍👩‍👧‍👦", 1),
        ("mastodon", "日本", 2),
        ("bluesky", "a\r\nb\x00", 3),
    ],
)
def test_each_network_counts_in_its_own_way(key, words, length):
    assert text_length(key, words) == length


@pytest.mark.parametrize(
    ("subscription", "limit"),
    [
        ("", 280),
        ("None", 280),
        ("free", 280),
        ("Basic", 25_000),
        ("Premium", 25_000),
        ("Premium+", 25_000),
        ("PremiumPlus", 25_000),
        ("premium_plus", 25_000),
    ],
)
def test_an_x_account_that_pays_may_write_more(subscription, limit):
    assert caption_limit("x", {"x_subscription": subscription}) == limit
    assert rules.caption_limit("x", {"x_subscription": subscription}) == limit
    assert caption_limit("threads", {"x_subscription": subscription}) == 500


def test_what_the_account_may_write_is_what_it_offers():
    long = text("a" * 281)
    assert codes(check("x", long)) == ["caption_too_long"]
    assert codes(check("x", replace(long, offers={"x_subscription": "Premium"}))) == []


@pytest.mark.parametrize(("told", "limit"), [(5000, 5000), (None, 500), (0, 500), ("many", 500)])
def test_a_server_of_mastodon_says_how_much_it_takes(told, limit):
    assert rules.caption_limit("mastodon", {"max_characters": told}) == limit
    assert codes(rules.check("mastodon", replace(text("a" * limit), offers={"max_characters": told}))) == []
    over = replace(text("a" * (limit + 1)), offers={"max_characters": told})
    assert codes(rules.check("mastodon", over)) == ["caption_too_long"]


def test_a_content_warning_counts_with_the_text():
    warned = wire.chosen(text("a" * 490), {"spoiler_text": "Engine oil!"})
    assert rules.length_of("mastodon", warned) == 501
    assert codes(rules.check("mastodon", warned)) == ["caption_too_long"]


def test_the_counter_counts_what_the_check_counts(images):
    linked = text("a" * 270, LINK)
    assert rules.length_of("x", linked) > 280
    assert rules.length_of("threads", linked) == 270
    assert rules.length_of("facebook", linked) == 270


def test_the_link_counts_where_it_goes_into_the_text():
    words = "a" * 275
    assert codes(check("x", text(words))) == []
    assert codes(check("x", text(words, LINK))) == ["caption_too_long"]
    assert codes(check("bluesky", text("a" * 300, LINK))) == []


@pytest.mark.parametrize(
    ("key", "with_image", "wanted"),
    [
        ("x", False, True),
        ("x", True, True),
        ("mastodon", True, True),
        ("threads", False, False),
        ("threads", True, True),
        ("bluesky", True, True),
        ("google_business", True, False),
        ("pinterest", True, False),
        ("tiktok", True, False),
    ],
)
def test_where_the_link_goes(key, with_image, wanted, images):
    content = images(1, text="Look", link=LINK) if with_image else text("Look", LINK)
    assert (LINK in sent_text(key, content)) is wanted


def test_words_are_needed_without_images(images):
    assert codes(check("x", text("  "))) == ["caption_missing"]
    assert codes(check("x", text("", LINK))) == []
    assert codes(check("bluesky", text("", LINK))) == ["caption_missing"]
    assert codes(check("x", images(1, text=""))) == []


BOARDS = [{"id": "777", "name": "Workshop"}, {"id": "778", "name": "Bikes"}]


def told(key: str, content: Content):
    """Code and field of each thing that the rules have against it."""
    return [(violation.code, violation.field) for violation in rules.check(key, content)]


def test_a_pin_needs_a_board_and_a_short_title(images):
    assert told("pinterest", images(1)) == [("choice_missing", "board_service_id")]
    assert "Choose one." in rules.check("pinterest", images(1))[0].message
    long = wire.chosen(images(1), {"board_service_id": "777", "title": "t" * 101})
    (violation,) = rules.check("pinterest", long)
    assert (violation.code, violation.field) == ("choice_too_long", "title")
    assert "Shorten it by 1." in violation.message


@pytest.mark.parametrize(
    ("offers", "wanted"),
    [
        ({"boards": BOARDS}, []),
        ({"boards": BOARDS[1:]}, [("choice_gone", "board_service_id")]),
        ({"boards": []}, [("choice_gone", "board_service_id")]),
        ({}, []),  # never read: nothing is known against it
    ],
)
def test_a_board_must_still_be_there(images, offers, wanted):
    content = replace(wire.chosen(images(1), {"board_service_id": "777"}), offers=offers)
    assert told("pinterest", content) == wanted
    if wanted:
        message = "This board is not there any more. Choose another."
        assert rules.check("pinterest", content)[0].message == message


@pytest.mark.parametrize(
    ("topic", "wanted"),
    [
        ("t" * 50, []),
        ("t" * 51, ["choice_too_long"]),
        ("Cars & bikes", ["choice_invalid"]),
        ("v1.2", ["choice_invalid"]),
    ],
)
def test_a_topic_of_threads(topic, wanted):
    assert codes(rules.check("threads", wire.chosen(text("a"), {"topic": topic}))) == wanted


@pytest.mark.parametrize(("length", "wanted"), [(90, []), (91, [("choice_too_long", "title")])])
def test_the_title_of_a_photo_post_on_tiktok(images, length, wanted):
    assert told("tiktok", wire.chosen(images(1), {"title": "t" * length})) == wanted


DAYS = {"start_date": "2026-12-01", "end_date": "2026-12-02"}


@pytest.mark.parametrize(
    ("choices", "wanted"),
    [
        ({}, []),
        ({"type": "news"}, [("choice_gone", "type")]),
        ({"button": "press", "link": LINK}, [("choice_gone", "button")]),
        ({"type": "offer", "title": "Sale"}, [("choice_missing", "start_date"), ("choice_missing", "end_date")]),
        ({"type": "offer", **DAYS}, [("choice_missing", "title")]),
        ({"type": "event", "title": "Show", **DAYS}, []),
        ({"type": "event", "title": "Show", **DAYS, "start_date": "2026-12-03"}, [("choice_order", "end_date")]),
        ({"type": "event", "title": "Show", **DAYS, "start_date": "soon"}, [("choice_invalid", "start_date")]),
        (
            {"type": "event", "title": "Show", **DAYS, "full_day": "no"},
            [("choice_missing", "start_time"), ("choice_missing", "end_time")],
        ),
        (
            {
                "type": "event",
                "title": "Show",
                **dict.fromkeys(DAYS, "2026-12-01"),
                "full_day": "no",
                "start_time": "18:00",
                "end_time": "18:00",
            },
            [("choice_order", "end_time")],
        ),
        (
            {"type": "event", "title": "Show", **DAYS, "full_day": "no", "start_time": "18:00", "end_time": "02:00"},
            [],  # the next day
        ),
        (
            {"type": "event", "title": "Show", **DAYS, "full_day": "no", "start_time": "late", "end_time": "02:00"},
            [("choice_invalid", "start_time")],
        ),
        # What is not asked for this kind of post is not judged.
        ({"type": "whats_new", "start_date": "2026-12-03", "end_date": "2026-12-02"}, []),
        ({"link": "shop.example"}, [("choice_invalid", "link")]),
        ({"button": "shop"}, [("choice_missing", "link")]),
        ({"button": "shop", "link": LINK}, []),
        ({"button": "call"}, []),
        ({"button": "none"}, []),
    ],
)
def test_what_google_business_needs(choices, wanted):
    assert sorted(told("google_business", wire.chosen(text("a"), choices))) == sorted(wanted)


def test_what_counts_of_what_was_filled_in():
    declared = RULES["google_business"].choices
    typed = {"type": "offer", "title": " Sale ", "button": "shop", "code": "", "start_time": "10:00", "colour": "red"}
    assert kept(declared, typed, PostType.SINGLE) == {"type": "offer", "title": "Sale"}


def test_choices_in_words():
    declared = RULES["pinterest"].choices
    pin = choices.told(declared, {"board_service_id": "778", "title": "Blue"}, {"boards": BOARDS}, PostType.SINGLE)
    assert [(one.label, one.value, one.shown_as) for one in pin] == [
        ("Board", "Bikes", "line"),
        ("Title", "Blue", "title"),
    ]
    event = {"type": "event", "title": "Show", **DAYS, "full_day": "no", "start_time": "18:00", "button": "signup"}
    lines = {one.label: one.value for one in choices.told(RULES["google_business"].choices, event, {}, PostType.TEXT)}
    assert (
        choices.told(RULES["google_business"].choices, {"type": "whats_new"}, {}, PostType.TEXT) == []
    )  # as it is by itself
    assert lines == {
        "Kind of post": "Event",
        "Title": "Show",
        "First day": "1 December 2026",
        "Last day": "2 December 2026",
        "All day": "No",
        "Begins at": "18:00",
        "Button": "Sign up",
    }


def test_every_choice_can_be_asked_for():
    for key, entry in rules.RULES.items():
        names = [choice.name for choice in entry.choices]
        assert len(names) == len(set(names)), key
        for choice in entry.choices:
            is_choosing = choice.kind is ChoiceKind.CHOICE
            assert bool(choice.options or choice.offer) is is_choosing, (key, choice.name)
            assert set(choice.shown_when) <= set(names)
            assert not choice.not_before or choice.not_before in names
            assert not choice.default or choice.kind is ChoiceKind.FLAG or choice.default in dict(choice.options)


def test_youtube_takes_one_film_and_nothing_else(images):
    chosen = {"title": "Camaro", "category_id": "2"}
    film = Content(PostType.VIDEO, "1969 Camaro", media=(wire.film(),), choices=chosen)
    assert rules.check("youtube", film) == []
    two = replace(film, media=(wire.film(), wire.film(2)))
    assert codes(rules.check("youtube", two)) == ["media_too_many"]
    assert "media_kind" in codes(rules.check("youtube", replace(images(1, PostType.VIDEO), choices=chosen)))
    for content in (text("a"), images(1), images(2)):
        assert codes(rules.check("youtube", content))[0] == "post_type_unsupported"
    assert told("youtube", replace(film, choices={})) == [
        ("choice_missing", "title"),
        ("choice_missing", "category_id"),
    ]
    long = wire.chosen(film, {"title": "t" * 101, "category_id": "3", "privacy": "friends"})
    assert told("youtube", long) == [
        ("choice_too_long", "title"),
        ("choice_gone", "category_id"),
        ("choice_gone", "privacy"),
    ]


# Films


def filmed(key: str, choices: dict[str, str] | None = None, words: str = "Film", **more) -> list[tuple[str, str]]:
    """What the rules have against a film, with their level."""
    facts = {name: more.pop(name) for name in list(more) if name in VideoFacts.__dataclass_fields__}
    plain = wire.film()
    film = replace(plain, video=replace(plain.video, **facts), **more)
    needed = {"pinterest": {"board_service_id": "1"}, "youtube": {"title": "T", "category_id": "2"}}.get(key, {})
    content = Content(PostType.VIDEO, words, media=(film,), choices={**needed, **(choices or {})})
    return [(one.code, one.level) for one in rules.check(key, content)]


FILMS = ["x", "threads", "bluesky", "mastodon", "pinterest", "tiktok", "youtube"]


@pytest.mark.parametrize("key", FILMS)
def test_a_usual_film_is_taken(key):
    assert filmed(key) == []


@pytest.mark.parametrize("key", FILMS)
def test_buffer_takes_no_hevc(key):
    assert filmed(key, codec="hevc") == [("video_codec", "error")]


@pytest.mark.parametrize(
    ("key", "shortest", "longest"),
    [
        ("x", 0.5, 140),
        ("threads", 0.1, 300),
        ("bluesky", 1, 180),
        ("mastodon", 0.1, 3600),
        ("pinterest", 4, 900),
        ("tiktok", 3, 600),
        ("youtube", 1, 900),
    ],
)
def test_the_length_of_a_film(key, shortest, longest):
    for seconds, code in (
        (shortest, []),
        (longest, []),
        (shortest - 0.07, ["video_length"]),
        (longest + 1, ["video_length"]),
    ):
        assert [code for code, level in filmed(key, seconds=seconds) if level == "error"] == code


@pytest.mark.parametrize(
    ("key", "megabytes"),
    [
        ("x", 512),
        ("threads", 950),
        ("bluesky", 95),
        ("mastodon", 99),
        ("pinterest", 950),
        ("tiktok", 950),
        ("youtube", 950),
    ],
)
def test_the_weight_of_a_film(key, megabytes):
    assert filmed(key, size_bytes=megabytes * 1024 * 1024) == []
    assert filmed(key, size_bytes=(megabytes + 1) * 1024 * 1024) == [("media_heavy", "error")]


@pytest.mark.parametrize(
    ("key", "change", "code"),
    [
        ("x", {"width": 2160, "height": 3840}, "video_wide"),
        ("x", {"width": 400, "height": 1300}, "video_ratio"),
        ("x", {"fps": 90}, "video_fps"),
        ("threads", {"fps": 20}, "video_fps"),
        ("threads", {"bit_rate": 26_000_000}, "video_bit_rate"),
        ("bluesky", {"width": 400, "height": 1300}, "video_ratio"),
        ("pinterest", {"width": 400, "height": 900}, "video_ratio"),
        ("tiktok", {"width": 320, "height": 640}, "video_small"),
        ("tiktok", {"fps": 20}, "video_fps"),
    ],
)
def test_the_shape_and_the_rates_of_a_film(key, change, code):
    assert filmed(key, **change) == [(code, "error")]


@pytest.mark.parametrize(
    "change", [{"seconds": 181}, {"width": 1920, "height": 1080}], ids=["longer than a Short", "wider than high"]
)
def test_a_film_that_is_no_short_is_said_to_be_none(change):
    assert filmed("youtube", **change) == [("video_no_short", "warning")]


def test_an_alternative_text_that_nobody_takes_is_said_to_be_left_out():
    assert filmed("mastodon", alt_text="A Camaro") == [("alt_text_ignored", "warning")]


def test_tiktok_takes_less_text_beside_a_film(images):
    assert filmed("tiktok", words="a" * 2200) == []
    assert filmed("tiktok", words="a" * 2201) == [("caption_too_long", "error")]
    assert codes(rules.check("tiktok", images(2, text="a" * 2201))) == []
    assert rules.caption_limit("tiktok", None, PostType.VIDEO) == 2200
    assert rules.caption_limit("tiktok", None, PostType.MULTI_IMAGE) == 4000


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("tiktok", "2.5", []),
        ("pinterest", "0", []),
        ("pinterest", "10", []),
        ("pinterest", "10.5", [("choice_invalid", "error")]),
        ("tiktok", "soon", [("choice_invalid", "error")]),
        ("tiktok", "-1", [("choice_invalid", "error")]),
        ("tiktok", "1e3", [("choice_invalid", "error")]),
    ],
)
def test_the_moment_that_stands_for_a_film(key, value, wanted):
    assert filmed(key, {"cover_second": value}) == wanted


def test_a_photo_post_has_a_title_and_a_film_a_cover():
    declared, chosen = RULES["tiktok"].choices, {"title": "Camaro", "cover_second": "2"}
    assert choices.kept(declared, chosen, PostType.SINGLE) == {"title": "Camaro"}
    assert choices.kept(declared, chosen, PostType.VIDEO) == {"cover_second": "2"}
    assert filmed("tiktok", {"title": "C" * 200}) == []  # nobody sees it, so its length does not matter


@pytest.mark.parametrize(
    ("key", "kinds"),
    [
        ("x", {"text", "link", "single", "multi_image", "video"}),
        ("threads", {"text", "link", "single", "multi_image", "video"}),
        ("bluesky", {"text", "link", "single", "multi_image", "video"}),
        ("mastodon", {"text", "link", "single", "multi_image", "video"}),
        ("pinterest", {"single", "video"}),
        ("tiktok", {"single", "multi_image", "video"}),
        ("youtube", {"video"}),
        ("google_business", {"text", "link", "single"}),
    ],
)
def test_the_post_types(key, kinds):
    assert set(RULES[key].post_types) == kinds


@pytest.mark.parametrize("key", ["x", "threads", "bluesky", "mastodon", "tiktok"])
def test_the_common_check_counts_images_by_these_rules(key, images):
    most = RULES[key].post_types[PostType.MULTI_IMAGE].max_media
    assert "media_too_many" not in codes(rules.check(key, images(most)))
    assert "media_too_many" in codes(rules.check(key, images(most + 1)))


def test_the_common_check_asks_these_rules_too():
    assert codes(rules.check("x", text("a" * 281))) == ["caption_too_long"]


def test_a_long_description_is_refused_by_these_rules():
    item = MediaItem(1, "https://m.example/1.jpg", "image/jpeg", 1080, 1080, 10, alt_text="a" * 501)
    assert "alt_text_too_long" in codes(rules.check("pinterest", Content(PostType.SINGLE, "a", media=(item,))))


def test_every_network_fetches_its_images_and_names_its_source():
    for key, entry in RULES.items():
        assert entry.fetches_media, key
        assert entry.source, key
        assert IMAGE[key] is entry.image
        assert all(window.source for window in WINDOWS[key])
