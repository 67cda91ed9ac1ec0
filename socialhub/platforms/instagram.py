"""Instagram professional accounts: image, carousel, reel and story, through the Page they are linked to or without one.

A container is created, Instagram gets its image or video, and the container is published. The container id is what makes a
lost answer harmless: one container becomes at most one post, and it says itself whether it was published.
Both ways know the same calls and ids; which host they go to is the client's affair. Instagram fetches every image from our
signed address. Videos go two ways: an account behind a Page gets them uploaded in parts, always, because that needs no
public address, goes on after an interruption and cannot run into a slow fetch; the login without a Page has no upload
(see `instagram_upload`), so there Instagram fetches the video, too. Of what else only graph.facebook.com has (sums over
both networks, saved_count and its like, deleting) nothing is used here.
Source: Instagram Platform, v26.0, read September to November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from socialhub.platforms import instagram_after
from socialhub.platforms.base import (
    Absent,
    Access,
    AccountReading,
    AudienceReading,
    Content,
    Done,
    Handles,
    MediaItem,
    MediaKind,
    NotYet,
    Platform,
    PostFigures,
    PostType,
    Profile,
    Published,
    Quota,
    RemotePost,
    Seen,
    Step,
    StepKind,
    Unknowable,
)
from socialhub.platforms.errors import NotFoundError, OutcomeUnknownError, PlatformError, TemporaryError
from socialhub.platforms.instagram_figures import PAGE_LIMIT, Figures
from socialhub.platforms.instagram_rules import RULES
from socialhub.platforms.instagram_upload import Uploads, parts_of
from socialhub.platforms.meta import Graph, Meta, UnendingError, entries_of, id_in, instant_of, number_in
from socialhub.platforms.meta_errors import BY_NUMBER, NotReadyError, error_of_code
from socialhub.platforms.meta_insights import DAY_ZONE
from socialhub.platforms.text import normalise

POLL_SECONDS = (2.5, 5, 10, 30, 60)  # the last one again and again
GIVE_UP = timedelta(minutes=20)
LOOK_BACK = timedelta(seconds=120)
LOOK_PAGES = 10
DAY_SECONDS = 86_400
MEDIA_FIELDS = "id,caption,timestamp,permalink,media_type,media_product_type"

ONE_CONTAINER = {"publish": 1, "containers": 1}

# What a comment needs, by the login, and where whoever runs the server says that the app has it.
COMMENT_SCOPE = (RULES.comment_scopes[""], "META_EXTRA_SCOPES")
COMMENT_SCOPE_ALONE = (RULES.comment_scopes["instagram"], "INSTAGRAM_SCOPES")


class Instagram(Platform):
    """A professional account, acting with the token of the Page it is linked to or, without one, with its own."""

    key: ClassVar[str] = "instagram"
    label: ClassVar[str] = "Instagram"
    # The container itself tells whether it was published, so a few looks settle it.
    first_look_seconds: ClassVar[float] = 30
    look_every_seconds: ClassVar[float] = 45
    absent_after_seconds: ClassVar[float] = 240
    totals: ClassVar[tuple[str, ...]] = ("followers_count", "following_count", "posts_count")
    quota_group: ClassVar[str] = "posts"
    day_zone: ClassVar[str] = DAY_ZONE
    tells_today: ClassVar[bool] = True
    history_days: ClassVar[int] = 89  # Instagram keeps about 90, and refuses what is older
    days_at_once: ClassVar[int] = 28  # a week with each call
    lists_figures: ClassVar[int] = PAGE_LIMIT
    has_audience: ClassVar[bool] = True

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.uploads = Uploads(graph) if isinstance(graph, Meta) else None
        self.figures = Figures(graph)

    # Publishing

    def plan(self, content: Content) -> tuple[Step, ...]:
        commit = Step("publish", StepKind.COMMIT, _("Publishing"), {"publish": 1, "posts": 1})
        if content.post_type is not PostType.CAROUSEL:
            # Pages ask for the plan of drafts, too, that hold nothing yet.
            parts = self._parts("container", content.media[0]) if content.media else ()
            is_video = bool(content.media) and content.media[0].kind is MediaKind.VIDEO
            return (
                Step(
                    "container",
                    StepKind.PREPARE,
                    _("Handing over the video") if is_video else _("Handing over the image"),
                    ONE_CONTAINER,
                ),
                *parts,
                Step(
                    "ready",
                    StepKind.WAIT,
                    _("Instagram works on the video") if is_video else _("Instagram fetches the image"),
                ),
                commit,
            )
        total = len(content.media)
        has_videos = any(item.kind is MediaKind.VIDEO for item in content.media)
        items = [
            step
            for number, item in enumerate(content.media, start=1)
            for step in (
                Step(_item_key(item), StepKind.PREPARE, _handing_over(item, number, total), ONE_CONTAINER),
                *self._parts(_item_key(item), item, video=number),
            )
        ]
        return (
            *items,
            Step(
                "items-ready",
                StepKind.WAIT,
                _("Instagram works on images and videos") if has_videos else _("Instagram fetches the images"),
            ),
            Step("container", StepKind.PREPARE, _("Creating the carousel"), ONE_CONTAINER),
            Step("ready", StepKind.WAIT, _("Instagram puts the carousel together")),
            commit,
        )

    def _parts(self, name: str, item: MediaItem, video: int | None = None) -> tuple[Step, ...]:
        return parts_of(name, item, video) if self.uploads and item.kind is MediaKind.VIDEO else ()

    def perform(self, step: Step, access: Access, content: Content, handles: Handles) -> Done | NotYet:
        if step.kind is StepKind.WAIT:
            return self._wait(step.key, access, content, handles)
        name = step.key.partition(":part:")[0]
        item = next((item for item in content.media if _item_key(item) == name), content.media[0])
        if self.uploads and name != step.key:
            return self.uploads.bring(step, access, item, handles, stale=_prefixes(name))
        if step.key in handles:
            return Done()
        if name == "container" and content.post_type is PostType.CAROUSEL:
            fields = {"media_type": "CAROUSEL", "children": ",".join(_children(content, handles))}
            fields |= _caption(content)
        elif name == "container":
            fields = self._media_fields(content, item) | _caption(content)
        else:
            fields = {"is_carousel_item": "true"} | self._media_fields(content, item)
        return self._create(step.key, access, fields)

    def _media_fields(self, content: Content, item: MediaItem) -> dict[str, str]:
        """What a container is made of. A single video is a reel: Instagram knows no other since 2023."""
        if content.post_type is PostType.STORY:
            kind = {"media_type": "STORIES"}
        elif item.kind is MediaKind.VIDEO:
            kind = {"media_type": "VIDEO" if content.post_type is PostType.CAROUSEL else "REELS"}
        else:
            kind = {}
        if item.kind is MediaKind.VIDEO:
            return kind | ({"upload_type": "resumable"} if self.uploads else {"video_url": item.url})
        has_alt = item.alt_text and content.post_type is not PostType.STORY
        return kind | {"image_url": item.url} | ({"alt_text": item.alt_text} if has_alt else {})

    def _create(self, key: str, access: Access, fields: Mapping[str, str]) -> Done:
        reply = self.graph.post(
            f"{access.account_id}/media",
            access.token,
            fields,
            account_id=access.account_id,
            # A carousel refused for a child that expired needs new children.
            stale=FORGET_ALL if key == "container" else (),
        )
        container = id_in(reply.json)
        if not container:
            raise TemporaryError(
                _("Instagram took the image or video but gave no id for it. It is tried again by itself.")
            )
        return Done({key: container, f"{key}:at": datetime.now(UTC).isoformat(timespec="seconds")}, reply.request_id)

    def _wait(self, key: str, access: Access, content: Content, handles: Handles) -> Done | NotYet:
        """Look at what is not known to be ready. Counters and results are kept among the handles."""
        names = _item_keys(content) if key == "items-ready" else ["container"]
        began = str(handles.get(f"{key}:began") or datetime.now(UTC).isoformat(timespec="seconds"))
        ready = [str(name) for name in handles.get(f"{key}:ready", ())]
        for name in names:
            if name in ready:
                continue
            state = self._state(access, str(handles[name]))
            if state.code == "PUBLISHED" and name == "container":
                # Somebody published it: ours, before an answer was lost. `commit` must not do so again.
                return Done({"already_published": True})
            if state.code in ("FINISHED", "PUBLISHED"):
                ready.append(name)
            elif state.code == "IN_PROGRESS" or not state.code:
                return _not_yet(key, began, ready, int(handles.get(f"{key}:polls", 0)))
            else:
                raise _failed(state, forget=_prefixes(name))
        return Done({f"{key}:ready": ready})

    def _state(self, access: Access, container: str) -> State:
        if not container:  # what is looked for was prepared by an installation whose backup knows nothing of that
            return State("", "")
        try:
            answer = self.graph.get(
                container, access.token, {"fields": "id,status_code,status"}, account_id=access.account_id
            )
        except NotFoundError as error:
            return State("EXPIRED", error.platform_message)
        return State(str(answer.get("status_code") or ""), str(answer.get("status") or ""))

    def commit(self, access: Access, content: Content, handles: Handles) -> Published:
        if handles.get("already_published"):
            raise OutcomeUnknownError(
                _("Instagram says that this was published already. We look for it before anything else.")
            )
        container = str(handles["container"])
        try:
            reply = self.graph.post(
                f"{access.account_id}/media_publish",
                access.token,
                {"creation_id": container},
                commit=True,
                account_id=access.account_id,
                stale=FORGET_ALL,
            )
        except NotReadyError as error:
            error.forget = ("ready",)
            raise
        except OutcomeUnknownError as error:
            if error.subcode == "2207008":
                self._explain_missing(access, container, error)
            raise
        media_id = id_in(reply.json)
        if not media_id:
            raise OutcomeUnknownError(
                _(
                    "Instagram took the post but gave no id for it. We look at the account before anything is tried again."
                )
            )
        return Published(media_id, request_id=reply.request_id)

    def _explain_missing(self, access: Access, container: str, error: OutcomeUnknownError) -> None:
        """Instagram did not find the container: raise a clear no if the container itself says so, else return."""
        try:
            state = self._state(access, container)
        except PlatformError:
            return
        if state.code == "PUBLISHED" or not state.code:
            return
        details = {
            "platform_message": error.platform_message,
            "code": error.code,
            "subcode": error.subcode,
            "request_id": error.request_id,
        }
        raise TemporaryError(
            _("Instagram does not find what we prepared. It is tried again by itself."),
            forget=("ready",) if state.code in ("FINISHED", "IN_PROGRESS") else FORGET_ALL,
            **details,
        )

    def look(
        self, access: Access, content: Content, handles: Handles, *, since: datetime, claimed: Collection[str]
    ) -> Published | Absent | Unknowable:
        state = self._state(access, str(handles.get("container", "")))
        start = min(since, instant_of(handles.get("container:at")) or since) if state.code == "PUBLISHED" else since
        try:
            matches = self._find(access, content, start - LOOK_BACK, claimed)
        except UnendingError:
            return Unknowable(_("The account published so much in that time that we could not read all of it."))
        if matches and not normalise(_shown_text(content)) and state.code != "PUBLISHED":
            return self._perhaps_another(matches, since)
        if len(matches) == 1:
            found = matches[0]
            return Published(
                str(found["id"]),
                str(found.get("permalink") or ""),
                published_at=instant_of(found.get("timestamp")),
            )
        if matches:
            return Unknowable(
                _("%(number)d posts on the account look like this one: %(places)s.")
                % {"number": len(matches), "places": _places(matches)}
            )
        if state.code == "PUBLISHED":
            return self._published_but_unseen(since)
        return Absent(
            _("Instagram says of what we prepared: %(state)s. No post with this caption since %(time)s UTC.")
            % {"state": state.code or "?", "time": f"{start.astimezone(UTC):%Y-%m-%d %H:%M:%S}"},
            forget=FORGET_ALL if state.code == "ERROR" else (),
        )

    def _perhaps_another(self, matches: Sequence[Mapping[str, Any]], since: datetime) -> Unknowable:
        """Nothing but its time speaks for what was found, and the container does not say that it is out."""
        if datetime.now(UTC) - since < timedelta(seconds=self.absent_after_seconds):
            raise TemporaryError(
                _("Instagram shows a post of that time, but does not say yet that it is ours. We look again.")
            )
        return Unknowable(
            _(
                "Without a text nothing tells whether this is ours, and Instagram does not say that it published it: "
                "%(places)s"
            )
            % {"places": _places(matches)}
        )

    def _published_but_unseen(self, since: datetime) -> Unknowable:
        """It is out, but the list does not show it yet. Never to be taken for absent."""
        if datetime.now(UTC) - since < timedelta(seconds=self.absent_after_seconds):
            raise TemporaryError(_("Instagram says that it is published, but does not list it yet. We look again."))
        return Unknowable(
            _("Instagram says that it is published, but no post of the account can be told to be this one.")
        )

    def _find(
        self, access: Access, content: Content, start: datetime, claimed: Collection[str]
    ) -> list[dict[str, Any]]:
        # Stories stand in a list of their own, which knows no times.
        edge, span = "stories", {}
        if content.post_type is not PostType.STORY:
            edge = "media"
            span = {"since": str(int(start.timestamp())), "until": str(int(datetime.now(UTC).timestamp()) + 60)}
        entries = self.graph.paged(
            f"{access.account_id}/{edge}",
            access.token,
            {"fields": MEDIA_FIELDS, **span, "limit": "25"},
            page_limit=LOOK_PAGES,
            whole=True,
            account_id=access.account_id,
        )
        caption = normalise(_shown_text(content))
        return [
            entry
            for entry in entries
            if entry.get("id")
            and str(entry["id"]) not in claimed
            and (instant_of(entry.get("timestamp")) or start) >= start
            and (content.post_type is PostType.STORY or normalise(entry.get("caption")) == caption)
            and _same_kind(entry, content)
        ]

    def permalink(self, access: Access, platform_post_id: str) -> str:
        answer = self.graph.get(
            platform_post_id, access.token, {"fields": "id,permalink,shortcode"}, account_id=access.account_id
        )
        return str(answer.get("permalink") or "")

    # After publishing

    def seen(self, access: Access, platform_post_id: str, content: Content) -> Seen:
        return instagram_after.seen(self.graph, access, platform_post_id, content)

    def comment(self, access: Access, platform_post_id: str, text: str) -> str:
        scope, setting = COMMENT_SCOPE if self.uploads else COMMENT_SCOPE_ALONE
        return instagram_after.comment(self.graph, access, platform_post_id, text, scope=scope, setting=setting)

    def find_comment(self, access: Access, platform_post_id: str, text: str) -> str | Unknowable:
        return instagram_after.find_comment(self.graph, access, platform_post_id, text)

    # Reading

    def publishing_limit(self, access: Access) -> PublishingLimit:
        """The account's own quota of posts in 24 hours."""
        answer = self.graph.get(
            f"{access.account_id}/content_publishing_limit",
            access.token,
            {"fields": "config,quota_usage"},
            account_id=access.account_id,
        )
        told = next(iter(entries_of(answer)), {})
        config = told.get("config")
        config = config if isinstance(config, dict) else {}
        return PublishingLimit(
            used=number_in(told, "quota_usage"),
            total=number_in(config, "quota_total"),
            seconds=number_in(config, "quota_duration") or DAY_SECONDS,
        )

    def quota(self, access: Access) -> Quota | None:
        told = self.publishing_limit(access)
        if told.total is None or told.used is None or told.seconds != DAY_SECONDS:
            return None  # nothing that our window of a day could be corrected with
        return Quota(told.used, told.total)

    def profile(self, access: Access) -> Profile:
        return self.figures.profile(access)

    def read_account(
        self, access: Access, *, days: Sequence[datetime] = (), skip: Collection[str] = ()
    ) -> AccountReading:
        return self.figures.account(access, days, skip)

    def audience(self, access: Access, *, skip: Collection[str] = ()) -> AudienceReading:
        return self.figures.audience(access, skip)

    def post_figures(
        self, access: Access, posts: Mapping[str, str], *, skip: Collection[str] = ()
    ) -> list[PostFigures]:
        """posts: the product is FEED, REELS or STORY; where it is not known, that costs a further call."""
        return self.figures.posts(access, posts, skip)

    def recent_posts(
        self, access: Access, *, since: datetime, limit: int = 25, figures: bool = False, skip: Collection[str] = ()
    ) -> list[RemotePost]:
        """Figures that only one kind of media has, and those of stories, `post_figures` tells."""
        return self.figures.recent(access, since, limit, figures, skip)


