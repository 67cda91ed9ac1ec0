"""What was sent from the composer when its session had ended, and no script keeps it: until the same person is back."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.middleware import SESSION_KEY as WORKSPACE
from publishing import autosave
from publishing.forms.autosave import AutosaveForm
from publishing.models import Post
from publishing.views.autosave import address_of
from socialhub.http import HttpRequest

SET_ASIDE = "composer"  # in the session of nobody, which becomes that of whoever signs in
# Without a time, so that a form that comes back unchanged is the same to whoever compares.
SIGNER = signing.Signer(salt="publishing.composer.owner")

View = Callable[..., HttpResponse]


def owner_of_form(request: HttpRequest) -> str:
    """Goes along with the form: only for them, and only where they were, is it taken up again."""
    return SIGNER.sign_object([str(request.user.pk), str(request.workspace.pk)])


def outlives_session(view: View) -> View:
    """The sign-in page would lead back to an empty form. `socialhub.middleware.SignInMiddleware` asks for this."""
    view.when_signed_out = set_aside  # type: ignore[attr-defined]
    return view


def set_aside(request: HttpRequest, **ids: Any) -> None:
    try:
        owner, workspace = SIGNER.unsign_object(request.POST.get("owner", ""))
    except signing.BadSignature:
        return
    typed = {name: values for name, values in request.POST.lists() if name != "csrfmiddlewaretoken"}
    if len(json.dumps(typed).encode()) > autosave.MOST_BYTES:
        return
    post = str(ids.get("post_id", ""))
    request.session[SET_ASIDE] = {"owner": owner, "workspace": workspace, "typed": typed, "post": post}
    request.session[WORKSPACE] = workspace


def take_up(request: HttpRequest) -> HttpResponse | None:
    """To the composer with what was set aside, if it is theirs. Elsewhere it waits until they are where they wrote it."""
    found = request.session.get(SET_ASIDE)
    if found is None or found["workspace"] != str(request.workspace.pk):
        return None
    del request.session[SET_ASIDE]
    if found["owner"] != str(request.user.pk):
        return None
    data = QueryDict(mutable=True)
    for name, values in found["typed"].items():
        data.setlist(name, values)
    post = Post.objects.of(request.workspace).filter(pk=found["post"]).first() if found["post"] else None
    form = AutosaveForm(data, workspace=request.workspace, user=request.user, post=post)
    if not form.is_valid() or form.is_empty():
        return None
    key, media = form.cleaned_data["key"], [picture.pk for picture in form.composer.pictures]
    kept = None
    with suppress(autosave.TooLarge, autosave.Foreign):
        kept = autosave.keep(request.workspace, request.user, key, form.typed(), media=media, post=post)
    if kept is None:
        return None
    messages.info(
        request, _("Your session had ended, so nothing was saved or published. What you wrote stands here again.")
    )
    return redirect(address_of(kept))
