"""What the networks behind Buffer take, as dated data, and the checks that only they need.

Text limits: Buffer API guide "Character limits"; where the network itself takes less, that counts. Images: the networks'
own published limits and Buffer's support page "Ideal image sizes and formats", because Buffer's API guide has none. Videos:
the same, with Buffer's support page "Uploading and sharing links to videos": one video in a post, up to 1 GB, no HEVC,
none on Google Business profiles. Read June to November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from socialhub.platforms.base import Content, MediaItem, MediaKind, PostType
from socialhub.platforms.buffer_limits import WINDOWS as BUFFER_WINDOWS
from socialhub.platforms.choices import NO, YES, date_of, time_of, value_of
from socialhub.platforms.counting import grapheme_length, printable, utf16_length, x_length
from socialhub.platforms.rule_types import (
    MEGABYTE,
    VIDEO_ONLY,
    Choice,
    ChoiceKind,
    ImageRules,
    MediaCount,
    Rules,
    ShownAs,
    VideoRules,
    Violation,
    Window,
)
from socialhub.time_zones import known_zones

SOURCE = "Buffer API guide, character limits, and the networks' own media limits, read June to November 2026"

BUFFER_MOST = 9 * MEGABYTE  # Buffer takes images under 10 MB, whatever the network takes
BUFFER_MOST_VIDEO = 950 * MEGABYTE  # Buffer takes videos up to 1 GB
NO_MEDIA = MediaCount(0, 0)
ONE = MediaCount(1, 1)
ONE_VIDEO = MediaCount(1, 1, VIDEO_ONLY)
TIKTOK_VIDEO_LIMIT = 2_200  # characters beside a video; beside photos it is more
SHORT_SECONDS = 180  # a YouTube Short, which is also no wider than high

X_PAID = ("basic", "premium", "premiumplus")
X_PAID_LIMIT = 25_000
BOARDS, SUBSCRIPTION, MOST_CHARACTERS, TIME_ZONE = "boards", "x_subscription", "max_characters", "time_zone"

BOARD = Choice(
    "board_service_id",
    gettext_lazy("Board"),
    ChoiceKind.CHOICE,
    required=True,
    offer=BOARDS,
    offer_label=gettext_lazy("boards"),
    missing=gettext_lazy("Pinterest puts every Pin on a board. Choose one."),
    gone=gettext_lazy("This board is not there any more. Choose another."),
    shown_as=ShownAs.LINE,
)
PIN_TITLE = Choice(
    "title",
    gettext_lazy("Title"),
    max_length=100,
    help=gettext_lazy("Stands above the description. The link of the post becomes the link of the Pin."),
    shown_as=ShownAs.TITLE,
)
# 90: TikTok Content Posting API reference, photo posts, read November 2026.
TIKTOK_TITLE = Choice(
    "title",
    gettext_lazy("Title"),
    max_length=90,
    post_types=(PostType.SINGLE, PostType.MULTI_IMAGE),
    help=gettext_lazy("Stands above the caption of a photo post."),
    shown_as=ShownAs.TITLE,
)
COVER = Choice(
    "cover_second",
    gettext_lazy("Cover of the video"),
    max_length=8,
    post_types=(PostType.VIDEO,),
    help=gettext_lazy("The second whose picture stands for the video, such as 2.5. Left empty, the network chooses."),
)
TOPIC = Choice(
    "topic",
    gettext_lazy("Topic"),
    max_length=50,
    without=".&",  # Threads API reference, topic tags
    help=gettext_lazy("People who follow this topic may be shown the post."),
    shown_as=ShownAs.LINE,
)
SPOILER = Choice(
    "spoiler_text",
    gettext_lazy("Content warning"),
    help=gettext_lazy("Shown first; the text appears when somebody asks for it. It counts towards the length."),
    shown_as=ShownAs.LINE,
)
YOUTUBE_CHOICES = (
    Choice(
        "title",
        gettext_lazy("Title"),
        required=True,
        max_length=100,
        missing=gettext_lazy("A video on YouTube has a title. Write one."),
        shown_as=ShownAs.TITLE,
    ),
    Choice(
        "category_id",
        gettext_lazy("Category"),
        ChoiceKind.CHOICE,
        required=True,
        options=(
            ("1", gettext_lazy("Film & Animation")),
            ("2", gettext_lazy("Autos & Vehicles")),
            ("10", gettext_lazy("Music")),
            ("15", gettext_lazy("Pets & Animals")),
            ("17", gettext_lazy("Sports")),
            ("19", gettext_lazy("Travel & Events")),
            ("20", gettext_lazy("Gaming")),
            ("22", gettext_lazy("People & Blogs")),
            ("23", gettext_lazy("Comedy")),
            ("24", gettext_lazy("Entertainment")),
            ("25", gettext_lazy("News & Politics")),
            ("26", gettext_lazy("How-to & Style")),
            ("27", gettext_lazy("Education")),
            ("28", gettext_lazy("Science & Technology")),
            ("29", gettext_lazy("Nonprofits & Activism")),
        ),
    ),
    Choice(
        "privacy",
        gettext_lazy("Who can see it"),
        ChoiceKind.CHOICE,
        options=(
            ("public", gettext_lazy("Everybody")),
            ("unlisted", gettext_lazy("Whoever has the link")),
            ("private", gettext_lazy("Only you")),
        ),
        default="public",
        shown_as=ShownAs.LINE,
    ),
    Choice("made_for_kids", gettext_lazy("Made for kids"), ChoiceKind.FLAG, default=NO),
)
WHATS_NEW, OFFER, EVENT = "whats_new", "offer", "event"
DATED = {"type": (OFFER, EVENT)}
CLOCKED = {"type": (EVENT,), "full_day": (NO,)}
GOOGLE_CHOICES = (
    Choice(
        "type",
        gettext_lazy("Kind of post"),
        ChoiceKind.CHOICE,
        options=(
            (WHATS_NEW, gettext_lazy("What's new")),
            (OFFER, gettext_lazy("Offer")),
            (EVENT, gettext_lazy("Event")),
        ),
        default=WHATS_NEW,
    ),
    Choice(
        "title",
        gettext_lazy("Title"),
        required=True,
        missing=gettext_lazy("Offers and events on Google have a title. Write one."),
        shown_when=DATED,
        shown_as=ShownAs.TITLE,
    ),
    Choice(
        "start_date",
        gettext_lazy("First day"),
        ChoiceKind.DATE,
        required=True,
        missing=gettext_lazy("Choose the first day."),
        shown_when=DATED,
        shown_as=ShownAs.LINE,
    ),
    Choice(
        "end_date",
        gettext_lazy("Last day"),
        ChoiceKind.DATE,
        required=True,
        missing=gettext_lazy("Choose the last day."),
        not_before="start_date",
        shown_when=DATED,
        shown_as=ShownAs.LINE,
    ),
    Choice("full_day", gettext_lazy("All day"), ChoiceKind.FLAG, default=YES, shown_when={"type": (EVENT,)}),
    Choice(
        "start_time",
        gettext_lazy("Begins at"),
        ChoiceKind.TIME,
        required=True,
        missing=gettext_lazy("Choose the time when it begins."),
        shown_when=CLOCKED,
        shown_as=ShownAs.LINE,
    ),
    Choice(
        "end_time",
        gettext_lazy("Ends at"),
        ChoiceKind.TIME,
        required=True,
        missing=gettext_lazy("Choose the time when it ends."),
        shown_when=CLOCKED,
        shown_as=ShownAs.LINE,
    ),
    Choice("code", gettext_lazy("Coupon code"), shown_when={"type": (OFFER,)}, shown_as=ShownAs.LINE),
    Choice("terms", gettext_lazy("Terms"), ChoiceKind.LINES, shown_when={"type": (OFFER,)}),
    Choice(
        "button",
        pgettext_lazy("below a post on Google", "Button"),
        ChoiceKind.CHOICE,
        options=(
            ("none", gettext_lazy("No button")),
            ("book", gettext_lazy("Book")),
            ("call", gettext_lazy("Call now")),
            ("learn_more", gettext_lazy("Learn more")),
            ("order", gettext_lazy("Order online")),
            ("shop", gettext_lazy("Shop")),
            ("signup", gettext_lazy("Sign up")),
        ),
        help=gettext_lazy(
            "Left open, a post with a link gets “Learn more”. “Call now” calls the number of the profile."
        ),
        shown_when={"type": (WHATS_NEW, EVENT)},
        shown_as=ShownAs.BUTTON,
    ),
    Choice(
        "link",
        gettext_lazy("Link of the button"),
        ChoiceKind.LINK,
        help=gettext_lazy("Left empty, it is the link of the post."),
    ),
)


def _written(most: int) -> dict[PostType, MediaCount]:
    """Networks that take words alone, words with a link, images and a video."""
    kinds = {PostType.TEXT: NO_MEDIA, PostType.LINK: NO_MEDIA, PostType.SINGLE: ONE, PostType.VIDEO: ONE_VIDEO}
    return {**kinds, PostType.MULTI_IMAGE: MediaCount(2, most)}


def _video(max_bytes: int, min_seconds: float, max_seconds: float, **more: Any) -> dict[PostType, VideoRules]:
    """Buffer takes no HEVC, whatever the network takes."""
    return {PostType.VIDEO: VideoRules(max_bytes, min_seconds, max_seconds, codecs=("h264",), **more)}


RULES: dict[str, Rules] = {
    "x": Rules(
        label="X",
        caption_limit=280,  # of a free account; see caption_limit()
        post_types=_written(4),
        image=ImageRules(max_bytes=5 * MEGABYTE, max_width=4096, max_height=4096, min_width=4),
        # X API, media best practices. Longer videos of paying accounts are not known to work through Buffer.
        videos=_video(
            512 * MEGABYTE,
            0.5,
            140,
            min_width=32,
            min_height=32,
            max_width=1920,
            min_ratio=1 / 3,
            max_ratio=3,
            max_fps=60,
        ),
        alt_text_limit=1000,
        fetches_media=True,
        source=SOURCE,
    ),
    "threads": Rules(
        label="Threads",
        caption_limit=500,
        post_types=_written(10),  # Threads itself takes 20, Buffer names no number
        image=ImageRules(max_bytes=8 * MEGABYTE, max_width=1440, min_width=320, min_ratio=0.1, max_ratio=10),
        # Threads API, video specifications; they say "longer than 0 seconds".
        videos=_video(
            BUFFER_MOST_VIDEO,
            0.1,
            300,
            max_width=1920,
            min_ratio=0.01,
            max_ratio=10,
            min_fps=23,
            max_fps=60,
            max_bit_rate=25_000_000,
        ),
        alt_text_limit=1000,
        fetches_media=True,
        choices=(TOPIC,),
        source=SOURCE,
    ),
    "bluesky": Rules(
        label="Bluesky",
        caption_limit=300,
        post_types=_written(4),
        # 1,000,000 bytes are the network's limit; some room is left.
        image=ImageRules(max_bytes=950_000, max_width=2000, max_height=2000, min_width=1),
        # 100 MB and three minutes since March 2025; newer, larger numbers are not confirmed. Shortest length and shapes
        # are from other tools, not from Bluesky.
        videos=_video(100_000_000, 1, 180, min_ratio=1 / 3, max_ratio=3),
        alt_text_limit=2000,
        fetches_media=True,
        source=SOURCE,
    ),
    "mastodon": Rules(
        label="Mastodon",
        caption_limit=500,  # the default; a server may allow more
        post_types=_written(4),
        image=ImageRules(max_bytes=8 * MEGABYTE, max_width=3840, max_height=2160, min_width=1),
        # Defaults of a server: 99 MB, 3840 x 2160. It names no length (the hour is ours) and 60 or 120 frames by version.
        videos=_video(99 * MEGABYTE, 0.1, 3_600, max_width=3840, max_fps=60),
        alt_text_limit=1500,
        fetches_media=True,
        choices=(SPOILER,),
        source=SOURCE,
    ),
    "pinterest": Rules(
        label="Pinterest",
        caption_limit=500,
        post_types={PostType.SINGLE: ONE, PostType.VIDEO: ONE_VIDEO},
        image=ImageRules(max_bytes=BUFFER_MOST, max_width=2000, max_height=3000, min_width=200),
        # Pinterest help, product specifications: 4 seconds to 15 minutes, shorter than 1:2, taller than 1.91:1.
        videos=_video(BUFFER_MOST_VIDEO, 4, 900, min_ratio=0.5, max_ratio=1.91),
        alt_text_limit=500,
        fetches_media=True,
        choices=(BOARD, PIN_TITLE, COVER),
        source=SOURCE,
    ),
    "tiktok": Rules(
        label="TikTok",
        caption_limit=4_000,  # of photo posts; see caption_limit()
        post_types={PostType.SINGLE: ONE, PostType.MULTI_IMAGE: MediaCount(2, 35), PostType.VIDEO: ONE_VIDEO},
        image=ImageRules(max_bytes=BUFFER_MOST, max_width=1080, max_height=1920, min_width=1),
        # TikTok Content Posting API, media transfer guide: 23 to 60 frames, 360 to 4096 pixels, up to 10 minutes.
        videos=_video(BUFFER_MOST_VIDEO, 3, 600, min_width=360, min_height=360, max_width=4096, min_fps=23, max_fps=60),
        shows_links=False,
        fetches_media=True,
        choices=(TIKTOK_TITLE, COVER),
        source=SOURCE,
    ),
    "youtube": Rules(
        label="YouTube",
        caption_limit=5_000,
        post_types={PostType.VIDEO: ONE_VIDEO},
        image=ImageRules(max_bytes=2 * MEGABYTE, max_width=1280, min_width=640),
        # YouTube takes a quarter of an hour from accounts that are not verified, which Buffer does not tell us.
        videos=_video(BUFFER_MOST_VIDEO, 1, 900),
        fetches_media=True,
        choices=YOUTUBE_CHOICES,
        source=SOURCE,
    ),
    "google_business": Rules(
        label="Google Business",
        caption_limit=1_500,  # Buffer takes 4,000, Google itself commonly 1,500
        post_types={PostType.TEXT: NO_MEDIA, PostType.LINK: NO_MEDIA, PostType.SINGLE: ONE},
        image=ImageRules(max_bytes=5 * MEGABYTE, max_width=2120, min_width=400),
        fetches_media=True,
        choices=GOOGLE_CHOICES,
        source=SOURCE,
    ),
}

IMAGE: dict[str, ImageRules] = {key: rules.image for key, rules in RULES.items()}
WINDOWS: dict[str, tuple[Window, ...]] = dict.fromkeys(RULES, BUFFER_WINDOWS)

LENGTHS: dict[str, Callable[[str], int]] = {
    **dict.fromkeys(RULES, utf16_length),
    "x": x_length,
    "bluesky": grapheme_length,
}
# These put a link beside the text; the others can only have it inside.
LINK_ATTACHED = ("threads", "bluesky", "google_business", "pinterest")
# Of these, a link and images exclude each other: Buffer would drop one.
LINK_OR_MEDIA = ("threads", "bluesky")


def text_length(key: str, text: str) -> int:
    """How many characters the network counts."""
    return LENGTHS[key](printable(text))


def caption_limit(key: str, offers: Mapping[str, Any] | None = None, post_type: PostType | None = None) -> int:
    """The longest text that this account may write, in a post of this type."""
    told = offers or {}
    if key == "tiktok" and post_type is PostType.VIDEO:
        return TIKTOK_VIDEO_LIMIT
    if key == "x":
        plain = re.sub(r"[^a-z]", "", str(told.get(SUBSCRIPTION) or "").lower().replace("+", "plus"))
        return X_PAID_LIMIT if plain in X_PAID else RULES[key].caption_limit
    most = told.get(MOST_CHARACTERS)
    if key == "mastodon" and isinstance(most, int) and most > 0:
        return most
    return RULES[key].caption_limit


def sent_text(key: str, content: Content) -> str:
    """The text as it goes to Buffer: with the link where the network has no other place for it."""
    text, link = printable(content.text), content.link
    beside = key in LINK_ATTACHED and not (key in LINK_OR_MEDIA and content.media)
    if not link or beside or not RULES[key].shows_links or link in text:
        return text
    return f"{text}\n\n{link}".strip()


def length_of(key: str, content: Content) -> int:
    """How much of the limit the post takes, with what goes into the text besides the caption."""
    length = text_length(key, sent_text(key, content))
    if key == "mastodon":  # its servers count text and warning together
        length += text_length(key, content.choices.get(SPOILER.name) or "")
    return length


def check(key: str, content: Content) -> list[Violation]:
    """What `rules.check` does not know: lengths in the network's unit, with the link, and what hangs together.

    Replaces its caption check; the rest of `rules.check` holds for these networks too.
    """
    found = [*_text(key, content), *_unsaid(key, content), *_cover(content)]
    if key == "youtube":
        found += _short(content)
    if key == "google_business":
        found += _google(content)
    return found


def _unsaid(key: str, content: Content) -> Iterator[Violation]:
    """What was filled in and has no place in this post."""
    for item in content.media:
        if item.kind is MediaKind.VIDEO and item.alt_text:
            text = _("%(network)s takes no alternative text for videos through Buffer: it is left out there.")
            yield Violation(
                "alt_text_ignored", text % {"network": RULES[key].label}, "alt_text", item.position, level="warning"
            )


def _cover(content: Content) -> Iterator[Violation]:
    if content.post_type is not PostType.VIDEO or not content.choices.get(COVER.name):
        return
    moment = _seconds(content.choices[COVER.name])
    length = next((item.video.seconds for item in content.media if item.video), None)
    if moment is None:
        yield Violation("choice_invalid", _("This is not a number of seconds, such as 2.5."), COVER.name)
    elif length is not None and moment > length:
        text = _("The video ends before that: it lasts %(length)s seconds. Choose an earlier moment.")
        yield Violation("choice_invalid", text % {"length": f"{length:.3g}"}, COVER.name)


def _seconds(value: str) -> float | None:
    return float(value) if re.fullmatch(r"\d{1,5}(\.\d{1,3})?", value) else None


def _short(content: Content) -> Iterator[Violation]:
    """Buffer's pages promise Shorts only; what else it takes for YouTube, its API does not say."""
    for item in content.media:
        if item.video and (item.video.seconds > SHORT_SECONDS or item.width > item.height):
            text = _(
                "Buffer promises YouTube Shorts: upright or square videos of at most 3 minutes. Video %(position)s is none, so "
                "Buffer may refuse it."
            )
            yield Violation(
                "video_no_short", text % {"position": item.position}, "media", item.position, level="warning"
            )


