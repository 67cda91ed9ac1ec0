"""The first run of a workspace, a page for each of its three steps; each can be skipped, each does its real work."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import outcome
from accounts.access import editor_required
from accounts.forms import BufferKeyForm
from accounts.models import ConnectedAccount
from accounts.overview import Wanted, overview, pages_without_instagram
from analytics.first_run import FirstRun, Step, begin_again, first_run, skip
from analytics.forms import SkipForm
from publishing import image_sets
from publishing.forms.library import FirstSetForm
from publishing.models import ImageSet
from publishing.views.library import with_covers
from socialhub.demo import make_demo
from socialhub.guards import brings_files, paced
from socialhub.http import HttpRequest

SHOWN_KEY = "first_runs_shown"  # ids of workspaces


def leads_here(request: HttpRequest, run: FirstRun) -> bool:
    """Is this somebody whom the dashboard leads through the first run? Once in a session: nobody is held in it."""
    shown = request.session.get(SHOWN_KEY, [])
    workspace = str(request.workspace.pk)
    if not (run.is_untouched and request.membership.may_edit) or workspace in shown:
        return False
    request.session[SHOWN_KEY] = [*shown, workspace]
    return True


@require_safe
@editor_required
def welcome(request: HttpRequest) -> HttpResponse:
    return redirect(address_of(first_run(request.workspace).current))


def address_of(step: Step | None) -> str:
    """The page of a step; behind the last of them the dashboard."""
    return reverse(f"analytics:welcome_{step.key}") if step else reverse("analytics:dashboard")


def step_page(request: HttpRequest, key: str, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    run = first_run(request.workspace)
    before = run.before(key)
    return render(
        request,
        template,
        {
            "run": run,
            "step": run.step(key),
            "back": address_of(before) if before else "",
            "next": address_of(run.after(key)),
            **context,
        },
        status=status,
    )


@require_safe
@editor_required
def welcome_connect(request: HttpRequest) -> HttpResponse:
    """The same buttons as on the accounts page, in short. A connect that was begun here ends here."""
    happened = outcome.take(request)
    seen = overview(request.workspace, happened, Wanted())
    fresh = [card.account for card in seen.cards if card.is_new]
    lonely = [page for page in pages_without_instagram(seen.cards) if page in fresh]
    return step_page(
        request,
        "connect",
        "analytics/welcome_connect.html",
        overview=seen,
        direct=[entry for entry in seen.entries if not entry.connectable.is_through_buffer],
        through_buffer=[entry for entry in seen.entries if entry.connectable.is_through_buffer],
        happened=happened,
        lonely=lonely[0] if lonely and all(account.platform != "instagram" for account in fresh) else None,
        key_form=BufferKeyForm(auto_id="buffer-%s"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@editor_required
@paced("upload", when=brings_files)
def welcome_images(request: HttpRequest) -> HttpResponse:
    """A set with its files in one form; the script makes the set first, then sends file after file."""
    if request.method != "POST":
        return images_page(request, FirstSetForm())
    form = FirstSetForm(request.POST, request.FILES, files_follow=bool(request.htmx))
    if not form.is_valid():
        return images_page(request, form, status=422)
    form.instance.workspace, form.instance.created_by = request.workspace, request.user
    image_set = form.save()
    if request.htmx:
        return JsonResponse(
            {
                "upload": reverse("publishing:set_upload", args=[image_set.pk]),
                "order": reverse("publishing:set_order", args=[image_set.pk]),
                "next": reverse("analytics:welcome_post"),
            }
        )
    uploaded = image_sets.upload(image_set, request.user, form.cleaned_data["images"])
    if not uploaded.added:
        image_set.delete()
        for sentence in uploaded.refused:
            form.add_error("images", sentence)
        return images_page(request, form, status=422)
    for sentence in uploaded.refused:
        messages.warning(request, sentence)
    return redirect("analytics:welcome_post")


def images_page(request: HttpRequest, form: FirstSetForm, *, status: int = 200) -> HttpResponse:
    return step_page(
        request,
        "images",
        "analytics/welcome_images.html",
        status=status,
        form=form,
        newest=newest_set(request),
        max_bytes=settings.UPLOAD_MAX_BYTES,
        max_video_bytes=settings.UPLOAD_VIDEO_MAX_BYTES,
    )


def newest_set(request: HttpRequest) -> ImageSet | None:
    return with_covers(ImageSet.objects.filter(workspace=request.workspace)).first()


@require_POST
@editor_required
def welcome_example(request: HttpRequest) -> HttpResponse:
    """The set that a new installation comes with, for those who have no picture at hand."""
    image_set = make_demo(request.workspace, request.user)
    messages.success(request, _("“%(title)s” is in your library.") % {"title": image_set.title})
    return redirect("analytics:welcome_post")


@require_safe
@editor_required
def welcome_post(request: HttpRequest) -> HttpResponse:
    accounts = ConnectedAccount.objects.of(request.workspace).usable().aggregate(count=Count("pk"))["count"]
    return step_page(request, "post", "analytics/welcome_post.html", newest=newest_set(request), account_count=accounts)


@require_POST
@editor_required
def welcome_skip(request: HttpRequest) -> HttpResponse:
    """One step or all of them: the reminder on the dashboard knows, too."""
    form = SkipForm(request.POST)
    if not form.is_valid():
        for sentence in form.errors["step"]:
            messages.error(request, str(sentence))
        return redirect("analytics:welcome")
    steps = form.steps()
    skip(request.workspace, *steps)
    return redirect(address_of(first_run(request.workspace).after(steps[-1])))


@require_POST
@editor_required
def welcome_again(request: HttpRequest) -> HttpResponse:
    begin_again(request.workspace)
    return redirect("analytics:welcome")
