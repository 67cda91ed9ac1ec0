from __future__ import annotations

from dataclasses import replace

import pytest

from socialhub.platforms import LABELS, PLATFORMS, Apis, build
from socialhub.platforms.base import Content, PostType, StepKind
from socialhub.platforms.buffer import BufferApi, BufferConfig
from socialhub.platforms.instagram_login import InstagramApi, InstagramConfig
from socialhub.platforms.linkedin_api import LinkedInApi, LinkedInConfig
from socialhub.platforms.rules import IMAGE, RULES, WINDOWS, check, text_length


@pytest.fixture
def apis(meta):
    return Apis(
        meta,
        InstagramApi(InstagramConfig("app", "secret")),
        LinkedInApi(LinkedInConfig("app", "secret")),
        BufferApi(BufferConfig()),
    )


def found(platform, content):
    return {(violation.code, violation.level) for violation in check(platform, content)}


def text(length=0, post_type=PostType.TEXT, **more):
    return Content(post_type, "x" * length, **more)


def test_every_platform_has_rules_windows_and_a_label():
    assert set(PLATFORMS) == set(RULES) == set(WINDOWS) == set(IMAGE) == set(LABELS)
    for key, rules in RULES.items():
        assert LABELS[key] == rules.label == PLATFORMS[key].label
        assert rules.source
        assert all(window.source for window in WINDOWS[key])


def test_platforms_are_built_by_key(apis):
    for key, platform in PLATFORMS.items():
        assert isinstance(build(key, apis), platform)
    with pytest.raises(KeyError):
        build("myspace", apis)


def test_every_post_type_that_the_rules_allow_has_a_plan(apis, images):
    for key, rules in RULES.items():
        for post_type, count in rules.post_types.items():
            plan = build(key, apis).plan(images(count.min_media, post_type))
            assert [step.kind is StepKind.COMMIT for step in plan] == [False] * (len(plan) - 1) + [True]
            assert len({step.key for step in plan}) == len(plan)


@pytest.mark.parametrize(
    ("platform", "limit", "words"),
    [
        ("facebook", 63_206, "Facebook takes 63,206 characters; this caption has 63,207. Shorten it by 1."),
        ("instagram", 2_200, "Instagram takes 2,200 characters; this caption has 2,201. Shorten it by 1."),
    ],
)
def test_the_length_of_a_caption(platform, limit, words, images):
    assert check(platform, images(1, text="x" * limit)) == []
    (violation,) = check(platform, images(1, text="x" * (limit + 1)))
    assert (violation.code, violation.field, violation.message) == ("caption_too_long", "caption", words)
    assert violation.is_error


def test_line_breaks_of_a_browser_count_once():
    assert text_length("instagram", "a\r\nb") == 3


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        (5, set()),
        (6, {("hashtags_many", "warning")}),
        (30, {("hashtags_many", "warning")}),
        (31, {("hashtags_too_many", "error")}),
    ],
)
def test_hashtags_on_instagram(number, wanted, images):
    content = images(1, text=" ".join(f"#tag{n}" for n in range(number)))
    assert found("instagram", content) == wanted
    assert found("facebook", content) == set()


@pytest.mark.parametrize(("number", "wanted"), [(20, set()), (21, {("mentions_too_many", "error")})])
def test_mentions_on_instagram(number, wanted, images):
    content = images(1, text=" ".join(f"@friend{n}" for n in range(number)))
    assert found("instagram", content) == wanted
    assert found("facebook", content) == set()


@pytest.mark.parametrize(
    ("platform", "post_type", "number", "code"),
    [
        ("facebook", PostType.TEXT, 0, None),
        ("facebook", PostType.TEXT, 1, "media_too_many"),
        ("facebook", PostType.SINGLE, 0, "media_missing"),
        ("facebook", PostType.SINGLE, 1, None),
        ("facebook", PostType.SINGLE, 2, "media_too_many"),
        ("facebook", PostType.MULTI_IMAGE, 1, "media_missing"),
        ("facebook", PostType.MULTI_IMAGE, 10, None),
        ("facebook", PostType.MULTI_IMAGE, 11, "media_too_many"),
        ("facebook", PostType.CAROUSEL, 3, "post_type_unsupported"),
        ("instagram", PostType.TEXT, 0, "post_type_unsupported"),
        ("instagram", PostType.LINK, 0, "post_type_unsupported"),
        ("instagram", PostType.SINGLE, 0, "media_missing"),
        ("instagram", PostType.CAROUSEL, 1, "media_missing"),
        ("instagram", PostType.CAROUSEL, 10, None),
        ("instagram", PostType.CAROUSEL, 11, "media_too_many"),
    ],
)
def test_post_types_and_their_number_of_images(platform, post_type, number, code, images):
    content = images(number, post_type, link="https://x.example/" if post_type is PostType.LINK else "")
    errors = {violation.code for violation in check(platform, content) if violation.is_error}
    assert errors == ({code} if code else set())


