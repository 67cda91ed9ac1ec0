"""A plan can be asked for whatever a post holds: pages show it for drafts too, before the rules have spoken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from accounts.clients import platform_for
from socialhub.platforms import PLATFORMS
from socialhub.platforms.base import Content, MediaItem, MediaKind, PostType, StepKind, VideoFacts

IMAGE = MediaItem(1, "", "image/jpeg", 100, 100, 1000)
VIDEO = MediaItem(
    1, "", "video/mp4", 540, 960, 9_000_000, kind=MediaKind.VIDEO, video=VideoFacts(seconds=5, fps=30, codec="h264")
)
DOCUMENT = MediaItem(1, "", "application/pdf", 0, 0, 1000, kind=MediaKind.DOCUMENT, pages=2)


@pytest.mark.parametrize("kind", PostType)
@pytest.mark.parametrize("key", PLATFORMS)
def test_it_always_ends_in_one_commit(key: str, kind: PostType):
    for media in (
        (),
        (IMAGE,),
        (VIDEO,),
        (DOCUMENT,),
        (IMAGE, replace(VIDEO, position=2), replace(DOCUMENT, position=3)),
    ):
        plan = platform_for(key).plan(Content(kind, text="Hello", media=media))
        assert [step.kind for step in plan].count(StepKind.COMMIT) == 1
        assert plan[-1].kind is StepKind.COMMIT
        assert len({step.key for step in plan}) == len(plan)
