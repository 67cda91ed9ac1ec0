"""The posts of all accounts with their figures, and the page of one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from analytics import cached
from analytics.filters import RATE, PostFilter
from analytics.models import PlatformPost
from analytics.reports import posts as reports
from analytics.reports.post import figures_of
from socialhub.http import HttpRequest

PER_PAGE = 20


@require_safe
def post_list(request: HttpRequest) -> HttpResponse:
    """The whole page; as a fragment what the filter found, or the rows after `?after=`."""
    form = PostFilter(request.GET, workspace=request.workspace)
    if not form.is_valid():
        return render(request, "analytics/posts.html", {"form": form}, status=422)
    page, sums = reports.page_of(form, PER_PAGE), sums_of(form)
    context: dict[str, Any] = {
        "form": form,
        "rows": page.rows,
        "next": page.next,
        "sums": sums,
        "names": sums.told,
        "columns": len(sums.told) + 2,
    }
    if request.htmx and form.cleaned_data["after"]:
        return render(request, "analytics/_posts_rows.html", context)
    context |= {"headings": form.headings((RATE, *sums.told)), "formula_note": reports.average_note()}
    return render(request, "analytics/posts.html", context)


def sums_of(form: PostFilter) -> reports.Sums:
    """What the list comes to. Neither its order nor the place in it matters, so it is kept while these change.

    Of a campaign, which is whatever somebody types, nothing is kept; its posts are few.
    """
    chosen = form.cleaned_data
    if chosen["campaign"]:
        return reports.sums_of(form.narrowed())
    named = " ".join(chosen[name] for name in ("period", "platform", "account", "kind", "made"))
    return cached.figures(form.workspace, f"posts {named}", lambda: reports.sums_of(form.narrowed()))


@require_safe
def post(request: HttpRequest, post_id: UUID) -> HttpResponse:
    """What one platform post has come to, wherever it was made."""
    posts = reports.shown(PlatformPost.objects.filter(account__workspace=request.workspace))
    context = {
        "figures": figures_of(reports.as_listed(get_object_or_404(posts, pk=post_id))),
        "formula_note": reports.FORMULA_NOTE,
    }
    return render(request, "analytics/post.html", context)
