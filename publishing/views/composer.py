"""The composer: one page for a new post, an old one as a start, and the editing of what has not gone out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.access import editor_required
from accounts.connect import CONNECTABLE
from accounts.models import ConnectedAccount
from publishing import autosave, compose, intake
from publishing.compose import Intent
from publishing.forms.autosave import AutosaveForm, as_typed, title_of
from publishing.forms.composer import ComposerForm, accounts_of
from publishing.forms.composer_rows import account_rows, picture_rows
from publishing.forms.fields import ACCEPT_DOCUMENTS, ACCEPT_IMAGES, ACCEPT_VIDEOS, uuids
from publishing.forms.starts import for_change
from publishing.forms.when import PICKS
from publishing.models import Autosave, Post
from publishing.states import LostRace
from publishing.views import composer_menus
from publishing.views.autosave import address_of, kept_text
from publishing.views.composer_review import review
from publishing.views.composer_shape import SHAPES, refresh_offers, shape, take_uploads
from publishing.views.composer_start import asked_key, know_accounts, posts_with_parts, start
from publishing.views.ended_session import outlives_session, owner_of_form, take_up
from socialhub.guards import brings_files, paced
from socialhub.http import HttpRequest
from socialhub.platforms import PLATFORMS


@outlives_session
@never_cache
@editor_required
@require_http_methods(["GET", "POST"])
@paced("upload", when=brings_files)
def post_new(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return answer(request, None)
    if menu := composer_menus.asked(request):
        return composer_menus.answer(request, menu, reverse("publishing:post_new"))
    if back := take_up(request):
        return back
    accounts = accounts_of(request.workspace)
    key = asked_key(request)
    kept = autosave.find(request.workspace, request.user, key) if key else None
    if kept and kept.post:
        return redirect(address_of(kept))
    if key and kept is None and (post := compose.find(request.workspace, key)):
        return redirect(post)  # it was saved from this very form: what the browser goes back to is over
    if kept:
        initial = as_typed(kept, workspace=request.workspace, user=request.user)
    else:
        initial = {**start(request, accounts), **({"key": key} if key else {})}
    form = ComposerForm(workspace=request.workspace, user=request.user, initial=initial, accounts=accounts)
    offered = None if kept else autosave.of(request.workspace, request.user).filter(post=None).first()
    return page(request, form, kept=kept, offered=offered)


@outlives_session
@never_cache
@editor_required
@require_http_methods(["GET", "POST"])
@paced("upload", when=brings_files)
def post_edit(request: HttpRequest, post_id: UUID) -> HttpResponse:
    post = posts_with_parts(request).filter(pk=post_id).first()
    if post is None:
        return gone(request, post_id)
    if not compose.is_editable(post.publications.all()):
        if request.method == "POST" and is_sent_twice(request, post):
            return redirect(post)  # it is on its way because of the first
        messages.warning(
            request, _("This post is on its way or out already, so it can no longer be changed. You can use it again.")
        )
        if request.method == "POST":
            keep_typed(request, post)
        if autosave.release(request.user, post):
            messages.info(request, _("What you had changed is not lost: it is offered to you with the next new post."))
        return redirect(post)
    if request.method == "POST":
        return answer(request, post)
    if menu := composer_menus.asked(request):
        return composer_menus.answer(request, menu, reverse("publishing:post_edit", args=[post.pk]))
    if back := take_up(request):
        return back
    accounts = accounts_of(request.workspace)
    know_accounts(post, accounts)
    key = asked_key(request)
    kept = autosave.find(request.workspace, request.user, key) if key else None
    if kept and kept.post == post:
        initial, offered = as_typed(kept, workspace=request.workspace, user=request.user), None
    else:
        is_spent = compose.is_saved_from(post, key) or (key and compose.find(request.workspace, key))
        is_free = key and kept is None and not is_spent
        initial = {**for_change(post), **({"key": key} if is_free else {})}
        kept, offered = None, autosave.of(request.workspace, request.user).filter(post=post).first()
    form = ComposerForm(workspace=request.workspace, user=request.user, post=post, initial=initial, accounts=accounts)
    return page(request, form, kept=kept, offered=offered)


def gone(request: HttpRequest, post_id: UUID) -> HttpResponse:
    """There is no such post, perhaps not any more: what was typed into its form is offered as a new one.

    Perhaps the person has only switched to another workspace, in another tab: then it is kept with the post, too.
    """
    form = AutosaveForm(request.POST, workspace=request.workspace, user=request.user)
    if request.method != "POST" or not form.is_valid() or form.is_empty():
        raise Http404
    typed = {**form.composer.typed(), "based_on": ""}
    editable = [one.workspace_id for one in request.memberships if one.may_edit]
    if elsewhere := Post.objects.filter(pk=post_id, workspace__in=editable).select_related("workspace").first():
        keep_typed(request, elsewhere)
        typed["key"] = uuid4()
    anew = ComposerForm(workspace=request.workspace, user=request.user, initial=typed)
    return page(request, anew, is_gone=True, elsewhere=elsewhere, status=404)


def form_key(request: HttpRequest) -> UUID | None:
    return next(iter(uuids([request.POST.get("key")])), None)


def is_sent_twice(request: HttpRequest, post: Post) -> bool:
    """The post was saved from this form, and is what stands in it."""
    if not compose.is_saved_from(post, form_key(request)):
        return False
    form = ComposerForm(request.POST, workspace=request.workspace, user=request.user, post=post)
    form.is_valid()
    return not {*compose.differing(post, form.composition())} - {"when"}


def keep_typed(request: HttpRequest, post: Post) -> None:
    """What was sent and comes too late, as far as it can be kept."""
    form = AutosaveForm(request.POST, workspace=post.workspace, user=request.user, post=post)
    if not form.is_valid():
        return
    key, media = form.cleaned_data["key"], [picture.pk for picture in form.composer.pictures]
    if compose.is_saved_from(post, key):
        key = uuid4()  # what is kept under that one was saved
    with suppress(autosave.TooLarge, autosave.Foreign):
        autosave.keep(post.workspace, request.user, key, form.typed(), media=media, post=post)


def answer(request: HttpRequest, post: Post | None) -> HttpResponse:
    """A form came in: a button that only changes the form, or one that saves."""
    action, _colon, which = request.POST.get("action", "publish").partition(":")
    data = request.POST.copy()
    if action == "now":
        data["when"] = "now"
    refused = take_uploads(request, data)
    intent = Intent.DRAFT if action == "draft" else Intent.NOW
    form = ComposerForm(data, workspace=request.workspace, user=request.user, post=post, intent=intent)
    if action == "offers":
        refused += refresh_offers(request, which)
    if action in SHAPES:
        shaped = ComposerForm(
            workspace=request.workspace, user=request.user, post=post, initial=shape(request, form, action, which)
        )
        if action == "own":
            return own_fields(request, shaped, which)
        if action == "later":
            shaped.fields["day"].widget.attrs["autofocus"] = True
        menu = which if action == "open" and which in composer_menus.MENUS else ""
        return page(request, shaped, refused=refused, menu=menu, status=422 if refused else 200)
    if refused or not form.is_valid():
        form.is_valid()
        return page(request, form, refused=refused, status=422)
    return save(request, form, post)


def own_fields(request: HttpRequest, form: ComposerForm, which: str) -> HttpResponse:
    """What one account may get of its own, alone for HTMX, else with the page around it."""
    row = next((row for row in account_rows(form) if row.account.pk in uuids([which])), None)
    if row is None or not request.htmx:
        return page(request, form)
    context = {"row": row, "form": form, "action_url": address_of_form(form), "asked_for": True}
    return render(request, "publishing/_composer_override.html", context)


def address_of_form(form: ComposerForm) -> str:
    return reverse("publishing:post_edit", args=[form.post.pk]) if form.post else reverse("publishing:post_new")


def save(request: HttpRequest, form: ComposerForm, post: Post | None) -> HttpResponse:
    composition = form.composition()
    made = compose.find(request.workspace, composition.key) if post is None and composition.key else None
    if made and not compose.says(made, composition):
        form.begin_anew()
        form.add_error(
            None,
            _(
                "This form was saved as a post before, with other content, perhaps in another tab. That post stays as it "
                "is. What stands here is not saved yet: publish or save it, and it becomes a second post."
            ),
        )
        return page(request, form, status=422)
    try:
        if post is None:
            saved = compose.create(request.workspace, request.user, composition)
        else:
            saved = compose.update(post, request.user, composition)
    except compose.ChangedMeanwhile as change:
        form.is_based_on(compose.mark_of(change.post))
        if compose.is_saved_from(change.post, composition.key):
            form.begin_anew()
        form.add_error(None, changed_text(form, change))
        return page(request, form, is_outdated=True, status=422)
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


def changed_text(form: ComposerForm, change: compose.ChangedMeanwhile) -> str:
    labels = [str(_("Images, videos, document") if name == "media" else form[name].label) for name in change.names]
    told = _("This post was changed since you opened it here, perhaps by somebody else or in another tab.")
    if labels:
        told += " " + _("It now differs from what stands here in: %(parts)s.") % {"parts": ", ".join(labels)}
    return told + " " + _("Yours is not saved yet. Save again, and what stands here replaces the post as it is now.")


def page(
    request: HttpRequest,
    form: ComposerForm,
    *,
    refused: Sequence[str] = (),
    kept: Autosave | None = None,
    offered: Autosave | None = None,
    menu: str = "",
    is_outdated: bool = False,
    is_gone: bool = False,
    elsewhere: Post | None = None,
    status: int = 200,
) -> HttpResponse:
    """The composer as a page, or its form alone for HTMX.

    kept: what was typed before, and stands in the form again; offered: what could. menu: the one that stands open.
    elsewhere: the post that it was to change, where that is of another workspace.
    """
    workspace = request.workspace
    reviewed = review(form, submitted=form.is_bound)
    context = {
        **reviewed,
        "form": form,
        "post": form.post,
        "files": intake.state_of(form.post) if form.post and form.post.status == Post.Summary.DRAFT else None,
        "refused": refused,
        "is_outdated": is_outdated,
        "is_gone": is_gone,
        "elsewhere": elsewhere,
        "kept_text": kept_text(kept, request.user.time_zone) if kept else "",
        "offered": offered,
        "offered_title": title_of(offered) if offered else "",
        "offered_address": address_of(offered) if offered else "",
        "picks": PICKS.items(),
        "rows": account_rows(form),
        "absent": absent_platforms(form.all_accounts),
        "picture_rows": picture_rows(form),
        "accept": f"{ACCEPT_IMAGES},{ACCEPT_VIDEOS},{ACCEPT_DOCUMENTS}",
        "max_bytes": settings.UPLOAD_MAX_BYTES,
        "max_video_bytes": settings.UPLOAD_VIDEO_MAX_BYTES,
        "menus": composer_menus.filled(workspace, form.media_ids),
        **(composer_menus.opened(menu, workspace, form.media_ids, form.image_set) if menu else {}),
        "action_url": address_of_form(form),
        "form_owner": owner_of_form(request),
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
