"""With nothing but an API key, from nothing to figures: by requests of a program, and by the guide as it stands on the page.

Web, worker and the simulated networks are processes of their own; the test is the person who consents.
"""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts import api_keys
from accounts.models import ApiKey, User
from publishing.webhooks import sign
from tests.factories import make_user, workspace_of
from tests.stage import Stage

pytestmark = [pytest.mark.django_db, pytest.mark.processes]

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
HIDDEN = re.compile(r'<input type="hidden" name="([a-z]+)" value="([^"]*)"')
OVER = ("published", "partly_failed", "failed")


@pytest.fixture
def stage(transactional_db: None, tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path, HTTP_READ_TIMEOUT_SECONDS="10", PUBLISH_LEASE_SECONDS="30")
    try:
        made.start_worker()
        made.start_web()
        yield made
    finally:
        made.stop()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    Image.effect_noise((1080, 1080), 60).convert("RGB").save(path, "JPEG")
    return path


def key_of(person: User) -> str:
    return api_keys.make(workspace_of(person), person, "Robot", ApiKey.Scope.values)[1]


def consent(stage: Stage, address: str) -> None:
    """Whoever opens the address: allows one Page there, and says yes here. Nobody is signed in."""
    gina = stage.sandbox.person("gina")
    page_id = next(page.id for page in gina.pages if page.instagram_id)
    with requests.Session() as browser:
        browser.trust_env = False
        back = browser.get(stage.sandbox.consent(address, "gina", pages=[page_id]), timeout=30)
        assert back.status_code == 200
        fields = {name: html.unescape(value) for name, value in HIDDEN.findall(back.text)}
        action = re.search(r'<form method="post" action="([^"]+)"', back.text)
        csrf = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', back.text)
        assert action
        assert csrf
        form = {**fields, "csrfmiddlewaretoken": csrf[1], "answer": "yes"}
        done = browser.post(urljoin(stage.web_url, action[1]), form, headers={"Referer": back.url}, timeout=30)
        assert "Your consent is stored" in done.text


