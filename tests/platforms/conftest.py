from __future__ import annotations

import pytest
import responses

from socialhub.platforms.base import Access, Content, MediaItem, PostType
from socialhub.platforms.facebook import Facebook
from socialhub.platforms.instagram import Instagram
from socialhub.platforms.meta import Meta, MetaConfig
from tests.platforms.graph import SECRET, TOKEN


@pytest.fixture
def graph():
    """Replies are registered here; a request that nobody has answered fails the test."""
    with responses.RequestsMock(assert_all_requests_are_fired=True) as mock:
        yield mock


@pytest.fixture
def meta() -> Meta:
    return Meta(MetaConfig(app_id="1234", app_secret=SECRET))


@pytest.fixture
def facebook(meta: Meta) -> Facebook:
    return Facebook(meta)


@pytest.fixture
def instagram(meta: Meta) -> Instagram:
    return Instagram(meta)


@pytest.fixture
def page() -> Access:
    return Access("900", TOKEN)


@pytest.fixture
def ig() -> Access:
    return Access("17800", TOKEN)


@pytest.fixture
def images():
    """A content with so many images."""

    def make(number: int, post_type: PostType | None = None, text: str = "1969 Camaro", **more: object) -> Content:
        media = tuple(
            MediaItem(
                position=position,
                url=f"https://media.example/m/signature{position}/image-{position}.jpg",
                content_type="image/jpeg",
                width=1080,
                height=1080,
                size_bytes=10,
                alt_text=f"View {position}",
                read=lambda position=position: b"JPEG bytes %d" % position,
            )
            for position in range(1, number + 1)
        )
        kind = post_type or (PostType.SINGLE if number == 1 else PostType.MULTI_IMAGE)
        return Content(kind, text, media=media, **more)

    return make
