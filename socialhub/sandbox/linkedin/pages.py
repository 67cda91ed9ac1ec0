"""LinkedIn as people see it: the feed of a member or an organization, and one post."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from ..figures import Made, PostFigures, followers_at, post_figures
from ..state import State
from ..world import start
from .littletext import mentioned
from .rows import Comment, Document, Image, Member, Organization, Post, Video
from .world import organizations_of

SHOWN = 60


@dataclass(frozen=True)
class Shown:
    """A post as the templates need it."""

    urn: str
    text: str
    images: list[tuple[Image, str]]
    video: Video | None
    document: Document | None
    title: str
    thumbnail: Image | None
    article: dict[str, Any]
    poll: dict[str, Any]
    visibility: str
    figures: PostFigures
    comments: list[Comment]
    at: datetime


def inhabitants(state: State) -> list[dict[str, Any]]:
    """For the front page."""
    rows = []
    for member in list(state.linkedin_members.values()):
        organizations = organizations_of(state, member.id)
        shown = [(one, one.roles[member.id][0].replace("_", " ").capitalize()) for one in organizations[:6]]
        rows.append({"member": member, "organizations": shown, "more": max(len(organizations) - 6, 0)})
    return rows


def member_feed(request: HttpRequest, member_id: str) -> HttpResponse:
    return feed(request, start().linkedin_members.get(member_id))


def organization_feed(request: HttpRequest, vanity_name: str) -> HttpResponse:
    """By its number, too, as the network does."""
    rows = start().linkedin_organizations
    by_name = next((one for one in list(rows.values()) if one.vanity_name == vanity_name), None)
    return feed(request, by_name or rows.get(vanity_name))


def feed(request: HttpRequest, owner: Member | Organization | None) -> HttpResponse:
    if owner is None:
        raise Http404
    state = start()
    urns = state.linkedin_posts_of[owner.urn]
    posts = [show(state, state.linkedin_posts[urn]) for urn in list(urns)[: -SHOWN - 1 : -1]]
    context = {"owner": owner, "followers": followers_at(owner, state.now()), "posts": posts, "count": len(urns)}
    return render(request, "sandbox/linkedin/feed.html", context)


def one_post(request: HttpRequest, urn: str) -> HttpResponse:
    state = start()
    post = state.linkedin_posts.get(urn)
    if post is None:
        raise Http404
    owner = owner_of(state, post)
    return render(request, "sandbox/linkedin/post.html", {"owner": owner, "post": show(state, post)})


def owner_of(state: State, post: Post) -> Member | Organization:
    owner_id = post.author.rsplit(":", 1)[1]
    return state.linkedin_organizations.get(owner_id) or state.linkedin_members[owner_id]


def show(state: State, post: Post) -> Shown:
    content, now = post.content, state.now()
    media, article = content.get("media", {}), content.get("article", {})
    return Shown(
        urn=post.id,
        text=post.text,
        # What is still being processed, or failed, nobody sees.
        images=[
            (image, row.get("altText", ""))
            for row in image_rows(post)
            if (image := state.linkedin_images[row["id"]]).status_at(now) == "AVAILABLE"
        ],
        video=state.linkedin_videos.get(media.get("id", "")),
        document=state.linkedin_documents.get(media.get("id", "")),
        title=media.get("title", ""),
        thumbnail=state.linkedin_images.get(article.get("thumbnail", "")),
        article=article,
        poll=content.get("poll", {}),
        visibility=post.visibility.replace("_", " ").capitalize(),
        figures=post_figures(owner_of(state, post), Made(post.id, post.created_at), now),
        comments=comments_of(state, post),
        at=datetime.fromtimestamp(post.created_at, UTC),
    )


def image_rows(post: Post) -> list[dict[str, Any]]:
    media = post.content.get("media", {})
    single = [media] if str(media.get("id", "")).startswith("urn:li:image:") else []
    return post.content.get("multiImage", {}).get("images") or single


def comments_of(state: State, post: Post) -> list[Comment]:
    return [one for one in list(state.linkedin_comments.values()) if one.post == post.id]


def feed_rows(state: State, account_id: str) -> list[dict[str, Any]] | None:
    """For the control API: the posts of a member or organization by id or URN, or None if there is no such account."""
    account_id = account_id.rsplit(":", 1)[-1]
    owner = state.linkedin_members.get(account_id) or state.linkedin_organizations.get(account_id)
    if owner is None:
        return None
    return [row_of(state, state.linkedin_posts[urn]) for urn in state.linkedin_posts_of[owner.urn]]


def row_of(state: State, post: Post) -> dict[str, Any]:
    content = post.content
    media, article = content.get("media", {}), content.get("article", {})
    images = content.get("multiImage", {}).get("images") or ([media] if media else [])
    kind = str(media["id"]).split(":")[2] if media else next(iter(content), "text")
    return {
        "id": post.id,
        "kind": kind,  # text, article, image, multiImage, video, document, poll
        "message": post.text,
        "link": article.get("source", ""),
        "title": article.get("title", "") or media.get("title", ""),
        "description": article.get("description", ""),
        "media": len(images) or int("thumbnail" in article),
        "alt_texts": [image.get("altText", "") for image in images],
        "mentions": [
            urn for name, urn in mentioned(post.commentary) if is_name(state, name, urn)
        ],  # one with another name is plain text
        "comments": [comment.text for comment in comments_of(state, post)],
        "created": post.created_at,
        "published": True,
    }


def is_name(state: State, name: str, urn: str) -> bool:
    key = urn.rpartition(":")[2]
    owner = state.linkedin_organizations.get(key) or state.linkedin_members.get(key)
    return owner is not None and owner.name == name
