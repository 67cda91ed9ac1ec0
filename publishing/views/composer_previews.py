"""What stands beside the fields of the composer: counters, and which networks reshape which image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from publishing import checks
from publishing.models import PostMedia, Publication
from publishing.post_types import TYPE_NAMES
from publishing.views.said_once import some_of
from socialhub.platforms import LABELS
from socialhub.platforms.base import PostType

KNOWN_RATIOS = ((1, 1), (4, 5), (5, 4), (3, 4), (4, 3), (2, 3), (3, 2), (9, 16), (16, 9))


@dataclass(frozen=True, slots=True)
class CommentCounter:
    platform: str
    length: int
    limit: int

    @property
    def over(self) -> bool:
        return self.length > self.limit


def comment_counters(publications: Iterable[Publication], text: str) -> list[CommentCounter]:
    """One for each chosen network that takes a first comment."""
    limits = {one.account.platform: checks.comment_limit(one) for one in publications if checks.comment_limit(one)}
    return [CommentCounter(platform, len(text), limit) for platform, limit in limits.items()]


def shapes_of(publications: Iterable[Publication], media: Sequence[PostMedia]) -> dict[UUID, str]:
    """For each image that some network reshapes: which ones, and how it is shown there."""
    found: dict[UUID, dict[str, None]] = {}
    for publication in publications:
        name = f"{LABELS[publication.account.platform]} ({TYPE_NAMES[PostType(publication.post_type)]})"
        for one in checks.reshaped(publication, media).values():
            found.setdefault(one.item.media_id, {})[f"{name} {ratio_name(one.ratio)}"] = None
    return {pk: some_of(list(names)) for pk, names in found.items()}


def ratio_name(ratio: float) -> str:
    """As people know it: 4:5, 9:16, 1.91:1."""
    for width, height in KNOWN_RATIOS:
        if abs(ratio * height / width - 1) < checks.SAME_SHAPE / 2:
            return f"{width}:{height}"
    return f"{ratio:.2f}:1"
