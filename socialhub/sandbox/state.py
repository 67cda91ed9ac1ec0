"""Everything the simulated network knows: plain dataclasses in memory, behind one lock, kept in a JSON file."""

from __future__ import annotations

import atexit
import json
import logging
import os
import shutil
import tempfile
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from . import settings
from .buffer import rows as buffer
from .linkedin import rows as linkedin

logger = logging.getLogger(__name__)

ALL_TASKS = ["ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MANAGE", "MESSAGING", "MODERATE"]
Reach = Literal["direct", "owned", "client"]


@dataclass
class Person:
    id: str
    key: str
    name: str
    about: str = ""


@dataclass
class Role:
    """What one person may do on one Page, and by which way they reach it. No tasks: listed, but not connectable."""

    person_id: str
    tasks: list[str]
    reach: Reach = "direct"


@dataclass
class Page:
    id: str
    name: str
    username: str
    category: str
    followers_count: int
    roles: list[Role]
    instagram_id: str = ""
    business_id: str = ""
    about: str = ""
    engaged_users: int = 3
    created_at: float = 0.0

    def role_of(self, person_id: str) -> Role | None:
        return next((role for role in self.roles if role.person_id == person_id), None)


@dataclass
class Instagram:
    id: str
    page_id: str
    username: str
    name: str
    followers_count: int
    follows_count: int
    biography: str = ""
    quota_total: int = 100
    engaged_users: int = 3
    created_at: float = 0.0
    account_type: str = "BUSINESS"  # or MEDIA_CREATOR, PERSONAL
    professional_since: float = 0.0  # what was posted earlier has no insights

    @property
    def key(self) -> str:
        return self.username

    @property
    def scoped_id(self) -> str:
        """The number by which the app of Instagram's own login knows it."""
        return f"27{self.id[-14:]}"


@dataclass
class Business:
    id: str
    name: str
    person_id: str


@dataclass
class Grant:
    """What a person allowed the app: scopes, and the Pages for which they count."""

    person_id: str
    scopes: list[str]
    declined: list[str]
    page_ids: list[str]


@dataclass
class Token:
    value: str
    kind: Literal["USER", "PAGE", "INSTAGRAM"]  # the last is of Instagram's own login
    person_id: str
    scopes: list[str]
    page_ids: list[str]
    issued_at: float
    expires_at: float  # 0: never
    data_access_expires_at: float
    page_id: str = ""
    instagram_id: str = ""
    lost: int = 0  # error_subcode of 190 once it has been taken away

    def usable_at(self, now: float) -> bool:
        return not self.lost and not (self.expires_at and now >= self.expires_at)


@dataclass
class Code:
    value: str
    person_id: str
    redirect_uri: str
    scopes: list[str]
    page_ids: list[str]
    expires_at: float
    challenge: str = ""
    challenge_method: str = ""
    used: bool = False


@dataclass
class InstagramCode:
    """Of Instagram's own login."""

    value: str
    instagram_id: str
    redirect_uri: str
    scopes: list[str]
    expires_at: float
    used: bool = False


@dataclass
class Post:
    id: str
    page_id: str
    message: str
    created_at: float
    link: str = ""
    photo_ids: list[str] = field(default_factory=list)
    is_published: bool = True
    by_app: bool = True
    video_id: str = ""
    is_story: bool = False


@dataclass
class Photo:
    id: str
    page_id: str
    file: str
    width: int
    height: int
    created_at: float
    caption: str = ""
    alt_text: str = ""
    is_published: bool = False
    post_id: str = ""


@dataclass
class Video:
    """Of a Page. edge: where it was announced: videos, video_reels or video_stories."""

    id: str
    page_id: str
    edge: str
    created_at: float
    session_id: str = ""
    size_bytes: int = 0
    received: int = 0
    title: str = ""
    description: str = ""
    finished_at: float = 0.0
    ready_at: float = 0.0
    posts: list[str] = field(default_factory=list)  # ids, one for each time that it was finished
    is_out: bool = False
    spoiled: bool = False
    error: str = ""
    file: str = ""
    poster: str = ""
    width: int = 0
    height: int = 0
    seconds: float = 0.0


@dataclass
class Comment:
    """Of a Page, below one of its posts."""

    id: str
    post_id: str
    page_id: str
    message: str
    created_at: float


