"""What the networks take, as dated data with its source, and the check of a post against it.

Numbers of networks change: each block says where its numbers come from and when that was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from socialhub.platforms import buffer_limits, buffer_rules, choices, instagram_rules, linkedin_rules, media_rules
from socialhub.platforms.base import Content, MediaItem, MediaKind, PostType
from socialhub.platforms.facebook_reading import message_of
from socialhub.platforms.metrics.linkedin import LIMITS_SOURCE, MEMBER_LIMIT
from socialhub.platforms.rule_types import (
    DAY,
    HOUR,
    IMAGES_AND_VIDEOS,
    MEGABYTE,
    VIDEO_ONLY,
    ImageRules,
    MediaCount,
    Rules,
    VideoRules,
    Violation,
    Window,
)
from socialhub.platforms.text import hashtags, mentions

META_SOURCE = "Meta Graph API v26.0 and Instagram Platform documentation, read September to October 2026"

RULES: dict[str, Rules] = {
    "facebook": Rules(
        label="Facebook",
        caption_limit=63_206,
        post_types={
            PostType.TEXT: MediaCount(0, 0),
            PostType.LINK: MediaCount(0, 0),
            PostType.SINGLE: MediaCount(1, 1),
            PostType.MULTI_IMAGE: MediaCount(2, 10),
            PostType.VIDEO: MediaCount(1, 1, VIDEO_ONLY),
            PostType.REEL: MediaCount(1, 1, VIDEO_ONLY),
            PostType.STORY: MediaCount(1, 1, IMAGES_AND_VIDEOS),
        },
        # Documented are 10 MB, while error 1366046 speaks of 4 MB: the smaller one is safe.
        image=ImageRules(max_bytes=4 * MEGABYTE, max_width=2048, max_height=4096, min_width=1),
        # 10 GB and 4 hours are long known of feed videos; for reels and stories no bytes are documented.
        videos={
            PostType.VIDEO: VideoRules(max_bytes=10 * 1024 * MEGABYTE, min_seconds=1, max_seconds=4 * HOUR),
            PostType.REEL: VideoRules(
                max_bytes=1024 * MEGABYTE,
                min_seconds=3,
                max_seconds=90,
                min_width=540,
                min_height=960,
                min_ratio=9 / 16,
                max_ratio=9 / 16,
                min_fps=24,
                max_fps=60,
            ),
            PostType.STORY: VideoRules(max_bytes=1024 * MEGABYTE, min_seconds=1, max_seconds=60),
        },
        first_comment_limit=8_000,  # of comments on Facebook, long known, documented nowhere
        comment_scopes={"": "pages_manage_engagement"},
        silent_types=(PostType.STORY,),
        source=META_SOURCE,
    ),
    "instagram": instagram_rules.RULES,
    "linkedin": linkedin_rules.RULES,
    **buffer_rules.RULES,
}

IMAGE: dict[str, ImageRules] = {key: rules.image for key, rules in RULES.items()}

WINDOWS: dict[str, tuple[Window, ...]] = {
    "facebook": (
        Window("publish", 200, HOUR, "default of this product"),
        Window("reels", 30, DAY, META_SOURCE),
    ),
    "instagram": instagram_rules.WINDOWS,
    "linkedin": linkedin_rules.WINDOWS,
    **buffer_rules.WINDOWS,
}
# The windows that accounts share which were connected by the same app or key, by the key of the login.
CLIENT_WINDOWS: dict[str, tuple[Window, ...]] = {"buffer": buffer_limits.CLIENT_WINDOWS}
# What reading the figures of one account may take. Networks tell how near their own limits are, not what these are:
# Meta's grow with an account's audience (4,800 calls a day for each person engaged, no floor is documented), LinkedIn's
# stand for each endpoint in its own console, so that of its smallest product is taken (see metrics/linkedin.py). The
# others are bounds of ours, far above what the hourly reading needs.
# What is read through Buffer is counted for its client.
READ = "read"
READ_KEPT = 0.25  # the last part of each, that jobs leave to people who press "Sync now"
READ_WINDOWS: dict[str, tuple[Window, ...]] = {
    "facebook": (Window(READ, 200, HOUR, "default of this product", kept=READ_KEPT),),
    "instagram": (Window(READ, 200, HOUR, "default of this product", kept=READ_KEPT),),
    "linkedin": (Window(READ, MEMBER_LIMIT, DAY, LIMITS_SOURCE, is_rolling=False, kept=READ_KEPT),),
}
# Networks that limit the app as a whole too, and do not say which of the limits was met.
APP_LIMITED = frozenset({"linkedin"})

POST_TYPE_NAMES = {
    PostType.TEXT: gettext_lazy("text post"),
    PostType.LINK: gettext_lazy("link post"),
    PostType.SINGLE: gettext_lazy("single image"),
    PostType.MULTI_IMAGE: gettext_lazy("multi-image post"),
    PostType.CAROUSEL: gettext_lazy("carousel"),
    PostType.VIDEO: gettext_lazy("video post"),
    PostType.REEL: gettext_lazy("reel"),
    PostType.STORY: gettext_lazy("story"),
    PostType.DOCUMENT: gettext_lazy("document post"),
}


def text_length(platform: str, text: str) -> int:
    """How many characters the network counts. Facebook, Instagram and LinkedIn count characters, line breaks as one."""
    if platform in buffer_rules.RULES:
        return buffer_rules.text_length(platform, text)
    return len(text.replace("\r\n", "\n"))


def length_of(platform_key: str, content: Content) -> int:
    """How much of `caption_limit` the post takes: some networks have the link in the text."""
    if platform_key in buffer_rules.RULES:
        return buffer_rules.length_of(platform_key, content)
    return text_length(platform_key, content.text)


def shown_text(platform_key: str, content: Content) -> str:
    """The text as people read it there: some networks have the link in it."""
    if platform_key in buffer_rules.RULES:
        return buffer_rules.sent_text(platform_key, content)
    if platform_key == "linkedin":
        return linkedin_rules.commentary_of(content)
    return message_of(content) if platform_key == "facebook" else content.text


def caption_limit(platform_key: str, offers: Mapping[str, Any] | None = None, post_type: PostType | None = None) -> int:
    """The longest text; what the account offers may allow more than the network does to all, some post types less."""
    if platform_key in buffer_rules.RULES:
        return buffer_rules.caption_limit(platform_key, offers, post_type)
    return RULES[platform_key].caption_limit


def check(platform_key: str, content: Content) -> list[Violation]:
    """Everything about the post that the network would refuse or change, errors first."""
    rules = RULES[platform_key]
    found = [
        *(_post_type(rules, content) if rules.post_types else ()),
        *_words(rules, platform_key, content),
        *choices.check(rules, content),
        *_link(rules, content),
        *(violation for item in content.media for violation in _item(rules, content, item)),
    ]
    return sorted(found, key=lambda violation: violation.level != "error")


def _words(rules: Rules, platform_key: str, content: Content) -> Iterator[Violation]:
    """The text, and what only one network asks of it."""
    if platform_key in buffer_rules.RULES:
        yield from buffer_rules.check(platform_key, content)
        return
    yield from _caption(rules, platform_key, content)
    if platform_key == "linkedin":
        yield from linkedin_rules.check(content)
    elif platform_key == "instagram":
        yield from instagram_rules.check(content)


def _post_type(rules: Rules, content: Content) -> Iterator[Violation]:
    count = rules.post_types.get(content.post_type)
    name = POST_TYPE_NAMES[content.post_type]
    if count is None:
        yield Violation(
            "post_type_unsupported",
            _("%(network)s has no %(type)s here. Choose another post type for this account.")
            % {"network": rules.label, "type": name},
            "post_type",
        )
        return
    number = len(content.media)
    if number < count.min_media:
        yield Violation("media_missing", _too_few(rules, count, number, str(name)), "media")
    elif number > count.max_media:
        yield Violation("media_too_many", _too_many(rules, count, number, str(name)), "media")
    yield from media_rules.check_kinds(rules, count, content, str(name))
    if content.post_type in rules.silent_types and content.text.strip():
        yield Violation(
            "caption_ignored",
            _("%(network)s shows no text with a %(type)s: the caption is left out there.")
            % {"network": rules.label, "type": name},
            "caption",
            level="warning",
        )


def _too_few(rules: Rules, count: MediaCount, number: int, name: str) -> str:
    missing = count.min_media - number
    if not number and count.min_media == 1:
        kinds = _(" or ").join(media_rules.KIND_NAMES[kind]() for kind in count.kinds)
        return _("%(network)s needs %(kinds)s for a %(type)s. Add one.") % {
            "network": rules.label,
            "kinds": kinds,
            "type": name,
        }
    return ngettext(
        "%(network)s needs at least %(least)s images for a %(type)s; this post has %(number)s. Add %(missing)s more.",
        "%(network)s needs at least %(least)s images for a %(type)s; this post has %(number)s. Add %(missing)s more.",
        missing,
    ) % {"network": rules.label, "least": count.min_media, "type": name, "number": number, "missing": missing}


def _too_many(rules: Rules, count: MediaCount, number: int, name: str) -> str:
    if not count.max_media:
        return _("A %(type)s on %(network)s has no images. Remove them or choose another post type.") % {
            "network": rules.label,
            "type": name,
        }
    return ngettext(
        "%(network)s takes %(most)s image in a %(type)s; this post has %(number)s. Remove %(over)s.",
        "%(network)s takes %(most)s images in a %(type)s; this post has %(number)s. Remove %(over)s.",
        count.max_media,
    ) % {
        "network": rules.label,
        "most": count.max_media,
        "type": name,
        "number": number,
        "over": number - count.max_media,
    }


def _caption(rules: Rules, platform_key: str, content: Content) -> Iterator[Violation]:
    length = text_length(platform_key, content.text)
    if length > rules.caption_limit:
        yield Violation(
            "caption_too_long",
            _("%(network)s takes %(limit)s characters; this caption has %(length)s. Shorten it by %(over)s.")
            % {
                "network": rules.label,
                "limit": f"{rules.caption_limit:,}",
                "length": f"{length:,}",
                "over": f"{length - rules.caption_limit:,}",
            },
            "caption",
        )
    if content.post_type is PostType.TEXT and not content.text.strip():
        yield Violation("caption_missing", _("A text post needs a text. Write one."), "caption")
    yield from _tags(rules, content.text)


def _tags(rules: Rules, text: str) -> Iterator[Violation]:
    tags, names = len(hashtags(text)), len(mentions(text))
    if rules.hashtag_limit is not None and tags > rules.hashtag_limit:
        yield Violation(
            "hashtags_too_many",
            _("%(network)s takes %(limit)s hashtags; this caption has %(number)s. Remove %(over)s.")
            % {
                "network": rules.label,
                "limit": rules.hashtag_limit,
                "number": tags,
                "over": tags - rules.hashtag_limit,
            },
            "caption",
        )
    elif rules.hashtag_warning is not None and tags > rules.hashtag_warning:
        yield Violation(
            "hashtags_many",
            _(
                "%(network)s itself allows %(limit)s hashtags in new posts; this caption has %(number)s. Fewer do better."
            )
            % {"network": rules.label, "limit": rules.hashtag_warning, "number": tags},
            "caption",
            level="warning",
        )
    if rules.mention_limit is not None and names > rules.mention_limit:
        yield Violation(
            "mentions_too_many",
            _("%(network)s takes %(limit)s @-mentions; this caption has %(number)s. Remove %(over)s.")
            % {
                "network": rules.label,
                "limit": rules.mention_limit,
                "number": names,
                "over": names - rules.mention_limit,
            },
            "caption",
        )


def _link(rules: Rules, content: Content) -> Iterator[Violation]:
    if content.post_type is PostType.LINK and not content.link:
        yield Violation("link_missing", _("A link post needs a link. Add one."), "link")
    if not content.link:
        return
    host = choices.web_host(content.link)
    if not host:
        yield Violation("link_invalid", choices.not_a_link(), "link")
    elif not rules.shows_links:
        yield Violation(
            "link_ignored",
            _("%(network)s shows no links in posts: this one is left out there.") % {"network": rules.label},
            "link",
            level="warning",
        )
    elif rules.label == "Facebook" and (host in FACEBOOK_HOSTS or host.endswith(".facebook.com")):
        yield Violation(
            "link_to_facebook",
            _("Facebook may refuse links to Facebook itself."),
            "link",
            level="warning",
        )


FACEBOOK_HOSTS = frozenset({"facebook.com", "fb.com", "fb.me"})


def _item(rules: Rules, content: Content, item: MediaItem) -> Iterator[Violation]:
    if item.kind is MediaKind.IMAGE:
        yield from _image(rules, rules.image_of(content.post_type), item)
    else:
        yield from media_rules.check_item(rules, content, item)


def _image(rules: Rules, image: ImageRules, item: MediaItem) -> Iterator[Violation]:
    where = {"network": rules.label, "position": item.position}
    if len(item.alt_text) > rules.alt_text_limit:
        yield Violation(
            "alt_text_too_long",
            _("%(network)s takes %(limit)s characters of alternative text; that of image %(position)s has %(length)s.")
            % {**where, "limit": f"{rules.alt_text_limit:,}", "length": f"{len(item.alt_text):,}"},
            "alt_text",
            item.position,
        )
    if not item.width or not item.height:
        return
    if item.width < image.min_width:
        yield Violation(
            "image_small",
            _("Image %(position)s is %(width)s pixels wide; %(network)s shows at least %(least)s, so it is scaled up.")
            % {**where, "width": item.width, "least": image.min_width},
            "media",
            item.position,
            level="warning",
        )
    ratio = item.width / item.height
    if (image.min_ratio and ratio < image.min_ratio - 0.005) or (image.max_ratio and ratio > image.max_ratio + 0.005):
        yield Violation(
            "image_ratio",
            _(
                "Image %(position)s (%(width)s × %(height)s) does not fit: %(network)s takes %(shapes)s here. It gets bars "
                "at its sides; crop it to avoid them."
            )
            % {**where, "width": item.width, "height": item.height, "shapes": media_rules.shapes(image)},
            "media",
            item.position,
            level="warning",
        )
