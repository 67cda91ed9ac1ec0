"""The list of posts, and the page of one: its progress, its result and everything that happened to it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import Prefetch
from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.access import editor_required
from publishing import schedule
from publishing.forms.posts import PostFilterForm
from publishing.models import Post, PostMedia, Publication, Status
from publishing.report import report_of
from publishing.states import IllegalMove, LostRace
from publishing.views.progress import detail_context
from socialhub.http import HttpRequest

PER_PAGE = 20


@require_GET
def post_list(request: HttpRequest) -> HttpResponse:
    posts = Post.objects.of(request.workspace)
    form = PostFilterForm(request.GET, workspace=request.workspace)
    valid = form.is_valid()
    found = list(
        (form.filtered(posts) if valid else posts.none())
        .order_by("-created_at", "-pk")
        .prefetch_related(
            Prefetch("publications", Publication.objects.select_related("account").order_by("account__platform")),
            Prefetch("post_media", PostMedia.objects.select_related("media").order_by("position")),
        )[: PER_PAGE + 1]
    )
    context: dict[str, Any] = {
        "form": form,
        "posts": found[:PER_PAGE],
        "next_query": next_query(request.GET, found[PER_PAGE - 1]) if len(found) > PER_PAGE else "",
        "filtered": form.is_narrowing,
        "narrowed_by_field": any(form.data.get(name) for name in ("status", "platform", "account", "campaign")),
    }
    template = "publishing/_post_list.html" if request.htmx else "publishing/post_list.html"
    return render(request, template, context, status=200 if valid else 422)


def next_query(current: QueryDict, last: Post) -> str:
    query = current.copy()
    query["after"] = f"{last.created_at.isoformat()}_{last.pk}"
    return query.urlencode()


@require_GET
def post_detail(request: HttpRequest, post_id: UUID) -> HttpResponse:
    post = get_object_or_404(Post.objects.of(request.workspace).select_related("author", "image_set"), pk=post_id)
    return render(request, "publishing/post_detail.html", detail_context(request, post))


@editor_required
@require_GET
def post_report(request: HttpRequest, post_id: UUID) -> HttpResponse:
    """Everything that we know of the post, as a file for whoever helps."""
    post = get_object_or_404(Post.objects.of(request.workspace), pk=post_id)
    response = JsonResponse(report_of(post, request.user), json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="post-{post.pk}.json"'
    response["Cache-Control"] = "no-store"
    return response


@editor_required
@require_POST
def post_cancel(request: HttpRequest, post_id: UUID) -> HttpResponse:
    post = get_object_or_404(Post.objects.of(request.workspace), pk=post_id)
    try:
        schedule.cancel(post, by=request.user)
    except (LostRace, IllegalMove):
        messages.error(request, _("It was too late to cancel: publishing has begun. Look below how it is going."))
    else:
        messages.success(request, _("Cancelled. The post is a draft again; nothing was published."))
    return redirect(post)


@editor_required
@require_POST
def post_delete(request: HttpRequest, post_id: UUID) -> HttpResponse:
    """Drafts only: what went out, or may have, keeps its record."""
    post = get_object_or_404(Post.objects.of(request.workspace), pk=post_id)
    with transaction.atomic():
        Post.objects.select_for_update().get(pk=post.pk)
        if post.publications.exclude(status=Status.DRAFT).exists():
            messages.error(request, _("Only drafts can be deleted. Cancel the post first."))
            return redirect(post)
        post.delete()
    messages.success(request, _("The draft is deleted."))
    return redirect("publishing:post_list")