@dataclass
class Container:
    id: str
    instagram_id: str
    created_at: float
    ready_at: float
    caption: str = ""
    file: str = ""
    width: int = 0
    height: int = 0
    alt_text: str = ""
    is_carousel_item: bool = False
    children: list[str] = field(default_factory=list)
    error: str = ""
    media_id: str = ""
    published_at: float = 0.0
    media_type: str = ""  # as it was asked for: REELS, STORIES, VIDEO, CAROUSEL, or "" for an image
    poster: str = ""  # of a video: the file with its first picture
    resumable: bool = False  # its video is uploaded, in stretches
    size_bytes: int = 0
    received: int = 0


@dataclass
class Media:
    id: str
    instagram_id: str
    shortcode: str
    created_at: float
    caption: str = ""
    file: str = ""
    width: int = 0
    height: int = 0
    alt_text: str = ""
    children: list[str] = field(default_factory=list)
    parent_id: str = ""
    container_id: str = ""
    product: str = "FEED"  # or REELS, STORY
    poster: str = ""  # of a video
    comments: list[dict[str, Any]] = field(default_factory=list)
    hides_likes: bool = False


@dataclass
class Fault:
    """A switched-on fault. count None: until switched off."""

    id: str
    kind: str
    edge: str = "any"
    account: str = "all"
    count: int | None = 1
    seconds: float = 10
    subcode: int = 460
    minutes: int = 5
    detail: str = ""


@dataclass
class Gone:
    """A post that was deleted: what happened until then still counts for its account."""

    id: str
    owner_id: str
    created_at: float
    product: str
    gone_at: float


@dataclass
class Withdrawn:
    """A metric that a network has given up (the name is refused) or keeps to itself (it is left out)."""

    id: str
    name: str
    how: Literal["dead", "withheld"]
    account: str = "all"


TABLES: dict[str, type] = {
    "people": Person,
    "pages": Page,
    "instagrams": Instagram,
    "businesses": Business,
    "grants": Grant,
    "tokens": Token,
    "codes": Code,
    "instagram_codes": InstagramCode,
    "posts": Post,
    "photos": Photo,
    "videos": Video,
    "comments": Comment,
    "containers": Container,
    "media": Media,
    "faults": Fault,
    "withdrawn": Withdrawn,
    "gone": Gone,
    "linkedin_apps": linkedin.App,
    "linkedin_members": linkedin.Member,
    "linkedin_organizations": linkedin.Organization,
    "linkedin_grants": linkedin.Grant,
    "linkedin_tokens": linkedin.Token,
    "linkedin_codes": linkedin.Code,
    "linkedin_images": linkedin.Image,
    "linkedin_videos": linkedin.Video,
    "linkedin_documents": linkedin.Document,
    "linkedin_comments": linkedin.Comment,
    "linkedin_posts": linkedin.Post,
    "buffer_apps": buffer.App,
    "buffer_accounts": buffer.Account,
    "buffer_organizations": buffer.Organization,
    "buffer_channels": buffer.Channel,
    "buffer_grants": buffer.Grant,
    "buffer_tokens": buffer.Token,
    "buffer_codes": buffer.Code,
    "buffer_posts": buffer.Post,
}
PRODUCTS = {"post": "FEED", "video": "VIDEO", "reel": "REELS", "story": "STORY"}
KEYS: dict[type, str] = {
    Grant: "person_id",
    Token: "value",
    Code: "value",
    InstagramCode: "value",
    linkedin.Grant: "member_id",
    linkedin.Token: "value",
    linkedin.Code: "value",
    buffer.Token: "value",
    buffer.Code: "value",
}


