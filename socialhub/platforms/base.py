"""The contract between the engine and a network: values in, dataclasses out.

A publication goes out as a resumable procedure. The platform lays down its `plan`: steps that are safe to repeat
(`PREPARE`), steps that only look whether the network is ready (`WAIT`), and exactly one irreversible step (`COMMIT`),
always last. The engine runs the steps one by one and saves the handles that each returns, so that a retry goes on from
there. A platform object holds no state of a publication and may be used from many threads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from io import BytesIO
from typing import Any, BinaryIO, ClassVar

from socialhub.platforms.errors import PlatformError

Handles = Mapping[str, Any]  # JSON-able values by name, for example {"photo:1": "1234", "container": "5678"}


class PostType(StrEnum):
    TEXT = "text"
    LINK = "link"
    SINGLE = "single"
    MULTI_IMAGE = "multi_image"
    CAROUSEL = "carousel"
    VIDEO = "video"
    REEL = "reel"
    STORY = "story"
    DOCUMENT = "document"


class MediaKind(StrEnum):
    IMAGE = "image"
    VIDEO = "video"
    DOCUMENT = "document"


class StepKind(StrEnum):
    PREPARE = "prepare"
    WAIT = "wait"
    COMMIT = "commit"


@dataclass(frozen=True, slots=True)
class Access:
    """Who acts: the account's id at the network and the token to use for it."""

    account_id: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a network gives for a consent or a refresh. None: it named no end, or gave no refresh token."""

    access_token: str = field(repr=False)
    expires_at: datetime | None = None
    refresh_token: str | None = field(default=None, repr=False)
    refresh_expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What a look into a video file has told. Codecs by their common short names: h264, hevc, aac."""

    seconds: float
    fps: float
    codec: str
    audio_codec: str = ""  # "": it has no sound
    audio_rate: int = 0  # samples per second
    audio_channels: int = 0
    bit_rate: int = 0  # bits per second, of the whole file


@dataclass(frozen=True, slots=True)
class MediaItem:
    """One image, rendered for the network, or one video or document as it was uploaded.

    `url` is public and signed; `read` gives the same bytes at once, `open` one after another, for files that are too
    large for that. width, height: 0 for a document.
    """

    position: int  # from 1, in the order of the post
    url: str = field(repr=False)
    content_type: str
    width: int
    height: int
    size_bytes: int
    alt_text: str = ""
    kind: MediaKind = MediaKind.IMAGE
    video: VideoFacts | None = None
    title: str = ""  # of a document: its name
    pages: int = 0  # of a document; 0: not known
    read: Callable[[], bytes] = field(repr=False, compare=False, default=bytes)
    open: Callable[[], BinaryIO] = field(repr=False, compare=False, default=BytesIO)


