"""The composer: one page for a new post, an old one as a start, and the editing of what has not gone out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import editor_required
from accounts.connect import CONNECTABLE
from accounts.models import ConnectedAccount
from accounts.verify import verify
from publishing import captions, checks, compose, forecast, limits
from publishing.checks import Reshaped
from publishing.compose import Intent
from publishing.forecast import Effect, Planned
from publishing.forms.composer import (
    TYPE_NAMES,
    ComposerForm,
    PictureRow,
    ShapingForm,
    from_post,
    from_set,
    planned,
    uuids,
)
from publishing.forms.fields import ACCEPT_DOCUMENTS, ACCEPT_IMAGES, ACCEPT_VIDEOS
from publishing.limits import WindowState
from publishing.media import UploadRefused, store_upload
from publishing.models import CaptionTemplate, HashtagGroup, ImageSet, MediaFile, Post, PostMedia, Publication
from publishing.models.posts import held_hashtags
from publishing.states import LostRace
from publishing.views.moments import clock
from socialhub.http import HttpRequest
from socialhub.platforms import LABELS, PLATFORMS
from socialhub.platforms.base import MediaKind, PostType
from socialhub.platforms.choices import Told, options_of
from socialhub.platforms.errors import PlatformError
from socialhub.platforms.rule_types import Look
from socialhub.platforms.rules import RULES, caption_limit, length_of

SHAPES = ("refresh", "upload", "add", "remove", "up", "down", "template", "group", "offers")
RECENT_MEDIA = 24
MISSING = ("caption_missing", "media_missing", "choice_missing")  # nothing to blame anybody for who has only just begun
NAMED = 3  # so many accounts are named before the rest is counted
KNOWN_RATIOS = ((1, 1), (4, 5), (5, 4), (3, 4), (4, 3), (2, 3), (3, 2), (9, 16), (16, 9))
SHOWN_EACH = 4  # so many accounts have a preview each; beyond, those that look the same share one


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


@editor_required
@require_POST
def post_check(request: HttpRequest) -> HttpResponse:
    """What the checks, previews and limits say to the form as it is now. Saves nothing."""
    pks = uuids([request.GET.get("post")])
    post = get_object_or_404(Post.objects.of(request.workspace), pk=pks[0]) if pks else None
    form = ComposerForm(request.POST, workspace=request.workspace, user=request.user, post=post)
    form.full_clean()
    return render(request, "publishing/_composer_review.html", {**review(form), "form": form, "live": True})


def posts_with_parts(request: HttpRequest) -> QuerySet[Post]:
    return Post.objects.of(request.workspace).prefetch_related("publications__account", "post_media__media")


def start(request: HttpRequest) -> dict[str, Any]:
    """What a new composer begins with: an image set, another post, or nothing. Unknown ids answer 404."""
    if "set" in request.GET:
        pks = uuids([request.GET["set"]])
        sets = ImageSet.objects.filter(workspace=request.workspace).prefetch_related("items__media")
        image_set = get_object_or_404(sets, pk=pks[0] if pks else None)
        template = CaptionTemplate.objects.filter(workspace=request.workspace).first()
        initial = from_set(image_set, captions.fill(template.body, image_set).text if template else "")
        held = held_hashtags(initial["caption"])
        initial["hashtags"] = [tag for tag in initial["hashtags"] if tag.lower() not in held]
    elif "from" in request.GET:
        pks = uuids([request.GET["from"]])
        post = get_object_or_404(posts_with_parts(request), pk=pks[0] if pks else None)
        only = request.GET.getlist("account")
        initial = from_post(post, accounts=uuids(only) if only else None)
        return {**initial, "accounts": usable(request, initial["accounts"])}
    else:
        initial = {}
    return {**initial, "accounts": usable(request)}


def usable(request: HttpRequest, wanted: Iterable[UUID] | None = None) -> list[UUID]:
    """The accounts to begin with, of those that can publish at once.

    Most posts go everywhere, so one account on each network means all. With more of them nobody should reach too many
    by an oversight: then it is those of the newest post. Where somebody has set defaults, it is those.
    """
    able = [
        account
        for account in ConnectedAccount.objects.of(request.workspace).usable()
        if not checks.account_findings(account)
    ]
    if wanted is None and any(account.is_default for account in able):
        wanted = {account.pk for account in able if account.is_default}
    if wanted is None and len(able) > len({account.platform for account in able}):
        newest = Post.objects.of(request.workspace).exclude(publications=None).order_by("-created_at").first()
        wanted = newest.publications.values_list("account", flat=True) if newest else ()
    return [account.pk for account in able if wanted is None or account.pk in wanted]


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
    chosen = ShapingForm(request.POST, workspace=request.workspace)
    chosen.is_valid()
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
    return values


def move(media: list[UUID], which: Sequence[UUID], action: str) -> None:
    """Take an item out of the list, or one place on."""
    if not which or which[0] not in media:
        return
    at = media.index(which[0])
    pk = media.pop(at)
    if action != "remove":
        media.insert(max(0, at + (-1 if action == "up" else 1)), pk)


def page(request: HttpRequest, form: ComposerForm, *, refused: Sequence[str] = (), status: int = 200) -> HttpResponse:
    """The composer as a page, or its form alone for HTMX."""
    workspace = request.workspace
    reviewed = review(form, submitted=form.is_bound)
    picture_rows = form.picture_rows()
    context = {
        **reviewed,
        "form": form,
        "post": form.post,
        "refused": refused,
        "rows": form.account_rows(),
        "absent": absent_platforms(form.all_accounts),
        "picture_rows": picture_rows,
        "crop_rows": crop_rows(picture_rows, reviewed["shapes"]),
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


# What the side of the composer shows


@dataclass(frozen=True, slots=True)
class Frame:
    """The part of an image that a network shows, in pixels of the image; it is larger than the image where bars are added."""

    left: int
    top: int
    width: int
    height: int
    has_bars: bool

    @property
    def view_box(self) -> str:
        return f"{self.left} {self.top} {self.width} {self.height}"

    @classmethod
    def of(cls, reshaped: Reshaped) -> Frame:
        media, ratio = reshaped.item.media, reshaped.ratio
        filling = media.height * ratio
        if reshaped.item.fit != PostMedia.Fit.CROP:
            width = max(media.width, filling)
            height = width / ratio
            left, top = (media.width - width) / 2, (media.height - height) / 2
            return cls(round(left), round(top), round(width), round(height), has_bars=True)
        width = min(media.width, filling)
        height = width / ratio
        left = min(max(media.focus_x * media.width - width / 2, 0), media.width - width)
        top = min(max(media.focus_y * media.height - height / 2, 0), media.height - height)
        return cls(round(left), round(top), round(width), round(height), has_bars=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """One item of a preview. frame: None where the network shows it in its own shape."""

    item: PostMedia
    frame: Frame | None = None

    @property
    def alt(self) -> str:
        return self.item.alt_text or self.item.media.alt_text or self.item.media.original_name


@dataclass(frozen=True, slots=True)
class Preview:
    publication: Publication
    label: str
    type_name: str
    media: Sequence[Shown]
    shape: str
    length: int
    limit: int
    look: Look
    told: tuple[Told, ...] = ()

    @property
    def name(self) -> str:
        account = self.publication.account
        return (self.look.named_by_username and account.username) or account.name

    @property
    def is_silent(self) -> bool:
        """The network shows no text with this kind of post."""
        return self.publication.post_type in RULES[self.publication.account.platform].silent_types

    @property
    def is_upright(self) -> bool:
        """It fills the screen of a phone."""
        return self.publication.post_type in (PostType.STORY, PostType.REEL)

    @property
    def items(self) -> list[PostMedia]:
        return [shown.item for shown in self.media]

    @property
    def document(self) -> MediaFile | None:
        first = self.media[0].item.media if self.media else None
        return first if first and first.kind == MediaKind.DOCUMENT else None

    @property
    def folds(self) -> bool:
        """Does the network hide the end of the text behind "more"?"""
        text = self.publication.text
        return len(text) > self.look.folds_after or text.count("\n") >= self.look.folds_after_lines

    @property
    def over(self) -> bool:
        return self.length > self.limit

    @property
    def left(self) -> int:
        return self.limit - self.length


@dataclass(frozen=True, slots=True)
class LimitLine:
    """What a network's limit leaves. `until`: the post waits for it until then; None: there is room."""

    account: ConnectedAccount
    text: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Shared:
    """What is said of several accounts at once: the sentence is told once, with all whom it concerns."""

    first: Any
    accounts: list[ConnectedAccount]

    @property
    def handles(self) -> list[str]:
        return [account.handle for account in self.accounts]

    @property
    def named(self) -> str:
        return some_of(self.handles)

    @property
    def owners(self) -> str:
        """The accounts behind the names of their networks."""
        of_network: dict[str, list[str]] = {}
        for account in self.accounts:
            of_network.setdefault(account.platform, []).append(account.handle)
        return "; ".join(f"{LABELS[key]} · {some_of(handles)}" for key, handles in of_network.items())


