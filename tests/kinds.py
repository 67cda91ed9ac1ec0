"""Every kind of post that each network takes, on an account of its own at the sandbox: for what tries them all."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.clients import client_of
from accounts.models import ConnectedAccount, Credential, Workspace
from publishing.checks import content_of
from publishing.media import store_upload
from publishing.models import MediaFile, PostMedia, Publication
from publishing.schedule import publish_now
from socialhub.platforms.base import PostType
from socialhub.platforms.buffer import SERVICES
from socialhub.platforms.linkedin_api import FULL_SCOPES
from socialhub.platforms.rules import RULES
from tests.factories import make_post
from tests.publishing.films import film, pdf
from tests.sandbox.linkedin_films import noisy
from tests.sandbox_process import Sandbox

LINK = "https://shop.example/camaro"
PICTURE, PICTURES, FILM, HEAVY_FILM, DOCUMENT = ("dark",), ("dark", "light"), ("film",), ("heavy film",), ("document",)
MIXED = ("dark", "film")
BOARD = "board_service_id"


@dataclass(frozen=True)
class Kind:
    platform: str
    post_type: PostType
    media: tuple[str, ...] = ()  # names of FILES
    account: str = "organization"  # or "member", of LinkedIn
    choices: Mapping[str, str] = field(default_factory=dict, hash=False)
    link: str = ""

    def __str__(self) -> str:
        who = f" {self.account}" if self.platform == "linkedin" else ""
        with_film = " with video" if self.media == MIXED else ""
        story = f" ({FILES[self.media[0]].kind})" if self.post_type is PostType.STORY else ""
        return f"{self.platform}{who} {self.post_type}{with_film}{story}"

    @property
    def can_be_read(self) -> bool:
        """Can we find out whether it is there? LinkedIn lets no app read a member's posts."""
        return self.account != "member"


def on_linkedin(account: str) -> tuple[Kind, ...]:
    return (
        Kind("linkedin", PostType.TEXT, account=account),
        Kind("linkedin", PostType.LINK, ("dark",), account, {"link_title": "A Camaro"}, LINK),
        Kind("linkedin", PostType.SINGLE, PICTURE, account),
        Kind("linkedin", PostType.MULTI_IMAGE, PICTURES, account),
        Kind("linkedin", PostType.VIDEO, HEAVY_FILM, account),
        Kind("linkedin", PostType.DOCUMENT, DOCUMENT, account, {"document_title": "Brochure"}),
    )


def through_buffer(platform: str) -> tuple[Kind, ...]:
    return (
        Kind(platform, PostType.TEXT),
        Kind(platform, PostType.LINK, link=LINK),
        Kind(platform, PostType.SINGLE, PICTURE),
    )


VIDEO_ON_YOUTUBE = {"title": "A Camaro", "category_id": "2", "privacy": "public"}
KINDS: tuple[Kind, ...] = (
    Kind("facebook", PostType.TEXT),
    Kind("facebook", PostType.LINK, link=LINK),
    Kind("facebook", PostType.SINGLE, PICTURE),
    Kind("facebook", PostType.MULTI_IMAGE, PICTURES),
    Kind("facebook", PostType.VIDEO, FILM),
    Kind("facebook", PostType.REEL, FILM),
    Kind("facebook", PostType.STORY, PICTURE),
    Kind("facebook", PostType.STORY, FILM),
    Kind("instagram", PostType.SINGLE, PICTURE),
    Kind("instagram", PostType.CAROUSEL, PICTURES),
    Kind("instagram", PostType.CAROUSEL, MIXED),
    Kind("instagram", PostType.REEL, FILM),
    Kind("instagram", PostType.STORY, PICTURE),
    Kind("instagram", PostType.STORY, FILM),
    *on_linkedin("organization"),
    *on_linkedin("member"),
    *through_buffer("x"),
    Kind("x", PostType.MULTI_IMAGE, PICTURES),
    Kind("x", PostType.VIDEO, FILM),
    *through_buffer("threads"),
    Kind("threads", PostType.MULTI_IMAGE, PICTURES),
    Kind("threads", PostType.VIDEO, FILM),
    *through_buffer("bluesky"),
    Kind("bluesky", PostType.MULTI_IMAGE, PICTURES),
    Kind("bluesky", PostType.VIDEO, FILM),
    *through_buffer("mastodon"),
    Kind("mastodon", PostType.MULTI_IMAGE, PICTURES),
    Kind("mastodon", PostType.VIDEO, FILM),
    Kind("pinterest", PostType.SINGLE, PICTURE, choices={BOARD: ""}),
    Kind("pinterest", PostType.VIDEO, FILM, choices={BOARD: ""}),
    Kind("tiktok", PostType.SINGLE, PICTURE),
    Kind("tiktok", PostType.MULTI_IMAGE, PICTURES),
    Kind("tiktok", PostType.VIDEO, FILM),
    Kind("youtube", PostType.VIDEO, FILM, choices=VIDEO_ON_YOUTUBE),
    *through_buffer("google_business"),
)


