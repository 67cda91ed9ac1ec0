"""A workspace as a folder that can be read without us: texts, the files themselves, and tables for whoever calculates.

It is written as one ZIP file, row by row and piece by piece, so that its size is that of the disk and not of the memory.
Tokens, keys and secrets are in none of it.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from html import escape
from pathlib import PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Exists, OuterRef, Prefetch
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import ConnectedAccount, Notification, Workspace
from analytics import exports, files
from analytics.exports import Scope
from analytics.models import PlatformPost
from analytics.reports.tables import Column, Kind, Table
from publishing.models import (
    Attempt,
    CaptionTemplate,
    HashtagGroup,
    ImageSet,
    ImageSetItem,
    MediaFile,
    Post,
    PostMedia,
    Publication,
    PublicationEvent,
    WebhookEndpoint,
)
from socialhub.platforms import LABELS
from socialhub.redaction import redact

ROWS = 500
CHUNK_BYTES = 1024 * 1024
COPY_BYTES = 5 * 1024 * 1024  # a larger file that several posts use is put in once, and named by the others
IN_MEMORY = 1024 * 1024

PAGE_TOP = """<!DOCTYPE html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title></head><body>
<h1>{title}</h1>
<p>{about}</p>
<table border="1" cellpadding="4">
<thead><tr>{head}</tr></thead>
<tbody>
"""
PAGE_END = "</tbody></table>\n</body></html>\n"

Moved = Callable[[int], None]


@dataclass(slots=True)
class Folder:
    """One workspace being written. moved: called after each part with their number, and while large files move with 0."""

    workspace: Workspace
    zone: tzinfo
    language: str
    target: zipfile.ZipFile
    moved: Moved
    placed: dict[UUID, str] = field(default_factory=dict)  # where the files of the library stand, from the top

    def write(self) -> None:
        self.text("README.txt", self.readme())
        self.posts()
        self.library()
        for key, table in self.tables():
            self.table(key, table)
            self.moved(1)

    # --- Parts ------------------------------------------------------------------------------------------------

    def readme(self) -> str:
        made = date_format(timezone.now().astimezone(self.zone), "DATETIME_FORMAT")
        lines = [
            _("The workspace “%(name)s”, as it was on %(made)s (%(zone)s).")
            % {"name": self.workspace.name, "made": made, "zone": self.zone},
            "",
            _("index.html: all posts as a list, for your browser."),
            _("posts/: a folder for each post, with its text, what became of it, and its files."),
            _("posts.jsonl: the same for programs, one post a line."),
            _("library/: image sets, caption templates, hashtag groups, and files that no post uses."),
            _("tables/: accounts, publications, every change of their status and every try, members, notifications."),
            _("figures/: the figures of posts and accounts."),
            "",
            _("Tables are CSV in UTF-8. Times have their offset. A figure that is not known is empty, never 0."),
            _("Access tokens, API keys and secrets of webhooks are not in here: they are of no use elsewhere."),
            "",
            settings.PUBLIC_BASE_URL,
        ]
        return "\n".join(lines) + "\n"

    def posts(self) -> None:
        """Their folders, and two lists of them, which wait aside until all posts are written."""
        with SpooledTemporaryFile(IN_MEMORY) as page, SpooledTemporaryFile(IN_MEMORY) as lines:
            head = "".join(f"<th>{escape(word)}</th>" for word in (_("When"), _("Text"), _("Status"), _("Where")))
            title = escape(self.workspace.name)
            about = escape(_("Each post leads to its folder."))
            page.write(PAGE_TOP.format(language=self.language, title=title, about=about, head=head).encode())
            for post in posts_of(self.workspace):
                self.post(post, page, lines)
                self.moved(1)
            page.write(PAGE_END.encode())
            self.stream("index.html", page)
            self.stream("posts.jsonl", lines)

    def post(self, post: Post, page: IO[bytes], lines: IO[bytes]) -> None:
        moment = (post.scheduled_at or post.created_at).astimezone(self.zone)
        name = f"{moment:%Y-%m-%d}_{slug(post.title, 40) or 'post'}_{post.pk.hex[:8]}"
        folder = f"posts/{name}"
        publications, media = list(post.publications.all()), list(post.post_media.all())
        placed = [self.media(item.media, folder, number) for number, item in enumerate(media, start=1)]
        self.text(f"{folder}/post.txt", post_text(post, publications, media, placed, self.zone))
        where = ", ".join(sorted({LABELS.get(one.account.platform, one.account.platform) for one in publications}))
        cells = (f"{moment:%Y-%m-%d %H:%M}", post.title[:120] or "–", post.get_status_display(), where)
        row = [f"<td>{escape(str(cell))}</td>" for cell in cells]
        row[1] = f'<td><a href="{folder}/post.txt">{escape(cells[1])}</a></td>'
        page.write(f"<tr>{''.join(row)}</tr>\n".encode("utf-8", "replace"))
        told = post_data(post, publications, media, placed, folder)
        lines.write((json.dumps(told, cls=DjangoJSONEncoder, ensure_ascii=False) + "\n").encode("utf-8", "replace"))

    def library(self) -> None:
        for image_set in image_sets_of(self.workspace):
            folder = f"library/image-sets/{slug(image_set.title, 40) or 'set'}_{image_set.pk.hex[:8]}"
            items = list(image_set.items.all())
            placed = [self.media(item.media, folder, number) for number, item in enumerate(items, start=1)]
            self.text(f"{folder}/set.txt", set_text(image_set, items, placed))
            self.moved(1)
        for template in CaptionTemplate.objects.filter(workspace=self.workspace):
            name = f"library/caption-templates/{slug(template.name, 60) or 'template'}_{template.pk.hex[:8]}.txt"
            self.text(name, template.body + "\n")
        groups = HashtagGroup.objects.filter(workspace=self.workspace)
        text = "\n".join(f"{group.name}: {' '.join(f'#{tag}' for tag in group.hashtags)}" for group in groups)
        self.text("library/hashtag-groups.txt", text + "\n")
        for number, media in enumerate(unused_media(self.workspace), start=1):
            self.media(media, "library/other-files", number)
            self.moved(0)

    def tables(self) -> Iterator[tuple[str, Table]]:
        workspace = self.workspace
        yield from ((f"tables/{table.key}", table) for table in (make(workspace) for make in TABLES))
        accounts = ConnectedAccount.objects.of(workspace)
        scope = Scope(accounts, PlatformPost.objects.filter(account__in=accounts))
        for key, make in (*exports.POSTS.items(), *exports.ACCOUNTS.items()):
            yield f"figures/{key}", make(scope)

    # --- Writing ----------------------------------------------------------------------------------------------

    def text(self, name: str, text: str) -> None:
        self.target.writestr(name, text.encode("utf-8", "replace"), zipfile.ZIP_DEFLATED)

    def table(self, name: str, table: Table) -> None:
        with self.target.open(packed(f"{name}.csv"), "w", force_zip64=True) as file:
            for piece in files.csv_of(table, self.zone):
                file.write(piece)
                self.moved(0)

    def stream(self, name: str, source: IO[bytes]) -> None:
        source.seek(0)
        self.copy(packed(name), source)

    def copy(self, info: zipfile.ZipInfo, source: IO[bytes]) -> None:
        with self.target.open(info, "w", force_zip64=True) as file:
            while piece := source.read(CHUNK_BYTES):
                file.write(piece)
                self.moved(0)

    def media(self, media: MediaFile, folder: str, number: int) -> str:
        """The file in the folder; returns where it stands, from the top, "" when it is no longer stored."""
        known = self.placed.get(media.pk)
        if known is not None and (not known or media.size_bytes > COPY_BYTES):
            return known
        stem = slug(PurePosixPath(media.original_name).stem, 60) or "file"
        path = f"{folder}/{number:02}_{stem}{PurePosixPath(str(media.file.name)).suffix}"
        try:
            with default_storage.open(str(media.file.name), "rb") as stored:
                self.copy(zipfile.ZipInfo(path, now_tuple()), stored)  # packed already
        except FileNotFoundError:
            path = ""
        self.placed.setdefault(media.pk, path)
        return path


def slug(text: str, most: int) -> str:
    return slugify(text)[:most].strip("-")


def packed(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, now_tuple())
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def now_tuple() -> tuple[int, int, int, int, int, int]:
    now = timezone.now()
    return now.year, now.month, now.day, now.hour, now.minute, now.second


def parts_of(workspace: Workspace) -> int:
    """How many parts `Folder.write` tells of, going by what there is now."""
    sets = ImageSet.objects.filter(workspace=workspace).count()
    return Post.objects.of(workspace).count() + sets + len(TABLES) + len(exports.POSTS) + len(exports.ACCOUNTS)


# --- What stands in the files ---------------------------------------------------------------------------------


def posts_of(workspace: Workspace) -> Iterator[Post]:
    publications = Publication.objects.select_related("account").order_by("account__platform", "account__name")
    return (
        Post.objects.of(workspace)
        .select_related("author")
        .prefetch_related(
            Prefetch("publications", publications),
            Prefetch("post_media", PostMedia.objects.select_related("media").order_by("position")),
        )
        .order_by("created_at", "pk")
        .iterator(ROWS)
    )


def image_sets_of(workspace: Workspace) -> Iterator[ImageSet]:
    items = ImageSetItem.objects.select_related("media").order_by("position")
    sets = ImageSet.objects.filter(workspace=workspace).order_by("created_at", "pk")
    return sets.prefetch_related(Prefetch("items", items)).iterator(ROWS)


def unused_media(workspace: Workspace) -> Iterator[MediaFile]:
    return (
        MediaFile.objects.filter(
            ~Exists(PostMedia.objects.filter(media=OuterRef("pk"))),
            ~Exists(ImageSetItem.objects.filter(media=OuterRef("pk"))),
            workspace=workspace,
        )
        .order_by("created_at", "pk")
        .iterator(ROWS)
    )


def post_text(
    post: Post, publications: Sequence[Publication], media: Sequence[PostMedia], placed: Sequence[str], zone: tzinfo
) -> str:
    text = io.StringIO()
    text.write(f"{post.text or _('Post without text')}\n\n")
    facts = [
        (_("Link"), post.link),
        (_("First comment"), post.first_comment),
        (_("Campaign"), post.campaign),
        (_("Written"), f"{local(post.created_at, zone)}{f' · {post.author}' if post.author else ''}"),
        (_("Planned for"), f"{local(post.scheduled_at, zone)} ({post.time_zone})" if post.scheduled_at else ""),
        (_("Status"), post.get_status_display()),
    ]
    for word, value in facts:
        if value:
            text.write(f"{word}: {value}\n")
    for item, path in zip(media, placed, strict=True):
        where = path.removeprefix("posts/") if path else _("no longer stored")
        alt_text = item.alt_text or item.media.alt_text
        text.write(f"\n{_('File %(number)d') % {'number': item.position}}: {where}\n")
        if alt_text:
            text.write(f"{_('Alternative text')}: {alt_text}\n")
    for publication in publications:
        account = publication.account
        text.write(f"\n--- {LABELS.get(account.platform, account.platform)} · {account.name} ({account.handle})\n")
        told = [
            (_("Status"), publication.get_status_display()),
            (_("Published"), local(publication.published_at, zone)),
            (_("Address"), publication.permalink),
            (_("Type"), publication.post_type),
            (_("Own text"), publication.caption_override),
            (_("What happened"), publication.error_message),
            (_("The network's own words"), publication.platform_message),
        ]
        for word, value in told:
            if value:
                text.write(f"{word}: {value}\n")
    return text.getvalue()


def local(moment: datetime | None, zone: tzinfo) -> str:
    return date_format(moment.astimezone(zone), "DATETIME_FORMAT") if moment else ""


def post_data(
    post: Post, publications: Sequence[Publication], media: Sequence[PostMedia], placed: Sequence[str], folder: str
) -> dict[str, Any]:
    """Names as the API has them."""
    return {
        "id": post.pk,
        "folder": folder,
        "caption": post.caption,
        "hashtags": post.hashtags,
        "link": post.link,
        "firstComment": post.first_comment,
        "campaign": post.campaign,
        "status": post.status,
        "scheduledAt": post.scheduled_at,
        "timezone": post.time_zone,
        "createdAt": post.created_at,
        "media": [
            {"file": path or None, "altText": item.alt_text or item.media.alt_text, "kind": item.media.kind}
            for item, path in zip(media, placed, strict=True)
        ],
        "publications": [
            {
                "id": publication.pk,
                "platform": publication.account.platform,
                "accountId": publication.account_id,
                "postType": publication.post_type,
                "caption": publication.caption_override or None,
                "choices": publication.choices,
                "status": publication.status,
                "publishedAt": publication.published_at,
                "platformPostId": publication.platform_post_id or None,
                "permalink": publication.permalink or None,
                "error": publication.error_message or None,
            }
            for publication in publications
        ],
    }


def set_text(image_set: ImageSet, items: Sequence[ImageSetItem], placed: Sequence[str]) -> str:
    lines = [image_set.title, "", *(f"{label}: {value}" for label, value in image_set.details)]
    if image_set.hashtags:
        lines += ["", " ".join(f"#{tag}" for tag in image_set.hashtags)]
    for number, (item, path) in enumerate(zip(items, placed, strict=True), start=1):
        lines += ["", f"{_('File %(number)d') % {'number': number}}: {path or _('no longer stored')}"]
        if item.media.alt_text:
            lines.append(f"{_('Alternative text')}: {item.media.alt_text}")
    return "\n".join(lines) + "\n"


# --- Tables ---------------------------------------------------------------------------------------------------


def columns(*keys: str) -> list[Column]:
    kinds = {"_at": Kind.TIME}
    return [Column(key, key, kinds.get(key[-3:], Kind.TEXT)) for key in keys]


ACCOUNT = (
    *("id", "platform", "platform_account_id", "account_type", "name", "username", "status", "status_reason"),
    *("followers_count", "following_count", "likes_count", "posts_count", "token_expires_at", "connected_at"),
    *("disconnected_at", "last_verified_at", "last_synced_at", "paused_at", "pause_reason"),
)
PUBLICATION = (
    *("id", "post_id", "account_id", "account__platform", "account__name", "post_type", "status", "scheduled_at"),
    *("published_at", "platform_post_id", "permalink", "removed_at", "error_kind", "error_message"),
    *("platform_message", "created_at", "updated_at"),
)
EVENT = ("publication_id", "at", "from_status", "to_status", "actor__email", "reason")
ATTEMPT = (
    *("publication_id", "number", "purpose", "started_at", "finished_at", "outcome", "message", "platform_message"),
    *("code", "subcode", "request_id", "steps"),
)
FOUND_FOR_US = ("message", "platform_message")
MEMBER = ("user__email", "user__first_name", "user__last_name", "role", "created_at")
NOTIFICATION = ("kind", "title", "body", "account__name", "created_at", "resolved_at")
WEBHOOK = ("url", "description", "created_at")


def accounts_table(workspace: Workspace) -> Table:
    rows = ConnectedAccount.objects.of(workspace).values_list(*ACCOUNT, "granted_scopes")
    told = ((*row[:-1], " ".join(row[-1])) for row in rows.iterator(ROWS))
    return Table("accounts", "", columns(*ACCOUNT, "granted_scopes"), told)


def publications_table(workspace: Workspace) -> Table:
    rows = Publication.objects.filter(post__workspace=workspace).order_by("created_at", "pk")
    return Table("publications", "", columns(*PUBLICATION), rows.values_list(*PUBLICATION).iterator(ROWS))


def events_table(workspace: Workspace) -> Table:
    rows = PublicationEvent.objects.filter(publication__post__workspace=workspace).order_by("pk")
    kinds = [Column(key, key, Kind.TIME if key == "at" else Kind.TEXT) for key in EVENT]
    return Table("events", "", kinds, rows.values_list(*EVENT).iterator(ROWS))


def attempts_table(workspace: Workspace) -> Table:
    """What networks said may repeat what we sent them: cut as in the log."""
    rows = Attempt.objects.filter(publication__post__workspace=workspace).order_by("pk").values(*ATTEMPT)

    def told() -> Iterator[tuple[Any, ...]]:
        for row in rows.iterator(ROWS):
            steps = redact(json.dumps(row["steps"], cls=DjangoJSONEncoder, ensure_ascii=False))
            words = {name: redact(row[name]) for name in FOUND_FOR_US}
            yield tuple({**row, **words, "steps": steps}.values())

    return Table("attempts", "", columns(*ATTEMPT), told())


def members_table(workspace: Workspace) -> Table:
    rows = workspace.memberships.order_by("created_at", "pk").values_list(*MEMBER)
    return Table("members", "", columns(*MEMBER), rows.iterator(ROWS))


def notifications_table(workspace: Workspace) -> Table:
    rows = Notification.objects.filter(workspace=workspace).order_by("created_at", "pk")
    return Table("notifications", "", columns(*NOTIFICATION), rows.values_list(*NOTIFICATION).iterator(ROWS))


def webhooks_table(workspace: Workspace) -> Table:
    """Where webhooks go, without what may stand in such an address as a secret."""
    rows = WebhookEndpoint.objects.filter(workspace=workspace).order_by("created_at", "pk").values_list(*WEBHOOK)
    return Table("webhooks", "", columns(*WEBHOOK), ((redact(url), *rest) for url, *rest in rows.iterator(ROWS)))


TABLES = (
    accounts_table,
    publications_table,
    events_table,
    attempts_table,
    members_table,
    notifications_table,
    webhooks_table,
)
