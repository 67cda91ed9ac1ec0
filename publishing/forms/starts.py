"""The values that the composer's form begins with, from an image set or from a post."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.utils import timezone

from publishing.compose import mark_of
from publishing.forms.choices import choice_field_name
from publishing.models import ImageSet, Post
from socialhub.platforms import choices, rules
from socialhub.platforms.rule_types import ChoiceKind


def from_set(image_set: ImageSet, caption: str) -> dict[str, Any]:
    pictures = [item.media for item in image_set.items.all()]
    return {
        "set": image_set.pk,
        "image_set": image_set,
        "pictures": pictures,
        "caption": caption,
        "hashtags": image_set.hashtags,
        "media": [picture.pk for picture in pictures],
    }


def from_post(post: Post, *, accounts: Iterable[UUID] | None = None) -> dict[str, Any]:
    """The form as it would have looked; for editing, and for starting a new post from an old one."""
    publications = list(post.publications.all())
    chosen = {publication.account_id for publication in publications}
    values: dict[str, Any] = {
        "set": post.image_set_id,
        "caption": post.caption,
        "hashtags": post.hashtags,
        "link": post.link,
        "first_comment": post.first_comment,
        "campaign": post.campaign,
        "time_zone": post.time_zone,
        "accounts": sorted(chosen if accounts is None else chosen & set(accounts)),
        "media": [],
    }
    for item in post.post_media.all():
        values["media"].append(item.media_id)
        values[f"alt-{item.media_id}"] = item.alt_text
        values[f"fit-{item.media_id}"] = item.fit
    for publication in publications:
        values[f"type-{publication.account_id}"] = publication.post_type
        values[f"caption-{publication.account_id}"] = publication.caption_override
        for choice in rules.RULES[publication.account.platform].choices:
            if value := publication.choices.get(choice.name):
                is_flag = choice.kind is ChoiceKind.FLAG
                name = choice_field_name(publication.account_id, choice)
                values[name] = value == choices.YES if is_flag else value
    return values


def for_change(post: Post) -> dict[str, Any]:
    """The form that changes the post. It needs its parts, and its publications their accounts."""
    return {**from_post(post), **planned(post), "based_on": mark_of(post)}


def planned(post: Post) -> dict[str, Any]:
    """The time of a scheduled post, in its own zone."""
    if post.scheduled_at is None or post.scheduled_at <= timezone.now():
        return {}
    local = post.scheduled_at.astimezone(post.zone)
    return {
        "when": "later",
        "day": local.date(),
        "clock": local.time().replace(second=0, microsecond=0),
        "fold": local.fold,
    }