def is_taken(kind: Kind) -> bool:
    """Do the rules of the network know this kind, with this sort of media?"""
    count = RULES[kind.platform].post_types.get(kind.post_type)
    return count is not None and {FILES[name].kind for name in kind.media} <= set(count.kinds)


# Files


@dataclass(frozen=True)
class File:
    kind: str
    name: str
    content_type: str
    content: Callable[[], bytes]

    def upload(self) -> SimpleUploadedFile:
        return SimpleUploadedFile(self.name, self.content(), self.content_type)


def picture(shade: int) -> Callable[[], bytes]:
    @cache
    def content() -> bytes:
        buffer = io.BytesIO()
        Image.new("RGB", (800, 600), (shade, 90, 120)).save(buffer, "JPEG")
        return buffer.getvalue()

    return content


FILES = {
    "dark": File("image", "dark.jpg", "image/jpeg", picture(60)),
    "light": File("image", "light.jpg", "image/jpeg", picture(180)),
    "film": File("video", "film.mp4", "video/mp4", film),
    "heavy film": File("video", "heavy.mp4", "video/mp4", noisy),
    "document": File("document", "brochure.pdf", "application/pdf", pdf),
}


class Shelf:
    """The files of one workspace, each stored when it is first asked for."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._stored: dict[str, MediaFile] = {}

    def __getitem__(self, name: str) -> MediaFile:
        if name not in self._stored:
            self._stored[name] = store_upload(self.workspace, None, FILES[name].upload())
        return self._stored[name]


# Accounts


def connect(sandbox: Sandbox, workspace: Workspace, kind: Kind) -> ConnectedAccount:
    """An account that nobody else uses."""
    fields, token = _granted(sandbox, kind)
    account = ConnectedAccount.objects.create(
        workspace=workspace, platform=kind.platform, name=f"Account for {kind}", **fields
    )
    Credential.objects.create(account=account, access_token=token)
    return account


def _granted(sandbox: Sandbox, kind: Kind) -> tuple[dict[str, Any], str]:
    if kind.platform in ("facebook", "instagram"):
        page = sandbox.person(pages=1, instagram=kind.platform == "instagram").page
        assert page.access_token
        return {"platform_account_id": page.instagram_id or page.id}, page.access_token
    if kind.platform == "linkedin":
        if kind.account == "member":
            member = sandbox.member(name="Ada Test", scopes=list(FULL_SCOPES))
            return {"platform_account_id": member.urn, "account_type": "person"}, member.access_token
        member = sandbox.member(name="Ada Test", organizations=1, scopes=list(FULL_SCOPES))
        urn = member.organizations[0]["urn"]
        return {"platform_account_id": urn, "account_type": "organization"}, member.access_token
    owner = sandbox.buffer(services=[SERVICES[kind.platform]])
    (channel,) = owner.channels
    boards = [{"id": board["serviceId"], "name": board["name"]} for board in channel.get("boards") or []]
    return {"platform_account_id": channel["id"], "offers": {"boards": boards} if boards else {}}, owner.key


# Publications


def draft(sandbox: Sandbox, shelf: Shelf, kind: Kind, **fields: Any) -> Publication:
    """A draft of this kind on an account of its own."""
    account = connect(sandbox, shelf.workspace, kind)
    post = make_post(shelf.workspace, account, post_type=kind.post_type, link=kind.link, **fields)
    for position, name in enumerate(kind.media, start=1):
        PostMedia.objects.create(post=post, media=shelf[name], position=position)
    publication = post.publications.get()
    publication.choices = dict(kind.choices)
    if BOARD in kind.choices:
        publication.choices[BOARD] = account.offers["boards"][0]["id"]
    publication.save(update_fields=["choices"])
    return publication


def due(sandbox: Sandbox, shelf: Shelf, kind: Kind, **fields: Any) -> Publication:
    """The same, to be published now."""
    publication = draft(sandbox, shelf, kind, **fields)
    publish_now(publication.post, by=None)
    return publication


def steps_of(publication: Publication) -> Iterator[str]:
    """The keys of the plan's steps, without the commit."""
    media = list(PostMedia.objects.filter(post=publication.post).select_related("media"))
    for step in client_of(publication.account).plan(content_of(publication, media))[:-1]:
        yield step.key