@dataclass(frozen=True, slots=True)
class Content:
    """What shall be published, complete: text with hashtags, link, media, and choices that only some networks have.

    choices: by the names of the network's rules, such as board_service_id (Pinterest) or title. offers: what the account
    has to choose from and is allowed, as it was last read: {"boards": [{"id", "name"}], "x_subscription": "…"}.
    """

    post_type: PostType
    text: str = ""
    link: str = ""
    media: tuple[MediaItem, ...] = ()
    choices: Mapping[str, str] = field(default_factory=dict)
    offers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the plan.

    key: stable within the plan ("photo:3"); label: for the progress page; calls: what it uses of the rate-limit windows,
    by group ({"publish": 1}).
    """

    key: str
    kind: StepKind
    label: str
    calls: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """A prepared step: its handles, to be saved before anything else happens."""

    handles: Handles = field(default_factory=dict)
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class NotYet:
    """The network needs more time; look again in `seconds`. Handles (a poll counter) are saved as after `Done`."""

    seconds: float
    handles: Handles = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Published:
    """It is there."""

    platform_post_id: str
    permalink: str = ""
    request_id: str = ""
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The network took it and publishes it later by itself: `look` is asked until it knows."""

    platform_post_id: str
    handles: Handles = field(default_factory=dict)
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Absent:
    """It was not found by a look that would have found it. Whether that is final, the engine decides by time.

    forget: saved handles (prefixes) that cannot be used again, should it be final.
    """

    evidence: str = ""
    forget: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unknowable:
    """Reading cannot tell; a person must. `evidence`: what was seen, in plain words."""

    evidence: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at a published post showed. exists None: it cannot be read. media None: not told how many."""

    exists: bool | None
    media: int | None = None
    permalink: str = ""
    evidence: str = ""  # plain words


@dataclass(frozen=True, slots=True)
class Profile:
    """An account as the network shows it now. None: the network did not say."""

    name: str = ""
    username: str = ""
    picture_url: str = ""
    followers_count: int | None = None
    following_count: int | None = None
    posts_count: int | None = None
    likes_count: int | None = None


@dataclass(frozen=True, slots=True)
class PostFigures:
    """Metrics of one post since it was made, normalised. None: not available, never 0 in its place.

    extra: further figures by our words (`measures.py`). sources: which of the network's names gave which figure; where
    that changes, the figures before and after are not of one series. raw: as it came.
    """

    platform_post_id: str
    likes: int | None = None
    comments: int | None = None
    shares: int | None = None
    saves: int | None = None
    views: int | None = None
    impressions: int | None = None
    reach: int | None = None
    clicks: int | None = None
    extra: Mapping[str, int | float] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)
    refused: tuple[str, ...] = ()  # names that the network no longer takes
    withheld: str = ""  # why there are no figures, in plain words, where the network says it
    trouble: PlatformError | None = None  # what kept this post from being read, while others were


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What happened on an account on one of the network's days, by our words; a withheld metric is absent.

    start: when that day begins, in the network's own zone (`Platform.day_zone`). is_whole: False while it is going on.
    """

    start: datetime
    metrics: Mapping[str, int | float] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class AccountReading:
    """What an account tells in one reading.

    totals: levels and counts of the account's whole life as of now ("followers"). days: those that were asked for and
    that the network tells. refused: names it no longer takes. troubles: what kept single parts from being read.
    """

    profile: Profile
    totals: Mapping[str, int | float] = field(default_factory=dict)
    days: tuple[DayFigures, ...] = ()
    refused: tuple[str, ...] = ()
    troubles: tuple[PlatformError, ...] = ()


@dataclass(frozen=True, slots=True)
class Audience:
    """Who the followers of an account are, or those who act: counts by key, for one dimension ("age", "country")."""

    kind: str  # "followers" or "engaged"
    dimension: str
    parts: Mapping[str, int]
    raw: Any = None


@dataclass(frozen=True, slots=True)
class AudienceReading:
    """withheld: why there is nothing, in plain words ("" where there is)."""

    parts: tuple[Audience, ...] = ()
    refused: tuple[str, ...] = ()
    withheld: str = ""


@dataclass(frozen=True, slots=True)
class RemotePost:
    """A post found on the account, ours or not. figures: where the listing tells them along with it."""

    platform_post_id: str
    text: str
    posted_at: datetime
    permalink: str = ""
    media_type: str = ""
    thumbnail_url: str = ""
    product: str = ""  # what the network's figures depend on: "FEED", "REELS", "STORY"
    media_urls: tuple[str, ...] = ()
    figures: PostFigures | None = None


@dataclass(frozen=True, slots=True)
class Quota:
    """What the network allows one account in a rolling window, and what of that is used, by whatever tool."""

    used: int
    limit: int


