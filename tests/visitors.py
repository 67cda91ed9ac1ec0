"""People who use the pages at the same time, each at a person's pace, for `bin/bench load`.

Every visitor is a thread with a session of its own: it looks at a page, thinks, and goes on; now and then it saves a
draft. What is measured is the time until the whole answer is here.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import requests
from django.test import Client

from accounts.models import User

CSRF = "a" * 32
THINKING_SECONDS = (0.5, 3.0)
# How often a page is asked for, against the others.
WALK = {
    "/": 4,
    "/posts/": 4,
    "/posts/?q=camaro": 1,
    "/calendar/": 3,
    "/library/": 2,
    "/posts/new/": 2,
    "/analytics/": 2,
    "/analytics/posts/": 1,
    "/notifications/": 1,
    "/settings/accounts/": 1,
    "/api/social/posts": 1,
    "draft": 2,
}


@dataclass
class Visits:
    """Seconds of each answer by page, and what was wrong."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {page: [] for page in WALK})
    errors: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[float]:
        return sorted(second for seconds in self.seconds.values() for second in seconds)


def signed_in(user: User) -> str:
    """The session cookie of somebody who has signed in."""
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client.cookies["sessionid"].value


def visit(address: str, users: Sequence[User], seconds: float) -> Visits:
    """All users at once, for so long."""
    visits = Visits()
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(target=walk, args=(address, signed_in(user), number, until, visits))
        for number, user in enumerate(users)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return visits


def walk(address: str, cookie: str, number: int, until: float, visits: Visits) -> None:
    chance = random.Random(number)
    pages, weights = list(WALK), list(WALK.values())
    with requests.Session() as session:
        session.trust_env = False
        session.cookies.update({"sessionid": cookie, "csrftoken": CSRF})
        time.sleep(chance.uniform(0, THINKING_SECONDS[1]))  # they do not all come at the same moment
        while time.monotonic() < until:
            page = chance.choices(pages, weights)[0]
            began = time.monotonic()
            try:
                response = save_draft(session, address, number) if page == "draft" else session.get(address + page)
            except requests.RequestException as error:
                visits.errors.append(f"{page}: {type(error).__name__}")
            else:
                visits.seconds[page].append(time.monotonic() - began)
                if response.status_code != 200 or "/account/" in response.url:
                    visits.errors.append(f"{page}: {response.status_code} at {response.url}")
            time.sleep(chance.uniform(*THINKING_SECONDS))


def save_draft(session: requests.Session, address: str, number: int) -> requests.Response:
    data = {"key": str(uuid.uuid4()), "caption": f"A thought of visitor {number}", "action": "draft", "when": "now"}
    return session.post(f"{address}/posts/new/", data=data, headers={"X-CSRFToken": CSRF})
