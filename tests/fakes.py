"""A network in memory, with the contract of the real ones: it records every call and goes wrong on request.

    fake = FakePlatform()
    fake.will("commit", LOST)                       # accepted, but the answer never arrives
    fake.will("perform:photo:2", TemporaryError("Try later."), NotYet(5))   # first an error, then more time, then well
    fake.during("commit", lambda call: run_again()) # runs inside the next call, for races
    assert fake.feed["1001"][0].text == "Hello"

Names of calls are those of the contract; steps of a publication are told apart as `perform:<step key>`.
"""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.utils import timezone

from socialhub.platforms.base import (
    Absent,
    Accepted,
    Access,
    AccountReading,
    AudienceReading,
    Content,
    DayFigures,
    Done,
    Handles,
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
from socialhub.platforms.errors import OutcomeUnknownError

LOST: Any = object()  # outcome of a commit: the network acts, the caller learns nothing
NORMAL: Any = object()  # an ordinary answer in between others


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it came in; `step` only for perform."""

    name: str
    account_id: str = ""
    token: str = field(default="", repr=False)
    step: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)


class FakePlatform(Platform):
    """Works as Facebook does until told otherwise. May be used from many threads."""

    key: ClassVar[str] = "facebook"
    label: ClassVar[str] = "Facebook"

    def __init__(self, *, steps: Sequence[Step] | None = None) -> None:
        self.steps = tuple(steps) if steps is not None else None
        self.calls: list[Call] = []
        self.feed: dict[str, list[RemotePost]] = defaultdict(list)  # what stands on the network, by account id
        self.comments: dict[str, list[tuple[str, str]]] = defaultdict(list)  # id and text, by platform post id
        self.profiles: dict[str, Profile] = {}
        self.quotas: dict[str, Quota] = {}
        self.totals: dict[str, dict[str, int | float]] = {}  # by account id
        self.days: dict[tuple[str, datetime], DayFigures] = {}  # by account id and start of the day
        self.audiences: dict[str, AudienceReading] = {}
        self.figures: dict[str, PostFigures] = {}  # by platform post id
        self._outcomes: dict[str, deque[Any]] = defaultdict(deque)
        self._hooks: dict[str, deque[Callable[[Call], object]]] = defaultdict(deque)
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()

    # What a test says beforehand and asks afterwards

    def will(self, name: str, *outcomes: Any) -> None:
        """The next calls of this name end so: an exception is raised, NORMAL and LOST see above, else it is returned."""
        self._outcomes[name].extend(outcomes)

    def during(self, name: str, hook: Callable[[Call], object]) -> None:
        """Runs once, inside the next call of this name, before its outcome."""
        self._hooks[name].append(hook)

    def called(self, name: str) -> list[Call]:
        """The calls of this name so far: "commit", "perform", "perform:photo:1"."""
        with self._lock:
            return [call for call in self.calls if name in (call.name, f"{call.name}:{call.step}")]

    def add(self, account_id: str, platform_post_id: str = "", **fields: Any) -> RemotePost:
        """A post that stands on the network without us."""
        with self._lock:
            number = next(self._numbers)
            post = RemotePost(
                **{
                    "platform_post_id": platform_post_id or f"{account_id}_{number}",
                    "text": f"Post {number}",
                    "posted_at": timezone.now(),
                    "permalink": f"https://fake.example/{account_id}/{number}",
                    **fields,
                }
            )
            self.feed[account_id].append(post)
            return post

    def remove(self, account_id: str, platform_post_id: str) -> None:
        with self._lock:
            self.feed[account_id] = [p for p in self.feed[account_id] if p.platform_post_id != platform_post_id]
            self.figures.pop(platform_post_id, None)

    # Publishing

    @staticmethod
    def plan_step(key: str, *, commit: bool = False) -> Step:
        """A step for `steps`."""
        return Step(key, StepKind.COMMIT if commit else StepKind.PREPARE, key, {"publish": 1})

    def plan(self, content: Content) -> tuple[Step, ...]:
        if self.steps is not None:
            return self.steps
        steps = [
            Step(f"photo:{item.position}", StepKind.PREPARE, f"Uploading image {item.position}", {"publish": 1})
            for item in content.media
        ]
        if content.post_type == PostType.CAROUSEL:
            steps.append(Step("container", StepKind.PREPARE, "Creating carousel", {"publish": 1}))
            steps.append(Step("ready", StepKind.WAIT, "Waiting for the network"))
        return (*steps, Step("publish", StepKind.COMMIT, "Publishing", {"publish": 1}))

    def perform(self, step: Step, access: Access, content: Content, handles: Handles) -> Done | NotYet:
        scripted = self._record("perform", access, step=step.key, content=content, handles=dict(handles))
        if scripted is not NORMAL:
            return scripted
        if step.kind is StepKind.WAIT:
            return Done()
        return Done({step.key: f"handle-{next(self._numbers)}"}, request_id=f"request-{len(self.calls)}")

    def commit(self, access: Access, content: Content, handles: Handles) -> Published | Accepted:
        scripted = self._record("commit", access, content=content, handles=dict(handles))
        if scripted is not NORMAL and scripted is not LOST:
            return scripted
        post = self.add(access.account_id, text=content.text)
        if scripted is LOST:
            raise OutcomeUnknownError("The connection broke before the answer came.")
        return Published(post.platform_post_id, post.permalink, f"request-{len(self.calls)}", post.posted_at)

    def look(
        self, access: Access, content: Content, handles: Handles, *, since: datetime, claimed: Collection[str]
    ) -> Published | Absent | Unknowable | NotYet:
        scripted = self._record(
            "look", access, content=content, handles=dict(handles), since=since, claimed=frozenset(claimed)
        )
        if scripted is not NORMAL:
            return scripted
        for post in self._posts(access.account_id):
            # Networks round times down to the second.
            recent = post.posted_at >= since - timedelta(seconds=1)
            if recent and post.text == content.text and post.platform_post_id not in claimed:
                return Published(post.platform_post_id, post.permalink, published_at=post.posted_at)
        return Absent("Not among the newest posts.")

    def permalink(self, access: Access, platform_post_id: str) -> str:
        scripted = self._record("permalink", access, platform_post_id=platform_post_id)
        if scripted is not NORMAL:
            return scripted
        found = [post for post in self._posts(access.account_id) if post.platform_post_id == platform_post_id]
        return found[0].permalink if found else ""

    # After publishing

    def seen(self, access: Access, platform_post_id: str, content: Content) -> Seen:
        scripted = self._record("seen", access, platform_post_id=platform_post_id, content=content)
        if scripted is not NORMAL:
            return scripted
        standing = platform_post_id in {post.platform_post_id for post in self._posts(access.account_id)}
        return Seen(standing, len(content.media) if standing else None)

    def comment(self, access: Access, platform_post_id: str, text: str) -> str:
        scripted = self._record("comment", access, platform_post_id=platform_post_id, text=text)
        if scripted is not NORMAL and scripted is not LOST:
            return scripted
        with self._lock:
            self.comments[platform_post_id].append((f"comment-{next(self._numbers)}", text))
        if scripted is LOST:
            raise OutcomeUnknownError("The connection broke before the answer came.")
        return self.comments[platform_post_id][-1][0]

    def find_comment(self, access: Access, platform_post_id: str, text: str) -> str | Unknowable:
        scripted = self._record("find_comment", access, platform_post_id=platform_post_id, text=text)
        if scripted is not NORMAL:
            return scripted
        return next((key for key, written in self.comments[platform_post_id] if written == text), "")

    # Reading

    def quota(self, access: Access) -> Quota | None:
        scripted = self._record("quota", access)
        return self.quotas.get(access.account_id) if scripted is NORMAL else scripted

    def profile(self, access: Access) -> Profile:
        scripted = self._record("profile", access)
        return self.profiles.get(access.account_id, Profile()) if scripted is NORMAL else scripted

    def read_account(
        self, access: Access, *, days: Sequence[datetime] = (), skip: Collection[str] = ()
    ) -> AccountReading:
        scripted = self._record("read_account", access, days=list(days), skip=set(skip))
        if scripted is not NORMAL:
            return scripted
        with self._lock:
            told = tuple(self.days[key] for day in days if (key := (access.account_id, day)) in self.days)
        return AccountReading(
            self.profiles.get(access.account_id, Profile()), self.totals.get(access.account_id, {}), told
        )

    def audience(self, access: Access, *, skip: Collection[str] = ()) -> AudienceReading:
        scripted = self._record("audience", access, skip=set(skip))
        return self.audiences.get(access.account_id, AudienceReading()) if scripted is NORMAL else scripted

    def post_figures(
        self, access: Access, posts: Mapping[str, str], *, skip: Collection[str] = ()
    ) -> list[PostFigures]:
        scripted = self._record("post_figures", access, posts=dict(posts), skip=set(skip))
        if scripted is not NORMAL:
            return scripted
        standing = {post.platform_post_id for post in self._posts(access.account_id)} | set(self.figures)
        return [self.figures.get(key, PostFigures(key)) for key in posts if key in standing]

    def recent_posts(
        self, access: Access, *, since: datetime, limit: int = 25, figures: bool = False, skip: Collection[str] = ()
    ) -> list[RemotePost]:
        scripted = self._record("recent_posts", access, since=since, limit=limit, figures=figures, skip=set(skip))
        if scripted is not NORMAL:
            return scripted
        posts = [post for post in self._posts(access.account_id) if post.posted_at >= since][:limit]
        return [replace(post, figures=self.figures.get(post.platform_post_id)) for post in posts] if figures else posts

    # Inside

    def _posts(self, account_id: str) -> list[RemotePost]:
        with self._lock:
            return sorted(self.feed[account_id], key=lambda post: post.posted_at, reverse=True)

    def _record(self, name: str, access: Access, *, step: str = "", **arguments: Any) -> Any:
        call = Call(name, access.account_id, access.token, step, arguments)
        names = (f"{name}:{step}", name) if step else (name,)
        with self._lock:
            self.calls.append(call)
            hook = next((self._hooks[each].popleft() for each in names if self._hooks[each]), None)
        if hook is not None:  # outside the lock: a hook may run another worker against this very network
            hook(call)
        with self._lock:
            outcome = next((self._outcomes[each].popleft() for each in names if self._outcomes[each]), NORMAL)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class FakeInstagram(FakePlatform):
    key: ClassVar[str] = "instagram"
    label: ClassVar[str] = "Instagram"
