"""What stands against a post, before anything is saved or sent: one list for the composer and for the engine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.expiry import ends_before
from accounts.models import ConnectedAccount
from publishing import images
from publishing.media import unrendered
from publishing.models import MediaFile, Post, PostMedia, Publication, Status
from publishing.states import MAYBE_OUT
from socialhub.platforms import LABELS, choices, rules
from socialhub.platforms.base import Content, MediaItem, MediaKind, PostType
from socialhub.platforms.choices import Told
from socialhub.platforms.rule_types import MediaCount
from socialhub.platforms.rules import Violation

WARNING = "warning"
SAME_AGAIN = timedelta(hours=24)
SAME_HOUR = timedelta(hours=1)
ON_THEIR_WAY = (Status.SCHEDULED, Status.QUEUED, Status.PUBLISHING, Status.CHECKING)
SAME_SHAPE = 0.01  # what is nearer than that, nobody sees
LEFT_OVER = re.compile(r"\{[^\W\d_][\w .'/-]{0,60}\}")  # a placeholder of a template, as people name them
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 - compared, not bound
# Of the types that take what a post holds, the first one is meant unless a person chooses another.
DEFAULT_ORDER = (
    PostType.MULTI_IMAGE,
    PostType.CAROUSEL,
    PostType.SINGLE,
    PostType.VIDEO,
    PostType.REEL,
    PostType.DOCUMENT,
    PostType.TEXT,
    PostType.LINK,
    PostType.STORY,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A violation, and the account that it stands against (None: the post as a whole)."""

    violation: Violation
    account: ConnectedAccount | None = None
    media: MediaFile | None = None

    @property
    def code(self) -> str:
        return self.violation.code

    @property
    def message(self) -> str:
        return self.violation.message

    @property
    def field(self) -> str:
        return self.violation.field

    @property
    def media_position(self) -> int | None:
        return self.violation.media_position

    @property
    def level(self) -> str:
        return self.violation.level

    @property
    def blocks(self) -> bool:
        return self.violation.is_error


@dataclass(frozen=True, slots=True)
class Draft:
    """A post with its parts, saved or not yet."""

    post: Post
    publications: Sequence[Publication]
    media: Sequence[PostMedia]

    @classmethod
    def of(cls, post: Post) -> Draft:
        return cls(
            post,
            list(post.publications.select_related("account")),
            list(post.post_media.select_related("media")),
        )


def check(draft: Draft | Post) -> list[Finding]:
    """Everything that stands against the post on any of its accounts, errors first."""
    if isinstance(draft, Post):
        draft = Draft.of(draft)
    found: list[Finding] = []
    for publication in draft.publications:
        found += account_findings(publication.account)
        found += content_findings(publication, draft.media)
    found += address_findings(draft)
    found += placeholder_findings(draft)
    found += neighbour_findings(draft)
    return sorted(found, key=lambda finding: not finding.blocks)


def blocking(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.blocks]


def content_findings(publication: Publication, media: Sequence[PostMedia]) -> list[Finding]:
    """What the rules of the network say to this text and these images, videos and documents."""
    account = publication.account
    by_position = dict(enumerate(media, start=1))
    found = []
    for violation in rules.check(account.platform, content_of(publication, media)):
        item = by_position.get(violation.media_position or 0)
        # The bars that it warns of are not there: somebody has chosen to crop.
        if violation.code == "image_ratio" and item and item.fit == PostMedia.Fit.CROP:
            continue
        found.append(Finding(violation, account, item.media if item else None))
    return found + comment_findings(publication)


def comment_limit(publication: Publication) -> int:
    """The longest first comment, in characters; 0: there can be none."""
    if publication.post_type == PostType.STORY:
        return 0
    return rules.RULES[publication.account.platform].first_comment_limit