class Caller:
    def __init__(self, stage: Stage, key: str) -> None:
        self.stage = stage
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {key}"

    def __call__(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        response = self.session.request(method, f"{self.stage.web_url}/api/social/{path}", timeout=30, **more)
        assert response.status_code == status, response.text
        return response.json()


def until(stage: Stage, look: Callable[[], Any], wanted: Callable[[Any], bool], seconds: float = 60) -> Any:
    seen: list[Any] = []

    def once() -> bool:
        seen.append(look())
        return wanted(seen[-1])

    assert stage.beat_until(once, seconds), seen[-1]
    return seen[-1]


def test_a_program_does_the_whole_path_with_a_key(stage: Stage, photo: Path) -> None:
    call = Caller(stage, key_of(make_user()))
    consent(stage, call("GET", "oauth/connect?platform=instagram")["url"])
    connected = call("POST", "connect/instagram")
    assert (connected["facebook"]["connected"], connected["instagram"]["connected"]) == (True, True)
    accounts = call("GET", "connected-accounts")["accounts"]
    assert {one["platform"] for one in accounts} == {"facebook", "instagram"}

    with photo.open("rb") as file:
        media = call("POST", "media", 201, files={"file": file}, data={"altText": "A car"})
    wanted = {
        "content": "Restored to the last bolt.",
        "accountIds": [one["accountId"] for one in accounts],
        "mediaIds": [media["id"]],
        "captions": {"instagram": "Restored. #camaro"},
        "campaign": "Spring",
    }
    assert call("POST", "validate", json=wanted)["valid"] is True
    made = [call("POST", "posts", 201, json=wanted, headers={"Idempotency-Key": "camaro"}) for _ in range(2)]
    assert made[0]["id"] == made[1]["id"]
    post_id = made[0]["id"]
    assert made[0]["status"] == "draft"

    at = (timezone.now() + timedelta(seconds=4)).isoformat()
    scheduled = call("POST", "posts/schedule", json={"postId": post_id, "scheduledAt": at})
    assert scheduled["status"] == "scheduled"
    post = until(stage, lambda: call("GET", f"posts/{post_id}"), lambda post: post["status"] in OVER)
    assert post["status"] == "published", post
    for account in accounts:
        (found,) = stage.sandbox.feed(account["platformAccountId"])
        publication = next(one for one in post["publications"] if one["accountId"] == account["accountId"])
        assert publication["platformPostId"].endswith(found["id"].rpartition("_")[2])
        assert publication["permalink"]

    asked = call("POST", "insights/sync")
    assert asked["synced"] == {"facebook": 1, "instagram": 1}

    def figures() -> Any:
        return call("GET", f"analytics?postId={post_id}")

    told = until(stage, figures, lambda told: all(one["fetchedAt"] for one in told["platforms"]))
    for one in told["platforms"]:
        assert (one["likes"] is None) == ("likes" in one["missing"])
    windows = until(
        stage, lambda: call("GET", "insights?platform=facebook&period=hour"), lambda told: bool(told["series"])
    )
    assert windows["aggregates"]["latest_followers"] > 0
    limits = call("GET", "rate-limits")["accounts"]
    assert any(window["made"] for account in limits for window in account["windows"])
    call("POST", "disconnect", json={"accountId": accounts[0]["accountId"]})
    assert call("GET", "connected-accounts")["total"] == 1


def test_a_post_with_an_image_of_the_web_goes_out_by_itself(stage: Stage) -> None:
    """Its file stands at the sandbox, whose address counts as one of the web here."""
    call = Caller(stage, key_of(make_user()))
    consent(stage, call("GET", "oauth/connect?platform=facebook")["url"])
    call("POST", "connect/facebook")
    picture = next(
        one["profilePicture"] for one in call("GET", "connected-accounts")["accounts"] if one["platform"] == "instagram"
    )
    wanted = {"content": "Seen.", "platforms": ["facebook"], "mediaUrls": [picture], "publishNow": True}
    post_id = call("POST", "posts", 201, json=wanted)["id"]
    post = until(stage, lambda: call("GET", f"posts/{post_id}"), lambda post: post["status"] in OVER)
    assert post["status"] == "published", post
    assert len(post["media"]) == 1


# The guide, as it stands on the page


def examples(stage: Stage, person: User, settings: Any) -> dict[str, str]:
    settings.PUBLIC_BASE_URL = stage.web_url
    client = Client()
    client.force_login(person, backend=BACKEND)
    page = client.get(reverse("api_guide")).content.decode()
    return {
        key: html.unescape(code)
        for key, code in re.findall(r'<pre id="code-([a-z]+)"[^>]*>(.*?)</pre>', page, re.DOTALL)
    }


def follow(stage: Stage, command: Sequence[str], folder: Path) -> str:
    """Run it as a person would: open the address that it prints, consent, press Enter."""
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**clean, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        said = ""
        for line in process.stdout:
            said += line
            if address := re.search(r"Open this within ten minutes: (\S+)", line):
                consent(stage, address[1])
                process.stdin.write("\n")
                process.stdin.flush()
    assert process.returncode == 0, said
    return said


def test_the_guide_works_as_it_stands_on_the_page(stage: Stage, photo: Path, settings: Any) -> None:
    by_shell, by_python = make_user(), make_user()
    shown = examples(stage, by_shell, settings)
    python, webhook = shown.pop("python"), shown.pop("webhook")

    script = photo.parent / "guide.sh"
    lines = "\n\n".join(shown.values())
    assert lines.count("KEY=shk_...\n") == 1
    script.write_text(lines.replace("shk_...", key_of(by_shell)))
    said = follow(stage, ["bash", "-eu", "-o", "pipefail", str(script)], photo.parent)
    for wanted in ('"valid": true', '"status": "scheduled"', '"campaign": "Spring"', '"totalReach"', '"endpoint"'):
        assert wanted in said, said
    assert said.count('"status": "published"') == 4  # of the post, and beside its figures, on two networks
    assert "failed" not in said

    program = photo.parent / "guide.py"
    program.write_text(python.replace("shk_...", key_of(by_python)))
    said = follow(stage, [sys.executable, str(program)], photo.parent)
    for platform in ("facebook", "instagram"):
        assert re.search(rf"^{platform} published http\S+ None$", said, re.MULTILINE), said

    knows: dict[str, Any] = {}
    exec(webhook, knows)  # noqa: S102  what we show ourselves
    secret, body = "whsec_" + "c2VjcmV0IG9mIGEgcmVjZWl2ZXI=", b'{"type":"test"}'
    headers = sign.headers_for("msg_1", body, [secret], timezone.now())
    assert knows["is_genuine"](headers, body, secret)
    assert not knows["is_genuine"](headers, body + b" ", secret)
    assert not knows["is_genuine"]({**headers, "webhook-id": "msg_2"}, body, secret)
    old = sign.headers_for("msg_1", body, [secret], timezone.now() - timedelta(minutes=6))
    assert not knows["is_genuine"](old, body, secret)
    both = sign.headers_for("msg_1", body, ["whsec_b2xkIHNlY3JldA==", secret], timezone.now())
    assert knows["is_genuine"](both, body, secret)
