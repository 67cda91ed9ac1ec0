"""Posts in every state for a demo installation that runs: `bin/screenshots` looks at them.

Made by what the pages call, carried out by the worker against the simulated networks, whose faults are switched on for
it. The first admin's accounts must be connected. Prints the addresses worth a picture as JSON, in one line:

    manage.py shell -c "from tests.scene import make; make()"
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import requests
import time_machine
from django.conf import settings
from django.utils import timezone

from accounts.clients import client_of
from accounts.models import ConnectedAccount, User, Workspace
from accounts.tokens import with_access
from analytics import sync
from analytics.ingest.accounts import read_hour
from publishing.compose import Composition, Intent, Picture, Target, create
from publishing.models import ImageSet, Post
from socialhub.management.commands.first_admin import first_admin
from socialhub.platforms.base import PostType

SETTLES_SECONDS = 90
HOURS_BEFORE = 52  # whose figures are read as if socialhub had been there; over a stop of some hours
STOP = range(20, 25)
SENTENCES = [
    "Fresh out of the booth: LeMans Blue, four coats, wet-sanded between each of them.",
    "Which stripe would you have chosen, white or black?",
    "The small block is back together. First start on Saturday at ten, neighbours are warned.",
    "Three years in eight pictures.",
    "Open workshop this Friday from four. Coffee is on us, questions are on you.",
    "Found behind the dashboard: a parking ticket from 1974.",
    "How we take rust out of a door without taking the door apart.",
]


class Scene:
    def __init__(self, user: User, workspace: Workspace) -> None:
        self.user = user
        self.workspace = workspace
        self.image_set = ImageSet.objects.filter(workspace=workspace).earliest("created_at")
        self.pictures = [
            Picture(item.media, item.media.alt_text)
            for item in self.image_set.items.select_related("media").order_by("position")
        ]
        self.accounts = {
            platform: account
            for platform in ("facebook", "instagram", "linkedin")
            if (account := ConnectedAccount.objects.of(workspace).filter(platform=platform).first())
        }

    def post(self, caption: str, platforms: Iterable[str], pictures: int = 0, first: int = 0, **more: object) -> Post:
        kinds = {
            "facebook": PostType.MULTI_IMAGE if pictures > 1 else PostType.SINGLE if pictures else PostType.TEXT,
            "instagram": PostType.CAROUSEL if pictures > 1 else PostType.SINGLE,
            "linkedin": PostType.MULTI_IMAGE if pictures > 1 else PostType.SINGLE if pictures else PostType.TEXT,
        }
        targets = [Target(self.accounts[key], kinds[key]) for key in platforms if key in self.accounts]
        composition = Composition(
            caption=caption,
            hashtags=("camaro", "restoration"),
            image_set=self.image_set if pictures else None,
            pictures=(self.pictures[first:] + self.pictures[:first])[:pictures],
            targets=targets,
            time_zone=self.user.time_zone,
            **more,  # type: ignore[arg-type]
        )
        return create(self.workspace, self.user, composition)

    def hours_before(self) -> None:
        """Figures of the hours up to now, read one after the other while both clocks are put back."""
        now = timezone.now()
        for back in range(HOURS_BEFORE, 0, -1):
            if back in STOP:
                continue
            at = now - timedelta(hours=back)
            set_clock(at)
            with time_machine.travel(at, tick=False):
                for account in self.accounts.values():
                    with_access(account, lambda access, one=account: read_hour(one, client_of(one), access))  # type: ignore[misc]
        set_clock(now)
        for account in self.accounts.values():
            sync.sync(account.pk, full=True)

    def past(self) -> Post:
        """Posts that are out; returns the one on all networks."""
        first = self.post("From a barn find to the coast road.", self.accounts, 8, intent=Intent.NOW, campaign="Camaro")
        for sentence in SENTENCES[:3]:
            self.post(sentence, ("facebook", "linkedin"), intent=Intent.NOW, campaign="Workshop")
        settled(Post.objects.of(self.workspace), "published")
        return first

    def ahead(self) -> Post:
        """Posts that wait, over some weeks; returns the next of them."""
        start = timezone.now().replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)
        made = []
        for number in range(16):
            at = start + timedelta(days=number * 5 // 3, hours=(0, 3, 8)[number % 3], minutes=(0, 30)[number % 2])
            platforms = (("facebook", "instagram"), ("linkedin",), tuple(self.accounts))[number % 3]
            pictures = (3, 1, 8)[number % 3]
            caption = SENTENCES[number % len(SENTENCES)]
            first = number % len(self.pictures)
            made.append(
                self.post(caption, platforms, pictures, first, intent=Intent.SCHEDULE, at=at, campaign="Camaro")
            )
        return made[0]

    def trouble(self) -> dict[str, Post]:
        with fault("rejected_image", account=self.accounts["instagram"]):
            partly = self.post(
                "Two pictures that one network refuses.", ("facebook", "instagram"), 2, 4, intent=Intent.NOW
            )
            failed = self.post("A picture that is refused.", ("instagram",), 1, 6, intent=Intent.NOW)
            settled([partly], "partly_failed")
            settled([failed], "failed")
        return {"partly-failed": partly, "failed": failed}

    def unsure(self) -> Post:
        """An answer that was lost, and nobody can look: stays so while the network's list of posts is down."""
        switch("error_before", edge="published_posts", account=self.accounts["facebook"], count=None)
        switch("lost_answer", edge="feed", account=self.accounts["facebook"], count=1)
        post = self.post("Is it out?", ("facebook",), intent=Intent.NOW)
        settled([post], "checking")
        return post

    def under_way(self) -> Post:
        """Instagram takes its time, so that the pictures find it at work; and has calls left for it this hour."""
        switch("slow", account=self.accounts["instagram"], count=None, seconds=25)
        post = self.post("On its way, picture by picture.", ("instagram",), 4, 3, intent=Intent.NOW)
        settled([post], "publishing")
        return post


