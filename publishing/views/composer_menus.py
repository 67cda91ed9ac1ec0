"""What the composer offers behind a press: caption templates, hashtag groups, the library. Read when it is opened."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import Exists, QuerySet
from django.http import HttpResponse
from django.shortcuts import render

from accounts.models import Workspace
from publishing.forms.fields import uuids
from publishing.models import CaptionTemplate, HashtagGroup, ImageSet, MediaFile
from socialhub.http import HttpRequest

RECENT_MEDIA = 24
MENUS = ("template", "group", "library")


def filled(workspace: Workspace, media_ids: Collection[UUID]) -> dict[str, bool]:
    """Which of the menus hold anything. One query."""
    held = {f"has_{key}": Exists(rows_of(key, workspace, media_ids)) for key in MENUS}
    found = Workspace.objects.filter(pk=workspace.pk).annotate(**held).values(*held).get()
    return {key: found[f"has_{key}"] for key in MENUS}


def rows_of(menu: str, workspace: Workspace, media_ids: Collection[UUID]) -> QuerySet[Any]:
    """media_ids: what the post holds already."""
    if menu == "template":
        return CaptionTemplate.objects.filter(workspace=workspace)
    if menu == "group":
        return HashtagGroup.objects.filter(workspace=workspace)
    return MediaFile.objects.filter(workspace=workspace).exclude(pk__in=media_ids).order_by("-created_at")


def opened(menu: str, workspace: Workspace, media_ids: Collection[UUID], image_set: ImageSet | None) -> dict[str, Any]:
    """What the template of a menu needs. image_set: what fills the placeholders of caption templates."""
    rows = rows_of(menu, workspace, media_ids)
    return {"menu": menu, "offers": rows[:RECENT_MEDIA] if menu == "library" else rows, "image_set": image_set}


def asked(request: HttpRequest) -> str:
    """The menu that was opened on the page; "" where a whole page is wanted."""
    menu = request.GET.get("menu", "")
    return menu if request.htmx and menu in MENUS else ""


def answer(request: HttpRequest, menu: str, action_url: str) -> HttpResponse:
    """What stands in the menu, alone. The address says of which image set, and which media the post holds."""
    sets = ImageSet.objects.filter(workspace=request.workspace, pk__in=uuids(request.GET.getlist("set")))
    context = opened(menu, request.workspace, uuids(request.GET.getlist("media")), sets.first())
    return render(request, "publishing/_composer_offers.html", {**context, "action_url": action_url})
