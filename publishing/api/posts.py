"""Operations on posts. Everything that may be done with one is done by the functions that the pages call."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Header, Query
from ninja.responses import Status as Answer

from accounts.api.base import (
    ApiError,
    ApiRequest,
    Model,
    Scope,
    check_match,
    idempotent,
    invalid,
    paged,
    publishes,
    reads,
    refuse_unknown,
    require,
    router,
    tagged,
    writes,
)
from publishing import bulk, checks, compose, intake, schedule
from publishing.api.composing import Sheet, intended, refuse_blocked
from publishing.api.reading import tell, told, with_parts
from publishing.api.schemas import (
    DecisionInput,
    FindingOut,
    LimitOut,
    PostFields,
    PostFilter,
    PostInput,
    PostList,
    PostOut,
    PublishInput,
    ScheduleInput,
    ValidationOut,
)
from publishing.bulk import Skipped
from publishing.checks import Finding
from publishing.compose import Composition, Intent
from publishing.forms.posts import MOMENT, PostFilterForm
from publishing.models import Post, Publication, Status
from publishing.views.composer_limits import limit_lines
from socialhub.platforms.base import PostType

posts = router("Posts")
IfMatch = Annotated[str | None, Header(None, alias="If-Match", description="An ETag: only while it is in that state.")]
IfNoneMatch = Annotated[
    str | None, Header(None, alias="If-None-Match", description="An ETag: 304 while it is as then.")
]


# --- One as it would be ---------------------------------------------------------------------------------------


@posts.post("validate", auth=reads, response=ValidationOut)
def validate(request: ApiRequest, wanted: PostInput) -> ValidationOut:
    """What stands against a post, without saving anything: the checks of the composer, account by account."""
    sheet = Sheet(request, wanted if wanted.scheduled_at else wanted.model_copy(update={"publish_now": True}))
    draft = sheet.form.draft()
    publications = list(draft.publications)
    lines = [] if sheet.files else limit_lines(publications, draft.media, sheet.form, at=draft.post.scheduled_at)
    return ValidationOut(
        valid=not sheet.problems,
        findings=[finding_out(finding) for finding in sheet.findings()],
        fields=sheet.problems,
        post_types={str(one.account_id): PostType(one.post_type) for one in publications},
        rate_limits=[LimitOut(account_id=line.account.pk, message=line.text, waits_until=line.until) for line in lines],
    )


def finding_out(finding: Finding) -> FindingOut:
    return FindingOut(
        code=finding.code,
        level=finding.level,
        message=str(finding.message),
        field=finding.field,
        account_id=finding.account.pk if finding.account else None,
        media_id=finding.media.pk if finding.media else None,
        media_position=finding.media_position,
    )


# --- Making and reading ---------------------------------------------------------------------------------------


@posts.post("posts", auth=writes, response={201: PostOut})
@idempotent
def create_post(request: ApiRequest, wanted: PostInput) -> Answer[PostOut]:
    """A new post: scheduled with scheduledAt, sent with publishNow, else a draft.

    Files that are named by address are fetched first; until then it is a draft whose “fetching” tells how far they are.
    """
    sheet = Sheet(request, wanted)
    if sheet.intent is not Intent.DRAFT:
        require(request, Scope.PUBLISH)
    composition = sheet.composition()
    refuse_other_content(request, composition)
    with transaction.atomic():
        post = compose.create(request.workspace, request.user, composition)
        expect_files(request, sheet, post)
    return Answer(201, told(request.workspace, post.pk))


def refuse_other_content(request: ApiRequest, composition: Composition) -> None:
    """The key made a post before, longer ago than its answer is kept, and this is another one."""
    made = compose.find(request.workspace, composition.key) if composition.key else None
    if made and not compose.says(made, composition):
        raise ApiError(
            422,
            "idempotency_key_reused",
            _("This Idempotency-Key belongs to another request. Use a new key for each thing to do."),
        )


def expect_files(request: ApiRequest, sheet: Sheet, post: Post) -> None:
    if sheet.files:
        if intake.is_full(request.workspace, len(sheet.files)):
            raise ApiError(
                409,
                "too_many_files",
                _("%(most)d files at most are fetched for a workspace at a time. Go on when some of them are here.")
                % {"most": intake.MOST_WAITING},
                headers={"Retry-After": "60"},
            )
        intake.expect(
            post,
            sheet.files,
            intent=sheet.intent,
            at=sheet.at,
            late_hours=sheet.wanted.late_hours,
            post_types=sheet.asked_types,
            by=request.user,
        )


@posts.get("posts", auth=reads, response=PostList)
def list_posts(request: ApiRequest, asked: Annotated[PostFilter, Query()]) -> PostList:
    """The posts of the workspace, the latest first, in pages."""
    refuse_unknown(request, PostFilter)
    rows = with_parts(filtered(request, asked))
    if asked.order == "due":
        found, cursor = paged(
            rows,
            asked.cursor,
            asked.limit,
            by="moment",
            place=lambda post: post.scheduled_at or post.created_at,
        )
    else:
        found, cursor = paged(rows, asked.cursor, asked.limit)
    return PostList(posts=tell(found), next_cursor=cursor)


def filtered(request: ApiRequest, asked: PostFilter) -> QuerySet[Post]:
    """As on the page of posts; the moments are exact here."""
    data = QueryDict(mutable=True)
    data.update(
        {
            "q": asked.q,
            "status": asked.status or "",
            "platform": asked.platform or "",
            "account": str(asked.account_id or ""),
            "campaign": asked.campaign,
        }
    )
    form = PostFilterForm(data, workspace=request.workspace)
    if not form.is_valid():
        names = {"account": "accountId"}
        raise invalid({names.get(name, name): [str(one) for one in told] for name, told in form.errors.items()})
    rows: QuerySet[Post] = form.narrowed().alias(moment=MOMENT)
    for name, moment in (("gte", asked.since), ("lt", asked.until)):
        if moment is not None:
            if moment.tzinfo is None:
                raise invalid({"from" if name == "gte" else "to": [_("Write it as in 2026-11-21T09:30:00Z.")]})
            rows = rows.filter(**{f"moment__{name}": moment})
    return rows


@posts.get("posts/{uuid:post_id}", auth=reads, response={200: PostOut, 304: None})
def read_post(
    request: ApiRequest, response: HttpResponse, post_id: UUID, if_none_match: IfNoneMatch
) -> Model | HttpResponseBase:
    """One post, with how it stands on each account."""
    get_object_or_404(Post.objects.of(request.workspace), pk=post_id)
    return tagged(request, response, told(request.workspace, post_id))


# --- Changing -------------------------------------------------------------------------------------------------


@posts.patch("posts/{uuid:post_id}", auth=writes, response=PostOut)
@idempotent
def change_post(
    request: ApiRequest, response: HttpResponse, post_id: UUID, wanted: PostFields, if_match: IfMatch
) -> Model | HttpResponseBase:
    """Change what has not gone out. What is not sent stays.

    A scheduled post stays scheduled, and what of it has failed goes out with the rest.
    Each list and object that is sent replaces the whole of what was there. `scheduledAt: null` makes it a draft again.
    """
    post = get_object_or_404(with_parts(Post.objects.of(request.workspace)), pk=post_id)
    if compose.is_saved_from(post, request.submission_key):  # sent again, after a death before its answer
        return tagged(request, response, told(request.workspace, post_id))
    refuse_uneditable(post, has_files=any(wanted.sent(name) for name in ("media", "media_ids", "media_urls")))
    sheet = Sheet(request, wanted, post=post)
    if sheet.intent is not Intent.DRAFT:
        require(request, Scope.PUBLISH)
    composition = sheet.composition()
    with transaction.atomic():
        now = compose.locked(post)
        check_match(request, lambda: told(request.workspace, post_id))
        if not compose.is_saved_from(now, composition.key):
            compose.update(now, request.user, composition)
            now.media_fetches.all().delete()  # what was fetched for it before is in the library
            expect_files(request, sheet, now)
    return tagged(request, response, told(request.workspace, post_id))


def refuse_uneditable(post: Post, *, has_files: bool) -> None:
    """has_files: it is said which files the post shall have. Raises ApiError."""
    if not compose.is_editable(post.publications.all()):
        raise ApiError(409, "not_editable", _("The post is on its way or out already, so it can no longer be changed."))
    state = intake.state_of(post)
    if state and state.is_waiting:
        raise ApiError(
            409,
            "files_coming",
            _(
                "Its files are being fetched, and the post follows then. Change it after that, or delete it and make "
                "another one; its time can be changed with posts/schedule."
            ),
        )
    if state and not has_files:  # else what was asked for would be forgotten by a change of something else
        sentence = _(
            "Send media, mediaIds or mediaUrls with the change, so that it is clear which files it shall have."
        )
        raise ApiError(409, "files_missing", f"{state.message}\n{sentence}")


@posts.delete("posts/{uuid:post_id}", auth=writes, response={204: None})
def delete_post(
    request: ApiRequest, post_id: UUID, if_match: IfMatch, maybe_out: Annotated[bool, Query(alias="maybeOut")] = False
) -> Answer[None]:
    """Cancel a post and delete it. What went out, or may have, keeps its record: 409, and nothing is changed.

    A draft of which an earlier try got no answer is deleted with `maybeOut=true`, by whoever has looked at the account.
    """
    post = get_object_or_404(Post.objects.of(request.workspace), pk=post_id)
    with transaction.atomic():
        compose.locked(post)
        check_match(request, lambda: told(request.workspace, post_id))
        if post.publications.exclude(status__in=(Status.DRAFT, Status.SCHEDULED)).exists():
            raise ApiError(409, "not_deletable", _("Only what has not gone out anywhere can be deleted."))
        if post.publications.filter(status=Status.SCHEDULED).exists():
            schedule.cancel(post, by=request.user)
        reason = bulk.delete_draft(post, by=request.user, although_in_doubt=maybe_out)
        if reason is Skipped.MAYBE_OUT:
            sentence = _(
                "It may be out already: an earlier try got no answer. Look at the account, then send maybeOut=true."
            )
            raise ApiError(409, "may_be_out", sentence)
        if reason:
            raise ApiError(409, "not_deletable", _("Publishing has begun meanwhile, so the post was not deleted."))
    return Answer(204, None)


@posts.post("posts/{uuid:post_id}/cancel", auth=writes, response=PostOut)
@idempotent
def cancel_post(request: ApiRequest, post_id: UUID) -> PostOut:
    """Back to draft, on all accounts where publishing has not begun. 409 where it has begun on all."""
    post = get_object_or_404(Post.objects.of(request.workspace), pk=post_id)
    schedule.cancel(post, by=request.user)
    return told(request.workspace, post_id)


# --- On its way -----------------------------------------------------------------------------------------------


@posts.post("posts/schedule", auth=publishes, response=PostOut)
@idempotent
def schedule_post(request: ApiRequest, wanted: ScheduleInput) -> PostOut:
    """Give a draft its time, or what waits for one another."""
    post = get_object_or_404(with_parts(Post.objects.of(request.workspace)), pk=wanted.post_id)
    at = intended(request.user, wanted.scheduled_at, wanted.timezone or post.time_zone)
    with transaction.atomic():
        compose.locked(post)
        if wanted.timezone:
            post.time_zone = wanted.timezone
            post.save(update_fields=["time_zone", "updated_at"])
        if intake.intend(post, intent=Intent.SCHEDULE, at=at, by=request.user):
            pass  # it follows when its files are here
        elif post.publications.filter(status=Status.SCHEDULED).exists():
            schedule.reschedule(post, at, by=request.user)
        else:
            post.scheduled_at = at  # so that it is judged for then
            refuse_unready(post)
            schedule.schedule(post, at, by=request.user, late_hours=post.late_hours)
    return told(request.workspace, post.pk)


@posts.post("posts/publish", auth=publishes, response=PostOut)
@idempotent
def publish_post(request: ApiRequest, wanted: PublishInput) -> PostOut:
    """Send a draft, or what waits for its time, now."""
    post = get_object_or_404(with_parts(Post.objects.of(request.workspace)), pk=wanted.post_id)
    with transaction.atomic():
        compose.locked(post)
        if intake.intend(post, intent=Intent.NOW, by=request.user):
            pass
        elif post.publications.filter(status=Status.SCHEDULED).exists():
            schedule.reschedule(post, timezone.now(), by=request.user)
        else:
            post.scheduled_at = None
            refuse_unready(post)
            schedule.publish_now(post, by=request.user)
    return told(request.workspace, post.pk)


def refuse_unready(post: Post) -> None:
    """A draft goes out only as the composer would send it. Raises ApiError."""
    statuses = set(post.publications.values_list("status", flat=True))
    if not statuses:
        raise invalid({"accountIds": [_("Choose at least one account.")]})
    if Status.DRAFT not in statuses:
        raise ApiError(409, "not_editable", _("The post is on its way or out already. What failed can be retried."))
    if waiting := intake.state_of(post):  # given up: what went out now would lack files that were asked for
        raise ApiError(409, "files_missing", waiting.message)
    refuse_blocked(checks.check(post))


# --- One publication ------------------------------------------------------------------------------------------


def publication_of(request: ApiRequest, post_id: UUID, publication_id: UUID) -> Publication:
    return get_object_or_404(
        Publication.objects.select_related("account", "post__workspace"),
        pk=publication_id,
        post=post_id,
        post__workspace=request.workspace,
    )


@posts.post("posts/{uuid:post_id}/publications/{uuid:publication_id}/retry", auth=publishes, response=PostOut)
@idempotent
def retry_publication(request: ApiRequest, post_id: UUID, publication_id: UUID) -> PostOut:
    """Try what has failed on one account again, now."""
    schedule.retry(publication_of(request, post_id, publication_id), by=request.user)
    return told(request.workspace, post_id)


@posts.post("posts/{uuid:post_id}/publications/{uuid:publication_id}/decide", auth=publishes, response=PostOut)
@idempotent
def decide_publication(request: ApiRequest, post_id: UUID, publication_id: UUID, decision: DecisionInput) -> PostOut:
    """Where nobody can tell whether it is out: what a person has seen there."""
    publication = publication_of(request, post_id, publication_id)
    try:
        schedule.decide(
            publication, decision.answer, by=request.user, platform_post_id=decision.platform_post_id.strip()
        )
    except schedule.CannotDecide as error:
        raise invalid({"platformPostId": [str(error)]}) from error
    return told(request.workspace, post_id)