def switch(
    kind: str, *, account: ConnectedAccount, edge: str = "any", count: int | None = None, **more: object
) -> None:
    values = {"kind": kind, "edge": edge, "account": account.platform_account_id, "count": count, **more}
    requests.post(f"{settings.SANDBOX_URL}/control/faults", json=values, timeout=10).raise_for_status()


def set_clock(at: datetime) -> None:
    requests.post(f"{settings.SANDBOX_URL}/control/clock", json={"at": at.timestamp()}, timeout=10).raise_for_status()


@contextmanager
def fault(kind: str, *, account: ConnectedAccount) -> Iterator[None]:
    switch(kind, account=account)
    yield
    requests.delete(f"{settings.SANDBOX_URL}/control/faults", timeout=10).raise_for_status()


def settled(posts: Iterable[Post], status: str) -> None:
    """Wait until the posts have come so far. A state that does not come is a picture less, not a failure."""
    wanted = {post.pk for post in posts}
    deadline = time.monotonic() + SETTLES_SECONDS
    while Post.objects.filter(pk__in=wanted).exclude(status=status).exists() and time.monotonic() < deadline:
        time.sleep(0.5)


def make() -> None:
    user = first_admin()
    assert user
    membership = user.memberships.select_related("workspace").earliest("created_at")
    scene = Scene(user, membership.workspace)
    scene.hours_before()
    found = {"published": scene.past(), "scheduled": scene.ahead(), **scene.trouble()}
    found["draft"] = scene.post("A first thought, not finished", scene.accounts, 4, 2)
    found["checking"] = scene.unsure()
    found["publishing"] = scene.under_way()
    pages = {f"post-{name}": post.get_absolute_url() for name, post in found.items()}
    pages["composer-edit"] = f"/posts/{found['draft'].pk}/edit/"
    pages["composer-set"] = f"/posts/new/?set={scene.image_set.pk}"
    for platform, account in scene.accounts.items():
        for period in ("24h", "30d", "90d"):
            pages[f"analytics-{platform}-{period}"] = f"/analytics/accounts/{account.pk}/?period={period}"
    pages["set"] = f"/library/sets/{scene.image_set.pk}/"
    print(json.dumps(pages))  # noqa: T201  for who called it
