"""Files that are fetched from addresses, and the posts that wait for them."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from publishing.intake import host_of
from publishing.models import MediaFetch, PostAssembly
from socialhub.admin_books import Books, at, badge, row_of, short


@admin.register(MediaFetch)
class MediaFetchAdmin(Books):
    """Of the address only the host is shown: the rest may open the file to anybody."""

    list_display = (
        *("host", row_of("post", _("post"), "publishing_post"), "position", badge("status", _("status")), "attempts"),
        *(at("not_before", _("not before")), at("lease_until", _("in hand until")), "trouble"),
    )
    list_filter = ("status", "created_at")
    list_select_related = ("post",)
    search_fields = ("message", "post__workspace__name")
    search_help_text = _("Words of the trouble, name of the workspace, or an id")
    id_fields = ("pk", "post", "media")
    ordering = ("-created_at",)
    exclude = ("url",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[MediaFetch]:
        return super().get_queryset(request).select_related("post", "media")

    @admin.display(description=_("host"))
    def host(self, row: MediaFetch) -> str:
        return host_of(row.url)

    @admin.display(description=_("trouble"))
    def trouble(self, row: MediaFetch) -> str:
        return short(row.message)


@admin.register(PostAssembly)
class PostAssemblyAdmin(Books):
    list_display = (
        *(row_of("post", _("post"), "publishing_post"), "intent", at("at", _("planned for")), "by"),
        *(at("created_at", _("asked")), at("failed_at", _("given up")), "trouble"),
    )
    list_display_links = ("intent",)
    list_filter = ("intent", ("failed_at", admin.EmptyFieldListFilter))
    list_select_related = ("post", "by")
    search_fields = ("message", "by__email", "post__workspace__name")
    search_help_text = _("Words of the trouble, e-mail of who asked, name of the workspace, or an id")
    id_fields = ("post",)
    ordering = ("-created_at",)

    @admin.display(description=_("trouble"))
    def trouble(self, row: PostAssembly) -> str:
        return short(row.message)
