"""Pages for people: who is here, and each feed as a visitor would see it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from ..buffer import pages as buffer
from ..figures import PostFigures, figures_of, followers_at
from ..graph.instagram_media import STORY_SECONDS
from ..graph.instagram_media import permalink as instagram_permalink
from ..graph.posts import permalink as facebook_permalink
from ..graph.stories import SHOWN_SECONDS
from ..graph.videos import bring_out
from ..linkedin import pages as linkedin
from ..state import Comment, Instagram, Media, Page, Person, Photo, Post, State, Video
from ..world import link_instagram, start

SHOWN = 60


@dataclass(frozen=True)
class Shown:
    """A post as the templates need it."""

    id: str
    text: str
    link: str
    images: list[Media] | list[Photo]
    figures: PostFigures
    at: datetime
    address: str
    kind: str = "post"
    video: Video | None = None
    comments: list[Comment] = field(default_factory=list)


@dataclass(frozen=True)
class Inhabitant:
    person: Person
    pages: list[tuple[Page, Instagram | None]]
    more: int = 0


@dataclass(frozen=True)
class Profile:
    """Whose feed it is."""

    id: str
    name: str
    username: str
    about: str
    followers: int
    posts: int
    follows: int = 0
    category: str = ""
    other: object = field(default=None)


def front(request: HttpRequest) -> HttpResponse:
    state = start()
    people = []
    for person in list(state.people.values()):
        ids = state.page_of_person[person.id]
        shown = [(page, state.instagrams.get(page.instagram_id)) for page in (state.pages[one] for one in ids[:8])]
        people.append(Inhabitant(person, shown, max(len(ids) - 8, 0)))
    context = {
        "people": people,
        "instagrams": [one for one in list(state.instagrams.values()) if not one.page_id],
        "linkedin": linkedin.inhabitants(state),
        "buffer": buffer.inhabitants(state),
        "faults": len(state.faults),
    }
    return render(request, "sandbox/front.html", context)


@csrf_exempt
@require_POST
def link(request: HttpRequest, page_id: str) -> HttpResponse:
    """What the owner of a Page would do in its settings: link an Instagram account."""
    state = start()
    page = state.pages.get(page_id)
    if page is None:
        raise Http404
    with state.lock:
        if not page.instagram_id:
            link_instagram(state, page, page.username, followers=page.followers_count // 2)
    return redirect("front")


def facebook(request: HttpRequest, page_id: str) -> HttpResponse:
    state = start()
    page = find_page(state, page_id)
    bring_out(state)
    rows = [state.posts[one] for one in list(state.posts_of[page.id])[: -SHOWN - 1 : -1]]
    posts = [show_post(state, post) for post in rows if post.is_published and not is_over(state, post)]
    context = {"profile": page_profile(state, page), "posts": posts}
    return render(request, "sandbox/facebook_feed.html", context)


def facebook_post(request: HttpRequest, page_id: str, number: str) -> HttpResponse:
    state = start()
    page = find_page(state, page_id)
    bring_out(state)
    post = state.posts.get(f"{page_id}_{number}") or state.posts.get(number)
    if post is None or not post.is_published:
        raise Http404
    context = {"profile": page_profile(state, page), "post": show_post(state, post)}
    return render(request, "sandbox/facebook_post.html", context)


def instagram(request: HttpRequest, username: str) -> HttpResponse:
    state = start()
    account = next((one for one in list(state.instagrams.values()) if one.username == username), None)
    if account is None:
        raise Http404
    rows = [state.media[one] for one in reversed(list(state.media_of[account.id]))]
    stories = [media for media in rows if media.product == "STORY" and state.now() - media.created_at < STORY_SECONDS]
    posts = [media for media in rows if media.product != "STORY"]
    context = {
        "profile": instagram_profile(state, account, len(posts)),
        "posts": [show_media(state, media) for media in posts[:SHOWN]],
        "stories": [show_media(state, media) for media in stories],
    }
    return render(request, "sandbox/instagram_feed.html", context)


def instagram_post(request: HttpRequest, shortcode: str) -> HttpResponse:
    state = start()
    media = next((one for one in list(state.media.values()) if one.shortcode == shortcode), None)
    if media is None:
        raise Http404
    account = state.instagrams[media.instagram_id]
    context = {
        "profile": instagram_profile(state, account, len(state.media_of[account.id])),
        "post": show_media(state, media),
        "comments": media.comments,
    }
    return render(request, "sandbox/instagram_post.html", context)


def find_page(state: State, page_id: str) -> Page:
    page = state.pages.get(page_id)
    if page is None:
        raise Http404
    return page


def page_profile(state: State, page: Page) -> Profile:
    return Profile(
        page.id,
        page.name,
        page.username,
        page.about,
        followers_at(page, state.now()),
        len(state.posts_of[page.id]),
        category=page.category,
        other=state.instagrams.get(page.instagram_id),
    )


def instagram_profile(state: State, account: Instagram, posts: int) -> Profile:
    return Profile(
        account.id,
        account.name,
        account.username,
        account.biography,
        followers_at(account, state.now()),
        posts,
        account.follows_count,
        other=state.pages.get(account.page_id),
    )


def show_post(state: State, post: Post) -> Shown:
    comments = state.comments_below(post.id)
    figures = figures_of(state, post, state.now())
    photos = [state.photos[photo_id] for photo_id in post.photo_ids]
    return Shown(
        post.id,
        post.message,
        post.link,
        photos,
        replace(figures, comments=figures.comments + len(comments)),
        datetime.fromtimestamp(post.created_at, UTC),
        facebook_permalink("", post),
        kind=state.kind_of(post),
        video=state.videos.get(post.video_id),
        comments=comments,
    )


def is_over(state: State, post: Post) -> bool:
    return post.is_story and state.now() - post.created_at >= SHOWN_SECONDS


def show_media(state: State, media: Media) -> Shown:
    images = [state.media[child_id] for child_id in media.children] or [media]
    return Shown(
        media.id,
        media.caption,
        "",
        images,
        figures_of(state, media, state.now()),
        datetime.fromtimestamp(media.created_at, UTC),
        instagram_permalink("", media),
    )