def _text(key: str, content: Content) -> Iterator[Violation]:
    length, limit = length_of(key, content), caption_limit(key, content.offers, content.post_type)
    if length > limit:
        yield Violation(
            "caption_too_long",
            _(
                "%(network)s takes %(limit)s characters; this text, with its link, has %(length)s. Shorten it by %(over)s."
            )
            % {
                "network": RULES[key].label,
                "limit": f"{limit:,}",
                "length": f"{length:,}",
                "over": f"{length - limit:,}",
            },
            "caption",
        )
    if not sent_text(key, content).strip() and not content.media:
        yield Violation("caption_missing", _("A post without images or video needs a text. Write one."), "caption")


def _google(content: Content) -> Iterator[Violation]:
    button = _button(content)
    if button not in ("none", "call") and not _button_link(content):
        yield Violation("choice_missing", _("This button needs a link. Add one, or choose “No button”."), "link")
    span = _span(content)
    if span and not _is_full_day(content) and span[0].date() == span[1].date() and span[1] <= span[0]:
        yield Violation("choice_order", _("It would end before it begins. Choose a later time."), "end_time")


def metadata_of(key: str, content: Content) -> dict[str, Any]:
    """Buffer's `metadata` for this network; empty when there is nothing to say."""
    maker = METADATA.get(key)
    return maker(content, content.choices) if maker else {}