def missing_comment_scope(account: ConnectedAccount) -> str:
    """The permission that a first comment needs and the account lacks; "" also where its permissions are not known."""
    scope = rules.RULES[account.platform].comment_scope(account.account_type, account.login_kind)
    return scope if account.granted_scopes and scope not in account.granted_scopes else ""


def comment_findings(publication: Publication) -> list[Finding]:
    """The first comment, where one was written: too long, or nowhere to go."""
    text = publication.post.first_comment
    if not text:
        return []
    account, most = publication.account, comment_limit(publication)
    words = {"label": LABELS[account.platform], "most": most, "length": len(text), "over": len(text) - most}
    if not most and rules.RULES[account.platform].first_comment_limit:
        sentence = _("A story on %(label)s has no comments: the first comment is left out there.") % words
    elif not most:
        sentence = _("We cannot write comments there: the first comment is left out.")
    elif len(text) > most:
        sentence = (
            _(
                "%(label)s takes %(most)d characters in a comment; the first comment has %(length)d. Shorten it by %(over)d."
            )
            % words
        )
        return [Finding(Violation("first_comment_too_long", sentence, "first_comment", None), account)]
    elif scope := missing_comment_scope(account):
        sentence = _(
            "The first comment will not be written on %(label)s: %(handle)s was connected without the permission %(scope)s. "
            "Connect it again with this permission, or write the comment there yourself."
        ) % {**words, "handle": account.handle, "scope": scope}
    else:
        return []
    return [Finding(Violation("first_comment_ignored", sentence, "first_comment", None, WARNING), account)]


@dataclass(frozen=True, slots=True)
class Reshaped:
    """An image whose shape a network does not take. ratio: width to height that it gets there."""

    item: PostMedia
    ratio: float


def reshaped(publication: Publication, media: Sequence[PostMedia]) -> dict[int, Reshaped]:
    """The images that the network would not show in their own shape, by position."""
    kind = PostType(publication.post_type)
    if kind in (PostType.TEXT, PostType.LINK):
        return {}
    as_image = rules.RULES[publication.account.platform].image_of(kind)
    first = media[0].media if media else None
    shared = first.width / first.height if first and first.height and kind is PostType.CAROUSEL else None
    found = {}
    for position, item in enumerate(media, start=1):
        if item.media.kind != MediaKind.IMAGE or not item.media.height:
            continue
        own = item.media.width / item.media.height
        wanted = images.clamp(shared or own, as_image)
        if abs(wanted / own - 1) > SAME_SHAPE:
            found[position] = Reshaped(item, wanted)
    return found


def content_of(publication: Publication, media: Sequence[PostMedia]) -> Content:
    """The content with the images as they were uploaded, so that the rules can tell what the network would change."""
    return Content(
        post_type=PostType(publication.post_type),
        text=publication.text,
        link=publication.post.link,
        media=tuple(unmade(position, item) for position, item in enumerate(media, start=1)),
        choices=publication.choices,
        offers=publication.account.offers,
    )


def unmade(position: int, item: PostMedia) -> MediaItem:
    """As it was uploaded. Images are still rendered for each network: their weight and format say nothing yet."""
    made = unrendered(position, item.media, item.alt_text or item.media.alt_text)
    if made.kind is MediaKind.IMAGE:
        made = replace(made, content_type="image/jpeg", size_bytes=0)
    return made


def told_of(publication: Publication) -> tuple[Told, ...]:
    """What was chosen for the network alone, in words."""
    account = publication.account
    declared, post_type = rules.RULES[account.platform].choices, PostType(publication.post_type)
    return tuple(choices.told(declared, publication.choices, account.offers, post_type))