class State:
    """The tables. Whoever changes one holds `lock` and calls `changed()` afterwards."""

    people: dict[str, Person]
    pages: dict[str, Page]
    instagrams: dict[str, Instagram]
    businesses: dict[str, Business]
    grants: dict[str, Grant]
    tokens: dict[str, Token]
    codes: dict[str, Code]
    instagram_codes: dict[str, InstagramCode]
    posts: dict[str, Post]
    photos: dict[str, Photo]
    videos: dict[str, Video]
    comments: dict[str, Comment]
    containers: dict[str, Container]
    media: dict[str, Media]
    faults: dict[str, Fault]
    withdrawn: dict[str, Withdrawn]
    gone: dict[str, Gone]
    linkedin_apps: dict[str, linkedin.App]
    linkedin_members: dict[str, linkedin.Member]
    linkedin_organizations: dict[str, linkedin.Organization]
    linkedin_grants: dict[str, linkedin.Grant]
    linkedin_tokens: dict[str, linkedin.Token]
    linkedin_codes: dict[str, linkedin.Code]
    linkedin_images: dict[str, linkedin.Image]
    linkedin_videos: dict[str, linkedin.Video]
    linkedin_documents: dict[str, linkedin.Document]
    linkedin_comments: dict[str, linkedin.Comment]
    linkedin_posts: dict[str, linkedin.Post]
    buffer_apps: dict[str, buffer.App]
    buffer_accounts: dict[str, buffer.Account]
    buffer_organizations: dict[str, buffer.Organization]
    buffer_channels: dict[str, buffer.Channel]
    buffer_grants: dict[str, buffer.Grant]
    buffer_tokens: dict[str, buffer.Token]
    buffer_codes: dict[str, buffer.Code]
    buffer_posts: dict[str, buffer.Post]

    def __init__(self, path: Path | None, populate: Callable[[State], None]) -> None:
        self.lock = threading.RLock()
        self.path = path
        self.populate = populate
        if path is None:
            self.folder = Path(tempfile.mkdtemp(prefix="sandbox-"))
            atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        else:
            self.folder = path.parent / f"{path.stem}-media"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.writing = threading.Lock()
        self.dirty = threading.Event()
        self.clear()
        if path is not None:
            if path.exists():
                self.load(path)
            threading.Thread(target=self.keep_saving, name="state", daemon=True).start()
            atexit.register(self.save)

    def reset(self) -> None:
        """Back to the first day, and away with the pictures."""
        with self.lock:
            self.clear()
            for picture in self.folder.iterdir():
                picture.unlink(missing_ok=True)

    def clear(self) -> None:
        """The standing people, nothing published, no faults, real time."""
        with self.lock:
            for name in TABLES:
                setattr(self, name, {})
            self.last_id = 0
            self.clock_offset = 0.0
            self.latency_seconds = 0.0
            self.calls: Counter[str] = Counter()
            self.log: deque[dict[str, Any]] = deque(maxlen=500)
            self.usage: dict[str, tuple[float, int]] = {}
            self.posts_of: dict[str, list[str]] = defaultdict(list)
            self.media_of: dict[str, list[str]] = defaultdict(list)
            self.containers_of: dict[str, list[Container]] = defaultdict(list)
            self.page_of_person: dict[str, list[str]] = defaultdict(list)
            self.gone_of: dict[str, list[Gone]] = defaultdict(list)
            self.linkedin_posts_of: dict[str, list[str]] = defaultdict(list)
            self.buffer_posts_of: dict[str, list[str]] = defaultdict(list)
            self.buffer_calls: dict[str, list[float]] = defaultdict(list)
            self.populate(self)
            self.changed()

    # Reading

    def now(self) -> float:
        return time.time() + self.clock_offset

    def new_number(self) -> int:
        self.last_id += 1
        return self.last_id

    def node(self, node_id: str) -> Any:
        """The object of that id, of whatever kind, or None."""
        for table in (self.pages, self.posts, self.instagrams, self.containers, self.media, self.photos, self.videos):
            if (found := table.get(node_id)) is not None:  # type: ignore[attr-defined]
                return found
        return self.people.get(node_id) or self.businesses.get(node_id)

    def portrayed(self, node_id: str) -> Any:
        """Whoever on LinkedIn or Buffer has a picture under that id, or None."""
        for table in (self.linkedin_members, self.linkedin_organizations, self.buffer_accounts, self.buffer_channels):
            if (found := table.get(node_id)) is not None:  # type: ignore[attr-defined]
                return found
        return None

    # Adding

    def add(self, row: Any) -> Any:
        """Put a row in its table and its indexes."""
        name = next(name for name, kind in TABLES.items() if isinstance(row, kind))
        getattr(self, name)[getattr(row, KEYS.get(type(row), "id"))] = row
        if isinstance(row, Post):
            self.posts_of[row.page_id].append(row.id)
        elif isinstance(row, Media) and not row.parent_id:
            self.media_of[row.instagram_id].append(row.id)
        elif isinstance(row, Gone):
            self.gone_of[row.owner_id].append(row)
        elif isinstance(row, Container):
            self.containers_of[row.instagram_id].append(row)
        elif isinstance(row, Page):
            for role in row.roles:
                self.page_of_person[role.person_id].append(row.id)
        elif isinstance(row, linkedin.Post):
            self.linkedin_posts_of[row.author].append(row.id)
        elif isinstance(row, buffer.Post):
            self.buffer_posts_of[row.channel_id].append(row.id)
        self.dirty.set()
        return row

    def remove_post(self, post: Post) -> None:
        product = PRODUCTS[self.kind_of(post)]
        self.add(Gone(post.id, post.page_id, post.created_at, product, self.now()))
        self.posts.pop(post.id, None)
        self.posts_of[post.page_id].remove(post.id)
        for photo_id in post.photo_ids:
            self.photos.pop(photo_id, None)
        self.videos.pop(post.video_id, None)
        self.changed()

    def kind_of(self, post: Post) -> str:
        """post, video, reel or story: a key of PRODUCTS."""
        if post.is_story:
            return "story"
        if post.video_id:
            return "reel" if self.videos[post.video_id].edge == "video_reels" else "video"
        return "post"

    def comments_below(self, post_id: str) -> list[Comment]:
        """Of the Page itself, oldest first."""
        return [one for one in self.comments.values() if one.post_id == post_id]

    def remove_media(self, media: Media) -> None:
        product = "CAROUSEL" if media.children else media.product
        self.add(Gone(media.id, media.instagram_id, media.created_at, product, self.now()))
        self.media.pop(media.id, None)
        self.media_of[media.instagram_id].remove(media.id)
        self.changed()

    def changed(self) -> None:
        self.dirty.set()

    # The file

    def load(self, path: Path) -> None:
        saved = json.loads(path.read_text("utf-8"))
        with self.lock:
            for index in (self.posts_of, self.media_of, self.containers_of, self.page_of_person):
                index.clear()
            self.gone_of.clear()
            self.linkedin_posts_of.clear()
            self.buffer_posts_of.clear()
            for name, kind in TABLES.items():
                setattr(self, name, {})
                known = {column.name for column in fields(kind)}
                for values in saved["tables"].get(name, []):
                    if kind is Page:
                        values["roles"] = [Role(**role) for role in values["roles"]]
                    self.add(kind(**{key: value for key, value in values.items() if key in known}))
            self.last_id = saved["last_id"]
            self.clock_offset = saved["clock_offset"]
            self.add_missing()
            self.dirty.clear()

    def add_missing(self) -> None:
        """A file of an earlier version knows nothing of the networks that came later: they start on their first day."""
        if self.linkedin_apps and self.buffer_apps and any(not one.page_id for one in self.instagrams.values()):
            return
        fresh = State(None, self.populate)
        for account in fresh.instagrams.values():
            if not account.page_id:
                self.instagrams.setdefault(account.id, account)
        for name in TABLES:
            if name.startswith(("linkedin_", "buffer_")) and not getattr(self, name):
                setattr(self, name, getattr(fresh, name))

    def save(self) -> None:
        """Write the file anew and put it in place in one step."""
        if self.path is None or not self.dirty.is_set():
            return
        with self.writing:
            self.dirty.clear()
            with self.lock:
                tables = {name: list(getattr(self, name).values()) for name in TABLES}
                text = json.dumps(
                    {"last_id": self.last_id, "clock_offset": self.clock_offset, "tables": tables}, default=vars
                )
            draft = self.path.with_suffix(".new")
            draft.write_text(text, "utf-8")
            os.replace(draft, self.path)

    def keep_saving(self) -> None:
        while True:
            self.dirty.wait()
            time.sleep(0.5)
            began = time.monotonic()
            try:
                self.save()
            except OSError:
                logger.exception("The sandbox could not write %s; it tries again.", self.path)
                self.dirty.set()
            # A large state takes long to write: then write it seldom, so that calls stay quick.
            time.sleep(20 * (time.monotonic() - began))


_state: State | None = None
_first = threading.Lock()


def configure(populate: Callable[[State], None]) -> None:
    """Build the one state of this process."""
    global _state
    with _first:
        if _state is None:
            _state = State(settings.SANDBOX_STATE, populate)


def get_state() -> State:
    if _state is None:
        raise RuntimeError("The sandbox has not been set up: socialhub.sandbox.world.start() comes first.")
    return _state
