"""From what a person composed to rows: post, images and publications in one transaction, all or nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from accounts.models import ConnectedAccount, User, Workspace
from publishing import assemblies, autosave, schedule
from publishing.checks import Draft
from publishing.models import ImageSet, MediaFile, Post, PostMedia, Publication, QueueEntry, Status
from publishing.states import LostRace
from socialhub.platforms.base import PostType

EDITABLE = (Status.DRAFT, Status.SCHEDULED, Status.FAILED)


class NotEditable(Exception):
    """A worker has begun, or the post is out: what a person sees there must stay what we hold."""


class ChangedMeanwhile(Exception):
    """Somebody has changed the post since the form was opened. names: of the parts in which the two differ now."""

    def __init__(self, post: Post, names: Sequence[str]) -> None:
        super().__init__(post.pk)
        self.post, self.names = post, names


class Intent(StrEnum):
    DRAFT = "draft"
    NOW = "now"
    SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True)
class Picture:
    """An image, video or document of a post. focus: the point that stays visible when it is cropped; None: as it is."""

    media: MediaFile
    alt_text: str = ""
    fit: PostMedia.Fit = PostMedia.Fit.PAD
    focus: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Target:
    account: ConnectedAccount
    post_type: PostType
    caption_override: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Composition:
    """What shall be published where and when. `key` marks one filled-in form: sent twice, it makes one post.

    based_on: the `mark_of` the post that it is a change of; "": it replaces whatever the post says now.
    """

    caption: str = ""
    hashtags: Sequence[str] = ()
    link: str = ""
    first_comment: str = ""
    campaign: str = ""
    image_set: ImageSet | None = None
    pictures: Sequence[Picture] = ()
    targets: Sequence[Target] = ()
    intent: Intent = Intent.DRAFT
    at: datetime | None = None
    time_zone: str = "UTC"
    late_hours: int | None = None
    key: UUID | None = field(default=None, compare=False)
    based_on: str = field(default="", compare=False)

    def draft(self, workspace: Workspace, post: Post | None = None) -> Draft:
        """The rows as they would be, none of them saved. `post`: the saved one that is being changed."""
        unsaved = Post(workspace=workspace, scheduled_at=self.at, **self.fields())
        if post is not None:
            unsaved.pk = post.pk
        return Draft(unsaved, list(self.publications(unsaved)), list(self.media(unsaved)))

    def fields(self) -> dict[str, object]:
        fields: dict[str, object] = {
            "caption": self.caption,
            "hashtags": list(self.hashtags),
            "link": self.link,
            "first_comment": self.first_comment,
            "campaign": self.campaign,
            "image_set": self.image_set,
            "time_zone": self.time_zone,
        }
        return fields if self.late_hours is None else {**fields, "late_hours": self.late_hours}

    def publications(self, post: Post) -> Iterator[Publication]:
        for target in self.targets:
            yield Publication(
                post=post,
                account=target.account,
                post_type=target.post_type,
                caption_override=target.caption_override,
                choices=dict(target.choices),
            )

    def media(self, post: Post) -> Iterator[PostMedia]:
        for position, picture in enumerate(self.pictures, start=1):
            if picture.focus:
                picture.media.focus_x, picture.media.focus_y = picture.focus
            yield PostMedia(
                post=post, media=picture.media, position=position, alt_text=picture.alt_text, fit=picture.fit
            )

    def save_focus(self) -> None:
        """It belongs to the file, so that the next post from it begins with it."""
        MediaFile.objects.bulk_update(
            [picture.media for picture in self.pictures if picture.focus], ["focus_x", "focus_y"]
        )


def parts_of(draft: Draft) -> dict[str, Any]:
    """What a person can change in the composer, part by part, of rows that are saved or not."""
    post = draft.post
    return {
        **{name: getattr(post, name) for name in ("caption", "hashtags", "link", "first_comment", "campaign")},
        "media": [[str(item.media_id), item.alt_text, str(item.fit)] for item in draft.media],
        "accounts": sorted(
            [str(one.account_id), str(one.post_type), one.caption_override, one.choices] for one in draft.publications
        ),
        "when": [post.scheduled_at.isoformat() if post.scheduled_at else "", post.time_zone],
    }


def mark_of(post: Post) -> str:
    """Another one as soon as anything has changed that a person can change; never by what workers do."""
    draft = Draft(post, list(post.publications.all()), list(post.post_media.all()))
    return hashlib.sha256(json.dumps(parts_of(draft)).encode()).hexdigest()[:32]


def is_editable(publications: Iterable[Publication]) -> bool:
    """Nothing of the post is out or in a worker's hands."""
    return all(publication.status in EDITABLE for publication in publications)


def create(workspace: Workspace, by: User, composition: Composition) -> Post:
    """Save a new post and send it on its way. The same `key` again returns the post that it made."""
    draft = composition.draft(workspace)
    draft.post.author = by
    try:
        with transaction.atomic():
            draft.post.submission_key = composition.key
            draft.post.save(force_insert=True)
            PostMedia.objects.bulk_create(draft.media)
            composition.save_focus()
            Publication.objects.bulk_create(draft.publications)
            send(draft.post, by, composition)
            autosave.drop(by, key=composition.key)
    except IntegrityError:
        # The same form came in before, or another request with it was first.
        if composition.key and (made := find(workspace, composition.key)):
            return made
        raise
    return draft.post