def asset_of(item: MediaItem, choices: Mapping[str, str]) -> dict[str, Any]:
    """Buffer's AssetInput: an image with its alternative text, or a video with the moment that stands for it."""
    about: dict[str, Any] = {}
    if item.kind is MediaKind.VIDEO:
        moment = _seconds(choices.get(COVER.name) or "")
        about = {} if moment is None else {"thumbnailOffset": round(moment * 1000)}
    elif item.alt_text:  # which Buffer demands as soon as there is any metadata
        about = {"altText": item.alt_text}
    return {item.kind.value: {"url": item.url, "metadata": about} if about else {"url": item.url}}


def _threads(content: Content, choices: Mapping[str, str]) -> dict[str, Any]:
    return _wrapped("threads", {"topic": choices.get("topic"), "linkAttachment": _attachment(content)})


def _bluesky(content: Content, choices: Mapping[str, str]) -> dict[str, Any]:
    return _wrapped("bluesky", {"linkAttachment": _attachment(content)})


def _mastodon(content: Content, choices: Mapping[str, str]) -> dict[str, Any]:
    return _wrapped("mastodon", {"spoilerText": choices.get("spoiler_text")})


def _pinterest(content: Content, choices: Mapping[str, str]) -> dict[str, Any]:
    return _wrapped(
        "pinterest",
        {"boardServiceId": choices.get("board_service_id"), "title": choices.get("title"), "url": content.link},
    )


