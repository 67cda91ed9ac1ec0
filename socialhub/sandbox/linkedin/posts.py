"""Posts: create, find, read, edit, delete."""

from __future__ import annotations

import json
from typing import Any

from ..state import Gone
from .call import POSTING_ROLES, Call, Reply, answers
from .errors import LinkedInError, denied, invalid, missing
from .littletext import render
from .rows import Asset, Post

LONGEST_TEXT = 3_000
LONGEST_ALT = 4_086
DUPLICATE_SECONDS = 600
FIRST_NUMBER = 7_390_000_000_000_000_000
FIELDS = {
    "author",
    "commentary",
    "visibility",
    "distribution",
    "lifecycleState",
    "isReshareDisabledByAuthor",
    "content",
    "reshareContext",
}
KINDS = {"media", "multiImage", "article", "poll"}
DURATIONS = {"ONE_DAY", "THREE_DAYS", "SEVEN_DAYS", "FOURTEEN_DAYS"}


def wrong(message: str, field: str) -> LinkedInError:
    """422: the schema does not allow it."""
    return invalid("UNPROCESSABLE_ENTITY", message, field, status=422)


def duplicate(urn: str) -> LinkedInError:
    return invalid("DUPLICATE_POST", f"Content is a duplicate of {urn}", "/commentary", status=422)


@answers("POST", "posts")
def create(call: Call) -> Reply:
    body = call.body
    author = checked_author(call)
    commentary = checked_commentary(body)
    check_frame(body)
    content = body.get("content") or {}
    check_content(call, author, content)
    if not commentary and not content and not body.get("reshareContext"):
        raise invalid("MISSING_FIELD", "A post needs commentary or content", "/commentary")
    sent = json.dumps([commentary, content, body.get("reshareContext")], sort_keys=True)
    for urn in reversed(call.state.linkedin_posts_of[author][-20:]):
        earlier = call.state.linkedin_posts[urn]
        if earlier.sent == sent and call.now - earlier.created_at < DUPLICATE_SECONDS:
            raise duplicate(urn)
    kept, shown = render(commentary)
    video = str(content.get("media", {}).get("id", "")).startswith("urn:li:video:")
    kind = "ugcPost" if video or content.keys() & {"multiImage", "poll"} else "share"
    post = call.state.add(
        Post(
            id=f"urn:li:{kind}:{FIRST_NUMBER + call.state.new_number()}",
            author=author,
            commentary=kept,
            text=shown,
            sent=sent,
            visibility=body["visibility"],
            distribution=body["distribution"],
            created_at=call.now,
            changed_at=call.now,
            content=content,
            reshare=body.get("reshareContext") or {},
            is_reshare_disabled=bool(body.get("isReshareDisabledByAuthor")),
        )
    )
    return Reply(201, headers={"x-restli-id": post.id, "Location": f"/rest/posts/{post.id}"})


def checked_author(call: Call) -> str:
    for name in call.body:
        if name not in FIELDS:
            raise wrong(f"unrecognized field found but not allowed: {name}", f"/{name}")
    author = call.body.get("author")
    if not isinstance(author, str) or not author:
        raise wrong("field is required but not found and has no default value", "/author")
    call.may_write_as(author, POSTING_ROLES)
    return author


def checked_commentary(body: dict[str, Any]) -> str:
    commentary = body.get("commentary")
    if not isinstance(commentary, str):
        raise wrong("field is required but not found and has no default value", "/commentary")
    if len(render(commentary)[1]) > LONGEST_TEXT:
        message = f"The length of this field cannot exceed {LONGEST_TEXT} characters"
        raise invalid("FIELD_LENGTH_TOO_LONG", message, "/commentary")
    return commentary


def check_frame(body: dict[str, Any]) -> None:
    """Everything around text and content. Raises LinkedInError."""
    visibility = body.get("visibility")
    if visibility not in ("PUBLIC", "CONNECTIONS", "LOGGED_IN", "CONTAINER"):
        raise wrong("field is required or not a member of the enum", "/visibility")
    if visibility == "CONNECTIONS" and body["author"].startswith("urn:li:organization:"):
        raise invalid("INVALID_VALUE_FOR_FIELD", "An organization has no connections", "/visibility")
    if body.get("lifecycleState") != "PUBLISHED":
        raise invalid("INVALID_VALUE_FOR_FIELD", "Only PUBLISHED can be created", "/lifecycleState")
    distribution = body.get("distribution")
    if not isinstance(distribution, dict) or distribution.get("feedDistribution") not in ("MAIN_FEED", "NONE"):
        raise wrong("field is required or not a member of the enum", "/distribution/feedDistribution")
    if not isinstance(body.get("isReshareDisabledByAuthor", False), bool):
        raise wrong("is not a boolean", "/isReshareDisabledByAuthor")
    reshare = body.get("reshareContext")
    if reshare is not None and (not isinstance(reshare, dict) or not reshare.get("parent") or body.get("content")):
        raise wrong("needs parent, and no content beside it", "/reshareContext")