class Platform(ABC):
    """One network. Subclasses are built once with their configuration and a transport.

    All network methods raise the classes of `errors.py` and nothing else.
    """

    key: ClassVar[str]
    label: ClassVar[str]
    # After a lost answer: when to look first, how often, and from when on "not found" means "not published".
    first_look_seconds: ClassVar[float] = 30
    look_every_seconds: ClassVar[float] = 60
    absent_after_seconds: ClassVar[float] = 900
    # The fields of Profile with totals that this network tells of an account; others it never gives.
    totals: ClassVar[tuple[str, ...]] = ("followers_count",)
    # The group of calls whose limit the network tells for each account (`quota`), "" if it tells none.
    quota_group: ClassVar[str] = ""
    # Handles (prefixes) of what lies there unseen until the post is out, and `discard` takes away.
    unseen: ClassVar[tuple[str, ...]] = ()
    # The days of the network's figures begin at midnight in this zone,
    day_zone: ClassVar[str] = "UTC"
    # the one going on is told before it is over,
    tells_today: ClassVar[bool] = False
    # a day's figures change for so many days after it,
    settles_after_days: ClassVar[int] = 3
    # and so many days back can be read when an account is new. 0: there are no figures of days.
    history_days: ClassVar[int] = 0
    # So many of them are read in one go: in a few calls, so that nobody takes a slow worker for a dead one.
    days_at_once: ClassVar[int] = 90
    # `recent_posts` tells the figures of so many posts in one call; 0: it tells none.
    lists_figures: ClassVar[int] = 0
    # `audience` can be asked.
    has_audience: ClassVar[bool] = False
    # Answers as they came may be kept no longer than this by the network's terms; None: no limit.
    raw_kept_days: ClassVar[int | None] = None
    # And so may figures, by the type of the account. None: as long as whoever runs this wants.
    figures_kept_days: ClassVar[Mapping[str, int]] = {}
    # Figures are not read more often than this: the network renews them no sooner, or each call is dear.
    figures_every_seconds: ClassVar[float] = 0
    # Days, audience and the list of posts, not only what changes by the hour, are read not more often than this.
    full_every_seconds: ClassVar[float] = 10_800

    # Publishing

    @abstractmethod
    def plan(self, content: Content) -> tuple[Step, ...]:
        """The steps for this content, the last one (and no other) of kind COMMIT."""

    @abstractmethod
    def perform(self, step: Step, access: Access, content: Content, handles: Handles) -> Done | NotYet:
        """Run one PREPARE or WAIT step. Safe to repeat."""

    @abstractmethod
    def commit(self, access: Access, content: Content, handles: Handles) -> Published | Accepted:
        """The one irreversible call. OutcomeUnknownError whenever the network may have acted."""

    @abstractmethod
    def look(
        self, access: Access, content: Content, handles: Handles, *, since: datetime, claimed: Collection[str]
    ) -> Published | Absent | Unknowable | NotYet:
        """Is it there after all? since: when the commit was begun; claimed: post ids that belong to other publications.

        NotYet: the network has accepted it and is still at it.
        """

    def discard(self, access: Access, handles: Handles) -> None:  # noqa: B027  most networks have nothing to take away
        """The post failed for good: take away what these handles name and nobody sees. What a post shows stays."""

    @abstractmethod
    def permalink(self, access: Access, platform_post_id: str) -> str:
        """The public address of a post, "" if the network does not tell."""

    # After publishing

    def seen(self, access: Access, platform_post_id: str, content: Content) -> Seen:
        """Is the post there, and whole? Where a network cannot be read this way, nothing is claimed."""
        return Seen(None)

    def comment(self, access: Access, platform_post_id: str, text: str) -> str:
        """Write the first comment below a post of ours; returns its id. Irreversible, like `commit`.

        Only called where the rules of the network have a first_comment_limit.
        """
        raise NotImplementedError

    def find_comment(self, access: Access, platform_post_id: str, text: str) -> str | Unknowable:
        """The id of our comment with this text below the post, "" when it is surely not there."""
        raise NotImplementedError

    # Reading

    def quota(self, access: Access) -> Quota | None:
        """The account's own quota of `quota_group`; None: the network did not say."""
        return None

    @abstractmethod
    def profile(self, access: Access) -> Profile:
        """Name, picture and totals of the account."""

    @abstractmethod
    def read_account(
        self, access: Access, *, days: Sequence[datetime] = (), skip: Collection[str] = ()
    ) -> AccountReading:
        """Profile, totals and the figures of the given days, in as few calls as the network offers.

        days: starts of days in `day_zone`, the one going on among them where `tells_today`. skip: names that the network
        has refused lately. Raises what keeps everything from being read; other trouble stands in the answer.
        """

    def audience(self, access: Access, *, skip: Collection[str] = ()) -> AudienceReading:
        """Who follows. Only called where `has_audience`."""
        raise NotImplementedError

    @abstractmethod
    def post_figures(
        self, access: Access, posts: Mapping[str, str], *, skip: Collection[str] = ()
    ) -> list[PostFigures]:
        """Metrics of posts, given as id -> product ("" where it is not known); one that is gone is absent."""

    @abstractmethod
    def recent_posts(
        self, access: Access, *, since: datetime, limit: int = 25, figures: bool = False, skip: Collection[str] = ()
    ) -> list[RemotePost]:
        """Newest posts of the account, newest first; with `figures` also those, where `lists_figures`.

        A post whose figures the listing could not tell has None; `PostFigures.refused` names what was refused.
        """
