"""The library: media, image sets, templates, hashtag groups, and what is being written."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from publishing.models import (
    Autosave,
    CaptionTemplate,
    HashtagGroup,
    ImageSet,
    ImageSetItem,
    MediaFile,
    Rendition,
)
from socialhub.admin_books import Books, BooksInline, Operated, at, row_of, short


class RenditionInline(BooksInline):
    model = Rendition
    fields = ("spec", "content_type", "width", "height", "size_bytes", "created_at")
    readonly_fields = ("created_at",)


@admin.register(MediaFile)
class MediaFileAdmin(Books):
    list_display = (
        *("original_name", row_of("workspace", _("workspace"), "accounts_workspace"), "kind", "width", "height"),
        *("size_bytes", "uploaded_by", at("created_at", _("uploaded"))),
    )
    list_filter = ("kind", "content_type", "created_at")
    list_select_related = ("workspace", "uploaded_by")
    search_fields = ("original_name", "sha256__exact", "workspace__name", "uploaded_by__email")
    search_help_text = _("Name of the file, workspace, e-mail of who uploaded it, id, or SHA-256")
    id_fields = ("pk", "workspace")
    ordering = ("-created_at",)
    inlines = (RenditionInline,)
    fields = (
        *("id", "workspace", "uploaded_by", "original_name", "kind", "content_type", "width", "height", "size_bytes"),
        *("facts", "focus_x", "focus_y", "alt_text", "sha256", "stored_path", "thumbnail_path", "created_at"),
    )

    @admin.display(description=_("stored as"))
    def stored_path(self, row: MediaFile) -> str:
        """Its name in the storage. Files are served to members only, so a link would lead nowhere."""
        return row.file.name or "–"

    @admin.display(description=_("thumbnail stored as"))
    def thumbnail_path(self, row: MediaFile) -> str:
        return row.thumbnail.name or "–"


@admin.register(Rendition)
class RenditionAdmin(Books):
    list_display = ("media", "spec", "content_type", "width", "height", "size_bytes", at("created_at", _("made")))
    list_filter = ("content_type", "created_at")
    list_select_related = ("media",)
    search_fields = ("spec", "media__original_name")
    id_fields = ("media",)
    ordering = ("-pk",)
    fields = ("media", "spec", "content_type", "width", "height", "size_bytes", "stored_path", "created_at")

    @admin.display(description=_("stored as"))
    def stored_path(self, row: Rendition) -> str:
        return row.file.name or "–"


class ImageSetItemInline(admin.TabularInline):
    model = ImageSetItem
    extra = 0
    raw_id_fields = ("media",)


@admin.register(ImageSet)
class ImageSetAdmin(Operated):
    list_display = (
        *("title", row_of("workspace", _("workspace"), "accounts_workspace"), "images", "created_by"),
        at("updated_at", _("changed")),
    )
    list_filter = ("updated_at",)
    list_select_related = ("workspace", "created_by")
    search_fields = ("title", "workspace__name", "created_by__email")
    id_fields = ("pk", "workspace")
    autocomplete_fields = ("workspace", "created_by")
    inlines = (ImageSetItemInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImageSet]:
        return super().get_queryset(request).annotate(image_count=Count("items"))

    @admin.display(description=_("images"), ordering="image_count")
    def images(self, image_set: Any) -> int:
        return int(image_set.image_count)


@admin.register(CaptionTemplate)
class CaptionTemplateAdmin(Operated):
    list_display = (
        *("name", row_of("workspace", _("workspace"), "accounts_workspace"), "start"),
        at("created_at", _("made")),
    )
    list_select_related = ("workspace",)
    search_fields = ("name", "body", "workspace__name")
    id_fields = ("pk", "workspace")
    autocomplete_fields = ("workspace",)

    @admin.display(description=_("text"))
    def start(self, template: CaptionTemplate) -> str:
        return short(template.body)


@admin.register(HashtagGroup)
class HashtagGroupAdmin(Operated):
    list_display = ("name", row_of("workspace", _("workspace"), "accounts_workspace"), "tags")
    list_select_related = ("workspace",)
    search_fields = ("name", "workspace__name")
    id_fields = ("pk", "workspace")
    autocomplete_fields = ("workspace",)

    @admin.display(description=_("hashtags"))
    def tags(self, group: HashtagGroup) -> str:
        return short(" ".join(f"#{tag}" for tag in group.hashtags))


@admin.register(Autosave)
class AutosaveAdmin(Books):
    """That somebody is writing, and since when; not what: it is nobody's business before it is a post."""

    list_display = (
        *("key", "user", row_of("workspace", _("workspace"), "accounts_workspace"), "post"),
        at("updated_at", _("typed")),
    )
    list_select_related = ("user", "workspace", "post")
    search_fields = ("user__email", "workspace__name")
    id_fields = ("key", "workspace", "post")
    ordering = ("-updated_at",)
    fields = ("user", "workspace", "post", "key", "updated_at")