def test_numbers_are_named(images):
    (violation,) = check("instagram", images(12, PostType.CAROUSEL))
    assert violation.message == "Instagram takes 10 images in a carousel; this post has 12. Remove 2."
    (violation,) = check("instagram", images(1, PostType.CAROUSEL))
    assert violation.message == "Instagram needs at least 2 images for a carousel; this post has 1. Add 1 more."


def test_an_empty_text_post():
    assert found("facebook", text(0)) == {("caption_missing", "error")}


@pytest.mark.parametrize(
    ("link", "wanted"),
    [
        ("https://shop.example/camaro", set()),
        ("", {("link_missing", "error")}),
        ("shop.example", {("link_invalid", "error")}),
        ("javascript:alert(1)", {("link_invalid", "error")}),
        ("https://", {("link_invalid", "error")}),
        ("https://[::1", {("link_invalid", "error")}),
        ("https://shop.example/a b", {("link_invalid", "error")}),
        ("https://www.facebook.com/garage", {("link_to_facebook", "warning")}),
        ("https://fb.me/x", {("link_to_facebook", "warning")}),
        ("https://notfacebook.com/", set()),
    ],
)
def test_links_on_facebook(link, wanted):
    assert found("facebook", Content(PostType.LINK, "Look", link=link)) == wanted


def test_instagram_leaves_links_out(images):
    assert found("instagram", images(1, link="https://shop.example/")) == {("link_ignored", "warning")}


@pytest.mark.parametrize(
    ("width", "height", "wanted"),
    [
        (1080, 1080, set()),
        (1080, 1350, set()),
        (1910, 1000, set()),
        (1080, 1920, {("image_ratio", "warning")}),
        (2100, 1000, {("image_ratio", "warning")}),
        (319, 319, {("image_small", "warning")}),
        (320, 320, set()),
        (0, 0, set()),
    ],
)
def test_the_shape_of_images(width, height, wanted, images):
    content = images(2, PostType.CAROUSEL)
    odd = replace(content.media[1], width=width, height=height)
    violations = check("instagram", replace(content, media=(content.media[0], odd)))
    assert {(violation.code, violation.level) for violation in violations} == wanted
    assert all((violation.field, violation.media_position) == ("media", 2) for violation in violations)


def test_the_length_of_an_alternative_text(images):
    content = images(1)
    for platform, rules in RULES.items():
        alt_text = "x" * (rules.alt_text_limit + 1)
        long = replace(content, media=(replace(content.media[0], alt_text=alt_text),))
        (violation,) = (
            one for one in check(platform, long) if one.code not in ("choice_missing", "post_type_unsupported")
        )
        assert (violation.code, violation.field, violation.media_position) == ("alt_text_too_long", "alt_text", 1)


def test_all_violations_are_listed_errors_first(images):
    content = images(11, PostType.CAROUSEL, text="#tag " * 440 + "x" * 100, link="nonsense")
    content = replace(content, media=(replace(content.media[0], width=100, height=100), *content.media[1:]))
    violations = check("instagram", content)
    assert [violation.level for violation in violations] == ["error"] * 4 + ["warning"]
    assert {violation.field for violation in violations} == {"caption", "link", "media"}


def test_the_windows_are_those_of_the_specification():
    assert {(w.group, w.limit, w.seconds) for w in WINDOWS["facebook"]} == {
        ("publish", 200, 3600),
        ("reels", 30, 86_400),
    }
    assert {(w.group, w.limit, w.seconds) for w in WINDOWS["instagram"]} == {
        ("publish", 25, 3600),
        ("containers", 360, 86400),
        ("posts", 50, 86400),
    }


def test_image_rules():
    assert (IMAGE["instagram"].max_bytes, IMAGE["instagram"].max_width, IMAGE["instagram"].min_width) == (
        8 << 20,
        1440,
        320,
    )
    assert (IMAGE["instagram"].min_ratio, IMAGE["instagram"].max_ratio) == (0.8, 1.91)
    assert IMAGE["facebook"].max_bytes == 4 << 20
