"""The library: image sets with their images, caption templates, hashtag groups."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, F, Max, OuterRef, Prefetch, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.access import editor_required
from publishing import captions, image_sets
from publishing.forms.library import (
    AltTextForm,
    CaptionTemplateForm,
    CursorForm,
    HashtagGroupForm,
    ImagesForm,
    LibraryQuery,
    MoveForm,
    NewSetForm,
    OrderForm,
    PreviewForm,
    SetForm,
)
from publishing.models import CaptionTemplate, HashtagGroup, ImageSet, ImageSetItem, MediaFile, Post
from socialhub.guards import paced
from socialhub.http import HttpRequest
from socialhub.platforms.base import MediaKind
from socialhub.platforms.rules import RULES

PAGE_SIZE = 24
COVER_IMAGES = 4
PREVIEW_SETS = 50
POSTS_SHOWN = 4


# --- Image sets -----------------------------------------------------------------------------------------------


def sets_of(request: HttpRequest) -> QuerySet[ImageSet]:
    return ImageSet.objects.filter(workspace=request.workspace)


def with_covers(sets: QuerySet[ImageSet]) -> QuerySet[ImageSet]:
    """Newest first, each with its first items (`cover`), how many there are (`image_count`, `video_count`), and
    when somebody last wrote a post from it (`used_at`).
    """
    first = ImageSetItem.objects.select_related("media").order_by("position")[:COVER_IMAGES]
    posts = Post.objects.filter(image_set=OuterRef("pk")).order_by().values("image_set")
    return (
        sets.annotate(
            image_count=number_of(MediaKind.IMAGE),
            video_count=number_of(MediaKind.VIDEO),
            used_at=Subquery(posts.annotate(newest=Max("created_at")).values("newest")),
        )
        .prefetch_related(Prefetch("items", queryset=first, to_attr="cover"))
        .order_by("-updated_at", "-pk")
    )


def number_of(kind: MediaKind) -> Coalesce:
    items = ImageSetItem.objects.filter(image_set=OuterRef("pk"), media__kind=kind).order_by().values("image_set")
    return Coalesce(Subquery(items.annotate(count=Count("pk")).values("count")), 0)


def found_by(sets: QuerySet[ImageSet], text: str) -> QuerySet[ImageSet]:
    """Those that hold every word of the text in their title, details or hashtags."""
    words = text.split()
    if not words:
        return sets
    parts = (F("title"), Value(" "), Cast("details", TextField()), Value(" "), Cast("hashtags", TextField()))
    searched = Concat(*parts, output_field=TextField())
    found = sets.alias(searched=searched)
    for word in words:
        found = found.filter(searched__icontains=word.lstrip("#") or word)
    return found


@require_safe
def library(request: HttpRequest) -> HttpResponse:
    """The sets, newest first; with htmx only those after a place, or what a search has found."""
    query = LibraryQuery(request.GET)
    cursor = CursorForm(request.GET).cursor()
    text = query.text()
    sets = with_covers(found_by(sets_of(request), text))
    if cursor:
        before, last = cursor
        # The first condition repeats the second, so that the index finds the place at once.
        sets = sets.filter(Q(updated_at__lte=before), Q(updated_at__lt=before) | Q(updated_at=before, pk__lt=last))
    page = list(sets[: PAGE_SIZE + 1])
    context = {
        "sets": page[:PAGE_SIZE],
        "next_after": page[PAGE_SIZE - 1] if len(page) > PAGE_SIZE else None,
        "is_first_page": cursor is None,
        "query": query,
        "text": text,
        "may_edit": request.membership.may_edit,
        "tab": "sets",
    }
    if not request.htmx or request.htmx.history_restore_request:
        return render(request, "publishing/library.html", context)
    return render(request, "publishing/_library_sets.html" if cursor else "publishing/_library_results.html", context)


@editor_required
def set_new(request: HttpRequest) -> HttpResponse:
    form = NewSetForm(request.POST or None)
    if request.method == "POST":
        form = NewSetForm(request.POST)
        if form.is_valid():
            form.instance.workspace, form.instance.created_by = request.workspace, request.user
            return redirect("publishing:set_detail", form.save().pk)
    return render(request, "publishing/set_new.html", {"form": form}, status=422 if form.errors else 200)


def set_page(request: HttpRequest, image_set: ImageSet, *, status: int = 200, **context: Any) -> HttpResponse:
    """The whole page of a set; what a form of it got wrong comes with the context."""
    items = items_of(image_set)
    posts = list(image_set.posts.order_by("-created_at")[: POSTS_SHOWN + 1])
    return render(
        request,
        "publishing/set_detail.html",
        {
            "image_set": image_set,
            "items": items,
            "undescribed": undescribed(items),
            "posts": posts[:POSTS_SHOWN],
            "has_more_posts": len(posts) > POSTS_SHOWN,
            "meaning_of_delete": meaning_of_delete(image_set),
            "form": SetForm(instance=image_set),
            "images_form": ImagesForm(),
            "max_bytes": settings.UPLOAD_MAX_BYTES,
            "max_video_bytes": settings.UPLOAD_VIDEO_MAX_BYTES,
            "may_edit": request.membership.may_edit,
            **context,
        },
        status=status,
    )


def items_of(image_set: ImageSet) -> list[ImageSetItem]:
    return list(image_set.items.select_related("media").order_by("position"))


def undescribed(items: list[ImageSetItem]) -> list[ImageSetItem]:
    """Those that somebody who cannot see them learns nothing about."""
    return [item for item in items if not item.media.alt_text.strip()]


def uses_of(image_set: ImageSet) -> dict[str, int]:
    """How many posts were made from a set, and how many of them have not gone out."""
    waiting = Q(status__in=(Post.Summary.DRAFT, Post.Summary.SCHEDULED))
    return image_set.posts.aggregate(all=Count("pk"), waiting=Count("pk", filter=waiting))


def meaning_of_delete(image_set: ImageSet) -> str:
    uses = uses_of(image_set)
    gone = _("Its title, details and order go for good.")
    if not uses["all"]:
        return gone + " " + _("No post was made from it.")
    kept = ngettext(
        "%(number)d post was made from it; it keeps its images and videos.",
        "%(number)d posts were made from it; they keep their images and videos.",
        uses["all"],
    ) % {"number": uses["all"]}
    return f"{gone} {kept}"


@require_safe
def set_detail(request: HttpRequest, set_id: UUID) -> HttpResponse:
    return set_page(request, get_object_or_404(sets_of(request), pk=set_id))


@require_POST
@editor_required
def set_edit(request: HttpRequest, set_id: UUID) -> HttpResponse:
    image_set = get_object_or_404(sets_of(request), pk=set_id)
    title = image_set.title
    form = SetForm(request.POST, instance=image_set)
    if not form.is_valid():
        image_set.title = title  # the page is still headed by what is stored
        return set_page(request, image_set, form=form, status=422)
    form.save()
    messages.success(request, _("Saved."))
    return redirect("publishing:set_detail", image_set.pk)


@editor_required
def set_delete(request: HttpRequest, set_id: UUID) -> HttpResponse:
    image_set = get_object_or_404(sets_of(request), pk=set_id)
    if request.method == "POST":
        image_set.delete()
        messages.success(request, _("“%(title)s” is deleted.") % {"title": image_set.title})
        return redirect("publishing:library")
    return confirm_delete(
        request,
        image_set.title,
        meaning_of_delete(image_set),
        reverse("publishing:set_delete", args=[image_set.pk]),
        reverse("publishing:set_detail", args=[image_set.pk]),
    )


def confirm_delete(request: HttpRequest, name: str, meaning: str, action: str, back: str) -> HttpResponse:
    return render(
        request,
        "publishing/library_delete.html",
        {"name": name, "meaning": meaning, "action": action, "back": back},
    )


@require_POST
@editor_required
@paced("upload")
def set_upload(request: HttpRequest, set_id: UUID) -> HttpResponse:
    """Several files from the plain form, or one by one from the script, which shows each file's own progress."""
    image_set = get_object_or_404(sets_of(request).select_related("workspace"), pk=set_id)
    form = ImagesForm(request.POST, request.FILES)
    added: list[ImageSetItem] = []
    if form.is_valid():
        uploaded = image_sets.upload(image_set, request.user, form.cleaned_data["images"])
        added = uploaded.added
        for sentence in uploaded.refused:
            form.add_error("images", sentence)
    if request.htmx:
        if form.errors:
            return HttpResponse(
                "\n".join(str(sentence) for sentence in form.errors["images"]),
                status=422,
                content_type="text/plain; charset=utf-8",
            )
        context = {"image_set": image_set, "may_edit": True}
        rows = [render_to_string("publishing/_set_image.html", {**context, "item": item}, request) for item in added]
        return HttpResponse("".join(rows))
    if form.errors:
        return set_page(request, image_set, images_form=form, added_count=len(added), status=422)
    return redirect("publishing:set_detail", image_set.pk)


