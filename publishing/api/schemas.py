"""What the operations on posts, media and image sets take and give."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, WithJsonSchema

from accounts.api.base import Count, CursorText, Flag, Input, Limit, Model, Moment, PlatformKey
from publishing.compose import Intent
from publishing.models import Post, Status
from socialhub.platforms import PLATFORMS
from socialhub.platforms.base import MediaKind, PostType

MEDIA_MOST = 40  # no network takes more
ACCOUNTS_MOST = 500
SAID_MOST = ACCOUNTS_MOST + len(PLATFORMS)  # of what is said by account or network


# Written out where they are used: in the document a name stands for one thing only, and others have a status, too.
StatusWord = Annotated[Status, WithJsonSchema({"type": "string", "enum": Status.values})]
SummaryWord = Annotated[Post.Summary, WithJsonSchema({"type": "string", "enum": Post.Summary.values})]
TypeWord = Annotated[PostType, WithJsonSchema({"type": "string", "enum": [kind.value for kind in PostType]})]
KindWord = Annotated[MediaKind, WithJsonSchema({"type": "string", "enum": [kind.value for kind in MediaKind]})]
IntentWord = Annotated[Intent, WithJsonSchema({"type": "string", "enum": [intent.value for intent in Intent]})]

Words = Annotated[str, Field(max_length=100_000)]
Address = Annotated[str, Field(min_length=1, max_length=2_000)]
AltText = Annotated[str, Field(max_length=1_000)]
# By whom: the id of an account, or a network for all chosen accounts on it.
ByAccount = Annotated[str, Field(max_length=40)]
ChoiceValue = Annotated[str, Field(max_length=10_000)] | Flag
Choices = Annotated[dict[Annotated[str, Field(max_length=100)], ChoiceValue], Field(max_length=100)]
TimeZone = Annotated[str, Field(max_length=64, description="A name such as Europe/Berlin; by default the person's.")]


# --- In -------------------------------------------------------------------------------------------------------


class Focus(Input):
    """The point that stays visible when the image is cropped, from its upper left corner, 0 to 1."""

    x: Annotated[float, Field(ge=0, le=1, strict=True)]
    y: Annotated[float, Field(ge=0, le=1, strict=True)]


class MediaInput(Input):
    """A file of the library by its id, or one to fetch by its address (https). Those with an address come last."""

    id: UUID | None = None
    url: Address | None = None
    alt_text: AltText = ""
    fit: Annotated[str, Field(pattern="^(pad|crop)$")] = "pad"
    focus: Focus | None = None


class PostFields(Input):
    """What a post is made of. In a PATCH, a field that is sent replaces what was there, and the others stay."""

    content: Words | None = Field(default=None, description="The caption.")
    account_ids: Annotated[list[UUID], Field(max_length=ACCOUNTS_MOST)] | None = None
    platforms: Annotated[list[PlatformKey], Field(max_length=len(PLATFORMS))] | None = Field(
        default=None, description="In place of accountIds: the account on each, or of several the default ones."
    )
    media: Annotated[list[MediaInput], Field(max_length=MEDIA_MOST)] | None = None
    media_ids: Annotated[list[UUID], Field(max_length=MEDIA_MOST)] | None = Field(
        default=None, description="Short for media."
    )
    media_urls: Annotated[list[Address], Field(max_length=MEDIA_MOST)] | None = Field(
        default=None, description="Short for media. Workers fetch the files; the post goes out after that."
    )
    hashtags: Annotated[list[Annotated[str, Field(max_length=101)]], Field(max_length=60)] | None = None
    captions: Annotated[dict[ByAccount, Words], Field(max_length=SAID_MOST)] | None = Field(
        default=None, description="A text of its own, by account id or network."
    )
    post_types: Annotated[dict[ByAccount, TypeWord], Field(max_length=SAID_MOST)] | None = Field(
        default=None, description="By account id or network; without one the files decide."
    )
    choices: Annotated[dict[ByAccount, Choices], Field(max_length=SAID_MOST)] | None = Field(
        default=None, description="What a network asks besides, by account id or network, such as a board."
    )
    link: Annotated[str, Field(max_length=2_000)] | None = None
    first_comment: Annotated[str, Field(max_length=2_000)] | None = None
    campaign: Annotated[str, Field(max_length=100)] | None = None
    scheduled_at: Moment | None = Field(
        default=None,
        description="With an offset, or the local time of the time zone. In a PATCH null takes the post back to draft.",
    )
    timezone: TimeZone | None = None
    late_hours: Annotated[Count, Field(ge=1, le=720)] | None = Field(
        default=None, description="How late it may still go out when something holds it up."
    )
    publish_now: Flag = False

    def sent(self, name: str) -> bool:
        return name in self.model_fields_set and getattr(self, name) is not None


class PostInput(PostFields):
    """A new post: scheduled with scheduledAt, sent with publishNow, else a draft."""

    image_set_id: UUID | None = Field(default=None, description="Its images and hashtags, where none are given.")


class ScheduleInput(Input):
    post_id: UUID
    scheduled_at: Moment
    timezone: TimeZone | None = None


class PublishInput(Input):
    post_id: UUID


class DecisionInput(Input):
    """What a person has seen at the network: "there", "absent" (it is sent again) or "give_up"."""

    answer: Annotated[str, Field(pattern="^(there|absent|give_up)$")]
    platform_post_id: Annotated[str, Field(max_length=2_000)] = Field(
        default="", description="Its id or address, for “there”."
    )


class PostFilter(Input):
    status: SummaryWord | None = None
    platform: PlatformKey | None = None
    account_id: UUID | None = None
    campaign: Annotated[str, Field(max_length=100)] = ""
    q: Annotated[str, Field(max_length=200)] = Field(default="", description="Words of the text, or their beginnings.")
    since: Moment | None = Field(default=None, alias="from", description="Due, or else written, at or after.")
    until: Moment | None = Field(default=None, alias="to", description="Due, or else written, before.")
    order: Annotated[str, Field(pattern="^(created|due)$")] = Field(
        default="created", description="Latest first by when it was written, or by when it is due."
    )
    limit: Limit = 50
    cursor: CursorText = ""


class PageFilter(Input):
    limit: Limit = 50
    cursor: CursorText = ""


# --- Out ------------------------------------------------------------------------------------------------------


class PostMediaOut(Model):
    id: UUID
    kind: KindWord
    alt_text: str
    fit: str
    width: int
    height: int


class Trouble(Model):
    kind: str
    message: str
    platform_message: str


class PublicationOut(Model):
    id: UUID
    account_id: UUID
    platform: str
    account_name: str
    username: str
    status: StatusWord
    post_type: TypeWord
    caption: str | None = Field(description="Its own text, where it has one.")
    choices: dict[str, Any]
    scheduled_at: Moment | None
    published_at: Moment | None
    platform_post_id: str | None
    permalink: str | None
    error: Trouble | None
    awaits_decision: bool = Field(description="Nobody can tell whether it is there: a person has to look, and decide.")
    next_try_at: Moment | None
    wait_reason: str | None


class FetchedFile(Model):
    position: int
    host: str
    status: str
    message: str | None
    media_id: UUID | None


class Fetching(Model):
    """Files that were named by address and are not here yet. intent: what happens then."""

    intent: IntentWord
    message: str
    failed_at: Moment | None
    files: list[FetchedFile]


class PostOut(Model):
    id: UUID
    url: str = Field(description="Its page, for people who are signed in.")
    status: SummaryWord
    content: str
    hashtags: list[str]
    link: str
    first_comment: str
    campaign: str
    scheduled_at: Moment | None
    timezone: str
    late_hours: int
    image_set_id: UUID | None
    created_at: Moment
    updated_at: Moment
    is_editable: bool
    media: list[PostMediaOut]
    publications: list[PublicationOut]
    fetching: Fetching | None


class PostList(Model):
    posts: list[PostOut]
    next_cursor: str | None


class FindingOut(Model):
    code: str
    level: str
    message: str
    field: str
    account_id: UUID | None
    media_id: UUID | None
    media_position: int | None


class LimitOut(Model):
    account_id: UUID
    message: str
    waits_until: Moment | None


class ValidationOut(Model):
    """valid: it could be scheduled or published as it is. fields: what cannot even be read as meant."""

    valid: bool
    findings: list[FindingOut]
    fields: dict[str, list[str]]
    post_types: dict[str, TypeWord] = Field(description="By account id: what it would be.")
    rate_limits: list[LimitOut]


class MediaOut(Model):
    id: UUID
    kind: KindWord
    name: str
    alt_text: str
    content_type: str
    width: int
    height: int
    size_bytes: int
    created_at: Moment


class MediaList(Model):
    media: list[MediaOut]
    next_cursor: str | None


class Detail(Model):
    label: str
    value: str


class ImageSetOut(Model):
    id: UUID
    title: str
    details: list[Detail]
    hashtags: list[str]
    media_ids: list[UUID]
    updated_at: Moment


class ImageSetList(Model):
    image_sets: list[ImageSetOut]
    next_cursor: str | None