def account_findings(account: ConnectedAccount) -> list[Finding]:
    """Can we publish to this account at all?"""
    label = LABELS[account.platform]
    where = {"label": label, "handle": account.handle}
    if account.status == ConnectedAccount.Status.DISCONNECTED:
        text = _("%(handle)s (%(label)s) is no longer connected. Choose another account, or connect it again.") % where
        return [Finding(Violation("disconnected", text, "accounts", None), account)]
    if account.needs_reconnect:
        text = _("We have lost access to %(handle)s (%(label)s). Reconnect it, or choose another account.") % where
        return [Finding(Violation("reconnect", text, "accounts", None), account)]
    if account.is_paused:
        text = _("Publishing to %(handle)s (%(label)s) is paused: this post will wait until you resume it.") % where
        return [Finding(Violation("paused", text, "accounts", None, WARNING), account)]
    expires_at, due_at = account.token_expires_at, timezone.now()
    if expires_at and expires_at <= due_at:
        text = _("The access to %(handle)s (%(label)s) has expired. Reconnect it, or choose another account.") % where
        return [Finding(Violation("expired", text, "accounts", None), account)]
    return []


def expiry_findings(draft: Draft) -> list[Finding]:
    """Accounts whose access ends before the post is due."""
    due_at = draft.post.scheduled_at
    if due_at is None:
        return []
    return [
        Finding(
            Violation(
                "expires_before",
                _("The access to %(handle)s (%(label)s) ends before this post is due. Reconnect it before then.")
                % {"label": LABELS[publication.account.platform], "handle": publication.account.handle},
                "accounts",
                None,
                WARNING,
            ),
            publication.account,
        )
        for publication in draft.publications
        if ends_before(publication.account, due_at)
    ]


def address_findings(draft: Draft) -> list[Finding]:
    """Networks that fetch our images from the internet cannot reach this computer."""
    host = (urlsplit(settings.PUBLIC_BASE_URL).hostname or "").lower()
    if settings.SANDBOX or not draft.media or (host not in LOOPBACK_HOSTS and not host.startswith("127.")):
        return []
    message = _(
        "%(label)s fetches images from this server, but PUBLIC_BASE_URL (%(address)s) is reachable from this computer only. "
        "Set it to an address on the internet, or publishing will fail."
    )
    return [
        Finding(
            Violation(
                "loopback",
                message % {"label": LABELS[publication.account.platform], "address": settings.PUBLIC_BASE_URL},
                "",
                None,
                WARNING,
            ),
            publication.account,
        )
        for publication in draft.publications
        if rules.RULES[publication.account.platform].fetches_media
    ]


def neighbour_findings(draft: Draft) -> list[Finding]:
    """What goes out, or went out, on the same accounts: the same words within a day, anything within the hour.

    Perhaps meant, perhaps a slip. One statement for all accounts.
    """
    texts = {publication.account_id: publication.text for publication in draft.publications}
    if not texts:
        return []
    now = timezone.now()
    due = draft.post.scheduled_at or now
    day_ago = now - SAME_AGAIN
    # By what indexes know of an account: what is on its way, and what went out lately. All that ever did are too many.
    near = Q(scheduled_at__range=(due - SAME_HOUR, due + SAME_HOUR)) | Q(created_at__gte=day_ago)
    out = Q(status=Status.PUBLISHED, published_at__gte=min(day_ago, due - SAME_HOUR))
    others = (
        Publication.objects.filter(Q(near, status__in=ON_THEIR_WAY) | out, account__in=texts)
        .exclude(post=draft.post.pk)
        .select_related("post")
        .order_by("-created_at")[:400]
    )
    again, nearest = dict[UUID, Publication](), dict[UUID, tuple[timedelta, Publication]]()
    for other in others:
        key = other.account_id
        if texts[key] and other.text == texts[key] and (other.published_at or other.created_at) >= day_ago:
            again[key] = other if other.published_at else again.get(key, other)
        at = other.published_at or other.scheduled_at
        if at and (apart := abs(at - due)) <= min(SAME_HOUR, nearest[key][0] if key in nearest else SAME_HOUR):
            nearest[key] = (apart, other)
    found = []
    for publication in draft.publications:
        if publication.account_id in again:
            text = again_sentence(again[publication.account_id])
            found.append(Finding(Violation("repeat", text, "caption", None, WARNING), publication.account))
        elif publication.account_id in nearest:  # the same text at the same time is one slip, not two
            text = near_sentence(nearest[publication.account_id][1])
            found.append(Finding(Violation("same_hour", text, "clock", None, WARNING), publication.account))
    return found