@require_POST
@editor_required
def set_order(request: HttpRequest, set_id: UUID) -> HttpResponse:
    image_set = get_object_or_404(sets_of(request), pk=set_id)
    form = OrderForm(request.POST, image_set=image_set)
    try:
        if not form.is_valid():
            raise image_sets.OrderChanged
        image_sets.reorder(image_set, form.ordered())
    except image_sets.OrderChanged:
        messages.warning(request, _("Somebody changed this set meanwhile. Here is how it looks now; try again."))
        return images_answer(request, image_set)
    return HttpResponse(status=204)


def images_answer(request: HttpRequest, image_set: ImageSet) -> HttpResponse:
    """The images of the set as a fragment, or back to its page."""
    if not request.htmx:
        return redirect("publishing:set_detail", image_set.pk)
    items = items_of(image_set)
    context = {
        "image_set": image_set,
        "items": items,
        "undescribed": undescribed(items),
        "may_edit": request.membership.may_edit,
    }
    return render(request, "publishing/_set_images.html", context)


@require_POST
@editor_required
def image_move(request: HttpRequest, set_id: UUID, media_id: UUID) -> HttpResponse:
    image_set = get_object_or_404(sets_of(request), pk=set_id)
    form = MoveForm(request.POST)
    if form.is_valid():
        image_sets.move(image_set, media_id, form.cleaned_data["by"])
    return images_answer(request, image_set)


