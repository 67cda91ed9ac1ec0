"""The networks behind Buffer: X, Threads, Bluesky, Mastodon, Pinterest, TikTok, YouTube and Google Business.

Buffer accepts a post at once and publishes it a little later by itself; images and videos it fetches from our addresses,
at the latest when it publishes. It has no idempotency key: after a lost answer its list of posts is read, and nothing is
sent again that might be in it.
Source: Buffer API reference and guides, read June to October 2026.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from socialhub.platforms import choices
from socialhub.platforms.base import (
    Absent,
    Accepted,
    Access,
    AccountReading,
    Content,
    Done,
    Handles,
    NotYet,
    Platform,
    PostFigures,
    Profile,
    Published,
    RemotePost,
    Seen,
    Step,
    StepKind,
    Unknowable,
)
from socialhub.platforms.buffer import (
    FOLLOWED,
    LOOK_BACK,
    PAGE_SIZE,
    BufferApi,
    BufferPost,
    ChannelFound,
    DailyLimit,
    Later,
    Metrics,
    UnendingError,
    instant_of,
    stamp,
)
from socialhub.platforms.buffer_errors import (
    ChannelDisconnectedError,
    ChannelLimitError,
    DuplicateError,
    TokenRefusedError,
    channel_disconnected,
    channel_locked,
    post_error,
)
from socialhub.platforms.buffer_rules import (
    BOARD,
    BOARDS,
    MOST_CHARACTERS,
    RULES,
    SUBSCRIPTION,
    TIME_ZONE,
    asset_of,
    metadata_of,
    sent_text,
)
from socialhub.platforms.errors import (
    LimitedError,
    NotFoundError,
    OurBugError,
    OutcomeUnknownError,
    PermissionMissingError,
    PlatformError,
    RejectedError,
)
from socialhub.platforms.metrics.buffer import METRICS
from socialhub.platforms.text import normalise
from socialhub.time_zones import known_zones

logger = logging.getLogger(__name__)

# The name of the handle that holds the id of the post at Buffer, which is also the one the engine keeps it under.
POST = "accepted"
ORGANIZATION = "organization"
LOOKS = "looks"
RESTORED = "restored_at"  # the engine's, too: another installation may have sent it until then
REPEATED = "repeated"  # when the network refused the post because it has the same one already

LOOK_PAGES = 8
SETTLED = timedelta(minutes=6)  # after looks at 10 s, 1 min and 5 min Buffer's list counts as complete
LISTED = timedelta(hours=1)  # however late its list is: what was made so long ago stands there
GIVE_UP = timedelta(hours=24)
TWIN = timedelta(days=1)  # how long ago that same one may have been made
# Waits between two looks at a post on its way, and at last for ever, for lists that are read once a minute.
POLLS = (20.0, 60.0, 180.0, 600.0, 1800.0)
HOURLY = 3600.0
MINUTE = 60.0
STALE = timedelta(hours=36)
METRICS_PAUSE = timedelta(days=1)  # until a connection that may not read metrics is asked again
METRIC_PAGES = 6
LIST_PAGES = 2  # each page is a call out of the month's
COUNT = "count"
ACTS = ("reactions", "comments", "shares", "reposts", "saves", "clicks")
SEEN = ("views", "impressions", "reach")
EXTRA = ("follows", "watch_seconds")  # of our words those that are no field of PostFigures
QUEUED_AHEAD = timedelta(days=30)  # how long before its publication a post may have been made in Buffer

_ADDRESS = re.compile(r"https?://\S+")


class BufferNetwork(Platform):
    """One network behind Buffer; the account is a channel. Its account id is the channel's id at Buffer."""

    key: ClassVar[str]
    label: ClassVar[str]
    first_look_seconds: ClassVar[float] = 10
    look_every_seconds: ClassVar[float] = 60
    absent_after_seconds: ClassVar[float] = 900
    totals: ClassVar[tuple[str, ...]] = ()
    figures_every_seconds: ClassVar[float] = 86_400  # Buffer renews them once a day, and counts calls by the month
    full_every_seconds: ClassVar[float] = 86_400
    lists_figures: ClassVar[int] = PAGE_SIZE

    def __init__(self, api: BufferApi) -> None:
        self.api = api
        self._without_metrics: dict[str, datetime] = {}  # channel: until when its connection is not asked for metrics

    # Publishing

    def plan(self, content: Content) -> tuple[Step, ...]:
        return (
            Step("channel", StepKind.PREPARE, _("Checking the channel at Buffer"), {"client": 1}),
            Step("post", StepKind.COMMIT, _("Handing the post to Buffer"), {"publish": 1, "client": 1}),
        )

    def perform(self, step: Step, access: Access, content: Content, handles: Handles) -> Done | NotYet:
        """Whether post and channel are fit for each other now; Buffer would take the post anyway and fail later."""
        self._refuse(content)
        channel, today = self.api.channel_today(access.token, access.account_id, counted=True)
        if channel.platform != self.key:
            raise OurBugError(
                _("This Buffer channel is not one of %(network)s. An administrator must look at this.")
                % {"network": self.label},
                code=channel.service,
            )
        if channel.is_disconnected:
            raise channel_disconnected()
        if channel.is_locked:
            raise channel_locked()
        self._refuse_what_is_gone(content, channel)
        if today and today.is_at_limit:
            raise self._until_tomorrow(channel, today)
        return Done({ORGANIZATION: channel.organization_id})

    def _refuse(self, content: Content) -> None:
        """What can be said against the post without asking anybody. Nothing that was asked for may be left out."""
        count = RULES[self.key].post_types.get(content.post_type)
        if count is None or any(item.kind not in count.kinds for item in content.media):
            message = _("%(network)s does not take this kind of post. Choose another post type for this account.")
            raise RejectedError(message % {"network": self.label})

    def _until_tomorrow(self, channel: ChannelFound, today: DailyLimit) -> LimitedError:
        message = _(
            "%(network)s limits how many posts a channel publishes in a day (%(limit)s), and today's are used up. It goes on "
            "tomorrow by itself."
        )
        limit = today.sent + today.scheduled if today.limit is None else today.limit
        return LimitedError(
            message % {"network": self.label, "limit": limit}, until=_midnight(channel.timezone), code="isAtLimit"
        )

    def _refuse_what_is_gone(self, content: Content, channel: ChannelFound) -> None:
        """A board that was there when it was chosen need not be there now."""
        against = choices.check(RULES[self.key], replace(content, offers=offers_of(channel)))
        if gone := [violation.message for violation in against if violation.code == "choice_gone"]:
            raise RejectedError(" ".join(gone))

    def commit(self, access: Access, content: Content, handles: Handles) -> Accepted:
        try:
            post = self.api.create_post(access.token, self.input_of(access.account_id, content))
        except DuplicateError as error:
            # What is there may be ours, of an attempt whose answer was lost.
            raise OutcomeUnknownError(
                _("The network says that it has the same post already. We look whether that is this one."),
                handles={REPEATED: stamp(datetime.now(UTC))},
                platform_message=error.platform_message,
                code=error.code,
            ) from error
        except ChannelLimitError as error:
            raise self._limit_met(access, error) from error
        return Accepted(post.id, {POST: post.id, LOOKS: 0})

    def _limit_met(self, access: Access, error: ChannelLimitError) -> PlatformError:
        """Buffer names no limit: that of the day passes by itself, those of the plan do not."""
        try:
            channel, today = self.api.channel_today(access.token, access.account_id)
        except PlatformError:
            return error
        if today and today.is_at_limit:
            return self._until_tomorrow(channel, today)
        return error

    def input_of(self, channel_id: str, content: Content) -> dict[str, Any]:
        """Buffer's CreatePostInput: published at once, by Buffer itself."""
        fields: dict[str, Any] = {
            "channelId": channel_id,
            "schedulingType": "automatic",
            "mode": "shareNow",
            "text": sent_text(self.key, content),
            "assets": [asset_of(item, content.choices) for item in content.media],
        }
        if metadata := metadata_of(self.key, content):
            fields["metadata"] = metadata
        if tag := content.choices.get("buffer_tag_id"):
            fields["tagIds"] = [tag]
        return fields

    def look(
        self, access: Access, content: Content, handles: Handles, *, since: datetime, claimed: Collection[str]
    ) -> Published | Absent | Unknowable | NotYet:
        post_id = str(handles.get(POST) or "")
        if post_id:
            try:
                post = self._followed(access, post_id, handles, since)
            except NotFoundError:
                return Unknowable(
                    _(
                        "Buffer took the post, but has it no more: someone deleted it there. What was published before that "
                        "is still on the network."
                    )
                )
            if isinstance(post, Later):
                return NotYet(post.seconds)
            if _is_of_this_attempt(post, since):
                return self._judged(post, access, content, handles, since, claimed)
        refused_at = instant_of(handles.get(REPEATED))
        if refused_at and refused_at >= since - LOOK_BACK:
            return self._twin(access, content, handles, since, claimed) or Unknowable(
                _(
                    "The network refused it because it has the same post already, but Buffer's list shows none of the last "
                    "day that is not accounted for. Please look at the channel: it may have been published by other means."
                )
            )
        return self._reconcile(access, content, handles, since, claimed)

    def _followed(self, access: Access, post_id: str, handles: Handles, since: datetime) -> BufferPost | Later:
        """Young posts are likely to be followed together, old ones alone."""
        organization = str(handles.get(ORGANIZATION) or "")
        if organization and datetime.now(UTC) - since < FOLLOWED:
            return self.api.followed(access.token, organization, post_id, since)
        return self.api.post(access.token, post_id)

    def _judged(
        self,
        post: BufferPost,
        access: Access,
        content: Content,
        handles: Handles,
        since: datetime,
        claimed: Collection[str],
    ) -> Published | Unknowable | NotYet:
        """As `_judge`, but a post that failed as a repeat is looked for first: it may be out after all."""
        try:
            return self._judge(post, access, handles, since)
        except DuplicateError:
            if twin := self._twin(access, content, handles, since, claimed):
                return twin
            raise

    def _twin(
        self, access: Access, content: Content, handles: Handles, since: datetime, claimed: Collection[str]
    ) -> Published | NotYet | None:
        """The same post, made by an attempt before and belonging to no other publication."""
        earliest = since - TWIN
        try:
            posts = self._posts(access, handles, earliest)
        except UnendingError:
            return None
        same = [
            post
            for post in posts
            if post.id not in claimed and post.status != "error" and self._is_ours(post, access, content, earliest)
        ]
        if sent := [post for post in same if post.status == "sent"]:
            oldest = min(sent, key=lambda post: (post.created_at or since, post.id))
            return Published(oldest.id, oldest.external_link, published_at=oldest.sent_at)
        on_its_way = any(post.status in ("scheduled", "sending") for post in same)
        return NotYet(self._pause(0)) if on_its_way and datetime.now(UTC) - since < GIVE_UP else None

    def _judge(
        self, post: BufferPost, access: Access, handles: Handles, since: datetime
    ) -> Published | Unknowable | NotYet:
        """What the state of our post means. Raises what Buffer says against it."""
        match post.status:
            case "sent":
                return Published(post.id, post.external_link, published_at=post.sent_at)
            case "error":
                raise self._failure(post, access)
            case "draft" | "needs_approval":
                return Unknowable(
                    _(
                        "Buffer holds the post back as a draft or for approval. Open Buffer and approve or delete it there."
                    )
                )
        if datetime.now(UTC) - since > GIVE_UP:
            return Unknowable(
                _("Buffer has been at it for more than a day and says neither that it is published nor that it failed.")
            )
        looks = int(handles.get(LOOKS) or 0)
        return NotYet(self._pause(looks), {POST: post.id, LOOKS: looks + 1})

    def _pause(self, looks: int) -> float:
        wait = POLLS[looks] if looks < len(POLLS) else HOURLY
        return wait * self.api.config.sweep_seconds / MINUTE

    def _failure(self, post: BufferPost, access: Access) -> Exception:
        """The refusal of a post that Buffer had taken.

        A lost channel counts as one only while it is lost: reconnected, the post must be sent again, not the channel.
        """
        error = post_error(post.error_message, secrets=(access.token,))
        if not isinstance(error, ChannelDisconnectedError):
            return error
        if self.api.channel(access.token, access.account_id).is_disconnected:
            return error
        return RejectedError(
            _(
                "Buffer had lost its connection to this channel and could not publish the post. It is connected again: retry."
            ),
            platform_message=error.platform_message,
            code=error.code,
        )

    def _reconcile(
        self, access: Access, content: Content, handles: Handles, since: datetime, claimed: Collection[str]
    ) -> Published | Absent | Unknowable | NotYet:
        """Search Buffer's list for the post of a call whose answer was lost."""
        now = datetime.now(UTC)
        try:
            posts = self._posts(access, handles, since - LOOK_BACK)
        except UnendingError:
            return Unknowable(_("Buffer has so many posts of that time that we could not read all of them."))
        matches = [post for post in posts if post.id not in claimed and self._is_ours(post, access, content, since)]
        if matches:
            oldest = min(matches, key=lambda post: (post.created_at or now, post.id))
            if len(matches) > 1:
                logger.warning("%s posts at Buffer could be the one we look for; the oldest is taken", len(matches))
            if oldest.status == "error":
                return NotYet(1, {POST: oldest.id, LOOKS: 0})  # by its id the next look may say a definite no
            return self._judge(oldest, access, handles, since)
        seen = _("%(number)d posts since %(time)s UTC read at Buffer; this one is not among them.") % {
            "number": len(posts),
            "time": f"{(since - LOOK_BACK).astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        }
        if now - since < SETTLED or self.api.config.auto_resend or _is_surely_complete(posts, handles, since, claimed):
            return Absent(seen)
        return Unknowable(
            seen + " " + _("Buffer promises no time by which a new post is listed, so please look at the channel.")
        )

    def _posts(self, access: Access, handles: Handles, since: datetime) -> list[BufferPost]:
        """All posts of the channel since then. Raises UnendingError."""
        organization = str(handles.get(ORGANIZATION) or "") or self.api.organization_of(access.token, access.account_id)
        posts = self.api.posts(
            access.token,
            organization,
            channel_ids=[access.account_id],
            created_since=since,
            created_until=datetime.now(UTC) + LOOK_BACK,
            page_size=25,
            page_limit=LOOK_PAGES,
            whole=True,
        )
        return [post for post in posts if post.created_at is None or post.created_at >= since]

    def _is_ours(self, post: BufferPost, access: Access, content: Content, since: datetime) -> bool:
        if post.channel_id != access.account_id or post.via != "api":
            return False
        if [asset.type for asset in post.assets] != [item.kind.value for item in content.media]:
            return False
        if any(_is_another(asset.source, item.url) for asset, item in zip(post.assets, content.media, strict=True)):
            return False
        # A failure of the attempt before must not be taken for one of this.
        if post.status == "error" and (post.created_at is None or post.created_at < since):
            return False
        tag = content.choices.get("buffer_tag_id")
        return (not tag or tag in post.tag_ids) and _same_text(post.text, sent_text(self.key, content))

    def permalink(self, access: Access, platform_post_id: str) -> str:
        return self.api.post(access.token, platform_post_id).external_link

    # After publishing

    def seen(self, access: Access, platform_post_id: str, content: Content) -> Seen:
        """What Buffer still says of the post. Whether the network deleted it since, Buffer does not ask."""
        organization = self.api.organization_of(access.token, access.account_id)
        try:
            post = self.api.sent(access.token, organization, platform_post_id)
        except NotFoundError:
            return Seen(
                None,
                evidence=_(
                    "The post was deleted in Buffer, so Buffer tells nothing of it any more. What is on the network stays."
                ),
            )
        if post.status != "sent":
            return Seen(None, evidence=_("Buffer does not call the post sent: “%(status)s”.") % {"status": post.status})
        return Seen(True, len(post.assets), post.external_link, _("Buffer lists it as sent."))

    # Reading

    def profile(self, access: Access) -> Profile:
        """The channel as Buffer shows it. Buffer knows no followers and counts no posts."""
        channel = self.api.channel(access.token, access.account_id)
        if channel.is_disconnected:
            raise channel_disconnected()
        return profile_of(channel)

    def read_account(
        self, access: Access, *, days: Sequence[datetime] = (), skip: Collection[str] = ()
    ) -> AccountReading:
        """The channel only: Buffer's API has no figures of accounts, no followers and no audience."""
        return AccountReading(self.profile(access))

    def post_figures(
        self, access: Access, posts: Mapping[str, str], *, skip: Collection[str] = ()
    ) -> list[PostFigures]:
        """From Buffer's metrics, which it refreshes once a day.

        raw: Buffer's types, the units that are not counts, when Buffer read them, and whether that is too long ago.
        A connection that may not read metrics is no lost one: its posts say why they have no figures.
        """
        wanted = list(dict.fromkeys(posts))
        if self._has_no_metrics(access):
            return [_withheld(post_id) for post_id in wanted]
        organization = self.api.organization_of(access.token, access.account_id) if len(wanted) > 1 else ""
        try:
            return self._post_figures(access, organization, wanted)
        except (PermissionMissingError, TokenRefusedError) as error:
            self._note_no_metrics(access, error)
            return [_withheld(post_id) for post_id in wanted]

    def _post_figures(self, access: Access, organization: str, wanted: Sequence[str]) -> list[PostFigures]:
        """By pages of the channel, and what these did not hold one by one: each call counts."""
        found: dict[str, Metrics] = {}
        if organization:
            pages = min(METRIC_PAGES, len(wanted))  # one by one it would cost no more
            for _post, metrics in self.api.posts_with_metrics(
                access.token, organization, [access.account_id], page_limit=pages
            ):
                if metrics.post_id in wanted:
                    found[metrics.post_id] = metrics
                if len(found) == len(wanted):
                    break
        for post_id in wanted:
            if post_id not in found:
                try:
                    found[post_id] = self.api.post_metrics(access.token, post_id)
                except NotFoundError:
                    logger.debug("a post is gone from Buffer")
        return [figures_of(found[post_id]) for post_id in wanted if post_id in found]

    def _has_no_metrics(self, access: Access) -> bool:
        now = datetime.now(UTC)
        return self._without_metrics.get(access.account_id, now) > now

    def _note_no_metrics(self, access: Access, error: PermissionMissingError | TokenRefusedError) -> None:
        """Asking again costs a call of the month's. Raises the error when it is about more than metrics."""
        # Refused at the door, the token is dead for everything.
        if isinstance(error, TokenRefusedError) and (error.code != "UNAUTHORIZED" or error.subcode):
            raise error
        logger.info("Buffer gives this connection no metrics: %s", error.code)
        self._without_metrics[access.account_id] = datetime.now(UTC) + METRICS_PAUSE

    def recent_posts(
        self, access: Access, *, since: datetime, limit: int = 25, figures: bool = False, skip: Collection[str] = ()
    ) -> list[RemotePost]:
        """With figures it costs no call more."""
        organization = self.api.organization_of(access.token, access.account_id)
        found = None
        if figures and not self._has_no_metrics(access):
            try:
                found = self._measured(access, organization, since)
            except (PermissionMissingError, TokenRefusedError) as error:
                self._note_no_metrics(access, error)
        if found is None:
            posts = self.api.posts(
                access.token,
                organization,
                channel_ids=[access.account_id],
                statuses=["sent"],
                created_since=since - QUEUED_AHEAD,
                page_limit=LIST_PAGES,
            )
            found = [_remote_post(post, _withheld(post.id) if figures else None) for post in posts]
        recent = [post for post in found if post and post.posted_at >= since]
        return sorted(recent, key=lambda post: post.posted_at, reverse=True)[:limit]

    def _measured(self, access: Access, organization: str, since: datetime) -> list[RemotePost | None]:
        posts = self.api.posts_with_metrics(
            access.token,
            organization,
            [access.account_id],
            created_since=since - QUEUED_AHEAD,
            page_limit=LIST_PAGES,
        )
        return [_remote_post(post, figures_of(metrics)) for post, metrics in posts]


class X(BufferNetwork):
    key: ClassVar[str] = "x"
    label: ClassVar[str] = "X"


class Threads(BufferNetwork):
    key: ClassVar[str] = "threads"
    label: ClassVar[str] = "Threads"


class Bluesky(BufferNetwork):
    key: ClassVar[str] = "bluesky"
    label: ClassVar[str] = "Bluesky"


class Mastodon(BufferNetwork):
    key: ClassVar[str] = "mastodon"
    label: ClassVar[str] = "Mastodon"


class Pinterest(BufferNetwork):
    """A Pin stands on a board, which must have been chosen."""

    key: ClassVar[str] = "pinterest"
    label: ClassVar[str] = "Pinterest"

    def _refuse(self, content: Content) -> None:
        super()._refuse(content)
        if not content.choices.get(BOARD.name):
            raise RejectedError(str(BOARD.missing))


class TikTok(BufferNetwork):
    key: ClassVar[str] = "tiktok"
    label: ClassVar[str] = "TikTok"


class YouTube(BufferNetwork):
    key: ClassVar[str] = "youtube"
    label: ClassVar[str] = "YouTube"


class GoogleBusiness(BufferNetwork):
    key: ClassVar[str] = "google_business"
    label: ClassVar[str] = "Google Business"


NETWORKS: dict[str, type[BufferNetwork]] = {
    network.key: network for network in (X, Threads, Bluesky, Mastodon, Pinterest, TikTok, YouTube, GoogleBusiness)
}


def profile_of(channel: ChannelFound) -> Profile:
    return Profile(name=channel.display_name or channel.name, username=channel.handle, picture_url=channel.avatar)


def offers_of(channel: ChannelFound) -> dict[str, Any]:
    """What a post to the channel can choose from and may do, as JSON: see `Content.offers`."""
    offers: dict[str, Any] = {TIME_ZONE: channel.timezone} if channel.timezone else {}
    if channel.platform == Pinterest.key:
        offers[BOARDS] = [{"id": board.service_id, "name": board.name} for board in channel.boards]
    if channel.platform == X.key:
        offers[SUBSCRIPTION] = channel.subscription_type
    if channel.max_characters:
        offers[MOST_CHARACTERS] = channel.max_characters
    return offers


def figures_of(metrics: Metrics) -> PostFigures:
    """Buffer's types in our words. What Buffer does not list is None."""
    values = metrics.values
    if not values:
        return replace(_of_types(metrics, {}), withheld=_no_figures_yet(values is None))
    told = {name: value for name, value in values.items() if metrics.units.get(name, COUNT) == COUNT}
    # 0 can mean that the network did not report it, and nobody reacts to what nobody has seen.
    if any(told.get(name) for name in ACTS):
        told = {name: value for name, value in told.items() if value or name not in SEEN}
    return _of_types(metrics, told)


def _of_types(metrics: Metrics, told: Mapping[str, float]) -> PostFigures:
    raw: dict[str, Any] = dict(metrics.values or {})
    if shares_of_whole := {name: unit for name, unit in metrics.units.items() if unit != COUNT}:
        raw["units"] = shares_of_whole
    if metrics.updated_at:
        raw["metricsUpdatedAt"] = stamp(metrics.updated_at)
        raw["stale"] = datetime.now(UTC) - metrics.updated_at > STALE
    parts: dict[str, dict[str, int]] = {}
    for metric in METRICS:  # the old types come last, and count only where their successors are not told
        if metric.measure and metric.name in told and (metric.asked or metric.measure not in parts):
            factor = 60 if metric.unit == "minutes" else 1
            parts.setdefault(metric.measure, {})[metric.name] = round(told[metric.name] * factor)
    numbers = {measure: sum(by_name.values()) for measure, by_name in parts.items()}
    return PostFigures(
        platform_post_id=metrics.post_id,
        extra={measure: number for measure, number in numbers.items() if measure in EXTRA},
        sources={measure: "+".join(by_name) for measure, by_name in parts.items()},
        raw=raw,
        **{measure: number for measure, number in numbers.items() if measure not in EXTRA},  # type: ignore[arg-type]
    )


def _no_figures_yet(is_unread: bool) -> str:
    if is_unread:
        return _("Buffer has not read the figures of this post yet. It does so once a day.")
    return _("Buffer has no figures of this post from its network.")


def _withheld(post_id: str) -> PostFigures:
    return PostFigures(
        post_id,
        withheld=_(
            "Buffer gives figures only to connections by a personal key. This one may not read them; it publishes all the "
            "same."
        ),
    )


def _midnight(zone_name: str) -> datetime:
    """When the next day begins on the clocks of the channel."""
    zone = ZoneInfo(zone_name if zone_name in known_zones() else "UTC")
    tomorrow = datetime.now(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(0), zone).astimezone(UTC)


def _is_another(theirs: str, ours: str) -> bool:
    """Whether Buffer's address of a file is one of ours, but of another file. A copy at Buffer tells nothing.

    Signatures differ each time; the last part names the file.
    """
    there, here = urlsplit(theirs), urlsplit(ours)
    return there.netloc == here.netloc and there.path.rpartition("/")[2] != here.path.rpartition("/")[2]


def _is_surely_complete(posts: list[BufferPost], handles: Handles, since: datetime, claimed: Collection[str]) -> bool:
    """Nothing that a program made on the channel is unaccounted for, and the only one who may have made it, an
    installation that was lost before the backup was restored, has been silent for long. The text is not asked: somebody
    may have changed it there after the backup."""
    restored_at = instant_of(handles.get(RESTORED))
    if restored_at is None or since >= restored_at or datetime.now(UTC) - restored_at < LISTED:
        return False
    return all(post.via != "api" or post.id in claimed for post in posts)


def _is_of_this_attempt(post: BufferPost, since: datetime) -> bool:
    return post.created_at is None or post.created_at >= since - LOOK_BACK


def _same_text(theirs: str, ours: str) -> bool:
    """Equal but for white space, or but for addresses, which Buffer may shorten on its way."""
    if normalise(theirs) == normalise(ours):
        return True
    if len(_ADDRESS.findall(theirs)) != len(_ADDRESS.findall(ours)) or not _ADDRESS.search(ours):
        return False
    return normalise(_ADDRESS.sub("", theirs)) == normalise(_ADDRESS.sub("", ours))


def _remote_post(post: BufferPost, figures: PostFigures | None) -> RemotePost | None:
    posted_at = post.sent_at or post.created_at
    if not posted_at:
        return None
    first = post.assets[0] if post.assets else None
    return RemotePost(
        post.id,
        post.text,
        posted_at,
        post.external_link,
        first.type if first else "text",
        first.thumbnail if first else "",
        media_urls=tuple(asset.source for asset in post.assets if asset.source),
        figures=figures,
    )
