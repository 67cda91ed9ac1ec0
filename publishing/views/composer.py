"""The composer: one page for a new post, an old one as a start, and the editing of what has not gone out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import editor_required
from accounts.connect import CONNECTABLE
from accounts.models import ConnectedAccount
from publishing import compose
from publishing.compose import Intent
from publishing.forms.composer import ComposerForm
from publishing.forms.composer_rows import PictureRow, account_rows, picture_rows
from publishing.forms.fields import ACCEPT_DOCUMENTS, ACCEPT_IMAGES, ACCEPT_VIDEOS
from publishing.forms.starts import from_post, planned
from publishing.models import CaptionTemplate, HashtagGroup, MediaFile, Post
from publishing.states import LostRace
from publishing.views.composer_review import review
from publishing.views.composer_shape import SHAPES, refresh_offers, shape, take_uploads
from publishing.views.composer_start import posts_with_parts, start
from socialhub.http import HttpRequest
from socialhub.platforms import PLATFORMS

RECENT_MEDIA = 24


@editor_required
@require_http_methods(["GET", "POST"])
def post_new(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return answer(request, None)
    return page(request, ComposerForm(workspace=request.workspace, user=request.user, initial=start(request)))


@editor_required
@require_http_methods(["GET", "POST"])
def post_edit(request: HttpRequest, post_id: UUID) -> HttpResponse:
    post = get_object_or_404(posts_with_parts(request), pk=post_id)
    if not compose.is_editable(post.publications.all()):
        messages.warning(
            request, _("This post is on its way or out already, so it can no longer be changed. You can use it again.")
        )
        return redirect(post)
    if request.method == "POST":
        return answer(request, post)
    initial = {**from_post(post), **planned(post)}
    return page(request, ComposerForm(workspace=request.workspace, user=request.user, post=post, initial=initial))


def answer(request: HttpRequest, post: Post | None) -> HttpResponse:
    """A form came in: a button that only changes the form, or one that saves."""
    action, _colon, which = request.POST.get("action", "publish").partition(":")
    data = request.POST.copy()
    refused = take_uploads(request, data)
    intent = Intent.DRAFT if action == "draft" else Intent.NOW
    form = ComposerForm(data, workspace=request.workspace, user=request.user, post=post, intent=intent)
    if action == "offers":
        refused += refresh_offers(request, which)
    if action in SHAPES:
        shaped = ComposerForm(
            workspace=request.workspace, user=request.user, post=post, initial=shape(request, form, action, which)
        )
        return page(request, shaped, refused=refused, status=422 if refused else 200)
    if refused or not form.is_valid():
        form.is_valid()
        return page(request, form, refused=refused, status=422)
    return save(request, form, post)


def save(request: HttpRequest, form: ComposerForm, post: Post | None) -> HttpResponse:
    composition = form.composition()
    try:
        if post is None:
            saved = compose.create(request.workspace, request.user, composition)
        else:
            saved = compose.update(post, request.user, composition)
    except (compose.NotEditable, LostRace):
        form.add_error(
            None,
            _("Publishing has begun meanwhile, so the post was not changed. Open it to see how it is going."),
        )
        return page(request, form, status=422)
    if composition.intent is Intent.DRAFT:
        messages.success(request, _("The draft is saved."))
    elif composition.intent is Intent.SCHEDULE:
        messages.success(request, _("The post is scheduled. You may close this page; it goes out on its own."))
    return redirect(saved)


def page(request: HttpRequest, form: ComposerForm, *, refused: Sequence[str] = (), status: int = 200) -> HttpResponse:
    """The composer as a page, or its form alone for HTMX."""
    workspace = request.workspace
    reviewed = review(form, submitted=form.is_bound)
    pictures = picture_rows(form)
    context = {
        **reviewed,
        "form": form,
        "post": form.post,
        "refused": refused,
        "rows": account_rows(form),
        "absent": absent_platforms(form.all_accounts),
        "picture_rows": pictures,
        "crop_rows": crop_rows(pictures, reviewed["shapes"]),
        "accept": f"{ACCEPT_IMAGES},{ACCEPT_VIDEOS},{ACCEPT_DOCUMENTS}",
        "max_bytes": settings.UPLOAD_MAX_BYTES,
        "max_video_bytes": settings.UPLOAD_VIDEO_MAX_BYTES,
        "templates": CaptionTemplate.objects.filter(workspace=workspace),
        "groups": HashtagGroup.objects.filter(workspace=workspace),
        "library": MediaFile.objects.filter(workspace=workspace)
        .exclude(pk__in=form.media_ids)
        .order_by("-created_at")[:RECENT_MEDIA],
        "action_url": reverse("publishing:post_edit", args=[form.post.pk])
        if form.post
        else reverse("publishing:post_new"),
    }
    template = "publishing/_composer.html" if request.htmx else "publishing/composer.html"
    return render(request, template, context, status=status)


def absent_platforms(accounts: Iterable[ConnectedAccount]) -> list[tuple[str, str]]:
    """Networks that we can publish to and nobody has connected: key and label."""
    there = {account.platform for account in accounts if account.status != ConnectedAccount.Status.DISCONNECTED}
    through_buffer = {key for key, entry in CONNECTABLE.items() if entry.is_through_buffer}
    # One button stands for all that Buffer brings.
    known = there | (through_buffer if there & through_buffer else through_buffer - {"x"})
    return [(key, str(CONNECTABLE[key].title)) for key in PLATFORMS if key not in known]


def crop_rows(rows: Iterable[PictureRow], shapes: Mapping[UUID, str]) -> list[tuple[PictureRow, str]]:
    """The images with the networks that would change their shape, "" where none of those chosen does."""
    return [(row, shapes.get(row.media.pk, "")) for row in rows if row.fit_field]
