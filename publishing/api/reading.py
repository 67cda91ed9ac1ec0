"""Posts as the API tells of them."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.db.models import Prefetch, QuerySet

from accounts.models import Workspace
from publishing import compose, intake
from publishing.api.schemas import FetchedFile, Fetching, PostMediaOut, PostOut, PublicationOut, Trouble
from publishing.intake import State
from publishing.models import Post, PostMedia, Publication, QueueEntry, Status
from socialhub.platforms.base import MediaKind, PostType


def with_parts(posts: QuerySet[Post]) -> QuerySet[Post]:
    """With all that is told of a post, in two statements more whatever their number."""
    return posts.prefetch_related(
        Prefetch(
            "publications",
            Publication.objects.select_related("account", "queue_entry").order_by(
                "account__platform", "created_at", "pk"
            ),
        ),
        Prefetch("post_media", PostMedia.objects.select_related("media").order_by("position")),
    )


def told(workspace: Workspace, pk: UUID) -> PostOut:
    """One post as it is now."""
    return tell(with_parts(Post.objects.of(workspace)).filter(pk=pk))[0]


def tell(posts: Iterable[Post]) -> list[PostOut]:
    rows = list(posts)
    waiting = intake.states_of(rows)
    return [post_out(post, waiting.get(post.pk)) for post in rows]


def post_out(post: Post, state: State | None) -> PostOut:
    publications = list(post.publications.all())
    return PostOut(
        id=post.pk,
        url=settings.PUBLIC_BASE_URL + post.get_absolute_url(),
        status=Post.Summary(post.status),
        content=post.caption,
        hashtags=post.hashtags,
        link=post.link,
        first_comment=post.first_comment,
        campaign=post.campaign,
        scheduled_at=post.scheduled_at,
        timezone=post.time_zone,
        late_hours=post.late_hours,
        image_set_id=post.image_set_id,
        created_at=post.created_at,
        updated_at=post.updated_at,
        is_editable=compose.is_editable(publications),
        media=[media_out(item) for item in post.post_media.all()],
        publications=[publication_out(publication) for publication in publications],
        fetching=fetching_out(state) if state else None,
    )


def media_out(item: PostMedia) -> PostMediaOut:
    return PostMediaOut(
        id=item.media_id,
        kind=MediaKind(item.media.kind),
        alt_text=item.alt_text or item.media.alt_text,
        fit=item.fit,
        width=item.media.width,
        height=item.media.height,
    )


def publication_out(publication: Publication) -> PublicationOut:
    account = publication.account
    entry: QueueEntry | None = getattr(publication, "queue_entry", None)
    is_out = publication.status == Status.PUBLISHED
    return PublicationOut(
        id=publication.pk,
        account_id=account.pk,
        platform=account.platform,
        account_name=account.name,
        username=account.username,
        status=Status(publication.status),
        post_type=PostType(publication.post_type),
        caption=publication.caption_override or None,
        choices=publication.choices,
        scheduled_at=publication.scheduled_at,
        published_at=publication.published_at,
        platform_post_id=publication.platform_post_id or None,
        permalink=publication.permalink or None,
        error=Trouble(
            kind=publication.error_kind,
            message=publication.error_message,
            platform_message=publication.platform_message,
        )
        if publication.error_kind and not is_out
        else None,
        awaits_decision=bool(entry and entry.awaits_decision),
        next_try_at=entry.not_before if entry and not entry.held and entry.lease_until is None else None,
        wait_reason=(entry.wait_reason or None) if entry else None,
    )


def fetching_out(state: State) -> Fetching:
    return Fetching(
        intent=state.intent,
        message=state.sentence,
        failed_at=state.failed_at,
        files=[
            FetchedFile(
                position=file.position,
                host=file.host,
                status=file.status,
                message=file.message or None,
                media_id=file.media_id,
            )
            for file in state.files
        ],
    )
