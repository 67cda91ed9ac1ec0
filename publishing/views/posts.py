"""The list of posts, and the page of one: its progress, its result and everything that happened to it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Prefetch, Value
from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.access import editor_required
from accounts.models import Workspace
from publishing import bulk, compose, intake, schedule
from publishing.bulk import Act
from publishing.forms.posts import TABS, PostFilterForm, stuck
from publishing.models import Post, PostMedia, Publication
from publishing.report import report_of
from publishing.states import IllegalMove, LostRace
from publishing.views.progress import detail_context
from socialhub.http import HttpRequest

PER_PAGE = 20
COUNTED = 99  # a tab says how many there are up to here


@dataclass(frozen=True, slots=True)
class Row:
    """A post as the list shows it."""

    post: Post
    acts: list[Act]
    is_editable: bool

    @property
    def published_at(self) -> datetime | None:
        """When the first of it went out."""
        return min((one.published_at for one in self.post.publications.all() if one.published_at), default=None)


@require_GET
def post_list(request: HttpRequest) -> HttpResponse:
    form = PostFilterForm(request.GET, workspace=request.workspace)
    valid = form.is_valid()
    found = []
    if valid:
        found = list(
            form.narrowed()
            .select_related("assembly")
            .prefetch_related(
                Prefetch("publications", Publication.objects.select_related("account").order_by("account__platform")),
                Prefetch("post_media", PostMedia.objects.select_related("media").order_by("position")),
            )[: PER_PAGE + 1]
        )
    posts = found[:PER_PAGE]
    has_more = len(found) > PER_PAGE
    context: dict[str, Any] = {
        "form": form,
        "posts": posts,
        "rows": [Row(post, bulk.acts_for(post), compose.is_editable(post.publications.all())) for post in posts],
        "next_query": next_query(request.GET, form, posts[-1]) if has_more else "",
        "filtered": form.is_narrowing,
        "may_edit": request.membership.may_edit,
        "list_query": form.address().removeprefix("?"),
    }
    if request.htmx and request.htmx.target != "posts_found":
        return render(request, "publishing/_post_list.html", context, status=200 if valid else 422)
    context["counts"] = tab_counts(request.workspace)
    template = "publishing/_posts_found.html" if request.htmx else "publishing/post_list.html"
    response = render(request, template, context, status=200 if valid else 422)
    if request.htmx:
        # Without the fields that are empty.
        response["HX-Push-Url"] = request.path + form.address()
    return response


def next_query(current: QueryDict, form: PostFilterForm, last: Post) -> str:
    query = current.copy()
    query["after"] = f"{form.sorting.place_of(last).isoformat()}_{last.pk}"
    return query.urlencode()


def tab_counts(workspace: Workspace) -> dict[str, str]:
    """How many posts wait under the tabs where that is worth knowing; at most a hundred of each are counted."""
    asked = [key for key in TABS if key != "published"]
    posts = Post.objects.of(workspace)
    parts = [(key, posts.filter(status__in=TABS[key][1])) for key in asked]
    first, *others = (
        part.annotate(tab=Value(key)).values_list("tab", flat=True)[: COUNTED + 1]
        for key, part in (*parts, ("attention", stuck(workspace)))
    )
    counts = Counter(first.union(*others, all=True))
    return {key: f"{COUNTED}+" if counts[key] > COUNTED else str(counts[key]) for key in asked if counts[key]}


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
def post_fetch(request: HttpRequest, post_id: UUID) -> HttpResponse:
    """Fetch again the files that could not be had; then what was intended goes on, for whoever asks now."""
    post = get_object_or_404(Post.objects.of(request.workspace), pk=post_id)
    try:
        asked = intake.retry(post, by=request.user)
    except (compose.NotEditable, LostRace):
        asked = False
    if asked:
        messages.success(request, _("The files are being fetched again."))
    else:
        messages.info(request, _("There is nothing to fetch for this post any more."))
    return redirect(post)
