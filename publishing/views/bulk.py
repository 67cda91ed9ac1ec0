"""One act on many posts: what it would do is shown first, then it is done."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.access import editor_required
from publishing import bulk
from publishing.bulk import Act, Skipped
from publishing.forms.bulk import BulkForm, PlacingForm
from publishing.models import Post, Publication
from socialhub.http import HttpRequest


@editor_required
@require_POST
def post_bulk(request: HttpRequest) -> HttpResponse:
    """`step`: nothing for the first look, "preview" for another look with other times, "do" to go on with it."""
    form = BulkForm(request.POST)
    if not form.is_valid():
        return answer(request, {"form": form, "way_back": way_back(form, [])}, status=422)
    posts = chosen(request, form)
    act, step = form.act_chosen, request.POST.get("step", "")
    if not posts:  # pressed twice, or in two tabs
        report = bulk.Report(act)
        report.skip(Skipped.GONE, len(form.ids))
        messages.warning(request, report.text)
        return redirect(way_back(form, []))
    placing_form = None
    if act is Act.RESCHEDULE:
        placing_form = (
            PlacingForm(request.POST, user=request.user) if step else PlacingForm.at_first(request.user, posts)
        )
    is_sound = placing_form is None or placing_form.is_valid()
    if placing_form and step == "do":
        placing_form.focus_first_error()
    placing = placing_form.placing if placing_form else None
    if is_sound and (step == "do" or act is Act.RETRY):
        report = bulk.perform(act, posts, by=request.user, placing=placing, told=form.told)
        report.skip(Skipped.GONE, len(form.ids) - len(posts))
        tell = messages.success if report.done else messages.warning
        tell(request, report.text)
        return redirect(way_back(form, posts if act is not Act.DELETE else []))
    lines = bulk.outlook(act, posts, placing)
    going = [line for line in lines if not line.skipped]
    context = {
        "form": form,
        "act": act,
        "placing": placing_form,
        "is_preview": request.htmx and step == "preview",  # the fields stay as they are typed in, only this comes new
        "lines": going,
        "doubtful": [line for line in going if act is Act.DELETE and line.doubtful],
        "skipped": [line for line in lines if line.skipped],
        "gone": len(form.ids) - len(posts),
        "ids": form.ids,  # of those that are gone, too: the report in the end is on all that were chosen
        "way_back": way_back(form, posts),
    }
    return answer(request, context, status=200 if is_sound else 422)


def chosen(request: HttpRequest, form: BulkForm) -> list[Post]:
    """Those of the workspace; the ids of others name nothing here."""
    return list(
        Post.objects.of(request.workspace)
        .filter(pk__in=form.ids)
        .prefetch_related(Prefetch("publications", Publication.objects.select_related("account")))
    )


def answer(request: HttpRequest, context: dict[str, Any], status: int) -> HttpResponse:
    """A page; for htmx what stands in it, in a dialog when it is asked for from the list."""
    template, in_dialog = "publishing/post_bulk.html", False
    if request.htmx:
        is_open = request.htmx.target != "bulk_place"
        template = "publishing/_post_bulk.html" if is_open else "publishing/_post_bulk_dialog.html"
        in_dialog = not is_open or bool(request.POST.get("dialog"))
    return render(request, template, {**context, "in_dialog": in_dialog}, status=status)


def way_back(form: BulkForm, posts: list[Post]) -> str:
    """The list as it was narrowed; or the post, when it was asked for there."""
    if form.cleaned_data.get("back") and len(posts) == 1:
        return posts[0].get_absolute_url()
    query = form.cleaned_data.get("query", "")
    address = reverse("publishing:post_list")
    return f"{address}?{query}" if query else address
