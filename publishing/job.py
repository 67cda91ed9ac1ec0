"""One claimed publication on its way: what its steps need, and what is written of them."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cached_property
from typing import Any, BinaryIO, cast

from django.utils import timezone

from accounts import tokens
from accounts.clients import client_of
from publishing import claims
from publishing.claims import Claim
from publishing.media import media_items
from socialhub.platforms import errors
from socialhub.platforms.base import (
    Access,
    Content,
    MediaItem,
    MediaKind,
    Platform,
    PostType,
)

STEPS_DONE = "steps_done"  # the name among the handles under which the keys of finished steps are kept
RESTORED_AT = "restored_at"  # when it came out of a backup: an installation that is lost may have sent it until then
ACCEPTED = "accepted"  # and this holds the id of what the network took, but had not published yet

Failure = errors.PlatformError


class Job:
    """One claimed publication on its way, with what its steps need."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.entry = claim.entry
        self.publication = claim.publication
        self.account = claim.publication.account
        self.attempt = claim.attempt
        self.handles: dict[str, Any] = dict(claim.publication.handles)
        self.step = ""  # the key of the step whose call was made last

    @cached_property
    def platform(self) -> Platform:
        return client_of(self.account)

    def content(self) -> Content:
        """What goes out. Renders the images that are missing."""
        post = self.publication.post
        return Content(
            post_type=PostType(self.publication.post_type),
            text=self.publication.text,
            link=post.link,
            media=tuple(self._kept(item) for item in media_items(self.publication)),
            choices=self.publication.choices,
            offers=self.account.offers,
        )

    def _kept(self, item: MediaItem) -> MediaItem:
        """Files that are too large to be read at once are read under the lease."""
        if item.kind is MediaKind.IMAGE:
            return item
        return replace(item, open=lambda: cast("BinaryIO", claims.KeptOpen(item.open(), self.claim)))

    def access(self) -> Access:
        return tokens.access_for(self.account)

    def note(self, key: str, label: str, began: float, outcome: str, request_id: str = "") -> None:
        """Write a step into the attempt's ledger (saved with whatever is saved next)."""
        self.attempt.steps.append(
            {
                "key": key,
                "label": str(label),
                "at": timezone.now().isoformat(timespec="milliseconds"),
                "ms": round((time.monotonic() - began) * 1000),
                "outcome": outcome,
                "request_id": request_id,
            }
        )