@require_POST
@editor_required
def image_remove(request: HttpRequest, set_id: UUID, media_id: UUID) -> HttpResponse:
    image_set = get_object_or_404(sets_of(request), pk=set_id)
    image_sets.remove(image_set, media_id)
    return images_answer(request, image_set)


@require_POST
@editor_required
def image_alt(request: HttpRequest, set_id: UUID, media_id: UUID) -> HttpResponse:
    image_set = get_object_or_404(sets_of(request), pk=set_id)
    media = get_object_or_404(MediaFile, image_sets=image_set, pk=media_id)
    form = AltTextForm(request.POST, instance=media)
    is_saved = form.is_valid()
    if is_saved:
        form.save()
    if request.htmx:
        context = {"form": form, "is_saved": is_saved}
        return render(request, "publishing/_image_alt_status.html", context, status=200 if is_saved else 422)
    if is_saved:
        messages.success(request, _("Saved."))
        return redirect(reverse("publishing:set_detail", args=[image_set.pk]) + f"#image-{media.pk}")
    return set_page(request, image_set, alt_form=form, alt_media=media.pk, status=422)


# --- Caption templates ----------------------------------------------------------------------------------------


def templates_of(request: HttpRequest) -> QuerySet[CaptionTemplate]:
    return CaptionTemplate.objects.filter(workspace=request.workspace)


@require_safe
def template_list(request: HttpRequest) -> HttpResponse:
    context = {"templates": templates_of(request), "may_edit": request.membership.may_edit, "tab": "templates"}
    return render(request, "publishing/template_list.html", context)


@editor_required
def template_new(request: HttpRequest) -> HttpResponse:
    return template_form(request, CaptionTemplate())


@editor_required
def template_edit(request: HttpRequest, template_id: UUID) -> HttpResponse:
    return template_form(request, get_object_or_404(templates_of(request), pk=template_id))