def some_of(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (_(" and %(more)d more") % {"more": more} if more > 0 else "")


def shared(items: Iterable[Any], account: Callable[[Any], ConnectedAccount | None], *same: str) -> list[Shared]:
    """Those that read the same, together, in the order of their first."""
    groups: dict[tuple[object, ...], Shared] = {}
    for item in items:
        whose = account(item)
        group = groups.setdefault(tuple(attrgetter(name)(item) for name in same), Shared(item, []))
        if whose:
            group.accounts.append(whose)
    return list(groups.values())


def review(form: ComposerForm, *, submitted: bool = False) -> dict[str, Any]:
    """Findings, previews and limits for the accounts chosen so far. Who has submitted is told what is missing, too."""
    if not form.is_bound:
        # The same eyes for a form that is only shown: judge what it holds.
        twin = ComposerForm(as_data(form), workspace=form.workspace, user=form.user, post=form.post, intent=form.intent)
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


def preview(publication: Publication, media: Sequence[PostMedia]) -> Preview:
    key = publication.account.platform
    with_images = publication.post_type not in (PostType.TEXT, PostType.LINK)
    frames = {position: Frame.of(one) for position, one in checks.reshaped(publication, media).items()}
    return Preview(
        publication=publication,
        label=str(LABELS[key]),
        type_name=str(TYPE_NAMES[PostType(publication.post_type)]),
        media=[Shown(item, frames.get(position)) for position, item in enumerate(media, start=1)]
        if with_images
        else [],
        shape=shape_of(media[0].media) if media else "",
        length=length_of(key, checks.content_of(publication, media)),
        limit=caption_limit(key, publication.account.offers, PostType(publication.post_type)),
        look=RULES[key].look,
        told=checks.told_of(publication),
    )


@dataclass(frozen=True, slots=True)
class CommentCounter:
    platform: str
    length: int
    limit: int

    @property
    def over(self) -> bool:
        return self.length > self.limit


def comment_counters(publications: Iterable[Publication], text: str) -> list[CommentCounter]:
    """One for each chosen network that takes a first comment."""
    limits = {one.account.platform: checks.comment_limit(one) for one in publications if checks.comment_limit(one)}
    return [CommentCounter(platform, len(text), limit) for platform, limit in limits.items()]


def shapes_of(publications: Iterable[Publication], media: Sequence[PostMedia]) -> dict[UUID, str]:
    """For each image that some network reshapes: which ones, and how it is shown there."""
    found: dict[UUID, dict[str, None]] = {}
    for publication in publications:
        name = f"{LABELS[publication.account.platform]} ({TYPE_NAMES[PostType(publication.post_type)]})"
        for one in checks.reshaped(publication, media).values():
            found.setdefault(one.item.media_id, {})[f"{name} {ratio_name(one.ratio)}"] = None
    return {pk: some_of(list(names)) for pk, names in found.items()}


def ratio_name(ratio: float) -> str:
    """As people know it: 4:5, 9:16, 1.91:1."""
    for width, height in KNOWN_RATIOS:
        if abs(ratio * height / width - 1) < checks.SAME_SHAPE / 2:
            return f"{width}:{height}"
    return f"{ratio:.2f}:1"


def shape_of(media: MediaFile) -> str:
    if not media.height:
        return "portrait"  # a document: most pages are upright
    ratio = media.width / media.height
    return "landscape" if ratio > 1.15 else "portrait" if ratio < 0.87 else "square"


def limit_lines(
    publications: Iterable[Publication], media: Sequence[PostMedia], form: ComposerForm, *, at: datetime | None
) -> list[LimitLine]:
    """What the limits leave to each account, and what would wait for them with this post; without what cannot go out."""
    due = at or timezone.now()
    planned = [
        Planned(publication.account, due, calls)
        for publication in publications
        if (calls := calls_of(publication, media))
    ]
    own = set(form.post.publications.values_list("pk", flat=True)) if form.post else set[UUID]()
    effects = forecast.effects(planned, without=own)
    lines = [
        limit_line(one.account, one.calls, effects.get(one.account.pk, Effect()), zone=form.user.time_zone)
        for one in planned
    ]
    return [line for line in lines if line]


def calls_of(publication: Publication, media: Sequence[PostMedia]) -> Mapping[str, int]:
    """The calls by group, none where the post type does not take what the post holds."""
    takes = RULES[publication.account.platform].post_types.get(PostType(publication.post_type))
    if takes is None or checks.misfit(takes, [item.media.kind for item in media]) != (0, 0):
        return {}
    return forecast.calls_of(publication, media)


def limit_line(account: ConnectedAccount, calls: Mapping[str, int], effect: Effect, *, zone: str) -> LimitLine | None:
    """The window with the least room, in words, what this post takes of it, and what waits because of it."""
    states = [state for state in limits.remaining(account) if calls.get(state.endpoint)]
    if not states:
        return None
    tightest = min(
        states,
        key=lambda state: (
            calls[state.endpoint] <= state.remaining,
            state.remaining / state.limit if state.limit else 0,
        ),
    )
    until = clock(effect.until, zone) if effect.until else ""
    return LimitLine(account, limit_text(tightest, calls[tightest.endpoint], until, effect.others), effect.until)


def limit_text(state: WindowState, needed: int, until: str, others: int) -> str:
    spans = {
        60: _("%(left)d of %(limit)d calls left this minute."),
        900: _("%(left)d of %(limit)d calls left in these 15 minutes."),
        3600: _("%(left)d of %(limit)d calls left this hour."),
        86400: _("%(left)d of %(limit)d calls left today."),
        2592000: _("%(left)d of %(limit)d calls left in these 30 days."),
    }
    text = spans.get(state.window_seconds, _("%(left)d of %(limit)d calls left."))
    parts = [
        text % {"left": state.remaining, "limit": state.limit},
        ngettext("This post takes %(count)d.", "This post takes %(count)d.", needed) % {"count": needed},
    ]
    if state.sharing:
        parts.insert(1, _("They are %(shared)s.") % {"shared": state.sharing})
    if until:
        parts.append(_("It waits for the rest by itself, until %(time)s.") % {"time": until})
    if others:
        parts.append(
            ngettext(
                "Because of it, %(count)d other post would wait for the limit.",
                "Because of it, %(count)d other posts would wait for the limit.",
                others,
            )
            % {"count": others}
        )
    return " ".join(parts)


def waits(lines: Sequence[LimitLine], zone: str) -> list[str]:
    """Which networks keep the post waiting and until when, a sentence for each moment."""
    platforms = [line.account.platform for line in lines]
    groups: dict[str, list[str]] = {}
    for line in lines:
        if line.until:
            label = str(LABELS[line.account.platform])
            alone = platforms.count(line.account.platform) == 1
            groups.setdefault(clock(line.until, zone), []).append(label if alone else f"{label} {line.account.handle}")
    return [
        ngettext("%(names)s waits until %(time)s.", "%(names)s wait until %(time)s.", len(names))
        % {"names": some_of(names), "time": time}
        for time, names in groups.items()
    ]