# Handles and finished steps that go when everything has to be prepared again.
FORGET_ALL = ("item", "container", "ready")


@dataclass(frozen=True, slots=True)
class State:
    """What a container says of itself. code "": it did not say."""

    code: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class PublishingLimit:
    """Posts in the rolling window. None: Instagram did not say."""

    used: int | None
    total: int | None
    seconds: int = DAY_SECONDS


def _shown_text(content: Content) -> str:
    """Instagram shows no text with a story."""
    return "" if content.post_type is PostType.STORY else content.text


def _caption(content: Content) -> dict[str, str]:
    text = _shown_text(content)
    return {"caption": text} if text else {}


def _item_key(item: MediaItem) -> str:
    return f"item:{item.position}"


def _item_keys(content: Content) -> list[str]:
    return [_item_key(item) for item in content.media]


def _handing_over(item: MediaItem, number: int, total: int) -> str:
    if item.kind is MediaKind.VIDEO:
        return _("Handing over video %(number)d of %(total)d") % {"number": number, "total": total}
    return _("Handing over image %(number)d of %(total)d") % {"number": number, "total": total}


def _places(entries: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(str(entry.get("permalink") or entry["id"]) for entry in entries)


def _children(content: Content, handles: Handles) -> list[str]:
    return [str(handles[key]) for key in _item_keys(content)]


def _prefixes(name: str) -> tuple[str, ...]:
    """What is forgotten with one dead container: it, and every step that stands on it."""
    if name == "container":
        return ("container", "ready")
    return (name, "items-ready", "container", "ready")


def _not_yet(key: str, began: str, ready: list[str], polls: int) -> NotYet:
    waited = datetime.now(UTC) - datetime.fromisoformat(began)
    if waited > GIVE_UP:
        raise TemporaryError(
            _(
                "Instagram did not finish with the media in 20 minutes. Nothing was published; they are handed over again "
                "by themselves."
            ),
            forget=FORGET_ALL,
        )
    return NotYet(
        POLL_SECONDS[min(polls, len(POLL_SECONDS) - 1)],
        {f"{key}:began": began, f"{key}:ready": ready, f"{key}:polls": polls + 1},
    )


def _failed(state: State, *, forget: tuple[str, ...]) -> PlatformError:
    """The error of a container in state ERROR or EXPIRED. Its text holds Instagram's subcode."""
    if state.code == "EXPIRED":
        return error_of_code(-2, 2207020, state.text, stale=forget)
    subcode = next((int(number) for number in re.findall(r"\b22\d{5}\b", state.text)), None)
    error = error_of_code(-1, subcode if subcode in BY_NUMBER else 2207053, state.text, stale=forget)
    # Nothing can be done with a container that failed, whatever the reason was.
    error.forget = forget
    return error


PRODUCTS = {PostType.REEL: "REELS", PostType.STORY: "STORY"}  # all else stands in the feed


def _same_kind(entry: Mapping[str, Any], content: Content) -> bool:
    """Where it is shown and what it is agree, as far as Instagram says so."""
    if entry.get("media_product_type") not in (None, PRODUCTS.get(content.post_type, "FEED")):
        return False
    if content.post_type is PostType.CAROUSEL:
        return entry.get("media_type") in (None, "CAROUSEL_ALBUM")
    wanted = "VIDEO" if content.media and content.media[0].kind is MediaKind.VIDEO else "IMAGE"
    return entry.get("media_type") in (None, wanted)