def template_form(request: HttpRequest, template: CaptionTemplate) -> HttpResponse:
    """One page for a new and an old template. The button "Preview" shows without saving."""
    is_new, name = template._state.adding, template.name
    wants_preview = "preview" in request.POST
    data = request.POST if request.method == "POST" else None
    form = CaptionTemplateForm(data, instance=template, workspace=request.workspace)
    if data is not None and not wants_preview and form.saved():
        messages.success(request, _("The template is saved."))
        return redirect("publishing:template_list")
    preview_form = PreviewForm(data, workspace=request.workspace)
    has_errors = data is not None and not wants_preview
    if wants_preview:
        form = CaptionTemplateForm(
            initial={"name": request.POST.get("name"), "body": request.POST.get("body")},
            instance=template,
            workspace=request.workspace,
        )
    return render(
        request,
        "publishing/template_form.html",
        {
            "form": form,
            "template": template,
            "name": name,
            "is_new": is_new,
            **preview_of(request, preview_form, template.body if data is None else request.POST.get("body", "")),
        },
        status=422 if has_errors else 200,
    )


def preview_of(request: HttpRequest, form: PreviewForm, body: str) -> dict[str, Any]:
    """What a preview shows: the filled text and what it lacks, from the chosen set or else the newest."""
    chosen = form.cleaned_data.get("set") if form.is_bound and form.is_valid() else None
    sets = list(sets_of(request).order_by("-updated_at")[:PREVIEW_SETS])
    chosen = chosen or (sets[0] if sets else None)
    return {
        "sets": sets,
        "chosen": chosen,
        "filled": captions.fill(body, chosen),
        "placeholders": captions.placeholders(chosen),
    }


@require_POST
@editor_required
def template_preview(request: HttpRequest) -> HttpResponse:
    form = PreviewForm(request.POST, workspace=request.workspace)
    return render(
        request, "publishing/_template_preview.html", preview_of(request, form, request.POST.get("body", "")[:10_000])
    )


@editor_required
def template_delete(request: HttpRequest, template_id: UUID) -> HttpResponse:
    template = get_object_or_404(templates_of(request), pk=template_id)
    if request.method == "POST":
        template.delete()
        messages.success(request, _("“%(name)s” is deleted.") % {"name": template.name})
        return redirect("publishing:template_list")
    return confirm_delete(
        request,
        template.name,
        _("Captions that were written with it stay as they are."),
        reverse("publishing:template_delete", args=[template.pk]),
        reverse("publishing:template_edit", args=[template.pk]),
    )


# --- Hashtag groups -------------------------------------------------------------------------------------------


def groups_of(request: HttpRequest) -> QuerySet[HashtagGroup]:
    return HashtagGroup.objects.filter(workspace=request.workspace)


@require_safe
def hashtag_list(request: HttpRequest) -> HttpResponse:
    context = {"groups": groups_of(request), "may_edit": request.membership.may_edit, "tab": "hashtags"}
    return render(request, "publishing/hashtag_list.html", context)


@editor_required
def hashtag_new(request: HttpRequest) -> HttpResponse:
    return hashtag_form(request, HashtagGroup())


@editor_required
def hashtag_edit(request: HttpRequest, group_id: UUID) -> HttpResponse:
    return hashtag_form(request, get_object_or_404(groups_of(request), pk=group_id))


def hashtag_form(request: HttpRequest, group: HashtagGroup) -> HttpResponse:
    is_new, name = group._state.adding, group.name
    data = request.POST if request.method == "POST" else None
    form = HashtagGroupForm(data, instance=group, workspace=request.workspace)
    if data is not None and form.saved():
        messages.success(request, _("The hashtag group is saved."))
        return redirect("publishing:hashtag_list")
    limits = [(rules.label, rules.hashtag_limit) for rules in RULES.values() if rules.hashtag_limit is not None]
    context = {"form": form, "group": group, "name": name, "is_new": is_new, "limits": limits}
    return render(request, "publishing/hashtag_form.html", context, status=200 if data is None else 422)


@editor_required
def hashtag_delete(request: HttpRequest, group_id: UUID) -> HttpResponse:
    group = get_object_or_404(groups_of(request), pk=group_id)
    if request.method == "POST":
        group.delete()
        messages.success(request, _("“%(name)s” is deleted.") % {"name": group.name})
        return redirect("publishing:hashtag_list")
    return confirm_delete(
        request,
        group.name,
        _("Posts that were written with it stay as they are."),
        reverse("publishing:hashtag_delete", args=[group.pk]),
        reverse("publishing:hashtag_edit", args=[group.pk]),
    )
