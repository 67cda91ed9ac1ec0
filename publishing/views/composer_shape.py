"""The buttons of the composer that only change what is on the form: nothing of the post is saved by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import ConnectedAccount
from accounts.verify import verify
from publishing import captions
from publishing.forms.composer import ComposerForm
from publishing.forms.fields import uuids
from publishing.forms.shaping import ShapingForm
from publishing.forms.when import PICKS, picked
from publishing.media import UploadRefused, store_upload
from publishing.models.posts import held_hashtags
from socialhub.http import HttpRequest
from socialhub.platforms.choices import options_of
from socialhub.platforms.errors import PlatformError
from socialhub.platforms.rules import RULES
from socialhub.time_zones import known_zones

SHAPES = (
    "refresh",
    "upload",
    "add",
    "remove",
    "up",
    "down",
    "template",
    "group",
    "offers",
    "later",
    "pick",
    "own",
    "open",
)

GONE = {  # what a menu still offered
    "template": gettext_lazy("This template is not there any more. The caption stays as it was."),
    "group": gettext_lazy("This group of hashtags is not there any more. The hashtags stay as they were."),
    "add": gettext_lazy("Something of what you chose is not in the library any more. Nothing was added; choose again."),
}


def take_uploads(request: HttpRequest, data: QueryDict) -> list[str]:
    """Keep the uploaded files and put them behind the others. Returns a sentence for each that was refused."""
    refused: list[str] = []
    files: list[UploadedFile] = request.FILES.getlist("upload")
    for file in files:
        try:
            data.appendlist("media", str(store_upload(request.workspace, request.user, file).pk))
        except UploadRefused as refusal:
            refused.append(refusal.message)
    return refused


def refresh_offers(request: HttpRequest, which: str) -> list[str]:
    """Read again what an account has to choose from. Returns a sentence when that failed."""
    accounts = ConnectedAccount.objects.of(request.workspace).listed().select_related("credential__grant", "workspace")
    account = accounts.filter(pk__in=uuids([which])).first()
    if account is None:
        return []
    try:
        verify(account)
    except PlatformError as error:
        return [error.message]
    for choice in RULES[account.platform].choices:
        if choice.offer:
            messages.success(
                request,
                _("%(handle)s: the %(offered)s were read again, %(number)d found.")
                % {
                    "handle": account.handle,
                    "number": len(options_of(choice, account.offers)),
                    "offered": choice.offer_label,
                },
            )
    return []


def shape(request: HttpRequest, form: ComposerForm, action: str, which: str) -> dict[str, Any]:
    """The values of the form after one of its buttons."""
    values = form.typed()
    media: list[UUID] = values["media"]
    data = request.POST.copy()
    if which and action in ("template", "group"):  # a button of a menu names it itself
        data[action] = which
    chosen = ShapingForm(data, workspace=request.workspace)
    chosen.is_valid()
    if action in chosen.errors:
        messages.warning(request, str(GONE[action]))
    if action == "add":
        media += [picture.pk for picture in chosen.cleaned_data.get("add", ()) if picture.pk not in media]
    elif action in ("remove", "up", "down"):
        move(media, uuids([which]), action)
    elif action == "template" and (template := chosen.cleaned_data.get("template")):
        values["caption"] = captions.fill(template.body, form.image_set).text
        held = held_hashtags(values["caption"])
        typed = captions.hashtags(str(values.get("hashtags", "")))
        values["hashtags"] = " ".join(f"#{tag}" for tag in typed if tag.lower() not in held)
    elif action == "group" and (group := chosen.cleaned_data.get("group")):
        values["hashtags"] = " ".join([str(values.get("hashtags", "")), *(f"#{tag}" for tag in group.hashtags)]).strip()
    elif action == "own":
        values["shown"] = [*values["shown"], *uuids([which])]
    elif action == "later":
        values["when"] = "later"
    elif action == "pick" and which in PICKS:
        values = {**values, **picked(which, zone_of(form)), "fold": None}
    return values


def zone_of(form: ComposerForm) -> ZoneInfo:
    """The zone that is chosen on the form, however unfinished the rest of it is."""
    name = str(form["time_zone"].value() or "")
    return ZoneInfo(name) if name in known_zones() else form.user.zone


def move(media: list[UUID], which: Sequence[UUID], action: str) -> None:
    """Take an item out of the list, or one place on."""
    if not which or which[0] not in media:
        return
    at = media.index(which[0])
    pk = media.pop(at)
    if action != "remove":
        media.insert(max(0, at + (-1 if action == "up" else 1)), pk)