def check_content(call: Call, author: str, content: Any) -> None:
    """Raises LinkedInError."""
    if not isinstance(content, dict):
        raise wrong("is not an object", "/content")
    if not content:
        return
    if len(content) != 1 or not content.keys() <= KINDS:
        raise wrong("must be exactly one of media, multiImage, article, poll", "/content")
    kind, value = next(iter(content.items()))
    if not isinstance(value, dict):
        raise wrong("is not an object", f"/content/{kind}")
    if kind == "media":
        check_media(call, author, value)
    elif kind == "multiImage":
        check_images(call, author, value)
    elif kind == "article":
        check_article(call, author, value)
    else:
        check_poll(value)


def check_media(call: Call, author: str, value: dict[str, Any]) -> None:
    """One image, video or document. Raises LinkedInError."""
    urn = str(value.get("id") or "")
    if urn.startswith("urn:li:video:"):
        check_asset(call, author, call.state.linkedin_videos.get(urn), urn, must_be_ready=True)
    elif urn.startswith("urn:li:document:"):
        if not isinstance(value.get("title"), str) or not value["title"]:
            raise wrong("field is required but not found and has no default value", "/content/media/title")
        check_asset(call, author, call.state.linkedin_documents.get(urn), urn, must_be_ready=True)
    else:
        check_image(call, author, value, "/content/media")


def check_images(call: Call, author: str, value: dict[str, Any]) -> None:
    rows = value.get("images")
    if not isinstance(rows, list) or not 2 <= len(rows) <= 20:
        raise wrong("must have 2 to 20 images", "/content/multiImage/images")
    if not all(isinstance(row, dict) for row in rows) or len({str(row.get("id")) for row in rows}) < len(rows):
        raise wrong("must not name an image twice", "/content/multiImage/images")
    for position, row in enumerate(rows):
        check_image(call, author, row, f"/content/multiImage/images/{position}")


def check_image(call: Call, author: str, value: dict[str, Any], field: str) -> None:
    urn = value.get("id")
    if not isinstance(urn, str) or not urn:
        raise wrong("field is required but not found and has no default value", f"{field}/id")
    if not urn.startswith("urn:li:image:"):
        raise invalid("INVALID_URN_TYPE", f"{urn} cannot stand here", f"{field}/id")
    if len(str(value.get("altText", ""))) > LONGEST_ALT:
        raise invalid("FIELD_LENGTH_TOO_LONG", f"The length cannot exceed {LONGEST_ALT} characters", f"{field}/altText")
    check_asset(call, author, call.state.linkedin_images.get(urn), urn, f"{field}/id")


def check_asset(
    call: Call,
    author: str,
    found: Asset | None,
    urn: str,
    field: str = "/content/media/id",
    *,
    must_be_ready: bool = False,
) -> None:
    """It is there, is the author's, and can be shown. Raises LinkedInError."""
    if found is None:
        raise invalid("INVALID_URN_ID", f"There is no {urn}", field)
    if found.owner != author:
        raise invalid("INVALID_VALUE_FOR_FIELD", f"{urn} is not owned by {author}", field)
    status = found.status_at(call.now)
    if status == "WAITING_UPLOAD":
        raise invalid("MEDIA_ASSET_WAITING_UPLOAD", f"{urn} is waiting for its upload", field)
    if status == "PROCESSING_FAILED":
        raise invalid("MEDIA_ASSET_PROCESSING_FAILED", f"{urn} could not be processed", field)
    if status == "PROCESSING" and must_be_ready:
        raise invalid("MEDIA_ASSET_PROCESSING", f"{urn} is still being processed", field)


def check_article(call: Call, author: str, value: dict[str, Any]) -> None:
    for name in ("source", "title"):
        if not isinstance(value.get(name), str) or not value[name]:
            raise wrong("field is required but not found and has no default value", f"/content/article/{name}")
    if not value["source"].startswith(("http://", "https://")):
        raise invalid("INVALID_VALUE_FOR_FIELD", "source is not an address", "/content/article/source")
    if thumbnail := value.get("thumbnail"):
        check_image(call, author, {"id": thumbnail}, "/content/article/thumbnail")


