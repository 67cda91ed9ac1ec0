"""What the side of the composer shows: checks, limits and previews of the form as it is now."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import editor_required
from publishing import checks
from publishing.forms.composer import ComposerForm
from publishing.forms.fields import uuids
from publishing.models import Post
from publishing.previews import preview
from publishing.views.composer_limits import limit_lines, waits
from publishing.views.composer_previews import comment_counters, shapes_of
from publishing.views.said_once import Shared, shared
from socialhub.http import HttpRequest

MISSING = ("caption_missing", "media_missing", "choice_missing")  # nothing to blame anybody for who has only just begun
SHOWN_EACH = 4  # so many accounts have a preview each; beyond, those that look the same share one


@editor_required
@require_POST
def post_check(request: HttpRequest) -> HttpResponse:
    """What the checks, previews and limits say to the form as it is now. Saves nothing."""
    pks = uuids([request.GET.get("post")])
    post = get_object_or_404(Post.objects.of(request.workspace), pk=pks[0]) if pks else None
    form = ComposerForm(request.POST, workspace=request.workspace, user=request.user, post=post)
    form.full_clean()
    return render(request, "publishing/_composer_review.html", {**review(form), "form": form, "live": True})


def review(form: ComposerForm, *, submitted: bool = False) -> dict[str, Any]:
    """Findings, previews and limits for the accounts chosen so far. Who has submitted is told what is missing, too."""
    if not form.is_bound:
        # The same eyes for a form that is only shown: judge what it holds.
        twin = ComposerForm(
            as_data(form), workspace=form.workspace, user=form.user, post=form.post, intent=form.intent, like=form
        )
        twin.full_clean()
        return review(twin)
    draft = form.draft()
    publications = list(draft.publications)
    later = form.cleaned_data.get("when") == "later"
    untouched = not submitted and not (draft.post.caption or draft.media or draft.post.link)
    findings = [one for one in form.findings if not (untouched and one.code in MISSING)]
    previews = [preview(publication, draft.media) for publication in publications]
    number = len(publications)
    verb = _("Schedule for %(number)d") if later else _("Publish to %(number)d")
    at = form.cleaned_data.get("at")
    shapes = shapes_of(publications, draft.media)
    lines = limit_lines(publications, draft.media, form, at=at if later else None)
    return {
        "findings": findings,
        "notes": shared(findings, lambda one: one.account, "message", "level", "media"),
        "untouched": untouched,
        "problems": form.field_problems(),
        "errors_count": len(checks.blocking(findings)) + len(form.field_problems()),
        "previews": previews,
        "looks": shared(previews, lambda one: one.publication.account, "label", "publication.text", "type_name", "told")
        if len(previews) > SHOWN_EACH
        else [Shared(one, [one.publication.account]) for one in previews],
        "shapes": shapes,
        "takes_comment": form.takes_comment,
        "comment_counters": comment_counters(publications, draft.post.first_comment),
        "counters": list({(one.publication.account.platform, one.length, one.limit): one for one in previews}.values()),
        "limits": shared(lines, lambda one: one.account, "account.platform", "text"),
        "waits": waits(lines, form.user.time_zone),
        "submit_label": verb % {"number": number} if number else (_("Schedule") if later else _("Publish")),
        "at": at,
        "own_time": at if at and form.cleaned_data.get("time_zone") != form.user.time_zone else None,
        "asks_fold": form.asks_fold,
    }


def as_data(form: ComposerForm) -> QueryDict:
    """What a browser would send for the form as it is shown."""
    data = QueryDict(mutable=True)
    for name in form.fields:
        bound = form[name]
        value = bound.value()
        if value is None:
            continue
        if isinstance(value, list | tuple):
            data.setlist(name, [str(getattr(item, "pk", item)) for item in value])
        else:
            data[name] = str(value)
    data.setlist("media", [str(picture.pk) for picture in form.pictures])
    return data