def _tiktok(content: Content, choices: Mapping[str, str]) -> dict[str, Any]:
    if content.post_type is PostType.VIDEO:
        return {}
    return _wrapped("tiktok", {"title": choices.get("title")})


def _youtube(content: Content, choices: Mapping[str, str]) -> dict[str, Any]:
    fields = {
        "title": choices.get("title"),
        "categoryId": choices.get("category_id"),
        "privacy": value_of(YOUTUBE_CHOICES, "privacy", choices),
    }
    return {"youtube": {**_filled(fields), "madeForKids": choices.get("made_for_kids") == YES}}


def _google_business(content: Content, choices: Mapping[str, str]) -> dict[str, Any]:
    kind, title = value_of(GOOGLE_CHOICES, "type", choices), choices.get("title")
    button, link = _button(content), _button_link(content)
    if kind == WHATS_NEW:
        return _wrapped("google", {"type": kind, "detailsWhatsNew": _filled({"button": button, "link": link})})
    span = _span(content)
    dated = {
        "title": title,
        **dict(zip(("startDate", "endDate"), (day.isoformat() for day in span or ()), strict=False)),
    }
    if kind == OFFER:
        offer = {**dated, "code": choices.get("code"), "link": link, "terms": choices.get("terms")}
        return _wrapped("google", {"type": kind, "title": title, "detailsOffer": _filled(offer)})
    event = {**_filled({**dated, "button": button, "link": link}), "isFullDayEvent": _is_full_day(content)}
    return _wrapped("google", {"type": kind, "title": title, "detailsEvent": event})