def says(post: Post, composition: Composition) -> bool:
    """Whether the post holds what was composed: sent once more, it would change nothing."""
    targets = {target.account.pk: target.caption_override for target in composition.targets}
    pictures = [picture.media.pk for picture in composition.pictures]
    return (
        all(getattr(post, name) == value for name, value in composition.fields().items())
        and (composition.intent is not Intent.SCHEDULE or post.scheduled_at == composition.at)
        and dict(post.publications.values_list("account", "caption_override")) == targets
        and list(post.post_media.order_by("position").values_list("media", flat=True)) == pictures
    )


def find(workspace: Workspace, key: UUID) -> Post | None:
    return Post.objects.of(workspace).filter(submission_key=key).first()


def update(post: Post, by: User, composition: Composition) -> Post:
    """Change a post that has not gone out. Raises NotEditable, ChangedMeanwhile, and LostRace when a worker begins.

    The same `key` again changes nothing more; with something else in the form it is a change that knows not of the first.
    """
    with transaction.atomic():
        post = locked(post)
        if is_saved_from(post, composition.key):
            if is_done(post, composition):
                return post
            raise ChangedMeanwhile(post, differing(post, composition))
        if composition.based_on and composition.based_on != mark_of(post):
            raise ChangedMeanwhile(post, differing(post, composition))
        to_draft(post, by)
        post.refresh_from_db(fields=["status"])
        if post.publications.exclude(status=Status.DRAFT).exists():
            raise NotEditable(post.pk)
        for name, value in composition.fields().items():
            setattr(post, name, value)
        assemblies.end(post)
        post.scheduled_at = composition.at
        post.edit_key = composition.key
        post.save()
        post.post_media.all().delete()
        PostMedia.objects.bulk_create(composition.media(post))
        composition.save_focus()
        save_publications(post, composition)
        send(post, by, composition)
        autosave.drop(by, key=composition.key, post=post)
    return post


def is_saved_from(post: Post, key: UUID | None) -> bool:
    """The form with this key made the post what it is, or made it at first."""
    return key is not None and key in (post.submission_key, post.edit_key)


def is_done(post: Post, composition: Composition) -> bool:
    """Whether the post is what was composed, and as far on its way as was meant."""
    not_asked = {"when"} if composition.intent is Intent.NOW else set()
    is_kept = post.status == Post.Summary.DRAFT
    return is_kept == (composition.intent is Intent.DRAFT) and not {*differing(post, composition)} - not_asked


def differing(post: Post, composition: Composition) -> list[str]:
    """The parts in which the post is not what was composed."""
    there, here = parts_of(Draft.of(post)), parts_of(composition.draft(post.workspace, post))
    return [name for name in there if there[name] != here[name]]


def locked(post: Post) -> Post:
    """The post as it is now, with all its rows in our hands, in the order of everybody who needs several.

    Raises NotEditable, LostRace.
    """
    entries = QueueEntry.objects.filter(publication__post=post)
    held = list(entries.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    list(post.publications.select_for_update(of=("self",)).order_by("pk"))
    if entries.exclude(pk__in=held).exists():  # came while we waited: a worker may have it, and wait for us
        raise LostRace(f"post {post.pk} was sent on its way meanwhile")
    there = Post.objects.select_for_update().filter(pk=post.pk).first()
    if there is None:
        raise NotEditable(post.pk)
    return there


def to_draft(post: Post, by: User) -> None:
    if post.publications.filter(status=Status.SCHEDULED).exists():
        schedule.cancel(post, by=by)
    for publication in post.publications.filter(status=Status.FAILED):
        schedule.back_to_draft(publication, by=by)


def save_publications(post: Post, composition: Composition) -> None:
    """One draft publication per chosen account."""
    held = {publication.account_id: publication for publication in post.publications.all()}
    for wanted in composition.publications(post):
        publication = held.pop(wanted.account_id, None)
        if publication is None:
            wanted.save(force_insert=True)
        else:
            publication.post_type = wanted.post_type
            publication.caption_override = wanted.caption_override
            publication.choices = wanted.choices
            publication.save(update_fields=["post_type", "caption_override", "choices", "updated_at"])
    post.publications.filter(pk__in=[publication.pk for publication in held.values()]).delete()


def send(post: Post, by: User, composition: Composition) -> None:
    if composition.intent is Intent.NOW:
        schedule.publish_now(post, by=by)
    elif composition.intent is Intent.SCHEDULE and composition.at is not None:
        schedule.schedule(post, composition.at, by=by, late_hours=composition.late_hours)


def local_instants(day: date, clock: time, zone: ZoneInfo) -> list[datetime]:
    """The instants (UTC) at which the clocks of the zone show this: none or two where they are being changed."""
    instants = []
    for fold in (0, 1):
        instant = datetime.combine(day, clock, tzinfo=zone).replace(fold=fold).astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == datetime.combine(day, clock) and instant not in instants:
            instants.append(instant)
    return instants
