"""The composer's form while somebody types in it: kept, and thrown away."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import editor_required
from publishing import autosave
from publishing.forms.autosave import AutosaveForm
from publishing.forms.fields import uuids
from publishing.models import Autosave, Post
from publishing.views.moments import clock
from socialhub.http import HttpRequest


@editor_required
@require_POST
def autosave_keep(request: HttpRequest) -> HttpResponse:
    """Keep the form as it is typed now. Answers with the sentence for the person, and the address that brings it back."""
    pks = uuids([request.GET.get("post")])
    post = get_object_or_404(Post.objects.of(request.workspace), pk=pks[0]) if pks else None
    form = AutosaveForm(request.POST, workspace=request.workspace, user=request.user, post=post)
    if not form.is_valid():
        return JsonResponse({"text": _("Not kept: the form has lost its mark. Save the post.")}, status=422)
    key = form.cleaned_data["key"]
    if post is None and form.is_empty():
        autosave.drop(request.user, key=key)
        return JsonResponse({"text": "", "address": ""})
    media = [picture.pk for picture in form.composer.pictures]
    try:
        kept = autosave.keep(request.workspace, request.user, key, form.typed(), media=media, post=post)
    except autosave.TooLarge:
        text = _("Not kept as you type: this is more text than is kept on the side. Save the post from time to time.")
        return JsonResponse({"text": text}, status=413)
    except autosave.Foreign as error:
        raise Http404 from error
    if kept is None:
        return JsonResponse({"text": "", "address": ""})
    return JsonResponse({"text": kept_text(kept, request.user.time_zone), "address": address_of(kept)})


@editor_required
@require_POST
def autosave_drop(request: HttpRequest) -> HttpResponse:
    """Throw away what was typed. What is gone already is no mistake."""
    form = AutosaveForm(request.POST, workspace=request.workspace, user=request.user)
    if not form.is_valid():
        messages.error(request, _("Nothing was thrown away: it is not known what. Load the page again."))
        return redirect("publishing:post_new")
    key = form.cleaned_data["key"]
    if kept := autosave.find(request.workspace, request.user, key):
        autosave.drop(request.user, key=key)
    if request.htmx:
        return HttpResponse()
    if kept and kept.post:
        return redirect("publishing:post_edit", kept.post.pk)
    return redirect("publishing:post_new")


def kept_text(kept: Autosave, zone: str) -> str:
    return _("Saved as you type, %(time)s") % {"time": clock(kept.updated_at, zone)}


def address_of(kept: Autosave) -> str:
    """Of the composer that goes on with it."""
    page = reverse("publishing:post_edit", args=[kept.post_id]) if kept.post_id else reverse("publishing:post_new")
    return f"{page}?draft={kept.key}"