def check_poll(value: dict[str, Any]) -> None:
    question, options = value.get("question"), value.get("options")
    if not isinstance(question, str) or not 0 < len(question) <= 140:
        raise wrong("must have 1 to 140 characters", "/content/poll/question")
    if not isinstance(options, list) or not 2 <= len(options) <= 4:
        raise wrong("must have 2 to 4 options", "/content/poll/options")
    for option in options:
        if not isinstance(option, dict) or not 0 < len(str(option.get("text", ""))) <= 30:
            raise wrong("an option must have 1 to 30 characters", "/content/poll/options")
    settings = value.get("settings")
    if not isinstance(settings, dict) or settings.get("duration") not in DURATIONS:
        raise wrong("is not a member of the enum", "/content/poll/settings/duration")


# Reading


def visible(call: Call, post: Post) -> Post:
    """Posts of organizations are for those with a role there; a member's post nobody's app may read."""
    if not post.author.startswith("urn:li:organization:"):
        raise denied(call.what)
    may_read(call, post.author)
    return post


def may_read(call: Call, author: str) -> None:
    if not author.startswith("urn:li:organization:"):
        raise denied(call.what)
    call.need("r_organization_social")
    if not call.role_on(call.organization(author)):
        raise denied(call.what)


def facts(post: Post) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": post.id,
        "author": post.author,
        "commentary": post.commentary,
        "visibility": post.visibility,
        "distribution": post.distribution,
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": post.is_reshare_disabled,
        "createdAt": int(post.created_at * 1000),
        "publishedAt": int(post.created_at * 1000),
        "lastModifiedAt": int(post.changed_at * 1000),
    }
    if post.content:
        body["content"] = post.content
    if post.reshare:
        body["reshareContext"] = post.reshare
    return body


@answers("GET", "posts/*")
def read(call: Call) -> Reply:
    post = call.state.linkedin_posts.get(call.path[1])
    if post is None:
        call.need("r_organization_social")
        raise missing(call.path[1])
    return Reply(body=facts(visible(call, post)))


@answers("GET", "posts")
def find_posts(call: Call) -> Reply:
    ids = call.names("ids")
    if ids is not None:
        return batch(call, ids)
    if call.text("q") != "author":
        raise invalid("ILLEGAL_ARGUMENT", "Parameter 'q' must be author")
    may_read(call, call.text("author"))
    order = call.text("sortBy") or "LAST_MODIFIED"
    if order not in ("LAST_MODIFIED", "CREATED"):
        raise invalid("ILLEGAL_ARGUMENT", f"Parameter 'sortBy' is invalid: {order}")
    rows = [call.state.linkedin_posts[urn] for urn in call.state.linkedin_posts_of[call.text("author")]]
    rows.sort(key=lambda post: post.created_at if order == "CREATED" else post.changed_at, reverse=True)
    elements, paging = call.page(rows)
    return Reply(body={"elements": [facts(post) for post in elements], "paging": paging})


def batch(call: Call, ids: list[str]) -> Reply:
    results, statuses, errors = {}, {}, {}
    for urn in ids:
        post = call.state.linkedin_posts.get(urn)
        try:
            if post is None:
                raise missing(urn)
            results[urn], statuses[urn] = facts(visible(call, post)), 200
        except LinkedInError as error:
            statuses[urn], errors[urn] = error.status, error.envelope()
    return Reply(body={"results": results, "statuses": statuses, "errors": errors})


@answers("POST", "posts/*")
def edit(call: Call) -> Reply:
    post = call.state.linkedin_posts.get(call.path[1])
    if post is None:
        raise missing(call.path[1])
    call.may_write_as(post.author, POSTING_ROLES)
    patch = call.body.get("patch")
    changes = patch.get("$set") if isinstance(patch, dict) else None
    if not isinstance(changes, dict) or set(changes) != {"commentary"}:
        raise wrong("only the commentary can be changed", "/patch/$set")
    post.commentary, post.text = render(checked_commentary(changes))
    post.changed_at = call.now
    return Reply(204)


@answers("DELETE", "posts/*")
def delete(call: Call) -> Reply:
    """A second time is fine, too."""
    post = call.state.linkedin_posts.get(call.path[1])
    if post is None:
        call.need("w_member_social", "w_organization_social")
        return Reply(204)
    call.may_write_as(post.author, POSTING_ROLES)
    call.state.add(Gone(post.id, post.author, post.created_at, "FEED", call.now))
    del call.state.linkedin_posts[post.id]
    call.state.linkedin_posts_of[post.author].remove(post.id)
    return Reply(204)