def _button(content: Content) -> str:
    if value_of(GOOGLE_CHOICES, "type", content.choices) == OFFER:
        return "none"
    has_link = content.choices.get("link") or content.link
    return content.choices.get("button") or ("learn_more" if has_link else "none")


def _button_link(content: Content) -> str:
    """Where the button leads; a call goes to the number of the profile."""
    return "" if _button(content) == "call" else content.choices.get("link") or content.link


def _is_full_day(content: Content) -> bool:
    is_event = value_of(GOOGLE_CHOICES, "type", content.choices) == EVENT
    return not is_event or value_of(GOOGLE_CHOICES, "full_day", content.choices) == YES


def _span(content: Content) -> tuple[datetime, datetime] | None:
    """The first and the last moment of an offer or event, on the clocks of the channel. None: not both are known."""
    chosen = content.choices
    first, last = date_of(chosen.get("start_date") or ""), date_of(chosen.get("end_date") or "")
    begins, ends = time(0), time(23, 59)
    if not _is_full_day(content):
        begins, ends = (
            time_of(chosen.get(name) or "") or usual for name, usual in (("start_time", begins), ("end_time", ends))
        )
    if first is None or last is None:
        return None
    name = str(content.offers.get(TIME_ZONE) or "")
    zone = ZoneInfo(name if name in known_zones() else "UTC")
    return datetime.combine(first, begins, zone), datetime.combine(last, ends, zone)


METADATA: dict[str, Callable[[Content, Mapping[str, str]], dict[str, Any]]] = {
    "threads": _threads,
    "bluesky": _bluesky,
    "mastodon": _mastodon,
    "pinterest": _pinterest,
    "tiktok": _tiktok,
    "youtube": _youtube,
    "google_business": _google_business,
}


def _attachment(content: Content) -> dict[str, str] | None:
    return {"url": content.link} if content.link and not content.media else None


def _filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _wrapped(service: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    filled = _filled(fields)
    return {service: filled} if filled else {}