def again_sentence(other: Publication) -> str:
    if other.status == Status.PUBLISHED:
        return _("The same text went out here within the last 24 hours. Publish it only if you mean it.")
    if other.status != Status.SCHEDULED or other.scheduled_at is None:
        return _("The same text is just going out here. Publish it only if you mean it.")
    when = date_format(timezone.localtime(other.scheduled_at), "DATETIME_FORMAT")
    return _("The same text is scheduled here already, for %(when)s. Publish it only if you mean it.") % {"when": when}


def near_sentence(other: Publication) -> str:
    """Without the account, so that it can be said once for many."""
    time = date_format(timezone.localtime(other.published_at or other.scheduled_at), "H:i")
    if other.status == Status.PUBLISHED:
        return _("Something else went out here at %(time)s. Perhaps leave more time between the two.") % {"time": time}
    return _("Something else goes out here at %(time)s. Perhaps leave more time between the two.") % {"time": time}


def placeholder_findings(draft: Draft) -> list[Finding]:
    """What a template had no value for stands in the text as it was written there."""
    names: dict[str, None] = {}
    for publication in draft.publications:
        names.update(dict.fromkeys(match[0] for match in LEFT_OVER.finditer(publication.text)))
    if not names:
        return []
    text = ngettext(
        "%(names)s still stands in the text. Fill it in, or take it out.",
        "%(names)s still stand in the text. Fill them in, or take them out.",
        len(names),
    ) % {"names": ", ".join(names)}
    return [Finding(Violation("placeholder", text, "caption", None, WARNING))]


def given_up_findings(draft: Draft) -> list[Finding]:
    """An earlier try of this post may be out: nobody has found out, and a changed post cannot be looked for."""
    chosen = {publication.account_id for publication in draft.publications}
    again = _(
        "It is not known whether an earlier try of this post is out here. Look at the account first: if it is, this makes a "
        "second one."
    )
    gone = _(
        "It is not known whether an earlier try of this post is out here. Once it is saved without this account, nobody "
        "finds out any more: look there first."
    )
    return [
        Finding(
            Violation("given_up", again if one.account_id in chosen else gone, "accounts", None, WARNING), one.account
        )
        for one in Publication.objects.filter(MAYBE_OUT, post=draft.post.pk).select_related("account").order_by("pk")
    ]


def fitting_types(platform_key: str, kinds: Sequence[str]) -> list[PostType]:
    """The post types that take these images, videos and documents, the usual one first. kinds: of MediaKind, one each."""
    types = rules.RULES[platform_key].post_types
    return [kind for kind in DEFAULT_ORDER if kind in types and misfit(types[kind], kinds) == (0, 0)]


def misfit(count: MediaCount, kinds: Sequence[str]) -> tuple[int, int]:
    """How many items the type cannot hold for what they are, and how many are too few or too many."""
    strange = sum(kind not in count.kinds for kind in kinds)
    return strange, max(count.min_media - len(kinds), len(kinds) - count.max_media, 0)


def usual_type(platform_key: str, kinds: Sequence[str], link: str) -> PostType:
    """What a person most likely means. Where nothing fits, the nearest type, so that the rules can say why."""
    fitting = fitting_types(platform_key, kinds)
    if not kinds and link and PostType.LINK in fitting:
        return PostType.LINK
    if fitting:
        return fitting[0]
    types = rules.RULES[platform_key].post_types
    return min(
        (kind for kind in DEFAULT_ORDER if kind in types),
        key=lambda kind: sum(misfit(types[kind], kinds)),
        default=PostType.SINGLE if kinds else PostType.TEXT,
    )
